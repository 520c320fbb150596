/*
 * forest.h
 *	  Random forests, and the single decision tree, which is a forest of one.
 *
 * A forest is the mean of trees that differ by chance: each is grown on a bootstrap sample of the
 * rows, and each node tries some of the features only.  A tree's prediction is the mean label of the leaf's
 * training rows: a number, or the share of each class.  Splits save Gini impurity (classes) or
 * variance (numbers); features are cut into at most 255 bins first (bins.c), and categories are split
 * as sets.
 *
 * The rows a tree has not seen score it honestly: oob_score is the accuracy (classes) or R2
 * (numbers) of all rows, each predicted by the trees that did not draw it; of up to RML_OOB_ROWS rows.
 *
 * Trees are grown side by side (tasks.h); tree t draws from its own random stream, so a forest is the
 * same for any number of threads.
 *
 *	  L. Breiman, "Random forests", Machine Learning 45 (2001)
 *	  L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression Trees", 1984
 */
#ifndef RETAILML_FOREST_H
#define RETAILML_FOREST_H

#include "retailml/learner.h"
#include "retailml/trees.h"

/* rows the out-of-bag score is made of: all up to here, a random sample above */
#define RML_OOB_ROWS 20000

typedef struct RmlForestParams
{
	RmlSupervisedParams common;
	int64_t n_trees;
	int64_t max_depth;       /* 0: any */
	double min_samples_leaf; /* rows; RML_AUTO: 5, and n / 20000 at least */
	int64_t min_samples_split;
	double max_features; /* tried at a node; RML_AUTO: sqrt(d) for classes, d / 3 for numbers */
	int64_t bootstrap;
} RmlForestParams;

/* a single tree has the same params, other defaults and fewer options */
extern const RmlAlgorithm rml_forest_algorithm;
extern const RmlAlgorithm rml_tree_algorithm;
extern const RmlLearner rml_forest_learner;
extern const RmlLearner rml_tree_learner;

#endif /* RETAILML_FOREST_H */
