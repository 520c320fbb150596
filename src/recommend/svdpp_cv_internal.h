/*
 * svdpp_cv_internal.h
 *	  One cell of a cross-validation on one fold.
 */
#ifndef RETAILML_SVDPP_CV_INTERNAL_H
#define RETAILML_SVDPP_CV_INTERNAL_H

#include "retailml/svdpp_cv.h"

/*
 * Train on the ratings that are not in the fold and judge by those that are; measures
 * [RML_N_RATING_MEASURES], NaN where not defined.  What is allocated stays in env.  Returns NULL, or why the
 * training failed.
 */
extern const char *rml_rating_fold(RmlEnv *env, const RmlRatingValidation *validation,
								   const RmlRatingCell *cell, int fold, double *measures);

/* bytes it takes, at its peak */
extern size_t rml_rating_fold_bytes(const RmlRatingValidation *validation,
									const RmlRatingCell *cell);

#endif /* RETAILML_SVDPP_CV_INTERNAL_H */
