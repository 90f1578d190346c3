-- name: people
SELECT p.id, p.login, p.name, p.role, p.active, a.person_id IS NOT NULL AS can_sign_in, coalesce(a.duties, '{}') AS duties,
       a.totp IS NOT NULL AS has_totp, coalesce(a.must_change, false) AS must_change,
       (SELECT max(s.seen_at) FROM session s WHERE s.tenant_id = $1 AND s.person_id = p.id AND s.stage = 'full') AS seen_at
FROM person p LEFT JOIN account a ON a.tenant_id = $1 AND a.person_id = p.id
WHERE p.tenant_id = $1 AND ($2::bigint IS NULL OR p.id = $2)
ORDER BY p.active DESC, p.login LIMIT 500;
