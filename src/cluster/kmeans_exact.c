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

/* distances whose squares are lost below the smallest float4 */
#define VANISHING 1e-18f

/*
 * Sums are made in this many parts at most, and a part is worth its memory only where it holds
 * many times k rows
 */
#define MOST_PARTS 32
#define ROWS_PER_CENTROID 64

/* values a part adds up, and labels that are looked at, between two polls */
#define VALUES_PER_STEP 100000
#define ROWS_PER_POLL 1000000

/* sums of differences as large as this scale says could overflow, so they are made small first */
#define SCALE_OF_HUGE 0x1p-900
#define FACTOR_OF_HUGE 0x1p-64

/* ---- means ---- */

typedef struct Means
{
	const RmlKmeansRun *run;
	int64_t *origins; /* [k] a row of each cluster, -1 for an empty one */
	double factor;
	int64_t parts;
	int64_t part_rows;
	int64_t step_rows;
	int64_t step;  /* how far each part has come */
	size_t stride; /* from one part's sums to the next one's */
	double *sums;  /* [parts][k x d] of (x - origin) * factor */
} Means;

static int64_t
count_parts(int64_t n, int64_t k)
{
	int64_t parts = n / (k * ROWS_PER_CENTROID);

	return parts < 1 ? 1 : parts > MOST_PARTS ? MOST_PARTS : parts;
}

/*
 * The first row of each cluster.  Sums of differences to a row of the cluster lose nothing to what
 * all rows of the cluster have in common, nor to what other clusters are like.
 */
static void
find_origins(const RmlKmeansRun *run, int64_t *origins)
{
	int found = 0;

	for (int c = 0; c < run->k; c++)
		origins[c] = -1;
	for (int64_t i = 0; i < run->points->n && found < run->k; i++)
	{
		if (origins[run->labels[i]] < 0)
		{
			origins[run->labels[i]] = i;
			found++;
		}
		if (i % ROWS_PER_POLL == 0)
			rml_poll(run->points->env);
	}
}

/* the next step of a part: rows in order, so the sum does not depend on who makes it */
static void
sum_part(void *context, int64_t part, int thread)
{
	const Means *means = context;
	const RmlKmeansRun *run = means->run;
	const RmlKmeansPoints *points = run->points;
	const int d = points->d;
	const int64_t part_end = rml_block_end(part, means->part_rows, points->n);
	int64_t start = part * means->part_rows + means->step * means->step_rows;
	int64_t end = start + means->step_rows < part_end ? start + means->step_rows : part_end;
	double *sums = means->sums + (size_t) part * means->stride;

	(void) thread;
	for (int64_t i = start; i < end; i++)
	{
		const double *restrict x = points->x + i * d;
		const double *restrict origin = points->x + means->origins[run->labels[i]] * d;
		double *restrict sum = sums + (size_t) run->labels[i] * d;

		for (int j = 0; j < d; j++)
			sum[j] += (x[j] - origin[j]) * means->factor;
	}
}

static void
sum_rows(Means *means)
{
	const RmlKmeansPoints *points = means->run->points;
	const size_t values = (size_t) means->run->k * points->d;

	means->part_rows = rml_blocks(points->n, means->parts);
	means->step_rows = 1 + VALUES_PER_STEP / points->width;
	for (; means->step * means->step_rows < means->part_rows; means->step++)
		rml_parallel(points->env, means->parts, sum_part, means);
	for (int64_t part = 1; part < means->parts; part++)
		for (size_t i = 0; i < values; i++)
			means->sums[i] += means->sums[(size_t) part * means->stride + i];
}

/* means of the rows of each cluster; an empty cluster keeps its centroid */
static void
find_means(RmlKmeansRun *run, RmlKmeans *out)
{
	const RmlKmeansPoints *points = run->points;
	const size_t d = (size_t) points->d;
	Means means = {.run = run, .parts = count_parts(points->n, run->k)};

	means.origins = RML_NEW(points->env, int64_t, (size_t) run->k);
	means.stride = (size_t) rml_block_stride((int64_t) run->k * points->d);
	means.sums = RML_NEW_ZERO(points->env, double, (size_t) means.parts *means.stride);
	means.factor = points->scale < SCALE_OF_HUGE ? FACTOR_OF_HUGE : 1.0;
	find_origins(run, means.origins);
	sum_rows(&means);
	for (size_t c = 0; c < (size_t) run->k; c++)
		for (size_t j = 0; means.origins[c] >= 0 && j < d; j++)
			out->centroids[c * d + j] =
				points->x[(size_t) means.origins[c] * d + j] +
				means.sums[c * d + j] / (double) out->sizes[c] / means.factor;
	rml_release(points->env, means.origins);
	rml_release(points->env, means.sums);
}

/* ---- modes ---- */

typedef struct Modes
{
	RmlKmeansRun *run;
	int64_t block_rows;
} Modes;

static void
count_block(void *context, int64_t block, int thread)
{
	const Modes *modes = context;
	const RmlKmeansRun *run = modes->run;
	const RmlKmeansPoints *points = run->points;
	int64_t *sums = run->scratch[thread].sums;
	const int64_t end = rml_block_end(block, modes->block_rows, points->n);

	for (int64_t row = block * modes->block_rows; row < end; row++)
		rml_kmeans_count_codes(points, row, sums + (size_t) run->labels[row] * points->sum_width,
							   1);
}

/* modes of the rows of each cluster; an empty cluster keeps its own */
static void
find_modes(RmlKmeansRun *run, RmlKmeans *out)
{
	const RmlKmeansPoints *points = run->points;
	Modes modes = {run, rml_kmeans_block_rows(points, 8)};

	if (points->d_cat == 0)
		return;
	rml_kmeans_scratch_clear(run->scratch, points, run->k);
	rml_parallel(points->env, rml_blocks(points->n, modes.block_rows), count_block, &modes);
	memset(run->sums, 0, (size_t) run->k * points->sum_width * sizeof(int64_t));
	rml_kmeans_add_threads(run);
	for (int c = 0; c < run->k; c++)
		if (out->sizes[c] > 0)
			rml_kmeans_modes(points, run->sums + (size_t) c * points->sum_width,
							 out->modes + (size_t) c * points->d_cat);
}

/* ---- assignment ---- */

typedef struct Exact
{
	RmlKmeansRun *run;
	const RmlKmeans *model;
	int64_t block_rows;
	double *inertia; /* [blocks] */
} Exact;

/*
 * Is the nearest centre the nearest in float8 too?  With u the rounding unit, a float4 copy of x
 * is off by u |x| at most and a centre by u |c|, where |x| <= |c| + distance.  The sum of d
 * squares adds d + 2 roundings; by matrix product they are relative to (|x| + |c|)^2 instead.
 */
static bool
certain(const RmlKmeansPoints *points, float least, float second, float largest)
{
	const float roundings = (float) (points->width + 8);
	const float farther = sqrtf(second);
	const float nearer = sqrtf(least);
	const float both = farther + 2.0f * largest;

	if (second > FLT_MAX)
		return true; /* there is no second centre */
	if (points->linalg != NULL)
		return second - least > 4.0f * FLOAT4_UNIT * roundings * both * both + FLT_MIN;
	return farther - nearer > 2.0f * FLOAT4_UNIT * (roundings * farther + 2.0f * both) + VANISHING;
}

/* the model's answer for one of the caller's rows */
static int32_t
predict_row(const RmlKmeansPoints *points, const RmlKmeans *model, int64_t row, double *distance)
{
	return rml_kmeans_predict_row(model, points->x + row * points->d,
								  points->given + row * points->d_cat, distance);
}

static double
square_distance(const double *restrict x, const double *restrict centroid, int d)
{
	double sum = 0.0;

	for (int j = 0; j < d; j++)
		sum += (x[j] - centroid[j]) * (x[j] - centroid[j]);
	return sum;
}

static double
mismatch_cost(const Exact *exact, int64_t row, int32_t label)
{
	const RmlKmeans *model = exact->model;
	const int d_cat = model->d_cat;
	const int32_t *codes = exact->run->points->given + row * d_cat;
	const int32_t *modes = model->modes + (size_t) label * d_cat;
	int mismatches = 0;

	for (int f = 0; f < d_cat; f++)
		mismatches += codes[f] != modes[f];
	return d_cat > 0 ? model->gamma * mismatches : 0.0;
}

/* a row's label; returns its share of the inertia */
static double
settle_row(const Exact *exact, int64_t row, int32_t label, RmlKmeansScratch *scratch)
{
	RmlKmeansRun *run = exact->run;
	const int d = run->points->d;

	scratch->counts[label]++;
	if (run->labels[row] != label)
	{
		scratch->changed++;
		run->labels[row] = label;
	}
	return square_distance(run->points->x + row * d, exact->model->centroids + (size_t) label * d,
						   d) +
		   mismatch_cost(exact, row, label);
}

/* labels of the rows of a strip; returns their inertia */
static double
exact_strip(const Exact *exact, int64_t start, int64_t end, int thread)
{
	RmlKmeansRun *run = exact->run;
	const RmlKmeansPoints *points = run->points;
	RmlKmeansScratch *scratch = run->scratch + thread;
	int picked = rml_kmeans_pick_all(points, start, end, scratch);
	double inertia = 0.0;

	rml_kmeans_nearest(points, start, picked, &run->centers, scratch);
	for (int i = 0; i < end - start; i++)
	{
		int32_t label = scratch->nearest[i];

		if (!certain(points, scratch->least[i], scratch->second[i], run->centers.largest))
			label = predict_row(points, exact->model, start + i, NULL);
		inertia += settle_row(exact, start + i, label, scratch);
	}
	return inertia;
}

static void
exact_block(void *context, int64_t block, int thread)
{
	const Exact *exact = context;
	const RmlKmeansPoints *points = exact->run->points;
	const int64_t block_end = rml_block_end(block, exact->block_rows, points->n);
	double inertia = 0.0;

	for (int64_t start = block * exact->block_rows; start < block_end; start += points->strip)
	{
		int64_t end = start + points->strip < block_end ? start + points->strip : block_end;

		inertia += exact_strip(exact, start, end, thread);
	}
	exact->inertia[block] = inertia;
}

/* the model's centroids as the iterations see them */
static void
load_centers(RmlKmeansRun *run, const RmlKmeans *model)
{
	const RmlKmeansPoints *points = run->points;

	for (int64_t c = 0; c < model->k; c++)
	{
		double *z = run->centers.z + c * points->width;

		for (int j = 0; j < points->d; j++)
			z[j] = (model->centroids[c * points->d + j] - points->mean[j]) * points->scale;
		for (int f = 0; f < points->d_cat; f++)
			z[points->d + f] = model->modes[c * points->d_cat + f];
	}
	rml_kmeans_centers_pack(&run->centers, points);
}

/* sizes and inertia of what blocks and threads found; returns the rows changed */
static int64_t
combine(const Exact *exact, int64_t blocks, RmlKmeans *out)
{
	const RmlKmeansRun *run = exact->run;
	int64_t changed = 0;

	out->inertia = 0.0;
	for (int64_t block = 0; block < blocks; block++)
		out->inertia += exact->inertia[block];
	memset(out->sizes, 0, (size_t) run->k * sizeof(int64_t));
	for (int thread = 0; thread < run->points->env->threads; thread++)
	{
		changed += run->scratch[thread].changed;
		for (int c = 0; c < run->k; c++)
			out->sizes[c] += run->scratch[thread].counts[c];
	}
	return changed;
}

/* label every row with its nearest centroid; returns how many labels changed */
static int64_t
assign_exactly(RmlKmeansRun *run, RmlKmeans *out)
{
	RmlEnv *env = run->points->env;
	Exact exact = {.run = run, .model = out};
	int64_t blocks, changed;

	exact.block_rows = rml_kmeans_block_rows(run->points, run->k);
	blocks = rml_blocks(run->points->n, exact.block_rows);
	exact.inertia = RML_NEW(env, double, (size_t) blocks);
	rml_kmeans_scratch_clear(run->scratch, run->points, run->k);
	load_centers(run, out);
	rml_kmeans_pack(env, out);
	rml_parallel(env, blocks, exact_block, &exact);
	changed = combine(&exact, blocks, out);
	rml_release(env, exact.inertia);
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
	{
		out->sizes[run->labels[i]]++;
		if (i % ROWS_PER_POLL == 0)
			rml_poll(run->points->env);
	}
}

/* the row farthest from its centroid; distances here neither overflow nor vanish */
static int64_t
farthest_row(const RmlKmeansRun *run, const RmlKmeans *model)
{
	const RmlKmeansPoints *points = run->points;
	double farthest = -1.0;
	int64_t row = 0;

	for (int64_t i = 0; i < points->n; i++)
	{
		double distance;

		predict_row(points, model, i, &distance);
		if (distance > farthest)
		{
			farthest = distance;
			row = i;
		}
		if (i % (1 + VALUES_PER_STEP / points->width / model->k) == 0)
			rml_poll(points->env);
	}
	return row;
}

void
rml_kmeans_center_at(const RmlKmeansPoints *points, int64_t row, RmlKmeans *out, int cluster)
{
	const size_t d = (size_t) points->d, d_cat = (size_t) points->d_cat;

	memcpy(out->centroids + cluster * d, points->x + row * d, d * sizeof(double));
	for (size_t f = 0; f < d_cat; f++)
		out->modes[cluster * d_cat + f] = points->given[row * d_cat + f];
}

/*
 * An empty cluster takes the row farthest from its centroid, one after the other.  The float4
 * iterations leave none empty where they can tell rows apart, so this is for the rest.
 */
static int64_t
assign_and_fill(RmlKmeansRun *run, RmlKmeans *out)
{
	int64_t changed = assign_exactly(run, out);
	int empty;

	/* differences of the smallest float8 are too small for a distance: do not try for ever */
	for (int tries = 0; tries < run->k && (empty = empty_cluster(out)) >= 0; tries++)
	{
		rml_kmeans_center_at(run->points, farthest_row(run, out), out, empty);
		changed += assign_exactly(run, out);
	}
	return changed;
}

void
rml_kmeans_exact(RmlKmeansRun *run, int64_t more_iter, bool labelled, RmlKmeans *out)
{
	int64_t iteration = 0;
	int64_t changed;

	if (labelled)
		count_sizes(run, out);
	else
		assign_and_fill(run, out);
	for (;;)
	{
		find_means(run, out);
		find_modes(run, out);
		changed = assign_and_fill(run, out);
		if (changed == 0 || !run->strict || iteration >= more_iter)
			break;
		iteration++;
	}
	out->n_iter = run->n_iter + iteration;
	out->converged = changed == 0 || (run->converged && !run->strict);
}

size_t
rml_kmeans_exact_bytes(const RmlKmeansShape *shape, int64_t n, int64_t k)
{
	return (size_t) count_parts(n, k) * (size_t) rml_block_stride(k * shape->d) * sizeof(double);
}
