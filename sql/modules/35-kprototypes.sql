-- k-prototypes: clusters of numbers and categories; fit, score, sweep, inspect.

CREATE TYPE kprototypes_choice AS (k int, cost float8, is_elbow boolean);
COMMENT ON TYPE kprototypes_choice IS
'One k of kprototypes_sweep. cost: sum over the rows of their squared distance to the nearest prototype, numbers and gamma times the categories that differ. is_elbow: the elbow of the cost (kneedle).';

CREATE FUNCTION kprototypes_fit_accum(internal, record, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kprototypes_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kprototypes_fit_accum(internal, record, int) IS
'Transition function of kprototypes_fit; not for direct use.';

CREATE FUNCTION kprototypes_fit_accum(internal, record, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kprototypes_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kprototypes_fit_accum(internal, record, int, jsonb) IS
'Transition function of kprototypes_fit; not for direct use.';

CREATE FUNCTION kprototypes_fit_accum(internal, float8[], int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kprototypes_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kprototypes_fit_accum(internal, float8[], int) IS
'Transition function of kprototypes_fit; not for direct use.';

CREATE FUNCTION kprototypes_fit_accum(internal, float8[], int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kprototypes_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kprototypes_fit_accum(internal, float8[], int, jsonb) IS
'Transition function of kprototypes_fit; not for direct use.';

CREATE FUNCTION kprototypes_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_kprototypes_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION kprototypes_fit_final(internal) IS
'Final function of kprototypes_fit; not for direct use.';

CREATE AGGREGATE kprototypes_fit(data record, k int, options jsonb) (
    SFUNC = kprototypes_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kprototypes_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kprototypes_fit(record, int, jsonb) IS
'k-prototypes clustering of rows with numbers and categories: the model, as bytea.

data: a row (table or subquery alias); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories, other types are refused by name (leave them out with exclude). k: number of clusters, at least 1 and at most the number of distinct rows.

A row is at the squared distance |x - m|^2 + gamma * (categories that differ) from a prototype, which has the means m of its cluster''s numbers and the modes of its categories. Without categories this is k-means and gives the clusters of kmeans_fit; without numbers it is k-modes. A missing category is a category of its own, "(missing)".

Options (jsonb object): gamma "auto" (half the mean standard deviation of the numbers as used, so 0.5 when they are standardized; 1 without numbers) or a number from 0; init "cao" (density and distance, the first restart; the others are drawn by k-means++), "huang" (frequencies) or "random" rows; n_init restarts, of which the best counts (10); max_iter iterations of a restart (300); tol stop when the prototypes together move less than this share of the mean variance (1e-4); standardize true: use z-scores of numbers, so that no column outweighs another by its unit; seed (42); features or exclude: arrays of column names to use or to leave out; impute "mean", "median", "zero", "error" or "skip" for NULL and NaN ("mean"); max_categories of a column (1000); order_by: the number whose largest mean makes cluster 1 (default: the largest cluster is 1).

Clusters are numbered 1 .. k, the largest first. The same rows and options give the same bytes, whatever the order of rows, the plan or the number of threads. NULL for no rows; rows that are NULL are left out.

Errors name the column or option: a type that is neither number nor category, infinity, a column without values, more than max_categories, k larger than the number of distinct rows, an unknown option, more memory than retailml.max_memory.

Source: Huang 1997 and 1998; Cao, Liang and Bai 2009. Method: docs/algorithms/kprototypes.md

Example: SELECT kprototypes_fit(f, 4, ''{"exclude": ["customer_id"]}'') FROM features f';

CREATE AGGREGATE kprototypes_fit(data record, k int) (
    SFUNC = kprototypes_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kprototypes_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kprototypes_fit(record, int) IS
'kprototypes_fit with the default options; see kprototypes_fit(record, int, jsonb).

Example: SELECT region, kprototypes_fit(f, 4) FROM (SELECT age, income, gender, channel FROM customers) f';

CREATE AGGREGATE kprototypes_fit(data float8[], k int, options jsonb) (
    SFUNC = kprototypes_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kprototypes_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kprototypes_fit(float8[], int, jsonb) IS
'kprototypes_fit of arrays: features are the elements, matched by position and called x1, x2, ...; all are numbers, so the clusters are those of kmeans_fit. Options features and exclude do not apply. Otherwise as kprototypes_fit(record, int, jsonb).';

CREATE AGGREGATE kprototypes_fit(data float8[], k int) (
    SFUNC = kprototypes_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kprototypes_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kprototypes_fit(float8[], int) IS
'kprototypes_fit of arrays with the default options; see kprototypes_fit(float8[], int, jsonb).';

CREATE FUNCTION kprototypes_predict(model bytea, data record) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sql_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION kprototypes_predict(bytea, record) IS
'The cluster of a row: that of the nearest prototype. Columns are matched by name and NULLs imputed as predict(bytea, record) does; a category that training did not see differs from all prototypes.

Example: SELECT customer_id, kprototypes_predict((SELECT model_load(''segments'')), f) FROM features f';

CREATE FUNCTION kprototypes_predict(model bytea, data float8[]) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sql_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION kprototypes_predict(bytea, float8[]) IS
'The cluster of a row: that of the nearest prototype. Elements are matched by position; for models trained on arrays.

Example: SELECT customer_id, kprototypes_predict((SELECT model_load(''segments'')), f.embedding) FROM features f';

CREATE FUNCTION kprototypes_distance(model bytea, data record) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sql_distance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION kprototypes_distance(bytea, record) IS
'The distance of a row to the nearest prototype, in the units the model works in: the root of |x - m|^2 + gamma * (categories that differ). Large values are unusual customers. Columns are matched by name and NULLs imputed as predict(bytea, record) does; a category that training did not see differs from all prototypes.

Example: SELECT customer_id, kprototypes_distance((SELECT model_load(''segments'')), f) FROM features f';

CREATE FUNCTION kprototypes_distance(model bytea, data float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sql_distance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION kprototypes_distance(bytea, float8[]) IS
'The distance of a row to the nearest prototype, in the units the model works in: the root of |x - m|^2 + gamma * (categories that differ). Large values are unusual customers. Elements are matched by position; for models trained on arrays.

Example: SELECT customer_id, kprototypes_distance((SELECT model_load(''segments'')), f.embedding) FROM features f';

CREATE FUNCTION kprototypes_centroids(
    model bytea,
    OUT cluster int, OUT size bigint, OUT feature text, OUT value float8, OUT category text, OUT share float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sql_centroids'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 100;
COMMENT ON FUNCTION kprototypes_centroids(bytea) IS
'The prototypes of a k-prototypes model. A row for each cluster and number: value is the mean, in the units of the column. A row for each cluster, categorical feature and category: share is the part of the cluster''s training rows that have it; the first row of a feature, with the largest share, is the mode. "(missing)" is listed where the training rows had it. size: training rows of the cluster.

Example: SELECT * FROM kprototypes_centroids(model_load(''segments''))';

CREATE FUNCTION kprototypes(data record, k int, options jsonb) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kprototypes_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION kprototypes(record, int, jsonb) IS
'k-prototypes as a window function: the cluster (1 .. k) of each row, fitted and scored in one, for each partition by itself. Options as for kprototypes_fit(record, int, jsonb). NULL for a row that is NULL, or that has a NULL when impute is "skip".

Example: SELECT f.customer_id, kprototypes(f, 4, ''{"exclude": ["customer_id", "region"]}'') OVER (PARTITION BY f.region) FROM features f';

CREATE FUNCTION kprototypes(data record, k int) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kprototypes_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION kprototypes(record, int) IS
'k-prototypes as a window function; see kprototypes(record, int, jsonb).';

CREATE FUNCTION kprototypes(data float8[], k int, options jsonb) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kprototypes_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION kprototypes(float8[], int, jsonb) IS
'k-prototypes as a window function; see kprototypes(record, int, jsonb) and kprototypes_fit(float8[], int, jsonb).';

CREATE FUNCTION kprototypes(data float8[], k int) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kprototypes_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION kprototypes(float8[], int) IS
'k-prototypes as a window function; see kprototypes(record, int, jsonb) and kprototypes_fit(float8[], int, jsonb).';

CREATE FUNCTION kprototypes_sweep_accum(internal, record, int, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sweep_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kprototypes_sweep_accum(internal, record, int, int) IS
'Transition function of kprototypes_sweep; not for direct use.';

CREATE FUNCTION kprototypes_sweep_accum(internal, record, int, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sweep_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kprototypes_sweep_accum(internal, record, int, int, jsonb) IS
'Transition function of kprototypes_sweep; not for direct use.';

CREATE FUNCTION kprototypes_sweep_accum(internal, float8[], int, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sweep_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kprototypes_sweep_accum(internal, float8[], int, int) IS
'Transition function of kprototypes_sweep; not for direct use.';

CREATE FUNCTION kprototypes_sweep_accum(internal, float8[], int, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sweep_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kprototypes_sweep_accum(internal, float8[], int, int, jsonb) IS
'Transition function of kprototypes_sweep; not for direct use.';

CREATE FUNCTION kprototypes_sweep_final(internal) RETURNS kprototypes_choice[]
    AS 'MODULE_PATHNAME', 'rml_kprototypes_sweep_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION kprototypes_sweep_final(internal) IS
'Final function of kprototypes_sweep; not for direct use.';

CREATE AGGREGATE kprototypes_sweep(data record, k_min int, k_max int, options jsonb) (
    SFUNC = kprototypes_sweep_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kprototypes_sweep_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kprototypes_sweep(record, int, int, jsonb) IS
'k-prototypes for every k from k_min to k_max (at most 100 of them) on rows that are read once: an array of kprototypes_choice, one element for each k, to choose k by. Options as for kprototypes_fit(record, int, jsonb).

The sweep ends early, with a NOTICE, at the number of distinct rows. NULL for no rows.

Source: kneedle, Satopaa et al. 2011. Method: docs/algorithms/kprototypes.md

Example: SELECT c.* FROM (SELECT kprototypes_sweep(f, 2, 10) AS s FROM features f) x, unnest(s) AS c';

CREATE AGGREGATE kprototypes_sweep(data record, k_min int, k_max int) (
    SFUNC = kprototypes_sweep_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kprototypes_sweep_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kprototypes_sweep(record, int, int) IS
'kprototypes_sweep with the default options; see kprototypes_sweep(record, int, int, jsonb).';

CREATE AGGREGATE kprototypes_sweep(data float8[], k_min int, k_max int, options jsonb) (
    SFUNC = kprototypes_sweep_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kprototypes_sweep_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kprototypes_sweep(float8[], int, int, jsonb) IS
'kprototypes_sweep of arrays; see kprototypes_sweep(record, int, int, jsonb) and kprototypes_fit(float8[], int, jsonb).';

CREATE AGGREGATE kprototypes_sweep(data float8[], k_min int, k_max int) (
    SFUNC = kprototypes_sweep_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kprototypes_sweep_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kprototypes_sweep(float8[], int, int) IS
'kprototypes_sweep of arrays with the default options; see kprototypes_sweep(float8[], int, int, jsonb).';
