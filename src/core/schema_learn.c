/*
 * schema_learn.c
 *	  Learning the schema of a training set.
 *
 * All passes over rows run in blocks of fixed size whose partial sums are combined in block
 * order, so the numbers do not depend on the thread count.
 */
#include "retailml/schema.h"

#include <math.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/sort.h"

#define BLOCK_ROWS 4096
#define POLL_ROWS (1 << 18)

/* rows a column must have before distinct values are held against it */
#define KEY_MIN_ROWS 100

/* ---- moments ---- */

typedef struct Moments
{
	const double *numbers; /* [n x d] */
	int64_t n;
	int d;
	const double *centre; /* [d] what is subtracted before summing */
	const double *impute; /* [d] in place of NaN, when squares are summed */
	int64_t stride;       /* from one block's sums to the next one's */
	double *sums;         /* [blocks x stride] */
	int64_t *counts;      /* [blocks x stride] values that are there */
} Moments;

/* sums of x - centre over the values that are there, and their number */
static void
sums_block(void *context, int64_t block, int thread)
{
	const Moments *m = context;
	const int d = m->d;
	const double *restrict centre = m->centre;
	double *restrict sums = m->sums + block * m->stride;
	int64_t *restrict counts = m->counts + block * m->stride;
	int64_t end = rml_block_end(block, BLOCK_ROWS, m->n);

	(void) thread;
	memset(sums, 0, sizeof(double) * d);
	memset(counts, 0, sizeof(int64_t) * d);
	for (int64_t i = block * BLOCK_ROWS; i < end; i++)
	{
		const double *restrict x = m->numbers + i * d;

		for (int j = 0; j < d; j++)
		{
			double shifted = x[j] - centre[j];

			sums[j] += shifted == shifted ? shifted : 0.0;
			counts[j] += shifted == shifted;
		}
	}
}

/* sums of (x - centre)^2 with imputed values in place of missing ones */
static void
squares_block(void *context, int64_t block, int thread)
{
	const Moments *m = context;
	const int d = m->d;
	const double *restrict centre = m->centre;
	const double *restrict impute = m->impute;
	double *restrict sums = m->sums + block * m->stride;
	int64_t end = rml_block_end(block, BLOCK_ROWS, m->n);

	(void) thread;
	memset(sums, 0, sizeof(double) * d);
	for (int64_t i = block * BLOCK_ROWS; i < end; i++)
	{
		const double *restrict x = m->numbers + i * d;

		for (int j = 0; j < d; j++)
		{
			double shifted = (x[j] == x[j] ? x[j] : impute[j]) - centre[j];

			sums[j] += shifted * shifted;
		}
	}
}

/* run one of the passes and add up its blocks in order; counts may be NULL */
static void
moments_run(Moments *m, RmlEnv *env, RmlBlockFn pass, double *sums, int64_t *counts)
{
	int64_t blocks = rml_blocks(m->n, BLOCK_ROWS);

	m->stride = rml_block_stride(m->d);
	m->sums = RML_NEW(env, double, (size_t) blocks * m->stride);
	m->counts = counts == NULL ? NULL : RML_NEW(env, int64_t, (size_t) blocks * m->stride);
	rml_parallel(env, blocks, pass, m);
	memset(sums, 0, sizeof(double) * m->d);
	if (counts != NULL)
		memset(counts, 0, sizeof(int64_t) * m->d);
	for (int64_t block = 0; block < blocks; block++)
		for (int j = 0; j < m->d; j++)
		{
			sums[j] += m->sums[block * m->stride + j];
			if (counts != NULL)
				counts[j] += m->counts[block * m->stride + j];
		}
	rml_release(env, m->sums);
	rml_release(env, m->counts);
}

/* first value of the column that is there, or 0 */
static double
first_value(RmlEnv *env, const RmlMatrix *matrix, int slot)
{
	for (int64_t i = 0; i < matrix->n; i++)
	{
		double x = matrix->numbers[i * matrix->d_num + slot];

		if (!isnan(x))
			return x;
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	return 0.0;
}

/* ---- order statistics ---- */

/* the column's values that are there, from the first rows of the matrix; returns their number */
static int64_t
gather_column(RmlEnv *env, const RmlMatrix *matrix, int slot, int64_t rows, double *values)
{
	int64_t n = 0;

	for (int64_t i = 0; i < rows; i++)
	{
		double x = matrix->numbers[i * matrix->d_num + slot];

		if (!isnan(x))
			values[n++] = x;
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(env);
	}
	return n;
}

/* quantile of sorted values with linear interpolation (R type 7, numpy's default) */
static double
sorted_quantile(const double *values, int64_t n, double p)
{
	double position = p * (double) (n - 1);
	int64_t below = (int64_t) position;
	double fraction = position - (double) below;

	if (below + 1 >= n)
		return values[n - 1];
	return values[below] + fraction * (values[below + 1] - values[below]);
}

static double
column_median(RmlEnv *env, const RmlMatrix *matrix, int slot)
{
	double *values = RML_NEW(env, double, (size_t) matrix->n);
	int64_t n = gather_column(env, matrix, slot, matrix->n, values);
	double median;

	rml_sort_doubles(env, values, n);
	median = sorted_quantile(values, n, 0.5);
	rml_release(env, values);
	return median;
}

static bool
sorted_all_distinct_integers(const double *values, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (values[i] != floor(values[i]) || (i > 0 && values[i] == values[i - 1]))
			return false;
	return true;
}

/* rows that deciles, and a first look for keys, are taken from */
static int64_t
sample_rows(const RmlMatrix *matrix)
{
	return matrix->n < RML_DECILE_ROWS ? matrix->n : RML_DECILE_ROWS;
}

/* a sample that is all distinct integers earns a look at the whole column */
static bool
column_is_key(RmlEnv *env, const RmlMatrix *matrix, int slot)
{
	double *values = RML_NEW(env, double, (size_t) matrix->n);
	int64_t n = gather_column(env, matrix, slot, matrix->n, values);
	bool key;

	rml_sort_doubles(env, values, n);
	key = sorted_all_distinct_integers(values, n);
	rml_release(env, values);
	return key;
}

/* does a column with these n sorted values in its sample hold a different integer in each row? */
static bool
looks_like_key(const RmlFeature *feature, RmlEnv *env, const RmlMatrix *matrix,
			   const double *values, int64_t n)
{
	return feature->kind == RML_NUMERIC && n > KEY_MIN_ROWS &&
		   sorted_all_distinct_integers(values, n) &&
		   (sample_rows(matrix) == matrix->n || column_is_key(env, matrix, feature->slot));
}

static void
learn_deciles(RmlFeature *feature, RmlEnv *env, const RmlMatrix *matrix, double *values)
{
	int64_t n = gather_column(env, matrix, feature->slot, sample_rows(matrix), values);

	rml_sort_doubles(env, values, n);
	for (int i = 0; i < RML_DECILES; i++)
		feature->deciles[i] =
			n == 0 ? feature->impute : sorted_quantile(values, n, (double) i / (RML_DECILES - 1));
	feature->looks_like_key = looks_like_key(feature, env, matrix, values, n);
}

/* ---- learning ---- */

typedef struct Preparation
{
	const RmlSchema *schema;
	RmlMatrix *matrix;
} Preparation;

static void
prepare_block(void *context, int64_t block, int thread)
{
	Preparation *p = context;
	int64_t end = rml_block_end(block, BLOCK_ROWS, p->matrix->n);

	(void) thread;
	for (int64_t i = block * BLOCK_ROWS; i < end; i++)
		rml_schema_prepare(p->schema, p->matrix->numbers + i * p->matrix->d_num);
}

static double
impute_value(RmlEnv *env, const RmlMatrix *matrix, int slot, RmlImpute impute, double mean)
{
	if (impute == RML_IMPUTE_ZERO)
		return 0.0;
	if (impute == RML_IMPUTE_MEDIAN)
		return column_median(env, matrix, slot);
	return mean;
}

/* fill n_missing, impute and mean of each numeric feature from the sums of x - centre */
static const char *
learn_means(RmlSchema *schema, RmlEnv *env, const RmlMatrix *matrix, const double *centre,
			const double *sums, const int64_t *counts)
{
	for (int i = 0; i < schema->n_features; i++)
	{
		RmlFeature *feature = &schema->features[i];
		int j = feature->slot;

		if (feature->kind == RML_CATEGORICAL)
			continue;
		if (counts[j] == 0)
			return rml_format(env, "column \"%s\" has no values", feature->name);
		feature->n_missing = matrix->n - counts[j];
		feature->mean = centre[j] + sums[j] / (double) counts[j];
		if (!isfinite(feature->mean))
			return rml_format(env, "values of column \"%s\" are too large", feature->name);
		feature->impute = impute_value(env, matrix, j, schema->impute, feature->mean);
		/* the mean after imputation: what the kernel will see */
		if (feature->n_missing > 0)
			feature->mean = centre[j] + (sums[j] + (double) feature->n_missing *
													   (feature->impute - centre[j])) /
											(double) matrix->n;
	}
	return NULL;
}

static const char *
learn_deviations(RmlSchema *schema, RmlEnv *env, Moments *m, double *centre, double *sums)
{
	double *impute = RML_NEW(env, double, m->d);

	for (int i = 0; i < schema->n_features; i++)
		if (schema->features[i].kind != RML_CATEGORICAL)
		{
			centre[schema->features[i].slot] = schema->features[i].mean;
			impute[schema->features[i].slot] = schema->features[i].impute;
		}
	m->impute = impute;
	moments_run(m, env, squares_block, sums, NULL);
	rml_release(env, impute);
	for (int i = 0; i < schema->n_features; i++)
	{
		RmlFeature *feature = &schema->features[i];

		if (feature->kind == RML_CATEGORICAL)
			continue;
		feature->sd = sqrt(sums[feature->slot] / (double) m->n);
		if (!isfinite(feature->sd))
			return rml_format(env, "values of column \"%s\" are too large", feature->name);
	}
	return NULL;
}

static const char *
learn_numbers(RmlSchema *schema, RmlEnv *env, const RmlMatrix *matrix)
{
	int d = matrix->d_num;
	Moments m = {.numbers = matrix->numbers, .n = matrix->n, .d = d};
	double *centre = RML_NEW(env, double, d);
	double *sums = RML_NEW(env, double, d);
	int64_t *counts = RML_NEW(env, int64_t, d);
	const char *reason;

	/* shift by a value of the column first: sums of 1e9 + small keep the small part */
	for (int j = 0; j < d; j++)
		centre[j] = first_value(env, matrix, j);
	m.centre = centre;
	moments_run(&m, env, sums_block, sums, counts);
	reason = learn_means(schema, env, matrix, centre, sums, counts);
	if (reason == NULL)
		reason = learn_deviations(schema, env, &m, centre, sums);
	rml_release(env, centre);
	rml_release(env, sums);
	rml_release(env, counts);
	return reason;
}

static void
learn_categories(RmlFeature *feature, RmlEnv *env, const RmlColumn *column, const RmlMatrix *matrix)
{
	int32_t n = column->dictionary.n;
	int64_t largest = 0;

	feature->n_categories = n;
	feature->categories = RML_NEW(env, char *, n);
	for (int32_t i = 0; i < n; i++)
		feature->categories[i] = rml_strdup(env, column->dictionary.texts[i]);
	feature->counts = RML_NEW_ZERO(env, int64_t, n);
	for (int64_t i = 0; i < matrix->n; i++)
	{
		int32_t code = matrix->codes[i * matrix->d_cat + feature->slot];

		if (code == 0)
			feature->n_missing++;
		else
			feature->counts[code - 1]++;
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(env);
	}
	for (int32_t i = 0; i < n; i++)
		largest = feature->counts[i] > largest ? feature->counts[i] : largest;
	feature->looks_like_key = matrix->n > KEY_MIN_ROWS && largest == 1 && feature->n_missing == 0;
}

static void
schema_from_frame(RmlSchema *schema, RmlEnv *env, const RmlFrame *frame)
{
	memset(schema, 0, sizeof *schema);
	schema->n_features = frame->n_columns;
	schema->d_num = frame->d_num;
	schema->d_cat = frame->d_cat;
	schema->skipped = frame->skipped;
	schema->features = RML_NEW_ZERO(env, RmlFeature, frame->n_columns);
	for (int i = 0; i < frame->n_columns; i++)
	{
		RmlFeature *feature = &schema->features[i];

		feature->name = rml_strdup(env, frame->columns[i].name);
		feature->type = rml_strdup(env, frame->columns[i].type);
		feature->kind = frame->columns[i].kind;
		feature->slot = frame->columns[i].slot;
		feature->traits = frame->columns[i].traits;
	}
}

void
rml_schema_describe(RmlSchema *schema, RmlEnv *env, const RmlFrame *frame, const RmlMatrix *matrix)
{
	double *values = RML_NEW(env, double, (size_t) sample_rows(matrix));

	schema_from_frame(schema, env, frame);
	schema->rows = matrix->n;
	for (int i = 0; i < schema->n_features; i++)
	{
		RmlFeature *feature = &schema->features[i];
		int64_t n;

		rml_poll(env);
		if (feature->kind == RML_CATEGORICAL)
		{
			learn_categories(feature, env, &frame->columns[i], matrix);
			continue;
		}
		n = gather_column(env, matrix, feature->slot, sample_rows(matrix), values);
		rml_sort_doubles(env, values, n);
		feature->looks_like_key = looks_like_key(feature, env, matrix, values, n);
	}
	rml_release(env, values);
}

const char *
rml_schema_learn(RmlSchema *schema, RmlEnv *env, const RmlFrame *frame, RmlMatrix *matrix,
				 RmlImpute impute, bool standardize)
{
	double *values = RML_NEW(env, double, (size_t) sample_rows(matrix));
	Preparation preparation = {schema, matrix};
	const char *reason;

	schema_from_frame(schema, env, frame);
	schema->rows = matrix->n;
	schema->impute = impute;
	schema->standardize = standardize;
	reason = learn_numbers(schema, env, matrix);
	if (reason != NULL)
		return reason;
	for (int i = 0; i < schema->n_features; i++)
	{
		if (schema->features[i].kind == RML_CATEGORICAL)
			learn_categories(&schema->features[i], env, &frame->columns[i], matrix);
		else
			learn_deciles(&schema->features[i], env, matrix, values);
		rml_poll(env);
	}
	rml_schema_index(schema, env);
	rml_parallel(env, rml_blocks(matrix->n, BLOCK_ROWS), prepare_block, &preparation);
	rml_release(env, values);
	return NULL;
}
