-- The core: tenants, connections, articles, stock, orders, exchanges.
-- tenant_id leads every key; ids are made by the application; no triggers, no enum types.

CREATE SEQUENCE process_number;

CREATE TABLE tenant (
    tenant_id   bigint PRIMARY KEY,
    name        text NOT NULL CONSTRAINT tenant_name_taken UNIQUE,
    settings    jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- One partner system of one tenant. The dialect's name is plain text: a new dialect needs no migration.
CREATE TABLE connection (
    tenant_id   bigint NOT NULL REFERENCES tenant,
    id          bigint NOT NULL,
    name        text NOT NULL,
    dialect     text NOT NULL,
    role        text NOT NULL,
    partner_url text,
    settings    jsonb NOT NULL DEFAULT '{}',
    paused      boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT connection_name_taken UNIQUE (tenant_id, name)
);

-- One generation of a connection's URL key and secrets; rotation adds one and ends the others later.
CREATE TABLE credential (
    tenant_id     bigint NOT NULL,
    id            bigint NOT NULL,
    connection_id bigint NOT NULL,
    key_hash      bytea NOT NULL CONSTRAINT credential_key_hash_is_sha256 CHECK (length(key_hash) = 32),
    sealed        bytea NOT NULL,   -- {"key": …, "bearer": …, …} under the key ring
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,      -- null: the current generation
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection,
    CONSTRAINT credential_key_taken UNIQUE (tenant_id, key_hash)
);

CREATE TABLE article (
    tenant_id   bigint NOT NULL REFERENCES tenant,
    id          bigint NOT NULL,
    sku         text NOT NULL,
    style_no    text,               -- 款式编号; what mini-programs call it by
    name        text NOT NULL DEFAULT '',
    pic_url     text NOT NULL DEFAULT '',
    unit        text NOT NULL DEFAULT '',
    kind        text NOT NULL DEFAULT 'single'
                CONSTRAINT article_kind_known CHECK (kind IN ('single', 'suite')),
    details     jsonb NOT NULL DEFAULT '{}',  -- what some partner knows of it and no rule needs
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT article_sku_taken UNIQUE (tenant_id, sku)
);
CREATE UNIQUE INDEX article_style_no_taken ON article (tenant_id, style_no);

-- What one connection calls an article: the partner's own kind and key of a thing on sale there.
CREATE TABLE listing (
    tenant_id     bigint NOT NULL,
    connection_id bigint NOT NULL,
    id            bigint NOT NULL,
    type          text NOT NULL,
    key           text NOT NULL,
    article_id    bigint NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connection,
    FOREIGN KEY (tenant_id, article_id) REFERENCES article,
    CONSTRAINT listing_key_taken UNIQUE (tenant_id, connection_id, type, key)
);
CREATE INDEX listing_of_article ON listing (tenant_id, article_id);

-- A place that holds stock: a warehouse, a depot, a store.
CREATE TABLE location (
    tenant_id  bigint NOT NULL REFERENCES tenant,
    id         bigint NOT NULL,
    code       text NOT NULL,
    name       text NOT NULL DEFAULT '',
    province   text NOT NULL DEFAULT '',
    city       text NOT NULL DEFAULT '',
    details    jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT location_code_taken UNIQUE (tenant_id, code)
);

-- The balance of one article at one location, and the only lock of the hub's stock. reserved may
-- exceed on_hand (goods made to order); on_hand is what physically lies there and never negative.
CREATE TABLE stock (
    tenant_id   bigint NOT NULL,
    article_id  bigint NOT NULL,
    location_id bigint NOT NULL,
    on_hand     bigint NOT NULL DEFAULT 0 CONSTRAINT stock_on_hand_not_negative CHECK (on_hand >= 0),
    reserved    bigint NOT NULL DEFAULT 0 CONSTRAINT stock_reserved_not_negative CHECK (reserved >= 0),
    safety      bigint NOT NULL DEFAULT 0 CONSTRAINT stock_safety_not_negative CHECK (safety >= 0),
    weight      numeric(19,4) NOT NULL DEFAULT 0    -- grams of all pieces on hand together
                CONSTRAINT stock_weight_not_negative CHECK (weight >= 0),
    PRIMARY KEY (tenant_id, article_id, location_id),
    FOREIGN KEY (tenant_id, article_id) REFERENCES article,
    FOREIGN KEY (tenant_id, location_id) REFERENCES location
) WITH (fillfactor = 60);

-- Append-only: why on_hand is what it is. Σ delta = on_hand, Σ weight_delta = weight.
CREATE TABLE movement (
    tenant_id    bigint NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    id           bigint NOT NULL,
    article_id   bigint NOT NULL,
    location_id  bigint NOT NULL,
    kind         text NOT NULL,     -- stocktake, shipment, receipt, transfer …
    delta        bigint NOT NULL,
    on_hand      bigint NOT NULL,   -- the balance after it
    weight_delta numeric(19,4) NOT NULL DEFAULT 0,
    document     text NOT NULL DEFAULT '',
    who          text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, at, id)
) PARTITION BY RANGE (at);
CREATE INDEX movement_of_article ON movement (tenant_id, article_id, location_id, at);
CREATE INDEX movement_of_document ON movement (tenant_id, document) WHERE document <> '';
CREATE TABLE movement_rest PARTITION OF movement DEFAULT;

-- Pieces promised to a document. A row is resolved once: shipped or released.
CREATE TABLE reservation (
    tenant_id   bigint NOT NULL,
    id          bigint NOT NULL,
    document_id bigint NOT NULL,
    line        integer NOT NULL,
    article_id  bigint NOT NULL,
    location_id bigint NOT NULL,
    qty         bigint NOT NULL CONSTRAINT reservation_qty_positive CHECK (qty > 0),
    state       text NOT NULL DEFAULT 'open'
                CONSTRAINT reservation_state_known CHECK (state IN ('open', 'shipped', 'released')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    PRIMARY KEY (tenant_id, document_id, id)
);
CREATE INDEX reservation_open ON reservation (tenant_id, article_id, location_id) WHERE state = 'open';

-- Articles whose availability changed; appended in the changing transaction, drained by the courier.
CREATE TABLE stock_change (
    tenant_id  bigint NOT NULL,
    id         bigint NOT NULL,
    article_id bigint NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

-- The guard of everything that comes in under a partner's number. It outlives the document's body.
CREATE TABLE intake (
    tenant_id     bigint NOT NULL,
    connection_id bigint NOT NULL,
    kind          text NOT NULL,
    number        text NOT NULL,
    document_id   bigint NOT NULL,
    digest        bytea NOT NULL,   -- of the content as parsed, keys sorted
    at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, connection_id, kind, number)
);

CREATE TABLE sales_order (
    tenant_id     bigint NOT NULL,
    id            bigint NOT NULL,
    connection_id bigint,           -- null: the hub's own
    number        text NOT NULL,
    state         text NOT NULL,
    customer      text NOT NULL DEFAULT '',
    receiver      bytea,            -- sealed name, phone, address
    phone_hash    bytea,
    details       jsonb NOT NULL DEFAULT '{}',
    body          bytea,            -- sealed: the document as it came
    created_at    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX sales_order_by_number ON sales_order (tenant_id, number);
CREATE INDEX sales_order_by_state ON sales_order (tenant_id, state, id);
CREATE INDEX sales_order_by_phone ON sales_order (tenant_id, phone_hash) WHERE phone_hash IS NOT NULL;

CREATE TABLE order_line (
    tenant_id  bigint NOT NULL,
    order_id   bigint NOT NULL,
    line       integer NOT NULL,
    article_id bigint NOT NULL,
    qty        bigint NOT NULL CONSTRAINT order_line_qty_positive CHECK (qty > 0),
    PRIMARY KEY (tenant_id, order_id, line)
);

CREATE TABLE order_log (
    tenant_id bigint NOT NULL,
    order_id  bigint NOT NULL,
    id        bigint NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    who       text NOT NULL,
    what      text NOT NULL,
    PRIMARY KEY (tenant_id, order_id, id)
);

-- Every HTTP exchange, both ways. Bodies are sealed and bounded.
CREATE TABLE exchange (
    tenant_id     bigint NOT NULL,
    at            timestamptz NOT NULL,
    id            bigint NOT NULL,
    connection_id bigint NOT NULL,
    direction     text NOT NULL CONSTRAINT exchange_direction_known CHECK (direction IN ('in', 'out')),
    document      text,
    also          text[],           -- further numbers it can be found by
    method        text NOT NULL,
    path          text NOT NULL,
    status        integer,          -- null: no answer
    duration_us   bigint NOT NULL,
    request       bytea NOT NULL,
    reply         bytea NOT NULL,
    PRIMARY KEY (tenant_id, at, id)
) PARTITION BY RANGE (at);
CREATE INDEX exchange_of_document ON exchange (tenant_id, document) WHERE document IS NOT NULL;
CREATE INDEX exchange_also ON exchange USING gin (also) WHERE also IS NOT NULL;
CREATE INDEX exchange_of_connection ON exchange (tenant_id, connection_id, at);
CREATE TABLE exchange_rest PARTITION OF exchange DEFAULT;

-- Who changed which setting, right or credential, and why.
CREATE TABLE audit (
    tenant_id bigint NOT NULL,
    id        bigint NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    who       text NOT NULL,
    what      text NOT NULL,
    subject   text NOT NULL DEFAULT '',
    reason    text NOT NULL DEFAULT '',
    details   jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, id)
);
