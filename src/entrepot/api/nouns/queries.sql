-- What the API reads, by noun. Every list continues behind a key, whatever was added since.

-- name: articles
SELECT id, sku, style_no, name, pic_url, unit, kind, retail_price, details, created_at, changed_at
FROM article
WHERE tenant_id = $1 AND ($2::text IS NULL OR sku > $2)
  AND ($4::text[] IS NULL OR sku = ANY($4))
  AND ($5::text IS NULL OR style_no = $5)
  AND ($6::text IS NULL OR kind = $6)
ORDER BY sku LIMIT $3;

-- name: article
SELECT id, sku, style_no, name, pic_url, unit, kind, retail_price, details, created_at, changed_at
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
SELECT v.connection_id, v.item, c.name AS connection, coalesce(l.key, a.style_no, a.sku) AS name, v.dirty_since,
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

-- name: notes
SELECT n.id, n.number, o.number AS "order", l.code AS outlet, n.state, n.onward, n.round, n.why, n.reason,
       n.created_at, n.told_at, n.answered_at
FROM dispatch_note n
JOIN sales_order o ON o.tenant_id = $1 AND o.id = n.order_id
JOIN location l ON l.tenant_id = $1 AND l.id = n.location_id
WHERE n.tenant_id = $1 AND n.id < $2
  AND ($4::text IS NULL OR n.number = $4)
  AND ($5::text IS NULL OR n.order_id IN (SELECT id FROM sales_order WHERE tenant_id = $1 AND number = $5))
  AND ($6::text IS NULL OR n.location_id = (SELECT id FROM location WHERE tenant_id = $1 AND code = $6))
  AND ($7::text IS NULL OR n.state = $7)
  AND ($8::text IS NULL OR n.onward = $8)
ORDER BY n.id DESC LIMIT $3;

-- name: note_lines
SELECT d.note_id, a.sku, d.qty, d.shipped
FROM dispatch_line d JOIN article a ON a.tenant_id = $1 AND a.id = d.article_id
WHERE d.tenant_id = $1 AND d.note_id = ANY($2::bigint[]) ORDER BY d.note_id, d.line;

-- name: suites
SELECT a.id FROM article a
WHERE a.tenant_id = $1 AND a.kind = 'suite' AND ($2::text IS NULL OR a.sku > $2)
  AND ($4::text[] IS NULL OR a.sku = ANY($4))
  AND ($5::text IS NULL OR EXISTS (
      SELECT FROM suite_part s JOIN article p ON p.tenant_id = $1 AND p.id = s.part_id AND p.sku = $5
      WHERE s.tenant_id = $1 AND s.suite_id = a.id))
ORDER BY a.sku LIMIT $3;

-- name: outlets
SELECT l.code, l.name, l.province, l.city, c.name AS connection, l.ships, l.paused, l.priority,
       l.daily_capacity, l.groups
FROM location l LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = l.connection_id
WHERE l.tenant_id = $1 AND ($2::text IS NULL OR l.code > $2)
  AND ($4::boolean IS NULL OR l.ships = $4)
  AND ($5::bigint IS NULL OR l.connection_id = $5)
  AND ($6::text[] IS NULL OR l.code = ANY($6))
ORDER BY l.code LIMIT $3;

-- name: pieces
SELECT p.code, a.sku, l.code AS location, p.state, p.changed_at
FROM piece p
JOIN article a ON a.tenant_id = $1 AND a.id = p.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = p.location_id
WHERE p.tenant_id = $1 AND ($2::text IS NULL OR p.code > $2)
  AND ($4::text[] IS NULL OR p.code = ANY($4))
  AND ($5::text IS NULL OR a.sku = $5)
  AND ($6::text IS NULL OR l.code = $6)
  AND ($7::text IS NULL OR p.state = $7)
ORDER BY p.code LIMIT $3;

-- name: people
SELECT id, login, name, role, active FROM person WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: person
SELECT id, login, name, role, active FROM person WHERE tenant_id = $1 AND id = $2;

-- name: tokens
SELECT t.id, t.name, p.login, t.scopes, t.per_minute, t.created_at, t.ended_at
FROM token t LEFT JOIN person p ON p.tenant_id = $1 AND p.id = t.person_id
WHERE t.tenant_id = $1 AND t.id > $2 ORDER BY t.id LIMIT $3;

-- name: token
SELECT t.id, t.name, p.login, t.scopes, t.per_minute, t.created_at, t.ended_at
FROM token t LEFT JOIN person p ON p.tenant_id = $1 AND p.id = t.person_id
WHERE t.tenant_id = $1 AND t.id = $2;

-- name: webhooks
SELECT id, name, dialect, role, partner_url, settings FROM connection
WHERE tenant_id = $1 AND ($2::text IS NULL OR name > $2) AND dialect = $4 AND role = $5
ORDER BY name LIMIT $3;

-- name: reconciliations
-- The newest days first; behind the row with day $4, connection $5, kind $6.
SELECT connection_id, kind, day::text, file, who, theirs, ours, differing, at FROM reconciliation
WHERE tenant_id = $1 AND ($3::bigint IS NULL OR connection_id = $3)
  AND ($4::text IS NULL OR day < $4::text::date
       OR (day = $4::text::date AND (connection_id, kind) > ($5::bigint, $6::text)))
ORDER BY day DESC, connection_id, kind
LIMIT $2;

-- name: reconciliation
SELECT connection_id, kind, day::text, file, who, theirs, ours, differing, at FROM reconciliation
WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND day = $4::text::date;
