-- Linear and logistic regression.

-- ---- linreg_fit

CREATE FUNCTION linreg_fit_accum(internal, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_linreg_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION linreg_fit_accum(internal, record, text) IS
'Transition function of linreg_fit; not for direct use.';

CREATE FUNCTION linreg_fit_accum(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_linreg_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION linreg_fit_accum(internal, record, text, jsonb) IS
'Transition function of linreg_fit; not for direct use.';

CREATE FUNCTION linreg_fit_accum(internal, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_linreg_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION linreg_fit_accum(internal, anyelement, float8[]) IS
'Transition function of linreg_fit; not for direct use.';

CREATE FUNCTION linreg_fit_accum(internal, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_linreg_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION linreg_fit_accum(internal, anyelement, float8[], jsonb) IS
'Transition function of linreg_fit; not for direct use.';

CREATE FUNCTION linreg_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_linreg_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION linreg_fit_final(internal) IS
'Final function of linreg_fit; not for direct use.';

CREATE AGGREGATE linreg_fit(data record, label text, options jsonb) (
    SFUNC = linreg_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = linreg_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE linreg_fit(record, text, jsonb) IS
'Linear regression (ordinary least squares, ridge): the model, as bytea.

data: a row (table or subquery alias); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories, other types are refused by name. label: the name of the column to predict, which is no feature; a number (with the option task = regression also a boolean, as 0 and 1). Rows without a label are left out.

Categories are one-hot encoded inside the model: the most frequent level is the reference, a missing value is a level of its own, a level that training did not see counts as the reference. Terms that depend linearly on others are dropped, with a WARNING that names them. linreg_coefficients(model) gives estimates with standard errors.

Own options: l2 penalty on the squared coefficients (0); standardize, the penalty acts on z-scores (true).

Options of all supervised fits: features or exclude, arrays of column names to use or to leave out; weight, a column of row weights; class_weight "none", "balanced" or an object of a number for each class; resample "none", "over", "under" or "smote" (training rows only); positive, the class of two whose probability is predicted (default: the last by name, true of a boolean; a NOTICE says which one that is, unless the two are false and true, f and t, no and yes, n and y or 0 and 1); task "auto", "regression" or "classification" for a numeric label; leak "warning", "error" or "ignore" when one feature alone gives the label away (AUC or R2 of .999); impute "mean", "median", "zero", "error" or "skip" for NULL and NaN; max_categories of a column (1000); seed (42). A text that is different in each of 20 rows or more, such as the number of a contract, is left out, and a NOTICE says so.

The same rows and options give the same bytes, whatever the order of rows, the plan or the number of threads. NULL for no rows. Errors name the column or option: a label with one class, infinity, a column without values, an unknown option, more memory than retailml.max_memory.

Source: Greene, Econometric Analysis (2018); MacKinnon and White 1985 for HC1 and HC3. Method: docs/algorithms/linreg.md

Example: SELECT linreg_fit(f, ''future_spend'', ''{"exclude": ["customer_id"]}'') FROM features f';

CREATE AGGREGATE linreg_fit(data record, label text) (
    SFUNC = linreg_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = linreg_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE linreg_fit(record, text) IS
'linreg_fit with the default options; see linreg_fit(record, text, jsonb).';

CREATE AGGREGATE linreg_fit(label anyelement, data float8[], options jsonb) (
    SFUNC = linreg_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = linreg_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE linreg_fit(anyelement, float8[], jsonb) IS
'linreg_fit of arrays: features are the elements, matched by position and called x1, x2, ...; label is the value to predict of that row, and its type says what it is. Options features, exclude and weight do not apply. Otherwise as linreg_fit(record, text, jsonb).';

CREATE AGGREGATE linreg_fit(label anyelement, data float8[]) (
    SFUNC = linreg_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = linreg_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE linreg_fit(anyelement, float8[]) IS
'linreg_fit of arrays with the default options; see linreg_fit(anyelement, float8[], jsonb).';

-- ---- logreg_fit

CREATE FUNCTION logreg_fit_accum(internal, record, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_logreg_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION logreg_fit_accum(internal, record, text) IS
'Transition function of logreg_fit; not for direct use.';

CREATE FUNCTION logreg_fit_accum(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_logreg_fit_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION logreg_fit_accum(internal, record, text, jsonb) IS
'Transition function of logreg_fit; not for direct use.';

CREATE FUNCTION logreg_fit_accum(internal, anyelement, float8[]) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_logreg_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION logreg_fit_accum(internal, anyelement, float8[]) IS
'Transition function of logreg_fit; not for direct use.';

CREATE FUNCTION logreg_fit_accum(internal, anyelement, float8[], jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_logreg_fit_array_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION logreg_fit_accum(internal, anyelement, float8[], jsonb) IS
'Transition function of logreg_fit; not for direct use.';

CREATE FUNCTION logreg_fit_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_logreg_fit_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION logreg_fit_final(internal) IS
'Final function of logreg_fit; not for direct use.';

CREATE AGGREGATE logreg_fit(data record, label text, options jsonb) (
    SFUNC = logreg_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = logreg_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE logreg_fit(record, text, jsonb) IS
'Logistic regression, binary or multinomial: the model, as bytea.

data: a row (table or subquery alias); numeric and boolean columns are numbers, text, varchar, char and enum columns are categories, other types are refused by name. label: the name of the column to predict, which is no feature; a boolean or text label is a class (any number of them), a number is a class too. Rows without a label are left out.

Categories are one-hot encoded inside the model, as in linreg_fit. When some combination of features tells the classes apart without error, maximum likelihood has no finite estimates: the fit says so in a WARNING that names the terms, and goes on with l2 = 1 unless l2 is given. logreg_coefficients(model) gives estimates with standard errors and odds ratios.

Own options: l2 "auto" (0, or 1 when the classes are separated) or a penalty of l2 / 2 times the squared coefficients (1 / C of scikit-learn); l1, penalty on the absolute coefficients (0); standardize, penalties act on z-scores (true); max_iter (100); tol (1e-10).

Options of all supervised fits: features or exclude, arrays of column names to use or to leave out; weight, a column of row weights; class_weight "none", "balanced" or an object of a number for each class; resample "none", "over", "under" or "smote" (training rows only); positive, the class of two whose probability is predicted (default: the last by name, true of a boolean; a NOTICE says which one that is, unless the two are false and true, f and t, no and yes, n and y or 0 and 1); task "auto", "regression" or "classification" for a numeric label; leak "warning", "error" or "ignore" when one feature alone gives the label away (AUC or R2 of .999); impute "mean", "median", "zero", "error" or "skip" for NULL and NaN; max_categories of a column (1000); seed (42). A text that is different in each of 20 rows or more, such as the number of a contract, is left out, and a NOTICE says so.

The same rows and options give the same bytes, whatever the order of rows, the plan or the number of threads. NULL for no rows. Errors name the column or option: a label with one class, infinity, a column without values, an unknown option, more memory than retailml.max_memory.

Source: McCullagh and Nelder 1989; Friedman, Hastie and Tibshirani 2010 for l1. Method: docs/algorithms/logreg.md

Example: SELECT logreg_fit(f, ''churned'', ''{"exclude": ["customer_id"]}'') FROM features f';

CREATE AGGREGATE logreg_fit(data record, label text) (
    SFUNC = logreg_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = logreg_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE logreg_fit(record, text) IS
'logreg_fit with the default options; see logreg_fit(record, text, jsonb).';

CREATE AGGREGATE logreg_fit(label anyelement, data float8[], options jsonb) (
    SFUNC = logreg_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = logreg_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE logreg_fit(anyelement, float8[], jsonb) IS
'logreg_fit of arrays: features are the elements, matched by position and called x1, x2, ...; label is the value to predict of that row, and its type says what it is. Options features, exclude and weight do not apply. Otherwise as logreg_fit(record, text, jsonb).';

CREATE AGGREGATE logreg_fit(label anyelement, data float8[]) (
    SFUNC = logreg_fit_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = logreg_fit_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = fit_combine, SERIALFUNC = fit_serialize, DESERIALFUNC = fit_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE logreg_fit(anyelement, float8[]) IS
'logreg_fit of arrays with the default options; see logreg_fit(anyelement, float8[], jsonb).';

-- ---- coefficients

CREATE FUNCTION linreg_coefficients(
    model bytea, robust text DEFAULT 'none', confidence float8 DEFAULT 0.95,
    OUT term text, OUT estimate float8, OUT std_error float8, OUT t float8, OUT p float8,
    OUT ci_low float8, OUT ci_high float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_linreg_sql_coefficients'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 20;
COMMENT ON FUNCTION linreg_coefficients(bytea, text, float8) IS
'The coefficients of a linear regression, a row per term: "(intercept)", a number by its name, a category as name=level (against the most frequent level). estimate: change of the label for one more of the term, in the units of both. std_error: classical (robust "none"), or robust to unequal variances, "HC1" or "HC3" (MacKinnon and White 1985). t and p: test of the coefficient being 0. ci_low, ci_high: interval of this confidence. A term that was dropped because others determine it has NULLs.

Example: SELECT * FROM linreg_coefficients((SELECT linreg_fit(f, ''spend'') FROM features f), ''HC3'')';

CREATE FUNCTION logreg_coefficients(
    model bytea, confidence float8 DEFAULT 0.95,
    OUT class text, OUT term text, OUT estimate float8, OUT std_error float8, OUT z float8, OUT p float8,
    OUT ci_low float8, OUT ci_high float8, OUT odds_ratio float8, OUT odds_low float8, OUT odds_high float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_logreg_sql_coefficients'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 20;
COMMENT ON FUNCTION logreg_coefficients(bytea, float8) IS
'The coefficients of a logistic regression, a row per class and term: "(intercept)", a number by its name, a category as name=level (against the most frequent level). estimate: change of the log-odds of the class against the first class for one more of the term. std_error, z and p: Wald test of the coefficient being 0. ci_low, ci_high: interval of this confidence. odds_ratio, odds_low, odds_high: exp() of the estimate and of the interval. Of two classes only the positive one is listed. NULLs: a term that was dropped, or no standard errors (l1).

Example: SELECT term, odds_ratio, odds_low, odds_high FROM logreg_coefficients((SELECT logreg_fit(f, ''churned'') FROM features f))';
