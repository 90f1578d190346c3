-- name: live_orders
-- Orders of the traffic that stand in some state for a while, the oldest first.
SELECT number, state FROM sales_order
WHERE tenant_id = $1 AND connection_id = $2 AND state = ANY($3::text[]) AND number LIKE 'LIVE%'
  AND changed_at < now() - make_interval(secs => $4)
ORDER BY id
LIMIT 50;

-- name: live_sales
-- Lines of the traffic's own orders that have prices and stand in a state for a while, the oldest first.
SELECT o.number, m.customer_id, p.product_id, p.unit_id, p.qty, p.price, p.gift
FROM (SELECT id, number FROM sales_order
      WHERE tenant_id = $1 AND connection_id IS NULL AND state = $2 AND number LIKE 'LIVE%'
        AND changed_at < now() - make_interval(secs => $3)
        AND EXISTS (SELECT FROM order_money m WHERE m.tenant_id = $1 AND m.order_id = sales_order.id)
      ORDER BY id DESC
      LIMIT 50) AS o
JOIN order_money m ON m.tenant_id = $1 AND m.order_id = o.id
JOIN order_price p ON p.tenant_id = $1 AND p.order_id = o.id
ORDER BY o.id, p.part;

-- name: live_stock
-- What lies where of the goods that the traffic sells in stores.
SELECT a.sku, l.code, s.on_hand
FROM article a
JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE a.tenant_id = $1 AND a.sku LIKE 'LIVE-%/%/%';

-- name: live_notes
-- Notes over these goods that have still to be shipped, the oldest first.
SELECT n.number
FROM dispatch_note n
WHERE n.tenant_id = $1 AND n.state = 'open' AND EXISTS (
    SELECT FROM dispatch_line x JOIN article a ON a.tenant_id = $1 AND a.id = x.article_id
    WHERE x.tenant_id = $1 AND x.note_id = n.id AND a.sku LIKE 'LIVE-%/%/%')
ORDER BY n.id
LIMIT 50;

-- name: live_packages
-- The newest parcels of the traffic.
SELECT n.number, p.waybill
FROM package p JOIN dispatch_note n ON n.tenant_id = $1 AND n.id = p.note_id
WHERE p.tenant_id = $1 AND EXISTS (
    SELECT FROM package_piece x JOIN article a ON a.tenant_id = $1 AND a.id = x.article_id
    WHERE x.tenant_id = $1 AND x.package_id = p.id AND a.sku LIKE 'LIVE-%/%/%')
ORDER BY p.id DESC
LIMIT 5;

-- name: live_pieces
-- Pieces of the traffic that are with buyers, those that left last first.
SELECT p.code
FROM piece p JOIN article a ON a.tenant_id = $1 AND a.id = p.article_id AND a.sku LIKE 'LIVE-%/%/%'
WHERE p.tenant_id = $1 AND p.state = 'shipped'
ORDER BY p.changed_at DESC
LIMIT 20;
