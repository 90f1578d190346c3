-- name: claim
-- Take numbers; of two transactions that want one, the second waits here and then gets nothing.
INSERT INTO intake (tenant_id, connection_id, kind, number, document_id, digest)
SELECT $1, n.connection_id, 'order', n.number, n.document_id, n.digest
FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bytea[])
    AS n (connection_id, number, document_id, digest)
ORDER BY n.connection_id, n.number
ON CONFLICT DO NOTHING
RETURNING document_id;

-- name: taken
SELECT i.connection_id, i.number, i.document_id, i.digest, coalesce(o.state, '') AS state
FROM unnest($2::bigint[], $3::text[]) AS n (connection_id, number)
JOIN intake i ON i.tenant_id = $1 AND i.connection_id = n.connection_id AND i.kind = 'order'
             AND i.number = n.number
LEFT JOIN sales_order o ON o.tenant_id = $1 AND o.id = i.document_id;

-- name: save
WITH head AS (
    INSERT INTO sales_order (tenant_id, id, connection_id, number, state, customer, receiver, phone_hash,
                             details, body)
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[],
                             $8::bytea[], $9::jsonb[], $10::bytea[])
), logged AS (
    INSERT INTO order_log (tenant_id, order_id, id, who, what)
    SELECT $1, * FROM unnest($11::bigint[], $12::bigint[], $13::text[], $14::text[])
)
INSERT INTO order_line (tenant_id, order_id, line, article_id, qty)
SELECT $1, * FROM unnest($15::text::bigint[], $16::text::int[], $17::text::bigint[], $18::text::bigint[]);

-- name: lock_orders
-- Orders by number (and connection, where given), locked in the order of their ids.
SELECT o.id, o.number, o.connection_id, o.state
FROM sales_order o
WHERE o.tenant_id = $1 AND o.number = ANY($2::text[])
ORDER BY o.id
FOR UPDATE;

-- name: step
WITH logged AS (
    INSERT INTO order_log (tenant_id, order_id, id, who, what)
    SELECT $1, * FROM unnest($4::bigint[], $5::bigint[], $6::text[], $7::text[])
)
UPDATE sales_order o SET state = s.state, changed_at = now()
FROM unnest($2::bigint[], $3::text[]) AS s (id, state)
WHERE o.tenant_id = $1 AND o.id = s.id;

-- name: show
SELECT o.id, o.number, c.name AS connection, o.state, o.customer, o.details, o.created_at
FROM sales_order o
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = o.connection_id
WHERE o.tenant_id = $1 AND o.number = $2
ORDER BY o.id DESC;

-- name: lines
SELECT l.order_id, l.line, a.sku, l.qty
FROM order_line l JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE l.tenant_id = $1 AND l.order_id = ANY($2::bigint[])
ORDER BY l.order_id, l.line;

-- name: log
SELECT order_id, at, who, what FROM order_log
WHERE tenant_id = $1 AND order_id = ANY($2::bigint[])
ORDER BY order_id, id;
