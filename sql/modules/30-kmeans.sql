-- k-means: fit, score, sweep, inspect.

CREATE TYPE kmeans_choice AS (
    k int,
    inertia float8,
    silhouette float8,
    davies_bouldin float8,
    calinski_harabasz float8,
    silhouette_rows bigint,
    silhouette_exact boolean,
    is_elbow boolean,
    is_best boolean);
COMMENT ON TYPE kmeans_choice IS
'One k of kmeans_sweep. inertia: sum of squared distances to the nearest centroid. silhouette: mean silhouette, -1 .. 1, large is good; NULL for k = 1. davies_bouldin: small is good; calinski_harabasz: large is good; both NULL for k = 1. silhouette_rows: rows the silhouette was computed on; silhouette_exact: those are all rows (up to 10,000), otherwise a fixed random sample. is_elbow: the elbow of the inertia (kneedle). is_best: the largest silhouette.';

CREATE FUNCTION kmeans_fit_accum(internal, record, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kmeans_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kmeans_fit_accum(internal, record, int) IS
'Transition function of kmeans_fit; not for direct use.';

CREATE FUNCTION kmeans_fit_accum(internal, record, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kmeans_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kmeans_fit_accum(internal, record, int, jsonb) IS
'Transition function of kmeans_fit; not for direct use.';

CREATE FUNCTION kmeans_fit_accum(internal, float8[], int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kmeans_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kmeans_fit_accum(internal, float8[], int) IS
'Transition function of kmeans_fit; not for direct use.';

CREATE FUNCTION kmeans_fit_accum(internal, float8[], int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kmeans_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kmeans_fit_accum(internal, float8[], int, jsonb) IS
'Transition function of kmeans_fit; not for direct use.';

CREATE FUNCTION kmeans_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_kmeans_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION kmeans_fit_final(internal) IS
'Final function of kmeans_fit; not for direct use.';

CREATE AGGREGATE kmeans_fit(data record, k int, options jsonb) (
    SFUNC = kmeans_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kmeans_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kmeans_fit(record, int, jsonb) IS
'k-means clustering of the rows: the model, as bytea.

data: a row (table or subquery alias); its numeric and boolean columns are the features, other types are refused by name (leave them out with exclude). k: number of clusters, at least 1 and at most the number of distinct rows.

Options (jsonb object): init "k-means++" (greedy, default) or "random"; n_init restarts, of which the best counts (10); max_iter Lloyd iterations of a restart (300); tol stop when the centroids together move less than this share of the mean variance (1e-4); standardize true: use z-scores (population standard deviation), so that no column outweighs another by its unit; seed (42); features or exclude: arrays of column names to use or to leave out; impute "mean", "median", "zero", "error" or "skip" for NULL and NaN ("mean"); order_by: the feature whose largest mean makes cluster 1 (default: the largest cluster is 1).

Clusters are numbered 1 .. k, the largest first. The same rows and options give the same bytes, whatever the order of rows, the plan or the number of threads. NULL for no rows; rows that are NULL are left out.

Errors name the column or option: a type that is neither numeric nor boolean, infinity, a column without values, k larger than the number of distinct rows, an unknown option, more memory than retailml.max_memory.

Source: Lloyd 1982; greedy k-means++ of Arthur and Vassilvitskii 2007. Method: docs/algorithms/kmeans.md

Example: SELECT kmeans_fit(f, 4, ''{"exclude": ["customer_id"]}'') FROM features f';

CREATE AGGREGATE kmeans_fit(data record, k int) (
    SFUNC = kmeans_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kmeans_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kmeans_fit(record, int) IS
'kmeans_fit with the default options; see kmeans_fit(record, int, jsonb).

Example: SELECT region, kmeans_fit(f, 4) FROM (SELECT recency, frequency, monetary FROM customers) f';

CREATE AGGREGATE kmeans_fit(data float8[], k int, options jsonb) (
    SFUNC = kmeans_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kmeans_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kmeans_fit(float8[], int, jsonb) IS
'kmeans_fit of arrays: features are the elements, matched by position and called x1, x2, ...; all arrays must have the same length. Options features and exclude do not apply. Otherwise as kmeans_fit(record, int, jsonb).';

CREATE AGGREGATE kmeans_fit(data float8[], k int) (
    SFUNC = kmeans_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kmeans_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kmeans_fit(float8[], int) IS
'kmeans_fit of arrays with the default options; see kmeans_fit(float8[], int, jsonb).';

CREATE FUNCTION kmeans_predict(model bytea, data record) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kmeans_sql_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION kmeans_predict(bytea, record) IS
'The cluster (1 .. k) of a row: that of the nearest centroid. Columns are matched by name and NULLs imputed as predict(bytea, record) does.

Example: SELECT customer_id, kmeans_predict((SELECT model_load(''segments'')), f) FROM features f';

CREATE FUNCTION kmeans_predict(model bytea, data float8[]) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kmeans_sql_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION kmeans_predict(bytea, float8[]) IS
'The cluster (1 .. k) of a row: that of the nearest centroid. Elements are matched by position; for models trained on arrays.

Example: SELECT customer_id, kmeans_predict((SELECT model_load(''segments'')), f.embedding) FROM features f';

CREATE FUNCTION kmeans_distance(model bytea, data record) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_kmeans_sql_distance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION kmeans_distance(bytea, record) IS
'The Euclidean distance of a row to the nearest centroid, in the units the model works in (standard deviations when standardize is true). Large values are unusual customers. Columns are matched by name and NULLs imputed as predict(bytea, record) does.

Example: SELECT customer_id, kmeans_distance((SELECT model_load(''segments'')), f) FROM features f';

CREATE FUNCTION kmeans_distance(model bytea, data float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_kmeans_sql_distance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION kmeans_distance(bytea, float8[]) IS
'The Euclidean distance of a row to the nearest centroid, in the units the model works in (standard deviations when standardize is true). Large values are unusual customers. Elements are matched by position; for models trained on arrays.

Example: SELECT customer_id, kmeans_distance((SELECT model_load(''segments'')), f.embedding) FROM features f';

CREATE FUNCTION kmeans_centroids(
    model bytea,
    OUT cluster int, OUT size bigint, OUT feature text, OUT value float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_kmeans_sql_centroids'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 50;
COMMENT ON FUNCTION kmeans_centroids(bytea) IS
'The centroids of a k-means model, a row for each cluster and feature: number of training rows in the cluster, and the mean of the feature in the units of the column.

Example: SELECT * FROM kmeans_centroids(model_load(''segments''))';

CREATE FUNCTION kmeans(data record, k int, options jsonb) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kmeans_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION kmeans(record, int, jsonb) IS
'k-means as a window function: the cluster (1 .. k) of each row, fitted and scored in one, for each partition by itself. Options as for kmeans_fit(record, int, jsonb). NULL for a row that is NULL, or that has a NULL when impute is "skip".

Example: SELECT f.customer_id, kmeans(f, 4, ''{"exclude": ["customer_id", "region"]}'') OVER (PARTITION BY f.region) FROM features f';

CREATE FUNCTION kmeans(data record, k int) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kmeans_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION kmeans(record, int) IS
'k-means as a window function; see kmeans(record, int, jsonb).';

CREATE FUNCTION kmeans(data float8[], k int, options jsonb) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kmeans_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION kmeans(float8[], int, jsonb) IS
'k-means as a window function; see kmeans(record, int, jsonb) and kmeans_fit(float8[], int, jsonb).';

CREATE FUNCTION kmeans(data float8[], k int) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_kmeans_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION kmeans(float8[], int) IS
'k-means as a window function; see kmeans(record, int, jsonb) and kmeans_fit(float8[], int, jsonb).';

CREATE FUNCTION kmeans_sweep_accum(internal, record, int, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kmeans_sweep_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kmeans_sweep_accum(internal, record, int, int) IS
'Transition function of kmeans_sweep; not for direct use.';

CREATE FUNCTION kmeans_sweep_accum(internal, record, int, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kmeans_sweep_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kmeans_sweep_accum(internal, record, int, int, jsonb) IS
'Transition function of kmeans_sweep; not for direct use.';

CREATE FUNCTION kmeans_sweep_accum(internal, float8[], int, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kmeans_sweep_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kmeans_sweep_accum(internal, float8[], int, int) IS
'Transition function of kmeans_sweep; not for direct use.';

CREATE FUNCTION kmeans_sweep_accum(internal, float8[], int, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_kmeans_sweep_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION kmeans_sweep_accum(internal, float8[], int, int, jsonb) IS
'Transition function of kmeans_sweep; not for direct use.';

CREATE FUNCTION kmeans_sweep_final(internal) RETURNS kmeans_choice[]
    AS 'MODULE_PATHNAME', 'rml_kmeans_sweep_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION kmeans_sweep_final(internal) IS
'Final function of kmeans_sweep; not for direct use.';

CREATE AGGREGATE kmeans_sweep(data record, k_min int, k_max int, options jsonb) (
    SFUNC = kmeans_sweep_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kmeans_sweep_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kmeans_sweep(record, int, int, jsonb) IS
'k-means for every k from k_min to k_max (at most 100 of them) on rows that are read once: an array of kmeans_choice, one element for each k, to choose k by. Options as for kmeans_fit(record, int, jsonb).

The silhouette is exact up to 10,000 rows; above, it is taken over a fixed random sample of 10,000, and the element says so. The sweep ends early, with a NOTICE, at the number of distinct rows. NULL for no rows.

Source: silhouette Rousseeuw 1987, Davies and Bouldin 1979, Calinski and Harabasz 1974, kneedle Satopaa et al. 2011. Method: docs/algorithms/cluster-metrics.md

Example: SELECT c.* FROM (SELECT kmeans_sweep(f, 2, 10) AS s FROM features f) x, unnest(s) AS c';

CREATE AGGREGATE kmeans_sweep(data record, k_min int, k_max int) (
    SFUNC = kmeans_sweep_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kmeans_sweep_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kmeans_sweep(record, int, int) IS
'kmeans_sweep with the default options; see kmeans_sweep(record, int, int, jsonb).';

CREATE AGGREGATE kmeans_sweep(data float8[], k_min int, k_max int, options jsonb) (
    SFUNC = kmeans_sweep_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kmeans_sweep_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kmeans_sweep(float8[], int, int, jsonb) IS
'kmeans_sweep of arrays; see kmeans_sweep(record, int, int, jsonb) and kmeans_fit(float8[], int, jsonb).';

CREATE AGGREGATE kmeans_sweep(data float8[], k_min int, k_max int) (
    SFUNC = kmeans_sweep_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = kmeans_sweep_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE kmeans_sweep(float8[], int, int) IS
'kmeans_sweep of arrays with the default options; see kmeans_sweep(record, int, int, jsonb).';
