/*
 * ratings_make.c
 *	  From the log of rows to sparse ratings.
 *
 * Two counting sorts, both stable, put the rows in order of user, item and arrival: first they are dealt
 * out by item, then what lies in order of the items by user.  Both go through memory in order on one
 * side and in as many streams as there are items (users) on the other, whatever the order in
 * which the rows came and however many of them one user has.
 *
 * Then the rows of each pair lie side by side and are merged.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "retailml/exact_sum.h"
#include "retailml/ratings.h"

#define POLL_ROWS (1 << 18)

/* a row of which one id follows from its place; not padded to 16 bytes */
typedef struct __attribute__((packed, aligned(4))) HalfRow
{
	int32_t id;
	double value;
} HalfRow;

typedef struct Sorted
{
	int64_t *starts; /* [u + 1] */
	HalfRow *rows;   /* [n] by user, item, arrival; id is the item */
} Sorted;

/* rows of one pair [first, end) */
typedef struct Run
{
	int32_t user;
	int32_t item;
	int64_t first;
	int64_t end;
} Run;

/* the merging, and what it found that cannot be */
typedef struct Making
{
	RmlEnv *env;
	RmlDuplicates duplicates;
	RmlTransform transform;
	const RmlRatingIds *users;
	const RmlRatingIds *items;
	const char *reason;
	const char *hint;
} Making;

static void
poll_sometimes(RmlEnv *env, int64_t i)
{
	if (i % POLL_ROWS == POLL_ROWS - 1)
		rml_poll(env);
}

/* ---- order ---- */

/* starts [n + 1] from counts of id i in starts[i] */
static void
counts_to_starts(int64_t *starts, int32_t n)
{
	int64_t start = 0;

	for (int32_t i = 0; i <= n; i++)
	{
		int64_t count = starts[i];

		starts[i] = start;
		start += count;
	}
}

/* what was moved forward while rows were dealt out: the start of each is now that of the next one */
static void
move_back(int64_t *starts, int32_t n)
{
	memmove(starts + 1, starts, sizeof(int64_t) * (size_t) n);
	starts[0] = 0;
}

/* ranks instead of codes in the rows; the rows of each user and each item are counted */
static void
rank_rows(const RmlRatingLog *log, RmlEnv *env, const int32_t *user_ranks,
		  const int32_t *item_ranks, int64_t *user_starts, int64_t *item_starts)
{
	for (RmlRatingChunk *chunk = log->first; chunk != NULL; chunk = chunk->next)
	{
		for (int64_t i = 0; i < chunk->n; i++)
		{
			RmlRatingRow *row = &chunk->rows[i];

			row->user = user_ranks[row->user];
			row->item = item_ranks[row->item];
			user_starts[row->user]++;
			item_starts[row->item]++;
			poll_sometimes(env, i);
		}
		rml_poll(env);
	}
	counts_to_starts(user_starts, log->users.n);
	counts_to_starts(item_starts, log->items.n);
}

/* rows [n] by item, with the user; starts of the items move to their ends */
static void
deal_by_item(const RmlRatingLog *log, RmlEnv *env, int64_t *starts, HalfRow *by_item)
{
	for (const RmlRatingChunk *chunk = log->first; chunk != NULL; chunk = chunk->next)
	{
		for (int64_t i = 0; i < chunk->n; i++)
		{
			const RmlRatingRow *row = &chunk->rows[i];

			by_item[starts[row->item]++] = (HalfRow){row->user, row->value};
			poll_sometimes(env, i);
		}
		rml_poll(env);
	}
}

/* rows [n] by user, with the item; starts of the users move to their ends */
static void
deal_by_user(RmlEnv *env, const HalfRow *by_item, const int64_t *item_ends, int32_t n_items,
			 int64_t *starts, HalfRow *by_user)
{
	int64_t i = 0;

	for (int32_t item = 0; item < n_items; item++)
		for (; i < item_ends[item]; i++)
		{
			by_user[starts[by_item[i].id]++] = (HalfRow){item, by_item[i].value};
			poll_sometimes(env, i);
		}
}

static void
sort_rows(RmlRatingLog *log, RmlEnv *env, const int32_t *user_ranks, const int32_t *item_ranks,
		  Sorted *sorted)
{
	size_t n = (size_t) log->n;
	int64_t *items = RML_NEW_ZERO(env, int64_t, (size_t) log->items.n + 1);
	HalfRow *by_item;

	sorted->starts = RML_NEW_ZERO(env, int64_t, (size_t) log->users.n + 1);
	by_item = RML_NEW(env, HalfRow, n);
	rank_rows(log, env, user_ranks, item_ranks, sorted->starts, items);
	deal_by_item(log, env, items, by_item);
	rml_rating_log_clear(log, env);
	sorted->rows = RML_NEW(env, HalfRow, n);
	deal_by_user(env, by_item, items, log->items.n, sorted->starts, sorted->rows);
	move_back(sorted->starts, log->users.n);
	rml_release(env, by_item);
	rml_release(env, items);
}

/* ---- one rating out of the rows of a pair ---- */

static double
exact_sum(RmlEnv *env, const HalfRow *rows, int64_t n)
{
	RmlFixed fixed = {0, 0};
	RmlWideSum wide;
	bool is_wide = false;

	for (int64_t i = 0; i < n; i++)
	{
		poll_sometimes(env, i);
		if (rml_fixed_add_double(&fixed, rows[i].value))
			continue;
		if (!is_wide)
			memset(&wide, 0, sizeof wide);
		is_wide = true;
		rml_wide_add(&wide, rows[i].value);
	}
	return rml_exact_sum(&fixed, is_wide ? &wide : NULL);
}

static double
merged(RmlEnv *env, const HalfRow *rows, const Run *run, RmlDuplicates duplicates)
{
	int64_t n = run->end - run->first;

	if (n == 1 || duplicates == RML_DUPLICATES_LAST)
		return rows[run->end - 1].value;
	if (duplicates == RML_DUPLICATES_SUM)
		return exact_sum(env, rows + run->first, n);
	return exact_sum(env, rows + run->first, n) / (double) n;
}

static void
refuse_repetition(Making *making, const Run *run)
{
	const char *user = rml_rating_id_text(making->users, making->env, run->user);
	const char *item = rml_rating_id_text(making->items, making->env, run->item);
	int64_t n = run->end - run->first;

	making->reason =
		n == 2 ? rml_format(making->env, "user %s has item %s twice", user, item)
			   : rml_format(making->env, "user %s has item %s %" PRId64 " times", user, item, n);
	making->hint = "With the option \"duplicates\" rows of one pair are merged: \"sum\", \"mean\" "
				   "or \"last\".";
}

static void
refuse_value(Making *making, const Run *run, double value, const char *what, const char *hint)
{
	const char *user = rml_rating_id_text(making->users, making->env, run->user);
	const char *item = rml_rating_id_text(making->items, making->env, run->item);

	making->reason =
		rml_format(making->env, "the rating %g of user %s for item %s %s", value, user, item, what);
	making->hint = hint;
}

/* the rating of a run; a reason is left in making when it cannot be */
static float
rate(Making *making, const HalfRow *rows, const Run *run)
{
	double value;

	if (making->duplicates == RML_DUPLICATES_ERROR && run->end - run->first > 1)
	{
		refuse_repetition(making, run);
		return 0;
	}
	value = merged(making->env, rows, run, making->duplicates);
	if (making->transform == RML_TRANSFORM_LOG1P)
	{
		if (value <= -1)
			refuse_value(making, run, value, "has no log1p, which begins above -1",
						 "Leave out returns, or set the option \"transform\" to \"none\".");
		else
			value = log1p(value);
	}
	if (!(fabs(value) <= FLT_MAX) && making->reason == NULL)
		refuse_value(making, run, value, "is beyond the range of float4",
					 "Give ratings in a larger unit.");
	return making->reason == NULL ? (float) value : 0;
}

/* ---- all of them ---- */

/* the next run from first on, before end */
static Run
next_run(RmlEnv *env, const HalfRow *rows, int32_t user, int64_t first, int64_t end)
{
	Run run = {user, rows[first].id, first, first + 1};

	while (run.end < end && rows[run.end].id == run.item)
		poll_sometimes(env, run.end++);
	return run;
}

static int64_t
count_pairs(const Sorted *sorted, RmlEnv *env, int32_t n_users)
{
	const HalfRow *rows = sorted->rows;
	int64_t n = 0;

	for (int32_t user = 0; user < n_users; user++)
		for (int64_t i = sorted->starts[user]; i < sorted->starts[user + 1]; i++)
		{
			n += i == sorted->starts[user] || rows[i].id != rows[i - 1].id;
			poll_sometimes(env, i);
		}
	return n;
}

/* starts become those of the ratings */
static void
merge_rows(Making *making, const Sorted *sorted, RmlRatings *ratings)
{
	int64_t next = 0, polled = 0;

	ratings->n = 0;
	for (int32_t user = 0; user < ratings->n_users; user++)
	{
		int64_t end = sorted->starts[user + 1];

		sorted->starts[user] = ratings->n;
		while (next < end)
		{
			Run run = next_run(making->env, sorted->rows, user, next, end);

			ratings->items[ratings->n] = run.item;
			ratings->values[ratings->n++] = rate(making, sorted->rows, &run);
			if (making->reason != NULL)
				return;
			next = run.end;
			if (next - polled >= POLL_ROWS)
			{
				rml_poll(making->env);
				polled = next;
			}
		}
	}
	sorted->starts[ratings->n_users] = ratings->n;
}

size_t
rml_ratings_make_bytes(const RmlRatingLog *log)
{
	size_t n = (size_t) log->n;
	size_t n_ids = (size_t) log->users.n + (size_t) log->items.n;

	/* while ids are sorted; while rows are dealt out; what is left when the ratings are there */
	size_t sorting = n_ids * (2 * 16 + 8 + 4);
	size_t dealing = n_ids * (8 + 4 + 8) + n * sizeof(HalfRow);

	return sorting > dealing ? sorting : dealing;
}

const char *
rml_ratings_make(RmlRatingLog *log, RmlEnv *env, RmlDuplicates duplicates, RmlTransform transform,
				 RmlRatings *ratings, RmlRatingIds *users, RmlRatingIds *items, const char **hint)
{
	int32_t *user_ranks = rml_rating_names_sort(&log->users, env, users);
	int32_t *item_ranks = rml_rating_names_sort(&log->items, env, items);
	Making making = {env, duplicates, transform, users, items, NULL, NULL};
	Sorted sorted;
	size_t n;

	sort_rows(log, env, user_ranks, item_ranks, &sorted);
	rml_release(env, user_ranks);
	rml_release(env, item_ranks);
	rml_rating_names_release(&log->users, env);
	rml_rating_names_release(&log->items, env);
	n = (size_t) count_pairs(&sorted, env, users->n);
	*ratings = (RmlRatings){.n_users = users->n, .n_items = items->n, .starts = sorted.starts};
	ratings->items = RML_NEW(env, int32_t, n);
	ratings->values = RML_NEW(env, float, n);
	merge_rows(&making, &sorted, ratings);
	rml_release(env, sorted.rows);
	*hint = making.hint;
	return making.reason;
}
