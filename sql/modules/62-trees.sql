-- Decision trees, random forests, gradient boosting.

-- ---- tree_fit

CREATE FUNCTION tree_fit_accum(internal, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_tree_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION tree_fit_accum(internal, record, text) IS
'Transition function of tree_fit; not for direct use.';

CREATE FUNCTION tree_fit_accum(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_tree_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION tree_fit_accum(internal, record, text, jsonb) IS
'Transition function of tree_fit; not for direct use.';

CREATE FUNCTION tree_fit_accum(internal, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_tree_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION tree_fit_accum(internal, anyelement, float8[]) IS
'Transition function of tree_fit; not for direct use.';

CREATE FUNCTION tree_fit_accum(internal, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_tree_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION tree_fit_accum(internal, anyelement, float8[], jsonb) IS
'Transition function of tree_fit; not for direct use.';

CREATE FUNCTION tree_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_tree_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION tree_fit_final(internal) IS
'Final function of tree_fit; not for direct use.';

CREATE AGGREGATE tree_fit(data record, label text, options jsonb) (
    SFUNC = tree_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = tree_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE tree_fit(record, text, jsonb) IS
'A decision tree for classes or numbers: the model, as bytea.

data: a row (table or subquery alias); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories, other types are refused by name. label: the name of the column to predict, which is no feature; a boolean or text label is a class (any number of them), a number is a number. Rows without a label are left out.

Nodes split on one feature, a number by a threshold and a category by a set of its values, where Gini impurity (classes) or variance (numbers) falls most. Features are cut into at most 255 bins first. tree_rules(model) shows the tree as SQL conditions.

Own options: max_depth, 0 for any (5); min_samples_leaf (10); min_samples_split (2).

Options of all supervised fits: features or exclude, arrays of column names to use or to leave out; weight, a column of row weights; class_weight "none", "balanced" or an object of a number for each class; resample "none", "over", "under" or "smote" (training rows only); positive, the class of two whose probability is predicted (default: the last by name, true of a boolean; a NOTICE says which one that is, unless the two are false and true, f and t, no and yes, n and y or 0 and 1); task "auto", "regression" or "classification" for a numeric label; leak "warning", "error" or "ignore" when one feature alone gives the label away (AUC or R2 of .999); impute "mean", "median", "zero", "error" or "skip" for NULL and NaN; max_categories of a column (1000); seed (42). A text that is different in each of 20 rows or more, such as the number of a contract, is left out, and a NOTICE says so.

The same rows and options give the same bytes, whatever the order of rows, the plan or the number of threads. NULL for no rows. Errors name the column or option: a label with one class, infinity, a column without values, an unknown option, more memory than retailml.max_memory.

Source: Breiman, Friedman, Olshen and Stone 1984. Method: docs/algorithms/tree.md

Example: SELECT r.* FROM (SELECT tree_fit(f, ''churned'') AS model FROM features f) m, tree_rules(m.model) r';

CREATE AGGREGATE tree_fit(data record, label text) (
    SFUNC = tree_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = tree_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE tree_fit(record, text) IS
'tree_fit with the default options; see tree_fit(record, text, jsonb).';

CREATE AGGREGATE tree_fit(label anyelement, data float8[], options jsonb) (
    SFUNC = tree_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = tree_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE tree_fit(anyelement, float8[], jsonb) IS
'tree_fit of arrays: features are the elements, matched by position and called x1, x2, ...; label is the value to predict of that row, and its type says what it is. Options features, exclude and weight do not apply. Otherwise as tree_fit(record, text, jsonb).';

CREATE AGGREGATE tree_fit(label anyelement, data float8[]) (
    SFUNC = tree_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = tree_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE tree_fit(anyelement, float8[]) IS
'tree_fit of arrays with the default options; see tree_fit(anyelement, float8[], jsonb).';

-- ---- forest_fit

CREATE FUNCTION forest_fit_accum(internal, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_forest_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION forest_fit_accum(internal, record, text) IS
'Transition function of forest_fit; not for direct use.';

CREATE FUNCTION forest_fit_accum(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_forest_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION forest_fit_accum(internal, record, text, jsonb) IS
'Transition function of forest_fit; not for direct use.';

CREATE FUNCTION forest_fit_accum(internal, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_forest_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION forest_fit_accum(internal, anyelement, float8[]) IS
'Transition function of forest_fit; not for direct use.';

CREATE FUNCTION forest_fit_accum(internal, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_forest_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION forest_fit_accum(internal, anyelement, float8[], jsonb) IS
'Transition function of forest_fit; not for direct use.';

CREATE FUNCTION forest_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_forest_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION forest_fit_final(internal) IS
'Final function of forest_fit; not for direct use.';

CREATE AGGREGATE forest_fit(data record, label text, options jsonb) (
    SFUNC = forest_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = forest_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE forest_fit(record, text, jsonb) IS
'A random forest for classes or numbers: the model, as bytea.

data: a row (table or subquery alias); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories, other types are refused by name. label: the name of the column to predict, which is no feature; a boolean or text label is a class (any number of them), a number is a number. Rows without a label are left out.

The mean of trees, each grown on a bootstrap sample and with some of the features tried at each node. model_info shows the score of the rows outside each sample (oob_accuracy, oob_r2).

Own options: n_trees (100); max_features tried at a node, "auto" (root of their number for classes, a third for numbers) or a number; min_samples_leaf "auto" (5, and at least 1 / 20,000 of the rows) or a number; max_depth, 0 for any (0); min_samples_split (2); bootstrap (true).

Options of all supervised fits: features or exclude, arrays of column names to use or to leave out; weight, a column of row weights; class_weight "none", "balanced" or an object of a number for each class; resample "none", "over", "under" or "smote" (training rows only); positive, the class of two whose probability is predicted (default: the last by name, true of a boolean; a NOTICE says which one that is, unless the two are false and true, f and t, no and yes, n and y or 0 and 1); task "auto", "regression" or "classification" for a numeric label; leak "warning", "error" or "ignore" when one feature alone gives the label away (AUC or R2 of .999); impute "mean", "median", "zero", "error" or "skip" for NULL and NaN; max_categories of a column (1000); seed (42). A text that is different in each of 20 rows or more, such as the number of a contract, is left out, and a NOTICE says so.

The same rows and options give the same bytes, whatever the order of rows, the plan or the number of threads. NULL for no rows. Errors name the column or option: a label with one class, infinity, a column without values, an unknown option, more memory than retailml.max_memory.

Source: Breiman 2001. Method: docs/algorithms/forest.md

Example: SELECT forest_fit(f, ''churned'', ''{"exclude": ["customer_id"]}'') FROM features f';

CREATE AGGREGATE forest_fit(data record, label text) (
    SFUNC = forest_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = forest_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE forest_fit(record, text) IS
'forest_fit with the default options; see forest_fit(record, text, jsonb).';

CREATE AGGREGATE forest_fit(label anyelement, data float8[], options jsonb) (
    SFUNC = forest_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = forest_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE forest_fit(anyelement, float8[], jsonb) IS
'forest_fit of arrays: features are the elements, matched by position and called x1, x2, ...; label is the value to predict of that row, and its type says what it is. Options features, exclude and weight do not apply. Otherwise as forest_fit(record, text, jsonb).';

CREATE AGGREGATE forest_fit(label anyelement, data float8[]) (
    SFUNC = forest_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = forest_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE forest_fit(anyelement, float8[]) IS
'forest_fit of arrays with the default options; see forest_fit(anyelement, float8[], jsonb).';

-- ---- boost_fit

CREATE FUNCTION boost_fit_accum(internal, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_boost_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION boost_fit_accum(internal, record, text) IS
'Transition function of boost_fit; not for direct use.';

CREATE FUNCTION boost_fit_accum(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_boost_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION boost_fit_accum(internal, record, text, jsonb) IS
'Transition function of boost_fit; not for direct use.';

CREATE FUNCTION boost_fit_accum(internal, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_boost_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION boost_fit_accum(internal, anyelement, float8[]) IS
'Transition function of boost_fit; not for direct use.';

CREATE FUNCTION boost_fit_accum(internal, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_boost_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION boost_fit_accum(internal, anyelement, float8[], jsonb) IS
'Transition function of boost_fit; not for direct use.';

CREATE FUNCTION boost_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_boost_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION boost_fit_final(internal) IS
'Final function of boost_fit; not for direct use.';

CREATE AGGREGATE boost_fit(data record, label text, options jsonb) (
    SFUNC = boost_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = boost_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE boost_fit(record, text, jsonb) IS
'Gradient boosting of trees for classes or numbers: the model, as bytea.

data: a row (table or subquery alias); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories, other types are refused by name. label: the name of the column to predict, which is no feature; a boolean or text label is a class (any number of them), a number is a number. Rows without a label are left out.

A sum of small trees, each fitted to the gradient of the loss so far: squared error of numbers, logistic loss of two classes, softmax of more. Trees are grown on histograms of at most 255 bins.

Own options: n_trees, rounds (100); learning_rate (.1); max_depth, 0 for any (3); max_leaves (31); min_samples_leaf (20); l2 on leaf values (0); subsample, share of the rows for each tree (1); colsample, share of the features (1); early_stopping, rounds without progress on a hashed hold-out after which to stop, 0 for never (0); holdout, its share of the rows (.1).

Options of all supervised fits: features or exclude, arrays of column names to use or to leave out; weight, a column of row weights; class_weight "none", "balanced" or an object of a number for each class; resample "none", "over", "under" or "smote" (training rows only); positive, the class of two whose probability is predicted (default: the last by name, true of a boolean; a NOTICE says which one that is, unless the two are false and true, f and t, no and yes, n and y or 0 and 1); task "auto", "regression" or "classification" for a numeric label; leak "warning", "error" or "ignore" when one feature alone gives the label away (AUC or R2 of .999); impute "mean", "median", "zero", "error" or "skip" for NULL and NaN; max_categories of a column (1000); seed (42). A text that is different in each of 20 rows or more, such as the number of a contract, is left out, and a NOTICE says so.

The same rows and options give the same bytes, whatever the order of rows, the plan or the number of threads. NULL for no rows. Errors name the column or option: a label with one class, infinity, a column without values, an unknown option, more memory than retailml.max_memory.

Source: Friedman 2001; Chen and Guestrin 2016; Ke et al. 2017. Method: docs/algorithms/boost.md

Example: SELECT boost_fit(f, ''churned'', ''{"exclude": ["customer_id"]}'') FROM features f';

CREATE AGGREGATE boost_fit(data record, label text) (
    SFUNC = boost_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = boost_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE boost_fit(record, text) IS
'boost_fit with the default options; see boost_fit(record, text, jsonb).';

CREATE AGGREGATE boost_fit(label anyelement, data float8[], options jsonb) (
    SFUNC = boost_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = boost_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE boost_fit(anyelement, float8[], jsonb) IS
'boost_fit of arrays: features are the elements, matched by position and called x1, x2, ...; label is the value to predict of that row, and its type says what it is. Options features, exclude and weight do not apply. Otherwise as boost_fit(record, text, jsonb).';

CREATE AGGREGATE boost_fit(label anyelement, data float8[]) (
    SFUNC = boost_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = boost_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE boost_fit(anyelement, float8[]) IS
'boost_fit of arrays with the default options; see boost_fit(anyelement, float8[], jsonb).';
