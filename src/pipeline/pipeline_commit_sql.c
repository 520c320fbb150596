/*
 * pipeline_commit_sql.c
 *	  May the procedure that asks commit?
 *
 * A run commits after every step.  Inside a transaction block the first COMMIT would fail, with
 * an error that speaks of COMMIT and not of what the user did; and PL/pgSQL cannot catch it,
 * because the block that catches is a subtransaction, where COMMIT fails always.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(rml_pipeline_can_commit);
Datum
rml_pipeline_can_commit(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(SPI_inside_nonatomic_context() && !IsSubTransaction());
}
