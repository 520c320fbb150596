/*
 * recommend_sql.h
 *	  What the bindings of recommendations share.
 */
#ifndef RETAILML_RECOMMEND_SQL_H
#define RETAILML_RECOMMEND_SQL_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "retailml/recommend.h"

/* n in an argument that is not NULL; an error (22023) unless it is in range */
extern int32_t rml_recommendations_argument(FunctionCallInfo fcinfo, int argument);

/*
 * What the options of a call ask of a model, and that it can do so: else an error (22023).  The name of the
 * function is the environment's.
 */
extern void rml_recommend_parse(RmlEnv *env, const RmlSvdpp *model, Jsonb *options,
								RmlRecommendParams *params);

#endif /* RETAILML_RECOMMEND_SQL_H */
