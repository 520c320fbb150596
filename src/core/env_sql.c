/*
 * env_sql.c
 *	  RmlEnv on PostgreSQL: memory contexts, interrupts, progress NOTICEs.
 */
#include "postgres.h"

#include <sys/mman.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "retailml/env_sql.h"
#include "retailml/guc_sql.h"

#define MEGABYTE (1024.0 * 1024.0)
#define PAGE_BYTES 4096
#define HUGE_BYTES ((size_t) 8 * 1024 * 1024)
#define NOTICE_INTERVAL 1000000 /* microseconds */

/* bytes held by all environments of this process */
static size_t process_used = 0;

static void
refuse(const RmlPgEnv *env, size_t bytes)
{
	ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					errmsg("%s needs %.0f MB, retailml.max_memory is %.0f MB", env->function,
						   ((double) process_used + (double) bytes) / MEGABYTE + 0.5,
						   (double) rml_guc_max_memory_bytes() / MEGABYTE),
					errhint("Use fewer rows or columns, for example a sample, or raise "
							"retailml.max_memory for this session with SET.")));
}

void
rml_pg_env_check_room(RmlEnv *env, size_t bytes)
{
	size_t limit = rml_guc_max_memory_bytes();

	if (bytes > limit || process_used > limit - bytes)
		refuse((RmlPgEnv *) env, bytes);
}

/*
 * Rows of a large fit are touched at random and in full.  Pages of 2 MB, where the system gives
 * them on request, save most of the page faults and of the misses in the address cache; the call
 * is advice, so its result does not matter.
 */
static void
advise_huge_pages(void *chunk, size_t size)
{
#ifdef MADV_HUGEPAGE
	uintptr_t first = TYPEALIGN(PAGE_BYTES, (uintptr_t) chunk);
	uintptr_t end = TYPEALIGN_DOWN(PAGE_BYTES, (uintptr_t) chunk + size);

	if (size >= HUGE_BYTES)
		(void) madvise((void *) first, end - first, MADV_HUGEPAGE);
#endif
}

static void *
pg_alloc(RmlEnv *env, size_t size)
{
	RmlPgEnv *pg = (RmlPgEnv *) env;
	void *chunk;
	size_t taken;

	rml_pg_env_check_room(env, size);
	chunk = MemoryContextAllocExtended(pg->context, Max(size, 1), MCXT_ALLOC_HUGE);
	advise_huge_pages(chunk, size);
	taken = GetMemoryChunkSpace(chunk);
	pg->used += taken;
	process_used += taken;
	return chunk;
}

static void
pg_release(RmlEnv *env, void *ptr)
{
	RmlPgEnv *pg = (RmlPgEnv *) env;
	size_t taken;

	if (ptr == NULL)
		return;
	taken = GetMemoryChunkSpace(ptr);
	pfree(ptr);
	pg->used -= taken;
	process_used -= taken;
}

static void
run_cleanups(RmlPgEnv *env)
{
	for (RmlCleanup *cleanup = env->cleanups; cleanup != NULL; cleanup = cleanup->next)
		if (cleanup->function != NULL)
			cleanup->function(cleanup->argument);
	env->cleanups = NULL;
}

/* threads may be working on what is on the stack: they are stopped before an error unwinds it */
static void
pg_poll(RmlEnv *env)
{
	RmlPgEnv *pg = (RmlPgEnv *) env;

	if (pg->cleanups == NULL)
	{
		CHECK_FOR_INTERRUPTS();
		return;
	}
	PG_TRY();
	{
		CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		run_cleanups(pg);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

static void
pg_progress(RmlEnv *env, const char *what, int64_t step, double loss)
{
	RmlPgEnv *pg = (RmlPgEnv *) env;
	TimestampTz now;

	if (!rml_guc_progress)
		return;
	now = GetCurrentTimestamp();
	if (pg->last_notice != 0 && now - pg->last_notice < NOTICE_INTERVAL)
		return;
	pg->last_notice = now;
	ereport(NOTICE, (errmsg("%s: %s, step " INT64_FORMAT ", loss %g, %.1f s", pg->function, what,
							(int64) step, loss, (double) (now - pg->started) / 1e6)));
}

/* model bytes may come from a database of another encoding, or from anywhere */
static bool
pg_valid_text(RmlEnv *env, const char *text, size_t length)
{
	return pg_verify_mbstr(GetDatabaseEncoding(), text, (int) length, true);
}

static size_t
pg_room(RmlEnv *env)
{
	size_t limit = rml_guc_max_memory_bytes();

	return process_used < limit ? limit - process_used : 0;
}

static void
pg_at_end(RmlEnv *env, RmlCleanup *cleanup)
{
	RmlPgEnv *pg = (RmlPgEnv *) env;

	cleanup->next = pg->cleanups;
	pg->cleanups = cleanup;
}

/* the context goes, with everything in it */
static void
on_reset(void *arg)
{
	RmlPgEnv *env = arg;

	run_cleanups(env);
	process_used -= env->used;
	env->used = 0;
}

RmlEnv *
rml_pg_env_create(MemoryContext parent, const char *function)
{
	MemoryContext context = AllocSetContextCreate(parent, "retailml", ALLOCSET_SMALL_SIZES);
	RmlPgEnv *env = MemoryContextAllocZero(context, sizeof(RmlPgEnv));

	env->env.alloc = pg_alloc;
	env->env.release = pg_release;
	env->env.poll = pg_poll;
	env->env.progress = pg_progress;
	env->env.valid_text = pg_valid_text;
	env->env.room = pg_room;
	env->env.at_end = pg_at_end;
	env->env.threads = rml_guc_effective_threads();
	env->context = context;
	env->function = function;
	env->started = GetCurrentTimestamp();
	env->reset.func = on_reset;
	env->reset.arg = env;
	MemoryContextRegisterResetCallback(context, &env->reset);
	return &env->env;
}

void
rml_pg_env_delete(RmlEnv *env)
{
	MemoryContextDelete(((RmlPgEnv *) env)->context);
}

MemoryContext
rml_pg_env_context(const RmlEnv *env)
{
	return ((const RmlPgEnv *) env)->context;
}

const char *
rml_pg_env_function(const RmlEnv *env)
{
	return ((const RmlPgEnv *) env)->function;
}
