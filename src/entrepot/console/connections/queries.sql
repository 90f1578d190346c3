-- name: health
-- How every connection fares: from its newest calls, what is open, and what the courier knows. Bounded looks.
-- A span of one connection, so that a quiet one's few calls are not sought among everybody's by time.
SELECT c.id, c.name, c.dialect, c.role, c.partner_url, c.paused, c.created_at,
       x.last_in, x.last_out, x.last_good, x.calls, x.failed,
       o.waiting, o.oldest, n.attention, s.open_since, s.held_until, s.held_for,
       f.tries AS feed_tries, f.last_error AS feed_error
FROM connection c
LEFT JOIN LATERAL (
    SELECT max(at) FILTER (WHERE direction = 'in') AS last_in,
           max(at) FILTER (WHERE direction = 'out') AS last_out,
           max(at) FILTER (WHERE direction = 'out' AND status < 400) AS last_good,
           count(*) FILTER (WHERE direction = 'out' AND at > now() - interval '1 hour') AS calls,
           count(*) FILTER (WHERE direction = 'out' AND at > now() - interval '1 hour'
                            AND (status IS NULL OR status >= 400)) AS failed
    FROM (SELECT at, direction, status FROM exchange
          WHERE tenant_id = $1 AND connection_id >= c.id AND connection_id <= c.id
          ORDER BY connection_id DESC, at DESC LIMIT 200) newest
) x ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS waiting, min(created_at) AS oldest
    FROM (SELECT created_at FROM delivery
          WHERE tenant_id = $1 AND connection_id = c.id AND settled_at IS NULL LIMIT 1001) open
) o ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS attention
    FROM (SELECT FROM delivery
          WHERE tenant_id = $1 AND state IN ('needs_attention', 'rejected') AND connection_id = c.id
          LIMIT 1001) stuck
) n ON true
LEFT JOIN courier_state s ON s.tenant_id = $1 AND s.connection_id = c.id
LEFT JOIN feed f ON f.tenant_id = $1 AND f.connection_id = c.id
WHERE c.tenant_id = $1 AND ($2::bigint IS NULL OR c.id = $2)
ORDER BY c.name;

-- name: listings
SELECT count(*) FROM (SELECT FROM listing WHERE tenant_id = $1 AND connection_id = $2 LIMIT 1001) listed;

-- name: changes
SELECT at, who, what, reason, details FROM audit WHERE tenant_id = $1 AND subject = $2 AND what LIKE 'connection%'
ORDER BY id DESC LIMIT 20;

-- name: names
-- What a connection ($2) calls articles, by kind and key after ($3, $4); trouble: what the partner said of the level.
SELECT l.type, l.key, a.id AS article_id, a.sku, a.name, v.trouble
FROM (SELECT * FROM listing WHERE tenant_id = $1 AND connection_id = $2 AND (type, key) > ($3, $4)
      ORDER BY type, key LIMIT $5) l
JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
LEFT JOIN level v ON v.tenant_id = $1 AND v.connection_id = $2 AND v.item = l.id
ORDER BY l.type, l.key;

-- name: names_like
-- What a connection ($2) calls the article of a SKU ($3), and its names whose key begins so ($3 to $4). Keys stand
-- behind their kinds in the index; of these there are few, and each is looked at once.
WITH RECURSIVE kinds (type) AS (
    (SELECT type FROM listing WHERE tenant_id = $1 AND connection_id = $2 ORDER BY type LIMIT 1)
    UNION ALL
    SELECT (SELECT type FROM listing WHERE tenant_id = $1 AND connection_id = $2 AND type > k.type
            ORDER BY type LIMIT 1)
    FROM kinds k WHERE k.type IS NOT NULL
), hits AS (
    SELECT h.id, h.type, h.key, h.article_id FROM kinds k
    CROSS JOIN LATERAL (SELECT id, type, key, article_id FROM listing
                        WHERE tenant_id = $1 AND connection_id = $2 AND type = k.type AND key >= $3 AND key < $4
                        ORDER BY key LIMIT $5) h
    UNION
    SELECT l.id, l.type, l.key, l.article_id FROM article a
    JOIN listing l ON l.tenant_id = $1 AND l.article_id = a.id AND l.connection_id = $2
    WHERE a.tenant_id = $1 AND a.sku = $3
)
SELECT h.type, h.key, a.id AS article_id, a.sku, a.name, v.trouble
FROM (SELECT * FROM hits ORDER BY type, key LIMIT $5) h
JOIN article a ON a.tenant_id = $1 AND a.id = h.article_id
LEFT JOIN level v ON v.tenant_id = $1 AND v.connection_id = $2 AND v.item = h.id
ORDER BY h.type, h.key;
