-- k-prototypes from SQL: golden, categories of all types, edges, errors, plans.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(42);

-- four kinds of customers in two numbers and two categories
CREATE TYPE size AS ENUM ('small', 'large');
CREATE TABLE people AS
SELECT i AS id, i % 2 AS region, i % 4 AS kind, (10 * (i % 4) + sin(i * 7.1))::float8 AS "Total Spend", (i % 4 / 2 + 0.1 * cos(i * 3.3))::numeric(8,4) AS orders,
    CASE WHEN i % 19 = 0 THEN NULL WHEN i % 23 = 0 THEN 'odd' ELSE (ARRAY['web', 'app', 'shop', 'phone'])[1 + i % 4] END AS channel,
    CASE WHEN i % 4 < 2 THEN 'small' ELSE 'large' END::size AS size
FROM generate_series(1, 400) i;
ANALYZE people;
CREATE FUNCTION pg_temp.value(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE TABLE fits AS SELECT kprototypes_fit(p, 4, '{"exclude": ["id", "region", "kind"], "order_by": "Total Spend"}') AS model FROM people p;
CREATE VIEW scored AS SELECT p.*, kprototypes_predict(model, p) AS cluster, kprototypes_distance(model, p) AS distance FROM people p, fits;

-- ---- the clusters
SELECT is(adjusted_rand_index(kind, cluster), 1::float8, 'the kinds are found') FROM scored;
SELECT is((SELECT array_agg(kind ORDER BY cluster) FROM (SELECT DISTINCT kind, cluster FROM scored) s), '{3,2,1,0}', 'order_by numbers them');
SELECT is((SELECT array_agg(c.cluster || ' ' || size ORDER BY c.cluster) FROM (SELECT DISTINCT c.cluster, c.size FROM fits, kprototypes_centroids(model) c) c), '{"1 100","2 100","3 100","4 100"}', 'sizes');
SELECT ok(bool_and(abs(c.value - avg) < 1e-12), 'means are those of the rows')
FROM fits, kprototypes_centroids(model) c JOIN (SELECT cluster, avg("Total Spend") FROM scored GROUP BY 1) s USING (cluster) WHERE feature = 'Total Spend';
SELECT is((SELECT count(*) FROM (SELECT cluster, coalesce(channel, '(missing)') AS category, count(*) / 100.0::float8 AS share FROM scored GROUP BY 1, 2) s
    JOIN (SELECT c.cluster, c.category, c.share FROM fits, kprototypes_centroids(model) c WHERE feature = 'channel' AND share > 0) c USING (cluster, category, share)),
    (SELECT count(*) FROM (SELECT DISTINCT cluster, channel FROM scored) s), 'shares are those of the rows, the missing ones included');
SELECT is((SELECT array_agg(sum) FROM (SELECT round(sum(share)::numeric, 12) AS sum FROM fits, kprototypes_centroids(model) WHERE category IS NOT NULL GROUP BY cluster, feature) s), array_fill(1.000000000000, ARRAY[8]), 'shares add up to 1');
SELECT is((SELECT array_agg(category ORDER BY cluster) FROM (SELECT cluster, category, row_number() OVER (PARTITION BY cluster) AS n FROM fits, kprototypes_centroids(model) WHERE feature = 'channel') s WHERE n = 1), '{phone,shop,app,web}', 'the mode comes first');
SELECT ok(abs(sum(distance ^ 2) / (model_info(model) ->> 'cost')::float8 - 1) < 1e-12, 'squared distances add up to the cost') FROM scored, fits GROUP BY model;
SELECT is(predict(model, p), kprototypes_predict(model, p)::float8, 'predict agrees') FROM fits, people p WHERE id = 7;
SELECT is(array_agg(name || ' ' || type ORDER BY position), '{"Total Spend double precision","orders numeric","channel text","size size"}', 'model_features') FROM fits, model_features(model);
SELECT is((model_info(model) -> 'gamma')::text || ' ' || (model_info(model) -> 'options' ->> 'gamma'), '0.5 auto', 'gamma: the value and the option') FROM fits;
SELECT is((SELECT array_agg(DISTINCT (feature || coalesce('=' || category, '')) COLLATE "C") FROM fits, segment_profile(model) WHERE category IS NULL OR category = 'web'), '{"Total Spend",channel=web,orders}', 'segment_profile knows it');

-- ---- by name, with NULL and categories nobody has seen
SELECT is(kprototypes_predict(model, r), 4, 'columns by name, in any order') FROM fits, (SELECT 'small'::text AS size, 0 AS orders, 'web' AS channel, 7 AS extra, 0.1 AS "Total Spend") r;
SELECT is(kprototypes_predict(model, r), 4, 'an unseen category') FROM fits, (SELECT 0.1 AS "Total Spend", 0 AS orders, 'fax' AS channel, 'small' AS size) r;
SELECT ok(kprototypes_distance(model, a) > kprototypes_distance(model, b), 'differs from every mode') FROM fits, (SELECT 0.1 AS "Total Spend", 0 AS orders, 'fax' AS channel, 'small' AS size) a, (SELECT 0.1 AS "Total Spend", 0 AS orders, 'web' AS channel, 'small' AS size) b;
SELECT isnt(kprototypes_predict(model, r), NULL, 'NULL everywhere') FROM fits, (SELECT NULL::float8 AS "Total Spend", NULL::int AS orders, NULL::text AS channel, NULL::text AS size) r;
SELECT is(kprototypes_predict(NULL, p), NULL, 'no model') FROM people p WHERE id = 1;
SELECT throws_like('SELECT kprototypes_predict(model, r) FROM fits, (SELECT 1 AS orders) r', '%Total Spend%', 'missing columns are listed');
SELECT is((SELECT count(*) FROM kprototypes_centroids(NULL)), 0::bigint, 'no rows for NULL');
SELECT is((SELECT kprototypes_fit(p, 2) FROM people p WHERE false), NULL, 'no model of no rows');

-- ---- scale and types
SELECT is((SELECT array_agg(k ORDER BY id) FROM (SELECT id, kprototypes(p, 4, '{"exclude": ["id", "region", "kind"]}') OVER () AS k FROM (SELECT id, region, kind, 1000 * "Total Spend" AS "Total Spend", orders, channel, size FROM people) p) s),
    (SELECT array_agg(k ORDER BY id) FROM (SELECT id, kprototypes(p, 4, '{"exclude": ["id", "region", "kind"]}') OVER () AS k FROM people p) s), 'a column times 1000 changes no label');
SELECT is((SELECT array_agg(k ORDER BY id) FROM (SELECT id, kprototypes(p, 4, '{"features": ["channel", "size"]}') OVER () AS k FROM people p) s),
    (SELECT array_agg(k ORDER BY id) FROM (SELECT id, kprototypes(p, 4, '{"features": ["channel", "size"]}') OVER () AS k FROM (SELECT id, channel::char(9) AS channel, size::text::varchar AS size FROM people) p) s), 'char, varchar and enum are like text');
SELECT is((SELECT model_info(kprototypes_fit(p, 3, '{"features": ["orders", "Total Spend"]}')) ->> 'cost' FROM people p), (SELECT model_info(kmeans_fit(p, 3, '{"features": ["orders", "Total Spend"]}')) ->> 'inertia' FROM people p), 'numbers alone: k-means');
SELECT is((SELECT kprototypes_fit(ARRAY["Total Spend", id], 3) IS NOT NULL FROM people), true, 'arrays');
-- 100 rows of each mode: the ones that differ, odd or missing, are counted by gamma 1
SELECT is((SELECT (model_info(kprototypes_fit(p, 4, '{"features": ["channel"]}')) ->> 'cost')::float8 FROM people p), (SELECT count(*)::float8 FROM people WHERE channel = 'odd' OR channel IS NULL), 'categories alone: k-modes counts mismatches');

-- ---- sweep
CREATE TEMP TABLE sweep AS SELECT c.* FROM (SELECT kprototypes_sweep(p, 2, 8, '{"exclude": ["id", "region", "kind"]}') AS s FROM people p) x, unnest(s) c;
SELECT is((SELECT array_agg(k) FROM sweep WHERE is_elbow), '{4}', 'the elbow is at four');
SELECT ok(bool_and(cost <= before), 'costs fall') FROM (SELECT cost, lag(cost) OVER (ORDER BY k) AS before FROM sweep) s;
SELECT is((SELECT cost::text FROM sweep WHERE k = 4), (SELECT model_info(kprototypes_fit(p, 4, '{"exclude": ["id", "region", "kind"]}')) ->> 'cost' FROM people p), 'a step is the fit');
SELECT is((SELECT max(k) FROM (SELECT kprototypes_sweep(p, 1, 9) AS s FROM (SELECT size FROM people) p) x, unnest(s)), 2, 'it ends at the number of distinct rows');

-- ---- errors
SELECT throws_ok('SELECT kprototypes_fit(p, 0) FROM people p', '22023', 'kprototypes_fit: k is 0 but must be at least 1', 'k of 0');
SELECT throws_ok('SELECT kprototypes_fit(p, 3) FROM (SELECT size FROM people) p', '22023', 'kprototypes_fit: k is 3 but only 2 rows are distinct', 'fewer distinct rows');
SELECT throws_ok($$SELECT kprototypes_fit(p, 2, '{"gamma": "some"}') FROM people p$$, '22023', 'option "gamma" of kprototypes_fit must be "auto" or a number from 0 to 1e+12', 'gamma');
SELECT throws_ok($$SELECT kprototypes_fit(p, 2, '{"gamma": -1}') FROM people p$$, '22023', NULL, 'a negative gamma');
SELECT throws_ok($$SELECT kprototypes_fit(p, 2, '{"init": "best"}') FROM people p$$, '22023', 'option "init" of kprototypes_fit must be one of "cao", "huang", "random"', 'init');
SELECT throws_ok($$SELECT kprototypes_fit(p, 2, '{"order_by": "channel"}') FROM people p$$, '42703', NULL, 'order_by a category');
SELECT throws_like($$SELECT kprototypes_fit(p, 2, '{"max_categories": 3}') FROM people p$$, 'kprototypes_fit: column "channel" has more than 3 categories', 'too many categories');
SELECT throws_like('SELECT kprototypes_fit(p, 2) FROM (SELECT now() AS at, 1 AS a) p', '%"at" is of type timestamp with time zone%', 'a date');
SELECT throws_like($$SELECT kprototypes_fit(p, 2) FROM (SELECT 'infinity'::float8 AS far, 'a' AS b) p$$, '%"far"%', 'infinity');
SELECT throws_like('SELECT kmeans_predict(model, p) FROM fits, people p', '%needs a model of kmeans, this one is of kprototypes%', 'a function of another algorithm');

-- ---- groups and plans
SELECT is((SELECT array_agg(n ORDER BY region) FROM (SELECT region, (model_info(kprototypes_fit(p, 2, '{"exclude": ["id", "region", "kind"]}')) ->> 'rows')::int AS n FROM people p GROUP BY region) s), '{200,200}', 'GROUP BY');
CREATE TEMP TABLE serial AS SELECT pg_temp.value('SELECT kprototypes_fit(p, 4) FROM people p') AS m;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is(pg_temp.value('SELECT kprototypes_fit(p, 4) FROM people p'), m, 'parallel = serial') FROM serial;
SELECT is(pg_temp.value('SELECT kprototypes_fit(p, 4) FROM (SELECT * FROM people ORDER BY md5(id::text)) p'), m, 'in any order') FROM serial;

SELECT * FROM finish();
ROLLBACK;
