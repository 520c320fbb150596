/*
 * fit_sql.c
 *	  From the rows a query delivers to the prepared matrix a kernel works on.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "retailml/env_sql.h"
#include "retailml/fit_sql.h"
#include "retailml/options_sql.h"
#include "retailml/registry.h"

static const RmlOption row_options[] = {
	RML_NAMES_OPTION(RmlRowParams, features),
	RML_NAMES_OPTION(RmlRowParams, exclude),
	RML_INT_OPTION(RmlRowParams, max_categories, 1000, 1, 1000000),
	RML_CHOICE_OPTION(RmlRowParams, impute, RML_IMPUTE_MEAN, rml_impute_names),
	RML_BOOL_OPTION(RmlRowParams, standardize, true),
};

/* the row options a fit accepts are the first ones of these */
static int
n_row_options(const RmlFitSpec *spec)
{
	if (spec->n_values > 0)
		return 0;
	if (spec->raw)
		return 3;
	return spec->scales ? 5 : 4;
}

void
rml_refuse(const char *function, const char *reason)
{
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s: %s", function, reason)));
}

Datum
rml_writer_bytea(RmlWriter *writer)
{
	bytea *result;

	if (writer->length > MaxAllocSize - VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the model has %zu MB, a bytea can hold 1024 MB",
							   writer->length / (1024 * 1024)),
						errhint("Use fewer features or categories.")));
	result = palloc(VARHDRSZ + writer->length);
	SET_VARSIZE(result, VARHDRSZ + writer->length);
	memcpy(VARDATA(result), writer->bytes, writer->length);
	return PointerGetDatum(result);
}

Datum
rml_fit_model(const RmlFit *fit, const RmlAlgorithm *algorithm, const void *fitted)
{
	RmlWriter writer;

	rml_model_encode(&writer, fit->env, algorithm, &fit->schema, fit->params, fitted);
	return rml_writer_bytea(&writer);
}

/* ---- parameters and options ---- */

static Datum
keep_datum(RmlEnv *env, Datum value, bool by_value)
{
	struct varlena *detoasted;
	void *copy;

	if (by_value)
		return value;
	detoasted = PG_DETOAST_DATUM(value);
	copy = rml_alloc(env, VARSIZE(detoasted));
	memcpy(copy, detoasted, VARSIZE(detoasted));
	return PointerGetDatum(copy);
}

static void
keep_arguments(RmlCollector *collector, const RmlFitSpec *spec, const RmlFitArguments *arguments)
{
	RmlEnv *env = collector->env;

	collector->row_type = arguments->row_type;
	collector->n_parameters = spec->n_parameters;
	collector->constant = arguments->constant;
	for (int i = 0; i < spec->n_parameters; i++)
	{
		collector->by_value[i] = arguments->by_value[i];
		collector->parameters[i] =
			keep_datum(env, arguments->parameters[i], arguments->by_value[i]);
	}
	if (arguments->has_options)
		collector->options = (Jsonb *) DatumGetPointer(keep_datum(env, arguments->options, false));
}

static void
refuse_change(const RmlCollector *collector, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s: %s must be the same for every row", collector->spec->function, what)));
}

/* content counts: the next row's value may well be at the address of the last one's */
static bool
same_argument(Datum given, Datum kept, bool by_value)
{
	if (by_value)
		return given == kept;
	return datumIsEqual(PointerGetDatum(PG_DETOAST_DATUM(given)), kept, false, -1);
}

void
rml_collect_check_arguments(const RmlCollector *collector, const RmlFitArguments *arguments)
{
	if (collector->constant)
		return;
	for (int i = 0; i < collector->n_parameters; i++)
		if (!same_argument(arguments->parameters[i], collector->parameters[i],
						   collector->by_value[i]))
			refuse_change(collector, collector->spec->parameter_names[i]);
	if (arguments->has_options != (collector->options != NULL) ||
		(arguments->has_options &&
		 !same_argument(arguments->options, PointerGetDatum(collector->options), false)))
		refuse_change(collector, "options");
}

void
rml_collect_begin(RmlCollector *collector, const RmlFitSpec *spec)
{
	RmlOptionSet set = {row_options, n_row_options(spec), &collector->row_params};

	if (collector->params != NULL)
		return;
	collector->spec = spec;
	memset(&collector->row_params, 0, sizeof collector->row_params);
	if (spec->n_values > 0)
		collector->row_params.impute = RML_IMPUTE_SKIP;
	collector->params =
		spec->begin(collector->env, collector->parameters, collector->options, &set);
}

/* ---- rows ---- */

static int32_t
collect_code(void *target, int column, const char *text, size_t length)
{
	RmlCollector *collector = target;
	RmlColumn *c = &collector->frame.columns[column];

	return rml_frame_code(&collector->frame, c, text, length);
}

static void
check_category_count(const RmlCollector *collector)
{
	for (int i = 0; i < collector->frame.n_columns; i++)
	{
		const RmlColumn *column = &collector->frame.columns[i];

		if (column->kind == RML_CATEGORICAL &&
			column->dictionary.n > collector->row_params.max_categories)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("column \"%s\" has more than %lld categories", column->name,
							(long long) collector->row_params.max_categories),
					 errhint("Leave it out with the option {\"exclude\": [\"%s\"]}, or raise the "
							 "option \"max_categories\".",
							 column->name)));
	}
}

/* columns of the frame that come out of the row: all but the label, which is the last */
static int
row_columns(const RmlCollector *collector)
{
	return collector->frame.n_columns - (collector->spec->label_name != NULL);
}

/* what rows show besides their numbers goes to the columns of the frame */
static void
note_traits(RmlCollector *collector, int n)
{
	uint8 **traits = RML_NEW(collector->env, uint8 *, n);

	for (int i = 0; i < n; i++)
		traits[i] = &collector->frame.columns[i].traits;
	rml_row_note_traits(&collector->binding, traits);
}

static void
bind_row(RmlCollector *collector, Datum row)
{
	RmlFrame *frame = &collector->frame;
	RmlEnv *env = collector->env;
	int n = row_columns(collector);
	char **names = RML_NEW(env, char *, n);
	RmlKind *kinds = RML_NEW(env, RmlKind, n);
	int *slots = RML_NEW(env, int, n);

	for (int i = 0; i < n; i++)
	{
		names[i] = frame->columns[i].name;
		kinds[i] = frame->columns[i].kind;
		slots[i] = frame->columns[i].slot;
	}
	rml_row_bind(&collector->binding, rml_pg_env_context(env), collector->row_type, row, n, names,
				 kinds, slots, true, collect_code, collector);
	if (collector->spec->raw)
		note_traits(collector, n);
}

static void
add_label_column(RmlRowColumns *columns, RmlEnv *env, const char *name)
{
	int n = columns->n;

	columns->names = rml_grow_array(env, columns->names, n, n + 1, sizeof(char *));
	columns->types = rml_grow_array(env, columns->types, n, n + 1, sizeof(char *));
	columns->kinds = rml_grow_array(env, columns->kinds, n, n + 1, sizeof(RmlKind));
	columns->names[n] = rml_strdup(env, name);
	columns->types[n] = rml_strdup(env, "integer");
	columns->kinds[n] = RML_NUMERIC;
	columns->n = n + 1;
}

void
rml_collect_start(RmlCollector *collector, MemoryContext parent, const RmlFitSpec *spec,
				  const RmlFitArguments *arguments, Datum row)
{
	RmlRowColumns columns;
	RmlRowParams *row_params = &collector->row_params;

	collector->env = rml_pg_env_create(parent, spec->function);
	keep_arguments(collector, spec, arguments);
	rml_collect_begin(collector, spec);
	rml_row_columns(&columns, collector->env, spec->function, arguments->row_type, row,
					&row_params->features, &row_params->exclude, spec->categories);
	if (spec->label_name != NULL)
		add_label_column(&columns, collector->env, spec->label_name);
	rml_frame_init(&collector->frame, collector->env, columns.n, columns.names, columns.types,
				   columns.kinds);
	bind_row(collector, row);
}

void
rml_collect_start_values(RmlCollector *collector, MemoryContext parent, const RmlFitSpec *spec,
						 const RmlFitArguments *arguments)
{
	int n = spec->n_values;
	RmlKind *kinds;
	char **types;

	collector->env = rml_pg_env_create(parent, spec->function);
	keep_arguments(collector, spec, arguments);
	rml_collect_begin(collector, spec);
	kinds = RML_NEW_ZERO(collector->env, RmlKind, n);
	types = RML_NEW(collector->env, char *, n);
	for (int i = 0; i < n; i++)
		types[i] = "double precision";
	rml_frame_init(&collector->frame, collector->env, n, (char *const *) spec->value_names, types,
				   kinds);
}

static void
refuse_missing(const RmlCollector *collector, const double *numbers, const int32_t *codes)
{
	const char *name = rml_row_first_missing(&collector->binding, numbers, codes);

	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("column \"%s\" holds NULL or NaN", name),
					errdetail("Option \"impute\" of %s is \"error\".", collector->spec->function)));
}

bool
rml_collect_row(RmlCollector *collector, Datum row, int32 label)
{
	RmlFrame *frame = &collector->frame;
	double *numbers;
	int32_t *codes;
	int missing;

	rml_frame_push(frame, &numbers, &codes);
	missing = rml_row_read(&collector->binding, row, numbers, codes);
	if (collector->spec->label_name != NULL)
		numbers[frame->d_num - 1] = label;
	if (frame->d_cat > 0)
		check_category_count(collector);
	if (missing == 0 || collector->row_params.impute < RML_IMPUTE_ERROR)
		return true;
	if (collector->row_params.impute == RML_IMPUTE_ERROR)
		refuse_missing(collector, numbers, codes);
	rml_frame_pop(frame);
	frame->skipped++;
	return false;
}

bool
rml_collect_values(RmlCollector *collector, const double *values)
{
	RmlFrame *frame = &collector->frame;
	double *numbers;
	int32_t *codes;

	for (int i = 0; i < frame->d_num; i++)
	{
		if (isinf(values[i]))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("%s: %s is infinite", collector->spec->function,
								   frame->columns[i].name)));
		if (isnan(values[i]))
		{
			frame->skipped++;
			return false;
		}
	}
	rml_frame_push(frame, &numbers, &codes);
	memcpy(numbers, values, sizeof(double) * frame->d_num);
	return true;
}

/* ---- finish ---- */

static void
notice_keys(const RmlCollector *collector, const RmlSchema *schema)
{
	for (int i = 0; i < schema->n_features; i++)
		if (schema->features[i].looks_like_key)
			ereport(NOTICE, (errmsg("column \"%s\" looks like a key: all its values are different",
									schema->features[i].name),
							 errhint("If it identifies rows, leave it out with the option "
									 "{\"exclude\": [\"%s\"]}.",
									 schema->features[i].name)));
}

static void
notice_dominance(const RmlCollector *collector, const RmlFit *fit)
{
	const RmlFitSpec *spec = collector->spec;
	const RmlSchema *schema = &fit->schema;
	double weight = spec->category_weight == NULL ? 0 : spec->category_weight(fit->params, schema);
	double share;
	const RmlFeature *feature = rml_schema_dominant(schema, weight, &share);

	if (feature == NULL)
		return;
	ereport(NOTICE,
			(errmsg("column \"%s\" carries %.1f %% of the variance that %s sees", feature->name,
					100 * share, spec->function),
			 errdetail("The clusters will be ranges of this column."),
			 feature->kind == RML_CATEGORICAL
				 ? errhint("Lower the option \"gamma\", or leave the column out.")
			 : schema->standardize
				 ? errhint("The other columns hardly vary. If it should not decide alone, leave it "
						   "out.")
				 : errhint("Give all columns the same weight with the option {\"standardize\": "
						   "true}, or leave it out.")));
}

void
rml_collect_finish(RmlCollector *collector, bool want_origin, RmlFit *fit)
{
	RmlEnv *env = collector->env;
	RmlFrame *frame = &collector->frame;
	const RmlFitSpec *spec = collector->spec;
	RmlRowParams *row_params = &collector->row_params;
	size_t ordering = rml_frame_order_bytes(frame);
	bool labelled = spec->label_name != NULL;
	size_t labels = labelled ? sizeof(int32_t) * (size_t) frame->n : 0;
	size_t fitting = labels + spec->bytes(collector->params, frame->n, frame->d_num - labelled,
										  frame->d_cat, env->threads);

	check_category_count(collector);
	frame->skipped += collector->skipped;
	rml_pg_env_check_room(env, Max(ordering, fitting));
	memset(fit, 0, sizeof *fit);
	fit->env = env;
	fit->function = spec->function;
	fit->params = collector->params;
	fit->options = collector->options;
	rml_frame_order(frame, want_origin, &fit->matrix);
	if (labelled)
		fit->labels = rml_frame_take_labels(frame, &fit->matrix);
	if (spec->raw)
		rml_schema_describe(&fit->schema, env, frame, &fit->matrix);
	else
		rml_refuse(spec->function,
				   rml_schema_learn(&fit->schema, env, frame, &fit->matrix,
									(RmlImpute) row_params->impute, row_params->standardize != 0));
	fit->schema.positional = collector->row_type == FLOAT8ARRAYOID;
	fit->schema.chosen = row_params->features;
	fit->schema.excluded = row_params->exclude;
	fit->schema.max_categories = row_params->max_categories;
	if (spec->n_values == 0)
		notice_keys(collector, &fit->schema);
	if (spec->clusters)
		notice_dominance(collector, fit);
}
