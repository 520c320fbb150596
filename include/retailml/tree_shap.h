/*
 * tree_shap.h
 *	  What each feature of a row adds to the score a tree model gives it: Shapley values.
 *
 * The score of a row is split in a base (what the model says knowing nothing of the row) and a
 * contribution for each feature.  Let v(S) be what the trees say knowing only the features in S: a
 * node that asks about one of them sends the row down the side it belongs to, any other node down
 * both, in the proportion of the training rows that went there (its cover).  Then
 *
 *	  base			  = v({})
 *	  contribution j  = mean over all orders of the features of v(those up to j) - v(those before j)
 *	  base + sum of contributions = v(all) = the score
 *
 * This is the path-dependent TreeSHAP of Lundberg et al., exact, by an integral in place of their
 * sums over path lengths.  A leaf of value u at the end of a path that asks about the features F adds
 * to feature j
 *
 *	  u (o_j - z_j) * integral from 0 to 1 of prod over i in F, i != j of ((1 - t) z_i + t o_i) dt
 *
 * where z_i is the share of the cover that goes on along the path at the nodes of i, and o_i is 1 when
 * the row does so at all of them, else 0 (the weight of a set of s out of m others is the Beta integral of
 * t^s (1 - t)^(m - s)).  The integrand is a polynomial of degree |F| - 1, for which Gauss-Legendre
 * quadrature with |F| / 2 points is exact; and as z, o and the weights are not negative no digit is lost,
 * however deep the tree.  Products are carried down and sums up the tree, as in Linear TreeShap:
 * nodes * points steps in all.
 *
 *	  S. Lundberg et al., "From local explanations to global understanding with explainable AI for
 *	  trees", Nature Machine Intelligence 2 (2020)
 *	  P. Yu, C. Xu, A. Bifet, J. Read, "Linear TreeShap", NeurIPS 2022
 *
 * The score is that before the link: a number, a log-odds of the class asked about, a probability
 * of a forest.
 */
#ifndef RETAILML_TREE_SHAP_H
#define RETAILML_TREE_SHAP_H

#include "retailml/trees.h"

/*
 * fitted: RmlTreeModel.  numbers and codes are a prepared row, output the class asked about (0 for
 * regression).  contributions [n_features] are in the schema's order.
 */
extern void rml_trees_explain(const void *fitted, const RmlSchema *schema, RmlEnv *env,
							  const double *numbers, const int32_t *codes, int output,
							  double *contributions, double *base);

#endif /* RETAILML_TREE_SHAP_H */
