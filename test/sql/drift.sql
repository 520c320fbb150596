-- model_drift: rows of today against what a model keeps of its training rows.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
\getenv srcdir PG_ABS_SRCDIR
\set path :srcdir '/golden/drift.csv'
\set drift `cat :'path'`
BEGIN;
SELECT plan(36);

-- ---- golden numbers: numpy's and scipy's, each case a group with a model of its own
CREATE TABLE golden AS
SELECT c[1] AS name, c[2] AS kind, nullif(c[3], '') AS value, c[4]::int AS n_then, c[5]::int AS n_now, c[6]::float8 AS psi
FROM string_to_table(:'drift', E'\n') WITH ORDINALITY line (text, i), string_to_array(text, ',') c WHERE i > 1 AND text <> '';
CREATE TABLE fits AS
SELECT name, kmeans_fit(ARRAY[value::float8], 1) AS model FROM golden, generate_series(1, n_then) WHERE kind = 'number' GROUP BY name
UNION ALL SELECT name, kmeans_fit(x, 1) FROM (SELECT name, value = '1.0' AS v FROM golden, generate_series(1, n_then) WHERE kind = 'boolean') g, LATERAL (SELECT v) x GROUP BY name
UNION ALL SELECT name, kprototypes_fit(x, 1) FROM (SELECT name, value AS v FROM golden, generate_series(1, n_then) WHERE kind = 'text') g, LATERAL (SELECT v) x GROUP BY name;
CREATE VIEW now AS SELECT name, kind, value, psi, model FROM golden JOIN fits USING (name), generate_series(1, n_now);
CREATE TABLE drifts AS
SELECT name, kind, model_drift(model, ARRAY[value::float8]) AS drift, min(psi) AS wanted FROM now WHERE kind = 'number' GROUP BY name, kind
UNION ALL SELECT name, kind, model_drift(model, x), min(psi) FROM now, LATERAL (SELECT value = '1.0' AS v) x WHERE kind = 'boolean' GROUP BY name, kind
UNION ALL SELECT name, kind, model_drift(model, x), min(psi) FROM now, LATERAL (SELECT value AS v) x WHERE kind = 'text' GROUP BY name, kind;
SELECT ok(count(*) >= n AND max(abs(drift[1].psi - wanted)) < 1e-10, format('%s: psi is that of numpy, group by group', kind)) FROM drifts JOIN (VALUES ('number', 20), ('boolean', 3), ('text', 4)) v (kind, n) USING (kind) GROUP BY kind, n ORDER BY kind;
SELECT ok(bool_and(drift[1].verdict = CASE WHEN wanted < .1 THEN 'stable' WHEN wanted <= .25 THEN 'shifted' ELSE 'drifted' END) AND count(DISTINCT drift[1].verdict) = 3, 'verdicts') FROM drifts;

-- ---- a table of mixed columns
CREATE TABLE facts (id int, spend numeric, orders int, active bool, channel text);
INSERT INTO facts SELECT i, CASE WHEN i % 20 > 0 THEN round((i * 7919 % 1000) * 0.37, 2) END, ceil(-ln((i * 104729 % 997 + 1) / 998.0) * 2), i % 3 = 0, (ARRAY['web', 'shop', 'app', NULL])[1 + i % 4] FROM generate_series(1, 2000) i;
CREATE TABLE models AS SELECT kprototypes_fit(f, 3, '{"exclude": ["id"]}') AS model FROM facts f;
CREATE VIEW moved AS SELECT id, spend * 1.3 AS spend, orders, id % 3 < 2 AS active, CASE WHEN channel = 'shop' THEN 'market' ELSE channel END AS channel FROM facts;
CREATE FUNCTION pg_temp.show(drift feature_drift[]) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', feature, round(psi::numeric, 3), coalesce(round(null_share_then::numeric, 3)::text, '-'), round(null_share_now::numeric, 3), coalesce(round(unseen_share::numeric, 3)::text, '-'), coalesce(verdict, '-')), ', ' ORDER BY i)
    FROM unnest(drift) WITH ORDINALITY AS d (feature, psi, null_share_then, null_share_now, unseen_share, verdict, i) $$;
SELECT is((SELECT pg_temp.show(model_drift(model, f)) FROM facts f, models), 'spend 0.000 0.050 0.050 - stable, orders 0.000 0.000 0.000 - stable, active 0.000 0.000 0.000 - stable, channel 0.000 0.250 0.250 0.000 stable',
    'the training rows have not moved; features in the order of the model');
-- spend: by number() of test/golden/drift.py; active: 666 then, 1333 now: (1333 - 666) / 2000 (ln(1333 / 666) + ln(1334 / 667)) = 0.463; channel: half a row for what is gone and for what is new, 2 (0.25 - 0.00025) ln(1000) = 3.450
SELECT is((SELECT pg_temp.show(model_drift(model, f)) FROM moved f, models), 'spend 0.275 0.050 0.050 - drifted, orders 0.000 0.000 0.000 - stable, active 0.463 0.000 0.000 - drifted, channel 3.450 0.250 0.250 0.250 drifted', 'others have');
SELECT is((SELECT pg_temp.show(model_drift(model, f)) FROM (SELECT channel, 5 AS more, active, orders, spend FROM facts) f, models), (SELECT pg_temp.show(model_drift(model, f)) FROM facts f, models), 'columns are matched by name');
SELECT is((SELECT model_drift(model, f) FROM (SELECT * FROM moved ORDER BY md5(id::text)) f, models), (SELECT model_drift(model, f) FROM moved f, models), 'the order of rows does not matter');
SELECT is((SELECT model_drift(model, f) FROM (SELECT id, spend::float8, orders::bigint, active, channel::varchar FROM moved) f, models), (SELECT model_drift(model, f) FROM moved f, models), 'nor do the types of numbers and texts');
SELECT is((SELECT array_agg(drift ORDER BY g) FROM (SELECT id % 2 AS g, model_drift(model, f) AS drift FROM moved f, models GROUP BY 1) s),
    (SELECT array_agg(drift ORDER BY g) FROM generate_series(0, 1) g, LATERAL (SELECT model_drift(model, f) AS drift FROM moved f, models WHERE id % 2 = g) s), 'group by group');
-- with h = 0.00025, half a row: spend (1 - 0.05) ln(1 / 0.05) + 10 (0.095 - h) ln(0.095 / h); orders: number() of drift.py;
-- active (1 - h) ln(1 / h) + (0.333 - h) ln(0.333 / h) + (0.667 - h) ln(0.667 / h); channel 0.75 ln 4 + 3 (0.25 - h) ln(0.25 / h)
SELECT is((SELECT pg_temp.show(model_drift(model, f)) FROM (SELECT NULL::numeric AS spend, NULL::int AS orders, NULL::bool AS active, NULL::text AS channel FROM facts) f, models),
    (SELECT string_agg(format('%s %s %s 1.000 %s drifted', f, p, n, u), ', ' ORDER BY i) FROM (VALUES (1, 'spend', '8.474', '0.050', '-'), (2, 'orders', '14.741', '0.000', '-'), (3, 'active', '15.946', '0.000', '-'), (4, 'channel', '6.215', '0.250', '0.000')) v (i, f, p, n, u)), 'nothing but missing values');
SELECT is((SELECT pg_temp.show(model_drift(model, f)) FROM (SELECT 'NaN'::numeric AS spend, orders, active, channel FROM facts WHERE id <= 1) f, models),
    (SELECT pg_temp.show(model_drift(model, f)) FROM (SELECT NULL::numeric AS spend, orders, active, channel FROM facts WHERE id <= 1) f, models), 'NaN is missing');

-- ---- NULL
SELECT is((SELECT model_drift(model, f) FROM facts f, models WHERE id < 0), NULL, 'NULL for no rows');
SELECT is((SELECT model_drift(NULL, f) FROM facts f), NULL, 'or no model');
SELECT is((SELECT model_drift(model, f) FROM models LEFT JOIN facts f ON id < 0), NULL, 'or only rows that are NULL');
SELECT is((SELECT model_drift(model, f) FROM models, (SELECT id FROM facts UNION ALL SELECT -1) i LEFT JOIN moved f USING (id)), (SELECT model_drift(model, f) FROM moved f, models), 'rows that are NULL are left out');
SELECT is((SELECT model_drift(model, f) FROM moved f LEFT JOIN models ON f.id > 1000), (SELECT model_drift(model, f) FROM moved f, models WHERE id > 1000), 'as are those without a model');

-- ---- missing values and the option impute
SELECT is((SELECT pg_temp.show(model_drift(model, f)) FROM facts f, (SELECT kmeans_fit(f, 2, '{"features": ["spend", "orders"], "impute": "skip"}') AS model FROM facts f) m),
    'spend 0.000 - 0.050 - stable, orders 0.000 - 0.000 - stable', 'impute = skip: rows that training would have left out are left out');
SELECT is((SELECT pg_temp.show(model_drift(model, f)) FROM (SELECT NULL::int AS spend, 1 AS orders) f, (SELECT kmeans_fit(f, 2, '{"features": ["spend", "orders"], "impute": "skip"}') AS model FROM facts f) m),
    'spend - 1.000 - -, orders - 0.000 - -', 'all of them: no verdict');
SELECT is((SELECT pg_temp.show(model_drift(model, f)) FROM (SELECT nullif(orders, 1) AS orders FROM facts) f, (SELECT kmeans_fit(f, 2, '{"features": ["orders"], "impute": "error"}') AS model FROM facts f) m),
    'orders 5.024 0.000 0.392 - drifted', 'impute = error: missing values are a drift, not an error');

-- ---- other models, arrays
SELECT is((SELECT count(*) FROM (SELECT boost_fit(f, 'active', '{"exclude": ["id"], "n_trees": 5}') AS model FROM facts f) m, LATERAL (SELECT model_drift(m.model, f) AS drift FROM facts f) d, unnest(drift) WHERE verdict = 'stable' AND psi < 1e-9), 3::bigint, 'a boosted model');
SELECT is((SELECT string_agg(feature || ' ' || verdict, ', ') FROM (SELECT rfm_fit(i % 90, i % 7, i) AS model FROM generate_series(1, 500) i) m, LATERAL (SELECT model_drift(m.model, f) AS drift FROM (SELECT i % 90 AS recency, i % 7 AS frequency, i * 2 AS monetary FROM generate_series(1, 500) i) f) d, unnest(drift)),
    'recency stable, frequency stable, monetary drifted', 'scores of RFM');
SELECT is((SELECT array_agg(verdict) FROM (SELECT model_drift(model, ARRAY[i + 200, i]::float8[]) AS drift FROM (SELECT kmeans_fit(ARRAY[i, i % 9]::float8[], 2) AS model FROM generate_series(1, 500) i) m, generate_series(1, 500) i) s, unnest(drift)), ARRAY['drifted', 'drifted'], 'a model of arrays');

-- ---- errors
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
SELECT is(pg_temp.complaint('SELECT model_drift(model, f) FROM models, (SELECT 1 AS spend, 2 AS active) f'),
    '42703 | the row lacks the columns "orders", "channel" | The row has the columns: "spend", "active". | Columns are matched by name; rename them in a subquery if they are called differently.', 'columns that are missing');
SELECT alike(pg_temp.complaint('SELECT model_drift(model, f) FROM models, (SELECT ''x'' AS spend, 1 AS orders, true AS active, ''web'' AS channel) f'), '42804 | %"spend"%', 'a column of the wrong kind');
SELECT alike(pg_temp.complaint('SELECT model_drift(model, f) FROM models, (SELECT float8 ''-Infinity'' AS spend, 1 AS orders, true AS active, ''web'' AS channel) f'), '22003 | %"spend"%', 'infinity');
SELECT is(pg_temp.complaint('SELECT model_drift(model, f) FROM facts f, (SELECT svdpp_train(i % 9, i % 7, i % 5, ''{"n_epochs": 1, "holdout": 0}'') AS model FROM generate_series(1, 60) i) m'),
    '22023 | model_drift needs a model of rows, this one is of svdpp | The drift of a feature is measured, and this model has no features.', 'a model without features');
SELECT alike(pg_temp.complaint('SELECT model_drift(''\x00'', f) FROM facts f'), 'XX001 | the model is damaged or not a model | %', 'damaged bytes');
SELECT is(pg_temp.complaint('SELECT model_drift(CASE WHEN id < 1000 THEN model ELSE other END, f) FROM facts f, models, (SELECT kmeans_fit(f, 2, ''{"features": ["orders"]}'') AS other FROM facts f) o'),
    '22023 | model_drift: the model changes from row to row | Compare with one model at a time: GROUP BY what tells them apart.', 'two models in one group');
SELECT is(pg_temp.complaint('SELECT model_drift(model, ARRAY[1, 2]::float8[]) FROM models') LIKE '%array%', true, 'an array for a model of rows');

-- ---- parallel = serial
CREATE TABLE many AS SELECT f.* FROM moved f, generate_series(1, 20);
ALTER TABLE many SET (parallel_workers = 2);
ALTER TABLE models SET (parallel_workers = 0);
ANALYZE many;
CREATE TABLE toasted AS SELECT model FROM models;
CREATE FUNCTION pg_temp.all_drift() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(model_drift((SELECT model FROM models), f)::text || model_drift((SELECT model FROM toasted), f)::text) FROM many f $$;
CREATE FUNCTION pg_temp.group_drift() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(string_agg(drift::text, ';' ORDER BY g)) FROM (SELECT id % 5 AS g, model_drift((SELECT model FROM models), f) AS drift FROM many f GROUP BY 1) s $$;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text = '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP result = result || line; END LOOP;
    RETURN result;
END $$;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT pg_temp.all_drift() AS whole, pg_temp.group_drift() AS groups;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(pg_temp.plan_of('SELECT model_drift((SELECT model FROM models), f) FROM many f'), 'Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan', 'it runs in workers');
SELECT is(pg_temp.all_drift(), (SELECT whole FROM serial), 'with the same result');
SELECT matches(pg_temp.plan_of('SELECT id % 5, model_drift((SELECT model FROM models), f) FROM many f GROUP BY 1'), 'Finalize.*Gather.*Partial', 'groups too');
SELECT is(pg_temp.group_drift(), (SELECT groups FROM serial), 'with the same results');

-- ---- from the registry
SELECT is(model_save('drift test', (SELECT model FROM models)), 1, 'a model is saved');
SELECT is((SELECT model_drift((SELECT model_load('drift test')), f) FROM moved f), (SELECT model_drift(model, f) FROM moved f, models), 'and compared with by name');

SELECT * FROM finish();
ROLLBACK;
