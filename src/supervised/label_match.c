/*
 * label_match.c
 *	  Labels of rows that a model is judged by, in the numbers the model has for its classes.
 */
#include "retailml/permutation_importance.h"

#include <stdlib.h>
#include <string.h>

#define POLL_ROWS (1 << 14)

/* the class of this text, or -1 */
static int32_t
class_of_text(const RmlTarget *target, const char *text)
{
	for (int32_t k = 0; k < target->n_classes; k++)
		if (strcmp(target->classes[k], text) == 0)
			return k;
	return -1;
}

/* the class whose name is this number, or -1 */
static int32_t
class_of_number(const RmlTarget *target, double number)
{
	for (int32_t k = 0; k < target->n_classes; k++)
	{
		char *end;
		double value = strtod(target->classes[k], &end);

		if (end != target->classes[k] && *end == '\0' && value == number)
			return k;
	}
	return -1;
}

static const char *
refuse_class(RmlEnv *env, const RmlTaken *label, const char *text)
{
	return rml_format(env,
					  "the label \"%s\" is \"%s\" in some rows, a class the model does not know",
					  label->column.name, text);
}

/* the model's class for each code of the label */
static const char *
match_texts(RmlEnv *env, const RmlTaken *label, int64_t n, const RmlTarget *target,
			int32_t *classes)
{
	const RmlDictionary *dictionary = &label->column.dictionary;
	int32_t *map = RML_NEW(env, int32_t, (size_t) dictionary->n);
	const char *reason = NULL;

	for (int32_t i = 0; i < dictionary->n; i++)
		map[i] = class_of_text(target, dictionary->texts[i]);
	for (int64_t i = 0; i < n && reason == NULL; i++)
	{
		classes[i] = map[label->codes[i] - 1];
		if (classes[i] < 0)
			reason = refuse_class(env, label, dictionary->texts[label->codes[i] - 1]);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	rml_release(env, map);
	return reason;
}

static const char *
match_numbers(RmlEnv *env, const RmlTaken *label, int64_t n, const RmlTarget *target,
			  int32_t *classes)
{
	bool boolean = label->column.kind == RML_BOOLEAN;

	for (int64_t i = 0; i < n; i++)
	{
		double number = label->numbers[i];

		classes[i] = boolean ? class_of_text(target, number != 0 ? "true" : "false")
							 : class_of_number(target, number);
		if (classes[i] < 0)
			return refuse_class(env, label,
								boolean ? (number != 0 ? "true" : "false")
										: rml_format(env, "%.15g", number));
		if (i % (POLL_ROWS / 64) == 0)
			rml_poll(env);
	}
	return NULL;
}

const char *
rml_label_match(RmlEnv *env, const RmlTaken *label, int64_t n, const RmlTarget *target,
				RmlTrainingSet *rows)
{
	int32_t *classes;

	rows->target = *target;
	rows->n = n;
	if (target->task == RML_REGRESSION)
	{
		rows->y = label->numbers;
		if (label->column.kind == RML_CATEGORICAL)
			return rml_format(env, "the label \"%s\" is a text, the model predicts a number",
							  label->column.name);
		return NULL;
	}
	classes = RML_NEW(env, int32_t, (size_t) n);
	rows->classes = classes;
	return label->column.kind == RML_CATEGORICAL ? match_texts(env, label, n, target, classes)
												 : match_numbers(env, label, n, target, classes);
}
