/*
 * explain_sql.h
 *	  What explanations of all kinds show of a row.
 */
#ifndef RETAILML_EXPLAIN_SQL_H
#define RETAILML_EXPLAIN_SQL_H

#include "retailml/model_sql.h"

/*
 * The row in argument 1, read by the scorer, as texts [n_features], as SQL shows them; NULL where a value is
 * missing.  A category that training did not have says so.
 */
extern char **rml_row_texts(const RmlScorer *scorer, Datum row);

#endif /* RETAILML_EXPLAIN_SQL_H */
