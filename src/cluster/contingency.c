/*
 * contingency.c
 *	  Counting pairs of labels, and putting them in order.
 */
#include "retailml/contingency.h"

#include <string.h>

#define FIRST_CAPACITY 16
#define POLL_EVERY 65536

static void
poll_sometimes(RmlEnv *env, int64_t i)
{
	if (i % POLL_EVERY == POLL_EVERY - 1)
		rml_poll(env);
}

/* ---- counting ---- */

static uint64_t
hash_pair(int64_t a, int64_t b)
{
	/* splitmix64 over both labels */
	uint64_t hash = (uint64_t) a * 0x9E3779B97F4A7C15u + (uint64_t) b;

	hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9u;
	hash = (hash ^ hash >> 27) * 0x94D049BB133111EBu;
	return hash ^ hash >> 31;
}

/* the slot that holds this pair, or the free one where it belongs */
static RmlLabelPair *
find_slot(const RmlContingency *contingency, int64_t a, int64_t b)
{
	uint64_t mask = (uint64_t) contingency->capacity - 1;
	uint64_t slot = hash_pair(a, b) & mask;

	for (;; slot = (slot + 1) & mask)
	{
		RmlLabelPair *pair = &contingency->slots[slot];

		if (pair->n == 0 || (pair->a == a && pair->b == b))
			return pair;
	}
}

void
rml_contingency_init(RmlContingency *contingency)
{
	memset(contingency, 0, sizeof *contingency);
}

static void
grow(RmlContingency *contingency, RmlEnv *env, int64_t capacity)
{
	RmlLabelPair *old = contingency->slots;
	int64_t n_old = contingency->capacity;

	contingency->slots = RML_NEW_ZERO(env, RmlLabelPair, (size_t) capacity);
	contingency->capacity = capacity;
	for (int64_t i = 0; i < n_old; i++)
	{
		if (old[i].n > 0)
			*find_slot(contingency, old[i].a, old[i].b) = old[i];
		poll_sometimes(env, i);
	}
	rml_release(env, old);
}

/* the table is at most three quarters full */
void
rml_contingency_reserve(RmlContingency *contingency, RmlEnv *env, int64_t n_pairs)
{
	int64_t capacity = contingency->capacity == 0 ? FIRST_CAPACITY : contingency->capacity;

	while (n_pairs > capacity - capacity / 4)
		capacity *= 2;
	if (capacity > contingency->capacity)
		grow(contingency, env, capacity);
}

void
rml_contingency_add(RmlContingency *contingency, RmlEnv *env, int64_t a, int64_t b, int64_t n)
{
	RmlLabelPair *pair;

	rml_contingency_reserve(contingency, env, contingency->n_pairs + 1);
	pair = find_slot(contingency, a, b);
	if (pair->n == 0)
	{
		pair->a = a;
		pair->b = b;
		contingency->n_pairs++;
	}
	pair->n += n;
}

void
rml_contingency_pairs(const RmlContingency *contingency, RmlEnv *env, RmlLabelPair *pairs)
{
	for (int64_t i = 0; i < contingency->capacity; i++)
	{
		if (contingency->slots[i].n > 0)
			*pairs++ = contingency->slots[i];
		poll_sometimes(env, i);
	}
}

/* ---- order ---- */

static bool
in_order(const RmlLabelPair *left, const RmlLabelPair *right)
{
	return left->a < right->a || (left->a == right->a && left->b <= right->b);
}

/* merge source [begin, middle) and [middle, end) into target [begin, end) */
static void
merge_runs(const RmlLabelPair *source, RmlLabelPair *target, int64_t begin, int64_t middle,
		   int64_t end, RmlEnv *env)
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

/* merge sort from the bottom up, which a query can be cancelled out of; by a, then b */
static void
sort_pairs(RmlLabelPair *pairs, int64_t n, RmlEnv *env)
{
	RmlLabelPair *scratch = RML_NEW(env, RmlLabelPair, (size_t) n);
	RmlLabelPair *source = pairs, *target = scratch;

	for (int64_t run = 1; run < n; run *= 2)
	{
		RmlLabelPair *swap = source;

		for (int64_t begin = 0; begin < n; begin += 2 * run)
		{
			int64_t middle = begin + run < n ? begin + run : n;
			int64_t end = begin + 2 * run < n ? begin + 2 * run : n;

			merge_runs(source, target, begin, middle, end, env);
		}
		source = target;
		target = swap;
	}
	if (source != pairs)
		memcpy(pairs, source, sizeof(RmlLabelPair) * (size_t) n);
	rml_release(env, scratch);
}

/*
 * The distinct labels of pairs sorted by a: labels and sizes [*n_labels]; index of each pair's
 * label goes to index[position of the pair].  b holds the positions.
 */
static void
list_labels(RmlEnv *env, const RmlLabelPair *sorted, int64_t n_pairs, int64_t *n_labels,
			int64_t **labels, int64_t **sizes, int64_t *index)
{
	int64_t n = 0;

	*labels = RML_NEW(env, int64_t, (size_t) n_pairs);
	*sizes = RML_NEW(env, int64_t, (size_t) n_pairs);
	for (int64_t i = 0; i < n_pairs; i++)
	{
		if (i == 0 || sorted[i].a != sorted[i - 1].a)
		{
			(*labels)[n] = sorted[i].a;
			(*sizes)[n++] = 0;
		}
		(*sizes)[n - 1] += sorted[i].n;
		index[sorted[i].b] = n - 1;
		poll_sometimes(env, i);
	}
	*n_labels = n;
}

/* the labels of one side, with the pair's position in place of the other side's label */
static void
index_side(RmlLabelTable *table, RmlEnv *env, RmlLabelPair *scratch, bool side_a)
{
	for (int64_t i = 0; i < table->n_pairs; i++)
	{
		const RmlLabelPair *pair = &table->pairs[i];

		scratch[i] = (RmlLabelPair){side_a ? pair->a : pair->b, i, pair->n};
	}
	if (side_a)
	{
		list_labels(env, scratch, table->n_pairs, &table->n_a, &table->a_labels, &table->a_sizes,
					table->a_index);
		return;
	}
	sort_pairs(scratch, table->n_pairs, env);
	list_labels(env, scratch, table->n_pairs, &table->n_b, &table->b_labels, &table->b_sizes,
				table->b_index);
}

static bool
takes_part(const RmlLabelPair *pair, bool complete_only)
{
	if (complete_only)
		return pair->a != RML_NO_LABEL && pair->b != RML_NO_LABEL;
	return pair->a != RML_NO_LABEL || pair->b != RML_NO_LABEL;
}

void
rml_label_table(const RmlContingency *contingency, RmlEnv *env, bool complete_only,
				RmlLabelTable *table)
{
	size_t n_pairs = (size_t) contingency->n_pairs;
	RmlLabelPair *scratch;

	memset(table, 0, sizeof *table);
	table->pairs = RML_NEW(env, RmlLabelPair, n_pairs);
	rml_contingency_pairs(contingency, env, table->pairs);
	for (size_t i = 0; i < n_pairs; i++)
		if (takes_part(&table->pairs[i], complete_only))
		{
			table->n += table->pairs[i].n;
			table->pairs[table->n_pairs++] = table->pairs[i];
		}
	sort_pairs(table->pairs, table->n_pairs, env);
	table->a_index = RML_NEW(env, int64_t, n_pairs);
	table->b_index = RML_NEW(env, int64_t, n_pairs);
	scratch = RML_NEW(env, RmlLabelPair, n_pairs);
	index_side(table, env, scratch, true);
	index_side(table, env, scratch, false);
	rml_release(env, scratch);
}

double
rml_label_share(const RmlLabelTable *table, int64_t pair)
{
	return (double) table->pairs[pair].n / (double) table->a_sizes[table->a_index[pair]];
}
