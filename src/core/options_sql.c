/*
 * options_sql.c
 *	  Reading options from jsonb.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "retailml/options_sql.h"

typedef struct Parse
{
	RmlEnv *env;
	const char *function;
	const RmlOptionSet *sets;
	int n_sets;
} Parse;

static const RmlOption *
find_option(const Parse *parse, const char *name, void **params)
{
	for (int s = 0; s < parse->n_sets; s++)
		for (int i = 0; i < parse->sets[s].n_options; i++)
			if (strcmp(parse->sets[s].options[i].name, name) == 0)
			{
				*params = parse->sets[s].params;
				return &parse->sets[s].options[i];
			}
	return NULL;
}

static void
refuse_unknown(const Parse *parse, const char *name)
{
	StringInfoData valid;

	initStringInfo(&valid);
	for (int s = 0; s < parse->n_sets; s++)
		for (int i = 0; i < parse->sets[s].n_options; i++)
			appendStringInfo(&valid, "%s%s", valid.len > 0 ? ", " : "",
							 parse->sets[s].options[i].name);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s has no option \"%s\"", parse->function, name),
					valid.len > 0 ? errhint("Valid options are: %s.", valid.data)
								  : errhint("It takes no options.")));
}

/* what an option accepts, as the end of a sentence */
static char *
expected(const RmlOption *option)
{
	StringInfoData text;

	initStringInfo(&text);
	switch (option->type)
	{
		case RML_OPTION_INT:
			appendStringInfo(&text, "an integer from %.0f to %.0f", option->low, option->high);
			break;
		case RML_OPTION_FLOAT:
			appendStringInfo(&text, "a number from %g to %g", option->low, option->high);
			break;
		case RML_OPTION_AUTO:
			appendStringInfo(&text, "\"auto\" or a number from %g to %g", option->low,
							 option->high);
			break;
		case RML_OPTION_BOOL:
			appendStringInfoString(&text, "true or false");
			break;
		case RML_OPTION_CHOICE:
			appendStringInfoString(&text, "one of ");
			for (int i = 0; option->choices[i] != NULL; i++)
				appendStringInfo(&text, "%s\"%s\"", i > 0 ? ", " : "", option->choices[i]);
			break;
		case RML_OPTION_TEXT:
			appendStringInfoString(&text, "a text");
			break;
		case RML_OPTION_NAMES:
			appendStringInfoString(&text, "an array of column names");
			break;
		case RML_OPTION_IDS:
			appendStringInfoString(&text, "an array of ids");
			break;
		case RML_OPTION_WEIGHTS:
			for (int i = 0; option->choices[i] != NULL; i++)
				appendStringInfo(&text, "\"%s\", ", option->choices[i]);
			appendStringInfo(&text, "or an object of numbers from %g to %g", option->low,
							 option->high);
			break;
		case RML_OPTION_OBJECT:
			appendStringInfoString(&text, "an object");
			break;
	}
	return text.data;
}

static char *
value_text(JsonbValue *value)
{
	Jsonb *jsonb = JsonbValueToJsonb(value);

	return JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
}

static void
refuse_value(const Parse *parse, const RmlOption *option, JsonbValue *value)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("option \"%s\" of %s must be %s", option->name, parse->function,
						   expected(option)),
					errdetail("It is %s.", value_text(value))));
}

/* the number, infinite beyond float8, or NaN when the value is none */
static double
number_of(JsonbValue *value)
{
	if (value->type != jbvNumeric)
		return NAN;
	return DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
}

static bool
parse_int(const RmlOption *option, JsonbValue *value, int64_t *result)
{
	double number = number_of(value);

	if (!(number >= option->low && number <= option->high) || number != floor(number))
		return false;
	*result = (int64_t) number;
	return true;
}

static bool
parse_float(const RmlOption *option, JsonbValue *value, double *result)
{
	*result = number_of(value);
	return *result >= option->low && *result <= option->high;
}

static bool
is_text(const JsonbValue *value, const char *text)
{
	return value->type == jbvString && (size_t) value->val.string.len == strlen(text) &&
		   memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

static bool
parse_auto(const RmlOption *option, JsonbValue *value, double *result)
{
	if (!is_text(value, "auto"))
		return parse_float(option, value, result);
	*result = RML_AUTO;
	return true;
}

static bool
parse_choice(const RmlOption *option, JsonbValue *value, int64_t *result)
{
	for (int64_t i = 0; option->choices[i] != NULL; i++)
		if (is_text(value, option->choices[i]))
		{
			*result = i;
			return true;
		}
	return false;
}

/* an element as text, or NULL when it may not be there */
static char *
parse_name(RmlEnv *env, const RmlOption *option, JsonbValue *element)
{
	if (element->type == jbvString)
		return rml_strndup(env, element->val.string.val, element->val.string.len);
	if (element->type == jbvNumeric && option->type == RML_OPTION_IDS)
		return rml_strdup(env, numeric_normalize(element->val.numeric));
	return NULL;
}

static bool
parse_names(RmlEnv *env, const RmlOption *option, JsonbValue *value, RmlNames *result)
{
	JsonbIterator *it;
	JsonbValue element;
	JsonbIteratorToken token;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerIsScalar(value->val.binary.data))
		return false;
	result->n = 0;
	result->names = RML_NEW(env, char *, JsonContainerSize(value->val.binary.data));
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		result->names[result->n] = parse_name(env, option, &element);
		if (result->names[result->n++] == NULL)
			return false;
	}
	return true;
}

/* a word, or {"name": number, ...} */
static bool
parse_weights(RmlEnv *env, const RmlOption *option, JsonbValue *value, RmlWeights *result)
{
	JsonbIterator *it;
	JsonbValue key, number;

	if (parse_choice(option, value, &result->choice))
		return true;
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return false;
	for (result->choice = 0; option->choices[result->choice] != NULL; result->choice++)
		;
	result->n = 0;
	result->names = RML_NEW(env, char *, JsonContainerSize(value->val.binary.data));
	result->numbers = RML_NEW(env, double, JsonContainerSize(value->val.binary.data));
	it = JsonbIteratorInit(value->val.binary.data);
	JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&it, &number, true);
		result->names[result->n] = rml_strndup(env, key.val.string.val, key.val.string.len);
		if (!parse_float(option, &number, &result->numbers[result->n++]))
			return false;
	}
	return true;
}

static bool
parse_value(const Parse *parse, const RmlOption *option, JsonbValue *value, void *field)
{
	switch (option->type)
	{
		case RML_OPTION_INT:
			return parse_int(option, value, field);
		case RML_OPTION_FLOAT:
			return parse_float(option, value, field);
		case RML_OPTION_AUTO:
			return parse_auto(option, value, field);
		case RML_OPTION_BOOL:
			if (value->type == jbvBool)
				*(int64_t *) field = value->val.boolean;
			return value->type == jbvBool;
		case RML_OPTION_CHOICE:
			return parse_choice(option, value, field);
		case RML_OPTION_TEXT:
			if (value->type == jbvString)
				*(char **) field =
					rml_strndup(parse->env, value->val.string.val, value->val.string.len);
			return value->type == jbvString;
		case RML_OPTION_NAMES:
		case RML_OPTION_IDS:
			return parse_names(parse->env, option, value, field);
		case RML_OPTION_WEIGHTS:
			return parse_weights(parse->env, option, value, field);
		case RML_OPTION_OBJECT:
			return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
	}
	return false;
}

static void
parse_pair(const Parse *parse, JsonbValue *key, JsonbValue *value)
{
	char *name = pnstrdup(key->val.string.val, key->val.string.len);
	void *params;
	const RmlOption *option = find_option(parse, name, &params);

	if (option == NULL)
		refuse_unknown(parse, name);
	else if (!parse_value(parse, option, value, (char *) params + option->offset))
		refuse_value(parse, option, value);
}

void
rml_options_parse(RmlEnv *env, const char *function, Jsonb *options, const RmlOptionSet *sets,
				  int n_sets)
{
	const Parse parse = {env, function, sets, n_sets};
	JsonbIterator *it;
	JsonbValue key, value;

	for (int s = 0; s < n_sets; s++)
		rml_options_default(&sets[s]);
	if (options == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("options of %s must be a jsonb object", function),
						errhint("For example '{\"seed\": 7}'.")));
	it = JsonbIteratorInit(&options->root);
	JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&it, &value, true);
		parse_pair(&parse, &key, &value);
	}
}

JsonbValue *
rml_options_find(Jsonb *options, const char *key)
{
	if (options == NULL || !JB_ROOT_IS_OBJECT(options))
		return NULL;
	return getKeyJsonValueFromContainer(&options->root, key, (int) strlen(key), NULL);
}
