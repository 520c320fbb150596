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
 *	  kprototypes_init.c  first centres of rows with categories
 *	  kprototypes_moves.c  single rows of these change their cluster
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

/*
 * rows as the iterations see them
 *
 * Rows of k-prototypes have categories beside their numbers.  A centre is then d means and d_cat
 * modes, kept as numbers too, and what is summed of a cluster is d numbers and how often each code
 * occurs.  The distance adds gamma for each category that differs, which makes it a squared
 * Euclidean distance still, with one axis for each code: bounds and draws hold as they are.
 */
typedef struct RmlKmeansPoints
{
	RmlEnv *env;
	const double *x;      /* [n x d] the caller's rows */
	const int32_t *given; /* [n x d_cat] and their codes */
	int64_t n;
	int64_t n_padded; /* a multiple of the tile */
	int d;
	int d_cat;
	int width;      /* numbers of a centre: d + d_cat */
	int sum_width;  /* numbers summed of a cluster: d + codes of all features */
	int32_t *place; /* [d_cat] where a feature's codes begin among them */
	double gamma;   /* of a category that differs, beside squares of z */
	int strip;      /* rows of a strip, a multiple of the tile */
	double *mean;   /* [d] */
	double scale;
	double variance;         /* of z, mean over the features */
	double total;            /* sum of squares of rows */
	double unit;             /* fixed-point numbers per 1.0, see kmeans_lloyd.c */
	const RmlLinalg *linalg; /* not NULL: distances by matrix products */
	float *rows;             /* [n/16][d x 16] tiles, or with linalg [n x d] */
	int32_t *codes;          /* [n/16][d_cat x 16] tiles */
	float *norms;            /* [n] |z|^2, with linalg only */
	void *memory;            /* what rows points into */
	void *code_memory;       /* what codes points into */
} RmlKmeansPoints;

/* centres of clusters in units of z, and as the inner loops want them */
typedef struct RmlKmeansCenters
{
	int k;
	double *z;      /* [k x width] */
	float *packed;  /* [k/4][d x 4], or with linalg [k x d] */
	int32_t *modes; /* [k x d_cat] */
	float *norms;   /* [k] |packed|^2 */
	float largest;  /* norm (not squared) */
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
	int64_t *sums;         /* [k x sum_width] changes of this iteration */
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
	double *from;              /* [k x width] the centres the labels belong to */
	int32_t *labels;           /* [n_padded] */
	float *bound;              /* [n_padded] */
	float *drift;              /* [k] */
	int64_t *sums;             /* [k x sum_width] of rows by cluster: fixed-point, and counts */
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

extern const char *rml_kmeans_points_make(RmlKmeansPoints *points, RmlEnv *env,
										  const RmlKmeansRows *rows);
/*
 * About size rows of all, one drawn from each of size equal stretches.  Only the iterations can
 * work on a sample: it has no float8 rows.
 */
extern void rml_kmeans_points_sample(RmlKmeansPoints *sample, const RmlKmeansPoints *all,
									 int64_t size, uint64_t seed, uint64_t stream);
extern void rml_kmeans_points_release(RmlKmeansPoints *points);
extern size_t rml_kmeans_points_bytes(const RmlKmeansShape *shape, int64_t n);

/* n rounded up to whole tiles */
static inline int64_t
rml_kmeans_padded(int64_t n)
{
	return (n + RML_KMEANS_TILE - 1) / RML_KMEANS_TILE * RML_KMEANS_TILE;
}

/* first value of a row; the next feature's is *stride further on */
extern const float *rml_kmeans_row(const RmlKmeansPoints *points, int64_t row, int *stride);
/* first code of a row; the next feature's is RML_KMEANS_TILE further on */
static inline const int32_t *
rml_kmeans_row_codes(const RmlKmeansPoints *points, int64_t row)
{
	return points->codes + row / RML_KMEANS_TILE * RML_KMEANS_TILE * points->d_cat +
		   row % RML_KMEANS_TILE;
}

/* z [width] of a row as the iterations see it */
extern void rml_kmeans_row_copy(const RmlKmeansPoints *points, int64_t row, double *z);
/* |z|^2 of a row's numbers */
extern double rml_kmeans_row_square(const RmlKmeansPoints *points, int64_t row);
/* how many of the row's categories differ from those of a centre z [width] */
extern int rml_kmeans_row_mismatches(const RmlKmeansPoints *points, int64_t row, const double *z);

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
extern size_t rml_kmeans_scratch_bytes(const RmlKmeansShape *shape, int64_t k, int threads);
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
extern void rml_kmeans_tile_mismatches(const int32_t *codes, const int32_t *picked, int n_picked,
									   int d_cat, const int32_t *modes, int count, float gamma,
									   float *table);
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
extern size_t rml_kmeans_run_bytes(const RmlKmeansShape *shape, int64_t n, int64_t k, int threads);

/* ---- kmeans_init.c ---- */

/* first centres of a restart, into run->centers.z; false: fewer than k rows differ as float4 */
extern bool rml_kmeans_init(RmlKmeansRun *run, const RmlKmeansParams *params, int64_t restart);
/* rows of the sample that places first centres, or 0: all rows do */
extern int64_t rml_kmeans_sample_size(int64_t n, int64_t k);
/* the first k rows that differ, into rows [k]; returns how many there are, k at most */
extern int64_t rml_kmeans_distinct(RmlEnv *env, const RmlKmeansRows *all, int64_t k, int64_t *rows);
/* the block in which the running sum of block sums passes *target, which loses the sums before */
extern int64_t rml_kmeans_draw_block(const double *block_sums, int64_t blocks, double *target);
/* the row of [start, end) in which the running sum of run->bound passes target */
extern int64_t rml_kmeans_draw_row(const RmlKmeansRun *run, int64_t start, int64_t end,
								   double target);

/* ---- kprototypes_init.c ---- */

/* first centres of rows with categories, into run->centers.z; false: too few rows differ */
extern bool rml_kprototypes_cao(RmlKmeansRun *run);
extern void rml_kprototypes_huang(RmlKmeansRun *run, uint64_t seed, uint64_t stream);
extern size_t rml_kprototypes_init_bytes(int64_t n);

/* ---- kprototypes_moves.c ---- */

/*
 * Rows change their cluster one by one where that lowers the cost; labels, sums and centres must
 * belong together, and still do.  False when nothing was to gain.
 */
extern bool rml_kprototypes_moves(RmlKmeansRun *run);

/* ---- kmeans_lloyd.c ---- */

/* one row more (1) or less (-1) with this row's codes, in sum [sum_width] */
extern void rml_kmeans_count_codes(const RmlKmeansPoints *points, int64_t row, int64_t *sum,
								   int64_t change);
/* row changes from cluster "from" (-1: none) to "to"; sums [k x sum_width], counts [k] */
extern void rml_kmeans_move_row(const RmlKmeansPoints *points, int64_t row, int32_t from,
								int32_t to, int64_t *sums, int64_t *counts);
/* one centre to the means and modes of its rows */
extern void rml_kmeans_center_update(RmlKmeansRun *run, int c);
/* the threads' changes into sums and counts; returns how many rows changed */
extern int64_t rml_kmeans_add_threads(RmlKmeansRun *run);
/* most frequent codes [d_cat] of what is summed of a cluster; returns the rows that have them */
extern int64_t rml_kmeans_modes(const RmlKmeansPoints *points, const int64_t *sums, int32_t *modes);
/* iterate from run->centers.z until convergence, or for max_iter iterations */
extern void rml_kmeans_lloyd(RmlKmeansRun *run, int64_t max_iter, double tolerance);

/* ---- kmeans_refine.c ---- */

/* centres worth keeping */
typedef struct RmlKmeansKept
{
	double *z; /* [k x width] */
	double inertia;
	int64_t n_iter; /* iterations it took to find them */
} RmlKmeansKept;

/*
 * Improve kept centres by exchanges, until patience rounds have found nothing or the iterations
 * in *budget are spent.
 */
extern void rml_kmeans_refine(RmlKmeansRun *run, const RmlKmeansParams *params, RmlKmeansKept *kept,
							  int patience, int64_t *budget);
extern size_t rml_kmeans_refine_bytes(const RmlKmeansShape *shape, int64_t n, int64_t k,
									  int threads);

/* ---- kmeans_exact.c ---- */

/*
 * From labels (or, where there are none, from the centroids in out) to the result, in float8;
 * where Lloyd's iteration ended strictly, with up to more_iter iterations in float8.
 */
extern void rml_kmeans_exact(RmlKmeansRun *run, int64_t more_iter, bool labelled, RmlKmeans *out);
/* a cluster's centroid becomes one of the caller's rows */
extern void rml_kmeans_center_at(const RmlKmeansPoints *points, int64_t row, RmlKmeans *out,
								 int cluster);
extern size_t rml_kmeans_exact_bytes(const RmlKmeansShape *shape, int64_t n, int64_t k);

#endif /* RETAILML_KMEANS_INTERNAL_H */
