/*
 * top_items.c
 *	  The best n of many items.
 */
#include "top_items.h"

/* put entry at place or below it, so that no parent ranks before its children */
static void
sink(RmlRanked *entries, int32_t n, int32_t place, RmlRanked entry)
{
	for (;;)
	{
		int32_t child = 2 * place + 1;

		if (child >= n)
			break;
		if (child + 1 < n && rml_ranks_before(&entries[child], &entries[child + 1]))
			child++;
		if (!rml_ranks_before(&entry, &entries[child]))
			break;
		entries[place] = entries[child];
		place = child;
	}
	entries[place] = entry;
}

static void
rise(RmlRanked *entries, int32_t place, RmlRanked entry)
{
	while (place > 0)
	{
		int32_t parent = (place - 1) / 2;

		if (!rml_ranks_before(&entries[parent], &entry))
			break;
		entries[place] = entries[parent];
		place = parent;
	}
	entries[place] = entry;
}

void
rml_top_items_take(RmlTopItems *top, RmlRanked entry)
{
	if (top->n < top->capacity)
		rise(top->entries, top->n++, entry);
	else
		sink(top->entries, top->n, 0, entry);
}

void
rml_top_items_sort(RmlTopItems *top)
{
	for (int32_t n = top->n - 1; n > 0; n--)
	{
		RmlRanked worst = top->entries[0];

		sink(top->entries, n, 0, top->entries[n]);
		top->entries[n] = worst;
	}
}
