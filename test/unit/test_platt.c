/*
 * test_platt.c
 *	  Calibration against scipy (test/golden/platt.py), and what it does at the edges.
 */
#include "unit.h"

#include "retailml/platt.h"
#include "retailml/rng.h"

static RmlPlattRows
read_case(RmlEnv *env, const UnitCsv *golden, const char *name)
{
	double *x = RML_NEW(env, double, golden->rows), *weights = RML_NEW(env, double, golden->rows);
	int32_t *classes = RML_NEW(env, int32_t, golden->rows);
	RmlPlattRows rows = {.x = x, .classes = classes, .weights = weights};

	for (size_t i = 0; i < golden->rows; i++)
	{
		if (strcmp(unit_csv_text(golden, i, "case"), name) != 0)
			continue;
		x[rows.n] = unit_csv_number(golden, i, "x");
		classes[rows.n] = (int32_t) unit_csv_number(golden, i, "class");
		weights[rows.n++] = unit_csv_number(golden, i, "weight");
	}
	return rows;
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("platt.csv"), *lines = unit_golden("platt_rows.csv");

	if (golden == NULL || lines == NULL)
		return;
	for (size_t i = 0; i < golden->rows; i++)
	{
		const char *name = unit_csv_text(golden, i, "case");
		RmlPlattRows rows = read_case(env, lines, name);
		double slope, intercept;

		rml_platt_fit(env, &rows, &slope, &intercept);
		unit_near(slope, unit_csv_number(golden, i, "slope"), 1e-8, "%s: slope", name);
		unit_near(intercept, unit_csv_number(golden, i, "intercept"), 1e-8, "%s: intercept", name);
		unit_near(rml_platt_loss(env, &rows, slope, intercept),
				  unit_csv_number(golden, i, "log_loss"), 1e-9, "%s: log loss", name);
		if (strcmp(name, "calibrated") == 0)
			unit_ok(fabs(slope - 1) < 0.2 && fabs(intercept) < 0.2, "true log-odds stay");
		if (strcmp(name, "too sure") == 0)
			unit_ok(slope > 0.25 && slope < 0.4, "thrice the log-odds are taken back to a third");
	}
	unit_csv_free(golden);
	unit_csv_free(lines);
}

static void
test_edges(RmlEnv *env)
{
	static const double same[] = {-2, -2, -2, -2, -2}, wrong[] = {3, 2, 1, -1, -2};
	static const int32_t classes[] = {0, 0, 0, 1, 1};
	static const double weights[] = {2, 2, 2, 2, 2};
	RmlPlattRows rows = {.n = 5, .x = same, .classes = classes};
	/* targets: 1/5 of three rows, 3/4 of two */
	double slope, intercept, share = (3 * 0.2 + 2 * 0.75) / 5;

	rml_platt_fit(env, &rows, &slope, &intercept);
	unit_near(slope, 1, 1e-9, "log-odds that are all the same leave the slope");
	unit_near(rml_logistic(slope * -2 + intercept), share, 1e-9, "and say the share");
	rows.x = wrong;
	rml_platt_fit(env, &rows, &slope, &intercept);
	unit_near(slope, 0, 0, "a ranking worse than none is not turned round");
	unit_near(rml_logistic(intercept), share, 1e-12, "all rows get the share");
	unit_near(rml_platt_loss(env, &rows, 0, 0), log(2), 1e-15, "log loss of a coin");
	rows.weights = weights;
	rml_platt_fit(env, &rows, &slope, &intercept);
	unit_near(rml_logistic(intercept), (6 * (1. / 8) + 4 * (5. / 6)) / 10, 1e-12,
			  "weights count as rows");
	unit_near(rml_log_odds(0), -rml_log_odds(1), 1e-4, "certainty has an end");
	unit_near(rml_log_odds(rml_logistic(3.25)), 3.25, 1e-14, "log-odds and back");
}

/* a million rows */
static void
test_cancel(RmlEnv *env)
{
	enum
	{
		n = 1000000
	};
	double *x = RML_NEW(env, double, n);
	int32_t *classes = RML_NEW(env, int32_t, n);
	RmlPlattRows rows = {.n = n, .x = x, .classes = classes};
	double slope, intercept;
	int64_t polls;

	for (int64_t i = 0; i < n; i++)
	{
		x[i] = rml_rng_normal(1, 1, (uint64_t) i);
		classes[i] = rml_rng_normal(1, 2, (uint64_t) i) < x[i];
	}
	polls = unit_env_polls(env);
	rml_platt_fit(env, &rows, &slope, &intercept);
	unit_ok(unit_env_polls(env) - polls >= 50, "it can be cancelled between 100,000 rows");
	unit_env_cancel_after(env, 15);
	unit_ok(UNIT_ESCAPES(env, rml_platt_fit(env, &rows, &slope, &intercept)), "and is");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden(env);
	test_edges(env);
	test_cancel(env);
	unit_env_free(env);
	return unit_done();
}
