/*
 * svdpp_cv.c
 *	  Dealing ratings into folds, and running all cells on all of them.
 */
#include "retailml/svdpp_cv.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/scope.h"
#include "retailml/tasks.h"

#include "svdpp_cv_internal.h"

#define POLL_USERS 1000

/* with so many a fold, F (1 - 1/F)^(20 F) bounds the chance that one of F is empty: 2e-7 for F <= 100 */
#define AMPLE_RATINGS 20

/* ---- folds ---- */

static int
fold_of(uint64_t key, int n_folds)
{
	return (int) (((unsigned __int128) key * (unsigned) n_folds) >> 64);
}

/* what to do about a fold without a rating; HAVING is looked at when all aggregates are computed */
static const char *
enlarge_hint(RmlEnv *env, int n_folds)
{
	int ample = AMPLE_RATINGS * n_folds;

	return rml_format(
		env,
		"%s out groups of fewer than %d pairs of user and item (%d for each fold) before they are "
		"aggregated: WHERE region IN (SELECT region FROM ratings GROUP BY region HAVING "
		"count(DISTINCT (user_id, item_id)) >= %d). HAVING beside the aggregate comes too late.",
		n_folds > 2 ? "Ask for fewer folds, or leave" : "Leave", ample, AMPLE_RATINGS, ample);
}

const char *
rml_rating_folds(RmlEnv *env, const RmlRatings *ratings, const RmlRatingIds *users,
				 const RmlRatingIds *items, int n_folds, int64_t seed, uint8_t *folds,
				 const char **hint)
{
	uint64_t *user_keys = rml_rating_keys(users, env);
	uint64_t *item_keys = rml_rating_keys(items, env);
	int64_t sizes[RML_MAX_RATING_FOLDS] = {0};

	for (int32_t user = 0; user < ratings->n_users; user++)
	{
		for (int64_t r = ratings->starts[user]; r < ratings->starts[user + 1]; r++)
		{
			uint64_t key = rml_rating_pair_key(user_keys[user], item_keys[ratings->items[r]], seed);

			folds[r] = (uint8_t) fold_of(key, n_folds);
			sizes[folds[r]]++;
		}
		if (user % POLL_USERS == 0)
			rml_poll(env);
	}
	rml_release(env, user_keys);
	rml_release(env, item_keys);
	for (int fold = 0; fold < n_folds; fold++)
		if (sizes[fold] == 0)
		{
			*hint = enlarge_hint(env, n_folds);
			return rml_format(env, "of %lld ratings none is in fold %d of %d",
							  (long long) ratings->n, fold + 1, n_folds);
		}
	return NULL;
}

/* ---- the run ---- */

typedef struct Task
{
	int cell;
	int fold;
	double cost;
} Task;

/*
 * It lives in the arena: a cancelled run leaves its stack before the tasks have ended.  Its own environment is the
 * caller's, with progress reported where the caller's thread polls.
 */
typedef struct Run
{
	RmlEnv env; /* first: RmlEnv * and Run * are one address */
	RmlEnv *outer;
	RmlRatingValidation validation;
	RmlRatings ratings;
	RmlRatingCell *cells;  /* [C] */
	Task *tasks;           /* [C x F] in the order they are started */
	double *measures;      /* [C x F x RML_N_RATING_MEASURES] */
	const char **failures; /* [C x F] */
	_Atomic int64_t done;
	_Atomic double rmse; /* of the task that ended last */
	int64_t reported;
} Run;

static void *
run_alloc(RmlEnv *env, size_t size)
{
	RmlEnv *outer = ((Run *) env)->outer;

	return outer->alloc(outer, size);
}

static void
run_release(RmlEnv *env, void *ptr)
{
	RmlEnv *outer = ((Run *) env)->outer;

	outer->release(outer, ptr);
}

static void
run_poll(RmlEnv *env)
{
	Run *run = (Run *) env;
	int64_t done = atomic_load(&run->done);

	if (done > run->reported)
		run->outer->progress(run->outer, "fits done", done, atomic_load(&run->rmse));
	run->reported = done;
	run->outer->poll(run->outer);
}

static void
run_progress(RmlEnv *env, const char *what, int64_t step, double loss)
{
	(void) env, (void) what, (void) step, (void) loss;
}

static size_t
run_room(RmlEnv *env)
{
	RmlEnv *outer = ((Run *) env)->outer;

	return outer->room(outer);
}

static void
run_at_end(RmlEnv *env, RmlCleanup *cleanup)
{
	RmlEnv *outer = ((Run *) env)->outer;

	outer->at_end(outer, cleanup);
}

/* about how long: sweeps over the factors of a rating */
static double
cost_of(const RmlRatingCell *cell)
{
	const RmlSvdppParams *params = cell->params;

	if (cell->method != RML_BY_FACTORS)
		return 0;
	return (double) params->n_epochs * (double) (params->n_factors + 8) *
		   (params->implicit_feedback ? 2 : 1);
}

static int
costly_first(const void *a, const void *b)
{
	const Task *x = a, *y = b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? 1 : -1;
	if (x->cell != y->cell)
		return x->cell < y->cell ? -1 : 1;
	return (x->fold > y->fold) - (x->fold < y->fold);
}

static Run *
create_run(RmlEnv *env, const RmlRatingValidation *validation, const RmlRatingCell *cells,
		   int n_cells)
{
	size_t n_tasks = (size_t) n_cells * (size_t) validation->n_folds;
	Run *run = RML_NEW_ZERO(env, Run, 1);

	run->outer = env;
	run->env = (RmlEnv){.alloc = run_alloc,
						.release = run_release,
						.poll = run_poll,
						.progress = run_progress,
						.valid_text = env->valid_text,
						.room = run_room,
						.at_end = run_at_end,
						.threads = env->threads};
	run->ratings = *validation->ratings;
	run->validation = *validation;
	run->validation.ratings = &run->ratings;
	run->cells = RML_NEW(env, RmlRatingCell, (size_t) n_cells);
	memcpy(run->cells, cells, sizeof(RmlRatingCell) * (size_t) n_cells);
	run->tasks = RML_NEW(env, Task, n_tasks);
	for (size_t t = 0; t < n_tasks; t++)
	{
		int cell = (int) (t / (size_t) validation->n_folds);

		run->tasks[t] =
			(Task){cell, (int) (t % (size_t) validation->n_folds), cost_of(&cells[cell])};
	}
	qsort(run->tasks, n_tasks, sizeof(Task), costly_first);
	run->measures = RML_NEW(env, double, n_tasks *RML_N_RATING_MEASURES);
	run->failures = RML_NEW_ZERO(env, const char *, n_tasks);
	return run;
}

static void
release_run(Run *run)
{
	RmlEnv *env = run->outer;

	rml_release(env, run->cells);
	rml_release(env, run->tasks);
	rml_release(env, run->measures);
	rml_release(env, run->failures);
	rml_release(env, run);
}

static void
run_task(RmlEnv *env, int64_t number, void *context)
{
	Run *run = context;
	const Task *task = &run->tasks[number];
	int place = task->cell * run->validation.n_folds + task->fold;
	double *measures = run->measures + (size_t) place * RML_N_RATING_MEASURES;
	const char *reason;
	RmlScope scope;

	rml_scope_begin(&scope, env);
	reason = rml_rating_fold(&scope.env, &run->validation, &run->cells[task->cell], task->fold,
							 measures);
	if (reason != NULL)
		run->failures[place] = rml_strdup(env, reason);
	rml_scope_end(&scope);
	atomic_store(&run->rmse, measures[RML_RATING_RMSE]);
	atomic_fetch_add(&run->done, 1);
}

/* ---- summaries ---- */

/* mean and deviation over the folds where the measure [F] at this distance is defined */
static void
moments(const double *values, int n_folds, double *mean, double *sd)
{
	double sum = 0, squares = 0;
	int n = 0;

	for (int fold = 0; fold < n_folds; fold++)
		if (!isnan(values[fold * RML_N_RATING_MEASURES]))
		{
			sum += values[fold * RML_N_RATING_MEASURES];
			n++;
		}
	*mean = n > 0 ? sum / n : NAN;
	for (int fold = 0; fold < n_folds; fold++)
		if (!isnan(values[fold * RML_N_RATING_MEASURES]))
		{
			double distance = values[fold * RML_N_RATING_MEASURES] - *mean;

			squares += distance * distance;
		}
	*sd = n > 0 ? sqrt(squares / n) : NAN;
}

static void
summarize(const Run *run, int number, RmlRatingCell *cell)
{
	int n_folds = run->validation.n_folds;
	const double *measures =
		run->measures + (size_t) number * (size_t) n_folds * RML_N_RATING_MEASURES;

	cell->failure = NULL;
	for (int fold = 0; fold < n_folds && cell->failure == NULL; fold++)
		if (run->failures[number * n_folds + fold] != NULL)
			cell->failure = rml_strdup(run->outer, run->failures[number * n_folds + fold]);
	for (int m = 0; m < RML_N_RATING_MEASURES; m++)
	{
		moments(measures + m, n_folds, &cell->mean[m], &cell->sd[m]);
		if (cell->failure != NULL)
			cell->mean[m] = cell->sd[m] = NAN;
	}
}

void
rml_ratings_validate(RmlEnv *env, const RmlRatingValidation *validation, RmlRatingCell *cells,
					 int n_cells)
{
	Run *run = create_run(env, validation, cells, n_cells);
	int64_t n_tasks = (int64_t) n_cells * validation->n_folds;
	RmlTasks *tasks = rml_tasks_run(&run->env, n_tasks, run_task, run);

	rml_poll(&run->env);
	for (int c = 0; c < n_cells; c++)
		summarize(run, c, &cells[c]);
	rml_tasks_free(tasks);
	release_run(run);
}

/* errors are best small, the rest large */
static bool
is_better(RmlRatingMeasure measure, double a, double b)
{
	if (isnan(a) || isnan(b))
		return !isnan(a) && isnan(b);
	return measure == RML_RATING_RMSE || measure == RML_RATING_MAE ? a < b : a > b;
}

void
rml_rating_cells_rank(RmlRatingCell *cells, int n_cells, RmlRatingMeasure measure)
{
	for (int c = 0; c < n_cells; c++)
	{
		cells[c].rank = 1;
		for (int other = 0; other < n_cells; other++)
			cells[c].rank += is_better(measure, cells[other].mean[measure], cells[c].mean[measure]);
		if (isnan(cells[c].mean[measure]))
			cells[c].rank = 0;
	}
}

int
rml_rating_cells_best(const RmlRatingCell *cells, int n_cells)
{
	int best = -1;

	for (int c = 0; c < n_cells; c++)
		if (cells[c].method == RML_BY_FACTORS && cells[c].rank > 0 &&
			(best < 0 || cells[c].rank < cells[best].rank))
			best = c;
	return best;
}

/* ---- memory ---- */

size_t
rml_ratings_validate_bytes(const RmlRatingValidation *validation, const RmlRatingCell *cells,
						   int n_cells, int threads)
{
	size_t n_tasks = (size_t) n_cells * (size_t) validation->n_folds;
	size_t at_once = n_tasks < (size_t) threads ? n_tasks : (size_t) threads;
	size_t largest = 0;

	for (int c = 0; c < n_cells; c++)
	{
		size_t bytes = rml_rating_fold_bytes(validation, &cells[c]);

		largest = bytes > largest ? bytes : largest;
	}
	return at_once * largest +
		   n_tasks * (sizeof(Task) + sizeof(double) * RML_N_RATING_MEASURES + sizeof(char *));
}
