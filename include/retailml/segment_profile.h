/*
 * segment_profile.h
 *	  What is telling about a segment, and a name made of it: "high monetary, recent".
 *
 * A segment's profile is z, feature by feature: (its mean - overall mean) / overall standard
 * deviation.  Its name says the features that tell it from the rest, most telling (largest |z|)
 * first: those with |z| of at least 0.5, three at most.  The words by strength:
 *
 *		z <= -1.5      -0.5         0.5        1.5 <= z
 *		very low x     low x    average x    high x    very high x
 *
 * A segment without a telling feature is "average x" of its largest |z|.  A few features have
 * words of their own: low recency is "recent", high frequency "frequent", high age "older" (the
 * table is in segment_profile.c); a boolean feature is "more often x" or "less often x".
 *
 * Within a model names are unique, also as sets of words.  Segments whose names clash get one
 * more word, of the feature that separates them most among those whose words differ; where all
 * words agree, a comparison within the clash by the feature that separates them most: "high x
 * (higher)" and "high x (lower)", or "high x, higher y".  Three or more are "highest", "middle",
 * "lowest", and with more "second highest" and so on from both ends.  Only segments with equal
 * profiles are numbered, larger ones first.
 *
 * So a name follows from the set of profiles, never from the number of a segment: the same
 * segments have the same names in whatever order an algorithm put them.
 *
 * Feature names are UTF-8.  In a segment's name underscores, commas and parentheses of a feature's
 * name are spaces, a long name is cut, an empty one is "column 3", and those that read the same
 * are told apart by their column.
 */
#ifndef RETAILML_SEGMENT_PROFILE_H
#define RETAILML_SEGMENT_PROFILE_H

#include "retailml/env.h"
#include "retailml/frame.h"

typedef struct RmlSegmentProfile
{
	char **names;   /* [k] */
	int32_t *ranks; /* [k x d] 1 = the segment's most telling feature; ties by position */
} RmlSegmentProfile;

/*
 * Profile k segments over d features, d >= 0: features [d] are their names, kinds [d] numeric or
 * boolean, z [k x d] (0 for a constant feature; NaN counts as 0), sizes [k] in rows.  Everything
 * is allocated in env.
 */
extern void rml_segment_profile(RmlEnv *env, int k, int d, char *const *features,
								const RmlKind *kinds, const double *z, const int64_t *sizes,
								RmlSegmentProfile *profile);

#endif /* RETAILML_SEGMENT_PROFILE_H */
