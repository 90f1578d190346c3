-- Dispatch: orders that outlets ship. What outlets are, the notes they get, packages, pieces, returns.

-- How an order is fulfilled: whole, by us (an operator ships it); by outlets (dispatch notes); by the
-- partner it was pushed to (who tells us of every package).
ALTER TABLE sales_order ADD COLUMN fulfilment text NOT NULL DEFAULT 'whole'
    CONSTRAINT sales_order_fulfilment_known CHECK (fulfilment IN ('whole', 'outlets', 'partner'));

-- An outlet is a location that ships. The keys are what regions are compared by (dispatch/regions.py has
-- the same expression); a lower priority goes first.
ALTER TABLE location
    ADD COLUMN ships boolean NOT NULL DEFAULT false,
    ADD COLUMN paused boolean NOT NULL DEFAULT false,
    ADD COLUMN connection_id bigint,            -- the connection that serves it; null: our own people do
    ADD COLUMN priority integer NOT NULL DEFAULT 100,
    ADD COLUMN daily_capacity integer           -- notes a day; null: any number
        CONSTRAINT location_daily_capacity_not_negative CHECK (daily_capacity >= 0),
    ADD COLUMN groups text[] NOT NULL DEFAULT '{}',
    ADD COLUMN province_key text GENERATED ALWAYS AS (regexp_replace(btrim(province),
        '(?<=..)(维吾尔|壮族|回族|(土家族|苗族|藏族|羌族|彝族|布依族|侗族|哈尼族|傣族|白族|傈僳族|景颇族|朝鲜族|蒙古族?|哈萨克|柯尔克孜)+)?(特别行政区|自治区|自治州|地区|省|市|盟)$', '')) STORED,
    ADD COLUMN city_key text GENERATED ALWAYS AS (regexp_replace(btrim(city),
        '(?<=..)(维吾尔|壮族|回族|(土家族|苗族|藏族|羌族|彝族|布依族|侗族|哈尼族|傣族|白族|傈僳族|景颇族|朝鲜族|蒙古族?|哈萨克|柯尔克孜)+)?(特别行政区|自治区|自治州|地区|省|市|盟)$', '')) STORED;
CREATE INDEX location_of_region ON location (tenant_id, province_key) WHERE ships;
CREATE INDEX location_of_connection ON location (tenant_id, connection_id) WHERE connection_id IS NOT NULL;

-- An order that outlets ship, or the partner it was pushed to. Its lock is the order's row.
CREATE TABLE dispatch (
    tenant_id     bigint NOT NULL,
    order_id      bigint NOT NULL,
    shop_id       bigint,                     -- the ordering store, which ships none of it itself
    outlet_id     bigint,                     -- the only location that may ship it; null: any outlet
    purchase      text NOT NULL DEFAULT '',   -- the ordering store's receipt
    province      text NOT NULL DEFAULT '',   -- keys, see location
    city          text NOT NULL DEFAULT '',
    void_asked_at timestamptz,                -- the outlets were asked to give it up and not all have answered
    ended_at      timestamptz,                -- nothing more will be shipped, and the ordering side was told
    PRIMARY KEY (tenant_id, order_id)
);
CREATE INDEX dispatch_void_asked ON dispatch (tenant_id, void_asked_at) WHERE void_asked_at IS NOT NULL;

-- What is to be shipped: the order's lines by article, suites as their parts.
CREATE TABLE dispatch_goods (
    tenant_id  bigint NOT NULL,
    order_id   bigint NOT NULL,
    line       integer NOT NULL,
    article_id bigint NOT NULL,
    qty        bigint NOT NULL CONSTRAINT dispatch_goods_qty_positive CHECK (qty > 0),
    PRIMARY KEY (tenant_id, order_id, article_id)
);


-- What one outlet is to ship of one order. Its number is the partners' transferCode.
CREATE TABLE dispatch_note (
    tenant_id     bigint NOT NULL,
    id            bigint NOT NULL,
    order_id      bigint NOT NULL,
    number        text NOT NULL,
    location_id   bigint NOT NULL,
    connection_id bigint,                     -- as of the offer; null: our own people ship it
    state         text NOT NULL DEFAULT 'open'
                  CONSTRAINT dispatch_note_state_known CHECK (state IN ('open', 'done', 'refused', 'withdrawn', 'void')),
    round         integer NOT NULL,           -- how often these goods have been offered, this time included
    onward        text NOT NULL DEFAULT 'none'  -- what became of goods it did not ship
                  CONSTRAINT dispatch_note_onward_known CHECK (onward IN ('none', 'waiting', 'parked', 'sourced', 'lacking')),
    keeps         boolean NOT NULL DEFAULT false,  -- the outlet would not give it up: it says the goods have left
    offer_id      bigint,                     -- the delivery that tells the outlet
    recall_id     bigint,                     -- the delivery that asks the outlet to give it up, until that is answered
    why           text NOT NULL DEFAULT '',   -- why this outlet
    reason        text NOT NULL DEFAULT '',   -- why it was refused or withdrawn
    late_reason   text NOT NULL DEFAULT '',   -- the outlet's over24hReason
    created_at    timestamptz NOT NULL DEFAULT now(),
    told_at       timestamptz,
    answered_at   timestamptz,                -- first checkout, or the refusal
    silent_at     timestamptz,                -- shown to a person as silent
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT dispatch_note_number_taken UNIQUE (tenant_id, number)
);
CREATE INDEX dispatch_note_of_order ON dispatch_note (tenant_id, order_id);
CREATE INDEX dispatch_note_of_location ON dispatch_note (tenant_id, location_id, created_at);
CREATE INDEX dispatch_note_unanswered ON dispatch_note (tenant_id, told_at)
    WHERE state = 'open' AND answered_at IS NULL AND silent_at IS NULL;

CREATE TABLE dispatch_line (
    tenant_id  bigint NOT NULL,
    note_id    bigint NOT NULL,
    line       integer NOT NULL,
    article_id bigint NOT NULL,
    qty        bigint NOT NULL CONSTRAINT dispatch_line_qty_positive CHECK (qty > 0),
    shipped    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, note_id, article_id),
    CONSTRAINT dispatch_line_shipped_within CHECK (shipped BETWEEN 0 AND qty)
);

-- A parcel that left. earlier: the waybills it had before they were changed, oldest first.
CREATE TABLE package (
    tenant_id  bigint NOT NULL,
    id         bigint NOT NULL,
    order_id   bigint NOT NULL,
    note_id    bigint NOT NULL,
    express    text NOT NULL,
    waybill    text NOT NULL,
    earlier    text[] NOT NULL DEFAULT '{}',
    shipped_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX package_of_order ON package (tenant_id, order_id);
CREATE INDEX package_by_waybill ON package (tenant_id, waybill);

-- 件码: one physical piece. It is where its last receipt or check put it.
CREATE TABLE piece (
    tenant_id   bigint NOT NULL,
    code        text NOT NULL,
    article_id  bigint NOT NULL,
    location_id bigint NOT NULL,
    state       text NOT NULL DEFAULT 'in_stock'
                CONSTRAINT piece_state_known CHECK (state IN ('in_stock', 'shipped')),
    package_id  bigint,                       -- its last shipment
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, code)
);
CREATE INDEX piece_at ON piece (tenant_id, location_id, article_id) WHERE state = 'in_stock';

CREATE TABLE package_piece (
    tenant_id   bigint NOT NULL,
    package_id  bigint NOT NULL,
    code        text NOT NULL,
    article_id  bigint NOT NULL,
    returned_at timestamptz,
    PRIMARY KEY (tenant_id, package_id, code)
);
CREATE UNIQUE INDEX package_piece_shipped_once ON package_piece (tenant_id, code) WHERE returned_at IS NULL;

-- A piece that came back. The same outlet, waybill and code again is the same return.
CREATE TABLE piece_return (
    tenant_id   bigint NOT NULL,
    id          bigint NOT NULL,
    code        text NOT NULL,
    package_id  bigint NOT NULL,
    location_id bigint NOT NULL,
    express     text NOT NULL,
    waybill     text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT piece_return_taken UNIQUE (tenant_id, code, location_id, waybill)
);

-- What the partner who fulfils an order of ours told us of a parcel; pieces: [{"sku", "code"}].
CREATE TABLE told_package (
    tenant_id   bigint NOT NULL,
    id          bigint NOT NULL,
    order_id    bigint NOT NULL,
    note        text NOT NULL,
    outlet      text NOT NULL,
    outlet_name text NOT NULL,
    express     text NOT NULL,
    waybill     text NOT NULL,
    earlier     text[] NOT NULL DEFAULT '{}',
    pieces      jsonb NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX told_package_of_order ON told_package (tenant_id, order_id);
CREATE INDEX told_package_by_waybill ON told_package (tenant_id, waybill);
CREATE INDEX told_package_earlier ON told_package USING gin (earlier) WHERE earlier <> '{}';

-- What does not agree and a person should look at.
CREATE TABLE discrepancy (
    tenant_id  bigint NOT NULL,
    id         bigint NOT NULL,
    kind       text NOT NULL,                 -- silent, moved, found, store_void, unanswered …
    order_id   bigint,
    note_id    bigint,
    text       text NOT NULL,
    details    jsonb NOT NULL DEFAULT '{}',
    at         timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    settled_by text NOT NULL DEFAULT '',
    reason     text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX discrepancy_open ON discrepancy (tenant_id, id) WHERE settled_at IS NULL;
CREATE INDEX discrepancy_of_order ON discrepancy (tenant_id, order_id) WHERE order_id IS NOT NULL;

-- What a refusal with this text says of the outlet's stock: nothing of it is there, or what was asked
-- for cannot be sold. A text that is not listed says nothing.
CREATE TABLE refusal_reason (
    tenant_id     bigint NOT NULL,
    connection_id bigint NOT NULL,
    text          text NOT NULL,
    effect        text NOT NULL
                  CONSTRAINT refusal_reason_effect_known CHECK (effect IN ('unchanged', 'empty', 'unsellable')),
    PRIMARY KEY (tenant_id, connection_id, text)
);

-- How a tenant's outlets are chosen, in order; none: the default (dispatch/rules.py).
CREATE TABLE sourcing_rule (
    tenant_id bigint NOT NULL,
    position  integer NOT NULL,
    kind      text NOT NULL,
    settings  jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, position)
);

-- What becomes of some deliveries is told to the noun they came from, after they are settled: 0 not of this one · 1 yes, still to be told · 2 told.
ALTER TABLE delivery ADD COLUMN echo smallint NOT NULL DEFAULT 0
    CONSTRAINT delivery_echo_known CHECK (echo IN (0, 1, 2));
CREATE INDEX delivery_echoes ON delivery (tenant_id, id) WHERE echo = 1 AND settled_at IS NOT NULL;
