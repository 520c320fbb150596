/*
 * svdpp_explain.h
 *	  What a prediction of SVD++ is made of.
 *
 * The prediction mu + b_u + b_i + q_i . (p_u + |N(u)|^-1/2 sum of y_j) is a sum already: the mean, the two
 * biases, what the user's own factors say (q_i . p_u), and a share |N(u)|^-1/2 q_i . y_j of every item
 * the user has.  Only the limits of the range are not a term; where they change the prediction, the
 * difference is one.
 */
#ifndef RETAILML_SVDPP_EXPLAIN_H
#define RETAILML_SVDPP_EXPLAIN_H

#include "retailml/svdpp.h"

typedef enum RmlSvdppSource
{
	RML_SOURCE_MEAN = 0,
	RML_SOURCE_USER_BIAS,
	RML_SOURCE_ITEM_BIAS,
	RML_SOURCE_FACTORS,
	RML_SOURCE_ITEM,
	RML_SOURCE_LIMIT
} RmlSvdppSource;

/* as svdpp_explain() calls them */
extern const char *const rml_svdpp_source_names[];

typedef struct RmlSvdppPart
{
	RmlSvdppSource source;
	int32_t item; /* of RML_SOURCE_ITEM, -1 otherwise */
	double contribution;
} RmlSvdppPart;

/*
 * The parts [*n] of a prediction, which add up to it: in the order of the sources, items by contribution,
 * the largest first, ties by position.  user or item -1: unknown, the parts that need it are left out.
 * A model without biases has none of them; the mean, 0 then, is always there.
 */
extern RmlSvdppPart *rml_svdpp_explain(const RmlSvdpp *model, RmlEnv *env, int32_t user,
									   int32_t item, int64_t *n);

#endif /* RETAILML_SVDPP_EXPLAIN_H */
