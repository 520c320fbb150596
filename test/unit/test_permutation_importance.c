/*
 * test_permutation_importance.c
 *	  Shuffled features: expected losses in closed form, labels in a model's numbers.
 */
#include "unit.h"

#include <math.h>

#include "learners.h"
#include "retailml/permutation_importance.h"
#include "retailml/rng.h"

enum
{
	n_rows = 4000,
	d = 3
};

static RmlFeature features[d] = {{.name = "a", .kind = RML_NUMERIC, .slot = 0},
								 {.name = "b", .kind = RML_NUMERIC, .slot = 1},
								 {.name = "c", .kind = RML_NUMERIC, .slot = 2}};
static const RmlSchema schema = {.n_features = d, .d_num = d, .features = features};

/*
 * y = 2 a - b of independent standard normals, predicted without error.  A shuffled feature with
 * coefficient w adds w (x' - x), of variance 2 w^2: the mean squared error of a becomes 8, of b 2,
 * of c 0.
 */
static void
make_rows(RmlEnv *env, RmlTrainingSet *rows, TestModel *model)
{
	static double coefficients[] = {2, -1, 0, 0};
	double *x = RML_NEW(env, double, (size_t) n_rows *d);
	double *y = RML_NEW(env, double, n_rows);

	for (int i = 0; i < n_rows * d; i++)
		x[i] = rml_rng_normal(11, 1, (uint64_t) i);
	*model = (TestModel){.target = {.name = "y"}, .d = d, .coefficients = coefficients};
	for (int i = 0; i < n_rows; i++)
		y[i] = squares_predict(model, x + (size_t) i * d, NULL);
	*rows = (RmlTrainingSet){
		.schema = &schema, .target = model->target, .n = n_rows, .numbers = x, .y = y};
}

static void
test_numbers(RmlEnv *env, RmlEnv *two_threads)
{
	double baseline, mean[d], sd[d], other[d], other_sd[d];
	RmlTrainingSet rows;
	TestModel model;
	RmlShuffling s = {.algorithm = &squares_algorithm,
					  .fitted = &model,
					  .rows = &rows,
					  .metric = RML_METRIC_RMSE,
					  .repeats = 5,
					  .seed = 42};

	make_rows(env, &rows, &model);
	rml_permutation_importance(env, &s, &baseline, mean, sd);
	unit_near(baseline, 0, 0, "the model makes no errors");
	unit_near(mean[0], sqrt(8), 0.03, "a shuffled feature adds its part to the error");
	unit_near(mean[1], sqrt(2), 0.03, "the weaker feature less");
	unit_ok(mean[2] == 0 && sd[2] == 0, "one that is not used nothing");
	unit_ok(sd[0] > 0 && sd[0] < 0.1, "repeats differ");
	rml_permutation_importance(two_threads, &s, &baseline, other, other_sd);
	unit_ok(memcmp(mean, other, sizeof mean) == 0 && memcmp(sd, other_sd, sizeof sd) == 0,
			"two threads give the same bits");
	s.seed = 43;
	rml_permutation_importance(env, &s, &baseline, other, other_sd);
	unit_ok(mean[0] != other[0], "another seed other ones");
	s.metric = RML_METRIC_R2;
	rml_permutation_importance(env, &s, &baseline, mean, sd);
	unit_ok(baseline == 1.0 && fabs(mean[0] - 8.0 / 5.0) < 0.06 && fabs(mean[1] - 2.0 / 5.0) < 0.03,
			"what is lost of a score is positive, too");
}

/* three classes, told by feature a alone */
static void
test_classes(RmlEnv *env)
{
	static double priors[] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
	static double means[] = {-2, 0, 0, 0, 0, 0, 2, 0, 0}, variances[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
	double baseline, mean[d], sd[d];
	int32_t *classes = RML_NEW(env, int32_t, n_rows);
	RmlTrainingSet rows;
	TestModel model;
	RmlShuffling s = {.algorithm = &bayes_algorithm,
					  .fitted = &model,
					  .rows = &rows,
					  .metric = RML_METRIC_ACCURACY,
					  .repeats = 3,
					  .seed = 42};

	make_rows(env, &rows, &model);
	for (int i = 0; i < n_rows; i++)
	{
		classes[i] = i % 3;
		((double *) rows.numbers)[i * d] += 2.0 * (classes[i] - 1);
	}
	model = (TestModel){.target = {.name = "class", .task = RML_CLASSIFICATION, .n_classes = 3},
						.d = d,
						.priors = priors,
						.means = means,
						.variances = variances};
	rows.target = model.target;
	rows.y = NULL;
	rows.classes = classes;
	rml_permutation_importance(env, &s, &baseline, mean, sd);
	/* neighbours are cut half way: 1 - 4/3 * (1 - Phi(1)) of the rows are right */
	unit_near(baseline, 1.0 - 4.0 / 3.0 * 0.158655253931457, 0.02, "classes: the measure");
	unit_near(mean[0], baseline - 1.0 / 3.0, 0.03, "classes: nothing but chance is left");
	unit_ok(mean[1] == 0 && mean[2] == 0, "classes: the others tell nothing");
}

/* a category is shuffled as a code */
static double
code_predict(const void *fitted, const double *numbers, const int32_t *codes)
{
	(void) fitted, (void) numbers;
	return codes[1];
}

static void
test_categories(RmlEnv *env)
{
	static const RmlAlgorithm by_code = {.predict = code_predict};
	RmlFeature two[] = {{.kind = RML_CATEGORICAL, .slot = 0}, {.kind = RML_CATEGORICAL, .slot = 1}};
	const RmlSchema categories = {.n_features = 2, .d_cat = 2, .features = two};
	int32_t *codes = RML_NEW(env, int32_t, 2 * n_rows);
	double *y = RML_NEW(env, double, n_rows), baseline, mean[2], sd[2];
	const RmlTrainingSet rows = {.schema = &categories, .n = n_rows, .codes = codes, .y = y};
	const RmlShuffling s = {
		.algorithm = &by_code, .rows = &rows, .metric = RML_METRIC_MAE, .repeats = 2, .seed = 1};

	for (int i = 0; i < n_rows; i++)
	{
		codes[2 * i] = i % 7;
		codes[2 * i + 1] = i % 2;
		y[i] = i % 2;
	}
	rml_permutation_importance(env, &s, &baseline, mean, sd);
	unit_ok(mean[0] == 0, "a category that is not used");
	unit_near(mean[1], 0.5, 0.03, "and one that is, wrong half of the time");
}

static void
test_order(void)
{
	static const double mean[] = {0.5, NAN, -1, 0.5, 2, NAN};
	static const int wanted[] = {4, 0, 3, 2, 1, 5};
	int order[6];

	rml_importance_order(mean, 6, order);
	unit_equal_bytes(order, wanted, sizeof wanted, "the most important first");
}

/* ---- labels ---- */

static void
test_match(RmlEnv *env)
{
	static char *const names[] = {"10", "2.5", "yes"}, *const texts[] = {"10", "yes"};
	static char *const truths[] = {"true", "false"}, *const others[] = {"no"};
	static double numbers[] = {2.5, 10, 2.5}, flags[] = {0, 1, 1}, odd[] = {3};
	static int32_t codes[] = {2, 1, 2};
	const RmlTarget target = {
		.name = "l", .task = RML_CLASSIFICATION, .n_classes = 3, .classes = (char **) names};
	const RmlTarget flag = {
		.name = "l", .task = RML_CLASSIFICATION, .n_classes = 2, .classes = (char **) truths};
	const RmlTarget number = {.name = "l", .task = RML_REGRESSION};
	RmlTaken text = {.column = {.name = "l",
								.kind = RML_CATEGORICAL,
								.dictionary = {.n = 2, .texts = (char **) texts}},
					 .codes = codes};
	RmlTaken numeric = {.column = {.name = "l", .kind = RML_NUMERIC}, .numbers = numbers};
	RmlTaken boolean = {.column = {.name = "l", .kind = RML_BOOLEAN}, .numbers = flags};
	RmlTrainingSet rows = {.n = 0};

	unit_equal_string(rml_label_match(env, &text, 3, &target, &rows), NULL, "texts match");
	unit_ok(rows.classes[0] == 2 && rows.classes[1] == 0 && rows.n == 3, "by their classes");
	unit_equal_string(rml_label_match(env, &numeric, 3, &target, &rows), NULL, "so do numbers");
	unit_ok(rows.classes[0] == 1 && rows.classes[1] == 0, "by their value");
	unit_equal_string(rml_label_match(env, &boolean, 3, &flag, &rows), NULL, "and booleans");
	unit_ok(rows.classes[0] == 1 && rows.classes[1] == 0, "whatever their order in the model");
	text.column.dictionary = (RmlDictionary){.n = 1, .texts = (char **) others};
	codes[0] = 1;
	unit_equal_string(rml_label_match(env, &text, 1, &target, &rows),
					  "the label \"l\" is \"no\" in some rows, a class the model does not know",
					  "an unknown class");
	unit_equal_string(rml_label_match(env, &text, 1, &number, &rows),
					  "the label \"l\" is a text, the model predicts a number", "a text");
	numeric.numbers = odd;
	unit_equal_string(rml_label_match(env, &numeric, 1, &target, &rows),
					  "the label \"l\" is \"3\" in some rows, a class the model does not know",
					  "an unknown number");
	unit_ok(rml_label_match(env, &numeric, 1, &number, &rows) == NULL && rows.y == odd,
			"a number is any");
}

static void
test_cancel(RmlEnv *env)
{
	double baseline, mean[d], sd[d];
	RmlTrainingSet rows;
	TestModel model;
	const RmlShuffling s = {.algorithm = &squares_algorithm,
							.fitted = &model,
							.rows = &rows,
							.metric = RML_METRIC_RMSE,
							.repeats = 1000};

	make_rows(env, &rows, &model);
	/* a caller that waits for threads polls a hundred times a second only */
	unit_env_cancel_after(env, env->threads == 1 ? 300 : 2);
	unit_ok(UNIT_ESCAPES(env, rml_permutation_importance(env, &s, &baseline, mean, sd)),
			"%d threads can be cancelled", env->threads);
}

int
main(void)
{
	RmlEnv *env = unit_env(1), *two_threads = unit_env(2);

	test_numbers(env, two_threads);
	test_classes(env);
	test_categories(env);
	test_order();
	test_match(env);
	test_cancel(env);
	test_cancel(two_threads);
	unit_env_free(env);
	unit_env_free(two_threads);
	return unit_done();
}
