/*
 * linear_design.h
 *	  The terms of a linear model, and a fitted linear predictor made of them.
 *
 * The predictor of a row is
 *
 *	  eta = b_0 + sum over numbers b_j x_j + sum over categories b_(feature, code)
 *
 * Its terms follow from the schema: the intercept, and then, in the order of features, a number as it
 * is, and for a category an indicator of each level but the reference.  The reference is the
 * category most frequent in training (of equals the first by text).  "(missing)" is a level where
 * training had missing values, otherwise a missing value counts as the reference, and so does a category
 * that training did not see.  Names of terms: "(intercept)", "income", "region=north".
 *
 * Scoring uses the centred form: base, the predictor at the training means, plus for each feature
 * its contribution, coefficient times deviation from the mean (the mean of an indicator is the
 * share of its level).  So contributions add up to the predictor, and a large mean with little
 * spread (a year, a timestamp) costs no digits.
 *
 * A model with several outputs (classes) has a set of coefficients for each.
 *
 * Shapes: p terms with the intercept, d_num numbers, d_cat categories, M outputs.  Matrices are
 * row-major.
 */
#ifndef RETAILML_LINEAR_DESIGN_H
#define RETAILML_LINEAR_DESIGN_H

#include "retailml/schema.h"

/* coefficients a linear fit may have: its equations are solved as one dense matrix (128 MB) */
#define RML_LINEAR_MAX_TERMS 4000

typedef struct RmlLinearDesign
{
	int p;
	int n_features;
	int d_num;
	int d_cat;
	int32_t *feature;      /* [p] position in the schema; -1 the intercept */
	int32_t *code;         /* [p] of a category; -1 for a number and the intercept */
	int32_t *number_term;  /* [d_num] by slot */
	int32_t *number_owner; /* [d_num] position of the feature in the schema */
	int32_t *code_owner;   /* [d_cat] likewise */
	int32_t *place;        /* [d_cat + 1] where codes 0 .. c + 1 of each category begin */
	int32_t *place_term; /* [place[d_cat]] term of a code; -1 the reference and what counts as it */
} RmlLinearDesign;

extern void rml_linear_design(RmlLinearDesign *design, RmlEnv *env, const RmlSchema *schema);

/* terms there will be, without building them */
extern int64_t rml_linear_terms(const RmlSchema *schema);

/* NULL, or the reason that many coefficients (terms times outputs) are too many */
extern const char *rml_linear_check(RmlEnv *env, const RmlSchema *schema, int64_t outputs);

/* the name of a term, in the arena */
extern char *rml_linear_name(const RmlLinearDesign *design, const RmlSchema *schema, RmlEnv *env,
							 int term);

typedef struct RmlLinear
{
	RmlLinearDesign design;
	int n_outputs;
	double *mean;      /* [p] weighted training mean of each term, 1 for the intercept */
	double *sd;        /* [p] standard deviation (population), 0 for the intercept */
	double *estimates; /* [M x p]; 0 where a term was dropped */
	int32_t *kept;     /* [p] 0: dropped, because others determine it */
	double *base;      /* [M] the predictor at the training means */
	/* for scoring; follows from the above */
	double *numbers; /* [M x d_num] coefficients */
	double *codes;   /* [M x places] coefficient of a code minus the mean over the training rows */
	int n_dropped;
	char **dropped; /* [n_dropped] names of the terms that were dropped */
} RmlLinear;

/* fill what follows from the rest: fits and decoding do it */
extern void rml_linear_index(RmlLinear *linear, const RmlSchema *schema, RmlEnv *env);

/* the predictor of a prepared row for one output */
extern double rml_linear_eta(const RmlLinear *linear, int output, const double *numbers,
							 const int32_t *codes);

/*
 * Contributions [n_features] in the order of the schema.  *base plus their sum is the predictor (to
 * rounding, that of the sum).
 */
extern void rml_linear_contributions(const RmlLinear *linear, int output, const double *numbers,
									 const int32_t *codes, double *contributions, double *base);

extern void rml_linear_encode(const RmlLinear *linear, RmlWriter *writer);
extern void rml_linear_decode(RmlLinear *linear, int n_outputs, const RmlSchema *schema,
							  RmlReader *reader);

/* which terms were dropped, as a sentence for people, or NULL */
extern const char *rml_linear_warning(const RmlLinear *linear, RmlEnv *env);

/* number of terms, and names of the dropped ones */
extern void rml_linear_describe(const RmlLinear *linear, RmlInfo *info);

#endif /* RETAILML_LINEAR_DESIGN_H */
