/*
 * sort.c
 *	  Radix sort of float8 values, least significant digit first.
 */
#include "retailml/sort.h"

#include <stdlib.h>
#include <string.h>

#define DIGIT_BITS 11
#define DIGITS 6 /* 6 x 11 bits cover 64 */
#define BUCKETS (1 << DIGIT_BITS)
#define POLL_EVERY (1 << 20)
/* up to here comparisons are cheaper than filling the histograms */
#define SHORT_ARRAY 512

/* order-preserving map of doubles to integers: flip all bits of negatives, the sign of others */
static uint64_t
to_key(uint64_t bits)
{
	return bits ^ ((uint64_t) ((int64_t) bits >> 63) | 0x8000000000000000u);
}

static uint64_t
from_key(uint64_t key)
{
	return key ^ (((key >> 63) - 1) | 0x8000000000000000u);
}

/* map all values in place, from doubles to keys or back */
static void
map_all(RmlEnv *env, uint64_t *values, int64_t n, uint64_t (*map)(uint64_t))
{
	for (int64_t start = 0; start < n; start += POLL_EVERY)
	{
		int64_t end = start + POLL_EVERY < n ? start + POLL_EVERY : n;

		for (int64_t i = start; i < end; i++)
			values[i] = map(values[i]);
		rml_poll(env);
	}
}

static int
digit_of(uint64_t key, int digit)
{
	return (int) (key >> (digit * DIGIT_BITS)) & (BUCKETS - 1);
}

/* histograms of all digits in one pass */
static void
count_digits(RmlEnv *env, const uint64_t *keys, int64_t n, int64_t (*counts)[BUCKETS])
{
	memset(counts, 0, sizeof(int64_t) * DIGITS * BUCKETS);
	for (int64_t i = 0; i < n; i++)
	{
		for (int digit = 0; digit < DIGITS; digit++)
			counts[digit][digit_of(keys[i], digit)]++;
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
}

/* false when all keys share this digit, so there is nothing to move */
static bool
counts_to_offsets(int64_t *counts, int64_t n)
{
	int64_t offset = 0;

	for (int b = 0; b < BUCKETS; b++)
	{
		int64_t count = counts[b];

		if (count == n)
			return false;
		counts[b] = offset;
		offset += count;
	}
	return true;
}

static void
scatter(RmlEnv *env, const uint64_t *from, uint64_t *to, int64_t n, int digit, int64_t *offsets)
{
	for (int64_t i = 0; i < n; i++)
	{
		to[offsets[digit_of(from[i], digit)]++] = from[i];
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
}

static int
compare_keys(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

/* sort keys; the result is in the same place */
static void
sort_keys(RmlEnv *env, uint64_t *keys, int64_t n)
{
	int64_t(*counts)[BUCKETS] = rml_alloc(env, sizeof(int64_t) * DIGITS * BUCKETS);
	uint64_t *scratch = RML_NEW(env, uint64_t, (size_t) n);
	uint64_t *from = keys, *to = scratch;

	count_digits(env, keys, n, counts);
	for (int digit = 0; digit < DIGITS; digit++)
	{
		uint64_t *swap = from;

		if (!counts_to_offsets(counts[digit], n))
			continue;
		scatter(env, from, to, n, digit, counts[digit]);
		from = to;
		to = swap;
	}
	if (from == scratch)
		memcpy(keys, scratch, (size_t) n * sizeof(uint64_t));
	rml_release(env, counts);
	rml_release(env, scratch);
}

void
rml_sort_doubles(RmlEnv *env, double *values, int64_t n)
{
	/* sorted in place as integers (kernels are compiled with -fno-strict-aliasing) */
	uint64_t *keys = (uint64_t *) (void *) values;

	map_all(env, keys, n, to_key);
	if (n <= SHORT_ARRAY)
		qsort(keys, (size_t) n, sizeof keys[0], compare_keys);
	else
		sort_keys(env, keys, n);
	map_all(env, keys, n, from_key);
}
