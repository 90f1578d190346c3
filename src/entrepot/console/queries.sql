-- What several pages read: the parts of a timeline, figures, saved filters.

-- name: movements_of
SELECT m.at, m.kind, m.delta, m.on_hand, m.who, a.sku, l.code AS location
FROM movement m
JOIN article a ON a.tenant_id = $1 AND a.id = m.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = m.location_id
WHERE m.tenant_id = $1 AND m.document = ANY($2::text[]) AND m.document <> ''
ORDER BY m.at DESC, m.id DESC LIMIT $3;

-- name: deliveries_of
SELECT d.id, d.kind, d.state, d.attempts, d.last_error, d.reason, d.created_at, d.settled_at, c.name AS connection
FROM delivery d JOIN connection c ON c.tenant_id = $1 AND c.id = d.connection_id
WHERE d.tenant_id = $1 AND d.document = ANY($2::text[])
ORDER BY d.id DESC LIMIT $3;

-- name: audit_of
-- Who looked at what was hidden of it, and, where its set-up is its own ($4), who changed that.
SELECT at, who, what, reason FROM audit
WHERE tenant_id = $1 AND subject = ANY($2::text[]) AND ($4::boolean OR what LIKE 'reveal%')
ORDER BY id DESC LIMIT $3;

-- name: exchanges_of
WITH hits AS (
    (SELECT at, id FROM exchange WHERE tenant_id = $1 AND document = ANY($2::text[]) AND document IS NOT NULL
     ORDER BY at DESC LIMIT $3)
    UNION
    (SELECT at, id FROM exchange WHERE also && $2::text[] AND tenant_id = $1 ORDER BY at DESC LIMIT $3)
)
SELECT e.at, e.id, e.direction, c.name AS connection, e.method, e.path, e.status, e.refused, e.duration_us
FROM hits h
JOIN exchange e ON e.tenant_id = $1 AND e.at = h.at AND e.id = h.id
JOIN connection c ON c.tenant_id = $1 AND c.id = e.connection_id
ORDER BY e.at DESC, e.id DESC LIMIT $3;

-- name: saved
SELECT id, name, query FROM saved_filter WHERE tenant_id = $1 AND person_id = $2 AND page = $3 ORDER BY name;

-- name: save_filter
INSERT INTO saved_filter (tenant_id, id, person_id, page, name, query) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, person_id, page, name) DO UPDATE SET query = excluded.query;

-- name: drop_filter
DELETE FROM saved_filter WHERE tenant_id = $1 AND person_id = $2 AND id = $3;

-- name: hours
SELECT hour, value FROM hour_figure WHERE tenant_id = $1 AND figure = $2 AND hour >= $3;

-- name: keep_hours
INSERT INTO hour_figure (tenant_id, figure, hour, value)
SELECT $1, $2, * FROM unnest($3::timestamptz[], $4::bigint[])
ON CONFLICT DO NOTHING;

-- name: count_placed
SELECT count(*) FROM sales_order WHERE tenant_id = $1 AND id >= $2 AND id < $3;

-- name: count_shipped
SELECT count(DISTINCT document) FROM movement WHERE tenant_id = $1 AND at >= $2 AND at < $3 AND kind = 'shipment';

-- name: count_delivered
SELECT count(*) FROM attempt WHERE tenant_id = $1 AND at >= $2 AND at < $3 AND outcome = 'delivered';

-- name: count_failed
SELECT count(*) FROM attempt
WHERE tenant_id = $1 AND at >= $2 AND at < $3 AND outcome IN ('failed', 'rejected', 'lost', 'late');

-- name: refused_since
-- Notes that outlets refused since a moment ($2), of those offered since an earlier one (ids from $3).
SELECT count(*) FROM dispatch_note
WHERE tenant_id = $1 AND state = 'refused' AND id >= $3 AND answered_at >= $2;

-- name: open_deliveries
-- What waits, counted to a thousand, and since when the oldest does.
SELECT count(*) AS waiting, min(created_at) AS oldest
FROM (SELECT created_at FROM delivery WHERE tenant_id = $1 AND state = 'waiting' ORDER BY id LIMIT 1001) w;

-- name: find_orders
(SELECT id, number, state FROM sales_order WHERE tenant_id = $1 AND number = $2)
UNION
(SELECT id, number, state FROM sales_order
 WHERE tenant_id = $1 AND number >= $2 AND number < $3 ORDER BY number LIMIT 10)
LIMIT 10;

-- name: find_articles
SELECT id, sku, name, kind FROM article WHERE tenant_id = $1 AND sku ~>=~ $2 AND sku ~<~ $3
ORDER BY sku USING ~<~ LIMIT 10;

-- name: find_by_phone
SELECT id, number, state FROM sales_order WHERE tenant_id = $1 AND phone_hash = $2 ORDER BY id DESC LIMIT 10;
