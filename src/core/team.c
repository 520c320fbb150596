/*
 * team.c
 *	  Threads that wait for work on a condition variable.
 *
 * The control block is malloc's and belongs to all who use it, the last one frees it: threads need a
 * processor to end, and on a machine whose processors are taken it would take long to wait for that.
 */
#include "retailml/team.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

/* how often member 0 looks whether the others have ended before it sleeps */
#define SPINS 2000

typedef struct RmlTeam
{
	pthread_mutex_t mutex; /* guards everything */
	pthread_cond_t work;   /* there is a new call, or no more */
	pthread_cond_t done;   /* running or absent has become 0 */
	int users;             /* the environment and the threads */
	int threads;           /* started */
	int numbered;          /* threads that know which they are */
	bool refused;          /* the system does not start more */
	bool ended;
	/* the call */
	int64_t call; /* its number, from 1 on */
	RmlTeamFn fn;
	void *context;
	int members;
	int absent;          /* members who have not begun; 0 also when they need not any more */
	_Atomic int running; /* threads */
} RmlTeam;

/* in the arena, which may outlive the environment (one that passes on to another) */
struct RmlTeamPlace
{
	RmlCleanup cleanup;
	RmlTeam *team; /* NULL: none yet, or it has ended */
};

/* ---- threads ---- */

/* the caller holds the mutex */
static void
leave(RmlTeam *team)
{
	bool last = --team->users == 0;

	pthread_mutex_unlock(&team->mutex);
	if (!last)
		return;
	pthread_cond_destroy(&team->work);
	pthread_cond_destroy(&team->done);
	pthread_mutex_destroy(&team->mutex);
	free(team);
}

/* with the mutex held before and after */
static void
take_part(RmlTeam *team, int number)
{
	RmlTeamFn fn = team->fn;
	void *context = team->context;
	int members = team->members;

	team->absent--;
	atomic_fetch_add(&team->running, 1);
	pthread_mutex_unlock(&team->mutex);
	fn(context, number, members);
	pthread_mutex_lock(&team->mutex);
	if (atomic_fetch_sub(&team->running, 1) == 1 && team->absent == 0)
		pthread_cond_signal(&team->done);
}

static void *
live(void *argument)
{
	RmlTeam *team = argument;
	int64_t seen = 0;
	int number;

	pthread_mutex_lock(&team->mutex);
	number = ++team->numbered;
	for (;;)
	{
		while (!team->ended && team->call == seen)
			pthread_cond_wait(&team->work, &team->mutex);
		if (team->ended)
			break;
		seen = team->call;
		if (number < team->members && team->absent > 0)
			take_part(team, number);
	}
	leave(team);
	return NULL;
}

/* ---- beginning and end ---- */

static RmlTeam *
create(void)
{
	RmlTeam *team = calloc(1, sizeof(RmlTeam));

	if (team == NULL)
		return NULL;
	pthread_mutex_init(&team->mutex, NULL);
	pthread_cond_init(&team->work, NULL);
	pthread_cond_init(&team->done, NULL);
	team->users = 1;
	return team;
}

static void
end(void *argument)
{
	RmlTeamPlace *place = argument;
	RmlTeam *team = place->team;

	place->team = NULL;
	pthread_mutex_lock(&team->mutex);
	team->ended = true;
	pthread_cond_broadcast(&team->work);
	leave(team);
}

/* NULL when there is no memory for it */
static RmlTeam *
team_of(RmlEnv *env)
{
	RmlTeamPlace *place = env->team;

	if (place == NULL)
		place = env->team = rml_alloc_zero(env, sizeof *place);
	if (place->team == NULL)
	{
		place->team = create();
		if (place->team == NULL)
			return NULL;
		place->cleanup = (RmlCleanup){.function = end, .argument = place};
		env->at_end(env, &place->cleanup);
	}
	return place->team;
}

static void
start_thread(RmlTeam *team)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, live, team) != 0)
	{
		team->refused = true;
		return;
	}
	pthread_detach(thread);
	team->threads++;
	team->users++;
}

/* threads inherit the mask, so no handler of the host ever runs in one of them */
static void
start_threads(RmlTeam *team, int threads)
{
	sigset_t all, saved;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	pthread_mutex_lock(&team->mutex);
	while (team->threads < threads && !team->refused)
		start_thread(team);
	pthread_mutex_unlock(&team->mutex);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

int
rml_team_gather(RmlEnv *env, int members)
{
	RmlTeam *team = members > 1 ? team_of(env) : NULL;

	if (team == NULL)
		return 1;
	if (team->threads < members - 1 && !team->refused)
		start_threads(team, members - 1);
	return team->threads < members - 1 ? team->threads + 1 : members;
}

/* ---- work ---- */

static void
call(RmlTeam *team, int members, RmlTeamFn fn, void *context)
{
	pthread_mutex_lock(&team->mutex);
	team->call++;
	team->fn = fn;
	team->context = context;
	team->members = members;
	team->absent = members - 1;
	pthread_cond_broadcast(&team->work);
	pthread_mutex_unlock(&team->mutex);
}

/* returns how many threads took part */
static int
wait_for_end(RmlTeam *team, int members, bool all)
{
	int absent;

	for (int spins = 0; spins < SPINS && atomic_load(&team->running) > 0; spins++)
#if defined(__x86_64__)
		__builtin_ia32_pause()
#endif
			;
	pthread_mutex_lock(&team->mutex);
	absent = all ? 0 : team->absent;
	if (!all)
		team->absent = 0;
	while (team->absent > 0 || atomic_load(&team->running) > 0)
		pthread_cond_wait(&team->done, &team->mutex);
	pthread_mutex_unlock(&team->mutex);
	return members - 1 - absent;
}

int
rml_team_run(RmlEnv *env, int members, bool all, RmlTeamFn fn, void *context)
{
	if (members > 1)
		call(env->team->team, members, fn, context);
	fn(context, 0, members);
	return members > 1 ? 1 + wait_for_end(env->team->team, members, all) : 1;
}
