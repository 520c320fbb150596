/*
 * permutation_importance.h
 *	  What a model loses when a feature stops telling anything.
 *
 * The values of one feature are shuffled among the rows, which cuts its tie to the label and to all
 * other features, and the rows are predicted again: how much worse a measure becomes is the
 * feature's importance to this model on these rows.  Rows the model has not seen tell what it is
 * good for, training rows what it relies on.  Features that say the same stand in for each other and
 * all look unimportant.
 *
 *	  importance = measure - measure of shuffled rows   (the other way round for losses)
 *
 * Repeat r of feature f shuffles by its own random stream (Fisher and Yates), rows in canonical order,
 * so neither the order of rows nor threads matter.
 *
 *	  L. Breiman, "Random forests", Machine Learning 45 (2001);  A. Fisher, C. Rudin, F. Dominici, "All
 *	  models are wrong, but many are useful", JMLR 20 (2019)
 *
 * Shapes: n rows, D features, R repeats.
 */
#ifndef RETAILML_PERMUTATION_IMPORTANCE_H
#define RETAILML_PERMUTATION_IMPORTANCE_H

#include "retailml/model_metrics.h"
#include "retailml/registry.h"

typedef struct RmlShuffling
{
	const RmlAlgorithm *algorithm;
	const void *fitted;
	const RmlTrainingSet *rows; /* prepared by the model's schema, classes as the model's */
	RmlMetric metric;
	int repeats; /* R */
	int64_t seed;
} RmlShuffling;

/* the measure of the rows as they are, and mean and deviation over repeats of what is lost [D] */
extern void rml_permutation_importance(RmlEnv *env, const RmlShuffling *shuffling, double *baseline,
									   double *mean, double *sd);

/* features in order of their importance, the largest first, equal ones in their order */
extern void rml_importance_order(const double *mean, int d, int *order);

extern size_t rml_permutation_importance_bytes(const RmlShuffling *shuffling, int threads);

/*
 * The label of other rows as a model knows it: fill rows->target and rows->y or rows->classes [n].
 * Returns NULL or the reason they do not fit.
 */
extern const char *rml_label_match(RmlEnv *env, const RmlTaken *label, int64_t n,
								   const RmlTarget *target, RmlTrainingSet *rows);

#endif /* RETAILML_PERMUTATION_IMPORTANCE_H */
