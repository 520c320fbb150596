/*
 * test_env.c
 *	  What kernels get from their environment through rml_alloc and its kin.
 */
#include "unit.h"

static bool
all_bytes_are(const void *memory, size_t size, uint8_t value)
{
	const uint8_t *bytes = memory;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static void
test_allocations(RmlEnv *env)
{
	int64_t *numbers = RML_NEW(env, int64_t, 5);
	int32_t *zeros = RML_NEW_ZERO(env, int32_t, 1000);

	unit_ok(all_bytes_are(numbers, 40, 0xFF), "rml_alloc leaves memory alone");
	unit_ok(all_bytes_are(zeros, 4000, 0), "RML_NEW_ZERO clears it");
	unit_ok(all_bytes_are(rml_alloc_zero(env, 17), 17, 0), "and so does rml_alloc_zero");
	unit_ok(rml_alloc(env, 0) != NULL, "size 0 is allowed");
	unit_ok((uintptr_t) numbers % 8 == 0, "memory is aligned to 8");
}

static void
test_refusals(RmlEnv *env)
{
	unit_ok(UNIT_ESCAPES(env, (void) rml_alloc_array(env, SIZE_MAX / 8 + 1, 8)),
			"a product that overflows is refused");
	unit_ok(UNIT_ESCAPES(env, (void) rml_alloc_array_zero(env, (size_t) 1 << 33, (size_t) 1 << 33)),
			"before anything is cleared");
	unit_ok(UNIT_ESCAPES(env, (void) rml_grow_array(env, NULL, 0, SIZE_MAX, 2)),
			"an array cannot grow beyond the address space");
	unit_env_limit(env, 4096);
	unit_ok(UNIT_ESCAPES(env, (void) rml_alloc_array(env, 1000, 8)), "nor beyond the limit");
	unit_env_limit(env, (size_t) 8 << 30);
}

static void
test_growing(RmlEnv *env)
{
	size_t before = unit_env_in_use(env);
	int32_t *array = rml_grow_array(env, NULL, 0, 4, sizeof(int32_t));
	bool kept = true;

	for (int32_t i = 0; i < 4; i++)
		array[i] = i * i;
	array = rml_grow_array(env, array, 4, 100, sizeof(int32_t));
	for (int32_t i = 0; i < 4; i++)
		kept = kept && array[i] == i * i;
	unit_ok(kept, "a grown array keeps its elements");
	unit_equal_int((int64_t) (unit_env_in_use(env) - before), 400, "and gives the old memory back");
	rml_release(env, array);
	unit_equal_int((int64_t) (unit_env_in_use(env) - before), 0, "rml_release gives back the rest");
}

static void
test_texts(RmlEnv *env)
{
	char long_text[5001];

	memset(long_text, 'x', 5000);
	long_text[5000] = '\0';
	unit_equal_string(rml_strdup(env, "grüße"), "grüße", "rml_strdup copies");
	unit_equal_string(rml_strndup(env, "abcdef", 3), "abc", "rml_strndup cuts and terminates");
	unit_equal_string(rml_strndup(env, "", 0), "", "an empty text");
	unit_equal_string(rml_format(env, "%s has %d of %lld", "x", -1, 1LL << 40),
					  "x has -1 of 1099511627776", "rml_format formats");
	unit_equal_string(rml_format(env, "%s", long_text), long_text, "whatever the length");
}

/* 96 MB: some 6 polls each time */
static void
test_polls(RmlEnv *env)
{
	enum
	{
		SIZE = 96 << 20
	};
	int64_t before = unit_env_polls(env), zeroed, grown, wrong = 0;
	uint8_t *bytes = rml_alloc_zero(env, SIZE);

	zeroed = unit_env_polls(env);
	unit_ok(zeroed - before >= 5 && all_bytes_are(bytes, SIZE, 0),
			"much memory is cleared in steps");
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t) (i / 12345);
	bytes = rml_grow_array(env, bytes, SIZE, SIZE + 1, 1);
	grown = unit_env_polls(env);
	for (size_t i = 0; i < SIZE; i++)
		wrong += bytes[i] != (uint8_t) (i / 12345);
	unit_ok(grown - zeroed >= 5 && wrong == 0, "and copied in steps");
	rml_release(env, bytes);
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_allocations(env);
	test_refusals(env);
	test_growing(env);
	test_texts(env);
	test_polls(env);
	unit_env_free(env);
	return unit_done();
}
