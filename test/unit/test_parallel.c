/*
 * test_parallel.c
 *	  Every block once, the same result for any number of threads, signals blocked, polls in time.
 */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "retailml/parallel.h"

enum
{
	MOST_BLOCKS = 10000
};

typedef struct Visits
{
	_Atomic int count[MOST_BLOCKS];
	_Atomic bool bad_thread;
	_Atomic int elsewhere; /* blocks run by other threads */
	_Atomic int unblocked; /* of those, with SIGINT open */
	int threads;
	bool wait;
} Visits;

/* let time pass by the clock */
static void
spin(int64_t nanoseconds)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000000000LL + now.tv_nsec - begin.tv_nsec < nanoseconds);
}

static int64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* another thread runs a block as well, unless it does not come within ten seconds */
static void
wait_for_others(const _Atomic int *elsewhere)
{
	int64_t end = milliseconds() + 10000;

	while (*elsewhere == 0 && milliseconds() < end)
		sched_yield();
}

/*
 * The first two blocks take longer than the calling thread works alone, so a third one is shared; where there are
 * more, it waits for another thread to come.
 */
static void
visit(void *context, int64_t block, int thread)
{
	Visits *visits = context;
	sigset_t mask;

	atomic_fetch_add(&visits->count[block], 1);
	if (thread < 0 || thread >= visits->threads)
		visits->bad_thread = true;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (thread > 0)
	{
		atomic_fetch_add(&visits->elsewhere, 1);
		if (!sigismember(&mask, SIGINT))
			atomic_fetch_add(&visits->unblocked, 1);
	}
	else if (block == 2 && visits->wait)
		wait_for_others(&visits->elsewhere);
	spin(block < 2 ? 150000 : 2000);
}

static void
check_visits(int threads, int64_t n_blocks)
{
	static Visits visits;
	RmlEnv *env = unit_env(threads);
	bool once = true;
	sigset_t mask;

	memset((void *) &visits, 0, sizeof visits);
	visits.threads = threads;
	visits.wait = threads > 1 && n_blocks == MOST_BLOCKS;
	rml_parallel(env, n_blocks, visit, &visits);
	for (int64_t i = 0; i < MOST_BLOCKS; i++)
		once = once && visits.count[i] == (i < n_blocks);
	unit_ok(once && !visits.bad_thread, "%d threads run each of %lld blocks once", threads,
			(long long) n_blocks);
	if (visits.wait)
		unit_ok(visits.elsewhere > 0 && visits.unblocked == 0, "threads have signals blocked");
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	unit_ok(!sigismember(&mask, SIGINT), "here they are open afterwards");
	unit_env_free(env);
}

/* partial sums of numbers whose sum depends on the order it is taken in */
typedef struct Sums
{
	double partial[100];
} Sums;

static void
add_up(void *context, int64_t block, int thread)
{
	Sums *sums = context;
	double sum = 0;

	(void) thread;
	for (int i = 0; i < 1000; i++)
		sum += 1.0 / (double) (block * 1000 + i + 1);
	sums->partial[block] = sum;
}

static double
harmonic(int threads)
{
	RmlEnv *env = unit_env(threads);
	Sums sums;
	double total = 0;

	rml_parallel(env, 100, add_up, &sums);
	for (int block = 0; block < 100; block++)
		total += sums.partial[block];
	unit_env_free(env);
	return total;
}

static void
test_same_sum(void)
{
	double one = harmonic(1);

	/* numpy 2.4.6: math.fsum(1 / np.arange(1, 100001)) = 12.090146129863427 */
	unit_near(one, 12.090146129863427, 1e-14, "the harmonic sum");
	for (int threads = 2; threads <= 5; threads++)
	{
		double sum = harmonic(threads);

		unit_equal_bytes(&sum, &one, sizeof one, "has the same bits with %d threads", threads);
	}
}

static void
take_a_millisecond(void *context, int64_t block, int thread)
{
	(void) context;
	(void) block;
	(void) thread;
	spin(1000000);
}

/*
 * A slice is 20 ms long, so no thread begins more than 20 blocks of a millisecond in it (and one
 * at its end): at least 200 / (2 * 21) slices, however busy the machine is.
 */
static void
test_polls(void)
{
	RmlEnv *env = unit_env(2);
	sigset_t mask;
	int64_t polls;

	rml_parallel(env, 200, take_a_millisecond, NULL);
	polls = unit_env_polls(env);
	unit_ok(polls >= 5, "200 ms of work are polled (%lld times)", (long long) polls);
	unit_env_cancel_after(env, 2);
	unit_ok(UNIT_ESCAPES(env, rml_parallel(env, 1000, take_a_millisecond, NULL)), "and cancelled");
	unit_equal_int(unit_env_polls(env) - polls, 2, "at the second poll");
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	unit_ok(!sigismember(&mask, SIGINT), "a cancel leaves signals open");
	unit_env_free(env);
	env = unit_env(1);
	rml_parallel(env, 30, take_a_millisecond, NULL);
	unit_equal_int(unit_env_polls(env), 30, "one thread polls after every block");
	unit_env_free(env);
}

/* a recurrence over all cells: cell i takes its left neighbour's value of the step before */
enum
{
	CELLS = 64,
	STEPS = 3000
};

typedef struct Chain
{
	uint64_t cells[2][CELLS];
	_Atomic int shared;    /* parts run by other threads */
	_Atomic int unblocked; /* of those, with SIGINT open */
	_Atomic bool bad_part;
} Chain;

static void
advance(void *context, int64_t step, int part, int parts)
{
	Chain *chain = context;
	const uint64_t *from = chain->cells[step % 2];
	uint64_t *to = chain->cells[1 - step % 2];
	sigset_t mask;

	if (part < 0 || part >= parts)
		chain->bad_part = true;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (part > 0)
	{
		atomic_fetch_add(&chain->shared, 1);
		if (!sigismember(&mask, SIGINT))
			atomic_fetch_add(&chain->unblocked, 1);
	}
	for (int i = CELLS * part / parts; i < CELLS * (part + 1) / parts; i++)
		to[i] = from[(i + CELLS - 1) % CELLS] * 6364136223846793005u + (uint64_t) i;
	/* the first ones take longer than the calling thread works alone */
	spin(step < 2 ? 150000 : 1000);
}

static void
check_steps(int threads)
{
	RmlEnv *env = unit_env(threads);
	RmlPace pace = {0};
	static Chain chain, alone;
	sigset_t mask;

	memset((void *) &chain, 0, sizeof chain);
	memset((void *) &alone, 0, sizeof alone);
	chain.cells[0][0] = alone.cells[0][0] = 1;
	for (int64_t step = 0; step < STEPS; step++)
		advance(&alone, step, 0, 1);
	rml_parallel_steps(env, STEPS, advance, &chain, &pace);
	unit_equal_bytes(chain.cells, alone.cells, sizeof chain.cells,
					 "steps of %d threads build on one another", threads);
	unit_ok(!chain.bad_part && (threads == 1 || (chain.shared > 0 && chain.unblocked == 0)),
			"and are shared out, signals blocked");
	unit_ok(unit_env_polls(env) > 0, "polled");
	unit_env_cancel_after(env, 2);
	unit_ok(UNIT_ESCAPES(env, rml_parallel_steps(env, 1000000, advance, &chain, &pace)),
			"and cancelled");
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	unit_ok(!sigismember(&mask, SIGINT), "with signals open again");
	unit_env_free(env);
	env = unit_env(threads);
	rml_parallel_steps(env, 0, advance, &chain, &pace);
	unit_env_free(env);
}

/* a region ends while some thread still leaves the barrier before: all must take part in its last step */
static void
check_ends(int threads)
{
	static Chain chain;

	for (int round = 0; round < 200; round++)
	{
		RmlEnv *env = unit_env(threads);
		RmlPace pace = {0};

		rml_parallel_steps(env, 20, advance, &chain, &pace);
		unit_env_free(env);
	}
	unit_ok(!chain.bad_part, "200 regions of %d threads end", threads);
}

/* steps that take much longer with threads are soon run alone */
static void
hinder(void *context, int64_t step, int part, int parts)
{
	int64_t *together = context;

	(void) step;
	if (part == 0 && parts > 1)
		++*together;
	spin(parts > 1 ? 100000 : 5000);
}

static void
test_pace(void)
{
	RmlEnv *env = unit_env(2);
	RmlPace pace = {0};
	int64_t together = 0;

	for (int call = 0; call < 10; call++)
		rml_parallel_steps(env, STEPS, hinder, &together, &pace);
	unit_ok(together > 0 && together < STEPS, "threads that hinder run few of the steps (%d)",
			(int) together);
	unit_ok(pace.together.step > pace.alone.step && pace.alone.step >= 5000,
			"since it is measured, ns a step: %.0f alone, %.0f together", pace.alone.step,
			pace.together.step);
	unit_env_free(env);
}

static void
add_one(void *context, int64_t block, int thread)
{
	_Atomic int64_t *blocks = context;

	(void) block, (void) thread;
	atomic_fetch_add(blocks, 1);
	spin(20000);
}

static void
check_refused(int threads)
{
	RmlEnv *env = unit_env(threads);
	RmlPace pace = {0};
	static Chain chain;
	_Atomic int64_t blocks = 0;

	chain = (Chain){.bad_part = false};
	rml_parallel(env, 200, add_one, &blocks);
	unit_equal_int(blocks, 200, "all blocks are run where the system refuses %d threads", threads);
	rml_parallel_steps(env, STEPS, advance, &chain, &pace);
	unit_ok(chain.shared == 0 && pace.alone.step > 0 && pace.together.step > 0,
			"and all steps, by one thread");
	unit_env_free(env);
}

/* a stack larger than all memory there is: no thread can be started */
static void
test_refused(void)
{
	pthread_attr_t before, huge;

	pthread_attr_init(&huge);
	pthread_getattr_default_np(&before);
	pthread_getattr_default_np(&huge);
	unit_ok(pthread_attr_setstacksize(&huge, (size_t) 1 << 60) == 0 &&
				pthread_setattr_default_np(&huge) == 0,
			"threads want stacks that nobody has");
	check_refused(2);
	check_refused(4);
	pthread_setattr_default_np(&before);
	pthread_attr_destroy(&before);
	pthread_attr_destroy(&huge);
}

static void
test_blocks(void)
{
	unit_equal_int(rml_blocks(0, 100), 0, "no rows need no block");
	unit_equal_int(rml_blocks(100, 100), 1, "100 rows are a block of 100");
	unit_equal_int(rml_blocks(101, 100), 2, "101 are two");
	unit_equal_int(rml_block_end(0, 100, 101), 100, "the first of them is full");
	unit_equal_int(rml_block_end(1, 100, 101), 101, "the last ends with the rows");
}

int
main(void)
{
	for (int threads = 1; threads <= 4; threads++)
	{
		check_visits(threads, 0);
		check_visits(threads, 1);
		check_visits(threads, 3);
		check_visits(threads, MOST_BLOCKS);
	}
	test_same_sum();
	test_polls();
	for (int threads = 1; threads <= 4; threads++)
		check_steps(threads);
	for (int threads = 2; threads <= 6; threads += 2)
		check_ends(threads);
	test_pace();
	test_refused();
	test_blocks();
	return unit_done();
}
