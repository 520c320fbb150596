#!/usr/bin/env bash
# A backend killed in the middle of a fit takes nothing with it but its own statement.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

server_new crash "restart_after_crash = on"
server_start crash
server_use crash
sql "CREATE EXTENSION retailml" "CREATE EXTENSION pgcrypto" 2>/dev/null || sql "CREATE EXTENSION retailml"
export PGOPTIONS="-c search_path=public,retailml"
sql "CREATE TABLE rows AS SELECT random() AS a, random() AS b, random() AS c FROM generate_series(1, 300000)" \
    "CREATE TABLE models AS SELECT kmeans_fit(r, 3, '{\"n_init\": 1}') AS model FROM rows r"
before=$(sql "SELECT md5(model) FROM models")

# killed SET-UP: a fit that would take minutes, killed by signal 9 one second into it
killed()
{
    local pid
    (PGAPPNAME=victim sql "$1" "SELECT kmeans_fit(r, 60, '{\"n_init\": 1000}') FROM rows r" >/dev/null 2>&1 || true) &
    sleep 1
    pid=$(sql "SELECT pid FROM pg_stat_activity WHERE application_name = 'victim' AND backend_type = 'client backend'")
    [ -n "$pid" ] && kill -9 "$pid"
    wait $!
    for _ in $(seq 100); do
        sql "SELECT 1" >/dev/null 2>&1 && return
        sleep 0.2
    done
    return 1
}

for threads in 1 2; do
    ok "the server comes back after kill -9 of a fit on $threads threads" killed "SET retailml.threads = $threads"
    is "$(sql "SELECT md5(model) FROM models")" "$before" "the stored model is what it was"
    is "$(sql "SELECT md5(kmeans_fit(r, 3, '{\"n_init\": 1}')) FROM rows r")" "$before" "a fit gives the same bytes as before"
done
server_stop crash
done_testing
