/*
 * parallel.h
 *	  Blocks of work over threads, cancellable and with the same result for any thread count.
 *
 * Work is cut in blocks whose size does not depend on the number of threads.  Each block writes
 * only to its own place (or to a partial result of its own), and the caller combines partial
 * results in block order after rml_parallel returns: that is all determinism needs.
 *
 * The first blocks run in the calling thread; what is left after 0.2 ms is shared with the threads
 * of the environment (team.h), so small work wakes nobody.  fn must not allocate, poll, report or
 * touch anything another block writes.  A block should take under 10 ms; the region hands control
 * back to poll about every 20 ms, so a cancel is noticed well within 100 ms.
 */
#ifndef RETAILML_PARALLEL_H
#define RETAILML_PARALLEL_H

#include "retailml/env.h"

/* context, number of the block, number of the thread (0 .. env->threads - 1, for scratch space) */
typedef void (*RmlBlockFn)(void *context, int64_t block, int thread);

/* run fn for blocks 0 .. n_blocks - 1 */
extern void rml_parallel(RmlEnv *env, int64_t n_blocks, RmlBlockFn fn, void *context);

/*
 * Steps that build on one another, each of them shared out: part 0 .. parts - 1 of a step run at the same
 * time, and the next step begins when all have ended.  For steps too short to be a region each (some 50
 * us): threads meet at a barrier between them and stay together for about 20 ms.  What a step leaves
 * behind must not depend on the number of parts, which may change from step to step.
 */
typedef void (*RmlStepFn)(void *context, int64_t step, int part, int parts);

/* one of the two ways to run steps */
typedef struct RmlPaceWay
{
	double step;   /* ns a step, when it was last tried; 0: never */
	int64_t again; /* when to try it again, should it be the slower one (CLOCK_MONOTONIC, ns) */
} RmlPaceWay;

/*
 * How fast steps of one kind are.  Whether threads help depends on how far apart the processors are, as
 * all that one thread leaves to another has to travel between their caches, and on who else wants
 * them; so it is measured.  Begins as zeros; whoever runs the same steps again passes the same one.
 */
typedef struct RmlPace
{
	RmlPaceWay alone;
	RmlPaceWay together;
} RmlPace;

/* run steps 0 .. n_steps - 1 in order; the rules for fn are those above */
extern void rml_parallel_steps(RmlEnv *env, int64_t n_steps, RmlStepFn fn, void *context,
							   RmlPace *pace);

/* number of blocks of size rows that cover n rows */
static inline int64_t
rml_blocks(int64_t n, int64_t size)
{
	return (n + size - 1) / size;
}

/* rows [block * size, end) of n: the end */
static inline int64_t
rml_block_end(int64_t block, int64_t size, int64_t n)
{
	int64_t end = (block + 1) * size;

	return end < n ? end : n;
}

/*
 * Distance, in numbers of 8 bytes, from one block's partial result of n such numbers to the next
 * one's: two threads must not write to one cache line, nor to a pair of lines fetched together.
 */
static inline int64_t
rml_block_stride(int64_t n)
{
	return (n + 31) / 16 * 16;
}

#endif /* RETAILML_PARALLEL_H */
