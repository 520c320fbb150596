/*
 * logreg.h
 *	  Logistic regression: two classes or more, with ridge or lasso penalty.
 *
 * The probability of class k is that of the softmax of predictors eta_k (linear_design.h).  The first
 * class is the reference, whose predictor is 0: so two classes have one predictor, the log-odds of
 * the second.  The fit makes
 *
 *	  sum over rows w (-log p of the row's class) + l2 / 2 |s b|^2 + l1 |s b|_1
 *
 * smallest, which is scikit-learn's objective times C = 1 / l2.  The intercept is not penalised.
 * s_j is the term's standard deviation when standardize is set, otherwise 1.  Of three classes and
 * more the penalty is on predictors of all classes, the reference too (in which the model is
 * symmetric): l2 acts on differences to their mean, and l1 keeps a predictor for every class.
 *
 * Newton's method with all second derivatives, halving a step that makes things worse; l1 is
 * minimised by coordinate descent on the quadratic approximation, over the active terms first
 * (Friedman et al. 2010).  Without penalty, terms that others determine are dropped, as in R's glm.
 *
 * Separation: when a combination of terms tells the classes apart (all rows, or some rows while the
 * others lie on the border), there is no finite best fit.  It is noticed by coefficients that classify
 * every row, or by steps that do not get shorter while no row objects to their direction (Albert
 * and Anderson 1984).  The model says so and names the terms that carry the direction.  With l2
 * "auto" the fit is then repeated with l2 = 1 on z-scores, as it is from the start when there are
 * as many coefficients as rows; otherwise auto is 0.
 *
 * Standard errors are those of the observed (= expected) information; with l2 of A^-1 I A^-1, A with
 * the penalty and I without; with l1 there are none (NaN).  AIC and BIC count all coefficients that are
 * not 0.
 *
 *	  A. Albert and J. A. Anderson, "On the existence of maximum likelihood estimates in logistic
 *	  regression models", Biometrika 71 (1984)
 *	  J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for generalized linear models
 *	  via coordinate descent", Journal of Statistical Software 33 (2010)
 *
 * Shapes: n rows, p terms, K classes, M predictors (K - 1, or K with l1 and K > 2).
 */
#ifndef RETAILML_LOGREG_H
#define RETAILML_LOGREG_H

#include "retailml/linreg.h"

typedef struct RmlLogregParams
{
	RmlSupervisedParams common;
	double l2; /* or RML_AUTO */
	double l1;
	int64_t standardize;
	int64_t max_iter;
	double tol; /* relative change of the objective at which to stop */
} RmlLogregParams;

typedef struct RmlLogregStats
{
	double n; /* rows of positive weight */
	double null_deviance;
	double deviance;
	double aic;
	double bic;
	double pseudo_r2; /* McFadden: 1 - deviance / null deviance */
	double l2;        /* what was used */
	double iterations;
	double converged; /* 0 or 1 */
	double separated; /* 0 or 1 */
} RmlLogregStats;

/* so many terms are named as responsible for a separation */
#define RML_LOGREG_MAX_SEPARATING 10

typedef struct RmlLogreg
{
	RmlTarget target;
	RmlLinear linear;   /* M outputs; output m is of class K - M + m */
	double *std_errors; /* [M x p] NaN where there is none */
	RmlLogregStats stats;
	int64_t n_separating;
	int32_t *separating;     /* [n_separating] terms, most responsible first */
	char **separating_names; /* [n_separating] follows from them */
} RmlLogreg;

/* NULL, or the reason n rows of this schema and label cannot be fitted */
extern const char *rml_logreg_check(RmlEnv *env, const RmlLogregParams *params, int64_t n,
									const RmlSchema *schema, const RmlTarget *target);

/* fill the names of the separating terms: fits and decoding do it */
extern void rml_logreg_index(RmlLogreg *model, const RmlSchema *schema, RmlEnv *env);

/* bytes a fit takes at its peak, on top of the rows; categories are all there are together */
extern size_t rml_logreg_bytes(const RmlLogregParams *params, int d_num, int d_cat,
							   int64_t categories, int n_classes, int threads);

/* NULL, or the reason */
extern const char *rml_logreg_fit(RmlEnv *env, const RmlLogregParams *params,
								  const RmlTrainingSet *rows, RmlLogreg *out);

/* probabilities [K] */
extern void rml_logreg_proba(const RmlLogreg *model, const double *numbers, const int32_t *codes,
							 double *p);

/*
 * Contributions [n_features] to the score of a class.  Of two classes the score is its log-odds,
 * of more its predictor less the mean of all.
 */
extern void rml_logreg_contributions(const RmlLogreg *model, RmlEnv *env, int class_,
									 const double *numbers, const int32_t *codes,
									 double *contributions, double *base);

/*
 * The line of a term in the predictor of a class: estimate, error, z, p and Wald interval.  Odds
 * ratios are exp() of the estimate and the interval's ends.  NaNs for a dropped term and for a class without a
 * predictor.
 */
extern void rml_logreg_coefficient(const RmlLogreg *model, int class_, int term, double confidence,
								   RmlCoefficient *out);

extern void rml_logreg_encode(const void *fitted, RmlWriter *writer);
extern void *rml_logreg_decode(RmlReader *reader, const RmlSchema *schema, const void *params);
extern void rml_logreg_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info);

extern const RmlAlgorithm rml_logreg_algorithm;
extern const RmlLearner rml_logreg_learner;

#endif /* RETAILML_LOGREG_H */
