-- name: open_lines
-- Lines of these orders that an adjustment not yet decided is about.
SELECT DISTINCT p.order_id, l.product_id, l.unit_id, l.price
FROM paper p JOIN adjustment_line l ON l.tenant_id = $1 AND l.paper_id = p.id
WHERE p.tenant_id = $1 AND p.order_id = ANY($2::bigint[]) AND p.kind = 'AP'
  AND p.state IN ('RUN', 'PASS') AND NOT p.deleted;

-- name: save_lines
INSERT INTO adjustment_line (tenant_id, paper_id, line, article_id, product_id, unit_id, qty, price, ask)
SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                         $8::numeric[], $9::numeric[]);

-- name: lines
SELECT l.paper_id, l.line, l.product_id, l.unit_id, l.qty, l.price, l.ask, a.name, a.unit,
       coalesce(a.details ->> 'guige', '') AS guige, coalesce(a.details ->> 'pno', '') AS pno,
       coalesce(substring(a.details ->> 'perunit' FROM '^\d{1,15}$')::bigint, 1) AS perunit
FROM adjustment_line l JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE l.tenant_id = $1 AND l.paper_id = ANY($2::bigint[])
ORDER BY l.paper_id, l.line;
