/*
 * cluster_metrics_tile.c
 *	  Distances of many rows to many rows, from differences.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_metrics_internal.h"

#define LANES RML_METRICS_LANES
#define ALIGNMENT RML_METRICS_ALIGNMENT
#define POLL_NUMBERS 1000000

/* outside 2^-400 .. 2^400, squares of differences leave the range of float8 or lose digits */
#define ORDINARY_EXPONENT 400

double
rml_metrics_scale(RmlEnv *env, const double *x, int64_t count)
{
	double largest = 0;
	int exponent;

	for (int64_t i = 0; i < count; i++)
	{
		largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
		if (i % POLL_NUMBERS == 0)
			rml_poll(env);
	}
	if (largest == 0 || !isfinite(largest))
		return 1;
	frexp(largest, &exponent);
	if (abs(exponent) <= ORDINARY_EXPONENT)
		return 1;
	/* the smallest of numbers would want more than 2^1023 */
	return ldexp(1, exponent > -1000 ? -exponent : 1000);
}

void
rml_metrics_load_tile(const double *x, int64_t n, int d, double scale, int64_t first_row,
					  double *tile)
{
	int lanes = (int) rml_metrics_min(LANES, n - first_row);

	memset(tile, 0, sizeof(double) * LANES * (size_t) d);
	for (int t = 0; t < lanes; t++)
	{
		const double *row = x + (first_row + t) * d;

		for (int f = 0; f < d; f++)
			tile[f * LANES + t] = row[f] * scale;
	}
}

RML_METRICS_CLONES void
rml_metrics_tile_distances(const double *restrict tile, const double *restrict rows, int64_t m,
						   int d, double scale, double *restrict out)
{
	for (int64_t j = 0; j < m; j++)
	{
		double *restrict sum = out + j * LANES;

		for (int t = 0; t < LANES; t++)
			sum[t] = 0;
		for (int f = 0; f < d; f++)
		{
			double value = rows[j * d + f] * scale;

			for (int t = 0; t < LANES; t++)
			{
				double difference = tile[f * LANES + t] - value;

				sum[t] += difference * difference;
			}
		}
		for (int t = 0; t < LANES; t++)
			sum[t] = sqrt(sum[t]);
	}
}

double *
rml_metrics_doubles(RmlEnv *env, size_t count, void **memory)
{
	*memory = rml_alloc_array(env, count + ALIGNMENT / sizeof(double), sizeof(double));
	return (double *) (((uintptr_t) *memory + ALIGNMENT - 1) & ~(uintptr_t) (ALIGNMENT - 1));
}

int64_t
rml_metrics_defined(const int64_t *sizes, int64_t k)
{
	int64_t clusters = 0, rows = 0;

	for (int64_t c = 0; c < k; c++)
	{
		clusters += sizes[c] > 0;
		rows += sizes[c];
	}
	return clusters >= 2 && clusters < rows ? rows : 0;
}
