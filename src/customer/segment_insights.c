/*
 * segment_insights.c
 *	  Sentences about segments.  See segment_insights.h.
 */
#include "retailml/segment_insights.h"

#include <math.h>

#define NOTICEABLE 0.1 /* |z| of a difference at all */

/* ---------------------------------------------------------------- wording */

/* what the segment's mean is to the overall one */
static const char *
relation(double z)
{
	if (fabs(z) < NOTICEABLE)
		return "close to";
	if (fabs(z) < RML_TELLING)
		return z > 0 ? "slightly above" : "slightly below";
	if (fabs(z) < RML_VERY_TELLING)
		return z > 0 ? "well above" : "well below";
	return z > 0 ? "far above" : "far below";
}

/* " and the highest of all segments", when it is; of two it goes without saying */
static const char *
superlative(const RmlSegmentProfile *profile, int segment, int trait)
{
	double z = profile->z[(int64_t) segment * profile->m + trait];

	if (profile->k < 3 || fabs(z) < NOTICEABLE)
		return "";
	for (int64_t c = 0; c < profile->k; c++)
	{
		double other = profile->z[c * profile->m + trait];

		if (c != segment && (z > 0 ? other >= z : other <= z))
			return "";
	}
	return z > 0 ? " and the highest of all segments" : " and the lowest of all segments";
}

/* "High Spenders (108 customers, 21.6 %)" at first, then the name alone */
static const char *
subject(RmlEnv *env, const RmlSegmentProfile *profile, const char *name, int segment, bool first)
{
	int64_t size = profile->sizes[segment];
	double share = profile->rows > 0 ? (double) size / (double) profile->rows : 0;

	if (!first)
		return name;
	return rml_format(env, "%s (%lld customer%s, %s)", name, (long long) size, size == 1 ? "" : "s",
					  rml_readable_percent(env, share));
}

static char *
predicate(RmlEnv *env, const RmlSegmentProfile *profile, int segment, int trait)
{
	const RmlTrait *t = &profile->traits[trait];
	int64_t cell = (int64_t) segment * profile->m + trait;
	const char *than = relation(profile->z[cell]);

	if (t->kind == RML_NUMERIC)
		return rml_format(env, "mean %s is %s, %s the %s of all customers", t->feature,
						  rml_readable_number(env, profile->means[cell]), than,
						  rml_readable_number(env, t->overall));
	return rml_format(env, "%s is %s for %s, %s the %s of all customers", t->feature,
					  t->category == NULL ? "true" : rml_format(env, "\"%s\"", t->category),
					  rml_readable_percent(env, profile->means[cell]), than,
					  rml_readable_percent(env, t->overall));
}

/* ---------------------------------------------------------------- choice */

static bool
is_chosen(const RmlSegmentProfile *profile, const int32_t *chosen, int n, int trait,
		  bool by_feature)
{
	const RmlTrait *traits = profile->traits;

	for (int i = 0; i < n; i++)
		if (chosen[i] == trait ||
			(by_feature && traits[chosen[i]].position == traits[trait].position))
			return true;
	return false;
}

/* a trait by its rank, so that order is by rank */
static void
insert_trait(const int32_t *ranks, int32_t *chosen, int n, int trait)
{
	for (; n > 0 && ranks[chosen[n - 1]] > ranks[trait]; n--)
		chosen[n] = chosen[n - 1];
	chosen[n] = trait;
}

/* telling traits, one for each feature; then what there is, up to the fewest */
static int
choose_traits(RmlEnv *env, const RmlSegmentProfile *profile, int segment, int32_t *chosen)
{
	int64_t row = (int64_t) segment * profile->m;
	int32_t *ranked = RML_NEW(env, int32_t, (size_t) profile->m);
	int n = 0;

	rml_segment_by_rank(profile, segment, ranked);
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < profile->m; i++)
		{
			int trait = ranked[i];

			if (pass == 0 ? fabs(profile->z[row + trait]) < RML_TELLING || n == RML_MOST_INSIGHTS
						  : n >= RML_FEWEST_INSIGHTS)
				break;
			if (profile->traits[trait].sd > 0 && !rml_segment_is_echo(profile, segment, trait) &&
				!is_chosen(profile, chosen, n, trait, pass == 0))
				insert_trait(profile->ranks + row, chosen, n++, trait);
		}
	rml_release(env, ranked);
	return n;
}

int
rml_segment_insights(RmlEnv *env, const RmlSegmentProfile *profile, const char *name, int segment,
					 RmlInsight *insights)
{
	int32_t chosen[RML_MOST_INSIGHTS];
	int n = choose_traits(env, profile, segment, chosen);

	for (int i = 0; i < n; i++)
		insights[i] =
			(RmlInsight){chosen[i],
						 rml_format(env, "%s: %s%s.", subject(env, profile, name, segment, i == 0),
									predicate(env, profile, segment, chosen[i]),
									superlative(profile, segment, chosen[i]))};
	return n;
}
