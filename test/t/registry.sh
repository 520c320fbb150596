#!/usr/bin/env bash
# The registry between sessions, through pg_dump without a superuser, and on a standby.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

for database in registry_test registry_restored; do
    PGDATABASE=postgres sql "DROP DATABASE IF EXISTS $database" 2>/dev/null
done
sql "CREATE ROLE rml_owner LOGIN" "CREATE ROLE rml_analyst LOGIN" "CREATE ROLE rml_dashboard LOGIN" \
    "CREATE DATABASE registry_test OWNER rml_owner" "CREATE DATABASE registry_restored OWNER rml_owner"
export PGDATABASE=registry_test PGOPTIONS="-c search_path=public,retailml"

# as ROLE STATEMENT...; what it says, errors too
as()
{
    local role=$1
    shift
    PGUSER=$role sql "$@" 2>&1 || true
}

# ---------------------------------------------------------------- rights
as rml_owner "CREATE EXTENSION retailml" \
    "CREATE TABLE fits AS SELECT k, kmeans_fit(r, k, '{\"exclude\": [\"id\"]}') AS model
     FROM (SELECT id, sin(id) AS a, cos(id * 3) AS b FROM generate_series(1, 500) AS id) AS r, generate_series(2, 4) AS k GROUP BY k" \
    "GRANT SELECT ON fits TO PUBLIC"
is "$(sql "SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables WHERE schemaname = 'retailml'")" rml_owner \
    "the tables belong to the owner of the database, who is no superuser"
is "$(as rml_analyst "SELECT model_save('segments', model) FROM fits ORDER BY k LIMIT 2")" $'1\n2' "an analyst saves"
as rml_analyst "SELECT model_promote('segments', 2)" "SELECT model_grant('segments', 'rml_dashboard')" >/dev/null
is "$(as rml_owner "SELECT model_save('churn', model, '{\"auc\": 0.8}', 'it''s a \"note\"') FROM fits WHERE k = 4")" 1 "so does the owner"
is "$(as rml_dashboard "SELECT string_agg(name || version, ',' ORDER BY version) FROM model_list")" segments1,segments2 \
    "a dashboard sees what it was granted"
like "$(as rml_dashboard "SELECT model_load('churn')")" 'there is no model "churn"' "and nothing else"
like "$(as rml_dashboard "SELECT model_save('segments', model) FROM fits LIMIT 1")" 'belongs to role "rml_analyst"' "and changes nothing"
like "$(as rml_analyst "ALTER TABLE retailml.models DISABLE ROW LEVEL SECURITY")" "must be owner" "who sees what is not for all to say"
like "$(as rml_analyst "TRUNCATE retailml.models")" "permission denied" "nor may everybody empty the tables"

# ---------------------------------------------------------------- pg_dump | psql by the owner
facts="SELECT md5(string_agg(m::text || n::text, ';' ORDER BY m.name, version)) FROM models m JOIN model_names n USING (name)"
before=$(as rml_owner "$facts")
like "$before" '^[0-9a-f]{32}$' "all models, their owners and readers"
for format in plain custom; do
    dump=$RETAILML_SCRATCH/registry.$format
    ok "the owner dumps ($format)" env PGUSER=rml_owner pg_dump --format="$format" --file="$dump" registry_test
    PGDATABASE=postgres sql "DROP DATABASE registry_restored" "CREATE DATABASE registry_restored OWNER rml_owner"
    if [ "$format" = plain ]; then
        # what the extension makes is not said again, or the next version of it could not change it
        is "$(grep -cE '^(CREATE|ALTER|GRANT|REVOKE).*(models|model_names|model_list)' "$dump" || true)" 0 "data only"
        ok "and restores" env PGUSER=rml_owner psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -d registry_restored -f "$dump"
    else
        ok "and restores" env PGUSER=rml_owner pg_restore --exit-on-error -d registry_restored "$dump"
    fi
    is "$(PGDATABASE=registry_restored as rml_owner "$facts")" "$before" "they are the same"
    rm -f "$dump"
done
export PGDATABASE=registry_restored
is "$(as rml_dashboard "SELECT model_load('segments') = model FROM fits WHERE k = 3")" t "the dashboard loads from the copy"
like "$(as rml_dashboard "SELECT model_load('churn')")" 'there is no model "churn"' "and still sees nothing else"
is "$(as rml_analyst "SELECT model_save('segments', model) FROM fits WHERE k = 4")" 3 "versions go on"
is "$(as rml_analyst "SELECT model_rollback('segments')")" 1 "the way back is there"
as rml_owner "DROP EXTENSION retailml" >/dev/null
is "$(as rml_owner "SELECT count(*) FROM pg_class WHERE relname IN ('models', 'model_names', 'model_list')")" 0 \
    "DROP EXTENSION drops the registry"
export PGDATABASE=registry_test

# ---------------------------------------------------------------- two sessions, one name
as rml_analyst "BEGIN" "SELECT model_save('race', model) FROM fits WHERE k = 2" "SELECT pg_sleep(1.5)" "COMMIT" >"$RETAILML_SCRATCH/first" &
first=$!
for _ in $(seq 100); do
    [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1.5)' AND state = 'active'")" -eq 1 ] && break
    sleep 0.05
done
is "$(as rml_analyst "SELECT model_save('race', model) FROM fits WHERE k = 3")" 2 "who saves a new name at the same time waits for the first"
wait "$first"
is "$(head -n 1 "$RETAILML_SCRATCH/first")" 1 "which has version 1"
is "$(sql "SELECT string_agg(status, ',' ORDER BY version) FROM models WHERE name = 'race'")" production,staging "and is in production"

many()
{
    local i
    for i in $(seq 25); do echo "SELECT model_save('storm', model) FROM fits WHERE k = 2 + $i % 3;"; done |
        PGUSER=rml_analyst psql -XAtq -v ON_ERROR_STOP=1
}
many >"$RETAILML_SCRATCH/a" &
first=$!
many >"$RETAILML_SCRATCH/b"
wait "$first"
is "$(sort -n "$RETAILML_SCRATCH/a" "$RETAILML_SCRATCH/b" | tr '\n' ,)" "$(seq 50 | tr '\n' ,)" \
    "two sessions save 50 times: each gets versions of its own"
is "$(sql "SELECT count(*) FROM models WHERE name = 'storm' AND status = 'production'")" 1 "one is in production"

# ---------------------------------------------------------------- a reader while versions change
for i in $(seq 60); do echo "SELECT model_promote('storm', 1 + $i % 2);"; [ $((i % 4)) -ne 0 ] || echo "SELECT model_rollback('storm');"; done |
    PGUSER=rml_analyst psql -XAtq -v ON_ERROR_STOP=1 >/dev/null &
first=$!
reads=0 failures=0
while kill -0 "$first" 2>/dev/null || [ "$reads" -lt 3 ]; do
    for _ in $(seq 50); do echo "SELECT model_load('storm') IS NOT NULL;"; done |
        PGUSER=rml_analyst psql -XAtq -v ON_ERROR_STOP=1 >"$RETAILML_SCRATCH/reads" 2>&1 || failures=$((failures + 1))
    reads=$((reads + 1))
    [ "$(grep -c '^t$' "$RETAILML_SCRATCH/reads")" -eq 50 ] || failures=$((failures + 1))
done
ok "promotions and roll-backs in the meantime" wait "$first"
is "$failures" 0 "a reader always finds a version in production"

# ---------------------------------------------------------------- a standby
export PGUSER=postgres PGDATABASE=postgres
sql "DROP DATABASE registry_restored" "DROP DATABASE registry_test" "DROP ROLE rml_owner, rml_analyst, rml_dashboard"
server_new registry "wal_level = replica" "max_wal_senders = 4"
server_start registry
server_use registry
export PGOPTIONS="-c search_path=public,retailml"
sql "CREATE EXTENSION retailml" "CREATE ROLE rml_analyst LOGIN" \
    "CREATE TABLE facts AS SELECT id, sin(id) AS a, cos(id * 3) AS b FROM generate_series(1, 20000) AS id" "GRANT SELECT ON facts TO PUBLIC"
as rml_analyst "SELECT model_save('segments', kmeans_fit(f, 5, '{\"exclude\": [\"id\"]}')) FROM facts f" >/dev/null
score="SELECT md5(string_agg(kmeans_predict((SELECT model_load('segments')), f)::text, '' ORDER BY id)) FROM facts f"
drift="SELECT model_drift((SELECT model_load('segments')), f)::text FROM (SELECT a * 2 AS a, b FROM facts) f"
scored=$(as rml_analyst "$score")
drifted=$(as rml_analyst "$drift")
mkdir -p "$RETAILML_SCRATCH/servers/registry_standby"
if [ "$(id -u)" -eq 0 ]; then chown "$(server_user)" "$RETAILML_SCRATCH/servers/registry_standby"; fi
(cd "$RETAILML_SCRATCH/servers/registry_standby" && as_server "$PG_BINDIR/pg_basebackup" -h "$PGHOST" -p "$PGPORT" -U postgres \
    -D "$RETAILML_SCRATCH/servers/registry_standby/data" -R --checkpoint=fast --no-sync)
echo "unix_socket_directories = '$RETAILML_SCRATCH/servers/registry_standby'" |
    as_server tee -a "$RETAILML_SCRATCH/servers/registry_standby/data/postgresql.conf" >/dev/null
server_start registry_standby
server_use registry_standby
export PGOPTIONS="-c search_path=public,retailml"
is "$(sql "SELECT pg_is_in_recovery()")" t "this is a standby"
is "$(as rml_analyst "$score")" "$scored" "a model is loaded by name and scores"
is "$(as rml_analyst "$drift")" "$drifted" "and drift is measured"
like "$(as rml_analyst "SELECT model_promote('segments', 1)")" "read-only transaction" "what writes is refused by PostgreSQL"
server_stop registry_standby
server_stop registry
done_testing
