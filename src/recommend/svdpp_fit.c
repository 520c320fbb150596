/*
 * svdpp_fit.c
 *	  Training: a trial that is tested on held-out ratings, then the model on all of them.
 */
#include <math.h>
#include <string.h>

#include "retailml/tasks.h"
#include "svdpp_internal.h"

#define POLL_RATINGS 1000000

/*
 * Up to so many ratings the two runs go side by side.  Each has its own memory, so threads have nothing to
 * wait for; more ratings keep the threads of one run busy, and two runs take twice the memory.
 */
#define SIDE_BY_SIDE_RATINGS 1000000

/* ---- the two runs ---- */

/* a trial, if any ratings are held out, and the final run on all */
typedef struct Runs
{
	RmlSvdpp *model; /* the trial fills in history and test, the final run factors and train_rmse */
	const RmlRatings *ratings;
	const uint8_t *held; /* [n] */
	int64_t n_held;
	int n_epochs;       /* of the final run */
	double *train_rmse; /* [n_epochs] of its epochs */
	const char *trial_failed;
	const char *final_failed;
} Runs;

static const char *
try_first(Runs *runs, RmlEnv *env)
{
	return rml_svdpp_try(runs->model, env, runs->ratings, runs->held, runs->n_held);
}

typedef struct Final
{
	RmlEnv *env;
	const Runs *runs;
} Final;

static bool
after_epoch(void *context, int epoch, const RmlFactors *factors, double train_rmse)
{
	const Final *final = context;

	(void) factors;
	final->runs->train_rmse[epoch - 1] = train_rmse;
	final->env->progress(final->env, "epoch", epoch, train_rmse);
	return epoch < final->runs->n_epochs;
}

static const char *
run_final(Runs *runs, RmlEnv *env)
{
	Final final = {env, runs};

	return rml_svdpp_descend(&runs->model->factors, env, runs->model->params, runs->ratings,
							 after_epoch, &final);
}

/* ---- side by side ---- */

static void
run_task(RmlEnv *env, int64_t task, void *context)
{
	Runs *runs = context;

	if (task == 0)
		runs->trial_failed = try_first(runs, env);
	else
		runs->final_failed = run_final(runs, env);
}

static float *
copy(RmlEnv *env, const float *values, int32_t n, int s)
{
	size_t size = (size_t) n * (size_t) s;

	return memcpy(RML_NEW(env, float, size), values, size * sizeof(float));
}

/* factors in memory that goes with a task */
static void
copy_factors(RmlFactors *factors, RmlEnv *env)
{
	factors->bu = copy(env, factors->bu, factors->n_users, 1);
	factors->bi = copy(env, factors->bi, factors->n_items, 1);
	factors->p = copy(env, factors->p, factors->n_users, factors->s);
	factors->q = copy(env, factors->q, factors->n_items, factors->s);
	if (factors->y != NULL)
		factors->y = copy(env, factors->y, factors->n_items, factors->s);
}

/* tasks do not report */
static void
report_epochs(const Runs *runs, RmlEnv *env)
{
	for (int e = 0; e < runs->model->n_history; e++)
		env->progress(env, "epoch on the training part", e + 1,
					  runs->model->history[e].holdout_rmse);
	for (int e = 0; e < runs->n_epochs; e++)
		env->progress(env, "epoch", e + 1, runs->train_rmse[e]);
}

static const char *
run_side_by_side(Runs *runs, RmlEnv *env)
{
	RmlTasks *tasks = rml_tasks_run(env, 2, run_task, runs);
	const char *reason = runs->trial_failed != NULL ? runs->trial_failed : runs->final_failed;

	if (reason != NULL)
		reason = rml_format(env, "%s", reason);
	else
	{
		copy_factors(&runs->model->factors, env);
		report_epochs(runs, env);
	}
	rml_tasks_free(tasks);
	return reason;
}

static const char *
run_in_turn(Runs *runs, RmlEnv *env)
{
	const char *reason = NULL;

	if (runs->n_held > 0)
		reason = try_first(runs, env);
	/* early stopping says how long to learn */
	runs->n_epochs = runs->model->n_epochs;
	return reason != NULL ? reason : run_final(runs, env);
}

static bool
go_side_by_side(const Runs *runs, RmlEnv *env)
{
	const RmlSvdppParams *params = runs->model->params;

	return runs->n_held > 0 && params->early_stopping == 0 && env->threads > 1 &&
		   runs->ratings->n <= SIDE_BY_SIDE_RATINGS &&
		   env->room(env) / 2 >= rml_svdpp_fit_bytes(params, runs->ratings);
}

/* ---- training ---- */

static void
find_range(RmlSvdpp *model, RmlEnv *env, const RmlRatings *ratings)
{
	model->low = model->high = ratings->values[0];
	for (int64_t r = 0; r < ratings->n; r++)
	{
		model->low = fmin(model->low, ratings->values[r]);
		model->high = fmax(model->high, ratings->values[r]);
		if (r % POLL_RATINGS == 0)
			rml_poll(env);
	}
}

static void
begin_model(RmlSvdpp *model, RmlEnv *env, const RmlSvdppParams *params, const RmlRatings *ratings,
			const RmlRatingIds *users, const RmlRatingIds *items)
{
	memset(model, 0, sizeof *model);
	model->params = params;
	model->users = *users;
	model->items = *items;
	model->n = ratings->n;
	model->starts = ratings->starts;
	model->seen = ratings->items;
	model->buyers = rml_ratings_buyers(ratings, env);
	model->n_epochs = (int) params->n_epochs;
	model->history = RML_NEW(env, RmlSvdppEpoch, (size_t) params->n_epochs);
	find_range(model, env, ratings);
}

static void
end_model(RmlSvdpp *model, const Runs *runs)
{
	model->train_rmse = runs->train_rmse[runs->n_epochs - 1];
	if (runs->n_held > 0)
		return;
	for (int e = 0; e < runs->n_epochs; e++)
		model->history[model->n_history++] = (RmlSvdppEpoch){runs->train_rmse[e], NAN};
}

const char *
rml_svdpp_fit(RmlSvdpp *model, RmlEnv *env, const RmlSvdppParams *params, const RmlRatings *ratings,
			  const RmlRatingIds *users, const RmlRatingIds *items)
{
	Runs runs = {.model = model, .ratings = ratings, .n_epochs = (int) params->n_epochs};
	uint8_t *held = NULL;
	const char *reason;

	begin_model(model, env, params, ratings, users, items);
	runs.train_rmse = RML_NEW(env, double, (size_t) params->n_epochs);
	if (params->holdout > 0)
		runs.held = held = rml_svdpp_hold_out(model, env, ratings, &runs.n_held);
	if (runs.n_held == ratings->n)
		runs.n_held = 0;
	reason = go_side_by_side(&runs, env) ? run_side_by_side(&runs, env) : run_in_turn(&runs, env);
	if (reason == NULL)
		end_model(model, &runs);
	rml_release(env, held);
	rml_release(env, runs.train_rmse);
	return reason;
}

/* ---- memory ---- */

size_t
rml_svdpp_fit_bytes(const RmlSvdppParams *params, const RmlRatings *ratings)
{
	size_t users = (size_t) ratings->n_users, items = (size_t) ratings->n_items;
	size_t bytes = rml_svdpp_descend_bytes(params, ratings) + sizeof(int64_t) * items +
				   sizeof(RmlSvdppEpoch) * (size_t) params->n_epochs;

	/* the sides, the training part, two predictions of each; means and biases */
	if (params->holdout > 0)
		bytes += (1 + sizeof(int32_t) + 3 * sizeof(float)) * (size_t) ratings->n +
				 sizeof(double) * (3 * users + 3 * items);
	return bytes;
}
