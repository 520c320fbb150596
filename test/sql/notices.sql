-- What supervised fits tell: which class is positive, and what they leave out.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(22);

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

-- ---- texts that are different in every row
CREATE TABLE contracts AS SELECT 'C-' || n AS contract, orders, spend, CASE WHEN n % 3 = 0 THEN 'web' ELSE 'shop' END AS channel, churned FROM customers;
CREATE FUNCTION pg_temp.scores(model bytea) RETURNS text LANGUAGE sql AS $$ SELECT md5(string_agg(predict(model, c)::text, ' ' ORDER BY contract)) || ' of ' || count(*) FROM contracts c $$;
SELECT is(pg_temp.scores(f), pg_temp.scores(g), name || ': as if it were excluded')
FROM (SELECT 'logreg_fit' AS name, logreg_fit(c, 'churned') AS f, logreg_fit(c, 'churned', '{"exclude": ["contract"]}') AS g FROM contracts c
UNION ALL SELECT 'forest_fit', forest_fit(c, 'churned', '{"n_trees": 9}'), forest_fit(c, 'churned', '{"n_trees": 9, "exclude": ["contract"]}') FROM contracts c
UNION ALL SELECT 'boost_fit', boost_fit(c, 'churned', '{"n_trees": 9}'), boost_fit(c, 'churned', '{"n_trees": 9, "exclude": ["contract"]}') FROM contracts c
UNION ALL SELECT 'linreg_fit', linreg_fit(c, 'spend'), linreg_fit(c, 'spend', '{"exclude": ["contract"]}') FROM contracts c
UNION ALL SELECT 'churn_fit', churn_fit(c, 'churned', '{"folds": 2}'), churn_fit(c, 'churned', '{"folds": 2, "exclude": ["contract"]}') FROM contracts c) x;
SELECT is((SELECT string_agg(name, ' ' ORDER BY position) FROM model_features(m)), 'orders spend channel', 'it is no feature, with any number of categories')
FROM (SELECT churn_fit(c, 'churned', '{"folds": 2, "max_categories": 10}') AS m FROM contracts c) x;
SELECT is((SELECT string_agg(name, ' ' ORDER BY position) FROM model_features(m)), 'orders spend channel', 'rows without a label do not count')
FROM (SELECT churn_fit(c, 'churned', '{"folds": 2, "max_categories": 10}') AS m FROM (SELECT * FROM contracts UNION ALL SELECT CASE WHEN i > 3 THEN 'C-7' END, 1, 1, 'web', NULL FROM generate_series(1, 9) i) c) x;
SELECT throws_like($$SELECT churn_fit(c, 'churned', '{"folds": 2, "max_categories": 10}') FROM (SELECT * FROM contracts UNION ALL SELECT 'C-7', 1, 1, 'web', true) c$$, '%"contract" has more than 10 categories', 'one that is there twice makes categories of them');
SELECT throws_like($$SELECT churn_fit(c, 'churned', '{"folds": 2, "max_categories": 10}') FROM (SELECT * FROM contracts UNION ALL SELECT NULL, 1, 1, 'web', true) c$$, '%"contract" has more than 10 categories', 'so does one that is missing');
SELECT is((SELECT string_agg(name, ' ' ORDER BY position) FROM model_features(m)), 'contract orders spend channel', 'a clustering keeps it: rows may be alike or not by it')
FROM (SELECT kprototypes_fit(c, 2, '{"exclude": ["churned"]}') AS m FROM contracts c) x;
SELECT is((SELECT string_agg(name, ' ' ORDER BY position) FROM model_features(m)), 'contract orders', 'of nineteen rows it may be chance') FROM (SELECT tree_fit(c, 'churned') AS m FROM (SELECT contract, orders, churned FROM contracts ORDER BY md5(contract) LIMIT 19) c) x;
SELECT is((SELECT string_agg(name, ' ' ORDER BY position) FROM model_features(m)), 'orders', 'of twenty it is none') FROM (SELECT tree_fit(c, 'churned') AS m FROM (SELECT contract, orders, churned FROM contracts ORDER BY md5(contract) LIMIT 20) c) x;
SELECT throws_ok($$SELECT tree_fit(c, 'churned') FROM (SELECT contract, churned FROM contracts) c$$, '22023', 'tree_fit has no columns left to use', 'nothing but a key');
SELECT is((SELECT count(*) FROM unnest(cross_validate(c, 'churned', '{"folds": 2, "max_categories": 10}'))) > 0, true, 'cross_validate leaves it out as well') FROM contracts c;
SELECT is((SELECT count(*) FROM unnest(permutation_importance(m, c, 'churned'))), 4::bigint, 'a model that has one, of few rows, takes many')
FROM (SELECT tree_fit(c, 'churned') AS m FROM (SELECT * FROM contracts ORDER BY md5(contract) LIMIT 19) c) x, contracts c GROUP BY m;

-- ---- numbers that came as texts
CREATE FUNCTION pg_temp.complaint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; hint text;
BEGIN
    EXECUTE call;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message, nullif(hint, ''));
END $$;
CREATE TABLE totals AS SELECT orders, churned, CASE WHEN n % 9 = 0 THEN ' ' ELSE (n % 70 * 1.5)::text END AS "Total", CASE WHEN n % 9 = 0 THEN 'none' ELSE (n % 70)::text END AS points FROM customers;
SELECT is(pg_temp.complaint($$SELECT churn_fit(t, 'churned', '{"folds": 2, "max_categories": 50, "exclude": ["points"]}') FROM totals t$$),
    '54000 | churn_fit: column "Total" has more than 50 categories | Its texts so far, but for blank ones, are all numbers: cast it, as in nullif(trim("Total"), '''')::float8. Or leave it out with the option {"exclude": ["Total"]}, or raise the option "max_categories".', 'numbers are to be cast');
SELECT is(pg_temp.complaint($$SELECT churn_fit(t, 'churned', '{"folds": 2, "max_categories": 50, "exclude": ["Total"]}') FROM totals t$$),
    '54000 | churn_fit: column "points" has more than 50 categories | Leave it out with the option {"exclude": ["points"]}, or raise the option "max_categories".', 'with a word among them they are categories');
SELECT matches(pg_temp.complaint($$SELECT kprototypes_fit(t, 2, '{"max_categories": 50, "exclude": ["points"]}') FROM totals t$$), '^54000 . kprototypes_fit: column "Total" has .* are all numbers: cast it', 'a clustering says so too');
SELECT is(pg_temp.complaint($$SELECT churn_fit(t, 'churned', '{"folds": 2}') FROM (SELECT orders, churned, nullif(trim("Total"), '')::float8 AS total FROM totals) t$$), 'none', 'and the cast helps');

-- parallel workers see a part of the rows each
CREATE TABLE many AS SELECT 'C-' || i AS contract, i % 13 AS orders, i % 7 < i % 5 AS churned FROM generate_series(1, 6000) i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
CREATE TABLE serial AS SELECT logreg_fit(m, 'churned') AS model FROM many m;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT ok(logreg_fit(m, 'churned') = (SELECT model FROM serial), 'the same from parallel workers') FROM many m;
RESET parallel_setup_cost;

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
\echo -- a text that is different in every row is left out
SELECT churn_fit(c, 'churned', '{"folds": 2}') IS NOT NULL FROM contracts c;
SELECT tree_fit(c, 'churned', '{"features": ["contract", "orders"]}') IS NOT NULL FROM contracts c;
\echo -- unless it is a number in disguise
SELECT tree_fit(c, 'churned') IS NOT NULL FROM (SELECT orders, (n * 1.5)::text AS "Total", churned FROM customers) c;
\echo -- or excluded anyway
SELECT churn_fit(c, 'churned', '{"folds": 2, "exclude": ["contract"]}') IS NOT NULL FROM contracts c;
ROLLBACK;
