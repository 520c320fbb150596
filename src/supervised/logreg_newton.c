/*
 * logreg_newton.c
 *	  Newton's method for the softmax, and how separation shows.
 *
 * One pass gives loss, gradient and all second derivatives: for predictors k and l a matrix of row
 * weights w p_k ([k = l] - p_l).
 */
#include <math.h>
#include <string.h>

#include "logreg_internal.h"

#define TILE RML_LINEAR_TILE
#define MAX_HALVINGS 40
/* a pivot that is this share of its diagonal is rounding */
#define SINGULAR 1e-14
/* iterations before steps are looked at: where there is a best fit, they are tiny by then */
#define PATIENCE 8
/* a step that changes some log-odds by as much is not the last one */
#define LONG_STEP 0.3
/* and this share of it against a row is rounding */
#define OBJECTION 1e-3

/* ---- softmax of a tile ---- */

/* predictors of a tile: the first part of its scratch [M x TILE] */
static double *
tile_etas(const RmlLogregRun *run, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	for (int k = 0; k < run->outputs; k++)
		rml_linear_tile_eta(rows, tile, run->by_axis + (size_t) k * (size_t) rows->axes,
							tile->scratch + k * TILE);
	return tile->scratch;
}

/* probabilities [M x TILE] and the logarithm of the sum of exponentials [TILE] behind them */
static double *
tile_softmax(const RmlLogregRun *run, const RmlLinearTile *tile)
{
	const double *eta = tile->scratch;
	double *p = tile->scratch + run->outputs * TILE, *log_sum = p + run->outputs * TILE;
	const bool reference = run->outputs < run->n_classes;

	for (int i = 0; i < tile->count; i++)
	{
		double largest = reference ? 0.0 : eta[i], sum;

		for (int k = 0; k < run->outputs; k++)
			largest = fmax(largest, eta[k * TILE + i]);
		sum = reference ? exp(-largest) : 0.0;
		for (int k = 0; k < run->outputs; k++)
			sum += p[k * TILE + i] = exp(eta[k * TILE + i] - largest);
		for (int k = 0; k < run->outputs; k++)
			p[k * TILE + i] /= sum;
		log_sum[i] = largest + log(sum);
	}
	return p;
}

/* by how much the predictor of the row's class is above the best other one */
static double
margin(const RmlLogregRun *run, const double *eta, int i, int32_t class)
{
	const int first = run->n_classes - run->outputs;
	double own = class < first ? 0.0 : eta[(class - first) * TILE + i];
	double other = class < first || first == 0 ? -INFINITY : 0.0;

	for (int k = 0; k < run->outputs; k++)
		if (k + first != class)
			other = fmax(other, eta[k * TILE + i]);
	return own - other;
}

enum
{
	SUM_LOSS,
	SUM_WRONG,
	N_SUMS
};

static void
evaluate_rows(void *context, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	const RmlLogregRun *run = context;
	const double *eta = tile_etas(run, rows, tile), *p = tile_softmax(run, tile);
	const double *log_sum = p + run->outputs * TILE;
	const int first = run->n_classes - run->outputs;

	for (int i = 0; i < tile->count; i++)
	{
		const double w = rml_linear_weight(rows->set, tile->first + i);
		const int32_t class = rows->set->classes[tile->first + i];
		double own = class < first ? 0.0 : eta[(class - first) * TILE + i];
		double *omega = tile->omega + i;

		tile->sums[SUM_LOSS] += w * (log_sum[i] - own);
		tile->sums[SUM_WRONG] += w > 0.0 && !(margin(run, eta, i, class) > 0.0);
		for (int k = 0; k < run->outputs; k++)
		{
			const double own_p = p[k * TILE + i];

			tile->gradient[k * TILE + i] = w * ((k + first == class) - own_p);
			for (int l = 0; l < k; l++, omega += TILE)
				*omega = -w * own_p * p[l * TILE + i];
			*omega = w * own_p * (1.0 - own_p);
			omega += TILE;
		}
	}
}

/* ---- objective and derivatives at theta ---- */

double
rml_logreg_curvature(const RmlLogregRun *run, int i, int k)
{
	const int rank = run->basis.rank;
	double symmetric =
		run->n_classes > 2 && run->outputs < run->n_classes ? 1.0 / run->n_classes : 0.0;

	if (i % rank != k % rank)
		return 0.0;
	return run->l2 * run->basis.penalty[i % rank] * ((i == k) - symmetric);
}

static void
spread(RmlLogregRun *run, const double *values)
{
	for (int k = 0; k < run->outputs; k++)
		rml_linear_spread(&run->basis, &run->rows, values + (size_t) k * (size_t) run->basis.rank,
						  run->by_axis + (size_t) k * (size_t) run->rows.axes);
}

/* second derivatives of predictors k and l, l <= k, without penalty */
static void
set_block(RmlLogregRun *run, const double *matrix, int k, int l)
{
	const int rank = run->basis.rank;

	for (int i = 0; i < rank; i++)
	{
		for (int j = 0; j < rank; j++)
		{
			size_t a = (size_t) (k * rank + i), b = (size_t) (l * rank + j);
			double value =
				rml_linear_cross(&run->rows, matrix, run->basis.axis[i], run->basis.axis[j]);

			run->hessian[a * (size_t) run->n + b] = value;
			run->hessian[b * (size_t) run->n + a] = value;
		}
		rml_poll(run->env);
	}
}

/* what the penalties add; gradient and Hessian are of the loss before */
static void
add_penalties(RmlLogregRun *run)
{
	const int rank = run->basis.rank;

	run->objective = run->loss;
	for (int i = 0; i < run->n; i++)
	{
		double pull = 0.0;

		for (int k = i % rank; k < run->n; k += rank)
		{
			double curvature = rml_logreg_curvature(run, i, k);

			run->hessian[(size_t) i * (size_t) run->n + (size_t) k] += curvature;
			pull += curvature * run->theta[k];
		}
		run->gradient[i] += pull;
		run->objective += 0.5 * run->theta[i] * pull +
						  run->l1 * sqrt(run->basis.penalty[i % rank]) * fabs(run->theta[i]);
	}
}

static void
evaluate(RmlLogregRun *run)
{
	const int m = run->outputs;
	RmlLinearPass pass = {.fn = evaluate_rows,
						  .context = run,
						  .n_omega = m * (m + 1) / 2,
						  .n_gradient = m,
						  .n_sums = N_SUMS,
						  .n_scratch = (2 * m + 1) * TILE};
	const double *matrix;

	spread(run, run->theta);
	rml_linear_pass(&run->rows, &pass);
	run->loss = pass.sums[SUM_LOSS];
	run->wrong = (int64_t) pass.sums[SUM_WRONG];
	matrix = pass.matrices;
	for (int k = 0; k < m; k++)
	{
		double *gradient = run->gradient + (size_t) k * (size_t) run->basis.rank;

		rml_linear_gather(&run->basis, pass.vectors + (size_t) k * (size_t) run->rows.axes,
						  gradient);
		for (int i = 0; i < run->basis.rank; i++)
			gradient[i] = -gradient[i];
		for (int l = 0; l <= k; l++, matrix += rml_linear_matrix_size(&run->rows))
			set_block(run, matrix, k, l);
	}
	rml_linear_pass_release(&run->rows, &pass);
	add_penalties(run);
}

/* ---- steps ---- */

static void
newton_step(RmlLogregRun *run)
{
	double *least = RML_NEW(run->env, double, (size_t) run->n);

	for (int i = 0; i < run->n; i++)
	{
		least[i] = SINGULAR * run->hessian[(size_t) i * (size_t) run->n + (size_t) i];
		run->step[i] = -run->gradient[i];
	}
	rml_cholesky(run->env, run->hessian, run->n, least, run->factor, NULL);
	rml_cholesky_solve(run->factor, run->n, run->step);
	rml_release(run->env, least);
}

/* the step, or as much of it as makes the objective no larger; false: nothing does */
static bool
take_step(RmlLogregRun *run)
{
	const double before = run->objective, slack = 1e-14 * fabs(before);
	double *start = RML_NEW(run->env, double, (size_t) run->n), share = 1.0;
	bool better = false;

	memcpy(start, run->theta, sizeof(double) * (size_t) run->n);
	for (int halving = 0; halving < MAX_HALVINGS && !better; halving++, share *= 0.5)
	{
		for (int i = 0; i < run->n; i++)
			run->theta[i] = start[i] + share * run->step[i];
		evaluate(run);
		better = run->objective <= before + slack;
	}
	if (!better)
	{
		memcpy(run->theta, start, sizeof(double) * (size_t) run->n);
		evaluate(run);
	}
	rml_release(run->env, start);
	return better;
}

/* ---- separation ---- */

enum
{
	MAX_LENGTH,
	MAX_OBJECTION,
	N_MAXIMA
};

static void
direction_rows(void *context, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	const RmlLogregRun *run = context;
	const double *eta = tile_etas(run, rows, tile);

	for (int i = 0; i < tile->count; i++)
	{
		double along = margin(run, eta, i, rows->set->classes[tile->first + i]);

		if (rml_linear_weight(rows->set, tile->first + i) == 0.0)
			continue;
		tile->maxima[MAX_LENGTH] = fmax(tile->maxima[MAX_LENGTH], along);
		tile->maxima[MAX_OBJECTION] = fmax(tile->maxima[MAX_OBJECTION], -along);
	}
}

/* the last step is long, and leads no row away from its class */
static bool
step_separates(RmlLogregRun *run)
{
	RmlLinearPass pass = {.fn = direction_rows,
						  .context = run,
						  .n_maxima = N_MAXIMA,
						  .n_scratch = run->outputs * TILE};
	bool separates;

	spread(run, run->step);
	rml_linear_pass(&run->rows, &pass);
	separates = pass.maxima[MAX_LENGTH] > LONG_STEP &&
				pass.maxima[MAX_OBJECTION] < OBJECTION * pass.maxima[MAX_LENGTH];
	rml_linear_pass_release(&run->rows, &pass);
	return separates;
}

/* theta classifies every row, which proves it; or the steps show it */
static void
look_for_separation(RmlLogregRun *run, bool last)
{
	const bool penalised = run->l1 > 0.0 || run->l2 > 0.0;
	const double *direction = NULL;

	if (run->separated)
		return;
	if (run->wrong == 0)
		direction = run->theta;
	else if (!penalised && (last || run->iterations >= PATIENCE) && step_separates(run))
		direction = run->step;
	if (direction == NULL)
		return;
	run->separated = true;
	memcpy(run->direction, direction, sizeof(double) * (size_t) run->n);
}

/* ---- the method ---- */

void
rml_logreg_newton(RmlLogregRun *run)
{
	const size_t n = (size_t) run->n;

	run->theta = RML_NEW_ZERO(run->env, double, n);
	run->gradient = RML_NEW_ZERO(run->env, double, n);
	run->step = RML_NEW_ZERO(run->env, double, n);
	run->direction = RML_NEW_ZERO(run->env, double, n);
	run->hessian = RML_NEW_ZERO(run->env, double, n *n);
	run->factor = RML_NEW_ZERO(run->env, double, n *n);
	run->by_axis = RML_NEW_ZERO(run->env, double, (size_t) run->outputs *(size_t) run->rows.axes);
	evaluate(run);
	while (run->iterations < run->max_iter && !run->converged)
	{
		double before = run->objective;

		if (run->l1 > 0.0)
			rml_logreg_lasso_step(run);
		else
			newton_step(run);
		run->iterations++;
		run->converged = !take_step(run) ||
						 fabs(before - run->objective) <= run->tol * (fabs(run->objective) + 0.1);
		run->env->progress(run->env, "iteration", run->iterations, run->objective);
		look_for_separation(run, run->converged);
		if (run->separated && run->stop_when_separated)
			break;
	}
}
