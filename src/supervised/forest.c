/*
 * forest.c
 *	  Fitting random forests and single trees.
 */
#include "retailml/forest.h"

#include <math.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/rng.h"
#include "retailml/tasks.h"
#include "retailml/tree_expression.h"
#include "retailml/tree_shap.h"

#include "tree_internal.h"

#define FOREST_VERSION 1
#define TREE_VERSION 1

/* random streams of tree t: 2 t draws its rows, 2 t + 1 its features */
#define OOB_BLOCK_ROWS 128

/* rows of a leaf unless told otherwise; smaller ones make probabilities that are too sure */
#define LEAST_LEAF 5.0

/* a leaf has at least this part of the rows, so that models stay in bounds */
#define LEAF_PARTS 20000

static const RmlOption forest_options[] = {
	RML_SUPERVISED_OPTIONS(RmlForestParams),
	RML_INT_OPTION(RmlForestParams, n_trees, 100, 1, 10000),
	RML_INT_OPTION(RmlForestParams, max_depth, 0, 0, 1000),
	RML_AUTO_OPTION(RmlForestParams, min_samples_leaf, 1, 1e9),
	RML_INT_OPTION(RmlForestParams, min_samples_split, 2, 2, 1e9),
	RML_AUTO_OPTION(RmlForestParams, max_features, 1, 1e6),
	RML_BOOL_OPTION(RmlForestParams, bootstrap, true),
};

static const RmlOption tree_options[] = {
	RML_SUPERVISED_OPTIONS(RmlForestParams),
	RML_INT_OPTION(RmlForestParams, max_depth, 5, 0, 1000),
	{"min_samples_leaf", RML_OPTION_AUTO, offsetof(RmlForestParams, min_samples_leaf), 10, 1, 1e9,
	 NULL},
	RML_INT_OPTION(RmlForestParams, min_samples_split, 2, 2, 1e9),
};

/* ---- settings ---- */

static double
min_samples_leaf(const RmlForestParams *params, const RmlTrainingSet *rows)
{
	double share = floor((double) rows->n / LEAF_PARTS);

	if (params->min_samples_leaf != RML_AUTO)
		return params->min_samples_leaf;
	return share > LEAST_LEAF ? share : LEAST_LEAF;
}

static int64_t
max_features(const RmlForestParams *params, const RmlTrainingSet *rows)
{
	int d = rows->schema->d_num + rows->schema->d_cat;
	double wanted = params->max_features;

	/* a single tree, which has no such option, tries them all */
	if (params->n_trees == 0)
		return d;
	if (wanted == RML_AUTO)
		wanted = rows->target.task == RML_CLASSIFICATION ? floor(sqrt(d)) : floor(d / 3.0);
	if (wanted < 1)
		wanted = 1;
	return wanted < d ? (int64_t) wanted : d;
}

static int
n_outputs(const RmlTarget *target)
{
	return target->n_classes > 2 ? target->n_classes : 1;
}

/* ---- one tree ---- */

typedef struct Forest
{
	const RmlForestParams *params;
	const RmlTrainingSet *rows;
	const RmlBins *bins;
	RmlGrowRules rules;
	double label_unit; /* labels and weights are multiplied by these first (rml_tree_unit) */
	double weight_unit;
	double mean;      /* of a numeric label in its unit, subtracted from it */
	RmlTrees *trees;  /* [n_trees] */
	uint8_t **in_bag; /* [n_trees][n / 8]: drawn rows, of the first oob_rows */
	int64_t oob_rows;
	double *oob_scores; /* [oob_rows x outputs] */
	bool *oob_scored;   /* [oob_rows] */
	int outputs;
} Forest;

static double
label_of(const Forest *forest, int64_t i)
{
	const RmlTrainingSet *rows = forest->rows;

	return rows->y != NULL ? rows->y[i] * forest->label_unit - forest->mean
						   : (double) rows->classes[i];
}

static double
weight_of(const Forest *forest, int64_t i)
{
	return forest->rows->weights == NULL ? 1.0 : forest->rows->weights[i] * forest->weight_unit;
}

/* times each row is drawn */
static uint16_t *
draw_rows(RmlEnv *env, const Forest *forest, int64_t tree, bool bootstrap)
{
	int64_t n = forest->rows->n;
	uint16_t *times = RML_NEW(env, uint16_t, (size_t) n);
	uint64_t seed = (uint64_t) forest->params->common.seed;

	if (!bootstrap)
	{
		for (int64_t i = 0; i < n; i++)
			times[i] = 1;
		return times;
	}
	memset(times, 0, sizeof(uint16_t) * (size_t) n);
	for (int64_t i = 0; i < n; i++)
	{
		int64_t row =
			(int64_t) rml_rng_below(seed, (uint64_t) (2 * tree), (uint64_t) i, (uint64_t) n);

		times[row] += times[row] < UINT16_MAX;
		if (i % 100000 == 0)
			rml_poll(env);
	}
	return times;
}

/* the drawn rows, in their order; returns their number */
static int64_t
gather_rows(RmlEnv *env, const Forest *forest, const uint16_t *times, RmlGrowRow *rows)
{
	int64_t n = 0;

	for (int64_t i = 0; i < forest->rows->n; i++)
	{
		float weight = (float) (times[i] * weight_of(forest, i));

		if (weight > 0)
			rows[n++] = (RmlGrowRow){(int32_t) i, weight, label_of(forest, i)};
		if (i % 100000 == 0)
			rml_poll(env);
	}
	return n;
}

static void
note_in_bag(const Forest *forest, int64_t tree, const uint16_t *times)
{
	for (int64_t i = 0; i < forest->oob_rows; i++)
		if (times[i] > 0)
			forest->in_bag[tree][i / 8] |= (uint8_t) (1 << (i % 8));
}

static void
grow_tree(RmlEnv *env, int64_t tree, void *context)
{
	Forest *forest = context;
	RmlGrowRow *rows = RML_NEW(env, RmlGrowRow, (size_t) forest->rows->n);
	uint16_t *times = draw_rows(env, forest, tree, forest->params->bootstrap);
	int64_t n = gather_rows(env, forest, times, rows);
	RmlGrowRules rules = forest->rules;
	RmlBuilder builder;

	if (n == 0)
	{
		/* none of the drawn rows has a weight: all rows know more than no row does */
		rml_release(env, times);
		times = draw_rows(env, forest, tree, false);
		n = gather_rows(env, forest, times, rows);
	}
	rules.stream = (uint64_t) (2 * tree + 1);
	note_in_bag(forest, tree, times);
	rml_release(env, times);
	rml_builder_init(&builder, env, forest->bins, forest->outputs);
	rml_tree_grow(&builder, &rules, rows, n);
	rml_release(env, rows);
	forest->trees[tree] = builder.tree;
}

/* ---- out-of-bag score ---- */

static void
score_block(void *context, int64_t block, int thread)
{
	Forest *forest = context;
	const RmlTrainingSet *rows = forest->rows;
	int d_num = rows->schema->d_num, d_cat = rows->schema->d_cat;
	int64_t end = rml_block_end(block, OOB_BLOCK_ROWS, forest->oob_rows);

	(void) thread;
	for (int64_t i = block * OOB_BLOCK_ROWS; i < end; i++)
	{
		double *scores = forest->oob_scores + i * forest->outputs;
		int64_t n = 0;

		for (int64_t t = 0; t < forest->params->n_trees; t++)
		{
			const RmlTrees *tree = &forest->trees[t];
			const RmlTreeNode *leaf;

			if (forest->in_bag[t][i / 8] >> (i % 8) & 1)
				continue;
			leaf = rml_tree_leaf(tree, 0, rows->numbers + i * d_num, rows->codes + i * d_cat);
			for (int k = 0; k < forest->outputs; k++)
				scores[k] += rml_tree_leaf_value(tree, leaf, k);
			n++;
		}
		for (int k = 0; k < forest->outputs && n > 0; k++)
			scores[k] /= (double) n;
		forest->oob_scored[i] = n > 0;
	}
}

static int
predicted_class(const Forest *forest, const double *scores)
{
	int best = 0;

	if (forest->outputs == 1)
		return scores[0] >= 0.5;
	for (int k = 1; k < forest->outputs; k++)
		if (scores[k] > scores[best])
			best = k;
	return best;
}

/* share of the scored rows whose class is right */
static double
oob_accuracy(const Forest *forest)
{
	int64_t n = 0, right = 0;

	for (int64_t i = 0; i < forest->oob_rows; i++)
		if (forest->oob_scored[i])
		{
			n++;
			right += predicted_class(forest, forest->oob_scores + i * forest->outputs) ==
					 forest->rows->classes[i];
		}
	return n > 0 ? (double) right / (double) n : NAN;
}

static double
oob_r2(const Forest *forest)
{
	double sum = 0.0, total = 0.0, residual = 0.0;
	int64_t n = 0;

	for (int64_t i = 0; i < forest->oob_rows; i++)
		if (forest->oob_scored[i])
		{
			n++;
			sum += label_of(forest, i);
		}
	for (int64_t i = 0; i < forest->oob_rows; i++)
		if (forest->oob_scored[i])
		{
			double y = label_of(forest, i);

			total += (y - sum / (double) n) * (y - sum / (double) n);
			residual += (y - forest->oob_scores[i]) * (y - forest->oob_scores[i]);
		}
	return total > 0 ? 1.0 - residual / total : NAN;
}

static double
oob_score(RmlEnv *env, Forest *forest)
{
	if (!forest->params->bootstrap || forest->params->n_trees == 0)
		return NAN;
	rml_parallel(env, rml_blocks(forest->oob_rows, OOB_BLOCK_ROWS), score_block, forest);
	return forest->rows->y != NULL ? oob_r2(forest) : oob_accuracy(forest);
}

/* ---- the forest ---- */

static double
mean_label(const Forest *forest)
{
	const RmlTrainingSet *rows = forest->rows;
	double sum = 0.0, weight = 0.0, first;

	if (rows->y == NULL)
		return 0.0;
	first = rows->y[0] * forest->label_unit;
	for (int64_t i = 0; i < rows->n; i++)
	{
		sum += weight_of(forest, i) * (rows->y[i] * forest->label_unit - first);
		weight += weight_of(forest, i);
	}
	return first + sum / weight;
}

static void
choose_units(Forest *forest)
{
	const RmlTrainingSet *rows = forest->rows;

	forest->label_unit = rows->y == NULL ? 1.0 : rml_tree_unit(rml_tree_largest(rows->y, rows->n));
	forest->weight_unit =
		rows->weights == NULL ? 1.0 : rml_tree_unit(rml_tree_largest(rows->weights, rows->n));
}

static void
prepare(RmlEnv *env, Forest *forest, int64_t n_trees)
{
	const RmlForestParams *params = forest->params;
	const RmlTrainingSet *rows = forest->rows;

	forest->outputs = n_outputs(&rows->target);
	choose_units(forest);
	forest->mean = mean_label(forest);
	forest->rules = (RmlGrowRules){.split = {.outputs = forest->outputs,
											 .min_rows = min_samples_leaf(params, rows)},
								   .max_depth = params->max_depth,
								   .max_features = max_features(params, rows),
								   .min_split = (double) params->min_samples_split,
								   .seed = (uint64_t) params->common.seed};
	forest->oob_rows = rows->n < RML_OOB_ROWS ? rows->n : RML_OOB_ROWS;
	forest->oob_scores = RML_NEW_ZERO(env, double, (size_t) (forest->oob_rows * forest->outputs));
	forest->oob_scored = RML_NEW_ZERO(env, bool, (size_t) forest->oob_rows);
	forest->trees = RML_NEW_ZERO(env, RmlTrees, (size_t) n_trees);
	forest->in_bag = RML_NEW(env, uint8_t *, (size_t) n_trees);
	for (int64_t t = 0; t < n_trees; t++)
		forest->in_bag[t] = RML_NEW_ZERO(env, uint8_t, (size_t) (forest->oob_rows / 8 + 1));
}

/* what tasks work on, in the arena: a cancelled fit leaves its stack before they have ended */
static Forest *
forest_of(RmlEnv *env, const RmlForestParams *params, const RmlTrainingSet *rows, RmlBins *bins)
{
	Forest *forest = RML_NEW_ZERO(env, Forest, 1);
	RmlTrainingSet *own = RML_NEW(env, RmlTrainingSet, 1);

	*own = *rows;
	forest->params = params;
	forest->rows = own;
	forest->bins = bins;
	return forest;
}

static void *
fit_trees(RmlEnv *env, const RmlForestParams *params, const RmlTrainingSet *rows, int64_t n_trees)
{
	RmlTreeModel *model = RML_NEW_ZERO(env, RmlTreeModel, 1);
	RmlBins *bins = RML_NEW_ZERO(env, RmlBins, 1);
	Forest *forest = forest_of(env, params, rows, bins);
	RmlTasks *tasks;

	rml_bins_make(bins, env, rows);
	rml_bins_make_rows(bins, env);
	prepare(env, forest, n_trees);
	tasks = rml_tasks_run(env, n_trees, grow_tree, forest);
	rml_release(env, bins->columns);
	rml_release(env, bins->rows);
	model->target = rows->target;
	model->link = RML_LINK_IDENTITY;
	model->scale = 1.0 / (double) n_trees / forest->label_unit;
	model->base = RML_NEW_ZERO(env, double, (size_t) forest->outputs);
	model->base[0] = forest->mean / forest->label_unit;
	model->oob_score = oob_score(env, forest);
	model->holdout_loss = NAN;
	rml_trees_join(env, forest->trees, (int) n_trees, 1, &model->trees);
	rml_tasks_free(tasks);
	return model;
}

static void *
fit_forest(RmlEnv *env, const void *params, const RmlTrainingSet *rows, const char **reason)
{
	(void) reason;
	return fit_trees(env, params, rows, ((const RmlForestParams *) params)->n_trees);
}

static void *
fit_tree(RmlEnv *env, const void *params, const RmlTrainingSet *rows, const char **reason)
{
	(void) reason;
	return fit_trees(env, params, rows, 1);
}

static const char *
check(RmlEnv *env, const void *params, const RmlTrainingSet *rows)
{
	(void) params;
	if (rows->n > INT32_MAX)
		return rml_format(env, "%lld rows are more than trees can be grown on (%d)",
						  (long long) rows->n, INT32_MAX);
	return NULL;
}

static size_t
fit_bytes(const void *params, int64_t n, int d_num, int d_cat, int n_classes, int threads)
{
	size_t each = rml_tree_grow_bytes(n) + (size_t) n * sizeof(uint16_t);

	(void) params;
	(void) n_classes;
	return rml_bins_bytes(n, d_num + d_cat) + (size_t) n * (size_t) (d_num + d_cat) +
		   (size_t) threads * each;
}

static size_t
tree_bytes(const void *params, int64_t n, int d_num, int d_cat, int n_classes, int threads)
{
	(void) threads;
	return fit_bytes(params, n, d_num, d_cat, n_classes, 1);
}

/* ---- the table rows ---- */

const RmlAlgorithm rml_forest_algorithm = {
	.id = RML_ALGORITHM_FOREST,
	.version = FOREST_VERSION,
	.name = "forest",
	.options = forest_options,
	.n_options = sizeof forest_options / sizeof forest_options[0],
	.params_size = sizeof(RmlForestParams),
	.decode = rml_tree_model_decode,
	.encode = rml_tree_model_encode,
	.predict = rml_tree_model_predict,
	.describe = rml_tree_model_describe,
	.supervised = true,
	.proba = rml_tree_model_proba,
	.explain = rml_trees_explain,
	.importance = rml_tree_importance,
	.expression = rml_trees_expression,
};

const RmlAlgorithm rml_tree_algorithm = {
	.id = RML_ALGORITHM_TREE,
	.version = TREE_VERSION,
	.name = "tree",
	.options = tree_options,
	.n_options = sizeof tree_options / sizeof tree_options[0],
	.params_size = sizeof(RmlForestParams),
	.decode = rml_tree_model_decode,
	.encode = rml_tree_model_encode,
	.predict = rml_tree_model_predict,
	.describe = rml_tree_model_describe,
	.supervised = true,
	.proba = rml_tree_model_proba,
	.explain = rml_trees_explain,
	.importance = rml_tree_importance,
	.expression = rml_trees_expression,
};

const RmlLearner rml_forest_learner = {
	.algorithm = &rml_forest_algorithm, .check = check, .bytes = fit_bytes, .fit = fit_forest};

const RmlLearner rml_tree_learner = {
	.algorithm = &rml_tree_algorithm, .check = check, .bytes = tree_bytes, .fit = fit_tree};
