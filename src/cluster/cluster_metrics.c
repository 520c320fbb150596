/*
 * cluster_metrics.c
 *	  Davies-Bouldin and Calinski-Harabasz.
 *
 * Two linear passes: centroids, then distances of rows to their centroid.  Both work relative to
 * the first row, so that an offset common to all rows costs no digits.
 *
 * Legend: n rows, d features, k labels, m rows that are not noise, c clusters that have rows.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "cluster_metrics_internal.h"

#define LANES RML_METRICS_LANES
#define CHUNK RML_METRICS_CHUNK
/* a block is large enough to be worth another thread; small data are one block */
#define BLOCK_NUMBERS 262144
#define BLOCK_MIN_ROWS 1024
#define SMALLEST_SQUARE 1e-250
#define LARGEST_SQUARE 1e250
#define WAVE_MIN_BLOCKS 2
#define WAVE_BYTES (16 << 20)

typedef struct Dispersion
{
	const double *x; /* [n x d] */
	int64_t n;
	int d;
	const int32_t *labels; /* [n] */
	int k;
	int64_t *sizes;    /* [k] */
	double scale;      /* of the values of x, a power of two */
	double *centroids; /* [k x d], scaled, minus the first row */
	double *spread;    /* [k] sum, then mean, of the distances to the centroid */
	double within;     /* sum of squared distances to the centroids */
	int c;             /* clusters with rows */
	int64_t m;         /* rows that take part; 0: undefined */
	int64_t block_rows;
	/* what the current parallel region works on */
	int64_t first_block;
	int64_t width;    /* numbers in a partial result */
	double *partials; /* [blocks of a wave x width] */
	double *tiles;    /* [threads x (d + CHUNK) x LANES] */
	double *worst;    /* [k, up to whole tiles] a cluster's largest R_ij */
} Dispersion;

/*
 * total [width] = the sum of what fn leaves in each block's partial result, in block order.  In
 * waves, so that the partial results of many clusters do not take more memory than the rows.
 */
static void
sum_blocks(RmlEnv *env, Dispersion *s, RmlBlockFn fn, int64_t width, double *total)
{
	int64_t n_blocks = rml_blocks(s->n, s->block_rows);
	int64_t wave = WAVE_BYTES / (width * (int64_t) sizeof(double));

	if (wave < WAVE_MIN_BLOCKS)
		wave = WAVE_MIN_BLOCKS;
	wave = rml_metrics_min(wave, n_blocks);
	s->width = width;
	s->partials = RML_NEW(env, double, (size_t) (wave * width));
	memset(total, 0, sizeof(double) * (size_t) width);
	for (s->first_block = 0; s->first_block < n_blocks; s->first_block += wave)
	{
		int64_t blocks = rml_metrics_min(wave, n_blocks - s->first_block);

		rml_parallel(env, blocks, fn, s);
		for (int64_t b = 0; b < blocks; b++)
			for (int64_t w = 0; w < width; w++)
				total[w] += s->partials[b * width + w];
	}
	rml_release(env, s->partials);
}

/* partial [k x (d + 1)]: per cluster the sums of its rows, minus the first row, and their number */
static void
add_rows(void *context, int64_t block, int thread)
{
	const Dispersion *s = context;
	double *partial = s->partials + block * s->width;
	int64_t end = rml_block_end(s->first_block + block, s->block_rows, s->n);

	(void) thread;
	memset(partial, 0, sizeof(double) * (size_t) s->width);
	for (int64_t i = (s->first_block + block) * s->block_rows; i < end; i++)
	{
		const double *row = s->x + i * s->d;
		double *sum;

		if (s->labels[i] < 0)
			continue;
		assert(s->labels[i] < s->k);
		sum = partial + (int64_t) s->labels[i] * (s->d + 1);
		for (int f = 0; f < s->d; f++)
			sum[f] += row[f] * s->scale - s->x[f] * s->scale;
		sum[s->d]++;
	}
}

/* partial [k + 1]: per cluster the sum of distances to the centroid; last the sum of squares */
static void
add_distances(void *context, int64_t block, int thread)
{
	const Dispersion *s = context;
	double *partial = s->partials + block * s->width;
	int64_t end = rml_block_end(s->first_block + block, s->block_rows, s->n);

	(void) thread;
	memset(partial, 0, sizeof(double) * (size_t) s->width);
	for (int64_t i = (s->first_block + block) * s->block_rows; i < end; i++)
	{
		const double *row = s->x + i * s->d;
		const double *centroid;
		double square = 0;

		if (s->labels[i] < 0)
			continue;
		centroid = s->centroids + (int64_t) s->labels[i] * s->d;
		for (int f = 0; f < s->d; f++)
		{
			double value = row[f] * s->scale - s->x[f] * s->scale;
			double difference = value - centroid[f];

			square += difference * difference;
		}
		partial[s->labels[i]] += sqrt(square);
		partial[s->k] += square;
	}
}

/* sizes and centroids from sums [k x (d + 1)] */
static void
take_centroids(Dispersion *s, const double *sums)
{
	s->c = 0;
	for (int i = 0; i < s->k; i++)
	{
		const double *sum = sums + (int64_t) i * (s->d + 1);

		s->sizes[i] = (int64_t) sum[s->d];
		s->c += s->sizes[i] > 0;
		for (int f = 0; f < s->d; f++)
			s->centroids[(int64_t) i * s->d + f] = s->sizes[i] > 0 ? sum[f] / sum[s->d] : 0;
	}
	s->m = rml_metrics_defined(s->sizes, s->k);
}

/* both passes; the second only when the metrics are defined (m > 0) */
static void
run_passes(RmlEnv *env, Dispersion *s)
{
	int64_t width = (int64_t) s->k * (s->d + 1);
	double *sums = RML_NEW(env, double, (size_t) width);

	sum_blocks(env, s, add_rows, width, sums);
	take_centroids(s, sums);
	rml_release(env, sums);
	if (s->m == 0)
		return;
	sum_blocks(env, s, add_distances, (int64_t) s->k + 1, s->spread);
	s->within = s->spread[s->k];
	for (int i = 0; i < s->k; i++)
		if (s->sizes[i] > 0)
			s->spread[i] /= (double) s->sizes[i];
}

static void
disperse(RmlEnv *env, Dispersion *s, const double *x, int64_t n, int d, const int32_t *labels,
		 int k)
{
	size_t cells = (size_t) k * (size_t) d;

	*s = (Dispersion){.x = x, .n = n, .d = d, .labels = labels, .k = k, .scale = 1};
	if (n < 1 || k < 2)
		return;
	s->sizes = RML_NEW(env, int64_t, (size_t) k);
	s->centroids = RML_NEW(env, double, cells);
	s->spread = RML_NEW(env, double, (size_t) k + 1);
	s->block_rows = BLOCK_NUMBERS / (d + 1);
	if (s->block_rows < BLOCK_MIN_ROWS)
		s->block_rows = BLOCK_MIN_ROWS;
	run_passes(env, s);
	/* squares that may have overflowed or vanished: look at the numbers, and again if need be */
	if (s->m > 0 && !(s->within > SMALLEST_SQUARE && s->within < LARGEST_SQUARE))
	{
		s->scale = rml_metrics_scale(env, x, n * d);
		if (s->scale != 1)
			run_passes(env, s);
	}
}

static void
release_dispersion(RmlEnv *env, Dispersion *s)
{
	rml_release(env, s->sizes);
	rml_release(env, s->centroids);
	rml_release(env, s->spread);
}

/* worst [LANES] = the larger of it and R_ij of the tile's clusters with cluster j */
static void
keep_worst(const Dispersion *s, int64_t first, const double *distances, int64_t j, double *worst)
{
	int lanes = (int) rml_metrics_min(LANES, s->k - first);

	for (int t = 0; t < lanes; t++)
	{
		double similarity = INFINITY;

		if (first + t == j || s->sizes[first + t] == 0 || s->sizes[j] == 0)
			continue;
		/* at distance 0 the limit, where scikit-learn has its best value, 0 */
		if (distances[t] > 0)
			similarity = (s->spread[first + t] + s->spread[j]) / distances[t];
		worst[t] = fmax(worst[t], similarity);
	}
}

/* a tile of centroids against all: worst[i] = max over j of R_ij = (s_i + s_j) / m_ij */
static void
find_worst(void *context, int64_t block, int thread)
{
	const Dispersion *s = context;
	double *tile = s->tiles + (int64_t) thread * (s->d + CHUNK) * LANES;
	double *distances = tile + (int64_t) s->d * LANES;
	double *worst = s->worst + block * LANES;

	rml_metrics_load_tile(s->centroids, s->k, s->d, 1, block * LANES, tile);
	memset(worst, 0, sizeof(double) * LANES);
	for (int64_t j = 0; j < s->k; j += CHUNK)
	{
		int64_t m = rml_metrics_min(CHUNK, s->k - j);

		rml_metrics_tile_distances(tile, s->centroids + j * s->d, m, s->d, 1, distances);
		for (int64_t i = 0; i < m; i++)
			keep_worst(s, block * LANES, distances + i * LANES, j + i, worst);
	}
}

static double
mean_worst(RmlEnv *env, Dispersion *s)
{
	int64_t n_tiles = rml_blocks(s->k, LANES);
	size_t lanes = (size_t) n_tiles * LANES;
	size_t per_thread = ((size_t) s->d + CHUNK) * LANES;
	double sum = 0;
	void *scratch;

	s->worst = RML_NEW(env, double, lanes);
	s->tiles = rml_metrics_doubles(env, (size_t) env->threads * per_thread, &scratch);
	rml_parallel(env, n_tiles, find_worst, s);
	for (int i = 0; i < s->k; i++)
		sum += s->worst[i];
	rml_release(env, scratch);
	rml_release(env, s->worst);
	return sum / s->c;
}

double
rml_davies_bouldin(RmlEnv *env, const double *x, int64_t n, int d, const int32_t *labels, int k)
{
	Dispersion s;
	double index = NAN;

	disperse(env, &s, x, n, d, labels, k);
	if (s.m > 0)
		index = mean_worst(env, &s);
	release_dispersion(env, &s);
	return index;
}

static double
square_distance(const double *a, const double *b, int d)
{
	double square = 0;

	for (int f = 0; f < d; f++)
		square += (a[f] - b[f]) * (a[f] - b[f]);
	return square;
}

/* sum over clusters of size times squared distance of centroid and overall mean */
static double
dispersion_between(RmlEnv *env, const Dispersion *s)
{
	double *mean = RML_NEW_ZERO(env, double, (size_t) s->d);
	double between = 0;

	for (int64_t i = 0; i < s->k; i++)
		for (int f = 0; f < s->d; f++)
			mean[f] += s->centroids[i * s->d + f] * ((double) s->sizes[i] / (double) s->m);
	for (int64_t i = 0; i < s->k; i++)
		between += (double) s->sizes[i] * square_distance(s->centroids + i * s->d, mean, s->d);
	rml_release(env, mean);
	return between;
}

double
rml_calinski_harabasz(RmlEnv *env, const double *x, int64_t n, int d, const int32_t *labels, int k)
{
	Dispersion s;
	double index = NAN;

	disperse(env, &s, x, n, d, labels, k);
	if (s.m > 0)
		index = (dispersion_between(env, &s) / (s.c - 1)) / (s.within / (double) (s.m - s.c));
	release_dispersion(env, &s);
	return index;
}

size_t
rml_dispersion_bytes(int64_t n, int d, int64_t k, int threads)
{
	size_t width = (size_t) k * ((size_t) d + 1);
	size_t blocks = (size_t) rml_blocks(n, BLOCK_MIN_ROWS);
	size_t wave = WAVE_BYTES / (width * sizeof(double) + 1);
	size_t centroids = (width + (size_t) k) * sizeof(double) + (size_t) k * sizeof(int64_t);
	size_t tiles = ((size_t) threads * ((size_t) d + CHUNK) + (size_t) k + LANES) * LANES;

	if (wave < WAVE_MIN_BLOCKS)
		wave = WAVE_MIN_BLOCKS;
	if (wave > blocks)
		wave = blocks;
	return centroids + ((wave + 1) * width + tiles) * sizeof(double);
}

int64_t
rml_noise_count(const int32_t *labels, int64_t n)
{
	int64_t count = 0;

	for (int64_t i = 0; i < n; i++)
		count += labels[i] < 0;
	return count;
}
