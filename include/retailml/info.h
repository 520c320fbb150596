/*
 * info.h
 *	  How a model tells about itself: named values, pushed into a sink.
 *
 * Kernels call these from their describe function; model_info() turns them into jsonb.  Keys are
 * snake_case terms of the field (inertia, n_iter).  NaN and infinity become null.
 */
#ifndef RETAILML_INFO_H
#define RETAILML_INFO_H

#include <stdbool.h>
#include <stdint.h>

typedef struct RmlInfo RmlInfo;

struct RmlInfo
{
	void (*integer)(RmlInfo *info, const char *key, int64_t value);
	void (*number)(RmlInfo *info, const char *key, double value);
	void (*boolean)(RmlInfo *info, const char *key, bool value);
	void (*text)(RmlInfo *info, const char *key, const char *value);
	void (*null)(RmlInfo *info, const char *key);
	/* a nested object / array; inside an array keys are NULL */
	void (*begin_object)(RmlInfo *info, const char *key);
	void (*end_object)(RmlInfo *info);
	void (*begin_array)(RmlInfo *info, const char *key);
	void (*end_array)(RmlInfo *info);
};

#endif /* RETAILML_INFO_H */
