/*
 * tree_split.c
 *	  The best split of a node by one feature, from its histogram.
 *
 * Numbers are cut between two bins.  Categories are ordered by their mean label and cut like
 * numbers, which for two classes, for squared error and for gradients is as good as trying all subsets
 * (W. Fisher, "On grouping for maximum homogeneity", JASA 53 (1958)).  For more classes they are ordered by
 * the share of each class in turn, and the best of these cuts is taken.
 */
#include "tree_internal.h"

#include <string.h>

/* the largest K whose sums fit on the stack; more are summed in place */
#define MAX_SUMS (RML_MAX_CLASSES + 1)

/* a gain below this share of the node's score is nothing but rounding */
#define ROUNDING 1e-12

/* what a search keeps while it runs along the bins */
typedef struct Search
{
	const RmlSplitRules *rules;
	const RmlNodeSums *node;
	const double *histogram;
	const uint32_t *occupied; /* set of bins, or NULL */
	int stride;
	int n_bins;
	double l2;
	double parent; /* score of the node */
	RmlSplit *best;
} Search;

double
rml_node_score(const RmlSplitRules *rules, const double *sums, double l2)
{
	double squares = 0.0;

	for (int k = 1; k <= rules->outputs; k++)
		squares += sums[k] * sums[k];
	return sums[0] + l2 > 0 ? squares / (sums[0] + l2) : 0.0;
}

static double
bin_rows(const Search *search, const double *bin)
{
	return bin[search->rules->outputs + 1];
}

static bool
allowed(const Search *search, double rows, double weight)
{
	const RmlSplitRules *rules = search->rules;

	return rows >= rules->min_rows && search->node->rows - rows >= rules->min_rows &&
		   weight >= rules->min_weight && search->node->sums[0] - weight >= rules->min_weight;
}

/* the first bin from b on that has rows; n_bins: none */
static inline int
next_bin(const Search *search, int b)
{
	if (search->occupied != NULL)
	{
		while (b < search->n_bins && search->occupied[b / 32] >> (b % 32) == 0)
			b = (b / 32 + 1) * 32;
		return b < search->n_bins ? b + __builtin_ctz(search->occupied[b / 32] >> (b % 32))
								  : search->n_bins;
	}
	while (b < search->n_bins && search->histogram[b * search->stride] == 0.0)
		b++;
	return b;
}

/* gain of sending these sums left and the rest right */
static double
gain_of(const Search *search, const double *left)
{
	const double *all = search->node->sums;
	int outputs = search->rules->outputs;
	double squares = 0.0, other = 0.0;

	for (int k = 1; k <= outputs; k++)
	{
		double rest = all[k] - left[k];

		squares += left[k] * left[k];
		other += rest * rest;
	}
	return squares / (left[0] + search->l2) + other / (all[0] - left[0] + search->l2) -
		   search->parent;
}

static void
add_bin(double *sums, const double *bin, int outputs)
{
	for (int k = 0; k <= outputs; k++)
		sums[k] += bin[k];
}

/* ---- numbers ---- */

/* returns false when all rows are in one bin */
static bool
search_number(const Search *search, int place)
{
	double left[MAX_SUMS];
	double rows = 0.0;
	int outputs = search->rules->outputs, occupied = 0;

	memset(left, 0, sizeof(double) * (size_t) (outputs + 1));
	for (int b = next_bin(search, 0); b < search->n_bins; b = next_bin(search, b + 1))
	{
		const double *bin = search->histogram + b * search->stride;
		double gain;

		occupied++;
		rows += bin_rows(search, bin);
		add_bin(left, bin, outputs);
		if (!allowed(search, rows, left[0]))
			continue;
		gain = gain_of(search, left);
		if (gain > search->best->gain)
		{
			search->best->gain = gain;
			search->best->place = place;
			search->best->bin = b;
		}
	}
	return occupied > 1;
}

/* ---- categories ---- */

typedef struct CategoryOrder
{
	int n;
	int bins[RML_MAX_BINS];
	double keys[RML_MAX_BINS];
} CategoryOrder;

/* bins that have rows, by ascending s_k / (weight + smooth), ties by number: insertion, they are few */
static void
order_categories(const Search *search, int k, CategoryOrder *order)
{
	order->n = 0;
	for (int b = next_bin(search, 0); b < search->n_bins; b = next_bin(search, b + 1))
	{
		const double *bin = search->histogram + b * search->stride;
		double key = bin[k] / (bin[0] + search->rules->category_smooth);
		int at = order->n;

		for (; at > 0 && order->keys[at - 1] > key; at--)
		{
			order->keys[at] = order->keys[at - 1];
			order->bins[at] = order->bins[at - 1];
		}
		order->keys[at] = key;
		order->bins[at] = b;
		order->n++;
	}
}

/* left is the side with fewer rows; bins without rows go right */
static void
take_categories(const Search *search, const CategoryOrder *order, int last, double rows)
{
	RmlSplit *best = search->best;
	bool first_side = 2 * rows <= search->node->rows;

	memset(best->set, 0, sizeof best->set);
	for (int i = 0; i < order->n; i++)
		if ((i <= last) == first_side)
			best->set[order->bins[i] / 32] |= (uint32_t) 1 << (order->bins[i] % 32);
}

static void
scan_categories(const Search *search, int place, const CategoryOrder *order)
{
	double left[MAX_SUMS];
	double rows = 0.0;
	int outputs = search->rules->outputs;

	memset(left, 0, sizeof(double) * (size_t) (outputs + 1));
	for (int i = 0; i + 1 < order->n; i++)
	{
		const double *bin = search->histogram + order->bins[i] * search->stride;
		double gain;

		rows += bin_rows(search, bin);
		add_bin(left, bin, outputs);
		if (!allowed(search, rows, left[0]))
			continue;
		gain = gain_of(search, left);
		if (gain > search->best->gain)
		{
			search->best->gain = gain;
			search->best->place = place;
			take_categories(search, order, i, rows);
		}
	}
}

static bool
search_category(const Search *search, int place)
{
	CategoryOrder order;

	for (int k = 1; k <= search->rules->outputs; k++)
	{
		order_categories(search, k, &order);
		if (order.n < 2)
			return false;
		scan_categories(search, place, &order);
	}
	return true;
}

bool
rml_split_search(const RmlSplitRules *rules, const RmlBins *bins, int place,
				 const double *histogram, const uint32_t *occupied, const RmlNodeSums *node,
				 RmlSplit *best)
{
	bool number = place < bins->d_num;
	const Search search = {.rules = rules,
						   .node = node,
						   .histogram = histogram,
						   .occupied = occupied,
						   .stride = rml_histogram_stride(rules),
						   .n_bins = bins->n_bins[place],
						   .l2 = rules->l2 + (number ? 0.0 : rules->category_l2),
						   .parent =
							   rml_node_score(rules, node->sums, rules->l2) * (1.0 + ROUNDING),
						   .best = best};

	return number ? search_number(&search, place) : search_category(&search, place);
}
