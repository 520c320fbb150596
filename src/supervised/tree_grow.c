/*
 * tree_grow.c
 *	  Growing a tree depth first, trying some of the features at each node.
 *
 * A node's rows are a range of the array, so splitting a node reorders its range.  The features of
 * a node are drawn without replacement; features that are constant in the
 * node count as tried, but one that varies is tried in any case: where few are left that vary, trees shall not all
 * choose the same.
 */
#include "tree_internal.h"

#include <string.h>

#include "retailml/rng.h"

#define POLL_ROWS 200000

/*
 * In nodes with fewer rows than this it is noted which bins have some: most nodes are small, and to clear and
 * search all 255 bins would take longer than to add up their rows.
 */
#define FEW_ROWS 200

/* a node with less than this part of the rows reads bins row by row: its rows share no cache lines of a column */
#define SCATTERED_PART 16

typedef struct Pending
{
	int64_t start;
	int64_t end;
	int32_t node;
	int32_t depth;
} Pending;

typedef struct Grower
{
	RmlBuilder *builder;
	RmlEnv *env;
	const RmlBins *bins;
	const RmlGrowRules *rules;
	RmlGrowRow *rows;
	RmlGrowRow *moved; /* [n] scratch of partition */
	double *histogram; /* [255 x stride], zeros between two searches */
	double *sums;      /* [1 + K] of the node */
	int *features;     /* [d] an order, reshuffled in part at each node */
	uint64_t draws;
	int64_t since_poll; /* rows */
	Pending *stack;
	int64_t n_pending;
	int64_t room;
} Grower;

/* ---- sums ---- */

static inline void
add_row(double *restrict bin, const RmlGrowRow *row, int outputs)
{
	double weight = row->weight;

	bin[0] += weight;
	if (outputs == 1)
	{
		bin[1] += weight * row->y;
		bin[2] += 1.0;
	}
	else
	{
		bin[1 + (int) row->y] += weight;
		bin[1 + outputs] += 1.0;
	}
}

static void
node_sums(Grower *grower, const Pending *node)
{
	int outputs = grower->rules->split.outputs;
	double *sums = grower->sums;

	memset(sums, 0, sizeof(double) * (size_t) (outputs + 2));
	for (int64_t i = node->start; i < node->end; i++)
		add_row(sums, &grower->rows[i], outputs);
}

static void
poll_now_and_then(Grower *grower, int64_t rows)
{
	grower->since_poll += rows;
	if (grower->since_poll < POLL_ROWS)
		return;
	grower->since_poll = 0;
	rml_poll(grower->env);
}

/* where the bins of a feature are: that of row i is at [i * step] */
typedef struct FeatureBins
{
	const uint8_t *bins;
	int64_t step;
} FeatureBins;

static inline FeatureBins
feature_bins(const Grower *grower, const Pending *node, int place)
{
	const RmlBins *bins = grower->bins;

	if ((node->end - node->start) * SCATTERED_PART < bins->n)
		return (FeatureBins){bins->rows + place, bins->d};
	return (FeatureBins){rml_bins_column(bins, place), 1};
}

static inline void
add_rows(Grower *grower, const Pending *node, int place, int outputs, int stride)
{
	const FeatureBins feature = feature_bins(grower, node, place);
	const RmlGrowRow *rows = grower->rows;
	double *histogram = grower->histogram;

	for (int64_t i = node->start; i < node->end; i++)
		add_row(histogram + feature.bins[rows[i].row * feature.step] * stride, &rows[i], outputs);
}

/* the same, and the set of bins they are in */
static inline void
add_few_rows(Grower *grower, const Pending *node, int place, int outputs, int stride,
			 uint32_t *occupied)
{
	const FeatureBins feature = feature_bins(grower, node, place);
	const RmlGrowRow *rows = grower->rows;
	double *histogram = grower->histogram;

	memset(occupied, 0, sizeof(uint32_t) * RML_BIN_WORDS);
	for (int64_t i = node->start; i < node->end; i++)
	{
		int bin = feature.bins[rows[i].row * feature.step];

		occupied[bin / 32] |= (uint32_t) 1 << (bin % 32);
		add_row(histogram + bin * stride, &rows[i], outputs);
	}
}

static void
clear_occupied(double *histogram, int stride, const uint32_t *occupied)
{
	for (int w = 0; w < RML_BIN_WORDS; w++)
		for (uint32_t word = occupied[w]; word != 0; word &= word - 1)
			memset(histogram + (w * 32 + __builtin_ctz(word)) * stride, 0,
				   sizeof(double) * (size_t) stride);
}

/* rml_split_search of this node */
static bool
search_feature(Grower *grower, const Pending *node, int place, RmlSplit *best)
{
	const RmlSplitRules *rules = &grower->rules->split;
	const RmlNodeSums sums = {(double) (node->end - node->start), grower->sums};
	int stride = rml_histogram_stride(rules);
	bool few = node->end - node->start < FEW_ROWS;
	uint32_t occupied[RML_BIN_WORDS];
	bool varies;

	/* constants make a loop of their own of the usual case */
	if (few && rules->outputs == 1)
		add_few_rows(grower, node, place, 1, 4, occupied);
	else if (few)
		add_few_rows(grower, node, place, rules->outputs, stride, occupied);
	else if (rules->outputs == 1)
		add_rows(grower, node, place, 1, 4);
	else
		add_rows(grower, node, place, rules->outputs, stride);
	varies = rml_split_search(rules, grower->bins, place, grower->histogram, few ? occupied : NULL,
							  &sums, best);
	if (few)
		clear_occupied(grower->histogram, stride, occupied);
	else
		memset(grower->histogram, 0,
			   sizeof(double) * (size_t) (stride * grower->bins->n_bins[place]));
	poll_now_and_then(grower, node->end - node->start);
	return varies;
}

/* ---- a node ---- */

/* the next feature of this node's random order, the tried-th */
static int
draw_feature(Grower *grower, int tried)
{
	int d = grower->bins->d;
	int other = tried;
	int feature;

	if (grower->rules->max_features < d)
		other += (int) rml_rng_below(grower->rules->seed, grower->rules->stream, grower->draws++,
									 (uint64_t) (d - tried));
	feature = grower->features[other];
	grower->features[other] = grower->features[tried];
	grower->features[tried] = feature;
	return feature;
}

static bool
is_pure(const Grower *grower, const Pending *node)
{
	for (int64_t i = node->start + 1; i < node->end; i++)
		if (grower->rows[i].y != grower->rows[node->start].y)
			return false;
	return true;
}

/* tries max_features, and more until one of them varies */
static void
find_split(Grower *grower, const Pending *node, RmlSplit *best)
{
	const RmlGrowRules *rules = grower->rules;
	bool useful = false;

	best->gain = 0.0;
	for (int tried = 0; tried < grower->bins->d; tried++)
	{
		useful |= search_feature(grower, node, draw_feature(grower, tried), best);
		if (tried + 1 >= rules->max_features && useful)
			return;
	}
}

static bool
may_split(const Grower *grower, const Pending *node)
{
	const RmlGrowRules *rules = grower->rules;
	double rows = (double) (node->end - node->start);

	return rows >= rules->min_split && rows >= 2 * rules->split.min_rows &&
		   (rules->max_depth == 0 || node->depth < rules->max_depth) && !is_pure(grower, node);
}

static void
make_leaf(Grower *grower, int32_t node)
{
	double *sums = grower->sums;
	int outputs = grower->rules->split.outputs;

	for (int k = 1; k <= outputs; k++)
		sums[k] = sums[0] > 0 ? sums[k] / sums[0] : 0.0;
	rml_builder_leaf(grower->builder, node, sums + 1);
}

/* rows that go left first, both sides in their order; returns where the right ones start */
static int64_t
partition(Grower *grower, const Pending *node, const RmlSplit *split)
{
	const FeatureBins feature = feature_bins(grower, node, split->place);
	bool number = split->place < grower->bins->d_num;
	RmlGrowRow *rows = grower->rows;
	int64_t left = node->start, right = 0;

	for (int64_t i = node->start; i < node->end; i++)
	{
		RmlGrowRow row = rows[i];

		if (rml_split_left(split, number, feature.bins[row.row * feature.step]))
			rows[left++] = row;
		else
			grower->moved[right++] = row;
	}
	memcpy(rows + left, grower->moved, sizeof(RmlGrowRow) * (size_t) right);
	poll_now_and_then(grower, node->end - node->start);
	return left;
}

static void
push(Grower *grower, int64_t start, int64_t end, int32_t node, int32_t depth)
{
	if (grower->n_pending == grower->room)
	{
		int64_t grown = grower->room == 0 ? 64 : 2 * grower->room;

		grower->stack = rml_grow_array(grower->env, grower->stack, (size_t) grower->n_pending,
									   (size_t) grown, sizeof(Pending));
		grower->room = grown;
	}
	grower->stack[grower->n_pending++] = (Pending){start, end, node, depth};
}

static void
grow_node(Grower *grower, const Pending *node)
{
	RmlSplit split;
	int64_t middle;
	int32_t left;

	node_sums(grower, node);
	rml_builder_cover(grower->builder, node->node, grower->sums[0]);
	split.gain = 0.0;
	if (may_split(grower, node))
		find_split(grower, node, &split);
	if (split.gain <= 0.0)
	{
		make_leaf(grower, node->node);
		return;
	}
	middle = partition(grower, node, &split);
	left = rml_builder_split(grower->builder, node->node, &split);
	push(grower, middle, node->end, left + 1, node->depth + 1);
	push(grower, node->start, middle, left, node->depth + 1);
}

void
rml_tree_grow(RmlBuilder *builder, const RmlGrowRules *rules, RmlGrowRow *rows, int64_t n)
{
	RmlEnv *env = builder->env;
	const RmlBins *bins = builder->bins;
	int stride = rml_histogram_stride(&rules->split);
	Grower grower = {.builder = builder,
					 .env = env,
					 .bins = bins,
					 .rules = rules,
					 .rows = rows,
					 .moved = RML_NEW(env, RmlGrowRow, (size_t) n),
					 .histogram = RML_NEW_ZERO(env, double, (size_t) (RML_MAX_BINS * stride)),
					 .sums = RML_NEW(env, double, (size_t) stride),
					 .features = RML_NEW(env, int, (size_t) bins->d)};

	for (int f = 0; f < bins->d; f++)
		grower.features[f] = f;
	push(&grower, 0, n, 0, 0);
	while (grower.n_pending > 0)
	{
		Pending node = grower.stack[--grower.n_pending];

		grow_node(&grower, &node);
	}
	rml_builder_finish(builder);
	rml_release(env, grower.moved);
	rml_release(env, grower.histogram);
	rml_release(env, grower.sums);
	rml_release(env, grower.features);
	rml_release(env, grower.stack);
}

size_t
rml_tree_grow_bytes(int64_t n)
{
	return 2 * (size_t) n * sizeof(RmlGrowRow);
}
