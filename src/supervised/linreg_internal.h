/*
 * linreg_internal.h
 *	  A linear regression while it is being fitted.
 */
#ifndef RETAILML_LINREG_INTERNAL_H
#define RETAILML_LINREG_INTERNAL_H

#include "linear_internal.h"
#include "retailml/linreg.h"

typedef struct RmlLinregRun
{
	RmlEnv *env;
	RmlLinearRows rows;
	RmlLinearBasis basis;
	double l2;
	double offset;        /* taken off y: its unweighted mean */
	double mean;          /* weighted mean of y - offset */
	double total;         /* sum of weights */
	double positive;      /* rows of positive weight */
	double log_weights;   /* sum of their logarithms */
	double *factor;       /* [rank x rank] of X'WX + l2 S^2 */
	double *coefficients; /* [rank] in the basis */
	double *by_axis;      /* [axes] the same */
} RmlLinregRun;

/* linreg_inference.c: everything but estimates, mean and base */
extern void rml_linreg_infer(RmlLinregRun *run, RmlLinreg *out);

#endif /* RETAILML_LINREG_INTERNAL_H */
