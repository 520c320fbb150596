/*
 * kmeans_lloyd.c
 *	  Lloyd's iteration on the float4 rows, with bounds.
 *
 * Sums.  A cluster's sum is kept from iteration to iteration and only rows that change their
 * cluster are moved.  Values are added as fixed-point integers of 64 bits: integer addition has
 * no rounding, so any order of rows, and any number of threads with sums of their own, gives the
 * same bits, and a sum that has seen a thousand moves equals one made afresh.
 *
 * Bounds (Hamerly 2010, with upper and lower bound folded into one number).  When row i was last
 * compared with all centres, gap_i = |x - second nearest| - |x - nearest|.  A centre that moves
 * by m changes a distance by m at most, so each iteration takes m(own) + max m(others) from the
 * gap, and while it stays positive the row cannot change its cluster.
 */
#include <math.h>
#include <string.h>

#include "kmeans_internal.h"

/* rounding of a float4 distance, relative, for each feature it sums */
#define DISTANCE_ROUNDING 1.2e-7f

/* when a run that has to get below a target is given up */
#define HOPE_ITERATIONS 4
#define HOPE_DROPS 20.0

/* ---- assignment ---- */

typedef struct Assignment
{
	RmlKmeansRun *run;
	int64_t block_rows;
	float margin;
	bool first; /* no labels and no bounds yet */
} Assignment;

static void
add_row(int64_t *restrict sum, const float *restrict row, int stride, int d, float unit)
{
	for (int j = 0; j < d; j++)
		sum[j] += (int64_t) (row[j * stride] * unit);
}

static void
subtract_row(int64_t *restrict sum, const float *restrict row, int stride, int d, float unit)
{
	for (int j = 0; j < d; j++)
		sum[j] -= (int64_t) (row[j * stride] * unit);
}

void
rml_kmeans_count_codes(const RmlKmeansPoints *points, int64_t row, int64_t *sum, int64_t change)
{
	const int32_t *codes = rml_kmeans_row_codes(points, row);

	for (int f = 0; f < points->d_cat; f++)
		sum[points->place[f] + codes[f * RML_KMEANS_TILE]] += change;
}

void
rml_kmeans_move_row(const RmlKmeansPoints *points, int64_t row, int32_t from, int32_t to,
					int64_t *sums, int64_t *counts)
{
	const int d = points->d;
	const size_t width = (size_t) points->sum_width;
	int stride;
	const float *values = rml_kmeans_row(points, row, &stride);

	add_row(sums + to * width, values, stride, d, (float) points->unit);
	rml_kmeans_count_codes(points, row, sums + to * width, 1);
	counts[to]++;
	if (from >= 0)
	{
		subtract_row(sums + from * width, values, stride, d, (float) points->unit);
		rml_kmeans_count_codes(points, row, sums + from * width, -1);
		counts[from]--;
	}
}

/* take over what rml_kmeans_nearest found for picked rows of a strip */
static void
take_over(RmlKmeansRun *run, int64_t start, int picked, RmlKmeansScratch *scratch)
{
	const RmlKmeansPoints *points = run->points;
	int64_t changed = 0;

	for (int i = 0; i < picked; i++)
	{
		int64_t row = start + scratch->picked[i];

		if (row >= points->n)
			break;
		run->bound[row] = scratch->second[i];
		if (run->labels[row] == scratch->nearest[i])
			continue;
		rml_kmeans_move_row(points, row, run->labels[row], scratch->nearest[i], scratch->sums,
							scratch->counts);
		run->labels[row] = scratch->nearest[i];
		changed++;
	}
	scratch->changed += changed;
}

static void
assign_block(void *context, int64_t block, int thread)
{
	const Assignment *assignment = context;
	RmlKmeansRun *run = assignment->run;
	const RmlKmeansPoints *points = run->points;
	RmlKmeansScratch *scratch = run->scratch + thread;
	const int64_t block_end = rml_block_end(block, assignment->block_rows, points->n);

	for (int64_t start = block * assignment->block_rows; start < block_end; start += points->strip)
	{
		int64_t end = start + points->strip < block_end ? start + points->strip : block_end;
		int picked;

		if (assignment->first)
			picked = rml_kmeans_pick_all(points, start, end, scratch);
		else
		{
			rml_kmeans_lower_bounds(run->bound + start, run->labels + start, run->drift,
									(int) (end - start));
			picked = rml_kmeans_pick_open(points, start, end, run->bound, scratch);
		}
		if (picked == 0)
			continue;
		rml_kmeans_nearest(points, start, picked, &run->centers, scratch);
		rml_kmeans_gaps(scratch->least, scratch->second, picked, assignment->margin);
		take_over(run, start, picked, scratch);
	}
}

int64_t
rml_kmeans_add_threads(RmlKmeansRun *run)
{
	const size_t values = (size_t) run->k * run->points->sum_width;
	int64_t changed = 0;

	for (int thread = 0; thread < run->points->env->threads; thread++)
	{
		const RmlKmeansScratch *scratch = run->scratch + thread;

		for (size_t i = 0; i < values; i++)
			run->sums[i] += scratch->sums[i];
		for (int c = 0; c < run->k; c++)
			run->counts[c] += scratch->counts[c];
		changed += scratch->changed;
	}
	return changed;
}

static int64_t
assign(RmlKmeansRun *run, bool first)
{
	const RmlKmeansPoints *points = run->points;
	Assignment assignment = {run, rml_kmeans_block_rows(points, run->k),
							 DISTANCE_ROUNDING * (float) (points->width + 4), first};

	rml_kmeans_scratch_clear(run->scratch, points, run->k);
	memcpy(run->from, run->centers.z, (size_t) run->k * points->width * sizeof(double));
	rml_kmeans_centers_pack(&run->centers, points);
	rml_parallel(points->env, rml_blocks(points->n, assignment.block_rows), assign_block,
				 &assignment);
	return rml_kmeans_add_threads(run);
}

/* ---- empty clusters ---- */

typedef struct Farthest
{
	const RmlKmeansRun *run;
	int64_t block_rows;
	int64_t *rows;   /* [blocks] */
	double *squares; /* [blocks] */
} Farthest;

static double
square_to_own(const RmlKmeansRun *run, int64_t row)
{
	int stride;
	const float *values = rml_kmeans_row(run->points, row, &stride);
	const double *center = run->from + (size_t) run->labels[row] * run->points->width;
	double sum = run->points->gamma * rml_kmeans_row_mismatches(run->points, row, center);

	for (int j = 0; j < run->points->d; j++)
	{
		double difference = values[j * stride] - center[j];

		sum += difference * difference;
	}
	return sum;
}

static void
farthest_block(void *context, int64_t block, int thread)
{
	Farthest *farthest = context;
	const RmlKmeansRun *run = farthest->run;
	const int64_t end = rml_block_end(block, farthest->block_rows, run->points->n);

	(void) thread;
	farthest->squares[block] = -1.0;
	farthest->rows[block] = -1;
	for (int64_t row = block * farthest->block_rows; row < end; row++)
	{
		double square = square_to_own(run, row);

		if (square > farthest->squares[block] && run->counts[run->labels[row]] > 1)
		{
			farthest->squares[block] = square;
			farthest->rows[block] = row;
		}
	}
}

/* the row farthest from its centre that is not alone in its cluster; -1 when all sit on theirs */
static int64_t
farthest_row(RmlKmeansRun *run)
{
	RmlEnv *env = run->points->env;
	Farthest farthest = {run, rml_kmeans_block_rows(run->points, 8), NULL, NULL};
	int64_t blocks = rml_blocks(run->points->n, farthest.block_rows);
	int64_t best = 0, row;

	farthest.rows = RML_NEW(env, int64_t, (size_t) blocks);
	farthest.squares = RML_NEW(env, double, (size_t) blocks);
	rml_parallel(env, blocks, farthest_block, &farthest);
	for (int64_t block = 1; block < blocks; block++)
		if (farthest.squares[block] > farthest.squares[best])
			best = block;
	row = farthest.squares[best] > 0.0 ? farthest.rows[best] : -1;
	rml_release(env, farthest.rows);
	rml_release(env, farthest.squares);
	return row;
}

/*
 * An empty cluster gets the row that is farthest from its centre (as scikit-learn does).  It may
 * stay empty when all rows sit on their centres.
 */
static void
fill_empty(RmlKmeansRun *run)
{
	for (int32_t c = 0; c < run->k; c++)
	{
		int64_t row;

		if (run->counts[c] > 0)
			continue;
		row = farthest_row(run);
		if (row < 0)
			return;
		rml_kmeans_move_row(run->points, row, run->labels[row], c, run->sums, run->counts);
		run->labels[row] = c;
		run->bound[row] = 0.0f;
		/* at its new centre: not the farthest again */
		rml_kmeans_row_copy(run->points, row, run->from + (size_t) c * run->points->width);
	}
}

/* ---- update ---- */

/* centre z to the means of its n rows; returns how far it moves, squared, and |means|^2 */
static double
update_means(const RmlKmeansPoints *points, const int64_t *sums, int64_t n, double *z,
			 double *square)
{
	const double factor = 1.0 / ((double) n * points->unit);
	double moved = 0.0;

	*square = 0.0;
	for (int j = 0; j < points->d; j++)
	{
		double mean = (double) sums[j] * factor;

		moved += (mean - z[j]) * (mean - z[j]);
		*square += mean * mean;
		z[j] = mean;
	}
	return moved;
}

/* the most frequent of n codes, the lowest of those that are equally frequent */
static int32_t
most_frequent(const int64_t *counts, int32_t n)
{
	int32_t best = 0;

	for (int32_t code = 1; code < n; code++)
		if (counts[code] > counts[best])
			best = code;
	return best;
}

int64_t
rml_kmeans_modes(const RmlKmeansPoints *points, const int64_t *sums, int32_t *modes)
{
	int64_t matches = 0;

	for (int f = 0; f < points->d_cat; f++)
	{
		int32_t end = f + 1 < points->d_cat ? points->place[f + 1] : points->sum_width;

		modes[f] = most_frequent(sums + points->place[f], end - points->place[f]);
		matches += sums[points->place[f] + modes[f]];
	}
	return matches;
}

/* centre z to the modes of its rows; returns how many change */
static int
update_modes(const RmlKmeansPoints *points, const int32_t *modes, double *z)
{
	int changed = 0;

	for (int f = 0; f < points->d_cat; f++)
	{
		changed += z[points->d + f] != modes[f];
		z[points->d + f] = modes[f];
	}
	return changed;
}

/* one centre to the means and modes of its rows; returns how far it moves, squared */
static double
update_center(RmlKmeansRun *run, int c, double *square, int64_t *matches)
{
	const RmlKmeansPoints *points = run->points;
	const int64_t *sums = run->sums + (size_t) c * points->sum_width;
	double *z = run->centers.z + (size_t) c * points->width;
	int32_t *modes = run->centers.modes + (size_t) c * points->d_cat;
	double moved = update_means(points, sums, run->counts[c], z, square);

	*matches += rml_kmeans_modes(points, sums, modes);
	return moved + points->gamma * update_modes(points, modes, z);
}

void
rml_kmeans_center_update(RmlKmeansRun *run, int c)
{
	double square;
	int64_t matches = 0;

	update_center(run, c, &square, &matches);
}

/*
 * All centres.  Returns the sum of squared movements; the inertia follows from the sums: sum |x|^2 -
 * sum over clusters of size |mean|^2, and gamma for each category that is not its cluster's mode.
 */
static double
update_centers(RmlKmeansRun *run, double *moves)
{
	const RmlKmeansPoints *points = run->points;
	double shift = 0.0, explained = 0.0;
	int64_t matches = 0;

	for (int c = 0; c < run->k; c++)
	{
		double square = 0.0, moved = 0.0;

		if (run->counts[c] > 0)
			moved = update_center(run, c, &square, &matches);
		moves[c] = sqrt(moved);
		shift += moved;
		explained += (double) run->counts[c] * square;
	}
	run->inertia = fmax(points->total - explained, 0.0) +
				   points->gamma * (double) (points->n * points->d_cat - matches);
	return shift;
}

/* how much each cluster's gaps shrink, rounded up */
static void
update_drift(RmlKmeansRun *run, const double *moves)
{
	double first = 0.0, second = 0.0;

	for (int c = 0; c < run->k; c++)
	{
		second = fmax(second, fmin(first, moves[c]));
		first = fmax(first, moves[c]);
	}
	for (int c = 0; c < run->k; c++)
	{
		double others = moves[c] == first ? second : first;

		run->drift[c] = (float) ((moves[c] + others) * 1.000001);
	}
}

/*
 * Lloyd's iteration converges linearly: each drop of the inertia is a fraction of the one before.
 * Drops that all remained as large as the last, and twenty of them, would not reach the target.
 */
static bool
hopeless(const RmlKmeansRun *run, double before)
{
	return run->target > 0.0 && run->n_iter >= HOPE_ITERATIONS &&
		   run->inertia - HOPE_DROPS * (before - run->inertia) > run->target;
}

static void
begin(RmlKmeansRun *run)
{
	const RmlKmeansPoints *points = run->points;

	memset(run->labels, -1, (size_t) points->n_padded * sizeof(int32_t));
	/* rows that pad the last tile never ask to be looked at */
	for (int64_t i = points->n; i < points->n_padded; i++)
		run->bound[i] = INFINITY;
	memset(run->sums, 0, (size_t) run->k * points->sum_width * sizeof(int64_t));
	memset(run->counts, 0, (size_t) run->k * sizeof(int64_t));
	run->n_iter = 0;
	run->strict = run->converged = false;
}

static const char *
algorithm_name(const RmlKmeansPoints *points)
{
	return points->d_cat > 0 ? "kprototypes" : "kmeans";
}

void
rml_kmeans_lloyd(RmlKmeansRun *run, int64_t max_iter, double tolerance)
{
	RmlEnv *env = run->points->env;
	const double unscaled = 1.0 / run->points->scale;
	double *moves = RML_NEW(env, double, (size_t) run->k);

	begin(run);
	while (run->n_iter < max_iter && !run->converged)
	{
		const double before = run->inertia;
		int64_t changed = assign(run, run->n_iter == 0);
		double shift;

		fill_empty(run);
		shift = update_centers(run, moves);
		update_drift(run, moves);
		run->n_iter++;
		run->strict = changed == 0;
		run->converged = run->strict || shift <= tolerance;
		if (!run->quiet)
			env->progress(env, algorithm_name(run->points), run->n_iter,
						  run->inertia * unscaled * unscaled);
		if (hopeless(run, before))
			break;
	}
	rml_release(env, moves);
}
