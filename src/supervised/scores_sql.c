/*
 * scores_sql.c
 *	  The aggregate state of scored rows.
 *
 * Final functions only put it in order, so PostgreSQL collects the rows once for all aggregates
 * over the same arguments, and they are sorted once.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/agg_call_sql.h"
#include "retailml/env_sql.h"
#include "retailml/evaluation_sql.h"

#define DEFAULT_THRESHOLD 0.5
#define DEFAULT_BINS 10
#define MAX_BINS 10000

PG_FUNCTION_INFO_V1(rml_scores_accum);
PG_FUNCTION_INFO_V1(rml_scores_accum_threshold);
PG_FUNCTION_INFO_V1(rml_scores_accum_bins);
PG_FUNCTION_INFO_V1(rml_scores_combine);
PG_FUNCTION_INFO_V1(rml_scores_serialize);
PG_FUNCTION_INFO_V1(rml_scores_deserialize);

/* what goes between processes: this, the scores of negatives, those of positives */
typedef struct SerialHead
{
	RmlScoreParameters parameters;
	int64_t n[2];
} SerialHead;

/* ---- parameters ---- */

static void
refuse_null(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s is NULL", name)));
}

static float8
threshold_argument(FunctionCallInfo fcinfo)
{
	float8 threshold;

	if (PG_ARGISNULL(3))
		refuse_null("threshold");
	threshold = PG_GETARG_FLOAT8(3);
	if (isnan(threshold))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("threshold is NaN but must be a number")));
	return threshold;
}

static int32
bins_argument(FunctionCallInfo fcinfo)
{
	int32 n_bins;

	if (PG_ARGISNULL(3))
		refuse_null("n_bins");
	n_bins = PG_GETARG_INT32(3);
	if (n_bins < 1 || n_bins > MAX_BINS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("n_bins is %d but must be between 1 and %d", n_bins, MAX_BINS)));
	return n_bins;
}

static bool
strategy_argument(FunctionCallInfo fcinfo)
{
	const text *strategy;
	const char *name;
	int length;

	if (PG_NARGS() < 5)
		return false;
	if (PG_ARGISNULL(4))
		refuse_null("strategy");
	strategy = PG_GETARG_TEXT_PP(4);
	name = VARDATA_ANY(strategy);
	length = VARSIZE_ANY_EXHDR(strategy);
	if (length == 8 && memcmp(name, "quantile", 8) == 0)
		return true;
	if (length == 7 && memcmp(name, "uniform", 7) == 0)
		return false;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("strategy is \"%s\" but must be uniform or quantile",
						   text_to_cstring(strategy))));
}

static bool
same_parameters(const RmlScoreParameters *a, const RmlScoreParameters *b)
{
	return a->threshold == b->threshold && a->n_bins == b->n_bins && a->quantiles == b->quantiles;
}

/* ---- collecting ---- */

static RmlScoreState *
state_create(FunctionCallInfo fcinfo, const RmlScoreParameters *parameters)
{
	RmlEnv *env = rml_pg_env_create(rml_agg_context(fcinfo), RML_EVALUATION_PURPOSE);
	RmlScoreState *state = RML_NEW_ZERO(env, RmlScoreState, 1);

	state->env = env;
	state->parameters = *parameters;
	return state;
}

static void
check_parameters(const RmlScoreState *state, const RmlScoreParameters *parameters)
{
	if (!same_parameters(&state->parameters, parameters))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the parameters of an evaluation differ between rows"),
				 errhint("Give constants after the score, or GROUP BY what they depend on.")));
}

static Datum
accumulate(FunctionCallInfo fcinfo, const RmlScoreParameters *parameters)
{
	RmlScoreState *state;
	float8 score;

	if (PG_ARGISNULL(0))
		state = state_create(fcinfo, parameters);
	else
	{
		rml_agg_context(fcinfo);
		state = (RmlScoreState *) PG_GETARG_POINTER(0);
		check_parameters(state, parameters);
	}
	if (!PG_ARGISNULL(1) && rml_evaluation_number(fcinfo, 2, "score", &score))
		rml_scores_add(&state->scores, state->env, PG_GETARG_BOOL(1), score);
	PG_RETURN_POINTER(state);
}

Datum
rml_scores_accum(PG_FUNCTION_ARGS)
{
	const RmlScoreParameters parameters = {DEFAULT_THRESHOLD, DEFAULT_BINS, false};

	return accumulate(fcinfo, &parameters);
}

Datum
rml_scores_accum_threshold(PG_FUNCTION_ARGS)
{
	const RmlScoreParameters parameters = {threshold_argument(fcinfo), DEFAULT_BINS, false};

	return accumulate(fcinfo, &parameters);
}

Datum
rml_scores_accum_bins(PG_FUNCTION_ARGS)
{
	const RmlScoreParameters parameters = {DEFAULT_THRESHOLD, bins_argument(fcinfo),
										   strategy_argument(fcinfo)};

	return accumulate(fcinfo, &parameters);
}

/* ---- between processes ---- */

Datum
rml_scores_serialize(PG_FUNCTION_ARGS)
{
	const RmlScoreState *state = (RmlScoreState *) PG_GETARG_POINTER(0);
	const RmlScores *scores = &state->scores;
	SerialHead head;
	size_t size = VARHDRSZ + sizeof head;
	bytea *result;
	char *place;

	rml_agg_context(fcinfo);
	memset(&head, 0, sizeof head);
	head.parameters = state->parameters;
	for (int side = 0; side < 2; side++)
	{
		head.n[side] = scores->n[side];
		size += sizeof(double) * (size_t) scores->n[side];
	}
	rml_evaluation_check_serial(size);
	result = palloc(size);
	SET_VARSIZE(result, size);
	place = VARDATA(result);
	memcpy(place, &head, sizeof head);
	place += sizeof head;
	for (int side = 0; side < 2; side++)
	{
		size_t bytes = sizeof(double) * (size_t) scores->n[side];

		if (bytes > 0)
			memcpy(place, scores->values[side], bytes);
		place += bytes;
	}
	PG_RETURN_BYTEA_P(result);
}

/* only remembers where the bytes are: the aggregate's context is not known before combine */
Datum
rml_scores_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	RmlScoreState *state = palloc0(sizeof(RmlScoreState));

	state->serial = VARDATA_ANY(bytes);
	PG_RETURN_POINTER(state);
}

Datum
rml_scores_combine(PG_FUNCTION_ARGS)
{
	RmlScoreState *state = PG_ARGISNULL(0) ? NULL : (RmlScoreState *) PG_GETARG_POINTER(0);
	const char *place;
	SerialHead head;

	rml_agg_context(fcinfo);
	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	place = ((RmlScoreState *) PG_GETARG_POINTER(1))->serial;
	memcpy(&head, place, sizeof head);
	place += sizeof head;
	if (state == NULL)
		state = state_create(fcinfo, &head.parameters);
	check_parameters(state, &head.parameters);
	for (int side = 0; side < 2; side++)
	{
		rml_scores_append(&state->scores, state->env, side == 1, place, head.n[side]);
		place += sizeof(double) * (size_t) head.n[side];
	}
	PG_RETURN_POINTER(state);
}

RmlScoreState *
rml_sorted_scores(FunctionCallInfo fcinfo)
{
	RmlScoreState *state = PG_ARGISNULL(0) ? NULL : (RmlScoreState *) PG_GETARG_POINTER(0);

	rml_agg_context(fcinfo);
	if (state == NULL || state->scores.n[0] + state->scores.n[1] == 0)
		return NULL;
	rml_scores_sort(&state->scores, state->env);
	return state;
}
