/*
 * product.h
 *	  What the churn and lifetime-value models share: a model inside a model, and the choice of it.
 *
 * A product tries several learners (or one with several params) by cross-validation on the rows it was
 * given, keeps the best, fits it to all rows, and remembers how all of them did.  Nothing in what it
 * remembers depends on the clock, so equal rows give equal bytes.
 */
#ifndef RETAILML_PRODUCT_H
#define RETAILML_PRODUCT_H

#include "retailml/cross_validate.h"

/* a model inside a model, with the schema of that */
typedef struct RmlPart
{
	const RmlAlgorithm *algorithm;
	void *params;
	void *fitted;
} RmlPart;

extern void rml_part_encode(const RmlPart *part, RmlWriter *writer);
/* an algorithm that is not supervised, or a product, is refused */
extern void rml_part_decode(RmlPart *part, const RmlSchema *schema, RmlReader *reader);

/* how a candidate did */
typedef struct RmlCandidate
{
	char *name;
	double mean[RML_N_METRICS];
	double sd[RML_N_METRICS];
} RmlCandidate;

typedef struct RmlContest
{
	int64_t folds;
	int64_t grouped; /* rows of a group were kept together */
	int64_t n;
	RmlCandidate *candidates; /* [n], the best first */
} RmlContest;

extern void rml_contest_encode(const RmlContest *comparison, RmlWriter *writer);
extern void rml_contest_decode(RmlContest *comparison, RmlReader *reader);
extern void rml_contest_describe(const RmlContest *comparison, RmlInfo *info);

/* the rows of a product's fit, and how they are to be divided */
typedef struct RmlProductRows
{
	RmlRawRows raw;
	RmlImpute impute;
	const uint64_t *groups; /* [N], or NULL */
	int64_t folds;
	int64_t seed;
} RmlProductRows;

/*
 * Cross-validate the cells (learner and params filled; names beside them), keep the best by the metric
 * and fit it to all rows: prepared, *fitted, *best (the cell).  The out-of-fold predictions of the
 * best are in its cell.  Returns NULL or the reason.
 */
extern const char *rml_product_fit(RmlEnv *env, const RmlProductRows *rows, RmlCell *cells,
								   char *const *names, int n_cells, RmlMetric metric,
								   RmlPrepared *prepared, void **fitted, int *best,
								   RmlContest *comparison);

/* bytes it takes on top of the rows, at its peak */
extern size_t rml_product_bytes(RmlEnv *env, const RmlProductRows *rows, const RmlCell *cells,
								int n_cells);

#endif /* RETAILML_PRODUCT_H */
