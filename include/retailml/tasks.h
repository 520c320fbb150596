/*
 * tasks.h
 *	  Long pieces of work side by side: one tree of a forest, one cell of a cross-validation.
 *
 * rml_parallel is for short blocks of one kernel; a task is a kernel of its own.  It gets an
 * environment with one thread, in which it allocates and polls as it likes, and which outlives it:
 * what it allocates stays until rml_tasks_free, or until the caller's arena goes.  Tasks are started in
 * order, but end in any; each writes to its own place only.
 *
 * The calling thread waits and polls, so a cancel is noticed in time; tasks are stopped, at their own
 * next poll, before that poll leaves (env.h, at_end), so that they never reach for a stack that is
 * gone.  Memory of all tasks together is limited by what the caller's environment has room for; a
 * task that would exceed it ends all, and the caller leaves as for an allocation that is too large.
 * With one thread, or one task, the tasks run in the caller's own environment, one after the other.
 */
#ifndef RETAILML_TASKS_H
#define RETAILML_TASKS_H

#include "retailml/env.h"

typedef struct RmlTasks RmlTasks;

typedef void (*RmlTaskFn)(RmlEnv *env, int64_t task, void *context);

/* run fn for tasks 0 .. n_tasks - 1; the result holds the memory they took */
extern RmlTasks *rml_tasks_run(RmlEnv *env, int64_t n_tasks, RmlTaskFn fn, void *context);

/* release what the tasks allocated (nothing when they ran in the caller's environment) */
extern void rml_tasks_free(RmlTasks *tasks);

#endif /* RETAILML_TASKS_H */
