/*
 * svdpp_inspect_sql.c
 *	  svdpp_predict, svdpp_explain, svdpp_factors, svdpp_history.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "retailml/env_sql.h"
#include "retailml/model_sql.h"
#include "retailml/rating_ids_sql.h"
#include "retailml/svdpp_explain.h"

PG_FUNCTION_INFO_V1(rml_svdpp_predict_bigint);
PG_FUNCTION_INFO_V1(rml_svdpp_predict_text);
PG_FUNCTION_INFO_V1(rml_svdpp_explain_bigint);
PG_FUNCTION_INFO_V1(rml_svdpp_explain_text);
PG_FUNCTION_INFO_V1(rml_svdpp_sql_factors);
PG_FUNCTION_INFO_V1(rml_svdpp_sql_history);

/* ---- predictions ---- */

/* rows mostly come user by user: the last one is remembered */
typedef struct LastUser
{
	int32_t user; /* position, -1 for an unknown one, NOBODY at first */
	int64 number; /* its id, where ids are numbers */
	double *w;    /* [f] of rml_svdpp_user */
} LastUser;

#define NOBODY (-2)

static LastUser *
last_user_create(RmlScorer *scorer, bool text)
{
	const RmlSvdpp *model = scorer->model.fitted;
	LastUser *last;

	rml_require_ids(&model->users, text);
	last = MemoryContextAlloc(scorer->context, sizeof(LastUser));
	last->w = MemoryContextAlloc(scorer->context, sizeof(double) * model->factors.f);
	last->user = NOBODY;
	scorer->work = last;
	return last;
}

/* make the user in argument 1 the last one */
static void
find_user(FunctionCallInfo fcinfo, const RmlSvdpp *model, LastUser *last, bool text)
{
	int32_t user;

	if (!text && last->user != NOBODY && last->number == PG_GETARG_INT64(1))
		return;
	user = rml_id_argument(fcinfo, 1, &model->users);
	if (!text)
		last->number = PG_GETARG_INT64(1);
	if (user == last->user)
		return;
	last->user = user;
	rml_svdpp_user(model, user, last->w);
}

static Datum
predict(FunctionCallInfo fcinfo, bool text)
{
	RmlScorer *scorer = rml_scorer_model(fcinfo, RML_ALGORITHM_SVDPP);
	const RmlSvdpp *model = scorer->model.fitted;
	LastUser *last = scorer->work;
	int32_t item;

	if (last == NULL)
		last = last_user_create(scorer, text);
	find_user(fcinfo, model, last, text);
	item = rml_id_argument(fcinfo, 2, &model->items);
	PG_RETURN_FLOAT8(rml_svdpp_predict(model, last->user, item, last->w));
}

Datum
rml_svdpp_predict_bigint(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, false);
}

Datum
rml_svdpp_predict_text(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, true);
}

/* ---- explanations ---- */

/* source, item_id, contribution */
#define EXPLAIN_COLUMNS 3

static Datum
explain(FunctionCallInfo fcinfo, bool text)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const RmlSvdpp *model;
	RmlSvdppPart *parts;
	RmlEnv *env;
	int64_t n;

	InitMaterializedSRF(fcinfo, 0);
	model = rml_scorer_model(fcinfo, RML_ALGORITHM_SVDPP)->model.fitted;
	rml_require_ids(&model->users, text);
	env = rml_pg_env_create(CurrentMemoryContext, "svdpp_explain");
	parts = rml_svdpp_explain(model, env, rml_id_argument(fcinfo, 1, &model->users),
							  rml_id_argument(fcinfo, 2, &model->items), &n);
	for (int64_t i = 0; i < n; i++)
	{
		bool is_item = parts[i].item >= 0;
		Datum values[EXPLAIN_COLUMNS] = {0};
		bool nulls[EXPLAIN_COLUMNS] = {false, !is_item, false};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(rml_svdpp_source_names[parts[i].source]);
		if (is_item)
			values[1] = rml_id_datum(&model->items, parts[i].item, text);
		values[2] = Float8GetDatum(parts[i].contribution);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	rml_pg_env_delete(env);
	return (Datum) 0;
}

Datum
rml_svdpp_explain_bigint(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, false);
}

Datum
rml_svdpp_explain_text(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, true);
}

/* ---- factors ---- */

/* side, id, bias, factors, implicit */
#define FACTOR_COLUMNS 5

/* the rows of svdpp_factors in the making */
typedef struct FactorRows
{
	ReturnSetInfo *result;
	MemoryContext row; /* emptied after each */
	const RmlSvdpp *model;
	bool text;
	double *w;     /* [f] */
	Datum *datums; /* [f] */
} FactorRows;

static Datum
double_array(FactorRows *rows, const double *values)
{
	int f = rows->model->factors.f;

	for (int k = 0; k < f; k++)
		rows->datums[k] = Float8GetDatum(values[k]);
	return PointerGetDatum(construct_array(rows->datums, f, FLOAT8OID, sizeof(float8),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* vector number x of an array of them */
static Datum
vector_array(FactorRows *rows, const float *vectors, int32_t x)
{
	const RmlFactors *factors = &rows->model->factors;
	const float *vector = vectors + (size_t) x * (size_t) factors->s;

	for (int k = 0; k < factors->f; k++)
		rows->w[k] = vector[k];
	return double_array(rows, rows->w);
}

static void
put_factors(FactorRows *rows, const char *side, Datum id, double bias, Datum factors,
			Datum implicit)
{
	Datum values[FACTOR_COLUMNS] = {0};
	bool nulls[FACTOR_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(side);
	values[1] = id;
	values[2] = Float8GetDatum(bias);
	nulls[2] = !rows->model->params->biased;
	values[3] = factors;
	values[4] = implicit;
	nulls[4] = rows->model->factors.y == NULL;
	tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values, nulls);
	MemoryContextReset(rows->row);
	CHECK_FOR_INTERRUPTS();
}

static void
put_users(FactorRows *rows)
{
	const RmlSvdpp *model = rows->model;
	const RmlFactors *factors = &model->factors;

	for (int32_t user = 0; user < model->users.n; user++)
	{
		int64_t first = model->starts[user], end = model->starts[user + 1];
		Datum own = vector_array(rows, factors->p, user);
		Datum implicit = (Datum) 0;

		if (factors->y != NULL)
		{
			rml_factors_user(factors, -1, model->seen + first, end - first, rows->w);
			implicit = double_array(rows, rows->w);
		}
		put_factors(rows, "user", rml_id_datum(&model->users, user, rows->text), factors->bu[user],
					own, implicit);
	}
}

static void
put_items(FactorRows *rows)
{
	const RmlSvdpp *model = rows->model;
	const RmlFactors *factors = &model->factors;

	for (int32_t item = 0; item < model->items.n; item++)
		put_factors(rows, "item", rml_id_datum(&model->items, item, rows->text), factors->bi[item],
					vector_array(rows, factors->q, item),
					factors->y == NULL ? (Datum) 0 : vector_array(rows, factors->y, item));
}

Datum
rml_svdpp_sql_factors(PG_FUNCTION_ARGS)
{
	FactorRows rows = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	MemoryContext caller;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	rows.model = rml_model_argument(fcinfo, 0, RML_ALGORITHM_SVDPP)->fitted;
	rows.text =
		rml_id_type_argument(fcinfo, 1, &rows.model->users, "svdpp_factors(model, NULL::text)");
	rows.w = palloc(sizeof(double) * rows.model->factors.f);
	rows.datums = palloc(sizeof(Datum) * rows.model->factors.f);
	rows.row = AllocSetContextCreate(CurrentMemoryContext, "svdpp_factors", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(rows.row);
	put_users(&rows);
	put_items(&rows);
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

/* ---- history ---- */

Datum
rml_svdpp_sql_history(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const RmlSvdpp *model;

	InitMaterializedSRF(fcinfo, 0);
	model = rml_model_argument(fcinfo, 0, RML_ALGORITHM_SVDPP)->fitted;
	for (int epoch = 0; epoch < model->n_history; epoch++)
	{
		const RmlSvdppEpoch *errors = &model->history[epoch];
		Datum values[] = {Int32GetDatum(epoch + 1), Float8GetDatum(errors->train_rmse),
						  Float8GetDatum(errors->holdout_rmse)};
		bool nulls[] = {false, isnan(errors->train_rmse), isnan(errors->holdout_rmse)};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
