/*
 * segment_levers_sql.c
 *	  segment_levers: what to do with each segment of a model, or with a segment of that name.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "retailml/env_sql.h"
#include "retailml/rfm.h"
#include "retailml/segment_levers.h"
#include "retailml/segment_names_sql.h"

PG_FUNCTION_INFO_V1(rml_sql_segment_levers_model);
PG_FUNCTION_INFO_V1(rml_sql_segment_levers_name);

/* ---- levers of the user's own ---- */

#define LEVERS_HINT "For example '{\"High Spenders\": \"Invite them to the preview evening.\"}'."

static void
check_levers(Jsonb *levers)
{
	JsonbIterator *it;
	JsonbValue key, value;

	if (!JB_ROOT_IS_OBJECT(levers))
		rml_segments_refuse("levers of segment_levers must be a jsonb object", LEVERS_HINT);
	it = JsonbIteratorInit(&levers->root);
	JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&it, &value, true);
		if (value.type != jbvString || value.val.string.len == 0)
			rml_segments_refuse(psprintf("the lever of \"%s\" must be a text that is not empty",
										 pnstrdup(key.val.string.val, key.val.string.len)),
								LEVERS_HINT);
	}
}

/* the second argument, checked; NULL: none */
static Jsonb *
levers_argument(FunctionCallInfo fcinfo)
{
	Jsonb *levers = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);

	if (levers != NULL)
		check_levers(levers);
	return levers;
}

static char *
own_lever(Jsonb *levers, const char *name)
{
	JsonbValue *value = levers == NULL ? NULL
									   : getKeyJsonValueFromContainer(&levers->root, name,
																	  (int) strlen(name), NULL);

	return value == NULL ? NULL : pnstrdup(value->val.string.val, value->val.string.len);
}

/* the user's lever of a name, or of that of which it is a twin; else the built-in one; or NULL */
static const char *
lever_of_name(RmlEnv *env, Jsonb *levers, const char *name)
{
	const char *lever = own_lever(levers, name);

	if (lever == NULL)
		lever = own_lever(levers, rml_segment_base_name(env, name));
	return lever != NULL ? lever : rml_segment_name_lever(env, name);
}

/* ---- rows ---- */

/* cluster, name, lever, reason */
#define LEVER_COLUMNS 4

/* cluster 0: the segment has no number */
static void
put_lever(ReturnSetInfo *result, int32 cluster, const char *name, const char *lever,
		  const char *reason)
{
	Datum values[LEVER_COLUMNS] = {0};
	bool nulls[LEVER_COLUMNS] = {cluster == 0};

	values[0] = Int32GetDatum(cluster);
	values[1] = CStringGetTextDatum(name);
	values[2] = CStringGetTextDatum(lever);
	values[3] = CStringGetTextDatum(reason);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* what is known of a segment by its name alone */
static void
put_name(ReturnSetInfo *result, RmlEnv *env, Jsonb *levers, const char *name)
{
	const RmlRfmSegment *segment = rml_rfm_segment(rml_segment_base_name(env, name));
	const char *lever = lever_of_name(env, levers, name);
	const char *reason = "Segments of this name have a lever of their own.";

	if (segment != NULL)
		reason = segment->description;
	else if (lever == NULL)
		reason = "Nothing is known of the segment but its name.";
	put_lever(result, 0, name, lever != NULL ? lever : rml_segment_any_lever, reason);
}

static void
put_clusters(ReturnSetInfo *result, FunctionCallInfo fcinfo, Jsonb *levers)
{
	RmlSegments segments;

	rml_segments_argument(&segments, fcinfo, "segment_levers");
	for (int i = 0; i < segments.profile.k; i++)
	{
		int segment = segments.order[i];
		const char *name = segments.names.names[segment];
		const char *lever = lever_of_name(segments.env, levers, name);

		CHECK_FOR_INTERRUPTS();
		if (lever == NULL)
			lever = rml_segment_profile_lever(segments.env, &segments.profile, segment);
		put_lever(result, segments.clusters.ids->numbers[segment], name, lever,
				  rml_segment_reason(segments.env, &segments.profile, &segments.names, segment));
	}
}

/* an rfm model has segments without numbers */
static void
put_rfm_segments(ReturnSetInfo *result, const RmlModel *model, Jsonb *levers)
{
	const RmlRfmMap *map = &((const RmlRfm *) model->fitted)->map;

	for (int i = 0; i < map->n_segments; i++)
		put_name(result, model->env, levers, map->segments[i]);
}

Datum
rml_sql_segment_levers_model(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Jsonb *levers;
	RmlModel *model;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	levers = levers_argument(fcinfo);
	model = rml_model_argument(fcinfo, 0, 0);
	if (model->algorithm->id == RML_ALGORITHM_RFM)
		put_rfm_segments(result, model, levers);
	else
		put_clusters(result, fcinfo, levers);
	return (Datum) 0;
}

Datum
rml_sql_segment_levers_name(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlEnv *env;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	env = rml_pg_env_create(CurrentMemoryContext, "segment_levers");
	put_name(result, env, levers_argument(fcinfo), text_to_cstring(PG_GETARG_TEXT_PP(0)));
	return (Datum) 0;
}
