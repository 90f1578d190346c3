-- name: page
-- Newest first. $2 what, $3 subject, $4 and $5 ids [from, before), $6 limit.
SELECT id, at, who, what, subject, reason, details FROM audit
WHERE tenant_id = $1 AND ($2::text IS NULL OR what = $2) AND ($3::text IS NULL OR subject = $3)
  AND id >= $4 AND id < $5
ORDER BY id DESC LIMIT $6;
