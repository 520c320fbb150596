/*
 * segment_rules_search.c
 *	  The beam search over conjunctions, on the sample in bins.
 */
#include <string.h>

#include "retailml/parallel.h"

#include "segment_rules_propose.h"

/* rules of each number of conditions that are kept, no two with the same columns and shapes */
#define BEAM_WIDTH 16

/* columns whose histograms are filled in one block: keeps it under 10 ms */
#define GROUP_COLUMNS 8

/* how often each rule's terms are chosen again at most */
#define SETTLE_ROUNDS 4

typedef struct Pool
{
	int n;
	RuleState states[BEAM_WIDTH]; /* best first */
} Pool;

typedef struct Search
{
	RmlEnv *env;
	const RmlSegmentRulesParams *params;
	const RuleSample *sample;
	RuleScratch *scratch;
	Pool *pools;             /* [RML_RULE_CONDITIONS + 1] by number of conditions */
	const RuleState *states; /* what is worked on now, in blocks */
	int groups;
	RuleProposal *proposals; /* [BEAM_WIDTH x max(d, RML_RULE_CONDITIONS) x RULE_PROPOSALS] */
} Search;

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

		if (t == but)
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

static int
find_term(const RuleState *state, int column)
{
	for (int t = 0; t < state->n_terms; t++)
		if (state->terms[t].column == column)
			return t;
	return -1;
}

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
propose_addition(const Search *search, const RuleState *state, int column, const int32_t *list,
				 int n, RuleProposal *proposals)
{
	const RuleSample *sample = search->sample;
	int place = find_term(state, column);
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
	rml_rule_propose(sample, search->params, &h, old, shapes, proposals);
}

/* block: one rule and GROUP_COLUMNS columns */
static void
extend_block(void *context, int64_t block, int thread)
{
	const Search *search = context;
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

/* block: one term of one rule, given its other terms */
static void
settle_block(void *context, int64_t block, int thread)
{
	const Search *search = context;
	const RuleSample *sample = search->sample;
	int place = (int) (block / RML_RULE_CONDITIONS), t = (int) (block % RML_RULE_CONDITIONS);
	const RuleState *state = &search->states[place];
	int32_t *list = search->scratch[thread].list;
	RuleHistogram h;
	RuleTerm none;
	int shapes;

	if (t >= state->n_terms || state->settled)
		return;
	none = (RuleTerm){.shape = SHAPE_NONE, .column = state->terms[t].column};
	shapes = shapes_of(&sample->columns[none.column]);
	shapes &= state->terms[t].shape == SHAPE_BETWEEN ? SHAPE_BETWEEN : ~SHAPE_BETWEEN;
	fill_histogram(sample, none.column, list, select_rows(sample, state, t, list), &h);
	rml_rule_propose(sample, search->params, &h, &none, shapes,
					 search->proposals + (size_t) block * RULE_PROPOSALS);
}

/* ---- the pools ---- */

static bool
same_shape(const RuleState *a, const RuleState *b)
{
	if (a->n_terms != b->n_terms)
		return false;
	for (int t = 0; t < a->n_terms; t++)
		if (a->terms[t].column != b->terms[t].column || a->terms[t].shape != b->terms[t].shape)
			return false;
	return true;
}

/* put the state in its pool if it is among the best; rules of the same shape compete first */
static void
keep_state(Search *search, const RuleState *state)
{
	Pool *pool = &search->pools[state->conditions];
	int place;

	for (place = 0; place < pool->n; place++)
		if (same_shape(&pool->states[place], state))
		{
			if (pool->states[place].score >= state->score)
				return;
			break;
		}
	if (place == pool->n)
	{
		if (pool->n < BEAM_WIDTH)
			pool->n++;
		else if (pool->states[pool->n - 1].score >= state->score)
			return;
		place = pool->n - 1;
	}
	for (; place > 0 && pool->states[place - 1].score < state->score; place--)
		pool->states[place] = pool->states[place - 1];
	pool->states[place] = *state;
}

static void
count_length(RuleState *state)
{
	state->conditions = state->length = 0;
	for (int t = 0; t < state->n_terms; t++)
	{
		const RuleTerm *term = &state->terms[t];

		state->conditions += rule_conditions(term->shape);
		state->length +=
			rule_conditions(term->shape) + (term->n_listed > 1 ? term->n_listed - 1 : 0);
	}
}

/* the rule with this term instead of what it had on the column, or in addition */
static RuleState
with_term(const Search *search, const RuleState *state, const RuleProposal *proposal)
{
	RuleState next = *state;
	int place = find_term(state, proposal->term.column);

	if (place < 0)
	{
		place = next.n_terms++;
		for (; place > 0 && next.terms[place - 1].column > proposal->term.column; place--)
			next.terms[place] = next.terms[place - 1];
	}
	next.terms[place] = proposal->term;
	count_length(&next);
	next.inside = proposal->inside;
	next.outside = proposal->outside;
	next.score = rml_rule_sample_f1(search->sample, next.inside, next.outside) -
				 search->params->min_gain * next.length;
	next.settled = next.n_terms < 2;
	return next;
}

/* ---- the search ---- */

static double
best_score(const Search *search)
{
	double best = -1.0;

	for (int c = 0; c <= search->params->max_conditions; c++)
		if (search->pools[c].n > 0 && search->pools[c].states[0].score > best)
			best = search->pools[c].states[0].score;
	return best;
}

/* no longer rule can be better than selecting the same rows inside and none outside */
static bool
hopeless(const Search *search, const RuleState *state, double best)
{
	return rml_rule_sample_f1(search->sample, state->inside, 0) -
			   search->params->min_gain * (state->length + 1) <=
		   best;
}

/* make the rules of a pool longer; hopeful is room for another pool */
static void
extend_pool(Search *search, const Pool *pool, Pool *hopeful)
{
	int d = search->sample->d;
	double best = best_score(search);

	hopeful->n = 0;
	for (int i = 0; i < pool->n; i++)
		if (!hopeless(search, &pool->states[i], best))
			hopeful->states[hopeful->n++] = pool->states[i];
	search->states = hopeful->states;
	rml_parallel(search->env, (int64_t) hopeful->n * search->groups, extend_block, search);
	for (int64_t i = 0; i < (int64_t) hopeful->n * d * RULE_PROPOSALS; i++)
	{
		const RuleProposal *proposal = &search->proposals[i];
		RuleState next;

		if (proposal->term.shape == SHAPE_NONE)
			continue;
		next = with_term(search, &hopeful->states[i / (d * RULE_PROPOSALS)], proposal);
		if (next.conditions <= search->params->max_conditions)
			keep_state(search, &next);
	}
}

/* keep what settle_block proposed for one rule */
static void
keep_settled(Search *search, const RuleState *state, const RuleProposal *proposals)
{
	for (int p = 0; p < state->n_terms * RULE_PROPOSALS; p++)
	{
		RuleState next;

		if (proposals[p].term.shape == SHAPE_NONE)
			continue;
		next = with_term(search, state, &proposals[p]);
		keep_state(search, &next);
	}
}

/* choose single terms again, given the others, until nothing gets better */
static void
settle_pool(Search *search, Pool *pool, Pool *before)
{
	for (int round = 0; round < SETTLE_ROUNDS; round++)
	{
		int unsettled = 0;

		*before = *pool;
		for (int i = 0; i < pool->n; i++)
		{
			unsettled += !pool->states[i].settled;
			pool->states[i].settled = true;
		}
		if (unsettled == 0)
			return;
		search->states = before->states;
		rml_parallel(search->env, (int64_t) before->n * RML_RULE_CONDITIONS, settle_block, search);
		for (int i = 0; i < before->n; i++)
			if (!before->states[i].settled)
				keep_settled(search, &before->states[i],
							 search->proposals + (size_t) i * RML_RULE_CONDITIONS * RULE_PROPOSALS);
	}
}

/* the rule that selects everything */
static void
add_empty_rule(Search *search)
{
	const RuleSample *sample = search->sample;
	RuleState *state = &search->pools[0].states[0];

	memset(state, 0, sizeof *state);
	state->inside = sample->n_inside;
	state->outside = sample->n - sample->n_inside;
	state->score = rml_rule_sample_f1(sample, state->inside, state->outside);
	state->settled = true;
	search->pools[0].n = 1;
}

static size_t
n_proposals(int d)
{
	return (size_t) BEAM_WIDTH * (size_t) (d > RML_RULE_CONDITIONS ? d : RML_RULE_CONDITIONS) *
		   RULE_PROPOSALS;
}

size_t
rml_rule_search_bytes(int d)
{
	return sizeof(Pool) * (RML_RULE_CONDITIONS + 2) + sizeof(RuleProposal) * n_proposals(d);
}

void
rml_rule_search(RmlEnv *env, const RmlSegmentRulesParams *params, const RuleSample *sample,
				RuleScratch *scratch, RuleState *best)
{
	Pool *pools = RML_NEW_ZERO(env, Pool, RML_RULE_CONDITIONS + 2);
	Pool *spare = &pools[RML_RULE_CONDITIONS + 1];
	Search search = {env, params, sample, scratch, pools, NULL, 0, NULL};

	search.groups = (sample->d + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
	search.proposals = RML_NEW(env, RuleProposal, n_proposals(sample->d));
	add_empty_rule(&search);
	for (int c = 0; c <= params->max_conditions; c++)
	{
		settle_pool(&search, &pools[c], spare);
		if (c < params->max_conditions)
			extend_pool(&search, &pools[c], spare);
	}
	*best = pools[0].states[0];
	for (int c = 1; c <= params->max_conditions; c++)
		if (pools[c].n > 0 && pools[c].states[0].score > best->score)
			*best = pools[c].states[0];
	rml_release(env, search.proposals);
	rml_release(env, pools);
}
