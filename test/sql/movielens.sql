\set ECHO none
\pset format unaligned
\pset tuples_only on
-- SVD++ on MovieLens latest-small: errors of five folds at the default settings, which are Surprise's; the same folds with Surprise
-- are in test/bench/svdpp.py.  Without the data the tests are skipped (expected/movielens_1.out).
SET search_path = public, retailml;
SET client_min_messages = warning;
\getenv data RETAILML_DATA
\set here f
\if :{?data}
SELECT to_jsonb(size IS NOT NULL) AS here FROM pg_stat_file(:'data' || '/movielens_small_ratings.csv.gz', true) \gset
\endif

BEGIN;
SELECT plan(13);
\if :here
CREATE TABLE ratings (user_id bigint, item_id bigint, rating float8, at bigint, fold int);
\set load '\\copy ratings (user_id, item_id, rating, at) FROM PROGRAM ''zcat ' :data '/movielens_small_ratings.csv.gz'' WITH (FORMAT csv, HEADER)'
:load
UPDATE ratings SET fold = fold(user_id * 1000000 + item_id, 5, 1);
SELECT is(ROW(count(*), count(DISTINCT user_id), count(DISTINCT item_id), min(fold), max(fold))::text, '(100836,610,9724,1,5)', 'all ratings in five folds') FROM ratings;

CREATE TABLE models AS
SELECT k AS fold, svdpp_train(user_id, item_id, rating, '{"holdout": 0}') AS model FROM ratings, generate_series(1, 5) k WHERE fold <> k GROUP BY k;
CREATE TABLE predicted AS
SELECT fold, user_id, item_id, rating, svdpp_predict(model, user_id, item_id) AS p FROM ratings JOIN models USING (fold);
CREATE TABLE means AS
SELECT k AS fold, item_id, avg(rating) AS mean FROM ratings, generate_series(1, 5) k WHERE fold <> k GROUP BY k, item_id;
CREATE VIEW errors AS
SELECT fold, sqrt(avg((rating - p) ^ 2)) AS rmse, avg(abs(rating - p)) AS mae FROM predicted GROUP BY fold;

-- greatest() shows by how much
SELECT is(greatest(avg(rmse), 0.8655), 0.8655::float8, 'RMSE of held-out ratings is 0.8655 at most') FROM errors;
SELECT is(greatest(avg(mae), 0.664), 0.664::float8, 'MAE is 0.664 at most') FROM errors;
SELECT ok(count(*) = 5 AND max(rmse) - min(rmse) < 0.02, 'no fold is far from the others') FROM errors;
SELECT ok(bool_and(p BETWEEN 0.5 AND 5) AND stddev(p) > 0.4, 'predictions are in the range of stars') FROM predicted;
SELECT ok(sqrt(avg((rating - p) ^ 2)) < sqrt(avg((rating - coalesce(mean, 3.5)) ^ 2)) - 0.1, 'better than the mean of the film, by far')
FROM predicted LEFT JOIN means USING (fold, item_id);
SELECT ok(bool_and(h.train_rmse < h.last) AND count(*) = 19, 'the training error falls with each epoch')
FROM (SELECT train_rmse, lag(train_rmse) OVER (ORDER BY epoch) AS last FROM models, svdpp_history(model) WHERE fold = 1) h WHERE last IS NOT NULL;

-- what must not matter
CREATE FUNCTION pg_temp.trained(threads int, ordering text) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    model bytea;
BEGIN
    PERFORM set_config('retailml.threads', threads::text, true);
    EXECUTE format('SELECT svdpp_train(user_id, item_id, rating, ''{"n_epochs": 3}'') FROM (SELECT * FROM ratings ORDER BY %s) r', ordering) INTO model;
    RETURN model;
END $$;
SELECT is(md5(pg_temp.trained(2, 'at')), md5(pg_temp.trained(1, 'hashint8(user_id * 7 + item_id), at')), 'neither the order of rows nor the number of threads');
SELECT ok(abs(t.rmse - n.rmse) < 0.005, 'ids of another order and kind matter little')
FROM errors n, (SELECT sqrt(avg((rating - svdpp_predict(model, 'u' || user_id, 'i' || item_id)) ^ 2)) AS rmse
    FROM (SELECT svdpp_train('u' || user_id, 'i' || item_id, rating, '{"holdout": 0}') AS model FROM ratings WHERE fold <> 2) m, ratings WHERE fold = 2) t
WHERE n.fold = 2;

-- strangers
CREATE TABLE whole AS SELECT svdpp_train(user_id, item_id, rating) AS model FROM ratings;
SELECT ok(abs(svdpp_predict(model, -1, -1) - 3.501556983616962) < 1e-9, 'nobody and nothing known: the mean of all ratings') FROM whole; -- avg(rating) of the file
SELECT is(model_info(model) #>> '{verdict,verdict}', 'better than the item mean', 'the model says that it is worth it') FROM whole;
SELECT ok((model_info(model) #>> '{verdict,rmse}')::float8 BETWEEN 0.83 AND 0.89 AND (model_info(model) #>> '{verdict,item_mean_rmse}')::float8 BETWEEN 0.94 AND 1.0, 'and by how much') FROM whole;
SELECT is(count(*), 610::bigint * 5, 'everybody gets five films') FROM whole, svdpp_recommend_all(model, 5);
\else
SELECT skip('RETAILML_DATA has no MovieLens', 13);
\endif
SELECT * FROM finish();
ROLLBACK;
