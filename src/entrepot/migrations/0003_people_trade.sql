-- People and their tokens; what orders cost; the paperwork of orders: price adjustments, sales returns.

-- Someone who works with the hub, here or through a partner's screens. id is small, because partners'
-- screens (createUser) read it as a JavaScript number.
CREATE TABLE person (
    tenant_id  bigint NOT NULL REFERENCES tenant,
    id         bigint NOT NULL,
    login      text NOT NULL,
    name       text NOT NULL,
    role       integer NOT NULL DEFAULT 0   -- 0: no say in paperwork; else see people.rules.Role
               CONSTRAINT person_role_known CHECK (role IN (0, 1, 2, 3, 4, 9)),
    active     boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT person_login_taken UNIQUE (tenant_id, login)
);

-- A token of a person (person_id) or of a program (scopes). Shown once, kept as its hash.
CREATE TABLE token (
    tenant_id  bigint NOT NULL REFERENCES tenant,
    id         bigint NOT NULL,
    person_id  bigint,
    name       text NOT NULL,
    scopes     text[] NOT NULL DEFAULT '{}',
    hash       bytea NOT NULL CONSTRAINT token_hash_is_sha256 CHECK (length(hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,         -- from then on it counts no more
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person,
    CONSTRAINT token_hash_taken UNIQUE (tenant_id, hash)
);
CREATE INDEX token_of_person ON token (tenant_id, person_id) WHERE person_id IS NOT NULL;

CREATE TABLE customer (
    tenant_id bigint NOT NULL REFERENCES tenant,
    id        bigint NOT NULL,
    name      text NOT NULL DEFAULT '',
    type      text NOT NULL DEFAULT '',     -- 客户类型: A, P, C, P2P
    parent    integer NOT NULL DEFAULT 0    -- 0 普通客户, 1 总店, 2 分店
              CONSTRAINT customer_parent_known CHECK (parent IN (0, 1, 2)),
    PRIMARY KEY (tenant_id, id)
);

-- What an order costs and what was paid; orders of partners who tell no prices have no row.
-- paid and refunded are the sums of the order's entries of these kinds.
CREATE TABLE order_money (
    tenant_id   bigint NOT NULL,
    order_id    bigint NOT NULL,
    customer_id bigint NOT NULL,
    discount    numeric(30,4) NOT NULL DEFAULT 0    -- 活动
                CONSTRAINT order_money_discount_not_negative CHECK (discount >= 0),
    rebate      numeric(30,4) NOT NULL DEFAULT 0    -- 返利券
                CONSTRAINT order_money_rebate_not_negative CHECK (rebate >= 0),
    freight     numeric(30,4) NOT NULL DEFAULT 0
                CONSTRAINT order_money_freight_not_negative CHECK (freight >= 0),
    paid        numeric(30,4) NOT NULL DEFAULT 0,
    refunded    numeric(30,4) NOT NULL DEFAULT 0
                CONSTRAINT order_money_refunded_not_negative CHECK (refunded >= 0),
    PRIMARY KEY (tenant_id, order_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES sales_order,
    CONSTRAINT order_money_never_refunded_more_than_paid CHECK (refunded <= paid)
);

-- What pieces of an order's line cost. A line has one row until an adjustment splits it.
CREATE TABLE order_price (
    tenant_id  bigint NOT NULL,
    order_id   bigint NOT NULL,
    part       integer NOT NULL,
    article_id bigint NOT NULL,
    product_id bigint NOT NULL,     -- 产品ID and 规格ID, as the screens name the goods
    unit_id    bigint NOT NULL,
    qty        bigint NOT NULL CONSTRAINT order_price_qty_positive CHECK (qty > 0),
    price      numeric(19,4) NOT NULL CONSTRAINT order_price_not_negative CHECK (price >= 0),
    gift       integer NOT NULL DEFAULT 0   -- 0 no, 1 申请的赠品, 2 活动赠品
               CONSTRAINT order_price_gift_known CHECK (gift IN (0, 1, 2)),
    PRIMARY KEY (tenant_id, order_id, part),
    FOREIGN KEY (tenant_id, order_id) REFERENCES order_money,
    FOREIGN KEY (tenant_id, article_id) REFERENCES article
);

-- Append-only: the money of an order.
CREATE TABLE money_entry (
    tenant_id bigint NOT NULL,
    order_id  bigint NOT NULL,
    id        bigint NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    kind      text NOT NULL
              CONSTRAINT money_entry_kind_known
              CHECK (kind IN ('paid', 'discounted', 'adjusted', 'refunded')),
    amount    numeric(30,4) NOT NULL,
    document  text NOT NULL DEFAULT '',
    serial    text NOT NULL DEFAULT '',     -- 退款流水号
    who       text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, order_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES order_money
);

-- Numbers given out, one row per kind of paper. The day never goes back, so that no number comes twice.
CREATE TABLE paper_numbering (
    tenant_id bigint NOT NULL REFERENCES tenant,
    kind      text NOT NULL,
    day       date NOT NULL,
    of_day    bigint NOT NULL,
    ever      bigint NOT NULL,              -- the last id: they are dense, from 1
    longest   integer NOT NULL DEFAULT 0,   -- characters of the longest order number
    PRIMARY KEY (tenant_id, kind)
);

-- The head of what people file about an order: adjustments (AP), returns (SR).
CREATE TABLE paper (
    tenant_id    bigint NOT NULL REFERENCES tenant,
    kind         text NOT NULL,
    id           bigint NOT NULL,
    number       text NOT NULL,
    variant      text NOT NULL DEFAULT '',  -- AP: BEFORE or AFTER
    state        text NOT NULL,
    deleted      boolean NOT NULL DEFAULT false,
    order_id     bigint NOT NULL,
    order_number text NOT NULL,
    customer_id  bigint NOT NULL,
    platform_id  bigint NOT NULL DEFAULT 1,
    remark       text NOT NULL DEFAULT '',
    creator      bigint NOT NULL,
    creator_name text NOT NULL,
    creator_role integer NOT NULL,
    created_at   timestamptz NOT NULL,
    modified_at  timestamptz,
    run_at       timestamptz,
    passed_at    timestamptz,
    refused_at   timestamptz,
    received_at  timestamptz,
    completed_at timestamptz,
    PRIMARY KEY (tenant_id, kind, id),
    CONSTRAINT paper_number_taken UNIQUE (tenant_id, kind, number)
) WITH (fillfactor = 85);
CREATE INDEX paper_of_order ON paper (tenant_id, order_id, kind);
CREATE INDEX paper_of_customer ON paper (tenant_id, kind, customer_id, id);

-- Append-only; outlives the paper's deletion.
CREATE TABLE paper_log (
    tenant_id bigint NOT NULL,
    kind      text NOT NULL,
    paper_id  bigint NOT NULL,
    step      integer NOT NULL,     -- 1, 2, 3 …
    at        timestamptz NOT NULL,
    who       bigint NOT NULL,
    who_name  text NOT NULL,
    who_role  integer NOT NULL,
    before    text NOT NULL,        -- the states around the step
    after     text NOT NULL,
    what      text NOT NULL,
    PRIMARY KEY (tenant_id, kind, paper_id, step),
    FOREIGN KEY (tenant_id, kind, paper_id) REFERENCES paper
);

-- Which papers of a block of 16384 ids (bit = id modulo 16384) are in a state, or have a character at
-- a place of their number: any filter is a few ANDs, and its true count a bit_count. See papers.pages.
CREATE TABLE paper_bits (
    tenant_id bigint NOT NULL REFERENCES tenant,
    kind      text NOT NULL,
    key       text NOT NULL,        -- state/AFTER/RUN, number/0/A, order/13/7
    block     integer NOT NULL,
    bits      bit(16384),           -- NULL: every paper of the block
    PRIMARY KEY (tenant_id, kind, key, block)
) WITH (fillfactor = 60);
ALTER TABLE paper_bits ALTER COLUMN bits SET STORAGE PLAIN;    -- 2 KB: in the row, never compressed

CREATE TABLE adjustment_line (
    tenant_id  bigint NOT NULL,
    paper_id   bigint NOT NULL,
    line       integer NOT NULL,
    article_id bigint NOT NULL,
    product_id bigint NOT NULL,
    unit_id    bigint NOT NULL,
    qty        bigint NOT NULL CONSTRAINT adjustment_line_qty_positive CHECK (qty > 0),
    price      numeric(19,4) NOT NULL,      -- the order's when it was filed
    ask        numeric(19,4) NOT NULL CONSTRAINT adjustment_line_ask_not_negative CHECK (ask >= 0),
    PRIMARY KEY (tenant_id, paper_id, line)
);

CREATE TABLE sales_return (
    tenant_id    bigint NOT NULL,
    paper_id     bigint NOT NULL,
    location_id  bigint NOT NULL,
    depot_id     bigint NOT NULL,           -- as the screens name the location
    with_freight boolean NOT NULL,          -- isFreight
    price        numeric(30,4) NOT NULL,
    discount     numeric(30,4) NOT NULL,
    freight      numeric(30,4) NOT NULL,
    total        numeric(30,4) NOT NULL CONSTRAINT sales_return_total_not_negative CHECK (total >= 0),
    freight_used boolean NOT NULL,          -- it refunds or deducts the order's freight
    cases        bigint NOT NULL,           -- 件
    loose        bigint NOT NULL,           -- 散
    PRIMARY KEY (tenant_id, paper_id),
    FOREIGN KEY (tenant_id, location_id) REFERENCES location
);

CREATE TABLE sales_return_line (
    tenant_id  bigint NOT NULL,
    paper_id   bigint NOT NULL,
    line       integer NOT NULL,
    article_id bigint NOT NULL,
    product_id bigint NOT NULL,
    unit_id    bigint NOT NULL,
    qty        bigint NOT NULL CONSTRAINT sales_return_line_qty_positive CHECK (qty > 0),
    old_price  numeric(19,4) NOT NULL,      -- the order's
    price      numeric(19,4) NOT NULL CONSTRAINT sales_return_line_price_not_negative CHECK (price >= 0),
    gift       integer NOT NULL,
    PRIMARY KEY (tenant_id, paper_id, line)
);
