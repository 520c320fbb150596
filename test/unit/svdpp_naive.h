/*
 * svdpp_naive.h
 *	  SVD++ as it is written down: Koren 2008, equation 15, in double precision and with every y_j of a user
 *	  touched at every rating.
 *
 * The order of the ratings is the kernel's (RmlTour).  All users of a window begin from the items as they were
 * when the window began; then what each did to an item is applied in order of the users: what a sweep makes of
 * a parameter v is linear in it, d v + c, so c is told from v before and after, and d from the steps.
 *
 * Legend as in svdpp.h: u users, i items, f factors; arrays are dense, [n x f].
 */
#ifndef RETAILML_UNIT_SVDPP_NAIVE_H
#define RETAILML_UNIT_SVDPP_NAIVE_H

#include "unit.h"

#include <math.h>

#include "../../src/recommend/svdpp_internal.h"
#include "retailml/rng.h"

/* what belongs to the items, and is copied when a window begins */
typedef struct NaiveItems
{
	double *bi; /* [i] */
	double *q;  /* [i x f] */
	double *y;  /* [i x f] */
} NaiveItems;

typedef struct Naive
{
	const RmlSvdppParams *params;
	RmlTour tour;
	int32_t n_users;
	int32_t n_items;
	int f;
	double mean;
	double *bu; /* [u] */
	double *p;  /* [u x f] */
	NaiveItems items;
	NaiveItems start; /* of the window */
	NaiveItems local; /* of one user */
	double squares;
} Naive;

/* ---- the beginning ---- */

static inline double *
naive_initial(RmlEnv *env, const RmlSvdppParams *params, int32_t n, uint64_t stream)
{
	size_t size = (size_t) n * (size_t) params->n_factors;
	double *values = RML_NEW(env, double, size);

	for (size_t x = 0; x < size; x++)
		values[x] = params->init_mean +
					params->init_std * rml_rng_normal((uint64_t) params->seed, stream, x);
	return values;
}

static inline NaiveItems
naive_items(RmlEnv *env, int32_t n, int f)
{
	size_t size = (size_t) n * (size_t) f;

	return (NaiveItems){RML_NEW_ZERO(env, double, (size_t) n), RML_NEW_ZERO(env, double, size),
						RML_NEW_ZERO(env, double, size)};
}

static inline void
naive_copy(const Naive *naive, NaiveItems *to, const NaiveItems *from)
{
	size_t n = (size_t) naive->n_items, size = n * (size_t) naive->f;

	memcpy(to->bi, from->bi, n * sizeof(double));
	memcpy(to->q, from->q, size * sizeof(double));
	memcpy(to->y, from->y, size * sizeof(double));
}

static inline void
naive_begin(Naive *naive, RmlEnv *env, const RmlSvdppParams *params, const RmlRatings *ratings,
			int64_t most)
{
	int f = (int) params->n_factors;
	double sum = 0;

	for (int64_t r = 0; r < ratings->n; r++)
		sum += ratings->values[r];
	*naive = (Naive){.params = params, .n_users = ratings->n_users, .n_items = ratings->n_items};
	naive->f = f;
	naive->mean = params->biased ? sum / (double) ratings->n : 0;
	rml_svdpp_tour(&naive->tour, env, ratings, params, most);
	naive->bu = RML_NEW_ZERO(env, double, (size_t) ratings->n_users);
	naive->p = naive_initial(env, params, ratings->n_users, 1);
	naive->start = naive_items(env, ratings->n_items, f);
	naive->local = naive_items(env, ratings->n_items, f);
	naive->items = naive_items(env, ratings->n_items, f);
	naive->items.q = naive_initial(env, params, ratings->n_items, 2);
	if (params->implicit_feedback)
		naive->items.y = naive_initial(env, params, ratings->n_items, 3);
}

/* ---- one user ---- */

/* z [f] = |N|^-1/2 sum of y_j */
static inline void
naive_implicit(const Naive *naive, const int32_t *items, int64_t n, double *z)
{
	for (int k = 0; k < naive->f; k++)
	{
		z[k] = 0;
		for (int64_t j = 0; j < n; j++)
			z[k] += naive->local.y[items[j] * naive->f + k] / sqrt((double) n);
	}
}

static inline void
naive_rating(Naive *naive, int32_t user, const int32_t *items, int64_t n, int64_t r, double value)
{
	const RmlSvdppParams *by = naive->params;
	int f = naive->f;
	int32_t item = items[r];
	double *p = naive->p + (size_t) user * (size_t) f;
	double *q = naive->local.q + (size_t) item * (size_t) f;
	double z[128];
	double e = value - naive->mean - naive->bu[user] - naive->local.bi[item];

	naive_implicit(naive, items, n, z);
	for (int k = 0; k < f; k++)
		e -= q[k] * (p[k] + z[k]);
	naive->squares += e * e;
	if (by->biased)
	{
		naive->bu[user] += by->lr_bu * (e - by->reg_bu * naive->bu[user]);
		naive->local.bi[item] += by->lr_bi * (e - by->reg_bi * naive->local.bi[item]);
	}
	for (int k = 0; k < f; k++)
	{
		double qk = q[k], pk = p[k];

		q[k] += by->lr_qi * (e * (pk + z[k]) - by->reg_qi * qk);
		p[k] += by->lr_pu * (e * qk - by->reg_pu * pk);
		for (int64_t j = 0; by->implicit_feedback && j < n; j++)
		{
			double *y = naive->local.y + (size_t) items[j] * (size_t) f + (size_t) k;

			*y += by->lr_yj * (e * qk / sqrt((double) n) - by->reg_yj * *y);
		}
	}
}

/* v <- d v + c where the user made of start what local is */
static inline void
naive_take(double *v, double start, double local, double d)
{
	*v = d * *v + (local - d * start);
}

static inline void
naive_apply(Naive *naive, const int32_t *items, int64_t n)
{
	const RmlSvdppParams *by = naive->params;
	double decay = pow(1 - by->lr_yj * by->reg_yj, (double) n);

	for (int64_t r = 0; r < n; r++)
	{
		int32_t item = items[r];

		naive_take(&naive->items.bi[item], naive->start.bi[item], naive->local.bi[item],
				   by->biased ? 1 - by->lr_bi * by->reg_bi : 1);
		for (int k = 0; k < naive->f; k++)
		{
			size_t at = (size_t) item * (size_t) naive->f + (size_t) k;

			naive_take(&naive->items.q[at], naive->start.q[at], naive->local.q[at],
					   1 - by->lr_qi * by->reg_qi);
			naive_take(&naive->items.y[at], naive->start.y[at], naive->local.y[at],
					   by->implicit_feedback ? decay : 1);
		}
	}
}

/* ---- epochs ---- */

static inline void
naive_user(Naive *naive, int32_t visit)
{
	const RmlTour *tour = &naive->tour;
	int64_t start = tour->starts[visit], n = tour->starts[visit + 1] - start;
	const int32_t *items = tour->items + start;

	naive_copy(naive, &naive->local, &naive->start);
	for (int64_t r = 0; r < n; r++)
		naive_rating(naive, tour->users[visit], items, n, r, tour->values[start + r]);
	naive_apply(naive, items, n);
}

/* one epoch with windows of at most so many ratings, or one user; returns the training error */
static inline double
naive_epoch(Naive *naive, int64_t most)
{
	const RmlTour *tour = &naive->tour;
	int32_t window = 0;

	naive->squares = 0;
	for (int32_t visit = 0; visit < tour->n_users; visit++)
	{
		if (visit == 0 || tour->starts[visit + 1] - tour->starts[window] > most)
		{
			window = visit;
			naive_copy(naive, &naive->start, &naive->items);
		}
		naive_user(naive, visit);
	}
	return sqrt(naive->squares / (double) tour->starts[tour->n_users]);
}

#endif /* RETAILML_UNIT_SVDPP_NAIVE_H */
