/*
 * svdpp_cv.h
 *	  K-fold cross-validation of recommenders: which settings of SVD++, and are factors worth it at all?
 *
 * Ratings (distinct pairs of user and item) are dealt into folds.  For each fold the settings of every cell are
 * trained on all other ratings and predict those of the fold; so do the baselines, which need no factors
 * (svdpp_baselines.h).  A user or item without a rating in the training part is unknown to a model, and predicted
 * as such.  What is reported is the mean of the folds' measures and their standard deviation (of the
 * population); a measure that is not defined in some fold is the mean of those where it is.
 *
 * The fold of a rating follows from the ids of user and item and the seed alone: it is the same when other
 * ratings come and go.  So folds differ in size by chance.
 *
 * Rankings: for every user with a relevant rating in the fold, all items the user has no training rating of are
 * ranked as svdpp_recommend ranks them by default, by prediction (not clipped, which would make ties) or, where
 * predictions are log(1 + amount), by expected value (recommend.h); and the first n are judged (ranking.h).
 * Factors know nothing of a user without a training rating, who is shown the items with most buyers.
 *
 * Cells whose factors grow without bound have no measures.  Pairs of cell and fold run side by side, each
 * on one thread, the costly ones first.
 *
 *	  M. Stone, "Cross-validatory choice and assessment of statistical predictions", JRSS B 36 (1974)
 *
 * Shapes: u users, i items, n ratings, F folds, C cells.
 */
#ifndef RETAILML_SVDPP_CV_H
#define RETAILML_SVDPP_CV_H

#include "retailml/svdpp.h"

#define RML_MAX_RATING_FOLDS 100

/* what predicts; the first are baselines, of which popularity ranks and predicts nothing */
typedef enum RmlRatingMethod
{
	RML_BY_GLOBAL_MEAN = 0, /* ranks nothing */
	RML_BY_ITEM_MEAN,
	RML_BY_BIASES,
	RML_BY_POPULARITY,
	RML_BY_FACTORS
} RmlRatingMethod;

typedef enum RmlRatingMeasure
{
	RML_RATING_RMSE = 0,
	RML_RATING_MAE,
	RML_RATING_PRECISION,
	RML_RATING_RECALL,
	RML_RATING_NDCG,
	RML_RATING_COVERAGE,
	RML_N_RATING_MEASURES
} RmlRatingMeasure;

typedef struct RmlRatingValidation
{
	const RmlRatings *ratings;
	int n_folds;
	const uint8_t *folds;   /* [n] 0 .. F - 1, none of them empty */
	int ranking;            /* n of precision@n; 0: no rankings */
	double relevant;        /* ratings from this value on are; RML_AUTO: all */
	RmlTransform transform; /* of the ratings, which relevant has yet to undergo */
} RmlRatingValidation;

/* one row of the result */
typedef struct RmlRatingCell
{
	RmlRatingMethod method;
	const RmlSvdppParams *params;       /* settled; of a baseline, clip is all that is looked at */
	double mean[RML_N_RATING_MEASURES]; /* NaN: not defined */
	double sd[RML_N_RATING_MEASURES];
	const char *failure; /* NULL, or why the first fold that failed did */
	int rank;            /* 1 = best by the measure, ties share the smaller rank; 0: it has none */
} RmlRatingCell;

/* returns NULL, or the reason, with a hint: a fold without a rating */
extern const char *rml_rating_folds(RmlEnv *env, const RmlRatings *ratings,
									const RmlRatingIds *users, const RmlRatingIds *items,
									int n_folds, int64_t seed, uint8_t *folds, const char **hint);

/* fill the cells, whose method and params are given */
extern void rml_ratings_validate(RmlEnv *env, const RmlRatingValidation *validation,
								 RmlRatingCell *cells, int n_cells);

/* number the cells by the mean of a measure */
extern void rml_rating_cells_rank(RmlRatingCell *cells, int n_cells, RmlRatingMeasure measure);

/* the first of the best among cells of factors; -1: none has a rank */
extern int rml_rating_cells_best(const RmlRatingCell *cells, int n_cells);

/* bytes it takes on top of the ratings, at its peak */
extern size_t rml_ratings_validate_bytes(const RmlRatingValidation *validation,
										 const RmlRatingCell *cells, int n_cells, int threads);

#endif /* RETAILML_SVDPP_CV_H */
