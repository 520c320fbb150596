/*
 * cluster_compare.h
 *	  Clusterings of the same rows side by side: method x space x k.
 *
 * Methods are k-means, on the numbers alone, and k-prototypes, where there are categories as well.
 * Spaces are the numbers in standard deviations and in their own units.  Costs compare within a
 * method and space only; so every clustering is also measured by one yardstick, that of
 * rml_cluster_report on all columns, the numbers in standard deviations.
 */
#ifndef RETAILML_CLUSTER_COMPARE_H
#define RETAILML_CLUSTER_COMPARE_H

#include "retailml/cluster_metrics.h"
#include "retailml/kprototypes.h"

/* method x space */
#define RML_COMPARE_WAYS 4

typedef struct RmlCompareParams
{
	int k_min;
	int k_max;
	double gamma; /* the next are options of both methods; gamma of k-prototypes alone */
	int64_t n_init;
	int64_t max_iter;
	double tol;
	int64_t seed;
} RmlCompareParams;

extern const RmlOption rml_compare_options[];
extern const int rml_compare_n_options;

typedef struct RmlComparison
{
	bool prototypes; /* the method is k-prototypes, else k-means */
	bool standardized;
	int k;
	double cost;
	RmlClusterReport report;
	bool is_elbow; /* of the costs of its method and space */
	bool is_best;  /* largest silhouette of all */
} RmlComparison;

extern size_t rml_cluster_compare_bytes(const RmlCompareParams *params, int64_t n, int d_num,
										int d_cat, int64_t n_codes, int threads);

/*
 * All clusterings of rows that are not standardized, as schema says; out has room for
 * RML_COMPARE_WAYS * (k_max - k_min + 1).  Returns how many there are: a way ends before the first k
 * of which there are not as many distinct rows.
 */
extern int rml_cluster_compare(RmlEnv *env, const RmlCompareParams *params, const RmlSchema *schema,
							   const RmlMatrix *matrix, RmlComparison *out);

#endif /* RETAILML_CLUSTER_COMPARE_H */
