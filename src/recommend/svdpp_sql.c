/*
 * svdpp_sql.c
 *	  svdpp_train.
 */
#include "postgres.h"

#include "retailml/agg_sql.h"
#include "retailml/env_sql.h"
#include "retailml/options_sql.h"
#include "retailml/ratings_sql.h"
#include "retailml/svdpp.h"

static void *
begin(RmlEnv *env, Jsonb *options)
{
	RmlSvdppParams *params = RML_NEW_ZERO(env, RmlSvdppParams, 1);
	const RmlOptionSet set = {rml_svdpp_options, rml_svdpp_n_options, params};
	const char *function = rml_pg_env_function(env);

	rml_options_parse(env, function, options, &set, 1);
	rml_refuse(function, rml_svdpp_check(params, env));
	rml_svdpp_settle(params);
	return params;
}

static const RmlRatingSpec spec = {"svdpp_train", begin};

/* the only thing that can go wrong in training itself */
static void
refuse_divergence(const char *reason)
{
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s: %s", spec.function, reason),
				 errhint("Large values make large steps. For amounts or counts, give the option "
						 "{\"implicit\": \"purchases\"}; otherwise lower lr.")));
}

static Datum
train(RmlRatingState *state)
{
	RmlEnv *env = state->env;
	const RmlSvdppParams *params = state->params;
	RmlSchema schema = {.rows = state->log.n, .skipped = state->log.skipped};
	RmlRatings ratings;
	RmlRatingIds users, items;
	RmlSvdpp model;
	RmlWriter writer;

	rml_rating_make(state, (RmlDuplicates) params->duplicates, (RmlTransform) params->transform,
					&ratings, &users, &items);
	rml_check_model_size(rml_svdpp_model_bytes(params, env, &ratings, &users, &items));
	rml_pg_env_check_room(env, rml_svdpp_fit_bytes(params, &ratings));
	refuse_divergence(rml_svdpp_fit(&model, env, params, &ratings, &users, &items));
	rml_model_encode(&writer, env, &rml_svdpp_algorithm, &schema, params, &model);
	return rml_writer_bytea(&writer);
}

RML_RATING_FUNCTIONS(svdpp_train, spec)
{
	RmlRatingState *state = rml_rating_begin(fcinfo, &spec);
	Datum result;

	if (state == NULL)
		PG_RETURN_NULL();
	result = train(state);
	rml_rating_end(state);
	PG_RETURN_DATUM(result);
}
