-- Comparing two columns of labels: agreement, mapping, migration.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
\getenv srcdir PG_ABS_SRCDIR
\set path :srcdir '/golden/contingency.csv'
\set contingency `cat :'path'`
\set path :srcdir '/golden/cluster_match.csv'
\set cluster_match `cat :'path'`
BEGIN;
SELECT plan(42);

-- ---- golden numbers: scikit-learn's and exact ones, scipy's and those of a search of all mappings
CREATE TABLE golden AS
SELECT c[1] AS name, c[2]::int AS a, c[3]::int AS b, c[4]::bigint AS n, c[5]::float8 AS ari, c[6]::float8 AS nmi
FROM string_to_table(:'contingency', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1;
CREATE TABLE golden_rows AS
SELECT name, a, b, ari, nmi FROM (SELECT *, sum(n) OVER (PARTITION BY name) AS total FROM golden) g, generate_series(1, n) WHERE total <= 1000000;
CREATE VIEW agreement AS
SELECT name, adjusted_rand_index(a, b) AS a, normalized_mutual_information(a, b) AS n, min(ari) AS ari, min(nmi) AS nmi FROM golden_rows GROUP BY name;
SELECT ok(count(*) > 15 AND max(abs(a - ari)) < 1e-12, 'adjusted_rand_index is that of scikit-learn, group by group') FROM agreement;
SELECT ok(count(*) > 15 AND max(abs(n - nmi)) < 1e-12, 'so is normalized_mutual_information') FROM agreement;

CREATE TABLE mappings AS
SELECT c[1] AS name, c[2]::int AS old, c[3]::int AS new, c[4]::bigint AS n, c[5]::bigint AS kept, nullif(c[6], '')::int AS mapped
FROM string_to_table(:'cluster_match', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1;
CREATE TABLE matched AS
SELECT name, m.* FROM (SELECT name, cluster_match(old, new) AS mapping FROM mappings, generate_series(1, n) GROUP BY name) s, unnest(mapping) m;
SELECT ok(count(*) > 40 AND bool_and(overlap = kept), 'cluster_match keeps as many rows as scipy''s assignment')
FROM (SELECT name, sum(overlap) AS overlap FROM matched GROUP BY name) a JOIN (SELECT name, min(kept) AS kept FROM mappings GROUP BY name) b USING (name);
SELECT is((SELECT count(*) FROM (SELECT name, old, new FROM matched WHERE old IS NOT NULL AND new IS NOT NULL
        AND name IN (SELECT name FROM mappings WHERE mapped IS NOT NULL) EXCEPT SELECT name, old, new FROM mappings WHERE mapped = 1) x), 0::bigint,
    'its pairs are the best of all mappings');
SELECT ok(bool_and(f.overlap = m.n AND abs(f.jaccard - m.n::float8 / (f.old_size + f.new_size - m.n)) < 1e-15), 'with their overlap and Jaccard index')
FROM matched f JOIN mappings m USING (name, old, new);
SELECT is((SELECT count(*) FROM matched f JOIN (SELECT name, old, sum(n) AS n FROM mappings GROUP BY 1, 2) m USING (name, old) WHERE old_size <> n), 0::bigint, 'and sizes');

-- ---- a small one, in full
CREATE TABLE customers (id int, region text, before int, now int);
INSERT INTO customers SELECT row_number() OVER (), CASE WHEN n % 2 = 0 THEN 'north' ELSE 'south' END, before, now
FROM (VALUES (1, 20, 70), (1, 10, 30), (2, 20, 5), (3, 10, 40), (4, NULL, 6), (NULL, 10, 7), (NULL, 5, 8), (-1, 20, 9), (3, -1, 11), (NULL, NULL, 3)) v (before, now, n),
    generate_series(1, n) i;
SELECT is((SELECT string_agg(concat_ws(' ', coalesce(old::text, '-'), coalesce(new::text, '-'), overlap, round(jaccard::numeric, 4), coalesce(old_size, 0), coalesce(new_size, 0)), ', ')
    FROM (SELECT cluster_match(before, now) AS mapping FROM customers) s, unnest(mapping)),
    '1 20 70 0.6140 100 84, 2 - 0 0.0000 5 0, 3 10 40 0.4545 51 77, 4 - 0 0.0000 6 0, - 5 0 0.0000 0 8',
    'old clusters in order, deaths, births; noise and missing labels count in sizes only');
SELECT is((SELECT array_agg((m."from", m."to", m.n, m.share)::migration) FROM (SELECT segment_migration(before, now) AS flows FROM customers) s, unnest(flows) m),
    (SELECT array_agg((before, now, n, n / total::float8)::migration ORDER BY before, now) FROM
        (SELECT before, now, count(*) AS n, sum(count(*)) OVER (PARTITION BY before) AS total FROM customers WHERE before IS NOT NULL OR now IS NOT NULL GROUP BY before, now) x),
    'segment_migration counts like GROUP BY, in order of the labels');
SELECT is((SELECT array_agg((region, m."from", m."to", m.n, m.share)::text ORDER BY region, m."from", m."to") FROM
        (SELECT region, segment_migration(before, now) AS flows FROM customers GROUP BY region) s, unnest(flows) m),
    (SELECT array_agg((region, before, now, n, n / total::float8)::text ORDER BY region, before, now) FROM
        (SELECT region, before, now, count(*) AS n, sum(count(*)) OVER (PARTITION BY region, before) AS total FROM customers WHERE before IS NOT NULL OR now IS NOT NULL GROUP BY 1, 2, 3) x),
    'group by group');
SELECT ok(bool_and(abs(total - 1) < 1e-15), 'shares of a segment add up to 1')
FROM (SELECT sum(share) AS total FROM (SELECT segment_migration(before, now) AS flows FROM customers) s, unnest(flows) m GROUP BY m."from") x;
SELECT is((SELECT array_agg(concat_ws('|', region, old, new, overlap) ORDER BY region, old, new) FROM (SELECT region, cluster_match(before, now) AS mapping FROM customers GROUP BY region) s, unnest(mapping)
        WHERE old IS NOT NULL AND new IS NOT NULL),
    '{north|1|20|70,north|3|10|40,south|2|20|5}', 'a mapping for each group');
SELECT is((SELECT cluster_match(now, before) FROM customers), (SELECT cluster_match(now, before ORDER BY id DESC) FROM customers), 'the order of rows does not matter');

-- ---- text labels
CREATE TABLE named AS
SELECT CASE WHEN before IS NOT NULL THEN 'Segment "' || before || '", é' END AS before, CASE WHEN now = 5 THEN '' WHEN now IS NOT NULL THEN 's' || now END AS now FROM customers;
SELECT is((SELECT array_agg((m."from", m."to", m.n, m.share)::named_migration) FROM (SELECT segment_migration(before, now) AS flows FROM named) s, unnest(flows) m),
    (SELECT array_agg((before, now, n, n / total::float8)::named_migration ORDER BY before COLLATE "C", now COLLATE "C") FROM
        (SELECT before, now, count(*) AS n, sum(count(*)) OVER (PARTITION BY before) AS total FROM named WHERE before IS NOT NULL OR now IS NOT NULL GROUP BY before, now) x),
    'segment_migration of names, the empty one too');
SELECT is((SELECT array_agg(m."from" ORDER BY i) FROM (SELECT segment_migration(a, a) AS flows FROM (VALUES ('b'), ('a'), ('B'), ('ab'), ('b')) v (a)) s, unnest(flows) WITH ORDINALITY m ("from", "to", n, share, i)),
    '{B,a,ab,b}', 'in order of their bytes');
SELECT is((SELECT segment_migration(a, b)::text FROM (VALUES ('x'::varchar(9), NULL::varchar(9))) v (a, b)), '{"(x,,1,1)"}', 'varchar');
SELECT is((SELECT segment_migration(NULL::text, 'x')::text), '{"(,x,1,1)"}', 'one row');

-- ---- NULL
SELECT ok(adjusted_rand_index(before, now) IS NULL AND normalized_mutual_information(before, now) IS NULL AND cluster_match(before, now) IS NULL AND segment_migration(before, now) IS NULL, 'NULL for no rows')
FROM customers WHERE false;
SELECT ok(adjusted_rand_index(before, now) IS NULL AND normalized_mutual_information(before, now) IS NULL AND cluster_match(before, now) IS NULL AND segment_migration(before, now) IS NULL,
    'NULL for rows without labels') FROM customers WHERE before IS NULL AND now IS NULL;
SELECT ok(segment_migration(before, now) IS NULL, 'also in text') FROM named WHERE before IS NULL AND now IS NULL;
SELECT ok(adjusted_rand_index(before, now) IS NULL AND normalized_mutual_information(before, now) IS NULL, 'agreement needs a label on both sides') FROM customers WHERE before IS NULL OR now IS NULL;
SELECT is((SELECT ROW(adjusted_rand_index(before, now), normalized_mutual_information(before, now)) FROM customers),
    (SELECT ROW(adjusted_rand_index(before, now), normalized_mutual_information(before, now)) FROM customers WHERE before IS NOT NULL AND now IS NOT NULL), 'rows without one are left out');
SELECT is((SELECT cluster_match(before, now) FROM customers), (SELECT cluster_match(before, now) FROM customers WHERE before IS NOT NULL OR now IS NOT NULL), 'and of a mapping those with neither');
SELECT is((SELECT count(*) FROM customers LEFT JOIN LATERAL unnest(NULL::migration[]) m ON true WHERE m.n IS NOT NULL), 0::bigint, 'unnest of NULL has no rows');

-- ---- edges
SELECT is(ROW(adjusted_rand_index(a, a), normalized_mutual_information(a, a)), ROW(1::float8, 1::float8), 'the same labels agree') FROM generate_series(1, 9) a;
SELECT is(ROW(adjusted_rand_index(a, 0), normalized_mutual_information(a, 0)), ROW(0::float8, 0::float8), 'one segment tells nothing of many') FROM generate_series(1, 9) a;
SELECT is(ROW(adjusted_rand_index(3, 4), normalized_mutual_information(3, 4)), ROW(1::float8, 1::float8), 'of one row nothing is wrong');
SELECT is(cluster_match(-1, -1)::text, '{}', 'noise is no cluster');
SELECT is(cluster_match(a, b)::text, '{"(0,2147483647,1,1,1,1)"}', 'the largest label is a cluster, the smallest is noise') FROM (VALUES (0, 2147483647), (-2147483648, -2147483648)) v (a, b);
SELECT is((SELECT count(*) FROM (SELECT segment_migration(a, b) AS flows FROM (VALUES (-2147483648, 2147483647), (2147483647, -2147483648), (0, -1)) v (a, b)) s, unnest(flows)), 3::bigint, 'migration takes any label');
SELECT is((SELECT adjusted_rand_index(before, now) FILTER (WHERE before = 1) FROM customers), (SELECT adjusted_rand_index(before, now) FROM customers WHERE before = 1), 'FILTER');
SELECT is((SELECT array_agg(x ORDER BY id) FROM (SELECT id, adjusted_rand_index(before, now) OVER (ORDER BY id) AS x FROM customers) w WHERE id IN (100, 180)),
    ARRAY[(SELECT adjusted_rand_index(before, now) FROM customers WHERE id <= 100), (SELECT adjusted_rand_index(before, now) FROM customers WHERE id <= 180)], 'as a window aggregate');

-- ---- parallel = serial
CREATE TABLE many AS
SELECT nullif(i * 7919 % 1013 % 12, 11) AS a, nullif((i * 7919 % 1013 + i % 3) % 10, 9) AS b, i % 5 AS g, i AS id FROM generate_series(1, 60000) i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
CREATE FUNCTION pg_temp.compare() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(concat_ws(';', adjusted_rand_index(a, b), normalized_mutual_information(a, b), cluster_match(a, b), segment_migration(a, b), segment_migration(a::text, b::text),
        normalized_mutual_information(id, a))) FROM many $$;
CREATE FUNCTION pg_temp.compare_groups() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(string_agg(x, ';' ORDER BY g)) FROM (SELECT g, concat_ws(';', adjusted_rand_index(a, b), cluster_match(a, b), segment_migration('s' || a, 's' || b)) AS x FROM many GROUP BY g) s $$;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT pg_temp.compare() AS whole, pg_temp.compare_groups() AS groups;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text = '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP result = result || line; END LOOP;
    RETURN result;
END $$;
SELECT matches(pg_temp.plan_of('SELECT adjusted_rand_index(a, b), normalized_mutual_information(a, b), cluster_match(a, b), segment_migration(a, b), segment_migration(a::text, b::text) FROM many'),
    '^Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan', 'all of them run in workers');
SELECT is(pg_temp.compare(), (SELECT whole FROM serial), 'with the same results');
SELECT matches(pg_temp.plan_of('SELECT g, adjusted_rand_index(a, b) FROM many GROUP BY g'), 'Finalize.*Gather.*Partial', 'groups too');
SELECT is(pg_temp.compare_groups(), (SELECT groups FROM serial), 'with the same results');
SET LOCAL enable_hashagg = off;
SELECT is(pg_temp.compare_groups(), (SELECT groups FROM serial), 'also when groups are sorted');
SET LOCAL enable_hashagg = on;

-- ---- errors
SET LOCAL retailml.max_memory = '1MB';
SELECT throws_ok('SELECT adjusted_rand_index(id, id) FROM many', '53400', NULL, 'more pairs than retailml.max_memory holds');
SELECT throws_like('SELECT adjusted_rand_index(id, id) FROM many', 'comparing labels needs % MB, retailml.max_memory is 1 MB', 'says how many');
SELECT throws_ok('SELECT segment_migration(''x'' || id, ''y'') FROM many', '53400', NULL, 'or names');
SELECT throws_like('SELECT cluster_match(id, id) FROM many WHERE id <= 3000', 'comparing labels needs % MB, retailml.max_memory is 1 MB', 'or pairs of clusters');
SET LOCAL retailml.max_memory = DEFAULT;
SELECT throws_ok('SELECT adjusted_rand_index(id, ''a''::text) FROM many', '42883', NULL, 'labels of agreement are numbers');
SELECT lives_ok('SELECT adjusted_rand_index(id, id) FROM many', 'and with room it works');

SELECT * FROM finish();
ROLLBACK;
