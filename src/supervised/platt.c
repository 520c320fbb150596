/*
 * platt.c
 *	  Platt's calibration: two numbers by Newton's method.
 */
#include "retailml/platt.h"

#include <string.h>

#define MAX_STEPS 100
#define MAX_HALVINGS 40
#define LEAST_STEP 1e-12

/* a singular Hessian is made regular by this share of itself */
#define RIDGE 1e-12

#define POLL_ROWS 100000

typedef struct Problem
{
	const RmlPlattRows *rows;
	double centre;     /* of x */
	double targets[2]; /* in place of 0 and 1 */
} Problem;

static double
weight_of(const RmlPlattRows *rows, int64_t i)
{
	return rows->weights == NULL ? 1.0 : rows->weights[i];
}

/* targets as if each class had one more row of the other, and the mean of x */
static double
prepare(RmlEnv *env, Problem *problem)
{
	const RmlPlattRows *rows = problem->rows;
	double counts[2] = {0.0, 0.0}, sum = 0.0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		counts[rows->classes[i]] += weight_of(rows, i);
		sum += weight_of(rows, i) * rows->x[i];
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	problem->centre = sum / (counts[0] + counts[1]);
	problem->targets[0] = 1.0 / (counts[0] + 2.0);
	problem->targets[1] = (counts[1] + 1.0) / (counts[1] + 2.0);
	return (counts[0] * problem->targets[0] + counts[1] * problem->targets[1]) /
		   (counts[0] + counts[1]);
}

/* ln(1 + exp(x)) */
static double
softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* what is minimized: the weighted sum of the log losses against the targets */
static double
loss_of(RmlEnv *env, const Problem *problem, double slope, double intercept)
{
	const RmlPlattRows *rows = problem->rows;
	double sum = 0.0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		double margin = slope * (rows->x[i] - problem->centre) + intercept;

		sum +=
			weight_of(rows, i) * (softplus(margin) - problem->targets[rows->classes[i]] * margin);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	return sum;
}

/* its gradient (slope, intercept) and Hessian (slope twice, both, intercept twice) */
static void
derivatives(RmlEnv *env, const Problem *problem, double slope, double intercept, double gradient[2],
			double hessian[3])
{
	const RmlPlattRows *rows = problem->rows;

	memset(gradient, 0, 2 * sizeof(double));
	memset(hessian, 0, 3 * sizeof(double));
	for (int64_t i = 0; i < rows->n; i++)
	{
		double x = rows->x[i] - problem->centre;
		double p = rml_logistic(slope * x + intercept);
		double error = weight_of(rows, i) * (p - problem->targets[rows->classes[i]]);
		double h = weight_of(rows, i) * p * (1.0 - p);

		gradient[0] += error * x;
		gradient[1] += error;
		hessian[0] += h * x * x;
		hessian[1] += h * x;
		hessian[2] += h;
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
}

/* Newton's step down; false: there is none */
static bool
find_step(const double gradient[2], const double hessian[3], double step[2])
{
	double ridge = RIDGE * (1.0 + hessian[0] + hessian[2]);
	double a = hessian[0] + ridge, b = hessian[1], c = hessian[2] + ridge;
	double determinant = a * c - b * b;

	step[0] = -(c * gradient[0] - b * gradient[1]) / determinant;
	step[1] = -(a * gradient[1] - b * gradient[0]) / determinant;
	return isfinite(step[0]) && isfinite(step[1]);
}

void
rml_platt_fit(RmlEnv *env, const RmlPlattRows *rows, double *slope, double *intercept)
{
	Problem problem = {.rows = rows};
	double share = prepare(env, &problem), at[2] = {1.0, problem.centre};
	double loss = loss_of(env, &problem, at[0], at[1]);

	for (int i = 0; i < MAX_STEPS; i++)
	{
		double gradient[2], hessian[3], step[2], size = 1.0, next;
		int halvings = 0;

		derivatives(env, &problem, at[0], at[1], gradient, hessian);
		if (!find_step(gradient, hessian, step))
			break;
		next = loss_of(env, &problem, at[0] + step[0], at[1] + step[1]);
		for (; !(next <= loss) && halvings < MAX_HALVINGS; halvings++)
		{
			size /= 2;
			next = loss_of(env, &problem, at[0] + size * step[0], at[1] + size * step[1]);
		}
		/* rounding hides what is left to gain */
		if (!(next <= loss))
			break;
		at[0] += size * step[0];
		at[1] += size * step[1];
		loss = next;
		if (fabs(size * step[0]) + fabs(size * step[1]) < LEAST_STEP)
			break;
	}
	*slope = at[0] > 0 ? at[0] : 0.0;
	*intercept = at[0] > 0 ? at[1] - at[0] * problem.centre : rml_log_odds(share);
}

double
rml_platt_loss(RmlEnv *env, const RmlPlattRows *rows, double slope, double intercept)
{
	double sum = 0.0, weight = 0.0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		double margin = slope * rows->x[i] + intercept;

		sum += weight_of(rows, i) * softplus(rows->classes[i] != 0 ? -margin : margin);
		weight += weight_of(rows, i);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	return sum / weight;
}
