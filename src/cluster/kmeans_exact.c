/*
 * kmeans_exact.c
 *	  From the labels of the float4 iterations to the result, in float8.
 *
 * Centroids become the means of the float8 rows, and then every row gets the label that
 * rml_kmeans_predict gives it.  Most rows need no float8 for that: the two smallest float4
 * distances differ by more than what float4 can have wrong, which is bounded here, so only rows
 * near a boundary are asked again.  When Lloyd's iteration ended because no label changed, the
 * two steps are repeated until that is true in float8 as well.
 */
#include <math.h>
#include <string.h>

#include "kmeans_internal.h"

/* rounding to nearest of a float4 */
#define FLOAT4_UNIT 5.9604644775390625e-8f

/*
 * Sums are made in this many parts at most, and a part is worth its memory only where it holds
 * many times k rows
 */
#define MOST_PARTS 32
#define ROWS_PER_CENTROID 64

/* values a part adds up between two polls */
#define VALUES_PER_STEP 100000

/* ---- means ---- */

typedef struct Means
{
	const RmlKmeansRun *run;
	int64_t		parts;
	int64_t		part_rows;
	int64_t		step_rows;
	int64_t		step;			/* how far each part has come */
	double	   *sums;			/* [parts][k x d] of (x - mean) * scale */
} Means;

static int64_t
count_parts(int64_t n, int64_t k)
{
	int64_t		parts = n / (k * ROWS_PER_CENTROID);

	return parts < 1 ? 1 : parts > MOST_PARTS ? MOST_PARTS : parts;
}

/* the next step of a part: rows in order, so the sum does not depend on who makes it */
static void
sum_part(void *context, int64_t part, int thread)
{
	const Means *means = context;
	const RmlKmeansRun *run = means->run;
	const RmlKmeansPoints *points = run->points;
	const int	d = points->d;
	const int64_t part_end = rml_block_end(part, means->part_rows, points->n);
	int64_t		start = part * means->part_rows + means->step * means->step_rows;
	int64_t		end = start + means->step_rows < part_end ? start + means->step_rows : part_end;
	double	   *sums = means->sums + (size_t) part * run->k * d;

	(void) thread;
	for (int64_t i = start; i < end; i++)
	{
		const double *restrict x = points->x + i * d;
		double	   *restrict sum = sums + (size_t) run->labels[i] * d;

		for (int j = 0; j < d; j++)
			sum[j] += (x[j] - points->mean[j]) * points->scale;
	}
}

/* means of the rows of each cluster, in the caller's units; an empty cluster keeps its centroid */
static void
find_means(RmlKmeansRun *run, RmlKmeans *out)
{
	const RmlKmeansPoints *points = run->points;
	const size_t values = (size_t) run->k * points->d;
	Means		means = {.run = run, .parts = count_parts(points->n, run->k)};

	means.part_rows = rml_blocks(points->n, means.parts);
	means.step_rows = 1 + VALUES_PER_STEP / points->d;
	means.sums = RML_NEW_ZERO(points->env, double, (size_t) means.parts * values);
	for (; means.step * means.step_rows < means.part_rows; means.step++)
		rml_parallel(points->env, means.parts, sum_part, &means);
	for (size_t i = values; i < (size_t) means.parts * values; i++)
		means.sums[i % values] += means.sums[i];
	for (size_t i = 0; i < values; i++)
	{
		int64_t		size = out->sizes[i / points->d];
		int			j = (int) (i % points->d);

		if (size > 0)
			out->centroids[i] = points->mean[j] + means.sums[i] / (double) size / points->scale;
	}
	rml_release(points->env, means.sums);
}

/* ---- assignment ---- */

typedef struct Exact
{
	RmlKmeansRun *run;
	const RmlKmeans *model;
	int64_t		block_rows;
	double	   *inertia;		/* [blocks] */
	double	   *far;			/* [blocks] squared distance of the farthest row ... */
	int64_t    *far_row;		/* [blocks] ... and which it is */
} Exact;

/*
 * Is the nearest centre the nearest in float8 too?  With u the rounding unit, a float4 copy of x
 * is off by u |x| at most and a centre by u |c|, where |x| <= |c| + distance.  The sum of d
 * squares adds d + 2 roundings; by matrix product they are relative to (|x| + |c|)^2 instead.
 */
static bool
certain(const RmlKmeansPoints *points, float least, float second, float largest)
{
	const float roundings = (float) (points->d + 8);
	const float farther = sqrtf(second);
	const float nearer = sqrtf(least);
	const float both = farther + 2.0f * largest + 1e-18f;

	if (points->linalg != NULL)
		return second - least > 4.0f * FLOAT4_UNIT * roundings * both * both;
	return farther - nearer > 2.0f * FLOAT4_UNIT * (roundings * farther + 2.0f * both);
}

static double
scaled_square(const double *restrict x, const double *restrict centroid, int d, double scale)
{
	double		sum = 0.0;

	for (int j = 0; j < d; j++)
	{
		double		difference = (x[j] - centroid[j]) * scale;

		sum += difference * difference;
	}
	return sum;
}

/* label of a row, its share of the inertia, and whether it is the farthest so far */
static void
settle_row(Exact *exact, int64_t block, int64_t row, int32_t label, int thread)
{
	RmlKmeansRun *run = exact->run;
	const RmlKmeansPoints *points = run->points;
	const double *x = points->x + row * points->d;
	double		square = scaled_square(x, exact->model->centroids + (size_t) label * points->d,
									   points->d, points->scale);

	run->thread_changed[thread] += run->labels[row] != label;
	run->thread_counts[(size_t) thread * run->k + label]++;
	run->labels[row] = label;
	exact->inertia[block] += square;
	if (square > exact->far[block])
	{
		exact->far[block] = square;
		exact->far_row[block] = row;
	}
}

static void
exact_strip(Exact *exact, int64_t block, int64_t start, int64_t end, int thread)
{
	RmlKmeansRun *run = exact->run;
	const RmlKmeansPoints *points = run->points;
	RmlKmeansScratch *scratch = run->scratch + thread;
	int			picked = rml_kmeans_pick_all(points, start, end, scratch);

	rml_kmeans_nearest(points, start, picked, &run->centers, scratch);
	for (int i = 0; i < end - start; i++)
	{
		int32_t		label = scratch->nearest[i];

		if (!certain(points, scratch->least[i], scratch->second[i], run->centers.largest))
			label = rml_kmeans_predict(exact->model, points->x + (start + i) * points->d, NULL);
		settle_row(exact, block, start + i, label, thread);
	}
}

static void
exact_block(void *context, int64_t block, int thread)
{
	Exact	   *exact = context;
	const RmlKmeansPoints *points = exact->run->points;
	const int64_t block_end = rml_block_end(block, exact->block_rows, points->n);

	exact->inertia[block] = 0.0;
	exact->far[block] = -1.0;
	exact->far_row[block] = block * exact->block_rows;
	for (int64_t start = block * exact->block_rows; start < block_end; start += points->strip)
		exact_strip(exact, block, start,
					start + points->strip < block_end ? start + points->strip : block_end, thread);
}

/* the model's centroids as the iterations see them */
static void
load_centers(RmlKmeansRun *run, const RmlKmeans *model)
{
	const RmlKmeansPoints *points = run->points;

	for (int64_t i = 0; i < model->k * model->d; i++)
		run->centers.z[i] =
			(model->centroids[i] - points->mean[i % points->d]) * points->scale;
	rml_kmeans_centers_pack(&run->centers, points);
}

/* what blocks and threads found: sizes, inertia, the farthest row; returns the rows changed */
static int64_t
combine(const Exact *exact, int64_t blocks, RmlKmeans *out, int64_t *farthest)
{
	const RmlKmeansRun *run = exact->run;
	const double unscaled = 1.0 / run->points->scale;
	double		inertia = 0.0;
	int64_t		changed = 0,
				best = 0;

	for (int64_t block = 0; block < blocks; block++)
	{
		inertia += exact->inertia[block];
		if (exact->far[block] > exact->far[best])
			best = block;
	}
	*farthest = exact->far_row[best];
	out->inertia = inertia * unscaled * unscaled;
	memset(out->sizes, 0, (size_t) run->k * sizeof(int64_t));
	for (int thread = 0; thread < run->points->env->threads; thread++)
	{
		changed += run->thread_changed[thread];
		for (int c = 0; c < run->k; c++)
			out->sizes[c] += run->thread_counts[(size_t) thread * run->k + c];
	}
	return changed;
}

/* label every row with its nearest centroid; returns how many labels changed */
static int64_t
assign_exactly(RmlKmeansRun *run, RmlKmeans *out, int64_t *farthest)
{
	RmlEnv	   *env = run->points->env;
	Exact		exact = {.run = run, .model = out};
	int64_t		blocks,
				changed;

	exact.block_rows = rml_kmeans_block_rows(run->points, run->k);
	blocks = rml_blocks(run->points->n, exact.block_rows);
	exact.inertia = RML_NEW(env, double, (size_t) blocks);
	exact.far = RML_NEW(env, double, (size_t) blocks);
	exact.far_row = RML_NEW(env, int64_t, (size_t) blocks);
	memset(run->thread_counts, 0, (size_t) env->threads * run->k * sizeof(int64_t));
	memset(run->thread_changed, 0, (size_t) env->threads * sizeof(int64_t));
	load_centers(run, out);
	rml_release(env, out->packed);
	rml_kmeans_pack(env, out);
	rml_parallel(env, blocks, exact_block, &exact);
	changed = combine(&exact, blocks, out, farthest);
	rml_release(env, exact.inertia);
	rml_release(env, exact.far);
	rml_release(env, exact.far_row);
	return changed;
}

/* ---- the whole ---- */

static int
empty_cluster(const RmlKmeans *out)
{
	for (int c = 0; c < out->k; c++)
		if (out->sizes[c] == 0)
			return c;
	return -1;
}

static void
count_sizes(const RmlKmeansRun *run, RmlKmeans *out)
{
	memset(out->sizes, 0, (size_t) run->k * sizeof(int64_t));
	for (int64_t i = 0; i < run->points->n; i++)
		out->sizes[run->labels[i]]++;
}

/* an empty cluster takes the row farthest from its centroid; the inertia falls each time */
static int64_t
assign_and_fill(RmlKmeansRun *run, RmlKmeans *out)
{
	const size_t d = (size_t) run->points->d;
	int64_t		farthest;
	int64_t		changed = assign_exactly(run, out, &farthest);
	int			empty;

	while ((empty = empty_cluster(out)) >= 0)
	{
		memcpy(out->centroids + (size_t) empty * d, run->points->x + (size_t) farthest * d,
			   d * sizeof(double));
		changed += assign_exactly(run, out, &farthest);
	}
	return changed;
}

void
rml_kmeans_exact(RmlKmeansRun *run, int64_t max_iter, bool labelled, RmlKmeans *out)
{
	int64_t		iteration = run->n_iter;
	int64_t		changed;

	if (!labelled)
		assign_and_fill(run, out);
	else
		count_sizes(run, out);
	for (;;)
	{
		find_means(run, out);
		changed = assign_and_fill(run, out);
		if (changed == 0 || !run->strict || iteration >= max_iter)
			break;
		iteration++;
	}
	out->n_iter = iteration;
	out->converged = changed == 0 || (run->converged && !run->strict);
}

size_t
rml_kmeans_exact_bytes(int64_t n, int d, int64_t k, int threads)
{
	(void) threads;
	return (size_t) count_parts(n, k) * (size_t) k * (size_t) d * sizeof(double);
}
