-- From the same log to a list of customers who are about to leave, with reasons.
--
-- Starts from the table purchases (customer_id, order_id, ordered_at, amount) of docs/tutorial.sql.
-- `make demo` runs this file after that one; docs/tutorial-churn.md explains it.

SET search_path = tutorial, retailml, public;

-- 1. Days to look back from: a customer who does not buy in the 30 days after one has left.  The
--    last day is kept for the test.

CREATE TABLE churn_days AS
SELECT n, last_day - n * interval '30 days' AS as_of
FROM (SELECT date_trunc('day', max(ordered_at)) AS last_day FROM purchases) AS log, generate_series(1, 4) AS n;

-- 2. A row per customer and day: what was known on that day, and what came after it.

CREATE TABLE customer_days AS
SELECT n, as_of, s.*
FROM churn_days, customer_snapshot('purchases', as_of, '30 days') AS s;

SELECT n, as_of::date, count(*) AS customers, round(avg(churned::int), 3) AS churn_rate,
       round(avg(future_spend)::numeric, 2) AS future_spend
FROM customer_days
GROUP BY n, as_of
ORDER BY as_of;

-- 3. Fit on four of five customers and the days before the last.  Three methods are compared by
--    cross-validation, all rows of a customer in one fold; the best is kept and calibrated.

INSERT INTO fitted (name, model)
SELECT 'churn', churn_fit(d, 'churned', '{"exclude": ["n", "as_of"]}')
FROM customer_days AS d
WHERE n > 1 AND is_train(customer_id);

SELECT method, round(log_loss, 4) AS log_loss, round(roc_auc, 3) AS roc_auc, round(pr_auc, 3) AS pr_auc,
       round(brier, 4) AS brier
FROM fitted, jsonb_to_recordset(model_info(model) -> 'comparison')
    AS (method text, log_loss numeric, roc_auc numeric, pr_auc numeric, brier numeric)
WHERE name = 'churn'
ORDER BY log_loss;

-- 4. How good is it?  Customers it has not seen, on a day it has not seen.

CREATE TABLE held_out AS
SELECT customer_id, churned, future_spend, churn_predict(model, d) AS probability
FROM customer_days AS d, fitted
WHERE n = 1 AND NOT is_train(customer_id) AND name = 'churn';

SELECT m.n, m.positives, round(m.roc_auc::numeric, 3) AS roc_auc, round(m.pr_auc::numeric, 3) AS pr_auc,
       round(m.log_loss::numeric, 3) AS log_loss, round(m.brier::numeric, 3) AS brier
FROM (SELECT binary_metrics(churned, probability) AS metrics FROM held_out) AS x, LATERAL (SELECT (metrics).*) AS m;

-- Call the fifth of them at the highest risk, and you reach this share of those who leave.

SELECT bin, n, positives, round(rate::numeric, 3) AS rate, round(cumulative_gain::numeric, 3) AS gain,
       round(cumulative_lift::numeric, 2) AS lift
FROM (SELECT lift_curve(churned, probability, 5) AS bins FROM held_out) AS x, unnest(bins);

-- 5. What does it look at?

SELECT rank, feature, round(gain::numeric, 3) AS gain
FROM fitted, model_importance(model)
WHERE name = 'churn'
ORDER BY rank
LIMIT 6;

-- 6. Today: the ten customers at the highest risk, and why.

CREATE TABLE customers_today AS
SELECT s.*
FROM (SELECT date_trunc('day', max(ordered_at)) + interval '1 day' AS today FROM purchases) AS log,
     customer_snapshot('purchases', today, '30 days') AS s;

SELECT customer_id, round(probability::numeric, 3) AS probability, risk, reason_1, reason_2, reason_3
FROM customers_today AS c, fitted, churn_explain(model, c)
WHERE name = 'churn'
ORDER BY churn_explain.probability DESC, customer_id
LIMIT 10;

SELECT churn_risk(model, c) AS risk, count(*) AS customers, round(avg(churn_predict(model, c))::numeric, 3) AS probability
FROM customers_today AS c, fitted
WHERE name = 'churn'
GROUP BY risk
ORDER BY probability DESC;

-- 7. Whom to call first: the money that will not come.  A second model says what a customer spends in 30 days.

INSERT INTO fitted (name, model)
SELECT 'ltv', ltv_fit(d, 'future_spend', '{"exclude": ["n", "as_of"]}')
FROM customer_days AS d
WHERE n > 1 AND is_train(customer_id);

SELECT what, round((m).mae::numeric, 2) AS mae, round((m).rmse::numeric, 2) AS rmse, round((m).r2::numeric, 3) AS r2
FROM (SELECT regression_metrics(future_spend, ltv_predict(model, d)) AS ltv,
             regression_metrics(future_spend, spend_30d) AS last_month,
             regression_metrics(future_spend, spend_365d * 30 / 365) AS last_year
      FROM customer_days AS d, fitted
      WHERE n = 1 AND NOT is_train(customer_id) AND name = 'ltv') AS x,
     LATERAL (VALUES (1, 'ltv_predict', ltv), (2, 'last 30 days', last_month), (3, 'last year, a 30 days'' part', last_year))
         AS compared (place, what, m)
ORDER BY place;

SELECT customer_id, round(churn_predict(churn.model, c)::numeric, 3) AS churn_probability,
       round((spend_365d * 30 / 365)::numeric, 2) AS usual_spend, round(ltv_predict(ltv.model, c)::numeric, 2) AS expected_spend,
       round((spend_365d * 30 / 365 - ltv_predict(ltv.model, c))::numeric, 2) AS at_stake
FROM customers_today AS c, fitted AS churn, fitted AS ltv
WHERE churn.name = 'churn' AND ltv.name = 'ltv'
ORDER BY at_stake DESC, customer_id
LIMIT 5;
