/*
 * svdpp_cv_sql.c
 *	  svdpp_cross_validate: a row for each cell of a grid and for each baseline.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "retailml/contingency_sql.h"
#include "retailml/env_sql.h"
#include "retailml/options_sql.h"
#include "retailml/ratings_sql.h"
#include "retailml/svdpp_cv.h"
#include "retailml/tuning_sql.h"

/* cell, method, params; rmse, mae and deviations; four measures of rankings; folds, rank, is_best */
#define RESULT_COLUMNS 14

#define N_BASELINES 4

static const char *const metric_names[] = {"rmse",        "mae",       "precision_at_n",
										   "recall_at_n", "ndcg_at_n", "coverage",
										   NULL};

static const char *const baseline_names[] = {"global mean", "item mean", "user + item",
											 "popularity"};

typedef struct Params
{
	int64_t folds;
	int64_t ranking;
	int64_t metric;
	double relevant;
	int n_cells;
	RmlGridCell *cells;
} Params;

static const RmlOption options_table[] = {
	RML_INT_OPTION(Params, folds, 3, 2, RML_MAX_RATING_FOLDS),
	RML_INT_OPTION(Params, ranking, 0, 0, 10000),
	RML_CHOICE_OPTION(Params, metric, 0, metric_names),
	RML_AUTO_OPTION(Params, relevant, 0, 1e300),
	{"grid", RML_OPTION_OBJECT, 0, 0, 0, 0, NULL},
};

/* ---- options ---- */

static const char *const fixed_options[] = {"seed",     "duplicates", "transform",
											"implicit", "clip",       NULL};
static const char *const unused_options[] = {"holdout", "early_stopping"};

static const RmlLearner learner = {.algorithm = &rml_svdpp_algorithm};

static const RmlGridScope scope = {.learner = &learner,
								   .fixed = fixed_options,
								   .judged_by = "ratings and folds",
								   .example = "n_factors",
								   .example_values = "10, 20"};

/* folds hold out, and every cell trains for its own number of epochs */
static void
refuse_unused(const char *function, Jsonb *options)
{
	JsonbValue *grid = rml_options_find(options, "grid");

	for (int i = 0; i < (int) lengthof(unused_options); i++)
	{
		const char *name = unused_options[i];
		bool varied =
			grid != NULL && grid->type == jbvBinary &&
			JsonContainerIsObject(grid->val.binary.data) &&
			getKeyJsonValueFromContainer(grid->val.binary.data, name, strlen(name), NULL) != NULL;

		if (rml_options_find(options, name) != NULL || varied)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s takes no option \"%s\"", function, name),
					 errdetail("The folds are what is held out."),
					 errhint("Try several numbers of epochs: '{\"grid\": {\"n_epochs\": [10, 20, "
							 "40]}}'.")));
	}
}

static void *
begin(RmlEnv *env, Jsonb *options)
{
	Params *params = RML_NEW_ZERO(env, Params, 1);
	const RmlOptionSet own = {options_table, lengthof(options_table), params};
	const RmlOptionSet none = {NULL, 0, NULL};
	const char *function = rml_pg_env_function(env);

	refuse_unused(function, options);
	params->cells = rml_grid_cells(env, options, &none, &own, &scope, &params->n_cells);
	for (int c = 0; c < params->n_cells; c++)
	{
		rml_refuse(function, rml_svdpp_check(params->cells[c].params, env));
		rml_svdpp_settle(params->cells[c].params);
	}
	if (params->metric >= RML_RATING_PRECISION && params->ranking == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"metric\" of %s is \"%s\", and nothing is ranked", function,
							   metric_names[params->metric]),
						errhint("Say how many items of a ranking count: '{\"ranking\": 10}'.")));
	return params;
}

static const RmlRatingSpec spec = {"svdpp_cross_validate", begin};

/* ---- the result ---- */

typedef struct Result
{
	const Params *params;
	const RmlRatingCell *cells; /* of the grid, then the baselines */
	int best;
} Result;

static const char *
method_name(const RmlRatingCell *cell)
{
	if (cell->method != RML_BY_FACTORS)
		return baseline_names[cell->method];
	return cell->params->implicit_feedback ? "svd++" : "svd";
}

static void
fill_cell(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const Result *result = context;
	const RmlRatingCell *cell = &result->cells[i];
	int column = 3;

	values[0] = Int32GetDatum((int32) i + 1);
	values[1] = CStringGetTextDatum(method_name(cell));
	nulls[2] = i >= result->params->n_cells;
	if (!nulls[2])
		values[2] = PointerGetDatum(result->params->cells[i].values);
	for (int m = RML_RATING_RMSE; m <= RML_RATING_MAE; m++, column += 2)
	{
		rml_put_number(cell->mean[m], &values[column], &nulls[column]);
		rml_put_number(cell->sd[m], &values[column + 1], &nulls[column + 1]);
	}
	for (int m = RML_RATING_PRECISION; m < RML_N_RATING_MEASURES; m++, column++)
		rml_put_number(cell->mean[m], &values[column], &nulls[column]);
	values[column] = Int32GetDatum((int32) result->params->folds);
	nulls[column + 1] = cell->rank == 0;
	values[column + 1] = Int32GetDatum(cell->rank);
	values[column + 2] = BoolGetDatum(i == result->best);
}

/* the cells of the grid and the baselines; popularity predicts no rating */
static int
make_cells(const Params *params, RmlRatingCell *cells)
{
	int n_baselines = params->ranking > 0 ? N_BASELINES : N_BASELINES - 1;

	for (int c = 0; c < params->n_cells; c++)
		cells[c] = (RmlRatingCell){.method = RML_BY_FACTORS, .params = params->cells[c].params};
	for (int b = 0; b < n_baselines; b++)
		cells[params->n_cells + b] =
			(RmlRatingCell){.method = (RmlRatingMethod) b, .params = params->cells[0].params};
	return params->n_cells + n_baselines;
}

/* say why cells have no measures */
static void
report_failures(const RmlRatingCell *cells, int n_cells)
{
	const char *reason = NULL;
	int failed = 0;

	for (int c = 0; c < n_cells; c++)
	{
		failed += cells[c].failure != NULL;
		reason = reason == NULL ? cells[c].failure : reason;
	}
	if (failed > 0)
		ereport(NOTICE, (errmsg("%s: %d of %d cells of the grid have no measures", spec.function,
								failed, n_cells),
						 errdetail("Of the first of them, %s.", reason)));
}

/* deal the ratings into folds, or say what is missing and what to do */
static uint8_t *
deal(RmlEnv *env, const RmlRatings *ratings, const RmlRatingIds *users, const RmlRatingIds *items,
	 int n_folds, int64_t seed)
{
	uint8_t *folds = RML_NEW(env, uint8_t, (size_t) ratings->n);
	const char *hint;
	const char *reason = rml_rating_folds(env, ratings, users, items, n_folds, seed, folds, &hint);

	if (reason != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s: %s", spec.function, reason), errhint("%s", hint)));
	return folds;
}

static Datum
validate(FunctionCallInfo fcinfo, RmlRatingState *state)
{
	RmlEnv *env = state->env;
	const Params *params = state->params;
	const RmlSvdppParams *first = params->cells[0].params;
	RmlRatings ratings;
	RmlRatingIds users, items;
	RmlRatingCell *cells = RML_NEW_ZERO(env, RmlRatingCell, (size_t) params->n_cells + N_BASELINES);
	int n = make_cells(params, cells);
	RmlRatingValidation validation = {.ratings = &ratings,
									  .n_folds = (int) params->folds,
									  .ranking = (int) params->ranking,
									  .relevant = params->relevant,
									  .transform = (RmlTransform) first->transform};
	Result result = {params, cells, -1};

	rml_rating_make(state, (RmlDuplicates) first->duplicates, (RmlTransform) first->transform,
					&ratings, &users, &items);
	validation.folds = deal(env, &ratings, &users, &items, validation.n_folds, first->seed);
	rml_pg_env_check_room(env, rml_ratings_validate_bytes(&validation, cells, n, env->threads));
	rml_ratings_validate(env, &validation, cells, n);
	report_failures(cells, params->n_cells);
	rml_rating_cells_rank(cells, n, (RmlRatingMeasure) params->metric);
	result.best = rml_rating_cells_best(cells, n);
	return rml_composite_array(fcinfo, n, RESULT_COLUMNS, fill_cell, &result);
}

RML_RATING_FUNCTIONS(svdpp_cross_validate, spec)
{
	RmlRatingState *state = rml_rating_begin(fcinfo, &spec);
	Datum result;

	if (state == NULL)
		PG_RETURN_NULL();
	result = validate(fcinfo, state);
	rml_rating_end(state);
	PG_RETURN_DATUM(result);
}
