\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Options: defaults, and the error for each thing that can be wrong with one.  Messages, details and hints
-- are part of the interface.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(79);

CREATE TEMP TABLE points AS SELECT i AS id, i % 7 AS a, (i % 5)::float8 AS b, i % 2 = 0 AS c FROM generate_series(1, 60) i;

-- what a fit with these options says: SQLSTATE, message, detail, hint
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

CREATE FUNCTION pg_temp.fit(options text) RETURNS text LANGUAGE sql AS
$$SELECT pg_temp.complaint(format('SELECT kmeans_fit(f, 2, %L) FROM points f', options))$$;

CREATE FUNCTION pg_temp.info(options text) RETURNS jsonb LANGUAGE plpgsql AS
$$BEGIN RETURN (SELECT model_info(kmeans_fit(f, 2, options::jsonb)) FROM points f); END$$;

-- ---- defaults
SELECT is(pg_temp.info('{}') -> 'options', '{"init": "k-means++", "n_init": 10, "max_iter": 300, "tol": 0.0001, "seed": 42,
    "order_by": null, "impute": "mean", "standardize": true, "features": [], "exclude": [], "max_categories": 1000}', 'the defaults of kmeans_fit');
SELECT is(pg_temp.info('{}'), pg_temp.info(NULL), 'options that are NULL are the defaults');
SELECT is(pg_temp.info('{}') -> 'features', '["id", "a", "b", "c"]', 'by default all columns are used');
SELECT is(pg_temp.info('{"init": "random", "n_init": 3, "max_iter": 7, "tol": 0, "seed": -5, "order_by": "b", "impute": "zero",
    "standardize": false, "exclude": ["id"], "max_categories": 9}') -> 'options', '{"init": "random", "n_init": 3, "max_iter": 7, "tol": 0, "seed": -5,
    "order_by": "b", "impute": "zero", "standardize": false, "features": [], "exclude": ["id"], "max_categories": 9}', 'what is given is what is used');
SELECT is((SELECT model_info(rfm_fit(id, a, b)) -> 'options' -> 'bins' FROM points), '5', 'the default of rfm_fit');
SELECT is((SELECT model_info(rfm_fit(id, a, b, '{"bins": 3}')) -> 'options' -> 'bins' FROM points), '3', 'and another value');
SELECT is((SELECT kmeans_fit(f, 2, '{"seed": 42, "tol": 1e-4, "n_init": 10}') FROM points f),
    (SELECT kmeans_fit(f, 2) FROM points f), 'saying the defaults gives the same model');
SELECT isnt((SELECT kmeans_fit(f, 5, '{"seed": 1, "n_init": 1, "max_iter": 1}') FROM points f),
    (SELECT kmeans_fit(f, 5, '{"seed": 2, "n_init": 1, "max_iter": 1}') FROM points f), 'another seed gives another');

-- ---- unknown keys
SELECT is(pg_temp.fit('{"max_itr": 10}'), '22023 | kmeans_fit has no option "max_itr" | Valid options are: features, exclude, '
    'max_categories, impute, standardize, init, n_init, max_iter, tol, seed, order_by.', 'an unknown option');
SELECT is(pg_temp.fit('{"Seed": 10}'), '22023 | kmeans_fit has no option "Seed" | Valid options are: features, exclude, '
    'max_categories, impute, standardize, init, n_init, max_iter, tol, seed, order_by.', 'names are in lower case');
SELECT is(pg_temp.fit('{"": null}'), '22023 | kmeans_fit has no option "" | Valid options are: features, exclude, '
    'max_categories, impute, standardize, init, n_init, max_iter, tol, seed, order_by.', 'a name that is empty');
SELECT is(pg_temp.complaint($$SELECT kmeans_sweep(f, 1, 3, '{"k": 3}') FROM points f$$),
    '22023 | kmeans_sweep has no option "k" | Valid options are: features, exclude, max_categories, impute, standardize, '
    'init, n_init, max_iter, tol, seed, order_by.', 'kmeans_sweep speaks for itself');
SELECT is(pg_temp.complaint($$SELECT rfm_fit(id, a, b, '{"seed": 3}') FROM points$$),
    '22023 | rfm_fit has no option "seed" | Valid options are: bins, segments.', 'rfm_fit has other options');

-- ---- what is no object
SELECT is(pg_temp.fit('3'), '22023 | options of kmeans_fit must be a jsonb object | For example ''{"seed": 7}''.', 'a number');
SELECT is(pg_temp.fit('null'), '22023 | options of kmeans_fit must be a jsonb object | For example ''{"seed": 7}''.', 'null');
SELECT is(pg_temp.fit('["seed"]'), '22023 | options of kmeans_fit must be a jsonb object | For example ''{"seed": 7}''.', 'an array');
SELECT is(pg_temp.fit('"seed"'), '22023 | options of kmeans_fit must be a jsonb object | For example ''{"seed": 7}''.', 'a text');

-- ---- integers
SELECT is(pg_temp.fit('{"n_init": 0}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is 0.', 'below the range');
SELECT is(pg_temp.fit('{"n_init": 1001}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is 1001.', 'above');
SELECT is(pg_temp.fit('{"n_init": 2.5}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is 2.5.', 'not whole');
SELECT is(pg_temp.fit('{"n_init": 1e400}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is 1'
    || repeat('0', 400) || '.', 'beyond float8');
SELECT is(pg_temp.fit('{"n_init": -1e400}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is -1'
    || repeat('0', 400) || '.', 'far below it');
SELECT is(pg_temp.fit('{"n_init": "3"}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is "3".', 'a text');
SELECT is(pg_temp.fit('{"n_init": true}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is true.', 'a truth value');
SELECT is(pg_temp.fit('{"n_init": null}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is null.', 'null');
SELECT is(pg_temp.fit('{"n_init": [3]}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is [3].', 'an array');
SELECT is(pg_temp.fit('{"n_init": {"a": 3}}'), '22023 | option "n_init" of kmeans_fit must be an integer from 1 to 1000 | It is {"a": 3}.', 'an object');
SELECT is(pg_temp.fit('{"n_init": 3.0}'), 'none', 'a whole number may have decimals');
SELECT is(pg_temp.fit('{"n_init": 1, "max_iter": 1}'), 'none', 'the ends of a range are in it');
SELECT is(pg_temp.fit('{"max_iter": 0}'), '22023 | option "max_iter" of kmeans_fit must be an integer from 1 to 100000 | It is 0.', 'max_iter below');
SELECT is(pg_temp.fit('{"max_iter": 100001}'), '22023 | option "max_iter" of kmeans_fit must be an integer from 1 to 100000 | It is 100001.', 'max_iter above');
SELECT is(pg_temp.fit('{"max_iter": 100000}'), 'none', 'max_iter at its most');
SELECT is(pg_temp.fit('{"seed": 9007199254740992}'), 'none', 'the largest seed');
SELECT is(pg_temp.fit('{"seed": -9007199254740992}'), 'none', 'the smallest seed');
SELECT is(pg_temp.fit('{"seed": 9007199254740994}'), '22023 | option "seed" of kmeans_fit must be an integer from -9007199254740992 to '
    '9007199254740992 | It is 9007199254740994.', 'a seed that jsonb readers would round');
SELECT is(pg_temp.fit('{"max_categories": 0}'), '22023 | option "max_categories" of kmeans_fit must be an integer from 1 to 1000000 | It is 0.', 'max_categories below');
SELECT is(pg_temp.fit('{"max_categories": 1000001}'), '22023 | option "max_categories" of kmeans_fit must be an integer from 1 to 1000000 | It is 1000001.', 'max_categories above');
SELECT is(pg_temp.complaint($$SELECT rfm_fit(id, a, b, '{"bins": 1}') FROM points$$),
    '22023 | option "bins" of rfm_fit must be an integer from 2 to 10 | It is 1.', 'bins below');
SELECT is(pg_temp.complaint($$SELECT rfm_fit(id, a, b, '{"bins": 11}') FROM points$$),
    '22023 | option "bins" of rfm_fit must be an integer from 2 to 10 | It is 11.', 'bins above');

-- ---- numbers
SELECT is(pg_temp.fit('{"tol": -0.1}'), '22023 | option "tol" of kmeans_fit must be a number from 0 to 1e+06 | It is -0.1.', 'tol below');
SELECT is(pg_temp.fit('{"tol": 1000001}'), '22023 | option "tol" of kmeans_fit must be a number from 0 to 1e+06 | It is 1000001.', 'tol above');
SELECT is(pg_temp.fit('{"tol": "NaN"}'), '22023 | option "tol" of kmeans_fit must be a number from 0 to 1e+06 | It is "NaN".', 'tol as text');
SELECT is(pg_temp.fit('{"tol": 1e-400}'), 'none', 'a number too small for float8 is 0');
SELECT is(pg_temp.fit('{"tol": 0}'), 'none', 'tol at its least');
SELECT is(pg_temp.fit('{"tol": 1e6}'), 'none', 'tol at its most');

-- ---- truth values
SELECT is(pg_temp.fit('{"standardize": 1}'), '22023 | option "standardize" of kmeans_fit must be true or false | It is 1.', 'a number for a truth value');
SELECT is(pg_temp.fit('{"standardize": "true"}'), '22023 | option "standardize" of kmeans_fit must be true or false | It is "true".', 'a text for one');
SELECT is(pg_temp.fit('{"standardize": null}'), '22023 | option "standardize" of kmeans_fit must be true or false | It is null.', 'null for one');

-- ---- choices
SELECT is(pg_temp.fit('{"impute": "average"}'), '22023 | option "impute" of kmeans_fit must be one of "mean", "median", "zero", "error", "skip" | It is "average".', 'no such choice');
SELECT is(pg_temp.fit('{"impute": "mea"}'), '22023 | option "impute" of kmeans_fit must be one of "mean", "median", "zero", "error", "skip" | It is "mea".', 'half of one');
SELECT is(pg_temp.fit('{"impute": "Mean"}'), '22023 | option "impute" of kmeans_fit must be one of "mean", "median", "zero", "error", "skip" | It is "Mean".', 'in capitals');
SELECT is(pg_temp.fit('{"impute": 0}'), '22023 | option "impute" of kmeans_fit must be one of "mean", "median", "zero", "error", "skip" | It is 0.', 'by number');
SELECT is(pg_temp.fit('{"init": "kmeans++"}'), '22023 | option "init" of kmeans_fit must be one of "k-means++", "random" | It is "kmeans++".', 'misspelt');
SELECT is(pg_temp.fit('{"impute": "median"}') || pg_temp.fit('{"impute": "error"}') || pg_temp.fit('{"impute": "skip"}'), 'nonenonenone', 'all the others');

-- ---- texts
SELECT is(pg_temp.fit('{"order_by": 2}'), '22023 | option "order_by" of kmeans_fit must be a text | It is 2.', 'order_by by number');
SELECT is(pg_temp.fit('{"order_by": null}'), '22023 | option "order_by" of kmeans_fit must be a text | It is null.', 'order_by null');
SELECT is(pg_temp.fit('{"order_by": "d"}'), '42703 | option "order_by" of kmeans_fit names "d", which is not a numeric feature | The numeric features are: "id", "a", "b", "c".', 'order_by something else');
SELECT is(pg_temp.fit('{"order_by": "a", "exclude": ["a"]}'), '42703 | option "order_by" of kmeans_fit names "a", which is not a numeric feature | The numeric features are: "id", "b", "c".', 'order_by what is left out');

-- ---- column names
SELECT is(pg_temp.info('{"exclude": ["id", "c"]}') -> 'features', '["a", "b"]', 'exclude leaves out');
SELECT is(pg_temp.info('{"features": ["b", "a"]}') -> 'features', '["a", "b"]', 'features picks, in the order of the row');
SELECT is(pg_temp.info('{"features": ["a", "a"]}') -> 'features', '["a"]', 'once');
SELECT is(pg_temp.info('{"exclude": []}') -> 'features', '["id", "a", "b", "c"]', 'an empty list leaves out nothing');
SELECT is(pg_temp.fit('{"features": "a"}'), '22023 | option "features" of kmeans_fit must be an array of column names | It is "a".', 'a text for an array');
SELECT is(pg_temp.fit('{"features": [1]}'), '22023 | option "features" of kmeans_fit must be an array of column names | It is [1].', 'numbers for names');
SELECT is(pg_temp.fit('{"features": [["a"]]}'), '22023 | option "features" of kmeans_fit must be an array of column names | It is [["a"]].', 'an array of arrays');
SELECT is(pg_temp.fit('{"features": {"a": 1}}'), '22023 | option "features" of kmeans_fit must be an array of column names | It is {"a": 1}.', 'an object for an array');
SELECT is(pg_temp.fit('{"exclude": "id"}'), '22023 | option "exclude" of kmeans_fit must be an array of column names | It is "id".', 'the same for exclude');
SELECT is(pg_temp.fit('{"features": ["A"]}'), '42703 | column "A" of option "features" does not exist in the row | The row has the columns: "id", "a", "b", "c".', 'features that are not there');
SELECT is(pg_temp.fit('{"exclude": ["x"]}'), '42703 | column "x" of option "exclude" does not exist in the row | The row has the columns: "id", "a", "b", "c".', 'exclude what is not there');
SELECT is(pg_temp.fit('{"features": ["a"], "exclude": ["b"]}'), '22023 | options "features" and "exclude" of kmeans_fit exclude each other', 'features and exclude');
SELECT is(pg_temp.fit('{"exclude": ["id", "a", "b", "c"]}'), '22023 | kmeans_fit has no columns left to use | Check the options "features" and "exclude".', 'nothing left');
SELECT is(pg_temp.complaint($$SELECT kmeans_fit(ARRAY[a, b], 2, '{"exclude": ["x1"]}') FROM points$$),
    '22023 | the columns of an array have no names to choose by | Give kmeans_fit a row instead of an array, or put only the wanted values in the array.', 'arrays have no names');

-- ---- parameters, and options that change
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, 0) FROM points f'), '22023 | kmeans_fit: k is 0 but must be at least 1', 'k below 1');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, NULL) FROM points f'), '22004 | kmeans_fit: k must not be NULL', 'k NULL');
SELECT is(pg_temp.complaint('SELECT kmeans_fit(f, a) FROM points f'), '22023 | kmeans_fit: k must be the same for every row', 'k that changes');
SELECT is(pg_temp.complaint($$SELECT kmeans_fit(f, 2, jsonb_build_object('seed', id)) FROM points f$$), '22023 | kmeans_fit: options must be the same for every row', 'options that change');
SELECT is(pg_temp.complaint($$SELECT kmeans_fit(f, 2, o) FROM points f CROSS JOIN (VALUES ('{}'::jsonb), ('{"seed": 1}')) v(o)$$), '22023 | kmeans_fit: options must be the same for every row', 'from a column');
SELECT is(pg_temp.complaint($$SELECT kmeans_fit(f, 2, CASE WHEN id < 50 THEN '{}'::jsonb END) FROM points f$$), '22023 | kmeans_fit: options must be the same for every row', 'also to NULL');
SELECT is(pg_temp.complaint($$SELECT kmeans_fit(f, 2, jsonb_build_object('seed', sign(id)::int)) FROM points f$$), 'none', 'equal options may be made for every row');

SELECT * FROM finish();
ROLLBACK;
