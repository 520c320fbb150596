/*
 * segment_rules_propose.c
 *	  The best condition on one column, from how many rows inside and outside are in its bins.
 */
#include "segment_rules_propose.h"

#include <string.h>

/* F1 of a rule that selects these rows of the sample */
double
rml_rule_sample_f1(const RuleSample *sample, int64_t inside, int64_t outside)
{
	double hits = sample->inside_weight * (double) inside;

	return rule_f1(hits, hits + sample->outside_weight * (double) outside, (double) sample->size);
}

/* keep the term if it is the best of its shape so far */
static void
offer(RuleProposal *best, const RuleTerm *term, int64_t inside, int64_t outside, double worth)
{
	if (worth <= best->worth)
		return;
	best->term = *term;
	best->inside = inside;
	best->outside = outside;
	best->worth = worth;
}

/* ---- numbers ---- */

/*
 * F1 > f in the form of a sum over rows: 2 h > f (n + s).  Asking this first spares a division for every
 * cut.
 */
typedef struct Hurdle
{
	double gain; /* of a row inside */
	double loss; /* of a row outside */
	double need;
} Hurdle;

static Hurdle
hurdle_at(const RuleSample *sample, double f)
{
	return (Hurdle){(2.0 - f) * sample->inside_weight, f * sample->outside_weight,
					f * (double) sample->size};
}

static inline bool
clears(const Hurdle *hurdle, int64_t inside, int64_t outside)
{
	return hurdle->gain * (double) inside - hurdle->loss * (double) outside > hurdle->need;
}

/* best first bin; the lowest selects everything and is no condition */
static void
propose_above(const RuleSample *sample, const RuleHistogram *h, RuleTerm term, RuleProposal *best)
{
	Hurdle hurdle = hurdle_at(sample, best->worth);
	int64_t inside = 0, outside = 0;

	for (int b = term.last; b > 0; b--)
	{
		inside += h->inside[b];
		outside += h->outside[b];
		if (h->inside[b] == 0 || !clears(&hurdle, inside, outside))
			continue;
		term.first = b;
		offer(best, &term, inside, outside, rml_rule_sample_f1(sample, inside, outside));
		hurdle = hurdle_at(sample, best->worth);
	}
}

static void
propose_up_to(const RuleSample *sample, const RuleHistogram *h, RuleTerm term, int n_bins,
			  RuleProposal *best)
{
	Hurdle hurdle = hurdle_at(sample, best->worth);
	int64_t inside = 0, outside = 0;

	for (int b = term.first; b < n_bins - 1; b++)
	{
		inside += h->inside[b];
		outside += h->outside[b];
		if (h->inside[b] == 0 || !clears(&hurdle, inside, outside))
			continue;
		term.last = b;
		offer(best, &term, inside, outside, rml_rule_sample_f1(sample, inside, outside));
		hurdle = hurdle_at(sample, best->worth);
	}
}

/*
 * The run of bins within low .. high with the largest sum of 2 [inside] - f over its rows; false
 * when none exceeds f s.
 */
static bool
best_run(const RuleSample *sample, const RuleHistogram *h, int low, int high, double f,
		 RuleTerm *term)
{
	const Hurdle hurdle = hurdle_at(sample, f);
	double sum = 0.0, most = hurdle.need;
	int start = low;

	for (int b = low; b <= high; b++)
	{
		if (sum <= 0.0)
		{
			sum = 0.0;
			start = b;
		}
		sum += hurdle.gain * (double) h->inside[b] - hurdle.loss * (double) h->outside[b];
		if (sum > most)
		{
			most = sum;
			term->first = start;
			term->last = b;
		}
	}
	return most > hurdle.need;
}

/* bounds on both sides: the bins at the ends are outside of them */
static void
propose_between(const RuleSample *sample, const RuleHistogram *h, RuleTerm term, int n_bins,
				RuleProposal *best)
{
	double f = best->worth > 0.0 ? best->worth : 0.0;

	while (best_run(sample, h, 1, n_bins - 2, f, &term))
	{
		int64_t inside = 0, outside = 0;
		double better;

		for (int b = term.first; b <= term.last; b++)
		{
			inside += h->inside[b];
			outside += h->outside[b];
		}
		better = rml_rule_sample_f1(sample, inside, outside);
		if (better <= f)
			return;
		f = better;
		offer(best, &term, inside, outside, f);
	}
}

/* ---- categories ---- */

/* bins that hold rows, by precision, largest first; ties by bin.  Returns their number. */
static int
by_precision(const RuleHistogram *h, int start, int n_bins, uint8_t *order)
{
	int n = 0;

	for (int b = start; b < n_bins; b++)
	{
		int place = n;

		if (h->inside[b] == 0 && h->outside[b] == 0)
			continue;
		while (place > 0)
		{
			int other = order[place - 1];

			if ((uint64_t) h->inside[b] * h->outside[other] <=
				(uint64_t) h->inside[other] * h->outside[b])
				break;
			order[place--] = (uint8_t) other;
		}
		order[place] = (uint8_t) b;
		n++;
	}
	return n;
}

static void
propose_one_of(const RuleSample *sample, const RuleHistogram *h, RuleTerm term, int n_bins,
			   const RmlSegmentRulesParams *params, RuleProposal *best)
{
	uint8_t order[RULE_BINS];
	int n = by_precision(h, RULE_MISSING, n_bins, order);
	int64_t inside = 0, outside = 0;

	for (int i = 0; i < n && i < params->max_values; i++)
	{
		inside += h->inside[order[i]];
		outside += h->outside[order[i]];
		term.listed[i] = order[i];
		term.n_listed = i + 1;
		offer(best, &term, inside, outside,
			  rml_rule_sample_f1(sample, inside, outside) - params->min_gain * i);
	}
}

/* missing categories fail "is none of" too */
static void
propose_none_of(const RuleSample *sample, const RuleHistogram *h, RuleTerm term, int n_bins,
				const RmlSegmentRulesParams *params, RuleProposal *best)
{
	uint8_t order[RULE_BINS];
	int n = by_precision(h, RULE_MISSING + 1, n_bins, order);
	int64_t inside = h->inside[RULE_REST], outside = h->outside[RULE_REST];

	for (int i = 0; i < n; i++)
	{
		inside += h->inside[order[i]];
		outside += h->outside[order[i]];
	}
	for (int i = 0; i < n && i < params->max_values; i++)
	{
		int worst = order[n - 1 - i];

		inside -= h->inside[worst];
		outside -= h->outside[worst];
		term.listed[i] = (uint8_t) worst;
		term.n_listed = i + 1;
		offer(best, &term, inside, outside,
			  rml_rule_sample_f1(sample, inside, outside) - params->min_gain * i);
	}
}

/* ---- any column ---- */

void
rml_rule_propose(const RuleSample *sample, const RmlSegmentRulesParams *params,
				 const RuleHistogram *h, const RuleTerm *old, int shapes, double floor,
				 RuleProposal *proposals)
{
	const RuleColumn *column = &sample->columns[old->column];
	RuleTerm term = *old;

	for (int i = 0; i < RULE_PROPOSALS; i++)
	{
		proposals[i].term.shape = SHAPE_NONE;
		proposals[i].worth = floor;
	}
	term.n_listed = 0;
	if (shapes & SHAPE_ONE_OF)
	{
		term.shape = SHAPE_ONE_OF;
		propose_one_of(sample, h, term, column->n_bins, params, &proposals[0]);
	}
	if (shapes & SHAPE_NONE_OF)
	{
		term.shape = SHAPE_NONE_OF;
		propose_none_of(sample, h, term, column->n_bins, params, &proposals[1]);
	}
	if (shapes & SHAPE_ABOVE)
	{
		term.last = old->shape == SHAPE_NONE ? column->n_bins - 1 : old->last;
		term.shape = old->shape == SHAPE_NONE ? SHAPE_ABOVE : SHAPE_BETWEEN;
		propose_above(sample, h, term, &proposals[0]);
	}
	if (shapes & SHAPE_UP_TO)
	{
		term.first = old->shape == SHAPE_NONE ? 0 : old->first;
		term.shape = old->shape == SHAPE_NONE ? SHAPE_UP_TO : SHAPE_BETWEEN;
		propose_up_to(sample, h, term, column->n_bins, &proposals[1]);
	}
	if (shapes & SHAPE_BETWEEN)
	{
		term.shape = SHAPE_BETWEEN;
		propose_between(sample, h, term, column->n_bins, &proposals[2]);
	}
}
