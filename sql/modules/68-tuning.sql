-- Choosing models and features: cross-validated grids, feature elimination, permutation importance.

-- ---- cross_validate

CREATE TYPE cv_result AS (
    cell int,
    algorithm text,
    params jsonb,
    log_loss float8,
    log_loss_sd float8,
    roc_auc float8,
    roc_auc_sd float8,
    pr_auc float8,
    pr_auc_sd float8,
    accuracy float8,
    accuracy_sd float8,
    brier float8,
    brier_sd float8,
    f1 float8,
    f1_sd float8,
    rmse float8,
    rmse_sd float8,
    mae float8,
    mae_sd float8,
    r2 float8,
    r2_sd float8,
    fit_seconds float8,
    rank int,
    is_best boolean);
COMMENT ON TYPE cv_result IS
'One cell of cross_validate: the algorithm, what the grid says of its options, mean and standard deviation over the folds of each measure (NULL where it does not apply to the label), seconds of a fit (mean), rank by the metric of the option, whether it is the best.';

CREATE FUNCTION cross_validate_accum(internal, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cross_validate_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cross_validate_accum(internal, record, text) IS
'Transition function of cross_validate; not for direct use.';

CREATE FUNCTION cross_validate_accum(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cross_validate_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cross_validate_accum(internal, record, text, jsonb) IS
'Transition function of cross_validate; not for direct use.';

CREATE FUNCTION cross_validate_accum(internal, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cross_validate_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cross_validate_accum(internal, anyelement, float8[]) IS
'Transition function of cross_validate; not for direct use.';

CREATE FUNCTION cross_validate_accum(internal, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_cross_validate_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cross_validate_accum(internal, anyelement, float8[], jsonb) IS
'Transition function of cross_validate; not for direct use.';

CREATE FUNCTION cross_validate_final(internal) RETURNS cv_result[]
    AS 'MODULE_PATHNAME', 'rml_cross_validate_final'
    LANGUAGE C VOLATILE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION cross_validate_final(internal) IS
'Final function of cross_validate; not for direct use.';

CREATE AGGREGATE cross_validate(data record, label text, options jsonb) (
    SFUNC = cross_validate_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cross_validate_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cross_validate(record, text, jsonb) IS
'How good models of these rows are on rows they have not seen, for one algorithm or for every combination of a grid: K-fold cross-validation, as an array with an element for each cell; unnest gives the rows.

Rows are dealt into folds; for each fold a model is fitted to all others and judged by this one. Everything a model knows comes from its training rows: imputed values, categories, classes, class weights, resampled rows. All cells are judged by the same folds. Measures are those of scikit-learn: log_loss, roc_auc, accuracy for classes, pr_auc, brier, f1 (at probability .5) for two classes; rmse, mae, r2 for numbers; of more than two classes roc_auc is the mean over one against the rest. A measure is the mean over the folds where it is defined, its _sd the standard deviation (of the population) over these.

data: a row (table or subquery alias); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories. label: the name of the column to predict. Rows without a label, weight or group are left out.

Own options: algorithm "boost" (default), "forest", "tree", "logreg" or "linreg"; folds (5, 2 to 1000); group, a column whose rows stay together in one fold (a customer with several rows); it is no feature; metric, the measure that ranks the cells ("auto": log_loss, rmse); grid, an object of arrays of values to try, for options of the algorithm and "algorithm" itself, at most 1000 cells. All options of the algorithm''s fit are accepted as fixed values; of several algorithms each takes those it has.

Options of all supervised fits: features or exclude, arrays of column names to use or to leave out; weight, a column of row weights (fits are weighted, measures count each row once); class_weight "none", "balanced" or an object of a number for each class; resample "none", "over", "under" or "smote" (training rows only); positive, the class of two whose probability is predicted (default: the last by name, true of a boolean; a NOTICE says which one that is, unless the two are false and true, f and t, no and yes, n and y or 0 and 1); task "auto", "regression" or "classification" for a numeric label; leak "warning", "error" or "ignore" when one feature alone gives the label away; impute "mean", "median", "zero", "error" or "skip" for NULL and NaN; max_categories of a column (1000); seed (42). A text that is different in each of 20 rows or more, such as the number of a contract, is left out, and a NOTICE says so.

The same rows and options give the same result, whatever the order of rows, the plan or the number of threads; fit_seconds aside. NULL for no rows. Errors: what the fits would refuse; a training part with one class only, or with a column without values; fewer rows or groups than folds; a metric that does not fit the label.

Source: Stone, Cross-validatory choice and assessment of statistical predictions, JRSS B 1974. Method: docs/tuning.md

Example: SELECT r.* FROM (SELECT cross_validate(f, ''churned'', ''{"grid": {"max_depth": [2, 3], "n_trees": [50, 100]}}'') AS cells FROM features f) s, unnest(cells) r ORDER BY rank';

CREATE AGGREGATE cross_validate(data record, label text) (
    SFUNC = cross_validate_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cross_validate_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cross_validate(record, text) IS
'cross_validate with the default options: gradient boosting, 5 folds; see cross_validate(record, text, jsonb).';

CREATE AGGREGATE cross_validate(label anyelement, data float8[], options jsonb) (
    SFUNC = cross_validate_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cross_validate_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cross_validate(anyelement, float8[], jsonb) IS
'cross_validate of arrays: features are the elements, matched by position and called x1, x2, ...; label is the value to predict of that row. Options features, exclude, weight and group do not apply. Otherwise as cross_validate(record, text, jsonb).';

CREATE AGGREGATE cross_validate(label anyelement, data float8[]) (
    SFUNC = cross_validate_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = cross_validate_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE cross_validate(anyelement, float8[]) IS
'cross_validate of arrays with the default options; see cross_validate(anyelement, float8[], jsonb).';

-- ---- rfecv

CREATE TYPE rfecv_step AS (
    n_features int,
    metric text,
    mean float8,
    sd float8,
    dropped text[],
    features text[],
    selected boolean);
COMMENT ON TYPE rfecv_step IS
'One size of rfecv: the number of features, mean and standard deviation over the folds of the metric, the features that were dropped on the way here (the weakest first) and those that are left, both by the elimination on all rows, and whether this size is the one to take.';

CREATE FUNCTION rfecv_accum(internal, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfecv_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rfecv_accum(internal, record, text) IS
'Transition function of rfecv; not for direct use.';

CREATE FUNCTION rfecv_accum(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfecv_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rfecv_accum(internal, record, text, jsonb) IS
'Transition function of rfecv; not for direct use.';

CREATE FUNCTION rfecv_accum(internal, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfecv_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rfecv_accum(internal, anyelement, float8[]) IS
'Transition function of rfecv; not for direct use.';

CREATE FUNCTION rfecv_accum(internal, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rfecv_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rfecv_accum(internal, anyelement, float8[], jsonb) IS
'Transition function of rfecv; not for direct use.';

CREATE FUNCTION rfecv_final(internal) RETURNS rfecv_step[]
    AS 'MODULE_PATHNAME', 'rml_rfecv_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION rfecv_final(internal) IS
'Final function of rfecv; not for direct use.';

CREATE AGGREGATE rfecv(data record, label text, options jsonb) (
    SFUNC = rfecv_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = rfecv_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE rfecv(record, text, jsonb) IS
'How few features a model can do with, and which: recursive feature elimination, the number of features chosen by cross-validation. An array with an element for each size, from all features down; unnest gives the rows, and that with selected holds the features to keep.

A model is fitted, the features it needs least are dropped, and again. This is done in each fold on its training rows, and each size is judged by the rows of the fold; once more on all rows, which tells the names. What a feature is worth is what model_importance says.

data, label: as in cross_validate(record, text, jsonb).

Own options: algorithm "forest" (default), "boost", "tree", "logreg" or "linreg"; step, features dropped at a time, or below 1 the share of those that are left (.2; one at least); min_features, where to stop (1); one_se, true: the smallest size that is within one standard error of the best, false: the best mean; folds (5), group and metric as in cross_validate. All options of the algorithm''s fit are accepted.

Options of all supervised fits: features or exclude, arrays of column names to use or to leave out; weight, a column of row weights (fits are weighted, measures count each row once); class_weight "none", "balanced" or an object of a number for each class; resample "none", "over", "under" or "smote" (training rows only); positive, the class of two whose probability is predicted (default: the last by name, true of a boolean; a NOTICE says which one that is, unless the two are false and true, f and t, no and yes, n and y or 0 and 1); task "auto", "regression" or "classification" for a numeric label; leak "warning", "error" or "ignore" when one feature alone gives the label away; impute "mean", "median", "zero", "error" or "skip" for NULL and NaN; max_categories of a column (1000); seed (42). A text that is different in each of 20 rows or more, such as the number of a contract, is left out, and a NOTICE says so.

The same rows and options give the same result, whatever the order of rows, the plan or the number of threads. NULL for no rows. Errors as in cross_validate.

Source: Guyon et al., Gene selection for cancer classification using support vector machines, Machine Learning 2002. Method: docs/tuning.md

Example: SELECT features FROM (SELECT rfecv(f, ''churned'', ''{"exclude": ["customer_id"]}'') AS steps FROM features f) s, unnest(steps) WHERE selected';

CREATE AGGREGATE rfecv(data record, label text) (
    SFUNC = rfecv_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = rfecv_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE rfecv(record, text) IS
'rfecv with the default options: random forests, 5 folds; see rfecv(record, text, jsonb).';

CREATE AGGREGATE rfecv(label anyelement, data float8[], options jsonb) (
    SFUNC = rfecv_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = rfecv_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE rfecv(anyelement, float8[], jsonb) IS
'rfecv of arrays: features are the elements, called x1, x2, ...; label is the value to predict of that row. Options features, exclude, weight and group do not apply. Otherwise as rfecv(record, text, jsonb).';

CREATE AGGREGATE rfecv(label anyelement, data float8[]) (
    SFUNC = rfecv_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = rfecv_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE rfecv(anyelement, float8[]) IS
'rfecv of arrays with the default options; see rfecv(anyelement, float8[], jsonb).';

-- ---- permutation_importance

CREATE TYPE permutation_importance AS (
    feature text,
    metric text,
    baseline float8,
    importance float8,
    sd float8,
    rank int);
COMMENT ON TYPE permutation_importance IS
'One feature of permutation_importance: the measure of the rows as they are, how much worse it becomes when the feature is shuffled (mean over the repeats), the standard deviation of that, and the rank.';

CREATE FUNCTION permutation_importance_accum(internal, bytea, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_permutation_importance_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION permutation_importance_accum(internal, bytea, record, text) IS
'Transition function of permutation_importance; not for direct use.';

CREATE FUNCTION permutation_importance_accum(internal, bytea, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_permutation_importance_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION permutation_importance_accum(internal, bytea, record, text, jsonb) IS
'Transition function of permutation_importance; not for direct use.';

CREATE FUNCTION permutation_importance_accum(internal, bytea, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_permutation_importance_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION permutation_importance_accum(internal, bytea, anyelement, float8[]) IS
'Transition function of permutation_importance; not for direct use.';

CREATE FUNCTION permutation_importance_accum(internal, bytea, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_permutation_importance_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION permutation_importance_accum(internal, bytea, anyelement, float8[], jsonb) IS
'Transition function of permutation_importance; not for direct use.';

CREATE FUNCTION permutation_importance_final(internal) RETURNS permutation_importance[]
    AS 'MODULE_PATHNAME', 'rml_permutation_importance_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION permutation_importance_final(internal) IS
'Final function of permutation_importance; not for direct use.';

CREATE FUNCTION permutation_importance_array_final(internal) RETURNS permutation_importance[]
    AS 'MODULE_PATHNAME', 'rml_permutation_importance_array_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION permutation_importance_array_final(internal) IS
'Final function of permutation_importance of arrays; not for direct use.';

CREATE AGGREGATE permutation_importance(model bytea, data record, label text, options jsonb) (
    SFUNC = permutation_importance_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = permutation_importance_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE permutation_importance(bytea, record, text, jsonb) IS
'What a model gets from each of its features: how much worse it predicts these rows when the values of the feature are shuffled among them. An array with an element for each feature, the most important first; unnest gives the rows. On rows the model has not seen it tells what the feature is good for, on training rows what the model relies on; about 0 or less is nothing. Features that say the same stand in for each other.

model: a supervised model, the same for all rows. data: a row with the model''s features (other columns are ignored) and the label; label: the name of its column. NULL and NaN in features are imputed as the model does; rows without a label are left out.

Options: metric, as in cross_validate ("auto": log_loss, rmse); repeats, how often each feature is shuffled (5, 1 to 1000); seed (42).

The same rows and options give the same result, whatever the order of rows, the plan or the number of threads. NULL for no rows; importance is NULL where the metric is not defined (roc_auc of one class). Errors: a model that predicts no label; a column of the model that is missing, or of another kind; a class the model does not know; a metric that does not fit the label.

Source: Breiman, Random forests, Machine Learning 2001; Fisher, Rudin and Dominici, JMLR 2019. Method: docs/tuning.md

Example: SELECT p.* FROM (SELECT permutation_importance((SELECT model_load(''churn'')), f, ''churned'') AS features FROM holdout f) s, unnest(features) p';

CREATE AGGREGATE permutation_importance(model bytea, data record, label text) (
    SFUNC = permutation_importance_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = permutation_importance_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE permutation_importance(bytea, record, text) IS
'permutation_importance with the default options; see permutation_importance(bytea, record, text, jsonb).';

CREATE AGGREGATE permutation_importance(model bytea, label anyelement, data float8[], options jsonb) (
    SFUNC = permutation_importance_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = permutation_importance_array_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE permutation_importance(bytea, anyelement, float8[], jsonb) IS
'permutation_importance of a model that was trained on arrays: elements are matched by position; label is the label of that row. Otherwise as permutation_importance(bytea, record, text, jsonb).';

CREATE AGGREGATE permutation_importance(model bytea, label anyelement, data float8[]) (
    SFUNC = permutation_importance_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = permutation_importance_array_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE permutation_importance(bytea, anyelement, float8[]) IS
'permutation_importance of arrays with the default options; see permutation_importance(bytea, anyelement, float8[], jsonb).';
