/*
 * segment_rules_finish.h
 *	  A rule over values while it is refined on all rows.
 */
#ifndef RETAILML_SEGMENT_RULES_FINISH_H
#define RETAILML_SEGMENT_RULES_FINISH_H

#include <math.h>

#include "retailml/parallel.h"

#include "segment_rules_internal.h"

#define FINISH_BLOCK_ROWS 4096

typedef struct FinishCondition
{
	RmlRuleTest test;
	int slot;
	double bound;
	char *literal;
	uint8_t *selected; /* [n_categories + 1] by code */
	int n_codes;
	int32_t *codes; /* [n_codes] */
	double low;     /* where the bound is looked for: low < x <= high */
	double high;
} FinishCondition;

/* what a pass over all rows finds in one block */
typedef struct FinishCount
{
	int64_t selected;
	int64_t hits;
	int64_t n_inside; /* values gathered */
	int64_t n_outside;
	double below; /* largest value up to the bound, smallest above it */
	double above;
	bool missing;
} FinishCount;

typedef struct Finish
{
	RmlEnv *env;
	const RmlRuleRows *rows;
	int32_t cluster;
	int64_t size;
	double min_gain;
	int n;
	FinishCondition conditions[RML_RULE_CONDITIONS];
	int at;              /* the condition that is worked on: rows need not satisfy it; or -1 */
	FinishCount *counts; /* [blocks] */
	double *inside;      /* [n] values in the window, block by block */
	double *outside;     /* [n] */
} Finish;

/* what a block without rows finds */
static const FinishCount rule_no_rows = {.below = -INFINITY, .above = INFINITY};

static inline bool
rule_is_bound(const FinishCondition *c)
{
	return c->test == RML_RULE_ABOVE || c->test == RML_RULE_UP_TO;
}

/* does the row satisfy all conditions but the one that is worked on? */
static inline bool
rule_satisfied(const Finish *f, int64_t row)
{
	const double *numbers = f->rows->numbers + row * f->rows->d_num;
	const int32_t *codes = f->rows->codes + row * f->rows->d_cat;

	for (int i = 0; i < f->n; i++)
	{
		const FinishCondition *c = &f->conditions[i];
		bool holds;

		if (i == f->at)
			continue;
		if (c->test == RML_RULE_ABOVE)
			holds = numbers[c->slot] > c->bound;
		else if (c->test == RML_RULE_UP_TO)
			holds = numbers[c->slot] <= c->bound;
		else
			holds = c->selected[codes[c->slot]];
		if (!holds)
			return false;
	}
	return true;
}

/* run a pass with one condition set aside, and put its blocks together */
extern FinishCount rml_finish_pass(Finish *f, RmlBlockFn pass, int at);

/* the best bounds, between the bins */
extern void rml_finish_refine(Finish *f);

/* move a bound to the roundest number around it that costs next to nothing */
extern void rml_finish_round(Finish *f, int at);

#endif /* RETAILML_SEGMENT_RULES_FINISH_H */
