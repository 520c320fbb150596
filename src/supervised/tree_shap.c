/*
 * tree_shap.c
 *	  Shapley values of tree models by quadrature.
 */
#include "retailml/tree_shap.h"

#include <math.h>
#include <string.h>

#define POLL_EVERY 16384
#define NEWTON_STEPS 100
#define NO_EDGE (-1)

/*
 * The way into a node: the edge from its parent.  z and o are those of the edge's feature on the whole
 * path down to here.
 */
typedef struct Edge
{
	const RmlTreeNode *node; /* where it ends */
	int place;               /* what its beginning asks about */
	int above;               /* the edge further up that asks about the same, or NO_EDGE */
	int children;            /* of the node, visited so far */
	double z;
	double o;
} Edge;

typedef struct Walk
{
	const RmlTrees *trees;
	RmlEnv *env;
	const double *numbers;
	const int32_t *codes;
	int output;      /* of a leaf */
	int depth;       /* of the deepest tree */
	int64_t largest; /* nodes of the largest tree */
	int points;      /* of the quadrature */
	double *at;      /* [points] in (0, 1) */
	double *weights;
	Edge *edges;     /* [depth + 1] the path */
	double *product; /* [depth + 1 x points] of the factors of all features on the path */
	double *sum;     /* [depth + 1 x points] of product * value over the leaves below */
	int *last;       /* [d by place] edge of the path that asked about it last */
	double *shares;  /* [d by place] the result */
	int64_t steps;
} Walk;

/* ---- quadrature ---- */

/* Legendre's polynomial of this degree at x, and its derivative (recurrence of Bonnet) */
static double
legendre(int degree, double x, double *slope)
{
	double before = 1.0, value = x;

	for (int n = 2; n <= degree; n++)
	{
		double next = ((2 * n - 1) * x * value - (n - 1) * before) / n;

		before = value;
		value = next;
	}
	*slope = degree * (x * value - before) / (x * x - 1.0);
	return value;
}

/* points and weights on [0, 1]: the zeros by Newton from where they are nearly */
static void
gauss_legendre(int n, double *at, double *weights)
{
	for (int i = 0; i < (n + 1) / 2; i++)
	{
		double x = cos(M_PI * (i + 0.75) / (n + 0.5)), slope = 0.0;

		for (int step = 0; step < NEWTON_STEPS; step++)
		{
			double change = legendre(n, x, &slope) / slope;

			x -= change;
			if (fabs(change) < 1e-15)
				break;
		}
		legendre(n, x, &slope);
		at[i] = (1.0 - x) / 2.0;
		at[n - 1 - i] = (1.0 + x) / 2.0;
		weights[i] = weights[n - 1 - i] = 1.0 / ((1.0 - x * x) * slope * slope);
	}
}

/* ---- the tree ---- */

/*
 * Children come after their parents.  A node with two of them, which a damaged model may have, is as deep
 * as the deeper one says.
 */
static int
tree_depth(const RmlTreeNode *nodes, int64_t n, int32_t *depths)
{
	int deepest = 0;

	memset(depths, 0, sizeof(int32_t) * (size_t) n);
	for (int64_t i = 0; i < n; i++)
	{
		int32_t *children = nodes[i].place == RML_LEAF ? NULL : depths + nodes[i].left;

		if (depths[i] > deepest)
			deepest = depths[i];
		for (int c = 0; children != NULL && c < 2; c++)
			if (children[c] <= depths[i])
				children[c] = depths[i] + 1;
	}
	return deepest;
}

static int64_t
tree_size(const RmlTrees *trees, int tree)
{
	return trees->starts[tree + 1] - trees->starts[tree];
}

static void
measure_trees(Walk *walk)
{
	const RmlTrees *trees = walk->trees;
	int32_t *depths;

	for (int t = 0; t < trees->n_trees; t++)
		if (tree_size(trees, t) > walk->largest)
			walk->largest = tree_size(trees, t);
	depths = RML_NEW(walk->env, int32_t, (size_t) walk->largest);
	for (int t = 0; t < trees->n_trees; t++)
	{
		int depth = tree_depth(trees->nodes + trees->starts[t], tree_size(trees, t), depths);

		if (depth > walk->depth)
			walk->depth = depth;
	}
	rml_release(walk->env, depths);
}

/* the share of the rows at a node that goes to a child (0 left, 1 right) */
static double
child_share(const double *cover, const RmlTreeNode *node, int child)
{
	double both = cover[node->left] + cover[node->left + 1];

	/* training rows without weight: there is nothing to go by */
	return both > 0 ? cover[node->left + child] / both : 0.5;
}

/* ---- the walk ---- */

static inline double
factor(const Edge *edge, double t)
{
	return (1.0 - t) * edge->z + t * edge->o;
}

/* the next child of the path's last node, unless nothing can come from it; the new length */
static int
go_down(Walk *walk, const RmlTreeNode *root, const double *cover, int length)
{
	Edge *from = &walk->edges[length - 1], *to = &walk->edges[length];
	const RmlTreeNode *node = from->node;
	const int q = walk->points, child = from->children++;
	const double *above = walk->product + (size_t) (length - 1) * q;
	double *product = walk->product + (size_t) length * q;
	bool left = rml_tree_goes_left(walk->trees, node, walk->numbers, walk->codes);
	const Edge *same;

	*to = (Edge){root + node->left + child,       node->place,
				 walk->last[node->place],         0,
				 child_share(cover, node, child), left == (child == 0) ? 1.0 : 0.0};
	same = to->above == NO_EDGE ? NULL : &walk->edges[to->above];
	if (same != NULL)
	{
		to->z *= same->z;
		to->o *= same->o;
	}
	if (to->z == 0.0 && to->o == 0.0)
		return length;
	for (int i = 0; i < q; i++)
	{
		product[i] = above[i] * factor(to, walk->at[i]);
		if (same != NULL)
			product[i] /= factor(same, walk->at[i]);
		walk->sum[(size_t) length * q + i] = 0.0;
	}
	walk->last[node->place] = length;
	return length + 1;
}

/* a leaf is the whole sum of its own edge */
static void
visit_leaf(Walk *walk, int length)
{
	const size_t offset = (size_t) (length - 1) * walk->points;
	double value = rml_tree_leaf_value(walk->trees, walk->edges[length - 1].node, walk->output);

	for (int i = 0; i < walk->points; i++)
		walk->sum[offset + i] = value * walk->product[offset + i];
}

/*
 * Leave the path's last node: what the leaves below give to its edge's feature, less what the edge
 * above with the same feature will count for them.
 */
static void
go_up(Walk *walk, int length)
{
	const Edge *edge = &walk->edges[length - 1];
	const Edge *same = edge->above == NO_EDGE ? NULL : &walk->edges[edge->above];
	const int q = walk->points;
	const double *sum = walk->sum + (size_t) (length - 1) * q;
	double *parent = walk->sum + (size_t) (length - 2) * q;
	double share = 0.0;

	for (int i = 0; i < q; i++)
	{
		double per = (edge->o - edge->z) / factor(edge, walk->at[i]);

		if (same != NULL)
			per -= (same->o - same->z) / factor(same, walk->at[i]);
		share += walk->weights[i] * sum[i] * per;
		parent[i] += sum[i];
	}
	walk->shares[edge->place] += share;
	walk->last[edge->place] = edge->above;
}

static void
begin_path(Walk *walk, const RmlTreeNode *root)
{
	walk->edges[0] = (Edge){.node = root, .place = NO_EDGE, .above = NO_EDGE, .z = 1.0, .o = 1.0};
	for (int i = 0; i < walk->points; i++)
	{
		walk->product[i] = 1.0;
		walk->sum[i] = 0.0;
	}
}

static void
walk_tree(Walk *walk, int tree)
{
	const RmlTreeNode *root = walk->trees->nodes + walk->trees->starts[tree];
	const double *cover = walk->trees->cover + walk->trees->starts[tree];
	int length = 1;

	begin_path(walk, root);
	while (length > 0)
	{
		const Edge *edge = &walk->edges[length - 1];
		bool leaf = edge->node->place == RML_LEAF;

		if (!leaf && edge->children < 2)
		{
			length = go_down(walk, root, cover, length);
			continue;
		}
		if (leaf)
			visit_leaf(walk, length);
		if (length > 1)
			go_up(walk, length);
		length--;
		if (++walk->steps % POLL_EVERY == 0)
			rml_poll(walk->env);
	}
}

/* what a tree says on average: v({}), from the leaves up */
static double
tree_mean(const Walk *walk, int tree, double *means)
{
	const RmlTrees *trees = walk->trees;
	const RmlTreeNode *nodes = trees->nodes + trees->starts[tree];
	const double *cover = trees->cover + trees->starts[tree];

	for (int64_t i = tree_size(trees, tree) - 1; i >= 0; i--)
		if (nodes[i].place == RML_LEAF)
			means[i] = rml_tree_leaf_value(trees, &nodes[i], walk->output);
		else
			means[i] = child_share(cover, &nodes[i], 0) * means[nodes[i].left] +
					   child_share(cover, &nodes[i], 1) * means[nodes[i].left + 1];
	return means[0];
}

/* ---- explain ---- */

static void
walk_init(Walk *walk)
{
	RmlEnv *env = walk->env;
	int d = walk->trees->d_num + walk->trees->d_cat;
	size_t cells;

	measure_trees(walk);
	/* features on a path are at most d; exact for polynomials up to degree 2 * points - 1 */
	walk->points = ((walk->depth < d ? walk->depth : d) + 1) / 2;
	if (walk->points < 1)
		walk->points = 1;
	cells = ((size_t) walk->depth + 1) * (size_t) walk->points;
	walk->at = RML_NEW(env, double, (size_t) walk->points);
	walk->weights = RML_NEW(env, double, (size_t) walk->points);
	walk->edges = RML_NEW(env, Edge, (size_t) walk->depth + 1);
	walk->product = RML_NEW(env, double, cells);
	walk->sum = RML_NEW(env, double, cells);
	walk->last = RML_NEW(env, int, (size_t) d);
	walk->shares = RML_NEW_ZERO(env, double, (size_t) d);
	for (int i = 0; i < d; i++)
		walk->last[i] = NO_EDGE;
	gauss_legendre(walk->points, walk->at, walk->weights);
}

static void
walk_release(Walk *walk)
{
	rml_release(walk->env, walk->at);
	rml_release(walk->env, walk->weights);
	rml_release(walk->env, walk->edges);
	rml_release(walk->env, walk->product);
	rml_release(walk->env, walk->sum);
	rml_release(walk->env, walk->last);
	rml_release(walk->env, walk->shares);
}

/* all trees of the walk's score; their mean without any feature */
static double
walk_trees(Walk *walk, int group)
{
	const RmlTrees *trees = walk->trees;
	double *means = RML_NEW(walk->env, double, (size_t) walk->largest);
	double mean = 0.0;

	for (int t = group; t < trees->n_trees; t += trees->n_groups)
	{
		walk_tree(walk, t);
		mean += tree_mean(walk, t, means);
		rml_poll(walk->env);
	}
	rml_release(walk->env, means);
	return mean;
}

static int
feature_place(const RmlTrees *trees, const RmlFeature *feature)
{
	return feature->kind == RML_CATEGORICAL ? trees->d_num + feature->slot : feature->slot;
}

void
rml_trees_explain(const void *fitted, const RmlSchema *schema, RmlEnv *env, const double *numbers,
				  const int32_t *codes, int output, double *contributions, double *base)
{
	const RmlTreeModel *model = fitted;
	const RmlTrees *trees = &model->trees;
	/* of two classes the score is that of class 1; the other's is its opposite */
	bool single = rml_tree_scores(trees) == 1;
	bool opposite = single && rml_is_binary(&model->target) && output == 0;
	int score = single ? 0 : output;
	double sign = opposite ? -1.0 : 1.0;
	Walk walk = {.trees = trees,
				 .env = env,
				 .numbers = numbers,
				 .codes = codes,
				 .output = trees->outputs > 1 ? score : 0};

	walk_init(&walk);
	*base = model->base[score] + model->scale * walk_trees(&walk, trees->outputs > 1 ? 0 : score);
	if (opposite)
		*base = model->link == RML_LINK_IDENTITY ? 1.0 - *base : -*base;
	for (int i = 0; i < schema->n_features; i++)
		contributions[i] =
			sign * model->scale * walk.shares[feature_place(trees, &schema->features[i])];
	walk_release(&walk);
}
