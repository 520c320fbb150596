/*
 * coefficients_sql.h
 *	  The columns that tables of coefficients have in common.
 */
#ifndef RETAILML_COEFFICIENTS_SQL_H
#define RETAILML_COEFFICIENTS_SQL_H

#include "postgres.h"

#include "fmgr.h"

#include "retailml/linreg.h"

/* the confidence of intervals in an argument, 0 < c < 1 */
extern double rml_confidence_argument(FunctionCallInfo fcinfo, int argument);

/* a number, NULL for NaN */
extern void rml_number_column(double number, Datum *value, bool *null);

/* estimate, std_error, statistic, p, low, high */
#define RML_COEFFICIENT_COLUMNS 6
extern void rml_coefficient_columns(const RmlCoefficient *line, Datum *values, bool *nulls);

#endif /* RETAILML_COEFFICIENTS_SQL_H */
