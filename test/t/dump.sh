#!/usr/bin/env bash
# Models and the extension through pg_dump and back; what DROP EXTENSION leaves.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"
export PGOPTIONS="-c search_path=public,retailml"

sql "CREATE TABLE rows AS SELECT id, sin(id) AS a, cos(id * 3) AS b FROM generate_series(1, 2000) AS id" \
    "CREATE TABLE models (name text PRIMARY KEY, model bytea)" \
    "INSERT INTO models SELECT 'segments', kmeans_fit(r, 5, '{\"exclude\": [\"id\"]}') FROM rows r" \
    "INSERT INTO models SELECT 'rfm', rfm_fit(id, id % 7, a) FROM rows" \
    "CREATE VIEW labels AS SELECT id, retailml.kmeans_predict(model, r) AS segment FROM rows r, models WHERE name = 'segments'"
facts="SELECT string_agg(name || md5(model), ',' ORDER BY name) FROM models"
labels="SELECT md5(string_agg(id || ':' || segment, ',' ORDER BY id)) FROM labels"
models_before=$(sql "$facts")
labels_before=$(sql "$labels")

for format in plain custom; do
    file=$RETAILML_SCRATCH/dump.$format
    pg_dump --format="$format" --file="$file" "$PGDATABASE"
    PGDATABASE=postgres sql "DROP DATABASE IF EXISTS restored" "CREATE DATABASE restored" 2>/dev/null
    if [ "$format" = plain ]; then
        ok "a $format dump restores without an error" psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -d restored -f "$file"
    else
        ok "a $format dump restores without an error" pg_restore --exit-on-error -d restored "$file"
    fi
    is "$(PGDATABASE=restored sql "$facts")" "$models_before" "$format: the models are the same bytes"
    is "$(PGDATABASE=restored sql "$labels")" "$labels_before" "$format: the predictions are the same"
    rm -f "$file"
done

like "$(PGDATABASE=restored sql "DROP EXTENSION retailml" 2>&1 || true)" "view labels depends on function" \
    "DROP EXTENSION names what depends on it"
PGDATABASE=restored sql "DROP EXTENSION retailml CASCADE" 2>/dev/null
is "$(PGDATABASE=restored sql "SELECT (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'retailml')
        + (SELECT count(*) FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE nspname = 'retailml')
        + (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'retailml')")" 0 \
    "DROP EXTENSION CASCADE leaves no function, no type and no table"
is "$(PGDATABASE=restored sql "SELECT count(*) FROM models WHERE model IS NOT NULL")" 2 "the models stay: they are plain bytea"
like "$(PGDATABASE=restored sql "CREATE EXTENSION retailml SCHEMA public" 2>&1 || true)" 'must be installed in schema "retailml"' \
    "the extension lives in its own schema only"
PGDATABASE=restored sql "CREATE EXTENSION retailml"
is "$(PGDATABASE=restored sql "$facts")" "$models_before" "installed again, it reads the models it left"
is "$(PGDATABASE=restored sql "SELECT count(*) FROM models, retailml.model_features(model)")" 5 "and knows their features"
PGDATABASE=postgres sql "DROP DATABASE restored"
done_testing
