/*
 * resample_neighbours.c
 *	  Exact search for the nearest rows of a class.
 *
 * The pool is laid out in tiles of 8 rows side by side, which makes vectors, and a block of rows runs
 * through the tiles together so that a tile is read once for all of them.  Each lane sums over the
 * features in order: results are the same whatever vectors the machine has.
 */
#include <math.h>
#include <string.h>

#include "resample_internal.h"
#include "retailml/parallel.h"
#include "retailml/sort.h"

#define TILE 8
/* rows of a block, at most, and numbers it may read */
#define BLOCK_QUERIES 16
#define BLOCK_NUMBERS (1 << 22)
/* squared rows of the pool times features, at most */
#define MOST_WORK 2e10
#define LEAST_POOL 1000

/* two lanes, which every machine has as they are */
typedef double Pair __attribute__((vector_size(2 * sizeof(double)), aligned(8)));
typedef int64_t PairMask __attribute__((vector_size(2 * sizeof(int64_t)), aligned(8)));

typedef struct Search
{
	const RmlTrainingSet *rows;
	const int64_t *members; /* [pool] */
	int64_t pool;
	int64_t n_queries;
	int k;
	double penalty;  /* squared distance of a category that differs */
	double *numbers; /* [tiles][d_num][TILE] divided by the standard deviation */
	double *codes;   /* [tiles][d_cat][TILE] as numbers, which codes are exactly */
	int64_t block;   /* rows of a block */
	int64_t *lists;  /* [n_queries x k] out */
} Search;

int64_t
rml_smote_pool(int64_t members, int d)
{
	int64_t most = (int64_t) sqrt(MOST_WORK / (d < 1 ? 1 : d));

	most = most < LEAST_POOL ? LEAST_POOL : most > RML_SMOTE_POOL ? RML_SMOTE_POOL : most;
	return members < most ? members : most;
}

static int64_t
n_tiles(int64_t pool)
{
	return (pool + TILE - 1) / TILE;
}

size_t
rml_smote_search_bytes(int64_t pool, int d_num, int d_cat)
{
	/* tiles; means, deviations, and those in the pool with the scratch of their sort */
	return sizeof(double) * ((size_t) n_tiles(pool) * TILE * ((size_t) d_num + (size_t) d_cat) +
							 4 * (size_t) d_num) +
		   131072;
}

/* ---- layout ---- */

typedef struct Unit
{
	double mean;
	double sd; /* infinite for a constant column: its rows do not differ */
} Unit;

/* what makes each number one of standard deviations: [d_num] */
static Unit *
units_of(RmlEnv *env, const RmlSchema *schema)
{
	Unit *units = RML_NEW(env, Unit, (size_t) schema->d_num);

	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		if (feature->kind == RML_CATEGORICAL)
			continue;
		units[feature->slot] =
			schema->standardize ? (Unit){0.0, 1.0} : (Unit){feature->mean, feature->sd};
		if (!(feature->sd > 0.0))
			units[feature->slot].sd = INFINITY;
	}
	return units;
}

static void
fill_tiles(Search *s, RmlEnv *env)
{
	const int d_num = s->rows->schema->d_num, d_cat = s->rows->schema->d_cat;
	Unit *units = units_of(env, s->rows->schema);

	for (int64_t i = 0; i < n_tiles(s->pool) * TILE; i++)
	{
		/* what pads the last tile is some row; it is never taken */
		int64_t row = s->members[i < s->pool ? i : 0];
		double *numbers = s->numbers + i / TILE * TILE * d_num + i % TILE;
		double *codes = s->codes + i / TILE * TILE * d_cat + i % TILE;

		for (int j = 0; j < d_num; j++)
			numbers[j * TILE] = (s->rows->numbers[row * d_num + j] - units[j].mean) / units[j].sd;
		for (int j = 0; j < d_cat; j++)
			codes[j * TILE] = s->rows->codes[row * d_cat + j];
		if (i % 1024 == 0)
			rml_poll(env);
	}
	rml_release(env, units);
}

static double
number_at(const Search *s, int64_t i, int slot)
{
	return s->numbers[(i / TILE * s->rows->schema->d_num + slot) * TILE + i % TILE];
}

/* standard deviation of a number in the pool */
static double
deviation_in_pool(const Search *s, int slot)
{
	double first = number_at(s, 0, slot), sum = 0.0, squares = 0.0, mean;

	/* less the first value, so that of a constant nothing is left */
	for (int64_t i = 0; i < s->pool; i++)
		sum += number_at(s, i, slot) - first;
	mean = sum / (double) s->pool;
	for (int64_t i = 0; i < s->pool; i++)
	{
		double difference = number_at(s, i, slot) - first - mean;

		squares += difference * difference;
	}
	return sqrt(squares / (double) s->pool);
}

/* square of the median deviation of the numbers that vary */
static double
category_penalty(const Search *s, RmlEnv *env)
{
	const int d_num = s->rows->schema->d_num;
	double *deviations = RML_NEW(env, double, (size_t) d_num);
	double median = 1.0;
	int n = 0;

	for (int j = 0; j < d_num; j++)
	{
		double deviation = deviation_in_pool(s, j);

		if (deviation > 0.0)
			deviations[n++] = deviation;
		rml_poll(env);
	}
	rml_sort_doubles(env, deviations, n);
	if (n > 0)
		median = n % 2 == 1 ? deviations[n / 2] : (deviations[n / 2 - 1] + deviations[n / 2]) / 2;
	rml_release(env, deviations);
	return median * median;
}

/* ---- search ---- */

typedef struct Nearest
{
	int n;
	double distance[RML_SMOTE_NEIGHBOURS]; /* [n] squared, ascending */
	int64_t index[RML_SMOTE_NEIGHBOURS];   /* [n] in the pool */
} Nearest;

/* take a row that comes after all that were taken */
static void
nearest_take(Nearest *nearest, int k, double distance, int64_t index)
{
	int i = nearest->n < k ? nearest->n++ : k - 1;

	for (; i > 0 && nearest->distance[i - 1] > distance; i--)
	{
		nearest->distance[i] = nearest->distance[i - 1];
		nearest->index[i] = nearest->index[i - 1];
	}
	nearest->distance[i] = distance;
	nearest->index[i] = index;
}

static inline Pair
square_of(Pair x)
{
	return x * x;
}

/* the penalty in lanes that differ: a comparison that holds is all ones */
static inline Pair
where_different(Pair codes, double own, Pair penalty)
{
	return (Pair) ((PairMask) (codes != own) & (PairMask) penalty);
}

/* squared distances [TILE] of row q of the pool to the rows of a tile */
static inline void
tile_distances(const Search *s, int64_t tile, int64_t q, double *distances)
{
	const int d_num = s->rows->schema->d_num, d_cat = s->rows->schema->d_cat;
	const Pair *numbers = (const Pair *) (s->numbers + tile * TILE * d_num);
	const Pair *codes = (const Pair *) (s->codes + tile * TILE * d_cat);
	const double *own = s->numbers + q / TILE * TILE * d_num + q % TILE;
	const double *own_codes = s->codes + q / TILE * TILE * d_cat + q % TILE;
	const Pair penalty = {s->penalty, s->penalty};
	Pair sums[4] = {{0}};

	for (int j = 0; j < d_num; j++, numbers += 4)
	{
		sums[0] += square_of(numbers[0] - own[j * TILE]);
		sums[1] += square_of(numbers[1] - own[j * TILE]);
		sums[2] += square_of(numbers[2] - own[j * TILE]);
		sums[3] += square_of(numbers[3] - own[j * TILE]);
	}
	for (int j = 0; j < d_cat; j++, codes += 4)
	{
		sums[0] += where_different(codes[0], own_codes[j * TILE], penalty);
		sums[1] += where_different(codes[1], own_codes[j * TILE], penalty);
		sums[2] += where_different(codes[2], own_codes[j * TILE], penalty);
		sums[3] += where_different(codes[3], own_codes[j * TILE], penalty);
	}
	memcpy(distances, sums, sizeof sums);
}

static void
search_block(void *context, int64_t block, int thread)
{
	const Search *s = context;
	const int64_t first = block * s->block, end = rml_block_end(block, s->block, s->n_queries);
	Nearest nearest[BLOCK_QUERIES] = {0};

	(void) thread;
	for (int64_t tile = 0; tile < n_tiles(s->pool); tile++)
		for (int64_t q = first; q < end; q++)
		{
			Nearest *own = &nearest[q - first];
			double distances[TILE];

			tile_distances(s, tile, q, distances);
			for (int64_t i = tile * TILE; i < (tile + 1) * TILE && i < s->pool; i++)
			{
				double distance = distances[i % TILE];

				if ((own->n < s->k || distance < own->distance[s->k - 1]) && i != q)
					nearest_take(own, s->k, distance, i);
			}
		}
	for (int64_t q = first; q < end; q++)
		for (int i = 0; i < s->k; i++)
			s->lists[q * s->k + i] = s->members[nearest[q - first].index[i]];
}

void
rml_smote_search(RmlEnv *env, const RmlTrainingSet *rows, const int64_t *members, int64_t pool,
				 int64_t n_queries, int64_t *lists)
{
	const int64_t d_num = rows->schema->d_num, d_cat = rows->schema->d_cat;
	const int64_t lanes = n_tiles(pool) * TILE;
	Search s = {.rows = rows,
				.members = members,
				.pool = pool,
				.n_queries = n_queries,
				.k = rml_smote_neighbours(pool),
				.lists = lists};

	s.numbers = RML_NEW(env, double, (size_t) (lanes * d_num));
	s.codes = RML_NEW(env, double, (size_t) (lanes * d_cat));
	fill_tiles(&s, env);
	s.penalty = d_cat == 0 ? 0.0 : category_penalty(&s, env);
	s.block = BLOCK_NUMBERS / (lanes * (d_num + d_cat) + 1) + 1;
	s.block = s.block > BLOCK_QUERIES ? BLOCK_QUERIES : s.block;
	rml_parallel(env, rml_blocks(n_queries, s.block), search_block, &s);
	rml_release(env, s.numbers);
	rml_release(env, s.codes);
}
