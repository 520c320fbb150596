/*
 * tree_expression.h
 *	  Tree models in SQL: the whole model as an expression, one tree as a list of rules.
 *
 * The expression is a sum of nested CASEs over the prepared row (sql_expression.h), in the link of the
 * model:
 *
 *	  base + scale * (CASE WHEN r.recency <= 30.5 THEN ... ELSE ... END + CASE ...)
 *
 * A rule is the way to one leaf, as a condition over the columns as they are: bounds on one number are
 * merged, sets of one category intersected.
 *
 *	  recency > 12.5 AND recency <= 90.5 AND (channel IN ('web', 'app') OR channel IS NULL)
 *
 * Of the rules of a tree exactly one is true for a row.  A missing number goes where the value does that the
 * model imputes; where a column that held NULL or NaN in training may hold NaN, which SQL takes for the largest
 * number, the rule says so too.
 */
#ifndef RETAILML_TREE_EXPRESSION_H
#define RETAILML_TREE_EXPRESSION_H

#include "retailml/sql_expression.h"
#include "retailml/trees.h"

/* RmlAlgorithm.expression of models of trees */
extern void rml_trees_expression(const void *fitted, const RmlSchema *schema,
								 RmlExpression *expression);

typedef struct RmlTreeRule
{
	int leaf;              /* 1 .., from left to right */
	const char *condition; /* until the next rule */
	double value;          /* NaN: a number for each class */
	int class_number;      /* 0 .. K - 1; -1: none */
	double probability;    /* of that class; NaN: none */
	double cover;          /* weight of the training rows */
	double share;          /* of the tree's */
} RmlTreeRule;

/* a tree being read, leaf by leaf */
typedef struct RmlTreeRules
{
	RmlEnv *env;
	const RmlTreeModel *model;
	const RmlSchema *schema;
	int tree;
	int leaf;
	const RmlTreeNode *nodes;
	const double *cover;
	RmlExpression expression;
	const RmlFeature **features; /* [d] by place */
	int32_t *parents;            /* [nodes] */
	int32_t *stack;              /* [nodes] subtrees to read, the next last */
	int64_t n_stack;
	/* what the way to a leaf allows, by place */
	int n_places;
	int *places;  /* [d] those that are asked about, in the schema's order */
	bool *asked;  /* [d] */
	double *low;  /* [d] numbers above this */
	double *high; /* [d] and up to this */
	bool **codes; /* [d] [n_categories + 2] */
} RmlTreeRules;

/* tree 0 .. n_trees - 1 of a model; rules are written over columns without an alias */
extern void rml_tree_rules_begin(RmlTreeRules *rules, RmlEnv *env, const RmlTreeModel *model,
								 const RmlSchema *schema, const RmlQuotes *quotes, int tree);

/* false after the last leaf */
extern bool rml_tree_rules_next(RmlTreeRules *rules, RmlTreeRule *rule);

#endif /* RETAILML_TREE_EXPRESSION_H */
