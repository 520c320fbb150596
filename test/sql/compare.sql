-- cluster_compare against the single runs that it stands for.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(15);

-- three groups in two numbers and a category; a large unit hides them from raw numbers
CREATE TABLE people AS
SELECT i AS id, i % 2 AS region, 3 * (i % 3) + sin(i * 7.1) AS a, 100000 * cos(i * 3.3) AS "Large Unit",
    CASE WHEN i % 17 = 0 THEN NULL ELSE (ARRAY['x', 'y', 'z'])[1 + i % 3] END AS letter
FROM generate_series(1, 300) i;
ANALYZE people;
CREATE FUNCTION pg_temp.value(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE VIEW compared AS
SELECT c.* FROM (SELECT cluster_compare(p, 2, 5, '{"exclude": ["id", "region"], "seed": 7}') AS s FROM people p) x, unnest(s) AS c;

SELECT is((SELECT array_agg(method || ' ' || space || ' ' || n ORDER BY method, space) FROM (SELECT method, space, count(*) AS n FROM compared GROUP BY 1, 2) s),
    '{kmeans raw 4,kmeans standardized 4,kprototypes raw 4,kprototypes standardized 4}', 'a row for each method, space and k');
SELECT ok(bool_and(abs(c.cost / (model_info(m) ->> 'inertia')::float8 - 1) < 1e-12), 'costs of k-means are those of kmeans_fit')
FROM compared c, LATERAL (SELECT kmeans_fit(p, c.k, jsonb_build_object('features', '["a", "Large Unit"]'::jsonb, 'seed', 7, 'standardize', space = 'standardized')) AS m FROM people p) f
WHERE method = 'kmeans';
SELECT ok(bool_and(abs(c.cost / (model_info(m) ->> 'cost')::float8 - 1) < 1e-12), 'costs of k-prototypes are those of kprototypes_fit')
FROM compared c, LATERAL (SELECT kprototypes_fit(p, c.k, jsonb_build_object('exclude', '["id", "region"]'::jsonb, 'seed', 7, 'standardize', space = 'standardized')) AS m FROM people p) f
WHERE method = 'kprototypes';
CREATE VIEW single AS
SELECT c.method, c.space, c.k, (SELECT cluster_metrics(p, predict(m, p)::int, '{"exclude": ["id", "region"]}') FROM people p) AS metrics
FROM compared c, LATERAL (SELECT CASE method
        WHEN 'kmeans' THEN kmeans_fit(p, c.k, jsonb_build_object('features', '["a", "Large Unit"]'::jsonb, 'seed', 7, 'standardize', space = 'standardized'))
        ELSE kprototypes_fit(p, c.k, jsonb_build_object('exclude', '["id", "region"]'::jsonb, 'seed', 7, 'standardize', space = 'standardized')) END AS m FROM people p) f;
SELECT ok(bool_and(abs(silhouette - (metrics).silhouette) < 1e-12), 'silhouettes are those of cluster_metrics') FROM compared JOIN single USING (method, space, k);
SELECT ok(bool_and(abs(davies_bouldin - (metrics).davies_bouldin) < 1e-12 * davies_bouldin), 'so is Davies-Bouldin') FROM compared JOIN single USING (method, space, k);
SELECT ok(bool_and(abs(calinski_harabasz - (metrics).calinski_harabasz) < 1e-12 * calinski_harabasz), 'and Calinski-Harabasz') FROM compared JOIN single USING (method, space, k);
SELECT is((SELECT array_agg(silhouette) FROM compared WHERE is_best), (SELECT ARRAY[max(silhouette)] FROM compared), 'the best has the largest silhouette');
SELECT is((SELECT method || ' ' || space || ' ' || k FROM compared WHERE is_best), 'kprototypes standardized 3', 'which is what the rows are made of');
SELECT ok((SELECT bool_and(c.is_elbow = e.is_elbow) FROM compared c JOIN (SELECT k, is_elbow FROM (SELECT kprototypes_sweep(p, 2, 5, '{"exclude": ["id", "region"], "seed": 7}') s FROM people p) x, unnest(s)) e USING (k)
    WHERE method = 'kprototypes' AND space = 'standardized'), 'the elbow is that of the sweep');
SELECT is((SELECT count(DISTINCT method) FROM (SELECT cluster_compare(p, 2, 3, '{"features": ["a", "Large Unit"]}') AS s FROM people p) x, unnest(s)), 1::bigint, 'without categories there is k-means only');
SELECT is((SELECT cluster_compare(p, 2, 3) FROM people p WHERE false), NULL, 'NULL for no rows');
SELECT is((SELECT max(k) FROM (SELECT cluster_compare(ARRAY[i % 3], 1, 9) AS s FROM generate_series(1, 30) i) x, unnest(s)), 3, 'it ends at the number of distinct rows');
SELECT throws_ok('SELECT cluster_compare(p, 3, 2) FROM people p', '22023', 'cluster_compare: cannot sweep k from 3 to 2', 'an empty range');
SELECT is((SELECT array_agg(n ORDER BY region) FROM (SELECT region, cardinality(cluster_compare(p, 2, 3, '{"exclude": ["id", "region"]}')) AS n FROM people p GROUP BY region) x), '{8,8}', 'GROUP BY');
CREATE TEMP TABLE serial AS SELECT pg_temp.value('SELECT cluster_compare(p, 2, 4, ''{"exclude": ["id"]}'') FROM people p') AS s;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is(pg_temp.value('SELECT cluster_compare(p, 2, 4, ''{"exclude": ["id"]}'') FROM people p'), s, 'parallel = serial') FROM serial;

SELECT * FROM finish();
ROLLBACK;
