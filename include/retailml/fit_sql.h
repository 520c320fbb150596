/*
 * fit_sql.h
 *	  Collecting the rows of one fit, and running it: shared by the aggregate and the window form.
 */
#ifndef RETAILML_FIT_SQL_H
#define RETAILML_FIT_SQL_H

#include "retailml/agg_sql.h"

typedef struct RmlCollector
{
	RmlEnv *env;            /* NULL until the first row that is not NULL */
	const RmlFitSpec *spec; /* NULL in a state that was only combined */
	Oid row_type;
	Datum parameters[RML_MAX_PARAMETERS];
	int n_parameters;
	bool by_value[RML_MAX_PARAMETERS];
	Jsonb *options; /* a copy, or NULL */
	bool constant;  /* the query cannot change parameters and options from row to row */
	void *params;   /* made by spec->begin in this process, or NULL */
	RmlRowParams row_params;
	RmlFrame frame;
	int n_features; /* columns of the frame; those after them have roles */
	RmlRoles roles;
	RmlBinding binding;
	RmlBinding label_binding; /* of a label that comes beside an array */
	int64 skipped;            /* rows that were NULL */
} RmlCollector;

/* what a fit is called with besides the row */
typedef struct RmlFitArguments
{
	Oid row_type;
	Oid label_type; /* of a label beside an array */
	Datum parameters[RML_MAX_PARAMETERS];
	bool by_value[RML_MAX_PARAMETERS];
	Datum options; /* jsonb */
	bool has_options;
	bool constant; /* everything but the row is a constant of the query */
} RmlFitArguments;

/* begin with this first row: columns, binding, options; memory comes from a child of parent */
extern void rml_collect_start(RmlCollector *collector, MemoryContext parent, const RmlFitSpec *spec,
							  const RmlFitArguments *arguments, Datum row);

/* begin with number arguments instead of a row */
extern void rml_collect_start_values(RmlCollector *collector, MemoryContext parent,
									 const RmlFitSpec *spec, const RmlFitArguments *arguments);

/* parameters and options must not change from row to row */
extern void rml_collect_check_arguments(const RmlCollector *collector,
										const RmlFitArguments *arguments);

/*
 * Add a row; false when it is left out (impute = skip, no label).  label: the int of a labelled fit,
 * or the label beside an array.
 */
extern bool rml_collect_row(RmlCollector *collector, Datum row, Datum label);

/* add a row of plain numbers [n_values]; false when one is missing: the row is left out */
extern bool rml_collect_values(RmlCollector *collector, const double *values);

/* parse parameters and options in this process if no row has done it */
extern void rml_collect_begin(RmlCollector *collector, const RmlFitSpec *spec);

/*
 * More different texts than the options allow are an error; while rows still come (not final), not in a
 * column that may be left out in the end.
 */
extern void rml_collect_check_categories(const RmlCollector *collector, bool final);

/* a supervised fit leaves out texts that are different in every row, and says so */
extern void rml_collect_leave_keys_out(RmlCollector *collector);

/* point out the columns that look like keys and are used */
extern void rml_notice_keys(const RmlSchema *schema);

/* order, learn, prepare: everything up to the algorithm itself */
extern void rml_collect_finish(RmlCollector *collector, bool want_origin, RmlFit *fit);

#endif /* RETAILML_FIT_SQL_H */
