/*
 * svdpp_tour.c
 *	  The order in which the descent goes through the ratings.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/rng.h"
#include "svdpp_internal.h"

/*
 * The more ratings a window has, the better use it makes of threads; but what its users learn about an
 * item adds up without their seeing one another's steps.  That is harmless as long as all of a window's
 * steps together are short.  So a window has at most RML_WINDOW_RATINGS, this part of all ratings, and
 * no more than so many users of the most popular item that their rates add up to this
 * (docs/algorithms/svdpp.md has the measurements).
 */
#define WINDOWS_OF_ALL 24
#define WINDOW_STEPS 0.1

#define STREAM_USERS 4
#define STREAM_ITEMS 5

/* users in random order without a poll, each a few cache misses; ids whose numbers are drawn */
#define POLL_USERS 100000

/* ratings of a block of the sorting, a user costing about so many for the buckets */
#define BLOCK_RATINGS (1 << 18)
#define USER_RATINGS 64

static void
poll_user(RmlEnv *env, int32_t user)
{
	if (user % POLL_USERS == 0)
		rml_poll(env);
}

/* who have a rating, shuffled (R. Durstenfeld, "Algorithm 235", CACM 7 (1964)) */
static void
shuffle_users(RmlTour *tour, RmlEnv *env, const RmlRatings *ratings, int64_t seed)
{
	int32_t n = 0;

	tour->users = RML_NEW(env, int32_t, (size_t) ratings->n_users);
	for (int32_t user = 0; user < ratings->n_users; user++)
	{
		if (ratings->starts[user + 1] > ratings->starts[user])
			tour->users[n++] = user;
		poll_user(env, user);
	}
	tour->n_users = n;
	for (int32_t place = n - 1; place > 0; place--)
	{
		uint64_t other =
			rml_rng_below((uint64_t) seed, STREAM_USERS, (uint64_t) place, (uint64_t) place + 1);
		int32_t user = tour->users[place];

		tour->users[place] = tour->users[other];
		tour->users[other] = user;
		poll_user(env, place);
	}
}

/* ---- windows ---- */

static int64_t
window_ratings(const RmlSvdppParams *params, int64_t n, int64_t most_buyers)
{
	double rate = fmax(fmax(params->lr_bi, params->lr_qi), params->lr_yj);
	double most = fmin(RML_WINDOW_RATINGS, (double) n / WINDOWS_OF_ALL);

	if (rate > 0)
		most = fmin(most, WINDOW_STEPS / rate * (double) n / (double) most_buyers);
	return (int64_t) most;
}

static void
cut_windows(RmlTour *tour, RmlEnv *env, const RmlRatings *ratings, int64_t most)
{
	int64_t n = 0;
	int64_t filled = 0;

	tour->windows = RML_NEW(env, int32_t, (size_t) tour->n_users + 1);
	tour->windows[0] = 0;
	for (int32_t visit = 0; visit < tour->n_users; visit++)
	{
		int32_t user = tour->users[visit];
		int64_t more = ratings->starts[user + 1] - ratings->starts[user];

		if (visit > 0 && filled + more > most)
		{
			tour->windows[++n] = visit;
			filled = 0;
		}
		filled += more;
		poll_user(env, visit);
	}
	tour->windows[++n] = tour->n_users;
	tour->n_windows = n;
}

typedef struct Visit
{
	int64_t n;
	int32_t place;
	int32_t user;
} Visit;

/* those with most ratings first, equals as they were */
static int
compare_visits(const void *a, const void *b)
{
	const Visit *x = a;
	const Visit *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return x->place - y->place;
}

static void
order_window(int32_t *users, int32_t n, const RmlRatings *ratings, Visit *visits)
{
	for (int32_t place = 0; place < n; place++)
	{
		int32_t user = users[place];

		visits[place] = (Visit){ratings->starts[user + 1] - ratings->starts[user], place, user};
	}
	qsort(visits, (size_t) n, sizeof(Visit), compare_visits);
	for (int32_t place = 0; place < n; place++)
		users[place] = visits[place].user;
}

static void
order_windows(RmlTour *tour, RmlEnv *env, const RmlRatings *ratings)
{
	Visit *visits;
	int32_t largest = 0, polled = 0;

	for (int64_t w = 0; w < tour->n_windows; w++)
		if (tour->windows[w + 1] - tour->windows[w] > largest)
			largest = tour->windows[w + 1] - tour->windows[w];
	visits = RML_NEW(env, Visit, (size_t) largest);
	for (int64_t w = 0; w < tour->n_windows; w++)
	{
		int32_t first = tour->windows[w];

		order_window(tour->users + first, tour->windows[w + 1] - first, ratings, visits);
		if (tour->windows[w + 1] - polled < POLL_USERS)
			continue;
		polled = tour->windows[w + 1];
		rml_poll(env);
	}
	rml_release(env, visits);
}

/* ---- the ratings of each user ---- */

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
	const RmlRatings visits = {.n_users = sorting->tour->n_users, .starts = sorting->tour->starts};
	int32_t end = rml_ratings_block_user(&visits, block + 1, BLOCK_RATINGS, USER_RATINGS);

	(void) thread;
	for (int32_t visit = rml_ratings_block_user(&visits, block, BLOCK_RATINGS, USER_RATINGS);
		 visit < end; visit++)
		sort_user(sorting->tour, sorting->ratings, visit);
}

/* the buckets and how many ratings they have; returns those of the most popular item */
static int64_t
fill_buckets(RmlTour *tour, RmlEnv *env, const RmlRatings *ratings, int64_t seed)
{
	int64_t *buyers = rml_ratings_buyers(ratings, env);
	int64_t most = 0;

	tour->buckets = RML_NEW(env, uint8_t, (size_t) ratings->n_items);
	memset(tour->upto, 0, sizeof tour->upto);
	for (int32_t item = 0; item < ratings->n_items; item++)
	{
		uint64_t bucket =
			rml_rng_below((uint64_t) seed, STREAM_ITEMS, (uint64_t) item, RML_BUCKETS);

		tour->buckets[item] = (uint8_t) bucket;
		tour->upto[bucket + 1] += buyers[item];
		if (buyers[item] > most)
			most = buyers[item];
		poll_user(env, item);
	}
	for (int bucket = 0; bucket < RML_BUCKETS; bucket++)
		tour->upto[bucket + 1] += tour->upto[bucket];
	rml_release(env, buyers);
	return most;
}

void
rml_svdpp_tour(RmlTour *tour, RmlEnv *env, const RmlRatings *ratings, const RmlSvdppParams *params,
			   int64_t most)
{
	Sorting sorting = {tour, ratings};
	int64_t most_buyers = fill_buckets(tour, env, ratings, params->seed);

	if (most == RML_WINDOW_AUTO)
		most = window_ratings(params, ratings->n, most_buyers);
	shuffle_users(tour, env, ratings, params->seed);
	cut_windows(tour, env, ratings, most);
	order_windows(tour, env, ratings);
	tour->starts = RML_NEW(env, int64_t, (size_t) tour->n_users + 1);
	tour->starts[0] = 0;
	for (int32_t visit = 0; visit < tour->n_users; visit++)
	{
		int32_t user = tour->users[visit];

		tour->starts[visit + 1] =
			tour->starts[visit] + ratings->starts[user + 1] - ratings->starts[user];
		poll_user(env, visit);
	}
	tour->items = RML_NEW(env, int32_t, (size_t) ratings->n);
	tour->values = RML_NEW(env, float, (size_t) ratings->n);
	rml_parallel(env,
				 rml_blocks(ratings->n + (int64_t) USER_RATINGS * tour->n_users, BLOCK_RATINGS),
				 sort_users, &sorting);
}

void
rml_svdpp_tour_release(RmlTour *tour, RmlEnv *env)
{
	rml_release(env, tour->users);
	rml_release(env, tour->starts);
	rml_release(env, tour->items);
	rml_release(env, tour->values);
	rml_release(env, tour->buckets);
	rml_release(env, tour->windows);
}
