/*
 * kprototypes.h
 *	  k-prototypes: clusters of rows with numbers and categories.
 *
 * The model is k prototypes, each the means m of a cluster's numbers and the modes q (the most
 * frequent category) of its categories.  A row (x, y) is at the squared distance
 *
 *	  |x - m|^2 + gamma * (number of categories y_f that are not q_f)
 *
 * from a prototype and belongs to the nearest; where two are equally near, to the first by means,
 * then modes.
 * Training makes the cost, the sum of these over all rows, small.  Without categories that is
 * k-means, and the same result; without numbers it is k-modes.
 *
 * gamma says how much a category that differs counts beside the numbers.  It is half the mean
 * standard deviation of the numbers as used unless given (Huang 1998, section 4), so 0.5 for
 * numbers that are standardized; 1 without numbers, so that the cost counts mismatches.
 *
 * With a mismatch as gamma the distance is a squared Euclidean one, in which each category is an
 * axis of its own; so the fit is that of k-means (kmeans.h), with modes in place of means there:
 * Lloyd's iteration with bounds, restarts, exchanges, and a last pass in float8.  First
 * prototypes: kprototypes_init.c.
 *
 * Codes: 0 is a missing value, a category of its own; 1 .. c are the categories; c + 1 is a
 * category that training did not see, which differs from every mode.
 *
 *	  Z. Huang, "Clustering large data sets with mixed numeric and categorical values", PAKDD 1997
 *	  Z. Huang, "Extensions to the k-means algorithm for clustering large data sets with
 *	  categorical values", Data Mining and Knowledge Discovery 2 (1998)
 *	  F. Cao, J. Liang, L. Bai, "A new initialization method for categorical data clustering",
 *	  Expert Systems with Applications 36 (2009)
 *
 * Shapes: n rows, d numbers, d_cat categories, k clusters.  Matrices are row-major.
 */
#ifndef RETAILML_KPROTOTYPES_H
#define RETAILML_KPROTOTYPES_H

#include "retailml/kmeans.h"

typedef struct RmlKprototypesParams
{
	int64_t k;    /* an argument of the fit, not an option */
	double gamma; /* or RML_AUTO */
	int64_t init; /* index into the option's choices: cao, huang, random */
	int64_t n_init;
	int64_t max_iter;
	double tol;
	int64_t seed;
	char *order_by; /* number whose largest mean is cluster 1; NULL: by size */
} RmlKprototypesParams;

extern const RmlOption rml_kprototypes_options[];
extern const int rml_kprototypes_n_options;

typedef struct RmlKprototypes
{
	RmlKmeans prototypes; /* its inertia is the cost */
	int64_t n_codes;      /* of all features together: rml_category_places */
	int64_t *counts;      /* [k x n_codes] training rows with each code, feature after feature */
} RmlKprototypes;

/* NULL, or the reason n rows of this schema cannot be fitted */
extern const char *rml_kprototypes_check(RmlEnv *env, const RmlKprototypesParams *params, int64_t n,
										 const RmlSchema *schema);

/*
 * Bytes a fit takes at its peak, on top of the rows; n_codes are at most what is given (they are not
 * known before the schema is).
 */
extern size_t rml_kprototypes_bytes(const RmlKprototypesParams *params, int64_t n, int d, int d_cat,
									int64_t n_codes, int threads);

/* the weight of a category: the option, or what RML_AUTO stands for */
extern double rml_kprototypes_gamma(double gamma, const RmlSchema *schema);

/* the rows of a fit as kmeans.h takes them; gamma is the option, RML_AUTO for what that stands for */
extern void rml_kprototypes_rows(RmlEnv *env, const RmlSchema *schema, const RmlMatrix *matrix,
								 double gamma, RmlKmeansRows *rows);

/*
 * Fit k prototypes to x [n x d], finite, and codes [n x d_cat], both prepared by schema.  labels
 * [n], numbered from 0, may be NULL.  Clusters are numbered by size, or by the largest mean of
 * number order_slot (-1: none).  Returns NULL, or the reason (fewer than k distinct rows).
 */
extern const char *rml_kprototypes_fit(RmlEnv *env, const RmlKprototypesParams *params,
									   const RmlSchema *schema, const RmlMatrix *matrix,
									   int order_slot, RmlKprototypes *out, int32_t *labels);

/* cluster of a row, numbered from 0; *distance (if not NULL) is the root of that to its prototype */
extern int rml_kprototypes_predict(const RmlKprototypes *model, const double *x,
								   const int32_t *codes, double *distance);

extern void rml_kprototypes_encode(const void *fitted, RmlWriter *writer);
extern void *rml_kprototypes_decode(RmlReader *reader, const RmlSchema *schema, const void *params);
extern void rml_kprototypes_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info);

/* predict() gives the cluster's number */
extern const RmlAlgorithm rml_kprototypes_algorithm;

#endif /* RETAILML_KPROTOTYPES_H */
