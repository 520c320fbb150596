/*
 * recommend.h
 *	  What to offer to whom: the best items of one user or of all, with reasons; items that are alike.
 *
 * Known users get the best items that they do not have, by prediction or by expected value.  The order
 * is that of the prediction before it is clipped to the range of the ratings (there are many items at the end of the
 * range); ties go to the item with more buyers, then to the smaller id.  Users the model does not know
 * get the items most bought; ties go to the higher item bias, then to the smaller id.
 *
 * A model of amounts predicts how much a customer spends on a product if they buy it, and has learnt from
 * purchases only: ranked by prediction, dear products that hardly anybody buys come first.  The expected
 * value, to be bought and for how much, is taken as the part of the customers who have the item times
 * 1 + amount; as the model predicts log(1 + amount), the order is that of prediction + log(buyers).
 *
 * For all users at once: scores of floats in blocks of users select who can be among the n best, and
 * those few are scored again as for one user, so both ways give the same items and the same numbers to the last
 * bit.  A score s of f products in float differs from the exact one by at most
 *
 *	  E = (f + 4) 2^-23 (largest |b_i| + |w| largest |q_i|)
 *
 * (N. Higham, "Accuracy and stability of numerical algorithms", 2002, section 3.1), so an item below
 * the n-th best s by more than 2 E is not among the n best.  Where too many items are that close, the
 * user is scored exactly over all items.
 *
 * Items lie in order of b_i + |w| |q_i| of a typical user: the best tend to come first, and by the
 * inequality of Cauchy and Schwarz a user can skip what cannot come near its n-th best any more.
 *
 * Legend: u users, i items, f factors, n recommendations, w = p_u + |N|^-1/2 sum of y_j.
 */
#ifndef RETAILML_RECOMMEND_H
#define RETAILML_RECOMMEND_H

#include "retailml/svdpp.h"

#define RML_RECOMMEND_MOST 10000 /* the largest n */

typedef enum RmlRankBy
{
	RML_RANK_BY_AUTO = 0, /* expected value of amounts, predictions of ratings */
	RML_RANK_BY_PREDICTION,
	RML_RANK_BY_EXPECTED_VALUE /* for models of log(1 + amount) */
} RmlRankBy;

typedef struct RmlRecommendParams
{
	int64_t include_seen; /* also what the user has */
	RmlNames candidates;  /* ids: only these; names NULL: all */
	RmlNames exclude;     /* ids: not these */
	int64_t min_popularity;
	int64_t rank_by; /* RmlRankBy */
} RmlRecommendParams;

extern const RmlOption rml_recommend_options[];
extern const int rml_recommend_n_options;

/* those that say which items, without rank_by and include_seen: for similar items */
extern const RmlOption rml_similar_options[];
extern const int rml_similar_n_options;

/* why a model cannot rank like that, or NULL */
extern const char *rml_recommend_check(const RmlSvdpp *model, const RmlRecommendParams *params,
									   RmlEnv *env);

/* a place in the order: by score, by tie, then the smaller item */
typedef struct RmlRanked
{
	double score;
	double tie;
	int32_t item;
} RmlRanked;

/* what is the same for all users of a model */
typedef struct RmlRecommender
{
	const RmlSvdpp *model;
	int32_t *popularity; /* [i] 1 + the number of items with more buyers */
	double *log_buyers;  /* [i] */
	int decimals;        /* of numbers in reasons */
} RmlRecommender;

extern void rml_recommender_init(RmlRecommender *recommender, RmlEnv *env, const RmlSvdpp *model);

/*
 * The n best items for a user, -1 for one the model does not know: best [n], best first; how many there
 * are.  The score of a known user's item is not clipped, that of an unknown user's is its number of buyers.
 */
extern int32_t rml_recommend(const RmlRecommender *recommender, RmlEnv *env, int32_t user,
							 int32_t n, const RmlRecommendParams *params, RmlRanked *best);

/* what is shown as the score of a recommendation: the prediction */
extern double rml_recommend_score(const RmlRecommender *recommender, int32_t user,
								  const RmlRanked *recommendation);

/* the name of an item by its id, for people to read */
typedef struct RmlNaming
{
	const char *(*name)(void *context, const char *id);
	void *context;
} RmlNaming;

/* why, in words; naming NULL: other items are called by their ids */
extern const char *rml_recommend_reason(const RmlRecommender *recommender, RmlEnv *env,
										int32_t user, const RmlRanked *recommendation,
										const RmlNaming *naming);

/*
 * The n items most like one among those the parameters allow: by cosine of their vectors q, ties as above.
 * best [n], score is the cosine; how many there are.  An item whose vector is 0 is like none.
 */
extern int32_t rml_similar_items(const RmlSvdpp *model, RmlEnv *env, int32_t item, int32_t n,
								 const RmlRecommendParams *params, RmlRanked *best);

/* ---- all users ---- */

/* the items of users first .. first + n_users - 1, those of a user best first */
typedef struct RmlRecommendBlock
{
	int32_t first;
	int32_t n_users;
	int32_t stride;  /* from one user to the next: n, or the number of items if that is less */
	int32_t *counts; /* [n_users] at most stride each */
	int32_t *items;  /* [n_users x stride] */
	double *scores;  /* [n_users x stride] clipped */
} RmlRecommendBlock;

typedef struct RmlRecommendAll RmlRecommendAll;

/* n from 1 to RML_RECOMMEND_MOST; memory does not depend on the number of users */
extern RmlRecommendAll *rml_recommend_all_begin(RmlEnv *env, const RmlSvdpp *model, int32_t n,
												const RmlRecommendParams *params);

/* the next users; false: there are none */
extern bool rml_recommend_all_next(RmlRecommendAll *all, RmlRecommendBlock *block);

/* users that had to be scored exactly so far, for tests and benches */
extern int64_t rml_recommend_all_exact(const RmlRecommendAll *all);

#endif /* RETAILML_RECOMMEND_H */
