/*
 * test_product.c
 *	  Models inside models, how the candidates did, columns without values, groups.
 */
#include "products.h"

#include "learners.h"
#include "retailml/churn.h"

enum
{
	n_customers = 120
};

static Customers *
leaving(RmlEnv *env)
{
	Customers *c = make_customers(env, n_customers);

	for (int64_t i = 0; i < n_customers; i++)
		c->classes[i] = customer_x1(c, i) + customer_noise(i) > 0;
	customers_have_classes(env, c);
	return c;
}

/* a part as the only thing in a model's bytes; *reader is after it */
static void
write_part(RmlEnv *env, const RmlPart *part, RmlWriter *writer)
{
	rml_writer_begin(writer, env, RML_ALGORITHM_CHURN, 1);
	rml_part_encode(part, writer);
	rml_writer_end(writer);
}

static const char *
read_part(RmlEnv *env, const RmlSchema *schema, const RmlWriter *writer, RmlPart *part)
{
	RmlReader reader;

	if (!rml_reader_begin(&reader, env, writer->bytes, writer->length))
		return reader.error;
	rml_part_decode(part, schema, &reader);
	return rml_reader_done(&reader);
}

static void
test_parts(RmlEnv *env)
{
	static const char *const names[] = {"logreg", "tree", "forest", "boost"};
	Customers *c = leaving(env);
	RmlPrepared prepared;

	prepare_customers(env, c, &prepared);
	for (size_t i = 0; i < 4; i++)
	{
		const RmlLearner *learner = rml_learner_by_name(names[i]);
		RmlPart part = {learner->algorithm, default_params(env, learner->algorithm), NULL}, back;
		const RmlTrainingSet *rows = &prepared.rows;
		const char *reason = NULL;
		RmlWriter first, second;
		bool same = true;

		part.fitted = rml_learner_fit(env, learner, part.params, rows, &reason);
		write_part(env, &part, &first);
		unit_equal_string(read_part(env, &prepared.schema, &first, &back), NULL, "%s is read",
						  names[i]);
		for (int64_t r = 0; r < rows->n; r++)
			same = same &&
				   part.algorithm->predict(part.fitted, rows->numbers + 2 * r, rows->codes + r) ==
					   back.algorithm->predict(back.fitted, rows->numbers + 2 * r, rows->codes + r);
		unit_ok(same && back.algorithm == part.algorithm, "%s says the same", names[i]);
		write_part(env, &back, &second);
		unit_ok(first.length == second.length &&
					memcmp(first.bytes, second.bytes, first.length) == 0,
				"%s is written the same", names[i]);
	}
}

/* ids of products, clusters, and of none at all */
static void
test_refused_parts(RmlEnv *env)
{
	static const int ids[] = {
		RML_ALGORITHM_CHURN, RML_ALGORITHM_LTV, RML_ALGORITHM_KMEANS, 0, 11, -1};
	Customers *c = leaving(env);
	RmlPrepared prepared;
	RmlPart back;

	prepare_customers(env, c, &prepared);
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
	{
		RmlWriter writer;

		rml_writer_begin(&writer, env, RML_ALGORITHM_CHURN, 1);
		rml_put_int(&writer, RML_TAG('P', 'P', 'i', 'd'), ids[i]);
		rml_writer_end(&writer);
		unit_ok(read_part(env, &prepared.schema, &writer, &back) != NULL && back.fitted == NULL,
				"algorithm %d is no part", ids[i]);
	}
}

/* ---- comparisons ---- */

static const char *
read_comparison(RmlEnv *env, const RmlWriter *writer, RmlContest *comparison)
{
	RmlReader reader;

	if (!rml_reader_begin(&reader, env, writer->bytes, writer->length))
		return reader.error;
	rml_contest_decode(comparison, &reader);
	return rml_reader_done(&reader);
}

static void
test_comparison(RmlEnv *env)
{
	static const int64_t heads[][3] = {
		{-1, 5, 0}, {1001, 5, 0}, {0, 1, 0}, {0, 1001, 0}, {0, 5, 2}};
	RmlCandidate candidates[] = {{.name = (char *) "one"}, {.name = (char *) "two"}};
	RmlContest comparison = {.folds = 7, .grouped = 1, .n = 2, .candidates = candidates}, back;
	RmlWriter writer;

	for (int m = 0; m < RML_N_METRICS; m++)
	{
		candidates[0].mean[m] = m + 0.5;
		candidates[1].sd[m] = m == 2 ? NAN : -m;
	}
	rml_writer_begin(&writer, env, RML_ALGORITHM_CHURN, 1);
	rml_contest_encode(&comparison, &writer);
	rml_writer_end(&writer);
	unit_equal_string(read_comparison(env, &writer, &back), NULL, "a comparison is read");
	unit_ok(back.folds == 7 && back.grouped == 1 && back.n == 2 &&
				strcmp(back.candidates[1].name, "two") == 0,
			"as it was");
	unit_near_array(back.candidates[0].mean, candidates[0].mean, RML_N_METRICS, 0, "with means");
	unit_near_array(back.candidates[1].sd, candidates[1].sd, RML_N_METRICS, 0, "and deviations");
	for (size_t i = 0; i < 5; i++)
	{
		rml_writer_begin(&writer, env, RML_ALGORITHM_CHURN, 1);
		rml_put_int64(&writer, RML_TAG('P', 'C', 'o', 'm'), heads[i], 3);
		rml_writer_end(&writer);
		unit_contains(read_comparison(env, &writer, &back), "damaged", "damage %zu", i);
	}
}

/* ---- the choice among any cells ---- */

/* least squares, alone and shrunk to nothing: the first is better, whatever its place */
static void
test_choice(RmlEnv *env)
{
	static char *const names[] = {"shrunk", "plain", "also plain"};
	static TestParams params[] = {{.ridge = 1e9}, {.ridge = 1e-6}, {.ridge = 1e-6}, {.fail = 1}};
	Customers *c = make_customers(env, n_customers);
	RmlContest comparison;
	RmlPrepared prepared;
	RmlCell cells[3];
	void *fitted = NULL;
	int best = -1;

	for (int64_t i = 0; i < n_customers; i++)
		c->y[i] = 3 * customer_x1(c, i) + customer_noise(i);
	customers_have_numbers(c);
	for (int i = 0; i < 3; i++)
		cells[i] = (RmlCell){.learner = &squares_learner, .params = &params[i]};
	unit_equal_string(rml_product_fit(env, &c->rows, cells, names, 3, RML_METRIC_RMSE, &prepared,
									  &fitted, &best, &comparison),
					  NULL, "cells are compared");
	unit_equal_int(best, 1, "of the best the first");
	unit_ok(strcmp(comparison.candidates[0].name, "plain") == 0 &&
				strcmp(comparison.candidates[1].name, "also plain") == 0 &&
				strcmp(comparison.candidates[2].name, "shrunk") == 0,
			"in order of what they did");
	unit_near(((TestModel *) fitted)->coefficients[0], 3, 0.3, "the best is fitted to all rows");
	unit_equal_int(prepared.schema.rows, n_customers, "all of them");
	cells[2] = (RmlCell){.learner = &squares_learner, .params = &params[3]};
	unit_contains(rml_product_fit(env, &c->rows, cells, names, 3, RML_METRIC_RMSE, &prepared,
								  &fitted, &best, &comparison),
				  "fold 1 cannot be fitted by also plain", "who fails is named");
	c->rows.folds = 61;
	unit_contains(rml_product_fit(env, &c->rows, cells, names, 2, RML_METRIC_RMSE, &prepared,
								  &fitted, &best, &comparison),
				  "60 groups cannot be dealt into 61 folds", "customers are dealt, not rows");
}

/* ---- groups ---- */

/*
 * Every customer's two rows have a label that is noise but the same, and a number that tells the
 * customer.  A model that has seen one row knows the other: with groups it must not.
 */
static void
test_groups(RmlEnv *env)
{
	static char *const names[] = {"forest"};
	Customers *c = make_customers(env, n_customers);
	const RmlLearner *learner = rml_learner_by_name("forest");
	double auc[2];

	for (int64_t i = 0; i < n_customers; i++)
	{
		c->matrix.numbers[2 * i] = rml_rng_normal(5, 1, (uint64_t) (i / 2));
		c->matrix.numbers[2 * i + 1] = rml_rng_normal(5, 2, (uint64_t) (i / 2));
		c->matrix.codes[i] = 1;
		c->classes[i] = rml_rng_normal(5, 3, (uint64_t) (i / 2)) > 0;
	}
	customers_have_classes(env, c);
	for (int grouped = 0; grouped < 2; grouped++)
	{
		RmlCell cell = {.learner = learner, .params = default_params(env, learner->algorithm)};
		RmlContest comparison;
		RmlPrepared prepared;
		void *fitted;
		int best;

		c->rows.groups = grouped ? c->groups : NULL;
		c->rows.folds = 20;
		unit_equal_string(rml_product_fit(env, &c->rows, &cell, names, 1, RML_METRIC_LOG_LOSS,
										  &prepared, &fitted, &best, &comparison),
						  NULL, "a fit");
		unit_equal_int(comparison.grouped, grouped, "groups are remembered");
		auc[grouped] = comparison.candidates[0].mean[RML_METRIC_ROC_AUC];
	}
	unit_ok(auc[0] > 0.7 && auc[1] < 0.6, "a twin gives it away (%.3f), kept together not (%.3f)",
			auc[0], auc[1]);
}

/* ---- columns without values ---- */

static void
test_drop_empty(RmlEnv *env)
{
	double numbers[] = {1, NAN, 10, 2, NAN, NAN, 3, NAN, 30};
	int32_t codes[] = {0, 2, 0, 0, 0, 1};
	static const double kept_numbers[] = {1, 10, 2, NAN, 3, 30};
	static const int32_t kept_codes[] = {2, 0, 1};
	RmlColumn columns[] = {{.name = (char *) "x", .kind = RML_NUMERIC, .slot = 0},
						   {.name = (char *) "empty", .kind = RML_NUMERIC, .slot = 1},
						   {.name = (char *) "void", .kind = RML_CATEGORICAL, .slot = 0},
						   {.name = (char *) "z", .kind = RML_BOOLEAN, .slot = 2},
						   {.name = (char *) "c",
							.kind = RML_CATEGORICAL,
							.slot = 1,
							.dictionary = {.n = 2, .texts = (char **) customer_categories}}};
	RmlMatrix matrix = {.n = 3, .d_num = 3, .d_cat = 2, .numbers = numbers, .codes = codes};

	unit_equal_int(rml_raw_drop_empty(env, columns, 5, &matrix), 3, "three columns have values");
	unit_ok(matrix.n == 3 && matrix.d_num == 2 && matrix.d_cat == 1, "and are what is left");
	unit_near_array(matrix.numbers, kept_numbers, 6, 0, "numbers");
	unit_equal_bytes(matrix.codes, kept_codes, sizeof kept_codes, "categories");
	unit_ok(strcmp(columns[0].name, "x") == 0 && strcmp(columns[1].name, "z") == 0 &&
				strcmp(columns[2].name, "c") == 0 && columns[1].slot == 1 && columns[2].slot == 0,
			"columns in their order, numbered anew");
	unit_ok(strcmp(columns[3].name, "empty") == 0 && strcmp(columns[4].name, "void") == 0,
			"those that are left out come last");
	unit_equal_int(rml_raw_drop_empty(env, columns, 3, &matrix), 3, "a second time nothing goes");
	for (int i = 0; i < 6; i++)
		matrix.numbers[i] = NAN;
	columns[2].dictionary.n = 0;
	unit_equal_int(rml_raw_drop_empty(env, columns, 3, &matrix), 0, "all may go");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_parts(env);
	test_refused_parts(env);
	test_comparison(env);
	test_choice(env);
	test_groups(env);
	test_drop_empty(env);
	unit_env_free(env);
	return unit_done();
}
