/*
 * top_items.h
 *	  The best n of many items: a heap with the worst of them on top.
 */
#ifndef RETAILML_TOP_ITEMS_H
#define RETAILML_TOP_ITEMS_H

#include "retailml/recommend.h"

typedef struct RmlTopItems
{
	int32_t n; /* held */
	int32_t capacity;
	RmlRanked *entries; /* [capacity] */
} RmlTopItems;

static inline bool
rml_ranks_before(const RmlRanked *a, const RmlRanked *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	if (a->tie != b->tie)
		return a->tie > b->tie;
	return a->item < b->item;
}

/* an entry that is among the best so far: the worst of a full heap makes room for it */
extern void rml_top_items_take(RmlTopItems *top, RmlRanked entry);

/* capacity >= 1; most of many items are worse than all that are held, which costs no call */
static inline void
rml_top_items_put(RmlTopItems *top, RmlRanked entry)
{
	if (top->n < top->capacity || rml_ranks_before(&entry, &top->entries[0]))
		rml_top_items_take(top, entry);
}

/* best first; the heap is none any more */
extern void rml_top_items_sort(RmlTopItems *top);

#endif /* RETAILML_TOP_ITEMS_H */
