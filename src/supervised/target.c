/*
 * target.c
 *	  The label of a supervised model: its bytes and its description.
 */
#include "retailml/supervised.h"

#include <string.h>

const char *const rml_task_names[] = {"auto", "regression", "classification", NULL};
const char *const rml_leak_names[] = {"warning", "error", "ignore", NULL};

#define TAG_TARGET RML_TAG('T', 'G', 'T', ' ')
#define TAG_NAME RML_TAG('T', 'G', 'n', 'a')
#define TAG_CLASSES RML_TAG('T', 'G', 'c', 'l')
#define TAG_COUNTS RML_TAG('T', 'G', 'c', 'n')

void
rml_target_encode(const RmlTarget *target, RmlWriter *writer)
{
	const int64_t head[] = {target->task, target->n_classes};

	rml_put_int64(writer, TAG_TARGET, head, 2);
	rml_put_strings(writer, TAG_NAME, &target->name, 1);
	rml_put_strings(writer, TAG_CLASSES, target->classes, (size_t) target->n_classes);
	rml_put_int64(writer, TAG_COUNTS, target->counts, (size_t) target->n_classes);
}

static bool
head_fits(const int64_t *head)
{
	if (head[0] == RML_REGRESSION)
		return head[1] == 0;
	return head[0] == RML_CLASSIFICATION && head[1] >= 2 && head[1] <= RML_MAX_CLASSES;
}

void
rml_target_decode(RmlTarget *target, RmlReader *reader)
{
	const int64_t *head = rml_get_int64(reader, TAG_TARGET, 2);
	char **name;

	memset(target, 0, sizeof *target);
	if (head == NULL)
		return;
	if (!head_fits(head))
	{
		rml_reader_fail(reader, "the label of the model is damaged");
		return;
	}
	target->task = (RmlTask) head[0];
	target->n_classes = (int) head[1];
	name = rml_get_strings(reader, TAG_NAME, 1);
	target->name = name == NULL ? "" : name[0];
	target->classes = rml_get_strings(reader, TAG_CLASSES, (size_t) target->n_classes);
	target->counts = rml_get_int64(reader, TAG_COUNTS, (size_t) target->n_classes);
	for (int k = 0; target->counts != NULL && k < target->n_classes; k++)
		if (target->counts[k] < 0)
			rml_reader_fail(reader, "the class counts of the model are damaged");
}

void
rml_target_describe(const RmlTarget *target, RmlInfo *info)
{
	info->text(info, "label", target->name);
	info->text(info, "task", target->task == RML_REGRESSION ? "regression" : "classification");
	if (target->task == RML_REGRESSION)
		return;
	info->begin_array(info, "classes");
	for (int k = 0; k < target->n_classes; k++)
	{
		info->begin_object(info, NULL);
		info->text(info, "class", target->classes[k]);
		info->integer(info, "rows", target->counts[k]);
		info->end_object(info);
	}
	info->end_array(info);
}
