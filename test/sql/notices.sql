-- What supervised fits tell: which class is positive, and what they leave out.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(2);

-- customers of whom about a third leave, the more the fewer their orders
CREATE TABLE customers AS
SELECT i AS n, i * 7919 % 13 AS orders, (i * 104729 % 17) / 2.0 AS spend, i * 7919 % 13 + i * 31 % 11 < 7 AS churned FROM generate_series(1, 200) i;

-- ---- which class is positive
CREATE TABLE states AS SELECT orders, spend, CASE WHEN churned THEN 'left' ELSE 'stays' END AS state, CASE WHEN churned THEN 'ja' ELSE 'nein' END AS german,
    CASE WHEN churned THEN 'Yes' ELSE 'No' END AS english, CASE WHEN churned THEN 'YES' ELSE 'no' END AS mixed, churned::int AS bit, churned::int + 1 AS number, churned FROM customers;
CREATE TABLE state_models AS SELECT churn_fit(s, 'state', '{"features": ["orders", "spend"], "folds": 2}') AS said_nothing, churn_fit(s, 'state', '{"features": ["orders", "spend"], "folds": 2, "positive": "left"}') AS said,
    churn_fit(s, 'churned', '{"features": ["orders", "spend"], "folds": 2}') AS truth FROM states s;
SELECT ok(corr(churn_predict(said, s), churn_predict(truth, s)) > 0.99, 'the class that is chosen is the one that leaves') FROM states s, state_models;
SELECT ok(corr(churn_predict(said_nothing, s), churn_predict(truth, s)) < -0.99, 'the last by name is the other one') FROM states s, state_models;

SELECT * FROM finish();

SET client_min_messages = notice;
\echo -- the last by name is taken, and named
SELECT churn_fit(s, 'state', '{"features": ["orders", "spend"], "folds": 2}') IS NOT NULL FROM states s;
SELECT logreg_fit(s, 'german', '{"features": ["orders", "spend"]}') IS NOT NULL FROM states s;
SELECT tree_fit(s, 'number', '{"features": ["orders", "spend"], "task": "classification"}') IS NOT NULL FROM states s;
SELECT forest_fit(s, 'mixed', '{"features": ["orders", "spend"], "n_trees": 5}') IS NOT NULL FROM states s;
SELECT boost_fit(state, ARRAY[orders, spend], '{"n_trees": 5}') IS NOT NULL FROM states s;
SELECT cross_validate(s, 'state', '{"features": ["orders", "spend"], "folds": 2}') IS NOT NULL FROM states s;
\echo -- not where it is chosen, or a pair that says so itself
SELECT churn_fit(s, 'state', '{"features": ["orders", "spend"], "folds": 2, "positive": "stays"}') IS NOT NULL FROM states s;
SELECT logreg_fit(s, 'english', '{"features": ["orders", "spend"]}') IS NOT NULL FROM states s;
SELECT logreg_fit(s, 'bit', '{"features": ["orders", "spend"]}') IS NOT NULL FROM states s;
SELECT logreg_fit(s, 'churned', '{"features": ["orders", "spend"]}') IS NOT NULL FROM states s;
\echo -- nor where there are three, or none
SELECT tree_fit(s, 'kind') IS NOT NULL FROM (SELECT orders, 'k' || orders % 3 AS kind, spend FROM states) s;
SELECT tree_fit(s, 'number', '{"features": ["orders", "spend"]}') IS NOT NULL FROM states s;
ROLLBACK;
