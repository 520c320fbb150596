/*
 * cluster_metrics_sql.c
 *	  cluster_metrics and the window function silhouette.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/typcache.h"

#include "retailml/agg_sql.h"
#include "retailml/cluster_metrics.h"
#include "retailml/env_sql.h"
#include "retailml/options_sql.h"

PG_FUNCTION_INFO_V1(rml_silhouette_window);

#define METRIC_COLUMNS 8

/* there are no options but those of the row */
static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	rml_options_parse(env, rml_pg_env_function(env), options, row_options, 1);
	return rml_alloc(env, 0);
}

/* how many clusters there are is not known yet: the fits ask again */
static size_t
metrics_bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	return rml_cluster_report_bytes(n, d_num, d_cat, 2, threads);
}

static size_t
silhouette_bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	return rml_silhouette_mixed_bytes(n, Min(n, RML_SILHOUETTE_ROWS), d_num, d_cat, 2, threads);
}

static RmlMetricRows
metric_rows(const RmlFit *fit)
{
	return (RmlMetricRows){.n = fit->matrix.n,
						   .d_num = fit->matrix.d_num,
						   .d_cat = fit->matrix.d_cat,
						   .numbers = fit->matrix.numbers,
						   .codes = fit->matrix.codes};
}

static Datum
report_datum(const RmlClusterReport *report, Oid type)
{
	TupleDesc descriptor = lookup_rowtype_tupdesc(type, -1);
	Datum values[METRIC_COLUMNS];
	bool nulls[METRIC_COLUMNS] = {false};
	HeapTuple tuple;

	values[0] = Int32GetDatum((int32) report->clusters);
	values[1] = Int64GetDatum(report->rows);
	values[2] = Float8GetDatum(report->noise_share);
	values[3] = Float8GetDatum(report->silhouette);
	nulls[3] = isnan(report->silhouette);
	values[4] = Float8GetDatum(report->davies_bouldin);
	nulls[4] = isnan(report->davies_bouldin);
	values[5] = Float8GetDatum(report->calinski_harabasz);
	nulls[5] = isnan(report->calinski_harabasz);
	values[6] = Int64GetDatum(report->silhouette_rows);
	values[7] = BoolGetDatum(report->silhouette_exact);
	tuple = heap_form_tuple(descriptor, values, nulls);
	ReleaseTupleDesc(descriptor);
	return HeapTupleGetDatum(tuple);
}

static Datum
report_metrics(RmlFit *fit)
{
	const RmlMetricRows rows = metric_rows(fit);
	int k = rml_labels_compact(fit->env, fit->labels, rows.n);
	RmlClusterReport report;

	rml_pg_env_check_room(fit->env, rml_cluster_report_bytes(rows.n, rows.d_num, rows.d_cat, k,
															 fit->env->threads));
	rml_cluster_report(fit->env, &rows, fit->labels, k, &report);
	return report_datum(&report, fit->result_type);
}

static void
score_rows(RmlFit *fit, double *scores)
{
	const RmlMetricRows rows = metric_rows(fit);
	int64_t references = Min(rows.n, RML_SILHOUETTE_ROWS);
	int k = rml_labels_compact(fit->env, fit->labels, rows.n);

	rml_pg_env_check_room(fit->env, rml_silhouette_mixed_bytes(rows.n, references, rows.d_num,
															   rows.d_cat, k, fit->env->threads));
	rml_silhouette_mixed(fit->env, &rows, rows.n, references, fit->labels, k, scores);
}

static const RmlFitSpec metrics_spec = {
	.function = "cluster_metrics",
	.label_name = "label",
	.scales = true,
	.categories = true,
	.begin = begin,
	.bytes = metrics_bytes,
	.fit = report_metrics,
};

static const RmlFitSpec silhouette_spec = {
	.function = "silhouette",
	.label_name = "label",
	.scales = true,
	.categories = true,
	.begin = begin,
	.bytes = silhouette_bytes,
	.score = score_rows,
};

RML_FIT_FUNCTIONS(cluster_metrics, metrics_spec);

Datum
rml_silhouette_window(PG_FUNCTION_ARGS)
{
	return rml_window_score(fcinfo, &silhouette_spec);
}
