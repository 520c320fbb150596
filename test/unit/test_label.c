/*
 * test_label.c
 *	  From a column to a label: numbers, classes, which of them is positive, what is refused; the
 *	  bytes of a label.
 */
#include "unit.h"

#include <math.h>

#include "retailml/supervised.h"

typedef struct Learnt
{
	RmlTrainingSet rows;
	const char *reason;
} Learnt;

static Learnt
learn(RmlEnv *env, RmlTaken *label, int64_t n, const char *positive, RmlLabelTask task,
	  bool classifier)
{
	RmlSupervisedParams params = {.positive = (char *) positive, .task = task};
	Learnt learnt = {.reason = NULL};

	label->column.name = (char *) "bought";
	learnt.reason = rml_label_learn(env, label, n, &params, classifier, &learnt.rows);
	return learnt;
}

static RmlTaken
number_label(double *numbers)
{
	return (RmlTaken){.column = {.kind = RML_NUMERIC}, .numbers = numbers};
}

static RmlTaken
boolean_label(double *numbers)
{
	return (RmlTaken){.column = {.kind = RML_BOOLEAN}, .numbers = numbers};
}

static RmlTaken
text_label(int32_t *codes, char **texts, int32_t n)
{
	return (RmlTaken){.column = {.kind = RML_CATEGORICAL, .dictionary = {.n = n, .texts = texts}},
					  .codes = codes};
}

/* the classes as one text */
static const char *
class_list(RmlEnv *env, const RmlTarget *target)
{
	char *list = rml_strdup(env, "");

	for (int k = 0; k < target->n_classes; k++)
		list =
			rml_format(env, "%s %s:%lld", list, target->classes[k], (long long) target->counts[k]);
	return list;
}

/* ---- kinds ---- */

static void
test_numbers(RmlEnv *env)
{
	double numbers[] = {2.5, -1, 0.1, 1e300, -1, 3};
	RmlTaken label = number_label(numbers);
	const int32_t classes[] = {2, 0, 1, 4, 0, 3};
	Learnt learnt = learn(env, &label, 6, NULL, RML_TASK_AUTO, false);

	unit_equal_string(learnt.reason, NULL, "numbers");
	unit_ok(learnt.rows.target.task == RML_REGRESSION && learnt.rows.y == numbers &&
				learnt.rows.classes == NULL && learnt.rows.target.n_classes == 0 &&
				learnt.rows.n == 6,
			"are numbers");
	unit_equal_string(learnt.rows.target.name, "bought", "the label has its name");
	learnt = learn(env, &label, 6, NULL, RML_TASK_CLASSIFICATION, false);
	unit_equal_string(class_list(env, &learnt.rows.target), " -1:2 0.1:1 2.5:1 3:1 1e+300:1",
					  "or classes in ascending order, written short");
	unit_equal_bytes(learnt.rows.classes, classes, sizeof classes, "with their rows");
	unit_ok(learnt.rows.y == NULL, "and no numbers");
	learnt = learn(env, &label, 6, NULL, RML_TASK_AUTO, true);
	unit_equal_int(learnt.rows.target.n_classes, 5, "a classifier takes them as classes");
	learnt = learn(env, &label, 6, NULL, RML_TASK_REGRESSION, false);
	unit_ok(learnt.reason == NULL && learnt.rows.y == numbers, "task regression");
}

/* 0.1 + 0.2 and 0.3 are two classes: their texts tell them apart */
static void
test_close_numbers(RmlEnv *env)
{
	double numbers[] = {0.1 + 0.2, 0.3};
	RmlTaken label = number_label(numbers);
	Learnt learnt = learn(env, &label, 2, NULL, RML_TASK_CLASSIFICATION, false);

	unit_equal_string(class_list(env, &learnt.rows.target), " 0.3:1 0.30000000000000004:1",
					  "17 digits where 15 are not enough");
}

static void
test_booleans(RmlEnv *env)
{
	double numbers[] = {1, 0, 1, 1};
	RmlTaken label = boolean_label(numbers);
	const int32_t classes[] = {1, 0, 1, 1}, swapped[] = {0, 1, 0, 0};
	Learnt learnt = learn(env, &label, 4, NULL, RML_TASK_AUTO, false);

	unit_equal_string(class_list(env, &learnt.rows.target), " false:1 true:3", "true is positive");
	unit_equal_bytes(learnt.rows.classes, classes, sizeof classes, "booleans are classes");
	learnt = learn(env, &label, 4, "false", RML_TASK_AUTO, false);
	unit_equal_string(class_list(env, &learnt.rows.target), " true:3 false:1", "or false is");
	unit_equal_bytes(learnt.rows.classes, swapped, sizeof swapped, "the rows are swapped, too");
	learnt = learn(env, &label, 4, "true", RML_TASK_AUTO, true);
	unit_equal_bytes(learnt.rows.classes, classes, sizeof classes, "the default can be said");
	learnt = learn(env, &label, 4, NULL, RML_TASK_REGRESSION, false);
	unit_ok(learnt.reason == NULL && learnt.rows.y == numbers &&
				learnt.rows.target.task == RML_REGRESSION,
			"a regression on 0 and 1");
}

static void
test_texts(RmlEnv *env)
{
	char *texts[] = {(char *) "high", (char *) "low", (char *) "none"};
	int32_t codes[] = {2, 2, 1, 3, 2};
	const int32_t classes[] = {1, 1, 0, 2, 1};
	RmlTaken label = text_label(codes, texts, 3);
	Learnt learnt = learn(env, &label, 5, NULL, RML_TASK_AUTO, false);

	unit_equal_string(class_list(env, &learnt.rows.target), " high:1 low:3 none:1", "texts");
	unit_equal_bytes(learnt.rows.classes, classes, sizeof classes, "are classes");
	unit_ok(learnt.rows.target.classes[0] != texts[0], "whose names are the label's own");
	unit_equal_string(learn(env, &label, 5, "low", RML_TASK_AUTO, false).reason,
					  "option \"positive\" needs two classes, the label \"bought\" has 3",
					  "three classes");
	label = text_label(codes, texts, 2);
	codes[3] = 1;
	unit_equal_string(
		learn(env, &label, 5, "none", RML_TASK_AUTO, false).reason,
		"the label \"bought\" has no class \"none\"; its classes are \"high\", \"low\"",
		"an unknown class");
	learnt = learn(env, &label, 5, "high", RML_TASK_AUTO, false);
	unit_equal_string(class_list(env, &learnt.rows.target), " low:3 high:2", "the other class");
}

static void
test_plain_pairs(void)
{
	static const struct
	{
		const char *classes[2];
		bool plain;
	} pairs[] = {{{"false", "true"}, true}, {{"f", "t"}, true},        {{"No", "Yes"}, true},
				 {{"N", "y"}, true},        {{"0", "1"}, true},        {{"YES", "no"}, false},
				 {{"yes", "no"}, false},    {{"ja", "nein"}, false},   {{"left", "stays"}, false},
				 {{"no", "true"}, false},   {{"no", "yes "}, false},   {{"1", "2"}, false},
				 {{"-1", "1"}, false},      {{"true", "false"}, false}};

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
	{
		char *classes[] = {(char *) pairs[i].classes[0], (char *) pairs[i].classes[1]};
		const RmlTarget target = {.task = RML_CLASSIFICATION, .n_classes = 2, .classes = classes};

		unit_ok(rml_positive_is_plain(&target) == pairs[i].plain, "\"%s\" and \"%s\": %s",
				classes[0], classes[1], pairs[i].plain ? "the second is meant" : "a guess");
	}
}

/* ---- refused ---- */

static void
test_one_class(RmlEnv *env)
{
	double ones[] = {1, 1, 1};
	char *texts[] = {(char *) "yes", (char *) "no"};
	int32_t codes[] = {1, 1, 1};
	RmlTaken boolean = boolean_label(ones), number = number_label(ones);
	RmlTaken text = text_label(codes, texts, 1), two = text_label(codes, texts, 2);

	unit_equal_string(learn(env, &boolean, 3, NULL, RML_TASK_AUTO, false).reason,
					  "the label \"bought\" is \"true\" in all rows: there is nothing to learn",
					  "booleans");
	unit_contains(learn(env, &number, 3, NULL, RML_TASK_AUTO, true).reason, "\"1\" in all rows",
				  "numbers");
	unit_contains(learn(env, &text, 3, NULL, RML_TASK_AUTO, false).reason, "\"yes\" in all rows",
				  "texts");
	unit_contains(learn(env, &two, 3, NULL, RML_TASK_AUTO, false).reason, "\"yes\" in all rows",
				  "a text that no row has");
	unit_contains(learn(env, &text, 3, "no", RML_TASK_AUTO, false).reason, "\"yes\" in all rows",
				  "whatever is positive");
	unit_equal_string(learn(env, &number, 3, NULL, RML_TASK_AUTO, false).reason, NULL,
					  "while a number may be constant");
}

static void
test_tasks(RmlEnv *env)
{
	double numbers[] = {1, 2, 3};
	char *texts[] = {(char *) "a", (char *) "b"};
	int32_t codes[] = {1, 2, 1};
	RmlTaken number = number_label(numbers), text = text_label(codes, texts, 2);

	unit_contains(learn(env, &text, 3, NULL, RML_TASK_REGRESSION, false).reason,
				  "\"bought\" is a text", "a regression on a text");
	unit_contains(learn(env, &number, 3, NULL, RML_TASK_REGRESSION, true).reason,
				  "option \"task\" cannot be \"regression\"", "a regression by a classifier");
	unit_contains(learn(env, &number, 3, "1", RML_TASK_AUTO, false).reason,
				  "option \"positive\" applies to classes", "a positive number");
}

/* 1,000 classes are the most */
static void
test_many(RmlEnv *env)
{
	int64_t n = 2 * (RML_MAX_CLASSES + 1);
	double *numbers = RML_NEW(env, double, (size_t) n);
	char **texts = RML_NEW(env, char *, (size_t) n);
	int32_t *codes = RML_NEW(env, int32_t, (size_t) n);
	RmlTaken number = number_label(numbers), text;
	Learnt learnt;
	bool right = true;

	for (int64_t i = 0; i < n; i++)
	{
		numbers[i] = (double) (i * 7919 % RML_MAX_CLASSES) / 4;
		texts[i] = rml_format(env, "t%05lld", (long long) i);
		codes[i] = 1 + (int32_t) (i % (RML_MAX_CLASSES + 1));
	}
	learnt = learn(env, &number, n, NULL, RML_TASK_CLASSIFICATION, false);
	unit_equal_string(learnt.reason, NULL, "as many as there may be");
	unit_equal_int(learnt.rows.target.n_classes, RML_MAX_CLASSES, "1,000");
	for (int64_t i = 0; i < n && learnt.reason == NULL; i++)
		right = right && learnt.rows.classes[i] == i * 7919 % RML_MAX_CLASSES;
	unit_ok(right, "each row has its own");
	numbers[n - 1] = -1;
	unit_contains(learn(env, &number, n, NULL, RML_TASK_CLASSIFICATION, false).reason,
				  "more than 1000 different numbers", "one more number");
	text = text_label(codes, texts, RML_MAX_CLASSES + 1);
	unit_contains(learn(env, &text, n, NULL, RML_TASK_AUTO, false).reason,
				  "more than 1000 different texts", "one more text");
}

static void
test_no_rows(RmlEnv *env)
{
	RmlTaken number = number_label(NULL), boolean = boolean_label(NULL);
	RmlTaken text = text_label(NULL, NULL, 0);

	unit_contains(learn(env, &boolean, 0, NULL, RML_TASK_AUTO, false).reason, "no rows",
				  "booleans");
	unit_contains(learn(env, &text, 0, NULL, RML_TASK_AUTO, false).reason, "no rows", "texts");
	unit_contains(learn(env, &number, 0, NULL, RML_TASK_AUTO, true).reason, "no rows", "classes");
	unit_contains(learn(env, &number, 0, NULL, RML_TASK_AUTO, false).reason, "no rows", "numbers");
}

/* ---- bytes ---- */

static const char *
round_trip(RmlEnv *env, const RmlTarget *target, RmlTarget *back)
{
	RmlWriter writer;
	RmlReader reader;

	rml_writer_begin(&writer, env, 6, 1);
	rml_target_encode(target, &writer);
	rml_writer_end(&writer);
	if (!rml_reader_begin(&reader, env, writer.bytes, writer.length))
		return reader.error;
	rml_target_decode(back, &reader);
	return rml_reader_done(&reader);
}

static void
test_bytes(RmlEnv *env)
{
	char *names[] = {(char *) "", (char *) "b", (char *) "c"};
	int64_t counts[] = {3, 0, 5};
	RmlTarget number = {.name = (char *) "spend", .task = RML_REGRESSION}, back;
	RmlTarget classes = {.name = (char *) "churned",
						 .task = RML_CLASSIFICATION,
						 .n_classes = 3,
						 .classes = names,
						 .counts = counts};

	unit_equal_string(round_trip(env, &number, &back), NULL, "a number's label");
	unit_ok(back.task == RML_REGRESSION && back.n_classes == 0 && strcmp(back.name, "spend") == 0,
			"is what it was");
	unit_equal_string(round_trip(env, &classes, &back), NULL, "that of classes");
	unit_equal_string(class_list(env, &back), " :3 b:0 c:5", "too");
	classes.n_classes = 1;
	unit_contains(round_trip(env, &classes, &back), "damaged", "one class");
	classes.n_classes = 3;
	classes.task = (RmlTask) 2;
	unit_contains(round_trip(env, &classes, &back), "damaged", "an unknown task");
	classes.task = RML_REGRESSION;
	unit_contains(round_trip(env, &classes, &back), "damaged", "a regression with classes");
	classes.task = RML_CLASSIFICATION;
	counts[1] = -1;
	unit_contains(round_trip(env, &classes, &back), "damaged", "a negative number of rows");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_numbers(env);
	test_close_numbers(env);
	test_booleans(env);
	test_texts(env);
	test_plain_pairs();
	test_one_class(env);
	test_tasks(env);
	test_many(env);
	test_no_rows(env);
	test_bytes(env);
	unit_env_free(env);
	return unit_done();
}
