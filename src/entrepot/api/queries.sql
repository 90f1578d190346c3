-- name: admit
-- The tokens of these hashes that still count, each with its calls in this window, these included, and the
-- person it acts for: one who is let in no longer takes the token along.
WITH found AS (
    SELECT t.hash, t.id, t.name, t.scopes, t.per_minute, s.calls, t.person_id, p.name AS person, p.role
    FROM unnest($2::bytea[], $3::int[]) AS s (hash, calls)
    JOIN token t ON t.tenant_id = $1 AND t.hash = s.hash AND cardinality(t.scopes) > 0
                AND (t.ended_at IS NULL OR t.ended_at > now())
    LEFT JOIN person p ON p.tenant_id = $1 AND p.id = t.person_id AND p.active
    WHERE t.person_id IS NULL OR p.id IS NOT NULL
), counted AS (
    INSERT INTO api_usage AS u (tenant_id, token_id, minute, calls)
    SELECT $1, id, $4, calls FROM found WHERE per_minute > 0 ORDER BY id
    ON CONFLICT (tenant_id, token_id) DO UPDATE
    SET minute = excluded.minute,
        calls = excluded.calls + CASE WHEN u.minute = excluded.minute THEN u.calls ELSE 0 END
    RETURNING token_id, calls
)
SELECT f.hash, f.id, f.name, f.scopes, f.per_minute, f.person_id, f.person, f.role, c.calls AS used
FROM found f LEFT JOIN counted c ON c.token_id = f.id;

-- name: take_key
-- Held to the end of the transaction, whatever ends it.
SELECT pg_try_advisory_xact_lock(hashtextextended($2, $1));

-- name: queue_up
-- Writers who said If-Match about one document compare and change one after the other.
SELECT pg_advisory_xact_lock(hashtextextended($2, $1));

-- name: reply_of
SELECT digest, status, headers, body FROM api_reply
WHERE tenant_id = $1 AND token_id = $2 AND key = $3 AND at > now() - make_interval(hours => $4);

-- name: keep_reply
INSERT INTO api_reply (tenant_id, token_id, key, digest, status, headers, body)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)
ON CONFLICT (tenant_id, token_id, key) DO UPDATE
SET digest = excluded.digest, status = excluded.status, headers = excluded.headers,
    body = excluded.body, at = excluded.at;

-- name: forget_replies
-- A few of those too old to count, with every one that is added: what is kept stays bounded.
DELETE FROM api_reply r
USING (SELECT token_id, key FROM api_reply
       WHERE tenant_id = $1 AND at < now() - make_interval(hours => $2)
       ORDER BY at LIMIT 20 FOR UPDATE SKIP LOCKED) old
WHERE r.tenant_id = $1 AND r.token_id = old.token_id AND r.key = old.key;

-- name: papers
SELECT * FROM paper
WHERE tenant_id = $1 AND kind = $2 AND id < $3 AND NOT deleted
  AND ($5::text IS NULL OR variant = $5)
  AND ($6::text IS NULL OR state = $6)
  AND ($7::text IS NULL OR order_number = $7)
  AND ($8::bigint IS NULL OR customer_id = $8)
ORDER BY id DESC LIMIT $4;
