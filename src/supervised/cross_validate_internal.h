/*
 * cross_validate_internal.h
 *	  One model of a cross-validation: what cells and feature elimination share.
 */
#ifndef RML_CROSS_VALIDATE_INTERNAL_H
#define RML_CROSS_VALIDATE_INTERNAL_H

#include "retailml/cross_validate.h"

typedef struct RmlFoldFit
{
	/* given */
	const RmlValidation *validation;
	const RmlLearner *learner;
	const void *params;
	const bool *features; /* [D] or NULL: all */
	int fold;             /* held out; -1: none */
	/* made */
	const char *reason; /* why there is no model, in the environment of the fit */
	bool by_folds;      /* as in RmlFoldFailure */
	RmlPrepared prepared;
	void *fitted;
	double seconds;
	int64_t n_held;
	int64_t *held;       /* [n_held] held-out rows, ascending */
	double *predictions; /* [n_held x width] */
	double scores[RML_N_METRICS];
} RmlFoldFit;

/* fit to all rows but the fold's, predict and measure these */
extern void rml_fold_fit(RmlEnv *env, RmlFoldFit *fit);

/* the failure of a fit, its reason copied */
extern void rml_fold_fail(RmlEnv *env, const RmlFoldFit *fit, int cell, RmlFoldFailure *failure);

/* bytes of one such fit */
extern size_t rml_fold_fit_bytes(const RmlValidation *validation, const RmlLearner *learner,
								 const void *params);

#endif /* RML_CROSS_VALIDATE_INTERNAL_H */
