-- name: lock_rows
-- The rows of these articles, at these locations (null: at all), locked in the one order everyone uses.
SELECT article_id, location_id, on_hand, reserved, safety, weight
FROM stock
WHERE tenant_id = $1 AND article_id = ANY($2::text::bigint[])
  AND ($3::bigint[] IS NULL OR location_id = ANY($3))
ORDER BY article_id, location_id
FOR UPDATE;

-- name: lock_pairs
-- Exactly these rows, locked in the same order.
SELECT s.article_id, s.location_id, s.on_hand, s.reserved, s.safety, s.weight
FROM unnest($2::text::bigint[], $3::text::bigint[]) AS p (article_id, location_id)
JOIN stock s ON s.tenant_id = $1 AND s.article_id = p.article_id AND s.location_id = p.location_id
ORDER BY s.article_id, s.location_id
FOR UPDATE OF s;

-- name: take_turns
-- One sourcing transaction at a time per article, so that what it reads unlocked stays so.
SELECT id FROM article
WHERE tenant_id = $1 AND id = ANY($2::text::bigint[])
ORDER BY id
FOR NO KEY UPDATE;

-- name: add_rows
-- Zero rows for pairs never stocked, so that there is something to lock. Suites have no stock of their own.
INSERT INTO stock (tenant_id, article_id, location_id)
SELECT $1, p.article_id, p.location_id
FROM unnest($2::bigint[], $3::bigint[]) AS p (article_id, location_id)
JOIN article a ON a.tenant_id = $1 AND a.id = p.article_id AND a.kind <> 'suite'
ORDER BY 2, 3
ON CONFLICT DO NOTHING;

-- name: first_location
SELECT id FROM location WHERE tenant_id = $1 ORDER BY id LIMIT 1;

-- name: reserve
WITH saved AS (
    INSERT INTO reservation (tenant_id, id, document_id, line, article_id, location_id, qty)
    SELECT $1, * FROM unnest($2::text::bigint[], $3::text::bigint[], $4::text::int[], $5::text::bigint[], $6::text::bigint[], $7::text::bigint[])
), marked AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT $1, * FROM unnest($8::text::bigint[], $9::text::bigint[])
)
UPDATE stock s SET reserved = s.reserved + d.qty, changed_at = now()
FROM unnest($10::text::bigint[], $11::text::bigint[], $12::text::bigint[]) AS d (article_id, location_id, qty)
WHERE s.tenant_id = $1 AND s.article_id = d.article_id AND s.location_id = d.location_id;

-- name: open_reservations
-- Every open reservation of these documents; the documents' own rows are locked by the caller.
SELECT id, document_id, line, article_id, location_id, qty
FROM reservation
WHERE tenant_id = $1 AND document_id = ANY($2::bigint[]) AND state = 'open'
ORDER BY article_id, location_id, id;

-- name: resolve
-- Close reservations (shipped or released) and give their pieces back from reserved.
WITH closed AS (
    UPDATE reservation SET state = $3, resolved_at = now()
    WHERE tenant_id = $1 AND document_id = ANY($6::bigint[]) AND id = ANY($2::bigint[]) AND state = 'open'
    RETURNING article_id, location_id, qty
), marked AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT $1, * FROM unnest($4::bigint[], $5::bigint[])
)
UPDATE stock s SET reserved = s.reserved - c.qty, changed_at = now()
FROM (SELECT article_id, location_id, sum(qty)::bigint AS qty FROM closed GROUP BY 1, 2) c
WHERE s.tenant_id = $1 AND s.article_id = c.article_id AND s.location_id = c.location_id;

-- name: take
-- Ship part of what is reserved: a row that is used up is closed, of one that is not the rest stays open.
WITH part AS (
    SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS p (document_id, id, qty, split_id)
), used AS (
    UPDATE reservation r
    SET qty = CASE WHEN r.qty > p.qty THEN r.qty - p.qty ELSE r.qty END,
        state = CASE WHEN r.qty > p.qty THEN 'open' ELSE 'shipped' END,
        resolved_at = CASE WHEN r.qty > p.qty THEN NULL ELSE now() END
    FROM part p
    WHERE r.tenant_id = $1 AND r.document_id = p.document_id AND r.id = p.id AND r.state = 'open'
    RETURNING r.document_id, r.line, r.article_id, r.location_id, p.qty, p.split_id, r.state
), split AS (
    INSERT INTO reservation (tenant_id, id, document_id, line, article_id, location_id, qty, state, resolved_at)
    SELECT $1, split_id, document_id, line, article_id, location_id, qty, 'shipped', now()
    FROM used WHERE state = 'open'
)
UPDATE stock s SET reserved = s.reserved - u.qty
FROM (SELECT article_id, location_id, sum(qty)::bigint AS qty FROM used GROUP BY 1, 2) u
WHERE s.tenant_id = $1 AND s.article_id = u.article_id AND s.location_id = u.location_id;

-- name: move
-- Change balances and write the ledger, one movement a row; rows are locked and checked beforehand.
WITH change AS (
    SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[],
                         $8::numeric[], $9::text[], $10::text[])
        AS c (id, article_id, location_id, kind, delta, on_hand, weight_delta, document, who)
), written AS (
    INSERT INTO movement (tenant_id, id, article_id, location_id, kind, delta, on_hand, weight_delta,
                          document, who)
    SELECT $1, * FROM change
), marked AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT $1, * FROM unnest($11::bigint[], $12::bigint[])
)
UPDATE stock s SET on_hand = s.on_hand + c.delta, weight = s.weight + c.weight_delta, changed_at = now()
FROM (SELECT article_id, location_id, sum(delta)::bigint AS delta, sum(weight_delta) AS weight_delta
      FROM change GROUP BY 1, 2) c
WHERE s.tenant_id = $1 AND s.article_id = c.article_id AND s.location_id = c.location_id;

-- name: locations_by_code
SELECT id, code FROM location WHERE tenant_id = $1 AND code = ANY($2::text[]);

-- name: add_locations
INSERT INTO location (tenant_id, id, code, name, province, city)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])
ON CONFLICT (tenant_id, code) DO UPDATE
SET name = excluded.name, province = excluded.province, city = excluded.city;

-- name: known_skus
SELECT id, sku, kind FROM article WHERE tenant_id = $1 AND sku = ANY($2::text[]);

-- name: levels
-- Balances by SKU (DEMO: stock get).
SELECT a.sku, l.code AS location, s.on_hand, s.reserved, s.safety, s.weight
FROM article a JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE a.tenant_id = $1 AND a.sku = ANY($2::text[])
ORDER BY a.sku, l.code;

-- name: verify_balances
-- Rows whose ledger does not add up to their balance, or whose open reservations to reserved.
WITH moved AS (
    SELECT article_id, location_id, sum(delta)::bigint AS on_hand, sum(weight_delta) AS weight
    FROM movement WHERE tenant_id = $1 GROUP BY 1, 2
), promised AS (
    SELECT article_id, location_id, sum(qty)::bigint AS reserved
    FROM reservation WHERE tenant_id = $1 AND state = 'open' GROUP BY 1, 2
), held AS (
    SELECT article_id, location_id, on_hand, weight, reserved FROM stock WHERE tenant_id = $1
), rows AS (
    SELECT article_id, location_id FROM moved UNION SELECT article_id, location_id FROM promised
    UNION SELECT article_id, location_id FROM held
)
SELECT a.sku, l.code AS location,
       coalesce(h.on_hand, 0) AS on_hand, coalesce(m.on_hand, 0) AS moved,
       coalesce(h.weight, 0) AS weight, coalesce(m.weight, 0) AS weighed,
       coalesce(h.reserved, 0) AS reserved, coalesce(p.reserved, 0) AS promised
FROM rows r
LEFT JOIN held h USING (article_id, location_id)
LEFT JOIN moved m USING (article_id, location_id)
LEFT JOIN promised p USING (article_id, location_id)
LEFT JOIN article a ON a.tenant_id = $1 AND a.id = r.article_id
LEFT JOIN location l ON l.tenant_id = $1 AND l.id = r.location_id
WHERE coalesce(h.on_hand, 0) <> coalesce(m.on_hand, 0) OR coalesce(h.weight, 0) <> coalesce(m.weight, 0)
   OR coalesce(h.reserved, 0) <> coalesce(p.reserved, 0)
ORDER BY 1, 2;

-- name: availability
-- The one place that says what is available: pieces by article and location, not yet through any rule. A
-- suite has a row for each of its parts and locations, with how much of the part it takes.
SELECT s.article_id, l.code, s.on_hand - s.reserved - s.safety AS pieces, NULL::bigint AS part_id,
       NULL::numeric AS num
FROM unnest($2::text::bigint[]) AS wanted (article_id)
JOIN stock s ON s.tenant_id = $1 AND s.article_id = wanted.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
UNION ALL
SELECT p.suite_id, l.code, s.on_hand - s.reserved - s.safety, p.part_id, p.num
FROM unnest($2::text::bigint[]) AS wanted (article_id)
JOIN suite_part p ON p.tenant_id = $1 AND p.suite_id = wanted.article_id
LEFT JOIN stock s ON s.tenant_id = $1 AND s.article_id = p.part_id
LEFT JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id;

-- name: matching_rules
SELECT r.id, r.article_id, l.code AS location, r.locations, r.ratio, r.buffer, r.minimum, r.maximum,
       r.fixed, r.stop
FROM publish_rule r LEFT JOIN location l ON l.tenant_id = $1 AND l.id = r.location_id
WHERE r.tenant_id = $1 AND (r.connection_id IS NULL OR r.connection_id = $2)
  AND (r.article_id IS NULL OR r.article_id = ANY($3::text::bigint[]))
ORDER BY r.position, r.id;

-- name: add_rule
-- Behind all others. Returns nothing where the location or the SKU is unknown.
WITH scope AS (
    SELECT l.id AS location_id, a.id AS article_id
    FROM (SELECT) one
    LEFT JOIN location l ON l.tenant_id = $1 AND l.code = $4
    LEFT JOIN article a ON a.tenant_id = $1 AND a.sku = $5
    WHERE ($4::text IS NULL OR l.id IS NOT NULL) AND ($5::text IS NULL OR a.id IS NOT NULL)
), added AS (
    INSERT INTO publish_rule (tenant_id, id, position, connection_id, location_id, article_id, locations,
                              ratio, buffer, minimum, maximum, fixed, stop)
    SELECT $1, $2, coalesce((SELECT max(position) FROM publish_rule WHERE tenant_id = $1), 0) + 1, $3,
           location_id, article_id, $6, $7, $8, $9, $10, $11, $12
    FROM scope
    RETURNING article_id
), marked AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT $1, $13, article_id FROM added WHERE article_id IS NOT NULL
)
SELECT article_id FROM added;

-- name: remove_rule
WITH gone AS (
    DELETE FROM publish_rule WHERE tenant_id = $1 AND id = $2 RETURNING article_id
), marked AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT $1, $3, article_id FROM gone WHERE article_id IS NOT NULL
)
SELECT article_id FROM gone;

-- name: list_rules
SELECT r.id, c.name AS connection, l.code AS location, a.sku, r.locations, r.ratio, r.buffer, r.minimum,
       r.maximum, r.fixed, r.stop
FROM publish_rule r
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = r.connection_id
LEFT JOIN location l ON l.tenant_id = $1 AND l.id = r.location_id
LEFT JOIN article a ON a.tenant_id = $1 AND a.id = r.article_id
WHERE r.tenant_id = $1
ORDER BY r.position, r.id;

-- name: set_safety
WITH marked AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT $1, * FROM unnest($5::bigint[], $6::bigint[])
)
UPDATE stock s SET safety = w.pieces
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS w (article_id, location_id, pieces)
WHERE s.tenant_id = $1 AND s.article_id = w.article_id AND s.location_id = w.location_id;
