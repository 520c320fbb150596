/*
 * supervised_sql.c
 *	  What the fits of all learners have in common.
 */
#include "postgres.h"

#include "retailml/env_sql.h"
#include "retailml/options_sql.h"
#include "retailml/supervised_sql.h"

void *
rml_learner_begin(RmlEnv *env, const RmlLearner *learner, Jsonb *options,
				  const RmlOptionSet *row_options)
{
	void *params = rml_alloc_zero(env, learner->algorithm->params_size);
	const RmlOptionSet sets[] = {
		*row_options, {learner->algorithm->options, learner->algorithm->n_options, params}};

	rml_options_parse(env, rml_pg_env_function(env), options, sets, lengthof(sets));
	return params;
}

void
rml_supervised_roles(const void *params, RmlRoles *roles)
{
	roles->weight = ((const RmlSupervisedParams *) params)->weight;
}

static void
check_weights(const RmlFit *fit, const double *weights)
{
	for (int64 i = 0; i < fit->matrix.n; i++)
		if (weights[i] > 0)
			return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s: the weight \"%s\" is zero in all rows", fit->function,
						   fit->weight->column.name)));
}

void
rml_fit_training_set(RmlFit *fit, const RmlSupervisedParams *params, bool classifier,
					 RmlTrainingSet *rows)
{
	memset(rows, 0, sizeof *rows);
	rows->schema = &fit->schema;
	rows->numbers = fit->matrix.numbers;
	rows->codes = fit->matrix.codes;
	rml_refuse(fit->function,
			   rml_label_learn(fit->env, fit->label, fit->matrix.n, params, classifier, rows));
	if (fit->weight != NULL)
	{
		check_weights(fit, fit->weight->numbers);
		rows->weights = fit->weight->numbers;
	}
}

void *
rml_fit_rows(RmlEnv *env, const char *function, const RmlLearner *learner, const void *params,
			 const RmlTrainingSet *rows)
{
	const RmlSchema *schema = rows->schema;
	const char *reason = NULL;
	const char *warning;
	void *fitted;

	rml_refuse(function, learner->check(env, params, rows));
	rml_pg_env_check_room(env, learner->bytes(params, rows->n, schema->d_num, schema->d_cat,
											  rows->target.n_classes, env->threads));
	fitted = learner->fit(env, params, rows, &reason);
	rml_refuse(function, reason);
	warning = learner->warning == NULL ? NULL : learner->warning(env, fitted);
	if (warning != NULL)
		ereport(WARNING, (errmsg("%s: %s", function, warning)));
	return fitted;
}

Datum
rml_fit_learner(RmlFit *fit, const RmlLearner *learner)
{
	RmlTrainingSet rows;

	rml_fit_training_set(fit, fit->params, learner->classifier, &rows);
	return rml_fit_model(fit, learner->algorithm,
						 rml_fit_rows(fit->env, fit->function, learner, fit->params, &rows));
}
