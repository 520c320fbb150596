\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Using a model of SVD++: what it predicts is what its numbers say, in plain SQL; what it explains adds up.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(72);

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

-- 80 users of two tastes, 40 items of two kinds; ratings from 1 to 5, a third of all pairs
CREATE TABLE ratings AS
SELECT u::bigint AS user_id, i::bigint AS item_id, least(5, greatest(1, 3 + CASE WHEN u % 2 = i % 2 THEN 1.3 ELSE -1.3 END + (u * 7 % 5 - 2) * 0.2 + (i * 11 % 7 - 3) * 0.15 + (u * 31 + i * 17) % 9 * 0.1 - 0.4))::float8 AS rating
FROM generate_series(1, 80) u, generate_series(1, 40) i WHERE (u * 13 + i * 7) % 10 < 3 OR i = u % 40 + 1;
-- the same as text, in the same order of bytes
CREATE VIEW texts AS SELECT 'C-' || lpad(user_id::text, 3, '0') AS user_id, 'Größe ' || lpad(item_id::text, 3, '0') AS item_id, rating FROM ratings;
CREATE TABLE models AS
SELECT 'numbers' AS name, svdpp_train(user_id, item_id, rating, '{"n_factors": 7, "n_epochs": 30, "lr": 0.007}') AS model FROM ratings
UNION ALL SELECT 'texts', svdpp_train(user_id, item_id, rating, '{"n_factors": 7, "n_epochs": 30, "lr": 0.007}') FROM texts
UNION ALL SELECT 'plain', svdpp_train(user_id, item_id, rating, '{"n_factors": 8, "n_epochs": 60, "lr": 0.02, "implicit_feedback": false, "holdout": 0}') FROM ratings
UNION ALL SELECT 'unbiased', svdpp_train(user_id, item_id, rating, '{"n_factors": 3, "biased": false, "clip": false, "n_epochs": 5}') FROM ratings
UNION ALL SELECT 'purchases', svdpp_train(user_id, item_id, round(rating * 7), '{"implicit": "purchases", "n_epochs": 5}') FROM ratings
UNION ALL SELECT 'kmeans', kmeans_fit(ARRAY[user_id, item_id, rating]::float8[], 2) FROM ratings;
CREATE FUNCTION pg_temp.model(which text) RETURNS bytea LANGUAGE sql STABLE AS 'SELECT model FROM models WHERE name = which';
-- known ids, and unknown ones before, between and behind them
CREATE TABLE pairs AS SELECT u::bigint AS user_id, i::bigint AS item_id FROM generate_series(0, 81) u, generate_series(-1, 42) i;

-- ---- svdpp_predict: equation 15 in plain SQL
CREATE FUNCTION pg_temp.dot(a float8[], b float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT coalesce(sum(x * y), 0) FROM unnest(a, b) v (x, y)';
CREATE FUNCTION pg_temp.plus(a float8[], b float8[]) RETURNS float8[] LANGUAGE sql IMMUTABLE AS 'SELECT array_agg(x + coalesce(y, 0) ORDER BY n) FROM unnest(a, b) WITH ORDINALITY v (x, y, n)';
CREATE TABLE by_hand AS
WITH f AS MATERIALIZED (SELECT name, model_info(model) AS info, f.* FROM models, svdpp_factors(model, NULL::text) f WHERE name NOT IN ('kmeans', 'texts')),
    score AS (
        SELECT m.name, p.user_id, p.item_id, m.info,
            (m.info ->> 'mean')::float8 + coalesce(u.bias, 0) + coalesce(i.bias, 0) + CASE WHEN u.id IS NOT NULL AND i.id IS NOT NULL THEN pg_temp.dot(i.factors, pg_temp.plus(u.factors, u.implicit)) ELSE 0 END AS score
        FROM (SELECT DISTINCT name, info FROM f) m CROSS JOIN pairs p LEFT JOIN f u ON u.name = m.name AND u.side = 'user' AND u.id = p.user_id::text
            LEFT JOIN f i ON i.name = m.name AND i.side = 'item' AND i.id = p.item_id::text)
SELECT name, user_id, item_id, CASE WHEN (info -> 'options' ->> 'clip')::boolean THEN least((info ->> 'high')::float8, greatest((info ->> 'low')::float8, score)) ELSE score END AS wanted, score FROM score;
SELECT is(max(abs(svdpp_predict(model, user_id, item_id) - wanted)) < 1e-12, true, name || ': predictions follow from the factors') FROM by_hand JOIN models USING (name) GROUP BY name ORDER BY name;
SELECT ok(count(*) FILTER (WHERE wanted <> score) > 0, 'some of them at the limits') FROM by_hand WHERE name = 'numbers';
SELECT is(svdpp_predict(model, 0, -1), (model_info(model) ->> 'mean')::float8, 'nothing known: the mean') FROM models WHERE name = 'numbers';
SELECT is(svdpp_predict(model, 17, -1), (model_info(model) ->> 'mean')::float8 + (SELECT bias FROM svdpp_factors(model) WHERE side = 'user' AND id = 17), 'a known user: its bias too') FROM models WHERE name = 'numbers';
SELECT is(svdpp_predict(model, 9000000000000000000, 5), (model_info(model) ->> 'mean')::float8 + (SELECT bias FROM svdpp_factors(model) WHERE side = 'item' AND id = 5), 'a known item: its bias too') FROM models WHERE name = 'numbers';
SELECT is(svdpp_predict(model, 0, -1), 0::float8, 'nothing known, and no biases') FROM models WHERE name = 'unbiased';
SELECT is((SELECT count(*) FROM pairs WHERE svdpp_predict(n.model, user_id, item_id) IS DISTINCT FROM svdpp_predict(t.model, 'C-' || lpad(user_id::text, 3, '0'), 'Größe ' || lpad(item_id::text, 3, '0'))), 0::bigint,
    'ids that are text change nothing, where they are in the same order') FROM models n, models t WHERE n.name = 'numbers' AND t.name = 'texts';
SELECT is((SELECT count(*) FROM pairs WHERE exp(svdpp_predict(model, user_id, item_id)) - 1 NOT BETWEEN (SELECT min(round(rating * 7)) - 1e-6 FROM ratings) AND (SELECT max(round(rating * 7)) + 1e-6 FROM ratings)), 0::bigint, 'amounts are predicted as log1p') FROM models WHERE name = 'purchases';
SELECT ok(avg((svdpp_predict(model, user_id, item_id) - rating) ^ 2) < 0.5 * var_pop(rating), 'and it has learnt something') FROM ratings, models WHERE name = 'numbers';

-- ---- order of rows, plans, models in turns
SELECT is((SELECT sum(svdpp_predict(model, user_id, item_id)) FROM (SELECT * FROM pairs ORDER BY user_id, item_id OFFSET 0) p), (SELECT sum(x) FROM (SELECT svdpp_predict(model, user_id, item_id) AS x FROM (SELECT * FROM pairs ORDER BY item_id, user_id DESC OFFSET 0) p ORDER BY user_id, item_id) s), 'user by user or not') FROM models WHERE name = 'numbers';
CREATE FUNCTION pg_temp.total(workers int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    PERFORM set_config('max_parallel_workers_per_gather', workers::text, true);
    EXECUTE 'SELECT md5(string_agg(x::text, '','' ORDER BY user_id, item_id)) FROM (SELECT user_id, item_id, svdpp_predict((SELECT model FROM models WHERE name = ''numbers''), user_id, item_id) AS x FROM pairs) s' INTO result;
    RETURN result;
END $$;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is(pg_temp.total(2), pg_temp.total(0), 'in parallel workers or not');
SELECT is((SELECT array_agg(svdpp_predict(CASE WHEN n % 2 = 0 THEN pg_temp.model('numbers') ELSE pg_temp.model('plain') END, 17, 5) ORDER BY n) FROM generate_series(1, 4) n),
    (SELECT ARRAY[p, n, p, n] FROM (SELECT svdpp_predict(pg_temp.model('numbers'), 17, 5) AS n, svdpp_predict(pg_temp.model('plain'), 17, 5) AS p) x), 'two models in turns');
-- over 16 kB, in one place of memory and not toasted: by its header
CREATE TABLE wide AS SELECT n, svdpp_train(user_id, item_id, rating, jsonb_build_object('n_factors', 60, 'n_epochs', 1, 'seed', n)) AS model FROM ratings, generate_series(1, 3) n GROUP BY n;
SELECT ok(min(octet_length(model)) > 32768 AND min(octet_length(model)) = max(octet_length(model)), 'large models of one length') FROM wide;
CREATE FUNCTION pg_temp.in_place(pairs bigint) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE model bytea; result float8[] = '{}';
BEGIN
    FOR i IN 1 .. 6 LOOP
        SELECT w.model || ''::bytea INTO model FROM wide w WHERE n = 1 + i % 3;
        FOR u IN 1 .. pairs LOOP
            result = result || svdpp_predict(model, u, 5);
        END LOOP;
    END LOOP;
    RETURN result;
END $$;
SELECT is(pg_temp.in_place(3), (SELECT array_agg(svdpp_predict(model, u, 5) ORDER BY i, u) FROM generate_series(1, 6) i, generate_series(1, 3) u, wide w WHERE n = 1 + i % 3), 'each is seen to be another');
SELECT is((SELECT count(DISTINCT svdpp_predict(model, 1, 5)) FROM wide), 3::bigint, 'as they are');
SELECT is((SELECT sum(svdpp_predict(m, user_id, item_id)) FROM (SELECT svdpp_train(user_id, item_id, rating, '{"n_factors": 60, "n_epochs": 1, "seed": 1}') AS m FROM ratings) x, (SELECT * FROM pairs ORDER BY user_id, item_id) p),
    (SELECT sum(svdpp_predict(model, user_id, item_id)) FROM wide, (SELECT * FROM pairs ORDER BY user_id, item_id) p WHERE n = 1), 'one that is trained in the query');

-- ---- NULL
SELECT is(svdpp_predict(NULL, 1::bigint, 1), NULL, 'no model');
SELECT is(svdpp_predict(model, NULL::bigint, 1), NULL, 'no user') FROM models WHERE name = 'numbers';
SELECT is(svdpp_predict(model, 1, NULL), NULL, 'no item') FROM models WHERE name = 'numbers';
SELECT is((SELECT count(*) FROM svdpp_explain(model, NULL::bigint, 1)), 0::bigint, 'nobody to explain') FROM models WHERE name = 'numbers';
SELECT is((SELECT count(*) FROM svdpp_factors(NULL)) + (SELECT count(*) FROM svdpp_factors(NULL, NULL::text)) + (SELECT count(*) FROM svdpp_history(NULL)), 0::bigint, 'nothing to tell');

-- ---- svdpp_explain
CREATE TABLE explained AS SELECT name, p.user_id, p.item_id, n, e.source, e.item_id AS of, e.contribution FROM models, pairs p, svdpp_explain(model, p.user_id, p.item_id) WITH ORDINALITY e (source, item_id, contribution, n) WHERE name NOT IN ('kmeans', 'texts');
SELECT is(max(abs(total - svdpp_predict(model, user_id, item_id))) < 1e-12 AND count(*) = (SELECT count(*) FROM pairs), true, name || ': contributions add up to the prediction')
FROM (SELECT name, user_id, item_id, sum(contribution ORDER BY n) AS total FROM explained GROUP BY 1, 2, 3) x JOIN models USING (name) GROUP BY name ORDER BY name;
SELECT is((SELECT array_agg(DISTINCT source ORDER BY source) FROM explained WHERE name = 'numbers'), ARRAY['factors', 'item', 'item bias', 'limit', 'mean', 'user bias'], 'sources of a full model');
SELECT is((SELECT array_agg(DISTINCT source ORDER BY source) FROM explained WHERE name = 'plain'), ARRAY['factors', 'item bias', 'limit', 'mean', 'user bias'], 'without implicit feedback');
SELECT is((SELECT array_agg(DISTINCT source ORDER BY source) FROM explained WHERE name = 'unbiased'), ARRAY['factors', 'item', 'mean'], 'without biases and limits');
SELECT is((SELECT array_agg(source ORDER BY n) FROM explained WHERE name = 'numbers' AND user_id = 0 AND item_id = 5), ARRAY['mean', 'item bias'], 'an unknown user');
SELECT is((SELECT array_agg(source ORDER BY n) FROM explained WHERE name = 'numbers' AND user_id = 17 AND item_id = -1), ARRAY['mean', 'user bias'], 'an unknown item');
SELECT is((SELECT array_agg(source ORDER BY n) FROM explained WHERE name = 'numbers' AND user_id = 0 AND item_id = -1), ARRAY['mean'], 'nothing known');
SELECT is((SELECT count(*) FROM explained WHERE name = 'numbers' AND source = 'limit' AND abs(contribution) < 1e-12) + (SELECT count(*) FROM by_hand b WHERE b.name = 'numbers' AND abs(b.wanted - b.score) > 1e-12
    AND NOT EXISTS (SELECT FROM explained e WHERE e.name = b.name AND e.user_id = b.user_id AND e.item_id = b.item_id AND source = 'limit')), 0::bigint, 'a limit where there is one, and only there');
SELECT set_eq($$SELECT user_id, of FROM explained WHERE name = 'numbers' AND source = 'item' AND item_id = 5$$, 'SELECT user_id, item_id FROM ratings', 'every item of a user is a reason');
SELECT is((SELECT count(*) FROM explained WHERE (of IS NULL) = (source = 'item')), 0::bigint, 'and item_id is the item');
SELECT is((SELECT count(*) FROM (SELECT source, contribution, of, lag(contribution) OVER w AS before, lag(of) OVER w AS other, lag(source) OVER w AS s FROM explained WINDOW w AS (PARTITION BY name, user_id, item_id ORDER BY n)) x
    WHERE source = 'item' AND s = 'item' AND (contribution > before OR contribution = before AND of < other)), 0::bigint, 'the largest first');
SELECT is((SELECT max(abs(e.contribution - pg_temp.dot(i.factors, j.implicit) / sqrt((SELECT count(*) FROM ratings r WHERE r.user_id = 17)))) < 1e-12 FROM explained e, models m, svdpp_factors(m.model) i, svdpp_factors(m.model) j
    WHERE m.name = e.name AND e.name = 'numbers' AND e.user_id = 17 AND e.item_id = 5 AND e.source = 'item' AND i.side = 'item' AND i.id = 5 AND j.side = 'item' AND j.id = e.of), true, 'a contribution is q . y over the root of their number');
SELECT is((SELECT string_agg(concat_ws(' ', source, right(e.item_id, 3)::int, round(contribution::numeric, 9)), ',' ORDER BY n) FROM svdpp_explain(model, 'C-017', 'Größe 005') WITH ORDINALITY e (source, item_id, contribution, n)),
    (SELECT string_agg(concat_ws(' ', source, of, round(contribution::numeric, 9)), ',' ORDER BY n) FROM explained WHERE name = 'numbers' AND user_id = 17 AND item_id = 5), 'of text ids') FROM models WHERE name = 'texts';

-- ---- svdpp_factors
SELECT is((SELECT string_agg(side || ' ' || id, ',' ORDER BY n) FROM svdpp_factors(model) WITH ORDINALITY f (side, id, bias, factors, implicit, n)),
    (SELECT string_agg(s, ',' ORDER BY side DESC, id) FROM (SELECT DISTINCT 'user' AS side, user_id AS id, 'user ' || user_id AS s FROM ratings UNION SELECT 'item', item_id, 'item ' || item_id FROM ratings) x), 'users, then items, by id') FROM models WHERE name = 'numbers';
SELECT is((SELECT array_agg(DISTINCT array_length(factors, 1) || ' ' || array_length(implicit, 1)) FROM svdpp_factors(model)), ARRAY['7 7'], 'as many numbers as there are factors') FROM models WHERE name = 'numbers';
SELECT is((SELECT count(implicit) FROM svdpp_factors(model)), 0::bigint, 'nothing implicit without implicit feedback') FROM models WHERE name = 'plain';
SELECT is((SELECT count(bias) FROM svdpp_factors(model)), 0::bigint, 'no biases without biases') FROM models WHERE name = 'unbiased';
SELECT is((SELECT max(abs(u.implicit[1] - y.sum / sqrt(y.n))) < 1e-12 FROM svdpp_factors(model) u, LATERAL (SELECT sum(f.implicit[1]) AS sum, count(*) AS n FROM ratings r JOIN svdpp_factors(model) f ON f.side = 'item' AND f.id = r.item_id WHERE r.user_id = u.id) y WHERE u.side = 'user' AND u.id < 9), true,
    'the implicit part of a user is that of its items') FROM models WHERE name = 'numbers';
SELECT is((SELECT md5(string_agg(f::text, ',')) FROM svdpp_factors(model) f), (SELECT md5(string_agg(f::text, ',')) FROM svdpp_factors(model, NULL::text) f), 'numbers as text') FROM models WHERE name = 'numbers';
SELECT is((SELECT md5(string_agg(f::text, ',')) FROM svdpp_factors(model) f), (SELECT md5(string_agg(f::text, ',')) FROM svdpp_factors(model, NULL::bigint) f), 'numbers as they are') FROM models WHERE name = 'numbers';
SELECT is((SELECT min(id) || ' .. ' || max(id) FROM svdpp_factors(model, NULL::text) WHERE side = 'item'), 'Größe 001 .. Größe 040', 'texts') FROM models WHERE name = 'texts';

-- ---- svdpp_history
SELECT is((SELECT array_agg(epoch) FROM svdpp_history(model)), (SELECT array_agg(n) FROM generate_series(1, 30) n), 'a row per epoch') FROM models WHERE name = 'numbers';
SELECT is((SELECT count(*) FILTER (WHERE train_rmse > 0 AND holdout_rmse > 0) FROM svdpp_history(model)), 30::bigint, 'with both errors') FROM models WHERE name = 'numbers';
SELECT is((SELECT round(holdout_rmse::numeric, 12) FROM svdpp_history(model) WHERE epoch = 30), round((model_info(model) -> 'verdict' ->> 'rmse')::numeric, 12), 'the last of which is that of the test') FROM models WHERE name = 'numbers';
SELECT is((SELECT count(holdout_rmse) FROM svdpp_history(model)), 0::bigint, 'unless nothing was held out') FROM models WHERE name = 'plain';
SELECT ok((SELECT train_rmse FROM svdpp_history(model) WHERE epoch = 60) < 0.9 * (SELECT train_rmse FROM svdpp_history(model) WHERE epoch = 1), 'and errors fall') FROM models WHERE name = 'plain';

-- ---- model_info, model_features
SELECT is(model_info(model) - ARRAY['verdict', 'options', 'mean', 'train_rmse'], jsonb_build_object('algorithm', 'svdpp', 'rows', (SELECT count(*) FROM ratings), 'skipped', 0, 'features', '[]'::jsonb, 'id_type', 'bigint', 'n_users', 80, 'n_items', 40,
    'n_ratings', (SELECT count(*) FROM ratings), 'low', (SELECT min(rating::real::float8) FROM ratings), 'high', (SELECT max(rating::real::float8) FROM ratings), 'epochs', 30), 'what a model says of itself') FROM models WHERE name = 'numbers';
SELECT is(round((model_info(model) ->> 'mean')::numeric, 5), (SELECT round(avg(rating)::numeric, 5) FROM ratings), 'mean') FROM models WHERE name = 'numbers';
SELECT is(model_info(model) -> 'verdict' ->> 'verdict', 'better than the item mean', 'verdict') FROM models WHERE name = 'numbers';
SELECT is((SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(model_info(model) -> 'verdict') k), ARRAY['biases_rmse', 'global_mean_rmse', 'item_mean_rmse', 'mae', 'ratings', 'rmse', 'verdict', 'z'], 'and what it is based on') FROM models WHERE name = 'numbers';
SELECT is(model_info(model) -> 'verdict', '{"verdict": "not tested", "ratings": 0, "rmse": null, "mae": null, "global_mean_rmse": null, "item_mean_rmse": null, "biases_rmse": null, "z": null}', 'not tested') FROM models WHERE name = 'plain';
SELECT is(model_info(model) ->> 'id_type', 'text', 'ids') FROM models WHERE name = 'texts';
SELECT is((SELECT count(*) FROM models m, model_features(model) WHERE m.name <> 'kmeans'), 0::bigint, 'it has no features');

-- ---- errors
SELECT is(pg_temp.complaint($$SELECT svdpp_predict(pg_temp.model('numbers'), 'a', 'b')$$), '22023 | the ids of this model are bigint | Cast the ids you ask for, for example user_id::bigint.', 'texts for a model of numbers');
SELECT is(pg_temp.complaint($$SELECT svdpp_predict(pg_temp.model('texts'), 1, 2)$$), '22023 | the ids of this model are text | Cast the ids you ask for, for example user_id::text.', 'or numbers for one of texts');
SELECT is(pg_temp.complaint($$SELECT svdpp_explain(pg_temp.model('texts'), 1, 2)$$), '22023 | the ids of this model are text | Cast the ids you ask for, for example user_id::text.', 'to be explained');
SELECT is(pg_temp.complaint($$SELECT svdpp_factors(pg_temp.model('texts'))$$), '22023 | the ids of this model are text | Pass NULL::text as id_type: svdpp_factors(model, NULL::text).', 'texts cannot be bigint');
SELECT is(pg_temp.complaint($$SELECT svdpp_factors(pg_temp.model('numbers'), 1)$$), '22023 | ids cannot be of type integer | Pass NULL::bigint or NULL::text as id_type.', 'nor anything else');
SELECT is(pg_temp.complaint($$SELECT svdpp_predict(pg_temp.model('kmeans'), 1, 2)$$), '22023 | svdpp_predict needs a model of svdpp, this one is of kmeans | predict(model, row) and model_info(model) take this one.', 'another model');
SELECT is(pg_temp.complaint($$SELECT predict(pg_temp.model('numbers'), r) FROM ratings r$$), '22023 | predict needs a model of rows, this one is of svdpp | svdpp_predict(model, user_id, item_id) gives its predictions.', 'predict says what to call');
SELECT is(pg_temp.complaint($$SELECT predict_label(pg_temp.model('numbers'), ARRAY[1.5::float8])$$), '22023 | predict_label needs a model of rows, this one is of svdpp | svdpp_predict(model, user_id, item_id) gives its predictions.', 'predict_label too');
SELECT is(pg_temp.complaint($$SELECT model_sql(pg_temp.model('numbers'))$$), '22023 | a model of svdpp cannot be written as one SQL expression | svdpp_predict(model, user_id, item_id) evaluates it.', 'and model_sql');
SELECT is((SELECT array_agg(DISTINCT regexp_replace(pg_temp.complaint(call), ' needs a model .*', '')) FROM unnest(ARRAY[
    $$SELECT predict_explain(pg_temp.model('numbers'), r) FROM ratings r$$, $$SELECT predict_proba(pg_temp.model('numbers'), r) FROM ratings r$$, $$SELECT model_classes(pg_temp.model('numbers'))$$, $$SELECT model_importance(pg_temp.model('numbers'))$$,
    $$SELECT segment_profile(pg_temp.model('numbers'))$$, $$SELECT segment_names(pg_temp.model('numbers'))$$, $$SELECT segment_levers(pg_temp.model('numbers'))$$, $$SELECT segment_insights(pg_temp.model('numbers'))$$]) call),
    ARRAY['22023 | model_classes', '22023 | model_importance', '22023 | predict_explain', '22023 | predict_proba', '22023 | segment_insights', '22023 | segment_levers', '22023 | segment_names', '22023 | segment_profile'], 'others say what they need');
SELECT is(pg_temp.complaint(format('SELECT svdpp_predict(%L, 1, 2)', set_byte(pg_temp.model('numbers'), 500, 1 + get_byte(pg_temp.model('numbers'), 500) % 7))), 'XX001 | the model is damaged or not a model | The check says: the checksum of the model does not match its content. | Train the model again, or restore the value from a backup.', 'a damaged model');

-- ---- a model per group
SELECT is((SELECT count(*) FROM (SELECT user_id % 2 AS taste, svdpp_train(user_id, item_id, rating) AS m FROM ratings GROUP BY 1) g, ratings r WHERE svdpp_predict(m, user_id, item_id) BETWEEN 1 AND 5), 2 * (SELECT count(*) FROM ratings), 'each scores');

SELECT * FROM finish();
ROLLBACK;
