-- name: depots
-- Locations that document 003's screens can name: their code is a number.
SELECT code, name FROM location WHERE tenant_id = $1 AND code ~ '^[0-9]{1,9}$' ORDER BY code LIMIT 500;
