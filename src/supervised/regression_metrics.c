/*
 * regression_metrics.c
 *	  Errors of predicted numbers, summed exactly.  See regression_metrics.h.
 */
#include "retailml/regression_metrics.h"

#include <math.h>
#include <string.h>

#include "retailml/exact_sum.h"
#include "retailml/sort.h"

#define FIRST_CAPACITY 16
#define POLL_EVERY 65536

static void
reserve(RmlPredictions *predictions, RmlEnv *env, int64_t n)
{
	int64_t capacity = predictions->capacity == 0 ? FIRST_CAPACITY : predictions->capacity;

	while (capacity < n)
		capacity *= 2;
	if (capacity == predictions->capacity)
		return;
	predictions->values = rml_grow_array(env, predictions->values, (size_t) predictions->capacity,
										 (size_t) capacity, 2 * sizeof(double));
	predictions->capacity = capacity;
}

void
rml_predictions_add(RmlPredictions *predictions, RmlEnv *env, double actual, double predicted)
{
	double *row;

	if (predictions->n == predictions->capacity)
		reserve(predictions, env, predictions->n + 1);
	row = predictions->values + 2 * predictions->n++;
	row[0] = actual;
	row[1] = predicted;
}

void
rml_predictions_append(RmlPredictions *predictions, RmlEnv *env, const void *values, int64_t n)
{
	if (n == 0)
		return;
	reserve(predictions, env, predictions->n + n);
	memcpy(predictions->values + 2 * predictions->n, values, 2 * sizeof(double) * (size_t) n);
	predictions->n += n;
}

/* ---- exact sums ---- */

typedef struct Sum
{
	RmlFixed fixed;
	RmlWideSum wide;
	bool infinite; /* a term was out of range */
} Sum;

static void
sum_add(Sum *sum, double x)
{
	if (!isfinite(x))
		sum->infinite = true;
	else if (!rml_fixed_add_double(&sum->fixed, x))
		rml_wide_add(&sum->wide, x);
}

/* terms out of range are squares and absolute values, or errors whose sign does not matter */
static double
sum_get(const Sum *sum)
{
	return sum->infinite ? INFINITY : rml_exact_sum(&sum->fixed, &sum->wide);
}

/* ---- the metrics ---- */

/* what the first pass adds up, and the second about the means of the first */
typedef struct Sums
{
	Sum actual;
	Sum error;
	Sum absolute;
	Sum square;
	Sum relative;
	Sum actual_spread;
	Sum error_spread;
	bool zero; /* an actual is 0 */
} Sums;

static void
add_rows(const RmlPredictions *predictions, RmlEnv *env, Sums *sums, double *errors)
{
	for (int64_t i = 0; i < predictions->n; i++)
	{
		const double *row = predictions->values + 2 * i;
		double error = row[1] - row[0];

		errors[i] = fabs(error);
		sum_add(&sums->actual, row[0]);
		sum_add(&sums->error, error);
		sum_add(&sums->absolute, fabs(error));
		sum_add(&sums->square, error * error);
		if (row[0] == 0)
			sums->zero = true;
		else
			sum_add(&sums->relative, fabs(error) / fabs(row[0]));
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
}

static void
add_spreads(const RmlPredictions *predictions, RmlEnv *env, Sums *sums, double mean_actual,
			double mean_error)
{
	for (int64_t i = 0; i < predictions->n; i++)
	{
		const double *row = predictions->values + 2 * i;
		double actual = row[0] - mean_actual, error = row[1] - row[0] - mean_error;

		sum_add(&sums->actual_spread, actual * actual);
		sum_add(&sums->error_spread, error * error);
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
}

/* are all actuals the same?  The spread about a rounded mean does not tell */
static bool
is_constant(const RmlPredictions *predictions)
{
	for (int64_t i = 1; i < predictions->n; i++)
		if (predictions->values[2 * i] != predictions->values[0])
			return false;
	return true;
}

static double
median(const double *sorted, int64_t n)
{
	double low = sorted[(n - 1) / 2], high = sorted[n / 2];

	return low + (high - low) / 2;
}

static double
explained(const Sum *rest, const Sum *spread)
{
	return 1 - sum_get(rest) / sum_get(spread);
}

void
rml_regression_metrics(const RmlPredictions *predictions, RmlEnv *env,
					   RmlRegressionMetrics *metrics)
{
	int64_t rows = predictions->n;
	double n = (double) rows;
	double *errors = RML_NEW(env, double, (size_t) rows);
	Sums *sums = RML_NEW_ZERO(env, Sums, 1);

	add_rows(predictions, env, sums, errors);
	metrics->n = rows;
	metrics->mean_actual = sum_get(&sums->actual) / n;
	metrics->bias = sum_get(&sums->error) / n;
	metrics->mae = sum_get(&sums->absolute) / n;
	metrics->rmse = sqrt(sum_get(&sums->square) / n);
	metrics->mape = sums->zero ? NAN : sum_get(&sums->relative) / n;
	rml_sort_doubles(env, errors, rows);
	metrics->medae = median(errors, rows);
	metrics->max_error = errors[rows - 1];
	metrics->r2 = metrics->explained_variance = NAN;
	if (!is_constant(predictions))
	{
		add_spreads(predictions, env, sums, metrics->mean_actual, metrics->bias);
		metrics->r2 = explained(&sums->square, &sums->actual_spread);
		metrics->explained_variance = explained(&sums->error_spread, &sums->actual_spread);
	}
	rml_release(env, errors);
	rml_release(env, sums);
}
