/*
 * fold_sql.c
 *	  fold and is_train: the content of a key of any of the usual types, as bytes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/fold.h"

PG_FUNCTION_INFO_V1(rml_fold_sql);
PG_FUNCTION_INFO_V1(rml_is_train_sql);

static Oid
key_type(FunctionCallInfo fcinfo)
{
	Oid *type = fcinfo->flinfo->fn_extra;

	if (type == NULL)
	{
		type = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Oid));
		*type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, 0));
		fcinfo->flinfo->fn_extra = type;
	}
	return *type;
}

/* the encoding of the database must not matter */
static RmlSplitKey
text_key(const char *bytes, int length)
{
	const char *utf8 = pg_server_to_any(bytes, length, PG_UTF8);

	return rml_split_bytes(utf8, utf8 == bytes ? (size_t) length : strlen(utf8));
}

static RmlSplitKey
varlena_key(Datum key, Oid type)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(key);
	const char *bytes = VARDATA_ANY(value);
	int length = VARSIZE_ANY_EXHDR(value);

	if (type == BYTEAOID)
		return rml_split_bytes(bytes, length);
	if (type == BPCHAROID)
		length = bpchartruelen(unconstify(char *, bytes), length);
	return text_key(bytes, length);
}

/* 17.00 is 17, and the integer 17 */
static RmlSplitKey
numeric_key(Datum key)
{
	char *text = numeric_normalize(DatumGetNumeric(key));
	char *end;
	int64 value;

	errno = 0;
	value = strtoi64(text, &end, 10);
	if (errno == 0 && *end == '\0' && end != text)
		return rml_split_integer(value);
	return rml_split_bytes(text, strlen(text));
}

static void
refuse_type(Oid type)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("a key of type %s cannot be split by", format_type_be(type)),
					errhint("Cast it to text, whose characters then decide.")));
}

static RmlSplitKey
split_key(FunctionCallInfo fcinfo)
{
	Datum key = PG_GETARG_DATUM(0);
	Oid type = key_type(fcinfo);

	switch (type)
	{
		case INT2OID:
			return rml_split_integer(DatumGetInt16(key));
		case INT4OID:
			return rml_split_integer(DatumGetInt32(key));
		case INT8OID:
			return rml_split_integer(DatumGetInt64(key));
		case BOOLOID:
			return rml_split_integer(DatumGetBool(key) ? 1 : 0);
		case DATEOID:
			return rml_split_integer(DatumGetDateADT(key));
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return rml_split_integer(DatumGetTimestamp(key));
		case NUMERICOID:
			return numeric_key(key);
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case BYTEAOID:
			return varlena_key(key, type);
		case NAMEOID:
			return text_key(NameStr(*DatumGetName(key)), (int) strlen(NameStr(*DatumGetName(key))));
		case UUIDOID:
			return rml_split_bytes((const char *) DatumGetUUIDP(key)->data, UUID_LEN);
		default:
			refuse_type(type);
			pg_unreachable();
	}
}

Datum
rml_fold_sql(PG_FUNCTION_ARGS)
{
	int32 n_folds = PG_GETARG_INT32(1);

	if (n_folds < 2)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("fold: n_folds is %d but must be at least 2", n_folds)));
	PG_RETURN_INT32(rml_fold(split_key(fcinfo), n_folds, PG_GETARG_INT64(2)));
}

Datum
rml_is_train_sql(PG_FUNCTION_ARGS)
{
	float8 fraction = PG_GETARG_FLOAT8(1);

	if (!(fraction > 0 && fraction < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("is_train: fraction is %g but must be between 0 and 1", fraction),
				 errhint("It is the share of the keys that are for training, 0.8 for example.")));
	PG_RETURN_BOOL(rml_is_train(split_key(fcinfo), fraction, PG_GETARG_INT64(2)));
}
