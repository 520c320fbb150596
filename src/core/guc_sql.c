/*
 * guc_sql.c
 *	  Module entry point and the settings retailml.*
 */
#include "postgres.h"

#include <unistd.h>

#include "access/parallel.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/guc.h"

#include "retailml/guc_sql.h"

PG_MODULE_MAGIC;

#define MAX_THREADS 256

static int guc_threads = 0;
static int guc_max_memory = 1024 * 1024; /* kB */
bool rml_guc_progress = false;

void
rml_guc_define(void)
{
	DefineCustomIntVariable("retailml.threads", "Sets the number of threads a fit may use.",
							"0 means max_parallel_maintenance_workers + 1, at most the number of "
							"processors. A parallel worker always uses one.",
							&guc_threads, 0, 0, MAX_THREADS, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"retailml.max_memory",
		"Sets the maximum memory that retailml functions may use in one process.",
		"A fit that needs more is refused before it takes it.", &guc_max_memory, 1024 * 1024, 1024,
		MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomBoolVariable(
		"retailml.progress", "Reports the progress of a fit as NOTICEs.",
		"One for each step (iteration, loss, elapsed time), at most one a second.",
		&rml_guc_progress, false, PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("retailml");
}

void _PG_init(void);

void
_PG_init(void)
{
	rml_guc_define();
}

size_t
rml_guc_max_memory_bytes(void)
{
	return (size_t) guc_max_memory * 1024;
}

int
rml_guc_effective_threads(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int threads = guc_threads;

	if (IsParallelWorker())
		return 1;
	if (threads == 0)
	{
		threads = max_parallel_maintenance_workers + 1;
		if (processors > 0 && threads > processors)
			threads = (int) processors;
	}
	return Min(threads, MAX_THREADS);
}
