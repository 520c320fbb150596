/*
 * customer_snapshot_columns_sql.c
 *	  Which column of a purchase log plays which role.
 *
 * Columns are looked up in the catalog without a lock on the relation: whether the caller may read
 * it is decided when the statement runs, and nobody should hold a lock before that.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "retailml/customer_snapshot_sql.h"

#define MAX_NAMES 2

typedef struct Role
{
	const char *key;
	const char *names[MAX_NAMES]; /* looked for, in this order, when the key is not given */
} Role;

static const Role roles[RML_LOG_ROLES] = {
	[RML_LOG_CUSTOMER] = {"customer_id", {"customer_id"}},
	[RML_LOG_ORDER] = {"order_id", {"order_id"}},
	[RML_LOG_TIME] = {"ordered_at", {"ordered_at", "purchased_at"}},
	[RML_LOG_AMOUNT] = {"amount", {"amount"}},
	[RML_LOG_QUANTITY] = {"quantity", {"quantity"}},
	[RML_LOG_PRODUCT] = {"product_id", {"product_id"}},
	[RML_LOG_CATEGORY] = {"category", {"category"}},
	[RML_LOG_CHANNEL] = {"channel", {"channel"}},
};

static bool
is_required(RmlLogRole role)
{
	return role < RML_LOG_QUANTITY;
}

static char *
role_keys(void)
{
	StringInfoData keys;

	initStringInfo(&keys);
	for (int i = 0; i < RML_LOG_ROLES; i++)
		appendStringInfo(&keys, "%s%s", i > 0 ? ", " : "", roles[i].key);
	return keys.data;
}

/* ---- the relation ---- */

static void
bind_relation(RmlLog *log, Oid relation)
{
	char *name = get_rel_name(relation);

	if (name == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", relation)));
	log->relation = relation;
	log->name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
	switch (get_rel_relkind(relation))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("customer_snapshot: %s is not a table", log->name),
			 errhint(
				 "Give a table, partitioned table, foreign table, view or materialized view.")));
}

static char *
relation_columns(Oid relation)
{
	StringInfoData names;
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	int n = HeapTupleIsValid(tuple) ? ((Form_pg_class) GETSTRUCT(tuple))->relnatts : 0;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	initStringInfo(&names);
	for (AttrNumber i = 1; i <= n; i++)
	{
		char *name = get_attname(relation, i, true);

		/* a dropped column has no name */
		if (name != NULL)
			appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", name);
	}
	return names.data;
}

/* ---- columns ---- */

static void
refuse_missing(const RmlLog *log, RmlLogRole role, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("customer_snapshot: %s has no column \"%s\"", log->name, name),
			 errdetail("Its columns are %s.", relation_columns(log->relation)),
			 errhint("Say which column it is: columns => '{\"%s\": \"...\"}'.", roles[role].key)));
}

/* false when there is none; system columns are none of ours */
static bool
bind_column(RmlLog *log, RmlLogRole role, const char *name)
{
	AttrNumber number = get_attnum(log->relation, name);

	if (number <= 0)
		return false;
	log->column[role] = name;
	log->type[role] = getBaseType(get_atttype(log->relation, number));
	return true;
}

static void
bind_default(RmlLog *log, RmlLogRole role)
{
	for (int i = 0; i < MAX_NAMES && roles[role].names[i] != NULL; i++)
		if (bind_column(log, role, roles[role].names[i]))
			return;
	if (is_required(role))
		refuse_missing(log, role, roles[role].names[0]);
}

static void
bind_given(RmlLog *log, RmlLogRole role, const JsonbValue *value)
{
	char *name;

	if (value->type == jbvNull && !is_required(role))
		return;
	if (value->type != jbvString)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("key \"%s\" of columns must be the name of a column%s",
							   roles[role].key, is_required(role) ? "" : " or null")));
	name = pnstrdup(value->val.string.val, value->val.string.len);
	if (!bind_column(log, role, name))
		refuse_missing(log, role, name);
}

static void
refuse_type(const RmlLog *log, RmlLogRole role, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" is of type %s, %s must be %s", log->column[role],
					format_type_be(log->type[role]), roles[role].key, expected),
			 is_required(role) ? errhint("Give a view that casts it.")
							   : errhint("Give a view that casts it, or leave it out: columns => "
										 "'{\"%s\": null}'.",
										 roles[role].key)));
}

static void
check_time(const RmlLog *log)
{
	switch (log->type[RML_LOG_TIME])
	{
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
			return;
	}
	refuse_type(log, RML_LOG_TIME, "a timestamp or date");
}

static void
check_number(const RmlLog *log, RmlLogRole role)
{
	if (log->column[role] == NULL)
		return;
	switch (log->type[role])
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			return;
	}
	refuse_type(log, role, "a number");
}

/* ---- the mapping ---- */

static void
check_key(const JsonbValue *key)
{
	char *name = pnstrdup(key->val.string.val, key->val.string.len);

	for (int i = 0; i < RML_LOG_ROLES; i++)
		if (strcmp(roles[i].key, name) == 0)
			return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("customer_snapshot: columns has no key \"%s\"", name),
					errhint("Valid keys are: %s.", role_keys())));
}

static void
check_mapping(Jsonb *columns)
{
	JsonbIterator *it;
	JsonbValue key, value;

	if (!JB_ROOT_IS_OBJECT(columns))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("customer_snapshot: columns must be a jsonb object"),
						errhint("For example '{\"ordered_at\": \"InvoiceDate\"}'.")));
	it = JsonbIteratorInit(&columns->root);
	JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&it, &value, true);
		check_key(&key);
	}
}

static JsonbValue *
mapping_of(Jsonb *columns, RmlLogRole role)
{
	const char *key = roles[role].key;

	if (columns == NULL)
		return NULL;
	return getKeyJsonValueFromContainer(&columns->root, key, (int) strlen(key), NULL);
}

void
rml_log_bind(RmlLog *log, Oid relation, Jsonb *columns)
{
	memset(log, 0, sizeof *log);
	if (columns != NULL)
		check_mapping(columns);
	bind_relation(log, relation);
	for (int role = 0; role < RML_LOG_ROLES; role++)
	{
		const JsonbValue *value = mapping_of(columns, role);

		if (value == NULL)
			bind_default(log, role);
		else
			bind_given(log, role, value);
	}
	check_time(log);
	check_number(log, RML_LOG_AMOUNT);
	check_number(log, RML_LOG_QUANTITY);
}
