/*
 * pipeline_columns_sql.c
 *	  The columns of a query that is only analysed, never run.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/plancache.h"

#include "retailml/row_sql.h"

#define N_COLUMNS 4

/* the last line may be a comment, so the bracket is on one of its own */
static SPIPlanPtr
prepare(const char *query)
{
	Oid as_of = TIMESTAMPTZOID;
	SPIPlanPtr plan = SPI_prepare(psprintf("SELECT * FROM (%s\n) AS f", query), 1, &as_of);

	if (plan == NULL || list_length(SPI_plan_get_plan_sources(plan)) != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("the query is not one SELECT")));
	return plan;
}

static const char *
kind_name(Oid type)
{
	RmlKind kind;

	if (!rml_row_type_kind(type, &kind))
		return "other";
	switch (kind)
	{
		case RML_NUMERIC:
			return "number";
		case RML_BOOLEAN:
			return "boolean";
		case RML_CATEGORICAL:
			return "category";
	}
	return "other";
}

PG_FUNCTION_INFO_V1(rml_pipeline_columns);
Datum
rml_pipeline_columns(PG_FUNCTION_ARGS)
{
	char *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CachedPlanSource *source;
	TupleDesc shape;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	source = linitial(SPI_plan_get_plan_sources(prepare(query)));
	shape = source->resultDesc;
	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(shape, i);
		bool nulls[N_COLUMNS] = {false};
		Datum values[N_COLUMNS] = {
			Int32GetDatum(i + 1), CStringGetTextDatum(NameStr(column->attname)),
			CStringGetTextDatum(format_type_with_typemod(column->atttypid, column->atttypmod)),
			CStringGetTextDatum(kind_name(column->atttypid))};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
