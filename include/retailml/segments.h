/*
 * segments.h
 *	  What all cluster models have in common, and what they call their clusters.
 *
 * A cluster has a number, which SQL shows, and may have a name.  A fresh fit numbers its clusters
 * 1 .. k and names none.  A model that continues another one keeps that one's numbers and names, so
 * numbers need be neither 1 .. k nor ascending; code that says "cluster" to users says its number.
 * A number is never given to another cluster later in such a line of models, so a model remembers
 * the highest of them all, also when the cluster that had it is gone.
 * Inside kernels a cluster is its position 0 .. k - 1.
 *
 * RmlClusters is the view of a fitted cluster model that does not ask which algorithm made it.
 *
 * Shapes: k clusters, d_num numbers, d_cat categories.
 */
#ifndef RETAILML_SEGMENTS_H
#define RETAILML_SEGMENTS_H

#include "retailml/model.h"
#include "retailml/schema.h"

/* bytes of a segment's name */
#define RML_SEGMENT_NAME_MAX 200

typedef struct RmlSegmentIds
{
	int32_t *numbers; /* [k] distinct, positive */
	char **names;     /* [k], all different and not empty; NULL: none were fixed */
	int32_t highest;  /* number given so far, here or in the models this one continues */
} RmlSegmentIds;

typedef struct RmlClusters
{
	int k;
	RmlSegmentIds *ids;      /* the model's own: may be changed before it is encoded again */
	const int64_t *sizes;    /* [k] training rows */
	const double *centroids; /* [k x d_num] in prepared units (schema.h) */
	/*
	 * [k x rml_category_places] training rows of each category; NULL without categorical features.
	 * Within a feature 0 is "(missing)", 1 .. are the categories.
	 */
	const int64_t *counts;
	const int32_t *modes; /* [k x d_cat] codes, or NULL */
	double gamma;         /* weight of a category that differs, beside squared distances */
} RmlClusters;

/* numbers 1 .. k, no names */
extern void rml_segment_ids_init(RmlSegmentIds *ids, RmlEnv *env, int64_t k);

extern void rml_segment_ids_encode(const RmlSegmentIds *ids, int64_t k, RmlWriter *writer);
extern void rml_segment_ids_decode(RmlSegmentIds *ids, int64_t k, RmlReader *reader);

/* positions [k] in the order of the clusters' numbers */
extern int32_t *rml_segment_ids_order(const RmlSegmentIds *ids, RmlEnv *env, int64_t k);

/* the categories of all features, "(missing)" of each included */
extern int64_t rml_category_places(const RmlSchema *schema);

/* the feature's first place among them */
extern int64_t rml_category_place(const RmlSchema *schema, int slot);

#endif /* RETAILML_SEGMENTS_H */
