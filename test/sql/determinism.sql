\set ECHO none
\pset format unaligned
\pset tuples_only on
-- The same rows, options and seed give the same model bytes: whatever the plan, the number of workers and
-- threads, the order of rows, and how they were cut into pieces on the way.
SET search_path = retailml, public;
SET client_min_messages = warning;

BEGIN;
SELECT plan(48);

-- 12,000 rows with few distinct ones among them, missing values of both kinds and both zeros
CREATE TABLE facts AS
SELECT i AS id, i % 3 AS region, (i * 7919 % 1009)::float8 / 7 AS a, CASE WHEN i % 50 = 0 THEN NULL WHEN i % 77 = 0 THEN 'NaN' ELSE sin(i % 600) END::float8 AS b,
    (i * 104729 % 9973)::numeric / 100 AS c, i % 4 = 0 AS d, CASE i % 10 WHEN 0 THEN 0.0 WHEN 1 THEN '-0'::float8 ELSE i % 10 END AS e
FROM generate_series(1, 12000) i;
ANALYZE facts;

-- A query inside a call of pgTAP is serial, because pgTAP is; EXECUTE may be parallel.
CREATE FUNCTION pg_temp.value(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE FUNCTION pg_temp.fit() RETURNS text LANGUAGE sql AS $$SELECT md5(pg_temp.value($q$SELECT kmeans_fit(f, 6, '{"exclude": ["id", "region"], "n_init": 3}') FROM facts f$q$))$$;
CREATE FUNCTION pg_temp.sweep() RETURNS text LANGUAGE sql AS $$SELECT md5(pg_temp.value($q$SELECT kmeans_sweep(f, 2, 4, '{"exclude": ["id", "region"], "n_init": 1}') FROM facts f WHERE id <= 3000$q$))$$;
CREATE FUNCTION pg_temp.rfm() RETURNS text LANGUAGE sql AS $$SELECT md5(pg_temp.value($q$SELECT rfm_fit(a, b, c) FROM facts$q$))$$;
CREATE FUNCTION pg_temp.arrays() RETURNS text LANGUAGE sql AS $$SELECT md5(pg_temp.value($q$SELECT kmeans_fit(ARRAY[a, b, e], 3, '{"n_init": 2}') FROM facts$q$))$$;
CREATE FUNCTION pg_temp.regions() RETURNS text LANGUAGE sql AS $$SELECT md5(pg_temp.value($q$SELECT string_agg(m, NULL ORDER BY region) FROM (SELECT region, kmeans_fit(f, 2, '{"exclude": ["id", "region"], "n_init": 1}') AS m FROM facts f GROUP BY region) x$q$))$$;
CREATE FUNCTION pg_temp.skipping() RETURNS text LANGUAGE sql AS $$SELECT md5(pg_temp.value($q$SELECT kmeans_fit(f, 2, '{"exclude": ["id", "region"], "impute": "skip", "n_init": 1}') FROM facts f$q$))$$;
CREATE FUNCTION pg_temp.labels() RETURNS text LANGUAGE sql AS $$SELECT md5(pg_temp.value($q$SELECT array_agg(k ORDER BY id) FROM (SELECT id, kmeans(f, 3, '{"exclude": ["id", "region"], "n_init": 2}') OVER (PARTITION BY region) AS k FROM facts f) x$q$))$$;
-- the lines of a plan that say how it aggregates
CREATE FUNCTION pg_temp.shape(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text = '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        line = trim(regexp_replace(line, '^ *->', ''));
        IF line ~ '(Aggregate|Gather|Scan|Append)' THEN result = result || line || ' / '; END IF;
    END LOOP;
    RETURN rtrim(result, ' /');
END $$;

SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL retailml.threads = 1;
CREATE TEMP TABLE serial AS SELECT pg_temp.fit(), pg_temp.sweep(), pg_temp.rfm(), pg_temp.arrays(), pg_temp.regions(), pg_temp.skipping(), pg_temp.labels();
SELECT is(pg_temp.shape('SELECT kmeans_fit(f, 6) FROM facts f'), 'Aggregate / Seq Scan on facts f', 'the reference is serial');
SELECT isnt(fit, skipping, 'different fits differ') FROM serial;
SELECT is(pg_temp.fit(), fit, 'the same again') FROM serial;

-- ---- parallel plans
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is(pg_temp.shape(query), 'Finalize Aggregate / Gather / Partial Aggregate / Parallel Seq Scan on facts' || alias, query || ' is parallel')
FROM (VALUES ('SELECT kmeans_fit(f, 6) FROM facts f', ' f'), ('SELECT kmeans_sweep(f, 2, 4) FROM facts f', ' f'), ('SELECT rfm_fit(a, b, c) FROM facts', ''),
    ('SELECT kmeans_fit(ARRAY[a, b], 3) FROM facts', '')) v(query, alias);
SELECT matches(pg_temp.shape('SELECT region, kmeans_fit(f, 2) FROM facts f GROUP BY region'), '^Finalize (Group|Hash)Aggregate / Gather.* / Partial (Group|Hash)Aggregate / Parallel Seq Scan on facts f$',
    'so is GROUP BY');
CREATE FUNCTION pg_temp.launched() RETURNS int LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) SELECT kmeans_fit(f, 2, ''{"exclude": ["id"], "n_init": 1}'') FROM facts f' INTO plan;
    RETURN jsonb_path_query_first(plan::jsonb, '$.**."Workers Launched"')::int;
END $$;
SELECT cmp_ok(pg_temp.launched(), '>', 0, 'and has workers');
SELECT is(pg_temp.fit(), fit, 'kmeans_fit, parallel') FROM serial;
SELECT is(pg_temp.sweep(), sweep, 'kmeans_sweep, parallel') FROM serial;
SELECT is(pg_temp.rfm(), rfm, 'rfm_fit, parallel') FROM serial;
SELECT is(pg_temp.arrays(), arrays, 'arrays, parallel') FROM serial;
SELECT is(pg_temp.regions(), regions, 'GROUP BY, parallel') FROM serial;
SELECT is(pg_temp.skipping(), skipping, 'rows left out by workers are counted') FROM serial;
SET LOCAL parallel_leader_participation = off;
SELECT is(pg_temp.fit(), fit, 'the leader only combines') FROM serial;
SELECT is(pg_temp.rfm(), rfm, 'also rfm_fit') FROM serial;
SET LOCAL max_parallel_workers_per_gather = 1;
SELECT is(pg_temp.fit(), fit, 'one worker alone') FROM serial;
SET LOCAL max_parallel_workers_per_gather = 4;
SET LOCAL parallel_leader_participation = on;
SELECT is(pg_temp.fit(), fit, 'up to four') FROM serial;
SELECT is(pg_temp.value($$SELECT kmeans_fit(f, 6, '{"exclude": ["id", "region"]}') FROM facts f WHERE id < 0$$), NULL, 'workers without any row');
SELECT is(pg_temp.value($$SELECT model_info(kmeans_fit(f, 1, '{"features": ["a", "c"]}')) -> 'rows' FROM facts f WHERE id = 78$$), '1', 'one row in all');
SELECT is(pg_temp.value($$SELECT model_info(kmeans_fit(CASE WHEN id % 100 = 0 THEN f END, 1, '{"features": ["a", "c"]}')) ->> 'skipped' FROM facts f$$), '11880', 'NULL rows are counted');
SELECT throws_ok('SELECT kmeans_fit(f, CASE WHEN id <= 6000 THEN 2 ELSE 3 END) FROM facts f', '22023', NULL, 'k that changes from worker to worker, or row to row');
SELECT throws_ok('SELECT kmeans_fit(f, 2, ''{"sed": 1}'') FROM facts f', '22023', 'kmeans_fit has no option "sed"', 'an error in a worker');
SELECT throws_ok($$SELECT kmeans_fit(f, 2) FROM (SELECT a / (id - 6000.0) AS x FROM facts OFFSET 0) f$$, '22012', NULL, 'an error in the scan');
SELECT throws_ok($$SELECT kmeans_fit(f, 2) FROM (SELECT CASE id WHEN 11999 THEN 'Infinity' ELSE a END AS x FROM facts) f$$, '22003', 'column "x" holds infinity', 'infinity in a worker');

-- ---- partitions
CREATE TABLE parted (LIKE facts) PARTITION BY LIST (region);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES IN (0);
CREATE TABLE parted_1 (e float8, d boolean, c numeric, b float8, a float8, id int, region int);
ALTER TABLE parted ATTACH PARTITION parted_1 FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
INSERT INTO parted SELECT * FROM facts ORDER BY -id;
ANALYZE parted;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT is(md5(pg_temp.value($$SELECT kmeans_fit(f, 6, '{"exclude": ["id", "region"], "n_init": 3}') FROM parted f$$)), fit, 'a partitioned table') FROM serial;
SELECT is(md5(pg_temp.value($$SELECT string_agg(m, NULL ORDER BY region) FROM (SELECT region, kmeans_fit(f, 2, '{"exclude": ["id", "region"], "n_init": 1}') AS m FROM parted f GROUP BY region) x$$)), regions,
    'aggregated partition by partition') FROM serial;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT matches(pg_temp.shape('SELECT d, kmeans_fit(f, 2) FROM parted f GROUP BY d'), '^Finalize .*Append / Partial ', 'partial aggregates without workers');
SELECT is((SELECT string_agg(m, NULL ORDER BY d) FROM (SELECT d, kmeans_fit(f, 2, '{"features": ["a", "b"], "n_init": 1}') AS m FROM parted f GROUP BY d) x),
    (SELECT string_agg(m, NULL ORDER BY d) FROM (SELECT d, kmeans_fit(f, 2, '{"features": ["a", "b"], "n_init": 1}') AS m FROM facts f GROUP BY d) x), 'are combined too');

-- ---- threads
SET LOCAL retailml.threads = 2;
SELECT is(pg_temp.fit(), fit, 'kmeans_fit, two threads') FROM serial;
SELECT is(pg_temp.sweep(), sweep, 'kmeans_sweep, two threads') FROM serial;
SELECT is(pg_temp.labels(), labels, 'kmeans() OVER, two threads') FROM serial;
SELECT is(pg_temp.arrays(), arrays, 'arrays, two threads') FROM serial;
SET LOCAL retailml.threads = 5;
SELECT is(pg_temp.fit(), fit, 'five threads') FROM serial;
SET LOCAL retailml.threads = 0;
SELECT is(pg_temp.fit(), fit, 'the default') FROM serial;
-- wide rows take another path, matrix products
CREATE TABLE wide AS SELECT i AS id, (SELECT array_agg(sin(i * j)::float8 + i % 4) FROM generate_series(1, 40) j) AS x FROM generate_series(1, 1500) i;
SET LOCAL retailml.threads = 1;
CREATE TEMP TABLE wide_model AS SELECT md5(kmeans_fit(x, 8, '{"n_init": 2}')::text) AS m FROM wide;
SET LOCAL retailml.threads = 3;
SELECT is(md5((SELECT kmeans_fit(x, 8, '{"n_init": 2}') FROM wide)::text), m, 'forty features, three threads') FROM wide_model;
SELECT is(md5((SELECT kmeans_fit(x, 8, '{"n_init": 2}') FROM (SELECT x FROM wide ORDER BY id DESC) w)::text), m, 'and in reverse') FROM wide_model;

-- ---- order of rows, pieces, memory
SELECT is(md5((SELECT kmeans_fit(f, 6, '{"exclude": ["id", "region"], "n_init": 3}') FROM (SELECT id, region, a, b, c, d, e FROM facts ORDER BY md5(id::text)) f)::text), fit, 'shuffled') FROM serial;
SELECT is(md5((SELECT kmeans_fit(f, 6, '{"exclude": ["id", "region"], "n_init": 3}') FROM (SELECT id, region, a, b, c, d, e FROM facts ORDER BY id DESC) f)::text), fit, 'reversed') FROM serial;
SELECT is(md5((SELECT array_agg(k ORDER BY id) FROM (SELECT id, kmeans(f, 3, '{"exclude": ["id", "region"], "n_init": 2}') OVER (PARTITION BY region ORDER BY md5(id::text)) AS k FROM facts f) x)::text), labels,
    'labels of shuffled rows') FROM serial;
SELECT is(md5((SELECT kmeans_fit(f, 6, '{"exclude": ["id", "region"], "n_init": 3}') FROM
    (SELECT * FROM facts WHERE id % 2 = 0 UNION ALL SELECT * FROM facts WHERE id % 2 = 1 AND id > 5000 UNION ALL SELECT * FROM facts WHERE id % 2 = 1 AND id <= 5000) f)::text), fit, 'in three pieces') FROM serial;
SELECT is(md5((SELECT kmeans_fit(f, 6, '{"exclude": ["id", "region"], "n_init": 3}') FROM (SELECT id, region, a, coalesce(b, 'NaN') AS b, c, d, abs(e) AS e FROM facts) f)::text), fit,
    'NULL is NaN, and zero has no sign') FROM serial;
SET LOCAL work_mem = '64kB';
SELECT is(pg_temp.fit(), fit, 'little work_mem') FROM serial;
SELECT is(pg_temp.regions(), regions, 'and groups') FROM serial;
SET LOCAL enable_hashagg = off;
SELECT is(pg_temp.regions(), regions, 'sorted groups') FROM serial;
UPDATE facts SET a = a WHERE id % 3 = 0;
SELECT is(pg_temp.fit(), fit, 'rows that have moved') FROM serial;
SET LOCAL extra_float_digits = -5;
SET LOCAL timezone = 'Asia/Kolkata';
SELECT is(pg_temp.fit(), fit, 'settings that have nothing to do with it') FROM serial;

SELECT * FROM finish();
ROLLBACK;
