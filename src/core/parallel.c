/*
 * parallel.c
 *	  rml_parallel: a region of threads that comes up for air.
 */
#include "retailml/parallel.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "retailml/team.h"

/* how long threads work before the host may cancel */
#define SLICE_NANOSECONDS 20000000

/*
 * How long the calling thread works alone before others are woken.  On a machine whose processors
 * are taken, a thread that is woken may wait for its turn much longer than a small region takes.
 */
#define ALONE_NANOSECONDS 200000

/*
 * A thread that comes later than this shows that the processors are taken, and one that has begun a block may
 * lose its own before the end, with everybody waiting for it; so for so many times the delay the
 * calling thread works alone, and not more than that part of the time is lost by waiting.
 */
#define LATE_NANOSECONDS 1000000
#define ALONE_FOR_DELAYS 20

static int64_t
now_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- blocks ---- */

typedef struct Blocks
{
	RmlBlockFn fn;
	void *context;
	int64_t n;
	_Atomic int64_t next;
	int64_t start; /* of the region */
	int64_t deadline;
	_Atomic int64_t delay; /* the largest of its threads */
} Blocks;

/* run blocks until there are none or the deadline passes */
static void
run_slice(Blocks *blocks, int thread)
{
	for (;;)
	{
		int64_t block;

		/*
		 * Look at the clock before taking a block, never between taking and running it: a block
		 * that has been taken must be run.
		 */
		if (now_nanoseconds() >= blocks->deadline)
			return;
		block = atomic_fetch_add_explicit(&blocks->next, 1, memory_order_relaxed);
		if (block >= blocks->n)
			return;
		blocks->fn(blocks->context, block, thread);
	}
}

static void
run_serial(RmlEnv *env, int64_t n_blocks, RmlBlockFn fn, void *context)
{
	for (int64_t block = 0; block < n_blocks; block++)
	{
		env->in_region = true;
		fn(context, block, 0);
		env->in_region = false;
		env->poll(env);
	}
}

static void
run_alone_for(RmlEnv *env, Blocks *blocks, int64_t nanoseconds)
{
	blocks->deadline = now_nanoseconds() + nanoseconds;
	env->in_region = true;
	run_slice(blocks, 0);
	env->in_region = false;
}

/* the largest delay so far */
static void
note_delay(Blocks *blocks)
{
	int64_t delay = now_nanoseconds() - blocks->start;
	int64_t known = atomic_load_explicit(&blocks->delay, memory_order_relaxed);

	while (delay > known && !atomic_compare_exchange_weak(&blocks->delay, &known, delay))
		;
}

static void
run_member(void *context, int member, int members)
{
	Blocks *blocks = context;

	(void) members;
	if (member > 0)
		note_delay(blocks);
	run_slice(blocks, member);
}

/* one region, until the blocks are done or its time is up; the delay of the last thread to come */
static int64_t
run_threads(RmlEnv *env, Blocks *blocks, int threads)
{
	blocks->start = now_nanoseconds();
	blocks->deadline = blocks->start + SLICE_NANOSECONDS;
	atomic_store(&blocks->delay, 0);
	env->in_region = true;
	if (rml_team_run(env, threads, false, run_member, blocks) < threads)
		note_delay(blocks);
	env->in_region = false;
	return atomic_load(&blocks->delay);
}

/* with threads, or alone while they would come late */
static void
run_part(RmlEnv *env, Blocks *blocks, int threads)
{
	int64_t delay;

	threads = now_nanoseconds() < env->alone_until ? 1 : rml_team_gather(env, threads);
	if (threads == 1)
	{
		run_alone_for(env, blocks, SLICE_NANOSECONDS);
		return;
	}
	delay = run_threads(env, blocks, threads);
	if (delay > LATE_NANOSECONDS)
		env->alone_until = now_nanoseconds() + ALONE_FOR_DELAYS * delay;
}

void
rml_parallel(RmlEnv *env, int64_t n_blocks, RmlBlockFn fn, void *context)
{
	Blocks blocks = {.fn = fn, .context = context, .n = n_blocks};
	int threads = n_blocks < env->threads ? (int) n_blocks : env->threads;

	if (threads <= 1)
	{
		run_serial(env, n_blocks, fn, context);
		return;
	}
	run_alone_for(env, &blocks, ALONE_NANOSECONDS);
	env->poll(env);
	while (atomic_load_explicit(&blocks.next, memory_order_relaxed) < n_blocks)
	{
		run_part(env, &blocks, threads);
		env->poll(env);
	}
}

/* ---- steps ---- */

/* a barrier tries for so long before it lets others have the processor */
#define SPINS 4000

/* the slower way is tried for so long, and again after so many times that */
#define TRIED_NANOSECONDS 4000000
#define TRIED_AGAIN_AFTER 50

typedef struct Steps
{
	RmlStepFn fn;
	void *context;
	int64_t n_steps;
	int64_t next;            /* the first step that has not been run; between regions */
	int64_t deadline;        /* of the region */
	_Atomic int64_t arrived; /* threads at barriers of the region, all barriers together */
	_Atomic int64_t last; /* the step the region ends with, once it is known; till then n_steps */
} Steps;

static void
barrier(Steps *steps, int64_t generation, int parts)
{
	int64_t all = generation * parts;

	atomic_fetch_add_explicit(&steps->arrived, 1, memory_order_acq_rel);
	for (int spins = 0; atomic_load_explicit(&steps->arrived, memory_order_acquire) < all; spins++)
	{
		if (spins >= SPINS)
			sched_yield();
#if defined(__x86_64__)
		else
			__builtin_ia32_pause();
#endif
	}
}

/* the steps of one region, as one of its threads sees them */
static void
run_team(void *context, int part, int parts)
{
	Steps *steps = context;
	int64_t first = steps->next;

	for (int64_t step = first;; step++)
	{
		steps->fn(steps->context, step, part, parts);
		if (part == 0 && (step + 1 == steps->n_steps || now_nanoseconds() >= steps->deadline))
			atomic_store_explicit(&steps->last, step, memory_order_relaxed);
		barrier(steps, step - first + 1, parts);
		/* a thread may still be here when the last step is already under way: it has to take part */
		if (step < atomic_load_explicit(&steps->last, memory_order_relaxed))
			continue;
		/* every thread has read next before the first barrier */
		if (part == 0)
			steps->next = step + 1;
		return;
	}
}

/* one region; all threads take part, since they wait for one another */
static void
run_together(RmlEnv *env, Steps *steps, int threads)
{
	atomic_store(&steps->arrived, 0);
	atomic_store(&steps->last, steps->n_steps);
	rml_team_run(env, threads, true, run_team, steps);
}

static void
run_alone(Steps *steps)
{
	do
		steps->fn(steps->context, steps->next++, 0, 1);
	while (steps->next < steps->n_steps && now_nanoseconds() < steps->deadline);
}

/* when both ways have been tried, the faster; the other one when it is time to try it */
static bool
go_together(const RmlPace *pace, int64_t now)
{
	bool together = pace->together.step < pace->alone.step;
	const RmlPaceWay *other = together ? &pace->alone : &pace->together;

	return other->step > 0 && now >= other->again ? !together : together;
}

static int64_t
time_for(const RmlPaceWay *way, const RmlPaceWay *other)
{
	if (way->step == 0)
		return other->step == 0 ? ALONE_NANOSECONDS : TRIED_NANOSECONDS;
	return other->step == 0 || way->step < other->step ? SLICE_NANOSECONDS : TRIED_NANOSECONDS;
}

/* a slice of steps, the first one alone */
static void
run_some(RmlEnv *env, Steps *steps, RmlPace *pace)
{
	int64_t start = now_nanoseconds();
	int64_t first = steps->next;
	bool together = env->threads > 1 && go_together(pace, start);
	int threads = together ? rml_team_gather(env, env->threads) : 1;
	RmlPaceWay *way = together ? &pace->together : &pace->alone;
	int64_t elapsed;

	steps->deadline = start + time_for(way, together ? &pace->alone : &pace->together);
	env->in_region = true;
	if (threads > 1)
		run_together(env, steps, threads);
	else
		run_alone(steps);
	env->in_region = false;
	elapsed = now_nanoseconds() - start;
	way->step = (double) elapsed / (double) (steps->next - first);
	way->again = start + elapsed + TRIED_AGAIN_AFTER * elapsed;
}

void
rml_parallel_steps(RmlEnv *env, int64_t n_steps, RmlStepFn fn, void *context, RmlPace *pace)
{
	Steps steps = {.fn = fn, .context = context, .n_steps = n_steps};

	while (steps.next < n_steps)
	{
		run_some(env, &steps, pace);
		env->poll(env);
	}
}
