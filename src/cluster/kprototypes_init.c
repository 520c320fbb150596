/*
 * kprototypes_init.c
 *	  First centres by density and distance (Cao 2009), or by frequency (Huang 1998).
 *
 * Both are stated for categories alone; here rows may have numbers as well, and the distance is
 * that of k-prototypes.  Without numbers they are what the papers say.
 *
 * Cao, Liang and Bai: the density of a row is the mean, over the categorical features, of how
 * frequent its category is.  The first centre is the densest row (of equally dense ones, the
 * nearest to the mean), each further centre the row with the largest product of density and
 * distance to the nearest centre so far.  Nothing is drawn.
 *
 * Huang: each centre is put together of categories drawn by their frequency, feature by feature, and
 * the numbers of a row drawn at random; then the nearest row that is not taken takes its place.
 */
#include <math.h>
#include <string.h>

#include "kmeans_internal.h"

#define STRIP RML_KMEANS_STRIP
#define TILE RML_KMEANS_TILE

/* the row with the largest score, found by blocks */
typedef struct Search
{
	RmlKmeansRun *run;
	RmlKmeansCenters center; /* the one centre rows are compared with */
	int64_t block_rows;
	int64_t blocks;
	double *scores; /* [blocks] the best of each block */
	int64_t *rows;  /* [blocks] and whose it is */
	float *density; /* [n] of Cao's rows */
} Search;

static void
search_begin(Search *search, RmlKmeansRun *run)
{
	const RmlKmeansPoints *points = run->points;

	*search = (Search){.run = run, .block_rows = rml_kmeans_block_rows(points, 8)};
	search->blocks = rml_blocks(points->n, search->block_rows);
	rml_kmeans_centers_make(&search->center, points, 1);
	search->scores = RML_NEW(points->env, double, (size_t) search->blocks);
	search->rows = RML_NEW(points->env, int64_t, (size_t) search->blocks);
	search->density = RML_NEW(points->env, float, (size_t) points->n);
}

static void
search_end(Search *search)
{
	RmlEnv *env = search->run->points->env;

	rml_kmeans_centers_release(&search->center, env);
	rml_release(env, search->scores);
	rml_release(env, search->rows);
	rml_release(env, search->density);
}

/* the first of the best rows, -1 when no score is above least */
static int64_t
search_rows(Search *search, RmlBlockFn block_fn, double least)
{
	const RmlKmeansPoints *points = search->run->points;
	int64_t best = -1;

	rml_kmeans_centers_pack(&search->center, points);
	rml_parallel(points->env, search->blocks, block_fn, search);
	for (int64_t block = 0; block < search->blocks; block++)
		if (search->scores[block] > least)
		{
			least = search->scores[block];
			best = search->rows[block];
		}
	return best;
}

/* squared distances of a strip's rows to the centre */
static const float *
strip_distances(const Search *search, int64_t start, int64_t end, int thread)
{
	const RmlKmeansPoints *points = search->run->points;
	RmlKmeansScratch *scratch = search->run->scratch + thread;
	int picked = rml_kmeans_pick_all(points, start, end, scratch);

	rml_kmeans_distances(points, start, picked, &search->center, scratch);
	return scratch->table;
}

static void
consider(Search *search, int64_t block, int64_t row, double score)
{
	if (score > search->scores[block])
	{
		search->scores[block] = score;
		search->rows[block] = row;
	}
}

/* ---- Cao ---- */

/* rows with each code, as sums of a cluster of all rows */
static int64_t *
count_all(const RmlKmeansPoints *points)
{
	int64_t *sums = RML_NEW_ZERO(points->env, int64_t, (size_t) points->sum_width);

	for (int64_t row = 0; row < points->n; row++)
	{
		rml_kmeans_count_codes(points, row, sums, 1);
		if (row % (1 + 1000000 / points->width) == 0)
			rml_poll(points->env);
	}
	return sums;
}

static void
find_densities(Search *search)
{
	const RmlKmeansPoints *points = search->run->points;
	const double share = 1.0 / ((double) points->n * points->d_cat);
	int64_t *sums = count_all(points);

	for (int64_t row = 0; row < points->n; row++)
	{
		const int32_t *codes = rml_kmeans_row_codes(points, row);
		int64_t frequency = 0;

		for (int f = 0; f < points->d_cat; f++)
			frequency += sums[points->place[f] + codes[f * TILE]];
		search->density[row] = (float) ((double) frequency * share);
		if (row % (1 + 1000000 / points->width) == 0)
			rml_poll(points->env);
	}
	rml_release(points->env, sums);
}

/* the densest row, and of those that are equal the one with the shortest z */
static void
densest_block(void *context, int64_t block, int thread)
{
	Search *search = context;
	const RmlKmeansPoints *points = search->run->points;
	const int64_t end = rml_block_end(block, search->block_rows, points->n);
	double shortest = INFINITY;

	(void) thread;
	search->scores[block] = -1.0;
	for (int64_t row = block * search->block_rows; row < end; row++)
	{
		double density = search->density[row];
		double square = rml_kmeans_row_square(points, row);

		if (density > search->scores[block] ||
			(density == search->scores[block] && square < shortest))
		{
			search->scores[block] = density;
			search->rows[block] = row;
			shortest = square;
		}
	}
}

static void
farthest_block(void *context, int64_t block, int thread)
{
	Search *search = context;
	const RmlKmeansPoints *points = search->run->points;
	float *least = search->run->bound;
	const int64_t block_end = rml_block_end(block, search->block_rows, points->n);

	search->scores[block] = 0.0;
	for (int64_t start = block * search->block_rows; start < block_end; start += points->strip)
	{
		int64_t end = start + points->strip < block_end ? start + points->strip : block_end;
		const float *distances = strip_distances(search, start, end, thread);

		for (int64_t row = start; row < end; row++)
		{
			least[row] = fminf(least[row], distances[row - start]);
			consider(search, block, row, (double) least[row] * search->density[row]);
		}
	}
}

/* the densest row of all blocks; ties as within a block */
static int64_t
densest_row(Search *search)
{
	const RmlKmeansPoints *points = search->run->points;
	int64_t best;

	rml_parallel(points->env, search->blocks, densest_block, search);
	best = 0;
	for (int64_t block = 1; block < search->blocks; block++)
		if (search->scores[block] > search->scores[best] ||
			(search->scores[block] == search->scores[best] &&
			 rml_kmeans_row_square(points, search->rows[block]) <
				 rml_kmeans_row_square(points, search->rows[best])))
			best = block;
	return search->rows[best];
}

bool
rml_kprototypes_cao(RmlKmeansRun *run)
{
	const RmlKmeansPoints *points = run->points;
	const size_t width = (size_t) points->width;
	Search search;
	int64_t row;
	int c = 0;

	search_begin(&search, run);
	find_densities(&search);
	for (int64_t i = 0; i < points->n; i++)
		run->bound[i] = INFINITY;
	for (row = densest_row(&search); row >= 0; row = search_rows(&search, farthest_block, 0.0))
	{
		rml_kmeans_row_copy(points, row, search.center.z);
		memcpy(run->centers.z + c * width, search.center.z, width * sizeof(double));
		if (++c == run->k)
			break;
	}
	search_end(&search);
	return c == run->k;
}

/* ---- Huang ---- */

static void
nearest_block(void *context, int64_t block, int thread)
{
	Search *search = context;
	const RmlKmeansPoints *points = search->run->points;
	const int64_t block_end = rml_block_end(block, search->block_rows, points->n);

	search->scores[block] = -INFINITY;
	for (int64_t start = block * search->block_rows; start < block_end; start += points->strip)
	{
		int64_t end = start + points->strip < block_end ? start + points->strip : block_end;
		const float *distances = strip_distances(search, start, end, thread);

		for (int64_t row = start; row < end; row++)
			if (search->run->labels[row] == 0)
				consider(search, block, row, -(double) distances[row - start]);
	}
}

/* numbers of one random row, and each category of another */
static void
draw_prototype(const RmlKmeansPoints *points, uint64_t seed, uint64_t stream, uint64_t index,
			   double *z)
{
	const uint64_t n = (uint64_t) points->n;

	rml_kmeans_row_copy(points, (int64_t) rml_rng_below(seed, stream, index, n), z);
	for (int f = 0; f < points->d_cat; f++)
	{
		int64_t row = (int64_t) rml_rng_below(seed, stream, index + 1 + (uint64_t) f, n);

		z[points->d + f] = rml_kmeans_row_codes(points, row)[f * TILE];
	}
}

/* labels mark the rows that are taken */
void
rml_kprototypes_huang(RmlKmeansRun *run, uint64_t seed, uint64_t stream)
{
	const RmlKmeansPoints *points = run->points;
	Search search;

	search_begin(&search, run);
	memset(run->labels, 0, (size_t) points->n * sizeof(int32_t));
	for (int c = 0; c < run->k; c++)
	{
		int64_t row;

		draw_prototype(points, seed, stream, (uint64_t) c * (uint64_t) (1 + points->d_cat),
					   search.center.z);
		row = search_rows(&search, nearest_block, -INFINITY);
		run->labels[row] = 1;
		rml_kmeans_row_copy(points, row, run->centers.z + (size_t) c * points->width);
	}
	search_end(&search);
}

size_t
rml_kprototypes_init_bytes(int64_t n)
{
	return (size_t) n * sizeof(float) + (size_t) n / TILE * 2 * sizeof(double);
}
