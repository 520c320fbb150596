/*
 * training_set.h
 *	  Some rows and columns of the collected data, prepared as if nothing else were known.
 *
 * A model is judged by rows it has not seen, and that includes everything that was learnt about the
 * columns: the value that replaces a missing number, the categories there are, the classes there are.
 * So each training part learns a schema of its own from the raw rows, and the rows that are held out
 * are prepared with it, as predict() would do: a category the training part does not have is
 * "(other)".
 *
 *	  raw rows --- subset (rows, features) ---> learn ---> schema + training set
 *	  raw rows --- other rows, that schema ---> apply ---> matrix to predict
 *
 * Classes that no row of the training part has are unknown to its model: the others are numbered
 * anew, and rml_training_set_predict puts probabilities in their places again, 0 for the unknown.
 *
 * Shapes: N collected rows, n rows of the subset, D columns, K classes, K' of them present.
 */
#ifndef RETAILML_TRAINING_SET_H
#define RETAILML_TRAINING_SET_H

#include "retailml/registry.h"
#include "retailml/supervised.h"

/* collected rows in canonical order, nothing imputed: NaN and code 0 are missing */
typedef struct RmlRawRows
{
	int n_columns;
	const RmlColumn *columns; /* [D] features, dictionaries sorted */
	const RmlMatrix *matrix;  /* [N x ...] */
	RmlTarget target;
	const double *y;        /* [N] regression, else NULL */
	const int32_t *classes; /* [N] classification, else NULL */
	const double *weights;  /* [N] or NULL */
} RmlRawRows;

/*
 * Leave out the columns that have no value in any row: they are moved behind the others in columns
 * [D] and taken out of the matrix.  Returns how many remain.
 */
extern int rml_raw_drop_empty(RmlEnv *env, RmlColumn *columns, int n_columns, RmlMatrix *matrix);

typedef struct RmlSubset
{
	int64_t n;
	const int64_t *rows;  /* [n] ascending */
	const bool *features; /* [D] those taken; NULL: all */
} RmlSubset;

typedef struct RmlPrepared
{
	RmlSchema schema;
	RmlTrainingSet rows; /* its schema is the one above */
	int32_t *present;    /* [K'] class of the collected rows behind each class of this set */
} RmlPrepared;

/*
 * Learn from the subset and prepare its rows.  Returns NULL, or the reason these rows can teach
 * nothing: a column without any value, one class only.
 */
extern const char *rml_training_set_learn(RmlEnv *env, const RmlRawRows *raw,
										  const RmlSubset *subset, RmlImpute impute,
										  RmlPrepared *prepared);

/* prepare other rows with that schema; subset has the same features */
extern void rml_training_set_apply(RmlEnv *env, const RmlRawRows *raw, const RmlSubset *subset,
								   const RmlSchema *schema, RmlMatrix *matrix);

/*
 * Predictions [n x width] of prepared rows by a model of that set: the number, the probability of class 1
 * of two, or one for each class of the collected rows.
 */
extern void rml_training_set_predict(RmlEnv *env, const RmlAlgorithm *algorithm, const void *fitted,
									 const RmlRawRows *raw, const RmlPrepared *prepared,
									 const RmlMatrix *matrix, double *predictions);

/* bytes a prepared copy of n rows takes */
extern size_t rml_training_set_bytes(const RmlRawRows *raw, int64_t n);

#endif /* RETAILML_TRAINING_SET_H */
