/*
 * test_cluster_match.c
 *	  Against scipy and against all mappings (test/golden/cluster_match.py); noise, births, deaths.
 */
#include "unit.h"

#include <math.h>

#include "retailml/cluster_match.h"

static int64_t
match(RmlEnv *env, const RmlContingency *pairs, RmlClusterMapping **mapping)
{
	RmlLabelTable table;

	rml_label_table(pairs, env, false, &table);
	*mapping = RML_NEW(env, RmlClusterMapping, (size_t) (table.n_a + table.n_b));
	return rml_cluster_match(env, &table, *mapping);
}

/* the line of an old cluster, or NULL */
static const RmlClusterMapping *
line_of(const RmlClusterMapping *mapping, int64_t lines, int64_t old_label)
{
	for (int64_t i = 0; i < lines; i++)
		if (mapping[i].old_label == old_label)
			return &mapping[i];
	return NULL;
}

/* rows [begin, *end) of the golden file; *searched is whether the mapping itself is known */
static void
read_case(RmlEnv *env, const UnitCsv *golden, size_t begin, size_t *end, RmlContingency *pairs,
		  bool *searched)
{
	const char *name = unit_csv_text(golden, begin, "name");

	rml_contingency_init(pairs);
	*searched = !isnan(unit_csv_number(golden, begin, "mapped"));
	for (*end = begin; *end < golden->rows; ++*end)
	{
		if (strcmp(unit_csv_text(golden, *end, "name"), name) != 0)
			return;
		rml_contingency_add(pairs, env, (int64_t) unit_csv_number(golden, *end, "old"),
							(int64_t) unit_csv_number(golden, *end, "new"),
							(int64_t) unit_csv_number(golden, *end, "n"));
	}
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("cluster_match.csv");

	for (size_t begin = 0, end; golden != NULL && begin < golden->rows; begin = end)
	{
		const char *name = unit_csv_text(golden, begin, "name");
		RmlContingency pairs;
		RmlClusterMapping *mapping;
		int64_t lines, kept = 0;
		bool searched, same = true;

		read_case(env, golden, begin, &end, &pairs, &searched);
		lines = match(env, &pairs, &mapping);
		for (int64_t i = 0; i < lines; i++)
			kept += mapping[i].overlap;
		unit_equal_int(kept, (int64_t) unit_csv_number(golden, begin, "kept"), "%s: rows in pairs",
					   name);
		for (size_t i = begin; searched && i < end; i++)
		{
			const RmlClusterMapping *line =
				line_of(mapping, lines, (int64_t) unit_csv_number(golden, i, "old"));

			same = same && line != NULL &&
				   (line->new_label == (int64_t) unit_csv_number(golden, i, "new")) ==
					   (unit_csv_number(golden, i, "mapped") == 1);
		}
		if (searched)
			unit_ok(same, "%s: the pairs", name);
	}
	if (golden != NULL)
		unit_csv_free(golden);
}

static bool
is_line(const RmlClusterMapping *line, int64_t old_label, int64_t new_label, int64_t overlap,
		int64_t old_size, int64_t new_size)
{
	double jaccard = overlap == 0 ? 0 : (double) overlap / (double) (old_size + new_size - overlap);

	return line->old_label == old_label && line->new_label == new_label &&
		   line->overlap == overlap && line->old_size == old_size && line->new_size == new_size &&
		   line->jaccard == jaccard;
}

static void
test_lines(RmlEnv *env)
{
	RmlContingency pairs;
	RmlClusterMapping *mapping;

	rml_contingency_init(&pairs);
	unit_equal_int(match(env, &pairs, &mapping), 0, "no rows, no lines");
	rml_contingency_add(&pairs, env, 1, 20, 70);
	rml_contingency_add(&pairs, env, 1, 10, 30);
	rml_contingency_add(&pairs, env, 2, 20, 5);
	rml_contingency_add(&pairs, env, 3, 10, 40);
	rml_contingency_add(&pairs, env, 4, RML_NO_LABEL, 6);
	rml_contingency_add(&pairs, env, RML_NO_LABEL, 10, 7);
	rml_contingency_add(&pairs, env, RML_NO_LABEL, 5, 8);
	rml_contingency_add(&pairs, env, -1, 20, 9);
	rml_contingency_add(&pairs, env, 3, -1, 11);
	rml_contingency_add(&pairs, env, -1, -2, 1000);
	unit_equal_int(match(env, &pairs, &mapping), 5, "a line for each old cluster, and births");
	unit_ok(is_line(&mapping[0], 1, 20, 70, 100, 84), "sizes count rows of noise");
	unit_ok(is_line(&mapping[1], 2, RML_NO_LABEL, 0, 5, 0), "a death");
	unit_ok(is_line(&mapping[2], 3, 10, 40, 51, 77), "sizes count rows without a label");
	unit_ok(is_line(&mapping[3], 4, RML_NO_LABEL, 0, 6, 0), "a cluster whose customers left");
	unit_ok(is_line(&mapping[4], RML_NO_LABEL, 5, 0, 0, 8), "a birth");
	rml_contingency_init(&pairs);
	rml_contingency_add(&pairs, env, -1, -1, 3);
	unit_equal_int(match(env, &pairs, &mapping), 0, "noise alone has no lines");
}

static void
test_bytes(RmlEnv *env)
{
	RmlContingency pairs;
	RmlLabelTable table;
	RmlClusterMapping *mapping;
	size_t before;

	rml_contingency_init(&pairs);
	for (int64_t i = 0; i < 200; i++)
		rml_contingency_add(&pairs, env, i, i * 3 % 150, 1 + i % 7);
	rml_label_table(&pairs, env, false, &table);
	mapping = RML_NEW(env, RmlClusterMapping, (size_t) (table.n_a + table.n_b));
	unit_env_cancel_after(env, 50);
	unit_ok(UNIT_ESCAPES(env, rml_cluster_match(env, &table, mapping)), "it can be cancelled");
	unit_env_cancel_after(env, 0);
	before = unit_env_in_use(env);
	rml_cluster_match(env, &table, mapping);
	unit_ok(unit_env_peak(env) - before <= rml_cluster_match_bytes(&table),
			"it takes the memory it said");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden(env);
	test_lines(env);
	test_bytes(env);
	unit_env_free(env);
	return unit_done();
}
