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
