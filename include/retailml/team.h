/*
 * team.h
 *	  The threads of an environment: they sleep until there is work, and end with the environment.
 *
 * Threads are started when they are first wanted, with all signals blocked.  When the system refuses one (a
 * limit on processes, no memory for a stack), the work is done by those there are, if need be by the
 * calling thread alone; that is asked once per environment.  Nobody waits for a thread to end: what
 * it still reads when the environment goes is its own.
 */
#ifndef RETAILML_TEAM_H
#define RETAILML_TEAM_H

#include "retailml/env.h"

/* one member's share: member 0 is the calling thread; members there are, itself included */
typedef void (*RmlTeamFn)(void *context, int member, int members);

/* at most so many, fewer when the system refuses threads; starts them */
extern int rml_team_gather(RmlEnv *env, int members);

/*
 * Run fn as each of the members, not more than were gathered, and return when it has ended everywhere.  Those
 * who have not begun when member 0 ends are left out, unless all are needed.  Returns how many took part.
 */
extern int rml_team_run(RmlEnv *env, int members, bool all, RmlTeamFn fn, void *context);

#endif /* RETAILML_TEAM_H */
