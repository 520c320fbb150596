/*
 * tuning_sql.h
 *	  What cross_validate and rfecv share: learners by name, their options, grids, folds, failures.
 *
 * Options of these aggregates are their own, those of rows, and those of the algorithm, all in one
 * object.  A grid is an object of arrays, one for each option that varies, "algorithm" among them; its
 * cells are all combinations.  Where several algorithms are compared, an option that one of them does
 * not have is left out for it (and its cells are not repeated).
 */
#ifndef RETAILML_TUNING_SQL_H
#define RETAILML_TUNING_SQL_H

#include "retailml/product_sql.h"

/* cells of a grid at most */
#define RML_MAX_CELLS 1000

typedef struct RmlGridCell
{
	const RmlLearner *learner;
	void *params;
	Jsonb *values; /* what the grid says of this cell, without the algorithm */
} RmlGridCell;

/* the first part of the params of both */
typedef struct RmlTuningParams
{
	int64_t algorithm; /* index into rml_learner_names, where no grid says otherwise */
	int64_t folds;
	char *group;
	int64_t metric; /* index into rml_metric_choices */
	int n_cells;
	RmlGridCell *cells;
} RmlTuningParams;

#define RML_TUNING_OPTION(type, field, kind, standard, low, high, choices) \
	{ \
#field, kind, offsetof(type, tuning.field), (standard), (low), (high), (choices) \
	}

/* positions in rml_learner_names */
#define RML_LEARNER_FOREST 3
#define RML_LEARNER_BOOST 4

/* the first entries of both tables; the algorithm comes first */
#define RML_TUNING_OPTIONS(type, algorithm_) \
	RML_TUNING_OPTION(type, algorithm, RML_OPTION_CHOICE, algorithm_, 0, 0, rml_learner_names), \
		RML_TUNING_OPTION(type, folds, RML_OPTION_INT, 5, 2, RML_MAX_FOLDS, NULL), \
		RML_TUNING_OPTION(type, group, RML_OPTION_TEXT, 0, 0, 0, NULL), \
		RML_TUNING_OPTION(type, metric, RML_OPTION_CHOICE, 0, 0, 0, rml_metric_choices)

/* read the options into own, whose params begin with tuning, and into the params of all cells */
extern void rml_tuning_begin(RmlEnv *env, Jsonb *options, const RmlOptionSet *row_options,
							 const RmlOptionSet *own);

/* a grid of one algorithm that is none of the supervised learners */
typedef struct RmlGridScope
{
	const RmlLearner
		*learner; /* of which only name, options and size of params of its algorithm are used */
	const char *const *fixed; /* options that are the same for all cells; NULL-terminated */
	const char *judged_by;    /* what all cells have in common */
	const char *example;      /* an option, and values to try */
	const char *example_values;
} RmlGridScope;

/* the cells of the options; the grid's, or one.  scope NULL: of the supervised learners */
extern RmlGridCell *rml_grid_cells(RmlEnv *env, Jsonb *options, const RmlOptionSet *row_options,
								   const RmlOptionSet *own, const RmlGridScope *scope,
								   int *n_cells);

/* weight and group columns, as in RmlFitSpec.roles */
extern void rml_tuning_roles(const void *params, RmlRoles *roles);

/* label, folds and metric of the collected rows */
extern void rml_tuning_rows(RmlFit *fit, const RmlTuningParams *tuning, RmlProductRows *rows,
							RmlValidation *validation, RmlMetric *metric);

/* raise a failure (no-op when there is none); algorithm of the failed cell */
extern void rml_tuning_refuse(const RmlFit *fit, const RmlFoldFailure *failure,
							  const char *algorithm);

/* fill values and nulls (zeroed before) for element i */
typedef void (*RmlFillFn)(const void *context, int64_t i, Datum *values, bool *nulls);

/* an array of n elements of the aggregate's result type, which has this many columns */
extern Datum rml_fit_array(const RmlFit *fit, int64_t n, int columns, RmlFillFn fn,
						   const void *context);

/* a number, NULL when it is NaN */
extern void rml_put_number(double number, Datum *value, bool *null);

#endif /* RETAILML_TUNING_SQL_H */
