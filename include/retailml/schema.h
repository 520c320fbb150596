/*
 * schema.h
 *	  What a model knows about its input columns.
 *
 * Learnt from the training rows: imputation value, mean, standard deviation, category counts, and
 * what later drift checks compare with (decile edges, share of missing values).  It is the first
 * part of every model's bytes.  Preparing a row with it is the whole preprocessing:
 *
 *	  number:    missing -> impute value; then (x - mean) / sd when the model standardizes
 *	  category:  code 0 = "(missing)", 1 .. c = the training categories in order of text,
 *				 c + 1 = "(other)", not seen in training
 *
 * Standard deviations are those of the population (divided by n), after imputation.  A constant
 * column has sd 0 and is only centred.
 */
#ifndef RETAILML_SCHEMA_H
#define RETAILML_SCHEMA_H

#include "retailml/frame.h"
#include "retailml/info.h"
#include "retailml/model.h"
#include "retailml/options.h"

#define RML_DECILES 11 /* edges: minimum, 10 %, ..., 90 %, maximum */

/* rows the deciles are taken from: all up to here, the canonical sample of this size above */
#define RML_DECILE_ROWS 16384

typedef enum RmlImpute
{
	RML_IMPUTE_MEAN = 0,
	RML_IMPUTE_MEDIAN,
	RML_IMPUTE_ZERO,
	RML_IMPUTE_ERROR,
	RML_IMPUTE_SKIP
} RmlImpute;

extern const char *const rml_impute_names[];

typedef struct RmlFeature
{
	char *name;
	char *type; /* the SQL type's name in training, for people */
	RmlKind kind;
	int slot;       /* position among the numbers, or among the codes, of a row */
	uint8_t traits; /* RML_HOLDS_NAN, ... of a described column; not kept in the model */
	int64_t n_missing;
	/* numbers and booleans */
	double impute; /* what a missing value becomes */
	double mean;
	double sd;
	double deciles[RML_DECILES];
	bool looks_like_key; /* all values distinct integers or texts; not kept in the model */
	/* categories */
	int32_t n_categories;
	char **categories; /* [n_categories], sorted by bytes */
	int64_t *counts;   /* [n_categories] training rows */
} RmlFeature;

/* how one number is prepared: missing -> impute; then (x - centre) / scale */
typedef struct RmlScaling
{
	double impute;
	double centre; /* 0 when the model does not standardize */
	double scale;  /* 1 when it does not, or the column is constant */
} RmlScaling;

typedef struct RmlSchema
{
	int n_features;
	int d_num;
	int d_cat;
	RmlFeature *features;
	RmlScaling *scaling; /* [d_num] by slot; follows from the features */
	RmlImpute impute;
	bool standardize;
	bool positional; /* trained on arrays: rows are matched by position */
	/* the options that chose the columns, for model_info; max_categories 0: they do not apply */
	RmlNames chosen;
	RmlNames excluded;
	int64_t max_categories;
	int64_t rows;    /* training rows used */
	int64_t skipped; /* and left out */
} RmlSchema;

/*
 * Learn the schema of the ordered rows and prepare them in place.  Returns NULL, or the reason it
 * cannot be done (a column without any value).
 */
extern const char *rml_schema_learn(RmlSchema *schema, RmlEnv *env, const RmlFrame *frame,
									RmlMatrix *matrix, RmlImpute impute, bool standardize);

/*
 * The schema of the ordered rows as they are, for who works on raw values: names, kinds, traits,
 * categories.  Numbers stay as they are (NaN = missing); a column may be all missing.
 */
extern void rml_schema_describe(RmlSchema *schema, RmlEnv *env, const RmlFrame *frame,
								const RmlMatrix *matrix);

/* fill scaling from the features: learning and decoding do it */
extern void rml_schema_index(RmlSchema *schema, RmlEnv *env);

/* prepare one row in place: numbers [d_num], NaN = missing (codes need nothing) */
extern void rml_schema_prepare(const RmlSchema *schema, double *numbers);

/* code of a category text in a categorical feature: 1 .. c, or c + 1 = "(other)" */
extern int32_t rml_schema_code(const RmlFeature *feature, const char *text, size_t length);

/* the numeric (or boolean) feature in slot 0 .. d_num - 1 */
extern const RmlFeature *rml_schema_number(const RmlSchema *schema, int slot);

/* value of a prepared number in the column's own units */
extern double rml_schema_restore(const RmlSchema *schema, int slot, double prepared);

/* a prepared number in standard deviations from the training mean (0 for a constant column) */
extern double rml_schema_z(const RmlSchema *schema, int slot, double prepared);

/* more than this share of the variance in one column, and it alone decides what is near */
#define RML_DOMINANT_SHARE 0.9

/*
 * The feature that carries more than RML_DOMINANT_SHARE of the variance of the prepared rows, and
 * its *share; NULL when none does or there is one feature only.  The variance of a category is half
 * the mean squared distance of two rows, as that of a number is: category_weight / 2 times the
 * probability that two rows differ (A. Agresti and B. Agresti, "Statistical analysis of qualitative
 * variation", Sociological Methodology 9 (1978)).
 */
extern const RmlFeature *rml_schema_dominant(const RmlSchema *schema, double category_weight,
											 double *share);

extern void rml_schema_encode(const RmlSchema *schema, RmlWriter *writer);
extern void rml_schema_decode(RmlSchema *schema, RmlReader *reader);

#endif /* RETAILML_SCHEMA_H */
