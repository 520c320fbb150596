/*
 * cross_validate_sql.c
 *	  cross_validate: a row for each cell of a grid.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "retailml/env_sql.h"
#include "retailml/options_sql.h"
#include "retailml/tuning_sql.h"

/* cell, algorithm, params; mean and deviation of each metric; fit_seconds, rank, is_best */
#define RESULT_COLUMNS (3 + 2 * RML_N_METRICS + 3)

typedef struct Params
{
	RmlTuningParams tuning;
} Params;

static const RmlOption options_table[] = {
	RML_TUNING_OPTIONS(Params, RML_LEARNER_BOOST),
	{"grid", RML_OPTION_OBJECT, 0, 0, 0, 0, NULL},
};

typedef struct Result
{
	const RmlGridCell *grid;
	const RmlCell *cells;
	int best;
} Result;

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	Params *params = RML_NEW_ZERO(env, Params, 1);
	const RmlOptionSet own = {options_table, lengthof(options_table), params};

	rml_tuning_begin(env, options, row_options, &own);
	return params;
}

static void
fill_cell(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const Result *result = context;
	const RmlCell *cell = &result->cells[i];
	int column = 3;

	values[0] = Int32GetDatum((int32) i + 1);
	values[1] = CStringGetTextDatum(cell->learner->algorithm->name);
	values[2] = PointerGetDatum(result->grid[i].values);
	for (int m = 0; m < RML_N_METRICS; m++, column += 2)
	{
		rml_put_number(cell->mean[m], &values[column], &nulls[column]);
		rml_put_number(cell->sd[m], &values[column + 1], &nulls[column + 1]);
	}
	values[column] = Float8GetDatum(cell->fit_seconds);
	values[column + 1] = Int32GetDatum(cell->rank);
	values[column + 2] = BoolGetDatum(i == result->best);
}

static Datum
run(RmlFit *fit)
{
	const RmlTuningParams *tuning = fit->params;
	int n = tuning->n_cells;
	RmlCell *cells = RML_NEW_ZERO(fit->env, RmlCell, (size_t) n);
	Result result = {.grid = tuning->cells, .cells = cells};
	RmlProductRows rows;
	RmlValidation validation;
	RmlFoldFailure failure;
	RmlMetric metric;

	rml_tuning_rows(fit, tuning, &rows, &validation, &metric);
	for (int c = 0; c < n; c++)
	{
		cells[c].learner = tuning->cells[c].learner;
		cells[c].params = tuning->cells[c].params;
	}
	rml_pg_env_check_room(fit->env,
						  rml_cross_validate_bytes(&validation, cells, n, fit->env->threads));
	rml_cross_validate(fit->env, &validation, cells, n, &failure);
	rml_tuning_refuse(fit, &failure, cells[failure.cell].learner->algorithm->name);
	rml_cells_rank(cells, n, metric);
	while (cells[result.best].rank > 1)
		result.best++;
	return rml_fit_array(fit, n, RESULT_COLUMNS, fill_cell, &result);
}

RML_SUPERVISED_FUNCTIONS(cross_validate, "cross_validate", true, begin, rml_tuning_roles, run);
