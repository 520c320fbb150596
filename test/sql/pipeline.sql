-- Pipelines: definition, the steps, checks, modes, resuming, what is published.
\set ECHO none
\pset format unaligned
\pset tuples_only on
\set VERBOSITY sqlstate
SET client_min_messages = warning;
SET search_path = public, retailml;
-- a CALL commits, so this is no transaction; everything is dropped at the end
SELECT plan(137);
CREATE SCHEMA pipes;

-- three groups of customers, far apart
CREATE TABLE pipes.customers AS
SELECT id, 'c' || id AS code, (ARRAY[5, 60, 200])[1 + id % 3] + sin(id) AS recency_days, (ARRAY[20, 8, 2])[1 + id % 3] + id % 2 AS frequency,
    ((ARRAY[500, 120, 30])[1 + id % 3] + cos(id) * 5)::numeric(12, 2) AS monetary, (ARRAY['web', 'shop', 'app'])[1 + id % 3] AS channel,
    DATE '2024-01-01' + id % 300 AS signup
FROM generate_series(1, 600) AS id;
CREATE FUNCTION pipes.state(name text, OUT states text) LANGUAGE sql AS $$
    SELECT string_agg(left(s.step, 2) || ':' || s.state, ' ' ORDER BY s.ordinal) FROM pipeline_steps s
    WHERE s.run_id = (SELECT max(run_id) FROM pipeline_runs r WHERE r.pipeline = name) $$;
CREATE FUNCTION pipes.last(name text) RETURNS pipeline_runs LANGUAGE sql AS $$
    SELECT r FROM pipeline_runs r WHERE r.pipeline = name ORDER BY run_id DESC LIMIT 1 $$;
CREATE FUNCTION pipes.found(name text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(check_name || '=' || state, ' ' ORDER BY check_name) FROM pipeline_checks
    WHERE run_id = (pipes.last(name)).run_id AND state <> 'ok' $$;
CREATE FUNCTION pipes.published(name text) RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(concat_ws('|', key, segment, c.name, distance, features, last_update), ',' ORDER BY key)) FROM segments_current c WHERE pipeline = published.name $$;

-- ---- columns of a query
SELECT is(array_agg(concat_ws(' ', name, type, kind) ORDER BY "position")::text,
    '{"id integer number","code text category","monetary numeric(12,2) number","signup date other","b boolean boolean"}', 'columns and kinds of a query')
FROM pipeline_columns('SELECT id, code, monetary, signup, id > 3 AS b FROM pipes.customers WHERE signup < $1 -- a comment');
SELECT throws_ok($$SELECT pipeline_columns('SELECT 1) AS f; DROP TABLE pipes.customers; --')$$, '42601', NULL, 'one query, not several');
SELECT throws_ok($$SELECT pipeline_columns('DELETE FROM pipes.customers RETURNING id')$$, '42601', NULL, 'and one that reads');

-- ---- definitions
SELECT throws_ok($$SELECT pipeline_create('p', 'pipes.customers', 'id', '{"kk": 3}')$$, '22023', 'pipeline_create has no option "kk"', 'an unknown option');
SELECT throws_ok(format('SELECT pipeline_create(''p'', ''pipes.customers'', ''id'', %L)', o), '22023', NULL, 'a bad value: ' || o)
FROM unnest(ARRAY['{"k": 0}', '{"k": 2.5}', '{"mode": "often"}', '{"growth": "much"}', '{"columns": []}', '{"columns": "a"}', '{"k_min": 5, "k_max": 4}',
    '{"fit": {"exclude": ["a"]}}', '{"fit": 1}', '{"names": 3}', '[]', '{"algorithm": "rfm", "names": "loyalty"}']) o;
SELECT throws_ok($$SELECT pipeline_create('p', 'pipes.nothing', 'id')$$, '42P01', NULL, 'a table that is not there');
SELECT throws_ok($$SELECT pipeline_create('p', 'delete from pipes.customers', 'id')$$, '42P01', NULL, 'what is no query');
SELECT throws_ok($$SELECT pipeline_create('p', 'pipes.customers', 'nokey')$$, '42703', 'the features have no column "nokey"', 'no such key');
SELECT throws_ok($$SELECT pipeline_create('p', 'pipes.customers', 'id', '{"columns": ["frequency", "gone"]}')$$, '42703', 'the features have no column "gone"', 'no such feature');
SELECT throws_ok($$SELECT pipeline_create('p', 'pipes.customers', 'id', '{"columns": ["signup"]}')$$, '42804', 'column "signup" is of type date', 'a feature of a type that is none');
SELECT throws_ok($$SELECT pipeline_create('p', 'pipes.customers', 'id', '{"columns": ["channel"], "algorithm": "kmeans"}')$$, '42804', NULL, 'a text for kmeans');
SELECT throws_ok($$SELECT pipeline_create('p', 'SELECT id, signup FROM pipes.customers', 'id')$$, '42703', 'there is no column to make segments of', 'no feature at all');
SELECT throws_ok($$SELECT pipeline_create('p', 'SELECT id, code, code FROM pipes.customers', 'id')$$, '42701', NULL, 'a column twice');
SELECT throws_ok($$SELECT pipeline_create('p', 'SELECT id, frequency FROM pipes.customers', 'id', '{"algorithm": "rfm"}')$$, '42703', NULL, 'rfm without its columns');
SELECT throws_ok($$SELECT pipeline_create(NULL, 'pipes.customers', 'id')$$, '22004', NULL, 'no name');
SELECT throws_ok(format('SELECT pipeline_create(''p'', ''pipes.customers'', ''code'', %L)', o), '22023', m, 'what the fit would refuse: ' || o)
FROM (VALUES ('{"columns": ["frequency"], "fit": {"n_int": 3}}', 'kmeans_fit has no option "n_int"'),
    ('{"columns": ["frequency"], "fit": {"n_init": 0}}', 'option "n_init" of kmeans_fit must be an integer from 1 to 1000'),
    ('{"columns": ["frequency"], "fit": {"gamma": 1}}', 'kmeans_fit has no option "gamma"'),
    ('{"columns": ["frequency", "channel"], "fit": {"n_int": 3}}', 'kprototypes_fit has no option "n_int"'),
    ('{"algorithm": "rfm", "columns": null, "fit": {"n_int": 3}}', 'rfm_fit has no option "n_int"'),
    ('{"columns": ["frequency"], "names": "loyality"}', 'segment_names has no set "loyality"'),
    ('{"columns": ["frequency"], "names": [{"name": "Rich", "when": {"monetary": "high"}}]}', 'rule "Rich": "monetary" is no feature of the model'),
    ('{"algorithm": "rfm", "names": {"Best": "55"}}', NULL)) t (o, m);
SELECT lives_ok(format('SELECT pipeline_create(''good'', ''SELECT *, id > 9 AS late FROM pipes.customers'', ''code'', %L)', o), 'what it takes: ' || o)
FROM unnest(ARRAY['{"names": "purchase", "columns": ["monetary", "frequency"]}', '{"names": "loyalty", "columns": ["monetary", "frequency", "late"]}', '{"names": "generic", "columns": ["channel"]}',
    '{"names": {"set": "purchase", "columns": {"spend": "recency_days", "frequency": "frequency"}}, "columns": ["recency_days", "frequency"]}',
    '{"columns": ["frequency", "channel"], "fit": {"gamma": 1, "init": "random", "impute": "error", "order_by": "frequency"}}',
    '{"columns": ["frequency"], "fit": {"standardize": false, "impute": "skip"}}', '{"algorithm": "rfm", "fit": {"bins": 3}, "names": {"Best": "333"}}']) o;
SELECT pipeline_drop('good') AS void \gset
SELECT is(count(*), 0::bigint, 'nothing of that was kept') FROM pipelines WHERE pipeline = 'p';
CALL pipeline_run('p');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42704', 'a pipeline that is not there cannot run');

SET search_path = pipes, public, retailml;
SELECT pipeline_create('p', 'customers', 'code', '{"retry_delay": 0, "columns": ["recency_days", "frequency", "monetary"]}') AS void \gset
SET search_path = public, retailml;
SELECT is(features, 'SELECT * FROM pipes.customers', 'a table is kept with its schema') FROM pipelines WHERE pipeline = 'p';
SELECT is(options, '{"k": null, "fit": {}, "keep": 12, "mode": "auto", "drift": 0.25, "k_max": 10, "k_min": 2, "names": null, "growth": 0.2, "columns": ["recency_days", "frequency", "monetary"], "retries": 1, "revenue": null, "timeout": 0, "algorithm": null, "retry_delay": 0}', 'options are complete') FROM pipelines WHERE pipeline = 'p';

-- ---- the first run
BEGIN;
CALL pipeline_run('p');
ROLLBACK;
SELECT is(:'LAST_ERROR_SQLSTATE' || ' ' || :'LAST_ERROR_MESSAGE', '2D000 pipeline_run commits its steps and cannot run inside a transaction block', 'not inside a transaction');
SELECT 1 AS void\; CALL pipeline_run('p');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '2D000', '... nor after another statement of the same string');
SELECT throws_ok($$CALL pipeline_run('p')$$, '2D000', 'pipeline_run commits its steps and cannot run inside a transaction block', '... nor in a function');
DO $$BEGIN CALL pipeline_run('p'); EXCEPTION WHEN invalid_transaction_termination THEN RAISE 'caught' USING ERRCODE = 'P0002'; END$$;
SELECT is(:'LAST_ERROR_SQLSTATE'::text, 'P0002', '... nor in a block that catches errors');
SELECT is(count(*), 0::bigint, '... and nothing began') FROM pipeline_runs WHERE pipeline = 'p';
CALL pipeline_run('p', '2025-01-01');
SELECT is(pipes.state('p'), 'ch:success sn:success ch:success fi:success ma:success sc:success pr:success pu:success', 'all steps');
SELECT is(concat_ws(' ', state, mode, k, algorithm, version, refitted, customers, draft IS NULL, finished_at > started_at), 'success elbow 3 kmeans 1 t 600 t t', 'the run') FROM pipes.last('p');
SELECT matches(reason, '^the first run: k = 3 is the elbow of 2 to 10$', 'and its reason') FROM pipes.last('p');
SELECT is(pipes.found('p'), NULL, 'all checks are fine');
SELECT is(count(*), 0::bigint, 'the snapshot is gone') FROM pipeline_rows WHERE pipeline = 'p';
SELECT is(concat_ws(' ', version, status, algorithm, rows, metrics ->> 'clusters', (metrics ->> 'silhouette')::float8 > .9), '1 production kmeans 600 3 t', 'the model is in the registry') FROM models WHERE name = 'p';
SELECT ok(count(*) = 600 AND bool_and(c.segment = kmeans_predict(m, f) AND c.name = predict_label(m, f) AND abs(c.distance - kmeans_distance(m, f)) < 1e-12
        AND c.features = to_jsonb(f) - 'code'), 'segments_current is what the model says, with all columns')
FROM segments_current c JOIN pipes.customers f ON f.code = c.key, (SELECT model_load('p') AS m) m WHERE pipeline = 'p';
SELECT is(count(DISTINCT last_update), 1::bigint, 'of one moment') FROM segments_current WHERE pipeline = 'p';
SELECT ok(count(*) = 600 AND bool_and((c.segment, c.name, c.distance) = (h.segment, h.name, h.distance)) AND min(as_of) = '2025-01-01', 'the history has the same')
FROM segments_current c JOIN segments_history h USING (pipeline, key) WHERE pipeline = 'p';
SELECT is(count(*), 0::bigint, 'nobody moved yet') FROM segment_migration WHERE pipeline = 'p';
SELECT ok(count(*) = 3 AND bool_and(s.customers = w.n AND abs(s.share - w.n / 600.0) < 1e-15 AND abs(s.revenue - w.revenue) < 1e-9
        AND abs(s.revenue_share - w.revenue / w.total) < 1e-12), 'segment_summary counts and adds up')
FROM segment_summary s JOIN (SELECT segment, count(*) AS n, sum((features ->> 'monetary')::numeric) AS revenue, sum(sum((features ->> 'monetary')::numeric)) OVER () AS total
    FROM segments_current WHERE pipeline = 'p' GROUP BY 1) w USING (segment) WHERE pipeline = 'p';
-- segment_profile tells of the rows of the fit, and these are those
SELECT ok(count(*) = 9 AND bool_and(h.name = w.name AND h.customers = w.size AND abs(h.share - w.share) < 1e-12 AND abs(h.mean - w.mean) < 1e-9 AND abs(h.overall_mean - w.overall_mean) < 1e-9
        AND abs(h.z - w.z) < 1e-9), 'segment_profile_history is segment_profile')
FROM segment_profile_history h JOIN segment_profile((SELECT model_load('p'))) w ON w.cluster = h.segment AND w.feature = h.feature WHERE h.pipeline = 'p';
SELECT is((SELECT array_agg((r, f, customers, round(revenue::numeric, 2)) ORDER BY r, f)::text FROM segment_rfm WHERE pipeline = 'p'),
    (SELECT array_agg((r, f, n, revenue) ORDER BY r, f)::text FROM (SELECT (s).r, (s).f, count(*) AS n, sum(monetary) AS revenue
        FROM (SELECT monetary, rfm_score(recency_days, frequency, monetary::float8) OVER () AS s FROM pipes.customers) x GROUP BY 1, 2) y), 'segment_rfm is rfm_score, counted');

-- ---- the second: nothing changed
SELECT pipes.published('p') AS before \gset
CALL pipeline_run('p', '2025-02-01');
SELECT is(concat_ws(' ', state, mode, k, version, refitted), 'success fixed 3 2 t', 'k is kept') FROM pipes.last('p');
SELECT is(reason, '600 customers after 600 (+0.0 %, bound 20.0 %); frequency drifted most since version 1 (PSI 0.000, bound 0.25)', 'because nothing moved') FROM pipes.last('p');
SELECT is(message, '3 of 3 segments continue one of version 1', 'names last') FROM pipeline_steps WHERE run_id = (pipes.last('p')).run_id AND step = 'match';
SELECT is(array_agg(from_name || '>' || to_name || ':' || customers || ':' || share ORDER BY from_name)::text, (SELECT array_agg(name || '>' || name || ':200:1' ORDER BY name)::text FROM segment_summary WHERE pipeline = 'p' AND run_id < (pipes.last('p')).run_id), 'all stay where they were')
FROM segment_migration WHERE pipeline = 'p';
SELECT is(array_agg(version || status ORDER BY version)::text, '{1archived,2production}', 'the new model is in production') FROM models WHERE name = 'p';

-- ---- it grew, it drifted
INSERT INTO pipes.customers SELECT id, 'c' || id, 5 + sin(id), 20, 500, 'web', '2024-01-01' FROM generate_series(601, 800) AS id;
DELETE FROM pipes.customers WHERE id = 1;
CALL pipeline_run('p', '2025-03-01');
SELECT matches(reason, '^799 customers after 600 \(\+33.2 %, bound 20.0 %\): k = 3 is the elbow', 'growth searches k again') FROM pipes.last('p');
SELECT is(array_agg(customers || ':' || share ORDER BY customers)::text, '{1:0.005,199:0.995,200:1,200:1,200:1}', 'new ones and those who left are in the migration')
FROM segment_migration WHERE run_id = (pipes.last('p')).run_id;
SELECT is(array_agg(customers ORDER BY customers)::text, '{1,200}', 'with no segment before or after') FROM segment_migration WHERE run_id = (pipes.last('p')).run_id AND (from_name IS NULL OR to_name IS NULL);
UPDATE pipes.customers SET recency_days = recency_days + 300 WHERE id % 4 = 0;
CALL pipeline_run('p', '2025-04-01');
SELECT matches(concat_ws(' ', mode, reason), '^elbow recency_days drifted most since version 3 \(PSI [0-9.]+, bound 0.25\): k = ', 'so does drift') FROM pipes.last('p');

-- ---- keep
SELECT pipeline_create('p', 'pipes.customers', 'code', '{"retry_delay": 0, "columns": ["recency_days", "frequency", "monetary"], "keep": 2, "mode": "score"}') AS void \gset
CALL pipeline_run('p', '2025-05-01');
SELECT is(concat_ws(' ', state, mode, version, refitted), 'success score 4 f', 'mode score uses the model there is') FROM pipes.last('p');
SELECT is(pipes.state('p'), 'ch:success sn:success ch:success fi:skipped ma:skipped sc:success pr:success pu:success', 'and skips fit and match');
SELECT is((SELECT count(DISTINCT run_id) FROM segments_history WHERE pipeline = 'p') || ' ' || (SELECT count(DISTINCT run_id) FROM segment_profile_history WHERE pipeline = 'p')
    || ' ' || (SELECT count(DISTINCT run_id) FROM segment_summary WHERE pipeline = 'p') || ' ' || (SELECT count(DISTINCT run_id) FROM segment_rfm WHERE pipeline = 'p')
    || ' ' || (SELECT count(DISTINCT run_id) FROM segment_migration WHERE pipeline = 'p'), '2 2 2 2 2', 'two runs are kept');
SELECT is(array_agg(version || status ORDER BY version)::text, '{3archived,4production}', 'and their model, and the one to go back to') FROM models WHERE name = 'p';
SELECT is(count(*), 5::bigint, 'that there were others is not forgotten') FROM pipeline_runs WHERE pipeline = 'p';

-- ---- checks
SELECT pipes.published('p') AS before \gset
CREATE TABLE pipes.bad AS SELECT code, recency_days, frequency, monetary FROM pipes.customers;
SELECT pipeline_create('p', 'pipes.bad', 'code', '{"retry_delay": 0, "k": 3}') AS void \gset
INSERT INTO pipes.bad SELECT * FROM pipes.bad WHERE code IN ('c7', 'c9');
CALL pipeline_run('p', '2025-06-01');
SELECT is(:'LAST_ERROR_SQLSTATE' || ' ' || :'LAST_ERROR_MESSAGE', '22000 pipeline "p": step check failed: 2 rows more than keys: "c7" has 2 rows, "c9" has 2 rows', 'twins are refused, by name');
SELECT is(pipes.found('p') || ' ' || pipes.state('p'), 'duplicate_keys=error ch:failed sn:upstream_failed ch:upstream_failed fi:upstream_failed ma:upstream_failed sc:upstream_failed pr:upstream_failed pu:upstream_failed', 'nothing follows');
SELECT is(concat_ws(' ', (r).state, (r).message, attempts), 'failed step check: 2 rows more than keys: "c7" has 2 rows, "c9" has 2 rows 1', 'it is in the log, and was not tried again')
FROM (SELECT pipes.last('p') AS r) x, pipeline_steps s WHERE s.run_id = (r).run_id AND step = 'check';
SELECT is(pipes.published('p'), :'before', 'and what is published is what it was');
INSERT INTO pipes.bad SELECT b.* FROM pipes.bad b, generate_series(1, 2);
INSERT INTO pipes.bad VALUES (NULL, 1, 1, 1);
SELECT (pipes.last('p')).run_id AS run \gset
CALL pipeline_run('p');
SELECT is(pipes.found('p'), 'duplicate_keys=error multiplied_rows=error null_keys=error', 'multiplied rows, rows without a key');
SELECT is((pipes.last('p')).run_id, :run::bigint, 'the same run, resumed');
TRUNCATE pipes.bad;
CALL pipeline_run('p');
SELECT is(pipes.found('p'), 'rows=error', 'no rows');
INSERT INTO pipes.bad SELECT code, recency_days, frequency, NULL FROM pipes.customers;
CALL pipeline_run('p');
SELECT is(pipes.found('p'), 'null_columns=error', 'a column without a value');
UPDATE pipes.bad b SET monetary = c.monetary FROM pipes.customers c WHERE c.code = b.code;
CALL pipeline_run('p');
SELECT is(concat_ws(' ', r.state, mode, reason, attempts), 'success fixed option k is 3 5', 'mended, the run ends well') FROM pipes.last('p') r JOIN pipeline_steps USING (run_id) WHERE step = 'check';
SELECT isnt(pipes.published('p'), :'before', 'and is published');
INSERT INTO pipes.bad SELECT 'x' || i, 1, 1, 1 FROM generate_series(1, 1000) AS i;
CALL pipeline_run('p', '2025-07-01');
SELECT is(pipes.found('p'), 'multiplied_rows=error', 'more than twice the rows of the last run');
ALTER TABLE pipes.bad RENAME frequency TO visits;
DELETE FROM pipes.bad WHERE code LIKE 'x%';
CALL pipeline_run('p', '2025-08-01');
SELECT is(pipes.found('p') || ' ' || message, 'columns=error gone since the last run: frequency; new since the last run: visits', 'a column that vanished') FROM pipeline_checks WHERE run_id = (pipes.last('p')).run_id AND check_name = 'columns';
SELECT is(array_agg(state ORDER BY run_id)::text, '{success,success,success,success,success,success,abandoned,failed}', 'another as_of gave up the failed run') FROM pipeline_runs WHERE pipeline = 'p';
ALTER TABLE pipes.bad RENAME visits TO frequency;
ALTER TABLE pipes.bad ADD visits int DEFAULT 1, ADD born date;
CALL pipeline_run('p', '2025-08-01');
SELECT is(pipes.found('p') || ' ' || (pipes.last('p')).state, 'columns=warning success', 'a new column is a warning');
SELECT pipeline_create('p', 'SELECT code, recency_days, monetary * 1000 AS monetary FROM pipes.bad', 'code', '{"retry_delay": 0, "k": 2, "fit": {"standardize": false}}') AS void \gset
CALL pipeline_run('p', '2025-09-01');
SELECT is(pipes.found('p') || ' ' || (value > .99), 'variance=warning true', 'a column that outweighs all others') FROM pipeline_checks WHERE run_id = (pipes.last('p')).run_id AND check_name = 'variance';
SELECT matches(reason, 'option k is 2', 'k is what the option says') FROM pipes.last('p');

-- ---- what fails, and going on
CREATE TABLE pipes.written (n int);
CREATE FUNCTION pipes.write() RETURNS int LANGUAGE sql AS 'INSERT INTO pipes.written VALUES (1) RETURNING n';
SELECT pipeline_create('w', 'SELECT code, monetary, pipes.write() AS w FROM pipes.customers', 'code', '{"retry_delay": 0, "k": 2}') AS void \gset
CALL pipeline_run('w');
SELECT is(:'LAST_ERROR_MESSAGE'::text, 'pipeline "w": step check failed: the feature query of pipeline "w" tries to write', 'a query that writes is refused');
SELECT is(count(*), 0::bigint, 'before it has') FROM pipes.written;
SELECT is(count(*), 0::bigint, 'nothing is published') FROM segments_current WHERE pipeline = 'w';
SELECT lives_ok('INSERT INTO pipes.written VALUES (1)', 'the session may write again');
SELECT pipeline_create('w', 'SELECT code, monetary FROM pipes.customers', 'code', '{"retry_delay": 0, "retries": 2, "k": 2}') AS void \gset
UPDATE pipelines SET options = options || '{"fit": {"n_init": -1}}' WHERE pipeline = 'w';
CALL pipeline_run('w', '2025-01-01');
SELECT is(:'LAST_ERROR_MESSAGE'::text, 'pipeline "w": step fit failed: option "n_init" of kmeans_fit must be an integer from 1 to 1000', 'an error of a step');
SELECT is(pipes.state('w') || ' ' || attempts, 'ch:success sn:success ch:success fi:failed ma:upstream_failed sc:upstream_failed pr:upstream_failed pu:upstream_failed 1', 'one that will come again is not tried again')
FROM pipeline_steps WHERE run_id = (pipes.last('w')).run_id AND step = 'fit';
UPDATE pipelines SET options = options || '{"fit": {}}' WHERE pipeline = 'w';
SELECT (pipes.last('w')).run_id AS run, finished_at AS snapped FROM pipeline_steps WHERE run_id = (pipes.last('w')).run_id AND step = 'snapshot' \gset
TRUNCATE pipes.bad;
CALL pipeline_run('w');
SELECT is(concat_ws(' ', (r).state, (r).run_id, (r).as_of = '2025-01-01', finished_at), concat_ws(' ', 'success', :run, true, :'snapped'), 'the next CALL goes on with the snapshot it has')
FROM (SELECT pipes.last('w') AS r) x, pipeline_steps s WHERE s.run_id = (r).run_id AND step = 'snapshot';
-- what fails once and then works
CREATE SEQUENCE pipes.tries;
CREATE FUNCTION pipes.flaky() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    IF pg_sequence_last_value('pipes.tries') IS NULL THEN RAISE EXCEPTION 'not yet' USING ERRCODE = '55P03'; END IF; RETURN 1; END $$;
SELECT pipeline_create('w', 'SELECT code, monetary, pipes.flaky() AS one FROM pipes.customers', 'code', '{"columns": ["monetary"], "retry_delay": 0, "retries": 2, "k": 2}') AS void \gset
CALL pipeline_run('w', '2025-02-01');
SELECT is(:'LAST_ERROR_SQLSTATE' || ' ' || attempts || ' ' || message, '55P03 3 not yet', 'what may pass is tried again') FROM pipeline_steps WHERE run_id = (pipes.last('w')).run_id AND step = 'check';
SELECT nextval('pipes.tries') AS void \gset
CALL pipeline_run('w');
SELECT is((pipes.last('w')).state, 'success', 'and passes');
SELECT pipeline_create('w', 'SELECT code, monetary, pg_sleep(0.01)::text FROM pipes.customers', 'code', '{"columns": ["monetary"], "timeout": 0.3, "retries": 0, "k": 2}') AS void \gset
CALL pipeline_run('w', '2025-03-01');
SELECT is(:'LAST_ERROR_SQLSTATE' || ' ' || (finished_at - started_at < '3 s'), '57014 true', 'a step that takes too long is cancelled') FROM pipeline_steps WHERE run_id = (pipes.last('w')).run_id AND step = 'check';
SELECT is(concat_ws(' ', state, message), 'failed step check: canceling statement due to statement timeout', 'and logged') FROM pipes.last('w');
SELECT lives_ok('SELECT pg_sleep(0.5)', 'the alarm is off');
SELECT throws_ok(format('SELECT pipeline_alarm(%L)', x), '22023', 'pipeline_alarm: seconds must be finite, 0 or more', x) FROM unnest('{Infinity,-Infinity,NaN,-1}'::text[]) x;
SELECT lives_ok('SELECT pipeline_alarm(1e300), pg_sleep(0.1), pipeline_alarm(0)', 'an alarm as far away as can be');

-- ---- modes that need something
SELECT pipeline_create('e', 'SELECT code, monetary FROM pipes.customers', 'code', '{"mode": "score"}') AS void \gset
CALL pipeline_run('e');
SELECT is(:'LAST_ERROR_SQLSTATE' || ' ' || :'LAST_ERROR_MESSAGE', '55000 pipeline "e": step choose failed: pipeline "e" has no model to score with', 'score without a model');
SELECT pipeline_create('e', 'SELECT code, monetary FROM pipes.customers', 'code', '{"mode": "fixed"}') AS void \gset
CALL pipeline_run('e');
SELECT is(:'LAST_ERROR_MESSAGE'::text, 'pipeline "e": step choose failed: mode fixed needs k', 'fixed without k');

-- ---- fewer customers that differ than segments
CREATE TABLE pipes.few (id int, a float8, b text);
INSERT INTO pipes.few SELECT i, 7, 'x' FROM generate_series(1, 9) AS i;
SELECT pipeline_create('e', 'SELECT id, a FROM pipes.few', 'id') AS void \gset
CALL pipeline_run('e', '2025-01-01');
SELECT is(:'LAST_ERROR_SQLSTATE' || ' ' || :'LAST_ERROR_MESSAGE', '22000 pipeline "e": step choose failed: only 1 distinct row, segments need 2', 'all the same');
SELECT pipeline_create('e', 'SELECT id, a, b FROM pipes.few', 'id', '{"k_min": 3}') AS void \gset
UPDATE pipes.few SET b = 'y' WHERE id = 1;
CALL pipeline_run('e', '2025-01-01');
SELECT is(:'LAST_ERROR_MESSAGE'::text, 'pipeline "e": step choose failed: only 2 distinct rows, segments need 3', 'fewer than k_min');
SELECT pipeline_create('e', 'SELECT id, a FROM pipes.few', 'id') AS void \gset
UPDATE pipes.few SET a = NULL WHERE id = 1;
CALL pipeline_run('e', '2025-01-01');
SELECT is(:'LAST_ERROR_MESSAGE'::text, 'pipeline "e": step choose failed: only 1 distinct row, segments need 2', 'what is missing is replaced by their mean');
SELECT pipeline_create('e', 'SELECT id, a, CASE WHEN id = 1 THEN 2 END AS c FROM pipes.few', 'id', '{"fit": {"impute": "skip"}}') AS void \gset
CALL pipeline_run('e', '2025-01-01');
SELECT is(:'LAST_ERROR_MESSAGE'::text, 'pipeline "e": step choose failed: only 0 distinct rows, segments need 2', 'or left out, everyone');
UPDATE pipes.few SET a = id % 2;
SELECT pipeline_create('e', 'SELECT id, a FROM pipes.few', 'id') AS void \gset
CALL pipeline_run('e', '2025-01-01');
SELECT is(concat_ws(' ', state, k), 'success 2', 'two are enough') FROM pipes.last('e');

-- ---- other algorithms
SELECT pipeline_create('t', 'SELECT code, monetary, nullif(channel, ''app'') AS channel, signup FROM pipes.customers', 'code', '{"names": [{"name": "Rich", "when": {"monetary": "high"}}, {"name": "Rest"}], "k": 2}') AS void \gset
CALL pipeline_run('t', '2025-01-01');
SELECT is(concat_ws(' ', state, algorithm, k), 'success kprototypes 2', 'a text makes it kprototypes') FROM pipes.last('t');
SELECT is(array_agg(DISTINCT name ORDER BY name)::text, '{Rest,Rich}', 'names by rules') FROM segments_current WHERE pipeline = 't';
SELECT ok(count(*) = 6 AND bool_and(h.customers = w.size AND abs(h.mean - w.mean) < 1e-12 AND abs(h.overall_mean - w.overall_mean) < 1e-12 AND abs(h.z - w.z) < 1e-9),
    'categories have their share in the profile') FROM segment_profile_history h
JOIN segment_profile((SELECT model_load('t'))) w ON w.cluster = h.segment AND w.feature = h.feature AND w.category = h.category WHERE pipeline = 't' AND h.category IS NOT NULL;
SELECT pipeline_create('t', 'SELECT code, monetary, channel FROM pipes.customers', 'code', '{"k_max": 5}') AS void \gset
CALL pipeline_run('t', '2025-02-01');
SELECT matches(reason, '^channel drifted most since version 1 \(PSI [0-9.]+, bound 0.25\): k = [2-5] is the elbow of 2 to 5$', 'new texts are drift') FROM pipes.last('t');
SELECT pipeline_create('t', 'SELECT code, monetary, frequency, channel FROM pipes.customers', 'code', '{"k_max": 5}') AS void \gset
CALL pipeline_run('t', '2025-03-01');
SELECT matches(reason, '^version 2 was made of other features or by another algorithm: k = [2-5] is the elbow of 2 to 5$', 'other features are') FROM pipes.last('t');
SELECT pipeline_create('t', 'SELECT code AS "the ""key""", recency_days AS recency, frequency, monetary, monetary * 2 AS "Turn''over" FROM pipes.customers', 'the "key"', '{"algorithm": "rfm", "revenue": "Turn''over", "names": {"Best": "555"}}') AS void \gset
CALL pipeline_run('t', '2025-04-01');
SELECT is(concat_ws(' ', state, mode, reason, algorithm, k), 'success fixed rfm has no k rfm', 'rfm, and names that need quotes') FROM pipes.last('t');
SELECT ok(count(*) = 799 AND bool_and(c.name = (rfm_score(m, f.recency_days, f.frequency, f.monetary::float8)).segment) AND count(distance) = 0 AND count(DISTINCT segment) = count(DISTINCT name),
    'the segments are those of rfm_score') FROM segments_current c JOIN pipes.customers f ON f.code = c.key, (SELECT model_load('t') AS m) m WHERE pipeline = 't';
SELECT ok(abs(sum(revenue) - (SELECT 2 * sum(monetary) FROM pipes.customers)) < 1e-6, 'revenue is what the option says') FROM segment_summary WHERE run_id = (pipes.last('t')).run_id;
SELECT is(message, 'rfm has fixed names', 'nothing to match') FROM pipeline_steps WHERE run_id = (pipes.last('t')).run_id AND step = 'match';

-- ---- missing values
SELECT pipeline_create('n', 'SELECT code, CASE WHEN id > 10 THEN monetary END AS monetary, CASE WHEN id % 50 > 0 THEN frequency ELSE ''NaN''::float8 END AS frequency FROM pipes.customers', 'code',
    '{"k": 3, "fit": {"impute": "skip"}}') AS void \gset
CALL pipeline_run('n', '2025-01-01');
SELECT is(concat_ws(' ', (SELECT (r).state || ' ' || (r).customers FROM (SELECT pipes.last('n') AS r) x), count(*) FILTER (WHERE segment IS NULL), count(name)), 'success 799 25 774', 'who cannot be scored has no segment') FROM segments_current WHERE pipeline = 'n';
SELECT is(sum(customers)::int || ' ' || count(*) FILTER (WHERE name IS NULL), '799 1', 'and is counted') FROM segment_summary WHERE pipeline = 'n';
SELECT pipeline_create('n', 'SELECT code, CASE WHEN id > 10 THEN monetary ELSE ''Infinity'' END AS monetary FROM pipes.customers', 'code', '{"k": 3}') AS void \gset
CALL pipeline_run('n', '2025-02-01');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '22003', 'infinity is an error');

-- ---- the order of rows does not matter
CREATE TABLE pipes.shuffled AS SELECT * FROM pipes.customers ORDER BY md5(code);
SELECT pipeline_create('a', 'SELECT code, recency_days, frequency, monetary FROM pipes.customers', 'code') AS void \gset
SELECT pipeline_create('b', 'SELECT code, recency_days, frequency, monetary FROM pipes.shuffled', 'code') AS void \gset
CALL pipeline_run('a', '2025-01-01');
CALL pipeline_run('b', '2025-01-01');
SELECT is((SELECT md5(model) FROM models WHERE name = 'b'), (SELECT md5(model) FROM models WHERE name = 'a'), 'the model is the same');
SELECT is((SELECT array_agg((segment, feature, mean, overall_mean, z) ORDER BY segment, feature)::text FROM segment_profile_history WHERE pipeline = 'b'),
    (SELECT array_agg((segment, feature, mean, overall_mean, z) ORDER BY segment, feature)::text FROM segment_profile_history WHERE pipeline = 'a'), 'so is the profile, to the last bit');
SELECT is((SELECT array_agg((segment, revenue, revenue_share) ORDER BY segment)::text FROM segment_summary WHERE pipeline = 'b'),
    (SELECT array_agg((segment, revenue, revenue_share) ORDER BY segment)::text FROM segment_summary WHERE pipeline = 'a'), 'and the revenue');

-- ---- schedule, drop
SELECT throws_ok($$SELECT pipeline_schedule('p', '0 3 1 * *')$$, '55000', 'the extension pg_cron is not in this database', 'a schedule needs pg_cron');
SELECT is(pipeline_unschedule('p'), false, 'nothing to unschedule');
SELECT throws_ok($$SELECT pipeline_drop('none')$$, '42704', 'there is no pipeline "none"', 'nothing to drop');
SELECT count(pipeline_drop(pipeline)) AS void FROM (SELECT pipeline FROM pipelines) p \gset
SELECT is((SELECT count(*) FROM pipelines) + (SELECT count(*) FROM pipeline_runs) + (SELECT count(*) FROM pipeline_steps) + (SELECT count(*) FROM pipeline_checks)
    + (SELECT count(*) FROM pipeline_rows) + (SELECT count(*) FROM segments_current) + (SELECT count(*) FROM segments_history) + (SELECT count(*) FROM segment_profile_history)
    + (SELECT count(*) FROM segment_migration) + (SELECT count(*) FROM segment_summary) + (SELECT count(*) FROM segment_rfm), 0::bigint, 'pipeline_drop leaves nothing');
SELECT ok(count(*) > 3, 'but the models') FROM models WHERE name IN ('p', 'w', 'e', 't', 'n', 'a', 'b');
SELECT count(model_drop(name)) AS void FROM model_names WHERE name IN ('p', 'w', 'e', 't', 'n', 'a', 'b') \gset
SELECT * FROM finish();
DROP SCHEMA pipes CASCADE;
