\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Memory: refused before it is taken, given back afterwards.  Settings.
SET search_path = retailml, public;
SET client_min_messages = warning;
-- settings are known once the library is loaded, by the first call of a function
SELECT count(*) FROM rfm_segments() \g /dev/null

BEGIN;
SELECT plan(45);

CREATE FUNCTION pg_temp.complaint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text;
BEGIN
    EXECUTE call;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END $$;
-- what retailml holds in this process
CREATE FUNCTION pg_temp.held() RETURNS bigint LANGUAGE sql AS
$$SELECT coalesce(sum(total_bytes), 0)::bigint FROM pg_backend_memory_contexts WHERE name ~ '^retailml'$$;

-- 60,000 rows of three numbers are 1.4 MB
CREATE TABLE facts AS SELECT i AS id, i % 7 AS a, (i * 31 % 101)::float8 AS b, sin(i) AS c FROM generate_series(1, 60000) i;
ANALYZE facts;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL retailml.threads = 1;

-- ---- defaults and ranges
SELECT is(array_agg(name || ' = ' || setting || coalesce(unit, '') ORDER BY name), ARRAY['retailml.max_memory = 1048576kB', 'retailml.progress = off', 'retailml.threads = 1'], 'settings')
FROM pg_settings WHERE name LIKE 'retailml.%';
SELECT is(current_setting('retailml.max_memory'), '1GB', 'the default of max_memory');
SELECT is((SELECT string_agg(context, ',') FROM pg_settings WHERE name LIKE 'retailml.%'), 'user,user,user', 'everybody may change them');
SELECT throws_ok('SET retailml.threads = -1', '22023', '-1 is outside the valid range for parameter "retailml.threads" (0 .. 256)', 'too few threads');
SELECT throws_ok('SET retailml.threads = 257', '22023', '257 is outside the valid range for parameter "retailml.threads" (0 .. 256)', 'too many');
SELECT throws_ok('SET retailml.max_memory = ''1000kB''', '22023', '1000 kB is outside the valid range for parameter "retailml.max_memory" (1024 .. 2147483647)', 'too little memory')
WHERE current_setting('server_version_num')::int < 160000;
SELECT throws_ok('SET retailml.max_memory = ''1000kB''', '22023', NULL, 'too little memory') WHERE current_setting('server_version_num')::int >= 160000;
SELECT throws_ok('SET retailml.progress = ''maybe''', '22023', NULL, 'progress is on or off');
SELECT throws_ok('SET retailml.max_memroy = ''1GB''', '42602', 'invalid configuration parameter name "retailml.max_memroy"', 'the prefix is reserved: a misspelt setting is an error');
SELECT lives_ok('SET LOCAL retailml.max_memory = ''3GB''', 'more than 2 GB can be allowed');

-- ---- refused while rows are collected: they alone are too much
SET LOCAL retailml.max_memory = '1MB';
SELECT matches(pg_temp.complaint('SELECT kmeans_fit(f, 3) FROM facts f'),
    '^53400 \| kmeans_fit needs [2-9] MB, retailml.max_memory is 1 MB \| Use fewer rows or columns, for example a sample, or raise retailml.max_memory for this session with SET.$', 'rows that are too many');
SELECT matches(pg_temp.complaint('SELECT kmeans_sweep(f, 2, 3) FROM facts f'), '^53400 \| kmeans_sweep needs [2-9] MB, retailml.max_memory is 1 MB \| Use fewer', 'in a sweep');
SELECT matches(pg_temp.complaint('SELECT rfm_fit(a, b, c) FROM facts'), '^53400 \| rfm_fit needs [2-9] MB, retailml.max_memory is 1 MB \| Use fewer', 'in rfm_fit');
SELECT matches(pg_temp.complaint('SELECT kmeans(f, 3) OVER () FROM facts f'), '^53400 \| kmeans(_fit)? needs [2-9] MB, retailml.max_memory is 1 MB \| Use fewer', 'in a window');
SELECT matches(pg_temp.complaint('SELECT rfm_score(a, b, c) OVER () FROM facts'), '^53400 \| rfm_score needs [2-9] MB, retailml.max_memory is 1 MB \| Use fewer', 'in the window of rfm_score');
SELECT matches(pg_temp.complaint('SELECT a, kmeans_fit(f, 3) FROM facts f GROUP BY a'), '^53400 \| kmeans_fit needs [2-9] MB, retailml.max_memory is 1 MB', 'all groups of an aggregate count together');
SELECT matches(pg_temp.complaint('SELECT kmeans_fit(f, 3), kmeans_fit(f, 2) FROM facts f WHERE id <= 18000'), '^53400 \| kmeans_fit needs [2-9] MB, retailml.max_memory is 1 MB', 'and all aggregates of a query');
SELECT is(pg_temp.held(), 0::bigint, 'nothing is held after errors');

-- ---- refused after the scan, for ordering and fitting: the whole need is said, before any of it is taken
SET LOCAL retailml.max_memory = '4MB';
SELECT matches(pg_temp.complaint('SELECT kmeans_fit(f, 3) FROM facts f'), '^53400 \| kmeans_fit needs [0-9]+ MB, retailml.max_memory is 4 MB \| Use fewer', 'ordering and fitting');
SET LOCAL retailml.max_memory = '3MB';
SELECT matches(pg_temp.complaint('SELECT rfm_fit(a, b, c) FROM facts'), '^53400 \| rfm_fit needs [0-9]+ MB, retailml.max_memory is 3 MB', 'rfm_fit too');
SET LOCAL retailml.max_memory = '4MB';
SELECT matches(pg_temp.complaint('SELECT kmeans(f, 3) OVER () FROM facts f'), '^53400 \| kmeans(_fit)? needs [0-9]+ MB, retailml.max_memory is 4 MB', 'and the window');
-- what it says it needs is enough
CREATE FUNCTION pg_temp.needed(call text) RETURNS int LANGUAGE sql AS $$SELECT substring(pg_temp.complaint(call) FROM 'needs (\d+) MB')::int$$;
SELECT set_config('retailml.max_memory', pg_temp.needed('SELECT kmeans_fit(f, 3, ''{"n_init": 1}'') FROM facts f') || 'MB', true) IS NOT NULL AS unused \gset
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 3, ''{"n_init": 1}'') FROM facts f'), 'none', 'what kmeans_fit says it needs is enough');
SET LOCAL retailml.max_memory = '4MB';
SELECT set_config('retailml.max_memory', pg_temp.needed('SELECT rfm_fit(a, b, c) FROM facts') || 'MB', true) IS NOT NULL AS unused \gset
SELECT is(pg_temp.complaint('SELECT rfm_fit(a, b, c) FROM facts'), 'none', 'and what rfm_fit says');
SET LOCAL retailml.max_memory = '4MB';
SELECT set_config('retailml.max_memory', pg_temp.needed('SELECT kmeans(f, 3, ''{"n_init": 1}'') OVER () FROM facts f') || 'MB', true) IS NOT NULL AS unused \gset
SELECT is(pg_temp.complaint('SELECT kmeans(f, 3, ''{"n_init": 1}'') OVER () FROM facts f'), 'none', 'and the window');
SET LOCAL retailml.max_memory = '4MB';
SELECT set_config('retailml.max_memory', pg_temp.needed('SELECT kmeans_sweep(f, 2, 3, ''{"n_init": 1}'') FROM facts f') || 'MB', true) IS NOT NULL AS unused \gset
SELECT is(pg_temp.complaint('SELECT kmeans_sweep(f, 2, 3, ''{"n_init": 1}'') FROM facts f'), 'none', 'and a sweep');
-- peak memory is at most three times the raw data: 16 columns x 60,000 rows are 7.3 MB; another 2 MB do not depend on rows
SET LOCAL retailml.max_memory = '24MB';
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 8, ''{"n_init": 1, "max_iter": 3}'') FROM (SELECT a, b, c, a AS d, b AS e, c AS ff, a AS g, b AS h, c AS i, a AS j, b AS k, c AS l, a AS m, b AS n, c AS o, id % 5 AS p FROM facts) f'), 'none',
    'a fit takes at most three times the size of its rows');
SELECT is(pg_temp.held(), 0::bigint, 'and gives everything back');

-- ---- given back: fifty fits, and fifty that fail, in a process that may hold one
SET LOCAL retailml.max_memory = '12MB';
CREATE FUNCTION pg_temp.repeat(call text, times int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE result bigint = 0;
BEGIN
    FOR i IN 1 .. times LOOP
        BEGIN
            EXECUTE call;
            result = result + 1;
        EXCEPTION WHEN invalid_parameter_value OR numeric_value_out_of_range THEN NULL;
        END;
    END LOOP;
    RETURN result;
END $$;
SELECT is(pg_temp.repeat('SELECT kmeans_fit(f, 2, ''{"n_init": 1, "max_iter": 2}'') FROM facts f WHERE id <= 30000', 50), 50::bigint, 'fifty fits one after the other');
SELECT is(pg_temp.held(), 0::bigint, 'leave nothing');
SELECT is(pg_temp.repeat('SELECT kmeans_fit(f, 3) FROM (SELECT a * 0 AS a, b * 0 AS b FROM facts WHERE id <= 30000) f', 50), 0::bigint, 'fifty that fail in the algorithm');
SELECT is(pg_temp.repeat('SELECT kmeans_fit(f, 3) FROM (SELECT a, CASE WHEN id = 29999 THEN ''Infinity'' ELSE b END AS b FROM facts WHERE id <= 30000) f', 50), 0::bigint, 'fifty that fail in the scan');
SELECT is(pg_temp.held(), 0::bigint, 'leave nothing either');
SELECT is(pg_temp.repeat('SELECT count(kmeans) FROM (SELECT kmeans(f, 2, ''{"n_init": 1, "max_iter": 2}'') OVER (PARTITION BY id % 2) FROM facts f WHERE id <= 30000) x', 20), 20::bigint, 'windows');
SELECT is(pg_temp.repeat('SELECT count(kmeans_predict((SELECT kmeans_fit(f, 2, ''{"n_init": 1, "max_iter": 2}'') FROM facts f WHERE id <= 30000), g)) FROM facts g', 20), 20::bigint, 'scores');
SELECT is(pg_temp.held(), 0::bigint, 'nothing is held at the end');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 2, ''{"n_init": 1}'') FROM facts f WHERE id <= 30000'), 'none', 'and one more fit has room');
-- a group's memory comes back when its model is made: 3,000 groups of 20 rows are held together, 7 groups after each other
SELECT is((SELECT count(m) FROM (SELECT kmeans_fit(f, 2, '{"n_init": 1, "features": ["b", "c"]}') AS m FROM facts f WHERE id <= 6000 GROUP BY id % 300) x), 300::bigint, 'three hundred groups');
SELECT is(pg_temp.held(), 0::bigint, 'give everything back');

-- ---- the time to the error does not depend on work that would be in vain
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 0) FROM facts f, pg_sleep(0)'), '22023 | kmeans_fit: k is 0 but must be at least 1', 'wrong arguments end the query at the first row');
CREATE SEQUENCE rows_read;
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 2, ''{"sed": 1}'') FROM (SELECT nextval(''rows_read'') AS n, a FROM facts) f') ~ 'has no option', true, 'so do wrong options');
SELECT is((SELECT last_value FROM rows_read), 1::bigint, 'after one row');

-- ---- a model is limited too
SET LOCAL retailml.max_memory = '64MB';
CREATE TEMP TABLE large AS SELECT kmeans_fit(x, 100, '{"n_init": 1, "max_iter": 1}') AS m FROM (SELECT array_agg(sin(i * j)) AS x FROM generate_series(1, 100) i, generate_series(1, 1000) j GROUP BY i) y;
SET LOCAL retailml.max_memory = '1MB';
SELECT matches(pg_temp.complaint('SELECT kmeans_predict(m, ''{}''::float8[]) FROM large'), '^53400 \| reading a model needs [0-9]+ MB, retailml.max_memory is 1 MB', 'decoding a large model');
-- 20,000 users are 2.4 MB decoded, and the bytes 2.2 MB: a stored model is known by its pointer, one in memory by all of them
SET LOCAL retailml.max_memory = '64MB';
CREATE TEMP TABLE users AS SELECT svdpp_train(i, i % 2, 1, '{"n_epochs": 1, "holdout": 0}') AS m FROM generate_series(1, 20000) i;
SET LOCAL retailml.max_memory = '4MB';
SELECT is(pg_temp.complaint('SELECT svdpp_predict(m, 1, 1) FROM users'), 'none', 'a stored model is decoded');
SELECT matches(pg_temp.complaint('WITH x AS MATERIALIZED (SELECT m || ''''::bytea AS m FROM users) SELECT svdpp_predict(m, 1, 1) FROM x'),
    '^53400 \| reading a model needs 5 MB, retailml.max_memory is 4 MB', 'where it is not stored, the copy it is compared with counts');
SELECT is(pg_temp.held(), 0::bigint, 'and is given back');
-- 280,000 vectors of 1000 factors
SET LOCAL retailml.max_memory = DEFAULT;
SELECT matches(pg_temp.complaint('SELECT svdpp_train(i, i % 2, 1, ''{"n_factors": 1000}'') FROM generate_series(1, 280000) i'),
    '^54000 \| the model has 10[0-9]{2} MB, a bytea can hold 1024 MB \| ', 'a model that no bytea can hold is refused before it is trained');

SELECT * FROM finish();
ROLLBACK;
