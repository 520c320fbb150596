/*
 * rating_ids_sql.h
 *	  Ids of users and items as SQL values, of the kind the model has: bigint or text.
 */
#ifndef RETAILML_RATING_IDS_SQL_H
#define RETAILML_RATING_IDS_SQL_H

#include "postgres.h"

#include "fmgr.h"

#include "retailml/ratings.h"

/* an error (22023) unless the ids are of the kind of the caller's arguments; once per model */
extern void rml_require_ids(const RmlRatingIds *ids, bool text);

/* the position of the id in an argument, or -1; its kind is that of the ids */
extern int32_t rml_id_argument(FunctionCallInfo fcinfo, int argument, const RmlRatingIds *ids);

/*
 * The kind of the ids in a result, which an argument id_type anyelement asks for by its type alone: true
 * for text.  A call without the argument is one for bigint.  Ids that are texts cannot be bigint, and no other type
 * will do: an error (22023), whose hint shows the call.  (A default would not do: the server does not
 * derive a row type from it.)
 */
extern bool rml_id_type_argument(FunctionCallInfo fcinfo, int argument, const RmlRatingIds *ids,
								 const char *call);

/* an id as bigint or text; numbers may become texts, not the other way round */
extern Datum rml_id_datum(const RmlRatingIds *ids, int32_t position, bool text);

#endif /* RETAILML_RATING_IDS_SQL_H */
