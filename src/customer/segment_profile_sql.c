/*
 * segment_profile_sql.c
 *	  segment_profile: what is telling about each segment of a model, a row per cluster and feature.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "retailml/env_sql.h"
#include "retailml/kmeans.h"
#include "retailml/model_sql.h"
#include "retailml/segment_profile.h"

PG_FUNCTION_INFO_V1(rml_sql_segment_profile);

/* cluster, name, size, share, feature, mean, overall_mean, z, rank */
#define PROFILE_COLUMNS 9

static void
profile_clusters(RmlEnv *env, const RmlModel *model, double *z, RmlSegmentProfile *profile)
{
	const RmlKmeans *kmeans = model->fitted;
	int d = kmeans->d;
	char **features = RML_NEW(env, char *, d);
	RmlKind *kinds = RML_NEW(env, RmlKind, d);

	for (int j = 0; j < d; j++)
	{
		features[j] = rml_schema_number(&model->schema, j)->name;
		kinds[j] = rml_schema_number(&model->schema, j)->kind;
	}
	for (int64_t c = 0; c < kmeans->k; c++)
		for (int j = 0; j < d; j++)
			z[c * d + j] = rml_schema_z(&model->schema, j, kmeans->centroids[c * d + j]);
	rml_segment_profile(env, (int) kmeans->k, d, features, kinds, z, kmeans->sizes, profile);
}

Datum
rml_sql_segment_profile(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlEnv *env = rml_pg_env_create(CurrentMemoryContext, "segment_profile");
	RmlSegmentProfile profile;
	const RmlModel *model;
	const RmlKmeans *kmeans;
	double *z;

	InitMaterializedSRF(fcinfo, 0);
	model = rml_model_argument(fcinfo, 0, RML_ALGORITHM_KMEANS);
	kmeans = model->fitted;
	z = RML_NEW(env, double, (size_t) kmeans->k * kmeans->d);
	profile_clusters(env, model, z, &profile);
	for (int64_t c = 0; c < kmeans->k; c++)
		for (int j = 0; j < kmeans->d; j++)
		{
			const RmlFeature *feature = rml_schema_number(&model->schema, j);
			int64_t cell = c * kmeans->d + j;
			Datum values[PROFILE_COLUMNS];
			bool nulls[PROFILE_COLUMNS] = {false};

			CHECK_FOR_INTERRUPTS();
			values[0] = Int32GetDatum((int32) c + 1);
			values[1] = CStringGetTextDatum(profile.names[c]);
			values[2] = Int64GetDatum(kmeans->sizes[c]);
			values[3] = Float8GetDatum((double) kmeans->sizes[c] / (double) model->schema.rows);
			values[4] = CStringGetTextDatum(feature->name);
			values[5] =
				Float8GetDatum(rml_schema_restore(&model->schema, j, kmeans->centroids[cell]));
			values[6] = Float8GetDatum(feature->mean);
			values[7] = Float8GetDatum(z[cell]);
			values[8] = Int32GetDatum(profile.ranks[cell]);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	return (Datum) 0;
}
