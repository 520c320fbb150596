/*
 * kmeans_refine.c
 *	  Improves the best restarts by exchanges of a centre for a row.
 *
 * Lloyd's iteration moves centres a little at a time; what it cannot do is take a centre from
 * where two share what one could serve and put it where one serves what should have two.  A
 * swap does (P. Franti 2018).  Rows drawn like those of k-means++ are candidates for a new
 * centre, and one pass over the rows finds what every exchange of a centre for a candidate
 * would give (S. Lattanzi and C. Sohler, "A better k-means++ algorithm via local search", ICML
 * 2019): with d1, d2 the squared distances of a row to its nearest and second nearest centre and
 * dp that to candidate p,
 *
 *	  J(p for i) = sum over rows min(d1, dp) + sum over rows of i (min(d2, dp) - min(d1, dp))
 *
 * The most promising exchanges are iterated on, and the first that lowers the inertia is kept.
 */
#include <math.h>
#include <string.h>

#include "kmeans_internal.h"

#define STRIP RML_KMEANS_STRIP

/* candidates of a round, and how many of them are iterated */
#define CANDIDATES 16
#define TRIALS 3

/* what the two passes that find them cost, in iterations */
#define PASSES 2

/* an inertia that is lower by less than this is the same */
#define GAIN 1e-7

/* streams of random numbers: one per round, apart from those of the restarts */
#define REFINE_STREAM ((uint64_t) 2 << 32)

typedef struct Exchange
{
	RmlKmeansRun *run;
	RmlKmeansCenters centers; /* the best so far */
	RmlKmeansCenters candidates;
	double inertia; /* of the best so far */
	int64_t n_iter; /* iterations that led there */
	int64_t block_rows;
	int64_t blocks;
	double unit;        /* fixed-point numbers per 1.0 of a squared distance */
	double *block_sums; /* [blocks] of squared distances to the best centres */
	int64_t *totals;    /* [threads][CANDIDATES][1 + k] the two sums of J, for each i */
} Exchange;

/* ---- candidates ---- */

static void
distance_block(void *context, int64_t block, int thread)
{
	Exchange *exchange = context;
	RmlKmeansRun *run = exchange->run;
	const RmlKmeansPoints *points = run->points;
	RmlKmeansScratch *scratch = run->scratch + thread;
	const int64_t block_end = rml_block_end(block, exchange->block_rows, points->n);
	double sum = 0.0;

	for (int64_t start = block * exchange->block_rows; start < block_end; start += points->strip)
	{
		int64_t end = start + points->strip < block_end ? start + points->strip : block_end;
		int picked = rml_kmeans_pick_all(points, start, end, scratch);

		rml_kmeans_nearest(points, start, picked, &exchange->centers, scratch);
		for (int i = 0; i < end - start; i++)
		{
			run->bound[start + i] = scratch->least[i];
			sum += scratch->least[i];
		}
	}
	exchange->block_sums[block] = sum;
}

/* rows with probability proportional to their squared distance to the best centres */
static bool
draw_candidates(Exchange *exchange, uint64_t seed, uint64_t round)
{
	const RmlKmeansPoints *points = exchange->run->points;
	double total = 0.0;

	rml_parallel(points->env, exchange->blocks, distance_block, exchange);
	for (int64_t block = 0; block < exchange->blocks; block++)
		total += exchange->block_sums[block];
	if (total <= 0.0)
		return false;
	for (int p = 0; p < CANDIDATES; p++)
	{
		double target = total * rml_rng_uniform(seed, REFINE_STREAM + round, (uint64_t) p);
		int64_t block = rml_kmeans_draw_block(exchange->block_sums, exchange->blocks, &target);
		int64_t start = block * exchange->block_rows;
		int64_t end = rml_block_end(block, exchange->block_rows, points->n);
		int64_t row = rml_kmeans_draw_row(exchange->run, start, end, target);

		rml_kmeans_row_copy(points, row, exchange->candidates.z + (size_t) p * points->width);
	}
	rml_kmeans_centers_pack(&exchange->candidates, points);
	return true;
}

/* ---- what every exchange gives ---- */

/* the table holds distances of the strip's rows to the candidates; totals [CANDIDATES][1 + k] */
static void
add_exchanges(const Exchange *exchange, int rows, const RmlKmeansScratch *scratch, int64_t *totals)
{
	const float unit = (float) exchange->unit;

	for (int p = 0; p < CANDIDATES; p++, totals += 1 + exchange->centers.k)
	{
		const float *distances = scratch->table + (size_t) p * STRIP;
		int64_t sum = 0;

		for (int i = 0; i < rows; i++)
		{
			float least = scratch->least[i], second = scratch->second[i], candidate = distances[i];
			float kept = candidate < least ? candidate : least;
			float lost = candidate < second ? candidate : second;

			sum += (int64_t) (kept * unit);
			/* a candidate nearer than the nearest centre makes it no loss */
			if (candidate > least)
				totals[1 + scratch->nearest[i]] += (int64_t) ((lost - kept) * unit);
		}
		totals[0] += sum;
	}
}

static void
exchange_block(void *context, int64_t block, int thread)
{
	const Exchange *exchange = context;
	RmlKmeansRun *run = exchange->run;
	const RmlKmeansPoints *points = run->points;
	RmlKmeansScratch *scratch = run->scratch + thread;
	const int64_t block_end = rml_block_end(block, exchange->block_rows, points->n);
	int64_t *totals = exchange->totals + (size_t) thread * CANDIDATES * (1 + exchange->centers.k);

	for (int64_t start = block * exchange->block_rows; start < block_end; start += points->strip)
	{
		int64_t end = start + points->strip < block_end ? start + points->strip : block_end;
		int picked = rml_kmeans_pick_all(points, start, end, scratch);

		rml_kmeans_nearest(points, start, picked, &exchange->centers, scratch);
		rml_kmeans_distances(points, start, picked, &exchange->candidates, scratch);
		add_exchanges(exchange, (int) (end - start), scratch, totals);
	}
}

typedef struct Choice
{
	int64_t cost;
	int candidate;
	int removed;
} Choice;

/* keep the TRIALS cheapest, in order */
static void
insert_choice(Choice *choices, Choice choice)
{
	for (int i = 0; i < TRIALS; i++)
		if (choice.cost < choices[i].cost)
		{
			Choice pushed = choices[i];

			choices[i] = choice;
			choice = pushed;
		}
}

/* the cheapest exchange of each candidate, and the cheapest of those */
static void
choose_exchanges(const Exchange *exchange, Choice *choices)
{
	const int k = exchange->centers.k;
	const size_t width = 1 + (size_t) k;

	for (int i = 0; i < TRIALS; i++)
		choices[i] = (Choice){INT64_MAX, -1, -1};
	for (int p = 0; p < CANDIDATES; p++)
	{
		const int64_t *totals = exchange->totals + p * width;
		int removed = 0;

		for (int i = 1; i < k; i++)
			if (totals[1 + i] < totals[1 + removed])
				removed = i;
		insert_choice(choices, (Choice){totals[0] + totals[1 + removed], p, removed});
	}
}

static void
find_exchanges(Exchange *exchange, Choice *choices)
{
	RmlEnv *env = exchange->run->points->env;
	const size_t values = (size_t) CANDIDATES * (1 + exchange->centers.k);

	memset(exchange->totals, 0, (size_t) env->threads * values * sizeof(int64_t));
	rml_parallel(env, exchange->blocks, exchange_block, exchange);
	for (int thread = 1; thread < env->threads; thread++)
		for (size_t i = 0; i < values; i++)
			exchange->totals[i] += exchange->totals[thread * values + i];
	choose_exchanges(exchange, choices);
}

/* ---- the search ---- */

static void
exchange_make(Exchange *exchange, RmlKmeansRun *run)
{
	const RmlKmeansPoints *points = run->points;
	int exponent;

	exchange->run = run;
	exchange->n_iter = 0;
	exchange->block_rows = rml_kmeans_block_rows(points, run->k + 8 * CANDIDATES);
	exchange->blocks = rml_blocks(points->n, exchange->block_rows);
	/* squared distances reach 4 d, and gamma d_cat more */
	frexp(4.0 * points->d + points->gamma * points->d_cat, &exponent);
	exchange->unit = ldexp(points->unit, -exponent);
	rml_kmeans_centers_make(&exchange->centers, points, run->k);
	rml_kmeans_centers_make(&exchange->candidates, points, CANDIDATES);
	exchange->block_sums = RML_NEW(points->env, double, (size_t) exchange->blocks);
	exchange->totals = RML_NEW(points->env, int64_t,
							   (size_t) points->env->threads * CANDIDATES * (1 + (size_t) run->k));
}

static void
exchange_release(Exchange *exchange)
{
	RmlEnv *env = exchange->run->points->env;

	rml_kmeans_centers_release(&exchange->centers, env);
	rml_kmeans_centers_release(&exchange->candidates, env);
	rml_release(env, exchange->block_sums);
	rml_release(env, exchange->totals);
}

/* these centres become the best so far */
static void
adopt(Exchange *exchange, const double *z, double inertia)
{
	const RmlKmeansRun *run = exchange->run;

	memcpy(exchange->centers.z, z, (size_t) run->k * run->points->width * sizeof(double));
	rml_kmeans_centers_pack(&exchange->centers, run->points);
	exchange->inertia = inertia;
}

/* iterate one exchange; true when it is better than the best so far, and taken for it */
static bool
try_exchange(Exchange *exchange, const Choice *choice, const RmlKmeansParams *params,
			 int64_t *budget)
{
	RmlKmeansRun *run = exchange->run;
	const size_t width = (size_t) run->points->width;

	memcpy(run->centers.z, exchange->centers.z, (size_t) run->k * width * sizeof(double));
	memcpy(run->centers.z + (size_t) choice->removed * width,
		   exchange->candidates.z + (size_t) choice->candidate * width, width * sizeof(double));
	run->target = exchange->inertia;
	rml_kmeans_lloyd(run, params->max_iter, params->tol * run->points->variance);
	run->target = 0.0;
	*budget -= run->n_iter;
	if (!(run->inertia < exchange->inertia * (1.0 - GAIN)))
		return false;
	adopt(exchange, run->centers.z, run->inertia);
	exchange->n_iter += run->n_iter;
	return true;
}

static void
search(Exchange *exchange, const RmlKmeansParams *params, int patience, int64_t *budget)
{
	uint64_t round = 0;
	int failures = 0;

	while (failures<patience && * budget> 0)
	{
		Choice choices[TRIALS];
		bool better = false;

		if (!draw_candidates(exchange, (uint64_t) params->seed, round++))
			return;
		find_exchanges(exchange, choices);
		*budget -= PASSES;
		for (int i = 0; i < TRIALS && !better && *budget > 0; i++)
			better = try_exchange(exchange, choices + i, params, budget);
		failures = better ? 0 : failures + 1;
	}
}

void
rml_kmeans_refine(RmlKmeansRun *run, const RmlKmeansParams *params, RmlKmeansKept *kept,
				  int patience, int64_t *budget)
{
	Exchange exchange;

	if (run->k == 1 || run->k == run->points->n)
		return;
	exchange_make(&exchange, run);
	adopt(&exchange, kept->z, kept->inertia);
	search(&exchange, params, patience, budget);
	memcpy(kept->z, exchange.centers.z, (size_t) run->k * run->points->width * sizeof(double));
	kept->inertia = exchange.inertia;
	kept->n_iter += exchange.n_iter;
	exchange_release(&exchange);
}

size_t
rml_kmeans_refine_bytes(const RmlKmeansShape *shape, int64_t n, int64_t k, int threads)
{
	size_t width = (size_t) shape->d + (size_t) shape->d_cat;
	size_t centers = ((size_t) k + CANDIDATES + 4) * (width * 12 + 4);
	size_t totals = (size_t) threads * CANDIDATES * ((size_t) k + 1) * sizeof(int64_t);

	return centers + totals + (size_t) n / RML_KMEANS_TILE * sizeof(double);
}
