-- Segments that describe themselves.

CREATE FUNCTION segment_profile(
    model bytea,
    OUT cluster int, OUT name text, OUT size bigint, OUT share float8, OUT feature text,
    OUT category text, OUT mean float8, OUT overall_mean float8, OUT z float8, OUT rank int)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_sql_segment_profile'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 50;
COMMENT ON FUNCTION segment_profile(bytea) IS
'What is telling about each cluster of a model: a row for each cluster and numeric or boolean feature, and for each cluster and category of a categorical one.

name: what the cluster is called (see segment_names), never made of its number, and unique within the model. size and share: training rows, and their part of all. category: NULL for a number; "(missing)" where training rows had none. mean and overall_mean: of the feature, in the cluster and over all training rows, in the units of the column; of a category, its share. z: their difference in standard deviations of all training rows, which for a share P is sqrt(P (1 - P)). rank: 1 is the cluster''s most telling row, the one with the largest |z|. Of a column with two categories the one that is less frequent in the cluster than overall only mirrors the other, and ranks last.

Errors: invalid_parameter_value when the model is not one of clusters.

Example: SELECT DISTINCT cluster, name, size, round((100 * share)::numeric, 1) AS percent FROM segment_profile(model_load(''segments'')) ORDER BY cluster';

CREATE FUNCTION segment_names(
    model bytea, rules jsonb DEFAULT NULL,
    OUT cluster int, OUT name text, OUT reason text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_sql_segment_names'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 10;
COMMENT ON FUNCTION segment_names(bytea, jsonb) IS
'What the clusters of a model are called, and why: a row per cluster. Names are unique within a model and follow from the profiles (segment_profile), never from the clusters'' numbers or order. reason is a sentence with the numbers behind the name.

rules: NULL gives the names the model goes by everywhere: those fixed in it (rename_segments, match_model), else those of set "purchase" if the features have names that say which are spend and frequency, else generic ones. Otherwise

- a set, as a jsonb text: "purchase" (High Spenders, Frequent Shoppers, Occasional Buyers, Value Seekers), "loyalty" (Insiders, Loyal Customers, Potential Loyalists, Promising, Need Attention, Price Sensitive, Hibernating, Churn) or "generic" (made of the features, "frequent, high monetary");
- {"set": ..., "columns": {role: feature}}: a set (default "purchase"), and which features play the roles "spend", "frequency", "spend_per_item", "recency", "discount" that it speaks of, where their names do not say so. Both sets need spend and frequency;
- an array of rules {"name": ..., "when": {feature: condition, ...}}, of which the first that fits a cluster names it; one without "when" fits all. A condition is a word about z ("very low", "low", "below average", "average", "above average", "high", "very high"; "high" includes "very high") or an object of bounds, ends included: min, max (the mean, in units of the column), min_z, max_z; for a categorical feature {"category": ..., "min_share": ..., "max_share": ...}, shares from 0 to 1.

Clusters that no rule fits have their generic name. Those that get the same name are numbered: "Promising", "Promising 2"; the one that fits best has no number. A set gives each of its names once before it does so.

NULL model: no rows. Errors: invalid_parameter_value, with what is valid in the hint, for anything in rules that is not as above, and when the model is not one of clusters.

Example: SELECT * FROM segment_names(model_load(''segments''), ''[{"name": "VIP", "when": {"monetary": "very high"}}, {"name": "Gone", "when": {"recency": {"min": 180}}}]'')';

CREATE FUNCTION rename_segments(model bytea, names jsonb) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_sql_rename_segments'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION rename_segments(bytea, jsonb) IS
'The model with fixed names for its clusters, which predict_label, segment_profile and all others then give. names: {"cluster": "name"}, for example {"1": "VIP", "3": "New"}; clusters that are not in it keep the name they have, so ''{}'' fixes all names as they are. Nothing but the names changes.

Errors: invalid_parameter_value for a cluster that the model does not have, for a name that is empty, longer than 200 bytes or no text, and when two clusters would have the same name.

Example: SELECT model_save(''segments'', rename_segments(model_load(''segments''), jsonb_object_agg(cluster, n.name))) FROM segment_names(model_load(''segments''), ''"loyalty"'') n';

CREATE FUNCTION segment_insights(
    model bytea,
    OUT cluster int, OUT rank int, OUT sentence text, OUT feature text, OUT value float8,
    OUT overall float8, OUT n bigint, OUT share float8, OUT category text, OUT name text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_sql_segment_insights'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 30;
COMMENT ON FUNCTION segment_insights(bytea) IS
'What is worth telling about each cluster of a model, in English sentences, best first: three to five per cluster, fewer if the model has fewer features. Every number of a sentence is in its row, there with all its digits: value and overall are the mean of the feature in the cluster and over all training rows (of a boolean or a category its share, which the sentence gives in percent), n and share the cluster''s training rows and their part of all. category: NULL unless the sentence is about one. name: of the cluster.

In words, a difference is "far above" or "far below" from 1.5 standard deviations of all rows on, "well" from 0.5, "slightly" from 0.1, else "close to". "The highest of all segments" is said where it is so.

Errors: invalid_parameter_value when the model is not one of clusters.

Example: SELECT sentence FROM segment_insights(model_load(''segments'')) ORDER BY cluster, rank';

CREATE FUNCTION segment_levers(
    model bytea, levers jsonb DEFAULT NULL,
    OUT cluster int, OUT name text, OUT lever text, OUT reason text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_sql_segment_levers_model'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 10;
COMMENT ON FUNCTION segment_levers(bytea, jsonb) IS
'What marketing can do with each segment of a model of clusters or of rfm_fit: a row per segment. lever: an action, by the name of the segment for all names of the sets of segment_names and of rfm_segments, else one that follows from the profile. reason: the numbers behind the name of a cluster, or what the RFM segment is. cluster is NULL for RFM segments.

levers: {"name": "lever"} replaces built-in levers. That of "Promising" is also that of "Promising 2", unless that has one of its own. Names that the model does not have are ignored, so one object can serve all models.

NULL model: no rows. Errors: invalid_parameter_value when levers is not an object of texts that are not empty, or the model has no segments.

Example: SELECT name, lever FROM segment_levers(model_load(''segments''), ''{"Churn": "Leave them alone."}'')';

CREATE FUNCTION segment_levers(
    name text, levers jsonb DEFAULT NULL,
    OUT cluster int, OUT name text, OUT lever text, OUT reason text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_sql_segment_levers_name'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 1;
COMMENT ON FUNCTION segment_levers(text, jsonb) IS
'The lever of the segment with this name, one row with cluster NULL; for a name that is not known, a general one. Otherwise as segment_levers(bytea, jsonb).

Example: SELECT lever FROM segment_levers(''Need Attention'')';
