/*
 * cluster_stability_sql.c
 *	  The aggregates cluster_stability and hopkins.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

#include "retailml/agg_sql.h"
#include "retailml/cluster_stability.h"
#include "retailml/env_sql.h"
#include "retailml/hopkins.h"
#include "retailml/kmeans_sql.h"
#include "retailml/kprototypes.h"
#include "retailml/options_sql.h"

/* ---- cluster_stability ---- */

typedef enum Method
{
	METHOD_AUTO,
	METHOD_KMEANS,
	METHOD_KPROTOTYPES
} Method;

static const char *const method_names[] = {"auto", "kmeans", "kprototypes", NULL};

typedef struct StabilityParams
{
	int64_t k;
	int64_t method;
	int64_t resamples;
	double gamma;
	int64_t n_init;
	int64_t max_iter;
	double tol;
	int64_t seed;
} StabilityParams;

static const RmlOption stability_options[] = {
	RML_CHOICE_OPTION(StabilityParams, method, METHOD_AUTO, method_names),
	RML_INT_OPTION(StabilityParams, resamples, 20, 2, 1000),
	RML_AUTO_OPTION(StabilityParams, gamma, 0, 1e12),
	RML_INT_OPTION(StabilityParams, n_init, 10, 1, 1000),
	RML_INT_OPTION(StabilityParams, max_iter, 300, 1, 100000),
	RML_FLOAT_OPTION(StabilityParams, tol, 1e-4, 0, 1e6),
	RML_SEED_OPTION(StabilityParams),
};

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	StabilityParams *params = RML_NEW_ZERO(env, StabilityParams, 1);
	const RmlOptionSet sets[] = {*row_options,
								 {stability_options, lengthof(stability_options), params}};

	rml_options_parse(env, rml_pg_env_function(env), options, sets, 2);
	params->k = rml_cluster_k(env, parameters[0]);
	return params;
}

static RmlKmeansParams
kmeans_params(const StabilityParams *params, bool prototypes)
{
	return (RmlKmeansParams){.k = params->k,
							 .init = prototypes ? RML_KMEANS_CAO : RML_KMEANS_PLUSPLUS,
							 .n_init = params->n_init,
							 .max_iter = params->max_iter,
							 .tol = params->tol,
							 .seed = params->seed};
}

static size_t
stability_bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	const RmlKmeansShape shape = {d_num, d_cat, d_cat};
	const RmlKmeansParams kmeans = kmeans_params(params, d_cat > 0);

	return rml_cluster_stability_bytes(&kmeans, &shape, n, threads);
}

/* is it k-prototypes?  What the options say must fit the columns */
static bool
uses_prototypes(const RmlFit *fit, const StabilityParams *params)
{
	const RmlSchema *schema = &fit->schema;

	if (params->method == METHOD_AUTO)
		return schema->d_cat > 0;
	if (params->method == METHOD_KMEANS && schema->d_cat > 0)
		for (int i = 0; i < schema->n_features; i++)
			if (schema->features[i].kind == RML_CATEGORICAL)
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("%s: column \"%s\" holds categories, which method \"kmeans\" does "
								"not take",
								fit->function, schema->features[i].name),
						 errhint("Leave it out with the option \"exclude\", or use method "
								 "\"kprototypes\".")));
	return params->method == METHOD_KPROTOTYPES;
}

/* the fields of the type retailml.cluster_stability */
#define STABILITY_COLUMNS 13

static void
set_number(Datum *values, bool *nulls, int column, double number)
{
	values[column] = Float8GetDatum(number);
	nulls[column] = isnan(number);
}

static Datum
stability_row(const RmlFit *fit, const RmlStability *s, const StabilityParams *params,
			  bool prototypes)
{
	TupleDesc descriptor = lookup_rowtype_tupdesc(fit->result_type, -1);
	Datum values[STABILITY_COLUMNS];
	bool nulls[STABILITY_COLUMNS] = {false};
	Datum row;

	values[0] = CStringGetTextDatum(method_names[prototypes ? METHOD_KPROTOTYPES : METHOD_KMEANS]);
	values[1] = Int32GetDatum((int32) params->k);
	values[2] = Int64GetDatum(s->rows);
	values[3] = Int32GetDatum((int32) params->resamples);
	set_number(values, nulls, 4, s->mean_ari);
	set_number(values, nulls, 5, s->min_ari);
	set_number(values, nulls, 6, s->best_share);
	set_number(values, nulls, 7, s->gain);
	set_number(values, nulls, 8, s->gain_z);
	set_number(values, nulls, 9, s->separation);
	set_number(values, nulls, 10, s->separation_z);
	values[11] = Int32GetDatum((int32) s->structure_k);
	nulls[11] = s->structure_k == 0;
	values[12] = CStringGetTextDatum(rml_verdict_names[s->verdict]);
	row = HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
	ReleaseTupleDesc(descriptor);
	return row;
}

static Datum
judge_rows(RmlFit *fit)
{
	const StabilityParams *params = fit->params;
	const bool prototypes = uses_prototypes(fit, params);
	const RmlKmeansParams kmeans = kmeans_params(params, prototypes);
	const RmlSchema *schema = &fit->schema;
	RmlKmeansRows rows;
	RmlStability stability;

	rml_refuse(fit->function,
			   rml_kmeans_check(fit->env, &kmeans, fit->matrix.n, schema->d_num + schema->d_cat));
	rml_kprototypes_rows(fit->env, schema, &fit->matrix, params->gamma, &rows);
	rml_pg_env_check_room(fit->env, rml_cluster_stability_bytes(&kmeans, &rows.shape, rows.n,
																fit->env->threads));
	rml_refuse(fit->function, rml_cluster_stability(fit->env, &kmeans, &rows,
													(int) params->resamples, &stability));
	return stability_row(fit, &stability, params, prototypes);
}

static const RmlFitSpec stability_spec = {
	.function = "cluster_stability",
	.n_parameters = 1,
	.parameter_names = {"k"},
	.scales = true,
	.categories = true,
	.begin = begin,
	.bytes = stability_bytes,
	.fit = judge_rows,
};

RML_FIT_FUNCTIONS(cluster_stability, stability_spec);

/* ---- hopkins ---- */

typedef struct HopkinsParams
{
	int64_t seed;
} HopkinsParams;

static const RmlOption hopkins_options[] = {RML_SEED_OPTION(HopkinsParams)};

static void *
begin_hopkins(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	HopkinsParams *params = RML_NEW_ZERO(env, HopkinsParams, 1);
	const RmlOptionSet sets[] = {*row_options,
								 {hopkins_options, lengthof(hopkins_options), params}};

	rml_options_parse(env, rml_pg_env_function(env), options, sets, 2);
	return params;
}

static size_t
hopkins_bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	return rml_hopkins_bytes(n, d_num);
}

static Datum
hopkins_rows(RmlFit *fit)
{
	const HopkinsParams *params = fit->params;
	double statistic = rml_hopkins(fit->env, fit->matrix.numbers, fit->matrix.n, fit->matrix.d_num,
								   (uint64_t) params->seed);

	fit->is_null = isnan(statistic);
	return Float8GetDatum(statistic);
}

static const RmlFitSpec hopkins_spec = {
	.function = "hopkins",
	.scales = true,
	.begin = begin_hopkins,
	.bytes = hopkins_bytes,
	.fit = hopkins_rows,
};

RML_FIT_FUNCTIONS(hopkins, hopkins_spec);
