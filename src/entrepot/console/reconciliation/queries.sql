-- name: runs
-- What was reconciled, the newest days first; $2: one connection's, null: all. ($3, $4, $5) is where the page before
-- ended; standing: differences nobody has settled yet, counted to a thousand.
SELECT r.connection_id, c.name AS connection, r.kind, r.day, r.file, r.who, r.theirs, r.ours, r.differing, r.at,
       (SELECT count(*) FROM (
           SELECT FROM discrepancy d WHERE d.tenant_id = $1 AND d.connection_id = r.connection_id
             AND d.kind = CASE r.kind WHEN 'orders' THEN 'orders_differ' WHEN 'stock' THEN 'stock_differs'
                          ELSE 'refunds_differ' END
             AND d.subject >= r.day::text || ' ' AND d.subject < r.day::text || '!' AND d.resolved_at IS NULL
           LIMIT 1001) s) AS standing
FROM (SELECT * FROM reconciliation
      WHERE tenant_id = $1 AND ($2::bigint IS NULL OR connection_id = $2)
        AND ($3::date IS NULL OR (day, connection_id, kind) < ($3, $4::bigint, $5::text))
      ORDER BY day DESC, connection_id DESC, kind DESC LIMIT $6) r
JOIN connection c ON c.tenant_id = $1 AND c.id = r.connection_id
ORDER BY r.day DESC, r.connection_id DESC, r.kind DESC;

-- name: run
SELECT r.connection_id, c.name AS connection, r.kind, r.day, r.file, r.who, r.theirs, r.ours, r.differing, r.at
FROM reconciliation r JOIN connection c ON c.tenant_id = $1 AND c.id = r.connection_id
WHERE r.tenant_id = $1 AND r.connection_id = $2 AND r.kind = $3 AND r.day = $4::date;

-- name: differences
-- A day's differences ($2 connection, $3 kind, subjects from $4 to $5) behind $6; $7: only those that stand.
SELECT id, subject, order_id, document, text, details, opened_at, resolved_at, resolved_by, reason FROM discrepancy
WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 AND subject >= $4 AND subject < $5 AND subject > $6
  AND (NOT $7::boolean OR resolved_at IS NULL)
ORDER BY subject LIMIT $8;
