/* The Hopkins statistic against a second implementation, and its distribution for even rows. */
#include "unit.h"

#include <math.h>

#include "retailml/hopkins.h"
#include "retailml/rng.h"

/* the formula of test/golden/hopkins.py */
static double *
make_rows(int64_t n, int d, double spread)
{
	double *x = malloc(sizeof(double) * (size_t) n * (size_t) d);

	for (int64_t i = 0; i < n; i++)
		for (int j = 0; j < d; j++)
			x[i * d + j] = (double) (i * (j + 2) % 5) +
						   spread * (double) ((i * 7919 + j * 104729) % 10007) / 10007;
	return x;
}

static void
test_golden(void)
{
	UnitCsv *golden = unit_golden("hopkins.csv");

	for (size_t row = 0; row < golden->rows; row++)
	{
		RmlEnv *env = unit_env(2);
		int64_t n = (int64_t) unit_csv_number(golden, row, "n");
		int d = (int) unit_csv_number(golden, row, "d");
		double *x = make_rows(n, d, unit_csv_number(golden, row, "spread"));

		unit_near(rml_hopkins(env, x, n, d, (uint64_t) unit_csv_number(golden, row, "seed")),
				  unit_csv_number(golden, row, "hopkins"), 1e-12, "%lld x %d", (long long) n, d);
		unit_ok(unit_env_peak(env) <= rml_hopkins_bytes(n, d) + 64, "memory is as announced");
		free(x);
		unit_env_free(env);
	}
	unit_csv_free(golden);
}

/* for even rows H is Beta(m, m): mean 1/2, variance 1 / (8 m + 4) */
static void
test_even(void)
{
	enum
	{
		TRIALS = 100,
		N = 500,
		D = 2
	};
	double sum = 0, squares = 0, m = rml_hopkins_points(N);
	static double x[N * D];

	for (int trial = 0; trial < TRIALS; trial++)
	{
		RmlEnv *env = unit_env(1);
		double h;

		for (int i = 0; i < N * D; i++)
			x[i] = rml_rng_uniform((uint64_t) trial, 99, (uint64_t) i);
		h = rml_hopkins(env, x, N, D, 42);
		sum += h;
		squares += (h - 0.5) * (h - 0.5);
		unit_env_free(env);
	}
	/* four standard errors; points near the edge of the box have fewer neighbours, hence the 0.02 */
	unit_ok(fabs(sum / TRIALS - 0.5) < 4 / sqrt(TRIALS * (8 * m + 4)) + 0.02, "mean of even rows");
	unit_ok(squares / TRIALS < 2.5 / (8 * m + 4), "and their variance");
}

static void
test_edges(void)
{
	RmlEnv *env = unit_env(1);
	double same[] = {3, 4, 3, 4, 3, 4}, huge[] = {0, 1e308, -1e308, 1e300, 5, 7};

	unit_ok(isnan(rml_hopkins(env, same, 1, 2, 42)), "one row has none");
	unit_ok(isnan(rml_hopkins(env, same, 3, 2, 42)), "nor have equal rows");
	unit_ok(!(rml_hopkins(env, huge, 3, 2, 42) > 1), "huge numbers do no harm");
	unit_env_free(env);
}

static void
test_cancel(void)
{
	RmlEnv *env = unit_env(2);
	double *x = make_rows(30000, 4, 1);

	unit_env_cancel_after(env, 3);
	unit_ok(UNIT_ESCAPES(env, rml_hopkins(env, x, 30000, 4, 42)), "can be cancelled");
	unit_env_cancel_after(env, 0);
	unit_env_reset(env);
	free(x);
	unit_env_free(env);
}

int
main(void)
{
	test_golden();
	test_even();
	test_edges();
	test_cancel();
	return unit_done();
}
