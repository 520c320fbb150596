/* Tasks: their results, their memory, and how they end. */
#include <stdatomic.h>
#include <unistd.h>

#include "retailml/tasks.h"
#include "unit.h"

#define N 40

typedef struct Sums
{
	int64_t *parts[N]; /* what each task allocated */
	size_t bytes;      /* that each takes on top */
} Sums;

static void
add_up(RmlEnv *env, int64_t task, void *context)
{
	Sums *sums = context;
	int64_t *scratch = RML_NEW(env, int64_t, 1000);

	sums->parts[task] = RML_NEW_ZERO(env, int64_t, 1);
	for (int64_t i = 0; i < 1000; i++)
		scratch[i] = task * i;
	for (int64_t i = 0; i < 1000; i++)
		*sums->parts[task] += scratch[i];
	rml_release(env, scratch);
	if (sums->bytes > 0)
		rml_alloc(env, sums->bytes);
	rml_poll(env);
}

static void
test_results(int threads)
{
	RmlEnv *env = unit_env(threads);
	Sums sums = {0};
	RmlTasks *tasks = rml_tasks_run(env, N, add_up, &sums);
	bool right = true;

	for (int64_t task = 0; task < N; task++)
		right = right && *sums.parts[task] == task * 499500;
	unit_ok(right, "each task's result is there, %d threads", threads);
	unit_ok((tasks == NULL) == (threads == 1), "one thread runs in the caller's environment");
	rml_tasks_free(tasks);
	unit_env_free(env);
}

static void
for_ever(RmlEnv *env, int64_t task, void *context)
{
	_Atomic int64_t *beats = context;

	(void) task;
	rml_alloc(env, 1000);
	for (;;)
	{
		(*beats)++;
		usleep(100);
		rml_poll(env);
	}
}

static void
test_cancel(int threads)
{
	RmlEnv *env = unit_env(threads);
	_Atomic int64_t beats = 0;
	int64_t after;

	unit_env_cancel_after(env, 3);
	unit_ok(UNIT_ESCAPES(env, rml_tasks_run(env, 4, for_ever, &beats)),
			"endless tasks can be cancelled, %d threads", threads);
	after = beats;
	usleep(20000);
	unit_ok(after > 0 && beats == after, "none is left to touch what the caller had on its stack");
	unit_equal_string(unit_env_reason(env), "cancelled", "and that is the reason");
	unit_env_free(env);
}

static void
test_memory(void)
{
	RmlEnv *env = unit_env(2);
	Sums sums = {.bytes = 1 << 20};

	unit_env_limit(env, 8 << 20);
	unit_ok(UNIT_ESCAPES(env, rml_tasks_run(env, N, add_up, &sums)),
			"tasks cannot take more than there is room for");
	unit_equal_string(unit_env_reason(env), "out of memory", "and that is the reason");
	unit_env_free(env);
}

/* malloc fails where memory is short, as it does without the sanitizer */
extern const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* more than the address space of the process has, and less than the environment's limit */
static void
ask_much(RmlEnv *env, int64_t task, void *context)
{
	(void) task, (void) context;
	rml_alloc(env, (size_t) 1 << 62);
}

/* what the system refuses ends all tasks as well, even if the environment would still grant it */
static void
test_system_memory(void)
{
	RmlEnv *env = unit_env(2);

	unit_env_limit(env, SIZE_MAX);
	unit_ok(UNIT_ESCAPES(env, rml_tasks_run(env, 2, ask_much, NULL)),
			"tasks the system has no memory for are not passed over in silence");
	unit_equal_string(unit_env_reason(env), "out of memory", "and that is the reason");
	unit_env_free(env);
}

int
main(void)
{
	test_results(1);
	test_results(2);
	test_results(4);
	test_cancel(1);
	test_cancel(2);
	test_memory();
	test_system_memory();
	return unit_done();
}
