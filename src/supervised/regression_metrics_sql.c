/*
 * regression_metrics_sql.c
 *	  The aggregate regression_metrics.
 */
#include "postgres.h"

#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/agg_call_sql.h"
#include "retailml/env_sql.h"
#include "retailml/evaluation_sql.h"
#include "retailml/regression_metrics.h"

#define COLUMNS 10

PG_FUNCTION_INFO_V1(rml_predictions_accum);
PG_FUNCTION_INFO_V1(rml_predictions_combine);
PG_FUNCTION_INFO_V1(rml_predictions_serialize);
PG_FUNCTION_INFO_V1(rml_predictions_deserialize);
PG_FUNCTION_INFO_V1(rml_regression_metrics_final);

typedef struct PredictionState
{
	RmlEnv *env;
	RmlPredictions rows;
	bytea *serial; /* of a state that was only deserialized: the rows, unaligned */
} PredictionState;

static PredictionState *
state_argument(FunctionCallInfo fcinfo)
{
	MemoryContext context = rml_agg_context(fcinfo);
	RmlEnv *env;
	PredictionState *state;

	if (!PG_ARGISNULL(0))
		return (PredictionState *) PG_GETARG_POINTER(0);
	env = rml_pg_env_create(context, RML_EVALUATION_PURPOSE);
	state = RML_NEW_ZERO(env, PredictionState, 1);
	state->env = env;
	return state;
}

Datum
rml_predictions_accum(PG_FUNCTION_ARGS)
{
	PredictionState *state = state_argument(fcinfo);
	float8 actual, predicted;

	if (rml_evaluation_number(fcinfo, 1, "actual", &actual) &&
		rml_evaluation_number(fcinfo, 2, "predicted", &predicted))
		rml_predictions_add(&state->rows, state->env, actual, predicted);
	PG_RETURN_POINTER(state);
}

Datum
rml_predictions_serialize(PG_FUNCTION_ARGS)
{
	const PredictionState *state = (PredictionState *) PG_GETARG_POINTER(0);
	size_t bytes = 2 * sizeof(float8) * (size_t) state->rows.n;
	bytea *result;

	rml_agg_context(fcinfo);
	rml_evaluation_check_serial(VARHDRSZ + bytes);
	result = palloc(VARHDRSZ + bytes);
	SET_VARSIZE(result, VARHDRSZ + bytes);
	if (bytes > 0)
		memcpy(VARDATA(result), state->rows.values, bytes);
	PG_RETURN_BYTEA_P(result);
}

/* only remembers where the bytes are: the aggregate's context is not known before combine */
Datum
rml_predictions_deserialize(PG_FUNCTION_ARGS)
{
	PredictionState *state = palloc0(sizeof(PredictionState));

	state->serial = PG_GETARG_BYTEA_PP(0);
	PG_RETURN_POINTER(state);
}

Datum
rml_predictions_combine(PG_FUNCTION_ARGS)
{
	PredictionState *state;
	const bytea *serial;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	state = state_argument(fcinfo);
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	serial = ((PredictionState *) PG_GETARG_POINTER(1))->serial;
	rml_predictions_append(&state->rows, state->env, VARDATA_ANY(serial),
						   VARSIZE_ANY_EXHDR(serial) / (2 * sizeof(float8)));
	PG_RETURN_POINTER(state);
}

static Datum
metrics_row(FunctionCallInfo fcinfo, const RmlRegressionMetrics *m)
{
	const int64 counts[] = {m->n};
	const float8 numbers[] = {m->mean_actual, m->mae,       m->rmse,
							  m->mape,        m->medae,     m->r2,
							  m->bias,        m->max_error, m->explained_variance};

	return rml_evaluation_row(fcinfo, COLUMNS, numbers, 1, counts);
}

Datum
rml_regression_metrics_final(PG_FUNCTION_ARGS)
{
	PredictionState *state = PG_ARGISNULL(0) ? NULL : (PredictionState *) PG_GETARG_POINTER(0);
	RmlRegressionMetrics metrics;

	rml_agg_context(fcinfo);
	if (state == NULL || state->rows.n == 0)
		PG_RETURN_NULL();
	rml_regression_metrics(&state->rows, state->env, &metrics);
	PG_RETURN_DATUM(metrics_row(fcinfo, &metrics));
}
