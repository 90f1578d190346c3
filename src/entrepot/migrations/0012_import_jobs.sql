-- Files that programs send to be brought in: uploaded in parts, worked on by the clock's process.

CREATE TABLE import_job (
    tenant_id   bigint NOT NULL REFERENCES tenant,
    id          bigint NOT NULL,
    kind        text NOT NULL,              -- articles, stock …: imports.flows.KINDS
    format      text NOT NULL CONSTRAINT import_job_format_known CHECK (format IN ('csv', 'xlsx')),
    dry_run     boolean NOT NULL,
    who         text NOT NULL,
    state       text NOT NULL DEFAULT 'uploading'
                CONSTRAINT import_job_state_known CHECK (state IN ('uploading', 'waiting', 'done', 'failed')),
    taken       bigint NOT NULL DEFAULT 0,  -- rows
    left_out    bigint NOT NULL DEFAULT 0,
    progress    real NOT NULL DEFAULT 0,    -- 0 to 1
    problem     text NOT NULL DEFAULT '',   -- why the file as a whole could not be read
    errors      bytea,                      -- sealed: the rows that were left out, and why
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX import_job_waiting ON import_job (id) WHERE state = 'waiting';

CREATE TABLE import_part (
    tenant_id bigint NOT NULL,
    job_id    bigint NOT NULL,
    part      integer NOT NULL,             -- 1, 2, 3 …
    content   bytea NOT NULL,               -- sealed
    PRIMARY KEY (tenant_id, job_id, part),
    FOREIGN KEY (tenant_id, job_id) REFERENCES import_job ON DELETE CASCADE
);
