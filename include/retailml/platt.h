/*
 * platt.h
 *	  Probabilities that mean what they say: a line through their log-odds.
 *
 * Of log-odds x that a model gave to rows it had not seen, and the classes those had,
 *
 *	  P(class 1) = 1 / (1 + exp(-(intercept + slope x)))
 *
 * is fitted by maximum likelihood to the targets of J. Platt ("Probabilistic outputs for support vector
 * machines and comparisons to regularized likelihood methods", 1999): with n0 and n1 rows (or weights)
 * of the classes, 1 / (n0 + 2) and (n1 + 1) / (n1 + 2) in place of 0 and 1, so that the fit is finite
 * even where the classes are apart.  A slope below 1 says that the model was too sure of itself.
 *
 * Newton's method with halved steps on the centred log-odds (as H. Lin, C. Lin and R. Weng, "A note on
 * Platt's probabilistic outputs", Machine Learning 68 (2007)).
 */
#ifndef RETAILML_PLATT_H
#define RETAILML_PLATT_H

#include <math.h>

#include "retailml/env.h"

/* log-odds further out than those of this are all the same */
#define RML_LEAST_PROBABILITY 1e-12

static inline double
rml_log_odds(double p)
{
	p = fmin(fmax(p, RML_LEAST_PROBABILITY), 1.0 - RML_LEAST_PROBABILITY);
	return log(p / (1.0 - p));
}

static inline double
rml_logistic(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

/* n unseen rows, both classes there */
typedef struct RmlPlattRows
{
	int64_t n;
	const double *x;        /* [n] log-odds, finite */
	const int32_t *classes; /* [n] 0 or 1 */
	const double *weights;  /* [n] or NULL */
} RmlPlattRows;

/*
 * Log-odds that are all the same leave the slope at 1.  A model that ranks worse than none is not turned
 * round: where the slope would be negative it is 0, and the intercept says the share of class 1.
 */
extern void rml_platt_fit(RmlEnv *env, const RmlPlattRows *rows, double *slope, double *intercept);

/* mean log loss of the rows' classes at a slope and an intercept */
extern double rml_platt_loss(RmlEnv *env, const RmlPlattRows *rows, double slope, double intercept);

#endif /* RETAILML_PLATT_H */
