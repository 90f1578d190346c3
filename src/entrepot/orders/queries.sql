-- name: admit
-- Orders in, all of it at once: the numbers first (of two transactions that want one, the second waits here
-- and then gets nothing), then whatever the orders that got theirs consist of, and last, since others wait for
-- them, the stock rows, locked in the one order everyone uses. They stand before the rest because PostgreSQL
-- carries out the writes that nothing reads from the last to the first. $22 to $29 are empty where stock is
-- reserved later, because where from has yet to be decided. Returns who got in.
WITH asked AS (
    SELECT * FROM unnest($2::text::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::text[],
                         $8::text[], $9::bytea[], $10::bytea[], $11::jsonb[], $12::bytea[], $13::text[])
        AS a (id, connection_id, number, kind, digest, state, customer, receiver, phone_hash, details, body,
              fulfilment)
), won AS (
    INSERT INTO intake (tenant_id, connection_id, kind, number, document_id, digest)
    SELECT $1, coalesce(a.connection_id, 0), a.kind, a.number, a.id, a.digest
    FROM asked a
    ORDER BY 2, 3, 4
    ON CONFLICT DO NOTHING
    RETURNING document_id AS id
), held AS (
    SELECT h.*
    FROM unnest($22::text::bigint[], $23::text::bigint[], $24::text::int[], $25::text::bigint[],
                $26::text::bigint[], $27::text::bigint[])
        AS h (id, document_id, line, article_id, location_id, qty)
    JOIN won ON won.id = h.document_id
), locked AS (
    SELECT s.article_id, s.location_id, h.qty
    FROM (SELECT article_id, location_id, sum(qty)::bigint AS qty FROM held GROUP BY 1, 2) h
    JOIN stock s ON s.tenant_id = $1 AND s.article_id = h.article_id AND s.location_id = h.location_id
    ORDER BY s.article_id, s.location_id
    FOR UPDATE OF s
), promised AS (
    UPDATE stock s SET reserved = s.reserved + l.qty, changed_at = now()
    FROM locked l
    WHERE s.tenant_id = $1 AND s.article_id = l.article_id AND s.location_id = l.location_id
), head AS (
    INSERT INTO sales_order (tenant_id, id, connection_id, number, state, customer, receiver, phone_hash,
                             details, body, fulfilment)
    SELECT $1, id, a.connection_id, a.number, a.state, a.customer, a.receiver, a.phone_hash, a.details,
           a.body, a.fulfilment
    FROM asked a JOIN won USING (id)
), logged AS (
    INSERT INTO order_log (tenant_id, order_id, id, who, what)
    SELECT $1, l.order_id, l.id, l.who, l.what
    FROM unnest($14::text::bigint[], $15::text::bigint[], $16::text[], $17::text[])
        AS l (order_id, id, who, what)
    JOIN won ON won.id = l.order_id
), lines AS (
    INSERT INTO order_line (tenant_id, order_id, line, article_id, qty)
    SELECT $1, l.order_id, l.line, l.article_id, l.qty
    FROM unnest($18::text::bigint[], $19::text::int[], $20::text::bigint[], $21::text::bigint[])
        AS l (order_id, line, article_id, qty)
    JOIN won ON won.id = l.order_id
), reserved AS (
    INSERT INTO reservation (tenant_id, id, document_id, line, article_id, location_id, qty)
    SELECT $1, h.* FROM held h
), marked AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT $1, m.id, m.article_id
    FROM unnest($28::text::bigint[], $29::text::bigint[]) AS m (id, article_id)
    WHERE m.article_id IN (SELECT article_id FROM held)
)
SELECT id FROM won;

-- name: taken
SELECT i.connection_id, i.number, i.document_id, i.digest, coalesce(o.state, '') AS state
FROM unnest($2::bigint[], $3::text[], $4::text[]) AS n (connection_id, number, kind)
JOIN intake i ON i.tenant_id = $1 AND i.connection_id = n.connection_id AND i.kind = n.kind
             AND i.number = n.number
LEFT JOIN sales_order o ON o.tenant_id = $1 AND o.id = i.document_id;

-- name: lock_orders
-- Orders by number (and connection, where given), locked in the order of their ids.
SELECT o.id, o.number, o.connection_id, o.state, o.fulfilment
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

-- name: add_customers
INSERT INTO customer (tenant_id, id, name, type, parent)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::int[])
ON CONFLICT (tenant_id, id) DO UPDATE
SET name = excluded.name, type = excluded.type, parent = excluded.parent;

-- name: meet_customers
INSERT INTO customer (tenant_id, id, name)
SELECT $1, * FROM unnest($2::bigint[], $3::text[])
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: open_accounts
WITH head AS (
    INSERT INTO order_money (tenant_id, order_id, customer_id, discount, rebate, freight, paid)
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::numeric[], $5::numeric[], $6::numeric[],
                             $7::numeric[])
), booked AS (
    INSERT INTO money_entry (tenant_id, order_id, id, kind, amount, who)
    SELECT $1, * FROM unnest($16::bigint[], $17::bigint[], $18::text[], $19::numeric[], $20::text[])
)
INSERT INTO order_price (tenant_id, order_id, part, article_id, product_id, unit_id, qty, price, gift)
SELECT $1, p.order_id, p.part, p.article_id,
       coalesce(p.product_id, substring(a.details ->> 'productId' FROM '^\d{1,15}$')::bigint, 0),
       coalesce(p.unit_id, substring(a.details ->> 'productUnitId' FROM '^\d{1,15}$')::bigint, 0),
       p.qty, p.price, p.gift
FROM unnest($8::bigint[], $9::int[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
            $14::numeric[], $15::int[])
    AS p (order_id, part, article_id, product_id, unit_id, qty, price, gift)
JOIN article a ON a.tenant_id = $1 AND a.id = p.article_id;

-- name: find_accounts
SELECT DISTINCT ON (number) number, id
FROM sales_order
WHERE tenant_id = $1 AND number = ANY($2::text[])
ORDER BY number, connection_id IS NOT NULL, id;

-- name: lock_by_id
SELECT FROM sales_order WHERE tenant_id = $1 AND id = ANY($2::bigint[]) ORDER BY id FOR UPDATE;

-- name: accounts
SELECT o.id AS order_id, o.number, o.state, m.customer_id, coalesce(c.name, '') AS customer_name,
       coalesce(c.type, '') AS customer_type, coalesce(c.parent, 0) AS customer_parent,
       m.discount, m.rebate, m.freight, m.paid, m.refunded
FROM sales_order o
JOIN order_money m ON m.tenant_id = $1 AND m.order_id = o.id
LEFT JOIN customer c ON c.tenant_id = $1 AND c.id = m.customer_id
WHERE o.tenant_id = $1 AND o.id = ANY($2::bigint[]);

-- name: parts
SELECT p.order_id, p.part, p.article_id, p.product_id, p.unit_id, p.qty, p.price, p.gift,
       a.name, a.unit, a.pic_url AS picture, coalesce(a.details ->> 'guige', '') AS guige,
       coalesce(a.details ->> 'pno', '') AS pno
FROM order_price p JOIN article a ON a.tenant_id = $1 AND a.id = p.article_id
WHERE p.tenant_id = $1 AND p.order_id = ANY($2::bigint[])
ORDER BY p.order_id, p.part;

-- name: reprice
-- Parts only ever split, so every one there was is still there.
WITH balance AS (
    UPDATE order_money m SET paid = n.paid
    FROM unnest($2::bigint[], $3::numeric[]) AS n (order_id, paid)
    WHERE m.tenant_id = $1 AND m.order_id = n.order_id
), booked AS (
    INSERT INTO money_entry (tenant_id, order_id, id, kind, amount, document, who)
    SELECT $1, * FROM unnest($12::bigint[], $13::bigint[], $14::text[], $15::numeric[], $16::text[],
                             $17::text[])
)
INSERT INTO order_price (tenant_id, order_id, part, article_id, product_id, unit_id, qty, price, gift)
SELECT $1, * FROM unnest($4::bigint[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
                         $10::numeric[], $11::int[])
ON CONFLICT (tenant_id, order_id, part) DO UPDATE SET qty = excluded.qty, price = excluded.price;

-- name: book
WITH entry AS (
    INSERT INTO money_entry (tenant_id, order_id, id, kind, amount, document, serial, who)
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::numeric[], $6::text[], $7::text[],
                             $8::text[])
    RETURNING order_id, kind, amount
)
UPDATE order_money m SET refunded = m.refunded + e.amount
FROM (SELECT order_id, sum(amount) AS amount FROM entry WHERE kind = 'refunded' GROUP BY order_id) e
WHERE m.tenant_id = $1 AND m.order_id = e.order_id;

-- name: verify_money
-- Orders whose ledger does not add up to their balances.
SELECT o.number, m.paid, coalesce(e.paid, 0) AS paid_entries, m.refunded,
       coalesce(e.refunded, 0) AS refunded_entries
FROM order_money m
JOIN sales_order o ON o.tenant_id = $1 AND o.id = m.order_id
LEFT JOIN (SELECT order_id, sum(amount) FILTER (WHERE kind = 'paid') AS paid,
                  sum(amount) FILTER (WHERE kind = 'refunded') AS refunded
           FROM money_entry WHERE tenant_id = $1 GROUP BY order_id) e ON e.order_id = m.order_id
WHERE m.tenant_id = $1
  AND (m.paid <> coalesce(e.paid, 0) OR m.refunded <> coalesce(e.refunded, 0))
ORDER BY o.number;

-- name: come_in
-- Orders that were turned away and have come in since.
SELECT d.connection_id, d.subject FROM discrepancy d
JOIN intake i ON i.tenant_id = $1 AND i.connection_id = d.connection_id AND i.kind = d.details ->> 'of'
             AND i.number = d.subject
WHERE d.tenant_id = $1 AND d.kind = 'not_taken' AND d.resolved_at IS NULL;

-- name: goods_known
-- Says ($2) of orders turned away for their goods that all of these are known by now.
UPDATE discrepancy d SET text = $2, details = d.details || '{"known": true}'
WHERE d.tenant_id = $1 AND d.kind = 'not_taken' AND d.resolved_at IS NULL
  AND d.details ->> 'code' = 'unknown_goods' AND d.details ->> 'known' IS NULL
  AND NOT EXISTS (
    SELECT FROM jsonb_array_elements_text(d.details -> 'names') AS n (name)
    WHERE NOT EXISTS (SELECT FROM article a WHERE a.tenant_id = $1 AND a.style_no = n.name
                      AND d.details ->> 'by' = 'style')
      AND NOT EXISTS (SELECT FROM article a WHERE a.tenant_id = $1 AND a.sku = n.name
                      AND d.details ->> 'by' = 'sku'));
