/*
 * evaluation_sql.c
 *	  What the aggregates that evaluate predictions share.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "retailml/evaluation_sql.h"

#define MAX_COLUMNS 16

bool
rml_evaluation_number(FunctionCallInfo fcinfo, int argument, const char *name, float8 *value)
{
	if (PG_ARGISNULL(argument))
		return false;
	*value = PG_GETARG_FLOAT8(argument);
	if (isinf(*value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("%s holds infinity", name),
				 errhint("Leave such rows out with FILTER or WHERE.")));
	return !isnan(*value);
}

void
rml_evaluation_check_serial(size_t size)
{
	if (size > MaxAllocSize)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the rows of one parallel worker take %zu MB, it can pass on "
							   "1024 MB",
							   size >> 20),
						errhint("Evaluate a sample, or SET max_parallel_workers_per_gather = 0.")));
}

static TupleDesc
result_type(FunctionCallInfo fcinfo, int columns)
{
	FmgrInfo *flinfo = fcinfo->flinfo;
	MemoryContext caller;
	TupleDesc descriptor;

	if (flinfo->fn_extra != NULL)
		return flinfo->fn_extra;
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE ||
		descriptor->natts != columns || columns > MAX_COLUMNS)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the type of the result is not the one this version made")));
	caller = MemoryContextSwitchTo(flinfo->fn_mcxt);
	flinfo->fn_extra = BlessTupleDesc(CreateTupleDescCopy(descriptor));
	MemoryContextSwitchTo(caller);
	return flinfo->fn_extra;
}

Datum
rml_evaluation_row(FunctionCallInfo fcinfo, int columns, const float8 *numbers, int n_counts,
				   const int64 *counts)
{
	TupleDesc descriptor = result_type(fcinfo, columns);
	Datum values[MAX_COLUMNS];
	bool nulls[MAX_COLUMNS] = {false};

	for (int i = 0; i < columns; i++)
	{
		if (i < n_counts)
		{
			values[i] = Int64GetDatum(counts[i]);
			continue;
		}
		values[i] = Float8GetDatum(numbers[i - n_counts]);
		nulls[i] = isnan(numbers[i - n_counts]);
	}
	return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}
