/*
 * options_sql.h
 *	  jsonb options into params structs, with errors that name the key and the accepted range.
 */
#ifndef RETAILML_OPTIONS_SQL_H
#define RETAILML_OPTIONS_SQL_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "retailml/options.h"

/*
 * Fill the params of all sets: defaults first, then what the object says.  options may be NULL.
 * A key that is in no set, a wrong type or a value out of range is an error; function is what
 * the error calls the caller.  Texts and names are copied into env.
 */
extern void rml_options_parse(RmlEnv *env, const char *function, Jsonb *options,
							  const RmlOptionSet *sets, int n_sets);

/* the value of a top-level key of the object, or NULL when it is absent (or options is NULL) */
extern JsonbValue *rml_options_find(Jsonb *options, const char *key);

#endif /* RETAILML_OPTIONS_SQL_H */
