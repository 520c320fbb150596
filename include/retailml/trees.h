/*
 * trees.h
 *	  Decision trees as they are when grown: a single one, a forest, or a boosted sequence.
 *
 * A tree is a list of nodes, the root first.  An inner node asks one question of the row, whose answer
 * leads to its left child or to the one after that; children come after their parents.  A leaf
 * holds one number, or one for each class.
 *
 * What a node asks about is a place: 0 .. d_num - 1 are the numbers, d_num .. d_num + d_cat - 1 the
 * categories.  A number goes left when x <= threshold; a category when its code is in the node's
 * set.  All codes that are in no set, an unseen category's among them, go right: the set is made
 * of the side with fewer training rows.
 *
 * The score of a row is base + scale * (sum of its leaves), one for each group; tree t belongs to
 * group t mod n_groups.  A forest averages (scale 1 / trees), a boosted model adds up (scale 1, one
 * group for each class when there are more than two).
 *
 *	  L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression Trees", 1984
 *
 * Shapes: d = d_num + d_cat features, outputs numbers in a leaf.
 */
#ifndef RETAILML_TREES_H
#define RETAILML_TREES_H

#include "retailml/supervised.h"

#define RML_LEAF (-1)

typedef struct RmlTreeNode
{
	/* number: the threshold; category: number of its set; leaf: its value when outputs is 1 */
	double threshold;
	int32_t place; /* or RML_LEAF */
	int32_t left;  /* first child, counted from the tree's root; leaf: its row of values */
} RmlTreeNode;

typedef struct RmlTrees
{
	int n_trees;
	int outputs;
	int n_groups;
	int d_num;
	int d_cat;
	int64_t n_nodes;
	int64_t n_leaves; /* rows of values, 0 when outputs is 1 */
	int64_t n_sets;
	int64_t *starts;     /* [n_trees + 1] first node of each tree */
	RmlTreeNode *nodes;  /* [n_nodes] */
	double *cover;       /* [n_nodes] training rows that came by: their weights, boost: number */
	double *values;      /* [n_leaves x outputs]; NULL when outputs is 1 */
	int64_t *set_starts; /* [n_sets + 1] first word of each set */
	uint32_t *set_words; /* code c is in the set when bit c % 32 of word c / 32 is set */
	double *gain;        /* [d by place] loss that splits on the feature saved, summed */
	int64_t *splits;     /* [d by place] */
} RmlTrees;

typedef enum RmlLink
{
	RML_LINK_IDENTITY = 0, /* the score is the prediction (a number, or probabilities) */
	RML_LINK_LOGIT = 1,    /* probability = 1 / (1 + exp(-score)) */
	RML_LINK_SOFTMAX = 2
} RmlLink;

/* the fitted part of tree, forest and boost models */
typedef struct RmlTreeModel
{
	RmlTarget target; /* first, as in all supervised models */
	RmlTrees trees;
	RmlLink link;
	double scale;
	double *base; /* [outputs * n_groups]: one of the two is 1 */
	/* what the fit tells: */
	double holdout_loss; /* boost with early stopping; NaN: none */
	double oob_score;    /* forest: accuracy or R2 of the rows outside each bootstrap; NaN: none */
	int64_t n_history;   /* rounds of boosting with a loss */
	double *history;     /* [n_history x 2] training loss, holdout loss (NaN: none) */
} RmlTreeModel;

/* numbers a score has: 1, or one for each class */
static inline int
rml_tree_scores(const RmlTrees *trees)
{
	return trees->outputs * trees->n_groups;
}

static inline bool
rml_tree_set_has(const RmlTrees *trees, int64_t set, int32_t code)
{
	int64_t start = trees->set_starts[set];

	return code / 32 < trees->set_starts[set + 1] - start &&
		   (trees->set_words[start + code / 32] >> (code % 32) & 1) != 0;
}

static inline bool
rml_tree_goes_left(const RmlTrees *trees, const RmlTreeNode *node, const double *numbers,
				   const int32_t *codes)
{
	if (node->place < trees->d_num)
		return numbers[node->place] <= node->threshold;
	return rml_tree_set_has(trees, (int64_t) node->threshold, codes[node->place - trees->d_num]);
}

/* output k of a leaf */
static inline double
rml_tree_leaf_value(const RmlTrees *trees, const RmlTreeNode *leaf, int k)
{
	return trees->outputs == 1 ? leaf->threshold : trees->values[leaf->left * trees->outputs + k];
}

/* scores [rml_tree_scores] of a prepared row: base + scale * leaves */
extern void rml_tree_model_score(const RmlTreeModel *model, const double *numbers,
								 const int32_t *codes, double *scores);

/* probabilities [K] of a prepared row */
extern void rml_tree_model_proba(const void *fitted, const double *numbers, const int32_t *codes,
								 double *probabilities);

/* predict(): the number, the probability of class 1 of two, or 1 + the most probable class */
extern double rml_tree_model_predict(const void *fitted, const double *numbers,
									 const int32_t *codes);

/* the schema's feature at a place */
extern const RmlFeature *rml_place_feature(const RmlSchema *schema, int place);

/* gain, normalised to the sum 1, and splits [n_features] in the order of the schema */
extern void rml_tree_importance(const void *fitted, const RmlSchema *schema, double *gain,
								int64_t *splits);

extern void rml_tree_model_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info);
extern void rml_tree_model_encode(const void *fitted, RmlWriter *writer);
extern void *rml_tree_model_decode(RmlReader *reader, const RmlSchema *schema, const void *params);

#endif /* RETAILML_TREES_H */
