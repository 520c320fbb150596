/*
 * supervised_sql.c
 *	  What the fits of all learners have in common.
 */
#include "postgres.h"

#include "retailml/env_sql.h"
#include "retailml/leak_guard.h"
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
rml_guard_leaks(const RmlFit *fit, const RmlSupervisedParams *params, const RmlTrainingSet *rows)
{
	const RmlSchema *schema = rows->schema;
	RmlLeak *leaks = RML_NEW(fit->env, RmlLeak, (size_t) schema->n_features);
	int n;

	if (params->leak == RML_LEAK_IGNORE)
		return;
	rml_pg_env_check_room(fit->env, rml_leak_guard_bytes(rows));
	n = rml_leak_guard(fit->env, rows, leaks);
	for (int i = 0; i < n; i++)
		ereport(params->leak == RML_LEAK_ERROR ? ERROR : WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: column \"%s\" alone gives the label \"%s\" away (%s %.4f)",
						fit->function, schema->features[leaks[i].feature].name, rows->target.name,
						rml_leak_measure(&rows->target), leaks[i].score),
				 errdetail(leaks[i].by_missing
							   ? "Whether the column has a value tells the label of the row."
							   : "A column that was written after the fact makes a model that is "
								 "perfect in training and useless on new rows."),
				 errhint("Leave it out with the option {\"exclude\": [\"%s\"]}, or say that it is "
						 "meant with {\"leak\": \"ignore\"}.",
						 schema->features[leaks[i].feature].name)));
	rml_release(fit->env, leaks);
}

/* of two classes the last by name is positive: that is a guess, unless somebody said so */
static void
notice_positive(const RmlFit *fit, const RmlSupervisedParams *params, const RmlTarget *target)
{
	if (target->task != RML_CLASSIFICATION || !rml_is_binary(target) || params->positive != NULL ||
		rml_positive_is_plain(target))
		return;
	ereport(NOTICE,
			(errmsg("%s: \"%s\" is taken as the positive class of the label \"%s\", whose "
					"probability is predicted",
					fit->function, target->classes[1], target->name),
			 errdetail("It is the last by name; the other class is \"%s\".", target->classes[0]),
			 errhint("If the other one is meant, say so with the option {\"positive\": \"%s\"}; "
					 "{\"positive\": \"%s\"} leaves it at that.",
					 target->classes[0], target->classes[1])));
}

void
rml_fit_label(RmlFit *fit, const RmlSupervisedParams *params, bool classifier, RmlTrainingSet *rows)
{
	memset(rows, 0, sizeof *rows);
	rows->schema = &fit->schema;
	rows->numbers = fit->matrix.numbers;
	rows->codes = fit->matrix.codes;
	rml_refuse(fit->function,
			   rml_label_learn(fit->env, fit->label, fit->matrix.n, params, classifier, rows));
	notice_positive(fit, params, &rows->target);
	if (fit->weight != NULL)
	{
		check_weights(fit, fit->weight->numbers);
		rows->weights = fit->weight->numbers;
	}
}

void
rml_fit_training_set(RmlFit *fit, const RmlSupervisedParams *params, bool classifier,
					 RmlTrainingSet *rows)
{
	rml_fit_label(fit, params, classifier, rows);
	rml_guard_leaks(fit, params, rows);
}

void *
rml_fit_rows(RmlEnv *env, const char *function, const RmlLearner *learner, const void *params,
			 const RmlTrainingSet *rows)
{
	const char *reason = NULL;
	const char *warning;
	void *fitted;

	rml_refuse(function, learner->check(env, params, rows));
	rml_pg_env_check_room(env, rml_learner_bytes(learner, params, rows, env->threads));
	fitted = rml_learner_fit(env, learner, params, rows, &reason);
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
