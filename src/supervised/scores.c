/*
 * scores.c
 *	  Collecting scored rows, and walking them by score.  See scores.h.
 */
#include "retailml/scores.h"

#include <string.h>

#include "retailml/sort.h"

#define FIRST_CAPACITY 16
#define POLL_EVERY 65536

static void
reserve(RmlScores *scores, RmlEnv *env, int side, int64_t n)
{
	int64_t capacity = scores->capacity[side] == 0 ? FIRST_CAPACITY : scores->capacity[side];

	while (capacity < n)
		capacity *= 2;
	if (capacity == scores->capacity[side])
		return;
	scores->values[side] =
		rml_grow_array(env, scores->values[side], (size_t) scores->capacity[side],
					   (size_t) capacity, sizeof(double));
	scores->capacity[side] = capacity;
}

void
rml_scores_add(RmlScores *scores, RmlEnv *env, bool positive, double score)
{
	int side = positive ? 1 : 0;

	if (scores->n[side] == scores->capacity[side])
		reserve(scores, env, side, scores->n[side] + 1);
	/* the sum makes one zero of both */
	scores->values[side][scores->n[side]++] = score + 0.0;
	scores->sorted = false;
}

void
rml_scores_append(RmlScores *scores, RmlEnv *env, bool positive, const void *values, int64_t n)
{
	int side = positive ? 1 : 0;

	if (n == 0)
		return;
	reserve(scores, env, side, scores->n[side] + n);
	memcpy(scores->values[side] + scores->n[side], values, sizeof(double) * (size_t) n);
	scores->n[side] += n;
	scores->sorted = false;
}

void
rml_scores_sort(RmlScores *scores, RmlEnv *env)
{
	if (scores->sorted)
		return;
	for (int side = 0; side < 2; side++)
		if (scores->n[side] > 1)
			rml_sort_doubles(env, scores->values[side], scores->n[side]);
	scores->sorted = true;
}

void
rml_ties_begin(RmlTieCursor *cursor, const RmlScores *scores, RmlEnv *env, bool descending)
{
	*cursor = (RmlTieCursor){.scores = scores, .env = env, .descending = descending};
	if (descending)
		memcpy(cursor->place, scores->n, sizeof cursor->place);
}

/* the score of a class that is next; false when there is none */
static bool
peek(const RmlTieCursor *cursor, int side, double *score)
{
	int64_t place = cursor->descending ? cursor->place[side] - 1 : cursor->place[side];

	if (place < 0 || place >= cursor->scores->n[side])
		return false;
	*score = cursor->scores->values[side][place];
	return true;
}

/* rows of a class with this score, which are passed */
static int64_t
take(RmlTieCursor *cursor, int side, double score)
{
	const double *values = cursor->scores->values[side];
	int64_t place = cursor->place[side], n = 0;

	if (cursor->descending)
		while (place - n > 0 && values[place - n - 1] == score)
			n++;
	else
		while (place + n < cursor->scores->n[side] && values[place + n] == score)
			n++;
	cursor->place[side] += cursor->descending ? -n : n;
	return n;
}

bool
rml_ties_next(RmlTieCursor *cursor, RmlTie *tie)
{
	double score[2] = {0, 0};
	bool any[2] = {peek(cursor, 0, &score[0]), peek(cursor, 1, &score[1])};

	if (!any[0] && !any[1])
		return false;
	if (any[0] && any[1])
		tie->score = (score[0] > score[1]) == cursor->descending ? score[0] : score[1];
	else
		tie->score = any[0] ? score[0] : score[1];
	tie->n[0] = take(cursor, 0, tie->score);
	tie->n[1] = take(cursor, 1, tie->score);
	cursor->steps += tie->n[0] + tie->n[1];
	if (cursor->steps >= POLL_EVERY)
	{
		cursor->steps = 0;
		rml_poll(cursor->env);
	}
	return true;
}

bool
rml_scores_are_probabilities(const RmlScores *scores)
{
	for (int side = 0; side < 2; side++)
	{
		int64_t n = scores->n[side];

		if (n > 0 && (scores->values[side][0] < 0 || scores->values[side][n - 1] > 1))
			return false;
	}
	return true;
}
