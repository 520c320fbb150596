/*
 * confusion_sql.c
 *	  confusion_matrix, over the state of contingency_sql.c.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "retailml/confusion.h"
#include "retailml/contingency_sql.h"
#include "retailml/env_sql.h"
#include "retailml/supervised.h"

PG_FUNCTION_INFO_V1(rml_label_pairs_accum_bool);
PG_FUNCTION_INFO_V1(rml_confusion_matrix_final);
PG_FUNCTION_INFO_V1(rml_confusion_matrix_bool_final);

extern Datum rml_label_pairs_accum_int(PG_FUNCTION_ARGS);

/* what fills the elements of the array */
typedef struct Cells
{
	const RmlComparison *comparison;
	RmlConfusion confusion;
	bool booleans;
} Cells;

/* booleans are the labels 0 and 1 */
Datum
rml_label_pairs_accum_bool(PG_FUNCTION_ARGS)
{
	for (int i = 1; i <= 2; i++)
		if (!PG_ARGISNULL(i))
			fcinfo->args[i].value = Int32GetDatum(PG_GETARG_BOOL(i) ? 1 : 0);
	return rml_label_pairs_accum_int(fcinfo);
}

static void
check_classes(const RmlComparison *comparison)
{
	int64_t k = rml_confusion_classes(&comparison->table);

	if (k > RML_MAX_CLASSES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("confusion_matrix: " INT64_FORMAT " classes, at most %d are shown", k,
						RML_MAX_CLASSES),
				 errhint("Classes are few: were other columns meant? GROUP BY actual, predicted "
						 "counts any number of pairs.")));
}

static Datum
class_name(const Cells *cells, int64_t place)
{
	int64_t label = cells->confusion.classes[place];

	if (cells->booleans)
		return CStringGetTextDatum(label != 0 ? "true" : "false");
	if (cells->comparison->texts != NULL)
		return CStringGetTextDatum(cells->comparison->texts[label]);
	return CStringGetTextDatum(psprintf("%d", (int) label));
}

static void
fill_cell(const void *context, int64_t element, Datum *values, bool *nulls)
{
	const Cells *cells = context;
	int64_t k = cells->confusion.n_classes;
	double share = rml_confusion_share(&cells->confusion, element / k, element % k);

	values[0] = class_name(cells, element / k);
	values[1] = class_name(cells, element % k);
	values[2] = Int64GetDatum(cells->confusion.counts[element]);
	values[3] = Float8GetDatum(share);
	nulls[3] = isnan(share);
}

static Datum
confusion_matrix(FunctionCallInfo fcinfo, bool booleans)
{
	RmlComparison comparison;
	Cells cells = {&comparison, {0}, booleans};
	Datum result;

	if (!rml_comparison_begin(fcinfo, true, &comparison))
		PG_RETURN_NULL();
	check_classes(&comparison);
	rml_confusion(&comparison.table, comparison.env, &cells.confusion);
	result = rml_composite_array(fcinfo, cells.confusion.n_classes * cells.confusion.n_classes, 4,
								 fill_cell, &cells);
	rml_comparison_end(&comparison);
	PG_RETURN_DATUM(result);
}

Datum
rml_confusion_matrix_final(PG_FUNCTION_ARGS)
{
	return confusion_matrix(fcinfo, false);
}

Datum
rml_confusion_matrix_bool_final(PG_FUNCTION_ARGS)
{
	return confusion_matrix(fcinfo, true);
}
