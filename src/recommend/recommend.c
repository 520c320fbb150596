/*
 * recommend.c
 *	  The best items of one user: which are allowed, how they rank.
 */
#include "retailml/recommend.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "recommend_internal.h"
#include "top_items.h"

#define POLL_NUMBERS 1000000

static const char *const rank_by_names[] = {"auto", "prediction", "expected_value", NULL};

#define WHICH_ITEMS \
	RML_IDS_OPTION(RmlRecommendParams, candidates), RML_IDS_OPTION(RmlRecommendParams, exclude), \
		RML_INT_OPTION(RmlRecommendParams, min_popularity, 0, 0, INT32_MAX)

const RmlOption rml_recommend_options[] = {
	RML_BOOL_OPTION(RmlRecommendParams, include_seen, 0),
	WHICH_ITEMS,
	RML_CHOICE_OPTION(RmlRecommendParams, rank_by, 0, rank_by_names),
};

const int rml_recommend_n_options = sizeof rml_recommend_options / sizeof rml_recommend_options[0];

const RmlOption rml_similar_options[] = {WHICH_ITEMS};

const int rml_similar_n_options = sizeof rml_similar_options / sizeof rml_similar_options[0];

/* ---- what is the same for all users ---- */

/* ranks by buyers from a count of items per number of buyers */
static void
rank_items(RmlRecommender *recommender, RmlEnv *env)
{
	const RmlSvdpp *model = recommender->model;
	int32_t n_items = model->factors.n_items, n_users = model->factors.n_users;
	int32_t *more = RML_NEW_ZERO(env, int32_t, (size_t) n_users + 2);

	recommender->popularity = RML_NEW(env, int32_t, (size_t) n_items);
	for (int32_t item = 0; item < n_items; item++)
		more[model->buyers[item]]++;
	for (int32_t buyers = n_users; buyers >= 0; buyers--)
		more[buyers] += more[buyers + 1];
	for (int32_t item = 0; item < n_items; item++)
		recommender->popularity[item] = more[model->buyers[item] + 1] + 1;
	rml_release(env, more);
}

/* two digits of numbers on a scale of one to ten, more on a smaller scale */
static int
decimals_of(double range)
{
	int digits;

	if (!(range > 0))
		return 2;
	digits = 2 - (int) floor(log10(range));
	return digits < 2 ? 2 : digits > 8 ? 8 : digits;
}

void
rml_recommender_init(RmlRecommender *recommender, RmlEnv *env, const RmlSvdpp *model)
{
	recommender->model = model;
	recommender->decimals = decimals_of(model->high - model->low);
	rank_items(recommender, env);
	recommender->log_buyers = rml_log_buyers(env, model->buyers, model->factors.n_items);
}

/* ---- which items ---- */

/* the item of an id that came as text, or -1 */
static int32_t
find_item(const RmlRatingIds *ids, const char *text)
{
	char *end;
	long long number;

	if (ids->texts != NULL)
		return rml_rating_ids_text(ids, text, strlen(text));
	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text || errno != 0)
		return -1;
	return *end == '\0' ? rml_rating_ids_number(ids, number) : -1;
}

static void
mark_ids(const RmlRatingIds *ids, const RmlNames *names, uint8_t mark, uint8_t *allowed)
{
	for (int64_t i = 0; i < names->n; i++)
	{
		int32_t item = find_item(ids, names->names[i]);

		if (item >= 0)
			allowed[item] = mark;
	}
}

uint8_t *
rml_recommend_allowed(const RmlSvdpp *model, RmlEnv *env, const RmlRecommendParams *params)
{
	int32_t n_items = model->factors.n_items;
	uint8_t *allowed = RML_NEW(env, uint8_t, (size_t) n_items);

	memset(allowed, params->candidates.names == NULL, (size_t) n_items);
	mark_ids(&model->items, &params->candidates, 1, allowed);
	mark_ids(&model->items, &params->exclude, 0, allowed);
	for (int32_t item = 0; params->min_popularity > 0 && item < n_items; item++)
		allowed[item] &= model->buyers[item] >= params->min_popularity;
	return allowed;
}

static uint8_t *
allowed_items(const RmlSvdpp *model, RmlEnv *env, int32_t user, const RmlRecommendParams *params)
{
	uint8_t *allowed = rml_recommend_allowed(model, env, params);

	if (user >= 0 && !params->include_seen)
		for (int64_t r = model->starts[user]; r < model->starts[user + 1]; r++)
			allowed[model->seen[r]] = 0;
	return allowed;
}

/* ---- how they rank ---- */

const char *
rml_recommend_check(const RmlSvdpp *model, const RmlRecommendParams *params, RmlEnv *env)
{
	if (params->rank_by != RML_RANK_BY_EXPECTED_VALUE ||
		model->params->transform == RML_TRANSFORM_LOG1P)
		return NULL;
	return rml_strdup(env,
					  "rank_by \"expected_value\" needs a model of amounts, and this one is of "
					  "ratings");
}

bool
rml_ranks_by_value(const RmlSvdpp *model, const RmlRecommendParams *params)
{
	return params->rank_by != RML_RANK_BY_PREDICTION &&
		   model->params->transform == RML_TRANSFORM_LOG1P;
}

static RmlRanked
rank_known(const RmlSvdpp *model, int32_t user, int32_t item, const double *w)
{
	return (RmlRanked){rml_factors_score(&model->factors, user, item, w),
					   (double) model->buyers[item], item};
}

static RmlRanked
rank_unknown(const RmlSvdpp *model, int32_t item)
{
	return (RmlRanked){(double) model->buyers[item], model->factors.bi[item], item};
}

int32_t
rml_recommend(const RmlRecommender *recommender, RmlEnv *env, int32_t user, int32_t n,
			  const RmlRecommendParams *params, RmlRanked *best)
{
	const RmlSvdpp *model = recommender->model;
	uint8_t *allowed = allowed_items(model, env, user, params);
	double *w = RML_NEW(env, double, (size_t) model->factors.f);
	bool by_value = user >= 0 && rml_ranks_by_value(model, params);
	int64_t work = 0;
	RmlTopItems top = {0, n, best};

	if (user >= 0)
		rml_svdpp_user(model, user, w);
	for (int32_t item = 0; item < model->factors.n_items; item++)
	{
		RmlRanked ranked;

		if (!allowed[item])
			continue;
		ranked = user >= 0 ? rank_known(model, user, item, w) : rank_unknown(model, item);
		if (by_value)
			ranked.score += recommender->log_buyers[item];
		rml_top_items_put(&top, ranked);
		work += model->factors.f;
		if (work < POLL_NUMBERS)
			continue;
		work = 0;
		rml_poll(env);
	}
	rml_top_items_sort(&top);
	/* what they were ranked by less log(buyers), to the last bit */
	for (int32_t place = 0; by_value && place < top.n; place++)
		best[place] = rank_known(model, user, best[place].item, w);
	rml_release(env, w);
	rml_release(env, allowed);
	return top.n;
}

double
rml_recommend_score(const RmlRecommender *recommender, int32_t user,
					const RmlRanked *recommendation)
{
	const RmlSvdpp *model = recommender->model;

	if (user >= 0)
		return rml_svdpp_clip(model, recommendation->score);
	return rml_svdpp_predict(model, -1, recommendation->item, NULL);
}
