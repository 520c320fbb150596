/*
 * env.h
 *	  The seam between a kernel and the process it runs in.
 *
 * A kernel is plain C: it takes arrays and an RmlEnv and knows nothing of PostgreSQL.  The
 * environment gives it memory, a place to be cancelled, and a number of threads.
 *
 * Memory is an arena: alloc never returns NULL (it leaves through the host's error exit
 * instead), and what a kernel does not release goes with the arena.  poll may not return
 * either (a cancelled query longjmps out), so a kernel owns nothing outside the arena and calls
 * neither alloc nor poll inside a parallel region.
 *
 * In PostgreSQL the environment is RmlPgEnv (env_sql.h): huge allocations in a memory context,
 * CHECK_FOR_INTERRUPTS, retailml.threads.  In unit tests it is an arena over malloc.
 */
#ifndef RETAILML_ENV_H
#define RETAILML_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct RmlEnv RmlEnv;
typedef struct RmlTeamPlace RmlTeamPlace;

/* what is to be done at the end; it lives in the arena, and function NULL does nothing */
typedef struct RmlCleanup
{
	void (*function)(void *argument);
	void *argument;
	struct RmlCleanup *next; /* the environment's own */
} RmlCleanup;

struct RmlEnv
{
	/* size bytes aligned to 8 (uninitialised); size 0 is allowed */
	void *(*alloc)(RmlEnv *env, size_t size);
	/* give memory back before the arena goes; ptr may be NULL */
	void (*release)(RmlEnv *env, void *ptr);
	/* let the host cancel; must be called at least every 50 ms of work */
	void (*poll)(RmlEnv *env);
	/* report one finished step (an iteration, an epoch) and the loss after it; never NULL */
	void (*progress)(RmlEnv *env, const char *what, int64_t step, double loss);
	/* can the host use a text that comes out of a model's bytes?  NULL: it takes any */
	bool (*valid_text)(RmlEnv *env, const char *text, size_t length);
	/* bytes alloc would still grant */
	size_t (*room)(RmlEnv *env);
	/* call this before the arena's memory goes, or before poll leaves: while the caller's frame is there */
	void (*at_end)(RmlEnv *env, RmlCleanup *cleanup);
	/* threads a parallel region may use, at least 1 */
	int threads;
	/* team.h's own, in the arena: the threads, once there was work for them */
	RmlTeamPlace *team;
	/* rml_parallel's own: blocks or steps are being run, so that nobody may allocate or poll */
	bool in_region;
	/* rml_parallel's own: until this moment (CLOCK_MONOTONIC, ns) threads are not worth waking */
	int64_t alone_until;
};

extern void *rml_alloc(RmlEnv *env, size_t size);
extern void *rml_alloc_zero(RmlEnv *env, size_t size);
/* count * size bytes; a product that overflows is refused like an allocation that is too large */
extern void *rml_alloc_array(RmlEnv *env, size_t count, size_t size);
extern void *rml_alloc_array_zero(RmlEnv *env, size_t count, size_t size);
/* memcpy that polls; zeroed allocations and larger copies do as well */
extern void *rml_copy(RmlEnv *env, void *target, const void *source, size_t size);
/* a larger copy of an array; the old one is released */
extern void *rml_grow_array(RmlEnv *env, void *array, size_t old_count, size_t new_count,
							size_t size);
extern void rml_release(RmlEnv *env, void *ptr);
extern void rml_poll(RmlEnv *env);
extern char *rml_strdup(RmlEnv *env, const char *text);
extern char *rml_strndup(RmlEnv *env, const char *text, size_t length);
/* printf into the arena: how a kernel words the reason it refuses something */
extern char *rml_format(RmlEnv *env, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define RML_NEW(env, type, count) ((type *) rml_alloc_array((env), (count), sizeof(type)))
#define RML_NEW_ZERO(env, type, count) ((type *) rml_alloc_array_zero((env), (count), sizeof(type)))

#endif /* RETAILML_ENV_H */
