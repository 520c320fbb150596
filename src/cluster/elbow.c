/*
 * elbow.c
 *	  Kneedle on a decreasing convex curve.
 */
#include "retailml/elbow.h"

#include <math.h>
#include <stdbool.h>

/* the curve and what scales it to the unit square */
typedef struct Curve
{
	const double *x;
	const double *y;
	int n;
	double x_low;
	double x_range;
	double y_low;
	double y_range;
} Curve;

/* false when the curve has no shape: not finite, x not increasing, y constant */
static bool
measure(Curve *curve)
{
	double y_high = curve->y[0];

	curve->y_low = curve->y[0];
	for (int i = 0; i < curve->n; i++)
	{
		if (!isfinite(curve->x[i]) || !isfinite(curve->y[i]))
			return false;
		if (i > 0 && curve->x[i] <= curve->x[i - 1])
			return false;
		curve->y_low = fmin(curve->y_low, curve->y[i]);
		y_high = fmax(y_high, curve->y[i]);
	}
	curve->x_low = curve->x[0];
	curve->x_range = curve->x[curve->n - 1] - curve->x_low;
	curve->y_range = y_high - curve->y_low;
	return curve->y_range > 0 && isfinite(curve->y_range) && isfinite(curve->x_range);
}

/*
 * The paper's difference curve, step 3: scaled y, turned upside down so that the elbow is a knee,
 * minus scaled x.
 */
static double
difference(const Curve *curve, int i)
{
	double x = (curve->x[i] - curve->x_low) / curve->x_range;
	double y = (curve->y[i] - curve->y_low) / curve->y_range;

	return (1.0 - y) - x;
}

/* not below (sign 1) or not above (sign -1) its neighbours; an end has one neighbour */
static bool
is_extreme(const Curve *curve, int i, double sign)
{
	double here = sign * difference(curve, i);

	return (i == 0 || here >= sign * difference(curve, i - 1)) &&
		   (i == curve->n - 1 || here >= sign * difference(curve, i + 1));
}

int
rml_elbow(const double *x, const double *y, int n)
{
	Curve curve = {.x = x, .y = y, .n = n};
	int candidate = -1;
	double threshold = 0;

	if (n < 3 || !measure(&curve))
		return -1;
	for (int i = 0; i < n - 1; i++)
	{
		if (is_extreme(&curve, i, 1))
		{
			candidate = i;
			/* S = 1 times the mean step of the scaled x, which is 1 / (n - 1) */
			threshold = difference(&curve, i) - 1.0 / (n - 1);
		}
		/* the distance rises again before it fell to the threshold: not an elbow */
		if (is_extreme(&curve, i, -1))
			candidate = -1;
		if (candidate >= 0 && difference(&curve, i + 1) < threshold)
			return candidate;
	}
	return -1;
}
