/*
 * customer_snapshot_sql.h
 *	  What is known about each customer at one moment, and what came after it, from a purchase log.
 *
 * One SQL statement does the work, so that the planner chooses scans, workers and memory, and the
 * rights of the caller and row-level security apply as in any SELECT.  The statement has a part
 * for each kind of grouping (by customer, by order, by product ...).  Every part yields rows of the
 * same columns, those of the other parts NULL; they are put together by UNION ALL and one more
 * GROUP BY.  There is no join: with an expression as key the planner knows nothing about the number
 * of groups, and a nested loop over what it takes for few would never end.
 *
 * Looking ahead is impossible by construction: parts of features read the relation through a
 * subquery that ends before as_of, parts of outcomes through one that starts there.
 *
 * All names of the statement are qualified, operators too, so search_path has no influence.  Sums
 * are of numeric, hence exact, and rounded once.
 */
#ifndef RETAILML_CUSTOMER_SNAPSHOT_SQL_H
#define RETAILML_CUSTOMER_SNAPSHOT_SQL_H

#include "postgres.h"

#include "utils/jsonb.h"

/* what a column of the log can be for us; those from RML_LOG_QUANTITY on may be absent */
typedef enum RmlLogRole
{
	RML_LOG_CUSTOMER,
	RML_LOG_ORDER,
	RML_LOG_TIME,
	RML_LOG_AMOUNT,
	RML_LOG_QUANTITY,
	RML_LOG_PRODUCT,
	RML_LOG_CATEGORY,
	RML_LOG_CHANNEL,
	RML_LOG_ROLES
} RmlLogRole;

/* no role: for things that are always there */
#define RML_LOG_NONE RML_LOG_ROLES

typedef struct RmlLog
{
	Oid relation;
	const char *name;                  /* qualified and quoted */
	const char *column[RML_LOG_ROLES]; /* not quoted; NULL where the log has none */
	Oid type[RML_LOG_ROLES];           /* base type, where there is a column */
} RmlLog;

/* finds the columns; an error says what cannot be found or used */
extern void rml_log_bind(RmlLog *log, Oid relation, Jsonb *columns);

/* parameters of both statements, timestamptz: as_of, and as_of + horizon */
#define RML_SNAPSHOT_PARAMETERS 2

/* one boolean: does the log reach the end of the horizon? */
extern char *rml_snapshot_reach_query(const RmlLog *log);

/* the rows of customer_snapshot; outcomes are NULL, and nothing from as_of on read, without labels */
extern char *rml_snapshot_query(const RmlLog *log, bool labels);

/* of the result's columns, the ones that an infinite amount or quantity shows in */
#define RML_SNAPSHOT_MONETARY "monetary"
#define RML_SNAPSHOT_ITEMS "items_per_order"
#define RML_SNAPSHOT_FUTURE_SPEND "future_spend"

#endif /* RETAILML_CUSTOMER_SNAPSHOT_SQL_H */
