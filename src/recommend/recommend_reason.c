/*
 * recommend_reason.c
 *	  A recommendation's reason in words, each number of which SQL can verify.
 *
 * "goes with": the items a user has that add most to the prediction of item i, item j adding
 * q_i . y_j |N|^-1/2 (svdpp_explain gives the same numbers).  Then the prediction beside the mean of all
 * ratings, then how many have the item.
 */
#include <math.h>

#include "retailml/recommend.h"
#include "top_items.h"

#define MOST_NAMED 3

/* what the items of a user add is no reason below this part of the range of the ratings */
#define LEAST_PART 0.005

static const char *
popularity(const RmlRecommender *recommender, RmlEnv *env, int32_t item)
{
	const RmlSvdpp *model = recommender->model;
	int32_t n_users = model->factors.n_users;

	return rml_format(env, "%lld of %d %s %s it (rank %d)", (long long) model->buyers[item],
					  (int) n_users, n_users == 1 ? "customer" : "customers",
					  model->buyers[item] == 1 ? "has" : "have",
					  (int) recommender->popularity[item]);
}

/* the items that add most, best first, none of which adds less than 0: how many */
static int32_t
find_company(const RmlSvdpp *model, int32_t user, int32_t item, RmlRanked *named)
{
	const RmlFactors *factors = &model->factors;
	const float *q = factors->q + (size_t) item * (size_t) factors->s;
	int64_t start = model->starts[user], end = model->starts[user + 1];
	double scale = 1 / sqrt((double) (end - start));
	RmlTopItems top = {0, MOST_NAMED, named};

	for (int64_t r = start; factors->y != NULL && r < end; r++)
	{
		int32_t other = model->seen[r];
		const float *y = factors->y + (size_t) other * (size_t) factors->s;
		double sum = 0;

		for (int k = 0; k < factors->f; k++)
			sum += (double) q[k] * y[k];
		if (other != item && sum * scale > 0)
			rml_top_items_put(&top, (RmlRanked){sum * scale, (double) model->buyers[other], other});
	}
	rml_top_items_sort(&top);
	return top.n;
}

static const char *
called(const RmlRecommender *recommender, RmlEnv *env, int32_t item, const RmlNaming *naming)
{
	const char *id = rml_rating_id_text(&recommender->model->items, env, item);
	const char *name = naming == NULL ? NULL : naming->name(naming->context, id);

	return name == NULL ? id : name;
}

/* "goes with A, B and C that the customer has (+0.41); ", or nothing where that is little */
static const char *
company(const RmlRecommender *recommender, RmlEnv *env, int32_t user, int32_t item,
		const RmlNaming *naming)
{
	const RmlSvdpp *model = recommender->model;
	RmlRanked named[MOST_NAMED];
	int32_t n = find_company(model, user, item, named);
	const char *names = "";
	double sum = 0;

	for (int32_t i = 0; i < n; i++)
	{
		const char *comma = i == 0 ? "" : i == n - 1 ? " and " : ", ";

		names = rml_format(env, "%s%s%s", names, comma,
						   called(recommender, env, named[i].item, naming));
		sum += named[i].score;
	}
	if (sum < fmax(LEAST_PART * (model->high - model->low), 0.5 * pow(10, -recommender->decimals)))
		return "";
	return rml_format(env, "goes with %s that the customer has (+%.*f); ", names,
					  recommender->decimals, sum);
}

/* a number on the model's scale, and in the unit given where that is another */
static const char *
amount(const RmlRecommender *recommender, RmlEnv *env, double value)
{
	int decimals = recommender->decimals;

	if (recommender->model->params->transform != RML_TRANSFORM_LOG1P)
		return rml_format(env, "%.*f", decimals, value);
	return rml_format(env, "%.*f (an amount of %.2f)", decimals, value, expm1(value));
}

static const char *
prediction(const RmlRecommender *recommender, RmlEnv *env, int32_t user,
		   const RmlRanked *recommendation)
{
	double score = rml_recommend_score(recommender, user, recommendation);
	const char *predicted = amount(recommender, env, score);

	if (!recommender->model->params->biased)
		return rml_format(env, "predicted %s; ", predicted);
	return rml_format(env, "predicted %s, on average %s; ", predicted,
					  amount(recommender, env, recommender->model->factors.mean));
}

const char *
rml_recommend_reason(const RmlRecommender *recommender, RmlEnv *env, int32_t user,
					 const RmlRanked *recommendation, const RmlNaming *naming)
{
	const RmlSvdpp *model = recommender->model;
	int32_t item = recommendation->item;

	if (user < 0)
		return rml_format(env, "no %s known yet: popular, %s",
						  model->params->implicit == RML_IMPLICIT_PURCHASES ? "purchases"
																			: "ratings",
						  popularity(recommender, env, item));
	return rml_format(env, "%s%s%s", company(recommender, env, user, item, naming),
					  prediction(recommender, env, user, recommendation),
					  popularity(recommender, env, item));
}
