-- The rows svdpp_train learns from: what is left out, merged, refused; plans, threads, kinds of ids.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(63);

-- about three rows of each pair; values are quarters, so that sums and means of SQL are exact
CREATE TABLE rows AS
SELECT i AS id, i % 3 AS region, (i * 7919 % 211 - 100)::bigint AS u, (i * 31 % 53)::bigint * 1000000007 AS p, (1 + i * 13 % 17) / 4.0::float8 AS r FROM generate_series(1, 30000) i WHERE i * 7919 % 211 % 7 <> i * 31 % 53 % 11;
CREATE TABLE few AS SELECT * FROM rows WHERE u BETWEEN -10 AND 10;
CREATE FUNCTION pg_temp.fast(more jsonb = '{}') RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT '{"n_factors": 4, "n_epochs": 3, "holdout": 0}' || more $$;
-- all that a model knows but how many rows it was made of
CREATE FUNCTION pg_temp.known(model bytea) RETURNS text LANGUAGE sql AS $$
    SELECT md5(concat_ws(';', model_info(model) - 'rows' - 'skipped' - 'options', (SELECT array_agg(svdpp_predict(model, u, p) ORDER BY u, p) FROM (SELECT DISTINCT u, p FROM few) x))) $$;

-- ---- NULL, NaN, infinity
SELECT ok((SELECT svdpp_train(u, p, r) IS NULL AND svdpp_train(u, p, r, '{}') IS NULL AND svdpp_train(u::text, p::text, r) IS NULL AND svdpp_train(u::text, p::text, r, '{}') IS NULL FROM rows WHERE false), 'NULL for no rows');
SELECT ok(svdpp_train(u, p, r) IS NULL, 'NULL when none is left') FROM (VALUES (NULL::bigint, 1::bigint, 1::float8), (1, NULL, 1), (1, 1, NULL), (1, 1, 'NaN')) v (u, p, r);
CREATE TABLE gaps AS
SELECT svdpp_train(u, p, r, pg_temp.fast()) AS model FROM (SELECT u, p, r FROM few UNION ALL SELECT * FROM (VALUES (NULL::bigint, 0::bigint, 5::float8), (0, NULL, 5), (0, 0, NULL), (0, 0, 'NaN'), (NULL, NULL, NULL)) v) x;
SELECT is((SELECT model_info(model)->'skipped' FROM gaps), '5', 'rows without user, item or rating are counted');
SELECT is((SELECT model_info(model)->'rows' FROM gaps), (SELECT to_jsonb(count(*)) FROM few), 'beside the others');
SELECT is((SELECT pg_temp.known(model) FROM gaps), (SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast())) FROM few), 'and have no part in the model');
SELECT throws_ok(format('SELECT svdpp_train(u, p, CASE id WHEN 7 THEN %L ELSE r END) FROM rows', x), '22003', 'svdpp_train: rating is infinite', x) FROM unnest('{Infinity,-Infinity}'::text[]) x;
SELECT throws_ok('SELECT svdpp_train(NULL::bigint, 1::bigint, ''Infinity'')', '22003', 'svdpp_train: rating is infinite', 'also in a row that is left out');

-- ---- duplicates
SELECT isnt((SELECT count(*) FROM few), (SELECT count(*) FROM (SELECT DISTINCT u, p FROM few) x), 'there are duplicates');
SELECT is((SELECT model_info(svdpp_train(u, p, r, pg_temp.fast()))->'n_ratings' FROM few), (SELECT to_jsonb(count(*)) FROM (SELECT DISTINCT u, p FROM few) x), 'a rating is a pair');
SELECT is((SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast('{"duplicates": "mean"}'))) FROM few), (SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast())) FROM (SELECT u, p, avg(r) AS r FROM few GROUP BY u, p) x),
    'mean');
SELECT is((SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast('{"duplicates": "sum"}'))) FROM few), (SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast())) FROM (SELECT u, p, sum(r) AS r FROM few GROUP BY u, p) x),
    'sum');
SELECT is((SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast('{"duplicates": "last"}') ORDER BY id)) FROM few),
    (SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast())) FROM (SELECT DISTINCT ON (u, p) u, p, r FROM few ORDER BY u, p, id DESC) x), 'last');
SELECT is((SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast('{"duplicates": "last"}') ORDER BY id DESC)) FROM few),
    (SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast())) FROM (SELECT DISTINCT ON (u, p) u, p, r FROM few ORDER BY u, p, id) x), 'last of another order');
SELECT is((SELECT svdpp_train(u, p, r, pg_temp.fast()) FROM few), (SELECT svdpp_train(u, p, r, pg_temp.fast('{"duplicates": "mean"}')) FROM few), 'ratings: mean is the default');
SELECT is((SELECT model_info(svdpp_train(u, p, r, pg_temp.fast('{"duplicates": "error"}')))->'n_ratings' FROM (SELECT DISTINCT ON (u, p) * FROM few) x), (SELECT to_jsonb(count(*)) FROM (SELECT DISTINCT u, p FROM few) x),
    'error: none, where there is no duplicate');
SELECT throws_ok('SELECT svdpp_train(u, p, r, ''{"duplicates": "error"}'') FROM (VALUES (18, 2, 1), (18, 2, 3), (17, 4711, 1), (17, 4711, 2), (17, 3, 1)) v (u, p, r)', '22023', 'svdpp_train: user 17 has item 4711 twice', 'error');
SELECT throws_ok('SELECT svdpp_train(''anna''::text, ''cap''::text, 1, ''{"duplicates": "error"}'') FROM generate_series(1, 3)', '22023', 'svdpp_train: user anna has item cap 3 times', 'error with texts');

-- ---- purchases
SELECT is((SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast('{"implicit": "purchases"}'))) FROM few),
    (SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast())) FROM (SELECT u, p, ln(1 + sum(r)::numeric)::float8 AS r FROM few GROUP BY u, p) x), 'purchases: log1p of the sum');
SELECT is((SELECT svdpp_train(u, p, r, pg_temp.fast('{"implicit": "purchases", "duplicates": "mean", "transform": "none"}')) FROM few) = (SELECT svdpp_train(u, p, r, pg_temp.fast()) FROM few), false, 'the option is kept');
SELECT is((SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast('{"implicit": "purchases", "duplicates": "mean", "transform": "none"}'))) FROM few), (SELECT pg_temp.known(svdpp_train(u, p, r, pg_temp.fast())) FROM few),
    'what is given goes before');
SELECT throws_ok('SELECT svdpp_train(u, p, r, ''{"implicit": "purchases"}'') FROM (VALUES (1, 2, 5), (1, 3, 2), (1, 3, -4)) v (u, p, r)', '22023',
    'svdpp_train: the rating -2 of user 1 for item 3 has no log1p, which begins above -1', 'more returned than bought');
SELECT throws_ok('SELECT svdpp_train(1::bigint, 2::bigint, 1e39)', '22023', 'svdpp_train: the rating 1e+39 of user 1 for item 2 is beyond the range of float4', 'beyond float4');
CREATE FUNCTION pg_temp.hint_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
    EXECUTE query;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN hint;
END $$;
SELECT is(pg_temp.hint_of('SELECT svdpp_train(1::bigint, 2::bigint, 1, ''{"duplicates": "error"}'') FROM generate_series(1, 2)'), 'With the option "duplicates" rows of one pair are merged: "sum", "mean" or "last".', 'hint');
SELECT is(pg_temp.hint_of('SELECT svdpp_train(1::bigint, 2::bigint, -1, ''{"transform": "log1p"}'')'), 'Leave out returns, or set the option "transform" to "none".', 'another');

-- ---- the order of rows
CREATE TABLE shuffled AS SELECT * FROM rows ORDER BY md5(id::text);
SELECT is((SELECT svdpp_train(u, p, r) FROM shuffled), (SELECT svdpp_train(u, p, r) FROM rows), 'the order of rows does not matter');
SELECT is((SELECT svdpp_train(u, p, r, '{"implicit": "purchases"}') FROM shuffled), (SELECT svdpp_train(u, p, r, '{"implicit": "purchases"}') FROM rows), 'nor for purchases');
SELECT is((SELECT svdpp_train('u' || u, 'p' || p, r) FROM shuffled), (SELECT svdpp_train('u' || u, 'p' || p, r) FROM rows), 'nor for texts');
-- 0.1 + 0.2 + 0.3 depends on the order in float8
SELECT is(svdpp_train(1::bigint, 2::bigint, r, '{"duplicates": "sum"}' ORDER BY r), svdpp_train(1::bigint, 2::bigint, r, '{"duplicates": "sum"}' ORDER BY r DESC), 'sums are exact') FROM unnest('{0.1,0.2,0.3,1e17,-1e17}'::float8[]) r;
SELECT is(svdpp_train(1::bigint, 2::bigint, '-0'), svdpp_train(1::bigint, 2::bigint, 0), 'negative zero is zero');

-- ---- kinds of ids
SELECT is((SELECT model_info(svdpp_train(u, p, r, pg_temp.fast()))->>'id_type' FROM few), 'bigint', 'bigint');
SELECT is((SELECT model_info(svdpp_train(u::text, p::text, r, pg_temp.fast()))->>'id_type' FROM few), 'text', 'text');
SELECT is((SELECT svdpp_train(u::int, p::int, r, pg_temp.fast()) FROM few WHERE p < 2e9), (SELECT svdpp_train(u, p, r, pg_temp.fast()) FROM few WHERE p < 2e9), 'int is cast to bigint');
SELECT is((SELECT svdpp_train(u::text::varchar(30), p::text::varchar(30), r) FROM few), (SELECT svdpp_train(u::text, p::text, r) FROM few), 'varchar to text');
SELECT throws_ok('SELECT svdpp_train(1::bigint, ''a''::text, 1)', '42883', NULL, 'both are of one kind');
-- padded with zeros, texts sort as their numbers do: the same model but for the ids
SELECT is((SELECT array_agg(svdpp_predict(m, lpad(u::text, 20, '0'), lpad(p::text, 20, '0')) ORDER BY u, p)
        FROM (SELECT svdpp_train(lpad(u::text, 20, '0'), lpad(p::text, 20, '0'), r, pg_temp.fast()) AS m FROM few WHERE u >= 0) x, (SELECT DISTINCT u, p FROM few WHERE u >= 0) y),
    (SELECT array_agg(svdpp_predict(m, u, p) ORDER BY u, p) FROM (SELECT svdpp_train(u, p, r, pg_temp.fast()) AS m FROM few WHERE u >= 0) x, (SELECT DISTINCT u, p FROM few WHERE u >= 0) y), 'the same predictions for texts');
SELECT ok(svdpp_predict(svdpp_train(u, p, 1, '{"holdout": 0}'), '', 'é') IS NOT NULL, 'the empty text and others') FROM (VALUES ('', 'é'), ('a', ''), ('A', 'a'), (repeat('x', 3000), 'é')) v (u, p);
SELECT ok(svdpp_predict(svdpp_train(u, p, 1, '{"holdout": 0}'), -9223372036854775808, 9223372036854775807) IS NOT NULL, 'the smallest and the largest number')
FROM (VALUES (-9223372036854775808, 9223372036854775807), (9223372036854775807, -9223372036854775808), (0, 0)) v (u, p);

-- ---- few ratings
SELECT is((SELECT svdpp_predict(m, 1, 2) FROM (SELECT svdpp_train(1::bigint, 2::bigint, 3) AS m) x), 3::float8, 'one rating');
SELECT is((SELECT array_agg(svdpp_predict(m, u, 2)) FROM (SELECT svdpp_train(u, 2, r) AS m FROM (VALUES (1, 4), (2, 4), (3, 4)) v (u, r)) x, generate_series(1, 4) u), '{4,4,4,4}', 'all the same');

-- ---- groups and conditions
SELECT is((SELECT array_agg(m ORDER BY region) FROM (SELECT region, svdpp_train(u, p, r, pg_temp.fast()) AS m FROM rows GROUP BY region) x),
    ARRAY[(SELECT svdpp_train(u, p, r, pg_temp.fast()) FROM rows WHERE region = 0), (SELECT svdpp_train(u, p, r, pg_temp.fast()) FROM rows WHERE region = 1), (SELECT svdpp_train(u, p, r, pg_temp.fast()) FROM rows WHERE region = 2)],
    'a model for each group');
SELECT is((SELECT svdpp_train(u, p, r, pg_temp.fast()) FILTER (WHERE region = 1) FROM rows), (SELECT svdpp_train(u, p, r, pg_temp.fast()) FROM rows WHERE region = 1), 'FILTER');
SELECT throws_ok('SELECT svdpp_train(u, p, r) OVER (ORDER BY id) FROM few', '0A000', NULL, 'no window aggregate: the rows are used up');

-- ---- options
SELECT is((SELECT svdpp_train(u, p, r) FROM few), (SELECT svdpp_train(u, p, r, '{}') FROM few), 'no options are defaults');
SELECT is((SELECT svdpp_train(u, p, r) FROM few), (SELECT svdpp_train(u, p, r, NULL) FROM few), 'so are NULL ones');
SELECT throws_ok('SELECT svdpp_train(u, p, r, ''{"factors": 3}'') FROM few', '22023', 'svdpp_train has no option "factors"', 'an unknown option');
SELECT throws_ok('SELECT svdpp_train(u, p, r, ''{"duplicates": "max"}'') FROM few', '22023', 'option "duplicates" of svdpp_train must be one of "auto", "mean", "sum", "last", "error"', 'an unknown value');
SELECT throws_ok('SELECT svdpp_train(u, p, r, ''{"holdout": 0, "early_stopping": 2}'') FROM few', '22023', 'svdpp_train: early_stopping needs a hold-out, and holdout is 0', 'options that do not go together');
SELECT throws_ok('SELECT svdpp_train(u, p, r, jsonb_build_object(''seed'', id)) FROM few', '22023', 'svdpp_train: options must be the same for every row', 'options that change');
SELECT throws_ok('SELECT svdpp_train(u, p, r, CASE WHEN u < 0 THEN ''{}''::jsonb END) FROM few', '22023', 'svdpp_train: options must be the same for every row', 'or come and go');
SELECT is((SELECT svdpp_train(u, p, r, jsonb_build_object('seed', 7 + 0 * id)) FROM few), (SELECT svdpp_train(u, p, r, '{"seed": 7}') FROM few), 'computed for each row');
SELECT isnt((SELECT svdpp_train(u, p, r, '{"seed": 7}') FROM few), (SELECT svdpp_train(u, p, r, '{"seed": 8}') FROM few), 'the seed matters');

-- ---- threads, parallel = serial
ALTER TABLE rows SET (parallel_workers = 2);
ANALYZE rows;
CREATE FUNCTION pg_temp.all_forms() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(svdpp_train(u, p, r) || svdpp_train(u, p, r, '{"implicit": "purchases", "n_factors": 9}') || svdpp_train('u' || u, 'p' || p, r) || svdpp_train(nullif(u, 3)::text, p::text, r, '{"seed": 9}')) FROM rows $$;
CREATE FUNCTION pg_temp.all_groups() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(string_agg(x, '' ORDER BY region)) FROM (SELECT region, svdpp_train(u, p, r) || svdpp_train(u::text, p::text, r, '{"seed": 9}') AS x FROM rows GROUP BY region) s $$;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL retailml.threads = 1;
CREATE TABLE serial AS SELECT pg_temp.all_forms() AS whole, pg_temp.all_groups() AS groups;
SET LOCAL retailml.threads = 2;
SELECT is(pg_temp.all_forms(), (SELECT whole FROM serial), 'one thread or two');
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
SELECT matches(pg_temp.plan_of('SELECT svdpp_train(u, p, r), svdpp_train(u::text, p::text, r, ''{}'') FROM rows'), '^Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan', 'it runs in workers');
SELECT is(pg_temp.all_forms(), (SELECT whole FROM serial), 'with the same results');
SET LOCAL parallel_leader_participation = off;
SELECT is(pg_temp.all_forms(), (SELECT whole FROM serial), 'or in workers alone');
SET LOCAL parallel_leader_participation = on;
SELECT matches(pg_temp.plan_of('SELECT region, svdpp_train(u, p, r) FROM rows GROUP BY region'), 'Finalize.*Gather.*Partial', 'groups too');
SELECT is(pg_temp.all_groups(), (SELECT groups FROM serial), 'with the same results');
SET LOCAL enable_hashagg = off;
SELECT is(pg_temp.all_groups(), (SELECT groups FROM serial), 'also when groups are sorted');
SET LOCAL enable_hashagg = on;
SELECT throws_ok('SELECT svdpp_train(u, p, r, CASE WHEN ctid < ''(50,1)'' THEN ''{"seed": 1}''::jsonb ELSE ''{"seed": 2}''::jsonb END) FROM rows', '22023', 'svdpp_train: options must be the same for every row', 'options that differ by worker');

-- ---- memory
SET LOCAL retailml.max_memory = '1MB';
SELECT throws_like('SELECT svdpp_train(u, p, r) FROM rows, generate_series(1, 4)', 'svdpp_train needs % MB, retailml.max_memory is 1 MB', 'more rows than retailml.max_memory holds');
SELECT throws_like('SELECT svdpp_train(u, p, r, ''{"n_factors": 1000}'') FROM few', 'svdpp_train needs % MB, retailml.max_memory is 1 MB', 'or more factors');
SET LOCAL retailml.max_memory = DEFAULT;
SELECT lives_ok('SELECT svdpp_train(u, p, r, ''{"n_factors": 1000, "n_epochs": 1}'') FROM few', 'and with room it works');

SELECT * FROM finish();
ROLLBACK;
