/*
 * tree_model.c
 *	  The bytes of tree models.
 *
 * Reading checks what scoring relies on: children inside the tree, after their parent and of no
 * other, places that exist, thresholds that are finite, sets and rows of values that are there.
 */
#include "tree_internal.h"

#include <math.h>
#include <string.h>

#define TAG_SHAPE RML_TAG('T', 'R', 's', 'h')
#define TAG_STARTS RML_TAG('T', 'R', 's', 't')
#define TAG_PLACES RML_TAG('T', 'R', 'p', 'l')
#define TAG_LEFT RML_TAG('T', 'R', 'l', 'e')
#define TAG_THRESHOLDS RML_TAG('T', 'R', 't', 'h')
#define TAG_COVER RML_TAG('T', 'R', 'c', 'v')
#define TAG_VALUES RML_TAG('T', 'R', 'v', 'a')
#define TAG_SETS RML_TAG('T', 'R', 's', 'e')
#define TAG_WORDS RML_TAG('T', 'R', 'w', 'o')
#define TAG_GAIN RML_TAG('T', 'R', 'g', 'a')
#define TAG_SPLITS RML_TAG('T', 'R', 's', 'p')
#define TAG_BASE RML_TAG('T', 'R', 'b', 'a')
#define TAG_FACTS RML_TAG('T', 'R', 'f', 'a')
#define TAG_HISTORY RML_TAG('T', 'R', 'h', 'i')

/* trees, outputs, groups, nodes, leaves, sets, words, link, history */
#define SHAPE_FIELDS 9

#define MAX_TREES 1000000

/* ---- writing ---- */

static void
encode_nodes(const RmlTrees *trees, RmlWriter *writer)
{
	RmlEnv *env = writer->env;
	size_t n = (size_t) trees->n_nodes;
	int32_t *integers = RML_NEW(env, int32_t, n);
	double *thresholds = RML_NEW(env, double, n);

	for (size_t i = 0; i < n; i++)
		integers[i] = trees->nodes[i].place;
	rml_put_int32(writer, TAG_PLACES, integers, n);
	for (size_t i = 0; i < n; i++)
		integers[i] = trees->nodes[i].left;
	rml_put_int32(writer, TAG_LEFT, integers, n);
	for (size_t i = 0; i < n; i++)
		thresholds[i] = trees->nodes[i].threshold;
	rml_put_float64(writer, TAG_THRESHOLDS, thresholds, n);
	rml_put_float64(writer, TAG_COVER, trees->cover, n);
	rml_release(env, integers);
	rml_release(env, thresholds);
}

void
rml_tree_model_encode(const void *fitted, RmlWriter *writer)
{
	const RmlTreeModel *model = fitted;
	const RmlTrees *trees = &model->trees;
	size_t d = (size_t) (trees->d_num + trees->d_cat);
	int64_t words = trees->set_starts[trees->n_sets];
	const int64_t shape[SHAPE_FIELDS] = {trees->n_trees, trees->outputs,  trees->n_groups,
										 trees->n_nodes, trees->n_leaves, trees->n_sets,
										 words,          model->link,     model->n_history};
	const double facts[] = {model->scale, model->holdout_loss, model->oob_score};

	rml_target_encode(&model->target, writer);
	rml_put_int64(writer, TAG_SHAPE, shape, SHAPE_FIELDS);
	rml_put_int64(writer, TAG_STARTS, trees->starts, (size_t) trees->n_trees + 1);
	encode_nodes(trees, writer);
	rml_put_float64(writer, TAG_VALUES, trees->values, (size_t) (trees->n_leaves * trees->outputs));
	rml_put_int64(writer, TAG_SETS, trees->set_starts, (size_t) trees->n_sets + 1);
	rml_put_int32(writer, TAG_WORDS, (const int32_t *) trees->set_words, (size_t) words);
	rml_put_float64(writer, TAG_GAIN, trees->gain, d);
	rml_put_int64(writer, TAG_SPLITS, trees->splits, d);
	rml_put_float64(writer, TAG_BASE, model->base, (size_t) rml_tree_scores(trees));
	rml_put_float64(writer, TAG_FACTS, facts, 3);
	rml_put_float64(writer, TAG_HISTORY, model->history, 2 * (size_t) model->n_history);
}

/* ---- reading ---- */

/* how many numbers a score must have for this label and link */
static bool
outputs_fit(const RmlTreeModel *model)
{
	const RmlTrees *trees = &model->trees;
	int classes = model->target.n_classes;

	if (model->target.task == RML_REGRESSION)
		return trees->outputs == 1 && trees->n_groups == 1 && model->link == RML_LINK_IDENTITY;
	if (model->link == RML_LINK_SOFTMAX)
		return trees->outputs == 1 && trees->n_groups == classes;
	if (model->link == RML_LINK_LOGIT || classes == 2)
		return trees->outputs == 1 && trees->n_groups == 1 && classes == 2;
	return trees->outputs == classes && trees->n_groups == 1;
}

static bool
decode_shape(RmlTreeModel *model, int64_t *words, RmlReader *reader)
{
	const int64_t *shape = rml_get_int64(reader, TAG_SHAPE, SHAPE_FIELDS);
	RmlTrees *trees = &model->trees;

	if (shape == NULL)
		return false;
	for (int i = 0; i < SHAPE_FIELDS; i++)
		if (shape[i] < 0 || shape[i] > INT32_MAX)
			return false;
	trees->n_trees = (int) shape[0];
	trees->outputs = (int) shape[1];
	trees->n_groups = (int) shape[2];
	trees->n_nodes = shape[3];
	trees->n_leaves = shape[4];
	trees->n_sets = shape[5];
	*words = shape[6];
	model->link = (RmlLink) shape[7];
	model->n_history = shape[8];
	return trees->n_trees >= 1 && trees->n_trees <= MAX_TREES && shape[7] <= RML_LINK_SOFTMAX &&
		   outputs_fit(model) && (trees->outputs > 1 || trees->n_leaves == 0);
}

/* ascending from 0 to end */
static bool
starts_fit(const int64_t *starts, int64_t n, int64_t end, int64_t least)
{
	if (starts[0] != 0 || starts[n] != end)
		return false;
	for (int64_t i = 0; i < n; i++)
		if (starts[i + 1] > end || starts[i + 1] < starts[i] + least)
			return false;
	return true;
}

static bool
node_fits(const RmlTrees *trees, int64_t index, int64_t size)
{
	const RmlTreeNode *node = &trees->nodes[index];

	if (node->place == RML_LEAF)
		return trees->outputs == 1 || (node->left >= 0 && node->left < trees->n_leaves);
	if (node->place < 0 || node->place >= trees->d_num + trees->d_cat || node->left <= index ||
		(int64_t) node->left + 1 >= size)
		return false;
	return node->place < trees->d_num ||
		   (node->threshold >= 0 && node->threshold < (double) trees->n_sets &&
			node->threshold == floor(node->threshold));
}

/*
 * All nodes but the root are the child of one: what walks along all paths would otherwise meet more
 * of them than there are nodes.  has_parent [size] is all false.
 */
static bool
tree_fits(const RmlTrees *trees, int64_t size, bool *has_parent)
{
	int64_t children = 0;

	for (int64_t i = 0; i < size; i++)
	{
		const RmlTreeNode *node = &trees->nodes[i];

		if (!node_fits(trees, i, size))
			return false;
		if (node->place == RML_LEAF)
			continue;
		if (has_parent[node->left] || has_parent[node->left + 1])
			return false;
		has_parent[node->left] = has_parent[node->left + 1] = true;
		children += 2;
	}
	return children == size - 1;
}

static bool
nodes_fit(const RmlTrees *trees, RmlEnv *env)
{
	bool *has_parent = RML_NEW_ZERO(env, bool, (size_t) trees->n_nodes);
	RmlTrees view = *trees;
	bool fit = true;

	for (int t = 0; t < trees->n_trees && fit; t++)
	{
		int64_t start = trees->starts[t];

		view.nodes = trees->nodes + start;
		fit = tree_fits(&view, trees->starts[t + 1] - start, has_parent + start);
	}
	rml_release(env, has_parent);
	return fit;
}

static void
decode_nodes(RmlTrees *trees, RmlReader *reader)
{
	size_t n = (size_t) trees->n_nodes;
	const int32_t *places = rml_get_int32(reader, TAG_PLACES, n);
	const int32_t *left = rml_get_int32(reader, TAG_LEFT, n);
	const double *thresholds = rml_get_finite(reader, TAG_THRESHOLDS, n);

	trees->cover = rml_get_finite(reader, TAG_COVER, n);
	if (reader->error != NULL)
		return;
	trees->nodes = RML_NEW(reader->env, RmlTreeNode, n);
	for (size_t i = 0; i < n; i++)
		trees->nodes[i] = (RmlTreeNode){thresholds[i], places[i], left[i]};
	rml_release(reader->env, (void *) places);
	rml_release(reader->env, (void *) left);
	rml_release(reader->env, (void *) thresholds);
	for (size_t i = 0; i < n; i++)
		if (trees->cover[i] < 0)
			rml_reader_fail(reader, "a node of the model has a negative weight");
}

static void
decode_trees(RmlTrees *trees, int64_t words, RmlReader *reader)
{
	size_t d = (size_t) (trees->d_num + trees->d_cat);

	trees->starts = rml_get_int64(reader, TAG_STARTS, (size_t) trees->n_trees + 1);
	decode_nodes(trees, reader);
	trees->values =
		rml_get_finite(reader, TAG_VALUES, (size_t) trees->n_leaves * (size_t) trees->outputs);
	trees->set_starts = rml_get_int64(reader, TAG_SETS, (size_t) trees->n_sets + 1);
	trees->set_words = (uint32_t *) rml_get_int32(reader, TAG_WORDS, (size_t) words);
	trees->gain = rml_get_finite(reader, TAG_GAIN, d);
	trees->splits = rml_get_int64(reader, TAG_SPLITS, d);
	if (reader->error != NULL)
		return;
	if (!starts_fit(trees->starts, trees->n_trees, trees->n_nodes, 1) ||
		!starts_fit(trees->set_starts, trees->n_sets, words, 0) || !nodes_fit(trees, reader->env))
		rml_reader_fail(reader, "the trees of the model are damaged");
}

void *
rml_tree_model_decode(RmlReader *reader, const RmlSchema *schema, const void *params)
{
	RmlTreeModel *model = rml_alloc_zero(reader->env, sizeof *model);
	RmlTrees *trees = &model->trees;
	const double *facts;
	int64_t words;

	(void) params;
	rml_target_decode(&model->target, reader);
	trees->d_num = schema->d_num;
	trees->d_cat = schema->d_cat;
	if (reader->error != NULL)
		return model;
	if (!decode_shape(model, &words, reader))
	{
		rml_reader_fail(reader, "the shape of the model's trees is damaged");
		return model;
	}
	decode_trees(trees, words, reader);
	model->base = rml_get_finite(reader, TAG_BASE, (size_t) rml_tree_scores(trees));
	facts = rml_get_float64(reader, TAG_FACTS, 3);
	model->history = rml_get_float64(reader, TAG_HISTORY, 2 * (size_t) model->n_history);
	if (facts == NULL)
		return model;
	model->scale = facts[0];
	model->holdout_loss = facts[1];
	model->oob_score = facts[2];
	if (!isfinite(model->scale))
		rml_reader_fail(reader, "the scale of the model is damaged");
	return model;
}

/* ---- description ---- */

void
rml_tree_importance(const void *fitted, const RmlSchema *schema, double *gain, int64_t *splits)
{
	const RmlTrees *trees = &((const RmlTreeModel *) fitted)->trees;
	double total = 0.0;

	for (int f = 0; f < trees->d_num + trees->d_cat; f++)
		total += trees->gain[f];
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];
		int place = feature->slot + (feature->kind == RML_CATEGORICAL ? schema->d_num : 0);

		gain[i] = total > 0 ? trees->gain[place] / total : 0.0;
		splits[i] = trees->splits[place];
	}
}

static int64_t
count_leaves(const RmlTrees *trees)
{
	int64_t n = 0;

	for (int64_t i = 0; i < trees->n_nodes; i++)
		n += trees->nodes[i].place == RML_LEAF;
	return n;
}

void
rml_tree_model_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info)
{
	const RmlTreeModel *model = fitted;

	(void) schema;
	rml_target_describe(&model->target, info);
	info->integer(info, "trees", model->trees.n_trees);
	info->integer(info, "leaves", count_leaves(&model->trees));
	if (!isnan(model->oob_score))
		info->number(info, model->target.task == RML_REGRESSION ? "oob_r2" : "oob_accuracy",
					 model->oob_score);
	if (!isnan(model->holdout_loss))
		info->number(info, "holdout_loss", model->holdout_loss);
	if (model->n_history == 0)
		return;
	info->begin_array(info, "history");
	for (int64_t i = 0; i < model->n_history; i++)
	{
		info->begin_object(info, NULL);
		info->number(info, "training_loss", model->history[2 * i]);
		info->number(info, "holdout_loss", model->history[2 * i + 1]);
		info->end_object(info);
	}
	info->end_array(info);
}
