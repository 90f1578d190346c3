-- The table ``staged`` is temporary: line int, id bigint, other_id bigint, then the columns of the kind as
-- text, null where a cell is empty. A comparison returns every key of either side once: what they say (null:
-- nothing), what we say, and whether that differs. $2 is the connection, $3 and $4 the day's bounds.

-- name: orders
-- $5: the hub's own orders are meant, not those that came from this partner.
-- An order that they name is found whenever it came in; of the others of ours, those of the day that were
-- not cancelled must be in their list.
WITH theirs AS (
    SELECT number, sum(qty::bigint) AS qty, sum(amount::numeric) AS amount, max(state) AS state
    FROM staged GROUP BY number
), found AS (
    SELECT o.id, o.number,
           CASE WHEN o.state IN ('cancelled', 'oversold') THEN 'cancelled'
                WHEN o.state IN ('shipped', 'short') THEN 'shipped' ELSE 'open' END AS state
    FROM sales_order o
    WHERE o.tenant_id = $1
      AND CASE WHEN $5::boolean THEN o.connection_id IS NULL ELSE o.connection_id = $2 END
      AND (o.number IN (SELECT number FROM theirs) OR (o.created_at >= $3 AND o.created_at < $4))
), ours AS (
    SELECT f.id, f.number, f.state,
           (SELECT sum(l.qty) FROM order_line l WHERE l.tenant_id = $1 AND l.order_id = f.id)::bigint AS qty,
           (SELECT m.paid FROM order_money m WHERE m.tenant_id = $1 AND m.order_id = f.id) AS amount
    FROM found f
)
SELECT coalesce(t.number, o.number) AS key, o.id AS order_id, coalesce(t.number, o.number) AS document,
       CASE WHEN t.number IS NOT NULL THEN
           jsonb_strip_nulls(jsonb_build_object('qty', t.qty, 'amount', trim_scale(t.amount)::text, 'state', t.state)) END AS theirs,
       CASE WHEN o.id IS NOT NULL THEN
           jsonb_strip_nulls(jsonb_build_object('qty', o.qty, 'amount', trim_scale(o.amount)::text, 'state', o.state)) END AS ours,
       CASE WHEN o.id IS NULL THEN true
            WHEN t.number IS NULL THEN o.state <> 'cancelled'
            ELSE t.qty <> o.qty IS TRUE OR t.state <> o.state IS TRUE
                 OR (t.amount IS NOT NULL AND t.amount IS DISTINCT FROM o.amount) END AS differs
FROM theirs t FULL JOIN ours o ON o.number = t.number
ORDER BY 1;

-- name: stock
-- Pieces as of the day's end, by the ledger. $5 are the codes that count where a line names no location
-- (null: all); $6: what may be sold is meant (less reservations of then and safety stock), not what lies there. $3 is used
-- by none of it but named, since every comparison has the same first parameters.
WITH named AS (
    SELECT DISTINCT ON (s.sku, coalesce(s.location, '')) s.sku, s.location, s.qty::bigint AS qty,
           coalesce((SELECT l.article_id FROM listing l
                     WHERE l.tenant_id = $1 AND l.connection_id = $2 AND l.key = s.sku LIMIT 1),
                    (SELECT a.id FROM article a WHERE a.tenant_id = $1 AND a.style_no = s.sku),
                    (SELECT a.id FROM article a WHERE a.tenant_id = $1 AND a.sku = s.sku)) AS article_id
    FROM staged s
    ORDER BY s.sku, coalesce(s.location, ''), s.line DESC
), asked AS (
    SELECT sku, location, qty, article_id, true AS said FROM named
    UNION ALL
    SELECT DISTINCT ON (l.article_id) l.key, NULL, NULL, l.article_id, false
    FROM listing l
    WHERE l.tenant_id = $1 AND l.connection_id = $2
      AND NOT EXISTS (SELECT FROM named n WHERE n.article_id = l.article_id)
    ORDER BY 4, 1
), ours AS (
    SELECT a.sku, a.location, sum(
               s.on_hand
               - coalesce((SELECT sum(m.delta) FROM movement m
                           WHERE m.tenant_id = $1 AND m.article_id = s.article_id
                             AND m.location_id = s.location_id AND m.at >= $4), 0)
               - CASE WHEN $6::boolean THEN s.safety + coalesce((
                     SELECT sum(r.qty) FROM reservation r
                     WHERE r.tenant_id = $1 AND r.article_id = s.article_id AND r.location_id = s.location_id
                       AND r.created_at < $4 AND (r.resolved_at IS NULL OR r.resolved_at >= $4)), 0)
                 ELSE 0 END)::bigint AS qty
    FROM asked a
    JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.article_id
    JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
     AND CASE WHEN a.location IS NULL THEN $5::text[] IS NULL OR l.code = ANY ($5) ELSE l.code = a.location END
    GROUP BY 1, 2
)
SELECT concat_ws(' @ ', a.sku, a.location) AS key, NULL::bigint AS order_id, '' AS document,
       CASE WHEN a.said THEN jsonb_build_object('qty', a.qty) END AS theirs,
       CASE WHEN a.article_id IS NOT NULL THEN
           jsonb_build_object('qty', greatest(coalesce(o.qty, 0), 0)) END AS ours,
       a.article_id IS NULL OR coalesce(a.qty, 0) <> greatest(coalesce(o.qty, 0), 0) AS differs
FROM asked a
LEFT JOIN ours o ON o.sku = a.sku AND o.location IS NOT DISTINCT FROM a.location
WHERE $3::timestamptz IS NOT NULL
ORDER BY 1;

-- name: refunds
-- $5 as for orders.
-- By the number of the return or adjustment that was refunded, else the order's.
WITH theirs AS (
    SELECT number, sum(amount::numeric) AS amount FROM staged GROUP BY number
), ours AS (
    SELECT coalesce(nullif(e.document, ''), o.number) AS number, sum(e.amount) AS amount, min(o.id) AS order_id,
           min(o.number) AS document
    FROM money_entry e
    JOIN sales_order o ON o.tenant_id = $1 AND o.id = e.order_id
     AND CASE WHEN $5::boolean THEN o.connection_id IS NULL ELSE o.connection_id = $2 END
    WHERE e.tenant_id = $1 AND e.kind = 'refunded' AND e.at >= $3 AND e.at < $4
    GROUP BY 1
)
SELECT coalesce(t.number, o.number) AS key, o.order_id, coalesce(o.document, '') AS document,
       CASE WHEN t.number IS NOT NULL THEN jsonb_build_object('amount', trim_scale(t.amount)::text) END AS theirs,
       CASE WHEN o.number IS NOT NULL THEN jsonb_build_object('amount', trim_scale(o.amount)::text) END AS ours,
       t.amount IS DISTINCT FROM o.amount AS differs
FROM theirs t FULL JOIN ours o ON o.number = t.number
ORDER BY 1;

-- name: keys
-- What a partner may be asked for, by style number or SKU ($2), behind $3.
SELECT id, CASE WHEN $2 = 'style' THEN style_no ELSE sku END AS key FROM article
WHERE tenant_id = $1 AND kind = 'single' AND id > $3 AND ($2 <> 'style' OR style_no IS NOT NULL)
ORDER BY id
LIMIT $4;

-- name: standing
-- What stands of this day, for what agrees now to be taken off the list.
SELECT subject FROM discrepancy
WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND starts_with(subject, $4) AND resolved_at IS NULL;

-- name: keep_run
INSERT INTO reconciliation (tenant_id, connection_id, kind, day, file, who, theirs, ours, differing)
VALUES ($1, $2, $3, $4::text::date, $5, $6, $7, $8, $9)
ON CONFLICT (tenant_id, connection_id, kind, day) DO UPDATE
SET file = excluded.file, who = excluded.who, theirs = excluded.theirs, ours = excluded.ours,
    differing = excluded.differing, at = now();

-- name: runs
-- The newest days first; $2: one connection's, null: all.
SELECT connection_id, kind, day::text, file, who, theirs, ours, differing, at FROM reconciliation
WHERE tenant_id = $1 AND ($2::bigint IS NULL OR connection_id = $2)
ORDER BY day DESC, connection_id, kind
LIMIT $3;

-- name: add_ask
INSERT INTO reconciliation_ask (tenant_id, id, connection_id, who) VALUES ($1, $2, $3, $4);

-- name: ask
SELECT id, connection_id, who, state, differing, problem, created_at, finished_at FROM reconciliation_ask
WHERE tenant_id = $1 AND id = $2;

-- name: waiting_asks
SELECT tenant_id, id, connection_id, who FROM reconciliation_ask WHERE state = 'waiting' ORDER BY id;

-- name: end_ask
UPDATE reconciliation_ask SET state = $3, differing = $4, problem = $5, finished_at = now()
WHERE tenant_id = $1 AND id = $2;

-- name: forget_asks
DELETE FROM reconciliation_ask WHERE state <> 'waiting' AND finished_at < now() - interval '30 days' RETURNING id;
