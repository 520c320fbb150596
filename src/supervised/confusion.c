/*
 * confusion.c
 *	  The confusion matrix of a table of pairs.  See confusion.h.
 */
#include "retailml/confusion.h"

#include <math.h>

/* the labels of both sides, merged, into classes (or nowhere): their number */
static int64_t
merge_labels(const RmlLabelTable *table, int64_t *classes)
{
	int64_t i = 0, j = 0, n = 0;

	while (i < table->n_a || j < table->n_b)
	{
		bool from_a =
			j == table->n_b || (i < table->n_a && table->a_labels[i] <= table->b_labels[j]);
		int64_t label = from_a ? table->a_labels[i] : table->b_labels[j];

		if (i < table->n_a && table->a_labels[i] == label)
			i++;
		if (j < table->n_b && table->b_labels[j] == label)
			j++;
		if (classes != NULL)
			classes[n] = label;
		n++;
	}
	return n;
}

int64_t
rml_confusion_classes(const RmlLabelTable *table)
{
	return merge_labels(table, NULL);
}

/* the place of a label that is there */
static int64_t
place_of(const RmlConfusion *confusion, int64_t label)
{
	int64_t low = 0, high = confusion->n_classes - 1;

	while (low < high)
	{
		int64_t middle = low + (high - low) / 2;

		if (confusion->classes[middle] < label)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
rml_confusion(const RmlLabelTable *table, RmlEnv *env, RmlConfusion *confusion)
{
	size_t k = (size_t) rml_confusion_classes(table);

	confusion->n_classes = (int64_t) k;
	confusion->classes = RML_NEW(env, int64_t, k);
	confusion->counts = rml_alloc_array_zero(env, k * k, sizeof(int64_t));
	confusion->sizes = RML_NEW_ZERO(env, int64_t, k);
	merge_labels(table, confusion->classes);
	for (int64_t p = 0; p < table->n_pairs; p++)
	{
		int64_t i = place_of(confusion, table->pairs[p].a);
		int64_t j = place_of(confusion, table->pairs[p].b);

		confusion->counts[i * (int64_t) k + j] = table->pairs[p].n;
		confusion->sizes[i] += table->pairs[p].n;
	}
}

double
rml_confusion_share(const RmlConfusion *confusion, int64_t i, int64_t j)
{
	if (confusion->sizes[i] == 0)
		return NAN;
	return (double) confusion->counts[i * confusion->n_classes + j] / (double) confusion->sizes[i];
}
