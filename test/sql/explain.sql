\set ECHO none
\pset format unaligned
\pset tuples_only on
-- What supervised models say about predictions and about themselves.  The numbers of the contributions are checked
-- against shap in test/unit/test_tree_shap.c.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(84);

CREATE FUNCTION pg_temp.complaint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text;
BEGIN
    EXECUTE call;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE TABLE facts AS
SELECT i AS id, i * 7919 % 97 AS recency, CASE WHEN i % 11 = 0 THEN NULL WHEN i % 13 = 0 THEN 'NaN' ELSE i * 104729 % 1000 / 10.0 END::float8 AS "Total Spend",
    CASE WHEN i % 9 > 0 THEN (ARRAY['web', 'app', 'store', 'it''s'])[1 + i % 4] END AS channel, CASE WHEN i % 7 > 0 THEN i % 5 = 0 END AS active, (i * 31 % 17)::numeric AS orders
FROM generate_series(1, 600) i;
CREATE TABLE labelled AS
SELECT *, CASE WHEN recency < 40 AND coalesce(channel, '') <> 'app' OR orders > 12 THEN 'yes' ELSE 'no' END AS churned,
    (ARRAY['a', 'b', 'c'])[1 + (recency / 20 + coalesce(length(channel), 9))::int % 3] AS grp,
    recency * 0.5 + coalesce(nullif("Total Spend", 'NaN'), 3) * 2 - CASE WHEN active THEN 30 ELSE 0 END AS num
FROM facts;
-- rows as they may come later: unseen categories, everything missing
CREATE TABLE later AS SELECT * FROM facts UNION ALL SELECT 1001, NULL, NULL, NULL, NULL, NULL UNION ALL SELECT 1002, 50, 'NaN', 'phone', true, NULL UNION ALL SELECT 1003, -1, 500, '', false, -30;

CREATE TABLE models (name text, model bytea);
INSERT INTO models SELECT 'tree', tree_fit(f, 'churned', '{"exclude": ["id", "grp", "num"]}') FROM labelled f;
INSERT INTO models SELECT 'tree of three', tree_fit(f, 'grp', '{"exclude": ["id", "churned", "num"]}') FROM labelled f;
INSERT INTO models SELECT 'tree of numbers', tree_fit(f, 'num', '{"exclude": ["id", "churned", "grp"]}') FROM labelled f;
INSERT INTO models SELECT 'forest', forest_fit(f, 'churned', '{"exclude": ["id", "grp", "num"], "n_trees": 8}') FROM labelled f;
INSERT INTO models SELECT 'forest of three', forest_fit(f, 'grp', '{"exclude": ["id", "churned", "num"], "n_trees": 5}') FROM labelled f;
INSERT INTO models SELECT 'forest of numbers', forest_fit(f, 'num', '{"exclude": ["id", "churned", "grp"], "n_trees": 5}') FROM labelled f;
INSERT INTO models SELECT 'boost', boost_fit(f, 'churned', '{"exclude": ["id", "grp", "num"], "n_trees": 12}') FROM labelled f;
INSERT INTO models SELECT 'boost of three', boost_fit(f, 'grp', '{"exclude": ["id", "churned", "num"], "n_trees": 6}') FROM labelled f;
INSERT INTO models SELECT 'boost of numbers', boost_fit(f, 'num', '{"exclude": ["id", "churned", "grp"], "n_trees": 12}') FROM labelled f;
INSERT INTO models SELECT 'linreg', linreg_fit(f, 'num', '{"exclude": ["id", "churned", "grp"]}') FROM labelled f;
INSERT INTO models SELECT 'logreg', logreg_fit(f, 'churned', '{"exclude": ["id", "grp", "num"]}') FROM labelled f;
INSERT INTO models SELECT 'logreg of three', logreg_fit(f, 'grp', '{"exclude": ["id", "churned", "num"]}') FROM labelled f;
CREATE TABLE clusters AS SELECT kmeans_fit(f, 3) AS model FROM (SELECT recency, orders FROM facts) f;
CREATE FUNCTION pg_temp.model(wanted text) RETURNS bytea LANGUAGE sql STABLE AS $$ SELECT model FROM models WHERE name = wanted $$;

-- ---- contributions add up to the score
CREATE TEMP TABLE explained AS
SELECT m.name, f.id, predict(m.model, f) AS prediction, sum(e.contribution) AS score, count(*) AS n
FROM models m, later f, predict_explain(m.model, f) e GROUP BY m.name, f.id, m.model, f;
SELECT is((SELECT array_agg(DISTINCT n) FROM explained), ARRAY[6]::bigint[], 'a base and a contribution for each feature');
SELECT ok(bool_and(abs(score - prediction) < 1e-10), name || ': they add up to the prediction') FROM explained WHERE name IN ('tree', 'forest', 'tree of numbers', 'forest of numbers', 'boost of numbers', 'linreg') GROUP BY name ORDER BY name;
SELECT ok(bool_and(abs(1 / (1 + exp(-score)) - prediction) < 1e-10), name || ': to its log-odds') FROM explained WHERE name IN ('boost', 'logreg') GROUP BY name ORDER BY name;
SELECT ok(bool_and(abs(x.score - (predict_proba(m.model, f))[x.prediction::int]) < 1e-10), x.name || ': to the probability of the predicted class')
    FROM explained x JOIN models m USING (name) JOIN later f USING (id) WHERE x.name IN ('tree of three', 'forest of three') GROUP BY x.name ORDER BY x.name;

CREATE TEMP TABLE by_class AS
SELECT m.name, f.id, c.position, c.class, (predict_proba(m.model, f))[c.position] AS probability, sum(e.contribution) AS score
FROM models m, later f, model_classes(m.model) c, predict_explain(m.model, f, c.class) e WHERE m.name !~ 'numbers|linreg' AND f.id % 10 = 1 GROUP BY m.name, f.id, c.position, c.class, m.model, f;
SELECT ok(bool_and(abs(score - probability) < 1e-10), name || ': to the probability of the class asked about') FROM by_class WHERE name ~ 'tree|forest' GROUP BY name ORDER BY name;
SELECT ok(bool_and(abs(exp(score) / total - probability) < 1e-10), name || ': to a score of which softmax makes its probability')
    FROM (SELECT *, sum(exp(score)) OVER (PARTITION BY name, id) AS total FROM by_class WHERE name IN ('boost of three', 'logreg of three')) x GROUP BY name ORDER BY name;
SELECT ok(bool_and(abs(score + other) < 1e-10), name || ': the other class of two has the opposite score')
    FROM (SELECT name, score, sum(score) OVER (PARTITION BY name, id) - score AS other FROM by_class WHERE name IN ('boost', 'logreg')) x GROUP BY name ORDER BY name;
SELECT is((SELECT array_agg(contribution) FROM labelled f, predict_explain(pg_temp.model('boost'), f) WHERE id = 5), (SELECT array_agg(contribution) FROM labelled f, predict_explain(pg_temp.model('boost'), f, 'yes') WHERE id = 5), 'of two classes the positive one is explained');

-- ---- what is said
SELECT is((SELECT array_agg(feature ORDER BY n) FROM labelled f, ROWS FROM (predict_explain(pg_temp.model('tree'), f)) WITH ORDINALITY AS e(feature, value, contribution, n) WHERE id = 7), '{(base),orders,recency,channel,"Total Spend",active}', 'the base, then the largest contributions, then in order');
SELECT ok(bool_and(n = 1 OR n = 2 OR contribution <= before), 'by size, whatever the sign')
    FROM (SELECT n, abs(contribution) AS contribution, lag(abs(contribution)) OVER (PARTITION BY id, name ORDER BY n) AS before
          FROM models, labelled f, ROWS FROM (predict_explain(model, f)) WITH ORDINALITY AS e(feature, value, contribution, n) WHERE id < 60) x;
SELECT is((SELECT jsonb_object_agg(feature, value) FROM later f, predict_explain(pg_temp.model('tree'), f) WHERE id = 1001), '{"(base)": null, "active": null, "orders": null, "channel": null, "recency": null, "Total Spend": null}', 'missing values are NULL');
SELECT is((SELECT jsonb_object_agg(feature, value) FROM later f, predict_explain(pg_temp.model('tree'), f) WHERE id = 1002), '{"(base)": null, "active": "t", "orders": null, "channel": "phone (not seen in training)", "recency": "50", "Total Spend": null}', 'so is NaN; a category that was never seen is what it is');
SELECT is((SELECT count(*) FROM predict_explain(pg_temp.model('tree'), NULL::labelled)), 0::bigint, 'no row, no explanation');
SELECT is((SELECT count(*) FROM labelled f, predict_explain(NULL, f)), 0::bigint, 'nor without a model');
SELECT is((SELECT count(*) FROM (SELECT tree_fit(f, 'churned', '{"impute": "skip", "features": ["recency", "orders", "active"]}') AS model FROM labelled f) m, labelled f, predict_explain(model, f) WHERE f.id = 7), 0::bigint, 'nor where the prediction is NULL');

-- ---- classes and probabilities
SELECT results_eq($$SELECT position, class, rows FROM model_classes(pg_temp.model('forest'))$$, $$SELECT row_number() OVER (ORDER BY churned)::int, churned, count(*) FROM labelled GROUP BY churned ORDER BY churned$$, 'classes in order, with their rows');
SELECT ok(bool_and(abs(total - 1) < 1e-12), name || ': probabilities add up to 1') FROM (SELECT name, (SELECT sum(p) FROM unnest(predict_proba(model, f)) p) AS total FROM models, later f WHERE name !~ 'numbers|linreg') x GROUP BY name ORDER BY name;
SELECT ok(bool_and((predict_proba(model, f))[2] = predict(model, f)), name || ': of two classes the second is what predict gives') FROM models, later f WHERE name IN ('tree', 'forest', 'boost', 'logreg') GROUP BY name ORDER BY name;
SELECT ok(bool_and((predict_proba(model, f))[predict(model, f)::int] = (SELECT max(p) FROM unnest(predict_proba(model, f)) p)), name || ': of more predict gives the largest') FROM models, later f WHERE name ~ 'three' GROUP BY name ORDER BY name;
SELECT is(predict_proba(NULL, f), NULL, 'no model, no probabilities') FROM labelled f WHERE id = 1;
SELECT is(predict_proba(model, f), NULL, 'none for a row that is not scored') FROM (SELECT tree_fit(f, 'churned', '{"impute": "skip", "features": ["recency", "active"]}') AS model FROM labelled f) m, labelled f WHERE f.id = 7;

-- ---- importance
SELECT ok(bool_and((abs(total - 1) < 1e-12 OR name ~ 'reg') AND ranks = '{1,2,3,4,5}' AND falling), 'shares of 1, the largest first')
    FROM (SELECT name, sum(gain) AS total, array_agg(rank) AS ranks, bool_and(gain <= before OR before IS NULL) AS falling FROM (SELECT name, i.*, lag(gain) OVER (PARTITION BY name ORDER BY rank) AS before FROM models, model_importance(model) i) x GROUP BY name) y;
SELECT is((SELECT array_agg(feature) FROM model_importance(pg_temp.model('tree')) WHERE gain > 0), '{recency,orders,channel}', 'what the label is made of matters');
SELECT is((SELECT sum(splits) + 1 FROM model_importance(pg_temp.model('tree'))), (SELECT count(*)::numeric FROM tree_rules(pg_temp.model('tree'))), 'splits are one less than leaves');

-- ---- rules: evaluated as SQL for every row
CREATE FUNCTION pg_temp.true_rules(model bytea, tree int) RETURNS TABLE (id int, rules bigint, value float8, class text, probability float8) LANGUAGE plpgsql AS $$
DECLARE
    r record; parts text[] = '{}';
BEGIN
    FOR r IN SELECT * FROM tree_rules(model, tree) LOOP
        parts = parts || format('SELECT id, %L::float8 AS value, %L AS class, %L::float8 AS probability FROM later WHERE %s', r.value, r.class, r.probability, r.rule);
    END LOOP;
    RETURN QUERY EXECUTE format('SELECT id, count(*), min(value), min(class), min(probability) FROM (%s) x GROUP BY id', array_to_string(parts, ' UNION ALL '));
END $$;
CREATE TEMP TABLE ruled AS SELECT m.name, t AS tree, r.* FROM models m, generate_series(1, 5) t, pg_temp.true_rules(m.model, t) r WHERE name !~ 'reg' AND (t = 1 OR name !~ 'tree');
SELECT ok(bool_and(rules = 1) AND count(*) = 603 * count(DISTINCT tree), name || ': exactly one rule is true for each row') FROM ruled GROUP BY name ORDER BY name;
SELECT ok(bool_and(value = predict(m.model, f)), m.name || ': and says what the tree predicts') FROM ruled JOIN models m USING (name) JOIN later f USING (id) WHERE name IN ('tree', 'tree of numbers') GROUP BY m.name ORDER BY m.name;
SELECT ok(bool_and(class = predict_label(m.model, f) AND abs(probability - (SELECT max(p) FROM unnest(predict_proba(m.model, f)) p)) < 1e-12), m.name || ': and its class') FROM ruled JOIN models m USING (name) JOIN later f USING (id) WHERE name IN ('tree', 'tree of three') GROUP BY m.name ORDER BY m.name;
SELECT ok(bool_and(abs(mean - predict(m.model, f)) < 1e-10), 'a forest is the mean of its trees') FROM (SELECT id, avg(value) AS mean FROM ruled WHERE name = 'forest of numbers' GROUP BY id) x JOIN later f USING (id), models m WHERE name = 'forest of numbers';
SELECT ok(abs(max(rest) - min(rest)) < 1e-10, 'a boosted model is a constant and the sum of its trees')
    FROM (SELECT f.id, (SELECT predict(m.model, f) - sum(r.value) FROM generate_series(1, 12) t, pg_temp.true_rules(m.model, t) r WHERE r.id = f.id) AS rest FROM later f, models m WHERE name = 'boost of numbers' AND f.id % 100 = 1) x;
SELECT is((SELECT array_agg(DISTINCT class ORDER BY class) FROM ruled WHERE name = 'boost of three' AND tree <= 3), '{a,b,c}', 'a boosted tree is for one of several classes');
SELECT ok(abs(sum(share) - 1) < 1e-12 AND sum(rows) = 600, 'all training rows are in some leaf') FROM tree_rules(pg_temp.model('tree of numbers'));
SELECT is((SELECT array_agg(rule) FROM tree_rules(pg_temp.model('tree'))), ARRAY['recency <= 39.5 AND channel = ''app'' AND (orders <= 12.5 OR orders IS NULL)',
    'recency <= 39.5 AND (channel <> ''app'' OR channel IS NULL) AND (orders <= 12.5 OR orders IS NULL)', '(recency > 39.5 OR recency IS NULL) AND (orders <= 12.5 OR orders IS NULL)', 'orders > 12.5'], 'as they are written');

-- ---- models of arrays
CREATE TABLE arrays AS SELECT tree_fit(churned, ARRAY[recency, orders]::float8[]) AS model FROM labelled;
SELECT ok((SELECT bool_and(rule ~ '^\(?x\[[12]\]') FROM arrays, tree_rules(model)), 'rules are over the elements of x');
SELECT is((SELECT array_agg(value) FROM arrays, predict_explain(model, ARRAY[46, NULL]::float8[]) WHERE feature <> '(base)'), '{46,NULL}', 'elements have their values');
SELECT ok((SELECT abs(sum(contribution) - min(predict(model, ARRAY[46, 13]))) < 1e-12 FROM arrays, predict_explain(model, ARRAY[46, 13])), 'contributions of arrays add up');
SELECT ok((SELECT (predict_proba(model, ARRAY[46, 13]))[2] = predict(model, ARRAY[46, 13]) FROM arrays), 'probabilities of arrays');

-- ---- a parallel plan gives the same
CREATE TEMP TABLE serial AS SELECT sum((predict_proba(model, f))[1]::numeric) AS a FROM models, labelled f WHERE name = 'forest of three';
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;
SELECT is((SELECT sum((predict_proba(model, f))[1]::numeric) FROM labelled f, models WHERE name = 'forest of three'), (SELECT a FROM serial), 'predict_proba in parallel workers');
SELECT is((SELECT count(DISTINCT proparallel::text || provolatile::text) FROM pg_proc WHERE pronamespace = 'retailml'::regnamespace AND proname IN ('predict_proba', 'predict_explain', 'model_classes', 'model_importance', 'tree_rules', 'model_sql')), 1::bigint, 'all are immutable and parallel safe');

-- ---- errors
SELECT is(pg_temp.complaint($$SELECT predict_proba(model, f) FROM clusters, facts f$$), '22023 | predict_proba needs a model that predicts a label, this one is of kmeans | Such models are made by linreg_fit, logreg_fit, tree_fit, forest_fit and boost_fit.', 'no supervised model');
SELECT ok(pg_temp.complaint($$SELECT * FROM clusters, facts f, predict_explain(model, f)$$) ~ '^22023 . predict_explain needs a model that predicts a label', 'nothing to explain');
SELECT ok(pg_temp.complaint($$SELECT * FROM clusters, model_importance(model)$$) ~ '^22023 . model_importance needs a model that predicts a label', 'no importance');
SELECT ok(pg_temp.complaint($$SELECT * FROM clusters, model_classes(model)$$) ~ '^22023 . model_classes needs a model that predicts a label', 'no classes');
SELECT is(pg_temp.complaint($$SELECT predict_proba(pg_temp.model('tree of numbers'), f) FROM facts f$$), '22023 | predict_proba needs a model of classes, this one predicts the number "num" | predict(model, row) gives the number.', 'a number has no probabilities');
SELECT is(pg_temp.complaint($$SELECT e.* FROM facts f, predict_explain(pg_temp.model('tree of three'), f, 'd') e$$), '22023 | the model has no class "d" | Its classes are: "a", "b", "c".', 'an unknown class');
SELECT is(pg_temp.complaint($$SELECT e.* FROM facts f, predict_explain(pg_temp.model('boost of numbers'), f, 'a') e$$), '22023 | a model that predicts the number "num" has no class "a" | Leave the class out.', 'a class of a number');
SELECT is(pg_temp.complaint($$SELECT * FROM clusters, tree_rules(model)$$), '22023 | tree_rules needs a model of trees, this one is of kmeans | Models of trees are made by tree_fit, forest_fit and boost_fit.', 'no trees');
SELECT is(pg_temp.complaint($$SELECT * FROM tree_rules(pg_temp.model('forest'), 9)$$), '22023 | tree 9 is out of range 1 .. 8 | Trees are numbered from 1.', 'no such tree');
SELECT ok(pg_temp.complaint($$SELECT * FROM tree_rules(pg_temp.model('forest'), 0)$$) ~ '^22023 . tree 0 is out of range', 'nor this');
SELECT ok(pg_temp.complaint($$SELECT e.* FROM (SELECT 1 AS recency) f, predict_explain(pg_temp.model('tree'), f) e$$) ~ '^42703', 'missing columns');

SELECT * FROM finish();
ROLLBACK;
