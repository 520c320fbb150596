/*
 * kmeans_predict.c
 *	  The nearest centroid of one row: the per-row cost of scoring, and the last word on labels
 *	  of a fit.
 *
 * Centroids are packed in groups of eight so that eight squared distances grow in one register,
 * each summed over features in order: the same bits on every vector width.
 */
#include <math.h>

#include "kmeans_internal.h"

#define GROUP 8

/* eight float8 side by side; arena memory is aligned to 16 only */
typedef double Lanes __attribute__((vector_size(GROUP * sizeof(double)), aligned(16)));

void
rml_kmeans_pack(RmlEnv *env, RmlKmeans *kmeans)
{
	size_t d = (size_t) kmeans->d;
	size_t groups = ((size_t) kmeans->k + GROUP - 1) / GROUP;

	/* what fills the last group is infinitely far away */
	kmeans->packed = RML_NEW(env, double, groups *GROUP *d);
	for (size_t i = 0; i < groups * GROUP * d; i++)
		kmeans->packed[i] = INFINITY;
	for (size_t c = 0; c < (size_t) kmeans->k; c++)
		for (size_t j = 0; j < d; j++)
			kmeans->packed[c / GROUP * GROUP * d + j * GROUP + c % GROUP] =
				kmeans->centroids[c * d + j];
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

	for (int64_t c = 0; c < kmeans->k; c++)
	{
		double current = scaled_distance(x, kmeans->centroids + c * kmeans->d, kmeans->d);

		if (current < least)
		{
			least = current;
			best = (int) c;
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

RML_KMEANS_CLONES int
rml_kmeans_predict(const RmlKmeans *kmeans, const double *x, double *distance)
{
	const int d = kmeans->d;
	const int k = (int) kmeans->k;
	const double *group = kmeans->packed;
	double least = INFINITY;
	int best = 0;

	for (int first = 0; first < k; first += GROUP, group += (size_t) GROUP * d)
	{
		union
		{
			Lanes lanes;
			double values[GROUP];
		} sum = {.values = {0}};
		double square;
		int lane;

		GROUP_DISTANCES(sum.lanes, x, group, d);
		lane = smallest(sum.values, &square);
		if (square < least)
		{
			least = square;
			best = first + lane;
		}
	}
	if (!(least < RML_KMEANS_LARGEST_SQUARE && least > RML_KMEANS_SMALLEST_SQUARE))
		return nearest_scaled(kmeans, x, distance);
	if (distance != NULL)
		*distance = sqrt(least);
	return best;
}
