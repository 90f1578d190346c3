-- name: by_style
SELECT a.style_no AS name, a.id FROM unnest($2::text[]) AS wanted (name)
JOIN article a ON a.tenant_id = $1 AND a.style_no = wanted.name;

-- name: lying_by_style
-- With the one place where an article lies, or has lain; null where there is none, or a choice.
SELECT a.style_no AS name, a.id, a.kind,
       (SELECT CASE WHEN count(*) = 1 THEN min(s.location_id) END
        FROM stock s WHERE s.tenant_id = $1 AND s.article_id = a.id) AS place
FROM unnest($2::text[]) AS wanted (name)
JOIN article a ON a.tenant_id = $1 AND a.style_no = wanted.name;

-- name: lying_by_sku
SELECT a.sku AS name, a.id, a.kind,
       (SELECT CASE WHEN count(*) = 1 THEN min(s.location_id) END
        FROM stock s WHERE s.tenant_id = $1 AND s.article_id = a.id) AS place
FROM unnest($2::text[]) AS wanted (name)
JOIN article a ON a.tenant_id = $1 AND a.sku = wanted.name;

-- name: by_sku
SELECT a.sku AS name, a.id FROM unnest($2::text[]) AS wanted (name)
JOIN article a ON a.tenant_id = $1 AND a.sku = wanted.name;

-- name: add_articles
-- Create or update by SKU; the caller has made them unique and numbers those it found new. Returns what
-- is new or changed.
INSERT INTO article AS a (tenant_id, id, sku, style_no, name, pic_url, unit, details, number)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::jsonb[], $9::int[])
ON CONFLICT (tenant_id, sku) DO UPDATE
SET style_no = excluded.style_no, name = excluded.name, pic_url = excluded.pic_url,
    unit = excluded.unit, details = excluded.details, changed_at = now()
WHERE (a.style_no, a.name, a.pic_url, a.unit, a.details)
    IS DISTINCT FROM (excluded.style_no, excluded.name, excluded.pic_url, excluded.unit, excluded.details)
RETURNING id;

-- name: set_prices
UPDATE article a SET retail_price = p.price, changed_at = now()
FROM unnest($2::text[], $3::numeric[]) AS p (sku, price)
WHERE a.tenant_id = $1 AND a.sku = p.sku AND a.retail_price <> p.price
RETURNING a.id;

-- name: count_on
-- Take the next small numbers of a kind; returns the last of them. Numbers of a failed transaction come again.
INSERT INTO counter AS c (tenant_id, kind, last) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, kind) DO UPDATE SET last = c.last + excluded.last
RETURNING last;

-- name: add_listings
INSERT INTO listing (tenant_id, connection_id, id, type, key, article_id)
SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
ON CONFLICT (tenant_id, connection_id, type, key) DO UPDATE SET article_id = excluded.article_id;

-- name: mark_listed
INSERT INTO stock_change (tenant_id, id, article_id) VALUES ($1, $2, $3);

-- name: styles
-- Articles by style number, with what lies at these locations (null: anywhere) of each, and what is available
-- of it. ruled: the connection has publishing rules, so that availability is not yet what it may sell.
-- The subquery hides how many are asked for: known, it would have each statement planned anew, which costs
-- more than to find one style.
SELECT a.id, a.style_no, a.pic_url, a.kind, coalesce(s.on_hand, 0) AS on_hand,
       coalesce(s.weight, 0) AS weight, coalesce(s.pieces, 0) AS pieces,
       EXISTS (SELECT FROM publish_rule r
               WHERE r.tenant_id = $1 AND (r.connection_id IS NULL OR r.connection_id = $4)) AS ruled
FROM article a
LEFT JOIN LATERAL (
    SELECT sum(s.on_hand)::bigint AS on_hand, sum(s.weight) AS weight,
           sum(s.on_hand - s.reserved - s.safety)::bigint AS pieces
    FROM stock s
    WHERE s.tenant_id = $1 AND s.article_id = a.id
      AND ($3::text[] IS NULL
           OR s.location_id IN (SELECT id FROM location WHERE tenant_id = $1 AND code = ANY($3)))
) s ON true
WHERE a.tenant_id = $1 AND a.style_no = ANY ((SELECT $2::text[])::text[]);

-- name: next_styles
-- The same, a page of all of them by style number.
SELECT a.id, a.style_no, a.pic_url, a.kind, coalesce(s.on_hand, 0) AS on_hand,
       coalesce(s.weight, 0) AS weight, coalesce(s.pieces, 0) AS pieces,
       EXISTS (SELECT FROM publish_rule r
               WHERE r.tenant_id = $1 AND (r.connection_id IS NULL OR r.connection_id = $4)) AS ruled
FROM (
    SELECT id, style_no, pic_url, kind FROM article
    WHERE tenant_id = $1 AND style_no > $2
    ORDER BY style_no
    LIMIT $5
) a
LEFT JOIN LATERAL (
    SELECT sum(s.on_hand)::bigint AS on_hand, sum(s.weight) AS weight,
           sum(s.on_hand - s.reserved - s.safety)::bigint AS pieces
    FROM stock s
    WHERE s.tenant_id = $1 AND s.article_id = a.id
      AND ($3::text[] IS NULL
           OR s.location_id IN (SELECT id FROM location WHERE tenant_id = $1 AND code = ANY($3)))
) s ON true
ORDER BY a.style_no;

-- name: by_listing
-- Article ids by what a connection calls them.
SELECT l.type, l.key, l.article_id
FROM unnest($3::text[], $4::text[]) AS w (type, key)
JOIN listing l ON l.tenant_id = $1 AND l.connection_id = $2 AND l.type = w.type AND l.key = w.key;

-- name: known
-- Articles as suites and goods ask for them.
SELECT a.sku, a.id, a.kind, a.number, s.digest, g.goods_no
FROM article a
LEFT JOIN suite s ON s.tenant_id = $1 AND s.article_id = a.id
LEFT JOIN spec p ON p.tenant_id = $1 AND p.article_id = a.id
LEFT JOIN goods g ON g.tenant_id = $1 AND g.id = p.goods_id
WHERE a.tenant_id = $1 AND a.sku = ANY($2::text[]);

-- name: labels
SELECT name FROM goods_label WHERE tenant_id = $1 ORDER BY name;

-- name: add_labels
INSERT INTO goods_label (tenant_id, name) SELECT $1, * FROM unnest($2::text[]) ON CONFLICT DO NOTHING;

-- name: lock_suites
-- Make or change the articles of suites, and so lock them in order; a single article is left alone.
INSERT INTO article AS a (tenant_id, id, sku, name, unit, kind, number)
SELECT $1, n.id, n.sku, n.name, n.unit, 'suite', n.number
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::int[]) AS n (id, sku, name, unit, number)
ORDER BY n.sku
ON CONFLICT (tenant_id, sku) DO UPDATE
SET name = excluded.name, unit = excluded.unit, changed_at = now()
WHERE a.kind = 'suite'
RETURNING sku, id, number;

-- name: save_suites
-- Heads and parts as a whole: what is not given is gone. Their articles are locked. Returns the parts new
-- to their suite.
WITH head AS (
    INSERT INTO suite AS s (tenant_id, article_id, class_name, brand_name, aux_unit, short_name, barcode,
        props, remark, label, print_mode, large_type, weight, retail_price, wholesale_price, member_price,
        market_price, digest)
    SELECT $1, n.article_id, n.class_name, n.brand_name, n.aux_unit, n.short_name, n.barcode,
        n.props, n.remark, n.label, n.print_mode, n.large_type, n.weight, n.retail_price,
        n.wholesale_price, n.member_price, n.market_price, decode(n.digest, 'hex')
    FROM jsonb_to_recordset($2::jsonb) AS n (article_id bigint, class_name text, brand_name text,
        aux_unit text, short_name text, barcode text, props jsonb, remark text, label text,
        print_mode smallint, large_type smallint, weight numeric, retail_price numeric,
        wholesale_price numeric, member_price numeric, market_price numeric, digest text)
    ON CONFLICT (tenant_id, article_id) DO UPDATE
    SET class_name = excluded.class_name, brand_name = excluded.brand_name, aux_unit = excluded.aux_unit,
        short_name = excluded.short_name, barcode = excluded.barcode, props = excluded.props,
        remark = excluded.remark, label = excluded.label, print_mode = excluded.print_mode,
        large_type = excluded.large_type, weight = excluded.weight, retail_price = excluded.retail_price,
        wholesale_price = excluded.wholesale_price, member_price = excluded.member_price,
        market_price = excluded.market_price, digest = excluded.digest, changed_at = now()
), part AS (
    SELECT * FROM unnest($3::bigint[], $4::bigint[], $5::int[], $6::numeric[], $7::boolean[], $8::numeric[],
                         $9::numeric[])
        AS p (suite_id, part_id, position, num, is_fixed_price, fixed_price, ratio)
), gone AS (
    DELETE FROM suite_part o
    WHERE o.tenant_id = $1 AND o.suite_id = ANY($3::bigint[])
      AND NOT EXISTS (SELECT FROM part p WHERE p.suite_id = o.suite_id AND p.part_id = o.part_id)
), marked AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT $1, * FROM unnest($10::bigint[], $11::bigint[])
)
INSERT INTO suite_part (tenant_id, suite_id, part_id, position, num, is_fixed_price, fixed_price, ratio)
SELECT $1, * FROM part
ON CONFLICT (tenant_id, suite_id, part_id) DO UPDATE
SET position = excluded.position, num = excluded.num, is_fixed_price = excluded.is_fixed_price,
    fixed_price = excluded.fixed_price, ratio = excluded.ratio
RETURNING suite_id, part_id, xmax = 0 AS added;

-- name: parts
-- The parts of these suites, in their order.
SELECT suite_id, part_id, num FROM suite_part
WHERE tenant_id = $1 AND suite_id = ANY($2::bigint[])
ORDER BY suite_id, position;

-- name: suites_of
-- The suites that contain any of these articles.
SELECT DISTINCT suite_id AS id FROM suite_part
WHERE tenant_id = $1 AND part_id = ANY($2::bigint[])
ORDER BY suite_id;

-- name: find_suites
-- A page of suites by what is asked (nulls do not ask), in the order in which they changed; an empty page
-- still tells how many there are.
WITH hit AS MATERIALIZED (
    SELECT a.id, s.changed_at
    FROM article a JOIN suite s ON s.tenant_id = $1 AND s.article_id = a.id
    WHERE a.tenant_id = $1
      AND ($2::text IS NULL OR a.sku = $2)
      AND ($3::text IS NULL OR a.name = $3)
      AND ($4::text IS NULL OR s.class_name = $4)
      AND ($5::text IS NULL OR s.brand_name = $5)
      AND ($6::text IS NULL OR s.barcode = $6)
      AND ($7::text IS NULL OR a.id IN (
          SELECT p.suite_id FROM article i
          JOIN suite_part p ON p.tenant_id = $1 AND p.part_id = i.id
          WHERE i.tenant_id = $1 AND i.sku = $7))
      AND ($8::text IS NULL OR a.id IN (
          SELECT p.suite_id FROM goods g JOIN spec i ON i.tenant_id = $1 AND i.goods_id = g.id
          JOIN suite_part p ON p.tenant_id = $1 AND p.part_id = i.article_id
          WHERE g.tenant_id = $1 AND g.goods_no = $8))
      AND ($9::timestamptz IS NULL OR s.changed_at >= $9)
      AND ($10::timestamptz IS NULL OR s.changed_at <= $10)
), page AS (
    SELECT id, changed_at FROM hit ORDER BY changed_at, id LIMIT $11 OFFSET $12
)
SELECT page.id, (SELECT count(*) FROM hit) AS total
FROM (VALUES (1)) AS always (one) LEFT JOIN page ON true
ORDER BY page.changed_at, page.id;

-- name: show_suites
SELECT a.id, a.sku, a.name, a.unit, a.number, s.*
FROM article a JOIN suite s ON s.tenant_id = $1 AND s.article_id = a.id
WHERE a.tenant_id = $1 AND a.id = ANY($2::bigint[]);

-- name: show_parts
-- The parts of suites with all that is known of them, in their order.
SELECT p.suite_id, p.part_id, a.sku, a.name AS article_name, a.number, a.unit, a.retail_price, p.num,
       p.is_fixed_price, p.fixed_price, p.ratio, i.name, i.code, i.barcode, g.id AS goods_id, g.goods_no,
       g.name AS goods_name
FROM suite_part p
JOIN article a ON a.tenant_id = $1 AND a.id = p.part_id
LEFT JOIN spec i ON i.tenant_id = $1 AND i.article_id = p.part_id
LEFT JOIN goods g ON g.tenant_id = $1 AND g.id = i.goods_id
WHERE p.tenant_id = $1 AND p.suite_id = ANY($2::bigint[])
ORDER BY p.suite_id, p.position;

-- name: suite_weights
-- What one of each suite weighs: its parts' weight per piece at these locations (null: anywhere) × num.
SELECT p.suite_id, sum(p.num * s.weight / s.on_hand) AS weight
FROM suite_part p
JOIN LATERAL (
    SELECT sum(s.on_hand) AS on_hand, sum(s.weight) AS weight
    FROM stock s
    WHERE s.tenant_id = $1 AND s.article_id = p.part_id
      AND ($3::text[] IS NULL
           OR s.location_id IN (SELECT id FROM location WHERE tenant_id = $1 AND code = ANY($3)))
) s ON s.on_hand > 0
WHERE p.tenant_id = $1 AND p.suite_id = ANY($2::bigint[])
GROUP BY p.suite_id;

-- name: suite_stock
-- What each part of a suite has available, net, over the locations with these codes (null: all).
SELECT a.sku, p.num, coalesce(sum(t.on_hand - t.reserved - t.safety), 0)::bigint AS available
FROM suite_part p
JOIN article a ON a.tenant_id = $1 AND a.id = p.part_id
LEFT JOIN (stock t JOIN location l ON l.tenant_id = $1 AND l.id = t.location_id
                                  AND ($3::text[] IS NULL OR l.code = ANY($3)))
    ON t.tenant_id = $1 AND t.article_id = p.part_id
WHERE p.tenant_id = $1 AND p.suite_id = $2
GROUP BY a.sku, p.num, p.position
ORDER BY p.position;

-- name: goods_digests
SELECT goods_no, id, digest FROM goods WHERE tenant_id = $1 AND goods_no = ANY($2::text[]);

-- name: lock_goods
-- Make or change goods, and so lock them in order. Returns their ids.
INSERT INTO goods AS g (tenant_id, id, goods_no, name, class_name, brand_name, unit, details, digest)
SELECT $1, n.id, n.goods_no, n.name, n.class_name, n.brand_name, n.unit, n.details, n.digest
FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::bytea[])
    AS n (id, goods_no, name, class_name, brand_name, unit, details, digest)
ORDER BY n.goods_no
ON CONFLICT (tenant_id, goods_no) DO UPDATE
SET name = excluded.name, class_name = excluded.class_name, brand_name = excluded.brand_name,
    unit = excluded.unit, details = excluded.details, digest = excluded.digest, changed_at = now()
RETURNING goods_no, id;

-- name: lock_specs
-- Make or change the articles that are specs; a suite is left alone. What other partners call them stays.
INSERT INTO article AS a (tenant_id, id, sku, name, pic_url, unit, number, retail_price)
SELECT $1, n.id, n.sku, n.name, n.pic_url, n.unit, n.number, n.retail_price
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::numeric[])
    AS n (id, sku, name, pic_url, unit, number, retail_price)
ORDER BY n.sku
ON CONFLICT (tenant_id, sku) DO UPDATE
SET name = excluded.name, pic_url = excluded.pic_url, unit = excluded.unit,
    retail_price = excluded.retail_price, changed_at = now()
WHERE a.kind = 'single'
RETURNING sku, id;

-- name: save_specs
INSERT INTO spec AS s (tenant_id, article_id, goods_id, name, code, barcode, weight, details)
SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::numeric[], $8::jsonb[])
ON CONFLICT (tenant_id, article_id) DO UPDATE
SET name = excluded.name, code = excluded.code, barcode = excluded.barcode, weight = excluded.weight,
    details = excluded.details
WHERE s.goods_id = excluded.goods_id
RETURNING article_id;

-- name: goods_of
-- The goods of these articles with all their specs; an article without goods is goods of its own.
WITH wanted AS (
    SELECT DISTINCT coalesce(i.goods_id, -1) AS goods_id, CASE WHEN i.goods_id IS NULL THEN a.id END AS alone
    FROM article a LEFT JOIN spec i ON i.tenant_id = $1 AND i.article_id = a.id
    WHERE a.tenant_id = $1 AND a.id = ANY($2::bigint[])
)
SELECT a.id, a.sku, a.pic_url, a.unit, a.retail_price, i.name, i.code, i.barcode, i.weight, i.details,
       g.goods_no, g.name AS goods_name, g.class_name, g.brand_name, g.unit AS goods_unit,
       g.details AS goods_details
FROM wanted w
JOIN goods g ON g.tenant_id = $1 AND g.id = w.goods_id
JOIN spec i ON i.tenant_id = $1 AND i.goods_id = g.id
JOIN article a ON a.tenant_id = $1 AND a.id = i.article_id
UNION ALL
SELECT a.id, a.sku, a.pic_url, a.unit, a.retail_price, '', '', '', 0, '{}',
       a.sku, CASE WHEN a.name = '' THEN a.sku ELSE a.name END, '', '', a.unit, '{}'
FROM wanted w JOIN article a ON a.tenant_id = $1 AND a.id = w.alone
ORDER BY goods_no, sku;

-- name: find_balances
-- A page of balances of single articles by what is asked (nulls do not ask), in the order in which they
-- changed; an empty page still tells how many there are.
WITH hit AS MATERIALIZED (
    SELECT s.article_id, s.location_id, s.changed_at, s.on_hand, s.reserved, s.safety
    FROM stock s
    WHERE s.tenant_id = $1
      AND ($2::text[] IS NULL OR s.article_id IN (
          SELECT a.id FROM article a WHERE a.tenant_id = $1 AND a.sku = ANY($2)))
      AND ($3::text IS NULL OR s.location_id IN (
          SELECT l.id FROM location l WHERE l.tenant_id = $1 AND l.code = $3))
      AND ($4::timestamptz IS NULL OR s.changed_at >= $4)
      AND ($5::timestamptz IS NULL OR s.changed_at <= $5)
), page AS (
    SELECT * FROM hit ORDER BY changed_at, article_id, location_id LIMIT $6 OFFSET $7
)
SELECT (SELECT count(*) FROM hit) AS total, a.sku, a.number, a.name AS article_name, a.pic_url, a.unit,
       i.name, i.code, i.barcode, i.weight, g.goods_no, g.name AS goods_name, g.brand_name,
       l.code AS location, l.name AS location_name,
       page.on_hand, page.reserved, page.safety, page.changed_at
FROM (VALUES (1)) AS always (one) LEFT JOIN page ON true
LEFT JOIN article a ON a.tenant_id = $1 AND a.id = page.article_id
LEFT JOIN location l ON l.tenant_id = $1 AND l.id = page.location_id
LEFT JOIN spec i ON i.tenant_id = $1 AND i.article_id = page.article_id
LEFT JOIN goods g ON g.tenant_id = $1 AND g.id = i.goods_id
ORDER BY page.changed_at, page.article_id, page.location_id;

-- name: add_styles
INSERT INTO article (tenant_id, id, sku, style_no, number)
SELECT $1, id, name, name, number FROM unnest($2::bigint[], $3::text[], $4::int[]) AS n (id, name, number)
ON CONFLICT (tenant_id, sku) DO UPDATE SET style_no = excluded.style_no WHERE article.style_no IS NULL;

-- name: sums
-- What may be sold of articles over the places of each; places 0 are all.
SELECT w.at, greatest(sum(s.on_hand - s.reserved - s.safety), 0)::bigint AS pieces
FROM unnest($2::text::int[], $3::text::bigint[], $4::text::int[]) AS w (at, article_id, places)
JOIN stock s ON s.tenant_id = $1 AND s.article_id = w.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
LEFT JOIN unnest($5::int[], $6::text[]) AS p (places, code) ON p.places = w.places AND p.code = l.code
WHERE w.places = 0 OR p.code IS NOT NULL
GROUP BY 1;

-- name: name_style
-- Gives articles the style numbers that partners call them by, where they have none; returns those that bear them now.
UPDATE article a SET style_no = n.style_no, changed_at = CASE WHEN a.style_no IS NULL THEN now() ELSE a.changed_at END
FROM unnest($2::text[], $3::text[]) AS n (sku, style_no)
WHERE a.tenant_id = $1 AND a.sku = n.sku AND (a.style_no IS NULL OR a.style_no = n.style_no)
RETURNING a.sku;

-- name: unlist
-- Takes a listing away, and with it what its partner is still to be told; returns the SKU it stood for.
WITH gone AS (
    DELETE FROM listing WHERE tenant_id = $1 AND connection_id = $2 AND type = $3 AND key = $4
    RETURNING id, article_id
), untold AS (
    DELETE FROM level v USING gone g WHERE v.tenant_id = $1 AND v.connection_id = $2 AND v.item = g.id
)
SELECT a.sku FROM gone g JOIN article a ON a.tenant_id = $1 AND a.id = g.article_id;
