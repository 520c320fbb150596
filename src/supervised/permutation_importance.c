/*
 * permutation_importance.c
 *	  Shuffling one feature at a time, features side by side.
 */
#include "retailml/permutation_importance.h"

#include <math.h>
#include <string.h>

#include "retailml/cross_validate.h"
#include "retailml/rng.h"
#include "retailml/scope.h"
#include "retailml/tasks.h"

#define POLL_ROWS (1 << 14)
#define POLL_PREDICTIONS 16

typedef struct Run
{
	const RmlShuffling *shuffling;
	double baseline;
	double *mean; /* [D] */
	double *sd;   /* [D] */
} Run;

/* ---- one shuffle ---- */

/* a random order of the rows [n] */
static void
shuffle(RmlEnv *env, int64_t n, int64_t seed, uint64_t stream, int64_t *order)
{
	for (int64_t i = 0; i < n; i++)
	{
		int64_t j =
			(int64_t) rml_rng_below((uint64_t) seed, stream, (uint64_t) i, (uint64_t) i + 1);

		order[i] = order[j];
		order[j] = i;
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
}

/* a row of its own to change */
typedef struct Row
{
	double *numbers;
	int32_t *codes;
} Row;

static void
copy_row(const RmlTrainingSet *rows, int64_t i, Row *row)
{
	size_t d_num = (size_t) rows->schema->d_num, d_cat = (size_t) rows->schema->d_cat;

	if (d_num > 0)
		memcpy(row->numbers, rows->numbers + (size_t) i * d_num, sizeof(double) * d_num);
	if (d_cat > 0)
		memcpy(row->codes, rows->codes + (size_t) i * d_cat, sizeof(int32_t) * d_cat);
}

/* the feature's value of another row */
static void
borrow(const RmlTrainingSet *rows, const RmlFeature *feature, int64_t from, Row *row)
{
	int slot = feature->slot;

	if (feature->kind == RML_CATEGORICAL)
		row->codes[slot] = rows->codes[from * rows->schema->d_cat + slot];
	else
		row->numbers[slot] = rows->numbers[from * rows->schema->d_num + slot];
}

/* predictions [n x width] with the feature's values in this order; NULL: all rows as they are */
static void
predict_rows(RmlEnv *env, const RmlShuffling *s, const RmlFeature *feature, const int64_t *order,
			 double *predictions)
{
	const RmlTrainingSet *rows = s->rows;
	int width = rml_prediction_width(&rows->target);
	Row row = {.numbers = RML_NEW(env, double, (size_t) rows->schema->d_num),
			   .codes = RML_NEW(env, int32_t, (size_t) rows->schema->d_cat)};

	for (int64_t i = 0; i < rows->n; i++)
	{
		copy_row(rows, i, &row);
		if (feature != NULL)
			borrow(rows, feature, order[i], &row);
		if (width > 1)
			s->algorithm->proba(s->fitted, row.numbers, row.codes, predictions + i * width);
		else
			predictions[i] = s->algorithm->predict(s->fitted, row.numbers, row.codes);
		if (i % POLL_PREDICTIONS == 0)
			rml_poll(env);
	}
	rml_release(env, row.numbers);
	rml_release(env, row.codes);
}

static double
measure(RmlEnv *env, const RmlShuffling *s, const double *predictions)
{
	const RmlPredicted predicted = {.n = s->rows->n,
									.n_classes = s->rows->target.n_classes,
									.y = s->rows->y,
									.classes = s->rows->classes,
									.predictions = predictions};
	double metrics[RML_N_METRICS];

	rml_metrics(env, &predicted, metrics);
	return metrics[s->metric];
}

/* ---- features ---- */

static double *
new_predictions(RmlEnv *env, const RmlShuffling *s)
{
	return RML_NEW(env, double,
				   (size_t) s->rows->n *(size_t) rml_prediction_width(&s->rows->target));
}

static void
run_feature(RmlEnv *env, int64_t task, void *context)
{
	const Run *run = context;
	const RmlShuffling *s = run->shuffling;
	RmlScope scope;
	int64_t *order;
	double *predictions, *lost;

	rml_scope_begin(&scope, env);
	order = RML_NEW(&scope.env, int64_t, (size_t) s->rows->n);
	predictions = new_predictions(&scope.env, s);
	lost = RML_NEW(&scope.env, double, (size_t) s->repeats);
	for (int r = 0; r < s->repeats; r++)
	{
		uint64_t stream = (uint64_t) task * (uint64_t) s->repeats + (uint64_t) r;
		double shuffled;

		shuffle(&scope.env, s->rows->n, s->seed, stream, order);
		predict_rows(&scope.env, s, &s->rows->schema->features[task], order, predictions);
		shuffled = measure(&scope.env, s, predictions);
		lost[r] =
			rml_metric_is_loss(s->metric) ? shuffled - run->baseline : run->baseline - shuffled;
	}
	rml_fold_moments(lost, s->repeats, 1, &run->mean[task], &run->sd[task]);
	rml_scope_end(&scope);
}

void
rml_permutation_importance(RmlEnv *env, const RmlShuffling *shuffling, double *baseline,
						   double *mean, double *sd)
{
	Run run = {.shuffling = shuffling, .mean = mean, .sd = sd};
	double *predictions = new_predictions(env, shuffling);
	RmlTasks *tasks;

	predict_rows(env, shuffling, NULL, NULL, predictions);
	run.baseline = measure(env, shuffling, predictions);
	rml_release(env, predictions);
	*baseline = run.baseline;
	tasks = rml_tasks_run(env, shuffling->rows->schema->n_features, run_feature, &run);
	rml_tasks_free(tasks);
}

/* NaN comes last */
void
rml_importance_order(const double *mean, int d, int *order)
{
	for (int i = 0; i < d; i++)
	{
		int place = i;

		while (place > 0 && (mean[order[place - 1]] < mean[i] ||
							 (isnan(mean[order[place - 1]]) && !isnan(mean[i]))))
		{
			order[place] = order[place - 1];
			place--;
		}
		order[place] = i;
	}
}

size_t
rml_permutation_importance_bytes(const RmlShuffling *shuffling, int threads)
{
	size_t width = (size_t) rml_prediction_width(&shuffling->rows->target);

	/* the order, predictions, and a copy of those to rank them */
	return (size_t) threads * (size_t) shuffling->rows->n *
		   (sizeof(int64_t) + (width + 2) * sizeof(double));
}
