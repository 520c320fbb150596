/*
 * linear_expression.h
 *	  Linear models in SQL, and how much each of their features matters.
 *
 * The expression is the predictor in the centred form in which predict evaluates it (linear_design.h), in the
 * link of the model.
 *
 * The importance of a feature is the standard deviation of its contribution over the training rows: for a
 * number |coefficient| times its standard deviation, so that of the standardized column; for a
 * category what the same comes to for its levels.  Of more than two classes it is the root mean square over the
 * classes, each predictor taken relative to their mean.
 */
#ifndef RETAILML_LINEAR_EXPRESSION_H
#define RETAILML_LINEAR_EXPRESSION_H

#include "retailml/linear_design.h"
#include "retailml/sql_expression.h"

/*
 * n_classes 0: the predictor; 2: the probability of class 1; more: the number of the most probable, from 1.
 * Output m is of class n_classes - n_outputs + m, and classes before that have the predictor 0.
 */
extern void rml_linear_expression(const RmlLinear *linear, int n_classes,
								  RmlExpression *expression);

/* gain [n_features]; splits are 0 */
extern void rml_linear_importance(const RmlLinear *linear, int n_classes, const RmlSchema *schema,
								  double *gain, int64_t *splits);

/* for the table of algorithms */
extern void rml_linreg_expression(const void *fitted, const RmlSchema *schema,
								  RmlExpression *expression);
extern void rml_linreg_importance(const void *fitted, const RmlSchema *schema, double *gain,
								  int64_t *splits);
extern void rml_logreg_expression(const void *fitted, const RmlSchema *schema,
								  RmlExpression *expression);
extern void rml_logreg_importance(const void *fitted, const RmlSchema *schema, double *gain,
								  int64_t *splits);

#endif /* RETAILML_LINEAR_EXPRESSION_H */
