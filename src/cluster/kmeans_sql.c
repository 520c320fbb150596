/*
 * kmeans_sql.c
 *	  kmeans_fit, kmeans_predict, kmeans_distance, kmeans_centroids and the window function kmeans.
 */
#include "postgres.h"

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "retailml/agg_sql.h"
#include "retailml/env_sql.h"
#include "retailml/kmeans_sql.h"
#include "retailml/model_sql.h"
#include "retailml/options_sql.h"

PG_FUNCTION_INFO_V1(rml_kmeans_window);
PG_FUNCTION_INFO_V1(rml_kmeans_sql_predict);
PG_FUNCTION_INFO_V1(rml_kmeans_sql_distance);
PG_FUNCTION_INFO_V1(rml_kmeans_sql_centroids);

/* ---- fit ---- */

void
rml_kmeans_parse_options(RmlEnv *env, RmlKmeansParams *params, Jsonb *options,
						 const RmlOptionSet *row_options)
{
	const RmlOptionSet sets[] = {*row_options, {rml_kmeans_options, rml_kmeans_n_options, params}};

	rml_options_parse(env, rml_pg_env_function(env), options, sets, 2);
}

int
rml_cluster_k(RmlEnv *env, Datum parameter)
{
	int k = DatumGetInt32(parameter);

	if (k < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s: k is %d but must be at least 1", rml_pg_env_function(env), k)));
	return k;
}

void
rml_cluster_k_range(const char *function, const Datum *parameters, int *k_min, int *k_max)
{
	*k_min = DatumGetInt32(parameters[0]);
	*k_max = DatumGetInt32(parameters[1]);
	if (*k_min < 1 || *k_max < *k_min || *k_max - *k_min >= RML_MAX_SWEEP)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: cannot sweep k from %d to %d", function, *k_min, *k_max),
				 errhint("k_min must be at least 1, k_max at least k_min, and a sweep has at most "
						 "%d steps.",
						 RML_MAX_SWEEP)));
}

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	RmlKmeansParams *params = RML_NEW_ZERO(env, RmlKmeansParams, 1);

	rml_kmeans_parse_options(env, params, options, row_options);
	params->k = rml_cluster_k(env, parameters[0]);
	return params;
}

static size_t
bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	return rml_kmeans_bytes(params, n, d_num, threads);
}

int
rml_cluster_order_slot(const RmlFit *fit, const char *name)
{
	StringInfoData names;

	if (name == NULL)
		return -1;
	initStringInfo(&names);
	for (int i = 0; i < fit->schema.n_features; i++)
	{
		const RmlFeature *feature = &fit->schema.features[i];

		if (feature->kind == RML_CATEGORICAL)
			continue;
		if (strcmp(feature->name, name) == 0)
			return feature->slot;
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", feature->name);
	}
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
					errmsg("option \"order_by\" of %s names \"%s\", which is not a numeric feature",
						   fit->function, name),
					names.len > 0 ? errhint("The numeric features are: %s.", names.data)
								  : errhint("There are no numeric features.")));
	return -1;
}

static void
run(RmlFit *fit, RmlKmeans *kmeans, int32_t *labels)
{
	const RmlKmeansParams *params = fit->params;
	const RmlMatrix *matrix = &fit->matrix;
	int slot = rml_cluster_order_slot(fit, params->order_by);

	rml_refuse(fit->function, rml_kmeans_check(fit->env, params, matrix->n, matrix->d_num));
	rml_refuse(fit->function, rml_kmeans_fit(fit->env, params, matrix->numbers, matrix->n,
											 matrix->d_num, kmeans, labels));
	rml_kmeans_sort(fit->env, kmeans, labels, matrix->n, slot);
}

static Datum
fit_model(RmlFit *fit)
{
	RmlKmeans kmeans;

	run(fit, &kmeans, NULL);
	return rml_fit_model(fit, &rml_kmeans_algorithm, &kmeans);
}

static void
label_rows(RmlFit *fit, int32_t *labels)
{
	RmlKmeans kmeans;

	run(fit, &kmeans, labels);
	for (int64_t i = 0; i < fit->matrix.n; i++)
		labels[i]++;
}

static const RmlFitSpec fit_spec = {
	.function = "kmeans_fit",
	.n_parameters = 1,
	.parameter_names = {"k"},
	.scales = true,
	.clusters = true,
	.begin = begin,
	.bytes = bytes,
	.fit = fit_model,
};

static const RmlFitSpec window_spec = {
	.function = "kmeans",
	.n_parameters = 1,
	.parameter_names = {"k"},
	.scales = true,
	.clusters = true,
	.begin = begin,
	.bytes = bytes,
	.label = label_rows,
};

RML_FIT_FUNCTIONS(kmeans_fit, fit_spec);

Datum
rml_kmeans_window(PG_FUNCTION_ARGS)
{
	return rml_window_label(fcinfo, &window_spec);
}

/* ---- scoring ---- */

Datum
rml_kmeans_sql_predict(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, RML_ALGORITHM_KMEANS);
	const RmlKmeans *kmeans;

	if (scorer == NULL)
		PG_RETURN_NULL();
	kmeans = scorer->model.fitted;
	PG_RETURN_INT32(kmeans->ids.numbers[rml_kmeans_predict(kmeans, scorer->numbers, NULL)]);
}

Datum
rml_kmeans_sql_distance(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, RML_ALGORITHM_KMEANS);
	double distance;

	if (scorer == NULL)
		PG_RETURN_NULL();
	rml_kmeans_predict(scorer->model.fitted, scorer->numbers, &distance);
	PG_RETURN_FLOAT8(distance);
}

/* cluster, size, feature, value */
#define CENTROID_COLUMNS 4

Datum
rml_kmeans_sql_centroids(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const RmlModel *model;
	const RmlKmeans *kmeans;
	const int32_t *order;

	InitMaterializedSRF(fcinfo, 0);
	model = rml_model_argument(fcinfo, 0, RML_ALGORITHM_KMEANS);
	kmeans = model->fitted;
	order = rml_segment_ids_order(&kmeans->ids, model->env, kmeans->k);
	for (int64_t i = 0; i < kmeans->k; i++)
		for (int j = 0; j < kmeans->d; j++)
		{
			int32_t c = order[i];
			Datum values[CENTROID_COLUMNS];
			bool nulls[CENTROID_COLUMNS] = {false};
			double centre = kmeans->centroids[(int64_t) c * kmeans->d + j];

			CHECK_FOR_INTERRUPTS();
			values[0] = Int32GetDatum(kmeans->ids.numbers[c]);
			values[1] = Int64GetDatum(kmeans->sizes[c]);
			values[2] = CStringGetTextDatum(rml_schema_number(&model->schema, j)->name);
			values[3] = Float8GetDatum(rml_schema_restore(&model->schema, j, centre));
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	return (Datum) 0;
}
