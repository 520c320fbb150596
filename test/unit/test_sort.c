/*
 * test_sort.c
 *	  The radix sort against qsort, on what makes radix sorts of floating-point numbers fail.
 */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "retailml/rng.h"
#include "retailml/sort.h"

typedef double (*Draw)(uint64_t i);

static double
any_number(uint64_t i)
{
	double x;
	uint64_t bits = rml_rng_u64(1, 1, i);

	memcpy(&x, &bits, sizeof x);
	return isnan(x) ? 0.0 : x;
}

static double
uniform(uint64_t i)
{
	return rml_rng_uniform(1, 2, i) - 0.5;
}

static double
few_values(uint64_t i)
{
	static const double values[] = {0.0,     -0.0,     DBL_MIN, -DBL_MIN, 4.9e-324, -4.9e-324,
									DBL_MAX, -DBL_MAX, 1.0,     -1.0,     INFINITY, -INFINITY};

	return values[rml_rng_below(1, 3, i, 12)];
}

static double
constant(uint64_t i)
{
	(void) i;
	return -7.25;
}

static double
ascending(uint64_t i)
{
	return (double) i;
}

static double
descending(uint64_t i)
{
	return -(double) i;
}

/* by value; negative zero before zero, so that the result is one sequence of bits */
static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	if (x != y)
		return x < y ? -1 : 1;
	return !!signbit(y) - !!signbit(x);
}

static void
check(RmlEnv *env, Draw draw, int64_t n, const char *what)
{
	double *values = malloc(sizeof(double) * (size_t) (n + 1));
	double *wanted = malloc(sizeof(double) * (size_t) (n + 1));

	for (int64_t i = 0; i < n; i++)
		values[i] = wanted[i] = draw((uint64_t) i);
	qsort(wanted, (size_t) n, sizeof(double), compare);
	rml_sort_doubles(env, values, n);
	unit_equal_bytes(values, wanted, sizeof(double) * (size_t) n, "%lld %s", (long long) n, what);
	free(values);
	free(wanted);
}

static void
test_cancel(void)
{
	RmlEnv *env = unit_env(1);
	int64_t n = (1 << 20) + 1;
	double *values = RML_NEW(env, double, (size_t) n);

	for (int64_t i = 0; i < n; i++)
		values[i] = uniform((uint64_t) i);
	unit_env_cancel_after(env, 2);
	unit_ok(UNIT_ESCAPES(env, rml_sort_doubles(env, values, n)), "a long sort can be cancelled");
	unit_env_free(env);
}

int
main(void)
{
	/* around sizes where an algorithm may change */
	static const int64_t sizes[] = {0, 1, 2, 3, 100, 511, 512, 513, 4096, 100000};
	RmlEnv *env = unit_env(1);

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
	{
		check(env, any_number, sizes[i], "random bit patterns");
		check(env, uniform, sizes[i], "uniform numbers");
		check(env, few_values, sizes[i], "zeros, subnormals and infinities");
		check(env, constant, sizes[i], "times the same");
		check(env, ascending, sizes[i], "in order");
		check(env, descending, sizes[i], "in reverse");
	}
	unit_equal_int((int64_t) unit_env_in_use(env), 0, "scratch memory is given back");
	unit_env_free(env);
	test_cancel();
	return unit_done();
}
