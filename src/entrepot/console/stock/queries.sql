-- name: page
-- Articles in the order of their SKU with their sums. $2 and $3 the SKU's span, $4 after this SKU, $5 limit.
WITH hits AS (
    SELECT id, sku, name, kind, unit FROM article
    WHERE tenant_id = $1 AND sku ~>=~ $2 AND sku ~<~ $3 AND sku ~>~ $4
    ORDER BY sku USING ~<~ LIMIT $5
)
SELECT h.id, h.sku, h.name, h.kind, h.unit, s.on_hand, s.reserved, s.safety, s.weight, s.places, s.changed_at
FROM hits h
LEFT JOIN LATERAL (
    SELECT sum(on_hand)::bigint AS on_hand, sum(reserved)::bigint AS reserved, sum(safety)::bigint AS safety,
           sum(weight) AS weight, count(*) AS places, max(changed_at) AS changed_at
    FROM stock WHERE tenant_id = $1 AND article_id = h.id
) s ON true
ORDER BY h.sku USING ~<~;

-- name: by_name
-- Articles whose name begins with $2 (up to $3), in the order of their name; no further pages.
WITH hits AS (
    SELECT id, sku, name, kind, unit FROM article
    WHERE tenant_id = $1 AND name <> '' AND name ~>=~ $2 AND name ~<~ $3
    ORDER BY name USING ~<~, id LIMIT $4
)
SELECT h.id, h.sku, h.name, h.kind, h.unit, s.on_hand, s.reserved, s.safety, s.weight, s.places, s.changed_at
FROM hits h
LEFT JOIN LATERAL (
    SELECT sum(on_hand)::bigint AS on_hand, sum(reserved)::bigint AS reserved, sum(safety)::bigint AS safety,
           sum(weight) AS weight, count(*) AS places, max(changed_at) AS changed_at
    FROM stock WHERE tenant_id = $1 AND article_id = h.id
) s ON true;

-- name: at_location
-- What lies at one location, by article. $2 location, $3 after this article, $4 limit.
SELECT a.id, a.sku, a.name, a.kind, a.unit, s.on_hand, s.reserved, s.safety, s.weight, 1 AS places, s.changed_at
FROM stock s JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id
WHERE s.tenant_id = $1 AND s.location_id = $2 AND s.article_id > $3
ORDER BY s.article_id LIMIT $4;

-- name: below_safety
-- Rows where less is available than is to be kept; only rows that have a safety stock are looked at.
SELECT a.id, a.sku, a.name, a.kind, a.unit, s.on_hand, s.reserved, s.safety, s.weight, 1 AS places, s.changed_at,
       l.code AS location
FROM stock s
JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE s.tenant_id = $1 AND s.safety > 0 AND s.on_hand - s.reserved < s.safety AND s.article_id > $2
ORDER BY s.article_id LIMIT $3;

-- name: locations
SELECT id, code, name FROM location WHERE tenant_id = $1 ORDER BY code LIMIT 500;

-- name: article
SELECT id, sku, style_no, name, unit, kind, pic_url, details, created_at FROM article WHERE tenant_id = $1 AND id = $2;

-- name: places
SELECT l.id, l.code, l.name, s.on_hand, s.reserved, s.safety, s.weight, s.changed_at
FROM stock s JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE s.tenant_id = $1 AND s.article_id = $2
ORDER BY l.code;

-- name: promised
-- Open reservations of an article with the orders that hold them.
SELECT r.id, r.qty, r.created_at, l.code AS location, r.document_id, o.number
FROM reservation r
JOIN location l ON l.tenant_id = $1 AND l.id = r.location_id
LEFT JOIN sales_order o ON o.tenant_id = $1 AND o.id = r.document_id
WHERE r.tenant_id = $1 AND r.article_id = $2 AND r.state = 'open'
LIMIT 20;

-- name: listed
-- The connections that sell an article, and what each was last told of it.
SELECT c.id, c.name, li.type, li.key, v.told, v.told_at, v.dirty_since, v.trouble
FROM listing li
JOIN connection c ON c.tenant_id = $1 AND c.id = li.connection_id
LEFT JOIN level v ON v.tenant_id = $1 AND v.connection_id = li.connection_id AND v.item = li.id
WHERE li.tenant_id = $1 AND li.article_id = $2
ORDER BY c.name LIMIT 50;

-- name: told
-- What a connection that sells by style was last told of an article.
SELECT told, told_at, dirty_since, trouble FROM level
WHERE tenant_id = $1 AND connection_id = $2 AND item = $3;

-- name: movements
-- Newest first. $2 article, $3 location, $4 number; $5 and $6 before, $7 and $8 days, $9 limit, $10 kind.
WITH hits AS (
    (SELECT at, id FROM movement
     WHERE tenant_id = $1 AND $2::bigint IS NULL AND $4::text IS NULL AND at >= $7 AND at < $8
       AND ($10::text IS NULL OR kind = $10) AND ($5::timestamptz IS NULL OR (at, id) < ($5, $6::bigint))
     ORDER BY at DESC, id DESC LIMIT $9)
    UNION ALL
    SELECT m.at, m.id
    FROM (SELECT location_id FROM stock
          WHERE tenant_id = $1 AND article_id = $2 AND ($3::bigint IS NULL OR location_id = $3)) p
    CROSS JOIN LATERAL (
        SELECT at, id FROM movement
        WHERE tenant_id = $1 AND article_id = $2 AND location_id = p.location_id AND at >= $7 AND at < $8
          AND ($10::text IS NULL OR kind = $10) AND ($5::timestamptz IS NULL OR (at, id) < ($5, $6::bigint))
        ORDER BY at DESC, id DESC LIMIT $9
    ) m
    WHERE $2::bigint IS NOT NULL AND $4::text IS NULL
    UNION ALL
    (SELECT at, id FROM movement
     WHERE tenant_id = $1 AND document = $4 AND document <> '' AND ($2::bigint IS NULL OR article_id = $2)
       AND at >= $7 AND at < $8 AND ($10::text IS NULL OR kind = $10) AND ($5::timestamptz IS NULL OR (at, id) < ($5, $6::bigint))
     ORDER BY at DESC, id DESC LIMIT $9)
)
SELECT m.at, m.id, m.article_id, a.sku, l.code AS location, l.name AS place, m.kind, m.delta, m.on_hand, m.weight_delta,
       m.document, m.who
FROM (SELECT at, id FROM hits ORDER BY at DESC, id DESC LIMIT $9) h
JOIN movement m ON m.tenant_id = $1 AND m.at = h.at AND m.id = h.id
JOIN article a ON a.tenant_id = $1 AND a.id = m.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = m.location_id
ORDER BY m.at DESC, m.id DESC;

-- name: article_by_sku
SELECT id FROM article WHERE tenant_id = $1 AND sku = $2;

