/*
 * match_model_sql.c
 *	  match_model: a new model with the numbers and names of the old one it continues.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "retailml/agg_sql.h"
#include "retailml/env_sql.h"
#include "retailml/match_model.h"
#include "retailml/model_sql.h"
#include "retailml/options_sql.h"
#include "retailml/segment_names.h"

PG_FUNCTION_INFO_V1(rml_match_model_sql);

static RmlMatchSide
read_side(FunctionCallInfo fcinfo, int argument, RmlModel **model, RmlClusters *clusters)
{
	*model = rml_cluster_model_argument(fcinfo, argument, clusters);
	return (RmlMatchSide){&(*model)->schema, clusters,
						  rml_segment_names((*model)->env, &(*model)->schema, clusters)};
}

/* without an old model the new one begins a chain: it stays as it is */
Datum
rml_match_model_sql(PG_FUNCTION_ARGS)
{
	RmlEnv *env = rml_pg_env_create(CurrentMemoryContext, "match_model");
	Jsonb *options = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	RmlMatchParams params;
	const RmlOptionSet set = {rml_match_options, rml_match_n_options, &params};
	RmlModel *new_model, *old_model;
	RmlClusters new_clusters, old_clusters;
	RmlMatchSide new_side, old_side;

	rml_options_parse(env, "match_model", options, &set, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	new_side = read_side(fcinfo, 0, &new_model, &new_clusters);
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	old_side = read_side(fcinfo, 1, &old_model, &old_clusters);
	rml_pg_env_check_room(env, rml_match_bytes(&new_side, &old_side));
	rml_refuse("match_model",
			   rml_match_model(env, &params, &new_side, &old_side, new_clusters.ids));
	PG_RETURN_DATUM(rml_model_bytea(new_model));
}
