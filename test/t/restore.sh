#!/usr/bin/env bash
# Registry, pipelines and history through pg_dump and back, by a database owner who is no superuser; a hot
# standby that scores from the registry, and takes over.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

# customers of a month: those of the month before with another month of orders, and new ones
shop()
{
    sql "CREATE TABLE public.customers AS
             SELECT id, date '2025-01-01' + 30 * m AS month, (id * 37 % 97 + m)::float8 AS recency,
                    (1 + id % 4 * 5 + id % 3 + m)::float8 AS frequency, (10 + id % 4 * 300 + id * 13 % 50 * (m + 1))::float8 AS monetary
             FROM generate_series(1, 4) AS m, generate_series(1, 400 + 40 * m) AS id" \
        "GRANT SELECT ON public.customers TO PUBLIC"
}

# pipeline NAME: one of who calls it
pipeline()
{
    sql "SELECT retailml.pipeline_create('$1', 'SELECT id, recency, frequency, monetary FROM public.customers WHERE month = \$1::date',
             'id', '{\"retries\": 0, \"k_max\": 5}')"
}

# run NAME MONTH
run()
{
    sql "CALL retailml.pipeline_run('$1', date '2025-01-01' + 30 * $2)"
}

# every table that is dumped: its name and a digest of its rows, "table|rows|digest"
contents()
{
    local table
    for table in $(sql "SELECT oid::regclass FROM pg_class WHERE relkind = 'r'
                            AND oid = ANY ((SELECT extconfig FROM pg_extension WHERE extname = 'retailml')::oid[]) ORDER BY 1"); do
        sql "SELECT '$table', count(*), md5(string_agg(md5(t::text), '' ORDER BY t::text COLLATE \"C\")) FROM $table AS t"
    done
}

# scores NAME: what the production model says of the last month
scores()
{
    sql "SELECT md5(string_agg(retailml.predict_label(model, c), ',' ORDER BY id))
         FROM (SELECT retailml.model_load('$1') AS model) AS m, public.customers AS c WHERE month = date '2025-01-01' + 90"
}

# ---------------------------------------------------------------- dump and restore

restored_fresh()
{
    PGUSER=postgres PGDATABASE=postgres sql "DROP DATABASE IF EXISTS restored_shop" "CREATE DATABASE restored_shop OWNER rml_shop" 2>/dev/null
}

sql "DROP DATABASE IF EXISTS dumped_shop" 2>/dev/null
sql "CREATE ROLE rml_shop LOGIN" "CREATE ROLE rml_analyst LOGIN" "CREATE DATABASE dumped_shop OWNER rml_shop"
export PGDATABASE=dumped_shop PGUSER=rml_shop
sql "CREATE EXTENSION retailml" "GRANT USAGE ON SCHEMA retailml TO PUBLIC" 2>/dev/null
shop
pipeline monthly
run monthly 1
run monthly 2
run monthly 3
sql "SELECT retailml.model_save('by hand', retailml.kmeans_fit(c, 3, '{\"exclude\": [\"id\", \"month\"]}'), '{\"auc\": 0.8}', 'a note')
     FROM public.customers AS c" "SELECT retailml.model_grant('by hand', 'rml_analyst')" >/dev/null
# somebody else's, one of its runs failed
PGUSER=rml_analyst pipeline theirs
PGUSER=rml_analyst run theirs 1
PGUSER=rml_analyst sql "CALL retailml.pipeline_run('theirs', '2001-01-01')" 2>/dev/null || true
before=$(contents)
scored=$(scores monthly)
is "$(echo "$before" | awk -F'|' '$2 == 0 { print $1 }' | tr '\n' ' ')" "retailml.pipeline_rows " \
    "there is something in every table but the work table"
is "$(sql "SELECT string_agg(oid::regclass::text, ' ') FROM pg_class WHERE relnamespace = 'retailml'::regnamespace AND relkind IN ('r', 'S')
           AND oid <> ALL ((SELECT extconfig FROM pg_extension WHERE extname = 'retailml')::oid[])")" "" \
    "no table or sequence is left out of dumps"

for format in plain custom; do
    file=$(mktemp -u "/tmp/retailml_restore.XXXXXX")
    restored_fresh
    ok "who owns the database dumps it ($format)" pg_dump --format="$format" --file="$file" dumped_shop
    if [ "$format" = plain ]; then
        ok "and restores it" psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -d restored_shop -f "$file"
    else
        ok "and restores it" pg_restore --exit-on-error -d restored_shop "$file"
    fi
    rm -f "$file"
    is "$(PGDATABASE=restored_shop contents)" "$before" "$format: models, pipelines, log and history are the same"
    is "$(PGDATABASE=restored_shop scores monthly)" "$scored" "$format: so are the scores"
done

export PGDATABASE=restored_shop
is "$(PGUSER=rml_analyst sql "SELECT string_agg(pipeline, ' ') FROM retailml.pipelines" \
    "SELECT string_agg(name, ' ' ORDER BY name) FROM retailml.model_names" | tr '\n' ' ')" "theirs by hand theirs " \
    "whose is what, and who may read it, was restored"
ok "the restored pipeline goes on" run monthly 4
is "$(sql "SELECT r.state, r.version, r.refitted, r.run_id > (SELECT max(run_id) FROM retailml.pipeline_runs WHERE version = 3)
           FROM retailml.pipeline_runs AS r WHERE pipeline = 'monthly' ORDER BY run_id DESC LIMIT 1")" "success|4|t|t" \
    "with the next version and a run number of its own"
is "$(sql "SELECT bool_and(name IN (SELECT name FROM retailml.segments_history WHERE pipeline = 'monthly' AND as_of < '2025-04-30'))
           FROM retailml.bi_segments WHERE pipeline = 'monthly'")" t "and the names it had"
PGUSER=rml_analyst sql "CALL retailml.pipeline_run('theirs')" 2>/dev/null || true
is "$(PGUSER=rml_analyst sql "SELECT string_agg(state || ' ' || extract(year FROM as_of), ', ' ORDER BY run_id) FROM retailml.pipeline_runs")" \
    "success 2025, failed 2001" "a failed run is resumed, not begun anew"
is "$(sql "SELECT retailml.model_rollback('monthly')" "SELECT status FROM retailml.models WHERE name = 'monthly' AND version = 4" | tr '\n' ' ')" \
    "3 archived " "a version from before the dump can be gone back to"

export PGUSER=postgres PGDATABASE=postgres
sql "DROP DATABASE dumped_shop" "DROP DATABASE restored_shop" "DROP ROLE rml_shop" "DROP ROLE rml_analyst"

# ---------------------------------------------------------------- a hot standby

server_new primary2 "wal_level = replica" "max_wal_senders = 4"
server_start primary2
server_use primary2
sql "CREATE EXTENSION retailml"
shop
pipeline monthly
run monthly 1
run monthly 2
scored=$(scores monthly)
published=$(contents)
mkdir -p "$RETAILML_SCRATCH/servers/standby2"
if [ "$(id -u)" -eq 0 ]; then chown "$(server_user)" "$RETAILML_SCRATCH/servers/standby2"; fi
(cd "$RETAILML_SCRATCH/servers/standby2" && as_server "$PG_BINDIR/pg_basebackup" -h "$PGHOST" -p "$PGPORT" -U postgres \
    -D "$RETAILML_SCRATCH/servers/standby2/data" -R --checkpoint=fast --no-sync)
echo "unix_socket_directories = '$RETAILML_SCRATCH/servers/standby2'" |
    as_server tee -a "$RETAILML_SCRATCH/servers/standby2/data/postgresql.conf" >/dev/null
server_start standby2
server_use standby2
is "$(sql "SELECT pg_is_in_recovery()")" t "this is a standby"
is "$(scores monthly)" "$scored" "it scores with the model in production"
is "$(contents)" "$published" "it shows what is published"
is "$(sql "SELECT count(*) > 1, sum(customers) FROM retailml.bi_segments")" "t|480" "to dashboards too"
is "$(sql "SELECT count(*) FROM unnest((SELECT retailml.model_drift((SELECT retailml.model_load('monthly')), c)
           FROM public.customers AS c WHERE month = date '2025-01-01' + 90))")" 3 "and measures drift"
like "$(run monthly 3 2>&1 || true)" "read-only transaction" "a run is refused by PostgreSQL"
server_stop primary2
sql "SELECT pg_promote()" >/dev/null
ok "once it took over, the next month is run there" run monthly 3
is "$(sql "SELECT count(*), bool_and(state = 'success'), max(version) FROM retailml.pipeline_runs")" "3|t|3" "as the third"
server_stop standby2
done_testing
