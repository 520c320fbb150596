/*
 * kmeans.h
 *	  k-means clustering.
 *
 * The model is k centroids.  Training finds centroids c_1 .. c_k that make the inertia
 *
 *	  J = sum over rows i of min over clusters j of |x_i - c_j|^2
 *
 * small; a row belongs to its nearest centroid (Euclidean distance; where two are equally near, the
 * first in lexicographic order).  Each of n_init restarts places its first centroids by greedy k-means++ (or
 * at random rows) and runs Lloyd's iteration: assign rows to the nearest centroid, move each
 * centroid to the mean of its rows.  It stops when no row changes its cluster, when the squared
 * movement of all centroids together is at most tol times the mean variance of the features (the
 * rule of scikit-learn), or after max_iter iterations.  With n_init > 1 the best restarts are then
 * refined: centroids are moved to where they pay more, and Lloyd goes on until no row changes.
 *
 * The iterations work on rows centred, scaled by a power of two and kept as float4.  The result
 * does not: the last centroids, assignment, sizes and inertia are computed from the float8 rows,
 * and every training row has the label rml_kmeans_predict gives it.  docs/algorithms/kmeans.md
 * describes the method, docs/dev/numerics.md why it is sound.
 *
 *	  S. P. Lloyd, "Least squares quantization in PCM", IEEE Trans. Inform. Theory 28 (1982)
 *	  D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007
 *	  P. S. Bradley, U. M. Fayyad, "Refining initial points for k-means clustering", ICML 1998
 *	  G. Hamerly, "Making k-means even faster", SDM 2010
 *	  P. Franti, "Efficiency of random swap clustering", J. Big Data 5 (2018)
 *	  S. Lattanzi, C. Sohler, "A better k-means++ algorithm via local search", ICML 2019
 *
 * Shapes: n rows, d features, k clusters.  Matrices are row-major.
 */
#ifndef RETAILML_KMEANS_H
#define RETAILML_KMEANS_H

#include "retailml/registry.h"

typedef enum RmlKmeansInit
{
	RML_KMEANS_PLUSPLUS = 0,
	RML_KMEANS_RANDOM,
	/* k-prototypes only */
	RML_KMEANS_CAO,
	RML_KMEANS_HUANG
} RmlKmeansInit;

typedef struct RmlKmeansParams
{
	int64_t k;        /* an argument of the fit, not an option */
	int64_t init;     /* RmlKmeansInit */
	int64_t n_init;   /* restarts */
	int64_t max_iter; /* Lloyd iterations of one restart */
	double tol;       /* relative to the mean variance of the features */
	int64_t seed;
	char *order_by; /* feature whose largest mean is cluster 1; NULL: by size */
} RmlKmeansParams;

extern const RmlOption rml_kmeans_options[];
extern const int rml_kmeans_n_options;

/* the columns of the rows; k-means has no categories, k-prototypes (kprototypes.h) may have */
typedef struct RmlKmeansShape
{
	int d;
	int d_cat;
	int64_t n_codes; /* of all d_cat features together */
} RmlKmeansShape;

/* what is clustered: numbers, and for k-prototypes category codes beside them */
typedef struct RmlKmeansRows
{
	const double *x;      /* [n x d], all finite */
	const int32_t *codes; /* [n x d_cat] */
	int64_t n;
	RmlKmeansShape shape;
	const int32_t *feature_codes; /* [d_cat] codes of feature f are 0 .. feature_codes[f] - 1 */
	double gamma;                 /* weight of a category that differs */
} RmlKmeansRows;

typedef struct RmlKmeans
{
	int64_t k;
	int d;
	int d_cat;
	double *centroids; /* [k x d], in prepared units */
	int32_t *modes;    /* [k x d_cat] */
	double gamma;
	int64_t *sizes; /* [k] training rows of each cluster */
	double inertia; /* infinity where a float8 cannot hold it */
	int64_t n_iter; /* iterations of the restart that won, refinement included */
	bool converged; /* stopped before max_iter */
	RmlSegmentIds ids;
	int32_t *places;       /* [k] clusters by content: predict looks at them in this order */
	double *packed;        /* [k / 8, rounded up][d x 8]: centroids as predict reads them */
	int32_t *packed_modes; /* [k / 8, rounded up][d_cat x 8] */
} RmlKmeans;

/* NULL, or the reason n rows of d features cannot be fitted */
extern const char *rml_kmeans_check(RmlEnv *env, const RmlKmeansParams *params, int64_t n, int d);

/* bytes a fit takes at its peak, on top of x */
extern size_t rml_kmeans_bytes(const RmlKmeansParams *params, int64_t n, int d, int threads);
extern size_t rml_kmeans_rows_bytes(const RmlKmeansParams *params, const RmlKmeansShape *shape,
									int64_t n, int threads);

/*
 * Fit k centroids to x [n x d], all finite.  labels [n], numbered from 0, may be NULL.  Returns
 * NULL, or the reason it cannot be done (fewer than k distinct rows).
 */
extern const char *rml_kmeans_fit(RmlEnv *env, const RmlKmeansParams *params, const double *x,
								  int64_t n, int d, RmlKmeans *out, int32_t *labels);

/* the same for rows that may have categories; the caller has checked parameters and shape */
extern const char *rml_kmeans_fit_rows(RmlEnv *env, const RmlKmeansParams *params,
									   const RmlKmeansRows *rows, RmlKmeans *out, int32_t *labels);

/*
 * Renumber the clusters: the largest first, ties by centroid in lexicographic order.  With
 * feature >= 0, the one with the largest mean of this feature first (ties as before).  labels [n]
 * may be NULL.
 */
extern void rml_kmeans_sort(RmlEnv *env, RmlKmeans *kmeans, int32_t *labels, int64_t n,
							int feature);

/* cluster of the row x [d], numbered from 0; *distance (if not NULL) is that to its centroid */
extern int rml_kmeans_predict(const RmlKmeans *kmeans, const double *x, double *distance);

/* the same with categories codes [d_cat], which are ignored where the model has none */
extern int rml_kmeans_predict_row(const RmlKmeans *kmeans, const double *x, const int32_t *codes,
								  double *distance);

/* lay the centroids out as predict reads them: whoever makes or decodes a model does it */
extern void rml_kmeans_pack(RmlEnv *env, RmlKmeans *kmeans);

extern void rml_kmeans_encode(const void *kmeans, RmlWriter *writer);
extern void *rml_kmeans_decode(RmlReader *reader, const RmlSchema *schema, const void *params);
extern void rml_kmeans_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info);

/* the model as SQL (sql_expression.h), with categories where it has some */
extern void rml_kmeans_expression(const void *fitted, const RmlSchema *schema,
								  RmlExpression *expression);

/* predict() gives the cluster's number */
extern const RmlAlgorithm rml_kmeans_algorithm;

#endif /* RETAILML_KMEANS_H */
