/*
 * kmeans_distances.c
 *	  Distances of strips of rows to centres, in either layout of the rows.
 */
#include <math.h>
#include <string.h>

#include "kmeans_internal.h"

#define TILE RML_KMEANS_TILE
#define STRIP RML_KMEANS_STRIP
#define CHUNK RML_KMEANS_CHUNK

/* multiplications of a block of work, about a millisecond */
#define BLOCK_WORK 8000000

#define CACHE_LINE 64

int64_t
rml_kmeans_block_rows(const RmlKmeansPoints *points, int64_t centers)
{
	int64_t strips = BLOCK_WORK / points->width / centers / points->strip;

	return (strips < 1 ? 1 : strips > 64 ? 64 : strips) * points->strip;
}

/* ---- centres ---- */

void
rml_kmeans_centers_make(RmlKmeansCenters *centers, const RmlKmeansPoints *points, int k)
{
	size_t padded = ((size_t) k + 3) / 4 * 4;

	centers->k = k;
	centers->z = RML_NEW_ZERO(points->env, double, (size_t) k * points->width);
	centers->packed = RML_NEW_ZERO(points->env, float, padded * points->d);
	centers->modes = RML_NEW_ZERO(points->env, int32_t, padded * points->d_cat);
	centers->norms = RML_NEW_ZERO(points->env, float, padded);
	centers->largest = 0.0f;
}

void
rml_kmeans_centers_release(RmlKmeansCenters *centers, RmlEnv *env)
{
	rml_release(env, centers->z);
	rml_release(env, centers->packed);
	rml_release(env, centers->modes);
	rml_release(env, centers->norms);
}

void
rml_kmeans_centers_pack(RmlKmeansCenters *centers, const RmlKmeansPoints *points)
{
	const size_t d = (size_t) points->d;
	double largest = 0.0;

	for (size_t c = 0; c < (size_t) centers->k; c++)
	{
		float *out = centers->packed + (points->linalg ? c * d : c / 4 * 4 * d + c % 4);
		size_t stride = points->linalg ? 1 : 4;
		const double *z = centers->z + c * points->width;
		double square = 0.0;

		for (size_t j = 0; j < d; j++)
		{
			float value = (float) z[j];

			out[j * stride] = value;
			square += (double) value * value;
		}
		for (int f = 0; f < points->d_cat; f++)
			centers->modes[c * points->d_cat + f] = (int32_t) z[d + f];
		centers->norms[c] = (float) square;
		largest = fmax(largest, square);
	}
	centers->largest = (float) sqrt(largest);
}

/* ---- work space ---- */

static size_t
scratch_floats(int d)
{
	return (size_t) STRIP * (CHUNK + 5) +
		   (d >= RML_KMEANS_WIDE ? RML_KMEANS_STRIP_FLOATS + (size_t) TILE * d : 0);
}

static size_t
thread_bytes(int d, size_t sum_width, int64_t k)
{
	return scratch_floats(d) * sizeof(float) + (size_t) k * (sum_width + 1) * sizeof(int64_t) +
		   CACHE_LINE;
}

size_t
rml_kmeans_scratch_bytes(const RmlKmeansShape *shape, int64_t k, int threads)
{
	size_t sum_width = (size_t) shape->d + (size_t) shape->n_codes;

	return (size_t) threads * (thread_bytes(shape->d, sum_width, k) + sizeof(RmlKmeansScratch));
}

RmlKmeansScratch *
rml_kmeans_scratch_make(const RmlKmeansPoints *points, int k)
{
	RmlEnv *env = points->env;
	const size_t width = (size_t) points->sum_width;
	RmlKmeansScratch *scratch = RML_NEW_ZERO(env, RmlKmeansScratch, (size_t) env->threads);

	for (int thread = 0; thread < env->threads; thread++)
	{
		RmlKmeansScratch *s = scratch + thread;

		s->sums = rml_alloc_zero(env, thread_bytes(points->d, width, k));
		s->counts = s->sums + (size_t) k * width;
		/* vectors are aligned to 16 */
		s->table = (float *) (s->counts + k + (size_t) k * (width + 1) % 2);
		s->least = s->table + (size_t) STRIP * CHUNK;
		s->second = s->least + STRIP;
		s->nearest = (int32_t *) (s->second + STRIP);
		s->picked = s->nearest + STRIP;
		s->gathered_norms = (float *) (s->picked + STRIP);
		s->gathered = s->gathered_norms + STRIP;
	}
	return scratch;
}

void
rml_kmeans_scratch_release(RmlKmeansScratch *scratch, RmlEnv *env)
{
	for (int thread = 0; thread < env->threads; thread++)
		rml_release(env, scratch[thread].sums);
	rml_release(env, scratch);
}

void
rml_kmeans_scratch_clear(RmlKmeansScratch *scratch, const RmlKmeansPoints *points, int k)
{
	for (int thread = 0; thread < points->env->threads; thread++)
	{
		memset(scratch[thread].sums, 0, (size_t) k * points->sum_width * sizeof(int64_t));
		memset(scratch[thread].counts, 0, (size_t) k * sizeof(int64_t));
		scratch[thread].changed = 0;
	}
}

/* ---- strips ---- */

int
rml_kmeans_pick_all(const RmlKmeansPoints *points, int64_t start, int64_t end,
					RmlKmeansScratch *scratch)
{
	int rows = (int) (rml_kmeans_padded(end) - start);

	(void) points;
	for (int i = 0; i < rows; i++)
		scratch->picked[i] = i;
	return rows;
}

static int
pick_tiles(const float *bound, int rows, int32_t *picked)
{
	int n = 0;

	for (int tile = 0; tile < rows; tile += TILE)
	{
		int open = 0;

		for (int i = 0; i < TILE; i++)
			open |= bound[tile + i] <= 0.0f;
		if (!open)
			continue;
		for (int i = 0; i < TILE; i++)
			picked[n + i] = tile + i;
		n += TILE;
	}
	return n;
}

static int
pick_rows(const float *bound, int rows, int32_t *picked)
{
	int n = 0;

	for (int i = 0; i < rows; i++)
	{
		picked[n] = i;
		n += bound[i] <= 0.0f;
	}
	return n;
}

int
rml_kmeans_pick_open(const RmlKmeansPoints *points, int64_t start, int64_t end, const float *bound,
					 RmlKmeansScratch *scratch)
{
	int rows = (int) (rml_kmeans_padded(end) - start);

	if (points->linalg != NULL)
		return pick_rows(bound + start, rows, scratch->picked);
	return pick_tiles(bound + start, rows, scratch->picked);
}

/* the picked rows side by side; where all rows up to the last are picked they already are */
static const float *
gather(const RmlKmeansPoints *points, int64_t start, int picked, RmlKmeansScratch *scratch,
	   const float **norms)
{
	const size_t d = (size_t) points->d;
	const float *rows = points->rows + start * points->d;

	*norms = points->norms + start;
	if (scratch->picked[picked - 1] == picked - 1)
		return rows;
	for (int i = 0; i < picked; i++)
	{
		memcpy(scratch->gathered + i * d, rows + scratch->picked[i] * d, d * sizeof(float));
		scratch->gathered_norms[i] = points->norms[start + scratch->picked[i]];
	}
	*norms = scratch->gathered_norms;
	return scratch->gathered;
}

/* rows of a strip as the distance functions take them */
typedef struct Strip
{
	const RmlKmeansPoints *points;
	RmlKmeansScratch *scratch;
	const float *rows;
	const float *norms; /* with linalg only */
	int64_t start;
	int picked;
} Strip;

static Strip
open_strip(const RmlKmeansPoints *points, int64_t start, int picked, RmlKmeansScratch *scratch)
{
	Strip strip = {points, scratch, points->rows + start * points->d, NULL, start, picked};

	if (points->linalg != NULL)
		strip.rows = gather(points, start, picked, scratch, &strip.norms);
	return strip;
}

static void
add_mismatches(const Strip *strip, const RmlKmeansCenters *centers, int first, int count)
{
	const RmlKmeansPoints *points = strip->points;

	if (points->d_cat > 0)
		rml_kmeans_tile_mismatches(points->codes + strip->start * points->d_cat,
								   strip->scratch->picked, strip->picked, points->d_cat,
								   centers->modes + (size_t) first * points->d_cat, count,
								   (float) points->gamma, strip->scratch->table);
}

static void
strip_distances(const Strip *strip, const RmlKmeansCenters *centers, int first, int count)
{
	const int d = strip->points->d;
	const float *packed = centers->packed + (size_t) first * d;
	float *table = strip->scratch->table;

	if (strip->points->linalg == NULL)
	{
		rml_kmeans_tile_distances(strip->rows, strip->scratch->picked, strip->picked, d, packed,
								  count, table);
		add_mismatches(strip, centers, first, count);
		return;
	}
	strip->points->linalg->sgemm_nt(count, strip->picked, d, 1.0f, packed, d, strip->rows, d, 0.0f,
									table, STRIP);
	rml_kmeans_complete_squares(table, count, strip->picked, strip->norms, centers->norms + first);
}

void
rml_kmeans_distances(const RmlKmeansPoints *points, int64_t start, int picked,
					 const RmlKmeansCenters *centers, RmlKmeansScratch *scratch)
{
	Strip strip = open_strip(points, start, picked, scratch);

	strip_distances(&strip, centers, 0, centers->k);
}

void
rml_kmeans_nearest(const RmlKmeansPoints *points, int64_t start, int picked,
				   const RmlKmeansCenters *centers, RmlKmeansScratch *scratch)
{
	Strip strip = open_strip(points, start, picked, scratch);

	for (int i = 0; i < STRIP; i++)
	{
		scratch->least[i] = scratch->second[i] = INFINITY;
		scratch->nearest[i] = 0;
	}
	for (int first = 0; first < centers->k; first += CHUNK)
	{
		int count = centers->k - first < CHUNK ? centers->k - first : CHUNK;

		strip_distances(&strip, centers, first, count);
		rml_kmeans_two_nearest(scratch->table, first, count, picked, scratch->least,
							   scratch->second, scratch->nearest);
	}
}
