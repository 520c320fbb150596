-- Can a segmentation be trusted: metrics of any labels, clustering tendency, stability.

CREATE TYPE cluster_metrics AS (
    clusters int,
    rows bigint,
    noise_share float8,
    silhouette float8,
    davies_bouldin float8,
    calinski_harabasz float8,
    silhouette_rows bigint,
    silhouette_exact boolean);
COMMENT ON TYPE cluster_metrics IS
'What cluster_metrics() says of a clustering. clusters: different labels from 0 up. rows: rows with a label. noise_share: part of them whose label is below 0; they take no part in what follows. silhouette: -1 .. 1, large is good. davies_bouldin: from 0, small is good. calinski_harabasz: from 0, large is good; these two are of the numeric columns alone. All three are NULL with fewer than two clusters, or as many clusters as rows. silhouette_rows: rows the silhouette is the mean of. silhouette_exact: false when these are a sample.';

CREATE FUNCTION cluster_metrics_accum(internal, record, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_metrics_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_metrics_accum(internal, record, int) IS
'Transition function of cluster_metrics; not for direct use.';

CREATE FUNCTION cluster_metrics_accum(internal, record, int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_metrics_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_metrics_accum(internal, record, int, jsonb) IS
'Transition function of cluster_metrics; not for direct use.';

CREATE FUNCTION cluster_metrics_accum(internal, float8[], int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_metrics_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_metrics_accum(internal, float8[], int) IS
'Transition function of cluster_metrics; not for direct use.';

CREATE FUNCTION cluster_metrics_accum(internal, float8[], int, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cluster_metrics_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cluster_metrics_accum(internal, float8[], int, jsonb) IS
'Transition function of cluster_metrics; not for direct use.';

CREATE FUNCTION cluster_metrics_final(internal) RETURNS cluster_metrics
    AS 'MODULE_PATHNAME', 'rml_cluster_metrics_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION cluster_metrics_final(internal) IS
'Final function of cluster_metrics; not for direct use.';

CREATE AGGREGATE cluster_metrics(data record, label int, options jsonb) (
    SFUNC = cluster_metrics_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_metrics_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_metrics(record, int, jsonb) IS
'The usual metrics of a clustering, for labels from anywhere: a model''s predict(), a rule, another tool. See the type cluster_metrics for what they say.

data: a row (table or subquery alias); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories, other types are refused by name (leave them out with exclude). label: the row''s cluster, any int; below 0 is noise, which is counted and otherwise left out. Rows whose label is NULL are left out altogether. A label that comes with the row as a column of it should be excluded there.

Rows of numbers are compared by Euclidean distance. Rows with categories have their silhouette over Gower distances (the mean over columns of |x - y| / range for a number, and of 0 or 1 for a category that is equal or not; a missing category is one like the others), and Davies-Bouldin and Calinski-Harabasz of the numbers alone, NULL when there are none. Up to 10,000 rows the silhouette is exact; with more it is that of a sample of 10,000, the same for the same rows, and silhouette_exact is false.

Options (jsonb object): standardize true: use z-scores of numbers, as the clusterings here do by default (without effect on Gower distances); features or exclude: arrays of column names to use or to leave out; impute "mean", "median", "zero", "error" or "skip" for NULL and NaN ("mean"); max_categories of a column (1000). Give those the clustering had.

NULL for no rows. The same rows give the same bytes, whatever their order, the plan or the number of threads. Errors name the column or option: a type that is neither number nor category, infinity, a column without values, an unknown option, more memory than retailml.max_memory.

Source: Rousseeuw 1987; Gower 1971; Davies and Bouldin 1979; Calinski and Harabasz 1974. Method: docs/algorithms/cluster-metrics.md

Example: SELECT (cluster_metrics(f, label, ''{"exclude": ["customer_id", "label"]}'')).* FROM (SELECT f.*, predict((SELECT model_load(''segments'')), f)::int AS label FROM features f) f';

CREATE AGGREGATE cluster_metrics(data record, label int) (
    SFUNC = cluster_metrics_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_metrics_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_metrics(record, int) IS
'cluster_metrics with the default options; see cluster_metrics(record, int, jsonb).

Example: SELECT region, (cluster_metrics((spend, orders), segment)).silhouette FROM features GROUP BY region';

CREATE AGGREGATE cluster_metrics(data float8[], label int, options jsonb) (
    SFUNC = cluster_metrics_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_metrics_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_metrics(float8[], int, jsonb) IS
'cluster_metrics of arrays: the columns are the elements, matched by position and called x1, x2, ...; options features and exclude do not apply. Otherwise as cluster_metrics(record, int, jsonb).';

CREATE AGGREGATE cluster_metrics(data float8[], label int) (
    SFUNC = cluster_metrics_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cluster_metrics_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cluster_metrics(float8[], int) IS
'cluster_metrics of arrays with the default options; see cluster_metrics(float8[], int, jsonb).';

CREATE FUNCTION silhouette(data record, label int, options jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_silhouette_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION silhouette(record, int, jsonb) IS
'The silhouette of each row, -1 (in the wrong cluster) to 1, for labels from anywhere: (b - a) / max(a, b), where a is its mean distance to the other rows of its cluster and b the smallest mean distance to the rows of another one. 0 for the only row of a cluster.

Distances, labels and options are those of cluster_metrics(record, int, jsonb): Euclidean for rows of numbers, Gower for rows with categories. Up to 10,000 rows of the partition it is exact; with more, each row is compared with a sample of 10,000 of them, the same for the same rows.

NULL for a row that is NULL, without a label, or noise (a label below 0); for all rows of a partition with fewer than two clusters, or as many clusters as rows; and, above 10,000 rows, for a row whose cluster has no other row in the sample.

Source: Rousseeuw 1987; Gower 1971. Method: docs/algorithms/cluster-metrics.md

Example: SELECT customer_id, silhouette((f.spend, f.orders), f.segment) OVER () AS s FROM features f ORDER BY s';

CREATE FUNCTION silhouette(data record, label int) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_silhouette_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION silhouette(record, int) IS
'The silhouette of each row with the default options; see silhouette(record, int, jsonb).';

CREATE FUNCTION silhouette(data float8[], label int, options jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_silhouette_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION silhouette(float8[], int, jsonb) IS
'The silhouette of each row given as an array of numbers; see silhouette(record, int, jsonb). Options features and exclude do not apply.';

CREATE FUNCTION silhouette(data float8[], label int) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_silhouette_window'
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION silhouette(float8[], int) IS
'The silhouette of each row given as an array of numbers; see silhouette(record, int, jsonb).';
