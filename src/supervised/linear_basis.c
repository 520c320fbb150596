/*
 * linear_basis.c
 *	  Which terms are independent, and a basis for them that loses no digits.
 *
 * X'WX squares the condition of X: of a term that the others determine but for a share s of its
 * deviation, s^2 is left as its pivot, and beyond s = 1e-7 (what R's lm keeps) nothing but rounding
 * errors.  So the pivot of X'WX decides only clear cases.  A term with less than DOUBTFUL left is
 * set aside; the residual of its regression on the clear ones is then taken through the rows, where it
 * has all its digits, and X'WX of the residuals decides about it and is solved with.
 *
 * Of terms that determine each other the first stay, but for one that is nearly determined by those
 * before it: others come before it, as after a permutation.
 */
#include <math.h>
#include <string.h>

#include "linear_internal.h"

/* squared share of the deviation below which X'WX is not trusted */
#define DOUBTFUL 1e-4
/* residual axes that are judged in one pass */
#define BATCH 32
/* a variance that is this share of the mean square is rounding */
#define CONSTANT 1e-13

/* what choosing works on */
typedef struct Choice
{
	RmlLinearRows *rows;
	RmlEnv *env;
	int p;
	double *a;         /* [p x p] X'WX of the terms */
	double *deviation; /* [p] sum of squares about the mean; 0: constant */
	double *factor;    /* [p x p] of the plain terms, in order */
	int32_t *plain;    /* [p] */
	int32_t *doubtful; /* [n_doubtful] terms */
	int n_doubtful;
	double *extra; /* [n_extra x axes] */
	double *mix;   /* [n_doubtful x p] */
} Choice;

/* ---- moments ---- */

static bool
is_constant_number(const RmlLinearRows *rows, int term)
{
	int feature = rows->design->feature[term];

	return feature >= 0 && rows->design->code[term] < 0 &&
		   rows->set->schema->features[feature].sd == 0.0;
}

/* sums of squares about the mean, in units of the axes */
static void
measure(Choice *choice)
{
	const size_t p = (size_t) choice->p;
	const double total = choice->a[0];

	for (size_t j = 0; j < p; j++)
	{
		double square = choice->a[j * p + j], sum = choice->a[j * p];
		double deviation = square - sum * sum / total;
		bool constant =
			!(deviation > CONSTANT * square) || is_constant_number(choice->rows, (int) j);

		choice->deviation[j] = j == 0 ? total : constant ? 0.0 : deviation;
	}
}

static void
set_moments(const Choice *choice, RmlLinear *linear)
{
	const RmlLinearRows *rows = choice->rows;
	const double total = choice->a[0];

	for (int j = 0; j < choice->p; j++)
	{
		double mean = choice->a[j] / total, sd = sqrt(choice->deviation[j] / total);
		int axis = rml_linear_axis(rows, j);
		bool number = axis < rows->design->d_num;

		linear->mean[j] = number ? rows->centre[axis] + mean * rows->scale[axis] : mean;
		linear->sd[j] = j == 0 ? 0.0 : number ? sd * rows->scale[axis] : sd;
	}
}

/* ---- plain terms ---- */

static void
assemble(Choice *choice, const double *matrix)
{
	const size_t p = (size_t) choice->p;

	for (size_t j = 0; j < p; j++)
	{
		for (size_t k = 0; k < p; k++)
			choice->a[j * p + k] =
				rml_linear_cross(choice->rows, matrix, rml_linear_axis(choice->rows, (int) j),
								 rml_linear_axis(choice->rows, (int) k));
		rml_poll(choice->env);
	}
}

/* Cholesky in the order of terms; the others are set aside, but for constants */
static void
choose_plain(Choice *choice, bool everything)
{
	double *least = RML_NEW(choice->env, double, (size_t) choice->p);

	for (int j = 0; j < choice->p; j++)
		least[j] = j == 0                        ? 0.0
				   : choice->deviation[j] == 0.0 ? INFINITY
				   : everything                  ? -INFINITY
												 : DOUBTFUL * choice->deviation[j];
	if (everything)
		for (int j = 0; j < choice->p; j++)
			choice->plain[j] = least[j] < INFINITY;
	else
		rml_cholesky(choice->env, choice->a, choice->p, least, choice->factor, choice->plain);
	choice->n_doubtful = 0;
	for (int j = 0; j < choice->p; j++)
		if (!choice->plain[j] && choice->deviation[j] > 0.0)
			choice->doubtful[choice->n_doubtful++] = j;
	rml_release(choice->env, least);
}

/* ---- residual axes ---- */

static void
weigh_rows(void *context, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	(void) context;
	for (int i = 0; i < tile->count; i++)
		tile->omega[i] = rml_linear_weight(rows->set, tile->first + i);
}

/* the residual axes of doubtful terms [begin, begin + count), by the mix so far */
static void
set_extra(Choice *choice, int begin, int count)
{
	RmlLinearRows *rows = choice->rows;

	rml_linear_rows_extend(rows, count, NULL);
	rml_release(choice->env, choice->extra);
	choice->extra = RML_NEW_ZERO(choice->env, double, (size_t) count *(size_t) rows->axes);
	for (int e = 0; e < count; e++)
	{
		const double *mix = choice->mix + (size_t) (begin + e) * (size_t) choice->p;
		double *extra = choice->extra + (size_t) e * (size_t) rows->axes;

		for (int j = 0; j < choice->p; j++)
			if (choice->plain[j])
				extra[rml_linear_axis(rows, j)] = -mix[j];
		extra[rml_linear_axis(rows, choice->doubtful[begin + e])] = 1.0;
	}
	rml_linear_rows_extend(rows, count, choice->extra);
}

/* regressions of the doubtful terms by X'WX alone */
static void
first_mix(Choice *choice)
{
	const size_t p = (size_t) choice->p;

	for (int e = 0; e < choice->n_doubtful; e++)
	{
		double *mix = choice->mix + (size_t) e * p;

		for (size_t j = 0; j < p; j++)
			mix[j] = choice->plain[j] ? choice->a[(size_t) choice->doubtful[e] * p + j] : 0.0;
		rml_cholesky_solve(choice->factor, choice->p, mix);
		rml_poll(choice->env);
	}
}

/* what the residuals still have in common with the plain terms goes into the mix */
static void
refine_mix(Choice *choice, const double *matrix, int count)
{
	const size_t p = (size_t) choice->p;
	const int base = choice->rows->design->d_num + 1;
	double *common = RML_NEW(choice->env, double, p);

	for (int e = 0; e < count; e++)
	{
		double *mix = choice->mix + (size_t) e * p;

		for (size_t j = 0; j < p; j++)
			common[j] = choice->plain[j] ? rml_linear_cross(choice->rows, matrix, base + e,
															rml_linear_axis(choice->rows, (int) j))
										 : 0.0;
		rml_cholesky_solve(choice->factor, choice->p, common);
		for (size_t j = 0; j < p; j++)
			mix[j] += common[j];
		rml_poll(choice->env);
	}
	rml_release(choice->env, common);
}

/* doubtful terms of which clearly nothing is left are dropped, batch after batch */
static void
drop_determined(Choice *choice)
{
	const int base = choice->rows->design->d_num + 1, n = choice->n_doubtful;
	const size_t p = (size_t) choice->p;
	int stay = 0;

	for (int begin = 0; begin < n; begin += BATCH)
	{
		RmlLinearPass pass = {.fn = weigh_rows, .n_omega = 1};
		int count = n - begin < BATCH ? n - begin : BATCH;

		set_extra(choice, begin, count);
		rml_linear_pass(choice->rows, &pass);
		for (int e = 0; e < count; e++)
		{
			const int32_t term = choice->doubtful[begin + e];
			double left = rml_linear_cross(choice->rows, pass.matrices, base + e, base + e);

			if (left <= RML_LINEAR_TOLERANCE * RML_LINEAR_TOLERANCE * choice->deviation[term])
				continue;
			memmove(choice->mix + (size_t) stay * p, choice->mix + (size_t) (begin + e) * p,
					sizeof(double) * p);
			choice->doubtful[stay++] = term;
		}
		rml_linear_pass_release(choice->rows, &pass);
	}
	choice->n_doubtful = stay;
}

/* X'WX of the residuals, taken twice so that the second time they are orthogonal to the plain terms */
static double *
cross_residuals(Choice *choice)
{
	const int n = choice->n_doubtful, base = choice->rows->design->d_num + 1;
	double *cross = RML_NEW(choice->env, double, (size_t) n *(size_t) n);

	for (int time = 0; time < 2; time++)
	{
		RmlLinearPass pass = {.fn = weigh_rows, .n_omega = 1};

		set_extra(choice, 0, n);
		rml_linear_pass(choice->rows, &pass);
		for (int e = 0; e < n; e++)
			for (int k = 0; k < n; k++)
				cross[e * n + k] =
					rml_linear_cross(choice->rows, pass.matrices, base + e, base + k);
		if (time == 0)
			refine_mix(choice, pass.matrices, n);
		rml_linear_pass_release(choice->rows, &pass);
	}
	return cross;
}

/* ---- the basis ---- */

static void
allocate(RmlLinearBasis *basis, RmlEnv *env, size_t p)
{
	memset(basis, 0, sizeof *basis);
	basis->term = RML_NEW(env, int32_t, p);
	basis->axis = RML_NEW(env, int32_t, p);
	basis->penalty = RML_NEW_ZERO(env, double, p);
}

static void
add_term(RmlLinearBasis *basis, int term, int axis)
{
	basis->term[basis->rank] = term;
	basis->axis[basis->rank++] = axis;
}

/* which residuals are independent of the ones before: kept [n_doubtful] */
static void
keep_residuals(const Choice *choice, const double *cross, int32_t *kept)
{
	const int n = choice->n_doubtful;
	double *least = RML_NEW(choice->env, double, (size_t) n);
	double *factor = RML_NEW(choice->env, double, (size_t) n *(size_t) n);

	for (int e = 0; e < n; e++)
		least[e] =
			RML_LINEAR_TOLERANCE * RML_LINEAR_TOLERANCE * choice->deviation[choice->doubtful[e]];
	rml_cholesky(choice->env, cross, n, least, factor, kept);
	rml_release(choice->env, least);
	rml_release(choice->env, factor);
}

/* terms and axes, plain ones first, and how the residual ones are mixed */
static void
add_terms(RmlLinearBasis *basis, const Choice *choice, const int32_t *kept)
{
	const RmlLinearRows *rows = choice->rows;
	const int base = rows->design->d_num + 1;
	double *mix;

	for (int j = 0; j < choice->p; j++)
		if (choice->plain[j])
			add_term(basis, j, rml_linear_axis(rows, j));
	basis->n_plain = basis->rank;
	for (int e = 0; e < choice->n_doubtful; e++)
		if (kept[e])
			add_term(basis, choice->doubtful[e], base + e);
	basis->mix = mix = RML_NEW(choice->env, double,
							   (size_t) (basis->rank - basis->n_plain) * (size_t) basis->n_plain);
	for (int e = 0; e < choice->n_doubtful; e++)
		for (int i = 0; kept[e] && i < basis->n_plain; i++)
			*mix++ = choice->mix[(size_t) e * (size_t) choice->p + (size_t) basis->term[i]];
}

/* X'WX in the basis: residuals have nothing in common with plain terms */
static void
set_matrix(RmlLinearBasis *basis, const Choice *choice, const double *cross)
{
	const size_t rank = (size_t) basis->rank, p = (size_t) choice->p;
	const int base = choice->rows->design->d_num + 1;

	basis->matrix = RML_NEW_ZERO(choice->env, double, rank *rank);
	basis->factor = RML_NEW(choice->env, double, rank *rank);
	for (size_t i = 0; i < rank; i++)
	{
		rml_poll(choice->env);
		for (size_t k = 0; k < rank; k++)
		{
			bool plain = i < (size_t) basis->n_plain;

			if (plain != (k < (size_t) basis->n_plain))
				continue;
			basis->matrix[i * rank + k] =
				plain ? choice->a[(size_t) basis->term[i] * p + (size_t) basis->term[k]]
					  : cross[(basis->axis[i] - base) * choice->n_doubtful + basis->axis[k] - base];
		}
	}
	rml_cholesky(choice->env, basis->matrix, basis->rank, NULL, basis->factor, NULL);
}

/* on z-scores the coefficient counts in deviations, otherwise in the number's own units */
static void
set_penalty(RmlLinearBasis *basis, const Choice *choice, bool standardize)
{
	const RmlLinearRows *rows = choice->rows;

	for (int i = 1; i < basis->rank; i++)
	{
		int axis = basis->axis[i];

		if (standardize)
			basis->penalty[i] = choice->deviation[basis->term[i]] / choice->a[0];
		else
			basis->penalty[i] =
				axis < rows->design->d_num ? 1.0 / (rows->scale[axis] * rows->scale[axis]) : 1.0;
	}
}

/* the largest eigenvalue of the correlations of the terms, without the intercept */
static double
largest_eigenvalue(const RmlLinearBasis *basis, const Choice *choice)
{
	const size_t p = (size_t) choice->p, n = (size_t) basis->rank - 1;
	double *correlation = RML_NEW(choice->env, double, n *n), value;

	for (size_t i = 0; i < n; i++)
	{
		rml_poll(choice->env);
		for (size_t k = 0; k < n; k++)
		{
			size_t a = (size_t) basis->term[i + 1], b = (size_t) basis->term[k + 1];
			double cross = choice->a[a * p + b] - choice->a[a] * choice->a[b] / choice->a[0];

			correlation[i * n + k] = cross / sqrt(choice->deviation[a] * choice->deviation[b]);
		}
	}
	value = rml_largest_eigenvalue(choice->env, correlation, (int) n);
	rml_release(choice->env, correlation);
	return value;
}

static void
release_choice(Choice *choice)
{
	RmlEnv *env = choice->env;

	rml_release(env, choice->a);
	rml_release(env, choice->deviation);
	rml_release(env, choice->factor);
	rml_release(env, choice->plain);
	rml_release(env, choice->doubtful);
	rml_release(env, choice->mix);
	/* extra stays: the rows go on with it */
}

static void
begin_choice(Choice *choice, RmlLinearRows *rows)
{
	RmlEnv *env = rows->env;
	const size_t p = (size_t) rows->design->p;

	*choice = (Choice){.rows = rows, .env = env, .p = (int) p};
	choice->a = RML_NEW(env, double, p *p);
	choice->factor = RML_NEW(env, double, p *p);
	choice->deviation = RML_NEW(env, double, p);
	choice->plain = RML_NEW(env, int32_t, p);
	choice->doubtful = RML_NEW(env, int32_t, p);
}

void
rml_linear_basis(RmlLinearBasis *basis, RmlLinearRows *rows, const double *matrix, bool everything,
				 bool standardize, RmlLinear *linear)
{
	Choice choice;
	double *cross = NULL;
	int32_t *kept = NULL;

	begin_choice(&choice, rows);
	assemble(&choice, matrix);
	measure(&choice);
	set_moments(&choice, linear);
	choose_plain(&choice, everything);
	if (choice.n_doubtful > 0)
	{
		choice.mix = RML_NEW(rows->env, double, (size_t) choice.n_doubtful *(size_t) choice.p);
		first_mix(&choice);
		drop_determined(&choice);
		rml_linear_rows_extend(rows, 0, NULL);
	}
	if (choice.n_doubtful > 0)
	{
		cross = cross_residuals(&choice);
		kept = RML_NEW(rows->env, int32_t, (size_t) choice.n_doubtful);
		keep_residuals(&choice, cross, kept);
	}
	allocate(basis, rows->env, (size_t) choice.p);
	add_terms(basis, &choice, kept);
	set_matrix(basis, &choice, cross);
	set_penalty(basis, &choice, standardize);
	basis->total = choice.a[0];
	basis->largest = largest_eigenvalue(basis, &choice);
	for (int j = 0; j < choice.p; j++)
		linear->kept[j] = 0;
	for (int i = 0; i < basis->rank; i++)
		linear->kept[basis->term[i]] = 1;
	rml_release(rows->env, cross);
	rml_release(rows->env, kept);
	release_choice(&choice);
}
