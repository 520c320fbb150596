/*
 * label.c
 *	  From a column of a frame to the label of a training set.
 *
 * Texts and booleans are classes; numbers are numbers, unless the algorithm or the option "task"
 * wants classes.  Classes are ordered: texts by bytes, false before true, numbers ascending; of two
 * classes the second is the positive one, unless the option "positive" names the first.  Which one
 * that is, only pairs like no and yes tell by themselves.
 */
#include "retailml/supervised.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define POLL_ROWS (1 << 18)

/* ---- distinct numbers ---- */

typedef struct Distinct
{
	int n;
	double numbers[RML_MAX_CLASSES];
} Distinct;

/* where x is or belongs */
static int
place_of(const Distinct *distinct, double x)
{
	int low = 0, high = distinct->n;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (distinct->numbers[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* false when there are too many */
static bool
add_distinct(Distinct *distinct, double x)
{
	int place = place_of(distinct, x);

	if (place < distinct->n && distinct->numbers[place] == x)
		return true;
	if (distinct->n == RML_MAX_CLASSES)
		return false;
	memmove(distinct->numbers + place + 1, distinct->numbers + place,
			sizeof(double) * (size_t) (distinct->n - place));
	distinct->numbers[place] = x;
	distinct->n++;
	return true;
}

/* the shortest text that is this number */
static char *
number_text(RmlEnv *env, double x)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++)
	{
		snprintf(text, sizeof text, "%.*g", digits, x);
		if (strtod(text, NULL) == x)
			break;
	}
	return rml_strdup(env, text);
}

static const char *
number_classes(RmlEnv *env, const RmlTaken *label, int64_t n, RmlTarget *target, int32_t *classes)
{
	Distinct *distinct = RML_NEW_ZERO(env, Distinct, 1);

	for (int64_t i = 0; i < n; i++)
	{
		if (!add_distinct(distinct, label->numbers[i]))
			return rml_format(env,
							  "the label \"%s\" has more than %d different numbers, too many to be "
							  "classes",
							  label->column.name, RML_MAX_CLASSES);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	for (int64_t i = 0; i < n; i++)
		classes[i] = place_of(distinct, label->numbers[i]);
	target->n_classes = distinct->n;
	target->classes = RML_NEW(env, char *, (size_t) distinct->n);
	for (int k = 0; k < distinct->n; k++)
		target->classes[k] = number_text(env, distinct->numbers[k]);
	rml_release(env, distinct);
	return NULL;
}

static const char *
text_classes(RmlEnv *env, const RmlTaken *label, int64_t n, RmlTarget *target, int32_t *classes)
{
	const RmlDictionary *dictionary = &label->column.dictionary;

	if (dictionary->n > RML_MAX_CLASSES)
		return rml_format(env, "the label \"%s\" has more than %d different texts", target->name,
						  RML_MAX_CLASSES);
	target->n_classes = dictionary->n;
	target->classes = RML_NEW(env, char *, (size_t) dictionary->n);
	for (int k = 0; k < dictionary->n; k++)
		target->classes[k] = rml_strdup(env, dictionary->texts[k]);
	for (int64_t i = 0; i < n; i++)
		classes[i] = label->codes[i] - 1;
	return NULL;
}

static void
boolean_classes(RmlEnv *env, const RmlTaken *label, int64_t n, RmlTarget *target, int32_t *classes)
{
	static const char *const names[] = {"false", "true"};

	target->n_classes = 2;
	target->classes = RML_NEW(env, char *, 2);
	for (int k = 0; k < 2; k++)
		target->classes[k] = rml_strdup(env, names[k]);
	for (int64_t i = 0; i < n; i++)
		classes[i] = label->numbers[i] != 0;
}

/* ---- classes ---- */

static char *
list_classes(RmlEnv *env, const RmlTarget *target)
{
	char *list = rml_strdup(env, "");

	for (int k = 0; k < target->n_classes && k < 20; k++)
		list = rml_format(env, "%s%s\"%s\"", list, k > 0 ? ", " : "", target->classes[k]);
	return list;
}

static void
swap_classes(RmlTarget *target, int64_t n, int32_t *classes)
{
	char *first = target->classes[0];

	target->classes[0] = target->classes[1];
	target->classes[1] = first;
	for (int64_t i = 0; i < n; i++)
		classes[i] = 1 - classes[i];
}

static const char *
apply_positive(RmlEnv *env, const char *positive, int64_t n, RmlTarget *target, int32_t *classes)
{
	if (positive == NULL)
		return NULL;
	if (target->n_classes != 2)
		return rml_format(env, "option \"positive\" needs two classes, the label \"%s\" has %d",
						  target->name, target->n_classes);
	if (strcmp(target->classes[1], positive) == 0)
		return NULL;
	if (strcmp(target->classes[0], positive) != 0)
		return rml_format(env, "the label \"%s\" has no class \"%s\"; its classes are %s",
						  target->name, positive, list_classes(env, target));
	swap_classes(target, n, classes);
	return NULL;
}

static const char *
count_classes(RmlEnv *env, int64_t n, RmlTarget *target, const int32_t *classes)
{
	int present = 0;

	target->counts = RML_NEW_ZERO(env, int64_t, (size_t) target->n_classes);
	for (int64_t i = 0; i < n; i++)
		target->counts[classes[i]]++;
	for (int k = 0; k < target->n_classes; k++)
		present += target->counts[k] > 0;
	if (present < 2)
		return rml_format(env, "the label \"%s\" is \"%s\" in all rows: there is nothing to learn",
						  target->name, target->classes[classes[0]]);
	return NULL;
}

static const char *
learn_classes(RmlEnv *env, const RmlTaken *label, int64_t n, const char *positive,
			  RmlTarget *target, int32_t *classes)
{
	const char *reason = NULL;

	target->task = RML_CLASSIFICATION;
	if (label->column.kind == RML_CATEGORICAL)
		reason = text_classes(env, label, n, target, classes);
	else if (label->column.kind == RML_BOOLEAN)
		boolean_classes(env, label, n, target, classes);
	else
		reason = number_classes(env, label, n, target, classes);
	if (reason == NULL && target->n_classes > 1)
		reason = apply_positive(env, positive, n, target, classes);
	if (reason == NULL)
		reason = count_classes(env, n, target, classes);
	return reason;
}

bool
rml_positive_is_plain(const RmlTarget *target)
{
	static const char *const pairs[][2] = {
		{"false", "true"}, {"f", "t"}, {"no", "yes"}, {"n", "y"}, {"0", "1"}};

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		if (strcasecmp(target->classes[0], pairs[i][0]) == 0 &&
			strcasecmp(target->classes[1], pairs[i][1]) == 0)
			return true;
	return false;
}

/* ---- the whole ---- */

static bool
is_classification(const RmlTaken *label, int64_t task, bool classifier)
{
	if (label->column.kind != RML_NUMERIC)
		return true;
	return task == RML_TASK_CLASSIFICATION || (task == RML_TASK_AUTO && classifier);
}

static const char *
check_task(RmlEnv *env, const RmlTaken *label, int64_t task, bool classifier)
{
	if (task != RML_TASK_REGRESSION)
		return NULL;
	if (classifier)
		return "option \"task\" cannot be \"regression\" here: this method tells classes apart";
	if (label->column.kind == RML_CATEGORICAL)
		return rml_format(env, "the label \"%s\" is a text, a regression needs a number",
						  label->column.name);
	return NULL;
}

const char *
rml_label_learn(RmlEnv *env, const RmlTaken *label, int64_t n, const RmlSupervisedParams *params,
				bool classifier, RmlTrainingSet *rows)
{
	const char *reason = check_task(env, label, params->task, classifier);
	RmlTarget *target = &rows->target;
	int32_t *classes;

	memset(target, 0, sizeof *target);
	target->name = label->column.name;
	rows->n = n;
	if (reason != NULL)
		return reason;
	if (n == 0)
		return rml_format(env, "there are no rows with a label \"%s\"", target->name);
	if (!is_classification(label, params->task, classifier) || params->task == RML_TASK_REGRESSION)
	{
		if (params->positive != NULL)
			return "option \"positive\" applies to classes, and the label is a number";
		target->task = RML_REGRESSION;
		rows->y = label->numbers;
		return NULL;
	}
	classes = RML_NEW(env, int32_t, (size_t) n);
	rows->classes = classes;
	return learn_classes(env, label, n, params->positive, target, classes);
}
