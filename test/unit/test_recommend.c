/*
 * test_recommend.c
 *	  Recommendations against a plain scan and sort of all items; reasons; items that are alike.
 *
 * Models are made of random factors, so nothing here depends on training.
 */
#include "unit.h"

#include <inttypes.h>
#include <math.h>

#include "retailml/recommend.h"
#include "retailml/rng.h"

#define SEED 5

typedef struct Shape
{
	int32_t users;
	int32_t items;
	int f;
	double spread;  /* of the lengths of item vectors */
	double quantum; /* > 0: factors are multiples of it, so that there are ties */
	bool implicit;
} Shape;

static const RmlRecommendParams anything = {0};

static const RmlSvdppParams standard = {
	.biased = 1, .implicit_feedback = 1, .clip = 1, .transform = RML_TRANSFORM_NONE};

static float
draw(uint64_t stream, uint64_t index, double sd, double quantum)
{
	double x = sd * rml_rng_normal(SEED, stream, index);

	return (float) (quantum > 0 ? quantum * round(x / quantum) : x);
}

static float *
draw_vectors(RmlEnv *env, const RmlFactors *factors, int32_t n, uint64_t stream, double sd,
			 double spread, double quantum)
{
	size_t s = (size_t) factors->s;
	float *vectors = RML_NEW_ZERO(env, float, (size_t) n *s);

	for (int32_t i = 0; i < n; i++)
	{
		double scale = sd * exp(spread * rml_rng_normal(SEED, stream + 100, (uint64_t) i));

		for (int k = 0; k < factors->f; k++)
			vectors[(size_t) i * s + (size_t) k] =
				draw(stream, (uint64_t) i * 1000 + (uint64_t) k, scale, quantum);
	}
	return vectors;
}

static float *
draw_biases(RmlEnv *env, int32_t n, uint64_t stream, double quantum)
{
	float *biases = RML_NEW(env, float, (size_t) n);

	for (int32_t i = 0; i < n; i++)
		biases[i] = draw(stream, (uint64_t) i, 0.3, quantum);
	return biases;
}

/* user u has about one item in 2 + u % 11, the first user all, and at least one */
static void
draw_seen(RmlEnv *env, RmlSvdpp *model)
{
	int32_t users = model->factors.n_users, items = model->factors.n_items;

	model->starts = RML_NEW(env, int64_t, (size_t) users + 1);
	model->seen = RML_NEW(env, int32_t, (size_t) users * (size_t) items);
	model->buyers = RML_NEW_ZERO(env, int64_t, (size_t) items);
	model->n = 0;
	for (int32_t u = 0; u < users; u++)
	{
		model->starts[u] = model->n;
		for (int32_t i = 0; i < items; i++)
			if (u == 0 || i == u % items ||
				rml_rng_below(SEED, 9, (uint64_t) u * 100000 + (uint64_t) i, 2 + u % 11 * 8) == 0)
			{
				model->seen[model->n++] = i;
				model->buyers[i]++;
			}
	}
	model->starts[users] = model->n;
}

static int64_t *
numbered(RmlEnv *env, int32_t n, int64_t first)
{
	int64_t *numbers = RML_NEW(env, int64_t, (size_t) n);

	for (int32_t i = 0; i < n; i++)
		numbers[i] = first + i;
	return numbers;
}

static void
make_model(RmlSvdpp *model, RmlEnv *env, const RmlSvdppParams *params, Shape shape)
{
	RmlFactors *factors = &model->factors;

	memset(model, 0, sizeof *model);
	model->params = params;
	model->low = 1;
	model->high = 5;
	model->users = (RmlRatingIds){shape.users, numbered(env, shape.users, 1), NULL};
	model->items = (RmlRatingIds){shape.items, numbered(env, shape.items, 1001), NULL};
	*factors = (RmlFactors){.n_users = shape.users,
							.n_items = shape.items,
							.f = shape.f,
							.s = (shape.f + 7) / 8 * 8,
							.mean = 3.5};
	factors->bu = draw_biases(env, shape.users, 1, 0);
	factors->bi = draw_biases(env, shape.items, 2, shape.quantum);
	factors->p = draw_vectors(env, factors, shape.users, 3, 0.3, 0, shape.quantum);
	factors->q = draw_vectors(env, factors, shape.items, 4, 0.3, shape.spread, shape.quantum);
	if (shape.implicit)
		factors->y = draw_vectors(env, factors, shape.items, 5, 0.3, 0, 0);
	draw_seen(env, model);
}

/* ---- the plain way: all items scored, then sorted ---- */

static const RmlSvdpp *sorted_model;

static int
compare(const void *a, const void *b)
{
	const RmlRanked *x = a, *y = b;
	int64_t buyers_x = sorted_model->buyers[x->item], buyers_y = sorted_model->buyers[y->item];

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (buyers_x != buyers_y)
		return buyers_x > buyers_y ? -1 : 1;
	return x->item < y->item ? -1 : 1;
}

static bool
has(const RmlSvdpp *model, int32_t user, int32_t item)
{
	for (int64_t r = model->starts[user]; r < model->starts[user + 1]; r++)
		if (model->seen[r] == item)
			return true;
	return false;
}

/* all items the user does not have, best first: list [i] */
static int32_t
plain_list(const RmlSvdpp *model, RmlEnv *env, int32_t user, RmlRanked *list)
{
	double *w = RML_NEW(env, double, (size_t) model->factors.f);
	int32_t n = 0;

	rml_svdpp_user(model, user, w);
	for (int32_t item = 0; item < model->factors.n_items; item++)
		if (!has(model, user, item))
			list[n++] = (RmlRanked){rml_factors_score(&model->factors, user, item, w), 0, item};
	sorted_model = model;
	qsort(list, (size_t) n, sizeof *list, compare);
	rml_release(env, w);
	return n;
}

static bool
same_as_plain(const RmlSvdpp *model, const RmlRecommendBlock *block, int32_t place,
			  const RmlRanked *list, int32_t n)
{
	size_t at = (size_t) place * (size_t) block->stride;

	if (block->counts[place] != n)
		return false;
	for (int32_t i = 0; i < n; i++)
		if (block->items[at + (size_t) i] != list[i].item ||
			block->scores[at + (size_t) i] != rml_svdpp_clip(model, list[i].score))
			return false;
	return true;
}

/* users whose list differs from the plain one, of all or every step-th; users that came */
static int64_t
count_different(RmlEnv *env, const RmlSvdpp *model, int32_t n, int32_t step, int64_t *exact,
				int64_t *users)
{
	RmlRanked *list = RML_NEW(env, RmlRanked, (size_t) model->factors.n_items);
	RmlRecommendAll *all = rml_recommend_all_begin(env, model, n, &anything);
	RmlRecommendBlock block;
	int64_t different = 0;

	*users = 0;
	while (rml_recommend_all_next(all, &block))
	{
		for (int32_t place = 0; place < block.n_users; place += step)
		{
			int32_t length = plain_list(model, env, block.first + place, list);

			different += !same_as_plain(model, &block, place, list, length < n ? length : n);
		}
		*users += block.n_users;
	}
	*exact = rml_recommend_all_exact(all);
	return different;
}

static void
check_all(RmlEnv *env, Shape shape, int32_t n, bool few_exact, const char *what)
{
	RmlSvdpp model;
	int64_t exact, users, different;

	make_model(&model, env, &standard, shape);
	different = count_different(env, &model, n, 1, &exact, &users);
	unit_equal_int(different, 0, "%s: the lists of all users are those of a plain sort", what);
	unit_equal_int(users, shape.users, "%s: every user came", what);
	unit_ok((exact < users / 10) == few_exact, "%s: %s", what,
			few_exact ? "few users needed exact scores" : "exact scores are the way here");
	unit_env_reset(env);
}

static void
test_all(RmlEnv *env)
{
	check_all(env, (Shape){310, 700, 20, 0, 0, true}, 10, true, "20 factors");
	check_all(env, (Shape){310, 700, 20, 1, 0, true}, 10, true, "vectors of all lengths");
	check_all(env, (Shape){100, 515, 8, 0.5, 0, false}, 1, true, "8 factors, the best one");
	check_all(env, (Shape){61, 2000, 3, 0.2, 0, true}, 400, true, "3 factors, 400 of 2,000");
	check_all(env, (Shape){50, 300, 33, 0, 0, false}, 7, true, "33 factors");
	check_all(env, (Shape){90, 600, 2, 0, 0.3, false}, 5, true, "ties");
	check_all(env, (Shape){90, 600, 2, 0, 10, false}, 5, false, "nothing but ties");
	check_all(env, (Shape){40, 30, 5, 0, 0, true}, 10000, false, "more than there are");
	check_all(env, (Shape){3, 1, 1, 0, 0, true}, 5, false, "one item");
}

/* all lists as one number */
static uint64_t
hash_all(RmlEnv *env, const RmlSvdpp *model, int32_t n)
{
	RmlRecommendAll *all = rml_recommend_all_begin(env, model, n, &anything);
	RmlRecommendBlock block;
	uint64_t hash = 0;

	while (rml_recommend_all_next(all, &block))
		for (int32_t u = 0; u < block.n_users; u++)
			for (int32_t i = 0; i < block.counts[u]; i++)
			{
				size_t at = (size_t) u * (size_t) block.stride + (size_t) i;
				uint64_t bits;

				memcpy(&bits, &block.scores[at], sizeof bits);
				hash = (hash ^ bits) * 0x9E3779B97F4A7C15u + (uint64_t) block.items[at];
			}
	return hash;
}

static void
test_threads(void)
{
	uint64_t hashes[2];

	for (int threads = 1; threads <= 2; threads++)
	{
		RmlEnv *env = unit_env(threads);
		RmlSvdpp model;

		make_model(&model, env, &standard, (Shape){2000, 300, 10, 0.3, 0, true});
		hashes[threads - 1] = hash_all(env, &model, 10);
		unit_env_free(env);
	}
	unit_ok(hashes[0] == hashes[1], "one thread and two give the same lists");
}

/* factors for which floats are of no use: far apart in size, beyond their range */
static void
test_extremes(RmlEnv *env)
{
	RmlSvdpp model;
	int64_t exact, users;

	make_model(&model, env, &standard, (Shape){60, 500, 6, 0, 0, true});
	model.factors.mean = 1e12;
	unit_equal_int(count_different(env, &model, 5, 1, &exact, &users), 0, "a huge mean");
	model.factors.mean = 0;
	for (int32_t i = 0; i < 500; i++)
		model.factors.bi[i] += 1e6f;
	unit_equal_int(count_different(env, &model, 5, 1, &exact, &users), 0,
				   "biases that leave floats few digits");
	for (size_t i = 0; i < 500 * 8; i++)
		model.factors.q[i] *= 1e38f;
	unit_equal_int(count_different(env, &model, 5, 1, &exact, &users), 0,
				   "scores beyond the range of floats");
	unit_ok(exact > 30, "are exact for most");
	for (size_t i = 0; i < 500 * 8; i++)
		model.factors.q[i] *= 1e-38f * 1e-38f;
	memset(model.factors.bi, 0, 500 * sizeof(float));
	unit_equal_int(count_different(env, &model, 5, 1, &exact, &users), 0, "scores near 0");
	unit_env_reset(env);
}

/* items that look best come first and are worst, so each one that comes is better than those before */
static void
test_ascending(RmlEnv *env)
{
	RmlSvdpp model;
	int64_t exact, users;

	make_model(&model, env, &standard, (Shape){60, 930, 1, 0, 0, false});
	for (size_t i = 0; i < 930; i++)
	{
		model.factors.bi[i] = 0;
		model.factors.q[8 * i] = (float) (i + 1) / -1000;
	}
	unit_equal_int(count_different(env, &model, 10, 1, &exact, &users), 0, "rising scores");
	unit_equal_int(exact, 0, "are selected by floats");
	unit_env_reset(env);
}

static void
test_limits(RmlEnv *env)
{
	RmlSvdpp model;
	volatile int64_t before;

	make_model(&model, env, &standard, (Shape){3000, 400, 20, 0, 0, false});
	before = (int64_t) unit_env_in_use(env);
	unit_env_cancel_after(env, 40);
	unit_ok(UNIT_ESCAPES(env, hash_all(env, &model, 10)), "it can be cancelled");
	unit_equal_string(unit_env_reason(env), "cancelled", "by a poll");
	unit_env_limit(env, (size_t) before + 100000);
	unit_ok(UNIT_ESCAPES(env, hash_all(env, &model, 10)), "it can run out of memory");
	unit_env_limit(env, (size_t) 8 << 30);
	unit_env_reset(env);
}

/* ---- one user ---- */

static RmlRecommender
recommender_for(RmlEnv *env, const RmlSvdpp *model)
{
	RmlRecommender recommender;

	rml_recommender_init(&recommender, env, model);
	return recommender;
}

/* the lists of all users against one after the other; rows that came */
static int64_t
check_one_by_one(RmlEnv *env, const RmlSvdpp *model, const RmlRecommendParams *params,
				 const char *what)
{
	RmlRecommender one = recommender_for(env, model);
	RmlRecommendAll *all = rml_recommend_all_begin(env, model, 10, params);
	RmlRecommendBlock block;
	RmlRanked best[10];
	int64_t different = 0, users = 0, rows = 0;

	while (rml_recommend_all_next(all, &block))
		for (int32_t u = 0; u < block.n_users; u++, users++)
		{
			int32_t n = rml_recommend(&one, env, block.first + u, 10, params, best);

			different += !same_as_plain(model, &block, u, best, n);
			rows += n;
		}
	unit_ok(different == 0 && (users == 200 || rows == 0),
			"%s: one user's list is the one among those of all", what);
	return rows;
}

static void
test_one_equals_all(RmlEnv *env)
{
	char *ids[150];
	RmlRecommendParams params = {0};
	RmlSvdppParams amounts = standard;
	RmlSvdpp model;

	make_model(&model, env, &standard, (Shape){200, 400, 20, 0.3, 0, true});
	for (int64_t i = 0; i < 150; i++)
		ids[i] = (char *) rml_format(env, "%" PRId64, model.items.numbers[2 * i]);
	unit_ok(check_one_by_one(env, &model, &params, "no options") > 1900, "ten for most");
	params.include_seen = 1;
	check_one_by_one(env, &model, &params, "include_seen");
	params.min_popularity = model.buyers[7];
	check_one_by_one(env, &model, &params, "and min_popularity");
	params = (RmlRecommendParams){.candidates = {150, ids}};
	check_one_by_one(env, &model, &params, "many candidates");
	params.candidates.n = 12;
	check_one_by_one(env, &model, &params, "few candidates");
	params.exclude = (RmlNames){11, ids};
	unit_ok(check_one_by_one(env, &model, &params, "one left") > 100, "which is for most");
	params.candidates.n = 0;
	unit_equal_int(check_one_by_one(env, &model, &params, "none"), 0, "no rows");
	params = (RmlRecommendParams){.exclude = {150, ids}};
	check_one_by_one(env, &model, &params, "exclude");
	amounts.transform = RML_TRANSFORM_LOG1P;
	model.params = &amounts;
	check_one_by_one(env, &model, &params, "by expected value, and exclude");
	check_one_by_one(env, &model, &anything, "by expected value");
	params = (RmlRecommendParams){.rank_by = RML_RANK_BY_PREDICTION};
	check_one_by_one(env, &model, &params, "amounts by prediction");
	unit_env_reset(env);
}

/* the items as "1003 1001" */
static const char *
listed(RmlEnv *env, const RmlSvdpp *model, const RmlRanked *best, int32_t n)
{
	const char *text = "";

	for (int32_t i = 0; i < n; i++)
		text = rml_format(env, "%s%s%s", text, i > 0 ? " " : "",
						  rml_rating_id_text(&model->items, env, best[i].item));
	return text;
}

/*
 * Three users, six items, one factor; w = p + y-sum:
 *
 *	  item  b     q    y     buyers
 *	  1001  0.5   0    0.3   3
 *	  1002  0     1    0.5   1
 *	  1003  0.25  1    0     2
 *	  1004  0     1.5  0     0
 *	  1005  0.25  1    0     2
 *	  1006  -1    2    0     0
 *
 * User 1 has 1001, 1002; user 2 1001, 1003, 1005; user 3 1001, 1003, 1005.  For user 1 w = 0.5 + 0.8 / sqrt 2 = 1.0657.
 */
static void
make_small(RmlSvdpp *model, RmlEnv *env, const RmlSvdppParams *params)
{
	static const float b[] = {0.5f, 0, 0.25f, 0, 0.25f, -1}, q[] = {0, 1, 1, 1.5f, 1, 2};
	static const float y[] = {0.3f, 0.5f, 0, 0, 0, 0};
	static const int64_t starts[] = {0, 2, 5, 8}, buyers[] = {3, 1, 2, 0, 2, 0};
	static const int32_t seen[] = {0, 1, 0, 2, 4, 0, 2, 4};

	make_model(model, env, params, (Shape){3, 6, 1, 0, 0, params->implicit_feedback != 0});
	for (size_t i = 0; i < 6; i++)
	{
		model->factors.bi[i] = b[i];
		model->factors.q[8 * i] = q[i];
		if (model->factors.y != NULL)
			model->factors.y[8 * i] = y[i];
	}
	memcpy(model->starts, starts, sizeof starts);
	memcpy(model->buyers, buyers, sizeof buyers);
	memcpy(model->seen, seen, sizeof seen);
	model->n = 8;
	model->factors.mean = 2;
	for (size_t u = 0; u < 3; u++)
	{
		model->factors.bu[u] = 0.125f;
		model->factors.p[8 * u] = 0.5f;
	}
}

static const char *
list_with(RmlEnv *env, const RmlSvdpp *model, int32_t user, RmlRecommendParams params)
{
	RmlRecommender one = recommender_for(env, model);
	RmlRanked best[6];
	int32_t n = rml_recommend(&one, env, user, 6, &params, best);

	return listed(env, model, best, n);
}

/* with log(buyers): 1003 1.316 + 0.693, 1004 1.599, 1005 1.316 + 0.693, 1006 1.131 */
static void
test_rank_by(RmlEnv *env, RmlSvdpp *model)
{
	const RmlSvdppParams *params = model->params;
	RmlSvdppParams amounts = *params;
	RmlRecommendParams by_value = {.rank_by = RML_RANK_BY_EXPECTED_VALUE};

	unit_contains(rml_recommend_check(model, &by_value, env), "needs a model of amounts",
				  "ratings have no expected value");
	amounts.transform = RML_TRANSFORM_LOG1P;
	model->params = &amounts;
	unit_ok(rml_recommend_check(model, &by_value, env) == NULL, "amounts have");
	unit_equal_string(list_with(env, model, 0, by_value), "1003 1005 1004 1006", "expected value");
	unit_equal_string(list_with(env, model, 0, anything), "1003 1005 1004 1006",
					  "which is the default");
	unit_equal_string(list_with(env, model, 0,
								(RmlRecommendParams){.rank_by = RML_RANK_BY_PREDICTION}),
					  "1004 1003 1005 1006", "or by prediction");
	model->params = params;
}

static void
test_options(RmlEnv *env)
{
	char *some[] = {"1003", "1006", "1002", "77", "seven", "1005x", "99999999999999999999", ""};
	char *none[1];
	RmlRecommendParams params = {0};
	RmlSvdpp model;

	make_small(&model, env, &standard);
	/* scores of user 1 less the common part: 1003 1.316, 1004 1.599, 1005 1.316, 1006 1.131 */
	unit_equal_string(list_with(env, &model, 0, params), "1004 1003 1005 1006",
					  "by score, ties by id, nothing the user has");
	params.include_seen = 1;
	unit_equal_string(list_with(env, &model, 0, params), "1004 1003 1005 1006 1002 1001",
					  "include_seen");
	params = (RmlRecommendParams){.candidates = {8, some}};
	unit_equal_string(list_with(env, &model, 0, params), "1003 1006",
					  "candidates, those unknown left out");
	params = (RmlRecommendParams){.exclude = {8, some}};
	unit_equal_string(list_with(env, &model, 0, params), "1004 1005", "exclude");
	params = (RmlRecommendParams){.candidates = {0, none}};
	unit_equal_string(list_with(env, &model, 0, params), "", "no candidates");
	params = (RmlRecommendParams){.min_popularity = 1};
	unit_equal_string(list_with(env, &model, 0, params), "1003 1005", "min_popularity");
	test_rank_by(env, &model);
	params = (RmlRecommendParams){0};
	unit_equal_string(list_with(env, &model, -1, params), "1001 1003 1005 1002 1004 1006",
					  "a user nobody knows: by buyers, then by bias, then by id");
	model.factors.bi[4] = 0.5f;
	unit_equal_string(list_with(env, &model, -1, params), "1001 1005 1003 1002 1004 1006",
					  "the higher bias first");
	unit_env_reset(env);
}

static const char *
reason_for(RmlEnv *env, const RmlSvdpp *model, int32_t user, int32_t place, double *score)
{
	RmlRecommender one = recommender_for(env, model);
	RmlRecommendParams params = {0};
	RmlRanked best[6];
	int32_t n = rml_recommend(&one, env, user, 6, &params, best);

	if (place >= n)
		return NULL;
	*score = rml_recommend_score(&one, user, &best[place]);
	return rml_recommend_reason(&one, env, user, &best[place], NULL);
}

static const char *
name_of(void *context, const char *id)
{
	return strcmp(id, context) == 0 ? "Lamp" : NULL;
}

static void
test_names(RmlEnv *env, const RmlSvdpp *model)
{
	RmlRecommender one = recommender_for(env, model);
	RmlNaming naming = {name_of, "1001"};
	RmlRanked best = {0, 0, 3};

	unit_contains(rml_recommend_reason(&one, env, 0, &best, &naming),
				  "goes with 1002 and Lamp that", "items by their names, if they have some");
}

/* 1.5 (0.3 + 0.5) / sqrt 2 = 0.8485; 2 + 0.125 + 1.5 w = 3.7235 */
static void
test_reasons(RmlEnv *env)
{
	RmlSvdppParams params = standard;
	RmlSvdpp model;
	double score;

	make_small(&model, env, &params);
	unit_equal_string(reason_for(env, &model, 0, 0, &score),
					  "goes with 1002 and 1001 that the customer has (+0.85); predicted 3.72, on "
					  "average 2.00; 0 of 3 customers have it (rank 5)",
					  "a reason");
	unit_near(score, 2.125 + 1.5 * (0.5 + 0.8 / sqrt(2)), 1e-7, "its score");
	unit_equal_string(reason_for(env, &model, 1, 0, &score),
					  "goes with 1001 that the customer has (+0.26); predicted 3.13, on average "
					  "2.00; 0 of 3 customers have it (rank 5)",
					  "one item adds something");
	unit_equal_string(reason_for(env, &model, -1, 3, &score),
					  "no ratings known yet: popular, 1 of 3 customers has it (rank 4)",
					  "an unknown user");
	unit_near(score, 2, 0, "has the prediction of mean and item bias");
	params.transform = RML_TRANSFORM_LOG1P;
	params.implicit = RML_IMPLICIT_PURCHASES;
	unit_contains(reason_for(env, &model, 0, 2, &score),
				  "predicted 3.72 (an amount of 40.41), on average 2.00 (an amount of 6.39); ",
				  "amounts, expected value less for want of buyers");
	unit_contains(reason_for(env, &model, -1, 0, &score), "no purchases known yet: popular, 3 of 3",
				  "purchases");
	model.high = 3;
	unit_contains(reason_for(env, &model, 0, 0, &score), "predicted 3.00 (", "clipped");
	test_names(env, &model);
	model.low = -1000;
	unit_ok(strncmp(reason_for(env, &model, 0, 0, &score), "predicted", 9) == 0,
			"what goes with it is left out where it is little");
	params = standard;
	params.biased = params.implicit_feedback = 0;
	make_small(&model, env, &params);
	model.high = 1.25;
	unit_equal_string(reason_for(env, &model, 0, 0, &score),
					  "predicted 1.250; 2 of 3 customers have it (rank 2)",
					  "without means, without implicit feedback, on a small scale");
	unit_env_reset(env);
}

/* ---- items that are alike ---- */

/* vectors (1, 0), (2, 0), (1, 1), (-1, 0), (0, 0), (3, 3) */
static void
test_similar(RmlEnv *env)
{
	static const float q[6][2] = {{1, 0}, {2, 0}, {1, 1}, {-1, 0}, {0, 0}, {3, 3}};
	RmlRanked best[6];
	RmlSvdpp model;
	int32_t n;

	make_model(&model, env, &standard, (Shape){4, 6, 2, 0, 0, false});
	for (size_t i = 0; i < 6; i++)
		memcpy(model.factors.q + 8 * i, q[i], sizeof q[i]);
	memcpy(model.buyers, ((int64_t[]){4, 1, 2, 1, 1, 3}), 6 * sizeof(int64_t));
	n = rml_similar_items(&model, env, 0, 6, &anything, best);
	unit_equal_string(listed(env, &model, best, n), "1002 1006 1003 1004",
					  "by cosine, then by buyers; neither itself nor what has no direction");
	unit_near(best[0].score, 1, 0, "the same direction");
	unit_near(best[1].score, sqrt(0.5), 1e-15, "45 degrees");
	unit_near(best[3].score, -1, 0, "the opposite");
	unit_equal_int(rml_similar_items(&model, env, 0, 2, &anything, best), 2, "n of them");
	unit_equal_int(rml_similar_items(&model, env, 4, 6, &anything, best), 0,
				   "nothing is like an item without a vector");
	n = rml_similar_items(&model, env, 0, 6, &(RmlRecommendParams){.min_popularity = 2}, best);
	unit_equal_string(listed(env, &model, best, n), "1006 1003", "min_popularity");
	unit_env_reset(env);
}

int
main(void)
{
	RmlEnv *env = unit_env(2);

	test_all(env);
	test_threads();
	test_extremes(env);
	test_ascending(env);
	test_limits(env);
	test_one_equals_all(env);
	test_options(env);
	test_reasons(env);
	test_similar(env);
	unit_env_free(env);
	return unit_done();
}
