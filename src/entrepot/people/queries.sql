-- name: add_people
INSERT INTO person (tenant_id, id, login, name, role)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::int[])
ON CONFLICT (tenant_id, login) DO UPDATE SET name = excluded.name, role = excluded.role, active = true
RETURNING id, login;

-- name: one_at_a_time
-- Whoever gives out numbers to people waits for who gives out some before.
SELECT FROM tenant WHERE tenant_id = $1 FOR NO KEY UPDATE;

-- name: next_person
SELECT coalesce(max(id), 0) + 1 FROM person WHERE tenant_id = $1;

-- name: set_active
UPDATE person SET active = $3 WHERE tenant_id = $1 AND login = $2;

-- name: people
SELECT id, login, name, role, active FROM person WHERE tenant_id = $1 ORDER BY id;

-- name: by_login
SELECT id, login, name, role FROM person WHERE tenant_id = $1 AND login = ANY($2::text[]) AND active;

-- name: by_token
SELECT t.hash, p.id, p.name, p.role
FROM token t JOIN person p ON p.tenant_id = $1 AND p.id = t.person_id AND p.active
WHERE t.tenant_id = $1 AND t.hash = ANY($2::bytea[]) AND (t.ended_at IS NULL OR t.ended_at > now());

-- name: add_token
INSERT INTO token (tenant_id, id, person_id, name, scopes, hash, per_minute)
VALUES ($1, $2, $3, $4, $5::text[], $6, $7);

-- name: end_token
UPDATE token SET ended_at = now() WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL;

-- name: tokens
SELECT t.id, t.name, p.login, t.scopes, t.per_minute, t.created_at, t.ended_at
FROM token t LEFT JOIN person p ON p.tenant_id = $1 AND p.id = t.person_id
WHERE t.tenant_id = $1 ORDER BY t.id;
