/*
 * tasks.c
 *	  Threads with arenas of their own over malloc.
 *
 * The control block is malloc's as well: when the caller's poll does not return, the environment
 * calls finish() before it lets go of the memory the tasks read, and that stops and joins the
 * threads first.
 */
#include "retailml/tasks.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "retailml/block_list.h"

/* how often the calling thread looks whether it is cancelled */
#define WAIT_NANOSECONDS 10000000

/* memory of one allocation */
typedef struct Block
{
	RmlBlock link;
	size_t size;
	size_t unused; /* what follows is aligned to 16 */
} Block;

typedef struct Worker
{
	RmlEnv env; /* first: RmlEnv * and Worker * are one address */
	RmlTasks *tasks;
	pthread_t thread;
	bool started;
	RmlBlock *blocks; /* each the link of a Block */
	jmp_buf exit;
} Worker;

struct RmlTasks
{
	RmlTaskFn fn;
	void *context;
	int64_t n_tasks;
	_Atomic int64_t next;
	_Atomic bool stop;       /* tasks leave at their next poll */
	_Atomic size_t used;     /* bytes of all arenas */
	_Atomic size_t exceeded; /* bytes that would have been used, beyond the limit; 0 = none */
	_Atomic bool refused;    /* the system had no memory, within the limit */
	size_t limit;
	pthread_mutex_t mutex;
	pthread_cond_t ended;
	int running;         /* threads; guarded by mutex */
	RmlCleanup *cleanup; /* in the caller's arena; NULL: nothing to clean up */
	int n_workers;
	Worker *workers;
};

/* ---- the environment of a task ---- */

static void *
task_alloc(RmlEnv *env, size_t size)
{
	Worker *worker = (Worker *) env;
	RmlTasks *tasks = worker->tasks;
	size_t room = atomic_load(&tasks->used);
	Block *block = NULL;

	if (size > tasks->limit || room > tasks->limit - size)
		atomic_store(&tasks->exceeded, size > SIZE_MAX - room ? SIZE_MAX : room + size);
	else if ((block = malloc(sizeof(Block) + size)) == NULL)
		atomic_store(&tasks->refused, true);
	if (block == NULL)
	{
		atomic_store(&tasks->stop, true);
		longjmp(worker->exit, 1);
	}
	atomic_fetch_add(&tasks->used, size);
	block->size = size;
	rml_block_link(&worker->blocks, &block->link);
	return block + 1;
}

static void
task_release(RmlEnv *env, void *ptr)
{
	Worker *worker = (Worker *) env;
	Block *block;

	if (ptr == NULL)
		return;
	block = (Block *) ptr - 1;
	rml_block_unlink(&worker->blocks, &block->link);
	atomic_fetch_sub(&worker->tasks->used, block->size);
	free(block);
}

static void
task_poll(RmlEnv *env)
{
	Worker *worker = (Worker *) env;

	if (atomic_load_explicit(&worker->tasks->stop, memory_order_relaxed))
		longjmp(worker->exit, 1);
}

static void
task_progress(RmlEnv *env, const char *what, int64_t step, double loss)
{
	(void) env, (void) what, (void) step, (void) loss;
}

static size_t
task_room(RmlEnv *env)
{
	const RmlTasks *tasks = ((Worker *) env)->tasks;
	size_t used = atomic_load(&tasks->used);

	return used < tasks->limit ? tasks->limit - used : 0;
}

/* the arena goes with the caller's, which does the cleaning up; tasks have nothing else */
static void
task_at_end(RmlEnv *env, RmlCleanup *cleanup)
{
	(void) env, (void) cleanup;
}

static void
worker_init(Worker *worker, RmlTasks *tasks)
{
	*worker = (Worker){.tasks = tasks,
					   .env = {.alloc = task_alloc,
							   .release = task_release,
							   .poll = task_poll,
							   .progress = task_progress,
							   .valid_text = NULL,
							   .room = task_room,
							   .at_end = task_at_end,
							   .threads = 1}};
}

/* ---- threads ---- */

static void *
work(void *argument)
{
	Worker *worker = argument;
	RmlTasks *tasks = worker->tasks;

	while (!atomic_load(&tasks->stop))
	{
		int64_t task = atomic_fetch_add(&tasks->next, 1);

		if (task >= tasks->n_tasks || setjmp(worker->exit) != 0)
			break;
		tasks->fn(&worker->env, task, tasks->context);
	}
	pthread_mutex_lock(&tasks->mutex);
	tasks->running--;
	pthread_cond_signal(&tasks->ended);
	pthread_mutex_unlock(&tasks->mutex);
	return NULL;
}

static void
join(RmlTasks *tasks)
{
	for (int i = 0; i < tasks->n_workers; i++)
		if (tasks->workers[i].started)
			pthread_join(tasks->workers[i].thread, NULL);
	for (int i = 0; i < tasks->n_workers; i++)
		tasks->workers[i].started = false;
}

static void
free_blocks(Worker *worker)
{
	while (worker->blocks != NULL)
	{
		RmlBlock *block = worker->blocks;

		worker->blocks = block->next;
		free(block);
	}
}

/* stop the threads and free everything */
static void
finish(void *argument)
{
	RmlTasks *tasks = argument;

	atomic_store(&tasks->stop, true);
	join(tasks);
	for (int i = 0; i < tasks->n_workers; i++)
		free_blocks(&tasks->workers[i]);
	pthread_mutex_destroy(&tasks->mutex);
	pthread_cond_destroy(&tasks->ended);
	free(tasks->workers);
	free(tasks);
}

/* NULL when there is no memory */
static RmlTasks *
create(RmlEnv *env, int n_workers)
{
	RmlTasks *tasks = calloc(1, sizeof(RmlTasks));
	Worker *workers = calloc((size_t) n_workers, sizeof(Worker));

	if (tasks == NULL || workers == NULL)
	{
		free(tasks);
		free(workers);
		return NULL;
	}
	tasks->n_workers = n_workers;
	tasks->workers = workers;
	tasks->limit = env->room(env);
	pthread_mutex_init(&tasks->mutex, NULL);
	pthread_cond_init(&tasks->ended, NULL);
	for (int i = 0; i < n_workers; i++)
		worker_init(&workers[i], tasks);
	return tasks;
}

/* threads inherit the mask, so no handler of the host ever runs in one of them */
static void
start(RmlTasks *tasks)
{
	sigset_t all, saved;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	pthread_mutex_lock(&tasks->mutex);
	for (int i = 0; i < tasks->n_workers; i++)
	{
		Worker *worker = &tasks->workers[i];

		worker->started = pthread_create(&worker->thread, NULL, work, worker) == 0;
		tasks->running += worker->started;
	}
	pthread_mutex_unlock(&tasks->mutex);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

static bool
wait_a_little(RmlTasks *tasks)
{
	struct timespec until;
	bool running;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += WAIT_NANOSECONDS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&tasks->mutex);
	if (tasks->running > 0)
		pthread_cond_timedwait(&tasks->ended, &tasks->mutex, &until);
	running = tasks->running > 0;
	pthread_mutex_unlock(&tasks->mutex);
	return running;
}

static void
run_here(RmlEnv *env, int64_t first, int64_t n_tasks, RmlTaskFn fn, void *context)
{
	for (int64_t task = first; task < n_tasks; task++)
	{
		fn(env, task, context);
		env->poll(env);
	}
}

/* tasks of threads that could not be started are done here */
static void
wait_for_all(RmlTasks *tasks, RmlEnv *env)
{
	while (wait_a_little(tasks))
		env->poll(env);
	join(tasks);
	/*
	 * Leave as the environment leaves when it refuses memory.  What the system refused the environment might
	 * be granted now, so it is asked for more than there can be: tasks have been left undone.
	 */
	if (atomic_load(&tasks->exceeded) != 0)
		env->alloc(env, atomic_load(&tasks->exceeded));
	if (atomic_load(&tasks->exceeded) != 0 || atomic_load(&tasks->refused))
		env->alloc(env, SIZE_MAX);
	run_here(env, atomic_load(&tasks->next), tasks->n_tasks, tasks->fn, tasks->context);
}

RmlTasks *
rml_tasks_run(RmlEnv *env, int64_t n_tasks, RmlTaskFn fn, void *context)
{
	int threads = n_tasks < env->threads ? (int) n_tasks : env->threads;
	RmlCleanup *cleanup;
	RmlTasks *tasks;

	if (threads <= 1)
	{
		run_here(env, 0, n_tasks, fn, context);
		return NULL;
	}
	cleanup = rml_alloc_zero(env, sizeof *cleanup);
	tasks = create(env, threads);
	if (tasks == NULL)
		env->alloc(env, SIZE_MAX);
	tasks->n_tasks = n_tasks;
	tasks->fn = fn;
	tasks->context = context;
	tasks->cleanup = cleanup;
	*cleanup = (RmlCleanup){.function = finish, .argument = tasks};
	env->at_end(env, cleanup);
	start(tasks);
	wait_for_all(tasks, env);
	return tasks;
}

void
rml_tasks_free(RmlTasks *tasks)
{
	if (tasks == NULL)
		return;
	tasks->cleanup->function = NULL;
	finish(tasks);
}
