-- name: detail_keys
SELECT DISTINCT key FROM article a, jsonb_object_keys(a.details) AS key
WHERE a.tenant_id = $1 AND a.kind = 'single'
ORDER BY key
LIMIT $2;

-- name: articles
SELECT sku, style_no, name, pic_url, unit, retail_price, details FROM article
WHERE tenant_id = $1 AND kind = 'single'
ORDER BY sku;

-- name: suites
-- One row a part.
SELECT a.sku, a.name, a.unit, s.class_name, s.brand_name, s.aux_unit, s.short_name, s.barcode, s.remark,
       s.label, s.print_mode, s.large_type, s.weight, s.retail_price, s.wholesale_price, s.member_price,
       s.market_price, s.props, p.sku AS part, sp.num, sp.is_fixed_price, sp.fixed_price, sp.ratio
FROM article a
JOIN suite s ON s.tenant_id = $1 AND s.article_id = a.id
JOIN suite_part sp ON sp.tenant_id = $1 AND sp.suite_id = a.id
JOIN article p ON p.tenant_id = $1 AND p.id = sp.part_id
WHERE a.tenant_id = $1 AND a.kind = 'suite'
ORDER BY a.sku, sp.position;

-- name: outlets
SELECT l.code, l.name, l.province, l.city, coalesce(c.name, '-') AS connection, l.ships, l.paused, l.priority,
       l.daily_capacity, array_to_string(l.groups, ' ') AS groups
FROM location l
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = l.connection_id
WHERE l.tenant_id = $1
ORDER BY l.code;

-- name: listings
SELECT c.name AS connection, l.type, l.key, a.sku
FROM listing l
JOIN connection c ON c.tenant_id = $1 AND c.id = l.connection_id
JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE l.tenant_id = $1
ORDER BY c.name, l.type, l.key;

-- name: pieces
-- What lies in stock; shipped pieces cannot be brought in.
SELECT p.code, a.sku, l.code AS location
FROM piece p
JOIN article a ON a.tenant_id = $1 AND a.id = p.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = p.location_id
WHERE p.tenant_id = $1 AND p.state = 'in_stock'
ORDER BY p.code;

-- name: stock
SELECT a.sku, l.code AS location, s.on_hand AS qty, s.weight, s.safety
FROM stock s
JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE s.tenant_id = $1
ORDER BY a.sku, l.code;

-- name: orders
-- One row a line, or, where an order has prices, a row for the pieces of each price.
SELECT o.id, o.number, a.sku, l.qty, o.customer, m.customer_id, l.price, l.gift, m.discount, m.rebate, m.freight,
       m.paid, l.product_id, l.unit_id, o.receiver, c.name AS connection, o.state, o.created_at
FROM sales_order o
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = o.connection_id
LEFT JOIN order_money m ON m.tenant_id = $1 AND m.order_id = o.id
CROSS JOIN LATERAL (
    SELECT part AS line, article_id, qty, price, gift, product_id, unit_id FROM order_price
    WHERE tenant_id = $1 AND order_id = o.id
    UNION ALL
    SELECT line, article_id, qty, NULL, NULL, NULL, NULL FROM order_line
    WHERE tenant_id = $1 AND order_id = o.id AND m.order_id IS NULL
) AS l
JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE o.tenant_id = $1
ORDER BY o.id, l.line;

-- name: add_export
INSERT INTO export_job (tenant_id, id, kind, format, personal, who) VALUES ($1, $2, $3, $4, $5, $6);

-- name: exports
SELECT id, kind, format, personal, who, state, rows, parts, problem, created_at, finished_at
FROM export_job WHERE tenant_id = $1 AND ($2::bigint IS NULL OR id < $2) AND ($4::bigint IS NULL OR id = $4)
ORDER BY id DESC LIMIT $3;

-- name: waiting_exports
SELECT tenant_id, id, kind, format, personal, who FROM export_job WHERE state = 'waiting' ORDER BY id;

-- name: put_export_part
INSERT INTO export_part (tenant_id, job_id, part, content) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, job_id, part) DO UPDATE SET content = excluded.content;

-- name: export_part
SELECT content FROM export_part WHERE tenant_id = $1 AND job_id = $2 AND part = $3;

-- name: end_export
UPDATE export_job SET state = $3, rows = $4, parts = $5, problem = $6, finished_at = now()
WHERE tenant_id = $1 AND id = $2;

-- name: forget_exports
-- After 7 days, whether they were fetched or not.
DELETE FROM export_job WHERE state <> 'waiting' AND finished_at < now() - interval '7 days' RETURNING id;
