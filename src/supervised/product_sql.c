/*
 * product_sql.c
 *	  Rows and models of the products.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "retailml/env_sql.h"
#include "retailml/product_sql.h"

/* columns of customer_snapshot() that are no features: who it is, and what came later */
static const char *const snapshot_columns[] = {"customer_id", "churned", "future_spend",
											   "future_orders", NULL};

void
rml_product_roles(const RmlSupervisedParams *params, const char *group, RmlRoles *roles)
{
	roles->weight = params->weight;
	roles->group = group;
	roles->default_group = snapshot_columns[0];
	roles->hidden = snapshot_columns;
}

/* a number for each group: its code, or the bits of its number */
static uint64 *
group_numbers(const RmlFit *fit)
{
	const RmlTaken *group = fit->group;
	uint64 *numbers;

	if (group == NULL)
		return NULL;
	numbers = RML_NEW(fit->env, uint64, (size_t) fit->matrix.n);
	for (int64 i = 0; i < fit->matrix.n; i++)
		if (group->codes != NULL)
			numbers[i] = (uint64) group->codes[i];
		else
			memcpy(&numbers[i], &group->numbers[i], sizeof numbers[i]);
	return numbers;
}

/* what the guard looks at: the rows with the values a fit would see */
static void
guard_rows(RmlFit *fit, const RmlSupervisedParams *params, const RmlRawRows *raw)
{
	int64 n = fit->matrix.n;
	int64_t *all = RML_NEW(fit->env, int64_t, (size_t) n);
	const RmlSubset subset = {.n = n, .rows = all};
	RmlPrepared prepared;

	for (int64 i = 0; i < n; i++)
		all[i] = i;
	rml_pg_env_check_room(fit->env, rml_training_set_bytes(raw, n));
	rml_refuse(fit->function,
			   rml_training_set_learn(fit->env, raw, &subset, fit->impute, &prepared));
	rml_guard_leaks(fit, params, &prepared.rows);
	rml_release(fit->env, (void *) prepared.rows.numbers);
	rml_release(fit->env, (void *) prepared.rows.codes);
	rml_release(fit->env, all);
}

/* columns without values are left out, and named */
static void
drop_empty_columns(RmlFit *fit)
{
	int n = fit->schema.n_features;
	int kept = rml_raw_drop_empty(fit->env, fit->columns, n, &fit->matrix);
	StringInfoData names;

	initStringInfo(&names);
	for (int i = kept; i < n; i++)
		appendStringInfo(&names, "%s\"%s\"", i > kept ? ", " : "", fit->columns[i].name);
	if (kept < n)
		ereport(NOTICE, (errmsg_plural("%s: column %s has no values and is left out",
									   "%s: columns %s have no values and are left out", n - kept,
									   fit->function, names.data)));
	if (kept == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s has no columns left to use", fit->function),
						errhint("All columns of the rows are NULL.")));
	fit->schema.n_features = kept;
}

void
rml_fit_product_rows(RmlFit *fit, const RmlSupervisedParams *params, bool classifier, int64 folds,
					 RmlProductRows *rows)
{
	RmlTrainingSet labelled;

	drop_empty_columns(fit);
	rml_fit_label(fit, params, classifier, &labelled);
	*rows = (RmlProductRows){.raw = {.n_columns = fit->schema.n_features,
									 .columns = fit->columns,
									 .matrix = &fit->matrix,
									 .target = labelled.target,
									 .y = labelled.y,
									 .classes = labelled.classes,
									 .weights = labelled.weights},
							 .impute = fit->impute,
							 .groups = group_numbers(fit),
							 .folds = folds,
							 .seed = params->seed};
	guard_rows(fit, params, &rows->raw);
}

Datum
rml_fit_product_model(RmlFit *fit, const RmlAlgorithm *algorithm, const void *fitted,
					  const RmlPrepared *prepared)
{
	RmlSchema described = fit->schema;

	fit->schema = prepared->schema;
	fit->schema.positional = described.positional;
	fit->schema.chosen = described.chosen;
	fit->schema.excluded = described.excluded;
	fit->schema.max_categories = described.max_categories;
	fit->schema.skipped = described.skipped;
	return rml_fit_model(fit, algorithm, fitted);
}
