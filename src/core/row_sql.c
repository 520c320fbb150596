/*
 * row_sql.c
 *	  Choosing, binding and reading the columns of a row.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
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

static bool
descriptor_has(TupleDesc descriptor, const char *name)
{
	for (int i = 0; i < descriptor->natts; i++)
		if (!TupleDescAttr(descriptor, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(descriptor, i)->attname), name) == 0)
			return true;
	return false;
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
		if (!descriptor_has(descriptor, names->names[i]))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("column \"%s\" of option \"%s\" does not exist in the row",
								   names->names[i], option),
							errhint("The row has the columns: %s.", list_columns(descriptor))));
}

static void
refuse_type(const char *function, const char *name, const char *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" is of type %s, which %s cannot use", name, type, function),
			 errhint("Derive a number from it, or leave it out with the option "
					 "{\"exclude\": [\"%s\"]}.",
					 name)));
}

static void
add_column(RmlRowColumns *columns, RmlEnv *env, const char *function, Form_pg_attribute attribute,
		   bool categories)
{
	const char *name = NameStr(attribute->attname);
	char *type = format_type_be(attribute->atttypid);
	RmlConvert convert;
	RmlKind kind;

	if (!classify_type(attribute->atttypid, &convert, &kind) ||
		(kind == RML_CATEGORICAL && !categories))
		refuse_type(function, name, type);
	columns->names[columns->n] = rml_strdup(env, name);
	columns->types[columns->n] = rml_strdup(env, type);
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

static void
record_columns(RmlRowColumns *columns, RmlEnv *env, const char *function, Datum row,
			   const RmlNames *features, const RmlNames *exclude, bool categories)
{
	Oid type;
	int32 typmod;
	TupleDesc descriptor = row_descriptor(row, &type, &typmod);

	check_names_exist("features", features, descriptor);
	check_names_exist("exclude", exclude, descriptor);
	columns_alloc(columns, env, descriptor->natts);
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		const char *name = NameStr(attribute->attname);

		if (attribute->attisdropped || names_contain(exclude, name) ||
			(features->n > 0 && !names_contain(features, name)))
			continue;
		add_column(columns, env, function, attribute, categories);
	}
	ReleaseTupleDesc(descriptor);
	if (columns->n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s has no columns left to use", function),
						errhint("Check the options \"features\" and \"exclude\".")));
}

static int
feature_count(Datum row)
{
	ArrayType *array = DatumGetArrayTypeP(row);

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
	int n = feature_count(row);

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
				const RmlNames *features, const RmlNames *exclude, bool categories)
{
	if (features->n > 0 && exclude->n > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("options \"features\" and \"exclude\" of %s exclude each other",
							   function)));
	if (row_type == FLOAT8ARRAYOID)
		array_columns(columns, env, function, row, features, exclude);
	else
		record_columns(columns, env, function, row, features, exclude, categories);
}

/* ---- binding ---- */

static int
find_attribute(TupleDesc descriptor, const char *name)
{
	for (int i = 0; i < descriptor->natts; i++)
		if (!TupleDescAttr(descriptor, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(descriptor, i)->attname), name) == 0)
			return i;
	return -1;
}

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

/* ---- reading ---- */

static void
refuse_infinity(const RmlBinding *binding, int column)
{
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					errmsg("column \"%s\" holds infinity", binding->names[column]),
					errhint("Replace it with NULL or a number before calling this function.")));
}

static double
read_number(const RmlBoundColumn *column, Datum value)
{
	switch (column->convert)
	{
		case RML_FROM_FLOAT8:
			return DatumGetFloat8(value);
		case RML_FROM_FLOAT4:
			return (double) DatumGetFloat4(value);
		case RML_FROM_INT2:
			return (double) DatumGetInt16(value);
		case RML_FROM_INT4:
			return (double) DatumGetInt32(value);
		case RML_FROM_INT8:
			return (double) DatumGetInt64(value);
		case RML_FROM_NUMERIC:
			return rml_numeric_to_float8(value);
		default:
			return DatumGetBool(value) ? 1.0 : 0.0;
	}
}

/* an enum's label; asking the catalog for each row would cost more than all else */
static int32_t
read_enum(RmlBinding *binding, int column, Oid value)
{
	RmlBoundColumn *bound = &binding->columns[column];
	HeapTuple tuple;
	const char *label;

	if (bound->enum_oid == value)
		return bound->enum_code;
	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid internal value for enum: %u", value)));
	label = NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel);
	bound->enum_code = binding->code(binding->target, column, label, strlen(label));
	bound->enum_oid = value;
	ReleaseSysCache(tuple);
	return bound->enum_code;
}

static int32_t
read_code(RmlBinding *binding, int column, Datum value)
{
	struct varlena *packed;
	const char *text;
	size_t length;
	int32_t code;

	if (binding->columns[column].convert == RML_FROM_ENUM)
		return read_enum(binding, column, DatumGetObjectId(value));
	packed = PG_DETOAST_DATUM_PACKED(value);
	text = VARDATA_ANY(packed);
	length = VARSIZE_ANY_EXHDR(packed);
	if (binding->columns[column].convert == RML_FROM_BPCHAR)
		length = bpchartruelen((char *) text, (int) length);
	code = binding->code(binding->target, column, text, length);
	if ((Pointer) packed != DatumGetPointer(value))
		pfree(packed);
	return code;
}

/* store one column's value; returns 1 when it is missing */
static int
read_column(RmlBinding *binding, int column, Datum value, bool null, double *numbers,
			int32_t *codes)
{
	RmlBoundColumn *bound = &binding->columns[column];
	double number;

	if (bound->categorical)
	{
		codes[bound->slot] = null ? 0 : read_code(binding, column, value);
		return null;
	}
	number = null ? NAN : read_number(bound, value);
	if (isinf(number))
		refuse_infinity(binding, column);
	numbers[bound->slot] = number;
	return isnan(number);
}

static void
rebind_if_changed(RmlBinding *binding, HeapTupleHeader header, Datum row)
{
	if (HeapTupleHeaderGetTypeId(header) == binding->type &&
		HeapTupleHeaderGetTypMod(header) == binding->typmod)
		return;
	pfree(binding->values);
	pfree(binding->nulls);
	FreeTupleDesc(binding->tupdesc);
	bind_record(binding, row);
}

/* a tuple without NULLs whose wanted columns are all at fixed offsets */
static int
read_fixed(RmlBinding *binding, HeapTupleHeader header, double *numbers, int32_t *codes)
{
	const char *data = (const char *) header + header->t_hoff;
	int missing = 0;

	for (int i = 0; i < binding->n_columns; i++)
	{
		const RmlBoundColumn *column = &binding->columns[i];
		const char *place = data + column->offset;

		if (column->convert == RML_FROM_FLOAT8)
		{
			double number = *(const double *) place;

			/* false for NaN and infinity alike */
			if (likely(number - number == 0.0))
			{
				numbers[column->slot] = number;
				continue;
			}
		}
		missing +=
			read_column(binding, i, fetch_att(place, true, column->width), false, numbers, codes);
	}
	return missing;
}

static int
read_deformed(RmlBinding *binding, HeapTupleHeader header, double *numbers, int32_t *codes)
{
	HeapTupleData tuple;
	int missing = 0;

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, binding->tupdesc, binding->values, binding->nulls);
	for (int i = 0; i < binding->n_columns; i++)
	{
		int attribute = binding->columns[i].attribute;

		missing += read_column(binding, i, binding->values[attribute], binding->nulls[attribute],
							   numbers, codes);
	}
	return missing;
}

static int
read_record(RmlBinding *binding, Datum row, double *numbers, int32_t *codes)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	int missing;

	rebind_if_changed(binding, header, row);
	if (binding->fixed_attributes > 0 && !(header->t_infomask & HEAP_HASNULL) &&
		HeapTupleHeaderGetNatts(header) >= binding->fixed_attributes)
		missing = read_fixed(binding, header, numbers, codes);
	else
		missing = read_deformed(binding, header, numbers, codes);
	if ((Pointer) header != DatumGetPointer(row))
		pfree(header);
	return missing;
}

static void
check_array_length(const RmlBinding *binding, int length)
{
	if (length != binding->n_columns)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the array has %d elements, expected %d", length, binding->n_columns)));
}

/* an array with NULLs among its elements: the slow way */
static int
read_sparse_array(RmlBinding *binding, ArrayType *array, double *numbers)
{
	Datum *values;
	bool *nulls;
	int n;
	int missing = 0;

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values,
					  &nulls, &n);
	check_array_length(binding, n);
	for (int i = 0; i < n; i++)
		missing += read_column(binding, i, values[i], nulls[i], numbers, NULL);
	pfree(values);
	pfree(nulls);
	return missing;
}

static int
read_array(RmlBinding *binding, Datum row, double *numbers)
{
	ArrayType *array = DatumGetArrayTypeP(row);
	int n = feature_count(PointerGetDatum(array));
	int missing = 0;

	if (ARR_HASNULL(array))
		missing = read_sparse_array(binding, array, numbers);
	else
	{
		check_array_length(binding, n);
		memcpy(numbers, ARR_DATA_PTR(array), sizeof(double) * n);
		for (int i = 0; i < n; i++)
		{
			if (isinf(numbers[i]))
				refuse_infinity(binding, i);
			missing += isnan(numbers[i]) != 0;
		}
	}
	if ((Pointer) array != DatumGetPointer(row))
		pfree(array);
	return missing;
}

int
rml_row_read(RmlBinding *binding, Datum row, double *numbers, int32_t *codes)
{
	if (binding->is_array)
		return read_array(binding, row, numbers);
	return read_record(binding, row, numbers, codes);
}

const char *
rml_row_first_missing(const RmlBinding *binding, const double *numbers, const int32_t *codes)
{
	for (int i = 0; i < binding->n_columns; i++)
	{
		const RmlBoundColumn *column = &binding->columns[i];

		if (column->categorical ? codes[column->slot] == 0 : isnan(numbers[column->slot]))
			return binding->names[i];
	}
	return "";
}
