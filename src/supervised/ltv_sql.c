/*
 * ltv_sql.c
 *	  ltv_fit, ltv_predict.
 */
#include "postgres.h"

#include "retailml/env_sql.h"
#include "retailml/ltv.h"
#include "retailml/model_sql.h"
#include "retailml/options_sql.h"
#include "retailml/product_sql.h"

PG_FUNCTION_INFO_V1(rml_ltv_sql_predict);

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	RmlLtvParams *params = RML_NEW_ZERO(env, RmlLtvParams, 1);
	const RmlOptionSet sets[] = {*row_options,
								 {rml_ltv_algorithm.options, rml_ltv_algorithm.n_options, params}};

	rml_options_parse(env, rml_pg_env_function(env), options, sets, lengthof(sets));
	return params;
}

static void
roles(const void *params, RmlRoles *roles)
{
	rml_product_roles(params, ((const RmlLtvParams *) params)->group, roles);
}

static Datum
fit_ltv(RmlFit *fit)
{
	const RmlLtvParams *params = fit->params;
	RmlProductRows rows;
	RmlPrepared prepared;
	RmlLtv *model;

	rml_fit_product_rows(fit, &params->common, false, params->folds, &rows);
	rml_pg_env_check_room(fit->env, rml_ltv_bytes(fit->env, params, &rows));
	rml_refuse(fit->function, rml_ltv_fit(fit->env, params, &rows, &prepared, &model));
	return rml_fit_product_model(fit, &rml_ltv_algorithm, model, &prepared);
}

RML_SUPERVISED_FUNCTIONS(ltv_fit, "ltv_fit", true, begin, roles, fit_ltv);

Datum
rml_ltv_sql_predict(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, RML_ALGORITHM_LTV);

	if (scorer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(
		scorer->model.algorithm->predict(scorer->model.fitted, scorer->numbers, scorer->codes));
}
