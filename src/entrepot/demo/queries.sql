-- name: live_orders
-- Orders of the traffic that stand in some state for a while, the oldest first.
SELECT number, state FROM sales_order
WHERE tenant_id = $1 AND connection_id = $2 AND state = ANY($3::text[]) AND number LIKE 'LIVE%'
  AND changed_at < now() - make_interval(secs => $4)
ORDER BY id
LIMIT 50;
