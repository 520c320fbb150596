/*
 * cluster_match_sql.c
 *	  cluster_match and segment_migration: from one segmentation to the next, as rows.
 */
#include "postgres.h"

#include "fmgr.h"

#include "retailml/cluster_match.h"
#include "retailml/contingency_sql.h"
#include "retailml/env_sql.h"

PG_FUNCTION_INFO_V1(rml_cluster_match_final);
PG_FUNCTION_INFO_V1(rml_segment_migration_final);

/* ---- cluster_match ---- */

/* old, new, overlap, jaccard, old_size, new_size */
#define MAPPING_COLUMNS 6

typedef struct Mapping
{
	RmlComparison comparison;
	RmlClusterMapping *lines;
} Mapping;

static void
mapping_line(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const Mapping *mapping = context;
	const RmlClusterMapping *line = &mapping->lines[i];

	values[0] = rml_comparison_label(&mapping->comparison, line->old_label, &nulls[0]);
	values[1] = rml_comparison_label(&mapping->comparison, line->new_label, &nulls[1]);
	values[2] = Int64GetDatum(line->overlap);
	values[3] = Float8GetDatum(line->jaccard);
	values[4] = Int64GetDatum(line->old_size);
	nulls[4] = nulls[0];
	values[5] = Int64GetDatum(line->new_size);
	nulls[5] = nulls[1];
}

Datum
rml_cluster_match_final(PG_FUNCTION_ARGS)
{
	Mapping mapping;
	const RmlLabelTable *table = &mapping.comparison.table;
	RmlEnv *env;
	int64_t n;
	Datum result;

	if (!rml_comparison_begin(fcinfo, false, &mapping.comparison))
		PG_RETURN_NULL();
	env = mapping.comparison.env;
	rml_pg_env_check_room(env, rml_cluster_match_bytes(table));
	mapping.lines = RML_NEW(env, RmlClusterMapping, (size_t) (table->n_a + table->n_b));
	n = rml_cluster_match(env, table, mapping.lines);
	result = rml_composite_array(fcinfo, n, MAPPING_COLUMNS, mapping_line, &mapping);
	rml_comparison_end(&mapping.comparison);
	PG_RETURN_DATUM(result);
}

/* ---- segment_migration ---- */

/* from, to, n, share */
#define MIGRATION_COLUMNS 4

static void
migration_line(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const RmlComparison *comparison = context;
	const RmlLabelTable *table = &comparison->table;
	const RmlLabelPair *pair = &table->pairs[i];

	values[0] = rml_comparison_label(comparison, pair->a, &nulls[0]);
	values[1] = rml_comparison_label(comparison, pair->b, &nulls[1]);
	values[2] = Int64GetDatum(pair->n);
	values[3] = Float8GetDatum(rml_label_share(table, i));
}

Datum
rml_segment_migration_final(PG_FUNCTION_ARGS)
{
	RmlComparison comparison;
	Datum result;

	if (!rml_comparison_begin(fcinfo, false, &comparison))
		PG_RETURN_NULL();
	result = rml_composite_array(fcinfo, comparison.table.n_pairs, MIGRATION_COLUMNS,
								 migration_line, &comparison);
	rml_comparison_end(&comparison);
	PG_RETURN_DATUM(result);
}
