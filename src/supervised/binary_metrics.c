/*
 * binary_metrics.c
 *	  One number for each way to look at scores of two classes.  See scores.h.
 */
#include <float.h>
#include <math.h>

#include "retailml/scores.h"

/* a compensated sum (Neumaier): terms come in order of the score, so it is always the same */
typedef struct Sum
{
	double value;
	double lost;
} Sum;

static void
sum_add(Sum *sum, double x)
{
	double total = sum->value + x;

	if (fabs(sum->value) >= fabs(x))
		sum->lost += (sum->value - total) + x;
	else
		sum->lost += (x - total) + sum->value;
	sum->value = total;
}

static double
sum_get(const Sum *sum)
{
	return sum->value + sum->lost;
}

/* NaN over nothing */
static double
ratio(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

/* ---- at a threshold ---- */

/* rows of a class with a score at or above the threshold */
static int64_t
rows_from(const RmlScores *scores, int side, double threshold)
{
	int64_t low = 0, high = scores->n[side];

	while (low < high)
	{
		int64_t middle = low + (high - low) / 2;

		if (scores->values[side][middle] >= threshold)
			high = middle;
		else
			low = middle + 1;
	}
	return scores->n[side] - low;
}

static void
at_threshold(const RmlScores *scores, RmlBinaryMetrics *metrics)
{
	double positives = (double) scores->n[1], negatives = (double) scores->n[0];
	double tp = (double) rows_from(scores, 1, metrics->threshold);
	double fp = (double) rows_from(scores, 0, metrics->threshold);

	metrics->accuracy = (tp + negatives - fp) / (positives + negatives);
	metrics->precision = ratio(tp, tp + fp);
	metrics->recall = ratio(tp, positives);
	metrics->specificity = ratio(negatives - fp, negatives);
	metrics->f1 = ratio(2 * tp, tp + fp + positives);
}

/* ---- ranking ---- */

static double
absolute(__int128 x)
{
	return (double) (x < 0 ? -x : x);
}

/* needs both classes */
static void
ranking(const RmlScores *scores, RmlEnv *env, RmlBinaryMetrics *metrics)
{
	int64_t negatives = scores->n[0], positives = scores->n[1], fp = 0, tp = 0;
	double pairs = (double) positives * (double) negatives;
	__int128 won = 0; /* twice the pairs where the positive scores higher, ties once */
	double distance = 0;
	Sum precision = {0, 0};
	RmlTieCursor cursor;
	RmlTie tie;

	rml_ties_begin(&cursor, scores, env, true);
	while (rml_ties_next(&cursor, &tie))
	{
		fp += tie.n[0];
		tp += tie.n[1];
		won += (__int128) tie.n[1] * (2 * (negatives - fp) + tie.n[0]);
		sum_add(&precision, (double) tie.n[1] * ((double) tp / (double) (tp + fp)));
		distance = fmax(distance, absolute((__int128) tp * negatives - (__int128) fp * positives));
	}
	metrics->roc_auc = (double) won / (2 * pairs);
	metrics->pr_auc = sum_get(&precision) / (double) positives;
	metrics->ks = distance / pairs;
}

/* ---- probabilities ---- */

static double
expected_calibration_error(const RmlScores *scores, RmlEnv *env)
{
	RmlCalibrationBin *bins;
	int n_bins = rml_calibration_curve(scores, env, RML_ECE_BINS, false, &bins);
	double error = 0;

	for (int b = 0; b < n_bins; b++)
		error += (double) bins[b].n * fabs(bins[b].mean_score - bins[b].rate);
	rml_release(env, bins);
	return error / (double) (scores->n[0] + scores->n[1]);
}

static void
probabilities(const RmlScores *scores, RmlEnv *env, RmlBinaryMetrics *metrics)
{
	double n = (double) (scores->n[0] + scores->n[1]);
	Sum loss = {0, 0}, square = {0, 0};
	RmlTieCursor cursor;
	RmlTie tie;

	rml_ties_begin(&cursor, scores, env, false);
	while (rml_ties_next(&cursor, &tie))
	{
		double p = fmin(fmax(tie.score, DBL_EPSILON), 1 - DBL_EPSILON);
		double miss = 1 - tie.score;

		if (tie.n[0] > 0)
			sum_add(&loss, -(double) tie.n[0] * log1p(-p));
		if (tie.n[1] > 0)
			sum_add(&loss, -(double) tie.n[1] * log(p));
		sum_add(&square, (double) tie.n[0] * (tie.score * tie.score));
		sum_add(&square, (double) tie.n[1] * (miss * miss));
	}
	metrics->log_loss = sum_get(&loss) / n;
	metrics->brier = sum_get(&square) / n;
	metrics->ece = expected_calibration_error(scores, env);
}

void
rml_binary_metrics(const RmlScores *scores, RmlEnv *env, double threshold,
				   RmlBinaryMetrics *metrics)
{
	metrics->n = scores->n[0] + scores->n[1];
	metrics->positives = scores->n[1];
	metrics->prevalence = (double) metrics->positives / (double) metrics->n;
	metrics->threshold = threshold;
	metrics->roc_auc = metrics->pr_auc = metrics->ks = NAN;
	metrics->log_loss = metrics->brier = metrics->ece = NAN;
	at_threshold(scores, metrics);
	if (scores->n[0] > 0 && scores->n[1] > 0)
		ranking(scores, env, metrics);
	if (rml_scores_are_probabilities(scores))
		probabilities(scores, env, metrics);
}
