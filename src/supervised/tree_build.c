/*
 * tree_build.c
 *	  Trees in the making, and many trees as one array.
 */
#include "tree_internal.h"

#include <math.h>
#include <string.h>

/* ---- sizes of numbers ---- */

double
rml_tree_unit(double largest)
{
	const double usual = 1e12;
	int exponent;

	if (largest == 0.0 || (largest >= 1.0 / usual && largest <= usual))
		return 1.0;
	exponent = ilogb(largest);
	exponent = exponent > 1000 ? 1000 : exponent < -1000 ? -1000 : exponent;
	return ldexp(1.0, -exponent);
}

double
rml_tree_largest(const double *x, int64_t n)
{
	double largest = 0.0;

	for (int64_t i = 0; i < n; i++)
		largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
	return largest;
}

/* ---- a tree that grows ---- */

#define FIRST_NODES 64

static void
add_nodes(RmlBuilder *builder, int64_t n)
{
	RmlTrees *tree = &builder->tree;
	int64_t room = builder->node_room;

	if (tree->n_nodes + n > room)
	{
		int64_t grown = room == 0 ? FIRST_NODES : 2 * room;

		tree->nodes = rml_grow_array(builder->env, tree->nodes, (size_t) tree->n_nodes,
									 (size_t) grown, sizeof(RmlTreeNode));
		tree->cover = rml_grow_array(builder->env, tree->cover, (size_t) tree->n_nodes,
									 (size_t) grown, sizeof(double));
		builder->node_room = grown;
	}
	for (int64_t i = 0; i < n; i++)
	{
		tree->nodes[tree->n_nodes + i] = (RmlTreeNode){0.0, RML_LEAF, 0};
		tree->cover[tree->n_nodes + i] = 0.0;
	}
	tree->n_nodes += n;
}

void
rml_builder_init(RmlBuilder *builder, RmlEnv *env, const RmlBins *bins, int outputs)
{
	memset(builder, 0, sizeof *builder);
	builder->env = env;
	builder->bins = bins;
	builder->tree.n_trees = 1;
	builder->tree.n_groups = 1;
	builder->tree.outputs = outputs;
	builder->tree.d_num = bins->d_num;
	builder->tree.d_cat = bins->d - bins->d_num;
	builder->tree.starts = RML_NEW_ZERO(env, int64_t, 2);
	builder->tree.gain = RML_NEW_ZERO(env, double, (size_t) bins->d);
	builder->tree.splits = RML_NEW_ZERO(env, int64_t, (size_t) bins->d);
	builder->tree.set_starts = RML_NEW_ZERO(env, int64_t, 1);
	add_nodes(builder, 1);
}

/* room for one more set of this many words */
static uint32_t *
add_set(RmlBuilder *builder, int64_t words)
{
	RmlTrees *tree = &builder->tree;
	int64_t used = tree->set_starts[tree->n_sets];

	if (tree->n_sets == builder->set_room)
	{
		int64_t grown = builder->set_room == 0 ? 16 : 2 * builder->set_room;

		tree->set_starts = rml_grow_array(builder->env, tree->set_starts, (size_t) tree->n_sets + 1,
										  (size_t) grown + 1, sizeof(int64_t));
		builder->set_room = grown;
	}
	if (used + words > builder->word_room)
	{
		int64_t grown = 2 * builder->word_room + words + 16;

		tree->set_words = rml_grow_array(builder->env, tree->set_words, (size_t) used,
										 (size_t) grown, sizeof(uint32_t));
		builder->word_room = grown;
	}
	tree->set_starts[++tree->n_sets] = used + words;
	return memset(tree->set_words + used, 0, sizeof(uint32_t) * (size_t) words);
}

/* the codes in a set of bins, as a set of the tree; returns its number */
static int64_t
add_category_set(RmlBuilder *builder, const RmlSplit *split)
{
	int slot = split->place - builder->bins->d_num;
	const uint8_t *code_bins = builder->bins->code_bins[slot];
	int32_t n_codes = builder->bins->n_codes[slot];
	uint32_t *words = add_set(builder, n_codes / 32 + 1);

	for (int32_t code = 0; code < n_codes; code++)
		if (rml_split_left(split, false, code_bins[code]))
			words[code / 32] |= (uint32_t) 1 << (code % 32);
	return builder->tree.n_sets - 1;
}

int32_t
rml_builder_split(RmlBuilder *builder, int32_t node, const RmlSplit *split)
{
	RmlTrees *tree = &builder->tree;
	int32_t left = (int32_t) tree->n_nodes;

	add_nodes(builder, 2);
	tree->nodes[node].place = split->place;
	tree->nodes[node].left = left;
	tree->nodes[node].threshold = split->place < tree->d_num
									  ? builder->bins->thresholds[split->place][split->bin]
									  : (double) add_category_set(builder, split);
	tree->gain[split->place] += split->gain;
	tree->splits[split->place]++;
	return left;
}

void
rml_builder_leaf(RmlBuilder *builder, int32_t node, const double *values)
{
	RmlTrees *tree = &builder->tree;
	int64_t room = builder->leaf_room;

	if (tree->outputs == 1)
	{
		tree->nodes[node].threshold = values[0];
		return;
	}
	if (tree->n_leaves == room)
	{
		int64_t grown = room == 0 ? FIRST_NODES : 2 * room;

		tree->values =
			rml_grow_array(builder->env, tree->values, (size_t) (tree->n_leaves * tree->outputs),
						   (size_t) (grown * tree->outputs), sizeof(double));
		builder->leaf_room = grown;
	}
	tree->nodes[node].left = (int32_t) tree->n_leaves;
	memcpy(tree->values + tree->n_leaves * tree->outputs, values,
		   sizeof(double) * (size_t) tree->outputs);
	tree->n_leaves++;
}

void
rml_builder_finish(RmlBuilder *builder)
{
	RmlTrees *tree = &builder->tree;
	RmlEnv *env = builder->env;
	size_t n = (size_t) tree->n_nodes, values = (size_t) (tree->n_leaves * tree->outputs);

	tree->starts[1] = tree->n_nodes;
	tree->nodes = rml_grow_array(env, tree->nodes, n, n, sizeof(RmlTreeNode));
	tree->cover = rml_grow_array(env, tree->cover, n, n, sizeof(double));
	if (tree->outputs > 1)
		tree->values = rml_grow_array(env, tree->values, values, values, sizeof(double));
}

/* ---- many trees ---- */

/* sizes of all together, and the features' gains */
static void
add_sizes(const RmlTrees *tree, int d, RmlTrees *out)
{
	out->n_nodes += tree->n_nodes;
	out->n_leaves += tree->n_leaves;
	out->n_sets += tree->n_sets;
	for (int f = 0; f < d; f++)
	{
		out->gain[f] += tree->gain[f];
		out->splits[f] += tree->splits[f];
	}
}

/* copy one tree behind those that are there; numbers of leaves and sets move up */
static void
append_tree(const RmlTrees *tree, int t, int64_t leaves, int64_t sets, RmlTrees *out)
{
	int64_t start = out->starts[t], words = out->set_starts[sets];

	out->starts[t + 1] = start + tree->n_nodes;
	memcpy(out->cover + start, tree->cover, sizeof(double) * (size_t) tree->n_nodes);
	for (int64_t i = 0; i < tree->n_nodes; i++)
	{
		RmlTreeNode node = tree->nodes[i];

		if (node.place == RML_LEAF && tree->outputs > 1)
			node.left += (int32_t) leaves;
		if (node.place >= tree->d_num)
			node.threshold += (double) sets;
		out->nodes[start + i] = node;
	}
	if (tree->outputs > 1)
		memcpy(out->values + leaves * tree->outputs, tree->values,
			   sizeof(double) * (size_t) (tree->n_leaves * tree->outputs));
	for (int64_t s = 0; s < tree->n_sets; s++)
		out->set_starts[sets + s + 1] = words + tree->set_starts[s + 1];
	if (tree->n_sets > 0)
		memcpy(out->set_words + words, tree->set_words,
			   sizeof(uint32_t) * (size_t) tree->set_starts[tree->n_sets]);
}

void
rml_trees_join(RmlEnv *env, const RmlTrees *trees, int n_trees, int n_groups, RmlTrees *out)
{
	int d = trees[0].d_num + trees[0].d_cat;
	int64_t words = 0, leaves = 0, sets = 0;

	memset(out, 0, sizeof *out);
	out->n_trees = n_trees;
	out->n_groups = n_groups;
	out->outputs = trees[0].outputs;
	out->d_num = trees[0].d_num;
	out->d_cat = trees[0].d_cat;
	out->gain = RML_NEW_ZERO(env, double, (size_t) d);
	out->splits = RML_NEW_ZERO(env, int64_t, (size_t) d);
	for (int t = 0; t < n_trees; t++)
	{
		add_sizes(&trees[t], d, out);
		words += trees[t].set_starts[trees[t].n_sets];
	}
	out->starts = RML_NEW_ZERO(env, int64_t, (size_t) n_trees + 1);
	out->nodes = RML_NEW(env, RmlTreeNode, (size_t) out->n_nodes);
	out->cover = RML_NEW(env, double, (size_t) out->n_nodes);
	out->values =
		out->outputs == 1 ? NULL : RML_NEW(env, double, (size_t) (out->n_leaves * out->outputs));
	out->set_starts = RML_NEW_ZERO(env, int64_t, (size_t) out->n_sets + 1);
	out->set_words = RML_NEW(env, uint32_t, (size_t) words);
	for (int t = 0; t < n_trees; t++)
	{
		append_tree(&trees[t], t, leaves, sets, out);
		leaves += trees[t].n_leaves;
		sets += trees[t].n_sets;
		rml_poll(env);
	}
}
