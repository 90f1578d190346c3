-- What programs ask for and fetch later, done by the clock's process: files that go out, partners' own stock.

CREATE TABLE export_job (
    tenant_id   bigint NOT NULL REFERENCES tenant,
    id          bigint NOT NULL,
    kind        text NOT NULL,              -- articles, stock …: exports.kinds.KINDS
    format      text NOT NULL CONSTRAINT export_job_format_known CHECK (format IN ('csv', 'xlsx')),
    personal    boolean NOT NULL,           -- with receivers, their phones and addresses
    who         text NOT NULL,
    state       text NOT NULL DEFAULT 'waiting'
                CONSTRAINT export_job_state_known CHECK (state IN ('waiting', 'done', 'failed')),
    rows        bigint NOT NULL DEFAULT 0,
    parts       integer NOT NULL DEFAULT 0,
    problem     text NOT NULL DEFAULT '',   -- why there is no file
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX export_job_waiting ON export_job (id) WHERE state = 'waiting';

CREATE TABLE export_part (
    tenant_id bigint NOT NULL,
    job_id    bigint NOT NULL,
    part      integer NOT NULL,             -- 1, 2, 3 …
    content   bytea NOT NULL,               -- sealed
    PRIMARY KEY (tenant_id, job_id, part),
    FOREIGN KEY (tenant_id, job_id) REFERENCES export_job ON DELETE CASCADE
);

-- A partner is to be asked for its stock, to compare with ours.
CREATE TABLE reconciliation_ask (
    tenant_id     bigint NOT NULL REFERENCES tenant,
    id            bigint NOT NULL,
    connection_id bigint NOT NULL,
    who           text NOT NULL,
    state         text NOT NULL DEFAULT 'waiting'
                  CONSTRAINT reconciliation_ask_state_known CHECK (state IN ('waiting', 'done', 'failed')),
    differing     bigint NOT NULL DEFAULT 0,
    problem       text NOT NULL DEFAULT '', -- why it did not come to a comparison
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection
);
CREATE INDEX reconciliation_ask_waiting ON reconciliation_ask (id) WHERE state = 'waiting';
