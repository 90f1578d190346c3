-- In the order of the files that ask, each with its own first and last:
--   outbox     announce … standing                  echoes     echoes_waiting … echoed
--   claims     peek … give_back                     watch      alive … outgrown
--   levels     by_index … rules_digest              telling    keep_feed … forget_levels
--   desk       ask_round … connection_states        schedules  schedules … drop_schedules
--   retention  partitions

-- name: announce
-- The lanes first: their rows are the lock, and give each delivery its turn. An urgent delivery becomes
-- the head unless the present one is on its way to the partner, and is due before all that is not urgent.
WITH item AS (
    SELECT *, count(*) OVER (PARTITION BY connection_id, key) AS batch,
           row_number() OVER (PARTITION BY connection_id, key ORDER BY n) AS place
    FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], $6::text[], $7::text[],
                $8::text[], $9::boolean[], $10::bytea[], $11::int[])
         WITH ORDINALITY AS i(id, connection_id, key, urgent, kind, document, also, sealed, payload, echo, n)
), lanes AS (
    INSERT INTO lane (tenant_id, connection_id, key, head, announced, urgent, due)
    SELECT $1, connection_id, key, (array_agg(id ORDER BY urgent DESC, n))[1], count(*), bool_or(urgent),
           CASE WHEN bool_or(urgent) THEN now() - interval '1 day' ELSE now() END
    FROM item
    GROUP BY connection_id, key
    ORDER BY connection_id, key
    ON CONFLICT (tenant_id, connection_id, key) DO UPDATE SET
        announced = lane.announced + EXCLUDED.announced,
        urgent = lane.urgent OR (EXCLUDED.urgent AND NOT lane.leased),
        head = CASE WHEN EXCLUDED.urgent AND NOT lane.leased AND NOT lane.urgent THEN EXCLUDED.head ELSE lane.head END,
        due = CASE WHEN EXCLUDED.urgent AND NOT lane.leased AND NOT lane.urgent THEN EXCLUDED.due ELSE lane.due END,
        turn_at = CASE WHEN EXCLUDED.urgent AND NOT lane.leased AND NOT lane.urgent THEN now() ELSE lane.turn_at END,
        tries = CASE WHEN EXCLUDED.urgent AND NOT lane.leased AND NOT lane.urgent THEN 0 ELSE lane.tries END
    RETURNING connection_id, key, announced
)
INSERT INTO delivery (tenant_id, id, connection_id, kind, document, also, key, rank, turn, sealed, payload, echo)
SELECT $1, i.id, i.connection_id, i.kind, i.document,
       CASE WHEN i.also <> '' THEN string_to_array(i.also, E'\x1f') END,
       i.key, CASE WHEN i.urgent THEN 0 ELSE 1 END, l.announced - i.batch + i.place, i.sealed, i.payload,
       i.echo
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
WHERE d.tenant_id = $1 AND d.id = ANY($2::bigint[]) AND d.state IN ('waiting', 'needs_attention')
  AND ($4::boolean OR (d.state = 'waiting' AND d.attempts = 0))
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

-- name: echoes_waiting
-- Which of these tenants have settled deliveries whose consequences have not been drawn.
SELECT t.tenant_id FROM unnest($1::bigint[]) AS t(tenant_id)
WHERE EXISTS (SELECT FROM delivery d
              WHERE d.tenant_id = t.tenant_id AND d.echo = 1 AND d.settled_at IS NOT NULL);

-- name: echoes
SELECT d.id, d.connection_id, d.kind, d.key, d.document, d.state, d.last_error, d.reason
FROM delivery d
WHERE d.tenant_id = $1 AND d.echo = 1 AND d.settled_at IS NOT NULL AND d.id <> ALL($2::bigint[])
ORDER BY d.id
LIMIT $3;

-- name: echoed
UPDATE delivery d SET echo = 2
WHERE d.tenant_id = $1 AND d.id = ANY($2::bigint[]) AND d.echo = 1 AND d.settled_at IS NOT NULL
RETURNING d.id;

-- name: peek
-- Which connections (of any tenant) have something due. A read, so that idling costs next to nothing.
SELECT w.tenant_id
FROM unnest($1::bigint[], $2::bigint[]) AS w(tenant_id, connection_id)
WHERE EXISTS (SELECT FROM lane l
              WHERE l.tenant_id = w.tenant_id AND l.connection_id + 0 = w.connection_id AND l.due <= now());

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
        WHERE tenant_id = $1 AND connection_id + 0 = w.connection_id
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
-- First of a settling transaction, in the order of the arrays: with these rows locked, its next statement
-- sees every announcement. One row at a time by its key, whatever the planner knows of the table.
SELECT l.connection_id, l.key
FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text::bigint[]) AS c(connection_id, key, token)
CROSS JOIN LATERAL (
    SELECT connection_id, key FROM lane
    WHERE tenant_id = $1 AND connection_id = c.connection_id AND key = c.key AND leased AND token = c.token
    FOR UPDATE
) l;

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
), found AS (
    SELECT d.*, l.turn_at
    FROM done d
    LEFT JOIN LATERAL (
        SELECT turn_at FROM lane
        WHERE tenant_id = $1 AND connection_id = d.connection_id AND key = d.key AND leased AND token = d.token
        OFFSET 0
    ) l ON true
), held AS (
    SELECT * FROM found WHERE turn_at IS NOT NULL
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
                   WHEN n.rank = 0 THEN now() - interval '1 day'
                   ELSE now() END
    FROM next n
    WHERE l.tenant_id = $1 AND l.connection_id = n.connection_id AND l.key = n.key AND n.id IS NOT NULL
)
INSERT INTO attempt (tenant_id, id, delivery_id, connection_id, outcome, status, duration_us, note)
SELECT $1, attempt_id, id, connection_id, CASE WHEN turn_at IS NULL THEN 'late' ELSE outcome END, status,
       duration_us, coalesce(error, '')
FROM found
WHERE outcome IS NOT NULL;

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

-- name: others_alive
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
                           held_until, held_for, reach)
VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END,
        now() - make_interval(secs => $6), now() + make_interval(secs => $7), $8, $9)
ON CONFLICT (tenant_id, connection_id) DO UPDATE SET
    schedule = EXCLUDED.schedule, deadline = EXCLUDED.deadline,
    paused_since = CASE WHEN $5 THEN coalesce(courier_state.paused_since, now()) END,
    open_since = EXCLUDED.open_since, held_until = EXCLUDED.held_until, held_for = EXCLUDED.held_for,
    reach = EXCLUDED.reach;

-- name: replan
-- A changed schedule or deadline holds for the calls that wait already. The jitter comes from the key.
UPDATE lane
SET due = greatest(now(), least(
        coalesce(tried_at, now()) + make_interval(secs =>
            ($3::float8[])[least(tries, cardinality($3::float8[]))] * (0.8 + 0.4 * (key % 997) / 997.0)),
        turn_at + make_interval(secs => $4)))
WHERE tenant_id = $1 AND connection_id = $2 AND NOT leased AND tries > 0
  AND due > '-infinity' AND due < 'infinity';

-- name: mended
-- Another address, other networks or secrets: what waits for its next try may well be taken now. The clocks go
-- on, and what needs a person still does.
WITH changed AS (
    SELECT FROM courier_state WHERE tenant_id = $1 AND connection_id = $2 AND reach <> $3
), fed AS (
    UPDATE feed SET due = now()
    WHERE tenant_id = $1 AND connection_id = $2 AND NOT leased AND due > now() AND EXISTS (SELECT FROM changed)
)
UPDATE lane SET due = now()
WHERE tenant_id = $1 AND connection_id = $2 AND NOT leased AND due > now() AND due < 'infinity'
  AND EXISTS (SELECT FROM changed);

-- name: resume
-- The clock stood while the connection was paused.
UPDATE lane l
SET turn_at = l.turn_at + (now() - greatest(l.turn_at, s.paused_since))
FROM courier_state s
WHERE s.tenant_id = $1 AND s.connection_id = $2 AND s.paused_since IS NOT NULL
  AND l.tenant_id = $1 AND l.connection_id = $2;

-- name: outgrown
-- Tables that have grown tenfold since the planner last heard of them, or that it never heard of.
SELECT c.relname::text AS name
FROM pg_class c
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relkind = 'r' AND pg_relation_size(c.oid) > 65536
  AND (c.reltuples < 0 OR pg_relation_size(c.oid) > 10 * current_setting('block_size')::bigint * c.relpages)
  AND (c.oid = ANY(ARRAY['lane', 'level', 'listing', 'article', 'stock']::regclass[])
       OR i.inhparent = ANY(ARRAY['delivery', 'attempt']::regclass[]));

-- name: by_index
-- First of a transaction about levels. Its statements go from the few to the many one index entry at a time
-- (LATERAL … OFFSET 0), and take pages in the order of an index: no plan that reads a whole catalogue is ever
-- right there, and right after a million rows were imported, or with a plan made while there were ten,
-- PostgreSQL believes that it is.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true) WHERE $1::bigint > 0;

-- name: changes_waiting
-- Tenants whose stock changed and whose levels have not been marked yet.
SELECT t.tenant_id FROM unnest($1::bigint[]) AS t(tenant_id)
WHERE EXISTS (SELECT FROM stock_change c WHERE c.tenant_id = t.tenant_id);

-- name: mark_levels
-- Take changes off the list and mark what each connection sells of them: its listings, or styles, or all
-- articles ($5). A changed part changes the suites that contain it.
WITH taken AS (
    DELETE FROM stock_change
    WHERE tenant_id = $1 AND id = ANY(ARRAY(
        SELECT id FROM stock_change WHERE tenant_id = $1 ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED))
    RETURNING article_id
), changed AS (
    SELECT article_id FROM taken
    UNION
    SELECT p.suite_id FROM taken t JOIN suite_part p ON p.tenant_id = $1 AND p.part_id = t.article_id
), sold AS (
    SELECT l.connection_id, l.id AS item, c.article_id
    FROM changed c
    CROSS JOIN LATERAL (SELECT connection_id, id FROM listing
                        WHERE tenant_id = $1 AND article_id = c.article_id
                          AND connection_id = ANY($2::bigint[]) OFFSET 0) l
    UNION ALL
    SELECT s.connection_id, c.article_id, c.article_id
    FROM changed c
    CROSS JOIN LATERAL (SELECT style_no FROM article
                        WHERE tenant_id = $1 AND id = c.article_id AND style_no IS NOT NULL OFFSET 0) a
    CROSS JOIN unnest($3::bigint[]) AS s(connection_id)
    UNION ALL
    SELECT s.connection_id, c.article_id, c.article_id
    FROM changed c CROSS JOIN unnest($5::bigint[]) AS s(connection_id)
), marked AS (
    INSERT INTO level (tenant_id, connection_id, item, article_id, dirty_since)
    SELECT $1, connection_id, item, article_id, now() FROM sold
    ORDER BY connection_id, item
    ON CONFLICT (tenant_id, connection_id, item) DO UPDATE SET
        version = level.version + 1, dirty_since = coalesce(level.dirty_since, now()),
        article_id = EXCLUDED.article_id
)
SELECT count(*) FROM taken;

-- name: feeds_due
-- Feeds that have something to send now: a full send under way or owed to a new URL or shape, a round that
-- was asked for, or levels that have gathered long enough (n of them, or for so many seconds).
SELECT w.tenant_id, w.connection_id
FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::float8[], $5::text[], $6::text[])
    AS w(tenant_id, connection_id, n, wait, url, shape)
LEFT JOIN feed f ON f.tenant_id = w.tenant_id AND f.connection_id = w.connection_id
WHERE coalesce(f.due <= now(), true) AND (
    f.full_after IS NOT NULL OR f.round_at IS NOT NULL
    OR f.told_url IS DISTINCT FROM w.url OR f.shape IS DISTINCT FROM w.shape
    OR (SELECT true FROM level v  -- no EXISTS: that would read all levels, sure to find one soon
        WHERE v.tenant_id = w.tenant_id AND v.connection_id = w.connection_id
          AND v.dirty_since <= now() - make_interval(secs => w.wait)
        ORDER BY v.dirty_since LIMIT 1)
    OR w.n > 0 AND w.n <= (SELECT count(*) FROM (
        SELECT FROM level v
        WHERE v.tenant_id = w.tenant_id AND v.connection_id = w.connection_id
          AND v.dirty_since IS NOT NULL
        LIMIT w.n) gathered)
);

-- name: claim_feed
-- Lease a feed for one round. A new URL or shape owes everything ($5), or a fresh start of what was told.
INSERT INTO feed AS f (tenant_id, connection_id, due, leased, token, told_url, shape, full_after)
VALUES ($1, $2, now() + make_interval(secs => $6), true, 1, $3, $4, CASE WHEN $5 THEN 0 END)
ON CONFLICT (tenant_id, connection_id) DO UPDATE SET
    due = now() + make_interval(secs => $6), leased = true, token = f.token + 1,
    full_after = CASE WHEN f.told_url IS DISTINCT FROM $3 AND $5 OR f.shape <> $4 OR f.full_after < 0 THEN 0
                      ELSE f.full_after END,
    told_url = $3, shape = $4
    WHERE f.due <= now()
RETURNING token, round_at, forced, tries, full_after, now() AS began;

-- name: forget_told
-- A new URL was told nothing yet; what changes from now on is sent whatever the old one knew.
UPDATE level SET told = NULL WHERE tenant_id = $1 AND connection_id = $2 AND told IS NOT NULL;

-- name: feed_url
SELECT told_url FROM feed WHERE tenant_id = $1 AND connection_id = $2;

-- name: end_round
-- wait: seconds until the next round may begin. A round that came to its end takes its wish with it, and no
-- wish that was made meanwhile.
UPDATE feed
SET leased = false, due = now() + make_interval(secs => $4), tries = $5, last_error = $6,
    full_after = CASE WHEN full_after = $7::bigint THEN NULL ELSE full_after END,
    round_at = CASE WHEN $8 AND round_at IS NOT DISTINCT FROM $9::timestamptz THEN NULL ELSE round_at END,
    forced = forced AND NOT ($8 AND round_at IS NOT DISTINCT FROM $9::timestamptz)
WHERE tenant_id = $1 AND connection_id = $2 AND token = $3 AND leased;

-- name: rules_digest
SELECT t.tenant_id, md5(coalesce(string_agg(concat_ws(',', r.id, r.position, r.connection_id), ';' ORDER BY r.id), ''))
       AS digest
FROM unnest($1::bigint[]) AS t(tenant_id)
LEFT JOIN publish_rule r ON r.tenant_id = t.tenant_id AND r.article_id IS NULL
GROUP BY t.tenant_id;

-- name: keep_feed
-- A full send that was asked for anew meanwhile keeps its beginning.
UPDATE feed
SET due = now() + make_interval(secs => $4), full_after = CASE WHEN full_after = $5 THEN $6 ELSE full_after END
WHERE tenant_id = $1 AND connection_id = $2 AND token = $3 AND leased;

-- name: dirty_listings
-- The levels dirty for longest. Their figures are read afterwards, so they are at least as new as the version.
SELECT v.item, v.version, v.told, v.article_id, l.type, l.key
FROM (SELECT * FROM level
      WHERE tenant_id = $1 AND connection_id = $2 AND dirty_since <= $4
      ORDER BY dirty_since, item LIMIT $3) v
LEFT JOIN LATERAL (SELECT type, key FROM listing
                   WHERE tenant_id = $1 AND connection_id = $2 AND id = v.item OFFSET 0) l ON true
ORDER BY v.dirty_since, v.item;

-- name: dirty_styles
SELECT v.item, v.version, v.told, v.article_id, 'style' AS type, a.style_no AS key
FROM (SELECT * FROM level
      WHERE tenant_id = $1 AND connection_id = $2 AND dirty_since <= $4
      ORDER BY dirty_since, item LIMIT $3) v
LEFT JOIN LATERAL (SELECT style_no FROM article WHERE tenant_id = $1 AND id = v.item OFFSET 0) a ON true
ORDER BY v.dirty_since, v.item;

-- name: dirty_articles
SELECT v.item, v.version, v.told, v.article_id, 'article' AS type, a.sku AS key
FROM (SELECT * FROM level
      WHERE tenant_id = $1 AND connection_id = $2 AND dirty_since <= $4
      ORDER BY dirty_since, item LIMIT $3) v
LEFT JOIN LATERAL (SELECT sku FROM article WHERE tenant_id = $1 AND id = v.item OFFSET 0) a ON true
ORDER BY v.dirty_since, v.item;

-- name: all_listings
SELECT l.id AS item, coalesce(v.version, 0) AS version, NULL AS told, l.article_id, l.type, l.key
FROM (SELECT id, article_id, type, key FROM listing
      WHERE tenant_id = $1 AND connection_id = $2 AND id > $4
      ORDER BY id LIMIT $3) l
LEFT JOIN LATERAL (SELECT version FROM level
                   WHERE tenant_id = $1 AND connection_id = $2 AND item = l.id OFFSET 0) v ON true
ORDER BY l.id;

-- name: all_styles
SELECT a.id AS item, coalesce(v.version, 0) AS version, NULL AS told, a.id AS article_id, 'style' AS type,
       a.style_no AS key
FROM (SELECT id, style_no FROM article
      WHERE tenant_id = $1 AND style_no IS NOT NULL AND id > $4
      ORDER BY id LIMIT $3) a
LEFT JOIN LATERAL (SELECT version FROM level
                   WHERE tenant_id = $1 AND connection_id = $2 AND item = a.id OFFSET 0) v ON true
ORDER BY a.id;

-- name: all_articles
SELECT a.id AS item, coalesce(v.version, 0) AS version, NULL AS told, a.id AS article_id, 'article' AS type,
       a.sku AS key
FROM (SELECT id, sku FROM article WHERE tenant_id = $1 AND id > $4 ORDER BY id LIMIT $3) a
LEFT JOIN LATERAL (SELECT version FROM level
                   WHERE tenant_id = $1 AND connection_id = $2 AND item = a.id OFFSET 0) v ON true
ORDER BY a.id;

-- name: acknowledge
-- What the partner took (or refused, which counts as told), if the feed is still ours. A level that changed
-- meanwhile has another version, and is dirty anew.
INSERT INTO level AS v (tenant_id, connection_id, item, article_id, version, told, told_at, trouble)
SELECT $1, $2, a.item, a.article_id, a.version, a.told, now(), $8
FROM unnest($4::text::bigint[], $5::text::bigint[], $6::text::bigint[], $7::text[])
    AS a(item, article_id, version, told)
WHERE EXISTS (SELECT FROM feed f WHERE f.tenant_id = $1 AND f.connection_id = $2 AND f.token = $3 AND f.leased)
ORDER BY a.item
ON CONFLICT (tenant_id, connection_id, item) DO UPDATE SET
    told = EXCLUDED.told, told_at = now(), trouble = EXCLUDED.trouble,
    dirty_since = CASE WHEN v.version <> EXCLUDED.version THEN now() END;

-- name: clear_unchanged
-- Levels that changed and changed back: nothing to tell.
INSERT INTO level AS v (tenant_id, connection_id, item, article_id, version, told)
SELECT $1, $2, a.item, a.article_id, a.version, a.told
FROM unnest($3::text::bigint[], $4::text::bigint[], $5::text::bigint[], $6::text[])
    AS a(item, article_id, version, told)
ORDER BY a.item
ON CONFLICT (tenant_id, connection_id, item) DO UPDATE SET
    dirty_since = CASE WHEN v.version <> EXCLUDED.version THEN now() END;

-- name: forget_levels
-- What is no longer sold there.
DELETE FROM level v USING unnest($3::text::bigint[]) AS a(item)
WHERE v.tenant_id = $1 AND v.connection_id = $2 AND v.item = a.item;

-- name: ask_round
-- A tick or a person wants a round; everything when full. What a person wants ignores a breaker and a backoff,
-- and what went wrong before they asked is no answer to them. A full send asked for stands before every item
-- (-1) until a round begins it.
INSERT INTO feed AS f (tenant_id, connection_id, round_at, forced, full_after)
VALUES ($1, $2, now(), $3, CASE WHEN $4 THEN -1 END)
ON CONFLICT (tenant_id, connection_id) DO UPDATE SET
    round_at = now(), forced = f.forced OR $3, last_error = CASE WHEN NOT $3 THEN f.last_error END,
    full_after = CASE WHEN $4 THEN -1 ELSE f.full_after END,
    due = CASE WHEN $3 AND NOT f.leased THEN now() ELSE f.due END;

-- name: round_stands
-- Whether what a person asked for is still owed, what went wrong, and whether any courier is there to do it.
SELECT f.forced OR f.leased OR f.full_after IS NOT NULL AS owed, f.last_error,
       EXISTS (SELECT FROM courier WHERE seen_at > now() - make_interval(secs => $3)) AS served
FROM feed f WHERE f.tenant_id = $1 AND f.connection_id = $2;

-- name: find_recent
-- Ids for a list, newest first; connection, kind, error and age narrow every such query.
SELECT d.id FROM delivery d
WHERE d.tenant_id = $1 AND d.id < $2 AND ($3::text IS NULL OR d.state = $3)
  AND ($4::bigint[] IS NULL OR d.connection_id = ANY($4)) AND ($5::text IS NULL OR d.kind = $5)
  AND ($6::text IS NULL OR position($6 IN coalesce(d.last_error, '')) > 0)
  AND ($7::float8 IS NULL OR d.created_at <= now() - make_interval(secs => $7))
ORDER BY d.id DESC
LIMIT $8;

-- name: find_of_document
-- By any number in the call.
SELECT d.id FROM delivery d
JOIN (SELECT id FROM delivery WHERE tenant_id = $1 AND document = $9
      UNION SELECT id FROM delivery WHERE tenant_id = $1 AND also @> ARRAY[$9::text]) n USING (id)
WHERE d.tenant_id = $1 AND d.id < $2 AND ($3::text IS NULL OR d.state = $3)
  AND ($4::bigint[] IS NULL OR d.connection_id = ANY($4)) AND ($5::text IS NULL OR d.kind = $5)
  AND ($6::text IS NULL OR position($6 IN coalesce(d.last_error, '')) > 0)
  AND ($7::float8 IS NULL OR d.created_at <= now() - make_interval(secs => $7))
ORDER BY d.id DESC
LIMIT $8;

-- name: find_sending
SELECT d.id FROM lane l JOIN delivery d ON d.tenant_id = $1 AND d.id = l.head
WHERE l.tenant_id = $1 AND l.leased AND l.due > now() AND d.id < $2
  AND ($3::bigint[] IS NULL OR d.connection_id = ANY($3)) AND ($4::text IS NULL OR d.kind = $4)
ORDER BY d.id DESC
LIMIT $5;

-- name: lines
SELECT d.id, c.name AS connection, d.connection_id, d.kind, d.document, d.attempts, d.last_error, d.reason,
       CASE WHEN l.head = d.id AND l.leased AND l.due > now() THEN 'sending' ELSE d.state END AS state,
       CASE WHEN l.head = d.id AND NOT l.leased AND d.state = 'waiting'
            THEN CASE WHEN l.due = '-infinity' THEN l.turn_at ELSE l.due END END AS due,
       CASE WHEN l.head = d.id THEN l.turn_at ELSE d.turn_at END AS turn_at,
       CASE WHEN d.settled_at IS NULL AND l.head <> d.id THEN l.head END AS behind,
       d.created_at, d.settled_at
FROM unnest($2::bigint[]) AS w(id)
JOIN delivery d ON d.tenant_id = $1 AND d.id = w.id
JOIN connection c ON c.tenant_id = $1 AND c.id = d.connection_id
LEFT JOIN lane l ON l.tenant_id = $1 AND l.connection_id = d.connection_id AND l.key = d.key
                AND d.settled_at IS NULL
ORDER BY d.id DESC;

-- name: level_lines
-- Levels not yet accepted: those that wait, and those that the partner refused.
SELECT v.connection_id, v.item, c.name AS connection, v.dirty_since, v.trouble, coalesce(f.tries, 0) AS tries,
       f.last_error, CASE WHEN f.leased THEN NULL ELSE f.due END AS due
FROM (SELECT connection_id, item, dirty_since, trouble FROM level
      WHERE tenant_id = $1 AND dirty_since IS NOT NULL
      UNION ALL
      SELECT connection_id, item, dirty_since, trouble FROM level
      WHERE tenant_id = $1 AND trouble IS NOT NULL AND dirty_since IS NULL) v
JOIN connection c ON c.tenant_id = $1 AND c.id = v.connection_id
LEFT JOIN feed f ON f.tenant_id = $1 AND f.connection_id = v.connection_id
WHERE ($2::bigint[] IS NULL OR v.connection_id = ANY($2))
  AND ($4::boolean IS NULL OR (v.dirty_since IS NULL) = $4)
ORDER BY v.dirty_since, v.connection_id, v.item
LIMIT $3;

-- name: attempts_of
SELECT at, outcome, status, duration_us, note FROM attempt
WHERE tenant_id = $1 AND delivery_id = $2
ORDER BY at DESC, id DESC
LIMIT $3;

-- name: log_of
SELECT at, who, what, reason FROM delivery_log
WHERE tenant_id = $1 AND delivery_id = $2
ORDER BY id;

-- name: lock_lanes_for_act
SELECT l.connection_id, l.key
FROM lane l
JOIN (SELECT DISTINCT connection_id, key FROM delivery
      WHERE tenant_id = $1 AND id = ANY($2::bigint[])) d USING (connection_id, key)
WHERE l.tenant_id = $1
ORDER BY l.connection_id, l.key
FOR UPDATE OF l;

-- name: retry_heads
WITH again AS (
    UPDATE lane l
    SET due = '-infinity', turn_at = now(), tries = 0, tried_at = NULL, forced = true
    FROM delivery d
    WHERE d.tenant_id = $1 AND d.id = ANY($2::bigint[]) AND d.state IN ('waiting', 'needs_attention')
      AND l.tenant_id = $1 AND l.connection_id = d.connection_id AND l.key = d.key AND l.head = d.id
      AND NOT l.leased
    RETURNING d.id
)
UPDATE delivery d SET state = 'waiting' FROM again a WHERE d.tenant_id = $1 AND d.id = a.id
RETURNING d.id;

-- name: reopen
-- Settled deliveries get another turn, ahead of what waits under their key; what was delivered does so only
-- on connections that overhear.
WITH again AS (
    SELECT d.id, d.connection_id, d.key,
           count(*) OVER (PARTITION BY d.connection_id, d.key) AS batch,
           row_number() OVER (PARTITION BY d.connection_id, d.key ORDER BY d.id) AS place
    FROM delivery d
    WHERE d.tenant_id = $1 AND d.id = ANY($2::bigint[])
      AND (d.state IN ('rejected', 'handled', 'cancelled')
           OR d.state = 'delivered' AND d.connection_id = ANY($3::bigint[]))
), lanes AS (
    INSERT INTO lane (tenant_id, connection_id, key, head, announced, urgent, due, forced)
    SELECT $1, connection_id, key, min(id), count(*), true, '-infinity', true FROM again
    GROUP BY connection_id, key
    ORDER BY connection_id, key
    ON CONFLICT (tenant_id, connection_id, key) DO UPDATE SET
        announced = lane.announced + EXCLUDED.announced,
        head = CASE WHEN lane.leased OR lane.urgent THEN lane.head ELSE EXCLUDED.head END,
        due = CASE WHEN lane.leased OR lane.urgent THEN lane.due ELSE '-infinity' END,
        turn_at = CASE WHEN lane.leased OR lane.urgent THEN lane.turn_at ELSE now() END,
        tries = CASE WHEN lane.leased OR lane.urgent THEN lane.tries ELSE 0 END,
        forced = lane.forced OR NOT (lane.leased OR lane.urgent),
        urgent = lane.urgent OR NOT lane.leased
    RETURNING connection_id, key, announced
)
UPDATE delivery d
SET state = 'waiting', settled_at = NULL, rank = 0, turn = l.announced - a.batch + a.place, reason = NULL,
    echo = least(d.echo, 1)
FROM again a JOIN lanes l USING (connection_id, key)
WHERE d.tenant_id = $1 AND d.id = a.id
RETURNING d.id;

-- name: put_aside
-- Handled or cancelled by a person. What is on its way to the partner cannot be stopped.
UPDATE delivery d SET state = $3, reason = $4, settled_at = coalesce(d.settled_at, now())
WHERE d.tenant_id = $1 AND d.id = ANY($2::bigint[])
  AND (d.state IN ('waiting', 'needs_attention') OR d.state = 'rejected' AND $3 = 'handled')
  AND NOT EXISTS (SELECT FROM lane l
                  WHERE l.tenant_id = $1 AND l.connection_id = d.connection_id AND l.key = d.key
                    AND l.head = d.id AND l.leased)
RETURNING d.id, d.connection_id, d.key;

-- name: write_log
INSERT INTO delivery_log (tenant_id, delivery_id, id, who, what, reason)
SELECT $1, w.delivery_id, w.id, $4, $5, $6 FROM unnest($2::bigint[], $3::bigint[]) AS w(delivery_id, id);

-- name: act_on_levels
-- retry: told anew whatever the partner knows. Otherwise it counts as told until it changes.
UPDATE level v
SET told = CASE WHEN $4 = 'retry' THEN NULL ELSE v.told END, trouble = NULL, version = v.version + 1,
    dirty_since = CASE WHEN $4 = 'retry' THEN coalesce(v.dirty_since, now()) END
FROM unnest($2::bigint[], $3::bigint[]) AS w(connection_id, item)
WHERE v.tenant_id = $1 AND v.connection_id = w.connection_id AND v.item = w.item
  AND (v.dirty_since IS NOT NULL OR v.trouble IS NOT NULL)
RETURNING v.connection_id, v.item;

-- name: begin_act
INSERT INTO delivery_act (tenant_id, id, act, filter, who, reason, upto) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: lock_act
SELECT act, filter, who, reason, after, upto, done FROM delivery_act
WHERE tenant_id = $1 AND id = $2 AND finished_at IS NULL
FOR UPDATE;

-- name: find_for_act
SELECT d.id FROM delivery d
WHERE d.tenant_id = $1 AND d.id > $2 AND d.id <= $3 AND d.state = $4
  AND ($5::bigint[] IS NULL OR d.connection_id = ANY($5)) AND ($6::text IS NULL OR d.kind = $6)
  AND ($7::text IS NULL OR position($7 IN coalesce(d.last_error, '')) > 0)
  AND ($8::float8 IS NULL OR d.created_at <= now() - make_interval(secs => $8))
  AND ($9::text IS NULL OR d.document = $9 OR d.also @> ARRAY[$9::text])
ORDER BY d.id
LIMIT $10;

-- name: note_act
UPDATE delivery_act
SET after = $3, done = done + $4, finished_at = CASE WHEN $5 THEN now() END
WHERE tenant_id = $1 AND id = $2;

-- name: acts_under_way
SELECT tenant_id, id FROM delivery_act WHERE finished_at IS NULL ORDER BY tenant_id, id;

-- name: count_by_state
-- For the console: how many need a person, per connection.
SELECT c.name AS connection, d.state, count(*) AS deliveries, min(d.created_at) AS oldest
FROM delivery d JOIN connection c ON c.tenant_id = $1 AND c.id = d.connection_id
WHERE d.tenant_id = $1 AND d.state IN ('waiting', 'needs_attention', 'rejected')
GROUP BY c.name, d.state
ORDER BY c.name, d.state;

-- name: connection_states
SELECT c.name AS connection, s.paused_since, s.open_since, s.held_until, s.held_for
FROM courier_state s JOIN connection c ON c.tenant_id = $1 AND c.id = s.connection_id
WHERE s.tenant_id = $1
ORDER BY c.name;

-- name: schedules
SELECT tenant_id, name, every, next_at, ran_at, took_us, last_error, lease_until > now() AS running
FROM schedule
ORDER BY tenant_id, name;

-- name: schedules_due
SELECT tenant_id, name FROM schedule
WHERE next_at <= now() AND (lease_until IS NULL OR lease_until <= now())
ORDER BY next_at
LIMIT 100;

-- name: claim_schedule
UPDATE schedule SET lease_until = now() + make_interval(secs => $3), token = token + 1
WHERE tenant_id = $1 AND name = $2 AND next_at <= now() AND (lease_until IS NULL OR lease_until <= now())
RETURNING token;

-- name: hold_schedule
UPDATE schedule SET lease_until = now() + make_interval(secs => $4)
WHERE tenant_id = $1 AND name = $2 AND token = $3;

-- name: schedule_soon
-- A person wants it to run now; one that is running is left alone.
UPDATE schedule SET next_at = now() WHERE tenant_id = $1 AND name = $2 RETURNING name;

-- name: finish_schedule
-- The next run is the next tick from now: what was missed meanwhile was this one run.
UPDATE schedule
SET lease_until = NULL, ran_at = now(), took_us = $4, last_error = $5,
    next_at = next_at + make_interval(secs =>
        every * (floor(greatest(extract(epoch FROM now() - next_at), 0) / every) + 1))
WHERE tenant_id = $1 AND name = $2 AND token = $3;

-- name: keep_schedules
-- A new schedule first runs one interval from now; a changed one, one interval from its last run.
INSERT INTO schedule AS s (tenant_id, name, every, next_at)
SELECT tenant_id, name, every, now() + make_interval(secs => every)
FROM unnest($1::bigint[], $2::text[], $3::float8[]) AS w(tenant_id, name, every)
ON CONFLICT (tenant_id, name) DO UPDATE SET
    every = EXCLUDED.every,
    next_at = greatest(now(), coalesce(s.ran_at, now()) + make_interval(secs => EXCLUDED.every))
    WHERE s.every <> EXCLUDED.every;

-- name: drop_schedules
DELETE FROM schedule s
WHERE NOT EXISTS (SELECT FROM unnest($1::bigint[], $2::text[]) AS w(tenant_id, name)
                  WHERE w.tenant_id = s.tenant_id AND w.name = s.name);

-- name: partitions
SELECT c.relname::text AS name
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass($1);
