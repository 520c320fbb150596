/*
 * model_expression_sql.c
 *	  model_sql, tree_rules: models as SQL.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "retailml/model_sql.h"
#include "retailml/tree_expression.h"
#include "retailml/tree_shap.h"

PG_FUNCTION_INFO_V1(rml_model_sql);
PG_FUNCTION_INFO_V1(rml_tree_rules);

static const char *
quote_text(const char *text)
{
	return quote_literal_cstr(text);
}

static const RmlQuotes quotes = {quote_identifier, quote_text};

/* ---- model_sql ---- */

static void
refuse_expression(const RmlModel *model, const char *reason)
{
	if (reason == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model of %s cannot be written as one SQL expression",
							   model->algorithm->name),
						errhint("%s evaluates it.", rml_model_scored_by(model))));
	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("the model cannot be written as one SQL expression: %s", reason),
					errhint("Train a smaller model, for example fewer trees of less depth, or "
							"evaluate it with predict(model, row).")));
}

Datum
rml_model_sql(PG_FUNCTION_ARGS)
{
	RmlModel *model;
	RmlExpression expression;
	char *alias;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	model = rml_model_argument(fcinfo, 0, 0);
	alias = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (model->algorithm->expression == NULL)
		refuse_expression(model, NULL);
	rml_expression_begin(&expression, model->env, &model->schema, &quotes, alias);
	rml_expression_of_model(&expression, model);
	if (expression.error != NULL)
		refuse_expression(model, expression.error);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(expression.text, expression.length));
}

/* ---- tree_rules ---- */

/* leaf, rule, value, class, probability, rows, share */
#define RULE_COLUMNS 7

static const RmlTreeModel *
require_tree(const RmlModel *model, int tree)
{
	const RmlTreeModel *fitted = model->fitted;

	if (model->algorithm->explain != rml_trees_explain)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tree_rules needs a model of trees, this one is of %s",
						model->algorithm->name),
				 errhint("Models of trees are made by tree_fit, forest_fit and boost_fit.")));
	if (tree < 1 || tree > fitted->trees.n_trees)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("tree %d is out of range 1 .. %d", tree, fitted->trees.n_trees),
						errhint("Trees are numbered from 1.")));
	return fitted;
}

static void
put_rule(ReturnSetInfo *result, const RmlTarget *target, const RmlTreeRule *rule)
{
	Datum values[RULE_COLUMNS] = {0};
	bool nulls[RULE_COLUMNS] = {false};

	values[0] = Int32GetDatum(rule->leaf);
	values[1] = CStringGetTextDatum(rule->condition);
	values[2] = Float8GetDatum(rule->value);
	nulls[2] = isnan(rule->value);
	nulls[3] = rule->class_number < 0;
	if (!nulls[3])
		values[3] = CStringGetTextDatum(target->classes[rule->class_number]);
	values[4] = Float8GetDatum(rule->probability);
	nulls[4] = isnan(rule->probability);
	values[5] = Float8GetDatum(rule->cover);
	values[6] = Float8GetDatum(rule->share);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[1]));
}

Datum
rml_tree_rules(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlTreeRules rules;
	RmlTreeRule rule;
	RmlModel *model;
	const RmlTreeModel *fitted;

	InitMaterializedSRF(fcinfo, 0);
	model = rml_model_argument(fcinfo, 0, 0);
	fitted = require_tree(model, PG_GETARG_INT32(1));
	rml_tree_rules_begin(&rules, model->env, fitted, &model->schema, &quotes,
						 PG_GETARG_INT32(1) - 1);
	while (rml_tree_rules_next(&rules, &rule))
	{
		CHECK_FOR_INTERRUPTS();
		put_rule(result, &fitted->target, &rule);
	}
	return (Datum) 0;
}
