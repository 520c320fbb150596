/*
 * segment_rules_moves.c
 *	  New rules from old ones: a condition more, a condition chosen again, two chosen again together.
 */
#include <string.h>

#include "segment_rules_search.h"

/* ---- which rows ---- */

/* which bins a term selects */
static void
selected_bins(const RuleTerm *term, uint8_t *selected)
{
	memset(selected, term->shape == SHAPE_NONE_OF, RULE_BINS);
	switch (term->shape)
	{
		case SHAPE_ONE_OF:
			for (int i = 0; i < term->n_listed; i++)
				selected[term->listed[i]] = 1;
			break;
		case SHAPE_NONE_OF:
			selected[RULE_MISSING] = 0;
			for (int i = 0; i < term->n_listed; i++)
				selected[term->listed[i]] = 0;
			break;
		default:
			memset(selected + term->first, 1, (size_t) (term->last - term->first + 1));
	}
}

/* rows of the sample, ascending, that satisfy all terms but one (-1: all); their number */
static int
select_rows(const RuleSample *sample, const RuleState *state, int but, int32_t *list)
{
	int n = sample->n;

	for (int i = 0; i < n; i++)
		list[i] = i;
	for (int t = 0; t < state->n_terms; t++)
	{
		const uint8_t *cells = sample->cells + (size_t) state->terms[t].column * sample->capacity;
		uint8_t selected[RULE_BINS];
		int kept = 0;

		if (t == but || state->terms[t].shape == SHAPE_NONE)
			continue;
		selected_bins(&state->terms[t], selected);
		for (int i = 0; i < n; i++)
		{
			int32_t row = list[i];

			list[kept] = row;
			kept += selected[cells[row]];
		}
		n = kept;
	}
	return n;
}

static void
fill_histogram(const RuleSample *sample, int column, const int32_t *list, int n, RuleHistogram *h)
{
	const uint8_t *cells = sample->cells + (size_t) column * sample->capacity;
	int i = 0;

	memset(h, 0, sizeof *h);
	for (; i < n && list[i] < sample->n_inside; i++)
		h->inside[cells[list[i]]]++;
	for (; i < n; i++)
		h->outside[cells[list[i]]]++;
}

/* ---- proposals, in blocks ---- */

/* shapes that can be asked of a column on which the rule has no term yet */
static int
shapes_of(const RuleColumn *column)
{
	if (column->categorical)
		return SHAPE_ONE_OF | SHAPE_NONE_OF;
	return SHAPE_ABOVE | SHAPE_UP_TO | (column->n_bins > 2 ? SHAPE_BETWEEN : 0);
}

/* what a column can add to a rule */
static void
propose_addition(const RuleSearch *search, const RuleState *state, int column, const int32_t *list,
				 int n, RuleProposal *proposals)
{
	const RuleSample *sample = search->sample;
	int place = rule_find_term(state, column);
	RuleTerm none = {.shape = SHAPE_NONE, .column = column};
	const RuleTerm *old = place < 0 ? &none : &state->terms[place];
	RuleHistogram h;
	int shapes = 0;

	if (sample->columns[column].usable)
	{
		if (place < 0)
			shapes = shapes_of(&sample->columns[column]);
		else if (old->shape == SHAPE_ABOVE)
			shapes = SHAPE_UP_TO;
		else if (old->shape == SHAPE_UP_TO)
			shapes = SHAPE_ABOVE;
	}
	if (shapes != 0)
		fill_histogram(sample, column, list, n, &h);
	rml_rule_propose(sample, search->params, &h, old, shapes, -1.0, proposals);
}

/* block: one rule and GROUP_COLUMNS columns */
void
rml_rule_extend_block(void *context, int64_t block, int thread)
{
	const RuleSearch *search = context;
	int place = (int) (block / search->groups), group = (int) (block % search->groups);
	const RuleState *state = &search->states[place];
	int32_t *list = search->scratch[thread].list;
	int n = select_rows(search->sample, state, -1, list);
	int end = (group + 1) * GROUP_COLUMNS;

	for (int j = group * GROUP_COLUMNS; j < end && j < search->sample->d; j++)
		propose_addition(search, state, j, list, n,
						 search->proposals +
							 ((size_t) place * search->sample->d + j) * RULE_PROPOSALS);
}

/* what a proposal for two terms (or one, twice) has to beat: F1, less what their lists cost */
static double
worth_of(const RuleSearch *search, const RuleState *state, int first, int second)
{
	int lists = rule_list_length(&state->terms[first]);

	if (second != first)
		lists += rule_list_length(&state->terms[second]);
	return state->score + search->params->min_gain * (state->length - lists);
}

/* block: one term of one rule, given its other terms */
void
rml_rule_settle_block(void *context, int64_t block, int thread)
{
	const RuleSearch *search = context;
	const RuleSample *sample = search->sample;
	int place = (int) (block / RML_RULE_CONDITIONS), t = (int) (block % RML_RULE_CONDITIONS);
	const RuleState *state = &search->states[place];
	int32_t *list = search->scratch[thread].list;
	RuleHistogram h;
	RuleTerm none;
	int shapes;

	if (t >= state->n_terms || state->tried > 0)
		return;
	none = (RuleTerm){.shape = SHAPE_NONE, .column = state->terms[t].column};
	shapes = shapes_of(&sample->columns[none.column]);
	shapes &= state->terms[t].shape == SHAPE_BETWEEN ? SHAPE_BETWEEN : ~SHAPE_BETWEEN;
	fill_histogram(sample, none.column, list, select_rows(sample, state, t, list), &h);
	rml_rule_propose(sample, search->params, &h, &none, shapes, worth_of(search, state, t, t),
					 search->proposals + (size_t) block * RULE_PROPOSALS);
}

/* take one part of a term away */
static void
loosen(RuleTerm *term, RuleShape part, const RuleSample *sample)
{
	if (term->shape == SHAPE_BETWEEN && part == SHAPE_ABOVE)
		term->first = 0;
	else if (term->shape == SHAPE_BETWEEN)
		term->last = sample->columns[term->column].n_bins - 1;
	else
		term->shape = SHAPE_NONE;
}

/* the p-th of the bounds and lists of a rule; false when there are fewer */
static bool
find_part(const RuleState *state, int p, int *term, RulePart *part)
{
	for (int t = 0; t < state->n_terms; t++)
	{
		RuleShape shape = state->terms[t].shape;

		if (p < rule_conditions(shape))
		{
			if (shape == SHAPE_BETWEEN)
				shape = p == 0 ? SHAPE_ABOVE : SHAPE_UP_TO;
			*term = t;
			*part = (RulePart){state->terms[t].column, shape};
			return true;
		}
		p -= rule_conditions(shape);
	}
	return false;
}

/* of two terms that are both one part, only one pair is needed; of a list and bounds, the bounds lead */
static bool
is_pair(const RuleSample *sample, const RuleState *state, int first, int second)
{
	bool one = rule_conditions(state->terms[first].shape) == 1 &&
			   rule_conditions(state->terms[second].shape) == 1;
	bool lists = sample->columns[state->terms[second].column].categorical;

	if (sample->columns[state->terms[first].column].categorical)
		return lists && first < second;
	return second != first && (lists || !one || first < second);
}

/* block: a bound or list of one rule and its term on another column, given all else */
void
rml_rule_pair_block(void *context, int64_t block, int thread)
{
	const RuleSearch *search = context;
	const RuleState *state = &search->states[block / MOST_PAIRS];
	const RuleScratch *scratch = &search->scratch[thread];
	int p = (int) (block % MOST_PAIRS) / RML_RULE_CONDITIONS;
	int second = (int) (block % RML_RULE_CONDITIONS), first;
	RulePairProposal *proposal = &search->pairs[block];
	RuleState rest;
	RulePart part;

	proposal->terms[0].shape = SHAPE_NONE;
	if (state->tried > 1 || second >= state->n_terms || !find_part(state, p, &first, &part) ||
		!is_pair(search->sample, state, first, second))
		return;
	rest = *state;
	/* the other bound on the column stays; a term that asks nothing is as good as none */
	loosen(&rest.terms[first], part.shape, search->sample);
	rml_rule_propose_pair(search->sample, search->params, &part, state->terms[second].column,
						  state->terms[second].shape, scratch->list,
						  select_rows(search->sample, &rest, second, scratch->list),
						  worth_of(search, state, first, second), scratch->table, proposal);
}
