-- Is there structure, and does it last?  cluster_stability and hopkins.

CREATE TYPE cluster_stability AS (
    method text,
    k int,
    rows bigint,
    resamples int,
    mean_ari float8,
    min_ari float8,
    best_share float8,
    gain float8,
    gain_z float8,
    separation float8,
    separation_z float8,
    structure_k int,
    verdict text);
COMMENT ON TYPE cluster_stability IS
'The result of cluster_stability. method: kmeans or kprototypes. rows: that were looked at (at most 10,000, a fixed random sample). mean_ari, min_ari: mean and lowest adjusted Rand index of the clustering with those of resamples of the rows. best_share: part of 20 single restarts that reach the best cost within 0.1 %. gain: by how much the cost is lower than noise would leave it, as a share; gain_z: the same in standard deviations of noise. separation, separation_z: likewise, by how much the share of variance that lies within a cluster and its nearest one, along the line between them, is lower. structure_k: the first of k .. k + 3 clusters for which gain is at least 0.02 and gain_z at least 4, or separation at least 0.25 and separation_z at least 3; NULL when there is none. verdict: "no structure" when there is none; "weak" when nowhere a valley lies between clusters, which then cut a continuum; else "stable" when mean_ari is at least 0.8 and min_ari at least 0.5, or "unstable".';

CREATE FUNCTION cluster_stability_accum(internal, record, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_stability_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_stability_accum(internal, record, int) IS
'Transition function of cluster_stability; not for direct use.';

CREATE FUNCTION cluster_stability_accum(internal, record, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_stability_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_stability_accum(internal, record, int, jsonb) IS
'Transition function of cluster_stability; not for direct use.';

CREATE FUNCTION cluster_stability_accum(internal, float8[], int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_stability_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_stability_accum(internal, float8[], int) IS
'Transition function of cluster_stability; not for direct use.';

CREATE FUNCTION cluster_stability_accum(internal, float8[], int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_stability_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_stability_accum(internal, float8[], int, jsonb) IS
'Transition function of cluster_stability; not for direct use.';

CREATE FUNCTION cluster_stability_final(internal) RETURNS cluster_stability
    AS 'MODULE_PATHNAME', 'rml_cluster_stability_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION cluster_stability_final(internal) IS
'Final function of cluster_stability; not for direct use.';

CREATE AGGREGATE cluster_stability(data record, k int, options jsonb) (
    SFUNC = cluster_stability_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_stability_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_stability(record, int, jsonb) IS
'How far a clustering of these rows into k clusters can be trusted: would other customers give the same segments, is it the one best clustering or one of many, and would noise be cut as well? See type cluster_stability for the numbers and the verdict.

data: a row; numeric and boolean columns are numbers, text, varchar, char and enum columns are categories. k: number of clusters.

Rows are drawn again with replacement and clustered; all rows are labelled by the result and compared with the clustering of the rows themselves by the adjusted Rand index. The noise has the spread of each column and one hump only; columns of up to 16 different values, and categories, keep their frequencies. One cloud of customers, however skewed, is "no structure".

Options (jsonb object): method "auto" (default: kprototypes with categories, else kmeans), "kmeans" or "kprototypes"; resamples (20); those of the method that matter here: gamma, n_init (10), max_iter, tol, standardize, seed; features, exclude, impute, max_categories.

More than 10,000 rows are represented by a fixed random sample of 10,000. The same rows and options give the same result. NULL for no rows. Errors: as kprototypes_fit(record, int, jsonb), and a categorical column with method "kmeans".

Source: Hennig 2007; Tibshirani, Walther and Hastie 2001. Method and measured error rates: docs/algorithms/cluster-metrics.md

Example: SELECT (cluster_stability(f, 4, ''{"exclude": ["customer_id"]}'')).* FROM features f';

CREATE AGGREGATE cluster_stability(data record, k int) (
    SFUNC = cluster_stability_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_stability_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_stability(record, int) IS
'cluster_stability with the default options; see cluster_stability(record, int, jsonb).';

CREATE AGGREGATE cluster_stability(data float8[], k int, options jsonb) (
    SFUNC = cluster_stability_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_stability_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_stability(float8[], int, jsonb) IS
'cluster_stability of arrays, whose elements are numbers matched by position; see cluster_stability(record, int, jsonb).';

CREATE AGGREGATE cluster_stability(data float8[], k int) (
    SFUNC = cluster_stability_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_stability_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_stability(float8[], int) IS
'cluster_stability of arrays with the default options; see cluster_stability(record, int, jsonb).';

CREATE FUNCTION hopkins_accum(internal, record) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_hopkins_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hopkins_accum(internal, record) IS
'Transition function of hopkins; not for direct use.';

CREATE FUNCTION hopkins_accum(internal, record, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_hopkins_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hopkins_accum(internal, record, jsonb) IS
'Transition function of hopkins; not for direct use.';

CREATE FUNCTION hopkins_accum(internal, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_hopkins_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hopkins_accum(internal, float8[]) IS
'Transition function of hopkins; not for direct use.';

CREATE FUNCTION hopkins_accum(internal, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_hopkins_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hopkins_accum(internal, float8[], jsonb) IS
'Transition function of hopkins; not for direct use.';

CREATE FUNCTION hopkins_final(internal) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_hopkins_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION hopkins_final(internal) IS
'Final function of hopkins; not for direct use.';

CREATE AGGREGATE hopkins(data record, options jsonb) (
    SFUNC = hopkins_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = hopkins_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE hopkins(record, jsonb) IS
'The Hopkins statistic of the rows: about 0.5 when they are spread evenly over the box that holds them, near 1 when they are in clumps, near 0 on a grid. It says that rows are not spread evenly and no more: one dense cloud has a high value too, and so have columns with few different values. Ask cluster_stability for a verdict.

data: a row; numeric and boolean columns are used, other types are refused by name (leave them out with exclude).

A tenth of the rows, at most 1,000 of at most 20,000, is compared with as many points drawn evenly in the box, by the d-th powers of the distances to the nearest row (d: the number of columns).

Options (jsonb object): seed (42), standardize (true), features, exclude, impute. NULL for fewer than two rows, and when all rows are equal. Errors name the column or option.

Source: Hopkins and Skellam 1954; Banerjee and Dave 2004. Method: docs/algorithms/cluster-metrics.md

Example: SELECT hopkins(f, ''{"exclude": ["customer_id"]}'') FROM features f';

CREATE AGGREGATE hopkins(data record) (
    SFUNC = hopkins_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = hopkins_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE hopkins(record) IS
'hopkins with the default options; see hopkins(record, jsonb).';

CREATE AGGREGATE hopkins(data float8[], options jsonb) (
    SFUNC = hopkins_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = hopkins_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE hopkins(float8[], jsonb) IS
'hopkins of arrays; see hopkins(record, jsonb).';

CREATE AGGREGATE hopkins(data float8[]) (
    SFUNC = hopkins_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = hopkins_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE hopkins(float8[]) IS
'hopkins of arrays with the default options; see hopkins(record, jsonb).';
