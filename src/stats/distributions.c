/*
 * distributions.c
 *	  Tails of the normal, Student, F and chi-squared distributions.
 *
 * Quantiles are in distributions_quantile.c.
 */
#include "retailml/distributions.h"

#include <float.h>
#include <math.h>

#define LARGEST_STEPS 1000000
#define TINY 1e-300

/* ---- the density of Loader ---- */

/*
 * log Gamma(z + 1) minus Stirling's formula z log z - z + log(2 pi z) / 2.  From 15 on the series, whose
 * first term left out is below 1e-16 there; below, the difference itself, in which nothing is large.
 */
static double
stirling_error(double z)
{
	int sign;
	double z2 = z * z;

	if (z < 15.0)
		return lgamma_r(z + 1.0, &sign) - (z + 0.5) * log(z) + z - 0.5 * log(2.0 * M_PI);
	return (1.0 / 12 -
			(1.0 / 360 -
			 (1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188 - 691.0 / 360360 / z2) / z2) / z2) / z2) /
				z2) /
		   z;
}

/* x log(x / m) + m - x, without cancellation where x is near m */
static double
deviance_term(double x, double m)
{
	double v = (x - m) / (x + m), sum, term;

	if (fabs(x - m) >= 0.1 * (x + m))
		return x * log(x / m) + m - x;
	sum = (x - m) * v;
	term = 2.0 * x * v;
	for (int j = 1; j < 1000; j++)
	{
		double before = sum;

		term *= v * v;
		sum += term / (2 * j + 1);
		if (sum == before)
			break;
	}
	return sum;
}

/* x^a y^b / B(a, b), y = 1 - x */
static double
beta_density(double x, double y, double a, double b)
{
	double n = a + b;
	double exponent = stirling_error(n) - stirling_error(a) - stirling_error(b) -
					  deviance_term(a, n * x) - deviance_term(b, n * y);

	if (x <= 0.0 || y <= 0.0)
		return 0.0;
	return exp(exponent) * sqrt(a * b / (2.0 * M_PI * n));
}

/* x^a exp(-x) / Gamma(a) */
static double
gamma_density(double a, double x)
{
	if (x <= 0.0)
		return 0.0;
	return exp(-stirling_error(a) - deviance_term(a, x)) * sqrt(a / (2.0 * M_PI));
}

/* ---- incomplete beta ---- */

static double
away_from_zero(double x)
{
	return fabs(x) < TINY ? TINY : x;
}

/*
 * I_x(a, b) / (x^a y^b / B(a, b)) where x is below the mean a / (a + b): the even part of the
 * continued fraction, put in terms of the distance lambda = a - (a + b) x, so that nothing cancels
 * where a is large and x near 1 (A. H. Morris and A. R. DiDonato, "Algorithm 708", ACM TOMS 18
 * (1992), equation 9).  Its convergents are a / b.
 */
static double
beta_fraction(double x, double y, double a, double b)
{
	const double lambda = a > b ? (a + b) * y - b : a - (a + b) * x, c = 1.0 + lambda;
	double before_a = 0.0, before_b = 1.0, now_a = 1.0, now_b = c / (1.0 + 1.0 / a);
	double ratio = now_a / now_b;

	for (int n = 1; n < LARGEST_STEPS; n++)
	{
		const double t = n / a, p = 1.0 + (n - 1) / a, s = a + 2 * n - 1, w = n * (b - n) * x;
		const double alpha = p * (p + b / a) * (a / s) * (a / s) * w * x;
		const double e = (1.0 + t) / (1.0 + 1.0 / a + 2.0 * t);
		const double beta = n + w / s + e * (c + n * (1.0 + y));
		const double next_a = alpha * before_a + beta * now_a;
		const double next_b = alpha * before_b + beta * now_b;
		const double last = ratio;

		ratio = next_a / next_b;
		if (fabs(ratio - last) <= DBL_EPSILON * ratio)
			break;
		before_a = now_a / next_b;
		before_b = now_b / next_b;
		now_a = ratio;
		now_b = 1.0;
	}
	return ratio;
}

double
rml_incomplete_beta(double x, double y, double a, double b)
{
	if (!(a > 0.0) || !(b > 0.0) || !(x >= 0.0) || !(y >= 0.0))
		return NAN;
	if (x * b < a * y)
		return beta_density(x, y, a, b) * beta_fraction(x, y, a, b);
	return 1.0 - beta_density(y, x, b, a) * beta_fraction(y, x, b, a);
}

/* ---- incomplete gamma ---- */

/* P(a, x) / density, for x below a + 1 */
static double
gamma_series(double a, double x)
{
	double term = 1.0 / a, sum = term;

	for (int i = 1; i < LARGEST_STEPS && term > sum * DBL_EPSILON; i++)
	{
		term *= x / (a + i);
		sum += term;
	}
	return sum;
}

/* Q(a, x) / density, for the other x */
static double
gamma_fraction(double a, double x)
{
	double b = x + 1.0 - a, c = 1.0 / TINY, d = 1.0 / away_from_zero(b), value = d;

	for (int i = 1; i < LARGEST_STEPS; i++)
	{
		double numerator = -i * (i - a), change;

		b += 2.0;
		d = 1.0 / away_from_zero(numerator * d + b);
		c = away_from_zero(b + numerator / c);
		change = c * d;
		value *= change;
		if (fabs(change - 1.0) < DBL_EPSILON)
			break;
	}
	return value;
}

double
rml_incomplete_gamma_lower(double a, double x)
{
	if (!(a > 0.0) || isnan(x))
		return NAN;
	if (x <= 0.0)
		return 0.0;
	if (isinf(x))
		return 1.0;
	if (x < a + 1.0)
		return gamma_density(a, x) * gamma_series(a, x);
	return 1.0 - gamma_density(a, x) * gamma_fraction(a, x);
}

double
rml_incomplete_gamma_upper(double a, double x)
{
	if (!(a > 0.0) || isnan(x))
		return NAN;
	if (x <= 0.0)
		return 1.0;
	if (isinf(x))
		return 0.0;
	if (x < a + 1.0)
		return 1.0 - gamma_density(a, x) * gamma_series(a, x);
	return gamma_density(a, x) * gamma_fraction(a, x);
}

/* ---- tails ---- */

double
rml_normal_upper(double z)
{
	return 0.5 * erfc(z * M_SQRT1_2);
}

double
rml_student_two_sided(double t, double df)
{
	double square = t * t;

	if (!(df > 0.0) || isnan(t))
		return NAN;
	if (isinf(df))
		return erfc(fabs(t) * M_SQRT1_2);
	if (isinf(square))
		return 0.0;
	return rml_incomplete_beta(df / (df + square), square / (df + square), 0.5 * df, 0.5);
}

double
rml_student_upper(double t, double df)
{
	double tail = 0.5 * rml_student_two_sided(t, df);

	return t >= 0.0 ? tail : 1.0 - tail;
}

double
rml_f_upper(double x, double df1, double df2)
{
	double total = df1 * x + df2;

	if (!(df1 > 0.0) || !(df2 > 0.0) || isnan(x))
		return NAN;
	if (x <= 0.0)
		return 1.0;
	if (isinf(total))
		return 0.0;
	return rml_incomplete_beta(df2 / total, df1 * x / total, 0.5 * df2, 0.5 * df1);
}

double
rml_chi2_upper(double x, double df)
{
	return rml_incomplete_gamma_upper(0.5 * df, 0.5 * x);
}
