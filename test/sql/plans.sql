\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Plans that matter: where fits and scores run, how often, and what a model costs while rows go by.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(26);

CREATE TABLE facts AS SELECT i AS id, i % 7 AS a, (i * 31 % 101)::float8 AS b, 'row ' || i AS note FROM generate_series(1, 10000) i;
CREATE TABLE models AS SELECT 'segments' AS name, kmeans_fit(ARRAY[a, b], 3, '{"n_init": 1}') AS arrays, kmeans_fit(f, 3, '{"features": ["a", "b"], "n_init": 1}') AS model FROM facts f;
ANALYZE facts, models;

-- a plan in one line, as PostgreSQL 17 words it
CREATE FUNCTION pg_temp.plan_of(query text, options text DEFAULT 'COSTS OFF') RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text = '';
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
        CONTINUE WHEN line ~ 'Params Evaluated';
        line = replace(replace(line, ' (returns $0)', ''), '$0', '(InitPlan 1).col1');
        result = result || regexp_replace(trim(regexp_replace(line, '^ *->', '')), '\s+', ' ', 'g') || ' / ';
    END LOOP;
    RETURN rtrim(result, ' /');
END $$;

SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;

-- ---- fits are parallel aggregates
SELECT is(pg_temp.plan_of('SELECT kmeans_fit(f, 3) FROM facts f'),
    'Finalize Aggregate / Gather / Workers Planned: 2 / Partial Aggregate / Parallel Seq Scan on facts f', 'a fit collects its rows in workers');
SELECT is(pg_temp.plan_of('SELECT kmeans_fit(f, 3) FILTER (WHERE id > 5) FROM facts f WHERE a < 5'),
    'Finalize Aggregate / Gather / Workers Planned: 2 / Partial Aggregate / Parallel Seq Scan on facts f / Filter: (a < 5)', 'with filters');
SELECT unalike(pg_temp.plan_of('SELECT kmeans_fit(f, 3 ORDER BY id) FROM facts f'), '%Partial%', 'ORDER BY inside the call is the way to a serial plan');
SELECT unalike(pg_temp.plan_of('SELECT id, kmeans(f, 3) OVER () FROM facts f'), '%Partial%', 'a window function sees all rows');

-- ---- scores are computed where the rows are
SELECT is(pg_temp.plan_of('SELECT count(*) FROM facts f WHERE kmeans_predict((SELECT model FROM models), f) = 2'),
    'Finalize Aggregate / InitPlan 1 / Seq Scan on models / Gather / Workers Planned: 2 / Partial Aggregate / Parallel Seq Scan on facts f / Filter: (kmeans_predict((InitPlan 1).col1, f.*) = 2)',
    'scoring is pushed to workers, the model is read once');
SELECT matches(pg_temp.plan_of('SELECT id, kmeans_predict((SELECT model FROM models), f) FROM facts f', 'VERBOSE, COSTS OFF'),
    'Gather / Output: f.id, \(kmeans_predict\(\(InitPlan 1\).col1, f.\*\)\) / .*Parallel Seq Scan on [a-z]+.facts f / Output: f.id, kmeans_predict\(\(InitPlan 1\).col1, f.\*\)$', 'also when all scores are wanted');
SELECT matches(pg_temp.plan_of('SELECT kmeans_predict((SELECT model FROM models), f), count(*) FROM facts f GROUP BY 1'),
    '^Finalize .*Gather.*Partial .*Parallel Seq Scan on facts f$', 'or counted');
SELECT is((SELECT count(*) FROM facts f WHERE kmeans_predict((SELECT model FROM models), f) = 2), (SELECT (model_info(model) -> 'sizes' ->> 1)::bigint FROM models), 'and right');
SELECT is((SELECT array_agg(n ORDER BY k) FROM (SELECT kmeans_predict(m.model, f) AS k, count(*) AS n FROM facts f, models m GROUP BY 1) x),
    (SELECT array_agg(n::bigint) FROM models, jsonb_array_elements_text(model_info(model) -> 'sizes') n), 'by the join too');
SELECT is((SELECT array_agg(kmeans_predict(model, f) ORDER BY id) FROM facts f, models), (SELECT array_agg(kmeans_predict(arrays, ARRAY[a, b]) ORDER BY id) FROM facts f, models), 'rows and arrays agree');

-- ---- cheap conditions first: a score costs more than a comparison
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT matches(pg_temp.plan_of('SELECT count(*) FROM facts f, models m WHERE kmeans_predict(m.model, f) = 2 AND m.name = ''x'' AND f.id < 10'),
    'Filter: \(id < 10\)', 'a condition on the table is tested before the row is scored');
SELECT is(pg_temp.plan_of('SELECT count(*) FROM facts f WHERE kmeans_predict((SELECT model FROM models), f) = 2 AND f.id < 10'),
    'Aggregate / InitPlan 1 / Seq Scan on models / Seq Scan on facts f / Filter: ((id < 10) AND (kmeans_predict((InitPlan 1).col1, f.*) = 2))', 'in this order');
-- ---- one evaluation per row where the same score is shown, grouped and sorted by
SET LOCAL track_functions = 'all';
CREATE FUNCTION pg_temp.calls(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    function oid = 'kmeans_predict(bytea, record)'::regprocedure;
    before bigint = coalesce(pg_stat_get_xact_function_calls(function), 0);
BEGIN
    EXECUTE 'CREATE TEMP TABLE result ON COMMIT DROP AS ' || query;
    DROP TABLE result;
    RETURN pg_stat_get_xact_function_calls(function) - before;
END $$;
SELECT is(pg_temp.calls('SELECT kmeans_predict(m.model, f) AS k FROM facts f, models m'), 10000::bigint, 'a row is scored once');
SELECT is(pg_temp.calls('SELECT id, kmeans_predict(m.model, f) AS k FROM facts f, models m ORDER BY k'), 10000::bigint, 'when sorted');
SELECT is(pg_temp.calls('SELECT kmeans_predict(m.model, f) AS k, count(*), avg(b) FROM facts f, models m GROUP BY k ORDER BY k'), 10000::bigint, 'when grouped and sorted');
SELECT is(pg_temp.calls('SELECT k, k + 1 FROM (SELECT kmeans_predict(m.model, f) AS k FROM facts f, models m OFFSET 0) x WHERE k > 0'), 10000::bigint, 'when shown twice out of a subquery');
SELECT is(pg_temp.calls('SELECT id FROM facts f, models m WHERE f.id < 10 AND kmeans_predict(m.model, f) > 0'), 9::bigint, 'and not when another condition fails');

-- ---- a constant model and row are scored at plan time, what is never reached is not
SELECT lives_ok($$SELECT CASE WHEN false THEN model_info('\x00'::bytea) END$$, 'a branch that is never taken is not evaluated early');
SELECT throws_ok($$SELECT model_info('\x00'::bytea)$$, 'XX001', 'the model is damaged or not a model', 'unlike one that is');
SELECT lives_ok($$SELECT kmeans_predict('\x00'::bytea, f) FROM facts f WHERE false$$, 'nor is a model decoded for no rows');

-- ---- immutable: an index on scores, a generated column
DO $$ BEGIN EXECUTE format('CREATE INDEX facts_segment ON facts (kmeans_predict(%L::bytea, ARRAY[a, b]))', (SELECT arrays FROM models)); END $$;
DO $$ BEGIN EXECUTE format('ALTER TABLE facts ADD COLUMN segment int GENERATED ALWAYS AS (kmeans_predict(%L::bytea, ARRAY[a, b])) STORED', (SELECT arrays FROM models)); END $$;
SELECT is((SELECT count(*) FROM facts, models WHERE segment = kmeans_predict(arrays, ARRAY[a, b])), 10000::bigint, 'scores can be a generated column');
SET LOCAL enable_seqscan = off;
CREATE FUNCTION pg_temp.index_used() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN RETURN pg_temp.plan_of(format('SELECT count(*) FROM facts WHERE kmeans_predict(%L::bytea, ARRAY[a, b]) = 3', (SELECT arrays FROM models))) ~ 'facts_segment'; END $$;
SELECT ok(pg_temp.index_used(), 'and be indexed');
RESET enable_seqscan;

-- ---- a model is decoded once and kept: while rows go by, the memory it takes does not change
CREATE FUNCTION pg_temp.held() RETURNS text LANGUAGE sql AS
$$SELECT count(*) FILTER (WHERE name = 'retailml model') || ' models, ' || coalesce(sum(total_bytes) FILTER (WHERE name ~ '^retailml'), 0) || ' bytes' FROM pg_backend_memory_contexts$$;
CREATE TABLE held (at text, what text);
DECLARE scores CURSOR FOR SELECT kmeans_predict(m.model, f) FROM models m, facts f;
FETCH 1 FROM scores \g /dev/null
INSERT INTO held SELECT 'first', pg_temp.held();
MOVE 9000 FROM scores \g /dev/null
INSERT INTO held SELECT 'last', pg_temp.held();
CLOSE scores;
INSERT INTO held SELECT 'closed', pg_temp.held();
SELECT is((SELECT what FROM held WHERE at = 'first') ~ '^1 models, [1-9]', true, 'one decoded model for a query');
SELECT is((SELECT what FROM held WHERE at = 'last'), (SELECT what FROM held WHERE at = 'first'), 'the same after 9,000 rows');
SELECT is((SELECT what FROM held WHERE at = 'closed'), '0 models, 0 bytes', 'nothing after the query');
-- models in turns: each is decoded again, none is kept beside the other
CREATE TABLE two AS SELECT 1 AS n, model FROM models UNION ALL SELECT 2, (SELECT kmeans_fit(f, 2, '{"features": ["a", "b"]}') FROM facts f WHERE id < 100);
DECLARE scores CURSOR FOR SELECT kmeans_predict((SELECT model FROM two WHERE n = 1 + f.id % 2), f) FROM facts f;
MOVE 10 FROM scores \g /dev/null
INSERT INTO held SELECT 'turns', pg_temp.held();
MOVE 1000 FROM scores \g /dev/null
INSERT INTO held SELECT 'more turns', pg_temp.held();
CLOSE scores;
SELECT is((SELECT what FROM held WHERE at = 'more turns'), (SELECT what FROM held WHERE at = 'turns'), 'models in turns take no more with time');

SELECT * FROM finish();
ROLLBACK;
