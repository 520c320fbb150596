/*
 * kmeans_fit.c
 *	  The driver of a k-means fit: restarts, the best of them, memory.
 */
#include <math.h>
#include <string.h>

#include "kmeans_internal.h"

void
rml_kmeans_run_make(RmlKmeansRun *run, const RmlKmeansPoints *points, int k)
{
	RmlEnv	   *env = points->env;
	const size_t values = (size_t) k * points->d;
	const size_t threads = (size_t) env->threads;

	*run = (RmlKmeansRun){.points = points, .k = k};
	rml_kmeans_centers_make(&run->centers, points, k);
	run->from = RML_NEW_ZERO(env, double, values);
	run->labels = RML_NEW(env, int32_t, (size_t) points->n_padded);
	run->bound = RML_NEW(env, float, (size_t) points->n_padded);
	run->drift = RML_NEW(env, float, (size_t) k);
	run->sums = RML_NEW(env, int64_t, values);
	run->counts = RML_NEW(env, int64_t, (size_t) k);
	run->thread_sums = RML_NEW(env, int64_t, threads * values);
	run->thread_counts = RML_NEW(env, int64_t, threads * k);
	run->thread_changed = RML_NEW(env, int64_t, threads);
	run->scratch = rml_kmeans_scratch_make(points);
}

void
rml_kmeans_run_release(RmlKmeansRun *run)
{
	RmlEnv	   *env = run->points->env;

	rml_kmeans_centers_release(&run->centers, env);
	rml_kmeans_scratch_release(run->scratch, env);
	rml_release(env, run->from);
	rml_release(env, run->labels);
	rml_release(env, run->bound);
	rml_release(env, run->drift);
	rml_release(env, run->sums);
	rml_release(env, run->counts);
	rml_release(env, run->thread_sums);
	rml_release(env, run->thread_counts);
	rml_release(env, run->thread_changed);
}

size_t
rml_kmeans_bytes(const RmlKmeansParams *params, int64_t n, int d, int threads)
{
	size_t		values = (size_t) params->k * (size_t) d;
	size_t		per_row = (size_t) n * (sizeof(int32_t) + sizeof(float));
	/* centres twice as float8 and once as float4, kept and best ones, sums of each thread */
	size_t		per_value = values * sizeof(double) * (size_t) (7 + threads);

	return rml_kmeans_points_bytes(n, d) + per_row + per_value +
		rml_kmeans_scratch_bytes(d, threads) + rml_kmeans_exact_bytes(n, d, params->k, threads) +
		(size_t) params->k * sizeof(int64_t) * (size_t) (8 + threads);
}

/* ---- restarts ---- */

#ifndef BEST
#define BEST 3
#endif

/* a restart that is kept: enough to get its labels back */
typedef struct Kept
{
	double	   *from;			/* [k x d] centres its labels belong to */
	double		inertia;
	int64_t		n_iter;
	bool		strict;
	bool		converged;
} Kept;

static void
keep(Kept *kept, const RmlKmeansRun *run)
{
	memcpy(kept->from, run->from, (size_t) run->k * run->points->d * sizeof(double));
	kept->inertia = run->inertia;
	kept->n_iter = run->n_iter;
	kept->strict = run->strict;
	kept->converged = run->converged;
}

static void
restore(RmlKmeansRun *run, const Kept *kept)
{
	memcpy(run->centers.z, kept->from, (size_t) run->k * run->points->d * sizeof(double));
	rml_kmeans_lloyd(run, 1, 0.0);
	run->n_iter = kept->n_iter;
	run->strict = kept->strict;
	run->converged = kept->converged;
}

static void
offer(Kept *kept, int n, const RmlKmeansRun *run)
{
	int i;
	for (i = 0; i < n; i++)
		if (fabs(run->inertia - kept[i].inertia) <= 1e-6 * run->inertia)
			return;
	if (run->inertia >= kept[n - 1].inertia) return;
	Kept k = kept[n-1];
	keep(&k, run);
	for (i = n - 1; i > 0 && kept[i-1].inertia > k.inertia; i--)
		kept[i] = kept[i-1];
	kept[i] = k;
}

static bool
restarts(RmlKmeansRun *run, const RmlKmeansParams *params)
{
	RmlEnv	   *env = run->points->env;
	const double tolerance = params->tol * run->points->variance;
	Kept		best[BEST];
	Kept		fin={.inertia=INFINITY};
	int64_t		spent = 0;

	for (int i = 0; i < BEST; i++)
	{
		best[i].inertia = INFINITY;
		best[i].from = RML_NEW(env, double, (size_t) run->k * run->points->d);
	}
	fin.from = RML_NEW(env, double, (size_t) run->k * run->points->d);
	for (int64_t restart = 0; restart < params->n_init; restart++)
	{
		if (!rml_kmeans_init(run, params, restart))
			return false;
		rml_kmeans_lloyd(run, params->max_iter, tolerance);
		spent += run->n_iter;
		offer(best, BEST, run);
	}
	if (params->n_init > 1)
	{
		for (int i = 0; i < BEST; i++)
		{
			if (best[i].inertia == INFINITY) continue;
			restore(run, best + i);
			rml_kmeans_refine(run, params, spent);
			if (run->inertia < fin.inertia) keep(&fin, run);
		}
		restore(run, &fin);
	}
	return true;
}

/* ---- the fit ---- */

/*
 * Rows that differ in float8 only: the first k distinct rows are the first centroids, and all
 * iterations happen in float8.
 */
static void
start_from_rows(RmlKmeansRun *run, const int64_t *rows, RmlKmeans *out)
{
	const size_t d = (size_t) run->points->d;

	for (int c = 0; c < run->k; c++)
		memcpy(out->centroids + c * d, run->points->x + (size_t) rows[c] * d, d * sizeof(double));
	memset(run->labels, -1, (size_t) run->points->n_padded * sizeof(int32_t));
	run->strict = run->converged = true;
	run->n_iter = 0;
}

static void
fit_points(RmlKmeansPoints *points, const RmlKmeansParams *params, const int64_t *rows,
		   RmlKmeans *out, int32_t *labels)
{
	RmlKmeansRun run;
	bool		labelled;

	rml_kmeans_run_make(&run, points, (int) params->k);
	labelled = restarts(&run, params);
	if (!labelled)
		start_from_rows(&run, rows, out);
	rml_kmeans_exact(&run, params->max_iter, labelled, out);
	if (labels != NULL)
		memcpy(labels, run.labels, (size_t) points->n * sizeof(int32_t));
	rml_kmeans_run_release(&run);
}

static const char *
check_distinct(RmlEnv *env, int64_t found, int64_t k)
{
	if (found == k)
		return NULL;
	return rml_format(env, "k is %lld but only %lld row%s distinct", (long long) k,
					  (long long) found, found == 1 ? " is" : "s are");
}

const char *
rml_kmeans_fit(RmlEnv *env, const RmlKmeansParams *params, const double *x, int64_t n, int d,
			   RmlKmeans *out, int32_t *labels)
{
	const char *reason = rml_kmeans_check(env, params, n, d);
	RmlKmeansPoints points;
	int64_t    *rows;

	if (reason != NULL)
		return reason;
	rows = RML_NEW(env, int64_t, (size_t) params->k);
	reason = check_distinct(env, rml_kmeans_distinct(env, x, n, d, params->k, rows), params->k);
	if (reason == NULL)
		reason = rml_kmeans_points_make(&points, env, x, n, d);
	if (reason == NULL)
	{
		*out = (RmlKmeans){.k = params->k, .d = d};
		out->centroids = RML_NEW(env, double, (size_t) out->k * (size_t) d);
		out->sizes = RML_NEW(env, int64_t, (size_t) out->k);
		fit_points(&points, params, rows, out, labels);
		rml_kmeans_points_release(&points);
	}
	rml_release(env, rows);
	return reason;
}
