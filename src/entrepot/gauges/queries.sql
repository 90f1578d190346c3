-- What a monitor asks of the whole hub; no tenant is told from another.

-- name: queue
-- Deliveries that are not done, by state, and the age of the oldest.
SELECT state, count(*) AS number, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS age
FROM delivery WHERE state NOT IN ('delivered', 'handled', 'cancelled') GROUP BY state ORDER BY state;

-- name: lag
-- For how long the call that is due for longest has not begun.
SELECT coalesce(extract(epoch FROM now() - min(due)), 0)::float8 AS seconds
FROM lane WHERE NOT leased AND due > '-infinity' AND due <= now();

-- name: levels
-- Stock levels that partners have not accepted, and the age of the oldest; who has no URL yet is not told.
SELECT count(*) AS number, coalesce(extract(epoch FROM now() - min(v.dirty_since)), 0)::float8 AS age
FROM level v
JOIN connection c ON c.tenant_id = v.tenant_id AND c.id = v.connection_id
WHERE v.dirty_since IS NOT NULL AND c.partner_url IS NOT NULL;
