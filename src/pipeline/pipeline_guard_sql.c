/*
 * pipeline_guard_sql.c
 *	  The lock of a pipeline goes with the transaction that fails.
 *
 * A run is many transactions, so its lock is one of the session, and no error releases such a lock.
 * An error that leaves pipeline_run would leave it to an idle session, of a connection pool say, and
 * nobody else could run the pipeline until that session ends.  A procedure that commits cannot catch
 * all its errors, so the end of the failed transaction gives the lock back.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"

/* the lock this session would lose, as pg_try_advisory_lock(int, int) took it */
static bool guarded = false;
static LOCKTAG guarded_tag;

static void
release_at_abort(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_ABORT || !guarded)
		return;
	guarded = false;
	LockRelease(&guarded_tag, ExclusiveLock, true);
}

PG_FUNCTION_INFO_V1(rml_pipeline_guard);
Datum
rml_pipeline_guard(PG_FUNCTION_ARGS)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(release_at_abort, NULL);
	registered = true;
	SET_LOCKTAG_ADVISORY(guarded_tag, MyDatabaseId, (uint32) PG_GETARG_INT32(0),
						 (uint32) PG_GETARG_INT32(1), 2);
	guarded = PG_GETARG_BOOL(2);
	PG_RETURN_VOID();
}
