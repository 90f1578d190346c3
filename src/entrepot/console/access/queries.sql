-- name: seat
-- The session of a cookie with the person behind it; one row by primary key.
SELECT s.id, s.stage, s.token_hash, s.previous_hash, s.created_at, s.rotated_at, s.seen_at,
       a.person_id, p.login, a.must_change, a.duties, a.only_local, a.locale, a.totp IS NOT NULL AS has_totp,
       p.name, p.role
FROM session s
JOIN account a ON a.tenant_id = $1 AND a.person_id = s.person_id
JOIN person p ON p.tenant_id = $1 AND p.id = s.person_id AND p.active
WHERE s.tenant_id = $1 AND s.id = $2 AND s.ended_at IS NULL;

-- name: rotate
-- Replace a token by the next; of two requests that try at once, one wins and the other's token holds on.
UPDATE session SET token_hash = $4, previous_hash = token_hash, rotated_at = $5, seen_at = $5
WHERE tenant_id = $1 AND id = $2 AND token_hash = $3 AND ended_at IS NULL;

-- name: seen
UPDATE session SET seen_at = $3, address = $4 WHERE tenant_id = $1 AND id = $2;

-- name: add_session
INSERT INTO session (tenant_id, id, person_id, stage, token_hash, address, agent, created_at, rotated_at, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8);

-- name: end_session
UPDATE session SET ended_at = $4
WHERE tenant_id = $1 AND person_id = $2 AND id = $3 AND ended_at IS NULL;

-- name: end_others
-- Sign a person out everywhere but here ($3, 0: here too).
UPDATE session SET ended_at = $4
WHERE tenant_id = $1 AND person_id = $2 AND id <> $3 AND ended_at IS NULL;

-- name: sessions
SELECT id, address, agent, created_at, seen_at FROM session
WHERE tenant_id = $1 AND person_id = $2 AND ended_at IS NULL AND stage = 'full' AND seen_at > $3 AND created_at > $4
ORDER BY seen_at DESC;

-- name: account_named
SELECT a.person_id, p.login, a.password, a.must_change, a.only_local, a.totp
FROM person p JOIN account a ON a.tenant_id = $1 AND a.person_id = p.id
WHERE p.tenant_id = $1 AND p.login = $2 AND p.active;

-- name: lock_account
SELECT a.person_id, p.login, a.password, a.must_change, a.totp, a.totp_step, a.recovery
FROM account a JOIN person p ON p.tenant_id = $1 AND p.id = a.person_id
WHERE a.tenant_id = $1 AND a.person_id = $2
FOR UPDATE OF a;

-- name: save_account
-- A new account, or a new password for an old one.
INSERT INTO account (tenant_id, person_id, password, must_change, only_local)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, person_id) DO UPDATE
SET password = excluded.password, must_change = excluded.must_change, only_local = excluded.only_local,
    changed_at = now();

-- name: set_password
UPDATE account SET password = $3, must_change = $4, changed_at = now() WHERE tenant_id = $1 AND person_id = $2;

-- name: set_totp
UPDATE account SET totp = $3, totp_step = $4, recovery = $5, changed_at = now()
WHERE tenant_id = $1 AND person_id = $2;

-- name: use_step
UPDATE account SET totp_step = $3, recovery = $4 WHERE tenant_id = $1 AND person_id = $2;

-- name: set_locale
UPDATE account SET locale = $3 WHERE tenant_id = $1 AND person_id = $2;

-- name: failures
SELECT subject, failures, last_at FROM sign_in_failure WHERE tenant_id = $1 AND subject = ANY($2::bytea[]);

-- name: failed
-- Count one more; a day without failures starts anew.
INSERT INTO sign_in_failure AS f (tenant_id, subject, failures, last_at)
SELECT $1, subject, 1, $3 FROM unnest($2::bytea[]) AS subject ORDER BY subject
ON CONFLICT (tenant_id, subject) DO UPDATE
SET failures = CASE WHEN f.last_at < $3 - interval '1 day' THEN 1 ELSE f.failures + 1 END, last_at = $3;

-- name: forgive
DELETE FROM sign_in_failure WHERE tenant_id = $1 AND subject = ANY($2::bytea[]);

-- name: any_account
SELECT EXISTS (SELECT FROM account WHERE tenant_id = $1);

-- name: set_duties
UPDATE account SET duties = $3 WHERE tenant_id = $1 AND person_id = $2;
