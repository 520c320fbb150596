/*
 * test_ratings.c
 *	  From rows to ratings: order of ids, merging, transform, several processes; against pandas
 *	  (test/golden/ratings.py) and a plain re-count.
 */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "retailml/ratings.h"
#include "retailml/rng.h"

/* ---- against pandas ---- */

typedef struct Way
{
	const char *name;
	RmlDuplicates duplicates;
	RmlTransform transform;
	double tolerance;
} Way;

static const Way ways[] = {
	{"mean", RML_DUPLICATES_MEAN, RML_TRANSFORM_NONE, 0},
	{"sum", RML_DUPLICATES_SUM, RML_TRANSFORM_NONE, 0},
	{"last", RML_DUPLICATES_LAST, RML_TRANSFORM_NONE, 0},
	/* log1p of another C library may differ in its last bit, which can move a float4 */
	{"purchases", RML_DUPLICATES_SUM, RML_TRANSFORM_LOG1P, 1e-7},
};

static void
add_golden_row(RmlRatingLog *log, RmlEnv *env, const UnitCsv *rows, size_t row)
{
	double value = unit_csv_number(rows, row, "value");
	int32_t user, item;

	if (log->users.text)
	{
		const char *user_text = unit_csv_text(rows, row, "user_text");
		const char *item_text = unit_csv_text(rows, row, "item_text");

		user = rml_rating_code_text(&log->users, env, user_text, strlen(user_text));
		item = rml_rating_code_text(&log->items, env, item_text, strlen(item_text));
	}
	else
	{
		user = rml_rating_code_number(&log->users, env,
									  strtoll(unit_csv_text(rows, row, "user"), NULL, 10));
		item = rml_rating_code_number(&log->items, env,
									  strtoll(unit_csv_text(rows, row, "item"), NULL, 10));
	}
	rml_rating_log_add(log, env, user, item, value);
}

/* lines [*line, ...) of the golden ratings are these, in this order */
static void
check_made(RmlEnv *env, const UnitCsv *made, size_t *line, const RmlRatings *ratings,
		   const RmlRatingIds *users, const RmlRatingIds *items, const Way *way)
{
	const char *kind = users->texts != NULL ? "text" : "number";
	bool same_ids = true, same_values = true;

	for (int32_t user = 0; user < ratings->n_users; user++)
		for (int64_t r = ratings->starts[user]; r < ratings->starts[user + 1]; r++)
		{
			const char *user_id = rml_rating_id_text(users, env, user);
			const char *item_id = rml_rating_id_text(items, env, ratings->items[r]);
			double wanted = unit_csv_number(made, *line, "value");

			same_ids = same_ids && strcmp(user_id, unit_csv_text(made, *line, "user")) == 0 &&
					   strcmp(item_id, unit_csv_text(made, *line, "item")) == 0;
			same_values =
				same_values && fabs(ratings->values[r] - wanted) <= way->tolerance * wanted;
			++*line;
		}
	unit_ok(same_ids, "%s, %s: the pairs, in order of the ids", kind, way->name);
	unit_ok(same_values, "%s, %s: the values", kind, way->name);
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *rows = unit_golden("ratings.csv");
	UnitCsv *made = unit_golden("ratings_made.csv");
	size_t line = 0;

	for (int i = 0; rows != NULL && made != NULL && i < 8; i++)
	{
		const Way *way = &ways[i % 4];
		RmlRatingLog log;
		RmlRatings ratings;
		RmlRatingIds users, items;
		const char *hint;

		rml_rating_log_init(&log, i >= 4);
		for (size_t row = 0; row < rows->rows; row++)
			add_golden_row(&log, env, rows, row);
		unit_equal_string(rml_ratings_make(&log, env, way->duplicates, way->transform, &ratings,
										   &users, &items, &hint),
						  NULL, "%s is possible", way->name);
		check_made(env, made, &line, &ratings, &users, &items, way);
	}
	unit_equal_int((int64_t) line, made == NULL ? -1 : (int64_t) made->rows, "all of them");
	unit_csv_free(rows);
	unit_csv_free(made);
}

/* ---- the order of rows, several processes ---- */

enum
{
	rows_n = 60000,
	users_n = 700,
	items_n = 300
};

static void
add_random_row(RmlRatingLog *log, RmlEnv *env, int64_t i)
{
	int64_t user = (int64_t) (rml_rng_uniform(5, 0, (uint64_t) i) * users_n) - 100;
	int64_t item = (int64_t) (rml_rng_uniform(5, 1, (uint64_t) i) * items_n);
	double value = rml_rng_uniform(5, 2, (uint64_t) i) * exp2((double) (i % 120) - 60);
	char text[32];
	int length;

	if (!log->users.text)
	{
		rml_rating_log_add(log, env, rml_rating_code_number(&log->users, env, user),
						   rml_rating_code_number(&log->items, env, item), value);
		return;
	}
	length = snprintf(text, sizeof text, "customer-%lld", (long long) user);
	user = rml_rating_code_text(&log->users, env, text, (size_t) length);
	length = snprintf(text, sizeof text, "%lld", (long long) item);
	item = rml_rating_code_text(&log->items, env, text, (size_t) length);
	rml_rating_log_add(log, env, (int32_t) user, (int32_t) item, value);
}

typedef struct Made
{
	RmlRatings ratings;
	RmlRatingIds users;
	RmlRatingIds items;
} Made;

static Made
make(RmlEnv *env, RmlRatingLog *log, RmlDuplicates duplicates)
{
	Made made;
	const char *hint;
	const char *reason = rml_ratings_make(log, env, duplicates, RML_TRANSFORM_NONE, &made.ratings,
										  &made.users, &made.items, &hint);

	unit_equal_string(reason, NULL, "rows make ratings");
	return made;
}

static bool
same_ids(const RmlRatingIds *a, const RmlRatingIds *b)
{
	bool same = a->n == b->n && (a->texts == NULL) == (b->texts == NULL);

	for (int32_t i = 0; same && i < a->n; i++)
		same = a->texts == NULL ? a->numbers[i] == b->numbers[i]
								: strcmp(a->texts[i], b->texts[i]) == 0;
	return same;
}

static bool
same_made(const Made *a, const Made *b)
{
	const RmlRatings *x = &a->ratings, *y = &b->ratings;

	return same_ids(&a->users, &b->users) && same_ids(&a->items, &b->items) && x->n == y->n &&
		   memcmp(x->starts, y->starts, sizeof(int64_t) * ((size_t) x->n_users + 1)) == 0 &&
		   memcmp(x->items, y->items, sizeof(int32_t) * (size_t) x->n) == 0 &&
		   memcmp(x->values, y->values, sizeof(float) * (size_t) x->n) == 0;
}

/* ascending users and items, ascending items within each user, and every user and item there */
static bool
is_sound(const Made *made)
{
	const RmlRatings *ratings = &made->ratings;
	bool sound = ratings->starts[0] == 0 && ratings->starts[ratings->n_users] == ratings->n;

	for (int32_t u = 0; sound && u < ratings->n_users; u++)
	{
		sound = ratings->starts[u] < ratings->starts[u + 1];
		for (int64_t r = ratings->starts[u] + 1; sound && r < ratings->starts[u + 1]; r++)
			sound = ratings->items[r - 1] < ratings->items[r];
	}
	for (int32_t u = 1; sound && made->users.texts == NULL && u < made->users.n; u++)
		sound = made->users.numbers[u - 1] < made->users.numbers[u];
	for (int32_t u = 1; sound && made->users.texts != NULL && u < made->users.n; u++)
		sound = strcmp(made->users.texts[u - 1], made->users.texts[u]) < 0;
	return sound;
}

static void
test_order(RmlEnv *env, bool text, RmlDuplicates duplicates)
{
	RmlRatingLog forwards, backwards, parts[3], read;
	Made made, other;
	char *bytes;

	rml_rating_log_init(&forwards, text);
	rml_rating_log_init(&backwards, text);
	rml_rating_log_init(&read, text);
	for (int p = 0; p < 3; p++)
		rml_rating_log_init(&parts[p], text);
	for (int64_t i = 0; i < rows_n; i++)
	{
		add_random_row(&forwards, env, i);
		add_random_row(&backwards, env, rows_n - 1 - i);
		add_random_row(&parts[i * 7 % 11 % 3], env, i);
	}
	made = make(env, &forwards, duplicates);
	unit_ok(is_sound(&made), "in order");
	other = make(env, &backwards, duplicates);
	unit_ok(same_made(&made, &other), "the order of rows does not matter");

	parts[1].skipped = 5;
	parts[2].skipped = 2;
	bytes = rml_alloc(env, rml_rating_log_serial_size(&parts[1]));
	rml_rating_log_write(&parts[1], env, bytes);
	unit_equal_int(parts[1].n, 0, "written rows are let go of");
	rml_rating_log_read(&read, env, bytes);
	rml_rating_log_merge(&read, env, &parts[0]);
	bytes = rml_alloc(env, rml_rating_log_serial_size(&parts[2]));
	rml_rating_log_write(&parts[2], env, bytes);
	rml_rating_log_read(&read, env, bytes);
	unit_equal_int(read.n, rows_n, "rows of three processes");
	unit_equal_int(read.skipped, 7, "and those left out");
	other = make(env, &read, duplicates);
	unit_ok(same_made(&made, &other), "nor which process they came to");
}

/* ---- what cannot be ---- */

static void
add_number(RmlRatingLog *log, RmlEnv *env, int64_t user, int64_t item, double value)
{
	rml_rating_log_add(log, env, rml_rating_code_number(&log->users, env, user),
					   rml_rating_code_number(&log->items, env, item), value);
}

static void
expect_reason(RmlEnv *env, RmlRatingLog *log, RmlDuplicates duplicates, RmlTransform transform,
			  const char *wanted)
{
	RmlRatings ratings;
	RmlRatingIds users, items;
	const char *hint = NULL;

	unit_equal_string(rml_ratings_make(log, env, duplicates, transform, &ratings, &users, &items,
									   &hint),
					  wanted, "refused: %s", wanted);
	unit_ok(hint != NULL, "with a hint");
}

static void
test_refusals(RmlEnv *env)
{
	RmlRatingLog log;

	rml_rating_log_init(&log, false);
	add_number(&log, env, 18, 4711, 1);
	add_number(&log, env, 18, 4711, 1);
	add_number(&log, env, 17, 4711, 2);
	add_number(&log, env, 17, 5, 2);
	add_number(&log, env, 17, 4711, 3);
	expect_reason(env, &log, RML_DUPLICATES_ERROR, RML_TRANSFORM_NONE,
				  "user 17 has item 4711 twice");

	rml_rating_log_init(&log, true);
	for (int i = 0; i < 3; i++)
		rml_rating_log_add(&log, env, rml_rating_code_text(&log.users, env, "anna", 4),
						   rml_rating_code_text(&log.items, env, "cap", 3), 1);
	expect_reason(env, &log, RML_DUPLICATES_ERROR, RML_TRANSFORM_NONE,
				  "user anna has item cap 3 times");

	rml_rating_log_init(&log, false);
	add_number(&log, env, 1, 2, -0.5);
	add_number(&log, env, 1, 3, 2);
	add_number(&log, env, 1, 3, -3);
	expect_reason(env, &log, RML_DUPLICATES_SUM, RML_TRANSFORM_LOG1P,
				  "the rating -1 of user 1 for item 3 has no log1p, which begins above -1");

	rml_rating_log_init(&log, false);
	add_number(&log, env, 1, 3, DBL_MAX);
	add_number(&log, env, 1, 3, DBL_MAX);
	expect_reason(env, &log, RML_DUPLICATES_SUM, RML_TRANSFORM_NONE,
				  "the rating inf of user 1 for item 3 is beyond the range of float4");
	rml_rating_log_init(&log, false);
	add_number(&log, env, 1, 3, -3.5e38);
	expect_reason(env, &log, RML_DUPLICATES_LAST, RML_TRANSFORM_NONE,
				  "the rating -3.5e+38 of user 1 for item 3 is beyond the range of float4");
}

static void
test_one_row(RmlEnv *env)
{
	RmlRatingLog log;
	Made made;

	rml_rating_log_init(&log, false);
	add_number(&log, env, INT64_MIN, INT64_MAX, -0.0);
	made = make(env, &log, RML_DUPLICATES_ERROR);
	unit_ok(made.ratings.n == 1 && made.users.numbers[0] == INT64_MIN &&
				made.items.numbers[0] == INT64_MAX,
			"one row");
	unit_ok(!signbit(made.ratings.values[0]), "negative zero is zero");
}

/* ---- ids ---- */

static void
test_ids(RmlEnv *env)
{
	int64_t numbers[] = {INT64_MIN, -1, 0, 7, INT64_MAX};
	char *texts[] = {"", "a", "ab", "b", "\xc3\xa9"};
	RmlRatingIds by_number = {5, numbers, NULL};
	RmlRatingIds by_text = {5, NULL, texts};
	bool found = true;

	for (int32_t i = 0; i < 5; i++)
		found = found && rml_rating_ids_number(&by_number, numbers[i]) == i &&
				rml_rating_ids_text(&by_text, texts[i], strlen(texts[i])) == i;
	unit_ok(found, "ids are found");
	unit_equal_int(rml_rating_ids_number(&by_number, 6), -1, "an unknown number");
	unit_equal_int(rml_rating_ids_number(&by_number, 8), -1, "and another");
	unit_equal_int(rml_rating_ids_text(&by_text, "abc", 3), -1, "an unknown text");
	unit_equal_int(rml_rating_ids_text(&by_text, "abc", 2), 2, "texts end where they say");
	unit_equal_int(rml_rating_ids_text(&by_text, "\xc3\xaa", 2), -1, "beyond the last text");
	unit_equal_string(rml_rating_id_text(&by_number, env, 0), "-9223372036854775808",
					  "a number as text");
}

/* ---- parts ---- */

static void
test_without(RmlEnv *env)
{
	int64_t starts[] = {0, 2, 3, 6};
	int32_t rating_items[] = {0, 2, 1, 0, 1, 2};
	float values[] = {1, 2, 3, 4, 5, 6};
	RmlRatings ratings = {3, 3, 6, starts, rating_items, values};
	uint8_t sides[] = {1, 0, 1, 2, 1, 0};
	int64_t kept_starts[] = {0, 1, 1, 3};
	int32_t kept_items[] = {2, 0, 2};
	float kept_values[] = {2, 4, 6};
	int64_t buyers[] = {2, 2, 2};
	RmlRatings part;

	rml_ratings_without(&ratings, env, sides, 1, &part);
	unit_ok(part.n == 3 && part.n_users == 3 && part.n_items == 3, "what is left");
	unit_equal_bytes(part.starts, kept_starts, sizeof kept_starts, "by user, one left with none");
	unit_equal_bytes(part.items, kept_items, sizeof kept_items, "items");
	unit_equal_bytes(part.values, kept_values, sizeof kept_values, "values");
	unit_equal_bytes(rml_ratings_buyers(&ratings, env), buyers, sizeof buyers, "buyers");
}

/* pairs that are dealt by their key: a tenth within five standard deviations, other seeds other pairs */
static void
test_keys(RmlEnv *env)
{
	int64_t numbers[300];
	RmlRatingIds ids = {300, numbers, NULL};
	uint64_t *keys;
	int64_t held = 0, both = 0;

	for (int i = 0; i < 300; i++)
		numbers[i] = i;
	keys = rml_rating_keys(&ids, env);
	for (int u = 0; u < 300; u++)
		for (int i = 0; i < 300; i++)
		{
			bool first = rml_rating_pair_key(keys[u], keys[i], 1) < UINT64_MAX / 10;

			held += first;
			both += first && rml_rating_pair_key(keys[u], keys[i], 2) < UINT64_MAX / 10;
		}
	unit_ok(fabs((double) held - 9000) < 5 * 90, "a tenth of the pairs (%lld)", (long long) held);
	unit_ok(fabs((double) both - 900) < 5 * 30, "which tenth depends on the seed (%lld)",
			(long long) both);
	unit_ok(rml_rating_pair_key(keys[1], keys[2], 1) != rml_rating_pair_key(keys[2], keys[1], 1),
			"user and item are not the same");
}

/* ---- manners ---- */

static void
test_memory_and_cancel(void)
{
	RmlEnv *env = unit_env(1);
	RmlRatingLog log;
	Made made;
	const int64_t n = 2000000;

	rml_rating_log_init(&log, false);
	for (int64_t i = 0; i < n; i++)
		add_number(&log, env, i * 7919 % 20011, i * 31 % 3001, 1 + i % 5);
	made = make(env, &log, RML_DUPLICATES_MEAN);
	unit_ok(made.ratings.n > n / 2, "most pairs are distinct");
	unit_ok(unit_env_peak(env) < (size_t) n * 36, "at most 36 bytes a row (%.1f)",
			(double) unit_env_peak(env) / (double) n);
	unit_ok(unit_env_in_use(env) < (size_t) n * 9, "8 bytes a rating remain (%.1f)",
			(double) unit_env_in_use(env) / (double) n);
	unit_env_reset(env);

	rml_rating_log_init(&log, false);
	for (int64_t i = 0; i < n; i++)
		add_number(&log, env, i % 2003, i % 3001, 1);
	unit_env_cancel_after(env, 20);
	unit_ok(UNIT_ESCAPES(env, (void) make(env, &log, RML_DUPLICATES_MEAN)), "can be cancelled");
	unit_equal_string(unit_env_reason(env), "cancelled", "because it was");
	unit_env_free(env);
}

/*
 * Users of 0, 3, 0, 10, 1 ratings that cost one more each begin at 0, 1, 5, 6, 17 of 19: of blocks of 6 the first
 * has three users, the second the large one, the third the last, and one of 25 has all.
 */
static void
test_user_blocks(void)
{
	int64_t starts[] = {0, 0, 3, 3, 13, 14};
	const RmlRatings ratings = {.n_users = 5, .n = 14, .starts = starts};
	static const int32_t wanted[] = {0, 3, 4, 5, 5};
	int32_t first[5];

	for (int64_t block = 0; block < 5; block++)
		first[block] = rml_ratings_block_user(&ratings, block, 6, 1);
	unit_equal_bytes(first, wanted, sizeof wanted, "blocks of users of about equal work");
	unit_ok(rml_ratings_block_user(&ratings, 0, 25, 1) == 0 &&
				rml_ratings_block_user(&ratings, 1, 25, 1) == 5,
			"or one of all");
}

int
main(void)
{
	RmlEnv *env = unit_env(2);

	test_golden(env);
	test_order(env, false, RML_DUPLICATES_SUM);
	test_order(env, false, RML_DUPLICATES_MEAN);
	test_order(env, true, RML_DUPLICATES_SUM);
	test_refusals(env);
	test_one_row(env);
	test_ids(env);
	test_without(env);
	test_keys(env);
	test_user_blocks();
	unit_env_free(env);
	test_memory_and_cancel();
	return unit_done();
}
