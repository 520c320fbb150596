/*
 * env.c
 *	  What every kernel needs on top of the environment's function pointers.
 */
#include "retailml/env.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void *
rml_alloc(RmlEnv *env, size_t size)
{
	return env->alloc(env, size);
}

void *
rml_alloc_zero(RmlEnv *env, size_t size)
{
	return memset(env->alloc(env, size), 0, size);
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

	if (old_count > 0)
		memcpy(grown, array, old_count * size);
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
