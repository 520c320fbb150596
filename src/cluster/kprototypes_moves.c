/*
 * kprototypes_moves.c
 *	  Single rows change their cluster where that lowers the cost.
 *
 * Where Lloyd's iteration ends, every row is nearest to its own prototype.  Moving one row also moves
 * the prototypes it leaves and joins, and taking that into account there may still be something to gain
 * (J. A. Hartigan, Clustering Algorithms, 1975, chapter 4): a row x that leaves cluster a of n rows
 * with mean m takes n / (n - 1) |x - m|^2 with it, and brings n / (n + 1) |x - m|^2 to cluster b.  Of
 * categories the cost is gamma for each row that has not the mode, before and after.
 */
#include <math.h>

#include "kmeans_internal.h"

#define TILE RML_KMEANS_TILE

/* a gain below this share of the cost is rounding */
#define LEAST_GAIN 1e-10

static const int64_t *
codes_of(const RmlKmeansRun *run, int cluster, int feature, int32_t *n)
{
	const RmlKmeansPoints *points = run->points;
	int32_t begin = points->place[feature];

	*n = (feature + 1 < points->d_cat ? points->place[feature + 1] : points->sum_width) - begin;
	return run->sums + (size_t) cluster * points->sum_width + begin;
}

static int64_t
largest_count(const int64_t *counts, int32_t n)
{
	int64_t largest = 0;

	for (int32_t i = 0; i < n; i++)
		largest = counts[i] > largest ? counts[i] : largest;
	return largest;
}

/* how many more rows of a cluster have its modes when this row joins (1) or leaves (-1) */
static int64_t
more_matches(const RmlKmeansRun *run, int64_t row, int cluster, int change)
{
	const int32_t *codes = rml_kmeans_row_codes(run->points, row);
	int64_t more = 0;

	for (int f = 0; f < run->points->d_cat; f++)
	{
		int32_t n, code = codes[f * TILE];
		const int64_t *counts = codes_of(run, cluster, f, &n);
		int64_t before = largest_count(counts, n), after = 0;

		for (int32_t i = 0; i < n; i++)
		{
			int64_t count = counts[i] + (i == code ? change : 0);

			after = count > after ? count : after;
		}
		more += after - before;
	}
	return more;
}

/* what the cost changes when the row joins (1) or leaves (-1) the cluster */
static double
cost_change(const RmlKmeansRun *run, int64_t row, int cluster, int change)
{
	const RmlKmeansPoints *points = run->points;
	const double *z = run->centers.z + (size_t) cluster * points->width;
	const double n = (double) run->counts[cluster];
	int stride;
	const float *values = rml_kmeans_row(points, row, &stride);
	double square = 0.0;

	for (int j = 0; j < points->d; j++)
		square += (values[j * stride] - z[j]) * (values[j * stride] - z[j]);
	return change * n / (n + change) * square +
		   points->gamma *
			   (double) (change * points->d_cat - more_matches(run, row, cluster, change));
}

/* the cluster whose gain is largest, or the row's own */
static int32_t
better_cluster(const RmlKmeansRun *run, int64_t row, double least)
{
	int32_t own = run->labels[row], best = own;
	double lowest = -least, leaving;

	if (run->counts[own] < 2)
		return own;
	leaving = cost_change(run, row, own, -1);
	for (int32_t c = 0; c < run->k; c++)
	{
		double change = c == own ? 0.0 : leaving + cost_change(run, row, c, 1);

		if (change < lowest)
		{
			lowest = change;
			best = c;
		}
	}
	return best;
}

bool
rml_kprototypes_moves(RmlKmeansRun *run)
{
	const RmlKmeansPoints *points = run->points;
	bool moved = false;

	for (int64_t row = 0; row < points->n; row++)
	{
		int32_t from = run->labels[row];
		int32_t to = better_cluster(run, row, LEAST_GAIN * run->inertia);

		if (row % 256 == 0)
			rml_poll(points->env);
		if (to == from)
			continue;
		rml_kmeans_move_row(points, row, from, to, run->sums, run->counts);
		rml_kmeans_center_update(run, from);
		rml_kmeans_center_update(run, to);
		run->labels[row] = to;
		moved = true;
	}
	return moved;
}
