-- The products churn and ltv: labels, roles of columns, options, bands, reasons, plans, errors.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
SET TimeZone = 'UTC';
BEGIN;
SELECT plan(98);

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
CREATE FUNCTION pg_temp.features(model bytea) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(name, ' ' ORDER BY position) FROM model_features(model) $$;

-- a log of 300 customers, and the customers of two days in it
CREATE TABLE purchases AS SELECT * FROM generate_synthetic_purchases(3000, 300);
CREATE TABLE customers AS SELECT s.*, CASE WHEN customer_id::int % 2 = 0 THEN 'north' ELSE 'south' END AS region
FROM (VALUES ('2024-03-01'), ('2024-07-01')) d (day), customer_snapshot('purchases', day::timestamptz, '60 days') s;
-- the same with fewer columns, for what does not depend on them
CREATE VIEW small AS SELECT customer_id, recency_days, frequency, monetary, gap_sd_days, top_channel, churned, future_spend, region FROM customers;
SELECT ok(count(*) > 500 AND count(*) > count(DISTINCT customer_id) AND count(*) FILTER (WHERE churned) BETWEEN 100 AND 400 AND count(gap_sd_days) < count(*), 'customers, twice, of whom some leave') FROM customers;
CREATE TABLE models AS SELECT churn_fit(c, 'churned') AS churn, ltv_fit(c, 'future_spend') AS ltv FROM customers c;

-- ---- whole rows of customer_snapshot
SELECT is(pg_temp.features(churn), 'recency_days tenure_days frequency monetary avg_order_value gap_mean_days gap_sd_days days_since_last_over_gap lines_per_order items_per_order spend_30d spend_90d spend_365d orders_30d orders_90d orders_365d spend_trend distinct_products top_channel channel_share weekend_share returns_share region',
    'what came later, who it is, and columns without values are no features') FROM models;
SELECT is(pg_temp.features(ltv), pg_temp.features(churn), 'of ltv as well') FROM models;
SELECT is(model_info(churn) - '{bands,classes,comparison,options,calibration,features,log_loss,method}'::text[], '{"rows": 536, "task": "classification", "folds": 5, "label": "churned", "grouped": true, "skipped": 0, "algorithm": "churn"}'::jsonb || jsonb_build_object('rows', (SELECT count(*) FROM customers)),
    'customers are kept together') FROM models;
SELECT is((SELECT array_agg(c ->> 'method' ORDER BY c ->> 'method') FROM jsonb_array_elements(model_info(churn) -> 'comparison') c), '{boost,forest,logreg}', 'three are compared') FROM models;
SELECT ok(model_info(churn) ->> 'method' = model_info(churn) #>> '{comparison,0,method}' AND (model_info(churn) #>> '{comparison,0,log_loss}')::float8 <= (model_info(churn) #>> '{comparison,1,log_loss}')::float8
    AND (model_info(churn) #>> '{comparison,1,log_loss}')::float8 <= (model_info(churn) #>> '{comparison,2,log_loss}')::float8, 'the one with the smallest log loss is kept') FROM models;
SELECT is((SELECT array_agg(b ->> 'risk') FROM jsonb_array_elements(model_info(churn) -> 'bands') b), '{low,medium,high}', 'bands') FROM models;
SELECT is((SELECT ROW(sum((b ->> 'rows')::int), sum((b ->> 'churned')::int)) FROM jsonb_array_elements(model_info(churn) -> 'bands') b), (SELECT ROW(count(*), count(*) FILTER (WHERE churned)) FROM customers), 'add up to all rows, and all who left') FROM models;
SELECT ok((model_info(churn) ->> 'log_loss')::float8 < ln(2) AND (model_info(churn) #>> '{calibration,slope}')::float8 BETWEEN 0.2 AND 3, 'calibrated') FROM models;
SELECT is((SELECT array_agg(c ->> 'method' ORDER BY c ->> 'method') FROM jsonb_array_elements(model_info(ltv) -> 'comparison') c), '{linear,log,trend}', 'three ways to an amount') FROM models;
SELECT ok(model_info(ltv) ->> 'amount' = model_info(ltv) #>> '{comparison,0,method}' AND (model_info(ltv) ->> 'grouped')::boolean, 'the best is kept') FROM models;
SELECT is(round((model_info(ltv) ->> 'buyers')::numeric, 12), (SELECT round(avg((future_spend > 0)::int), 12) FROM customers), 'the share of buyers') FROM models;

-- ---- scoring
CREATE TABLE scored AS SELECT c.*, churn_predict(churn, c) AS p, churn_risk(churn, c) AS risk, predict(churn, c) AS same_p, predict_label(churn, c) AS said,
    ltv_predict(ltv, c) AS amount, predict(ltv, c) AS same_amount FROM customers c, models;
SELECT ok(bool_and(p = same_p AND p > 0 AND p < 1), 'churn_predict is predict') FROM scored;
SELECT ok(bool_and(risk = CASE WHEN p >= 0.6 THEN 'high' WHEN p >= 0.3 THEN 'medium' ELSE 'low' END) AND count(DISTINCT risk) >= 2, 'churn_risk is its band') FROM scored;
SELECT ok(bool_and(said = CASE WHEN p >= 0.5 THEN 'true' ELSE 'false' END), 'predict_label says who leaves') FROM scored;
SELECT ok(bool_and(abs((predict_proba(churn, c))[1] + (predict_proba(churn, c))[2] - 1) < 1e-15 AND (predict_proba(churn, c))[2] = churn_predict(churn, c)), 'predict_proba has both') FROM customers c, models;
SELECT ok(avg(p) FILTER (WHERE churned) > avg(p) FILTER (WHERE NOT churned) + 0.05, 'who left had more of it') FROM scored;
SELECT ok(bool_and(amount = same_amount AND amount >= 0) AND stddev(amount) > 0, 'ltv_predict is predict, and not negative') FROM scored;
SELECT ok(abs(sum(amount) / sum(greatest(future_spend, 0)) - 1) < 0.25, 'amounts of the training rows are of the right size') FROM scored;
SELECT is((SELECT churn_predict(churn, NULL::customers) FROM models), NULL, 'NULL for no row');
SELECT ok(churn_predict(churn, c) IS NOT NULL AND ltv_predict(ltv, c) IS NOT NULL, 'missing numbers are imputed') FROM models, customers c WHERE gap_sd_days IS NULL LIMIT 1;

-- ---- reasons
CREATE TABLE explained AS SELECT c.customer_id, c.recency_days, churn_predict(churn, c) AS p, churn_risk(churn, c) AS r, e.*,
    (SELECT sum(contribution) FROM predict_explain(churn, c)) AS total, (SELECT sum(contribution) FROM predict_explain(churn, c, 'false')) AS total_false
FROM customers c, models, churn_explain(churn, c) e WHERE customer_id::int % 5 = 0;
CREATE TABLE reasons AS SELECT c.customer_id, c.recency_days, x.*, row_number() OVER (PARTITION BY customer_id, recency_days ORDER BY contribution DESC) AS place
FROM customers c, models, predict_explain(churn, c) x WHERE customer_id::int % 5 = 0 AND feature <> '(base)';
-- numbers are shown with six digits
CREATE FUNCTION pg_temp.says(reason text, value text) RETURNS boolean LANGUAGE sql AS $$
    SELECT CASE WHEN value IS NULL THEN reason LIKE '% is missing' WHEN value ~ '^-?[0-9.]+(e.*)?$' THEN abs(split_part(reason, ' = ', 2)::float8 - value::float8) <= 1e-5 * abs(value::float8)
        ELSE split_part(reason, ' = ', 2) = value END $$;
SELECT ok(bool_and(probability = p AND risk = r), 'churn_explain has the probability and the risk') FROM explained;
SELECT ok(count(*) > 100 AND bool_and(e.contribution_1 = x.contribution AND split_part(e.reason_1, ' ', 1) = x.feature AND pg_temp.says(e.reason_1, x.value)), 'the first reason is the largest towards leaving')
FROM explained e JOIN reasons x USING (customer_id, recency_days) WHERE place = 1 AND contribution > 0;
SELECT ok(count(*) > 100 AND bool_and(e.contribution_3 = x.contribution AND split_part(e.reason_3, ' ', 1) = x.feature AND pg_temp.says(e.reason_3, x.value)), 'and the third the third')
FROM explained e JOIN reasons x USING (customer_id, recency_days) WHERE place = 3 AND contribution > 0;
SELECT ok(bool_and(coalesce(contribution_1 > 0, true) AND coalesce(contribution_2 BETWEEN 0 AND contribution_1, true) AND coalesce(contribution_3 BETWEEN 0 AND contribution_2, true)) AND (SELECT count(DISTINCT (customer_id, recency_days)) > 20 FROM reasons WHERE contribution < -0.1), 'none of them speaks for staying, though much does') FROM explained;
SELECT is(sum(num_nulls(reason_1, reason_2, reason_3)), (SELECT sum(greatest(3 - n, 0))::bigint FROM (SELECT count(*) FILTER (WHERE contribution > 0) AS n FROM reasons GROUP BY customer_id, recency_days) x), 'and there are as many as speak for leaving') FROM explained;
SELECT ok(max(abs(total - ln(p / (1 - p)))) < 1e-9, 'base and contributions are the log-odds') FROM explained;
SELECT ok(max(abs(total + total_false)) < 1e-9, 'and of staying the opposite') FROM explained;
SELECT ok(max(abs(total - ltv_predict(ltv, c))) < 1e-9, 'those of ltv are the prediction') FROM customers c, models, LATERAL (SELECT sum(contribution) AS total FROM predict_explain(ltv, c)) x;
SELECT is((SELECT round(sum(gain)::numeric, 9) FROM model_importance(ltv)), 1.000000000, 'importance adds up') FROM models;
SELECT is((SELECT count(*) FROM model_importance(churn)), (SELECT count(*) FROM model_features(churn)), 'of churn for every feature') FROM models;
-- one feature that matters, often missing, and one that says nothing at all
CREATE TABLE gaps AS SELECT i % 8 < 3 AS churned, CASE WHEN i % 8 >= 2 THEN 1 END AS contract, 7 AS constant FROM generate_series(1, 160) i;
CREATE TABLE gap_model AS SELECT churn_fit(g, 'churned', '{"impute": "zero", "folds": 2}') AS m FROM gaps g;
SELECT is((SELECT ROW(e.reason_1, e.reason_2, e.contribution_2, e.contribution_1 > 0)::text FROM gap_model, (SELECT NULL::int AS contract, 7 AS constant) g, churn_explain(m, g) e), '("contract is missing",,,t)', 'a missing value is a reason, a constant none');
SELECT is((SELECT ROW(e.reason_1, e.contribution_1, x.contribution < 0)::text FROM gap_model, (SELECT 1 AS contract, 7 AS constant) g, churn_explain(m, g) e, predict_explain(m, g) x WHERE feature = 'contract'), '(,,t)', 'one that is there speaks for staying: no reason to leave');
CREATE TABLE turned_model AS SELECT churn_fit(g, 'churned', '{"impute": "zero", "folds": 2}') AS m FROM (SELECT NOT churned AS churned, contract, constant FROM gaps) g;
SELECT is((SELECT ROW(e.reason_1, e.reason_2, e.contribution_1 > 0)::text FROM turned_model, (SELECT 1 AS contract, 7 AS constant) g, churn_explain(m, g) e), '("contract = 1",,t)', 'unless those with it leave');
-- a category that is new
CREATE TABLE contracts AS SELECT i % 8 >= 3 AS churned, CASE WHEN i % 8 < 2 THEN 'monthly' WHEN i % 8 < 7 THEN 'yearly' END AS contract, i % 3 AS lines FROM generate_series(1, 160) i;
CREATE TABLE contract_model AS SELECT churn_fit(c, 'churned', '{"folds": 2}') AS m FROM contracts c;
SELECT is((SELECT jsonb_object_agg(coalesce(c.contract, 'missing'), x.value) FROM contract_model, (VALUES ('monthly', 1), ('five years', 1), ('', 1), (NULL, 1)) c (contract, lines), predict_explain(m, c) x WHERE feature = 'contract'),
    '{"monthly": "monthly", "five years": "five years (not seen in training)", "": " (not seen in training)", "missing": null}', 'predict_explain says what training had not');
SELECT is((SELECT string_agg(concat_ws('; ', e.reason_1, e.reason_2, e.reason_3) ~ '(^|; )contract = five years \(not seen in training\)(;|$)' || ' ' || (x.contribution > 0), ', ') FROM contract_model, (VALUES ('five years', 1)) c (contract, lines), churn_explain(m, c) e, predict_explain(m, c) x WHERE feature = 'contract'),
    'true true', 'and so does a reason');

-- ---- labels
CREATE FUNCTION pg_temp.fit(label text, options jsonb DEFAULT '{}') RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE m bytea;
BEGIN
    EXECUTE format('SELECT churn_fit(s, ''label'', $1) FROM (SELECT customer_id, recency_days, frequency, top_channel, %s AS label FROM small) s', label) INTO m USING '{"folds": 2}'::jsonb || options;
    RETURN m;
END $$;
CREATE TABLE labelled AS SELECT pg_temp.fit('churned') AS a, pg_temp.fit('CASE WHEN churned THEN ''left'' ELSE ''here'' END') AS b, pg_temp.fit('churned::int') AS c,
    pg_temp.fit('CASE WHEN churned THEN ''gone'' ELSE ''here'' END', '{"positive": "gone"}') AS d;
SELECT ok(max(abs(churn_predict(a, s) - churn_predict(b, s))) < 0.1 AND max(abs(churn_predict(a, s) - churn_predict(c, s))) < 0.1 AND stddev(churn_predict(a, s)) > 0.05, 'a boolean, a text and a number mean the same') FROM labelled, small s;
SELECT ok(bool_and(abs(churn_predict(a, s) - churn_predict(d, s)) < 0.1), 'positive names who leaves') FROM labelled, small s;
SELECT is((SELECT array_agg(DISTINCT predict_label(d, s)) FROM small s), '{gone,here}', 'labels come back as they are') FROM labelled;
SELECT is(model_info(pg_temp.fit('CASE WHEN frequency > 1 THEN churned END')) ->> 'rows', (SELECT count(*) FROM small WHERE frequency > 1)::text, 'rows without a label are left out');
SELECT is(churn_fit(s, 'churned'), NULL, 'NULL for no rows') FROM small s WHERE false;
SELECT is(churn_fit(s, 'label'), NULL, 'or none with a label') FROM (SELECT frequency, NULL::boolean AS label FROM small) s;
SELECT is(pg_temp.complaint($$SELECT pg_temp.fit('customer_id::int % 3')$$), '22023 | churn_fit: the label has more than two classes: a customer leaves or stays', 'more than two classes');
SELECT is(pg_temp.complaint($$SELECT pg_temp.fit('true')$$), '22023 | churn_fit: the label "label" is "true" in all rows: there is nothing to learn', 'one class');
SELECT matches(pg_temp.complaint($$SELECT churn_fit(s, 'gone') FROM small s$$), '^42703 . churn_fit: the row has no column "gone", named as its label', 'no such label');

-- ---- options
SELECT matches(pg_temp.complaint($$SELECT pg_temp.fit('churned', '{"fold": 5}')$$), '^22023 . churn_fit has no option "fold" . Valid options are: .*group, folds, medium, high.$', 'an unknown option');
SELECT is(pg_temp.complaint($$SELECT pg_temp.fit('churned', '{"medium": 0.7}')$$), '22023 | churn_fit: option "medium" must not be larger than "high"', 'medium above high');
SELECT is(pg_temp.complaint($$SELECT pg_temp.fit('churned', '{"folds": 1}')$$), '22023 | option "folds" of churn_fit must be an integer from 2 to 100', 'one fold');
SELECT matches(pg_temp.complaint($$SELECT pg_temp.fit('churned', '{"group": "nobody"}')$$), '^42703 . churn_fit: the row has no column "nobody", named as its group', 'an unknown group');
SELECT is((SELECT array_agg(DISTINCT churn_risk(m, s)) FROM small s), '{high}', 'bands where they are put') FROM (SELECT pg_temp.fit('churned', '{"medium": 0, "high": 0}') AS m) x;
SELECT is(model_info(m) ->> 'grouped', 'false', 'without a customer rows are dealt') FROM (SELECT churn_fit(s, 'churned', '{"folds": 2}') AS m FROM (SELECT recency_days, churned FROM small) s) x;
SELECT ok(model_info(m) ->> 'grouped' = 'true' AND pg_temp.features(m) = 'recency_days', 'a group of another name') FROM (SELECT churn_fit(s, 'churned', '{"folds": 2, "group": "who"}') AS m FROM (SELECT recency_days, customer_id AS who, churned FROM small) s) x;
SELECT is(pg_temp.features(m), 'recency_days frequency', 'features, and the weight is none') FROM (SELECT churn_fit(s, 'churned', '{"folds": 2, "weight": "w", "exclude": ["gap_sd_days", "monetary", "top_channel", "region"]}') AS m FROM (SELECT *, 1.5 AS w FROM small) s) x;
CREATE TABLE variants AS SELECT name, pg_temp.fit('churned', options::jsonb) AS m FROM (VALUES ('none', '{}'), ('class_weight', '{"class_weight": "balanced"}'), ('over', '{"resample": "over"}'), ('under', '{"resample": "under"}'), ('smote', '{"resample": "smote"}'), ('seed', '{"seed": 7}')) v (name, options);
SELECT is((SELECT count(DISTINCT m) FROM variants), 6::bigint, 'class_weight, resample and seed matter');
-- training on balanced rows is undone by the calibration, which sees the rows as they are
SELECT ok(max(abs(share - (SELECT avg(churned::int) FROM small))) < 0.06, 'but probabilities stay honest') FROM (SELECT name, avg(churn_predict(m, s)) AS share FROM variants, small s GROUP BY name) x;
SELECT ok(churn_fit(s, 'churned', '{"folds": 2, "weight": "w"}') <> churn_fit(s, 'churned', '{"folds": 2, "exclude": ["w"]}'), 'weights matter') FROM (SELECT customer_id, recency_days, frequency, churned, 1 + frequency % 3 AS w FROM small) s;
SELECT is((SELECT count(*) FILTER (WHERE churn_predict(m, s) IS NULL) FROM small s), (SELECT count(*) FROM small WHERE gap_sd_days IS NULL), 'impute skip: no value, no prediction')
FROM (SELECT churn_fit(s, 'churned', '{"impute": "skip", "folds": 2}') AS m FROM small s) x;

-- ---- a column that knows the label
SELECT is(pg_temp.complaint($$SELECT churn_fit(s, 'churned', '{"folds": 2, "leak": "error"}') FROM (SELECT *, churned::int AS closed FROM small) s$$),
    '22023 | churn_fit: column "closed" alone gives the label "churned" away (AUC 1.0000) | Leave it out with the option {"exclude": ["closed"]}, or say that it is meant with {"leak": "ignore"}.', 'a leak');
SELECT is(pg_temp.complaint($$SELECT churn_fit(s, 'churned', '{"folds": 2, "leak": "error"}') FROM small s$$), 'none', 'customer_snapshot has none, though it has future_spend');
SELECT matches(pg_temp.complaint($$SELECT ltv_fit(s, 'future_spend', '{"folds": 2, "leak": "error"}') FROM (SELECT *, future_spend * 2 AS twice FROM small) s$$), '^22023 . ltv_fit: column "twice" alone gives the label "future_spend" away', 'ltv is guarded as well');
SELECT is(pg_temp.complaint($$SELECT churn_fit(s, 'churned', '{"folds": 2, "leak": "ignore"}') FROM (SELECT *, churned::int AS closed FROM small) s$$), 'none', 'it may be meant');

-- ---- ltv
CREATE FUNCTION pg_temp.spend(label text, options jsonb DEFAULT '{}') RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE m bytea;
BEGIN
    EXECUTE format('SELECT ltv_fit(s, ''label'', $1) FROM (SELECT customer_id, recency_days, frequency, monetary, top_channel, %s AS label FROM small) s', label) INTO m USING '{"folds": 2}'::jsonb || options;
    RETURN m;
END $$;
SELECT ok(bool_and(ltv_predict(m, s) >= 0 AND ltv_predict(m, s) < 'infinity'), 'ltv of ' || amount || ', ' || name || ': not negative')
FROM (SELECT amount, name, pg_temp.spend(label, jsonb_build_object('amount', amount)) AS m FROM (VALUES ('linear'), ('log'), ('trend')) a (amount), (VALUES ('with returns', 'future_spend - 20'), ('all buy', 'future_spend + 1')) l (name, label)) x, small s GROUP BY amount, name ORDER BY amount, name;
SELECT is((SELECT ROW(model_info(m) ->> 'amount', model_info(m) ->> 'buyers', jsonb_array_length(model_info(m) -> 'comparison'))::text), '(log,1,1)', 'one way is compared with none') FROM (SELECT pg_temp.spend('future_spend + 1', '{"amount": "log"}') AS m) x;
SELECT is((model_info(pg_temp.spend('future_spend - 20')) ->> 'buyers')::float8, (SELECT avg((future_spend > 20)::int)::float8 FROM small), 'who returns more is no buyer');
SELECT is(model_info(pg_temp.spend('CASE WHEN frequency > 1 THEN future_spend END')) ->> 'rows', (SELECT count(*) FROM small WHERE frequency > 1)::text, 'rows without a label are left out');
SELECT is(ltv_fit(s, 'future_spend'), NULL, 'NULL for no rows') FROM small s WHERE false;
SELECT matches(pg_temp.complaint($$SELECT pg_temp.spend('0')$$), '^22023 . ltv_fit: the label is not positive in any row: there is nothing to learn', 'nobody buys');
SELECT matches(pg_temp.complaint($$SELECT pg_temp.spend('-recency_days * frequency - 1')$$), '^22023 . ltv_fit: the label is not positive in any row', 'or all return');
SELECT is(pg_temp.complaint($$SELECT pg_temp.spend('region')$$), '22023 | ltv_fit: the label must be a number, the money spent', 'a text is no money');
SELECT is(pg_temp.complaint($$SELECT pg_temp.spend('future_spend', '{"amount": "cubic"}')$$), '22023 | option "amount" of ltv_fit must be one of "auto", "linear", "log", "trend"', 'an unknown amount');
SELECT matches(pg_temp.complaint($$SELECT pg_temp.spend('future_spend', '{"class_weight": "balanced"}')$$), 'option "class_weight" applies to classes, and the label is a number', 'numbers have no classes');
SELECT matches(pg_temp.complaint($$SELECT pg_temp.spend('future_spend', '{"medium": 0.5}')$$), '^22023 . ltv_fit has no option "medium"', 'nor bands');
SELECT is((SELECT count(*) FILTER (WHERE ltv_predict(m, s) IS NULL) FROM small s), (SELECT count(*) FROM small WHERE gap_sd_days IS NULL), 'impute skip: no value, no prediction')
FROM (SELECT ltv_fit(s, 'future_spend', '{"impute": "skip", "folds": 2, "amount": "trend"}') AS m FROM small s) x;

-- ---- arrays
CREATE TABLE array_models AS SELECT churn_fit(churned, ARRAY[recency_days, frequency, monetary], '{"folds": 2}') AS churn, ltv_fit(future_spend, ARRAY[recency_days, frequency, monetary], '{"folds": 2}') AS ltv FROM small;
SELECT ok(bool_and(churn_predict(churn, f) = predict(churn, f) AND ltv_predict(ltv, f) = predict(ltv, f) AND churn_risk(churn, f) IN ('low', 'medium', 'high')), 'arrays') FROM array_models, LATERAL (SELECT ARRAY[recency_days, frequency, monetary]::float8[] AS f FROM small) x;
SELECT matches((SELECT concat_ws('; ', e.reason_1, e.reason_2, e.reason_3) FROM churn_explain(churn, ARRAY[30, NULL, 100]) e), '^(x1 = 30|x2 is missing|x3 = 100)(; (x1 = 30|x2 is missing|x3 = 100))*$', 'explained by position') FROM array_models;
SELECT ok(churn_fit(churned, ARRAY[recency_days]) IS NOT NULL AND ltv_fit(future_spend, ARRAY[recency_days]) IS NOT NULL, 'with the default options') FROM small;
SELECT matches(pg_temp.complaint($$SELECT churn_fit(churned, ARRAY[recency_days], '{"group": "a"}') FROM small$$), 'the columns of an array have no names to choose a weight or group by', 'without groups');

-- ---- GROUP BY, FILTER
CREATE TABLE regions AS SELECT region, churn_fit(s, 'churned', '{"folds": 2, "exclude": ["region"]}') AS churn, ltv_fit(s, 'future_spend', '{"folds": 2, "exclude": ["region"]}') AS ltv FROM small s GROUP BY region;
SELECT is((SELECT ROW(churn, ltv) FROM regions WHERE region = 'north'), (SELECT ROW(churn_fit(s, 'churned', '{"folds": 2, "exclude": ["region"]}'), ltv_fit(s, 'future_spend', '{"folds": 2, "exclude": ["region"]}')) FROM small s WHERE region = 'north'), 'a model for each region');
SELECT is((SELECT churn FROM regions WHERE region = 'south'), (SELECT churn_fit(s, 'churned', '{"folds": 2, "exclude": ["region"]}') FILTER (WHERE region = 'south') FROM small s), 'FILTER');

-- ---- the same bytes
CREATE TABLE shuffled AS SELECT * FROM small ORDER BY md5(customer_id || recency_days);
ALTER TABLE shuffled SET (parallel_workers = 2);
ANALYZE shuffled;
CREATE FUNCTION pg_temp.fit_all(source regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT md5(churn_fit(s, ''churned'', ''{"folds": 3}'')) || md5(ltv_fit(s, ''future_spend'', ''{"folds": 3}'')) FROM %s s', source) INTO result;
    RETURN result;
END $$;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL retailml.threads = 1;
CREATE TABLE serial AS SELECT pg_temp.fit_all('small') AS m;
SELECT is(pg_temp.fit_all('shuffled'), m, 'whatever the order of the rows') FROM serial;
SET LOCAL retailml.threads = 2;
SELECT is(pg_temp.fit_all('shuffled'), m, 'or the threads') FROM serial;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL cpu_tuple_cost = 10;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text = '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP result = result || line; END LOOP;
    RETURN result;
END $$;
SELECT matches(pg_temp.plan_of($$SELECT churn_fit(s, 'churned'), ltv_fit(s, 'future_spend') FROM shuffled s$$), '^Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan', 'rows are collected by workers');
SELECT is(pg_temp.fit_all('shuffled'), m, 'or the plan') FROM serial;

-- ---- the wrong model, the wrong row
SELECT is(pg_temp.complaint('SELECT churn_predict(ltv, c) FROM models, customers c'), '22023 | churn_predict needs a model of churn, this one is of ltv | predict(model, row) and model_info(model) take this one.', 'a model of ltv');
SELECT is(pg_temp.complaint('SELECT ltv_predict(churn, c) FROM models, customers c'), '22023 | ltv_predict needs a model of ltv, this one is of churn | predict(model, row) and model_info(model) take this one.', 'or of churn');
SELECT matches(pg_temp.complaint('SELECT churn_risk(ltv, c) FROM models, customers c'), '^22023 . churn_risk needs a model of churn', 'for bands');
SELECT matches(pg_temp.complaint('SELECT churn_explain(ltv, c) FROM models, customers c'), '^22023 . churn_explain needs a model of churn', 'and reasons');
SELECT matches(pg_temp.complaint('SELECT churn_predict(churn, c) FROM models, (SELECT 1 AS recency_days) c'), '^42703 .*tenure_days', 'a row without its columns');
SELECT matches(pg_temp.complaint('SELECT churn_predict(churn, ARRAY[1.0]::float8[]) FROM models'), 'was trained on rows with named columns', 'an array');
SELECT matches(pg_temp.complaint('SELECT model_sql(churn) FROM models'), 'a model of churn cannot be written as one SQL expression', 'no expression');
SELECT matches(pg_temp.complaint($$SELECT churn_fit(s, 'churned') FROM (SELECT churned, frequency / 0.0::float8 AS x FROM small WHERE frequency < 0 UNION ALL SELECT churned, 'infinity' FROM small) s$$), '"x"', 'infinity names its column');
SET LOCAL retailml.max_memory = '1MB';
SELECT matches(pg_temp.complaint($$SELECT churn_fit(s, 'churned') FROM (SELECT i % 3 = 0 AS churned, i % 101 AS a, i % 97 AS b FROM generate_series(1, 30000) i) s$$), '^53400 . churn_fit needs .* MB, retailml.max_memory is 1 MB', 'more than retailml.max_memory');

-- an id that cannot be read is no group, and no feature either
RESET retailml.max_memory;
SELECT is(model_info(churn_fit(r, 'churned', '{"folds": 2}')) ->> 'grouped', 'false', 'a customer_id of type uuid is left alone')
FROM (SELECT md5(i::text)::uuid AS customer_id, i % 7 AS orders, i % 3 = 0 AS churned FROM generate_series(1, 60) i) r;

SELECT * FROM finish();
ROLLBACK;
