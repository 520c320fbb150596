/*
 * cluster_stability.h
 *	  Is a clustering more than a cut through noise, and would other rows be cut alike?
 *
 * Three questions, each with a number.
 *
 * Would other customers give the same segments?  The rows are drawn again with replacement, as many
 * as there are, and clustered; then all rows are labelled by those clusters and compared with the
 * labels of the clustering of the rows themselves, by the adjusted Rand index (C. Hennig,
 * "Cluster-wise assessment of cluster stability", Computational Statistics & Data Analysis 52
 * (2007), with one index for the whole).  mean_ari and min_ari are over the resamples.
 *
 * Is it the one best clustering, or one of many?  best_share is the share of single restarts whose
 * cost is within .1 % of the best.
 *
 * Would noise do as well?  Even noise is cut into clusters, and often into the same ones again: four
 * means of a square are its quarters.  So the cost that k clusters leave is compared with what they
 * leave of noise (R. Tibshirani, G. Walther and T. Hastie, "Estimating the number of clusters in a
 * data set via the gap statistic", JRSS B 63 (2001)): with W(1) the cost of one cluster and W(k)
 * that of k,
 *
 *	  r = log(W(1) / W(k)),  gain = 1 - exp(mean of r in noise - r)
 *
 * gain is how much smaller the cost is than noise would leave it, and gain_z the difference of the
 * two r in standard deviations of the noise.  Noise has the spread of the rows but one hump only: the
 * numbers are independent and unimodal along some axes (cluster_stability_noise.c).  There is no one
 * right choice of axes, so both the columns and the principal axes are taken, and the rows have to
 * beat either.  Where they do not, up to three larger k are tried: groups may not show at a k that is
 * too small for them.
 *
 * Columns that have nothing to do with the groups hide them in the cost.  So a second number is
 * compared in the same way: for each cluster and the one nearest to it, the share of the variance
 * along the line between their prototypes that lies within the two, relative to that of an even
 * spread.  separation and separation_z are the gain of that.  Structure is what beats noise in one of
 * the two.
 *
 * Noise along axes is not all the noise there is: an even spread over a disc or a slanted square beats
 * it.  But it has no valley: where the share of variance is, relative to an even spread, above 0.8,
 * structure is weak.  The rows are no noise along axes then, yet clusters cut what goes on.
 *
 * Shapes: n rows, d numbers, d_cat categories, k clusters.
 */
#ifndef RETAILML_CLUSTER_STABILITY_H
#define RETAILML_CLUSTER_STABILITY_H

#include "retailml/kmeans.h"

/* rows looked at, at most: a prefix of the canonical order, which is a random sample */
#define RML_STABILITY_ROWS 10000

/* restarts of which best_share is a share */
#define RML_STABILITY_RESTARTS 20

typedef enum RmlVerdict
{
	RML_NO_STRUCTURE,
	RML_WEAK,
	RML_UNSTABLE,
	RML_STABLE
} RmlVerdict;

extern const char *const rml_verdict_names[];

typedef struct RmlStability
{
	int64_t rows; /* looked at */
	double mean_ari;
	double min_ari;
	double best_share;
	double gain;
	double gain_z;
	double separation;
	double separation_z;
	int64_t structure_k; /* the first k, that beats noise, if possible with a valley; 0: none */
	RmlVerdict verdict;
} RmlStability;

/* bytes that rml_cluster_stability takes at its peak for n rows, on top of these */
extern size_t rml_cluster_stability_bytes(const RmlKmeansParams *params,
										  const RmlKmeansShape *shape, int64_t n, int threads);

/*
 * Judge the clustering of the first rows.  params->init is that of the clustering; restarts draw
 * theirs.  Returns NULL, or the reason (fewer than k distinct rows).
 */
extern const char *rml_cluster_stability(RmlEnv *env, const RmlKmeansParams *params,
										 const RmlKmeansRows *rows, int resamples,
										 RmlStability *stability);

/*
 * log of the share of variance within neighbouring clusters over that of an even spread, the mean
 * over rows; small = far apart
 */
extern double rml_cluster_separation(RmlEnv *env, const RmlKmeansRows *rows, const RmlKmeans *model,
									 const int32_t *labels);

/* ---- noise ---- */

/* what noise like some rows is drawn from */
typedef struct RmlNoise RmlNoise;

/* independent along the principal axes of the numbers, or along the columns themselves */
extern RmlNoise *rml_noise_learn(RmlEnv *env, const RmlKmeansRows *rows, bool principal);
extern void rml_noise_release(RmlNoise *noise, RmlEnv *env);

/* draw as many rows of noise into x [n x d] and codes [n x d_cat] */
extern void rml_noise_draw(const RmlNoise *noise, RmlEnv *env, uint64_t seed, uint64_t stream,
						   double *x, int32_t *codes);

#endif /* RETAILML_CLUSTER_STABILITY_H */
