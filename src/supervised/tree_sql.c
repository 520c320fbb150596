/*
 * tree_sql.c
 *	  tree_fit.
 */
#include "postgres.h"

#include "retailml/forest.h"
#include "retailml/supervised_sql.h"

RML_LEARNER_FUNCTIONS(tree_fit, rml_tree_learner);
