/*
 * cluster_match.h
 *	  Which new cluster continues which old one, told from the customers they share.
 *
 * Both segmentations label the same customers; n_ij customers are in old cluster i and new cluster
 * j.  The mapping pairs clusters one to one such that the customers in pairs are as many as
 * possible (assignment.h), which is also the largest share of customers that two segmentations
 * can agree on by renaming.  Where several mappings keep the same number of customers, the one with
 * the largest sum of Jaccard indexes
 *
 *	  |old and new| / |old or new|,	from 0 (nobody in common) to 1 (the same customers)
 *
 * is taken (compared to nine digits); of those, the one that gives the lowest old cluster the
 * lowest new one, then the next.  So the mapping is a function of the counts.
 *
 * Clusters that share nobody are no pair.  What is left over is a death (an old cluster that
 * none continues) or a birth.  Labels below 0 are noise, no clusters: they have no line, but their
 * rows count in the sizes of the other side's clusters, as rows without a label there do.
 */
#ifndef RETAILML_CLUSTER_MATCH_H
#define RETAILML_CLUSTER_MATCH_H

#include "retailml/contingency.h"

typedef struct RmlClusterMapping
{
	int64_t old_label; /* RML_NO_LABEL: a birth */
	int64_t new_label; /* RML_NO_LABEL: a death */
	int64_t overlap;   /* rows in both */
	int64_t old_size;  /* rows, 0 for a birth */
	int64_t new_size;
	double jaccard; /* 0 for births and deaths */
} RmlClusterMapping;

/* bytes that rml_cluster_match takes */
extern size_t rml_cluster_match_bytes(const RmlLabelTable *table);

/*
 * The mapping: old clusters in order of their labels, then births in order of theirs.  Returns the
 * number of lines, which is at most table->n_a + table->n_b, the room that mapping has.  Rows
 * times clusters must stay below 2^53.
 */
extern int64_t rml_cluster_match(RmlEnv *env, const RmlLabelTable *table,
								 RmlClusterMapping *mapping);

#endif /* RETAILML_CLUSTER_MATCH_H */
