/*
 * parallel.c
 *	  rml_parallel: a region that threads may join, and that comes up for air.
 *
 * The helpers are a team of threads that live as long as the process and sleep between regions.  The caller
 * opens a region, works in it, and closes it when no blocks are left; then it waits for those helpers only that
 * have joined.  An OpenMP region waits for all its threads: on a machine whose processors are taken, a
 * thread that is woken may have to wait for its turn ten times longer than the whole region takes, and the others
 * spin meanwhile.
 */
#include "retailml/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* how long threads work before the host may cancel */
#define SLICE_NANOSECONDS 20000000

/* how long the calling thread works alone before others are woken, which is not worth it for less */
#define ALONE_NANOSECONDS 30000

/* how long a thread looks for what it waits for before it sleeps: waking it takes about as long */
#define SPIN_NANOSECONDS 50000

typedef struct Region
{
	_Atomic int64_t next;
	int64_t n_blocks;
	int64_t deadline;
	RmlBlockFn fn;
	void *context;
} Region;

/* the process has one, as it has one OpenMP team; everything but inside is guarded by mutex */
typedef struct Team
{
	pthread_mutex_t mutex;
	pthread_cond_t opened;
	pthread_cond_t left;
	Region *region;          /* that may be joined; NULL: none */
	_Atomic uint64_t number; /* of regions opened so far */
	int places;              /* helpers the region takes */
	int joined;              /* that have joined it, ever */
	_Atomic int inside;      /* that have not left it yet */
	int helpers;             /* threads there are */
	bool busy;               /* a caller has a region */
} Team;

static Team team = {.mutex = PTHREAD_MUTEX_INITIALIZER,
					.opened = PTHREAD_COND_INITIALIZER,
					.left = PTHREAD_COND_INITIALIZER};

static int64_t
now_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* run blocks until there are none or the deadline passes */
static void
run_slice(Region *region, int64_t deadline, int thread)
{
	for (;;)
	{
		int64_t block;

		/*
		 * Look at the clock before taking a block, never between taking and running it: a block
		 * that has been taken must be run.
		 */
		if (now_nanoseconds() >= deadline)
			return;
		block = atomic_fetch_add_explicit(&region->next, 1, memory_order_relaxed);
		if (block >= region->n_blocks)
			return;
		region->fn(region->context, block, thread);
	}
}

/* ---- helpers ---- */

/* look for another region than the last for a while */
static void
await_number(uint64_t last)
{
	int64_t until = now_nanoseconds() + SPIN_NANOSECONDS;

	while (atomic_load_explicit(&team.number, memory_order_relaxed) == last &&
		   now_nanoseconds() < until)
		;
}

/* join regions, each at most once, as they are opened; holds the mutex but while it works or waits */
static void *
help(void *argument)
{
	uint64_t last = 0;

	(void) argument;
	pthread_mutex_lock(&team.mutex);
	for (;;)
	{
		Region *region = team.region;
		int thread;

		if (region == NULL || team.number == last || team.joined == team.places)
		{
			pthread_cond_wait(&team.opened, &team.mutex);
			continue;
		}
		thread = ++team.joined;
		last = team.number;
		team.inside++;
		pthread_mutex_unlock(&team.mutex);
		run_slice(region, region->deadline, thread);
		pthread_mutex_lock(&team.mutex);
		if (--team.inside == 0)
			pthread_cond_signal(&team.left);
		pthread_mutex_unlock(&team.mutex);
		await_number(last);
		pthread_mutex_lock(&team.mutex);
	}
	return NULL;
}

/* have this many helpers, or as many as the system gives */
static void
hire(int wanted)
{
	pthread_attr_t detached;
	pthread_t thread;

	if (team.helpers >= wanted)
		return;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	while (team.helpers < wanted && pthread_create(&thread, &detached, help, NULL) == 0)
		team.helpers++;
	pthread_attr_destroy(&detached);
}

/* ---- the caller ---- */

/* false: another thread has a region open */
static bool
open_region(Region *region, int helpers)
{
	bool mine;

	pthread_mutex_lock(&team.mutex);
	mine = !team.busy;
	if (mine)
	{
		hire(helpers);
		team.busy = true;
		team.region = region;
		team.places = helpers;
		team.joined = 0;
		team.number++;
		pthread_cond_broadcast(&team.opened);
	}
	pthread_mutex_unlock(&team.mutex);
	return mine;
}

/* nobody joins any more; wait for those that have */
static void
close_region(void)
{
	int64_t until = now_nanoseconds() + SPIN_NANOSECONDS;

	pthread_mutex_lock(&team.mutex);
	team.region = NULL;
	pthread_mutex_unlock(&team.mutex);
	while (atomic_load_explicit(&team.inside, memory_order_relaxed) > 0 &&
		   now_nanoseconds() < until)
		;
	pthread_mutex_lock(&team.mutex);
	while (team.inside > 0)
		pthread_cond_wait(&team.left, &team.mutex);
	team.busy = false;
	pthread_mutex_unlock(&team.mutex);
}

static void
run_serial(RmlEnv *env, int64_t n_blocks, RmlBlockFn fn, void *context)
{
	for (int64_t block = 0; block < n_blocks; block++)
	{
		fn(context, block, 0);
		env->poll(env);
	}
}

/* work with helpers until the blocks are done or the time of a slice is up */
static void
run_threads(Region *region, int threads)
{
	sigset_t all, saved;
	bool shared;

	/* threads inherit the mask, so no handler of the host ever runs in one of them */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	region->deadline = now_nanoseconds() + SLICE_NANOSECONDS;
	shared = open_region(region, threads - 1);
	run_slice(region, region->deadline, 0);
	if (shared)
		close_region();
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

void
rml_parallel(RmlEnv *env, int64_t n_blocks, RmlBlockFn fn, void *context)
{
	Region region = {.n_blocks = n_blocks, .fn = fn, .context = context};
	int threads = n_blocks < env->threads ? (int) n_blocks : env->threads;

	if (threads <= 1)
	{
		run_serial(env, n_blocks, fn, context);
		return;
	}
	run_slice(&region, now_nanoseconds() + ALONE_NANOSECONDS, 0);
	env->poll(env);
	while (atomic_load_explicit(&region.next, memory_order_relaxed) < n_blocks)
	{
		run_threads(&region, threads);
		env->poll(env);
	}
}
