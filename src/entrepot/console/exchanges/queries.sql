-- name: page
-- Newest first, keyset by (at, id). One branch per index; parameters switch the others off. A connection is
-- a span of one, so that a quiet one's calls are not sought among everybody's by time.
-- $2 number, $3 connection, $4 direction, $5 only failed, $6 and $7 before, $8 and $9 days, $10 limit.
WITH hits AS (
    (SELECT at, id FROM exchange
     WHERE tenant_id = $1 AND $2::text IS NULL AND $3::bigint IS NULL AND NOT $5
       AND ($4::text IS NULL OR direction = $4) AND at >= $8 AND at < $9
       AND ($6::timestamptz IS NULL OR (at, id) < ($6, $7::bigint))
     ORDER BY at DESC, id DESC LIMIT $10)
    UNION ALL
    (SELECT at, id FROM exchange
     WHERE tenant_id = $1 AND $2::text IS NULL AND $3::bigint IS NULL AND $5
       AND (refused OR status IS NULL OR status >= 400)
       AND ($4::text IS NULL OR direction = $4) AND at >= $8 AND at < $9
       AND ($6::timestamptz IS NULL OR (at, id) < ($6, $7::bigint))
     ORDER BY at DESC, id DESC LIMIT $10)
    UNION ALL
    (SELECT at, id FROM exchange
     WHERE tenant_id = $1 AND $2::text IS NULL AND connection_id >= $3 AND connection_id <= $3
       AND ($4::text IS NULL OR direction = $4) AND (NOT $5 OR refused OR status IS NULL OR status >= 400)
       AND at >= $8 AND at < $9 AND ($6::timestamptz IS NULL OR (at, id) < ($6, $7::bigint))
     ORDER BY connection_id DESC, at DESC FETCH FIRST $10 ROWS WITH TIES)
    UNION ALL
    (SELECT at, id FROM (
        SELECT at, id FROM exchange WHERE tenant_id = $1 AND document = $2 AND document IS NOT NULL
        UNION
        SELECT at, id FROM exchange WHERE tenant_id = $1 AND also @> ARRAY[$2::text]
     ) of_number
     WHERE at >= $8 AND at < $9 AND ($6::timestamptz IS NULL OR (at, id) < ($6, $7::bigint)))
)
SELECT e.at, e.id, e.direction, e.connection_id, c.name AS connection, e.document, e.method, e.path,
       e.status, e.refused, e.duration_us
FROM hits h
JOIN exchange e ON e.tenant_id = $1 AND e.at = h.at AND e.id = h.id
JOIN connection c ON c.tenant_id = $1 AND c.id = e.connection_id
WHERE ($3::bigint IS NULL OR e.connection_id = $3) AND ($4::text IS NULL OR e.direction = $4)
  AND (NOT $5 OR e.refused OR e.status IS NULL OR e.status >= 400)
ORDER BY e.at DESC, e.id DESC
LIMIT $10;

-- name: one
SELECT e.at, e.id, e.direction, e.connection_id, c.name AS connection, c.dialect, e.document, e.also,
       e.method, e.path, e.status, e.refused, e.duration_us, e.request, e.reply
FROM exchange e JOIN connection c ON c.tenant_id = $1 AND c.id = e.connection_id
WHERE e.tenant_id = $1 AND e.at = $2 AND e.id = $3;
