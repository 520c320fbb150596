#!/usr/bin/env bash
# dbt.sh: the package in dbt/ and its example, installed as others install it and built again and again: models are trained
# when there is a reason, and only then.  dbt comes from PyPI into $BUILD, once.  TAP.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

# the last dbt-core that consists of Python alone: 1.12 fetches a program from elsewhere when it is installed
VERSIONS=(dbt-core==1.11.16 dbt-postgres==1.11.0 dbt-adapters==1.24.5 dbt-common==1.39.0)
ASSERTIONS=52

# ---------------------------------------------------------------- dbt

environment=$BUILD/dbt-$(cksum <<<"${VERSIONS[*]}" | cut -d' ' -f1)
work=$RETAILML_SCRATCH/dbt
project=$work/example
log=$work/log

# into a directory that is complete or not there
install_dbt()
{
    [ -e "$environment/complete" ] && "$environment/bin/dbt" --version >/dev/null 2>&1 && return
    rm -rf "$environment"
    "${PYTHON:-python3}" -m venv "$environment" &&
        "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 1 --timeout 20 \
            "${VERSIONS[@]}" && touch "$environment/complete"
}

no_network()
{
    grep -qE 'NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|NameResolutionError|SSLError' "$1"
}

# the package as a repository to install from, with the example beside it, as the project of somebody else
make_project()
{
    local file
    mkdir -p "$work/repository"
    (cd "$REPO" && find dbt -type f ! -path '*/target/*' ! -path '*/dbt_packages/*' ! -path '*/logs/*') |
        while IFS= read -r file; do
            mkdir -p "$work/repository/$(dirname "$file")"
            cp "$REPO/$file" "$work/repository/$file"
        done
    mv "$work/repository/dbt/example" "$project"
    if command -v git >/dev/null; then
        (cd "$work/repository" && git init -q && git add . &&
            git -c user.name=test -c user.email=test@localhost commit -qm package)
        printf 'packages:\n  - git: "file://%s"\n    subdirectory: dbt\n    revision: HEAD\n' "$work/repository" >"$project/packages.yml"
    else
        printf 'packages:\n  - local: ../repository/dbt\n' >"$project/packages.yml"
    fi
}

# one dbt for all runs, for most of the time of a run is that of starting it.  A line is the schema and the arguments,
# separated by tabs; the answer is a line with the status.
serve_dbt()
{
    export DBT_SEND_ANONYMOUS_USAGE_STATS=0 DBT_NO_VERSION_CHECK=1 DBT_USE_COLORS=0 DBT_PROFILES_DIR=.
    cd "$project" && exec "$environment/bin/python" -c '
import os, sys
from dbt.cli.main import dbtRunner

answers = os.fdopen(os.dup(1), "w")
for line in sys.stdin:
    os.environ["DBT_SCHEMA"], *arguments = line.rstrip("\n").split("\t")
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    result = dbtRunner().invoke(arguments)
    if result.exception:
        print(result.exception)
    sys.stdout.flush()
    print(0 if result.success else 1, file=answers, flush=True)
' "$log"
}

# run_dbt ARGUMENT...: its output is in $log
run_dbt()
{
    local status=1 IFS=$'\t'
    printf '%s\n' "$schema"$'\t'"$*" >&"${DBT[1]}"
    read -r -t 120 status <&"${DBT[0]}" || status=1
    return "$status"
}

# works DESCRIPTION ARGUMENT...: dbt succeeds
works()
{
    local description=$1 status=0
    shift
    run_dbt "$@" || status=$?
    tap "$status" "$description"
    [ "$status" -eq 0 ] || diag "$(grep -vE ' (START|PASS) ' "$log" | tail -n 60)"
}

# fails DESCRIPTION PATTERN ARGUMENT...: dbt fails, and its output matches
fails()
{
    local description=$1 pattern=$2
    shift 2
    if run_dbt "$@"; then
        tap 1 "$description"
    else
        said "$pattern" "$description"
    fi
}

# said PATTERN DESCRIPTION: in the output of the last run, line breaks aside
said()
{
    local status=0
    tr -s '\n ' '  ' <"$log" | grep -qE -e "$1" || status=1
    tap "$status" "$2"
    [ "$status" -eq 0 ] || diag "wanted: $1" "$(grep -vE ' (START|PASS) ' "$log" | tail -n 40)"
}

# decided MODEL: version, decision and reason in its relation
decided()
{
    sql "SELECT version, decision, reason FROM analytics.$1"
}

versions()
{
    sql "SELECT string_agg(name || ' ' || version, ', ' ORDER BY name, version) FROM retailml.model_list"
}

mkdir -p "$work"
if ! install_dbt >"$log" 2>&1; then
    if no_network "$log"; then
        skip "$ASSERTIONS" "dbt cannot be installed: PyPI cannot be reached"
    else
        tap 1 "dbt is installed"
        diag "$(tail -n 30 "$log")"
    fi
    done_testing
    exit
fi
make_project
schema=analytics
coproc DBT { serve_dbt; }

# ---------------------------------------------------------------- first and second run

works "the package is installed" deps
works "a store is made" run-operation make_store
works "the example is built, and its tests pass" build
is "$(versions)" "churn 1, recommender 1, segments 1" "three models are trained"
is "$(decided segments)" "1|trained|the first version, of 500 rows" "and their relations say why"
said 'retailml segments: version 1 trained, the first version' "as does the log"
is "$(sql "SELECT count(*), count(segment), count(rfm_segment), count(risk), count(next_product) FROM analytics.customer_360")" \
    "500|500|500|500|500" "every customer has everything"
is "$(sql "SELECT count(*) FROM analytics.customer_segments JOIN analytics.customer_features f USING (customer_id)
           WHERE segment <> retailml.predict_label((SELECT retailml.model_load('segments')), f.*)")" 0 "segments are those of the model"
is "$(sql "SELECT (metrics ->> 'roc_auc')::float8 BETWEEN 0.6 AND 1, note FROM retailml.model_list WHERE name = 'churn'")" \
    "t|customers of 2024-10-01, 60 days" "measures and notes are saved"

sql "CREATE VIEW analytics.mine AS SELECT version FROM analytics.segments"
before=$(sql "SELECT md5(string_agg(name || version || created_at, '' ORDER BY name)) FROM retailml.model_list")
works "the example is built again" build
is "$(sql "SELECT md5(string_agg(name || version || created_at, '' ORDER BY name)) FROM retailml.model_list")" "$before" \
    "and nothing is trained"
is "$(for model in churn recommender segments; do decided "$model"; done | paste -sd' ')" \
    "1|kept|the data have not changed, 500 rows 1|kept|the data have not changed, 30000 rows 1|kept|the data have not changed, 500 rows" \
    "the relations say why"
said 'retailml churn: version 1 kept, the data have not changed' "and so does the log"
is "$(sql "SELECT version FROM analytics.mine")" 1 "views on the relations stay"

# ---------------------------------------------------------------- other data

# little: one order line is dearer
sql "UPDATE shop.purchases SET amount = amount + 1 WHERE purchase_id = 1"
works "a small change" build --select +segments+ +recommender
like "$(decided segments)" '^1\|kept\|the data have changed \(500 rows then, 500 now\), but version 1 is not yet older than 90 days and drift of [a-z]+ is 0\.0[0-9]*, not above 0.25$' \
    "does not train a model that waits for age or drift"
like "$(decided recommender)" '^2\|trained\|the data have changed \(30000 rows then, 30000 now\)$' "but one that waits for nothing"

# age, of the version and not of the run
sql "UPDATE retailml.models SET created_at = created_at - interval '91 days' WHERE name = 'segments'"
works "a small change after three months" build --select segments customer_segments
like "$(decided segments)" '^2\|trained\|version 1 of .* is older than 90 days$' "trains"
is "$(sql "SELECT count(DISTINCT a.name) FROM retailml.segment_names(retailml.model_load('segments', 1)) a
           JOIN retailml.segment_names(retailml.model_load('segments', 2)) b USING (cluster, name)")" 4 "and names are kept"

# much: everything costs thirty times as much
sql "UPDATE shop.purchases SET amount = 30 * amount"
works "features of other times" run --select customer_rfm customer_features
fails "drift is noticed" 'FAIL 1 retailml_retailml_no_drift_segments.*Got 1 result' test --select segments,test_name:retailml_no_drift
fails "segments that lost their customers too" 'segments_stable.*FAIL 1' build --select segments+
like "$(decided segments)" '^3\|trained\|drift of monetary is [0-9.]+, above 0.25$' "drift trains"
said 'SKIP relation analytics.customer_segments' "nobody gets a segment from a model whose test failed"

# ---------------------------------------------------------------- other definitions, and other hands

sql "SELECT retailml.model_rollback('segments')" >/dev/null
run_dbt run --select segments || true
like "$(decided segments)" '^2\|kept\|the data have not changed, 500 rows \(version 3, which is of the same data, is not in production\)$' \
    "a version that was taken back is not trained again"

sed -i 's/(f, 4,/(f, 3,/; s/config(/config(promote=false, /' "$project/models/models/segments.sql"
sed -i 's/min: 0.6$/min: 0.99/' "$project/models/models/schema.yml"
works "another k" run --select segments
like "$(decided segments)" '^2\|trained\|the definition of the model has changed$' "is trained, and not used before it is promoted"
is "$(sql "SELECT version, status, options -> 'k' IS NOT NULL FROM retailml.model_list WHERE name = 'segments' AND version > 3" | cut -d'|' -f1,2)" \
    "4|staging" "it is in staging"
sql "SELECT retailml.model_promote('segments', 4)" >/dev/null
works "a full refresh" run --select segments --full-refresh
is "$(sql "SELECT count(*) FROM retailml.model_list WHERE name = 'segments'")" 5 "trains whatever the data"
fails "a measure below what is wanted" 'FAIL 1 retailml_retailml_min_metric_churn' test --select churn

# ---------------------------------------------------------------- a schema that wants quotes, and names that are taken

schema='Second Look'
fails "another target does not take a model over" \
    "the model 'segments' in the registry was saved by \"analytics\".\"segments\", not by \"Second Look\".\"segments\"" build --select +segments
sed -i "s/config(/config(name=target.schema ~ \"'s\", /; s/promote=false/promote=true/" "$project/models/models/segments.sql"
works "it has its own" build --select segments customer_segments segment_summary
is "$(sql 'SELECT name, version, decision FROM "Second Look".segments')" "Second Look's|1|trained" "under its own name"
is "$(sql 'SELECT sum(customers), count(*) FROM "Second Look".segment_summary')" "500|3" "and uses it"
schema=analytics

# ---------------------------------------------------------------- what the example does not use

# write FILE: standard input into the project
write()
{
    mkdir -p "$(dirname "$project/models/$1")"
    cat >"$project/models/$1"
}

sql 'CREATE TABLE shop."Odd Log" AS SELECT customer_id AS "The Customer", order_id AS "Order", purchased_at AS "at""", amount FROM shop.purchases'
write more/odd_rfm.sql <<'SQL'
{{ retailml.retailml_rfm('shop."Odd Log"', customer='"The Customer"', order='"Order"', at='"at"""', as_of="date '2025-01-01'") }}
SQL
write more/by_name.sql <<'SQL'
select f.customer_id, {{ retailml.retailml_predict('segments', 'f') }} as cluster from {{ ref('customer_features') }} as f
SQL
write more/always.sql <<'SQL'
{{ config(materialized='retailml_model', features='store.customers', retrain={'always': true}, post_hook="select 1") }}
select retailml.kmeans_fit(c, 2, '{"features": ["age"]}') as model, '[1]'::jsonb -> 1 as metrics
from (select age from {{ source('store', 'customers') }} cross join (select count(*) from {{ ref('customer_rfm') }}) as n) as c
SQL
write more/schema.yml <<'YML'
models:
  - name: by_name
    data_tests:
      - retailml.retailml_no_drift: {arguments: {model_name: no such model}}
  - name: always
    data_tests:
      - retailml.retailml_min_metric: {arguments: {metric: inertia, min: 1, max: 1000000000}}
      - retailml.retailml_min_metric: {arguments: {metric: inertia, max: 1}}
      - retailml.retailml_min_metric: {arguments: {metric: missing, min: 0}}
      - retailml.retailml_min_metric: {arguments: {metric: algorithm, min: 0}}
YML
write more/features.yml <<'YML'
models:
  - name: odd_rfm
    data_tests:
      - retailml.retailml_no_drift: {arguments: {model_name: always}}
YML
fails "other models" 'PASS=5 WARN=0 ERROR=4' build --select more
said 'odd_rfm.*the row has no column "age"' "a test for drift misses the columns that are not there"
is "$(sql "SELECT count(*) FROM analytics.odd_rfm o JOIN analytics.customer_rfm r ON r.customer_id = \"The Customer\"
           WHERE (o.recency_days, o.frequency, o.segment) = (r.recency_days, r.frequency, r.segment)")" 500 "columns that want quotes"
is "$(sql "SELECT count(*) FROM analytics.by_name JOIN analytics.customer_features f USING (customer_id)
           WHERE cluster = retailml.predict((SELECT retailml.model_load('segments')), f.*)")" 500 "a model by its name"
works "an empty run" build --select always --empty
is "$(decided always)" "1|kept|an empty run trains nothing" "trains nothing"
run_dbt run --select always || true
is "$(decided always)" "2|trained|retrain.always is set" "and always is always"

sql "ALTER SCHEMA analytics RENAME TO renamed"
schema=renamed
works "a schema that was renamed" run --select always --vars '{retailml_take_over: true}'
is "$(sql "SELECT version, decision FROM renamed.always")" "3|trained" "takes its models over when told to"
sql "ALTER SCHEMA renamed RENAME TO analytics"
schema=analytics

# ---------------------------------------------------------------- model files that are wrong

# wrong NAME CONFIG SQL
wrong()
{
    printf '%s\n' "{{ config(materialized='retailml_model'$2) }}" "$3" >"$project/models/wrong/$1.sql"
}

mkdir "$project/models/wrong"
features="{{ ref('customer_features') }}"
fit="select retailml.kmeans_fit(f, 2) as model from $features as f"
wrong two_rows "" "$fit union all $fit"
wrong no_model "" "select count(*) as n from $features"
wrong no_rows "" "$fit where false"
wrong two_sources "" "$fit join {{ ref('customer_rfm') }} using (customer_id)"
wrong unknown_key ", retrain={'age': '3 days'}" "$fit"
fails "model files that are wrong" 'ERROR=5' run --select wrong
said 'model two_rows selects 2 rows: one row with one model is wanted' "two rows"
said 'model no_model selects no column named model' "no model"
said 'the model to save as "no_rows" is NULL' "a fit of no rows"
said 'It reads (customer_features, customer_rfm|customer_rfm, customer_features): name one' "two relations to watch"
said "retrain of model unknown_key has no key 'age': the keys are max_age, drift, always" "an unknown condition"
is "$(sql "SELECT count(*) FROM retailml.model_list WHERE name ~ '^(no|two|unknown)_'")" 0 "and nothing is saved"
done_testing
