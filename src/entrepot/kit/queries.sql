-- What a connection's twin needs to begin with, read from its tenant as the texts that imports take.

-- name: locations
-- Every location, as an outlet; who serves it is settled in the twin.
SELECT code, name, province, city, CASE WHEN connection_id = $2 THEN $3::text ELSE '-' END AS connection,
       CASE WHEN ships THEN 'on' ELSE 'off' END AS ships, CASE WHEN paused THEN 'on' ELSE 'off' END AS paused,
       priority::text, coalesce(daily_capacity::text, '') AS daily_capacity,
       array_to_string(groups, ' ') AS groups
FROM location WHERE tenant_id = $1 ORDER BY code;

-- name: articles
-- Single articles, the newest first up to $2 of them.
SELECT sku, coalesce(style_no, '') AS style_no, name, pic_url, unit, retail_price::text
FROM article WHERE tenant_id = $1 AND kind = 'single' ORDER BY id DESC LIMIT $2;

-- name: stock
-- What lies where, of the articles given.
SELECT a.sku, l.code, s.on_hand::text, s.weight::text, s.safety::text
FROM stock s
JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id
JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE s.tenant_id = $1 AND a.sku = ANY ($2::text[])
ORDER BY 1, 2;

-- name: listings
-- What this connection calls them.
SELECT $3::text AS connection, l.type, l.key, a.sku
FROM listing l JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE l.tenant_id = $1 AND l.connection_id = $2 AND a.sku = ANY ($4::text[])
ORDER BY l.type, l.key;
