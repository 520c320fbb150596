/*
 * cluster_metrics_tile.c
 *	  Distances of many rows to many rows, from differences: Euclidean, and Gower's.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_metrics_internal.h"

#define LANES RML_METRICS_LANES
#define ALIGNMENT RML_METRICS_ALIGNMENT
#define POLL_NUMBERS 1000000
#define POLL_ROWS 65536

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

RML_METRICS_CLONES void
rml_metrics_tile_gower(const double *restrict tile, const double *restrict rows, int64_t m,
					   int d_num, int d, double *restrict out)
{
	for (int64_t j = 0; j < m; j++)
	{
		double *restrict sum = out + j * LANES;

		for (int t = 0; t < LANES; t++)
			sum[t] = 0;
		for (int f = 0; f < d_num; f++)
			for (int t = 0; t < LANES; t++)
				sum[t] += fabs(tile[f * LANES + t] - rows[j * d + f]);
		for (int f = d_num; f < d; f++)
			for (int t = 0; t < LANES; t++)
				sum[t] += tile[f * LANES + t] != rows[j * d + f] ? 1.0 : 0.0;
		for (int t = 0; t < LANES; t++)
			sum[t] /= d;
	}
}

/* smallest [d] and range [d] of each number */
static void
find_ranges(RmlEnv *env, const RmlMetricRows *rows, double *smallest, double *range)
{
	const int d = rows->d_num;

	for (int f = 0; f < d; f++)
		smallest[f] = range[f] = rows->numbers[f];
	for (int64_t i = 0; i < rows->n; i++)
	{
		for (int f = 0; f < d; f++)
		{
			smallest[f] = fmin(smallest[f], rows->numbers[i * d + f]);
			range[f] = fmax(range[f], rows->numbers[i * d + f]);
		}
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	for (int f = 0; f < d; f++)
		range[f] = range[f] > smallest[f] ? range[f] - smallest[f] : 1;
}

double *
rml_metrics_gower_rows(RmlEnv *env, const RmlMetricRows *rows, int64_t count)
{
	const int d_num = rows->d_num, d_cat = rows->d_cat, d = d_num + d_cat;
	double *smallest = RML_NEW(env, double, (size_t) d_num);
	double *range = RML_NEW(env, double, (size_t) d_num);
	double *x = RML_NEW(env, double, (size_t) count *(size_t) d);

	find_ranges(env, rows, smallest, range);
	for (int64_t i = 0; i < count; i++)
	{
		for (int f = 0; f < d_num; f++)
			x[i * d + f] = (rows->numbers[i * d_num + f] - smallest[f]) / range[f];
		for (int f = 0; f < d_cat; f++)
			x[i * d + d_num + f] = rows->codes[i * d_cat + f];
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	rml_release(env, smallest);
	rml_release(env, range);
	return x;
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
