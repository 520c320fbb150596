/*
 * evaluation_sql.h
 *	  What the aggregates that evaluate predictions share: arguments, parts from other processes,
 *	  results of one composite value.
 */
#ifndef RETAILML_EVALUATION_SQL_H
#define RETAILML_EVALUATION_SQL_H

#include "postgres.h"

#include "fmgr.h"

#include "retailml/env.h"
#include "retailml/scores.h"

#define RML_EVALUATION_PURPOSE "evaluating predictions"

/* the parameters of an aggregate over scores, the same for all rows */
typedef struct RmlScoreParameters
{
	float8 threshold;
	int32 n_bins;
	bool quantiles;
} RmlScoreParameters;

typedef struct RmlScoreState
{
	RmlEnv *env;
	RmlScores scores;
	RmlScoreParameters parameters;
	const char *serial; /* of a state that was only deserialized: its bytes, unaligned */
} RmlScoreState;

/* a finite number in *value; false for NULL and NaN, infinity is refused */
extern bool rml_evaluation_number(FunctionCallInfo fcinfo, int argument, const char *name,
								  float8 *value);

/* refuse a serialized state that is too large for a Datum */
extern void rml_evaluation_check_serial(size_t size);

/*
 * A composite value of the function's result type, which has this many columns: counts, then numbers,
 * of which NaN is NULL.
 */
extern Datum rml_evaluation_row(FunctionCallInfo fcinfo, int columns, const float8 *numbers,
								int n_counts, const int64 *counts);

/* the sorted scores of the state in argument 0; NULL when there are no rows and the result is NULL */
extern RmlScoreState *rml_sorted_scores(FunctionCallInfo fcinfo);

#endif /* RETAILML_EVALUATION_SQL_H */
