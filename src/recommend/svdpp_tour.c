/*
 * svdpp_tour.c
 *	  The order in which the descent goes through the ratings.
 */
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/rng.h"
#include "svdpp_internal.h"

#define STREAM_USERS 4
#define STREAM_ITEMS 5

#define POLL_USERS 100000

/* users of a block of the sorting */
#define BLOCK_USERS 256

/* who have a rating, shuffled (R. Durstenfeld, "Algorithm 235", CACM 7 (1964)) */
static void
shuffle_users(RmlTour *tour, RmlEnv *env, const RmlRatings *ratings, int64_t seed)
{
	int32_t n = 0;

	tour->users = RML_NEW(env, int32_t, (size_t) ratings->n_users);
	for (int32_t user = 0; user < ratings->n_users; user++)
		if (ratings->starts[user + 1] > ratings->starts[user])
			tour->users[n++] = user;
	tour->n_users = n;
	for (int32_t place = n - 1; place > 0; place--)
	{
		uint64_t other =
			rml_rng_below((uint64_t) seed, STREAM_USERS, (uint64_t) place, (uint64_t) place + 1);
		int32_t user = tour->users[place];

		tour->users[place] = tour->users[other];
		tour->users[other] = user;
		if (place % POLL_USERS == 0)
			rml_poll(env);
	}
}

typedef struct Sorting
{
	RmlTour *tour;
	const RmlRatings *ratings;
} Sorting;

/* one user's ratings by bucket; those of one bucket stay in their order */
static void
sort_user(const RmlTour *tour, const RmlRatings *ratings, int32_t visit)
{
	int64_t from = ratings->starts[tour->users[visit]];
	int64_t to = tour->starts[visit];
	int64_t n = tour->starts[visit + 1] - to;
	int64_t places[RML_BUCKETS + 1];

	memset(places, 0, sizeof places);
	for (int64_t r = 0; r < n; r++)
		places[tour->buckets[ratings->items[from + r]] + 1]++;
	for (int bucket = 0; bucket < RML_BUCKETS; bucket++)
		places[bucket + 1] += places[bucket];
	for (int64_t r = 0; r < n; r++)
	{
		int32_t item = ratings->items[from + r];
		int64_t place = to + places[tour->buckets[item]]++;

		tour->items[place] = item;
		tour->values[place] = ratings->values[from + r];
	}
}

static void
sort_users(void *context, int64_t block, int thread)
{
	const Sorting *sorting = context;
	int64_t end = rml_block_end(block, BLOCK_USERS, sorting->tour->n_users);

	(void) thread;
	for (int64_t visit = block * BLOCK_USERS; visit < end; visit++)
		sort_user(sorting->tour, sorting->ratings, (int32_t) visit);
}

static void
count_buckets(RmlTour *tour, RmlEnv *env, const RmlRatings *ratings)
{
	int64_t *buyers = rml_ratings_buyers(ratings, env);

	memset(tour->upto, 0, sizeof tour->upto);
	tour->most_buyers = 0;
	for (int32_t item = 0; item < ratings->n_items; item++)
	{
		tour->upto[tour->buckets[item] + 1] += buyers[item];
		if (buyers[item] > tour->most_buyers)
			tour->most_buyers = buyers[item];
	}
	for (int bucket = 0; bucket < RML_BUCKETS; bucket++)
		tour->upto[bucket + 1] += tour->upto[bucket];
	rml_release(env, buyers);
}

void
rml_svdpp_tour(RmlTour *tour, RmlEnv *env, const RmlRatings *ratings, int64_t seed)
{
	Sorting sorting = {tour, ratings};

	shuffle_users(tour, env, ratings, seed);
	tour->starts = RML_NEW(env, int64_t, (size_t) tour->n_users + 1);
	tour->starts[0] = 0;
	for (int32_t visit = 0; visit < tour->n_users; visit++)
	{
		int32_t user = tour->users[visit];

		tour->starts[visit + 1] =
			tour->starts[visit] + ratings->starts[user + 1] - ratings->starts[user];
	}
	tour->buckets = RML_NEW(env, uint8_t, (size_t) ratings->n_items);
	for (int32_t item = 0; item < ratings->n_items; item++)
		tour->buckets[item] =
			(uint8_t) rml_rng_below((uint64_t) seed, STREAM_ITEMS, (uint64_t) item, RML_BUCKETS);
	count_buckets(tour, env, ratings);
	tour->items = RML_NEW(env, int32_t, (size_t) ratings->n);
	tour->values = RML_NEW(env, float, (size_t) ratings->n);
	rml_parallel(env, rml_blocks(tour->n_users, BLOCK_USERS), sort_users, &sorting);
}

void
rml_svdpp_tour_release(RmlTour *tour, RmlEnv *env)
{
	rml_release(env, tour->users);
	rml_release(env, tour->starts);
	rml_release(env, tour->items);
	rml_release(env, tour->values);
	rml_release(env, tour->buckets);
}
