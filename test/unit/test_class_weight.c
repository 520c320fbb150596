/* Class weights against scikit-learn, and given ones. */
#include "retailml/class_weight.h"

#include "training.h"

/* the formula of test/golden/class_weight.py */
static RmlTrainingSet
make_rows(RmlEnv *env, int64_t n, int n_classes, bool weighted)
{
	int32_t *classes = RML_NEW(env, int32_t, (size_t) n);
	double *weights = RML_NEW(env, double, (size_t) n);
	RmlTrainingSet rows;

	for (int64_t i = 0; i < n; i++)
	{
		classes[i] = (int32_t) ((i * i + i / 7) % n_classes);
		weights[i] = (double) (i % 5) / 2;
	}
	rows = training_set(env, n, 0, 0, NULL, NULL);
	rows.weights = weighted ? weights : NULL;
	set_classes(&rows, env, classes, n_classes);
	return rows;
}

static void
test_golden(void)
{
	RmlEnv *env = unit_env(1);
	UnitCsv *golden = unit_golden("class_weight.csv");

	for (size_t line = 0; line < golden->rows; line++)
	{
		int64_t n = (int64_t) unit_csv_number(golden, line, "n");
		bool weighted = unit_csv_number(golden, line, "weighted") == 1;
		int class = (int) unit_csv_number(golden, line, "class");
		RmlTrainingSet rows =
			make_rows(env, n, (int) unit_csv_number(golden, line, "n_classes"), weighted);
		double *weights = RML_NEW(env, double, (size_t) n),
			   *wanted = RML_NEW(env, double, (size_t) n);

		rml_class_weights(env, RML_CLASS_WEIGHT_BALANCED, NULL, &rows, weights);
		for (int64_t i = 0; i < n; i++)
			wanted[i] = rows.classes[i] != class ? weights[i]
												 : unit_csv_number(golden, line, "weight") *
													   (weighted ? rows.weights[i] : 1);
		unit_near_array(weights, wanted, (size_t) n, 1e-14, "class %d of %d rows", class, (int) n);
	}
	unit_csv_free(golden);
	unit_env_free(env);
}

static void
test_given(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = make_rows(env, 6, 3, true);
	const double given[] = {2, NAN, 0}, negative[] = {1, -1, 1}, infinite[] = {1, 1, INFINITY},
				 none[] = {0, 0, 0};
	char *names[] = {"a", "b", "c"};
	double weights[6], wanted[6];

	rows.target.classes = names;
	for (int i = 0; i < 6; i++)
		wanted[i] = rows.weights[i] * (rows.classes[i] == 0 ? 2 : rows.classes[i] == 1 ? 1 : 0);
	rml_class_weights(env, RML_CLASS_WEIGHT_GIVEN, given, &rows, weights);
	unit_near_array(weights, wanted, 6, 0, "given, 1 where it is not");
	rml_class_weights(env, RML_CLASS_WEIGHT_NONE, NULL, &rows, weights);
	unit_near_array(weights, rows.weights, 6, 0, "none: those of the rows");
	unit_equal_string(rml_class_weight_check(env, RML_CLASS_WEIGHT_GIVEN, given, &rows), NULL,
					  "valid");
	unit_contains(rml_class_weight_check(env, RML_CLASS_WEIGHT_GIVEN, negative, &rows), "\"b\"",
				  "a negative weight");
	unit_contains(rml_class_weight_check(env, RML_CLASS_WEIGHT_GIVEN, infinite, &rows), "\"c\"",
				  "an infinite one");
	unit_contains(rml_class_weight_check(env, RML_CLASS_WEIGHT_GIVEN, none, &rows), "no row",
				  "nothing left");
	set_numbers(&rows, wanted);
	unit_contains(rml_class_weight_check(env, RML_CLASS_WEIGHT_BALANCED, NULL, &rows),
				  "only classes", "a number has no classes");
	unit_equal_string(rml_class_weight_check(env, RML_CLASS_WEIGHT_NONE, NULL, &rows), NULL,
					  "and needs none");
	unit_env_free(env);
}

/* classes without rows, or without weight, are not counted in K */
static void
test_absent(void)
{
	RmlEnv *env = unit_env(1);
	int32_t classes[] = {0, 0, 0, 2, 3};
	double row_weights[] = {1, 1, 1, 1, 0}, weights[5],
		   wanted[] = {4.0 / 6, 4.0 / 6, 4.0 / 6, 2, 0};
	RmlTrainingSet rows = training_set(env, 5, 0, 0, NULL, NULL);

	rows.weights = row_weights;
	set_classes(&rows, env, classes, 4);
	rml_class_weights(env, RML_CLASS_WEIGHT_BALANCED, NULL, &rows, weights);
	unit_near_array(weights, wanted, 5, 1e-15, "balanced over the classes there are");
	unit_env_free(env);
}

static void
test_cancel(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = make_rows(env, 1000000, 3, false);
	double *weights = RML_NEW(env, double, 1000000);

	unit_env_cancel_after(env, 5);
	unit_ok(UNIT_ESCAPES(env,
						 rml_class_weights(env, RML_CLASS_WEIGHT_BALANCED, NULL, &rows, weights)),
			"it can be cancelled");
	unit_env_free(env);
}

int
main(void)
{
	test_golden();
	test_given();
	test_absent();
	test_cancel();
	return unit_done();
}
