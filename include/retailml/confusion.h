/*
 * confusion.h
 *	  The confusion matrix: how often each class was predicted as each.
 *
 * Made of a table of pairs (contingency.h) of the actual label a and the predicted label b.  Its
 * classes are all labels of either side, K of them, ascending; every one of the K x K cells is
 * there, also those that count nothing.
 */
#ifndef RETAILML_CONFUSION_H
#define RETAILML_CONFUSION_H

#include "retailml/contingency.h"

typedef struct RmlConfusion
{
	int64_t n_classes; /* K */
	int64_t *classes;  /* [K] labels */
	int64_t *counts;   /* [K x K] rows of actual class i, predicted as j */
	int64_t *sizes;    /* [K] rows of the actual class */
} RmlConfusion;

/* K, before anything of its square is taken */
extern int64_t rml_confusion_classes(const RmlLabelTable *table);
extern void rml_confusion(const RmlLabelTable *table, RmlEnv *env, RmlConfusion *confusion);

/* part of the actual class i that was predicted as j; NaN when no row is of that class */
extern double rml_confusion_share(const RmlConfusion *confusion, int64_t i, int64_t j);

#endif /* RETAILML_CONFUSION_H */
