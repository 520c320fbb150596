/*
 * learners.h
 *	  Two small learners for the tests of what works on any: least squares and naive Bayes.
 *
 * Both are closed forms that scikit-learn has as well (LinearRegression, GaussianNB), see numbers
 * only, and know the smallest positive variance or pivot.
 */
#ifndef RETAILML_UNIT_LEARNERS_H
#define RETAILML_UNIT_LEARNERS_H

#include "unit.h"

#include <math.h>

#include "retailml/learner.h"

typedef struct TestParams
{
	RmlSupervisedParams common;
	double ridge; /* added to the diagonal */
	int64_t fail; /* refuse to fit */
} TestParams;

/* least squares: intercept and coefficients; naive Bayes: prior, mean and variance of each class */
typedef struct TestModel
{
	RmlTarget target;
	int d;
	double *coefficients; /* [d + 1] intercept last */
	double *importance;   /* [d] |coefficient| * sd */
	double *priors;       /* [K] */
	double *means;        /* [K x d] */
	double *variances;    /* [K x d] */
} TestModel;

/* ---- least squares ---- */

/* solve a (positive definite, lower triangle) x = b in place by Cholesky */
static inline void
solve(double *a, double *b, int d)
{
	for (int j = 0; j < d; j++)
	{
		for (int k = 0; k < j; k++)
			a[j * d + j] -= a[j * d + k] * a[j * d + k];
		a[j * d + j] = sqrt(a[j * d + j]);
		for (int i = j + 1; i < d; i++)
		{
			for (int k = 0; k < j; k++)
				a[i * d + j] -= a[i * d + k] * a[j * d + k];
			a[i * d + j] /= a[j * d + j];
		}
	}
	for (int i = 0; i < d; i++)
	{
		for (int k = 0; k < i; k++)
			b[i] -= a[i * d + k] * b[k];
		b[i] /= a[i * d + i];
	}
	for (int i = d - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < d; k++)
			b[i] -= a[k * d + i] * b[k];
		b[i] /= a[i * d + i];
	}
}

/* cross products of centred columns, and with the centred label */
static inline void
cross_products(const RmlTrainingSet *rows, double mean_y, double *a, double *b)
{
	int d = rows->schema->d_num;

	for (int64_t i = 0; i < rows->n; i++)
		for (int j = 0; j < d; j++)
		{
			double xj = rows->numbers[i * d + j] - rml_schema_number(rows->schema, j)->mean;

			b[j] += xj * (rows->y[i] - mean_y);
			for (int k = 0; k <= j; k++)
				a[j * d + k] +=
					xj * (rows->numbers[i * d + k] - rml_schema_number(rows->schema, k)->mean);
		}
}

static inline void *
squares_fit(RmlEnv *env, const void *params, const RmlTrainingSet *rows, const char **reason)
{
	int d = rows->schema->d_num;
	double *a = RML_NEW_ZERO(env, double, (size_t) d *(size_t) d), mean_y = 0.0;
	TestModel *model = RML_NEW_ZERO(env, TestModel, 1);

	(void) reason;
	model->target = rows->target;
	model->d = d;
	model->coefficients = RML_NEW_ZERO(env, double, (size_t) d + 1);
	model->importance = RML_NEW(env, double, (size_t) d);
	for (int64_t i = 0; i < rows->n; i++)
		mean_y += rows->y[i] / (double) rows->n;
	cross_products(rows, mean_y, a, model->coefficients);
	for (int j = 0; j < d; j++)
		a[j * d + j] += ((const TestParams *) params)->ridge;
	solve(a, model->coefficients, d);
	model->coefficients[d] = mean_y;
	for (int j = 0; j < d; j++)
	{
		const RmlFeature *feature = rml_schema_number(rows->schema, j);

		model->coefficients[d] -= model->coefficients[j] * feature->mean;
		model->importance[j] = fabs(model->coefficients[j]) * feature->sd;
	}
	rml_release(env, a);
	return model;
}

static inline double
squares_predict(const void *fitted, const double *numbers, const int32_t *codes)
{
	const TestModel *model = fitted;
	double sum = model->coefficients[model->d];

	(void) codes;
	for (int j = 0; j < model->d; j++)
		sum += model->coefficients[j] * numbers[j];
	return sum;
}

static inline void
squares_importance(const void *fitted, const RmlSchema *schema, double *gain, int64_t *splits)
{
	const TestModel *model = fitted;

	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		gain[i] = feature->kind == RML_CATEGORICAL ? 0.0 : model->importance[feature->slot];
		splits[i] = 0;
	}
}

/* ---- naive Bayes ---- */

static inline void
class_moments(const RmlTrainingSet *rows, TestModel *model)
{
	int d = model->d, k_all = rows->target.n_classes;

	for (int64_t i = 0; i < rows->n; i++)
		for (int j = 0; j < d; j++)
			model->means[rows->classes[i] * d + j] +=
				rows->numbers[i * d + j] / (double) rows->target.counts[rows->classes[i]];
	for (int64_t i = 0; i < rows->n; i++)
		for (int j = 0; j < d; j++)
			model->variances[rows->classes[i] * d + j] +=
				pow(rows->numbers[i * d + j] - model->means[rows->classes[i] * d + j], 2) /
				(double) rows->target.counts[rows->classes[i]];
	for (int k = 0; k < k_all; k++)
		model->priors[k] = (double) rows->target.counts[k] / (double) rows->n;
}

static inline void *
bayes_fit(RmlEnv *env, const void *params, const RmlTrainingSet *rows, const char **reason)
{
	size_t d = (size_t) rows->schema->d_num, k = (size_t) rows->target.n_classes;
	TestModel *model = RML_NEW_ZERO(env, TestModel, 1);
	double largest = 0.0;

	(void) params, (void) reason;
	model->target = rows->target;
	model->d = rows->schema->d_num;
	model->priors = RML_NEW_ZERO(env, double, k);
	model->means = RML_NEW_ZERO(env, double, k *d);
	model->variances = RML_NEW_ZERO(env, double, k *d);
	class_moments(rows, model);
	for (int j = 0; j < model->d; j++)
		largest = fmax(largest, pow(rml_schema_number(rows->schema, j)->sd, 2));
	for (size_t i = 0; i < k * d; i++)
		model->variances[i] += 1e-9 * largest;
	return model;
}

static inline void
bayes_proba(const void *fitted, const double *numbers, const int32_t *codes, double *probabilities)
{
	const TestModel *model = fitted;
	int d = model->d, n_classes = model->target.n_classes;
	double most = -INFINITY, sum = 0.0;

	(void) codes;
	for (int k = 0; k < n_classes; k++)
	{
		double logarithm = log(model->priors[k]);

		for (int j = 0; j < d; j++)
		{
			double variance = model->variances[k * d + j];

			logarithm -= 0.5 * log(2.0 * M_PI * variance) +
						 0.5 * pow(numbers[j] - model->means[k * d + j], 2) / variance;
		}
		probabilities[k] = logarithm;
		most = fmax(most, logarithm);
	}
	for (int k = 0; k < n_classes; k++)
		sum += exp(probabilities[k] - most);
	for (int k = 0; k < n_classes; k++)
		probabilities[k] = exp(probabilities[k] - most) / sum;
}

static inline double
bayes_predict(const void *fitted, const double *numbers, const int32_t *codes)
{
	double probabilities[16];

	bayes_proba(fitted, numbers, codes, probabilities);
	return probabilities[1];
}

/* ---- the learners ---- */

static inline const char *
test_check(RmlEnv *env, const void *params, const RmlTrainingSet *rows)
{
	const TestParams *test = params;

	return test->fail ? rml_format(env, "%lld rows are not wanted", (long long) rows->n) : NULL;
}

static inline size_t
test_bytes(const void *params, int64_t n, int d_num, int d_cat, int n_classes, int threads)
{
	(void) params, (void) d_cat, (void) n_classes, (void) threads;
	return (size_t) n + sizeof(double) * (size_t) d_num * (size_t) d_num;
}

static const RmlAlgorithm squares_algorithm = {.id = RML_ALGORITHM_LINREG,
											   .name = "squares",
											   .params_size = sizeof(TestParams),
											   .predict = squares_predict,
											   .supervised = true,
											   .importance = squares_importance};
static const RmlAlgorithm bayes_algorithm = {.id = RML_ALGORITHM_LOGREG,
											 .name = "bayes",
											 .params_size = sizeof(TestParams),
											 .predict = bayes_predict,
											 .supervised = true,
											 .proba = bayes_proba};
static const RmlLearner squares_learner = {
	.algorithm = &squares_algorithm, .check = test_check, .bytes = test_bytes, .fit = squares_fit};
static const RmlLearner bayes_learner = {.algorithm = &bayes_algorithm,
										 .classifier = true,
										 .check = test_check,
										 .bytes = test_bytes,
										 .fit = bayes_fit};

#endif /* RETAILML_UNIT_LEARNERS_H */
