/*
 * svdpp_baselines.h
 *	  Predictions that need no factors: what a recommender has to beat.
 *
 * Three of them, each learnt from training ratings only:
 *
 *	  global mean   mu
 *	  item mean     the mean rating of the item
 *	  user + item   mu + b_u + b_i
 *
 * The biases are shrunk towards 0 where there are few ratings and found by ten rounds of alternating
 * least squares (Y. Koren, "Factor in the neighbors", ACM TKDD 4 (2010), section 2.1):
 *
 *	  b_i = sum over users of (r - mu - b_u) / (10 + ratings of the item)
 *	  b_u = sum over items of (r - mu - b_i) / (15 + ratings of the user)
 *
 * with the constants and rounds of Surprise's BaselineOnly, whose numbers they are.  Who or what has no
 * training rating has no bias, and an item without one is predicted the global mean.
 *
 * Sums are of doubles in the order of the ratings.  Shapes: u users, i items.
 */
#ifndef RETAILML_SVDPP_BASELINES_H
#define RETAILML_SVDPP_BASELINES_H

#include "retailml/ratings.h"

typedef struct RmlBaselines
{
	int32_t n_users;
	int32_t n_items;
	double mean;        /* mu */
	double *item_means; /* [i] */
	double *bu;         /* [u] */
	double *bi;         /* [i] */
} RmlBaselines;

/* ratings: n >= 1 */
extern void rml_baselines_fit(RmlEnv *env, const RmlRatings *ratings, RmlBaselines *baselines);
extern void rml_baselines_release(RmlBaselines *baselines, RmlEnv *env);

/* bytes a fit takes, at its peak */
extern size_t rml_baselines_bytes(int64_t n_users, int64_t n_items);

/* predictions, not clipped; user or item -1: unknown */
extern double rml_baselines_item_mean(const RmlBaselines *baselines, int32_t item);
extern double rml_baselines_biases(const RmlBaselines *baselines, int32_t user, int32_t item);

#endif /* RETAILML_SVDPP_BASELINES_H */
