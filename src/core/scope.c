/*
 * scope.c
 *	  An environment that remembers its allocations in a list.
 */
#include "retailml/scope.h"

static void *
scope_alloc(RmlEnv *env, size_t size)
{
	RmlScope *scope = (RmlScope *) env;
	RmlBlock *block;

	if (size > SIZE_MAX - sizeof *block)
		size = SIZE_MAX - sizeof *block;
	block = scope->outer->alloc(scope->outer, sizeof *block + size);
	rml_block_link(&scope->blocks, block);
	return block + 1;
}

static void
scope_release(RmlEnv *env, void *ptr)
{
	RmlScope *scope = (RmlScope *) env;
	RmlBlock *block;

	if (ptr == NULL)
		return;
	block = (RmlBlock *) ptr - 1;
	rml_block_unlink(&scope->blocks, block);
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
		RmlBlock *block = scope->blocks;

		scope->blocks = block->next;
		scope->outer->release(scope->outer, block);
	}
}
