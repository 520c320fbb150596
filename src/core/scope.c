/*
 * scope.c
 *	  An environment that remembers its allocations in a list.
 */
#include "retailml/scope.h"

typedef struct RmlScopeBlock
{
	struct RmlScopeBlock *next;
	struct RmlScopeBlock *previous;
} RmlScopeBlock;

static void *
scope_alloc(RmlEnv *env, size_t size)
{
	RmlScope *scope = (RmlScope *) env;
	RmlScopeBlock *block;

	if (size > SIZE_MAX - sizeof *block)
		size = SIZE_MAX - sizeof *block;
	block = scope->outer->alloc(scope->outer, sizeof *block + size);
	*block = (RmlScopeBlock){scope->blocks, NULL};
	if (scope->blocks != NULL)
		scope->blocks->previous = block;
	scope->blocks = block;
	return block + 1;
}

static void
scope_release(RmlEnv *env, void *ptr)
{
	RmlScope *scope = (RmlScope *) env;
	RmlScopeBlock *block;

	if (ptr == NULL)
		return;
	block = (RmlScopeBlock *) ptr - 1;
	if (block->previous != NULL)
		block->previous->next = block->next;
	else
		scope->blocks = block->next;
	if (block->next != NULL)
		block->next->previous = block->previous;
	scope->outer->release(scope->outer, block);
}

static void
scope_poll(RmlEnv *env)
{
	RmlEnv *outer = ((RmlScope *) env)->outer;

	outer->poll(outer);
}

static void
scope_progress(RmlEnv *env, const char *what, int64_t step, double loss)
{
	(void) env, (void) what, (void) step, (void) loss;
}

static size_t
scope_room(RmlEnv *env)
{
	RmlEnv *outer = ((RmlScope *) env)->outer;

	return outer->room(outer);
}

/* what asks for this has threads of its own to stop, and a scope gives it none */
static void
scope_at_end(RmlEnv *env, RmlCleanup *cleanup)
{
	(void) env, (void) cleanup;
}

void
rml_scope_begin(RmlScope *scope, RmlEnv *outer)
{
	*scope = (RmlScope){.outer = outer,
						.env = {.alloc = scope_alloc,
								.release = scope_release,
								.poll = scope_poll,
								.progress = scope_progress,
								.valid_text = outer->valid_text,
								.room = scope_room,
								.at_end = scope_at_end,
								.threads = 1}};
}

void
rml_scope_end(RmlScope *scope)
{
	while (scope->blocks != NULL)
	{
		RmlScopeBlock *block = scope->blocks;

		scope->blocks = block->next;
		scope->outer->release(scope->outer, block);
	}
}
