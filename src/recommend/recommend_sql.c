/*
 * recommend_sql.c
 *	  svdpp_recommend, svdpp_similar_items.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "retailml/env_sql.h"
#include "retailml/model_sql.h"
#include "retailml/options_sql.h"
#include "retailml/rating_ids_sql.h"
#include "retailml/recommend_sql.h"

PG_FUNCTION_INFO_V1(rml_svdpp_recommend_bigint);
PG_FUNCTION_INFO_V1(rml_svdpp_recommend_text);
PG_FUNCTION_INFO_V1(rml_svdpp_similar_items_bigint);
PG_FUNCTION_INFO_V1(rml_svdpp_similar_items_text);

int32_t
rml_recommendations_argument(FunctionCallInfo fcinfo, int argument)
{
	int32 n = PG_GETARG_INT32(argument);

	if (n < 1 || n > RML_RECOMMEND_MOST)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("n must be an integer from 1 to %d", RML_RECOMMEND_MOST),
						errdetail("It is %d.", n)));
	return n;
}

static void
check_params(const RmlSvdpp *model, RmlEnv *env, const RmlRecommendParams *params)
{
	const char *reason = rml_recommend_check(model, params, env);

	if (reason != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s: %s", rml_pg_env_function(env), reason),
						errhint("svdpp_train learns amounts with {\"implicit\": \"purchases\"}.")));
}

void
rml_recommend_parse(RmlEnv *env, const RmlSvdpp *model, Jsonb *options, RmlRecommendParams *params)
{
	RmlOptionSet set = {rml_recommend_options, rml_recommend_n_options, params};

	rml_options_parse(env, rml_pg_env_function(env), options, &set, 1);
	check_params(model, env, params);
}

/* the model in argument 0, whose ids are of the kind of the arguments */
static RmlScorer *
model_argument(FunctionCallInfo fcinfo, bool text)
{
	RmlScorer *scorer = rml_scorer_model(fcinfo, RML_ALGORITHM_SVDPP);

	rml_require_ids(&((const RmlSvdpp *) scorer->model.fitted)->users, text);
	return scorer;
}

/* ---- svdpp_recommend ---- */

/* rank, item_id, score, reason */
#define RECOMMEND_COLUMNS 4

static const RmlRecommender *
recommender_of(RmlScorer *scorer)
{
	RmlEnv *env;
	RmlRecommender *recommender;

	if (scorer->work != NULL)
		return scorer->work;
	env = rml_pg_env_create(scorer->context, "svdpp_recommend");
	recommender = RML_NEW(env, RmlRecommender, 1);
	rml_recommender_init(recommender, env, scorer->model.fitted);
	scorer->work = recommender;
	return recommender;
}

static Jsonb *
jsonb_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_JSONB_P(argument);
}

/* option names: an object of ids and what to call them; looked up where a reason needs one */
static const RmlOption naming_options[] = {{"names", RML_OPTION_OBJECT, 0, 0, 0, 0, NULL}};

typedef struct Names
{
	RmlEnv *env;
	JsonbContainer *object;
} Names;

static const char *
look_up(void *context, const char *id)
{
	const Names *names = context;
	const JsonbValue *name =
		getKeyJsonValueFromContainer(names->object, id, (int) strlen(id), NULL);

	if (name == NULL || name->type == jbvNull)
		return NULL;
	if (name->type != jbvString)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s: the name of item %s must be a text",
							   rml_pg_env_function(names->env), id)));
	return rml_strndup(names->env, name->val.string.val, (size_t) name->val.string.len);
}

static void
parse_options(RmlEnv *env, const RmlSvdpp *model, Jsonb *options, RmlRecommendParams *params,
			  Names *names)
{
	RmlOptionSet sets[] = {{rml_recommend_options, rml_recommend_n_options, params},
						   {naming_options, lengthof(naming_options), NULL}};
	const JsonbValue *object;

	rml_options_parse(env, rml_pg_env_function(env), options, sets, lengthof(sets));
	check_params(model, env, params);
	object = rml_options_find(options, "names");
	*names = (Names){env, object == NULL ? NULL : object->val.binary.data};
}

static void
put_recommendation(ReturnSetInfo *result, const RmlRecommender *recommender, RmlEnv *env,
				   int32_t user, const RmlRanked *best, int32_t place, const RmlNaming *naming)
{
	const RmlRatingIds *ids = &recommender->model->items;
	Datum values[RECOMMEND_COLUMNS];
	bool nulls[RECOMMEND_COLUMNS] = {false};

	values[0] = Int32GetDatum(place + 1);
	values[1] = rml_id_datum(ids, best[place].item, ids->texts != NULL);
	values[2] = Float8GetDatum(rml_recommend_score(recommender, user, &best[place]));
	values[3] =
		CStringGetTextDatum(rml_recommend_reason(recommender, env, user, &best[place], naming));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum
recommend(FunctionCallInfo fcinfo, bool text)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const RmlRecommender *recommender;
	RmlRecommendParams params;
	RmlRanked *best;
	Names names;
	RmlNaming naming = {look_up, &names};
	RmlEnv *env;
	int32_t user, n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		return (Datum) 0;
	n = rml_recommendations_argument(fcinfo, 2);
	recommender = recommender_of(model_argument(fcinfo, text));
	user = PG_ARGISNULL(1) ? -1 : rml_id_argument(fcinfo, 1, &recommender->model->users);
	env = rml_pg_env_create(CurrentMemoryContext, "svdpp_recommend");
	parse_options(env, recommender->model, jsonb_argument(fcinfo, 3), &params, &names);
	n = Min(n, recommender->model->items.n);
	best = RML_NEW(env, RmlRanked, n);
	n = rml_recommend(recommender, env, user, n, &params, best);
	for (int32_t place = 0; place < n; place++)
	{
		CHECK_FOR_INTERRUPTS();
		put_recommendation(result, recommender, env, user, best, place,
						   names.object == NULL ? NULL : &naming);
	}
	rml_pg_env_delete(env);
	return (Datum) 0;
}

Datum
rml_svdpp_recommend_bigint(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, false);
}

Datum
rml_svdpp_recommend_text(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, true);
}

/* ---- svdpp_similar_items ---- */

/* rank, item_id, similarity, buyers */
#define SIMILAR_COLUMNS 4

static void
put_similar(ReturnSetInfo *result, const RmlSvdpp *model, const RmlRanked *best, int32_t place)
{
	Datum values[SIMILAR_COLUMNS];
	bool nulls[SIMILAR_COLUMNS] = {false};

	values[0] = Int32GetDatum(place + 1);
	values[1] = rml_id_datum(&model->items, best[place].item, model->items.texts != NULL);
	values[2] = Float8GetDatum(best[place].score);
	values[3] = Int64GetDatum(model->buyers[best[place].item]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum
similar_items(FunctionCallInfo fcinfo, bool text)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlRecommendParams params;
	RmlOptionSet set = {rml_similar_options, rml_similar_n_options, &params};
	const RmlSvdpp *model;
	RmlRanked *best;
	RmlEnv *env;
	int32_t item, n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	n = rml_recommendations_argument(fcinfo, 2);
	model = model_argument(fcinfo, text)->model.fitted;
	env = rml_pg_env_create(CurrentMemoryContext, "svdpp_similar_items");
	rml_options_parse(env, "svdpp_similar_items", jsonb_argument(fcinfo, 3), &set, 1);
	item = rml_id_argument(fcinfo, 1, &model->items);
	if (item < 0)
		return (Datum) 0;
	n = Min(n, model->items.n);
	best = RML_NEW(env, RmlRanked, n);
	n = rml_similar_items(model, env, item, n, &params, best);
	for (int32_t place = 0; place < n; place++)
	{
		CHECK_FOR_INTERRUPTS();
		put_similar(result, model, best, place);
	}
	rml_pg_env_delete(env);
	return (Datum) 0;
}

Datum
rml_svdpp_similar_items_bigint(PG_FUNCTION_ARGS)
{
	return similar_items(fcinfo, false);
}

Datum
rml_svdpp_similar_items_text(PG_FUNCTION_ARGS)
{
	return similar_items(fcinfo, true);
}
