-- name: page
-- Newest first. One branch per way to seek; parameters switch the others off, so that none ever scans.
-- $2 state, $3 connection (0: the hub's own), $4 all states, $5 and $6 ids [from, before), $7 limit.
WITH hits AS (
    (SELECT id FROM sales_order
     WHERE tenant_id = $1 AND $2::text IS NULL AND $3::bigint IS NULL AND id >= $5 AND id < $6
     ORDER BY id DESC LIMIT $7)
    UNION ALL
    (SELECT id FROM sales_order
     WHERE tenant_id = $1 AND $3::bigint IS NULL AND state = $2 AND id >= $5 AND id < $6
     ORDER BY id DESC LIMIT $7)
    UNION ALL
    SELECT of_state.id
    FROM unnest($4::text[]) AS s (state)
    CROSS JOIN LATERAL (
        SELECT id FROM sales_order
        WHERE tenant_id = $1 AND connection_id = $3 AND state = s.state AND id >= $5 AND id < $6
        ORDER BY id DESC LIMIT $7
    ) of_state
    WHERE $3 > 0 AND ($2::text IS NULL OR s.state = $2)
    UNION ALL
    SELECT of_state.id
    FROM unnest($4::text[]) AS s (state)
    CROSS JOIN LATERAL (
        SELECT id FROM sales_order
        WHERE tenant_id = $1 AND connection_id IS NULL AND state = s.state AND id >= $5 AND id < $6
        ORDER BY id DESC LIMIT $7
    ) of_state
    WHERE $3 = 0 AND ($2::text IS NULL OR s.state = $2)
)
SELECT o.id, o.number, o.state, o.customer, o.created_at, o.connection_id, c.name AS connection,
       l.sku, l.first_qty, l.lines, l.pieces
FROM (SELECT id FROM hits ORDER BY id DESC LIMIT $7) h
JOIN sales_order o ON o.tenant_id = $1 AND o.id = h.id
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = o.connection_id
LEFT JOIN LATERAL (
    SELECT count(*) AS lines, sum(ol.qty)::bigint AS pieces,
           (array_agg(a.sku ORDER BY ol.line))[1] AS sku, (array_agg(ol.qty ORDER BY ol.line))[1] AS first_qty
    FROM order_line ol JOIN article a ON a.tenant_id = $1 AND a.id = ol.article_id
    WHERE ol.tenant_id = $1 AND ol.order_id = o.id
) l ON true
ORDER BY o.id DESC;

-- name: search
-- Orders whose number begins with $2 (up to $3), with phone $4, or that hold or lately shipped SKU $5.
WITH hits AS (
    (SELECT id FROM sales_order WHERE tenant_id = $1 AND number = $2)
    UNION
    (SELECT id FROM sales_order
     WHERE tenant_id = $1 AND number >= $2 AND number < $3 ORDER BY number DESC LIMIT 500)
    UNION
    (SELECT id FROM sales_order WHERE tenant_id = $1 AND phone_hash = $4 ORDER BY id DESC LIMIT 500)
    UNION
    (SELECT document_id FROM reservation
     WHERE tenant_id = $1 AND state = 'open'
       AND article_id = (SELECT id FROM article WHERE tenant_id = $1 AND sku = $5)
     ORDER BY document_id DESC LIMIT 500)
    UNION
    (SELECT o.id
     FROM article a
     JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.id
     CROSS JOIN LATERAL (
         SELECT document FROM movement
         WHERE tenant_id = $1 AND article_id = s.article_id AND location_id = s.location_id
         ORDER BY at DESC LIMIT 200) m
     JOIN sales_order o ON o.tenant_id = $1 AND o.number = m.document
     WHERE a.tenant_id = $1 AND a.sku = $5)
)
SELECT o.id, o.number, o.state, o.customer, o.created_at, o.connection_id, c.name AS connection,
       l.sku, l.first_qty, l.lines, l.pieces
FROM (
    SELECT o.id, o.number, o.state, o.customer, o.created_at, o.connection_id
    FROM hits h
    -- One look an order: merging the hits with the table would read half of it.
    CROSS JOIN LATERAL (SELECT * FROM sales_order WHERE tenant_id = $1 AND id = h.id LIMIT 1) o
    WHERE ($6::text IS NULL OR o.state = $6)
      AND ($7::bigint IS NULL OR o.connection_id = $7 OR ($7 = 0 AND o.connection_id IS NULL))
      AND o.id >= $8 AND o.id < $9
    ORDER BY o.id DESC
    LIMIT $10
) o
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = o.connection_id
LEFT JOIN LATERAL (
    SELECT count(*) AS lines, sum(ol.qty)::bigint AS pieces,
           (array_agg(a.sku ORDER BY ol.line))[1] AS sku, (array_agg(ol.qty ORDER BY ol.line))[1] AS first_qty
    FROM order_line ol JOIN article a ON a.tenant_id = $1 AND a.id = ol.article_id
    WHERE ol.tenant_id = $1 AND ol.order_id = o.id
) l ON true
ORDER BY o.id DESC;

-- name: head
SELECT o.id, o.number, o.state, o.customer, o.details, o.receiver, o.created_at, o.changed_at,
       o.connection_id, o.fulfilment, c.name AS connection, c.dialect
FROM sales_order o
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = o.connection_id
WHERE o.tenant_id = $1 AND o.id = $2;

-- name: lines
SELECT l.line, l.article_id, a.sku, a.style_no, a.name, a.unit, a.kind, l.qty
FROM order_line l JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE l.tenant_id = $1 AND l.order_id = $2
ORDER BY l.line;

-- name: reservations
SELECT r.line, r.qty, r.state, l.code AS location, a.sku
FROM reservation r
JOIN location l ON l.tenant_id = $1 AND l.id = r.location_id
JOIN article a ON a.tenant_id = $1 AND a.id = r.article_id
WHERE r.tenant_id = $1 AND r.document_id = $2
ORDER BY r.line, r.id;

-- name: log
SELECT at, who, what FROM order_log WHERE tenant_id = $1 AND order_id = $2 ORDER BY id;

-- name: sealed
SELECT number, receiver FROM sales_order WHERE tenant_id = $1 AND id = $2;

-- name: papers
SELECT kind, number, variant, state FROM paper
WHERE tenant_id = $1 AND order_id = $2 AND NOT deleted ORDER BY created_at DESC;
