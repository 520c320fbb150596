/*
 * regression_metrics.h
 *	  How far predicted numbers are from what happened.
 *
 * Rows are (actual a, predicted p), finite; e = p - a is the error.  The median needs all rows, so
 * they are kept, 16 bytes each.  Sums are exact (exact_sum.h) and rounded once, so no result depends on
 * the order in which rows came.
 *
 *	  mae    mean |e|             rmse   sqrt(mean e^2)        bias       mean e
 *	  medae  median |e|           mape   mean |e| / |a|        max_error  largest |e|
 *	  r2     1 - sum e^2 / sum (a - mean a)^2
 *	  explained_variance          1 - sum (e - mean e)^2 / sum (a - mean a)^2
 *
 * NaN stands for what is not defined: mape where an actual is 0, r2 and explained_variance where
 * all actuals are the same.
 */
#ifndef RETAILML_REGRESSION_METRICS_H
#define RETAILML_REGRESSION_METRICS_H

#include "retailml/env.h"

typedef struct RmlPredictions
{
	int64_t n;
	int64_t capacity;
	double *values; /* [n x 2] actual, predicted */
} RmlPredictions;

typedef struct RmlRegressionMetrics
{
	int64_t n;
	double mean_actual;
	double mae;
	double rmse;
	double mape;
	double medae;
	double r2;
	double bias;
	double max_error;
	double explained_variance;
} RmlRegressionMetrics;

/* predictions start zeroed */
extern void rml_predictions_add(RmlPredictions *predictions, RmlEnv *env, double actual,
								double predicted);
/* n rows of two numbers, perhaps unaligned */
extern void rml_predictions_append(RmlPredictions *predictions, RmlEnv *env, const void *values,
								   int64_t n);

/* at least one row */
extern void rml_regression_metrics(const RmlPredictions *predictions, RmlEnv *env,
								   RmlRegressionMetrics *metrics);

#endif /* RETAILML_REGRESSION_METRICS_H */
