\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Rows: where they may come from, what their columns may be, how they are matched, what is missing in them.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(128);

-- SQLSTATE, message, detail, hint of a query, or none
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

-- all centroids of a model, by cluster and name
CREATE FUNCTION pg_temp.centroids(model bytea) RETURNS text LANGUAGE sql AS
$$SELECT string_agg(cluster || ' ' || feature || '=' || value, ', ' ORDER BY cluster, feature COLLATE "C") FROM kmeans_centroids(model)$$;
-- the model of one cluster: its centroid is the mean of each column
CREATE FUNCTION pg_temp.means(rows text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE model bytea;
BEGIN
    EXECUTE format('SELECT kmeans_fit(f, 1, ''{"standardize": false}'') FROM %s', rows) INTO model;
    RETURN pg_temp.centroids(model);
END $$;

CREATE TABLE points (id int, a float8, b float8, note text, seen date);
-- two groups, around (0, 0) and (10, 100)
INSERT INTO points SELECT i, i % 2 * 10 + i % 5 * 0.25, i % 2 * 100 + i % 3, 'row ' || i, '2024-01-01' FROM generate_series(1, 90) i;
CREATE TEMP TABLE model AS SELECT kmeans_fit(f, 2) AS m FROM (SELECT a, b FROM points) f;
CREATE FUNCTION pg_temp.score(a float8, b float8) RETURNS int LANGUAGE sql AS
$$SELECT kmeans_predict(m, f) FROM model, (SELECT a, b) f$$;
SELECT is(array_agg(pg_temp.score(a, b) ORDER BY id), array_agg(1 + CASE WHEN id % 2 = 0 THEN s.even ELSE 1 - s.even END ORDER BY id),
    'the two groups are found')
FROM points, (SELECT pg_temp.score(0, 0) - 1 AS even) s;

-- ---------------------------------------------------------------- matched by name
SELECT is((SELECT array_agg(kmeans_distance(m, f) ORDER BY i) FROM model, (SELECT b, a, id AS i FROM points) f),
    (SELECT array_agg(kmeans_distance(m, f) ORDER BY i) FROM model, (SELECT a, b, id AS i FROM points) f), 'the order of columns is free');
SELECT is((SELECT array_agg(kmeans_distance(m, f) ORDER BY id) FROM model, points f),
    (SELECT array_agg(kmeans_distance(m, f) ORDER BY i) FROM model, (SELECT a, b, id AS i FROM points) f),
    'further columns do not matter, of whatever type');
SELECT is((SELECT array_agg(kmeans_distance(m, f) ORDER BY i) FROM model, (SELECT a::numeric, b::int, id AS i FROM points) f),
    (SELECT array_agg(kmeans_distance(m, f) ORDER BY i) FROM model, (SELECT a, b, id AS i FROM points) f), 'nor does another numeric type');
SELECT is(pg_temp.complaint('SELECT kmeans_predict(m, f) FROM model, (SELECT a AS aa, b FROM points) f'),
    '42703 | the row has no column "a" | The row has the columns: "aa", "b". | Columns are matched by name; rename them in a subquery if they are called differently.',
    'a renamed column');
SELECT is(pg_temp.complaint('SELECT kmeans_predict(m, f) FROM model, (SELECT note, 1 AS "A" FROM points) f'),
    '42703 | the row lacks the columns "a", "b" | The row has the columns: "note", "A". | Columns are matched by name; rename them in a subquery if they are called differently.',
    'all of them');
SELECT is(pg_temp.complaint('SELECT predict(m, f) FROM model, (SELECT a::text, b FROM points) f'),
    '42804 | column "a" is of type text, the model needs a number or boolean', 'a text where a number was');
SELECT is(pg_temp.complaint('SELECT predict(m, f) FROM model, (SELECT now() AS a, b FROM points) f'),
    '42804 | column "a" is of type timestamp with time zone, the model needs a number or boolean', 'or a date');
SELECT is((SELECT kmeans_predict(m, ROW(1, 2)) FROM (SELECT kmeans_fit(ROW(a, b), 2) AS m FROM points) x),
    (SELECT kmeans_predict(m, f) FROM (SELECT kmeans_fit(ROW(a, b), 2) AS m FROM points) x, (SELECT 2 AS f2, 1 AS f1) f), 'ROW() has columns f1, f2');

-- ---------------------------------------------------------------- sources
CREATE VIEW points_view AS SELECT a, b FROM points;
CREATE MATERIALIZED VIEW points_kept AS SELECT a, b FROM points;
CREATE TYPE pair AS (a float8, b float8);
CREATE DOMAIN pair_domain AS pair CHECK ((value).a IS NULL OR (value).a < 1000);
CREATE TABLE pairs AS SELECT ROW(a, b)::pair AS p, ROW(a, b)::pair_domain AS q, id FROM points;
CREATE FUNCTION points_function() RETURNS TABLE (a float8, b float8) LANGUAGE sql AS 'SELECT a, b FROM points';
CREATE TABLE points_parted (b float8, a float8) PARTITION BY RANGE (b);
CREATE TABLE points_low PARTITION OF points_parted FOR VALUES FROM (MINVALUE) TO (50);
CREATE TABLE points_high (gone text, a float8, gone_too int, b float8);
ALTER TABLE points_high DROP COLUMN gone, DROP COLUMN gone_too;
ALTER TABLE points_parted ATTACH PARTITION points_high FOR VALUES FROM (50) TO (MAXVALUE);
INSERT INTO points_parted SELECT b, a FROM points;
CREATE TABLE points_parent (a float8, b float8);
CREATE TABLE points_child (c date) INHERITS (points_parent);
INSERT INTO points_parent SELECT a, b FROM points WHERE id <= 30;
INSERT INTO points_child SELECT a, b, '2024-01-01' FROM points WHERE id > 30;

-- mean of a: (45 odd) * 10 / 90 + 0.5 = 5.5; of b: 50 + 1 = 51
SELECT is(pg_temp.means(source), '1 a=5.5, 1 b=51', source)
FROM unnest(ARRAY['(SELECT a, b FROM points) f', 'points_view f', 'points_kept f', 'points_function() f', 'points_parted f', 'points_parent f',
    '(VALUES (5.5, 51), (4.5, 50), (6.5, 52)) f(a, b)', '(SELECT p AS f FROM pairs) x', '(SELECT q AS f FROM pairs) x',
    '(WITH c AS MATERIALIZED (SELECT b, a FROM points) SELECT * FROM c) f', '(SELECT a, b FROM points ORDER BY random()) f',
    '(SELECT a, b FROM points UNION ALL SELECT b::float8 * 0 + 5.5, 51 FROM points) f',
    'generate_series(5, 6) a, LATERAL (SELECT a + 0.0 AS a, 51 AS b) f',
    'jsonb_to_recordset(''[{"a": 5, "b": 50}, {"a": 6, "b": 52}]'') AS f(a float8, b int)']) source;
SELECT is(pg_temp.centroids(kmeans_fit(f, 1, '{"standardize": false, "features": ["a", "b"]}')), '1 a=5.5, 1 b=51', 'a table') FROM points f;
SELECT is((SELECT count(DISTINCT kmeans_distance(m, p)) FROM model, pairs), (SELECT count(DISTINCT kmeans_distance(m, f)) FROM model, points f), 'a composite column scored');
SELECT is((SELECT sum(kmeans_distance(m, q)) FROM model, pairs), (SELECT sum(kmeans_distance(m, p)) FROM model, pairs), 'a domain over it too');
SELECT is((SELECT array_agg(kmeans_distance(m, f) ORDER BY f.a, f.b) FROM model, points_parted f),
    (SELECT array_agg(kmeans_distance(m, f) ORDER BY f.a, f.b) FROM model, points f), 'partitions with columns in different places');
SELECT is((SELECT count(k) FROM (SELECT kmeans(f, 2) OVER () AS k FROM points_parted f) x), 90::bigint, 'and labelled');

-- ---------------------------------------------------------------- dropped, added and altered columns
CREATE TABLE changing (gone float8, a float8, gone_too text, b float8);
INSERT INTO changing SELECT id, a, note, b FROM points;
ALTER TABLE changing DROP COLUMN gone;
SELECT is(pg_temp.centroids(kmeans_fit(f, 1, '{"standardize": false, "exclude": ["gone_too"]}')), '1 a=5.5, 1 b=51', 'a dropped column') FROM changing f;
ALTER TABLE changing DROP COLUMN gone_too;
SELECT is(pg_temp.means('changing f'), '1 a=5.5, 1 b=51', 'another');
INSERT INTO changing SELECT a, b FROM points;
SELECT is(pg_temp.means('changing f'), '1 a=5.5, 1 b=51', 'rows from before and after');
PREPARE distances AS SELECT sum(kmeans_distance(m, f)) FROM model, changing f;
CREATE TEMP TABLE before AS EXECUTE distances;
ALTER TABLE changing ADD COLUMN d float8 DEFAULT 7, ADD COLUMN e numeric DEFAULT 1.5, ADD COLUMN g boolean DEFAULT true;
SELECT is(pg_temp.means('changing f'), '1 a=5.5, 1 b=51, 1 d=7, 1 e=1.5, 1 g=1', 'ADD COLUMN with a DEFAULT');
INSERT INTO changing SELECT a, b, 9, 2.5, false FROM points, generate_series(1, 2);
SELECT is(pg_temp.means('changing f'), '1 a=5.5, 1 b=51, 1 d=8, 1 e=2, 1 g=0.5', 'and rows that have a value of their own');
DELETE FROM changing WHERE d = 9;
SELECT results_eq('EXECUTE distances', 'SELECT * FROM before', 'a prepared query goes on after ADD COLUMN');
ALTER TABLE changing ALTER COLUMN a TYPE numeric, ALTER COLUMN b TYPE int;
SELECT results_eq('EXECUTE distances', 'SELECT * FROM before', 'and after a change of types');
ALTER TABLE changing RENAME COLUMN b TO bb;
SELECT is(pg_temp.complaint('EXECUTE distances'), '42703 | the row has no column "b" | The row has the columns: "a", "bb", "d", "e", "g". | '
    'Columns are matched by name; rename them in a subquery if they are called differently.', 'renaming is noticed');
ALTER TABLE changing RENAME COLUMN bb TO b;
SELECT results_eq('EXECUTE distances', 'SELECT * FROM before', 'and undone');

-- composite values that were stored before their type got another attribute
CREATE TYPE growing AS (a float8, b float8);
CREATE TABLE grown AS SELECT ROW(a, b)::growing AS r FROM points;
ALTER TYPE growing ADD ATTRIBUTE c float8;
INSERT INTO grown VALUES (ROW(5.5, 51, 7));
SELECT is(pg_temp.means('(SELECT r AS f FROM grown) x'), '1 a=5.5, 1 b=51, 1 c=7', 'an attribute that old values lack is missing');
SELECT is((SELECT count(DISTINCT kmeans_distance(m, r)) FROM model, grown), (SELECT count(DISTINCT kmeans_distance(m, f)) + 1 FROM model, points f), 'scored');

-- ---------------------------------------------------------------- types
CREATE DOMAIN positive AS numeric(10, 2) CHECK (value > 0);
CREATE DOMAIN label AS text;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE typed (f8 float8, i2 smallint, yes boolean, f4 real, i4 int, i8 bigint, n numeric, dom positive, money numeric(12, 2),
    t text, v varchar(10), c char(5), m mood, l label);
INSERT INTO typed SELECT i / 8.0, i, i % 2 = 0, i / 8.0, i, i, i / 8.0, i / 8.0, i / 8.0, 't', 'v', 'c', 'ok', 'l' FROM generate_series(1, 24) i;
-- mean of 1 .. 24 is 12.5; an eighth of it 1.5625; numeric(.., 2) rounds eighths, avg() is exact
SELECT is(pg_temp.centroids(kmeans_fit(f, 1, '{"standardize": false, "exclude": ["t", "v", "c", "m", "l"]}')),
    '1 dom=' || trim_scale(avg(dom)) || ', 1 f4=1.5625, 1 f8=1.5625, 1 i2=12.5, 1 i4=12.5, 1 i8=12.5, 1 money=' || trim_scale(avg(money))
    || ', 1 n=1.5625, 1 yes=0.5', 'all numeric types, booleans and a domain') FROM typed f;
SELECT is((SELECT array_agg(mf.type ORDER BY "position") FROM (SELECT kmeans_fit(f, 1, '{"exclude": ["t", "v", "c", "m", "l"]}') AS model FROM typed f) x, model_features(x.model) mf),
    ARRAY['double precision', 'smallint', 'boolean', 'real', 'integer', 'bigint', 'numeric', 'positive', 'numeric'], 'and the model knows them');
SELECT is(pg_temp.complaint(format('SELECT kmeans_fit(f, 1) FROM (SELECT i4, %I FROM typed) f', name)),
    format('42804 | column "%s" is of type %s, which kmeans_fit cannot use | Derive a number from it, or leave it out with the option {"exclude": ["%s"]}.', name, type, name),
    type || ' is refused')
FROM (VALUES ('t', 'text'), ('v', 'character varying'), ('c', 'character'), ('m', 'mood'), ('l', 'label')) v(name, type);
SELECT is(pg_temp.complaint(format('SELECT kmeans_fit(f, 1) FROM (SELECT %s AS x) f', value)),
    format('42804 | column "x" is of type %s, which kmeans_fit cannot use | Derive a number from it, or leave it out with the option {"exclude": ["x"]}.', type),
    type || ' is refused')
FROM (VALUES ('current_date', 'date'), ('interval ''1 day''', 'interval'), ('''{1,2}''::int[]', 'integer[]'), ('''1''::money', 'money'), ('''{}''::jsonb', 'jsonb'),
    ('ROW(1, 2)::pair', 'pair'), ('1::oid', 'oid')) v(value, type);
-- the same values where no value has a fixed place, and where some rows have a NULL in a column that is not used
SELECT is((SELECT pg_temp.centroids(kmeans_fit(f, 3, '{"exclude": ["word"]}')) FROM (SELECT repeat('x', i4) AS word, f8, i2, yes, f4, i4, i8 FROM typed) f),
    (SELECT pg_temp.centroids(kmeans_fit(f, 3)) FROM (SELECT f8, i2, yes, f4, i4, i8 FROM typed) f), 'behind a text');
SELECT is((SELECT pg_temp.centroids(kmeans_fit(f, 3, '{"exclude": ["word"]}')) FROM (SELECT CASE WHEN i4 % 3 = 0 THEN 1 END AS word, f8, i2, yes, f4, i4, i8 FROM typed) f),
    (SELECT pg_temp.centroids(kmeans_fit(f, 3)) FROM (SELECT f8, i2, yes, f4, i4, i8 FROM typed) f), 'beside NULLs');
-- rows of two types in one query: columns are matched again
SELECT is((SELECT sum(kmeans_distance(m, CASE WHEN id % 2 = 0 THEN f ELSE g END)) FROM model, (SELECT id, ROW(a, b)::pair AS f, ROW(b, a)::pair AS g FROM points) x),
    (SELECT sum(kmeans_distance(m, CASE WHEN id % 2 = 0 THEN f ELSE g END)) FROM model, (SELECT id, p AS f, ROW((p).b, (p).a)::pair AS g FROM pairs) x), 'rows made in different ways');
CREATE TYPE reverse_pair AS (b numeric, note text, a int);
CREATE FUNCTION pg_temp.either(id int, a float8, b float8) RETURNS record LANGUAGE plpgsql AS
$$BEGIN IF id % 2 = 0 THEN RETURN ROW(a, b)::pair; ELSE RETURN ROW(b, 'x', a)::reverse_pair; END IF; END$$;
SELECT is((SELECT count(DISTINCT d) FROM (SELECT kmeans_distance(m, pg_temp.either(i, 5, 7)) AS d FROM model, generate_series(1, 20) i) x), 1::bigint,
    'rows of different types in one query');
SELECT is(pg_temp.centroids(kmeans_fit(pg_temp.either(i, 5, 7), 1, '{"standardize": false}')), '1 a=5, 1 b=7', 'also in a fit') FROM generate_series(2, 21) i;

-- ---------------------------------------------------------------- names
CREATE TABLE named ("Größe (cm)" float8, "say ""hi""" float8, "select" float8, "a.b" float8,
    "a23456789_123456789_123456789_123456789_123456789_123456789_123" float8);
INSERT INTO named SELECT i, i * 2, i * 3, i * 4, i * 5 FROM generate_series(1, 3) i;
SELECT is((SELECT array_agg(feature || '=' || value ORDER BY value) FROM (SELECT kmeans_fit(f, 1, '{"standardize": false}') AS m FROM named f) x, kmeans_centroids(m)),
    ARRAY['Größe (cm)=2', 'say "hi"=4', 'select=6', 'a.b=8', 'a23456789_123456789_123456789_123456789_123456789_123456789_123=10'], 'names are what they are');
SELECT is(pg_temp.complaint($$SELECT kmeans_fit(f, 1, '{"exclude": ["größe (cm)"]}') FROM named f$$) ~ '^42703 . column "größe \(cm\)" of option "exclude" does not exist', true, 'and are not folded');

-- ---------------------------------------------------------------- NULL and NaN
CREATE TABLE gaps (id int, a float8, b numeric, c int);
-- a: 1, 2, 6 and two missing; mean 3, median 2
INSERT INTO gaps VALUES (1, 1, 10, 1), (2, 2, 20, 1), (3, 6, 30, 1), (4, NULL, 40, 1), (5, 'NaN', 50, 1);
CREATE TEMP TABLE gap_models AS
SELECT impute, (SELECT kmeans_fit(f, 1, jsonb_build_object('impute', impute, 'standardize', false, 'exclude', '["id"]'::jsonb)) FROM gaps f) AS m
FROM unnest(ARRAY['mean', 'median', 'zero', 'skip']) impute;
SELECT is((SELECT pg_temp.centroids(m) FROM gap_models WHERE impute = 'mean'), '1 a=3, 1 b=30, 1 c=1', 'mean: (1 + 2 + 6 + 3 + 3) / 5');
SELECT is((SELECT pg_temp.centroids(m) FROM gap_models WHERE impute = 'median'), '1 a=2.6, 1 b=30, 1 c=1', 'median: (1 + 2 + 6 + 2 + 2) / 5');
SELECT is((SELECT pg_temp.centroids(m) FROM gap_models WHERE impute = 'zero'), '1 a=1.8, 1 b=30, 1 c=1', 'zero: 9 / 5');
SELECT is((SELECT pg_temp.centroids(m) FROM gap_models WHERE impute = 'skip'), '1 a=3, 1 b=20, 1 c=1', 'skip: the first three rows');
SELECT is((SELECT array_agg((model_info(m) ->> 'rows') || '+' || (model_info(m) ->> 'skipped')) FROM gap_models), ARRAY['5+0', '5+0', '5+0', '3+2'], 'rows used and left out');
SELECT is(pg_temp.complaint($$SELECT kmeans_fit(f, 1, '{"impute": "error"}') FROM gaps f WHERE id < 5$$),
    '22004 | column "a" holds NULL or NaN | Option "impute" of kmeans_fit is "error".', 'error: NULL');
SELECT is(pg_temp.complaint($$SELECT kmeans_fit(f, 1, '{"impute": "error"}') FROM gaps f WHERE id = 5$$),
    '22004 | column "a" holds NULL or NaN | Option "impute" of kmeans_fit is "error".', 'error: NaN');
SELECT is(pg_temp.complaint($$SELECT kmeans_fit(f, 1, '{"impute": "error"}') FROM gaps f WHERE id < 4$$), 'none', 'error: nothing missing');
-- distance of (missing, 30, 1) from (centre a, 30, 1)
SELECT is((SELECT array_agg(round(kmeans_distance(m, f)::numeric, 12) ORDER BY impute) FROM gap_models, (SELECT NULL::float8 AS a, 30 AS b, 1 AS c) f WHERE impute <> 'skip'),
    ARRAY[0, 0.6, 1.8]::numeric(20, 12)[], 'a row that is scored gets the value of the training rows');
SELECT is((SELECT array_agg(round(kmeans_distance(m, f)::numeric, 12) ORDER BY impute) FROM gap_models, (SELECT 'NaN'::numeric AS a, 30 AS b, 1 AS c) f WHERE impute <> 'skip'),
    ARRAY[0, 0.6, 1.8]::numeric(20, 12)[], 'NaN likewise, also as numeric');
SELECT is((SELECT kmeans_distance(m, f) FROM gap_models, (SELECT NULL::float8 AS a, 30 AS b, 1 AS c) f WHERE impute = 'skip'), NULL, 'skip: scored as NULL');
SELECT is((SELECT predict(m, f) FROM gap_models, (SELECT 1 AS a, 'NaN'::float4 AS b, 1 AS c) f WHERE impute = 'skip'), NULL, 'NaN too');
SELECT is(pg_temp.complaint($$SELECT kmeans_predict(m, f) FROM (SELECT kmeans_fit(g, 1, '{"impute": "error"}') AS m FROM gaps g WHERE id < 4) x, (SELECT 1 AS id, 2 AS a, NULL::int AS b, 3 AS c) f$$),
    '22004 | column "b" holds NULL or NaN | The model was trained with option "impute" set to "error".', 'error: scored');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 1) FROM (SELECT 1 AS a, NULL::float8 AS b) f'), '22023 | kmeans_fit: column "b" has no values', 'a column without values');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 1) FROM (VALUES (1, ''NaN''::float8), (2, NULL)) f(a, b)'), '22023 | kmeans_fit: column "b" has no values', 'or with NaN alone');
SELECT is((SELECT kmeans_fit(f, 1, '{"impute": "skip"}') FROM (SELECT NULL::int AS a FROM generate_series(1, 3)) f), NULL, 'all rows skipped: no model');

-- whole rows
SELECT is((SELECT model_info(kmeans_fit(p, 1)) -> 'skipped' FROM (SELECT CASE WHEN id > 3 THEN ROW(a, b)::pair END AS p FROM points) x), '3', 'a row that is NULL is left out');
SELECT is((SELECT kmeans_fit(NULL::pair, 1) FROM points), NULL, 'nothing but NULL rows: no model');
SELECT is((SELECT kmeans_fit(f, 1) FROM points f WHERE false), NULL, 'no rows: no model');
SELECT is((SELECT kmeans_fit(NULL::float8[], 1) FROM points), NULL, 'no arrays: no model');
SELECT is((SELECT kmeans_predict(m, NULL::pair) FROM model), NULL, 'a NULL row has no cluster');
SELECT is(kmeans_predict(NULL, ROW(1, 2)), NULL, 'nor has any row without a model');
SELECT is((SELECT kmeans_predict(m, ROW(NULL, NULL)::pair) FROM model), (SELECT pg_temp.score(NULL, NULL)), 'a row of NULLs is no NULL row');
SELECT is((SELECT count(kmeans_predict(m, g)) FROM model, points f LEFT JOIN pairs x ON f.id = x.id AND f.id <= 10 CROSS JOIN LATERAL (SELECT x.p AS g) y), 10::bigint, 'rows that an outer join leaves out have none');
SELECT is(array_agg(k ORDER BY i), ARRAY[1, NULL, 1], 'a NULL row has no label') FROM (SELECT i, kmeans(p, 1) OVER () AS k FROM (SELECT i, CASE WHEN i <> 2 THEN ROW(i, i)::pair END AS p FROM generate_series(1, 3) i) x) y;
SELECT is(array_agg(k ORDER BY i), ARRAY[NULL, NULL, 1, 1, 1], 'nor has one that is skipped')
FROM (SELECT id AS i, kmeans(f, 1, '{"impute": "skip"}') OVER (ORDER BY id DESC) AS k FROM (SELECT 6 - id AS id, a FROM gaps) f) x;

-- ---------------------------------------------------------------- infinity
SELECT is(pg_temp.complaint(format('SELECT kmeans_fit(f, 1) FROM (SELECT 1 AS a, %L::%s AS b) f', value, type)),
    '22003 | column "b" holds infinity | Replace it with NULL or a number before calling this function.', 'fit: ' || value || ' as ' || type)
FROM unnest(ARRAY['float8', 'float4', 'numeric']) type, unnest(ARRAY['Infinity', '-Infinity']) value;
SELECT is(pg_temp.complaint(format('SELECT kmeans_predict(m, f) FROM model, (SELECT 1 AS a, %L::%s AS b) f', value, type)),
    '22003 | column "b" holds infinity | Replace it with NULL or a number before calling this function.', 'predict: ' || value || ' as ' || type)
FROM unnest(ARRAY['float8', 'float4', 'numeric']) type, unnest(ARRAY['Infinity', '-Infinity']) value;
SELECT is((SELECT kmeans_predict(m, f) IS NOT NULL FROM model, (SELECT 'Infinity'::float8 AS c, 1 AS a, 2 AS b) f), true, 'in a column that is not used it does not matter');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(ARRAY[1, ''-Infinity''::float8], 1)'), '22003 | column "x2" holds infinity | Replace it with NULL or a number before calling this function.', 'in an array');
SELECT is(pg_temp.complaint('SELECT kmeans(f, 1) OVER () FROM (SELECT ''Infinity''::float8 AS b) f'), '22003 | column "b" holds infinity | Replace it with NULL or a number before calling this function.', 'in a window');

-- ---------------------------------------------------------------- arrays
CREATE TEMP TABLE array_model AS SELECT kmeans_fit(ARRAY[a, b], 2) AS m FROM points;
SELECT is((SELECT array_agg(name || ' ' || type ORDER BY "position") FROM array_model, model_features(m)), ARRAY['x1 double precision', 'x2 double precision'], 'elements are called x1, x2');
SELECT is((SELECT array_agg(kmeans_distance(m, ARRAY[a, b]) ORDER BY id) FROM array_model, points), (SELECT array_agg(kmeans_distance(m, f) ORDER BY f.id) FROM model, points f), 'arrays are scored like rows');
SELECT is((SELECT array_agg(kmeans_distance(m, f) ORDER BY f.x3) FROM array_model, (SELECT b AS x2, a AS x1, id AS x3 FROM points) f), (SELECT array_agg(kmeans_distance(m, f) ORDER BY f.id) FROM model, points f), 'a row with columns x1, x2 will do');
SELECT is((SELECT kmeans_fit(('[7:8]={' || a || ',' || b || '}')::float8[], 2) FROM points), (SELECT m FROM array_model), 'the lower bound does not matter');
SELECT is(pg_temp.complaint('SELECT kmeans_predict(m, ARRAY[1, 2]::float8[]) FROM model'),
    '42804 | the model was trained on rows with named columns and cannot score an array | Give it a row that has the columns of model_features(model).', 'an array for a model of rows');
SELECT is(pg_temp.complaint('SELECT kmeans_predict(m, ARRAY[1, 2, 3]::float8[]) FROM array_model'), '2202E | the array has 3 elements, expected 2', 'too long');
SELECT is(pg_temp.complaint('SELECT kmeans_predict(m, ARRAY[1]::float8[]) FROM array_model'), '2202E | the array has 1 elements, expected 2', 'too short');
SELECT is(pg_temp.complaint('SELECT kmeans_predict(m, ''{}''::float8[]) FROM array_model'), '2202E | the array has 0 elements, expected 2', 'empty');
SELECT is(pg_temp.complaint('SELECT kmeans_predict(m, ''{{1,2}}''::float8[]) FROM array_model'), '2202E | an array of features must have one dimension, not 2', 'two dimensions');
SELECT is(pg_temp.complaint('SELECT kmeans_predict(m, ''{{1,NULL}}''::float8[]) FROM array_model'), '2202E | an array of features must have one dimension, not 2', 'with a NULL');
SELECT is(pg_temp.complaint('SELECT kmeans_predict(m, ''{1,NULL,2}''::float8[]) FROM array_model'), '2202E | the array has 3 elements, expected 2', 'too long, with a NULL');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(''{}''::float8[], 1)'), '2202E | kmeans_fit cannot use an empty array', 'a fit of empty arrays');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(''{{1,2}}''::float8[], 1)'), '2202E | an array of features must have one dimension, not 2', 'a fit of matrices');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(x, 1) FROM (VALUES (''{1,2}''::float8[]), (''{1,2,3}'')) v(x)'), '2202E | the array has 3 elements, expected 2', 'a fit of arrays of different length');
SELECT is((SELECT pg_temp.centroids(kmeans_fit(x, 1, '{"standardize": false}')) FROM (VALUES ('{1,2}'::float8[]), ('{NULL,4}'), ('{5,NaN}'), (NULL)) v(x)), '1 x1=3, 1 x2=3', 'NULL and NaN elements are imputed');
SELECT is((SELECT kmeans_distance(m, '{NULL,51}'::float8[]) FROM array_model), (SELECT kmeans_distance(m, f) FROM model, (SELECT NULL::int AS a, 51 AS b) f), 'also when scored');
-- toasted: 3000 elements are 24 kB
CREATE TABLE wide (id int, x float8[]);
ALTER TABLE wide ALTER COLUMN x SET STORAGE EXTERNAL;
INSERT INTO wide SELECT i, (SELECT array_agg(sin(i * j)) FROM generate_series(1, 3000) j) FROM generate_series(1, 6) i;
SELECT is((SELECT kmeans_fit(x, 2) FROM wide), (SELECT kmeans_fit(x || '{}'::float8[], 2) FROM wide), 'a stored array of 3000 elements');
SELECT is((SELECT count(DISTINCT kmeans_predict(m, x)) FROM (SELECT kmeans_fit(x, 2) AS m FROM wide) y, wide), 2::bigint, 'scored');
-- a composite column that is compressed as a whole
CREATE TYPE long_pair AS (note text, a float8, b float8);
CREATE TABLE long_pairs (p long_pair);
INSERT INTO long_pairs SELECT ROW(repeat('x', 20000), a, b)::long_pair FROM points;
SELECT is((SELECT pg_temp.centroids(kmeans_fit(p, 2, '{"features": ["a", "b"]}')) FROM long_pairs), (SELECT pg_temp.centroids(m) FROM model), 'compressed rows');
SELECT is((SELECT sum(kmeans_distance(m, p)) FROM model, long_pairs), (SELECT sum(kmeans_distance(m, p)) FROM model, pairs), 'scored');

-- ---------------------------------------------------------------- numeric is what the cast makes of it
-- |x - 0| = sqrt(x * x), which is |x| without rounding in binary arithmetic
CREATE TEMP TABLE zero AS SELECT kmeans_fit(ROW(0.0::float8), 1, '{"standardize": false}') AS m;
CREATE TEMP TABLE signs AS SELECT kmeans_fit(ROW(x::float8), 2, '{"standardize": false, "order_by": "f1"}') AS m FROM (VALUES (-1), (1)) v(x);
CREATE TEMP TABLE numbers (x numeric);
INSERT INTO numbers SELECT s * v FROM unnest(ARRAY[1, -1]) s, unnest(ARRAY[0, 0.0000, 1, 0.1, 0.3, 0.7, 9999, 10000, 10001, 99999999, 100000000, 99999999.9999,
    0.0001, 0.00001, 0.00009999, 12345.6789, 1234567.89, 9007199254740991, 9007199254740992, 9007199254740993, 9007199254740994, 90071992547409.93,
    9007199254740993e1, 9007199254740993e-10, 1e15, 1e16, 1e17, 1e21, 1e22, 1e23, 1e24, 1e26, 12e22, 9007199254740992e22, 9007199254740991e22, 1e-20, 1e-21,
    1e-22, 1e-23, 1e-24, 9007199254740991e-22, 9007199254740991e-23, 3e-22, 123456789012345678901234567890, 0.123456789012345678901234567890,
    1e100, 1e-100, 1e300, 1e-300, 1.7976931348623157e308, 4503599627370497.5, 4503599627370496.5, 0.000000000000000000000000000001,
    123e-4, 123e-8, 123e-12, 1234567890123e-6, 100000000000000000000000000000000000000]::numeric[]) v;
INSERT INTO numbers SELECT (repeat('7', 3000) || '.' || repeat('3', 3000))::numeric / (10 ^ 2900::numeric);
SELECT setseed(0.5);
-- up to 40 digits, the point anywhere among them
INSERT INTO numbers SELECT round((random() - 0.5)::numeric * (10 ^ (i % 23)::numeric) + random()::numeric * (10 ^ (i % 23 - 17)::numeric), i % 19) FROM generate_series(1, 50000) i;
-- money
INSERT INTO numbers SELECT ((random() - 0.5) * 10 ^ (i % 12))::numeric(20, 2) FROM generate_series(1, 50000) i;
SELECT is_empty('SELECT x FROM zero, numbers WHERE kmeans_distance(m, ROW(x)) IS DISTINCT FROM abs(x::float8)', 'numeric becomes the float8 that the cast gives');
SELECT is_empty('SELECT x FROM signs, numbers WHERE abs(x) BETWEEN 1e-10 AND 1e10 AND kmeans_predict(m, ROW(x)) <> CASE WHEN x > 0 THEN 1 ELSE 2 END', 'with its sign');
SELECT is_empty('SELECT x FROM zero, (SELECT x::numeric(30, 4) FROM numbers WHERE abs(x) < 1e24) n WHERE kmeans_distance(m, ROW(x)) IS DISTINCT FROM abs(x::float8)', 'with a scale');
SELECT is((SELECT kmeans_fit(f, 5, '{"n_init": 1}') FROM (SELECT x::numeric(20, 2) AS x FROM numbers WHERE abs(x) < 1e6) f),
    (SELECT overlay(kmeans_fit(f, 5, '{"n_init": 1}') PLACING ''::bytea FROM 1 FOR 0) FROM (SELECT x::numeric(20, 2) AS x FROM numbers WHERE abs(x) < 1e6) f), 'stored or not');
CREATE TEMP TABLE moneys AS SELECT x::numeric(20, 2) AS x, x::numeric(20, 2)::float8 AS y FROM numbers WHERE abs(x) < 1e6;
SELECT is((SELECT pg_temp.centroids(kmeans_fit(f, 5, '{"n_init": 1}')) FROM (SELECT x FROM moneys) f), (SELECT pg_temp.centroids(kmeans_fit(f, 5, '{"n_init": 1}')) FROM (SELECT y AS x FROM moneys) f), 'a fit on money is one on float8');
SELECT is(pg_temp.centroids(kmeans_fit(ROW(9007199254740993::bigint, 16777217::int, 0.1::real), 1, '{"standardize": false}')),
    '1 f1=' || 9007199254740993::bigint::float8 || ', 1 f2=16777217, 1 f3=' || 0.1::real::float8, 'so do other types');

-- ---------------------------------------------------------------- after an error
CREATE FUNCTION pg_temp.stubborn() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    model bytea = (SELECT m FROM model);
    result text = '';
    row record;
BEGIN
    FOR i IN 1 .. 6 LOOP
        BEGIN
            IF i % 2 = 0 THEN SELECT 1 AS a, 2 AS b INTO row; ELSE SELECT 1 AS a, i AS c INTO row; END IF;
            result = result || kmeans_predict(model, row) || ' ';
        EXCEPTION WHEN undefined_column THEN
            result = result || 'error ';
        END;
    END LOOP;
    RETURN result;
END $$;
SELECT is(pg_temp.stubborn(), format('error %1$s error %1$s error %1$s ', pg_temp.score(1, 2)), 'an error leaves nothing behind');

SELECT * FROM finish();

-- ---------------------------------------------------------------- keys
SET LOCAL client_min_messages = notice;
\echo -- a column that looks like a key is pointed out
SELECT kmeans_fit(f, 2) IS NOT NULL FROM (SELECT id, a, b FROM points UNION ALL SELECT id + 100, a, b FROM points) f;
\echo -- not when it is left out, has repetitions, fractions or too few rows
SELECT kmeans_fit(f, 2, '{"exclude": ["id"]}') IS NOT NULL FROM (SELECT id, a, b FROM points UNION ALL SELECT id + 100, a, b FROM points) f;
SELECT kmeans_fit(f, 2) IS NOT NULL FROM (SELECT id, a, b FROM points UNION ALL SELECT id, a, b FROM points) f;
SELECT kmeans_fit(f, 2) IS NOT NULL FROM (SELECT i / 2.0 AS x FROM generate_series(1, 200) i) f;
SELECT kmeans_fit(f, 2) IS NOT NULL FROM (SELECT i AS x FROM generate_series(1, 100) i) f;
\echo -- as numeric or bigint it is one too, and once per group
SELECT kmeans_fit(f, 2, '{"features": ["big", "n"]}') IS NOT NULL FROM (SELECT i % 2 AS g, i::bigint AS big, i::numeric AS n FROM generate_series(1, 250) i) f GROUP BY g;
ROLLBACK;
