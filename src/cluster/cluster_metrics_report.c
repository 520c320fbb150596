/*
 * cluster_metrics_report.c
 *	  All metrics of a clustering at once, for labels that came from anywhere.
 */
#include <math.h>
#include <string.h>

#include "retailml/sort.h"

#include "cluster_metrics_internal.h"

#define POLL_ROWS 65536

/* distinct values of sorted [n], moved to the front; returns their number */
static int
keep_distinct(double *sorted, int64_t n)
{
	int k = 0;

	for (int64_t i = 0; i < n; i++)
		if (k == 0 || sorted[i] != sorted[k - 1])
			sorted[k++] = sorted[i];
	return k;
}

static int32_t
position(const double *sorted, int k, double value)
{
	int low = 0, high = k - 1;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (sorted[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
rml_labels_compact(RmlEnv *env, int32_t *labels, int64_t n)
{
	double *sorted = RML_NEW(env, double, (size_t) n);
	int64_t count = 0;
	int k;

	for (int64_t i = 0; i < n; i++)
		if (labels[i] >= 0)
			sorted[count++] = labels[i];
	rml_sort_doubles(env, sorted, count);
	k = keep_distinct(sorted, count);
	for (int64_t i = 0; i < n; i++)
	{
		labels[i] = labels[i] < 0 ? -1 : position(sorted, k, labels[i]);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	rml_release(env, sorted);
	return k;
}

/* the silhouette of the first rows, whose clusters are numbered anew: there may be far fewer */
static void
report_silhouette(RmlEnv *env, const RmlMetricRows *rows, const int32_t *labels,
				  RmlClusterReport *report)
{
	int64_t sample = rml_metrics_min(rows->n, RML_SILHOUETTE_ROWS);
	int32_t *own = RML_NEW(env, int32_t, (size_t) sample);
	int k;

	memcpy(own, labels, sizeof(int32_t) * (size_t) sample);
	k = rml_labels_compact(env, own, sample);
	report->silhouette = rml_silhouette_mixed(env, rows, sample, sample, own, k, NULL);
	report->silhouette_rows = sample - rml_noise_count(own, sample);
	report->silhouette_exact = sample == rows->n;
	rml_release(env, own);
}

void
rml_cluster_report(RmlEnv *env, const RmlMetricRows *rows, const int32_t *labels, int k,
				   RmlClusterReport *report)
{
	const int d = rows->d_num;

	report->clusters = k;
	report->rows = rows->n;
	report->noise_share = (double) rml_noise_count(labels, rows->n) / (double) rows->n;
	report->davies_bouldin = report->calinski_harabasz = NAN;
	if (d > 0)
	{
		report->davies_bouldin = rml_davies_bouldin(env, rows->numbers, rows->n, d, labels, k);
		report->calinski_harabasz =
			rml_calinski_harabasz(env, rows->numbers, rows->n, d, labels, k);
	}
	report_silhouette(env, rows, labels, report);
}

size_t
rml_cluster_report_bytes(int64_t n, int d_num, int d_cat, int64_t k, int threads)
{
	int64_t sample = rml_metrics_min(n, RML_SILHOUETTE_ROWS);
	int sample_k = (int) rml_metrics_min(k, sample);
	/* the sort of the labels and its scratch; afterwards it is gone */
	size_t compact = 2 * sizeof(double) * (size_t) n;
	size_t silhouette = sizeof(int32_t) * (size_t) sample +
						rml_silhouette_mixed_bytes(sample, sample, d_num, d_cat, sample_k, threads);
	size_t dispersion = rml_dispersion_bytes(n, d_num, k, threads);
	size_t largest = compact > silhouette ? compact : silhouette;

	return largest > dispersion ? largest : dispersion;
}
