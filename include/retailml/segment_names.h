/*
 * segment_names.h
 *	  What the segments of a cluster model are called, by rules on their profile.
 *
 * The effective names of a model are those fixed in it (RmlSegmentIds); else those of the set
 * "purchase" where the model's features allow it; else generic ones.  rml_segment_names gives them,
 * to everything that shows a name.
 *
 * Rules.  A rule is a name and conditions, each on one trait of the profile (segment_profile.h):
 * its z or its mean lies within bounds.  A rule fits a segment that meets all its conditions; one
 * without conditions fits all.  With rules of the user's own the first that fits a segment names
 * it.  A segment that none fits has its generic name.
 *
 * Sets.  A set is a list of rules on roles: spend, frequency, spend per item, recency, discount.
 * Which feature plays a role follows from its name (a vocabulary, in segment_names_sets.c) or is
 * said by the user.  Rules on a role that no feature plays do not apply, and the bounds are on z,
 * so ln(1 + monetary) is as good a spend as monetary is.  A set spreads its names: rule after
 * rule, a name that is not given yet goes to the segment that fits best, strength being the sum of
 * weight times z; a segment that is left then takes the first rule that fits.
 *
 * Generic names say the traits that tell a segment from the rest, most telling (largest |z|)
 * first: one for each feature, those with |z| of at least 0.5, three at most.  The words by
 * strength:
 *
 *		z <= -1.5         -0.5            0.5             1.5 <= z
 *		very low x        low x           high x          very high x           numbers
 *		much less often x less often x    more often x    much more often x     shares
 *
 * A segment without a telling trait is "average x" (or "about as often x") of its largest |z|.  A few
 * features have words of their own: low recency is "recent", high frequency "frequent", high age
 * "older" (the table is in segment_names_words.c).  A category is called by itself, "more often
 * PhD", where that is the only trait of the model that reads so, else with its column: "less often
 * partner yes".
 *
 * Names are unique within a model.  Generic ones are unique as sets of words: segments whose names
 * clash get one more word, of the trait that separates them most among those whose words differ;
 * where all words agree, a comparison within the clash: "high x (higher)" and "high x (lower)", or
 * "high x, higher y".  Three or more are "highest", "middle", "lowest", and with more "second
 * highest" and so on from both ends.  Only segments with equal profiles are numbered.  Segments
 * that a rule calls the same are twins: "Promising", "Promising 2", in the order of strength.
 *
 * So a name follows from the set of profiles, never from the number of a segment: the same
 * segments have the same names in whatever order an algorithm put them.
 *
 * Feature names are UTF-8.  In a generic name underscores, commas and parentheses of a feature's
 * name are spaces, a long name is cut, an empty one is "column 3", and those that read the same
 * are told apart by their column.
 *
 * Shapes: k segments, m traits.
 */
#ifndef RETAILML_SEGMENT_NAMES_H
#define RETAILML_SEGMENT_NAMES_H

#include "retailml/segment_profile.h"

/* the longest name a rule can give: a twin's number has to fit behind it */
#define RML_RULE_NAME_MAX (RML_SEGMENT_NAME_MAX - 20)

/* bounds are inclusive; those that do not bind are infinite */
typedef struct RmlSegmentCondition
{
	int32_t trait;
	double min_z, max_z;
	double min_mean, max_mean; /* in units of the column; of a category, its share */
	double weight;             /* of z in the strength of the fit */
} RmlSegmentCondition;

typedef struct RmlSegmentRule
{
	const char *name;
	int n_conditions;
	RmlSegmentCondition *conditions;
} RmlSegmentRule;

typedef struct RmlSegmentRules
{
	int n;
	RmlSegmentRule *rules;
	bool spread; /* a set: give each name once before there are twins */
} RmlSegmentRules;

/* names, and what gave them */
typedef struct RmlSegmentNames
{
	char **names;                 /* [k] */
	const RmlSegmentRule **rules; /* [k] NULL: the generic name, or a fixed one */
	bool fixed;                   /* all are names that were fixed in the model */
} RmlSegmentNames;

/* ---- what everything that shows a name calls */

/* the effective names [k] of a model's clusters, by position */
extern char **rml_segment_names(RmlEnv *env, const RmlSchema *schema, const RmlClusters *clusters);

/* the same with the profile at hand, and why */
extern void rml_segment_name(RmlSegmentNames *names, RmlEnv *env, const RmlSegmentProfile *profile,
							 const RmlSegmentIds *ids);

/* names by rules, whatever is fixed; n = 0 gives generic names */
extern void rml_segment_name_by_rules(RmlSegmentNames *names, RmlEnv *env,
									  const RmlSegmentProfile *profile,
									  const RmlSegmentRules *rules);

/* a sentence with the numbers behind a segment's name */
extern char *rml_segment_reason(RmlEnv *env, const RmlSegmentProfile *profile,
								const RmlSegmentNames *names, int segment);

/* ---- sets */

typedef enum RmlSegmentRole
{
	RML_ROLE_SPEND,
	RML_ROLE_FREQUENCY,
	RML_ROLE_SPEND_PER_ITEM,
	RML_ROLE_RECENCY,
	RML_ROLE_DISCOUNT,
	RML_ROLES
} RmlSegmentRole;

typedef enum RmlSegmentSet
{
	RML_SET_PURCHASE,
	RML_SET_LOYALTY,
	RML_SET_GENERIC,
	RML_SETS
} RmlSegmentSet;

extern const char *const rml_segment_role_names[RML_ROLES];
extern const char *const rml_segment_set_names[RML_SETS];

/* the trait [RML_ROLES] that plays each role by its name, -1: none */
extern void rml_segment_roles(const RmlSegmentProfile *profile, int32_t *roles);

/* the first role that a set needs and no trait plays, or RML_ROLES */
extern RmlSegmentRole rml_segment_set_lacks(RmlSegmentSet set, const int32_t *roles);

/* the rules of a set for these roles [RML_ROLES] */
extern void rml_segment_set_rules(RmlSegmentRules *rules, RmlEnv *env, RmlSegmentSet set,
								  const int32_t *roles);

/* ---- words of conditions: "very low", "low", "below average", "average", ... */

/* bounds of z by a word; false when there is no such word */
extern bool rml_segment_condition_word(RmlSegmentCondition *condition, const char *word);
/* the i-th word, NULL past the last one */
extern const char *rml_segment_condition_words(int i);

/* ---- numbers and traits in sentences */

/* a number as people read it: integers from 1000 on, else four significant digits */
extern char *rml_readable_number(RmlEnv *env, double x);
/* a share as percent, with one decimal or as many as it takes: "21.6 %" */
extern char *rml_readable_percent(RmlEnv *env, double share);

#endif /* RETAILML_SEGMENT_NAMES_H */
