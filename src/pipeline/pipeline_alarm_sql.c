/*
 * pipeline_alarm_sql.c
 *	  A time limit for a part of a statement.
 *
 * The steps of a pipeline are parts of one CALL, and statement_timeout bounds the whole.  So the
 * timer of statement_timeout is set anew for each step, and back to what is left of the CALL's own
 * limit after it.  The earlier of the two always counts.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

/* some 30 years: longer alarms never ring, and would not fit in a timestamp */
#define LONGEST_SECONDS 1e9

/*
 * When statement_timeout ends the statement that the client sent; DT_NOEND: never, or it did, and
 * what is left to do is to write that down.
 */
static TimestampTz
statement_end(TimestampTz now)
{
	TimestampTz end =
		TimestampTzPlusMilliseconds(GetCurrentStatementStartTimestamp(), StatementTimeout);

	return StatementTimeout > 0 && end > now ? end : DT_NOEND;
}

PG_FUNCTION_INFO_V1(rml_pipeline_alarm);
Datum
rml_pipeline_alarm(PG_FUNCTION_ARGS)
{
	float8 seconds = PG_GETARG_FLOAT8(0);
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz end = statement_end(now);

	if (!isfinite(seconds) || seconds < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("pipeline_alarm: seconds must be finite, 0 or more")));
	seconds = Min(seconds, LONGEST_SECONDS);
	/* an alarm that rang on the last moment belongs to what ends here, not to what follows */
	disable_timeout(STATEMENT_TIMEOUT, false);
	CHECK_FOR_INTERRUPTS();
	if (seconds > 0)
		end = Min(end, TimestampTzPlusMilliseconds(now, (int64) (seconds * 1000)));
	if (!TIMESTAMP_NOT_FINITE(end))
		enable_timeout_at(STATEMENT_TIMEOUT, end);
	PG_RETURN_VOID();
}
