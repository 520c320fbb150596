/*
 * svdpp_cv_fold.c
 *	  Training without a fold, and how well its ratings are predicted and its items ranked.
 */
#include <math.h>
#include <string.h>

#include "ranking.h"
#include "svdpp_baselines.h"
#include "svdpp_cv_internal.h"

/* numbers read between two polls, a few milliseconds */
#define POLL_NUMBERS 2000000

/* scores are sums of so many parts, in a fixed order */
#define PARTS 8

/* what has been learnt from the training part; by method, one of factors, baselines, buyers */
typedef struct Recommender
{
	RmlRatingMethod method;
	RmlRatings train;
	bool clip;
	double low; /* range of the training ratings */
	double high;
	RmlFactors factors;
	RmlBaselines baselines;
	int64_t *buyers;    /* [i] in the training part */
	double *log_buyers; /* [i] what is added to predictions to rank items; NULL: nothing */
	double *w;          /* [s] what the current user is like */
} Recommender;

/* the ratings of a fold, user by user */
typedef struct Judgement
{
	const RmlRatingValidation *validation;
	int fold;
	float relevant;  /* ratings from this value on are */
	int32_t *held;   /* relevant items of the current user, ascending */
	double *scores;  /* [i] */
	RmlRanked *best; /* [n of precision@n] */
	RmlRanking ranking;
	int64_t n;
	double squares;
	double deviations;
	int64_t work; /* since the last poll */
} Judgement;

/* ---- training ---- */

static void
find_range(Recommender *recommender)
{
	const RmlRatings *train = &recommender->train;
	float low = train->values[0], high = low;

	for (int64_t r = 1; r < train->n; r++)
	{
		low = train->values[r] < low ? train->values[r] : low;
		high = train->values[r] > high ? train->values[r] : high;
	}
	recommender->low = low;
	recommender->high = high;
}

static const char *
learn(RmlEnv *env, const RmlRatingValidation *validation, const RmlRatingCell *cell, int fold,
	  Recommender *recommender)
{
	recommender->method = cell->method;
	recommender->clip = cell->params->clip;
	rml_ratings_without(validation->ratings, env, validation->folds, (uint8_t) fold,
						&recommender->train);
	find_range(recommender);
	recommender->buyers = rml_ratings_buyers(&recommender->train, env);
	if (validation->ranking > 0 && validation->transform == RML_TRANSFORM_LOG1P &&
		cell->method != RML_BY_POPULARITY)
		recommender->log_buyers =
			rml_log_buyers(env, recommender->buyers, recommender->train.n_items);
	if (cell->method == RML_BY_FACTORS)
	{
		const char *reason = rml_svdpp_descend(&recommender->factors, env, cell->params,
											   &recommender->train, NULL, NULL);

		if (reason == NULL)
			recommender->w = RML_NEW_ZERO(env, double, (size_t) recommender->factors.s);
		return reason;
	}
	rml_baselines_fit(env, &recommender->train, &recommender->baselines);
	return NULL;
}

/* ---- predictions ---- */

static int64_t
ratings_of(const Recommender *recommender, int32_t user)
{
	return recommender->train.starts[user + 1] - recommender->train.starts[user];
}

/* all that is to be known of a user before the first score */
static void
meet_user(const Recommender *recommender, int32_t user)
{
	const RmlRatings *train = &recommender->train;

	if (recommender->method == RML_BY_FACTORS)
		rml_factors_user(&recommender->factors, user, train->items + train->starts[user],
						 ratings_of(recommender, user), recommender->w);
}

static double
score(const Recommender *recommender, int32_t user, int32_t item)
{
	int32_t known_user = ratings_of(recommender, user) > 0 ? user : -1;
	int32_t known_item = recommender->buyers[item] > 0 ? item : -1;

	switch (recommender->method)
	{
		case RML_BY_GLOBAL_MEAN:
			return recommender->baselines.mean;
		case RML_BY_ITEM_MEAN:
			return rml_baselines_item_mean(&recommender->baselines, known_item);
		case RML_BY_BIASES:
			return rml_baselines_biases(&recommender->baselines, known_user, known_item);
		case RML_BY_POPULARITY:
			return (double) recommender->buyers[item];
		case RML_BY_FACTORS:
			break;
	}
	return rml_factors_score(&recommender->factors, known_user, known_item, recommender->w);
}

/* q . w in parts, which the machine can add up side by side; both are padded with 0 */
static double
affinity(const RmlFactors *factors, int32_t item, const double *w)
{
	const float *q = factors->q + (size_t) item * (size_t) factors->s;
	double sums[PARTS] = {0};

	for (int k = 0; k < factors->s; k += PARTS)
		for (int part = 0; part < PARTS; part++)
			sums[part] += q[k + part] * w[k + part];
	return ((sums[0] + sums[4]) + (sums[2] + sums[6])) +
		   ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/*
 * Scores [i] of all items, as svdpp_recommend ranks them: for a user the model does not know by buyers,
 * predicted amounts by expected value.
 */
static void
score_all(const Recommender *recommender, int32_t user, double *scores)
{
	const RmlFactors *factors = &recommender->factors;
	bool by_factors = recommender->method == RML_BY_FACTORS;
	bool by_buyers = by_factors && ratings_of(recommender, user) == 0;

	for (int32_t item = 0; item < recommender->train.n_items; item++)
	{
		if (by_buyers)
			scores[item] = (double) recommender->buyers[item];
		else if (by_factors && recommender->buyers[item] > 0)
			scores[item] = factors->mean + factors->bu[user] + factors->bi[item] +
						   affinity(factors, item, recommender->w);
		else
			scores[item] = score(recommender, user, item);
		if (recommender->log_buyers != NULL && !by_buyers)
			scores[item] += recommender->log_buyers[item];
	}
}

/* ---- judgement ---- */

static void
begin_judgement(RmlEnv *env, Judgement *judgement)
{
	const RmlRatingValidation *validation = judgement->validation;
	int32_t n_items = validation->ratings->n_items;
	double relevant = validation->relevant;

	if (validation->ranking == 0)
		return;
	if (relevant == RML_AUTO)
		judgement->relevant = -INFINITY;
	else
		judgement->relevant =
			(float) (validation->transform == RML_TRANSFORM_LOG1P ? log1p(relevant) : relevant);
	judgement->held = RML_NEW(env, int32_t, (size_t) n_items);
	judgement->scores = RML_NEW(env, double, (size_t) n_items);
	judgement->best = RML_NEW(env, RmlRanked, (size_t) validation->ranking);
	rml_ranking_begin(&judgement->ranking, env, validation->ranking, n_items);
}

static void
judge_rating(Judgement *judgement, const Recommender *recommender, int32_t user, int64_t r)
{
	const RmlRatings *ratings = judgement->validation->ratings;
	double predicted = score(recommender, user, ratings->items[r]);
	double error;

	if (recommender->clip)
		predicted = fmin(fmax(predicted, recommender->low), recommender->high);
	error = ratings->values[r] - predicted;
	judgement->squares += error * error;
	judgement->deviations += fabs(error);
	judgement->n++;
}

static void
judge_ranking(Judgement *judgement, const Recommender *recommender, int32_t user, int64_t n_held)
{
	const RmlRatings *train = &recommender->train;
	int n_best;

	score_all(recommender, user, judgement->scores);
	n_best = rml_ranking_top(judgement->scores, train->n_items, train->items + train->starts[user],
							 ratings_of(recommender, user), judgement->ranking.n, judgement->best);
	rml_ranking_add(&judgement->ranking, judgement->best, n_best, judgement->held, n_held);
	judgement->work += (int64_t) train->n_items * (recommender->factors.s + PARTS);
}

static void
judge_user(Judgement *judgement, const Recommender *recommender, int32_t user)
{
	const RmlRatingValidation *validation = judgement->validation;
	const RmlRatings *ratings = validation->ratings;
	bool ranks = validation->ranking > 0 && recommender->method != RML_BY_GLOBAL_MEAN;
	int64_t n_held = 0, before = judgement->n;

	for (int64_t r = ratings->starts[user]; r < ratings->starts[user + 1]; r++)
	{
		if (validation->folds[r] != judgement->fold)
			continue;
		if (judgement->n == before)
			meet_user(recommender, user);
		judge_rating(judgement, recommender, user, r);
		if (ranks && ratings->values[r] >= judgement->relevant)
			judgement->held[n_held++] = ratings->items[r];
	}
	if (n_held > 0)
		judge_ranking(judgement, recommender, user, n_held);
	judgement->work +=
		(ratings->starts[user + 1] - ratings->starts[user]) * (recommender->factors.s + PARTS);
}

static void
judge(RmlEnv *env, Judgement *judgement, const Recommender *recommender)
{
	begin_judgement(env, judgement);
	for (int32_t user = 0; user < recommender->train.n_users; user++)
	{
		judge_user(judgement, recommender, user);
		if (judgement->work < POLL_NUMBERS)
			continue;
		rml_poll(env);
		judgement->work = 0;
	}
}

static void
put_measures(const Judgement *judgement, RmlRatingMethod method, double *measures)
{
	if (method != RML_BY_POPULARITY)
	{
		measures[RML_RATING_RMSE] = sqrt(judgement->squares / (double) judgement->n);
		measures[RML_RATING_MAE] = judgement->deviations / (double) judgement->n;
	}
	if (judgement->ranking.users > 0)
	{
		RmlRankingMeasures ranking = rml_ranking_end(&judgement->ranking);

		measures[RML_RATING_PRECISION] = ranking.precision;
		measures[RML_RATING_RECALL] = ranking.recall;
		measures[RML_RATING_NDCG] = ranking.ndcg;
		measures[RML_RATING_COVERAGE] = ranking.coverage;
	}
}

const char *
rml_rating_fold(RmlEnv *env, const RmlRatingValidation *validation, const RmlRatingCell *cell,
				int fold, double *measures)
{
	Recommender recommender = {0};
	Judgement judgement = {.validation = validation, .fold = fold};
	const char *reason;

	for (int m = 0; m < RML_N_RATING_MEASURES; m++)
		measures[m] = NAN;
	reason = learn(env, validation, cell, fold, &recommender);
	if (reason != NULL)
		return reason;
	judge(env, &judgement, &recommender);
	put_measures(&judgement, cell->method, measures);
	return NULL;
}

/* ---- memory ---- */

size_t
rml_rating_fold_bytes(const RmlRatingValidation *validation, const RmlRatingCell *cell)
{
	const RmlRatings *ratings = validation->ratings;
	size_t users = (size_t) ratings->n_users, items = (size_t) ratings->n_items;
	size_t bytes = 8 * (size_t) ratings->n + sizeof(int64_t) * (users + items + 1);

	if (validation->ranking > 0)
		bytes += items * (2 * sizeof(double) + sizeof(int32_t) + 1) +
				 sizeof(RmlRanked) * (size_t) validation->ranking;
	return bytes + (cell->method == RML_BY_FACTORS
						? rml_svdpp_descend_bytes(cell->params, ratings)
						: rml_baselines_bytes((int64_t) users, (int64_t) items));
}
