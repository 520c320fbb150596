/*
 * block_list.h
 *	  Allocations of an environment in a list, from which any can be taken out.
 */
#ifndef RETAILML_BLOCK_LIST_H
#define RETAILML_BLOCK_LIST_H

#include <stddef.h>

/* what an environment puts in front of an allocation begins with this */
typedef struct RmlBlock
{
	struct RmlBlock *next;
	struct RmlBlock *previous;
} RmlBlock;

/* at the head of the list */
static inline void
rml_block_link(RmlBlock **list, RmlBlock *block)
{
	*block = (RmlBlock){*list, NULL};
	if (*list != NULL)
		(*list)->previous = block;
	*list = block;
}

static inline void
rml_block_unlink(RmlBlock **list, RmlBlock *block)
{
	if (block->previous != NULL)
		block->previous->next = block->next;
	else
		*list = block->next;
	if (block->next != NULL)
		block->next->previous = block->previous;
}

#endif /* RETAILML_BLOCK_LIST_H */
