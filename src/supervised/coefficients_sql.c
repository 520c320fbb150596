/*
 * coefficients_sql.c
 *	  See coefficients_sql.h.
 */
#include "postgres.h"

#include <math.h>

#include "retailml/coefficients_sql.h"

double
rml_confidence_argument(FunctionCallInfo fcinfo, int argument)
{
	double confidence = PG_GETARG_FLOAT8(argument);

	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence must be between 0 and 1"), errdetail("It is %g.", confidence),
				 errhint("An interval of 95 %% has the confidence 0.95.")));
	return confidence;
}

void
rml_number_column(double number, Datum *value, bool *null)
{
	*null = isnan(number);
	*value = Float8GetDatum(number);
}

void
rml_coefficient_columns(const RmlCoefficient *line, Datum *values, bool *nulls)
{
	const double columns[RML_COEFFICIENT_COLUMNS] = {line->estimate,  line->std_error,
													 line->statistic, line->p,
													 line->low,       line->high};

	for (int i = 0; i < RML_COEFFICIENT_COLUMNS; i++)
		rml_number_column(columns[i], &values[i], &nulls[i]);
}
