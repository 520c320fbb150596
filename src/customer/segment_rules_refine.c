/*
 * segment_rules_refine.c
 *	  Bounds on all rows: the best between the bins of the search, and a round one beside it.
 *
 * All bounds within a window of a few bins select the same rows beyond it, so a walk over the sorted
 * values in the window gives the F1 of each of them.
 */
#include <math.h>
#include <string.h>

#include "retailml/sort.h"

#include "segment_rules_finish.h"

/* how often all bounds are looked for at most */
#define REFINE_ROUNDS 3

/* what a rounder bound may cost, in parts of min_gain */
#define ROUNDING_COST 0.1

/* ---- windows ---- */

/* values in the window, and rows beyond it that any bound within selects */
static void
gather_block(void *context, int64_t block, int thread)
{
	const Finish *f = context;
	const FinishCondition *c = &f->conditions[f->at];
	int64_t start = block * FINISH_BLOCK_ROWS,
			end = rml_block_end(block, FINISH_BLOCK_ROWS, f->rows->n);
	FinishCount count = rule_no_rows;

	(void) thread;
	for (int64_t i = start; i < end; i++)
	{
		double x = f->rows->numbers[i * f->rows->d_num + c->slot];
		bool member = f->rows->labels[i] == f->cluster;

		/* also when x is missing */
		if (!(c->test == RML_RULE_ABOVE ? x > c->low : x <= c->high) || !rule_satisfied(f, i))
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

/* put the gathered values of all blocks together and in order */
static FinishCount
gather_window(Finish *f, int at)
{
	FinishCount window = rml_finish_pass(f, gather_block, at);
	int64_t blocks = rml_blocks(f->rows->n, FINISH_BLOCK_ROWS);

	for (int64_t b = 0; b < blocks; b++)
	{
		const FinishCount *count = &f->counts[b];

		memmove(f->inside + window.n_inside, f->inside + b * FINISH_BLOCK_ROWS,
				sizeof(double) * (size_t) count->n_inside);
		memmove(f->outside + window.n_outside, f->outside + b * FINISH_BLOCK_ROWS,
				sizeof(double) * (size_t) count->n_outside);
		window.n_inside += count->n_inside;
		window.n_outside += count->n_outside;
	}
	rml_sort_doubles(f->env, f->inside, window.n_inside);
	rml_sort_doubles(f->env, f->outside, window.n_outside);
	return window;
}

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
f1_at(const Finish *f, const FinishCount *window, RmlRuleTest test, int64_t inside, int64_t outside)
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

/* a walk over all places in a window where the bound may be */
typedef struct Walk
{
	const Finish *f;
	const FinishCondition *c;
	FinishCount window;
	bool begun;
	int64_t i; /* values of the window that are not above the place */
	int64_t o;
	double bound; /* the place */
	double f1;    /* there */
} Walk;

/* gather the window; the walk begins before its first place, with the F1 of the bound as it is */
static Walk
walk_window(Finish *f, int at)
{
	const FinishCondition *c = &f->conditions[at];
	Walk w = {.f = f, .c = c, .window = gather_window(f, at)};

	w.f1 = f1_at(f, &w.window, c->test, count_up_to(f->inside, w.window.n_inside, c->bound),
				 count_up_to(f->outside, w.window.n_outside, c->bound));
	return w;
}

/* the next place: the lower end of the window, then each value in it */
static bool
next_place(Walk *w)
{
	const double *inside = w->f->inside, *outside = w->f->outside;
	int64_t n_inside = w->window.n_inside, n_outside = w->window.n_outside;

	if (!w->begun && !isinf(w->c->low))
		w->bound = w->c->low;
	else if (w->i == n_inside && w->o == n_outside)
		return false;
	else
		w->bound = w->o == n_outside || (w->i < n_inside && inside[w->i] < outside[w->o])
					   ? inside[w->i]
					   : outside[w->o];
	w->begun = true;
	while (w->i < n_inside && inside[w->i] <= w->bound)
		w->i++;
	while (w->o < n_outside && outside[w->o] <= w->bound)
		w->o++;
	w->f1 = f1_at(w->f, &w->window, w->c->test, w->i, w->o);
	return true;
}

/* ---- bounds ---- */

/* the best bound of one condition, between the bins; is it another one? */
static bool
refine_bound(Finish *f, int at)
{
	Walk walk = walk_window(f, at);
	double best = walk.f1, before = f->conditions[at].bound, bound = before;

	while (next_place(&walk))
		if (walk.f1 > best)
		{
			best = walk.f1;
			bound = walk.bound;
		}
	f->conditions[at].bound = bound;
	return bound != before;
}

void
rml_finish_refine(Finish *f)
{
	bool changed = true;

	for (int round = 0; round < REFINE_ROUNDS && changed; round++)
	{
		changed = false;
		for (int at = 0; at < f->n; at++)
			if (rule_is_bound(&f->conditions[at]) && refine_bound(f, at))
				changed = true;
	}
}

void
rml_finish_round(Finish *f, int at)
{
	FinishCondition *c = &f->conditions[at];
	Walk walk = walk_window(f, at);
	double enough = walk.f1 - ROUNDING_COST * f->min_gain;
	double low = NAN, high = c->bound;
	bool ended = false;

	while (!ended && next_place(&walk))
	{
		bool good = walk.f1 >= enough;

		if (walk.bound > c->bound)
		{
			high = good ? walk.bound : nextafter(walk.bound, -INFINITY);
			ended = !good;
		}
		else if (!good)
			low = NAN;
		else if (isnan(low))
			low = walk.bound;
	}
	rml_release(f->env, rml_short_decimal(f->env, isnan(low) ? c->bound : low, high, &c->bound));
}
