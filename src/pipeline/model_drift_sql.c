/*
 * model_drift_sql.c
 *	  model_drift: rows of today against what a model knows of its training rows.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/agg_call_sql.h"
#include "retailml/agg_sql.h"
#include "retailml/contingency_sql.h"
#include "retailml/env_sql.h"
#include "retailml/model_drift.h"
#include "retailml/model_sql.h"
#include "retailml/tuning_sql.h"

#define PURPOSE "model_drift"

/* feature, psi, null_share_then, null_share_now, unseen_share, verdict */
#define RESULT_COLUMNS 6

PG_FUNCTION_INFO_V1(rml_model_drift_accum);
PG_FUNCTION_INFO_V1(rml_model_drift_combine);
PG_FUNCTION_INFO_V1(rml_model_drift_serialize);
PG_FUNCTION_INFO_V1(rml_model_drift_deserialize);
PG_FUNCTION_INFO_V1(rml_model_drift_final);

typedef struct DriftState
{
	RmlEnv *env;
	RmlSchema schema;
	RmlDriftCounts counts;
	char header[RML_HEADER_LENGTH]; /* of the model, with the checksum of all of it */
	char *key;                      /* the model argument as it was given last */
	size_t key_length;
	bool bound;
	RmlBinding binding;
	double *numbers;   /* [d_num] */
	int32_t *codes;    /* [d_cat] */
	const void *bytes; /* of a state that was only deserialized */
	size_t n_bytes;
} DriftState;

static DriftState *
state_create(MemoryContext context)
{
	RmlEnv *env = rml_pg_env_create(context, PURPOSE);
	DriftState *state = RML_NEW_ZERO(env, DriftState, 1);

	state->env = env;
	return state;
}

/* a state's own bytes are made and read by this code alone */
static void
read_counts(RmlDriftCounts *counts, RmlSchema *schema, RmlEnv *env, const void *bytes, size_t n)
{
	const char *reason = rml_drift_decode(counts, schema, env, bytes, n);

	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("the state of model_drift is damaged"),
				 errdetail("The check says: %s.", reason)));
}

/* ---- the model ---- */

static void
check_model(const RmlModel *model)
{
	const char *reason;

	if (model->algorithm->predict == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model_drift needs a model of rows, this one is of %s",
						model->algorithm->name),
				 errdetail("The drift of a feature is measured, and this model has no features.")));
	reason = rml_drift_check(&model->schema);
	if (reason != NULL)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("model_drift: %s", reason)));
}

/* of the model only its schema is kept: a forest is large, and there is a state for each group */
static void
load_schema(DriftState *state, Datum argument)
{
	RmlEnv *scratch = rml_pg_env_create(CurrentMemoryContext, PURPOSE);
	RmlModel model;
	RmlDriftCounts none;
	RmlWriter writer;

	rml_model_load(&model, scratch, argument);
	check_model(&model);
	rml_drift_init(&none, scratch, &model.schema);
	rml_drift_encode(&none, scratch, &writer);
	read_counts(&state->counts, &state->schema, state->env, writer.bytes, writer.length);
	rml_pg_env_delete(scratch);
	state->numbers = RML_NEW_ZERO(state->env, double, (size_t) state->schema.d_num);
	state->codes = RML_NEW_ZERO(state->env, int32_t, (size_t) state->schema.d_cat);
}

static void
read_header(Datum argument, char *header)
{
	bytea *slice = DatumGetByteaPSlice(argument, 0, RML_HEADER_LENGTH);

	memset(header, 0, RML_HEADER_LENGTH);
	memcpy(header, VARDATA_ANY(slice), Min(VARSIZE_ANY_EXHDR(slice), RML_HEADER_LENGTH));
}

/* bytes of the argument that tell it from another: all, or those with its checksum */
static size_t
key_length(const struct varlena *argument)
{
	size_t length = VARSIZE_ANY(argument);

	return VARATT_IS_4B_U(argument) ? Min(length, VARHDRSZ + RML_HEADER_LENGTH) : length;
}

static void
remember_argument(DriftState *state, const struct varlena *argument)
{
	rml_release(state->env, state->key);
	state->key_length = key_length(argument);
	state->key = rml_alloc(state->env, state->key_length);
	memcpy(state->key, argument, state->key_length);
}

/* the same model may come in another form, but another model may not */
static void
check_argument(DriftState *state, Datum datum)
{
	const struct varlena *argument = (const struct varlena *) DatumGetPointer(datum);
	size_t length = key_length(argument);
	char header[RML_HEADER_LENGTH];

	if (length == state->key_length && memcmp(argument, state->key, length) == 0)
		return;
	read_header(datum, header);
	if (memcmp(header, state->header, sizeof header) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("model_drift: the model changes from row to row"),
						errhint("Compare with one model at a time: GROUP BY what tells them "
								"apart.")));
	remember_argument(state, argument);
}

/* ---- rows ---- */

/* the state in argument 0, made at the first row */
static DriftState *
accumulating(FunctionCallInfo fcinfo, MemoryContext context)
{
	Datum model = PG_GETARG_DATUM(1);
	DriftState *state;

	if (!PG_ARGISNULL(0))
	{
		state = (DriftState *) PG_GETARG_POINTER(0);
		check_argument(state, model);
		return state;
	}
	state = state_create(context);
	load_schema(state, model);
	read_header(model, state->header);
	remember_argument(state, (const struct varlena *) DatumGetPointer(model));
	return state;
}

Datum
rml_model_drift_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = rml_agg_context(fcinfo);
	DriftState *state;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_POINTER(PG_GETARG_POINTER(0));
	}
	state = accumulating(fcinfo, context);
	if (!state->bound)
		rml_schema_bind(&state->binding, rml_pg_env_context(state->env),
						get_fn_expr_argtype(fcinfo->flinfo, 2), PG_GETARG_DATUM(2), &state->schema);
	state->bound = true;
	rml_row_read(&state->binding, PG_GETARG_DATUM(2), state->numbers, state->codes);
	rml_drift_add(&state->counts, state->numbers, state->codes);
	PG_RETURN_POINTER(state);
}

/* ---- between processes ---- */

Datum
rml_model_drift_serialize(PG_FUNCTION_ARGS)
{
	const DriftState *state = (DriftState *) PG_GETARG_POINTER(0);
	RmlWriter writer;

	rml_agg_context(fcinfo);
	rml_drift_encode(&state->counts, state->env, &writer);
	PG_RETURN_DATUM(rml_writer_bytea(&writer));
}

/* only remembers where the bytes are: the aggregate's context is not known before combine */
Datum
rml_model_drift_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	DriftState *state = palloc0(sizeof(DriftState));

	state->bytes = VARDATA_ANY(bytes);
	state->n_bytes = VARSIZE_ANY_EXHDR(bytes);
	PG_RETURN_POINTER(state);
}

static void
merge_serialized(DriftState *state, const DriftState *other)
{
	RmlEnv *scratch = rml_pg_env_create(CurrentMemoryContext, PURPOSE);
	RmlSchema schema;
	RmlDriftCounts counts;

	read_counts(&counts, &schema, scratch, other->bytes, other->n_bytes);
	if (!rml_drift_merge(&state->counts, &counts))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("model_drift: the model changes from row to row"),
						errhint("Compare with one model at a time: GROUP BY what tells them "
								"apart.")));
	rml_pg_env_delete(scratch);
}

Datum
rml_model_drift_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = rml_agg_context(fcinfo);
	DriftState *state = PG_ARGISNULL(0) ? NULL : (DriftState *) PG_GETARG_POINTER(0);
	const DriftState *other = PG_ARGISNULL(1) ? NULL : (DriftState *) PG_GETARG_POINTER(1);

	if (other != NULL && state != NULL)
		merge_serialized(state, other);
	else if (other != NULL)
	{
		state = state_create(context);
		read_counts(&state->counts, &state->schema, state->env, other->bytes, other->n_bytes);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* ---- the result ---- */

typedef struct Result
{
	const RmlSchema *schema;
	const RmlDrift *drift; /* [n_features] */
} Result;

static void
fill_feature(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const Result *result = context;
	const RmlDrift *drift = &result->drift[i];

	values[0] = CStringGetTextDatum(result->schema->features[i].name);
	rml_put_number(drift->psi, &values[1], &nulls[1]);
	rml_put_number(drift->null_then, &values[2], &nulls[2]);
	rml_put_number(drift->null_now, &values[3], &nulls[3]);
	rml_put_number(drift->unseen, &values[4], &nulls[4]);
	nulls[5] = drift->verdict == NULL;
	if (drift->verdict != NULL)
		values[5] = CStringGetTextDatum(drift->verdict);
}

Datum
rml_model_drift_final(PG_FUNCTION_ARGS)
{
	const DriftState *state;
	RmlDrift *drift;
	Result result;

	rml_agg_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (DriftState *) PG_GETARG_POINTER(0);
	drift = MemoryContextAllocHuge(CurrentMemoryContext,
								   sizeof(RmlDrift) * (Size) state->schema.n_features);
	rml_drift_measure(&state->counts, drift);
	result = (Result){&state->schema, drift};
	PG_RETURN_DATUM(rml_composite_array(fcinfo, state->schema.n_features, RESULT_COLUMNS,
										fill_feature, &result));
}
