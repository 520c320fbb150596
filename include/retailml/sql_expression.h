/*
 * sql_expression.h
 *	  A model as one SQL expression that a server without retailml can evaluate.
 *
 * The expression is written over the columns the model was trained on, and uses only what every
 * PostgreSQL has: arithmetic, CASE, coalesce, and scalar subselects.  It prepares the row as the schema
 * does (schema.h): a missing number (NULL, NaN) is imputed, a category compared by its bytes,
 * NULL being a category of its own.
 *
 * A column is written as alias.column, or column without an alias.  Models of arrays have no
 * names: their columns are the elements of one column, alias[1], alias[2], ... (x[1], ...
 * without an alias).
 *
 * Values that occur often are prepared once, in a subselect that an algorithm writes its formula
 * around:
 *
 *	  (SELECT formula over r.column FROM (SELECT prepared AS column, ... OFFSET 0) AS r)
 *
 * (OFFSET 0 keeps the planner from copying the preparation to wherever it is used.)  The innermost
 * SELECT has no FROM, so no name in it can be taken for another than the caller's.
 *
 * How a text is quoted is the host's to say.  What makes the model impossible to write is kept as the
 * first reason in error; later writing has no effect, so that a writer need not ask at every step.
 */
#ifndef RETAILML_SQL_EXPRESSION_H
#define RETAILML_SQL_EXPRESSION_H

#include "retailml/registry.h"

/* bytes of an expression: what a server still reads and plans within seconds */
#define RML_EXPRESSION_MOST ((size_t) 20 * 1000 * 1000)

/* one inside the other, CASEs of a server with max_stack_depth of 2 MB */
#define RML_EXPRESSION_NESTED 400

typedef struct RmlQuotes
{
	const char *(*name)(const char *text); /* of a column or table */
	const char *(*text)(const char *text);
} RmlQuotes;

struct RmlExpression
{
	RmlEnv *env;
	const RmlSchema *schema;
	const RmlQuotes *quotes;
	const char **columns;          /* [n_features] as the caller's query knows them */
	const char **values;           /* [n_features] in the prepared row: r.column */
	const RmlFeature **numbers;    /* [d_num] by slot */
	const RmlFeature **categories; /* [d_cat] by slot */
	char *text;                    /* ends with a zero byte */
	size_t length;
	size_t capacity;
	const char *error; /* NULL, or why the model cannot be written */
};

/* alias may be NULL */
extern void rml_expression_begin(RmlExpression *expression, RmlEnv *env, const RmlSchema *schema,
								 const RmlQuotes *quotes, const char *alias);

/* the whole predict() of a model; NULL for the algorithm's expression: see error */
extern void rml_expression_of_model(RmlExpression *expression, const RmlModel *model);

extern void rml_expression_refuse(RmlExpression *expression, const char *reason);

extern void rml_write(RmlExpression *expression, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* a float8 constant, every bit of it */
extern void rml_write_number(RmlExpression *expression, double number);

/* the same to compare a float8 with, easier to read: 3.5 */
extern void rml_write_bound(RmlExpression *expression, double number);

/* a category's text as a literal */
extern void rml_write_category(RmlExpression *expression, const RmlFeature *feature, int32_t code);

/*
 * True for the codes [n_categories + 2] of a category that are set: 0 missing, then the categories,
 * then all others; false or NULL for the rest.  column is the text to compare.
 */
extern void rml_write_code_test(RmlExpression *expression, const RmlFeature *feature,
								const char *column, const bool *codes);

/* the column as the caller's query knows it */
extern void rml_write_column(RmlExpression *expression, const RmlFeature *feature);

/* its prepared value: a float8, or for a category a text that is compared by its bytes */
extern void rml_write_prepared(RmlExpression *expression, const RmlFeature *feature);

/* the column of the prepared row */
extern const char *rml_value_text(const RmlExpression *expression, const RmlFeature *feature);
extern void rml_write_value(RmlExpression *expression, const RmlFeature *feature);

/*
 * Around a formula over the prepared row: only the features [n_features] with used are in it (NULL:
 * all).
 */
extern void rml_write_row_begin(RmlExpression *expression);
extern void rml_write_row_end(RmlExpression *expression, const bool *used);

/* can this column hold NaN? */
extern bool rml_may_hold_nan(const RmlFeature *feature);

/* a term of a sum or of a list */
typedef void (*RmlTermFn)(RmlExpression *expression, const void *context, int64_t i);

/* (a + b + c): nested in halves, so that a long sum is not a deep one; 0 without terms */
extern void rml_write_sum(RmlExpression *expression, int64_t n, RmlTermFn term,
						  const void *context);

/* 1 / (1 + exp(-score)), where PostgreSQL's exp would fail on a large score; around a score */
extern void rml_write_logistic_begin(RmlExpression *expression);
extern void rml_write_logistic_end(RmlExpression *expression);

/*
 * 1 + the number of the largest of n scores, the first of those that are equal.  The scores are
 * terms that may use the prepared row; a formula around which row_begin and row_end go.
 */
extern void rml_write_argmax(RmlExpression *expression, int64_t n, RmlTermFn term,
							 const void *context);

#endif /* RETAILML_SQL_EXPRESSION_H */
