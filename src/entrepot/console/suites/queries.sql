-- name: page
-- Suites in the order of their SKU. $2 and $3 the SKU's span, $4 after this SKU, $5 limit.
SELECT a.id, a.sku, a.name, s.retail_price, s.label, a.changed_at,
       (SELECT count(*) FROM suite_part p WHERE p.tenant_id = $1 AND p.suite_id = a.id) AS parts
FROM article a JOIN suite s ON s.tenant_id = $1 AND s.article_id = a.id
WHERE a.tenant_id = $1 AND a.kind = 'suite' AND a.sku ~>=~ $2 AND a.sku ~<~ $3 AND a.sku ~>~ $4
ORDER BY a.sku USING ~<~ LIMIT $5;

-- name: prices
SELECT sku, name, retail_price, kind FROM article WHERE tenant_id = $1 AND sku = ANY($2::text[]);
