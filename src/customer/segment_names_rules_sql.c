/*
 * segment_names_rules_sql.c
 *	  The rules of segment_names as jsonb: a set, a set with columns, or rules of the user's own.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "retailml/segment_names_sql.h"

#define FORM_HINT \
	"Rules are a set ('\"loyalty\"'), a set with columns ('{\"set\": \"purchase\", \"columns\": " \
	"{\"spend\": \"total\"}}'), or an array ('[{\"name\": \"VIP\", \"when\": {\"total\": " \
	"\"high\"}}]')."
#define CONDITION_HINT \
	"A condition is a word (\"high\", \"very low\", ...) or an object with min, max (in units of " \
	"the column), min_z, max_z (in standard deviations), or category with min_share, max_share."

static char *
text_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* the next pair of an object; begin with *it NULL */
static bool
next_pair(JsonbContainer *object, JsonbIterator **it, char **key, JsonbValue *value)
{
	JsonbValue name;

	if (*it == NULL)
	{
		*it = JsonbIteratorInit(object);
		JsonbIteratorNext(it, &name, true);
	}
	if (JsonbIteratorNext(it, &name, true) != WJB_KEY)
		return false;
	*key = text_of(&name);
	JsonbIteratorNext(it, value, true);
	return true;
}

/* "a, b, c" */
static void
append_item(StringInfo list, const char *item)
{
	appendStringInfo(list, "%s%s", list->len > 0 ? ", " : "", item);
}

static void
append_quoted(StringInfo list, const char *item)
{
	append_item(list, psprintf("\"%s\"", item));
}

/* ---- sets ---- */

static RmlSegmentSet
parse_set(const JsonbValue *value)
{
	StringInfoData valid;

	initStringInfo(&valid);
	for (int set = 0; set < RML_SETS; set++)
	{
		if (value->type == jbvString && strcmp(text_of(value), rml_segment_set_names[set]) == 0)
			return (RmlSegmentSet) set;
		append_quoted(&valid, rml_segment_set_names[set]);
	}
	rml_segments_refuse(value->type == jbvString
							? psprintf("segment_names has no set \"%s\"", text_of(value))
							: "key \"set\" of the rules must be a text",
						psprintf("Sets are: %s.", valid.data));
}

static void
refuse_feature(const RmlSegments *segments, const char *what, bool numbers)
{
	const RmlSchema *schema = &segments->model->schema;
	StringInfoData valid;

	initStringInfo(&valid);
	for (int i = 0; i < schema->n_features; i++)
		if (!numbers || schema->features[i].kind != RML_CATEGORICAL)
			append_quoted(&valid, schema->features[i].name);
	rml_segments_refuse(what, psprintf("The %sfeatures of the model are: %s.",
									   numbers ? "numeric " : "", valid.data));
}

/* the trait of a number or a boolean; -1: there is none of that name */
static int
number_trait(const RmlSegmentProfile *profile, const char *feature)
{
	for (int t = 0; t < profile->m; t++)
		if (profile->traits[t].category == NULL && strcmp(profile->traits[t].feature, feature) == 0)
			return t;
	return -1;
}

static int
parse_role(const char *key)
{
	StringInfoData valid;

	initStringInfo(&valid);
	for (int role = 0; role < RML_ROLES; role++)
	{
		if (strcmp(key, rml_segment_role_names[role]) == 0)
			return role;
		append_quoted(&valid, rml_segment_role_names[role]);
	}
	rml_segments_refuse(psprintf("key \"columns\" of the rules has no role \"%s\"", key),
						psprintf("Roles are: %s.", valid.data));
}

static void
parse_columns(const RmlSegments *segments, const JsonbValue *columns, int32_t *roles)
{
	JsonbIterator *it = NULL;
	JsonbValue value;
	char *key;

	if (!is_object(columns))
		rml_segments_refuse("key \"columns\" of the rules must be an object",
							"For example {\"spend\": \"total\"}.");
	while (next_pair(columns->val.binary.data, &it, &key, &value))
	{
		int role = parse_role(key);

		if (value.type != jbvString)
			rml_segments_refuse(psprintf("the column of role \"%s\" must be a text", key), NULL);
		roles[role] = number_trait(&segments->profile, text_of(&value));
		if (roles[role] < 0)
			refuse_feature(segments,
						   psprintf("the column \"%s\" of role \"%s\" is no numeric feature of "
									"the model",
									text_of(&value), key),
						   true);
	}
}

static void
use_set(RmlSegments *segments, RmlSegmentSet set, const int32_t *roles)
{
	RmlSegmentRole lacking = rml_segment_set_lacks(set, roles);
	RmlSegmentRules rules;

	if (lacking != RML_ROLES)
		refuse_feature(segments,
					   psprintf("set \"%s\" needs a feature for \"%s\", and no name of a feature "
								"says that it is one; key \"columns\" of the rules can",
								rml_segment_set_names[set], rml_segment_role_names[lacking]),
					   true);
	rml_segment_set_rules(&rules, segments->env, set, roles);
	rml_segment_name_by_rules(&segments->names, segments->env, &segments->profile, &rules);
}

/* {"set": "purchase", "columns": {"spend": "total"}} */
static void
parse_set_object(RmlSegments *segments, JsonbContainer *object)
{
	RmlSegmentSet set = RML_SET_PURCHASE;
	int32_t roles[RML_ROLES];
	JsonbIterator *it = NULL;
	JsonbValue value;
	char *key;

	rml_segment_roles(&segments->profile, roles);
	while (next_pair(object, &it, &key, &value))
	{
		if (strcmp(key, "set") == 0)
			set = parse_set(&value);
		else if (strcmp(key, "columns") == 0)
			parse_columns(segments, &value, roles);
		else
			rml_segments_refuse(psprintf("the rules of segment_names have no key \"%s\"", key),
								"Valid keys are: \"set\", \"columns\".");
	}
	use_set(segments, set, roles);
}

/* ---- conditions ---- */

/* a rule, and what it is about for errors */
typedef struct Place
{
	const RmlSegments *segments;
	const char *rule;
	const char *feature;
} Place;

static void
refuse_condition(const Place *place, const char *what, const char *hint)
{
	rml_segments_refuse(psprintf("rule \"%s\": the condition on \"%s\" %s", place->rule,
								 place->feature, what),
						hint);
}

static double
parse_bound(const Place *place, const char *key, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		refuse_condition(place, psprintf("has a \"%s\" that is not a number", key), CONDITION_HINT);
	return DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
}

static void
parse_word(const Place *place, const JsonbValue *value, RmlSegmentCondition *condition)
{
	StringInfoData valid;

	if (rml_segment_condition_word(condition, text_of(value)))
		return;
	initStringInfo(&valid);
	for (int i = 0; rml_segment_condition_words(i) != NULL; i++)
		append_quoted(&valid, rml_segment_condition_words(i));
	refuse_condition(place, psprintf("is \"%s\", which is no word for it", text_of(value)),
					 psprintf("Words are: %s.", valid.data));
}

/* the trait of a category */
static int32_t
parse_category(const Place *place, const JsonbValue *value)
{
	const RmlSegmentProfile *profile = &place->segments->profile;
	StringInfoData valid;

	if (value->type != jbvString)
		refuse_condition(place, "has a \"category\" that is not a text", CONDITION_HINT);
	initStringInfo(&valid);
	for (int t = 0; t < profile->m; t++)
	{
		const RmlTrait *trait = &profile->traits[t];

		if (trait->category == NULL || strcmp(trait->feature, place->feature) != 0)
			continue;
		if (strcmp(trait->category, text_of(value)) == 0)
			return t;
		if (valid.len < 500)
			append_quoted(&valid, trait->category);
	}
	refuse_condition(place, psprintf("names \"%s\", which no training row had", text_of(value)),
					 psprintf("Categories are: %s.", valid.data));
	return -1;
}

/* the place of a bound, by its key; NULL: there is none */
static double *
bound_of(RmlSegmentCondition *condition, const char *key, bool category)
{
	if (strcmp(key, "min_z") == 0)
		return &condition->min_z;
	if (strcmp(key, "max_z") == 0)
		return &condition->max_z;
	if (strcmp(key, category ? "min_share" : "min") == 0)
		return &condition->min_mean;
	if (strcmp(key, category ? "max_share" : "max") == 0)
		return &condition->max_mean;
	return NULL;
}

static void
parse_bounds(const Place *place, JsonbContainer *object, bool category,
			 RmlSegmentCondition *condition)
{
	JsonbIterator *it = NULL;
	JsonbValue value;
	char *key;
	int bounds = 0;

	while (next_pair(object, &it, &key, &value))
	{
		double *bound = bound_of(condition, key, category);

		if (category && strcmp(key, "category") == 0)
		{
			condition->trait = parse_category(place, &value);
			continue;
		}
		if (bound == NULL)
			refuse_condition(place, psprintf("has no key \"%s\"", key),
							 category
								 ? "Valid keys are: category, min_share, max_share, min_z, max_z."
								 : "Valid keys are: min, max, min_z, max_z.");
		*bound = parse_bound(place, key, &value);
		bounds++;
	}
	if (bounds == 0)
		refuse_condition(place, "has no bound", CONDITION_HINT);
	if (condition->min_z > condition->max_z || condition->min_mean > condition->max_mean)
		refuse_condition(place, "has a lower bound above its upper bound", NULL);
	if (category && condition->trait < 0)
		refuse_condition(place, "names no category", CONDITION_HINT);
}

static const RmlFeature *
find_feature(const Place *place)
{
	const RmlSchema *schema = &place->segments->model->schema;

	for (int i = 0; i < schema->n_features; i++)
		if (strcmp(schema->features[i].name, place->feature) == 0)
			return &schema->features[i];
	refuse_feature(place->segments,
				   psprintf("rule \"%s\": \"%s\" is no feature of the model", place->rule,
							place->feature),
				   false);
	return NULL;
}

/* which twin comes first: more of what has a lower bound, less of what has an upper one */
static double
weight_of(const RmlSegmentCondition *condition)
{
	bool low = isfinite(condition->min_z) || isfinite(condition->min_mean);
	bool high = isfinite(condition->max_z) || isfinite(condition->max_mean);

	return (double) low - (double) high;
}

static void
parse_condition(const Place *place, const JsonbValue *value, RmlSegmentCondition *condition)
{
	bool category = find_feature(place)->kind == RML_CATEGORICAL;

	*condition = (RmlSegmentCondition){.trait = -1,
									   .min_z = -INFINITY,
									   .max_z = INFINITY,
									   .min_mean = -INFINITY,
									   .max_mean = INFINITY};
	if (!category)
		condition->trait = number_trait(&place->segments->profile, place->feature);
	if (is_object(value))
		parse_bounds(place, value->val.binary.data, category, condition);
	else if (value->type != jbvString)
		refuse_condition(place, "is neither a word nor an object", CONDITION_HINT);
	else if (category)
		refuse_condition(place, "is a word, but the column holds categories",
						 "For example {\"category\": \"PhD\", \"min_share\": 0.5}.");
	else
		parse_word(place, value, condition);
	condition->weight = weight_of(condition);
}

/* ---- rules of the user's own ---- */

static char *
parse_name(RmlEnv *env, int position, const JsonbValue *value)
{
	char *name;

	if (value->type != jbvString || value->val.string.len == 0)
		rml_segments_refuse(
			psprintf("the name of rule %d must be a text that is not empty", position), FORM_HINT);
	name = rml_strndup(env, value->val.string.val, (size_t) value->val.string.len);
	if (name[strspn(name, " \t\r\n")] == '\0')
		rml_segments_refuse(
			psprintf("the name of rule %d must be a text that is not empty", position), FORM_HINT);
	if (strlen(name) > RML_RULE_NAME_MAX)
		rml_segments_refuse(psprintf("the name of rule %d has %d bytes but may have at most %d",
									 position, (int) strlen(name), RML_RULE_NAME_MAX),
							NULL);
	return name;
}

static void
parse_when(const RmlSegments *segments, RmlSegmentRule *rule, const JsonbValue *when)
{
	Place place = {.segments = segments, .rule = rule->name};
	JsonbIterator *it = NULL;
	JsonbValue value;
	char *key;

	if (!is_object(when))
		rml_segments_refuse(psprintf("rule \"%s\": \"when\" must be an object", rule->name),
							FORM_HINT);
	rule->conditions = RML_NEW(segments->env, RmlSegmentCondition,
							   (size_t) JsonContainerSize(when->val.binary.data));
	while (next_pair(when->val.binary.data, &it, &key, &value))
	{
		place.feature = key;
		parse_condition(&place, &value, &rule->conditions[rule->n_conditions++]);
	}
}

static void
parse_rule(const RmlSegments *segments, RmlSegmentRule *rule, int position,
		   const JsonbValue *element)
{
	JsonbIterator *it = NULL;
	JsonbValue value, when = {.type = jbvNull}, name = {.type = jbvNull};
	char *key;

	if (!is_object(element))
		rml_segments_refuse(psprintf("rule %d must be an object", position), FORM_HINT);
	while (next_pair(element->val.binary.data, &it, &key, &value))
	{
		if (strcmp(key, "name") == 0)
			name = value;
		else if (strcmp(key, "when") == 0)
			when = value;
		else
			rml_segments_refuse(psprintf("rule %d has no key \"%s\"", position, key),
								"Valid keys are: \"name\", \"when\".");
	}
	*rule = (RmlSegmentRule){.name = parse_name(segments->env, position, &name)};
	if (when.type != jbvNull)
		parse_when(segments, rule, &when);
}

static void
parse_rules(RmlSegments *segments, JsonbContainer *array)
{
	RmlSegmentRules rules = {0};
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue element;

	rules.rules = RML_NEW(segments->env, RmlSegmentRule, (size_t) JsonContainerSize(array));
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
		if (token == WJB_ELEM)
		{
			parse_rule(segments, &rules.rules[rules.n], rules.n + 1, &element);
			rules.n++;
		}
	rml_segment_name_by_rules(&segments->names, segments->env, &segments->profile, &rules);
}

void
rml_segment_rules_parse(RmlSegments *segments, Jsonb *rules)
{
	int32_t roles[RML_ROLES];
	JsonbValue scalar;

	if (JB_ROOT_IS_OBJECT(rules))
		parse_set_object(segments, &rules->root);
	else if (!JB_ROOT_IS_SCALAR(rules))
		parse_rules(segments, &rules->root);
	else if (JsonbExtractScalar(&rules->root, &scalar) && scalar.type == jbvString)
	{
		RmlSegmentSet set = parse_set(&scalar);

		rml_segment_roles(&segments->profile, roles);
		use_set(segments, set, roles);
	}
	else
		rml_segments_refuse("rules of segment_names must be a text, an object or an array",
							FORM_HINT);
}
