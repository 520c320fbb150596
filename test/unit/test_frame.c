/*
 * test_frame.c
 *	  Whatever way rows are collected, the matrix is the same.
 */
#include "unit.h"

#include <math.h>

#include "retailml/frame.h"
#include "retailml/rng.h"

/* ---- a table of rows to collect: two numbers, two categories, with everything that is odd */

enum
{
	ROWS = 5000,
	D_NUM = 2,
	D_CAT = 2
};

static char *const names[] = {"a", "colour", "b", "city"};
static char *const types[] = {"double precision", "text", "boolean", "text"};
static const RmlKind kinds[] = {RML_NUMERIC, RML_CATEGORICAL, RML_BOOLEAN, RML_CATEGORICAL};
static const char *const texts[] = {NULL, "",         "red", "re", "red ",
									"Z",  "\xC3\xA4", "a",   "b",  "\x01"};

typedef struct Row
{
	double numbers[D_NUM];
	const char *texts[D_CAT]; /* NULL = missing */
} Row;

/* few values, so that many rows are equal; both zeros, and NaN with all kinds of bits */
static Row
make_row(uint64_t i)
{
	static const double values[] = {0.0, -0.0, 1.5, -1.5, 4.9e-324, 1e308, -1e308, 3.0};
	uint64_t nan_bits = 0x7FF8000000000000 | (rml_rng_u64(1, 9, i) & 0x8007FFFFFFFFFFFF);
	Row row;

	row.numbers[0] = values[rml_rng_below(1, 1, i, 8)];
	row.numbers[1] = (double) rml_rng_below(1, 2, i, 4);
	if (rml_rng_below(1, 3, i, 10) == 0)
		memcpy(&row.numbers[0], &nan_bits, sizeof(double));
	row.texts[0] = texts[rml_rng_below(1, 4, i, 10)];
	row.texts[1] = texts[rml_rng_below(1, 5, i, 10)];
	return row;
}

static void
push(RmlFrame *frame, const Row *row)
{
	double *numbers;
	int32_t *codes;

	rml_frame_push(frame, &numbers, &codes);
	memcpy(numbers, row->numbers, sizeof row->numbers);
	for (int j = 0; j < D_CAT; j++)
	{
		RmlColumn *column = &frame->columns[1 + 2 * j];

		codes[column->slot] = row->texts[j] == NULL ? 0
													: rml_frame_code(frame, column, row->texts[j],
																	 strlen(row->texts[j]));
	}
}

static void
begin(RmlFrame *frame, RmlEnv *env)
{
	rml_frame_init(frame, env, 4, names, types, kinds);
}

/* ---- what a frame comes to */

typedef struct Result
{
	RmlFrame frame;
	RmlMatrix matrix;
} Result;

static void
order(Result *result)
{
	rml_frame_order(&result->frame, true, &result->matrix);
}

/* bytes of the matrix, and texts of the dictionaries */
static bool
same(const Result *a, const Result *b)
{
	if (a->matrix.n != b->matrix.n ||
		memcmp(a->matrix.numbers, b->matrix.numbers, (size_t) a->matrix.n * D_NUM * 8) != 0 ||
		memcmp(a->matrix.codes, b->matrix.codes, (size_t) a->matrix.n * D_CAT * 4) != 0)
		return false;
	for (int i = 0; i < 4; i++)
	{
		const RmlDictionary *left = &a->frame.columns[i].dictionary;
		const RmlDictionary *right = &b->frame.columns[i].dictionary;

		if (left->n != right->n)
			return false;
		for (int32_t c = 0; c < left->n; c++)
			if (strcmp(left->texts[c], right->texts[c]) != 0)
				return false;
	}
	return true;
}

static void
collect_in_order(Result *result, RmlEnv *env)
{
	begin(&result->frame, env);
	for (uint64_t i = 0; i < ROWS; i++)
	{
		Row row = make_row(i);

		push(&result->frame, &row);
	}
	order(result);
}

/* row shuffle[i] is the i-th collected (Fisher and Yates) */
static void
make_shuffle(int64_t *shuffle, uint64_t seed)
{
	for (int64_t i = 0; i < ROWS; i++)
	{
		int64_t j = (int64_t) rml_rng_below(seed, 0, (uint64_t) i, (uint64_t) i + 1);

		shuffle[i] = shuffle[j];
		shuffle[j] = i;
	}
}

/* a frame's serialized bytes, read again */
static void
pass_on(RmlFrame *frame, RmlEnv *env)
{
	size_t size = rml_frame_serial_size(frame);
	/* an odd address, and a block of exactly that size */
	char *bytes = malloc(size + 1);
	RmlFrame copy;

	rml_frame_serialize(frame, bytes + 1);
	rml_frame_deserialize(&copy, env, bytes + 1);
	free(bytes);
	*frame = copy;
}

/* the rows in any order, by as many workers, each of which passes its frame on */
static void
collect_by_workers(Result *result, RmlEnv *env, int workers, uint64_t seed)
{
	int64_t shuffle[ROWS];

	make_shuffle(shuffle, seed);
	begin(&result->frame, env);
	for (int worker = 0; worker < workers; worker++)
	{
		RmlFrame frame;

		begin(&frame, env);
		for (int64_t i = 0; i < ROWS; i++)
			if (rml_rng_below(seed, 1, (uint64_t) i, (uint64_t) workers) == (uint64_t) worker)
			{
				Row row = make_row((uint64_t) shuffle[i]);

				push(&frame, &row);
			}
		frame.skipped = 1;
		pass_on(&frame, env);
		rml_frame_merge(&result->frame, &frame);
	}
	order(result);
}

static void
test_invariance(void)
{
	RmlEnv *env = unit_env(1);
	Result plain, other;

	collect_in_order(&plain, env);
	for (int workers = 1; workers <= 7; workers += 2)
	{
		collect_by_workers(&other, env, workers, (uint64_t) workers);
		unit_ok(same(&plain, &other), "shuffled, over %d serialized and merged frames", workers);
		unit_equal_int(other.frame.skipped, workers, "which also add up the rows they left out");
	}
	env->threads = 3;
	collect_by_workers(&other, env, 2, 99);
	unit_ok(same(&plain, &other), "with three threads");
	unit_env_free(env);
}

/* ---- normal form and order */

static bool
is_missing(const Row *row, int j)
{
	return isnan(row->numbers[j]);
}

static bool
row_matches(const Result *result, int64_t i, const Row *row)
{
	const double *numbers = result->matrix.numbers + i * D_NUM;
	const int32_t *codes = result->matrix.codes + i * D_CAT;

	for (int j = 0; j < D_NUM; j++)
		if (is_missing(row, j) ? !isnan(numbers[j]) : numbers[j] != row->numbers[j])
			return false;
	for (int j = 0; j < D_CAT; j++)
	{
		const RmlColumn *column = &result->frame.columns[1 + 2 * j];
		int32_t code = codes[column->slot];

		if (row->texts[j] == NULL
				? code != 0
				: code == 0 || strcmp(column->dictionary.texts[code - 1], row->texts[j]) != 0)
			return false;
	}
	return true;
}

static void
test_origin(void)
{
	RmlEnv *env = unit_env(2);
	static bool seen[ROWS];
	Result result;
	bool all = true, content = true;

	collect_in_order(&result, env);
	for (int64_t i = 0; i < ROWS; i++)
	{
		int64_t origin = result.matrix.origin[i];
		Row row = make_row((uint64_t) origin);

		all = all && origin >= 0 && origin < ROWS && !seen[origin];
		seen[origin] = true;
		content = content && row_matches(&result, i, &row);
	}
	unit_ok(all, "origin names every row once");
	unit_ok(content, "and the row is what was pushed there");
	unit_env_free(env);
}

static void
test_normal_form(void)
{
	RmlEnv *env = unit_env(1);
	Result result;
	uint64_t nan_bits = 0;
	bool one_nan = true, no_negative_zero = true, sorted = true;

	collect_in_order(&result, env);
	for (int64_t i = 0; i < ROWS * D_NUM; i++)
	{
		uint64_t bits;

		memcpy(&bits, result.matrix.numbers + i, 8);
		if (isnan(result.matrix.numbers[i]))
		{
			one_nan = one_nan && (nan_bits == 0 || bits == nan_bits);
			nan_bits = bits;
		}
		no_negative_zero = no_negative_zero && bits != 0x8000000000000000;
	}
	for (int i = 1; i < 4; i += 2)
		for (int32_t c = 1; c < result.frame.columns[i].dictionary.n; c++)
			sorted = sorted && strcmp(result.frame.columns[i].dictionary.texts[c - 1],
									  result.frame.columns[i].dictionary.texts[c]) < 0;
	unit_ok(one_nan && nan_bits != 0, "every NaN has the same bits");
	unit_ok(no_negative_zero, "zero has no sign");
	unit_equal_int(result.frame.columns[1].dictionary.n, 9, "a dictionary has each text once");
	unit_ok(sorted, "in order of its bytes");
	unit_env_free(env);
}

static void
push_number(RmlFrame *frame, double x)
{
	double *numbers;
	int32_t *codes;

	rml_frame_push(frame, &numbers, &codes);
	numbers[0] = x;
}

static void
begin_column(RmlFrame *frame, RmlEnv *env)
{
	rml_frame_init(frame, env, 1, names, types, kinds);
}

/*
 * A prefix of the canonical order is a random sample: the mean of 1000 out of 0 .. 9999 has standard
 * error sqrt((10000^2 - 1) / 12 / 1000 * 9000 / 9999) = 86.6; four of them.
 */
static void
test_prefix(void)
{
	RmlEnv *env = unit_env(1);
	Result result;

	begin_column(&result.frame, env);
	for (int i = 0; i < 10000; i++)
		push_number(&result.frame, i);
	order(&result);
	for (int start = 0; start < 10000; start += 3000)
	{
		double sum = 0;

		for (int i = start; i < start + 1000; i++)
			sum += result.matrix.numbers[i];
		unit_ok(fabs(sum / 1000 - 4999.5) < 347, "rows %d to %d are a sample (mean %.1f)", start,
				start + 999, sum / 1000);
	}
	unit_env_free(env);
}

/* ---- frames of odd sizes */

static void
test_small(void)
{
	RmlEnv *env = unit_env(2);
	Result result;
	RmlFrame empty;

	begin(&result.frame, env);
	order(&result);
	unit_equal_int(result.matrix.n, 0, "no rows");
	begin_column(&result.frame, env);
	push_number(&result.frame, 7);
	rml_frame_pop(&result.frame);
	order(&result);
	unit_equal_int(result.matrix.n, 0, "one that was taken back");
	begin_column(&result.frame, env);
	push_number(&result.frame, 7);
	begin_column(&empty, env);
	pass_on(&empty, env);
	rml_frame_merge(&result.frame, &empty);
	order(&result);
	unit_ok(result.matrix.n == 1 && result.matrix.numbers[0] == 7, "one row and an empty frame");
	begin_column(&result.frame, env);
	begin_column(&empty, env);
	push_number(&empty, 3);
	rml_frame_merge(&result.frame, &empty);
	unit_ok(result.frame.n == 1 && empty.n == 0 && empty.first == NULL, "an empty one takes all");
	unit_env_free(env);
}

/* rows are taken back at every size, that is also at every edge of a chunk */
static void
test_pop(void)
{
	RmlEnv *env = unit_env(1);
	Result with, without;
	bool equal;

	begin_column(&with.frame, env);
	begin_column(&without.frame, env);
	for (int i = 0; i < 1000; i++)
	{
		push_number(&with.frame, -1);
		rml_frame_pop(&with.frame);
		push_number(&with.frame, i);
		push_number(&without.frame, i);
	}
	order(&with);
	order(&without);
	equal = with.matrix.n == 1000 && memcmp(with.matrix.numbers, without.matrix.numbers, 8000) == 0;
	unit_ok(equal, "what was taken back was never there");
	unit_env_free(env);
}

static void
test_mismatch(void)
{
	static char *const other_names[] = {"a", "colour", "c", "city"};
	static const RmlKind other_kinds[] = {RML_NUMERIC, RML_NUMERIC, RML_BOOLEAN, RML_CATEGORICAL};
	RmlEnv *env = unit_env(1);
	RmlFrame a, b;

	begin(&a, env);
	begin(&b, env);
	unit_ok(rml_frame_mismatch(&a, &b) == NULL, "equal columns can be merged");
	rml_frame_init(&b, env, 3, names, types, kinds);
	unit_ok(rml_frame_mismatch(&a, &b) != NULL, "not with one less,");
	rml_frame_init(&b, env, 4, other_names, types, kinds);
	unit_ok(rml_frame_mismatch(&a, &b) != NULL, "with another name,");
	rml_frame_init(&b, env, 4, names, types, other_kinds);
	unit_ok(rml_frame_mismatch(&a, &b) != NULL, "or of another kind");
	unit_env_free(env);
}

/* ---- dictionaries */

static void
test_dictionary(void)
{
	RmlEnv *env = unit_env(1);
	RmlFrame frame;
	bool stable = true;
	char text[20];

	begin(&frame, env);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 20000; i++)
		{
			size_t length = (size_t) snprintf(text, sizeof text, "category %d", i);

			stable = stable && rml_frame_code(&frame, &frame.columns[1], text, length) == i + 1;
		}
	unit_ok(stable, "20000 texts are numbered by first appearance, and keep their numbers");
	unit_equal_int(rml_frame_code(&frame, &frame.columns[1], "category 17 and more", 11), 18,
				   "a text need not be terminated");
	unit_equal_int(rml_frame_code(&frame, &frame.columns[3], "", 0), 1, "it may be empty");
	unit_env_free(env);
}

/* ---- memory, cancel */

static void
test_memory(void)
{
	RmlEnv *env = unit_env(1);
	RmlFrame frame;
	RmlMatrix matrix;
	size_t before, promised;

	begin(&frame, env);
	for (uint64_t i = 0; i < 200000; i++)
	{
		Row row = make_row(i);

		row.numbers[0] = (double) i;
		push(&frame, &row);
	}
	before = unit_env_in_use(env);
	promised = rml_frame_order_bytes(&frame);
	/* two numbers and two codes are 24 bytes a row; a third is more than growing chunks need */
	unit_ok(before < 200000 * 24 * 4 / 3, "a frame is little more than its rows (%zu bytes)",
			before);
	rml_frame_order(&frame, false, &matrix);
	unit_ok(unit_env_peak(env) - before <= promised + promised / 50 + 65536,
			"ordering takes what it said: %zu of %zu bytes", unit_env_peak(env) - before, promised);
	unit_ok(matrix.origin == NULL, "no origin unless asked for");
	unit_ok(unit_env_in_use(env) < 200000 * 24 + 65536, "afterwards only the matrix is left");
	unit_env_free(env);
}

/* the worst of inputs for a sort by hash: all hashes equal, or only two of them */
static void
check_copies(int distinct, const char *what)
{
	enum
	{
		N = 1000000
	};
	RmlEnv *env = unit_env(2);
	Result result;
	int64_t changes = 0, polls;

	begin_column(&result.frame, env);
	for (int i = 0; i < N; i++)
		push_number(&result.frame, i % distinct);
	polls = unit_env_polls(env);
	order(&result);
	polls = unit_env_polls(env) - polls;
	for (int i = 1; i < N; i++)
		changes += result.matrix.numbers[i] != result.matrix.numbers[i - 1];
	unit_equal_int(changes, distinct - 1, "a million %s: equal rows are neighbours", what);
	/* one pass of a million rows takes some ms; there are several, each polled */
	unit_ok(polls >= 15, "and it is polled (%lld times)", (long long) polls);
	unit_env_free(env);
}

/* a label that came with each row leaves the matrix, and keeps to its row */
static void
test_labels(void)
{
	static char *const names[] = {"x", "y", "label"}, *const types[] = {"real", "real", "integer"};
	static const RmlKind kinds[] = {RML_NUMERIC, RML_NUMERIC, RML_NUMERIC};
	RmlEnv *env = unit_env(1);
	RmlFrame frame;
	RmlMatrix matrix;
	int32_t *labels;
	bool together = true;

	rml_frame_init(&frame, env, 3, names, types, kinds);
	for (int i = 0; i < 1000; i++)
	{
		double *numbers;
		int32_t *codes;

		rml_frame_push(&frame, &numbers, &codes);
		numbers[0] = i;
		numbers[1] = -i;
		numbers[2] = INT32_MIN + i;
	}
	rml_frame_order(&frame, false, &matrix);
	labels = rml_frame_take_labels(&frame, &matrix);
	for (int i = 0; i < 1000; i++)
		together = together && matrix.numbers[2 * i] == -matrix.numbers[2 * i + 1] &&
				   labels[i] == INT32_MIN + (int) matrix.numbers[2 * i];
	unit_ok(together, "labels are those of their rows");
	unit_ok(matrix.d_num == 2 && frame.d_num == 2 && frame.n_columns == 2, "and no feature");
	unit_env_free(env);
}

static void
test_cancel(void)
{
	RmlEnv *env = unit_env(2);

	for (int64_t at = 1; at <= 9; at += 2)
	{
		RmlFrame frame;
		RmlMatrix matrix;

		begin_column(&frame, env);
		for (int i = 0; i < 300000; i++)
			push_number(&frame, 5);
		unit_env_cancel_after(env, at);
		unit_ok(UNIT_ESCAPES(env, rml_frame_order(&frame, true, &matrix)), "cancelled at poll %lld",
				(long long) at);
		unit_env_cancel_after(env, 0);
		unit_env_reset(env);
	}
	unit_env_free(env);
}

/* what is noted about columns goes where their rows go */
static void
test_traits(void)
{
	static char *const names[] = {"a", "b"};
	static char *const types[] = {"numeric", "text"};
	const RmlKind kinds[] = {RML_NUMERIC, RML_CATEGORICAL};
	RmlEnv *env = unit_env(1);
	RmlFrame frame, other;

	rml_frame_init(&frame, env, 2, names, types, kinds);
	rml_frame_init(&other, env, 2, names, types, kinds);
	frame.columns[0].traits = RML_HOLDS_ROUNDED;
	other.columns[0].traits = RML_HOLDS_NAN;
	other.columns[1].traits = RML_LOOSE_EQUAL;
	pass_on(&other, env);
	rml_frame_merge(&frame, &other);
	unit_equal_int(frame.columns[0].traits, RML_HOLDS_ROUNDED | RML_HOLDS_NAN, "traits of both");
	unit_equal_int(frame.columns[1].traits, RML_LOOSE_EQUAL, "or of one");
	unit_env_free(env);
}

int
main(void)
{
	test_invariance();
	test_origin();
	test_normal_form();
	test_prefix();
	test_small();
	test_pop();
	test_mismatch();
	test_dictionary();
	test_memory();
	check_copies(1, "copies of one row");
	check_copies(2, "copies of two rows");
	check_copies(1000, "copies of a thousand rows");
	test_labels();
	test_traits();
	test_cancel();
	return unit_done();
}
