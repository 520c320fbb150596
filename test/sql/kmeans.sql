\set ECHO none
\pset format unaligned
\pset tuples_only on
-- k-means from SQL.  The algorithm itself is held against scikit-learn by test/unit/test_kmeans.c.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(101);

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
CREATE FUNCTION pg_temp.close(got float8, wanted float8, tolerance float8) RETURNS boolean LANGUAGE sql AS
$$SELECT abs(got - wanted) <= tolerance * greatest(1, abs(wanted))$$;

-- three groups of 50, far apart in a and b; the formula is also that of the script behind the numbers below
CREATE TABLE groups AS
SELECT i AS id, i % 3 AS g, i % 3 * 4 + (i * 37 % 101)::float8 / 101 * 2 AS a,
    CASE WHEN i % 3 = 1 THEN 10 ELSE 0 END + (i * 53 % 97)::float8 / 97 * 3 AS b, (i * 29 % 89)::float8 / 89 AS c
FROM generate_series(1, 150) i;
CREATE TABLE models AS
SELECT standardize, k, (SELECT kmeans_fit(f, k, jsonb_build_object('exclude', ARRAY['id', 'g'], 'standardize', standardize)) FROM groups f) AS m
FROM unnest(ARRAY[true, false]) standardize, generate_series(1, 7) k;

-- ---------------------------------------------------------------- golden
-- scikit-learn 1.9.1, numpy 2.4.6: KMeans(k, n_init=300, random_state=0, tol=0, max_iter=1000), raw and (x - mean) / std
CREATE TEMP TABLE golden (standardize, k, inertia) AS VALUES
    (false, 1, 5051.518030421823), (false, 2, 1737.2410677517705), (false, 3, 174.03393523695607), (false, 4, 145.25160543683472),
    (false, 5, 116.79537515086639), (false, 6, 88.5301292498507), (false, 7, 80.89993915169909),
    (true, 1, 449.9999999999999), (true, 2, 303.86429523284977), (true, 3, 157.93773491638385), (true, 4, 115.19462983576102),
    (true, 5, 78.78668106552377), (true, 6, 45.50637280938624), (true, 7, 38.1706910636763);
SELECT ok((model_info(m) ->> 'inertia')::float8 <= inertia * 1.0005, format('inertia of k = %s, %s', k, CASE WHEN standardize THEN 'standardized' ELSE 'raw' END))
FROM models JOIN golden USING (standardize, k) ORDER BY standardize, k;
SELECT ok(bool_and(pg_temp.close((model_info(m) ->> 'inertia')::float8, inertia, 1e-12)), 'the optimum of k = 1, 2, 3 is found exactly')
FROM models JOIN golden USING (standardize, k) WHERE k <= 3;
SELECT is((SELECT array_agg(size || ' ' || feature ORDER BY cluster, feature) FROM models, kmeans_centroids(m) WHERE k = 3 AND NOT standardize),
    ARRAY['50 a', '50 b', '50 c', '50 a', '50 b', '50 c', '50 a', '50 b', '50 c'], 'centroids: clusters, sizes, features');
SELECT ok(bool_and(pg_temp.close(value, w, 1e-12)), 'values, ties in size ordered by centroid')
FROM (SELECT value, row_number() OVER (ORDER BY cluster, feature) FROM models, kmeans_centroids(m) WHERE k = 3 AND NOT standardize) c
JOIN unnest(ARRAY[1.0495049504950495, 1.4969072164948445, 0.5469662921348315, 4.984158415841584, 11.458556701030925, 0.4752808988764045,
    8.956831683168318, 1.4777319587628903, 0.501123595505618]) WITH ORDINALITY u(w, n) ON n = row_number;
SELECT ok(bool_and(pg_temp.close(s.value, r.value, 1e-12)), 'a standardized model shows them in the units of the columns')
FROM models m1, models m2, kmeans_centroids(m1.m) s JOIN kmeans_centroids(m2.m) r USING (cluster, feature)
WHERE m1.k = 3 AND m2.k = 3 AND m1.standardize AND NOT m2.standardize;
SELECT ok(bool_and(kmeans_predict(m, f) = g + 1), 'every row is in its group') FROM models, groups f WHERE k = 3;
SELECT ok(pg_temp.close(sum(kmeans_distance(m, f)), 152.3668478742532, 1e-12), 'distances, raw') FROM models, groups f WHERE k = 3 AND NOT standardize;
SELECT ok(pg_temp.close(sum(kmeans_distance(m, f)), 137.29503066529648, 1e-12), 'distances, standardized') FROM models, groups f WHERE k = 3 AND standardize;
SELECT ok(pg_temp.close(sum(kmeans_distance(m, f) ^ 2), max((model_info(m) ->> 'inertia')::float8), 1e-12), 'the inertia is the sum of their squares') FROM models, groups f WHERE k = 5 AND standardize;

-- ---------------------------------------------------------------- what a model says
SELECT is((SELECT model_info(m) - 'inertia' - 'n_iter' FROM models WHERE k = 3 AND standardize), '{"algorithm": "kmeans", "k": 3, "rows": 150, "skipped": 0,
    "features": ["a", "b", "c"], "sizes": [50, 50, 50], "converged": true, "options": {"impute": "mean", "standardize": true, "init": "k-means++",
    "n_init": 10, "max_iter": 300, "tol": 0.0001, "seed": 42, "order_by": null, "features": [], "exclude": ["id", "g"], "max_categories": 1000}}', 'model_info');
SELECT ok((model_info(m) ->> 'n_iter')::int BETWEEN 1 AND 300, 'iterations') FROM models WHERE k = 3 AND standardize;
SELECT is((SELECT array_agg(("position", name, type, categories)::text ORDER BY "position") FROM models, model_features(m) WHERE k = 3 AND standardize),
    ARRAY['(1,a,"double precision",)', '(2,b,"double precision",)', '(3,c,"double precision",)'], 'model_features');
SELECT ok(bool_and(pg_temp.close(mean, avg, 1e-14) AND pg_temp.close(sd, std, 1e-14) AND impute = mean), 'means and population deviations')
FROM (SELECT mean, sd, impute, CASE name WHEN 'a' THEN (SELECT avg(a) FROM groups) WHEN 'b' THEN (SELECT avg(b) FROM groups) ELSE (SELECT avg(c) FROM groups) END AS avg,
    CASE name WHEN 'a' THEN (SELECT stddev_pop(a) FROM groups) WHEN 'b' THEN (SELECT stddev_pop(b) FROM groups) ELSE (SELECT stddev_pop(c) FROM groups) END AS std
    FROM models, model_features(m) WHERE k = 3 AND standardize) x;
SELECT is((SELECT array_agg(DISTINCT predict(m, f) = kmeans_predict(m, f)) FROM models, groups f), ARRAY[true], 'predict() gives the cluster');
SELECT is((SELECT count(*) FROM models, segment_profile(m) WHERE k = 4 AND standardize), 12::bigint, 'segment_profile has a row for each cluster and feature');
SELECT is((SELECT count(DISTINCT name) FROM models, segment_profile(m) WHERE k = 7 AND standardize), 7::bigint, 'and names them apart');
SELECT ok(bool_and(pg_temp.close(s.mean, c.value, 1e-12) AND s.size = c.size AND pg_temp.close(s.share, s.size / 150.0, 1e-15)), 'by the centroids')
FROM models, segment_profile(m) s JOIN LATERAL kmeans_centroids(m) c USING (cluster, feature) WHERE k = 4 AND standardize;

-- ---------------------------------------------------------------- order of clusters
CREATE TABLE uneven AS SELECT i AS id, CASE WHEN i <= 5 THEN 0 WHEN i <= 35 THEN 50 ELSE 100 END + i % 5 * 0.1 AS x, i % 2 AS y FROM generate_series(1, 55) i;
SELECT is((SELECT array_agg(size ORDER BY cluster) FROM (SELECT kmeans_fit(f, 3, '{"features": ["x"]}') AS m FROM uneven f) y, kmeans_centroids(m)), ARRAY[30, 20, 5]::bigint[], 'the largest is 1');
SELECT is((SELECT array_agg(round(value) ORDER BY cluster) FROM (SELECT kmeans_fit(f, 3, '{"features": ["x"], "order_by": "x"}') AS m FROM uneven f) y, kmeans_centroids(m)),
    ARRAY[100, 50, 0]::float8[], 'or that with the largest mean of a feature');
SELECT is((SELECT model_info(kmeans_fit(f, 3, '{"features": ["x"], "order_by": "x"}')) -> 'sizes' FROM uneven f), '[20, 30, 5]', 'sizes follow');
SELECT is((SELECT array_agg(DISTINCT (kmeans_predict(m, f), round(x / 50))::text ORDER BY (kmeans_predict(m, f), round(x / 50))::text)
    FROM (SELECT kmeans_fit(f, 3, '{"features": ["x"], "order_by": "x"}') AS m FROM uneven f) y, uneven f), ARRAY['(1,2)', '(2,1)', '(3,0)'], 'and predictions');

-- ---------------------------------------------------------------- limits of k and of the rows
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 4) FROM (SELECT x FROM generate_series(1, 3) x) f'), '22023 | kmeans_fit: k is 4 but there are only 3 rows', 'more clusters than rows');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 2) FROM (SELECT 1 AS x) f'), '22023 | kmeans_fit: k is 2 but there is only 1 row', 'one row, two clusters');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 3) FROM (SELECT x % 2 AS x FROM generate_series(1, 30) x) f'), '22023 | kmeans_fit: k is 3 but only 2 rows are distinct', 'more clusters than distinct rows');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 2) FROM (SELECT 7 AS x FROM generate_series(1, 30) x) f'), '22023 | kmeans_fit: k is 2 but only 1 row is distinct', 'equal rows, two clusters');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 2) FROM (SELECT 0.0::float8 * s AS x FROM unnest(ARRAY[1, -1]) s) f'), '22023 | kmeans_fit: k is 2 but only 1 row is distinct', 'zero has no sign');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, -1) FROM (SELECT 1 AS x) f'), '22023 | kmeans_fit: k is -1 but must be at least 1', 'k below 1');
SELECT is((SELECT model_info(kmeans_fit(f, 1)) -> 'inertia' FROM (SELECT 5 AS x) f), '0', 'one row, one cluster');
SELECT is((SELECT model_info(kmeans_fit(f, 3)) -> 'sizes' FROM (SELECT x FROM generate_series(1, 3) x) f), '[1, 1, 1]', 'as many clusters as rows');
SELECT is((SELECT model_info(kmeans_fit(f, 2)) -> 'sizes' FROM (SELECT x % 3 / 2 AS x FROM generate_series(1, 30) x) f), '[20, 10]', 'as many as distinct rows');
SELECT is((SELECT kmeans_fit(f, 2) FROM groups f WHERE false), NULL, 'no rows: no model');
SELECT is((SELECT kmeans_sweep(f, 2, 3) FROM groups f WHERE false), NULL, 'no rows: no sweep');
SELECT is((SELECT model_info(kmeans_fit(f, 3)) -> 'sizes' FROM (SELECT a, b, 5 AS constant FROM groups) f), '[50, 50, 50]', 'a constant column does no harm');
SELECT is((SELECT sd FROM (SELECT kmeans_fit(f, 3) AS m FROM (SELECT a, b, 5 AS constant FROM groups) f) x, model_features(m) WHERE name = 'constant'), 0::float8, 'its deviation is 0');
SELECT is((SELECT count(DISTINCT kmeans_distance(m, f)) FROM (SELECT kmeans_fit(f, 1) AS m FROM (SELECT 5 AS x FROM generate_series(1, 9)) f) y, (VALUES (5), (6), (7)) f(x)), 3::bigint, 'and a row that differs is farther away');
SELECT is((SELECT pg_temp.close(kmeans_distance(m, f), 1e300, 1e-12) FROM (SELECT kmeans_fit(f, 1, '{"standardize": false}') AS m FROM (SELECT 0 AS x) f) y, (SELECT 1e300 AS x) f), true, 'distances do not overflow');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 1) FROM (VALUES (1e300), (-1e300)) f(x)'), '22023 | kmeans_fit: values of column "x" are too large', 'a deviation beyond float8');

-- ---------------------------------------------------------------- GROUP BY, FILTER, DISTINCT, parameters
CREATE TEMP TABLE by_group AS SELECT g, kmeans_fit(f, 2, '{"exclude": ["id", "g"]}') AS m FROM groups f GROUP BY g;
SELECT is((SELECT count(DISTINCT m) FROM by_group), 3::bigint, 'a model for each group');
SELECT is(m, (SELECT kmeans_fit(f, 2, '{"exclude": ["id", "g"]}') FROM groups f WHERE f.g = by_group.g), 'group ' || g || ': as if it were alone') FROM by_group ORDER BY g;
SELECT is((SELECT kmeans_fit(f, 2, '{"exclude": ["id", "g"]}') FILTER (WHERE g = 1) FROM groups f), (SELECT m FROM by_group WHERE g = 1), 'FILTER');
SELECT is((SELECT kmeans_fit(DISTINCT f, 2) FROM (SELECT a, b FROM groups, generate_series(1, 3)) f), (SELECT kmeans_fit(f, 2) FROM (SELECT a, b FROM groups) f), 'DISTINCT rows');
SELECT is((SELECT kmeans_fit(f, 2 ORDER BY f.a DESC) FROM (SELECT a, b FROM groups) f), (SELECT kmeans_fit(f, 2) FROM (SELECT a, b FROM groups) f), 'ORDER BY changes nothing');
SELECT is((SELECT array_agg(m ORDER BY g) FROM (SELECT g, kmeans_fit(f, 2, '{"exclude": ["id", "g"]}') AS m FROM groups f GROUP BY GROUPING SETS ((g), ())) x WHERE g IS NOT NULL),
    (SELECT array_agg(m ORDER BY g) FROM by_group), 'GROUPING SETS');
SELECT is((SELECT count(DISTINCT m) FROM (SELECT kmeans_fit(f, 2) AS m FROM (SELECT a, b FROM groups) f UNION ALL SELECT kmeans_fit(f, 3) FROM (SELECT a, b FROM groups) f
    UNION ALL SELECT kmeans_fit(f, 2, '{}') FROM (SELECT a, b FROM groups) f) x), 2::bigint, 'k is part of the model, empty options are not');
PREPARE fit (int, jsonb) AS SELECT model_info(kmeans_fit(f, $1, $2)) -> 'k' FROM groups f;
SELECT results_eq('EXECUTE fit(4, NULL)', $$VALUES ('4'::jsonb)$$, 'k as a parameter');
SELECT results_eq($$EXECUTE fit(5, '{"seed": 1}')$$, $$VALUES ('5'::jsonb)$$, 'options too');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 2) OVER () FROM groups f'), '0A000 | aggregate function kmeans_fit(record,integer) does not support use as a window function', 'a fit is no window function');

-- ---------------------------------------------------------------- window = fit and predict
SELECT is((SELECT array_agg(k ORDER BY id) FROM (SELECT id, kmeans(f, 4, '{"exclude": ["id", "g"]}') OVER () AS k FROM groups f) x),
    (SELECT array_agg(kmeans_predict(m, f) ORDER BY id) FROM models, groups f WHERE k = 4 AND standardize), 'the window function is fit and predict in one');
SELECT is((SELECT array_agg(k ORDER BY id) FROM (SELECT id, kmeans(f, 2, '{"exclude": ["id", "g"]}') OVER (PARTITION BY g) AS k FROM groups f) x),
    (SELECT array_agg(kmeans_predict(m, f) ORDER BY id) FROM by_group JOIN groups f USING (g)), 'for each partition');
SELECT is((SELECT array_agg(k ORDER BY id) FROM (SELECT id, kmeans(f, 2, '{"exclude": ["id", "g"]}') OVER (PARTITION BY g ORDER BY id DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS k FROM groups f) x),
    (SELECT array_agg(kmeans_predict(m, f) ORDER BY id) FROM by_group JOIN groups f USING (g)), 'order and frame have no effect');
SELECT is((SELECT array_agg(k ORDER BY id) FROM (SELECT id, kmeans(ARRAY[a, b, c], 4) OVER () AS k FROM groups f) x),
    (SELECT array_agg(kmeans_predict(m, f) ORDER BY id) FROM models, groups f WHERE k = 4 AND standardize), 'of arrays');
SELECT is((SELECT array_agg(k ORDER BY id) FROM (SELECT id, kmeans(f, 3, '{"features": ["x"], "order_by": "x"}') OVER () AS k FROM uneven f) x),
    (SELECT array_agg(CASE WHEN x < 40 THEN 3 WHEN x < 90 THEN 2 ELSE 1 END ORDER BY id) FROM uneven), 'ordered by a feature');
SELECT is(pg_temp.complaint('SELECT kmeans(f, 4) OVER () FROM (SELECT x FROM generate_series(1, 3) x) f') ~ '^22023 .*k is 4 but there are only 3 rows', true, 'with the same errors');
SELECT is(pg_temp.complaint('SELECT kmeans(f, NULL) OVER () FROM groups f') ~ '^22004 .*k must not be NULL', true, 'k NULL');
SELECT is((SELECT count(*) FROM (SELECT kmeans(f, 2) OVER () FROM groups f WHERE false) x), 0::bigint, 'no rows');
SELECT is((SELECT count(k) FROM (SELECT kmeans(NULL::groups, 2) OVER () AS k FROM groups f) x), 0::bigint, 'NULL rows alone');

-- ---------------------------------------------------------------- sweep
CREATE TEMP TABLE sweep AS SELECT c.* FROM (SELECT kmeans_sweep(f, 1, 7, '{"exclude": ["id", "g"]}') AS s FROM groups f) x, unnest(s) c;
SELECT is((SELECT array_agg(k ORDER BY k) FROM sweep), ARRAY[1, 2, 3, 4, 5, 6, 7], 'a sweep has a row for each k');
SELECT ok(bool_and(s.inertia = (model_info(m) ->> 'inertia')::float8), 'the inertia is that of kmeans_fit') FROM sweep s JOIN models USING (k) WHERE standardize;
-- scikit-learn 1.9.1: silhouette_score, davies_bouldin_score, calinski_harabasz_score of the optimal labels of k = 3
SELECT ok(pg_temp.close(silhouette, 0.5394081024012028, 1e-12), 'silhouette') FROM sweep WHERE k = 3;
SELECT ok(pg_temp.close(davies_bouldin, 0.772487621549203, 1e-12), 'Davies-Bouldin') FROM sweep WHERE k = 3;
SELECT ok(pg_temp.close(calinski_harabasz, 135.91797105999225, 1e-12), 'Calinski-Harabasz') FROM sweep WHERE k = 3;
SELECT is((SELECT (silhouette, davies_bouldin, calinski_harabasz)::text FROM sweep WHERE k = 1), '(,,)', 'are undefined for one cluster');
SELECT is((SELECT array_agg(k) FROM sweep WHERE is_best), (SELECT ARRAY[k] FROM sweep WHERE silhouette IS NOT NULL ORDER BY silhouette DESC LIMIT 1), 'the best has the largest silhouette');
SELECT is((SELECT array_agg(DISTINCT (silhouette_rows, silhouette_exact)::text) FROM sweep), ARRAY['(150,t)'], 'which is exact');
SELECT is((SELECT array_agg(k) FILTER (WHERE is_elbow) FROM (SELECT c.* FROM (SELECT kmeans_sweep(f, 1, 7, '{"exclude": ["id", "g"], "standardize": false}') AS s FROM groups f) x, unnest(s) c) y), ARRAY[3], 'the elbow of three groups is 3');
SELECT is((SELECT kmeans_sweep(ARRAY[a, b, c], 2, 4) FROM groups), (SELECT kmeans_sweep(f, 2, 4) FROM (SELECT a, b, c FROM groups) f), 'of arrays');
SELECT is((SELECT array_agg((silhouette_rows, silhouette_exact)::text ORDER BY k) FROM (SELECT c.* FROM (SELECT kmeans_sweep(f, 2, 3, '{"n_init": 1}') AS s
    FROM (SELECT sin(i) AS x, i % 3 AS y FROM generate_series(1, 10001) i) f) x, unnest(s) c) y), ARRAY['(10000,f)', '(10000,f)'], 'above 10,000 rows it is a sample');
SELECT is(pg_temp.complaint(format('SELECT kmeans_sweep(f, %s, %s) FROM groups f', lo, hi)), format('22023 | kmeans_sweep: cannot sweep k from %s to %s | k_min must be at least 1, k_max at least k_min, and a sweep has at most 100 steps.', lo, hi),
    format('from %s to %s', lo, hi)) FROM (VALUES (0, 3), (3, 2), (1, 101)) v(lo, hi);
SELECT is(pg_temp.complaint('SELECT kmeans_sweep(f, NULL, 3) FROM groups f'), '22004 | kmeans_sweep: k_min must not be NULL', 'k_min NULL');
SELECT is(pg_temp.complaint('SELECT kmeans_sweep(f, 1, NULL) FROM groups f'), '22004 | kmeans_sweep: k_max must not be NULL', 'k_max NULL');
SELECT is((SELECT array_agg(c.k) FROM (SELECT kmeans_sweep(f, 1, 9) AS s FROM (SELECT i % 3 AS x FROM generate_series(1, 30) i) f) x, unnest(s) c), ARRAY[1, 2, 3], 'ends with the distinct rows');
SELECT is((SELECT cardinality(kmeans_sweep(f, 5, 9)) FROM (SELECT i % 3 AS x FROM generate_series(1, 30) i) f), 0, 'which may be at once');
SELECT is((SELECT array_agg(cardinality(s)) FROM (SELECT kmeans_sweep(f, 2, 3, '{"exclude": ["id", "g"]}') AS s FROM groups f GROUP BY g) x), ARRAY[2, 2, 2], 'GROUP BY');

-- ---------------------------------------------------------------- models and NULL
SELECT is((SELECT count(*) FROM kmeans_centroids(NULL)), 0::bigint, 'no model, no centroids');
SELECT is((SELECT count(*) FROM segment_profile(NULL)), 0::bigint, 'no profile');
SELECT is((SELECT count(*) FROM model_features(NULL)), 0::bigint, 'no features');
SELECT is(model_info(NULL), NULL, 'no info');
SELECT is(kmeans_distance(NULL, ARRAY[1]::float8[]), NULL, 'no distance');
SELECT is(pg_temp.complaint(format('SELECT %s FROM (SELECT rfm_fit(a, b, c) AS m FROM groups) x', call)) ~ ('^22023 . ' || name || ' needs a model of (kmeans|clusters), this one is of rfm'), true, name || ' wants a model of its own')
FROM (VALUES ('kmeans_predict', 'kmeans_predict(m, ROW(1))'), ('kmeans_distance', 'kmeans_distance(m, ROW(1))'), ('kmeans_centroids', 'kmeans_centroids(m)'), ('segment_profile', 'segment_profile(m)')) v(name, call);

-- ---------------------------------------------------------------- refusals
SELECT throws_ok('SELECT kmeans(f, (a > 2)::int + 1) OVER () FROM (SELECT a, b FROM groups) f', '22023',
    'kmeans: k must be the same for every row', 'the window form wants one k');
SELECT throws_ok($$SELECT kmeans_fit(f, 2) FROM (SELECT a, 'x'::text AS t, now() AS w FROM groups) f$$, '42804',
    'columns that kmeans_fit cannot use: "t" is of type text, "w" is of type timestamp with time zone', 'all columns that cannot be used are named');

SELECT * FROM finish();

SET LOCAL client_min_messages = notice;
\echo -- a sweep that ends early says so
SELECT cardinality(kmeans_sweep(f, 1, 9)) FROM (SELECT i % 3 AS x FROM generate_series(1, 30) i) f;
ROLLBACK;
