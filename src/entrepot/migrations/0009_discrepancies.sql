-- Discrepancies stand: one row per subject, from when it was first seen until it is resolved.

DROP INDEX discrepancy_open;
ALTER TABLE discrepancy RENAME COLUMN at TO opened_at;
ALTER TABLE discrepancy RENAME COLUMN settled_at TO resolved_at;
ALTER TABLE discrepancy RENAME COLUMN settled_by TO resolved_by;   -- empty: it resolved itself
ALTER TABLE discrepancy
    ADD COLUMN connection_id bigint,                    -- whose figures or answers differ; null: our own people's
    ADD COLUMN subject text NOT NULL DEFAULT '',        -- what it is about, in words an operator knows
    ADD COLUMN document text NOT NULL DEFAULT '',       -- the order's number, where there is one
    ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();
UPDATE discrepancy SET subject = id::text;
ALTER TABLE discrepancy
    ALTER COLUMN subject DROP DEFAULT,
    ADD CONSTRAINT discrepancy_stands_once UNIQUE NULLS NOT DISTINCT (tenant_id, connection_id, kind, subject);
CREATE INDEX discrepancy_open ON discrepancy (tenant_id, opened_at, id) WHERE resolved_at IS NULL;
CREATE INDEX discrepancy_by_document ON discrepancy (tenant_id, document) WHERE document <> '';
