/*
 * kmeans_init.c
 *	  The first centres: greedy k-means++, or random rows.
 *
 * k-means++ draws each next centre among the rows with probability proportional to the squared
 * distance to the nearest centre so far; the greedy form draws 2 + log(k) candidates and keeps
 * the one that lowers the sum of these distances (the potential) most (Arthur and Vassilvitskii
 * 2007, section 4; the number of candidates is scikit-learn's).
 *
 * One pass over the rows does two things: it applies the centre chosen last, and it finds the
 * potential each new candidate would leave.  The sums per block it leaves behind are what the
 * next draw needs, and the block a draw lands in is brought up to date on the spot.
 */
#include <math.h>
#include <string.h>

#include "kmeans_internal.h"

#define STRIP RML_KMEANS_STRIP
#define TILE RML_KMEANS_TILE
#define MOST_CANDIDATES 24

/* rows of the sample that first centres come from; too few rows for SAMPLE_WORTH samples: none */
#define SAMPLE_ROWS 16384
#define SAMPLE_ROWS_PER_CENTER 128
#define SAMPLE_SHARE 16
#define SAMPLE_WORTH 4

/* streams of random numbers: restarts count from 0, samples from here */
#define SAMPLE_STREAM ((uint64_t) 1 << 32)

typedef struct Seeding
{
	RmlKmeansRun *run;
	int64_t block_rows;
	int64_t blocks;
	int candidates;
	int64_t rows[MOST_CANDIDATES];
	RmlKmeansCenters table; /* centre 0 is the one chosen last, then the candidates */
	double *potentials;     /* [blocks x table.k] what each centre of the table leaves */
	double *block_sums;     /* [blocks] potential with the centre chosen last */
} Seeding;

/* ---- one pass ---- */

static void
seed_block(void *context, int64_t block, int thread)
{
	Seeding *seeding = context;
	const RmlKmeansPoints *points = seeding->run->points;
	RmlKmeansScratch *scratch = seeding->run->scratch + thread;
	const int64_t block_end = rml_block_end(block, seeding->block_rows, points->n);
	double *potentials = seeding->potentials + block * seeding->table.k;

	for (int c = 0; c < seeding->table.k; c++)
		potentials[c] = 0.0;
	for (int64_t start = block * seeding->block_rows; start < block_end; start += points->strip)
	{
		int64_t end = start + points->strip < block_end ? start + points->strip : block_end;
		int picked = rml_kmeans_pick_all(points, start, end, scratch);
		float *least = seeding->run->bound + start;

		rml_kmeans_distances(points, start, picked, &seeding->table, scratch);
		rml_kmeans_minimum(least, scratch->table, picked);
		for (int c = 0; c < seeding->table.k; c++)
			potentials[c] +=
				rml_kmeans_sum_minimum(least, scratch->table + (size_t) c * STRIP, picked);
	}
}

static void
seed_pass(Seeding *seeding, int candidates)
{
	seeding->table.k = 1 + candidates;
	rml_kmeans_centers_pack(&seeding->table, seeding->run->points);
	rml_parallel(seeding->run->points->env, seeding->blocks, seed_block, seeding);
}

/* the centre of the table that leaves the least potential; its sums become those of the blocks */
static void
choose(Seeding *seeding, int first)
{
	const size_t width = (size_t) seeding->run->points->width;
	const int k = seeding->table.k;
	double least = INFINITY;
	int best = first;

	for (int c = first; c < k; c++)
	{
		double sum = 0.0;

		for (int64_t block = 0; block < seeding->blocks; block++)
			sum += seeding->potentials[block * k + c];
		if (sum < least)
		{
			least = sum;
			best = c;
		}
	}
	for (int64_t block = 0; block < seeding->blocks; block++)
		seeding->block_sums[block] = seeding->potentials[block * k + best];
	memmove(seeding->table.z, seeding->table.z + best * width, width * sizeof(double));
}

/* ---- drawing ---- */

int64_t
rml_kmeans_draw_block(const double *block_sums, int64_t blocks, double *target)
{
	int64_t block = -1;

	for (int64_t b = 0; b < blocks; b++)
	{
		if (block_sums[b] <= 0.0)
			continue;
		if (block >= 0)
			*target -= block_sums[block];
		block = b;
		if (*target < block_sums[b])
			break;
	}
	return block;
}

int64_t
rml_kmeans_draw_row(const RmlKmeansRun *run, int64_t start, int64_t end, double target)
{
	int64_t row = start;

	for (int64_t i = start; i < end; i++)
	{
		if (run->bound[i] <= 0.0f)
			continue;
		row = i;
		target -= run->bound[i];
		if (target < 0.0)
			break;
	}
	return row;
}

/* draw candidates into the table, behind the centre chosen last; false when no potential is left */
static bool
draw_candidates(Seeding *seeding, uint64_t seed, uint64_t stream, uint64_t index)
{
	RmlKmeansRun *run = seeding->run;
	double total = 0.0;

	for (int64_t block = 0; block < seeding->blocks; block++)
		total += seeding->block_sums[block];
	if (total <= 0.0)
		return false;
	/* the pass that brings a block up to date needs the table's first centre only */
	seeding->table.k = 1;
	rml_kmeans_centers_pack(&seeding->table, run->points);
	for (int t = 0; t < seeding->candidates; t++)
	{
		double target = total * rml_rng_uniform(seed, stream, index + (uint64_t) t);
		int64_t block = rml_kmeans_draw_block(seeding->block_sums, seeding->blocks, &target);
		int64_t row;

		seed_block(seeding, block, 0);
		row =
			rml_kmeans_draw_row(run, block * seeding->block_rows,
								rml_block_end(block, seeding->block_rows, run->points->n), target);
		rml_kmeans_row_copy(run->points, row,
							seeding->table.z + (size_t) (t + 1) * run->points->width);
		rml_poll(run->points->env);
	}
	return true;
}

/* ---- k-means++ ---- */

static void
seeding_begin(Seeding *seeding, RmlKmeansRun *run)
{
	const RmlKmeansPoints *points = run->points;

	seeding->run = run;
	seeding->candidates = 2 + (int) log((double) run->k);
	seeding->block_rows = rml_kmeans_block_rows(points, seeding->candidates + 1);
	seeding->blocks = rml_blocks(points->n, seeding->block_rows);
	rml_kmeans_centers_make(&seeding->table, points, seeding->candidates + 1);
	seeding->potentials =
		RML_NEW(points->env, double, (size_t) seeding->blocks *(size_t) (seeding->candidates + 1));
	seeding->block_sums = RML_NEW(points->env, double, (size_t) seeding->blocks);
	/* rows that pad the last tile must add nothing to a potential */
	for (int64_t i = 0; i < points->n_padded; i++)
		run->bound[i] = i < points->n ? INFINITY : 0.0f;
}

static void
seeding_end(Seeding *seeding)
{
	RmlEnv *env = seeding->run->points->env;

	rml_kmeans_centers_release(&seeding->table, env);
	rml_release(env, seeding->potentials);
	rml_release(env, seeding->block_sums);
}

static bool
plus_plus(RmlKmeansRun *run, uint64_t seed, uint64_t stream)
{
	const size_t width = (size_t) run->points->width;
	Seeding seeding;
	int c = 1;

	seeding_begin(&seeding, run);
	rml_kmeans_row_copy(run->points,
						(int64_t) rml_rng_below(seed, stream, 0, (uint64_t) run->points->n),
						seeding.table.z);
	seed_pass(&seeding, 0);
	choose(&seeding, 0);
	memcpy(run->centers.z, seeding.table.z, width * sizeof(double));
	for (; c < run->k; c++)
	{
		if (!draw_candidates(&seeding, seed, stream, (uint64_t) c * MOST_CANDIDATES))
			break;
		seed_pass(&seeding, seeding.candidates);
		choose(&seeding, 1);
		memcpy(run->centers.z + c * width, seeding.table.z, width * sizeof(double));
	}
	seeding_end(&seeding);
	return c == run->k;
}

/* ---- random rows ---- */

/* k different rows, each set of them equally likely; labels mark the rows that are taken */
static void
random_rows(RmlKmeansRun *run, uint64_t seed, uint64_t stream)
{
	const RmlKmeansPoints *points = run->points;
	uint64_t index = 0;

	memset(run->labels, 0, (size_t) points->n * sizeof(int32_t));
	for (int c = 0; c < run->k; c++)
	{
		int64_t row;

		do
		{
			row = (int64_t) rml_rng_below(seed, stream, index++, (uint64_t) points->n);
			if (index % 65536 == 0)
				rml_poll(points->env);
		} while (run->labels[row] != 0);
		run->labels[row] = 1;
		rml_kmeans_row_copy(points, row, run->centers.z + (size_t) c * points->width);
	}
}

/* ---- large data ---- */

/*
 * Where there are many rows for each cluster, a sample places the first centres: k-means++ and
 * Lloyd's iteration on the sample (P. S. Bradley and U. M. Fayyad, "Refining initial points for
 * k-means clustering", ICML 1998).  The centres are then off by what the sample is off, which
 * a few iterations over all rows mend.  Returns the rows of the sample, or 0 for none.
 */
int64_t
rml_kmeans_sample_size(int64_t n, int64_t k)
{
	int64_t size = n / SAMPLE_SHARE;

	size = size < SAMPLE_ROWS ? SAMPLE_ROWS : size;
	size = size < k * SAMPLE_ROWS_PER_CENTER ? k * SAMPLE_ROWS_PER_CENTER : size;
	return size <= n / SAMPLE_WORTH ? size : 0;
}

/*
 * First centres from all rows of the run.  Cao's are the same for every restart, so all but the first
 * restart are drawn by k-means++, which is also what rows without categories get.
 */
static bool
first_centers(RmlKmeansRun *run, const RmlKmeansParams *params, int64_t restart)
{
	const uint64_t seed = (uint64_t) params->seed;
	const uint64_t stream = (uint64_t) restart;
	const bool mixed = run->points->d_cat > 0;

	if (mixed && params->init == RML_KMEANS_CAO && restart == 0)
		return rml_kprototypes_cao(run);
	if (mixed && params->init == RML_KMEANS_HUANG)
	{
		rml_kprototypes_huang(run, seed, stream);
		return true;
	}
	return plus_plus(run, seed, stream);
}

static bool
init_from_sample(RmlKmeansRun *run, const RmlKmeansParams *params, int64_t restart, int64_t size)
{
	RmlKmeansPoints sample;
	RmlKmeansRun trial;
	bool found;

	rml_kmeans_points_sample(&sample, run->points, size, (uint64_t) params->seed,
							 SAMPLE_STREAM + (uint64_t) restart);
	rml_kmeans_run_make(&trial, &sample, run->k);
	trial.quiet = true;
	found = first_centers(&trial, params, restart);
	if (found)
	{
		rml_kmeans_lloyd(&trial, params->max_iter, params->tol * sample.variance);
		memcpy(run->centers.z, trial.centers.z,
			   (size_t) run->k * (size_t) sample.width * sizeof(double));
	}
	rml_kmeans_run_release(&trial);
	rml_kmeans_points_release(&sample);
	return found;
}

bool
rml_kmeans_init(RmlKmeansRun *run, const RmlKmeansParams *params, int64_t restart)
{
	int64_t size = rml_kmeans_sample_size(run->points->n, run->k);

	if (params->init == RML_KMEANS_RANDOM)
	{
		random_rows(run, (uint64_t) params->seed, (uint64_t) restart);
		return true;
	}
	/* a sample may miss distinct rows that all have */
	if (size > 0 && init_from_sample(run, params, restart, size))
		return true;
	return first_centers(run, params, restart);
}

/* ---- distinct rows ---- */

static uint64_t
mix(uint64_t hash, uint64_t bits)
{
	hash = (hash ^ bits) * 0xFF51AFD7ED558CCDu;
	return hash ^ hash >> 32;
}

static uint64_t
hash_row(const RmlKmeansRows *all, int64_t row)
{
	const double *x = all->x + row * all->shape.d;
	const int32_t *codes = all->codes + row * all->shape.d_cat;
	uint64_t hash = 0x9E3779B97F4A7C15u;

	for (int j = 0; j < all->shape.d; j++)
	{
		double value = x[j] + 0.0; /* -0 is 0 */
		uint64_t bits;

		memcpy(&bits, &value, sizeof bits);
		hash = mix(hash, bits);
	}
	for (int f = 0; f < all->shape.d_cat; f++)
		hash = mix(hash, (uint64_t) codes[f]);
	return hash;
}

static bool
rows_equal(const RmlKmeansRows *all, int64_t a, int64_t b)
{
	const int d = all->shape.d, d_cat = all->shape.d_cat;

	for (int j = 0; j < d; j++)
		if (all->x[a * d + j] != all->x[b * d + j])
			return false;
	return d_cat == 0 || memcmp(all->codes + a * d_cat, all->codes + b * d_cat,
								(size_t) d_cat * sizeof(int32_t)) == 0;
}

/* place of a row in the open-addressing table of rows + 1, where it is or where it belongs */
static size_t
find_slot(const int64_t *table, size_t size, const RmlKmeansRows *all, int64_t row)
{
	size_t slot = hash_row(all, row) & (size - 1);

	while (table[slot] != 0 && !rows_equal(all, table[slot] - 1, row))
		slot = (slot + 1) & (size - 1);
	return slot;
}

int64_t
rml_kmeans_distinct(RmlEnv *env, const RmlKmeansRows *all, int64_t k, int64_t *rows)
{
	size_t size = 16;
	int64_t *table;
	int64_t found = 0;

	while (size < (size_t) k * 2)
		size *= 2;
	table = RML_NEW_ZERO(env, int64_t, size);
	for (int64_t i = 0; i < all->n && found < k; i++)
	{
		size_t slot = find_slot(table, size, all, i);

		if (table[slot] == 0)
		{
			table[slot] = i + 1;
			rows[found++] = i;
		}
		if (i % (1 + 1000000 / (all->shape.d + all->shape.d_cat)) == 0)
			rml_poll(env);
	}
	rml_release(env, table);
	return found;
}
