#!/usr/bin/env bash
# churn.sh: churn and lifetime value on real rows, judged by what the models have not seen.  TAP.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

export PGOPTIONS='-c search_path=public,retailml -c TimeZone=UTC -c client_min_messages=warning'

# ---------------------------------------------------------------- a later quarter of a shop
retail()
{
    sql "CREATE TABLE lines (invoice text, stock text, description text, quantity int, at timestamptz, price numeric, customer text, country text)"
    gzip -dc "$1" | "$PG_BINDIR/psql" -Xq -c "COPY lines FROM STDIN (FORMAT csv, HEADER true)"
    sql "CREATE VIEW sales AS SELECT customer AS customer_id, invoice AS order_id, at AS ordered_at, quantity, stock AS product_id,
             quantity * price AS amount FROM lines" \
        "CREATE TABLE training AS SELECT * FROM customer_snapshot('sales', '2011-06-01', '91 days')" \
        "CREATE TABLE testing AS SELECT * FROM customer_snapshot('sales', '2011-09-01', '91 days')"
    is "$(sql "SELECT count(*), count(churned), count(future_spend) FROM training" "SELECT count(*), count(churned), count(future_spend) FROM testing" | paste -sd' ')" \
        "2718|2718|2718 3317|3317|3317" "customers of two days, with what they did afterwards"

    sql "CREATE TABLE models AS SELECT churn_fit(t, 'churned') AS churn, ltv_fit(t, 'future_spend') AS ltv FROM training t" \
        "CREATE TABLE scored AS SELECT t.*, churn_predict(churn, t) AS p, churn_risk(churn, t) AS risk, ltv_predict(ltv, t) AS amount,
             (SELECT avg(churned::int)::float8 FROM training) AS rate, (SELECT avg(future_spend) FROM training) AS mean FROM testing t, models" \
        "CREATE TABLE measures AS SELECT binary_metrics(churned, p) AS churn, binary_metrics(churned, rate) AS rate,
             regression_metrics(future_spend, amount) AS ltv, regression_metrics(future_spend, mean) AS mean,
             regression_metrics(future_spend, spend_365d) AS last_year FROM scored"
    diag "$(sql "SELECT to_jsonb(churn) FROM measures" "SELECT to_jsonb(ltv) FROM measures")"
    is "$(sql "SELECT (churn).roc_auc >= 0.72 FROM measures")" t "churn of the later quarter: AUC of .72 or more"
    is "$(sql "SELECT (churn).log_loss < (rate).log_loss AND (churn).brier < (rate).brier FROM measures")" t "probabilities say more than the rate"
    is "$(sql "SELECT string_agg(risk, ' ' ORDER BY share) FROM (SELECT risk, avg(churned::int) AS share FROM scored GROUP BY risk) r")" \
        "low medium high" "the higher the risk, the more leave"
    is "$(sql "SELECT (ltv).rmse < (mean).rmse AND (ltv).mae < (mean).mae FROM measures")" t "spend is better known than by its mean"
    is "$(sql "SELECT (ltv).rmse < (last_year).rmse AND (ltv).mae < (last_year).mae FROM measures")" t "and than by that of the last year"
    is "$(sql "SELECT count(*) FROM scored WHERE NOT (p BETWEEN 0 AND 1 AND amount >= 0)")" 0 "everybody has a score"
}

# ---------------------------------------------------------------- five folds of a telecom operator
telco()
{
    local columns
    columns=$(head -n 1 "$1" | tr -d '\r' | tr ',' '\n' | sed 's/.*/"&" text/' | paste -sd,)
    sql "CREATE TABLE telco ($columns)"
    "$PG_BINDIR/psql" -Xq -c "COPY telco FROM STDIN (FORMAT csv, HEADER true)" <"$1"
    sql "CREATE TABLE subscribers AS SELECT fold(\"customerID\") AS fold, \"Churn\" AS churn, gender, \"Partner\", \"Dependents\", tenure::int,
             \"PhoneService\", \"MultipleLines\", \"InternetService\", \"OnlineSecurity\", \"OnlineBackup\", \"DeviceProtection\", \"TechSupport\",
             \"StreamingTV\", \"StreamingMovies\", \"Contract\", \"PaperlessBilling\", \"PaymentMethod\", \"MonthlyCharges\"::float8,
             \"SeniorCitizen\" = '1' AS senior, nullif(trim(\"TotalCharges\"), '')::float8 AS total FROM telco" \
        "CREATE TABLE folds AS SELECT f AS fold, churn_fit(s, 'churn', '{\"exclude\": [\"fold\"]}') AS model FROM generate_series(1, 5) f JOIN subscribers s ON s.fold <> f GROUP BY f" \
        "CREATE TABLE judged AS SELECT s.fold, s.churn = 'Yes' AS churned, churn_predict(model, s) AS p FROM subscribers s JOIN folds USING (fold)"
    is "$(sql "SELECT count(*), count(DISTINCT fold), count(p) FROM judged")" "7043|5|7043" "five folds"
    diag "$(sql "SELECT fold, (m).roc_auc, (m).log_loss, (m).ece FROM (SELECT fold, binary_metrics(churned, p) AS m FROM judged GROUP BY fold) x")" \
        "$(sql "SELECT to_jsonb(binary_metrics(churned, p)) FROM judged")" "$(sql "SELECT fold, model_info(model) ->> 'method' FROM folds ORDER BY 1")"
    is "$(sql "SELECT avg((m).roc_auc) >= 0.84 FROM (SELECT binary_metrics(churned, p) AS m FROM judged GROUP BY fold) x")" t "AUC of .84 or more"
    is "$(sql "SELECT (binary_metrics(churned, p)).ece < 0.03 FROM judged")" t "and probabilities that mean what they say"
}

if [ -f "${RETAILML_DATA:-}/online_retail_2010_2011.csv.gz" ]; then
    retail "$RETAILML_DATA/online_retail_2010_2011.csv.gz"
else
    skip 7 "online_retail_2010_2011.csv.gz is not here"
fi
if [ -f "${RETAILML_DATA:-}/telco_churn.csv" ]; then
    telco "$RETAILML_DATA/telco_churn.csv"
else
    skip 3 "telco_churn.csv is not here"
fi
done_testing
