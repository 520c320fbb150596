/*
 * segment_rules_finish.c
 *	  From a rule over bins to one over values, refined and counted on all rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "segment_rules_finish.h"

/* a bound is looked for between the cuts this many bins away on each side */
#define WINDOW_BINS 3

/* ---- passes over all rows ---- */

static void
count_block(void *context, int64_t block, int thread)
{
	const Finish *f = context;
	FinishCount *count = &f->counts[block];
	int64_t end = rml_block_end(block, FINISH_BLOCK_ROWS, f->rows->n);

	(void) thread;
	*count = rule_no_rows;
	for (int64_t i = block * FINISH_BLOCK_ROWS; i < end; i++)
		if (rule_satisfied(f, i))
		{
			count->selected++;
			count->hits += f->rows->labels[i] == f->cluster;
		}
}

/* the neighbours of a bound among the rows that satisfy all else */
static void
neighbours_block(void *context, int64_t block, int thread)
{
	const Finish *f = context;
	const FinishCondition *c = &f->conditions[f->at];
	FinishCount *count = &f->counts[block];
	int64_t end = rml_block_end(block, FINISH_BLOCK_ROWS, f->rows->n);

	(void) thread;
	*count = rule_no_rows;
	for (int64_t i = block * FINISH_BLOCK_ROWS; i < end; i++)
	{
		double x = f->rows->numbers[i * f->rows->d_num + c->slot];

		if (!rule_satisfied(f, i))
			continue;
		if (isnan(x))
			count->missing = true;
		else if (x <= c->bound)
			count->below = x > count->below ? x : count->below;
		else
			count->above = x < count->above ? x : count->above;
	}
}

FinishCount
rml_finish_pass(Finish *f, RmlBlockFn pass, int at)
{
	int64_t blocks = rml_blocks(f->rows->n, FINISH_BLOCK_ROWS);
	FinishCount all = rule_no_rows;

	f->at = at;
	rml_parallel(f->env, blocks, pass, f);
	for (int64_t b = 0; b < blocks; b++)
	{
		const FinishCount *count = &f->counts[b];

		all.selected += count->selected;
		all.hits += count->hits;
		all.below = count->below > all.below ? count->below : all.below;
		all.above = count->above < all.above ? count->above : all.above;
		all.missing = all.missing || count->missing;
	}
	return all;
}

/* ---- pruning ---- */

static void
drop_condition(Finish *f, int at)
{
	f->n--;
	memmove(&f->conditions[at], &f->conditions[at + 1],
			sizeof(FinishCondition) * (size_t) (f->n - at));
}

/* F1 of the rule without one condition; -1: of all of it */
static double
f1_without(Finish *f, int at)
{
	FinishCount count = rml_finish_pass(f, count_block, at);

	return rule_f1((double) count.hits, (double) count.selected, (double) f->size);
}

/* drop conditions that on all rows are not worth it, the least worth first */
static void
prune(Finish *f)
{
	int worst;

	do
	{
		double best = f1_without(f, -1);

		worst = -1;
		for (int at = 0; at < f->n; at++)
		{
			const FinishCondition *c = &f->conditions[at];
			double rest = f1_without(f, at) + f->min_gain * (c->n_codes > 1 ? c->n_codes : 1);

			if (rest >= best)
			{
				best = rest;
				worst = at;
			}
		}
		if (worst >= 0)
			drop_condition(f, worst);
	} while (worst >= 0);
}

/* ---- literals ---- */

/*
 * A short literal for a bound: anywhere between its neighbours among the rows that satisfy all else,
 * since no other row is decided by it.  Where float8 values were rounded, what stands behind the
 * lower one may lie above it, but not beyond the next float8, and the same from the other side; where
 * that leaves nothing between two neighbours, the bound moves on, to the looser side.  False when the
 * condition excludes no row.
 */
static bool
write_literal(Finish *f, int at)
{
	FinishCondition *c = &f->conditions[at];
	bool rounded = f->rows->rounded[c->slot];

	for (;;)
	{
		FinishCount count = rml_finish_pass(f, neighbours_block, at);
		bool excludes = c->test == RML_RULE_ABOVE ? !isinf(count.below) : !isinf(count.above);
		double low = isinf(count.below) ? c->bound : count.below;
		double high = nextafter(count.above, -INFINITY);

		if (!excludes && !count.missing)
			return false;
		if (rounded && !isinf(count.below))
			low = nextafter(low, INFINITY);
		/* then only missing values are excluded, and any bound that is not below the others will do */
		if (isinf(count.above))
			high = low > c->bound ? low : c->bound;
		if (low <= high)
		{
			c->literal = rml_short_decimal(f->env, low, high, &c->bound);
			return true;
		}
		if (!excludes)
			return false;
		c->bound = c->test == RML_RULE_ABOVE ? nextafter(count.below, -INFINITY) : count.above;
	}
}

static void
write_literals(Finish *f)
{
	for (int at = 0; at < f->n;)
	{
		if (rule_is_bound(&f->conditions[at]) && f->min_gain > 0.0)
			rml_finish_round(f, at);
		if (!rule_is_bound(&f->conditions[at]) || write_literal(f, at))
			at++;
		else
			drop_condition(f, at);
	}
}

/* ---- terms to conditions ---- */

static void
add_bound(Finish *f, const RuleColumn *column, RmlRuleTest test, int slot, int cut)
{
	FinishCondition *c = &f->conditions[f->n++];

	memset(c, 0, sizeof *c);
	c->test = test;
	c->slot = slot;
	c->bound = column->cuts[cut];
	c->low = cut >= WINDOW_BINS ? column->cuts[cut - WINDOW_BINS] : -INFINITY;
	c->high = cut + WINDOW_BINS < column->n_bins - 1 ? column->cuts[cut + WINDOW_BINS] : INFINITY;
}

static int
compare_codes(const void *a, const void *b)
{
	int32_t x = *(const int32_t *) a, y = *(const int32_t *) b;

	return (x > y) - (x < y);
}

static void
add_list(Finish *f, const RuleColumn *column, const RuleTerm *term, int slot)
{
	FinishCondition *c = &f->conditions[f->n++];
	size_t codes = (size_t) f->rows->n_categories[slot] + 1;
	bool listed = term->shape == SHAPE_ONE_OF;

	memset(c, 0, sizeof *c);
	c->test = listed ? RML_RULE_ONE_OF : RML_RULE_NONE_OF;
	c->slot = slot;
	c->n_codes = term->n_listed;
	c->codes = RML_NEW(f->env, int32_t, (size_t) term->n_listed);
	c->selected = RML_NEW(f->env, uint8_t, codes);
	memset(c->selected, !listed, codes);
	c->selected[0] = 0;
	for (int i = 0; i < term->n_listed; i++)
	{
		c->codes[i] = column->codes[term->listed[i]];
		c->selected[c->codes[i]] = listed;
	}
	qsort(c->codes, (size_t) c->n_codes, sizeof c->codes[0], compare_codes);
}

static void
add_term(Finish *f, const RuleSample *sample, const RuleTerm *term)
{
	const RuleColumn *column = &sample->columns[term->column];

	if (column->categorical)
	{
		add_list(f, column, term, term->column - f->rows->d_num);
		return;
	}
	if (term->shape & SHAPE_ABOVE)
		add_bound(f, column, RML_RULE_ABOVE, term->column, term->first - 1);
	if (term->shape & SHAPE_UP_TO)
		add_bound(f, column, RML_RULE_UP_TO, term->column, term->last);
}

static void
report(const Finish *f, RmlSegmentRule *rule)
{
	rule->n_conditions = f->n;
	for (int i = 0; i < f->n; i++)
	{
		const FinishCondition *c = &f->conditions[i];

		rule->conditions[i] =
			(RmlRuleCondition){c->test, c->slot, c->literal, c->bound, c->n_codes, c->codes};
	}
}

size_t
rml_rule_finish_bytes(int64_t n)
{
	return 3 * sizeof(double) * (size_t) n +
		   sizeof(FinishCount) * (size_t) rml_blocks(n, FINISH_BLOCK_ROWS);
}

void
rml_rule_finish(RmlEnv *env, const RmlSegmentRulesParams *params, const RmlRuleRows *rows,
				const RuleSample *sample, const RuleState *state, RmlSegmentRule *rule)
{
	Finish f = {.env = env,
				.rows = rows,
				.cluster = rule->cluster,
				.size = rule->size,
				.min_gain = params->min_gain};
	FinishCount all;

	f.counts = RML_NEW(env, FinishCount, (size_t) rml_blocks(rows->n, FINISH_BLOCK_ROWS));
	f.inside = RML_NEW(env, double, (size_t) rows->n);
	f.outside = RML_NEW(env, double, (size_t) rows->n);
	for (int t = 0; t < state->n_terms; t++)
		add_term(&f, sample, &state->terms[t]);
	rml_finish_refine(&f);
	prune(&f);
	write_literals(&f);
	all = rml_finish_pass(&f, count_block, -1);
	report(&f, rule);
	rule->n = all.selected;
	rule->hits = all.hits;
	rule->precision = (double) rule->hits / (double) rule->n;
	rule->recall = (double) rule->hits / (double) rule->size;
	rule->f1 = rule_f1((double) rule->hits, (double) rule->n, (double) rule->size);
	rml_release(env, f.counts);
	rml_release(env, f.inside);
	rml_release(env, f.outside);
}
