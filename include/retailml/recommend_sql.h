/*
 * recommend_sql.h
 *	  What the bindings of recommendations share.
 */
#ifndef RETAILML_RECOMMEND_SQL_H
#define RETAILML_RECOMMEND_SQL_H

#include "postgres.h"

#include "fmgr.h"

#include "retailml/recommend.h"

/* n in an argument that is not NULL; an error (22023) unless it is in range */
extern int32_t rml_recommendations_argument(FunctionCallInfo fcinfo, int argument);

/* which items, from the options in an argument; the function's name is the environment's */
extern void rml_recommend_options_argument(FunctionCallInfo fcinfo, int argument, RmlEnv *env,
										   RmlRecommendParams *params);

#endif /* RETAILML_RECOMMEND_SQL_H */
