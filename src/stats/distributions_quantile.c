/*
 * distributions_quantile.c
 *	  Quantiles: the tails of distributions.c, turned around.  That of the normal distribution is in rng.c.
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "retailml/distributions.h"
#include "retailml/rng.h"

/* both tails of a positive quantity at x */
typedef struct Tails
{
	double lower;
	double upper;
} Tails;

/* a distribution on the positive numbers */
typedef struct Shape
{
	Tails (*tails)(const struct Shape *shape, double x);
	double df1;
	double df2;
} Shape;

static Tails
student_tails(const Shape *shape, double t)
{
	const double df = shape->df1, square = t * t, total = df + square;
	Tails tails = {1.0, 0.0};

	/* of |T| */
	if (isinf(square))
		return tails;
	tails.upper = rml_incomplete_beta(df / total, square / total, 0.5 * df, 0.5);
	tails.lower = rml_incomplete_beta(square / total, df / total, 0.5, 0.5 * df);
	return tails;
}

static Tails
f_tails(const Shape *shape, double x)
{
	const double a = 0.5 * shape->df1, b = 0.5 * shape->df2;
	const double total = shape->df1 * x + shape->df2;
	Tails tails = {1.0, 0.0};

	if (isinf(total))
		return tails;
	tails.upper = rml_incomplete_beta(shape->df2 / total, shape->df1 * x / total, b, a);
	tails.lower = rml_incomplete_beta(shape->df1 * x / total, shape->df2 / total, a, b);
	return tails;
}

static Tails
chi2_tails(const Shape *shape, double x)
{
	return (Tails){rml_incomplete_gamma_lower(0.5 * shape->df1, 0.5 * x),
				   rml_incomplete_gamma_upper(0.5 * shape->df1, 0.5 * x)};
}

/*
 * Above 0 where exp(s) is beyond the quantile: the log of the smaller tail against its target, which
 * is nearly linear in s far out.
 */
static double
excess(const Shape *shape, double lower, double upper, double s)
{
	Tails tails = shape->tails(shape, exp(s));

	if (lower < upper)
		return log(tails.lower) - log(lower);
	return log(upper) - log(tails.upper);
}

/* where in (a, b) to look next: the secant, but the middle when it is no use */
static double
next_point(double a, double fa, double b, double fb, bool halve)
{
	double s = (a * fb - b * fa) / (fb - fa);

	return halve || !isfinite(s) || s <= a || s >= b ? 0.5 * (a + b) : s;
}

/*
 * The root in a bracket, by the secant that halves the value of an end which stays (the Illinois
 * method); every fourth step halves the bracket, so that no shape of tail can make it crawl.
 */
static double
root(const Shape *shape, double lower, double upper, double a, double fa, double b, double fb)
{
	int stayed = 0;

	for (int i = 1; i < 400 && b - a > 2.0 * DBL_EPSILON * fmax(1.0, fabs(a)); i++)
	{
		double s = next_point(a, fa, b, fb, i % 4 == 0);
		double value = excess(shape, lower, upper, s);

		if (value == 0.0)
			return s;
		if (value > 0.0)
		{
			b = s;
			fb = value;
			fa *= stayed == 1 ? 0.5 : 1.0;
			stayed = 1;
		}
		else
		{
			a = s;
			fa = value;
			fb *= stayed == -1 ? 0.5 : 1.0;
			stayed = -1;
		}
	}
	return 0.5 * (a + b);
}

/* the positive x that has these tails */
static double
solve(const Shape *shape, double lower, double upper)
{
	double a = -1.0, b = 1.0, fa, fb;

	if (lower <= 0.0)
		return 0.0;
	if (upper <= 0.0)
		return INFINITY;
	while ((fa = excess(shape, lower, upper, a)) > 0.0 && a > -700.0)
		a *= 2.0;
	while ((fb = excess(shape, lower, upper, b)) < 0.0 && b < 700.0)
		b *= 2.0;
	return exp(root(shape, lower, upper, a, fa, b, fb));
}

static bool
is_probability(double p)
{
	return p >= 0.0 && p <= 1.0;
}

double
rml_student_quantile(double p, double df)
{
	const Shape shape = {student_tails, df, 0.0};
	double tail = p < 0.5 ? p : 1.0 - p, t;

	if (!is_probability(p) || !(df > 0.0))
		return NAN;
	if (isinf(df))
		return rml_normal_quantile(p);
	t = solve(&shape, 1.0 - 2.0 * tail, 2.0 * tail);
	return p < 0.5 ? -t : t;
}

double
rml_f_quantile(double p, double df1, double df2)
{
	const Shape shape = {f_tails, df1, df2};

	if (!is_probability(p) || !(df1 > 0.0) || !(df2 > 0.0) || isinf(df1) || isinf(df2))
		return NAN;
	return solve(&shape, p, 1.0 - p);
}

double
rml_chi2_quantile(double p, double df)
{
	const Shape shape = {chi2_tails, df, 0.0};

	if (!is_probability(p) || !(df > 0.0) || isinf(df))
		return NAN;
	return solve(&shape, p, 1.0 - p);
}
