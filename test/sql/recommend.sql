\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Recommendations and similar items: every list, score and reason follows from the model in plain SQL.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(96);

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

-- 90 users of two tastes, 60 items of two kinds, small ids bought more; user 90 has everything
CREATE TABLE ratings AS
SELECT u::bigint AS user_id, i::bigint AS item_id, least(5, greatest(1, 3 + CASE WHEN u % 2 = i % 2 THEN 1.3 ELSE -1.3 END + (u * 7 % 5 - 2) * 0.2 + (i * 11 % 7 - 3) * 0.15 + (u * 31 + i * 17) % 9 * 0.1 - 0.4))::float8 AS rating
FROM generate_series(1, 90) u, generate_series(1, 60) i WHERE (u * 37 + i * i * 11) % 61 < 30 - i / 3 OR i = u % 60 + 1 OR u = 90;
-- the same as text, in the same order of bytes
CREATE VIEW texts AS SELECT 'C-' || lpad(user_id::text, 3, '0') AS user_id, 'Größe ' || lpad(item_id::text, 3, '0') AS item_id, rating FROM ratings;
CREATE TABLE models AS
SELECT 'open' AS name, svdpp_train(user_id, item_id, rating, '{"n_factors": 7, "n_epochs": 14, "lr": 0.01, "clip": false, "holdout": 0}') AS model FROM ratings
UNION ALL SELECT 'clipped', svdpp_train(user_id, item_id, least(rating, 2), '{"n_factors": 7, "n_epochs": 14, "lr": 0.01, "holdout": 0}') FROM ratings
UNION ALL SELECT 'texts', svdpp_train(user_id, item_id, rating, '{"n_factors": 7, "n_epochs": 14, "lr": 0.01, "clip": false, "holdout": 0}') FROM texts
UNION ALL SELECT 'plain', svdpp_train(user_id, item_id, rating, '{"n_factors": 20, "implicit_feedback": false, "holdout": 0, "clip": false}') FROM ratings
UNION ALL SELECT 'unbiased', svdpp_train(user_id, item_id, rating, '{"n_factors": 3, "biased": false, "clip": false, "n_epochs": 5, "holdout": 0}') FROM ratings
UNION ALL SELECT 'purchases', svdpp_train(user_id, item_id, round(rating * 7), '{"implicit": "purchases", "n_epochs": 20, "lr": 0.012, "holdout": 0}') FROM ratings
UNION ALL SELECT 'single', svdpp_train(user_id, item_id, rating, '{"holdout": 0}') FROM ratings WHERE user_id = 90
UNION ALL SELECT 'kmeans', kmeans_fit(ARRAY[user_id, item_id, rating]::float8[], 2) FROM ratings;
CREATE FUNCTION pg_temp.model(which text) RETURNS bytea LANGUAGE sql STABLE AS 'SELECT model FROM models WHERE name = which';
CREATE TABLE items AS SELECT item_id, count(*) AS buyers, rank() OVER (ORDER BY count(*) DESC) AS popularity FROM ratings GROUP BY item_id;
CREATE TABLE users AS SELECT DISTINCT user_id FROM ratings;

-- ---- the lists by hand: predictions for what a user does not have, in order; a prediction of 'clipped' and 'purchases' before it is cut is its explanation without the row "limit"; amounts go by expected value
CREATE TABLE by_hand AS
SELECT name, user_id, item_id, svdpp_predict(model, user_id, item_id) AS score,
    row_number() OVER (PARTITION BY name, user_id ORDER BY svdpp_predict(model, user_id, item_id) DESC, buyers DESC, item_id) AS rank
FROM models, users, items WHERE name IN ('open', 'plain', 'unbiased') AND NOT EXISTS (SELECT FROM ratings r WHERE (r.user_id, r.item_id) = (users.user_id, items.item_id))
UNION ALL
SELECT name, user_id, item_id, svdpp_predict(model, user_id, item_id),
    row_number() OVER (PARTITION BY name, user_id ORDER BY (SELECT sum(contribution) FROM svdpp_explain(model, user_id, item_id) WHERE source <> 'limit') + CASE name WHEN 'purchases' THEN ln(buyers) ELSE 0 END DESC, buyers DESC, item_id)
FROM models, users, items WHERE name IN ('clipped', 'purchases') AND user_id % 9 = 1 AND NOT EXISTS (SELECT FROM ratings r WHERE (r.user_id, r.item_id) = (users.user_id, items.item_id));
SELECT is((SELECT string_agg(concat_ws(' ', user_id, rank, item_id, score), ',' ORDER BY user_id, rank) FROM models JOIN LATERAL svdpp_recommend_all(model, 7) r ON true WHERE name = m),
    (SELECT string_agg(concat_ws(' ', user_id, rank, item_id, score), ',' ORDER BY user_id, rank) FROM by_hand WHERE name = m AND rank <= 7), m || ': the lists of all users are those of plain SQL')
FROM unnest('{open,plain,unbiased}'::text[]) m;
SELECT is((SELECT string_agg(concat_ws(' ', user_id, r.rank, r.item_id, r.score), ',' ORDER BY user_id, r.rank) FROM users, models, svdpp_recommend(model, user_id, 5) r WHERE name = m AND user_id % 9 = 1),
    (SELECT string_agg(concat_ws(' ', user_id, rank, item_id, score), ',' ORDER BY user_id, rank) FROM by_hand WHERE name = m AND rank <= 5), m || ': in order of what is not clipped')
FROM unnest('{clipped,purchases}'::text[]) m;
SELECT ok(count(*) FILTER (WHERE score = 2) > 20, 'which matters here') FROM by_hand WHERE name = 'clipped' AND rank <= 5;
SELECT is((SELECT string_agg(concat_ws(' ', user_id, r.rank, r.item_id, r.score), ',' ORDER BY user_id, r.rank) FROM users, models, svdpp_recommend(model, user_id, 12) r WHERE name = m),
    (SELECT string_agg(r::text, ',') FROM (SELECT concat_ws(' ', user_id, rank, item_id, score) AS r FROM models, svdpp_recommend_all(model, 12) WHERE name = m) s), m || ': one user at a time is all users at once')
FROM unnest('{open,clipped,plain,unbiased,purchases}'::text[]) m;
SELECT is((SELECT array_agg(DISTINCT n) FROM (SELECT count(*) AS n FROM models, svdpp_recommend_all(model) WHERE name = 'open' GROUP BY user_id) s), '{5}', 'five by default');
SELECT is((SELECT count(*) FROM models, svdpp_recommend(model, 7) WHERE name = 'open'), 5::bigint, 'for one too');
SELECT is((SELECT count(*) FROM models, svdpp_recommend_all(model, 10000) WHERE name = 'open'), (SELECT count(*) FROM by_hand WHERE name = 'open'), 'more than there are: all there are');
SELECT is((SELECT count(*) FROM models, svdpp_recommend(model, 7, 10000) WHERE name = 'open'), (SELECT count(*) FROM by_hand WHERE name = 'open' AND user_id = 7), 'for one too');
SELECT is((SELECT count(*) FROM models, svdpp_recommend_all(model) WHERE name = 'open' AND user_id = 90) + (SELECT count(*) FROM models, svdpp_recommend(model, 90) WHERE name = 'open'), 0::bigint, 'who has everything gets nothing');
SELECT is((SELECT count(*) FROM models, svdpp_recommend_all(model) WHERE name = 'single'), 0::bigint, 'even if nobody else is there');
SELECT ok(avg((user_id % 2 = item_id % 2)::int) > 0.9, 'and what is offered is to the taste of the users') FROM models, svdpp_recommend_all(model, 3) WHERE name = 'open';

-- ---- options of all: those of one
SELECT is((SELECT array_agg(concat_ws(' ', user_id, rank, item_id, score)) FROM models, svdpp_recommend_all(model, 4, options) WHERE name = 'open'),
    (SELECT array_agg(concat_ws(' ', u, rank, item_id, score) ORDER BY u, rank) FROM models, (SELECT DISTINCT user_id AS u FROM ratings) s, svdpp_recommend(model, u, 4, options) WHERE name = 'open'), 'options as for one: ' || options::text)
FROM unnest(ARRAY['{"candidates": [3, 5, "8", 21, 22, 999]}', '{"exclude": [3, 5, 8]}', '{"min_popularity": 30}', '{"include_seen": true}', '{"include_seen": true, "candidates": [1, 2]}']::jsonb[]) options;
SELECT is((SELECT count(*) FROM models, svdpp_recommend_all(model, 4, '{"candidates": []}') WHERE name = 'open'), 0::bigint, 'nothing in stock: no rows');
SELECT is((SELECT array_agg(r::text) FROM models, svdpp_recommend_all(model, 4, NULL) r WHERE name = 'open'), (SELECT array_agg(r::text) FROM models, svdpp_recommend_all(model, 4) r WHERE name = 'open'), 'NULL: the defaults');
SELECT matches(pg_temp.complaint($$SELECT * FROM svdpp_recommend_all(pg_temp.model('open'), 4, '{"candidate": [3]}')$$), '^22023 . svdpp_recommend_all has no option "candidate" ', 'an unknown option');

-- ---- text ids
SELECT is((SELECT array_agg(concat_ws(' ', user_id, rank, item_id, score)) FROM models, svdpp_recommend_all(model, 4, '{}', NULL::text) WHERE name = 'texts'),
    (SELECT array_agg(concat_ws(' ', 'C-' || lpad(user_id::text, 3, '0'), rank, 'Größe ' || lpad(item_id::text, 3, '0'), score)) FROM models, svdpp_recommend_all(model, 4) WHERE name = 'open'), 'text ids');
SELECT is((SELECT array_agg(r::text) FROM models, svdpp_recommend_all(model, 4, '{}', NULL::text) r WHERE name = 'open'), (SELECT array_agg(r::text) FROM models, svdpp_recommend_all(model, 4) r WHERE name = 'open'), 'numbers as text');
SELECT is(pg_typeof(user_id)::text || pg_typeof(item_id), 'texttext', 'are text') FROM svdpp_recommend_all(pg_temp.model('open'), 1, '{}', NULL::text) LIMIT 1;
SELECT is((SELECT array_agg(r::text) FROM models, svdpp_recommend_all(model, 4, '{}', 1::bigint) r WHERE name = 'open'), (SELECT array_agg(r::text) FROM models, svdpp_recommend_all(model, 4) r WHERE name = 'open'), 'or numbers, when asked for');
SELECT is((SELECT array_agg(concat_ws('|', rank, item_id, score, reason)) FROM models, svdpp_recommend(model, 'C-007') WHERE name = 'texts'),
    (SELECT array_agg(concat_ws('|', rank, 'Größe ' || lpad(item_id::text, 3, '0'), score, regexp_replace(regexp_replace(split_part(reason, ' that ', 1), '\m(\d\d?)\M', 'Größe 0\1', 'g'), '\m0(\d)\M', '00\1', 'g') || ' that ' || split_part(reason, ' that ', 2)))
    FROM models, svdpp_recommend(model, 7) WHERE name = 'open' AND reason LIKE 'goes with%'), 'one user of text ids, with its reasons');

-- ---- reasons, number by number
CREATE TABLE reasons AS
SELECT name, user_id, r.*, coalesce((SELECT 'goes with ' || CASE count(*) WHEN 1 THEN min(e.item_id)::text WHEN 2 THEN string_agg(e.item_id::text, ' and ' ORDER BY place)
            ELSE string_agg(e.item_id::text, '' ORDER BY place) FILTER (WHERE place = 1) || ', ' || string_agg(e.item_id::text, ' and ' ORDER BY place) FILTER (WHERE place > 1) END
            || ' that the customer has (+' || round(sum(contribution)::numeric, 2) || '); '
        FROM (SELECT e.item_id, contribution, row_number() OVER (ORDER BY contribution DESC, i.buyers DESC, e.item_id) AS place FROM svdpp_explain(model, user_id, r.item_id) e JOIN items i USING (item_id)
            WHERE source = 'item' AND contribution > 0 AND e.item_id <> r.item_id) e WHERE place <= 3 HAVING sum(contribution) >= greatest(0.005 * range, 0.005)), '')
    || 'predicted ' || CASE WHEN name = 'purchases' THEN format('%s (an amount of %s)', round(score::numeric, 2), round((exp(score) - 1)::numeric, 2)) ELSE round(score::numeric, 2)::text END
    || CASE name WHEN 'unbiased' THEN '' WHEN 'purchases' THEN format(', on average %s (an amount of %s)', round(mean::numeric, 2), round((exp(mean) - 1)::numeric, 2)) ELSE ', on average ' || round(mean::numeric, 2) END
    || format('; %s of 90 customers %s it (rank %s)', buyers, CASE buyers WHEN 1 THEN 'has' ELSE 'have' END, popularity) AS wanted
FROM models, users, LATERAL (SELECT (i ->> 'mean')::float8 AS mean, (i ->> 'high')::float8 - (i ->> 'low')::float8 AS range FROM model_info(model) i) info, svdpp_recommend(model, user_id, 4, CASE WHEN user_id % 3 = 0 THEN '{"include_seen": true}' ELSE '{}' END::jsonb) r JOIN items USING (item_id)
WHERE name IN ('open', 'clipped', 'plain', 'unbiased', 'purchases');
SELECT is(count(*) FILTER (WHERE reason IS DISTINCT FROM wanted), 0::bigint, name || ': reasons are those of plain SQL') FROM reasons GROUP BY name ORDER BY name;
SELECT is(max(reason), max(wanted), 'one that differs') FROM reasons WHERE reason IS DISTINCT FROM wanted;
SELECT ok(count(*) FILTER (WHERE reason LIKE 'goes with%') > 100, 'many go with something') FROM reasons WHERE name = 'open';
SELECT is(count(*) FILTER (WHERE reason LIKE 'goes with%'), 0::bigint, 'nothing does without implicit feedback') FROM reasons WHERE name = 'plain';

-- ---- users the model does not know
SELECT is((SELECT array_agg(concat_ws('|', rank, item_id, score, reason)) FROM models, svdpp_recommend(model, 4711, 60) WHERE name = m),
    (SELECT array_agg(line ORDER BY place) FROM (
        SELECT place, concat_ws('|', place, item_id, svdpp_predict(pg_temp.model(m), 4711, item_id), format('no %s known yet: popular, %s of 90 customers have it (rank %s)', what, buyers, popularity)) AS line
        FROM (SELECT *, row_number() OVER (ORDER BY buyers DESC, bias DESC, item_id) AS place FROM items JOIN svdpp_factors(pg_temp.model(m)) f ON side = 'item' AND id = item_id) s) t), m || ': the most popular, and the reason says so')
FROM (VALUES ('open', 'ratings'), ('clipped', 'ratings'), ('purchases', 'purchases'), ('unbiased', 'ratings')) v (m, what);
SELECT is((SELECT array_agg(r::text) FROM models, svdpp_recommend(model, NULL::bigint, 60) r WHERE name = 'open'), (SELECT array_agg(r::text) FROM models, svdpp_recommend(model, 0, 60) r WHERE name = 'open'), 'NULL is a user nobody knows');
SELECT is((SELECT count(DISTINCT popularity) < count(*) FROM items), true, 'some items are equally popular');
SELECT is((SELECT reason FROM svdpp_recommend(pg_temp.model('single'), 1, 1)), 'no ratings known yet: popular, 1 of 1 customer has it (rank 1)', 'one customer');
SELECT is((SELECT string_agg(item_id, ',') FROM svdpp_recommend(pg_temp.model('texts'), NULL, 3)), (SELECT string_agg('Größe ' || lpad(item_id::text, 3, '0'), ',') FROM svdpp_recommend(pg_temp.model('open'), 0, 3)), 'an unknown user of text ids');

-- ---- options
SELECT is((SELECT array_agg(item_id) FROM svdpp_recommend(pg_temp.model('open'), 7, 100, '{"include_seen": true}')),
    (SELECT array_agg(item_id ORDER BY svdpp_predict(pg_temp.model('open'), 7, item_id) DESC, buyers DESC, item_id) FROM items), 'include_seen: all items');
SELECT is((SELECT array_agg(item_id) FROM svdpp_recommend(pg_temp.model('open'), 7, 100, '{"candidates": [1, "2", 3.0, 40, 41, "042", 4e1, 99, "x", "", -1, 1.5, 99999999999999999999], "include_seen": true}')),
    (SELECT array_agg(item_id ORDER BY svdpp_predict(pg_temp.model('open'), 7, item_id) DESC, buyers DESC, item_id) FROM items WHERE item_id IN (1, 2, 3, 40, 41, 42)), 'candidates');
SELECT is((SELECT array_agg(item_id) FROM svdpp_recommend(pg_temp.model('open'), 7, 100, '{"exclude": [1, "2", 40, 41, 99, "x"]}')),
    (SELECT array_agg(item_id ORDER BY rank) FROM by_hand WHERE name = 'open' AND user_id = 7 AND item_id NOT IN (1, 2, 40, 41)), 'exclude');
SELECT is((SELECT count(*) FROM svdpp_recommend(pg_temp.model('open'), 7, 100, '{"candidates": []}')), 0::bigint, 'no candidates');
SELECT is((SELECT array_agg(item_id) FROM svdpp_recommend(pg_temp.model('open'), 7, 100, '{"exclude": []}')), (SELECT array_agg(item_id ORDER BY rank) FROM by_hand WHERE name = 'open' AND user_id = 7), 'nothing excluded');
SELECT is((SELECT array_agg(item_id) FROM svdpp_recommend(pg_temp.model('open'), 7, 100, '{"min_popularity": 30}')),
    (SELECT array_agg(item_id ORDER BY rank) FROM by_hand JOIN items USING (item_id) WHERE name = 'open' AND user_id = 7 AND buyers >= 30), 'min_popularity');
SELECT is((SELECT string_agg(item_id, ',') FROM svdpp_recommend(pg_temp.model('texts'), NULL, 9, '{"candidates": ["Größe 011", "Größe 012", 13], "exclude": ["Größe 012"]}')), 'Größe 011', 'ids that are text');
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM svdpp_recommend(pg_temp.model('open'), 0, 60, '{"exclude": [1], "min_popularity": 30}')), (SELECT array_agg(item_id ORDER BY rank) FROM svdpp_recommend(pg_temp.model('open'), 0, 60) JOIN items i USING (item_id) WHERE item_id <> 1 AND i.buyers >= 30), 'of an unknown user too');
SELECT is((SELECT array_agg(r::text) FROM svdpp_recommend(pg_temp.model('open'), 7, options => NULL) r), (SELECT array_agg(r::text) FROM svdpp_recommend(pg_temp.model('open'), 7) r), 'NULL for the defaults');

-- ---- ways to rank
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM svdpp_recommend(pg_temp.model('purchases'), 7, 60, '{"rank_by": "prediction"}')),
    (SELECT array_agg(item_id ORDER BY s DESC) FROM (SELECT item_id, (SELECT sum(contribution) FROM svdpp_explain(pg_temp.model('purchases'), 7, item_id) WHERE source <> 'limit') AS s FROM items WHERE item_id NOT IN (SELECT item_id FROM ratings WHERE user_id = 7)) x), 'amounts by prediction alone');
SELECT is((SELECT array_agg(r::text) FROM svdpp_recommend(pg_temp.model('purchases'), 7, 60, '{"rank_by": "expected_value"}') r), (SELECT array_agg(r::text) FROM svdpp_recommend(pg_temp.model('purchases'), 7, 60) r), 'expected value is the default');
SELECT is((SELECT string_agg(concat_ws(' ', user_id, r.rank, r.item_id, r.score), ',' ORDER BY user_id, r.rank) FROM users, models, svdpp_recommend(model, user_id, 5, '{"rank_by": "prediction"}') r WHERE name = 'purchases'),
    (SELECT string_agg(r::text, ',') FROM (SELECT concat_ws(' ', user_id, rank, item_id, score) AS r FROM models, svdpp_recommend_all(model, 5, '{"rank_by": "prediction"}') WHERE name = 'purchases') s), 'for all users too');
SELECT is(pg_temp.complaint($$SELECT svdpp_recommend$$ || f || $$, 5, '{"rank_by": "expected_value"}')$$), '22023 | ' || what || ': rank_by "expected_value" needs a model of amounts, and this one is of ratings | svdpp_train learns amounts with {"implicit": "purchases"}.', what || ' of ratings')
FROM (VALUES ($$(pg_temp.model('open'), 7$$, 'svdpp_recommend'), ($$_all(pg_temp.model('open')$$, 'svdpp_recommend_all')) v (f, what);

-- ---- names in reasons
SELECT is((SELECT string_agg(reason, ',') FROM svdpp_recommend(pg_temp.model('open'), 7, 20, jsonb_build_object('names', (SELECT jsonb_object_agg(item_id, 'No ' || item_id) FROM items)))),
    (SELECT string_agg(regexp_replace(split_part(reason, ' that ', 1), '\m(\d+)\M', 'No \1', 'g') || substr(reason, length(split_part(reason, ' that ', 1)) + 1), ',') FROM svdpp_recommend(pg_temp.model('open'), 7, 20) WHERE reason LIKE 'goes with%'), 'items by their names');
SELECT is((SELECT array_agg(r::text) FROM svdpp_recommend(pg_temp.model('open'), 7, 9, '{"names": {"x": "y", "1": null, "2": null}}') r), (SELECT array_agg(r::text) FROM svdpp_recommend(pg_temp.model('open'), 7, 9) r), 'those without a name by their ids');
SELECT matches(pg_temp.complaint(format($$SELECT svdpp_recommend(pg_temp.model('open'), 7, 60, '%s')$$, jsonb_build_object('names', (SELECT jsonb_object_agg(item_id, item_id) FROM items)))), '^22023 . svdpp_recommend: the name of item \d+ must be a text$', 'a name is a text');
SELECT matches(pg_temp.complaint($$SELECT svdpp_recommend(pg_temp.model('open'), 7, 9, '{"names": ["x"]}')$$), '^22023 . option "names" of svdpp_recommend', 'names are an object');

-- ---- items that are alike
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM svdpp_similar_items(pg_temp.model('open'), 7, 9, '{"min_popularity": 30, "exclude": [3, 8]}')), (SELECT array_agg(item_id ORDER BY rank) FROM (SELECT * FROM svdpp_similar_items(pg_temp.model('open'), 7, 100) s WHERE s.buyers >= 30 AND s.item_id NOT IN (3, 8) ORDER BY rank LIMIT 9) s), 'which items may be similar');
SELECT is((SELECT string_agg(concat_ws(' ', a.item_id, s.rank, s.item_id, round(similarity::numeric, 9), s.buyers), ',' ORDER BY a.item_id, s.rank) FROM items a, svdpp_similar_items(pg_temp.model('open'), a.item_id, 4) s),
    (SELECT string_agg(concat_ws(' ', a, place, b, round(cosine::numeric, 9), buyers), ',' ORDER BY a, place) FROM (
        SELECT a.id AS a, b.id AS b, cosine, buyers, row_number() OVER (PARTITION BY a.id ORDER BY cosine DESC, buyers DESC, b.id) AS place
        FROM svdpp_factors(pg_temp.model('open')) a JOIN svdpp_factors(pg_temp.model('open')) b ON a.side = 'item' AND b.side = 'item' AND a.id <> b.id JOIN items ON item_id = b.id,
            LATERAL (SELECT sum(x * y) / sqrt(sum(x * x) * sum(y * y)) AS cosine FROM unnest(a.factors, b.factors) v (x, y)) c) s WHERE place <= 4), 'similar items: the cosine of their vectors');
SELECT is((SELECT array_agg(concat_ws(' ', rank, item_id, similarity, buyers)) FROM svdpp_similar_items(pg_temp.model('texts'), 'Größe 007', 100)),
    (SELECT array_agg(concat_ws(' ', rank, 'Größe ' || lpad(item_id::text, 3, '0'), similarity, buyers)) FROM svdpp_similar_items(pg_temp.model('open'), 7, 100)), 'of text ids');
SELECT is((SELECT count(*) FROM svdpp_similar_items(pg_temp.model('open'), 7)) * 100 + (SELECT count(*) FROM svdpp_similar_items(pg_temp.model('open'), 7, 10000)), 559::bigint, 'five by default, never the item itself');
SELECT is((SELECT count(*) FROM svdpp_similar_items(pg_temp.model('open'), 4711)), 0::bigint, 'an unknown item is like none');

-- ---- whatever the plan, in whatever way it is called
SELECT is((SELECT array_agg(r::text) FROM (SELECT svdpp_recommend_all(model, 3) AS r FROM models WHERE name = 'open') s), (SELECT array_agg(r::text) FROM models, svdpp_recommend_all(model, 3) r WHERE name = 'open'), 'row by row in a target list');
SELECT is((SELECT array_agg(r::text) FROM (SELECT svdpp_recommend_all(model, 3, '{}', NULL::text) AS r FROM models WHERE name = 'texts' LIMIT 7) s), (SELECT array_agg(r::text) FROM (SELECT r FROM models, svdpp_recommend_all(model, 3, '{}', NULL::text) r WHERE name = 'texts' LIMIT 7) s), 'until it is enough');
SELECT is((SELECT count(*) FROM (SELECT svdpp_recommend_all(model, 3) AS r FROM models WHERE name = 'single' UNION ALL SELECT svdpp_recommend_all(NULL) UNION ALL SELECT svdpp_recommend_all(model, NULL, NULL, 1::bigint) FROM models WHERE name = 'open') s), 0::bigint, 'nothing row by row');
SELECT is((SELECT string_agg(concat_ws(' ', m.name, user_id, r.rank, r.item_id, r.score), ',' ORDER BY m.name, user_id, r.rank) FROM (SELECT * FROM users, models WHERE name IN ('open', 'plain', 'unbiased') ORDER BY user_id, name) m, svdpp_recommend(model, user_id, 2) r),
    (SELECT string_agg(concat_ws(' ', name, user_id, rank, item_id, score), ',' ORDER BY name, user_id, rank) FROM by_hand WHERE rank <= 2 AND name NOT IN ('clipped', 'purchases')), 'models that change from row to row');
SELECT is((SELECT string_agg(concat_ws(' ', taste, user_id, rank, item_id), ',' ORDER BY taste, user_id, rank) FROM (SELECT user_id % 2 AS taste, svdpp_train(user_id, item_id, rating) AS model FROM ratings GROUP BY 1) m, svdpp_recommend_all(model, 2)),
    (SELECT string_agg(concat_ws(' ', taste, user_id, r.rank, r.item_id), ',' ORDER BY taste, user_id, r.rank) FROM (SELECT user_id % 2 AS taste, svdpp_train(user_id, item_id, rating) AS model FROM ratings GROUP BY 1) m JOIN users ON user_id % 2 = taste, svdpp_recommend(model, user_id, 2) r), 'a model for each group');
CREATE TABLE serial AS SELECT array_agg(r::text) AS rows FROM svdpp_recommend_all(pg_temp.model('open'), 10) r;
SET LOCAL retailml.threads = 1;
SELECT is((SELECT array_agg(r::text) FROM svdpp_recommend_all(pg_temp.model('open'), 10) r), rows, 'one thread') FROM serial;
SET LOCAL retailml.threads = 2;
SELECT is((SELECT array_agg(r::text) FROM svdpp_recommend_all(pg_temp.model('open'), 10) r), rows, 'two threads') FROM serial;
SELECT set_config(CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query' ELSE 'force_parallel_mode' END, 'on', true) \gset
SELECT is((SELECT array_agg(r::text) FROM (SELECT r FROM models, svdpp_recommend_all(model, 10) r WHERE name = 'open') s), rows, 'in a parallel worker') FROM serial;
SELECT set_config(CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query' ELSE 'force_parallel_mode' END, 'off', true) \gset

-- ---- NULL
SELECT is((SELECT count(*) FROM svdpp_recommend(NULL::bytea, 7)) + (SELECT count(*) FROM svdpp_recommend(pg_temp.model('open'), 7, NULL)) + (SELECT count(*) FROM svdpp_recommend_all(NULL)) + (SELECT count(*) FROM svdpp_recommend_all(pg_temp.model('open'), NULL))
    + (SELECT count(*) FROM svdpp_recommend_all(NULL, 3, '{}', NULL::text)) + (SELECT count(*) FROM svdpp_similar_items(pg_temp.model('open'), NULL::bigint)) + (SELECT count(*) FROM svdpp_similar_items(NULL, 'x')), 0::bigint, 'no rows for NULL');

-- ---- errors
SELECT is(pg_temp.complaint(format($$SELECT * FROM svdpp_%s$$, call)), wanted, call) FROM (VALUES
    ($$recommend(pg_temp.model('open'), 7, 0)$$, '22023 | n must be an integer from 1 to 10000 | It is 0.'),
    ($$recommend_all(pg_temp.model('open'), 10001)$$, '22023 | n must be an integer from 1 to 10000 | It is 10001.'),
    ($$similar_items(pg_temp.model('open'), 7, -1)$$, '22023 | n must be an integer from 1 to 10000 | It is -1.'),
    ($$recommend(pg_temp.model('open'), 'C-007')$$, '22023 | the ids of this model are bigint | Cast the ids you ask for, for example user_id::bigint.'),
    ($$recommend(pg_temp.model('texts'), 7)$$, '22023 | the ids of this model are text | Cast the ids you ask for, for example user_id::text.'),
    ($$similar_items(pg_temp.model('texts'), 7)$$, '22023 | the ids of this model are text | Cast the ids you ask for, for example user_id::text.'),
    ($$recommend_all(pg_temp.model('texts'))$$, '22023 | the ids of this model are text | Pass NULL::text as id_type: svdpp_recommend_all(model, n, ''{}'', NULL::text).'),
    ($$recommend_all(pg_temp.model('open'), 3, '{}', NULL::int)$$, '22023 | ids cannot be of type integer | Pass NULL::bigint or NULL::text as id_type.'),
    ($$recommend(pg_temp.model('open'), 7, 3, '{"seen": true}')$$, '22023 | svdpp_recommend has no option "seen" | Valid options are: include_seen, candidates, exclude, min_popularity, rank_by, names.'),
    ($$recommend(pg_temp.model('open'), 7, 3, '{"candidates": 7}')$$, '22023 | option "candidates" of svdpp_recommend must be an array of ids | It is 7.'),
    ($$recommend(pg_temp.model('open'), 7, 3, '{"exclude": [7, [8]]}')$$, '22023 | option "exclude" of svdpp_recommend must be an array of ids | It is [7, [8]].'),
    ($$recommend(pg_temp.model('open'), 7, 3, '{"min_popularity": -1}')$$, '22023 | option "min_popularity" of svdpp_recommend must be an integer from 0 to 2147483647 | It is -1.')) v (call, wanted);
SELECT matches(pg_temp.complaint(format($$SELECT * FROM svdpp_%s$$, call)), '22023 . svdpp_[a-z_]+ needs a model of svdpp, this one is of kmeans', call) FROM unnest(ARRAY[
    $$recommend(pg_temp.model('kmeans'), 7)$$, $$recommend_all(pg_temp.model('kmeans'))$$, $$similar_items(pg_temp.model('kmeans'), 7)$$]) call;
SELECT matches(pg_temp.complaint($$SELECT * FROM svdpp_recommend_all('\x00')$$), '^XX001 . the model is damaged', 'a damaged model');
CREATE TABLE many AS SELECT svdpp_train(i % 7, i, 1.0 + i % 3, '{"n_epochs": 1, "holdout": 0}') AS model FROM generate_series(1, 30000) i;
SET LOCAL retailml.max_memory = '10MB';
SELECT matches(pg_temp.complaint($$SELECT r.* FROM many, svdpp_recommend_all(model, 10000) r$$), '^53400 . svdpp_recommend_all needs \d+ MB', 'too little memory');
RESET retailml.max_memory;

SELECT * FROM finish();
ROLLBACK;
