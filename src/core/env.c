/*
 * env.c
 *	  What every kernel needs on top of the environment's function pointers.
 */
#include "retailml/env.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* memory is touched for so long without a poll: fresh pages come at one or two GB a second */
#define POLL_BYTES ((size_t) 1 << 24)

void *
rml_alloc(RmlEnv *env, size_t size)
{
	return env->alloc(env, size);
}

void *
rml_alloc_zero(RmlEnv *env, size_t size)
{
	uint8_t *bytes = env->alloc(env, size);

	for (; size > POLL_BYTES; size -= POLL_BYTES)
	{
		memset(bytes + size - POLL_BYTES, 0, POLL_BYTES);
		env->poll(env);
	}
	return memset(bytes, 0, size);
}

void *
rml_copy(RmlEnv *env, void *target, const void *source, size_t size)
{
	for (; size > POLL_BYTES; size -= POLL_BYTES)
	{
		memcpy((uint8_t *) target + size - POLL_BYTES, (const uint8_t *) source + size - POLL_BYTES,
			   POLL_BYTES);
		env->poll(env);
	}
	return size > 0 ? memcpy(target, source, size) : target;
}

/* count * size, or SIZE_MAX (which no environment grants) when the product overflows */
static size_t
array_size(size_t count, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(count, size, &total) ? SIZE_MAX : total;
}

void *
rml_alloc_array(RmlEnv *env, size_t count, size_t size)
{
	return env->alloc(env, array_size(count, size));
}

void *
rml_alloc_array_zero(RmlEnv *env, size_t count, size_t size)
{
	return rml_alloc_zero(env, array_size(count, size));
}

void *
rml_grow_array(RmlEnv *env, void *array, size_t old_count, size_t new_count, size_t size)
{
	void *grown = rml_alloc_array(env, new_count, size);

	rml_copy(env, grown, array, old_count * size);
	env->release(env, array);
	return grown;
}

void
rml_release(RmlEnv *env, void *ptr)
{
	env->release(env, ptr);
}

void
rml_poll(RmlEnv *env)
{
	env->poll(env);
}

char *
rml_strndup(RmlEnv *env, const char *text, size_t length)
{
	char *copy = rml_alloc(env, length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *
rml_strdup(RmlEnv *env, const char *text)
{
	return rml_strndup(env, text, strlen(text));
}

char *
rml_format(RmlEnv *env, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		length = 0;
	text = rml_alloc(env, (size_t) length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t) length + 1, format, args);
	va_end(args);
	return text;
}
