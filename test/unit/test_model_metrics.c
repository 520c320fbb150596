/*
 * test_model_metrics.c
 *	  Measures of predictions against scikit-learn (test/golden/model_metrics.py).
 */
#include "unit.h"

#include <math.h>

#include "retailml/model_metrics.h"
#include "retailml/rng.h"

/* rows [begin, end) of the golden file that belong to one case */
static size_t
case_end(const UnitCsv *golden, size_t begin)
{
	const char *name = unit_csv_text(golden, begin, "name");
	size_t end = begin;

	while (end < golden->rows && strcmp(unit_csv_text(golden, end, "name"), name) == 0)
		end++;
	return end;
}

static void
read_case(RmlEnv *env, const UnitCsv *golden, size_t begin, size_t end, RmlPredicted *p)
{
	static const char *const columns[] = {"p0", "p1", "p2"};
	size_t n = end - begin;
	int k = (int) unit_csv_number(golden, begin, "k"), width = k > 2 ? k : 1;
	double *y = RML_NEW(env, double, n);
	int32_t *classes = RML_NEW(env, int32_t, n);
	double *predictions = RML_NEW(env, double, n *(size_t) width);

	for (size_t i = 0; i < n; i++)
	{
		y[i] = unit_csv_number(golden, begin + i, "y");
		classes[i] = k > 0 ? (int32_t) y[i] : 0;
		for (int j = 0; j < width; j++)
			predictions[i * (size_t) width + (size_t) j] =
				unit_csv_number(golden, begin + i, columns[j]);
	}
	*p = (RmlPredicted){.n = (int64_t) n,
						.n_classes = k,
						.y = k > 0 ? NULL : y,
						.classes = k > 0 ? classes : NULL,
						.predictions = predictions};
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("model_metrics.csv");

	if (golden == NULL)
		return;
	for (size_t begin = 0, end; begin < golden->rows; begin = end)
	{
		double got[RML_N_METRICS], wanted[RML_N_METRICS];
		RmlPredicted p;

		end = case_end(golden, begin);
		read_case(env, golden, begin, end, &p);
		rml_metrics(env, &p, got);
		for (int m = 0; m < RML_N_METRICS; m++)
			wanted[m] = unit_csv_number(golden, begin, rml_metric_names[m]);
		unit_near_array(got, wanted, RML_N_METRICS, 1e-13, "%s",
						unit_csv_text(golden, begin, "name"));
	}
	unit_csv_free(golden);
}

static void
test_edges(RmlEnv *env)
{
	double metrics[RML_N_METRICS];
	bool none = true;
	RmlPredicted p = {.n_classes = 2};

	rml_metrics(env, &p, metrics);
	for (int m = 0; m < RML_N_METRICS; m++)
		none = none && isnan(metrics[m]);
	unit_ok(none, "no rows have no measures");
	unit_ok(rml_metric_better(RML_METRIC_RMSE, 1, 2) && !rml_metric_better(RML_METRIC_RMSE, 2, 1) &&
				rml_metric_better(RML_METRIC_R2, 2, 1) && !rml_metric_better(RML_METRIC_R2, 1, 1),
			"a small loss is good, and so is a large score");
	unit_ok(rml_metric_better(RML_METRIC_LOG_LOSS, 9, NAN) &&
				!rml_metric_better(RML_METRIC_LOG_LOSS, NAN, 9) &&
				!rml_metric_better(RML_METRIC_ROC_AUC, NAN, NAN),
			"any number is better than none");
}

static void
test_applies(RmlEnv *env)
{
	RmlMetric metric;
	RmlTarget numbers = {.task = RML_REGRESSION};
	RmlTarget two = {.task = RML_CLASSIFICATION, .n_classes = 2};
	RmlTarget three = {.name = "l", .task = RML_CLASSIFICATION, .n_classes = 3};
	int n[3] = {0, 0, 0};

	for (int m = 0; m < RML_N_METRICS; m++)
	{
		n[0] += rml_metric_applies((RmlMetric) m, &numbers);
		n[1] += rml_metric_applies((RmlMetric) m, &two);
		n[2] += rml_metric_applies((RmlMetric) m, &three);
	}
	unit_ok(n[0] == 3 && n[1] == 6 && n[2] == 3, "measures fit the kind of label");
	unit_ok(rml_metric_default(&numbers) == RML_METRIC_RMSE &&
				rml_metric_default(&three) == RML_METRIC_LOG_LOSS,
			"and so does the default");
	for (int m = 0; m < RML_N_METRICS; m++)
		unit_equal_string(rml_metric_choices[m + 1], rml_metric_names[m], "choices are the names");
	unit_ok(rml_metric_choose(env, 0, &numbers, &metric) == NULL && metric == RML_METRIC_RMSE &&
				rml_metric_choose(env, 1 + RML_METRIC_F1, &two, &metric) == NULL &&
				metric == RML_METRIC_F1,
			"auto, or what is chosen");
	unit_equal_string(
		rml_metric_choose(env, 1 + RML_METRIC_F1, &three, &metric),
		"metric \"f1\" does not apply: the label \"l\" is one of more than two classes",
		"unless it does not apply");
	unit_ok(rml_prediction_width(&two) == 1 && rml_prediction_width(&three) == 3,
			"two classes need one probability");
}

static void
test_manners(RmlEnv *env)
{
	enum
	{
		rows = 500000
	};
	double metrics[RML_N_METRICS];
	int32_t *classes = RML_NEW(env, int32_t, rows);
	double *predictions = RML_NEW(env, double, rows);
	RmlPredicted p = {.n = rows, .n_classes = 2, .classes = classes, .predictions = predictions};
	size_t before = unit_env_in_use(env);

	for (int i = 0; i < rows; i++)
	{
		classes[i] = i % 2;
		predictions[i] = rml_rng_uniform(1, 2, (uint64_t) i);
	}
	rml_metrics(env, &p, metrics);
	unit_near(metrics[RML_METRIC_ROC_AUC], 0.5, 0.01, "noise has an area of a half");
	unit_equal_int((int64_t) unit_env_in_use(env), (int64_t) before, "memory is given back");
	unit_env_cancel_after(env, 20);
	unit_ok(UNIT_ESCAPES(env, rml_metrics(env, &p, metrics)), "many rows can be cancelled");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden(env);
	test_edges(env);
	test_applies(env);
	test_manners(env);
	unit_env_free(env);
	return unit_done();
}
