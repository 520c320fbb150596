/*
 * logreg_sql.c
 *	  logreg_fit, logreg_coefficients.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "retailml/coefficients_sql.h"
#include "retailml/logreg.h"
#include "retailml/model_sql.h"
#include "retailml/supervised_sql.h"

PG_FUNCTION_INFO_V1(rml_logreg_sql_coefficients);

RML_LEARNER_FUNCTIONS(logreg_fit, rml_logreg_learner);

/* class, term, estimate, std_error, z, p, ci_low, ci_high, odds_ratio, odds_low, odds_high */
#define COLUMNS (2 + RML_COEFFICIENT_COLUMNS + 3)

static void
put_term(ReturnSetInfo *result, const RmlModel *model, int class_number, int term,
		 double confidence)
{
	const RmlLogreg *fitted = model->fitted;
	Datum values[COLUMNS];
	bool nulls[COLUMNS] = {false};
	Datum *odds = values + 2 + RML_COEFFICIENT_COLUMNS;
	bool *odds_nulls = nulls + 2 + RML_COEFFICIENT_COLUMNS;
	RmlCoefficient line;

	rml_logreg_coefficient(fitted, class_number, term, confidence, &line);
	values[0] = CStringGetTextDatum(fitted->target.classes[class_number]);
	values[1] = CStringGetTextDatum(
		rml_linear_name(&fitted->linear.design, &model->schema, model->env, term));
	rml_coefficient_columns(&line, values + 2, nulls + 2);
	rml_number_column(exp(line.estimate), &odds[0], &odds_nulls[0]);
	rml_number_column(exp(line.low), &odds[1], &odds_nulls[1]);
	rml_number_column(exp(line.high), &odds[2], &odds_nulls[2]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
rml_logreg_sql_coefficients(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	double confidence = rml_confidence_argument(fcinfo, 1);
	const RmlLogreg *fitted;
	RmlModel *model;

	InitMaterializedSRF(fcinfo, 0);
	model = rml_model_argument(fcinfo, 0, RML_ALGORITHM_LOGREG);
	fitted = model->fitted;
	/* classes without a predictor of their own are what the others are compared with */
	for (int k = fitted->target.n_classes - fitted->linear.n_outputs; k < fitted->target.n_classes;
		 k++)
		for (int term = 0; term < fitted->linear.design.p; term++)
		{
			CHECK_FOR_INTERRUPTS();
			put_term(result, model, k, term, confidence);
		}
	return (Datum) 0;
}
