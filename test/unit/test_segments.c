/* Numbers and names of clusters: bytes, order, damage. */
#include "unit.h"

#include "retailml/segments.h"

static int32_t numbers[] = {4, 2, 9};
static char *names[] = {"Loyal", "New", "Lost"};

static RmlWriter
encode(RmlEnv *env, const RmlSegmentIds *ids)
{
	RmlWriter writer;

	rml_writer_begin(&writer, env, 1, 2);
	rml_segment_ids_encode(ids, 3, &writer);
	rml_writer_end(&writer);
	return writer;
}

/* NULL, or why they are refused */
static const char *
decode(RmlEnv *env, const RmlWriter *writer, RmlSegmentIds *ids)
{
	RmlReader reader;

	if (rml_reader_begin(&reader, env, writer->bytes, writer->length))
		rml_segment_ids_decode(ids, 3, &reader);
	return rml_reader_done(&reader);
}

static void
test_bytes(RmlEnv *env)
{
	RmlSegmentIds ids = {numbers, names, 12}, back;
	RmlWriter writer = encode(env, &ids);

	unit_equal_string(decode(env, &writer, &back), NULL, "numbers and names are read");
	unit_equal_bytes(back.numbers, numbers, sizeof numbers, "numbers come back");
	unit_equal_string(back.names[2], "Lost", "so do names");
	unit_equal_int(back.highest, 12, "and the highest number of those that are gone");
	rml_segment_ids_init(&ids, env, 3);
	writer = encode(env, &ids);
	unit_equal_string(decode(env, &writer, &back), NULL, "a model without names is read");
	unit_ok(back.names == NULL, "as one without names");
	unit_equal_int(back.numbers[2], 3, "numbered from 1");
}

static void
test_order(RmlEnv *env)
{
	RmlSegmentIds ids = {numbers, NULL, 9};
	const int32_t *order = rml_segment_ids_order(&ids, env, 3);

	unit_ok(order[0] == 1 && order[1] == 0 && order[2] == 2, "positions by number");
}

static void
test_damage(RmlEnv *env)
{
	int32_t twice[] = {4, 2, 4}, zero[] = {0, 1, 2};
	char *same[] = {"Loyal", "New", "Loyal"}, *empty[] = {"Loyal", "", "New"};
	char *tall[] = {"Loyal", NULL, "New"};
	RmlSegmentIds ids[] = {
		{twice, NULL, 9},   {zero, NULL, 9},     {numbers, NULL, 8},
		{numbers, same, 9}, {numbers, empty, 9}, {numbers, tall, 9},
	};
	static const char *const what[] = {
		"a number that comes twice", "a number below 1", "a number above the highest",
		"a name that comes twice",   "an empty name",    "a name that is too long"};

	tall[1] = rml_alloc_zero(env, RML_SEGMENT_NAME_MAX + 2);
	memset(tall[1], 'x', RML_SEGMENT_NAME_MAX + 1);
	for (int i = 0; i < 6; i++)
	{
		RmlWriter writer = encode(env, ids + i);
		RmlSegmentIds back;

		unit_contains(decode(env, &writer, &back), "damaged", "%s is refused", what[i]);
	}
}

static void
test_places(void)
{
	RmlFeature features[] = {{.kind = RML_CATEGORICAL, .slot = 0, .n_categories = 3},
							 {.kind = RML_NUMERIC, .slot = 0},
							 {.kind = RML_CATEGORICAL, .slot = 1, .n_categories = 5}};
	const RmlSchema schema = {.n_features = 3, .d_num = 1, .d_cat = 2, .features = features};

	unit_equal_int(rml_category_places(&schema), 10,
				   "each category, and (missing) of each feature");
	unit_equal_int(rml_category_place(&schema, 1), 4,
				   "the second feature's come after the first's");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_bytes(env);
	test_order(env);
	test_damage(env);
	test_places();
	unit_env_free(env);
	return unit_done();
}
