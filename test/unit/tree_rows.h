/*
 * tree_rows.h
 *	  Rows that trees are grown on in tests: golden ones, and planted ones with categories.
 */
#ifndef RETAILML_TEST_TREE_ROWS_H
#define RETAILML_TEST_TREE_ROWS_H

#include "training.h"

#include "retailml/boost.h"
#include "retailml/forest.h"
#include "retailml/rng.h"

/* columns of test/golden/trees_rows.csv */
#define GOLDEN_D 4

/* parameters with their defaults, as an options object would give them */
static inline void
default_params(const RmlLearner *learner, void *params)
{
	const RmlOptionSet set = {learner->algorithm->options, learner->algorithm->n_options, params};

	memset(params, 0, learner->algorithm->params_size);
	rml_options_default(&set);
}

/* texts k0, k1, ... for all categories of a schema, which the bytes of a model hold */
static inline void
name_categories(RmlEnv *env, const RmlTrainingSet *rows)
{
	const RmlSchema *schema = rows->schema;

	for (int i = 0; i < schema->n_features; i++)
	{
		RmlFeature *feature = &schema->features[i];

		feature->name = rml_format(env, "x%d", i + 1);
		if (feature->kind != RML_CATEGORICAL)
			continue;
		feature->categories = RML_NEW(env, char *, (size_t) feature->n_categories);
		feature->counts = RML_NEW_ZERO(env, int64_t, (size_t) feature->n_categories);
		for (int32_t c = 0; c < feature->n_categories; c++)
			feature->categories[c] = rml_format(env, "k%05d", c);
		for (int64_t r = 0; r < rows->n; r++)
		{
			int32_t code = rows->codes[r * schema->d_cat + feature->slot];

			if (code > 0)
				feature->counts[code - 1]++;
			else
				feature->n_missing++;
		}
	}
}

/* n_classes 0: the label is the number, else it is a class */
static inline void
set_label(RmlEnv *env, RmlTrainingSet *rows, const double *label, int n_classes)
{
	int32_t *classes;

	if (n_classes == 0)
	{
		set_numbers(rows, label);
		return;
	}
	classes = RML_NEW(env, int32_t, (size_t) rows->n);
	for (int64_t i = 0; i < rows->n; i++)
		classes[i] = (int32_t) label[i];
	set_classes(rows, env, classes, n_classes);
	rows->target.classes = RML_NEW(env, char *, (size_t) n_classes);
	for (int k = 0; k < n_classes; k++)
		rows->target.classes[k] = rml_format(env, "class %d", k);
}

/* the rows of trees_rows.csv: those for training come first */
typedef struct GoldenRows
{
	UnitCsv *csv;
	int64_t n;
	double *numbers; /* [n x GOLDEN_D] */
	int64_t training;
	double *weights; /* [n] */
} GoldenRows;

static inline bool
golden_rows(GoldenRows *golden)
{
	memset(golden, 0, sizeof *golden);
	golden->csv = unit_golden("trees_rows.csv");
	if (golden->csv == NULL)
		return false;
	golden->n = (int64_t) golden->csv->rows;
	golden->numbers = unit_csv_numbers(golden->csv, "x1", GOLDEN_D);
	golden->weights = unit_csv_numbers(golden->csv, "w", 1);
	for (int64_t i = 0; i < golden->n; i++)
		golden->training += unit_csv_number(golden->csv, (size_t) i, "train") == 1;
	return true;
}

static inline void
golden_free(GoldenRows *golden)
{
	free(golden->numbers);
	free(golden->weights);
	unit_csv_free(golden->csv);
}

static inline int
golden_classes(const char *label)
{
	return strcmp(label, "two") == 0 ? 2 : strcmp(label, "three") == 0 ? 3 : 0;
}

static inline double *
golden_column(RmlEnv *env, const GoldenRows *golden, const char *name)
{
	double *numbers = RML_NEW(env, double, (size_t) golden->n);

	for (int64_t i = 0; i < golden->n; i++)
		numbers[i] = unit_csv_number(golden->csv, (size_t) i, name);
	return numbers;
}

/* the training rows with one of the labels: y, two, three */
static inline RmlTrainingSet
golden_set(RmlEnv *env, const GoldenRows *golden, const char *label, bool weighted)
{
	RmlTrainingSet rows = training_set(env, golden->training, GOLDEN_D, 0, golden->numbers, NULL);

	name_categories(env, &rows);
	set_label(env, &rows, golden_column(env, golden, label), golden_classes(label));
	rows.weights = weighted ? golden->weights : NULL;
	return rows;
}

/*
 * Rows whose label depends on numbers and categories: y, or classes by its size.  The last d_cat
 * features have categories codes each, code 0 (missing) among them.
 */
static inline RmlTrainingSet
planted_rows(RmlEnv *env, int64_t n, int d_num, int d_cat, int categories, int n_classes)
{
	double *numbers = RML_NEW(env, double, (size_t) (n * d_num));
	int32_t *codes = RML_NEW(env, int32_t, (size_t) (n * d_cat));
	double *label = RML_NEW(env, double, (size_t) n);
	RmlTrainingSet rows;

	for (int64_t i = 0; i < n; i++)
	{
		double y = 0.3 * rml_rng_normal(7, 0, (uint64_t) i);

		for (int j = 0; j < d_num; j++)
		{
			numbers[i * d_num + j] = rml_rng_normal(8, (uint64_t) j, (uint64_t) i);
			y += (j % 2 == 0 ? 1.0 : -0.5) * sin(2 * numbers[i * d_num + j]);
		}
		for (int f = 0; f < d_cat; f++)
		{
			int32_t code =
				(int32_t) rml_rng_below(9, (uint64_t) f, (uint64_t) i, (uint64_t) categories);

			codes[i * d_cat + f] = code;
			y += code * 37 % 11 / 5.0 - 1;
		}
		label[i] = y;
		if (n_classes == 2)
			label[i] = y > 0;
		else if (n_classes > 2)
			label[i] = fmin(fmax(floor(y + n_classes / 2.0), 0), n_classes - 1);
	}
	rows = training_set(env, n, d_num, d_cat, numbers, codes);
	name_categories(env, &rows);
	set_label(env, &rows, label, n_classes);
	return rows;
}

static inline RmlTreeModel *
fit_model(RmlEnv *env, const RmlLearner *learner, const void *params, const RmlTrainingSet *rows)
{
	const char *reason = NULL;
	RmlTreeModel *model;

	if (learner->check(env, params, rows) != NULL)
		unit_ok(false, "%s", learner->check(env, params, rows));
	model = learner->fit(env, params, rows, &reason);
	if (model == NULL)
		unit_ok(false, "%s", reason);
	return model;
}

static inline RmlWriter
model_bytes(RmlEnv *env, const RmlLearner *learner, const void *params, const RmlTrainingSet *rows,
			const RmlTreeModel *model)
{
	RmlWriter writer;

	rml_model_encode(&writer, env, learner->algorithm, rows->schema, params, model);
	return writer;
}

static inline RmlWriter
fit_bytes(RmlEnv *env, const RmlLearner *learner, const void *params, const RmlTrainingSet *rows)
{
	return model_bytes(env, learner, params, rows, fit_model(env, learner, params, rows));
}

static inline bool
same_bytes(const RmlWriter *a, const RmlWriter *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* what a model says of row i: the number, the probability of class 1, or that of class k */
static inline double
answer(const RmlTreeModel *model, const double *numbers, const int32_t *codes, int k)
{
	double p[RML_MAX_CLASSES];

	if (model->target.n_classes < 3)
		return rml_tree_model_predict(model, numbers, codes);
	rml_tree_model_proba(model, numbers, codes, p);
	return p[k];
}

/* R2 of a number, share of the right classes */
static inline double
score_of(const RmlTreeModel *model, const double *numbers, const double *label, int64_t n, int d)
{
	double right = 0, residual = 0, total = 0, mean = 0;

	for (int64_t i = 0; i < n; i++)
		mean += label[i] / (double) n;
	for (int64_t i = 0; i < n; i++)
	{
		double said = rml_tree_model_predict(model, numbers + i * d, NULL);
		double class = model->target.n_classes == 2 ? said >= 0.5 : said - 1;

		right += class == label[i];
		residual += (said - label[i]) * (said - label[i]);
		total += (mean - label[i]) * (mean - label[i]);
	}
	return model->target.task == RML_REGRESSION ? 1 - residual / total : right / (double) n;
}

/* every class has a number for each output, and they are probabilities */
static inline bool
are_probabilities(const RmlTreeModel *model, const RmlTrainingSet *rows)
{
	int d_num = rows->schema->d_num, d_cat = rows->schema->d_cat;

	for (int64_t i = 0; i < rows->n; i++)
	{
		double p[RML_MAX_CLASSES], sum = 0;

		rml_tree_model_proba(model, rows->numbers + i * d_num, rows->codes + i * d_cat, p);
		for (int k = 0; k < model->target.n_classes; k++)
		{
			if (!(p[k] >= 0 && p[k] <= 1))
				return false;
			sum += p[k];
		}
		if (fabs(sum - 1) > 1e-12)
			return false;
	}
	return true;
}

static inline bool
escapes_at_poll(RmlEnv *env, const RmlLearner *learner, const void *params,
				const RmlTrainingSet *rows, int64_t poll)
{
	bool escaped;

	unit_env_cancel_after(env, poll);
	escaped = UNIT_ESCAPES(env, fit_model(env, learner, params, rows));
	unit_env_cancel_after(env, 0);
	unit_env_reset(env);
	return escaped;
}

static inline bool
escapes_with_memory(RmlEnv *env, const RmlLearner *learner, const void *params,
					const RmlTrainingSet *rows, size_t bytes)
{
	bool escaped;

	unit_env_limit(env, bytes);
	escaped = UNIT_ESCAPES(env, fit_model(env, learner, params, rows));
	unit_env_limit(env, (size_t) 8 << 30);
	unit_env_reset(env);
	return escaped;
}

/* cancelled at any poll, or out of memory anywhere, a fit leaves an arena that can be emptied */
static inline void
check_escapes(const RmlLearner *learner, const void *params, RmlEnv *rows_env,
			  const RmlTrainingSet *rows)
{
	const char *name = learner->algorithm->name;
	RmlEnv *env = unit_env(1);
	RmlWriter first = fit_bytes(rows_env, learner, params, rows), again;
	int cancelled = 0, refused = 0, tried = 0;
	int64_t polls;
	size_t peak;

	fit_model(env, learner, params, rows);
	polls = unit_env_polls(env);
	peak = unit_env_peak(env);
	unit_env_reset(env);
	for (int64_t at = 1; at <= polls; at += 1 + polls / 40, tried++)
		cancelled += escapes_at_poll(env, learner, params, rows, at);
	unit_ok(tried > 0 && cancelled == tried, "%s: cancelled at %d of %d polls", name, cancelled,
			tried);
	for (int i = 0; i < 40; i++)
		refused += escapes_with_memory(env, learner, params, rows, peak * (size_t) i / 40);
	unit_equal_int(refused, 40, "%s: out of memory", name);
	unit_equal_int((int64_t) unit_env_in_use(env), 0, "%s: nothing is left", name);
	again = fit_bytes(env, learner, params, rows);
	unit_ok(same_bytes(&first, &again), "%s: the next fit is as ever", name);
	unit_env_free(env);
}

#endif /* RETAILML_TEST_TREE_ROWS_H */
