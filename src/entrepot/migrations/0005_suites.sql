-- Suites (组合装), and what single articles need to be their parts: goods, labels, prices, small numbers.

-- The last small integer given out; partners keep the ids we answer in 32 bits.
CREATE TABLE counter (
    tenant_id bigint NOT NULL REFERENCES tenant,
    kind      text NOT NULL,
    last      integer NOT NULL,
    PRIMARY KEY (tenant_id, kind)
);

ALTER TABLE article
    ADD COLUMN number       integer,    -- small id, for partners; given when the article is made
    ADD COLUMN retail_price numeric(19,4) NOT NULL DEFAULT 0
               CONSTRAINT article_retail_price_not_negative CHECK (retail_price >= 0);
UPDATE article a SET number = n.number
FROM (SELECT tenant_id, id, row_number() OVER (PARTITION BY tenant_id ORDER BY id) AS number FROM article) n
WHERE a.tenant_id = n.tenant_id AND a.id = n.id;
INSERT INTO counter (tenant_id, kind, last)
SELECT tenant_id, 'article', count(*) FROM article GROUP BY tenant_id;
CREATE UNIQUE INDEX article_number_taken ON article (tenant_id, number);

-- When a balance last changed, for partners who ask what changed since.
ALTER TABLE stock ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();

-- 货品: what single articles (单品, its specs) are variants of.
CREATE TABLE goods (
    tenant_id  bigint NOT NULL REFERENCES tenant,
    id         integer NOT NULL,
    goods_no   text NOT NULL,
    name       text NOT NULL,
    class_name text NOT NULL DEFAULT '',
    brand_name text NOT NULL DEFAULT '',
    unit       text NOT NULL DEFAULT '',
    details    jsonb NOT NULL DEFAULT '{}',   -- what the partner said besides, to be passed on
    digest     bytea NOT NULL,                -- of the goods and its specs as last saved
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT goods_no_taken UNIQUE (tenant_id, goods_no)
);

CREATE TABLE spec (
    tenant_id  bigint NOT NULL,
    article_id bigint NOT NULL,
    goods_id   integer NOT NULL,
    name       text NOT NULL DEFAULT '',
    code       text NOT NULL DEFAULT '',
    barcode    text NOT NULL DEFAULT '',
    weight     numeric(19,4) NOT NULL DEFAULT 0,
    details    jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, article_id),
    FOREIGN KEY (tenant_id, article_id) REFERENCES article,
    FOREIGN KEY (tenant_id, goods_id) REFERENCES goods
);
CREATE INDEX spec_of_goods ON spec (tenant_id, goods_id);

-- 货品标签: the labels a suite may bear.
CREATE TABLE goods_label (
    tenant_id bigint NOT NULL REFERENCES tenant,
    name      text NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

-- The head of an article of kind 'suite'; its name and unit are the article's.
CREATE TABLE suite (
    tenant_id       bigint NOT NULL,
    article_id      bigint NOT NULL,
    class_name      text NOT NULL,
    brand_name      text NOT NULL,
    aux_unit        text NOT NULL,
    short_name      text NOT NULL,
    barcode         text NOT NULL,
    props           jsonb NOT NULL,         -- 自定义属性1–6
    remark          text NOT NULL,
    label           text NOT NULL,
    print_mode      smallint NOT NULL       -- 0 parts, 1 suite and parts, 2 suite
                    CONSTRAINT suite_print_mode_known CHECK (print_mode BETWEEN 0 AND 2),
    large_type      smallint NOT NULL       -- 0 not bulky, 1 bulky, 2 bulky and sent alone
                    CONSTRAINT suite_large_type_known CHECK (large_type BETWEEN 0 AND 2),
    weight          numeric(19,4) NOT NULL,
    retail_price    numeric(19,4) NOT NULL,
    wholesale_price numeric(19,4) NOT NULL,
    member_price    numeric(19,4) NOT NULL,
    market_price    numeric(19,4) NOT NULL,
    digest          bytea NOT NULL,         -- of head and parts as last saved
    created_at      timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, article_id),
    FOREIGN KEY (tenant_id, article_id) REFERENCES article,
    CONSTRAINT suite_label_is_printed CHECK (label = '' OR print_mode > 0)
);
CREATE INDEX suite_by_change ON suite (tenant_id, changed_at);

CREATE TABLE suite_part (
    tenant_id      bigint NOT NULL,
    suite_id       bigint NOT NULL,
    part_id        bigint NOT NULL,
    position       integer NOT NULL,
    num            numeric(19,4) NOT NULL CONSTRAINT suite_part_num_positive CHECK (num > 0),
    is_fixed_price boolean NOT NULL,
    fixed_price    numeric(19,4) NOT NULL,  -- −1: the part's retail price
    ratio          numeric(19,4) NOT NULL,  -- −1: by amount (num × retail price)
    PRIMARY KEY (tenant_id, suite_id, part_id),
    FOREIGN KEY (tenant_id, suite_id) REFERENCES suite,
    FOREIGN KEY (tenant_id, part_id) REFERENCES article
);
CREATE INDEX suite_part_of ON suite_part (tenant_id, part_id, suite_id);
