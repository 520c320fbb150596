/*
 * pipeline_alarm_sql.c
 *	  A time limit for a part of a statement.
 *
 * The steps of a pipeline are parts of one CALL, and statement_timeout bounds the whole.  So the
 * timer of statement_timeout is set anew for each step, and back to what is left of the CALL's own
 * limit after it.  The earlier of the two always counts.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "storage/proc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

/* when statement_timeout ends the statement that the client sent; DT_NOEND: never */
static TimestampTz
statement_end(void)
{
	if (StatementTimeout <= 0)
		return DT_NOEND;
	return TimestampTzPlusMilliseconds(GetCurrentStatementStartTimestamp(), StatementTimeout);
}

PG_FUNCTION_INFO_V1(rml_pipeline_alarm);
Datum
rml_pipeline_alarm(PG_FUNCTION_ARGS)
{
	float8 seconds = PG_GETARG_FLOAT8(0);
	TimestampTz end = statement_end();

	if (seconds > 0)
		end =
			Min(end, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), (int64) (seconds * 1000)));
	if (TIMESTAMP_NOT_FINITE(end))
		disable_timeout(STATEMENT_TIMEOUT, false);
	else
		enable_timeout_at(STATEMENT_TIMEOUT, end);
	PG_RETURN_VOID();
}
