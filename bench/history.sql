-- Months of business for tenant demo, set by set. Table p has one row: the tenant, what its rows are made
-- with, and how many. made and moved are so many instants, evenly spread, with an id each (see ids.py).

CREATE TEMP TABLE made AS
SELECT n, last - (orders - n) * (width / orders) AS id, now - (orders - n) * (span / orders) AS at,
       n > orders - 5000 AS fresh, n % 5 = 1 AS by_outlets
FROM p, generate_series(1, orders) n;
ANALYZE made;

INSERT INTO article (tenant_id, id, sku, style_no, name)
SELECT tenant_id, n, 'B' || lpad(n::text, 7, '0'), 'B' || lpad(n::text, 7, '0'), '足金 ' || n
FROM p, generate_series(1, articles) n;

INSERT INTO stock (tenant_id, article_id, location_id, on_hand, safety)
SELECT p.tenant_id, n, l.id, 1000, CASE WHEN n % 500 = 0 THEN 2000 ELSE 0 END
FROM p, generate_series(1, articles) n, location l
WHERE l.tenant_id = p.tenant_id AND l.code IN ('HQ', '40', '6001', '6002');

INSERT INTO sales_order (tenant_id, id, connection_id, number, state, customer, phone_hash, receiver, created_at,
                         changed_at, fulfilment)
SELECT tenant_id, id, CASE WHEN n % 5 = 0 THEN NULL ELSE connection END, 'H' || lpad(n::text, 8, '0'),
       CASE WHEN fresh THEN (ARRAY['accepted', 'processed', 'parked'])[1 + n % 3]
            WHEN n % 40 = 0 THEN 'cancelled' ELSE 'shipped' END,
       '客户' || n % 9000, CASE WHEN n % 50000 = 7 THEN phone END, receiver, at, at,
       CASE WHEN by_outlets THEN 'outlets' ELSE 'whole' END
FROM p, made;

INSERT INTO order_line (tenant_id, order_id, line, article_id, qty)
SELECT tenant_id, id, l, 1 + (n * 31 + l * 7) % articles, 1 + n % 3
FROM p, made, generate_series(1, 2) l;

INSERT INTO reservation (tenant_id, id, document_id, line, article_id, location_id, qty, state, resolved_at)
SELECT tenant_id, id + l, id, l, 1 + (n * 31 + l * 7) % articles, location, 1 + n % 3,
       CASE WHEN fresh THEN 'open' ELSE 'shipped' END, CASE WHEN NOT fresh THEN at END
FROM p, made, generate_series(1, 2) l;

INSERT INTO order_log (tenant_id, order_id, id, at, who, what)
SELECT tenant_id, id, id + l, at, '明天', (ARRAY['accepted', 'processed', 'shipped'])[l]
FROM p, made, generate_series(1, 3) l;

INSERT INTO movement (tenant_id, at, id, article_id, location_id, kind, delta, on_hand, document, who)
SELECT tenant_id, now - (movements - n) * (span / movements), last - (movements - n) * (width / movements),
       1 + (n * 31) % articles, location, (ARRAY['shipment', 'receipt', 'stocktake'])[1 + n % 3],
       (ARRAY[-2, 2, 0])[1 + n % 3], 1000,
       CASE WHEN n % 3 = 0 THEN 'H' || lpad((n * orders / movements)::text, 8, '0') ELSE '' END, '明天'
FROM p, generate_series(1, movements) n;

INSERT INTO delivery (tenant_id, id, connection_id, kind, document, key, turn, state, sealed, payload, attempts,
                      last_error, created_at, settled_at)
SELECT tenant_id, id, connection, 'order_shipped', 'H' || lpad(n::text, 8, '0'), id, 1, state, false, '{}', 1,
       CASE WHEN state <> 'delivered' THEN 'HTTP 500' END, at,
       CASE WHEN state IN ('delivered', 'rejected') THEN at END
FROM p, made, LATERAL (
    SELECT CASE WHEN fresh THEN (ARRAY['needs_attention', 'rejected', 'waiting'])[1 + n % 3] ELSE 'delivered' END
) s (state);

INSERT INTO attempt (tenant_id, at, id, delivery_id, connection_id, outcome, status, duration_us)
SELECT tenant_id, at, id, id, connection, CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'delivered' END, 200, 20000
FROM p, made;

INSERT INTO exchange (tenant_id, at, id, connection_id, direction, document, method, path, status, refused,
                      duration_us, request, reply)
SELECT tenant_id, at, id, connection, CASE WHEN n % 2 = 0 THEN 'in' ELSE 'out' END, 'H' || lpad(n::text, 8, '0'),
       'POST', '/inorder', CASE WHEN n % 5000 = 0 THEN 500 ELSE 200 END, n % 3000 = 0, 12000, body, body
FROM p, made;

INSERT INTO dispatch (tenant_id, order_id, province, city)
SELECT tenant_id, id, '浙江', '杭州' FROM p, made WHERE by_outlets;

INSERT INTO dispatch_goods (tenant_id, order_id, line, article_id, qty)
SELECT tenant_id, id, l, 1 + (n * 31 + l * 7) % articles, 1 + n % 3
FROM p, made, generate_series(1, 2) l WHERE by_outlets;

INSERT INTO dispatch_note (tenant_id, id, order_id, number, location_id, round, state, onward, why, created_at,
                           answered_at)
SELECT p.tenant_id, made.id + 9, made.id, 'N' || lpad(n::text, 8, '0'), l.id, 1,
       CASE WHEN fresh THEN 'open' WHEN n % 30 = 1 THEN 'refused' ELSE 'done' END,
       CASE WHEN fresh OR n % 30 <> 1 THEN 'none' WHEN n % 6000 = 1 THEN 'parked' ELSE 'sourced' END,
       'has all of it, same city', at, CASE WHEN NOT fresh THEN at END
FROM p, made JOIN location l ON l.code = '600' || 1 + n % 4 WHERE by_outlets AND l.tenant_id = p.tenant_id;

INSERT INTO dispatch_line (tenant_id, note_id, line, article_id, qty, shipped)
SELECT tenant_id, id + 9, l, 1 + (n * 31 + l * 7) % articles, 1 + n % 3,
       CASE WHEN fresh OR n % 30 = 1 THEN 0 ELSE 1 + n % 3 END
FROM p, made, generate_series(1, 2) l WHERE by_outlets;

INSERT INTO piece (tenant_id, code, article_id, location_id)
SELECT p.tenant_id, 'P' || lpad(n::text, 8, '0'), 1 + n % articles, l.id
FROM p, made JOIN location l ON l.code = '600' || 1 + n % 4 WHERE n % 2 = 0 AND l.tenant_id = p.tenant_id;

INSERT INTO discrepancy (tenant_id, id, kind, subject, text, opened_at, resolved_at)
SELECT tenant_id, id, (ARRAY['silent', 'total', 'moved'])[1 + n % 3], 'D' || n, 'It differs.', at,
       CASE WHEN n % 20 <> 0 THEN at END
FROM p, made WHERE n % 20 IN (0, 3);

INSERT INTO audit (tenant_id, id, at, who, what, subject, reason)
SELECT tenant_id, id, at, '管理员', (ARRAY['reveal receiver', 'sign in', 'connection set'])[1 + n % 3],
       'H' || lpad(n::text, 8, '0'), '快递问路'
FROM p, made WHERE n % 4 = 0;

INSERT INTO level (tenant_id, connection_id, item, article_id, told, told_at, trouble)
SELECT tenant_id, connection, n, n, '5', now, CASE WHEN n % 1000 = 0 THEN 'unknown style' END
FROM p, generate_series(1, articles) n;

INSERT INTO discrepancy (tenant_id, id, kind, connection_id, subject, document, text, details, opened_at, resolved_at)
SELECT tenant_id, id + 1, 'not_taken', connection, 'T' || n, 'T' || n, 'It was turned away: no article is called XX1.',
       '{"code": "unknown_goods", "names": ["XX1"], "by": "style", "of": "order"}', at, CASE WHEN n % 400 <> 0 THEN at END
FROM p, made WHERE n % 200 = 0;

INSERT INTO listing (tenant_id, connection_id, id, type, key, article_id)
SELECT p.tenant_id, c.id, n, (ARRAY['normal', 'group', 'integral'])[1 + n % 3], 'K' || lpad(n::text, 8, '0'), n
FROM p JOIN connection c ON c.tenant_id = p.tenant_id AND c.name = 'minimall', generate_series(1, articles) n;

INSERT INTO reconciliation (tenant_id, connection_id, kind, day, file, who, theirs, ours, differing)
SELECT tenant_id, connection, kind, now::date - day, 'list.csv', '管理员', 1000, 1000, 20
FROM p, generate_series(0, 365) day, (VALUES ('orders'), ('stock'), ('refunds')) k (kind);

INSERT INTO discrepancy (tenant_id, id, kind, connection_id, subject, text, details, resolved_at)
SELECT tenant_id, last + 1 + day * 100 + n, 'orders_differ', connection, (now::date - day)::text || ' H' || n, 'It differs.',
       '{"theirs": null, "ours": {"qty": 1}}', CASE WHEN day % 7 <> 0 THEN now END
FROM p, generate_series(0, 365) day, generate_series(1, 20) n;
