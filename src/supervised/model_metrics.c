/*
 * model_metrics.c
 *	  Measures of predictions.
 */
#include "retailml/model_metrics.h"

#include <float.h>
#include <math.h>

#include "retailml/sort.h"

#define POLL_ROWS (1 << 16)

const char *const rml_metric_names[] = {"log_loss", "roc_auc", "pr_auc", "accuracy", "brier",
										"f1",       "rmse",    "mae",    "r2",       NULL};

const char *const rml_metric_choices[] = {"auto",     "log_loss", "roc_auc", "pr_auc",
										  "accuracy", "brier",    "f1",      "rmse",
										  "mae",      "r2",       NULL};

bool
rml_metric_is_loss(RmlMetric metric)
{
	return metric == RML_METRIC_LOG_LOSS || metric == RML_METRIC_BRIER ||
		   metric == RML_METRIC_RMSE || metric == RML_METRIC_MAE;
}

bool
rml_metric_better(RmlMetric metric, double a, double b)
{
	if (isnan(a) || isnan(b))
		return !isnan(a) && isnan(b);
	return rml_metric_is_loss(metric) ? a < b : a > b;
}

bool
rml_metric_applies(RmlMetric metric, const RmlTarget *target)
{
	if (target->task == RML_REGRESSION)
		return metric >= RML_METRIC_RMSE;
	if (rml_is_binary(target))
		return metric < RML_METRIC_RMSE;
	return metric == RML_METRIC_LOG_LOSS || metric == RML_METRIC_ROC_AUC ||
		   metric == RML_METRIC_ACCURACY;
}

RmlMetric
rml_metric_default(const RmlTarget *target)
{
	return target->task == RML_REGRESSION ? RML_METRIC_RMSE : RML_METRIC_LOG_LOSS;
}

/* what a reason calls a kind of label */
static const char *
kind_of(const RmlTarget *target)
{
	if (target->task == RML_REGRESSION)
		return "a number";
	return rml_is_binary(target) ? "one of two classes" : "one of more than two classes";
}

const char *
rml_metric_choose(RmlEnv *env, int64_t choice, const RmlTarget *target, RmlMetric *metric)
{
	*metric = choice == 0 ? rml_metric_default(target) : (RmlMetric) (choice - 1);
	if (rml_metric_applies(*metric, target))
		return NULL;
	return rml_format(env, "metric \"%s\" does not apply: the label \"%s\" is %s",
					  rml_metric_names[*metric], target->name, kind_of(target));
}

/* ---- numbers ---- */

static double
mean_of(RmlEnv *env, const double *y, int64_t n)
{
	double sum = 0.0;

	for (int64_t i = 0; i < n; i++)
	{
		sum += y[i] - y[0];
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	return y[0] + sum / (double) n;
}

static double
r2_of(int64_t n, double residual, double total)
{
	if (n < 2)
		return NAN;
	if (total > 0)
		return 1.0 - residual / total;
	return residual > 0 ? 0.0 : 1.0;
}

static void
measure_numbers(RmlEnv *env, const RmlPredicted *p, double *metrics)
{
	double mean = mean_of(env, p->y, p->n);
	double absolute = 0.0, squared = 0.0, total = 0.0;

	for (int64_t i = 0; i < p->n; i++)
	{
		double error = p->y[i] - p->predictions[i];

		absolute += fabs(error);
		squared += error * error;
		total += (p->y[i] - mean) * (p->y[i] - mean);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	metrics[RML_METRIC_RMSE] = sqrt(squared / (double) p->n);
	metrics[RML_METRIC_MAE] = absolute / (double) p->n;
	metrics[RML_METRIC_R2] = r2_of(p->n, squared, total);
}

/* ---- ranks ---- */

/* the scores of one class and of all others, each ascending */
typedef struct Sides
{
	int64_t n_positive;
	int64_t n_negative;
	double *positive;
	double *negative;
} Sides;

/* scores are column k of [n x width] */
static void
split_sides(RmlEnv *env, const RmlPredicted *p, int k, int width, int column, Sides *sides)
{
	*sides = (Sides){.positive = RML_NEW(env, double, (size_t) p->n),
					 .negative = RML_NEW(env, double, (size_t) p->n)};
	for (int64_t i = 0; i < p->n; i++)
	{
		double score = p->predictions[i * width + column];

		if (p->classes[i] == k)
			sides->positive[sides->n_positive++] = score;
		else
			sides->negative[sides->n_negative++] = score;
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	rml_sort_doubles(env, sides->positive, sides->n_positive);
	rml_sort_doubles(env, sides->negative, sides->n_negative);
}

static void
release_sides(RmlEnv *env, const Sides *sides)
{
	rml_release(env, sides->positive);
	rml_release(env, sides->negative);
}

/* pairs in order count 2, ties 1: an integer, so the area is exact up to one division */
static double
area_under_roc(RmlEnv *env, const Sides *s)
{
	int64_t below = 0, up_to = 0;
	double twice = 0.0;

	if (s->n_positive == 0 || s->n_negative == 0)
		return NAN;
	for (int64_t i = 0; i < s->n_positive; i++)
	{
		while (below < s->n_negative && s->negative[below] < s->positive[i])
			below++;
		while (up_to < s->n_negative && s->negative[up_to] <= s->positive[i])
			up_to++;
		twice += (double) (below + up_to);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	return twice / (2.0 * (double) s->n_positive * (double) s->n_negative);
}

/* thresholds from the highest score down; equal scores are one threshold */
static double
average_precision(RmlEnv *env, const Sides *s)
{
	int64_t i = s->n_positive, j = s->n_negative, steps = 0;
	double sum = 0.0;

	if (s->n_positive == 0)
		return NAN;
	while (i > 0)
	{
		double threshold = s->positive[i - 1];
		int64_t before = i;

		while (i > 0 && s->positive[i - 1] == threshold)
			i--;
		while (j > 0 && s->negative[j - 1] >= threshold)
			j--;
		sum += (double) (before - i) * (double) (s->n_positive - i) /
			   (double) (s->n_positive - i + s->n_negative - j);
		if (steps++ % POLL_ROWS == 0)
			rml_poll(env);
	}
	return sum / (double) s->n_positive;
}

/* ---- classes ---- */

static double
clipped_log(double probability)
{
	return log(fmin(fmax(probability, DBL_EPSILON), 1.0 - DBL_EPSILON));
}

static void
measure_two_classes(RmlEnv *env, const RmlPredicted *p, double *metrics)
{
	double loss = 0.0, squared = 0.0, n = (double) p->n;
	int64_t right = 0, true_positive = 0, called = 0, positive = 0;
	Sides sides;

	for (int64_t i = 0; i < p->n; i++)
	{
		double probability = p->predictions[i];
		int label = p->classes[i], call = probability >= 0.5;

		loss -= clipped_log(label == 1 ? probability : 1.0 - probability);
		squared += (probability - label) * (probability - label);
		right += label == call;
		true_positive += label == 1 && call == 1;
		called += call;
		positive += label;
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	metrics[RML_METRIC_LOG_LOSS] = loss / n;
	metrics[RML_METRIC_BRIER] = squared / n;
	metrics[RML_METRIC_ACCURACY] = (double) right / n;
	metrics[RML_METRIC_F1] =
		called + positive == 0 ? 0.0 : 2.0 * (double) true_positive / (double) (called + positive);
	split_sides(env, p, 1, 1, 0, &sides);
	metrics[RML_METRIC_ROC_AUC] = area_under_roc(env, &sides);
	metrics[RML_METRIC_PR_AUC] = average_precision(env, &sides);
	release_sides(env, &sides);
}

static int
most_probable(const double *probabilities, int n_classes)
{
	int best = 0;

	for (int k = 1; k < n_classes; k++)
		if (probabilities[k] > probabilities[best])
			best = k;
	return best;
}

/* one against the rest, over the classes for which that is a question */
static double
mean_area(RmlEnv *env, const RmlPredicted *p)
{
	double sum = 0.0;
	int defined = 0;

	for (int k = 0; k < p->n_classes; k++)
	{
		Sides sides;
		double area;

		split_sides(env, p, k, p->n_classes, k, &sides);
		area = area_under_roc(env, &sides);
		release_sides(env, &sides);
		if (isnan(area))
			continue;
		sum += area;
		defined++;
	}
	return defined > 0 ? sum / defined : NAN;
}

static void
measure_classes(RmlEnv *env, const RmlPredicted *p, double *metrics)
{
	double loss = 0.0;
	int64_t right = 0;

	for (int64_t i = 0; i < p->n; i++)
	{
		const double *probabilities = p->predictions + i * p->n_classes;

		loss -= clipped_log(probabilities[p->classes[i]]);
		right += most_probable(probabilities, p->n_classes) == p->classes[i];
		if (i % (POLL_ROWS / RML_MAX_CLASSES) == 0)
			rml_poll(env);
	}
	metrics[RML_METRIC_LOG_LOSS] = loss / (double) p->n;
	metrics[RML_METRIC_ACCURACY] = (double) right / (double) p->n;
	metrics[RML_METRIC_ROC_AUC] = mean_area(env, p);
}

void
rml_metrics(RmlEnv *env, const RmlPredicted *predicted, double metrics[RML_N_METRICS])
{
	for (int m = 0; m < RML_N_METRICS; m++)
		metrics[m] = NAN;
	if (predicted->n == 0)
		return;
	if (predicted->classes == NULL)
		measure_numbers(env, predicted, metrics);
	else if (predicted->n_classes == 2)
		measure_two_classes(env, predicted, metrics);
	else
		measure_classes(env, predicted, metrics);
}
