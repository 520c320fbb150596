/*
 * customer_snapshot_sql.c
 *	  customer_snapshot: arguments, the statement through SPI, rows into a tuplestore.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "retailml/customer_snapshot_sql.h"

/* ---- arguments ---- */

static void
refuse_null(const char *argument)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("customer_snapshot: %s must not be NULL", argument)));
}

/*
 * as_of + horizon in UTC, where every day has 24 hours: the arithmetic of timestamps without a time
 * zone, applied to one that is kept in UTC.
 */
static TimestampTz
horizon_end(TimestampTz as_of, Interval *horizon)
{
	Timestamp end;

	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("customer_snapshot: as_of must be finite")));
	end = DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(as_of),
												IntervalPGetDatum(horizon)));
	if (end <= as_of || TIMESTAMP_NOT_FINITE(end))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("customer_snapshot: horizon must be positive and finite")));
	return end;
}

/* ---- rows ---- */

/* puts rows into the tuplestore, after a look at what infinity may hide in */
typedef struct Receiver
{
	DestReceiver base;
	Tuplestorestate *rows;
	TupleDesc shape; /* of the declared result */
	const RmlLog *log;
} Receiver;

static void
check_finite(const Receiver *receiver, TupleTableSlot *slot, int column, RmlLogRole role)
{
	if (slot->tts_isnull[column] || isfinite(DatumGetFloat8(slot->tts_values[column])))
		return;
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					errmsg("column \"%s\" holds infinity", receiver->log->column[role])));
}

static void
check_row(const Receiver *receiver, TupleTableSlot *slot)
{
	for (int i = 0; i < receiver->shape->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(receiver->shape, i)->attname);

		if (strcmp(name, RML_SNAPSHOT_MONETARY) == 0 ||
			strcmp(name, RML_SNAPSHOT_FUTURE_SPEND) == 0)
			check_finite(receiver, slot, i, RML_LOG_AMOUNT);
		else if (strcmp(name, RML_SNAPSHOT_ITEMS) == 0)
			check_finite(receiver, slot, i, RML_LOG_QUANTITY);
	}
}

static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	Receiver *receiver = (Receiver *) self;

	slot_getallattrs(slot);
	check_row(receiver, slot);
	tuplestore_puttupleslot(receiver->rows, slot);
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc shape)
{
}

static void
receiver_nothing(DestReceiver *self)
{
}

static void
receiver_init(Receiver *receiver, const ReturnSetInfo *result, const RmlLog *log)
{
	memset(receiver, 0, sizeof *receiver);
	receiver->base.receiveSlot = receive;
	receiver->base.rStartup = receiver_startup;
	receiver->base.rShutdown = receiver_nothing;
	receiver->base.rDestroy = receiver_nothing;
	receiver->base.mydest = DestTuplestore;
	receiver->rows = result->setResult;
	receiver->shape = result->setDesc;
	receiver->log = log;
}

/* ---- statements ---- */

static void
run(const char *statement, TimestampTz as_of, TimestampTz end, DestReceiver *receiver)
{
	Oid types[RML_SNAPSHOT_PARAMETERS] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	ParamListInfo parameters = makeParamList(RML_SNAPSHOT_PARAMETERS);
	const TimestampTz moments[RML_SNAPSHOT_PARAMETERS] = {as_of, end};
	SPIExecuteOptions options = {0};
	SPIPlanPtr plan =
		SPI_prepare_cursor(statement, RML_SNAPSHOT_PARAMETERS, types, CURSOR_OPT_PARALLEL_OK);

	for (int i = 0; i < RML_SNAPSHOT_PARAMETERS; i++)
	{
		parameters->params[i].value = TimestampTzGetDatum(moments[i]);
		parameters->params[i].isnull = false;
		parameters->params[i].pflags = PARAM_FLAG_CONST;
		parameters->params[i].ptype = TIMESTAMPTZOID;
	}
	options.params = parameters;
	options.read_only = true;
	options.dest = receiver;
	if (plan == NULL || SPI_execute_plan_extended(plan, &options) != SPI_OK_SELECT)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("the statement of customer_snapshot failed"),
						errdetail("SPI says: %s.", SPI_result_code_string(SPI_result))));
}

static bool
reaches(const RmlLog *log, TimestampTz as_of, TimestampTz end)
{
	bool isnull;

	run(rml_snapshot_reach_query(log), as_of, end, NULL);
	return DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

static void
notice_unlabelled(const RmlLog *log, TimestampTz end)
{
	ereport(NOTICE,
			(errmsg("the horizon is not over: churned, future_spend and future_orders are NULL"),
			 errdetail("%s has no row at or after %s.", log->name, timestamptz_to_str(end)),
			 errhint("That is right for scoring. For training, choose an earlier as_of or a "
					 "shorter horizon.")));
}

PG_FUNCTION_INFO_V1(rml_customer_snapshot);
Datum
rml_customer_snapshot(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"purchases", "as_of", "horizon"};
	RmlLog log;
	Receiver receiver;
	TimestampTz as_of, end;
	bool labels;

	for (int i = 0; i < (int) lengthof(arguments); i++)
		if (PG_ARGISNULL(i))
			refuse_null(arguments[i]);
	as_of = PG_GETARG_TIMESTAMPTZ(1);
	end = horizon_end(as_of, PG_GETARG_INTERVAL_P(2));
	rml_log_bind(&log, PG_GETARG_OID(0), PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3));
	InitMaterializedSRF(fcinfo, 0);
	receiver_init(&receiver, (ReturnSetInfo *) fcinfo->resultinfo, &log);

	SPI_connect();
	labels = reaches(&log, as_of, end);
	if (!labels)
		notice_unlabelled(&log, end);
	run(rml_snapshot_query(&log, labels), as_of, end, &receiver.base);
	SPI_finish();
	return (Datum) 0;
}
