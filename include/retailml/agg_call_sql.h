/*
 * agg_call_sql.h
 *	  What a function of an aggregate asks of the call it is in.
 */
#ifndef RETAILML_AGG_CALL_SQL_H
#define RETAILML_AGG_CALL_SQL_H

#include "postgres.h"

#include "fmgr.h"

/* where the states of the aggregate live; refuses a call outside of one */
extern MemoryContext rml_agg_context(FunctionCallInfo fcinfo);

/*
 * Of a transition function: whether this argument (from 1; 0 is the state) is the same for all rows, being
 * a constant or set between scans.  False says that it is not known.
 */
extern bool rml_agg_argument_is_constant(FunctionCallInfo fcinfo, int argument);

/*
 * Of a serialize function: whether the state will be combined in this process, and can be handed over as
 * it is.  So it is with rows that the leader of a parallel plan has collected, without GROUP BY: with it,
 * states may be gone, or their serialized form be sorted and read twice, before they are combined.
 */
extern bool rml_agg_stays_here(FunctionCallInfo fcinfo);

#endif /* RETAILML_AGG_CALL_SQL_H */
