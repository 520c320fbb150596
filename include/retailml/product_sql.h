/*
 * product_sql.h
 *	  The rows of a fit that divides them itself: churn_fit, ltv_fit.
 */
#ifndef RETAILML_PRODUCT_SQL_H
#define RETAILML_PRODUCT_SQL_H

#include "retailml/product.h"
#include "retailml/supervised_sql.h"

/* what a product leaves out of the features, and keeps together, unless told otherwise */
extern void rml_product_roles(const RmlSupervisedParams *params, const char *group,
							  RmlRoles *roles);

/*
 * The raw rows of a fit (spec.raw) with their label, weights and groups, after the leak guard.  The
 * memory of the fit is the caller's to ask for.
 */
extern void rml_fit_product_rows(RmlFit *fit, const RmlSupervisedParams *params, bool classifier,
								 int64 folds, RmlProductRows *rows);

/* the model of a product, whose schema was learnt in the fit */
extern Datum rml_fit_product_model(RmlFit *fit, const RmlAlgorithm *algorithm, const void *fitted,
								   const RmlPrepared *prepared);

#endif /* RETAILML_PRODUCT_SQL_H */
