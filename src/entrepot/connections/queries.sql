-- name: registry
-- Everything a process needs to know of every connection; read at start and after each change.
SELECT t.name AS tenant, t.settings AS tenant_settings, c.*
FROM connection c JOIN tenant t USING (tenant_id)
ORDER BY t.tenant_id, c.name;

-- name: registry_credentials
SELECT tenant_id, connection_id, sealed, expires_at
FROM credential
WHERE expires_at IS NULL OR expires_at > now()
ORDER BY tenant_id, connection_id, expires_at NULLS FIRST, id DESC;

-- name: any_credential
SELECT 1 FROM credential LIMIT 1;

-- name: tenants
SELECT tenant_id, name, settings FROM tenant ORDER BY tenant_id;

-- name: address
-- Of the hub, not of a tenant.
SELECT address, presence FROM hub;

-- name: leave_address
-- Whether the hub's address may become another one: it is unknown, or nobody serves on it any more.
SELECT coalesce((SELECT presence = $2 OR pg_try_advisory_xact_lock(presence) FROM hub), $1 = 0);

-- name: follow_address
UPDATE connection c SET partner_url = $2 || substr(c.partner_url, length(h.address) + 1)
FROM hub h
WHERE $1 = 0 AND starts_with(c.partner_url, h.address || '/c/') AND h.address <> $2;

-- name: set_address
INSERT INTO hub (address, presence)
SELECT $2, $3 WHERE $1 = 0
ON CONFLICT (one) DO UPDATE SET address = excluded.address, presence = excluded.presence;

-- name: add_tenant
INSERT INTO tenant (tenant_id, name, settings) VALUES ($1, $2, $3::jsonb);

-- name: lock_tenant
SELECT settings FROM tenant WHERE tenant_id = $1 FOR UPDATE;

-- name: set_tenant
UPDATE tenant SET settings = $2::jsonb WHERE tenant_id = $1;

-- name: add_connection
INSERT INTO connection (tenant_id, id, name, dialect, role, partner_url, settings)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb);

-- name: lock_connection
SELECT id, dialect, role, partner_url, settings, paused FROM connection
WHERE tenant_id = $1 AND name = $2
FOR UPDATE;

-- name: set_connection
UPDATE connection SET partner_url = $3, settings = $4::jsonb, paused = $5, changed_at = now()
WHERE tenant_id = $1 AND id = $2;

-- name: current_credential
SELECT id, sealed FROM credential
WHERE tenant_id = $1 AND connection_id = $2 AND expires_at IS NULL
FOR UPDATE;

-- name: add_credential
INSERT INTO credential (tenant_id, id, connection_id, key_hash, sealed)
VALUES ($1, $2, $3, $4, $5);

-- name: reseal_credential
UPDATE credential SET sealed = $3 WHERE tenant_id = $1 AND id = $2;

-- name: expire_credential
UPDATE credential SET expires_at = now() + make_interval(secs => $3)
WHERE tenant_id = $1 AND id = $2;

-- name: write_audit
INSERT INTO audit (tenant_id, id, who, what, subject, reason, details)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb);

-- name: find_exchanges
-- By any number; newest first; keyset by (at, id). One branch per index, so that each stays a seek.
WITH hits AS (
    SELECT at, id FROM exchange
    WHERE tenant_id = $1 AND $2::text IS NULL
      AND ($5::timestamptz IS NULL OR (at, id) < ($5, $6::bigint))
      AND ($3::text IS NULL OR connection_id = (SELECT id FROM connection WHERE tenant_id = $1 AND name = $3))
      AND ($4::text IS NULL OR direction = $4)
    ORDER BY at DESC, id DESC LIMIT $7
), by_document AS (
    SELECT at, id FROM exchange WHERE tenant_id = $1 AND document = $2
    UNION
    SELECT at, id FROM exchange WHERE tenant_id = $1 AND also @> ARRAY[$2::text]
)
SELECT e.at, e.id, e.direction, c.name AS connection, e.document, e.method, e.path, e.status,
       e.refused, e.duration_us, e.request, e.reply
FROM (SELECT * FROM hits UNION ALL SELECT * FROM by_document WHERE $2::text IS NOT NULL) h
JOIN exchange e ON e.tenant_id = $1 AND e.at = h.at AND e.id = h.id
JOIN connection c ON c.tenant_id = $1 AND c.id = e.connection_id
WHERE ($3::text IS NULL OR c.name = $3) AND ($4::text IS NULL OR e.direction = $4)
  AND ($5::timestamptz IS NULL OR (e.at, e.id) < ($5, $6::bigint))
ORDER BY e.at DESC, e.id DESC
LIMIT $7;
