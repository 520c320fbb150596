/*
 * tuning_sql.c
 *	  The common part of cross_validate and rfecv.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "retailml/env_sql.h"
#include "retailml/tuning_sql.h"

void
rml_tuning_begin(RmlEnv *env, Jsonb *options, const RmlOptionSet *row_options,
				 const RmlOptionSet *own)
{
	RmlTuningParams *tuning = own->params;
	int n_cells;
	RmlGridCell *cells = rml_grid_cells(env, options, row_options, own, NULL, &n_cells);

	tuning->n_cells = n_cells;
	tuning->cells = cells;
}

void
rml_tuning_roles(const void *params, RmlRoles *roles)
{
	const RmlTuningParams *tuning = params;

	roles->weight = ((const RmlSupervisedParams *) tuning->cells[0].params)->weight;
	roles->group = tuning->group;
}

/* does some of the algorithms know classes only? then numeric labels are classes for all */
static bool
any_classifier(const RmlTuningParams *tuning)
{
	for (int c = 0; c < tuning->n_cells; c++)
		if (tuning->cells[c].learner->classifier)
			return true;
	return false;
}

void
rml_tuning_rows(RmlFit *fit, const RmlTuningParams *tuning, RmlProductRows *rows,
				RmlValidation *validation, RmlMetric *metric)
{
	int64 n = fit->matrix.n;
	int32_t *folds;

	rml_fit_product_rows(fit, tuning->cells[0].params, any_classifier(tuning), tuning->folds, rows);
	rml_refuse(fit->function,
			   rml_metric_choose(fit->env, tuning->metric, &rows->raw.target, metric));
	folds = RML_NEW(fit->env, int32_t, (size_t) n);
	rml_refuse(fit->function,
			   rml_folds_deal(fit->env, n, rows->groups, (int) rows->folds, rows->seed, folds));
	*validation = (RmlValidation){
		.rows = &rows->raw, .impute = rows->impute, .n_folds = (int) rows->folds, .folds = folds};
}

void
rml_tuning_refuse(const RmlFit *fit, const RmlFoldFailure *failure, const char *algorithm)
{
	if (failure->reason == NULL)
		return;
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s: %s", fit->function, failure->reason),
		 failure->fold < 0 ? errdetail("This is a fit of %s to all rows.", algorithm)
						   : errdetail("This is a fit of %s to the rows that are not in fold %d.",
									   algorithm, failure->fold + 1),
		 failure->by_folds ? errhint("Fewer or larger groups, fewer folds or another seed put "
									 "other rows into the folds.")
						   : 0));
}

/* ---- results ---- */

Datum
rml_fit_array(const RmlFit *fit, int64_t n, int columns, RmlFillFn fn, const void *context)
{
	Oid type = get_element_type(fit->result_type);
	TupleDesc descriptor = lookup_rowtype_tupdesc(type, -1);
	Datum *values = palloc(sizeof(Datum) * columns);
	bool *nulls = palloc(sizeof(bool) * columns);
	Datum *elements = palloc(sizeof(Datum) * Max(n, 1));

	if (descriptor->natts != columns)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("type %s is not the one this version made", format_type_be(type))));
	for (int64_t i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		memset(nulls, 0, sizeof(bool) * columns);
		fn(context, i, values, nulls);
		elements[i] = HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
	}
	ReleaseTupleDesc(descriptor);
	return PointerGetDatum(construct_array(elements, (int) n, type, -1, false, TYPALIGN_DOUBLE));
}

void
rml_put_number(double number, Datum *value, bool *null)
{
	*null = isnan(number);
	*value = Float8GetDatum(number);
}
