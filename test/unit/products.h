/*
 * products.h
 *	  Rows of customers for the tests of products: two numbers, one with gaps, and a category.
 *
 * x1 and x2 are normal, c1 is one of "a", "b", "c" or missing; every tenth x2 is missing.  Customers have
 * two rows each.
 */
#ifndef RETAILML_UNIT_PRODUCTS_H
#define RETAILML_UNIT_PRODUCTS_H

#include "unit.h"

#include <math.h>

#include "retailml/product.h"
#include "retailml/rng.h"

typedef struct Customers
{
	RmlMatrix matrix;
	RmlColumn columns[3];
	double *y;
	int32_t *classes;
	uint64_t *groups;
	RmlProductRows rows;
} Customers;

static char *const customer_categories[] = {"a", "b", "c"};
static char *const customer_classes[] = {"stays", "leaves"};

/* the label is still to be set */
static inline Customers *
make_customers(RmlEnv *env, int64_t n)
{
	Customers *c = RML_NEW_ZERO(env, Customers, 1);
	const RmlColumn columns[] = {{.name = (char *) "x1",
								  .type = (char *) "double precision",
								  .kind = RML_NUMERIC,
								  .slot = 0},
								 {.name = (char *) "c1",
								  .type = (char *) "text",
								  .kind = RML_CATEGORICAL,
								  .slot = 0,
								  .dictionary = {.n = 3, .texts = (char **) customer_categories}},
								 {.name = (char *) "x2",
								  .type = (char *) "double precision",
								  .kind = RML_NUMERIC,
								  .slot = 1}};

	memcpy(c->columns, columns, sizeof columns);
	c->matrix = (RmlMatrix){.n = n,
							.d_num = 2,
							.d_cat = 1,
							.numbers = RML_NEW(env, double, (size_t) n * 2),
							.codes = RML_NEW(env, int32_t, (size_t) n)};
	c->y = RML_NEW_ZERO(env, double, (size_t) n);
	c->classes = RML_NEW_ZERO(env, int32_t, (size_t) n);
	c->groups = RML_NEW(env, uint64_t, (size_t) n);
	for (int64_t i = 0; i < n; i++)
	{
		c->matrix.numbers[2 * i] = rml_rng_normal(11, 1, (uint64_t) i);
		c->matrix.numbers[2 * i + 1] = i % 10 == 3 ? NAN : rml_rng_normal(11, 2, (uint64_t) i);
		c->matrix.codes[i] = (int32_t) (i * 7 % 11 % 4);
		c->groups[i] = (uint64_t) (i / 2);
	}
	c->rows = (RmlProductRows){.raw = {.n_columns = 3, .columns = c->columns, .matrix = &c->matrix},
							   .impute = RML_IMPUTE_MEAN,
							   .groups = c->groups,
							   .folds = 3,
							   .seed = 42};
	return c;
}

static inline double
customer_x1(const Customers *c, int64_t i)
{
	return c->matrix.numbers[2 * i];
}

/* 0 where it is missing */
static inline double
customer_x2(const Customers *c, int64_t i)
{
	double x = c->matrix.numbers[2 * i + 1];

	return isnan(x) ? 0.0 : x;
}

static inline double
customer_noise(int64_t i)
{
	return rml_rng_normal(11, 3, (uint64_t) i);
}

static inline void
customers_have_classes(RmlEnv *env, Customers *c)
{
	RmlTarget *target = &c->rows.raw.target;

	*target = (RmlTarget){.name = (char *) "churned",
						  .task = RML_CLASSIFICATION,
						  .n_classes = 2,
						  .classes = (char **) customer_classes,
						  .counts = RML_NEW_ZERO(env, int64_t, 2)};
	for (int64_t i = 0; i < c->matrix.n; i++)
		target->counts[c->classes[i]]++;
	c->rows.raw.classes = c->classes;
}

static inline void
customers_have_numbers(Customers *c)
{
	c->rows.raw.target = (RmlTarget){.name = (char *) "spend", .task = RML_REGRESSION};
	c->rows.raw.y = c->y;
}

/* all rows, prepared */
static inline void
prepare_customers(RmlEnv *env, const Customers *c, RmlPrepared *prepared)
{
	int64_t *all = RML_NEW(env, int64_t, (size_t) c->matrix.n);
	const RmlSubset subset = {.n = c->matrix.n, .rows = all};

	for (int64_t i = 0; i < c->matrix.n; i++)
		all[i] = i;
	unit_equal_string(rml_training_set_learn(env, &c->rows.raw, &subset, RML_IMPUTE_MEAN, prepared),
					  NULL, "customers can be learnt from");
}

/* params of an algorithm, its defaults */
static inline void *
default_params(RmlEnv *env, const RmlAlgorithm *algorithm)
{
	void *params = rml_alloc_zero(env, algorithm->params_size);
	const RmlOptionSet options = {algorithm->options, algorithm->n_options, params};

	rml_options_default(&options);
	return params;
}

/*
 * The largest |base + contributions - wanted(prediction)| of prepared rows, beyond what the last bits of
 * a probability leave open
 */
static inline double
worst_explanation(RmlEnv *env, const RmlAlgorithm *algorithm, const void *fitted,
				  const RmlPrepared *prepared, int output, double (*wanted)(double))
{
	const RmlTrainingSet *rows = &prepared->rows;
	double contributions[3], worst = 0.0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		const double *numbers = rows->numbers + 2 * i;
		const int32_t *codes = rows->codes + i;
		double sum, p;

		algorithm->explain(fitted, &prepared->schema, env, numbers, codes, output, contributions,
						   &sum);
		for (int j = 0; j < 3; j++)
			sum += contributions[j];
		p = algorithm->predict(fitted, numbers, codes);
		sum = fabs(sum - wanted(p)) - (p > 0 && p < 1 ? 1e-15 / (p * (1 - p)) : 0);
		/* NaN is as wrong as can be */
		worst = isnan(sum) ? INFINITY : fmax(worst, sum);
	}
	return worst;
}

/* decoded, the model says the same, and written again it is the same */
static inline void
check_round_trip(RmlEnv *env, const RmlAlgorithm *algorithm, const void *params, const void *fitted,
				 const RmlPrepared *prepared, RmlWriter *bytes)
{
	const RmlTrainingSet *rows = &prepared->rows;
	RmlModel model = {0};
	RmlWriter again;
	bool same = true;

	rml_model_encode(bytes, env, algorithm, &prepared->schema, params, fitted);
	if (!unit_equal_string(rml_model_decode(&model, env, bytes->bytes, bytes->length), NULL,
						   "%s: its own bytes are read", algorithm->name))
		return;
	for (int64_t i = 0; i < rows->n; i++)
		same = same && algorithm->predict(fitted, rows->numbers + 2 * i, rows->codes + i) ==
						   algorithm->predict(model.fitted, rows->numbers + 2 * i, rows->codes + i);
	unit_ok(same, "%s: predictions are the same", algorithm->name);
	rml_model_encode(&again, env, algorithm, &model.schema, model.params, model.fitted);
	unit_ok(again.length == bytes->length && memcmp(again.bytes, bytes->bytes, again.length) == 0,
			"%s: written again it is the same", algorithm->name);
}

/* every word of the model overwritten in turn: refused or read, nothing else (ASan looks on) */
static inline void
check_damage(RmlEnv *env, const RmlWriter *bytes)
{
	uint8_t *copy = rml_alloc(env, bytes->length);
	int64_t refused = 0, tried = 0;

	for (size_t at = 24; at + 8 <= bytes->length; at += at < 20000 ? 40 : 2000)
	{
		RmlModel model = {0};
		uint32_t crc;

		memcpy(copy, bytes->bytes, bytes->length);
		memset(copy + at, 0xE7, 8);
		crc = rml_model_crc(copy, bytes->length);
		memcpy(copy + 12, &crc, 4);
		refused += rml_model_decode(&model, env, copy, bytes->length) != NULL;
		tried++;
	}
	unit_ok(tried > 50 && refused > tried / 4, "damaged bytes: %lld of %lld refused",
			(long long) refused, (long long) tried);
}

#endif /* RETAILML_UNIT_PRODUCTS_H */
