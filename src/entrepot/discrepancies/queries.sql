-- name: see
-- A person's verdict stays while the figures do; what resolved itself, or changed, opens anew. Returns what
-- opened just now, where somebody is told of it ($11).
WITH seen AS (
    INSERT INTO discrepancy AS d
        (tenant_id, id, kind, connection_id, subject, document, order_id, note_id, text, details)
    SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
        $8::bigint[], $9::text[], $10::jsonb[])
    ON CONFLICT (tenant_id, connection_id, kind, subject) DO UPDATE SET
        document = excluded.document, order_id = excluded.order_id, note_id = excluded.note_id,
        text = excluded.text, details = excluded.details, seen_at = now(),
        opened_at = CASE WHEN d.resolved_at IS NULL OR (d.resolved_by <> '' AND d.details = excluded.details)
            THEN d.opened_at ELSE now() END,
        resolved_at = CASE WHEN d.resolved_by <> '' AND d.details = excluded.details THEN d.resolved_at END,
        resolved_by = CASE WHEN d.details = excluded.details THEN d.resolved_by ELSE '' END,
        reason = CASE WHEN d.resolved_by <> '' AND d.details = excluded.details THEN d.reason ELSE '' END
    RETURNING *
)
SELECT id, kind, connection_id, subject, document, text, details FROM seen
WHERE $11::boolean AND opened_at = now();

-- name: agree
-- Locked in one order, since several may agree again in one document, and in several at once.
WITH standing AS (
    SELECT d.id
    FROM unnest($2::bigint[], $3::text[], $4::text[]) AS k (connection_id, kind, subject)
    JOIN discrepancy d ON d.tenant_id = $1 AND d.kind = k.kind AND d.subject = k.subject
        AND d.connection_id IS NOT DISTINCT FROM nullif(k.connection_id, 0) AND d.resolved_at IS NULL
    ORDER BY d.id
    FOR UPDATE OF d
)
UPDATE discrepancy d SET resolved_at = now(), reason = $5
FROM standing s WHERE d.tenant_id = $1 AND d.id = s.id
RETURNING d.id, d.kind, d.connection_id, d.subject, d.document, d.text, d.details, d.reason;

-- name: open_among
SELECT d.*
FROM unnest($2::bigint[], $3::text[], $4::text[]) AS k (connection_id, kind, subject)
JOIN discrepancy d ON d.tenant_id = $1 AND d.kind = k.kind AND d.subject = k.subject
    AND d.connection_id IS NOT DISTINCT FROM nullif(k.connection_id, 0) AND d.resolved_at IS NULL;

-- name: resolve
-- All that are known; of one asked for twice the first verdict counts.
WITH asked AS (
    SELECT DISTINCT ON (id) * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[])
        WITH ORDINALITY AS a (id, who, reason, audit_id, at)
    ORDER BY id, at
), known AS (
    SELECT d.*, d.resolved_at IS NULL AS was_open
    FROM discrepancy d WHERE d.tenant_id = $1 AND d.id = ANY($2::bigint[])
    ORDER BY d.id
    FOR UPDATE
), resolved AS (
    UPDATE discrepancy d SET resolved_at = now(), resolved_by = a.who, reason = a.reason
    FROM asked a JOIN known k ON k.id = a.id AND k.was_open
    WHERE d.tenant_id = $1 AND d.id = a.id
), audited AS (
    INSERT INTO audit (tenant_id, id, who, what, subject, reason)
    SELECT $1, a.audit_id, a.who, 'discrepancy resolve', k.kind || ' ' || k.subject, a.reason
    FROM asked a JOIN known k ON k.id = a.id AND k.was_open
)
SELECT k.id, k.was_open, k.kind, k.connection_id, k.subject, k.document, k.text, k.details, a.reason
FROM known k JOIN asked a ON a.id = k.id;

-- name: find
SELECT d.* FROM discrepancy d
WHERE d.tenant_id = $1 AND (NOT $2::boolean OR d.resolved_at IS NULL)
  AND ($3::text IS NULL OR d.kind = $3) AND ($4::bigint[] IS NULL OR d.connection_id = ANY($4))
  AND ($5::text IS NULL OR d.document = $5)
  AND ($6::timestamptz IS NULL OR (d.opened_at, d.id) < ($6, $7::bigint))
ORDER BY d.opened_at DESC, d.id DESC
LIMIT $8;

-- name: count_open
SELECT count(*) FROM discrepancy WHERE tenant_id = $1 AND resolved_at IS NULL;

-- name: forget_resolved
-- A person's verdict on what is still seen stays.
DELETE FROM discrepancy d
USING (
    SELECT tenant_id, id FROM discrepancy
    WHERE resolved_at < now() - interval '400 days' AND seen_at < now() - interval '400 days'
    LIMIT 10000
) AS old
WHERE d.tenant_id = old.tenant_id AND d.id = old.id
RETURNING d.id;
