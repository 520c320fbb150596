/*
 * test_scope.c
 *	  Memory that is given back at once.
 */
#include "unit.h"

#include "retailml/scope.h"

static void
test_memory(RmlEnv *env)
{
	size_t before = unit_env_in_use(env);
	RmlScope scope;
	int32_t *first, *middle, *last;

	rml_scope_begin(&scope, env);
	first = RML_NEW(&scope.env, int32_t, 100);
	middle = RML_NEW(&scope.env, int32_t, 200);
	last = RML_NEW(&scope.env, int32_t, 300);
	for (int i = 0; i < 100; i++)
		first[i] = middle[i] = last[i] = i;
	rml_release(&scope.env, middle);
	rml_release(&scope.env, NULL);
	unit_ok(first[99] == 99 && last[99] == 99, "what is not released stays");
	rml_release(&scope.env, last);
	rml_release(&scope.env, first);
	unit_equal_int((int64_t) unit_env_in_use(env), (int64_t) before,
				   "all pieces can be released one by one");
	for (int i = 0; i < 50; i++)
		RML_NEW(&scope.env, double, (size_t) i);
	unit_ok(unit_env_in_use(env) > before, "memory is that of the environment around it");
	rml_scope_end(&scope);
	unit_equal_int((int64_t) unit_env_in_use(env), (int64_t) before,
				   "and all of it goes at the end");
	unit_ok(RML_NEW(&scope.env, char, 1) != NULL, "after which it starts again");
	rml_scope_end(&scope);
}

static void
test_manners(RmlEnv *env)
{
	RmlScope scope;

	rml_scope_begin(&scope, env);
	unit_equal_int(scope.env.threads, 1, "a scope has one thread");
	unit_env_limit(env, unit_env_in_use(env) + 1000);
	unit_ok(scope.env.room(&scope.env) <= 1000, "its room is that of the environment around it");
	unit_ok(UNIT_ESCAPES(env, RML_NEW(&scope.env, char, 2000)), "and so is its limit");
	unit_ok(UNIT_ESCAPES(env, RML_NEW(&scope.env, char, SIZE_MAX)), "also of a size without sense");
	unit_env_limit(env, (size_t) 1 << 33);
	unit_env_cancel_after(env, 1);
	unit_ok(UNIT_ESCAPES(env, rml_poll(&scope.env)), "a poll may not return");
	scope.env.progress(&scope.env, "step", 1, 0.5);
	unit_equal_int(unit_env_steps(env), 0, "progress is not reported");
}

int
main(void)
{
	RmlEnv *env = unit_env(2);

	test_memory(env);
	test_manners(env);
	unit_env_free(env);
	return unit_done();
}
