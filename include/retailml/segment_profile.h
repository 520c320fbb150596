/*
 * segment_profile.h
 *	  What is telling about the segments of a cluster model.
 *
 * A profile has m traits: the mean of every numeric feature, the share of true of every boolean
 * one, and the share of every category of every categorical one ("(missing)" is a category where
 * training rows had none).  For segment and trait it says
 *
 *	  mean    of the segment's training rows, in units of the column; a category's share p
 *	  z       (mean - overall mean) / overall standard deviation;
 *			  for a category (p - P) / sqrt(P (1 - P)), P being its overall share
 *	  rank    1 = the segment's most telling trait, the one with the largest |z|
 *
 * so a boolean and a category of two have one and the same z.  The shares of a column with two
 * categories mirror each other.  Only one of them says something: the one the segment has more of.
 * The other, its echo, ranks after all that is no echo, and neither names nor sentences mention it.
 *
 * Shapes: k segments, m traits, d_num numbers.
 */
#ifndef RETAILML_SEGMENT_PROFILE_H
#define RETAILML_SEGMENT_PROFILE_H

#include "retailml/segments.h"

/* |z| from which a trait tells a segment from the rest, and from which it does so strongly */
#define RML_TELLING 0.5
#define RML_VERY_TELLING 1.5

/* how a missing category reads */
#define RML_MISSING_CATEGORY "(missing)"

typedef struct RmlTrait
{
	const char *feature;
	RmlKind kind;
	int32_t position;     /* of the feature among the model's, from 0 */
	const char *category; /* NULL: a number or boolean */
	int64_t place;        /* of the category among those of all features (segments.h) */
	int32_t mirror;       /* the trait of the other category of two; -1: none */
	double overall;       /* mean of all training rows, or P */
	double sd;            /* of all training rows; 0: the trait tells nothing */
} RmlTrait;

typedef struct RmlSegmentProfile
{
	int k;
	int m;
	RmlTrait *traits;     /* [m] in the order of features and categories */
	const int64_t *sizes; /* [k] training rows */
	int64_t rows;         /* of all segments */
	double *means;        /* [k x m] */
	double *z;            /* [k x m] finite */
	int32_t *ranks;       /* [k x m] 1 .. m, ties by position */
} RmlSegmentProfile;

/* bytes that profiling a model takes, names included */
extern size_t rml_segment_profile_bytes(const RmlSchema *schema, const RmlClusters *clusters);

/* the profile of a model's clusters, by position */
extern void rml_segment_profile(RmlSegmentProfile *profile, RmlEnv *env, const RmlSchema *schema,
								const RmlClusters *clusters);

/* make z finite (NaN counts as 0) and rank the traits: rml_segment_profile does it */
extern void rml_segment_profile_rank(RmlSegmentProfile *profile, RmlEnv *env);

/* whether the trait is an echo in this segment: its mirror says the same */
extern bool rml_segment_is_echo(const RmlSegmentProfile *profile, int segment, int trait);

/* traits [m] of a segment by rank */
extern void rml_segment_by_rank(const RmlSegmentProfile *profile, int segment, int32_t *traits);

#endif /* RETAILML_SEGMENT_PROFILE_H */
