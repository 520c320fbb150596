/*
 * linreg.h
 *	  Linear regression: least squares and ridge, with the statistics of the coefficients.
 *
 * The coefficients b of the terms (linear_design.h) make
 *
 *	  sum over rows w (y - eta)^2 + l2 * sum over terms but the intercept (s_j b_j)^2
 *
 * smallest.  s_j is the term's standard deviation when standardize is set (the penalty acts on z-scores),
 * otherwise 1.  Without l2, terms that others determine are dropped, as R's lm does (tolerance 1e-7 of
 * the term's deviation).
 *
 * The equations are solved from X'WX in a centred and scaled basis and then corrected by residuals
 * taken through the rows (one step of iterative refinement); nearly collinear terms enter by what
 * is left of them after regression on the others (linear_basis.c).  So coefficients agree with a QR
 * decomposition where X'WX alone would lose half the digits, and take three passes over the rows.
 *
 * Standard errors: classical, sigma^2 (X'WX)^-1; and robust to unequal variances, HC1 and HC3, which
 * put squared residuals in the middle, times n / df or divided by (1 - leverage)^2.  A row of
 * leverage 1 fits itself whatever its variance: it adds nothing to HC3.  With l2 the covariance is that of
 * the estimator, A^-1 X'WX A^-1 with A = X'WX + l2 S^2, and degrees of freedom are effective ones, the
 * trace of the hat matrix; it says nothing of the bias.
 *
 * Rows of weight 0 do not count in n.  AIC and BIC are those of R: sigma is a parameter, too.  What
 * has no value (nothing is left for sigma, y is constant) is NaN.
 *
 *	  Å. Björck, Numerical Methods for Least Squares Problems, SIAM 1996, sections 2.4 and 6.6.5
 *	  J. G. MacKinnon and H. White, "Some heteroskedasticity-consistent covariance matrix estimators
 *	  with improved finite sample properties", Journal of Econometrics 29 (1985)
 *
 * Shapes: n rows, p terms, rank terms that were kept.  Matrices are row-major.
 */
#ifndef RETAILML_LINREG_H
#define RETAILML_LINREG_H

#include "retailml/learner.h"
#include "retailml/linear_design.h"

typedef struct RmlLinregParams
{
	RmlSupervisedParams common;
	double l2;
	int64_t standardize;
} RmlLinregParams;

/* which standard errors */
typedef enum RmlRobust
{
	RML_ROBUST_NONE = 0,
	RML_ROBUST_HC1 = 1,
	RML_ROBUST_HC3 = 2
} RmlRobust;

#define RML_LINREG_ERRORS 3

/* a model keeps the covariances of at most so many terms (1 MB) */
#define RML_LINREG_MAX_COVARIANCES 500

typedef struct RmlLinregStats
{
	double n;     /* rows of positive weight */
	double df;    /* n less (effective) parameters */
	double rss;   /* weighted sum of squared residuals */
	double sigma; /* sqrt(rss / df) */
	double r2;
	double adjusted_r2;
	double f;    /* against the intercept alone */
	double f_df; /* numerator; the denominator's is df */
	double f_p;
	double log_likelihood;
	double aic;
	double bic;
	double condition; /* of the terms as z-scores; NaN with l2 */
} RmlLinregStats;

typedef struct RmlLinreg
{
	RmlTarget target;
	RmlLinear linear;
	double l2;
	RmlLinregStats stats;
	double *std_errors;   /* [RML_LINREG_ERRORS x p] NaN where dropped */
	int64_t n_covariance; /* rank, or 0 when they are not kept */
	double *covariance;   /* [n_covariance x n_covariance] classical, of the kept terms in order */
} RmlLinreg;

/* one line of the table of coefficients */
typedef struct RmlCoefficient
{
	double estimate;
	double std_error;
	double statistic; /* t, or z of a logistic regression */
	double p;
	double low; /* confidence interval */
	double high;
} RmlCoefficient;

/* NULL, or the reason n rows of this schema cannot be fitted */
extern const char *rml_linreg_check(RmlEnv *env, const RmlLinregParams *params, int64_t n,
									const RmlSchema *schema);

/* bytes a fit takes at its peak, on top of the rows; categories are all there are together */
extern size_t rml_linreg_bytes(int d_num, int d_cat, int64_t categories, int threads);

/* NULL, or the reason */
extern const char *rml_linreg_fit(RmlEnv *env, const RmlLinregParams *params,
								  const RmlTrainingSet *rows, RmlLinreg *out);

extern double rml_linreg_predict(const RmlLinreg *model, const double *numbers,
								 const int32_t *codes);

/* the line of a term; confidence is that of the interval (0.95).  A dropped term has NaNs. */
extern void rml_linreg_coefficient(const RmlLinreg *model, int term, RmlRobust robust,
								   double confidence, RmlCoefficient *out);

extern void rml_linreg_encode(const void *fitted, RmlWriter *writer);
extern void *rml_linreg_decode(RmlReader *reader, const RmlSchema *schema, const void *params);
extern void rml_linreg_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info);

extern const RmlAlgorithm rml_linreg_algorithm;
extern const RmlLearner rml_linreg_learner;

#endif /* RETAILML_LINREG_H */
