-- Pipelines among roles that do not trust each other, and sessions with settings of their own.
\set ECHO none
\pset format unaligned
\pset tuples_only on
\set VERBOSITY sqlstate
SET client_min_messages = warning;
SET search_path = public, retailml;
-- a CALL commits, so this is no transaction; everything is dropped at the end
SELECT plan(7);
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
DELETE FROM pipelines WHERE pipeline = 'eve';
RESET ROLE;
SELECT is((SELECT count(*) FROM pipeline_rows WHERE pipeline = 'eve' AND run_id <= (SELECT max(run_id) FROM pipeline_runs)), 0::bigint, 'and go with their run');

-- ---- the end
SELECT count(pipeline_drop(pipeline)) AS void FROM (SELECT pipeline FROM pipelines WHERE owner = current_user) p \gset
SELECT count(model_drop(name)) AS void FROM model_names WHERE name IN ('root', 'eve') \gset
SELECT * FROM finish();
DROP SCHEMA safe CASCADE;
DELETE FROM pipelines WHERE owner LIKE 'rml%';
DROP OWNED BY rml_ann, rml_eve;
DROP ROLE rml_ann, rml_eve;
