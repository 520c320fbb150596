/*
 * jsonb_float8_sql.c
 *	  A json number as float8, where it fits.
 *
 * The SQL cast raises an error at 1e400.  In a view over what many roles wrote, one such number
 * would take the view from all of them.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(rml_jsonb_float8);
Datum
rml_jsonb_float8(PG_FUNCTION_ARGS)
{
	Jsonb *json = PG_GETARG_JSONB_P(0);
	JsonbValue value;
	float8 number;

	if (!JsonbExtractScalar(&json->root, &value) || value.type != jbvNumeric)
		PG_RETURN_NULL();
	number = DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value.val.numeric)));
	if (!isfinite(number))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(number);
}
