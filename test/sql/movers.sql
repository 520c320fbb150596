\set ECHO none
\pset format unaligned
\t on
-- Who moved: since the period before, however often a moment is run and in which order.  The runs commit.
SET client_min_messages = warning;
SET search_path = public, retailml;
SET TimeZone = 'UTC';

SELECT plan(41);

-- forty customers in three months: 1 to 3 get poor in February, 4 and 5 in March, when 21 gets rich, 22 leaves and 99 comes
CREATE SCHEMA moves;
CREATE TABLE moves.customers AS
SELECT month::date, id, CASE WHEN id <= 20 THEN 1000 ELSE 10 END + id % 7 AS spend
FROM generate_series(timestamptz '2025-01-01', '2025-03-01', '1 month') AS month, generate_series(1, 40) AS id;
UPDATE moves.customers SET spend = 10 WHERE month >= '2025-02-01' AND id <= 3 OR month = '2025-03-01' AND id <= 5;
UPDATE moves.customers SET spend = 1000 WHERE month = '2025-03-01' AND id = 21;
UPDATE moves.customers SET id = 99 WHERE month = '2025-03-01' AND id = 22;

-- a moment within a month is about that month
CREATE FUNCTION moves.define(options jsonb) RETURNS void LANGUAGE sql AS $$
    SELECT pipeline_create('moves', 'SELECT id, spend FROM moves.customers WHERE month = date_trunc(''month'', $1)', 'id',
        '{"k": 2, "retries": 0, "names": [{"name": "rich", "when": {"spend": "high"}}, {"name": "poor"}]}' || options) $$;
-- run numbers of the pipeline from 1; the last published and the one it was compared with
CREATE FUNCTION moves.number(run bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT nullif(count(*), 0) FROM pipeline_runs WHERE pipeline = 'moves' AND run_id <= run $$;
CREATE FUNCTION moves.compared() RETURNS text LANGUAGE sql AS $$
    SELECT concat(moves.number(max(r.run_id)), ' with ', coalesce(string_agg(DISTINCT moves.number(m.previous_run_id)::text, ','), 'none'))
    FROM pipeline_runs r LEFT JOIN segment_migration m USING (pipeline, run_id)
    WHERE r.run_id = (SELECT max(run_id) FROM pipeline_runs WHERE pipeline = 'moves' AND state = 'success') $$;
CREATE FUNCTION moves.moved() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat(key, ' ', from_name, '>', to_name), ', ' ORDER BY key::int) FROM bi_segment_movers WHERE pipeline = 'moves' $$;
-- the pairs in one of the two views and not in the other
CREATE FUNCTION moves.differences() RETURNS SETOF text LANGUAGE sql AS $$
    WITH listed AS (SELECT concat_ws(' ', from_name, to_name, count(*), as_of) FROM bi_segment_movers WHERE pipeline = 'moves' GROUP BY from_name, to_name, as_of),
         counted AS (SELECT concat_ws(' ', from_name, to_name, customers, as_of) FROM bi_segment_migration WHERE pipeline = 'moves' AND moved)
    (TABLE listed EXCEPT TABLE counted) UNION ALL (TABLE counted EXCEPT TABLE listed) $$;
CREATE FUNCTION moves.kept() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', count(DISTINCT h.run_id), (SELECT count(DISTINCT run_id) FROM segment_summary WHERE pipeline = 'moves'))
    FROM segments_history h WHERE h.pipeline = 'moves' $$;

-- ---- month after month
SELECT moves.define('{}') AS void \gset
CALL pipeline_run('moves', '2025-01-01');
SELECT is(moves.moved(), NULL, 'nobody moved in a first run');
SELECT is(moves.compared(), '1 with none', '... which is compared with nothing');
CALL pipeline_run('moves', '2025-02-01');
SELECT is(moves.moved(), '1 rich>poor, 2 rich>poor, 3 rich>poor', 'the second month says who moved');
SELECT is(moves.compared(), '2 with 1', '... since the first');

-- ---- the same month again
CALL pipeline_run('moves', '2025-02-01');
SELECT is(moves.moved(), '1 rich>poor, 2 rich>poor, 3 rich>poor', 'a second run for a moment says the same');
SELECT is(moves.compared(), '3 with 1', '... since the first month, not since an hour ago');
SELECT is_empty('SELECT moves.differences()', '... the movers are those who migrated');
UPDATE moves.customers SET spend = 1000 WHERE month = '2025-02-01' AND id = 3;
CALL pipeline_run('moves', '2025-02-01');
SELECT is(moves.moved(), '1 rich>poor, 2 rich>poor', 'after a correction it says who moved by the right data');
SELECT is(moves.kept(), '4 4', '... and the history has all of these runs');

-- ---- an older moment after newer ones
CALL pipeline_run('moves', '2025-01-01');
SELECT is(moves.moved(), NULL, 'nobody moved in the first month, though others were run before it');
SELECT is(moves.compared(), '5 with none', '... it is not compared with a later one');
CALL pipeline_run('moves', '2025-03-01');
SELECT is(moves.moved(), '3 rich>poor, 4 rich>poor, 5 rich>poor, 21 poor>rich, 22 poor>(gone), 99 (new)>poor', 'the next month says who moved');
SELECT is(moves.compared(), '6 with 4', '... since the month before in its last run, not since the last run');
SELECT is_empty('SELECT moves.differences()', '... as the migration does');

-- ---- a run that goes on after it failed where it publishes
CREATE FUNCTION moves.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON segments_current EXECUTE FUNCTION moves.refuse();
\set VERBOSITY sqlstate
CALL pipeline_run('moves', '2025-03-01');
\set VERBOSITY default
SELECT is(:'LAST_ERROR_MESSAGE'::text, 'pipeline "moves": step publish failed: no', 'a run fails');
SELECT is(moves.compared(), '6 with 4', '... and changes nothing');
DROP TRIGGER refuse ON segments_current;
CALL pipeline_run('moves');
SELECT is(moves.compared(), '7 with 4', 'when it goes on it is compared with the month before');
SELECT is(moves.moved(), '3 rich>poor, 4 rich>poor, 5 rich>poor, 21 poor>rich, 22 poor>(gone), 99 (new)>poor', '... and lists who moved');
CALL pipeline_run('moves', '2025-02-15');
SELECT is(moves.compared(), '8 with 4', 'a moment in between is compared with the one before it');
SELECT is(moves.moved(), NULL, '... since which nothing happened');

-- ---- keep
SELECT moves.define('{"keep": 1}') AS void \gset
CALL pipeline_run('moves', '2025-03-01');
SELECT is(moves.compared() || ', ' || moves.kept(), '9 with 8, 2 2', 'the run that the last is compared with is kept');
CALL pipeline_run('moves', '2025-03-01');
CALL pipeline_run('moves', '2025-03-01');
SELECT is(moves.compared(), '11 with 8', '... so that repeating the last does not lose it');
SELECT is(moves.moved(), '3 rich>poor, 4 rich>poor, 5 rich>poor, 21 poor>rich, 22 poor>(gone), 99 (new)>poor', '... nor who moved');
CALL pipeline_run('moves', '2025-02-01');
SELECT is(moves.compared(), '12 with none', 'a run that is not kept any more is not compared with');
SELECT is(moves.moved(), NULL, '... so nobody moved, and not everybody is new');
SELECT is(moves.kept(), '1 1', '... and only what keep says stays');

-- ---- a month that was much smaller
SELECT moves.define('{}') AS void \gset
UPDATE moves.customers SET month = '2024-12-01' WHERE month = '2025-02-01' AND id % 4 = 0;
CALL pipeline_run('moves', '2025-02-15');
CALL pipeline_run('moves', '2025-03-01');
CALL pipeline_run('moves', '2024-12-15');
CALL pipeline_run('moves', '2025-03-01');
SELECT is(concat_ws(', ', moves.compared(), customers), '16 with 13, 40', 'a small month of long ago does not stop the newest, which has as many as the month before it')
FROM pipeline_runs WHERE pipeline = 'moves' ORDER BY run_id DESC LIMIT 1;
INSERT INTO moves.customers SELECT '2024-11-01', id, id FROM generate_series(1, 100) AS id;
\set VERBOSITY sqlstate
CALL pipeline_run('moves', '2024-11-01');
SELECT is(:'LAST_ERROR_MESSAGE'::text, format('pipeline "moves": step check failed: 100 rows after 40 in the last run, as of %s: define the pipeline again if that is right',
    to_char(timestamptz '2025-03-01', 'YYYY-MM-DD HH24:MI:SSOF')), 'where nothing is earlier the last run counts');
\set VERBOSITY default

-- ---- a run that was a mistake
CREATE FUNCTION moves.id(number bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT run_id FROM pipeline_runs WHERE pipeline = 'moves' ORDER BY run_id OFFSET number - 1 LIMIT 1 $$;
CREATE FUNCTION moves.traces(run bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM segments_history WHERE run_id = run) + (SELECT count(*) FROM segment_profile_history WHERE run_id = run)
        + (SELECT count(*) FROM segment_migration WHERE run_id = run) + (SELECT count(*) FROM segment_summary WHERE run_id = run)
        + (SELECT count(*) FROM segment_rfm WHERE run_id = run) $$;
DELETE FROM moves.customers WHERE month < '2025-01-01';
INSERT INTO moves.customers SELECT '2025-04-01', id, id FROM generate_series(1, 40) AS id;
CALL pipeline_run('moves', '2025-04-20');
SELECT max(run_id) AS mistake FROM pipeline_runs WHERE pipeline = 'moves' \gset
SELECT throws_ok(format('SELECT pipeline_forget(''moves'', %s)', :mistake), '55000', format('run %s is what pipeline "moves" shows', :mistake), 'what is shown is not forgotten');
SELECT ok(moves.traces(:mistake) > 40, '... and left its traces');
CALL pipeline_run('moves', '2025-03-01');
SELECT md5(string_agg(c::text, ',' ORDER BY key)) AS shown, moves.moved() AS moved FROM segments_current c WHERE pipeline = 'moves' \gset
SELECT moves.traces(max(run_id)) AS last FROM pipeline_runs WHERE pipeline = 'moves' \gset
SELECT pipeline_forget('moves', :mistake) AS void \gset
SELECT is(moves.traces(:mistake), 0::bigint, 'once another run is it is');
SELECT is(max(as_of), '2025-03-01', '... and its point is gone from the trend') FROM bi_segment_trend WHERE pipeline = 'moves';
SELECT is(md5(string_agg(c::text, ',' ORDER BY key)), :'shown', '... while what is shown stays') FROM segments_current c WHERE pipeline = 'moves';
SELECT is(moves.moved() || moves.traces(max(run_id)), :'moved' || :last, '... and who moved') FROM pipeline_runs WHERE pipeline = 'moves';
SELECT is(concat_ws(' ', state, message), 'abandoned forgotten', '... and that it was run') FROM pipeline_runs WHERE run_id = :mistake;
SELECT throws_ok(format('SELECT pipeline_forget(''moves'', %s)', run), '42704', NULL, 'nothing to forget: ' || coalesce(what, 'a NULL'))
FROM (VALUES (:mistake, 'forgotten before'), (0, 'no run'), (moves.id(18), 'a run that failed')) t (run, what);
SELECT throws_ok('SELECT pipeline_forget(''moves'', NULL)', '42704', NULL, 'nor is NULL a run');
SELECT throws_ok('SELECT pipeline_forget(''none'', 1)', '42704', 'there is no pipeline "none"', '... of a pipeline that there is');
CREATE ROLE moves_other;
GRANT USAGE ON SCHEMA moves TO moves_other;
SET ROLE moves_other;
SELECT throws_ok('SELECT pipeline_forget(''moves'', 1)', '42704', 'there is no pipeline "moves"', '... or of another role');
RESET ROLE;
DROP OWNED BY moves_other;
DROP ROLE moves_other;

SELECT pipeline_drop('moves') AS void, model_drop('moves') AS too \gset
SELECT * FROM finish();
DROP SCHEMA moves CASCADE;
