/*
 * segment_names_reason.c
 *	  Numbers for people, and why a segment is called what it is called.
 */
#include <math.h>
#include <string.h>

#include "segment_names_internal.h"

#define MOST_DECIMALS 12
#define MOST_CLAUSES 3

/* ---------------------------------------------------------------- numbers */

/* decimals that give x, below 1000, so many significant digits */
static int
decimals_of(double x, int digits)
{
	int decimals = digits - 1;

	for (double power = 10; x >= power && decimals > 0; power *= 10)
		decimals--;
	for (double power = 1; x < power && decimals < MOST_DECIMALS; power /= 10)
		decimals++;
	return decimals;
}

/* fixed decimals, without zeros at the end */
static char *
fixed_point(RmlEnv *env, double x, int decimals)
{
	char *text = rml_format(env, "%.*f", decimals, x);
	size_t length = strlen(text);

	while (decimals > 0 && text[length - 1] == '0')
		length--;
	if (text[length - 1] == '.')
		length--;
	text[length] = '\0';
	return text;
}

char *
rml_readable_number(RmlEnv *env, double x)
{
	double size = fabs(x);

	if (size == 0)
		return rml_strdup(env, "0");
	if (!(size >= 1e-9 && size < 1e15))
		return rml_format(env, "%.3e", x);
	return fixed_point(env, x, size >= 1000 ? 0 : decimals_of(size, 4));
}

char *
rml_readable_percent(RmlEnv *env, double share)
{
	double percent = 100 * share;
	double rest = fmin(fabs(percent), fabs(100 - percent));
	/* neither all nor none unless it is so */
	int decimals = rest == 0 || rest >= 0.05 ? 1 : decimals_of(rest, 1);

	return rml_format(env, "%s %%", fixed_point(env, percent, decimals));
}

/* ---------------------------------------------------------------- reasons */

/* "mean monetary is 1204 against 376 overall (z = 2.14)" */
static char *
clause(RmlEnv *env, const RmlSegmentProfile *profile, int segment, int trait)
{
	const RmlTrait *t = &profile->traits[trait];
	int64_t cell = (int64_t) segment * profile->m + trait;
	double mean = profile->means[cell], z = profile->z[cell];

	/* a zero has no sign */
	z = fabs(z) < 0.005 ? 0 : z;
	if (t->kind == RML_NUMERIC)
		return rml_format(env, "mean %s is %s against %s overall (z = %.2f)", t->feature,
						  rml_readable_number(env, mean), rml_readable_number(env, t->overall), z);
	return rml_format(env, "%s is %s for %s against %s overall (z = %.2f)", t->feature,
					  t->category == NULL ? "true" : rml_format(env, "\"%s\"", t->category),
					  rml_readable_percent(env, mean), rml_readable_percent(env, t->overall), z);
}

static char *
append_clause(RmlEnv *env, char *text, const RmlSegmentProfile *profile, int segment, int trait)
{
	char *more = clause(env, profile, segment, trait);

	return text == NULL ? more : rml_format(env, "%s; %s", text, more);
}

static bool
binds(const RmlSegmentCondition *condition)
{
	return isfinite(condition->min_z) || isfinite(condition->max_z) ||
		   isfinite(condition->min_mean) || isfinite(condition->max_mean);
}

static char *
conditions_met(RmlEnv *env, const RmlSegmentProfile *profile, const RmlSegmentRule *rule,
			   int segment)
{
	char *text = NULL;

	for (int i = 0; i < rule->n_conditions; i++)
		if (binds(&rule->conditions[i]))
			text = append_clause(env, text, profile, segment, rule->conditions[i].trait);
	return text;
}

/* whether one of traits is of the same feature */
static bool
is_said(const RmlSegmentProfile *profile, const int32_t *traits, int n, int trait)
{
	for (int i = 0; i < n; i++)
		if (profile->traits[traits[i]].position == profile->traits[trait].position)
			return true;
	return false;
}

/* the most telling traits, one for each feature; the first one in any case */
static char *
telling_traits(RmlEnv *env, const RmlSegmentProfile *profile, int segment)
{
	int32_t *ranked = RML_NEW(env, int32_t, (size_t) profile->m);
	int32_t said[MOST_CLAUSES];
	char *text = NULL;
	int n = 0;

	rml_segment_by_rank(profile, segment, ranked);
	for (int i = 0; i < profile->m && n < MOST_CLAUSES; i++)
	{
		double z = profile->z[(int64_t) segment * profile->m + ranked[i]];

		if (i > 0 && (fabs(z) < RML_TELLING || rml_segment_is_echo(profile, segment, ranked[i])))
			break;
		if (is_said(profile, said, n, ranked[i]))
			continue;
		text = append_clause(env, text, profile, segment, ranked[i]);
		said[n++] = ranked[i];
	}
	rml_release(env, ranked);
	return text;
}

char *
rml_segment_reason(RmlEnv *env, const RmlSegmentProfile *profile, const RmlSegmentNames *names,
				   int segment)
{
	const RmlSegmentRule *rule = names->rules[segment];
	const char *lead =
		names->fixed ? "The name is fixed in the model; most telling" : "Most telling";
	char *text;

	if (rule != NULL)
	{
		text = conditions_met(env, profile, rule, segment);
		if (text == NULL)
			return rml_strdup(env, "The rule fits every segment.");
		return rml_format(env, "The rule fits: %s.", text);
	}
	text = telling_traits(env, profile, segment);
	return text == NULL ? rml_strdup(env, "The model has no features.")
						: rml_format(env, "%s: %s.", lead, text);
}
