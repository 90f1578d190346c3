-- Each source gives the oldest of its open items: (kind, item, connection, document, what, why, since).
-- Counts stop at a thousand, so that none ever scans.

-- name: counts
SELECT 'needs_attention' AS kind, count(*) AS items FROM (
    SELECT FROM delivery WHERE tenant_id = $1 AND state = 'needs_attention' LIMIT 1001) a
UNION ALL
SELECT 'rejected', count(*) FROM (
    SELECT FROM delivery WHERE tenant_id = $1 AND state = 'rejected' LIMIT 1001) r
UNION ALL
SELECT 'level', count(*) FROM (
    SELECT FROM level WHERE tenant_id = $1 AND trouble IS NOT NULL LIMIT 1001) l
UNION ALL
SELECT 'parked', count(*) FROM (
    SELECT FROM dispatch_note WHERE tenant_id = $1 AND onward = 'parked' LIMIT 1001) p
UNION ALL
SELECT 'turned_away', count(*) FROM (
    SELECT FROM discrepancy WHERE tenant_id = $1 AND resolved_at IS NULL
    AND kind IN ('not_taken', 'other_content') LIMIT 1001) t
UNION ALL
SELECT 'discrepancy', count(*) FROM (
    SELECT FROM discrepancy WHERE tenant_id = $1 AND resolved_at IS NULL
    AND kind NOT IN ('not_taken', 'other_content') LIMIT 1001) d;

-- name: deliveries
SELECT d.state AS kind, d.id::text AS item, c.name AS connection, d.document, d.kind AS what,
       coalesce(d.last_error, '') AS why, coalesce(d.settled_at, d.created_at) AS since, NULL::bigint AS order_id
FROM (SELECT id FROM delivery
      WHERE tenant_id = $1 AND state = $2 AND ($3::bigint IS NULL OR connection_id = $3)
      ORDER BY id LIMIT $4) h
JOIN delivery d ON d.tenant_id = $1 AND d.id = h.id
JOIN connection c ON c.tenant_id = $1 AND c.id = d.connection_id;

-- name: levels
SELECT 'level' AS kind, 'stock-' || v.connection_id || '-' || v.item AS item, c.name AS connection,
       a.sku AS document, 'stock' AS what, coalesce(v.trouble, '') AS why,
       coalesce(v.told_at, v.dirty_since, now()) AS since, NULL::bigint AS order_id
FROM (SELECT connection_id, item, article_id, trouble, told_at, dirty_since FROM level
      WHERE tenant_id = $1 AND trouble IS NOT NULL AND ($2::bigint IS NULL OR connection_id = $2)
      ORDER BY connection_id, item LIMIT $3) v
JOIN connection c ON c.tenant_id = $1 AND c.id = v.connection_id
LEFT JOIN article a ON a.tenant_id = $1 AND a.id = v.article_id;

-- name: parked
SELECT 'parked' AS kind, n.number AS item, c.name AS connection, o.number AS document, n.onward AS what,
       n.reason AS why, n.created_at AS since, n.order_id
FROM (SELECT * FROM dispatch_note WHERE tenant_id = $1 AND onward = 'parked' ORDER BY id LIMIT $3) n
JOIN sales_order o ON o.tenant_id = $1 AND o.id = n.order_id
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = o.connection_id
WHERE $2::bigint IS NULL OR o.connection_id = $2;

-- name: turned_away
-- What the partner has pushed again meanwhile, and came in, is not waited for any more.
SELECT 'turned_away' AS kind, d.id::text AS item, c.name AS connection, d.document, d.kind AS what, d.text AS why,
       d.opened_at AS since, d.order_id
FROM (SELECT * FROM discrepancy w WHERE tenant_id = $1 AND resolved_at IS NULL
      AND kind IN ('not_taken', 'other_content') AND ($2::bigint IS NULL OR connection_id = $2)
      AND NOT (kind = 'not_taken' AND EXISTS (
          SELECT FROM intake i WHERE i.tenant_id = $1 AND i.connection_id = w.connection_id
          AND i.kind = w.details ->> 'of' AND i.number = w.subject))
      ORDER BY opened_at, id LIMIT $3) d
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = d.connection_id;

-- name: one_turned_away
SELECT d.id, d.kind, d.connection_id, c.name AS connection, d.subject, d.document, d.order_id, d.text, d.details,
       d.opened_at, d.seen_at, d.resolved_at
FROM discrepancy d LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = d.connection_id
WHERE d.tenant_id = $1 AND d.id = $2 AND d.kind IN ('not_taken', 'other_content');

-- name: last_exchange
-- The newest call about a number ($3) that came from a connection ($2).
SELECT at, id FROM exchange
WHERE tenant_id = $1 AND document = $3 AND document IS NOT NULL AND connection_id = $2 AND direction = 'in'
ORDER BY at DESC LIMIT 1;

-- name: discrepancies
SELECT 'discrepancy' AS kind, d.id::text AS item, c.name AS connection,
       coalesce(nullif(d.document, ''), d.subject) AS document, d.kind AS what, d.text AS why,
       d.opened_at AS since, d.order_id
FROM (SELECT * FROM discrepancy WHERE tenant_id = $1 AND resolved_at IS NULL
      AND kind NOT IN ('not_taken', 'other_content') AND ($2::bigint IS NULL OR connection_id = $2) ORDER BY opened_at, id LIMIT $3) d
LEFT JOIN connection c ON c.tenant_id = $1 AND c.id = d.connection_id;

-- name: owners
SELECT kind, item, person_id, who FROM attention_owner
WHERE tenant_id = $1 AND (kind, item) IN (SELECT * FROM unnest($2::text[], $3::text[]));

-- name: own
INSERT INTO attention_owner (tenant_id, kind, item, person_id, who) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, kind, item) DO UPDATE SET person_id = excluded.person_id, who = excluded.who, since = now();

-- name: disown
DELETE FROM attention_owner WHERE tenant_id = $1 AND kind = $2 AND item = $3;
