-- Models by name and version: saving, loading, promotion, and who may do what.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(73);

CREATE ROLE reg_ann;
CREATE ROLE reg_bob;
CREATE ROLE reg_team;
CREATE ROLE reg_member IN ROLE reg_team;
CREATE TABLE facts AS SELECT i AS a, i % 7 AS b FROM generate_series(1, 60) i;
CREATE TABLE fits AS SELECT k, kmeans_fit(f, k) AS model FROM facts f, generate_series(2, 6) k GROUP BY k;
GRANT SELECT ON facts, fits TO PUBLIC;

-- the answer of a call made by a role, or the error with detail and hint
CREATE FUNCTION pg_temp.by(caller name, call text) RETURNS text LANGUAGE plpgsql AS $$
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
CREATE FUNCTION pg_temp.save(caller name, what text, k int) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.by(caller, format('SELECT model_save(%L, model) FROM fits WHERE k = %s', what, k)) $$;
-- "version status" of all versions
CREATE FUNCTION pg_temp.state(what text) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(version || ' ' || status, ', ' ORDER BY version) FROM models WHERE name = what $$;

-- volatile, to see what was done earlier in the same statement
CREATE FUNCTION pg_temp.readers(what text) RETURNS text LANGUAGE sql AS
    $$ SELECT readers::text FROM model_names WHERE name = what $$;

-- ---- saving and loading
SELECT is(pg_temp.save('reg_ann', 'segments', 2), '1', 'the first version is 1');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_save('segments', model, '{"inertia": 4.5}', 'second try') FROM fits WHERE k = 3$$), '2', 'the next 2');
SELECT is(pg_temp.state('segments'), '1 production, 2 staging', 'the first goes to production, later ones wait');
SELECT is(model_load('segments'), (SELECT model FROM fits WHERE k = 2), 'model_load gives the production version');
SELECT is(model_load('segments', 2), (SELECT model FROM fits WHERE k = 3), 'or the one asked for');
SELECT is(model_load(version => 1, name => 'segments'), model_load('segments', NULL), 'arguments have names, NULL is production');
SELECT is((SELECT (name, version, status, algorithm, metrics, rows, options ->> 'n_init', note, bytes, created_by, owner, promoted_at IS NULL)::text FROM model_list WHERE version = 2),
    (SELECT ('segments', 2, 'staging', 'kmeans', '{"inertia": 4.5}'::jsonb, 60, '10', 'second try', length(model), 'reg_ann', 'reg_ann', true)::text FROM fits WHERE k = 3), 'model_list tells what was saved');
SELECT is((SELECT algorithm || rows FROM model_list WHERE name = 'recs' AND model_save('recs', NULL) IS NULL), NULL, 'no row, no call');
SELECT is(model_save('recs', (SELECT svdpp_train(i % 9, i % 7, i % 5, '{"n_epochs": 1, "holdout": 0}') FROM generate_series(1, 60) i)), 1, 'a model without columns can be saved too');
SELECT is((SELECT (algorithm, rows IS NOT NULL)::text FROM model_list WHERE name = 'recs'), '(svdpp,t)', 'with its algorithm');
SELECT is((SELECT sum(kmeans_predict((SELECT model_load('segments')), f)) FROM facts f), (SELECT sum(kmeans_predict(model, f)) FROM facts f, fits WHERE k = 2), 'scoring by name');
SELECT is((SELECT (provolatile, proparallel)::text FROM pg_proc WHERE proname = 'model_load'), '(s,s)', 'model_load may run in a parallel plan');

-- ---- errors
SELECT is(pg_temp.by('reg_ann', $$SELECT model_save('segments', NULL)$$), '22004 | the model to save as "segments" is NULL | A fit of no rows gives NULL: are there rows?', 'NULL is no model');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_save('segments', '\x0102')$$), 'XX001 | the model is damaged or not a model | The check says: the bytes do not begin like a retailml model. | Train the model again, or restore the value from a backup.', 'nor is anything');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_save(NULL, model) FROM fits LIMIT 1$$), '22023 | the name of the model is NULL', 'a name is needed');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_save('', model) FROM fits LIMIT 1$$), '22023 | the name of the model is empty', 'that is not empty');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_save('segments', model, '[1]') FROM fits LIMIT 1$$), '22023 | metrics of model "segments" are a json array, not an object | For example ''{"auc": 0.81}''.', 'metrics are an object');
SELECT is(pg_temp.state('segments'), '1 production, 2 staging', 'what fails saves nothing');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_load('segments', 9)$$), '42704 | model "segments" has no version 9 | Its versions are 1 (production), 2 (staging).', 'a version that is not there: those that are');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_load('segmnets')$$), '42704 | there is no model "segmnets" | Those you may see are "segments". | The view model_list shows all you may see; model_save saves one.', 'a name that is not there: those that are');
SELECT is(pg_temp.by('reg_bob', $$SELECT model_load('segments')$$), '42704 | there is no model "segments" | There is none that you may see. | The view model_list shows all you may see; model_save saves one.', 'to others it is not there');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_load(NULL)$$), '22004 | the name of the model is NULL', 'NULL is no name');

-- ---- promotion
SELECT is(pg_temp.by('reg_ann', $$SELECT model_promote('segments', 2)$$), '', 'model_promote');
SELECT is(pg_temp.state('segments'), '1 archived, 2 production', 'puts a version in production, the other away');
SELECT is(model_load('segments'), (SELECT model FROM fits WHERE k = 3), 'model_load gives it');
SELECT is((SELECT pg_temp.by('reg_ann', $$SELECT model_promote('segments', 2)$$) || (promoted_at = (SELECT promoted_at FROM models WHERE name = 'segments' AND version = 2)) FROM models WHERE name = 'segments' AND version = 2), 'true', 'again changes nothing');
SELECT is(pg_temp.save('reg_ann', 'segments', 4) || pg_temp.by('reg_ann', $$SELECT model_promote('segments', 3)$$), '3', 'a third');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_rollback('segments')$$), '2', 'model_rollback goes back to the one before');
SELECT is(pg_temp.state('segments'), '1 archived, 2 production, 3 archived', 'the one it takes back is archived');
SELECT is(pg_temp.save('reg_ann', 'segments', 5) || pg_temp.by('reg_ann', $$SELECT model_promote('segments', 4)$$) || pg_temp.by('reg_ann', $$SELECT model_rollback('segments')$$), '42', 'and is none to go back to later');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_rollback('segments')$$), '1', 'a second time goes one further');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_rollback('segments')$$), '55000 | model "segments" has no earlier version in production to go back to | Its versions are 1 (production), 2 (archived), 3 (archived), 4 (archived). | model_promote(name, version) puts any of them in production.', 'until there is none');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_promote('segments', 3)$$) || pg_temp.by('reg_ann', $$SELECT model_rollback('segments')$$), '1', 'what was taken back may be promoted again');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_promote('segments', 9)$$), '42704 | model "segments" has no version 9 | Its versions are 1 (production), 2 (archived), 3 (archived), 4 (archived).', 'a version that is not there');
SELECT is(pg_temp.by('reg_ann', format('SELECT %s(''segments'', NULL)', f)), '22004 | the version of model "segments" is NULL', f || ': NULL is none') FROM unnest(ARRAY['model_promote', 'model_archive']) f;
SELECT throws_ok($$UPDATE models SET status = 'production' WHERE name = 'segments' AND version = 2$$, '23505', NULL, 'the schema allows one version in production');
SELECT throws_ok($$UPDATE models SET status = 'live' WHERE name = 'segments' AND version = 2$$, '23514', NULL, 'and three states');

-- ---- archiving and dropping
SELECT is(pg_temp.save('reg_ann', 'segments', 6) || pg_temp.by('reg_ann', $$SELECT model_archive('segments', 5)$$) || pg_temp.state('segments'), '51 production, 2 archived, 3 archived, 4 archived, 5 archived', 'model_archive puts a version away');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_archive('segments', 1)$$), '55000 | version 1 of model "segments" is in production | Promote another version first, or take this one back with model_rollback(name).', 'but not that in production');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_drop('segments', 1)$$), '55000 | version 1 of model "segments" is in production | Promote another version first, or drop the whole model with model_drop(name).', 'which cannot be dropped either');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_drop('segments', 5)$$) || pg_temp.state('segments'), '1 production, 2 archived, 3 archived, 4 archived', 'others can');
SELECT is(pg_temp.save('reg_ann', 'segments', 6), '6', 'a number is not used twice');
SELECT alike(pg_temp.by('reg_ann', $$SELECT model_drop('segments', 5)$$), '42704 | model "segments" has no version 5 |%', 'dropping what is not there');
SELECT alike(pg_temp.by('reg_ann', $$SELECT model_archive('segments', 5)$$), '42704 | model "segments" has no version 5 |%', 'or archiving it');
SELECT is(pg_temp.save('reg_ann', 'gone', 2) || pg_temp.by('reg_ann', $$SELECT model_drop('gone')$$) || coalesce(pg_temp.state('gone'), ' no version') || coalesce(pg_temp.readers('gone'), ', no name'), '1 no version, no name', 'a model is dropped with all its versions');
SELECT is(pg_temp.save('reg_bob', 'gone', 2), '1', 'and the name is free');

-- ---- readers
SELECT is(pg_temp.by('reg_ann', $$SELECT model_grant('segments', 'reg_team')$$), '', 'model_grant');
SELECT is(pg_temp.by('reg_member', $$SELECT model_load('segments') = model FROM fits WHERE k = 2$$), 'true', 'members of the role may load');
SELECT is(pg_temp.by('reg_bob', $$SELECT count(*) FROM model_list WHERE name = 'segments'$$), '0', 'others not');
SELECT is(pg_temp.by('reg_member', $$SELECT string_agg(DISTINCT name, ',') FROM model_list$$), 'segments', 'nor see other models');
SELECT is(pg_temp.save('reg_member', 'segments', 2), '42501 | model "segments" belongs to role "reg_ann" | Members of that role may change it; you may load it.', 'a reader does not save');
SELECT is(pg_temp.by('reg_member', $$SELECT model_promote('segments', 2)$$), '42501 | model "segments" belongs to role "reg_ann" | Members of that role may change it; you may load it.', 'or promote');
SELECT alike(pg_temp.by('reg_member', call), '42501 |%', call) FROM unnest(ARRAY['SELECT model_rollback(''segments'')', 'SELECT model_archive(''segments'', 2)', 'SELECT model_drop(''segments'')', 'SELECT model_grant(''segments'', ''reg_bob'')']) call;
SELECT is(pg_temp.by('reg_ann', $$SELECT model_grant('segments', 'reg_team')$$) || pg_temp.readers('segments'), '{reg_team}', 'granting twice is granting once');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_grant('segments', 'nobody here')$$), '42704 | role "nobody here" does not exist', 'a role that is not there');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_revoke('segments', 'reg_team')$$) || pg_temp.by('reg_member', $$SELECT count(*) FROM models$$), '0', 'model_revoke takes it back');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_grant('segments', 'public')$$) || pg_temp.by('reg_bob', $$SELECT model_load('segments') IS NOT NULL$$), 'true', 'public is everybody');

-- ---- without the functions: row-level security
SELECT is(pg_temp.save('reg_bob', 'segments', 2), '42501 | model "segments" belongs to role "reg_ann" | Members of that role may change it; you may load it.', 'nobody replaces another''s model');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_revoke('segments', 'public')$$) || pg_temp.save('reg_bob', 'segments', 2), '42501 | the name "segments" is taken by a model of another role | Choose another name, or ask to become a member of the role that owns it.', 'or one that he does not see');
SELECT is(pg_temp.by('reg_bob', $$WITH x AS (UPDATE models SET note = 'mine' RETURNING name) SELECT string_agg(name, ',') FROM x$$), 'gone', 'UPDATE reaches one''s own');
SELECT is(pg_temp.by('reg_bob', $$WITH x AS (DELETE FROM model_names RETURNING name) SELECT string_agg(name, ',') FROM x$$), 'gone', 'DELETE too');
SELECT alike(pg_temp.by('reg_bob', $$INSERT INTO models (name, version, model, algorithm) SELECT 'segments', 99, model, 'kmeans' FROM fits WHERE k = 2 RETURNING 1$$), '42501 | new row violates row-level security%', 'INSERT into another''s is refused');
SELECT alike(pg_temp.by('reg_bob', $$INSERT INTO model_names VALUES ('theirs', 'reg_ann') RETURNING 1$$), '42501 | new row violates row-level security%', 'or in another''s name');
SELECT is(pg_temp.save('reg_member', 'shared', 2) || pg_temp.by('reg_member', $$UPDATE model_names SET owner = 'reg_team' WHERE name = 'shared' RETURNING owner$$) || pg_temp.save('reg_team', 'shared', 3) || pg_temp.save('reg_member', 'shared', 4), '1reg_team23', 'a model of a group role is saved by its members');
SELECT alike(pg_temp.by('reg_team', $$UPDATE model_names SET owner = 'reg_ann' WHERE name = 'shared' RETURNING owner$$), '42501 |%', 'giving it to a role one is no member of is refused');
SELECT is(pg_temp.by('reg_ann', $$UPDATE model_names SET name = 'renamed' WHERE name = 'segments' RETURNING name$$) || pg_temp.by('reg_ann', $$SELECT count(*) FROM models WHERE name = 'renamed'$$), 'renamed5', 'an owner may rename');
DELETE FROM model_names WHERE name = 'renamed' OR owner = 'reg_team';
SELECT is(pg_temp.save('reg_team', 'orphan', 2) || pg_temp.save('reg_ann', 'kept', 2) || pg_temp.by('reg_ann', $$SELECT model_grant('kept', 'reg_team')$$), '11', 'a model of a role');
DROP ROLE reg_member, reg_team;
SELECT is(pg_temp.by('reg_ann', $$SELECT string_agg(name, ',') FROM model_list$$), 'kept', 'that is dropped: others still see theirs');
SELECT is(pg_temp.by('reg_ann', $$SELECT model_revoke('kept', 'reg_team')$$) || pg_temp.readers('kept'), '{}', 'and take back what it was granted');

SELECT * FROM finish();
ROLLBACK;
