/*
 * segment_names_sql.c
 *	  segment_names and rename_segments, and how the functions on segments get at a model.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "retailml/env_sql.h"
#include "retailml/segment_names_sql.h"

PG_FUNCTION_INFO_V1(rml_sql_segment_names);
PG_FUNCTION_INFO_V1(rml_sql_rename_segments);

/* ---- a model and its segments ---- */

void
rml_segments_argument(RmlSegments *segments, FunctionCallInfo fcinfo, const char *function)
{
	RmlClusters *clusters = &segments->clusters;

	segments->env = rml_pg_env_create(CurrentMemoryContext, function);
	segments->model = rml_cluster_model_argument(fcinfo, 0, clusters);
	rml_pg_env_check_room(segments->env,
						  rml_segment_profile_bytes(&segments->model->schema, clusters));
	rml_segment_profile(&segments->profile, segments->env, &segments->model->schema, clusters);
	rml_segment_name(&segments->names, segments->env, &segments->profile, clusters->ids);
	segments->order = rml_segment_ids_order(clusters->ids, segments->env, clusters->k);
}

double
rml_segment_share(const RmlSegments *segments, int segment)
{
	const RmlSegmentProfile *profile = &segments->profile;

	return profile->rows > 0 ? (double) profile->sizes[segment] / (double) profile->rows : 0;
}

void
rml_segments_refuse(const char *message, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message),
					hint != NULL ? errhint("%s", hint) : 0));
	pg_unreachable();
}

/* ---- segment_names ---- */

/* cluster, name, reason */
#define NAME_COLUMNS 3

Datum
rml_sql_segment_names(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlSegments segments;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	rml_segments_argument(&segments, fcinfo, "segment_names");
	if (!PG_ARGISNULL(1))
		rml_segment_rules_parse(&segments, PG_GETARG_JSONB_P(1));
	for (int i = 0; i < segments.profile.k; i++)
	{
		int segment = segments.order[i];
		Datum values[NAME_COLUMNS];
		bool nulls[NAME_COLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum(segments.clusters.ids->numbers[segment]);
		values[1] = CStringGetTextDatum(segments.names.names[segment]);
		values[2] = CStringGetTextDatum(
			rml_segment_reason(segments.env, &segments.profile, &segments.names, segment));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* ---- rename_segments ---- */

static void
refuse_number(const RmlSegments *segments, const char *key)
{
	StringInfoData valid;

	initStringInfo(&valid);
	for (int i = 0; i < segments->profile.k; i++)
		appendStringInfo(&valid, "%s%d", i > 0 ? ", " : "",
						 segments->clusters.ids->numbers[segments->order[i]]);
	rml_segments_refuse(psprintf("the model has no cluster \"%s\"", key),
						psprintf("The clusters are: %s.", valid.data));
}

/* the position of the cluster that a key names, written as SQL writes it */
static int
find_cluster(const RmlSegments *segments, const char *key)
{
	const int32_t *numbers = segments->clusters.ids->numbers;
	long number = strtol(key, NULL, 10);

	for (int i = 0; i < segments->profile.k; i++)
		if (numbers[i] == number && strcmp(psprintf("%d", numbers[i]), key) == 0)
			return i;
	refuse_number(segments, key);
	return -1;
}

static char *
checked_name(RmlEnv *env, const char *key, const JsonbValue *value)
{
	char *name;

	if (value->type != jbvString)
		rml_segments_refuse(psprintf("the name of cluster %s is not a text", key),
							"For example '{\"1\": \"VIP\", \"3\": \"New\"}'.");
	name = rml_strndup(env, value->val.string.val, (size_t) value->val.string.len);
	if (name[strspn(name, " \t\r\n")] == '\0')
		rml_segments_refuse(psprintf("the name of cluster %s is empty", key), NULL);
	if (strlen(name) > RML_SEGMENT_NAME_MAX)
		rml_segments_refuse(psprintf("the name of cluster %s has %d bytes but may have at most %d",
									 key, (int) strlen(name), RML_SEGMENT_NAME_MAX),
							NULL);
	return name;
}

typedef struct NumberedName
{
	const char *name;
	int32_t number;
} NumberedName;

static int
compare_names(const void *a, const void *b)
{
	const NumberedName *p = a, *q = b;
	int order = strcmp(p->name, q->name);

	return order != 0 ? order : (p->number > q->number) - (p->number < q->number);
}

static void
refuse_duplicates(const RmlSegments *segments, char *const *names)
{
	int k = segments->profile.k;
	NumberedName *sorted = RML_NEW(segments->env, NumberedName, (size_t) k);

	for (int i = 0; i < k; i++)
		sorted[i] = (NumberedName){names[i], segments->clusters.ids->numbers[i]};
	qsort(sorted, (size_t) k, sizeof(NumberedName), compare_names);
	for (int i = 1; i < k; i++)
		if (strcmp(sorted[i - 1].name, sorted[i].name) == 0)
			rml_segments_refuse(psprintf("clusters %d and %d would both be called \"%s\"",
										 sorted[i - 1].number, sorted[i].number, sorted[i].name),
								"Names are unique within a model.");
}

Datum
rml_sql_rename_segments(PG_FUNCTION_ARGS)
{
	Jsonb *object = PG_GETARG_JSONB_P(1);
	RmlSegments segments;
	char **names;
	JsonbIterator *it;
	JsonbValue key, value;

	rml_segments_argument(&segments, fcinfo, "rename_segments");
	if (!JB_ROOT_IS_OBJECT(object))
		rml_segments_refuse("names of rename_segments must be a jsonb object",
							"For example '{\"1\": \"VIP\", \"3\": \"New\"}'.");
	names = RML_NEW(segments.env, char *, (size_t) segments.profile.k);
	memcpy(names, segments.names.names, sizeof(char *) * (size_t) segments.profile.k);
	it = JsonbIteratorInit(&object->root);
	JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char *number = pnstrdup(key.val.string.val, key.val.string.len);

		CHECK_FOR_INTERRUPTS();
		JsonbIteratorNext(&it, &value, true);
		names[find_cluster(&segments, number)] = checked_name(segments.env, number, &value);
	}
	refuse_duplicates(&segments, names);
	segments.clusters.ids->names = names;
	PG_RETURN_DATUM(rml_model_bytea(segments.model));
}
