/*
 * ranking.c
 *	  The best n of many scores, and what they are worth.
 */
#include "ranking.h"

#include <math.h>

void
rml_ranking_begin(RmlRanking *ranking, RmlEnv *env, int n, int32_t n_items)
{
	*ranking = (RmlRanking){.n = n, .n_items = n_items};
	ranking->shown = RML_NEW_ZERO(env, uint8_t, (size_t) n_items);
}

/* put an item in its place among the n best so far, of which the last may fall out */
static int
insert(const double *scores, int32_t item, int32_t *top, int n_top, int n)
{
	int place = n_top < n ? n_top++ : n - 1;

	while (place > 0 && scores[top[place - 1]] < scores[item])
	{
		top[place] = top[place - 1];
		place--;
	}
	top[place] = item;
	return n_top;
}

int
rml_ranking_top(const double *scores, int32_t n_items, const int32_t *without, int64_t n_without,
				int n, int32_t *top)
{
	int64_t w = 0;
	int n_top = 0;

	for (int32_t item = 0; item < n_items; item++)
	{
		if (w < n_without && without[w] == item)
			w++;
		else if (n_top < n || scores[item] > scores[top[n - 1]])
			n_top = insert(scores, item, top, n_top, n);
	}
	return n_top;
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
rml_ranking_add(RmlRanking *ranking, const int32_t *top, int n_top, const int32_t *relevant,
				int64_t n_relevant)
{
	double hits = 0, gains = 0, most = 0;

	for (int place = 0; place < n_top; place++)
	{
		bool hit = contains(relevant, n_relevant, top[place]);

		hits += hit;
		gains += hit ? gain(place) : 0;
		ranking->sums.coverage += !ranking->shown[top[place]];
		ranking->shown[top[place]] = 1;
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
