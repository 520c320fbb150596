/*
 * segment_rules_finish.c
 *	  From a rule over bins to one over values, refined and counted on all rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/sort.h"

#include "segment_rules_internal.h"

#define BLOCK_ROWS 4096

/* a bound is looked for between the cuts this many bins away on each side */
#define WINDOW_BINS 3

/* how often all bounds are looked for at most */
#define REFINE_ROUNDS 3

typedef struct Condition
{
	RmlRuleTest test;
	int slot;
	double bound;
	char *literal;
	uint8_t *selected; /* [n_categories + 1] by code */
	int n_codes;
	int32_t *codes; /* [n_codes] */
	double low;     /* where the bound is looked for: low < x <= high; none when low = high */
	double high;
} Condition;

/* what a pass over all rows finds in one block */
typedef struct BlockCount
{
	int64_t selected;
	int64_t hits;
	int64_t n_inside; /* values gathered */
	int64_t n_outside;
	double below; /* largest value up to the bound, smallest above it */
	double above;
	bool missing;
} BlockCount;

typedef struct Finish
{
	RmlEnv *env;
	const RmlRuleRows *rows;
	int32_t cluster;
	int64_t size;
	int n;
	Condition conditions[RML_RULE_CONDITIONS];
	int at;             /* the condition that is worked on: rows need not satisfy it; or -1 */
	BlockCount *counts; /* [blocks] */
	double *inside;     /* [n] values in the window, block by block */
	double *outside;    /* [n] */
} Finish;

/* ---- passes over all rows ---- */

static inline bool
satisfies(const Finish *f, int64_t row)
{
	const double *numbers = f->rows->numbers + row * f->rows->d_num;
	const int32_t *codes = f->rows->codes + row * f->rows->d_cat;

	for (int i = 0; i < f->n; i++)
	{
		const Condition *c = &f->conditions[i];
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

static void
count_block(void *context, int64_t block, int thread)
{
	const Finish *f = context;
	BlockCount *count = &f->counts[block];
	int64_t end = rml_block_end(block, BLOCK_ROWS, f->rows->n);

	(void) thread;
	memset(count, 0, sizeof *count);
	for (int64_t i = block * BLOCK_ROWS; i < end; i++)
		if (satisfies(f, i))
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
	const Condition *c = &f->conditions[f->at];
	BlockCount *count = &f->counts[block];
	int64_t end = rml_block_end(block, BLOCK_ROWS, f->rows->n);

	(void) thread;
	count->below = -INFINITY;
	count->above = INFINITY;
	count->missing = false;
	for (int64_t i = block * BLOCK_ROWS; i < end; i++)
	{
		double x = f->rows->numbers[i * f->rows->d_num + c->slot];

		if (!satisfies(f, i))
			continue;
		if (isnan(x))
			count->missing = true;
		else if (x <= c->bound)
			count->below = x > count->below ? x : count->below;
		else
			count->above = x < count->above ? x : count->above;
	}
}

/* values in the window, and rows beyond it that any bound within selects */
static void
gather_block(void *context, int64_t block, int thread)
{
	const Finish *f = context;
	const Condition *c = &f->conditions[f->at];
	int64_t start = block * BLOCK_ROWS, end = rml_block_end(block, BLOCK_ROWS, f->rows->n);
	BlockCount count = {0};

	(void) thread;
	for (int64_t i = start; i < end; i++)
	{
		double x = f->rows->numbers[i * f->rows->d_num + c->slot];
		bool member = f->rows->labels[i] == f->cluster;

		/* also when x is missing */
		if (!(c->test == RML_RULE_ABOVE ? x > c->low : x <= c->high) || !satisfies(f, i))
			continue;
		if (c->test == RML_RULE_ABOVE ? x > c->high : x <= c->low)
		{
			count.selected++;
			count.hits += member;
		}
		else if (member)
			f->inside[start + count.n_inside++] = x;
		else
			f->outside[start + count.n_outside++] = x;
	}
	f->counts[block] = count;
}

/* run a pass with one condition set aside, and put its blocks together */
static BlockCount
run_pass(Finish *f, RmlBlockFn pass, int at)
{
	int64_t blocks = rml_blocks(f->rows->n, BLOCK_ROWS);
	BlockCount all = {.below = -INFINITY, .above = INFINITY};

	f->at = at;
	rml_parallel(f->env, blocks, pass, f);
	for (int64_t b = 0; b < blocks; b++)
	{
		const BlockCount *count = &f->counts[b];

		all.selected += count->selected;
		all.hits += count->hits;
		if (pass == gather_block)
		{
			memmove(f->inside + all.n_inside, f->inside + b * BLOCK_ROWS,
					sizeof(double) * (size_t) count->n_inside);
			memmove(f->outside + all.n_outside, f->outside + b * BLOCK_ROWS,
					sizeof(double) * (size_t) count->n_outside);
			all.n_inside += count->n_inside;
			all.n_outside += count->n_outside;
		}
		if (pass == neighbours_block)
		{
			all.below = count->below > all.below ? count->below : all.below;
			all.above = count->above < all.above ? count->above : all.above;
			all.missing = all.missing || count->missing;
		}
	}
	return all;
}

/* ---- refining ---- */

/* how many of the sorted values are not above x */
static int64_t
count_up_to(const double *values, int64_t n, double x)
{
	int64_t first = 0;

	while (n > 0)
	{
		int64_t half = n / 2;

		if (values[first + half] <= x)
		{
			first += half + 1;
			n -= half + 1;
		}
		else
			n = half;
	}
	return first;
}

/* F1 with the bound at x, where so many of the gathered values are not above it */
static double
f1_at(const Finish *f, const BlockCount *window, RmlRuleTest test, int64_t inside, int64_t outside)
{
	int64_t hits, others;

	if (test == RML_RULE_ABOVE)
	{
		inside = window->n_inside - inside;
		outside = window->n_outside - outside;
	}
	hits = window->hits + inside;
	others = window->selected - window->hits + outside;
	return rule_f1((double) hits, (double) (hits + others), (double) f->size);
}

/* the best bound of one condition, between the bins; is it another one? */
static bool
refine_bound(Finish *f, int at)
{
	Condition *c = &f->conditions[at];
	BlockCount window = run_pass(f, gather_block, at);
	int64_t i = 0, o = 0;
	double best, before = c->bound;

	rml_sort_doubles(f->env, f->inside, window.n_inside);
	rml_sort_doubles(f->env, f->outside, window.n_outside);
	best = f1_at(f, &window, c->test, count_up_to(f->inside, window.n_inside, c->bound),
				 count_up_to(f->outside, window.n_outside, c->bound));
	if (!isinf(c->low) && f1_at(f, &window, c->test, 0, 0) > best)
	{
		best = f1_at(f, &window, c->test, 0, 0);
		c->bound = c->low;
	}
	while (i < window.n_inside || o < window.n_outside)
	{
		double x = o == window.n_outside || (i < window.n_inside && f->inside[i] < f->outside[o])
					   ? f->inside[i]
					   : f->outside[o];
		double here;

		while (i < window.n_inside && f->inside[i] == x)
			i++;
		while (o < window.n_outside && f->outside[o] == x)
			o++;
		here = f1_at(f, &window, c->test, i, o);
		if (here > best)
		{
			best = here;
			c->bound = x;
		}
	}
	return c->bound != before;
}

static void
refine(Finish *f)
{
	bool changed = true;

	for (int round = 0; round < REFINE_ROUNDS && changed; round++)
	{
		changed = false;
		for (int at = 0; at < f->n; at++)
			if (f->conditions[at].low < f->conditions[at].high && refine_bound(f, at))
				changed = true;
	}
}

/* ---- literals ---- */

static void
drop_condition(Finish *f, int at)
{
	f->n--;
	memmove(&f->conditions[at], &f->conditions[at + 1], sizeof(Condition) * (size_t) (f->n - at));
}

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
	Condition *c = &f->conditions[at];
	bool rounded = f->rows->rounded[c->slot];

	for (;;)
	{
		BlockCount count = run_pass(f, neighbours_block, at);
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
		bool number = f->conditions[at].selected == NULL;

		if (!number || write_literal(f, at))
			at++;
		else
			drop_condition(f, at);
	}
}

/* ---- terms to conditions ---- */

static void
add_bound(Finish *f, const RuleColumn *column, RmlRuleTest test, int slot, int cut)
{
	Condition *c = &f->conditions[f->n++];

	memset(c, 0, sizeof *c);
	c->test = test;
	c->slot = slot;
	c->bound = column->cuts[cut];
	if (column->exact)
		return;
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
	Condition *c = &f->conditions[f->n++];
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
		const Condition *c = &f->conditions[i];

		rule->conditions[i] =
			(RmlRuleCondition){c->test, c->slot, c->literal, c->bound, c->n_codes, c->codes};
	}
}

size_t
rml_rule_finish_bytes(int64_t n)
{
	return 3 * sizeof(double) * (size_t) n +
		   sizeof(BlockCount) * (size_t) rml_blocks(n, BLOCK_ROWS);
}

void
rml_rule_finish(RmlEnv *env, const RmlRuleRows *rows, const RuleSample *sample,
				const RuleState *state, RmlSegmentRule *rule)
{
	Finish f = {.env = env, .rows = rows, .cluster = rule->cluster, .size = rule->size};
	BlockCount all;

	f.counts = RML_NEW(env, BlockCount, (size_t) rml_blocks(rows->n, BLOCK_ROWS));
	f.inside = RML_NEW(env, double, (size_t) rows->n);
	f.outside = RML_NEW(env, double, (size_t) rows->n);
	for (int t = 0; t < state->n_terms; t++)
		add_term(&f, sample, &state->terms[t]);
	refine(&f);
	write_literals(&f);
	all = run_pass(&f, count_block, -1);
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
