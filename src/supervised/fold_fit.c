/*
 * fold_fit.c
 *	  Fit to some rows, predict the others.
 */
#include "cross_validate_internal.h"

#include <math.h>
#include <time.h>

#define POLL_ROWS (1 << 16)

/* ---- rows ---- */

/* training rows, and fit->held */
static void
split_rows(RmlEnv *env, RmlFoldFit *fit, RmlSubset *training)
{
	const int32_t *folds = fit->validation->folds;
	int64_t n = fit->validation->rows->matrix->n;
	int64_t *rows = RML_NEW(env, int64_t, (size_t) n);

	fit->held = RML_NEW(env, int64_t, (size_t) n);
	fit->n_held = 0;
	*training = (RmlSubset){.rows = rows, .features = fit->features};
	for (int64_t i = 0; i < n; i++)
	{
		if (fit->fold >= 0 && folds[i] == fit->fold)
			fit->held[fit->n_held++] = i;
		else
			rows[training->n++] = i;
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
}

/* ---- the fit ---- */

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

static void
fit_rows(RmlEnv *env, RmlFoldFit *fit)
{
	const RmlTrainingSet *rows = &fit->prepared.rows;
	double start = now();

	fit->reason = fit->learner->check(env, fit->params, rows);
	if (fit->reason == NULL)
		fit->fitted = rml_learner_fit(env, fit->learner, fit->params, rows, &fit->reason);
	fit->seconds = now() - start;
}

/* ---- held-out rows ---- */

static void
measure(RmlEnv *env, RmlFoldFit *fit)
{
	const RmlRawRows *raw = fit->validation->rows;
	double *y = raw->y == NULL ? NULL : RML_NEW(env, double, (size_t) fit->n_held);
	int32_t *classes = raw->y != NULL ? NULL : RML_NEW(env, int32_t, (size_t) fit->n_held);
	RmlPredicted predicted = {.n = fit->n_held,
							  .n_classes = raw->target.n_classes,
							  .y = y,
							  .classes = classes,
							  .predictions = fit->predictions};

	for (int64_t i = 0; i < fit->n_held; i++)
		if (y != NULL)
			y[i] = raw->y[fit->held[i]];
		else
			classes[i] = raw->classes[fit->held[i]];
	rml_metrics(env, &predicted, fit->scores);
	rml_release(env, y);
	rml_release(env, classes);
}

static void
predict_held(RmlEnv *env, RmlFoldFit *fit)
{
	const RmlRawRows *raw = fit->validation->rows;
	const RmlSubset held = {.n = fit->n_held, .rows = fit->held, .features = fit->features};
	size_t width = (size_t) rml_prediction_width(&raw->target);
	RmlMatrix matrix;

	rml_training_set_apply(env, raw, &held, &fit->prepared.schema, &matrix);
	fit->predictions = RML_NEW(env, double, (size_t) fit->n_held *width);
	rml_training_set_predict(env, fit->learner->algorithm, fit->fitted, raw, &fit->prepared,
							 &matrix, fit->predictions);
	rml_release(env, matrix.numbers);
	rml_release(env, matrix.codes);
}

void
rml_fold_fit(RmlEnv *env, RmlFoldFit *fit)
{
	RmlSubset training;

	split_rows(env, fit, &training);
	fit->reason = rml_training_set_learn(env, fit->validation->rows, &training,
										 fit->validation->impute, &fit->prepared);
	fit->by_folds = fit->reason != NULL;
	rml_release(env, (void *) training.rows);
	if (fit->reason == NULL)
		fit_rows(env, fit);
	if (fit->reason != NULL || fit->fold < 0)
		return;
	predict_held(env, fit);
	measure(env, fit);
}

void
rml_fold_fail(RmlEnv *env, const RmlFoldFit *fit, int cell, RmlFoldFailure *failure)
{
	*failure = (RmlFoldFailure){.reason = rml_strdup(env, fit->reason),
								.cell = cell,
								.fold = fit->fold,
								.by_folds = fit->by_folds};
}

size_t
rml_fold_fit_bytes(const RmlValidation *validation, const RmlLearner *learner, const void *params)
{
	const RmlRawRows *raw = validation->rows;
	const RmlSchema shape = {.d_num = raw->matrix->d_num, .d_cat = raw->matrix->d_cat};
	const RmlTrainingSet rows = {.schema = &shape,
								 .target = raw->target,
								 .n = raw->matrix->n,
								 .y = raw->y,
								 .classes = raw->classes};
	size_t n = (size_t) raw->matrix->n;
	size_t predictions = sizeof(double) * (size_t) rml_prediction_width(&raw->target);

	return rml_training_set_bytes(raw, raw->matrix->n) + (2 * sizeof(int64_t) + predictions) * n +
		   rml_learner_bytes(learner, params, &rows, 1);
}
