-- name: one
SELECT d.connection_id, d.also, d.sealed, d.payload, d.turn_at FROM delivery d WHERE d.tenant_id = $1 AND d.id = $2;

-- name: order_of
SELECT id FROM sales_order WHERE tenant_id = $1 AND number = $2 ORDER BY id DESC LIMIT 1;

-- name: last_call
SELECT at, id, status, duration_us, request, reply FROM exchange
WHERE tenant_id = $1 AND connection_id = $2 AND direction = 'out'
  AND (at, id) IN (SELECT at, id FROM exchange WHERE tenant_id = $1 AND document = $3 AND document IS NOT NULL
                   UNION SELECT at, id FROM exchange WHERE tenant_id = $1 AND also @> ARRAY[$3::text])
ORDER BY at DESC, id DESC LIMIT 1;

-- name: act
SELECT id, act, filter, who, reason, done, created_at, finished_at FROM delivery_act WHERE tenant_id = $1 AND id = $2;
