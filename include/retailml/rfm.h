/*
 * rfm.h
 *	  Recency, frequency, monetary: scores by quantile, codes, and segments with names.
 *
 * Each customer gets a score from 1 (worst) to bins (best, 5 by default) for each of three numbers:
 * recency (days since the last order, low is good), frequency (orders) and monetary (revenue).
 * The rule is one sentence:
 *
 *	  score(x) = 1 + floor(bins * (customers strictly worse than x) / n)
 *
 * so a 5 of 5 is better than at least 80 % of all customers.  It depends on the value alone: equal
 * values get equal scores, and neither row order nor a tie-breaker matters.  The share of worse
 * customers passes s / bins exactly behind the value of rank ceil(s n / bins), counted from the
 * worst.  These bins - 1 values are the cut points (the inverted distribution function, type 1 of
 * Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 1996),
 * and
 *
 *	  score(x) = 1 + number of cut points strictly worse than x
 *
 * is the same rule for customers that were not there.  A window function and a stored model
 * therefore agree on the training rows.
 *
 * The three scores make the code: 100 r + 10 f + m (two digits each when bins is 10).  Every code
 * has a segment.  The built-in names follow from the scores on a scale of 1 to 5 (rfm_segments.c);
 * RmlRfmMap is how names of the user's own replace them.
 *
 * n rows; bins scores per dimension; a cell is the number of a code, 0 .. bins^3 - 1, in order of r,
 * f, m.
 */
#ifndef RETAILML_RFM_H
#define RETAILML_RFM_H

#include "retailml/env.h"
#include "retailml/model.h"
#include "retailml/options.h"
#include "retailml/registry.h"

#define RML_RFM_DIMENSIONS 3
#define RML_RFM_MIN_BINS 2
#define RML_RFM_MAX_BINS 10
#define RML_RFM_DEFAULT_BINS 5
/* a name for each code is the most that makes sense */
#define RML_RFM_MAX_SEGMENTS (RML_RFM_MAX_BINS * RML_RFM_MAX_BINS * RML_RFM_MAX_BINS)

extern const char *const rml_rfm_value_names[RML_RFM_DIMENSIONS];

typedef struct RmlRfmParams
{
	int64_t bins;
} RmlRfmParams;

/* options of rfm_fit; "segments" is read by the binding, into an RmlRfmMap */
extern const RmlOption rml_rfm_options[];
extern const int rml_rfm_n_options;

/* ---- segments ---- */

typedef struct RmlRfmSegment
{
	const char *name;
	const char *description;
	const char *lever; /* what marketing does with it */
} RmlRfmSegment;

/* the built-in segment of that name, or NULL */
extern const RmlRfmSegment *rml_rfm_segment(const char *name);

/* which segment each code belongs to */
typedef struct RmlRfmMap
{
	int bins;
	int n_cells; /* bins^3 */
	int n_segments;
	char **segments;  /* [n_segments] names */
	int32_t *segment; /* [n_cells] index into segments */
	uint8_t *claimed; /* [n_cells] named by rml_rfm_map_assign */
} RmlRfmMap;

/* the built-in segments */
extern void rml_rfm_map_init(RmlRfmMap *map, RmlEnv *env, int bins);

/*
 * Give the codes of a pattern a name.  A pattern is a code ("555", "5**"; not for 10 bins), or three
 * entries with blanks between them, each a score, a range or a star ("5 4-5 *").  Returns NULL, or
 * the reason: not a pattern, a score out of range, a code that already got another name.
 */
extern const char *rml_rfm_map_assign(RmlRfmMap *map, RmlEnv *env, const char *name,
									  const char *pattern);

/* drop names no code has, so that equal maps are equal bytes */
extern void rml_rfm_map_finish(RmlRfmMap *map, RmlEnv *env);

/* ---- the model ---- */

typedef struct RmlRfm
{
	RmlRfmMap map;  /* without claimed */
	double *cuts;   /* [3 x (bins - 1)] per dimension, from worst to best */
	int64_t *sizes; /* [n_cells] training rows of each code */
	void **results; /* [n_cells] zeroed: room for the host's ready-made results */
} RmlRfm;

/* the reason these parameters are refused, or NULL */
extern const char *rml_rfm_check(const RmlRfmParams *params);

/* bytes rml_rfm_fit takes for n rows */
extern size_t rml_rfm_fit_bytes(int64_t n);

/*
 * Cut points of numbers [n x 3] (recency, frequency, monetary; finite), n >= 1, and the size of
 * every code.  map is taken over.
 */
extern void rml_rfm_fit(RmlRfm *rfm, RmlEnv *env, const RmlRfmMap *map, const double *numbers,
						int64_t n);

/* scores 1 .. bins of numbers [3] */
extern void rml_rfm_scores(const RmlRfm *rfm, const double *numbers, int *scores);

/* cell of numbers [3] */
extern int rml_rfm_cell(const RmlRfm *rfm, const double *numbers);

/* a cell's three scores, and its code */
extern void rml_rfm_cell_scores(int bins, int cell, int *scores);
extern int rml_rfm_cell_code(int bins, int cell);

/* the code as the number predict() gives */
extern double rml_rfm_predict(const void *rfm, const double *numbers, const int32_t *codes);

extern void rml_rfm_encode(const void *rfm, RmlWriter *writer);
extern void *rml_rfm_decode(RmlReader *reader, const RmlSchema *schema, const void *params);

extern const RmlAlgorithm rml_rfm_algorithm;

#endif /* RETAILML_RFM_H */
