-- What a connection's twin needs to begin with, read from its tenant as the texts that imports take.

-- name: hold
-- A twin's tenant is brought up to date by one at a time.
SELECT FROM tenant WHERE tenant_id = $1 FOR NO KEY UPDATE;

-- name: locations
-- Every location, as an outlet; who serves it is settled in the twin.
SELECT code, name, province, city, CASE WHEN connection_id = $2 THEN $3::text ELSE '-' END AS connection,
       CASE WHEN ships THEN 'on' ELSE 'off' END AS ships, CASE WHEN paused THEN 'on' ELSE 'off' END AS paused,
       priority::text, coalesce(daily_capacity::text, '') AS daily_capacity,
       array_to_string(groups, ' ') AS groups
FROM location WHERE tenant_id = $1 ORDER BY code;

-- name: articles
-- Single articles, the newest first up to $2 of them.
SELECT sku, coalesce(style_no, '') AS style_no, name, pic_url, unit, retail_price::text
FROM article WHERE tenant_id = $1 AND kind = 'single' ORDER BY id DESC LIMIT $2;

-- name: stock
-- What lies where, of the articles given.
SELECT a.sku, l.code, s.on_hand::text, s.weight::text, s.safety::text
FROM stock s
JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE s.tenant_id = $1 AND a.sku = ANY ($2::text[])
ORDER BY 1, 2;

-- name: listings
-- What this connection calls them.
SELECT $3::text AS connection, l.type, l.key, a.sku
FROM listing l JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE l.tenant_id = $1 AND l.connection_id = $2 AND a.sku = ANY ($4::text[])
ORDER BY l.type, l.key;

-- name: details
-- What some partner knows of these articles and no rule needs.
SELECT sku, details::text FROM article
WHERE tenant_id = $1 AND sku = ANY ($2::text[]) AND details <> '{}';

-- name: save_details
UPDATE article a SET details = d.details, changed_at = now()
FROM unnest($2::text[], $3::jsonb[]) AS d (sku, details)
WHERE a.tenant_id = $1 AND a.sku = d.sku AND a.details <> d.details;

-- name: labels
SELECT name FROM goods_label WHERE tenant_id = $1 ORDER BY name;

-- name: suites
-- One row a part, of the newest suites up to $2 whose parts are all among the articles given.
WITH whole AS (
    SELECT s.article_id FROM suite s
    WHERE s.tenant_id = $1 AND NOT EXISTS (
        SELECT FROM suite_part sp JOIN article p ON p.tenant_id = $1 AND p.id = sp.part_id
        WHERE sp.tenant_id = $1 AND sp.suite_id = s.article_id AND p.sku <> ALL ($3::text[]))
    ORDER BY s.article_id DESC LIMIT $2
)
SELECT a.sku, a.name, a.unit, s.class_name, s.brand_name, s.aux_unit, s.short_name, s.barcode, s.remark, s.label,
       s.print_mode::text, s.large_type::text, trim_scale(s.weight)::text AS weight,
       trim_scale(s.retail_price)::text AS retail_price, trim_scale(s.wholesale_price)::text AS wholesale_price,
       trim_scale(s.member_price)::text AS member_price, trim_scale(s.market_price)::text AS market_price,
       coalesce(s.props ->> 0, '') AS prop1, coalesce(s.props ->> 1, '') AS prop2,
       coalesce(s.props ->> 2, '') AS prop3, coalesce(s.props ->> 3, '') AS prop4,
       coalesce(s.props ->> 4, '') AS prop5, coalesce(s.props ->> 5, '') AS prop6,
       p.sku AS part, trim_scale(sp.num)::text AS num,
       CASE WHEN sp.is_fixed_price THEN 'on' ELSE 'off' END AS is_fixed_price,
       trim_scale(sp.fixed_price)::text AS fixed_price, trim_scale(sp.ratio)::text AS ratio
FROM whole w
JOIN suite s ON s.tenant_id = $1 AND s.article_id = w.article_id
JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id
JOIN suite_part sp ON sp.tenant_id = $1 AND sp.suite_id = a.id
JOIN article p ON p.tenant_id = $1 AND p.id = sp.part_id
ORDER BY a.sku, sp.position;

-- name: pieces
-- Those of these articles that are in stock, up to $2.
SELECT p.code, a.sku, l.code AS location
FROM article a
JOIN piece p ON p.tenant_id = $1 AND p.article_id = a.id AND p.state = 'in_stock'
JOIN location l ON l.tenant_id = $1 AND l.id = p.location_id
WHERE a.tenant_id = $1 AND a.sku = ANY ($3::text[])
ORDER BY p.code LIMIT $2;
