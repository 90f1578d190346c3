-- The courier: the outbox of facts, the levels of stock, publishing rules, schedules.

-- Deliveries of one connection about one document that are still open form a lane, and only its head is
-- sent. The lane's row is the unit of claiming and the one lock that announcing, settling and a
-- person's act take, so none of them can strand a follower.
CREATE TABLE lane (
    tenant_id     bigint NOT NULL,
    connection_id bigint NOT NULL,
    key           bigint NOT NULL,                    -- the document's id
    head          bigint NOT NULL,                    -- the delivery whose turn it is
    announced     bigint NOT NULL,                    -- how many were ever announced in this lane; gives their turns
    urgent        boolean NOT NULL DEFAULT false,     -- the head went ahead of those waiting
    due           timestamptz NOT NULL DEFAULT now(), -- when to claim; the lease's end while leased; infinity: a person's
    turn_at       timestamptz NOT NULL DEFAULT now(), -- since when the head's deadline runs
    tries         integer NOT NULL DEFAULT 0,         -- failed attempts since turn_at: the step of the schedule
    tried_at      timestamptz,                        -- when the last of them ended
    leased        boolean NOT NULL DEFAULT false,     -- claimed and not settled yet
    token         bigint NOT NULL DEFAULT 0,          -- fences off a claimer whose lease ran out
    forced        boolean NOT NULL DEFAULT false,     -- a person's retry: ignores the breaker
    PRIMARY KEY (tenant_id, connection_id, key)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
-- An expression, so that only the claim can use it: while the table has no statistics the planner would
-- otherwise look a lane up by its connection alone.
CREATE INDEX lane_due ON lane (tenant_id, (connection_id + 0), due);

-- One fact for one partner. Partitioned by its id, which the application makes time-ordered.
CREATE TABLE delivery (
    tenant_id     bigint NOT NULL,
    id            bigint NOT NULL,
    connection_id bigint NOT NULL,
    kind          text NOT NULL,
    document      text NOT NULL,      -- the number under which the document first came in
    also          text[],             -- further numbers it can be found by
    key           bigint NOT NULL,    -- the lane: the document's id
    rank          smallint NOT NULL DEFAULT 1 CONSTRAINT delivery_rank_known CHECK (rank IN (0, 1)),
    turn          bigint NOT NULL,    -- its place in the lane, among those of its rank
    state         text NOT NULL DEFAULT 'waiting' CONSTRAINT delivery_state_known
                  CHECK (state IN ('waiting', 'delivered', 'rejected', 'needs_attention', 'handled', 'cancelled')),
    sealed        boolean NOT NULL,   -- the payload holds personal data and is encrypted
    payload       bytea NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    unsure        boolean NOT NULL DEFAULT false,  -- an attempt ended without our learning its outcome
    turn_at       timestamptz,        -- null until first tried
    last_error    text,
    reason        text,               -- why a person, or a later fact, settled it
    created_at    timestamptz NOT NULL DEFAULT now(),
    settled_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT delivery_settled_when_final
        CHECK ((settled_at IS NULL) = (state IN ('waiting', 'needs_attention')))
) PARTITION BY RANGE (id);
CREATE INDEX delivery_in_line ON delivery (tenant_id, connection_id, key, rank, turn) WHERE settled_at IS NULL;
CREATE INDEX delivery_of_document ON delivery (tenant_id, document);
CREATE INDEX delivery_also ON delivery USING gin (also) WHERE also IS NOT NULL;
CREATE INDEX delivery_unsettled ON delivery (tenant_id, state, id) WHERE state NOT IN ('delivered', 'handled', 'cancelled');
CREATE TABLE delivery_rest PARTITION OF delivery DEFAULT;

-- Every attempt with its outcome. lost: the process died, nobody learned the answer. late: the answer
-- came after the lease had run out, and did not count.
CREATE TABLE attempt (
    tenant_id     bigint NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    id            bigint NOT NULL,
    delivery_id   bigint NOT NULL,
    connection_id bigint NOT NULL,
    outcome       text NOT NULL CONSTRAINT attempt_outcome_known
                  CHECK (outcome IN ('delivered', 'rejected', 'failed', 'slow_down', 'lost', 'late')),
    status        integer,            -- null: no answer
    duration_us   bigint NOT NULL,
    note          text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, at, id)
) PARTITION BY RANGE (at);
CREATE INDEX attempt_of_delivery ON attempt (tenant_id, delivery_id);
CREATE TABLE attempt_rest PARTITION OF attempt DEFAULT;

-- Who did what to a delivery or a level, and why.
CREATE TABLE delivery_log (
    tenant_id   bigint NOT NULL,
    delivery_id bigint NOT NULL,      -- or the level's item
    id          bigint NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    who         text NOT NULL,
    what        text NOT NULL,
    reason      text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, delivery_id, id)
);

-- A person's act on everything a filter finds, done in batches; goes on where it stopped.
CREATE TABLE delivery_act (
    tenant_id   bigint NOT NULL,
    id          bigint NOT NULL,
    act         text NOT NULL CONSTRAINT delivery_act_known CHECK (act IN ('retry', 'handle', 'cancel')),
    filter      jsonb NOT NULL,
    who         text NOT NULL,
    reason      text NOT NULL DEFAULT '',
    after       bigint NOT NULL DEFAULT 0,  -- the last delivery looked at
    upto        bigint NOT NULL,            -- the newest delivery it covers
    done        bigint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);

-- What one connection was last told of one thing it sells (a listing's id, or an article's where the
-- connection sells by style). Never queued: dirty_since marks that it changed, the level is read when it is sent.
CREATE TABLE level (
    tenant_id     bigint NOT NULL,
    connection_id bigint NOT NULL,
    item          bigint NOT NULL,
    article_id    bigint NOT NULL,
    version       bigint NOT NULL DEFAULT 1,
    dirty_since   timestamptz,
    told          text,               -- the level as last acknowledged; null: never
    told_at       timestamptz,
    trouble       text,               -- the partner refused this level; counts as told
    PRIMARY KEY (tenant_id, connection_id, item)
) WITH (fillfactor = 80);
CREATE INDEX level_dirty ON level (tenant_id, connection_id, dirty_since, item) WHERE dirty_since IS NOT NULL;
CREATE INDEX level_in_trouble ON level (tenant_id, connection_id, item) WHERE trouble IS NOT NULL;

ALTER TABLE stock_change SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- The sending of one connection's levels: one call at a time, fenced like a lane.
CREATE TABLE feed (
    tenant_id     bigint NOT NULL,
    connection_id bigint NOT NULL,
    due           timestamptz NOT NULL DEFAULT now(),  -- not before; the lease's end while leased
    leased        boolean NOT NULL DEFAULT false,
    token         bigint NOT NULL DEFAULT 0,
    round_at      timestamptz,        -- a tick, or a person, wants everything sent that was dirty then
    forced        boolean NOT NULL DEFAULT false,      -- a person's wish ignores the breaker
    tries         integer NOT NULL DEFAULT 0,
    last_error    text,
    full_after    bigint,             -- a full send is under way and stands behind this item
    told_url      text,               -- the partner_url that was told everything
    shape         text,               -- of the settings the told levels were made with
    PRIMARY KEY (tenant_id, connection_id)
);

-- What a channel sees of what is available. Nulls match everything; the last match (by position) wins.
-- Rules with a location shape that outlet's figure, the others the total.
CREATE TABLE publish_rule (
    tenant_id     bigint NOT NULL REFERENCES tenant,
    id            bigint NOT NULL,
    position      integer NOT NULL,
    connection_id bigint,
    location_id   bigint,
    article_id    bigint,
    locations     text[],             -- codes of the locations that count; null: the connection's
    ratio         numeric(9,4) NOT NULL DEFAULT 1 CONSTRAINT publish_rule_ratio_sane CHECK (ratio BETWEEN 0 AND 100),
    buffer        bigint NOT NULL DEFAULT 0,
    minimum       bigint CONSTRAINT publish_rule_minimum_not_negative CHECK (minimum >= 0),
    maximum       bigint CONSTRAINT publish_rule_maximum_not_negative CHECK (maximum >= 0),
    fixed         bigint CONSTRAINT publish_rule_fixed_not_negative CHECK (fixed >= 0),
    stop          boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX publish_rule_in_order ON publish_rule (tenant_id, position, id);

-- What the courier knows of a connection beyond its settings; for people, and for the next process.
CREATE TABLE courier_state (
    tenant_id     bigint NOT NULL,
    connection_id bigint NOT NULL,
    schedule      text,               -- the schedule and deadline that waiting calls were planned by
    deadline      text,
    paused_since  timestamptz,
    open_since    timestamptz,        -- the breaker's
    held_until    timestamptz,        -- the partner asked for patience
    held_for      text,
    PRIMARY KEY (tenant_id, connection_id)
);

-- The courier processes alive; they share the connections out among themselves.
CREATE TABLE courier (
    id      bigint PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- What runs by the clock: one runner at a time, missed runs collapse into one.
CREATE TABLE schedule (
    tenant_id   bigint NOT NULL,      -- 0: the hub's own
    name        text NOT NULL,
    every       double precision NOT NULL CONSTRAINT schedule_every_positive CHECK (every > 0),  -- seconds
    next_at     timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    token       bigint NOT NULL DEFAULT 0,
    ran_at      timestamptz,
    took_us     bigint,
    last_error  text,
    PRIMARY KEY (tenant_id, name)
);
