/*
 * learner.c
 *	  The table of learners.
 */
#include "retailml/learner.h"

#include <math.h>
#include <string.h>

#include "retailml/boost.h"
#include "retailml/class_weight.h"
#include "retailml/forest.h"
#include "retailml/linreg.h"
#include "retailml/logreg.h"
#include "retailml/resample.h"

static const RmlLearner *const learners[] = {&rml_linreg_learner, &rml_logreg_learner,
											 &rml_tree_learner, &rml_forest_learner,
											 &rml_boost_learner};

const char *const rml_learner_names[] = {"linreg", "logreg", "tree", "forest", "boost", NULL};

const RmlLearner *
rml_learner_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof learners / sizeof learners[0]; i++)
		if (strcmp(learners[i]->algorithm->name, name) == 0)
			return learners[i];
	return NULL;
}

/* ---- fitting ---- */

/* the weight of each class [K] that the option gives, NaN where it gives none; NULL and the *reason */
static double *
given_weights(RmlEnv *env, const RmlWeights *option, const RmlTarget *target, const char **reason)
{
	double *given = RML_NEW(env, double, (size_t) target->n_classes);

	for (int k = 0; k < target->n_classes; k++)
		given[k] = NAN;
	for (int64_t i = 0; i < option->n; i++)
	{
		int k = 0;

		while (k < target->n_classes && strcmp(target->classes[k], option->names[i]) != 0)
			k++;
		if (k < target->n_classes)
			given[k] = option->numbers[i];
		else
			*reason =
				rml_format(env, "option \"class_weight\": the label \"%s\" has no class \"%s\"",
						   target->name, option->names[i]);
	}
	return given;
}

/* the rows with the weights of their classes; *made is what to release */
static const char *
weigh_classes(RmlEnv *env, const RmlWeights *option, RmlTrainingSet *rows, double **made)
{
	RmlClassWeight mode = (RmlClassWeight) option->choice;
	double *given = NULL;
	const char *reason = NULL;

	*made = NULL;
	if (mode == RML_CLASS_WEIGHT_NONE)
		return NULL;
	if (rows->target.task == RML_REGRESSION)
		return "option \"class_weight\" applies to classes, and the label is a number";
	if (mode == RML_CLASS_WEIGHT_GIVEN)
		given = given_weights(env, option, &rows->target, &reason);
	if (reason == NULL)
		reason = rml_class_weight_check(env, mode, given, rows);
	if (reason != NULL)
		return reason;
	*made = RML_NEW(env, double, (size_t) rows->n);
	rml_class_weights(env, mode, given, rows, *made);
	rows->weights = *made;
	rml_release(env, given);
	return NULL;
}

static void *
fit_resampled(RmlEnv *env, const RmlLearner *learner, const void *params,
			  const RmlTrainingSet *rows, const char **reason)
{
	const RmlSupervisedParams *common = params;
	RmlResample how = (RmlResample) common->resample;
	RmlTrainingSet balanced;
	void *fitted;

	if (how == RML_RESAMPLE_NONE)
		return learner->fit(env, params, rows, reason);
	*reason = rml_resample_check(how, rows);
	if (*reason != NULL)
		return NULL;
	rml_resample(env, how, common->seed, rows, &balanced);
	fitted = learner->fit(env, params, &balanced, reason);
	if (fitted != NULL)
		/* what the model says of its training rows is of those that were given */
		memcpy(((RmlTarget *) fitted)->counts, rows->target.counts,
			   sizeof(int64_t) * (size_t) rows->target.n_classes);
	rml_release(env, (void *) balanced.numbers);
	rml_release(env, (void *) balanced.codes);
	rml_release(env, (void *) balanced.classes);
	rml_release(env, (void *) balanced.weights);
	return fitted;
}

void *
rml_learner_fit(RmlEnv *env, const RmlLearner *learner, const void *params,
				const RmlTrainingSet *rows, const char **reason)
{
	RmlTrainingSet weighted = *rows;
	double *made;
	void *fitted;

	*reason =
		weigh_classes(env, &((const RmlSupervisedParams *) params)->class_weight, &weighted, &made);
	if (*reason != NULL)
		return NULL;
	fitted = fit_resampled(env, learner, params, &weighted, reason);
	rml_release(env, made);
	return fitted;
}

size_t
rml_learner_bytes(const RmlLearner *learner, const void *params, const RmlTrainingSet *rows,
				  int threads)
{
	const RmlSupervisedParams *common = params;
	const RmlSchema *schema = rows->schema;
	RmlResample how = (RmlResample) common->resample;
	bool resampled = how != RML_RESAMPLE_NONE && rows->target.task == RML_CLASSIFICATION;
	int64_t n = resampled ? rml_resample_rows(how, rows) : rows->n;
	size_t balancing = resampled ? rml_resample_bytes(how, rows) : 0;

	return balancing + sizeof(double) * (size_t) rows->n +
		   learner->bytes(params, n, schema->d_num, schema->d_cat, rows->target.n_classes, threads);
}
