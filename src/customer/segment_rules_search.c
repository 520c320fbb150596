/*
 * segment_rules_search.c
 *	  The beam search over conjunctions, on the sample in bins.
 */
#include <string.h>

#include "retailml/parallel.h"

#include "segment_rules_search.h"

/* how often the terms of rules are chosen again at most */
#define SETTLE_ROUNDS 10

/* of how many of the best rules terms are chosen two at a time */
#define PAIRED_RULES 8

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
keep_state(RuleSearch *search, const RuleState *state)
{
	RulePool *pool = &search->pools[state->conditions];
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
		state->length += rule_conditions(term->shape) + rule_list_length(term);
	}
}

/* the rule with this term instead of what it had on the column, or in addition */
static void
put_term(RuleState *state, const RuleTerm *term)
{
	int place = rule_find_term(state, term->column);

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
keep_changed(RuleSearch *search, RuleState *state, int64_t inside, int64_t outside)
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
keep_proposals(RuleSearch *search, const RuleState *state, const RuleProposal *proposals, int64_t n)
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
keep_pairs(RuleSearch *search, const RuleState *state, const RulePairProposal *pairs)
{
	for (int p = 0; p < MOST_PAIRS; p++)
	{
		RuleState next = *state;
		RuleTerm first = pairs[p].terms[0];
		const RuleTerm *old;

		if (first.shape == SHAPE_NONE)
			continue;
		old = &state->terms[rule_find_term(state, first.column)];
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
best_score(const RuleSearch *search)
{
	double best = -1.0;

	for (int c = 0; c <= search->params->max_conditions; c++)
		if (search->pools[c].n > 0 && search->pools[c].states[0].score > best)
			best = search->pools[c].states[0].score;
	return best;
}

/* no longer rule can be better than selecting the same rows inside and none outside */
static bool
hopeless(const RuleSearch *search, const RuleState *state, double best)
{
	return rml_rule_sample_f1(search->sample, state->inside, 0) -
			   search->params->min_gain * (state->length + 1) <=
		   best;
}

/* make the rules of a pool longer; hopeful is room for another pool */
static void
extend_pool(RuleSearch *search, const RulePool *pool, RulePool *hopeful)
{
	int d = search->sample->d;
	double best = best_score(search);

	hopeful->n = 0;
	for (int i = 0; i < pool->n; i++)
		if (!hopeless(search, &pool->states[i], best))
			hopeful->states[hopeful->n++] = pool->states[i];
	search->states = hopeful->states;
	rml_parallel(search->env, (int64_t) hopeful->n * search->groups, rml_rule_extend_block, search);
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
try_again(RuleSearch *search, RulePool *pool, RulePool *before, bool pairs)
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
		rml_parallel(search->env, (int64_t) before->n * MOST_PAIRS, rml_rule_pair_block, search);
	else
		rml_parallel(search->env, (int64_t) before->n * RML_RULE_CONDITIONS, rml_rule_settle_block,
					 search);
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
settle_pool(RuleSearch *search, RulePool *pool, RulePool *before)
{
	for (int round = 0; round < SETTLE_ROUNDS; round++)
		if (!try_again(search, pool, before, false) && !try_again(search, pool, before, true))
			return;
}

/* the rule that selects everything */
static void
add_empty_rule(RuleSearch *search)
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
	return sizeof(RulePool) * (RML_RULE_CONDITIONS + 2) + sizeof(RuleProposal) * n_proposals(d) +
		   sizeof(RulePairProposal) * BEAM_WIDTH * MOST_PAIRS;
}

void
rml_rule_search(RmlEnv *env, const RmlSegmentRulesParams *params, const RuleSample *sample,
				RuleScratch *scratch, RuleState *best)
{
	RulePool *pools = RML_NEW_ZERO(env, RulePool, RML_RULE_CONDITIONS + 2);
	RulePool *spare = &pools[RML_RULE_CONDITIONS + 1];
	RuleSearch search = {env, params, sample, scratch, pools, NULL, 0, NULL, NULL};

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
