/*
 * linear_internal.h
 *	  What fits of linear models share: passes over the rows, and the equations they lead to.
 *
 * A fit works in its own basis.  Numbers are z = (x - centre) / scale with about mean 0 and standard
 * deviation 1 to 2; the intercept is a column of ones; codes are indicators, of the reference too.  A row
 * is then a short dense vector and one place for each category, and touches of X'WX only what these
 * meet: X never exists.  Columns of the basis, "axes":
 *
 *	  0 .. d_num - 1            numbers
 *	  d_num                     the intercept
 *	  d_num + 1 ..              residuals of nearly collinear terms (linear_basis.c), usually none
 *	  (padding to width, a multiple of 4, zeros)
 *	  width + place             codes
 *
 * Sums over rows are taken in at most RML_LINEAR_SEGMENTS segments, each in the order of its rows,
 * and added in the order of segments.  How rows are cut depends on the shape of the data alone, so
 * sums are the same for any number of threads.
 */
#ifndef RETAILML_LINEAR_INTERNAL_H
#define RETAILML_LINEAR_INTERNAL_H

#include "retailml/linear_design.h"
#include "retailml/parallel.h"
#include "retailml/supervised.h"

#define RML_LINEAR_SEGMENTS 16
#define RML_LINEAR_TILE 64

/*
 * One copy of a hot function per vector width, chosen when the module is loaded.  ifunc resolvers
 * run before AddressSanitizer is ready.
 */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(RML_NO_CLONES)
#define RML_LINEAR_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define RML_LINEAR_CLONES
#endif

/* the rows in the basis of the fit */
typedef struct RmlLinearRows
{
	RmlEnv *env;
	const RmlTrainingSet *set;
	const RmlLinearDesign *design;
	double *centre;  /* [d_num] */
	double *scale;   /* [d_num] positive; a power of 2, so that nothing is rounded */
	double *inverse; /* [d_num] 1 / scale */
	int n_dense;     /* d_num + 1 + n_extra */
	int width;       /* n_dense, padded */
	int n_places;    /* codes of all categories */
	int axes;        /* width + n_places */
	int n_extra;     /* residual axes */
	const double
		*extra; /* [n_extra x axes] each as a combination of the axes before it, and codes */
} RmlLinearRows;

/* a few rows as the passes see them */
typedef struct RmlLinearTile
{
	int64_t first;
	int count;        /* at most RML_LINEAR_TILE */
	double *dense;    /* [RML_LINEAR_TILE x width] */
	int32_t *places;  /* [RML_LINEAR_TILE x d_cat] counted from 0 */
	double *omega;    /* [n_omega x RML_LINEAR_TILE] to be filled: weights of the matrices */
	double *gradient; /* [n_gradient x RML_LINEAR_TILE] to be filled: weights of the vectors */
	double *sums;     /* [n_sums] to be added to */
	double *maxima;   /* [n_maxima] to be raised */
	double *scratch;  /* [n_scratch] the thread's own */
} RmlLinearTile;

/* what a tile adds; runs in parallel */
typedef void (*RmlLinearTileFn)(void *context, const RmlLinearRows *rows,
								const RmlLinearTile *tile);

/*
 * Sums over all rows: n_omega matrices sum of omega_i u_i u_i', n_gradient vectors sum of gradient_i
 * u_i, and numbers of the caller's own.
 */
typedef struct RmlLinearPass
{
	RmlLinearTileFn fn;
	void *context;
	int n_omega;
	int n_gradient;
	int n_sums;
	int n_maxima;
	int n_scratch;
	/* the result */
	double *matrices; /* [n_omega x rml_linear_matrix_size], see rml_linear_cross */
	double *vectors;  /* [n_gradient x axes] */
	double *sums;     /* [n_sums] */
	double *maxima;   /* [n_maxima] */
	void *memory;     /* what all of them are in */
} RmlLinearPass;

extern void rml_linear_rows(RmlLinearRows *rows, RmlEnv *env, const RmlTrainingSet *set,
							const RmlLinearDesign *design);
/* have these residual axes from now on */
extern void rml_linear_rows_extend(RmlLinearRows *rows, int n_extra, const double *extra);
extern void rml_linear_rows_release(RmlLinearRows *rows);

/* fill the result; fn, context and the numbers are given */
extern void rml_linear_pass(const RmlLinearRows *rows, RmlLinearPass *pass);
extern void rml_linear_pass_release(const RmlLinearRows *rows, RmlLinearPass *pass);
extern size_t rml_linear_pass_bytes(const RmlLinearRows *rows, const RmlLinearPass *pass,
									int threads);

/* doubles in a matrix of this shape: dense [width x width], codes x dense, codes x codes */
extern size_t rml_linear_matrix_size(const RmlLinearRows *rows);

/* element (a, b) of a symmetric matrix; codes of one category never meet but with themselves */
extern double rml_linear_cross(const RmlLinearRows *rows, const double *matrix, int a, int b);

/* the axis of a term */
extern int rml_linear_axis(const RmlLinearRows *rows, int term);

/* sum over axes of coefficient times value, for each row of a tile */
extern void rml_linear_tile_eta(const RmlLinearRows *rows, const RmlLinearTile *tile,
								const double *coefficients, double *eta);

/*
 * A symmetric matrix over axes, as a quadratic form that tiles evaluate: set each pair (a, b) once,
 * then rml_linear_tile_form.
 */
extern void rml_linear_form_set(const RmlLinearRows *rows, double *form, int a, int b,
								double value);
extern void rml_linear_tile_form(const RmlLinearRows *rows, const RmlLinearTile *tile,
								 const double *form, double *values);

/* ---- linear_basis.c ---- */

/*
 * Terms that are linearly independent, and a basis of what they span in which equations are well
 * conditioned.  Most terms are axes as they are ("plain").  A term that the others nearly determine
 * is replaced by its residual axis: what is left of it after regression on the plain ones.
 */
typedef struct RmlLinearBasis
{
	int rank;
	int n_plain;   /* the first so many; the first of all is the intercept */
	int32_t *term; /* [rank] */
	int32_t *axis; /* [rank] */
	double *mix; /* [n_extra x n_plain] regression of each residual axis's term on the plain ones */
	double *matrix;  /* [rank x rank] X'WX in this basis */
	double *factor;  /* [rank x rank] its lower Cholesky factor */
	double total;    /* sum of weights */
	double largest;  /* eigenvalue of the correlations of the terms but the intercept */
	double *penalty; /* [rank] 1 unit of l2 puts on the squared coefficient; 0 for the intercept */
} RmlLinearBasis;

/* how much of a term's deviation must be its own for it to be kept, as in R's lm */
#define RML_LINEAR_TOLERANCE 1e-7

/*
 * Choose the terms of the basis by X'WX over axes.  With everything set all terms that are not
 * constant are kept, independent or not.  The means and deviations of all terms go to linear.
 * rows may get residual axes, for which X'WX is summed again.
 */
extern void rml_linear_basis(RmlLinearBasis *basis, RmlLinearRows *rows, const double *matrix,
							 bool everything, bool standardize, RmlLinear *linear);

/* ---- linear_coefficients.c ---- */

/* coefficients [rank] as values by axis [axes], for rml_linear_tile_eta */
extern void rml_linear_spread(const RmlLinearBasis *basis, const RmlLinearRows *rows,
							  const double *coefficients, double *by_axis);

/* a vector by axis [axes] at the axes of the basis [rank] */
extern void rml_linear_gather(const RmlLinearBasis *basis, const double *by_axis, double *values);

/* coefficients of the basis as coefficients of the terms' own units: [p], 0 where dropped */
extern void rml_linear_restore(const RmlLinearBasis *basis, const RmlLinearRows *rows,
							   const double *coefficients, double *estimates);

/* the predictor at the training means, from coefficients of the basis */
extern double rml_linear_centre(const RmlLinearBasis *basis, const RmlLinearRows *rows,
								const double *coefficients, const RmlLinear *linear);

/* a model of these terms, all zero, for a fit to fill */
extern void rml_linear_begin(RmlLinear *linear, RmlEnv *env, const RmlSchema *schema,
							 int n_outputs);

/* ---- linear_solve.c: symmetric positive definite systems, matrices [n x n] row-major ---- */

/*
 * The lower Cholesky factor of a in factor.  A column whose pivot is not above least [n] (NULL: 0)
 * is left out: its pivot is infinite, so that its unknown is 0 in every solution and its row and
 * column in the inverse are, too; kept [n] (may be NULL) is 0 there.  Returns how many are kept.
 */
extern int rml_cholesky(RmlEnv *env, const double *a, int n, const double *least, double *factor,
						int32_t *kept);
/* x = a^-1 x, in place */
extern void rml_cholesky_solve(const double *factor, int n, double *x);
extern void rml_cholesky_inverse(RmlEnv *env, const double *factor, int n, double *inverse);
/* sum of a_i b_i, in a fixed order */
extern double rml_dot(const double *a, const double *b, int n);
/* the largest eigenvalue of a symmetric positive semidefinite matrix, by power iteration */
extern double rml_largest_eigenvalue(RmlEnv *env, const double *a, int n);

/* the weight of a row */
static inline double
rml_linear_weight(const RmlTrainingSet *set, int64_t row)
{
	return set->weights == NULL ? 1.0 : set->weights[row];
}

#endif /* RETAILML_LINEAR_INTERNAL_H */
