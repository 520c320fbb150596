/*
 * segment_rules_propose.h
 *	  The best conditions on one column.
 */
#ifndef RETAILML_SEGMENT_RULES_PROPOSE_H
#define RETAILML_SEGMENT_RULES_PROPOSE_H

#include "segment_rules_internal.h"

/* rows of the sample that are in each bin and satisfy the rest of the rule */
typedef struct RuleHistogram
{
	uint32_t inside[RULE_BINS];
	uint32_t outside[RULE_BINS];
} RuleHistogram;

typedef struct RuleProposal
{
	RuleTerm term; /* SHAPE_NONE: there is none */
	int64_t inside;
	int64_t outside;
	double worth; /* F1, less min_gain for each category in the list after the first */
} RuleProposal;

#define RULE_PROPOSALS 3

/*
 * The best term of each of the shapes (a set of RuleShape).  Where the rule has one bound on the
 * column already, old is its term and the other bound is asked for; else the shape of old is
 * SHAPE_NONE.
 */
extern void rml_rule_propose(const RuleSample *sample, const RmlSegmentRulesParams *params,
							 const RuleHistogram *h, const RuleTerm *old, int shapes,
							 RuleProposal *proposals);

extern double rml_rule_sample_f1(const RuleSample *sample, int64_t inside, int64_t outside);

#endif /* RETAILML_SEGMENT_RULES_PROPOSE_H */
