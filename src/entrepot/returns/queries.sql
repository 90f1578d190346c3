-- name: depots
SELECT id, code, name FROM location WHERE tenant_id = $1 AND code = ANY($2::text[]);

-- name: claimed_pieces
-- What returns of these orders that are not drafts have taken.
SELECT p.order_id, l.product_id, l.unit_id, l.gift, l.old_price, sum(l.qty)::bigint AS qty
FROM paper p JOIN sales_return_line l ON l.tenant_id = $1 AND l.paper_id = p.id
WHERE p.tenant_id = $1 AND p.order_id = ANY($2::bigint[]) AND p.kind = 'SR'
  AND p.state <> 'INVALID' AND NOT p.deleted
GROUP BY 1, 2, 3, 4, 5;

-- name: claimed_money
SELECT p.order_id, sum(r.discount) AS discount, bool_or(r.freight_used) AS freight
FROM paper p JOIN sales_return r ON r.tenant_id = $1 AND r.paper_id = p.id
WHERE p.tenant_id = $1 AND p.order_id = ANY($2::bigint[]) AND p.kind = 'SR'
  AND p.state <> 'INVALID' AND NOT p.deleted
GROUP BY 1;

-- name: save
-- A return's money, as it is filed, edited or run.
INSERT INTO sales_return (tenant_id, paper_id, location_id, depot_id, with_freight, price, discount,
                          freight, total, freight_used, cases, loose)
SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], $6::numeric[],
                         $7::numeric[], $8::numeric[], $9::numeric[], $10::boolean[], $11::bigint[],
                         $12::bigint[])
ON CONFLICT (tenant_id, paper_id) DO UPDATE
SET location_id = excluded.location_id, depot_id = excluded.depot_id,
    with_freight = excluded.with_freight, price = excluded.price, discount = excluded.discount,
    freight = excluded.freight, total = excluded.total, freight_used = excluded.freight_used,
    cases = excluded.cases, loose = excluded.loose;

-- name: clear_lines
DELETE FROM sales_return_line WHERE tenant_id = $1 AND paper_id = ANY($2::bigint[]);

-- name: save_lines
INSERT INTO sales_return_line (tenant_id, paper_id, line, article_id, product_id, unit_id, qty, old_price,
                               price, gift)
SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                         $8::numeric[], $9::numeric[], $10::int[]);

-- name: refunded
-- What was really given back.
UPDATE sales_return r SET total = n.total
FROM unnest($2::bigint[], $3::numeric[]) AS n (paper_id, total)
WHERE r.tenant_id = $1 AND r.paper_id = n.paper_id;

-- name: money
SELECT r.*, l.name AS depot_name
FROM sales_return r JOIN location l ON l.tenant_id = $1 AND l.id = r.location_id
WHERE r.tenant_id = $1 AND r.paper_id = ANY($2::bigint[]);

-- name: customers
SELECT id, name, type, parent FROM customer WHERE tenant_id = $1 AND id = ANY($2::bigint[]);

-- name: lines
SELECT l.paper_id, l.line, l.article_id, l.product_id, l.unit_id, l.qty, l.old_price, l.price, l.gift,
       a.kind = 'suite' AS suite, a.name, a.unit, a.pic_url AS picture, coalesce(a.details ->> 'guige', '') AS guige,
       coalesce(a.details ->> 'pno', '') AS pno
FROM sales_return_line l JOIN article a ON a.tenant_id = $1 AND a.id = l.article_id
WHERE l.tenant_id = $1 AND l.paper_id = ANY($2::bigint[])
ORDER BY l.paper_id, l.line;

-- name: parts_out
-- What left for suites on these orders: pieces of each part, with how many suites were ordered.
SELECT l.order_id, l.article_id AS suite_id, r.article_id AS part_id, sum(r.qty)::bigint AS taken,
       (SELECT sum(o.qty)::bigint FROM order_line o
        WHERE o.tenant_id = $1 AND o.order_id = l.order_id AND o.article_id = l.article_id) AS ordered
FROM order_line l
JOIN reservation r ON r.tenant_id = $1 AND r.document_id = l.order_id AND r.line = l.line
                  AND r.state = 'shipped'
WHERE l.tenant_id = $1 AND l.order_id = ANY($2::bigint[]) AND l.article_id = ANY($3::bigint[])
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;

-- name: brought_back
-- Suites of these orders that were signed in before.
SELECT p.order_id, l.article_id AS suite_id, sum(l.qty)::bigint AS qty
FROM paper p JOIN sales_return_line l ON l.tenant_id = $1 AND l.paper_id = p.id
WHERE p.tenant_id = $1 AND p.order_id = ANY($2::bigint[]) AND p.kind = 'SR' AND p.received_at IS NOT NULL
  AND l.article_id = ANY($3::bigint[])
GROUP BY 1, 2;
