-- Has the population moved since a model was trained?

CREATE TYPE feature_drift AS (
    feature text,
    psi float8,
    null_share_then float8,
    null_share_now float8,
    unseen_share float8,
    verdict text);
COMMENT ON TYPE feature_drift IS
'One feature of a model, then (its training rows) and now, as model_drift returns it. psi: population stability index, 0 when nothing moved. null_share_then, null_share_now: share of rows in which it is missing (NULL or NaN); then NULL where training left such rows out. unseen_share: share of the rows now whose text training did not have; NULL for numbers. verdict: stable (psi below .1), shifted (up to .25), drifted (above).';

CREATE FUNCTION model_drift_accum(internal, bytea, record) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_model_drift_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION model_drift_accum(internal, bytea, record) IS
'Transition function of model_drift(bytea, record); not for direct use.';

CREATE FUNCTION model_drift_accum(internal, bytea, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_model_drift_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION model_drift_accum(internal, bytea, float8[]) IS
'Transition function of model_drift(bytea, float8[]); not for direct use.';

CREATE FUNCTION model_drift_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_model_drift_combine'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION model_drift_combine(internal, internal) IS
'Combine function of model_drift; not for direct use.';

CREATE FUNCTION model_drift_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_model_drift_serialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION model_drift_serialize(internal) IS
'Serialization function of model_drift; not for direct use.';

CREATE FUNCTION model_drift_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_model_drift_deserialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION model_drift_deserialize(bytea, internal) IS
'Deserialization function of model_drift; not for direct use.';

CREATE FUNCTION model_drift_final(internal) RETURNS feature_drift[]
    AS 'MODULE_PATHNAME', 'rml_model_drift_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION model_drift_final(internal) IS
'Final function of model_drift; not for direct use.';

CREATE AGGREGATE model_drift(model bytea, data record) (
    SFUNC = model_drift_accum, STYPE = internal, SSPACE = 8192,
    FINALFUNC = model_drift_final,
    COMBINEFUNC = model_drift_combine, SERIALFUNC = model_drift_serialize,
    DESERIALFUNC = model_drift_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE model_drift(bytea, record) IS
'How far the rows of today are from those a model was trained on, feature by feature: an array of feature_drift in the order of the model''s features. unnest gives the rows. Nothing but the model is needed for "then": it keeps the deciles of its numbers and the counts of its categories.

psi is the population stability index, the sum over bins of (now - then) ln(now / then). Bins of a number are those between the deciles of training (a tenth of the rows each) and missing; what lies beyond the smallest and the largest value counts to the bins at the ends, unless these are a single value. Bins of a boolean are false, true and missing; those of a text are the texts of training, missing, and other. A bin that is empty on one side counts as half a row there, at most as the other side''s share. Where many rows have the value of a decile, as with small integers, they are dealt to both sides of it in the way that gives the smallest psi, so ties alone are no drift (and a value that less than a tenth of the rows had may come up to a tenth unseen).

verdict: below .1 stable, up to .25 shifted, above drifted. psi has noise of about (bins - 1) (1 / rows then + 1 / rows now): with less than a few hundred rows a verdict says little, and with many rare texts more are needed.

model is one model; rows of several are an error, GROUP BY compares each with its own. Rows are matched by column name as in predict: other columns are ignored, a missing one is an error that lists what is missing.

NULL: rows that are NULL are left out, as are rows with a NULL model; NULL when none is left. A missing value has its own bin; for models trained with impute = skip, which never saw such rows, they are left out (null_share_now counts them, null_share_then is NULL), and psi is NULL when no complete row is left. Infinity is an error that names the column.

Errors: a model without features, such as svdpp (22023), damaged bytes, a column that is missing or of the wrong kind.

Source: Siddiqi, Credit Risk Scorecards, 2006 (the index and its bounds); Yurdakul and Naranjo, J. Risk Model Validation 2020 (its noise).

Example: SELECT d.feature, d.psi, d.verdict FROM (SELECT model_drift((SELECT model_load(''churn'')), f) AS drift FROM features f) s, unnest(drift) d ORDER BY d.psi DESC';

CREATE AGGREGATE model_drift(model bytea, data float8[]) (
    SFUNC = model_drift_accum, STYPE = internal, SSPACE = 8192,
    FINALFUNC = model_drift_final,
    COMBINEFUNC = model_drift_combine, SERIALFUNC = model_drift_serialize,
    DESERIALFUNC = model_drift_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE model_drift(bytea, float8[]) IS
'The drift of a model that was trained on arrays, for arrays: elements are matched by position and their number is checked. Otherwise as model_drift(bytea, record).';
