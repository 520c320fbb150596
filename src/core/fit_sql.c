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
#include "retailml/supervised.h"

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
	if (spec->raw && !spec->supervised)
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

void
rml_check_model_size(size_t bytes)
{
	if (bytes > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model has %zu MB, a bytea can hold 1024 MB", bytes / (1024 * 1024)),
				 errhint("Use fewer features or categories.")));
}

Datum
rml_writer_bytea(RmlWriter *writer)
{
	bytea *result;

	rml_check_model_size(writer->length);
	result = palloc(VARHDRSZ + writer->length);
	SET_VARSIZE(result, VARHDRSZ + writer->length);
	rml_copy(writer->env, VARDATA(result), writer->bytes, writer->length);
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

/* columns of the frame that come out of the row: all but a label that comes beside it */
static int
row_columns(const RmlCollector *collector)
{
	const RmlFitSpec *spec = collector->spec;

	return spec->label_name != NULL || spec->label_value ? collector->n_features
														 : collector->frame.n_columns;
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

/* the group and the hidden columns that are there anyway */
static void
find_default_roles(RmlCollector *collector, Datum row)
{
	RmlRoles *roles = &collector->roles;

	if (collector->spec->label_value)
	{
		roles->hidden = NULL;
		return;
	}
	if (roles->group == NULL && roles->default_group != NULL &&
		strcmp(roles->default_group, roles->label) != 0 &&
		rml_row_has_column(row, roles->default_group))
		roles->group = roles->default_group;
}

/* the columns that are no features: which they are */
static void
find_roles(RmlCollector *collector, Datum row)
{
	const RmlFitSpec *spec = collector->spec;
	RmlRoles *roles = &collector->roles;

	memset(roles, 0, sizeof *roles);
	if (!spec->supervised)
		return;
	if (spec->roles != NULL)
		spec->roles(collector->params, roles);
	if (spec->label_value && (roles->weight != NULL || roles->group != NULL))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s: the columns of an array have no names to choose a weight or "
							   "group by",
							   spec->function),
						errhint("Give %s a row instead of an array.", spec->function)));
	roles->label = spec->label_value
					   ? "label"
					   : rml_strdup(collector->env, TextDatumGetCString(collector->parameters[0]));
	find_default_roles(collector, row);
}

/* names of the columns of the row that are no features */
static RmlNames
role_names(const RmlCollector *collector)
{
	const RmlRoles *roles = &collector->roles;
	const char *all[] = {collector->spec->label_value ? NULL : roles->label, roles->weight,
						 roles->group};
	int hidden = 0;
	RmlNames names = {0};

	while (roles->hidden != NULL && roles->hidden[hidden] != NULL)
		hidden++;
	names.names = RML_NEW(collector->env, char *, lengthof(all) + hidden);
	for (int i = 0; i < lengthof(all); i++)
		if (all[i] != NULL)
			names.names[names.n++] = (char *) all[i];
	for (int i = 0; i < hidden; i++)
		names.names[names.n++] = (char *) roles->hidden[i];
	return names;
}

static void
add_role_columns(RmlCollector *collector, RmlRowColumns *columns, Oid label_type, Datum row)
{
	const RmlFitSpec *spec = collector->spec;
	const RmlRoles *roles = &collector->roles;
	RmlEnv *env = collector->env;

	collector->n_features = columns->n;
	if (spec->label_name != NULL)
		rml_row_role_value(columns, env, spec->function, spec->label_name, INT4OID);
	if (spec->label_value)
		rml_row_role_value(columns, env, spec->function, "label", label_type);
	else if (roles->label != NULL)
		rml_row_role_column(columns, env, spec->function, row, "label", roles->label, false);
	if (roles->weight != NULL)
		rml_row_role_column(columns, env, spec->function, row, "weight", roles->weight, true);
	if (roles->group != NULL)
		rml_row_role_column(columns, env, spec->function, row, "group", roles->group, false);
}

/* code of a label that comes beside an array */
static int32_t
collect_label_code(void *target, int column, const char *text, size_t length)
{
	RmlCollector *collector = target;

	return collect_code(target, collector->n_features, text, length);
}

static void
bind_label(RmlCollector *collector, Oid type)
{
	RmlColumn *column = &collector->frame.columns[collector->n_features];

	rml_value_bind(&collector->label_binding, rml_pg_env_context(collector->env), type,
				   column->name, column->slot, collect_label_code, collector);
}

void
rml_collect_start(RmlCollector *collector, MemoryContext parent, const RmlFitSpec *spec,
				  const RmlFitArguments *arguments, Datum row)
{
	RmlRowColumns columns;
	RmlRowParams *row_params = &collector->row_params;
	RmlNames roles;

	collector->env = rml_pg_env_create(parent, spec->function);
	keep_arguments(collector, spec, arguments);
	rml_collect_begin(collector, spec);
	find_roles(collector, row);
	roles = role_names(collector);
	rml_row_columns(&columns, collector->env, spec->function, arguments->row_type, row,
					&row_params->features, &row_params->exclude, &roles, spec->categories);
	add_role_columns(collector, &columns, arguments->label_type, row);
	rml_frame_init(&collector->frame, collector->env, columns.n, columns.names, columns.types,
				   columns.kinds);
	bind_row(collector, row);
	if (spec->label_value || spec->label_name != NULL)
		bind_label(collector, spec->label_value ? arguments->label_type : INT4OID);
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
	collector->n_features = n;
}

static void
refuse_missing(const RmlCollector *collector, const double *numbers, const int32_t *codes)
{
	/* a row without its label or weight has been left out by now */
	const char *name = rml_row_first_missing(&collector->binding, numbers, codes);

	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("column \"%s\" holds NULL or NaN", name),
					errdetail("Option \"impute\" of %s is \"error\".", collector->spec->function)));
}

static void
check_weight(const RmlCollector *collector, const double *numbers)
{
	const RmlColumn *column = &collector->frame.columns[collector->n_features + 1];

	if (collector->roles.weight != NULL && numbers[column->slot] < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s: the weight \"%s\" is negative (%g)", collector->spec->function,
							   column->name, numbers[column->slot])));
}

/* columns with a role that have no value in this row */
static int
missing_roles(const RmlCollector *collector, const double *numbers, const int32_t *codes)
{
	const RmlFrame *frame = &collector->frame;
	int missing = 0;

	for (int i = collector->n_features; i < frame->n_columns; i++)
	{
		const RmlColumn *column = &frame->columns[i];

		missing += column->kind == RML_CATEGORICAL ? codes[column->slot] == 0
												   : isnan(numbers[column->slot]);
	}
	return missing;
}

static bool
leave_out(RmlFrame *frame)
{
	rml_frame_pop(frame);
	frame->skipped++;
	return false;
}

bool
rml_collect_row(RmlCollector *collector, Datum row, Datum label)
{
	RmlFrame *frame = &collector->frame;
	double *numbers;
	int32_t *codes;
	int missing;

	/* of the rows so far: this one may yet be left out */
	if (frame->d_cat > 0)
		rml_collect_check_categories(collector, false);
	rml_frame_push(frame, &numbers, &codes);
	missing = rml_row_read(&collector->binding, row, numbers, codes);
	if (collector->label_binding.n_columns > 0)
		rml_value_read(&collector->label_binding, label, false, numbers, codes);
	if (collector->roles.label != NULL)
	{
		if (missing_roles(collector, numbers, codes) > 0)
			return leave_out(frame);
		check_weight(collector, numbers);
	}
	if (missing == 0 || collector->row_params.impute < RML_IMPUTE_ERROR)
		return true;
	if (collector->row_params.impute == RML_IMPUTE_ERROR)
		refuse_missing(collector, numbers, codes);
	return leave_out(frame);
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

/* what the fit takes on top of the rows, where it is known in advance */
static size_t
fitting_bytes(const RmlCollector *collector)
{
	const RmlFrame *frame = &collector->frame;
	int labels = collector->spec->label_name != NULL;

	if (collector->spec->bytes == NULL)
		return 0;
	return collector->spec->bytes(collector->params, frame->n, frame->d_num - labels, frame->d_cat,
								  collector->env->threads);
}

static void
take_roles(const RmlCollector *collector, RmlFit *fit)
{
	RmlFrame *frame = (RmlFrame *) &collector->frame;
	int n = frame->n_columns - collector->n_features;
	RmlTaken *taken = RML_NEW_ZERO(fit->env, RmlTaken, n);

	rml_frame_take(frame, &fit->matrix, collector->n_features, taken);
	fit->label = &taken[0];
	if (collector->roles.weight != NULL)
		fit->weight = &taken[1];
	if (collector->roles.group != NULL)
		fit->group = &taken[n - 1];
}

void
rml_collect_finish(RmlCollector *collector, bool want_origin, RmlFit *fit)
{
	RmlEnv *env = collector->env;
	RmlFrame *frame = &collector->frame;
	const RmlFitSpec *spec = collector->spec;
	RmlRowParams *row_params = &collector->row_params;
	size_t ordering, taken, fitting;

	rml_collect_leave_keys_out(collector);
	rml_collect_check_categories(collector, true);
	ordering = rml_frame_order_bytes(frame);
	taken = sizeof(double) * (size_t) frame->n * (frame->n_columns - collector->n_features);
	fitting = taken + fitting_bytes(collector);
	frame->skipped += collector->skipped;
	rml_pg_env_check_room(env, Max(ordering, fitting));
	memset(fit, 0, sizeof *fit);
	fit->env = env;
	fit->function = spec->function;
	fit->params = collector->params;
	fit->options = collector->options;
	rml_frame_order(frame, want_origin, &fit->matrix);
	if (spec->label_name != NULL)
		fit->labels = rml_frame_take_labels(frame, &fit->matrix);
	else if (collector->n_features < frame->n_columns)
		take_roles(collector, fit);
	fit->columns = frame->columns;
	fit->impute = (RmlImpute) row_params->impute;
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
		rml_notice_keys(&fit->schema);
	if (spec->clusters)
		notice_dominance(collector, fit);
}
