-- svdpp_cross_validate: cells and baselines, rankings, options, plans and threads.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(44);

CREATE TABLE store AS SELECT customer_id::bigint AS u, product_id::bigint AS p, amount::float8 AS r FROM generate_synthetic_purchases();
-- a rating that follows from the item, from user and item, from nothing
CREATE TABLE made AS
SELECT u, p, (p % 5)::float8 AS by_item, (u % 3 + p % 5)::float8 AS by_both, (u * 7919 % 101 * p * 31 % 97)::float8 / 97 AS by_nothing
FROM generate_series(1, 200) u, generate_series(1, 40) p WHERE (u * 31 + p * 17) % 7 < 4;
CREATE FUNCTION pg_temp.cells(options text) RETURNS SETOF svdpp_cv_cell LANGUAGE sql STABLE AS
    $$ SELECT c.* FROM (SELECT svdpp_cross_validate(u, p, r, options::jsonb) AS cells FROM store) s, unnest(cells) c $$;
CREATE FUNCTION pg_temp.refused(options text) RETURNS text LANGUAGE sql AS $$ SELECT format('SELECT svdpp_cross_validate(u, p, r, %L) FROM store', options) $$;

-- ---- what comes out
CREATE TABLE grid AS SELECT * FROM pg_temp.cells('{"implicit": "purchases", "grid": {"n_factors": [5, 20], "lr": [0.005, 0.01]}}');
SELECT is(array_agg(cell || ' ' || method ORDER BY cell), '{1 svd++,2 svd++,3 svd++,4 svd++,5 global mean,6 item mean,7 user + item}', 'a row for each cell, then the baselines') FROM grid;
SELECT is(array_agg(params ORDER BY cell), ARRAY['{"lr": 0.005, "n_factors": 5}', '{"lr": 0.005, "n_factors": 20}', '{"lr": 0.01, "n_factors": 5}', '{"lr": 0.01, "n_factors": 20}', NULL, NULL, NULL]::jsonb[], 'params are what the grid says') FROM grid;
SELECT is(array_agg(rank ORDER BY rmse), '{1,2,3,4,5,6,7}', 'ranked by error') FROM grid;
SELECT is(array_agg(cell), (SELECT ARRAY[cell] FROM grid WHERE params IS NOT NULL ORDER BY rmse LIMIT 1), 'the best cell of the grid is marked') FROM grid WHERE is_best;
SELECT ok(bool_and(folds = 3 AND rmse > mae AND mae > 0 AND rmse_sd > 0 AND rmse_sd < rmse / 10 AND mae_sd > 0), 'errors and their deviations') FROM grid;
SELECT ok(bool_and(precision_at_n IS NULL AND recall_at_n IS NULL AND ndcg_at_n IS NULL AND coverage IS NULL), 'no rankings unless asked for') FROM grid;
SELECT ok((SELECT max(rmse) FROM grid WHERE params IS NOT NULL) < (SELECT rmse FROM grid WHERE method = 'item mean'), 'a store with preferences: all cells are better than the item mean');
SELECT ok(c.rmse > i.rmse - 0.01, 'without preferences SVD++ is not') FROM
    (SELECT svdpp_cross_validate(customer_id, product_id, amount::float8, '{"implicit": "purchases"}') AS cells FROM generate_synthetic_purchases(signal => false)) s,
    unnest(cells) c, unnest(cells) i WHERE c.method = 'svd++' AND i.method = 'item mean';
SELECT is(method, 'svd', 'without implicit feedback it is plain SVD') FROM pg_temp.cells('{"implicit": "purchases", "implicit_feedback": false}') WHERE params IS NOT NULL;

-- ---- baselines
CREATE TABLE by_item AS SELECT c.* FROM (SELECT svdpp_cross_validate(u, p, by_item, '{"folds": 5}') AS cells FROM made) s, unnest(cells) c;
SELECT is(rmse, 0::float8, 'the item mean predicts what depends on the item') FROM by_item WHERE method = 'item mean';
SELECT ok(abs(b.rmse / (SELECT stddev_pop(by_item) FROM made) - 1) < 0.02, 'the error of the global mean is the standard deviation') FROM by_item b WHERE method = 'global mean';
SELECT is(min(folds) || ' ' || max(folds), '5 5', 'as many folds as asked for') FROM by_item;
-- (shrunk ones: a third of the way is left)
SELECT ok(b.rmse < 0.6 * i.rmse AND g.rmse > i.rmse, 'biases predict what depends on both') FROM
    (SELECT svdpp_cross_validate(u, p, 10 * by_both, '{"lr": 0.001}') AS cells FROM made) s, unnest(cells) b, unnest(cells) i, unnest(cells) g
    WHERE b.method = 'user + item' AND i.method = 'item mean' AND g.method = 'global mean';
SELECT ok(c.rmse > 0.97 * g.rmse, 'nothing predicts what depends on nothing') FROM
    (SELECT svdpp_cross_validate(u, p, by_nothing) AS cells FROM made) s, unnest(cells) c, unnest(cells) g WHERE c.method = 'svd++' AND g.method = 'global mean';

-- ---- rankings
CREATE TABLE ranked AS SELECT * FROM pg_temp.cells('{"implicit": "purchases", "ranking": 5, "metric": "ndcg_at_n"}');
SELECT is(array_agg(method ORDER BY cell), '{svd++,global mean,item mean,user + item,popularity}', 'popularity joins the baselines') FROM ranked;
SELECT ok(bool_and(precision_at_n BETWEEN 0 AND 1 AND recall_at_n BETWEEN 0 AND 1 AND ndcg_at_n BETWEEN 0 AND 1 AND coverage BETWEEN 0.1 AND 1), 'measures of rankings') FROM ranked WHERE method <> 'global mean';
SELECT ok(precision_at_n IS NULL AND coverage IS NULL AND rank IS NULL, 'the global mean ranks nothing') FROM ranked WHERE method = 'global mean';
SELECT ok(rmse IS NULL AND mae IS NULL AND recall_at_n > 0, 'popularity predicts no rating') FROM ranked WHERE method = 'popularity';
SELECT is(array_agg(rank ORDER BY ndcg_at_n DESC), '{1,2,3,4}', 'ranked by the metric') FROM ranked WHERE rank IS NOT NULL;
SELECT ok(bool_and(a.precision_at_n IS NULL AND a.recall_at_n IS NULL AND a.rank IS NULL AND coalesce(a.rmse = b.rmse, true)), 'no rating is relevant: nothing to find')
FROM pg_temp.cells('{"implicit": "purchases", "ranking": 5, "relevant": 1e9, "metric": "recall_at_n"}') a JOIN ranked b USING (method);
-- two items, each user has one or both: what is held out is all that is left to rank
SELECT ok(bool_and(coverage <= 1 AND recall_at_n = 1 AND ndcg_at_n > 0.6), 'everything is found in a ranking of everything') FROM
    (SELECT svdpp_cross_validate(u, p, by_item, '{"ranking": 2, "folds": 2}') AS cells FROM made WHERE p <= 2) s, unnest(cells) c WHERE method <> 'global mean';

-- ---- what must not matter
CREATE FUNCTION pg_temp.result(threads int, ordering text, workers int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM set_config('retailml.threads', threads::text, true), set_config('max_parallel_workers_per_gather', workers::text, true);
    EXECUTE format('SELECT md5(svdpp_cross_validate(u, p, r, ''{"implicit": "purchases", "ranking": 3}'')::text) FROM %s', CASE WHEN ordering = '' THEN 'store' ELSE '(SELECT * FROM store ORDER BY ' || ordering || ') x' END) INTO result;
    RETURN result;
END $$;
ALTER TABLE store SET (parallel_workers = 2);
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE TABLE serial AS SELECT pg_temp.result(1, '', 0);
SELECT is(pg_temp.result(2, '', 0), (TABLE serial), 'threads');
SELECT is(pg_temp.result(2, '', 2), (TABLE serial), 'a parallel plan');
SELECT is(pg_temp.result(1, 'hashint8(u * 7 + p), r', 0), (TABLE serial), 'the order of rows');
SELECT ok(abs(t.rmse - n.rmse) < 0.02, 'text ids fall into other folds, with the same outcome') FROM
    (SELECT svdpp_cross_validate('c' || u, 'p' || p, r, '{"implicit": "purchases"}') AS cells FROM store) s, unnest(cells) t, pg_temp.cells('{"implicit": "purchases"}') n
    WHERE t.method = 'svd++' AND n.method = 'svd++';
SELECT is(array_agg(n ORDER BY g), '{4,4}', 'a group each, default options') FROM
    (SELECT u % 2 AS g, cardinality(svdpp_cross_validate(u, p, by_both)) AS n FROM made GROUP BY u % 2) x;
SELECT is(array_agg(n ORDER BY g), '{4,4}', 'the same for text') FROM
    (SELECT u % 2 AS g, cardinality(svdpp_cross_validate(u::text, p::text, by_both)) AS n FROM made GROUP BY u % 2) x;
SELECT is((SELECT svdpp_cross_validate(u, p, r, '{"implicit": "purchases"}') FROM (SELECT * FROM store UNION ALL SELECT NULL, 1, 1 UNION ALL SELECT 1, NULL, 1 UNION ALL SELECT 1, 1, NULL UNION ALL SELECT 1, 1, 'NaN') x)::text,
    (SELECT svdpp_cross_validate(u, p, r, '{"implicit": "purchases"}') FROM store)::text, 'rows without user, item or rating have no part in it');
SELECT ok((SELECT svdpp_cross_validate(u, p, r) IS NULL FROM store WHERE false), 'NULL for no rows');
SELECT ok(rmse IS NULL AND rank IS NULL AND NOT is_best, 'a cell whose factors grow without bound has no measures') FROM
    (SELECT svdpp_cross_validate(u, p, 1000 * by_nothing, '{"grid": {"lr": [0.00001, 1]}}') AS cells FROM made) s, unnest(cells) c WHERE cell = 2;

-- ---- errors
SELECT throws_ok(pg_temp.refused('{"fold": 3}'), '22023', NULL, 'an unknown option');
SELECT throws_ok(pg_temp.refused('{"folds": 1}'), '22023', NULL, 'one fold');
SELECT throws_ok(pg_temp.refused('{"holdout": 0.1}'), '22023', 'svdpp_cross_validate takes no option "holdout"', 'a hold-out beside folds');
SELECT throws_ok(pg_temp.refused('{"grid": {"early_stopping": [3]}}'), '22023', 'svdpp_cross_validate takes no option "early_stopping"', 'also in the grid');
SELECT throws_ok(pg_temp.refused('{"grid": {"seed": [1, 2]}}'), '22023', 'option "grid" of svdpp_cross_validate cannot vary "seed"', 'folds that are not the same');
SELECT throws_ok(pg_temp.refused('{"grid": {"factors": [1]}}'), '22023', 'option "grid" of svdpp_cross_validate: svdpp has no option "factors"', 'an unknown option in the grid');
SELECT throws_ok(pg_temp.refused('{"grid": {"n_factors": 5}}'), '22023', 'option "grid" of svdpp_cross_validate: "n_factors" must be an array of values to try', 'a value that is no array');
SELECT throws_ok(pg_temp.refused('{"metric": "coverage"}'), '22023', 'option "metric" of svdpp_cross_validate is "coverage", and nothing is ranked', 'a metric without rankings');
SELECT throws_ok('SELECT svdpp_cross_validate(1, 1, 1)', '22023', NULL, 'one rating is not enough for folds');
-- a group of two ratings beside one of many
CREATE TABLE regions AS SELECT 'large' AS region, u, p, by_both FROM made UNION ALL SELECT 'small', u, p, by_both FROM made WHERE (u, p) IN ((1, 2), (1, 6));
CREATE FUNCTION pg_temp.message_and_hint(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; hint text;
BEGIN
    EXECUTE query;
    RETURN 'no error';
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN message || ' | ' || hint;
END $$;
SELECT matches(pg_temp.message_and_hint('SELECT svdpp_cross_validate(u, p, by_both) FROM regions GROUP BY region'),
    '^svdpp_cross_validate: of 2 ratings none is in fold [123] of 3 \| Ask for fewer folds, or leave out groups of fewer than 60 pairs of user and item \(20 for each fold\) before they are aggregated: WHERE region IN \(SELECT region FROM ratings GROUP BY region HAVING count\(DISTINCT \(user_id, item_id\)\) >= 60\)\. HAVING beside the aggregate comes too late\.$',
    'a group that is too small: what is missing and what to do');
SELECT matches(pg_temp.message_and_hint('SELECT svdpp_cross_validate(1, 1, 1, ''{"folds": 2}'')'), 'of 1 ratings none is in fold [12] of 2 \| Leave out groups of fewer than 40 ', 'there are no fewer folds than two');
SELECT throws_ok('SELECT region, svdpp_cross_validate(u, p, by_both) FROM regions GROUP BY region HAVING count(DISTINCT (u, p)) >= 60', '22023', NULL, 'HAVING beside the aggregate comes too late');
SELECT is(array_agg(region || ' ' || n), '{large 4}', 'in a subquery it helps') FROM
    (SELECT region, cardinality(svdpp_cross_validate(u, p, by_both)) AS n FROM regions
     WHERE region IN (SELECT region FROM regions GROUP BY region HAVING count(DISTINCT (u, p)) >= 60) GROUP BY region) x;
SELECT throws_ok('SELECT svdpp_cross_validate(1, 1, ''Infinity'')', '22003', 'svdpp_cross_validate: rating is infinite', 'infinity');
SELECT * FROM finish();
ROLLBACK;
