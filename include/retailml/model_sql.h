/*
 * model_sql.h
 *	  Models as arguments: decoded once per query, rows bound once per row type.
 */
#ifndef RETAILML_MODEL_SQL_H
#define RETAILML_MODEL_SQL_H

#include "postgres.h"

#include "fmgr.h"

#include "retailml/registry.h"
#include "retailml/row_sql.h"

/* what fn_extra of a scoring function points to */
typedef struct RmlScorer
{
	MemoryContext context; /* holds the decoded model; reset when the model changes */
	char *key;             /* the model argument as it was given, bytes */
	size_t key_length;
	const void *place; /* where the argument was */
	RmlModel model;
	void *work;       /* the function's own, in context; NULL when the model is new */
	RmlLabels labels; /* n = 0: not asked for yet */
	bool bound;
	RmlBinding binding;
	double *numbers; /* [d_num] the row, prepared */
	int32_t *codes;  /* [d_cat] */
} RmlScorer;

/*
 * The decoded model in argument 0, cached in fn_extra.  algorithm is an id the function insists
 * on, or 0 for any.  Damaged bytes are an error (data_corrupted).
 */
extern RmlScorer *rml_scorer_model(FunctionCallInfo fcinfo, uint16_t algorithm);

/*
 * The same, and the row in argument 1 read and prepared into numbers and codes.  NULL when the
 * answer is NULL (the model was trained with impute = skip and the row has a missing value).
 */
extern RmlScorer *rml_scorer_row(FunctionCallInfo fcinfo, uint16_t algorithm);

/* bind rows like this one to the features of a schema, which must outlive the binding */
extern void rml_schema_bind(RmlBinding *binding, MemoryContext context, Oid row_type, Datum row,
							RmlSchema *schema);

/* decode for a set-returning function, no cache; the model lives in the current context */
extern RmlModel *rml_model_argument(FunctionCallInfo fcinfo, int argument, uint16_t algorithm);

/* decode any model into env; one that is damaged or newer is an error */
extern void rml_model_load(RmlModel *model, RmlEnv *env, Datum bytes);

/*
 * The same for a function that takes any model of clusters: *clusters is the common view, and what
 * is changed in its ids is in the bytes that rml_model_bytea makes.
 */
extern RmlModel *rml_cluster_model_argument(FunctionCallInfo fcinfo, int argument,
											RmlClusters *clusters);

/* a decoded model as bytea again */
extern Datum rml_model_bytea(const RmlModel *model);

#endif /* RETAILML_MODEL_SQL_H */
