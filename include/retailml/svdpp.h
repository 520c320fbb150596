/*
 * svdpp.h
 *	  SVD++: recommendations from ratings or purchases by matrix factorization with implicit feedback.
 *
 * Source: Y. Koren, "Factorization meets the neighborhood: a multifaceted collaborative filtering
 * model", KDD 2008, equation 15.  The rating of user u for item i is predicted as
 *
 *	  mu + b_u + b_i + q_i . (p_u + |N(u)|^-1/2 sum over j in N(u) of y_j)
 *
 * with vectors of f factors: q_i says what item i is like, p_u what user u likes by the ratings, and
 * y_j what having item j at all says about a user.  Without implicit feedback the sum is left out
 * (plain SVD); without biases mu, b_u and b_i are.
 *
 * Learnt by stochastic gradient descent on (r - prediction)^2 + regularization, the steps of one
 * rating with error e being
 *
 *	  b_u += lr (e - reg b_u)                  q_i += lr (e (p_u + z_u) - reg q_i)
 *	  b_i += lr (e - reg b_i)                  p_u += lr (e q_i - reg p_u)
 *	  y_j += lr (e q_i |N|^-1/2 - reg y_j)     for all j in N(u);  z_u = |N|^-1/2 sum of y_j
 *
 * The last line taken literally makes an epoch quadratic in the ratings of a user.  But within the
 * sweep over one user's ratings z_u follows a recurrence of its own, z_u <- (1 - lr reg) z_u +
 * lr e q_i, and every y_j moves alike: after m ratings, y_j <- d y_j + c with d = (1 - lr reg)^m and
 * c = (z_u - d z_u before) |N|^-1/2.  So a sweep works on z_u and touches the y_j twice, and an epoch
 * is linear in the ratings, with the same result.
 *
 * Threads: users are cut into windows of a few thousand ratings.  All users of a window see the items as
 * they were when the window began, each user's own sweep being sequential; then the changes are added up item by
 * item, in order of the users.  Windows do not depend on the number of threads, so neither do the results.
 *
 * Legend: u users, i items, n ratings, f factors, s = stride, f rounded up to full vectors.
 */
#ifndef RETAILML_SVDPP_H
#define RETAILML_SVDPP_H

#include "retailml/ratings.h"
#include "retailml/registry.h"

typedef enum RmlImplicit
{
	RML_IMPLICIT_NONE = 0, /* values are ratings */
	RML_IMPLICIT_PURCHASES /* values are amounts: duplicates sum, transform log1p */
} RmlImplicit;

typedef struct RmlSvdppParams
{
	int64_t n_factors;
	int64_t n_epochs;
	double lr; /* learning rate and regularization: of all, and of each (RML_AUTO: as of all) */
	double reg;
	double lr_bu;
	double lr_bi;
	double lr_pu;
	double lr_qi;
	double lr_yj;
	double reg_bu;
	double reg_bi;
	double reg_pu;
	double reg_qi;
	double reg_yj;
	double init_mean; /* factors begin normally distributed */
	double init_std;
	int64_t biased;
	int64_t implicit_feedback;
	int64_t clip;     /* predictions stay in the range of the training ratings */
	int64_t implicit; /* RmlImplicit */
	int64_t duplicates;
	int64_t transform;
	double holdout;         /* share of the ratings the model is tested on; 0: not tested */
	int64_t early_stopping; /* epochs without a better hold-out error until it stops; 0: never */
	int64_t seed;
} RmlSvdppParams;

extern const RmlOption rml_svdpp_options[];
extern const int rml_svdpp_n_options;

/* what is learnt, by position of users and items */
typedef struct RmlFactors
{
	int32_t n_users;
	int32_t n_items;
	int f;
	int s;       /* numbers from one vector to the next, a multiple of 8; those beyond f are 0 */
	double mean; /* mu; 0 when not biased */
	float *bu;   /* [u] */
	float *bi;   /* [i] */
	float *p;    /* [u x s] */
	float *q;    /* [i x s] */
	float *y;    /* [i x s]; NULL without implicit feedback */
} RmlFactors;

/* errors after an epoch */
typedef struct RmlSvdppEpoch
{
	double train_rmse;   /* of each rating before its own step */
	double holdout_rmse; /* NaN: nothing was held out */
} RmlSvdppEpoch;

/* on ratings that were held out, against predictions that need no factors */
typedef enum RmlVerdict
{
	RML_VERDICT_NOT_TESTED = 0, /* no hold-out, or too few ratings in it */
	RML_VERDICT_NO_BETTER,      /* not better than the item's mean by more than chance explains */
	RML_VERDICT_BETTER
} RmlVerdict;

typedef struct RmlSvdppTest
{
	RmlVerdict verdict;
	int64_t n; /* ratings held out */
	double rmse;
	double mae;
	double global_mean_rmse;
	double item_mean_rmse;
	double biases_rmse; /* user + item biases */
	/* mean of (item mean's squared error - model's squared error) over its standard error */
	double z;
} RmlSvdppTest;

typedef struct RmlSvdpp
{
	const RmlSvdppParams *params;
	RmlRatingIds users;
	RmlRatingIds items;
	RmlFactors factors;
	int64_t n;       /* ratings */
	int64_t *starts; /* [u + 1] */
	int32_t *seen;   /* [n] N(u), ascending */
	int64_t *buyers; /* [i] users of each item; follows from seen */
	double low;      /* range of the training ratings */
	double high;
	RmlSvdppTest test;
	double train_rmse; /* of the last epoch over all ratings */
	int n_epochs;      /* of the model; early stopping may have ended it before params->n_epochs */
	/* of the run on the training part; of the only run when nothing was held out */
	int n_history;
	RmlSvdppEpoch *history; /* [n_history] */
} RmlSvdpp;

/* NULL, or the reason these parameters are refused */
extern const char *rml_svdpp_check(const RmlSvdppParams *params, RmlEnv *env);

/* the values that are used where "auto" was given */
extern void rml_svdpp_settle(RmlSvdppParams *params);

/*
 * Train.  ratings are of the ids users and items, n >= 1; params settled and kept by the model.  The arrays of the
 * ratings become the model's (seen = ratings->items).  Returns NULL, or the reason it cannot be done: factors
 * that grow without bound.
 */
extern const char *rml_svdpp_fit(RmlSvdpp *model, RmlEnv *env, const RmlSvdppParams *params,
								 const RmlRatings *ratings, const RmlRatingIds *users,
								 const RmlRatingIds *items);

/* bytes that takes on top of the ratings, at its peak */
extern size_t rml_svdpp_fit_bytes(const RmlSvdppParams *params, const RmlRatings *ratings);

/* bytes of the encoded model, less some hundred of options and 16 an epoch of its history */
extern size_t rml_svdpp_model_bytes(const RmlSvdppParams *params, RmlEnv *env,
									const RmlRatings *ratings, const RmlRatingIds *users,
									const RmlRatingIds *items);

/* ---- the descent itself, for who compares many ---- */

/* called after each epoch; false: enough */
typedef bool (*RmlEpochFn)(void *context, int epoch, const RmlFactors *factors, double train_rmse);

/*
 * The factors after params->n_epochs epochs over these ratings; after_epoch may be NULL.  Returns NULL or the
 * reason it cannot be done.
 */
extern const char *rml_svdpp_descend(RmlFactors *factors, RmlEnv *env, const RmlSvdppParams *params,
									 const RmlRatings *ratings, RmlEpochFn after_epoch,
									 void *context);

/* bytes it takes on top of the ratings, at its peak; the factors are part of it */
extern size_t rml_svdpp_descend_bytes(const RmlSvdppParams *params, const RmlRatings *ratings);

/* let go of the factors' arrays */
extern void rml_factors_release(RmlFactors *factors, RmlEnv *env);

/* ---- predictions ---- */

/* w [f] = p_u + |N|^-1/2 sum of y_j over items [n]; user -1 and n = 0 are allowed */
extern void rml_factors_user(const RmlFactors *factors, int32_t user, const int32_t *items,
							 int64_t n, double *w);

/* mu + b_u + b_i + q_i . w, not clipped; user or item -1: unknown, its part is left out */
extern double rml_factors_score(const RmlFactors *factors, int32_t user, int32_t item,
								const double *w);

/* the same of a model's own user: w by rml_svdpp_user, prediction clipped to the range if so trained */
extern void rml_svdpp_user(const RmlSvdpp *model, int32_t user, double *w);
extern double rml_svdpp_predict(const RmlSvdpp *model, int32_t user, int32_t item, const double *w);
extern double rml_svdpp_clip(const RmlSvdpp *model, double score);

/* ---- bytes and description (registry.h) ---- */

extern void rml_svdpp_encode(const void *model, RmlWriter *writer);
extern void *rml_svdpp_decode(RmlReader *reader, const RmlSchema *schema, const void *params);
extern void rml_svdpp_describe(const void *model, const RmlSchema *schema, RmlInfo *info);

extern const RmlAlgorithm rml_svdpp_algorithm;

#endif /* RETAILML_SVDPP_H */
