\set ECHO none
\pset format unaligned
\t on
-- The views after real runs of a pipeline, which commit.
SET client_min_messages = warning;
SET search_path = public, retailml;

SELECT plan(14);

CREATE TABLE live (id int, recency_days float8, frequency int, monetary float8);
INSERT INTO live
SELECT i, s * 100 + i % 10, 20 - s * 6 + i % 3, 900 - 250 * s + i % 50 FROM generate_series(1, 300) i, LATERAL (SELECT i % 3 AS s) t;
SELECT pipeline_create('live', 'live', 'id', '{"k": 3, "retries": 0}');
CALL pipeline_run('live', '2025-01-01');
SELECT is((SELECT sum(customers)::int FROM bi_segments WHERE pipeline = 'live'), 300, 'a run fills bi_segments');
SELECT is((SELECT sum(revenue) FROM bi_segments WHERE pipeline = 'live'), (SELECT sum(monetary) FROM live), '... with the revenue');
SELECT is((SELECT sum(revenue) FROM bi_segment_members WHERE pipeline = 'live'), (SELECT sum(monetary) FROM live), '... and so do the members');
SELECT is((SELECT count(*) FROM bi_segment_movers), 0::bigint, 'nobody has moved in a first run');
SELECT is((SELECT count(*) FROM bi_segment_migration), 0::bigint, '... or migrated');

-- ten move to the segment of the others with s = 2, ten are gone, twenty are new
UPDATE live SET recency_days = 205, frequency = 9, monetary = 420 WHERE id <= 30 AND id % 3 = 0;
DELETE FROM live WHERE id > 290;
INSERT INTO live SELECT 1000 + i, 100 + i % 10, 15, 650 FROM generate_series(1, 20) i;
CALL pipeline_run('live', '2025-02-01');
SELECT results_eq($$SELECT CASE WHEN from_name = '(new)' OR to_name = '(gone)' THEN from_name || to_name <> '' ELSE NULL END, count(*)::int
    FROM bi_segment_movers GROUP BY from_name = '(new)', to_name = '(gone)', 1 ORDER BY from_name = '(new)', to_name = '(gone)'$$,
    'VALUES (NULL::boolean, 10), (true, 10), (true, 20)', 'the second run says who moved, is gone, is new');
SELECT results_eq($$SELECT from_name, to_name, count(*) FROM bi_segment_movers GROUP BY 1, 2 ORDER BY 1, 2$$,
    $$SELECT from_name, to_name, customers FROM bi_segment_migration WHERE moved ORDER BY 1, 2$$, '... as many as migrated');
SELECT is_empty($$SELECT FROM bi_segment_movers m JOIN bi_segment_members s USING (pipeline, key) WHERE m.to_name <> s.name$$,
    '... to where they are');
SELECT results_eq($$SELECT as_of::date, sum(customers)::int FROM bi_segment_trend WHERE pipeline = 'live' GROUP BY 1 ORDER BY 1$$,
    $$VALUES (date '2025-01-01', 300), ('2025-02-01', 310)$$, 'both runs are in the trend');
SELECT is((SELECT sum(customers)::int FROM bi_rfm_heatmap WHERE pipeline = 'live'), 310, 'the heat map is that of the second');
SELECT results_eq($$SELECT state, count(*) FROM bi_pipeline_runs JOIN bi_pipeline_steps USING (pipeline, run_id, state) WHERE pipeline = 'live' AND state = 'success' GROUP BY 1$$,
    $$SELECT 'success', count(*) FROM pipeline_steps WHERE pipeline = 'live' AND state = 'success'$$, 'runs and steps are there');

CREATE ROLE live_reader;
CALL grant_reader('live_reader');
SET ROLE live_reader;
\set VERBOSITY sqlstate
CALL pipeline_run('live');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42704', 'a reader runs no pipeline');
\set VERBOSITY default
SELECT is((SELECT sum(customers)::int FROM bi_segments WHERE pipeline = 'live'), 310, '... whose segments it reads');
RESET ROLE;
CALL revoke_reader('live_reader');
DROP ROLE live_reader;

SELECT pipeline_drop('live');
SELECT is((SELECT count(*) FROM segment_movers WHERE pipeline = 'live'), 0::bigint, 'what moved is dropped with the pipeline');
SELECT * FROM finish();

SELECT model_drop('live');
DROP TABLE live;
