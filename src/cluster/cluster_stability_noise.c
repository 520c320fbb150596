/*
 * cluster_stability_noise.c
 *	  Rows without structure that look like given ones.
 *
 * Numbers of many values are independent along some axes, the columns themselves or the principal
 * axes of the rows, and unimodal along each: the unimodal distribution that is nearest to that of the
 * rows.  Numbers of few values, and categories, are those of random rows, column by column, so they
 * keep their frequencies and lose what they have to do with each other.
 */
#include <math.h>
#include <string.h>

#include "retailml/cluster_stability.h"
#include "retailml/rng.h"
#include "retailml/sort.h"

/* a column of at most so many distinct values is drawn from its values */
#define FEW_VALUES 16

/* bins of a marginal, and the width of one whose values are all equal, as a share of the range */
#define MOST_BINS 64
#define NARROWEST 1e-9

#define SWEEPS 60
#define POLL_NUMBERS 1000000

/* a unimodal distribution: as that of the rows in a bin, or even over the bins of a plateau */
typedef struct Marginal
{
	const double *sorted; /* [n] of the rows */
	int64_t n;
	int bins;
	bool plateau[MOST_BINS]; /* the bin is as high as a neighbour */
	double edges[MOST_BINS + 1];
	double mass[MOST_BINS + 1]; /* of all bins below */
} Marginal;

struct RmlNoise
{
	const RmlKmeansRows *rows;
	int m;               /* columns with many values */
	int *many;           /* [m] those columns */
	double *mean;        /* [m] */
	double *axes;        /* [m x m] principal axes, one a row */
	Marginal *marginals; /* [m] along each axis */
	double *sorted;      /* [m x n] what they point into */
};

static bool
has_few_values(const RmlKmeansRows *rows, int column)
{
	double values[FEW_VALUES];
	int n = 0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		double x = rows->x[i * rows->shape.d + column];
		int v = 0;

		while (v < n && values[v] != x)
			v++;
		if (v == FEW_VALUES)
			return false;
		if (v == n)
			values[n++] = x;
	}
	return true;
}

static void
find_columns(RmlNoise *noise, RmlEnv *env)
{
	const int d = noise->rows->shape.d;

	noise->many = RML_NEW(env, int, (size_t) d);
	for (int j = 0; j < d; j++)
	{
		if (!has_few_values(noise->rows, j))
			noise->many[noise->m++] = j;
		rml_poll(env);
	}
}

static double
centred(const RmlNoise *noise, int64_t row, int j)
{
	return noise->rows->x[row * noise->rows->shape.d + noise->many[j]] - noise->mean[j];
}

static void
find_means(RmlNoise *noise, RmlEnv *env)
{
	noise->mean = RML_NEW_ZERO(env, double, (size_t) noise->m);
	for (int64_t i = 0; i < noise->rows->n; i++)
		for (int j = 0; j < noise->m; j++)
			noise->mean[j] +=
				noise->rows->x[i * noise->rows->shape.d + noise->many[j]] / (double) noise->rows->n;
}

/* sums of products [m x m] */
static double *
find_products(const RmlNoise *noise, RmlEnv *env)
{
	const int m = noise->m;
	double *products = RML_NEW_ZERO(env, double, (size_t) m *(size_t) m);

	for (int64_t i = 0; i < noise->rows->n; i++)
	{
		for (int a = 0; a < m; a++)
			for (int b = 0; b <= a; b++)
				products[a * m + b] += centred(noise, i, a) * centred(noise, i, b);
		if (i % (1 + POLL_NUMBERS / (m * m + 1)) == 0)
			rml_poll(env);
	}
	for (int a = 0; a < m; a++)
		for (int b = 0; b < a; b++)
			products[b * m + a] = products[a * m + b];
	return products;
}

/* rotate rows or columns p and q: stride is the step from one element of such a line to the next */
static void
rotate(double *matrix, int m, int p, int q, int line, int stride, double c, double s)
{
	for (int i = 0; i < m; i++)
	{
		double *a = matrix + (size_t) p * line + (size_t) i * stride;
		double *b = matrix + (size_t) q * line + (size_t) i * stride;
		double x = *a, y = *b;

		*a = c * x - s * y;
		*b = s * x + c * y;
	}
}

/*
 * Turn axes [m x m], one a row, to the eigenvectors of a symmetric matrix [m x m], by Jacobi's
 * rotations (G. H. Golub and C. F. Van Loan, Matrix Computations, section 8.5).  The matrix becomes
 * diagonal.
 */
static void
turn_axes(RmlEnv *env, double *matrix, int m, double *axes)
{
	for (int sweep = 0; sweep < SWEEPS; sweep++)
	{
		bool changed = false;

		for (int p = 0; p < m; p++, rml_poll(env))
			for (int q = p + 1; q < m; q++)
			{
				double off = matrix[p * m + q];
				double scale = sqrt(fabs(matrix[p * m + p]) * fabs(matrix[q * m + q]));
				double theta, t, c;

				if (fabs(off) <= 1e-14 * scale)
					continue;
				theta = (matrix[q * m + q] - matrix[p * m + p]) / (2.0 * off);
				t = copysign(1.0, theta) / (fabs(theta) + sqrt(theta * theta + 1.0));
				c = 1.0 / sqrt(t * t + 1.0);
				rotate(matrix, m, p, q, m, 1, c, t * c);
				rotate(matrix, m, p, q, 1, m, c, t * c);
				rotate(axes, m, p, q, m, 1, c, t * c);
				changed = true;
			}
		if (!changed)
			return;
	}
}

/* ---- marginals ---- */

/* heights [n] of bins become the nearest increasing ones, weighted by width; returns the error */
static double
pool_increasing(const double *height, const double *width, int n, double *out)
{
	double value[MOST_BINS], weight[MOST_BINS], error = 0.0;
	int count[MOST_BINS], blocks = 0;

	for (int i = 0; i < n; i++)
	{
		value[blocks] = height[i];
		weight[blocks] = width[i];
		count[blocks++] = 1;
		while (blocks > 1 && value[blocks - 2] > value[blocks - 1])
		{
			double sum = weight[blocks - 2] + weight[blocks - 1];

			value[blocks - 2] =
				(value[blocks - 2] * weight[blocks - 2] + value[blocks - 1] * weight[blocks - 1]) /
				sum;
			weight[blocks - 2] = sum;
			count[blocks - 2] += count[blocks - 1];
			blocks--;
		}
	}
	for (int block = 0, i = 0; block < blocks; block++)
		for (int end = i + count[block]; i < end; i++)
		{
			out[i] = value[block];
			error += width[i] * (height[i] - out[i]) * (height[i] - out[i]);
		}
	return error;
}

static double
pool_decreasing(const double *height, const double *width, int n, double *out)
{
	double turned_height[MOST_BINS], turned_width[MOST_BINS], turned[MOST_BINS];
	double error;

	for (int i = 0; i < n; i++)
	{
		turned_height[i] = height[n - 1 - i];
		turned_width[i] = width[n - 1 - i];
	}
	error = pool_increasing(turned_height, turned_width, n, turned);
	for (int i = 0; i < n; i++)
		out[i] = turned[n - 1 - i];
	return error;
}

/* heights [n] become the nearest that rise and then fall */
static void
make_unimodal(double *height, const double *width, int n)
{
	double best[MOST_BINS], fit[MOST_BINS];
	double least = INFINITY;

	for (int mode = 0; mode <= n; mode++)
	{
		double error = pool_increasing(height, width, mode, fit) +
					   pool_decreasing(height + mode, width + mode, n - mode, fit + mode);

		if (error < least)
		{
			least = error;
			memcpy(best, fit, sizeof(double) * (size_t) n);
		}
	}
	memcpy(height, best, sizeof(double) * (size_t) n);
}

/*
 * The unimodal distribution nearest to sorted values, in bins that each hold as many of them: two
 * humps become one broad one, which is what a cut between two humps has to beat.
 */
static void
learn_marginal(Marginal *marginal, const double *sorted, int64_t n)
{
	const double narrowest = NARROWEST * (sorted[n - 1] - sorted[0]);
	double height[MOST_BINS], width[MOST_BINS];
	int bins = (int) (2.0 * cbrt((double) n));

	marginal->sorted = sorted;
	marginal->n = n;
	marginal->bins = bins < MOST_BINS ? bins : MOST_BINS;
	for (int b = 0; b <= marginal->bins; b++)
		marginal->edges[b] = sorted[(n - 1) * b / marginal->bins];
	for (int b = 0; b < marginal->bins; b++)
	{
		width[b] = fmax(marginal->edges[b + 1] - marginal->edges[b], narrowest);
		height[b] = 1.0 / width[b];
	}
	make_unimodal(height, width, marginal->bins);
	marginal->mass[0] = 0.0;
	for (int b = 0; b < marginal->bins; b++)
	{
		marginal->mass[b + 1] = marginal->mass[b] + height[b] * width[b];
		marginal->plateau[b] = (b > 0 && height[b] == height[b - 1]) ||
							   (b + 1 < marginal->bins && height[b] == height[b + 1]);
	}
}

static double
draw_marginal(const Marginal *marginal, double uniform)
{
	double target = uniform * marginal->mass[marginal->bins], share;
	int b = 0;

	while (b < marginal->bins - 1 && marginal->mass[b + 1] <= target)
		b++;
	share = (target - marginal->mass[b]) / (marginal->mass[b + 1] - marginal->mass[b]);
	if (marginal->plateau[b])
		return marginal->edges[b] + share * (marginal->edges[b + 1] - marginal->edges[b]);
	return marginal->sorted[(int64_t) ((double) (marginal->n - 1) * (b + share) / marginal->bins)];
}

static void
learn_marginals(RmlNoise *noise, RmlEnv *env)
{
	const int m = noise->m;
	const size_t n = (size_t) noise->rows->n;

	noise->sorted = RML_NEW(env, double, (size_t) m *n);
	noise->marginals = RML_NEW(env, Marginal, (size_t) m);
	for (int a = 0; a < m; a++)
	{
		double *values = noise->sorted + (size_t) a * n;

		for (int64_t i = 0; i < noise->rows->n; i++)
		{
			values[i] = 0.0;
			for (int j = 0; j < m; j++)
				values[i] += noise->axes[a * m + j] * centred(noise, i, j);
		}
		rml_sort_doubles(env, values, noise->rows->n);
		learn_marginal(&noise->marginals[a], values, noise->rows->n);
	}
}

RmlNoise *
rml_noise_learn(RmlEnv *env, const RmlKmeansRows *rows, bool principal)
{
	RmlNoise *noise = RML_NEW_ZERO(env, RmlNoise, 1);
	size_t m;

	noise->rows = rows;
	find_columns(noise, env);
	find_means(noise, env);
	m = (size_t) noise->m;
	noise->axes = RML_NEW_ZERO(env, double, m *m);
	for (size_t i = 0; i < m; i++)
		noise->axes[i * m + i] = 1.0;
	if (principal)
	{
		double *products = find_products(noise, env);

		turn_axes(env, products, noise->m, noise->axes);
		rml_release(env, products);
	}
	learn_marginals(noise, env);
	return noise;
}

void
rml_noise_release(RmlNoise *noise, RmlEnv *env)
{
	rml_release(env, noise->many);
	rml_release(env, noise->mean);
	rml_release(env, noise->axes);
	rml_release(env, noise->marginals);
	rml_release(env, noise->sorted);
	rml_release(env, noise);
}

/* ---- drawing ---- */

/* numbers of many values of one row, from draws at index on */
static void
draw_numbers(const RmlNoise *noise, uint64_t seed, uint64_t stream, uint64_t index, double *x)
{
	const int m = noise->m;

	for (int j = 0; j < m; j++)
		x[noise->many[j]] = noise->mean[j];
	for (int a = 0; a < m; a++)
	{
		double along = draw_marginal(&noise->marginals[a],
									 rml_rng_uniform(seed, stream, index + (uint64_t) a));

		for (int j = 0; j < m; j++)
			x[noise->many[j]] += along * noise->axes[a * m + j];
	}
}

void
rml_noise_draw(const RmlNoise *noise, RmlEnv *env, uint64_t seed, uint64_t stream, double *x,
			   int32_t *codes)
{
	const RmlKmeansRows *rows = noise->rows;
	const int d = rows->shape.d, d_cat = rows->shape.d_cat;
	const uint64_t n = (uint64_t) rows->n, width = (uint64_t) (d + d_cat + noise->m);

	for (int64_t i = 0; i < rows->n; i++)
	{
		const uint64_t index = (uint64_t) i * width;

		for (int j = 0; j < d; j++)
			x[i * d + j] =
				rows->x[rml_rng_below(seed, stream, index + (uint64_t) j, n) * (uint64_t) d +
						(uint64_t) j];
		for (int f = 0; f < d_cat; f++)
			codes[i * d_cat + f] =
				rows->codes[rml_rng_below(seed, stream, index + (uint64_t) (d + f), n) *
								(uint64_t) d_cat +
							(uint64_t) f];
		draw_numbers(noise, seed, stream, index + (uint64_t) (d + d_cat), x + i * d);
		if (i % (1 + POLL_NUMBERS / (noise->m * noise->m + d + d_cat)) == 0)
			rml_poll(env);
	}
}
