/*
 * boost.h
 *	  Gradient boosting of trees on histograms.
 *
 * A score is a sum of small trees, each fitted to the gradient of the loss at the scores so far:
 * squared error for numbers, logistic loss for two classes (score = log-odds), softmax for more (one tree
 * for each class and round).  With gradients g and hessians h a leaf has the value
 * -learning_rate * sum g / (sum h + l2), and a split saves
 * 1/2 [GL^2 / (HL + l2) + GR^2 / (HR + l2) - G^2 / (H + l2)].
 *
 * Trees grow leaf by leaf, the one that saves most first.  Histograms of 255 bins are summed for the
 * smaller child only; the other is the difference to its parent.  Categories are split as sets, ordered by
 * g / (h + 10) with l2 raised by 10, which keeps small categories from being fitted one by one.
 *
 * With early_stopping, a hashed tenth of the rows is held out, and boosting ends when its loss has not
 * become smaller for so many rounds; trees after the best round are dropped.
 *
 *	  J. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29 (2001)
 *	  T. Chen, C. Guestrin, "XGBoost", KDD 2016;  G. Ke et al., "LightGBM", NIPS 2017
 */
#ifndef RETAILML_BOOST_H
#define RETAILML_BOOST_H

#include "retailml/learner.h"
#include "retailml/trees.h"

typedef struct RmlBoostParams
{
	RmlSupervisedParams common;
	int64_t n_trees; /* rounds */
	double learning_rate;
	int64_t max_depth; /* 0: any */
	int64_t max_leaves;
	int64_t min_samples_leaf;
	double l2;
	double subsample;       /* share of the rows a tree is grown on */
	double colsample;       /* share of the features */
	int64_t early_stopping; /* rounds without progress; 0: off */
	double holdout;         /* share of the rows that are held out then */
} RmlBoostParams;

extern const RmlAlgorithm rml_boost_algorithm;
extern const RmlLearner rml_boost_learner;

#endif /* RETAILML_BOOST_H */
