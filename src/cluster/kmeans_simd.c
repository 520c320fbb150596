/*
 * kmeans_simd.c
 *	  The inner loops of k-means.
 *
 * Sixteen rows side by side make a vector; each lane sums over the features in order, so results
 * do not depend on how many lanes the machine has.  The vector types are those of GNU C, which
 * the compiler cuts to the registers there are.
 */
#include <math.h>

#include "kmeans_internal.h"

#define TILE RML_KMEANS_TILE
#define STRIP RML_KMEANS_STRIP
#define CENTERS 4

typedef float Floats __attribute__((vector_size(TILE * sizeof(float)), aligned(16)));
typedef int32_t Ints __attribute__((vector_size(TILE * sizeof(int32_t)), aligned(16)));

/* mask ? a : b, mask being all ones or all zeros in each lane */
#define SELECT_INTS(mask, a, b) (((mask) & (a)) | (~(mask) & (b)))
#define SELECT(mask, a, b) ((Floats) SELECT_INTS(mask, (Ints) (a), (Ints) (b)))

/*
 * Squared distances of the picked tiles to count centres: table [count x STRIP].  centers is
 * [count/4][d x 4]: four sums keep the adders busy while a tile is read once for all of them.
 */
RML_KMEANS_CLONES void
rml_kmeans_tile_distances(const float *rows, const int32_t *picked, int n_picked, int d,
						  const float *centers, int count, float *table)
{
	for (int i = 0; i < n_picked; i += TILE)
		for (int c = 0; c < count; c += CENTERS)
		{
			const Floats *tile = (const Floats *) (rows + (size_t) picked[i] * d);
			const float *center = centers + (size_t) c * d;
			float *out = table + (size_t) c * STRIP + i;
			Floats sum0 = {0}, sum1 = {0}, sum2 = {0}, sum3 = {0};

			for (int j = 0; j < d; j++, center += CENTERS)
			{
				Floats x = tile[j];
				Floats e0 = x - center[0], e1 = x - center[1], e2 = x - center[2],
					   e3 = x - center[3];

				sum0 += e0 * e0;
				sum1 += e1 * e1;
				sum2 += e2 * e2;
				sum3 += e3 * e3;
			}
			*(Floats *) out = sum0;
			*(Floats *) (out + STRIP) = sum1;
			*(Floats *) (out + 2 * STRIP) = sum2;
			*(Floats *) (out + 3 * STRIP) = sum3;
		}
}

/*
 * Add gamma for each category of the picked tiles that is not the mode of count centres: modes
 * [count x d_cat], table [count x STRIP].
 */
RML_KMEANS_CLONES void
rml_kmeans_tile_mismatches(const int32_t *codes, const int32_t *picked, int n_picked, int d_cat,
						   const int32_t *modes, int count, float gamma, float *table)
{
	for (int i = 0; i < n_picked; i += TILE)
		for (int c = 0; c < count; c++)
		{
			const Ints *tile = (const Ints *) (codes + (size_t) picked[i] * d_cat);
			const int32_t *mode = modes + (size_t) c * d_cat;
			Floats *out = (Floats *) (table + (size_t) c * STRIP + i);
			Ints mismatches = {0};

			for (int f = 0; f < d_cat; f++)
				mismatches -= tile[f] != mode[f];
			*out += gamma * __builtin_convertvector(mismatches, Floats);
		}
}

/* products x.c in table [count x STRIP] become |x|^2 - 2 x.c + |c|^2, never below 0 */
RML_KMEANS_CLONES void
rml_kmeans_complete_squares(float *table, int count, int n_picked, const float *row_norms,
							const float *center_norms)
{
	for (int c = 0; c < count; c++)
	{
		float *line = table + (size_t) c * STRIP;

		for (int i = 0; i < n_picked; i++)
		{
			float square = (row_norms[i] - 2.0f * line[i]) + center_norms[c];

			line[i] = square > 0.0f ? square : 0.0f;
		}
	}
}

/* go on with least, second and nearest over count more centres, numbered from first */
RML_KMEANS_CLONES void
rml_kmeans_two_nearest(const float *table, int first, int count, int n_picked, float *least,
					   float *second, int32_t *nearest)
{
	for (int i = 0; i < n_picked; i += TILE)
	{
		Floats a = *(Floats *) (least + i);
		Floats b = *(Floats *) (second + i);
		Ints number = *(Ints *) (nearest + i);

		for (int c = 0; c < count; c++)
		{
			Floats v = *(const Floats *) (table + (size_t) c * STRIP + i);
			Ints closer = v < a;
			Floats larger = SELECT(closer, a, v);
			Ints current = (Ints){0} + (first + c);

			b = SELECT(larger < b, larger, b);
			a = SELECT(closer, v, a);
			number = SELECT_INTS(closer, current, number);
		}
		*(Floats *) (least + i) = a;
		*(Floats *) (second + i) = b;
		*(Ints *) (nearest + i) = number;
	}
}

/* second becomes how much farther the second centre is than the nearest, less a margin */
RML_KMEANS_CLONES void
rml_kmeans_gaps(float *least, float *second, int n_picked, float margin)
{
	for (int i = 0; i < n_picked; i++)
	{
		float farther = sqrtf(second[i]);

		second[i] = farther - sqrtf(least[i]) - margin * farther;
	}
}

/* what is left of the gaps after centres have moved */
RML_KMEANS_CLONES void
rml_kmeans_lower_bounds(float *bound, const int32_t *labels, const float *drift, int n)
{
	for (int i = 0; i < n; i++)
		bound[i] -= drift[labels[i]];
}

RML_KMEANS_CLONES void
rml_kmeans_minimum(float *least, const float *distances, int n)
{
	for (int i = 0; i < n; i++)
		least[i] = distances[i] < least[i] ? distances[i] : least[i];
}

/* sum of min(least, distance) over n (a multiple of 16) rows */
RML_KMEANS_CLONES double
rml_kmeans_sum_minimum(const float *least, const float *distances, int n)
{
	double lanes[TILE] = {0};
	double sum = 0.0;

	for (int i = 0; i < n; i += TILE)
		for (int lane = 0; lane < TILE; lane++)
		{
			float a = least[i + lane], b = distances[i + lane];

			lanes[lane] += b < a ? b : a;
		}
	for (int lane = 0; lane < TILE; lane++)
		sum += lanes[lane];
	return sum;
}
