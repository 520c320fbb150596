/*
 * synthetic_sql.c
 *	  generate_synthetic_products, _customers and _purchases: rows into a tuplestore.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "retailml/env_sql.h"
#include "retailml/synthetic.h"

#define MAX_LABELS (RML_SYNTHETIC_CATEGORIES * RML_SYNTHETIC_SUBCATEGORIES)
#define MAX_COLUMNS 13
#define CENT_DIGITS 2
#define STANDARD_START 8401 /* 2023-01-01 as days since 2000-01-01 */

/* rows between two resets of the memory their Datums are made in */
#define BATCH 1024

/* where rows go, and what is kept from row to row */
typedef struct Sink
{
	ReturnSetInfo *result;
	MemoryContext rows;
	uint64 count;
	bool nulls[MAX_COLUMNS]; /* never: no column is NULL */
	Datum labels[RML_SYNTHETIC_FIELDS][MAX_LABELS];
} Sink;

static void
make_labels(Sink *sink, RmlSyntheticField field)
{
	const char *label;

	for (int code = 0; (label = rml_synthetic_label(field, code)) != NULL; code++)
		sink->labels[field][code] = CStringGetTextDatum(label);
}

static void
sink_begin(Sink *sink, FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	sink->result = (ReturnSetInfo *) fcinfo->resultinfo;
	sink->rows =
		AllocSetContextCreate(CurrentMemoryContext, "retailml rows", ALLOCSET_DEFAULT_SIZES);
	sink->count = 0;
	memset(sink->nulls, 0, sizeof sink->nulls);
	for (int field = 0; field < RML_SYNTHETIC_FIELDS; field++)
		make_labels(sink, (RmlSyntheticField) field);
}

/* before the Datums of the next row are made; leaves in the rows' memory */
static void
sink_next(Sink *sink)
{
	CHECK_FOR_INTERRUPTS();
	if (sink->count++ % BATCH == 0)
		MemoryContextReset(sink->rows);
}

static void
sink_put(Sink *sink, Datum *values)
{
	tuplestore_putvalues(sink->result->setResult, sink->result->setDesc, values, sink->nulls);
}

static Datum
money(int64 cents)
{
	return NumericGetDatum(int64_div_fast_to_numeric(cents, CENT_DIGITS));
}

static void
refuse(const char *function, const char *reason)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s: %s", function, reason),
					errhint("Leave an argument out to get its default.")));
}

static void
check_count(const char *function, int64 n)
{
	if (n < 0)
		refuse(function, psprintf("n must be at least 0, not " INT64_FORMAT, n));
}

/* ---- products */

static void
put_product(Sink *sink, const RmlSyntheticProduct *product)
{
	Datum values[6];

	values[0] = Int32GetDatum(product->product_id);
	values[1] = sink->labels[RML_SYNTHETIC_CATEGORY][product->category];
	values[2] = sink->labels[RML_SYNTHETIC_SUBCATEGORY][product->subcategory];
	values[3] = CStringGetTextDatum(product->name);
	values[4] = money(product->base_price);
	values[5] = Float8GetDatum(product->popularity);
	sink_put(sink, values);
}

PG_FUNCTION_INFO_V1(rml_generate_synthetic_products);
Datum
rml_generate_synthetic_products(PG_FUNCTION_ARGS)
{
	int32 n = PG_GETARG_INT32(0);
	uint64 seed = (uint64) PG_GETARG_INT64(1);
	MemoryContext caller;
	Sink sink;

	check_count("generate_synthetic_products", n);
	sink_begin(&sink, fcinfo);
	caller = MemoryContextSwitchTo(sink.rows);
	for (int32 i = 0; i < n; i++)
	{
		RmlSyntheticProduct product;

		sink_next(&sink);
		rml_synthetic_product(seed, i + 1, &product);
		put_product(&sink, &product);
	}
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

/* ---- customers */

static Datum
preference_array(const double preferences[RML_SYNTHETIC_CATEGORIES])
{
	Datum elements[RML_SYNTHETIC_CATEGORIES];

	for (int i = 0; i < RML_SYNTHETIC_CATEGORIES; i++)
		elements[i] = Float8GetDatum(preferences[i]);
	return PointerGetDatum(construct_array(elements, RML_SYNTHETIC_CATEGORIES, FLOAT8OID,
										   sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
put_customer(Sink *sink, const RmlSyntheticCustomer *customer)
{
	Datum values[13];

	values[0] = Int32GetDatum(customer->customer_id);
	values[1] = DateADTGetDatum(STANDARD_START - customer->signup_days);
	values[2] = Int32GetDatum(customer->age);
	values[3] = sink->labels[RML_SYNTHETIC_GENDER][customer->gender];
	values[4] = sink->labels[RML_SYNTHETIC_REGION][customer->region];
	values[5] = sink->labels[RML_SYNTHETIC_EDUCATION][customer->education];
	values[6] = sink->labels[RML_SYNTHETIC_EMPLOYMENT][customer->employment];
	values[7] = money(customer->income);
	values[8] = sink->labels[RML_SYNTHETIC_POWER][customer->power];
	values[9] = sink->labels[RML_SYNTHETIC_FREQUENCY][customer->frequency];
	values[10] = Float8GetDatum(customer->loyalty);
	values[11] = Float8GetDatum(customer->engagement);
	values[12] = preference_array(customer->preferences);
	sink_put(sink, values);
}

PG_FUNCTION_INFO_V1(rml_generate_synthetic_customers);
Datum
rml_generate_synthetic_customers(PG_FUNCTION_ARGS)
{
	int32 n = PG_GETARG_INT32(0);
	uint64 seed = (uint64) PG_GETARG_INT64(1);
	MemoryContext caller;
	Sink sink;

	check_count("generate_synthetic_customers", n);
	sink_begin(&sink, fcinfo);
	caller = MemoryContextSwitchTo(sink.rows);
	for (int32 i = 0; i < n; i++)
	{
		RmlSyntheticCustomer customer;

		sink_next(&sink);
		rml_synthetic_customer(seed, i + 1, &customer);
		put_customer(&sink, &customer);
	}
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

/* ---- purchases */

/* the window is days long and starts at midnight UTC */
static TimestampTz
window_start(const char *function, DateADT start, int32 days)
{
	const int64 end_of_time = TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE;

	if (DATE_NOT_FINITE(start) || start + (int64) days > end_of_time)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s: start_date and days leave the range of timestamps", function),
				 errdetail("Purchases are made in the %d days from start_date on.", (int) days)));
	return start * USECS_PER_DAY;
}

static void
put_purchase(Sink *sink, TimestampTz start, const RmlSyntheticPurchase *purchase)
{
	Datum values[9];

	values[0] = Int64GetDatum(purchase->purchase_id);
	values[1] = Int64GetDatum(purchase->order_id);
	values[2] = Int32GetDatum(purchase->customer_id);
	values[3] = Int32GetDatum(purchase->product_id);
	values[4] = TimestampTzGetDatum(start + purchase->second * USECS_PER_SEC);
	values[5] = Int32GetDatum(purchase->quantity);
	values[6] = money(purchase->unit_price);
	values[7] = money(purchase->amount);
	values[8] = sink->labels[RML_SYNTHETIC_CHANNEL][purchase->channel];
	sink_put(sink, values);
}

static void
put_purchases(Sink *sink, RmlSyntheticStream *stream, TimestampTz start, int64 n)
{
	MemoryContext caller = MemoryContextSwitchTo(sink->rows);

	for (int64 i = 0; i < n; i++)
	{
		sink_next(sink);
		put_purchase(sink, start, rml_synthetic_next(stream));
	}
	MemoryContextSwitchTo(caller);
}

PG_FUNCTION_INFO_V1(rml_generate_synthetic_purchases);
Datum
rml_generate_synthetic_purchases(PG_FUNCTION_ARGS)
{
	const char *function = "generate_synthetic_purchases";
	int64 n = PG_GETARG_INT64(0);
	int32 days = PG_GETARG_INT32(5);
	RmlSyntheticParams params = {.customers = PG_GETARG_INT32(1),
								 .products = PG_GETARG_INT32(2),
								 .seed = (uint64) PG_GETARG_INT64(3),
								 .days = days,
								 .repeat_rate = PG_GETARG_FLOAT8(6),
								 .signal = PG_GETARG_BOOL(7)};
	RmlEnv *env = rml_pg_env_create(CurrentMemoryContext, function);
	const char *reason = rml_synthetic_check(env, &params);
	RmlSyntheticStream stream;
	TimestampTz start;
	Sink sink;

	check_count(function, n);
	if (reason != NULL)
		refuse(function, reason);
	start = window_start(function, PG_GETARG_DATEADT(4), days);
	sink_begin(&sink, fcinfo);
	if (n > 0) /* no row needs no customers: generate_synthetic_store checks its arguments so */
	{
		rml_pg_env_check_room(env, rml_synthetic_bytes(&params));
		rml_synthetic_begin(env, &params, &stream);
		put_purchases(&sink, &stream, start, n);
	}
	rml_pg_env_delete(env);
	return (Datum) 0;
}

/* ---- planner support: the first argument of all three is the number of rows */

PG_FUNCTION_INFO_V1(rml_generate_synthetic_support);
Datum
rml_generate_synthetic_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *rows;
	Node *n;

	if (!IsA(request, SupportRequestRows) || !is_funcclause(((SupportRequestRows *) request)->node))
		PG_RETURN_POINTER(NULL);
	rows = (SupportRequestRows *) request;
	n = estimate_expression_value(rows->root, linitial(((FuncExpr *) rows->node)->args));
	if (!IsA(n, Const) || ((Const *) n)->constisnull)
		PG_RETURN_POINTER(NULL);
	rows->rows =
		(double) (((Const *) n)->consttype == INT8OID ? DatumGetInt64(((Const *) n)->constvalue)
													  : DatumGetInt32(((Const *) n)->constvalue));
	PG_RETURN_POINTER(request);
}
