/*
 * class_weight.c
 *	  Row weights that let rare classes count for more.
 */
#include "retailml/class_weight.h"

#include <math.h>

#define POLL_EVERY (1 << 18)

const char *const rml_class_weight_names[] = {"none", "balanced", NULL};

static double
row_weight(const RmlTrainingSet *rows, int64_t i)
{
	return rows->weights == NULL ? 1.0 : rows->weights[i];
}

/* sums [K] of row weights; rows are in canonical order, so that of the sum is always the same */
static double *
sum_by_class(RmlEnv *env, const RmlTrainingSet *rows)
{
	double *sums = RML_NEW_ZERO(env, double, (size_t) rows->target.n_classes);

	for (int64_t i = 0; i < rows->n; i++)
	{
		sums[rows->classes[i]] += row_weight(rows, i);
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
	return sums;
}

/* turn sums into n / (K n_k); a class without weight has nothing to balance */
static void
balance(double *sums, int n_classes)
{
	double n = 0.0;
	int present = 0;

	for (int k = 0; k < n_classes; k++)
	{
		n += sums[k];
		present += sums[k] > 0.0;
	}
	for (int k = 0; k < n_classes; k++)
		sums[k] = sums[k] > 0.0 ? n / (present * sums[k]) : 1.0;
}

static double
given_weight(const double *given, int k)
{
	return isnan(given[k]) ? 1.0 : given[k];
}

static const char *
check_given(RmlEnv *env, const double *given, const RmlTrainingSet *rows)
{
	double *sums;
	bool some = false;

	for (int k = 0; k < rows->target.n_classes; k++)
		if (isinf(given[k]) || given[k] < 0.0)
			return rml_format(env, "weight of class \"%s\" is not a finite number from 0 up",
							  rows->target.classes[k]);
	sums = sum_by_class(env, rows);
	for (int k = 0; k < rows->target.n_classes; k++)
		some = some || sums[k] * given_weight(given, k) > 0.0;
	rml_release(env, sums);
	return some ? NULL : "no row has a positive weight";
}

const char *
rml_class_weight_check(RmlEnv *env, RmlClassWeight mode, const double *given,
					   const RmlTrainingSet *rows)
{
	if (mode == RML_CLASS_WEIGHT_NONE)
		return NULL;
	if (rows->target.task == RML_REGRESSION)
		return "only classes can be weighted";
	return mode == RML_CLASS_WEIGHT_GIVEN ? check_given(env, given, rows) : NULL;
}

/* weight of each class: [K], or NULL for 1 */
static double *
class_factors(RmlEnv *env, RmlClassWeight mode, const double *given, const RmlTrainingSet *rows)
{
	const int n_classes = rows->target.n_classes;
	double *factors;

	if (mode == RML_CLASS_WEIGHT_NONE)
		return NULL;
	if (mode == RML_CLASS_WEIGHT_BALANCED)
	{
		factors = sum_by_class(env, rows);
		balance(factors, n_classes);
		return factors;
	}
	factors = RML_NEW(env, double, (size_t) n_classes);
	for (int k = 0; k < n_classes; k++)
		factors[k] = given_weight(given, k);
	return factors;
}

void
rml_class_weights(RmlEnv *env, RmlClassWeight mode, const double *given, const RmlTrainingSet *rows,
				  double *weights)
{
	double *factors = class_factors(env, mode, given, rows);

	for (int64_t i = 0; i < rows->n; i++)
	{
		weights[i] = row_weight(rows, i) * (factors == NULL ? 1.0 : factors[rows->classes[i]]);
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
	rml_release(env, factors);
}
