/*
 * ltv.h
 *	  What a customer will spend: will there be a purchase, and of how much.
 *
 * Future spend is zero for many customers and has a long tail for others, so it is predicted in two
 * parts, each by boosted trees (boost.h):
 *
 *	  prediction = P(spend > 0) * E(spend | spend > 0)
 *
 * (J. Cragg, "Some statistical models for limited dependent variables", Econometrica 39 (1971).)  The
 * amount is learnt in one of three ways, chosen by cross-validation:
 *
 *	  linear	by trees as it is
 *	  log		by trees as its logarithm; exp(prediction) is multiplied by the factor that makes the
 *				predicted amounts of the training rows add up to the true ones (as in N. Duan, "Smearing
 *				estimate", JASA 78 (1983))
 *	  trend		by a linear regression (ridge), and trees for what that leaves.  Trees cannot say more
 *				than they have seen; a customer who spends twice as much as any other needs a line.
 *
 * A label that is negative (more returned than bought) counts as no purchase.  When all rows have one the
 * first part is 1.
 *
 * Contributions add up to the prediction: a product changes from p0 a0 to p a by (p + p0) / 2 times the
 * change of the amount plus (a + a0) / 2 times the change of the probability, and each of these is
 * split among the features as its part says.
 */
#ifndef RETAILML_LTV_H
#define RETAILML_LTV_H

#include "retailml/product.h"

typedef struct RmlLtvParams
{
	RmlSupervisedParams common;
	char *group;
	int64_t folds;
	int64_t amount; /* RmlLtvAmount */
} RmlLtvParams;

typedef enum RmlLtvAmount
{
	RML_LTV_AUTO = 0,
	RML_LTV_LINEAR,
	RML_LTV_LOG,
	RML_LTV_TREND
} RmlLtvAmount;

#define RML_LTV_AMOUNTS 3

typedef struct RmlLtv
{
	RmlTarget target;
	bool has_buys;    /* not all training rows have a purchase */
	RmlPart buys;     /* two classes, the second has a purchase */
	RmlLtvAmount how; /* not auto */
	RmlPart trend;    /* of how = trend */
	RmlPart amount;
	double factor; /* of exp(prediction) */
	double buyers; /* share of the training rows */
	RmlContest comparison;
} RmlLtv;

/* fits both parts as params->amount says (not auto); what cross-validation compares */
extern const RmlLearner rml_ltv_learner;

/* the model; prepared->schema is its schema.  NULL or the reason. */
extern const char *rml_ltv_fit(RmlEnv *env, const RmlLtvParams *params, const RmlProductRows *rows,
							   RmlPrepared *prepared, RmlLtv **out);

extern size_t rml_ltv_bytes(RmlEnv *env, const RmlLtvParams *params, const RmlProductRows *rows);

extern const RmlAlgorithm rml_ltv_algorithm;

#endif /* RETAILML_LTV_H */
