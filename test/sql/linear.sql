\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Linear and logistic regression: coefficients and statistics against R, exact fractions, statsmodels and
-- scikit-learn (test/golden/linreg*, logreg*), then what happens to rows, labels and options.
SET client_min_messages = error;
SET search_path = public, retailml;
\getenv srcdir PG_ABS_SRCDIR
\set path :srcdir '/golden/linreg_rows.csv'
\set linreg_rows `cat :'path'`
\set path :srcdir '/golden/linreg.csv'
\set linreg `cat :'path'`
\set path :srcdir '/golden/linreg_exact.csv'
\set linreg_exact `cat :'path'`
\set path :srcdir '/golden/linreg_stats.csv'
\set linreg_stats `cat :'path'`
\set path :srcdir '/golden/logreg_rows.csv'
\set logreg_rows `cat :'path'`
\set path :srcdir '/golden/logreg.csv'
\set logreg `cat :'path'`
\set path :srcdir '/golden/logreg_glm.csv'
\set logreg_glm `cat :'path'`
\set path :srcdir '/golden/logreg_glm_stats.csv'
\set logreg_glm_stats `cat :'path'`
BEGIN;
SELECT plan(132);

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
CREATE FUNCTION pg_temp.near(a float8, b float8, tolerance float8) RETURNS boolean LANGUAGE sql AS $$
    SELECT a IS NOT DISTINCT FROM b OR coalesce(abs(a - b) <= tolerance * abs(b), false) $$;
CREATE FUNCTION pg_temp.cells(text) RETURNS TABLE (i bigint, c text[]) LANGUAGE sql AS $$
    SELECT i, string_to_array(text, ',') FROM string_to_table($1, E'\n') WITH ORDINALITY line (text, i) WHERE i > 1 AND text <> '' $$;
CREATE FUNCTION pg_temp.number(text) RETURNS float8 LANGUAGE sql AS $$ SELECT nullif(trim($1), '')::float8 $$;

CREATE TABLE longley AS SELECT c[2]::float8 AS "Employed", c[5]::float8 AS "GNP.deflator", c[7]::float8 AS "GNP", c[9]::float8 AS "Unemployed",
    c[11]::float8 AS "Armed.Forces", c[13]::float8 AS "Population", c[15]::float8 AS "Year" FROM pg_temp.cells(:'linreg_rows') WHERE c[1] = 'longley';
CREATE TABLE mixed AS SELECT c[2]::float8 AS y, c[3]::float8 AS w, c[5]::float8 AS x1, c[7]::float8 AS x2, c[9]::float8 AS x3, c[11]::float8 AS constant,
    nullif(c[13], '') AS c1, nullif(c[15], '') AS c2 FROM pg_temp.cells(:'linreg_rows') WHERE c[1] = 'mixed';
CREATE TABLE three AS SELECT i AS id, c[1]::float8 AS x1, c[2]::float8 AS x2, nullif(c[3], '') AS c1, c[4] AS y, c[5]::float8 AS w FROM pg_temp.cells(:'logreg_rows');
-- polynomials as linreg_exact.py makes them
CREATE TABLE curve AS SELECT 1 + x - x * x / 2 + (i * 37 % 11 - 5) / 16.0::float8 AS y, x, x^2 AS x2, x^3 AS x3, x^4 AS x4, x^5 AS x5, x^6 AS x6, x^7 AS x7, x^8 AS x8
    FROM (SELECT i, i / 8.0::float8 AS x FROM generate_series(0, 40) i) s;

CREATE TABLE models (name text, model bytea);
INSERT INTO models SELECT 'longley', linreg_fit(f, 'Employed') FROM longley f;
INSERT INTO models SELECT 'mixed', linreg_fit(f, 'y', '{"weight": "w"}') FROM mixed f;
INSERT INTO models SELECT 'ridge', linreg_fit(f, 'Employed', '{"l2": 0.5}') FROM longley f;
INSERT INTO models SELECT '3', linreg_fit(f, 'y') FROM (SELECT y, x, x2, x3 FROM curve) f;
INSERT INTO models SELECT '6', linreg_fit(f, 'y') FROM (SELECT y, x, x2, x3, x4, x5, x6 FROM curve) f;
INSERT INTO models SELECT 'three', logreg_fit(f, 'y', '{"weight": "w"}') FROM (SELECT x1, x2, c1, y <> 'a' AS y, w FROM three) f;
INSERT INTO models SELECT 'plain', logreg_fit(f, 'y', '{"exclude": ["id", "w"]}') FROM three f;
INSERT INTO models SELECT 'ridge of three', logreg_fit(f, 'y', '{"exclude": ["id", "w"], "l2": 2.5}') FROM three f;
INSERT INTO models SELECT 'ridge weighted', logreg_fit(f, 'y', '{"exclude": ["id"], "weight": "w", "l2": 0.3}') FROM three f;
INSERT INTO models SELECT 'ridge binary', logreg_fit(f, 'y', '{"weight": "w", "l2": 2.5}') FROM (SELECT x1, x2, c1, CASE y WHEN 'a' THEN 'a' ELSE 'b' END AS y, w FROM three) f;
INSERT INTO models SELECT 'lasso binary', logreg_fit(f, 'y', '{"l1": 4}') FROM (SELECT x1, x2, c1, CASE y WHEN 'a' THEN 'a' ELSE 'b' END AS y FROM three) f;
INSERT INTO models SELECT 'lasso binary weighted', logreg_fit(f, 'y', '{"weight": "w", "l1": 9}') FROM (SELECT x1, x2, c1, CASE y WHEN 'a' THEN 'a' ELSE 'b' END AS y, w FROM three) f;
INSERT INTO models SELECT 'lasso', logreg_fit(f, 'y', '{"exclude": ["id", "w"], "l1": 6}') FROM three f;
CREATE FUNCTION pg_temp.model(wanted text) RETURNS bytea LANGUAGE sql STABLE AS $$ SELECT model FROM models WHERE name = wanted $$;

-- ---- linreg: golden numbers of R's lm and of exact fractions
CREATE TABLE lm AS SELECT c[1] AS name, c[2] AS term, pg_temp.number(c[3]) AS estimate, pg_temp.number(c[4]) AS std_error, pg_temp.number(c[5]) AS t, pg_temp.number(c[6]) AS p,
    pg_temp.number(c[7]) AS low, pg_temp.number(c[8]) AS high, pg_temp.number(c[9]) AS hc1, pg_temp.number(c[10]) AS hc3 FROM pg_temp.cells(:'linreg') WHERE c[1] IN ('longley', 'mixed');
SELECT ok(count(g.term) = count(*) AND count(c.term) = count(*) AND bool_and(pg_temp.near(c.estimate, g.estimate, 1e-8) AND pg_temp.near(c.std_error, g.std_error, 1e-8) AND pg_temp.near(c.t, g.t, 1e-8)),
    name || ': estimates, errors and t are those of lm')
FROM (SELECT name, c.* FROM models, linreg_coefficients(model) c WHERE name IN ('longley', 'mixed')) c FULL JOIN lm g USING (name, term) GROUP BY name ORDER BY name;
SELECT ok(bool_and(pg_temp.near(c.p, g.p, 1e-8) AND pg_temp.near(c.ci_low, g.low, 1e-8) AND pg_temp.near(c.ci_high, g.high, 1e-8)), name || ': p and intervals are those of lm')
FROM (SELECT name, c.* FROM models, linreg_coefficients(model) c WHERE name IN ('longley', 'mixed')) c JOIN lm g USING (name, term) GROUP BY name ORDER BY name;
-- sandwich has 7 digits of longley
SELECT ok(bool_and(pg_temp.near(c.std_error, g.hc1, CASE name WHEN 'mixed' THEN 1e-8 ELSE 1e-7 END)), name || ': HC1 is that of sandwich')
FROM (SELECT name, c.* FROM models, linreg_coefficients(model, 'HC1') c WHERE name IN ('longley', 'mixed')) c JOIN lm g USING (name, term) GROUP BY name ORDER BY name;
SELECT ok(bool_and(pg_temp.near(c.std_error, g.hc3, CASE name WHEN 'mixed' THEN 1e-8 ELSE 1e-7 END)), name || ': so is HC3')
FROM (SELECT name, c.* FROM models, linreg_coefficients(model, 'hc3') c WHERE name IN ('longley', 'mixed')) c JOIN lm g USING (name, term) GROUP BY name ORDER BY name;
CREATE TABLE exact AS SELECT c[1] AS name, c[2]::int + 1 AS place, c[3]::float8 AS estimate, c[4]::float8 AS std_error, c[5]::float8 AS hc1, c[6]::float8 AS hc3 FROM pg_temp.cells(:'linreg_exact');
SELECT ok(count(*) = count(a.place) AND bool_and(pg_temp.near(a.estimate, g.estimate, 1e-9) AND pg_temp.near(a.none, g.std_error, 1e-9) AND pg_temp.near(a.hc1, g.hc1, 1e-9) AND pg_temp.near(a.hc3, g.hc3, 1e-9)),
    name || ': 9 digits of the exact solution')
FROM (SELECT name, a.place, a.estimate, a.std_error AS none, b.std_error AS hc1, c.std_error AS hc3 FROM models,
    LATERAL (SELECT row_number() OVER () AS place, x.* FROM linreg_coefficients(model) x) a,
    LATERAL (SELECT row_number() OVER () AS place, x.* FROM linreg_coefficients(model, 'HC1') x) b,
    LATERAL (SELECT row_number() OVER () AS place, x.* FROM linreg_coefficients(model, 'HC3') x) c
    WHERE a.place = b.place AND a.place = c.place AND name IN ('longley', 'ridge', '3', '6')) a
RIGHT JOIN (SELECT * FROM exact WHERE name IN ('longley', 'ridge', '3', '6')) g USING (name, place) GROUP BY name ORDER BY name;
SELECT ok(count(*) = 10 AND bool_and(pg_temp.near((model_info(model)->>key)::float8, g.value, 1e-8)), name || ': R2, F, AIC, BIC and the others are those of R')
FROM (SELECT c[1] AS name, c[2] AS stat, c[3]::float8 AS value FROM pg_temp.cells(:'linreg_stats')) g JOIN models USING (name) JOIN (VALUES ('df', 'df_residual'), ('sigma', 'sigma'), ('r2', 'r2'),
    ('adjusted_r2', 'adjusted_r2'), ('f', 'f_statistic'), ('f_p', 'f_p'), ('log_likelihood', 'log_likelihood'), ('aic', 'aic'), ('bic', 'bic'), ('condition', 'condition_number')) k (stat, key) USING (stat)
GROUP BY name ORDER BY name;
SELECT ok(count(*) = 7 AND bool_and(pg_temp.near(c.ci_high - c.ci_low, 2 * 1.833112932656236 * c.std_error, 1e-8)), 'confidence 0.9: R''s qt(0.95, 9)') FROM linreg_coefficients(pg_temp.model('longley'), 'none', 0.9) c;

-- ---- logreg: golden numbers of R's glm, statsmodels and scikit-learn
CREATE TABLE glm AS SELECT c[2] AS term, pg_temp.number(c[3]) AS estimate, pg_temp.number(c[4]) AS std_error, pg_temp.number(c[5]) AS z, pg_temp.number(c[6]) AS p, pg_temp.number(c[7]) AS low, pg_temp.number(c[8]) AS high
    FROM pg_temp.cells(:'logreg_glm') WHERE c[1] = 'three';
SELECT ok(count(*) = 6 AND bool_and(pg_temp.near(c.estimate, g.estimate, 1e-8) AND pg_temp.near(c.std_error, g.std_error, 1e-8) AND pg_temp.near(c.z, g.z, 1e-8) AND pg_temp.near(c.p, g.p, 1e-7)), 'two classes: estimates, errors, z and p are those of glm')
FROM logreg_coefficients(pg_temp.model('three')) c FULL JOIN glm g USING (term);
SELECT ok(bool_and(pg_temp.near(c.ci_low, g.low, 1e-8) AND pg_temp.near(c.ci_high, g.high, 1e-8)), 'Wald intervals too')
FROM logreg_coefficients(pg_temp.model('three')) c JOIN glm g USING (term);
SELECT ok(bool_and(pg_temp.near(c.odds_ratio, exp(g.estimate), 1e-6) AND pg_temp.near(c.odds_low, exp(g.low), 1e-6) AND pg_temp.near(c.odds_high, exp(g.high), 1e-6)), 'and odds ratios')
FROM logreg_coefficients(pg_temp.model('three')) c JOIN glm g USING (term);
SELECT ok(count(*) = 5 AND bool_and(pg_temp.near((model_info(pg_temp.model('three'))->>stat)::float8, value, 1e-9)), 'deviances, AIC, BIC and McFadden''s R2 are those of glm')
FROM (SELECT c[1] AS name, c[2] AS stat, c[3]::float8 AS value FROM pg_temp.cells(:'logreg_glm_stats')) g WHERE name = 'three' AND stat <> 'n';
CREATE TABLE several AS SELECT CASE c[1] WHEN 'ridge' THEN 'ridge of three' ELSE c[1] END AS name, c[2] AS class, c[3] AS term, pg_temp.number(c[4]) AS estimate, pg_temp.number(c[5]) AS std_error FROM pg_temp.cells(:'logreg');
SELECT ok(count(*) = 12 AND bool_and(pg_temp.near(c.estimate, g.estimate, 1e-6) AND pg_temp.near(c.std_error, g.std_error, 1e-6)), 'three classes: estimates and errors are those of MNLogit')
FROM logreg_coefficients(pg_temp.model('plain')) c FULL JOIN (SELECT * FROM several WHERE name = 'plain') g USING (class, term);
-- intercepts of lasso are up to a shift of all classes, which changes no probability
SELECT ok(count(*) = min(g.n) AND count(g.term) = count(*) AND bool_and(abs(c.estimate - g.estimate) <= 1e-5 * greatest(1, abs(g.estimate))), name || ': estimates are those of scikit-learn')
FROM (SELECT name, class, term, estimate - shift AS estimate FROM (SELECT name, c.*, CASE WHEN name = 'lasso' AND term = '(intercept)' THEN avg(estimate) OVER (PARTITION BY name, term) ELSE 0 END AS shift
    FROM models, logreg_coefficients(model) c WHERE name ~ 'ridge ' OR name ~ 'lasso') s) c
FULL JOIN (SELECT name, class, term, n, estimate - shift AS estimate FROM (SELECT *, count(*) OVER (PARTITION BY name) AS n, CASE WHEN name = 'lasso' AND term = '(intercept)' THEN avg(estimate) OVER (PARTITION BY name, term) ELSE 0 END AS shift
    FROM several WHERE name <> 'plain') s) g USING (name, class, term) GROUP BY name ORDER BY name;
SELECT ok(count(*) FILTER (WHERE estimate = 0) = 8 AND bool_and(std_error IS NULL AND z IS NULL AND p IS NULL AND ci_low IS NULL AND odds_low IS NULL AND odds_ratio = exp(estimate)), 'l1: terms that are exactly 0, no standard errors')
FROM logreg_coefficients(pg_temp.model('lasso'));

-- ---- categories
SELECT is((SELECT array_agg(term) FROM linreg_coefficients(pg_temp.model('mixed'))), '{(intercept),x1,x2,x3,constant,c1=(missing),c1=a,c1=c,c1=d,c2=yes}', 'a term for each level but the most frequent, and for missing values');
SELECT is((SELECT array_agg(term) FROM linreg_coefficients((SELECT linreg_fit(f, 'y') FROM (VALUES (1, 'b'), (2, 'a'), (4, 'a'), (3, 'b'), (7, 'c')) f (y, c)))), '{(intercept),c=b,c=c}', 'of equally frequent levels the first is the reference');
SELECT is(predict(pg_temp.model('mixed'), r), (SELECT predict(pg_temp.model('mixed'), q) FROM (SELECT 1 AS x1, 2 AS x2, 3 AS x3, 5 AS constant, 'b' AS c1, 'no' AS c2) q), 'a level that was never seen counts as the reference')
FROM (SELECT 1 AS x1, 2 AS x2, 3 AS x3, 5 AS constant, 'new' AS c1, 'maybe' AS c2) r;
SELECT is(predict(pg_temp.model('mixed'), r), (SELECT predict(pg_temp.model('mixed'), q) FROM (SELECT 1 AS x1, 2 AS x2, 3 AS x3, 5 AS constant, 'b' AS c1, 'no' AS c2) q), 'so does a missing one where training had none')
FROM (SELECT 1 AS x1, 2 AS x2, 3 AS x3, 5 AS constant, 'b' AS c1, NULL::text AS c2) r;
SELECT ok(abs(predict(pg_temp.model('mixed'), r) - (SELECT sum(estimate * CASE term WHEN '(intercept)' THEN 1 WHEN 'x1' THEN 1 WHEN 'x2' THEN 2 WHEN 'c1=(missing)' THEN 1 WHEN 'c2=yes' THEN 1 ELSE 0 END) FROM linreg_coefficients(pg_temp.model('mixed')))) < 1e-12,
    'a missing level has its coefficient') FROM (SELECT 1 AS x1, 2 AS x2, 3 AS x3, 5 AS constant, NULL::text AS c1, 'yes' AS c2) r;
SELECT is((SELECT array_agg(term) FROM linreg_coefficients((SELECT linreg_fit(f, 'y') FROM (SELECT i AS y, i % 3 = 0 AS flag, (ARRAY['big', 'small'])[1 + i % 2]::varchar(9) AS size FROM generate_series(1, 9) i) f))), '{(intercept),flag,size=big}', 'a boolean is a number, varchar a category');

-- ---- terms that others determine: a WARNING, shown here, and NULLs
SELECT is((SELECT array_agg(term) FROM linreg_coefficients(pg_temp.model('mixed')) WHERE estimate IS NULL AND std_error IS NULL AND t IS NULL AND p IS NULL AND ci_low IS NULL AND ci_high IS NULL), '{x3,constant}', 'dropped terms have NULLs');
SELECT is(model_info(pg_temp.model('mixed'))->'dropped_terms', '["x3", "constant"]', 'and are named');
SET client_min_messages = warning;
CREATE TABLE dropped AS SELECT linreg_fit(f, 'y') AS linreg FROM (SELECT y, x1, x2, x3 AS "x, three", constant FROM mixed) f;
ALTER TABLE dropped ADD COLUMN logreg bytea;
UPDATE dropped SET logreg = (SELECT logreg_fit(f, 'y') FROM (SELECT x1, x2, x1 + x2 AS both, y FROM three) f);
SET client_min_messages = error;
SELECT is(model_info(logreg)->'dropped_terms', '["both"]', 'logreg drops terms, too') FROM dropped;
SELECT ok(count(*) = 2 AND bool_and(c.odds_ratio IS NULL AND c.odds_low IS NULL AND c.z IS NULL), 'with NULLs') FROM dropped, logreg_coefficients(logreg) c WHERE estimate IS NULL;
SELECT ok(bool_and(abs(predict(linreg, r) - predict(bare, r)) < 1e-10), 'what is dropped changes no prediction')
FROM dropped, (SELECT linreg_fit(f, 'y') AS bare FROM (SELECT y, x1, x2 FROM mixed) f) b, (SELECT x1, x2, x3 AS "x, three", constant FROM mixed) r;
SELECT ok(bool_and(estimate IS NOT NULL), 'a penalty needs to drop nothing') FROM linreg_coefficients((SELECT linreg_fit(f, 'y', '{"l2": 0.1}') FROM (SELECT y, x1, x2, x3 FROM mixed) f));

-- ---- separation
CREATE TABLE apart AS SELECT i AS x, i * 7 % 13 AS z, i > 10 AS y, CASE WHEN i IN (3, 4) THEN 'odd' ELSE 'even' END AS c, i * 7 % 13 + i > 13 AS y2 FROM generate_series(1, 20) i;
SET client_min_messages = warning;
CREATE TABLE separated AS SELECT logreg_fit(f, 'y', '{"features": ["x", "z"], "leak": "ignore"}') AS all_rows, logreg_fit(f, 'y2', '{"features": ["z", "c"], "leak": "ignore"}') AS some_rows,
    logreg_fit(f, 'y', '{"features": ["x", "z"], "leak": "ignore", "l2": 0}') AS plain, logreg_fit(f, 'y', '{"features": ["x", "z"], "leak": "ignore", "l2": 1}') AS ridge FROM apart f;
SET client_min_messages = error;
SELECT ok(model_info(all_rows) @> '{"separated": true, "l2_used": 1, "separating_terms": ["x"]}', 'a feature that tells the classes apart is named, and l2 = 1') FROM separated;
SELECT ok(model_info(some_rows) @> '{"separated": true, "l2_used": 1, "separating_terms": ["c=odd"]}', 'also when it does so for some rows') FROM separated;
SELECT ok(model_info(ridge) @> '{"separated": true, "l2_used": 1}' AND model_info(plain) @> '{"separated": true, "l2_used": 0}', 'l2 that was given stays') FROM separated;
SELECT is((SELECT array_agg(c::text) FROM separated, logreg_coefficients(all_rows) c), (SELECT array_agg(c::text) FROM separated, logreg_coefficients(ridge) c), 'the fit is that with l2 = 1');
SELECT ok(bool_and(abs(estimate) < 1e3 AND std_error < 1e8), 'without a penalty estimates are finite, too') FROM separated, logreg_coefficients(plain);
SELECT ok(bool_and(predict_label(all_rows, f) = f.y::text AND predict_label(plain, f) = f.y::text), 'and classify what can be told apart') FROM separated, apart f;

-- ---- weights
SELECT ok(bool_and(abs(a.estimate - b.estimate) <= 1e-10 * abs(b.estimate)), 'a weight of 2 is a row that is there twice')
FROM linreg_coefficients((SELECT linreg_fit(f, 'y', '{"weight": "w"}') FROM (SELECT y, x1, x2, c2, CASE WHEN x1 < 3 THEN 2 ELSE 1 END AS w FROM mixed) f)) a
JOIN linreg_coefficients((SELECT linreg_fit(f, 'y') FROM (SELECT y, x1, x2, c2 FROM mixed, generate_series(1, CASE WHEN x1 < 3 THEN 2 ELSE 1 END)) f)) b USING (term);
SELECT ok(count(*) = 12 AND bool_and(abs(a.estimate - b.estimate) <= 1e-8 * greatest(1, abs(b.estimate)) AND pg_temp.near(a.std_error, b.std_error, 1e-8)), 'for logreg as well')
FROM logreg_coefficients((SELECT logreg_fit(f, 'y', '{"weight": "w"}') FROM (SELECT y, x1, x2, c1, CASE WHEN id % 3 = 0 THEN 2 ELSE 1 END AS w FROM three) f)) a
JOIN logreg_coefficients((SELECT logreg_fit(f, 'y') FROM (SELECT y, x1, x2, c1 FROM three, generate_series(1, CASE WHEN id % 3 = 0 THEN 2 ELSE 1 END)) f)) b USING (class, term);
SELECT ok(bool_and(abs(a.estimate - b.estimate) <= 1e-10 * greatest(1, abs(b.estimate))), 'class_weight weighs the rows of a class')
FROM logreg_coefficients((SELECT logreg_fit(f, 'y', '{"class_weight": {"a": 3}}') FROM (SELECT y, x1, x2 FROM three) f)) a
JOIN logreg_coefficients((SELECT logreg_fit(f, 'y', '{"weight": "w"}') FROM (SELECT y, x1, x2, CASE y WHEN 'a' THEN 3 ELSE 1 END AS w FROM three) f)) b USING (class, term);
SELECT ok(bool_and(pg_temp.near(a.estimate, b.estimate, 1e-12) AND pg_temp.near(a.std_error, b.std_error, 1e-12)), 'rows without a weight are left out')
FROM linreg_coefficients((SELECT linreg_fit(f, 'y', '{"weight": "w"}') FROM (SELECT y, x1, x2, c2, NULL::int AS w FROM mixed UNION ALL SELECT y, x1, x2, c2, 1 FROM mixed) f)) a
JOIN linreg_coefficients((SELECT linreg_fit(f, 'y') FROM (SELECT y, x1, x2, c2 FROM mixed) f)) b USING (term);

-- ---- labels
CREATE TABLE labels AS SELECT x1, x2, y = 'a' AS bool, 'class ' || y AS text, ascii(y) - 97 AS number, x1 * 2 + x2 AS amount FROM three;
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'bool', '{"features": ["x1", "x2"]}') FROM labels f$$), '22023 | linreg_fit: a linear regression needs a number as its label, and these are classes', 'linreg needs a number, a boolean is a class');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'text', '{"features": ["x1", "x2"]}') FROM labels f$$), '22023 | linreg_fit: a linear regression needs a number as its label, and these are classes', 'so is a text');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'number', '{"features": ["x1", "x2"], "task": "classification"}') FROM labels f$$), '22023 | linreg_fit: a linear regression needs a number as its label, and these are classes', 'and a number when the task says so');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'text', '{"features": ["x1", "x2"], "task": "regression"}') FROM labels f$$), '22023 | linreg_fit: the label "text" is a text, a regression needs a number', 'a text is no number');
SELECT is((SELECT array_agg(c::text) FROM linreg_coefficients((SELECT linreg_fit(f, 'bool', '{"features": ["x1", "x2"], "task": "regression"}') FROM labels f)) c),
    (SELECT array_agg(c::text) FROM linreg_coefficients((SELECT linreg_fit(f, 'y') FROM (SELECT x1, x2, bool::int AS y FROM labels) f)) c), 'a boolean is 0 or 1 when the task is regression');
SELECT is((SELECT array_agg(DISTINCT class) FROM logreg_coefficients((SELECT logreg_fit(f, 'bool', '{"features": ["x1", "x2"]}') FROM labels f))), '{true}', 'logreg of a boolean: true is the positive class');
SELECT is((SELECT array_agg(DISTINCT class ORDER BY class) FROM logreg_coefficients((SELECT logreg_fit(f, 'text', '{"features": ["x1", "x2"]}') FROM labels f))), '{class b,class c}', 'of a text: all classes but the first');
SELECT is((SELECT array_agg(DISTINCT class ORDER BY class) FROM logreg_coefficients((SELECT logreg_fit(f, 'number', '{"features": ["x1", "x2"]}') FROM labels f))), '{1,2}', 'of a number: each is a class');
SELECT ok(bool_and(a.class = 'true' AND b.class = 'false' AND pg_temp.near(a.estimate, -b.estimate, 1e-9)), 'positive: the other class, the other sign')
FROM logreg_coefficients((SELECT logreg_fit(f, 'bool', '{"features": ["x1", "x2"]}') FROM labels f)) a
JOIN logreg_coefficients((SELECT logreg_fit(f, 'bool', '{"features": ["x1", "x2"], "positive": "false"}') FROM labels f)) b USING (term);
SELECT is(pg_temp.complaint($$SELECT logreg_fit(f, 'number', '{"features": ["x1"], "task": "regression"}') FROM labels f$$), '22023 | logreg_fit: option "task" cannot be "regression" here: this method tells classes apart', 'logreg predicts no number');
SELECT is(pg_temp.complaint($$SELECT logreg_fit(f, 'bool', '{"features": ["x1"]}') FROM labels f WHERE bool$$), '22023 | logreg_fit: the label "bool" is "true" in all rows: there is nothing to learn', 'one class');
SELECT is(model_info(a), model_info(b) || '{"skipped": 2}', 'rows without a label are left out, and counted')
FROM (SELECT linreg_fit(f, 'y') AS a FROM (SELECT y, x1, x2 FROM mixed UNION ALL SELECT NULL, 5, 6 UNION ALL SELECT 'NaN', 7, 8) f) s, (SELECT linreg_fit(f, 'y') AS b FROM (SELECT y, x1, x2 FROM mixed) f) t;
SELECT is(model_info(a), model_info(b) || '{"skipped": 1}', 'of logreg, too')
FROM (SELECT logreg_fit(f, 'y') AS a FROM (SELECT y, x1, x2 FROM three UNION ALL SELECT NULL, 5, 6) f) s, (SELECT logreg_fit(f, 'y') AS b FROM (SELECT y, x1, x2 FROM three) f) t;

-- ---- missing values
CREATE TABLE gaps AS SELECT y, CASE WHEN x1 > 8 THEN NULL WHEN x1 < 1 THEN 'NaN' ELSE x1 END AS x1, x2 FROM mixed;
CREATE FUNCTION pg_temp.estimates(model bytea) RETURNS float8[] LANGUAGE sql AS $$ SELECT array_agg(estimate) FROM linreg_coefficients(model) $$;
CREATE FUNCTION pg_temp.same(a float8[], b float8[]) RETURNS boolean LANGUAGE sql AS $$ SELECT bool_and(pg_temp.near(x, y, 1e-12)) FROM unnest(a, b) u (x, y) $$;
SELECT ok(pg_temp.same(pg_temp.estimates((SELECT linreg_fit(f, 'y', jsonb_build_object('impute', how)) FROM gaps f)), pg_temp.estimates((SELECT linreg_fit(f, 'y') FROM
    (SELECT y, CASE WHEN x1 < 'NaN' THEN x1 WHEN how = 'median' THEN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x1) FROM gaps WHERE x1 < 'NaN') ELSE 0 END AS x1, x2
     FROM gaps WHERE how <> 'skip' OR x1 < 'NaN') f))), 'impute ' || how)
FROM (VALUES ('zero'), ('median'), ('skip')) v (how);
SELECT ok(abs(predict(model, r) - predict(model, q)) < 1e-12, 'a missing number is the training mean')
FROM (SELECT linreg_fit(f, 'y') AS model FROM gaps f) m, (SELECT NULL::float8 AS x1, 3 AS x2) r, (SELECT avg(x1) AS x1, 3 AS x2 FROM gaps WHERE x1 < 'NaN') q;
SELECT matches(pg_temp.complaint($$SELECT linreg_fit(f, 'y', '{"impute": "error"}') FROM gaps f$$), '^22[0-9P]{3} . .*"x1"', 'impute error names the column');
SELECT is(predict(model, r), NULL, 'impute skip: no prediction without a value') FROM (SELECT linreg_fit(f, 'y', '{"impute": "skip"}') AS model FROM gaps f) m, (SELECT NULL::float8 AS x1, 3 AS x2) r;

-- ---- edges
SELECT is((SELECT linreg_fit(f, 'y') FROM mixed f WHERE false), NULL, 'no rows, no model');
SELECT is((SELECT logreg_fit(f, 'y') FROM three f WHERE false), NULL, 'of logreg neither');
SELECT is((SELECT linreg_fit(f, 'y') FROM mixed f WHERE y IS NULL), NULL, 'nor of rows without labels');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'y') FROM (SELECT y, x1 FROM mixed LIMIT 1) f$$), '22023 | linreg_fit: a regression needs at least 2 rows', 'one row');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'y') FROM (SELECT y, 'inf'::float8 AS x1 FROM mixed) f$$), '22003 | column "x1" holds infinity | Replace it with NULL or a number before calling this function.', 'infinity in a feature');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'y') FROM (SELECT '-inf'::float8 AS y, x1 FROM mixed) f$$), '22003 | column "y" holds infinity | Replace it with NULL or a number before calling this function.', 'and in the label');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'y') FROM (SELECT y, NULL::float8 AS x1, x2 FROM mixed) f$$), '22023 | linreg_fit: column "x1" has no values', 'a column without values');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'y') FROM (SELECT y * 1e200 AS y, x1 FROM mixed) f$$), '22023 | linreg_fit: the numbers are too large for a regression: sums of squares overflow', 'numbers whose squares overflow');
SELECT ok(count(estimate) = 1 AND abs(min(estimate) - (SELECT avg(y) FROM mixed)) < 1e-14, 'with nothing but a constant the intercept is the mean')
FROM linreg_coefficients((SELECT linreg_fit(f, 'y') FROM (SELECT y, constant FROM mixed) f));
SELECT ok(model_info(m) @> '{"sigma": 0, "r2": null, "f_statistic": null, "f_p": null, "aic": null}', 'a constant label has no R2') FROM (SELECT linreg_fit(f, 'constant') AS m FROM (SELECT constant, x1 FROM mixed) f) s;
CREATE TABLE few AS SELECT linreg_fit(f, 'Employed', '{"leak": "ignore"}') AS model FROM (SELECT * FROM longley ORDER BY "Year" LIMIT 5) f;
SELECT ok(model_info(model) @> '{"df_residual": 0, "sigma": null, "f_p": null}', 'as many terms as rows: no residual variance') FROM few;
SELECT ok(count(*) FILTER (WHERE estimate IS NOT NULL) = 5 AND count(std_error) = 0 AND count(ci_low) = 0, 'so no standard errors, and no more estimates than rows') FROM few, linreg_coefficients(model);
SELECT ok(bool_and(abs(predict(model, f) - "Employed") < 1e-9), 'and every row is met') FROM few, (SELECT * FROM longley ORDER BY "Year" LIMIT 5) f;
SELECT ok((model_info(m)->>'l2_used')::float8 = 1, 'logreg with as many terms as rows is penalised') FROM (SELECT logreg_fit(f, 'y', '{"leak": "ignore"}') AS m FROM (SELECT "Employed" > 60.4 AS y, "GNP", "GNP.deflator", "Unemployed", "Armed.Forces", "Population" FROM longley ORDER BY "Year" LIMIT 5) f) s;

-- ---- groups, arrays
SELECT is((SELECT array_agg(m ORDER BY c2) FROM (SELECT c2, linreg_fit(f, 'y', '{"features": ["x1", "x2"]}') AS m FROM mixed f GROUP BY c2) s),
    ARRAY[(SELECT linreg_fit(f, 'y', '{"features": ["x1", "x2"]}') FROM mixed f WHERE c2 = 'no'), (SELECT linreg_fit(f, 'y', '{"features": ["x1", "x2"]}') FROM mixed f WHERE c2 = 'yes')], 'GROUP BY: a model of each group');
SELECT is((SELECT logreg_fit(f, 'y', '{"features": ["x1", "x2"]}') FILTER (WHERE c1 IS NOT NULL) FROM three f), (SELECT logreg_fit(f, 'y', '{"features": ["x1", "x2"]}') FROM three f WHERE c1 IS NOT NULL), 'FILTER');
SELECT is((SELECT array_agg((term, estimate, std_error, p)::text) FROM linreg_coefficients((SELECT linreg_fit(y, ARRAY[x1, x2]) FROM mixed))),
    (SELECT array_agg((term, estimate, std_error, p)::text) FROM linreg_coefficients((SELECT linreg_fit(f, 'y') FROM (SELECT y, x1, x2 FROM mixed) f))), 'arrays: elements are x1, x2, ...');
SELECT is((SELECT array_agg((class, term, estimate, std_error, p)::text) FROM logreg_coefficients((SELECT logreg_fit(y, ARRAY[x1, x2], '{"l2": 2}') FROM three))),
    (SELECT array_agg((class, term, estimate, std_error, p)::text) FROM logreg_coefficients((SELECT logreg_fit(f, 'y', '{"l2": 2}') FROM (SELECT y, x1, x2 FROM three) f))), 'of logreg, too');
SELECT ok(abs(predict(model, ARRAY[1, NULL]::float8[]) - predict(model, ARRAY[1, mean])) < 1e-12, 'a missing element is imputed')
FROM (SELECT linreg_fit(y, ARRAY[x1, x2]) AS model, avg(x2) AS mean FROM mixed) m;

-- ---- predictions: label, probabilities, contributions and SQL agree
CREATE TABLE later AS SELECT id, x1, x2, c1 FROM three UNION ALL SELECT 1001, NULL, NULL, NULL UNION ALL SELECT 1002, 'NaN', 1e6, 'phone' UNION ALL SELECT 1003, -1e4, 0, '';
SELECT ok(bool_and(abs((SELECT sum(p) FROM unnest(predict_proba(m.model, f)) p) - 1) < 1e-12), name || ': probabilities add up to 1') FROM models m, later f WHERE name IN ('three', 'plain', 'lasso') GROUP BY name ORDER BY name;
SELECT ok(bool_and(predict_label(m.model, f) = (SELECT class FROM model_classes(m.model) ORDER BY (predict_proba(m.model, f))[position] DESC, position LIMIT 1)), name || ': the label is the most probable class')
FROM models m, later f WHERE name IN ('three', 'plain', 'lasso') GROUP BY name ORDER BY name;
SELECT ok(bool_and(abs(predict(pg_temp.model('three'), f) - (predict_proba(pg_temp.model('three'), f))[2]) < 1e-15), 'predict is the probability of the positive class') FROM later f;
SELECT ok(bool_and(abs(1 / (1 + exp(-greatest(least(score, 700), -700))) - probability) < 1e-12), 'three: contributions add up to the log-odds')
FROM (SELECT f.id, sum(e.contribution) AS score, predict(pg_temp.model('three'), f) AS probability FROM later f, predict_explain(pg_temp.model('three'), f) e GROUP BY f.id, f) s;
SELECT ok(count(DISTINCT name) = 2 AND bool_and(abs(exp(greatest(score - top, -700)) / total - probability) < 1e-9), 'of three classes to scores whose softmax is the probability')
FROM (SELECT *, sum(exp(greatest(score - top, -700))) OVER (PARTITION BY name, id) AS total FROM (SELECT *, max(score) OVER (PARTITION BY name, id) AS top FROM
    (SELECT m.name, f.id, (predict_proba(m.model, f))[c.position] AS probability, sum(e.contribution) AS score FROM models m, later f, model_classes(m.model) c, predict_explain(m.model, f, c.class) e
     WHERE name IN ('plain', 'lasso') GROUP BY m.name, f.id, c.position, c.class, m.model, f) a) b) s;
SELECT ok(bool_and(abs(score - prediction) <= 1e-12 * greatest(1, abs(prediction))), 'of linreg to the prediction')
FROM (SELECT sum(e.contribution) AS score, predict(pg_temp.model('mixed'), f) AS prediction FROM mixed f, predict_explain(pg_temp.model('mixed'), f) e GROUP BY f.*, f) s;
CREATE FUNCTION pg_temp.agreeing(model bytea, source text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    same boolean;
BEGIN
    EXECUTE format('SELECT bool_and(abs(wanted - got) <= 1e-12 * greatest(1, abs(wanted))) FROM (SELECT predict($1, f) AS wanted, %s AS got FROM %s f) x', model_sql(model, 'f'), source) INTO same USING model;
    RETURN same;
END $$;
SELECT ok(pg_temp.agreeing(model, CASE WHEN name = 'mixed' THEN 'mixed' WHEN name IN ('longley', 'ridge') THEN 'longley' ELSE 'later' END), name || ': model_sql is predict')
FROM models WHERE name IN ('longley', 'mixed', 'ridge', 'three', 'plain', 'lasso', 'lasso binary') ORDER BY name;

-- ---- the same bytes
CREATE TABLE many AS SELECT i AS id, (i * 7919 % 1009)::float8 / 7 AS a, CASE WHEN i % 50 > 0 THEN sin(i % 600) END AS b, (ARRAY['u', 'v', 'w'])[1 + i * 31 % 7 % 3] AS c, (i % 4 + 1) / 4.0::float8 AS w,
    (i * 104729 % 9973) / 500.0::float8 + i * 7919 % 1009 / 50.0 AS y, i * 104729 % 9973 + i * 7919 % 1009 * 5 > 7000 AS flag, (ARRAY['p', 'q', 'r'])[1 + (i * 104729 % 9973 + i * 7919 % 1009 * 5) / 5010] AS grp FROM generate_series(1, 12000) i;
ANALYZE many;
CREATE FUNCTION pg_temp.value(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE FUNCTION pg_temp.fits() RETURNS text LANGUAGE sql AS $$SELECT md5(pg_temp.value($q$SELECT concat_ws(';', linreg_fit(f, 'y', '{"features": ["a", "b", "c"], "weight": "w"}'), logreg_fit(f, 'flag', '{"features": ["a", "b", "c"]}'),
    logreg_fit(f, 'grp', '{"features": ["a", "b", "c"], "l1": 3}'), logreg_fit(grp, ARRAY[a, b])) FROM many f$q$))$$;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL retailml.threads = 1;
CREATE TEMP TABLE serial AS SELECT pg_temp.fits();
SET LOCAL retailml.threads = 2;
SELECT is(pg_temp.fits(), fits, 'two threads') FROM serial;
CREATE TEMP TABLE shuffled AS SELECT * FROM many ORDER BY md5(id::text);
CREATE FUNCTION pg_temp.shuffled_fits() RETURNS text LANGUAGE sql AS $$SELECT md5(pg_temp.value($q$SELECT concat_ws(';', linreg_fit(f, 'y', '{"features": ["a", "b", "c"], "weight": "w"}'), logreg_fit(f, 'flag', '{"features": ["a", "b", "c"]}'),
    logreg_fit(f, 'grp', '{"features": ["a", "b", "c"], "l1": 3}'), logreg_fit(grp, ARRAY[a, b])) FROM shuffled f$q$))$$;
SELECT is(pg_temp.shuffled_fits(), fits, 'rows in another order') FROM serial;
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text = '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP result = result || line; END LOOP;
    RETURN result;
END $$;
SELECT matches(pg_temp.plan_of($$SELECT linreg_fit(f, 'y'), logreg_fit(f, 'flag'), logreg_fit(grp, ARRAY[a, b]) FROM many f$$), '^Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan', 'fits run in workers');
SELECT is(pg_temp.fits(), fits, 'with the same bytes') FROM serial;

-- ---- errors
SELECT is(pg_temp.complaint(format('SELECT %s_fit(f, ''y'', %L) FROM (SELECT y, x1 FROM %s) f', fit, options, CASE fit WHEN 'linreg' THEN 'mixed' ELSE 'three' END)), complaint, fit || ' ' || options)
FROM (VALUES
    ('linreg', '{"l2": -1}', '22023 | option "l2" of linreg_fit must be a number from 0 to 1e+12 | It is -1.'),
    ('linreg', '{"l1": 1}', '22023 | linreg_fit has no option "l1" | Valid options are: features, exclude, max_categories, impute, weight, class_weight, positive, task, resample, leak, seed, l2, standardize.'),
    ('linreg', '{"standardize": 1}', '22023 | option "standardize" of linreg_fit must be true or false | It is 1.'),
    ('linreg', '{"class_weight": "balanced"}', '22023 | linreg_fit: option "class_weight" applies to classes, and the label is a number'),
    ('linreg', '{"positive": "a"}', '22023 | linreg_fit: option "positive" applies to classes, and the label is a number'),
    ('linreg', '{"weight": "x9"}', '42703 | linreg_fit: the row has no column "x9", named as its weight | The row has the columns: "y", "x1".'),
    ('logreg', '{"l2": "big"}', '22023 | option "l2" of logreg_fit must be "auto" or a number from 0 to 1e+12 | It is "big".'),
    ('logreg', '{"l1": -1}', '22023 | option "l1" of logreg_fit must be a number from 0 to 1e+12 | It is -1.'),
    ('logreg', '{"max_iter": 0}', '22023 | option "max_iter" of logreg_fit must be an integer from 1 to 100000 | It is 0.'),
    ('logreg', '{"tol": 0}', '22023 | option "tol" of logreg_fit must be a number from 1e-14 to 1 | It is 0.'),
    ('logreg', '{"positive": "a"}', '22023 | logreg_fit: option "positive" needs two classes, the label "y" has 3')) v (fit, options, complaint);
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'spend') FROM (SELECT y, x1 FROM mixed) f$$), '42703 | linreg_fit: the row has no column "spend", named as its label | The row has the columns: "y", "x1".', 'no such label');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'y', '{"weight": "w"}') FROM (SELECT y, x1, -1 AS w FROM mixed) f$$), '22023 | linreg_fit: the weight "w" is negative (-1)', 'a negative weight');
SELECT is(pg_temp.complaint($$SELECT linreg_fit(f, 'y', '{"weight": "w"}') FROM (SELECT y, x1, 0 AS w FROM mixed) f$$), '22023 | linreg_fit: the weight "w" is zero in all rows', 'no weight at all');
SELECT is(pg_temp.complaint($$SELECT * FROM linreg_coefficients(pg_temp.model('longley'), 'hc2')$$), '22023 | linreg_coefficients: robust must be "none", "HC1" or "HC3" | It is "hc2".', 'HC2 is not offered');
SELECT is(pg_temp.complaint(format($$SELECT * FROM linreg_coefficients(pg_temp.model('longley'), 'none', %L)$$, c)), '22023 | confidence must be between 0 and 1 | It is ' || c || '. | An interval of 95 % has the confidence 0.95.', 'linreg, confidence ' || c)
FROM unnest('{0,1,NaN}'::text[]) c;
SELECT is(pg_temp.complaint(format($$SELECT * FROM logreg_coefficients(pg_temp.model('plain'), %L)$$, c)), '22023 | confidence must be between 0 and 1 | It is ' || c || '. | An interval of 95 % has the confidence 0.95.', 'logreg, confidence ' || c)
FROM unnest('{0,1}'::text[]) c;
SELECT is(pg_temp.complaint($$SELECT * FROM linreg_coefficients(pg_temp.model('plain'))$$), '22023 | linreg_coefficients needs a model of linreg, this one is of logreg | predict(model, row) and model_info(model) take this one.', 'a model of logreg');
SELECT is(pg_temp.complaint($$SELECT * FROM logreg_coefficients(pg_temp.model('longley'))$$), '22023 | logreg_coefficients needs a model of logreg, this one is of linreg | predict(model, row) and model_info(model) take this one.', 'a model of linreg');
SELECT is((SELECT count(*) FROM linreg_coefficients(NULL)) + (SELECT count(*) FROM logreg_coefficients(NULL)), 0::bigint, 'no model, no coefficients');
SET client_min_messages = warning;
SELECT ok(model_info(m) @> '{"converged": false, "n_iter": 1}', 'a fit that stops early says so') FROM (SELECT logreg_fit(f, 'y', '{"max_iter": 1}') AS m FROM (SELECT y, x1, x2 FROM three) f) s;

SELECT * FROM finish();
ROLLBACK;
