/*
 * cluster_metrics_internal.h
 *	  What the files of the cluster metrics share.
 *
 *	  cluster_metrics.c             Davies-Bouldin and Calinski-Harabasz: linear passes
 *	  cluster_metrics_report.c      all metrics of labels from anywhere
 *	  cluster_metrics_silhouette.c  silhouettes: all pairs of rows
 *	  cluster_metrics_tile.c        distances of many rows to many rows
 */
#ifndef RETAILML_CLUSTER_METRICS_INTERNAL_H
#define RETAILML_CLUSTER_METRICS_INTERNAL_H

#include "retailml/cluster_metrics.h"
#include "retailml/parallel.h"

/*
 * The same loop compiled for wider vectors, chosen when the module is loaded.  Lanes are
 * independent sums and nothing is contracted, so all versions give the same bits.  (The choice
 * is made by code that runs before AddressSanitizer is ready.)
 */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(RML_NO_CLONES)
#define RML_METRICS_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define RML_METRICS_CLONES
#endif

/* rows of a tile: the values of one feature lie side by side */
#define RML_METRICS_LANES 32
/* rows that a tile meets at a time; their distances stay in the L1 cache */
#define RML_METRICS_CHUNK 32
/* vectors that lie across two cache lines cost twice */
#define RML_METRICS_ALIGNMENT 64

static inline int64_t
rml_metrics_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * The power of two that brings the largest of x [count] near 1, so that no square overflows or
 * vanishes; 1, which changes nothing, for all but extreme numbers.  All metrics are ratios of
 * distances, so a common factor is lost in them.
 */
extern double rml_metrics_scale(RmlEnv *env, const double *x, int64_t count);

/* rows first_row .. of x [n x d], scaled: tile [d x LANES]; lanes past the last row are zero */
extern void rml_metrics_load_tile(const double *x, int64_t n, int d, double scale,
								  int64_t first_row, double *tile);

/* out [m x LANES]: distances of the tile's rows to rows [m x d], which are scaled here */
extern void rml_metrics_tile_distances(const double *restrict tile, const double *restrict rows,
									   int64_t m, int d, double scale, double *restrict out);

/*
 * Rows of numbers and categories as columns of one array: the first count of them, [count x d], the
 * numbers divided by their range over all rows.
 */
extern double *rml_metrics_gower_rows(RmlEnv *env, const RmlMetricRows *rows, int64_t count);

/* out [m x LANES]: Gower distances; of the d columns, d_num are numbers, the others categories */
extern void rml_metrics_tile_gower(const double *restrict tile, const double *restrict rows,
								   int64_t m, int d_num, int d, double *restrict out);

/* count doubles at the start of a cache line; *memory is what to release */
extern double *rml_metrics_doubles(RmlEnv *env, size_t count, void **memory);

/* rows of k clusters of these sizes, or 0 when the metrics are undefined */
extern int64_t rml_metrics_defined(const int64_t *sizes, int64_t k);

#endif /* RETAILML_CLUSTER_METRICS_INTERNAL_H */
