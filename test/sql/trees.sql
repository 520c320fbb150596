-- Decision trees, forests and boosting from SQL: labels of all types, options, errors, groups, plans.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(67);

CREATE TYPE tier AS ENUM ('low', 'mid', 'top');
CREATE TABLE facts AS
SELECT i AS id, i % 2 AS region, (i * 7919 % 1009)::float8 / 100 AS a, (i * 104729 % 9973)::numeric / 1000 AS b,
    CASE WHEN i % 17 = 0 THEN NULL ELSE (ARRAY['web', 'app', 'shop'])[1 + i % 3] END AS channel, 1 + i % 4 AS w
FROM generate_series(1, 600) i;
CREATE TABLE labelled AS
SELECT *, a + 3 * (coalesce(channel, '') = 'app')::int > 6 AS won, CASE WHEN b + id * 31 % 11 / 10.0 < 3 THEN 'low' WHEN b + id * 31 % 11 / 10.0 < 7 THEN 'mid' ELSE 'top' END::tier AS tier,
    round((a * b)::numeric, 2) AS spend FROM facts;
ANALYZE labelled;
CREATE FUNCTION pg_temp.value(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE FUNCTION pg_temp.complaint(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE call; RETURN 'none'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
CREATE TABLE methods (name text);
INSERT INTO methods VALUES ('tree'), ('forest'), ('boost');
-- a model of each method and kind of label
CREATE TABLE fits AS
SELECT name, pg_temp.value(format('SELECT %s_fit(f, ''won'', ''{"features": ["a", "b", "channel"]}'') FROM labelled f', name))::bytea AS two,
    pg_temp.value(format('SELECT %s_fit(f, ''tier'', ''{"features": ["a", "b", "channel"]}'') FROM labelled f', name))::bytea AS three,
    pg_temp.value(format('SELECT %s_fit(f, ''spend'', ''{"features": ["a", "b", "channel"]}'') FROM labelled f', name))::bytea AS number
FROM methods;

-- ---- predictions
SELECT ok((SELECT avg((predict_label(two, f)::bool = won)::int) > 0.95 FROM labelled f), name || ': two classes') FROM fits ORDER BY name;
SELECT ok((SELECT avg((predict_label(three, f) = tier::text)::int) > 0.9 FROM labelled f), name || ': three classes, an enum') FROM fits ORDER BY name;
SELECT ok((SELECT corr(predict(number, f), spend::float8) ^ 2 > 0.9 FROM labelled f), name || ': a numeric') FROM fits ORDER BY name;
SELECT ok((SELECT bool_and(predict(two, f) BETWEEN 0 AND 1 AND (predict_proba(two, f))[2] = predict(two, f) AND predict_label(two, f)::bool = (predict(two, f) >= 0.5)) FROM labelled f),
    name || ': predict is the probability of true') FROM fits ORDER BY name;
SELECT ok((SELECT bool_and(predict(three, f) IN (1, 2, 3) AND predict_label(three, f) = (ARRAY['low', 'mid', 'top'])[predict(three, f)::int]
    AND (predict_proba(three, f))[predict(three, f)::int] >= ALL (predict_proba(three, f))) FROM labelled f), name || ': predict is the number of the most probable class') FROM fits ORDER BY name;
SELECT is(pg_temp.complaint($$SELECT predict_label(number, f) FROM fits, labelled f WHERE name = 'tree'$$), '22023 a model of tree has no labels', 'a number has no label');
SELECT is((SELECT count(*) FROM labelled f JOIN facts g USING (id) WHERE predict(two, f) = predict(two, g)), 600::bigint, name || ': rows need no label') FROM fits ORDER BY name;
SELECT isnt(predict(two, r), NULL, name || ': NULL and an unseen category') FROM fits, (SELECT NULL::float8 AS a, NULL::int AS b, 'fax' AS channel) r ORDER BY name;
SELECT is(pg_temp.complaint($$SELECT predict(two, r) FROM fits, (SELECT 1 AS a) r$$) ~ '^42703', true, 'a missing column');

-- ---- kinds of labels
SELECT is((SELECT tree_fit(f, 'y', '{"features": ["a", "b", "channel"]}') FROM (SELECT *, CASE WHEN won THEN 'true' ELSE 'false' END AS y FROM labelled) f) <> two, true, 'a text label has another name')
FROM fits WHERE name = 'tree';
SELECT is((SELECT array_agg(predict(m, f) ORDER BY f.id) FROM labelled f, (SELECT tree_fit(f, 'y', '{"features": ["a", "b", "channel"]}') AS m FROM (SELECT *, CASE WHEN won THEN 'true' ELSE 'false' END AS y FROM labelled) f) x),
    (SELECT array_agg(predict(two, f) ORDER BY f.id) FROM labelled f), 'but says the same') FROM fits WHERE name = 'tree';
SELECT is(model_info(tree_fit(f, 'y', '{"features": ["a"]}')) ->> 'task', 'regression', 'an integer is a number') FROM (SELECT a, id % 3 AS y FROM facts) f;
SELECT is(model_info(tree_fit(f, 'y', '{"features": ["a"], "task": "classification"}')) -> 'classes', '[{"rows": 200, "class": "0"}, {"rows": 200, "class": "1"}, {"rows": 200, "class": "2"}]', 'or a class')
FROM (SELECT a, id % 3 AS y FROM facts) f;
SELECT is(model_info(tree_fit(f, 'won', '{"features": ["a"], "task": "regression"}')) ->> 'task', 'regression', 'a boolean may be a number') FROM labelled f;
SELECT ok(bool_and(abs(predict(p, f) + predict(n, f) - 1) < 1e-12), 'positive names the other class')
FROM labelled f, (SELECT tree_fit(f, 'won', '{"features": ["a", "channel"]}') AS p, tree_fit(f, 'won', '{"features": ["a", "channel"], "positive": "false"}') AS n FROM labelled f) x;
SELECT is((SELECT model_info(tree_fit(f, 'won', '{"features": ["a"]}')) ->> 'rows' FROM (SELECT a, CASE WHEN id > 100 THEN won END AS won FROM labelled) f), '500', 'rows without a label are left out');
SELECT is((SELECT model_info(tree_fit(f, 'won', '{"features": ["a"]}')) ->> 'skipped' FROM (SELECT a, CASE WHEN id > 100 THEN won END AS won FROM labelled) f), '100', 'and counted');
SELECT is(pg_temp.value(format('SELECT %s_fit(f, ''won'') FROM (SELECT a, NULL::bool AS won FROM labelled) f', name)), NULL, name || ': no labels, no model') FROM methods ORDER BY name;
SELECT is(pg_temp.value(format('SELECT %s_fit(f, ''won'') FROM labelled f WHERE false', name)), NULL, name || ': no rows, no model') FROM methods ORDER BY name;

-- ---- arrays
SELECT is((SELECT array_agg(predict(m, ARRAY[a, b]::float8[]) ORDER BY id) FROM labelled, (SELECT tree_fit(won, ARRAY[a, b]::float8[]) AS m FROM labelled) x),
    (SELECT array_agg(predict(m, f) ORDER BY f.id) FROM labelled f, (SELECT tree_fit(f, 'won') AS m FROM (SELECT a, b, won FROM labelled) f) x), 'arrays are like rows');
SELECT is((SELECT array_agg(DISTINCT predict_label(m, ARRAY[a, b]::float8[])) FROM labelled, (SELECT boost_fit(tier, ARRAY[a, b]::float8[], '{"n_trees": 5}') AS m FROM labelled) x), '{low,mid,top}', 'an enum beside arrays');
SELECT is((SELECT model_info(forest_fit(spend, ARRAY[a, b]::float8[], '{"n_trees": 3}')) ->> 'task' FROM labelled), 'regression', 'a numeric beside arrays');
SELECT is(pg_temp.complaint($$SELECT tree_fit(won, ARRAY[a, b]::float8[], '{"weight": "a"}') FROM labelled$$),
    '22023 tree_fit: the columns of an array have no names to choose a weight or group by', 'arrays have no weight column');
SELECT is(pg_temp.complaint($$SELECT tree_fit(now(), ARRAY[a, b]::float8[]) FROM labelled$$) ~ '"label" is of type timestamp with time zone', true, 'a date beside arrays');

-- ---- weights
SELECT is((SELECT array_agg(predict(m, f) ORDER BY f.id) FROM labelled f, (SELECT tree_fit(f, 'won', '{"features": ["a", "channel"], "weight": "w", "min_samples_leaf": 1}') AS m FROM labelled f WHERE id <= 200) x),
    (SELECT array_agg(predict(m, f) ORDER BY f.id) FROM labelled f, (SELECT tree_fit(f, 'won', '{"features": ["a", "channel"], "min_samples_leaf": 1}') AS m FROM labelled f, generate_series(1, w) WHERE id <= 200) x), 'weights are repeated rows');
SELECT is((SELECT model_info(boost_fit(f, 'won', '{"weight": "w", "n_trees": 2}')) -> 'features' FROM (SELECT a, w, won FROM labelled) f), '["a"]', 'the weight is no feature');
SELECT is(pg_temp.complaint($$SELECT tree_fit(f, 'won', '{"weight": "w"}') FROM (SELECT won, a, -1 AS w FROM labelled) f$$), '22023 tree_fit: the weight "w" is negative (-1)', 'a negative weight');
SELECT is(pg_temp.complaint($$SELECT tree_fit(f, 'won', '{"weight": "w"}') FROM (SELECT won, a, 0 AS w FROM labelled) f$$), '22023 tree_fit: the weight "w" is zero in all rows', 'no weight at all');

-- ---- errors
SELECT is(pg_temp.complaint(format('SELECT %s_fit(f, ''won'', ''{"trees": 3}'') FROM labelled f', name)), '22023 ' || name || '_fit has no option "trees"', name || ': an unknown option') FROM methods ORDER BY name;
SELECT is(pg_temp.complaint($$SELECT boost_fit(f, 'nope') FROM labelled f$$), '42703 boost_fit: the row has no column "nope", named as its label', 'an unknown label');
SELECT is(pg_temp.complaint($$SELECT boost_fit(f, 'day') FROM (SELECT a, date '2024-01-01' + id AS day FROM labelled) f$$) ~ 'the label "day" is of type date', true, 'a date');
SELECT is(pg_temp.complaint($$SELECT boost_fit(f, NULL) FROM labelled f$$), '22004 boost_fit: label must not be NULL', 'no label');
SELECT is(pg_temp.complaint($$SELECT forest_fit(f, 'won', '{"features": ["a", "won"]}') FROM labelled f$$) ~ '"won" cannot be a feature of forest_fit', true, 'the label as a feature');
SELECT is(pg_temp.complaint($$SELECT tree_fit(f, 'won', '{"features": ["a"], "positive": "maybe"}') FROM labelled f$$), '22023 tree_fit: the label "won" has no class "maybe"; its classes are "false", "true"', 'an unknown class');
SELECT is(pg_temp.complaint($$SELECT tree_fit(f, 'tier', '{"features": ["a"], "positive": "low"}') FROM labelled f$$), '22023 tree_fit: option "positive" needs two classes, the label "tier" has 3', 'one of three classes');
SELECT is(pg_temp.complaint($$SELECT tree_fit(f, 'won', '{"features": ["a"]}') FROM labelled f WHERE won$$), '22023 tree_fit: the label "won" is "true" in all rows: there is nothing to learn', 'one class');
SELECT is(pg_temp.complaint($$SELECT tree_fit(f, 'y') FROM (SELECT 'infinity'::float8 AS y, 1 AS a) f$$) ~ '"y" holds infinity', true, 'an infinite label');
SELECT is(pg_temp.complaint($$SELECT tree_fit(f, 'y', '{"task": "regression"}') FROM (SELECT 'a' AS y, 1 AS a) f$$), '22023 tree_fit: the label "y" is a text, a regression needs a number', 'a regression on a text');
SELECT is(pg_temp.complaint($$SELECT boost_fit(f, 'won', '{"features": ["a"], "early_stopping": 3}') FROM labelled f WHERE id <= 50$$), '22023 boost_fit: early_stopping needs more than 50 rows', 'few rows to hold out');

-- ---- model_info
SELECT is((SELECT array_agg(k ORDER BY k COLLATE "C") FROM jsonb_object_keys(model_info(two)) k), '{algorithm,classes,features,label,leaves,options,rows,skipped,task,trees}', 'model_info of a tree') FROM fits WHERE name = 'tree';
SELECT is(model_info(two) ? 'oob_accuracy' AND model_info(number) ? 'oob_r2', true, 'of a forest') FROM fits WHERE name = 'forest';
SELECT is(jsonb_array_length(model_info(three) -> 'history') || ' rounds, ' || (model_info(three) ->> 'trees') || ' trees', '100 rounds, 300 trees', 'of boosting') FROM fits WHERE name = 'boost';

-- ---- groups and plans
SELECT is((SELECT array_agg(n ORDER BY region) FROM (SELECT region, (model_info(tree_fit(f, 'won', '{"features": ["a", "channel"]}')) ->> 'rows')::int AS n FROM labelled f GROUP BY region) s), '{300,300}', 'GROUP BY');
CREATE FUNCTION pg_temp.fits(source text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(md5(pg_temp.value(format('SELECT %s_fit(f, ''%s'', ''%s'') FROM %s f', name, label, CASE name WHEN 'tree' THEN '{"exclude": ["id"]}' ELSE '{"exclude": ["id"], "n_trees": 8}' END, source))), ' ' ORDER BY name, label)
FROM methods, unnest(ARRAY['won', 'tier', 'spend']) label $$;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL retailml.threads = 1;
CREATE TEMP TABLE serial AS SELECT pg_temp.fits('labelled') AS m;
SELECT is((SELECT count(DISTINCT x) FROM unnest(string_to_array(m, ' ')) x), 9::bigint, 'nine different models') FROM serial;
SET LOCAL retailml.threads = 2;
SELECT is(pg_temp.fits('labelled'), m, 'two threads give the same bytes') FROM serial;
SELECT is(pg_temp.fits('(SELECT * FROM labelled ORDER BY md5(id::text))'), m, 'so do rows in any order') FROM serial;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is(pg_temp.fits('labelled'), m, 'and parallel plans') FROM serial;

SELECT * FROM finish();
ROLLBACK;
