-- Functions that work on any model, and the shared parts of the fit aggregates.

COMMENT ON SCHEMA @extschema@ IS
'retailml: machine learning for retail and customer analytics. Fit with an aggregate, score with a function.';

-- functions only, each with its caller's rights: what an analyst or a BI tool needs is to see them
GRANT USAGE ON SCHEMA @extschema@ TO PUBLIC;

CREATE FUNCTION fit_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_fit_combine'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION fit_combine(internal, internal) IS
'Combine function of the fit aggregates; not for direct use.';

CREATE FUNCTION fit_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_fit_serialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION fit_serialize(internal) IS
'Serialization function of the fit aggregates; not for direct use.';

CREATE FUNCTION fit_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_fit_deserialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION fit_deserialize(bytea, internal) IS
'Deserialization function of the fit aggregates; not for direct use.';

CREATE FUNCTION predict(model bytea, data record) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION predict(bytea, record) IS
'The prediction of any model for one row, as a number: the cluster (1 .. k) of kmeans_fit, the code (111 .. 555) of rfm_fit.

Columns are matched by name: their order does not matter, columns the model does not know are ignored, a missing one is an error that lists what is missing. NULL and NaN become the value the model learnt for the column (option impute of the fit); with impute = skip the prediction is NULL, with impute = error they are an error. Infinity is an error that names the column.

Errors: data_corrupted when the bytes are damaged, feature_not_supported when a newer version of retailml wrote them.

Example: SELECT f.customer_id, predict((SELECT model_load(''segments'')), f) FROM features f';

CREATE FUNCTION predict(model bytea, data float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION predict(bytea, float8[]) IS
'The prediction of a model that was trained on arrays, for one array: elements are matched by position and their number is checked. Otherwise as predict(bytea, record).';

CREATE FUNCTION predict_label(model bytea, data record) RETURNS text
    AS 'MODULE_PATHNAME', 'rml_predict_label'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION predict_label(bytea, record) IS
'The prediction of a model for one row, as a text: the name of the row''s segment, for models of clusters (see segment_names) and of rfm_fit. Rows are read as by predict(bytea, record), and NULL where that is NULL.

Errors: invalid_parameter_value when the predictions of the model are numbers without labels; otherwise those of predict.

Example: SELECT predict_label((SELECT model_load(''segments'')), f) AS segment, count(*) FROM features f GROUP BY 1';

CREATE FUNCTION predict_label(model bytea, data float8[]) RETURNS text
    AS 'MODULE_PATHNAME', 'rml_predict_label'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION predict_label(bytea, float8[]) IS
'The label of a model that was trained on arrays, for one array. Otherwise as predict_label(bytea, record).';

CREATE FUNCTION model_info(model bytea) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'rml_model_info'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION model_info(bytea) IS
'What a model is: algorithm, rows it was trained on, rows it left out (skipped), features, the value of every option, and results of the fit such as inertia and n_iter.

Example: SELECT model_info(model_load(''segments'')) ->> ''inertia''';

CREATE FUNCTION model_features(
    model bytea,
    OUT "position" int, OUT name text, OUT type text, OUT impute float8, OUT mean float8,
    OUT sd float8, OUT categories text[])
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_model_features'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10;
COMMENT ON FUNCTION model_features(bytea) IS
'The columns a model was trained on, a row each: position in the training row, name, SQL type in training, the value a missing number becomes (NULL when the model does not impute), mean and population standard deviation of the training rows after imputation, and for a category the texts that were seen (sorted).

Example: SELECT * FROM model_features(model_load(''segments''))';
