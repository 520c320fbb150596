/*
 * segment_rules.c
 *	  Rules for all clusters: one after the other, each with its own sample and search.
 */
#include "retailml/segment_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/sort.h"

#include "segment_rules_internal.h"

#define POLL_ROWS (1 << 18)

/* categories that rml_segment_rules_bytes counts with */
#define USUAL_CATEGORIES 4096

const RmlOption rml_segment_rules_options[RML_SEGMENT_RULES_OPTIONS] = {
	RML_INT_OPTION(RmlSegmentRulesParams, max_conditions, 4, 1, RML_RULE_CONDITIONS),
	RML_INT_OPTION(RmlSegmentRulesParams, max_values, 5, 1, 50),
	RML_FLOAT_OPTION(RmlSegmentRulesParams, min_gain, 0.005, 0, 1),
};

/* ---- clusters ---- */

typedef struct Clusters
{
	int k;
	int32_t *labels; /* [k] ascending, without noise */
	int64_t *sizes;  /* [k] */
} Clusters;

/* labels as doubles, sorted, are sorted without a comparison */
static double *
sorted_labels(RmlEnv *env, const RmlRuleRows *rows)
{
	double *sorted = RML_NEW(env, double, (size_t) rows->n);

	for (int64_t i = 0; i < rows->n; i++)
	{
		sorted[i] = rows->labels[i];
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(env);
	}
	rml_sort_doubles(env, sorted, rows->n);
	return sorted;
}

/* count the clusters; with arrays, fill them */
static void
scan_labels(const double *sorted, int64_t n, Clusters *clusters)
{
	clusters->k = 0;
	for (int64_t start = 0, end; start < n; start = end)
	{
		end = start + 1;
		while (end < n && sorted[end] == sorted[start])
			end++;
		if (sorted[start] == RML_NOISE)
			continue;
		if (clusters->labels != NULL)
		{
			clusters->labels[clusters->k] = (int32_t) sorted[start];
			clusters->sizes[clusters->k] = end - start;
		}
		clusters->k++;
	}
}

static void
find_clusters(RmlEnv *env, const RmlRuleRows *rows, Clusters *clusters)
{
	double *sorted = sorted_labels(env, rows);

	memset(clusters, 0, sizeof *clusters);
	scan_labels(sorted, rows->n, clusters);
	clusters->labels = RML_NEW(env, int32_t, (size_t) clusters->k);
	clusters->sizes = RML_NEW(env, int64_t, (size_t) clusters->k);
	scan_labels(sorted, rows->n, clusters);
	rml_release(env, sorted);
}

const char *
rml_segment_rules_check(RmlEnv *env, const RmlRuleRows *rows)
{
	Clusters clusters;

	find_clusters(env, rows, &clusters);
	if (clusters.k > RML_RULE_CLUSTERS)
		return rml_format(env, "the labels are %d different numbers, rules are made for %d at most",
						  clusters.k, RML_RULE_CLUSTERS);
	return NULL;
}

bool
rml_segment_rules_is_label(RmlEnv *env, const RmlRuleRows *rows, int slot)
{
	bool varies = false;

	for (int64_t i = 0; i < rows->n; i++)
	{
		if (rows->numbers[i * rows->d_num + slot] != rows->labels[i])
			return false;
		varies = varies || rows->labels[i] != rows->labels[0];
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(env);
	}
	return varies;
}

/* ---- memory ---- */

static int32_t
most_categories(const RmlRuleRows *rows)
{
	int32_t most = 0;

	for (int j = 0; j < rows->d_cat; j++)
		most = rows->n_categories[j] > most ? rows->n_categories[j] : most;
	return most;
}

static int32_t
sample_capacity(int64_t n)
{
	return n < RML_RULE_INSIDE + RML_RULE_OUTSIDE ? (int32_t) n
												  : RML_RULE_INSIDE + RML_RULE_OUTSIDE;
}

static size_t
scratch_bytes(int32_t capacity, int32_t categories)
{
	return sizeof(int32_t) * (size_t) capacity + sizeof(double) * 2 * RULE_CUT_ROWS +
		   sizeof(RuleTable) +
		   (sizeof(double) + sizeof(RuleCategory) + sizeof(uint8_t)) * ((size_t) categories + 1);
}

size_t
rml_segment_rules_bytes(int64_t n, int d_num, int d_cat, int threads)
{
	int d = d_num + d_cat;
	int32_t capacity = sample_capacity(n);
	size_t sample = (sizeof(int64_t) + (size_t) d) * (size_t) capacity +
					sizeof(RuleColumn) * (size_t) d +
					(size_t) threads * scratch_bytes(capacity, USUAL_CATEGORIES);
	size_t search = rml_rule_search_bytes(d);
	size_t finish = rml_rule_finish_bytes(n);

	return sizeof(RmlSegmentRule) * RML_RULE_CLUSTERS + 3 * sizeof(double) * (size_t) n + sample +
		   (search > finish ? search : finish);
}

static RuleScratch *
make_scratch(RmlEnv *env, const RmlRuleRows *rows)
{
	RuleScratch *scratch = RML_NEW(env, RuleScratch, (size_t) env->threads);
	size_t categories = (size_t) most_categories(rows) + 1;

	for (int t = 0; t < env->threads; t++)
	{
		scratch[t].list = RML_NEW(env, int32_t, (size_t) sample_capacity(rows->n));
		scratch[t].values = RML_NEW(env, double, 2 * RULE_CUT_ROWS);
		scratch[t].telling = RML_NEW(env, double, categories);
		scratch[t].categories = RML_NEW(env, RuleCategory, categories);
		scratch[t].bins = RML_NEW(env, uint8_t, categories);
		scratch[t].table = RML_NEW(env, RuleTable, 1);
	}
	return scratch;
}

static void
make_sample(RmlEnv *env, const RmlRuleRows *rows, RuleSample *sample)
{
	memset(sample, 0, sizeof *sample);
	sample->capacity = sample_capacity(rows->n);
	sample->d = rows->d_num + rows->d_cat;
	sample->rows = RML_NEW(env, int64_t, (size_t) sample->capacity);
	sample->columns = RML_NEW(env, RuleColumn, (size_t) sample->d);
	sample->cells = RML_NEW(env, uint8_t, (size_t) sample->d * sample->capacity);
}

/* ---- all rules ---- */

RmlSegmentRule *
rml_segment_rules(RmlEnv *env, const RmlSegmentRulesParams *params, const RmlRuleRows *rows,
				  int *n_rules)
{
	RuleScratch *scratch = make_scratch(env, rows);
	RmlSegmentRule *rules;
	RuleSample sample;
	Clusters clusters;

	find_clusters(env, rows, &clusters);
	make_sample(env, rows, &sample);
	rules = RML_NEW_ZERO(env, RmlSegmentRule, (size_t) clusters.k);
	for (int c = 0; c < clusters.k; c++)
	{
		RuleState best;

		rml_rule_sample(env, rows, clusters.labels[c], clusters.sizes[c], scratch, &sample);
		rml_rule_search(env, params, &sample, scratch, &best);
		rules[c].cluster = clusters.labels[c];
		rules[c].size = clusters.sizes[c];
		rml_rule_finish(env, params, rows, &sample, &best, &rules[c]);
		env->progress(env, "rules", c + 1, 1.0 - rules[c].f1);
	}
	*n_rules = clusters.k;
	return rules;
}
