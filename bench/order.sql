-- The rows of one five-line order, as the hub stores them, in one statement and one transaction.
\set o random(1, 4000000000000000000)
\set a random(1, 1000)
WITH guard AS (
    INSERT INTO intake (tenant_id, connection_id, kind, number, document_id, digest)
    VALUES (99, 1, 'order', 'B-' || :o::bigint, :o::bigint, decode(repeat('64', 32), 'hex'))
    ON CONFLICT DO NOTHING RETURNING document_id
), head AS (
    INSERT INTO sales_order (tenant_id, id, connection_id, number, state, customer, details, body)
    SELECT 99, document_id, 1, 'B-' || document_id, 'accepted', '安港珠宝', '{"fineness": "足金999"}',
           decode(repeat('78', 520), 'hex') FROM guard
), logged AS (
    INSERT INTO order_log (tenant_id, order_id, id, who, what)
    SELECT 99, document_id, document_id, 'goldshop', 'accepted' FROM guard
), lines AS (
    INSERT INTO order_line (tenant_id, order_id, line, article_id, qty)
    SELECT 99, document_id, n, :a::bigint + n, 1 FROM guard, generate_series(0, 4) n
), marks AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT 99, document_id + n, :a::bigint + n FROM guard, generate_series(0, 4) n
)
INSERT INTO reservation (tenant_id, id, document_id, line, article_id, location_id, qty)
SELECT 99, document_id + n, document_id, n, :a::bigint + n, 1, 1 FROM guard, generate_series(0, 4) n;
