/*
 * forest_sql.c
 *	  forest_fit.
 */
#include "postgres.h"

#include "retailml/forest.h"
#include "retailml/supervised_sql.h"

RML_LEARNER_FUNCTIONS(forest_fit, rml_forest_learner);
