/*
 * test_cross_validate.c
 *	  Folds; measures of folds against scikit-learn (test/golden/cross_validate.py); threads.
 */
#include "unit.h"

#include <math.h>

#include "learners.h"
#include "retailml/cross_validate.h"
#include "retailml/rng.h"

enum
{
	n_golden_folds = 4
};

/* ---- the golden rows ---- */

static RmlColumn columns[] = {{.name = "x1", .type = "float8", .kind = RML_NUMERIC, .slot = 0},
							  {.name = "x2", .type = "float8", .kind = RML_NUMERIC, .slot = 1},
							  {.name = "x3", .type = "float8", .kind = RML_NUMERIC, .slot = 2}};
static char *const class_names[] = {"0", "1", "2"};

typedef struct Rows
{
	RmlMatrix matrix;
	RmlRawRows raw;
	int32_t *folds;
} Rows;

/* the label is a number or one of n_classes */
static void
set_label(RmlEnv *env, Rows *rows, const double *label, int n_classes)
{
	int64_t n = rows->matrix.n;
	double *y = RML_NEW(env, double, (size_t) n);
	int32_t *classes = RML_NEW(env, int32_t, (size_t) n);

	for (int64_t i = 0; i < n; i++)
	{
		y[i] = label[i];
		classes[i] = (int32_t) label[i];
	}
	rows->raw = (RmlRawRows){.n_columns = 3,
							 .columns = columns,
							 .matrix = &rows->matrix,
							 .target = {.name = "label",
										.task = n_classes > 0 ? RML_CLASSIFICATION : RML_REGRESSION,
										.n_classes = n_classes,
										.classes = (char **) class_names},
							 .y = n_classes > 0 ? NULL : y,
							 .classes = n_classes > 0 ? classes : NULL};
}

static bool
read_rows(RmlEnv *env, const char *label, int n_classes, Rows *rows)
{
	UnitCsv *golden = unit_golden("cross_validate_rows.csv");
	double *numbers, *labels, *folds;

	if (golden == NULL)
		return false;
	numbers = unit_csv_numbers(golden, "x1", 3);
	labels = unit_csv_numbers(golden, label, 1);
	folds = unit_csv_numbers(golden, "fold", 1);
	rows->matrix = (RmlMatrix){.n = (int64_t) golden->rows, .d_num = 3};
	rows->matrix.numbers = RML_NEW(env, double, golden->rows * 3);
	rows->folds = RML_NEW(env, int32_t, golden->rows);
	memcpy(rows->matrix.numbers, numbers, sizeof(double) * golden->rows * 3);
	for (size_t i = 0; i < golden->rows; i++)
		rows->folds[i] = (int32_t) folds[i];
	set_label(env, rows, labels, n_classes);
	free(numbers);
	free(labels);
	free(folds);
	unit_csv_free(golden);
	return true;
}

/* ---- against scikit-learn ---- */

/* the line of a label: a fold, the mean, or the deviation */
static void
read_line(const UnitCsv *golden, const char *label, const char *line, double *wanted)
{
	for (int m = 0; m < RML_N_METRICS; m++)
		wanted[m] = INFINITY;
	for (size_t row = 0; row < golden->rows; row++)
		if (strcmp(unit_csv_text(golden, row, "label"), label) == 0 &&
			strcmp(unit_csv_text(golden, row, "line"), line) == 0)
			for (int m = 0; m < RML_N_METRICS; m++)
				wanted[m] = unit_csv_number(golden, row, rml_metric_names[m]);
}

static void
check_label(RmlEnv *env, const UnitCsv *golden, const char *label, int n_classes)
{
	static const char *const lines[n_golden_folds] = {"0", "1", "2", "3"};
	TestParams params = {.ridge = 0};
	RmlCell cell = {.learner = n_classes > 0 ? &bayes_learner : &squares_learner,
					.params = &params};
	double wanted[RML_N_METRICS];
	RmlFoldFailure failure;
	RmlValidation validation;
	Rows rows;

	if (!read_rows(env, label, n_classes, &rows))
		return;
	validation = (RmlValidation){.rows = &rows.raw,
								 .impute = RML_IMPUTE_MEAN,
								 .n_folds = n_golden_folds,
								 .folds = rows.folds};
	rml_cross_validate(env, &validation, &cell, 1, &failure);
	unit_equal_string(failure.reason, NULL, "%s: all folds can be fitted", label);
	for (int f = 0; f < n_golden_folds; f++)
	{
		read_line(golden, label, lines[f], wanted);
		unit_near_array(cell.scores + f * RML_N_METRICS, wanted, RML_N_METRICS, 1e-10,
						"%s: fold %d", label, f);
	}
	read_line(golden, label, "mean", wanted);
	unit_near_array(cell.mean, wanted, RML_N_METRICS, 1e-10, "%s: mean", label);
	read_line(golden, label, "sd", wanted);
	unit_near_array(cell.sd, wanted, RML_N_METRICS, 1e-10, "%s: standard deviation", label);
	unit_ok(cell.fit_seconds >= 0 && cell.fit_seconds < 10, "%s: a fit takes some time", label);
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("cross_validate.csv");

	if (golden == NULL)
		return;
	check_label(env, golden, "y", 0);
	check_label(env, golden, "two", 2);
	check_label(env, golden, "three", 3);
	unit_csv_free(golden);
}

/* ---- folds ---- */

/* largest minus smallest number of rows in a fold */
static int64_t
imbalance(const int32_t *folds, int64_t n, int n_folds)
{
	int64_t sizes[16] = {0}, low = n, high = 0;

	for (int64_t i = 0; i < n; i++)
		sizes[folds[i]]++;
	for (int f = 0; f < n_folds; f++)
	{
		low = sizes[f] < low ? sizes[f] : low;
		high = sizes[f] > high ? sizes[f] : high;
	}
	return high - low;
}

static void
test_folds(RmlEnv *env)
{
	enum
	{
		n = 103
	};
	uint64_t groups[n], turned[n];
	int32_t folds[n], other[n], by_group[10];
	bool together = true, same = true;

	unit_equal_string(rml_folds_deal(env, n, NULL, 5, 42, folds), NULL, "rows are dealt");
	unit_equal_int(imbalance(folds, n, 5), 1, "evenly");
	rml_folds_deal(env, n, NULL, 5, 43, other);
	unit_ok(memcmp(folds, other, sizeof folds) != 0, "differently for another seed");
	unit_ok(memcmp(folds, folds + 5, sizeof(int32_t) * (n - 5)) != 0, "and not in turn");
	for (int i = 0; i < n; i++)
	{
		groups[i] = (uint64_t) (i % 10) << 60;
		turned[n - 1 - i] = groups[i];
	}
	rml_folds_deal(env, n, groups, 5, 42, folds);
	rml_folds_deal(env, n, turned, 5, 42, other);
	for (int i = 0; i < n; i++)
	{
		by_group[i % 10] = folds[i % 10];
		together = together && folds[i] == by_group[i % 10];
		same = same && folds[i] == other[n - 1 - i];
	}
	unit_ok(together, "a group is in one fold");
	unit_ok(same, "whatever the order of the rows");
	unit_equal_int(imbalance(by_group, 10, 5), 0, "each fold has as many groups");
	unit_equal_string(rml_folds_deal(env, n, groups, 11, 42, folds),
					  "10 groups cannot be dealt into 11 folds", "more folds than groups");
	unit_equal_string(rml_folds_deal(env, 3, NULL, 4, 42, folds),
					  "3 rows cannot be dealt into 4 folds", "or rows");
}

/* ---- cells ---- */

/* noise of many rows, of which the label knows the first column */
static void
make_rows(RmlEnv *env, int64_t n, Rows *rows)
{
	double *y = RML_NEW(env, double, (size_t) n);

	rows->matrix = (RmlMatrix){.n = n, .d_num = 3};
	rows->matrix.numbers = RML_NEW(env, double, (size_t) n * 3);
	rows->folds = RML_NEW(env, int32_t, (size_t) n);
	for (int64_t i = 0; i < 3 * n; i++)
		rows->matrix.numbers[i] = rml_rng_normal(7, 1, (uint64_t) i);
	for (int64_t i = 0; i < n; i++)
		y[i] = rows->matrix.numbers[3 * i] + rml_rng_normal(7, 2, (uint64_t) i);
	set_label(env, rows, y, 0);
	rml_folds_deal(env, n, NULL, 5, 42, rows->folds);
}

/* three cells, the last the worst */
static void
run_cells(RmlEnv *env, const Rows *rows, RmlCell cells[3], RmlFoldFailure *failure)
{
	static TestParams params[3] = {{.ridge = 1}, {.ridge = 1}, {.ridge = 1e6}};
	RmlValidation validation = {.rows = &rows->raw, .n_folds = 5, .folds = rows->folds};

	for (int c = 0; c < 3; c++)
		cells[c] =
			(RmlCell){.learner = &squares_learner,
					  .params = &params[c],
					  .predictions = c == 2 ? NULL : RML_NEW(env, double, (size_t) rows->matrix.n)};
	rml_cross_validate(env, &validation, cells, 3, failure);
}

static void
test_cells(RmlEnv *env, RmlEnv *two_threads)
{
	RmlCell cells[3], others[3];
	RmlFoldFailure failure;
	double rmse = 0.0;
	Rows rows;

	make_rows(env, 2000, &rows);
	run_cells(env, &rows, cells, &failure);
	rml_cells_rank(cells, 3, RML_METRIC_RMSE);
	unit_ok(cells[0].rank == 1 && cells[1].rank == 1 && cells[2].rank == 3,
			"cells are ranked, equal ones alike");
	rml_cells_rank(cells, 3, RML_METRIC_R2);
	unit_ok(cells[0].rank == 1 && cells[2].rank == 3, "also where more is better");
	for (int64_t i = 0; i < rows.matrix.n; i++)
		if (rows.folds[i] == 2)
			rmse += pow(cells[0].predictions[i] - rows.raw.y[i], 2) / 400.0;
	unit_near(sqrt(rmse), cells[0].scores[2 * RML_N_METRICS + RML_METRIC_RMSE], 1e-12,
			  "predictions are those that were measured");
	run_cells(two_threads, &rows, others, &failure);
	unit_ok(memcmp(cells[0].mean, others[0].mean, sizeof cells[0].mean) == 0 &&
				memcmp(cells[2].sd, others[2].sd, sizeof cells[2].sd) == 0,
			"two threads give the same bits");
	unit_equal_bytes(others[0].predictions, cells[0].predictions, sizeof(double) * 2000,
					 "and predictions");
}

static void
test_memory(RmlEnv *env)
{
	RmlFoldFailure failure;
	RmlCell cells[3];
	size_t before, bound;
	Rows rows;

	make_rows(env, 20000, &rows);
	before = unit_env_in_use(env);
	run_cells(env, &rows, cells, &failure);
	unit_ok(unit_env_in_use(env) - before < 2 * 20000 * sizeof(double) + 10000,
			"models do not stay in memory");
	bound = rml_cross_validate_bytes(
		&(RmlValidation){.rows = &rows.raw, .n_folds = 5, .folds = rows.folds}, cells, 3, 1);
	unit_ok(unit_env_peak(env) < before + 2 * 20000 * sizeof(double) + bound + 100000,
			"and take what was announced");
}

static void
test_refusals(RmlEnv *env)
{
	TestParams params[2] = {{.ridge = 1}, {.ridge = 1, .fail = 1}};
	RmlCell cells[2] = {{.learner = &squares_learner, .params = &params[0]},
						{.learner = &squares_learner, .params = &params[1]}};
	RmlFoldFailure failure;
	RmlValidation validation;
	Rows rows;

	make_rows(env, 100, &rows);
	validation = (RmlValidation){.rows = &rows.raw, .n_folds = 5, .folds = rows.folds};
	rml_cross_validate(env, &validation, cells, 2, &failure);
	unit_equal_string(failure.reason, "80 rows are not wanted", "a learner may refuse");
	unit_ok(failure.cell == 1 && failure.fold == 0 && !failure.by_folds, "what fails is known");
	for (int64_t i = 0; i < 100; i++)
		rows.matrix.numbers[3 * i + 1] = rows.folds[i] == 3 ? 1 : NAN;
	rml_cross_validate(env, &validation, cells, 2, &failure);
	unit_equal_string(failure.reason, "column \"x2\" has no values", "rows may teach nothing");
	unit_ok(failure.cell == 0 && failure.fold == 3 && failure.by_folds, "in a fold");
}

static void
test_cancel(RmlEnv *env)
{
	RmlFoldFailure failure;
	RmlCell cells[3];
	Rows rows;

	make_rows(env, 100000, &rows);
	unit_env_cancel_after(env, 3);
	unit_ok(UNIT_ESCAPES(env, run_cells(env, &rows, cells, &failure)),
			"%d threads can be cancelled", env->threads);
}

int
main(void)
{
	RmlEnv *env = unit_env(1), *two_threads = unit_env(2), *third = unit_env(1);

	test_golden(env);
	test_folds(env);
	test_cells(env, two_threads);
	test_memory(third);
	test_refusals(env);
	test_refusals(two_threads);
	test_cancel(env);
	test_cancel(two_threads);
	unit_env_free(env);
	unit_env_free(two_threads);
	unit_env_free(third);
	return unit_done();
}
