-- Products: who will leave, and what a customer will spend.

-- ---- churn_fit

CREATE FUNCTION churn_fit_accum(internal, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_churn_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION churn_fit_accum(internal, record, text) IS
'Transition function of churn_fit; not for direct use.';

CREATE FUNCTION churn_fit_accum(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_churn_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION churn_fit_accum(internal, record, text, jsonb) IS
'Transition function of churn_fit; not for direct use.';

CREATE FUNCTION churn_fit_accum(internal, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_churn_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION churn_fit_accum(internal, anyelement, float8[]) IS
'Transition function of churn_fit; not for direct use.';

CREATE FUNCTION churn_fit_accum(internal, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_churn_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION churn_fit_accum(internal, anyelement, float8[], jsonb) IS
'Transition function of churn_fit; not for direct use.';

CREATE FUNCTION churn_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_churn_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION churn_fit_final(internal) IS
'Final function of churn_fit; not for direct use.';

CREATE AGGREGATE churn_fit(data record, label text, options jsonb) (
    SFUNC = churn_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = churn_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_fit(record, text, jsonb) IS
'A churn model from rows that say who left: the model, as bytea. Logistic regression, a random forest and boosted trees are compared by cross-validation on these rows, the one with the smallest log loss is kept, and its probabilities are calibrated on rows it had not seen (Platt 1999). model_info shows how all of them did.

data: a row (table or subquery alias) as of some day in the past, such as a row of customer_snapshot(); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories. Columns of customer_snapshot() that are no features (customer_id, churned, future_spend, future_orders) are left out by themselves. label: the name of the column that says who left; a boolean, a text or a number of two values. Of two texts or numbers that do not say so themselves, as no and yes do, name the one that means leaving: {"positive": "left"}. Rows without a label are left out.

Own options: group, the column whose rows stay together in cross-validation (customer_id, if there is such a column, of a number, text or enum type); folds (5); medium and high, the probabilities from which churn_risk says so (.3, .6).

Options of all supervised fits: features or exclude, arrays of column names to use or to leave out; weight, a column of row weights; class_weight "none", "balanced" or an object of a number for each class; resample "none", "over", "under" or "smote" (training rows only); positive, the class of two whose probability is predicted (default: the last by name, true of a boolean; a NOTICE says which one that is, unless the two are false and true, f and t, no and yes, n and y or 0 and 1); task "auto", "regression" or "classification" for a numeric label; leak "warning", "error" or "ignore" when one feature alone gives the label away (AUC or R2 of .999); impute "mean", "median", "zero", "error" or "skip" for NULL and NaN; max_categories of a column (1000); seed (42). A text that is different in each of 20 rows or more, such as the number of a contract, is left out, and a NOTICE says so.

The same rows and options give the same bytes, whatever the order of rows, the plan or the number of threads. NULL for no rows. Errors name the column or option: a label with one class, infinity, a column without values, an unknown option, more memory than retailml.max_memory.

Source: Stone 1974, Platt 1999. Method: docs/algorithms/churn.md

Example: SELECT churn_fit(s, ''churned'') FROM customer_snapshot(''purchases'', ''2024-07-01'') s';

CREATE AGGREGATE churn_fit(data record, label text) (
    SFUNC = churn_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = churn_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_fit(record, text) IS
'churn_fit with the default options; see churn_fit(record, text, jsonb).';

CREATE AGGREGATE churn_fit(label anyelement, data float8[], options jsonb) (
    SFUNC = churn_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = churn_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_fit(anyelement, float8[], jsonb) IS
'churn_fit of arrays: features are the elements, matched by position and called x1, x2, ...; label is the value to predict of that row. Options features, exclude, weight and group do not apply. Otherwise as churn_fit(record, text, jsonb).';

CREATE AGGREGATE churn_fit(label anyelement, data float8[]) (
    SFUNC = churn_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = churn_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE churn_fit(anyelement, float8[]) IS
'churn_fit of arrays with the default options; see churn_fit(anyelement, float8[], jsonb).';

CREATE FUNCTION churn_predict(model bytea, data record) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_churn_sql_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION churn_predict(bytea, record) IS
'The probability that a customer leaves, calibrated; the same as predict(). Columns are matched by name and NULLs imputed as predict(bytea, record) does.

Example: SELECT customer_id, churn_predict((SELECT model_load(''churn'')), s) FROM customer_snapshot(''purchases'', now()) s';

CREATE FUNCTION churn_predict(model bytea, data float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_churn_sql_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION churn_predict(bytea, float8[]) IS
'The probability that a customer leaves, calibrated; the same as predict(). Elements are matched by position; for models trained on arrays.';

CREATE FUNCTION churn_risk(model bytea, data record) RETURNS text
    AS 'MODULE_PATHNAME', 'rml_churn_sql_risk'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION churn_risk(bytea, record) IS
'The risk that a customer leaves: low, medium or high, by the bands the model was fitted with (options medium and high). Columns are matched by name and NULLs imputed as predict(bytea, record) does.

Example: SELECT churn_risk((SELECT model_load(''churn'')), s), count(*) FROM customer_snapshot(''purchases'', now()) s GROUP BY 1';

CREATE FUNCTION churn_risk(model bytea, data float8[]) RETURNS text
    AS 'MODULE_PATHNAME', 'rml_churn_sql_risk'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION churn_risk(bytea, float8[]) IS
'The risk that a customer leaves: low, medium or high, by the bands the model was fitted with (options medium and high). Elements are matched by position; for models trained on arrays.';

CREATE FUNCTION churn_explain(
    model bytea, data record,
    OUT probability float8, OUT risk text,
    OUT reason_1 text, OUT contribution_1 float8, OUT reason_2 text, OUT contribution_2 float8,
    OUT reason_3 text, OUT contribution_3 float8)
    AS 'MODULE_PATHNAME', 'rml_churn_sql_explain'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION churn_explain(bytea, record) IS
'Why a customer is at risk: the probability and the risk as churn_predict and churn_risk give them, and the three values of the row that move the prediction most towards leaving, the largest first, with their contributions to the log-odds. NULL where fewer than three do: what speaks for staying is no reason here. Of a customer at low risk they are what remains of warnings. A category that the training rows did not have is marked (not seen in training). predict_explain(model, row) lists the contributions of all columns, of either sign. Columns are matched by name and NULLs imputed as predict(bytea, record) does.

Example: SELECT s.customer_id, e.* FROM customer_snapshot(''purchases'', now()) s, churn_explain((SELECT model_load(''churn'')), s) e ORDER BY e.probability DESC LIMIT 10';

CREATE FUNCTION churn_explain(
    model bytea, data float8[],
    OUT probability float8, OUT risk text,
    OUT reason_1 text, OUT contribution_1 float8, OUT reason_2 text, OUT contribution_2 float8,
    OUT reason_3 text, OUT contribution_3 float8)
    AS 'MODULE_PATHNAME', 'rml_churn_sql_explain'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION churn_explain(bytea, float8[]) IS
'Why a customer is at risk: the probability and the risk as churn_predict and churn_risk give them, and the three values of the row that move the prediction most towards leaving, the largest first, with their contributions to the log-odds. NULL where fewer than three do: what speaks for staying is no reason here. Of a customer at low risk they are what remains of warnings. A category that the training rows did not have is marked (not seen in training). predict_explain(model, row) lists the contributions of all columns, of either sign. Elements are matched by position; for models trained on arrays.';

-- ---- ltv_fit

CREATE FUNCTION ltv_fit_accum(internal, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_ltv_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION ltv_fit_accum(internal, record, text) IS
'Transition function of ltv_fit; not for direct use.';

CREATE FUNCTION ltv_fit_accum(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_ltv_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION ltv_fit_accum(internal, record, text, jsonb) IS
'Transition function of ltv_fit; not for direct use.';

CREATE FUNCTION ltv_fit_accum(internal, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_ltv_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION ltv_fit_accum(internal, anyelement, float8[]) IS
'Transition function of ltv_fit; not for direct use.';

CREATE FUNCTION ltv_fit_accum(internal, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_ltv_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION ltv_fit_accum(internal, anyelement, float8[], jsonb) IS
'Transition function of ltv_fit; not for direct use.';

CREATE FUNCTION ltv_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_ltv_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION ltv_fit_final(internal) IS
'Final function of ltv_fit; not for direct use.';

CREATE AGGREGATE ltv_fit(data record, label text, options jsonb) (
    SFUNC = ltv_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = ltv_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE ltv_fit(record, text, jsonb) IS
'A model of what customers will spend: the model, as bytea. Two parts of boosted trees: will there be a purchase, and of how much; the amount is learnt by trees as it is, as its logarithm, or as what a linear trend leaves, whichever does best (RMSE) in cross-validation on these rows. model_info shows how all three did.

data: a row (table or subquery alias) as of some day in the past, such as a row of customer_snapshot(); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories. Columns of customer_snapshot() that are no features (customer_id, churned, future_spend, future_orders) are left out by themselves. label: the name of the column with the money spent afterwards, a number; 0 or less counts as no purchase. Rows without a label are left out.

Own options: group, the column whose rows stay together in cross-validation (customer_id, if there is such a column, of a number, text or enum type); folds (5); amount "auto", "linear", "log" or "trend".

Options of all supervised fits: features or exclude, arrays of column names to use or to leave out; weight, a column of row weights; class_weight "none", "balanced" or an object of a number for each class; resample "none", "over", "under" or "smote" (training rows only); positive, the class of two whose probability is predicted (default: the last by name, true of a boolean; a NOTICE says which one that is, unless the two are false and true, f and t, no and yes, n and y or 0 and 1); task "auto", "regression" or "classification" for a numeric label; leak "warning", "error" or "ignore" when one feature alone gives the label away (AUC or R2 of .999); impute "mean", "median", "zero", "error" or "skip" for NULL and NaN; max_categories of a column (1000); seed (42). A text that is different in each of 20 rows or more, such as the number of a contract, is left out, and a NOTICE says so.

The same rows and options give the same bytes, whatever the order of rows, the plan or the number of threads. NULL for no rows. Errors name the column or option: a label with one class, infinity, a column without values, an unknown option, more memory than retailml.max_memory.

Source: Cragg 1971, Duan 1983. Method: docs/algorithms/ltv.md

Example: SELECT ltv_fit(s, ''future_spend'') FROM customer_snapshot(''purchases'', ''2024-07-01'', ''365 days'') s';

CREATE AGGREGATE ltv_fit(data record, label text) (
    SFUNC = ltv_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = ltv_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE ltv_fit(record, text) IS
'ltv_fit with the default options; see ltv_fit(record, text, jsonb).';

CREATE AGGREGATE ltv_fit(label anyelement, data float8[], options jsonb) (
    SFUNC = ltv_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = ltv_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE ltv_fit(anyelement, float8[], jsonb) IS
'ltv_fit of arrays: features are the elements, matched by position and called x1, x2, ...; label is the value to predict of that row. Options features, exclude, weight and group do not apply. Otherwise as ltv_fit(record, text, jsonb).';

CREATE AGGREGATE ltv_fit(label anyelement, data float8[]) (
    SFUNC = ltv_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = ltv_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE ltv_fit(anyelement, float8[]) IS
'ltv_fit of arrays with the default options; see ltv_fit(anyelement, float8[], jsonb).';

CREATE FUNCTION ltv_predict(model bytea, data record) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_ltv_sql_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION ltv_predict(bytea, record) IS
'The money a customer will spend, in the unit of the label; the same as predict(). Columns are matched by name and NULLs imputed as predict(bytea, record) does.

Example: SELECT customer_id, ltv_predict((SELECT model_load(''ltv'')), s) FROM customer_snapshot(''purchases'', now()) s';

CREATE FUNCTION ltv_predict(model bytea, data float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_ltv_sql_predict'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION ltv_predict(bytea, float8[]) IS
'The money a customer will spend, in the unit of the label; the same as predict(). Elements are matched by position; for models trained on arrays.';
