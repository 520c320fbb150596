/*
 * agg_sql.h
 *	  The one aggregate behind every xxx_fit, and its twin over a window.
 *
 * SQL arguments are: row (record or float8[]), the algorithm's parameters, optionally the options
 * jsonb.  A spec says how many parameters there are and what to do with the collected rows; the
 * transition, combine, serialize and deserialize functions are shared.
 *
 * An algorithm with plain number arguments instead of a row (rfm_fit) sets n_values and the
 * column names; those arguments then make up the row.
 *
 * What judges a clustering (cluster_metrics) takes an int label right after the row, which varies
 * from row to row: it sets label_name.  Rows whose label is NULL are left out.
 *
 * What learns to predict sets supervised: its first parameter names the column of the row that is the
 * label.  With label_value the label comes beside an array instead, as the argument before it.
 * Such rows have columns that are no features (RmlRoles).
 *
 * What judges a model by rows sets model_first: the model comes before the row (and its label), and is the
 * last of the parameters.
 */
#ifndef RETAILML_AGG_SQL_H
#define RETAILML_AGG_SQL_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "retailml/frame.h"
#include "retailml/options.h"
#include "retailml/registry.h"
#include "retailml/row_sql.h"
#include "retailml/schema.h"

#define RML_MAX_PARAMETERS 4

/* options that say which columns are used and how; common to all algorithms that take rows */
typedef struct RmlRowParams
{
	RmlNames features;
	RmlNames exclude;
	int64_t impute; /* RmlImpute */
	int64_t max_categories;
	int64_t standardize;
} RmlRowParams;

/* columns of the row that are not features: names, NULL where there is none */
typedef struct RmlRoles
{
	const char *label;
	const char *weight; /* a number, not negative */
	const char *group;  /* rows of one group belong together */
	/* if the row has such columns: a group when none is named, and what is no feature either way */
	const char *default_group;
	const char *const *hidden; /* NULL-terminated, or NULL */
} RmlRoles;

/* everything a fit gets once the rows are in: canonical, imputed, scaled */
typedef struct RmlFit
{
	RmlEnv *env;
	const char *function;
	void *params; /* made by spec->begin */
	RmlSchema schema;
	RmlMatrix matrix;
	int32_t *labels; /* [n] of a labelled fit, in the order of the matrix; else NULL */
	/* of a supervised fit: what was in these columns, NULL where there is none */
	RmlTaken *label;
	RmlTaken *weight;
	RmlTaken *group;
	RmlImpute impute;
	/* the ordered rows' columns (features) as they were read; schema tells what was learnt of them */
	RmlColumn *columns;
	Jsonb *options;  /* the user's object or NULL */
	Oid result_type; /* SQL type of the aggregate's result */
	bool is_null;    /* set by spec->fit: the result is NULL */
} RmlFit;

typedef struct RmlFitSpec
{
	const char *function; /* SQL name */
	int n_parameters;     /* arguments between the row and the options */
	const char *parameter_names[RML_MAX_PARAMETERS];
	const char *label_name; /* not NULL: an int label follows the row */
	bool supervised;        /* the first parameter names the label's column */
	bool label_value;       /* or: the label is the argument before an array */
	bool model_first;       /* the last parameter is the first argument */
	bool scales;            /* accepts option standardize */
	bool standardize;       /* its default */
	bool categories;        /* accepts categorical columns */
	bool clusters;          /* a NOTICE tells when one column carries nearly all the variance */
	bool raw;               /* wants the values as they are: nothing imputed or scaled */
	int n_values;           /* > 0: the row is given as this many float8 arguments */
	const char *const *value_names;

	/*
	 * Parse parameters and options into the algorithm's params (allocated in env): called once
	 * per process, at the first row, so that a wrong option ends the query at once.  sets[0] is
	 * ready for the row options; the callee adds its own table and calls rml_options_parse.
	 */
	void *(*begin)(RmlEnv *env, const Datum *parameters, Jsonb *options,
				   const RmlOptionSet *row_options);
	/* of a supervised fit: the columns that are its weight and group */
	void (*roles)(const void *params, RmlRoles *roles);
	/* bytes the fit takes on top of the matrix; NULL: the fit asks for its room itself */
	size_t (*bytes)(const void *params, int64_t n, int d_num, int d_cat, int threads);
	/* of a clustering with categories: the weight of one that differs beside squared distances */
	double (*category_weight)(const void *params, const RmlSchema *schema);
	/* the aggregate's result, in the current memory context (often rml_fit_model) */
	Datum (*fit)(RmlFit *fit);
	/* window form: a cluster number or a score per row of the matrix, in matrix order; NaN = NULL */
	void (*label)(RmlFit *fit, int32_t *labels);
	void (*score)(RmlFit *fit, double *scores);
} RmlFitSpec;

/* bodies of the SQL-callable functions of one spec */
extern Datum rml_agg_accum(FunctionCallInfo fcinfo, const RmlFitSpec *spec);
extern Datum rml_agg_final(FunctionCallInfo fcinfo, const RmlFitSpec *spec);
extern Datum rml_window_label(FunctionCallInfo fcinfo, const RmlFitSpec *spec);
extern Datum rml_window_score(FunctionCallInfo fcinfo, const RmlFitSpec *spec);

/* refuse a model that no bytea can hold; to be asked before the work where its size is known by then */
extern void rml_check_model_size(size_t bytes);

/* finished model bytes as a bytea in the current memory context */
extern Datum rml_writer_bytea(RmlWriter *writer);

/* the model of this fit, as bytea */
extern Datum rml_fit_model(const RmlFit *fit, const RmlAlgorithm *algorithm, const void *fitted);

/* raise what a kernel's check or fit gave as the reason (no-op for NULL) */
extern void rml_refuse(const char *function, const char *reason);

#define RML_FIT_FUNCTIONS(name, spec) \
	PG_FUNCTION_INFO_V1(rml_##name##_accum); \
	Datum rml_##name##_accum(PG_FUNCTION_ARGS) \
	{ \
		return rml_agg_accum(fcinfo, &(spec)); \
	} \
	PG_FUNCTION_INFO_V1(rml_##name##_final); \
	Datum rml_##name##_final(PG_FUNCTION_ARGS) \
	{ \
		return rml_agg_final(fcinfo, &(spec)); \
	} \
	extern Datum rml_##name##_final(PG_FUNCTION_ARGS)

#endif /* RETAILML_AGG_SQL_H */
