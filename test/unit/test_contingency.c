/*
 * test_contingency.c
 *	  Counting pairs of labels in any order and in parts; agreement against scikit-learn and exact
 *	  numbers (test/golden/contingency.py).
 */
#include "unit.h"

#include <math.h>

#include "retailml/contingency.h"
#include "retailml/rng.h"

/* rows [begin, end) of a golden file that belong to one case */
static size_t
case_end(const UnitCsv *golden, size_t begin)
{
	const char *name = unit_csv_text(golden, begin, "name");
	size_t end = begin;

	while (end < golden->rows && strcmp(unit_csv_text(golden, end, "name"), name) == 0)
		end++;
	return end;
}

static void
check_case(RmlEnv *env, const UnitCsv *golden, size_t begin, size_t end)
{
	const char *name = unit_csv_text(golden, begin, "name");
	double ari = unit_csv_number(golden, begin, "ari"), nmi = unit_csv_number(golden, begin, "nmi");
	RmlContingency pairs, turned;
	RmlLabelTable table;

	rml_contingency_init(&pairs);
	rml_contingency_init(&turned);
	for (size_t i = begin; i < end; i++)
	{
		int64_t a = (int64_t) unit_csv_number(golden, i, "a");
		int64_t b = (int64_t) unit_csv_number(golden, i, "b");
		int64_t n = strtoll(unit_csv_text(golden, i, "n"), NULL, 10);

		rml_contingency_add(&pairs, env, a, b, n);
		rml_contingency_add(&turned, env, b, a, n);
	}
	rml_label_table(&pairs, env, true, &table);
	unit_near(rml_adjusted_rand_index(&table, env), ari, 1e-15, "%s: adjusted Rand index", name);
	unit_near(rml_normalized_mutual_information(&table, env), nmi, 1e-14, "%s: mutual information",
			  name);
	rml_label_table(&turned, env, true, &table);
	unit_ok(fabs(rml_adjusted_rand_index(&table, env) - ari) < 1e-15 &&
				fabs(rml_normalized_mutual_information(&table, env) - nmi) < 1e-14,
			"%s: symmetric", name);
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("contingency.csv");

	if (golden == NULL)
		return;
	for (size_t begin = 0, end; begin < golden->rows; begin = end)
	{
		end = case_end(golden, begin);
		check_case(env, golden, begin, end);
	}
	unit_csv_free(golden);
}

static bool
same_pairs(const RmlLabelTable *a, const RmlLabelTable *b)
{
	return a->n == b->n && a->n_pairs == b->n_pairs &&
		   memcmp(a->pairs, b->pairs, sizeof(RmlLabelPair) * (size_t) a->n_pairs) == 0;
}

/* the sums of a table, from its pairs */
static bool
is_consistent(const RmlLabelTable *table, RmlEnv *env)
{
	int64_t *a = RML_NEW_ZERO(env, int64_t, (size_t) table->n_a);
	int64_t *b = RML_NEW_ZERO(env, int64_t, (size_t) table->n_b);
	int64_t n = 0;

	for (int64_t i = 0; i < table->n_pairs; i++)
	{
		const RmlLabelPair *pair = &table->pairs[i];

		if (table->a_labels[table->a_index[i]] != pair->a ||
			table->b_labels[table->b_index[i]] != pair->b)
			return false;
		a[table->a_index[i]] += pair->n;
		b[table->b_index[i]] += pair->n;
		n += pair->n;
	}
	return n == table->n && memcmp(a, table->a_sizes, sizeof(int64_t) * (size_t) table->n_a) == 0 &&
		   memcmp(b, table->b_sizes, sizeof(int64_t) * (size_t) table->n_b) == 0;
}

/* 100,000 rows, forwards and backwards, at once and in three parts */
static void
test_order_and_parts(RmlEnv *env)
{
	enum
	{
		rows = 100000,
		parts = 3
	};
	RmlContingency whole, backwards, part[parts], merged;
	RmlLabelTable table, other;

	rml_contingency_init(&whole);
	rml_contingency_init(&backwards);
	rml_contingency_init(&merged);
	for (int p = 0; p < parts; p++)
		rml_contingency_init(&part[p]);
	for (int64_t i = 0; i < rows; i++)
	{
		int64_t a = (int64_t) (rml_rng_uniform(1, 0, (uint64_t) i) * 300) - 5;
		int64_t b = (int64_t) (rml_rng_uniform(1, 1, (uint64_t) i) * 300);
		int64_t last = rows - 1 - i;

		rml_contingency_add(&whole, env, a, b, 1);
		rml_contingency_add(&part[i % parts], env, a, b, 1);
		rml_contingency_add(&backwards, env,
							(int64_t) (rml_rng_uniform(1, 0, (uint64_t) last) * 300) - 5,
							(int64_t) (rml_rng_uniform(1, 1, (uint64_t) last) * 300), 1);
	}
	for (int p = 0; p < parts; p++)
	{
		RmlLabelPair *pairs = RML_NEW(env, RmlLabelPair, (size_t) part[p].n_pairs);

		rml_contingency_pairs(&part[p], env, pairs);
		rml_contingency_reserve(&merged, env, merged.n_pairs + part[p].n_pairs);
		for (int64_t i = 0; i < part[p].n_pairs; i++)
			rml_contingency_add(&merged, env, pairs[i].a, pairs[i].b, pairs[i].n);
	}
	rml_label_table(&whole, env, true, &table);
	unit_equal_int(table.n, rows, "every row is counted");
	unit_ok(table.n_pairs > 50000 && table.n_a == 300 && table.n_b == 300, "by pair");
	unit_ok(is_consistent(&table, env), "sizes and positions of labels are those of the pairs");
	rml_label_table(&backwards, env, true, &other);
	unit_ok(same_pairs(&table, &other), "backwards it is the same table");
	rml_label_table(&merged, env, true, &other);
	unit_ok(same_pairs(&table, &other), "and in parts");
}

static void
test_missing(RmlEnv *env)
{
	RmlContingency pairs;
	RmlLabelTable table;

	rml_contingency_init(&pairs);
	rml_label_table(&pairs, env, false, &table);
	unit_equal_int(table.n, 0, "no rows");
	unit_ok(isnan(rml_adjusted_rand_index(&table, env)) &&
				isnan(rml_normalized_mutual_information(&table, env)),
			"do not agree or disagree");
	rml_contingency_add(&pairs, env, 1, RML_NO_LABEL, 2);
	rml_contingency_add(&pairs, env, RML_NO_LABEL, 3, 4);
	rml_contingency_add(&pairs, env, RML_NO_LABEL, RML_NO_LABEL, 8);
	rml_contingency_add(&pairs, env, 1, -1, 16);
	rml_label_table(&pairs, env, true, &table);
	unit_ok(table.n == 16 && table.n_pairs == 1, "complete pairs only");
	rml_label_table(&pairs, env, false, &table);
	unit_ok(table.n == 22 && table.n_pairs == 3, "or those with one label");
	unit_ok(table.pairs[0].b == -1 && table.pairs[1].b == RML_NO_LABEL &&
				table.pairs[2].a == RML_NO_LABEL,
			"a missing label comes last");
	unit_near(rml_label_share(&table, 0), 16.0 / 18, 0, "shares are of all rows of the label");
}

static void
test_manners(RmlEnv *env)
{
	RmlContingency pairs;
	RmlLabelTable table;

	rml_contingency_init(&pairs);
	for (int64_t i = 0; i < 200000; i++)
		rml_contingency_add(&pairs, env, i * 7919 % 200003, i, 1);
	unit_env_cancel_after(env, 10);
	unit_ok(UNIT_ESCAPES(env, rml_label_table(&pairs, env, true, &table)),
			"a table of many pairs can be cancelled");
	unit_env_cancel_after(env, 0);
	unit_env_limit(env, unit_env_in_use(env) + 1000000);
	unit_ok(UNIT_ESCAPES(env,
						 for (int64_t i = 0;; i++) rml_contingency_add(&pairs, env, -1 - i, i, 1)),
			"and counting stops where memory does");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden(env);
	test_order_and_parts(env);
	test_missing(env);
	test_manners(env);
	unit_env_free(env);
	return unit_done();
}
