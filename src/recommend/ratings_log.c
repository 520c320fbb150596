/*
 * ratings_log.c
 *	  Rows of user, item and value as they come, in chunks, from one process or from several.
 */
#include <string.h>

#include "retailml/ratings.h"

#define FIRST_CHUNK_ROWS 32
#define MAX_CHUNK_ROWS (1 << 20)
#define POLL_ROWS (1 << 18)

void
rml_rating_log_init(RmlRatingLog *log, bool text)
{
	memset(log, 0, sizeof *log);
	log->users.text = log->items.text = text;
}

/* ---- rows ---- */

static void
link_chunks(RmlRatingLog *log, RmlRatingChunk *first, RmlRatingChunk *last)
{
	if (log->last == NULL)
		log->first = first;
	else
		log->last->next = first;
	log->last = last;
}

static RmlRatingChunk *
add_chunk(RmlRatingLog *log, RmlEnv *env, int64_t capacity)
{
	RmlRatingChunk *chunk = RML_NEW(env, RmlRatingChunk, 1);

	chunk->next = NULL;
	chunk->n = 0;
	chunk->capacity = capacity;
	chunk->rows = RML_NEW(env, RmlRatingRow, (size_t) capacity);
	link_chunks(log, chunk, chunk);
	return chunk;
}

/* chunks double until they are large enough to be few */
static int64_t
next_capacity(const RmlRatingLog *log)
{
	int64_t twice = log->last == NULL ? FIRST_CHUNK_ROWS : log->last->capacity * 2;

	return twice < MAX_CHUNK_ROWS ? twice : MAX_CHUNK_ROWS;
}

void
rml_rating_log_add(RmlRatingLog *log, RmlEnv *env, int32_t user, int32_t item, double value)
{
	RmlRatingChunk *chunk = log->last;

	if (chunk == NULL || chunk->n == chunk->capacity)
		chunk = add_chunk(log, env, next_capacity(log));
	/* negative zero becomes zero */
	chunk->rows[chunk->n++] = (RmlRatingRow){user, item, value + 0.0};
	log->n++;
}

void
rml_rating_log_clear(RmlRatingLog *log, RmlEnv *env)
{
	RmlRatingChunk *next;

	for (RmlRatingChunk *chunk = log->first; chunk != NULL; chunk = next)
	{
		next = chunk->next;
		rml_release(env, chunk->rows);
		rml_release(env, chunk);
	}
	log->first = log->last = NULL;
	log->n = 0;
}

/* ---- merging ---- */

/* give rows [n] the codes of another log */
static void
translate(RmlEnv *env, RmlRatingRow *rows, int64_t n, const int32_t *users, const int32_t *items)
{
	for (int64_t i = 0; i < n; i++)
	{
		rows[i].user = users[rows[i].user];
		rows[i].item = items[rows[i].item];
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(env);
	}
}

void
rml_rating_log_merge(RmlRatingLog *target, RmlEnv *env, RmlRatingLog *source)
{
	int32_t *users = rml_rating_names_merge(&target->users, env, &source->users);
	int32_t *items = rml_rating_names_merge(&target->items, env, &source->items);

	for (RmlRatingChunk *chunk = source->first; chunk != NULL; chunk = chunk->next)
	{
		translate(env, chunk->rows, chunk->n, users, items);
		rml_poll(env);
	}
	if (source->first != NULL)
		link_chunks(target, source->first, source->last);
	target->n += source->n;
	target->skipped += source->skipped;
	source->first = source->last = NULL;
	source->n = source->skipped = 0;
	rml_release(env, users);
	rml_release(env, items);
}

/* ---- between processes: head, names of users, names of items, rows ---- */

typedef struct SerialHead
{
	int64_t n;
	int64_t skipped;
} SerialHead;

size_t
rml_rating_log_serial_size(const RmlRatingLog *log)
{
	return sizeof(SerialHead) + rml_rating_names_serial_size(&log->users) +
		   rml_rating_names_serial_size(&log->items) + sizeof(RmlRatingRow) * (size_t) log->n;
}

void
rml_rating_log_write(RmlRatingLog *log, RmlEnv *env, char *bytes)
{
	const SerialHead head = {log->n, log->skipped};

	memcpy(bytes, &head, sizeof head);
	bytes = rml_rating_names_write(&log->users, env, bytes + sizeof head);
	bytes = rml_rating_names_write(&log->items, env, bytes);
	for (RmlRatingChunk *chunk = log->first; chunk != NULL; chunk = chunk->next)
	{
		size_t length = sizeof(RmlRatingRow) * (size_t) chunk->n;

		memcpy(bytes, chunk->rows, length);
		bytes += length;
		rml_release(env, chunk->rows);
		chunk->rows = NULL;
		rml_poll(env);
	}
	rml_rating_log_clear(log, env);
}

/* the next rows of the bytes as a chunk of their own */
static int64_t
read_chunk(RmlRatingLog *log, RmlEnv *env, const char *bytes, int64_t n, const int32_t *users,
		   const int32_t *items)
{
	RmlRatingChunk *chunk = add_chunk(log, env, n < MAX_CHUNK_ROWS ? n : MAX_CHUNK_ROWS);

	chunk->n = chunk->capacity;
	memcpy(chunk->rows, bytes, sizeof(RmlRatingRow) * (size_t) chunk->n);
	translate(env, chunk->rows, chunk->n, users, items);
	return chunk->n;
}

void
rml_rating_log_read(RmlRatingLog *log, RmlEnv *env, const char *bytes)
{
	SerialHead head;
	int32_t *users, *items;

	memcpy(&head, bytes, sizeof head);
	bytes = rml_rating_names_read(&log->users, env, bytes + sizeof head, &users);
	bytes = rml_rating_names_read(&log->items, env, bytes, &items);
	for (int64_t done = 0; done < head.n;)
	{
		int64_t n = read_chunk(log, env, bytes, head.n - done, users, items);

		bytes += sizeof(RmlRatingRow) * (size_t) n;
		done += n;
		rml_poll(env);
	}
	log->n += head.n;
	log->skipped += head.skipped;
	rml_release(env, users);
	rml_release(env, items);
}
