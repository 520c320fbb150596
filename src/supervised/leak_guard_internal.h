/*
 * leak_guard_internal.h
 *	  One look at a training set: the rows of a sample, or all, and what a feature scores on them.
 */
#ifndef RETAILML_LEAK_GUARD_INTERNAL_H
#define RETAILML_LEAK_GUARD_INTERNAL_H

#include "retailml/leak_guard.h"

/* the five arrays below, and sorted values with the scratch of the sort */
#define RML_LOOK_ROW_BYTES 56
/* sums and counts of two halves */
#define RML_LOOK_CATEGORY_BYTES 32
/* histograms of the sort, and what is small */
#define RML_LOOK_FIXED_BYTES 131072

/* m rows, of c classes that are looked at (classification) */
typedef struct RmlLook
{
	RmlEnv *env;
	const RmlTrainingSet *rows;
	int64_t m;
	int64_t *picked;                     /* [m] index of the row; classification: by class */
	int n_classes;                       /* c */
	int64_t start[RML_LEAK_CLASSES + 1]; /* class p has picked[start[p]] .. [start[p + 1] - 1] */
	double *label;                       /* [m] regression: y, scaled into [-1, 1] */
	double *y_ranks;                     /* [m] regression: ranks of y */
	double *x;                           /* [m] scratch: the feature */
	double *z;                           /* [m] scratch: made of it */
} RmlLook;

/* after picked: what all features need */
extern void rml_look_prepare(RmlLook *look);
extern void rml_look_release(RmlLook *look);

/* scores in 0 .. 1 */
extern double rml_look_number(RmlLook *look, const RmlFeature *feature);
extern double rml_look_missing(RmlLook *look, const RmlFeature *feature);
extern double rml_look_category(RmlLook *look, const RmlFeature *feature);

#endif /* RETAILML_LEAK_GUARD_INTERNAL_H */
