/*
 * resample_rows.c
 *	  The rows of a balanced training set, once it is known what each is made of.
 */
#include <math.h>
#include <string.h>

#include "resample_internal.h"
#include "retailml/parallel.h"

#define BLOCK_ROWS 4096

/* the most frequent of n values; of equally frequent ones that which comes first */
static double
mode_of(const double *values, int n)
{
	int best = 0, most = 0;

	for (int i = 0; i < n; i++)
	{
		int count = 0;

		for (int j = 0; j < n; j++)
			count += values[j] == values[i];
		if (count > most)
		{
			most = count;
			best = i;
		}
	}
	return values[best];
}

static double
between(double x, double y, double gap)
{
	double difference = y - x;

	return isfinite(difference) ? x + gap * difference : x * (1.0 - gap) + y * gap;
}

/* row i of those that come out: what the neighbours agree on, in one feature */
static void
vote(RmlResamplePlan *plan, int64_t i, const RmlFeature *feature)
{
	const RmlSchema *schema = plan->rows->schema;
	const RmlResampleDraw *draw = &plan->draws[i];
	double values[RML_SMOTE_NEIGHBOURS];

	for (int j = 0; j < draw->n_neighbours; j++)
		values[j] = feature->kind == RML_CATEGORICAL
						? plan->rows->codes[draw->neighbours[j] * schema->d_cat + feature->slot]
						: plan->rows->numbers[draw->neighbours[j] * schema->d_num + feature->slot];
	if (feature->kind == RML_CATEGORICAL)
		plan->codes[i * schema->d_cat + feature->slot] =
			(int32_t) mode_of(values, draw->n_neighbours);
	else
		plan->numbers[i * schema->d_num + feature->slot] = mode_of(values, draw->n_neighbours);
}

static void
make_synthetic(RmlResamplePlan *plan, int64_t i)
{
	const RmlTrainingSet *rows = plan->rows;
	const RmlSchema *schema = rows->schema;
	const RmlResampleDraw *draw = &plan->draws[i];
	const int64_t mate =
		draw->neighbours[rml_resample_below(plan, RML_MATE_STREAM, i, draw->n_neighbours)];
	const double gap = rml_rng_uniform(plan->seed, RML_GAP_STREAM, (uint64_t) i);

	for (int f = 0; f < schema->n_features; f++)
	{
		const RmlFeature *feature = &schema->features[f];

		if (feature->kind == RML_NUMERIC)
			plan->numbers[i * schema->d_num + feature->slot] =
				between(rows->numbers[draw->row * schema->d_num + feature->slot],
						rows->numbers[mate * schema->d_num + feature->slot], gap);
		else
			vote(plan, i, feature);
	}
	if (plan->weights != NULL)
		plan->weights[i] = 0.5 * rows->weights[draw->row] + 0.5 * rows->weights[mate];
}

static void
make_copy(RmlResamplePlan *plan, int64_t i)
{
	const RmlTrainingSet *rows = plan->rows;
	const size_t d_num = (size_t) rows->schema->d_num, d_cat = (size_t) rows->schema->d_cat;
	const size_t from = (size_t) plan->draws[i].row, to = (size_t) i;

	if (d_num > 0)
		memcpy(plan->numbers + to * d_num, rows->numbers + from * d_num, sizeof(double) * d_num);
	if (d_cat > 0)
		memcpy(plan->codes + to * d_cat, rows->codes + from * d_cat, sizeof(int32_t) * d_cat);
	if (plan->weights != NULL)
		plan->weights[to] = rows->weights[from];
}

static void
make_block(void *context, int64_t block, int thread)
{
	RmlResamplePlan *plan = context;
	int64_t end = rml_block_end(block, BLOCK_ROWS, plan->n);

	(void) thread;
	for (int64_t i = block * BLOCK_ROWS; i < end; i++)
	{
		plan->classes[i] = plan->draws[i].class;
		if (plan->draws[i].neighbours == NULL)
			make_copy(plan, i);
		else
			make_synthetic(plan, i);
	}
}

void
rml_resample_make(RmlResamplePlan *plan, RmlTrainingSet *out)
{
	const RmlSchema *schema = plan->rows->schema;
	RmlEnv *env = plan->env;

	plan->numbers = RML_NEW(env, double, (size_t) plan->n *(size_t) schema->d_num);
	plan->codes = RML_NEW(env, int32_t, (size_t) plan->n * (size_t) schema->d_cat);
	plan->classes = RML_NEW(env, int32_t, (size_t) plan->n);
	plan->weights = plan->rows->weights == NULL ? NULL : RML_NEW(env, double, (size_t) plan->n);
	rml_parallel(env, rml_blocks(plan->n, BLOCK_ROWS), make_block, plan);
	out->n = plan->n;
	out->numbers = plan->numbers;
	out->codes = plan->codes;
	out->classes = plan->classes;
	out->weights = plan->weights;
	out->target.counts = RML_NEW(env, int64_t, (size_t) plan->n_classes);
	rml_resample_count(out, out->target.counts);
}
