#!/usr/bin/env bash
# Runs of pipelines among other sessions: readers, kill -9 in every step, a second run, time limits, rights, dumps.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

# what is committed must outlive the server here
server_new pipeline "restart_after_crash = on" "synchronous_commit = on"
server_start pipeline
server_use pipeline
sql "CREATE EXTENSION retailml"
export PGOPTIONS="-c search_path=public,retailml -c client_min_messages=warning"

# customers whose numbers depend on the month, and a trigger that holds a step at its end
sql "CREATE TABLE customers AS SELECT id, id % 3 AS kind FROM generate_series(1, 3000) AS id" \
    "CREATE TABLE hold (step text)" \
    "CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
        IF NEW.state = ''success'' AND EXISTS (SELECT FROM public.hold h WHERE h.step = NEW.step) THEN PERFORM pg_sleep(60); END IF;
        RETURN NEW; END'" \
    "CREATE TRIGGER held BEFORE UPDATE ON pipeline_steps FOR EACH ROW EXECUTE FUNCTION held()" \
    "SELECT pipeline_create('shop', 'SELECT id, kind * 100 + sin(id) AS spend, kind * 7 + extract(month FROM \$1) AS visits FROM public.customers', 'id',
        '{\"k\": 3, \"retries\": 0, \"retry_delay\": 0}')" >/dev/null

state="SELECT string_agg(step || '=' || state, ' ' ORDER BY ordinal) FROM pipeline_steps s WHERE run_id = (SELECT max(run_id) FROM pipeline_runs)"
published="SELECT md5(string_agg(concat_ws('|', key, segment, name, features, last_update), ',' ORDER BY key)) FROM segments_current"
run()
{
    sql "CALL pipeline_run('shop', '2025-$1-01')"
}

# until SQL: waits for a query to give t; the server may be in recovery
until_true()
{
    for _ in $(seq 300); do
        [ "$(sql "$1" 2>/dev/null)" = t ] && return
        sleep 0.1
    done
    return 1
}

# start STATEMENT: in the background, as the victim; its output in $RETAILML_SCRATCH/victim
start()
{
    (PGAPPNAME=victim sql "$@" >"$RETAILML_SCRATCH/victim" 2>&1 || true) &
}
victim="(SELECT pid FROM pg_stat_activity WHERE application_name = 'victim' AND backend_type = 'client backend')"
# holding STEP: the victim is at the end of this step
holding()
{
    until_true "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event = 'PgSleep'" &&
        until_true "SELECT count(*) = 1 FROM pipeline_steps WHERE step = '$1' AND state = 'running'"
}

# ---- readers
run 01
echo "SELECT count(*), count(DISTINCT last_update), min(last_update), count(DISTINCT features ->> 'visits') FROM segments_current \watch 0.002" |
    psql -XAtq >"$RETAILML_SCRATCH/seen" 2>/dev/null &
reader=$!
until_true "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%min(last_update)%' AND pid <> pg_backend_pid()" || true
run 02
run 03
run 04
sleep 0.2
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%min(last_update)%' AND pid <> pg_backend_pid()" >/dev/null
wait "$reader" || true
seen=$(grep -c '^[0-9]*|' "$RETAILML_SCRATCH/seen" || true)
ok "a reader looked often (saw $seen)" test "$seen" -gt 50
is "$(grep '^[0-9]*|' "$RETAILML_SCRATCH/seen" | cut -d'|' -f1,2,4 | sort -u)" "3000|1|3" "and always saw all customers of one run"
ok "of the old and of the new one" test "$(grep '^[0-9]*|' "$RETAILML_SCRATCH/seen" | cut -d'|' -f3 | sort -u | wc -l)" -ge 3

# ---- kill -9 in every step
month=4
for step in check snapshot choose fit match score profile publish; do
    month=$((month + 1))
    before=$(sql "$published")
    production=$(sql "SELECT version FROM models WHERE status = 'production'")
    sql "INSERT INTO hold VALUES ('$step')"
    start "CALL pipeline_run('shop', '2025-$month-01')"
    holding "$step" || diag "not at step $step"
    kill -9 "$(sql "SELECT $victim")"
    wait $!
    until_true "SELECT true"
    is "$(sql "$published")$(sql "SELECT version FROM models WHERE status = 'production'")" "$before$production" \
        "killed in step $step: what is published is what it was"
    like "$(sql "$state")" "$step=running( [a-z]+=queued)*$" "the step is where it was"
    done=$(sql "SELECT string_agg(step || finished_at, ',' ORDER BY ordinal) FROM pipeline_steps
        WHERE run_id = (SELECT max(run_id) FROM pipeline_runs) AND state = 'success'")
    sql "DELETE FROM hold" "CALL pipeline_run('shop')"
    is "$(sql "SELECT state || to_char(as_of, ' MM') FROM pipeline_runs ORDER BY run_id DESC LIMIT 1")" "success $(printf %02d "$month")" \
        "the next CALL ends that run"
    is "$(sql "SELECT string_agg(step || finished_at, ',' ORDER BY ordinal) FROM pipeline_steps
        WHERE run_id = (SELECT max(run_id) FROM pipeline_runs) AND attempts = 1 AND ordinal < (SELECT ordinal FROM pipeline_steps WHERE step = '$step' LIMIT 1)")" \
        "$done" "doing again only what was not done"
    is "$(sql "SELECT concat_ws(' ', count(*), count(DISTINCT last_update), count(DISTINCT name), min((features ->> 'visits')::int)) FROM segments_current")" \
        "3000 1 3 $month" "and publishes it whole"
done
is "$(sql "SELECT count(DISTINCT name) FROM segments_history")" 3 "names lasted"
is "$(sql "SELECT count(*) FROM pipeline_rows")" 0 "no snapshot is left"

# ---- two sessions
sql "INSERT INTO hold VALUES ('fit')"
start "CALL pipeline_run('shop')"
holding fit
like "$(PGOPTIONS="-c search_path=retailml" sql "CALL pipeline_run('shop')" 2>&1)" "pipeline \"shop\" is being run by process $(sql "SELECT $victim")" \
    "a second run says who is at work, and leaves"
is "$(sql "SELECT count(*) FROM pipeline_runs WHERE state = 'running'")" 1 "it began nothing"
like "$(sql "SELECT pipeline_create('shop', 'public.customers', 'id')" 2>&1 || true)" "is being run" "nor can the definition change"
like "$(sql "SELECT pipeline_drop('shop')" 2>&1 || true)" "is being run" "or go away"
sql "SELECT pg_cancel_backend($victim)" >/dev/null
wait $!
like "$(cat "$RETAILML_SCRATCH/victim")" "step fit failed: canceling statement due to user request" "a run that is cancelled says so"
like "$(sql "$state")" "choose=success fit=failed match=upstream_failed" "and logs it"
sql "DELETE FROM hold" "CALL pipeline_run('shop')"
is "$(sql "SELECT state FROM pipeline_runs ORDER BY run_id DESC LIMIT 1")" success "the next CALL goes on"
# a session that was interrupted between steps keeps the lock, and may use it
sql "SELECT pipeline_lock('shop')" "CALL pipeline_run('shop')" >/dev/null
is "$(sql "SELECT state FROM pipeline_runs ORDER BY run_id DESC LIMIT 1")" success "the lock of one's own session is no obstacle"

# ---- a lock without a run: anybody may take it
PGAPPNAME=victim psql -XAtq -c "SELECT pg_advisory_lock('pipelines'::regclass::oid::int, hashtext('shop'))" -c "SELECT pg_sleep(60)" >/dev/null 2>&1 &
until_true "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event = 'PgSleep'"
before=$(sql "SELECT count(*) FROM pipeline_runs")
like "$(sql "CALL pipeline_run('shop')" 2>&1 || true)" \
    "the lock of pipeline \"shop\" is taken by a process that does not run it.*It is process $(sql "SELECT $victim") of role \"$PGUSER\"" \
    "who takes it without a run makes runs fail, not be left out"
is "$(sql "SELECT count(*) FROM pipeline_runs")" "$before" "and nothing is begun"
sql "SELECT pg_terminate_backend($victim)" >/dev/null
wait $! || true

# ---- time limits
options="UPDATE pipelines SET options = options || "
sql "$options '{\"timeout\": 0.3, \"retries\": 1}'" "INSERT INTO hold VALUES ('score')"
like "$(run 01 2>&1 || true)" "step score failed: canceling statement due to statement timeout" "a step that takes too long fails"
is "$(sql "SELECT attempts FROM pipeline_steps ORDER BY run_id DESC, (step = 'score') DESC LIMIT 1")" 2 "after it was tried again"
sql "$options '{\"timeout\": 100}'"
like "$(sql "SET statement_timeout = '500ms'" "CALL pipeline_run('shop')" 2>&1 || true)" "canceling statement due to statement timeout" \
    "the limit of the session counts too"
is "$(sql "SELECT attempts FROM pipeline_steps ORDER BY run_id DESC, (step = 'score') DESC LIMIT 1")" 3 "and that is not tried again"
sql "DELETE FROM hold" "CALL pipeline_run('shop')"

# ---- who listens
like "$(sql "LISTEN retailml_pipeline" "CALL pipeline_run('shop', '2026-01-01')" "SELECT 1")" \
    'notification "retailml_pipeline" with payload "\{"pipeline" : "shop", "run_id" : [0-9]+, "state" : "success"\}"' "the end of a run is told"
sql "$options '{\"fit\": {\"n_init\": 0}}'"
like "$(psql -XAtq -c "LISTEN retailml_pipeline" -c "CALL pipeline_run('shop', '2026-02-01')" -c "SELECT 1" 2>&1 || true)" '"state" : "failed"' "a bad one too"

# ---- rights
sql "DROP TRIGGER held ON pipeline_steps" "CREATE ROLE ann LOGIN" "CREATE ROLE bob LOGIN" "CREATE ROLE crew" "GRANT crew TO bob" \
    "CREATE TABLE private AS SELECT id, id % 5 AS a FROM customers" "ALTER TABLE private OWNER TO ann"
as()
{
    local user=$1
    shift
    PGUSER=$user sql "$@" 2>&1
}
as ann "SELECT pipeline_create('ann', 'public.private', 'id', '{\"k\": 2, \"retries\": 0}')" "CALL pipeline_run('ann')" >/dev/null
is "$(as ann "SELECT count(*) FROM segments_current")" 3000 "whoever may read the data has a pipeline of their own"
is "$(as ann "SELECT sum(customers) FROM bi_segments")$(as ann "SELECT count(*) FROM bi_segment_members")" 30003000 "and in the views"
is "$(as bob "SELECT count(*) FROM bi_segment_members")" 0 "where others see none of it"
tables="pipelines pipeline_runs pipeline_steps pipeline_checks pipeline_rows segments_current segments_history segment_profile_history segment_migration segment_summary segment_rfm models"
is "$(for table in $tables; do as bob "SELECT count(*) FROM $table"; done | sort -u)" 0 "nobody else sees any of it"
like "$(as bob "CALL pipeline_run('ann')" || true)" 'there is no pipeline "ann"' "or runs it"
like "$(as bob "SELECT pipeline_create('ann', 'public.customers', 'id')" || true)" "permission denied for table customers|belongs to another role" "or replaces it"
like "$(sql "CALL pipeline_run('ann')" 2>&1 || true)" 'belongs to role "ann"' "not even a superuser, whose rights it would get"
like "$(sql "SELECT pipeline_drop('ann')" 2>&1 || true)" 'Connect as role ann' "unless as the owner"
as ann "CALL pipeline_run('ann')"
like "$(as bob "INSERT INTO segments_current VALUES ('ann', 'x', 1, 'x', 0, '{}', now())" || true)" "row-level security" "rows cannot be slipped in"
like "$(as bob "INSERT INTO pipelines (pipeline, owner, features, key, options) VALUES ('x', 'ann', 'SELECT 1', 'x', '{}')" || true)" "row-level security" \
    "nor a pipeline for somebody else"
like "$(as bob "SELECT pipeline_create('bob', 'public.private', 'id')" "CALL pipeline_run('bob')" || true)" "permission denied for table private" \
    "a query reads what its owner may read"
sql "GRANT SELECT ON customers TO crew"
as bob "SET ROLE crew" "SELECT pipeline_create('crew', 'SELECT id, kind FROM public.customers', 'id', '{\"k\": 2}')" "CALL pipeline_run('crew')" >/dev/null
is "$(as bob "SELECT count(*) FROM segments_current WHERE pipeline = 'crew'")" 3000 "members of an owning role see what it has"
like "$(as bob "CALL pipeline_run('crew')" || true)" "Connect as role crew" "and run it as that role"
sql "ALTER TABLE pipelines DISABLE TRIGGER ALL" "UPDATE pipelines SET owner = 'gone' WHERE pipeline = 'crew'" "ALTER TABLE pipelines ENABLE TRIGGER ALL"
is "$(as bob "SELECT count(*) FROM pipelines WHERE pipeline = 'crew'")" 0 "an owner that is no more is nobody"
# the search_path of a scheduler
is "$(PGOPTIONS="-c search_path=pg_catalog" as ann "CALL retailml.pipeline_run('ann')" "SELECT state FROM retailml.pipeline_runs ORDER BY run_id DESC LIMIT 1")" success \
    "the search_path does not matter"

# ---- a dump of a database whose owner is no superuser
sql "CREATE ROLE owner LOGIN CREATEDB" "CREATE DATABASE dumped OWNER owner" "CREATE DATABASE restored OWNER owner"
export PGUSER=owner PGDATABASE=dumped PGOPTIONS="-c search_path=public,retailml"
sql "CREATE EXTENSION retailml" 'CREATE SCHEMA own' "CREATE TABLE own.rows AS SELECT id, id % 7 AS a, id % 3 AS b FROM generate_series(1, 500) AS id" \
    "SELECT pipeline_create('mine', 'own.rows', 'id', '{\"k\": 3}')" "CALL pipeline_run('mine')" "CALL pipeline_run('mine')" >/dev/null
sql "CALL grant_reader('bob')"
facts=$(for table in $tables; do echo "SELECT '$table' || md5(string_agg(t::text, ',' ORDER BY t::text)) FROM $table t;"; done)
before=$(sql "$facts")
pg_dump --file="$RETAILML_SCRATCH/pipelines.dump" dumped
ok "pg_dump | psql without superuser" psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -d restored -f "$RETAILML_SCRATCH/pipelines.dump"
export PGDATABASE=restored
is "$(sql "$facts")" "$before" "brings back definitions, log, models and all that was published"
is "$(as bob "SELECT count(*) FROM bi_segment_members")$(as ann "SELECT count(*) FROM bi_segment_members")" 5000 "and who is a reader"
sql "CALL pipeline_run('mine')"
is "$(sql "SELECT concat_ws(' ', state, run_id, version) FROM pipeline_runs ORDER BY run_id DESC LIMIT 1")" "success 3 3" "and pipelines run on from there"

# ---- who installs need not own the database
PGUSER=postgres sql "CREATE DATABASE lent" "GRANT CREATE ON DATABASE lent TO ann"
export PGDATABASE=lent PGUSER=ann
sql "CREATE EXTENSION retailml" "CALL grant_reader('bob')" "SELECT pipeline_create('lent', 'SELECT i AS id, i % 5 AS a FROM generate_series(1, 50) AS i', 'id', '{\"k\": 2}')" \
    "CALL pipeline_run('lent')" >/dev/null
is "$(as bob "SELECT count(*) FROM bi_segment_members")$(as bob "SELECT count(*) FROM segments_current")" 500 "and makes readers all the same"
PGUSER=postgres sql "CREATE DATABASE returned" "GRANT CREATE ON DATABASE returned TO ann"
pg_dump --file="$RETAILML_SCRATCH/lent.dump" lent
PGUSER=postgres PGDATABASE=returned sql "ALTER SCHEMA public OWNER TO ann"
ok "dumps and restores them" psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -d returned -f "$RETAILML_SCRATCH/lent.dump"
is "$(PGDATABASE=returned as bob "SELECT count(*) FROM bi_segment_members")" 50 "readers too"
like "$(PGUSER=postgres sql "CALL revoke_reader('bob')" 2>&1 || true)" "was made a reader by another role" "a superuser is told whose grant it is"
sql "CALL revoke_reader('bob')"
is "$(as bob "SELECT count(*) FROM bi_segment_members")" 0 "who takes it back"
server_use pipeline
server_stop pipeline
done_testing
