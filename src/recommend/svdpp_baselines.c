/*
 * svdpp_baselines.c
 *	  Global mean, item means, user and item biases.
 */
#include "svdpp_baselines.h"

#include <string.h>

#define ROUNDS 10
#define SHRINK_USERS 15.0
#define SHRINK_ITEMS 10.0

/* ratings between two polls, a few milliseconds */
#define POLL_RATINGS (1 << 19)

/* poll when this many more ratings have been seen; *next is where the last poll said */
static void
poll_at(RmlEnv *env, int64_t seen, int64_t *next)
{
	if (seen < *next)
		return;
	rml_poll(env);
	*next = seen + POLL_RATINGS;
}

/* sums [i] of the ratings less mean and b_u (NULL: 0) */
static void
item_sums(RmlEnv *env, const RmlRatings *ratings, double mean, const double *bu, double *sums)
{
	int64_t next = 0;

	memset(sums, 0, sizeof(double) * (size_t) ratings->n_items);
	for (int32_t user = 0; user < ratings->n_users; user++)
	{
		double known = mean + (bu == NULL ? 0 : bu[user]);

		for (int64_t r = ratings->starts[user]; r < ratings->starts[user + 1]; r++)
			sums[ratings->items[r]] += ratings->values[r] - known;
		poll_at(env, ratings->starts[user + 1], &next);
	}
}

static void
user_biases(RmlEnv *env, const RmlRatings *ratings, RmlBaselines *baselines)
{
	int64_t next = 0;

	for (int32_t user = 0; user < ratings->n_users; user++)
	{
		int64_t start = ratings->starts[user], end = ratings->starts[user + 1];
		double sum = 0;

		for (int64_t r = start; r < end; r++)
			sum += ratings->values[r] - baselines->mean - baselines->bi[ratings->items[r]];
		baselines->bu[user] = sum / (SHRINK_USERS + (double) (end - start));
		poll_at(env, end, &next);
	}
}

static double
mean_of(RmlEnv *env, const RmlRatings *ratings)
{
	double sum = 0;
	int64_t next = 0;

	for (int64_t r = 0; r < ratings->n; r++)
	{
		sum += ratings->values[r];
		poll_at(env, r, &next);
	}
	return sum / (double) ratings->n;
}

static void
item_means(RmlEnv *env, const RmlRatings *ratings, const int64_t *buyers, RmlBaselines *baselines)
{
	double *means = RML_NEW(env, double, (size_t) ratings->n_items);

	item_sums(env, ratings, 0, NULL, means);
	for (int32_t item = 0; item < ratings->n_items; item++)
		means[item] = buyers[item] > 0 ? means[item] / (double) buyers[item] : baselines->mean;
	baselines->item_means = means;
}

static void
biases(RmlEnv *env, const RmlRatings *ratings, const int64_t *buyers, RmlBaselines *baselines)
{
	baselines->bi = RML_NEW(env, double, (size_t) ratings->n_items);
	baselines->bu = RML_NEW_ZERO(env, double, (size_t) ratings->n_users);
	for (int round = 0; round < ROUNDS; round++)
	{
		item_sums(env, ratings, baselines->mean, baselines->bu, baselines->bi);
		for (int32_t item = 0; item < ratings->n_items; item++)
			baselines->bi[item] /= SHRINK_ITEMS + (double) buyers[item];
		user_biases(env, ratings, baselines);
	}
}

void
rml_baselines_fit(RmlEnv *env, const RmlRatings *ratings, RmlBaselines *baselines)
{
	int64_t *buyers = rml_ratings_buyers(ratings, env);

	baselines->n_users = ratings->n_users;
	baselines->n_items = ratings->n_items;
	baselines->mean = mean_of(env, ratings);
	item_means(env, ratings, buyers, baselines);
	biases(env, ratings, buyers, baselines);
	rml_release(env, buyers);
}

void
rml_baselines_release(RmlBaselines *baselines, RmlEnv *env)
{
	rml_release(env, baselines->item_means);
	rml_release(env, baselines->bu);
	rml_release(env, baselines->bi);
}

size_t
rml_baselines_bytes(int64_t n_users, int64_t n_items)
{
	return sizeof(double) * (size_t) n_users +
		   (2 * sizeof(double) + sizeof(int64_t)) * (size_t) n_items;
}

double
rml_baselines_item_mean(const RmlBaselines *baselines, int32_t item)
{
	return item < 0 ? baselines->mean : baselines->item_means[item];
}

double
rml_baselines_biases(const RmlBaselines *baselines, int32_t user, int32_t item)
{
	return baselines->mean + (user < 0 ? 0 : baselines->bu[user]) +
		   (item < 0 ? 0 : baselines->bi[item]);
}
