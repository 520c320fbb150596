-- predict_label: the name of the segment that predict() gives the number of.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(27);

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

CREATE TABLE facts AS SELECT i AS id, i % 4 * 7 + (i % 5)::float8 AS recency, i % 3 * 9 + (i % 7) AS frequency, (i * 31 % 101)::float8 AS monetary, (ARRAY['web', 'shop', NULL])[1 + i % 3] AS channel, i % 2 AS half
FROM generate_series(1, 3000) i;
CREATE TABLE models AS
SELECT 'kmeans' AS name, kmeans_fit(f, 5, '{"features": ["recency", "frequency", "monetary"]}') AS m FROM facts f
UNION ALL SELECT 'kprototypes', kprototypes_fit(f, 4, '{"exclude": ["id", "half"]}') FROM facts f
UNION ALL SELECT 'rfm', rfm_fit(recency, frequency, monetary) FROM facts
UNION ALL SELECT 'ten bins', rfm_fit(recency, frequency, monetary, '{"bins": 10}') FROM facts
UNION ALL SELECT 'own segments', rfm_fit(recency, frequency, monetary, '{"segments": {"Größte": "5**"}}') FROM facts
UNION ALL SELECT 'renamed', rename_segments(kmeans_fit(f, 2, '{"features": ["recency"]}'), '{"2": "VIP"}') FROM facts f
UNION ALL SELECT 'many', kmeans_fit(f, 200, '{"features": ["recency", "frequency", "monetary"], "n_init": 1, "max_iter": 5}') FROM facts f;
CREATE FUNCTION pg_temp.model(text) RETURNS bytea LANGUAGE sql AS 'SELECT m FROM models WHERE name = $1';

-- ---- the label is the name of the number
SELECT is((SELECT count(*) FROM facts f WHERE predict_label(m, f) IS DISTINCT FROM (SELECT n.name FROM segment_names(m) n WHERE cluster = predict(m, f))), 0::bigint, 'the name of the cluster: ' || name)
FROM models WHERE name IN ('kmeans', 'kprototypes', 'renamed') ORDER BY name;
SELECT is((SELECT count(*) FROM facts f JOIN (SELECT cluster, n.name FROM segment_names(pg_temp.model('many')) n) n ON predict(pg_temp.model('many'), f) = cluster WHERE predict_label(pg_temp.model('many'), f) <> n.name), 0::bigint, 'of many clusters');
SELECT is((SELECT count(*) FROM facts f WHERE predict_label(m, f) IS DISTINCT FROM (rfm_score(m, recency, frequency, monetary)).segment), 0::bigint, 'the segment of the code: ' || name)
FROM models WHERE name IN ('rfm', 'ten bins', 'own segments') ORDER BY name;
SELECT ok((SELECT count(*) FROM facts f WHERE predict_label(m, f) = 'Größte') > 100, 'names of one''s own') FROM models WHERE name = 'own segments';
SELECT is((SELECT array_agg(l ORDER BY l) FROM (SELECT DISTINCT predict_label(m, f) AS l FROM facts f) x), (SELECT array_agg(n.name ORDER BY n.name) FROM segment_names(m) n), 'all of them') FROM models WHERE name = 'renamed';
SELECT is((SELECT array_agg(DISTINCT p.name ORDER BY p.name) FROM segment_profile(m) p), (SELECT array_agg(DISTINCT predict_label(m, f) ORDER BY predict_label(m, f)) FROM facts f), 'as segment_profile calls them') FROM models WHERE name = 'kprototypes';
CREATE TABLE arrays AS SELECT kmeans_fit(ARRAY[recency, frequency], 3) AS m FROM facts;
SELECT is((SELECT count(*) FROM facts f WHERE predict_label(m, ARRAY[recency, frequency]) IS DISTINCT FROM (SELECT n.name FROM segment_names(m) n WHERE cluster = predict(m, ARRAY[recency, frequency]))), 0::bigint, 'arrays') FROM arrays;

-- ---- rows as predict takes them
SELECT is(predict_label(m, f), predict_label(m, g), 'columns by name, in any order') FROM models, (SELECT 1 AS recency, 5 AS frequency, 9 AS monetary) f, (SELECT 'x' AS more, 9 AS monetary, 5 AS frequency, 1 AS recency) g WHERE name = 'kmeans';
SELECT is(predict_label(m, f), (SELECT n.name FROM segment_names(m) n WHERE cluster = predict(m, f)), 'NULL is imputed') FROM models, (SELECT NULL::int AS recency, 5 AS frequency, 9 AS monetary) f WHERE name = 'kmeans';
SELECT is(predict_label(m, f), (SELECT n.name FROM segment_names(m) n WHERE cluster = predict(m, f)), 'a category that training did not have') FROM models, (SELECT 1 AS recency, 5 AS frequency, 9 AS monetary, 'phone' AS channel) f WHERE name = 'kprototypes';
SELECT is(predict_label(m, f), NULL, 'NULL where predict is NULL') FROM (SELECT kmeans_fit(f, 2, '{"features": ["recency"], "impute": "skip"}') AS m FROM facts f) x, (SELECT NULL::float8 AS recency) f;
SELECT is(predict_label(NULL, f), NULL, 'no model') FROM facts f LIMIT 1;
SELECT is(predict_label(m, NULL::facts), NULL, 'no row') FROM models WHERE name = 'kmeans';
SELECT is(predict_label(m, NULL::float8[]), NULL, 'no array') FROM arrays;
SELECT is(pg_temp.complaint($$SELECT predict_label(pg_temp.model('kmeans'), f) FROM (SELECT 1 AS recency) f$$), pg_temp.complaint($$SELECT predict(pg_temp.model('kmeans'), f) FROM (SELECT 1 AS recency) f$$), 'a missing column is the error of predict');
SELECT matches(pg_temp.complaint($$SELECT predict_label(pg_temp.model('kmeans'), f) FROM (SELECT 'Infinity'::float8 AS recency, 1 AS frequency, 1 AS monetary) f$$), '^22003 ', 'Infinity too');
SELECT matches(pg_temp.complaint($$SELECT predict_label('\x00', f) FROM facts f$$), '^XX001 ', 'no model at all');

-- ---- several models in one query, and plans
SELECT is((SELECT count(*) FROM facts f, models m WHERE name IN ('kmeans', 'renamed') AND id <= 100 AND predict_label(m.m, f) IS DISTINCT FROM (SELECT n.name FROM segment_names(m.m) n WHERE cluster = predict(m.m, f))), 0::bigint, 'by a join');
SELECT is((SELECT string_agg(predict_label(CASE WHEN id % 2 = 0 THEN pg_temp.model('kmeans') ELSE pg_temp.model('renamed') END, f), ',' ORDER BY id) FROM facts f WHERE id <= 20),
    (SELECT string_agg(l, ',' ORDER BY id) FROM (SELECT id, predict_label(m, f) AS l FROM facts f, models WHERE name = CASE WHEN id % 2 = 0 THEN 'kmeans' ELSE 'renamed' END AND id <= 20) x), 'in turns');
SELECT is((SELECT array_agg(half || ': ' || n ORDER BY half) FROM (SELECT half, kmeans_fit(f, 2, '{"features": ["recency", "frequency"]}') AS m FROM facts f GROUP BY half) x, LATERAL (SELECT count(DISTINCT predict_label(m, f)) AS n FROM facts f WHERE f.half = x.half) y),
    '{"0: 2","1: 2"}', 'a model for each group of a GROUP BY');
CREATE TABLE serial AS SELECT predict_label(m, f) AS label, count(*) AS n FROM facts f, models WHERE name = 'kmeans' GROUP BY 1;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.is_parallel(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text; found boolean = false;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP found = found OR line ~ 'Gather'; END LOOP;
    RETURN found;
END $$;
SELECT ok(pg_temp.is_parallel('SELECT predict_label((SELECT m FROM models WHERE name = ''kmeans''), f), count(*) FROM facts f GROUP BY 1'), 'labels are made in workers');
SELECT results_eq('SELECT predict_label((SELECT m FROM models WHERE name = ''kmeans''), f) AS label, count(*) FROM facts f GROUP BY 1 ORDER BY 1', 'SELECT * FROM serial ORDER BY 1', 'the same ones');
SELECT is(pg_temp.model('kmeans'), (SELECT kmeans_fit(f, 5, '{"features": ["recency", "frequency", "monetary"]}') FROM facts f), 'of the same model');

SELECT * FROM finish();
ROLLBACK;
