/* What is called noise and what is not, and that it does not depend on threads. */
#include "unit.h"

#include <math.h>

#include "retailml/cluster_stability.h"
#include "retailml/rng.h"

enum
{
	MOST = 2000,
	WIDTH = 5
};

static double x[MOST * WIDTH];
static int32_t codes[MOST * 2];
static const int32_t feature_codes[] = {5, 5};

typedef double (*Fill)(uint64_t seed, int row, int column);

static double
uniform(uint64_t seed, int row, int column)
{
	return rml_rng_uniform(seed, (uint64_t) column, (uint64_t) row);
}

static double
normal(uint64_t seed, int row, int column)
{
	return rml_rng_normal(seed, (uint64_t) column, (uint64_t) row);
}

/* one long cloud */
static double
correlated(uint64_t seed, int row, int column)
{
	return normal(seed, row, 100) + 0.5 * normal(seed, row, column);
}

static double
skewed(uint64_t seed, int row, int column)
{
	return exp(normal(seed, row, column));
}

static double
dice(uint64_t seed, int row, int column)
{
	return floor(4 * uniform(seed, row, column));
}

/* two uniform columns and their sum */
static double
derived(uint64_t seed, int row, int column)
{
	if (column < 2)
		return uniform(seed, row, column);
	return (uniform(seed, row, 0) + uniform(seed, row, 1)) / sqrt(2.0);
}

/* two blobs in each of the first two columns */
static double
blobs(uint64_t seed, int row, int column)
{
	return normal(seed, row, column) + (column < 2 ? 6 * (row >> column & 1) : 0);
}

/* two groups that only the first column tells apart */
static double
one_column(uint64_t seed, int row, int column)
{
	return (normal(seed, row, column) + (column == 0 ? 6 * (row & 1) : 0)) /
		   (column == 0 ? sqrt(10.0) : 1.0);
}

static RmlStability
judge(RmlEnv *env, Fill fill, uint64_t seed, int n, int d, int k, int resamples)
{
	const RmlKmeansRows rows = {.x = x, .n = n, .shape = {.d = d}};
	const RmlKmeansParams params = {
		.k = k, .n_init = 5, .max_iter = 300, .tol = 1e-4, .seed = (int64_t) seed};
	RmlStability stability = {0};

	for (int i = 0; i < n; i++)
		for (int j = 0; j < d; j++)
			x[i * d + j] = fill(seed, i, j);
	if (rml_cluster_stability(env, &params, &rows, resamples, &stability) != NULL)
		unit_ok(false, "rows are refused");
	return stability;
}

/* how many of a few cases get a better verdict */
static int
count_above(RmlVerdict verdict, Fill fill, int cases, int n, int d, int k)
{
	int found = 0;

	for (int seed = 0; seed < cases; seed++)
	{
		RmlEnv *env = unit_env(1);

		found += judge(env, fill, (uint64_t) seed, n, d, k, 2).verdict > verdict;
		unit_env_free(env);
	}
	return found;
}

static void
test_noise(void)
{
	static const struct
	{
		const char *name;
		Fill fill;
	} kinds[] = {{"uniform", uniform},
				 {"normal", normal},
				 {"correlated", correlated},
				 {"lognormal", skewed},
				 {"dice", dice}};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
	{
		unit_equal_int(count_above(RML_NO_STRUCTURE, kinds[i].fill, 4, 200, 2, 4), 0,
					   "%s in two columns", kinds[i].name);
		unit_equal_int(count_above(RML_NO_STRUCTURE, kinds[i].fill, 2, 400, 5, 3), 0,
					   "%s in five columns", kinds[i].name);
	}
	unit_equal_int(count_above(RML_WEAK, derived, 4, 1000, 3, 4), 0,
				   "a uniform square and the sum");
}

static void
test_blobs(void)
{
	RmlEnv *env = unit_env(1);
	RmlStability s = judge(env, blobs, 1, 400, 2, 4, 10);

	unit_equal_int(s.verdict, RML_STABLE, "blobs are stable");
	unit_ok(s.mean_ari > 0.98 && s.min_ari > 0.95 && s.min_ari <= s.mean_ari, "resamples agree");
	unit_ok(s.gain > 0.3 && s.gain_z > 10 && s.structure_k == 4, "noise does not");
	unit_equal_int(count_above(RML_WEAK, blobs, 3, 400, 2, 8), 3,
				   "blobs show at a k that is too large");
	unit_equal_int(count_above(RML_WEAK, blobs, 3, 400, 2, 3), 3,
				   "blobs show at a k that is too small");
	unit_equal_int(count_above(RML_WEAK, blobs, 3, 1000, 5, 4), 3, "and beside columns of noise");
	s = judge(env, one_column, 1, 500, 5, 2, 10);
	unit_equal_int(s.verdict, RML_STABLE, "two groups that one column of five tells apart");
	unit_ok(s.separation > 0.5 && s.separation_z > 4, "by their separation");
	unit_env_free(env);
}

static void
test_separation(void)
{
	RmlEnv *env = unit_env(1);
	const double rows_x[] = {-1, 5, 1, 5, 9, 5, 11, 5, 20, 5};
	double centroids[] = {0, 5, 10, 5, 20, 5};
	const int32_t labels[] = {0, 0, 1, 1, 2};
	int64_t sizes[] = {2, 2, 1};
	const RmlKmeansRows rows = {.x = rows_x, .n = 5, .shape = {2, 0, 0}};
	const RmlKmeans model = {.k = 3, .d = 2, .centroids = centroids, .sizes = sizes};
	/*
	 * 0 and 1: 2 + 2 within, 2 2 / 4 10^2 between; 2 and 1: 2 within, 2 1 / 3 10^2 between.  An even
	 * spread in halves has 1/4 within, in thirds 1/27 + 8/27.
	 */
	double wanted = (4 * log(4 / 104.0 * 4) + log(2 / (2 + 200 / 3.0) * 3)) / 5;

	unit_near(rml_cluster_separation(env, &rows, &model, labels), wanted, 1e-14,
			  "three clusters, by hand");
	for (int i = 0; i < 6; i++)
		centroids[i] = 5;
	unit_near(rml_cluster_separation(env, &rows, &model, labels), 0, 0,
			  "equal prototypes are not apart");
	unit_env_free(env);
}

/* categories that tell the same four kinds of rows */
static void
test_categories(void)
{
	RmlEnv *env = unit_env(1);
	const RmlKmeansRows rows = {.x = x,
								.codes = codes,
								.n = 400,
								.shape = {1, 2, 10},
								.feature_codes = feature_codes,
								.gamma = 0.5};
	const RmlKmeansParams params = {
		.k = 4, .init = RML_KMEANS_CAO, .n_init = 5, .max_iter = 300, .tol = 1e-4, .seed = 42};
	RmlStability together, apart;

	for (int i = 0; i < 400; i++)
	{
		x[i] = normal(1, i, 0);
		codes[2 * i] = 1 + i % 4;
		codes[2 * i + 1] = 1 + i % 4;
	}
	unit_equal_string(rml_cluster_stability(env, &params, &rows, 4, &together), NULL, "mixed rows");
	for (int i = 0; i < 400; i++)
		codes[2 * i + 1] = 1 + (int32_t) (4 * uniform(3, i, 7));
	unit_equal_string(rml_cluster_stability(env, &params, &rows, 4, &apart), NULL, "and others");
	unit_ok(together.verdict != RML_NO_STRUCTURE, "categories that go together are structure");
	unit_equal_int(apart.verdict, RML_NO_STRUCTURE, "those that do not are none");
	unit_env_free(env);
}

static void
test_threads(void)
{
	RmlEnv *one = unit_env(1), *two = unit_env(2);
	RmlStability a = judge(one, blobs, 3, MOST, 3, 4, 5), b = judge(two, blobs, 3, MOST, 3, 4, 5);

	unit_equal_bytes(&a, &b, sizeof a, "1 and 2 threads agree");
	unit_env_free(one);
	unit_env_free(two);
}

static void
test_limits(void)
{
	RmlEnv *env = unit_env(1);
	const RmlKmeansRows rows = {.x = x, .n = MOST, .shape = {.d = 3}};
	const RmlKmeansParams params = {.k = 4, .n_init = 2, .max_iter = 50, .tol = 1e-4, .seed = 1};
	RmlStability s;

	for (int i = 0; i < MOST * 3; i++)
		x[i] = uniform(5, i, 0);
	unit_equal_string(rml_cluster_stability(env, &params, &rows, 3, &s), NULL, "uniform rows");
	unit_ok(unit_env_peak(env) <= rml_cluster_stability_bytes(&params, &rows.shape, MOST, 1),
			"memory is as announced");
	unit_equal_int((int64_t) unit_env_in_use(env), 0, "and all of it given back");
	unit_env_reset(env);
	for (int64_t at = 1; at < 2000; at += 399)
	{
		unit_env_cancel_after(env, at);
		unit_ok(UNIT_ESCAPES(env, rml_cluster_stability(env, &params, &rows, 20, &s)),
				"cancelled at poll %lld", (long long) at);
		unit_env_cancel_after(env, 0);
		unit_env_reset(env);
	}
	for (int i = 0; i < MOST * 3; i++)
		x[i] = i % 2;
	unit_contains(rml_cluster_stability(env, &params, &rows, 3, &s), "only 2 rows are distinct",
				  "fewer distinct rows than k");
	unit_env_free(env);
}

int
main(void)
{
	test_noise();
	test_blobs();
	test_separation();
	test_categories();
	test_threads();
	test_limits();
	return unit_done();
}
