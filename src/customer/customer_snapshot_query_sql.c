/*
 * customer_snapshot_query_sql.c
 *	  The statement behind customer_snapshot.  See customer_snapshot_sql.h for its shape.
 *
 * Columns of the log within the statement: c customer, o order, t time (timestamptz), r the amount
 * as it is, a amount and q quantity as numeric, p product, g category, h channel.  Keys are compared
 * by their text, which works for every type and leaves no choice which of several equal values to
 * show (1.0 or 1.00, "a" or "A" in some collations); integers stay integers, where it is the same
 * and faster.  Signs are those of r: making a numeric of a float8 is slow.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "retailml/customer_snapshot_sql.h"

#define OP(name) " OPERATOR(pg_catalog." name ") "
#define LT OP("<")
#define GE OP(">=")
#define GT OP(">")
#define NE OP("<>")
#define PLUS OP("+")
#define MINUS OP("-")
#define TIMES OP("*")
#define OVER OP("/")

/* days are 24 hours: intervals of days would depend on the session's time zone */
#define DAYS_30 "interval '720 hours'"
#define DAYS_90 "interval '2160 hours'"
#define DAYS_180 "interval '4320 hours'"
#define DAYS_365 "interval '8760 hours'"
#define SINCE(days) "t" GE "($1" MINUS days ")"

#define SUM_IF(what, condition) "pg_catalog.sum(" what ") FILTER (WHERE " condition ")"
#define COUNT_IF(condition) "pg_catalog.count(*) FILTER (WHERE " condition ")"
#define BOUGHT "r" GT "0"
#define SECONDS(from, to) "EXTRACT(epoch FROM " to MINUS from ")"
#define DAYS_OF(from, to) "(" SECONDS(from, to) "::float8" OVER "86400)"

typedef enum Part
{
	PART_LINES,
	PART_ORDERS,
	PART_PRODUCTS,
	PART_CATEGORIES,
	PART_CHANNELS,
	PART_FUTURE,
	PART_FUTURE_ORDERS,
	PARTS
} Part;

/* ---- what the parts compute, one row per customer each */

typedef struct Value
{
	const char *name;
	Part part;
	const char *type;
	const char *expression;
} Value;

static const Value values[] = {
	{"first_at", PART_LINES, "timestamptz", "pg_catalog.min(t) FILTER (WHERE " BOUGHT ")"},
	{"last_at", PART_LINES, "timestamptz", "pg_catalog.max(t) FILTER (WHERE " BOUGHT ")"},
	{"net", PART_LINES, "numeric", "pg_catalog.sum(a)"},
	{"bought", PART_LINES, "numeric", SUM_IF("a", BOUGHT)},
	{"returned", PART_LINES, "numeric", SUM_IF("a", "r" LT "0")},
	{"net_30", PART_LINES, "numeric", SUM_IF("a", SINCE(DAYS_30))},
	{"net_90", PART_LINES, "numeric", SUM_IF("a", SINCE(DAYS_90))},
	{"net_before", PART_LINES, "numeric",
	 SUM_IF("a", SINCE(DAYS_180) " AND t" LT "($1" MINUS DAYS_90 ")")},
	{"net_365", PART_LINES, "numeric", SUM_IF("a", SINCE(DAYS_365))},
	{"lines", PART_LINES, "bigint", COUNT_IF(BOUGHT " AND o IS NOT NULL")},
	{"items", PART_LINES, "numeric", SUM_IF("q", BOUGHT " AND o IS NOT NULL")},
	{"orders", PART_ORDERS, "bigint", "pg_catalog.count(*)"},
	{"first_order", PART_ORDERS, "timestamptz", "pg_catalog.min(t)"},
	{"last_order", PART_ORDERS, "timestamptz", "pg_catalog.max(t)"},
	{"gap_sd", PART_ORDERS, "numeric", "pg_catalog.stddev_samp(gap)"},
	{"orders_30", PART_ORDERS, "bigint", COUNT_IF(SINCE(DAYS_30))},
	{"orders_90", PART_ORDERS, "bigint", COUNT_IF(SINCE(DAYS_90))},
	{"orders_365", PART_ORDERS, "bigint", COUNT_IF(SINCE(DAYS_365))},
	{"weekend", PART_ORDERS, "bigint",
	 COUNT_IF("EXTRACT(isodow FROM pg_catalog.timezone('UTC', t))" GE "6")},
	{"products", PART_PRODUCTS, "bigint", "pg_catalog.count(*)"},
	{"categories", PART_CATEGORIES, "bigint", "pg_catalog.count(*)"},
	{"top_category", PART_CATEGORIES, "pg_catalog.text",
	 "(pg_catalog.array_agg(k ORDER BY a DESC, k))[1]"},
	{"top_category_spend", PART_CATEGORIES, "numeric", "pg_catalog.max(a)"},
	{"category_spend", PART_CATEGORIES, "numeric", "pg_catalog.sum(a)"},
	{"top_channel", PART_CHANNELS, "pg_catalog.text",
	 "(pg_catalog.array_agg(k ORDER BY a DESC, k))[1]"},
	{"top_channel_spend", PART_CHANNELS, "numeric", "pg_catalog.max(a)"},
	{"channel_spend", PART_CHANNELS, "numeric", "pg_catalog.sum(a)"},
	{"future_net", PART_FUTURE, "numeric", "pg_catalog.sum(a)"},
	{"future_lines", PART_FUTURE, "bigint", COUNT_IF(BOUGHT)},
	{"future_orders", PART_FUTURE_ORDERS, "bigint", "pg_catalog.count(*)"},
};

/* ---- the columns of the result, in its order */

typedef struct Column
{
	const char *type;
	const char *expression; /* of the values above, one row per customer */
	RmlLogRole needs;       /* NULL without this role */
	bool outcome;           /* NULL without labels */
} Column;

#define GAP \
	DAYS_OF("first_order", "last_order") OVER "(CASE WHEN orders" GT "1 THEN orders" MINUS "1 END)"
#define RECENCY DAYS_OF("last_at", "$1")
#define PER_ORDER(what) "(" what ")::float8" OVER "(CASE WHEN orders" GT "0 THEN orders END)"
#define MONEY(what) "COALESCE(" what ", 0)"
#define POSITIVE(what) "GREATEST(" what ", 0)"
#define RECENT POSITIVE("net_90")
#define EARLIER POSITIVE("net_before")

static const Column columns[] = {
	{"pg_catalog.text", "c::pg_catalog.text COLLATE pg_catalog.\"C\"", RML_LOG_NONE, false},
	{"float8", RECENCY, RML_LOG_NONE, false},
	{"float8", DAYS_OF("first_at", "$1"), RML_LOG_NONE, false},
	{"bigint", "COALESCE(orders, 0)", RML_LOG_NONE, false},
	{"float8", "net", RML_LOG_NONE, false},
	{"float8", PER_ORDER("net"), RML_LOG_NONE, false},
	{"float8", GAP, RML_LOG_NONE, false},
	{"float8", "gap_sd::float8" OVER "86400", RML_LOG_NONE, false},
	/* orders within a day are one visit: a pause of seconds would make any silence endless */
	{"float8", "CASE WHEN orders" GT "1 THEN " RECENCY OVER "GREATEST(" GAP ", 1) END",
	 RML_LOG_NONE, false},
	{"float8", PER_ORDER("lines"), RML_LOG_NONE, false},
	{"float8", PER_ORDER("items"), RML_LOG_QUANTITY, false},
	{"float8", MONEY("net_30"), RML_LOG_NONE, false},
	{"float8", MONEY("net_90"), RML_LOG_NONE, false},
	{"float8", MONEY("net_365"), RML_LOG_NONE, false},
	{"bigint", "COALESCE(orders_30, 0)", RML_LOG_NONE, false},
	{"bigint", "COALESCE(orders_90, 0)", RML_LOG_NONE, false},
	{"bigint", "COALESCE(orders_365, 0)", RML_LOG_NONE, false},
	{"float8",
	 "CASE WHEN " RECENT PLUS EARLIER GT "0 THEN (" RECENT MINUS EARLIER ")" OVER
	 "(" RECENT PLUS EARLIER ") ELSE 0 END",
	 RML_LOG_NONE, false},
	{"bigint", "COALESCE(products, 0)", RML_LOG_PRODUCT, false},
	{"bigint", "COALESCE(categories, 0)", RML_LOG_CATEGORY, false},
	{"pg_catalog.text", "top_category", RML_LOG_CATEGORY, false},
	{"float8", "top_category_spend" OVER "category_spend", RML_LOG_CATEGORY, false},
	{"pg_catalog.text", "top_channel", RML_LOG_CHANNEL, false},
	{"float8", "top_channel_spend" OVER "channel_spend", RML_LOG_CHANNEL, false},
	{"float8", PER_ORDER("weekend"), RML_LOG_NONE, false},
	{"float8", "COALESCE((" OP("-") "returned)" OVER "bought, 0)", RML_LOG_NONE, false},
	{"boolean", "future_lines IS NULL OR future_lines" OP("=") "0", RML_LOG_NONE, true},
	{"float8", MONEY("future_net"), RML_LOG_NONE, true},
	{"bigint", "COALESCE(future_orders, 0)", RML_LOG_NONE, true},
};

/* ---- the log as the parts see it */

/* a key: its text, or itself where that is the same, faster, and has statistics */
static char *
key_of(const RmlLog *log, RmlLogRole role)
{
	const char *name;

	if (log->column[role] == NULL)
		return "NULL::pg_catalog.text";
	name = quote_identifier(log->column[role]);
	switch (log->type[role])
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return psprintf("l.%s", name);
		default:
			return psprintf("(l.%s)::pg_catalog.text COLLATE pg_catalog.\"C\"", name);
	}
}

static char *
text_of(const RmlLog *log, RmlLogRole role)
{
	if (log->column[role] == NULL)
		return "NULL::pg_catalog.text";
	return psprintf("(l.%s)::pg_catalog.text COLLATE pg_catalog.\"C\"",
					quote_identifier(log->column[role]));
}

static bool
is_zoned(const RmlLog *log)
{
	return log->type[RML_LOG_TIME] == TIMESTAMPTZOID;
}

/* timestamp and date are taken in UTC */
static char *
time_of(const RmlLog *log)
{
	const char *name = quote_identifier(log->column[RML_LOG_TIME]);

	return psprintf(is_zoned(log) ? "l.%s" : "pg_catalog.timezone('UTC', l.%s::timestamp)", name);
}

/* a moment to compare the column itself with: an index or partition bound on it can be used */
static char *
moment(const RmlLog *log, const char *expression)
{
	return psprintf(is_zoned(log) ? "%s" : "pg_catalog.timezone('UTC', %s)", expression);
}

/* true for numbers, without converting any; not for NULL and NaN */
static char *
is_number(const RmlLog *log, RmlLogRole role)
{
	const char *name = quote_identifier(log->column[role]);

	switch (log->type[role])
	{
		case NUMERICOID:
			return psprintf("l.%s" NE "'NaN'::numeric", name);
		case FLOAT4OID:
		case FLOAT8OID:
			return psprintf("l.%s" NE "'NaN'::float8", name);
		default:
			return psprintf("l.%s IS NOT NULL", name);
	}
}

static const char *
quantity_of(const RmlLog *log)
{
	if (log->column[RML_LOG_QUANTITY] == NULL)
		return "NULL::numeric";
	return psprintf("CASE WHEN %s THEN l.%s::numeric END", is_number(log, RML_LOG_QUANTITY),
					quote_identifier(log->column[RML_LOG_QUANTITY]));
}

/* (SELECT ... FROM log WHERE from <= time < to) AS l; an amount of NULL or NaN is no row for us */
static char *
lines_between(const RmlLog *log, const char *from, const char *from_operator, const char *to)
{
	const char *at = quote_identifier(log->column[RML_LOG_TIME]);
	const char *amount = quote_identifier(log->column[RML_LOG_AMOUNT]);

	return psprintf("(SELECT %s AS c, %s AS o, %s AS t, l.%s AS r, l.%s::numeric AS a, %s AS q, "
					"%s AS p, %s AS g, %s AS h FROM %s AS l WHERE l.%s%s%s AND l.%s" LT "%s "
					"AND l.%s IS NOT NULL AND %s) AS lines",
					key_of(log, RML_LOG_CUSTOMER), key_of(log, RML_LOG_ORDER), time_of(log), amount,
					amount, quantity_of(log), key_of(log, RML_LOG_PRODUCT),
					text_of(log, RML_LOG_CATEGORY), text_of(log, RML_LOG_CHANNEL), log->name, at,
					from_operator, moment(log, from), at, moment(log, to),
					quote_identifier(log->column[RML_LOG_CUSTOMER]),
					is_number(log, RML_LOG_AMOUNT));
}

static char *
lines_before(const RmlLog *log)
{
	return lines_between(log, "'-infinity'::timestamptz", GT, "$1");
}

static char *
lines_after(const RmlLog *log)
{
	return lines_between(log, "$1", GE, "$2");
}

/* ---- parts */

/* purchases by customer and another key, with the money spent on it */
static char *
spend_by(const RmlLog *log, const char *key)
{
	return psprintf("(SELECT c, %s AS k, pg_catalog.sum(a) AS a FROM %s "
					"WHERE " BOUGHT " AND %s IS NOT NULL GROUP BY c, %s) AS spend",
					key, lines_before(log), key, key);
}

/* an order is as old as its first line; the gap is to the order before, in seconds */
static char *
orders_before(const RmlLog *log)
{
	return psprintf("(SELECT c, t, " SECONDS(
						"pg_catalog.lag(t) OVER (PARTITION BY c ORDER BY t)",
						"t") " AS gap FROM (SELECT c, o, pg_catalog.min(t) AS t FROM %s "
							 "WHERE " BOUGHT " AND o IS NOT NULL GROUP BY c, o) AS orders) "
							 "AS gaps",
					lines_before(log));
}

static char *
distinct_keys(const char *lines, const char *key)
{
	return psprintf("(SELECT c FROM %s WHERE " BOUGHT " AND %s IS NOT NULL GROUP BY c, %s) AS keys",
					lines, key, key);
}

/* what a part reads; NULL when it is not wanted */
static char *
part_source(const RmlLog *log, Part part, bool labels)
{
	switch (part)
	{
		case PART_LINES:
			return lines_before(log);
		case PART_ORDERS:
			return orders_before(log);
		case PART_PRODUCTS:
			return log->column[RML_LOG_PRODUCT] ? distinct_keys(lines_before(log), "p") : NULL;
		case PART_CATEGORIES:
			return log->column[RML_LOG_CATEGORY] ? spend_by(log, "g") : NULL;
		case PART_CHANNELS:
			return log->column[RML_LOG_CHANNEL] ? spend_by(log, "h") : NULL;
		case PART_FUTURE:
			return labels ? lines_after(log) : NULL;
		case PART_FUTURE_ORDERS:
			return labels ? distinct_keys(lines_after(log), "o") : NULL;
		case PARTS:
			break;
	}
	return NULL;
}

static void
append_part(StringInfo query, Part part, const char *source)
{
	appendStringInfo(query, "%sSELECT c", part > 0 ? " UNION ALL " : "");
	for (int i = 0; i < (int) lengthof(values); i++)
		appendStringInfo(query, ", (%s)::%s AS %s",
						 values[i].part == part ? values[i].expression : "NULL", values[i].type,
						 values[i].name);
	appendStringInfo(query, " FROM %s GROUP BY c", source);
}

static void
append_column(StringInfo query, const RmlLog *log, const Column *column, bool labels)
{
	bool known = (column->needs == RML_LOG_NONE || log->column[column->needs] != NULL) &&
				 (labels || !column->outcome);

	appendStringInfo(query, "(%s)::%s", known ? column->expression : "NULL", column->type);
}

char *
rml_snapshot_query(const RmlLog *log, bool labels)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		appendStringInfoString(&query, i > 0 ? ", " : "");
		append_column(&query, log, &columns[i], labels);
	}
	appendStringInfoString(&query, " FROM (SELECT c");
	for (int i = 0; i < (int) lengthof(values); i++)
		appendStringInfo(&query, ", pg_catalog.max(%s) AS %s", values[i].name, values[i].name);
	appendStringInfoString(&query, " FROM (");
	for (int part = 0; part < PARTS; part++)
	{
		char *source = part_source(log, part, labels);

		if (source != NULL)
			append_part(&query, part, source);
	}
	/* who only returned, or comes later, was no customer yet */
	appendStringInfoString(&query, ") AS parts GROUP BY c) AS customers "
								   "WHERE bought IS NOT NULL ORDER BY 1");
	return query.data;
}

char *
rml_snapshot_reach_query(const RmlLog *log)
{
	const char *at = quote_identifier(log->column[RML_LOG_TIME]);

	return psprintf("SELECT EXISTS (SELECT FROM %s AS l WHERE l.%s" GE "%s AND l.%s" LT "%s)",
					log->name, at, moment(log, "$2"), at, moment(log, "'infinity'::timestamptz"));
}
