-- Reconciliation: one row per connection, list and day, as it went last. What differed stands as discrepancies.

CREATE TABLE reconciliation (
    tenant_id     bigint NOT NULL REFERENCES tenant,
    connection_id bigint NOT NULL,
    kind          text NOT NULL CONSTRAINT reconciliation_kind_known CHECK (kind IN ('orders', 'stock', 'refunds')),
    day           date NOT NULL,      -- in Asia/Shanghai
    file          text NOT NULL,
    who           text NOT NULL,
    theirs        bigint NOT NULL,    -- keys in their list
    ours          bigint NOT NULL,    -- keys we have
    differing     bigint NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id, kind, day),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection
);
CREATE INDEX reconciliation_by_day ON reconciliation (tenant_id, day, connection_id, kind);
