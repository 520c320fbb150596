/*
 * trees.c
 *	  Scoring rows by trees.
 */
#include "retailml/trees.h"

#include <math.h>
#include <string.h>

#include "tree_internal.h"

/* trees that are walked together */
#define LANES 4

const RmlFeature *
rml_place_feature(const RmlSchema *schema, int place)
{
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];
		bool category = feature->kind == RML_CATEGORICAL;

		if (feature->slot + (category ? schema->d_num : 0) == place)
			return feature;
	}
	return NULL;
}

const RmlTreeNode *
rml_tree_leaf(const RmlTrees *trees, int t, const double *numbers, const int32_t *codes)
{
	const RmlTreeNode *root = trees->nodes + trees->starts[t];
	const RmlTreeNode *node = root;

	while (node->place != RML_LEAF)
		node = root + node->left + !rml_tree_goes_left(trees, node, numbers, codes);
	return node;
}

/* the node itself when it is a leaf, else the child this row goes to */
static inline const RmlTreeNode *
next_node(const RmlTrees *trees, const RmlTreeNode *root, const RmlTreeNode *node,
		  const double *numbers, const int32_t *codes)
{
	if (node->place == RML_LEAF)
		return node;
	return root + node->left + !rml_tree_goes_left(trees, node, numbers, codes);
}

/*
 * Leaves of trees t .. t + LANES - 1.  They take their steps in turn, so that the processor need not wait for
 * the end of one before it begins with the next.
 */
static void
leaves_together(const RmlTrees *trees, int t, const double *numbers, const int32_t *codes,
				const RmlTreeNode **leaves)
{
	const RmlTreeNode *roots[LANES];
	bool inner = true;

	for (int i = 0; i < LANES; i++)
		leaves[i] = roots[i] = trees->nodes + trees->starts[t + i];
	while (inner)
	{
		inner = false;
		for (int i = 0; i < LANES; i++)
		{
			leaves[i] = next_node(trees, roots[i], leaves[i], numbers, codes);
			inner |= leaves[i]->place != RML_LEAF;
		}
	}
}

/* one tree after the other, one sum */
static double
sum_of_leaves(const RmlTrees *trees, const double *numbers, const int32_t *codes)
{
	const RmlTreeNode *leaves[LANES];
	double sum = 0.0;
	int t = 0;

	for (; t + LANES <= trees->n_trees; t += LANES)
	{
		leaves_together(trees, t, numbers, codes, leaves);
		for (int i = 0; i < LANES; i++)
			sum += leaves[i]->threshold;
	}
	for (; t < trees->n_trees; t++)
		sum += rml_tree_leaf(trees, t, numbers, codes)->threshold;
	return sum;
}

static void
add_leaves(const RmlTrees *trees, const double *numbers, const int32_t *codes, double *sums)
{
	memset(sums, 0, sizeof(double) * (size_t) rml_tree_scores(trees));
	for (int t = 0; t < trees->n_trees; t++)
	{
		const RmlTreeNode *leaf = rml_tree_leaf(trees, t, numbers, codes);
		double *group = sums + t % trees->n_groups;

		for (int k = 0; k < trees->outputs; k++)
			group[k] += rml_tree_leaf_value(trees, leaf, k);
	}
}

void
rml_tree_model_score(const RmlTreeModel *model, const double *numbers, const int32_t *codes,
					 double *scores)
{
	int n = rml_tree_scores(&model->trees);

	if (n == 1)
		scores[0] = sum_of_leaves(&model->trees, numbers, codes);
	else
		add_leaves(&model->trees, numbers, codes, scores);
	for (int k = 0; k < n; k++)
		scores[k] = model->base[k] + model->scale * scores[k];
}

static void
softmax(double *scores, int n)
{
	double largest = scores[0], sum = 0.0;

	for (int k = 1; k < n; k++)
		largest = scores[k] > largest ? scores[k] : largest;
	for (int k = 0; k < n; k++)
		sum += scores[k] = exp(scores[k] - largest);
	for (int k = 0; k < n; k++)
		scores[k] /= sum;
}

static double
probability(const RmlTreeModel *model, double score)
{
	return model->link == RML_LINK_LOGIT ? 1.0 / (1.0 + exp(-score)) : score;
}

void
rml_tree_model_proba(const void *fitted, const double *numbers, const int32_t *codes,
					 double *probabilities)
{
	const RmlTreeModel *model = fitted;

	rml_tree_model_score(model, numbers, codes, probabilities);
	if (model->link == RML_LINK_SOFTMAX)
		softmax(probabilities, model->target.n_classes);
	else if (rml_tree_scores(&model->trees) == 1)
	{
		probabilities[1] = probability(model, probabilities[0]);
		probabilities[0] = 1.0 - probabilities[1];
	}
}

/* of several classes the first of the largest scores, from 1 */
static double
most_likely(const RmlTreeModel *model, const double *numbers, const int32_t *codes)
{
	double scores[RML_MAX_CLASSES];
	int best = 0;

	rml_tree_model_score(model, numbers, codes, scores);
	for (int k = 1; k < model->target.n_classes; k++)
		if (scores[k] > scores[best])
			best = k;
	return best + 1;
}

double
rml_tree_model_predict(const void *fitted, const double *numbers, const int32_t *codes)
{
	const RmlTreeModel *model = fitted;
	double score;

	if (model->target.n_classes > 2)
		return most_likely(model, numbers, codes);
	rml_tree_model_score(model, numbers, codes, &score);
	return probability(model, score);
}
