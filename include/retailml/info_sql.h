/*
 * info_sql.h
 *	  An RmlInfo sink that builds jsonb.
 */
#ifndef RETAILML_INFO_SQL_H
#define RETAILML_INFO_SQL_H

#include "postgres.h"

#include "retailml/info.h"

/* a sink with an open top-level object, in the current memory context */
extern RmlInfo *rml_info_create(void);

/* close it: the jsonb */
extern Datum rml_info_finish(RmlInfo *info);

#endif /* RETAILML_INFO_SQL_H */
