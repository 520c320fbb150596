/*
 * test_evaluation.c
 *	  Metrics and curves of predictions against scikit-learn (test/golden/evaluation.py), in any order
 *	  and in parts; cancel and memory.  The curves' golden numbers are compared in test/sql.
 */
#include "unit.h"

#include <math.h>

#include "retailml/confusion.h"
#include "retailml/regression_metrics.h"
#include "retailml/rng.h"
#include "retailml/scores.h"

/* the value that is to come out; an empty cell is NaN */
static double
wanted(const UnitCsv *golden, const char *name, const char *metric)
{
	for (size_t i = 0; i < golden->rows; i++)
		if (strcmp(unit_csv_text(golden, i, "name"), name) == 0 &&
			strcmp(unit_csv_text(golden, i, "metric"), metric) == 0)
			return unit_csv_number(golden, i, "value");
	return INFINITY;
}

static size_t
case_end(const UnitCsv *rows, size_t begin)
{
	const char *name = unit_csv_text(rows, begin, "name");
	size_t end = begin;

	while (end < rows->rows && strcmp(unit_csv_text(rows, end, "name"), name) == 0)
		end++;
	return end;
}

static void
check_scores(RmlEnv *env, const UnitCsv *golden, const UnitCsv *rows, size_t begin, size_t end)
{
	static const char *const names[] = {"prevalence", "threshold",   "accuracy", "precision",
										"recall",     "specificity", "f1",       "roc_auc",
										"pr_auc",     "log_loss",    "brier",    "ece",
										"ks"};
	const char *name = unit_csv_text(rows, begin, "name");
	double values[13];
	RmlScores scores = {.sorted = false};
	RmlBinaryMetrics m;

	for (size_t i = begin; i < end; i++)
		rml_scores_add(&scores, env, unit_csv_number(rows, i, "actual") == 1,
					   unit_csv_number(rows, i, "score"));
	rml_scores_sort(&scores, env);
	rml_binary_metrics(&scores, env, 0.5, &m);
	for (size_t j = 0; j < 13; j++)
		values[j] = wanted(golden, name, names[j]);
	/* the doubles of the struct are one array */
	unit_near_array(&m.prevalence, values, 13, 1e-12, "%s: all metrics", name);
	unit_equal_int(m.positives, (int64_t) wanted(golden, name, "positives"), "%s: positives", name);
}

static void
check_numbers(RmlEnv *env, const UnitCsv *golden, const UnitCsv *rows, size_t begin, size_t end)
{
	static const char *const names[] = {"mean_actual", "mae",       "rmse",
										"mape",        "medae",     "r2",
										"bias",        "max_error", "explained_variance"};
	const char *name = unit_csv_text(rows, begin, "name");
	double values[9];
	RmlPredictions predictions = {.n = 0};
	RmlRegressionMetrics m;

	for (size_t i = begin; i < end; i++)
		rml_predictions_add(&predictions, env, unit_csv_number(rows, i, "actual"),
							unit_csv_number(rows, i, "predicted"));
	rml_regression_metrics(&predictions, env, &m);
	for (size_t j = 0; j < 9; j++)
		values[j] = wanted(golden, name, names[j]);
	unit_near_array(&m.mean_actual, values, 9, 1e-12, "%s: all metrics", name);
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("evaluation_metrics.csv");
	UnitCsv *scores = unit_golden("evaluation_scores.csv");
	UnitCsv *numbers = unit_golden("evaluation_numbers.csv");

	if (golden == NULL || scores == NULL || numbers == NULL)
		return;
	for (size_t begin = 0, end; begin < scores->rows; begin = end)
	{
		end = case_end(scores, begin);
		check_scores(env, golden, scores, begin, end);
	}
	for (size_t begin = 0, end; begin < numbers->rows; begin = end)
	{
		end = case_end(numbers, begin);
		check_numbers(env, golden, numbers, begin, end);
	}
	unit_csv_free(golden);
	unit_csv_free(scores);
	unit_csv_free(numbers);
}

#define ROWS 100000

static double
score_of(int64_t i)
{
	return floor(rml_rng_uniform(1, 0, (uint64_t) i) * 1000) / 1000;
}

static bool
actual_of(int64_t i)
{
	return rml_rng_uniform(1, 1, (uint64_t) i) < score_of(i);
}

/* forwards, and in two parts backwards */
static void
test_order_and_parts(RmlEnv *env)
{
	RmlScores whole = {.sorted = false}, parts[2] = {whole, whole};
	RmlPredictions rows = {.n = 0}, backwards = {.n = 0};
	RmlBinaryMetrics a, b;
	RmlRegressionMetrics c, d;

	for (int64_t i = 0; i < ROWS; i++)
	{
		int64_t last = ROWS - 1 - i;

		rml_scores_add(&whole, env, actual_of(i), score_of(i));
		rml_scores_add(&parts[last % 2], env, actual_of(last), score_of(last));
		rml_predictions_add(&rows, env, score_of(i), score_of(i + 1));
		rml_predictions_add(&backwards, env, score_of(last), score_of(last + 1));
	}
	for (int side = 0; side < 2; side++)
		rml_scores_append(&parts[0], env, side == 1, parts[1].values[side], parts[1].n[side]);
	rml_scores_sort(&whole, env);
	rml_scores_sort(&parts[0], env);
	rml_binary_metrics(&whole, env, 0.5, &a);
	rml_binary_metrics(&parts[0], env, 0.5, &b);
	unit_equal_bytes(&a, &b, sizeof a, "scores in another order and in parts: the same bits");
	rml_regression_metrics(&rows, env, &c);
	rml_regression_metrics(&backwards, env, &d);
	unit_equal_bytes(&c, &d, sizeof c, "numbers, too");
	unit_ok(a.ece < 0.01 && fabs(a.roc_auc - 5.0 / 6) < 0.005,
			"scores that are probabilities: calibrated, and the area is 5/6");
}

/* positives of all bins are all positives, however many bins cut a tie */
static void
test_lift_of_a_tie(RmlEnv *env)
{
	RmlScores scores = {.sorted = false};
	RmlLiftBin *bins;
	double positives = 0;
	int n;

	for (int i = 0; i < 10; i++)
		rml_scores_add(&scores, env, i < 3, 0.5);
	rml_scores_sort(&scores, env);
	n = rml_lift_curve(&scores, env, 4, &bins);
	for (int b = 0; b < n; b++)
		positives += bins[b].positives;
	unit_ok(n == 4 && bins[0].n == 3 && bins[1].n == 3 && bins[2].n == 2, "parts of ntile");
	unit_near(positives, 3, 1e-15, "positives of a tie are spread over its bins");
	unit_near(bins[1].cumulative_gain, 0.6, 1e-15, "so is the gain");
	unit_near(bins[3].lift, 1, 1e-15, "and a tie has no lift");
	n = rml_lift_curve(&scores, env, 50, &bins);
	unit_equal_int(n, 10, "not more bins than rows");
}

static void
test_confusion(RmlEnv *env)
{
	RmlContingency pairs;
	RmlLabelTable table;
	RmlConfusion confusion;

	rml_contingency_init(&pairs);
	rml_contingency_add(&pairs, env, -3, -3, 4);
	rml_contingency_add(&pairs, env, -3, 9, 1);
	rml_contingency_add(&pairs, env, 5, 9, 2);
	rml_contingency_add(&pairs, env, 5, RML_NO_LABEL, 7);
	rml_label_table(&pairs, env, true, &table);
	rml_confusion(&table, env, &confusion);
	unit_equal_int(confusion.n_classes, 3, "classes of both sides");
	unit_equal_bytes(confusion.counts, (int64_t[]){4, 0, 1, 0, 0, 2, 0, 0, 0}, 9 * sizeof(int64_t),
					 "every cell is there");
	unit_near(rml_confusion_share(&confusion, 0, 2), 0.2, 0, "shares of the actual class");
	unit_ok(isnan(rml_confusion_share(&confusion, 2, 2)), "of none: not defined");
}

static void
test_manners(RmlEnv *env)
{
	RmlScores scores = {.sorted = false};
	RmlPredictions rows = {.n = 0};
	RmlBinaryMetrics m;
	RmlRegressionMetrics r;
	RmlCurve curve;

	for (int64_t i = 0; i < 4 * ROWS; i++)
	{
		double x = rml_rng_uniform(2, 0, (uint64_t) i);

		rml_scores_add(&scores, env, i % 3 == 0, x);
		rml_predictions_add(&rows, env, x, 1 - x);
	}
	rml_scores_sort(&scores, env);
	unit_env_cancel_after(env, 2);
	unit_ok(UNIT_ESCAPES(env, rml_binary_metrics(&scores, env, 0.5, &m)),
			"metrics can be cancelled");
	unit_env_cancel_after(env, 2);
	unit_ok(UNIT_ESCAPES(env, rml_roc_curve(&scores, env, &curve)), "so can a curve");
	unit_env_cancel_after(env, 2);
	unit_ok(UNIT_ESCAPES(env, rml_regression_metrics(&rows, env, &r)), "and errors of numbers");
	unit_env_cancel_after(env, 0);
	unit_env_limit(env, unit_env_in_use(env) + 1000000);
	unit_ok(UNIT_ESCAPES(env, for (;;) rml_scores_add(&scores, env, true, 0.5)),
			"collecting stops where memory does");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden(env);
	test_order_and_parts(env);
	test_lift_of_a_tie(env);
	test_confusion(env);
	test_manners(env);
	unit_env_free(env);
	return unit_done();
}
