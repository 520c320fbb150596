/*
 * ratings_sql.h
 *	  The aggregate state of everything that learns from ratings: svdpp_train, svdpp_cross_validate.
 *
 * SQL arguments are user_id, item_id (both bigint or both text), rating float8 and, in the longer form,
 * options jsonb.  Transition functions are made by RML_RATING_FUNCTIONS from a spec; combine, serialize
 * and deserialize are rating_combine, rating_serialize and rating_deserialize for all.  Final functions
 * use the rows up: FINALFUNC_MODIFY = READ_WRITE.
 *
 *		static void *
 *		begin(RmlEnv *env, Jsonb *options)
 *		{
 *			Params *params = RML_NEW_ZERO(env, Params, 1);
 *			... rml_options_parse(env, rml_pg_env_function(env), options, sets, n_sets) ...
 *			return params;
 *		}
 *
 *		static const RmlRatingSpec spec = {"svdpp_train", begin};
 *
 *		RML_RATING_FUNCTIONS(svdpp_train, spec)
 *		{
 *			RmlRatingState *state = rml_rating_begin(fcinfo, &spec);
 *
 *			if (state == NULL)
 *				PG_RETURN_NULL();
 *			rml_rating_make(state, duplicates, transform, &ratings, &users, &items);
 *			... state->params, state->env, state->log.n, state->log.skipped ...
 *			rml_rating_end(state);
 *			PG_RETURN_DATUM(result);
 *		}
 *
 * declares rml_svdpp_train_accum (ids of either kind) and begins rml_svdpp_train_final.
 */
#ifndef RETAILML_RATINGS_SQL_H
#define RETAILML_RATINGS_SQL_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "retailml/ratings.h"

typedef struct RmlRatingSpec
{
	const char *function; /* what errors call it */
	/* the params of these options (NULL: none given); an error for what is wrong with them */
	void *(*begin)(RmlEnv *env, Jsonb *options);
} RmlRatingSpec;

typedef struct RmlRatingState
{
	RmlEnv *env; /* all below lives in it; NULL before the first row */
	Jsonb *options;
	bool constant; /* the query cannot change the options from row to row */
	void *params;  /* made by the spec's begin */
	RmlRatingLog log;
	const char *serial; /* of a state that was only deserialized: its bytes, unaligned */
	bool taken;         /* the rows were handed over within this process */
} RmlRatingState;

/* the body of a transition function: user, item, rating are arguments 1, 2, 3, options 4 if there */
extern Datum rml_rating_accum(FunctionCallInfo fcinfo, const RmlRatingSpec *spec);

/*
 * For a final function: the state in argument 0, its params parsed; NULL when no row is left and
 * the result is NULL.
 */
extern RmlRatingState *rml_rating_begin(FunctionCallInfo fcinfo, const RmlRatingSpec *spec);

/* the ratings of the rows, which are let go of; raises what is wrong with them */
extern void rml_rating_make(RmlRatingState *state, RmlDuplicates duplicates, RmlTransform transform,
							RmlRatings *ratings, RmlRatingIds *users, RmlRatingIds *items);

/* let go of all memory of the state: a plan with many groups keeps all states */
extern void rml_rating_end(RmlRatingState *state);

#define RML_RATING_FUNCTIONS(name, spec) \
	PG_FUNCTION_INFO_V1(rml_##name##_accum); \
	Datum rml_##name##_accum(PG_FUNCTION_ARGS) \
	{ \
		return rml_rating_accum(fcinfo, &(spec)); \
	} \
	PG_FUNCTION_INFO_V1(rml_##name##_final); \
	Datum rml_##name##_final(PG_FUNCTION_ARGS)

#endif /* RETAILML_RATINGS_SQL_H */
