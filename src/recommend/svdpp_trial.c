/*
 * svdpp_trial.c
 *	  The run that is tested on held-out ratings: its history and the model's verdict.
 */
#include <math.h>

#include "retailml/parallel.h"
#include "svdpp_baselines.h"
#include "svdpp_internal.h"

/* fewer held-out ratings say nothing */
#define LEAST_HELD_OUT 30

/* better by more standard errors than this is no chance (one-sided 2.3 %) */
#define STANDARD_ERRORS 2.0

/* a block of predictions takes about so many steps of one factor of one rating */
#define BLOCK_STEPS (1 << 19)

#define POLL_RATINGS (1 << 19)

/* the run in which some ratings are held out */
typedef struct Trial
{
	const RmlSvdppParams *params;
	const RmlRatings *ratings; /* all */
	const uint8_t *held;       /* [n] 1: held out */
	RmlRatings part;           /* the others */
	int64_t *known;            /* [i] ratings of an item in part */
	RmlEnv *env;
	RmlSvdpp *model;           /* whose history and test are filled in */
	const RmlFactors *factors; /* of the epoch */
	float *predictions;        /* [n] of the held-out ratings, after the epoch */
	float *best;               /* [n] and after the best one */
	double *squares;           /* [u] their squared errors */
	double *user;              /* [threads x f] */
	int64_t n_held;
	int best_epoch; /* 0: none yet */
	double best_rmse;
	int unbounded; /* the epoch whose predictions are not finite; 0: none */
} Trial;

/* ---- holding out ---- */

uint8_t *
rml_svdpp_hold_out(const RmlSvdpp *model, RmlEnv *env, const RmlRatings *ratings, int64_t *n_held)
{
	uint8_t *held = RML_NEW(env, uint8_t, (size_t) ratings->n);
	uint64_t *user_keys = rml_rating_keys(&model->users, env);
	uint64_t *item_keys = rml_rating_keys(&model->items, env);

	*n_held = 0;
	for (int32_t u = 0; u < ratings->n_users; u++)
		for (int64_t r = ratings->starts[u]; r < ratings->starts[u + 1]; r++)
		{
			uint64_t key = rml_rating_pair_key(user_keys[u], item_keys[ratings->items[r]],
											   model->params->seed);

			held[r] = (double) (key >> 11) * 0x1p-53 < model->params->holdout;
			*n_held += held[r];
			if (r % POLL_RATINGS == 0)
				rml_poll(env);
		}
	rml_release(env, user_keys);
	rml_release(env, item_keys);
	return held;
}

/* ---- after an epoch ---- */

/* predictions for one user's held-out ratings; who or what has no rating left in the part is unknown */
static void
predict_user(const Trial *trial, int32_t user, double *w)
{
	const RmlRatings *all = trial->ratings;
	const RmlRatings *part = &trial->part;
	int64_t start = part->starts[user];
	int64_t n = part->starts[user + 1] - start;
	int32_t known = n > 0 ? user : -1;
	double squares = 0;
	bool begun = false;

	for (int64_t r = all->starts[user]; r < all->starts[user + 1]; r++)
	{
		int32_t item = all->items[r];
		double score, error;

		if (!trial->held[r])
			continue;
		if (!begun)
			rml_factors_user(trial->factors, known, part->items + start, n, w);
		begun = true;
		score = rml_factors_score(trial->factors, known, trial->known[item] > 0 ? item : -1, w);
		trial->predictions[r] = (float) rml_svdpp_clip(trial->model, score);
		error = (double) all->values[r] - trial->predictions[r];
		squares += error * error;
	}
	trial->squares[user] = squares;
}

/* ratings of a block, a user being one more */
static int64_t
block_size(const Trial *trial)
{
	return BLOCK_STEPS / trial->params->n_factors;
}

static void
predict_users(void *context, int64_t block, int thread)
{
	const Trial *trial = context;
	int64_t size = block_size(trial);
	int32_t end = rml_ratings_block_user(trial->ratings, block + 1, size, 1);

	for (int32_t user = rml_ratings_block_user(trial->ratings, block, size, 1); user < end; user++)
		predict_user(trial, user, trial->user + (size_t) thread * trial->factors->s);
}

static double
holdout_rmse(Trial *trial)
{
	const RmlRatings *ratings = trial->ratings;
	double sum = 0;

	rml_parallel(trial->env, rml_blocks(ratings->n + ratings->n_users, block_size(trial)),
				 predict_users, trial);
	for (int32_t user = 0; user < ratings->n_users; user++)
		sum += trial->squares[user];
	return sqrt(sum / (double) trial->n_held);
}

/* false when early stopping has waited long enough, or there is nothing left to wait for */
static bool
after_trial_epoch(void *context, int epoch, const RmlFactors *factors, double train_rmse)
{
	Trial *trial = context;
	int64_t patience = trial->params->early_stopping;
	double rmse;

	trial->factors = factors;
	rmse = holdout_rmse(trial);
	if (!isfinite(rmse))
	{
		trial->unbounded = epoch;
		return false;
	}
	trial->model->history[trial->model->n_history++] = (RmlSvdppEpoch){train_rmse, rmse};
	trial->env->progress(trial->env, "epoch on the training part", epoch, rmse);
	if (patience == 0 || rmse < trial->best_rmse)
	{
		float *predictions = trial->best;

		trial->best = trial->predictions;
		trial->predictions = predictions;
		trial->best_epoch = epoch;
		trial->best_rmse = rmse;
	}
	return patience == 0 || epoch - trial->best_epoch < patience;
}

/* ---- the verdict ---- */

/* sums over the held-out ratings: squared errors of the model and of the baselines */
typedef struct Sums
{
	double model;
	double absolute;
	double global_mean;
	double item_mean;
	double biases;
	double gain; /* squared error of the item mean less that of the model; and its square */
	double gain_squared;
} Sums;

static void
add_rating(Sums *sums, const Trial *trial, const RmlBaselines *baselines, int32_t user, int64_t r)
{
	int32_t item = trial->ratings->items[r];
	double value = trial->ratings->values[r];
	double error = value - trial->best[r];
	double global = value - baselines->mean;
	double mean = value - rml_baselines_item_mean(baselines, item);
	double biases = value - rml_baselines_biases(baselines, user, item);
	double gain = mean * mean - error * error;

	sums->model += error * error;
	sums->absolute += fabs(error);
	sums->global_mean += global * global;
	sums->item_mean += mean * mean;
	sums->biases += biases * biases;
	sums->gain += gain;
	sums->gain_squared += gain * gain;
}

static RmlVerdict
judge(double z, int64_t n)
{
	if (n < LEAST_HELD_OUT)
		return RML_VERDICT_NOT_TESTED;
	return z > STANDARD_ERRORS ? RML_VERDICT_BETTER : RML_VERDICT_NO_BETTER;
}

static void
test_model(const Trial *trial, RmlSvdppTest *test)
{
	RmlBaselines baselines;
	Sums sums = {0};
	double n = (double) trial->n_held;
	double mean, variance;

	rml_baselines_fit(trial->env, &trial->part, &baselines);
	for (int32_t user = 0; user < trial->ratings->n_users; user++)
		for (int64_t r = trial->ratings->starts[user]; r < trial->ratings->starts[user + 1]; r++)
		{
			if (trial->held[r])
				add_rating(&sums, trial, &baselines, user, r);
			if (r % POLL_RATINGS == 0)
				rml_poll(trial->env);
		}
	rml_baselines_release(&baselines, trial->env);
	mean = sums.gain / n;
	variance = sums.gain_squared / n - mean * mean;
	test->n = trial->n_held;
	test->rmse = sqrt(sums.model / n);
	test->mae = sums.absolute / n;
	test->global_mean_rmse = sqrt(sums.global_mean / n);
	test->item_mean_rmse = sqrt(sums.item_mean / n);
	test->biases_rmse = sqrt(sums.biases / n);
	test->z = variance > 0 ? mean / sqrt(variance / n) : 0;
	test->verdict = judge(test->z, trial->n_held);
}

/* ---- the run ---- */

const char *
rml_svdpp_try(RmlSvdpp *model, RmlEnv *env, const RmlRatings *ratings, const uint8_t *held,
			  int64_t n_held)
{
	Trial trial = {.params = model->params,
				   .ratings = ratings,
				   .held = held,
				   .env = env,
				   .model = model,
				   .n_held = n_held,
				   .best_rmse = INFINITY};
	RmlFactors factors;
	const char *reason;

	rml_ratings_without(ratings, env, held, 1, &trial.part);
	trial.known = rml_ratings_buyers(&trial.part, env);
	trial.predictions = RML_NEW(env, float, (size_t) ratings->n);
	trial.best = RML_NEW(env, float, (size_t) ratings->n);
	trial.squares = RML_NEW(env, double, (size_t) ratings->n_users);
	trial.user = RML_NEW(env, double,
						 (size_t) env->threads *((size_t) model->params->n_factors + RML_LANES));
	reason =
		rml_svdpp_descend(&factors, env, model->params, &trial.part, after_trial_epoch, &trial);
	if (reason == NULL && trial.unbounded > 0)
		reason = rml_svdpp_unbounded(env, trial.unbounded);
	if (reason == NULL)
	{
		model->n_epochs = trial.best_epoch;
		test_model(&trial, &model->test);
	}
	rml_factors_release(&factors, env);
	rml_ratings_release(&trial.part, env);
	rml_release(env, trial.known);
	rml_release(env, trial.predictions);
	rml_release(env, trial.best);
	rml_release(env, trial.squares);
	rml_release(env, trial.user);
	return reason;
}
