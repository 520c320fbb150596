/*
 * segment_rules_pairs.c
 *	  Two conditions of a rule chosen together.
 *
 * Where single conditions cannot be made better, two at once often can: a bound that is too tight is
 * kept there by another that is too loose.  From the rows in each pair of bins every combination of
 * two bounds is tried, and for every bound the best list.
 */
#include "segment_rules_propose.h"

#include <string.h>

/* lists are chosen together with something else up to this many categories */
#define PAIR_CATEGORIES 40

/* rows that satisfy the rest of the rule, by their bins in two columns */
static void
fill_table(const RuleSample *sample, int first, int second, const int32_t *list, int n,
		   RuleTable *table)
{
	const uint8_t *rows = sample->cells + (size_t) first * sample->capacity;
	const uint8_t *columns = sample->cells + (size_t) second * sample->capacity;
	size_t bytes = sizeof table->inside[0] * (size_t) sample->columns[first].n_bins;
	int i = 0;

	memset(table->inside, 0, bytes);
	memset(table->outside, 0, bytes);
	memset(table->inside[RULE_REST], 0, sizeof table->inside[0]);
	memset(table->outside[RULE_REST], 0, sizeof table->outside[0]);
	for (; i < n && list[i] < sample->n_inside; i++)
		table->inside[rows[list[i]]][columns[list[i]]]++;
	for (; i < n; i++)
		table->outside[rows[list[i]]][columns[list[i]]]++;
}

/* add the rows that are in one bin of the first column; returns how many of them are inside */
static int64_t
add_bin(RuleHistogram *h, const RuleTable *table, int bin)
{
	int64_t inside = 0;

	for (int b = 0; b < RULE_BINS; b++)
	{
		h->inside[b] += table->inside[bin][b];
		h->outside[b] += table->outside[bin][b];
		inside += table->inside[bin][b];
	}
	return inside;
}

typedef struct Pair
{
	const RuleSample *sample;
	const RmlSegmentRulesParams *params;
	int second;
	RuleShape shape;
	RulePairProposal *best;
} Pair;

/* the best term on the second column, for these rows that a term on the first selects */
static void
try_second(const Pair *pair, const RuleTerm *first, const RuleHistogram *h)
{
	const RuleTerm none = {.shape = SHAPE_NONE, .column = pair->second};
	RulePairProposal *best = pair->best;
	RuleProposal proposals[RULE_PROPOSALS];

	rml_rule_propose(pair->sample, pair->params, h, &none, pair->shape, best->worth, proposals);
	for (int i = 0; i < RULE_PROPOSALS; i++)
	{
		if (proposals[i].term.shape == SHAPE_NONE || proposals[i].worth <= best->worth)
			continue;
		best->worth = proposals[i].worth;
		best->terms[0] = *first;
		best->terms[1] = proposals[i].term;
		best->inside = proposals[i].inside;
		best->outside = proposals[i].outside;
	}
}

/* bounds from the tightest to the loosest: each adds a bin */
static void
try_bounds(const Pair *pair, const RulePart *part, const RuleTable *table)
{
	int n_bins = pair->sample->columns[part->column].n_bins;
	RuleTerm term = {.shape = part->shape, .column = part->column, .last = n_bins - 1};
	RuleHistogram h = {0};
	int64_t inside = 0, added;

	for (int k = 0; k < n_bins - 1; k++)
	{
		int bin = part->shape == SHAPE_ABOVE ? n_bins - 1 - k : k;

		if (part->shape == SHAPE_ABOVE)
			term.first = bin;
		else
			term.last = bin;
		added = add_bin(&h, table, bin);
		inside += added;
		/* rows inside have to be gained, and be enough if none outside were selected */
		if (added > 0 && rml_rule_sample_f1(pair->sample, inside, 0) > pair->best->worth)
			try_second(pair, &term, &h);
	}
}

static void
try_categories(const Pair *pair, const RulePart *part, const RuleTable *table)
{
	int n_bins = pair->sample->columns[part->column].n_bins;

	for (int bin = 0; bin < n_bins; bin++)
	{
		RuleTerm term = {.shape = part->shape, .column = part->column, .n_listed = 1};
		RuleHistogram h = {0};

		term.listed[0] = (uint8_t) bin;
		if (part->shape == SHAPE_ONE_OF)
			add_bin(&h, table, bin);
		else
		{
			add_bin(&h, table, RULE_REST);
			for (int other = RULE_MISSING + 1; other < n_bins; other++)
				if (other != bin)
					add_bin(&h, table, other);
		}
		if (part->shape == SHAPE_ONE_OF || bin != RULE_MISSING)
			try_second(pair, &term, &h);
	}
}

void
rml_rule_propose_pair(const RuleSample *sample, const RmlSegmentRulesParams *params,
					  const RulePart *first, int second, RuleShape shape, const int32_t *list,
					  int n, double floor, RuleTable *table, RulePairProposal *best)
{
	const Pair pair = {sample, params, second, shape, best};
	const RuleColumn *columns = sample->columns;

	best->worth = floor;
	best->terms[0].shape = SHAPE_NONE;
	if ((columns[first->column].categorical && columns[first->column].n_bins > PAIR_CATEGORIES) ||
		(columns[second].categorical && columns[second].n_bins > PAIR_CATEGORIES))
		return;
	fill_table(sample, first->column, second, list, n, table);
	if (columns[first->column].categorical)
		try_categories(&pair, first, table);
	else
		try_bounds(&pair, first, table);
}
