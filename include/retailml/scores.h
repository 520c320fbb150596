/*
 * scores.h
 *	  Scored rows whose outcome is known, and what they say about the scores: numbers and curves.
 *
 * A row is (actual, score): did it happen, and how likely was it said to be?  Scores are finite;
 * the higher, the likelier.  All that is kept of a row is its score, in the array of its class,
 * 8 bytes a row.  Sorted, the two arrays are walked together, a group of equal scores (a tie) at a
 * time: no result depends on the order in which rows came, and ties are never broken.
 *
 * Legend: n rows, P positives, N negatives, tp and fp those with a score at or above a threshold.
 *
 *	  roc_auc	  probability that a positive scores higher than a negative, ties count half
 *				  (Mann-Whitney U over P N, counted in integers)
 *	  pr_auc	  average precision: sum over thresholds of precision times the gain in recall
 *	  log_loss	  mean of -log(probability of what happened), scores clipped to [eps, 1 - eps]
 *	  brier		  mean of (score - actual)^2
 *	  ece		  expected calibration error: mean over rows of |mean score - rate| in the row's bin,
 *				  10 bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015)
 *	  ks		  largest distance between tp / P and fp / N (Kolmogorov-Smirnov)
 *
 * NaN stands for what is not defined: rates over nothing, everything that needs two classes where
 * there is one, probabilities' measures where a score leaves [0, 1].
 */
#ifndef RETAILML_SCORES_H
#define RETAILML_SCORES_H

#include "retailml/env.h"

#define RML_ECE_BINS 10

typedef struct RmlScores
{
	int64_t n[2]; /* rows by class: negatives, positives */
	int64_t capacity[2];
	double *values[2]; /* [n] scores */
	bool sorted;       /* ascending */
} RmlScores;

/* all rows of one score */
typedef struct RmlTie
{
	double score;
	int64_t n[2];
} RmlTie;

typedef struct RmlTieCursor
{
	const RmlScores *scores;
	RmlEnv *env;
	int64_t place[2];
	int64_t steps; /* since the last poll */
	bool descending;
} RmlTieCursor;

typedef struct RmlBinaryMetrics
{
	int64_t n;
	int64_t positives;
	double prevalence;
	double threshold;
	double accuracy;
	double precision;
	double recall;
	double specificity;
	double f1;
	double roc_auc;
	double pr_auc;
	double log_loss;
	double brier;
	double ece;
	double ks;
} RmlBinaryMetrics;

/* a point of the ROC curve (x = fpr, y = tpr) or of precision and recall (x = recall) */
typedef struct RmlCurvePoint
{
	double threshold;
	double x;
	double y;
} RmlCurvePoint;

typedef struct RmlCurve
{
	int64_t n;
	RmlCurvePoint *points; /* [n] by falling threshold, the first infinite */
} RmlCurve;

typedef struct RmlLiftBin
{
	int64_t n;
	double positives;
	double rate;
	double lift;
	double cumulative_share;
	double cumulative_gain;
	double cumulative_lift;
	double min_score;
	double max_score;
} RmlLiftBin;

typedef struct RmlCalibrationBin
{
	int bin; /* 1 .. n_bins */
	int64_t n;
	double mean_score;
	double rate;
} RmlCalibrationBin;

/* score is finite; scores start zeroed */
extern void rml_scores_add(RmlScores *scores, RmlEnv *env, bool positive, double score);
/* n scores of one class, perhaps unaligned */
extern void rml_scores_append(RmlScores *scores, RmlEnv *env, bool positive, const void *values,
							  int64_t n);
/* the same rows, ready to be walked; what follows needs it */
extern void rml_scores_sort(RmlScores *scores, RmlEnv *env);

extern void rml_ties_begin(RmlTieCursor *cursor, const RmlScores *scores, RmlEnv *env,
						   bool descending);
/* false at the end; polls */
extern bool rml_ties_next(RmlTieCursor *cursor, RmlTie *tie);

/* are all scores in [0, 1]? */
extern bool rml_scores_are_probabilities(const RmlScores *scores);

/* at least one row */
extern void rml_binary_metrics(const RmlScores *scores, RmlEnv *env, double threshold,
							   RmlBinaryMetrics *metrics);

/* needs both classes; points inside a run of equal steps are left out */
extern void rml_roc_curve(const RmlScores *scores, RmlEnv *env, RmlCurve *curve);
/* needs a positive; points inside a run of equal recall are left out */
extern void rml_pr_curve(const RmlScores *scores, RmlEnv *env, RmlCurve *curve);

/*
 * The rows by falling score in at most n_bins parts, as ntile() would cut them: the first n mod
 * n_bins have a row more.  Where a cut falls into a tie, its positives are spread over both sides in
 * proportion.  The number of bins.
 */
extern int rml_lift_curve(const RmlScores *scores, RmlEnv *env, int n_bins, RmlLiftBin **bins);

/*
 * Mean score and rate of positives in bins of the score, of equal width or between quantiles (linear
 * interpolation); a score on an edge is in the lower bin.  Bins without rows are left out.  The
 * number of bins.  Scores in [0, 1], at least one.
 */
extern int rml_calibration_curve(const RmlScores *scores, RmlEnv *env, int n_bins, bool quantiles,
								 RmlCalibrationBin **bins);

#endif /* RETAILML_SCORES_H */
