/*
 * cluster_compare_sql.c
 *	  The aggregate cluster_compare.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "retailml/agg_sql.h"
#include "retailml/cluster_compare.h"
#include "retailml/env_sql.h"
#include "retailml/kmeans_sql.h"
#include "retailml/options_sql.h"

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	RmlCompareParams *params = RML_NEW_ZERO(env, RmlCompareParams, 1);
	const RmlOptionSet sets[] = {*row_options,
								 {rml_compare_options, rml_compare_n_options, params}};

	rml_options_parse(env, rml_pg_env_function(env), options, sets, 2);
	rml_cluster_k_range("cluster_compare", parameters, &params->k_min, &params->k_max);
	return params;
}

static size_t
bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	return rml_cluster_compare_bytes(params, n, d_num, d_cat, d_cat, threads);
}

/* method, space, k, cost, silhouette, davies_bouldin, calinski_harabasz, is_elbow, is_best */
#define COMPARISON_COLUMNS 9

static Datum
comparison_row(const RmlComparison *one, TupleDesc descriptor)
{
	const RmlClusterReport *report = &one->report;
	Datum values[COMPARISON_COLUMNS] = {
		CStringGetTextDatum(one->prototypes ? "kprototypes" : "kmeans"),
		CStringGetTextDatum(one->standardized ? "standardized" : "raw"),
		Int32GetDatum(one->k),
		Float8GetDatum(one->cost),
		Float8GetDatum(report->silhouette),
		Float8GetDatum(report->davies_bouldin),
		Float8GetDatum(report->calinski_harabasz),
		BoolGetDatum(one->is_elbow),
		BoolGetDatum(one->is_best),
	};
	bool nulls[COMPARISON_COLUMNS] = {false};

	nulls[4] = isnan(report->silhouette);
	nulls[5] = isnan(report->davies_bouldin);
	nulls[6] = isnan(report->calinski_harabasz);
	return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

static Datum
compare_rows(RmlFit *fit)
{
	const RmlCompareParams *params = fit->params;
	const RmlSchema *schema = &fit->schema;
	size_t most = (size_t) RML_COMPARE_WAYS * (size_t) (params->k_max - params->k_min + 1);
	RmlComparison *comparisons = RML_NEW_ZERO(fit->env, RmlComparison, most);
	Datum *rows = palloc(sizeof(Datum) * most);
	Oid type = get_element_type(fit->result_type);
	TupleDesc descriptor = lookup_rowtype_tupdesc(type, -1);
	int n;

	rml_pg_env_check_room(
		fit->env, rml_cluster_compare_bytes(params, fit->matrix.n, schema->d_num, schema->d_cat,
											rml_category_places(schema), fit->env->threads));
	n = rml_cluster_compare(fit->env, params, schema, &fit->matrix, comparisons);
	for (int i = 0; i < n; i++)
		rows[i] = comparison_row(comparisons + i, descriptor);
	ReleaseTupleDesc(descriptor);
	return PointerGetDatum(construct_array(rows, n, type, -1, false, TYPALIGN_DOUBLE));
}

static const RmlFitSpec compare_spec = {
	.function = "cluster_compare",
	.n_parameters = 2,
	.parameter_names = {"k_min", "k_max"},
	.categories = true,
	.begin = begin,
	.bytes = bytes,
	.fit = compare_rows,
};

RML_FIT_FUNCTIONS(cluster_compare, compare_spec);
