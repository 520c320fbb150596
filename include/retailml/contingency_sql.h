/*
 * contingency_sql.h
 *	  The one aggregate state behind everything that compares two columns of labels.
 *
 * Labels are int, or text: then a dictionary gives them numbers.  Final functions do not change
 * the state, so PostgreSQL collects it once for several aggregates over the same two columns.
 */
#ifndef RETAILML_CONTINGENCY_SQL_H
#define RETAILML_CONTINGENCY_SQL_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"

#include "retailml/contingency.h"

/* what a final function works on */
typedef struct RmlComparison
{
	RmlEnv *env; /* for this final function only */
	RmlLabelTable table;
	char **texts; /* labels are positions in it, in order of bytes; NULL: they are ints */
} RmlComparison;

/*
 * The table of the state in argument 0; false when there are no rows and the result is NULL.
 * rml_comparison_end lets go of it.
 */
extern bool rml_comparison_begin(FunctionCallInfo fcinfo, bool complete_only,
								 RmlComparison *comparison);
extern void rml_comparison_end(RmlComparison *comparison);

/* a label as Datum; *null for RML_NO_LABEL */
extern Datum rml_comparison_label(const RmlComparison *comparison, int64_t label, bool *null);

/* ---- results that are arrays of a composite type ---- */

/* fill values and nulls (zeroed before) for element i */
typedef void (*RmlElementFn)(const void *context, int64_t i, Datum *values, bool *nulls);

/* an array of n elements of the function's result type, which has this many columns */
extern Datum rml_composite_array(FunctionCallInfo fcinfo, int64_t n, int columns, RmlElementFn fn,
								 const void *context);

#endif /* RETAILML_CONTINGENCY_SQL_H */
