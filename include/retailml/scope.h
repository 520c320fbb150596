/*
 * scope.h
 *	  An environment inside another, all of whose memory can be given back at once.
 *
 * A fitted model is many allocations that go with the arena.  Whoever fits hundreds of models and
 * keeps a few numbers of each runs every fit in a scope and ends it afterwards.
 *
 * A scope has one thread and reports no progress; polls and the limit of memory are those of the
 * environment around it.  When a poll does not return, its memory goes with that environment.
 */
#ifndef RETAILML_SCOPE_H
#define RETAILML_SCOPE_H

#include "retailml/block_list.h"
#include "retailml/env.h"

typedef struct RmlScope
{
	RmlEnv env; /* first, so RmlEnv * and RmlScope * are one address */
	RmlEnv *outer;
	RmlBlock *blocks;
} RmlScope;

extern void rml_scope_begin(RmlScope *scope, RmlEnv *outer);

/* release everything that was allocated in it; it can be used again */
extern void rml_scope_end(RmlScope *scope);

#endif /* RETAILML_SCOPE_H */
