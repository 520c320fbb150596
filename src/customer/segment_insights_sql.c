/*
 * segment_insights_sql.c
 *	  segment_insights: sentences about the segments of a model, each with its numbers.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "retailml/segment_insights.h"
#include "retailml/segment_names_sql.h"

PG_FUNCTION_INFO_V1(rml_sql_segment_insights);

/* cluster, rank, sentence, feature, value, overall, n, share, category, name */
#define INSIGHT_COLUMNS 10

static void
put_insight(ReturnSetInfo *result, const RmlSegments *segments, int segment, int rank,
			const RmlInsight *insight)
{
	const RmlSegmentProfile *profile = &segments->profile;
	const RmlTrait *trait = &profile->traits[insight->trait];
	Datum values[INSIGHT_COLUMNS] = {0};
	bool nulls[INSIGHT_COLUMNS] = {false};

	values[0] = Int32GetDatum(segments->clusters.ids->numbers[segment]);
	values[1] = Int32GetDatum(rank);
	values[2] = CStringGetTextDatum(insight->sentence);
	values[3] = CStringGetTextDatum(trait->feature);
	values[4] = Float8GetDatum(profile->means[(int64) segment * profile->m + insight->trait]);
	values[5] = Float8GetDatum(trait->overall);
	values[6] = Int64GetDatum(profile->sizes[segment]);
	values[7] = Float8GetDatum(rml_segment_share(segments, segment));
	nulls[8] = trait->category == NULL;
	if (trait->category != NULL)
		values[8] = CStringGetTextDatum(trait->category);
	values[9] = CStringGetTextDatum(segments->names.names[segment]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
rml_sql_segment_insights(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlSegments segments;

	InitMaterializedSRF(fcinfo, 0);
	rml_segments_argument(&segments, fcinfo, "segment_insights");
	for (int i = 0; i < segments.profile.k; i++)
	{
		int segment = segments.order[i];
		RmlInsight insights[RML_MOST_INSIGHTS];
		int n = rml_segment_insights(segments.env, &segments.profile, segments.names.names[segment],
									 segment, insights);

		CHECK_FOR_INTERRUPTS();
		for (int rank = 1; rank <= n; rank++)
			put_insight(result, &segments, segment, rank, &insights[rank - 1]);
	}
	return (Datum) 0;
}
