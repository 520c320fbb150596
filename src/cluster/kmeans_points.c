/*
 * kmeans_points.c
 *	  Rows as centred, scaled float4.
 *
 * Two layouts.  Narrow rows lie in tiles of 16 (feature j of 16 rows side by side) and distances
 * are sums of (x - c)^2.  Wide rows stay rows and distances are |x|^2 - 2 x.c + |c|^2 by sgemm,
 * where the library is there and can be called from several threads.
 */
#include <math.h>
#include <string.h>

#include "kmeans_internal.h"

#define TILE RML_KMEANS_TILE
#define STRIP RML_KMEANS_STRIP

/* rows of a block of the two passes over x: 10 ms of memory at the very worst */
#define VALUES_PER_BLOCK 65536

/* floats of a strip of tiles, so that it stays in cache while it meets all centres */
#define STRIP_FLOATS_TILES 8192

/* fixed-point digits after the point: enough for float4, few enough that n of them add up */
#define MOST_DIGITS 44
#define SUM_DIGITS 62

#define CACHE_LINE 64

/* the square root of gamma is below 2^GAMMA_BITS */
#define GAMMA_BITS 30

/* ---- statistics of the columns ---- */

typedef struct Statistics
{
	const double *x;
	int64_t n;
	int d;
	int64_t block_rows;
	double factor;  /* of x in sums, below 1 where sums would overflow */
	int64_t stride; /* from one block's statistics to the next one's */
	double *sums;   /* [blocks x stride] */
	double *low;    /* [blocks x stride] */
	double *high;   /* [blocks x stride] */
} Statistics;

static int64_t
pass_rows(int width)
{
	int64_t rows = VALUES_PER_BLOCK / width / TILE * TILE;

	return rows < TILE ? TILE : rows;
}

static void
statistics_block(void *context, int64_t block, int thread)
{
	const Statistics *s = context;
	const int d = s->d;
	const int64_t end = rml_block_end(block, s->block_rows, s->n);
	double *restrict sums = s->sums + block * s->stride;
	double *restrict low = s->low + block * s->stride;
	double *restrict high = s->high + block * s->stride;
	const double *x = s->x + block * s->block_rows * d;

	(void) thread;
	for (int j = 0; j < d; j++)
	{
		sums[j] = 0.0;
		low[j] = high[j] = x[j];
	}
	for (int64_t i = block * s->block_rows; i < end; i++, x += d)
		for (int j = 0; j < d; j++)
		{
			double value = x[j];

			sums[j] += value * s->factor;
			low[j] = value < low[j] ? value : low[j];
			high[j] = value > high[j] ? value : high[j];
		}
}

/* sums, low and high of all blocks into those of block 0; false when a sum overflowed */
static bool
statistics_combine(Statistics *s, int64_t blocks)
{
	bool finite = true;

	for (int64_t block = 1; block < blocks; block++)
		for (int j = 0; j < s->d; j++)
		{
			int64_t i = block * s->stride + j;

			s->sums[j] += s->sums[i];
			s->low[j] = fmin(s->low[j], s->low[i]);
			s->high[j] = fmax(s->high[j], s->high[i]);
		}
	for (int j = 0; j < s->d; j++)
		finite = finite && isfinite(s->sums[j]);
	return finite;
}

/*
 * The scale's exponent, turned round, is at least this: the inverse of the smallest numbers is no
 * float8, and gamma, which is scaled like squares, has to stay a float4.
 */
static int
lowest_exponent(const RmlKmeansPoints *points, int exponent)
{
	int lowest = -1000, root;

	if (points->d_cat > 0 && points->gamma > 0.0)
	{
		frexp(sqrt(points->gamma), &root);
		lowest = root - GAMMA_BITS > lowest ? root - GAMMA_BITS : lowest;
	}
	return exponent < lowest ? lowest : exponent;
}

/*
 * The mean of each column, and the scale.  Sums of huge values are taken again, made small
 * first.  Returns NULL, or the reason.
 */
static const char *
find_scale(RmlKmeansPoints *points)
{
	const int d = points->d;
	const int64_t block_rows = pass_rows(points->width);
	const int64_t blocks = rml_blocks(points->n, block_rows);
	const int64_t stride = rml_block_stride(3 * d);
	double *memory = RML_NEW(points->env, double, (size_t) (blocks * stride));
	Statistics s = {points->x, points->n, d,          block_rows,    1.0,
					stride,    memory,    memory + d, memory + 2 * d};
	double largest = 0.0;
	int exponent;

	rml_parallel(points->env, blocks, statistics_block, &s);
	if (!statistics_combine(&s, blocks))
	{
		s.factor = 0x1p-64;
		rml_parallel(points->env, blocks, statistics_block, &s);
		statistics_combine(&s, blocks);
	}
	for (int j = 0; j < d; j++)
	{
		points->mean[j] = s.sums[j] / (double) points->n / s.factor;
		largest = fmax(largest, s.high[j] - points->mean[j]);
		largest = fmax(largest, points->mean[j] - s.low[j]);
	}
	rml_release(points->env, memory);
	if (!isfinite(largest))
		return "the range of a feature is larger than a float8 can hold";
	frexp(largest, &exponent);
	points->scale = ldexp(1.0, -lowest_exponent(points, exponent));
	return NULL;
}

/* ---- conversion ---- */

typedef struct Conversion
{
	RmlKmeansPoints *points;
	int64_t block_rows;
	double *squares; /* [blocks] */
} Conversion;

/* one row's place in the float4 copy; returns the sum of squares of what was stored */
static inline double
convert_row(const RmlKmeansPoints *points, const double *restrict x, float *restrict out,
			int stride)
{
	double sum = 0.0;

	for (int j = 0; j < points->d; j++)
	{
		float z = (float) ((x[j] - points->mean[j]) * points->scale);

		out[j * stride] = z;
		sum += (double) z * z;
	}
	return sum;
}

static void
convert_codes(const RmlKmeansPoints *points, int64_t row)
{
	int32_t *out = (int32_t *) rml_kmeans_row_codes(points, row);

	for (int f = 0; f < points->d_cat; f++)
		out[f * TILE] = points->given[row * points->d_cat + f];
}

static void
convert_block(void *context, int64_t block, int thread)
{
	const Conversion *conversion = context;
	RmlKmeansPoints *points = conversion->points;
	const int64_t end = rml_block_end(block, conversion->block_rows, points->n);
	double sum = 0.0;

	(void) thread;
	for (int64_t i = block * conversion->block_rows; i < end; i++)
	{
		int stride;
		float *out = (float *) rml_kmeans_row(points, i, &stride);
		double square = convert_row(points, points->x + i * points->d, out, stride);

		if (points->linalg != NULL)
			points->norms[i] = (float) square;
		convert_codes(points, i);
		sum += square;
	}
	conversion->squares[block] = sum;
}

/*
 * The float4 copy.  Its mean is 0 but for rounding, so the sum of squares over n is the variance.
 */
static void
convert(RmlKmeansPoints *points)
{
	Conversion conversion = {points, pass_rows(points->width), NULL};
	int64_t blocks = rml_blocks(points->n, conversion.block_rows);

	conversion.squares = RML_NEW(points->env, double, (size_t) blocks);
	rml_parallel(points->env, blocks, convert_block, &conversion);
	points->total = 0.0;
	for (int64_t block = 0; block < blocks; block++)
		points->total += conversion.squares[block];
	points->variance = points->d > 0 ? points->total / (double) points->n / points->d : 0.0;
	rml_release(points->env, conversion.squares);
}

/* ---- making and releasing ---- */

/* categories are compared in tiles, so their numbers lie in tiles as well */
static const RmlLinalg *
choose_layout(int d, int d_cat)
{
	const RmlLinalg *linalg = d >= RML_KMEANS_WIDE && d_cat == 0 ? rml_linalg_open() : NULL;

	return linalg != NULL && linalg->concurrent ? linalg : NULL;
}

static int
strip_rows(int width, bool wide)
{
	int rows = (wide ? RML_KMEANS_STRIP_FLOATS : STRIP_FLOATS_TILES) / width / TILE * TILE;

	return rows < TILE ? TILE : rows > STRIP ? STRIP : rows;
}

size_t
rml_kmeans_points_bytes(const RmlKmeansShape *shape, int64_t n)
{
	const size_t rows = (size_t) rml_kmeans_padded(n);
	const size_t d = (size_t) shape->d, d_cat = (size_t) shape->d_cat;

	return rows * (d * sizeof(float) + d_cat * sizeof(int32_t)) + 2 * CACHE_LINE +
		   (d >= RML_KMEANS_WIDE ? rows * sizeof(float) : 0) + d * sizeof(double) +
		   d_cat * sizeof(int32_t);
}

/* the first whole cache line of memory */
static void *
align(void *memory)
{
	return (void *) (((uintptr_t) memory + CACHE_LINE - 1) & ~(uintptr_t) (CACHE_LINE - 1));
}

static void
allocate_rows(RmlKmeansPoints *points)
{
	size_t count = (size_t) points->n_padded * (size_t) points->d;
	size_t last = count - (size_t) TILE * (size_t) points->d;

	points->memory = rml_alloc(points->env, count * sizeof(float) + CACHE_LINE);
	points->rows = align(points->memory);
	/* rows that pad the last tile are zeros */
	memset(points->rows + last, 0, (count - last) * sizeof(float));
	count = (size_t) points->n_padded * (size_t) points->d_cat;
	last = count - (size_t) TILE * (size_t) points->d_cat;
	points->code_memory = rml_alloc(points->env, count * sizeof(int32_t) + CACHE_LINE);
	points->codes = align(points->code_memory);
	memset(points->codes + last, 0, (count - last) * sizeof(int32_t));
	points->norms = NULL;
	if (points->linalg != NULL)
		points->norms = RML_NEW_ZERO(points->env, float, (size_t) points->n_padded);
}

static double
fixed_point_unit(int64_t n)
{
	int digits = SUM_DIGITS;

	while (n > 0)
	{
		n >>= 1;
		digits--;
	}
	return ldexp(1.0, digits < MOST_DIGITS ? digits : MOST_DIGITS);
}

static void
place_codes(RmlKmeansPoints *points, const int32_t *feature_codes)
{
	points->place = RML_NEW(points->env, int32_t, (size_t) points->d_cat);
	points->sum_width = points->d;
	for (int f = 0; f < points->d_cat; f++)
	{
		points->place[f] = points->sum_width;
		points->sum_width += feature_codes[f];
	}
}

const char *
rml_kmeans_points_make(RmlKmeansPoints *points, RmlEnv *env, const RmlKmeansRows *rows)
{
	const int d = rows->shape.d, d_cat = rows->shape.d_cat;
	const char *reason;

	*points = (RmlKmeansPoints){.env = env,
								.x = rows->x,
								.given = rows->codes,
								.n = rows->n,
								.d = d,
								.d_cat = d_cat,
								.width = d + d_cat,
								.gamma = rows->gamma};
	points->n_padded = rml_kmeans_padded(rows->n);
	points->linalg = choose_layout(d, d_cat);
	points->strip = strip_rows(points->width, points->linalg != NULL);
	points->unit = fixed_point_unit(rows->n);
	points->mean = RML_NEW(env, double, (size_t) d);
	place_codes(points, rows->feature_codes);
	reason = find_scale(points);
	if (reason != NULL)
		return reason;
	points->gamma *= points->scale * points->scale;
	allocate_rows(points);
	convert(points);
	return NULL;
}

/* a row of one float4 copy into another; returns its sum of squares */
static double
copy_row(const RmlKmeansPoints *from, int64_t row, RmlKmeansPoints *to, int64_t place)
{
	int stride_from, stride_to;
	const float *in = rml_kmeans_row(from, row, &stride_from);
	float *out = (float *) rml_kmeans_row(to, place, &stride_to);
	double square = 0.0;

	for (int j = 0; j < from->d; j++)
	{
		out[j * stride_to] = in[j * stride_from];
		square += (double) in[j * stride_from] * in[j * stride_from];
	}
	if (to->norms != NULL)
		to->norms[place] = (float) square;
	for (int f = 0; f < from->d_cat; f++)
		((int32_t *) rml_kmeans_row_codes(to, place))[f * TILE] =
			rml_kmeans_row_codes(from, row)[f * TILE];
	return square;
}

void
rml_kmeans_points_sample(RmlKmeansPoints *sample, const RmlKmeansPoints *all, int64_t size,
						 uint64_t seed, uint64_t stream)
{
	const double stretch = (double) all->n / (double) size;

	*sample = *all;
	sample->x = NULL;
	sample->given = NULL;
	sample->mean = NULL;
	sample->place = RML_NEW(all->env, int32_t, (size_t) all->d_cat);
	memcpy(sample->place, all->place, sizeof(int32_t) * (size_t) all->d_cat);
	sample->n = size;
	sample->n_padded = rml_kmeans_padded(size);
	sample->unit = fixed_point_unit(size);
	sample->total = 0.0;
	allocate_rows(sample);
	for (int64_t i = 0; i < size; i++)
	{
		double place = ((double) i + rml_rng_uniform(seed, stream, (uint64_t) i)) * stretch;
		int64_t row = place < (double) all->n ? (int64_t) place : all->n - 1;

		sample->total += copy_row(all, row, sample, i);
		if (i % (1 + VALUES_PER_BLOCK / all->width) == 0)
			rml_poll(all->env);
	}
}

void
rml_kmeans_points_release(RmlKmeansPoints *points)
{
	rml_release(points->env, points->memory);
	rml_release(points->env, points->code_memory);
	rml_release(points->env, points->place);
	rml_release(points->env, points->norms);
	rml_release(points->env, points->mean);
}

const float *
rml_kmeans_row(const RmlKmeansPoints *points, int64_t row, int *stride)
{
	if (points->linalg != NULL)
	{
		*stride = 1;
		return points->rows + row * points->d;
	}
	*stride = TILE;
	return points->rows + row / TILE * TILE * points->d + row % TILE;
}

void
rml_kmeans_row_copy(const RmlKmeansPoints *points, int64_t row, double *z)
{
	int stride;
	const float *values = rml_kmeans_row(points, row, &stride);

	for (int j = 0; j < points->d; j++)
		z[j] = values[j * stride];
	for (int f = 0; f < points->d_cat; f++)
		z[points->d + f] = rml_kmeans_row_codes(points, row)[f * TILE];
}

double
rml_kmeans_row_square(const RmlKmeansPoints *points, int64_t row)
{
	int stride;
	const float *values = rml_kmeans_row(points, row, &stride);
	double sum = 0.0;

	for (int j = 0; j < points->d; j++)
		sum += (double) values[j * stride] * values[j * stride];
	return sum;
}

int
rml_kmeans_row_mismatches(const RmlKmeansPoints *points, int64_t row, const double *z)
{
	const int32_t *codes = rml_kmeans_row_codes(points, row);
	int mismatches = 0;

	for (int f = 0; f < points->d_cat; f++)
		mismatches += codes[f * TILE] != z[points->d + f];
	return mismatches;
}
