#!/usr/bin/env bash
# Pipelines that pg_cron runs: the job runs, is logged, does not run twice, outlives a restart.
# pg_cron counts in minutes, so this takes one.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

TESTS=26
if [ ! -f "$("$PG_CONFIG" --sharedir)/extension/pg_cron.control" ]; then
    skip $TESTS "pg_cron is not installed"
    done_testing
    exit
fi

server_new schedule "shared_preload_libraries = 'pg_cron'" "cron.database_name = 'postgres'" "cron.log_run = on" "synchronous_commit = on" \
    "cron.host = '$RETAILML_SCRATCH/servers/schedule'"
server_start schedule
server_use schedule
export PGOPTIONS="-c search_path=public,retailml -c client_min_messages=warning"
sql "CREATE ROLE ann LOGIN" "CREATE EXTENSION retailml" "CREATE SCHEMA own AUTHORIZATION ann"
export PGUSER=ann
sql "CREATE TABLE own.rows AS SELECT id, id % 3 AS a, id % 2 AS b FROM generate_series(1, 300) AS id" \
    "SELECT pipeline_create('it''s', 'own.rows', 'id', '{\"k\": 3, \"retry_delay\": 0}')" \
    "SELECT pipeline_create('busy', 'own.rows', 'id', '{\"k\": 3}')" >/dev/null
like "$(sql "SELECT pipeline_schedule('busy', '* * * * *')" 2>&1 || true)" "CREATE EXTENSION pg_cron" "where pg_cron is not, the hint says what to do"
PGUSER=postgres sql "CREATE EXTENSION pg_cron"
like "$(sql "SELECT pipeline_schedule('busy', '* * * * *')" 2>&1 || true)" "permission denied for schema cron" "pg_cron is for those who may use it"
PGUSER=postgres sql "GRANT USAGE ON SCHEMA cron TO ann"
like "$(sql "SELECT pipeline_schedule('it''s', 'monthly')" 2>&1 || true)" "invalid schedule" "a schedule that is none"
like "$(sql "SELECT pipeline_schedule('it''s', NULL)" 2>&1 || true)" "schedule is NULL" "or is missing"
like "$(PGUSER=postgres sql "SELECT pipeline_schedule('it''s', '* * * * *')" 2>&1 || true)" "Connect as role ann" "who does not own it does not schedule it"
job=$(sql "SELECT pipeline_schedule('it''s', '0 3 1 * *')")
is "$(sql "SELECT concat_ws('|', jobid, jobname, schedule, command, username, database, active) FROM cron.job")" \
    "$job|retailml:it's|0 3 1 * *|CALL retailml.pipeline_run('it''s')|ann|postgres|t" "a job of pg_cron"

# somebody else is at work on the one, when the minute comes
sql "SELECT pipeline_schedule('busy', '* * * * *')" >/dev/null
(sql "SELECT pipeline_run_enter('busy', NULL)" "SELECT pg_sleep(120)" >/dev/null 2>&1 || true) &
holder=$!
is "$(sql "SELECT pipeline_schedule('it''s', '* * * * *')")" "$job" "a new schedule, the same job"
is "$(sql "SELECT schedule || job_id FROM pipelines WHERE pipeline = 'it''s'")" "* * * * *$job" "which the pipeline knows"

# ended N JOB: waits until this job has ended N times
ended()
{
    for _ in $(seq 750); do
        [ "$(sql "SELECT count(*) FROM cron.job_run_details WHERE jobid = $2 AND end_time IS NOT NULL" 2>/dev/null)" = "$1" ] && return
        sleep 0.1
    done
    return 1
}
busy=$(sql "SELECT job_id FROM pipelines WHERE pipeline = 'busy'")
ok "the job runs" ended 1 "$job"
is "$(sql "SELECT status FROM cron.job_run_details WHERE jobid = $job")" succeeded "and is in pg_cron's log"
is "$(sql "SELECT concat_ws(' ', count(*), min(state), now() - min(as_of) < interval '2 min') FROM pipeline_runs WHERE pipeline = 'it''s'")" "1 success t" \
    "and in ours, once"
is "$(sql "SELECT count(*) FROM segments_current")" 300 "what it made is published"
ok "the other job ends, too" ended 1 "$busy"
is "$(sql "SELECT status || (SELECT string_agg(state, ',') FROM pipeline_runs WHERE pipeline = 'busy') FROM cron.job_run_details WHERE jobid = $busy")" succeededrunning \
    "but leaves the work to the session that is at it"
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)%' AND pid <> pg_backend_pid()" >/dev/null
wait "$holder"
is "$(sql "SELECT pipeline_unschedule('busy')")" t "a job can go away"
is "$(sql "SELECT pipeline_unschedule('busy')")" f "once"

# ---- a restart; pg_cron has a schedule for that, which needs no waiting
is "$(sql "SELECT pipeline_schedule('it''s', '@reboot')")" "$job" "other schedules of pg_cron"
server_stop schedule
server_start schedule
ok "the job outlives a restart" ended 2 "$job"
is "$(sql "SELECT string_agg(state, ' ') FROM pipeline_runs WHERE pipeline = 'it''s'")" "success success" "and has run again"
sql "TRUNCATE own.rows"
server_stop schedule
server_start schedule
ended 3 "$job" || true
like "$(sql "SELECT status || return_message FROM cron.job_run_details WHERE jobid = $job ORDER BY runid DESC LIMIT 1")" \
    "failed.*the features have no row" "a run that fails is a job that failed"
is "$(sql "SELECT count(*) FROM segments_current")" 300 "and the segments stay"
like "$(PGUSER=postgres sql "UPDATE pipelines SET owner = 'postgres' WHERE pipeline = 'it''s'" 2>&1 || true)" "has a schedule.*First pipeline_unschedule" \
    "who has a job keeps the pipeline"
PGUSER=postgres sql "UPDATE cron.job SET username = 'postgres' WHERE jobid = $job"
like "$(sql "SELECT pipeline_drop('it''s')" 2>&1 || true)" "job $job of pipeline \"it's\" is not among the jobs of role \"ann\"" "a job that is out of reach"
is "$(sql "SELECT schedule || job_id FROM pipelines WHERE pipeline = 'it''s'")" "@reboot$job" "is not forgotten"
PGUSER=postgres sql "UPDATE cron.job SET username = 'ann' WHERE jobid = $job"
sql "SELECT pipeline_drop('it''s')" >/dev/null
is "$(sql "SELECT count(*) FROM cron.job")" 0 "a pipeline that is dropped takes its job with it"
sql "UPDATE pipelines SET schedule = '* * * * *', job_id = 77" "UPDATE pipelines SET job_id = NULL"
is "$(sql "SELECT pipeline_unschedule('busy')")" f "one that is gone can be"
server_stop schedule
done_testing
