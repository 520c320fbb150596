/*
 * kmeans_sql.h
 *	  What the bindings of kmeans_fit and kmeans_sweep share.
 */
#ifndef RETAILML_KMEANS_SQL_H
#define RETAILML_KMEANS_SQL_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "retailml/kmeans.h"

extern void rml_kmeans_parse_options(RmlEnv *env, RmlKmeansParams *params, Jsonb *options,
									 const RmlOptionSet *row_options);

#endif /* RETAILML_KMEANS_SQL_H */
