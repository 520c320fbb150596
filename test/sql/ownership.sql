-- Whose a model and a pipeline is: names that somebody else took, roles that do not inherit, what may not be forged.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
\set VERBOSITY sqlstate
SELECT plan(43);

CREATE ROLE own_ann;
CREATE ROLE own_mallory;
CREATE ROLE own_team;
CREATE ROLE own_group IN ROLE own_team;
CREATE SCHEMA own;
GRANT USAGE ON SCHEMA own TO PUBLIC;
CREATE TABLE own.facts AS SELECT i AS id, i % 7 AS a, i % 3 AS b FROM generate_series(1, 60) i;
CREATE TABLE own.fits AS SELECT kmeans_fit(f, 2) AS model FROM (SELECT a, b FROM own.facts) f;
GRANT SELECT ON own.facts, own.fits TO PUBLIC;

-- the answer of a statement of a role, or the error with detail and hint
CREATE FUNCTION own.by(caller name, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text; message text; detail text; hint text;
BEGIN
    PERFORM set_config('role', caller, true);
    EXECUTE call INTO answer;
    PERFORM set_config('role', 'none', true);
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE FUNCTION own.save(caller name, what text, metrics jsonb DEFAULT NULL) RETURNS text LANGUAGE sql AS
    $$ SELECT own.by(caller, format('SELECT model_save(%L, model, %L) FROM own.fits', what, metrics)) $$;

-- ---- a name that somebody else took
SELECT is(own.save('own_mallory', 'monthly'), '1', 'whoever comes first has a name');
SELECT is(own.save('none', 'monthly'),
    format('42501 | the name "monthly" is taken by a model of role "own_mallory" | What is saved under that name belongs to that role, and "%s" is no member of it; to be a superuser does not count. | Choose another name, or do it as that role.', current_user),
    'a superuser does not hand over a model');
SELECT is(own.by('none', $$SELECT pipeline_create('monthly', 'own.facts', 'id', '{"k": 2}')$$) ~ '^42501 . the name "monthly" is taken by a model of role "own_mallory"', true,
    'nor makes a pipeline that would');
SELECT pipeline_create('late', 'own.facts', 'id', '{"k": 2, "retries": 0}') AS void \gset
SELECT is(own.save('own_mallory', 'late'), '1', 'a name that is taken after the pipeline was made');
CALL pipeline_run('late', '2025-01-01');
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42501', 'fails the run');
SELECT pipeline_create('scored', 'own.facts', 'id', '{"mode": "score", "retries": 0}') AS void \gset
SELECT is(own.save('own_mallory', 'scored'), '1', 'also where nothing is fitted:');
CALL pipeline_run('scored', '2025-01-01');
SELECT is(:'LAST_ERROR_SQLSTATE' || (SELECT count(*) FROM segments_current), '425010', 'a stranger''s model is not used');
SELECT is((SELECT string_agg(name || last_version, ' ' ORDER BY name COLLATE "C") FROM model_names), 'late1 monthly1 scored1', 'which saves nothing');
SELECT is(own.save('own_group', 'shared') || own.by('own_group', $$UPDATE model_names SET owner = 'own_team' WHERE name = 'shared' RETURNING owner$$), '1own_team', 'a model of a group');
SELECT alike(own.save('none', 'shared'), '42501 |%', 'a superuser who is no member of it does not save it');
GRANT own_group TO CURRENT_USER;
SELECT is(own.save('none', 'shared'), '2', 'one who is a member, by way of another role, does');
REVOKE own_group FROM CURRENT_USER;
SELECT is(own.by('own_mallory', $$SELECT model_drop('monthly')$$) || own.save('none', 'monthly'), '1', 'a name that is free again');

-- ---- roles that do not inherit
CREATE ROLE own_noinherit NOINHERIT IN ROLE own_ann;
SELECT is(own.save('own_ann', 'ann'), '1', 'a model of ann');
SELECT is(own.by('own_ann', $$SELECT pipeline_create('ann', 'own.facts', 'id', '{"k": 2}')$$), '', 'and a pipeline');
SELECT is(own.by('own_noinherit', call), '0', call) FROM unnest(ARRAY['SELECT count(*) FROM models', 'SELECT count(*) FROM pipelines',
    $$WITH x AS (UPDATE pipelines SET features = 'SELECT 1' RETURNING 1) SELECT count(*) FROM x$$,
    $$WITH x AS (UPDATE model_names SET owner = 'own_noinherit' RETURNING 1) SELECT count(*) FROM x$$]) call;
SELECT alike(own.save('own_noinherit', 'ann'), '42501 |%', 'nor does it save as ann');
SELECT is(own.by('own_ann', 'SELECT count(*) FROM pipelines'), '1', 'as SET ROLE allows');

-- ---- a number that float8 cannot hold is no matter of others
SELECT is(own.save('own_mallory', 'bad', m::jsonb), '22003 | metric "auc" of model "bad" is out of range | It does not fit into a float8.', m || ' is no metric')
FROM unnest(ARRAY['{"k": 2, "auc": 1e400}', '{"auc": -1e309}']) m;
SELECT is(own.save('own_mallory', 'bad', '{"a": 1.7976931348623157e308, "b": 0, "c": 1e-400, "d": 5e-324, "e": [1e400], "f": -2.5}'), '1', 'what fits is');
SELECT is(own.by('own_mallory', $$UPDATE models SET metrics = metrics || '{"g": 1e400, "h": "1e400"}' WHERE name = 'bad' RETURNING metrics ->> 'h'$$), '1e400', 'it can be written all the same');
SELECT is(string_agg(concat_ws('=', metric, value), ' ' ORDER BY metric), 'a=1.7976931348623157e+308 b=0 c=0 d=5e-324 f=-2.5 g', 'the view has NULL for it') FROM bi_model_metrics;
SELECT is(own.by('own_mallory', $$SELECT pipeline_create('bad', 'own.facts', 'id', '{"k": 2}')$$)
    || own.by('own_mallory', $$INSERT INTO segments_current VALUES ('bad', '1', 1, 'x', 0, '{"monetary": 1e400}', now()), ('bad', '2', 1, 'x', 0, '{"monetary": 12.5}', now()) RETURNING 'in'$$), 'in', 'a feature of that kind');
SELECT is(string_agg(concat_ws('=', key, revenue), ' ' ORDER BY key), '1 2=12.5', 'does not stop a dashboard') FROM bi_segment_members;
SELECT is(own.by('own_mallory', $$INSERT INTO pipeline_runs (pipeline, as_of, started_at, finished_at) VALUES ('bad', now(), '4700-01-01 00:00+00 BC', '294270-01-01 00:00+00'),
        ('bad', now(), now(), 'infinity'), ('bad', now(), '2025-01-01', '2025-01-01 00:00:01.5') RETURNING 'in'$$), 'in', 'a run that took forever');
SELECT is(string_agg(seconds::text, ' ' ORDER BY seconds), '1.5 9434550384000 Infinity', 'neither') FROM bi_pipeline_runs WHERE pipeline = 'bad';

-- ---- who saved a model, and when
SELECT is(own.save('own_mallory', 'forged'), '1', 'a model of her own');
SELECT alike(own.by('own_mallory', format($$INSERT INTO models (name, version, model, algorithm, %s RETURNING 1$$, f)), '42501 |%', 'another maker: ' || f)
FROM unnest(ARRAY[$$created_by) VALUES ('forged', 2, '\x00', 'boost', 'postgres')$$, $$created_at) VALUES ('forged', 2, '\x00', 'boost', '2020-01-01')$$]) f;
SELECT is(own.by('own_mallory', format($$UPDATE models SET %s WHERE name = 'forged' RETURNING 1$$, f)), '42501 | permission denied for table models', 'nor later: ' || f)
FROM unnest(ARRAY[$$created_by = 'postgres'$$, $$created_at = '2020-01-01'$$]) f;
SELECT is(own.by('own_mallory', $$INSERT INTO models (name, version, model, algorithm) VALUES ('forged', 2, '\x00', 'boost') RETURNING created_by$$), 'own_mallory', 'plain SQL may save');

-- ---- a job of pg_cron stays with its role
SELECT is(own.by('own_ann', $$UPDATE pipelines SET schedule = '0 3 * * *', job_id = 7 WHERE pipeline = 'ann' RETURNING 1$$), '1', 'a schedule, as a dump brings it');
SELECT is(own.by('none', format('UPDATE pipelines SET %s WHERE pipeline = ''ann'' RETURNING 1', what)),
    '55000 | pipeline "ann" has a schedule | Its job runs as role "own_ann", and by that name. | First pipeline_unschedule(''ann''), as that role; without such a role or job set schedule and job_id to NULL as well.', what)
FROM unnest(ARRAY['owner = ''own_mallory''', 'pipeline = ''annie''']) what;
SELECT is(own.by('own_ann', 'SELECT pipeline_unschedule(''ann'')') || own.by('none', $$UPDATE pipelines SET owner = 'own_mallory' WHERE pipeline = 'ann' RETURNING owner$$), 'falseown_mallory', 'without a schedule it changes hands');

-- ---- what a pipeline published goes with it, whoever deletes it and how
SELECT pipeline_create('gone', 'SELECT id, a, b, id::int * 2 AS monetary FROM own.facts WHERE id < 60 - extract(month FROM $1)', 'id', '{"k": 3, "columns": ["a", "b"], "retries": 0}') AS void \gset
CALL pipeline_run('gone', '2025-01-01');
CALL pipeline_run('gone', '2025-02-01');
INSERT INTO segment_rfm SELECT pipeline, run_id, as_of, 1, 1, 1, 1 FROM pipeline_runs WHERE pipeline = 'gone';
-- rows of a pipeline in each table but the one that is empty after a run
CREATE FUNCTION own.left_of(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    tab regclass; n bigint; answer text := '';
BEGIN
    FOR tab IN SELECT a.attrelid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attname = 'pipeline' AND c.relkind = 'r'
        AND c.relnamespace = 'retailml'::regnamespace AND c.relname NOT IN ('pipelines', 'pipeline_rows') ORDER BY c.relname COLLATE "C" LOOP
        EXECUTE format('SELECT count(*) FROM %s WHERE pipeline = $1', tab) INTO n USING name;
        answer := concat_ws(' ', nullif(answer, ''), tab || '=' || least(n, 1));
    END LOOP;
    RETURN answer;
END $$;
SELECT is(own.left_of('gone'), 'pipeline_checks=1 pipeline_runs=1 pipeline_steps=1 segment_migration=1 segment_movers=1 segment_profile_history=1 segment_rfm=1 segment_summary=1 segments_current=1 segments_history=1', 'there is something in every table');
DELETE FROM pipelines WHERE pipeline = 'gone';
SELECT is(own.left_of('gone'), 'pipeline_checks=0 pipeline_runs=0 pipeline_steps=0 segment_migration=0 segment_movers=0 segment_profile_history=0 segment_rfm=0 segment_summary=0 segments_current=0 segments_history=0', 'and in none');
SELECT is(own.by('own_mallory', $$SELECT pipeline_create('gone', 'own.facts', 'id', '{"k": 2}')$$)
    || own.by('own_mallory', $$SELECT (SELECT count(*) FROM segments_current WHERE pipeline <> 'bad') + (SELECT count(*) FROM segments_history) + (SELECT count(*) FROM segment_summary)$$), '0', 'a stranger sees none');
SELECT is(own.by('own_mallory', $$INSERT INTO segments_current VALUES ('nobody''s', 'x', 1, 'x', 0, '{}', now()) RETURNING 1$$), '42501 | new row violates row-level security policy for table "segments_current"', 'rows without a pipeline are refused');

DELETE FROM pipelines;
DELETE FROM pipeline_rows;
DELETE FROM model_names;
SELECT * FROM finish();
DROP SCHEMA own CASCADE;
DROP ROLE own_noinherit, own_ann, own_mallory, own_group, own_team;
