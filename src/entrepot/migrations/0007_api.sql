-- The native API: how often its tokens call, and what was answered under an Idempotency-Key.

-- Calls a minute that a program's token allows; 0: any number.
ALTER TABLE token ADD COLUMN per_minute integer NOT NULL DEFAULT 6000
    CONSTRAINT token_per_minute_not_negative CHECK (per_minute >= 0);

-- The calls of each token in the minute it last called. Not logged: after a crash counting starts anew.
CREATE UNLOGGED TABLE api_usage (
    tenant_id bigint NOT NULL,
    token_id  bigint NOT NULL,
    minute    bigint NOT NULL,      -- since 1970
    calls     bigint NOT NULL,
    PRIMARY KEY (tenant_id, token_id)
) WITH (fillfactor = 50);

-- The first answer to a request made under an Idempotency-Key, written with what it did.
CREATE TABLE api_reply (
    tenant_id bigint NOT NULL REFERENCES tenant,
    token_id  bigint NOT NULL,
    key       text NOT NULL,
    digest    bytea NOT NULL,       -- of method, path, query and body
    status    integer NOT NULL,
    headers   jsonb NOT NULL,
    body      bytea NOT NULL,       -- sealed
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, token_id, key)
);
CREATE INDEX api_reply_by_age ON api_reply (tenant_id, at);
