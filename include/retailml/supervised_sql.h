/*
 * supervised_sql.h
 *	  The bindings of all supervised fits: one learner, two aggregates.
 *
 * xxx_fit(data record, label text [, options]) takes the label from a column of the row,
 * xxx_fit(label anyelement, data float8[] [, options]) beside an array.
 */
#ifndef RETAILML_SUPERVISED_SQL_H
#define RETAILML_SUPERVISED_SQL_H

#include "retailml/agg_sql.h"
#include "retailml/learner.h"

/* label and weights of a fit's rows; classifier: numeric labels are classes.  Errors are raised. */
extern void rml_fit_label(RmlFit *fit, const RmlSupervisedParams *params, bool classifier,
						  RmlTrainingSet *rows);

/* tell of features that give the label away, or refuse them, as the option "leak" says */
extern void rml_guard_leaks(const RmlFit *fit, const RmlSupervisedParams *params,
							const RmlTrainingSet *rows);

/* both: everything between the collected rows and a learner */
extern void rml_fit_training_set(RmlFit *fit, const RmlSupervisedParams *params, bool classifier,
								 RmlTrainingSet *rows);

/* fit these rows by a learner with these params: room, checks, warnings; the fitted model */
extern void *rml_fit_rows(RmlEnv *env, const char *function, const RmlLearner *learner,
						  const void *params, const RmlTrainingSet *rows);

/* parse the options of a learner into params of its own */
extern void *rml_learner_begin(RmlEnv *env, const RmlLearner *learner, Jsonb *options,
							   const RmlOptionSet *row_options);

/* the weight column; params begin with RmlSupervisedParams */
extern void rml_supervised_roles(const void *params, RmlRoles *roles);

/* the aggregate's result: the model of a learner */
extern Datum rml_fit_learner(RmlFit *fit, const RmlLearner *learner);

/*
 * A spec for rows and one for arrays, and the functions of both; begin_fn, roles_fn and fit_fn as in
 * RmlFitSpec.  raw_: the fit wants the values as they are.
 */
#define RML_SUPERVISED_FUNCTIONS(stem, sql_name, raw_, begin_fn, roles_fn, fit_fn) \
	static const RmlFitSpec stem##_spec = {.function = sql_name, \
										   .n_parameters = 1, \
										   .parameter_names = {"label"}, \
										   .supervised = true, \
										   .categories = true, \
										   .raw = raw_, \
										   .begin = begin_fn, \
										   .roles = roles_fn, \
										   .fit = fit_fn}; \
	static const RmlFitSpec stem##_array_spec = {.function = sql_name, \
												 .supervised = true, \
												 .label_value = true, \
												 .categories = true, \
												 .raw = raw_, \
												 .begin = begin_fn, \
												 .roles = roles_fn, \
												 .fit = fit_fn}; \
	RML_FIT_FUNCTIONS(stem, stem##_spec); \
	RML_FIT_FUNCTIONS(stem##_array, stem##_array_spec)

/* the same for a learner, all of whose functions are the common ones */
#define RML_LEARNER_FUNCTIONS(stem, learner) \
	static void *stem##_begin(RmlEnv *env, const Datum *parameters, Jsonb *options, \
							  const RmlOptionSet *row_options) \
	{ \
		return rml_learner_begin(env, &(learner), options, row_options); \
	} \
	static Datum stem##_run(RmlFit *fit) \
	{ \
		return rml_fit_learner(fit, &(learner)); \
	} \
	RML_SUPERVISED_FUNCTIONS(stem, #stem, false, stem##_begin, rml_supervised_roles, stem##_run)

#endif /* RETAILML_SUPERVISED_SQL_H */
