/*
 * segments.c
 *	  Numbers and names of the clusters of a model.
 */
#include "retailml/segments.h"

#include <stdlib.h>
#include <string.h>

#define TAG_NUMBERS RML_TAG('S', 'G', 'n', 'o')
#define TAG_HIGHEST RML_TAG('S', 'G', 'h', 'i')
#define TAG_NAMED RML_TAG('S', 'G', 'n', 'd')
#define TAG_NAMES RML_TAG('S', 'G', 'n', 'm')

void
rml_segment_ids_init(RmlSegmentIds *ids, RmlEnv *env, int64_t k)
{
	ids->names = NULL;
	ids->highest = (int32_t) k;
	ids->numbers = RML_NEW(env, int32_t, (size_t) k);
	for (int64_t c = 0; c < k; c++)
		ids->numbers[c] = (int32_t) c + 1;
}

void
rml_segment_ids_encode(const RmlSegmentIds *ids, int64_t k, RmlWriter *writer)
{
	rml_put_int32(writer, TAG_NUMBERS, ids->numbers, (size_t) k);
	rml_put_int(writer, TAG_HIGHEST, ids->highest);
	rml_put_int(writer, TAG_NAMED, ids->names != NULL);
	rml_put_strings(writer, TAG_NAMES, ids->names, ids->names != NULL ? (size_t) k : 0);
}

typedef struct Numbered
{
	int32_t number;
	int32_t position;
} Numbered;

static int
compare_numbers(const void *a, const void *b)
{
	const Numbered *p = a, *q = b;

	return (p->number > q->number) - (p->number < q->number);
}

int32_t *
rml_segment_ids_order(const RmlSegmentIds *ids, RmlEnv *env, int64_t k)
{
	Numbered *sorted = RML_NEW(env, Numbered, (size_t) k);
	int32_t *order = RML_NEW(env, int32_t, (size_t) k);

	for (int64_t c = 0; c < k; c++)
		sorted[c] = (Numbered){ids->numbers[c], (int32_t) c};
	qsort(sorted, (size_t) k, sizeof(Numbered), compare_numbers);
	for (int64_t c = 0; c < k; c++)
		order[c] = sorted[c].position;
	rml_release(env, sorted);
	return order;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
check_numbers(const RmlSegmentIds *ids, int64_t k, RmlReader *reader)
{
	int32_t *order = rml_segment_ids_order(ids, reader->env, k);

	for (int64_t c = 0; c < k; c++)
		if (ids->numbers[order[c]] < 1 ||
			(c > 0 && ids->numbers[order[c]] == ids->numbers[order[c - 1]]))
			rml_reader_fail(reader, "the cluster numbers in the model are damaged");
	if (k > 0 && ids->numbers[order[k - 1]] > ids->highest)
		rml_reader_fail(reader, "the cluster numbers in the model are damaged");
	rml_release(reader->env, order);
}

static void
check_names(char *const *names, int64_t k, RmlReader *reader)
{
	char **sorted = RML_NEW(reader->env, char *, (size_t) k);

	memcpy(sorted, names, sizeof(char *) * (size_t) k);
	qsort(sorted, (size_t) k, sizeof(char *), compare_names);
	for (int64_t c = 0; c < k; c++)
	{
		size_t length = strlen(sorted[c]);

		if (length == 0 || length > RML_SEGMENT_NAME_MAX ||
			(c > 0 && strcmp(sorted[c], sorted[c - 1]) == 0))
			rml_reader_fail(reader, "the segment names in the model are damaged");
	}
	rml_release(reader->env, sorted);
}

void
rml_segment_ids_decode(RmlSegmentIds *ids, int64_t k, RmlReader *reader)
{
	bool named;

	ids->numbers = rml_get_int32(reader, TAG_NUMBERS, (size_t) k);
	ids->highest = (int32_t) rml_get_int(reader, TAG_HIGHEST, 1, INT32_MAX);
	named = rml_get_int(reader, TAG_NAMED, 0, 1) != 0;
	ids->names = rml_get_strings(reader, TAG_NAMES, named ? (size_t) k : 0);
	if (reader->error != NULL)
		return;
	check_numbers(ids, k, reader);
	if (named)
		check_names(ids->names, k, reader);
	else
		ids->names = NULL;
}

int64_t
rml_category_places(const RmlSchema *schema)
{
	return rml_category_place(schema, schema->d_cat);
}

int64_t
rml_category_place(const RmlSchema *schema, int slot)
{
	int64_t place = 0;

	for (int i = 0; i < schema->n_features; i++)
		if (schema->features[i].kind == RML_CATEGORICAL && schema->features[i].slot < slot)
			place += schema->features[i].n_categories + 1;
	return place;
}
