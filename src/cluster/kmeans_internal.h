/*
 * kmeans_internal.h
 *	  What the files of k-means share.
 *
 *	  kmeans_fit.c      the driver: restarts, the best of them, memory
 *	  kmeans_points.c   rows -> centred, scaled float4
 *	  kmeans_distances.c  distances of strips of rows to centres
 *	  kmeans_simd.c     the inner loops
 *	  kmeans_init.c     first centres
 *	  kmeans_lloyd.c    Lloyd's iteration with bounds
 *	  kmeans_refine.c   moves centres of the best restart to where they pay more
 *	  kmeans_exact.c    the result, in float8
 *	  kmeans_predict.c  nearest centroid of one row
 *	  kmeans.c          the model
 *
 * Inside the fit a row is z = (x - mean) * scale: mean is that of each column, scale one power of
 * two for all columns, chosen so that |z| <= 1.  Centring keeps a float4 useful for values like
 * 1e9 +- 1, scaling for values like 1e300, and a power of two changes no digits.
 */
#ifndef RETAILML_KMEANS_INTERNAL_H
#define RETAILML_KMEANS_INTERNAL_H

#include <float.h>

#include "retailml/kmeans.h"
#include "retailml/linalg.h"
#include "retailml/parallel.h"
#include "retailml/rng.h"

/*
 * One copy of a hot function per vector width, chosen when the module is loaded.  ifunc
 * resolvers run before AddressSanitizer is ready.
 */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(RML_NO_CLONES)
#define RML_KMEANS_CLONES \
	__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RML_KMEANS_CLONES
#endif

/* a sum of squares outside this range may have lost terms */
#define RML_KMEANS_LARGEST_SQUARE (DBL_MAX / 4)
#define RML_KMEANS_SMALLEST_SQUARE 1e-280

/* rows of a tile: values of one feature of 16 rows lie side by side */
#define RML_KMEANS_TILE 16
/* columns of a distance table: rows looked at together */
#define RML_KMEANS_STRIP 256
/* rows of a distance table: centres looked at together */
#define RML_KMEANS_CHUNK 64
/* from this many features on matrix products are faster than tiles */
#define RML_KMEANS_WIDE 32
/* floats of a strip of wide rows, at most */
#define RML_KMEANS_STRIP_FLOATS 65536

/* rows as the iterations see them */
typedef struct RmlKmeansPoints
{
	RmlEnv *env;
	const double *x; /* [n x d] the caller's rows */
	int64_t n;
	int64_t n_padded; /* a multiple of the tile */
	int d;
	int strip;    /* rows of a strip, a multiple of the tile */
	double *mean; /* [d] */
	double scale;
	double variance;         /* of z, mean over the features */
	double total;            /* sum of squares of rows */
	double unit;             /* fixed-point numbers per 1.0, see kmeans_lloyd.c */
	const RmlLinalg *linalg; /* not NULL: distances by matrix products */
	float *rows;             /* [n/16][d x 16] tiles, or with linalg [n x d] */
	float *norms;            /* [n] |z|^2, with linalg only */
	void *memory;            /* what rows points into */
} RmlKmeansPoints;

/* centres of clusters in units of z, and as the inner loops want them */
typedef struct RmlKmeansCenters
{
	int k;
	double *z;     /* [k x d] */
	float *packed; /* [k/4][d x 4], or with linalg [k x d] */
	float *norms;  /* [k] |packed|^2 */
	float largest; /* norm (not squared) */
} RmlKmeansCenters;

/* one thread's work space for a strip, and the changes it has found */
typedef struct RmlKmeansScratch
{
	float *table;          /* [CHUNK x STRIP] squared distances */
	float *least;          /* [STRIP] squared distance to the nearest centre */
	float *second;         /* [STRIP] and to the second nearest */
	int32_t *nearest;      /* [STRIP] the nearest centre */
	int32_t *picked;       /* [STRIP] rows of the strip that are looked at */
	float *gathered;       /* [STRIP x d], with linalg only */
	float *gathered_norms; /* [STRIP] */
	int64_t *sums;         /* [k x d] changes of this iteration */
	int64_t *counts;       /* [k] */
	int64_t changed;       /* rows that changed their cluster */
	char apart[64];        /* the next thread's counters are on another cache line */
} RmlKmeansScratch;

/* a run of Lloyd's iteration, and the memory all runs share */
typedef struct RmlKmeansRun
{
	const RmlKmeansPoints *points;
	int k;
	RmlKmeansCenters centers;
	double *from;              /* [k x d] the centres the labels belong to */
	int32_t *labels;           /* [n_padded] */
	float *bound;              /* [n_padded] */
	float *drift;              /* [k] */
	int64_t *sums;             /* [k x d] of rows by cluster, fixed-point */
	int64_t *counts;           /* [k] */
	RmlKmeansScratch *scratch; /* [threads] */
	double inertia;            /* after the last update, in units of z */
	int64_t n_iter;
	bool strict;    /* no label changed in the last iteration */
	bool converged; /* strict, or within tol */
	bool quiet;     /* report no progress */
	double target;  /* give up when the inertia will not get below; 0: never */
} RmlKmeansRun;

/* ---- kmeans_points.c ---- */

extern const char *rml_kmeans_points_make(RmlKmeansPoints *points, RmlEnv *env, const double *x,
										  int64_t n, int d);
/*
 * About size rows of all, one drawn from each of size equal stretches.  Only the iterations can
 * work on a sample: it has no float8 rows.
 */
extern void rml_kmeans_points_sample(RmlKmeansPoints *sample, const RmlKmeansPoints *all,
									 int64_t size, uint64_t seed, uint64_t stream);
extern void rml_kmeans_points_release(RmlKmeansPoints *points);
extern size_t rml_kmeans_points_bytes(int64_t n, int d);

/* n rounded up to whole tiles */
static inline int64_t
rml_kmeans_padded(int64_t n)
{
	return (n + RML_KMEANS_TILE - 1) / RML_KMEANS_TILE * RML_KMEANS_TILE;
}

/* first value of a row; the next feature's is *stride further on */
extern const float *rml_kmeans_row(const RmlKmeansPoints *points, int64_t row, int *stride);
/* z of a row as the iterations see it */
extern void rml_kmeans_row_copy(const RmlKmeansPoints *points, int64_t row, double *z);

/* ---- kmeans_distances.c ---- */

extern void rml_kmeans_centers_make(RmlKmeansCenters *centers, const RmlKmeansPoints *points,
									int k);
extern void rml_kmeans_centers_release(RmlKmeansCenters *centers, RmlEnv *env);
/* fill packed, norms and largest from z */
extern void rml_kmeans_centers_pack(RmlKmeansCenters *centers, const RmlKmeansPoints *points);

/* rows of a block for rml_parallel, when each is compared with this many centres */
extern int64_t rml_kmeans_block_rows(const RmlKmeansPoints *points, int64_t centers);

extern RmlKmeansScratch *rml_kmeans_scratch_make(const RmlKmeansPoints *points, int k);
extern void rml_kmeans_scratch_release(RmlKmeansScratch *scratch, RmlEnv *env);
extern size_t rml_kmeans_scratch_bytes(int d, int64_t k, int threads);
/* no changes yet */
extern void rml_kmeans_scratch_clear(RmlKmeansScratch *scratch, const RmlKmeansPoints *points,
									 int k);

/* pick all rows of the strip that begins at start; returns their number, padded to tiles */
extern int rml_kmeans_pick_all(const RmlKmeansPoints *points, int64_t start, int64_t end,
							   RmlKmeansScratch *scratch);
/* pick those whose bound is not positive (in tiles: with their neighbours) */
extern int rml_kmeans_pick_open(const RmlKmeansPoints *points, int64_t start, int64_t end,
								const float *bound, RmlKmeansScratch *scratch);
/* squared distances of picked rows to at most CHUNK centres, into the table */
extern void rml_kmeans_distances(const RmlKmeansPoints *points, int64_t start, int picked,
								 const RmlKmeansCenters *centers, RmlKmeansScratch *scratch);
/* least, second and nearest of the picked rows */
extern void rml_kmeans_nearest(const RmlKmeansPoints *points, int64_t start, int picked,
							   const RmlKmeansCenters *centers, RmlKmeansScratch *scratch);

/* ---- kmeans_simd.c ---- */

extern void rml_kmeans_tile_distances(const float *rows, const int32_t *picked, int n_picked, int d,
									  const float *centers, int count, float *table);
extern void rml_kmeans_complete_squares(float *table, int count, int n_picked,
										const float *row_norms, const float *center_norms);
extern void rml_kmeans_two_nearest(const float *table, int first, int count, int n_picked,
								   float *least, float *second, int32_t *nearest);
extern void rml_kmeans_gaps(float *least, float *second, int n_picked, float margin);
extern void rml_kmeans_lower_bounds(float *bound, const int32_t *labels, const float *drift, int n);
extern void rml_kmeans_minimum(float *least, const float *distances, int n);
extern double rml_kmeans_sum_minimum(const float *least, const float *distances, int n);

/* ---- kmeans_fit.c ---- */

extern void rml_kmeans_run_make(RmlKmeansRun *run, const RmlKmeansPoints *points, int k);
extern void rml_kmeans_run_release(RmlKmeansRun *run);
extern size_t rml_kmeans_run_bytes(int64_t n, int d, int64_t k, int threads);

/* ---- kmeans_init.c ---- */

/* first centres of a restart, into run->centers.z; false: fewer than k rows differ as float4 */
extern bool rml_kmeans_init(RmlKmeansRun *run, const RmlKmeansParams *params, int64_t restart);
/* rows of the sample that places first centres, or 0: all rows do */
extern int64_t rml_kmeans_sample_size(int64_t n, int64_t k);
/* the first k rows that differ, into rows [k]; returns how many there are, k at most */
extern int64_t rml_kmeans_distinct(RmlEnv *env, const double *x, int64_t n, int d, int64_t k,
								   int64_t *rows);
/* the block in which the running sum of block sums passes *target, which loses the sums before */
extern int64_t rml_kmeans_draw_block(const double *block_sums, int64_t blocks, double *target);
/* the row of [start, end) in which the running sum of run->bound passes target */
extern int64_t rml_kmeans_draw_row(const RmlKmeansRun *run, int64_t start, int64_t end,
								   double target);

/* ---- kmeans_lloyd.c ---- */

/* iterate from run->centers.z until convergence, or for max_iter iterations */
extern void rml_kmeans_lloyd(RmlKmeansRun *run, int64_t max_iter, double tolerance);

/* ---- kmeans_refine.c ---- */

/* centres worth keeping */
typedef struct RmlKmeansKept
{
	double *z; /* [k x d] */
	double inertia;
	int64_t n_iter; /* iterations it took to find them */
} RmlKmeansKept;

/*
 * Improve kept centres by exchanges, until patience rounds have found nothing or the iterations
 * in *budget are spent.
 */
extern void rml_kmeans_refine(RmlKmeansRun *run, const RmlKmeansParams *params, RmlKmeansKept *kept,
							  int patience, int64_t *budget);
extern size_t rml_kmeans_refine_bytes(int64_t n, int d, int64_t k, int threads);

/* ---- kmeans_exact.c ---- */

/*
 * From labels (or, where there are none, from the centroids in out) to the result, in float8;
 * where Lloyd's iteration ended strictly, with up to more_iter iterations in float8.
 */
extern void rml_kmeans_exact(RmlKmeansRun *run, int64_t more_iter, bool labelled, RmlKmeans *out);
extern size_t rml_kmeans_exact_bytes(int64_t n, int d, int64_t k);

/* ---- kmeans_predict.c ---- */

/* lay the centroids out as rml_kmeans_predict reads them */
extern void rml_kmeans_pack(RmlEnv *env, RmlKmeans *kmeans);

#endif /* RETAILML_KMEANS_INTERNAL_H */
