/*
 * rfecv_sql.c
 *	  rfecv: a row for each number of features.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "retailml/env_sql.h"
#include "retailml/options_sql.h"
#include "retailml/rfecv.h"
#include "retailml/tuning_sql.h"

/* n_features, metric, mean, sd, dropped, features, selected */
#define RESULT_COLUMNS 7

typedef struct Params
{
	RmlTuningParams tuning;
	double step;
	int64_t min_features;
	int64_t one_se;
} Params;

static const RmlOption options_table[] = {
	RML_TUNING_OPTIONS(Params, RML_LEARNER_FOREST),
	RML_FLOAT_OPTION(Params, step, 0.2, 0.001, 10000),
	RML_INT_OPTION(Params, min_features, 1, 1, 10000),
	RML_BOOL_OPTION(Params, one_se, true),
};

typedef struct Result
{
	const RmlFit *fit;
	const RmlRfecvStep *steps;
	RmlMetric metric;
} Result;

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	Params *params = RML_NEW_ZERO(env, Params, 1);
	const RmlOptionSet own = {options_table, lengthof(options_table), params};

	rml_tuning_begin(env, options, row_options, &own);
	return params;
}

static Datum
name_array(const Datum *names, int n)
{
	return PointerGetDatum(construct_array((Datum *) names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
dropped_names(const RmlFit *fit, const RmlRfecvStep *step)
{
	Datum *names = palloc(sizeof(Datum) * Max(step->n_dropped, 1));

	for (int i = 0; i < step->n_dropped; i++)
		names[i] = CStringGetTextDatum(fit->columns[step->dropped[i]].name);
	return name_array(names, step->n_dropped);
}

static Datum
feature_names(const RmlFit *fit, const RmlRfecvStep *step)
{
	Datum *names = palloc(sizeof(Datum) * Max(step->n_features, 1));
	int n = 0;

	for (int i = 0; i < fit->schema.n_features; i++)
		if (step->features[i])
			names[n++] = CStringGetTextDatum(fit->columns[i].name);
	return name_array(names, n);
}

static void
fill_step(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const Result *result = context;
	const RmlRfecvStep *step = &result->steps[i];

	values[0] = Int32GetDatum(step->n_features);
	values[1] = CStringGetTextDatum(rml_metric_names[result->metric]);
	rml_put_number(step->mean, &values[2], &nulls[2]);
	rml_put_number(step->sd, &values[3], &nulls[3]);
	values[4] = dropped_names(result->fit, step);
	values[5] = feature_names(result->fit, step);
	values[6] = BoolGetDatum(step->selected);
}

static void
check_learner(const RmlFit *fit, const RmlLearner *learner)
{
	if (learner->algorithm->importance == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s: models of %s do not say what their features are worth",
							   fit->function, learner->algorithm->name)));
	if (fit->schema.n_features == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s: there are no features to choose from", fit->function)));
}

static Datum
run(RmlFit *fit)
{
	const Params *params = fit->params;
	const RmlGridCell *cell = &params->tuning.cells[0];
	RmlRfecvParams rfecv = {.step = params->step,
							.min_features = params->min_features,
							.one_se = params->one_se};
	Result result = {.fit = fit};
	RmlProductRows rows;
	RmlValidation validation;
	RmlFoldFailure failure;
	RmlRfecvStep *steps;
	int n;

	check_learner(fit, cell->learner);
	rml_tuning_rows(fit, &params->tuning, &rows, &validation, &rfecv.metric);
	n = rml_rfecv_sizes(&rfecv, fit->schema.n_features);
	steps = RML_NEW_ZERO(fit->env, RmlRfecvStep, (size_t) n);
	rml_pg_env_check_room(fit->env, rml_rfecv_bytes(&validation, cell->learner, cell->params,
													&rfecv, fit->env->threads));
	rml_rfecv(fit->env, &validation, cell->learner, cell->params, &rfecv, steps, &failure);
	rml_tuning_refuse(fit, &failure, cell->learner->algorithm->name);
	result.steps = steps;
	result.metric = rfecv.metric;
	return rml_fit_array(fit, n, RESULT_COLUMNS, fill_step, &result);
}

RML_SUPERVISED_FUNCTIONS(rfecv, "rfecv", true, begin, rml_tuning_roles, run);
