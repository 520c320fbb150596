/*
 * segment_rules_sql.c
 *	  segment_rules: the rules as predicates, ready to be put behind WHERE.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "retailml/agg_sql.h"
#include "retailml/options_sql.h"
#include "retailml/segment_rules.h"

/* what elements of an array are taken from in a predicate */
#define ARRAY_NAME "x"

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	RmlSegmentRulesParams *params = RML_NEW_ZERO(env, RmlSegmentRulesParams, 1);
	RmlOptionSet sets[] = {*row_options,
						   {rml_segment_rules_options, RML_SEGMENT_RULES_OPTIONS, params}};

	rml_options_parse(env, "segment_rules", options, sets, lengthof(sets));
	return params;
}

static size_t
bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	return rml_segment_rules_bytes(n, d_num, d_cat, threads);
}

/* ---- rows ---- */

static void
notice_label(const RmlFit *fit, const RmlRuleRows *rows, bool *ignored)
{
	for (int i = 0; i < fit->schema.n_features; i++)
	{
		const RmlFeature *feature = &fit->schema.features[i];

		if (feature->kind == RML_CATEGORICAL ||
			!rml_segment_rules_is_label(fit->env, rows, feature->slot))
			continue;
		ignored[feature->slot] = true;
		ereport(NOTICE,
				(errmsg("column \"%s\" is the cluster itself: rules do not use it", feature->name),
				 errhint("Leave it out with the option {\"exclude\": [\"%s\"]}.", feature->name)));
	}
}

static void
describe_rows(const RmlFit *fit, RmlRuleRows *rows)
{
	RmlEnv *env = fit->env;
	int32_t *n_categories = RML_NEW(env, int32_t, fit->matrix.d_cat);
	bool *rounded = RML_NEW(env, bool, fit->matrix.d_num);
	bool *ignored = RML_NEW_ZERO(env, bool, fit->matrix.d_num);

	for (int i = 0; i < fit->schema.n_features; i++)
	{
		const RmlFeature *feature = &fit->schema.features[i];

		if (feature->kind == RML_CATEGORICAL)
			n_categories[feature->slot] = feature->n_categories;
		else
			rounded[feature->slot] = (feature->traits & RML_HOLDS_ROUNDED) != 0;
	}
	*rows = (RmlRuleRows){.n = fit->matrix.n,
						  .d_num = fit->matrix.d_num,
						  .d_cat = fit->matrix.d_cat,
						  .numbers = fit->matrix.numbers,
						  .codes = fit->matrix.codes,
						  .n_categories = n_categories,
						  .rounded = rounded,
						  .ignored = ignored,
						  .labels = fit->labels};
	notice_label(fit, rows, ignored);
}

/* ---- predicates ---- */

/* the column as SQL writes it */
static const char *
column_text(const RmlFit *fit, const RmlFeature *feature)
{
	if (fit->schema.positional)
		return psprintf("%s[%d]", ARRAY_NAME, feature->slot + 1);
	if (feature->traits & RML_LOOSE_EQUAL)
		return psprintf("%s COLLATE \"C\"", quote_identifier(feature->name));
	return quote_identifier(feature->name);
}

static void
append_boolean(StringInfo text, const char *column, RmlRuleTest test)
{
	appendStringInfo(text, test == RML_RULE_ABOVE ? "%s" : "NOT %s", column);
}

/* NaN is missing to a rule, but greater than every number to SQL */
static void
append_bound(StringInfo text, const char *column, const RmlRuleCondition *condition,
			 bool exclude_nan)
{
	if (condition->test == RML_RULE_UP_TO)
		appendStringInfo(text, "%s <= %s", column, condition->literal);
	else if (exclude_nan)
		appendStringInfo(text, "%s > %s AND %s <> 'NaN'", column, condition->literal, column);
	else
		appendStringInfo(text, "%s > %s", column, condition->literal);
}

static const char *
category_text(const RmlFeature *feature, int32_t code)
{
	return quote_literal_cstr(feature->categories[code - 1]);
}

/* "= 'a'", "IN ('a', 'b')" and their opposites over codes [n], none of them missing */
static void
append_list(StringInfo text, const char *column, const RmlFeature *feature, const int32_t *codes,
			int n, bool one_of)
{
	if (n == 1)
	{
		appendStringInfo(text, "%s %s %s", column, one_of ? "=" : "<>",
						 category_text(feature, codes[0]));
		return;
	}
	appendStringInfo(text, "%s %s (", column, one_of ? "IN" : "NOT IN");
	for (int i = 0; i < n; i++)
		appendStringInfo(text, "%s%s", i > 0 ? ", " : "", category_text(feature, codes[i]));
	appendStringInfoChar(text, ')');
}

static void
append_category(StringInfo text, const char *column, const RmlFeature *feature,
				const RmlRuleCondition *condition)
{
	bool missing = condition->codes[0] == 0;
	int n = condition->n_codes - missing;

	if (!missing)
		append_list(text, column, feature, condition->codes, n, condition->test == RML_RULE_ONE_OF);
	else if (n == 0)
		appendStringInfo(text, "%s IS NULL", quote_identifier(feature->name));
	else
	{
		appendStringInfoChar(text, '(');
		append_list(text, column, feature, condition->codes + 1, n, true);
		appendStringInfo(text, " OR %s IS NULL)", quote_identifier(feature->name));
	}
}

/* the conditions on one column */
static void
append_column(StringInfo text, const RmlFit *fit, const RmlFeature *feature,
			  const RmlSegmentRule *rule)
{
	const char *column = column_text(fit, feature);
	bool bounded = false;

	for (int i = 0; i < rule->n_conditions; i++)
	{
		const RmlRuleCondition *condition = &rule->conditions[i];

		if (condition->slot == feature->slot && condition->test == RML_RULE_UP_TO)
			bounded = true;
	}
	for (int i = 0; i < rule->n_conditions; i++)
	{
		const RmlRuleCondition *condition = &rule->conditions[i];
		bool category = condition->test >= RML_RULE_ONE_OF;

		if (condition->slot != feature->slot || category != (feature->kind == RML_CATEGORICAL))
			continue;
		if (text->len > 0)
			appendStringInfoString(text, " AND ");
		if (category)
			append_category(text, column, feature, condition);
		else if (feature->kind == RML_BOOLEAN)
			append_boolean(text, column, condition->test);
		else
			append_bound(text, column, condition,
						 !bounded && (feature->traits & RML_HOLDS_NAN) != 0);
	}
}

static const char *
predicate(const RmlFit *fit, const RmlSegmentRule *rule)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < fit->schema.n_features; i++)
		append_column(&text, fit, &fit->schema.features[i], rule);
	if (text.len == 0)
		appendStringInfoString(&text, "true");
	return text.data;
}

/* ---- the result: an array of retailml.segment_rule ---- */

#define RULE_COLUMNS 7

static Datum
rule_datum(const RmlFit *fit, const RmlSegmentRule *rule, TupleDesc descriptor)
{
	Datum values[RULE_COLUMNS];
	bool nulls[RULE_COLUMNS] = {false};

	values[0] = Int32GetDatum(rule->cluster);
	values[1] = CStringGetTextDatum(predicate(fit, rule));
	values[2] = Float8GetDatum(rule->precision);
	values[3] = Float8GetDatum(rule->recall);
	values[4] = Int64GetDatum(rule->n);
	values[5] = Float8GetDatum(rule->f1);
	values[6] = Int32GetDatum(rule->n_conditions);
	return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

static Datum
fit_rules(RmlFit *fit)
{
	Oid type = get_element_type(fit->result_type);
	TupleDesc descriptor = lookup_rowtype_tupdesc(type, -1);
	RmlRuleRows rows;
	RmlSegmentRule *rules;
	Datum *datums;
	ArrayType *result;
	int n;

	describe_rows(fit, &rows);
	rml_refuse(fit->function, rml_segment_rules_check(fit->env, &rows));
	rules = rml_segment_rules(fit->env, fit->params, &rows, &n);
	datums = palloc(sizeof(Datum) * Max(n, 1));
	for (int i = 0; i < n; i++)
		datums[i] = rule_datum(fit, &rules[i], descriptor);
	ReleaseTupleDesc(descriptor);
	result = construct_array(datums, n, type, -1, false, TYPALIGN_DOUBLE);
	return PointerGetDatum(result);
}

static const RmlFitSpec rules_spec = {
	.function = "segment_rules",
	.label_name = "cluster",
	.categories = true,
	.raw = true,
	.begin = begin,
	.bytes = bytes,
	.fit = fit_rules,
};

RML_FIT_FUNCTIONS(segment_rules, rules_spec);
