/*
 * cluster_metrics.h
 *	  How good a clustering is, told from the rows and their labels alone.
 *
 * Silhouette: P. J. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation
 * of cluster analysis", J. Comput. Appl. Math. 20 (1987).  For a row, a is its mean distance to
 * the other rows of its cluster, b the smallest mean distance to the rows of another cluster:
 *
 *		s = (b - a) / max(a, b), from -1 (in the wrong cluster) to 1; 0 for a cluster of one row
 *
 * and the silhouette of a clustering is the mean of s.  It is exact, over Euclidean distances
 * that are computed from differences (never from |x|^2 + |y|^2 - 2xy, which loses all digits of
 * rows that lie far from the origin), and takes time n^2 d.  Above some 10,000 rows
 * give it a sample: rows in canonical order (frame.h) are scattered at random, so a prefix of
 * them is one.
 *
 * Davies-Bouldin: D. L. Davies and D. W. Bouldin, "A cluster separation measure", IEEE PAMI 1
 * (1979), with p = 2, q = 1: the mean over clusters of the largest (s_i + s_j) / m_ij, where s is
 * the mean distance of a cluster's rows to its centroid and m the distance of two centroids.
 * Small is good.
 *
 * Calinski-Harabasz: T. Calinski and J. Harabasz, "A dendrite method for cluster analysis",
 * Communications in Statistics 3 (1974): B / (c - 1) over W / (n - c), the dispersion between and
 * within c clusters.  Large is good.
 *
 * Rows with categories have the silhouette over Gower distances: J. C. Gower, "A general coefficient
 * of similarity and some of its properties", Biometrics 27 (1971).  It is the mean over all columns
 * of |x - y| / (range of the column) for a number and of 0 (equal) or 1 for a category, where a
 * missing category is one like the others.
 *
 * Common to all:
 *	- labels are 0 .. k - 1; a label below 0 is noise, a row that takes no part at all
 *	  (rml_noise_count tells how many).  A number that no row carries is no cluster.
 *	- with c clusters over m rows that take part, all three are undefined, NaN, unless
 *	  2 <= c < m.
 *	- two clusters with the same centroid have Davies-Bouldin infinity; clusters whose rows all
 *	  sit on their centroid have Calinski-Harabasz infinity.
 *	- x is row-major and finite.
 */
#ifndef RETAILML_CLUSTER_METRICS_H
#define RETAILML_CLUSTER_METRICS_H

#include "retailml/env.h"

/* the silhouette of x [n x d]; rows [n], unless NULL, gets s of every row (NaN: noise, undefined) */
extern double rml_silhouette(RmlEnv *env, const double *x, int64_t n, int d, const int32_t *labels,
							 int k, double *rows);

/*
 * Silhouettes [n_labelings] of several clusterings of the same rows, such as k = 2 .. 10: the
 * distances are computed once for all.  Each is equal to what rml_silhouette gives.
 */
extern void rml_silhouette_many(RmlEnv *env, const double *x, int64_t n, int d,
								const int32_t *const *labels, const int *k, int n_labelings,
								double *silhouettes);

/* bytes of memory that rml_silhouette_many takes at its peak */
extern size_t rml_silhouette_bytes(int64_t n, int d, const int *k, int n_labelings, int threads);

/* rows of numbers and categories, all finite */
typedef struct RmlMetricRows
{
	int64_t n;
	int d_num;
	int d_cat;
	const double *numbers; /* [n x d_num] */
	const int32_t *codes;  /* [n x d_cat] */
} RmlMetricRows;

/*
 * The silhouette of the first `measured` rows, each compared with the first `references` rows (at
 * most as many): Euclidean for rows of numbers, else over Gower distances, with ranges of all rows.
 * each [measured], unless NULL, gets s of every row.  Fewer references than rows make it a sample:
 * a row whose cluster has no other row there, or that meets no other cluster, has no s, NaN.
 */
extern double rml_silhouette_mixed(RmlEnv *env, const RmlMetricRows *rows, int64_t measured,
								   int64_t references, const int32_t *labels, int k, double *each);

extern size_t rml_silhouette_mixed_bytes(int64_t measured, int64_t references, int d_num, int d_cat,
										 int k, int threads);

extern double rml_davies_bouldin(RmlEnv *env, const double *x, int64_t n, int d,
								 const int32_t *labels, int k);

extern double rml_calinski_harabasz(RmlEnv *env, const double *x, int64_t n, int d,
									const int32_t *labels, int k);

/* bytes that either of them takes at most */
extern size_t rml_dispersion_bytes(int64_t n, int d, int64_t k, int threads);

/* rows whose label is below 0 */
extern int64_t rml_noise_count(const int32_t *labels, int64_t n);

/* silhouettes compare rows with this many at most; more of them are told from a sample */
#define RML_SILHOUETTE_ROWS 10000

/* number labels [n] of any values 0 .. k - 1, in their order, noise -1; returns k */
extern int rml_labels_compact(RmlEnv *env, int32_t *labels, int64_t n);

typedef struct RmlClusterReport
{
	int64_t clusters;
	int64_t rows;
	double noise_share;
	double silhouette;
	double davies_bouldin; /* this and the next: of the numbers alone, NaN where there are none */
	double calinski_harabasz;
	int64_t silhouette_rows; /* that the silhouette is the mean of */
	bool silhouette_exact;   /* false: from the first RML_SILHOUETTE_ROWS rows */
} RmlClusterReport;

/* all of the above for labels [n] of k clusters, each of which has rows */
extern void rml_cluster_report(RmlEnv *env, const RmlMetricRows *rows, const int32_t *labels, int k,
							   RmlClusterReport *report);

/* bytes it takes, rml_labels_compact before it included */
extern size_t rml_cluster_report_bytes(int64_t n, int d_num, int d_cat, int64_t k, int threads);

#endif /* RETAILML_CLUSTER_METRICS_H */
