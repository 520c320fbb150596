/*
 * sql_expression.c
 *	  Writing SQL: columns, constants, prepared values, sums.
 */
#include "retailml/sql_expression.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024
#define NUMBER_TEXT 40
#define POLL_BYTES 65536 /* of text */

/* terms of a sum side by side: as deep as this in the parsed expression */
#define FLAT_TERMS 64

/* exp() of PostgreSQL fails beyond about 709 and below -745; 1 + exp(-700) is 1 */
#define LARGEST_LOGIT 700

/* the column of a model of arrays */
#define ARRAY_NAME "x"

/* the prepared row */
#define ROW "r."

/* ---- text ---- */

void
rml_expression_refuse(RmlExpression *expression, const char *reason)
{
	if (expression->error == NULL)
		expression->error = reason;
}

static bool
reserve(RmlExpression *expression, size_t bytes)
{
	size_t needed = expression->length + bytes + 1, capacity = expression->capacity;

	if (expression->length + bytes > RML_EXPRESSION_MOST)
		rml_expression_refuse(expression, "it takes more than 20 MB");
	if (expression->error != NULL)
		return false;
	if (needed <= capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	expression->text =
		rml_grow_array(expression->env, expression->text, expression->capacity, capacity, 1);
	expression->capacity = capacity;
	return true;
}

void
rml_write(RmlExpression *expression, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !reserve(expression, (size_t) length))
		return;
	if ((expression->length + (size_t) length) / POLL_BYTES > expression->length / POLL_BYTES)
		rml_poll(expression->env);
	va_start(args, format);
	vsnprintf(expression->text + expression->length, (size_t) length + 1, format, args);
	va_end(args);
	expression->length += (size_t) length;
}

/* the shortest text that reads as this float8 */
static void
shortest(double number, char *text)
{
	for (int digits = 15; digits <= 17; digits++)
	{
		snprintf(text, NUMBER_TEXT, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			return;
	}
}

void
rml_write_number(RmlExpression *expression, double number)
{
	char text[NUMBER_TEXT];

	shortest(number, text);
	rml_write(expression, "'%s'::float8", text);
}

void
rml_write_bound(RmlExpression *expression, double number)
{
	char text[NUMBER_TEXT];

	shortest(number, text);
	rml_write(expression, "%s", text);
}

void
rml_write_category(RmlExpression *expression, const RmlFeature *feature, int32_t code)
{
	rml_write(expression, "%s", expression->quotes->text(feature->categories[code - 1]));
}

/* the column is one of the categories that are wanted (or none of them), which are n > 0 */
static void
write_list(RmlExpression *expression, const RmlFeature *feature, const char *column,
		   const bool *codes, bool wanted, int32_t n)
{
	const char *comma = "";

	rml_write(expression, "%s %s ", column,
			  n == 1   ? wanted ? "=" : "<>"
			  : wanted ? "IN"
					   : "NOT IN");
	rml_write(expression, "%s", n == 1 ? "" : "(");
	for (int32_t code = 1; code <= feature->n_categories; code++)
	{
		if (codes[code] != wanted)
			continue;
		rml_write(expression, "%s", comma);
		rml_write_category(expression, feature, code);
		comma = ", ";
	}
	rml_write(expression, "%s", n == 1 ? "" : ")");
}

void
rml_write_code_test(RmlExpression *expression, const RmlFeature *feature, const char *column,
					const bool *codes)
{
	/* what training did not see cannot be listed, so where it belongs the others are */
	const bool missing = codes[0], wanted = !codes[feature->n_categories + 1];
	int32_t n = 0;

	for (int32_t code = 1; code <= feature->n_categories; code++)
		n += codes[code] == wanted;
	if (n == 0 && missing == wanted)
		rml_write(expression, "%s IS %s", column, missing ? "NULL" : "NOT NULL");
	else if (n == 0)
		rml_write(expression, "%s", wanted ? "false" : "true");
	else
	{
		rml_write(expression, "%s", missing ? "(" : "");
		write_list(expression, feature, column, codes, wanted, n);
		if (missing)
			rml_write(expression, " OR %s IS NULL)", column);
	}
}

/* ---- columns ---- */

static const char *
column_text(const RmlExpression *expression, const RmlFeature *feature, const char *alias)
{
	const RmlQuotes *quotes = expression->quotes;

	if (expression->schema->positional)
		return rml_format(expression->env, "%s[%d]",
						  alias == NULL ? ARRAY_NAME : quotes->name(alias), feature->slot + 1);
	if (alias == NULL)
		return rml_strdup(expression->env, quotes->name(feature->name));
	return rml_format(expression->env, "%s.%s", rml_strdup(expression->env, quotes->name(alias)),
					  quotes->name(feature->name));
}

/* an array's elements have no names of their own, and any would do */
static const char *
value_text(const RmlExpression *expression, const RmlFeature *feature)
{
	if (expression->schema->positional)
		return rml_format(expression->env, ROW "x%d", feature->slot + 1);
	return rml_format(expression->env, ROW "%s", expression->quotes->name(feature->name));
}

void
rml_expression_begin(RmlExpression *expression, RmlEnv *env, const RmlSchema *schema,
					 const RmlQuotes *quotes, const char *alias)
{
	size_t n = (size_t) schema->n_features;

	*expression = (RmlExpression){.env = env, .schema = schema, .quotes = quotes};
	expression->capacity = FIRST_CAPACITY;
	expression->text = rml_alloc(env, FIRST_CAPACITY);
	expression->text[0] = '\0';
	expression->columns = RML_NEW(env, const char *, n);
	expression->values = RML_NEW(env, const char *, n);
	expression->numbers = RML_NEW(env, const RmlFeature *, (size_t) schema->d_num);
	expression->categories = RML_NEW(env, const RmlFeature *, (size_t) schema->d_cat);
	for (size_t i = 0; i < n; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		expression->columns[i] = column_text(expression, feature, alias);
		expression->values[i] = value_text(expression, feature);
		if (feature->kind == RML_CATEGORICAL)
			expression->categories[feature->slot] = feature;
		else
			expression->numbers[feature->slot] = feature;
	}
}

void
rml_write_column(RmlExpression *expression, const RmlFeature *feature)
{
	rml_write(expression, "%s", expression->columns[feature - expression->schema->features]);
}

const char *
rml_value_text(const RmlExpression *expression, const RmlFeature *feature)
{
	return expression->values[feature - expression->schema->features];
}

void
rml_write_value(RmlExpression *expression, const RmlFeature *feature)
{
	rml_write(expression, "%s", rml_value_text(expression, feature));
}

bool
rml_may_hold_nan(const RmlFeature *feature)
{
	return feature->kind == RML_NUMERIC && strcmp(feature->type, "smallint") != 0 &&
		   strcmp(feature->type, "integer") != 0 && strcmp(feature->type, "bigint") != 0;
}

/* the number as float8, NULL when it is missing */
static void
write_known(RmlExpression *expression, const RmlFeature *feature)
{
	bool nan = rml_may_hold_nan(feature);

	rml_write(expression, "%s", nan ? "nullif(" : "");
	rml_write_column(expression, feature);
	rml_write(expression, "%s%s", feature->kind == RML_BOOLEAN ? "::int::float8" : "::float8",
			  nan ? ", 'NaN'::float8)" : "");
}

static void
write_imputed(RmlExpression *expression, const RmlFeature *feature)
{
	if (expression->schema->impute >= RML_IMPUTE_ERROR)
	{
		write_known(expression, feature);
		return;
	}
	rml_write(expression, "coalesce(");
	write_known(expression, feature);
	rml_write(expression, ", ");
	rml_write_number(expression, expression->schema->scaling[feature->slot].impute);
	rml_write(expression, ")");
}

static void
write_prepared_number(RmlExpression *expression, const RmlFeature *feature)
{
	const RmlScaling *scaling = &expression->schema->scaling[feature->slot];
	bool centred = scaling->centre != 0.0, scaled = scaling->scale != 1.0;

	rml_write(expression, "%s%s", scaled ? "(" : "", centred ? "(" : "");
	write_imputed(expression, feature);
	if (centred)
	{
		rml_write(expression, " - ");
		rml_write_number(expression, scaling->centre);
		rml_write(expression, ")");
	}
	if (scaled)
	{
		rml_write(expression, " / ");
		rml_write_number(expression, scaling->scale);
		rml_write(expression, ")");
	}
}

void
rml_write_prepared(RmlExpression *expression, const RmlFeature *feature)
{
	if (feature->kind != RML_CATEGORICAL)
	{
		write_prepared_number(expression, feature);
		return;
	}
	rml_write(expression, "(");
	rml_write_column(expression, feature);
	rml_write(expression, "::text COLLATE \"C\")");
}

/* ---- the prepared row ---- */

void
rml_write_row_begin(RmlExpression *expression)
{
	rml_write(expression, "(SELECT ");
}

void
rml_write_row_end(RmlExpression *expression, const bool *used)
{
	const char *comma = "";

	rml_write(expression, " FROM (SELECT ");
	for (int i = 0; i < expression->schema->n_features; i++)
	{
		if (used != NULL && !used[i])
			continue;
		rml_write(expression, "%s", comma);
		rml_write_prepared(expression, &expression->schema->features[i]);
		rml_write(expression, " AS %s", expression->values[i] + strlen(ROW));
		comma = ", ";
	}
	rml_write(expression, " OFFSET 0) AS r)");
}

/* ---- formulas ---- */

/* terms [begin, end), more than one of them in parentheses */
static void
write_terms(RmlExpression *expression, int64_t begin, int64_t end, RmlTermFn term,
			const void *context)
{
	int64_t middle = begin + (end - begin) / 2;

	if (expression->error != NULL)
		return;
	rml_write(expression, "(");
	if (end - begin <= FLAT_TERMS)
		for (int64_t i = begin; i < end; i++)
		{
			rml_write(expression, "%s", i > begin ? " + " : "");
			term(expression, context, i);
		}
	else
	{
		write_terms(expression, begin, middle, term, context);
		rml_write(expression, " + ");
		write_terms(expression, middle, end, term, context);
	}
	rml_write(expression, ")");
}

void
rml_write_sum(RmlExpression *expression, int64_t n, RmlTermFn term, const void *context)
{
	if (n == 0)
		rml_write_number(expression, 0.0);
	else if (n == 1)
		term(expression, context, 0);
	else
		write_terms(expression, 0, n, term, context);
}

void
rml_write_logistic_begin(RmlExpression *expression)
{
	rml_write(expression, "(1 / (1 + exp(-greatest(-%d, least(%d, ", LARGEST_LOGIT, LARGEST_LOGIT);
}

void
rml_write_logistic_end(RmlExpression *expression)
{
	rml_write(expression, ")))))");
}

void
rml_write_argmax(RmlExpression *expression, int64_t n, RmlTermFn term, const void *context)
{
	rml_write(expression, "(SELECT s.class::float8 FROM (VALUES ");
	for (int64_t i = 0; i < n && expression->error == NULL; i++)
	{
		rml_write(expression, "%s(%lld, ", i > 0 ? ", " : "", (long long) i + 1);
		term(expression, context, i);
		rml_write(expression, ")");
	}
	rml_write(expression, ") AS s(class, score) ORDER BY s.score DESC, s.class LIMIT 1)");
}

/* ---- models ---- */

/* true when a value of the row is missing, for models that have no answer then */
static void
write_any_missing(RmlExpression *expression)
{
	const RmlSchema *schema = expression->schema;

	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		rml_write(expression, "%s", i > 0 ? " OR " : "");
		if (feature->kind == RML_CATEGORICAL)
			rml_write_column(expression, feature);
		else
			write_known(expression, feature);
		rml_write(expression, " IS NULL");
	}
}

void
rml_expression_of_model(RmlExpression *expression, const RmlModel *model)
{
	const RmlSchema *schema = expression->schema;
	bool strict = schema->impute >= RML_IMPUTE_ERROR && schema->n_features > 0;

	if (strict)
	{
		rml_write(expression, "CASE WHEN ");
		write_any_missing(expression);
		rml_write(expression, " THEN NULL ELSE ");
	}
	model->algorithm->expression(model->fitted, schema, expression);
	if (strict)
		rml_write(expression, " END");
}
