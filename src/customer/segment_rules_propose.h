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
 * The best term of each of the shapes (a set of RuleShape), if it is worth more than floor.  Where the rule has one bound on the
 * column already, old is its term and the other bound is asked for; else the shape of old is
 * SHAPE_NONE.
 */
extern void rml_rule_propose(const RuleSample *sample, const RmlSegmentRulesParams *params,
							 const RuleHistogram *h, const RuleTerm *old, int shapes, double floor,
							 RuleProposal *proposals);

/* one bound on a column, or a list */
typedef struct RulePart
{
	int column;
	RuleShape shape; /* never SHAPE_BETWEEN */
} RulePart;

typedef struct RulePairProposal
{
	RuleTerm terms[2];
	int64_t inside;
	int64_t outside;
	double worth; /* the floor: there is none */
} RulePairProposal;

/*
 * The best of all bounds of the first kind, each with the best term of a shape on the second column;
 * of two lists, every single category with the best list.  Nothing that is not worth more than floor.  list [n] are the rows that satisfy the
 * rest of the rule.
 */
extern void rml_rule_propose_pair(const RuleSample *sample, const RmlSegmentRulesParams *params,
								  const RulePart *first, int second, RuleShape shape,
								  const int32_t *list, int n, double floor, RuleTable *table,
								  RulePairProposal *best);

extern double rml_rule_sample_f1(const RuleSample *sample, int64_t inside, int64_t outside);

#endif /* RETAILML_SEGMENT_RULES_PROPOSE_H */
