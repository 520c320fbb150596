#!/usr/bin/env bash
# How long a statement goes on after it has been told to stop, at moments all through its work.
#
# Each statement runs once to the end; then again and again with a statement_timeout at a tenth,
# two tenths, ... of that time, so that scan, ordering, initialisation and iterations are all hit.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

LIMIT=100
export PGOPTIONS="-c search_path=public,retailml"

# duration SET-UP STATEMENT: milliseconds
duration()
{
    printf '%s;\n\\timing on\n%s;\n' "$1" "$2" |
        psql -XqAt 2>&1 | sed -n 's/^Time: \([0-9]*\).*/\1/p' | tail -n 1
}

# latencies SET-UP STATEMENT DURATION: a line for each timeout that struck: timeout, milliseconds beyond it
latencies()
{
    local tenth timeout
    for tenth in 1 2 3 4 5 6 7 8 9; do
        timeout=$(($3 * tenth / 10))
        [ "$timeout" -gt 0 ] || continue
        printf '%s;\nSET statement_timeout = %d;\n\\timing on\n%s;\n' "$1" "$timeout" "$2" |
            psql -XqAt 2>&1 |
            awk -v timeout="$timeout" '
                /canceling statement due to statement timeout/ { struck = 1 }
                /^Time: / { elapsed = $2 }
                END { if (struck) printf "%d %d\n", timeout, elapsed - timeout }'
    done
}

# stops_in_time DESCRIPTION SET-UP STATEMENT
stops_in_time()
{
    local total found struck worst
    total=$(duration "$2" "$3")
    found=$(latencies "$2" "$3" "$total")
    struck=$(grep -c . <<<"$found" || true)
    worst=$(awk '$2 > worst { worst = $2 } END { print worst + 0 }' <<<"$found")
    diag "$1: $total ms in all, stopped $struck times, at most $worst ms late"
    # the last moments may come too late for a run that happens to be faster
    ok "$1: can be stopped at any time" [ "$struck" -ge 4 ]
    ok "$1: stops within 100 ms" [ "$worst" -lt "$LIMIT" ]
}

sql "CREATE TABLE rows AS SELECT id, random() * (id % 7) AS a, random() AS b, random() * (id % 5) AS c,
         random() AS d, (random() * 100)::numeric(12,2) AS e, (id % 3)::int AS f
     FROM generate_series(1, 400000) AS id" \
    "ANALYZE rows"
fit="SELECT length(kmeans_fit(r, 12, '{\"exclude\": [\"id\"], \"n_init\": 3}')) FROM rows r"

stops_in_time "kmeans_fit, one thread" \
    "SET max_parallel_workers_per_gather = 0; SET retailml.threads = 1" "$fit"
stops_in_time "kmeans_fit, two threads, parallel plan" \
    "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET retailml.threads = 2" "$fit"
stops_in_time "kmeans_fit, copies of few rows" "SET max_parallel_workers_per_gather = 0" \
    "SELECT length(kmeans_fit(r, 3, '{\"n_init\": 1}')) FROM (SELECT f AS x FROM rows, generate_series(1, 5)) r"
stops_in_time "kmeans_fit, imputing medians" "SET max_parallel_workers_per_gather = 0" \
    "SELECT length(kmeans_fit(r, 2, '{\"n_init\": 1, \"impute\": \"median\", \"exclude\": [\"id\"]}')) FROM rows r"
stops_in_time "kmeans_fit of wide rows" "SET retailml.threads = 2" \
    "SELECT length(kmeans_fit(v, 20, '{\"n_init\": 1}')) FROM
        (SELECT array_agg(sin(id * j)) AS v FROM generate_series(1, 8000) id, generate_series(1, 100) j GROUP BY id) r"
stops_in_time "kmeans_sweep" "SET retailml.threads = 2" \
    "SELECT kmeans_sweep(r, 2, 6, '{\"n_init\": 1, \"exclude\": [\"id\"]}') FROM (SELECT * FROM rows LIMIT 60000) r"
stops_in_time "kmeans over a window" "SET retailml.threads = 2" \
    "SELECT count(DISTINCT segment) FROM
        (SELECT kmeans(r, 8, '{\"n_init\": 1, \"exclude\": [\"id\"]}') OVER () AS segment FROM rows r) s"
mixed="(SELECT a, b, c, (ARRAY['web', 'app', 'shop', 'phone'])[1 + id % 4] AS channel, chr(97 + (10 * d)::int) AS letter FROM rows) r"
stops_in_time "kprototypes_fit" "SET retailml.threads = 2" \
    "SELECT length(kprototypes_fit(r, 8, '{\"n_init\": 3}')) FROM $mixed"
stops_in_time "kprototypes_fit, few rows and many moves" "SET retailml.threads = 2" \
    "SELECT length(kprototypes_fit(r, 12)) FROM (SELECT * FROM $mixed LIMIT 30000) r"
stops_in_time "cluster_stability" "SET retailml.threads = 2" \
    "SELECT cluster_stability(r, 4, '{\"resamples\": 5}') FROM (SELECT a, b, c FROM rows LIMIT 3000) r"
stops_in_time "cluster_metrics" "SET retailml.threads = 2" "SELECT cluster_metrics(r, (a * 2)::int) FROM $mixed"
stops_in_time "silhouette over a window" "SET retailml.threads = 2" \
    "SELECT count(s) FROM (SELECT silhouette(r, (a * 2)::int) OVER () AS s FROM (SELECT * FROM $mixed LIMIT 50000) r) x"
stops_in_time "hopkins" "SET retailml.threads = 1" "SELECT hopkins(r, '{\"exclude\": [\"id\"]}') FROM rows r"
stops_in_time "segment_rules" "SET retailml.threads = 2" "SELECT segment_rules(r, (a * 2)::int) FROM $mixed"
stops_in_time "rfm_score over a window" "SET work_mem = '64MB'" \
    "SELECT count(DISTINCT (s).code) FROM (SELECT rfm_score(a, b, c) OVER () AS s FROM rows) x"
stops_in_time "rfm" "SET max_parallel_workers_per_gather = 0" \
    "SELECT count(r) FROM (SELECT rfm(id / 2, timestamptz '2025-01-01' + id * interval '1 min', e, '2030-01-01') r
        FROM rows, generate_series(1, 3) GROUP BY id % 5000) x"
labelled="(SELECT a, b, c, d, e, (ARRAY['web', 'app', 'shop', 'phone'])[1 + id % 4] AS channel, a + b + sin(c) > 2 * d AS label FROM rows) r"
stops_in_time "linreg_fit" "SET retailml.threads = 2" "SELECT length(linreg_fit(r, 'a')) FROM $labelled"
stops_in_time "logreg_fit" "SET retailml.threads = 2" "SELECT length(logreg_fit(r, 'label')) FROM $labelled"
stops_in_time "forest_fit" "SET retailml.threads = 2" \
    "SELECT length(forest_fit(r, 'label', '{\"n_trees\": 4}')) FROM $labelled"
stops_in_time "boost_fit" "SET retailml.threads = 2" \
    "SELECT length(boost_fit(r, 'label', '{\"n_trees\": 12}')) FROM $labelled"
stops_in_time "boost_fit of rows made up" "SET retailml.threads = 2" \
    "SELECT length(boost_fit(r, 'rare', '{\"n_trees\": 10, \"resample\": \"smote\"}')) FROM
        (SELECT *, d > 0.9 AS rare FROM $labelled LIMIT 100000) r"
stops_in_time "churn_fit" "SET retailml.threads = 2" \
    "SELECT length(churn_fit(r, 'label', '{\"folds\": 2}')) FROM (SELECT * FROM $labelled LIMIT 10000) r"
stops_in_time "binary_metrics" "SET max_parallel_workers_per_gather = 0" \
    "SELECT binary_metrics(a > c, d) FROM rows, generate_series(1, 3)"
bought="(SELECT id::bigint * 7919 % 40000 AS u, id::bigint * 31 % 3001 AS p, a FROM rows) r"
stops_in_time "svdpp_train" "SET retailml.threads = 2" \
    "SELECT length(svdpp_train(u, p, a, '{\"n_epochs\": 40}')) FROM $bought"
stops_in_time "svdpp_cross_validate" "SET retailml.threads = 2" \
    "SELECT svdpp_cross_validate(u, p, a, '{\"n_epochs\": 5, \"ranking\": 5}') FROM $bought"
sql "CREATE TABLE recommender AS SELECT svdpp_train(u, p, a, '{\"n_epochs\": 1, \"holdout\": 0}') AS model FROM $bought"
stops_in_time "svdpp_recommend_all" "SET retailml.threads = 2" \
    "SELECT count(*) FROM recommender, svdpp_recommend_all(model, 20)"
stops_in_time "generate_synthetic_purchases" "SET work_mem = '64MB'" \
    "SELECT count(*) FROM generate_synthetic_purchases(1500000)"

# a cancel and a terminate from outside; the server must be none the worse for it
sql "CREATE VIEW victim AS SELECT pid FROM pg_stat_activity WHERE application_name = 'victim'"
for how in cancel terminate; do
    (PGAPPNAME=victim sql "SET retailml.threads = 2" \
        "SELECT kmeans_fit(r, 50, '{\"exclude\": [\"id\"], \"n_init\": 1000}') FROM rows r" >/dev/null 2>&1 || true) &
    sleep 1.5
    started=$(date +%s%N)
    is "$(sql "SELECT pg_${how}_backend(pid) FROM victim")" t "pg_${how}_backend reaches a fit"
    wait $!
    late=$((($(date +%s%N) - started) / 1000000))
    diag "pg_${how}_backend: the client was free after $late ms"
    ok "pg_${how}_backend ends a fit" [ "$late" -lt "$LIMIT" ]
done
is "$(sql "SELECT count(*) FROM victim")" 0 "no session is left behind"
is "$(sql "SELECT length(kmeans_fit(r, 2)) > 0 FROM (SELECT b, d FROM rows LIMIT 1000) r")" t "the server still fits"
done_testing
