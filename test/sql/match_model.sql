-- match_model: segments that keep their number from model to model.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(47);

-- ---- eight months of customers of four kinds (five in months 4 and 5, four again, then another fifth):
-- means drift by 2 % a month, every month has other customers
CREATE FUNCTION noise(id int, month int, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    $$ SELECT (hashint8extended(id * 1000 + month * 10 + salt, 7) % 1000003) / 1000003.0 $$;
CREATE TABLE facts AS
SELECT month, id, kind, (spend * (1 + 0.02 * month) + 25 * noise(id, month, 1))::numeric(12, 2) AS spend, orders * (1 - 0.02 * month) + 2 * noise(id, month, 2) AS orders,
    recency + 10 * noise(id, month, 3) + month AS recency
FROM (VALUES ('regular', 300, 100, 10, 30), ('loyal', 220, 300, 30, 10), ('rich', 120, 900, 12, 20), ('asleep', 160, 80, 4, 150), ('online', 140, 500, 60, 60), ('tourist', 90, 1500, 2, 90))
        k (kind, size, spend, orders, recency), generate_series(1, 8) month, generate_series(1, size) AS id
WHERE kind NOT IN ('online', 'tourist') OR kind = 'online' AND month IN (4, 5) OR kind = 'tourist' AND month = 8;
CREATE TABLE fits AS
SELECT month, kmeans_fit(f, count, jsonb_build_object('features', '["spend", "orders", "recency"]'::jsonb, 'seed', month, 'order_by', (ARRAY['orders', 'spend', 'recency'])[1 + month % 3])) AS model
FROM (SELECT month, f, (CASE WHEN month IN (4, 5, 8) THEN 5 ELSE 4 END) AS count FROM facts f) s GROUP BY month, count;
CREATE TABLE chain (month int, model bytea);
DO $$
DECLARE current bytea; previous bytea;
BEGIN
    FOR i IN 1 .. 8 LOOP
        SELECT match_model(model, previous) INTO current FROM fits WHERE month = i;
        INSERT INTO chain VALUES (i, current);
        previous = current;
    END LOOP;
END $$;
CREATE VIEW labelled AS SELECT f.month, f.kind, kmeans_predict(c.model, f) AS cluster, kmeans_predict(p.model, f) AS fresh FROM facts f JOIN chain c USING (month) JOIN fits p USING (month);
-- the number of each kind, month by month
CREATE VIEW numbers AS SELECT kind, string_agg(cluster::text, '' ORDER BY month) AS months FROM (SELECT DISTINCT month, kind, cluster FROM labelled) s GROUP BY kind;
SELECT is((SELECT count(*) FROM (SELECT DISTINCT month, kind, cluster FROM labelled) s), 35::bigint, 'clusters are the planted kinds in every month');
SELECT isnt((SELECT count(DISTINCT (kind, fresh)) FROM labelled), 6::bigint, 'fresh fits number them anew');
SELECT is((SELECT count(DISTINCT (kind, cluster)) FROM labelled), 6::bigint, 'in the chain each kind has one number');
SELECT is((SELECT count(DISTINCT cluster) FROM labelled), 6::bigint, 'of its own');
SELECT is((SELECT string_agg(DISTINCT length(months)::text, ',') FROM numbers WHERE kind IN ('regular', 'loyal', 'rich', 'asleep')), '8', 'for all months');
SELECT is((SELECT months FROM numbers WHERE kind = 'online'), '55', 'a new kind gets the next number');
SELECT is((SELECT months FROM numbers WHERE kind = 'tourist'), '6', 'which is not given again when it is gone');
SELECT is((SELECT string_agg(DISTINCT c.cluster::text, ',') FROM chain, kmeans_centroids(model) c WHERE month = 8), '1,2,3,4,6', 'kmeans_centroids knows the numbers');
SELECT is((SELECT array_agg(predict(model, f) = kmeans_predict(model, f)) FROM chain JOIN facts f USING (month) WHERE month = 8 AND id = 1), '{t,t,t,t,t}', 'so does predict');
SELECT is((SELECT count(*) FROM chain c JOIN fits f USING (month), LATERAL (SELECT model_info(c.model) = model_info(f.model) AS same) s WHERE NOT same), 0::bigint, 'nothing else of a model changes');
SELECT is((SELECT adjusted_rand_index(cluster, fresh) FROM labelled WHERE month = 5), 1::float8, 'and no row changes its company');

-- ---- names: those of the rules in the first month, from then on those of the segments
CREATE VIEW names AS
SELECT month, kind, predict_label(c.model, f) AS name, predict_label(p.model, f) AS fresh FROM facts f JOIN chain c USING (month) JOIN fits p USING (month);
SELECT is((SELECT array_agg(DISTINCT name = fresh) FROM names WHERE month = 1), '{t}', 'the first month has the names of the rules');
SELECT is((SELECT count(DISTINCT (kind, name)) FROM names), 6::bigint, 'in the chain each kind has one name');
SELECT is((SELECT count(DISTINCT name) FROM names WHERE month IN (1, 4, 8)), 6::bigint, 'of its own');
SELECT cmp_ok((SELECT count(DISTINCT (kind, fresh)) FROM names), '>', 6::bigint, 'which rules alone would not give');
SELECT is((SELECT array_agg(DISTINCT (n.name = p.name)) FROM chain, segment_names(model) n JOIN segment_profile(model) p USING (cluster) WHERE month = 8), '{t}', 'segment_names and segment_profile say the same');
SELECT is((SELECT string_agg(DISTINCT p.cluster::text, ',') FROM chain, segment_profile(model) p WHERE month = 8), '1,2,3,4,6', 'by the same numbers');
CREATE TABLE renamed AS SELECT rename_segments(model, '{"1": "Gold", "2": "Été", "3": "C", "4": "D"}') AS model FROM chain WHERE month = 2;
SELECT is((SELECT string_agg(n.cluster || ' ' || n.name, ', ' ORDER BY n.cluster) FROM fits f, renamed r, segment_names(match_model(f.model, r.model)) n WHERE month = 3), '1 Gold, 2 Été, 3 C, 4 D', 'names given by hand are continued');

-- ---- permuted and re-run models
CREATE TABLE march AS SELECT * FROM facts WHERE month = 3;
CREATE TABLE runs AS
SELECT kmeans_fit(f, 4, '{"features": ["spend", "orders", "recency"]}') AS model, kmeans_fit(f, 4, '{"features": ["spend", "orders", "recency"], "order_by": "recency"}') AS permuted,
    kmeans_fit(f, 4, '{"features": ["spend", "orders", "recency"], "seed": 99, "init": "random"}') AS again,
    kmeans_fit(f, 4, '{"features": ["orders", "spend"]}') AS fewer, kmeans_fit(f, 4, '{"exclude": ["id", "month", "kind"], "standardize": false}') AS raw,
    kmeans_fit(ARRAY[spend, orders, recency]::float8[], 4) AS arrays, kmeans_fit(ARRAY[spend, orders]::float8[], 4, '{"order_by": "x1"}') AS short FROM march f;
CREATE FUNCTION pg_temp.same(a bytea, b bytea) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT bool_and(predict(a, f) = predict(b, f)) FROM march f $$;
SELECT ok(NOT pg_temp.same(model, permuted) AND pg_temp.same(model, match_model(permuted, model)), 'a permuted model') FROM runs;
SELECT ok(pg_temp.same(model, match_model(again, model)), 'a model of another seed') FROM runs;
SELECT ok(pg_temp.same(model, match_model(model, model)), 'a model continues itself') FROM runs;
SELECT is(match_model(match_model(permuted, model), model), match_model(permuted, model), 'matching twice changes nothing') FROM runs;
SELECT ok(pg_temp.same(match_model(model, permuted), permuted), 'either may be the old one') FROM runs;
SELECT is((SELECT kmeans_predict(match_model(raw, model), f) FROM march f WHERE kind = 'rich' LIMIT 1), (SELECT kmeans_predict(model, f) FROM march f WHERE kind = 'rich' LIMIT 1), 'standardized or not') FROM runs;
SELECT is((SELECT kmeans_predict(match_model(fewer, model), f) FROM march f WHERE kind = 'loyal' LIMIT 1), (SELECT kmeans_predict(model, f) FROM march f WHERE kind = 'loyal' LIMIT 1), 'columns only one has are ignored') FROM runs;
SELECT is((SELECT array_agg(DISTINCT kmeans_predict(match_model(short, arrays), ARRAY[spend, orders]::float8[]) = kmeans_predict(arrays, ARRAY[spend, orders, recency]::float8[])) FROM march WHERE kind IN ('loyal', 'rich')), '{t}',
    'models of arrays are matched by position') FROM runs;
SELECT throws_like('SELECT match_model(arrays, model) FROM runs', 'match_model: the two models have no column in common that varies', 'but not with columns that have names');

-- ---- categories: two channels that the numbers know nothing of, and models of other algorithms
CREATE TABLE visits AS
SELECT id, kind, spend, orders, CASE WHEN noise(id, 1, 4) < 0.9 THEN channel ELSE other END AS channel, CASE WHEN id % 11 > 0 THEN channel || kind END AS device
FROM march, (VALUES (0, 'web', 'shop'), (1, 'shop', 'web')) c (i, channel, other) WHERE id % 2 = i AND kind IN ('rich', 'regular');
CREATE TABLE mixed AS
SELECT kprototypes_fit(v, 4, '{"exclude": ["id", "kind"], "gamma": 5}') AS model, kprototypes_fit(v, 4, '{"exclude": ["id", "kind"], "gamma": 5, "seed": 3, "order_by": "orders"}') AS again,
    kprototypes_fit(v, 4, '{"features": ["channel", "device"]}') AS modes, kmeans_fit(v, 2, '{"features": ["spend", "orders"]}') AS means, kmeans_fit(v, 2, '{"features": ["spend"], "order_by": "spend"}') AS other FROM visits v;
SELECT is((SELECT count(DISTINCT predict(model, v)) FROM visits v), 4::bigint, 'k-prototypes finds four kinds of visits') FROM mixed;
SELECT ok((SELECT bool_and(predict(match_model(again, model), v) = predict(model, v)) FROM visits v), 'and matching tells them by their categories') FROM mixed;
SELECT is(match_model(match_model(again, model), model), match_model(again, model), 'twice changes nothing') FROM mixed;
SELECT is((SELECT count(DISTINCT (predict(match_model(modes, model), v), predict(model, v))) FROM visits v WHERE device IS NOT NULL AND starts_with(device, channel)), 4::bigint, 'k-modes continues k-prototypes') FROM mixed;
SELECT is((SELECT array_agg(DISTINCT predict(match_model(other, means), v) = predict(means, v)) FROM visits v), '{t}', 'k-means k-means of other columns') FROM mixed;
SELECT is((SELECT array_agg(DISTINCT (p, p <= 2 AND p <> m)::text) FROM (SELECT predict(match_model(model, means), v) AS p, predict(means, v) AS m FROM visits v) s), '{"(1,f)","(2,f)","(3,f)","(4,f)"}',
    'two of four k-prototypes clusters continue those of k-means, the others are new') FROM mixed;

-- ---- max_distance
SELECT is((SELECT count(DISTINCT kmeans_predict(match_model(n.model, o.model, '{"max_distance": 0}'), f)) FROM facts f WHERE month = 2 AND kmeans_predict(match_model(n.model, o.model, '{"max_distance": 0}'), f) > 4), 4::bigint,
    'with 0 what moved is new') FROM fits n, fits o WHERE n.month = 2 AND o.month = 1;
SELECT ok(pg_temp.same(model, match_model(permuted, model, '{"max_distance": 0}')), 'and what did not is the same') FROM runs;
SELECT is(match_model(n.model, o.model, '{"max_distance": 1e9}'), match_model(n.model, o.model, '{"max_distance": 0.5}'), 'a tenth of a standard deviation is little') FROM fits n, fits o WHERE n.month = 2 AND o.month = 1;
SELECT is(match_model(n.model, o.model, NULL), match_model(n.model, o.model, '{}'), 'no options are the defaults') FROM fits n, fits o WHERE n.month = 2 AND o.month = 1;

-- ---- groups, NULL
SELECT is((SELECT array_agg(DISTINCT kmeans_predict(match_model(n.model, o.model), f) = kmeans_predict(o.model, f)) FROM
        (SELECT kind IN ('rich', 'loyal') AS g, kmeans_fit(f, 2, '{"features": ["spend", "orders"]}') AS model FROM march f GROUP BY 1) o
        JOIN (SELECT kind IN ('rich', 'loyal') AS g, kmeans_fit(f, 2, '{"features": ["spend", "orders"], "order_by": "orders"}') AS model FROM march f GROUP BY 1) n USING (g)
        JOIN march f ON (kind IN ('rich', 'loyal')) = g), '{t}', 'a model for each group');
SELECT is(match_model(NULL, model), NULL, 'NULL without a new model') FROM runs;
SELECT is(match_model(model, NULL), model, 'without an old one it is the first of a chain') FROM runs;
SELECT throws_ok('SELECT match_model(rfm_fit(recency, orders, spend::float8), NULL) FROM march', '22023', NULL, 'which must be a model of clusters');

-- ---- parallel = serial
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
ALTER TABLE fits SET (parallel_workers = 2);
SELECT is((SELECT array_agg(md5(m) ORDER BY month) FROM (SELECT month, match_model(model, (SELECT model FROM fits WHERE month = 1)) AS m FROM fits) s),
    (SELECT array_agg(md5(m) ORDER BY month) FROM (SELECT month, match_model(model, (SELECT model FROM fits WHERE month = 1)) AS m FROM fits ORDER BY month OFFSET 0) s), 'the same bytes in workers');

-- ---- errors
SELECT throws_ok('SELECT match_model(rfm_fit(recency, orders, spend::float8), (SELECT model FROM runs)) FROM march', '22023', 'match_model needs a model of clusters, this one is of rfm', 'a model without clusters');
SELECT throws_ok('SELECT match_model(model, ''\x00'') FROM runs', 'XX001', NULL, 'damaged bytes');
SELECT throws_ok('SELECT match_model(model, model, ''{"max_distance": -1}'') FROM runs', '22023', 'option "max_distance" of match_model must be a number from 0 to 1e+09', 'a value out of range');
SELECT throws_ok('SELECT match_model(model, model, ''{"distance": 1}'') FROM runs', '22023', NULL, 'an unknown option');
SET LOCAL retailml.max_memory = '1MB';
SELECT throws_ok('SELECT match_model(m, m) FROM (SELECT kmeans_fit(ARRAY[i], 500, ''{"n_init": 1, "max_iter": 1}'') AS m FROM generate_series(1, 500) i) s', '53400', NULL, 'more than retailml.max_memory');

SELECT * FROM finish();
ROLLBACK;
