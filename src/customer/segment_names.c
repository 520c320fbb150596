/*
 * segment_names.c
 *	  Names by rules: which rule fits, twins, and the names a model goes by.
 *
 * Legend: k segments, m traits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "segment_names_internal.h"

/* ---------------------------------------------------------------- conditions */

typedef struct ConditionWord
{
	const char *word;
	double min_z, max_z;
} ConditionWord;

/* "high" includes "very high", as people mean it */
static const ConditionWord condition_words[] = {
	{"very low", -INFINITY, -RML_VERY_TELLING},
	{"low", -INFINITY, -RML_TELLING},
	{"below average", -INFINITY, 0},
	{"average", -RML_TELLING, RML_TELLING},
	{"above average", 0, INFINITY},
	{"high", RML_TELLING, INFINITY},
	{"very high", RML_VERY_TELLING, INFINITY},
};

#define N_WORDS ((int) (sizeof condition_words / sizeof condition_words[0]))

const char *
rml_segment_condition_words(int i)
{
	return i < N_WORDS ? condition_words[i].word : NULL;
}

bool
rml_segment_condition_word(RmlSegmentCondition *condition, const char *word)
{
	for (int i = 0; i < N_WORDS; i++)
		if (strcmp(condition_words[i].word, word) == 0)
		{
			condition->min_z = condition_words[i].min_z;
			condition->max_z = condition_words[i].max_z;
			return true;
		}
	return false;
}

static bool
fits(const RmlSegmentProfile *profile, const RmlSegmentRule *rule, int segment)
{
	for (int i = 0; i < rule->n_conditions; i++)
	{
		const RmlSegmentCondition *condition = &rule->conditions[i];
		int64_t cell = (int64_t) segment * profile->m + condition->trait;
		double z = profile->z[cell], mean = profile->means[cell];

		if (!(z >= condition->min_z && z <= condition->max_z && mean >= condition->min_mean &&
			  mean <= condition->max_mean))
			return false;
	}
	return true;
}

static double
strength(const RmlSegmentProfile *profile, const RmlSegmentRule *rule, int segment)
{
	double sum = 0;

	for (int i = 0; rule != NULL && i < rule->n_conditions; i++)
		sum += rule->conditions[i].weight *
			   profile->z[(int64_t) segment * profile->m + rule->conditions[i].trait];
	return sum;
}

/* ---------------------------------------------------------------- an order without numbers */

/* a segment with all that its place among segments of one name can follow from */
typedef struct Contender
{
	const char *name;
	const double *z; /* [m] */
	double strength;
	int64_t size;
	int32_t segment;
	int32_t m;
} Contender;

/* stronger first, then larger, then by profile; only equal segments are left to their position */
static int
compare_strengths(const Contender *p, const Contender *q)
{
	if (p->strength != q->strength)
		return p->strength > q->strength ? -1 : 1;
	if (p->size != q->size)
		return p->size > q->size ? -1 : 1;
	for (int t = 0; t < p->m; t++)
		if (p->z[t] != q->z[t])
			return p->z[t] > q->z[t] ? -1 : 1;
	return p->segment - q->segment;
}

static int
compare_contenders(const void *a, const void *b)
{
	const Contender *p = a, *q = b;
	int order = strcmp(p->name, q->name);

	return order != 0 ? order : compare_strengths(p, q);
}

static Contender
contender(const RmlSegmentProfile *profile, const RmlSegmentRule *rule, const char *name,
		  int segment)
{
	return (Contender){.name = name,
					   .z = profile->z + (int64_t) segment * profile->m,
					   .strength = strength(profile, rule, segment),
					   .size = profile->sizes[segment],
					   .segment = segment,
					   .m = profile->m};
}

/* ---------------------------------------------------------------- rules */

static bool
is_given(const RmlSegmentNames *names, int k, const char *name)
{
	for (int c = 0; c < k; c++)
		if (names->rules[c] != NULL && strcmp(names->rules[c]->name, name) == 0)
			return true;
	return false;
}

/* give each name once, to the segment that fits best among those that have none */
static void
spread_names(RmlSegmentNames *names, const RmlSegmentProfile *profile, const RmlSegmentRules *rules)
{
	for (int i = 0; i < rules->n; i++)
	{
		const RmlSegmentRule *rule = &rules->rules[i];
		Contender best = {.segment = -1};

		if (is_given(names, profile->k, rule->name))
			continue;
		for (int c = 0; c < profile->k; c++)
		{
			Contender other = contender(profile, rule, rule->name, c);

			if (names->rules[c] == NULL && fits(profile, rule, c) &&
				(best.segment < 0 || compare_strengths(&other, &best) < 0))
				best = other;
		}
		if (best.segment >= 0)
			names->rules[best.segment] = rule;
	}
}

static const RmlSegmentRule *
first_fit(const RmlSegmentProfile *profile, const RmlSegmentRules *rules, int segment)
{
	for (int i = 0; i < rules->n; i++)
		if (fits(profile, &rules->rules[i], segment))
			return &rules->rules[i];
	return NULL;
}

/* ---------------------------------------------------------------- unique names */

/* what leaves room for a number; cut ones look like cut ones */
static char *
bounded(RmlEnv *env, char *name)
{
	if (strlen(name) <= RML_RULE_NAME_MAX)
		return name;
	return rml_format(env, "%.*s...", (int) rml_whole_characters(name, RML_RULE_NAME_MAX - 3),
					  name);
}

static int
compare_name(const void *name, const void *contender)
{
	return strcmp(name, ((const Contender *) contender)->name);
}

/*
 * Number twins: the first keeps the name, the others are "name 2", "name 3".  A number that makes
 * a name that another segment has is passed over.
 */
static void
number_twins(RmlEnv *env, const RmlSegmentProfile *profile, RmlSegmentNames *names)
{
	size_t k = (size_t) profile->k;
	Contender *sorted = RML_NEW(env, Contender, k);

	for (int c = 0; c < profile->k; c++)
		sorted[c] = contender(profile, names->rules[c], names->names[c], c);
	qsort(sorted, k, sizeof(Contender), compare_contenders);
	for (int i = 1, number = 1; i < profile->k; i++)
	{
		char *name;

		if (strcmp(sorted[i].name, sorted[i - 1].name) != 0)
		{
			number = 1;
			continue;
		}
		do
			name = rml_format(env, "%s %d", sorted[i].name, ++number);
		while (bsearch(name, sorted, k, sizeof(Contender), compare_name) != NULL);
		names->names[sorted[i].segment] = name;
	}
	rml_release(env, sorted);
}

void
rml_segment_name_by_rules(RmlSegmentNames *names, RmlEnv *env, const RmlSegmentProfile *profile,
						  const RmlSegmentRules *rules)
{
	char **generic = rml_segment_generic_names(env, profile);

	names->fixed = false;
	names->names = RML_NEW(env, char *, (size_t) profile->k);
	names->rules = (const RmlSegmentRule **) RML_NEW_ZERO(env, RmlSegmentRule *, profile->k);
	if (rules->spread)
		spread_names(names, profile, rules);
	for (int c = 0; c < profile->k; c++)
	{
		if (names->rules[c] == NULL)
			names->rules[c] = first_fit(profile, rules, c);
		names->names[c] = names->rules[c] == NULL ? bounded(env, generic[c])
												  : rml_strdup(env, names->rules[c]->name);
		rml_poll(env);
	}
	number_twins(env, profile, names);
	rml_release(env, generic);
}

/* ---------------------------------------------------------------- effective names */

void
rml_segment_name(RmlSegmentNames *names, RmlEnv *env, const RmlSegmentProfile *profile,
				 const RmlSegmentIds *ids)
{
	RmlSegmentRules rules;
	int32_t roles[RML_ROLES];
	RmlSegmentSet set;

	if (ids->names != NULL)
	{
		*names = (RmlSegmentNames){.names = ids->names, .fixed = true};
		names->rules = (const RmlSegmentRule **) RML_NEW_ZERO(env, RmlSegmentRule *, profile->k);
		return;
	}
	rml_segment_roles(profile, roles);
	set = rml_segment_set_lacks(RML_SET_PURCHASE, roles) == RML_ROLES ? RML_SET_PURCHASE
																	  : RML_SET_GENERIC;
	rml_segment_set_rules(&rules, env, set, roles);
	rml_segment_name_by_rules(names, env, profile, &rules);
}

char **
rml_segment_names(RmlEnv *env, const RmlSchema *schema, const RmlClusters *clusters)
{
	RmlSegmentProfile profile;
	RmlSegmentNames names;

	if (clusters->ids->names != NULL)
		return clusters->ids->names;
	rml_segment_profile(&profile, env, schema, clusters);
	rml_segment_name(&names, env, &profile, clusters->ids);
	return names.names;
}
