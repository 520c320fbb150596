\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Choosing models and features.  Measures are checked against scikit-learn in test/unit/test_cross_validate.c; here
-- against the same done by hand: with as many folds as groups, each fold is one group.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(67);

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

-- NULLs, and a category that only one region has
CREATE TABLE visits AS
SELECT i AS id, 'r' || i % 4 AS region, CASE WHEN i % 13 > 0 THEN sin(i * 1.1) * 2 END AS a, CASE WHEN i % 17 > 0 THEN cos(i * 2.3) END AS b, (i * 7919 % 101) / 50.0 AS c,
    CASE WHEN i % 4 = 2 AND i % 3 = 0 THEN 'only here' WHEN i % 5 = 0 THEN NULL ELSE chr(97 + i % 3) END AS channel,
    sin(i * 1.1) * 2 + cos(i * 2.3) + (i * 104729 % 97) / 97.0 * 2 - 1 > 0.3 AS churned,
    (ARRAY['low', 'mid', 'top'])[1 + (i * 31 % 7 + i % 3) % 3] AS tier, sin(i * 1.1) * 2 - cos(i * 2.3) * 3 + (i * 104729 % 97) / 97.0 AS spend
FROM generate_series(1, 400) i;

-- ---- the same by hand
CREATE VIEW by_hand AS
WITH models AS (
    SELECT held, linreg_fit((SELECT x FROM (SELECT v.a, v.b, v.c, v.channel, v.spend) x), 'spend') AS linreg,
        boost_fit((SELECT x FROM (SELECT v.a, v.b, v.c, v.channel, v.churned) x), 'churned', '{"n_trees": 20}') AS boost,
        boost_fit((SELECT x FROM (SELECT v.a, v.b, v.c, v.channel, v.tier) x), 'tier', '{"n_trees": 20}') AS tiers
    FROM visits v JOIN (SELECT DISTINCT region AS held FROM visits) r ON v.region <> held GROUP BY held)
SELECT held, regression_metrics(spend, predict(linreg, v)) AS numbers, binary_metrics(churned, predict(boost, v)) AS two,
    avg(-ln((predict_proba(tiers, v))[CASE tier WHEN 'low' THEN 1 WHEN 'mid' THEN 2 ELSE 3 END])) AS loss,
    avg((predict_label(tiers, v) = tier)::int) AS accuracy
FROM models m JOIN visits v ON v.region = held GROUP BY held;

CREATE FUNCTION pg_temp.cells(label text, options jsonb) RETURNS SETOF cv_result LANGUAGE sql AS $$
    SELECT r.* FROM (SELECT cross_validate(v, label, '{"group": "region", "folds": 4, "features": ["a", "b", "c", "channel"]}' || options) AS cells FROM visits v) s, unnest(cells) r $$;
SELECT ok(abs(rmse - r) < 1e-9 AND abs(mae - m) < 1e-9 AND abs(r2 - q) < 1e-9 AND abs(rmse_sd - s) < 1e-9 AND abs(r2_sd - qs) < 1e-9, 'numbers: mean and deviation of fits to all regions but one')
FROM pg_temp.cells('spend', '{"algorithm": "linreg"}'), (SELECT avg((numbers).rmse) AS r, stddev_pop((numbers).rmse) AS s, avg((numbers).mae) AS m, avg((numbers).r2) AS q, stddev_pop((numbers).r2) AS qs FROM by_hand) h;
SELECT ok(log_loss IS NULL AND accuracy IS NULL AND f1_sd IS NULL AND cell = 1 AND algorithm = 'linreg' AND params = '{}' AND rank = 1 AND is_best AND fit_seconds BETWEEN 0 AND 60, 'and nothing about classes')
FROM pg_temp.cells('spend', '{"algorithm": "linreg"}');
SELECT ok(abs(c.log_loss - h.loss) < 1e-9 AND abs(c.roc_auc - h.auc) < 1e-9 AND abs(c.pr_auc - h.pr) < 1e-9 AND abs(c.accuracy - h.accuracy) < 1e-9 AND abs(c.brier - h.brier) < 1e-9
        AND abs(c.f1 - h.f1) < 1e-9 AND abs(c.log_loss_sd - h.loss_sd) < 1e-9 AND c.rmse IS NULL, 'two classes')
FROM pg_temp.cells('churned', '{"n_trees": 20}') c, (SELECT avg((two).log_loss) AS loss, stddev_pop((two).log_loss) AS loss_sd, avg((two).roc_auc) AS auc, avg((two).pr_auc) AS pr,
    avg((two).accuracy) AS accuracy, avg((two).brier) AS brier, avg((two).f1) AS f1 FROM by_hand) h;
SELECT ok(abs(c.log_loss - h.loss) < 1e-9 AND abs(c.accuracy - h.accuracy) < 1e-9 AND c.roc_auc BETWEEN 0 AND 1 AND c.pr_auc IS NULL AND c.brier IS NULL, 'three classes')
FROM pg_temp.cells('tier', '{"n_trees": 20}') c, (SELECT avg(loss) AS loss, avg(accuracy) AS accuracy FROM by_hand) h;

-- ---- grids
CREATE TABLE tried AS SELECT * FROM pg_temp.cells('churned', '{"grid": {"algorithm": ["logreg", "boost", "tree"], "max_depth": [2, 4], "n_trees": [10, 20], "l2": [0, 1]}, "min_samples_leaf": 5}');
SELECT is((SELECT string_agg(concat_ws(' ', algorithm, params), ', ' ORDER BY cell) FROM tried),
    'logreg {"l2": 0}, logreg {"l2": 1}, boost {"l2": 0, "n_trees": 10, "max_depth": 2}, boost {"l2": 0, "n_trees": 10, "max_depth": 4}, boost {"l2": 0, "n_trees": 20, "max_depth": 2}, '
    || 'boost {"l2": 0, "n_trees": 20, "max_depth": 4}, boost {"l2": 1, "n_trees": 10, "max_depth": 2}, boost {"l2": 1, "n_trees": 10, "max_depth": 4}, boost {"l2": 1, "n_trees": 20, "max_depth": 2}, '
    || 'boost {"l2": 1, "n_trees": 20, "max_depth": 4}, tree {"max_depth": 2}, tree {"max_depth": 4}', 'every combination of what an algorithm has, none twice');
SELECT ok(bool_and(rank = r) AND count(*) FILTER (WHERE is_best) = 1 AND bool_or(is_best AND r = 1), 'ranked by log loss')
FROM (SELECT *, rank() OVER (ORDER BY log_loss) AS r FROM tried) x;
SELECT ok(bool_and(rank = r), 'or by what is asked for')
FROM (SELECT *, rank() OVER (ORDER BY roc_auc DESC) AS r FROM pg_temp.cells('churned', '{"grid": {"max_depth": [1, 2, 3]}, "n_trees": 10, "metric": "roc_auc"}')) x;
SELECT is((SELECT log_loss FROM tried WHERE algorithm = 'boost' AND params = '{"l2": 1, "n_trees": 20, "max_depth": 4}'),
    (SELECT log_loss FROM pg_temp.cells('churned', '{"l2": 1, "n_trees": 20, "max_depth": 4, "min_samples_leaf": 5}')), 'a cell is what it would be alone');
SELECT isnt((SELECT log_loss FROM pg_temp.cells('churned', '{"n_trees": 10}')), (SELECT log_loss FROM pg_temp.cells('churned', '{"n_trees": 10, "class_weight": {"true": 5}}')), 'class weights count');
SELECT isnt((SELECT log_loss FROM pg_temp.cells('churned', '{"n_trees": 10}')), (SELECT log_loss FROM pg_temp.cells('churned', '{"n_trees": 10, "resample": "smote"}')), 'resampling counts');
SELECT is((SELECT array_agg(params ORDER BY cell) FROM pg_temp.cells('churned', '{"n_trees": 5, "grid": {"class_weight": ["none", {"true": 2}]}}')), '{"{\"class_weight\": \"none\"}","{\"class_weight\": {\"true\": 2}}"}'::jsonb[],
    'values may be anything an option takes');

-- ---- folds
SELECT is((SELECT count(DISTINCT log_loss) FROM generate_series(1, 3) s, LATERAL (SELECT cross_validate(v, 'churned', jsonb_build_object('algorithm', 'logreg', 'exclude', '{id,spend}'::text[], 'seed', s)) AS cells FROM visits v) x, unnest(cells)),
    3::bigint, 'another seed deals other folds');
-- one key for two rows each: with groups the twins are held out together, without one of them gives the other away
CREATE TABLE twins AS SELECT i / 2 AS customer, sin(i / 2 * 1.7) AS x, hashint4(i / 2) % 2 = 0 AS churned FROM generate_series(2, 401) i;
SELECT ok((SELECT accuracy FROM (SELECT cross_validate(t, 'churned', '{"algorithm": "tree", "max_depth": 0, "min_samples_leaf": 1, "features": ["x"]}') AS c FROM twins t) s, unnest(c)) > 0.8, 'without groups a twin gives the label away');
SELECT ok((SELECT accuracy FROM (SELECT cross_validate(t, 'churned', '{"algorithm": "tree", "max_depth": 0, "min_samples_leaf": 1, "features": ["x"], "group": "customer"}') AS c FROM twins t) s, unnest(c)) < 0.65, 'with groups it does not');

-- ---- rfecv
CREATE FUNCTION pg_temp.planted(seed int, rows int) RETURNS TABLE (label boolean, x float8[]) LANGUAGE sql AS $$
    SELECT 1 / (1 + exp(-(x[1] + x[11] + x[21] + x[31] + x[41]))) > rnd, x
    FROM (SELECT i, array_agg(sqrt(-2 * ln((hashint8extended(i * 64 + j, seed) & 1048575) / 1048576.0 + 1e-7)) * cos(2 * pi() * (hashint8extended(i * 64 + j, seed + 1000) & 1048575) / 1048576.0) ORDER BY j) AS x,
            (hashint8extended(i, seed + 2000) & 1048575) / 1048576.0 AS rnd
        FROM generate_series(1, rows) i, generate_series(1, 50) j GROUP BY i) s $$;
SELECT ok(kept >= 4 AND wrong <= 2, '5 informative of 50 features, defaults: at least 4 are kept and at most 2 others, seed ' || seed)
FROM (SELECT seed, (SELECT count(*) FILTER (WHERE f IN ('x1', 'x11', 'x21', 'x31', 'x41')) FROM unnest(features) f) AS kept, (SELECT count(*) FILTER (WHERE f NOT IN ('x1', 'x11', 'x21', 'x31', 'x41')) FROM unnest(features) f) AS wrong
    FROM generate_series(1, 2) seed, LATERAL (SELECT rfecv(label, x) AS steps FROM pg_temp.planted(seed, 500)) s, unnest(steps) WHERE selected) x;
CREATE TABLE eliminated AS SELECT e.* FROM (SELECT rfecv(v, 'churned', '{"exclude": ["id", "spend", "tier"], "n_trees": 30, "group": "region", "folds": 4, "step": 1}') AS steps FROM visits v) s, unnest(steps) WITH ORDINALITY e (n_features, metric, mean, sd, dropped, features, selected, step);
SELECT is((SELECT array_agg(n_features ORDER BY step) FROM eliminated), '{4,3,2,1}', 'a step for each size');
SELECT is((SELECT count(*) FROM eliminated WHERE selected), 1::bigint, 'one of them is selected');
SELECT ok(bool_and(cardinality(features) = n_features AND cardinality(dropped) = CASE WHEN step = 1 THEN 0 ELSE 1 END AND metric = 'log_loss' AND mean > 0 AND sd >= 0), 'with the features that are left and those that went') FROM eliminated;
SELECT ok(bool_and((features || dropped) @> before AND before @> (features || dropped)), 'which were there before') FROM (SELECT features, dropped, lag(features) OVER (ORDER BY step) AS before FROM eliminated) x WHERE before IS NOT NULL;
SELECT is((SELECT mean FROM eliminated WHERE step = 1), (SELECT log_loss FROM pg_temp.cells('churned', '{"algorithm": "forest", "n_trees": 30}')), 'all features: what cross_validate says');
SELECT is((SELECT features FROM (SELECT rfecv(v, 'spend', '{"features": ["a", "b", "c"], "algorithm": "linreg", "one_se": false}') AS steps FROM visits v) s, unnest(steps) WHERE n_features = 2), '{a,b}', 'a linear model knows its features, too');
SELECT is((SELECT array_agg(n_features) FROM (SELECT rfecv(v, 'spend', '{"features": ["a", "b", "c"], "algorithm": "linreg", "min_features": 2}') AS steps FROM visits v) s, unnest(steps)), '{3,2}', 'down to min_features');

-- ---- permutation_importance
CREATE TABLE models AS SELECT linreg_fit(v, 'spend', '{"features": ["a", "b"]}') AS linreg, boost_fit(v, 'churned', '{"features": ["a", "b", "c", "channel"]}') AS boost, forest_fit(v, 'tier', '{"features": ["a", "channel"], "n_trees": 20}') AS forest FROM visits v;
CREATE FUNCTION pg_temp.importances(model bytea, label text, options jsonb) RETURNS SETOF permutation_importance LANGUAGE sql AS $$
    SELECT p.* FROM (SELECT permutation_importance(model, v, label, options) AS features FROM visits v) s, unnest(features) p $$;
SELECT is((SELECT array_agg(feature ORDER BY rank) FROM pg_temp.importances((SELECT linreg FROM models), 'spend', '{}')), '{b,a}', 'the most important first');
SELECT ok(abs(baseline - r) < 1e-9 AND metric = 'rmse' AND importance > 0 AND sd > 0, 'beside what the model makes of the rows')
FROM pg_temp.importances((SELECT linreg FROM models), 'spend', '{}'), (SELECT (regression_metrics(spend, predict(linreg, v))).rmse AS r FROM visits v, models) h;
-- y = x1 exactly; mean squared distance of two random rows is twice the variance
CREATE TABLE exactly AS SELECT sin(i * 3.7) AS x, cos(i * 1.9) AS noise, sin(i * 3.7) AS y FROM generate_series(1, 5000) i;
SELECT ok(abs(importance - sqrt(2 * v)) < 0.02 * sqrt(2 * v), 'a shuffled feature is wrong by the distance of two random values')
FROM (SELECT permutation_importance((SELECT linreg_fit(e, 'y', '{"leak": "ignore"}') FROM exactly e), e, 'y', '{"repeats": 10}') AS f FROM exactly e) s, unnest(f), (SELECT var_pop(y) AS v FROM exactly) h WHERE feature = 'x';
SELECT ok(abs(importance - 2) < 0.06 AND baseline > 1 - 1e-9, 'r2 falls by twice the explained part')
FROM (SELECT permutation_importance((SELECT linreg_fit(e, 'y', '{"leak": "ignore"}') FROM exactly e), e, 'y', '{"metric": "r2"}') AS f FROM exactly e) s, unnest(f) WHERE feature = 'x';
SELECT ok(abs(importance) < 1e-9, 'and not at all for noise')
FROM (SELECT permutation_importance((SELECT linreg_fit(e, 'y', '{"leak": "ignore"}') FROM exactly e), e, 'y', '{"metric": "r2"}') AS f FROM exactly e) s, unnest(f) WHERE feature = 'noise';
SELECT is((SELECT count(*) FROM pg_temp.importances((SELECT boost FROM models), 'churned', '{"metric": "roc_auc"}')), 4::bigint, 'two classes');
SELECT is((SELECT string_agg(DISTINCT metric, ',') FROM pg_temp.importances((SELECT forest FROM models), 'tier', '{}')), 'log_loss', 'three classes');
SELECT is((SELECT permutation_importance(boost, v, 'churned') FROM visits v, models), (SELECT permutation_importance((SELECT boost FROM models), v, 'churned') FROM visits v), 'the model may come from a join');
SELECT ok(baseline IS NULL AND importance IS NULL AND rank IS NOT NULL, 'roc_auc of one class is not defined')
FROM (SELECT permutation_importance((SELECT boost FROM models), v, 'churned', '{"metric": "roc_auc"}') AS f FROM visits v WHERE churned) s, unnest(f) LIMIT 1;
SELECT is((SELECT array_agg(feature ORDER BY rank) FROM (SELECT permutation_importance((SELECT boost_fit(churned, ARRAY[c, a]) FROM visits), churned, ARRAY[c, a]) AS f FROM visits) s, unnest(f)), '{x2,x1}', 'arrays');

-- ---- NULL, groups of a query
SELECT ok(cross_validate(v, 'churned') IS NULL AND rfecv(v, 'churned') IS NULL AND permutation_importance((SELECT boost FROM models), v, 'churned') IS NULL, 'NULL for no rows') FROM visits v WHERE false;
SELECT ok(cross_validate(v, 'spend', '{"features": ["a"]}') IS NULL, 'or for no labels') FROM (SELECT a, NULL::float8 AS spend FROM visits) v;
SELECT is((SELECT array_agg(rmse ORDER BY region) FROM (SELECT region, cross_validate(v, 'spend', '{"algorithm": "linreg", "features": ["a", "b"]}') AS c FROM visits v GROUP BY region) s, unnest(c)),
    (SELECT array_agg(rmse ORDER BY r) FROM (SELECT r, (SELECT cross_validate(v, 'spend', '{"algorithm": "linreg", "features": ["a", "b"]}') FROM visits v WHERE region = r) AS c FROM (SELECT DISTINCT region AS r FROM visits) x) s, unnest(c)), 'GROUP BY');

-- ---- the order of rows, plans and threads do not matter
CREATE FUNCTION pg_temp.everything(ordering text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; model bytea = (SELECT boost FROM models);
BEGIN
    EXECUTE format('SELECT md5(concat(
        (SELECT string_agg(concat(cell, params, log_loss, roc_auc_sd, f1), '';'' ORDER BY cell) FROM unnest(cross_validate(v, ''churned'', ''{"exclude": ["id", "spend"], "grid": {"n_trees": [5, 10]}}''%1$s)) c),
        rfecv(v, ''churned'', ''{"exclude": ["id", "spend"], "n_trees": 10}''%1$s),
        permutation_importance($1, v, ''churned''%1$s))) FROM visits v', ordering) INTO result USING model;
    RETURN result;
END $$;
CREATE TABLE serial AS SELECT pg_temp.everything('') AS digest;
SELECT is(pg_temp.everything(' ORDER BY id % 7, id'), (SELECT digest FROM serial), 'rows in another order');
SET LOCAL retailml.threads = 2;
SELECT is(pg_temp.everything(''), (SELECT digest FROM serial), 'two threads');
SET LOCAL retailml.threads = DEFAULT;
ALTER TABLE visits SET (parallel_workers = 2);
ANALYZE visits;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text = '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP result = result || line; END LOOP;
    RETURN result;
END $$;
SELECT matches(pg_temp.plan_of('SELECT cross_validate(v, ''churned''), rfecv(v, ''churned''), permutation_importance(' || quote_literal(boost) || ', v, ''churned'') FROM visits v'),
    'Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan', 'rows are collected in workers') FROM models;
SELECT is(pg_temp.everything(''), (SELECT digest FROM serial), 'with the same results');
SELECT is((SELECT permutation_importance((SELECT boost_fit(churned, ARRAY[c, a] ORDER BY id) FROM visits), churned, ARRAY[c, a] ORDER BY id) FROM visits),
    (SELECT permutation_importance((SELECT boost_fit(churned, ARRAY[c, a]) FROM visits), churned, ARRAY[c, a]) FROM visits), 'arrays, too');
SET LOCAL max_parallel_workers_per_gather = 0;

-- ---- errors
SELECT is(pg_temp.complaint(call), message, message) FROM (VALUES
    ('SELECT cross_validate(v, ''churned'', ''{"algorithm": "magic"}'') FROM visits v', '22023 | option "algorithm" of cross_validate must be one of "linreg", "logreg", "tree", "forest", "boost"'),
    ('SELECT cross_validate(v, ''churned'', ''{"grid": {"algorithm": ["magic"]}}'') FROM visits v', '22023 | option "algorithm" of cross_validate must be one of "linreg", "logreg", "tree", "forest", "boost"'),
    ('SELECT cross_validate(v, ''churned'', ''{"grid": {"max_depth": 3}}'') FROM visits v', '22023 | option "grid" of cross_validate: "max_depth" must be an array of values to try | For example ''{"grid": {"max_depth": [3, 5]}}''.'),
    ('SELECT cross_validate(v, ''churned'', ''{"grid": {"max_depth": []}}'') FROM visits v', '22023 | option "grid" of cross_validate: "max_depth" must be an array of values to try | For example ''{"grid": {"max_depth": [3, 5]}}''.'),
    ('SELECT cross_validate(v, ''churned'', ''{"grid": {"depth": [3]}}'') FROM visits v', '22023 | option "grid" of cross_validate: boost has no option "depth" | A grid varies the options of the algorithm''s fit, and "algorithm".'),
    ('SELECT cross_validate(v, ''churned'', ''{"grid": {"positive": ["true"]}}'') FROM visits v', '22023 | option "grid" of cross_validate cannot vary "positive" | All cells are judged by the same label and rows.'),
    ('SELECT cross_validate(v, ''churned'', ''{"grid": {"max_depth": ["deep"]}}'') FROM visits v', '22023 | option "max_depth" of cross_validate must be an integer from 0 to 1000 | It is "deep".'),
    ('SELECT cross_validate(v, ''churned'', ''{"folds": 1}'') FROM visits v', '22023 | option "folds" of cross_validate must be an integer from 2 to 1000 | It is 1.'),
    ('SELECT cross_validate(v, ''churned'', ''{"features": ["a"], "metric": "rmse"}'') FROM visits v', '22023 | cross_validate: metric "rmse" does not apply: the label "churned" is one of two classes'),
    ('SELECT cross_validate(v, ''churned'', ''{"features": ["a"], "group": "region", "folds": 5}'') FROM visits v', '22023 | cross_validate: 4 groups cannot be dealt into 5 folds'),
    ('SELECT cross_validate(v, ''f'', ''{"features": ["a"], "group": "f", "folds": 2}'') FROM (SELECT a, id > 200 AS f FROM visits) v', '22023 | cross_validate: the label "f" is "false" in all training rows | This is a fit of boost to the rows that are not in fold 1. | Fewer or larger groups, fewer folds or another seed put other rows into the folds.'),
    ('SELECT cross_validate(v, ''spend'', ''{"features": ["a"], "class_weight": "balanced"}'') FROM visits v', '22023 | cross_validate: option "class_weight" applies to classes, and the label is a number | This is a fit of boost to the rows that are not in fold 1.'),
    ('SELECT rfecv(v, ''churned'', ''{"grid": {"max_depth": [3]}}'') FROM visits v', '22023 | rfecv has no option "grid" | Valid options are: features, exclude, max_categories, impute, algorithm, folds, group, metric, step, min_features, one_se, weight, class_weight, positive, task, resample, leak, seed, n_trees, max_depth, min_samples_leaf, min_samples_split, max_features, bootstrap.'),
    ('SELECT permutation_importance(NULL::bytea, v, ''churned'') FROM visits v', '22004 | permutation_importance: model must not be NULL'),
    ('SELECT permutation_importance(''\x00''::bytea, v, ''churned'') FROM visits v', 'XX001 | the model is damaged or not a model | The check says: the bytes do not begin like a retailml model. | Train the model again, or restore the value from a backup.'),
    ('SELECT permutation_importance((SELECT kmeans_fit(v, 2, ''{"features": ["a"]}'') FROM visits v), v, ''churned'') FROM visits v', '22023 | permutation_importance needs a model that predicts a label, this one is of kmeans'),
    ('SELECT permutation_importance(boost, v, ''tier'') FROM visits v, models', '22023 | permutation_importance: the label "tier" is "top" in some rows, a class the model does not know'),
    ('SELECT permutation_importance(boost, v, ''churned'', ''{"metric": "mae"}'') FROM visits v, models', '22023 | permutation_importance: metric "mae" does not apply: the label "churned" is one of two classes'),
    ('SELECT permutation_importance(boost, v, ''churned'', ''{"exclude": ["a"]}'') FROM visits v, models', '22023 | permutation_importance has no option "exclude" | Valid options are: metric, repeats, seed.'),
    ('SELECT permutation_importance(boost, v, ''churned'') FROM (SELECT a, b, channel AS c, channel, churned FROM visits) v, models', '42804 | permutation_importance: column "c" is of type text, it was of type numeric in training'),
    ('SELECT permutation_importance(m, v, ''churned'') FROM visits v, (SELECT boost_fit(churned, ARRAY[a]) AS m FROM visits) m', '22023 | permutation_importance: the model was trained on arrays, not on rows'),
    ('SELECT permutation_importance(m, churned, ARRAY[a, b]) FROM visits v, (SELECT boost_fit(churned, ARRAY[a]) AS m FROM visits) m', '2202E | permutation_importance: the arrays have 2 elements, the model was trained on 1')
    ) v (call, message);
SET LOCAL retailml.max_memory = '1MB';
SELECT throws_ok('SELECT cross_validate(v, ''y'') FROM (SELECT sin(i) AS a, cos(i) AS y FROM generate_series(1, 20000) i) v', '53400', NULL, 'more memory than retailml.max_memory');
SET LOCAL retailml.max_memory = DEFAULT;
CREATE FUNCTION pg_temp.cancelled(call text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
    RETURN false;
EXCEPTION WHEN query_canceled THEN
    RETURN true;
END $$;
CREATE TABLE waves AS SELECT sin(i) AS a, cos(i * 1.3) AS y FROM generate_series(1, 20000) i;
SET LOCAL retailml.threads = 2;
SET LOCAL statement_timeout = '500ms';
SELECT ok(pg_temp.cancelled('SELECT cross_validate(v, ''y'', ''{"n_trees": 100000}'') FROM waves v'), 'cross_validate hears a cancel');
SET LOCAL statement_timeout = '500ms';
SELECT ok(pg_temp.cancelled('SELECT rfecv(v, ''y'', ''{"n_trees": 10000}'') FROM waves v'), 'rfecv, too');
SET LOCAL statement_timeout = 0;

SELECT * FROM finish();
ROLLBACK;
