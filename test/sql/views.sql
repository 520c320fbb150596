\set ECHO none
\pset format unaligned
\t on
-- Rights and outputs do not depend on a search_path: everything of retailml is written in full.
SET client_min_messages = warning;
SET TimeZone = 'UTC';

BEGIN;
SELECT plan(93);

-- ---- what a pipeline would have published: 600 customers, runs 1 to 4, of which 3 was repeated as 4

CREATE ROLE bi_maker;
CREATE ROLE bi_reader;
CREATE ROLE bi_analyst;
CREATE ROLE bi_other;
GRANT USAGE ON SCHEMA retailml TO bi_maker, bi_analyst, bi_other;

INSERT INTO retailml.pipelines (pipeline, owner, features, key, options) VALUES
    ('customers', 'bi_maker', 'public.features', 'customer_id', '{}'),
    ('young', 'bi_maker', 'public.features', 'customer_id', '{}');
INSERT INTO retailml.pipeline_runs (run_id, pipeline, as_of, state, mode, reason, k, algorithm, version, refitted, customers, columns,
    started_at, finished_at, message) OVERRIDING SYSTEM VALUE
SELECT i, CASE WHEN i = 9 THEN 'young' ELSE 'customers' END, make_date(2025, least(i, 3), 1), CASE WHEN i = 5 THEN 'failed' ELSE 'success' END, 'fixed', 'nothing changed', 3,
    'kmeans', 1, i = 1, 600, '[]', timestamptz '2025-01-01' + i * interval '1 hour', timestamptz '2025-01-01 00:01:30' + i * interval '1 hour',
    CASE WHEN i = 5 THEN 'no rows' END
FROM unnest('{1,2,3,4,5,9}'::int[]) i;
INSERT INTO retailml.pipeline_steps (run_id, pipeline, ordinal, step, state, attempts, started_at, finished_at, rows)
SELECT 4, 'customers', n, step, 'success', 1, timestamptz '2025-01-01', timestamptz '2025-01-01 00:00:02', 600
FROM unnest('{check,snapshot,choose,fit,match,score,profile,publish}'::text[]) WITH ORDINALITY AS s (step, n);
INSERT INTO retailml.pipeline_checks VALUES (4, 'customers', 'rows', 'ok', 600, 1, NULL),
    (4, 'customers', 'columns', 'warning', 1, 0, 'a new column "basket"');

-- customers 1 .. 590 in run 1, 11 .. 600 in the last: every eighth moves one segment on, customer 600 is in none
INSERT INTO retailml.segments_history (pipeline, run_id, as_of, key, segment, name, distance)
SELECT 'customers', run, make_date(2025, least(run, 3)::int, 1), i::text, nullif(s, 0), (ARRAY['Insiders', 'Need Attention', 'Loyal Customers'])[s], i / 600.0
FROM generate_series(1, 4) run,
    LATERAL generate_series(CASE WHEN run = 4 THEN 11 ELSE 1 END, CASE WHEN run = 4 THEN 600 ELSE 590 END) i,
    LATERAL (SELECT CASE WHEN i = 600 THEN 0 ELSE 1 + (i + CASE WHEN i % 8 = 0 AND run = 4 THEN 2 ELSE 0 END) % 3 END AS s) t;
INSERT INTO retailml.segments_current (pipeline, key, segment, name, distance, features, last_update)
SELECT pipeline, key, segment, name, distance, jsonb_build_object('recency_days', key::int % 90, 'frequency', key::int % 7, 'monetary', key::int * 2.5),
    timestamptz '2025-03-02'
FROM retailml.segments_history WHERE run_id = 4;
INSERT INTO retailml.segments_current VALUES ('young', '1', 1, 'All', 0, '{"x": 1}', '2025-03-03');
INSERT INTO retailml.segment_summary (pipeline, run_id, as_of, segment, name, customers, share, revenue, revenue_share)
SELECT pipeline, run_id, as_of, segment, name, count(*), count(*) / 590.0, sum(key::int * 2.5),
    sum(key::int) / sum(sum(key::int)) OVER (PARTITION BY run_id)
FROM retailml.segments_history GROUP BY pipeline, run_id, as_of, segment, name;
INSERT INTO retailml.segment_summary VALUES ('young', 9, '2025-01-01', 1, 'All', 1, 1, NULL, NULL);
INSERT INTO retailml.segment_profile_history (pipeline, run_id, as_of, segment, name, customers, share, feature, category, mean, overall_mean, z)
SELECT pipeline, run_id, as_of, segment, name, customers, share, feature, category, run_id * 10, 5, segment - 2
FROM retailml.segment_summary, (VALUES ('monetary', NULL), ('country', 'DE'), ('country', 'FR')) f (feature, category)
WHERE pipeline = 'customers' AND segment IS NOT NULL;
INSERT INTO retailml.segment_migration (pipeline, run_id, previous_run_id, as_of, from_name, to_name, customers, share)
SELECT 'customers', run, least(run - 1, 2), make_date(2025, least(run, 3)::int, 1), b.name, c.name, count(*), count(*) / sum(count(*)) OVER (PARTITION BY run, b.name)
FROM (SELECT run, key, coalesce(name, '(none)') AS name FROM generate_series(2, 4) AS run JOIN retailml.segments_history ON run_id = least(run - 1, 2)) b
FULL JOIN (SELECT run_id AS run, key, coalesce(name, '(none)') AS name FROM retailml.segments_history WHERE run_id > 1) c USING (run, key)
GROUP BY run, b.name, c.name;
INSERT INTO retailml.segment_rfm (pipeline, run_id, as_of, r, f, customers, revenue)
SELECT 'customers', run, make_date(2025, least(run, 3)::int, 1), r, f, 24, run * r * f FROM generate_series(1, 4) run, generate_series(1, 5) r, generate_series(1, 5) f;
SELECT is(retailml.pipeline_movers('customers', 4, 2),
    (SELECT sum(customers)::bigint FROM retailml.segment_migration WHERE run_id = 4 AND from_name IS DISTINCT FROM to_name),
    'pipeline_movers writes as many as migrate');
SELECT is(retailml.pipeline_movers('young', 9, NULL), 0::bigint, 'a first run has no movers');

CREATE TABLE rows AS SELECT i % 10 AS a, i % 7 AS b FROM generate_series(1, 100) i;
GRANT SELECT ON rows TO bi_maker;
SET ROLE bi_maker;
DO $$BEGIN
    PERFORM retailml.model_save('customers', (SELECT retailml.kmeans_fit(r, 3) FROM rows r), '{"silhouette": 0.5, "method": "kmeans", "k": 3}');
    PERFORM retailml.model_save('customers', (SELECT retailml.kmeans_fit(r, 4) FROM rows r), NULL, 'without metrics');
END$$;
RESET ROLE;

-- ---- rows

SELECT results_eq($$SELECT segment, name, customers, revenue, as_of, last_update FROM retailml.bi_segments WHERE pipeline = 'customers' ORDER BY segment$$,
    $$SELECT segment, coalesce(name, '(none)'), count(*), sum(key::int * 2.5)::float8, timestamptz '2025-03-01', timestamptz '2025-03-02'
      FROM retailml.segments_current WHERE pipeline = 'customers' GROUP BY 1, 2 ORDER BY 1$$, 'bi_segments is the last run');
SELECT is((SELECT sum(revenue_share) FROM retailml.bi_segments WHERE pipeline = 'customers')::numeric(9, 6), 1.0, '... with all of the revenue');
SELECT results_eq($$SELECT name, customers, revenue FROM retailml.bi_segments WHERE pipeline = 'young'$$, $$VALUES ('All', 1::bigint, NULL::float8)$$,
    '... of every pipeline, with the number of its own last run');
SELECT results_eq($$SELECT count(*), count(DISTINCT key), count(*) FILTER (WHERE name = '(none)') FROM retailml.bi_segment_members WHERE pipeline = 'customers'$$,
    'VALUES (590::bigint, 590::bigint, 1::bigint)', 'bi_segment_members has every customer, those without a segment in (none)');
SELECT results_eq($$SELECT DISTINCT mean, as_of FROM retailml.bi_segment_profile$$, $$VALUES (40::float8, timestamptz '2025-03-01')$$,
    'bi_segment_profile is the last run');
SELECT is((SELECT count(*) FROM retailml.bi_segment_profile WHERE pipeline = 'customers'), 9::bigint, '... a row per segment, feature and category');
SELECT results_eq($$SELECT as_of, sum(customers)::int FROM retailml.bi_segment_trend WHERE pipeline = 'customers' GROUP BY 1 ORDER BY 1$$,
    $$VALUES (timestamptz '2025-01-01', 590), ('2025-02-01', 590), ('2025-03-01', 590)$$,
    'bi_segment_trend counts a moment once, though two runs describe it');
SELECT is((SELECT count(*) FROM retailml.bi_segment_trend WHERE pipeline = 'customers' AND as_of = '2025-03-01' AND name = '(none)'), 1::bigint,
    '... and takes the later one');
SELECT results_eq($$SELECT from_name, to_name, sum(customers)::bigint FROM retailml.bi_segment_migration GROUP BY 1, 2 ORDER BY 1, 2$$,
    $$SELECT coalesce(b.name, '(new)'), coalesce(c.name, '(gone)'), count(*)
      FROM (SELECT key, name FROM retailml.segments_history WHERE run_id = 2) b
      FULL JOIN (SELECT key, coalesce(name, '(none)') AS name FROM retailml.segments_history WHERE run_id = 4) c USING (key) GROUP BY 1, 2 ORDER BY 1, 2$$,
    'bi_segment_migration is what the history says of the last run and the month before');
SELECT is_empty('SELECT source FROM retailml.bi_segment_migration INTERSECT SELECT target FROM retailml.bi_segment_migration',
    '... source and target are never the same');
SELECT is_empty('SELECT FROM retailml.bi_segment_migration WHERE moved <> (from_name <> to_name)', '... moved tells who stayed');
SELECT set_eq($$SELECT pipeline, key, from_name, to_name FROM retailml.bi_segment_movers$$,
    $$SELECT 'customers', key, coalesce(b.name, '(new)') AS before, coalesce(c.name, '(gone)') AS now
      FROM (SELECT key, name FROM retailml.segments_history WHERE run_id = 2) b
      FULL JOIN (SELECT key, coalesce(name, '(none)') AS name FROM retailml.segments_history WHERE run_id = 4) c USING (key)
      WHERE b.name IS DISTINCT FROM c.name$$, 'bi_segment_movers are those customers');
SELECT is_empty($$SELECT FROM retailml.bi_segment_movers m LEFT JOIN retailml.segments_current c USING (pipeline, key)
    WHERE m.features IS DISTINCT FROM c.features OR (m.to_name = '(gone)') <> (c.key IS NULL)$$, '... with their features, unless they are gone');
SELECT results_eq('SELECT count(*), sum(customers), max(revenue) FROM retailml.bi_rfm_heatmap', 'VALUES (25::bigint, 600::numeric, 100::float8)',
    'bi_rfm_heatmap is the last run');
SELECT results_eq('SELECT name, version, status, algorithm, rows FROM retailml.bi_model_quality ORDER BY version',
    $$VALUES ('customers', 1, 'production', 'kmeans', 100::bigint), ('customers', 2, 'staging', 'kmeans', 100::bigint)$$,
    'bi_model_quality lists versions');
SELECT results_eq('SELECT version, metric, value FROM retailml.bi_model_metrics ORDER BY metric', $$VALUES (1, 'k', 3::float8), (1, 'silhouette', 0.5)$$,
    'bi_model_metrics has the numbers, and no row for what is none');
SELECT results_eq($$SELECT run_id, state, seconds, message FROM retailml.bi_pipeline_runs WHERE pipeline = 'customers' ORDER BY run_id DESC LIMIT 2$$,
    $$VALUES (5::bigint, 'failed', 90::float8, 'no rows'), (4, 'success', 90, NULL)$$, 'bi_pipeline_runs has runs that failed');
SELECT results_eq('SELECT ordinal, step, seconds FROM retailml.bi_pipeline_steps ORDER BY ordinal LIMIT 2',
    $$VALUES (1, 'check', 2::float8), (2, 'snapshot', 2)$$, 'bi_pipeline_steps has steps');
SELECT results_eq($$SELECT check_name, message FROM retailml.bi_pipeline_checks WHERE state <> 'ok'$$, $$VALUES ('columns', 'a new column "basket"')$$,
    'bi_pipeline_checks has warnings');

-- ---- revenue is whatever the pipeline says it is

SELECT is_empty($$SELECT FROM retailml.bi_segment_members WHERE pipeline = 'customers' AND revenue IS DISTINCT FROM key::int * 2.5$$, 'revenue is monetary by default');
SELECT results_eq($$SELECT revenue FROM retailml.bi_segment_members WHERE pipeline = 'young'$$, 'VALUES (NULL::float8)', '... and NULL without one');
UPDATE retailml.pipelines SET options = '{"revenue": "x"}' WHERE pipeline = 'young';
SELECT results_eq($$SELECT revenue FROM retailml.bi_segment_members WHERE pipeline = 'young'$$, 'VALUES (1::float8)', '... or what the option revenue names');
UPDATE retailml.segments_current SET features = '{"x": "much"}' WHERE pipeline = 'young';
SELECT results_eq($$SELECT revenue FROM retailml.bi_segment_members WHERE pipeline = 'young'$$, 'VALUES (NULL::float8)', '... and NULL where that is a text');
SELECT is_empty($$SELECT FROM retailml.bi_segment_movers WHERE revenue IS DISTINCT FROM (features ->> 'monetary')::float8$$, 'movers have it too');

-- ---- types that tools draw, and texts they show

CREATE TEMP VIEW bi_columns AS
SELECT c.oid, c.relname, a.attnum, a.attname, a.atttypid::regtype AS type FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'retailml'::regnamespace AND c.relkind = 'v' AND c.relname ^@ 'bi_' AND a.attnum > 0;
SELECT is_empty($$SELECT relname, attname, type FROM bi_columns
    WHERE type <> ALL ('{int,bigint,float8,text,boolean,timestamptz,jsonb}'::regtype[])$$, 'columns have types that every tool knows');
SELECT is_empty($$SELECT relname, attname FROM bi_columns WHERE coalesce(col_description(oid, attnum), '') = ''$$, 'every column has a comment');
SELECT is_empty($$SELECT relname FROM bi_columns WHERE coalesce(obj_description(oid, 'pg_class'), '') = ''$$, 'every view has a comment');
SELECT is_empty($$SELECT relname FROM bi_columns GROUP BY relname
    HAVING (relname !~ '_model_' AND NOT bool_or(attname = 'pipeline' AND attnum = 1))$$, 'pipeline comes first');

-- ---- indexes serve what is large

CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    result text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        result := result || line || E'\n';
    END LOOP;
    RETURN result;
END$$;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT matches(pg_temp.plan_of($$SELECT * FROM retailml.bi_segment_members WHERE pipeline = 'customers' AND name = 'Loyal' ORDER BY distance LIMIT 9$$),
    '^Limit\n(  InitPlan[^\n]*\n(    [^\n]*\n)+)?  ->  Nested Loop Left Join\n[^\n]*\n        ->  Index Scan using segments_current_name on segments_current c\n *Index Cond: [^\n]*Loyal', 'the members of a segment come from the index, in its order');
SELECT matches(pg_temp.plan_of($$SELECT * FROM retailml.bi_segment_members WHERE pipeline = 'customers' AND key = '11'$$),
    'Index Cond: \(\(pipeline = ''customers''::text\) AND \(key = ''11''::text\)\)', 'so does one customer');
SELECT matches(pg_temp.plan_of($$SELECT key FROM retailml.bi_segment_movers WHERE pipeline = 'customers' AND from_name = 'Loyal' AND to_name = '(gone)'$$),
    '^Index Scan using segment_movers_names on segment_movers m\n  Index Cond: [^\n]*pipeline[^\n]*Loyal[^\n]*gone', 'so do movers, and features are not looked up for nothing');
RESET enable_seqscan;
RESET enable_bitmapscan;

-- ---- the reader: these views and nothing else

CALL retailml.grant_reader('bi_reader');
CALL retailml.grant_reader('bi_reader');
SELECT set_eq($$SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'retailml'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'S')
      AND EXISTS (SELECT FROM aclexplode(c.relacl) WHERE grantee = 'bi_reader'::regrole)$$,
    'SELECT DISTINCT relname::text FROM bi_columns', 'grant_reader gives the bi_ views and no other relation');
SELECT is_empty($$SELECT c.relname, privilege_type FROM pg_class c, aclexplode(c.relacl) WHERE grantee = 'bi_reader'::regrole AND (privilege_type <> 'SELECT' OR is_grantable)$$,
    '... and only SELECT');
SELECT results_eq($$SELECT privilege_type, is_grantable FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'retailml' AND grantee = 'bi_reader'::regrole$$,
    $$VALUES ('USAGE', false)$$, '... and USAGE on the schema');
SELECT is(has_schema_privilege('bi_reader', 'retailml', 'CREATE'), false, '... and not CREATE');

-- what a role sees of a relation: its rows, or the SQLSTATE
CREATE FUNCTION pg_temp.outcome(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE command;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END$$;
GRANT SELECT ON bi_columns TO PUBLIC;
SET ROLE bi_reader;
SELECT is_empty($$SELECT DISTINCT relname FROM bi_columns WHERE pg_temp.outcome('SELECT FROM retailml.' || relname || ' LIMIT 1') <> '1'$$, 'the reader reads every view');
SELECT is((SELECT count(DISTINCT pipeline) FROM retailml.bi_segments), 2::bigint, '... of pipelines that others own');
SELECT is_empty($$SELECT c.relname, pg_temp.outcome('SELECT FROM retailml.' || c.relname) FROM pg_class c
    WHERE c.relnamespace = 'retailml'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname !~ '^bi_'
      AND pg_temp.outcome('SELECT FROM retailml.' || c.relname) NOT IN ('0', '42501')$$, '... and no row of a table behind them');
SELECT ok(count(*) >= 13, '... of which there are some') FROM pg_class WHERE relnamespace = 'retailml'::regnamespace AND relkind = 'r';
SELECT is_empty($$SELECT c.relname, what FROM pg_class c, (VALUES ('DELETE FROM retailml.%I'), ('UPDATE retailml.%1$I SET %2$I = %2$I')) v (what)
    WHERE c.relnamespace = 'retailml'::regnamespace AND c.relkind = 'r'
      AND pg_temp.outcome(format(what, c.relname, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = 1))) NOT IN ('0', '42501', '428C9')$$,
    '... changes and deletes none');
SELECT is(pg_temp.outcome('TRUNCATE retailml.segments_current'), '42501', '... cannot empty a table');
SELECT is(pg_temp.outcome('DELETE FROM retailml.bi_model_quality'), '42501', '... nor go through a view');
SELECT is(pg_temp.outcome($$SELECT retailml.model_load('customers')$$), '42704', 'the reader loads no model');
SELECT is(pg_temp.outcome($$SELECT retailml.model_promote('customers', 2)$$), '42704', '... promotes none');
SELECT is(pg_temp.outcome($$SELECT retailml.model_rollback('customers')$$), '42704', '... rolls none back');
SELECT is(pg_temp.outcome($$SELECT retailml.model_archive('customers', 2)$$), '42704', '... archives none');
SELECT is(pg_temp.outcome($$SELECT retailml.model_drop('customers')$$), '42704', '... drops none');
SELECT is(pg_temp.outcome($$SELECT retailml.model_grant('customers', 'bi_reader')$$), '42704', '... lets nobody in');
SELECT is(pg_temp.outcome($$SELECT retailml.model_save('customers', (SELECT retailml.kmeans_fit(r, 2) FROM (VALUES (1, 1), (2, 5), (3, 3)) r))$$), '42501', '... replaces none');
SELECT is(pg_temp.outcome($$SELECT retailml.model_save('mine', (SELECT retailml.kmeans_fit(r, 2) FROM (VALUES (1, 1), (2, 5), (3, 3)) r))$$), '42501', '... and makes none');
SELECT is(pg_temp.outcome($$INSERT INTO retailml.pipelines (pipeline, features, key, options) VALUES ('mine', 'x', 'y', '{}')$$), '42501', '... nor a pipeline');
SELECT is(pg_temp.outcome($$SELECT retailml.pipeline_create('mine', 'SELECT 1 AS id, 2 AS a', 'id')$$), '42501', '... not through pipeline_create either');
SELECT is(pg_temp.outcome($$SELECT retailml.pipeline_create('customers', 'SELECT 1 AS id, 2 AS a', 'id')$$), '42501', '... replaces none');
SELECT throws_ok(command, '42501', 'role "bi_reader" is a reader, and readers make no models or pipelines', '... and is told so')
FROM unnest(ARRAY[$$SELECT retailml.pipeline_create('mine', 'SELECT 1 AS id, 2 AS a', 'id')$$, $$SELECT retailml.model_save('mine', (SELECT retailml.kmeans_fit(r, 2) FROM (VALUES (1, 1), (2, 5), (3, 3)) r))$$]) command;
SELECT is(pg_temp.outcome($$SELECT retailml.pipeline_drop('customers')$$), '42704', '... drops none');
SELECT is(pg_temp.outcome($$INSERT INTO retailml.segments_current VALUES ('customers', 'x', 1, 'x', 0, '{}', now())$$), '42501', '... nor a customer');
SELECT is(retailml.pipeline_movers('customers', 4, 2), 0::bigint, '... nor movers');
SELECT is((SELECT count(*) > 0 FROM retailml.bi_segment_movers), true, '... which are still there');
SELECT is(pg_temp.outcome($$CALL retailml.grant_reader('bi_analyst')$$), '42501', '... nor readers');
RESET ROLE;

-- ---- the questions of docs/bi.md, asked by the reader

\set page `cat "$PG_ABS_SRCDIR/../docs/bi.md"`
CREATE TEMP TABLE question AS
SELECT n, replace(m[1], '''segments''', '''customers''') AS query FROM regexp_matches(:'page', '\*\*\d\. [^\n]*?\n\n```sql\n(.*?);\n```', 'g') WITH ORDINALITY AS t (m, n);
-- the pipelines and names that the questions and the comments speak of, and whether the tutorial has them
\set tutorial `cat "$PG_ABS_SRCDIR/../docs/tutorial-monthly.md"`
CREATE TEMP TABLE examples AS
SELECT DISTINCT place, m[1] AS name, position('| ' || m[1] || ' ' IN :'tutorial') > 0 OR position(format('pipeline_create(%L', m[1]) IN :'tutorial') > 0 AS there
FROM (SELECT 'page', :'page' UNION SELECT relname::text, obj_description(oid, 'pg_class') FROM bi_columns) t (place, text),
    LATERAL regexp_matches(text, '(?:name|pipeline) = ''([^'']+)''', 'g') m;
GRANT SELECT ON question, examples TO bi_reader;
SET ROLE bi_reader;
SELECT is(count(*), 8::bigint, 'docs/bi.md has eight questions') FROM question;
SELECT set_eq($$SELECT name FROM examples WHERE place = 'page'$$, $$VALUES ('Insiders'), ('Loyal Customers'), ('segments')$$, '... about the pipeline of the tutorial');
SELECT is_empty($$SELECT place, name FROM examples WHERE NOT there$$, '... whose segments have these names, as in the comments of the views');
SELECT matches(pg_temp.outcome(query), '^[1-9]\d{0,2}$', 'question ' || n || ' has an answer: ' || substring(query from 'retailml\.(\w+)')) FROM question ORDER BY n;
RESET ROLE;

-- ---- who else

GRANT bi_reader TO bi_analyst;
SET ROLE bi_analyst;
SELECT is((SELECT count(*) FROM retailml.bi_segments), 5::bigint, 'a member of the reader reads');
SELECT is(pg_temp.outcome($$SELECT retailml.model_save('mine', (SELECT retailml.kmeans_fit(r, 2) FROM (VALUES (1, 1), (2, 5), (3, 3)) r))$$), '1', '... and keeps the right to make models');
SELECT is(pg_temp.outcome($$INSERT INTO retailml.pipelines (pipeline, features, key, options) VALUES ('mine', 'x', 'y', '{}')$$), '1', '... and pipelines');
RESET ROLE;
SET ROLE bi_maker;
SELECT set_eq('SELECT DISTINCT pipeline, name FROM retailml.bi_segments', 'SELECT pipeline, coalesce(name, $$(none)$$) FROM retailml.segments_current', 'who owns pipelines reads the views');
SELECT is_empty($$SELECT DISTINCT relname FROM bi_columns WHERE pg_temp.outcome('SELECT FROM retailml.' || relname || ' LIMIT 1') <> '1'$$, '... every one');
RESET ROLE;
UPDATE retailml.pipelines SET owner = 'bi_analyst' WHERE pipeline = 'young';
SET ROLE bi_maker;
SELECT results_eq('SELECT pipeline, count(*) FROM retailml.bi_segment_members GROUP BY 1', $$VALUES ('customers', 590::bigint)$$, '... and no pipeline of another role');
SELECT results_eq('SELECT name, count(*) FROM retailml.bi_model_quality GROUP BY 1', $$VALUES ('customers', 2::bigint)$$, '... nor a model');
RESET ROLE;
SET ROLE bi_other;
SELECT is_empty($$SELECT DISTINCT relname FROM bi_columns WHERE pg_temp.outcome('SELECT FROM retailml.' || relname) <> '0'$$, 'who owns nothing sees nothing');
-- cheap enough to be asked before everything else
CREATE FUNCTION pg_temp.peek(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE 'seen'; END$$;
SELECT is_empty($$SELECT DISTINCT relname FROM bi_columns WHERE pg_temp.outcome('SELECT FROM retailml.' || relname || ' v WHERE pg_temp.peek(v)') <> '0'$$,
    '... not with a function in the query either');
SELECT throws_ok($$CALL retailml.grant_reader('bi_reader')$$, '42501', 'only who installed retailml decides who reads its views', 'only who installed it makes readers');
SELECT throws_ok($$CALL retailml.revoke_reader('bi_reader')$$, '42501', 'only who installed retailml decides who reads its views', '... and unmakes them');
RESET ROLE;
SELECT throws_ok($$CALL retailml.grant_reader('bi_maker')$$, '55000', 'role "bi_maker" owns models or pipelines', 'who makes models is no reader');
SELECT throws_ok($$CALL retailml.grant_reader('bi_nobody')$$, '42704', 'role "bi_nobody" does not exist', 'a reader is a role');
SELECT throws_ok($$CALL retailml.grant_reader('public')$$, '42704', 'role "public" does not exist', 'public is none');
SELECT throws_ok($$CALL retailml.grant_reader(NULL)$$, '42704', NULL, 'nor is NULL');
CREATE ROLE "Odd ""name";
SELECT lives_ok($$CALL retailml.grant_reader('Odd "name')$$, 'names are quoted');
SELECT is(has_table_privilege('Odd "name', 'retailml.bi_segments', 'SELECT'), true, '... and meant');

CALL retailml.revoke_reader('bi_reader');
SET ROLE bi_reader;
SELECT is_empty($$SELECT c.relname FROM pg_class c, aclexplode(c.relacl) WHERE c.relnamespace = 'retailml'::regnamespace AND grantee = 'bi_reader'::regrole$$, 'revoke_reader takes the views');
SELECT is_empty($$SELECT FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'retailml' AND grantee = 'bi_reader'::regrole$$, '... and the schema');
RESET ROLE;
GRANT USAGE ON SCHEMA retailml TO bi_reader;
SET ROLE bi_reader;
SELECT is_empty($$SELECT DISTINCT relname FROM bi_columns WHERE pg_temp.outcome('SELECT FROM retailml.' || relname) <> '0'$$, '... so that it sees nothing with the schema back');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
