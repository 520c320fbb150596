#!/usr/bin/env bash
# segments.sh: the way of docs/tutorial-segments.md on a real table: mixed columns, missing values, no planted groups.  TAP.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

file=${RETAILML_DATA:-}/marketing_campaign.csv
if [ ! -f "$file" ]; then
    skip 13 "marketing_campaign.csv is not here"
    done_testing
    exit
fi

export PGOPTIONS='-c search_path=public,retailml'
header=$(head -n 1 "$file")
columns=$(tr ',' '\n' <<<"$header" | sed 's/.*/"&"/; /Education\|Marital\|Dt_Customer/s/$/ text/; /text$/!s/$/ numeric/' | paste -sd,)
sql "CREATE TABLE campaign ($columns)"
"$PG_BINDIR/psql" -Xq -c "COPY campaign FROM STDIN (FORMAT csv, HEADER true)" <"$file"
sql "CREATE VIEW features AS
     SELECT \"ID\" AS customer_id, 2014 - \"Year_Birth\" AS age, \"Income\" AS income, \"Education\" AS education,
            CASE WHEN \"Marital_Status\" IN ('Married', 'Together') THEN 'couple' ELSE 'alone' END AS household,
            \"Kidhome\" + \"Teenhome\" AS children, \"Recency\" AS recency_days,
            ln(1 + \"MntWines\" + \"MntFruits\" + \"MntMeatProducts\" + \"MntFishProducts\" + \"MntSweetProducts\" + \"MntGoldProds\") AS spend,
            \"NumWebPurchases\" + \"NumCatalogPurchases\" + \"NumStorePurchases\" AS orders, \"NumDealsPurchases\" AS deals,
            \"NumWebVisitsMonth\" AS visits
     FROM campaign" \
    "CREATE TABLE models (month int, model bytea)"
is "$(sql "SELECT count(*), count(income) FROM features")" "2240|2216" "customers, some without an income"

# ---------------------------------------------------------------- structure, k, model
options='{"exclude": ["customer_id"], "order_by": "spend"}'
is "$(sql "SELECT s.method, s.verdict FROM (SELECT (cluster_stability(f, 3, '{\"exclude\": [\"customer_id\"], \"resamples\": 5}')).* FROM features f) s")" \
    "kprototypes|weak" "three segments of customers who differ by degrees"
is "$(sql "SELECT count(*) FROM (SELECT kprototypes_sweep(f, 2, 8, '$options') AS s FROM features f) x, unnest(s) WHERE is_elbow")" 1 \
    "the costs have an elbow"
sql "INSERT INTO models SELECT 1, kprototypes_fit(f, 3, '$options') FROM features f WHERE customer_id % 10 < 9"

# ---------------------------------------------------------------- names, sentences, levers
is "$(sql "SELECT count(DISTINCT name), count(DISTINCT n.cluster), count(*) FILTER (WHERE reason = '') FROM models, segment_names(model) n")" "3|3|0" \
    "every segment has a name of its own, and a reason"
is "$(sql "SELECT count(DISTINCT cluster) FROM models, segment_insights(model) WHERE sentence <> ''")" 3 "sentences about each"
is "$(sql "SELECT count(DISTINCT cluster) FROM models, segment_levers(model) WHERE lever <> ''")" 3 "something to do for each"
is "$(sql "SELECT count(*) FROM features f, models WHERE predict_label(model, f) IS NULL")" 0 "everybody has a segment"

# ---------------------------------------------------------------- rules: each one is run
sql "CREATE TABLE labelled AS SELECT f.*, kprototypes_predict(model, f) AS cluster FROM features f, models" \
    "CREATE TABLE rules AS SELECT r.* FROM (SELECT segment_rules(l, cluster, '{\"exclude\": [\"customer_id\", \"cluster\"]}') AS s FROM labelled l) x, unnest(s) r"
is "$(sql "SELECT count(*) FROM rules")" 3 "a rule for each"
wrong=0
while IFS='|' read -r cluster predicate; do
    same=$(sql "SELECT n = count(*) FILTER (WHERE $predicate)
                    AND abs(precision - (count(*) FILTER (WHERE ($predicate) AND l.cluster = $cluster))::float8 / n) < 1e-15
                    AND abs(recall - (count(*) FILTER (WHERE ($predicate) AND l.cluster = $cluster))::float8 / count(*) FILTER (WHERE l.cluster = $cluster)) < 1e-15
                FROM labelled l, (SELECT n, precision, recall FROM rules WHERE cluster = $cluster) r GROUP BY n, precision, recall")
    [ "$same" = t ] || { wrong=$((wrong + 1)); diag "$cluster: $predicate"; }
done < <(sql "SELECT cluster, predicate FROM rules")
is "$wrong" 0 "and it selects what it says"
like "$(sql "SELECT min(2 * precision * recall / (precision + recall)) FROM rules")" '^(0\.[6-9]|1)' "the segments can be told in a sentence"

# ---------------------------------------------------------------- the next month: other customers, other seed, other order
sql "INSERT INTO models SELECT 2, kprototypes_fit(f, 3, '{\"exclude\": [\"customer_id\"], \"order_by\": \"recency_days\", \"seed\": 7}') FROM features f WHERE customer_id % 10 > 0" \
    "CREATE VIEW scored AS SELECT f.customer_id, predict_label(a.model, f) AS old, predict_label(b.model, f) AS new,
         predict_label(match_model(b.model, a.model), f) AS matched
     FROM features f, (SELECT model FROM models WHERE month = 1) a, (SELECT model FROM models WHERE month = 2) b"
is "$(sql "SELECT count(*) = count(*) FILTER (WHERE n.name = o.name) FROM models a, models b, segment_names(match_model(b.model, a.model)) n
           JOIN LATERAL (SELECT * FROM segment_names(a.model)) o USING (cluster) WHERE a.month = 1 AND b.month = 2")" t \
    "numbers and names are kept"
like "$(sql "SELECT avg((old = matched)::int) FROM scored")" '^(0\.9|1)' "and so are most customers' segments"
is "$(sql "SELECT sum(n), round(sum(share)) FROM (SELECT segment_migration(old, matched) AS s FROM scored) x, unnest(s)")" "2240|3" \
    "the migration table adds up"
done_testing
