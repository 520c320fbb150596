/*
 * rfecv.c
 *	  An elimination for each fold and one for all rows, side by side.
 */
#include "retailml/rfecv.h"

#include <math.h>
#include <string.h>

#include "retailml/scope.h"
#include "retailml/tasks.h"

#include "cross_validate_internal.h"

/* ---- sizes ---- */

/* the size after this one; the same when there is none */
static int
next_size(const RmlRfecvParams *params, int size)
{
	double drop = floor(params->step < 1 ? params->step * size : params->step);
	double next = size - (drop < 1 ? 1 : drop);

	if (size <= params->min_features)
		return size;
	return next < (double) params->min_features ? (int) params->min_features : (int) next;
}

int
rml_rfecv_sizes(const RmlRfecvParams *params, int d)
{
	int n = 1;

	for (int size = d; next_size(params, size) < size; size = next_size(params, size))
		n++;
	return n;
}

/* ---- one elimination ---- */

typedef struct Elimination
{
	const RmlValidation *validation;
	const RmlLearner *learner;
	const void *learner_params;
	const RmlRfecvParams *params;
	int d;
	int n_steps;
	RmlRfecvStep *steps;
	RmlFoldFailure *failures; /* [F + 1] */
} Elimination;

/* importance [D] of the features in the model; the others are out */
static void
importances(RmlEnv *env, const RmlFoldFit *fit, int d, double *importance)
{
	const RmlSchema *schema = &fit->prepared.schema;
	double *gain = RML_NEW(env, double, (size_t) schema->n_features);
	int64_t *splits = RML_NEW(env, int64_t, (size_t) schema->n_features);

	fit->learner->algorithm->importance(fit->fitted, schema, gain, splits);
	for (int i = 0, j = 0; i < d; i++)
		if (fit->features[i])
			importance[i] = gain[j++];
	rml_release(env, gain);
	rml_release(env, splits);
}

/* of equal ones the last; NaN counts as nothing */
static int
weakest(const double *importance, const bool *features, int d)
{
	double least = INFINITY;
	int found = -1;

	for (int i = 0; i < d; i++)
	{
		double value = isnan(importance[i]) ? 0.0 : importance[i];

		if (features[i] && (found < 0 || value <= least))
		{
			least = value;
			found = i;
		}
	}
	return found;
}

static void
drop_weakest(const double *importance, bool *features, int d, int n, int *dropped)
{
	for (int i = 0; i < n; i++)
	{
		dropped[i] = weakest(importance, features, d);
		features[dropped[i]] = false;
	}
}

/* false when the fit failed */
static bool
run_step(RmlEnv *env, const Elimination *e, int step, int fold, const bool *features,
		 double *importance)
{
	RmlFoldFit fit = {.validation = e->validation,
					  .learner = e->learner,
					  .params = e->learner_params,
					  .features = features,
					  .fold = fold};
	RmlScope scope;

	rml_scope_begin(&scope, env);
	rml_fold_fit(&scope.env, &fit);
	if (fit.reason != NULL)
		rml_fold_fail(env, &fit, step, &e->failures[fold + 1]);
	else
	{
		if (fold >= 0)
			e->steps[step].scores[fold] = fit.scores[e->params->metric];
		importances(&scope.env, &fit, e->d, importance);
	}
	rml_scope_end(&scope);
	return fit.reason == NULL;
}

/* task 0 eliminates on all rows, task f + 1 without fold f */
static void
eliminate(RmlEnv *env, int64_t task, void *context)
{
	const Elimination *e = context;
	int fold = (int) task - 1;
	bool *features = RML_NEW(env, bool, (size_t) e->d);
	double *importance = RML_NEW(env, double, (size_t) e->d);
	int *dropped = RML_NEW(env, int, (size_t) e->d);

	memset(features, 1, sizeof(bool) * (size_t) e->d);
	for (int s = 0; s < e->n_steps; s++)
	{
		RmlRfecvStep *step = &e->steps[s];
		int n = s > 0 ? step[-1].n_features - step->n_features : 0;

		drop_weakest(importance, features, e->d, n, dropped);
		if (fold < 0)
		{
			memcpy(step->features, features, sizeof(bool) * (size_t) e->d);
			memcpy(step->dropped, dropped, sizeof(int) * (size_t) n);
		}
		/* nothing is learnt from all rows and the last features */
		if (fold < 0 && s == e->n_steps - 1 && s > 0)
			break;
		if (!run_step(env, e, s, fold, features, importance))
			break;
	}
	rml_release(env, features);
	rml_release(env, importance);
	rml_release(env, dropped);
}

/* ---- the choice ---- */

static int
best_step(const RmlRfecvStep *steps, int n, RmlMetric metric)
{
	int best = 0;

	/* of equal ones the smallest */
	for (int s = 1; s < n; s++)
		if (!rml_metric_better(metric, steps[best].mean, steps[s].mean))
			best = s;
	return best;
}

/* is a as good as the best, as far as the folds can tell? */
static bool
within_one_se(const RmlRfecvStep *a, const RmlRfecvStep *best, int n_folds, RmlMetric metric)
{
	double sum = 0.0, squares = 0.0, mean, error;
	int n = 0;

	for (int f = 0; f < n_folds; f++)
	{
		double loss = a->scores[f] - best->scores[f];

		if (isnan(loss))
			continue;
		loss = rml_metric_is_loss(metric) ? loss : -loss;
		sum += loss;
		squares += loss * loss;
		n++;
	}
	if (n < 2)
		return false;
	mean = sum / n;
	error = sqrt(fmax(squares / n - mean * mean, 0.0) / (n - 1));
	return mean <= error;
}

static void
choose(RmlRfecvStep *steps, int n, int n_folds, const RmlRfecvParams *params)
{
	int best = best_step(steps, n, params->metric), chosen = best;

	for (int s = best + 1; params->one_se && s < n; s++)
		if (within_one_se(&steps[s], &steps[best], n_folds, params->metric))
			chosen = s;
	for (int s = 0; s < n; s++)
		steps[s].selected = s == chosen;
}

/* ---- the whole ---- */

static void
prepare_steps(RmlEnv *env, const Elimination *e)
{
	int size = e->d, before = e->d;

	for (int s = 0; s < e->n_steps; s++)
	{
		e->steps[s] =
			(RmlRfecvStep){.n_features = size,
						   .n_dropped = before - size,
						   .scores = RML_NEW(env, double, (size_t) e->validation->n_folds),
						   .features = RML_NEW(env, bool, (size_t) e->d),
						   .dropped = RML_NEW(env, int, (size_t) (before - size))};
		before = size;
		size = next_size(e->params, size);
	}
}

/* the first failure, out of the tasks' memory */
static void
first_failure(RmlEnv *env, const Elimination *e, RmlFoldFailure *failure)
{
	memset(failure, 0, sizeof *failure);
	for (int f = 0; f <= e->validation->n_folds && failure->reason == NULL; f++)
		*failure = e->failures[f];
	if (failure->reason != NULL)
		failure->reason = rml_strdup(env, failure->reason);
}

void
rml_rfecv(RmlEnv *env, const RmlValidation *validation, const RmlLearner *learner,
		  const void *learner_params, const RmlRfecvParams *params, RmlRfecvStep *steps,
		  RmlFoldFailure *failure)
{
	int n_folds = validation->n_folds;
	Elimination e = {.validation = validation,
					 .learner = learner,
					 .learner_params = learner_params,
					 .params = params,
					 .d = validation->rows->n_columns,
					 .steps = steps};
	RmlTasks *tasks;

	e.n_steps = rml_rfecv_sizes(params, e.d);
	e.failures = RML_NEW_ZERO(env, RmlFoldFailure, (size_t) n_folds + 1);
	prepare_steps(env, &e);
	tasks = rml_tasks_run(env, n_folds + 1, eliminate, &e);
	first_failure(env, &e, failure);
	rml_tasks_free(tasks);
	rml_release(env, e.failures);
	if (failure->reason != NULL)
		return;
	for (int s = 0; s < e.n_steps; s++)
		rml_fold_moments(steps[s].scores, n_folds, 1, &steps[s].mean, &steps[s].sd);
	choose(steps, e.n_steps, n_folds, params);
}

size_t
rml_rfecv_bytes(const RmlValidation *validation, const RmlLearner *learner,
				const void *learner_params, const RmlRfecvParams *params, int threads)
{
	int n_folds = validation->n_folds, d = validation->rows->n_columns;
	size_t at_once = (size_t) (n_folds + 1 < threads ? n_folds + 1 : threads);
	size_t steps = (size_t) rml_rfecv_sizes(params, d);

	return steps * (sizeof(double) * (size_t) n_folds + sizeof(bool) * (size_t) d) +
		   at_once * rml_fold_fit_bytes(validation, learner, learner_params);
}
