/*
 * svdpp_sweep.c
 *	  The inner loops of SVD++: the sweep over one user's ratings, and what items make of it.
 *
 * Vectors are cut in pieces of eight numbers, whose sums are taken in a fixed order, so results do not
 * depend on how many numbers the machine takes at once.  The common sizes get code of their own, in which
 * the user's vectors stay in registers.
 */
#include <math.h>

#include "svdpp_internal.h"

typedef float Lanes __attribute__((vector_size(RML_LANES * sizeof(float)), aligned(4)));

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

#define LARGEST 128 /* vectors of the largest f */

INLINE float
total(const Lanes *lanes)
{
	const float *x = (const float *) lanes;
	float a = (x[0] + x[4]) + (x[2] + x[6]);
	float b = (x[1] + x[5]) + (x[3] + x[7]);

	return a + b;
}

/* z [m] = scale * sum of y_j over the items */
INLINE void
implicit_part(const RmlFactors *factors, const int32_t *items, int64_t n, float scale, int m,
			  Lanes *z)
{
	const size_t s = (size_t) factors->s;

	for (int k = 0; k < m; k++)
		z[k] = (Lanes){0};
	for (int64_t j = 0; j < n; j++)
	{
		const Lanes *y = (const Lanes *) (factors->y + (size_t) items[j] * s);

		for (int k = 0; k < m; k++)
			z[k] += y[k];
	}
	for (int k = 0; k < m; k++)
		z[k] *= scale;
}

/* what happened to the sum goes to every y_j alike: y_j <- decay y_j + change */
INLINE void
implicit_change(const RmlDescent *d, int32_t place, int64_t n, float scale, int m,
				const Lanes *before, const Lanes *after)
{
	Lanes *change = (Lanes *) (d->changes.y + (size_t) place * (size_t) d->factors->s);
	float decay = powf(d->yj.shrink, (float) n);

	for (int k = 0; k < m; k++)
		change[k] = (after[k] - decay * before[k]) * scale;
	d->changes.decay[place] = decay;
}

/* one user of the tour, whose changes go to this place of the window and those of the ratings to at */
INLINE void
sweep(const RmlDescent *d, int32_t visit, int32_t place, int64_t at, int m)
{
	const RmlFactors *factors = d->factors;
	const int32_t user = d->tour.users[visit];
	const int64_t start = d->tour.starts[visit];
	const int64_t n = d->tour.starts[visit + 1] - start;
	const int32_t *items = d->tour.items + start;
	const float *values = d->tour.values + start;
	const size_t s = (size_t) factors->s;
	const float mean = (float) factors->mean;
	const bool implicit = factors->y != NULL;
	const float scale = implicit ? 1 / sqrtf((float) n) : 0;
	Lanes *stored = (Lanes *) (factors->p + (size_t) user * s);
	Lanes *change = (Lanes *) (d->changes.q + (size_t) at * s);
	Lanes p[LARGEST], z[LARGEST], before[LARGEST];
	float bu = factors->bu[user];
	double squares = 0;

	for (int k = 0; k < m; k++)
		p[k] = stored[k];
	if (implicit)
		implicit_part(factors, items, n, scale, m, z);
	else
		for (int k = 0; k < m; k++)
			z[k] = (Lanes){0};
	for (int k = 0; k < m; k++)
		before[k] = z[k];
	for (int64_t r = 0; r < n; r++, change += m)
	{
		const Lanes *q = (const Lanes *) (factors->q + (size_t) items[r] * s);
		Lanes sum = {0};
		float e, step;

		for (int k = 0; k < m; k++)
			sum += q[k] * (p[k] + z[k]);
		e = values[r] - (mean + bu + factors->bi[items[r]] + total(&sum));
		squares += (double) e * e;
		d->changes.bi[at + r] = d->bi.rate * e;
		bu = d->bu.shrink * bu + d->bu.rate * e;
		step = d->qi.rate * e;
		for (int k = 0; k < m; k++)
			change[k] = step * (p[k] + z[k]);
		step = d->pu.rate * e;
		for (int k = 0; k < m; k++)
			p[k] = d->pu.shrink * p[k] + step * q[k];
		if (!implicit)
			continue;
		step = d->yj.rate * e;
		for (int k = 0; k < m; k++)
			z[k] = d->yj.shrink * z[k] + step * q[k];
	}
	for (int k = 0; k < m; k++)
		stored[k] = p[k];
	if (d->biased)
		factors->bu[user] = bu;
	if (implicit)
		implicit_change(d, place, n, scale, m, before, z);
	d->squares[visit] = squares;
}

INLINE void
sweeps(const RmlDescent *d, int32_t window, int32_t first, int32_t last, int m)
{
	for (int32_t visit = first; visit < last; visit++)
		sweep(d, visit, visit - window, d->tour.starts[visit] - d->tour.starts[window], m);
}

CLONES void
rml_svdpp_learn(const RmlDescent *descent, int32_t window, int32_t first, int32_t last)
{
	int m = descent->factors->s / RML_LANES;

	switch (m)
	{
		case 1:
			sweeps(descent, window, first, last, 1);
			break;
		case 2:
			sweeps(descent, window, first, last, 2);
			break;
		case 3:
			sweeps(descent, window, first, last, 3);
			break;
		case 4:
			sweeps(descent, window, first, last, 4);
			break;
		default:
			sweeps(descent, window, first, last, m);
	}
}

/* the first of a user's items whose bucket is not below low */
static int64_t
first_from(const uint8_t *buckets, const int32_t *items, int64_t n, int low)
{
	int64_t place = 0;

	while (place < n)
	{
		int64_t middle = place + (n - place) / 2;

		if (buckets[items[middle]] < low)
			place = middle + 1;
		else
			n = middle;
	}
	return place;
}

INLINE void
apply_user(const RmlDescent *d, int32_t visit, int32_t place, int64_t at, int low, int high, int m)
{
	const RmlFactors *factors = d->factors;
	const uint8_t *buckets = d->tour.buckets;
	const int64_t start = d->tour.starts[visit];
	const int64_t n = d->tour.starts[visit + 1] - start;
	const int32_t *items = d->tour.items + start;
	const size_t s = (size_t) factors->s;
	const Lanes *y_change = (const Lanes *) (d->changes.y + (size_t) place * s);
	const bool implicit = factors->y != NULL;
	const float decay = implicit ? d->changes.decay[place] : 0;

	for (int64_t r = first_from(buckets, items, n, low); r < n && buckets[items[r]] < high; r++)
	{
		const size_t item = (size_t) items[r];
		const Lanes *change = (const Lanes *) (d->changes.q + (size_t) (at + r) * s);
		Lanes *q = (Lanes *) (factors->q + item * s);

		for (int k = 0; k < m; k++)
			q[k] = d->qi.shrink * q[k] + change[k];
		if (d->biased)
			factors->bi[item] = d->bi.shrink * factors->bi[item] + d->changes.bi[at + r];
		if (implicit)
		{
			Lanes *y = (Lanes *) (factors->y + item * s);

			for (int k = 0; k < m; k++)
				y[k] = decay * y[k] + y_change[k];
		}
	}
}

INLINE void
apply_users(const RmlDescent *d, int32_t first, int32_t last, int low, int high, int m)
{
	for (int32_t visit = first; visit < last; visit++)
		apply_user(d, visit, visit - first, d->tour.starts[visit] - d->tour.starts[first], low,
				   high, m);
}

CLONES void
rml_svdpp_apply(const RmlDescent *descent, int32_t first, int32_t last, int low, int high)
{
	int m = descent->factors->s / RML_LANES;

	switch (m)
	{
		case 1:
			apply_users(descent, first, last, low, high, 1);
			break;
		case 2:
			apply_users(descent, first, last, low, high, 2);
			break;
		case 3:
			apply_users(descent, first, last, low, high, 3);
			break;
		case 4:
			apply_users(descent, first, last, low, high, 4);
			break;
		default:
			apply_users(descent, first, last, low, high, m);
	}
}
