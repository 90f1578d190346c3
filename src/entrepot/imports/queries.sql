-- The table ``staged`` is temporary: line int, id bigint, other_id bigint, then the columns of the kind as
-- text, null where a cell is empty. A faults query takes the wrong rows out and says why. What a row names is
-- looked up by scalar subqueries: a join would read all articles for every batch.

-- name: article_faults
-- A style number belongs to one article. Of repeated SKUs the last row counts.
WITH latest AS (
    SELECT DISTINCT ON (sku) line, sku, style_no FROM staged ORDER BY sku, line DESC
), wrong AS (
    SELECT line, 'style_no ' || style_no || ' belongs to ' || owner || ' already' AS fault
    FROM (
        SELECT line, sku, style_no, (
            SELECT a.sku FROM article a WHERE a.tenant_id = $1 AND a.style_no = latest.style_no) AS owner
        FROM latest
    ) AS owned WHERE owner <> sku
    UNION
    SELECT line, 'style_no ' || style_no || ' stands in the file twice' FROM (
        SELECT line, style_no, row_number() OVER (PARTITION BY style_no ORDER BY line) AS n
        FROM latest WHERE style_no IS NOT NULL
    ) repeated WHERE n > 1
), gone AS (
    DELETE FROM staged s USING wrong w WHERE s.line = w.line
)
SELECT line, min(fault) AS fault FROM wrong GROUP BY line;

-- name: save_articles
-- Create or change by SKU; $2 names the columns that the file has, the others stay. New ones get the next
-- small numbers. Returns what is new or changed.
WITH latest AS (
    SELECT DISTINCT ON (s.sku) s.*, coalesce((
        SELECT false FROM article a WHERE a.tenant_id = $1 AND a.sku = s.sku), true) AS fresh
    FROM staged s
    ORDER BY s.sku, s.line DESC
), counted AS (
    INSERT INTO counter AS c (tenant_id, kind, last)
    SELECT $1, 'article', count(*) FROM latest WHERE fresh HAVING count(*) > 0
    ON CONFLICT (tenant_id, kind) DO UPDATE SET last = c.last + excluded.last
    RETURNING last
)
INSERT INTO article (tenant_id, id, sku, style_no, name, pic_url, unit, details, retail_price, number)
SELECT $1, id, sku, style_no, coalesce(name, ''), coalesce(pic_url, ''), coalesce(unit, ''),
       coalesce(details, '{}')::jsonb, coalesce(retail_price, '0')::numeric,
       CASE WHEN fresh THEN (SELECT last FROM counted) + 1
                            - row_number() OVER (PARTITION BY fresh ORDER BY sku) END
FROM latest
ORDER BY sku
ON CONFLICT (tenant_id, sku) DO UPDATE
SET style_no = CASE WHEN 'style_no' = ANY($2::text[]) THEN excluded.style_no ELSE article.style_no END,
    name = CASE WHEN 'name' = ANY($2) THEN excluded.name ELSE article.name END,
    pic_url = CASE WHEN 'pic_url' = ANY($2) THEN excluded.pic_url ELSE article.pic_url END,
    unit = CASE WHEN 'unit' = ANY($2) THEN excluded.unit ELSE article.unit END,
    retail_price = CASE WHEN 'retail_price' = ANY($2) THEN excluded.retail_price ELSE article.retail_price END,
    details = article.details || excluded.details, changed_at = now()
WHERE (article.style_no, article.name, article.pic_url, article.unit, article.retail_price, article.details)
    IS DISTINCT FROM
      (CASE WHEN 'style_no' = ANY($2) THEN excluded.style_no ELSE article.style_no END,
       CASE WHEN 'name' = ANY($2) THEN excluded.name ELSE article.name END,
       CASE WHEN 'pic_url' = ANY($2) THEN excluded.pic_url ELSE article.pic_url END,
       CASE WHEN 'unit' = ANY($2) THEN excluded.unit ELSE article.unit END,
       CASE WHEN 'retail_price' = ANY($2) THEN excluded.retail_price ELSE article.retail_price END,
       article.details || excluded.details)
RETURNING id;

-- name: ends
-- Which dialect these connections speak, and from which end.
SELECT name, dialect, role FROM connection WHERE tenant_id = $1 AND name = ANY($2::text[]);

-- name: find_listed
UPDATE staged s
SET connection_id = (SELECT c.id FROM connection c WHERE c.tenant_id = $1 AND c.name = s.connection),
    article_id = (SELECT a.id FROM article a WHERE a.tenant_id = $1 AND a.sku = s.sku);

-- name: listing_faults
WITH gone AS (
    DELETE FROM staged WHERE $1::bigint IS NOT NULL AND (connection_id IS NULL OR article_id IS NULL) RETURNING *
)
SELECT line, CASE WHEN connection_id IS NULL THEN 'there is no connection ' || connection
                  ELSE 'there is no article ' || sku END AS fault
FROM gone;

-- name: save_listings
-- The last of repeated rows counts. Partners are told of what they had not listed.
WITH saved AS (
    INSERT INTO listing (tenant_id, connection_id, id, type, key, article_id)
    SELECT DISTINCT ON (connection_id, type, key) $1, connection_id, id, type, key, article_id
    FROM staged
    ORDER BY connection_id, type, key, line DESC
    ON CONFLICT (tenant_id, connection_id, type, key) DO UPDATE SET article_id = excluded.article_id
    WHERE listing.article_id <> excluded.article_id
    RETURNING article_id
)
INSERT INTO stock_change (tenant_id, id, article_id)
SELECT DISTINCT ON (s.article_id) $1, s.other_id, s.article_id
FROM saved JOIN staged s USING (article_id)
ORDER BY s.article_id;

-- name: find_stocked
UPDATE staged s
SET (article_id, kind) = (SELECT a.id, a.kind FROM article a WHERE a.tenant_id = $1 AND a.sku = s.sku),
    location_id = (SELECT l.id FROM location l WHERE l.tenant_id = $1 AND l.code = s.location);

-- name: stock_faults
WITH gone AS (
    DELETE FROM staged
    WHERE $1::bigint IS NOT NULL AND (article_id IS NULL OR location_id IS NULL OR kind = 'suite') RETURNING *
)
SELECT line, CASE WHEN article_id IS NULL THEN 'there is no article ' || sku
                  WHEN location_id IS NULL THEN 'there is no location ' || location
                  ELSE sku || ' is a suite; it has the stock of its parts' END AS fault
FROM gone;

-- name: last_counts
-- Of repeated rows the last counts.
DELETE FROM staged s USING staged later
WHERE $1::bigint IS NOT NULL AND later.article_id = s.article_id AND later.location_id = s.location_id
  AND later.line > s.line;

-- name: count_new
-- Balances that did not exist yet are written at once; what existed stays staged.
WITH fresh AS (
    INSERT INTO stock (tenant_id, article_id, location_id, on_hand, safety, weight)
    SELECT $1, article_id, location_id, qty::bigint, coalesce(safety::bigint, 0),
           coalesce(weight::numeric, 0)
    FROM staged ORDER BY article_id, location_id
    ON CONFLICT DO NOTHING
    RETURNING article_id, location_id, on_hand, weight
), done AS (
    DELETE FROM staged s USING fresh f
    WHERE s.article_id = f.article_id AND s.location_id = f.location_id
    RETURNING s.id, s.other_id, s.article_id, s.location_id, f.on_hand, f.weight
), moved AS (
    INSERT INTO movement (tenant_id, id, article_id, location_id, kind, delta, on_hand, weight_delta, who)
    SELECT $1, id, article_id, location_id, 'stocktake', on_hand, on_hand, weight, $2
    FROM done WHERE on_hand <> 0 OR weight <> 0
)
INSERT INTO stock_change (tenant_id, id, article_id)
SELECT DISTINCT ON (article_id) $1, other_id, article_id FROM done ORDER BY article_id;

-- name: lock_counted
SELECT count(*) FROM (
    SELECT 1 FROM stock t JOIN staged s USING (article_id, location_id)
    WHERE t.tenant_id = $1
    ORDER BY t.article_id, t.location_id
    FOR UPDATE OF t
) locked;

-- name: count_known
-- The difference goes into the ledger. Without a weight the weight per piece stays (stock.rules).
WITH counted AS (
    SELECT s.id, s.other_id, t.article_id, t.location_id, s.qty::bigint AS on_hand,
           s.qty::bigint - t.on_hand AS delta, coalesce(s.safety::bigint, t.safety) AS safety,
           CASE WHEN s.weight IS NOT NULL THEN s.weight::numeric - t.weight
                WHEN t.on_hand = 0 THEN 0
                WHEN s.qty::bigint = 0 THEN -t.weight
                ELSE sign(s.qty::bigint - t.on_hand)
                     * round(t.weight * abs(s.qty::bigint - t.on_hand) / t.on_hand, 4) END AS weight_delta,
           t.safety AS safe
    FROM staged s JOIN stock t ON t.tenant_id = $1 AND t.article_id = s.article_id
                              AND t.location_id = s.location_id
), changed AS (
    SELECT * FROM counted WHERE delta <> 0 OR weight_delta <> 0 OR safety <> safe
), moved AS (
    INSERT INTO movement (tenant_id, id, article_id, location_id, kind, delta, on_hand, weight_delta, who)
    SELECT $1, id, article_id, location_id, 'stocktake', delta, on_hand, weight_delta, $2
    FROM changed WHERE delta <> 0 OR weight_delta <> 0
), marked AS (
    INSERT INTO stock_change (tenant_id, id, article_id)
    SELECT DISTINCT ON (article_id) $1, other_id, article_id FROM changed ORDER BY article_id
)
UPDATE stock t SET on_hand = c.on_hand, weight = t.weight + c.weight_delta, safety = c.safety, changed_at = now()
FROM changed c
WHERE t.tenant_id = $1 AND t.article_id = c.article_id AND t.location_id = c.location_id;

-- name: find_serving
UPDATE staged s SET connection_id = c.id FROM connection c WHERE c.tenant_id = $1 AND c.name = s.connection;

-- name: outlet_faults
WITH gone AS (
    DELETE FROM staged
    WHERE $1::bigint IS NOT NULL AND connection <> '-' AND connection_id IS NULL RETURNING *
)
SELECT line, 'there is no connection ' || connection AS fault FROM gone;

-- name: save_outlets
-- $2 names the columns that the file has, the others stay; $3 serves new outlets that say nothing of it.
INSERT INTO location (tenant_id, id, code, name, province, city, connection_id, ships, paused, priority,
                      daily_capacity, groups)
SELECT DISTINCT ON (code) $1, id, code, coalesce(name, ''), coalesce(province, ''), coalesce(city, ''),
       CASE WHEN connection IS NULL THEN $3::bigint ELSE connection_id END,
       coalesce(ships, 'on') = 'on', coalesce(paused, 'off') = 'on', coalesce(priority::int, 100),
       daily_capacity::int, coalesce(regexp_split_to_array(btrim(groups), '\s+'), '{}')
FROM staged
ORDER BY code, line DESC
ON CONFLICT (tenant_id, code) DO UPDATE
SET name = CASE WHEN 'name' = ANY($2::text[]) THEN excluded.name ELSE location.name END,
    province = CASE WHEN 'province' = ANY($2) THEN excluded.province ELSE location.province END,
    city = CASE WHEN 'city' = ANY($2) THEN excluded.city ELSE location.city END,
    connection_id = CASE WHEN 'connection' = ANY($2) THEN excluded.connection_id ELSE location.connection_id END,
    ships = CASE WHEN 'ships' = ANY($2) THEN excluded.ships ELSE location.ships END,
    paused = CASE WHEN 'paused' = ANY($2) THEN excluded.paused ELSE location.paused END,
    priority = CASE WHEN 'priority' = ANY($2) THEN excluded.priority ELSE location.priority END,
    daily_capacity = CASE WHEN 'daily_capacity' = ANY($2) THEN excluded.daily_capacity
                          ELSE location.daily_capacity END,
    groups = CASE WHEN 'groups' = ANY($2) THEN excluded.groups ELSE location.groups END;

-- name: find_pieces
UPDATE staged s
SET (article_id, article_kind) = (SELECT a.id, a.kind FROM article a WHERE a.tenant_id = $1 AND a.sku = s.sku),
    location_id = (SELECT l.id FROM location l WHERE l.tenant_id = $1 AND l.code = s.location),
    (known_as, known_state) = (SELECT p.article_id, p.state FROM piece p WHERE p.tenant_id = $1 AND p.code = s.code);

-- name: piece_faults
WITH gone AS (
    DELETE FROM staged
    WHERE $1::bigint IS NOT NULL AND (
        article_id IS NULL OR location_id IS NULL OR article_kind = 'suite' OR known_as <> article_id
        OR known_state = 'shipped')
    RETURNING *
)
SELECT line, CASE WHEN article_id IS NULL THEN 'there is no article ' || sku
                  WHEN location_id IS NULL THEN 'there is no location ' || location
                  WHEN article_kind = 'suite' THEN sku || ' is a suite; it has no pieces of its own'
                  WHEN known_as <> article_id THEN code || ' is a piece of another article'
                  ELSE code || ' has been shipped and has not come back' END AS fault
FROM gone;

-- name: save_pieces
-- Of repeated codes the last row counts. Pieces that are known and in stock are put where the file says.
INSERT INTO piece (tenant_id, code, article_id, location_id)
SELECT DISTINCT ON (code) $1, code, article_id, location_id FROM staged ORDER BY code, line DESC
ON CONFLICT (tenant_id, code) DO UPDATE
SET location_id = excluded.location_id, changed_at = now()
WHERE piece.state = 'in_stock' AND piece.location_id <> excluded.location_id;

-- name: add_job
INSERT INTO import_job (tenant_id, id, kind, format, dry_run, who) VALUES ($1, $2, $3, $4, $5, $6);

-- name: lock_job
SELECT state FROM import_job WHERE tenant_id = $1 AND id = $2 FOR UPDATE;

-- name: put_part
INSERT INTO import_part (tenant_id, job_id, part, content) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, job_id, part) DO UPDATE SET content = excluded.content;

-- name: parts_there
SELECT count(*) AS number, coalesce(max(part), 0) AS last FROM import_part WHERE tenant_id = $1 AND job_id = $2;

-- name: start_job
UPDATE import_job SET state = 'waiting' WHERE tenant_id = $1 AND id = $2;

-- name: jobs
SELECT id, kind, format, dry_run, who, state, taken, left_out, progress, problem, created_at, finished_at
FROM import_job WHERE tenant_id = $1 AND ($2::bigint IS NULL OR id < $2) AND ($4::bigint IS NULL OR id = $4)
ORDER BY id DESC LIMIT $3;

-- name: job_errors
SELECT errors FROM import_job WHERE tenant_id = $1 AND id = $2;

-- name: waiting_jobs
SELECT tenant_id, id, kind, format, dry_run, who FROM import_job WHERE state = 'waiting' ORDER BY id;

-- name: part
SELECT content FROM import_part WHERE tenant_id = $1 AND job_id = $2 AND part = $3;

-- name: job_goes_on
UPDATE import_job SET progress = $3 WHERE tenant_id = $1 AND id = $2;

-- name: end_job
UPDATE import_job SET state = $3, taken = $4, left_out = $5, problem = $6, errors = $7, progress = 1, finished_at = now()
WHERE tenant_id = $1 AND id = $2;

-- name: drop_parts
DELETE FROM import_part WHERE tenant_id = $1 AND job_id = $2;

-- name: forget_jobs
-- Those that were never sent whole, after a day; those that are done, after 30.
DELETE FROM import_job
WHERE state = 'uploading' AND created_at < now() - interval '1 day'
   OR state IN ('done', 'failed') AND finished_at < now() - interval '30 days'
RETURNING id;
