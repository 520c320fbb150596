#!/usr/bin/env bash
# model_sql.sh: models as SQL give their predictions on a database that has never heard of the extension.  TAP.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

export PGOPTIONS='-c search_path=public,retailml -c client_min_messages=warning'
sql "CREATE TABLE facts AS
     SELECT i AS id, i * 7919 % 97 AS recency, CASE WHEN i % 11 > 0 THEN i * 104729 % 1000 / 10.0 WHEN i % 2 = 0 THEN 'NaN' END::float8 AS \"Total Spend\",
            CASE WHEN i % 9 > 0 THEN (ARRAY['web', 'app', 'it''s'])[1 + i % 3] END AS channel, i % 5 = 0 AS active, i * 31 % 17 > 8 AS churned
     FROM generate_series(1, 300) i" \
    "CREATE TABLE models (name text, model bytea)" \
    "INSERT INTO models SELECT 'kmeans', kmeans_fit(f, 3) FROM (SELECT recency, active FROM facts) f" \
    "INSERT INTO models SELECT 'kprototypes', kprototypes_fit(f, 4, '{\"exclude\": [\"id\", \"churned\"]}') FROM facts f" \
    "INSERT INTO models SELECT 'tree', tree_fit(f, 'churned', '{\"exclude\": [\"id\"]}') FROM facts f" \
    "INSERT INTO models SELECT 'forest', forest_fit(f, 'channel', '{\"exclude\": [\"id\"], \"n_trees\": 5}') FROM facts f" \
    "INSERT INTO models SELECT 'boost', boost_fit(f, 'churned', '{\"exclude\": [\"id\"], \"n_trees\": 20}') FROM facts f"
names=$(sql "SELECT name FROM models ORDER BY name")
text=$RETAILML_SCRATCH/facts.copy
"$PG_BINDIR/psql" -Xq -c "COPY facts TO STDOUT" >"$text"

# rounded to what is promised, so that a difference shows
declare -A wanted view
for name in $names; do
    wanted[$name]=$(sql "SELECT md5(string_agg(round(predict(model, f)::numeric, 8)::text, ' ' ORDER BY id)) FROM facts f, models WHERE name = '$name'")
    view[$name]=$(sql "SELECT format('CREATE VIEW %I AS SELECT f.id, %s AS prediction FROM facts f', name, model_sql(model, 'f')) FROM models WHERE name = '$name'")
done

sql "CREATE DATABASE plain TEMPLATE template0"
export PGDATABASE=plain PGOPTIONS=''
sql "CREATE TABLE facts (id int, recency int, \"Total Spend\" float8, channel text, active boolean, churned boolean)"
"$PG_BINDIR/psql" -Xq -c "COPY facts FROM STDIN" <"$text"
is "$(sql "SELECT count(*) FROM pg_extension WHERE extname = 'retailml'")" 0 "a database without the extension"
for name in $names; do
    sql "${view[$name]}"
    is "$(sql "SELECT md5(string_agg(round(prediction::numeric, 8)::text, ' ' ORDER BY id)) FROM $name")" "${wanted[$name]}" \
        "$name: a view of it gives the predictions"
done
done_testing
