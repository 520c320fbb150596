/*
 * test_cluster_metrics.c
 *	  Against scikit-learn (test/golden/cluster_metrics.py), against the definition written down
 *	  naively, and what must hold at the edges.
 */
#include "unit.h"

#include <math.h>

#include "retailml/cluster_metrics.h"

typedef struct Rows
{
	int64_t n;
	int d;
	int k;
	double *x;       /* [n x d] */
	int32_t *labels; /* [n] */
} Rows;

static Rows
new_rows(int64_t n, int d, int k)
{
	Rows rows = {.n = n, .d = d, .k = k};

	rows.x = malloc(sizeof(double) * (size_t) (n * d));
	rows.labels = malloc(sizeof(int32_t) * (size_t) n);
	return rows;
}

static void
free_rows(Rows *rows)
{
	free(rows->x);
	free(rows->labels);
}

static double
uniform(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (double) (*state >> 11) * 0x1.0p-53;
}

/* the rows of cluster_metrics.py, to the bit */
static Rows
formula_rows(int64_t n, int d, int k, double offset, int noise, int singletons)
{
	Rows rows = new_rows(n, d, k);
	uint64_t state = 1;

	for (int64_t i = 0; i < n; i++)
	{
		double v = uniform(&state);
		int label = i < singletons ? (int) (k - 1 - i) : (int) (v * v * k);

		if (i >= singletons && label > k - 1 - singletons)
			label = k - 1 - singletons;
		for (int f = 0; f < d; f++)
		{
			double sum = uniform(&state);

			sum += uniform(&state);
			sum += uniform(&state);
			rows.x[i * d + f] =
				offset + (label * (f + 3) * 5 % 7 + (double) (int) (sum * 0x1.0p20) * 0x1.0p-20);
		}
		rows.labels[i] = noise > 0 && i % noise == noise - 1 ? -1 : label;
	}
	return rows;
}

/* features, then a text for the cluster in the last column */
static Rows
file_rows(const UnitCsv *csv)
{
	Rows rows = new_rows((int64_t) csv->rows, (int) csv->columns - 1, 0);
	const char *seen[32];

	for (size_t i = 0; i < csv->rows; i++)
	{
		const char *const *cells = (const char *const *) csv->cells + i * csv->columns;
		int label = 0;

		for (int f = 0; f < rows.d; f++)
			rows.x[i * (size_t) rows.d + (size_t) f] = strtod(cells[f], NULL);
		while (label < rows.k && strcmp(seen[label], cells[rows.d]) != 0)
			label++;
		if (label == rows.k)
			seen[rows.k++] = cells[rows.d];
		rows.labels[i] = label;
	}
	return rows;
}

static void
check_metrics(RmlEnv *env, const Rows *r, const UnitCsv *golden, size_t row)
{
	const char *name = unit_csv_text(golden, row, "name");

	unit_near(rml_silhouette(env, r->x, r->n, r->d, r->labels, r->k, NULL),
			  unit_csv_number(golden, row, "silhouette"), 1e-12, "%s: silhouette", name);
	unit_near(rml_davies_bouldin(env, r->x, r->n, r->d, r->labels, r->k),
			  unit_csv_number(golden, row, "davies_bouldin"), 1e-12, "%s: Davies-Bouldin", name);
	unit_near(rml_calinski_harabasz(env, r->x, r->n, r->d, r->labels, r->k),
			  unit_csv_number(golden, row, "calinski_harabasz"), 1e-12, "%s: Calinski-Harabasz",
			  name);
}

/* silhouettes of single rows, where the golden table has them */
static void
check_rows(RmlEnv *env, const Rows *r, const UnitCsv *golden, const char *name)
{
	double *got = malloc(sizeof(double) * (size_t) r->n);
	double *wanted = malloc(sizeof(double) * (size_t) r->n);
	int64_t found = 0;

	for (size_t i = 0; i < golden->rows; i++)
		if (strcmp(unit_csv_text(golden, i, "name"), name) == 0)
			wanted[found++] = unit_csv_number(golden, i, "silhouette");
	if (found > 0)
	{
		rml_silhouette(env, r->x, r->n, r->d, r->labels, r->k, got);
		unit_equal_int(found, r->n, "%s: golden rows", name);
		unit_near_array(got, wanted, (size_t) found, 1e-12, "%s: silhouette of each row", name);
	}
	free(got);
	free(wanted);
}

static Rows
golden_rows(const UnitCsv *golden, size_t row)
{
	return formula_rows((int64_t) unit_csv_number(golden, row, "n"),
						(int) unit_csv_number(golden, row, "d"),
						(int) unit_csv_number(golden, row, "k"),
						unit_csv_number(golden, row, "offset"),
						(int) unit_csv_number(golden, row, "noise"),
						(int) unit_csv_number(golden, row, "singletons"));
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("cluster_metrics.csv");
	UnitCsv *golden_each = unit_golden("cluster_metrics_rows.csv");

	for (size_t row = 0; golden != NULL && golden_each != NULL && row < golden->rows; row++)
	{
		const char *file = unit_csv_text(golden, row, "file");
		UnitCsv *data = *file != '\0' ? unit_data(file, 3) : NULL;
		Rows rows;

		if (*file != '\0' && data == NULL)
			continue;
		rows = data != NULL ? file_rows(data) : golden_rows(golden, row);
		check_metrics(env, &rows, golden, row);
		check_rows(env, &rows, golden_each, unit_csv_text(golden, row, "name"));
		free_rows(&rows);
		if (data != NULL)
			unit_csv_free(data);
	}
	if (golden != NULL)
		unit_csv_free(golden);
	if (golden_each != NULL)
		unit_csv_free(golden_each);
}

static double
distance(const Rows *r, int64_t i, int64_t j)
{
	double square = 0;

	for (int f = 0; f < r->d; f++)
		square += pow(r->x[i * r->d + f] - r->x[j * r->d + f], 2);
	return sqrt(square);
}

/* Rousseeuw's definition, one row */
static double
naive_silhouette(const Rows *r, int64_t i)
{
	double *sums = calloc((size_t) r->k, sizeof(double));
	int64_t *sizes = calloc((size_t) r->k, sizeof(int64_t));
	double a, b = INFINITY;

	for (int64_t j = 0; j < r->n; j++)
	{
		sums[r->labels[j]] += distance(r, i, j);
		sizes[r->labels[j]]++;
	}
	a = sums[r->labels[i]] / (double) (sizes[r->labels[i]] - 1);
	for (int c = 0; c < r->k; c++)
		if (c != r->labels[i] && sizes[c] > 0)
			b = fmin(b, sums[c] / (double) sizes[c]);
	b = sizes[r->labels[i]] == 1 ? 0 : (b - a) / fmax(a, b);
	free(sums);
	free(sizes);
	return b;
}

/* sizes that need several slabs (many features) and several groups of tiles (many clusters) */
static void
test_naive(RmlEnv *env)
{
	const int shapes[][3] = {{300, 1600, 3}, {2000, 1, 1500}, {33, 2, 2}, {32, 2, 2}, {3, 1, 2}};

	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
	{
		Rows r = formula_rows(shapes[s][0], shapes[s][1], shapes[s][2], 0, 0, 0);
		double *got = malloc(sizeof(double) * (size_t) r.n);
		double *wanted = malloc(sizeof(double) * (size_t) r.n);
		double sum = 0;

		for (int64_t i = 0; i < r.n; i++)
		{
			wanted[i] = naive_silhouette(&r, i);
			sum += wanted[i];
		}
		unit_near(rml_silhouette(env, r.x, r.n, r.d, r.labels, r.k, got), sum / (double) r.n, 1e-12,
				  "%d x %d in %d clusters: the definition", (int) r.n, r.d, r.k);
		unit_near_array(got, wanted, (size_t) r.n, 1e-12, "and every row");
		free(got);
		free(wanted);
		free_rows(&r);
	}
}

static void
test_many(RmlEnv *env, RmlEnv *one_thread)
{
	Rows r = formula_rows(700, 3, 5, 0, 0, 0);
	int32_t *labels[4];
	int k[4] = {2, 1, 9, 700};
	double got[4], serial[4];

	for (int l = 0; l < 4; l++)
	{
		labels[l] = malloc(sizeof(int32_t) * (size_t) r.n);
		for (int64_t i = 0; i < r.n; i++)
			labels[l][i] = (int32_t) (i * i % k[l]) - (l == 2 && i % 5 == 0);
	}
	rml_silhouette_many(env, r.x, r.n, r.d, (const int32_t *const *) labels, k, 4, got);
	rml_silhouette_many(one_thread, r.x, r.n, r.d, (const int32_t *const *) labels, k, 4, serial);
	unit_equal_bytes(got, serial, sizeof(got), "many labelings: the same bits on 1 and 2 threads");
	for (int l = 0; l < 4; l++)
	{
		double alone = rml_silhouette(env, r.x, r.n, r.d, labels[l], k[l], NULL);

		unit_ok(got[l] == alone || (isnan(got[l]) && isnan(alone)),
				"labeling %d among many is what it is alone", l);
	}
	unit_ok(isnan(got[1]) && isfinite(got[2]), "an undefined one does not touch the others");
	for (int l = 0; l < 4; l++)
		free(labels[l]);
	free_rows(&r);
}

static void
test_threads(RmlEnv *env, RmlEnv *one_thread)
{
	Rows r = formula_rows(5000, 200, 6, 0, 13, 2);
	double got[2], serial[2];

	got[0] = rml_davies_bouldin(env, r.x, r.n, r.d, r.labels, r.k);
	got[1] = rml_calinski_harabasz(env, r.x, r.n, r.d, r.labels, r.k);
	serial[0] = rml_davies_bouldin(one_thread, r.x, r.n, r.d, r.labels, r.k);
	serial[1] = rml_calinski_harabasz(one_thread, r.x, r.n, r.d, r.labels, r.k);
	unit_equal_bytes(got, serial, sizeof(got), "linear metrics: the same bits on 1 and 2 threads");
	unit_equal_int(rml_noise_count(r.labels, r.n), 5000 / 13, "noise is counted");
	free_rows(&r);
}

/* all three at once */
static void
metrics_of(RmlEnv *env, const double *x, int64_t n, int d, const int32_t *labels, int k,
		   double metrics[3])
{
	metrics[0] = rml_silhouette(env, x, n, d, labels, k, NULL);
	metrics[1] = rml_davies_bouldin(env, x, n, d, labels, k);
	metrics[2] = rml_calinski_harabasz(env, x, n, d, labels, k);
}

static void
test_undefined(RmlEnv *env)
{
	const double x[] = {1, 2, 3, 4};
	const double nan[] = {NAN, NAN, NAN};
	const int32_t labels[][4] = {{0, 0, 0, 0}, {0, 1, 2, 3}, {-1, -1, -1, -1}, {-1, 1, 0, -1}};
	const char *const what[] = {"one cluster", "as many clusters as rows", "only noise",
								"as many clusters as rows without noise"};
	double got[3], rows[4];

	for (int l = 0; l < 4; l++)
	{
		metrics_of(env, x, 4, 1, labels[l], 4, got);
		unit_near_array(got, nan, 3, 0, "undefined: %s", what[l]);
		rml_silhouette(env, x, 4, 1, labels[l], 4, rows);
		unit_ok(isnan(rows[1]) && isnan(rows[2]), "and for every row");
	}
	metrics_of(env, x, 0, 1, labels[0], 0, got);
	unit_near_array(got, nan, 3, 0, "undefined: no row, no cluster");
	metrics_of(env, x, 1, 1, labels[0], 1, got);
	unit_near_array(got, nan, 3, 0, "undefined: one row");
}

static void
test_degenerate(RmlEnv *env)
{
	const double same[] = {5, 5, 5, 5};
	const double apart[] = {1, 1, 4, 4};
	const double around[] = {-1, 1, -3, 3};
	const int32_t labels[] = {0, 0, 2, 2};
	double got[3], wanted[3];

	metrics_of(env, same, 4, 1, labels, 3, got);
	unit_near_array(got, (const double[]){0, INFINITY, NAN}, 3, 0, "all rows equal");
	metrics_of(env, apart, 4, 1, labels, 3, got);
	unit_near_array(got, (const double[]){1, 0, INFINITY}, 3, 0, "rows equal within clusters");
	/* a = 2 and 6; b = 3 for all: s = 1/3 and -1/2 */
	metrics_of(env, around, 4, 1, labels, 3, got);
	unit_near_array(got, (const double[]){-1.0 / 12, INFINITY, 0}, 3, 1e-15,
					"clusters around the same centroid");
	metrics_of(env, around, 4, 1, (const int32_t[]){0, 0, 1, 1}, 2, wanted);
	unit_equal_bytes(got, wanted, sizeof(got), "a number that no row has is no cluster");
	metrics_of(env, NULL, 4, 0, labels, 3, got);
	unit_near_array(got, (const double[]){0, INFINITY, NAN}, 3, 0, "no features");
}

/* powers of two change no digit, unless squares leave the range of float8 */
static void
test_scale(RmlEnv *env)
{
	const int exponents[] = {100, -100, 600, -600, 1019, -990};
	Rows r = formula_rows(200, 3, 4, 0, 0, 0);
	double *x = malloc(sizeof(double) * (size_t) (r.n * r.d));
	double wanted[3], got[3];

	metrics_of(env, r.x, r.n, r.d, r.labels, r.k, wanted);
	for (size_t e = 0; e < sizeof(exponents) / sizeof(exponents[0]); e++)
	{
		for (int64_t i = 0; i < r.n * r.d; i++)
			x[i] = ldexp(r.x[i], exponents[e]);
		metrics_of(env, x, r.n, r.d, r.labels, r.k, got);
		unit_equal_bytes(got, wanted, sizeof(got), "rows times 2^%d: the same bits", exponents[e]);
	}
	free(x);
	free_rows(&r);
}

static void
test_environment(void)
{
	RmlEnv *env = unit_env(2);
	Rows r = formula_rows(5000, 3, 5, 0, 0, 0);
	const int32_t *labels[2] = {r.labels, r.labels};
	const int k[2] = {5, 5};
	double got[2];

	rml_silhouette_many(env, r.x, r.n, r.d, labels, k, 2, got);
	unit_equal_int((int64_t) unit_env_peak(env), (int64_t) rml_silhouette_bytes(r.n, r.d, k, 2, 2),
				   "memory as announced");
	(void) rml_davies_bouldin(env, r.x, r.n, r.d, r.labels, r.k);
	(void) rml_calinski_harabasz(env, r.x, r.n, r.d, r.labels, r.k);
	unit_equal_int((int64_t) unit_env_in_use(env), 0, "all memory is given back");
	unit_env_cancel_after(env, 3);
	unit_ok(UNIT_ESCAPES(env, rml_silhouette_many(env, r.x, r.n, r.d, labels, k, 2, got)),
			"a silhouette can be cancelled");
	free_rows(&r);
	unit_env_free(env);
}

int
main(void)
{
	RmlEnv *env = unit_env(2);
	RmlEnv *one_thread = unit_env(1);

	test_golden(env);
	test_naive(env);
	test_many(env, one_thread);
	test_threads(env, one_thread);
	test_undefined(env);
	test_degenerate(env);
	test_scale(env);
	test_environment();
	unit_env_free(env);
	unit_env_free(one_thread);
	return unit_done();
}
