-- What the doctor looks at. These look across tenants: a hub is well or not as a whole.

-- name: server
-- The server itself: its version, what makes a commit durable, its clock, how much it holds.
SELECT current_setting('server_version_num')::int AS version,
       current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('server_encoding') AS encoding,
       clock_timestamp() AS now,
       pg_database_size(current_database()) AS bytes;

-- name: applied
-- The migrations this database has had; yoyo counts the package's own file as one.
SELECT migration_id FROM _yoyo_migration WHERE migration_id <> '__init__';

-- name: queues
-- What waits: the longest overdue lane, what needs a person, the oldest level that a partner with a URL was
-- not told, and how long ago a courier was last seen (nulls where there is none).
SELECT (SELECT extract(epoch FROM now() - min(due))::float8 FROM lane WHERE due <= now()) AS overdue,
       (SELECT count(*) FROM delivery WHERE state = 'needs_attention' AND settled_at IS NULL) AS attention,
       (SELECT extract(epoch FROM now() - min(v.dirty_since))::float8
        FROM level v
        JOIN connection c ON c.tenant_id = v.tenant_id AND c.id = v.connection_id
        WHERE v.dirty_since IS NOT NULL AND v.trouble IS NULL AND c.partner_url IS NOT NULL) AS untold,
       (SELECT extract(epoch FROM now() - max(seen_at))::float8 FROM courier) AS courier;

-- name: reach
-- Until when each partitioned table has partitions ($1: their names): the newest partition's name, and
-- whether rows lie in the default one.
SELECT p.relname::text AS name, max(c.relname::text) FILTER (WHERE c.relname ~ '_\d{8}$') AS newest
FROM pg_class p
LEFT JOIN pg_inherits i ON i.inhparent = p.oid
LEFT JOIN pg_class c ON c.oid = i.inhrelid
WHERE p.oid = ANY (SELECT to_regclass(one) FROM unnest($1::text[]) one)
GROUP BY 1;

-- name: schedules
-- What should have run by now, and what failed when it last ran.
SELECT tenant_id, name, extract(epoch FROM now() - next_at)::float8 AS late, every, last_error,
       coalesce(lease_until > now(), false) AS running
FROM schedule;

-- name: sample
-- Of up to $1 balances from a random place on: those that their movements or open reservations do not prove.
WITH held AS (
    SELECT tenant_id, article_id, location_id, on_hand, reserved FROM stock
    WHERE (tenant_id, article_id) >= (SELECT tenant_id, article_id FROM stock
                                      OFFSET floor($2::float8 * (SELECT count(*) FROM stock)) LIMIT 1)
    ORDER BY tenant_id, article_id, location_id
    LIMIT $1
), proven AS (
    SELECT h.*,
           coalesce((SELECT sum(m.delta) FROM movement m
                     WHERE m.tenant_id = h.tenant_id AND m.article_id = h.article_id
                       AND m.location_id = h.location_id), 0) AS moved,
           coalesce((SELECT sum(r.qty) FROM reservation r
                     WHERE r.tenant_id = h.tenant_id AND r.article_id = h.article_id
                       AND r.location_id = h.location_id AND r.state = 'open'), 0) AS promised
    FROM held h
)
SELECT count(*) AS looked_at,
       count(*) FILTER (WHERE on_hand <> moved OR reserved <> promised) AS wrong
FROM proven;

-- name: empty
-- Whether this database holds no table of anybody's.
SELECT NOT EXISTS (
    SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
      AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
) AS empty;

-- name: tenants
SELECT tenant_id, name FROM tenant ORDER BY name;

-- name: credentials
SELECT sealed FROM credential;

-- name: holdings
-- What a restored hub holds, for a person to compare.
SELECT (SELECT count(*) FROM tenant) AS tenants, (SELECT count(*) FROM connection) AS connections,
       (SELECT count(*) FROM article) AS articles, (SELECT count(*) FROM sales_order) AS orders,
       (SELECT count(*) FROM movement) AS movements;
