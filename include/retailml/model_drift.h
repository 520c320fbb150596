/*
 * model_drift.h
 *	  Has the population moved since a model was trained?  Feature by feature, from the schema.
 *
 * The population stability index compares the shares of rows in B bins, then (training) and now:
 *
 *	  psi = sum over bins of (now_b - then_b) ln(now_b / then_b)
 *
 * (N. Siddiqi, "Credit Risk Scorecards", 2006: below 0.1 nothing to speak of, above 0.25 a shift
 * that asks for a new model.  It is the symmetric divergence of S. Kullback and R. Leibler, "On
 * information and sufficiency", Ann. Math. Statist. 22 (1951).)  Of n rows that have not moved it is about
 * (B - 1) (1 / n_then + 1 / n_now) (B. Yurdakul and J. Naranjo, "Statistical properties of the
 * population stability index", J. Risk Model Validation 14 (2020)), so a few hundred rows are a noisy
 * witness.
 *
 * Bins of a boolean: false, true, missing.  Bins of a category: each text of training, missing, other (not seen in training).  Bins of a number:
 * those between the deciles of training, a tenth each, and missing.  What lies beyond the smallest
 * and the largest value counts to the first and the last bin.  Where these are a single value
 * (the edges coincide) they take only that value, and what lies beyond has a bin of its own, of
 * which training had nothing.
 *
 * Ties.  Of a column of integers, a value that many rows have may be an edge, and the deciles do
 * not tell how many of those rows are in the bin below it and how many in the one above.  Only
 * bounds are known: the share of rows below the edge of i tenths was at most i / 10, the share up to it
 * at least i / 10.  Counting ties to one side would find drift in the training rows themselves.
 * So rows at an edge are dealt to its two sides in the way that gives the smallest psi: a number
 * drifts by what no way of dealing explains.  Let C_i, the share now in the first i bins, be between
 * L_i (below edge i) and R_i (up to edge i).  psi is a sum of convex functions of the slopes of C over i /
 * 10, and among all lines in a tube the taut string has the smallest such sum, whatever the function is
 * (R. Barlow, D. Bartholomew, J. Bremner and H. Brunk, "Statistical Inference under Order
 * Restrictions", 1972).  Without ties L = R, and psi is the usual one.
 *
 * What the bounds do not tell stays unseen: a value that less than a tenth of the rows had may go up to
 * a tenth.
 *
 * A bin without rows on one side counts as half a row there, at most as the other side's share.
 *
 * Counts are integers, so the order of rows, and how they are split over workers, cannot matter.
 */
#ifndef RETAILML_MODEL_DRIFT_H
#define RETAILML_MODEL_DRIFT_H

#include "retailml/schema.h"

#define RML_DRIFT_SHIFTED 0.1
#define RML_DRIFT_DRIFTED 0.25

typedef struct RmlDriftCounts
{
	const RmlSchema *schema;
	int64_t rows;     /* all */
	int64_t complete; /* rows without a missing value */
	int64_t n_cells;
	int64_t *missing; /* [n_features] of all rows */
	/*
	 * [n_cells] one stretch for each feature, from first[feature].  A category has a cell for each
	 * code; a boolean 0 for missing, then false and true; a number 0 for missing, and 1 + the edges below it + the edges up to it.
	 */
	int64_t *cells;
	int64_t *first; /* [n_features] */
} RmlDriftCounts;

/* what is known of one feature */
typedef struct RmlDrift
{
	double psi;       /* NaN: no rows to tell from */
	double null_then; /* NaN: rows with missing values were left out of training */
	double null_now;
	double unseen;       /* share of rows with a text that training did not have; NaN for numbers */
	const char *verdict; /* NULL where psi is NaN */
} RmlDrift;

/* NULL, or why rows cannot be compared with this schema */
extern const char *rml_drift_check(const RmlSchema *schema);

/* zero counts; the schema must outlive them */
extern void rml_drift_init(RmlDriftCounts *counts, RmlEnv *env, const RmlSchema *schema);

/* count a row as it was read: numbers [d_num] with NaN for missing, codes [d_cat] */
extern void rml_drift_add(RmlDriftCounts *counts, const double *numbers, const int32_t *codes);

/* add the counts of other rows; false when they are of another schema */
extern bool rml_drift_merge(RmlDriftCounts *counts, const RmlDriftCounts *other);

/* counts and schema as bytes between processes, in the format of models */
extern void rml_drift_encode(const RmlDriftCounts *counts, RmlEnv *env, RmlWriter *writer);

/* the counterpart: schema is filled in too.  NULL, or what is wrong with the bytes */
extern const char *rml_drift_decode(RmlDriftCounts *counts, RmlSchema *schema, RmlEnv *env,
									const void *bytes, size_t length);

/* drift [n_features] */
extern void rml_drift_measure(const RmlDriftCounts *counts, RmlDrift *drift);

#endif /* RETAILML_MODEL_DRIFT_H */
