/*
 * logreg_internal.h
 *	  A logistic regression while it is being fitted.
 */
#ifndef RETAILML_LOGREG_INTERNAL_H
#define RETAILML_LOGREG_INTERNAL_H

#include "linear_internal.h"
#include "retailml/logreg.h"

typedef struct RmlLogregRun
{
	RmlEnv *env;
	RmlLinearRows rows;
	RmlLinearBasis basis;
	int n_classes; /* K */
	int outputs;   /* M */
	int n;         /* coefficients: M x rank, predictor after predictor */
	double l1;
	double l2;
	double tol;
	int64_t max_iter;
	bool stop_when_separated;
	double *theta;    /* [n] */
	double *by_axis;  /* [M x axes] theta, or a direction, as tiles take it */
	double *gradient; /* [n] of the smooth part at theta */
	double *hessian;  /* [n x n] of the smooth part at theta */
	double loss;      /* minus the log-likelihood */
	double objective; /* with penalties */
	int64_t wrong;    /* rows that theta does not classify with a margin */
	double *step;     /* [n] the last one */
	double *factor;   /* [n x n] */
	int64_t iterations;
	bool converged;
	bool separated;
	double *direction; /* [n] that separates; theta or step */
} RmlLogregRun;

/* logreg_newton.c: from theta = 0 to the best theta */
extern void rml_logreg_newton(RmlLogregRun *run);

/* the penalty's second derivative between coefficients i and k */
extern double rml_logreg_curvature(const RmlLogregRun *run, int i, int k);

/* logreg_lasso.c: step to the minimum of the quadratic approximation plus l1 */
extern void rml_logreg_lasso_step(RmlLogregRun *run);

#endif /* RETAILML_LOGREG_INTERNAL_H */
