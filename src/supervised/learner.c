/*
 * learner.c
 *	  The table of learners.
 */
#include "retailml/learner.h"

#include <string.h>

#include "retailml/boost.h"
#include "retailml/forest.h"
#include "retailml/linreg.h"
#include "retailml/logreg.h"

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

void *
rml_learner_fit(RmlEnv *env, const RmlLearner *learner, const void *params,
				const RmlTrainingSet *rows, const char **reason)
{
	*reason = NULL;
	return learner->fit(env, params, rows, reason);
}
