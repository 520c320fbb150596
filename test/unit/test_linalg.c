/*
 * test_linalg.c
 *	  OpenBLAS as the kernels see it: the product is right, nothing of the process has changed.
 */
#include "unit.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>

#include "retailml/linalg.h"
#include "retailml/rng.h"

enum
{
	MOST = 64 * 64
};

/* numbers with few bits: products and sums of 64 of them are exact, in any order */
static void
fill(float *values, uint64_t stream)
{
	for (uint64_t i = 0; i < MOST; i++)
		values[i] = (float) rml_rng_below(1, stream, i, 64) / 8.0f - 4.0f;
}

/* c [m x n] = alpha a [m x k] b' [k x n] + beta c, by the definition */
static void
multiply(int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
		 float beta, float *c, int ldc)
{
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
		{
			float sum = 0;

			for (int l = 0; l < k; l++)
				sum += a[i * lda + l] * b[j * ldb + l];
			c[i * ldc + j] = alpha * sum + beta * c[i * ldc + j];
		}
}

static void
check_product(const RmlLinalg *linalg, int m, int n, int k, int padding, float alpha, float beta)
{
	static float a[MOST], b[MOST], c[MOST], wanted[MOST];

	fill(a, 1);
	fill(b, 2);
	fill(c, 3);
	memcpy(wanted, c, sizeof c);
	linalg->sgemm_nt(m, n, k, alpha, a, k + padding, b, k + padding, beta, c, n + padding);
	multiply(m, n, k, alpha, a, k + padding, b, k + padding, beta, wanted, n + padding);
	unit_equal_bytes(c, wanted, sizeof c, "%d x %d x %d, row strides + %d, alpha %g, beta %g", m, n,
					 k, padding, (double) alpha, (double) beta);
}

int
main(void)
{
	const RmlLinalg *linalg;
	sigset_t mask;

	unsetenv("OPENBLAS_NUM_THREADS");
	linalg = rml_linalg_open();
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	unit_ok(!sigismember(&mask, SIGINT), "opening the library leaves signals open");
	unit_ok(getenv("OPENBLAS_NUM_THREADS") == NULL, "and the environment as it was");
	unit_ok(rml_linalg_open() == linalg, "it is opened once");
	if (linalg == NULL)
	{
		unit_skip(6, "OpenBLAS is not installed");
		return unit_done();
	}
	check_product(linalg, 1, 1, 1, 0, 1, 0);
	check_product(linalg, 3, 5, 7, 0, 1, 0);
	check_product(linalg, 16, 8, 40, 0, -2, 1);
	check_product(linalg, 31, 33, 59, 5, -2, 0);
	check_product(linalg, 48, 1, 64, 0, 1, 1);
	check_product(linalg, 1, 60, 2, 3, 0.5f, -1);
	return unit_done();
}
