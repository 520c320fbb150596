/*
 * frame_order.c
 *	  The canonical order of a frame's rows.
 *
 * 1. Categories are renumbered by sorted text.
 * 2. Every row gets a 64-bit hash of its content, in blocks over threads.
 * 3. Hashes are uniform, so one counting pass over their leading bits puts rows in buckets of
 *	  about BUCKET_ROWS, and each bucket is sorted by (hash, content).
 * 4. Rows are gathered in that order.
 *
 * Rows that compare equal have equal content, so whatever order they are in, the matrix is the
 * same.
 */
#include "retailml/frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/parallel.h"

#define BLOCK_ROWS 4096
#define CACHE_LINE 64
#define BUCKET_ROWS 32
#define MAX_BUCKET_BITS 24

/* a row by its hash and its place: chunk rows numbered through */
typedef struct OrderKey
{
	uint64_t hash;
	int64_t row;
} OrderKey;

typedef struct Order
{
	const RmlFrame *frame;
	RmlChunk **chunk_of_block; /* blocks never span chunks */
	int64_t *start_of_block;   /* first row of the block inside its chunk */
	int64_t *row_of_block;     /* and counted over all chunks */
	int64_t n_blocks;
	int64_t *chunk_start; /* [n_chunks + 1] first row of each chunk */
	RmlChunk **chunks;
	int n_chunks;
	uint64_t *hashes;    /* [n] */
	OrderKey *keys;      /* [n] */
	int64_t *rows;       /* [n] the canonical order */
	int64_t *bucket_end; /* [n_buckets] */
	int bucket_bits;
	RmlMatrix *matrix;
} Order;

/* ---- categories by sorted text ---- */

typedef struct SortedText
{
	const char *text;
	int32_t code;
} SortedText;

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(((const SortedText *) a)->text, ((const SortedText *) b)->text);
}

static void
renumber_column(RmlFrame *frame, RmlColumn *column)
{
	RmlEnv *env = frame->env;
	RmlDictionary *dictionary = &column->dictionary;
	SortedText *sorted = RML_NEW(env, SortedText, dictionary->n);
	int32_t *map = RML_NEW_ZERO(env, int32_t, (size_t) dictionary->n + 1);

	for (int32_t i = 0; i < dictionary->n; i++)
		sorted[i] = (SortedText){dictionary->texts[i], i + 1};
	if (dictionary->n > 0)
		qsort(sorted, dictionary->n, sizeof *sorted, compare_texts);
	for (int32_t i = 0; i < dictionary->n; i++)
	{
		map[sorted[i].code] = i + 1;
		dictionary->texts[i] = (char *) sorted[i].text;
	}
	for (RmlChunk *chunk = frame->first; chunk != NULL; chunk = chunk->next)
	{
		int32_t *codes = chunk->codes + column->slot;

		for (int64_t i = 0; i < chunk->n; i++)
			codes[i * frame->d_cat] = map[codes[i * frame->d_cat]];
		rml_poll(env);
	}
	/* the lookup table and the lengths still speak of the old numbering */
	rml_release(env, dictionary->table);
	dictionary->table = NULL;
	rml_release(env, dictionary->lengths);
	dictionary->lengths = NULL;
	rml_release(env, map);
	rml_release(env, sorted);
}

/* ---- hashes ---- */

/* one step of a 64-bit mix: multiply and fold (constants are those of splitmix64) */
static inline uint64_t
mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0xBF58476D1CE4E5B9u;
	return hash ^ (hash >> 29);
}

static inline uint64_t
finish(uint64_t hash)
{
	hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9u;
	hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBu;
	return hash ^ (hash >> 31);
}

/* one bit pattern for each value: no negative zero, one NaN */
static inline double
normal_form(double x)
{
	return isnan(x) ? (double) NAN : x + 0.0;
}

static uint64_t
hash_row(double *numbers, int d_num, const int32_t *codes, int d_cat)
{
	uint64_t hash = 0x9E3779B97F4A7C15u;

	for (int j = 0; j < d_num; j++)
	{
		uint64_t word;

		numbers[j] = normal_form(numbers[j]);
		memcpy(&word, &numbers[j], sizeof word);
		hash = mix(hash, word);
	}
	for (int j = 0; j < d_cat; j++)
		hash = mix(hash, (uint64_t) (uint32_t) codes[j]);
	return finish(hash);
}

static void
hash_block(void *context, int64_t block, int thread)
{
	Order *order = context;
	RmlChunk *chunk = order->chunk_of_block[block];
	int d_num = order->frame->d_num, d_cat = order->frame->d_cat;
	int64_t start = order->start_of_block[block];
	int64_t end = start + BLOCK_ROWS < chunk->n ? start + BLOCK_ROWS : chunk->n;
	uint64_t *hashes = order->hashes + order->row_of_block[block] - start;

	(void) thread;
	for (int64_t i = start; i < end; i++)
		hashes[i] = hash_row(chunk->numbers + i * d_num, d_num, chunk->codes + i * d_cat, d_cat);
}

/* ---- chunks as one numbered sequence of rows ---- */

static void
number_chunks(Order *order, RmlEnv *env)
{
	const RmlFrame *frame = order->frame;
	int64_t block = 0, row = 0;
	int c = 0;

	for (RmlChunk *chunk = frame->first; chunk != NULL; chunk = chunk->next)
	{
		order->n_chunks++;
		order->n_blocks += rml_blocks(chunk->n, BLOCK_ROWS);
	}
	order->chunks = RML_NEW(env, RmlChunk *, order->n_chunks);
	order->chunk_start = RML_NEW(env, int64_t, order->n_chunks + 1);
	order->chunk_of_block = RML_NEW(env, RmlChunk *, (size_t) order->n_blocks);
	order->start_of_block = RML_NEW(env, int64_t, (size_t) order->n_blocks);
	order->row_of_block = RML_NEW(env, int64_t, (size_t) order->n_blocks);
	for (RmlChunk *chunk = frame->first; chunk != NULL; chunk = chunk->next)
	{
		order->chunks[c] = chunk;
		order->chunk_start[c++] = row;
		for (int64_t start = 0; start < chunk->n; start += BLOCK_ROWS, block++)
		{
			order->chunk_of_block[block] = chunk;
			order->start_of_block[block] = start;
			order->row_of_block[block] = row + start;
		}
		row += chunk->n;
	}
	order->chunk_start[c] = row;
}

/* the chunk a row is in; few chunks, so halving is quick */
static inline const RmlChunk *
locate(const Order *order, int64_t row, int64_t *within)
{
	int low = 0, high = order->n_chunks;

	while (high - low > 1)
	{
		int middle = (low + high) / 2;

		if (order->chunk_start[middle] <= row)
			low = middle;
		else
			high = middle;
	}
	*within = row - order->chunk_start[low];
	return order->chunks[low];
}

/* ---- sorting ---- */

static int
compare_content(const Order *order, int64_t a, int64_t b)
{
	int64_t i, j;
	const RmlChunk *chunk_a = locate(order, a, &i);
	const RmlChunk *chunk_b = locate(order, b, &j);
	int d_num = order->frame->d_num, d_cat = order->frame->d_cat;
	int result = memcmp(chunk_a->numbers + i * d_num, chunk_b->numbers + j * d_num,
						(size_t) d_num * sizeof(double));

	if (result != 0)
		return result;
	return memcmp(chunk_a->codes + i * d_cat, chunk_b->codes + j * d_cat,
				  (size_t) d_cat * sizeof(int32_t));
}

/* a bucket this size sorts in microseconds; larger ones hold many copies of few rows */
#define SMALL_BUCKET (8 * BUCKET_ROWS)
#define POLL_MASK 0xFFFF

static void
insertion_sort(OrderKey *keys, int64_t n)
{
	for (int64_t i = 1; i < n; i++)
	{
		OrderKey key = keys[i];
		int64_t j = i;

		for (; j > 0 && keys[j - 1].hash > key.hash; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

static void
sift_down(OrderKey *keys, int64_t start, int64_t n)
{
	int64_t parent = start;

	for (;;)
	{
		int64_t child = 2 * parent + 1;
		OrderKey swap;

		if (child >= n)
			return;
		if (child + 1 < n && keys[child].hash < keys[child + 1].hash)
			child++;
		if (keys[parent].hash >= keys[child].hash)
			return;
		swap = keys[parent];
		keys[parent] = keys[child];
		keys[child] = swap;
		parent = child;
	}
}

static void
poll_now_and_then(RmlEnv *env, int64_t i)
{
	if (env != NULL && (i & POLL_MASK) == 0)
		rml_poll(env);
}

static void
heap_sort(OrderKey *keys, int64_t n, RmlEnv *env)
{
	for (int64_t start = n / 2 - 1; start >= 0; start--)
	{
		sift_down(keys, start, n);
		poll_now_and_then(env, start);
	}
	for (int64_t last = n - 1; last > 0; last--)
	{
		OrderKey swap = keys[0];

		keys[0] = keys[last];
		keys[last] = swap;
		sift_down(keys, 0, last);
		poll_now_and_then(env, last);
	}
}

/* rows of equal hash but different content, in the order of their content */
static void
settle_collisions(const Order *order, OrderKey *keys, int64_t n, RmlEnv *env)
{
	for (int64_t i = 1; i < n; i++)
	{
		OrderKey key = keys[i];
		int64_t j = i;

		for (; j > 0 && keys[j - 1].hash == key.hash &&
			   compare_content(order, keys[j - 1].row, key.row) > 0;
			 j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
		poll_now_and_then(env, i);
	}
}

static OrderKey *
bucket_keys(const Order *order, int64_t bucket, int64_t *n)
{
	int64_t start = bucket == 0 ? 0 : order->bucket_end[bucket - 1];

	*n = order->bucket_end[bucket] - start;
	return order->keys + start;
}

static void
sort_small_bucket(const Order *order, int64_t bucket)
{
	int64_t n;
	OrderKey *keys = bucket_keys(order, bucket, &n);

	if (n > SMALL_BUCKET)
		return;
	insertion_sort(keys, n);
	settle_collisions(order, keys, n, NULL);
}

/* outside the threads, so that it can be cancelled */
static void
sort_large_buckets(const Order *order, RmlEnv *env)
{
	for (int64_t bucket = 0; bucket < (int64_t) 1 << order->bucket_bits; bucket++)
	{
		int64_t n;
		OrderKey *keys = bucket_keys(order, bucket, &n);
		int64_t same = 1;

		if (n <= SMALL_BUCKET)
			continue;
		while (same < n && keys[same].hash == keys[0].hash)
			same++;
		if (same < n)
			heap_sort(keys, n, env);
		settle_collisions(order, keys, n, env);
	}
}

static int
choose_bucket_bits(int64_t n)
{
	int bits = 1;

	while (bits < MAX_BUCKET_BITS && (n >> bits) > BUCKET_ROWS)
		bits++;
	return bits;
}

/* keys [n] grouped by the leading bits of the hash; bucket_end filled */
static void
distribute(Order *order, RmlEnv *env, int64_t n)
{
	int64_t n_buckets = (int64_t) 1 << order->bucket_bits;
	int shift = 64 - order->bucket_bits;
	int64_t *place = RML_NEW_ZERO(env, int64_t, (size_t) n_buckets + 1);

	for (int64_t i = 0; i < n; i++)
	{
		place[(order->hashes[i] >> shift) + 1]++;
		if (i % (1 << 20) == 0)
			rml_poll(env);
	}
	for (int64_t b = 0; b < n_buckets; b++)
		place[b + 1] += place[b];
	for (int64_t i = 0; i < n; i++)
	{
		order->keys[place[order->hashes[i] >> shift]++] = (OrderKey){order->hashes[i], i};
		if (i % (1 << 20) == 0)
			rml_poll(env);
	}
	/* having been filled, the start of each bucket is its end */
	order->bucket_end = place;
}

/* buckets are small; threads take runs of them */
#define BUCKETS_PER_BLOCK 64

static void
sort_bucket_run(void *context, int64_t run, int thread)
{
	Order *order = context;
	int64_t end = rml_block_end(run, BUCKETS_PER_BLOCK, (int64_t) 1 << order->bucket_bits);

	(void) thread;
	for (int64_t bucket = run * BUCKETS_PER_BLOCK; bucket < end; bucket++)
		sort_small_bucket(order, bucket);
}

/* rows come from everywhere: ask for each this many rows before it is copied */
#define GATHER_AHEAD 16

typedef struct RowPlace
{
	const double *numbers;
	const int32_t *codes;
} RowPlace;

static inline RowPlace
place_of(const Order *order, int64_t row)
{
	int64_t within;
	const RmlChunk *chunk = locate(order, row, &within);

	return (RowPlace){chunk->numbers + within * order->frame->d_num,
					  chunk->codes + within * order->frame->d_cat};
}

static inline RowPlace
prefetch_place(const Order *order, int64_t row)
{
	RowPlace place = place_of(order, row);
	const char *numbers = (const char *) place.numbers;
	size_t size = (size_t) order->frame->d_num * sizeof(double);

	for (size_t offset = 0; offset < size && offset < 4 * CACHE_LINE; offset += CACHE_LINE)
		__builtin_prefetch(numbers + offset);
	if (size > 0)
		__builtin_prefetch(numbers + size - 1);
	__builtin_prefetch(place.codes);
	return place;
}

static void
gather_block(void *context, int64_t block, int thread)
{
	Order *order = context;
	RmlMatrix *matrix = order->matrix;
	int d_num = matrix->d_num, d_cat = matrix->d_cat;
	int64_t start = block * BLOCK_ROWS;
	int64_t end = rml_block_end(block, BLOCK_ROWS, matrix->n);
	RowPlace ahead[GATHER_AHEAD];

	(void) thread;
	for (int64_t i = start; i < end && i < start + GATHER_AHEAD; i++)
		ahead[i - start] = prefetch_place(order, order->rows[i]);
	for (int64_t i = start; i < end; i++)
	{
		RowPlace *place = &ahead[(i - start) % GATHER_AHEAD];

		memcpy(matrix->numbers + i * d_num, place->numbers, (size_t) d_num * sizeof(double));
		memcpy(matrix->codes + i * d_cat, place->codes, (size_t) d_cat * sizeof(int32_t));
		if (i + GATHER_AHEAD < end)
			*place = prefetch_place(order, order->rows[i + GATHER_AHEAD]);
	}
}

/* ---- the whole ---- */

static size_t
row_bytes(const RmlFrame *frame)
{
	return (size_t) frame->d_num * sizeof(double) + (size_t) frame->d_cat * sizeof(int32_t);
}

size_t
rml_frame_order_bytes(const RmlFrame *frame)
{
	size_t n = (size_t) frame->n;
	size_t sorting = sizeof(uint64_t) + sizeof(OrderKey) + sizeof(int64_t);
	size_t gathering = row_bytes(frame) + sizeof(int64_t);

	return n * (sorting > gathering ? sorting : gathering);
}

static void
take_rows_block(void *context, int64_t block, int thread)
{
	Order *order = context;
	int64_t end = rml_block_end(block, BLOCK_ROWS, order->frame->n);

	(void) thread;
	for (int64_t i = block * BLOCK_ROWS; i < end; i++)
		order->rows[i] = order->keys[i].row;
}

/* find the canonical order */
static void
sort_rows(Order *order, RmlEnv *env, int64_t n)
{
	order->hashes = RML_NEW(env, uint64_t, (size_t) n);
	rml_parallel(env, order->n_blocks, hash_block, order);
	order->bucket_bits = choose_bucket_bits(n);
	order->keys = RML_NEW(env, OrderKey, (size_t) n);
	distribute(order, env, n);
	rml_release(env, order->hashes);
	rml_parallel(env, rml_blocks((int64_t) 1 << order->bucket_bits, BUCKETS_PER_BLOCK),
				 sort_bucket_run, order);
	sort_large_buckets(order, env);
	rml_release(env, order->bucket_end);
	order->rows = RML_NEW(env, int64_t, (size_t) n);
	rml_parallel(env, rml_blocks(n, BLOCK_ROWS), take_rows_block, order);
	rml_release(env, order->keys);
}

/* copy the rows in canonical order */
static void
gather(Order *order, RmlEnv *env, RmlMatrix *matrix)
{
	const RmlFrame *frame = order->frame;
	size_t n = (size_t) frame->n;

	matrix->n = frame->n;
	matrix->d_num = frame->d_num;
	matrix->d_cat = frame->d_cat;
	matrix->numbers = RML_NEW(env, double, n * frame->d_num);
	matrix->codes = RML_NEW(env, int32_t, n * frame->d_cat);
	order->matrix = matrix;
	rml_parallel(env, rml_blocks(matrix->n, BLOCK_ROWS), gather_block, order);
}

void
rml_frame_order(RmlFrame *frame, bool want_origin, RmlMatrix *matrix)
{
	RmlEnv *env = frame->env;
	Order order = {.frame = frame};

	for (int i = 0; i < frame->n_columns; i++)
		if (frame->columns[i].kind == RML_CATEGORICAL)
			renumber_column(frame, &frame->columns[i]);
	number_chunks(&order, env);
	sort_rows(&order, env, frame->n);
	gather(&order, env, matrix);
	matrix->origin = want_origin ? order.rows : NULL;
	if (!want_origin)
		rml_release(env, order.rows);
	rml_release(env, order.chunks);
	rml_release(env, order.chunk_start);
	rml_release(env, order.chunk_of_block);
	rml_release(env, order.start_of_block);
	rml_release(env, order.row_of_block);
	rml_frame_clear(frame);
}
