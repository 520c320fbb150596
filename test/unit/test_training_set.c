/*
 * test_training_set.c
 *	  Nothing of a held-out row is known to what was learnt without it.
 */
#include "unit.h"

#include <math.h>

#include "learners.h"
#include "retailml/training_set.h"

enum
{
	n_rows = 6
};

/* two numbers around a category; rows 0 .. 3 are for training */
static const double numbers[] = {1, 10, 2, NAN, NAN, 30, 3, 20, 1000, NAN, NAN, 5000};
static const int32_t codes[] = {2, 0, 4, 2, 1, 3};
static char *const texts[] = {"a", "b", "c", "d"};
static const int32_t classes[] = {2, 0, 2, 2, 1, 0};
static char *const class_names[] = {"no", "perhaps", "yes"};
static const double y[] = {1, 2, 3, 4, 5, 6};
static const double weights[] = {1, 0.5, 0, 2, 9, 9};
static const int64_t training_rows[] = {0, 1, 2, 3};
static const int64_t held_rows[] = {4, 5, 3};

static RmlColumn columns[3];
static const RmlMatrix matrix = {
	.n = n_rows, .d_num = 2, .d_cat = 1, .numbers = (double *) numbers, .codes = (int32_t *) codes};

static RmlRawRows
raw_rows(void)
{
	int64_t *no_counts = NULL;

	columns[0] = (RmlColumn){.name = "x", .type = "numeric", .kind = RML_NUMERIC, .slot = 0};
	columns[1] = (RmlColumn){.name = "c",
							 .type = "text",
							 .kind = RML_CATEGORICAL,
							 .slot = 0,
							 .dictionary = {.n = 4, .texts = (char **) texts}};
	columns[2] = (RmlColumn){.name = "z", .type = "numeric", .kind = RML_NUMERIC, .slot = 1};
	return (RmlRawRows){.n_columns = 3,
						.columns = columns,
						.matrix = &matrix,
						.target = {.name = "label",
								   .task = RML_CLASSIFICATION,
								   .n_classes = 3,
								   .classes = (char **) class_names,
								   .counts = no_counts},
						.classes = classes,
						.weights = weights};
}

static void
test_learn(RmlEnv *env)
{
	static const double wanted[] = {1, 10, 2, 20, 2, 30, 3, 20};
	static const int32_t wanted_codes[] = {1, 0, 2, 1}, wanted_classes[] = {1, 0, 1, 1};
	const RmlSubset subset = {.n = 4, .rows = training_rows};
	RmlRawRows raw = raw_rows();
	RmlPrepared p;

	unit_equal_string(rml_training_set_learn(env, &raw, &subset, RML_IMPUTE_MEAN, &p), NULL,
					  "four rows are learnt from");
	unit_near_array(p.rows.numbers, wanted, 8, 0, "missing numbers are the means of these rows");
	unit_equal_bytes(p.rows.codes, wanted_codes, sizeof wanted_codes,
					 "categories are those of these rows");
	unit_ok(p.schema.features[1].n_categories == 2 &&
				strcmp(p.schema.features[1].categories[0], "b") == 0 &&
				strcmp(p.schema.features[1].categories[1], "d") == 0,
			"in order of their text");
	unit_ok(p.rows.target.n_classes == 2 && p.rows.target.counts[0] == 1 &&
				p.rows.target.counts[1] == 3 && strcmp(p.rows.target.classes[1], "yes") == 0 &&
				p.present[0] == 0 && p.present[1] == 2,
			"and so are classes");
	unit_equal_bytes(p.rows.classes, wanted_classes, sizeof wanted_classes, "numbered anew");
	unit_near_array(p.rows.weights, weights, 4, 0, "weights come along");
	unit_ok(p.schema.rows == 4 && p.rows.schema == &p.schema, "the schema is that of the set");
	rml_training_set_learn(env, &raw, &subset, RML_IMPUTE_MEDIAN, &p);
	unit_near(p.schema.features[2].impute, 20, 0, "the median is another way to fill in");
}

static void
test_apply(RmlEnv *env)
{
	static const double wanted[] = {1000, 20, 2, 5000, 3, 20};
	static const int32_t wanted_codes[] = {3, 3, 1};
	const RmlSubset training = {.n = 4, .rows = training_rows}, held = {.n = 3, .rows = held_rows};
	RmlRawRows raw = raw_rows();
	RmlMatrix prepared;
	RmlPrepared p;

	rml_training_set_learn(env, &raw, &training, RML_IMPUTE_MEAN, &p);
	rml_training_set_apply(env, &raw, &held, &p.schema, &prepared);
	unit_near_array(prepared.numbers, wanted, 6, 0, "held-out rows get the training rows' means");
	unit_equal_bytes(prepared.codes, wanted_codes, sizeof wanted_codes,
					 "categories that training rows do not have are others");
}

static void
test_features(RmlEnv *env)
{
	static const bool last_two[] = {false, true, true}, none[] = {false, false, false};
	static const double wanted[] = {10, 20, 30, 20}, wanted_held[] = {20, 5000, 20};
	const RmlSubset training = {.n = 4, .rows = training_rows, .features = last_two};
	const RmlSubset held = {.n = 3, .rows = held_rows, .features = last_two};
	const RmlSubset nothing = {.n = 4, .rows = training_rows, .features = none};
	RmlRawRows raw = raw_rows();
	RmlMatrix prepared;
	RmlPrepared p;

	rml_training_set_learn(env, &raw, &training, RML_IMPUTE_MEAN, &p);
	rml_training_set_apply(env, &raw, &held, &p.schema, &prepared);
	unit_ok(p.schema.n_features == 2 && p.schema.d_num == 1 &&
				strcmp(p.schema.features[1].name, "z") == 0 && p.schema.features[1].slot == 0,
			"some of the columns");
	unit_near_array(p.rows.numbers, wanted, 4, 0, "of training rows");
	unit_near_array(prepared.numbers, wanted_held, 3, 0, "and others");
	unit_equal_int(prepared.codes[0], 3, "with their categories");
	unit_equal_string(rml_training_set_learn(env, &raw, &nothing, RML_IMPUTE_MEAN, &p), NULL,
					  "even none");
	unit_equal_int(p.schema.n_features, 0, "is a selection");
}

/* naive Bayes on z: its two classes are the first and the last of three */
static void
test_predict(RmlEnv *env)
{
	static const bool only_z[] = {false, false, true};
	const RmlSubset training = {.n = 4, .rows = training_rows, .features = only_z};
	RmlRawRows raw = raw_rows();
	TestParams params = {.ridge = 0};
	double predictions[4 * 3], probabilities[2];
	const char *reason = NULL;
	RmlMatrix prepared;
	RmlPrepared p;
	void *model;

	rml_training_set_learn(env, &raw, &training, RML_IMPUTE_MEAN, &p);
	rml_training_set_apply(env, &raw, &training, &p.schema, &prepared);
	unit_equal_bytes(prepared.numbers, p.rows.numbers, sizeof(double) * 4,
					 "applied to its own rows a schema gives the training set");
	model = bayes_learner.fit(env, &params, &p.rows, &reason);
	rml_training_set_predict(env, &bayes_algorithm, model, &raw, &p, &prepared, predictions);
	bayes_proba(model, prepared.numbers + 3, NULL, probabilities);
	unit_ok(predictions[9] == probabilities[0] && predictions[10] == 0.0 &&
				predictions[11] == probabilities[1],
			"a class without training rows has no probability");
}

static void
test_refusals(RmlEnv *env)
{
	static const int64_t yes[] = {0, 2, 3}, one[] = {4}, unweighted[] = {2};
	const RmlSubset same = {.n = 3, .rows = yes}, empty = {.n = 0}, missing = {.n = 1, .rows = one};
	const RmlSubset light = {.n = 1, .rows = unweighted};
	RmlRawRows raw = raw_rows(), regression = raw_rows();
	RmlPrepared p;

	unit_equal_string(rml_training_set_learn(env, &raw, &same, RML_IMPUTE_MEAN, &p),
					  "the label \"label\" is \"yes\" in all training rows", "one class");
	unit_equal_string(rml_training_set_learn(env, &raw, &empty, RML_IMPUTE_MEAN, &p),
					  "there are no training rows", "no rows");
	regression.target.task = RML_REGRESSION;
	regression.classes = NULL;
	regression.y = y;
	unit_equal_string(rml_training_set_learn(env, &regression, &missing, RML_IMPUTE_MEAN, &p),
					  "column \"z\" has no values", "a column without values");
	unit_equal_string(rml_training_set_learn(env, &regression, &light, RML_IMPUTE_MEAN, &p),
					  "the weights of all training rows are zero", "rows without weight");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_learn(env);
	test_apply(env);
	test_features(env);
	test_predict(env);
	test_refusals(env);
	unit_env_free(env);
	return unit_done();
}
