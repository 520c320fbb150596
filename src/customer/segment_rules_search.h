/*
 * segment_rules_search.h
 *	  The state of the beam search, and the moves that make new rules from old ones.
 */
#ifndef RETAILML_SEGMENT_RULES_SEARCH_H
#define RETAILML_SEGMENT_RULES_SEARCH_H

#include "segment_rules_propose.h"

/* rules of each number of conditions that are kept, no two with the same columns and shapes */
#define BEAM_WIDTH 16

/* columns whose histograms are filled in one block: keeps it under 10 ms */
#define GROUP_COLUMNS 8

/* pairs of a bound (or list) and a term on another column that a rule can have */
#define MOST_PAIRS (RML_RULE_CONDITIONS * RML_RULE_CONDITIONS)

typedef struct RulePool
{
	int n;
	RuleState states[BEAM_WIDTH]; /* best first */
} RulePool;

typedef struct RuleSearch
{
	RmlEnv *env;
	const RmlSegmentRulesParams *params;
	const RuleSample *sample;
	RuleScratch *scratch;
	RulePool *pools;         /* [RML_RULE_CONDITIONS + 1] by number of conditions */
	const RuleState *states; /* what is worked on now, in blocks */
	int groups;
	RuleProposal *proposals; /* [BEAM_WIDTH x max(d, RML_RULE_CONDITIONS) x RULE_PROPOSALS] */
	RulePairProposal *pairs; /* [BEAM_WIDTH x MOST_PAIRS] */
} RuleSearch;

/* the term on a column, or -1 */
static inline int
rule_find_term(const RuleState *state, int column)
{
	for (int t = 0; t < state->n_terms; t++)
		if (state->terms[t].column == column)
			return t;
	return -1;
}

/* a list's length beyond its first category */
static inline int
rule_list_length(const RuleTerm *term)
{
	return term->n_listed > 1 ? term->n_listed - 1 : 0;
}

/*
 * Moves, as blocks of search->states [n]: n x groups blocks fill proposals [n x d x RULE_PROPOSALS],
 * n x RML_RULE_CONDITIONS blocks proposals [n x RML_RULE_CONDITIONS x RULE_PROPOSALS], and n x MOST_PAIRS
 * blocks pairs [n x MOST_PAIRS].  Rules for which a move was tried before are passed over.
 */
extern void rml_rule_extend_block(void *context, int64_t block, int thread);
extern void rml_rule_settle_block(void *context, int64_t block, int thread);
extern void rml_rule_pair_block(void *context, int64_t block, int thread);

#endif /* RETAILML_SEGMENT_RULES_SEARCH_H */
