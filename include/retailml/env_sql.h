/*
 * env_sql.h
 *	  The environment of a kernel inside a PostgreSQL backend.
 *
 * Allocations are huge-capable chunks of a memory context of their own.  All environments of a
 * process are added up and held against retailml.max_memory, so many groups of one aggregate
 * count together.  poll is CHECK_FOR_INTERRUPTS.
 */
#ifndef RETAILML_ENV_SQL_H
#define RETAILML_ENV_SQL_H

#include "postgres.h"

#include "retailml/env.h"

typedef struct RmlPgEnv
{
	RmlEnv env; /* first, so RmlEnv * and RmlPgEnv * are one address */
	MemoryContext context;
	MemoryContextCallback reset;
	RmlCleanup *cleanups;
	const char *function; /* the SQL function that errors name, such as "kmeans_fit" */
	size_t used;          /* bytes held */
	int64 last_notice;    /* time of the last progress NOTICE, microseconds */
	int64 started;
} RmlPgEnv;

/* an environment in a new child of parent; it goes when that context goes */
extern RmlEnv *rml_pg_env_create(MemoryContext parent, const char *function);

/* release everything at once */
extern void rml_pg_env_delete(RmlEnv *env);

extern MemoryContext rml_pg_env_context(const RmlEnv *env);
extern const char *rml_pg_env_function(const RmlEnv *env);

/*
 * Refuse now if bytes more would not fit in retailml.max_memory: called with the sum of all a
 * step is going to take, before it takes any.
 */
extern void rml_pg_env_check_room(RmlEnv *env, size_t bytes);

#endif /* RETAILML_ENV_SQL_H */
