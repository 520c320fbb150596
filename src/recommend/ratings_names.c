/*
 * ratings_names.c
 *	  Ids of users and items as they come: codes by first appearance, later positions in order.
 */
#include <string.h>

#include "retailml/ratings.h"

#define FIRST_CAPACITY 16
#define POLL_NAMES 65536

static void
poll_sometimes(RmlEnv *env, int64_t i)
{
	if (i % POLL_NAMES == POLL_NAMES - 1)
		rml_poll(env);
}

/* ---- codes ---- */

static uint32_t
hash_number(int64_t number)
{
	uint64_t hash = (uint64_t) number * UINT64_C(0x9E3779B97F4A7C15);

	return (uint32_t) (hash >> 32);
}

/* the slot of the table where this number is, or where it belongs */
static uint32_t
find_slot(const RmlRatingNames *names, int64_t number)
{
	uint32_t mask = names->table_size - 1;
	uint32_t slot = hash_number(number) & mask;

	for (;; slot = (slot + 1) & mask)
	{
		int32_t code = names->table[slot];

		if (code == 0 || names->numbers[code - 1] == number)
			return slot;
	}
}

/* twice the room; the table stays at most half full */
static void
grow(RmlRatingNames *names, RmlEnv *env)
{
	int32_t capacity = names->capacity == 0 ? FIRST_CAPACITY : names->capacity * 2;

	names->numbers =
		rml_grow_array(env, names->numbers, (size_t) names->n, (size_t) capacity, sizeof(int64_t));
	rml_release(env, names->table);
	names->capacity = capacity;
	names->table_size = (uint32_t) capacity * 2;
	names->table = RML_NEW_ZERO(env, int32_t, names->table_size);
	for (int32_t i = 0; i < names->n; i++)
	{
		names->table[find_slot(names, names->numbers[i])] = i + 1;
		poll_sometimes(env, i);
	}
}

static int32_t
look_up_number(RmlRatingNames *names, RmlEnv *env, int64_t number)
{
	uint32_t slot;

	if (names->n == names->capacity)
		grow(names, env);
	slot = find_slot(names, number);
	if (names->table[slot] == 0)
	{
		names->numbers[names->n] = number;
		names->table[slot] = ++names->n;
	}
	return names->table[slot] - 1;
}

int32_t
rml_rating_code_number(RmlRatingNames *names, RmlEnv *env, int64_t number)
{
	if (names->n == 0 || names->numbers[names->last] != number)
		names->last = look_up_number(names, env, number);
	return names->last;
}

static bool
is_last_text(const RmlRatingNames *names, const char *text, size_t length)
{
	const RmlDictionary *dictionary = &names->dictionary;

	return names->n > 0 && dictionary->lengths[names->last] == length &&
		   memcmp(dictionary->texts[names->last], text, length) == 0;
}

int32_t
rml_rating_code_text(RmlRatingNames *names, RmlEnv *env, const char *text, size_t length)
{
	if (!is_last_text(names, text, length))
	{
		names->last = rml_dictionary_code(&names->dictionary, env, text, length) - 1;
		names->n = names->dictionary.n;
	}
	return names->last;
}

void
rml_rating_names_release(RmlRatingNames *names, RmlEnv *env)
{
	rml_release(env, names->numbers);
	rml_release(env, names->table);
	rml_release(env, names->dictionary.texts);
	rml_release(env, names->dictionary.lengths);
	rml_release(env, names->dictionary.table);
	*names = (RmlRatingNames){.text = names->text};
}

/* ---- order ---- */

/* an id that is to be sorted: numbers by their value, texts by their first eight bytes at first */
typedef struct SortedName
{
	uint64_t key;
	int32_t code;
} SortedName;

static uint64_t
number_key(int64_t number)
{
	return (uint64_t) number ^ UINT64_C(0x8000000000000000);
}

static uint64_t
text_key(const char *text, size_t length)
{
	uint64_t key = 0;

	for (size_t i = 0; i < sizeof key; i++)
		key = key << 8 | (i < length ? (uint8_t) text[i] : 0);
	return key;
}

static bool
in_order(const RmlRatingNames *names, const SortedName *a, const SortedName *b)
{
	if (a->key != b->key || !names->text)
		return a->key <= b->key;
	return strcmp(names->dictionary.texts[a->code], names->dictionary.texts[b->code]) <= 0;
}

/* merge source [begin, middle) and [middle, end) into target [begin, end) */
static void
merge_runs(const RmlRatingNames *names, RmlEnv *env, const SortedName *source, SortedName *target,
		   int64_t begin, int64_t middle, int64_t end)
{
	int64_t left = begin, right = middle;

	for (int64_t i = begin; i < end; i++)
	{
		if (left < middle && (right == end || in_order(names, &source[left], &source[right])))
			target[i] = source[left++];
		else
			target[i] = source[right++];
		poll_sometimes(env, i);
	}
}

/* merge sort from the bottom up, which a query can be cancelled out of; the sorted one is returned */
static SortedName *
sort_names(const RmlRatingNames *names, RmlEnv *env, SortedName *source, SortedName *target)
{
	int64_t n = names->n;

	for (int64_t run = 1; run < n; run *= 2)
	{
		SortedName *swap = source;

		for (int64_t begin = 0; begin < n; begin += 2 * run)
		{
			int64_t middle = begin + run < n ? begin + run : n;
			int64_t end = begin + 2 * run < n ? begin + 2 * run : n;

			merge_runs(names, env, source, target, begin, middle, end);
		}
		source = target;
		target = swap;
	}
	return source;
}

static void
fill_ids(const RmlRatingNames *names, RmlEnv *env, const SortedName *sorted, RmlRatingIds *ids,
		 int32_t *ranks)
{
	for (int32_t i = 0; i < ids->n; i++)
	{
		int32_t code = sorted[i].code;

		ranks[code] = i;
		if (names->text)
			ids->texts[i] = names->dictionary.texts[code];
		else
			ids->numbers[i] = names->numbers[code];
		poll_sometimes(env, i);
	}
}

int32_t *
rml_rating_names_sort(const RmlRatingNames *names, RmlEnv *env, RmlRatingIds *ids)
{
	size_t n = (size_t) names->n;
	SortedName *unsorted = RML_NEW(env, SortedName, n);
	SortedName *scratch = RML_NEW(env, SortedName, n);
	int32_t *ranks = RML_NEW(env, int32_t, n);

	for (int32_t i = 0; i < names->n; i++)
	{
		unsorted[i].key = names->text
							  ? text_key(names->dictionary.texts[i], names->dictionary.lengths[i])
							  : number_key(names->numbers[i]);
		unsorted[i].code = i;
		poll_sometimes(env, i);
	}
	*ids = (RmlRatingIds){.n = names->n};
	if (names->text)
		ids->texts = RML_NEW(env, char *, n);
	else
		ids->numbers = RML_NEW(env, int64_t, n);
	fill_ids(names, env, sort_names(names, env, unsorted, scratch), ids, ranks);
	rml_release(env, unsorted);
	rml_release(env, scratch);
	return ranks;
}

/* ---- between logs ---- */

int32_t *
rml_rating_names_merge(RmlRatingNames *target, RmlEnv *env, const RmlRatingNames *source)
{
	int32_t *codes = RML_NEW(env, int32_t, (size_t) source->n);

	for (int32_t i = 0; i < source->n; i++)
	{
		codes[i] = source->text ? rml_rating_code_text(target, env, source->dictionary.texts[i],
													   source->dictionary.lengths[i])
								: rml_rating_code_number(target, env, source->numbers[i]);
		poll_sometimes(env, i);
	}
	return codes;
}

/* the number of names, then the numbers, or lengths (uint32) and bytes of the texts */
size_t
rml_rating_names_serial_size(const RmlRatingNames *names)
{
	size_t size = sizeof names->n;

	if (!names->text)
		return size + sizeof(int64_t) * (size_t) names->n;
	for (int32_t i = 0; i < names->n; i++)
		size += sizeof(uint32_t) + names->dictionary.lengths[i];
	return size;
}

static char *
put(char *place, const void *bytes, size_t length)
{
	if (length > 0)
		memcpy(place, bytes, length);
	return place + length;
}

char *
rml_rating_names_write(const RmlRatingNames *names, RmlEnv *env, char *bytes)
{
	const RmlDictionary *dictionary = &names->dictionary;

	bytes = put(bytes, &names->n, sizeof names->n);
	if (!names->text)
		return put(bytes, names->numbers, sizeof(int64_t) * (size_t) names->n);
	for (int32_t i = 0; i < names->n; i++)
	{
		bytes = put(bytes, &dictionary->lengths[i], sizeof(uint32_t));
		bytes = put(bytes, dictionary->texts[i], dictionary->lengths[i]);
		poll_sometimes(env, i);
	}
	return bytes;
}

static const char *
read_number(RmlRatingNames *names, RmlEnv *env, const char *bytes, int32_t *code)
{
	int64_t number;

	memcpy(&number, bytes, sizeof number);
	*code = rml_rating_code_number(names, env, number);
	return bytes + sizeof number;
}

static const char *
read_text(RmlRatingNames *names, RmlEnv *env, const char *bytes, int32_t *code)
{
	uint32_t length;

	memcpy(&length, bytes, sizeof length);
	bytes += sizeof length;
	*code = rml_rating_code_text(names, env, bytes, length);
	return bytes + length;
}

const char *
rml_rating_names_read(RmlRatingNames *names, RmlEnv *env, const char *bytes, int32_t **codes)
{
	int32_t n;

	memcpy(&n, bytes, sizeof n);
	bytes += sizeof n;
	*codes = RML_NEW(env, int32_t, (size_t) n);
	for (int32_t i = 0; i < n; i++)
	{
		bytes = names->text ? read_text(names, env, bytes, &(*codes)[i])
							: read_number(names, env, bytes, &(*codes)[i]);
		poll_sometimes(env, i);
	}
	return bytes;
}
