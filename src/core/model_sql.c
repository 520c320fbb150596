/*
 * model_sql.c
 *	  Models as SQL arguments, and the functions that work on any model.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/agg_sql.h"
#include "retailml/env_sql.h"
#include "retailml/info_sql.h"
#include "retailml/model_sql.h"

/* bytes of a model from which on comparing all of them for each row would be felt */
#define LARGE 16384

PG_FUNCTION_INFO_V1(rml_predict);
PG_FUNCTION_INFO_V1(rml_predict_label);
PG_FUNCTION_INFO_V1(rml_model_info);
PG_FUNCTION_INFO_V1(rml_model_features);

/* ---- decoding ---- */

static void
refuse_model(const RmlModel *model, const char *reason)
{
	if (model->newer)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s", reason),
				 errhint("Update the extension with ALTER EXTENSION retailml UPDATE, or train the "
						 "model again here.")));
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the model is damaged or not a model"),
					errdetail("The check says: %s.", reason),
					errhint("Train the model again, or restore the value from a backup.")));
}

static void
check_algorithm(FunctionCallInfo fcinfo, const RmlModel *model, uint16_t algorithm)
{
	if (algorithm == 0 || model->algorithm->id == algorithm)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s needs a model of %s, this one is of %s",
					get_func_name(fcinfo->flinfo->fn_oid), rml_algorithm_by_id(algorithm)->name,
					model->algorithm->name),
			 errhint("%s and model_info(model) take this one.", rml_model_scored_by(model))));
}

void
rml_model_load(RmlModel *model, RmlEnv *env, Datum argument)
{
	bytea *bytes = DatumGetByteaPP(argument);
	const char *reason = rml_model_decode(model, env, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));

	if (reason != NULL)
		refuse_model(model, reason);
	if ((Pointer) bytes != DatumGetPointer(argument))
		pfree(bytes);
}

static void
decode_model(FunctionCallInfo fcinfo, RmlModel *model, MemoryContext context, Datum argument,
			 uint16_t algorithm)
{
	rml_model_load(model, rml_pg_env_create(context, "reading a model"), argument);
	check_algorithm(fcinfo, model, algorithm);
}

RmlModel *
rml_model_argument(FunctionCallInfo fcinfo, int argument, uint16_t algorithm)
{
	RmlModel *model = palloc0(sizeof(RmlModel));

	decode_model(fcinfo, model, CurrentMemoryContext, PG_GETARG_DATUM(argument), algorithm);
	return model;
}

RmlModel *
rml_cluster_model_argument(FunctionCallInfo fcinfo, int argument, RmlClusters *clusters)
{
	RmlModel *model = rml_model_argument(fcinfo, argument, 0);

	if (model->algorithm->clusters == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s needs a model of clusters, this one is of %s",
							   get_func_name(fcinfo->flinfo->fn_oid), model->algorithm->name),
						errhint("Models of clusters are made by kmeans_fit, for example.")));
	model->algorithm->clusters(model->fitted, clusters);
	return model;
}

Datum
rml_model_bytea(const RmlModel *model)
{
	RmlWriter writer;

	rml_model_encode(&writer, model->env, model->algorithm, &model->schema, model->params,
					 model->fitted);
	return rml_writer_bytea(&writer);
}

/* ---- the cache in fn_extra ---- */

static RmlScorer *
scorer_create(FunctionCallInfo fcinfo)
{
	MemoryContext parent = fcinfo->flinfo->fn_mcxt;
	RmlScorer *scorer = MemoryContextAllocZero(parent, sizeof(RmlScorer));

	scorer->context = AllocSetContextCreate(parent, "retailml model", ALLOCSET_SMALL_SIZES);
	fcinfo->flinfo->fn_extra = scorer;
	return scorer;
}

/*
 * The key is the argument as it was given: the pointer of a toasted model, or all bytes of one
 * that is inline.  Comparing bytes is cheaper than any checksum of them, and cannot be wrong.  A
 * large inline one, the result of a subquery for example, is in the same place for every row: there its header,
 * which has a checksum of the rest, is enough.
 */
static bool
is_cached(RmlScorer *scorer, const struct varlena *argument)
{
	if (scorer->key == NULL || scorer->key_length != VARSIZE_ANY(argument))
		return false;
	if (argument == scorer->place && scorer->key_length > LARGE && VARATT_IS_4B_U(argument))
		return memcmp(scorer->key, argument, VARHDRSZ + RML_HEADER_LENGTH) == 0;
	if (memcmp(scorer->key, argument, scorer->key_length) != 0)
		return false;
	scorer->place = argument;
	return true;
}

static void
load_model(FunctionCallInfo fcinfo, RmlScorer *scorer, uint16_t algorithm)
{
	struct varlena *argument = (struct varlena *) DatumGetPointer(PG_GETARG_DATUM(0));
	const RmlSchema *schema = &scorer->model.schema;
	char *key;

	scorer->key = NULL;
	scorer->work = NULL;
	scorer->labels.n = 0;
	scorer->bound = false;
	MemoryContextReset(scorer->context);
	decode_model(fcinfo, &scorer->model, scorer->context, PG_GETARG_DATUM(0), algorithm);
	scorer->numbers =
		MemoryContextAllocZero(scorer->context, sizeof(double) * Max(schema->d_num, 1));
	scorer->codes =
		MemoryContextAllocZero(scorer->context, sizeof(int32_t) * Max(schema->d_cat, 1));
	scorer->key_length = VARSIZE_ANY(argument);
	/* as long as the model when that is inline, so it counts */
	key = rml_alloc(scorer->model.env, scorer->key_length);
	scorer->key = rml_copy(scorer->model.env, key, argument, scorer->key_length);
	scorer->place = argument;
}

RmlScorer *
rml_scorer_model(FunctionCallInfo fcinfo, uint16_t algorithm)
{
	RmlScorer *scorer = fcinfo->flinfo->fn_extra;

	if (scorer == NULL)
		scorer = scorer_create(fcinfo);
	if (!is_cached(scorer, (struct varlena *) DatumGetPointer(PG_GETARG_DATUM(0))))
		load_model(fcinfo, scorer, algorithm);
	return scorer;
}

/* ---- rows ---- */

static void
require_rows(FunctionCallInfo fcinfo, const RmlModel *model)
{
	if (model->algorithm->predict == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s needs a model of rows, this one is of %s",
							   get_func_name(fcinfo->flinfo->fn_oid), model->algorithm->name),
						errhint("%s gives its predictions.", model->algorithm->scored_by)));
}

static int32_t
schema_code(void *target, int column, const char *text, size_t length)
{
	const RmlSchema *schema = target;

	return rml_schema_code(&schema->features[column], text, length);
}

void
rml_schema_bind(RmlBinding *binding, MemoryContext context, Oid row_type, Datum row,
				RmlSchema *schema)
{
	int n = schema->n_features;
	MemoryContext caller = MemoryContextSwitchTo(context);
	char **names = palloc(sizeof(char *) * Max(n, 1));
	RmlKind *kinds = palloc(sizeof(RmlKind) * Max(n, 1));
	int *slots = palloc(sizeof(int) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		names[i] = schema->features[i].name;
		kinds[i] = schema->features[i].kind;
		slots[i] = schema->features[i].slot;
	}
	MemoryContextSwitchTo(caller);
	rml_row_bind(binding, context, row_type, row, n, names, kinds, slots, schema->positional,
				 schema_code, schema);
}

static void
bind_row(FunctionCallInfo fcinfo, RmlScorer *scorer)
{
	rml_schema_bind(&scorer->binding, scorer->context, get_fn_expr_argtype(fcinfo->flinfo, 1),
					PG_GETARG_DATUM(1), &scorer->model.schema);
	scorer->bound = true;
}

RmlScorer *
rml_scorer_row(FunctionCallInfo fcinfo, uint16_t algorithm)
{
	RmlScorer *scorer = rml_scorer_model(fcinfo, algorithm);
	const RmlSchema *schema = &scorer->model.schema;
	int missing;

	if (!scorer->bound)
	{
		require_rows(fcinfo, &scorer->model);
		bind_row(fcinfo, scorer);
	}
	missing = rml_row_read(&scorer->binding, PG_GETARG_DATUM(1), scorer->numbers, scorer->codes);
	if (missing > 0 && schema->impute == RML_IMPUTE_SKIP)
		return NULL;
	if (missing > 0 && schema->impute == RML_IMPUTE_ERROR)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("column \"%s\" holds NULL or NaN",
						rml_row_first_missing(&scorer->binding, scorer->numbers, scorer->codes)),
				 errdetail("The model was trained with option \"impute\" set to \"error\".")));
	rml_schema_prepare(schema, scorer->numbers);
	return scorer;
}

/* ---- functions for any model ---- */

Datum
rml_predict(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, 0);

	if (scorer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(
		scorer->model.algorithm->predict(scorer->model.fitted, scorer->numbers, scorer->codes));
}

/* once per model */
static void
find_labels(RmlScorer *scorer)
{
	if (!rml_model_labels(&scorer->model, &scorer->labels))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model of %s has no labels", scorer->model.algorithm->name),
						errhint("predict(model, row) gives its prediction as a number.")));
}

/* the text of a label, which lives as long as the model */
static text *
label_text(const RmlScorer *scorer, RmlLabel *label)
{
	MemoryContext caller;

	if (label->result == NULL)
	{
		caller = MemoryContextSwitchTo(scorer->context);
		label->result = cstring_to_text(label->text);
		MemoryContextSwitchTo(caller);
	}
	return label->result;
}

Datum
rml_predict_label(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_row(fcinfo, 0);
	double prediction;

	if (scorer == NULL)
		PG_RETURN_NULL();
	if (scorer->labels.n == 0)
		find_labels(scorer);
	prediction =
		scorer->model.algorithm->predict(scorer->model.fitted, scorer->numbers, scorer->codes);
	PG_RETURN_TEXT_P(label_text(scorer, rml_label_of(&scorer->labels, prediction)));
}

Datum
rml_model_info(PG_FUNCTION_ARGS)
{
	RmlModel *model = rml_model_argument(fcinfo, 0, 0);
	RmlInfo *info = rml_info_create();

	rml_model_describe(model, info);
	PG_RETURN_DATUM(rml_info_finish(info));
}

static Datum
category_array(const RmlFeature *feature)
{
	Datum *texts = palloc(sizeof(Datum) * Max(feature->n_categories, 1));

	for (int i = 0; i < feature->n_categories; i++)
		texts[i] = CStringGetTextDatum(feature->categories[i]);
	return PointerGetDatum(
		construct_array(texts, feature->n_categories, TEXTOID, -1, false, TYPALIGN_INT));
}

/* position, name, type, impute, mean, sd, categories */
#define FEATURE_COLUMNS 7

static void
feature_row(const RmlSchema *schema, int position, Datum *values, bool *nulls)
{
	const RmlFeature *feature = &schema->features[position];
	bool categorical = feature->kind == RML_CATEGORICAL;

	memset(nulls, 0, FEATURE_COLUMNS);
	values[0] = Int32GetDatum(position + 1);
	values[1] = CStringGetTextDatum(feature->name);
	values[2] = CStringGetTextDatum(feature->type);
	nulls[3] = nulls[4] = nulls[5] = categorical;
	nulls[6] = !categorical;
	if (categorical)
	{
		values[6] = category_array(feature);
		return;
	}
	nulls[3] = schema->impute >= RML_IMPUTE_ERROR;
	values[3] = Float8GetDatum(feature->impute);
	values[4] = Float8GetDatum(feature->mean);
	values[5] = Float8GetDatum(feature->sd);
}

Datum
rml_model_features(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlModel *model;

	InitMaterializedSRF(fcinfo, 0);
	model = rml_model_argument(fcinfo, 0, 0);
	for (int i = 0; i < model->schema.n_features; i++)
	{
		Datum values[FEATURE_COLUMNS];
		bool nulls[FEATURE_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		feature_row(&model->schema, i, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
