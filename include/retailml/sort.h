/*
 * sort.h
 *	  Sorting of numbers by radix: linear in n, cancellable, no comparisons.
 */
#ifndef RETAILML_SORT_H
#define RETAILML_SORT_H

#include "retailml/env.h"

/* ascending; no NaN; takes n doubles of scratch memory */
extern void rml_sort_doubles(RmlEnv *env, double *values, int64_t n);

#endif /* RETAILML_SORT_H */
