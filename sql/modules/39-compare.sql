-- Clusterings side by side: method x space x k.

CREATE TYPE cluster_comparison AS (
    method text,
    space text,
    k int,
    cost float8,
    silhouette float8,
    davies_bouldin float8,
    calinski_harabasz float8,
    is_elbow boolean,
    is_best boolean);
COMMENT ON TYPE cluster_comparison IS
'One clustering of cluster_compare. method: kmeans (of the numbers alone) or kprototypes (of all columns). space: standardized (numbers in standard deviations) or raw (in their own units). cost: inertia or cost of the clustering; compare it within one method and space only. silhouette, davies_bouldin, calinski_harabasz: those that cluster_metrics gives for these labels, on all columns with standardized numbers whatever the method and space, so that they can be compared; NULL for k = 1. is_elbow: the elbow of the costs of this method and space (kneedle). is_best: the largest silhouette of all.';

CREATE FUNCTION cluster_compare_accum(internal, record, int, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_compare_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_compare_accum(internal, record, int, int) IS
'Transition function of cluster_compare; not for direct use.';

CREATE FUNCTION cluster_compare_accum(internal, record, int, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_compare_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_compare_accum(internal, record, int, int, jsonb) IS
'Transition function of cluster_compare; not for direct use.';

CREATE FUNCTION cluster_compare_accum(internal, float8[], int, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_compare_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_compare_accum(internal, float8[], int, int) IS
'Transition function of cluster_compare; not for direct use.';

CREATE FUNCTION cluster_compare_accum(internal, float8[], int, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_compare_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_compare_accum(internal, float8[], int, int, jsonb) IS
'Transition function of cluster_compare; not for direct use.';

CREATE FUNCTION cluster_compare_final(internal) RETURNS cluster_comparison[]
    AS 'MODULE_PATHNAME', 'rml_cluster_compare_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION cluster_compare_final(internal) IS
'Final function of cluster_compare; not for direct use.';

CREATE AGGREGATE cluster_compare(data record, k_min int, k_max int, options jsonb) (
    SFUNC = cluster_compare_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_compare_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_compare(record, int, int, jsonb) IS
'Clusterings of the same rows side by side, on rows that are read once: k-means on the numbers and, where there are categories, k-prototypes on all columns; each with standardized numbers and with numbers in their own units; each for every k from k_min to k_max (at most 100 of them). An array of cluster_comparison.

Each clustering is that of kmeans_fit or kprototypes_fit with the same options. All are measured with the same yardstick, so their silhouettes can be compared; a clustering of raw numbers shows there what it loses by following the column with the largest unit.

Options (jsonb object): gamma "auto" or a number, n_init (10), max_iter (300), tol (1e-4), seed (42), features, exclude, impute, max_categories.

A method and space ends early at the number of distinct rows. NULL for no rows. Errors: as kprototypes_fit(record, int, jsonb).

Method: docs/algorithms/cluster-metrics.md

Example: SELECT c.* FROM (SELECT cluster_compare(f, 2, 8, ''{"exclude": ["customer_id"]}'') AS s FROM features f) x, unnest(s) AS c ORDER BY silhouette DESC';

CREATE AGGREGATE cluster_compare(data record, k_min int, k_max int) (
    SFUNC = cluster_compare_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_compare_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_compare(record, int, int) IS
'cluster_compare with the default options; see cluster_compare(record, int, int, jsonb).';

CREATE AGGREGATE cluster_compare(data float8[], k_min int, k_max int, options jsonb) (
    SFUNC = cluster_compare_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_compare_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_compare(float8[], int, int, jsonb) IS
'cluster_compare of arrays, whose elements are numbers matched by position; see cluster_compare(record, int, int, jsonb).';

CREATE AGGREGATE cluster_compare(data float8[], k_min int, k_max int) (
    SFUNC = cluster_compare_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_compare_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_compare(float8[], int, int) IS
'cluster_compare of arrays with the default options; see cluster_compare(record, int, int, jsonb).';
