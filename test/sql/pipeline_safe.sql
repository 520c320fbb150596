-- Pipelines among roles that do not trust each other, and sessions with settings of their own.
\set ECHO none
\pset format unaligned
\pset tuples_only on
\set VERBOSITY sqlstate
SET client_min_messages = warning;
SET search_path = public, retailml;
-- a CALL commits, so this is no transaction; everything is dropped at the end
SELECT plan(20);
CREATE SCHEMA safe;
CREATE TABLE safe.customers AS
SELECT id, (ARRAY[5, 60, 200])[1 + id % 3] + sin(id) AS recency, (ARRAY[20, 8, 2])[1 + id % 3] + id % 2 AS visits FROM generate_series(1, 60) AS id;
CREATE ROLE rml_ann;
CREATE ROLE rml_eve;
GRANT USAGE, CREATE ON SCHEMA safe TO rml_ann, rml_eve;
GRANT SELECT ON safe.customers TO rml_ann, rml_eve;
CREATE FUNCTION safe.last(name text) RETURNS pipeline_runs LANGUAGE sql AS $$
    SELECT r FROM pipeline_runs r WHERE r.pipeline = name ORDER BY run_id DESC LIMIT 1 $$;

-- ---- rows for somebody else's run. The superuser bypasses row-level security, so rights alone do not keep them out
SELECT pipeline_create('root', 'SELECT id, recency, visits FROM safe.customers', 'id', '{"k": 3, "retries": 0}') AS void \gset
SET ROLE rml_eve;
SELECT pipeline_create('eve', 'SELECT id, recency, visits FROM safe.customers', 'id', '{"k": 2, "retries": 0}') AS void \gset
CALL pipeline_run('eve', '2025-01-01');
INSERT INTO pipeline_rows (run_id, pipeline, key, features)
SELECT run_id + next, 'eve', 'evil ' || i, '{"recency": 1e6, "visits": 1e6}' FROM safe.last('eve'), generate_series(1, 9) AS next, generate_series(1, 99) AS i;
INSERT INTO pipeline_rows (run_id, pipeline, key, features) SELECT run_id + next, 'eve', '1', '{}' FROM safe.last('eve'), generate_series(1, 9) AS next;
SELECT throws_ok($$INSERT INTO pipeline_runs (pipeline, run_id, as_of) SELECT 'eve', run_id + 1, now() FROM safe.last('eve')$$, '428C9', NULL, 'numbers of runs are given');
INSERT INTO pipeline_runs (pipeline, run_id, as_of, state) OVERRIDING SYSTEM VALUE SELECT 'eve', run_id + next, now(), 'success' FROM safe.last('eve'), generate_series(1, 9) AS next;
RESET ROLE;
CALL pipeline_run('root', '2025-01-01');
SELECT is(concat_ws(' ', state, customers, message), 'success 60', 'a run is not stopped by rows of another role with its number') FROM safe.last('root');
SELECT is(string_agg(DISTINCT pipeline, ',') || ' ' || sum(customers) || ' ' || count(*), 'root 60 3', 'nor does it count them') FROM segment_summary WHERE run_id = (safe.last('root')).run_id;
SELECT is(rows, 60::bigint, 'nor is its model made of them') FROM models WHERE name = 'root';
SELECT is(string_agg(DISTINCT pipeline, ','), 'root', 'nor are they published') FROM segments_history WHERE run_id = (safe.last('root')).run_id;
SELECT is((SELECT count(*) FROM pipeline_rows WHERE pipeline = 'eve' AND features <> '{}'), 891::bigint, 'they are where they were');
SET ROLE rml_eve;
DELETE FROM pipeline_runs WHERE pipeline = 'eve';
RESET ROLE;
SELECT is((SELECT count(*) FROM pipeline_rows WHERE pipeline = 'eve' AND run_id <= (SELECT max(run_id) FROM pipeline_runs WHERE pipeline <> 'eve')), 0::bigint, 'and go with their run');

-- ---- operators, functions and types of the usual names, found first
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.spy(name) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked by %', $1; END $$;
DO $do$
DECLARE
    x text;
BEGIN
    FOREACH x IN ARRAY '{=(text text),=(bigint bigint),=(oid regclass),=(name name),<>(text text),<(bigint bigint),<(int8 int4),>(int4 int4),>(int8 int4),>(float8 int4),>=(timestamptz timestamptz),
            ->>(jsonb text),->>(jsonb jsonb),->(jsonb text),->(jsonb jsonb),||(text text),||(jsonb jsonb),-(jsonb text),-(jsonb jsonb),~*(text text),!~*(text text),!~(text text),*(float8 interval)}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION hostile.%I(%s, %s) RETURNS boolean LANGUAGE sql AS $$ SELECT hostile.spy(%L) $$',
            'op ' || x, substring(x, '\((.*) '), substring(x, ' (.*)\)'), x);
        EXECUTE format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = hostile.%I)',
            substring(x, '^(.*)\('), substring(x, '\((.*) '), substring(x, ' (.*)\)'), 'op ' || x);
    END LOOP;
    FOREACH x IN ARRAY '{format(text text),format(text text text),format(text text text text),to_jsonb(record),to_jsonb(anyelement),set_config(text text boolean),concat(text text),num_nulls(text text),
            pg_sleep(float8),now(),clock_timestamp(),to_regclass(text),regexp_replace(text text text),jsonb_build_object(text text),jsonb_array_elements(jsonb),var_pop(float8),jsonb_agg(jsonb),string_agg(text text),count(float8),count(text),count(anyelement)}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION hostile.%s RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN hostile.spy(%L)::int; END $$', replace(x, ' ', ', '), x);
    END LOOP;
    FOREACH x IN ARRAY '{text,jsonb,float8,regclass,timestamptz,record}'::text[] LOOP
        EXECUTE format('CREATE DOMAIN hostile.%I AS int CHECK (hostile.spy(%1$L))', x);
    END LOOP;
END
$do$;
CREATE TABLE safe.twins AS SELECT * FROM safe.customers UNION ALL SELECT * FROM safe.customers WHERE id < 4;
SET search_path = hostile, pg_catalog, safe, retailml;
SELECT pipeline_create('path', 'customers', 'id', '{"k": 3, "retries": 1, "retry_delay": 0, "fit": {"standardize": false}}') \gset
CALL pipeline_run('path', '2025-01-01');
SELECT pipeline_create('twins', 'twins', 'id', '{"k": 3, "retries": 1, "retry_delay": 0}') \gset
CALL pipeline_run('twins', '2025-01-01');
SET search_path = public, retailml;
SELECT is(string_agg(p.pipeline || ': ' || concat_ws(' ', (safe.last(p.pipeline)).state, (safe.last(p.pipeline)).message), '; ' ORDER BY p.pipeline),
    'path: success; twins: failed step check: 3 rows more than keys: "1" has 2 rows, "2" has 2 rows, "3" has 2 rows', 'none of them is called')
FROM (VALUES ('path'), ('twins')) AS p (pipeline);
SELECT is(array_agg(p.proname::text ORDER BY p.proname)::text,
    '{pipeline_count,pipeline_create,pipeline_relation,pipeline_run,pipeline_run_attempt,pipeline_run_step,pipeline_shape,pipeline_step,pipeline_step_check,pipeline_step_snapshot}',
    'these have the search_path of who calls, and should be looked at twice')
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'retailml'::regnamespace AND p.proname LIKE 'pipeline%' AND l.lanname <> 'c' AND NOT p.proconfig::text ~ 'search_path' IS TRUE;
DROP SCHEMA hostile CASCADE;

-- ---- errors of every kind are the step's, and leave no lock
CREATE FUNCTION safe.locks() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() $$;
CREATE FUNCTION safe.assert() RETURNS int LANGUAGE plpgsql AS $$ BEGIN ASSERT false, 'not today'; RETURN 1; END $$;
SELECT pipeline_create('err', 'SELECT id, recency, visits, safe.assert() AS one FROM safe.customers', 'id', '{"k": 3, "retries": 1, "retry_delay": 0}') AS void \gset
CALL pipeline_run('err', '2025-01-01');
SELECT is(concat_ws(' ', :'LAST_ERROR_SQLSTATE', state, message, safe.locks()), 'P0004 failed step check: not today 0', 'an assertion') FROM safe.last('err');
CREATE TABLE safe.once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION safe.twice() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('transaction_read_only') = 'off' THEN INSERT INTO safe.once VALUES (1), (1); END IF; RETURN 1; END $$;
SELECT pipeline_create('err', 'SELECT id, recency, visits, safe.twice() AS one FROM safe.customers', 'id', '{"k": 3, "retries": 1, "retry_delay": 0}') AS void \gset
CALL pipeline_run('err', '2025-01-01');
SELECT is(concat_ws(' ', :'LAST_ERROR_SQLSTATE', state, message, safe.locks()),
    '23505 failed step snapshot: duplicate key value violates unique constraint "once_n_key" 0', 'a constraint that is checked at COMMIT') FROM safe.last('err');
CREATE FUNCTION safe.no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
CREATE TRIGGER no BEFORE UPDATE ON pipeline_steps FOR EACH ROW WHEN (new.step = 'fit' AND new.state = 'running') EXECUTE FUNCTION safe.no();
SELECT pipeline_create('err', 'SELECT id, recency, visits FROM safe.customers', 'id', '{"k": 3}') AS void \gset
CALL pipeline_run('err', '2025-01-01');
SELECT is(concat_ws(' ', :'LAST_ERROR_MESSAGE', state, safe.locks()), 'no running 0', 'an error between two steps, as when it is cancelled there, leaves no lock either') FROM safe.last('err');
DROP TRIGGER no ON pipeline_steps;
UPDATE pipelines SET options = '{"k": 3}' WHERE pipeline = 'err';
CALL pipeline_run('err', '2025-01-01');
SELECT is(concat_ws(' ', state, safe.locks()), 'success 0', 'options by hand need not be complete') FROM safe.last('err');

-- ---- models that somebody else saved
SELECT model_save('own', (SELECT kmeans_fit(f, 2) FROM (SELECT recency, visits FROM safe.customers) f), NULL, 'by hand') AS void \gset
SELECT pipeline_create('own', 'SELECT id, recency, visits FROM safe.customers', 'id', '{"mode": "score", "keep": 1}') AS void \gset
CALL pipeline_run('own', '2025-01-01');
SELECT pipeline_create('own', 'SELECT id, recency, visits FROM safe.customers', 'id', '{"mode": "fixed", "k": 3, "keep": 1}') AS void \gset
CALL pipeline_run('own', '2025-02-01');
CALL pipeline_run('own', '2025-03-01');
CALL pipeline_run('own', '2025-04-01');
SELECT is(string_agg(version || status, ' ' ORDER BY version), '1archived 3archived 4production', 'stay; of those of the pipeline the one to go back to does') FROM models WHERE name = 'own';
SELECT is(model_rollback('own'), 3, 'and one can');

-- ---- how a session writes dates and numbers
CREATE VIEW safe.typed AS SELECT DATE '2024-01-01' + id AS day, recency / 3 AS a, id * INTERVAL '1 day 2 hours' AS gap, int4send(id) AS bytes FROM safe.customers;
SELECT pipeline_create('text', 'safe.typed', 'day', '{"k": 3}') AS void \gset
CALL pipeline_run('text', '2025-01-01');
CREATE TABLE safe.before AS SELECT key, features FROM segments_current WHERE pipeline = 'text';
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'iso_8601';
SET extra_float_digits = -10;
SET bytea_output = 'escape';
CALL pipeline_run('text', '2025-02-01');
RESET datestyle;
RESET intervalstyle;
RESET extra_float_digits;
RESET bytea_output;
SELECT is((SELECT count(*) FROM segments_current c JOIN safe.before b ON b.key = c.key AND b.features = c.features WHERE c.pipeline = 'text'), 60::bigint, 'is not in keys and features');
SELECT is(count(DISTINCT (segment, mean, overall_mean, z)), 3::bigint, 'nor in what is found of them') FROM segment_profile_history WHERE pipeline = 'text';

-- ---- many categories
CREATE VIEW safe.texts AS SELECT id, id % 7 AS a, 'customer ' || id AS email FROM generate_series(1, 1001) AS id;
SELECT pipeline_create('many', 'safe.texts', 'id', '{"k": 2}') AS void \gset
-- the hint names options that a pipeline has
\set VERBOSITY default
\set SHOW_CONTEXT never
CALL pipeline_run('many', '2025-01-01');
\set VERBOSITY sqlstate
SELECT is(state || ' ' || message, 'failed step fit: kprototypes_fit: column "email" has more than 1000 categories', 'a column with more than 1000 is refused') FROM safe.last('many');
SELECT pipeline_create('many', 'safe.texts', 'id', '{"k": 2, "fit": {"max_categories": 2000, "n_init": 1}}') AS void \gset
CALL pipeline_run('many', '2025-01-01');
SELECT is(state, 'success', 'unless the fit is told otherwise') FROM safe.last('many');
CALL pipeline_run('many', '2025-02-01');
SELECT is(state, 'success', 'the next as well') FROM safe.last('many');

-- ---- the end
SET ROLE rml_eve;
SELECT pipeline_drop('eve') AS void \gset
RESET ROLE;
SELECT count(pipeline_drop(pipeline)) AS void FROM (SELECT pipeline FROM pipelines WHERE owner = current_user) p \gset
SELECT count(model_drop(name)) AS void FROM model_names WHERE name IN ('root', 'eve', 'path', 'err', 'own', 'text', 'many') \gset
SELECT * FROM finish();
DROP SCHEMA safe CASCADE;
DROP OWNED BY rml_ann, rml_eve;
DROP ROLE rml_ann, rml_eve;
