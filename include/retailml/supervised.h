/*
 * supervised.h
 *	  What all models that predict a label have in common: the label, and the rows to learn from.
 *
 * A label is a number (regression) or a class (classification).  Classes are numbered 0 .. K - 1 by
 * their sorted text; of two, class 1 is the positive one, whose probability predict() gives.
 *
 * Every fitted supervised model begins with its RmlTarget, so that code for all of them finds it
 * without asking which algorithm made the model.
 *
 * Shapes: n rows, d_num numbers, d_cat category codes, K classes.  Matrices are row-major.
 */
#ifndef RETAILML_SUPERVISED_H
#define RETAILML_SUPERVISED_H

#include "retailml/model.h"
#include "retailml/schema.h"

/* classes a label may have */
#define RML_MAX_CLASSES 1000

typedef enum RmlTask
{
	RML_REGRESSION = 0,
	RML_CLASSIFICATION = 1
} RmlTask;

typedef struct RmlTarget
{
	char *name; /* of the label's column */
	RmlTask task;
	int n_classes;   /* K, at least 2; 0 for regression */
	char **classes;  /* [K] all different */
	int64_t *counts; /* [K] training rows */
} RmlTarget;

/* the rows of a fit, in canonical order, features prepared by schema */
typedef struct RmlTrainingSet
{
	const RmlSchema *schema;
	RmlTarget target;
	int64_t n;
	const double *numbers;  /* [n x d_num] finite */
	const int32_t *codes;   /* [n x d_cat] 0 = missing, 1 .. = category */
	const double *y;        /* [n] regression, finite; else NULL */
	const int32_t *classes; /* [n] classification: 0 .. K - 1; else NULL */
	const double *weights;  /* [n] finite, at least 0, some positive; NULL: 1 each */
} RmlTrainingSet;

static inline bool
rml_is_binary(const RmlTarget *target)
{
	return target->n_classes == 2;
}

extern void rml_target_encode(const RmlTarget *target, RmlWriter *writer);
extern void rml_target_decode(RmlTarget *target, RmlReader *reader);
extern void rml_target_describe(const RmlTarget *target, RmlInfo *info);

#endif /* RETAILML_SUPERVISED_H */
