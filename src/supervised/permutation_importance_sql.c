/*
 * permutation_importance_sql.c
 *	  permutation_importance: what a model loses without each of its features.
 *
 * The rows are collected as for a fit of the model's features, raw, and prepared by the model.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "retailml/env_sql.h"
#include "retailml/model_sql.h"
#include "retailml/options_sql.h"
#include "retailml/permutation_importance.h"
#include "retailml/tuning_sql.h"

/* feature, metric, baseline, importance, sd, rank */
#define RESULT_COLUMNS 6

typedef struct Params
{
	int64_t metric; /* index into rml_metric_choices */
	int64_t repeats;
	int64_t seed;
	RmlModel model;
} Params;

static const RmlOption options_table[] = {
	RML_CHOICE_OPTION(Params, metric, 0, rml_metric_choices),
	RML_INT_OPTION(Params, repeats, 5, 1, 1000),
	RML_SEED_OPTION(Params),
};

typedef struct Result
{
	const RmlSchema *schema;
	RmlMetric metric;
	double baseline;
	double *mean; /* [D] */
	double *sd;   /* [D] */
	int *order;   /* [D] */
} Result;

/* ---- the model and its columns ---- */

static void
load_model(RmlEnv *env, Datum bytes, Params *params)
{
	rml_model_load(&params->model, env, bytes);
	if (!params->model.algorithm->supervised)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("permutation_importance needs a model that predicts a label, this "
							   "one is of %s",
							   params->model.algorithm->name)));
}

/* rows are read as the model reads them */
static void
use_columns(RmlEnv *env, const RmlSchema *schema, RmlRowParams *rows)
{
	rows->impute = schema->impute;
	rows->max_categories = INT32_MAX;
	if (schema->positional)
		return;
	rows->features.n = schema->n_features;
	rows->features.names = RML_NEW(env, char *, (size_t) schema->n_features);
	for (int i = 0; i < schema->n_features; i++)
		rows->features.names[i] = schema->features[i].name;
}

static void *
begin_with(RmlEnv *env, Datum model, Jsonb *options, const RmlOptionSet *row_options,
		   bool positional)
{
	Params *params = RML_NEW_ZERO(env, Params, 1);
	const RmlOptionSet own = {options_table, lengthof(options_table), params};

	rml_options_parse(env, rml_pg_env_function(env), options, &own, 1);
	rml_options_default(row_options);
	load_model(env, model, params);
	if (params->model.schema.positional != positional)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("permutation_importance: the model was trained on %s",
							   positional ? "rows, not on arrays" : "arrays, not on rows")));
	use_columns(env, &params->model.schema, row_options->params);
	return params;
}

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	return begin_with(env, parameters[1], options, row_options, false);
}

static void *
begin_array(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	return begin_with(env, parameters[0], options, row_options, true);
}

/* ---- rows ---- */

static const RmlColumn *
find_column(const RmlFit *fit, const RmlFeature *feature)
{
	for (int i = 0; i < fit->schema.n_features; i++)
		if (strcmp(fit->columns[i].name, feature->name) == 0)
			return &fit->columns[i];
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("permutation_importance: the rows have no column \"%s\"", feature->name)));
}

/* the collected columns in the order of the model's features */
static RmlColumn *
model_columns(const RmlFit *fit, const RmlSchema *schema)
{
	RmlColumn *columns = RML_NEW(fit->env, RmlColumn, (size_t) schema->n_features);

	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];
		const RmlColumn *column = find_column(fit, feature);

		if ((column->kind == RML_CATEGORICAL) != (feature->kind == RML_CATEGORICAL))
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("permutation_importance: column \"%s\" is of type %s, it was "
								   "of type %s in training",
								   feature->name, column->type, feature->type)));
		columns[i] = *column;
	}
	if (fit->schema.n_features != schema->n_features)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("permutation_importance: the arrays have %d elements, the model "
							   "was trained on %d",
							   fit->schema.n_features, schema->n_features)));
	return columns;
}

static void
prepare_rows(RmlFit *fit, const RmlModel *model, RmlTrainingSet *rows)
{
	int64 n = fit->matrix.n;
	int64_t *all = RML_NEW(fit->env, int64_t, (size_t) n);
	const RmlSubset subset = {.n = n, .rows = all};
	const RmlRawRows raw = {.n_columns = model->schema.n_features,
							.columns = model_columns(fit, &model->schema),
							.matrix = &fit->matrix};
	RmlMatrix matrix;

	for (int64 i = 0; i < n; i++)
		all[i] = i;
	rml_pg_env_check_room(fit->env, rml_training_set_bytes(&raw, n));
	rml_training_set_apply(fit->env, &raw, &subset, &model->schema, &matrix);
	rml_release(fit->env, all);
	memset(rows, 0, sizeof *rows);
	rml_refuse(fit->function, rml_label_match(fit->env, fit->label, n, model->fitted, rows));
	rows->schema = &model->schema;
	rows->numbers = matrix.numbers;
	rows->codes = matrix.codes;
}

/* ---- the result ---- */

static void
fill_feature(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const Result *result = context;
	int feature = result->order[i];

	values[0] = CStringGetTextDatum(result->schema->features[feature].name);
	values[1] = CStringGetTextDatum(rml_metric_names[result->metric]);
	rml_put_number(result->baseline, &values[2], &nulls[2]);
	rml_put_number(result->mean[feature], &values[3], &nulls[3]);
	rml_put_number(result->sd[feature], &values[4], &nulls[4]);
	values[5] = Int32GetDatum((int32) i + 1);
}

static Datum
run(RmlFit *fit)
{
	const Params *params = fit->params;
	const RmlModel *model = &params->model;
	int d = model->schema.n_features;
	Result result = {.schema = &model->schema,
					 .mean = RML_NEW(fit->env, double, (size_t) d),
					 .sd = RML_NEW(fit->env, double, (size_t) d),
					 .order = RML_NEW(fit->env, int, (size_t) d)};
	RmlTrainingSet rows;
	RmlShuffling shuffling = {.algorithm = model->algorithm,
							  .fitted = model->fitted,
							  .rows = &rows,
							  .repeats = (int) params->repeats,
							  .seed = params->seed};

	prepare_rows(fit, model, &rows);
	rml_refuse(fit->function,
			   rml_metric_choose(fit->env, params->metric, &rows.target, &result.metric));
	shuffling.metric = result.metric;
	rml_pg_env_check_room(fit->env,
						  rml_permutation_importance_bytes(&shuffling, fit->env->threads));
	rml_permutation_importance(fit->env, &shuffling, &result.baseline, result.mean, result.sd);
	rml_importance_order(result.mean, d, result.order);
	return rml_fit_array(fit, d, RESULT_COLUMNS, fill_feature, &result);
}

static const RmlFitSpec rows_spec = {.function = "permutation_importance",
									 .n_parameters = 2,
									 .parameter_names = {"label", "model"},
									 .supervised = true,
									 .model_first = true,
									 .categories = true,
									 .raw = true,
									 .begin = begin,
									 .fit = run};
static const RmlFitSpec array_spec = {.function = "permutation_importance",
									  .n_parameters = 1,
									  .parameter_names = {"model"},
									  .supervised = true,
									  .label_value = true,
									  .model_first = true,
									  .categories = true,
									  .raw = true,
									  .begin = begin_array,
									  .fit = run};

RML_FIT_FUNCTIONS(permutation_importance, rows_spec);
RML_FIT_FUNCTIONS(permutation_importance_array, array_spec);
