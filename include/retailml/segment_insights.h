/*
 * segment_insights.h
 *	  What is worth telling about a segment, as sentences.
 *
 * A sentence is about one trait of the profile.  Its numbers are the segment's mean, the overall
 * mean and, in the first one, the segment's size; what it says beyond them is words: "far above"
 * (|z| of at least 1.5), "well above" (0.5), "slightly above" (0.1) or "close to", and where no
 * other segment has as much or as little of it, that.  The most telling traits come first, one of
 * each feature, those with |z| of at least 0.5 and five at most.  Where these are fewer than three
 * the next ones follow.  Traits that are the same in all rows are nothing to tell.
 */
#ifndef RETAILML_SEGMENT_INSIGHTS_H
#define RETAILML_SEGMENT_INSIGHTS_H

#include "retailml/segment_names.h"

#define RML_FEWEST_INSIGHTS 3
#define RML_MOST_INSIGHTS 5

typedef struct RmlInsight
{
	int32_t trait;
	char *sentence;
} RmlInsight;

/*
 * The sentences about one segment, best first, into insights [RML_MOST_INSIGHTS]; returns how many.
 * name is what it is called.
 */
extern int rml_segment_insights(RmlEnv *env, const RmlSegmentProfile *profile, const char *name,
								int segment, RmlInsight *insights);

#endif /* RETAILML_SEGMENT_INSIGHTS_H */
