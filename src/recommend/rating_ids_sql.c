/*
 * rating_ids_sql.c
 *	  Ids of users and items as SQL values.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/rating_ids_sql.h"

void
rml_require_ids(const RmlRatingIds *ids, bool text)
{
	if (text == (ids->texts != NULL))
		return;
	if (text)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the ids of this model are bigint"),
						errhint("Cast the ids you ask for, for example user_id::bigint.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the ids of this model are text"),
			 errhint("Cast the ids you ask for, for example user_id::text.")));
}

int32_t
rml_id_argument(FunctionCallInfo fcinfo, int argument, const RmlRatingIds *ids)
{
	const text *id;

	if (ids->texts == NULL)
		return rml_rating_ids_number(ids, PG_GETARG_INT64(argument));
	id = PG_GETARG_TEXT_PP(argument);
	return rml_rating_ids_text(ids, VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id));
}

bool
rml_id_type_argument(FunctionCallInfo fcinfo, int argument, const RmlRatingIds *ids,
					 const char *call)
{
	Oid type = argument < PG_NARGS() ? get_fn_expr_argtype(fcinfo->flinfo, argument) : INT8OID;

	if (type != INT8OID && type != TEXTOID)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("ids cannot be of type %s", format_type_be(type)),
						errhint("Pass NULL::bigint or NULL::text as id_type.")));
	if (type == INT8OID && ids->texts != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the ids of this model are text"),
				 errhint("Pass NULL::text as id_type: %s.", call)));
	return type == TEXTOID;
}

Datum
rml_id_datum(const RmlRatingIds *ids, int32_t position, bool text)
{
	if (!text)
		return Int64GetDatum(ids->numbers[position]);
	if (ids->texts != NULL)
		return CStringGetTextDatum(ids->texts[position]);
	return CStringGetTextDatum(psprintf(INT64_FORMAT, (int64) ids->numbers[position]));
}
