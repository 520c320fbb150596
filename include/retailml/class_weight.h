/*
 * class_weight.h
 *	  Row weights that let rare classes count for more.
 *
 * A fit sees the weight of the row times that of its class.  With n the sum of all row weights, n_k
 * that of class k, and K the number of classes that have any:
 *
 *	  balanced	class k weighs n / (K n_k), so that all classes weigh the same and the sum of all
 *				weights stays n (G. King and L. Zeng, "Logistic regression in rare events data",
 *				Political Analysis 9 (2001); class_weight = "balanced" of scikit-learn)
 *	  given		class k weighs given[k]; NaN is 1
 */
#ifndef RETAILML_CLASS_WEIGHT_H
#define RETAILML_CLASS_WEIGHT_H

#include "retailml/supervised.h"

typedef enum RmlClassWeight
{
	RML_CLASS_WEIGHT_NONE = 0,
	RML_CLASS_WEIGHT_BALANCED,
	RML_CLASS_WEIGHT_GIVEN
} RmlClassWeight;

/* none, balanced, NULL */
extern const char *const rml_class_weight_names[];

/*
 * NULL, or the reason why not: the label is a number, a given weight [K] is negative or infinite, or
 * no row is left with a positive weight.
 */
extern const char *rml_class_weight_check(RmlEnv *env, RmlClassWeight mode, const double *given,
										  const RmlTrainingSet *rows);

/* weights [n] of the rows; given [K] is read in mode given only */
extern void rml_class_weights(RmlEnv *env, RmlClassWeight mode, const double *given,
							  const RmlTrainingSet *rows, double *weights);

#endif /* RETAILML_CLASS_WEIGHT_H */
