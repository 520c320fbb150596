/*
 * linreg_sql.c
 *	  linreg_fit, linreg_coefficients.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "retailml/coefficients_sql.h"
#include "retailml/linreg.h"
#include "retailml/model_sql.h"
#include "retailml/supervised_sql.h"

PG_FUNCTION_INFO_V1(rml_linreg_sql_coefficients);

RML_LEARNER_FUNCTIONS(linreg_fit, rml_linreg_learner);

static const char *const robust_names[] = {"none", "HC1", "HC3"};

static RmlRobust
robust_argument(FunctionCallInfo fcinfo)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(1));

	for (int i = 0; i < lengthof(robust_names); i++)
		if (pg_strcasecmp(name, robust_names[i]) == 0)
			return (RmlRobust) i;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("linreg_coefficients: robust must be \"none\", \"HC1\" or \"HC3\""),
					errdetail("It is \"%s\".", name)));
}

/* term, estimate, std_error, t, p, ci_low, ci_high */
#define COLUMNS 7

Datum
rml_linreg_sql_coefficients(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlRobust robust = robust_argument(fcinfo);
	double confidence = rml_confidence_argument(fcinfo, 2);
	const RmlLinreg *fitted;
	RmlModel *model;

	InitMaterializedSRF(fcinfo, 0);
	model = rml_model_argument(fcinfo, 0, RML_ALGORITHM_LINREG);
	fitted = model->fitted;
	for (int term = 0; term < fitted->linear.design.p; term++)
	{
		Datum values[COLUMNS];
		bool nulls[COLUMNS] = {false};
		RmlCoefficient line;

		CHECK_FOR_INTERRUPTS();
		rml_linreg_coefficient(fitted, term, robust, confidence, &line);
		values[0] = CStringGetTextDatum(
			rml_linear_name(&fitted->linear.design, &model->schema, model->env, term));
		rml_coefficient_columns(&line, values + 1, nulls + 1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
