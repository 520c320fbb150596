/*
 * contingency.h
 *	  How often each pair of labels occurs: two segmentations of the same customers, side by side.
 *
 * Rows are counted as they come, in any order and in parts that are merged later: an open
 * addressing hash table from (a, b) to the number of rows, so memory grows with the distinct
 * pairs and not with the rows.  Everything that compares two segmentations is a function of the
 * finished table:
 *
 *	  n_ij   rows with label i of a and j of b
 *	  a_i	 rows with label i of a;  b_j likewise;  n their sum
 *
 * A label is any integer; RML_NO_LABEL (SQL NULL) is a label like the others that sorts last.  The
 * table leaves out pairs that have no label on either side; what a label missing on one side means
 * is for its reader to say.
 */
#ifndef RETAILML_CONTINGENCY_H
#define RETAILML_CONTINGENCY_H

#include "retailml/env.h"

#define RML_NO_LABEL INT64_MAX

typedef struct RmlLabelPair
{
	int64_t a;
	int64_t b;
	int64_t n; /* rows; 0 = a free slot */
} RmlLabelPair;

typedef struct RmlContingency
{
	int64_t n_pairs;
	int64_t capacity;    /* 0 or a power of two */
	RmlLabelPair *slots; /* [capacity] */
} RmlContingency;

/* the finished table, in order of the labels */
typedef struct RmlLabelTable
{
	int64_t n; /* rows */
	int64_t n_pairs;
	int64_t n_a;
	int64_t n_b;
	RmlLabelPair *pairs; /* [n_pairs] by a, then b */
	int64_t *a_index;    /* [n_pairs] position of the pair's labels among the distinct ones */
	int64_t *b_index;
	int64_t *a_labels; /* [n_a] ascending */
	int64_t *b_labels; /* [n_b] */
	int64_t *a_sizes;  /* [n_a] rows */
	int64_t *b_sizes;  /* [n_b] */
} RmlLabelTable;

/* an empty count; nothing is allocated before the first row */
extern void rml_contingency_init(RmlContingency *contingency);

/* count n rows with this pair, n >= 1 */
extern void rml_contingency_add(RmlContingency *contingency, RmlEnv *env, int64_t a, int64_t b,
								int64_t n);

/*
 * Make room for this many distinct pairs.  Needed before the pairs of another table are added one
 * after the other: they come in the order of their hash, and would crowd the beginning of a
 * smaller table.
 */
extern void rml_contingency_reserve(RmlContingency *contingency, RmlEnv *env, int64_t n_pairs);

/* the pairs, packed and in no order, into pairs [n_pairs] */
extern void rml_contingency_pairs(const RmlContingency *contingency, RmlEnv *env,
								  RmlLabelPair *pairs);

/* the table; the contingency stays as it is.  Pairs with a missing label are left out on request */
extern void rml_label_table(const RmlContingency *contingency, RmlEnv *env, bool complete_only,
							RmlLabelTable *table);

/* share of the rows with the pair's label of a that have its label of b: n_ij / a_i */
extern double rml_label_share(const RmlLabelTable *table, int64_t pair);

/*
 * Agreement of two segmentations, whatever the labels are called; NaN for no rows.
 *
 * Adjusted Rand index: L. Hubert and P. Arabie, "Comparing partitions", J. Classification 2
 * (1985).  The share of pairs of rows on which both agree (together in both, or apart in both),
 * adjusted for chance: 1 for equal partitions, about 0 for independent ones, at least -0.5.  The
 * four numbers of pairs are counted exactly.
 *
 * Normalized mutual information: N. X. Vinh, J. Epps and J. Bailey, "Information theoretic
 * measures for clusterings comparison", JMLR 11 (2010), with the arithmetic mean: 2 I(a, b) /
 * (H(a) + H(b)), from 0 to 1.  1 when both have one label only, 0 when only one has.
 */
extern double rml_adjusted_rand_index(const RmlLabelTable *table, RmlEnv *env);
extern double rml_normalized_mutual_information(const RmlLabelTable *table, RmlEnv *env);

#endif /* RETAILML_CONTINGENCY_H */
