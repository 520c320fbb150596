/*
 * svdpp_internal.h
 *	  The descent of SVD++ in two steps per window: users learn, then items take over.
 *
 * Shapes: u users, i items, f factors, s = f rounded up to full vectors of RML_LANES; m ratings and v
 * users of the largest window.
 */
#ifndef RETAILML_SVDPP_INTERNAL_H
#define RETAILML_SVDPP_INTERNAL_H

#include <stdatomic.h>

#include "retailml/parallel.h"
#include "retailml/svdpp.h"

#define RML_LANES 8

/* one kind of parameter: v += rate * (e * x - reg * v) */
typedef struct RmlRate
{
	float rate;
	float shrink; /* 1 - rate * reg */
} RmlRate;

/* what the users of a window want changed, by rating and by user from the window's first on */
typedef struct RmlChanges
{
	float *q;     /* [m x s] the error times what the user is like, times the rate */
	float *bi;    /* [m] the error times the rate */
	float *y;     /* [v x s] the same for everything the user has */
	float *decay; /* [v] and what is left of it */
} RmlChanges;

/* items are shared out by buckets, into which their numbers are hashed */
#define RML_BUCKETS 256

/*
 * The ratings in the order in which the descent goes through them: users shuffled and cut in windows,
 * within a window those with most ratings first (threads that take the next user each then end together),
 * and the ratings of each by bucket of the item.  Ids often tell of age and popularity; items in their
 * order would be learnt worse.
 */
typedef struct RmlTour
{
	int32_t n_users;               /* who have a rating */
	int32_t *users;                /* [n_users] */
	int64_t *starts;               /* [n_users + 1] */
	int32_t *items;                /* [n] */
	float *values;                 /* [n] */
	uint8_t *buckets;              /* [i] */
	int64_t upto[RML_BUCKETS + 1]; /* ratings of all items of the buckets before */
	int64_t n_windows;
	int32_t *windows; /* [n_windows + 1] the first user of each */
} RmlTour;

/* a user of a tour is its place in it */
typedef struct RmlDescent
{
	RmlFactors *factors;
	RmlTour tour;
	bool biased;
	RmlRate bu;
	RmlRate bi;
	RmlRate pu;
	RmlRate qi;
	RmlRate yj;
	RmlChanges changes;
	double *squares; /* [n_users] squared errors of the epoch */
	RmlPace pace;
	/* users before this one have been taken; a cache line of its own, since all threads write to it */
	_Alignas(64) _Atomic int32_t taken;
} RmlDescent;

/* the ratings of the largest window, unless a single user has more */
#define RML_WINDOW_RATINGS 4096
#define RML_WINDOW_AUTO (-1)

/*
 * A tour with windows of at most so many ratings (one user at least), or as many as do no harm at the
 * parameters' rates
 */
extern void rml_svdpp_tour(RmlTour *tour, RmlEnv *env, const RmlRatings *ratings,
						   const RmlSvdppParams *params, int64_t most);
extern void rml_svdpp_tour_release(RmlTour *tour, RmlEnv *env);

/* the sweeps of users [first, last), whose window begins with user window */
extern void rml_svdpp_learn(const RmlDescent *descent, int32_t window, int32_t first, int32_t last);

/* apply the changes of users [first, last) to the items of buckets [low, high) */
extern void rml_svdpp_apply(const RmlDescent *descent, int32_t first, int32_t last, int low,
							int high);

/*
 * The descent with windows of at most so many ratings, as of the tour.  With most = 0 every user is a
 * window: the order of steps is then exactly that of the naive algorithm, user by user.
 */
extern const char *rml_svdpp_descend_by(RmlFactors *factors, RmlEnv *env,
										const RmlSvdppParams *params, const RmlRatings *ratings,
										int64_t most, RmlEpochFn after_epoch, void *context);

/* the reason for which a descent ends when errors or predictions leave all bounds */
extern const char *rml_svdpp_unbounded(RmlEnv *env, int epoch);

/* [n] 1 where a rating of the model's users and items is held out, and how many are */
extern uint8_t *rml_svdpp_hold_out(const RmlSvdpp *model, RmlEnv *env, const RmlRatings *ratings,
								   int64_t *n_held);

/*
 * Learn from the ratings that are not held out and test on those that are: the model gets its history,
 * its test and the number of epochs, at least 1.  What is learnt is forgotten.
 */
extern const char *rml_svdpp_try(RmlSvdpp *model, RmlEnv *env, const RmlRatings *ratings,
								 const uint8_t *held, int64_t n_held);

#endif /* RETAILML_SVDPP_INTERNAL_H */
