/*
 * linreg_inference.c
 *	  What a linear regression says about itself: errors, tests, information criteria.
 *
 * One pass gives residuals, leverages and the robust "meats", sums of squared weighted residuals
 * times u u'.  With G = T A^-1 (A^-1 the inverse in the basis, T the way from there to the terms'
 * own units) row j of G is all that term j needs: its variance under meat M is g_j' M g_j.
 */
#include <math.h>
#include <string.h>

#include "linreg_internal.h"
#include "retailml/distributions.h"

/* less than this left of 1 - leverage, and the row fits itself */
#define FITS_ITSELF 1e-10

/* context of the last pass */
typedef struct Residuals
{
	const RmlLinregRun *run;
	double *form; /* A^-1 as a quadratic form over axes */
} Residuals;

enum
{
	SUM_RSS,
	SUM_MODEL,
	SUM_TOTAL,
	N_SUMS
};

static void
measure_rows(void *context, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	const Residuals *residuals = context;
	const RmlLinregRun *run = residuals->run;
	double eta[RML_LINEAR_TILE], form[RML_LINEAR_TILE];

	rml_linear_tile_eta(rows, tile, run->by_axis, eta);
	rml_linear_tile_form(rows, tile, residuals->form, form);
	for (int i = 0; i < tile->count; i++)
	{
		int64_t row = tile->first + i;
		double w = rml_linear_weight(rows->set, row), y = rows->set->y[row] - run->offset;
		double residual = y - eta[i], score = w * residual, left = 1.0 - w * form[i];

		tile->sums[SUM_RSS] += w * residual * residual;
		tile->sums[SUM_MODEL] += w * (eta[i] - run->mean) * (eta[i] - run->mean);
		tile->sums[SUM_TOTAL] += w * (y - run->mean) * (y - run->mean);
		tile->omega[i] = score * score;
		tile->omega[RML_LINEAR_TILE + i] =
			left > FITS_ITSELF ? (score / left) * (score / left) : 0.0;
	}
}

/* ---- in the basis ---- */

static double *
quadratic_form(const RmlLinregRun *run, const double *inverse)
{
	const int rank = run->basis.rank;
	double *form = RML_NEW_ZERO(run->env, double, rml_linear_matrix_size(&run->rows));

	for (int i = 0; i < rank; i++, rml_poll(run->env))
		for (int k = 0; k <= i; k++)
			rml_linear_form_set(&run->rows, form, run->basis.axis[i], run->basis.axis[k],
								inverse[(size_t) i * (size_t) rank + (size_t) k]);
	return form;
}

/* the sum over axes at the axes of the basis */
static void
meat(const RmlLinregRun *run, const double *matrix, double *out)
{
	const int rank = run->basis.rank;

	for (int i = 0; i < rank; i++)
	{
		for (int k = 0; k < rank; k++)
			*out++ = rml_linear_cross(&run->rows, matrix, run->basis.axis[i], run->basis.axis[k]);
		rml_poll(run->env);
	}
}

/* rows [p x rank] of G: A^-1 from the left into the terms' own units */
static double *
turned(const RmlLinregRun *run, const double *inverse, int p)
{
	const size_t rank = (size_t) run->basis.rank;
	double *g = RML_NEW(run->env, double, (size_t) p *rank);
	double *column = RML_NEW(run->env, double, (size_t) p);

	for (size_t i = 0; i < rank; i++)
	{
		rml_linear_restore(&run->basis, &run->rows, inverse + i * rank, column);
		for (int j = 0; j < p; j++)
			g[(size_t) j * rank + i] = column[j];
		rml_poll(run->env);
	}
	rml_release(run->env, column);
	return g;
}

/* g' M g for each kept term, as standard errors */
static void
set_errors(const RmlLinregRun *run, const double *g, const double *m, double factor,
		   const RmlLinear *linear, double *errors)
{
	const int rank = run->basis.rank;

	for (int j = 0; j < linear->design.p; j++)
	{
		const double *row = g + (size_t) j * (size_t) rank;
		double variance = 0.0;

		for (int i = 0; i < rank; i++)
			variance += row[i] * rml_dot(m + (size_t) i * (size_t) rank, row, rank);
		errors[j] = linear->kept[j] ? sqrt(fmax(0.0, variance) * factor) : NAN;
		rml_poll(run->env);
	}
}

/* ---- classical covariances ---- */

/* B = A^-1 X'WX A^-1, which is A^-1 without l2 */
static double *
spread_of(const RmlLinregRun *run, const double *inverse)
{
	const size_t rank = (size_t) run->basis.rank;
	double *spread = RML_NEW(run->env, double, rank *rank);
	double *half = RML_NEW(run->env, double, rank);

	memcpy(spread, inverse, sizeof(double) * rank * rank);
	for (size_t i = 0; i < rank && run->l2 > 0.0; i++)
	{
		for (size_t k = 0; k < rank; k++)
			half[k] = rml_dot(run->basis.matrix + k * rank, inverse + i * rank, (int) rank);
		for (size_t k = 0; k <= i; k++)
			spread[i * rank + k] = spread[k * rank + i] =
				rml_dot(inverse + k * rank, half, (int) rank);
		rml_poll(run->env);
	}
	rml_release(run->env, half);
	return spread;
}

/* T B T' of the kept terms, in order [rank x rank] */
static double *
unscaled_covariance(const RmlLinregRun *run, const double *spread, const RmlLinear *linear)
{
	const size_t rank = (size_t) run->basis.rank;
	const int p = linear->design.p;
	double *g = turned(run, spread, p), *out = RML_NEW(run->env, double, rank *rank);
	double *row = RML_NEW(run->env, double, (size_t) p), *next = out;

	for (int j = 0; j < p; j++)
	{
		if (!linear->kept[j])
			continue;
		rml_linear_restore(&run->basis, &run->rows, g + (size_t) j * rank, row);
		for (int k = 0; k < p; k++)
			if (linear->kept[k])
				*next++ = row[k];
		rml_poll(run->env);
	}
	for (size_t j = 0; j < rank; j++, rml_poll(run->env))
		for (size_t k = 0; k < j; k++)
			out[k * rank + j] = out[j * rank + k];
	rml_release(run->env, g);
	rml_release(run->env, row);
	return out;
}

/* the condition number of the terms as z-scores: the inverse correlations have the other end */
static double
condition(const RmlLinregRun *run, const double *covariance, const RmlLinear *linear)
{
	const size_t rank = (size_t) run->basis.rank, n = rank - 1;
	double *inverse = RML_NEW(run->env, double, n *n), *sd = RML_NEW(run->env, double, rank);
	double largest;

	for (int j = 0, i = 0; j < linear->design.p; j++)
		if (linear->kept[j])
			sd[i++] = linear->sd[j];
	for (size_t i = 0; i < n; i++, rml_poll(run->env))
		for (size_t k = 0; k < n; k++)
			inverse[i * n + k] =
				covariance[(i + 1) * rank + k + 1] * sd[i + 1] * sd[k + 1] * run->total;
	largest = rml_largest_eigenvalue(run->env, inverse, (int) n);
	rml_release(run->env, inverse);
	rml_release(run->env, sd);
	return n == 0 ? 1.0 : sqrt(largest * run->basis.largest);
}

/* ---- the numbers of the whole model ---- */

/* the trace of the hat matrix */
static double
effective_parameters(const RmlLinregRun *run, const double *inverse)
{
	const int rank = run->basis.rank;
	double trace = 0.0;

	if (run->l2 == 0.0)
		return rank;
	for (int i = 0; i < rank; i++)
		trace += rml_dot(inverse + (size_t) i * (size_t) rank,
						 run->basis.matrix + (size_t) i * (size_t) rank, rank);
	return trace;
}

static void
set_stats(const RmlLinregRun *run, const double *sums, double parameters, RmlLinregStats *stats)
{
	const double n = run->positive, rss = sums[SUM_RSS], total = sums[SUM_TOTAL];
	const double model = run->l2 == 0.0 ? sums[SUM_MODEL] : total - rss;

	stats->n = n;
	stats->df = n - parameters > 1e-9 ? n - parameters : 0.0;
	stats->rss = rss;
	stats->sigma = stats->df > 0.0 ? sqrt(rss / stats->df) : NAN;
	stats->r2 = total > 0.0 ? 1.0 - rss / total : NAN;
	stats->adjusted_r2 = stats->df > 0.0 ? 1.0 - (1.0 - stats->r2) * (n - 1.0) / stats->df : NAN;
	stats->f_df = parameters - 1.0;
	stats->f = stats->df > 0.0 && stats->f_df > 0.0
				   ? model / stats->f_df / (stats->sigma * stats->sigma)
				   : NAN;
	stats->f_p = rml_f_upper(stats->f, stats->f_df, stats->df);
	stats->log_likelihood =
		0.5 * (run->log_weights - n * (log(2.0 * M_PI) + 1.0 - log(n) + log(rss)));
	stats->aic = -2.0 * stats->log_likelihood + 2.0 * (parameters + 1.0);
	stats->bic = -2.0 * stats->log_likelihood + log(n) * (parameters + 1.0);
}

/* ---- all together ---- */

static void
keep_covariance(const RmlLinregRun *run, double *covariance, RmlLinreg *out)
{
	const double variance = out->stats.sigma * out->stats.sigma;
	const size_t rank = (size_t) run->basis.rank, p = (size_t) out->linear.design.p;

	for (size_t j = 0, i = 0; j < p; j++)
	{
		out->std_errors[j] = NAN;
		if (out->linear.kept[j])
		{
			out->std_errors[j] = sqrt(fmax(0.0, covariance[i * rank + i]) * variance);
			i++;
		}
	}
	if (rank > RML_LINREG_MAX_COVARIANCES)
	{
		rml_release(run->env, covariance);
		return;
	}
	for (size_t i = 0; i < rank * rank; i++)
		covariance[i] *= variance;
	out->n_covariance = (int64_t) rank;
	out->covariance = covariance;
}

static void
classical(const RmlLinregRun *run, const double *inverse, RmlLinreg *out)
{
	double *spread = spread_of(run, inverse);
	double *covariance = unscaled_covariance(run, spread, &out->linear);

	out->stats.condition = run->l2 == 0.0 ? condition(run, covariance, &out->linear) : NAN;
	keep_covariance(run, covariance, out);
	rml_release(run->env, spread);
}

static void
robust(const RmlLinregRun *run, const double *inverse, const double *matrices, RmlLinreg *out)
{
	const size_t rank = (size_t) run->basis.rank, p = (size_t) out->linear.design.p;
	double *g = turned(run, inverse, (int) p), *m = RML_NEW(run->env, double, rank *rank);
	const double small = out->stats.df > 0.0 ? out->stats.n / out->stats.df : NAN;
	const double plain = out->stats.df > 0.0 ? 1.0 : NAN;

	meat(run, matrices, m);
	set_errors(run, g, m, small, &out->linear, out->std_errors + p);
	meat(run, matrices + rml_linear_matrix_size(&run->rows), m);
	set_errors(run, g, m, plain, &out->linear, out->std_errors + 2 * p);
	rml_release(run->env, g);
	rml_release(run->env, m);
}

void
rml_linreg_infer(RmlLinregRun *run, RmlLinreg *out)
{
	const size_t rank = (size_t) run->basis.rank;
	double *inverse = RML_NEW(run->env, double, rank *rank);
	Residuals residuals = {.run = run};
	RmlLinearPass pass = {
		.fn = measure_rows, .context = &residuals, .n_omega = 2, .n_sums = N_SUMS};

	rml_cholesky_inverse(run->env, run->factor, (int) rank, inverse);
	residuals.form = quadratic_form(run, inverse);
	rml_linear_pass(&run->rows, &pass);
	set_stats(run, pass.sums, effective_parameters(run, inverse), &out->stats);
	out->std_errors = RML_NEW(run->env, double, RML_LINREG_ERRORS *(size_t) out->linear.design.p);
	classical(run, inverse, out);
	robust(run, inverse, pass.matrices, out);
	rml_linear_pass_release(&run->rows, &pass);
	rml_release(run->env, residuals.form);
	rml_release(run->env, inverse);
}
