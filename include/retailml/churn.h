/*
 * churn.h
 *	  Who will leave: the best of three learners, calibrated, with bands of risk.
 *
 * Logistic regression, a random forest and boosted trees are compared by cross-validation on the rows of the
 * fit (rows of one customer in one fold), and the one with the smallest log loss is kept.  The
 * probabilities it gave to rows it had not seen are then calibrated: of them and what happened
 *
 *	  ln(p / (1 - p))_calibrated = intercept + slope * ln(p / (1 - p))
 *
 * is fitted by maximum likelihood (J. Platt, "Probabilistic outputs for support vector machines",
 * 1999, with his targets, which keep away from 0 and 1).  A slope below 1 says that the model was too sure
 * of itself.
 *
 * Bands: low below the option "medium", high from the option "high" on.  The model keeps how many of
 * the unseen rows were in each band and how many of them churned.
 *
 * Contributions are of the calibrated log-odds.  A forest explains a probability; its contributions
 * are stretched by the one factor that makes them add up to the log-odds.
 */
#ifndef RETAILML_CHURN_H
#define RETAILML_CHURN_H

#include "retailml/product.h"

#define RML_CHURN_BANDS 3

typedef struct RmlChurnParams
{
	RmlSupervisedParams common;
	char *group;
	int64_t folds;
	double medium;
	double high;
} RmlChurnParams;

typedef struct RmlChurn
{
	RmlTarget target;
	RmlPart part;
	double slope;
	double intercept;
	double medium;
	double high;
	RmlContest comparison;
	double log_loss; /* of the unseen rows, calibrated */
	int64_t rows[RML_CHURN_BANDS];
	int64_t churned[RML_CHURN_BANDS];
} RmlChurn;

extern const char *const rml_churn_bands[RML_CHURN_BANDS];

/* params as they are, or the reason they contradict each other */
extern const char *rml_churn_check(const RmlChurnParams *params, const RmlTarget *target);

/* the model; prepared->schema is its schema.  NULL or the reason. */
extern const char *rml_churn_fit(RmlEnv *env, const RmlChurnParams *params,
								 const RmlProductRows *rows, RmlPrepared *prepared, RmlChurn *out);

extern size_t rml_churn_bytes(RmlEnv *env, const RmlChurnParams *params,
							  const RmlProductRows *rows);

/* probability of churn of a prepared row */
extern double rml_churn_predict(const void *fitted, const double *numbers, const int32_t *codes);

/* 0 low, 1 medium, 2 high */
extern int rml_churn_band(const RmlChurn *model, double probability);

extern const RmlAlgorithm rml_churn_algorithm;

#endif /* RETAILML_CHURN_H */
