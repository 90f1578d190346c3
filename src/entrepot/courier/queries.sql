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

-- name: peek
-- Which connections (of any tenant) have something due. A read, so that idling costs next to nothing.
SELECT w.tenant_id
FROM unnest($1::bigint[], $2::bigint[]) AS w(tenant_id, connection_id)
WHERE EXISTS (SELECT FROM lane l
              WHERE l.tenant_id = w.tenant_id AND l.connection_id = w.connection_id AND l.due <= now());

-- name: claim
-- Lease the heads that are due, at most n a connection: those a person forced first, then by due.
-- forced_only: the gate is closed for the others. min_age: only those whose turn came so long ago.
WITH want AS (
    SELECT * FROM unnest($2::bigint[], $3::int[], $4::boolean[], $5::float8[])
        AS w(connection_id, n, forced_only, min_age)
), picked AS (
    SELECT l.*
    FROM want w
    CROSS JOIN LATERAL (
        SELECT connection_id, key, leased FROM lane
        WHERE tenant_id = $1 AND connection_id = w.connection_id
          AND due <= CASE WHEN w.forced_only THEN '-infinity' ELSE now() END
          AND turn_at <= now() - make_interval(secs => w.min_age)
        ORDER BY due
        LIMIT w.n
        FOR UPDATE SKIP LOCKED
    ) l
)
UPDATE lane l SET leased = true, token = l.token + 1, due = now() + make_interval(secs => $6)
FROM picked p
WHERE l.tenant_id = $1 AND l.connection_id = p.connection_id AND l.key = p.key
RETURNING l.connection_id, l.key, l.head, l.token, l.tries, l.forced, p.leased AS lost,
          extract(epoch FROM now() - l.turn_at)::float8 AS elapsed;

-- name: heads
SELECT d.id, d.kind, d.document, d.also, d.sealed, d.payload, d.unsure
FROM unnest($2::text::bigint[]) AS h(id)
JOIN delivery d ON d.tenant_id = $1 AND d.id = h.id;

-- name: superseded
-- Those of the deliveries after which a delivery of a kind that makes them pointless was made.
SELECT i.id
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])
    AS i(id, connection_id, key, document, kinds)
WHERE EXISTS (
    SELECT FROM delivery d
    WHERE d.tenant_id = $1 AND d.document = i.document AND d.connection_id = i.connection_id
      AND d.key = i.key AND d.state = 'delivered' AND d.kind = ANY(string_to_array(i.kinds, ','))
);

-- name: lock_claimed
-- First of a settling transaction: with these rows locked, its next statement sees every announcement.
SELECT l.connection_id, l.key
FROM lane l
JOIN unnest($2::text::bigint[], $3::text::bigint[], $4::text::bigint[]) AS c(connection_id, key, token) USING (connection_id, key)
WHERE l.tenant_id = $1 AND l.leased AND l.token = c.token
ORDER BY l.connection_id, l.key
FOR UPDATE OF l;

-- name: settle
-- What became of claimed heads. Only a claim whose token still stands counts; of the others the attempt
-- is noted as late. The lane goes on with the first that is open: itself, an urgent one, or the next.
WITH done AS (
    SELECT *, state NOT IN ('waiting', 'needs_attention') AS final
    FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text::bigint[], $5::text::bigint[], $6::text[], $7::boolean[],
                $8::float8[], $9::float8[], $10::text[], $11::text[], $12::boolean[], $13::text::int[],
                $14::text::bigint[], $15::text[], $16::int[], $17::text::bigint[])
        AS i(connection_id, key, token, id, state, step, wait, deadline, error, reason, unsure, counted,
             attempt_id, outcome, status, duration_us)
), held AS (
    SELECT d.*, l.turn_at, l.tries
    FROM done d
    JOIN lane l ON l.tenant_id = $1 AND l.connection_id = d.connection_id AND l.key = d.key
               AND l.leased AND l.token = d.token
), settled AS (
    UPDATE delivery x
    SET state = h.state, attempts = x.attempts + h.counted, unsure = x.unsure OR h.unsure,
        turn_at = h.turn_at, last_error = coalesce(h.error, CASE WHEN NOT h.final THEN x.last_error END),
        reason = coalesce(h.reason, x.reason), settled_at = CASE WHEN h.final THEN now() END
    FROM held h
    WHERE x.tenant_id = $1 AND x.id = h.id
), next AS (
    SELECT h.connection_id, h.key, n.id, n.rank, n.id = h.id AS same,
           CASE WHEN n.id = h.id THEN h.state ELSE n.state END AS state,
           h.step, h.wait, h.deadline
    FROM held h
    LEFT JOIN LATERAL (
        SELECT d.id, d.rank, d.state FROM delivery d
        WHERE d.tenant_id = $1 AND d.connection_id = h.connection_id AND d.key = h.key
          AND d.settled_at IS NULL AND NOT (h.final AND d.id = h.id)
        ORDER BY d.rank, d.turn
        LIMIT 1
    ) n ON true
), gone AS (
    DELETE FROM lane l USING next n
    WHERE l.tenant_id = $1 AND l.connection_id = n.connection_id AND l.key = n.key AND n.id IS NULL
), moved AS (
    UPDATE lane l
    SET head = n.id, urgent = n.rank = 0, leased = false, forced = false,
        turn_at = CASE WHEN n.same THEN l.turn_at ELSE now() END,
        tries = CASE WHEN n.same THEN l.tries + n.step::int ELSE 0 END,
        tried_at = CASE WHEN n.same THEN now() END,
        due = CASE WHEN n.state = 'needs_attention' THEN 'infinity'
                   WHEN n.same THEN least(now() + make_interval(secs => n.wait),
                                          greatest(now(), l.turn_at + make_interval(secs => n.deadline)))
                   ELSE now() END
    FROM next n
    WHERE l.tenant_id = $1 AND l.connection_id = n.connection_id AND l.key = n.key AND n.id IS NOT NULL
)
INSERT INTO attempt (tenant_id, id, delivery_id, connection_id, outcome, status, duration_us, note)
SELECT $1, d.attempt_id, d.id, d.connection_id, CASE WHEN h.id IS NULL THEN 'late' ELSE d.outcome END,
       d.status, d.duration_us, coalesce(d.error, '')
FROM done d LEFT JOIN held h ON h.connection_id = d.connection_id AND h.key = d.key AND h.token = d.token
WHERE d.outcome IS NOT NULL;

-- name: note_lost
-- Attempts whose process died before it could say how they ended.
INSERT INTO attempt (tenant_id, id, delivery_id, connection_id, outcome, duration_us, note)
SELECT $1, *, 'lost', 0, 'the process ended before the answer was known'
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]);

-- name: keep_leases
UPDATE lane l SET due = now() + make_interval(secs => $5)
FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text::bigint[]) AS c(connection_id, key, token)
WHERE l.tenant_id = $1 AND l.connection_id = c.connection_id AND l.key = c.key
  AND l.leased AND l.token = c.token;

-- name: give_back
-- Leases whose call never began. One that an earlier process lost stays marked as leased, and expired.
UPDATE lane l
SET leased = c.lost, due = CASE WHEN l.forced THEN '-infinity' ELSE now() END
FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text::bigint[], $5::boolean[]) AS c(connection_id, key, token, lost)
WHERE l.tenant_id = $1 AND l.connection_id = c.connection_id AND l.key = c.key
  AND l.leased AND l.token = c.token;

-- name: alive
-- One process says that it lives; returns who else does.
WITH me AS (
    INSERT INTO courier (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET seen_at = now()
), dead AS (
    DELETE FROM courier WHERE seen_at < now() - 10 * make_interval(secs => $2)
)
SELECT id FROM courier WHERE seen_at > now() - make_interval(secs => $2) AND id <> $1;

-- name: leave
DELETE FROM courier WHERE id = $1;

-- name: states
SELECT connection_id, schedule, deadline, paused_since IS NOT NULL AS paused,
       extract(epoch FROM now() - open_since)::float8 AS open_for,
       greatest(extract(epoch FROM held_until - now()), 0)::float8 AS held, held_for
FROM courier_state
WHERE tenant_id = $1;

-- name: save_state
INSERT INTO courier_state (tenant_id, connection_id, schedule, deadline, paused_since, open_since,
                           held_until, held_for)
VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END,
        now() - make_interval(secs => $6), now() + make_interval(secs => $7), $8)
ON CONFLICT (tenant_id, connection_id) DO UPDATE SET
    schedule = EXCLUDED.schedule, deadline = EXCLUDED.deadline,
    paused_since = CASE WHEN $5 THEN coalesce(courier_state.paused_since, now()) END,
    open_since = EXCLUDED.open_since, held_until = EXCLUDED.held_until, held_for = EXCLUDED.held_for;

-- name: replan
-- A changed schedule or deadline holds for the calls that wait already. The jitter comes from the key.
UPDATE lane
SET due = greatest(now(), least(
        coalesce(tried_at, now()) + make_interval(secs =>
            ($3::float8[])[least(tries, cardinality($3::float8[]))] * (0.8 + 0.4 * (key % 997) / 997.0)),
        turn_at + make_interval(secs => $4)))
WHERE tenant_id = $1 AND connection_id = $2 AND NOT leased AND tries > 0
  AND due > '-infinity' AND due < 'infinity';

-- name: resume
-- The clock stood while the connection was paused.
UPDATE lane l
SET turn_at = l.turn_at + (now() - greatest(l.turn_at, s.paused_since))
FROM courier_state s
WHERE s.tenant_id = $1 AND s.connection_id = $2 AND s.paused_since IS NOT NULL
  AND l.tenant_id = $1 AND l.connection_id = $2;
