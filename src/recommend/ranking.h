/*
 * ranking.h
 *	  How good the first n of a ranking are.
 *
 * A user is shown the n items of the highest scores; some items are relevant to the user.  Then
 *
 *	  precision@n  relevant items among the n, divided by n
 *	  recall@n     relevant items among the n, divided by all relevant items
 *	  ndcg@n       sum over relevant items among the n of 1 / log2(1 + place), divided by the largest it could be
 *
 * averaged over users; coverage is the share of all items that anybody is shown.
 *
 *	  K. Jarvelin, J. Kekalainen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20 (2002)
 *
 * Equal scores are ranked by number of the item.  Shapes: i items.
 */
#ifndef RETAILML_RANKING_H
#define RETAILML_RANKING_H

#include "retailml/recommend.h"

typedef struct RmlRankingMeasures
{
	double precision;
	double recall;
	double ndcg;
	double coverage;
} RmlRankingMeasures;

/* the users so far */
typedef struct RmlRanking
{
	int n; /* of precision@n */
	int32_t n_items;
	int64_t users;
	RmlRankingMeasures sums; /* over users; coverage: items shown */
	uint8_t *shown;          /* [i] */
} RmlRanking;

extern void rml_ranking_begin(RmlRanking *ranking, RmlEnv *env, int n, int32_t n_items);

/*
 * best [n], best first: the n >= 1 items of the highest scores [i] that are not in without [n_without], which
 * is ascending.  Returns how many there are: fewer than n when there are no more.
 */
extern int rml_ranking_top(const double *scores, int32_t n_items, const int32_t *without,
						   int64_t n_without, int n, RmlRanked *best);

/* one user, who is shown best [n_best]; relevant [n_relevant]: ascending, at least one */
extern void rml_ranking_add(RmlRanking *ranking, const RmlRanked *best, int n_best,
							const int32_t *relevant, int64_t n_relevant);

/* the averages; NaN without users */
extern RmlRankingMeasures rml_ranking_end(const RmlRanking *ranking);

#endif /* RETAILML_RANKING_H */
