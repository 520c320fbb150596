/*
 * boost_grow.c
 *	  Growing a tree leaf by leaf on histograms of gradients.
 *
 * Sums of a histogram run over the rows of a leaf in ascending order, whatever the number of threads: threads
 * share features, not rows.  A leaf with few rows is summed from rows, its sibling by subtraction from their
 * parent.
 */
#include "tree_internal.h"

#include <string.h>

#include "retailml/parallel.h"

/* rows summed between two looks at the clock */
#define SLICE_ROWS ((int64_t) 1 << 22)

#define PARTITION_ROWS 32768

/* hessian, gradient, rows, nothing */
#define STRIDE 4

/* features whose histograms are summed in one pass over the rows */
#define TOGETHER 2

/* memory is aligned for doubles, not for two */
typedef double Pair __attribute__((vector_size(16), aligned(8)));

typedef struct Leaf
{
	int64_t start;
	int64_t end;
	int32_t node;
	int32_t depth;
	double sums[2];    /* hessian, gradient */
	double *histogram; /* [all bins x STRIDE] */
	RmlSplit split;    /* the best; gain 0: none */
} Leaf;

struct RmlBoostGrower
{
	RmlEnv *env;
	const RmlBins *bins;
	const RmlBoostRules *rules;
	int64_t *offsets;       /* [d + 1] of each feature in a histogram, in bins */
	double *histograms;     /* [max_leaves x all bins x STRIDE] */
	Leaf *leaves;           /* [max_leaves] */
	RmlLeafRows *leaf_rows; /* [max_leaves] */
	RmlSplit *candidates;   /* [2 d] best of each feature, for two leaves */
	int32_t *moved;         /* [n] scratch of partition */
	RmlGradient *gathered;  /* [n] gradients in the order of a leaf's rows */
	int64_t *left_counts;   /* [blocks of n] */
	/* of the tree that is grown now */
	RmlBuilder *builder;
	const RmlGradient *gradients;
	int32_t *rows;
	int64_t n;
	const int *features;
	int n_features;
	int n_leaves;
};

RmlBoostGrower *
rml_boost_grower(RmlEnv *env, const RmlBins *bins, const RmlBoostRules *rules)
{
	RmlBoostGrower *grower = RML_NEW_ZERO(env, RmlBoostGrower, 1);
	size_t leaves = (size_t) rules->max_leaves;

	grower->env = env;
	grower->bins = bins;
	grower->rules = rules;
	grower->offsets = RML_NEW_ZERO(env, int64_t, (size_t) bins->d + 1);
	for (int f = 0; f < bins->d; f++)
		grower->offsets[f + 1] = grower->offsets[f] + bins->n_bins[f];
	grower->histograms = RML_NEW(env, double, leaves *(size_t) (grower->offsets[bins->d] * STRIDE));
	grower->leaves = RML_NEW_ZERO(env, Leaf, leaves);
	grower->leaf_rows = RML_NEW(env, RmlLeafRows, leaves);
	grower->candidates = RML_NEW(env, RmlSplit, 2 * (size_t) bins->d);
	grower->moved = RML_NEW(env, int32_t, (size_t) bins->n);
	grower->gathered = RML_NEW(env, RmlGradient, (size_t) bins->n);
	grower->left_counts = RML_NEW(env, int64_t, (size_t) rml_blocks(bins->n, PARTITION_ROWS) + 1);
	return grower;
}

size_t
rml_boost_grow_bytes(int64_t n, int d, int64_t max_leaves)
{
	return (size_t) n * (sizeof(int32_t) + sizeof(RmlGradient)) +
		   (size_t) max_leaves * (size_t) d * RML_MAX_BINS * STRIDE * sizeof(double);
}

/* ---- histograms ---- */

typedef struct Summing
{
	const RmlBoostGrower *grower;
	const Leaf *leaf;
	int64_t start; /* of the slice */
	int64_t end;
	bool in_order; /* the rows are all rows: no need to look them up */
} Summing;

static void
gather_block(void *context, int64_t block, int thread)
{
	const Summing *s = context;
	const RmlBoostGrower *grower = s->grower;
	int64_t first = s->start + block * PARTITION_ROWS;
	int64_t end = first + PARTITION_ROWS < s->end ? first + PARTITION_ROWS : s->end;

	(void) thread;
	for (int64_t i = first; i < end; i++)
		grower->gathered[i] = grower->gradients[grower->rows[i]];
}

static inline void
add_gradient(double *bin, Pair hessian_gradient)
{
	*(Pair *) bin += hessian_gradient;
	bin[2] += 1.0;
}

/* two features at once: their sums do not wait for each other */
static inline void
sum_two(const Summing *s, const int *places, bool in_order)
{
	const RmlBoostGrower *grower = s->grower;
	const uint8_t *restrict first = rml_bins_column(grower->bins, places[0]);
	const uint8_t *restrict second = rml_bins_column(grower->bins, places[1]);
	double *a = s->leaf->histogram + grower->offsets[places[0]] * STRIDE;
	double *b = s->leaf->histogram + grower->offsets[places[1]] * STRIDE;
	const RmlGradient *restrict gradients = in_order ? grower->gradients : grower->gathered;
	const int32_t *restrict rows = grower->rows;

	for (int64_t i = s->start; i < s->end; i++)
	{
		int64_t row = in_order ? i : rows[i];
		Pair sums = {gradients[i].h, gradients[i].g};

		add_gradient(a + first[row] * STRIDE, sums);
		add_gradient(b + second[row] * STRIDE, sums);
	}
}

static inline void
sum_one(const Summing *s, int place, bool in_order)
{
	const RmlBoostGrower *grower = s->grower;
	const uint8_t *restrict column = rml_bins_column(grower->bins, place);
	double *histogram = s->leaf->histogram + grower->offsets[place] * STRIDE;
	const RmlGradient *restrict gradients = in_order ? grower->gradients : grower->gathered;
	const int32_t *restrict rows = grower->rows;

	for (int64_t i = s->start; i < s->end; i++)
		add_gradient(histogram + column[in_order ? i : rows[i]] * STRIDE,
					 (Pair){gradients[i].h, gradients[i].g});
}

static void
sum_features(void *context, int64_t block, int thread)
{
	const Summing *s = context;
	const int *places = s->grower->features + block * TOGETHER;
	bool alone = block * TOGETHER + 1 == s->grower->n_features;

	(void) thread;
	if (alone && s->in_order)
		sum_one(s, places[0], true);
	else if (alone)
		sum_one(s, places[0], false);
	else if (s->in_order)
		sum_two(s, places, true);
	else
		sum_two(s, places, false);
}

static size_t
histogram_bytes(const RmlBoostGrower *grower)
{
	return sizeof(double) * STRIDE * (size_t) grower->offsets[grower->bins->d];
}

static void
sum_histogram(RmlBoostGrower *grower, Leaf *leaf)
{
	Summing s = {grower, leaf, 0, 0, leaf->end - leaf->start == grower->bins->n};

	memset(leaf->histogram, 0, histogram_bytes(grower));
	for (s.start = leaf->start; s.start < leaf->end; s.start = s.end)
	{
		s.end = s.start + SLICE_ROWS < leaf->end ? s.start + SLICE_ROWS : leaf->end;
		if (!s.in_order)
			rml_parallel(grower->env, rml_blocks(s.end - s.start, PARTITION_ROWS), gather_block,
						 &s);
		rml_parallel(grower->env, rml_blocks(grower->n_features, TOGETHER), sum_features, &s);
	}
}

/* large -= small, feature by feature */
static void
subtract_histogram(const RmlBoostGrower *grower, double *large, const double *small)
{
	for (int i = 0; i < grower->n_features; i++)
	{
		int place = grower->features[i];

		for (int64_t b = grower->offsets[place] * STRIDE; b < grower->offsets[place + 1] * STRIDE;
			 b++)
			large[b] -= small[b];
	}
}

/* ---- splits ---- */

typedef struct Searching
{
	const RmlBoostGrower *grower;
	Leaf *const *leaves; /* one or two */
} Searching;

static void
search_feature(void *context, int64_t block, int thread)
{
	const Searching *s = context;
	const RmlBoostGrower *grower = s->grower;
	const Leaf *leaf = s->leaves[block / grower->n_features];
	int place = grower->features[block % grower->n_features];
	RmlSplit *best = &grower->candidates[block];
	const RmlNodeSums sums = {(double) (leaf->end - leaf->start), leaf->sums};

	(void) thread;
	best->gain = 0.0;
	rml_split_search(&grower->rules->split, grower->bins, place,
					 leaf->histogram + grower->offsets[place] * STRIDE, NULL, &sums, best);
}

static bool
may_split(const RmlBoostGrower *grower, const Leaf *leaf)
{
	const RmlBoostRules *rules = grower->rules;

	return leaf->sums[0] > 0 && (double) (leaf->end - leaf->start) >= 2 * rules->split.min_rows &&
		   (rules->max_depth == 0 || leaf->depth < rules->max_depth);
}

/* find the best split of each of these leaves (one or two) */
static void
find_splits(RmlBoostGrower *grower, Leaf **leaves, int n)
{
	Leaf *wanted[2];
	Searching s = {grower, wanted};
	int m = 0;

	for (int i = 0; i < n; i++)
	{
		leaves[i]->split.gain = 0.0;
		if (may_split(grower, leaves[i]))
			wanted[m++] = leaves[i];
	}
	rml_parallel(grower->env, (int64_t) m * grower->n_features, search_feature, &s);
	for (int i = 0; i < m; i++)
		for (int f = 0; f < grower->n_features; f++)
		{
			const RmlSplit *candidate = &grower->candidates[i * grower->n_features + f];

			if (candidate->gain > wanted[i]->split.gain)
				wanted[i]->split = *candidate;
		}
}

/* ---- partition ---- */

typedef struct Partition
{
	RmlBoostGrower *grower;
	const uint8_t *column;
	uint8_t goes_left[RML_MAX_BINS + 1]; /* by bin */
	int64_t start;
	int64_t end;
	int64_t left; /* rows that go left */
} Partition;

static void
count_left(void *context, int64_t block, int thread)
{
	const Partition *p = context;
	const int32_t *rows = p->grower->rows;
	int64_t first = p->start + block * PARTITION_ROWS;
	int64_t end = first + PARTITION_ROWS < p->end ? first + PARTITION_ROWS : p->end;
	int64_t n = 0;

	(void) thread;
	for (int64_t i = first; i < end; i++)
		n += p->goes_left[p->column[rows[i]]];
	p->grower->left_counts[block] = n;
}

/*
 * Rows of a block to their places in scratch; left_counts is by now the place of the first left one.
 * Without branches: which way a row goes is what a branch predictor cannot know.
 */
static void
scatter(void *context, int64_t block, int thread)
{
	const Partition *p = context;
	const int32_t *rows = p->grower->rows;
	int32_t *moved = p->grower->moved;
	int64_t first = p->start + block * PARTITION_ROWS;
	int64_t end = first + PARTITION_ROWS < p->end ? first + PARTITION_ROWS : p->end;
	int64_t left = p->grower->left_counts[block];
	/* rows before this block that do not go left went right */
	int64_t right = p->start + p->left + (first - left);

	(void) thread;
	for (int64_t i = first; i < end; i++)
	{
		int32_t row = rows[i];
		int64_t goes_left = p->goes_left[p->column[row]];
		int64_t place = goes_left ? left : right;

		moved[place] = row;
		left += goes_left;
		right += 1 - goes_left;
	}
}

static void
copy_back(void *context, int64_t block, int thread)
{
	const Partition *p = context;
	int64_t first = p->start + block * PARTITION_ROWS;
	int64_t end = first + PARTITION_ROWS < p->end ? first + PARTITION_ROWS : p->end;

	(void) thread;
	memcpy(p->grower->rows + first, p->grower->moved + first,
		   sizeof(int32_t) * (size_t) (end - first));
}

/* how many rows go left */
static int64_t
count_rows_left(RmlBoostGrower *grower, Partition *p)
{
	int64_t blocks = rml_blocks(p->end - p->start, PARTITION_ROWS);
	int64_t place = p->start;

	rml_parallel(grower->env, blocks, count_left, p);
	for (int64_t b = 0; b < blocks; b++)
	{
		int64_t n = grower->left_counts[b];

		grower->left_counts[b] = place;
		place += n;
	}
	return place - p->start;
}

static void
move_rows(RmlBoostGrower *grower, Partition *p)
{
	int64_t blocks = rml_blocks(p->end - p->start, PARTITION_ROWS);

	rml_parallel(grower->env, blocks, scatter, p);
	rml_parallel(grower->env, blocks, copy_back, p);
}

/* ---- a tree ---- */

static void
leaf_sums(const RmlBoostGrower *grower, Leaf *leaf)
{
	int place = grower->features[0];
	const double *histogram = leaf->histogram + grower->offsets[place] * STRIDE;

	leaf->sums[0] = leaf->sums[1] = 0.0;
	for (int b = 0; b < grower->bins->n_bins[place]; b++)
	{
		leaf->sums[0] += histogram[b * STRIDE];
		leaf->sums[1] += histogram[b * STRIDE + 1];
	}
}

static void
start_root(RmlBoostGrower *grower)
{
	Leaf *root = &grower->leaves[0];

	*root = (Leaf){.end = grower->n, .histogram = grower->histograms};
	grower->n_leaves = 1;
	sum_histogram(grower, root);
	leaf_sums(grower, root);
	rml_builder_cover(grower->builder, 0, (double) grower->n);
	find_splits(grower, &root, 1);
}

/* the leaf whose split saves most; NULL: none can be split */
static Leaf *
best_leaf(const RmlBoostGrower *grower)
{
	Leaf *best = NULL;

	for (int i = 0; i < grower->n_leaves; i++)
		if (grower->leaves[i].split.gain > 0 &&
			(best == NULL || grower->leaves[i].split.gain > best->split.gain))
			best = &grower->leaves[i];
	return best;
}

static void
sum_children(RmlBoostGrower *grower, Leaf *a, Leaf *b)
{
	Leaf *small = a->end - a->start <= b->end - b->start ? a : b;
	Leaf *large = small == a ? b : a;
	double *parent = a->histogram;

	/* the large one takes over the parent's histogram */
	small->histogram = b->histogram;
	large->histogram = parent;
	sum_histogram(grower, small);
	subtract_histogram(grower, large->histogram, small->histogram);
}

/* a leaf becomes its own left child, the right one is new */
static void
split_leaf(RmlBoostGrower *grower, Leaf *left)
{
	const RmlSplit split = left->split;
	Leaf *right = &grower->leaves[grower->n_leaves];
	Partition p = {.grower = grower,
				   .column = rml_bins_column(grower->bins, split.place),
				   .start = left->start,
				   .end = left->end};
	int32_t child;

	for (int b = 0; b < grower->bins->n_bins[split.place]; b++)
		p.goes_left[b] = rml_split_left(&split, split.place < grower->bins->d_num, b);
	p.left = count_rows_left(grower, &p);
	left->split.gain = 0.0;
	move_rows(grower, &p);
	child = rml_builder_split(grower->builder, left->node, &split);
	*right =
		(Leaf){.start = p.start + p.left,
			   .end = p.end,
			   .node = child + 1,
			   .depth = left->depth + 1,
			   .histogram = grower->histograms +
							(int64_t) grower->n_leaves * grower->offsets[grower->bins->d] * STRIDE};
	left->end = right->start;
	left->node = child;
	left->depth++;
	grower->n_leaves++;
	rml_builder_cover(grower->builder, left->node, (double) (left->end - left->start));
	rml_builder_cover(grower->builder, right->node, (double) (right->end - right->start));
	sum_children(grower, left, right);
	leaf_sums(grower, left);
	leaf_sums(grower, right);
	find_splits(grower, (Leaf *[]){left, right}, 2);
}

static void
close_leaves(RmlBoostGrower *grower)
{
	for (int i = 0; i < grower->n_leaves; i++)
	{
		const Leaf *leaf = &grower->leaves[i];
		double weight = leaf->sums[0] + grower->rules->split.l2;
		double value = weight > 0 ? -grower->rules->learning_rate * leaf->sums[1] / weight : 0.0;

		rml_builder_leaf(grower->builder, leaf->node, &value);
		grower->leaf_rows[i] = (RmlLeafRows){leaf->node, leaf->start, leaf->end, value};
	}
}

const RmlLeafRows *
rml_boost_grow(RmlBoostGrower *grower, RmlBuilder *builder, const RmlGradient *gradients,
			   int32_t *rows, int64_t n, const int *features, int n_features, int *n_leaves)
{
	Leaf *leaf;

	grower->builder = builder;
	grower->gradients = gradients;
	grower->rows = rows;
	grower->n = n;
	grower->features = features;
	grower->n_features = n_features;
	start_root(grower);
	while (grower->n_leaves < grower->rules->max_leaves && (leaf = best_leaf(grower)) != NULL)
		split_leaf(grower, leaf);
	close_leaves(grower);
	rml_builder_finish(builder);
	*n_leaves = grower->n_leaves;
	return grower->leaf_rows;
}
