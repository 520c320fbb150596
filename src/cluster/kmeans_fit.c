/*
 * kmeans_fit.c
 *	  The driver of a k-means fit: restarts, the best of them, memory.
 */
#include <math.h>
#include <string.h>

#include "kmeans_internal.h"

/* restarts that are refined, and how many rounds without success each may take */
#define KEPT 4
#define PATIENCE_BEST 8
#define PATIENCE_OTHERS 3

/* modes change in jumps, so there are more local minima, and as many times more patience */
#define PATIENCE_MIXED 4

/*
 * Iterations that refinement may take, in those that all restarts took.  Many rows blur the
 * differences between local minima that refinement is about, and make it dear.
 */
#define BUDGET 8
#define BUDGET_MANY_ROWS 2
#define MANY_ROWS 65536

/* restarts whose inertia differs by less than this found the same centres */
#define SAME_INERTIA 1e-6

void
rml_kmeans_run_make(RmlKmeansRun *run, const RmlKmeansPoints *points, int k)
{
	RmlEnv *env = points->env;
	*run = (RmlKmeansRun){.points = points, .k = k};
	rml_kmeans_centers_make(&run->centers, points, k);
	run->from = RML_NEW_ZERO(env, double, (size_t) k * points->width);
	run->labels = RML_NEW(env, int32_t, (size_t) points->n_padded);
	run->bound = RML_NEW(env, float, (size_t) points->n_padded);
	run->drift = RML_NEW(env, float, (size_t) k);
	run->sums = RML_NEW(env, int64_t, (size_t) k * points->sum_width);
	run->counts = RML_NEW(env, int64_t, (size_t) k);
	run->scratch = rml_kmeans_scratch_make(points, k);
}

void
rml_kmeans_run_release(RmlKmeansRun *run)
{
	RmlEnv *env = run->points->env;

	rml_kmeans_centers_release(&run->centers, env);
	rml_kmeans_scratch_release(run->scratch, env);
	rml_release(env, run->from);
	rml_release(env, run->labels);
	rml_release(env, run->bound);
	rml_release(env, run->drift);
	rml_release(env, run->sums);
	rml_release(env, run->counts);
}

size_t
rml_kmeans_run_bytes(const RmlKmeansShape *shape, int64_t n, int64_t k, int threads)
{
	const size_t width = (size_t) shape->d + (size_t) shape->d_cat;
	const size_t sum_width = (size_t) shape->d + (size_t) shape->n_codes;

	/* labels and bounds; centres as float8 twice and as float4, sums; counts, drifts, moves */
	return ((size_t) n + RML_KMEANS_TILE) * (sizeof(int32_t) + sizeof(float)) +
		   (size_t) k * width * (2 * sizeof(double) + sizeof(float)) +
		   (size_t) k * sum_width * sizeof(int64_t) + (size_t) (k + 4) * 32 +
		   rml_kmeans_scratch_bytes(shape, k, threads);
}

size_t
rml_kmeans_rows_bytes(const RmlKmeansParams *params, const RmlKmeansShape *shape, int64_t n,
					  int threads)
{
	const int64_t k = params->k;
	const int64_t sample = rml_kmeans_sample_size(n, k);
	const size_t values = (size_t) k * ((size_t) shape->d + (size_t) shape->d_cat);
	const size_t seeding =
		rml_kmeans_points_bytes(shape, sample) + rml_kmeans_run_bytes(shape, sample, k, threads);
	const size_t refining = rml_kmeans_refine_bytes(shape, n, k, threads);
	const size_t result = rml_kmeans_exact_bytes(shape, n, k);
	size_t last = sample > 0 && seeding > refining ? seeding : refining;

	last = last > result ? last : result;
	/* rows that are kept for first centres, what is kept of restarts, the model */
	return rml_kmeans_points_bytes(shape, n) + rml_kmeans_run_bytes(shape, n, k, threads) + last +
		   (size_t) k * 16 + values * sizeof(double) * (KEPT + 2) + (size_t) shape->d * 64;
}

size_t
rml_kmeans_bytes(const RmlKmeansParams *params, int64_t n, int d, int threads)
{
	const RmlKmeansShape shape = {.d = d};

	return rml_kmeans_rows_bytes(params, &shape, n, threads);
}

/* ---- restarts ---- */

/* a restart's centres take their place among those kept, the best first */
static void
offer(RmlKmeansKept *kept, int *n_kept, int most, const RmlKmeansRun *run)
{
	const size_t size = (size_t) run->k * run->points->width * sizeof(double);
	RmlKmeansKept last;
	int place;

	for (int i = 0; i < *n_kept; i++)
		if (fabs(run->inertia - kept[i].inertia) <= SAME_INERTIA * run->inertia)
			return;
	if (*n_kept == most && run->inertia >= kept[most - 1].inertia)
		return;
	if (*n_kept < most)
		(*n_kept)++;
	place = *n_kept - 1;
	last = kept[place];
	for (; place > 0 && kept[place - 1].inertia > run->inertia; place--)
		kept[place] = kept[place - 1];
	kept[place] = (RmlKmeansKept){last.z, run->inertia, run->n_iter};
	memcpy(last.z, run->centers.z, size);
}

/* exchanges, longest for the best; returns the best after them */
static const RmlKmeansKept *
refine_all(RmlKmeansRun *run, const RmlKmeansParams *params, RmlKmeansKept *kept, int n_kept,
		   int64_t budget)
{
	const RmlKmeansKept *best = kept;
	const int patience = run->points->d_cat > 0 ? PATIENCE_MIXED : 1;

	for (int i = 0; i < n_kept; i++)
	{
		rml_kmeans_refine(run, params, kept + i,
						  patience * (i == 0 ? PATIENCE_BEST : PATIENCE_OTHERS), &budget);
		if (kept[i].inertia < best->inertia)
			best = kept + i;
	}
	return best;
}

/* single rows of a few change their cluster, and Lloyd's iteration settles the rest, in turns */
static void
move_rows(RmlKmeansRun *run, const RmlKmeansParams *params)
{
	if (run->points->d_cat == 0 || run->points->n >= MANY_ROWS)
		return;
	for (int64_t i = 0; i < params->max_iter && rml_kprototypes_moves(run); i++)
	{
		int64_t before = run->n_iter;

		rml_kmeans_lloyd(run, params->max_iter, 0.0);
		run->n_iter += before;
	}
}

/*
 * All restarts, the best of them refined; run is left in its final state.  False when fewer than k
 * rows differ as float4.
 */
static bool
restarts(RmlKmeansRun *run, const RmlKmeansParams *params, RmlKmeansKept *kept)
{
	const double tolerance = params->tol * run->points->variance;
	const RmlKmeansKept *best;
	int64_t spent = 0, budget;
	int n_kept = 0;

	for (int64_t restart = 0; restart < params->n_init; restart++)
	{
		if (!rml_kmeans_init(run, params, restart))
			return false;
		rml_kmeans_lloyd(run, params->max_iter, tolerance);
		spent += run->n_iter;
		if (params->n_init > 1)
			offer(kept, &n_kept, KEPT, run);
	}
	if (params->n_init == 1)
	{
		move_rows(run, params);
		return true;
	}
	budget =
		spent * (run->points->n < MANY_ROWS ? BUDGET * (run->points->d_cat > 0 ? PATIENCE_MIXED : 1)
											: BUDGET_MANY_ROWS);
	best = refine_all(run, params, kept, n_kept, budget);
	memcpy(run->centers.z, best->z, (size_t) run->k * run->points->width * sizeof(double));
	rml_kmeans_lloyd(run, params->max_iter, 0.0);
	move_rows(run, params);
	run->n_iter += best->n_iter;
	return true;
}

static bool
find_labels(RmlKmeansRun *run, const RmlKmeansParams *params)
{
	RmlEnv *env = run->points->env;
	const size_t values = (size_t) run->k * run->points->width;
	double *memory = RML_NEW(env, double, KEPT *values);
	RmlKmeansKept kept[KEPT];
	bool found;

	for (int i = 0; i < KEPT; i++)
		kept[i] = (RmlKmeansKept){.z = memory + i * values};
	found = restarts(run, params, kept);
	rml_release(env, memory);
	return found;
}

/* ---- the fit ---- */

/*
 * Rows that differ in float8 only: the first k distinct rows are the first centroids, and all
 * iterations happen in float8.
 */
static void
start_from_rows(RmlKmeansRun *run, const int64_t *rows, RmlKmeans *out)
{
	for (int c = 0; c < run->k; c++)
		rml_kmeans_center_at(run->points, rows[c], out, c);
	memset(run->labels, -1, (size_t) run->points->n_padded * sizeof(int32_t));
	run->strict = run->converged = true;
	run->n_iter = 0;
}

static void
fit_points(RmlKmeansPoints *points, const RmlKmeansParams *params, const int64_t *rows,
		   RmlKmeans *out, int32_t *labels)
{
	RmlKmeansRun run;
	bool labelled;

	rml_kmeans_run_make(&run, points, (int) params->k);
	labelled = find_labels(&run, params);
	if (!labelled)
		start_from_rows(&run, rows, out);
	rml_kmeans_exact(&run, params->n_init > 1 ? params->max_iter : params->max_iter - run.n_iter,
					 labelled, out);
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

static void
begin_model(RmlEnv *env, const RmlKmeansRows *rows, int64_t k, RmlKmeans *out)
{
	const RmlKmeansShape *shape = &rows->shape;

	*out = (RmlKmeans){.k = k, .d = shape->d, .d_cat = shape->d_cat, .gamma = rows->gamma};
	out->centroids = RML_NEW(env, double, (size_t) k *(size_t) shape->d);
	out->modes = RML_NEW_ZERO(env, int32_t, (size_t) k * (size_t) shape->d_cat);
	out->sizes = RML_NEW(env, int64_t, (size_t) k);
	rml_segment_ids_init(&out->ids, env, k);
}

const char *
rml_kmeans_fit_rows(RmlEnv *env, const RmlKmeansParams *params, const RmlKmeansRows *rows,
					RmlKmeans *out, int32_t *labels)
{
	int64_t *distinct = RML_NEW(env, int64_t, (size_t) params->k);
	const char *reason =
		check_distinct(env, rml_kmeans_distinct(env, rows, params->k, distinct), params->k);
	RmlKmeansPoints points;

	if (reason == NULL)
		reason = rml_kmeans_points_make(&points, env, rows);
	if (reason == NULL)
	{
		begin_model(env, rows, params->k, out);
		fit_points(&points, params, distinct, out, labels);
		rml_kmeans_points_release(&points);
	}
	rml_release(env, distinct);
	return reason;
}

const char *
rml_kmeans_fit(RmlEnv *env, const RmlKmeansParams *params, const double *x, int64_t n, int d,
			   RmlKmeans *out, int32_t *labels)
{
	const RmlKmeansRows rows = {.x = x, .n = n, .shape = {.d = d}};
	const char *reason = rml_kmeans_check(env, params, n, d);

	return reason != NULL ? reason : rml_kmeans_fit_rows(env, params, &rows, out, labels);
}
