/*
 * popularity.c
 *	  Buyers and units of each item, and their rank.
 */
#include "retailml/popularity.h"

#include <math.h>
#include <string.h>

#define FIRST_CAPACITY 16
#define POLL_EVERY 65536

static void
poll_sometimes(RmlEnv *env, int64_t i)
{
	if (i % POLL_EVERY == POLL_EVERY - 1)
		rml_poll(env);
}

void
rml_item_sums_init(RmlItemSums *sums, bool text, bool by_user)
{
	memset(sums, 0, sizeof *sums);
	sums->items.text = sums->users.text = text;
	sums->by_user = by_user;
	rml_contingency_init(&sums->pairs);
}

/* ---- counting ---- */

/* room for all items that have been named */
static void
reserve(RmlItemSums *sums, RmlEnv *env)
{
	int32_t old = sums->capacity;

	if (sums->items.n <= old)
		return;
	if (old == 0)
		sums->capacity = FIRST_CAPACITY;
	while (sums->capacity < sums->items.n)
		sums->capacity *= 2;
	sums->sums =
		rml_grow_array(env, sums->sums, (size_t) old, (size_t) sums->capacity, sizeof(RmlItemSum));
	memset(sums->sums + old, 0, sizeof(RmlItemSum) * (size_t) (sums->capacity - old));
}

static RmlWideSum *
wide_of(RmlItemSum *sum, RmlEnv *env)
{
	if (sum->wide == NULL)
		sum->wide = RML_NEW_ZERO(env, RmlWideSum, 1);
	return sum->wide;
}

void
rml_item_sums_add(RmlItemSums *sums, RmlEnv *env, int32_t user, int32_t item, double units)
{
	RmlItemSum *sum;

	reserve(sums, env);
	sum = &sums->sums[item];
	if (sums->by_user)
		rml_contingency_add(&sums->pairs, env, user, item, 1);
	else
		sum->buyers++;
	if (!rml_fixed_add_double(&sum->fixed, units))
		rml_wide_add(wide_of(sum, env), units);
}

/* ---- between processes: pairs, names of items, of users, sums, wide sums ---- */

static size_t
pair_bytes(const RmlItemSums *sums)
{
	return sizeof(RmlLabelPair) * (size_t) sums->pairs.n_pairs;
}

size_t
rml_item_sums_serial_size(const RmlItemSums *sums)
{
	size_t size = sizeof(int64_t) + pair_bytes(sums) + rml_rating_names_serial_size(&sums->items) +
				  rml_rating_names_serial_size(&sums->users) +
				  sizeof(RmlItemSum) * (size_t) sums->items.n;

	for (int32_t i = 0; i < sums->items.n; i++)
		size += sums->sums[i].wide == NULL ? 0 : sizeof(RmlWideSum);
	return size;
}

static char *
put(char *place, const void *bytes, size_t length)
{
	if (length > 0)
		memcpy(place, bytes, length);
	return place + length;
}

void
rml_item_sums_write(const RmlItemSums *sums, RmlEnv *env, char *bytes)
{
	int32_t n = sums->items.n;
	RmlLabelPair *pairs = RML_NEW(env, RmlLabelPair, (size_t) sums->pairs.n_pairs);

	rml_contingency_pairs(&sums->pairs, env, pairs);
	bytes = put(bytes, &sums->pairs.n_pairs, sizeof(int64_t));
	bytes = put(bytes, pairs, pair_bytes(sums));
	rml_release(env, pairs);
	bytes = rml_rating_names_write(&sums->items, env, bytes);
	bytes = rml_rating_names_write(&sums->users, env, bytes);
	for (int32_t i = 0; i < n; i++)
	{
		const RmlItemSum *sum = &sums->sums[i];

		bytes = put(bytes, sum, sizeof *sum);
		if (sum->wide != NULL)
			bytes = put(bytes, sum->wide, sizeof *sum->wide);
		poll_sometimes(env, i);
	}
}

/* the pointer of a written sum only says that a wide sum follows */
static const char *
read_sum(RmlItemSum *target, RmlEnv *env, const char *bytes)
{
	RmlItemSum sum;
	RmlWideSum wide;

	memcpy(&sum, bytes, sizeof sum);
	bytes += sizeof sum;
	target->buyers += sum.buyers;
	if (!rml_fixed_merge(&target->fixed, &sum.fixed))
		rml_wide_add_fixed(wide_of(target, env), &sum.fixed);
	if (sum.wide == NULL)
		return bytes;
	memcpy(&wide, bytes, sizeof wide);
	rml_wide_merge(wide_of(target, env), &wide);
	return bytes + sizeof wide;
}

static void
read_pairs(RmlItemSums *sums, RmlEnv *env, const char *bytes, int64_t n_pairs, const int32_t *users,
		   const int32_t *items)
{
	rml_contingency_reserve(&sums->pairs, env, sums->pairs.n_pairs + n_pairs);
	for (int64_t i = 0; i < n_pairs; i++, bytes += sizeof(RmlLabelPair))
	{
		RmlLabelPair pair;

		memcpy(&pair, bytes, sizeof pair);
		rml_contingency_add(&sums->pairs, env, users[pair.a], items[pair.b], pair.n);
		poll_sometimes(env, i);
	}
}

void
rml_item_sums_read(RmlItemSums *sums, RmlEnv *env, const char *bytes)
{
	const char *pairs = bytes + sizeof(int64_t);
	int64_t n_pairs;
	int32_t n, *items, *users;

	memcpy(&n_pairs, bytes, sizeof n_pairs);
	bytes = pairs + sizeof(RmlLabelPair) * (size_t) n_pairs;
	memcpy(&n, bytes, sizeof n);
	bytes = rml_rating_names_read(&sums->items, env, bytes, &items);
	bytes = rml_rating_names_read(&sums->users, env, bytes, &users);
	reserve(sums, env);
	for (int32_t i = 0; i < n; i++)
	{
		bytes = read_sum(&sums->sums[items[i]], env, bytes);
		poll_sometimes(env, i);
	}
	read_pairs(sums, env, pairs, n_pairs, users, items);
	rml_release(env, users);
	rml_release(env, items);
}

/* ---- ranks ---- */

static bool
in_order(const RmlPopularItem *a, const RmlPopularItem *b)
{
	if (a->buyers != b->buyers)
		return a->buyers > b->buyers;
	if (a->units != b->units)
		return a->units > b->units;
	return a->item <= b->item;
}

/* merge source [begin, middle) and [middle, end) into target [begin, end) */
static void
merge_runs(RmlEnv *env, const RmlPopularItem *source, RmlPopularItem *target, int64_t begin,
		   int64_t middle, int64_t end)
{
	int64_t left = begin, right = middle;

	for (int64_t i = begin; i < end; i++)
	{
		if (left < middle && (right == end || in_order(&source[left], &source[right])))
			target[i] = source[left++];
		else
			target[i] = source[right++];
		poll_sometimes(env, i);
	}
}

/* merge sort from the bottom up, which a query can be cancelled out of; the sorted array is returned */
static RmlPopularItem *
sort_items(RmlEnv *env, RmlPopularItem *items, int64_t n)
{
	RmlPopularItem *source = items, *target = RML_NEW(env, RmlPopularItem, (size_t) n);

	for (int64_t run = 1; run < n; run *= 2)
	{
		RmlPopularItem *swap = source;

		for (int64_t begin = 0; begin < n; begin += 2 * run)
		{
			int64_t middle = begin + run < n ? begin + run : n;
			int64_t end = begin + 2 * run < n ? begin + 2 * run : n;

			merge_runs(env, source, target, begin, middle, end);
		}
		source = target;
		target = swap;
	}
	rml_release(env, target);
	return source;
}

/* the distinct users of each item */
static void
count_users(const RmlItemSums *sums, RmlEnv *env, RmlPopularItem *popular, const int32_t *ranks)
{
	for (int64_t i = 0; i < sums->pairs.capacity; i++)
	{
		const RmlLabelPair *pair = &sums->pairs.slots[i];

		if (pair->n > 0)
			popular[ranks[pair->b]].buyers++;
		poll_sometimes(env, i);
	}
}

/* units of all items; those of one go to popular, by position of its id */
static double
add_up(const RmlItemSums *sums, RmlEnv *env, RmlPopularItem *popular, const int32_t *ranks)
{
	RmlWideSum *all = RML_NEW_ZERO(env, RmlWideSum, 1);
	double total;

	for (int32_t i = 0; i < sums->items.n; i++)
	{
		const RmlItemSum *sum = &sums->sums[i];

		popular[ranks[i]].item = ranks[i];
		popular[ranks[i]].buyers = sum->buyers;
		popular[ranks[i]].units = rml_exact_sum(&sum->fixed, sum->wide);
		rml_wide_add_fixed(all, &sum->fixed);
		if (sum->wide != NULL)
			rml_wide_merge(all, sum->wide);
		poll_sometimes(env, i);
	}
	total = rml_exact_sum(&(RmlFixed){0, 0}, all);
	rml_release(env, all);
	return total;
}

const char *
rml_popularity(const RmlItemSums *sums, RmlEnv *env, RmlRatingIds *ids, RmlPopularItem **result)
{
	int32_t *ranks = rml_rating_names_sort(&sums->items, env, ids);
	RmlPopularItem *popular = RML_NEW(env, RmlPopularItem, (size_t) ids->n);
	double total = add_up(sums, env, popular, ranks);

	if (sums->by_user)
		count_users(sums, env, popular, ranks);
	rml_release(env, ranks);
	for (int32_t i = 0; i < ids->n; i++)
	{
		if (!isfinite(popular[i].units))
			return rml_format(env, "the units of item %s are beyond the range of float8",
							  rml_rating_id_text(ids, env, i));
		popular[i].share = total == 0 ? NAN : popular[i].units / total;
	}
	if (!isfinite(total))
		return rml_strdup(env, "the units of all items are beyond the range of float8");
	*result = sort_items(env, popular, ids->n);
	return NULL;
}
