-- name: add_tenant
INSERT INTO tenant (tenant_id, name) VALUES ($1, $2);

-- name: add_connection
INSERT INTO connection (tenant_id, id, name, dialect, role) VALUES ($1, $2, 'storepos', 'storepos', $3);

-- name: attempt
UPDATE delivery SET attempts = attempts + 1 WHERE tenant_id = $1 AND id = $2 AND settled_at IS NULL;

-- name: settle
UPDATE delivery SET attempts = greatest(attempts, 1), state = $3, last_error = nullif($4, ''), settled_at = now(), echo = 2
WHERE tenant_id = $1 AND id = $2 AND settled_at IS NULL
RETURNING id, connection_id, kind, key, document, state, last_error;

-- name: state
SELECT state FROM sales_order WHERE tenant_id = $1 AND number = $2;

-- name: notes
SELECT n.id, n.number, l.code AS outlet, n.state, n.onward, n.round, n.keeps, n.offer_id, n.recall_id, n.why, n.reason,
       (SELECT json_object_agg(a.sku, x.qty) FROM dispatch_line x
        JOIN article a ON a.tenant_id = $1 AND a.id = x.article_id
        WHERE x.tenant_id = $1 AND x.note_id = n.id)::text AS goods,
       (SELECT json_object_agg(a.sku, x.shipped) FROM dispatch_line x
        JOIN article a ON a.tenant_id = $1 AND a.id = x.article_id
        WHERE x.tenant_id = $1 AND x.note_id = n.id)::text AS shipped
FROM dispatch_note n
JOIN sales_order o ON o.tenant_id = $1 AND o.id = n.order_id AND o.number = $2
JOIN location l ON l.tenant_id = $1 AND l.id = n.location_id
WHERE n.tenant_id = $1
ORDER BY n.id;

-- name: calls
SELECT id, kind, state, sealed, payload FROM delivery
WHERE tenant_id = $1 AND (document = $2 OR $2 = '')
ORDER BY id;

-- name: balances
SELECT a.sku, l.code, s.on_hand, s.reserved
FROM stock s
JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE s.tenant_id = $1;

-- name: pieces
SELECT p.code, l.code AS outlet, p.state
FROM piece p JOIN location l ON l.tenant_id = $1 AND l.id = p.location_id
WHERE p.tenant_id = $1;

-- name: discrepancies
SELECT kind FROM discrepancy WHERE tenant_id = $1 AND (NOT $2 OR resolved_at IS NULL) ORDER BY id;
