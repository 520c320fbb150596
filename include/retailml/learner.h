/*
 * learner.h
 *	  Supervised algorithms behind one table: what fits them all and compares them.
 *
 * A learner fits a model to an RmlTrainingSet and is scored through its RmlAlgorithm (registry.h).
 * Cross-validation, feature elimination, permutation importance, and the churn and lifetime-value
 * products work on learners and know of no algorithm.
 */
#ifndef RETAILML_LEARNER_H
#define RETAILML_LEARNER_H

#include "retailml/registry.h"
#include "retailml/supervised.h"

typedef struct RmlLearner
{
	const RmlAlgorithm *algorithm; /* its name, options, params_size, scoring */
	bool classifier;               /* knows classes only: a numeric label is one */
	/* NULL, or the reason these rows cannot be fitted */
	const char *(*check)(RmlEnv *env, const void *params, const RmlTrainingSet *rows);
	/* bytes a fit takes at its peak, on top of the rows; n_classes is 0 for regression */
	size_t (*bytes)(const void *params, int64_t n, int d_num, int d_cat, int n_classes,
					int threads);
	/* the fitted model (in env), or NULL and the *reason */
	void *(*fit)(RmlEnv *env, const void *params, const RmlTrainingSet *rows, const char **reason);
	/* what the user should be told about a fit that worked, or NULL (separation, dropped terms) */
	const char *(*warning)(RmlEnv *env, const void *fitted);
} RmlLearner;

/*
 * Fit as the params say: with class weights, to resampled rows.  Kernels that fit learners call this,
 * after the learner's check.  Returns NULL and the *reason when it cannot be done.
 */
extern void *rml_learner_fit(RmlEnv *env, const RmlLearner *learner, const void *params,
							 const RmlTrainingSet *rows, const char **reason);

/* bytes that takes */
extern size_t rml_learner_bytes(const RmlLearner *learner, const void *params,
								const RmlTrainingSet *rows, int threads);

/* linreg, logreg, tree, forest, boost; NULL: there is none of this name */
extern const RmlLearner *rml_learner_by_name(const char *name);

/* all names, NULL-terminated, in the order of their algorithm ids */
extern const char *const rml_learner_names[];

#endif /* RETAILML_LEARNER_H */
