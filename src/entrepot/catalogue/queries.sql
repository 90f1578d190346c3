-- name: by_style
SELECT a.style_no AS name, a.id FROM unnest($2::text[]) AS wanted (name)
JOIN article a ON a.tenant_id = $1 AND a.style_no = wanted.name;

-- name: by_sku
SELECT a.sku AS name, a.id FROM unnest($2::text[]) AS wanted (name)
JOIN article a ON a.tenant_id = $1 AND a.sku = wanted.name;

-- name: add_articles
-- Create or update by SKU. The last of repeated SKUs counts; the caller has made them unique.
INSERT INTO article (tenant_id, id, sku, style_no, name, pic_url, unit, details)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::jsonb[])
ON CONFLICT (tenant_id, sku) DO UPDATE
SET style_no = excluded.style_no, name = excluded.name, pic_url = excluded.pic_url,
    unit = excluded.unit, details = excluded.details, changed_at = now();

-- name: add_listings
INSERT INTO listing (tenant_id, connection_id, id, type, key, article_id)
SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
ON CONFLICT (tenant_id, connection_id, type, key) DO UPDATE SET article_id = excluded.article_id;

-- name: style_balances
-- Articles by style number with their balances; one row without a location for an article never stocked.
SELECT a.style_no, a.pic_url, l.code AS location, s.on_hand,
       s.on_hand - s.reserved - s.safety AS available, s.weight
FROM article a
LEFT JOIN stock s ON s.tenant_id = $1 AND s.article_id = a.id
LEFT JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id
WHERE a.tenant_id = $1 AND a.style_no = ANY($2::text[]);

-- name: next_styles
SELECT style_no FROM article
WHERE tenant_id = $1 AND style_no > $2
ORDER BY style_no
LIMIT $3;

-- name: by_listing
-- Article ids by what a connection calls them.
SELECT l.type, l.key, l.article_id
FROM unnest($3::text[], $4::text[]) AS w (type, key)
JOIN listing l ON l.tenant_id = $1 AND l.connection_id = $2 AND l.type = w.type AND l.key = w.key;
