-- Honest evaluation: splits by key, metrics and curves of predictions whose outcome is known.

-- ---- splits

CREATE FUNCTION fold(key anyelement, n_folds int DEFAULT 5, seed bigint DEFAULT 42) RETURNS int
    AS 'MODULE_PATHNAME', 'rml_fold_sql'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION fold(anyelement, int, bigint) IS
'The fold, 1 .. n_folds, that a key is in: cross-validation without a table of who is where. All rows with the same key are in the same fold, in every table, query, session and machine, for ever. Folds are about the same size, not exactly.

key: an integer (smallint, int and bigint of one value are one key; so is a numeric, whose trailing zeros do not count), text (text, varchar, char and name of the same characters are one key), uuid, boolean, date, timestamp, timestamptz or bytea, or a domain over one of them. Any other type is refused; cast it to text.
n_folds: at least 2 (default 5). seed: another one makes another split (default 42).

Split by what repeats, the customer, and not by the row: rows of one customer on both sides would tell the model what it is tested on. With the same seed, fold and is_train are independent of each other.

NULL: when an argument is NULL.

Errors: n_folds below 2 (22023), a key of another type (0A000).

Example: SELECT fold(customer_id) AS test_fold, count(*) FROM customers GROUP BY 1';

CREATE FUNCTION is_train(key anyelement, fraction float8 DEFAULT 0.8, seed bigint DEFAULT 42) RETURNS boolean
    AS 'MODULE_PATHNAME', 'rml_is_train_sql'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION is_train(anyelement, float8, bigint) IS
'Is this key for training (true) or for testing (false)? All rows with the same key are on the same side, in every table, query, session and machine, for ever.

key: an integer (smallint, int and bigint of one value are one key; so is a numeric, whose trailing zeros do not count), text (text, varchar, char and name of the same characters are one key), uuid, boolean, date, timestamp, timestamptz or bytea, or a domain over one of them. Any other type is refused; cast it to text.
fraction: share of the keys that are for training, between 0 and 1 (default 0.8); about that share, not exactly. seed: another one makes another split (default 42).

With the same seed, the keys for training with a fraction are also for training with a larger one. With the same seed, fold and is_train are independent of each other.

NULL: when an argument is NULL.

Errors: a fraction that is not between 0 and 1 (22023), a key of another type (0A000).

Example: SELECT kmeans_fit(f, 4) FROM features f WHERE is_train(customer_id)';

-- ---- the shapes of results

CREATE TYPE confusion_cell AS (
    actual text,
    predicted text,
    n bigint,
    share float8);
COMMENT ON TYPE confusion_cell IS
'One cell of confusion_matrix(). actual, predicted: the classes. n: rows, perhaps 0. share: part of the rows of the actual class, 0 .. 1; NULL when there are none.';

CREATE TYPE binary_metrics AS (
    n bigint,
    positives bigint,
    prevalence float8,
    threshold float8,
    accuracy float8,
    precision float8,
    recall float8,
    specificity float8,
    f1 float8,
    roc_auc float8,
    pr_auc float8,
    log_loss float8,
    brier float8,
    ece float8,
    ks float8);
COMMENT ON TYPE binary_metrics IS
'What binary_metrics() says of scores. n: rows. positives: rows that are true; prevalence: their share. At the threshold (positive when score >= threshold): accuracy, precision, recall, specificity, f1. Of the order of scores: roc_auc; pr_auc, the average precision; ks, the Kolmogorov-Smirnov distance. Of scores as probabilities: log_loss, brier, ece, the expected calibration error in 10 bins.';

CREATE TYPE regression_metrics AS (
    n bigint,
    mean_actual float8,
    mae float8,
    rmse float8,
    mape float8,
    medae float8,
    r2 float8,
    bias float8,
    max_error float8,
    explained_variance float8);
COMMENT ON TYPE regression_metrics IS
'What regression_metrics() says of predicted numbers. n: rows. mean_actual: their mean. mae, medae, max_error: mean, median and largest absolute error; rmse: root of the mean squared error; mape: mean absolute error relative to the actual, 0.1 = 10 %; bias: mean of predicted - actual; r2, explained_variance: 1 is perfect, 0 as good as the mean.';

CREATE TYPE roc_point AS (
    threshold float8,
    tpr float8,
    fpr float8);
COMMENT ON TYPE roc_point IS
'A point of roc_curve(). tpr, fpr: share of the positives and of the negatives whose score is at least threshold.';

CREATE TYPE pr_point AS (
    threshold float8,
    "precision" float8,
    recall float8);
COMMENT ON TYPE pr_point IS
'A point of pr_curve(). precision: share of positives among the rows whose score is at least threshold; recall: share of all positives that are among them. precision is a word of SQL: quote it or write p.precision.';

CREATE TYPE lift_bin AS (
    bin int,
    n bigint,
    positives float8,
    rate float8,
    lift float8,
    cumulative_share float8,
    cumulative_gain float8,
    cumulative_lift float8,
    min_score float8,
    max_score float8);
COMMENT ON TYPE lift_bin IS
'A bin of lift_curve(), 1 has the highest scores. n: rows. positives: of them, fractions where a tie is cut. rate: positives / n. lift: rate over that of all rows. cumulative_share, cumulative_gain: share of all rows, and of all positives, in this bin and those before it. cumulative_lift: their ratio. min_score, max_score: of the bin.';

CREATE TYPE calibration_bin AS (
    bin int,
    n bigint,
    mean_score float8,
    rate float8);
COMMENT ON TYPE calibration_bin IS
'A bin of calibration_curve(). bin: 1 has the lowest scores. n: rows. mean_score: what was said. rate: share of positives, what happened.';

-- ---- the states they share

CREATE FUNCTION label_pairs_accum(internal, boolean, boolean) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_label_pairs_accum_bool'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION label_pairs_accum(internal, boolean, boolean) IS
'Transition function of the aggregates that compare two boolean labels; not for direct use.';

CREATE FUNCTION scores_accum(internal, boolean, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_scores_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION scores_accum(internal, boolean, float8) IS
'Transition function of the aggregates over scores; not for direct use.';

CREATE FUNCTION scores_accum(internal, boolean, float8, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_scores_accum_threshold'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION scores_accum(internal, boolean, float8, float8) IS
'Transition function of binary_metrics with a threshold; not for direct use.';

CREATE FUNCTION scores_accum(internal, boolean, float8, int) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_scores_accum_bins'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION scores_accum(internal, boolean, float8, int) IS
'Transition function of the curves in bins; not for direct use.';

CREATE FUNCTION scores_accum(internal, boolean, float8, int, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_scores_accum_bins'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION scores_accum(internal, boolean, float8, int, text) IS
'Transition function of calibration_curve with a strategy; not for direct use.';

CREATE FUNCTION predictions_accum(internal, float8, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_predictions_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION predictions_accum(internal, float8, float8) IS
'Transition function of regression_metrics; not for direct use.';

CREATE FUNCTION scores_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_scores_combine'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION scores_combine(internal, internal) IS
'Combine function of the aggregates over scores; not for direct use.';

CREATE FUNCTION scores_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_scores_serialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scores_serialize(internal) IS
'Serialization function of the aggregates over scores; not for direct use.';

CREATE FUNCTION scores_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_scores_deserialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scores_deserialize(bytea, internal) IS
'Deserialization function of the aggregates over scores; not for direct use.';

CREATE FUNCTION predictions_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_predictions_combine'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION predictions_combine(internal, internal) IS
'Combine function of regression_metrics; not for direct use.';

CREATE FUNCTION predictions_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_predictions_serialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION predictions_serialize(internal) IS
'Serialization function of regression_metrics; not for direct use.';

CREATE FUNCTION predictions_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_predictions_deserialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION predictions_deserialize(bytea, internal) IS
'Deserialization function of regression_metrics; not for direct use.';

-- ---- classes

CREATE FUNCTION confusion_matrix_final(internal) RETURNS confusion_cell[]
    AS 'MODULE_PATHNAME', 'rml_confusion_matrix_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION confusion_matrix_final(internal) IS
'Final function of confusion_matrix; not for direct use.';

CREATE FUNCTION confusion_matrix_bool_final(internal) RETURNS confusion_cell[]
    AS 'MODULE_PATHNAME', 'rml_confusion_matrix_bool_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION confusion_matrix_bool_final(internal) IS
'Final function of confusion_matrix(boolean, boolean); not for direct use.';

CREATE AGGREGATE confusion_matrix(actual text, predicted text) (
    SFUNC = label_pairs_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = confusion_matrix_final,
    COMBINEFUNC = label_pairs_combine, SERIALFUNC = label_pairs_serialize,
    DESERIALFUNC = label_pairs_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE confusion_matrix(text, text) IS
'How often each class was predicted as each: an array of confusion_cell, a line for every pair of classes, also those with n = 0. unnest gives the rows, which are what a heat map takes.

actual is what a row is, predicted what was said of it. Classes are all values of either side. Lines are in order of actual, then predicted, by the bytes of the names. share is n over all rows of the actual class: on the diagonal it is the recall of the class; NULL for a class that was only predicted.

NULL: rows with NULL on either side are left out; NULL when none is left.

Errors: more than 1000 classes (54000), more distinct pairs than retailml.max_memory holds (53400).

Equal to confusion_matrix of scikit-learn.

Example: SELECT c.* FROM (SELECT confusion_matrix(segment, predicted) AS cells FROM scored) s, unnest(cells) c';

CREATE AGGREGATE confusion_matrix(actual int, predicted int) (
    SFUNC = label_pairs_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = confusion_matrix_final,
    COMBINEFUNC = label_pairs_combine, SERIALFUNC = label_pairs_serialize,
    DESERIALFUNC = label_pairs_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE confusion_matrix(int, int) IS
'confusion_matrix for classes that are numbers, in their order; see confusion_matrix(text, text). The cells have the classes as text.

Example: SELECT c.* FROM (SELECT confusion_matrix(stars, predicted_stars) AS cells FROM scored) s, unnest(cells) c';

CREATE AGGREGATE confusion_matrix(actual boolean, predicted boolean) (
    SFUNC = label_pairs_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = confusion_matrix_bool_final,
    COMBINEFUNC = label_pairs_combine, SERIALFUNC = label_pairs_serialize,
    DESERIALFUNC = label_pairs_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE confusion_matrix(boolean, boolean) IS
'confusion_matrix for yes and no, the classes false and true; see confusion_matrix(text, text).

Example: SELECT c.* FROM (SELECT confusion_matrix(churned, score >= 0.5) AS cells FROM scored) s, unnest(cells) c';

-- ---- scores

CREATE FUNCTION binary_metrics_final(internal) RETURNS binary_metrics
    AS 'MODULE_PATHNAME', 'rml_binary_metrics_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION binary_metrics_final(internal) IS
'Final function of binary_metrics; not for direct use.';

CREATE AGGREGATE binary_metrics(actual boolean, score float8) (
    SFUNC = scores_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = binary_metrics_final,
    COMBINEFUNC = scores_combine, SERIALFUNC = scores_serialize,
    DESERIALFUNC = scores_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE binary_metrics(boolean, float8) IS
'How good scores are, all common measures at once: one value of type binary_metrics. The threshold is 0.5; see binary_metrics(boolean, float8, float8).

actual says whether it happened, score how likely it was said to be: a probability, or any number that is higher the likelier. Rows are predicted positive when score >= threshold. With tp, fp, tn, fn the rows that were rightly and wrongly predicted positive and negative:
  accuracy      (tp + tn) / n
  precision     tp / (tp + fp)
  recall        tp / (tp + fn)
  specificity   tn / (tn + fp)
  f1            2 tp / (2 tp + fp + fn)
Of the order of the scores alone:
  roc_auc       probability that a positive scores higher than a negative, ties count half
  pr_auc        average precision: the mean of precision over the positives, each at its own score
  ks            largest distance between the shares of positives and negatives above a threshold
Of scores as probabilities:
  log_loss      mean of -ln(probability of what happened), clipped to 2.2e-16 .. 1 - 2.2e-16
  brier         mean of (score - actual)^2
  ece           expected calibration error: mean distance of score and rate in 10 bins of equal width

NULL: rows where actual or score is NULL, or score is NaN, are left out; NULL when none is left. A ratio is NULL when it has nothing below the line (precision where nothing is predicted positive). roc_auc, pr_auc and ks are NULL when there is one class only; log_loss, brier and ece when a score is not in 0 .. 1.

Errors: a score that is infinite (22003), more rows than retailml.max_memory holds (53400; 8 bytes a row, and as much again to sort).

Equal to scikit-learn where it has the measure. The result does not depend on the order of rows, nor on the plan.

Example: SELECT (binary_metrics(churned, score)).* FROM scored WHERE NOT is_train(customer_id)';

CREATE AGGREGATE binary_metrics(actual boolean, score float8, threshold float8) (
    SFUNC = scores_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = binary_metrics_final,
    COMBINEFUNC = scores_combine, SERIALFUNC = scores_serialize,
    DESERIALFUNC = scores_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE binary_metrics(boolean, float8, float8) IS
'binary_metrics at a threshold of your own: positive when score >= threshold; see binary_metrics(boolean, float8).

Errors: a threshold that is NULL (22004), NaN, or not the same for all rows (22023).

Example: SELECT (binary_metrics(churned, score, 0.2)).recall FROM scored';

-- ---- curves

CREATE FUNCTION roc_curve_final(internal) RETURNS roc_point[]
    AS 'MODULE_PATHNAME', 'rml_roc_curve_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION roc_curve_final(internal) IS
'Final function of roc_curve; not for direct use.';

CREATE AGGREGATE roc_curve(actual boolean, score float8) (
    SFUNC = scores_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = roc_curve_final,
    COMBINEFUNC = scores_combine, SERIALFUNC = scores_serialize,
    DESERIALFUNC = scores_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE roc_curve(boolean, float8) IS
'The receiver operating characteristic: an array of roc_point by falling threshold, from (0, 0), whose threshold is infinity, to (1, 1). Draw tpr over fpr as a line; roc_auc of binary_metrics is the area below.

actual says whether it happened, score how likely it was said to be. A point is left out when the curve makes the same step to it as from it: the line stays the same.

NULL: rows where actual or score is NULL, or score is NaN, are left out; NULL when none is left. NULL when there is one class only.

Errors: a score that is infinite (22003), more rows than retailml.max_memory holds (53400; 8 bytes a row, and as much again to sort), more points than fit an array (54000).

Equal to roc_curve of scikit-learn.

Example: SELECT p.* FROM (SELECT roc_curve(churned, score) AS points FROM scored) s, unnest(points) p';

CREATE FUNCTION pr_curve_final(internal) RETURNS pr_point[]
    AS 'MODULE_PATHNAME', 'rml_pr_curve_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION pr_curve_final(internal) IS
'Final function of pr_curve; not for direct use.';

CREATE AGGREGATE pr_curve(actual boolean, score float8) (
    SFUNC = scores_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = pr_curve_final,
    COMBINEFUNC = scores_combine, SERIALFUNC = scores_serialize,
    DESERIALFUNC = scores_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE pr_curve(boolean, float8) IS
'Precision and recall: an array of pr_point by falling threshold. The first has threshold infinity, recall 0 and, by convention, precision 1. Draw precision over recall; pr_auc of binary_metrics is the area below the steps.

actual says whether it happened, score how likely it was said to be. Of points with the same recall the first and the last are given.

NULL: rows where actual or score is NULL, or score is NaN, are left out; NULL when none is left. NULL when there are no positives.

Errors: a score that is infinite (22003), more rows than retailml.max_memory holds (53400; 8 bytes a row, and as much again to sort), more points than fit an array (54000).

Equal to precision_recall_curve of scikit-learn with drop_intermediate, in reversed order.

Example: SELECT p.threshold, p.precision, p.recall FROM (SELECT pr_curve(churned, score) AS points FROM scored) s, unnest(points) p';

CREATE FUNCTION lift_curve_final(internal) RETURNS lift_bin[]
    AS 'MODULE_PATHNAME', 'rml_lift_curve_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION lift_curve_final(internal) IS
'Final function of lift_curve; not for direct use.';

CREATE AGGREGATE lift_curve(actual boolean, score float8) (
    SFUNC = scores_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = lift_curve_final,
    COMBINEFUNC = scores_combine, SERIALFUNC = scores_serialize,
    DESERIALFUNC = scores_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE lift_curve(boolean, float8) IS
'What a campaign gets that starts with the highest scores: an array of lift_bin, the rows by falling score in n_bins parts. Draw cumulative_gain over cumulative_share as a line (gains chart), or lift by bin as bars.

actual says whether it happened (bought, left), score how likely it was said to be. Parts are those of ntile(): the first n mod n_bins have a row more; with fewer rows than n_bins, one row each. Rows with equal scores have no order: where a bin ends among them, their positives count on both sides in proportion, so positives may be a fraction.

NULL: rows where actual or score is NULL, or score is NaN, are left out; NULL when none is left. lift, cumulative_gain and cumulative_lift are NULL when there are no positives.

n_bins is 10; see lift_curve(boolean, float8, int).

Errors: a score that is infinite (22003), more rows than retailml.max_memory holds (53400; 8 bytes a row, and as much again to sort).

Example: SELECT b.* FROM (SELECT lift_curve(churned, score) AS bins FROM scored) s, unnest(bins) b';

CREATE AGGREGATE lift_curve(actual boolean, score float8, n_bins int) (
    SFUNC = scores_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = lift_curve_final,
    COMBINEFUNC = scores_combine, SERIALFUNC = scores_serialize,
    DESERIALFUNC = scores_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE lift_curve(boolean, float8, int) IS
'lift_curve in n_bins parts, 1 .. 10000; see lift_curve(boolean, float8).

Errors: n_bins that is NULL (22004), out of range, or not the same for all rows (22023).

Example: SELECT b.* FROM (SELECT lift_curve(churned, score, 100) AS bins FROM scored) s, unnest(bins) b';

CREATE FUNCTION calibration_curve_final(internal) RETURNS calibration_bin[]
    AS 'MODULE_PATHNAME', 'rml_calibration_curve_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION calibration_curve_final(internal) IS
'Final function of calibration_curve; not for direct use.';

CREATE AGGREGATE calibration_curve(actual boolean, score float8) (
    SFUNC = scores_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = calibration_curve_final,
    COMBINEFUNC = scores_combine, SERIALFUNC = scores_serialize,
    DESERIALFUNC = scores_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE calibration_curve(boolean, float8) IS
'Do probabilities mean what they say? An array of calibration_bin, the rows in bins of their score. Draw rate over mean_score beside the diagonal (reliability diagram): above it scores are too low, below it too high.

actual says whether it happened, score its predicted probability, 0 .. 1. There are 10 bins of equal width; see calibration_curve(boolean, float8, int, text). A score on an edge belongs to the lower bin. Bins without rows are left out.

NULL: rows where actual or score is NULL, or score is NaN, are left out; NULL when none is left.

Errors: a score that is not in 0 .. 1 (22023), a score that is infinite (22003), more rows than retailml.max_memory holds (53400; 8 bytes a row, and as much again to sort).

Equal to calibration_curve of scikit-learn.

Example: SELECT b.* FROM (SELECT calibration_curve(churned, score) AS bins FROM scored) s, unnest(bins) b';

CREATE AGGREGATE calibration_curve(actual boolean, score float8, n_bins int) (
    SFUNC = scores_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = calibration_curve_final,
    COMBINEFUNC = scores_combine, SERIALFUNC = scores_serialize,
    DESERIALFUNC = scores_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE calibration_curve(boolean, float8, int) IS
'calibration_curve in n_bins bins of equal width, 1 .. 10000; see calibration_curve(boolean, float8).

Errors: n_bins that is NULL (22004), out of range, or not the same for all rows (22023).

Example: SELECT b.* FROM (SELECT calibration_curve(churned, score, 20) AS bins FROM scored) s, unnest(bins) b';

CREATE AGGREGATE calibration_curve(actual boolean, score float8, n_bins int, strategy text) (
    SFUNC = scores_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = calibration_curve_final,
    COMBINEFUNC = scores_combine, SERIALFUNC = scores_serialize,
    DESERIALFUNC = scores_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE calibration_curve(boolean, float8, int, text) IS
'calibration_curve in n_bins bins, 1 .. 10000, by strategy: uniform, of equal width, or quantile, with about the same number of rows (edges at quantiles of the scores, linearly interpolated); see calibration_curve(boolean, float8).

Errors: n_bins or strategy that is NULL (22004), another strategy, n_bins out of range, or not the same for all rows (22023).

Example: SELECT b.* FROM (SELECT calibration_curve(churned, score, 10, ''quantile'') AS bins FROM scored) s, unnest(bins) b';

-- ---- numbers

CREATE FUNCTION regression_metrics_final(internal) RETURNS regression_metrics
    AS 'MODULE_PATHNAME', 'rml_regression_metrics_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION regression_metrics_final(internal) IS
'Final function of regression_metrics; not for direct use.';

CREATE AGGREGATE regression_metrics(actual float8, predicted float8) (
    SFUNC = predictions_accum, STYPE = internal, SSPACE = 2048,
    FINALFUNC = regression_metrics_final,
    COMBINEFUNC = predictions_combine, SERIALFUNC = predictions_serialize,
    DESERIALFUNC = predictions_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE regression_metrics(float8, float8) IS
'How far predicted numbers are from what happened: one value of type regression_metrics. With e = predicted - actual:
  mae                  mean |e|
  rmse                 sqrt(mean e^2)
  mape                 mean |e| / |actual|, 0.1 = 10 %
  medae                median |e|
  r2                   1 - sum e^2 / sum (actual - mean)^2
  bias                 mean e: above 0, predictions are too high
  max_error            largest |e|
  explained_variance   1 - var(e) / var(actual): r2 without the bias

NULL: rows where actual or predicted is NULL or NaN are left out; NULL when none is left. mape is NULL when an actual is 0 (mae / mean_actual is always there); r2 and explained_variance are NULL when all actuals are the same.

Errors: an infinite actual or predicted (22003), more rows than retailml.max_memory holds (53400; 16 bytes a row, and as much again for the median).

Equal to scikit-learn; sums are exact, so the result does not depend on the order of rows, nor on the plan.

Example: SELECT (regression_metrics(revenue, predicted)).* FROM scored WHERE NOT is_train(customer_id)';
