/*
 * cross_validate.h
 *	  K-fold cross-validation of any learners with any params on the same folds.
 *
 * Rows are dealt into folds; for each fold a model is fitted to the rows of all others and judged by
 * the rows of this one.  What is reported is the mean of the folds' measures and their standard
 * deviation (of the population, as scikit-learn's cv_results_).  A measure that is not defined in some
 * fold (roc_auc of held-out rows of one class) is the mean of the folds where it is.
 *
 * Folds are dealt by group: groups in the order of a seeded hash of their number take turns, so that
 * folds have the same number of groups, give or take one, and a group is never on both sides.  Without
 * groups each row is one; rows are in canonical order, so the folds do not depend on how they came
 * (rows that are equal in everything are interchangeable).
 *
 * Everything a model knows comes from its training rows: categories, imputed values and classes
 * (training_set.h), class weights and resampling.  Pairs of cell and fold are fitted side by side, each with
 * one thread.
 *
 *	  M. Stone, "Cross-validatory choice and assessment of statistical predictions", JRSS B 36 (1974)
 *
 * Shapes: N rows, F folds, C cells.
 */
#ifndef RETAILML_CROSS_VALIDATE_H
#define RETAILML_CROSS_VALIDATE_H

#include "retailml/learner.h"
#include "retailml/model_metrics.h"
#include "retailml/training_set.h"

#define RML_MAX_FOLDS 1000

/* what all cells have in common */
typedef struct RmlValidation
{
	const RmlRawRows *rows;
	RmlImpute impute;
	int n_folds;
	const int32_t *folds; /* [N] 0 .. F - 1 */
} RmlValidation;

/* one combination of learner and params, and how it did */
typedef struct RmlCell
{
	const RmlLearner *learner;
	const void *params;
	double *
		predictions; /* [N x width] of each row by the model that has not seen it; NULL: not kept */
	double *scores;  /* [F x RML_N_METRICS] filled; NaN: not defined */
	double *seconds; /* [F] of each fit */
	double mean[RML_N_METRICS];
	double sd[RML_N_METRICS];
	double fit_seconds; /* mean */
	int rank;           /* 1 = best by the metric, ties share the smaller rank */
} RmlCell;

/* the first fit that failed, in order of cells and folds */
typedef struct RmlFoldFailure
{
	const char *reason; /* NULL: none did */
	int cell;
	int fold;      /* from 0; -1: all rows */
	bool by_folds; /* it is the training rows that teach nothing: other folds might */
} RmlFoldFailure;

/* groups [N] or NULL; returns NULL or the reason */
extern const char *rml_folds_deal(RmlEnv *env, int64_t n, const uint64_t *groups, int n_folds,
								  int64_t seed, int32_t *folds);

/* fill the cells; failure->reason is NULL when all went well */
extern void rml_cross_validate(RmlEnv *env, const RmlValidation *validation, RmlCell *cells,
							   int n_cells, RmlFoldFailure *failure);

/* number the cells by the mean of a metric */
extern void rml_cells_rank(RmlCell *cells, int n_cells, RmlMetric metric);

/* bytes it takes on top of the raw rows, at its peak */
extern size_t rml_cross_validate_bytes(const RmlValidation *validation, const RmlCell *cells,
									   int n_cells, int threads);

/* mean and standard deviation of the values that are not NaN, [n] at a distance of stride */
extern void rml_fold_moments(const double *values, int n, int stride, double *mean, double *sd);

#endif /* RETAILML_CROSS_VALIDATE_H */
