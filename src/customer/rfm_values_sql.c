/*
 * rfm_values_sql.c
 *	  Aggregate rfm(order_id, ordered_at, amount, as_of): one customer's three numbers.
 *
 * There is a state per customer, so it is one small chunk of the aggregate's context with
 * everything a customer with a few orders needs.  The sum of amounts is exact until the end
 * (exact_sum.h): the result has the same bits whatever the plan.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/agg_call_sql.h"
#include "retailml/exact_sum.h"
#include "retailml/numeric_sql.h"
#include "retailml/rfm_orders_sql.h"

#define MICROSECONDS_PER_DAY 86400000000.0
#define N_RESULTS 5

typedef struct RfmState
{
	RmlOrderType *type;
	TimestampTz as_of;
	TimestampTz first; /* DT_NOEND: no row counted yet */
	TimestampTz last;
	RmlFixed sum; /* of amounts, binary or decimal */
	void *rest;   /* NULL, RmlWideSum or (decimal) Numeric: amounts sum cannot hold */
	bool decimal;
	RmlOrders orders;
} RfmState;

/* what goes between processes: this, the rest, the orders, each aligned to 8 */
typedef struct RfmSerial
{
	Oid type;
	int32 decimal;
	int64 rest_length;
	TimestampTz as_of;
	TimestampTz first;
	TimestampTz last;
	RmlFixed sum;
} RfmSerial;

PG_FUNCTION_INFO_V1(rml_rfm_values_accum);
PG_FUNCTION_INFO_V1(rml_rfm_values_accum_numeric);
PG_FUNCTION_INFO_V1(rml_rfm_values_combine);
PG_FUNCTION_INFO_V1(rml_rfm_values_serialize);
PG_FUNCTION_INFO_V1(rml_rfm_values_deserialize);
PG_FUNCTION_INFO_V1(rml_rfm_values_final);

/* the order type of this query, made at the first row */
static RmlOrderType *
order_type(FunctionCallInfo fcinfo, Oid type)
{
	RmlOrderType *result = fcinfo->flinfo->fn_extra;

	if (result != NULL)
		return result;
	result = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(RmlOrderType));
	rml_order_type_init(result, fcinfo->flinfo->fn_mcxt, type, PG_GET_COLLATION());
	fcinfo->flinfo->fn_extra = result;
	return result;
}

static RfmState *
state_create(MemoryContext context, RmlOrderType *type, TimestampTz as_of, bool decimal)
{
	RfmState *state = MemoryContextAllocZero(context, sizeof(RfmState));

	state->type = type;
	state->as_of = as_of;
	state->first = DT_NOEND;
	state->last = DT_NOBEGIN;
	state->decimal = decimal;
	rml_orders_init(&state->orders);
	return state;
}

/* ---- sums ---- */

static RmlWideSum *
wide_sum(RfmState *state, MemoryContext context)
{
	if (state->rest == NULL)
		state->rest = MemoryContextAllocZero(context, sizeof(RmlWideSum));
	return state->rest;
}

static void
refuse_infinite_amount(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("rfm: amount is infinite")));
}

static void
add_amount(RfmState *state, MemoryContext context, float8 amount)
{
	if (isinf(amount))
		refuse_infinite_amount();
	if (!isnan(amount) && !rml_fixed_add_double(&state->sum, amount))
		rml_wide_add(wide_sum(state, context), amount);
}

/* a numeric with too many digits for the decimal sum */
static void
add_rest(RfmState *state, MemoryContext context, Numeric amount)
{
	Datum total = NumericGetDatum(amount);
	Numeric old = state->rest;
	MemoryContext caller;

	if (old != NULL)
		total = DirectFunctionCall2(numeric_add, NumericGetDatum(old), total);
	caller = MemoryContextSwitchTo(context);
	state->rest = DatumGetNumeric(datumCopy(total, false, -1));
	MemoryContextSwitchTo(caller);
	if (old != NULL)
		pfree(old);
}

static void
add_numeric_amount(RfmState *state, MemoryContext context, Datum amount)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(amount);
	RmlDigits digits;

	if (!rml_numeric_digits(packed, &digits))
	{
		if (!numeric_is_nan(DatumGetNumeric(amount)))
			refuse_infinite_amount();
	}
	else if (!rml_decimal_add(&state->sum, digits.digits, digits.n, digits.weight, digits.negative))
		add_rest(state, context, DatumGetNumeric(amount));
}

static Datum
decimal_to_numeric(const RmlFixed *sum)
{
	char text[RML_DECIMAL_TEXT];

	return DirectFunctionCall3(numeric_in, CStringGetDatum(rml_decimal_text(sum, text)),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static float8
monetary(const RfmState *state)
{
	float8 result;

	if (state->decimal && state->rest == NULL)
		return rml_decimal_sum(&state->sum);
	if (state->decimal)
		return DatumGetFloat8(DirectFunctionCall1(
			numeric_float8, DirectFunctionCall2(numeric_add, decimal_to_numeric(&state->sum),
												NumericGetDatum((Numeric) state->rest))));
	result = rml_exact_sum(&state->sum, state->rest);
	if (isinf(result))
		float_overflow_error();
	return result;
}

/* ---- transition ---- */

static void
check_as_of(const RfmState *state, TimestampTz as_of)
{
	if (state->as_of != as_of)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("rfm: as_of must be the same for every row of a group")));
}

static void
refuse_as_of(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("rfm: as_of must not be %s", what),
			 errhint("Give the moment the numbers are meant for, such as now() or a month's "
					 "end.")));
}

static TimestampTz
as_of_argument(FunctionCallInfo fcinfo)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(4))
		refuse_as_of("NULL");
	as_of = PG_GETARG_TIMESTAMPTZ(4);
	if (TIMESTAMP_NOT_FINITE(as_of))
		refuse_as_of("infinite");
	return as_of;
}

static RfmState *
new_group(FunctionCallInfo fcinfo, MemoryContext context, TimestampTz as_of, bool decimal)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, 1);

	if (!OidIsValid(type))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("rfm: could not determine the type of order_id")));
	return state_create(context, order_type(fcinfo, type), as_of, decimal);
}

/*
 * The state of the group of this row, made if need be; *counts says whether the row is dated, and
 * not after as_of.
 */
static RfmState *
begin_row(FunctionCallInfo fcinfo, MemoryContext context, bool decimal, bool *counts)
{
	RfmState *state = PG_ARGISNULL(0) ? NULL : (RfmState *) PG_GETARG_POINTER(0);
	TimestampTz ordered_at, as_of;

	*counts = false;
	if (PG_ARGISNULL(2))
		return state;
	ordered_at = PG_GETARG_TIMESTAMPTZ(2);
	as_of = as_of_argument(fcinfo);
	if (state == NULL)
		state = new_group(fcinfo, context, as_of, decimal);
	else
		check_as_of(state, as_of);
	if (ordered_at > as_of || TIMESTAMP_NOT_FINITE(ordered_at))
		return state;
	state->first = Min(state->first, ordered_at);
	state->last = Max(state->last, ordered_at);
	*counts = true;
	return state;
}

static Datum
accumulate(FunctionCallInfo fcinfo, bool decimal)
{
	MemoryContext context = rml_agg_context(fcinfo);
	bool counts;
	RfmState *state = begin_row(fcinfo, context, decimal, &counts);

	if (state == NULL)
		PG_RETURN_NULL();
	if (counts && !PG_ARGISNULL(1))
		rml_orders_add(&state->orders, state->type, context, PG_GETARG_DATUM(1));
	if (counts && !PG_ARGISNULL(3))
	{
		if (decimal)
			add_numeric_amount(state, context, PG_GETARG_DATUM(3));
		else
			add_amount(state, context, PG_GETARG_FLOAT8(3));
	}
	PG_RETURN_POINTER(state);
}

Datum
rml_rfm_values_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, false);
}

Datum
rml_rfm_values_accum_numeric(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, true);
}

/* ---- between processes ---- */

static Size
rest_length(const RfmState *state)
{
	if (state->rest == NULL)
		return 0;
	return state->decimal ? VARSIZE(state->rest) : sizeof(RmlWideSum);
}

Datum
rml_rfm_values_serialize(PG_FUNCTION_ARGS)
{
	const RfmState *state = (RfmState *) PG_GETARG_POINTER(0);
	const RfmSerial serial = {state->type->type, state->decimal, (int64) rest_length(state),
							  state->as_of,      state->first,   state->last,
							  state->sum};
	Size rest = MAXALIGN(serial.rest_length);
	Size size = sizeof serial + rest + rml_orders_serial_size(&state->orders);
	bytea *result;
	char *place;

	if (size > MaxAllocSize - VARHDRSZ)
		ereport(
			ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the orders of one group take %zu MB, a parallel worker can pass on 1024 MB",
					size >> 20),
			 errhint("Group by customer, or SET max_parallel_workers_per_gather = 0.")));
	result = palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	place = VARDATA(result);
	memcpy(place, &serial, sizeof serial);
	place += sizeof serial;
	if (serial.rest_length > 0)
		memcpy(place, state->rest, serial.rest_length);
	rml_orders_serialize(&state->orders, place + rest);
	PG_RETURN_BYTEA_P(result);
}

/*
 * A state that points into a copy of the bytes: only good for combine, which comes next.  The
 * aggregate's context need not exist yet.
 */
Datum
rml_rfm_values_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	Size size = VARSIZE_ANY_EXHDR(bytes);
	RfmState *state = palloc0(sizeof(RfmState));
	RmlOrderType *type = palloc0(sizeof(RmlOrderType));
	char *place = palloc(size);
	const RfmSerial *serial = (RfmSerial *) place;

	memcpy(place, VARDATA_ANY(bytes), size);
	type->type = serial->type;
	state->type = type;
	state->as_of = serial->as_of;
	state->first = serial->first;
	state->last = serial->last;
	state->sum = serial->sum;
	state->decimal = serial->decimal != 0;
	place += sizeof(RfmSerial);
	if (serial->rest_length > 0)
		state->rest = place;
	rml_orders_deserialize(&state->orders, place + MAXALIGN(serial->rest_length));
	PG_RETURN_POINTER(state);
}

static void
combine_sums(RfmState *state, MemoryContext context, const RfmState *other)
{
	bool fits = rml_fixed_merge(&state->sum, &other->sum);

	if (state->decimal)
	{
		if (!fits)
			add_rest(state, context, DatumGetNumeric(decimal_to_numeric(&other->sum)));
		if (other->rest != NULL)
			add_rest(state, context, other->rest);
		return;
	}
	if (!fits)
		rml_wide_add_fixed(wide_sum(state, context), &other->sum);
	if (other->rest != NULL)
		rml_wide_merge(wide_sum(state, context), other->rest);
}

Datum
rml_rfm_values_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = rml_agg_context(fcinfo);
	RfmState *state = PG_ARGISNULL(0) ? NULL : (RfmState *) PG_GETARG_POINTER(0);
	const RfmState *other;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	other = (const RfmState *) PG_GETARG_POINTER(1);
	if (state == NULL)
		state = state_create(context, order_type(fcinfo, other->type->type), other->as_of,
							 other->decimal);
	check_as_of(state, other->as_of);
	state->first = Min(state->first, other->first);
	state->last = Max(state->last, other->last);
	rml_orders_merge(&state->orders, state->type, context, &other->orders);
	combine_sums(state, context, other);
	PG_RETURN_POINTER(state);
}

/* ---- final ---- */

static TupleDesc
result_type(FunctionCallInfo fcinfo)
{
	FmgrInfo *flinfo = fcinfo->flinfo;
	MemoryContext caller;
	TupleDesc tupdesc;

	if (flinfo->fn_extra != NULL)
		return flinfo->fn_extra;
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE ||
		tupdesc->natts != N_RESULTS)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("rfm: type rfm_values is not the one this version made")));
	caller = MemoryContextSwitchTo(flinfo->fn_mcxt);
	flinfo->fn_extra = BlessTupleDesc(CreateTupleDescCopy(tupdesc));
	MemoryContextSwitchTo(caller);
	return flinfo->fn_extra;
}

/* days of 24 hours; the difference may be more than an int64 holds */
static double
days_between(TimestampTz from, TimestampTz to)
{
	return (double) ((uint64) to - (uint64) from) / MICROSECONDS_PER_DAY;
}

Datum
rml_rfm_values_final(PG_FUNCTION_ARGS)
{
	const RfmState *state = PG_ARGISNULL(0) ? NULL : (RfmState *) PG_GETARG_POINTER(0);
	Datum values[N_RESULTS];
	bool nulls[N_RESULTS] = {false};

	rml_agg_context(fcinfo);
	if (state == NULL || TIMESTAMP_IS_NOBEGIN(state->last))
		PG_RETURN_NULL();
	values[0] = Float8GetDatum(days_between(state->last, state->as_of));
	values[1] = Int64GetDatum(state->orders.n);
	values[2] = Float8GetDatum(monetary(state));
	values[3] = TimestampTzGetDatum(state->first);
	values[4] = TimestampTzGetDatum(state->last);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(result_type(fcinfo), values, nulls)));
}
