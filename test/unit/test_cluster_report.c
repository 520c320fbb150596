/*
 * test_cluster_report.c
 *	  Metrics of labels from anywhere, over rows with categories too: against scikit-learn over
 *	  Gower distances that numpy computed (test/golden/cluster_report.py), against the definition.
 */
#include "unit.h"

#include <math.h>

#include "retailml/cluster_metrics.h"
#include "retailml/rng.h"

typedef struct Table
{
	RmlMetricRows rows;
	double *numbers;
	int32_t *codes;
	int32_t *labels; /* [n] */
	double *wanted;  /* [n] golden silhouettes */
} Table;

static void
new_table(Table *t, int64_t n, int d_num, int d_cat)
{
	t->numbers = malloc(sizeof(double) * (size_t) (n * d_num) + 1);
	t->codes = malloc(sizeof(int32_t) * (size_t) (n * d_cat) + 1);
	t->labels = malloc(sizeof(int32_t) * (size_t) n);
	t->wanted = malloc(sizeof(double) * (size_t) n);
	t->rows = (RmlMetricRows){
		.n = n, .d_num = d_num, .d_cat = d_cat, .numbers = t->numbers, .codes = t->codes};
}

static void
free_table(Table *t)
{
	free(t->numbers);
	free(t->codes);
	free(t->labels);
	free(t->wanted);
}

static void
standardize(Table *t)
{
	const int64_t n = t->rows.n, d = t->rows.d_num;

	for (int64_t f = 0; f < d; f++)
	{
		double mean = 0, square = 0;

		for (int64_t i = 0; i < n; i++)
			mean += t->numbers[i * d + f] / (double) n;
		for (int64_t i = 0; i < n; i++)
			square += pow(t->numbers[i * d + f] - mean, 2) / (double) n;
		for (int64_t i = 0; i < n; i++)
			t->numbers[i * d + f] = (t->numbers[i * d + f] - mean) / sqrt(square);
	}
}

/* the rows of one case of the golden table */
static void
golden_table(const UnitCsv *csv, const char *name, Table *t)
{
	bool numbers = strcmp(name, "categories") != 0;
	bool texts = strcmp(name, "numbers") != 0 && strcmp(name, "raw") != 0;
	int64_t n = 0;

	for (size_t i = 0; i < csv->rows; i++)
		n += strcmp(unit_csv_text(csv, i, "name"), name) == 0;
	new_table(t, n, numbers ? 2 : 0, texts ? 2 : 0);
	n = 0;
	for (size_t i = 0; i < csv->rows; i++)
	{
		if (strcmp(unit_csv_text(csv, i, "name"), name) != 0)
			continue;
		t->labels[n] = (int32_t) unit_csv_number(csv, i, "label");
		t->wanted[n] = unit_csv_number(csv, i, "silhouette");
		for (int f = 0; numbers && f < 2; f++)
			t->numbers[2 * n + f] = unit_csv_number(csv, i, f == 0 ? "x" : "y");
		for (int f = 0; texts && f < 2; f++)
			t->codes[2 * n + f] = unit_csv_text(csv, i, f == 0 ? "c" : "e")[0];
		n++;
	}
	if (strcmp(name, "raw") != 0)
		standardize(t);
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("cluster_report.csv");
	UnitCsv *rows = unit_golden("cluster_report_rows.csv");

	for (size_t i = 0; golden != NULL && rows != NULL && i < golden->rows; i++)
	{
		const char *name = unit_csv_text(golden, i, "name");
		RmlClusterReport report;
		double *each;
		Table t;
		int k;

		golden_table(rows, name, &t);
		k = rml_labels_compact(env, t.labels, t.rows.n);
		rml_cluster_report(env, &t.rows, t.labels, k, &report);
		unit_equal_int(report.clusters, (int64_t) unit_csv_number(golden, i, "clusters"),
					   "%s: clusters", name);
		unit_near(report.noise_share, unit_csv_number(golden, i, "noise_share"), 1e-15, "%s: noise",
				  name);
		unit_near(report.silhouette, unit_csv_number(golden, i, "silhouette"), 1e-12,
				  "%s: silhouette", name);
		unit_near(report.davies_bouldin, unit_csv_number(golden, i, "davies_bouldin"), 1e-12,
				  "%s: Davies-Bouldin", name);
		unit_near(report.calinski_harabasz, unit_csv_number(golden, i, "calinski_harabasz"), 1e-12,
				  "%s: Calinski-Harabasz", name);
		unit_ok(report.rows == t.rows.n && report.silhouette_exact, "%s: all rows", name);
		each = malloc(sizeof(double) * (size_t) t.rows.n);
		rml_silhouette_mixed(env, &t.rows, t.rows.n, t.rows.n, t.labels, k, each);
		unit_near_array(each, t.wanted, (size_t) t.rows.n, 1e-12, "%s: each row", name);
		free(each);
		free_table(&t);
	}
	if (golden != NULL)
		unit_csv_free(golden);
	if (rows != NULL)
		unit_csv_free(rows);
}

static void
random_table(Table *t, int64_t n, int d_num, int d_cat, int k)
{
	new_table(t, n, d_num, d_cat);
	for (int64_t i = 0; i < n; i++)
	{
		t->labels[i] = (int32_t) rml_rng_below(1, 1, (uint64_t) i, (uint64_t) k);
		for (int f = 0; f < d_num; f++)
			t->numbers[i * d_num + f] =
				t->labels[i] + rml_rng_normal(1, 2, (uint64_t) (i * d_num + f));
		for (int f = 0; f < d_cat; f++)
			t->codes[i * d_cat + f] =
				(int32_t) rml_rng_below(1, 3, (uint64_t) (i * d_cat + f), (uint64_t) (k + f));
	}
}

static double
naive_distance(const Table *t, const double *range, int64_t i, int64_t j)
{
	const int d_num = t->rows.d_num, d_cat = t->rows.d_cat;
	double sum = 0;

	for (int f = 0; f < d_num; f++)
		sum += fabs(t->numbers[i * d_num + f] - t->numbers[j * d_num + f]) / range[f];
	for (int f = 0; f < d_cat; f++)
		sum += t->codes[i * d_cat + f] != t->codes[j * d_cat + f];
	return sum / (d_num + d_cat);
}

/* the definition, with the references in place of all rows */
static double
naive_silhouette(const Table *t, const double *range, int64_t references, int k, int64_t i)
{
	double *sums = calloc((size_t) k, sizeof(double));
	double *counts = calloc((size_t) k, sizeof(double));
	double a, b = INFINITY;

	for (int64_t j = 0; j < references; j++)
		if (j != i)
		{
			sums[t->labels[j]] += naive_distance(t, range, i, j);
			counts[t->labels[j]]++;
		}
	a = sums[t->labels[i]] / counts[t->labels[i]];
	for (int c = 0; c < k; c++)
		if (c != t->labels[i] && counts[c] > 0)
			b = fmin(b, sums[c] / counts[c]);
	free(sums);
	free(counts);
	return (b - a) / fmax(a, b);
}

/* a sample of references, and a cluster none of whose rows is among them */
static void
test_references(RmlEnv *env, RmlEnv *one_thread)
{
	const int64_t n = 3000, references = 1000;
	double range[2], *got = malloc(sizeof(double) * (size_t) n);
	double *serial = malloc(sizeof(double) * (size_t) n);
	Table t;

	random_table(&t, n, 2, 3, 4);
	for (int f = 0; f < 2; f++)
	{
		double low = INFINITY, high = -INFINITY;

		for (int64_t i = 0; i < n; i++)
		{
			low = fmin(low, t.numbers[2 * i + f]);
			high = fmax(high, t.numbers[2 * i + f]);
		}
		range[f] = high - low;
	}
	t.labels[n - 1] = 4; /* alone */
	t.labels[n - 2] = 5; /* two that meet no row of theirs */
	t.labels[n - 3] = 5;
	t.labels[n - 4] = -1;
	for (int64_t i = 0; i < n - 4; i++)
		t.wanted[i] = naive_silhouette(&t, range, references, 6, i);
	rml_silhouette_mixed(env, &t.rows, n, references, t.labels, 6, got);
	rml_silhouette_mixed(one_thread, &t.rows, n, references, t.labels, 6, serial);
	unit_near_array(got, t.wanted, (size_t) n - 4, 1e-12, "a sample: the definition");
	unit_equal_bytes(got, serial, sizeof(double) * (size_t) n, "on 1 and 2 threads");
	unit_near(got[n - 1], 0, 0, "a cluster of one row");
	unit_ok(isnan(got[n - 2]) && isnan(got[n - 3]), "a cluster the sample does not hold");
	unit_ok(isnan(got[n - 4]), "noise");
	free(got);
	free(serial);
	free_table(&t);
}

static void
test_compact(RmlEnv *env)
{
	int32_t labels[] = {7, INT32_MAX, -5, 7, 0, INT32_MIN, 100};
	const int32_t wanted[] = {1, 3, -1, 1, 0, -1, 2};
	int32_t noise[] = {-1, -2};

	unit_equal_int(rml_labels_compact(env, labels, 7), 4, "distinct labels");
	unit_equal_bytes(labels, wanted, sizeof labels, "numbered in their order, noise apart");
	unit_equal_int(rml_labels_compact(env, noise, 2), 0, "nothing but noise");
}

/* above the bound a sample, within the memory that was announced, and cancellable */
static void
check_large(RmlEnv *env, int64_t n, int d_num, int d_cat, int clusters)
{
	RmlClusterReport report;
	Table t;
	int k;

	random_table(&t, n, d_num, d_cat, clusters);
	unit_env_reset(env);
	unit_env_limit(env, rml_cluster_report_bytes(n, d_num, d_cat, clusters, 2));
	k = rml_labels_compact(env, t.labels, n);
	rml_cluster_report(env, &t.rows, t.labels, k, &report);
	unit_ok(!report.silhouette_exact && report.silhouette_rows == RML_SILHOUETTE_ROWS,
			"%d clusters: a sample, in the memory announced", clusters);
	unit_env_limit(env, (size_t) 8 << 30);
	unit_env_cancel_after(env, 3);
	unit_ok(UNIT_ESCAPES(env, rml_cluster_report(env, &t.rows, t.labels, k, &report)), "cancelled");
	unit_env_cancel_after(env, 0);
	free_table(&t);
}

int
main(void)
{
	RmlEnv *env = unit_env(2), *one_thread = unit_env(1);

	test_golden(env);
	test_references(env, one_thread);
	test_compact(env);
	check_large(env, 12000, 3, 0, 5);
	check_large(env, 12000, 2, 2, 5);
	check_large(env, 12000, 2, 1, 9000);
	unit_env_free(env);
	unit_env_free(one_thread);
	return unit_done();
}
