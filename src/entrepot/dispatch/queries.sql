-- name: outlets_by_code
SELECT id, code, name, connection_id FROM location WHERE tenant_id = $1 AND code = ANY($2::text[]);

-- name: outlets_by_id
SELECT id, code, name FROM location WHERE tenant_id = $1 AND id = ANY($2::text::bigint[]);

-- name: skus
SELECT id, sku FROM article WHERE tenant_id = $1 AND id = ANY($2::text::bigint[]);

-- name: prices
SELECT id, (details ->> 'price')::numeric AS price FROM article
WHERE tenant_id = $1 AND id = ANY($2::text::bigint[]) AND details ->> 'price' ~ '^[0-9]+([.][0-9]+)?$';

-- name: save_dispatches
WITH goods AS (
    INSERT INTO dispatch_goods (tenant_id, order_id, line, article_id, qty)
    SELECT $1, * FROM unnest($8::text::bigint[], $9::text::int[], $10::text::bigint[], $11::text::bigint[])
)
INSERT INTO dispatch (tenant_id, order_id, shop_id, outlet_id, purchase, province, city)
SELECT $1, * FROM unnest($2::text::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[]);

-- name: tombstones
-- Orders that were voided before they came: the number is taken, any content is the same.
WITH claimed AS (
    INSERT INTO intake (tenant_id, connection_id, kind, number, document_id, digest)
    SELECT $1, n.connection_id, n.kind, n.number, n.document_id, ''
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[]) AS n (connection_id, kind, number, document_id)
    ORDER BY n.connection_id, n.kind, n.number
    ON CONFLICT DO NOTHING
    RETURNING connection_id, number, document_id
), head AS (
    INSERT INTO sales_order (tenant_id, id, connection_id, number, state, fulfilment)
    SELECT $1, document_id, connection_id, number, 'cancelled', 'outlets' FROM claimed
), logged AS (
    INSERT INTO order_log (tenant_id, order_id, id, who, what)
    SELECT $1, c.document_id, c.document_id, w.who, 'cancelled before it came'
    FROM claimed c JOIN unnest($5::bigint[], $6::text[]) AS w (document_id, who) USING (document_id)
)
INSERT INTO dispatch (tenant_id, order_id) SELECT $1, document_id FROM claimed
RETURNING order_id;

-- name: numbered
-- The orders of these (connection, name space, number)s, whoever fulfils them. 0: the hub's own.
SELECT i.connection_id, i.kind, i.number, i.document_id AS order_id
FROM unnest($2::bigint[], $3::text[], $4::text[]) AS n (connection_id, kind, number)
JOIN intake i ON i.tenant_id = $1 AND i.connection_id = n.connection_id AND i.kind = n.kind
             AND i.number = n.number;

-- name: noted
-- Whose notes these numbers are.
SELECT number, id, order_id, connection_id FROM dispatch_note
WHERE tenant_id = $1 AND number = ANY($2::text[]);

-- name: notes_by_id
SELECT id, order_id FROM dispatch_note WHERE tenant_id = $1 AND id = ANY($2::text::bigint[]);

-- name: called
-- Orders that outlets ship, called by the ordering side's number or by that of one of their notes.
SELECT o.number AS called, o.id, o.number, o.connection_id, i.kind
FROM sales_order o
JOIN intake i ON i.tenant_id = $1 AND i.connection_id = coalesce(o.connection_id, 0) AND i.number = o.number
             AND i.document_id = o.id
WHERE o.tenant_id = $1 AND o.number = ANY($2::text[]) AND o.fulfilment = 'outlets'
UNION
SELECT n.number, o.id, o.number, o.connection_id, i.kind
FROM dispatch_note n
JOIN sales_order o ON o.tenant_id = $1 AND o.id = n.order_id
JOIN intake i ON i.tenant_id = $1 AND i.connection_id = coalesce(o.connection_id, 0) AND i.number = o.number
             AND i.document_id = o.id
WHERE n.tenant_id = $1 AND n.number = ANY($2::text[]);

-- name: every_outlet
-- For people: all outlets, and the locations $8, with what they have of some articles ($2, an array text).
-- What the order $3 holds there, or had shipped from there, counts as there. $4: since when notes count
-- against a day's capacity; null: never. $5: pieces of an article that an outlet keeps. $6, $7: the
-- receiver's province and city.
SELECT l.id, l.code, l.name, l.ships, l.paused, l.priority, l.groups,
       l.province_key = $6 AS province, l.city_key = $7 AS city, g.articles, g.free,
       CASE WHEN $4::timestamptz IS NOT NULL AND l.daily_capacity IS NOT NULL THEN greatest(0, l.daily_capacity - (
           SELECT count(*) FROM dispatch_note n
           WHERE n.tenant_id = $1 AND n.location_id = l.id AND n.created_at >= $4 AND n.order_id <> $3::bigint)) END AS capacity
FROM location l
CROSS JOIN LATERAL (
    SELECT array_agg(s.article_id) AS articles,
           array_agg(s.on_hand - s.reserved - s.safety - $5::int + coalesce(own.qty, 0)) AS free
    FROM unnest($2::text::bigint[]) AS a (article_id)
    JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.article_id AND s.location_id = l.id
    LEFT JOIN LATERAL (
        SELECT sum(CASE WHEN n.state IN ('open', 'done') THEN x.qty ELSE x.shipped END)::bigint AS qty
        FROM dispatch_note n
        JOIN dispatch_line x ON x.tenant_id = $1 AND x.note_id = n.id AND x.article_id = a.article_id
        WHERE n.tenant_id = $1 AND n.order_id = $3::bigint AND n.location_id = l.id
    ) own ON true
) g
WHERE l.tenant_id = $1 AND (l.ships OR l.id = ANY($8::bigint[]))
ORDER BY l.code;

-- name: lock_dispatches
-- First of every transaction that moves one on; in the order of their ids. Nothing is read here: of a
-- statement that waited for a lock only the locked rows are fresh, what it joins is of before the wait.
SELECT id FROM sales_order
WHERE tenant_id = $1 AND id = ANY($2::text::bigint[])
ORDER BY id
FOR UPDATE;

-- name: read_dispatches
SELECT o.id, o.number, o.connection_id, o.state, o.receiver, d.shop_id, d.outlet_id, d.purchase,
       d.province, d.city, d.void_asked_at IS NOT NULL AS voiding, d.ended_at IS NOT NULL AS ended
FROM sales_order o JOIN dispatch d ON d.tenant_id = $1 AND d.order_id = o.id
WHERE o.tenant_id = $1 AND o.id = ANY($2::text::bigint[])
ORDER BY o.id;

-- name: ordered
SELECT order_id, article_id, qty FROM dispatch_goods
WHERE tenant_id = $1 AND order_id = ANY($2::text::bigint[])
ORDER BY order_id, line;

-- name: notes
SELECT n.*, l.code AS outlet, l.name AS outlet_name,
       (SELECT array_agg(ARRAY[x.article_id, x.qty, x.shipped] ORDER BY x.line) FROM dispatch_line x
        WHERE x.tenant_id = $1 AND x.note_id = n.id) AS lines
FROM dispatch_note n JOIN location l ON l.tenant_id = $1 AND l.id = n.location_id
WHERE n.tenant_id = $1 AND n.order_id = ANY($2::text::bigint[])
ORDER BY n.id;

-- name: packages
SELECT p.id, p.note_id, p.express, p.waybill, p.earlier,
       (SELECT array_agg(x.code ORDER BY x.code) FROM package_piece x
        WHERE x.tenant_id = $1 AND x.package_id = p.id) AS codes,
       (SELECT array_agg(x.article_id ORDER BY x.code) FROM package_piece x
        WHERE x.tenant_id = $1 AND x.package_id = p.id) AS articles
FROM package p
WHERE p.tenant_id = $1 AND p.order_id = ANY($2::text::bigint[])
ORDER BY p.id;

-- name: add_notes
WITH lined AS (
    INSERT INTO dispatch_line (tenant_id, note_id, line, article_id, qty)
    SELECT $1, * FROM unnest($11::text::bigint[], $12::text::int[], $13::text::bigint[], $14::text::bigint[])
)
INSERT INTO dispatch_note (tenant_id, id, order_id, number, location_id, connection_id, round, why, offer_id, told_at)
SELECT $1, id, order_id, number, location_id, connection_id, round, why, offer_id, CASE WHEN told THEN now() END
FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text[], $5::text::bigint[], $6::bigint[], $7::text::int[],
            $8::text[], $9::bigint[], $10::boolean[])
    AS n (id, order_id, number, location_id, connection_id, round, why, offer_id, told);

-- name: save_notes
-- What may change of a note, of those that did.
UPDATE dispatch_note n
SET state = c.state, onward = c.onward, keeps = c.keeps, recall_id = c.recall_id, reason = c.reason,
    late_reason = c.late_reason,
    told_at = CASE WHEN c.told THEN coalesce(n.told_at, now()) END,
    answered_at = CASE WHEN c.answered THEN coalesce(n.answered_at, now()) END
FROM unnest($2::text::bigint[], $3::text[], $4::text[], $5::boolean[], $6::bigint[], $7::text[], $8::text[],
            $9::boolean[], $10::boolean[])
    AS c (id, state, onward, keeps, recall_id, reason, late_reason, told, answered)
WHERE n.tenant_id = $1 AND n.id = c.id;

-- name: save_shipped
UPDATE dispatch_line l SET shipped = c.shipped
FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text::bigint[]) AS c (note_id, article_id, shipped)
WHERE l.tenant_id = $1 AND l.note_id = c.note_id AND l.article_id = c.article_id;

-- name: save_orders
WITH logged AS (
    INSERT INTO order_log (tenant_id, order_id, id, who, what)
    SELECT $1, * FROM unnest($6::text::bigint[], $7::text::bigint[], $8::text[], $9::text[])
), dispatched AS (
    UPDATE dispatch d
    SET void_asked_at = CASE WHEN c.voiding THEN coalesce(d.void_asked_at, now()) END,
        ended_at = CASE WHEN c.ended THEN coalesce(d.ended_at, now()) END
    FROM unnest($2::text::bigint[], $4::boolean[], $5::boolean[]) AS c (id, voiding, ended)
    WHERE d.tenant_id = $1 AND d.order_id = c.id
)
UPDATE sales_order o SET state = c.state, changed_at = now()
FROM unnest($2::text::bigint[], $3::text[]) AS c (id, state)
WHERE o.tenant_id = $1 AND o.id = c.id AND o.state <> c.state;

-- name: sourcing_rules
SELECT kind, settings FROM sourcing_rule WHERE tenant_id = $1 ORDER BY position;

-- name: clear_sourcing_rules
DELETE FROM sourcing_rule WHERE tenant_id = $1;

-- name: add_sourcing_rules
INSERT INTO sourcing_rule (tenant_id, position, kind, settings)
SELECT $1, * FROM unnest($2::int[], $3::text[], $4::jsonb[]);

-- name: near
-- Per request (articles and qtys are array texts), the outlets of the receiver's province that have all of
-- it, best first, at most $8. Groups and codes are joined by \x1f, '' for any; excluded is an array text.
-- $9: whether paused outlets are left out. $10: since when notes count against a day's capacity; null:
-- never. $11: pieces of an article that an outlet keeps. $12 to $15: what being in another city, being in another
-- province, priority and stock weigh in the key that outlets are ranked by (sourcing.Plan.weights).
SELECT h.ask, l.id, l.code, l.name, l.connection_id, l.city_key = h.city AS city, true AS province,
       l.priority, l.capacity, l.stock, l.articles, l.free
FROM (
    SELECT ask, articles::bigint[], qtys::bigint[], province, city, string_to_array(nullif(groups, ''), E'\x1f') AS groups,
           string_to_array(nullif(codes, ''), E'\x1f') AS codes, excluded::bigint[]
    FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $16::text[], $17::text[])
         AS h (ask, articles, qtys, province, city, groups, codes, excluded)
    OFFSET 0  -- the texts are read once a request, not once an outlet
) h
CROSS JOIN LATERAL (
    SELECT l.*, g.articles, g.free, g.stock, c.capacity
    FROM location l
    CROSS JOIN LATERAL (
        SELECT array_agg(s.article_id) AS articles, array_agg(s.on_hand - s.reserved - s.safety - $11::int) AS free,
               sum((s.on_hand - s.reserved - s.safety - $11::int)::float8)::bigint AS stock
        FROM unnest(h.articles, h.qtys) AS a (article_id, qty)
        JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.article_id AND s.location_id = l.id
    ) g
    CROSS JOIN LATERAL (
        SELECT CASE WHEN $10::timestamptz IS NOT NULL AND l.daily_capacity IS NOT NULL THEN l.daily_capacity - (
            SELECT count(*) FROM dispatch_note n
            WHERE n.tenant_id = $1 AND n.location_id = l.id AND n.created_at >= $10) END AS capacity
    ) c
    WHERE l.tenant_id = $1 AND l.province_key = h.province AND l.ships AND NOT (l.paused AND $9::boolean)
      AND (h.groups IS NULL OR l.groups && h.groups)
      AND (h.codes IS NULL OR l.code = ANY(h.codes))
      AND l.id <> ALL(h.excluded) AND coalesce(c.capacity, 1) > 0
      AND NOT EXISTS (  -- ends with the first line that it lacks
          SELECT FROM unnest(h.articles, h.qtys) AS a (article_id, qty)
          LEFT JOIN LATERAL (
              SELECT on_hand - reserved - safety - $11::int AS free FROM stock
              WHERE tenant_id = $1 AND article_id = a.article_id AND location_id = l.id
              OFFSET 0
          ) s ON true
          WHERE coalesce(s.free, 0) < a.qty)
    ORDER BY (l.city_key <> h.city)::int * $12::bigint + (l.province_key <> h.province)::int * $13::bigint
             + least(greatest(l.priority, -1000000), 1000000) * $14::bigint - least(g.stock, 100000000000) * $15::bigint, l.code
    LIMIT $8::int
) l;

-- name: by_cover
-- The same of all outlets that have any of it, in one pass over the articles' stock. What an outlet has of a
-- line, cut off at the cap, stands in its own bits of one integer (held); of outlets with the same integer the
-- best $8 are brought; where some have all of it (their integer is the target; -1: none is), only those.
-- Here qtys are the caps, and shifts says where the bits of each line begin.
-- Each step is done once, whatever the planner knows of the tables.
WITH asked AS MATERIALIZED (
    SELECT ask, articles::bigint[], caps::bigint[], province, city, string_to_array(nullif(groups, ''), E'\x1f') AS groups,
           string_to_array(nullif(codes, ''), E'\x1f') AS codes, excluded::bigint[], shifts::int[], target
    FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $16::text[], $17::text[],
                $18::text[], $19::bigint[])
         AS h (ask, articles, caps, province, city, groups, codes, excluded, shifts, target)
), best AS MATERIALIZED (
    SELECT * FROM (
        SELECT h.ask, h.target, l.id, l.city_key = h.city AS city, l.province_key = h.province AS province, c.capacity,
               g.held, g.stock,
               row_number() OVER (PARTITION BY h.ask, g.held ORDER BY
                   (l.city_key <> h.city)::int * $12::bigint + (l.province_key <> h.province)::int * $13::bigint
                   + least(greatest(l.priority, -1000000), 1000000) * $14::bigint
                   - least(g.stock, 100000000000) * $15::bigint, l.code) AS nth
        FROM asked h
        CROSS JOIN LATERAL (
            SELECT s.location_id, bit_or(least(s.free, a.cap) << a.shift) AS held, sum(s.free::float8)::bigint AS stock
            FROM unnest(h.articles, h.caps, h.shifts) AS a (article_id, cap, shift)
            CROSS JOIN LATERAL (
                SELECT location_id, on_hand - reserved - safety - $11::int AS free FROM stock
                WHERE tenant_id = $1 AND article_id = a.article_id AND on_hand - reserved - safety - $11::int > 0
                OFFSET 0  -- by the articles, however few rows the planner expects
            ) s
            GROUP BY s.location_id
        ) g
        LEFT JOIN location l ON l.tenant_id = $1 AND l.id = g.location_id  -- never the outer side of a loop over g
        CROSS JOIN LATERAL (
            SELECT CASE WHEN $10::timestamptz IS NOT NULL AND l.daily_capacity IS NOT NULL THEN l.daily_capacity - (
                SELECT count(*) FROM dispatch_note n
                WHERE n.tenant_id = $1 AND n.location_id = l.id AND n.created_at >= $10) END AS capacity
        ) c
        WHERE CASE WHEN l.id IS NULL THEN false
              ELSE l.ships AND NOT (l.paused AND $9::boolean)
                   AND (h.groups IS NULL OR l.groups && h.groups)
                   AND (h.codes IS NULL OR l.code = ANY(h.codes))
                   AND l.id <> ALL(h.excluded) AND coalesce(c.capacity, 1) > 0 END
    ) r
    WHERE r.nth <= $8::int
)
SELECT b.ask, l.id, l.code, l.name, l.connection_id, b.city, b.province, l.priority, b.capacity, b.held, b.stock
FROM best b
JOIN location l ON l.tenant_id = $1 AND l.id = b.id
WHERE b.held = b.target OR NOT EXISTS (SELECT FROM best w WHERE w.ask = b.ask AND w.held = w.target);

-- name: everywhere
-- The same for notes with so many lines that no integer holds them: those that have most of it first, at most $8.
SELECT h.ask, l.id, l.code, l.name, l.connection_id, l.city_key = h.city AS city,
       l.province_key = h.province AS province, l.priority, l.capacity, l.stock, g.articles, g.free
FROM (
    SELECT ask, articles::bigint[], qtys::bigint[], province, city, string_to_array(nullif(groups, ''), E'\x1f') AS groups,
           string_to_array(nullif(codes, ''), E'\x1f') AS codes, excluded::bigint[]
    FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $16::text[], $17::text[])
         AS h (ask, articles, qtys, province, city, groups, codes, excluded)
    OFFSET 0  -- the texts are read once a request, not once an outlet
) h
CROSS JOIN LATERAL (
    SELECT l.*, g.stock, c.capacity
    FROM (
        SELECT s.location_id, sum(least(s.on_hand - s.reserved - s.safety - $11::int, a.qty)::float8) AS pieces,
               sum((s.on_hand - s.reserved - s.safety - $11::int)::float8)::bigint AS stock
        FROM unnest(h.articles, h.qtys) AS a (article_id, qty)
        JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.article_id
        WHERE s.on_hand - s.reserved - s.safety - $11::int > 0
        GROUP BY s.location_id
    ) g
    JOIN location l ON l.tenant_id = $1 AND l.id = g.location_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN $10::timestamptz IS NOT NULL AND l.daily_capacity IS NOT NULL THEN l.daily_capacity - (
            SELECT count(*) FROM dispatch_note n
            WHERE n.tenant_id = $1 AND n.location_id = l.id AND n.created_at >= $10) END AS capacity
    ) c
    WHERE l.ships AND NOT (l.paused AND $9::boolean)
      AND (h.groups IS NULL OR l.groups && h.groups)
      AND (h.codes IS NULL OR l.code = ANY(h.codes))
      AND l.id <> ALL(h.excluded) AND coalesce(c.capacity, 1) > 0
    ORDER BY g.pieces DESC, (l.city_key <> h.city)::int * $12::bigint + (l.province_key <> h.province)::int * $13::bigint
             + least(greatest(l.priority, -1000000), 1000000) * $14::bigint - least(g.stock, 100000000000) * $15::bigint, l.code
    LIMIT $8::int
) l
CROSS JOIN LATERAL (
    SELECT array_agg(s.article_id) AS articles, array_agg(s.on_hand - s.reserved - s.safety - $11::int) AS free
    FROM unnest(h.articles) AS a (article_id)
    JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.article_id AND s.location_id = l.id
    WHERE s.on_hand - s.reserved - s.safety - $11::int > 0
) g;

-- name: at_one
-- Per request, what one given outlet has of it, whatever the rules say.
SELECT h.ask, l.id, l.code, l.name, l.connection_id, g.articles, g.free
FROM unnest($2::int[], $3::text[], $4::bigint[]) AS h (ask, articles, outlet_id)
JOIN location l ON l.tenant_id = $1 AND l.id = h.outlet_id
CROSS JOIN LATERAL (
    SELECT array_agg(s.article_id) AS articles, array_agg(s.on_hand - s.reserved - s.safety) AS free
    FROM unnest(h.articles::bigint[]) AS a (article_id)
    JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.article_id AND s.location_id = h.outlet_id
    WHERE s.on_hand - s.reserved - s.safety > 0
) g
WHERE g.articles IS NOT NULL;

-- name: lock_pieces
-- After the orders' rows and before any stock row.
SELECT code, article_id, location_id, state, package_id FROM piece
WHERE tenant_id = $1 AND code = ANY($2::text[])
ORDER BY code
FOR UPDATE;

-- name: add_packages
-- The parcels of a checkout; those that were there already are left as they are.
INSERT INTO package (tenant_id, id, order_id, note_id, express, waybill)
SELECT $1, * FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text::bigint[], $5::text[], $6::text[])
ON CONFLICT DO NOTHING;

-- name: ship_pieces
WITH gone AS (
    SELECT * FROM unnest($2::text::bigint[], $3::text[], $4::text::bigint[], $5::text::bigint[])
        AS g (package_id, code, article_id, location_id)
), packed AS (
    INSERT INTO package_piece (tenant_id, package_id, code, article_id)
    SELECT $1, package_id, code, article_id FROM gone
)
UPDATE piece p
SET state = 'shipped', package_id = g.package_id, location_id = g.location_id, changed_at = now()
FROM gone g
WHERE p.tenant_id = $1 AND p.code = g.code;

-- name: shipments
-- Whose packages these are.
SELECT p.id AS package_id, p.order_id, n.number AS note, o.number, o.connection_id, d.shop_id
FROM package p
JOIN dispatch_note n ON n.tenant_id = $1 AND n.id = p.note_id
JOIN sales_order o ON o.tenant_id = $1 AND o.id = p.order_id
JOIN dispatch d ON d.tenant_id = $1 AND d.order_id = p.order_id
WHERE p.tenant_id = $1 AND p.id = ANY($2::text::bigint[]);

-- name: returned
SELECT r.code, r.location_id, r.waybill, o.number
FROM unnest($2::text[], $3::bigint[], $4::text[]) AS a (code, location_id, waybill)
JOIN piece_return r ON r.tenant_id = $1 AND r.code = a.code AND r.location_id = a.location_id
                   AND r.waybill = a.waybill
JOIN package p ON p.tenant_id = $1 AND p.id = r.package_id
JOIN sales_order o ON o.tenant_id = $1 AND o.id = p.order_id;

-- name: return_pieces
WITH back AS (
    SELECT * FROM unnest($2::text::bigint[], $3::text[], $4::text::bigint[], $5::text::bigint[], $6::text[], $7::text[],
                         $8::text::bigint[], $9::text[], $10::text[])
        AS b (id, code, package_id, location_id, express, waybill, order_id, who, what)
), booked AS (
    INSERT INTO piece_return (tenant_id, id, code, package_id, location_id, express, waybill)
    SELECT $1, id, code, package_id, location_id, express, waybill FROM back
), unpacked AS (
    UPDATE package_piece p SET returned_at = now() FROM back b
    WHERE p.tenant_id = $1 AND p.package_id = b.package_id AND p.code = b.code
), logged AS (
    INSERT INTO order_log (tenant_id, order_id, id, who, what)
    SELECT $1, order_id, id, who, what FROM back
)
UPDATE piece p SET state = 'in_stock', location_id = b.location_id, changed_at = now() FROM back b
WHERE p.tenant_id = $1 AND p.code = b.code;

-- name: change_packages
UPDATE package p
SET express = c.express, waybill = c.waybill, earlier = coalesce(string_to_array(nullif(c.earlier, ''), E'\x1f'), '{}')
FROM unnest($2::text::bigint[], $3::text[], $4::text[], $5::text[]) AS c (id, express, waybill, earlier)
WHERE p.tenant_id = $1 AND p.id = c.id;

-- name: void_standing
SELECT o.id, o.state, d.void_asked_at IS NOT NULL AS asking
FROM sales_order o JOIN dispatch d ON d.tenant_id = $1 AND d.order_id = o.id
WHERE o.tenant_id = $1 AND o.id = ANY($2::text::bigint[]);

-- name: silent
-- Notes whose outlets were told, have not answered in time, and are not yet shown for it.
SELECT n.id, n.order_id
FROM unnest($2::bigint[], $3::timestamptz[]) AS p (connection_id, told_before)
JOIN dispatch_note n ON n.tenant_id = $1 AND n.connection_id = p.connection_id AND n.state = 'open'
    AND n.answered_at IS NULL AND n.silent_at IS NULL
    AND n.told_at < p.told_before
ORDER BY n.id
LIMIT 500;

-- name: mark_silent
UPDATE dispatch_note SET silent_at = now() WHERE tenant_id = $1 AND id = ANY($2::text::bigint[]);

-- name: reasons
SELECT text, effect FROM refusal_reason WHERE tenant_id = $1 AND connection_id = $2 ORDER BY text;

-- name: effects
SELECT r.connection_id, r.text, r.effect
FROM unnest($2::bigint[], $3::text[]) AS a (connection_id, text)
JOIN refusal_reason r ON r.tenant_id = $1 AND r.connection_id = a.connection_id AND r.text = btrim(a.text);

-- name: lock_told
-- Orders of ours that their partners fulfil; pieces: how many were ordered.
SELECT o.id, o.number, o.connection_id, o.state,
       (SELECT sum(l.qty)::bigint FROM order_line l WHERE l.tenant_id = $1 AND l.order_id = o.id) AS pieces
FROM unnest($2::bigint[], $3::text[]) AS n (connection_id, number)
JOIN intake i ON i.tenant_id = $1 AND i.connection_id = n.connection_id AND i.kind = 'order'
             AND i.number = n.number
JOIN sales_order o ON o.tenant_id = $1 AND o.id = i.document_id AND o.fulfilment = 'partner'
ORDER BY o.id
FOR UPDATE OF o;

-- name: told_packages
SELECT * FROM told_package
WHERE tenant_id = $1 AND order_id = ANY($2::text::bigint[])
ORDER BY id;

-- name: told_under
-- Orders of ours with a parcel that goes, or once went, under one of these waybills.
SELECT n.connection_id, o.number
FROM unnest($2::bigint[], $3::text[]) AS n (connection_id, waybill)
JOIN told_package p ON p.tenant_id = $1 AND p.waybill = n.waybill
JOIN sales_order o ON o.tenant_id = $1 AND o.id = p.order_id AND o.connection_id = n.connection_id
UNION
SELECT n.connection_id, o.number
FROM unnest($2::bigint[], $3::text[]) AS n (connection_id, waybill)
JOIN told_package p ON p.tenant_id = $1 AND p.earlier @> ARRAY[n.waybill] AND p.earlier <> '{}'
JOIN sales_order o ON o.tenant_id = $1 AND o.id = p.order_id AND o.connection_id = n.connection_id;

-- name: save_told
INSERT INTO told_package (tenant_id, id, order_id, note, outlet, outlet_name, express, waybill, earlier, pieces)
SELECT $1, id, order_id, note, outlet, outlet_name, express, waybill,
       coalesce(string_to_array(nullif(earlier, ''), E'\x1f'), '{}'), pieces
FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::jsonb[])
    AS p (id, order_id, note, outlet, outlet_name, express, waybill, earlier, pieces)
ON CONFLICT (tenant_id, id) DO UPDATE
SET express = excluded.express, waybill = excluded.waybill, earlier = excluded.earlier, pieces = excluded.pieces;

-- name: save_told_orders
WITH logged AS (
    INSERT INTO order_log (tenant_id, order_id, id, who, what)
    SELECT $1, * FROM unnest($4::text::bigint[], $5::text::bigint[], $6::text[], $7::text[])
)
UPDATE sales_order o SET state = c.state, changed_at = now()
FROM unnest($2::text::bigint[], $3::text[]) AS c (id, state)
WHERE o.tenant_id = $1 AND o.id = c.id;

-- name: set_outlets
UPDATE location l
SET connection_id = o.connection_id, ships = o.ships, paused = o.paused, priority = o.priority,
    daily_capacity = o.daily_capacity, groups = coalesce(string_to_array(nullif(o.groups, ''), E'\x1f'), '{}')
FROM unnest($2::text[], $3::bigint[], $4::boolean[], $5::boolean[], $6::int[], $7::int[], $8::text[])
    AS o (code, connection_id, ships, paused, priority, daily_capacity, groups)
WHERE l.tenant_id = $1 AND l.code = o.code;

-- name: register_pieces
INSERT INTO piece (tenant_id, code, article_id, location_id)
SELECT $1, * FROM unnest($2::text[], $3::text::bigint[], $4::text::bigint[])
ON CONFLICT (tenant_id, code) DO UPDATE
SET location_id = excluded.location_id, changed_at = now()
WHERE piece.state = 'in_stock' AND piece.article_id = excluded.article_id
  AND piece.location_id <> excluded.location_id;

-- name: pieces_at
SELECT p.code
FROM piece p
WHERE p.tenant_id = $1 AND p.state = 'in_stock'
  AND p.location_id = (SELECT id FROM location WHERE tenant_id = $1 AND code = $2)
  AND p.article_id = (SELECT id FROM article WHERE tenant_id = $1 AND sku = $3)
ORDER BY p.code
LIMIT $4;

-- name: set_reasons
INSERT INTO refusal_reason (tenant_id, connection_id, text, effect)
SELECT $1, $2, * FROM unnest($3::text[], $4::text[])
ON CONFLICT (tenant_id, connection_id, text) DO UPDATE SET effect = excluded.effect;
