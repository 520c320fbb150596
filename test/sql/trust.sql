-- What a clustering is worth: metrics of labels from anywhere, clustering tendency, stability.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
\getenv srcdir PG_ABS_SRCDIR
\set path :srcdir '/golden/cluster_report.csv'
\set report `cat :'path'`
\set path :srcdir '/golden/cluster_report_rows.csv'
\set report_rows `cat :'path'`
BEGIN;
SELECT plan(36);

-- ---- golden numbers: scikit-learn over Gower distances and over z-scores
CREATE TABLE golden AS
SELECT c[1] AS name, c[2]::int AS clusters, c[3]::float8 AS noise_share, c[4]::float8 AS silhouette, nullif(c[5], '')::float8 AS davies_bouldin, nullif(c[6], '')::float8 AS calinski_harabasz
FROM string_to_table(:'report', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1;
CREATE TABLE customers AS
SELECT i::int AS id, c[1] AS name, c[2]::int AS label, nullif(c[3], '')::float8 AS x, nullif(c[4], '')::float8 AS y, nullif(c[5], '') AS c, nullif(c[6], '') AS e, nullif(c[7], '')::float8 AS golden
FROM string_to_table(:'report_rows', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1;
CREATE VIEW reports AS
SELECT name, (m).* FROM (SELECT name, cluster_metrics((x, y, c, e), label) AS m FROM customers WHERE name IN ('mixed', 'noise') GROUP BY name
    UNION ALL SELECT name, cluster_metrics((c, e), label, '{}') FROM customers WHERE name = 'categories' GROUP BY name
    UNION ALL SELECT name, cluster_metrics(ARRAY[x, y], label) FROM customers WHERE name = 'numbers' GROUP BY name
    UNION ALL SELECT name, cluster_metrics(ARRAY[x, y], label, '{"standardize": false}') FROM customers WHERE name = 'raw' GROUP BY name) s;
SELECT ok(count(*) = 5 AND bool_and(r.clusters = g.clusters AND r.rows = 120 AND abs(r.noise_share - g.noise_share) < 1e-15), 'cluster_metrics counts clusters, rows and noise')
FROM reports r JOIN golden g USING (name);
SELECT ok(max(abs(r.silhouette - g.silhouette)) < 1e-12, 'its silhouette is that of scikit-learn, mixed rows over Gower distances') FROM reports r JOIN golden g USING (name);
SELECT ok(bool_and(r.silhouette_exact AND r.silhouette_rows = round(120 * (1 - r.noise_share))), 'and exact') FROM reports r;
SELECT ok(max(abs(r.davies_bouldin - g.davies_bouldin)) < 1e-12 AND max(abs(r.calinski_harabasz / g.calinski_harabasz - 1)) < 1e-12 AND bool_and((r.davies_bouldin IS NULL) = (g.davies_bouldin IS NULL) AND (r.calinski_harabasz IS NULL) = (r.name = 'categories')),
    'Davies-Bouldin and Calinski-Harabasz are, of the numbers, NULL where there are none') FROM reports r JOIN golden g USING (name);
CREATE VIEW scores AS
SELECT name, golden, silhouette((x, y, c, e), label) OVER (PARTITION BY name) AS s FROM customers WHERE name IN ('mixed', 'noise')
UNION ALL SELECT name, golden, silhouette((c, e), label, '{}') OVER () FROM customers WHERE name = 'categories'
UNION ALL SELECT name, golden, silhouette(ARRAY[x, y], label) OVER () FROM customers WHERE name = 'numbers'
UNION ALL SELECT name, golden, silhouette(ARRAY[x, y], label, '{"standardize": false}') OVER () FROM customers WHERE name = 'raw';
SELECT ok(count(*) = 600 AND max(abs(s - golden)) < 1e-12 AND bool_and((s IS NULL) = (golden IS NULL)), 'the silhouette of every row is, noise has none') FROM scores;
SELECT is((SELECT cluster_metrics(f, label, '{"exclude": ["id", "name", "label", "golden"]}') FROM customers f WHERE name = 'noise'), (SELECT cluster_metrics((x, y, c, e), label) FROM customers WHERE name = 'noise'),
    'columns are chosen by name');
SELECT ok((m).clusters = 4 AND abs((m).silhouette - g.silhouette) < 1e-12 AND abs((m).davies_bouldin - g.davies_bouldin) < 1e-12, 'any numbers do as labels')
FROM (SELECT cluster_metrics((x, y, c, e), label + 2000000000) AS m FROM customers WHERE name = 'mixed') s, golden g WHERE g.name = 'mixed';

-- ---- NULL and edges
SELECT ok(cluster_metrics((x, y), label) IS NULL AND cluster_metrics(ARRAY[x, y], label) IS NULL, 'NULL for no rows') FROM customers WHERE false;
SELECT ok(cluster_metrics((x, y), NULL::int) IS NULL, 'and for rows without a label') FROM customers;
SELECT is((SELECT cluster_metrics(CASE WHEN id % 2 = 0 THEN ARRAY[x, y] END, label) FROM customers WHERE name = 'raw'), (SELECT cluster_metrics(ARRAY[x, y], label) FROM customers WHERE name = 'raw' AND id % 2 = 0),
    'rows that are NULL are left out');
SELECT is((SELECT cluster_metrics((x, y), CASE WHEN id % 2 = 0 THEN label END) FROM customers WHERE name = 'raw'), (SELECT cluster_metrics((x, y), label) FROM customers WHERE name = 'raw' AND id % 2 = 0),
    'so are rows without a label');
SELECT is((SELECT array_agg(s IS NULL ORDER BY i) FROM (SELECT i, silhouette(ARRAY[i], CASE WHEN i < 4 THEN i % 2 WHEN i = 5 THEN -1 END) OVER () AS s FROM generate_series(1, 5) i) x), '{f,f,f,t,t}', 'they have no silhouette');
SELECT is((SELECT cluster_metrics(ARRAY[i], 3)::text FROM generate_series(1, 5) i), '(1,5,0,,,,5,t)', 'one cluster: the metrics are NULL');
SELECT is((SELECT cluster_metrics(ARRAY[i], i)::text FROM generate_series(1, 5) i), '(5,5,0,,,,5,t)', 'every row a cluster: NULL too');
SELECT is((SELECT cluster_metrics(ARRAY[i], -i)::text FROM generate_series(1, 5) i), '(0,5,1,,,,0,t)', 'nothing but noise: NULL too');
SELECT is((SELECT array_agg(s) FROM (SELECT silhouette(ARRAY[i], 3) OVER () AS s FROM generate_series(1, 2) i) x), '{NULL,NULL}', 'a window of one cluster: NULL');
SELECT is((SELECT cluster_metrics(ARRAY[i / 3, 7], i / 3)::text FROM generate_series(0, 5) i), '(2,6,0,1,0,Infinity,6,t)', 'a constant column, equal rows within clusters');
-- by hand: a, b = 1, 5.5 for the outer rows; 1, 4.5 for the inner; so 1 - 1 / 5.5 and 1 - 1 / 4.5
SELECT is((SELECT array_agg(round(s::numeric, 12) ORDER BY x) FROM (SELECT x, silhouette(ARRAY[x], x / 4, '{"standardize": false}') OVER () AS s FROM unnest('{0,1,5,6}'::int[]) x) s), '{0.818181818182,0.777777777778,0.777777777778,0.818181818182}', 'four rows, by hand');

-- ---- errors
SELECT throws_ok('SELECT cluster_metrics((x, y), label, ''{"k": 3}'') FROM customers', '22023', NULL, 'an unknown option');
SELECT throws_like('SELECT cluster_metrics((x, now()), label) FROM customers', '%timestamp with time zone%', 'a type that is neither number nor category');
SELECT throws_ok('SELECT silhouette(ARRAY[x, ''Infinity''], label) OVER () FROM customers', '22003', NULL, 'infinity');
SELECT throws_like('SELECT cluster_metrics(ARRAY[x, NULL], label) FROM customers', 'cluster_metrics: column "x2" has no values', 'a column without values');
SELECT throws_like('SELECT silhouette((x, c), label, ''{"max_categories": 2}'') OVER () FROM customers WHERE name = ''mixed''', 'silhouette: column "f2" has more than 2 categories', 'too many categories');

-- ---- one column that outweighs the others
SET LOCAL client_min_messages = notice;
\set VERBOSITY default
SELECT ok(kmeans_fit(f, 2, '{"standardize": false}') IS NOT NULL, 'kmeans_fit names the column') FROM (SELECT i % 7 AS visits, i * 100.0 AS spend FROM generate_series(1, 50) i) f;
\set VERBOSITY terse
SELECT is((SELECT count(DISTINCT c) FROM (SELECT kmeans(ARRAY[i % 7, i * 100], 2, '{"standardize": false}') OVER () AS c FROM generate_series(1, 50) i) s), 2::bigint, 'kmeans');
SELECT is((SELECT cardinality(kmeans_sweep(ARRAY[i % 7, i * 100], 2, 3, '{"standardize": false}')) FROM generate_series(1, 50) i), 2, 'kmeans_sweep');
SELECT ok(kprototypes_fit((i % 7, 'c' || i % 2), 2, '{"gamma": 1000}') IS NOT NULL, 'kprototypes_fit, a category too') FROM generate_series(1, 50) i;
SELECT is((SELECT cardinality(kprototypes_sweep((i % 7, i * 100, 'c' || i % 2), 2, 3, '{"standardize": false, "gamma": 0}')) FROM generate_series(1, 50) i), 2, 'kprototypes_sweep');
SELECT ok(kmeans_fit(ARRAY[i % 7, i * 100], 2) IS NOT NULL AND kprototypes_fit((i % 7, i * 100, 'c' || i % 2), 2) IS NOT NULL, 'not with z-scores') FROM generate_series(1, 50) i;
SELECT ok(kmeans_fit(ARRAY[i], 2) IS NOT NULL, 'nor for a single column') FROM generate_series(1, 50) i;
SET LOCAL client_min_messages = warning;

-- ---- many rows: a sample, and the same in parallel plans
CREATE TABLE many AS
SELECT i AS id, i % 3 AS g, (i % 4)::int AS label, (i % 4) * 3 + sin(i) + cos(i * 7.0) AS x, cos(i * 1.7) AS y, 'c' || (i % 4 + (i % 11 = 0)::int) AS c FROM generate_series(1, 12000) i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
SELECT ok(NOT (m).silhouette_exact AND (m).silhouette_rows = 10000 AND (m).rows = 12000, 'above 10,000 rows a sample') FROM (SELECT cluster_metrics((x, y, c), label) AS m FROM many) s;
CREATE TABLE each_row AS SELECT label, silhouette((x, y, c), label) OVER () AS s FROM many;
SELECT ok(count(s) = 12000 AND abs(avg(s) - (SELECT (cluster_metrics((x, y, c), label)).silhouette FROM many)) < 0.005, 'silhouette compares each row with the sample') FROM each_row;
CREATE FUNCTION pg_temp.metrics() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(concat_ws(';', cluster_metrics((x, y, c), label), cluster_metrics(ARRAY[x, y], label, '{"standardize": false}'))) FROM many $$;
CREATE FUNCTION pg_temp.metrics_of_groups() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(string_agg(x, ';' ORDER BY g)) FROM (SELECT g, cluster_metrics((x, y, c), label)::text AS x FROM many GROUP BY g) s $$;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT pg_temp.metrics() AS metrics, pg_temp.metrics_of_groups() AS metrics_of_groups;
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
SELECT matches(pg_temp.plan_of('SELECT cluster_metrics((x, y, c), label) FROM many'), '^Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan', 'cluster_metrics runs in workers');
SELECT is(pg_temp.metrics(), (SELECT metrics FROM serial), 'with the same result');
SELECT is(pg_temp.metrics_of_groups(), (SELECT metrics_of_groups FROM serial), 'for groups too');
SET LOCAL retailml.max_memory = '4MB';
SELECT throws_ok('SELECT cluster_metrics((x, y, c), id) FROM many', '53400', NULL, 'more clusters than retailml.max_memory has room for');
SET LOCAL retailml.max_memory = DEFAULT;

SELECT * FROM finish();
ROLLBACK;
