/*
 * cluster_metrics_silhouette.c
 *	  Silhouettes of one or many clusterings of the same rows.
 *
 * What is wanted is, for every row and every cluster of every labeling, the sum of distances
 * from the row to the rows of the cluster.  A cluster of a labeling is a "slot"; noise goes to a
 * slot of its own that nobody reads.
 *
 * LANES rows make a tile, the unit of work.  Tile against one row: LANES distances side by side,
 * added as one vector to the slot of that row in each labeling.  So there is one vector addition
 * per pair and labeling next to d subtractions, multiplications and additions and a root, and
 * every sum is taken in the order of rows, whatever the threads do.
 *
 * A tile meets the rows in slabs, each short enough for a block of rml_parallel, and a group of
 * tiles keeps its sums until all slabs are done.  Up to some 10,000 rows of 10 features there is
 * one slab, one group and so one parallel region, and up to some 1,000 rows one block, which runs
 * in the calling thread: waking another costs microseconds, on a busy machine milliseconds.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "cluster_metrics_internal.h"

#define LANES RML_METRICS_LANES
#define CHUNK RML_METRICS_CHUNK
#define SLAB_WORK 400000 /* rows times features of a slab: about 4 ms without wide vectors */
#define GROUP_MIN_TILES 4
#define GROUP_BYTES (16 << 20)

typedef struct Silhouette
{
	const double *x; /* [n x d] */
	int64_t n;
	int64_t references; /* the first rows: those that all are compared with */
	int d;
	int d_num;    /* columns before the categories of Gower's distance; -1: Euclidean */
	double scale; /* of the values of x, a power of two */
	int n_labelings;
	int64_t n_slots;   /* the sum of all k, and one for noise, the last */
	int64_t *first;    /* [n_labelings + 1] first slot of each labeling */
	int32_t *slots;    /* [n_labelings x n] slot of each row */
	int64_t *sizes;    /* [n_slots] rows */
	int64_t *compared; /* [n_slots] those among the references */
	void *scratch;     /* tiles, distances and sums */
	double *tiles;     /* [threads x d x LANES] */
	double *distances; /* [threads x CHUNK x LANES] */
	double *sums;      /* [group x n_slots x LANES] */
	double *totals;    /* [tiles x n_labelings] sum of s over the tile's rows */
	double *rows;      /* [n] s of each row of the one labeling, or NULL */
	int64_t group;     /* tiles in a group */
	int64_t slab;      /* rows in a slab */
	int64_t block;     /* tiles in a block */
	/* what the current parallel region works on */
	int64_t first_tile;
	int64_t tiles_now;
	int64_t begin;
	int64_t end;
} Silhouette;

/* sums [n_slots x LANES] += distances [m x LANES], each row to its slot */
RML_METRICS_CLONES static void
add_to_slots(double *restrict sums, const double *restrict distances, const int32_t *slots,
			 int64_t m)
{
	for (int64_t j = 0; j < m; j++)
	{
		double *restrict sum = sums + (int64_t) slots[j] * LANES;

		for (int t = 0; t < LANES; t++)
			sum[t] += distances[j * LANES + t];
	}
}

/*
 * s of a row from its sums (a slot's is LANES from the next one's).  NaN where the references hold
 * no other row of its cluster, or none of another one.
 */
static double
row_silhouette(const Silhouette *s, const double *sums, int labeling, int64_t row, int32_t own)
{
	int64_t others = s->compared[own] - (row < s->references);
	double a, b = INFINITY, larger;

	if (s->sizes[own] == 1)
		return 0;
	a = others > 0 ? sums[(int64_t) own * LANES] / (double) others : NAN;
	for (int64_t slot = s->first[labeling]; slot < s->first[labeling + 1]; slot++)
		if (slot != own && s->compared[slot] > 0)
			b = fmin(b, sums[slot * LANES] / (double) s->compared[slot]);
	if (isnan(a) || isinf(b))
		return NAN;
	larger = fmax(a, b);
	/* equal rows in different clusters */
	return larger > 0 ? (b - a) / larger : 0;
}

/* all slabs are done: from the sums of a tile to the total of its rows */
static void
finish_tile(const Silhouette *s, int64_t tile, const double *sums)
{
	int lanes = (int) rml_metrics_min(LANES, s->n - tile * LANES);

	for (int l = 0; l < s->n_labelings; l++)
	{
		double total = 0;

		for (int t = 0; t < lanes; t++)
		{
			int64_t row = tile * LANES + t;
			int32_t own = s->slots[l * s->n + row];
			bool noise = own == s->n_slots - 1;
			double value = noise ? NAN : row_silhouette(s, sums + t, l, row, own);

			if (!noise)
				total += value;
			if (s->rows != NULL)
				s->rows[row] = value;
		}
		s->totals[tile * s->n_labelings + l] = total;
	}
}

/* one tile of the group against the rows of the slab */
static void
run_tile(const Silhouette *s, int64_t number, int thread)
{
	double *tile = s->tiles + (int64_t) thread * s->d * LANES;
	double *distances = s->distances + (int64_t) thread * CHUNK * LANES;
	double *sums = s->sums + number * s->n_slots * LANES;

	rml_metrics_load_tile(s->x, s->n, s->d, s->scale, (s->first_tile + number) * LANES, tile);
	if (s->begin == 0)
		memset(sums, 0, sizeof(double) * LANES * (size_t) s->n_slots);
	for (int64_t j = s->begin; j < s->end; j += CHUNK)
	{
		int64_t m = rml_metrics_min(CHUNK, s->end - j);

		if (s->d_num < 0)
			rml_metrics_tile_distances(tile, s->x + j * s->d, m, s->d, s->scale, distances);
		else
			rml_metrics_tile_gower(tile, s->x + j * s->d, m, s->d_num, s->d, distances);
		for (int l = 0; l < s->n_labelings; l++)
			add_to_slots(sums, distances, s->slots + l * s->n + j, m);
	}
	if (s->end == s->references)
		finish_tile(s, s->first_tile + number, sums);
}

static void
run_block(void *context, int64_t block, int thread)
{
	const Silhouette *s = context;
	int64_t end = rml_block_end(block, s->block, s->tiles_now);

	for (int64_t tile = block * s->block; tile < end; tile++)
		run_tile(s, tile, thread);
}

/* all tiles, group by group */
static void
run_tiles(RmlEnv *env, Silhouette *s)
{
	int64_t n_tiles = rml_blocks(s->n, LANES);

	for (s->first_tile = 0; s->first_tile < n_tiles; s->first_tile += s->group)
	{
		s->tiles_now = rml_metrics_min(s->group, n_tiles - s->first_tile);
		for (s->begin = 0; s->begin < s->references; s->begin = s->end)
		{
			s->end = rml_metrics_min(s->begin + s->slab, s->references);
			rml_parallel(env, rml_blocks(s->tiles_now, s->block), run_block, s);
		}
	}
}

/* slots, slab and group: everything about the sizes of the arrays */
static void
plan(Silhouette *s, int64_t n, int64_t references, int d, const int *k, int n_labelings)
{
	int64_t per_tile;

	s->n = n;
	s->references = references;
	s->d = d;
	s->n_labelings = n_labelings;
	s->n_slots = 1;
	for (int l = 0; l < n_labelings; l++)
		s->n_slots += k[l];
	s->slab = SLAB_WORK / (d + n_labelings + 3) / CHUNK * CHUNK;
	if (s->slab < CHUNK)
		s->slab = CHUNK;
	per_tile = s->n_slots * LANES * (int64_t) sizeof(double);
	s->group = GROUP_BYTES / per_tile;
	if (s->group < GROUP_MIN_TILES)
		s->group = GROUP_MIN_TILES;
	s->group = rml_metrics_min(s->group, rml_blocks(n, LANES));
	s->block = 1;
	if (references > 0 && s->slab > references)
		s->block = s->slab / references;
}

static size_t
scratch_doubles(const Silhouette *s, int threads)
{
	return (size_t) threads * LANES * ((size_t) s->d + CHUNK) +
		   (size_t) s->group * (size_t) s->n_slots * LANES;
}

static size_t
silhouette_bytes(int64_t n, int64_t references, int d, const int *k, int n_labelings, int threads)
{
	Silhouette s;
	size_t labelings = (size_t) n_labelings;

	plan(&s, n, references, d, k, n_labelings);
	return RML_METRICS_ALIGNMENT + scratch_doubles(&s, threads) * sizeof(double) +
		   (size_t) rml_blocks(n, LANES) * labelings * sizeof(double) +
		   (size_t) n * labelings * sizeof(int32_t) +
		   (2 * (size_t) s.n_slots + 2 * labelings + 1) * sizeof(int64_t);
}

size_t
rml_silhouette_bytes(int64_t n, int d, const int *k, int n_labelings, int threads)
{
	return silhouette_bytes(n, n, d, k, n_labelings, threads);
}

/* number the slots, and count their rows */
static void
fill_slots(RmlEnv *env, Silhouette *s, const int32_t *const *labels, const int *k)
{
	int64_t noise = s->n_slots - 1;

	s->first = RML_NEW(env, int64_t, (size_t) s->n_labelings + 1);
	s->sizes = RML_NEW_ZERO(env, int64_t, (size_t) s->n_slots);
	s->compared = RML_NEW_ZERO(env, int64_t, (size_t) s->n_slots);
	s->slots = RML_NEW(env, int32_t, (size_t) s->n * (size_t) s->n_labelings);
	s->first[0] = 0;
	for (int l = 0; l < s->n_labelings; l++)
	{
		s->first[l + 1] = s->first[l] + k[l];
		for (int64_t i = 0; i < s->n; i++)
		{
			int32_t label = labels[l][i];
			int64_t slot = label < 0 ? noise : s->first[l] + label;

			assert(label < k[l]);
			s->slots[l * s->n + i] = (int32_t) slot;
			s->sizes[slot]++;
			s->compared[slot] += i < s->references;
		}
		rml_poll(env);
	}
}

/* rows that take part in each labeling [n_labelings]; false when all are undefined */
static bool
count_defined(const Silhouette *s, int64_t *defined)
{
	bool any = false;

	for (int l = 0; l < s->n_labelings; l++)
	{
		defined[l] = rml_metrics_defined(s->sizes + s->first[l], s->first[l + 1] - s->first[l]);
		any |= defined[l] > 0;
	}
	return any;
}

static void
silhouettes_of(RmlEnv *env, Silhouette *s, int64_t n_tiles, const int64_t *defined,
			   double *silhouettes)
{
	size_t totals = (size_t) n_tiles * (size_t) s->n_labelings;

	s->tiles = rml_metrics_doubles(env, scratch_doubles(s, env->threads), &s->scratch);
	s->distances = s->tiles + (size_t) env->threads * (size_t) s->d * LANES;
	s->sums = s->distances + (size_t) env->threads * CHUNK * LANES;
	s->totals = RML_NEW(env, double, totals);
	s->scale = s->d_num < 0 ? rml_metrics_scale(env, s->x, s->n * s->d) : 1;
	run_tiles(env, s);
	for (int l = 0; l < s->n_labelings; l++)
	{
		double total = 0;

		for (int64_t tile = 0; tile < n_tiles; tile++)
			total += s->totals[tile * s->n_labelings + l];
		silhouettes[l] = defined[l] > 0 ? total / (double) defined[l] : NAN;
	}
	rml_release(env, s->scratch);
	rml_release(env, s->totals);
}

static void
run_silhouette(RmlEnv *env, Silhouette *s, const int32_t *const *labels, const int *k,
			   double *silhouettes)
{
	int64_t *defined = RML_NEW(env, int64_t, (size_t) s->n_labelings);

	fill_slots(env, s, labels, k);
	if (count_defined(s, defined))
		silhouettes_of(env, s, rml_blocks(s->n, LANES), defined, silhouettes);
	else
	{
		for (int l = 0; l < s->n_labelings; l++)
			silhouettes[l] = NAN;
		for (int64_t i = 0; s->rows != NULL && i < s->n; i++)
			s->rows[i] = NAN;
	}
	rml_release(env, s->first);
	rml_release(env, s->sizes);
	rml_release(env, s->compared);
	rml_release(env, s->slots);
	rml_release(env, defined);
}

double
rml_silhouette(RmlEnv *env, const double *x, int64_t n, int d, const int32_t *labels, int k,
			   double *rows)
{
	Silhouette s = {.x = x, .d_num = -1, .rows = rows};
	double silhouette;

	plan(&s, n, n, d, &k, 1);
	run_silhouette(env, &s, &labels, &k, &silhouette);
	return silhouette;
}

void
rml_silhouette_many(RmlEnv *env, const double *x, int64_t n, int d, const int32_t *const *labels,
					const int *k, int n_labelings, double *silhouettes)
{
	Silhouette s = {.x = x, .d_num = -1};

	plan(&s, n, n, d, k, n_labelings);
	run_silhouette(env, &s, labels, k, silhouettes);
}

double
rml_silhouette_mixed(RmlEnv *env, const RmlMetricRows *rows, int64_t measured, int64_t references,
					 const int32_t *labels, int k, double *each)
{
	const int d = rows->d_num + rows->d_cat;
	double *gower = rows->d_cat > 0 ? rml_metrics_gower_rows(env, rows, measured) : NULL;
	Silhouette s = {.x = gower != NULL ? gower : rows->numbers,
					.d_num = gower != NULL ? rows->d_num : -1,
					.rows = each};
	double silhouette;

	plan(&s, measured, references, d, &k, 1);
	run_silhouette(env, &s, &labels, &k, &silhouette);
	rml_release(env, gower);
	return silhouette;
}

size_t
rml_silhouette_mixed_bytes(int64_t measured, int64_t references, int d_num, int d_cat, int k,
						   int threads)
{
	size_t gower = d_cat > 0 ? sizeof(double) * (size_t) measured * (size_t) (d_num + d_cat) : 0;

	return gower + silhouette_bytes(measured, references, d_num + d_cat, &k, 1, threads);
}
