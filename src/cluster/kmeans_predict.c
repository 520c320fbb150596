/*
 * kmeans_predict.c
 *	  The nearest centroid of one row: the per-row cost of scoring, and the last word on labels
 *	  of a fit.
 *
 * Centroids are packed in groups of eight so that eight squared distances grow in one register,
 * each summed over features in order: the same bits on every vector width.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans_internal.h"

#define GROUP 8

/* eight float8 side by side; arena memory is aligned to 16 only */
typedef double Lanes __attribute__((vector_size(GROUP * sizeof(double)), aligned(16)));
typedef int32_t CodeLanes __attribute__((vector_size(GROUP * sizeof(int32_t)), aligned(16)));

typedef struct Place
{
	const RmlKmeans *kmeans;
	int32_t cluster;
} Place;

static int
compare_places(const void *left, const void *right)
{
	const Place *a = left, *b = right;
	const RmlKmeans *kmeans = a->kmeans;
	const size_t d = (size_t) kmeans->d, d_cat = (size_t) kmeans->d_cat;
	const double *x = kmeans->centroids + a->cluster * d, *y = kmeans->centroids + b->cluster * d;
	const int32_t *p = kmeans->modes + a->cluster * d_cat, *q = kmeans->modes + b->cluster * d_cat;

	for (size_t j = 0; j < d; j++)
		if (x[j] != y[j])
			return x[j] < y[j] ? -1 : 1;
	for (size_t f = 0; f < d_cat; f++)
		if (p[f] != q[f])
			return p[f] < q[f] ? -1 : 1;
	return (a->cluster > b->cluster) - (a->cluster < b->cluster);
}

static void
order_places(RmlEnv *env, RmlKmeans *kmeans)
{
	const size_t k = (size_t) kmeans->k;
	Place *places = RML_NEW(env, Place, k);

	for (size_t i = 0; i < k; i++)
		places[i] = (Place){kmeans, (int32_t) i};
	qsort(places, k, sizeof(Place), compare_places);
	rml_release(env, kmeans->places);
	kmeans->places = RML_NEW(env, int32_t, k);
	for (size_t i = 0; i < k; i++)
		kmeans->places[i] = places[i].cluster;
	rml_release(env, places);
}

static void
pack_modes(RmlEnv *env, RmlKmeans *kmeans, size_t groups)
{
	size_t d_cat = (size_t) kmeans->d_cat;

	/* no code is -1 */
	rml_release(env, kmeans->packed_modes);
	kmeans->packed_modes = RML_NEW(env, int32_t, groups * GROUP * d_cat);
	memset(kmeans->packed_modes, -1, groups * GROUP * d_cat * sizeof(int32_t));
	for (size_t i = 0; i < (size_t) kmeans->k; i++)
		for (size_t f = 0; f < d_cat; f++)
			kmeans->packed_modes[i / GROUP * GROUP * d_cat + f * GROUP + i % GROUP] =
				kmeans->modes[(size_t) kmeans->places[i] * d_cat + f];
}

void
rml_kmeans_pack(RmlEnv *env, RmlKmeans *kmeans)
{
	size_t d = (size_t) kmeans->d;
	size_t groups = ((size_t) kmeans->k + GROUP - 1) / GROUP;

	order_places(env, kmeans);
	rml_release(env, kmeans->packed);
	/* what fills the last group is infinitely far away */
	kmeans->packed = RML_NEW(env, double, groups *GROUP *d);
	for (size_t i = 0; i < groups * GROUP * d; i++)
		kmeans->packed[i] = INFINITY;
	for (size_t i = 0; i < (size_t) kmeans->k; i++)
		for (size_t j = 0; j < d; j++)
			kmeans->packed[i / GROUP * GROUP * d + j * GROUP + i % GROUP] =
				kmeans->centroids[(size_t) kmeans->places[i] * d + j];
	pack_modes(env, kmeans, groups);
}

/*
 * Euclidean distance where a plain sum of squares would overflow or vanish: differences are
 * scaled by a power of two first.
 */
static double
scaled_distance(const double *x, const double *centroid, int d)
{
	double largest = 0.0, sum = 0.0;
	int exponent;

	for (int j = 0; j < d; j++)
		largest = fmax(largest, fabs(x[j] * 0.25 - centroid[j] * 0.25));
	frexp(largest, &exponent);
	for (int j = 0; j < d; j++)
	{
		double difference = ldexp(x[j] * 0.25 - centroid[j] * 0.25, -exponent);

		sum += difference * difference;
	}
	return ldexp(sqrt(sum), exponent + 2);
}

static int
nearest_scaled(const RmlKmeans *kmeans, const double *x, double *distance)
{
	double least = INFINITY;
	int best = 0;

	for (int64_t i = 0; i < kmeans->k; i++)
	{
		const int32_t c = kmeans->places[i];
		double current = scaled_distance(x, kmeans->centroids + (size_t) c * kmeans->d, kmeans->d);

		if (current < least)
		{
			least = current;
			best = c;
		}
	}
	if (distance != NULL)
		*distance = least;
	return best;
}

/* squared distances of x to the eight centroids of a group [d x 8] */
#define GROUP_DISTANCES(sum, x, group, d) \
	do \
	{ \
		for (int j_ = 0; j_ < (d); j_++) \
		{ \
			Lanes difference_ = (x)[j_] - *(const Lanes *) ((group) + j_ * GROUP); \
			(sum) += difference_ * difference_; \
		} \
	} while (0)

/* the smaller of two candidates, each a value and an index; the first where they are equal */
#define NEARER(value, index, v1, i1, v2, i2) \
	const bool index##_second = (v2) < (v1); \
	const double value = index##_second ? (v2) : (v1); \
	const int index = index##_second ? (i2) : (i1)

/*
 * Which of eight squares is the smallest: a tournament, all of it conditional moves, since which
 * centroid is nearest is what a branch predictor cannot know.
 */
static inline __attribute__((always_inline)) int
smallest(const double s[GROUP], double *least)
{
	NEARER(v01, i01, s[0], 0, s[1], 1);
	NEARER(v23, i23, s[2], 2, s[3], 3);
	NEARER(v45, i45, s[4], 4, s[5], 5);
	NEARER(v67, i67, s[6], 6, s[7], 7);
	NEARER(v03, i03, v01, i01, v23, i23);
	NEARER(v47, i47, v45, i45, v67, i67);
	NEARER(v07, i07, v03, i03, v47, i47);

	*least = v07;
	return i07;
}

/* adds gamma for each of codes [d_cat] that differs from a mode of a group [d_cat x 8] */
static inline __attribute__((always_inline)) void
add_mismatches(Lanes *sum, const int32_t *codes, const int32_t *modes, int d_cat, double gamma)
{
	CodeLanes mismatches = {0};

	for (int f = 0; f < d_cat; f++)
		mismatches -= codes[f] != *(const CodeLanes *) (modes + f * GROUP);
	*sum += gamma * __builtin_convertvector(mismatches, Lanes);
}

/* is a sum of squares too large to trust, or, without categories, too small? */
static inline bool
out_of_range(double square, int d_cat)
{
	return !(square < RML_KMEANS_LARGEST_SQUARE &&
			 (square > RML_KMEANS_SMALLEST_SQUARE || d_cat > 0));
}

static inline __attribute__((always_inline)) int
nearest(const RmlKmeans *kmeans, const double *x, const int32_t *codes, int d_cat, double *distance)
{
	const int d = kmeans->d;
	const int k = (int) kmeans->k;
	double least = INFINITY;
	int best = 0;

	for (int first = 0; first < k; first += GROUP)
	{
		union
		{
			Lanes lanes;
			double values[GROUP];
		} sum = {.values = {0}};
		double square;
		int lane;

		GROUP_DISTANCES(sum.lanes, x, kmeans->packed + (size_t) first * d, d);
		if (d_cat > 0)
			add_mismatches(&sum.lanes, codes, kmeans->packed_modes + (size_t) first * d_cat, d_cat,
						   kmeans->gamma);
		lane = smallest(sum.values, &square);
		if (square < least)
		{
			least = square;
			best = first + lane;
		}
	}
	if (out_of_range(least, d_cat))
		return nearest_scaled(kmeans, x, distance);
	if (distance != NULL)
		*distance = sqrt(least);
	return kmeans->places[best];
}

RML_KMEANS_CLONES int
rml_kmeans_predict(const RmlKmeans *kmeans, const double *x, double *distance)
{
	return nearest(kmeans, x, NULL, 0, distance);
}

RML_KMEANS_CLONES static int
nearest_mixed(const RmlKmeans *kmeans, const double *x, const int32_t *codes, double *distance)
{
	return nearest(kmeans, x, codes, kmeans->d_cat, distance);
}

int
rml_kmeans_predict_row(const RmlKmeans *kmeans, const double *x, const int32_t *codes,
					   double *distance)
{
	if (kmeans->d_cat == 0)
		return rml_kmeans_predict(kmeans, x, distance);
	return nearest_mixed(kmeans, x, codes, distance);
}
