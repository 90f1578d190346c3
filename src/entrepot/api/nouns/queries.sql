-- What the API reads, by noun. Every list continues behind a key, whatever was added since.

-- name: articles
SELECT id, sku, style_no, name, pic_url, unit, kind, details, created_at, changed_at
FROM article
WHERE tenant_id = $1 AND ($2::text IS NULL OR sku > $2)
  AND ($4::text[] IS NULL OR sku = ANY($4))
  AND ($5::text IS NULL OR style_no = $5)
  AND ($6::text IS NULL OR kind = $6)
ORDER BY sku LIMIT $3;

-- name: article
SELECT id, sku, style_no, name, pic_url, unit, kind, details, created_at, changed_at
FROM article WHERE tenant_id = $1 AND id = $2;

-- name: locations
SELECT id, code, name, province, city FROM location
WHERE tenant_id = $1 AND ($2::text IS NULL OR code > $2) AND ($4::text[] IS NULL OR code = ANY($4))
ORDER BY code LIMIT $3;

-- name: location
SELECT id, code, name, province, city FROM location WHERE tenant_id = $1 AND id = $2;

-- name: listings
SELECT l.connection_id, l.id, c.name AS connection, l.type, l.key, a.sku
FROM listing l
JOIN connection c ON c.tenant_id = $1 AND c.id = l.connection_id
JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE l.tenant_id = $1
  AND ($2::bigint IS NULL OR (l.connection_id, l.id) > ($2, $3::bigint))
  AND ($5::bigint IS NULL OR l.connection_id = $5)
  AND ($6::text IS NULL OR a.sku = $6)
  AND ($7::text IS NULL OR l.key = $7)
ORDER BY l.connection_id, l.id LIMIT $4;

-- name: levels
SELECT a.sku, l.code AS location, s.on_hand, s.reserved, s.safety, s.weight
FROM article a JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE a.tenant_id = $1
  AND ($2::text IS NULL OR (a.sku, l.code) > ($2, $3::text))
  AND ($2::text IS NULL OR a.sku >= $2)
  AND ($5::text[] IS NULL OR a.sku = ANY($5))
  AND ($6::text IS NULL OR l.code = $6)
ORDER BY a.sku, l.code LIMIT $4;

-- name: levels_of
SELECT a.sku, l.code AS location, s.on_hand, s.reserved, s.safety, s.weight
FROM unnest($2::text[], $3::text[]) AS wanted (sku, code)
JOIN article a ON a.tenant_id = $1 AND a.sku = wanted.sku
JOIN location l ON l.tenant_id = $1 AND l.code = wanted.code
JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.id AND s.location_id = l.id
ORDER BY 1, 2;

-- name: movements
SELECT m.at, m.id, a.sku, l.code AS location, m.kind, m.delta, m.on_hand, m.weight_delta, m.document, m.who
FROM movement m
JOIN article a ON a.tenant_id = $1 AND a.id = m.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = m.location_id
WHERE m.tenant_id = $1
  AND ($2::timestamptz IS NULL OR m.at <= $2)
  AND ($3::bigint IS NULL OR (m.at, m.id) < ($2, $3))
  AND ($5::timestamptz IS NULL OR m.at >= $5)
  AND ($6::text IS NULL OR m.article_id = (SELECT id FROM article WHERE tenant_id = $1 AND sku = $6))
  AND ($7::text IS NULL OR m.location_id = (SELECT id FROM location WHERE tenant_id = $1 AND code = $7))
  AND ($8::text IS NULL OR m.document = $8 AND m.document <> '')
ORDER BY m.at DESC, m.id DESC LIMIT $4;

-- name: orders
SELECT o.id, o.number, c.name AS connection, o.state, o.customer, o.created_at, o.changed_at
FROM sales_order o LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = o.connection_id
WHERE o.tenant_id = $1 AND ($2::bigint IS NULL OR o.id < $2)
  AND ($4::text IS NULL OR o.number = $4)
  AND ($5::text IS NULL OR o.state = $5)
  AND ($6::bigint IS NULL OR o.connection_id = $6)
ORDER BY o.id DESC LIMIT $3;

-- name: order
SELECT o.id, o.number, c.name AS connection, o.state, o.customer, o.details, o.created_at, o.changed_at
FROM sales_order o LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = o.connection_id
WHERE o.tenant_id = $1 AND o.id = $2;

-- name: order_lines
SELECT a.sku, l.qty FROM order_line l JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE l.tenant_id = $1 AND l.order_id = $2 ORDER BY l.line;

-- name: order_log
SELECT at, who, what FROM order_log WHERE tenant_id = $1 AND order_id = $2 ORDER BY id;

-- name: connections
SELECT id, name, dialect, role, partner_url, paused, settings FROM connection
WHERE tenant_id = $1 AND ($2::text IS NULL OR name > $2) ORDER BY name LIMIT $3;

-- name: connection
SELECT id, name, dialect, role, partner_url, paused, settings FROM connection
WHERE tenant_id = $1 AND id = $2;

-- name: current_secrets
SELECT sealed FROM credential WHERE tenant_id = $1 AND connection_id = $2 AND expires_at IS NULL;

-- name: audit
SELECT id, at, who, what, subject, reason, details FROM audit
WHERE tenant_id = $1 AND ($2::bigint IS NULL OR id < $2)
  AND ($4::text IS NULL OR who = $4)
  AND ($5::text IS NULL OR what = $5)
  AND ($6::text IS NULL OR subject = $6)
ORDER BY id DESC LIMIT $3;

-- name: fact
SELECT sealed, payload FROM delivery WHERE tenant_id = $1 AND id = $2;

-- name: act
SELECT id, act, who, reason, done, created_at, finished_at FROM delivery_act
WHERE tenant_id = $1 AND id = $2;

-- name: levels_waiting
-- Those that wait and those that the partner refused; an item is a listing, or an article sold by style.
SELECT v.connection_id, v.item, c.name AS connection, coalesce(l.key, a.style_no) AS name, v.dirty_since,
       v.trouble, coalesce(f.tries, 0) AS tries, f.last_error, CASE WHEN f.leased THEN NULL ELSE f.due END AS due
FROM level v
JOIN connection c ON c.tenant_id = $1 AND c.id = v.connection_id
LEFT JOIN feed f ON f.tenant_id = $1 AND f.connection_id = v.connection_id
LEFT JOIN listing l ON l.tenant_id = $1 AND l.connection_id = v.connection_id AND l.id = v.item
LEFT JOIN article a ON a.tenant_id = $1 AND a.id = v.item
WHERE v.tenant_id = $1 AND (v.connection_id, v.item) > ($2, $3::bigint)
  AND (v.dirty_since IS NOT NULL OR v.trouble IS NOT NULL)
  AND ($5::bigint IS NULL OR v.connection_id = $5)
ORDER BY v.connection_id, v.item LIMIT $4;
