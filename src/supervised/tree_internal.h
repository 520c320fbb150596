/*
 * tree_internal.h
 *	  What growing single trees, forests and boosted trees share: bins, histograms, splits, nodes.
 *
 * Features are cut into at most 255 bins once; trees are grown on bin numbers.  A histogram holds, for
 * each bin of a feature, sums over the rows of a node: [weight, s_1 .. s_K, rows, perhaps one for alignment].  A tree on a
 * label y has s = weight * y (K = 1) or the weight of each class (K classes); a boosted one has s =
 * gradients and weight = hessians.  In all cases the best value of a leaf is s / weight and a side of a
 * split is worth sum_k s_k^2 / (weight + l2), so one search serves all: for classes this is the Gini
 * impurity, for numbers the variance (Breiman et al. 1984), for gradients Friedman's second-order gain.
 *
 * Shapes: n rows, d = d_num + d_cat features ("places", trees.h), K outputs.
 */
#ifndef RETAILML_TREE_INTERNAL_H
#define RETAILML_TREE_INTERNAL_H

#include "retailml/trees.h"

#define RML_MAX_BINS 255
#define RML_BIN_WORDS 8 /* of 32 bits: a set of bins */

/* ---- bins.c */

typedef struct RmlBins
{
	int64_t n;
	int d;
	int d_num;
	int *n_bins;         /* [d] */
	double **thresholds; /* [d_num][n_bins - 1] bin b holds thresholds[b-1] < x <= thresholds[b] */
	int32_t *n_codes;    /* [d_cat] codes 0 .. n_codes - 1 */
	uint8_t **code_bins; /* [d_cat][n_codes] */
	uint8_t *columns;    /* [d x n] */
	uint8_t *rows;       /* [n x d] the same; NULL unless asked for */
} RmlBins;

extern void rml_bins_make(RmlBins *bins, RmlEnv *env, const RmlTrainingSet *rows);
/* have the bins row by row too: for nodes whose rows are far from each other */
extern void rml_bins_make_rows(RmlBins *bins, RmlEnv *env);
extern size_t rml_bins_bytes(int64_t n, int d);

static inline const uint8_t *
rml_bins_column(const RmlBins *bins, int place)
{
	return bins->columns + (int64_t) place * bins->n;
}

/* ---- tree_split.c */

typedef struct RmlSplitRules
{
	int outputs;
	double l2;              /* added to the weight of a side */
	double min_rows;        /* of a side */
	double min_weight;      /* of a side */
	double category_smooth; /* added to the weight when categories are ordered by s / weight */
	double category_l2;     /* added to l2 for splits of categories */
} RmlSplitRules;

/* sums over the rows of a node: as in a histogram's bin */
typedef struct RmlNodeSums
{
	double rows;
	const double *sums; /* [weight, s_1 .. s_K] */
} RmlNodeSums;

typedef struct RmlSplit
{
	double gain; /* 0: there is none */
	int place;
	int bin;                     /* number: bins up to this one go left */
	uint32_t set[RML_BIN_WORDS]; /* category: bins that go left */
} RmlSplit;

/* doubles per bin of a histogram: an even number, so that two can be added at once */
static inline int
rml_histogram_stride(const RmlSplitRules *rules)
{
	return (rules->outputs + 3) & ~1;
}

/* value of a node: sum_k s_k^2 / (weight + l2) */
extern double rml_node_score(const RmlSplitRules *rules, const double *sums, double l2);

/*
 * Improve *best by the best split of this feature, if that is better.  Returns false when all rows of the
 * node are in one bin.  occupied says in which bins there are rows; NULL: look at all.
 */
extern bool rml_split_search(const RmlSplitRules *rules, const RmlBins *bins, int place,
							 const double *histogram, const uint32_t *occupied,
							 const RmlNodeSums *node, RmlSplit *best);

static inline bool
rml_split_left(const RmlSplit *split, bool number, int bin)
{
	return number ? bin <= split->bin : (split->set[bin / 32] >> (bin % 32) & 1) != 0;
}

/* ---- tree_build.c: trees in the making */

typedef struct RmlBuilder
{
	RmlEnv *env;
	const RmlBins *bins;
	RmlTrees tree; /* n_trees is 1 */
	int64_t node_room;
	int64_t leaf_room;
	int64_t set_room;
	int64_t word_room;
} RmlBuilder;

extern void rml_builder_init(RmlBuilder *builder, RmlEnv *env, const RmlBins *bins, int outputs);
/* make a node an inner one; returns its left child, the right one follows */
extern int32_t rml_builder_split(RmlBuilder *builder, int32_t node, const RmlSplit *split);
/* make a node a leaf with these values [outputs] */
extern void rml_builder_leaf(RmlBuilder *builder, int32_t node, const double *values);
static inline void
rml_builder_cover(RmlBuilder *builder, int32_t node, double cover)
{
	builder->tree.cover[node] = cover;
}

/* let go of room that was not needed */
extern void rml_builder_finish(RmlBuilder *builder);

/* all trees as one; they may be released afterwards */
extern void rml_trees_join(RmlEnv *env, const RmlTrees *trees, int n_trees, int n_groups,
						   RmlTrees *out);

/*
 * The power of 2 that brings numbers up to largest near 1, or 1 where squares and float4 hold them as they
 * are: labels and weights may have any size.
 */
extern double rml_tree_unit(double largest);

/* largest absolute value of x [n] */
extern double rml_tree_largest(const double *x, int64_t n);

/* leaf of a row in tree t */
extern const RmlTreeNode *rml_tree_leaf(const RmlTrees *trees, int t, const double *numbers,
										const int32_t *codes);

/* ---- tree_grow.c: depth first, for single trees and forests */

/* a row of a tree: where it is, how much it counts, and its label */
typedef struct RmlGrowRow
{
	int32_t row;
	float weight; /* times it was drawn */
	double y;     /* the number, or the class */
} RmlGrowRow;

typedef struct RmlGrowRules
{
	RmlSplitRules split;
	int64_t max_depth;    /* 0: any */
	int64_t max_features; /* tried at each node */
	double min_split;     /* rows of a node that may be split */
	uint64_t seed;
	uint64_t stream;
} RmlGrowRules;

/* grow a tree on rows [n], which are reordered; result in builder */
extern void rml_tree_grow(RmlBuilder *builder, const RmlGrowRules *rules, RmlGrowRow *rows,
						  int64_t n);

extern size_t rml_tree_grow_bytes(int64_t n);

/* ---- boost_grow.c: leaf by leaf, on gradients */

typedef struct RmlGradient
{
	float g;
	float h;
} RmlGradient;

typedef struct RmlLeafRows
{
	int32_t node;
	int64_t start; /* in the grower's rows */
	int64_t end;
	double value;
} RmlLeafRows;

typedef struct RmlBoostRules
{
	RmlSplitRules split;
	int64_t max_depth; /* 0: any */
	int max_leaves;
	double learning_rate;
} RmlBoostRules;

typedef struct RmlBoostGrower RmlBoostGrower;

/* what all trees of a fit use: memory is taken once */
extern RmlBoostGrower *rml_boost_grower(RmlEnv *env, const RmlBins *bins,
										const RmlBoostRules *rules);

/*
 * Grow a tree on rows [n], ascending and reordered by this, whose gradients are at [row], with the
 * features [n_features] (places).  Returns the leaves and their rows, valid until the next call.
 */
extern const RmlLeafRows *rml_boost_grow(RmlBoostGrower *grower, RmlBuilder *builder,
										 const RmlGradient *gradients, int32_t *rows, int64_t n,
										 const int *features, int n_features, int *n_leaves);

extern size_t rml_boost_grow_bytes(int64_t n, int d, int64_t max_leaves);

#endif /* RETAILML_TREE_INTERNAL_H */
