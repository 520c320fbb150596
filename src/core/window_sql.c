/*
 * window_sql.c
 *	  Fit and label in one: a window function that reads its whole partition at the first row.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "windowapi.h"

#include "retailml/env_sql.h"
#include "retailml/fit_sql.h"

typedef struct PartitionLabels
{
	int32_t *labels; /* [rows of the partition], 0 = NULL; NULL before the fit */
} PartitionLabels;

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
	int options = 1 + spec->n_parameters;
	bool null;

	memset(arguments, 0, sizeof *arguments);
	arguments->row_type =
		get_fn_expr_argtype(fcinfo->flinfo, 0) == FLOAT8ARRAYOID ? FLOAT8ARRAYOID : RECORDOID;
	arguments->constant = true;
	for (int i = 1; i < PG_NARGS(); i++)
		arguments->constant = arguments->constant && get_fn_expr_arg_stable(fcinfo->flinfo, i);
	for (int i = 0; i < spec->n_parameters; i++)
	{
		arguments->parameters[i] = partition_argument(window, 1 + i, row, &null);
		if (null)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s: %s must not be NULL", spec->function, spec->parameter_names[i])));
		arguments->by_value[i] = get_typbyval(get_fn_expr_argtype(fcinfo->flinfo, 1 + i));
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
	bool null;
	Datum row = partition_argument(PG_WINDOW_OBJECT(), 0, i, &null);

	if (null)
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
	return rml_collect_row(collector, row);
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

/* labels of the matrix back to the rows of the partition */
static void
spread_labels(const RmlMatrix *matrix, const int32_t *fitted, const bool *used, int64 rows,
			  int32_t *labels)
{
	int32_t *in_order = palloc_extended(sizeof(int32_t) * matrix->n, MCXT_ALLOC_HUGE);
	int64 next = 0;

	for (int64 i = 0; i < matrix->n; i++)
	{
		in_order[matrix->origin[i]] = fitted[i];
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	for (int64 i = 0; i < rows; i++)
		labels[i] = used[i] ? in_order[next++] : 0;
	pfree(in_order);
}

static void
label_partition(FunctionCallInfo fcinfo, WindowObject window, const RmlFitSpec *spec,
				PartitionLabels *partition)
{
	MemoryContext context = GetMemoryChunkContext(partition);
	int64 rows = WinGetPartitionRowCount(window);
	int32_t *labels = MemoryContextAllocExtended(context, sizeof(int32_t) * rows,
												 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	bool *used = palloc_extended(rows, MCXT_ALLOC_HUGE);
	RmlCollector collector = {0};
	RmlFit fit;

	collect_partition(fcinfo, spec, &collector, context, rows, used);
	if (collector.env != NULL && collector.frame.n > 0)
	{
		int32_t *fitted;

		rml_collect_finish(&collector, true, &fit);
		fitted = RML_NEW(collector.env, int32_t, (size_t) fit.matrix.n);
		spec->label(&fit, fitted);
		spread_labels(&fit.matrix, fitted, used, rows, labels);
	}
	if (collector.env != NULL)
		rml_pg_env_delete(collector.env);
	pfree(used);
	partition->labels = labels;
}

Datum
rml_window_label(FunctionCallInfo fcinfo, const RmlFitSpec *spec)
{
	WindowObject window = PG_WINDOW_OBJECT();
	PartitionLabels *partition = WinGetPartitionLocalMemory(window, sizeof(PartitionLabels));
	int32_t label;

	if (partition->labels == NULL)
		label_partition(fcinfo, window, spec, partition);
	label = partition->labels[WinGetCurrentPosition(window)];
	if (label == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(label);
}
