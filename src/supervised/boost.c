/*
 * boost.c
 *	  Gradient boosting: losses, rounds, early stopping.
 */
#include "retailml/boost.h"

#include <math.h>
#include <string.h>

#include "retailml/parallel.h"
#include "retailml/rng.h"
#include "retailml/tree_expression.h"
#include "retailml/tree_shap.h"

#include "tree_internal.h"

#define BOOST_VERSION 1

#define BLOCK_ROWS 8192

/* rows the training loss is made of */
#define LOSS_ROWS 8192

/* random streams */
#define STREAM_HOLDOUT 1
#define STREAM_ROWS 2
#define STREAM_FEATURES 3

/* what keeps small categories from being fitted one by one */
#define CATEGORY_SMOOTH 10.0
#define CATEGORY_L2 10.0

#define LEAST_HESSIAN 1e-3

/* 2^39: what larger weights become */
#define LARGE_WEIGHT 549755813888.0

static const RmlOption boost_options[] = {
	RML_SUPERVISED_OPTIONS(RmlBoostParams),
	RML_INT_OPTION(RmlBoostParams, n_trees, 100, 1, 100000),
	RML_FLOAT_OPTION(RmlBoostParams, learning_rate, 0.1, 1e-6, 1),
	RML_INT_OPTION(RmlBoostParams, max_depth, 3, 0, 1000),
	RML_INT_OPTION(RmlBoostParams, max_leaves, 31, 2, 4096),
	RML_INT_OPTION(RmlBoostParams, min_samples_leaf, 20, 1, 1e9),
	RML_FLOAT_OPTION(RmlBoostParams, l2, 0, 0, 1e9),
	RML_FLOAT_OPTION(RmlBoostParams, subsample, 1, 0.01, 1),
	RML_FLOAT_OPTION(RmlBoostParams, colsample, 1, 0.01, 1),
	RML_INT_OPTION(RmlBoostParams, early_stopping, 0, 0, 100000),
	RML_FLOAT_OPTION(RmlBoostParams, holdout, 0.1, 0.01, 0.5),
};

typedef struct Boosting
{
	RmlEnv *env;
	const RmlBoostParams *params;
	const RmlTrainingSet *rows;
	RmlLink link;
	double label_unit;      /* labels and weights are multiplied by these first (rml_tree_unit) */
	double weight_unit;     /* at most 1 */
	int groups;             /* trees of a round */
	double *scores;         /* [groups x n] in the label's unit */
	RmlGradient *gradients; /* [groups x n] */
	int32_t *training;      /* [n_training] rows, ascending */
	int64_t n_training;
	int32_t *holdout; /* [n_holdout] */
	int64_t n_holdout;
	int32_t *sample; /* [n] rows a tree is grown on */
	int64_t n_sample;
	bool *sampled; /* [n]; NULL: all training rows are */
	int *features; /* [d] */
	int n_features;
	RmlTrees *trees; /* [rounds x groups] */
	double *history; /* [rounds x 2] in the square of the label's unit */
} Boosting;

static double
row_weight(const Boosting *b, int64_t i)
{
	return b->rows->weights == NULL ? 1.0 : b->rows->weights[i] * b->weight_unit;
}

static double
row_error(const Boosting *b, int64_t i)
{
	return b->scores[i] - b->rows->y[i] * b->label_unit;
}

/* ---- losses ---- */

static void
squared_gradients(const Boosting *b, int64_t start, int64_t end)
{
	for (int64_t i = start; i < end; i++)
	{
		double w = row_weight(b, i);

		b->gradients[i] = (RmlGradient){(float) (w * row_error(b, i)), (float) w};
	}
}

static void
logistic_gradients(const Boosting *b, int64_t start, int64_t end)
{
	for (int64_t i = start; i < end; i++)
	{
		double w = row_weight(b, i);
		double p = 1.0 / (1.0 + exp(-b->scores[i]));

		b->gradients[i] =
			(RmlGradient){(float) (w * (p - b->rows->classes[i])), (float) (w * p * (1.0 - p))};
	}
}

/* probabilities [groups] of a row */
static void
row_softmax(const Boosting *b, int64_t i, double *p)
{
	int64_t n = b->rows->n;
	double largest = -INFINITY, sum = 0.0;

	for (int k = 0; k < b->groups; k++)
		largest = b->scores[k * n + i] > largest ? b->scores[k * n + i] : largest;
	for (int k = 0; k < b->groups; k++)
		sum += p[k] = exp(b->scores[k * n + i] - largest);
	for (int k = 0; k < b->groups; k++)
		p[k] /= sum;
}

static void
softmax_gradients(const Boosting *b, int64_t start, int64_t end)
{
	double p[RML_MAX_CLASSES];

	for (int64_t i = start; i < end; i++)
	{
		double w = row_weight(b, i);

		row_softmax(b, i, p);
		for (int k = 0; k < b->groups; k++)
			b->gradients[k * b->rows->n + i] =
				(RmlGradient){(float) (w * (p[k] - (b->rows->classes[i] == k))),
							  (float) (w * p[k] * (1.0 - p[k]))};
	}
}

static void
gradient_block(void *context, int64_t block, int thread)
{
	const Boosting *b = context;
	int64_t start = block * BLOCK_ROWS, end = rml_block_end(block, BLOCK_ROWS, b->rows->n);

	(void) thread;
	if (b->link == RML_LINK_IDENTITY)
		squared_gradients(b, start, end);
	else if (b->link == RML_LINK_LOGIT)
		logistic_gradients(b, start, end);
	else
		softmax_gradients(b, start, end);
}

/* loss of one row: squared error, or minus the log of its class's probability */
static double
row_loss(const Boosting *b, int64_t i)
{
	double p[RML_MAX_CLASSES];

	if (b->link == RML_LINK_IDENTITY)
		return row_error(b, i) * row_error(b, i);
	if (b->link == RML_LINK_LOGIT)
	{
		double margin = b->rows->classes[i] ? b->scores[i] : -b->scores[i];

		return margin > 0 ? log1p(exp(-margin)) : -margin + log1p(exp(margin));
	}
	row_softmax(b, i, p);
	return -log(fmax(p[b->rows->classes[i]], 1e-300));
}

/* mean over these rows */
static double
mean_loss(const Boosting *b, const int32_t *rows, int64_t n)
{
	double sum = 0.0, weight = 0.0;

	for (int64_t i = 0; i < n; i++)
	{
		double w = row_weight(b, rows[i]);

		sum += w * row_loss(b, rows[i]);
		weight += w;
		if (i % 65536 == 65535)
			rml_poll(b->env);
	}
	return weight > 0 ? sum / weight : NAN;
}

/* ---- the start ---- */

static double
weighted_mean(const Boosting *b, int class)
{
	double sum = 0.0, weight = 0.0;
	double first = b->rows->y == NULL ? 0.0 : b->rows->y[0] * b->label_unit;

	for (int64_t j = 0; j < b->n_training; j++)
	{
		int64_t i = b->training[j];
		double w = row_weight(b, i);

		sum += w * (b->rows->y == NULL ? (double) (b->rows->classes[i] == class)
									   : b->rows->y[i] * b->label_unit - first);
		weight += w;
	}
	return weight > 0 ? first + sum / weight : first;
}

static double
log_odds(double p)
{
	p = fmin(fmax(p, 1e-9), 1.0 - 1e-9);
	return log(p / (1.0 - p));
}

/* the first score of each group; base has it in the label's own unit */
static double *
first_scores(const Boosting *b)
{
	double *base = RML_NEW(b->env, double, (size_t) b->groups);

	for (int k = 0; k < b->groups; k++)
	{
		double mean = weighted_mean(b, b->groups == 1 ? 1 : k);

		if (b->link == RML_LINK_IDENTITY)
			base[k] = mean;
		else
			base[k] = b->link == RML_LINK_LOGIT ? log_odds(mean) : log(fmax(mean, 1e-9));
		for (int64_t i = 0; i < b->rows->n; i++)
			b->scores[k * b->rows->n + i] = base[k];
		base[k] /= b->label_unit;
	}
	return base;
}

/* without early stopping all rows are for training */
static void
divide_rows(Boosting *b)
{
	double share = b->params->early_stopping > 0 ? b->params->holdout : 0.0;
	uint64_t seed = (uint64_t) b->params->common.seed;
	int64_t n = b->rows->n;

	b->training = RML_NEW(b->env, int32_t, (size_t) n);
	b->holdout = RML_NEW(b->env, int32_t, (size_t) n);
	for (int64_t i = 0; i < n; i++)
	{
		if (share > 0 && rml_rng_uniform(seed, STREAM_HOLDOUT, (uint64_t) i) < share)
			b->holdout[b->n_holdout++] = (int32_t) i;
		else
			b->training[b->n_training++] = (int32_t) i;
		if (i % 262144 == 0)
			rml_poll(b->env);
	}
}

/* l2 has the weights' unit: they stay as small or large beside it as they are */
static double
weight_unit(const RmlTrainingSet *rows)
{
	double unit =
		rows->weights == NULL ? 1.0 : rml_tree_unit(rml_tree_largest(rows->weights, rows->n));

	return unit < 1.0 ? unit * LARGE_WEIGHT : 1.0;
}

static void
choose_units(Boosting *b)
{
	const RmlTrainingSet *rows = b->rows;

	b->label_unit = rows->y == NULL ? 1.0 : rml_tree_unit(rml_tree_largest(rows->y, rows->n));
	b->weight_unit = weight_unit(rows);
}

static const RmlBoostParams *
boosting_init(Boosting *b, RmlEnv *env, const RmlBoostParams *params, const RmlTrainingSet *rows)
{
	size_t n = (size_t) rows->n;
	int d = rows->schema->d_num + rows->schema->d_cat;

	b->env = env;
	b->params = params;
	b->rows = rows;
	b->groups = rows->target.n_classes > 2 ? rows->target.n_classes : 1;
	b->link = rows->target.task == RML_REGRESSION ? RML_LINK_IDENTITY
			  : b->groups > 1                     ? RML_LINK_SOFTMAX
												  : RML_LINK_LOGIT;
	choose_units(b);
	divide_rows(b);
	b->scores = RML_NEW(env, double, n *(size_t) b->groups);
	b->gradients = RML_NEW(env, RmlGradient, n * (size_t) b->groups);
	b->sample = RML_NEW(env, int32_t, n);
	b->sampled = params->subsample < 1 || b->n_holdout > 0 ? RML_NEW(env, bool, n) : NULL;
	b->features = RML_NEW(env, int, (size_t) d);
	b->trees = RML_NEW_ZERO(env, RmlTrees, (size_t) (params->n_trees * b->groups));
	b->history = RML_NEW(env, double, 2 * (size_t) params->n_trees);
	return params;
}

/* ---- a round ---- */

/* rows [n_sample] of this round's trees */
static void
sample_rows(Boosting *b, int64_t round)
{
	const RmlBoostParams *params = b->params;
	uint64_t base = (uint64_t) round * (uint64_t) b->rows->n;

	if (b->sampled != NULL)
		memset(b->sampled, 0, sizeof(bool) * (size_t) b->rows->n);
	b->n_sample = 0;
	for (int64_t j = 0; j < b->n_training; j++)
	{
		int32_t row = b->training[j];

		if (params->subsample < 1 && rml_rng_uniform((uint64_t) params->common.seed, STREAM_ROWS,
													 base + (uint64_t) row) >= params->subsample)
			continue;
		b->sample[b->n_sample++] = row;
		if (b->sampled != NULL)
			b->sampled[row] = true;
	}
	rml_poll(b->env);
}

static void
sample_features(Boosting *b, int64_t tree)
{
	int d = b->rows->schema->d_num + b->rows->schema->d_cat;
	uint64_t base = (uint64_t) tree * (uint64_t) d;

	for (int f = 0; f < d; f++)
		b->features[f] = f;
	b->n_features = (int) ceil(b->params->colsample * d);
	if (b->n_features == d)
		return;
	for (int f = 0; f < b->n_features; f++)
	{
		int other = f + (int) rml_rng_below((uint64_t) b->params->common.seed, STREAM_FEATURES,
											base + (uint64_t) f, (uint64_t) (d - f));
		int feature = b->features[other];

		b->features[other] = b->features[f];
		b->features[f] = feature;
	}
}

typedef struct Update
{
	const Boosting *b;
	const RmlTrees *tree;
	const RmlLeafRows *leaves;
	double *scores; /* [n] of the tree's group */
} Update;

static void
update_leaf(void *context, int64_t block, int thread)
{
	const Update *u = context;
	const RmlLeafRows *leaf = &u->leaves[block];

	(void) thread;
	for (int64_t i = leaf->start; i < leaf->end; i++)
		u->scores[u->b->sample[i]] += leaf->value;
}

static void
update_others(void *context, int64_t block, int thread)
{
	const Update *u = context;
	const RmlTrainingSet *rows = u->b->rows;
	int d_num = rows->schema->d_num, d_cat = rows->schema->d_cat;
	int64_t end = rml_block_end(block, BLOCK_ROWS, rows->n);

	(void) thread;
	for (int64_t i = block * BLOCK_ROWS; i < end; i++)
		if (!u->b->sampled[i])
			u->scores[i] +=
				rml_tree_leaf(u->tree, 0, rows->numbers + i * d_num, rows->codes + i * d_cat)
					->threshold;
}

static void
grow_one(Boosting *b, RmlBoostGrower *grower, const RmlBins *bins, int64_t tree, int group)
{
	int64_t n = b->rows->n;
	RmlBuilder builder;
	Update update = {.b = b, .tree = &builder.tree, .scores = b->scores + group * n};
	int n_leaves;

	sample_features(b, tree);
	rml_builder_init(&builder, b->env, bins, 1);
	update.leaves = rml_boost_grow(grower, &builder, b->gradients + group * n, b->sample,
								   b->n_sample, b->features, b->n_features, &n_leaves);
	rml_parallel(b->env, n_leaves, update_leaf, &update);
	if (b->sampled != NULL)
		rml_parallel(b->env, rml_blocks(n, BLOCK_ROWS), update_others, &update);
	b->trees[tree] = builder.tree;
}

static void
run_round(Boosting *b, RmlBoostGrower *grower, const RmlBins *bins, int64_t round)
{
	int64_t seen = b->n_training < LOSS_ROWS ? b->n_training : LOSS_ROWS;

	rml_parallel(b->env, rml_blocks(b->rows->n, BLOCK_ROWS), gradient_block, b);
	for (int k = 0; k < b->groups; k++)
	{
		/* growing reorders the sample: each tree starts from ascending rows */
		sample_rows(b, round);
		grow_one(b, grower, bins, round * b->groups + k, k);
	}
	b->history[2 * round] = mean_loss(b, b->training, seen);
	b->history[2 * round + 1] = mean_loss(b, b->holdout, b->n_holdout);
	b->env->progress(b->env, "round", round + 1,
					 b->history[2 * round + (b->n_holdout > 0)] / b->label_unit / b->label_unit);
}

/* all rounds, or those up to the best on the rows that are held out; returns how many are kept */
static int64_t
run_rounds(Boosting *b, RmlBoostGrower *grower, const RmlBins *bins)
{
	int64_t best = 0;

	for (int64_t round = 0; round < b->params->n_trees; round++)
	{
		run_round(b, grower, bins, round);
		if (b->n_holdout == 0)
			best = round;
		else if (b->history[2 * round + 1] < b->history[2 * best + 1])
			best = round;
		else if (round - best >= b->params->early_stopping)
			break;
	}
	return best + 1;
}

/* ---- the fit ---- */

static RmlBoostRules
rules_of(const RmlBoostParams *params)
{
	return (RmlBoostRules){.split = {.outputs = 1,
									 .l2 = params->l2,
									 .min_rows = (double) params->min_samples_leaf,
									 .min_weight = LEAST_HESSIAN,
									 .category_smooth = CATEGORY_SMOOTH,
									 .category_l2 = CATEGORY_L2},
						   .max_depth = params->max_depth,
						   .max_leaves = (int) params->max_leaves,
						   .learning_rate = params->learning_rate};
}

static void *
fit(RmlEnv *env, const void *params_, const RmlTrainingSet *rows, const char **reason)
{
	const RmlBoostParams *params = params_;
	const RmlBoostRules rules = rules_of(params);
	RmlTreeModel *model = RML_NEW_ZERO(env, RmlTreeModel, 1);
	Boosting b = {0};
	RmlBoostGrower *grower;
	RmlBins bins;
	int64_t rounds;

	(void) reason;
	boosting_init(&b, env, params, rows);
	rml_bins_make(&bins, env, rows);
	grower = rml_boost_grower(env, &bins, &rules);
	model->target = rows->target;
	model->link = b.link;
	model->scale = 1.0 / b.label_unit;
	model->base = first_scores(&b);
	model->oob_score = NAN;
	rounds = run_rounds(&b, grower, &bins);
	for (int64_t i = 0; i < 2 * rounds; i++)
		b.history[i] = b.history[i] / b.label_unit / b.label_unit;
	model->n_history = rounds;
	model->history = b.history;
	model->holdout_loss = b.n_holdout > 0 ? b.history[2 * rounds - 1] : NAN;
	rml_trees_join(env, b.trees, (int) rounds * b.groups, b.groups, &model->trees);
	return model;
}

static const char *
check(RmlEnv *env, const void *params_, const RmlTrainingSet *rows)
{
	const RmlBoostParams *params = params_;

	if (rows->n > INT32_MAX)
		return rml_format(env, "%lld rows are more than trees can be grown on (%d)",
						  (long long) rows->n, INT32_MAX);
	if (params->early_stopping > 0 && (double) rows->n * params->holdout < 10)
		return rml_format(env, "early_stopping needs more than %lld rows", (long long) rows->n);
	return NULL;
}

static size_t
fit_bytes(const void *params_, int64_t n, int d_num, int d_cat, int n_classes, int threads)
{
	const RmlBoostParams *params = params_;
	size_t groups = n_classes > 2 ? (size_t) n_classes : 1;

	(void) threads;
	return rml_bins_bytes(n, d_num + d_cat) +
		   rml_boost_grow_bytes(n, d_num + d_cat, params->max_leaves) +
		   (size_t) n * (groups * (sizeof(double) + sizeof(RmlGradient)) + 3 * sizeof(int32_t) + 1);
}

const RmlAlgorithm rml_boost_algorithm = {
	.id = RML_ALGORITHM_BOOST,
	.version = BOOST_VERSION,
	.name = "boost",
	.options = boost_options,
	.n_options = sizeof boost_options / sizeof boost_options[0],
	.params_size = sizeof(RmlBoostParams),
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

const RmlLearner rml_boost_learner = {
	.algorithm = &rml_boost_algorithm, .check = check, .bytes = fit_bytes, .fit = fit};
