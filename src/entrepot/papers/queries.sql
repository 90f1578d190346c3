-- name: settings
SELECT settings FROM tenant WHERE tenant_id = $1;

-- name: lock
-- Papers by number, locked in the order of their ids.
SELECT * FROM paper
WHERE tenant_id = $1 AND kind = $2 AND number = ANY($3::text[]) AND NOT deleted
ORDER BY id
FOR UPDATE;

-- name: by_number
SELECT * FROM paper WHERE tenant_id = $1 AND kind = $2 AND number = ANY($3::text[]);

-- name: by_id
SELECT * FROM paper WHERE tenant_id = $1 AND kind = $2 AND id = ANY($3::bigint[]) ORDER BY id DESC;

-- name: take
-- Numbers and ids for so many papers. Whoever takes some waits for who took some before to commit.
INSERT INTO paper_numbering AS n (tenant_id, kind, day, of_day, ever, longest)
VALUES ($1, $2, $3, $4, $4, $5)
ON CONFLICT (tenant_id, kind) DO UPDATE
SET of_day = CASE WHEN n.day >= excluded.day THEN n.of_day + excluded.of_day ELSE excluded.of_day END,
    day = greatest(n.day, excluded.day),
    ever = n.ever + excluded.ever,
    longest = greatest(n.longest, excluded.longest)
RETURNING day, of_day, ever;

-- name: widen
-- Numbers of orders may be that long; nobody files papers, or slices their numbers, until this is committed.
UPDATE paper_numbering SET longest = greatest(longest, $3::int) WHERE tenant_id = $1 AND kind = $2
RETURNING ever;

-- name: file
WITH head AS (
    SELECT * FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
                         $9::bigint[], $10::bigint[], $11::text[], $12::bigint[], $13::text[], $14::int[],
                         $15::text[])
        AS h (id, number, variant, state, order_id, order_number, customer_id, platform_id, remark,
              creator, creator_name, creator_role, what)
), logged AS (
    INSERT INTO paper_log (tenant_id, kind, paper_id, step, at, who, who_name, who_role, before, after, what)
    SELECT $1, $2, id, 1, $16::timestamptz, creator, creator_name, creator_role, '', state, what FROM head
)
INSERT INTO paper (tenant_id, kind, id, number, variant, state, order_id, order_number, customer_id,
                   platform_id, remark, creator, creator_name, creator_role, created_at, run_at)
SELECT $1, $2, id, number, variant, state, order_id, order_number, customer_id, platform_id, remark,
       creator, creator_name, creator_role, $16::timestamptz,
       CASE WHEN state = 'RUN' THEN $16::timestamptz END
FROM head
RETURNING *;

-- name: step
-- One step on each paper (none twice); the papers are locked.
WITH step AS (
    SELECT * FROM unnest($3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::int[],
                         $9::text[], $10::bigint[], $11::text[], $12::bigint[], $13::bigint[], $14::text[])
        AS s (id, action, state, who, who_name, who_role, what, order_id, order_number, customer_id,
              platform_id, remark)
), logged AS (
    INSERT INTO paper_log (tenant_id, kind, paper_id, step, at, who, who_name, who_role, before, after, what)
    SELECT $1, $2, s.id, 1 + (SELECT max(l.step) FROM paper_log l
                              WHERE l.tenant_id = $1 AND l.kind = $2 AND l.paper_id = s.id),
           $15::timestamptz, s.who, s.who_name, s.who_role, p.state, s.state, s.what
    FROM step s JOIN paper p ON p.tenant_id = $1 AND p.kind = $2 AND p.id = s.id
)
UPDATE paper p
SET state        = CASE WHEN s.action = 'delete' THEN p.state ELSE s.state END,
    deleted      = s.action = 'delete',
    order_id     = coalesce(s.order_id, p.order_id),
    order_number = coalesce(s.order_number, p.order_number),
    customer_id  = coalesce(s.customer_id, p.customer_id),
    platform_id  = coalesce(s.platform_id, p.platform_id),
    remark       = coalesce(s.remark, p.remark),
    modified_at  = $15::timestamptz,
    run_at       = CASE WHEN s.action = 'run' THEN $15::timestamptz ELSE p.run_at END,
    passed_at    = CASE WHEN s.action = 'pass' THEN $15::timestamptz ELSE p.passed_at END,
    refused_at   = CASE WHEN s.action = 'refuse' THEN $15::timestamptz ELSE p.refused_at END,
    received_at  = CASE WHEN s.action = 'receive' THEN $15::timestamptz ELSE p.received_at END,
    completed_at = CASE WHEN s.state = 'COMPLETE' THEN $15::timestamptz ELSE p.completed_at END
FROM step s
WHERE p.tenant_id = $1 AND p.kind = $2 AND p.id = s.id;

-- name: logs
-- Newest first.
SELECT paper_id, step, at, who, who_name, who_role, before, after, what
FROM paper_log WHERE tenant_id = $1 AND kind = $2 AND paper_id = ANY($3::bigint[])
ORDER BY paper_id, step DESC;

-- name: mark
-- Turn bits over: a state left and a state entered, a character left and one that took its place.
INSERT INTO paper_bits AS b (tenant_id, kind, key, block, bits)
SELECT $1, $2, key, block, bit_or(set_bit(0::bit(16384), bit, 1))
FROM unnest($3::text[], $4::int[], $5::int[]) AS t (key, block, bit)
GROUP BY key, block
ORDER BY key, block
ON CONFLICT (tenant_id, kind, key, block) DO UPDATE
SET bits = coalesce(b.bits, ~0::bit(16384)) # excluded.bits;

-- name: texts
SELECT id, number, order_number FROM paper
WHERE tenant_id = $1 AND kind = $2 AND id BETWEEN $3 AND $4;

-- name: states
SELECT id, variant, state FROM paper
WHERE tenant_id = $1 AND kind = $2 AND id BETWEEN $3 AND $4 AND NOT deleted;

-- name: seal
INSERT INTO paper_bits AS b (tenant_id, kind, key, block, bits)
SELECT $1, $2, key, $3::int, bits::bit(16384) FROM unnest($4::text[], $5::text[]) AS s (key, bits)
ORDER BY key
ON CONFLICT (tenant_id, kind, key, block) DO UPDATE SET bits = excluded.bits;

-- name: unseal
DELETE FROM paper_bits WHERE tenant_id = $1 AND kind = $2;

-- name: numbering
SELECT ever, longest, length($2) + 6 + greatest(7, length(of_day::text)) AS number_length
FROM paper_numbering WHERE tenant_id = $1 AND kind = $2;

-- name: renumber
-- After a bulk load: go on behind the last id there is.
INSERT INTO paper_numbering AS n (tenant_id, kind, day, of_day, ever, longest)
SELECT $1, $2, $3::date, count(*), max(id), max(length(order_number))
FROM paper WHERE tenant_id = $1 AND kind = $2
HAVING count(*) > 0
ON CONFLICT (tenant_id, kind) DO UPDATE
SET ever = greatest(n.ever, excluded.ever), longest = greatest(n.longest, excluded.longest)
RETURNING ever;

-- name: page
-- The true count of a search, and the ids on one page of it, newest first. Papers of finished blocks
-- (ids below $3) are found by bitmaps, the few thousand behind them by their rows.
WITH recent AS MATERIALIZED (
    SELECT id FROM paper
    WHERE tenant_id = $1 AND kind = $2 AND id BETWEEN $3 AND $3 + 32768 AND NOT deleted
      AND 'state/' || variant || '/' || state = ANY($4::text[])
      AND strpos(number, $5) > 0 AND strpos(order_number, $6) > 0
      AND (strpos(number, $7) > 0 OR strpos(order_number, $7) > 0)
), state AS (
    SELECT block, bit_or(bits) AS bits FROM paper_bits
    WHERE tenant_id = $1 AND kind = $2 AND key = ANY($4::text[]) AND block < $3 / 16384
    GROUP BY block
), probe AS (
    SELECT * FROM unnest($8::int[], $9::int[], $10::int[], $11::text[]) AS p (term, way, length, key)
), open AS MATERIALIZED (   -- the ways that some paper of a block may meet: told by the index alone
    SELECT b.block, p.way
    FROM probe p
    JOIN paper_bits b ON b.tenant_id = $1 AND b.kind = $2 AND b.key = p.key AND b.block < $3 / 16384
    GROUP BY b.block, p.way
    HAVING count(*) = max(p.length)
), way AS (
    SELECT b.block, p.term, coalesce(bit_and(b.bits), ~0::bit(16384)) AS bits
    FROM open o
    JOIN probe p USING (way)
    JOIN paper_bits b ON b.tenant_id = $1 AND b.kind = $2 AND b.key = p.key AND b.block = o.block
    GROUP BY b.block, p.term, p.way
), met AS (
    SELECT block, bit_and(bits) AS bits
    FROM (SELECT block, term, bit_or(bits) AS bits FROM way GROUP BY block, term) AS term
    GROUP BY block
    HAVING count(*) = $12
), hit AS MATERIALIZED (
    SELECT block, bits, bit_count(bits) AS count
    FROM (SELECT block, s.bits & m.bits AS bits FROM state s JOIN met m USING (block)
          UNION ALL
          SELECT block, bits FROM state WHERE $12 = 0) AS both_met
), run AS MATERIALIZED (
    SELECT block, bits, count,
           ((SELECT count(*) FROM recent) + sum(count) OVER (ORDER BY block DESC))::bigint AS upto
    FROM hit
), older AS (   -- words of 128 bits first, of which most are 0 where a search finds little
    SELECT block * 16384::bigint + word * 128 + bit AS id
    FROM run, generate_series(0, 127) AS word, substring(bits FROM word * 128 + 1 FOR 128) AS part,
         generate_series(0, 127) AS bit
    WHERE upto > $13::bigint AND upto - count < $13::bigint + $14::bigint
      AND bit_count(part) > 0 AND get_bit(part, bit) = 1
    ORDER BY id DESC
    OFFSET greatest(0, $13 - greatest((SELECT count(*) FROM recent),
                                      (SELECT max(upto) FROM run WHERE upto <= $13)))::bigint
    LIMIT $14 - (SELECT count(*) FROM (SELECT FROM recent OFFSET $13 LIMIT $14) AS shown)
)
SELECT (SELECT count(*) FROM recent) + coalesce((SELECT sum(count) FROM hit), 0)::bigint AS total,
       ARRAY(SELECT id FROM recent ORDER BY id DESC OFFSET $13 LIMIT $14) || ARRAY(SELECT id FROM older)
           AS ids;

-- name: page_of_customers
-- The same where a part of the customer's name is asked for.
WITH hit AS MATERIALIZED (
    SELECT id FROM paper
    WHERE tenant_id = $1 AND kind = $2 AND NOT deleted
      AND customer_id = ANY (ARRAY(SELECT c.id FROM customer c
                                   WHERE c.tenant_id = $1 AND strpos(c.name, $3) > 0))
      AND 'state/' || variant || '/' || state = ANY($4::text[])
      AND strpos(number, $5) > 0 AND strpos(order_number, $6) > 0
      AND (strpos(number, $7) > 0 OR strpos(order_number, $7) > 0)
)
SELECT (SELECT count(*) FROM hit) AS total,
       ARRAY(SELECT id FROM hit ORDER BY id DESC OFFSET $8 LIMIT $9) AS ids;

-- name: claim
-- Take idempotency keys; of two transactions that want one, the second waits here and then gets nothing.
INSERT INTO intake (tenant_id, connection_id, kind, number, document_id, digest)
SELECT $1, k.connection_id, $2, k.key, 0, k.digest
FROM unnest($3::bigint[], $4::text[], $5::bytea[]) AS k (connection_id, key, digest)
ORDER BY k.connection_id, k.key
ON CONFLICT DO NOTHING
RETURNING connection_id, number AS key;

-- name: claimed
SELECT i.connection_id, i.number AS key, i.digest, p.number
FROM unnest($3::bigint[], $4::text[]) AS k (connection_id, key)
JOIN intake i ON i.tenant_id = $1 AND i.connection_id = k.connection_id AND i.kind = $2 AND i.number = k.key
JOIN paper p ON p.tenant_id = $1 AND p.kind = $2 AND p.id = i.document_id;

-- name: fulfil
-- Keys that led to a paper point at it; the others were used for nothing.
WITH gone AS (
    DELETE FROM intake i USING unnest($3::bigint[], $4::text[], $5::bigint[]) AS k (connection_id, key, id)
    WHERE i.tenant_id = $1 AND i.connection_id = k.connection_id AND i.kind = $2 AND i.number = k.key
      AND k.id = 0
)
UPDATE intake i SET document_id = k.id
FROM unnest($3::bigint[], $4::text[], $5::bigint[]) AS k (connection_id, key, id)
WHERE i.tenant_id = $1 AND i.connection_id = k.connection_id AND i.kind = $2 AND i.number = k.key
  AND k.id <> 0;
