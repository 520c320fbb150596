/*
 * ranking.c
 *	  The best n of many scores, and what they are worth.
 */
#include "ranking.h"

#include <math.h>

#include "top_items.h"

void
rml_ranking_begin(RmlRanking *ranking, RmlEnv *env, int n, int32_t n_items)
{
	*ranking = (RmlRanking){.n = n, .n_items = n_items};
	ranking->shown = RML_NEW_ZERO(env, uint8_t, (size_t) n_items);
}

int
rml_ranking_top(const double *scores, int32_t n_items, const int32_t *without, int64_t n_without,
				int n, RmlRanked *best)
{
	RmlTopItems top = {0, n, best};
	int64_t w = 0;

	for (int32_t item = 0; item < n_items; item++)
	{
		if (w < n_without && without[w] == item)
			w++;
		else
			rml_top_items_put(&top, (RmlRanked){scores[item], 0, item});
	}
	rml_top_items_sort(&top);
	return top.n;
}

static bool
contains(const int32_t *items, int64_t n, int32_t item)
{
	int64_t low = 0, high = n;

	while (low < high)
	{
		int64_t middle = low + (high - low) / 2;

		if (items[middle] < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && items[low] == item;
}

/* of a relevant item at this place, from 0 */
static double
gain(int64_t place)
{
	return 1 / log2(2.0 + (double) place);
}

void
rml_ranking_add(RmlRanking *ranking, const RmlRanked *best, int n_best, const int32_t *relevant,
				int64_t n_relevant)
{
	double hits = 0, gains = 0, most = 0;

	for (int place = 0; place < n_best; place++)
	{
		int32_t item = best[place].item;
		bool hit = contains(relevant, n_relevant, item);

		hits += hit;
		gains += hit ? gain(place) : 0;
		ranking->sums.coverage += !ranking->shown[item];
		ranking->shown[item] = 1;
	}
	for (int64_t place = 0; place < ranking->n && place < n_relevant; place++)
		most += gain(place);
	ranking->sums.precision += hits / ranking->n;
	ranking->sums.recall += hits / (double) n_relevant;
	ranking->sums.ndcg += gains / most;
	ranking->users++;
}

RmlRankingMeasures
rml_ranking_end(const RmlRanking *ranking)
{
	double users = ranking->users > 0 ? (double) ranking->users : NAN;

	return (RmlRankingMeasures){ranking->sums.precision / users, ranking->sums.recall / users,
								ranking->sums.ndcg / users,
								ranking->users > 0 ? ranking->sums.coverage / ranking->n_items
												   : NAN};
}
