/*
 * frame.c
 *	  Collecting rows: columns, dictionaries, chunks, merging, private serial bytes.
 *
 * The canonical order is in frame_order.c.
 */
#include "retailml/frame.h"

#include <string.h>

#define FIRST_CHUNK_ROWS 32
#define MAX_CHUNK_BYTES (16 * 1024 * 1024)
#define POLL_ROWS (1 << 18)

/* ---- dictionaries ---- */

static uint32_t
hash_text(const char *text, size_t length)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t) text[i]) * 16777619u;
	return hash ^ (hash >> 15);
}

/* the slot of the table where this text is, or where it belongs */
static uint32_t
find_slot(const RmlDictionary *dictionary, const char *text, size_t length)
{
	uint32_t mask = dictionary->table_size - 1;
	uint32_t slot = hash_text(text, length) & mask;

	for (;; slot = (slot + 1) & mask)
	{
		int32_t code = dictionary->table[slot];

		if (code == 0 || (dictionary->lengths[code - 1] == length &&
						  memcmp(dictionary->texts[code - 1], text, length) == 0))
			return slot;
	}
}

/* twice the room; the table stays at most half full */
static void
dictionary_grow(RmlDictionary *dictionary, RmlEnv *env)
{
	int32_t capacity = dictionary->capacity == 0 ? 8 : dictionary->capacity * 2;

	dictionary->texts =
		rml_grow_array(env, dictionary->texts, dictionary->n, capacity, sizeof(char *));
	dictionary->lengths =
		rml_grow_array(env, dictionary->lengths, dictionary->n, capacity, sizeof(uint32_t));
	rml_release(env, dictionary->table);
	dictionary->capacity = capacity;
	dictionary->table_size = (uint32_t) capacity * 2;
	dictionary->table = RML_NEW_ZERO(env, int32_t, dictionary->table_size);
	for (int32_t i = 0; i < dictionary->n; i++)
	{
		uint32_t slot = find_slot(dictionary, dictionary->texts[i], dictionary->lengths[i]);

		dictionary->table[slot] = i + 1;
	}
}

int32_t
rml_dictionary_code(RmlDictionary *dictionary, RmlEnv *env, const char *text, size_t length)
{
	uint32_t slot;

	if (dictionary->n == dictionary->capacity)
		dictionary_grow(dictionary, env);
	slot = find_slot(dictionary, text, length);
	if (dictionary->table[slot] == 0)
	{
		dictionary->texts[dictionary->n] = rml_strndup(env, text, length);
		dictionary->lengths[dictionary->n] = (uint32_t) length;
		dictionary->table[slot] = ++dictionary->n;
	}
	return dictionary->table[slot];
}

int32_t
rml_frame_code(RmlFrame *frame, RmlColumn *column, const char *text, size_t length)
{
	return rml_dictionary_code(&column->dictionary, frame->env, text, length);
}

/* ---- rows ---- */

void
rml_frame_init(RmlFrame *frame, RmlEnv *env, int n_columns, char *const *names, char *const *types,
			   const RmlKind *kinds)
{
	memset(frame, 0, sizeof *frame);
	frame->env = env;
	frame->n_columns = n_columns;
	frame->columns = RML_NEW_ZERO(env, RmlColumn, n_columns);
	for (int i = 0; i < n_columns; i++)
	{
		RmlColumn *column = &frame->columns[i];

		column->name = rml_strdup(env, names[i]);
		column->type = rml_strdup(env, types[i]);
		column->kind = kinds[i];
		column->slot = kinds[i] == RML_CATEGORICAL ? frame->d_cat++ : frame->d_num++;
	}
}

static size_t
row_bytes(const RmlFrame *frame)
{
	return (size_t) frame->d_num * sizeof(double) + (size_t) frame->d_cat * sizeof(int32_t);
}

static RmlChunk *
add_chunk(RmlFrame *frame, int64_t capacity)
{
	RmlChunk *chunk = RML_NEW(frame->env, RmlChunk, 1);

	chunk->next = NULL;
	chunk->n = 0;
	chunk->capacity = capacity;
	chunk->numbers = RML_NEW(frame->env, double, (size_t) capacity * frame->d_num);
	chunk->codes = RML_NEW(frame->env, int32_t, (size_t) capacity * frame->d_cat);
	if (frame->last == NULL)
		frame->first = chunk;
	else
		frame->last->next = chunk;
	frame->last = chunk;
	return chunk;
}

/* chunks double until they are large enough to be few */
static int64_t
next_capacity(const RmlFrame *frame)
{
	int64_t most = (int64_t) (MAX_CHUNK_BYTES / (row_bytes(frame) + 1)) + 1;
	int64_t twice = frame->last == NULL ? FIRST_CHUNK_ROWS : frame->last->capacity * 2;

	return twice < most ? twice : most;
}

void
rml_frame_push(RmlFrame *frame, double **numbers, int32_t **codes)
{
	RmlChunk *chunk = frame->last;

	if (chunk == NULL || chunk->n == chunk->capacity)
		chunk = add_chunk(frame, next_capacity(frame));
	*numbers = chunk->numbers + chunk->n * frame->d_num;
	*codes = chunk->codes + chunk->n * frame->d_cat;
	chunk->n++;
	frame->n++;
}

void
rml_frame_pop(RmlFrame *frame)
{
	frame->last->n--;
	frame->n--;
}

void
rml_frame_clear(RmlFrame *frame)
{
	RmlChunk *next;

	for (RmlChunk *chunk = frame->first; chunk != NULL; chunk = next)
	{
		next = chunk->next;
		rml_release(frame->env, chunk->numbers);
		rml_release(frame->env, chunk->codes);
		rml_release(frame->env, chunk);
	}
	frame->first = frame->last = NULL;
	frame->n = 0;
}

/* ---- merging ---- */

const char *
rml_frame_mismatch(const RmlFrame *a, const RmlFrame *b)
{
	bool same = a->n_columns == b->n_columns;

	for (int i = 0; same && i < a->n_columns; i++)
		same = a->columns[i].kind == b->columns[i].kind &&
			   strcmp(a->columns[i].name, b->columns[i].name) == 0;
	return same ? NULL : "rows of different shape";
}

/* rewrite the codes of one column of source in target's numbering */
static void
translate_codes(RmlFrame *target, const RmlFrame *source, int column)
{
	RmlEnv *env = target->env;
	const RmlDictionary *dictionary = &source->columns[column].dictionary;
	int slot = source->columns[column].slot;
	int32_t *map = RML_NEW(env, int32_t, (size_t) dictionary->n + 1);

	map[0] = 0;
	for (int32_t i = 0; i < dictionary->n; i++)
		map[i + 1] = rml_frame_code(target, &target->columns[column], dictionary->texts[i],
									dictionary->lengths[i]);
	for (RmlChunk *chunk = source->first; chunk != NULL; chunk = chunk->next)
	{
		for (int64_t i = 0; i < chunk->n; i++)
			chunk->codes[i * source->d_cat + slot] = map[chunk->codes[i * source->d_cat + slot]];
		rml_poll(env);
	}
	rml_release(env, map);
}

void
rml_frame_merge(RmlFrame *target, RmlFrame *source)
{
	for (int i = 0; i < source->n_columns; i++)
	{
		target->columns[i].traits |= source->columns[i].traits;
		if (source->columns[i].kind == RML_CATEGORICAL)
			translate_codes(target, source, i);
	}
	if (source->first != NULL)
	{
		if (target->last == NULL)
			target->first = source->first;
		else
			target->last->next = source->first;
		target->last = source->last;
	}
	target->n += source->n;
	target->skipped += source->skipped;
	source->first = source->last = NULL;
	source->n = source->skipped = 0;
}

/* ---- serial bytes: head, columns with their dictionaries, all rows as one chunk ---- */

typedef struct SerialHead
{
	int64_t n;
	int64_t skipped;
	int32_t n_columns;
	int32_t padding;
} SerialHead;

/* copying this much takes a few milliseconds */
#define SLICE_BYTES ((size_t) 16 * 1024 * 1024)

/* a position in bytes being counted, written or read */
typedef struct Cursor
{
	char *to; /* NULL while counting and reading */
	const char *from;
	size_t offset;
} Cursor;

static void
put(Cursor *cursor, const void *bytes, size_t length)
{
	if (cursor->to != NULL && length > 0)
		memcpy(cursor->to + cursor->offset, bytes, length);
	cursor->offset += length;
}

static void
get(Cursor *cursor, void *bytes, size_t length)
{
	if (length > 0)
		memcpy(bytes, cursor->from + cursor->offset, length);
	cursor->offset += length;
}

/* put and get for many rows: the host may cancel in between */
static void
put_rows(Cursor *cursor, const RmlFrame *frame, const void *rows, size_t length)
{
	for (size_t start = 0; start < length; start += SLICE_BYTES)
	{
		put(cursor, (const char *) rows + start,
			length - start < SLICE_BYTES ? length - start : SLICE_BYTES);
		rml_poll(frame->env);
	}
}

static void
get_rows(Cursor *cursor, const RmlFrame *frame, void *rows, size_t length)
{
	for (size_t start = 0; start < length; start += SLICE_BYTES)
	{
		get(cursor, (char *) rows + start,
			length - start < SLICE_BYTES ? length - start : SLICE_BYTES);
		rml_poll(frame->env);
	}
}

static void
put_text(Cursor *cursor, const char *text, size_t length)
{
	uint32_t stored = (uint32_t) length;

	put(cursor, &stored, sizeof stored);
	put(cursor, text, length);
}

/* the text in place (not terminated) and its length */
static const char *
get_text(Cursor *cursor, size_t *length)
{
	uint32_t stored;
	const char *text;

	get(cursor, &stored, sizeof stored);
	text = cursor->from + cursor->offset;
	cursor->offset += stored;
	*length = stored;
	return text;
}

static void
put_column(Cursor *cursor, const RmlColumn *column)
{
	int32_t head[] = {column->kind, column->traits, column->dictionary.n};

	put_text(cursor, column->name, strlen(column->name));
	put_text(cursor, column->type, strlen(column->type));
	put(cursor, head, sizeof head);
	for (int32_t i = 0; i < column->dictionary.n; i++)
		put_text(cursor, column->dictionary.texts[i], column->dictionary.lengths[i]);
}

/* everything that comes before the rows */
static void
put_head(Cursor *cursor, const RmlFrame *frame)
{
	const SerialHead head = {frame->n, frame->skipped, frame->n_columns, 0};

	put(cursor, &head, sizeof head);
	for (int i = 0; i < frame->n_columns; i++)
		put_column(cursor, &frame->columns[i]);
}

size_t
rml_frame_serial_size(const RmlFrame *frame)
{
	Cursor cursor = {NULL, NULL, 0};

	put_head(&cursor, frame);
	return cursor.offset + (size_t) frame->n * row_bytes(frame);
}

void
rml_frame_serialize(RmlFrame *frame, void *bytes)
{
	Cursor cursor = {bytes, NULL, 0};

	put_head(&cursor, frame);
	for (RmlChunk *chunk = frame->first; chunk != NULL; chunk = chunk->next)
	{
		put_rows(&cursor, frame, chunk->numbers, (size_t) chunk->n * frame->d_num * sizeof(double));
		rml_release(frame->env, chunk->numbers);
		chunk->numbers = NULL;
	}
	for (RmlChunk *chunk = frame->first; chunk != NULL; chunk = chunk->next)
		put_rows(&cursor, frame, chunk->codes, (size_t) chunk->n * frame->d_cat * sizeof(int32_t));
	rml_frame_clear(frame);
}

static void
get_column(Cursor *cursor, RmlFrame *frame, RmlColumn *column)
{
	RmlEnv *env = frame->env;
	int32_t head[3];
	size_t length;
	const char *text = get_text(cursor, &length);

	column->name = rml_strndup(env, text, length);
	text = get_text(cursor, &length);
	column->type = rml_strndup(env, text, length);
	get(cursor, head, sizeof head);
	column->kind = (RmlKind) head[0];
	column->traits = (uint8_t) head[1];
	column->slot = column->kind == RML_CATEGORICAL ? frame->d_cat++ : frame->d_num++;
	for (int32_t i = 0; i < head[2]; i++)
	{
		text = get_text(cursor, &length);
		rml_dictionary_code(&column->dictionary, env, text, length);
	}
}

void
rml_frame_deserialize(RmlFrame *frame, RmlEnv *env, const void *bytes)
{
	Cursor cursor = {NULL, bytes, 0};
	SerialHead head;
	RmlChunk *chunk;

	memset(frame, 0, sizeof *frame);
	frame->env = env;
	get(&cursor, &head, sizeof head);
	frame->skipped = head.skipped;
	frame->n_columns = head.n_columns;
	frame->columns = RML_NEW_ZERO(env, RmlColumn, head.n_columns);
	for (int i = 0; i < head.n_columns; i++)
		get_column(&cursor, frame, &frame->columns[i]);
	if (head.n == 0)
		return;
	chunk = add_chunk(frame, head.n);
	chunk->n = frame->n = head.n;
	get_rows(&cursor, frame, chunk->numbers, (size_t) head.n * frame->d_num * sizeof(double));
	get_rows(&cursor, frame, chunk->codes, (size_t) head.n * frame->d_cat * sizeof(int32_t));
}

/* how many of the first columns are of this sort */
static int
count_columns(const RmlFrame *frame, int n, bool categorical)
{
	int count = 0;

	for (int i = 0; i < n; i++)
		count += (frame->columns[i].kind == RML_CATEGORICAL) == categorical;
	return count;
}

/* move values of row i from where it was in the matrix to where it will be */
static void
take_row(RmlMatrix *matrix, int64_t i, int d_num, int d_cat, RmlTaken *taken, int n_taken)
{
	const double *numbers = matrix->numbers + i * matrix->d_num;
	const int32_t *codes = matrix->codes + i * matrix->d_cat;

	for (int t = 0; t < n_taken; t++)
		if (taken[t].numbers != NULL)
			taken[t].numbers[i] = numbers[taken[t].column.slot];
		else
			taken[t].codes[i] = codes[taken[t].column.slot];
	memmove(matrix->numbers + i * d_num, numbers, sizeof(double) * d_num);
	memmove(matrix->codes + i * d_cat, codes, sizeof(int32_t) * d_cat);
}

void
rml_frame_take(RmlFrame *frame, RmlMatrix *matrix, int keep, RmlTaken *taken)
{
	int d_num = count_columns(frame, keep, false), d_cat = count_columns(frame, keep, true);
	int n_taken = frame->n_columns - keep;

	for (int t = 0; t < n_taken; t++)
	{
		bool categorical = frame->columns[keep + t].kind == RML_CATEGORICAL;

		taken[t].column = frame->columns[keep + t];
		taken[t].numbers = categorical ? NULL : RML_NEW(frame->env, double, (size_t) matrix->n);
		taken[t].codes = categorical ? RML_NEW(frame->env, int32_t, (size_t) matrix->n) : NULL;
	}
	for (int64_t i = 0; i < matrix->n; i++)
	{
		take_row(matrix, i, d_num, d_cat, taken, n_taken);
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(frame->env);
	}
	matrix->d_num = frame->d_num = d_num;
	matrix->d_cat = frame->d_cat = d_cat;
	frame->n_columns = keep;
}

int32_t *
rml_frame_take_labels(RmlFrame *frame, RmlMatrix *matrix)
{
	int32_t *labels = RML_NEW(frame->env, int32_t, (size_t) matrix->n);
	RmlTaken taken;

	rml_frame_take(frame, matrix, frame->n_columns - 1, &taken);
	for (int64_t i = 0; i < matrix->n; i++)
		labels[i] = (int32_t) taken.numbers[i];
	rml_release(frame->env, taken.numbers);
	return labels;
}
