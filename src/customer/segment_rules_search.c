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

/* how often the terms of rules are chosen again at most */
#define SETTLE_ROUNDS 10

/* of how many of the best rules terms are chosen two at a time */
#define PAIRED_RULES 8

/* pairs of a bound (or list) and a term on another column that a rule can have */
#define MOST_PAIRS (RML_RULE_CONDITIONS * RML_RULE_CONDITIONS)

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
	RulePairProposal *pairs; /* [BEAM_WIDTH x MOST_PAIRS] */
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
	rml_rule_propose(sample, search->params, &h, old, shapes, -1.0, proposals);
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

/* a list's length beyond its first category */
static int
list_length(const RuleTerm *term)
{
	return term->n_listed > 1 ? term->n_listed - 1 : 0;
}

/* what a proposal for two terms (or one, twice) has to beat: F1, less what their lists cost */
static double
worth_of(const Search *search, const RuleState *state, int first, int second)
{
	int lists = list_length(&state->terms[first]);

	if (second != first)
		lists += list_length(&state->terms[second]);
	return state->score + search->params->min_gain * (state->length - lists);
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
static void
pair_block(void *context, int64_t block, int thread)
{
	const Search *search = context;
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
		state->length += rule_conditions(term->shape) + list_length(term);
	}
}

/* the rule with this term instead of what it had on the column, or in addition */
static void
put_term(RuleState *state, const RuleTerm *term)
{
	int place = find_term(state, term->column);

	if (place < 0)
	{
		place = state->n_terms++;
		for (; place > 0 && state->terms[place - 1].column > term->column; place--)
			state->terms[place] = state->terms[place - 1];
	}
	state->terms[place] = *term;
}

/* keep a rule whose terms have changed and which selects these rows now */
static void
keep_changed(Search *search, RuleState *state, int64_t inside, int64_t outside)
{
	count_length(state);
	if (state->conditions > search->params->max_conditions)
		return;
	state->inside = inside;
	state->outside = outside;
	state->score = rml_rule_sample_f1(search->sample, inside, outside) -
				   search->params->min_gain * state->length;
	state->tried = state->n_terms < 2 ? 2 : 0;
	keep_state(search, state);
}

/* keep the rules that come out of proposals [n] for one */
static void
keep_proposals(Search *search, const RuleState *state, const RuleProposal *proposals, int64_t n)
{
	for (int64_t p = 0; p < n; p++)
	{
		RuleState next = *state;

		if (proposals[p].term.shape == SHAPE_NONE)
			continue;
		put_term(&next, &proposals[p].term);
		keep_changed(search, &next, proposals[p].inside, proposals[p].outside);
	}
}

static void
keep_pairs(Search *search, const RuleState *state, const RulePairProposal *pairs)
{
	for (int p = 0; p < MOST_PAIRS; p++)
	{
		RuleState next = *state;
		RuleTerm first = pairs[p].terms[0];
		const RuleTerm *old;

		if (first.shape == SHAPE_NONE)
			continue;
		old = &state->terms[find_term(state, first.column)];
		if (old->shape == SHAPE_BETWEEN)
		{
			first.first = first.shape == SHAPE_ABOVE ? first.first : old->first;
			first.last = first.shape == SHAPE_UP_TO ? first.last : old->last;
			first.shape = SHAPE_BETWEEN;
		}
		put_term(&next, &first);
		put_term(&next, &pairs[p].terms[1]);
		keep_changed(search, &next, pairs[p].inside, pairs[p].outside);
	}
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
	for (int i = 0; i < hopeful->n; i++)
		keep_proposals(search, &hopeful->states[i],
					   search->proposals + (size_t) i * d * RULE_PROPOSALS,
					   (int64_t) d * RULE_PROPOSALS);
}

/*
 * Choose terms of those rules again where it has not been tried: one by one, or two at a time.  False when
 * there are none.
 */
static bool
try_again(Search *search, Pool *pool, Pool *before, bool pairs)
{
	int untried = 0;

	*before = *pool;
	before->n = pairs && pool->n > PAIRED_RULES ? PAIRED_RULES : pool->n;
	for (int i = 0; i < before->n; i++)
	{
		untried += pool->states[i].tried < 1 + pairs;
		pool->states[i].tried = 1 + pairs;
	}
	if (untried == 0)
		return false;
	search->states = before->states;
	if (pairs)
		rml_parallel(search->env, (int64_t) before->n * MOST_PAIRS, pair_block, search);
	else
		rml_parallel(search->env, (int64_t) before->n * RML_RULE_CONDITIONS, settle_block, search);
	for (int i = 0; i < before->n; i++)
	{
		const RuleState *state = &before->states[i];

		if (pairs && state->tried < 2)
			keep_pairs(search, state, search->pairs + (size_t) i * MOST_PAIRS);
		else if (!pairs && state->tried < 1)
			keep_proposals(search, state,
						   search->proposals + (size_t) i * RML_RULE_CONDITIONS * RULE_PROPOSALS,
						   (int64_t) state->n_terms * RULE_PROPOSALS);
	}
	return true;
}

/* choose the terms of a pool's rules again until nothing gets better */
static void
settle_pool(Search *search, Pool *pool, Pool *before)
{
	for (int round = 0; round < SETTLE_ROUNDS; round++)
		if (!try_again(search, pool, before, false) && !try_again(search, pool, before, true))
			return;
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
	state->tried = 2;
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
	return sizeof(Pool) * (RML_RULE_CONDITIONS + 2) + sizeof(RuleProposal) * n_proposals(d) +
		   sizeof(RulePairProposal) * BEAM_WIDTH * MOST_PAIRS;
}

void
rml_rule_search(RmlEnv *env, const RmlSegmentRulesParams *params, const RuleSample *sample,
				RuleScratch *scratch, RuleState *best)
{
	Pool *pools = RML_NEW_ZERO(env, Pool, RML_RULE_CONDITIONS + 2);
	Pool *spare = &pools[RML_RULE_CONDITIONS + 1];
	Search search = {env, params, sample, scratch, pools, NULL, 0, NULL, NULL};

	search.groups = (sample->d + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
	search.proposals = RML_NEW(env, RuleProposal, n_proposals(sample->d));
	search.pairs = RML_NEW(env, RulePairProposal, BEAM_WIDTH * MOST_PAIRS);
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
	rml_release(env, search.pairs);
	rml_release(env, pools);
}
