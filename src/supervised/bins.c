/*
 * bins.c
 *	  Cutting features into at most 255 bins.
 *
 * Numbers with few different values get a bin for each; others get bins that hold about equally many rows,
 * by the values of a sample.  Cuts are half-way between neighbouring values.  Categories have a bin
 * each; of more than 255 the rarest share one.
 */
#include "tree_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/sort.h"

/* rows the cuts are taken from: the first ones in canonical order are a random sample */
#define SAMPLE_ROWS 200000
#define BLOCK_ROWS 16384

/* ---- cuts of numbers ---- */

/* distinct values of a sorted array and how often each is there; returns their number */
static int64_t
distinct_values(const double *sorted, int64_t n, double *values, int64_t *counts)
{
	int64_t distinct = 0;

	for (int64_t i = 0; i < n; i++)
		if (distinct > 0 && values[distinct - 1] == sorted[i])
			counts[distinct - 1]++;
		else
		{
			values[distinct] = sorted[i];
			counts[distinct++] = 1;
		}
	return distinct;
}

/* between a < b, not below a and below b */
static double
between(double a, double b)
{
	double middle = a / 2 + b / 2;

	return middle >= b || middle < a ? a : middle;
}

/*
 * Close a bin as soon as it has its share of the rows that are left; values that are more frequent than
 * that have a bin of their own.
 */
static int
cut_values(const double *values, const int64_t *counts, int64_t distinct, int64_t n, double *cuts)
{
	int64_t left = n, in_bin = 0;
	int n_cuts = 0;

	for (int64_t i = 0; i + 1 < distinct; i++)
	{
		double share = (double) left / (RML_MAX_BINS - n_cuts);

		in_bin += counts[i];
		if (distinct > RML_MAX_BINS && (double) in_bin < share && (double) counts[i + 1] < share)
			continue;
		if (n_cuts == RML_MAX_BINS - 1)
			break;
		cuts[n_cuts++] = between(values[i], values[i + 1]);
		left -= in_bin;
		in_bin = 0;
	}
	return n_cuts;
}

static void
cut_number(RmlBins *bins, RmlEnv *env, const RmlTrainingSet *rows, int slot, double *sorted)
{
	int64_t n = rows->n < SAMPLE_ROWS ? rows->n : SAMPLE_ROWS;
	int d_num = rows->schema->d_num;
	double *values = RML_NEW(env, double, (size_t) n);
	int64_t *counts = RML_NEW(env, int64_t, (size_t) n);
	int64_t distinct;

	for (int64_t i = 0; i < n; i++)
		sorted[i] = rows->numbers[i * d_num + slot];
	rml_sort_doubles(env, sorted, n);
	distinct = distinct_values(sorted, n, values, counts);
	bins->thresholds[slot] = RML_NEW(env, double, RML_MAX_BINS);
	bins->n_bins[slot] = 1 + cut_values(values, counts, distinct, n, bins->thresholds[slot]);
	rml_release(env, values);
	rml_release(env, counts);
}

/* ---- bins of categories ---- */

typedef struct CodeCount
{
	int64_t count;
	int32_t code;
} CodeCount;

/* most frequent first, ties by code */
static int
compare_counts(const void *a, const void *b)
{
	const CodeCount *p = a, *q = b;

	if (p->count != q->count)
		return p->count > q->count ? -1 : 1;
	return p->code - q->code;
}

static void
bin_rare_codes(const RmlFeature *feature, RmlEnv *env, uint8_t *code_bins)
{
	int32_t n = feature->n_categories + 1;
	CodeCount *sorted = RML_NEW(env, CodeCount, (size_t) n);

	sorted[0] = (CodeCount){feature->n_missing, 0};
	for (int32_t code = 1; code < n; code++)
		sorted[code] = (CodeCount){feature->counts[code - 1], code};
	qsort(sorted, (size_t) n, sizeof(CodeCount), compare_counts);
	for (int32_t i = 0; i < n; i++)
		code_bins[sorted[i].code] = (uint8_t) (i < RML_MAX_BINS - 1 ? i : RML_MAX_BINS - 1);
	rml_release(env, sorted);
}

static void
bin_categories(RmlBins *bins, RmlEnv *env, const RmlFeature *feature)
{
	int32_t n = feature->n_categories + 1;
	uint8_t *code_bins = RML_NEW(env, uint8_t, (size_t) n);

	bins->n_codes[feature->slot] = n;
	bins->code_bins[feature->slot] = code_bins;
	bins->n_bins[bins->d_num + feature->slot] = n < RML_MAX_BINS ? n : RML_MAX_BINS;
	if (n > RML_MAX_BINS)
		bin_rare_codes(feature, env, code_bins);
	else
		for (int32_t code = 0; code < n; code++)
			code_bins[code] = (uint8_t) code;
}

/* ---- bins of all rows ---- */

typedef struct Filling
{
	RmlBins *bins;
	const RmlTrainingSet *rows;
} Filling;

/* the first bin whose threshold is not below x; branch-free, as x is random */
static inline int
number_bin(const double *thresholds, int n_bins, double x)
{
	const double *base = thresholds;
	int n = n_bins - 1;

	if (n == 0)
		return 0;
	while (n > 1)
	{
		int half = n / 2;

		base += base[half - 1] < x ? half : 0;
		n -= half;
	}
	return (int) (base - thresholds) + (*base < x);
}

static void
fill_block(void *context, int64_t block, int thread)
{
	const Filling *filling = context;
	const RmlTrainingSet *rows = filling->rows;
	RmlBins *bins = filling->bins;
	const int d_num = bins->d_num, d_cat = bins->d - d_num;
	int64_t start = block * BLOCK_ROWS, end = rml_block_end(block, BLOCK_ROWS, bins->n);

	(void) thread;
	for (int f = 0; f < d_num; f++)
	{
		uint8_t *column = bins->columns + (int64_t) f * bins->n;
		const double *thresholds = bins->thresholds[f];

		for (int64_t i = start; i < end; i++)
			column[i] =
				(uint8_t) number_bin(thresholds, bins->n_bins[f], rows->numbers[i * d_num + f]);
	}
	for (int f = 0; f < d_cat; f++)
	{
		uint8_t *column = bins->columns + (int64_t) (d_num + f) * bins->n;
		const uint8_t *code_bins = bins->code_bins[f];

		for (int64_t i = start; i < end; i++)
			column[i] = code_bins[rows->codes[i * d_cat + f]];
	}
}

void
rml_bins_make(RmlBins *bins, RmlEnv *env, const RmlTrainingSet *rows)
{
	const RmlSchema *schema = rows->schema;
	Filling filling = {bins, rows};
	double *sorted = RML_NEW(env, double, (size_t) (rows->n < SAMPLE_ROWS ? rows->n : SAMPLE_ROWS));

	bins->n = rows->n;
	bins->d = schema->d_num + schema->d_cat;
	bins->d_num = schema->d_num;
	bins->n_bins = RML_NEW_ZERO(env, int, (size_t) bins->d);
	bins->thresholds = RML_NEW_ZERO(env, double *, (size_t) schema->d_num);
	bins->n_codes = RML_NEW_ZERO(env, int32_t, (size_t) schema->d_cat);
	bins->code_bins = RML_NEW_ZERO(env, uint8_t *, (size_t) schema->d_cat);
	bins->columns = RML_NEW(env, uint8_t, (size_t) bins->d * (size_t) bins->n);
	bins->rows = NULL;
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		if (feature->kind == RML_CATEGORICAL)
			bin_categories(bins, env, feature);
		else
			cut_number(bins, env, rows, feature->slot, sorted);
		rml_poll(env);
	}
	rml_release(env, sorted);
	rml_parallel(env, rml_blocks(bins->n, BLOCK_ROWS), fill_block, &filling);
}

static void
transpose_block(void *context, int64_t block, int thread)
{
	RmlBins *bins = context;
	int64_t start = block * BLOCK_ROWS, end = rml_block_end(block, BLOCK_ROWS, bins->n);

	(void) thread;
	for (int f = 0; f < bins->d; f++)
	{
		const uint8_t *column = rml_bins_column(bins, f);

		for (int64_t i = start; i < end; i++)
			bins->rows[i * bins->d + f] = column[i];
	}
}

void
rml_bins_make_rows(RmlBins *bins, RmlEnv *env)
{
	bins->rows = RML_NEW(env, uint8_t, (size_t) bins->d * (size_t) bins->n);
	rml_parallel(env, rml_blocks(bins->n, BLOCK_ROWS), transpose_block, bins);
}

size_t
rml_bins_bytes(int64_t n, int d)
{
	return (size_t) n * (size_t) d + (size_t) d * RML_MAX_BINS * sizeof(double) +
		   3 * SAMPLE_ROWS * sizeof(double);
}
