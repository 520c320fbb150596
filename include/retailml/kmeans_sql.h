/*
 * kmeans_sql.h
 *	  What the bindings of kmeans_fit and kmeans_sweep share.
 */
#ifndef RETAILML_KMEANS_SQL_H
#define RETAILML_KMEANS_SQL_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "retailml/agg_sql.h"
#include "retailml/kmeans.h"

extern void rml_kmeans_parse_options(RmlEnv *env, RmlKmeansParams *params, Jsonb *options,
									 const RmlOptionSet *row_options);

/* the slot of option order_by, -1 for NULL (the order by size); an error when it is no number */
extern int rml_cluster_order_slot(const RmlFit *fit, const char *name);

/* parameter k of a fit, which must be at least 1 */
extern int rml_cluster_k(RmlEnv *env, Datum parameter);

/* more k than this are not tried in one sweep */
#define RML_MAX_SWEEP 100

/* parameters k_min and k_max of a sweep, or an error */
extern void rml_cluster_k_range(const char *function, const Datum *parameters, int *k_min,
								int *k_max);

#endif /* RETAILML_KMEANS_SQL_H */
