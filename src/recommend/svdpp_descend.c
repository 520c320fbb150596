/*
 * svdpp_descend.c
 *	  Stochastic gradient descent for SVD++: windows of users, epochs over all of them.
 */
#include <math.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/rng.h"
#include "svdpp_internal.h"

/* streams of random numbers: initial factors */
#define STREAM_P 1
#define STREAM_Q 2
#define STREAM_Y 3

/* numbers drawn, or ratings, without a poll */
#define POLL_NUMBERS (1 << 18)

/* a thread takes users of about so many ratings at a time, or one */
#define TAKEN_RATINGS 64

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

static void
begin_changes(RmlDescent *descent, RmlEnv *env)
{
	const RmlTour *tour = &descent->tour;
	size_t s = (size_t) descent->factors->s;
	int64_t m = 0;
	int64_t v = 0;

	for (int64_t w = 0; w < tour->n_windows; w++)
	{
		int32_t first = tour->windows[w];
		int32_t last = tour->windows[w + 1];
		int64_t ratings = tour->starts[last] - tour->starts[first];

		m = ratings > m ? ratings : m;
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
	rml_svdpp_tour(&descent->tour, env, ratings, params, most);
	begin_changes(descent, env);
	descent->squares = RML_NEW_ZERO(env, double, (size_t) descent->tour.n_users);
}

static void
end_descent(RmlDescent *descent, RmlEnv *env)
{
	rml_svdpp_tour_release(&descent->tour, env);
	rml_release(env, descent->squares);
	rml_release(env, descent->changes.q);
	rml_release(env, descent->changes.bi);
	rml_release(env, descent->changes.y);
	rml_release(env, descent->changes.decay);
}

/* ---- epochs ---- */

/* part `part` of `parts` begins with this bucket, when ratings are shared out evenly */
static int
bucket_of_part(const RmlTour *tour, int part, int parts)
{
	int64_t ratings = tour->upto[RML_BUCKETS] * part / parts;
	int low = 0;
	int high = RML_BUCKETS;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (tour->upto[middle] < ratings)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* the next users of a window ending before last that nobody has taken: from visit *first to *end */
static bool
take_users(RmlDescent *descent, int32_t last, int32_t *first, int32_t *end)
{
	const int64_t *starts = descent->tour.starts;

	*first = atomic_load_explicit(&descent->taken, memory_order_relaxed);
	do
	{
		if (*first >= last)
			return false;
		*end = *first + 1;
		while (*end < last && starts[*end + 1] - starts[*first] <= TAKEN_RATINGS)
			++*end;
	} while (!atomic_compare_exchange_weak_explicit(&descent->taken, first, *end,
													memory_order_relaxed, memory_order_relaxed));
	return true;
}

/*
 * Step 2w: the users of window w learn, whoever is free taking the next; step 2w + 1: the items take over
 * what they learnt.
 */
static void
run_step(void *context, int64_t step, int part, int parts)
{
	RmlDescent *d = context;
	const RmlTour *tour = &d->tour;
	int32_t first = tour->windows[step / 2];
	int32_t last = tour->windows[step / 2 + 1];

	if (step % 2 == 0)
	{
		int32_t visit, end;

		while (take_users(d, last, &visit, &end))
			rml_svdpp_learn(d, first, visit, end);
		return;
	}
	rml_svdpp_apply(d, first, last, bucket_of_part(tour, part, parts),
					bucket_of_part(tour, part + 1, parts));
	/* nobody takes users in this step; an epoch begins with the first again */
	if (part == 0 && last == tour->n_users)
		atomic_store_explicit(&d->taken, 0, memory_order_relaxed);
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

/* errors this many times as large as the ratings, or as the first predictions (root mean squares), are no learning */
#define BEYOND_BOUNDS 10.0

static double
rating_size(const RmlTour *tour, RmlEnv *env)
{
	int64_t n = tour->starts[tour->n_users];
	double squares = 0;

	for (int64_t r = 0; r < n; r++)
	{
		squares += (double) tour->values[r] * tour->values[r];
		if (r % POLL_NUMBERS == 0)
			rml_poll(env);
	}
	return sqrt(squares / (double) n);
}

/*
 * What initial factors predict at most, as a root mean square: the product of two vectors of f numbers with
 * mean m and deviation s each is f m^2 + sqrt(f) (m^2 + s^2) or less.  z_u of n items has mean sqrt(n) m.
 */
static double
initial_size(const RmlTour *tour, const RmlSvdppParams *params)
{
	double f = (double) params->n_factors;
	double mean = fabs(params->init_mean);
	double size = hypot(mean, params->init_std);
	double z_mean = 0, z_size = 0;
	int64_t n = 0;

	for (int32_t visit = 0; visit < tour->n_users; visit++)
		n = tour->starts[visit + 1] - tour->starts[visit] > n
				? tour->starts[visit + 1] - tour->starts[visit]
				: n;
	if (params->implicit_feedback)
	{
		z_mean = sqrt((double) n) * mean;
		z_size = hypot(z_mean, params->init_std);
	}
	return f * mean * (mean + z_mean) + sqrt(f) * size * (size + z_size);
}

static double
largest_error(const RmlTour *tour, RmlEnv *env, const RmlSvdppParams *params)
{
	double size = fmax(rating_size(tour, env), initial_size(tour, params));

	return BEYOND_BOUNDS * fmax(size, params->init_std);
}

const char *
rml_svdpp_unbounded(RmlEnv *env, int epoch)
{
	return rml_format(env, "the factors grew without bound in epoch %d", epoch);
}

/* a number less itself is 0, unless it is none or infinite */
static bool
finite_vectors(const float *values, RmlEnv *env, int32_t n, int s)
{
	for (int32_t x = 0, polled = 0; x < n; x++)
	{
		const float *vector = values + (size_t) x * (size_t) s;
		float sum = 0;

		for (int k = 0; k < s; k++)
			sum += vector[k] - vector[k];
		if (!(sum == 0))
			return false;
		if ((int64_t) (x - polled) * s < POLL_NUMBERS)
			continue;
		polled = x;
		rml_poll(env);
	}
	return true;
}

/* the errors of an epoch do not know of its last steps */
static bool
all_finite(const RmlFactors *factors, RmlEnv *env)
{
	return finite_vectors(factors->bu, env, factors->n_users, 1) &&
		   finite_vectors(factors->bi, env, factors->n_items, 1) &&
		   finite_vectors(factors->p, env, factors->n_users, factors->s) &&
		   finite_vectors(factors->q, env, factors->n_items, factors->s) &&
		   (factors->y == NULL || finite_vectors(factors->y, env, factors->n_items, factors->s));
}

const char *
rml_svdpp_descend_by(RmlFactors *factors, RmlEnv *env, const RmlSvdppParams *params,
					 const RmlRatings *ratings, int64_t most, RmlEpochFn after_epoch, void *context)
{
	RmlDescent descent = {.factors = factors};
	const char *reason = NULL;
	double largest;
	int epochs = 0;

	begin_factors(factors, env, params, ratings);
	begin_descent(&descent, env, params, ratings, most);
	largest = largest_error(&descent.tour, env, params);
	for (int epoch = 1; epoch <= params->n_epochs && reason == NULL; epoch++)
	{
		double rmse;

		rml_parallel_steps(env, 2 * descent.tour.n_windows, run_step, &descent, &descent.pace);
		rmse = epoch_rmse(&descent);
		epochs = epoch;
		if (!(rmse <= largest))
			reason = rml_svdpp_unbounded(env, epoch);
		else if (after_epoch != NULL && !after_epoch(context, epoch, factors, rmse))
			break;
	}
	if (reason == NULL && !all_finite(factors, env))
		reason = rml_svdpp_unbounded(env, epochs);
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
	size_t window = items > RML_WINDOW_RATINGS ? items : RML_WINDOW_RATINGS;

	return sizeof(float) * (s + 1) * (users + 2 * items) + 2 * sizeof(float) * (s + 1) * window +
		   (sizeof(int32_t) + sizeof(float)) * (size_t) ratings->n + 3 * sizeof(double) * users;
}
