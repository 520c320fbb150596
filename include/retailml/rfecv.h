/*
 * rfecv.h
 *	  Recursive feature elimination, the number of features chosen by cross-validation.
 *
 * Fit, drop the features the model needs least, fit again: down to min_features.  A feature that is
 * worth little beside others that say the same goes first, and its twin is worth more in the next
 * fit, which one look at importances cannot tell.
 *
 * The elimination runs once for each fold, on its training rows only, and each size on the way is
 * judged by the rows of the fold: the mean over folds says how many features are good for.  Which
 * features these are is told by one more elimination on all rows.  (Judging the features that were found on
 * all rows would be judging them by rows that chose them.)
 *
 * With one_se the number is the smallest whose mean is within one standard error of the best: fewer
 * features that do as well as can be told.  The error is that of the difference to the best size over
 * the folds, since all sizes are judged by the same rows.
 *
 * Importance is that of the learner (RmlAlgorithm.importance): gain of splits, size of standardized
 * coefficients.  Of features that are worth the same the last column goes first.
 *
 *	  I. Guyon, J. Weston, S. Barnhill, V. Vapnik, "Gene selection for cancer classification using
 *	  support vector machines", Machine Learning 46 (2002)
 *	  L. Breiman et al., "Classification and Regression Trees", 1984 (the standard error rule)
 *
 * Shapes: D features, F folds, S sizes.
 */
#ifndef RETAILML_RFECV_H
#define RETAILML_RFECV_H

#include "retailml/cross_validate.h"

typedef struct RmlRfecvParams
{
	double
		step; /* features dropped at a time; below 1: share of those that are left, at least one */
	int64_t min_features;
	int64_t one_se;
	RmlMetric metric;
} RmlRfecvParams;

/* one size */
typedef struct RmlRfecvStep
{
	int n_features;
	double *scores; /* [F] */
	double mean;
	double sd;
	bool *features; /* [D] those of the elimination on all rows */
	int n_dropped;  /* on the way here from the size before */
	int *dropped;   /* [n_dropped] columns, the weakest first */
	bool selected;
} RmlRfecvStep;

/* number of sizes for d features, S */
extern int rml_rfecv_sizes(const RmlRfecvParams *params, int d);

/* steps [S], from all features down; failure as in cross_validate.h, its cell the size */
extern void rml_rfecv(RmlEnv *env, const RmlValidation *validation, const RmlLearner *learner,
					  const void *learner_params, const RmlRfecvParams *params, RmlRfecvStep *steps,
					  RmlFoldFailure *failure);

extern size_t rml_rfecv_bytes(const RmlValidation *validation, const RmlLearner *learner,
							  const void *learner_params, const RmlRfecvParams *params,
							  int threads);

#endif /* RETAILML_RFECV_H */
