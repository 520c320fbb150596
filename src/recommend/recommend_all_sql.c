/*
 * recommend_all_sql.c
 *	  svdpp_recommend_all: a set as rows of a table in FROM, row by row in a target list.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "retailml/env_sql.h"
#include "retailml/model_sql.h"
#include "retailml/rating_ids_sql.h"
#include "retailml/recommend_sql.h"

#define PURPOSE "svdpp_recommend_all"

PG_FUNCTION_INFO_V1(rml_svdpp_recommend_all);

/* user_id, rank, item_id, score */
#define COLUMNS 4

/* where the set is: row number rank of user number place of a block */
typedef struct Rows
{
	const RmlSvdpp *model;
	RmlRecommendAll *all;
	RmlRecommendBlock block;
	int32_t place;
	int32_t rank;
	bool text;
	Datum user;   /* its id, in user_context where it is text */
	Datum *items; /* [i] ids */
	MemoryContext user_context;
} Rows;

/* in the current context, where all that the set needs stays */
static Rows *
rows_begin(FunctionCallInfo fcinfo)
{
	Rows *rows = palloc0(sizeof(Rows));
	RmlEnv *env = rml_pg_env_create(CurrentMemoryContext, PURPOSE);
	int32_t n = rml_recommendations_argument(fcinfo, 1);
	const RmlSvdpp *model = rml_model_argument(fcinfo, 0, RML_ALGORITHM_SVDPP)->fitted;
	RmlRecommendParams params;

	rows->model = model;
	rows->text = rml_id_type_argument(fcinfo, 3, &model->users,
									  "svdpp_recommend_all(model, n, '{}', NULL::text)");
	rml_recommend_parse(env, model, PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), &params);
	rows->all = rml_recommend_all_begin(env, model, n, &params);
	rows->items = RML_NEW(env, Datum, model->items.n);
	for (int32_t item = 0; item < model->items.n; item++)
		rows->items[item] = rml_id_datum(&model->items, item, rows->text);
	rows->user_context =
		AllocSetContextCreate(CurrentMemoryContext, "retailml user", ALLOCSET_SMALL_SIZES);
	return rows;
}

static void
name_user(Rows *rows)
{
	MemoryContext caller;

	MemoryContextReset(rows->user_context);
	caller = MemoryContextSwitchTo(rows->user_context);
	rows->user = rml_id_datum(&rows->model->users, rows->block.first + rows->place, rows->text);
	MemoryContextSwitchTo(caller);
}

/* go to the next user with rows left; false at the end of the set */
static bool
next_user(Rows *rows)
{
	do
	{
		if (++rows->place < rows->block.n_users)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (!rml_recommend_all_next(rows->all, &rows->block))
			return false;
		rows->place = 0;
	} while (rows->block.counts[rows->place] == 0);
	rows->rank = 0;
	name_user(rows);
	return true;
}

/* the next row, or false */
static bool
rows_next(Rows *rows, Datum *values)
{
	size_t at;

	if ((rows->block.n_users == 0 || rows->rank == rows->block.counts[rows->place]) &&
		!next_user(rows))
		return false;
	at = (size_t) rows->place * (size_t) rows->block.stride + (size_t) rows->rank;
	values[0] = rows->user;
	values[1] = Int32GetDatum(++rows->rank);
	values[2] = rows->items[rows->block.items[at]];
	values[3] = Float8GetDatum(rows->block.scores[at]);
	return true;
}

/* ---- a table ---- */

static Datum
all_rows(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool nulls[COLUMNS] = {false};
	Datum values[COLUMNS];
	Rows *rows;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	rows = rows_begin(fcinfo);
	while (rows_next(rows, values))
	{
		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* ---- row by row ---- */

static void
begin_calls(FunctionCallInfo fcinfo, FuncCallContext *calls)
{
	MemoryContext caller = MemoryContextSwitchTo(calls->multi_call_memory_ctx);
	TupleDesc descriptor;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("svdpp_recommend_all called where rows cannot be returned")));
	calls->tuple_desc = BlessTupleDesc(descriptor);
	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1))
		calls->user_fctx = rows_begin(fcinfo);
	MemoryContextSwitchTo(caller);
}

static Datum
one_row(FunctionCallInfo fcinfo)
{
	FuncCallContext *calls;
	bool nulls[COLUMNS] = {false};
	Datum values[COLUMNS];

	if (SRF_IS_FIRSTCALL())
		begin_calls(fcinfo, SRF_FIRSTCALL_INIT());
	calls = SRF_PERCALL_SETUP();
	if (calls->user_fctx == NULL || !rows_next(calls->user_fctx, values))
		SRF_RETURN_DONE(calls);
	SRF_RETURN_NEXT(calls, HeapTupleGetDatum(heap_form_tuple(calls->tuple_desc, values, nulls)));
}

/* FROM keeps the rows in any case; a target list does not, so there no more is computed than is asked for */
Datum
rml_svdpp_recommend_all(PG_FUNCTION_ARGS)
{
	const ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool table = result != NULL && IsA(result, ReturnSetInfo) &&
				 (result->allowedModes & SFRM_Materialize_Preferred) != 0;

	return table ? all_rows(fcinfo) : one_row(fcinfo);
}
