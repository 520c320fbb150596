\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Models as SQL: the expression gives what predict does, for every row.  That it runs without the extension is
-- test/t/model_sql.sh.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(55);

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

CREATE TYPE tier AS ENUM ('gold', 'silver', 'it''s "tin"');
CREATE TABLE facts AS
SELECT i AS id, i * 7919 % 97 AS recency, CASE WHEN i % 11 = 0 THEN NULL WHEN i % 13 = 0 THEN 'NaN' ELSE i * 104729 % 1000 / 10.0 END::float8 AS "Total ""Spend""",
    CASE WHEN i % 9 > 0 THEN (ARRAY['web', 'app', 'store', 'it''s', 'back\slash', 'Straße'])[1 + i % 6] END AS "select", CASE WHEN i % 7 > 0 THEN i % 5 = 0 END AS active,
    (i * 31 % 17)::numeric AS r, (i % 23)::real AS c, (ARRAY['gold', 'silver', 'it''s "tin"'])[1 + i % 3]::tier AS s, lpad('', i % 4, 'x')::char(5) AS padded, (i % 7)::bigint - 3 AS "x.y"
FROM generate_series(1, 500) i;
CREATE TABLE labelled AS
SELECT *, recency < 40 AND coalesce("select", '') <> 'app' OR r > 12 AS churned, (ARRAY['a', 'b', 'c', 'd'])[1 + (recency / 20 + coalesce(length("select"), 9) + length(s::text))::int % 4] AS grp,
    recency * 0.5 + coalesce(nullif("Total ""Spend""", 'NaN'), 3) * 2 - CASE WHEN active THEN 30 ELSE 0 END + "x.y" AS num
FROM facts;
-- as rows may come later: unseen categories, everything missing, far away
CREATE TABLE later AS SELECT * FROM facts UNION ALL SELECT 1001, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
UNION ALL SELECT 1002, 50, 'NaN', 'phone', true, 'NaN', 'NaN', 'gold', 'zz', 5 UNION ALL SELECT 1003, -1000000, 1e100, '', false, -1e100, 0, 'silver', '', -9000000000000000000;

CREATE TABLE models (name text, model bytea);
INSERT INTO models SELECT 'tree', tree_fit(f, 'churned', '{"exclude": ["id", "grp", "num"]}') FROM labelled f;
INSERT INTO models SELECT 'tree of four', tree_fit(f, 'grp', '{"exclude": ["id", "churned", "num"], "max_depth": 0, "min_samples_leaf": 1}') FROM labelled f;
INSERT INTO models SELECT 'tree of numbers', tree_fit(f, 'num', '{"exclude": ["id", "churned", "grp"], "impute": "median"}') FROM labelled f;
INSERT INTO models SELECT 'forest', forest_fit(f, 'churned', '{"exclude": ["id", "grp", "num"], "n_trees": 80, "max_depth": 4}') FROM labelled f;
INSERT INTO models SELECT 'forest of four', forest_fit(f, 'grp', '{"exclude": ["id", "churned", "num"], "n_trees": 7}') FROM labelled f;
INSERT INTO models SELECT 'forest of numbers', forest_fit(f, 'num', '{"exclude": ["id", "churned", "grp"], "n_trees": 7, "impute": "zero"}') FROM labelled f;
INSERT INTO models SELECT 'boost', boost_fit(f, 'churned', '{"exclude": ["id", "grp", "num"], "n_trees": 70}') FROM labelled f;
INSERT INTO models SELECT 'boost of four', boost_fit(f, 'grp', '{"exclude": ["id", "churned", "num"], "n_trees": 10}') FROM labelled f;
INSERT INTO models SELECT 'boost of numbers', boost_fit(f, 'num', '{"exclude": ["id", "churned", "grp"], "n_trees": 500, "max_leaves": 4}') FROM labelled f;
INSERT INTO models SELECT 'linreg', linreg_fit(f, 'num', '{"exclude": ["id", "s", "churned", "grp"]}') FROM labelled f;
INSERT INTO models SELECT 'logreg', logreg_fit(f, 'churned', '{"exclude": ["id", "s", "grp", "num"]}') FROM labelled f;
INSERT INTO models SELECT 'logreg of four', logreg_fit(f, 'grp', '{"exclude": ["id", "s", "churned", "num"], "impute": "median"}') FROM labelled f;
INSERT INTO models SELECT 'kmeans', kmeans_fit(f, 5, '{"exclude": ["id"]}') FROM (SELECT id, recency, "Total ""Spend""", active, r, c, "x.y" FROM facts) f;
INSERT INTO models SELECT 'kmeans, not scaled', kmeans_fit(f, 4, '{"standardize": false, "impute": "zero", "order_by": "r"}') FROM (SELECT recency, "Total ""Spend""", r FROM facts) f;
INSERT INTO models SELECT 'kprototypes', kprototypes_fit(f, 6, '{"exclude": ["id"]}') FROM facts f;
INSERT INTO models SELECT 'kmodes', kprototypes_fit(f, 3) FROM (SELECT "select", s, padded FROM facts) f;
CREATE FUNCTION pg_temp.model(wanted text) RETURNS bytea LANGUAGE sql STABLE AS $$ SELECT model FROM models WHERE name = wanted $$;

-- rows on which the expression agrees with predict
CREATE FUNCTION pg_temp.agreeing(model bytea, alias text, source text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT predict($1, %1$I.*) AS wanted, %2$s AS got FROM %3$s AS %1$I) x WHERE abs(wanted - got) <= 1e-9 * greatest(1, abs(wanted)) OR (wanted IS NULL AND got IS NULL)', coalesce(alias, 'f'), model_sql(model, alias), source) INTO n USING model;
    RETURN n;
END $$;
SELECT is(pg_temp.agreeing(model, NULL, 'later'), 503::bigint, name || ': what predict gives') FROM models ORDER BY name;
SELECT is(pg_temp.agreeing(model, 'later', 'later'), 503::bigint, name || ': with an alias') FROM models WHERE name ~ '^(tree|boost|kproto|logreg)[a-z]*$' ORDER BY name;
-- the expression's own names are no trouble
SELECT is(pg_temp.agreeing(model, alias, 'later'), 503::bigint, name || ': with the alias ' || alias) FROM models, unnest(ARRAY['r', 'c', 's', 'A "b" %s']) alias WHERE name IN ('forest of four', 'kprototypes') ORDER BY name, alias;
SELECT ok((SELECT count(DISTINCT predict(model, f)) FROM later f) > 2, name || ': there is something to predict') FROM models WHERE name ~ '^k|numbers|four|linreg' ORDER BY name;

-- ---- nothing of ours is in it
SELECT ok(bool_and(model_sql(model, 'f') !~* 'retailml|predict|kmeans'), 'no function of the extension') FROM models;
SELECT is(left(model_sql(pg_temp.model('tree'), 'f'), 300), '(SELECT CASE WHEN r.recency <= 39.5 THEN CASE WHEN r."select" = ''app'' THEN CASE WHEN r.r <= 11.5 THEN ''0''::float8 ELSE ''0.8181818181818182''::float8 END ELSE ''1''::float8 END ELSE CASE WHEN r.r <= 12.5 THEN ''0''::float8 ELSE ''1''::float8 END END FROM (SELECT coalesce(f.recency::float8, ''48.054''::float8)', 'a tree can be read');

-- ---- missing values without imputation
CREATE TABLE strict AS SELECT o AS impute, kprototypes_fit(f, 3, jsonb_build_object('impute', o)) AS model FROM (SELECT recency, "Total ""Spend""", "select" FROM facts WHERE "Total ""Spend""" < 'NaN' AND "select" IS NOT NULL) f, unnest(ARRAY['skip', 'error']) o GROUP BY o;
SELECT is(pg_temp.agreeing(model, 'f', 'later'), 503::bigint, 'impute = skip: NULL where predict is') FROM strict WHERE impute = 'skip';
SELECT is(pg_temp.agreeing(model, 'f', $$(SELECT * FROM later WHERE "Total ""Spend""" < 'NaN' AND "select" IS NOT NULL)$$), (SELECT count(*) FROM later WHERE "Total ""Spend""" < 'NaN' AND "select" IS NOT NULL), 'impute = error') FROM strict WHERE impute = 'error';
SELECT is((SELECT model_sql(model) FROM strict WHERE impute = 'error') ~ '^CASE WHEN recency::float8 IS NULL OR nullif\("Total ""Spend"""::float8, ''NaN''::float8\) IS NULL OR "select" IS NULL THEN NULL ELSE ', true, 'a missing value gives NULL');

-- ---- arrays
CREATE TABLE arrays AS SELECT id, ARRAY[recency, "Total ""Spend""", r]::float8[] AS x FROM later;
CREATE TABLE of_arrays AS SELECT boost_fit(churned, ARRAY[recency, "Total ""Spend""", r]::float8[], '{"n_trees": 20}') AS model FROM labelled;
CREATE FUNCTION pg_temp.agreeing_arrays(model bytea, alias text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT predict($1, %1$I) AS wanted, %2$s AS got FROM (SELECT x AS %1$I FROM arrays) f) x WHERE abs(wanted - got) <= 1e-9', coalesce(alias, 'x'), model_sql(model, alias)) INTO n USING model;
    RETURN n;
END $$;
SELECT is(pg_temp.agreeing_arrays(model, NULL), 503::bigint, 'a model of arrays reads x') FROM of_arrays;
SELECT is(pg_temp.agreeing_arrays(model, 'My values'), 503::bigint, 'or what it is told') FROM of_arrays;

-- ---- far out on the logistic curve, where exp() of PostgreSQL fails: the constant of a boosted model is put there
CREATE FUNCTION pg_temp.shifted(model bytea, shift text) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
    result float8[];
BEGIN
    EXECUTE format('SELECT array_agg(DISTINCT %s) FROM later', regexp_replace(model_sql(model), '(least\(700, \('')[^'']+', '\1' || shift)) INTO result;
    RETURN result;
END $$;
SELECT is(pg_temp.complaint('SELECT exp(2000::float8)'), '22003 | value out of range: overflow', 'exp() overflows');
SELECT is(pg_temp.shifted(pg_temp.model('boost'), '2000'), '{1}', 'a probability of 1');
SELECT ok(p[1] < 1e-300 AND cardinality(p) = 1, 'and of 0') FROM pg_temp.shifted(pg_temp.model('boost'), '-2000') p;

-- ---- a parallel plan evaluates it
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;
SELECT is(pg_temp.agreeing(model, 'f', 'later'), 503::bigint, 'in parallel workers') FROM models WHERE name = 'kprototypes';

-- ---- NULL and errors
SELECT is(model_sql(NULL), NULL, 'no model');
SELECT is(model_sql(model, NULL), model_sql(model), 'no alias is the default') FROM models WHERE name = 'tree';
SELECT is(pg_temp.complaint($$SELECT model_sql(rfm_fit(recency, r::int, c)) FROM facts WHERE recency IS NOT NULL$$), '22023 | a model of rfm cannot be written as one SQL expression | predict(model, row) evaluates it.', 'a model that is no expression');
SELECT is(pg_temp.complaint($$SELECT model_sql(kprototypes_fit(f, 800, '{"n_init": 1, "max_iter": 1, "init": "random"}')) FROM (SELECT i || repeat('x', 30000) AS essay FROM generate_series(1, 800) i) f$$),
    '54000 | the model cannot be written as one SQL expression: it takes more than 20 MB | Train a smaller model, for example fewer trees of less depth, or evaluate it with predict(model, row).', 'a model that is too large');

SELECT * FROM finish();
ROLLBACK;
