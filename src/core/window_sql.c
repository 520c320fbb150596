/*
 * window_sql.c
 *	  Fit and label in one: a window function that reads its whole partition at the first row.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "windowapi.h"

#include "retailml/env_sql.h"
#include "retailml/fit_sql.h"

typedef struct PartitionResults
{
	double *results; /* [rows of the partition] labels or scores, NaN = NULL; NULL before the fit */
} PartitionResults;

static Datum
partition_argument(WindowObject window, int argument, int64 row, bool *null)
{
	bool outside;

	return WinGetFuncArgInPartition(window, argument, (int) row, WINDOW_SEEK_HEAD, false, null,
									&outside);
}

/* what the function is called with at a row of the partition, besides the row itself */
static void
read_arguments(FunctionCallInfo fcinfo, const RmlFitSpec *spec, int64 row,
			   RmlFitArguments *arguments)
{
	WindowObject window = PG_WINDOW_OBJECT();
	int first = 1 + (spec->label_name != NULL);
	int options = first + spec->n_parameters;
	bool null;

	memset(arguments, 0, sizeof *arguments);
	arguments->row_type =
		get_fn_expr_argtype(fcinfo->flinfo, 0) == FLOAT8ARRAYOID ? FLOAT8ARRAYOID : RECORDOID;
	arguments->constant = true;
	for (int i = first; i < PG_NARGS(); i++)
		arguments->constant = arguments->constant && get_fn_expr_arg_stable(fcinfo->flinfo, i);
	for (int i = 0; i < spec->n_parameters; i++)
	{
		arguments->parameters[i] = partition_argument(window, first + i, row, &null);
		if (null)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s: %s must not be NULL", spec->function, spec->parameter_names[i])));
		arguments->by_value[i] = get_typbyval(get_fn_expr_argtype(fcinfo->flinfo, first + i));
	}
	if (PG_NARGS() <= options)
		return;
	arguments->options = partition_argument(window, options, row, &null);
	arguments->has_options = !null;
}

/* add one row of the partition; false when it is left out */
static bool
collect_row(FunctionCallInfo fcinfo, const RmlFitSpec *spec, RmlCollector *collector,
			MemoryContext context, int64 i)
{
	RmlFitArguments arguments;
	bool null, no_label = false;
	Datum row = partition_argument(PG_WINDOW_OBJECT(), 0, i, &null);
	Datum label = 0;

	if (spec->label_name != NULL)
		label = partition_argument(PG_WINDOW_OBJECT(), 1, i, &no_label);
	if (null || no_label)
	{
		collector->skipped++;
		return false;
	}
	if (collector->env == NULL)
	{
		read_arguments(fcinfo, spec, i, &arguments);
		rml_collect_start(collector, context, spec, &arguments, row);
	}
	else if (!collector->constant)
	{
		read_arguments(fcinfo, spec, i, &arguments);
		rml_collect_check_arguments(collector, &arguments);
	}
	return rml_collect_row(collector, row, label);
}

/* collect all rows; used[i] tells whether row i of the partition is in the frame */
static void
collect_partition(FunctionCallInfo fcinfo, const RmlFitSpec *spec, RmlCollector *collector,
				  MemoryContext context, int64 rows, bool *used)
{
	MemoryContext row_context =
		AllocSetContextCreate(CurrentMemoryContext, "retailml row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row_context);

	for (int64 i = 0; i < rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		used[i] = collect_row(fcinfo, spec, collector, context, i);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
}

/* results of the matrix back to the rows of the partition */
static void
spread_results(const RmlMatrix *matrix, const double *fitted, const bool *used, int64 rows,
			   double *results)
{
	double *in_order = palloc_extended(sizeof(double) * matrix->n, MCXT_ALLOC_HUGE);
	int64 next = 0;

	for (int64 i = 0; i < matrix->n; i++)
	{
		in_order[matrix->origin[i]] = fitted[i];
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	for (int64 i = 0; i < rows; i++)
		if (used[i])
			results[i] = in_order[next++];
	pfree(in_order);
}

/* a number for each row of the matrix */
static double *
fit_results(const RmlFitSpec *spec, RmlFit *fit)
{
	int64 n = fit->matrix.n;
	double *results = RML_NEW(fit->env, double, (size_t) n);
	int32_t *labels;

	if (spec->score != NULL)
	{
		spec->score(fit, results);
		return results;
	}
	labels = RML_NEW(fit->env, int32_t, (size_t) n);
	spec->label(fit, labels);
	for (int64 i = 0; i < n; i++)
		results[i] = labels[i];
	return results;
}

static void
fit_partition(FunctionCallInfo fcinfo, WindowObject window, const RmlFitSpec *spec,
			  PartitionResults *partition)
{
	MemoryContext context = GetMemoryChunkContext(partition);
	int64 rows = WinGetPartitionRowCount(window);
	double *results = MemoryContextAllocHuge(context, sizeof(double) * rows);
	bool *used = palloc_extended(rows, MCXT_ALLOC_HUGE);
	RmlCollector collector = {0};
	RmlFit fit;

	for (int64 i = 0; i < rows; i++)
		results[i] = NAN;
	collect_partition(fcinfo, spec, &collector, context, rows, used);
	if (collector.env != NULL && collector.frame.n > 0)
	{
		rml_collect_finish(&collector, true, &fit);
		spread_results(&fit.matrix, fit_results(spec, &fit), used, rows, results);
	}
	if (collector.env != NULL)
		rml_pg_env_delete(collector.env);
	pfree(used);
	partition->results = results;
}

/* the result of the current row, NaN = NULL */
static double
window_result(FunctionCallInfo fcinfo, const RmlFitSpec *spec)
{
	WindowObject window = PG_WINDOW_OBJECT();
	PartitionResults *partition = WinGetPartitionLocalMemory(window, sizeof(PartitionResults));

	if (partition->results == NULL)
		fit_partition(fcinfo, window, spec, partition);
	return partition->results[WinGetCurrentPosition(window)];
}

Datum
rml_window_label(FunctionCallInfo fcinfo, const RmlFitSpec *spec)
{
	double label = window_result(fcinfo, spec);

	if (isnan(label))
		PG_RETURN_NULL();
	PG_RETURN_INT32((int32) label);
}

Datum
rml_window_score(FunctionCallInfo fcinfo, const RmlFitSpec *spec)
{
	double score = window_result(fcinfo, spec);

	if (isnan(score))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(score);
}
