/*
 * svdpp_descend.c
 *	  Stochastic gradient descent for SVD++: windows of users, epochs over all of them.
 */
#include <math.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/rng.h"
#include "svdpp_internal.h"

/*
 * Ratings of a window.  More make better use of threads; but what the users of a window learn about an
 * item adds up without their seeing one another's steps.  That is harmless as long as all of a window's
 * steps together are short, so a window has at most this many ratings, this part of all ratings, and no
 * more than so many users of the most popular item that their rates add up to this
 * (docs/algorithms/svdpp.md has the measurements).
 */
#define WINDOW_RATINGS 1024
#define WINDOWS_OF_ALL 64
#define WINDOW_STEPS 0.1

/* streams of random numbers: initial factors */
#define STREAM_P 1
#define STREAM_Q 2
#define STREAM_Y 3

#define POLL_NUMBERS 1000000

/* ---- the beginning ---- */

/* [n x s] normally distributed, the numbers beyond f being 0 */
static float *
initial(const RmlFactors *factors, RmlEnv *env, const RmlSvdppParams *params, int32_t n,
		uint64_t stream)
{
	float *values = RML_NEW_ZERO(env, float, (size_t) n *(size_t) factors->s);
	int64_t drawn = 0;

	for (int32_t x = 0; x < n; x++)
		for (int k = 0; k < factors->f; k++, drawn++)
		{
			double normal = rml_rng_normal((uint64_t) params->seed, stream, (uint64_t) drawn);

			values[(size_t) x * (size_t) factors->s + (size_t) k] =
				(float) (params->init_mean + params->init_std * normal);
			if (drawn % POLL_NUMBERS == 0)
				rml_poll(env);
		}
	return values;
}

static double
mean_rating(const RmlRatings *ratings, RmlEnv *env)
{
	double sum = 0;

	for (int64_t r = 0; r < ratings->n; r++)
	{
		sum += ratings->values[r];
		if (r % POLL_NUMBERS == 0)
			rml_poll(env);
	}
	return sum / (double) ratings->n;
}

static void
begin_factors(RmlFactors *factors, RmlEnv *env, const RmlSvdppParams *params,
			  const RmlRatings *ratings)
{
	factors->n_users = ratings->n_users;
	factors->n_items = ratings->n_items;
	factors->f = (int) params->n_factors;
	factors->s = (factors->f + RML_LANES - 1) / RML_LANES * RML_LANES;
	factors->mean = params->biased ? mean_rating(ratings, env) : 0;
	factors->bu = RML_NEW_ZERO(env, float, (size_t) factors->n_users);
	factors->bi = RML_NEW_ZERO(env, float, (size_t) factors->n_items);
	factors->p = initial(factors, env, params, factors->n_users, STREAM_P);
	factors->q = initial(factors, env, params, factors->n_items, STREAM_Q);
	factors->y = NULL;
	if (params->implicit_feedback)
		factors->y = initial(factors, env, params, factors->n_items, STREAM_Y);
}

void
rml_factors_release(RmlFactors *factors, RmlEnv *env)
{
	rml_release(env, factors->bu);
	rml_release(env, factors->bi);
	rml_release(env, factors->p);
	rml_release(env, factors->q);
	rml_release(env, factors->y);
}

static RmlRate
rate_of(double lr, double reg)
{
	return (RmlRate){(float) lr, (float) (1 - lr * reg)};
}

static int64_t
window_ratings(const RmlSvdppParams *params, const RmlTour *tour)
{
	double n = (double) tour->starts[tour->n_users];
	double rate = fmax(fmax(params->lr_bi, params->lr_qi), params->lr_yj);
	double most = fmin(WINDOW_RATINGS, n / WINDOWS_OF_ALL);

	if (rate > 0)
		most = fmin(most, WINDOW_STEPS / rate * n / (double) tour->most_buyers);
	return (int64_t) most;
}

static void
begin_windows(RmlDescent *descent, RmlEnv *env, int64_t most)
{
	const RmlTour *tour = &descent->tour;
	const int64_t *starts = tour->starts;
	int64_t n = 0;

	descent->windows = RML_NEW(env, int32_t, (size_t) tour->n_users + 1);
	descent->windows[0] = 0;
	for (int32_t user = 1; user < tour->n_users; user++)
		if (starts[user + 1] - starts[descent->windows[n]] > most)
			descent->windows[++n] = user;
	descent->windows[++n] = tour->n_users;
	descent->n_windows = n;
}

static void
begin_changes(RmlDescent *descent, RmlEnv *env)
{
	const int64_t *starts = descent->tour.starts;
	size_t s = (size_t) descent->factors->s;
	int64_t m = 0;
	int64_t v = 0;

	for (int64_t w = 0; w < descent->n_windows; w++)
	{
		int32_t first = descent->windows[w];
		int32_t last = descent->windows[w + 1];

		m = starts[last] - starts[first] > m ? starts[last] - starts[first] : m;
		v = last - first > v ? last - first : v;
	}
	descent->changes.q = RML_NEW(env, float, (size_t) m *s);
	descent->changes.bi = RML_NEW(env, float, (size_t) m);
	descent->changes.y = RML_NEW(env, float, (size_t) v *s);
	descent->changes.decay = RML_NEW(env, float, (size_t) v);
}

static void
begin_descent(RmlDescent *descent, RmlEnv *env, const RmlSvdppParams *params,
			  const RmlRatings *ratings, int64_t most)
{
	descent->biased = params->biased;
	descent->bu = rate_of(params->biased ? params->lr_bu : 0, params->reg_bu);
	descent->bi = rate_of(params->biased ? params->lr_bi : 0, params->reg_bi);
	descent->pu = rate_of(params->lr_pu, params->reg_pu);
	descent->qi = rate_of(params->lr_qi, params->reg_qi);
	descent->yj = rate_of(params->lr_yj, params->reg_yj);
	rml_svdpp_tour(&descent->tour, env, ratings, params->seed);
	if (most == RML_WINDOW_AUTO)
		most = window_ratings(params, &descent->tour);
	begin_windows(descent, env, most);
	begin_changes(descent, env);
	descent->squares = RML_NEW_ZERO(env, double, (size_t) descent->tour.n_users);
}

static void
end_descent(RmlDescent *descent, RmlEnv *env)
{
	rml_svdpp_tour_release(&descent->tour, env);
	rml_release(env, descent->windows);
	rml_release(env, descent->squares);
	rml_release(env, descent->changes.q);
	rml_release(env, descent->changes.bi);
	rml_release(env, descent->changes.y);
	rml_release(env, descent->changes.decay);
}

/* ---- epochs ---- */

/* the first of upto [low .. high] that reaches this number of ratings */
static int32_t
reaching(const int64_t *upto, int32_t low, int32_t high, int64_t ratings)
{
	while (low < high)
	{
		int32_t middle = low + (high - low) / 2;

		if (upto[middle] < ratings)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* part `part` of `parts` begins here, when the ratings upto counts are shared out evenly */
static int32_t
part_begin(const int64_t *upto, int32_t low, int32_t high, int part, int parts)
{
	if (part == parts)
		return high;
	return reaching(upto, low, high, upto[low] + (upto[high] - upto[low]) * part / parts);
}

/* step 2w: the users of window w learn; step 2w + 1: the items take over what they learnt */
static void
run_step(void *context, int64_t step, int part, int parts)
{
	const RmlDescent *d = context;
	int32_t first = d->windows[step / 2];
	int32_t last = d->windows[step / 2 + 1];

	const RmlTour *tour = &d->tour;

	if (step % 2 == 0)
		rml_svdpp_learn(d, first, part_begin(tour->starts, first, last, part, parts),
						part_begin(tour->starts, first, last, part + 1, parts));
	else
		rml_svdpp_apply(d, first, last, part_begin(tour->upto, 0, RML_BUCKETS, part, parts),
						part_begin(tour->upto, 0, RML_BUCKETS, part + 1, parts));
}

static double
epoch_rmse(const RmlDescent *descent)
{
	const RmlTour *tour = &descent->tour;
	double sum = 0;

	for (int32_t u = 0; u < tour->n_users; u++)
		sum += descent->squares[u];
	return sqrt(sum / (double) tour->starts[tour->n_users]);
}

/* errors this many times as large as the ratings themselves (root mean squares) are no learning */
#define BEYOND_BOUNDS 10.0

static double
largest_error(const RmlTour *tour)
{
	int64_t n = tour->starts[tour->n_users];
	double squares = 0;

	for (int64_t r = 0; r < n; r++)
		squares += (double) tour->values[r] * tour->values[r];
	return BEYOND_BOUNDS * sqrt(squares / (double) n);
}

const char *
rml_svdpp_descend_by(RmlFactors *factors, RmlEnv *env, const RmlSvdppParams *params,
					 const RmlRatings *ratings, int64_t most, RmlEpochFn after_epoch, void *context)
{
	RmlDescent descent = {.factors = factors};
	const char *reason = NULL;
	double largest;

	begin_factors(factors, env, params, ratings);
	begin_descent(&descent, env, params, ratings, most);
	largest = fmax(largest_error(&descent.tour), BEYOND_BOUNDS * params->init_std);
	for (int epoch = 1; epoch <= params->n_epochs && reason == NULL; epoch++)
	{
		double rmse;

		rml_parallel_steps(env, 2 * descent.n_windows, run_step, &descent);
		rmse = epoch_rmse(&descent);
		if (!(rmse <= largest))
			reason = rml_format(env, "the factors grew without bound in epoch %d", epoch);
		else if (after_epoch != NULL && !after_epoch(context, epoch, factors, rmse))
			break;
	}
	end_descent(&descent, env);
	return reason;
}

const char *
rml_svdpp_descend(RmlFactors *factors, RmlEnv *env, const RmlSvdppParams *params,
				  const RmlRatings *ratings, RmlEpochFn after_epoch, void *context)
{
	return rml_svdpp_descend_by(factors, env, params, ratings, RML_WINDOW_AUTO, after_epoch,
								context);
}

/* ---- memory ---- */

/* factors, the ratings in the order of the descent, what a window wants changed */
size_t
rml_svdpp_descend_bytes(const RmlSvdppParams *params, const RmlRatings *ratings)
{
	size_t users = (size_t) ratings->n_users, items = (size_t) ratings->n_items;
	size_t s = ((size_t) params->n_factors + RML_LANES - 1) / RML_LANES * RML_LANES;
	size_t window = items > WINDOW_RATINGS ? items : WINDOW_RATINGS;

	return sizeof(float) * (s + 1) * (users + 2 * items) + 2 * sizeof(float) * (s + 1) * window +
		   (sizeof(int32_t) + sizeof(float)) * (size_t) ratings->n + 3 * sizeof(double) * users;
}
