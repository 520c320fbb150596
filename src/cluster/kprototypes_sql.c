/*
 * kprototypes_sql.c
 *	  kprototypes_fit, _predict, _distance, _centroids, the window function kprototypes, and
 *	  kprototypes_sweep.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "retailml/agg_sql.h"
#include "retailml/elbow.h"
#include "retailml/env_sql.h"
#include "retailml/kmeans_sql.h"
#include "retailml/kprototypes.h"
#include "retailml/model_sql.h"
#include "retailml/options_sql.h"

PG_FUNCTION_INFO_V1(rml_kprototypes_window);
PG_FUNCTION_INFO_V1(rml_kprototypes_sql_predict);
PG_FUNCTION_INFO_V1(rml_kprototypes_sql_distance);
PG_FUNCTION_INFO_V1(rml_kprototypes_sql_centroids);

/* ---- fit ---- */

static void
parse_options(RmlEnv *env, RmlKprototypesParams *params, Jsonb *options,
			  const RmlOptionSet *row_options)
{
	const RmlOptionSet sets[] = {*row_options,
								 {rml_kprototypes_options, rml_kprototypes_n_options, params}};

	rml_options_parse(env, rml_pg_env_function(env), options, sets, 2);
}

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	RmlKprototypesParams *params = RML_NEW_ZERO(env, RmlKprototypesParams, 1);

	parse_options(env, params, options, row_options);
	params->k = rml_cluster_k(env, parameters[0]);
	return params;
}

/* params may be those of a sweep, which begin with those of its fits */
static double
category_weight(const void *params, const RmlSchema *schema)
{
	return rml_kprototypes_gamma(((const RmlKprototypesParams *) params)->gamma, schema);
}

/* how many categories there are is not known yet: fit_prototypes asks again */
static size_t
bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	return rml_kprototypes_bytes(params, n, d_num, d_cat, d_cat, threads);
}

static const char *
fit_prototypes(RmlFit *fit, const RmlKprototypesParams *params, RmlKprototypes *model,
			   int32_t *labels)
{
	const RmlSchema *schema = &fit->schema;

	rml_pg_env_check_room(fit->env,
						  rml_kprototypes_bytes(params, fit->matrix.n, schema->d_num, schema->d_cat,
												rml_category_places(schema), fit->env->threads));
	return rml_kprototypes_fit(fit->env, params, schema, &fit->matrix,
							   rml_cluster_order_slot(fit, params->order_by), model, labels);
}

static void
run(RmlFit *fit, RmlKprototypes *model, int32_t *labels)
{
	const RmlKprototypesParams *params = fit->params;

	rml_refuse(fit->function, rml_kprototypes_check(fit->env, params, fit->matrix.n, &fit->schema));
	rml_refuse(fit->function, fit_prototypes(fit, params, model, labels));
}

static Datum
fit_model(RmlFit *fit)
{
	RmlKprototypes model;

	run(fit, &model, NULL);
	return rml_fit_model(fit, &rml_kprototypes_algorithm, &model);
}

static void
label_rows(RmlFit *fit, int32_t *labels)
{
	RmlKprototypes model;

	run(fit, &model, labels);
	for (int64_t i = 0; i < fit->matrix.n; i++)
		labels[i] = model.prototypes.ids.numbers[labels[i]];
}

static const RmlFitSpec fit_spec = {
	.function = "kprototypes_fit",
	.n_parameters = 1,
	.parameter_names = {"k"},
	.scales = true,
	.categories = true,
	.clusters = true,
	.category_weight = category_weight,
	.begin = begin,
	.bytes = bytes,
	.fit = fit_model,
};

static const RmlFitSpec window_spec = {
	.function = "kprototypes",
	.n_parameters = 1,
	.parameter_names = {"k"},
	.scales = true,
	.categories = true,
	.clusters = true,
	.category_weight = category_weight,
	.begin = begin,
	.bytes = bytes,
	.label = label_rows,
};

RML_FIT_FUNCTIONS(kprototypes_fit, fit_spec);

Datum
rml_kprototypes_window(PG_FUNCTION_ARGS)
{
	return rml_window_label(fcinfo, &window_spec);
}

/* ---- sweep ---- */

typedef struct SweepParams
{
	RmlKprototypesParams step; /* k changes from fit to fit */
	int k_min;
	int k_max;
} SweepParams;

static void *
begin_sweep(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	SweepParams *params = RML_NEW_ZERO(env, SweepParams, 1);

	parse_options(env, &params->step, options, row_options);
	rml_cluster_k_range("kprototypes_sweep", parameters, &params->k_min, &params->k_max);
	return params;
}

static size_t
sweep_bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	RmlKprototypesParams largest = ((const SweepParams *) params)->step;

	largest.k = ((const SweepParams *) params)->k_max;
	return bytes(&largest, n, d_num, d_cat, threads);
}

/* costs [k_max - k_min + 1] of each k that the rows allow; returns how many these are */
static int
sweep_costs(RmlFit *fit, double *k, double *cost)
{
	const SweepParams *params = fit->params;
	RmlKprototypesParams step = params->step;
	int n = 0;

	for (step.k = params->k_min; step.k <= params->k_max; step.k++, n++)
	{
		RmlKprototypes model;

		if (rml_kprototypes_check(fit->env, &step, fit->matrix.n, &fit->schema) != NULL ||
			fit_prototypes(fit, &step, &model, NULL) != NULL)
		{
			ereport(NOTICE, (errmsg("kprototypes_sweep stops before k = %d: there are not that "
									"many distinct rows",
									(int) step.k)));
			break;
		}
		k[n] = (double) step.k;
		cost[n] = model.prototypes.inertia;
	}
	return n;
}

/* k, cost, is_elbow */
#define CHOICE_COLUMNS 3

static Datum
fit_sweep(RmlFit *fit)
{
	double k[RML_MAX_SWEEP] = {0}, cost[RML_MAX_SWEEP] = {0};
	int n = sweep_costs(fit, k, cost);
	int elbow = rml_elbow(k, cost, n);
	Oid type = get_element_type(fit->result_type);
	TupleDesc descriptor = lookup_rowtype_tupdesc(type, -1);
	Datum choices[RML_MAX_SWEEP];

	for (int i = 0; i < n; i++)
	{
		Datum values[CHOICE_COLUMNS] = {Int32GetDatum((int32) k[i]), Float8GetDatum(cost[i]),
										BoolGetDatum(i == elbow)};
		bool nulls[CHOICE_COLUMNS] = {false};

		choices[i] = HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
	}
	ReleaseTupleDesc(descriptor);
	return PointerGetDatum(construct_array(choices, n, type, -1, false, TYPALIGN_DOUBLE));
}

static const RmlFitSpec sweep_spec = {
	.function = "kprototypes_sweep",
	.n_parameters = 2,
	.parameter_names = {"k_min", "k_max"},
	.scales = true,
	.categories = true,
	.clusters = true,
	.category_weight = category_weight,
	.begin = begin_sweep,
	.bytes = sweep_bytes,
	.fit = fit_sweep,
};

RML_FIT_FUNCTIONS(kprototypes_sweep, sweep_spec);

/* ---- scoring ---- */

Datum
rml_kprototypes_sql_predict(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, RML_ALGORITHM_KPROTOTYPES);
	const RmlKprototypes *model;

	if (scorer == NULL)
		PG_RETURN_NULL();
	model = scorer->model.fitted;
	PG_RETURN_INT32(model->prototypes.ids.numbers[rml_kprototypes_predict(model, scorer->numbers,
																		  scorer->codes, NULL)]);
}

Datum
rml_kprototypes_sql_distance(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, RML_ALGORITHM_KPROTOTYPES);
	double distance;

	if (scorer == NULL)
		PG_RETURN_NULL();
	rml_kprototypes_predict(scorer->model.fitted, scorer->numbers, scorer->codes, &distance);
	PG_RETURN_FLOAT8(distance);
}

/* ---- centroids ---- */

/* cluster, size, feature, value, category, share */
#define CENTROID_COLUMNS 6

/* one cluster's part of the table */
typedef struct ClusterRows
{
	ReturnSetInfo *result;
	const RmlModel *model;
	const RmlKprototypes *fitted;
	int32_t cluster; /* position */
} ClusterRows;

static void
put_row(const ClusterRows *rows, const RmlFeature *feature, Datum value, const char *category,
		double share)
{
	const RmlKmeans *prototypes = &rows->fitted->prototypes;
	bool numeric = category == NULL;
	Datum values[CENTROID_COLUMNS] = {
		Int32GetDatum(prototypes->ids.numbers[rows->cluster]),
		Int64GetDatum(prototypes->sizes[rows->cluster]),
		CStringGetTextDatum(feature->name),
		value,
		numeric ? (Datum) 0 : CStringGetTextDatum(category),
		Float8GetDatum(share),
	};
	bool nulls[CENTROID_COLUMNS] = {false, false, false, !numeric, numeric, numeric};

	tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values, nulls);
}

typedef struct CodeCount
{
	int64_t count;
	int32_t code;
} CodeCount;

/* most frequent first, ties by code, as the mode is chosen */
static int
compare_counts(const void *a, const void *b)
{
	const CodeCount *p = a, *q = b;

	if (p->count != q->count)
		return p->count > q->count ? -1 : 1;
	return p->code - q->code;
}

static void
put_categories(const ClusterRows *rows, const RmlFeature *feature)
{
	const RmlKprototypes *fitted = rows->fitted;
	int64 place = rml_category_place(&rows->model->schema, feature->slot);
	const int64_t *counts = fitted->counts + rows->cluster * fitted->n_codes + place;
	int64_t size = fitted->prototypes.sizes[rows->cluster];
	CodeCount *sorted = palloc(sizeof(CodeCount) * (feature->n_categories + 1));

	for (int32_t code = 0; code <= feature->n_categories; code++)
		sorted[code] = (CodeCount){counts[code], code};
	qsort(sorted, feature->n_categories + 1, sizeof(CodeCount), compare_counts);
	for (int32_t i = 0; i <= feature->n_categories; i++)
	{
		int32_t code = sorted[i].code;

		if (code > 0 || feature->n_missing > 0)
			put_row(rows, feature, (Datum) 0,
					code == 0 ? "(missing)" : feature->categories[code - 1],
					size > 0 ? (double) sorted[i].count / (double) size : 0.0);
	}
	pfree(sorted);
}

Datum
rml_kprototypes_sql_centroids(PG_FUNCTION_ARGS)
{
	ClusterRows rows = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	const RmlKmeans *prototypes;
	const RmlSchema *schema;
	const int32_t *order;

	InitMaterializedSRF(fcinfo, 0);
	rows.model = rml_model_argument(fcinfo, 0, RML_ALGORITHM_KPROTOTYPES);
	rows.fitted = rows.model->fitted;
	schema = &rows.model->schema;
	prototypes = &rows.fitted->prototypes;
	order = rml_segment_ids_order(&prototypes->ids, rows.model->env, prototypes->k);
	for (int64_t i = 0; i < prototypes->k; i++)
		for (int f = 0; f < schema->n_features; f++)
		{
			const RmlFeature *feature = &schema->features[f];
			const double *centroid;

			CHECK_FOR_INTERRUPTS();
			rows.cluster = order[i];
			centroid = prototypes->centroids + (int64) rows.cluster * prototypes->d;
			if (feature->kind == RML_CATEGORICAL)
				put_categories(&rows, feature);
			else
				put_row(&rows, feature,
						Float8GetDatum(
							rml_schema_restore(schema, feature->slot, centroid[feature->slot])),
						NULL, 0.0);
		}
	return (Datum) 0;
}
