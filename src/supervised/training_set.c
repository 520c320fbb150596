/*
 * training_set.c
 *	  Copying rows and columns, and learning from the copy alone.
 *
 * The copy keeps the order of the rows, so that a subset of rows in canonical order is in one that
 * does not depend on how they were collected.
 */
#include "retailml/training_set.h"

#include <math.h>
#include <string.h>

#define POLL_ROWS (1 << 14)
#define POLL_PREDICTIONS 16

/* ---- columns without values ---- */

static bool
has_values(const RmlColumn *column, const RmlMatrix *matrix)
{
	if (column->kind == RML_CATEGORICAL)
		return column->dictionary.n > 0;
	for (int64_t i = 0; i < matrix->n; i++)
		if (!isnan(matrix->numbers[i * matrix->d_num + column->slot]))
			return true;
	return false;
}

/* keep these slots of a row, in their order */
static void
compact_row(RmlMatrix *matrix, int64_t i, const int *numbers, int d_num, const int *codes,
			int d_cat)
{
	const double *from = matrix->numbers + i * matrix->d_num;
	const int32_t *codes_from = matrix->codes + i * matrix->d_cat;

	for (int j = 0; j < d_num; j++)
		matrix->numbers[i * d_num + j] = from[numbers[j]];
	for (int j = 0; j < d_cat; j++)
		matrix->codes[i * d_cat + j] = codes_from[codes[j]];
}

/* columns with values first, others behind; slots are dealt out anew */
static int
reorder_columns(RmlEnv *env, RmlColumn *columns, int n_columns, const RmlMatrix *matrix,
				int *numbers, int *codes, int *d_num, int *d_cat)
{
	RmlColumn *empty = RML_NEW(env, RmlColumn, (size_t) n_columns);
	int kept = 0, dropped = 0;

	for (int i = 0; i < n_columns; i++)
	{
		RmlColumn column = columns[i];

		if (!has_values(&column, matrix))
		{
			empty[dropped++] = column;
			continue;
		}
		if (column.kind == RML_CATEGORICAL)
		{
			codes[*d_cat] = column.slot;
			column.slot = (*d_cat)++;
		}
		else
		{
			numbers[*d_num] = column.slot;
			column.slot = (*d_num)++;
		}
		columns[kept++] = column;
	}
	for (int i = 0; i < dropped; i++)
		columns[kept + i] = empty[i];
	rml_release(env, empty);
	return kept;
}

int
rml_raw_drop_empty(RmlEnv *env, RmlColumn *columns, int n_columns, RmlMatrix *matrix)
{
	int *numbers = RML_NEW(env, int, (size_t) n_columns);
	int *codes = RML_NEW(env, int, (size_t) n_columns);
	int d_num = 0, d_cat = 0;
	int kept = reorder_columns(env, columns, n_columns, matrix, numbers, codes, &d_num, &d_cat);

	for (int64_t i = 0; i < matrix->n && kept < n_columns; i++)
	{
		compact_row(matrix, i, numbers, d_num, codes, d_cat);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	matrix->d_num = d_num;
	matrix->d_cat = d_cat;
	rml_release(env, numbers);
	rml_release(env, codes);
	return kept;
}

/* ---- columns ---- */

/* where the chosen columns come from and what their codes become */
typedef struct Selection
{
	int n_columns;
	int d_num;
	int d_cat;
	RmlColumn *columns; /* [n_columns] with slots and dictionaries of their own */
	int *numbers;       /* [d_num] slot among the raw numbers */
	int *codes;         /* [d_cat] slot among the raw codes */
	int32_t **maps;     /* [d_cat][raw dictionary + 1] new code */
} Selection;

/* dictionaries and maps are left for later */
static void
select_columns(RmlEnv *env, const RmlRawRows *raw, const bool *features, Selection *s)
{
	size_t n = (size_t) raw->n_columns;

	memset(s, 0, sizeof *s);
	s->columns = RML_NEW(env, RmlColumn, n);
	s->numbers = RML_NEW(env, int, n);
	s->codes = RML_NEW(env, int, n);
	s->maps = RML_NEW_ZERO(env, int32_t *, n);
	for (int i = 0; i < raw->n_columns; i++)
	{
		const RmlColumn *column = &raw->columns[i];
		RmlColumn *copy = &s->columns[s->n_columns];

		if (features != NULL && !features[i])
			continue;
		*copy = *column;
		s->n_columns++;
		if (column->kind == RML_CATEGORICAL)
		{
			copy->slot = s->d_cat;
			s->codes[s->d_cat++] = column->slot;
		}
		else
		{
			copy->slot = s->d_num;
			s->numbers[s->d_num++] = column->slot;
		}
	}
}

static void
release_selection(RmlEnv *env, Selection *s)
{
	for (int i = 0; i < s->n_columns; i++)
		if (s->columns[i].kind == RML_CATEGORICAL)
			rml_release(env, s->maps[s->columns[i].slot]);
	rml_release(env, s->columns);
	rml_release(env, s->numbers);
	rml_release(env, s->codes);
	rml_release(env, s->maps);
}

/* which categories of a raw slot the rows of the subset have: 1 or 0 by code */
static int32_t *
seen_codes(RmlEnv *env, const RmlRawRows *raw, const RmlSubset *subset, int slot, int32_t n)
{
	const RmlMatrix *matrix = raw->matrix;
	int32_t *seen = RML_NEW_ZERO(env, int32_t, (size_t) n + 1);

	for (int64_t i = 0; i < subset->n; i++)
	{
		seen[matrix->codes[subset->rows[i] * matrix->d_cat + slot]] = 1;
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	return seen;
}

/* number the categories that the subset has, in their order */
static void
learn_maps(RmlEnv *env, const RmlRawRows *raw, const RmlSubset *subset, Selection *s)
{
	for (int i = 0; i < s->n_columns; i++)
	{
		RmlColumn *column = &s->columns[i];
		const RmlDictionary all = column->dictionary;
		int32_t *map;

		if (column->kind != RML_CATEGORICAL)
			continue;
		map = seen_codes(env, raw, subset, s->codes[column->slot], all.n);
		column->dictionary = (RmlDictionary){.texts = RML_NEW(env, char *, (size_t) all.n), .n = 0};
		map[0] = 0;
		for (int32_t code = 1; code <= all.n; code++)
			if (map[code] != 0)
			{
				column->dictionary.texts[column->dictionary.n] = all.texts[code - 1];
				map[code] = ++column->dictionary.n;
			}
		s->maps[column->slot] = map;
	}
}

/* codes of the raw categories in a schema; features of the schema are the selected columns */
static void
find_maps(RmlEnv *env, const RmlSchema *schema, Selection *s)
{
	for (int i = 0; i < s->n_columns; i++)
	{
		const RmlDictionary *all = &s->columns[i].dictionary;
		int32_t *map;

		if (s->columns[i].kind != RML_CATEGORICAL)
			continue;
		map = RML_NEW(env, int32_t, (size_t) all->n + 1);
		map[0] = 0;
		for (int32_t code = 1; code <= all->n; code++)
			map[code] = rml_schema_code(&schema->features[i], all->texts[code - 1],
										strlen(all->texts[code - 1]));
		s->maps[s->columns[i].slot] = map;
	}
}

/* ---- rows ---- */

static void
copy_rows(RmlEnv *env, const RmlRawRows *raw, const RmlSubset *subset, const Selection *s,
		  RmlMatrix *matrix)
{
	const RmlMatrix *from = raw->matrix;

	*matrix = (RmlMatrix){.n = subset->n, .d_num = s->d_num, .d_cat = s->d_cat};
	matrix->numbers = RML_NEW(env, double, (size_t) subset->n *(size_t) s->d_num);
	matrix->codes = RML_NEW(env, int32_t, (size_t) subset->n * (size_t) s->d_cat);
	for (int64_t i = 0; i < subset->n; i++)
	{
		const double *numbers = from->numbers + subset->rows[i] * from->d_num;
		const int32_t *codes = from->codes + subset->rows[i] * from->d_cat;

		for (int j = 0; j < s->d_num; j++)
			matrix->numbers[i * s->d_num + j] = numbers[s->numbers[j]];
		for (int j = 0; j < s->d_cat; j++)
			matrix->codes[i * s->d_cat + j] = s->maps[j][codes[s->codes[j]]];
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
}

static double *
copy_numbers(RmlEnv *env, const double *from, const RmlSubset *subset)
{
	double *copy;

	if (from == NULL)
		return NULL;
	copy = RML_NEW(env, double, (size_t) subset->n);
	for (int64_t i = 0; i < subset->n; i++)
		copy[i] = from[subset->rows[i]];
	rml_poll(env);
	return copy;
}

/* ---- the label ---- */

/* rows of each class [K] */
static int64_t *
count_classes(RmlEnv *env, const RmlRawRows *raw, const RmlSubset *subset)
{
	int64_t *counts = RML_NEW_ZERO(env, int64_t, (size_t) raw->target.n_classes);

	for (int64_t i = 0; i < subset->n; i++)
		counts[raw->classes[subset->rows[i]]]++;
	rml_poll(env);
	return counts;
}

/* the classes that are present become those of the set; number [K] is the new number of each */
static void
number_classes(RmlEnv *env, const RmlRawRows *raw, const int64_t *counts, RmlPrepared *prepared,
			   int32_t *number)
{
	size_t n = (size_t) raw->target.n_classes;
	RmlTarget *target = &prepared->rows.target;

	target->n_classes = 0;
	target->classes = RML_NEW(env, char *, n);
	target->counts = RML_NEW(env, int64_t, n);
	prepared->present = RML_NEW(env, int32_t, n);
	for (int32_t k = 0; k < raw->target.n_classes; k++)
	{
		number[k] = target->n_classes;
		if (counts[k] == 0)
			continue;
		target->classes[target->n_classes] = raw->target.classes[k];
		target->counts[target->n_classes] = counts[k];
		prepared->present[target->n_classes++] = k;
	}
}

static const char *
copy_classes(RmlEnv *env, const RmlRawRows *raw, const RmlSubset *subset, RmlPrepared *prepared)
{
	int32_t *number = RML_NEW(env, int32_t, (size_t) raw->target.n_classes);
	int32_t *classes = RML_NEW(env, int32_t, (size_t) subset->n);
	int64_t *counts = count_classes(env, raw, subset);

	number_classes(env, raw, counts, prepared, number);
	for (int64_t i = 0; i < subset->n; i++)
		classes[i] = number[raw->classes[subset->rows[i]]];
	prepared->rows.classes = classes;
	rml_release(env, number);
	rml_release(env, counts);
	if (prepared->rows.target.n_classes > 1)
		return NULL;
	return rml_format(env, "the label \"%s\" is \"%s\" in all training rows", raw->target.name,
					  prepared->rows.target.classes[0]);
}

static bool
all_zero(const double *weights, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (weights[i] > 0)
			return false;
	return true;
}

/* ---- the whole ---- */

const char *
rml_training_set_learn(RmlEnv *env, const RmlRawRows *raw, const RmlSubset *subset,
					   RmlImpute impute, RmlPrepared *prepared)
{
	RmlTrainingSet *rows = &prepared->rows;
	const char *reason = NULL;
	RmlFrame shape;
	RmlMatrix matrix;
	Selection s;

	memset(prepared, 0, sizeof *prepared);
	if (subset->n == 0)
		return "there are no training rows";
	*rows = (RmlTrainingSet){.schema = &prepared->schema, .target = raw->target, .n = subset->n};
	if (raw->classes != NULL)
		reason = copy_classes(env, raw, subset, prepared);
	if (reason != NULL)
		return reason;
	rows->y = copy_numbers(env, raw->y, subset);
	rows->weights = copy_numbers(env, raw->weights, subset);
	if (rows->weights != NULL && all_zero(rows->weights, rows->n))
		return "the weights of all training rows are zero";
	select_columns(env, raw, subset->features, &s);
	learn_maps(env, raw, subset, &s);
	copy_rows(env, raw, subset, &s, &matrix);
	shape = (RmlFrame){.env = env,
					   .n_columns = s.n_columns,
					   .d_num = s.d_num,
					   .d_cat = s.d_cat,
					   .columns = s.columns};
	reason = rml_schema_learn(&prepared->schema, env, &shape, &matrix, impute, false);
	rows->numbers = matrix.numbers;
	rows->codes = matrix.codes;
	release_selection(env, &s);
	return reason;
}

void
rml_training_set_apply(RmlEnv *env, const RmlRawRows *raw, const RmlSubset *subset,
					   const RmlSchema *schema, RmlMatrix *matrix)
{
	Selection s;

	select_columns(env, raw, subset->features, &s);
	find_maps(env, schema, &s);
	copy_rows(env, raw, subset, &s, matrix);
	for (int64_t i = 0; i < matrix->n; i++)
	{
		rml_schema_prepare(schema, matrix->numbers + i * matrix->d_num);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	release_selection(env, &s);
}

static void
predict_classes(RmlEnv *env, const RmlAlgorithm *algorithm, const void *fitted, int n_classes,
				const RmlPrepared *prepared, const RmlMatrix *matrix, double *predictions)
{
	int n_present = prepared->rows.target.n_classes;
	double *probabilities = RML_NEW(env, double, (size_t) n_present);

	for (int64_t i = 0; i < matrix->n; i++)
	{
		double *row = predictions + i * n_classes;

		algorithm->proba(fitted, matrix->numbers + i * matrix->d_num,
						 matrix->codes + i * matrix->d_cat, probabilities);
		memset(row, 0, sizeof(double) * (size_t) n_classes);
		for (int k = 0; k < n_present; k++)
			row[prepared->present[k]] = probabilities[k];
		if (i % POLL_PREDICTIONS == 0)
			rml_poll(env);
	}
	rml_release(env, probabilities);
}

void
rml_training_set_predict(RmlEnv *env, const RmlAlgorithm *algorithm, const void *fitted,
						 const RmlRawRows *raw, const RmlPrepared *prepared,
						 const RmlMatrix *matrix, double *predictions)
{
	if (raw->target.n_classes > 2)
	{
		predict_classes(env, algorithm, fitted, raw->target.n_classes, prepared, matrix,
						predictions);
		return;
	}
	for (int64_t i = 0; i < matrix->n; i++)
	{
		predictions[i] = algorithm->predict(fitted, matrix->numbers + i * matrix->d_num,
											matrix->codes + i * matrix->d_cat);
		if (i % POLL_PREDICTIONS == 0)
			rml_poll(env);
	}
}

size_t
rml_training_set_bytes(const RmlRawRows *raw, int64_t n)
{
	size_t row = sizeof(double) * (size_t) raw->matrix->d_num +
				 sizeof(int32_t) * (size_t) raw->matrix->d_cat + 2 * sizeof(double);

	return row * (size_t) n;
}
