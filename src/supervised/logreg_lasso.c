/*
 * logreg_lasso.c
 *	  The quadratic approximation of the loss plus l1, by coordinate descent.
 *
 * For the change d of coefficients theta, gradient g and second derivatives H: g'd + d'Hd / 2 + l1
 * sum s_j |theta_j + d_j|.  One coordinate at a time this has a closed form (soft thresholding); H d
 * is kept up to date.  Sweeps go over the coefficients that are not 0 until they rest, then over
 * all; when that moves nothing, it is the minimum.
 */
#include <math.h>
#include <string.h>

#include "logreg_internal.h"

#define MAX_SWEEPS 20000
/* a sweep that changes the objective by less than this share of what ends the fit has come to rest */
#define RESTS 1e-6

typedef struct Descent
{
	RmlLogregRun *run;
	double *product;   /* [n] H d */
	double *threshold; /* [n] l1 s_j */
	int64_t sweeps;
} Descent;

static double
soft(double value, double threshold)
{
	if (value > threshold)
		return value - threshold;
	if (value < -threshold)
		return value + threshold;
	return 0.0;
}

/* how much the quadratic changes by the best move of coordinate j (about) */
static double
move(Descent *descent, int j)
{
	RmlLogregRun *run = descent->run;
	const double *row = run->hessian + (size_t) j * (size_t) run->n;
	const double curvature = row[j], now = run->theta[j] + run->step[j];
	double change;

	if (!(curvature > 0.0))
		return 0.0;
	change = soft(now - (run->gradient[j] + descent->product[j]) / curvature,
				  descent->threshold[j] / curvature) -
			 now;
	if (change == 0.0)
		return 0.0;
	/* exactly 0 where it is */
	run->step[j] = now + change == 0.0 ? -run->theta[j] : run->step[j] + change;
	for (int k = 0; k < run->n; k++)
		descent->product[k] += change * row[k];
	return curvature * change * change;
}

/* the largest change of a sweep */
static double
sweep(Descent *descent, bool active_only)
{
	const RmlLogregRun *run = descent->run;
	double largest = 0.0;

	descent->sweeps++;
	for (int j = 0; j < run->n; j++)
	{
		if (active_only && run->theta[j] + run->step[j] == 0.0)
			continue;
		largest = fmax(largest, move(descent, j));
		if (j % 256 == 0)
			rml_poll(run->env);
	}
	return largest;
}

void
rml_logreg_lasso_step(RmlLogregRun *run)
{
	const int rank = run->basis.rank;
	const double rests = RESTS * run->tol * (run->objective + 0.1);
	Descent descent = {.run = run};

	descent.product = RML_NEW_ZERO(run->env, double, (size_t) run->n);
	descent.threshold = RML_NEW(run->env, double, (size_t) run->n);
	memset(run->step, 0, sizeof(double) * (size_t) run->n);
	for (int j = 0; j < run->n; j++)
		descent.threshold[j] = run->l1 * sqrt(run->basis.penalty[j % rank]);
	while (descent.sweeps < MAX_SWEEPS && sweep(&descent, false) > rests)
		while (descent.sweeps < MAX_SWEEPS && sweep(&descent, true) > rests)
			;
	rml_release(run->env, descent.product);
	rml_release(run->env, descent.threshold);
}
