-- name: announce
-- The lanes first: their rows are the lock, and give each delivery its turn. An urgent delivery becomes
-- the head unless the present one is on its way to the partner.
WITH item AS (
    SELECT *, count(*) OVER (PARTITION BY connection_id, key) AS batch,
           row_number() OVER (PARTITION BY connection_id, key ORDER BY n) AS place
    FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], $6::text[], $7::text[],
                $8::text[], $9::boolean[], $10::bytea[])
         WITH ORDINALITY AS i(id, connection_id, key, urgent, kind, document, also, sealed, payload, n)
), lanes AS (
    INSERT INTO lane (tenant_id, connection_id, key, head, announced, urgent)
    SELECT $1, connection_id, key, (array_agg(id ORDER BY urgent DESC, n))[1], count(*), bool_or(urgent)
    FROM item
    GROUP BY connection_id, key
    ORDER BY connection_id, key
    ON CONFLICT (tenant_id, connection_id, key) DO UPDATE SET
        announced = lane.announced + EXCLUDED.announced,
        urgent = lane.urgent OR (EXCLUDED.urgent AND NOT lane.leased),
        head = CASE WHEN EXCLUDED.urgent AND NOT lane.leased AND NOT lane.urgent THEN EXCLUDED.head ELSE lane.head END,
        due = CASE WHEN EXCLUDED.urgent AND NOT lane.leased AND NOT lane.urgent THEN now() ELSE lane.due END,
        turn_at = CASE WHEN EXCLUDED.urgent AND NOT lane.leased AND NOT lane.urgent THEN now() ELSE lane.turn_at END,
        tries = CASE WHEN EXCLUDED.urgent AND NOT lane.leased AND NOT lane.urgent THEN 0 ELSE lane.tries END
    RETURNING connection_id, key, announced
)
INSERT INTO delivery (tenant_id, id, connection_id, kind, document, also, key, rank, turn, sealed, payload)
SELECT $1, i.id, i.connection_id, i.kind, i.document,
       CASE WHEN i.also <> '' THEN string_to_array(i.also, E'\x1f') END,
       i.key, CASE WHEN i.urgent THEN 0 ELSE 1 END, l.announced - i.batch + i.place, i.sealed, i.payload
FROM item i JOIN lanes l USING (connection_id, key);

-- name: lock_lanes_of
SELECT l.connection_id, l.key
FROM lane l
JOIN (SELECT DISTINCT connection_id, key FROM delivery
      WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND settled_at IS NULL) d USING (connection_id, key)
WHERE l.tenant_id = $1
ORDER BY l.connection_id, l.key
FOR UPDATE OF l;

-- name: withdraw
UPDATE delivery d SET state = 'cancelled', reason = $3, settled_at = now()
FROM lane l
WHERE d.tenant_id = $1 AND d.id = ANY($2::bigint[]) AND d.state = 'waiting' AND d.attempts = 0
  AND l.tenant_id = $1 AND l.connection_id = d.connection_id AND l.key = d.key
  AND NOT (l.leased AND l.head = d.id)
RETURNING d.id, d.connection_id, d.key;

-- name: advance_lanes
-- After acts on locked lanes: a lane whose head was settled goes on with the next, one without open
-- deliveries ends. One that is leased is left to the settling of its call.
WITH touched AS (
    SELECT DISTINCT connection_id, key FROM unnest($2::bigint[], $3::bigint[]) AS t(connection_id, key)
), standing AS (
    SELECT l.connection_id, l.key, next.id, next.state, next.rank
    FROM touched t
    JOIN lane l ON l.tenant_id = $1 AND l.connection_id = t.connection_id AND l.key = t.key AND NOT l.leased
    LEFT JOIN delivery h ON h.tenant_id = $1 AND h.id = l.head
    LEFT JOIN LATERAL (
        SELECT d.id, d.state, d.rank FROM delivery d
        WHERE d.tenant_id = $1 AND d.connection_id = l.connection_id AND d.key = l.key
          AND d.settled_at IS NULL
        ORDER BY d.rank, d.turn
        LIMIT 1
    ) next ON true
    WHERE h.settled_at IS NOT NULL
), gone AS (
    DELETE FROM lane l USING standing s
    WHERE l.tenant_id = $1 AND l.connection_id = s.connection_id AND l.key = s.key AND s.id IS NULL
)
UPDATE lane l
SET head = s.id, urgent = s.rank = 0, turn_at = now(), tries = 0, tried_at = NULL, forced = false,
    due = CASE WHEN s.state = 'needs_attention' THEN 'infinity' ELSE now() END
FROM standing s
WHERE l.tenant_id = $1 AND l.connection_id = s.connection_id AND l.key = s.key AND s.id IS NOT NULL;

-- name: standing
SELECT d.id, d.state, d.attempts > 0 OR coalesce(l.leased AND l.head = d.id, false) AS begun, d.last_error
FROM delivery d
LEFT JOIN lane l ON l.tenant_id = $1 AND l.connection_id = d.connection_id AND l.key = d.key
WHERE d.tenant_id = $1 AND d.id = ANY($2::bigint[]);
