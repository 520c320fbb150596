/*
 * row_read_sql.c
 *	  Reading a bound row into numbers and category codes.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/numeric_sql.h"
#include "retailml/row_sql.h"

#define MAX_EXACT_INTEGER (INT64CONST(1) << 53)

static void
refuse_infinity(const RmlBinding *binding, int column)
{
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					errmsg("column \"%s\" holds infinity", binding->names[column]),
					errhint("Replace it with NULL or a number before calling this function.")));
}

static void
note_trait(const RmlBoundColumn *column, int trait)
{
	if (column->traits != NULL)
		*column->traits |= trait;
}

static double
read_int8(const RmlBoundColumn *column, int64 value)
{
	if (value > MAX_EXACT_INTEGER || value < -MAX_EXACT_INTEGER)
		note_trait(column, RML_HOLDS_ROUNDED);
	return (double) value;
}

static double
read_numeric(const RmlBoundColumn *column, Datum value)
{
	double number = rml_numeric_to_float8(value);

	if (column->traits != NULL && !rml_numeric_fits_float8(value, number))
		note_trait(column, RML_HOLDS_ROUNDED);
	return number;
}

static inline double
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
			return read_int8(column, DatumGetInt64(value));
		case RML_FROM_NUMERIC:
			return read_numeric(column, value);
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
static inline int
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
	numbers[bound->slot] = number;
	/* false for NaN and infinity alike */
	if (likely(number - number == 0.0))
		return 0;
	if (isinf(number))
		refuse_infinity(binding, column);
	if (!null)
		note_trait(bound, RML_HOLDS_NAN);
	return 1;
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

	if (HeapTupleHeaderGetTypeId(header) != binding->type ||
		HeapTupleHeaderGetTypMod(header) != binding->typmod)
		rml_row_rebind(binding, row);
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

	check_array_length(binding, rml_row_array_length(array));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values,
					  &nulls, &n);
	for (int i = 0; i < n; i++)
		missing += read_column(binding, i, values[i], nulls[i], numbers, NULL);
	pfree(values);
	pfree(nulls);
	return missing;
}

/* numbers [n_columns] are the elements; returns how many are NaN */
static int
check_numbers(const RmlBinding *binding, const double *numbers)
{
	int missing = 0;

	for (int i = 0; i < binding->n_columns; i++)
	{
		if (likely(numbers[i] - numbers[i] == 0.0))
			continue;
		if (isinf(numbers[i]))
			refuse_infinity(binding, i);
		note_trait(&binding->columns[i], RML_HOLDS_NAN);
		missing++;
	}
	return missing;
}

/* the fields of an array of one dimension behind its length word */
typedef struct ArrayHead
{
	int32 ndim;
	int32 dataoffset;
	Oid elemtype;
	int32 length;
	int32 lower_bound;
} ArrayHead;

/*
 * A short array as it is stored, with a length word of one byte and so not aligned: copying its
 * numbers from there spares an aligned copy of the whole.
 */
static bool
read_packed_array(RmlBinding *binding, Datum row, double *numbers)
{
	const char *data;
	ArrayHead head;

	/* a pointer to a toasted array has a header of one byte too */
	if (VARATT_IS_EXTERNAL(DatumGetPointer(row)) || !VARATT_IS_SHORT(DatumGetPointer(row)) ||
		VARSIZE_SHORT(DatumGetPointer(row)) - VARHDRSZ_SHORT < sizeof head)
		return false;
	data = VARDATA_SHORT(DatumGetPointer(row));
	memcpy(&head, data, sizeof head);
	if (head.ndim != 1 || head.dataoffset != 0)
		return false;
	check_array_length(binding, head.length);
	memcpy(numbers, data + ARR_OVERHEAD_NONULLS(1) - VARHDRSZ, sizeof(double) * binding->n_columns);
	return true;
}

static int
read_array(RmlBinding *binding, Datum row, double *numbers)
{
	ArrayType *array;
	int missing;

	if (read_packed_array(binding, row, numbers))
		return check_numbers(binding, numbers);
	array = DatumGetArrayTypeP(row);
	if (ARR_HASNULL(array))
		missing = read_sparse_array(binding, array, numbers);
	else
	{
		check_array_length(binding, rml_row_array_length(array));
		memcpy(numbers, ARR_DATA_PTR(array), sizeof(double) * binding->n_columns);
		missing = check_numbers(binding, numbers);
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

bool
rml_value_read(RmlBinding *binding, Datum value, bool null, double *numbers, int32_t *codes)
{
	return read_column(binding, 0, value, null, numbers, codes) != 0;
}
