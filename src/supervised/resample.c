/*
 * resample.c
 *	  Balancing classes: first a list of what each new row is made of, then the rows.
 */
#include "retailml/resample.h"

#include <string.h>

#include "resample_internal.h"

#define POLL_EVERY (1 << 18)

const char *const rml_resample_names[] = {"none", "over", "under", "smote", NULL};

static void
poll_sometimes(RmlEnv *env, int64_t i)
{
	if (i % POLL_EVERY == POLL_EVERY - 1)
		rml_poll(env);
}

/* ---- sizes ---- */

void
rml_resample_count(const RmlTrainingSet *rows, int64_t *counts)
{
	memset(counts, 0, sizeof(int64_t) * (size_t) rows->target.n_classes);
	for (int64_t i = 0; i < rows->n; i++)
		counts[rows->classes[i]]++;
}

/* rows that each class is to have; *present classes have any */
static int64_t
rows_per_class(RmlResample how, const int64_t *counts, int n_classes, int *present)
{
	int64_t most = 0, least = INT64_MAX;

	*present = 0;
	for (int k = 0; k < n_classes; k++)
		if (counts[k] > 0)
		{
			(*present)++;
			most = counts[k] > most ? counts[k] : most;
			least = counts[k] < least ? counts[k] : least;
		}
	return *present == 0 ? 0 : how == RML_RESAMPLE_UNDER ? least : most;
}

const char *
rml_resample_check(RmlResample how, const RmlTrainingSet *rows)
{
	if (how != RML_RESAMPLE_NONE && rows->target.task == RML_REGRESSION)
		return "only classes can be resampled";
	return NULL;
}

int64_t
rml_resample_rows(RmlResample how, const RmlTrainingSet *rows)
{
	int64_t counts[RML_MAX_CLASSES];
	int present;
	int64_t wanted;

	if (how == RML_RESAMPLE_NONE)
		return rows->n;
	rml_resample_count(rows, counts);
	wanted = rows_per_class(how, counts, rows->target.n_classes, &present);
	return wanted * present;
}

/* lists of neighbours of all classes, and the largest search */
static size_t
smote_bytes(const RmlTrainingSet *rows)
{
	const int d_num = rows->schema->d_num, d_cat = rows->schema->d_cat;
	int64_t counts[RML_MAX_CLASSES], lists = 0, largest = 0;

	rml_resample_count(rows, counts);
	for (int k = 0; k < rows->target.n_classes; k++)
	{
		int64_t pool = rml_smote_pool(counts[k], d_num + d_cat);

		lists += pool * RML_SMOTE_NEIGHBOURS;
		largest = pool > largest ? pool : largest;
	}
	return sizeof(int64_t) * (size_t) lists + rml_smote_search_bytes(largest, d_num, d_cat);
}

size_t
rml_resample_bytes(RmlResample how, const RmlTrainingSet *rows)
{
	size_t per_row = sizeof(double) * ((size_t) rows->schema->d_num + 1) +
					 sizeof(int32_t) * ((size_t) rows->schema->d_cat + 1) + sizeof(RmlResampleDraw);

	if (how == RML_RESAMPLE_NONE)
		return 0;
	return per_row * (size_t) rml_resample_rows(how, rows) + sizeof(int64_t) * (size_t) rows->n +
		   sizeof(int64_t) * 4 * ((size_t) rows->target.n_classes + 1) +
		   sizeof(int8_t) * (size_t) rows->n + (how == RML_RESAMPLE_SMOTE ? smote_bytes(rows) : 0);
}

/* ---- drawing ---- */

static void
group_members(RmlResamplePlan *plan)
{
	const RmlTrainingSet *rows = plan->rows;
	int64_t *next = RML_NEW_ZERO(plan->env, int64_t, (size_t) plan->n_classes);

	plan->members = RML_NEW(plan->env, int64_t, (size_t) rows->n);
	plan->start = RML_NEW(plan->env, int64_t, (size_t) plan->n_classes + 1);
	rml_resample_count(rows, next);
	plan->start[0] = 0;
	for (int k = 0; k < plan->n_classes; k++)
	{
		plan->start[k + 1] = plan->start[k] + next[k];
		next[k] = plan->start[k];
	}
	for (int64_t i = 0; i < rows->n; i++)
	{
		plan->members[next[rows->classes[i]]++] = i;
		poll_sometimes(plan->env, i);
	}
	rml_release(plan->env, next);
}

static int64_t
class_size(const RmlResamplePlan *plan, int k)
{
	return plan->start[k + 1] - plan->start[k];
}

static void
add_draw(RmlResamplePlan *plan, int k, int64_t row, const int64_t *neighbours, int n_neighbours)
{
	plan->draws[plan->n++] = (RmlResampleDraw){row, neighbours, n_neighbours, k};
	poll_sometimes(plan->env, plan->n);
}

static void
draw_all(RmlResamplePlan *plan, int k)
{
	for (int64_t i = plan->start[k]; i < plan->start[k + 1]; i++)
		add_draw(plan, k, plan->members[i], NULL, 0);
}

static void
draw_repeated(RmlResamplePlan *plan, int k)
{
	for (int64_t i = class_size(plan, k); i < plan->wanted; i++)
		add_draw(plan, k,
				 plan->members[plan->start[k] + rml_resample_below(plan, RML_DRAW_STREAM, plan->n,
																   class_size(plan, k))],
				 NULL, 0);
}

/* new rows, those of the class taking turns */
static void
draw_synthetic(RmlResamplePlan *plan, int k)
{
	const RmlSchema *schema = plan->rows->schema;
	const int64_t *members = plan->members + plan->start[k];
	const int64_t pool = rml_smote_pool(class_size(plan, k), schema->d_num + schema->d_cat);
	const int64_t missing = plan->wanted - class_size(plan, k);
	const int64_t n_queries = missing < pool ? missing : pool;
	const int neighbours = rml_smote_neighbours(pool);
	int64_t *lists = RML_NEW(plan->env, int64_t, (size_t) (n_queries * neighbours));

	plan->lists[k] = lists;
	rml_smote_search(plan->env, plan->rows, members, pool, n_queries, lists);
	for (int64_t i = 0; i < missing; i++)
		add_draw(plan, k, members[i % pool], lists + i % pool * neighbours, neighbours);
}

/* put the draws in random order (R. A. Fisher and F. Yates) */
static void
shuffle(RmlResamplePlan *plan)
{
	for (int64_t i = plan->n - 1; i > 0; i--)
	{
		int64_t other = rml_resample_below(plan, RML_ORDER_STREAM, i, i + 1);
		RmlResampleDraw swap = plan->draws[i];

		plan->draws[i] = plan->draws[other];
		plan->draws[other] = swap;
		poll_sometimes(plan->env, i);
	}
}

static void
draw_over(RmlResamplePlan *plan)
{
	for (int k = 0; k < plan->n_classes; k++)
	{
		int64_t size = class_size(plan, k);

		if (size == 0)
			continue;
		draw_all(plan, k);
		if (plan->how == RML_RESAMPLE_SMOTE && size > 1 && size < plan->wanted)
			draw_synthetic(plan, k);
		else
			draw_repeated(plan, k);
	}
	shuffle(plan);
}

/* mark in kept [n] the rows of a class that stay: the first steps of a shuffle of its members */
static void
mark_kept(RmlResamplePlan *plan, int k, bool *kept)
{
	int64_t *members = plan->members + plan->start[k];
	int64_t size = class_size(plan, k);

	for (int64_t i = 0; i < plan->wanted && i < size; i++)
	{
		int64_t other = i + rml_resample_below(plan, RML_DRAW_STREAM, plan->start[k] + i, size - i);
		int64_t swap = members[i];

		members[i] = members[other];
		members[other] = swap;
		kept[members[i]] = true;
		poll_sometimes(plan->env, i);
	}
}

static void
draw_under(RmlResamplePlan *plan)
{
	bool *kept = RML_NEW_ZERO(plan->env, bool, (size_t) plan->rows->n);

	for (int k = 0; k < plan->n_classes; k++)
		mark_kept(plan, k, kept);
	for (int64_t i = 0; i < plan->rows->n; i++)
	{
		if (kept[i])
			add_draw(plan, plan->rows->classes[i], i, NULL, 0);
		poll_sometimes(plan->env, i);
	}
	rml_release(plan->env, kept);
}

void
rml_resample(RmlEnv *env, RmlResample how, int64_t seed, const RmlTrainingSet *rows,
			 RmlTrainingSet *out)
{
	RmlResamplePlan plan = {.env = env,
							.rows = rows,
							.how = how,
							.seed = (uint64_t) seed,
							.n_classes = rows->target.n_classes};
	int64_t counts[RML_MAX_CLASSES];
	int present;

	*out = *rows;
	if (how == RML_RESAMPLE_NONE)
		return;
	rml_resample_count(rows, counts);
	plan.wanted = rows_per_class(how, counts, plan.n_classes, &present);
	plan.draws = RML_NEW(env, RmlResampleDraw, (size_t) (plan.wanted * present));
	plan.lists = RML_NEW_ZERO(env, int64_t *, (size_t) plan.n_classes);
	group_members(&plan);
	if (how == RML_RESAMPLE_UNDER)
		draw_under(&plan);
	else
		draw_over(&plan);
	rml_resample_make(&plan, out);
	for (int k = 0; k < plan.n_classes; k++)
		rml_release(env, plan.lists[k]);
	rml_release(env, plan.lists);
	rml_release(env, plan.draws);
	rml_release(env, plan.members);
	rml_release(env, plan.start);
}
