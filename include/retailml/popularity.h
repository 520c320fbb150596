/*
 * popularity.h
 *	  What is bought most: buyers and units of each item, whatever the order of the rows.
 *
 * Rows come as they are (each one a buyer) or with a user, and then a buyer is counted once an item.
 * Units are exact sums, rounded once (exact_sum.h).  Memory grows with the items, and with the distinct
 * pairs where users are given.
 *
 * Rank: most buyers first, then most units, then the smaller id; no two items share one.
 */
#ifndef RETAILML_POPULARITY_H
#define RETAILML_POPULARITY_H

#include "retailml/contingency.h"
#include "retailml/exact_sum.h"
#include "retailml/ratings.h"

/* an item by its code */
typedef struct RmlItemSum
{
	int64_t buyers; /* rows; not counted where users are given */
	RmlFixed fixed;
	RmlWideSum *wide; /* terms that do not fit; NULL: none yet */
} RmlItemSum;

typedef struct RmlItemSums
{
	bool by_user;
	RmlRatingNames items;
	RmlRatingNames users;
	RmlContingency pairs; /* of codes of users and items */
	int32_t capacity;
	RmlItemSum *sums; /* [capacity], items.n in use */
} RmlItemSums;

typedef struct RmlPopularItem
{
	int32_t item; /* position among the ids */
	int64_t buyers;
	double units;
	double share; /* of the units of all items; NaN when these are 0 */
} RmlPopularItem;

/* nothing is allocated before the first row */
extern void rml_item_sums_init(RmlItemSums *sums, bool text, bool by_user);

/* add a row: codes of sums->items and sums->users (-1 unless by_user), units finite */
extern void rml_item_sums_add(RmlItemSums *sums, RmlEnv *env, int32_t user, int32_t item,
							  double units);

/* private bytes between processes; reading adds what was written */
extern size_t rml_item_sums_serial_size(const RmlItemSums *sums);
extern void rml_item_sums_write(const RmlItemSums *sums, RmlEnv *env, char *bytes);
extern void rml_item_sums_read(RmlItemSums *sums, RmlEnv *env, const char *bytes);

/*
 * popular [items.n] in order of rank, and the items' ids.  Returns NULL, or the reason: units beyond the range of
 * float8.
 */
extern const char *rml_popularity(const RmlItemSums *sums, RmlEnv *env, RmlRatingIds *ids,
								  RmlPopularItem **popular);

#endif /* RETAILML_POPULARITY_H */
