/*
 * match_model.h
 *	  The clusters of a new model get the numbers and names of the old ones they continue.
 *
 * No rows are needed: clusters are compared by what the two models know of them.  The distance of
 * two clusters is in standard deviations of the old model's training rows, whatever scale either
 * model clustered in:
 *
 *	  distance = sqrt(mean over the features common to both of difference^2)
 *
 *	  numbers:	   (mean - mean) / sd
 *	  categories:  total variation of the two shares of categories, 1/2 sum |p - q|, over
 *				   sqrt(G / 2), where G = 1 - sum p^2 is the Gini impurity of the old rows.  For two
 *				   categories this is what the same column as a boolean has.
 *
 * Features are common by name; the mean makes distances of many and of few features comparable.  A
 * column that was constant in the old rows is measured in the new model's scale, one that is
 * constant in both says nothing.
 *
 * Clusters are paired one to one such that the sum of the distances is smallest (assignment.h),
 * where a distance counts at most max_distance, and a pair beyond it is none: leaving two clusters
 * unpaired is better than any detour that costs more.  By default max_distance is the mean, over the
 * old clusters, of the distance to the nearest other one: what went further than old clusters are
 * apart is something new.
 *
 * New clusters without a partner get numbers above all that were given so far (highest in
 * segments.h).
 */
#ifndef RETAILML_MATCH_MODEL_H
#define RETAILML_MATCH_MODEL_H

#include "retailml/options.h"
#include "retailml/segments.h"

typedef struct RmlMatchParams
{
	double max_distance; /* below 0: what old clusters are apart */
} RmlMatchParams;

extern const RmlOption rml_match_options[];
extern const int rml_match_n_options;

/* a model as this sees it */
typedef struct RmlMatchSide
{
	const RmlSchema *schema;
	const RmlClusters *clusters;
	char *const *names; /* [k] what its clusters are called, or NULL */
} RmlMatchSide;

/*
 * Distances between clusters: to_old [new k x old k], and within_old [old k x old k].  Returns NULL,
 * or the reason there are none (no feature in common that varies).
 */
extern const char *rml_match_distances(RmlEnv *env, const RmlMatchSide *new_side,
									   const RmlMatchSide *old_side, double *to_old,
									   double *within_old);

/* bytes that rml_match_model takes */
extern size_t rml_match_bytes(const RmlMatchSide *new_side, const RmlMatchSide *old_side);

/*
 * The ids of the new model's clusters, allocated in env.  Where old names are given, clusters that
 * continue an old one have its name, and the others their own, made different from all those of
 * the old model.  Returns NULL, or the reason it cannot be done.
 */
extern const char *rml_match_model(RmlEnv *env, const RmlMatchParams *params,
								   const RmlMatchSide *new_side, const RmlMatchSide *old_side,
								   RmlSegmentIds *ids);

#endif /* RETAILML_MATCH_MODEL_H */
