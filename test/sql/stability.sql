-- cluster_stability and hopkins: what they call noise, and what they do not.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(26);

-- uniform and roughly normal numbers by hash, the same on every server
CREATE FUNCTION pg_temp.u(i int, what int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(i, what) & 4503599627370495) / 4503599627370496.0 $$;
CREATE FUNCTION pg_temp.n(i int, what int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT 2 * (pg_temp.u(i, what) + pg_temp.u(i, what + 1000) + pg_temp.u(i, what + 2000)) - 3 $$;
CREATE FUNCTION pg_temp.value(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;

CREATE TABLE points AS
SELECT i AS id, i % 2 AS half, pg_temp.u(i, 1) AS u1, pg_temp.u(i, 2) AS u2, pg_temp.u(i, 3) AS u3,
    pg_temp.n(i, 4) AS n1, pg_temp.n(i, 5) AS n2, pg_temp.n(i, 4) + 0.3 * pg_temp.n(i, 6) AS n3,
    -ln(1 - pg_temp.u(i, 7)) AS e1, -ln(1 - pg_temp.u(i, 8)) AS e2,
    pg_temp.n(i, 9) + 6 * (i % 2) AS b1, pg_temp.n(i, 10) + 6 * (i / 2 % 2) AS b2,
    floor(4 * pg_temp.u(i, 11)) AS d1, floor(3 * pg_temp.u(i, 12)) AS d2,
    chr(97 + floor(4 * pg_temp.u(i, 13))::int) AS c1, chr(97 + floor(3 * pg_temp.u(i, 14))::int) AS c2,
    chr(97 + i % 4) AS c3, CASE WHEN pg_temp.u(i, 15) < 0.8 THEN chr(97 + i % 4) ELSE chr(97 + floor(4 * pg_temp.u(i, 16))::int) END AS c4
FROM generate_series(1, 1000) i;
ANALYZE points;
CREATE FUNCTION pg_temp.verdict(columns text, k int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN
    EXECUTE format('SELECT (cluster_stability(p, $1)).verdict FROM (SELECT %s FROM points) p', columns) INTO result USING k;
    RETURN result; END $$;

-- ---- the verdict
SELECT is((SELECT array_agg(DISTINCT pg_temp.verdict(columns, k)) FROM generate_series(2, 8, 2) k), '{no structure}', what || ' has no structure')
FROM (VALUES ('u1, u2', 'a uniform square'), ('u1, u2, u3', 'a uniform cube'), ('u1', 'a uniform line'), ('n1, n2', 'one round cloud'),
    ('n1, n3', 'one long cloud'), ('e1, e2', 'a skewed cloud'), ('d1, d2', 'dice'), ('c1, c2, u1', 'categories and noise'), ('c1, c2', 'categories alone')) v(columns, what);
SELECT is(pg_temp.verdict('b1, b2', 4), 'stable', 'four blobs');
SELECT is(pg_temp.verdict('b1, b2, n1', 4), 'stable', 'four blobs and a column of noise');
SELECT is(pg_temp.verdict('b1, n1, n2', 2), 'stable', 'two groups that one column of three tells apart');
SELECT isnt(pg_temp.verdict('c3, c4, u1', 4), 'no structure', 'categories that go together');
SELECT is((SELECT (s).structure_k || ' ' || (s).verdict FROM (SELECT cluster_stability(p, 3, '{"features": ["b1", "b2"]}') AS s FROM points p) x), '3 unstable', 'four blobs in three clusters: there is structure, but two of them are one cluster by chance');

-- ---- the numbers behind it
CREATE TEMP TABLE four AS SELECT (cluster_stability(p, 4, '{"features": ["b1", "b2"], "resamples": 10}')).* FROM points p;
SELECT is(format('%s %s %s %s', method, k, rows, resamples), 'kmeans 4 1000 10', 'what was done') FROM four;
SELECT ok(mean_ari BETWEEN 0.99 AND 1 AND min_ari BETWEEN 0.98 AND mean_ari, 'resamples agree') FROM four;
SELECT ok(best_share BETWEEN 0.5 AND 1 AND gain BETWEEN 0.3 AND 1 AND gain_z > 10 AND separation BETWEEN 0.3 AND 1 AND separation_z > 3, 'restarts, gain and separation') FROM four;
SELECT is((SELECT (cluster_stability(p, 3, '{"features": ["b1", "c1"]}')).method FROM points p), 'kprototypes', 'categories make it k-prototypes');
SELECT is((SELECT (cluster_stability(ARRAY[b1, b2], 4, '{"resamples": 10}')).mean_ari FROM points), (SELECT mean_ari FROM four), 'arrays');

-- ---- hopkins: Beta(100, 100) for a uniform square has standard deviation 0.035
SELECT ok(hopkins(p, '{"features": ["u1", "u2"]}') BETWEEN 0.4 AND 0.6, 'hopkins of a uniform square is about a half') FROM points p;
SELECT ok(hopkins(p, '{"features": ["b1", "b2"]}') > 0.8, 'of blobs near 1') FROM points p;
SELECT ok(hopkins(ARRAY[i % 30, i / 30]) < 0.2, 'of a grid near 0') FROM generate_series(0, 899) i;

-- ---- edges
SELECT is((SELECT array_agg(x::text) FROM (SELECT cluster_stability(p, 2)::text FROM points p WHERE false UNION ALL SELECT hopkins(ARRAY[u1])::text FROM points WHERE id < 1 UNION ALL SELECT hopkins(ARRAY[u1])::text FROM points WHERE id = 1) v(x)),
    '{NULL,NULL,NULL}', 'NULL for no rows, and of one row for hopkins');
SELECT throws_ok('SELECT cluster_stability(p, 5) FROM (SELECT 1 AS a FROM generate_series(1, 9)) p', '22023', 'cluster_stability: k is 5 but only 1 row is distinct', 'fewer distinct rows than k');
SELECT throws_ok($$SELECT cluster_stability(p, 2, '{"method": "kmeans", "features": ["b1", "c1"]}') FROM points p$$, '42804', NULL, 'method kmeans refuses a category');
CREATE TEMP TABLE serial AS SELECT pg_temp.value($$SELECT array_agg(s ORDER BY half) FROM (SELECT half, cluster_stability(p, 4, '{"features": ["b1", "b2", "c1"], "resamples": 3}')::text || hopkins(p, '{"features": ["b1"]}') AS s FROM points p GROUP BY half) x$$) AS s;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL retailml.threads = 2;
SELECT is(pg_temp.value($$SELECT array_agg(s ORDER BY half) FROM (SELECT half, cluster_stability(p, 4, '{"features": ["b1", "b2", "c1"], "resamples": 3}')::text || hopkins(p, '{"features": ["b1"]}') AS s FROM points p GROUP BY half) x$$), s, 'GROUP BY, parallel = serial') FROM serial;

SELECT * FROM finish();
ROLLBACK;
