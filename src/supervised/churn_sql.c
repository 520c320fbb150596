/*
 * churn_sql.c
 *	  churn_fit, churn_predict, churn_risk, churn_explain.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "retailml/churn.h"
#include "retailml/env_sql.h"
#include "retailml/explain.h"
#include "retailml/explain_sql.h"
#include "retailml/model_sql.h"
#include "retailml/options_sql.h"
#include "retailml/product_sql.h"

PG_FUNCTION_INFO_V1(rml_churn_sql_predict);
PG_FUNCTION_INFO_V1(rml_churn_sql_risk);
PG_FUNCTION_INFO_V1(rml_churn_sql_explain);

/* ---- fit ---- */

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	RmlChurnParams *params = RML_NEW_ZERO(env, RmlChurnParams, 1);
	const RmlOptionSet sets[] = {
		*row_options, {rml_churn_algorithm.options, rml_churn_algorithm.n_options, params}};

	rml_options_parse(env, rml_pg_env_function(env), options, sets, lengthof(sets));
	return params;
}

static void
roles(const void *params, RmlRoles *roles)
{
	rml_product_roles(params, ((const RmlChurnParams *) params)->group, roles);
}

static Datum
fit_churn(RmlFit *fit)
{
	const RmlChurnParams *params = fit->params;
	RmlProductRows rows;
	RmlPrepared prepared;
	RmlChurn model;

	rml_fit_product_rows(fit, &params->common, true, params->folds, &rows);
	rml_refuse(fit->function, rml_churn_check(params, &rows.raw.target));
	rml_pg_env_check_room(fit->env, rml_churn_bytes(fit->env, params, &rows));
	rml_refuse(fit->function, rml_churn_fit(fit->env, params, &rows, &prepared, &model));
	return rml_fit_product_model(fit, &rml_churn_algorithm, &model, &prepared);
}

RML_SUPERVISED_FUNCTIONS(churn_fit, "churn_fit", true, begin, roles, fit_churn);

/* ---- scoring ---- */

static double
probability(const RmlScorer *scorer)
{
	return rml_churn_predict(scorer->model.fitted, scorer->numbers, scorer->codes);
}

Datum
rml_churn_sql_predict(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, RML_ALGORITHM_CHURN);

	if (scorer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(probability(scorer));
}

Datum
rml_churn_sql_risk(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, RML_ALGORITHM_CHURN);

	if (scorer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(
		rml_churn_bands[rml_churn_band(scorer->model.fitted, probability(scorer))]));
}

/* ---- reasons ---- */

/* probability, risk, then three pairs of reason and contribution */
#define REASONS 3
#define EXPLAIN_COLUMNS (2 + 2 * REASONS)

/* "recency_days = 210", with six digits of a number: it is to be read */
static Datum
reason_text(const RmlScorer *scorer, int feature, const char *value)
{
	const RmlFeature *described = &scorer->model.schema.features[feature];

	if (value == NULL)
		return CStringGetTextDatum(psprintf("%s is missing", described->name));
	if (described->kind == RML_NUMERIC)
		value = psprintf("%.6g", scorer->numbers[described->slot]);
	return CStringGetTextDatum(psprintf("%s = %s", described->name, value));
}

/* the largest contributions towards leaving: what speaks for staying is no reason to leave */
static void
put_reasons(RmlScorer *scorer, Datum row, Datum *values, bool *nulls)
{
	RmlModel *model = &scorer->model;
	int n = model->schema.n_features;
	char **texts = rml_row_texts(scorer, row);
	RmlExplanation explanation = {.contributions = palloc(sizeof(double) * Max(n, 1)),
								  .order = palloc(sizeof(int32_t) * Max(n, 1))};

	rml_explain_row(model, scorer->numbers, scorer->codes, 1, &explanation);
	for (int column = 2; column < EXPLAIN_COLUMNS; column++)
		nulls[column] = true;
	for (int i = 0, column = 2; i < n && column < EXPLAIN_COLUMNS; i++)
	{
		int feature = explanation.order[i];

		if (explanation.contributions[feature] <= 0.0)
			continue;
		values[column] = reason_text(scorer, feature, texts[feature]);
		values[column + 1] = Float8GetDatum(explanation.contributions[feature]);
		nulls[column] = nulls[column + 1] = false;
		column += 2;
	}
}

Datum
rml_churn_sql_explain(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, RML_ALGORITHM_CHURN);
	Datum values[EXPLAIN_COLUMNS] = {0};
	bool nulls[EXPLAIN_COLUMNS] = {false};
	TupleDesc descriptor;
	double p;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("churn_explain returns a row, which is not accepted here")));
	if (scorer == NULL)
		PG_RETURN_NULL();
	p = probability(scorer);
	values[0] = Float8GetDatum(p);
	values[1] = CStringGetTextDatum(rml_churn_bands[rml_churn_band(scorer->model.fitted, p)]);
	put_reasons(scorer, PG_GETARG_DATUM(1), values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}
