/*
 * linear_solve.c
 *	  Symmetric positive definite systems of a few thousand unknowns at most.
 *
 * Plain loops over rows: a fit solves few systems, and passes over its rows cost more.
 */
#include <math.h>
#include <string.h>

#include "linear_internal.h"

#define LANES 4
#define POWER_STEPS 1000
#define POWER_TOLERANCE 1e-12

typedef double Doubles __attribute__((vector_size(LANES * sizeof(double)), aligned(8)));

RML_LINEAR_CLONES double
rml_dot(const double *a, const double *b, int n)
{
	Doubles sum = {0}, more = {0};
	double rest = 0.0;
	int i = 0;

	for (; i + 2 * LANES <= n; i += 2 * LANES)
	{
		sum += *(const Doubles *) (a + i) * *(const Doubles *) (b + i);
		more += *(const Doubles *) (a + i + LANES) * *(const Doubles *) (b + i + LANES);
	}
	for (; i < n; i++)
		rest += a[i] * b[i];
	sum += more;
	return (sum[0] + sum[1]) + (sum[2] + sum[3]) + rest;
}

/* row j of the factor from the rows above it; the pivot squared */
static double
factor_row(const double *a, int n, int j, double *factor)
{
	double *row = factor + (size_t) j * (size_t) n;

	for (int k = 0; k < j; k++)
	{
		const double *above = factor + (size_t) k * (size_t) n;

		row[k] = (a[(size_t) j * (size_t) n + (size_t) k] - rml_dot(row, above, k)) / above[k];
	}
	return a[(size_t) j * (size_t) n + (size_t) j] - rml_dot(row, row, j);
}

int
rml_cholesky(RmlEnv *env, const double *a, int n, const double *least, double *factor,
			 int32_t *kept)
{
	int rank = 0;
	int32_t *left_out = RML_NEW_ZERO(env, int32_t, (size_t) n);

	for (int j = 0; j < n; j++)
	{
		double *row = factor + (size_t) j * (size_t) n;
		double pivot;

		memset(row, 0, sizeof(double) * (size_t) n);
		pivot = factor_row(a, n, j, factor);
		for (int k = 0; k < j; k++)
			if (left_out[k])
				row[k] = 0.0;
		left_out[j] = !(pivot > (least == NULL ? 0.0 : least[j]));
		if (left_out[j])
			memset(row, 0, sizeof(double) * (size_t) n);
		row[j] = left_out[j] ? INFINITY : sqrt(pivot);
		rank += !left_out[j];
		if (kept != NULL)
			kept[j] = !left_out[j];
		rml_poll(env);
	}
	rml_release(env, left_out);
	return rank;
}

void
rml_cholesky_solve(const double *factor, int n, double *x)
{
	for (int j = 0; j < n; j++)
	{
		const double *row = factor + (size_t) j * (size_t) n;

		x[j] = (x[j] - rml_dot(row, x, j)) / row[j];
	}
	for (int j = n - 1; j >= 0; j--)
	{
		const double *row = factor + (size_t) j * (size_t) n;

		x[j] /= row[j];
		for (int k = 0; k < j; k++)
			x[k] -= row[k] * x[j];
	}
}

/* column after column: the matrix is symmetric, so columns are rows */
void
rml_cholesky_inverse(RmlEnv *env, const double *factor, int n, double *inverse)
{
	memset(inverse, 0, sizeof(double) * (size_t) n * (size_t) n);
	for (int j = 0; j < n; j++)
	{
		double *column = inverse + (size_t) j * (size_t) n;

		column[j] = 1.0;
		rml_cholesky_solve(factor, n, column);
		rml_poll(env);
	}
	/* both halves alike to the last bit */
	for (int j = 0; j < n; j++)
		for (int k = 0; k < j; k++)
			inverse[(size_t) k * (size_t) n + (size_t) j] =
				inverse[(size_t) j * (size_t) n + (size_t) k];
}

double
rml_largest_eigenvalue(RmlEnv *env, const double *a, int n)
{
	double *x = RML_NEW(env, double, (size_t) n), *y = RML_NEW(env, double, (size_t) n);
	double value = 0.0, norm = 0.0;

	/* no direction is likely to be orthogonal to this one */
	for (int i = 0; i < n; i++)
		x[i] = 1.0 + 0.5 * sin(1.0 + 3.0 * i);
	norm = sqrt(rml_dot(x, x, n));
	for (int step = 0; step < POWER_STEPS && norm > 0.0; step++)
	{
		double before = value;

		for (int i = 0; i < n; i++)
			x[i] /= norm;
		for (int i = 0; i < n; i++)
			y[i] = rml_dot(a + (size_t) i * (size_t) n, x, n);
		value = rml_dot(x, y, n);
		norm = sqrt(rml_dot(y, y, n));
		memcpy(x, y, sizeof(double) * (size_t) n);
		rml_poll(env);
		if (fabs(value - before) <= POWER_TOLERANCE * value)
			break;
	}
	rml_release(env, x);
	rml_release(env, y);
	return value;
}
