/*
 * ratings_sql.c
 *	  The aggregate state of ratings: transition, combine, serialize, deserialize.
 *
 * The log lives in an environment below the aggregate's context.  Deserialization is lazy: the deserialize
 * function only points into the bytes (the aggregate's context need not exist yet), and combine reads
 * them into the target.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/agg_call_sql.h"
#include "retailml/agg_sql.h"
#include "retailml/env_sql.h"
#include "retailml/ratings_sql.h"

#define USER_ARGUMENT 1
#define ITEM_ARGUMENT 2
#define RATING_ARGUMENT 3
#define OPTIONS_ARGUMENT 4

PG_FUNCTION_INFO_V1(rml_rating_combine);
PG_FUNCTION_INFO_V1(rml_rating_serialize);
PG_FUNCTION_INFO_V1(rml_rating_deserialize);

/* what comes before the log in the serialized state */
typedef struct SerialHead
{
	RmlRatingState *here; /* the state itself, when it never leaves this process; else NULL */
	int32 text;
	int32 options_length; /* 0 = none */
} SerialHead;

static RmlRatingState *
state_create(MemoryContext context)
{
	return MemoryContextAllocZero(context, sizeof(RmlRatingState));
}

/* ---- options ---- */

static bool
has_options(FunctionCallInfo fcinfo)
{
	return PG_NARGS() > OPTIONS_ARGUMENT && !PG_ARGISNULL(OPTIONS_ARGUMENT);
}

static Jsonb *
keep_options(RmlEnv *env, const void *options, size_t length)
{
	return memcpy(rml_alloc(env, length), options, length);
}

static void
parse_options(RmlRatingState *state, const RmlRatingSpec *spec)
{
	((RmlPgEnv *) state->env)->function = spec->function;
	if (state->params == NULL)
		state->params = spec->begin(state->env, state->options);
}

static void
start(FunctionCallInfo fcinfo, const RmlRatingSpec *spec, RmlRatingState *state,
	  MemoryContext context)
{
	bool text = get_fn_expr_argtype(fcinfo->flinfo, USER_ARGUMENT) == TEXTOID;

	state->env = rml_pg_env_create(context, spec->function);
	rml_rating_log_init(&state->log, text);
	state->constant =
		PG_NARGS() <= OPTIONS_ARGUMENT || rml_agg_argument_is_constant(fcinfo, OPTIONS_ARGUMENT);
	if (has_options(fcinfo))
	{
		Jsonb *options = PG_GETARG_JSONB_P(OPTIONS_ARGUMENT);

		state->options = keep_options(state->env, options, VARSIZE(options));
	}
	parse_options(state, spec);
}

static void
refuse_change(const char *function)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s: options must be the same for every row", function)));
}

static void
check_options(FunctionCallInfo fcinfo, const RmlRatingSpec *spec, const RmlRatingState *state)
{
	if (state->constant)
		return;
	if (has_options(fcinfo) != (state->options != NULL) ||
		(has_options(fcinfo) && !datumIsEqual(PointerGetDatum(PG_GETARG_JSONB_P(OPTIONS_ARGUMENT)),
											  PointerGetDatum(state->options), false, -1)))
		refuse_change(spec->function);
}

/* ---- rows ---- */

static int32_t
text_code(RmlRatingNames *names, RmlEnv *env, Datum id)
{
	text *value = DatumGetTextPP(id);

	return rml_rating_code_text(names, env, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static int32_t
id_code(RmlRatingNames *names, RmlEnv *env, Datum id)
{
	return names->text ? text_code(names, env, id)
					   : rml_rating_code_number(names, env, DatumGetInt64(id));
}

static void
add_row(FunctionCallInfo fcinfo, const RmlRatingSpec *spec, RmlRatingState *state)
{
	RmlRatingLog *log = &state->log;
	double rating = PG_ARGISNULL(RATING_ARGUMENT) ? NAN : PG_GETARG_FLOAT8(RATING_ARGUMENT);

	if (isinf(rating))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("%s: rating is infinite", spec->function)));
	if (PG_ARGISNULL(USER_ARGUMENT) || PG_ARGISNULL(ITEM_ARGUMENT) || isnan(rating))
	{
		log->skipped++;
		return;
	}
	rml_rating_log_add(log, state->env,
					   id_code(&log->users, state->env, PG_GETARG_DATUM(USER_ARGUMENT)),
					   id_code(&log->items, state->env, PG_GETARG_DATUM(ITEM_ARGUMENT)), rating);
}

Datum
rml_rating_accum(FunctionCallInfo fcinfo, const RmlRatingSpec *spec)
{
	MemoryContext context = rml_agg_context(fcinfo);
	RmlRatingState *state =
		PG_ARGISNULL(0) ? state_create(context) : (RmlRatingState *) PG_GETARG_POINTER(0);

	if (state->env == NULL)
		start(fcinfo, spec, state, context);
	else
		check_options(fcinfo, spec, state);
	add_row(fcinfo, spec, state);
	PG_RETURN_POINTER(state);
}

/* ---- between processes ---- */

static void
refuse_serial_size(size_t size)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the ratings one parallel worker has collected take %zu MB, it can pass on "
					"1024 MB",
					size >> 20),
			 errhint("SET max_parallel_workers_per_gather = 0 for this query.")));
}

Datum
rml_rating_serialize(PG_FUNCTION_ARGS)
{
	RmlRatingState *state = (RmlRatingState *) PG_GETARG_POINTER(0);
	SerialHead head = {NULL, state->log.users.text,
					   state->options == NULL ? 0 : (int32) VARSIZE(state->options)};
	size_t size = VARHDRSZ + sizeof head;
	bytea *result;
	char *place;

	rml_agg_context(fcinfo);
	if (rml_agg_stays_here(fcinfo))
		head.here = state;
	else
		size += (size_t) head.options_length + rml_rating_log_serial_size(&state->log);
	if (size > MaxAllocSize)
		refuse_serial_size(size);
	result = palloc(size);
	SET_VARSIZE(result, size);
	place = VARDATA(result);
	memcpy(place, &head, sizeof head);
	if (head.here != NULL)
		PG_RETURN_BYTEA_P(result);
	place += sizeof head;
	if (head.options_length > 0)
		memcpy(place, state->options, head.options_length);
	rml_rating_log_write(&state->log, state->env, place + head.options_length);
	PG_RETURN_BYTEA_P(result);
}

/* only remembers where the bytes are: the aggregate's context is not known before combine */
Datum
rml_rating_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	RmlRatingState *state = palloc0(sizeof(RmlRatingState));

	state->serial = VARDATA_ANY(bytes);
	PG_RETURN_POINTER(state);
}

/* options of a part (unaligned, length 0 = none) against those of the whole */
static void
check_same_options(const RmlRatingState *target, const void *options, size_t length)
{
	size_t target_length = target->options == NULL ? 0 : VARSIZE(target->options);

	if (length != target_length || (length > 0 && memcmp(options, target->options, length) != 0))
		refuse_change(rml_pg_env_function(target->env));
}

/* move the rows of a state of this process to a state, which may be empty */
static void
take(RmlRatingState *target, MemoryContext context, RmlRatingState *source)
{
	if (source->taken)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("the ratings of a part were combined twice")));
	source->taken = true;
	if (target->env == NULL)
	{
		*target = *source;
		target->taken = false;
		MemoryContextSetParent(rml_pg_env_context(target->env), context);
		return;
	}
	check_same_options(target, source->options,
					   source->options == NULL ? 0 : VARSIZE(source->options));
	rml_rating_log_merge(&target->log, target->env, &source->log);
	/* the rows stay in their memory, which from now on goes with the target's */
	MemoryContextSetParent(rml_pg_env_context(source->env), rml_pg_env_context(target->env));
}

/* add the serialized rows to a state, which may be empty */
static void
add_serialized(RmlRatingState *target, MemoryContext context, const char *serial)
{
	SerialHead head;

	memcpy(&head, serial, sizeof head);
	serial += sizeof head;
	if (head.here != NULL)
	{
		take(target, context, head.here);
		return;
	}
	if (target->env == NULL)
	{
		target->env = rml_pg_env_create(context, "ratings");
		rml_rating_log_init(&target->log, head.text != 0);
		if (head.options_length > 0)
			target->options = keep_options(target->env, serial, head.options_length);
	}
	check_same_options(target, serial, head.options_length);
	rml_rating_log_read(&target->log, target->env, serial + head.options_length);
}

Datum
rml_rating_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = rml_agg_context(fcinfo);
	RmlRatingState *target =
		PG_ARGISNULL(0) ? state_create(context) : (RmlRatingState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
		add_serialized(target, context, ((RmlRatingState *) PG_GETARG_POINTER(1))->serial);
	PG_RETURN_POINTER(target);
}

/* ---- final functions ---- */

RmlRatingState *
rml_rating_begin(FunctionCallInfo fcinfo, const RmlRatingSpec *spec)
{
	RmlRatingState *state = PG_ARGISNULL(0) ? NULL : (RmlRatingState *) PG_GETARG_POINTER(0);

	rml_agg_context(fcinfo);
	if (state == NULL || state->env == NULL || state->log.n == 0)
		return NULL;
	parse_options(state, spec);
	return state;
}

void
rml_rating_make(RmlRatingState *state, RmlDuplicates duplicates, RmlTransform transform,
				RmlRatings *ratings, RmlRatingIds *users, RmlRatingIds *items)
{
	const char *reason, *hint;

	rml_pg_env_check_room(state->env, rml_ratings_make_bytes(&state->log));
	reason = rml_ratings_make(&state->log, state->env, duplicates, transform, ratings, users, items,
							  &hint);
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: %s", rml_pg_env_function(state->env), reason), errhint("%s", hint)));
}

void
rml_rating_end(RmlRatingState *state)
{
	rml_pg_env_delete(state->env);
	state->env = NULL;
}
