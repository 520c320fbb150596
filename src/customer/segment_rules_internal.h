/*
 * segment_rules_internal.h
 *	  What the parts of segment_rules share: a cluster's sample in bins, and rules over bins.
 */
#ifndef RETAILML_SEGMENT_RULES_INTERNAL_H
#define RETAILML_SEGMENT_RULES_INTERNAL_H

#include "retailml/segment_rules.h"

#define RULE_BINS 256
#define RULE_REST 255 /* the bin of missing numbers, and of categories without a bin of their own */
#define RULE_MISSING 0 /* the bin of a missing category */

/* a column as the search of one cluster sees it */
typedef struct RuleColumn
{
	bool categorical;
	bool usable;
	int n_bins;             /* without RULE_REST */
	double cuts[RULE_REST]; /* numbers: bin b has cuts[b - 1] < x <= cuts[b]; the last has no cut */
	int32_t codes[RULE_REST]; /* categories: what the bins are */
} RuleColumn;

/* rows of one cluster and of the rest */
typedef struct RuleSample
{
	int32_t n;
	int32_t n_inside;     /* the first ones are those of the cluster */
	int64_t *rows;        /* [n] */
	double inside_weight; /* rows of the cluster for each of the sample */
	double outside_weight;
	int64_t size;        /* rows of the cluster */
	int d;               /* columns: numbers, then categories */
	RuleColumn *columns; /* [d] */
	uint8_t *cells;      /* [d x capacity] bin of each row, column after column */
	int32_t capacity;
} RuleSample;

/* what a rule asks of one column */
typedef enum RuleShape
{
	SHAPE_NONE = 0,
	SHAPE_ABOVE = 1,
	SHAPE_UP_TO = 2,
	SHAPE_BETWEEN = 3, /* both bounds */
	SHAPE_ONE_OF = 4,
	SHAPE_NONE_OF = 8
} RuleShape;

typedef struct RuleTerm
{
	RuleShape shape;
	int column;
	int first; /* numbers: bins first .. last are selected */
	int last;
	int n_listed; /* categories: bins in the list */
	uint8_t listed[RULE_BINS];
} RuleTerm;

typedef struct RuleState
{
	int n_terms;
	RuleTerm terms[RML_RULE_CONDITIONS]; /* by column */
	int conditions;
	int length;
	int64_t inside; /* rows of the sample it selects */
	int64_t outside;
	double score;
	int tried; /* how its terms were chosen again: 1 = one by one, 2 = also two at a time */
} RuleState;

/* rows of the sample by their bins in two columns */
typedef struct RuleTable
{
	uint32_t inside[RULE_BINS][RULE_BINS];
	uint32_t outside[RULE_BINS][RULE_BINS];
} RuleTable;

/* a category, and how much it tells about the cluster */
typedef struct RuleCategory
{
	double telling;
	int32_t code;
} RuleCategory;

/* what one thread works with */
typedef struct RuleScratch
{
	int32_t *list;            /* [capacity of the sample] */
	double *values;           /* [2 x RULE_CUT_ROWS] */
	double *telling;          /* [categories + 1] */
	RuleCategory *categories; /* [categories] */
	uint8_t *bins;            /* [categories + 1] */
	RuleTable *table;
} RuleScratch;

#define RULE_CUT_ROWS 8192 /* rows of each side that cuts are chosen from */

/* number of conditions a shape takes */
static inline int
rule_conditions(RuleShape shape)
{
	return shape == SHAPE_BETWEEN ? 2 : 1;
}

/* 2 h / (n + s) */
static inline double
rule_f1(double hits, double selected, double size)
{
	return 2.0 * hits / (selected + size);
}

/* sample the rows of a cluster and of the rest; members = its rows */
extern void rml_rule_sample(RmlEnv *env, const RmlRuleRows *rows, int32_t cluster, int64_t members,
							RuleScratch *scratch, RuleSample *sample);

/* the best rule of the sample */
extern void rml_rule_search(RmlEnv *env, const RmlSegmentRulesParams *params,
							const RuleSample *sample, RuleScratch *scratch, RuleState *best);

/* bytes of rml_rule_search */
extern size_t rml_rule_search_bytes(int d);

/* the same rule over values, refined and counted on all rows */
extern void rml_rule_finish(RmlEnv *env, const RmlSegmentRulesParams *params,
							const RmlRuleRows *rows, const RuleSample *sample,
							const RuleState *state, RmlSegmentRule *rule);

/* bytes of rml_rule_finish */
extern size_t rml_rule_finish_bytes(int64_t n);

#endif /* RETAILML_SEGMENT_RULES_INTERNAL_H */
