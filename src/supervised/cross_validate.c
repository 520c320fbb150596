/*
 * cross_validate.c
 *	  Dealing folds, and fitting all cells to all of them.
 */
#include "retailml/cross_validate.h"

#include <math.h>
#include <string.h>

#include "retailml/rng.h"
#include "retailml/scope.h"
#include "retailml/sort.h"
#include "retailml/tasks.h"

#include "cross_validate_internal.h"

#define POLL_ROWS (1 << 16)

/* the random stream of the folds */
#define STREAM_FOLDS 0xF01D5

/* ---- folds ---- */

/* groups in random order: 53 bits of a hash, as a double, so that they can be sorted */
static double *
group_keys(RmlEnv *env, int64_t n, const uint64_t *groups, int64_t seed)
{
	double *keys = RML_NEW(env, double, (size_t) n);

	for (int64_t i = 0; i < n; i++)
	{
		uint64_t group = groups == NULL ? (uint64_t) i : groups[i];

		keys[i] = (double) (rml_rng_u64((uint64_t) seed, STREAM_FOLDS, group) >> 11);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	return keys;
}

/* ascending values without repetition, in place; returns their number */
static int64_t
make_distinct(RmlEnv *env, double *values, int64_t n)
{
	int64_t distinct = 0;

	for (int64_t i = 0; i < n; i++)
	{
		if (i == 0 || values[i] != values[distinct - 1])
			values[distinct++] = values[i];
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	return distinct;
}

static int64_t
position_of(const double *sorted, int64_t n, double value)
{
	int64_t low = 0, high = n;

	while (low < high)
	{
		int64_t middle = low + (high - low) / 2;

		if (sorted[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *
rml_folds_deal(RmlEnv *env, int64_t n, const uint64_t *groups, int n_folds, int64_t seed,
			   int32_t *folds)
{
	double *keys = group_keys(env, n, groups, seed);
	double *sorted = RML_NEW(env, double, (size_t) n);
	const char *reason = NULL;
	int64_t distinct;

	memcpy(sorted, keys, sizeof(double) * (size_t) n);
	rml_sort_doubles(env, sorted, n);
	distinct = make_distinct(env, sorted, n);
	if (distinct < n_folds)
		reason = rml_format(env, "%lld %s cannot be dealt into %d folds", (long long) distinct,
							groups == NULL ? "rows" : "groups", n_folds);
	for (int64_t i = 0; i < n && reason == NULL; i++)
	{
		folds[i] = (int32_t) (position_of(sorted, distinct, keys[i]) % n_folds);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	rml_release(env, keys);
	rml_release(env, sorted);
	return reason;
}

/* ---- cells ---- */

/* copies, in the arena: a cancelled run leaves its stack before the tasks have ended */
typedef struct Run
{
	const RmlValidation *validation;
	RmlCell *cells;           /* [C] */
	RmlFoldFailure *failures; /* [C x F] */
	RmlValidation own_validation;
	RmlRawRows rows;
	RmlMatrix matrix;
} Run;

static void
keep_predictions(const RmlFoldFit *fit, RmlCell *cell)
{
	size_t width = (size_t) rml_prediction_width(&fit->validation->rows->target);

	if (cell->predictions == NULL)
		return;
	for (int64_t i = 0; i < fit->n_held; i++)
		memcpy(cell->predictions + (size_t) fit->held[i] * width,
			   fit->predictions + (size_t) i * width, sizeof(double) * width);
}

static void
run_fold(RmlEnv *env, int64_t task, void *context)
{
	const Run *run = context;
	int n_folds = run->validation->n_folds;
	int number = (int) (task / n_folds), fold = (int) (task % n_folds);
	RmlCell *cell = &run->cells[number];
	RmlFoldFit fit = {.validation = run->validation,
					  .learner = cell->learner,
					  .params = cell->params,
					  .fold = fold};
	RmlScope scope;

	rml_scope_begin(&scope, env);
	rml_fold_fit(&scope.env, &fit);
	if (fit.reason != NULL)
		rml_fold_fail(env, &fit, number, &run->failures[task]);
	else
	{
		cell->seconds[fold] = fit.seconds;
		memcpy(cell->scores + fold * RML_N_METRICS, fit.scores, sizeof fit.scores);
		keep_predictions(&fit, cell);
	}
	rml_scope_end(&scope);
}

void
rml_fold_moments(const double *values, int n, int stride, double *mean, double *sd)
{
	double sum = 0.0, squares = 0.0;
	int defined = 0;

	for (int i = 0; i < n; i++)
		if (!isnan(values[i * stride]))
		{
			sum += values[i * stride];
			defined++;
		}
	*mean = defined > 0 ? sum / defined : NAN;
	for (int i = 0; i < n; i++)
		if (!isnan(values[i * stride]))
			squares += (values[i * stride] - *mean) * (values[i * stride] - *mean);
	*sd = defined > 0 ? sqrt(squares / defined) : NAN;
}

static void
summarize(RmlCell *cell, int n_folds)
{
	double sd;

	for (int m = 0; m < RML_N_METRICS; m++)
		rml_fold_moments(cell->scores + m, n_folds, RML_N_METRICS, &cell->mean[m], &cell->sd[m]);
	rml_fold_moments(cell->seconds, n_folds, 1, &cell->fit_seconds, &sd);
}

/* the first failure, out of the tasks' memory */
static void
first_failure(RmlEnv *env, const Run *run, int64_t n, RmlFoldFailure *failure)
{
	memset(failure, 0, sizeof *failure);
	for (int64_t i = 0; i < n && failure->reason == NULL; i++)
		*failure = run->failures[i];
	if (failure->reason != NULL)
		failure->reason = rml_strdup(env, failure->reason);
}

static Run *
run_of(RmlEnv *env, const RmlValidation *validation, const RmlCell *cells, int n_cells)
{
	size_t n_folds = (size_t) validation->n_folds;
	Run *run = RML_NEW(env, Run, 1);

	run->matrix = *validation->rows->matrix;
	run->rows = *validation->rows;
	run->rows.matrix = &run->matrix;
	run->own_validation = *validation;
	run->own_validation.rows = &run->rows;
	run->validation = &run->own_validation;
	run->failures = RML_NEW_ZERO(env, RmlFoldFailure, (size_t) n_cells * n_folds);
	run->cells = RML_NEW(env, RmlCell, (size_t) n_cells);
	memcpy(run->cells, cells, sizeof(RmlCell) * (size_t) n_cells);
	for (int c = 0; c < n_cells; c++)
	{
		run->cells[c].scores = RML_NEW(env, double, n_folds *RML_N_METRICS);
		run->cells[c].seconds = RML_NEW(env, double, n_folds);
	}
	return run;
}

void
rml_cross_validate(RmlEnv *env, const RmlValidation *validation, RmlCell *cells, int n_cells,
				   RmlFoldFailure *failure)
{
	int64_t n_tasks = (int64_t) n_cells * validation->n_folds;
	Run *run = run_of(env, validation, cells, n_cells);
	RmlTasks *tasks = rml_tasks_run(env, n_tasks, run_fold, run);

	first_failure(env, run, n_tasks, failure);
	rml_tasks_free(tasks);
	memcpy(cells, run->cells, sizeof(RmlCell) * (size_t) n_cells);
	rml_release(env, run->failures);
	rml_release(env, run->cells);
	rml_release(env, run);
	for (int c = 0; c < n_cells && failure->reason == NULL; c++)
		summarize(&cells[c], validation->n_folds);
}

void
rml_cells_rank(RmlCell *cells, int n_cells, RmlMetric metric)
{
	for (int c = 0; c < n_cells; c++)
	{
		cells[c].rank = 1;
		for (int other = 0; other < n_cells; other++)
			cells[c].rank +=
				rml_metric_better(metric, cells[other].mean[metric], cells[c].mean[metric]);
	}
}

size_t
rml_cross_validate_bytes(const RmlValidation *validation, const RmlCell *cells, int n_cells,
						 int threads)
{
	int64_t n_tasks = (int64_t) n_cells * validation->n_folds;
	size_t at_once = (size_t) (n_tasks < threads ? n_tasks : threads);
	size_t largest = 0, kept = 0;

	for (int c = 0; c < n_cells; c++)
	{
		size_t bytes = rml_fold_fit_bytes(validation, cells[c].learner, cells[c].params);

		largest = bytes > largest ? bytes : largest;
		kept += sizeof(double) * (RML_N_METRICS + 1) * (size_t) validation->n_folds;
	}
	return kept + at_once * largest;
}
