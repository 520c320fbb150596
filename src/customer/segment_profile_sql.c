/*
 * segment_profile_sql.c
 *	  segment_profile: what is telling about each segment of a model, a row per cluster and trait.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "retailml/segment_names_sql.h"

PG_FUNCTION_INFO_V1(rml_sql_segment_profile);

/* cluster, name, size, share, feature, category, mean, overall_mean, z, rank */
#define PROFILE_COLUMNS 10

static void
put_trait(ReturnSetInfo *result, const RmlSegments *segments, int segment, int trait)
{
	const RmlSegmentProfile *profile = &segments->profile;
	const RmlTrait *t = &profile->traits[trait];
	int64 cell = (int64) segment * profile->m + trait;
	Datum values[PROFILE_COLUMNS] = {0};
	bool nulls[PROFILE_COLUMNS] = {false};

	values[0] = Int32GetDatum(segments->clusters.ids->numbers[segment]);
	values[1] = CStringGetTextDatum(segments->names.names[segment]);
	values[2] = Int64GetDatum(profile->sizes[segment]);
	values[3] = Float8GetDatum(rml_segment_share(segments, segment));
	values[4] = CStringGetTextDatum(t->feature);
	nulls[5] = t->category == NULL;
	if (t->category != NULL)
		values[5] = CStringGetTextDatum(t->category);
	values[6] = Float8GetDatum(profile->means[cell]);
	values[7] = Float8GetDatum(t->overall);
	values[8] = Float8GetDatum(profile->z[cell]);
	values[9] = Int32GetDatum(profile->ranks[cell]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
rml_sql_segment_profile(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlSegments segments;

	InitMaterializedSRF(fcinfo, 0);
	rml_segments_argument(&segments, fcinfo, "segment_profile");
	for (int i = 0; i < segments.profile.k; i++)
		for (int t = 0; t < segments.profile.m; t++)
		{
			CHECK_FOR_INTERRUPTS();
			put_trait(result, &segments, segments.order[i], t);
		}
	return (Datum) 0;
}
