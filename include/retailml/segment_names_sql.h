/*
 * segment_names_sql.h
 *	  What the functions that show the segments of a model share.
 */
#ifndef RETAILML_SEGMENT_NAMES_SQL_H
#define RETAILML_SEGMENT_NAMES_SQL_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "retailml/model_sql.h"
#include "retailml/segment_names.h"

/* a cluster model that was given as an argument, and its profile */
typedef struct RmlSegments
{
	RmlEnv *env;
	RmlModel *model;
	RmlClusters clusters;
	RmlSegmentProfile profile;
	RmlSegmentNames names; /* effective ones, until a function replaces them */
	const int32_t *order;  /* [k] positions by number */
} RmlSegments;

/* of argument 0; function is what errors call the caller */
extern void rml_segments_argument(RmlSegments *segments, FunctionCallInfo fcinfo,
								  const char *function);

/* training rows of a segment over all */
extern double rml_segment_share(const RmlSegments *segments, int segment);

/* names as the jsonb argument of segment_names() says */
extern void rml_segment_rules_parse(RmlSegments *segments, Jsonb *rules);

/* a refused argument: fact, then what is valid */
extern void rml_segments_refuse(const char *message, const char *hint) __attribute__((noreturn));

#endif /* RETAILML_SEGMENT_NAMES_SQL_H */
