/*
 * agg_call_sql.c
 *	  What a function of an aggregate asks of the call it is in.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "nodes/execnodes.h"
#include "nodes/primnodes.h"

#include "retailml/agg_call_sql.h"

MemoryContext
rml_agg_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("this function can only be called as part of an aggregate")));
	return context;
}

/* a parameter of the query, or a value it computed before (a subselect): these are set between scans */
static bool
is_constant(const Expr *argument)
{
	return IsA(argument, Const) ||
		   (IsA(argument, Param) && (((const Param *) argument)->paramkind == PARAM_EXTERN ||
									 ((const Param *) argument)->paramkind == PARAM_EXEC));
}

bool
rml_agg_argument_is_constant(FunctionCallInfo fcinfo, int argument)
{
	Aggref *aggregate = AggGetAggref(fcinfo);

	if (aggregate == NULL || list_length(aggregate->args) < argument)
		return false;
	return is_constant(list_nth_node(TargetEntry, aggregate->args, argument - 1)->expr);
}

bool
rml_agg_stays_here(FunctionCallInfo fcinfo)
{
	return !IsParallelWorker() && castNode(AggState, fcinfo->context)->aggstrategy == AGG_PLAIN;
}
