/*
 * row_sql.c
 *	  Choosing and binding the columns of a row.  Reading is in row_read_sql.c.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "retailml/row_sql.h"

/* ---- types ---- */

/* how to read a type, and what it is to a model; false for a type that cannot be used */
static bool
classify_type(Oid type, RmlConvert *convert, RmlKind *kind)
{
	Oid base = getBaseType(type);

	*kind = RML_NUMERIC;
	switch (base)
	{
		case FLOAT8OID:
			*convert = RML_FROM_FLOAT8;
			return true;
		case FLOAT4OID:
			*convert = RML_FROM_FLOAT4;
			return true;
		case INT2OID:
			*convert = RML_FROM_INT2;
			return true;
		case INT4OID:
			*convert = RML_FROM_INT4;
			return true;
		case INT8OID:
			*convert = RML_FROM_INT8;
			return true;
		case NUMERICOID:
			*convert = RML_FROM_NUMERIC;
			return true;
		case BOOLOID:
			*convert = RML_FROM_BOOL;
			*kind = RML_BOOLEAN;
			return true;
		case TEXTOID:
		case VARCHAROID:
			*convert = RML_FROM_TEXT;
			*kind = RML_CATEGORICAL;
			return true;
		case BPCHAROID:
			*convert = RML_FROM_BPCHAR;
			*kind = RML_CATEGORICAL;
			return true;
		default:
			*convert = RML_FROM_ENUM;
			*kind = RML_CATEGORICAL;
			return type_is_enum(base);
	}
}

bool
rml_row_type_kind(Oid type, RmlKind *kind)
{
	RmlConvert convert;

	return classify_type(type, &convert, kind);
}

/* the row type of a composite Datum */
static TupleDesc
row_descriptor(Datum row, Oid *type, int32 *typmod)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);

	*type = HeapTupleHeaderGetTypeId(header);
	*typmod = HeapTupleHeaderGetTypMod(header);
	return lookup_rowtype_tupdesc(*type, *typmod);
}

/* ---- choosing columns for a fit ---- */

static bool
names_contain(const RmlNames *names, const char *name)
{
	for (int64_t i = 0; i < names->n; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

static int
find_attribute(TupleDesc descriptor, const char *name)
{
	for (int i = 0; i < descriptor->natts; i++)
		if (!TupleDescAttr(descriptor, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(descriptor, i)->attname), name) == 0)
			return i;
	return -1;
}

static char *
list_columns(TupleDesc descriptor)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < descriptor->natts; i++)
		if (!TupleDescAttr(descriptor, i)->attisdropped)
			appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? ", " : "",
							 NameStr(TupleDescAttr(descriptor, i)->attname));
	return list.data;
}

static void
check_names_exist(const char *option, const RmlNames *names, TupleDesc descriptor)
{
	for (int64_t i = 0; i < names->n; i++)
		if (find_attribute(descriptor, names->names[i]) < 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("column \"%s\" of option \"%s\" does not exist in the row",
								   names->names[i], option),
							errhint("The row has the columns: %s.", list_columns(descriptor))));
}

/* can the algorithm use this column? */
static bool
is_usable(Form_pg_attribute attribute, bool categories, RmlKind *kind)
{
	RmlConvert convert;

	return classify_type(attribute->atttypid, &convert, kind) &&
		   (*kind != RML_CATEGORICAL || categories);
}

/* all columns that cannot be used, so that one look at the error is enough */
static void
refuse_types(const char *function, TupleDesc descriptor, const bool *chosen, bool categories)
{
	StringInfoData listed, exclude;
	int n = 0;

	initStringInfo(&listed);
	initStringInfo(&exclude);
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		RmlKind kind;

		if (!chosen[i] || is_usable(attribute, categories, &kind))
			continue;
		appendStringInfo(&listed, "%s\"%s\" is of type %s", n > 0 ? ", " : "",
						 NameStr(attribute->attname), format_type_be(attribute->atttypid));
		appendStringInfo(&exclude, "%s\"%s\"", n++ > 0 ? ", " : "", NameStr(attribute->attname));
	}
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg_plural("column %s, which %s cannot use",
								  "columns that %2$s cannot use: %1$s", n, listed.data, function),
					errhint("Derive a number from it, or leave it out with the option "
							"{\"exclude\": [%s]}.",
							exclude.data)));
}

static void
add_column(RmlRowColumns *columns, RmlEnv *env, Form_pg_attribute attribute, RmlKind kind)
{
	columns->names[columns->n] = rml_strdup(env, NameStr(attribute->attname));
	columns->types[columns->n] = rml_strdup(env, format_type_be(attribute->atttypid));
	columns->kinds[columns->n++] = kind;
}

static void
columns_alloc(RmlRowColumns *columns, RmlEnv *env, int most)
{
	columns->n = 0;
	columns->names = RML_NEW(env, char *, most);
	columns->types = RML_NEW(env, char *, most);
	columns->kinds = RML_NEW(env, RmlKind, most);
}

static bool
is_chosen(Form_pg_attribute attribute, const RmlNames *features, const RmlNames *exclude,
		  const RmlNames *roles)
{
	const char *name = NameStr(attribute->attname);

	return !attribute->attisdropped && !names_contain(exclude, name) &&
		   !names_contain(roles, name) && (features->n == 0 || names_contain(features, name));
}

static void
check_roles(const char *function, const RmlNames *features, const RmlNames *roles)
{
	for (int64_t i = 0; i < roles->n; i++)
		if (names_contain(features, roles->names[i]))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("column \"%s\" cannot be a feature of %s: it is its label, "
								   "weight or group",
								   roles->names[i], function),
							errhint("Take it out of the option \"features\".")));
}

static void
record_columns(RmlRowColumns *columns, RmlEnv *env, const char *function, Datum row,
			   const RmlNames *features, const RmlNames *exclude, const RmlNames *roles,
			   bool categories)
{
	Oid type;
	int32 typmod;
	TupleDesc descriptor = row_descriptor(row, &type, &typmod);
	bool *chosen;

	check_names_exist("features", features, descriptor);
	check_names_exist("exclude", exclude, descriptor);
	check_roles(function, features, roles);
	columns_alloc(columns, env, descriptor->natts);
	chosen = palloc(sizeof(bool) * Max(descriptor->natts, 1));
	for (int i = 0; i < descriptor->natts; i++)
		chosen[i] = is_chosen(TupleDescAttr(descriptor, i), features, exclude, roles);
	for (int i = 0; i < descriptor->natts; i++)
	{
		RmlKind kind;

		if (!chosen[i])
			continue;
		if (!is_usable(TupleDescAttr(descriptor, i), categories, &kind))
			refuse_types(function, descriptor, chosen, categories);
		add_column(columns, env, TupleDescAttr(descriptor, i), kind);
	}
	pfree(chosen);
	ReleaseTupleDesc(descriptor);
	if (columns->n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s has no columns left to use", function),
						errhint("Check the options \"features\" and \"exclude\".")));
}

int
rml_row_array_length(const ArrayType *array)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("an array of features must have one dimension, not %d", ARR_NDIM(array))));
	return ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
}

static void
array_columns(RmlRowColumns *columns, RmlEnv *env, const char *function, Datum row,
			  const RmlNames *features, const RmlNames *exclude)
{
	int n = rml_row_array_length(DatumGetArrayTypeP(row));

	if (features->n > 0 || exclude->n > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the columns of an array have no names to choose by"),
				 errhint("Give %s a row instead of an array, or put only the wanted values in "
						 "the array.",
						 function)));
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("%s cannot use an empty array", function)));
	columns_alloc(columns, env, n);
	columns->n = n;
	for (int i = 0; i < n; i++)
	{
		columns->names[i] = rml_format(env, "x%d", i + 1);
		columns->types[i] = rml_strdup(env, "double precision");
		columns->kinds[i] = RML_NUMERIC;
	}
}

void
rml_row_columns(RmlRowColumns *columns, RmlEnv *env, const char *function, Oid row_type, Datum row,
				const RmlNames *features, const RmlNames *exclude, const RmlNames *roles,
				bool categories)
{
	if (features->n > 0 && exclude->n > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("options \"features\" and \"exclude\" of %s exclude each other",
							   function)));
	if (row_type == FLOAT8ARRAYOID)
		array_columns(columns, env, function, row, features, exclude);
	else
		record_columns(columns, env, function, row, features, exclude, roles, categories);
}

/* ---- columns that are no features ---- */

static void
refuse_role_type(const char *function, const char *role, const char *name, Oid type, bool numeric)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s: the %s \"%s\" is of type %s", function, role, name, format_type_be(type)),
			 numeric ? errhint("A %s is a number.", role)
					 : errhint("A %s is a number, a boolean, a text or an enum.", role)));
}

static void
append_column(RmlRowColumns *columns, RmlEnv *env, const char *name, Oid type, RmlKind kind)
{
	int n = columns->n;

	columns->names = rml_grow_array(env, columns->names, n, n + 1, sizeof(char *));
	columns->types = rml_grow_array(env, columns->types, n, n + 1, sizeof(char *));
	columns->kinds = rml_grow_array(env, columns->kinds, n, n + 1, sizeof(RmlKind));
	columns->names[n] = rml_strdup(env, name);
	columns->types[n] = rml_strdup(env, format_type_be(type));
	columns->kinds[n] = kind;
	columns->n = n + 1;
}

void
rml_row_role_value(RmlRowColumns *columns, RmlEnv *env, const char *function, const char *role,
				   Oid type)
{
	RmlConvert convert;
	RmlKind kind;

	if (!classify_type(type, &convert, &kind))
		refuse_role_type(function, role, role, type, false);
	append_column(columns, env, role, type, kind);
}

bool
rml_row_has_column(Datum row, const char *name)
{
	Oid type;
	int32 typmod;
	TupleDesc descriptor = row_descriptor(row, &type, &typmod);
	int attribute = find_attribute(descriptor, name);
	RmlConvert convert;
	RmlKind kind;
	bool found = attribute >= 0 &&
				 classify_type(TupleDescAttr(descriptor, attribute)->atttypid, &convert, &kind);

	ReleaseTupleDesc(descriptor);
	return found;
}

void
rml_row_role_column(RmlRowColumns *columns, RmlEnv *env, const char *function, Datum row,
					const char *role, const char *name, bool numeric)
{
	Oid type;
	int32 typmod;
	TupleDesc descriptor = row_descriptor(row, &type, &typmod);
	int attribute = find_attribute(descriptor, name);
	RmlConvert convert;
	RmlKind kind;

	if (attribute < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("%s: the row has no column \"%s\", named as its %s", function, name, role),
				 errhint("The row has the columns: %s.", list_columns(descriptor))));
	type = TupleDescAttr(descriptor, attribute)->atttypid;
	if (!classify_type(type, &convert, &kind) || (numeric && kind != RML_NUMERIC))
		refuse_role_type(function, role, name, type, numeric);
	append_column(columns, env, name, type, kind);
	ReleaseTupleDesc(descriptor);
}

/* ---- binding ---- */

static void
refuse_missing(const RmlBinding *binding, TupleDesc descriptor)
{
	StringInfoData missing;
	int n = 0;

	initStringInfo(&missing);
	for (int i = 0; i < binding->n_columns; i++)
		if (find_attribute(descriptor, binding->names[i]) < 0)
			appendStringInfo(&missing, "%s\"%s\"", n++ > 0 ? ", " : "", binding->names[i]);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg_plural("the row has no column %s", "the row lacks the columns %s", n,
						   missing.data),
			 errdetail("The row has the columns: %s.", list_columns(descriptor)),
			 errhint("Columns are matched by name; rename them in a subquery if they are called "
					 "differently.")));
}

/* a collation that calls texts of different bytes equal */
static void
note_collation(const RmlBoundColumn *bound, Form_pg_attribute attribute)
{
	if (bound->traits != NULL && bound->categorical && OidIsValid(attribute->attcollation) &&
		!get_collation_isdeterministic(attribute->attcollation))
		*bound->traits |= RML_LOOSE_EQUAL;
}

static void
bind_column(RmlBinding *binding, int column, TupleDesc descriptor)
{
	RmlBoundColumn *bound = &binding->columns[column];
	int attribute = find_attribute(descriptor, binding->names[column]);
	RmlKind kind;
	Oid type;

	if (attribute < 0)
		refuse_missing(binding, descriptor);
	type = TupleDescAttr(descriptor, attribute)->atttypid;
	if (!classify_type(type, &bound->convert, &kind) ||
		(kind == RML_CATEGORICAL) != bound->categorical)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, the model needs a %s", binding->names[column],
						format_type_be(type),
						bound->categorical ? "category (text or enum)" : "number or boolean")));
	bound->attribute = attribute;
	bound->width = TupleDescAttr(descriptor, attribute)->attlen;
	bound->enum_oid = InvalidOid;
	note_collation(bound, TupleDescAttr(descriptor, attribute));
}

/*
 * Where the values of a tuple without NULLs are, as long as everything before them has a fixed
 * width.  Reading them there saves taking the whole tuple apart.
 */
static void
find_offsets(RmlBinding *binding, TupleDesc descriptor)
{
	int *offsets = palloc(sizeof(int) * descriptor->natts);
	int offset = 0;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (offset >= 0)
			offset = att_align_nominal(offset, attribute->attalign);
		offsets[i] = attribute->attlen > 0 && attribute->attbyval ? offset : -1;
		offset = offset >= 0 && attribute->attlen > 0 ? offset + attribute->attlen : -1;
	}
	binding->fixed_attributes = 0;
	for (int i = 0; i < binding->n_columns; i++)
	{
		RmlBoundColumn *column = &binding->columns[i];

		column->offset = offsets[column->attribute];
		binding->fixed_attributes = Max(binding->fixed_attributes, column->attribute + 1);
	}
	for (int i = 0; i < binding->n_columns; i++)
		if (binding->columns[i].offset < 0)
			binding->fixed_attributes = 0;
	pfree(offsets);
}

static void
bind_record(RmlBinding *binding, Datum row)
{
	TupleDesc descriptor = row_descriptor(row, &binding->type, &binding->typmod);
	MemoryContext caller = MemoryContextSwitchTo(binding->context);

	for (int i = 0; i < binding->n_columns; i++)
		bind_column(binding, i, descriptor);
	/* the copy outlives invalidations of the type cache; its rows carry the type they were made with */
	binding->tupdesc = CreateTupleDescCopyConstr(descriptor);
	binding->values = palloc(sizeof(Datum) * descriptor->natts);
	binding->nulls = palloc(sizeof(bool) * descriptor->natts);
	find_offsets(binding, descriptor);
	MemoryContextSwitchTo(caller);
	ReleaseTupleDesc(descriptor);
}

void
rml_row_bind(RmlBinding *binding, MemoryContext context, Oid row_type, Datum row, int n_columns,
			 char *const *names, const RmlKind *kinds, const int *slots, bool positional,
			 RmlCodeFn code, void *target)
{
	binding->context = context;
	binding->is_array = row_type == FLOAT8ARRAYOID;
	binding->n_columns = n_columns;
	binding->names = (char **) names;
	binding->columns = MemoryContextAllocZero(context, sizeof(RmlBoundColumn) * n_columns);
	binding->code = code;
	binding->target = target;
	for (int i = 0; i < n_columns; i++)
	{
		binding->columns[i].categorical = kinds[i] == RML_CATEGORICAL;
		binding->columns[i].slot = slots[i];
	}
	if (!binding->is_array)
		bind_record(binding, row);
	else if (!positional)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg(
					 "the model was trained on rows with named columns and cannot score an array"),
				 errhint("Give it a row that has the columns of model_features(model).")));
}

void
rml_row_note_traits(RmlBinding *binding, uint8 *const *traits)
{
	for (int i = 0; i < binding->n_columns; i++)
	{
		RmlBoundColumn *bound = &binding->columns[i];

		bound->traits = traits[i];
		if (!binding->is_array)
			note_collation(bound, TupleDescAttr(binding->tupdesc, bound->attribute));
	}
}

void
rml_row_rebind(RmlBinding *binding, Datum row)
{
	pfree(binding->values);
	pfree(binding->nulls);
	FreeTupleDesc(binding->tupdesc);
	bind_record(binding, row);
}

void
rml_value_bind(RmlBinding *binding, MemoryContext context, Oid type, char *name, int slot,
			   RmlCodeFn code, void *target)
{
	RmlKind kind;

	memset(binding, 0, sizeof *binding);
	binding->context = context;
	binding->n_columns = 1;
	binding->columns = MemoryContextAllocZero(context, sizeof(RmlBoundColumn));
	binding->names = MemoryContextAlloc(context, sizeof(char *));
	binding->names[0] = name;
	binding->code = code;
	binding->target = target;
	classify_type(type, &binding->columns[0].convert, &kind);
	binding->columns[0].categorical = kind == RML_CATEGORICAL;
	binding->columns[0].slot = slot;
}
