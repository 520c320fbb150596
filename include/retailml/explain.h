/*
 * explain.h
 *	  What any supervised model says about a prediction, and about its features.
 *
 * The score of a row is base + sum of contributions, one for each feature; which score that is, and how
 * it is split, is the algorithm's (registry.h).
 */
#ifndef RETAILML_EXPLAIN_H
#define RETAILML_EXPLAIN_H

#include "retailml/registry.h"
#include "retailml/supervised.h"

typedef struct RmlExplanation
{
	double base;
	double *contributions; /* [n_features] in the schema's order */
	int32_t *order;        /* [n_features] the largest contribution first, whatever its sign */
} RmlExplanation;

/* the label of a supervised model */
static inline const RmlTarget *
rml_model_target(const RmlModel *model)
{
	return model->fitted;
}

/* the number of a class, or -1 */
extern int rml_target_class(const RmlTarget *target, const char *text);

/*
 * The score that is explained unless another is asked for: of class 1 of two, of the predicted class of
 * more, the only one of a regression.
 */
extern int rml_explain_output(const RmlModel *model, const double *numbers, const int32_t *codes);

/* the caller gives room for the arrays */
extern void rml_explain_row(const RmlModel *model, const double *numbers, const int32_t *codes,
							int output, RmlExplanation *explanation);

/* positions order [n] of the largest values first, by size whatever the sign; ties in order */
extern void rml_order_by_size(RmlEnv *env, const double *values, int n, int32_t *order);

#endif /* RETAILML_EXPLAIN_H */
