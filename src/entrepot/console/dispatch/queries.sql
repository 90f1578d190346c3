-- name: notes
-- The board, newest first. One branch per way to seek; parameters switch the others off.
-- $2 state, $3 onward, $4 location, $5 a number of a note or an order, $6 before, $7 limit; $8 answered since, among
-- those offered since an earlier moment ($9, an id).
WITH hits AS (
    (SELECT id FROM dispatch_note
     WHERE tenant_id = $1 AND $4::bigint IS NULL AND $5::text IS NULL AND id < $6 AND id >= $9
       AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR onward = $3)
       AND ($8::timestamptz IS NULL OR answered_at >= $8)
     ORDER BY id DESC LIMIT $7)
    UNION ALL
    -- A span of one location, so that a quiet one's notes are not sought among everybody's.
    (SELECT id FROM dispatch_note
     WHERE tenant_id = $1 AND $5::text IS NULL AND location_id >= $4 AND location_id <= $4 AND id < $6
       AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR onward = $3)
     ORDER BY location_id DESC, created_at DESC FETCH FIRST $7 ROWS WITH TIES)
    UNION ALL
    SELECT id FROM dispatch_note WHERE tenant_id = $1 AND number = $5
    UNION ALL
    SELECT n.id FROM sales_order o
    JOIN dispatch_note n ON n.tenant_id = $1 AND n.order_id = o.id AND n.number <> $5
    WHERE o.tenant_id = $1 AND o.number = $5
)
SELECT n.id, n.number, n.state, n.onward, n.round, n.why, n.reason, n.created_at, n.told_at, n.answered_at,
       n.silent_at, n.connection_id, o.id AS order_id, o.number AS order_number, o.state AS order_state,
       l.code AS outlet, l.name AS outlet_name, g.pieces, g.shipped
FROM (
    SELECT n.*
    FROM hits h
    CROSS JOIN LATERAL (SELECT * FROM dispatch_note WHERE tenant_id = $1 AND id = h.id LIMIT 1) n
    WHERE n.id < $6 AND ($2::text IS NULL OR n.state = $2) AND ($3::text IS NULL OR n.onward = $3)
      AND n.id >= $9 AND ($8::timestamptz IS NULL OR n.answered_at >= $8)
      AND ($4::bigint IS NULL OR n.location_id = $4)
    ORDER BY n.id DESC
    LIMIT $7
) n
JOIN sales_order o ON o.tenant_id = $1 AND o.id = n.order_id
JOIN location l ON l.tenant_id = $1 AND l.id = n.location_id
JOIN LATERAL (SELECT sum(qty)::bigint AS pieces, sum(shipped)::bigint AS shipped FROM dispatch_line
              WHERE tenant_id = $1 AND note_id = n.id) g ON true
ORDER BY n.id DESC;

-- name: head
-- An order that outlets ship.
SELECT o.id, o.number, o.state, o.created_at, o.connection_id, c.name AS connection, d.province, d.city,
       d.void_asked_at, s.code AS shop
FROM dispatch d
JOIN sales_order o ON o.tenant_id = $1 AND o.id = d.order_id
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = o.connection_id
LEFT JOIN location s ON s.tenant_id = $1 AND s.id = d.shop_id
WHERE d.tenant_id = $1 AND d.order_id = $2;

-- name: note
SELECT n.number, n.state, n.connection_id, n.order_id, l.code AS outlet, l.name AS outlet_name
FROM dispatch_note n JOIN location l ON l.tenant_id = $1 AND l.id = n.location_id
WHERE n.tenant_id = $1 AND n.number = $2;

-- name: open_notes
-- Open notes of an order: whether our own people ship them, and whether the outlet is asked for them back.
SELECT number, connection_id IS NULL AS ours, recall_id IS NOT NULL AS asked FROM dispatch_note
WHERE tenant_id = $1 AND order_id = $2 AND state = 'open';

-- name: parcels
SELECT p.express, p.waybill, p.earlier, p.shipped_at, n.number AS note,
       (SELECT string_agg(i.code, ', ' ORDER BY i.code) FROM package_piece i
        WHERE i.tenant_id = $1 AND i.package_id = p.id) AS codes
FROM package p JOIN dispatch_note n ON n.tenant_id = $1 AND n.id = p.note_id
WHERE p.tenant_id = $1 AND p.order_id = $2 ORDER BY p.id;

-- name: steps
SELECT at, who, what FROM order_log WHERE tenant_id = $1 AND order_id = $2 ORDER BY id DESC LIMIT 200;

-- name: outlets
-- Locations by code: how they ship, notes offered today ($6: since when), notes that are open. $2 after this
-- code, prefix $3 … $4, $5 limit.
WITH open AS (
    SELECT location_id, count(*) AS notes
    FROM (SELECT location_id FROM dispatch_note WHERE tenant_id = $1 AND state = 'open' LIMIT 50000) o
    GROUP BY location_id
)
SELECT l.id, l.code, l.name, l.province, l.city, l.ships, l.paused, l.priority, l.daily_capacity, l.groups,
       c.name AS connection, t.today, coalesce(open.notes, 0) AS open
FROM (SELECT * FROM location WHERE tenant_id = $1 AND code > $2 AND code >= $3 AND code < $4
      ORDER BY code LIMIT $5) l
LEFT JOIN open ON open.location_id = l.id
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = l.connection_id
JOIN LATERAL (SELECT count(*) AS today
              FROM (SELECT FROM dispatch_note WHERE tenant_id = $1 AND location_id = l.id AND created_at >= $6
                    LIMIT 1001) newest) t ON true
ORDER BY l.code;

-- name: outlet
SELECT id, code, name, province, city, ships, paused, priority, daily_capacity, groups, connection_id
FROM location WHERE tenant_id = $1 AND id = $2;

-- name: pieces
-- Pieces by code. $2 after this code, prefix $3 … $4, $5 limit.
SELECT p.code, p.state, p.changed_at, a.id AS article_id, a.sku, a.name, l.code AS location, l.name AS place, k.waybill, k.express,
       n.number AS note, n.order_id
FROM (SELECT * FROM piece WHERE tenant_id = $1 AND code > $2 AND code >= $3 AND code < $4
      ORDER BY code LIMIT $5) p
JOIN article a ON a.tenant_id = $1 AND a.id = p.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = p.location_id
LEFT JOIN package k ON k.tenant_id = $1 AND k.id = p.package_id
LEFT JOIN dispatch_note n ON n.tenant_id = $1 AND n.id = k.note_id
ORDER BY p.code;

-- name: pieces_here
-- Pieces in stock at one place ($5), by code.
SELECT p.code, p.state, p.changed_at, a.id AS article_id, a.sku, a.name, l.code AS location, l.name AS place, k.waybill, k.express,
       n.number AS note, n.order_id
FROM (SELECT * FROM piece WHERE tenant_id = $1 AND code > $2 AND code >= $3 AND code < $4
      AND location_id = $5 AND state = 'in_stock' ORDER BY code LIMIT $6) p
JOIN article a ON a.tenant_id = $1 AND a.id = p.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = p.location_id
LEFT JOIN package k ON k.tenant_id = $1 AND k.id = p.package_id
LEFT JOIN dispatch_note n ON n.tenant_id = $1 AND n.id = k.note_id
ORDER BY p.code;

-- name: locations
SELECT id, code, name FROM location WHERE tenant_id = $1 ORDER BY code LIMIT 2000;
