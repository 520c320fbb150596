-- Splits by key; metrics and curves of predictions.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
\getenv srcdir PG_ABS_SRCDIR
\set path :srcdir '/golden/evaluation_scores.csv'
\set scores `cat :'path'`
\set path :srcdir '/golden/evaluation_numbers.csv'
\set numbers `cat :'path'`
\set path :srcdir '/golden/evaluation_metrics.csv'
\set metrics `cat :'path'`
\set path :srcdir '/golden/evaluation_curves.csv'
\set curves `cat :'path'`
\set path :srcdir '/golden/fold.csv'
\set folds `cat :'path'`
BEGIN;
SELECT plan(88);

CREATE FUNCTION pg_temp.near(a float8, b float8) RETURNS boolean LANGUAGE sql AS $$
    SELECT a IS NOT DISTINCT FROM b OR coalesce(abs(a - b) <= 1e-12 * greatest(1, abs(b)), false) $$;

-- ---- golden numbers: scikit-learn's
CREATE TABLE scores AS SELECT c[1] AS name, c[2]::int::boolean AS actual, c[3]::float8 AS score, i
FROM string_to_table(:'scores', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1;
CREATE TABLE numbers AS SELECT c[1] AS name, c[2]::float8 AS actual, c[3]::float8 AS predicted, i
FROM string_to_table(:'numbers', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1;
CREATE TABLE golden AS SELECT c[1] AS name, c[2] AS metric, coalesce(nullif(c[3], '')::float8, 0) AS threshold, nullif(c[4], '')::float8 AS value
FROM string_to_table(:'metrics', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1;
CREATE TABLE golden_curves AS SELECT c[1] AS name, c[2] AS curve, c[3]::int + 1 AS i, array_remove(c[4:], '')::float8[] AS c
FROM string_to_table(:'curves', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1;

CREATE TABLE measured AS
SELECT name, key AS metric, t AS threshold, value::float8 AS value
FROM (SELECT name, t, binary_metrics(actual, score, t) AS m FROM scores, (VALUES (0.5::float8), (0.2)) v (t) GROUP BY name, t) s, jsonb_each_text(to_jsonb(m))
UNION ALL
SELECT name, key, 0, value::float8 FROM (SELECT name, regression_metrics(actual, predicted) AS m FROM numbers GROUP BY name) s, jsonb_each_text(to_jsonb(m));
SELECT is((SELECT string_agg(concat_ws(' ', name, metric, threshold, a.value, 'not', g.value), ', ') FROM golden g FULL JOIN measured a USING (name, metric, threshold)
    WHERE NOT pg_temp.near(a.value, g.value)), NULL, 'metrics are those of scikit-learn, group by group');
SELECT is((SELECT count(*) FROM golden g JOIN measured a USING (name, metric, threshold)), (SELECT count(*) FROM golden), 'all of them');
SELECT is((SELECT count(*) FROM measured), (SELECT count(*) FROM golden), 'and no others');

CREATE TABLE drawn AS
SELECT name, 'roc' AS curve, i, ARRAY[threshold, tpr, fpr] AS c FROM (SELECT name, roc_curve(actual, score) AS a FROM scores GROUP BY name) s, unnest(a) WITH ORDINALITY p (threshold, tpr, fpr, i)
UNION ALL
SELECT name, 'pr', i, ARRAY[threshold, p, r] FROM (SELECT name, pr_curve(actual, score) AS a FROM scores GROUP BY name) s, unnest(a) WITH ORDINALITY p (threshold, p, r, i)
UNION ALL
SELECT name, 'lift' || k, i, array_remove(ARRAY[p.bin, p.n, p.positives, p.rate, p.lift, p.cumulative_share, p.cumulative_gain, p.cumulative_lift, p.min_score, p.max_score], NULL)
FROM (SELECT name, 3 AS k, lift_curve(actual, score, 3) AS a FROM scores GROUP BY name UNION ALL SELECT name, 10, lift_curve(actual, score) FROM scores GROUP BY name) s,
    ROWS FROM (unnest(a)) WITH ORDINALITY p (bin, n, positives, rate, lift, cumulative_share, cumulative_gain, cumulative_lift, min_score, max_score, i)
UNION ALL
SELECT name, curve, i, ARRAY[p.mean_score, p.rate]
FROM (SELECT name, 'uniform10' AS curve, calibration_curve(actual, score) AS a FROM scores WHERE name <> 'log odds' GROUP BY name
    UNION ALL SELECT name, 'uniform7', calibration_curve(actual, score, 7) FROM scores WHERE name <> 'log odds' GROUP BY name
    UNION ALL SELECT name, 'quantile5', calibration_curve(actual, score, 5, 'quantile') FROM scores WHERE name <> 'log odds' GROUP BY name
    UNION ALL SELECT name, 'quantile10', calibration_curve(actual, score, 10, 'quantile') FROM scores WHERE name <> 'log odds' GROUP BY name) s,
    ROWS FROM (unnest(a)) WITH ORDINALITY p (bin, n, mean_score, rate, i);
CREATE FUNCTION pg_temp.near(a float8[], b float8[]) RETURNS boolean LANGUAGE sql AS $$
    SELECT cardinality(a) = cardinality(b) AND (SELECT bool_and(pg_temp.near(x, y)) FROM unnest(a, b) v (x, y)) $$;
SELECT is((SELECT string_agg(concat_ws(' ', name, g.curve, g.i, a.c, 'not', g.c), ', ') FROM golden_curves g FULL JOIN drawn a USING (name, curve, i)
    WHERE pg_temp.near(a.c, g.c) IS NOT TRUE AND g.curve LIKE kind || '%'), NULL, kind || ' curves are those of scikit-learn, point by point')
FROM (VALUES ('roc'), ('pr'), ('lift'), ('uniform'), ('quantile')) v (kind);
SELECT is((SELECT count(*) FROM drawn), (SELECT count(*) FROM golden_curves), 'all of them, and no others');
SELECT is((SELECT array_agg(n) FROM (SELECT (unnest(lift_curve(actual, score, 7))).n FROM scores WHERE name = 'rare') s),
    (SELECT array_agg(n ORDER BY b) FROM (SELECT b, count(*) AS n FROM (SELECT ntile(7) OVER (ORDER BY score DESC) AS b FROM scores WHERE name = 'rare') x GROUP BY b) y), 'lift bins are those of ntile');
SELECT is((SELECT sum(n) FROM (SELECT (unnest(calibration_curve(actual, score))).* FROM scores WHERE name = 'rare') s), 500::numeric, 'calibration bins hold all rows');

-- ---- the threshold itself is positive; defaults
SELECT is(binary_metrics(actual, score), binary_metrics(actual, score, 0.5), 'the threshold is 0.5') FROM scores WHERE name = 'two digits';
SELECT is((binary_metrics(a, 0.5)).recall, 1::float8, 'a score at the threshold is positive') FROM (VALUES (true), (false)) v (a);
SELECT is(lift_curve(actual, score), lift_curve(actual, score, 10), 'ten lift bins') FROM scores WHERE name = 'two digits';
SELECT is(calibration_curve(actual, score), calibration_curve(actual, score, 10, 'uniform'), 'ten bins of equal width') FROM scores WHERE name = 'two digits';
SELECT is((binary_metrics(true, x)).n, 2::bigint, 'both zeros') FROM (VALUES ('-0'::float8), (0)) v (x);
SELECT is(cardinality(pr_curve(true, x)), 2, 'are one score') FROM (VALUES ('-0'::float8), (0)) v (x);

-- ---- confusion matrix
CREATE TABLE classes AS SELECT a, b, n FROM (VALUES (2, 2, 5), (2, 10, 1), (10, 2, 2), (10, 10, 7), (10, 3, 4), (NULL, 3, 8), (3, NULL, 9)) v (a, b, k), generate_series(1, k) n;
SELECT is((SELECT string_agg(concat_ws(' ', actual, predicted, n, coalesce(round(share::numeric, 4)::text, '-')), ', ') FROM (SELECT confusion_matrix(a, b) AS m FROM classes) s, unnest(m)),
    '2 2 5 0.8333, 2 3 0 0.0000, 2 10 1 0.1667, 3 2 0 -, 3 3 0 -, 3 10 0 -, 10 2 2 0.1538, 10 3 4 0.3077, 10 10 7 0.5385', 'all pairs of classes, in order of their numbers');
SELECT is((SELECT string_agg(concat_ws(' ', actual, predicted, n), ', ') FROM (SELECT confusion_matrix('c' || a, 'c' || b) AS m FROM classes) s, unnest(m)),
    'c10 c10 7, c10 c2 2, c10 c3 4, c2 c10 1, c2 c2 5, c2 c3 0, c3 c10 0, c3 c2 0, c3 c3 0', 'or of their names');
SELECT is(confusion_matrix(a > 2, b > 2)::text, '{"(false,false,5,0.8333333333333334)","(false,true,1,0.16666666666666666)","(true,false,2,0.15384615384615385)","(true,true,11,0.8461538461538461)"}', 'yes and no') FROM classes;
SELECT is(confusion_matrix(true, true)::text, '{"(true,true,1,1)"}', 'one class');
SELECT is(confusion_matrix('a'::varchar, 'a'::varchar)::text, '{"(a,a,1,1)"}', 'varchar');

-- ---- NULL
SELECT ok(binary_metrics(actual, score) IS NULL AND binary_metrics(actual, score, 0.1) IS NULL AND roc_curve(actual, score) IS NULL AND pr_curve(actual, score) IS NULL AND lift_curve(actual, score) IS NULL
    AND lift_curve(actual, score, 5) IS NULL AND calibration_curve(actual, score) IS NULL AND calibration_curve(actual, score, 5) IS NULL AND calibration_curve(actual, score, 5, 'quantile') IS NULL
    AND regression_metrics(score, score) IS NULL AND confusion_matrix(actual, actual) IS NULL AND confusion_matrix(name, name) IS NULL AND confusion_matrix(i::int, 1) IS NULL, 'NULL for no rows') FROM scores WHERE false;
SELECT ok(binary_metrics(a, s) IS NULL AND roc_curve(a, s) IS NULL AND pr_curve(a, s) IS NULL AND lift_curve(a, s) IS NULL AND calibration_curve(a, s) IS NULL AND regression_metrics(s, s) IS NULL, 'and for rows without actual or score')
FROM (VALUES (NULL::boolean, NULL::float8), (true, NULL), (false, 'NaN')) v (a, s);
SELECT ok(regression_metrics(a, s) IS NULL AND confusion_matrix(a > 1, s > 1) IS NULL, 'or prediction') FROM (VALUES (NULL::float8, 1::float8), (1, NULL)) v (a, s);
SELECT is(binary_metrics(a, s), (SELECT binary_metrics(actual, score) FROM scores WHERE name = 'rare'), 'such rows are left out')
FROM (SELECT actual AS a, score AS s FROM scores WHERE name = 'rare' UNION ALL VALUES (NULL::boolean, 0.3::float8), (true, NULL), (false, 'NaN')) v;
SELECT ok((m).roc_auc IS NULL AND (m).pr_auc IS NULL AND (m).ks IS NULL AND (m).specificity IS NULL AND (m).recall = 0.5 AND (m).brier IS NOT NULL, 'one class has no order') FROM (SELECT binary_metrics(true, s) AS m FROM (VALUES (0.2), (0.9)) v (s)) x;
SELECT ok(roc_curve(true, s) IS NULL AND roc_curve(false, s) IS NULL AND pr_curve(false, s) IS NULL, 'and no curve') FROM (VALUES (0.2), (0.9)) v (s);
SELECT ok(b.rate = 0 AND b.lift IS NULL AND b.cumulative_gain IS NULL, 'no lift without positives') FROM (SELECT lift_curve(false, 0.4) AS a) s, unnest(a) b;
SELECT ok(m.log_loss IS NULL AND m.brier IS NULL AND m.ece IS NULL AND m.roc_auc IS NOT NULL, 'no probabilities, no loss') FROM (SELECT (binary_metrics(actual, score)).* FROM scores WHERE name = 'log odds') m;
SELECT ok((m).mape IS NULL AND (m).r2 IS NULL AND (m).mae = 2, 'an actual of 0 has no relative error, equal ones no variance') FROM (SELECT regression_metrics(0, p) AS m FROM (VALUES (1), (-3)) v (p)) x;
SELECT is((regression_metrics(a, 0)).rmse, 'Infinity'::float8, 'a square beyond float8') FROM (VALUES (1e200), (2e200)) v (a);

-- ---- where there is no order, none matters
CREATE FUNCTION pg_temp.whole(direction int) RETURNS text LANGUAGE sql AS $$
    SELECT md5(concat_ws(';', binary_metrics(actual, score ORDER BY i * direction), roc_curve(actual, score ORDER BY i * direction), pr_curve(actual, score ORDER BY i * direction), lift_curve(actual, score, 7 ORDER BY i * direction),
        calibration_curve(actual, score, 9, 'quantile' ORDER BY i * direction), regression_metrics(score, score * 0.7 ORDER BY i * direction))) FROM scores WHERE name <> 'log odds' $$;
SELECT is(pg_temp.whole(1), pg_temp.whole(-1), 'the order of rows does not matter');
SELECT is((SELECT array_agg(x ORDER BY i) FROM (SELECT i, binary_metrics(actual, score) OVER (ORDER BY i) AS x FROM scores WHERE name = 'two digits') w WHERE i IN (400, 500)),
    ARRAY[(SELECT binary_metrics(actual, score) FROM scores WHERE name = 'two digits' AND i <= 400), (SELECT binary_metrics(actual, score) FROM scores WHERE name = 'two digits' AND i <= 500)], 'as a window aggregate');
SELECT is((SELECT array_agg(x ORDER BY i) FROM (SELECT i, regression_metrics(actual, predicted) OVER (ORDER BY i) AS x FROM numbers WHERE name = '400 rows') w WHERE i IN (200, 300)),
    ARRAY[(SELECT regression_metrics(actual, predicted) FROM numbers WHERE name = '400 rows' AND i <= 200), (SELECT regression_metrics(actual, predicted) FROM numbers WHERE name = '400 rows' AND i <= 300)], 'numbers too');
SELECT is((SELECT binary_metrics(actual, score) FILTER (WHERE name = 'rare') FROM scores), (SELECT binary_metrics(actual, score) FROM scores WHERE name = 'rare'), 'FILTER');

-- ---- parallel = serial
CREATE TABLE many AS SELECT i AS id, i % 5 AS g, (i * 7919 % 1013) < 300 AS actual, nullif(i * 31 % 997, 5) / 997.0::float8 AS score, ln(i) AS x, sqrt(i) AS y FROM generate_series(1, 60000) i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
CREATE FUNCTION pg_temp.evaluate() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(concat_ws(';', binary_metrics(actual, score), binary_metrics(actual, score, 0.3), roc_curve(actual, score), pr_curve(actual, score), lift_curve(actual, score), lift_curve(actual, score, 3),
        calibration_curve(actual, score), calibration_curve(actual, score, 4), calibration_curve(actual, score, 5, 'quantile'), regression_metrics(x, y), confusion_matrix(actual, score > 0.5), confusion_matrix(g, id % 7), confusion_matrix('g' || g, 'g' || id % 7))) FROM many $$;
CREATE FUNCTION pg_temp.evaluate_groups() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(string_agg(x, ';' ORDER BY g)) FROM (SELECT g, concat_ws(';', binary_metrics(actual, score), lift_curve(actual, score, 3), regression_metrics(x, y), confusion_matrix(actual, score > 0.5)) AS x FROM many GROUP BY g) s $$;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT pg_temp.evaluate() AS whole, pg_temp.evaluate_groups() AS groups;
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
SELECT matches(pg_temp.plan_of('SELECT ' || x || ' FROM many'), '^Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan', x || ' runs in workers')
FROM unnest(ARRAY['binary_metrics(actual, score)', 'binary_metrics(actual, score, 0.3)', 'roc_curve(actual, score)', 'pr_curve(actual, score)', 'lift_curve(actual, score, 3)',
    'calibration_curve(actual, score, 5, ''quantile'')', 'regression_metrics(x, y)', 'confusion_matrix(actual, actual)', 'count(*) FILTER (WHERE is_train(id) AND fold(id) = 2)']) x;
SELECT is(pg_temp.evaluate(), (SELECT whole FROM serial), 'with the same results');
SELECT matches(pg_temp.plan_of('SELECT g, binary_metrics(actual, score) FROM many GROUP BY g'), 'Finalize.*Gather.*Partial', 'groups too');
SELECT is(pg_temp.evaluate_groups(), (SELECT groups FROM serial), 'with the same results');
SET LOCAL enable_hashagg = off;
SELECT is(pg_temp.evaluate_groups(), (SELECT groups FROM serial), 'also when groups are sorted');

-- ---- splits
CREATE TABLE golden_folds AS SELECT c[1] AS kind, c[2] AS key, c[3]::bigint AS seed, c[4]::int AS fold5, c[5]::int AS fold1000, c[6]::int::boolean AS train
FROM string_to_table(:'folds', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1 AND text <> '';
SELECT ok(bool_and(CASE kind WHEN 'text' THEN fold(key, 5, seed) = fold5 AND fold(key, 1000, seed) = fold1000 AND is_train(key, 0.8, seed) = train
    ELSE fold(key::bigint, 5, seed) = fold5 AND fold(key::bigint, 1000, seed) = fold1000 AND is_train(key::bigint, 0.8, seed) = train END) AND count(*) > 70,
    'splits are those of another implementation, and so the same everywhere') FROM golden_folds;
SELECT is(ARRAY[fold(k::smallint, 1000), fold(k::bigint, 1000), fold(k::numeric, 1000), fold(k::numeric + 0.00, 1000)], array_fill(fold(k, 1000), '{4}'), 'integers are one key in all widths: ' || k) FROM unnest('{-7,0,1,32767}'::int[]) k;
SELECT is(ARRAY[fold(k::varchar(9), 1000), fold(k::char(9), 1000), fold(k::name, 1000)], array_fill(fold(k, 1000), '{3}'), 'so are texts') FROM (VALUES ('anna'::text)) v (k);
SELECT ok(count(DISTINCT fold(k, 1000000)) > 6, 'other types') FROM (SELECT 1) o, LATERAL (VALUES (fold('3e7c1f6a-0000-4000-8000-000000000001'::uuid, 1000000)), (fold('2024-02-03'::date, 1000000)), (fold('2024-02-03 10:00+00'::timestamptz, 1000000)), (fold('2024-02-03 10:00'::timestamp, 1000000)),
    (fold('\x00ff'::bytea, 1000000)), (fold(true, 1000000)), (fold(1.5, 1000000)), (fold(1e30::numeric, 1000000))) v (k);
SELECT ok(max(abs(n - 12000)) < 400, 'folds are about the same size') FROM (SELECT fold(id), count(*) AS n FROM many GROUP BY 1) x;
SELECT ok(max(abs(n - 12000)) < 400 AND count(*) = 5, 'of texts as well') FROM (SELECT fold('customer ' || id), count(*) AS n FROM many GROUP BY 1) x;
SELECT ok(abs(count(*) FILTER (WHERE is_train(id)) - 48000) < 400 AND abs(count(*) FILTER (WHERE is_train(id, 0.1)) - 6000) < 300, 'training has its share') FROM many;
SELECT ok(bool_and(abs(share - 0.8) < 0.02), 'in every fold') FROM (SELECT fold(id), avg(is_train(id)::int) AS share FROM many GROUP BY 1) x;
SELECT ok(bool_and(abs(share - 0.2) < 0.02), 'another seed is another split') FROM (SELECT fold(id), avg((fold(id, 5, 43) = 1)::int) AS share FROM many GROUP BY 1) x;
SELECT ok(bool_and(is_train(id, 0.8)), 'smaller shares are part of larger ones') FROM many WHERE is_train(id, 0.3);
SELECT is(ROW(fold(1, n_folds => 7), is_train(key => 1, seed => 3)), ROW(fold(1, 7, 42), is_train(1, 0.8, 3)), 'defaults and names');
SELECT ok(fold(NULL::int) IS NULL AND is_train(NULL::text) IS NULL AND fold(1, NULL) IS NULL AND is_train(1, 0.5, NULL) IS NULL, 'NULL');
CREATE DOMAIN email AS text;
SELECT is(fold('a@b'::email, 1000), fold('a@b'::text, 1000), 'a domain is its type');

-- ---- errors
SELECT throws_ok('SELECT fold(1, 1)', '22023', 'fold: n_folds is 1 but must be at least 2', 'one fold is none');
SELECT throws_ok(format('SELECT is_train(1, %L)', f), '22023', NULL, 'fraction ' || f) FROM unnest('{0,1,-0.5,1.5,NaN}'::float8[]) f;
SELECT throws_ok('SELECT fold(1.5::float8)', '0A000', 'a key of type double precision cannot be split by', 'floating point is no key');
SELECT throws_ok('SELECT is_train(ARRAY[1])', '0A000', NULL, 'an array neither');
SELECT throws_ok('SELECT binary_metrics(true, ''Infinity'')', '22003', 'score holds infinity', 'an infinite score');
SELECT throws_ok('SELECT regression_metrics(''-Infinity'', 1)', '22003', 'actual holds infinity', 'an infinite actual');
SELECT throws_ok('SELECT regression_metrics(1, ''Infinity'')', '22003', 'predicted holds infinity', 'an infinite prediction');
SELECT throws_ok('SELECT binary_metrics(actual, score, NULL) FROM scores', '22004', 'threshold is NULL', 'no threshold');
SELECT throws_ok('SELECT binary_metrics(actual, score, ''NaN'') FROM scores', '22023', NULL, 'a threshold that is no number');
SELECT throws_ok('SELECT binary_metrics(actual, score, score) FROM scores', '22023', 'the parameters of an evaluation differ between rows', 'a threshold per row');
SELECT throws_ok('SELECT lift_curve(actual, score, 0) FROM scores', '22023', 'n_bins is 0 but must be between 1 and 10000', 'no bins');
SELECT throws_ok('SELECT lift_curve(actual, score, NULL) FROM scores', '22004', NULL, 'NULL bins');
SELECT throws_ok('SELECT calibration_curve(actual, score, 10, ''equal'') FROM scores WHERE name = ''rare''', '22023', 'strategy is "equal" but must be uniform or quantile', 'an unknown strategy');
SELECT throws_ok('SELECT calibration_curve(actual, score, 10, NULL) FROM scores', '22004', NULL, 'NULL strategy');
SELECT throws_ok('SELECT calibration_curve(actual, score) FROM scores', '22023', 'calibration_curve: a score is not between 0 and 1', 'calibration of what is no probability');
SELECT throws_ok('SELECT confusion_matrix(id, id) FROM many', '54000', 'confusion_matrix: 60000 classes, at most 1000 are shown', 'too many classes');
SET LOCAL retailml.max_memory = '1MB';
SELECT throws_like('SELECT binary_metrics(actual, id) FROM many', 'evaluating predictions needs % MB, retailml.max_memory is 1 MB', 'more rows than retailml.max_memory holds');
SELECT throws_like('SELECT regression_metrics(x, y) FROM many', 'evaluating predictions needs % MB, retailml.max_memory is 1 MB', 'or numbers');
SET LOCAL retailml.max_memory = DEFAULT;
SELECT lives_ok('SELECT binary_metrics(actual, id), regression_metrics(x, y) FROM many', 'with room it works');

SELECT * FROM finish();
ROLLBACK;
