/*
 * info_sql.c
 *	  The sink behind model_info(): named values become one jsonb object.
 */
#include "postgres.h"

#include <math.h>

#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "retailml/info_sql.h"

typedef struct JsonbInfo
{
	RmlInfo info; /* first: RmlInfo * and JsonbInfo * are one address */
	JsonbParseState *state;
	JsonbValue *result;
} JsonbInfo;

static void
push_key(JsonbInfo *sink, const char *key)
{
	JsonbValue value;

	if (key == NULL)
		return;
	value.type = jbvString;
	value.val.string.val = pstrdup(key);
	value.val.string.len = (int) strlen(key);
	pushJsonbValue(&sink->state, WJB_KEY, &value);
}

static void
push_value(RmlInfo *info, const char *key, JsonbValue *value)
{
	JsonbInfo *sink = (JsonbInfo *) info;

	push_key(sink, key);
	pushJsonbValue(&sink->state, key == NULL ? WJB_ELEM : WJB_VALUE, value);
}

static void
put_null(RmlInfo *info, const char *key)
{
	JsonbValue value = {.type = jbvNull};

	push_value(info, key, &value);
}

static void
put_integer(RmlInfo *info, const char *key, int64_t number)
{
	JsonbValue value = {.type = jbvNumeric};

	value.val.numeric = int64_to_numeric(number);
	push_value(info, key, &value);
}

/* all 17 digits: float8_numeric would round to 15 */
static void
put_number(RmlInfo *info, const char *key, double number)
{
	JsonbValue value = {.type = jbvNumeric};
	char *text;

	if (!isfinite(number))
	{
		put_null(info, key);
		return;
	}
	text = DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(number)));
	value.val.numeric =
		DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	push_value(info, key, &value);
}

static void
put_boolean(RmlInfo *info, const char *key, bool truth)
{
	JsonbValue value = {.type = jbvBool};

	value.val.boolean = truth;
	push_value(info, key, &value);
}

static void
put_text(RmlInfo *info, const char *key, const char *text)
{
	JsonbValue value = {.type = jbvString};

	value.val.string.val = pstrdup(text);
	value.val.string.len = (int) strlen(text);
	push_value(info, key, &value);
}

static void
begin_object(RmlInfo *info, const char *key)
{
	JsonbInfo *sink = (JsonbInfo *) info;

	push_key(sink, key);
	pushJsonbValue(&sink->state, WJB_BEGIN_OBJECT, NULL);
}

static void
end_object(RmlInfo *info)
{
	JsonbInfo *sink = (JsonbInfo *) info;

	sink->result = pushJsonbValue(&sink->state, WJB_END_OBJECT, NULL);
}

static void
begin_array(RmlInfo *info, const char *key)
{
	JsonbInfo *sink = (JsonbInfo *) info;

	push_key(sink, key);
	pushJsonbValue(&sink->state, WJB_BEGIN_ARRAY, NULL);
}

static void
end_array(RmlInfo *info)
{
	JsonbInfo *sink = (JsonbInfo *) info;

	pushJsonbValue(&sink->state, WJB_END_ARRAY, NULL);
}

RmlInfo *
rml_info_create(void)
{
	JsonbInfo *sink = palloc0(sizeof(JsonbInfo));

	sink->info = (RmlInfo){
		.integer = put_integer,
		.number = put_number,
		.boolean = put_boolean,
		.text = put_text,
		.null = put_null,
		.begin_object = begin_object,
		.end_object = end_object,
		.begin_array = begin_array,
		.end_array = end_array,
	};
	begin_object(&sink->info, NULL);
	return &sink->info;
}

Datum
rml_info_finish(RmlInfo *info)
{
	end_object(info);
	return JsonbPGetDatum(JsonbValueToJsonb(((JsonbInfo *) info)->result));
}
