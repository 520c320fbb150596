/*
 * popularity_sql.c
 *	  item_popularity.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/agg_call_sql.h"
#include "retailml/agg_sql.h"
#include "retailml/contingency_sql.h"
#include "retailml/env_sql.h"
#include "retailml/popularity.h"

#define FUNCTION "item_popularity"

PG_FUNCTION_INFO_V1(rml_item_popularity_accum);
PG_FUNCTION_INFO_V1(rml_item_popularity_combine);
PG_FUNCTION_INFO_V1(rml_item_popularity_serialize);
PG_FUNCTION_INFO_V1(rml_item_popularity_deserialize);
PG_FUNCTION_INFO_V1(rml_item_popularity_final);

typedef struct PopularityState
{
	RmlEnv *env;
	RmlItemSums sums;
	const char *serial; /* of a state that was only deserialized: its bytes, unaligned */
} PopularityState;

/* what comes before the sums in the serialized state */
typedef struct SerialHead
{
	int32 text;
	int32 by_user;
} SerialHead;

static PopularityState *
state_create(MemoryContext context, bool text, bool by_user)
{
	RmlEnv *env = rml_pg_env_create(context, FUNCTION);
	PopularityState *state = RML_NEW_ZERO(env, PopularityState, 1);

	state->env = env;
	rml_item_sums_init(&state->sums, text, by_user);
	return state;
}

/* ---- rows: (item, rating) or (user, item, rating) ---- */

static PopularityState *
state_argument(FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(0))
		return (PopularityState *) PG_GETARG_POINTER(0);
	return state_create(rml_agg_context(fcinfo), get_fn_expr_argtype(fcinfo->flinfo, 1) == TEXTOID,
						PG_NARGS() == 4);
}

static int32_t
id_code(RmlRatingNames *names, RmlEnv *env, Datum id)
{
	text *value;

	if (!names->text)
		return rml_rating_code_number(names, env, DatumGetInt64(id));
	value = DatumGetTextPP(id);
	return rml_rating_code_text(names, env, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/* units of a row; a missing rating is none */
static double
units_argument(FunctionCallInfo fcinfo, int argument)
{
	double units = PG_ARGISNULL(argument) ? 0 : PG_GETARG_FLOAT8(argument);

	if (isinf(units))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("%s: rating is infinite", FUNCTION)));
	return isnan(units) ? 0 : units;
}

Datum
rml_item_popularity_accum(PG_FUNCTION_ARGS)
{
	PopularityState *state = state_argument(fcinfo);
	RmlItemSums *sums = &state->sums;
	int rating = sums->by_user ? 3 : 2, item = rating - 1;
	double units = units_argument(fcinfo, rating);
	int32_t user = -1;

	if (PG_ARGISNULL(item) || PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	if (sums->by_user)
		user = id_code(&sums->users, state->env, PG_GETARG_DATUM(1));
	rml_item_sums_add(sums, state->env, user,
					  id_code(&sums->items, state->env, PG_GETARG_DATUM(item)), units);
	PG_RETURN_POINTER(state);
}

/* ---- between processes ---- */

static void
refuse_serial_size(size_t size)
{
	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("the items of one parallel worker take %zu MB, it can pass on 1024 MB",
						   size >> 20),
					errhint("SET max_parallel_workers_per_gather = 0 for this query.")));
}

Datum
rml_item_popularity_serialize(PG_FUNCTION_ARGS)
{
	const PopularityState *state = (PopularityState *) PG_GETARG_POINTER(0);
	SerialHead head = {state->sums.items.text, state->sums.by_user};
	size_t size = VARHDRSZ + sizeof head + rml_item_sums_serial_size(&state->sums);
	bytea *result;

	rml_agg_context(fcinfo);
	if (size > MaxAllocSize)
		refuse_serial_size(size);
	result = palloc(size);
	SET_VARSIZE(result, size);
	memcpy(VARDATA(result), &head, sizeof head);
	rml_item_sums_write(&state->sums, state->env, VARDATA(result) + sizeof head);
	PG_RETURN_BYTEA_P(result);
}

/* only remembers where the bytes are: the aggregate's context is not known before combine */
Datum
rml_item_popularity_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	PopularityState *state = palloc0(sizeof(PopularityState));

	state->serial = VARDATA_ANY(bytes);
	PG_RETURN_POINTER(state);
}

Datum
rml_item_popularity_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = rml_agg_context(fcinfo);
	PopularityState *state = PG_ARGISNULL(0) ? NULL : (PopularityState *) PG_GETARG_POINTER(0);
	const char *serial;
	SerialHead head;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	serial = ((PopularityState *) PG_GETARG_POINTER(1))->serial;
	memcpy(&head, serial, sizeof head);
	if (state == NULL)
		state = state_create(context, head.text != 0, head.by_user != 0);
	rml_item_sums_read(&state->sums, state->env, serial + sizeof head);
	PG_RETURN_POINTER(state);
}

/* ---- the result ---- */

typedef struct Result
{
	const RmlRatingIds *ids;
	const RmlPopularItem *popular;
} Result;

/* popularity and popularity_text have these columns */
static void
fill_item(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const Result *result = context;
	const RmlPopularItem *popular = &result->popular[i];
	const RmlRatingIds *ids = result->ids;

	values[0] = ids->texts != NULL ? CStringGetTextDatum(ids->texts[popular->item])
								   : Int64GetDatum(ids->numbers[popular->item]);
	values[1] = Int64GetDatum(popular->buyers);
	values[2] = Float8GetDatum(popular->units);
	nulls[3] = isnan(popular->share);
	values[3] = Float8GetDatum(popular->share);
	values[4] = Int32GetDatum((int32) i + 1);
}

Datum
rml_item_popularity_final(PG_FUNCTION_ARGS)
{
	const PopularityState *state =
		PG_ARGISNULL(0) ? NULL : (PopularityState *) PG_GETARG_POINTER(0);
	RmlEnv *env;
	RmlRatingIds ids;
	RmlPopularItem *popular;
	Datum array;

	rml_agg_context(fcinfo);
	if (state == NULL || state->sums.items.n == 0)
		PG_RETURN_NULL();
	env = rml_pg_env_create(CurrentMemoryContext, FUNCTION);
	rml_refuse(FUNCTION, rml_popularity(&state->sums, env, &ids, &popular));
	array = rml_composite_array(fcinfo, ids.n, 5, fill_item, &(Result){&ids, popular});
	rml_pg_env_delete(env);
	PG_RETURN_DATUM(array);
}
