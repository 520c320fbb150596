/*
 * test_frame_key.c
 *	  Which columns of texts are keys, which are numbers in disguise, and a frame without one.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "retailml/frame.h"

static char *const names[] = {"a", "id", "b", "city"};
static char *const types[] = {"double precision", "text", "double precision", "text"};
static const RmlKind kinds[] = {RML_NUMERIC, RML_CATEGORICAL, RML_NUMERIC, RML_CATEGORICAL};

/* ---- keys ---- */

/* n rows of one column; row i holds value i % distinct, but for one that is missing (-1: none) */
static void
collect_texts(RmlFrame *frame, RmlEnv *env, int n, int distinct, int missing)
{
	rml_frame_init(frame, env, 1, names + 1, types + 1, kinds + 1);
	for (int i = 0; i < n; i++)
	{
		double *numbers;
		int32_t *codes;
		char text[20];
		int length = snprintf(text, sizeof text, "c%d", i % distinct);

		rml_frame_push(frame, &numbers, &codes);
		codes[0] =
			i == missing ? 0 : rml_frame_code(frame, &frame->columns[0], text, (size_t) length);
	}
}

static void
check_key(RmlEnv *env, int n, int distinct, int missing, bool key, const char *what)
{
	RmlFrame frame;

	collect_texts(&frame, env, n, distinct, missing);
	unit_ok(rml_frame_is_key(&frame, &frame.columns[0]) == key, "%s", what);
	unit_ok(!key || rml_frame_may_be_key(&frame, &frame.columns[0]), "which may be seen early");
}

static void
test_keys(RmlEnv *env)
{
	check_key(env, 20, 20, -1, true, "twenty different texts are a key");
	check_key(env, 19, 19, -1, false, "nineteen are not");
	check_key(env, 5000, 5000, -1, true, "so are thousands, in many chunks");
	check_key(env, 5000, 4999, -1, false, "the last is like the first");
	check_key(env, 5000, 5000, 4999, false, "the last is missing");
}

/* a row that was taken back leaves its text in the dictionary: that makes no key */
static void
test_popped(RmlEnv *env)
{
	RmlFrame frame;
	double *numbers;
	int32_t *codes;

	collect_texts(&frame, env, 30, 29, -1);
	rml_frame_push(&frame, &numbers, &codes);
	codes[0] = rml_frame_code(&frame, &frame.columns[0], "gone", 4);
	rml_frame_pop(&frame);
	unit_ok(rml_frame_may_be_key(&frame, &frame.columns[0]), "thirty texts, thirty rows");
	unit_ok(!rml_frame_is_key(&frame, &frame.columns[0]), "of which two are equal");
}

/* ---- numbers as texts ---- */

static void
check_numbers(RmlEnv *env, const char *const *texts, bool wanted, const char *what)
{
	RmlColumn column = {.kind = RML_CATEGORICAL};

	for (int i = 0; texts[i] != NULL; i++)
		rml_dictionary_code(&column.dictionary, env, texts[i], strlen(texts[i]));
	unit_ok(rml_column_is_numbers(&column, env) == wanted, "%s", what);
}

static void
test_numbers(RmlEnv *env)
{
	const char *const plain[] = {"29.85", "1889.5", "-7", "+3", ".5", "1e3", NULL};
	const char *const blanks[] = {"", " ", "12", " 13 ", "\t", NULL};
	const char *const only_blanks[] = {"", "  ", NULL};
	const char *const none[] = {NULL};
	const char *const words[] = {"12", "thirteen", NULL};
	const char *const odd[][2] = {{"1,5", NULL}, {"1 2", NULL},   {"NaN", NULL},
								  {"inf", NULL}, {"0x10", NULL},  {"-", NULL},
								  {"1e", NULL},  {"1.2.3", NULL}, {"12 EUR", NULL}};

	check_numbers(env, plain, true, "numbers as people write them");
	check_numbers(env, blanks, true, "with blanks among and around them");
	check_numbers(env, only_blanks, false, "blanks alone are none");
	check_numbers(env, none, false, "nor is nothing");
	check_numbers(env, words, false, "a word among them");
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		check_numbers(env, odd[i], false, odd[i][0]);
}

/* ---- without the column ---- */

enum
{
	ROWS = 3000
};

/* the same rows with or without their id */
static void
collect_rows(RmlFrame *frame, RmlEnv *env, bool with_id)
{
	char *const *n = names, *const *t = types;
	char *some_names[] = {names[0], names[2], names[3]};
	char *some_types[] = {types[0], types[2], types[3]};
	const RmlKind some_kinds[] = {kinds[0], kinds[2], kinds[3]};

	rml_frame_init(frame, env, with_id ? 4 : 3, with_id ? n : some_names, with_id ? t : some_types,
				   with_id ? kinds : some_kinds);
	for (int i = 0; i < ROWS; i++)
	{
		RmlColumn *city = &frame->columns[with_id ? 3 : 2];
		double *numbers;
		int32_t *codes;
		char text[20];
		int length;

		rml_frame_push(frame, &numbers, &codes);
		numbers[0] = i * 7919 % 101;
		numbers[1] = i % 2;
		length = snprintf(text, sizeof text, "city %d", i * 31 % 17);
		codes[city->slot] = rml_frame_code(frame, city, text, (size_t) length);
		if (!with_id)
			continue;
		length = snprintf(text, sizeof text, "id %d", i);
		codes[0] = rml_frame_code(frame, &frame->columns[1], text, (size_t) length);
	}
}

static void
test_drop(RmlEnv *env)
{
	RmlFrame with, without;
	RmlMatrix a, b;

	collect_rows(&with, env, true);
	collect_rows(&without, env, false);
	unit_ok(rml_frame_is_key(&with, &with.columns[1]), "the id is a key");
	unit_ok(!rml_frame_is_key(&with, &with.columns[3]), "the city is none");
	unit_ok(!rml_frame_is_key(&with, &with.columns[0]), "nor is a number");
	rml_frame_drop_texts(&with, 1);
	unit_equal_string(rml_frame_mismatch(&with, &without), NULL, "the same columns");
	unit_equal_int(with.columns[2].slot, 0, "the city is the first text now");
	rml_frame_order(&with, false, &a);
	rml_frame_order(&without, false, &b);
	unit_equal_int(a.d_cat, 1, "one text is left");
	unit_equal_bytes(a.numbers, b.numbers, sizeof(double) * 2 * ROWS, "the same numbers");
	unit_equal_bytes(a.codes, b.codes, sizeof(int32_t) * ROWS, "the same codes, in the same order");
}

static void
test_drop_last(RmlEnv *env)
{
	RmlFrame frame;
	RmlMatrix matrix;

	collect_texts(&frame, env, 50, 50, -1);
	rml_frame_drop_texts(&frame, 0);
	rml_frame_order(&frame, false, &matrix);
	unit_ok(frame.n_columns == 0 && matrix.n == 50 && matrix.d_cat == 0, "nothing is left");
}

int
main(void)
{
	RmlEnv *env = unit_env(2);

	test_keys(env);
	test_popped(env);
	test_numbers(env);
	test_drop(env);
	test_drop_last(env);
	unit_env_free(env);
	return unit_done();
}
