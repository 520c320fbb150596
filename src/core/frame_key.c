/*
 * frame_key.c
 *	  Columns of texts that tell rows apart and nothing else, and taking them out of a frame.
 *
 * A text that is different in every row (the number of a contract) cannot teach a supervised fit
 * anything: what it says of one row holds for no other.
 */
#include "retailml/frame.h"

#include <stdlib.h>
#include <string.h>

#define POLL_ROWS (1 << 18)

/* fewer rows may differ by chance */
#define KEY_MIN_ROWS 20

/* ---- is it one? ---- */

/* notes the codes of a chunk; false when one is missing, or was there before */
static bool
all_new(const RmlFrame *frame, const RmlChunk *chunk, int slot, uint8_t *seen)
{
	for (int64_t i = 0; i < chunk->n; i++)
	{
		int32_t code = chunk->codes[i * frame->d_cat + slot];

		if (code == 0 || seen[code])
			return false;
		seen[code] = 1;
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(frame->env);
	}
	return true;
}

bool
rml_frame_is_key(const RmlFrame *frame, const RmlColumn *column)
{
	uint8_t *seen;
	bool key = true;

	if (!rml_frame_may_be_key(frame, column) || frame->n < KEY_MIN_ROWS)
		return false;
	seen = RML_NEW_ZERO(frame->env, uint8_t, (size_t) column->dictionary.n + 1);
	for (const RmlChunk *chunk = frame->first; key && chunk != NULL; chunk = chunk->next)
		key = all_new(frame, chunk, column->slot, seen);
	rml_release(frame->env, seen);
	return key;
}

/* ---- numbers as texts ---- */

/* 1 for a number as people write it, 0 for blanks, -1 for anything else */
static int
number_in(const char *text)
{
	const char *start = text + strspn(text, " \t\r\n");
	size_t length = strspn(start, "0123456789+-.eE");
	char *end;

	if (*start == '\0')
		return 0;
	if (length == 0 || start[length + strspn(start + length, " \t\r\n")] != '\0')
		return -1;
	strtod(start, &end);
	return end == start + length ? 1 : -1;
}

bool
rml_column_is_numbers(const RmlColumn *column, RmlEnv *env)
{
	const RmlDictionary *dictionary = &column->dictionary;
	bool found = false;

	for (int32_t i = 0; i < dictionary->n; i++)
	{
		int what = number_in(dictionary->texts[i]);

		if (what < 0)
			return false;
		found = found || what > 0;
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(env);
	}
	return found;
}

/* ---- taking it out ---- */

/* rows move up in place: they become shorter */
static void
drop_codes(const RmlFrame *frame, RmlChunk *chunk, int slot)
{
	int before = frame->d_cat, after = frame->d_cat - 1;

	for (int64_t i = 0; i < chunk->n; i++)
	{
		int32_t *from = chunk->codes + i * before, *to = chunk->codes + i * after;

		memmove(to, from, sizeof(int32_t) * (size_t) slot);
		memmove(to + slot, from + slot + 1, sizeof(int32_t) * (size_t) (after - slot));
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(frame->env);
	}
}

void
rml_frame_drop_texts(RmlFrame *frame, int column)
{
	int slot = frame->columns[column].slot;

	for (RmlChunk *chunk = frame->first; chunk != NULL; chunk = chunk->next)
		drop_codes(frame, chunk, slot);
	frame->d_cat--;
	frame->n_columns--;
	memmove(frame->columns + column, frame->columns + column + 1,
			sizeof(RmlColumn) * (size_t) (frame->n_columns - column));
	for (int i = column; i < frame->n_columns; i++)
		if (frame->columns[i].kind == RML_CATEGORICAL)
			frame->columns[i].slot--;
}
