/*
 * boost_sql.c
 *	  boost_fit.
 */
#include "postgres.h"

#include "retailml/boost.h"
#include "retailml/supervised_sql.h"

RML_LEARNER_FUNCTIONS(boost_fit, rml_boost_learner);
