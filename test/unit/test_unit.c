/*
 * test_unit.c
 *	  The harness itself: near means near, the arena accounts for what it gives, the exits work.
 */
#include "unit.h"

#include <math.h>

static void
test_numbers(void)
{
	const double got[] = {1.0, 2.0, NAN};
	const double wanted[] = {1.0, 2.0 + 1e-9, NAN};

	unit_near(1e6 + 1e-4, 1e6, 1e-9, "tolerance is relative for large numbers");
	unit_near(1e-12, 0, 1e-9, "and absolute for small ones");
	unit_near(INFINITY, INFINITY, 0, "an infinity is near itself");
	unit_near_array(got, wanted, 3, 1e-8, "arrays, NaN included");
	unit_equal_string(NULL, NULL, "NULL equals NULL");
	unit_contains("k must be at least 1", "at least", "a fragment of a reason");
}

static void
test_arena(void)
{
	RmlEnv *env = unit_env(1);
	char *text = rml_format(env, "%d of %s", 3, "four");
	double *numbers = RML_NEW(env, double, 100);

	unit_equal_string(text, "3 of four", "rml_format writes into the arena");
	unit_ok(isnan(numbers[99]), "fresh memory reads as NaN");
	unit_ok((uintptr_t) numbers % 16 == 0, "memory is aligned to 16");
	unit_equal_int((int64_t) unit_env_in_use(env), 810, "the arena counts what it gave");
	rml_release(env, text);
	rml_release(env, NULL);
	unit_equal_int((int64_t) unit_env_in_use(env), 800, "and what came back");
	unit_equal_int((int64_t) unit_env_peak(env), 810, "and remembers the most");
	unit_env_reset(env);
	unit_equal_int((int64_t) unit_env_in_use(env), 0, "reset gives everything back");
	unit_env_free(env);
}

/* a kernel that polls for ever */
static void
poll_for_ever(RmlEnv *env)
{
	for (;;)
	{
		(void) rml_alloc(env, 8);
		rml_poll(env);
	}
}

static void
test_exits(void)
{
	RmlEnv *env = unit_env(1);

	unit_env_cancel_after(env, 5);
	unit_ok(UNIT_ESCAPES(env, poll_for_ever(env)), "poll cancels");
	unit_equal_int(unit_env_polls(env), 5, "at the poll that was asked for");
	unit_equal_string(unit_env_reason(env), "cancelled", "and says so");
	unit_ok(!UNIT_ESCAPES(env, rml_poll(env)), "the next poll returns");
	unit_ok(UNIT_ESCAPES(env, (void) RML_NEW(env, double, SIZE_MAX / 2)),
			"a product that overflows is refused");
	unit_env_limit(env, 1000);
	unit_ok(UNIT_ESCAPES(env, (void) rml_alloc(env, 1001)), "and so is too much memory");
	unit_equal_string(unit_env_reason(env), "out of memory", "with its own reason");
	env->progress(env, "iteration", 1, 0.5);
	unit_equal_int(unit_env_steps(env), 1, "progress is counted");
	unit_env_free(env);
}

int
main(void)
{
	test_numbers();
	test_arena();
	test_exits();
	return unit_done();
}
