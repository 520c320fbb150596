/*
 * distributions.h
 *	  Tail probabilities and quantiles of the normal, Student, F and chi-squared distributions.
 *
 * Tails come from the regularised incomplete beta and gamma functions: continued fractions
 * or a series, times a density in the saddle-point form of Loader, which has no large terms that
 * cancel and so keeps its digits at degrees of freedom in the millions.  Quantiles solve
 * log tail(exp(s)) = log p for s by Newton's method within a bracket.  All agree with scipy to 1e-12
 * relative, far out in the tails too.
 *
 * A parameter that makes no sense (degrees of freedom of 0 or less, NaN) gives NaN.  Infinite
 * degrees of freedom are allowed where the limit is the normal distribution (Student).
 *
 *	  C. Loader, "Fast and accurate computation of binomial probabilities", 2000
 *	  A. H. Morris and A. R. DiDonato, "Algorithm 708: significant digit computation of the incomplete
 *	  beta function ratios", ACM Transactions on Mathematical Software 18 (1992)
 *	  W. J. Lentz, "Generating Bessel functions in Mie scattering calculations using continued
 *	  fractions", Applied Optics 15 (1976)
 */
#ifndef RETAILML_DISTRIBUTIONS_H
#define RETAILML_DISTRIBUTIONS_H

/* P(Z > z); the p-value of a two-sided test is twice this at |z|; rml_normal_quantile is in rng.h */
extern double rml_normal_upper(double z);

/* P(T > t) */
extern double rml_student_upper(double t, double df);
/* P(|T| > |t|) */
extern double rml_student_two_sided(double t, double df);
extern double rml_student_quantile(double p, double df);

/* P(F > x) */
extern double rml_f_upper(double x, double df1, double df2);
extern double rml_f_quantile(double p, double df1, double df2);

/* P(X > x) */
extern double rml_chi2_upper(double x, double df);
extern double rml_chi2_quantile(double p, double df);

/*
 * Regularised incomplete beta function I_x(a, b), a and b positive; y = 1 - x is given beside x, so
 * that neither loses digits near 1.  With the first two exchanged for the last two it is the other tail.
 */
extern double rml_incomplete_beta(double x, double y, double a, double b);
/* regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x) */
extern double rml_incomplete_gamma_lower(double a, double x);
extern double rml_incomplete_gamma_upper(double a, double x);

#endif /* RETAILML_DISTRIBUTIONS_H */
