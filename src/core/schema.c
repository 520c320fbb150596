/*
 * schema.c
 *	  Learning the schema of a training set, preparing rows with it, and its bytes.
 *
 * All passes over rows run in blocks of fixed size whose partial sums are combined in block
 * order, so the numbers do not depend on the thread count.
 */
#include "retailml/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/sort.h"

#define BLOCK_ROWS 4096
#define POLL_ROWS (1 << 18)

/* rows a column must have before distinct values are held against it */
#define KEY_MIN_ROWS 100

/* what a damaged model may claim at most */
#define MAX_FEATURES 1000000

const char *const rml_impute_names[] = {"mean", "median", "zero", "error", "skip", NULL};

/* ---- moments ---- */

typedef struct Moments
{
	const double *numbers; /* [n x d] */
	int64_t n;
	int d;
	const double *centre; /* [d] what is subtracted before summing */
	const double *impute; /* [d] in place of NaN, when squares are summed */
	double *sums;         /* [blocks x d] */
	int64_t *counts;      /* [blocks x d] values that are there */
} Moments;

/* sums of x - centre over the values that are there, and their number */
static void
sums_block(void *context, int64_t block, int thread)
{
	const Moments *m = context;
	const int d = m->d;
	const double *restrict centre = m->centre;
	double *restrict sums = m->sums + block * d;
	int64_t *restrict counts = m->counts + block * d;
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
	double *restrict sums = m->sums + block * d;
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

	m->sums = RML_NEW(env, double, (size_t) blocks * m->d);
	m->counts = counts == NULL ? NULL : RML_NEW(env, int64_t, (size_t) blocks * m->d);
	rml_parallel(env, blocks, pass, m);
	memset(sums, 0, sizeof(double) * m->d);
	if (counts != NULL)
		memset(counts, 0, sizeof(int64_t) * m->d);
	for (int64_t block = 0; block < blocks; block++)
		for (int j = 0; j < m->d; j++)
		{
			sums[j] += m->sums[block * m->d + j];
			if (counts != NULL)
				counts[j] += m->counts[block * m->d + j];
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

static void
learn_deciles(RmlFeature *feature, RmlEnv *env, const RmlMatrix *matrix, double *values)
{
	int64_t rows = matrix->n < RML_DECILE_ROWS ? matrix->n : RML_DECILE_ROWS;
	int64_t n = gather_column(env, matrix, feature->slot, rows, values);

	rml_sort_doubles(env, values, n);
	for (int i = 0; i < RML_DECILES; i++)
		feature->deciles[i] =
			n == 0 ? feature->impute : sorted_quantile(values, n, (double) i / (RML_DECILES - 1));
	feature->looks_like_key = feature->kind == RML_NUMERIC && n > KEY_MIN_ROWS &&
							  sorted_all_distinct_integers(values, n) &&
							  (rows == matrix->n || column_is_key(env, matrix, feature->slot));
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
	schema->rows = frame->n;
	schema->skipped = frame->skipped;
	schema->features = RML_NEW_ZERO(env, RmlFeature, frame->n_columns);
	for (int i = 0; i < frame->n_columns; i++)
	{
		RmlFeature *feature = &schema->features[i];

		feature->name = rml_strdup(env, frame->columns[i].name);
		feature->type = rml_strdup(env, frame->columns[i].type);
		feature->kind = frame->columns[i].kind;
		feature->slot = frame->columns[i].slot;
	}
}

const char *
rml_schema_learn(RmlSchema *schema, RmlEnv *env, const RmlFrame *frame, RmlMatrix *matrix,
				 RmlImpute impute, bool standardize)
{
	int64_t sample = matrix->n < RML_DECILE_ROWS ? matrix->n : RML_DECILE_ROWS;
	double *values = RML_NEW(env, double, (size_t) sample);
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
	rml_parallel(env, rml_blocks(matrix->n, BLOCK_ROWS), prepare_block, &preparation);
	rml_release(env, values);
	return NULL;
}

/* ---- using it ---- */

const RmlFeature *
rml_schema_number(const RmlSchema *schema, int slot)
{
	for (int i = 0; i < schema->n_features; i++)
		if (schema->features[i].kind != RML_CATEGORICAL && schema->features[i].slot == slot)
			return &schema->features[i];
	return NULL;
}

void
rml_schema_prepare(const RmlSchema *schema, double *numbers)
{
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];
		double *x = &numbers[feature->slot];

		if (feature->kind == RML_CATEGORICAL)
			continue;
		if (isnan(*x))
			*x = feature->impute;
		if (schema->standardize)
			*x = (*x - feature->mean) / (feature->sd > 0 ? feature->sd : 1.0);
	}
}

double
rml_schema_restore(const RmlSchema *schema, int slot, double prepared)
{
	const RmlFeature *feature = rml_schema_number(schema, slot);

	if (!schema->standardize)
		return prepared;
	return feature->mean + prepared * (feature->sd > 0 ? feature->sd : 1.0);
}

double
rml_schema_z(const RmlSchema *schema, int slot, double prepared)
{
	const RmlFeature *feature = rml_schema_number(schema, slot);

	if (feature->sd == 0)
		return 0.0;
	return schema->standardize ? prepared : (prepared - feature->mean) / feature->sd;
}

int32_t
rml_schema_code(const RmlFeature *feature, const char *text, size_t length)
{
	int32_t low = 0, high = feature->n_categories;

	while (low < high)
	{
		int32_t middle = low + (high - low) / 2;
		const char *category = feature->categories[middle];
		int order = strncmp(category, text, length);

		if (order == 0 && category[length] != '\0')
			order = 1;
		if (order == 0)
			return middle + 1;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return feature->n_categories + 1;
}

/* ---- bytes ---- */

#define TAG_SCHEMA RML_TAG('S', 'C', 'H', 'M')
#define TAG_NAMES RML_TAG('N', 'A', 'M', 'E')
#define TAG_TYPES RML_TAG('T', 'Y', 'P', 'E')
#define TAG_KINDS RML_TAG('K', 'I', 'N', 'D')
#define TAG_MISSING RML_TAG('M', 'I', 'S', 'S')
#define TAG_NUMBER RML_TAG('N', 'U', 'M', ' ')
#define TAG_CATEGORIES RML_TAG('C', 'A', 'T', 'S')
#define TAG_COUNTS RML_TAG('C', 'N', 'T', 'S')
#define TAG_N_CATEGORIES RML_TAG('N', 'C', 'A', 'T')

/* impute, mean, sd, then the deciles */
#define NUMBER_FIELDS (3 + RML_DECILES)

static void
encode_feature(const RmlFeature *feature, RmlWriter *writer)
{
	double fields[NUMBER_FIELDS] = {feature->impute, feature->mean, feature->sd};

	if (feature->kind == RML_CATEGORICAL)
	{
		rml_put_int(writer, TAG_N_CATEGORIES, feature->n_categories);
		rml_put_strings(writer, TAG_CATEGORIES, feature->categories, feature->n_categories);
		rml_put_int64(writer, TAG_COUNTS, feature->counts, feature->n_categories);
		return;
	}
	memcpy(fields + 3, feature->deciles, sizeof feature->deciles);
	rml_put_float64(writer, TAG_NUMBER, fields, NUMBER_FIELDS);
}

void
rml_schema_encode(const RmlSchema *schema, RmlWriter *writer)
{
	const int64_t head[] = {schema->n_features, schema->impute, schema->standardize,
							schema->positional, schema->rows,   schema->skipped};
	RmlEnv *env = writer->env;
	int n = schema->n_features;
	char **names = RML_NEW(env, char *, n);
	char **types = RML_NEW(env, char *, n);
	int32_t *kinds = RML_NEW(env, int32_t, n);
	int64_t *missing = RML_NEW(env, int64_t, n);

	for (int i = 0; i < n; i++)
	{
		names[i] = schema->features[i].name;
		types[i] = schema->features[i].type;
		kinds[i] = schema->features[i].kind;
		missing[i] = schema->features[i].n_missing;
	}
	rml_put_int64(writer, TAG_SCHEMA, head, 6);
	rml_put_strings(writer, TAG_NAMES, names, n);
	rml_put_strings(writer, TAG_TYPES, types, n);
	rml_put_int32(writer, TAG_KINDS, kinds, n);
	rml_put_int64(writer, TAG_MISSING, missing, n);
	for (int i = 0; i < n; i++)
		encode_feature(&schema->features[i], writer);
	rml_release(env, names);
	rml_release(env, types);
	rml_release(env, kinds);
	rml_release(env, missing);
}

static void
decode_number(RmlFeature *feature, RmlReader *reader)
{
	const double *fields = rml_get_finite(reader, TAG_NUMBER, NUMBER_FIELDS);

	if (fields == NULL)
		return;
	feature->impute = fields[0];
	feature->mean = fields[1];
	feature->sd = fields[2];
	memcpy(feature->deciles, fields + 3, sizeof feature->deciles);
	if (feature->sd < 0)
		rml_reader_fail(reader, "a standard deviation in the model is negative");
}

/* the categories must be sorted and distinct, or looking one up would not find it */
static void
decode_categories(RmlFeature *feature, RmlReader *reader)
{
	feature->n_categories = (int32_t) rml_get_int(reader, TAG_N_CATEGORIES, 0, INT32_MAX - 1);
	feature->categories = rml_get_strings(reader, TAG_CATEGORIES, feature->n_categories);
	feature->counts = rml_get_int64(reader, TAG_COUNTS, feature->n_categories);
	if (reader->error != NULL)
		return;
	for (int32_t i = 1; i < feature->n_categories; i++)
		if (strcmp(feature->categories[i - 1], feature->categories[i]) >= 0)
			rml_reader_fail(reader, "the categories in the model are not sorted");
}

static void
decode_feature(RmlSchema *schema, RmlFeature *feature, RmlReader *reader)
{
	if (feature->n_missing < 0 || feature->kind < RML_NUMERIC || feature->kind > RML_CATEGORICAL)
	{
		rml_reader_fail(reader, "a feature in the model is damaged");
		return;
	}
	if (feature->kind == RML_CATEGORICAL)
	{
		feature->slot = schema->d_cat++;
		decode_categories(feature, reader);
	}
	else
	{
		feature->slot = schema->d_num++;
		decode_number(feature, reader);
	}
}

static void
decode_head(RmlSchema *schema, RmlReader *reader)
{
	const int64_t *head = rml_get_int64(reader, TAG_SCHEMA, 6);

	if (head == NULL)
		return;
	if (head[0] < 0 || head[0] > MAX_FEATURES || head[1] < 0 || head[1] > RML_IMPUTE_SKIP ||
		(head[2] & ~1) != 0 || (head[3] & ~1) != 0 || head[4] < 0 || head[5] < 0)
	{
		rml_reader_fail(reader, "the schema of the model is damaged");
		return;
	}
	schema->n_features = (int) head[0];
	schema->impute = (RmlImpute) head[1];
	schema->standardize = head[2] != 0;
	schema->positional = head[3] != 0;
	schema->rows = head[4];
	schema->skipped = head[5];
}

void
rml_schema_decode(RmlSchema *schema, RmlReader *reader)
{
	char **names, **types;
	const int32_t *kinds;
	const int64_t *missing;
	size_t n;

	memset(schema, 0, sizeof *schema);
	decode_head(schema, reader);
	n = (size_t) schema->n_features;
	names = rml_get_strings(reader, TAG_NAMES, n);
	types = rml_get_strings(reader, TAG_TYPES, n);
	kinds = rml_get_int32(reader, TAG_KINDS, n);
	missing = rml_get_int64(reader, TAG_MISSING, n);
	if (reader->error != NULL)
	{
		schema->n_features = 0;
		return;
	}
	schema->features = RML_NEW_ZERO(reader->env, RmlFeature, n);
	for (size_t i = 0; i < n && reader->error == NULL; i++)
	{
		RmlFeature *feature = &schema->features[i];

		feature->name = names[i];
		feature->type = types[i];
		feature->kind = (RmlKind) kinds[i];
		feature->n_missing = missing[i];
		decode_feature(schema, feature, reader);
	}
}
