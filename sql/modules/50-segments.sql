-- Segments that describe themselves.

CREATE FUNCTION segment_profile(
    model bytea,
    OUT cluster int, OUT name text, OUT size bigint, OUT share float8, OUT feature text,
    OUT mean float8, OUT overall_mean float8, OUT z float8, OUT rank int)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_sql_segment_profile'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 50;
COMMENT ON FUNCTION segment_profile(bytea) IS
'What is telling about each cluster of a k-means model, a row for each cluster and feature. name: made of the features that set the cluster apart most ("frequent, high monetary"), never of its number, and unique within the model. size and share: training rows, and their part of all. mean and overall_mean: of the feature, in the cluster and over all training rows, in the units of the column. z: their difference in standard deviations. rank: 1 is the cluster''s most telling feature.

Example: SELECT DISTINCT cluster, name, size, round((100 * share)::numeric, 1) AS percent FROM segment_profile((SELECT model FROM models WHERE name = ''segments'')) ORDER BY cluster';
