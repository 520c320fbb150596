/*
 * test_svdpp_fit.c
 *	  Training of SVD++: the trial and the final run, in turn or side by side.
 */
#include "unit.h"

#include <math.h>

#include "retailml/options.h"
#include "retailml/rng.h"
#include "retailml/svdpp.h"

enum
{
	USERS = 300,
	ITEMS = 80,
	EPOCHS = 6
};

static RmlSvdppParams
defaults(void)
{
	RmlSvdppParams params;
	RmlOptionSet set = {rml_svdpp_options, rml_svdpp_n_options, &params};

	memset(&params, 0, sizeof params);
	rml_options_default(&set);
	params.n_epochs = EPOCHS;
	return params;
}

/* a fifth of all pairs: users of two tastes, items of two kinds, and noise */
static RmlRatings
make_ratings(RmlEnv *env)
{
	RmlRatings ratings = {.n_users = USERS, .n_items = ITEMS};

	ratings.starts = RML_NEW_ZERO(env, int64_t, USERS + 1);
	ratings.items = RML_NEW(env, int32_t, USERS * ITEMS);
	ratings.values = RML_NEW(env, float, USERS *ITEMS);
	for (int32_t u = 0; u < USERS; u++)
	{
		for (int32_t i = 0; i < ITEMS; i++)
		{
			uint64_t pair = (uint64_t) (u * ITEMS + i);

			if (rml_rng_below(3, 1, pair, 5) != 0)
				continue;
			ratings.items[ratings.n] = i;
			ratings.values[ratings.n++] =
				(float) ((u % 2 == i % 2 ? 3 : 2) + rml_rng_below(3, 2, pair, 5) / 2.0);
		}
		ratings.starts[u + 1] = ratings.n;
	}
	return ratings;
}

static RmlRatingIds
make_ids(RmlEnv *env, int32_t n)
{
	RmlRatingIds ids = {.n = n, .numbers = RML_NEW(env, int64_t, (size_t) n)};

	for (int32_t i = 0; i < n; i++)
		ids.numbers[i] = 10 * i;
	return ids;
}

static const char *
fit(RmlEnv *env, const RmlSvdppParams *params, RmlSvdpp *model)
{
	RmlRatings ratings = make_ratings(env);
	RmlRatingIds users = make_ids(env, USERS), items = make_ids(env, ITEMS);

	return rml_svdpp_fit(model, env, params, &ratings, &users, &items);
}

static bool
same_numbers(const float *a, const float *b, int n, int s)
{
	return memcmp(a, b, sizeof(float) * (size_t) n * (size_t) s) == 0;
}

static bool
same_factors(const RmlFactors *a, const RmlFactors *b)
{
	return a->mean == b->mean && a->s == b->s && same_numbers(a->bu, b->bu, USERS, 1) &&
		   same_numbers(a->bi, b->bi, ITEMS, 1) && same_numbers(a->p, b->p, USERS, a->s) &&
		   same_numbers(a->q, b->q, ITEMS, a->s) && (a->y == NULL) == (b->y == NULL) &&
		   (a->y == NULL || same_numbers(a->y, b->y, ITEMS, a->s));
}

static bool
same_model(const RmlSvdpp *a, const RmlSvdpp *b)
{
	return same_factors(&a->factors, &b->factors) && a->n_epochs == b->n_epochs &&
		   a->n_history == b->n_history && a->train_rmse == b->train_rmse &&
		   memcmp(a->history, b->history, sizeof(RmlSvdppEpoch) * (size_t) a->n_history) == 0 &&
		   memcmp(&a->test, &b->test, sizeof a->test) == 0;
}

/* two runs side by side leave what they leave in turn */
static void
check_same(const RmlSvdppParams *params, int64_t reports, const char *what)
{
	RmlEnv *one = unit_env(1), *two = unit_env(2);
	RmlSvdpp alone, beside;

	unit_ok(fit(one, params, &alone) == NULL && fit(two, params, &beside) == NULL, "%s: trained",
			what);
	unit_ok(same_model(&alone, &beside), "%s: the same model with two threads", what);
	unit_ok(unit_env_steps(one) == reports && unit_env_steps(two) == reports,
			"%s: %d epochs are reported", what, (int) reports);
	unit_env_free(one);
	unit_env_free(two);
}

static void
test_same(void)
{
	RmlSvdppParams params = defaults();

	rml_svdpp_settle(&params);
	check_same(&params, 2 * EPOCHS, "defaults");
	params.implicit_feedback = 0;
	check_same(&params, 2 * EPOCHS, "without implicit feedback");
	params.holdout = 0;
	check_same(&params, EPOCHS, "nothing held out");
}

/* in the end noise is learnt: the best epoch is an earlier one, and the final run has as many */
static void
test_early_stopping(void)
{
	RmlEnv *env = unit_env(2);
	RmlSvdppParams params = defaults();
	RmlSvdpp model;

	params.n_epochs = 200;
	params.early_stopping = 20;
	params.lr = 0.02;
	rml_svdpp_settle(&params);
	unit_ok(fit(env, &params, &model) == NULL, "early stopping");
	unit_ok(model.n_epochs > 1 && model.n_epochs < 190 && model.n_history == model.n_epochs + 20,
			"stops 20 epochs after the best, %d", model.n_epochs);
	unit_equal_int(unit_env_steps(env), model.n_history + model.n_epochs,
				   "and the final run has as many as the best");
	unit_env_free(env);
}

static void
test_history(void)
{
	RmlEnv *env = unit_env(1);
	RmlSvdppParams params = defaults();
	RmlSvdpp model;

	rml_svdpp_settle(&params);
	fit(env, &params, &model);
	unit_equal_int(model.n_history, EPOCHS, "a line of history an epoch");
	unit_near(model.history[EPOCHS - 1].holdout_rmse, model.test.rmse, 1e-6,
			  "the last of them is the test's");
	params.holdout = 0;
	fit(env, &params, &model);
	unit_ok(model.n_history == EPOCHS && isnan(model.history[0].holdout_rmse) &&
				model.history[EPOCHS - 1].train_rmse == model.train_rmse,
			"nothing held out: errors of the final run");
	unit_ok(model.test.verdict == RML_VERDICT_NOT_TESTED && model.test.n == 0, "and no test");
	unit_env_free(env);
}

/* side by side only where there is room for both */
static void
test_room(void)
{
	RmlEnv *env = unit_env(2), *other = unit_env(1);
	RmlRatings ratings = make_ratings(other);
	RmlSvdppParams params = defaults();
	RmlSvdpp alone, tight;
	size_t inputs, bytes;

	rml_svdpp_settle(&params);
	fit(other, &params, &alone);
	inputs = (size_t) USERS * ITEMS * 8 + (USERS + 1 + USERS + ITEMS) * 8;
	bytes = rml_svdpp_fit_bytes(&params, &ratings);
	unit_env_limit(env, inputs + bytes + bytes / 2);
	unit_ok(fit(env, &params, &tight) == NULL && same_model(&alone, &tight),
			"with room for one run, in turn");
	unit_ok(unit_env_peak(env) > inputs + bytes / 8, "in the caller's own memory (%zu bytes)",
			unit_env_peak(env));
	unit_ok(unit_env_peak(env) <= inputs + bytes, "and no more of it than was said (%zu)",
			inputs + bytes);
	unit_env_free(env);
	unit_env_free(other);
}

static void
test_failure(void)
{
	RmlEnv *one = unit_env(1), *two = unit_env(2);
	RmlSvdppParams params = defaults();
	RmlSvdpp model;
	const char *reason;

	params.lr = 1;
	params.init_std = 10;
	rml_svdpp_settle(&params);
	reason = fit(one, &params, &model);
	unit_contains(reason, "grew without bound", "steps that are too large");
	unit_equal_string(fit(two, &params, &model), reason, "in the same words side by side");
	unit_env_free(one);
	unit_env_free(two);
}

/* predictions of 100 * 1.5^2 = 225 and, with items, several times that: far from the ratings, but soon learnt */
static void
test_large_beginning(int64_t implicit_feedback, double mean, double std, const char *what)
{
	RmlEnv *env = unit_env(1);
	RmlSvdppParams params = defaults();
	RmlSvdpp model;

	params.init_mean = mean;
	params.init_std = std;
	params.implicit_feedback = implicit_feedback;
	params.n_factors = 100;
	params.lr = 0.0002;
	params.n_epochs = 30;
	rml_svdpp_settle(&params);
	unit_equal_string(fit(env, &params, &model), NULL, "%s", what);
	unit_ok(model.history[0].train_rmse > model.train_rmse,
			"and the error, %.1f at first, becomes %.1f", model.history[0].train_rmse,
			model.train_rmse);
	unit_env_free(env);
}

/*
 * Ratings near the end of float's range: one step sends factors of items beyond it, where only the hold-out
 * error sees them, as an error of training is that before a step.
 */
static void
test_infinite_holdout(void)
{
	RmlEnv *env = unit_env(1);
	RmlRatings ratings = {.n_users = 99, .n_items = 99};
	RmlRatingIds ids = {.n = 99, .numbers = RML_NEW(env, int64_t, 99)};
	RmlSvdppParams params = defaults();
	RmlSvdpp model;

	ratings.starts = RML_NEW(env, int64_t, 100);
	ratings.items = RML_NEW(env, int32_t, 100);
	ratings.values = RML_NEW(env, float, 100);
	for (int32_t u = 0; u < 99; u++)
	{
		ids.numbers[u] = u;
		ratings.starts[u] = ratings.n;
		if (u == 0)
		{
			ratings.items[ratings.n] = 0;
			ratings.values[ratings.n++] = 3e38f;
		}
		ratings.items[ratings.n] = u == 0 ? 1 : u;
		ratings.values[ratings.n++] = u <= 1 ? 3e38f : 0;
	}
	ratings.starts[99] = ratings.n;
	params.n_factors = 1000;
	params.lr = 3.3e-21;
	params.reg = params.biased = params.implicit_feedback = params.clip = 0;
	params.init_std = 10;
	params.holdout = 0.5;
	params.early_stopping = 1;
	/* found by trying seeds: the error of training stays finite */
	params.seed = 19;
	rml_svdpp_settle(&params);
	unit_equal_string(rml_svdpp_fit(&model, env, &params, &ratings, &ids, &ids),
					  "the factors grew without bound in epoch 1",
					  "a hold-out error that is not finite ends the trial");
	/* one rating each: every error is that before the only step, and one of 3e38 times 10 is beyond floats */
	ratings.n = 99;
	for (int32_t u = 0; u < 99; u++)
	{
		ratings.starts[u + 1] = u + 1;
		ratings.items[u] = u;
		ratings.values[u] = u == 0 ? 3e38f : 0;
	}
	params.holdout = 0;
	params.early_stopping = 0;
	params.lr = 1;
	params.n_epochs = 1;
	params.lr_bu = params.lr_bi = params.lr_pu = params.lr_qi = params.lr_yj = RML_AUTO;
	rml_svdpp_settle(&params);
	unit_equal_string(rml_svdpp_fit(&model, env, &params, &ratings, &ids, &ids),
					  "the factors grew without bound in epoch 1",
					  "factors that are not finite are no model");
	unit_env_free(env);
}

static void
test_cancel(void)
{
	RmlEnv *env = unit_env(2);
	RmlSvdppParams params = defaults();
	RmlSvdpp model;

	params.n_epochs = 100000;
	rml_svdpp_settle(&params);
	/* polls before the runs are few; those of the waiting caller come every 10 ms */
	unit_env_cancel_after(env, 20);
	unit_ok(UNIT_ESCAPES(env, fit(env, &params, &model)), "runs side by side are cancelled");
	unit_equal_string(unit_env_reason(env), "cancelled", "since the caller is");
	unit_env_free(env);
}

int
main(void)
{
	test_same();
	test_early_stopping();
	test_history();
	test_room();
	test_failure();
	test_large_beginning(0, 1.5, 0.1, "factors that begin with a mean of 1.5");
	test_large_beginning(1, 1.5, 0.1, "those of items as well");
	test_large_beginning(1, -1, 1, "or with a large deviation");
	test_infinite_holdout();
	test_cancel();
	return unit_done();
}
