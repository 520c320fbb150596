/*
 * segment_rules.h
 *	  A short rule for each segment: "recency_days > 90 AND orders <= 2".
 *
 * For each cluster c, rows of c are inside, all others outside.  A rule is a conjunction of
 * conditions on columns; a row is selected when all hold:
 *
 *		number    x > bound, x <= bound        a missing number satisfies neither
 *		category  one of a list, which may have "missing" in it, or none of a list and not missing
 *
 * With h the selected rows that are inside, n the selected rows and s the rows inside,
 *
 *		precision = h / n      recall = h / s      F1 = 2 h / (n + s)
 *
 * and the rule is the one with the largest F1 - min_gain * length, where length counts conditions, and
 * in a list the categories after the first: what is not worth min_gain is not worth reading.
 *
 * The search is that of CN2 (Clark and Niblett, The CN2 induction algorithm, Machine Learning 3,
 * 1989): the best rules of c conditions, one for each choice of columns and directions, are made
 * longer by every column.  As in bump hunting (Friedman and Fisher, Statistics and Computing 9,
 * 1999) what a column contributes is found by a scan of its sorted values, here exactly:
 *
 *	one bound      the best of all cuts
 *	two bounds     F1 > f iff the sum of 2 [inside] - f over the selected rows exceeds f s, so the best interval
 *				   is the maximum-sum run of that sum, for f raised until nothing is better (Dinkelbach,
 *				   On nonlinear fractional programming, Management Science 13, 1967)
 *	list           by the same sum a best list is a prefix of the categories sorted by precision
 *
 * and each condition is chosen again given the others, until none changes.
 *
 * The search sees at most RML_RULE_INSIDE rows inside and RML_RULE_OUTSIDE outside (the first of
 * the canonical order, a random sample; each side weighted up to its size) in at most 255 bins a
 * column.  What it finds is then refined on all rows between the bins, and counted on all rows.
 */
#ifndef RETAILML_SEGMENT_RULES_H
#define RETAILML_SEGMENT_RULES_H

#include "retailml/env.h"
#include "retailml/options.h"

#define RML_RULE_CONDITIONS 8 /* the most that max_conditions can be */
#define RML_RULE_INSIDE 16384
#define RML_RULE_OUTSIDE 49152
#define RML_RULE_CLUSTERS 1000
#define RML_NOISE (-1) /* the label of rows that are in no segment: outside of all */

typedef struct RmlSegmentRulesParams
{
	int64_t max_conditions;
	int64_t max_values; /* categories in a list */
	double min_gain;
} RmlSegmentRulesParams;

#define RML_SEGMENT_RULES_OPTIONS 3
extern const RmlOption rml_segment_rules_options[RML_SEGMENT_RULES_OPTIONS];

/* the labelled rows, in canonical order */
typedef struct RmlRuleRows
{
	int64_t n;
	int d_num;
	int d_cat;
	const double *numbers;       /* [n x d_num] NaN = missing */
	const int32_t *codes;        /* [n x d_cat] 0 = missing, 1 .. n_categories */
	const int32_t *n_categories; /* [d_cat] */
	const bool *rounded;         /* [d_num] SQL may compare what these float8 stand for */
	const bool *ignored;         /* [d_num] columns that no rule may use */
	const int32_t *labels;       /* [n] */
} RmlRuleRows;

typedef enum RmlRuleTest
{
	RML_RULE_ABOVE,  /* x > bound */
	RML_RULE_UP_TO,  /* x <= bound */
	RML_RULE_ONE_OF, /* the category is in codes; 0 among them: or it is missing */
	RML_RULE_NONE_OF /* it is not missing and not in codes */
} RmlRuleTest;

typedef struct RmlRuleCondition
{
	RmlRuleTest test;
	int slot; /* among the numbers, or among the codes, of a row */
	/*
	 * The bound as a short decimal.  It parts the values of the column that matter here on the real
	 * line, so comparing the original numeric or bigint with it gives what comparing float8 does.
	 */
	char *literal;
	double bound;
	int n_codes;
	int32_t *codes; /* [n_codes] ascending */
} RmlRuleCondition;

typedef struct RmlSegmentRule
{
	int32_t cluster;
	int n_conditions;                                 /* 0: the rule selects every row */
	RmlRuleCondition conditions[RML_RULE_CONDITIONS]; /* numbers by slot, then categories by slot */
	int64_t size;                                     /* rows of the cluster */
	int64_t n;                                        /* rows the rule selects */
	int64_t hits;                                     /* those of them in the cluster */
	double precision;
	double recall;
	double f1;
} RmlSegmentRule;

/* NULL, or the reason these rows are refused */
extern const char *rml_segment_rules_check(RmlEnv *env, const RmlRuleRows *rows);

/* bytes taken on top of the rows (with the few thousand categories at most that are usual) */
extern size_t rml_segment_rules_bytes(int64_t n, int d_num, int d_cat, int threads);

/* the rules of all clusters, by number; *n_rules of them */
extern RmlSegmentRule *rml_segment_rules(RmlEnv *env, const RmlSegmentRulesParams *params,
										 const RmlRuleRows *rows, int *n_rules);

/* a column that is the label itself says nothing: is it this one?  (never with a single label) */
extern bool rml_segment_rules_is_label(RmlEnv *env, const RmlRuleRows *rows, int slot);

/* a shortest decimal on [low, high], near its middle; *value is what it reads as */
extern char *rml_short_decimal(RmlEnv *env, double low, double high, double *value);

#endif /* RETAILML_SEGMENT_RULES_H */
