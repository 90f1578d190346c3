-- The console: how people sign in, what they saved, who takes care of what.

-- How one person signs in. Passwords are argon2id; the second factor's secret is sealed.
CREATE TABLE account (
    tenant_id   bigint NOT NULL REFERENCES tenant,
    person_id   bigint NOT NULL,
    password    text NOT NULL,            -- argon2id, encoded with its parameters
    must_change boolean NOT NULL DEFAULT false,
    duties      text[] NOT NULL DEFAULT '{}',    -- what they do here beside their role in paperwork
    only_local  boolean NOT NULL DEFAULT false,  -- the demonstration's: only while we listen on loopback
    totp        bytea,                    -- sealed secret of the second factor; null: none
    totp_step   bigint NOT NULL DEFAULT 0,       -- the last time step used; each code counts once
    recovery    bytea[] NOT NULL DEFAULT '{}',   -- hashes of the recovery codes not used yet
    locale      text NOT NULL DEFAULT '',        -- '': the browser's
    changed_at  timestamptz NOT NULL DEFAULT now(),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person_id)
);

-- Who is signed in. The cookie's token is kept as its hash only; after a rotation the old one holds a moment.
CREATE TABLE session (
    tenant_id     bigint NOT NULL,
    id            bigint NOT NULL,
    person_id     bigint NOT NULL,
    stage         text NOT NULL CONSTRAINT session_stage_known CHECK (stage IN ('code', 'enrol', 'full')),
    token_hash    bytea NOT NULL,
    previous_hash bytea,
    address       text NOT NULL DEFAULT '',
    agent         text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    rotated_at    timestamptz NOT NULL DEFAULT now(),
    seen_at       timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX session_of_person ON session (tenant_id, person_id) WHERE ended_at IS NULL;

-- Failed sign-ins, by account and by address, so that guessing gets slower with every try.
CREATE TABLE sign_in_failure (
    tenant_id bigint NOT NULL,
    subject   bytea NOT NULL,             -- keyed hash of what failed
    failures  integer NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, subject)
);

-- A list's filter that somebody gave a name.
CREATE TABLE saved_filter (
    tenant_id  bigint NOT NULL,
    id         bigint NOT NULL,
    person_id  bigint NOT NULL,
    page       text NOT NULL,
    name       text NOT NULL,
    query      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT saved_filter_name_taken UNIQUE (tenant_id, person_id, page, name)
);

-- Who said "mine" to something that needs attention.
CREATE TABLE attention_owner (
    tenant_id bigint NOT NULL,
    kind      text NOT NULL,
    item      text NOT NULL,
    person_id bigint NOT NULL,
    who       text NOT NULL,
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, kind, item)
);

-- Figures of hours that are over and cannot change any more; counted once.
CREATE TABLE hour_figure (
    tenant_id bigint NOT NULL,
    figure    text NOT NULL,
    hour      timestamptz NOT NULL,
    value     bigint NOT NULL,
    PRIMARY KEY (tenant_id, figure, hour)
);

-- What the lists of the console seek by. Stock rows keep these columns for life, so moving stock costs nothing more.
CREATE INDEX stock_at_location ON stock (tenant_id, location_id, article_id);
CREATE INDEX stock_with_safety ON stock (tenant_id, article_id, location_id) WHERE safety > 0;
CREATE INDEX sales_order_of_connection ON sales_order (tenant_id, connection_id, state, id);
CREATE INDEX exchange_failed ON exchange (tenant_id, at, id) WHERE status IS NULL OR status >= 400;
CREATE INDEX article_by_name ON article (tenant_id, name text_pattern_ops, id) WHERE name <> '';
CREATE INDEX article_by_sku_prefix ON article (tenant_id, sku text_pattern_ops);
CREATE INDEX article_suites ON article (tenant_id, sku text_pattern_ops) WHERE kind = 'suite';
CREATE INDEX audit_by_kind ON audit (tenant_id, what, id);
CREATE INDEX audit_by_subject ON audit (tenant_id, subject, id);
