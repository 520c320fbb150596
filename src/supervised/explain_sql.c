/*
 * explain_sql.c
 *	  predict_proba, predict_explain, model_classes, model_importance.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "retailml/explain.h"
#include "retailml/explain_sql.h"
#include "retailml/model_sql.h"

PG_FUNCTION_INFO_V1(rml_predict_proba);
PG_FUNCTION_INFO_V1(rml_predict_explain);
PG_FUNCTION_INFO_V1(rml_model_classes);
PG_FUNCTION_INFO_V1(rml_model_importance);

/* ---- what the functions need ---- */

static void
require_supervised(FunctionCallInfo fcinfo, const RmlModel *model, bool able)
{
	if (!model->algorithm->supervised || !able)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs a model that predicts a label, this one is of %s",
						get_func_name(fcinfo->flinfo->fn_oid), model->algorithm->name),
				 errhint("Such models are made by linreg_fit, logreg_fit, tree_fit, forest_fit "
						 "and boost_fit.")));
}

static const RmlTarget *
require_classifier(FunctionCallInfo fcinfo, const RmlModel *model)
{
	require_supervised(fcinfo, model, true);
	if (rml_model_target(model)->task != RML_CLASSIFICATION || model->algorithm->proba == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs a model of classes, this one predicts the number \"%s\"",
						get_func_name(fcinfo->flinfo->fn_oid), rml_model_target(model)->name),
				 errhint("predict(model, row) gives the number.")));
	return rml_model_target(model);
}

static const char *
list_classes(const RmlTarget *target)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int k = 0; k < target->n_classes; k++)
		appendStringInfo(&list, "%s\"%s\"", k > 0 ? ", " : "", target->classes[k]);
	return list.data;
}

/* the class in an argument */
static int
class_argument(FunctionCallInfo fcinfo, int argument, const RmlTarget *target)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	int class_number = rml_target_class(target, name);

	if (target->task != RML_CLASSIFICATION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model that predicts the number \"%s\" has no class \"%s\"",
							   target->name, name),
						errhint("Leave the class out.")));
	if (class_number < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the model has no class \"%s\"", name),
						errhint("Its classes are: %s.", list_classes(target))));
	return class_number;
}

/* ---- classes ---- */

Datum
rml_model_classes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const RmlTarget *target;

	InitMaterializedSRF(fcinfo, 0);
	target = require_classifier(fcinfo, rml_model_argument(fcinfo, 0, 0));
	for (int k = 0; k < target->n_classes; k++)
	{
		Datum values[] = {Int32GetDatum(k + 1), CStringGetTextDatum(target->classes[k]),
						  Int64GetDatum(target->counts[k])};
		bool nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
rml_predict_proba(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_model(fcinfo, 0);
	const RmlModel *model = &scorer->model;
	int n = require_classifier(fcinfo, model)->n_classes;
	double *probabilities;
	Datum *datums;

	if (rml_scorer_row(fcinfo, 0) == NULL)
		PG_RETURN_NULL();
	probabilities = palloc(sizeof(double) * n);
	datums = palloc(sizeof(Datum) * n);
	model->algorithm->proba(model->fitted, scorer->numbers, scorer->codes, probabilities);
	for (int k = 0; k < n; k++)
		datums[k] = Float8GetDatum(probabilities[k]);
	PG_RETURN_ARRAYTYPE_P(
		construct_array(datums, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* ---- one prediction ---- */

/* feature, value, contribution */
#define EXPLAIN_COLUMNS 3

static char *
output_text(Datum value, Oid type)
{
	Oid function;
	bool varlena;
	char *text;

	getTypeOutputInfo(type, &function, &varlena);
	text = OidOutputFunctionCall(function, value);
	/* NaN of any numeric type */
	return strcmp(text, "NaN") == 0 ? NULL : text;
}

static void
record_texts(const RmlBinding *binding, Datum row, char **texts)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);

	for (int i = 0; i < binding->n_columns; i++)
	{
		int attribute = binding->columns[i].attribute;
		Oid type = TupleDescAttr(binding->tupdesc, attribute)->atttypid;
		bool null;
		Datum value = GetAttributeByNum(header, attribute + 1, &null);

		texts[i] = null ? NULL : output_text(value, type);
	}
}

static void
array_texts(Datum row, char **texts)
{
	Datum *values;
	bool *nulls;
	int n;

	deconstruct_array(DatumGetArrayTypeP(row), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
		texts[i] = nulls[i] ? NULL : output_text(values[i], FLOAT8OID);
}

/* a category of which the model knows nothing has a contribution all the same: the reader is to know */
static void
mark_unseen(const RmlScorer *scorer, char **texts)
{
	const RmlSchema *schema = &scorer->model.schema;

	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		if (feature->kind == RML_CATEGORICAL && texts[i] != NULL &&
			scorer->codes[feature->slot] > feature->n_categories)
			texts[i] = psprintf("%s (not seen in training)", texts[i]);
	}
}

char **
rml_row_texts(const RmlScorer *scorer, Datum row)
{
	char **texts = palloc0(sizeof(char *) * Max(scorer->model.schema.n_features, 1));

	if (scorer->binding.is_array)
		array_texts(row, texts);
	else
		record_texts(&scorer->binding, row, texts);
	mark_unseen(scorer, texts);
	return texts;
}

static void
put_contribution(ReturnSetInfo *result, const char *feature, const char *value, double contribution)
{
	Datum values[EXPLAIN_COLUMNS] = {0};
	bool nulls[EXPLAIN_COLUMNS] = {false, value == NULL, false};

	values[0] = CStringGetTextDatum(feature);
	if (value != NULL)
		values[1] = CStringGetTextDatum(value);
	values[2] = Float8GetDatum(contribution);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
put_explanation(ReturnSetInfo *result, const RmlScorer *scorer, Datum row, int output)
{
	const RmlModel *model = &scorer->model;
	int n = model->schema.n_features;
	char **texts = rml_row_texts(scorer, row);
	RmlExplanation explanation;

	explanation.contributions = palloc(sizeof(double) * Max(n, 1));
	explanation.order = palloc(sizeof(int32_t) * Max(n, 1));
	rml_explain_row(model, scorer->numbers, scorer->codes, output, &explanation);
	put_contribution(result, "(base)", NULL, explanation.base);
	for (int i = 0; i < n; i++)
	{
		int32_t feature = explanation.order[i];

		put_contribution(result, model->schema.features[feature].name, texts[feature],
						 explanation.contributions[feature]);
	}
}

Datum
rml_predict_explain(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer;
	int output;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	scorer = rml_scorer_model(fcinfo, 0);
	require_supervised(fcinfo, &scorer->model, scorer->model.algorithm->explain != NULL);
	if (rml_scorer_row(fcinfo, 0) == NULL)
		return (Datum) 0;
	if (PG_ARGISNULL(2))
		output = rml_explain_output(&scorer->model, scorer->numbers, scorer->codes);
	else
		output = class_argument(fcinfo, 2, rml_model_target(&scorer->model));
	put_explanation((ReturnSetInfo *) fcinfo->resultinfo, scorer, PG_GETARG_DATUM(1), output);
	return (Datum) 0;
}

/* ---- the model as a whole ---- */

Datum
rml_model_importance(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlModel *model;
	double *gain;
	int64_t *splits;
	int32_t *order;
	int n;

	InitMaterializedSRF(fcinfo, 0);
	model = rml_model_argument(fcinfo, 0, 0);
	require_supervised(fcinfo, model, model->algorithm->importance != NULL);
	n = model->schema.n_features;
	gain = palloc0(sizeof(double) * Max(n, 1));
	splits = palloc0(sizeof(int64_t) * Max(n, 1));
	order = palloc(sizeof(int32_t) * Max(n, 1));
	model->algorithm->importance(model->fitted, &model->schema, gain, splits);
	rml_order_by_size(model->env, gain, n, order);
	for (int i = 0; i < n; i++)
	{
		Datum values[] = {CStringGetTextDatum(model->schema.features[order[i]].name),
						  Float8GetDatum(gain[order[i]]), Int64GetDatum(splits[order[i]]),
						  Int32GetDatum(i + 1)};
		bool nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
