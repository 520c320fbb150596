/*
 * test_rfecv.c
 *	  Eliminating features: against scikit-learn (test/golden/rfecv.py), and with a forest on planted
 *	  features.
 */
#include "unit.h"

#include <math.h>

#include "learners.h"
#include "retailml/forest.h"
#include "retailml/rfecv.h"
#include "retailml/rng.h"

enum
{
	max_columns = 50,
	n_golden = 8,
	n_golden_folds = 4
};

static char *const class_names[] = {"no", "yes"};

typedef struct Rows
{
	RmlColumn columns[max_columns];
	RmlMatrix matrix;
	RmlRawRows raw;
	int32_t *folds;
} Rows;

static void
init_rows(RmlEnv *env, int64_t n, int d, Rows *rows)
{
	for (int j = 0; j < d; j++)
		rows->columns[j] =
			(RmlColumn){.name = rml_format(env, "x%d", j + 1), .type = "float8", .slot = j};
	rows->matrix = (RmlMatrix){.n = n, .d_num = d};
	rows->matrix.numbers = RML_NEW(env, double, (size_t) (n * d));
	rows->folds = RML_NEW(env, int32_t, (size_t) n);
	rows->raw = (RmlRawRows){.n_columns = d,
							 .columns = rows->columns,
							 .matrix = &rows->matrix,
							 .target = {.name = "label", .task = RML_REGRESSION}};
}

/* ---- sizes ---- */

static void
test_sizes(void)
{
	const RmlRfecvParams one = {.step = 1, .min_features = 1};
	const RmlRfecvParams three = {.step = 3, .min_features = 2};
	const RmlRfecvParams share = {.step = 0.25, .min_features = 1};
	const RmlRfecvParams large = {.step = 100, .min_features = 60};

	unit_equal_int(rml_rfecv_sizes(&one, 50), 50, "one at a time");
	unit_equal_int(rml_rfecv_sizes(&three, 10), 4, "10, 7, 4, 2");
	unit_equal_int(rml_rfecv_sizes(&share, 8), 7, "8, 6, 5, 4, 3, 2, 1");
	unit_equal_int(rml_rfecv_sizes(&large, 50), 1, "fewer features than wanted are all wanted");
}

/* ---- against scikit-learn ---- */

static bool
read_rows(RmlEnv *env, Rows *rows)
{
	UnitCsv *golden = unit_golden("rfecv_rows.csv");
	double *numbers, *labels, *folds, *y;

	if (golden == NULL)
		return false;
	init_rows(env, (int64_t) golden->rows, n_golden, rows);
	numbers = unit_csv_numbers(golden, "x1", n_golden);
	labels = unit_csv_numbers(golden, "y", 1);
	folds = unit_csv_numbers(golden, "fold", 1);
	y = RML_NEW(env, double, golden->rows);
	memcpy(rows->matrix.numbers, numbers, sizeof(double) * golden->rows * n_golden);
	memcpy(y, labels, sizeof(double) * golden->rows);
	for (size_t i = 0; i < golden->rows; i++)
		rows->folds[i] = (int32_t) folds[i];
	rows->raw.y = y;
	free(numbers);
	free(labels);
	free(folds);
	unit_csv_free(golden);
	return true;
}

/* the golden line of a size */
static size_t
line_of(const UnitCsv *golden, int n_features)
{
	size_t row = 0;

	while ((int) unit_csv_number(golden, row, "n_features") != n_features)
		row++;
	return row;
}

static void
check_scores(const RmlRfecvStep *steps)
{
	static const char *const folds[n_golden_folds] = {"fold0", "fold1", "fold2", "fold3"};
	UnitCsv *golden = unit_golden("rfecv.csv");

	for (int s = 0; golden != NULL && s < n_golden; s++)
	{
		size_t row = line_of(golden, steps[s].n_features);
		double wanted[n_golden_folds];

		for (int f = 0; f < n_golden_folds; f++)
			wanted[f] = unit_csv_number(golden, row, folds[f]);
		unit_near_array(steps[s].scores, wanted, n_golden_folds, 1e-10, "%d features: folds",
						steps[s].n_features);
		unit_near(steps[s].mean, unit_csv_number(golden, row, "mean"), 1e-10, "mean");
		unit_near(steps[s].sd, unit_csv_number(golden, row, "sd"), 1e-10, "standard deviation");
		unit_equal_int(steps[s].selected, (int64_t) unit_csv_number(golden, row, "best"),
					   "the best mean is selected");
	}
	unit_csv_free(golden);
}

static void
check_ranking(const RmlRfecvStep *steps)
{
	UnitCsv *golden = unit_golden("rfecv_ranking.csv");
	bool in[n_golden];

	memset(in, 1, sizeof in);
	for (int s = 1; golden != NULL && s < n_golden; s++)
	{
		size_t row = line_of(golden, steps[s].n_features);
		int dropped = (int) unit_csv_number(golden, row, "dropped") - 1;

		in[dropped] = false;
		unit_ok(steps[s].n_dropped == 1 && steps[s].dropped[0] == dropped, "x%d is dropped",
				dropped + 1);
		unit_ok(memcmp(steps[s].features, in, sizeof in) == 0, "and the others are left");
	}
	unit_csv_free(golden);
}

static void
test_golden(RmlEnv *env)
{
	const RmlRfecvParams params = {.step = 1, .min_features = 1, .metric = RML_METRIC_RMSE};
	TestParams squares = {.ridge = 0};
	RmlRfecvStep steps[n_golden];
	RmlFoldFailure failure;
	RmlValidation validation;
	Rows rows;

	if (!read_rows(env, &rows))
		return;
	validation = (RmlValidation){.rows = &rows.raw, .n_folds = n_golden_folds, .folds = rows.folds};
	rml_rfecv(env, &validation, &squares_learner, &squares, &params, steps, &failure);
	unit_equal_string(failure.reason, NULL, "all sizes can be fitted");
	check_scores(steps);
	check_ranking(steps);
}

/* ---- planted features ---- */

/* the log-odds are the sum of columns 1, 11, 21, ...: 5 of 50 */
static void
plant(RmlEnv *env, int64_t n, int d, uint64_t seed, Rows *rows)
{
	int32_t *classes = RML_NEW(env, int32_t, (size_t) n);

	init_rows(env, n, d, rows);
	for (int64_t i = 0; i < n * d; i++)
		rows->matrix.numbers[i] = rml_rng_normal(seed, 1, (uint64_t) i);
	for (int64_t i = 0; i < n; i++)
	{
		double sum = 0.0;

		for (int j = 0; j < d; j += 10)
			sum += rows->matrix.numbers[i * d + j];
		classes[i] = rml_rng_uniform(seed, 2, (uint64_t) i) < 1.0 / (1.0 + exp(-sum));
	}
	rows->raw.target.task = RML_CLASSIFICATION;
	rows->raw.target.n_classes = 2;
	rows->raw.target.classes = (char **) class_names;
	rows->raw.classes = classes;
	rml_folds_deal(env, n, NULL, 5, 42, rows->folds);
}

/* a forest of default options but fewer trees: tests run under sanitizers */
static void
run_forest(RmlEnv *env, const Rows *rows, bool one_se, RmlRfecvStep *steps)
{
	const RmlRfecvParams params = {
		.step = 0.2, .min_features = 1, .metric = RML_METRIC_LOG_LOSS, .one_se = one_se};
	const RmlAlgorithm *algorithm = rml_forest_learner.algorithm;
	const RmlValidation validation = {.rows = &rows->raw, .n_folds = 5, .folds = rows->folds};
	RmlForestParams forest;
	const RmlOptionSet set = {algorithm->options, algorithm->n_options, &forest};
	RmlFoldFailure failure;

	memset(&forest, 0, sizeof forest);
	rml_options_default(&set);
	forest.n_trees = 40;
	rml_rfecv(env, &validation, &rml_forest_learner, &forest, &params, steps, &failure);
}

static const RmlRfecvStep *
selected_step(const RmlRfecvStep *steps)
{
	while (!steps->selected)
		steps++;
	return steps;
}

static void
check_planted(const RmlRfecvStep *step, int d, int wanted, int noise, const char *what)
{
	int found = 0, wrong = 0;

	for (int j = 0; j < d; j++)
		if (step->features[j])
		{
			found += j % 10 == 0;
			wrong += j % 10 != 0;
		}
	unit_ok(found >= wanted && wrong <= noise, "%s: %d informative and %d others are kept", what,
			found, wrong);
}

static void
test_planted(RmlEnv *env)
{
	RmlRfecvStep steps[max_columns];
	Rows rows;

	for (uint64_t seed = 1; seed <= 2; seed++)
	{
		plant(env, 400, 50, seed, &rows);
		run_forest(env, &rows, true, steps);
		check_planted(selected_step(steps), 50, 4, 2, "5 of 50 features");
	}
}

static void
test_threads_and_rule(RmlEnv *env, RmlEnv *two_threads)
{
	RmlRfecvStep steps[max_columns], others[max_columns];
	RmlRfecvParams params = {.step = 0.2, .min_features = 1};
	int n = rml_rfecv_sizes(&params, 12);
	bool same = true;
	Rows rows;

	plant(env, 200, 12, 3, &rows);
	run_forest(env, &rows, false, steps);
	run_forest(two_threads, &rows, false, others);
	for (int s = 0; s < n; s++)
		same = same && memcmp(steps[s].scores, others[s].scores, sizeof(double) * 5) == 0 &&
			   memcmp(steps[s].features, others[s].features, sizeof(bool) * 12) == 0 &&
			   steps[s].selected == others[s].selected;
	unit_ok(same, "two threads select the same features by the same scores");
	run_forest(env, &rows, true, others);
	unit_ok(selected_step(others)->n_features <= selected_step(steps)->n_features,
			"the standard error rule takes no more features than the best mean");
}

/* ---- manners ---- */

static void
test_refusals(RmlEnv *env)
{
	const RmlRfecvParams params = {.step = 1, .min_features = 1, .metric = RML_METRIC_RMSE};
	TestParams squares = {.fail = 1};
	RmlRfecvStep steps[n_golden];
	RmlFoldFailure failure;
	RmlValidation validation;
	Rows rows;

	if (!read_rows(env, &rows))
		return;
	validation = (RmlValidation){.rows = &rows.raw, .n_folds = n_golden_folds, .folds = rows.folds};
	rml_rfecv(env, &validation, &squares_learner, &squares, &params, steps, &failure);
	unit_equal_string(failure.reason, "90 rows are not wanted", "a learner may refuse");
	unit_ok(failure.fold == -1 && failure.cell == 0, "all rows at once");
}

static void
test_cancel(RmlEnv *env)
{
	RmlRfecvStep steps[max_columns];
	Rows rows;

	plant(env, 400, 50, 4, &rows);
	unit_env_cancel_after(env, 3);
	unit_ok(UNIT_ESCAPES(env, run_forest(env, &rows, true, steps)), "%d threads can be cancelled",
			env->threads);
}

int
main(void)
{
	RmlEnv *env = unit_env(1), *two_threads = unit_env(2);

	test_sizes();
	test_golden(env);
	test_planted(two_threads);
	test_threads_and_rule(env, two_threads);
	test_refusals(env);
	test_refusals(two_threads);
	test_cancel(env);
	test_cancel(two_threads);
	unit_env_free(env);
	unit_env_free(two_threads);
	return unit_done();
}
