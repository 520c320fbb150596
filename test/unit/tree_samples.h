/*
 * tree_samples.h
 *	  Tree models made by chance, for tests of what reads them.
 *
 * Rows have D_NUM numbers, small integers and halves so that thresholds are met exactly, and
 * categories with CATEGORIES texts each (codes 0 .. CATEGORIES + 1).
 */
#ifndef RETAILML_TREE_SAMPLES_H
#define RETAILML_TREE_SAMPLES_H

#include "unit.h"

#include "retailml/rng.h"
#include "retailml/trees.h"

#define SAMPLE_CATEGORIES 5

typedef struct SampleShape
{
	int d_num;
	int d_cat;
	int n_trees;
	int outputs;
	int n_groups;
	int depth;
	int one_in; /* a node above the depth is a leaf in one case of so many; 0: never */
} SampleShape;

/* a dice: the numbers of a seed, one after the other */
typedef struct Dice
{
	uint64_t state;
} Dice;

static inline uint32_t
dice_roll(Dice *dice, uint32_t sides)
{
	/* Knuth's MMIX generator */
	dice->state = dice->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t) (dice->state >> 33) % sides;
}

typedef struct SampleGrower
{
	RmlTrees *trees;
	const SampleShape *shape;
	Dice *dice;
	int64_t root;
} SampleGrower;

static inline double
sample_value(Dice *dice)
{
	return (dice_roll(dice, 2001) - 1000.0) / 128.0;
}

static inline void
sample_leaf(SampleGrower *grower, RmlTreeNode *node)
{
	RmlTrees *trees = grower->trees;

	*node = (RmlTreeNode){0.0, RML_LEAF, 0};
	if (trees->outputs == 1)
	{
		node->threshold = sample_value(grower->dice);
		return;
	}
	node->left = (int32_t) trees->n_leaves;
	for (int k = 0; k < trees->outputs; k++)
		trees->values[trees->n_leaves * trees->outputs + k] = sample_value(grower->dice);
	trees->n_leaves++;
}

static inline void
sample_split(SampleGrower *grower, RmlTreeNode *node)
{
	RmlTrees *trees = grower->trees;
	int place = (int) dice_roll(grower->dice, (uint32_t) (trees->d_num + trees->d_cat));

	*node = (RmlTreeNode){(dice_roll(grower->dice, 41) - 20.0) / 2.0, place,
						  (int32_t) (trees->n_nodes - grower->root)};
	trees->n_nodes += 2;
	if (place < trees->d_num)
		return;
	node->threshold = (double) trees->n_sets;
	/* the unseen category, the last, is in no set */
	trees->set_words[trees->set_starts[trees->n_sets]] =
		1 + dice_roll(grower->dice, (1u << (SAMPLE_CATEGORIES + 1)) - 1);
	trees->set_starts[trees->n_sets + 1] = trees->set_starts[trees->n_sets] + 1;
	trees->n_sets++;
}

static inline void
sample_grow(SampleGrower *grower, int64_t at, int depth, double cover)
{
	RmlTrees *trees = grower->trees;
	RmlTreeNode *node = &trees->nodes[at];
	const SampleShape *shape = grower->shape;
	double left;
	int64_t child;

	trees->cover[at] = cover;
	if (depth == shape->depth ||
		(shape->one_in > 0 && depth > 0 && dice_roll(grower->dice, (uint32_t) shape->one_in) == 0))
	{
		sample_leaf(grower, node);
		return;
	}
	sample_split(grower, node);
	child = grower->root + node->left;
	/* 0 and all are among the shares */
	left = cover * dice_roll(grower->dice, 9) / 8.0;
	sample_grow(grower, child, depth + 1, left);
	sample_grow(grower, child + 1, depth + 1, cover - left);
}

static inline RmlTreeModel *
sample_model(RmlEnv *env, const SampleShape *shape, uint64_t seed)
{
	RmlTreeModel *model = RML_NEW_ZERO(env, RmlTreeModel, 1);
	RmlTrees *trees = &model->trees;
	size_t most = ((size_t) 2 << shape->depth) * (size_t) shape->n_trees;
	Dice dice = {seed};

	*trees = (RmlTrees){.n_trees = shape->n_trees,
						.outputs = shape->outputs,
						.n_groups = shape->n_groups,
						.d_num = shape->d_num,
						.d_cat = shape->d_cat};
	trees->starts = RML_NEW_ZERO(env, int64_t, (size_t) shape->n_trees + 1);
	trees->nodes = RML_NEW_ZERO(env, RmlTreeNode, most);
	trees->cover = RML_NEW_ZERO(env, double, most);
	trees->values = RML_NEW_ZERO(env, double, most *(size_t) shape->outputs);
	trees->set_starts = RML_NEW_ZERO(env, int64_t, most + 1);
	trees->set_words = RML_NEW_ZERO(env, uint32_t, most);
	trees->gain = RML_NEW_ZERO(env, double, (size_t) (shape->d_num + shape->d_cat));
	trees->splits = RML_NEW_ZERO(env, int64_t, (size_t) (shape->d_num + shape->d_cat));
	for (int t = 0; t < shape->n_trees; t++)
	{
		SampleGrower grower = {trees, shape, &dice, trees->n_nodes};

		trees->starts[t] = trees->n_nodes++;
		sample_grow(&grower, trees->starts[t], 0, 1 + dice_roll(&dice, 100));
		trees->starts[t + 1] = trees->n_nodes;
	}
	model->scale = 0.5;
	model->base = RML_NEW(env, double, (size_t) rml_tree_scores(trees));
	for (int k = 0; k < rml_tree_scores(trees); k++)
		model->base[k] = sample_value(&dice);
	return model;
}

/* the numbers' names are n1, n2, ..., those of the categories c1, c2, ... with texts a, b, ... */
static inline RmlSchema *
sample_schema(RmlEnv *env, const SampleShape *shape)
{
	RmlSchema *schema = RML_NEW_ZERO(env, RmlSchema, 1);
	int d = shape->d_num + shape->d_cat;

	schema->n_features = d;
	schema->d_num = shape->d_num;
	schema->d_cat = shape->d_cat;
	schema->rows = 100;
	schema->features = RML_NEW_ZERO(env, RmlFeature, (size_t) d);
	/* categories first, so that features and places differ in order */
	for (int i = 0; i < d; i++)
	{
		RmlFeature *feature = &schema->features[i];
		bool category = i < shape->d_cat;

		feature->kind = category ? RML_CATEGORICAL : RML_NUMERIC;
		feature->slot = category ? i : i - shape->d_cat;
		feature->name = rml_format(env, category ? "c%d" : "n%d", feature->slot + 1);
		feature->type = category ? "text" : "double precision";
		feature->impute = 1.5;
		feature->mean = 0.25;
		feature->sd = 2.0;
		if (!category)
			continue;
		feature->n_categories = SAMPLE_CATEGORIES;
		feature->categories = RML_NEW(env, char *, SAMPLE_CATEGORIES);
		feature->counts = RML_NEW_ZERO(env, int64_t, SAMPLE_CATEGORIES);
		for (int c = 0; c < SAMPLE_CATEGORIES; c++)
			feature->categories[c] = rml_format(env, "%c", 'a' + c);
	}
	rml_schema_index(schema, env);
	return schema;
}

static inline void
sample_row(Dice *dice, const SampleShape *shape, double *numbers, int32_t *codes)
{
	for (int j = 0; j < shape->d_num; j++)
		numbers[j] = (dice_roll(dice, 41) - 20.0) / 2.0;
	for (int f = 0; f < shape->d_cat; f++)
		codes[f] = (int32_t) dice_roll(dice, SAMPLE_CATEGORIES + 2);
}

#endif /* RETAILML_TREE_SAMPLES_H */
