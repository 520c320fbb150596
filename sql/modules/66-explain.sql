-- What models that predict a label say about themselves, and models as SQL.

CREATE FUNCTION model_classes(
    model bytea,
    OUT "position" int, OUT class text, OUT rows bigint)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_model_classes'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 2;
COMMENT ON FUNCTION model_classes(bytea) IS
'The classes a model tells apart, a row each, in order of their texts: position (that of the class in predict_proba), class, and the number of rows it had in training. Of two classes the second is the positive one, whose probability predict gives; of more, predict gives the position of the most probable.

NULL: no rows for a NULL model.

Errors: invalid_parameter_value when the model predicts no class.

Example: SELECT * FROM model_classes(model_load(''churn''))';

CREATE FUNCTION predict_proba(model bytea, data record) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'rml_predict_proba'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION predict_proba(bytea, record) IS
'The probability of each class for one row, in the order of model_classes; they add up to 1. Rows are read as by predict(bytea, record).

NULL when model or row is NULL, and where predict is NULL (a missing value and a model trained with impute = skip).

Errors: invalid_parameter_value when the model predicts no class; otherwise those of predict.

Example: SELECT c.class, (predict_proba((SELECT model_load(''channel'')), f))[c.position] AS probability FROM features f, model_classes(model_load(''channel'')) c WHERE f.customer_id = 42';

CREATE FUNCTION predict_proba(model bytea, data float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'rml_predict_proba'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION predict_proba(bytea, float8[]) IS
'The probabilities of the classes of a model that was trained on arrays, for one array. Otherwise as predict_proba(bytea, record).';

CREATE FUNCTION predict_explain(
    model bytea, data record, class text DEFAULT NULL,
    OUT feature text, OUT value text, OUT contribution float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_predict_explain'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION predict_explain(bytea, record, text) IS
'Why a model predicts what it does for one row: what each feature adds to the score. The first row is "(base)", the score of a row of which nothing is known; then the features follow, the largest contribution first whatever its sign. value is what the row has in that column, NULL where it is missing; after a category that the training rows did not have it says (not seen in training): its contribution is that of the reference category (linear models), or of the branch such values take (trees), not of this value.

The contributions add up to the score, which is the prediction before its link: the number itself (regression), the log-odds of the class (logreg_fit, boost_fit; 1 / (1 + exp(-score)) is the probability of one of two classes, softmax of the scores that of one of more), the probability of the class (tree_fit, forest_fit). Those of trees are Shapley values: the mean, over all orders in which the features could become known, of what each changes. Those of linear models are coefficient times distance from the mean.

class: whose score is explained (default: of two classes the positive one, of more the predicted one). Explaining the other one of two gives the opposite contributions.

NULL: no rows for a NULL model or row, nor where predict is NULL.

Errors: a model that predicts no label, a class that it does not have, a class for a model of numbers (invalid_parameter_value); otherwise those of predict.

Source: Lundberg et al., From local explanations to global understanding with explainable AI for trees, Nature Machine Intelligence 2020 (path-dependent TreeSHAP, exact); equal to the shap package.

Example: SELECT e.* FROM features f, predict_explain((SELECT model_load(''churn'')), f) e WHERE f.customer_id = 42';

CREATE FUNCTION predict_explain(
    model bytea, data float8[], class text DEFAULT NULL,
    OUT feature text, OUT value text, OUT contribution float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_predict_explain'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION predict_explain(bytea, float8[], text) IS
'Why a model that was trained on arrays predicts what it does for one array. Otherwise as predict_explain(bytea, record, text).';

CREATE FUNCTION model_importance(
    model bytea,
    OUT feature text, OUT gain float8, OUT splits bigint, OUT rank int)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_model_importance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10;
COMMENT ON FUNCTION model_importance(bytea) IS
'How much each feature matters to a model as a whole, the most important first. gain: for trees the share of all that their splits improved which is due to splits on this feature (they add up to 1; 0 for all when there is no split); for linear models the standard deviation of what the feature contributes, for a number the size of its coefficient if it were standardized; of more than two classes the root mean square over the classes, each relative to their mean. splits: how many splits ask about it (0 for linear models). rank: 1 for the largest gain; features that are equal are in the order of the model.

Importance says what the model uses, not what causes the label, and features that say the same share it between them. It is that of the training rows: a feature with many different values may be overrated by deep trees.

NULL: no rows for a NULL model.

Errors: invalid_parameter_value when the model predicts no label.

Example: SELECT feature, gain FROM model_importance(model_load(''churn'')) WHERE rank <= 10';

CREATE FUNCTION tree_rules(
    model bytea, tree int DEFAULT 1,
    OUT leaf int, OUT rule text, OUT value float8, OUT class text, OUT probability float8,
    OUT rows float8, OUT share float8)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_tree_rules'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION tree_rules(bytea, int) IS
'One tree of a model as rules, a row for each leaf from left to right. rule is a condition over the columns that can be put behind WHERE, such as recency > 12.5 AND recency <= 90.5 AND channel IN (''web'', ''app''); exactly one of a tree''s rules is true for a row. It selects what the model does, NULL included: a missing number goes where the imputed value does. (NaN is told from large numbers in columns that had missing values in training.) For models of arrays the columns are x[1], x[2], ...

value: what the leaf says. Of a single tree the prediction: the number, or the probability of the positive class; of a tree in a forest the same, of which the forest takes the mean; of a tree in a boosted model what it adds to the score. NULL for trees of more than two classes. class and probability: the class the leaf predicts and how probable it is there; of a boosted model of more than two classes the class whose score the tree is for, otherwise NULL.

rows: training rows in the leaf (the sum of their weights). share: of all rows of the tree.

tree: 1 (default) up to the number of trees.

NULL: no rows for a NULL model or tree.

Errors: a model without trees, a tree that it does not have (invalid_parameter_value).

Example: SELECT rule, class, probability, rows FROM tree_rules(model_load(''churn tree'')) ORDER BY rows DESC';

CREATE FUNCTION model_sql(model bytea, alias text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'rml_model_sql'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION model_sql(bytea, text) IS
'A model as one SQL expression, which gives what predict does (up to rounding in the last digits) on any PostgreSQL, without retailml: to be put in a view, a generated script, or another server. It exists for models of linreg_fit, logreg_fit, tree_fit, forest_fit, boost_fit, kmeans_fit and kprototypes_fit.

alias: the table or subquery whose columns it reads, written before every column (default: none). A model of arrays has no column names: it reads the elements of one column, named alias (default x).

The columns must be there by name, of the types they had in training. NULL, NaN and categories that training did not see are treated as predict does, except that where the model was trained with impute = error a missing value gives NULL. Infinity is not refused.

NULL for a NULL model.

Errors: a model that is no such expression, as of rfm_fit, churn_fit and ltv_fit (invalid_parameter_value); one that takes more than 20 MB of text or has trees deeper than 400 (program_limit_exceeded).

Example: SELECT format(''CREATE VIEW scores AS SELECT f.customer_id, %s AS churn FROM features f'', model_sql(model_load(''logreg''), ''f''))';
