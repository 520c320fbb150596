/*
 * logreg_fit.c
 *	  The fit around Newton's method: terms, which penalty, and the statistics afterwards.
 */
#include <math.h>
#include <string.h>

#include "logreg_internal.h"
#include "retailml/logreg.h"

/* the penalty a fit without best estimate falls back to */
#define FALLBACK_L2 1.0
/* terms whose standardized part in a separating direction is this share of the largest are named */
#define RESPONSIBLE 0.25

/* ---- terms ---- */

/* X'WX, the weight of each class, and the rows that count */
static void
weigh_rows(void *context, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	(void) context;
	for (int i = 0; i < tile->count; i++)
	{
		double w = rml_linear_weight(rows->set, tile->first + i);

		tile->omega[i] = w;
		tile->sums[0] += w > 0.0;
		tile->sums[1 + rows->set->classes[tile->first + i]] += w;
	}
}

/* -2 log-likelihood of the shares of the classes; *empty is a class without weight, or -1 */
static double
null_deviance(const double *weights, int n_classes, int *empty)
{
	double total = 0.0, deviance = 0.0;

	*empty = -1;
	for (int k = 0; k < n_classes; k++)
		total += weights[k];
	for (int k = 0; k < n_classes; k++)
	{
		if (weights[k] > 0.0)
			deviance -= 2.0 * weights[k] * log(weights[k] / total);
		else
			*empty = k;
	}
	return deviance;
}

static const char *
choose_terms(RmlLogregRun *run, const RmlLogregParams *params, RmlLogreg *out)
{
	const int n_classes = run->n_classes;
	RmlLinearPass pass = {.fn = weigh_rows, .n_omega = 1, .n_sums = 1 + n_classes};
	int empty;

	rml_linear_pass(&run->rows, &pass);
	out->stats.n = pass.sums[0];
	out->stats.null_deviance = null_deviance(pass.sums + 1, n_classes, &empty);
	if (empty < 0)
		rml_linear_basis(&run->basis, &run->rows, pass.matrices, run->l1 > 0.0 || run->l2 > 0.0,
						 params->standardize != 0, &out->linear);
	rml_linear_pass_release(&run->rows, &pass);
	if (empty < 0)
		return NULL;
	return rml_format(run->env, "no row of class \"%s\" has a positive weight",
					  out->target.classes[empty]);
}

/* ---- one fit ---- */

static const char *
fit_once(RmlLogregRun *run, RmlEnv *env, const RmlLogregParams *params, double l2, bool stop,
		 const RmlTrainingSet *rows, RmlLogreg *out)
{
	const int n_classes = rows->target.n_classes;
	const bool symmetric = params->l1 > 0.0 && n_classes > 2;
	const char *reason;

	memset(run, 0, sizeof *run);
	memset(out, 0, sizeof *out);
	run->env = env;
	run->n_classes = n_classes;
	run->outputs = symmetric ? n_classes : n_classes - 1;
	run->l1 = params->l1;
	run->l2 = l2;
	run->tol = params->tol;
	run->max_iter = params->max_iter;
	run->stop_when_separated = stop;
	out->target = rows->target;
	rml_linear_begin(&out->linear, env, rows->schema, run->outputs);
	rml_linear_rows(&run->rows, env, rows, &out->linear.design);
	reason = choose_terms(run, params, out);
	if (reason != NULL)
		return reason;
	run->n = run->outputs * run->basis.rank;
	rml_logreg_newton(run);
	return NULL;
}

static void
release_run(RmlLogregRun *run)
{
	double *arrays[] = {run->theta, run->by_axis,   run->gradient, run->hessian,
						run->step,  run->direction, run->factor};

	for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
		rml_release(run->env, arrays[i]);
	rml_linear_rows_release(&run->rows);
}

/* ---- who is responsible ---- */

/* the terms' shares in the direction, over predictors: the largest standardized coefficient */
static void
standardized_shares(const RmlLogregRun *run, const RmlLinear *linear, double *shares)
{
	const int p = linear->design.p;
	double *raw = RML_NEW(run->env, double, (size_t) p);

	memset(shares, 0, sizeof(double) * (size_t) p);
	for (int k = 0; k < run->outputs; k++)
	{
		rml_linear_restore(&run->basis, &run->rows,
						   run->direction + (size_t) k * (size_t) run->basis.rank, raw);
		for (int j = 1; j < p; j++)
			shares[j] = fmax(shares[j], fabs(raw[j]) * linear->sd[j]);
	}
	rml_release(run->env, raw);
}

static void
name_responsible(const RmlLogregRun *run, RmlLogreg *out)
{
	const int p = out->linear.design.p;
	double *shares = RML_NEW(run->env, double, (size_t) p), largest = 0.0;

	out->separating = RML_NEW(run->env, int32_t, RML_LOGREG_MAX_SEPARATING);
	standardized_shares(run, &out->linear, shares);
	while (out->n_separating < RML_LOGREG_MAX_SEPARATING)
	{
		int best = 0;

		for (int j = 1; j < p; j++)
			if (shares[j] > shares[best])
				best = j;
		largest = fmax(largest, shares[best]);
		if (!(shares[best] > 0.0) || shares[best] < RESPONSIBLE * largest)
			break;
		out->separating[out->n_separating++] = best;
		shares[best] = 0.0;
	}
	rml_release(run->env, shares);
}

/* ---- statistics ---- */

/* the covariance A^-1 I A^-1 of all coefficients in the basis; A^-1 alone without l2 */
static double *
covariance(RmlLogregRun *run)
{
	const size_t n = (size_t) run->n;
	double *inverse = RML_NEW(run->env, double, n *n), *out = inverse;
	double *least = RML_NEW_ZERO(run->env, double, n), *half = RML_NEW(run->env, double, n);

	for (size_t i = 0; i < n; i++)
		least[i] = 1e-14 * run->hessian[i * n + i];
	rml_cholesky(run->env, run->hessian, run->n, least, run->factor, NULL);
	rml_cholesky_inverse(run->env, run->factor, run->n, inverse);
	if (run->l2 > 0.0)
	{
		out = RML_NEW(run->env, double, n *n);
		for (size_t i = 0; i < n; i++)
			for (size_t k = i % (size_t) run->basis.rank; k < n; k += (size_t) run->basis.rank)
				run->hessian[i * n + k] -= rml_logreg_curvature(run, (int) i, (int) k);
		for (size_t i = 0; i < n; i++)
		{
			for (size_t k = 0; k < n; k++)
				half[k] = rml_dot(run->hessian + k * n, inverse + i * n, run->n);
			for (size_t k = 0; k < n; k++)
				out[i * n + k] = rml_dot(inverse + k * n, half, run->n);
			rml_poll(run->env);
		}
		rml_release(run->env, inverse);
	}
	rml_release(run->env, least);
	rml_release(run->env, half);
	return out;
}

/* T C T' on the diagonal, for the part C [rank x rank] of one predictor */
static void
set_errors(const RmlLogregRun *run, const double *c, const RmlLinear *linear, double *errors)
{
	const size_t rank = (size_t) run->basis.rank, p = (size_t) linear->design.p;
	double *turned = RML_NEW(run->env, double, p *rank);
	double *row = RML_NEW(run->env, double, p);

	for (size_t i = 0; i < rank; i++)
	{
		rml_linear_restore(&run->basis, &run->rows, c + i * (size_t) run->n, row);
		for (size_t j = 0; j < p; j++)
			turned[j * rank + i] = row[j];
		rml_poll(run->env);
	}
	for (size_t j = 0; j < p; j++)
	{
		rml_linear_restore(&run->basis, &run->rows, turned + j * rank, row);
		errors[j] = linear->kept[j] ? sqrt(fmax(0.0, row[j])) : NAN;
		rml_poll(run->env);
	}
	rml_release(run->env, turned);
	rml_release(run->env, row);
}

static void
set_all_errors(RmlLogregRun *run, RmlLogreg *out)
{
	const size_t p = (size_t) out->linear.design.p, rank = (size_t) run->basis.rank;
	double *c;

	out->std_errors = RML_NEW(run->env, double, (size_t) run->outputs *p);
	for (size_t i = 0; i < (size_t) run->outputs * p; i++)
		out->std_errors[i] = NAN;
	if (run->l1 > 0.0)
		return;
	c = covariance(run);
	for (int k = 0; k < run->outputs; k++)
		set_errors(run, c + (size_t) k * rank * ((size_t) run->n + 1), &out->linear,
				   out->std_errors + (size_t) k * p);
	rml_release(run->env, c);
}

static void
set_stats(const RmlLogregRun *run, RmlLogregStats *stats)
{
	double parameters = 0.0;

	for (int i = 0; i < run->n; i++)
		parameters += run->l1 == 0.0 || run->theta[i] != 0.0;
	stats->deviance = 2.0 * run->loss;
	stats->aic = stats->deviance + 2.0 * parameters;
	stats->bic = stats->deviance + log(stats->n) * parameters;
	stats->pseudo_r2 = 1.0 - stats->deviance / stats->null_deviance;
	stats->l2 = run->l2;
	stats->iterations = (double) run->iterations;
	stats->converged = run->converged;
	stats->separated = run->separated;
}

/* where every class has a predictor, a constant may be added to all: the intercepts have mean 0 */
static void
centre_intercepts(RmlLogregRun *run)
{
	double mean = 0.0;

	if (run->outputs < run->n_classes)
		return;
	for (int i = 0; i < run->n; i += run->basis.rank)
		mean += run->theta[i] / run->outputs;
	for (int i = 0; i < run->n; i += run->basis.rank)
		run->theta[i] -= mean;
}

static void
set_estimates(const RmlLogregRun *run, RmlLinear *linear)
{
	for (int k = 0; k < run->outputs; k++)
	{
		const double *theta = run->theta + (size_t) k * (size_t) run->basis.rank;

		rml_linear_restore(&run->basis, &run->rows, theta,
						   linear->estimates + (size_t) k * (size_t) linear->design.p);
		linear->base[k] = rml_linear_centre(&run->basis, &run->rows, theta, linear);
	}
}

/* ---- all together ---- */

static void
finish(RmlLogregRun *run, RmlLogreg *out)
{
	centre_intercepts(run);
	set_estimates(run, &out->linear);
	set_stats(run, &out->stats);
	set_all_errors(run, out);
	if (run->separated && out->separating == NULL)
		name_responsible(run, out);
}

/* without penalty first, and again with one when that has no best estimate */
static const char *
fit_auto(RmlLogregRun *run, RmlEnv *env, const RmlLogregParams *params, const RmlTrainingSet *rows,
		 RmlLogreg *out)
{
	const int64_t coefficients = rml_linear_terms(rows->schema) * (rows->target.n_classes - 1);
	int32_t *separating;
	int64_t n_separating;
	const char *reason;

	if (coefficients >= rows->n)
		return fit_once(run, env, params, FALLBACK_L2, false, rows, out);
	reason = fit_once(run, env, params, 0.0, true, rows, out);
	if (reason != NULL || !run->separated)
		return reason;
	name_responsible(run, out);
	separating = out->separating;
	n_separating = out->n_separating;
	release_run(run);
	reason = fit_once(run, env, params, FALLBACK_L2, false, rows, out);
	run->separated = true;
	out->separating = separating;
	out->n_separating = n_separating;
	return reason;
}

const char *
rml_logreg_fit(RmlEnv *env, const RmlLogregParams *params, const RmlTrainingSet *rows,
			   RmlLogreg *out)
{
	RmlLogregRun run;
	const char *reason = rml_logreg_check(env, params, rows->n, rows->schema, &rows->target);

	if (reason != NULL)
		return reason;
	if (params->l2 == RML_AUTO && params->l1 == 0.0)
		reason = fit_auto(&run, env, params, rows, out);
	else
		reason = fit_once(&run, env, params, params->l2 == RML_AUTO ? 0.0 : params->l2, false, rows,
						  out);
	if (reason != NULL)
		return reason;
	if (!isfinite(run.objective))
		return "the numbers are too large for a regression: sums of squares overflow";
	finish(&run, out);
	rml_linear_index(&out->linear, rows->schema, env);
	rml_logreg_index(out, rows->schema, env);
	release_run(&run);
	return NULL;
}
