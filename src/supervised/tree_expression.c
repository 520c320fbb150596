/*
 * tree_expression.c
 *	  A tree model as SQL: nested CASEs, added up.
 */
#include "retailml/tree_expression.h"

#include <string.h>

typedef struct Writer
{
	const RmlTreeModel *model;
	const RmlTrees *trees;
	const RmlSchema *schema;
	const RmlFeature **features; /* [d] by place */
	bool **codes;                /* [d_cat] [n_categories + 2] scratch */
	bool folded;                 /* one tree: leaves hold the prediction itself */
} Writer;

/* one score of the model */
typedef struct Score
{
	const Writer *writer;
	int score;
} Score;

/* ---- leaves ---- */

static double
leaf_score(const Writer *writer, const RmlTreeNode *leaf, int score)
{
	const RmlTreeModel *model = writer->model;
	int output = writer->trees->outputs > 1 ? score : 0;

	return model->base[score] + model->scale * rml_tree_leaf_value(writer->trees, leaf, output);
}

/* 1 + the class with the largest score, the first of equals */
static int
leaf_class(const Writer *writer, const RmlTreeNode *leaf)
{
	int best = 0;

	for (int k = 1; k < writer->trees->outputs; k++)
		if (leaf_score(writer, leaf, k) > leaf_score(writer, leaf, best))
			best = k;
	return best + 1;
}

static void
write_leaf(RmlExpression *expression, const Writer *writer, const RmlTreeNode *leaf, int score)
{
	const RmlTrees *trees = writer->trees;

	if (!writer->folded)
		rml_write_number(expression,
						 rml_tree_leaf_value(trees, leaf, trees->outputs > 1 ? score : 0));
	else if (trees->outputs > 1)
		rml_write_number(expression, leaf_class(writer, leaf));
	else
		rml_write_number(expression, leaf_score(writer, leaf, 0));
}

/* ---- one tree ---- */

static void
write_test(RmlExpression *expression, const Writer *writer, const RmlTreeNode *node)
{
	const RmlFeature *feature = writer->features[node->place];
	bool *codes;

	if (feature->kind != RML_CATEGORICAL)
	{
		rml_write_value(expression, feature);
		rml_write(expression, " <= ");
		rml_write_bound(expression, node->threshold);
		return;
	}
	codes = writer->codes[feature->slot];
	for (int32_t code = 0; code <= feature->n_categories + 1; code++)
		codes[code] = rml_tree_set_has(writer->trees, (int64_t) node->threshold, code);
	rml_write_code_test(expression, feature, rml_value_text(expression, feature), codes);
}

static void
write_node(RmlExpression *expression, const Writer *writer, const RmlTreeNode *root, int32_t at,
		   int score, int depth)
{
	const RmlTreeNode *node = &root[at];

	if (depth > RML_EXPRESSION_NESTED)
		rml_expression_refuse(expression, "its trees are too deep");
	if (expression->error != NULL)
		return;
	if (node->place == RML_LEAF)
	{
		write_leaf(expression, writer, node, score);
		return;
	}
	rml_write(expression, "CASE WHEN ");
	write_test(expression, writer, node);
	rml_write(expression, " THEN ");
	write_node(expression, writer, root, node->left, score, depth + 1);
	rml_write(expression, " ELSE ");
	write_node(expression, writer, root, node->left + 1, score, depth + 1);
	rml_write(expression, " END");
}

/* ---- scores ---- */

/* the i-th tree of a score */
static void
tree_term(RmlExpression *expression, const void *context, int64_t i)
{
	const Score *score = context;
	const RmlTrees *trees = score->writer->trees;
	int64_t tree = trees->outputs > 1 ? i : i * trees->n_groups + score->score;

	write_node(expression, score->writer, trees->nodes + trees->starts[tree], 0, score->score, 0);
}

static void
write_score(RmlExpression *expression, const Writer *writer, int score)
{
	const RmlTreeModel *model = writer->model;
	const Score context = {writer, score};

	if (writer->folded)
	{
		tree_term(expression, &context, 0);
		return;
	}
	rml_write(expression, "(");
	rml_write_number(expression, model->base[score]);
	rml_write(expression, " + ");
	rml_write_number(expression, model->scale);
	rml_write(expression, " * ");
	rml_write_sum(expression, writer->trees->n_trees / writer->trees->n_groups, tree_term,
				  &context);
	rml_write(expression, ")");
}

static void
score_term(RmlExpression *expression, const void *context, int64_t i)
{
	write_score(expression, context, (int) i);
}

/* ---- the model ---- */

static void
writer_init(Writer *writer, const RmlTreeModel *model, const RmlSchema *schema, RmlEnv *env)
{
	const RmlTrees *trees = &model->trees;

	*writer = (Writer){.model = model, .trees = trees, .schema = schema};
	writer->folded = trees->n_trees == 1 && trees->n_groups == 1;
	writer->features = RML_NEW(env, const RmlFeature *, (size_t) (trees->d_num + trees->d_cat));
	writer->codes = RML_NEW(env, bool *, (size_t) trees->d_cat);
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];
		bool category = feature->kind == RML_CATEGORICAL;

		writer->features[feature->slot + (category ? trees->d_num : 0)] = feature;
		if (category)
			writer->codes[feature->slot] = RML_NEW(env, bool, (size_t) feature->n_categories + 2);
	}
}

/* features [n_features] that some tree asks about */
static bool *
used_features(const Writer *writer, RmlEnv *env)
{
	const RmlTrees *trees = writer->trees;
	bool *used = RML_NEW_ZERO(env, bool, (size_t) writer->schema->n_features);

	for (int64_t i = 0; i < trees->n_nodes; i++)
		if (trees->nodes[i].place != RML_LEAF)
			used[writer->features[trees->nodes[i].place] - writer->schema->features] = true;
	return used;
}

void
rml_trees_expression(const void *fitted, const RmlSchema *schema, RmlExpression *expression)
{
	const RmlTreeModel *model = fitted;
	Writer writer;

	writer_init(&writer, model, schema, expression->env);
	rml_write_row_begin(expression);
	if (rml_tree_scores(&model->trees) > 1 && !writer.folded)
		rml_write_argmax(expression, rml_tree_scores(&model->trees), score_term, &writer);
	else if (model->link == RML_LINK_LOGIT)
	{
		rml_write_logistic_begin(expression);
		write_score(expression, &writer, 0);
		rml_write_logistic_end(expression);
	}
	else
		write_score(expression, &writer, 0);
	rml_write_row_end(expression, used_features(&writer, expression->env));
}
