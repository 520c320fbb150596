/*
 * agg_sql.c
 *	  The aggregate functions shared by all fits: transition, combine, serialize, deserialize,
 *	  final.
 *
 * The state lives in the aggregate's context.  Deserialization is lazy: the deserialize function
 * only points into the serialized bytes (it may not allocate in the aggregate's context, which
 * need not exist yet), and combine reads the rows straight into the target.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "retailml/agg_call_sql.h"
#include "retailml/env_sql.h"
#include "retailml/fit_sql.h"

typedef struct RmlAggState
{
	RmlCollector collector;
	const char *serial; /* not NULL: rows are still in these serialized bytes */
	bool taken;         /* the rows were handed over within this process */
} RmlAggState;

/* what comes before the frame in the serialized state */
typedef struct SerialHead
{
	RmlAggState *here; /* the state itself, when it never leaves this process; else NULL */
	int64 skipped;
	Oid row_type;
	int32 n_parameters;
	int32 has_frame;
	int32 n_features;
	int32 has_weight, has_group;                /* columns after the label */
	int32 options_length;                       /* 0 = none */
	int32 parameter_length[RML_MAX_PARAMETERS]; /* 0 = by value */
	Datum parameters[RML_MAX_PARAMETERS];
} SerialHead;

PG_FUNCTION_INFO_V1(rml_fit_combine);
PG_FUNCTION_INFO_V1(rml_fit_serialize);
PG_FUNCTION_INFO_V1(rml_fit_deserialize);

/* ---- transition ---- */

static RmlAggState *
state_create(MemoryContext context)
{
	return MemoryContextAllocZero(context, sizeof(RmlAggState));
}

/* argument 0 is the state; then come a model, a label beside an array, the row, a label of the row */
static int
row_argument(const RmlFitSpec *spec)
{
	return 1 + spec->model_first + spec->label_value;
}

/* of a label that is an argument of its own */
static int
label_argument(const RmlFitSpec *spec)
{
	return spec->label_value ? row_argument(spec) - 1 : row_argument(spec) + 1;
}

/* position of the first argument after those that differ from row to row */
static int
first_parameter(const RmlFitSpec *spec)
{
	return spec->n_values > 0 ? 1 + spec->n_values
							  : row_argument(spec) + 1 + (spec->label_name != NULL);
}

static int
parameter_argument(const RmlFitSpec *spec, int parameter)
{
	return spec->model_first && parameter == spec->n_parameters - 1
			   ? 1
			   : first_parameter(spec) + parameter;
}

/* the arguments after the row(s); parameters must not be NULL */
static void
read_arguments(FunctionCallInfo fcinfo, const RmlFitSpec *spec, RmlFitArguments *arguments)
{
	int options = first_parameter(spec) + spec->n_parameters - spec->model_first;

	for (int i = 0; i < spec->n_parameters; i++)
	{
		int argument = parameter_argument(spec, i);

		if (PG_ARGISNULL(argument))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s: %s must not be NULL", spec->function, spec->parameter_names[i])));
		arguments->parameters[i] = PG_GETARG_DATUM(argument);
		arguments->by_value[i] = true;
	}
	arguments->has_options = PG_NARGS() > options && !PG_ARGISNULL(options);
	if (arguments->has_options)
		arguments->options = PG_GETARG_DATUM(options);
}

/* true when no parameter and no option can change from row to row */
static bool
arguments_are_constant(FunctionCallInfo fcinfo, const RmlFitSpec *spec)
{
	for (int argument = 1; argument < PG_NARGS(); argument++)
		if ((argument >= first_parameter(spec) || (spec->model_first && argument == 1)) &&
			!rml_agg_argument_is_constant(fcinfo, argument))
			return false;
	return true;
}

/* what the arguments are: asked once per state, not per row */
static void
classify_arguments(FunctionCallInfo fcinfo, const RmlFitSpec *spec, RmlFitArguments *arguments)
{
	Oid row_type = get_fn_expr_argtype(fcinfo->flinfo, row_argument(spec));

	arguments->label_type = get_fn_expr_argtype(fcinfo->flinfo, label_argument(spec));
	arguments->row_type = row_type == FLOAT8ARRAYOID ? FLOAT8ARRAYOID : RECORDOID;
	for (int i = 0; i < spec->n_parameters; i++)
		arguments->by_value[i] =
			get_typbyval(get_fn_expr_argtype(fcinfo->flinfo, parameter_argument(spec, i)));
	arguments->constant = arguments_are_constant(fcinfo, spec);
}

static void
accumulate_values(FunctionCallInfo fcinfo, const RmlFitSpec *spec, RmlAggState *state,
				  MemoryContext context, RmlFitArguments *arguments)
{
	RmlCollector *collector = &state->collector;
	double values[FUNC_MAX_ARGS];

	for (int i = 0; i < spec->n_values; i++)
		if (PG_ARGISNULL(1 + i))
		{
			collector->skipped++;
			return;
		}
		else
			values[i] = PG_GETARG_FLOAT8(1 + i);
	if (collector->env == NULL)
	{
		classify_arguments(fcinfo, spec, arguments);
		rml_collect_start_values(collector, context, spec, arguments);
	}
	else
		rml_collect_check_arguments(collector, arguments);
	rml_collect_values(collector, values);
}

static void
accumulate_row(FunctionCallInfo fcinfo, const RmlFitSpec *spec, RmlAggState *state,
			   MemoryContext context, RmlFitArguments *arguments)
{
	RmlCollector *collector = &state->collector;
	bool labelled = spec->label_name != NULL || spec->label_value;
	int row = row_argument(spec), label = label_argument(spec);

	if (PG_ARGISNULL(row) || (labelled && PG_ARGISNULL(label)))
	{
		collector->skipped++;
		return;
	}
	if (collector->env == NULL)
	{
		classify_arguments(fcinfo, spec, arguments);
		rml_collect_start(collector, context, spec, arguments, PG_GETARG_DATUM(row));
	}
	else
		rml_collect_check_arguments(collector, arguments);
	rml_collect_row(collector, PG_GETARG_DATUM(row), labelled ? PG_GETARG_DATUM(label) : 0);
}

Datum
rml_agg_accum(FunctionCallInfo fcinfo, const RmlFitSpec *spec)
{
	MemoryContext context = rml_agg_context(fcinfo);
	RmlAggState *state =
		PG_ARGISNULL(0) ? state_create(context) : (RmlAggState *) PG_GETARG_POINTER(0);
	RmlFitArguments arguments;

	read_arguments(fcinfo, spec, &arguments);
	if (spec->n_values > 0)
		accumulate_values(fcinfo, spec, state, context, &arguments);
	else
		accumulate_row(fcinfo, spec, state, context, &arguments);
	PG_RETURN_POINTER(state);
}

/* ---- between processes ---- */

static int32
parameter_length(const RmlCollector *collector, int i)
{
	return collector->by_value[i] ? 0 : (int32) VARSIZE(DatumGetPointer(collector->parameters[i]));
}

static void
serial_head(const RmlCollector *collector, SerialHead *head)
{
	memset(head, 0, sizeof *head);
	head->skipped = collector->skipped;
	head->row_type = collector->row_type;
	head->n_parameters = collector->n_parameters;
	head->has_frame = collector->env != NULL;
	head->n_features = collector->n_features;
	head->has_weight = collector->roles.weight != NULL;
	head->has_group = collector->roles.group != NULL;
	head->options_length = collector->options == NULL ? 0 : (int32) VARSIZE(collector->options);
	for (int i = 0; i < collector->n_parameters; i++)
	{
		head->parameter_length[i] = parameter_length(collector, i);
		head->parameters[i] = collector->by_value[i] ? collector->parameters[i] : 0;
	}
}

static void
refuse_serial_size(size_t size)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
		 errmsg("the rows one parallel worker has collected take %zu MB, it can pass on 1024 MB",
				size / (1024 * 1024)),
		 errhint("SET max_parallel_workers_per_gather = 0 for this query.")));
}

Datum
rml_fit_serialize(PG_FUNCTION_ARGS)
{
	RmlAggState *state = (RmlAggState *) PG_GETARG_POINTER(0);
	RmlCollector *collector = &state->collector;
	SerialHead head;
	size_t size = sizeof head;
	bytea *result;
	char *place;

	rml_agg_context(fcinfo);
	serial_head(collector, &head);
	if (rml_agg_stays_here(fcinfo))
	{
		head.here = state;
		result = palloc(VARHDRSZ + size);
		SET_VARSIZE(result, VARHDRSZ + size);
		memcpy(VARDATA(result), &head, size);
		PG_RETURN_BYTEA_P(result);
	}
	size += head.options_length;
	for (int i = 0; i < head.n_parameters; i++)
		size += head.parameter_length[i];
	if (head.has_frame)
		size += rml_frame_serial_size(&collector->frame);
	if (size > MaxAllocSize - VARHDRSZ)
		refuse_serial_size(size);
	result = palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	place = VARDATA(result);
	memcpy(place, &head, sizeof head);
	place += sizeof head;
	for (int i = 0; i < head.n_parameters; place += head.parameter_length[i++])
		memcpy(place, DatumGetPointer(collector->parameters[i]), head.parameter_length[i]);
	if (head.options_length > 0)
		memcpy(place, collector->options, head.options_length);
	place += head.options_length;
	if (head.has_frame)
		rml_frame_serialize(&collector->frame, place);
	PG_RETURN_BYTEA_P(result);
}

Datum
rml_fit_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	RmlAggState *state = palloc0(sizeof(RmlAggState));

	state->serial = VARDATA_ANY(bytes);
	PG_RETURN_POINTER(state);
}

/* a kept copy of length bytes */
static void *
keep_bytes(RmlEnv *env, const char *bytes, size_t length)
{
	void *copy = rml_alloc(env, length);

	memcpy(copy, bytes, length);
	return copy;
}

/* read serialized rows into an empty collector that has its environment */
static void
collector_read(RmlCollector *collector, const SerialHead *serial, const char *place)
{
	const SerialHead head = *serial;
	RmlEnv *env = collector->env;

	collector->row_type = head.row_type;
	collector->n_parameters = head.n_parameters;
	for (int i = 0; i < head.n_parameters; place += head.parameter_length[i++])
	{
		collector->by_value[i] = head.parameter_length[i] == 0;
		collector->parameters[i] =
			collector->by_value[i]
				? head.parameters[i]
				: PointerGetDatum(keep_bytes(env, place, head.parameter_length[i]));
	}
	if (head.options_length > 0)
		collector->options = keep_bytes(env, place, head.options_length);
	place += head.options_length;
	rml_frame_deserialize(&collector->frame, env, place);
	collector->n_features = head.n_features;
	if (head.n_features == collector->frame.n_columns)
		return;
	collector->roles.label = collector->frame.columns[head.n_features].name;
	if (head.has_weight)
		collector->roles.weight = collector->frame.columns[head.n_features + 1].name;
	if (head.has_group)
		collector->roles.group = collector->frame.columns[collector->frame.n_columns - 1].name;
}

static void
check_mergeable(const RmlCollector *target, const RmlCollector *source)
{
	bool same = target->n_parameters == source->n_parameters &&
				(target->options == NULL) == (source->options == NULL) &&
				target->row_type == source->row_type;

	for (int i = 0; same && i < target->n_parameters; i++)
		same = datumIsEqual(target->parameters[i], source->parameters[i], target->by_value[i], -1);
	if (same && target->options != NULL)
		same = datumIsEqual(PointerGetDatum(target->options), PointerGetDatum(source->options),
							false, -1);
	if (!same)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("parameters and options of a fit must be the same for every row")));
	if (rml_frame_mismatch(&target->frame, &source->frame) != NULL)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the rows of a fit must all have the same columns")));
}

/* move the rows of a state of this process to a collector, which may be empty */
static void
collector_take(RmlCollector *target, MemoryContext context, RmlAggState *source)
{
	RmlCollector *rows = &source->collector;

	if (source->taken)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("the rows of a partial fit were combined twice")));
	source->taken = true;
	target->skipped += rows->skipped;
	if (rows->env == NULL)
		return;
	if (target->env == NULL)
	{
		rows->skipped = target->skipped;
		*target = *rows;
		MemoryContextSetParent(rml_pg_env_context(target->env), context);
		return;
	}
	check_mergeable(target, rows);
	rml_frame_merge(&target->frame, &rows->frame);
	/* the rows stay in their memory, which from now on goes with the target's */
	MemoryContextSetParent(rml_pg_env_context(rows->env), rml_pg_env_context(target->env));
}

/* add the serialized rows to a collector, which may be empty */
static void
collector_add(RmlCollector *target, MemoryContext context, const char *serial)
{
	RmlCollector source = {0};
	SerialHead head;

	memcpy(&head, serial, sizeof head);
	if (head.here != NULL)
	{
		collector_take(target, context, head.here);
		return;
	}
	target->skipped += head.skipped;
	if (!head.has_frame)
		return;
	if (target->env == NULL)
	{
		target->env = rml_pg_env_create(context, "the fit");
		collector_read(target, &head, serial + sizeof head);
		return;
	}
	source.env = target->env;
	collector_read(&source, &head, serial + sizeof head);
	check_mergeable(target, &source);
	rml_frame_merge(&target->frame, &source.frame);
}

Datum
rml_fit_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = rml_agg_context(fcinfo);
	RmlAggState *target =
		PG_ARGISNULL(0) ? state_create(context) : (RmlAggState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
		collector_add(&target->collector, context, ((RmlAggState *) PG_GETARG_POINTER(1))->serial);
	PG_RETURN_POINTER(target);
}

/* ---- final ---- */

Datum
rml_agg_final(FunctionCallInfo fcinfo, const RmlFitSpec *spec)
{
	RmlAggState *state = PG_ARGISNULL(0) ? NULL : (RmlAggState *) PG_GETARG_POINTER(0);
	RmlFit fit;
	Datum result;

	rml_agg_context(fcinfo);
	if (state == NULL || state->collector.env == NULL || state->collector.frame.n == 0)
		PG_RETURN_NULL();
	((RmlPgEnv *) state->collector.env)->function = spec->function;
	rml_collect_begin(&state->collector, spec);
	rml_collect_finish(&state->collector, false, &fit);
	fit.result_type = get_fn_expr_rettype(fcinfo->flinfo);
	result = spec->fit(&fit);
	/* a plan with many groups keeps all states: give the rows back now */
	rml_pg_env_delete(state->collector.env);
	state->collector.env = NULL;
	if (fit.is_null)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
