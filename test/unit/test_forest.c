/*
 * test_forest.c
 *	  Random forests: as good as scikit-learn's (test/golden/trees.py), the same for any number of
 *	  threads, honest about rows they have not seen.
 */
#include "tree_rows.h"

static RmlForestParams
forest_params(int n_trees)
{
	RmlForestParams params;

	default_params(&rml_forest_learner, &params);
	params.n_trees = n_trees;
	return params;
}

/* ---- scikit-learn ---- */

enum
{
	n_seeds = 8
};

/*
 * Means of eight forests of 200 trees.  Over seeds scikit-learn's scores have a standard deviation of
 * .006 or less, so means of eight differ by .02 in less than one of 10,000 cases.
 */
static void
check_scores(const GoldenRows *golden, const UnitCsv *scores, size_t row)
{
	const char *label = unit_csv_text(scores, row, "label");
	RmlEnv *env = unit_env(2);
	RmlTrainingSet rows = golden_set(env, golden, label, false);
	const double *labels = golden_column(env, golden, label);
	int64_t held = golden->n - golden->training;
	double score = 0, oob = 0;

	for (int seed = 0; seed < n_seeds; seed++)
	{
		RmlForestParams params = forest_params(200);
		const RmlTreeModel *model;

		params.common.seed = seed;
		model = fit_model(env, &rml_forest_learner, &params, &rows);
		score += score_of(model, golden->numbers + golden->training * GOLDEN_D,
						  labels + golden->training, held, GOLDEN_D) /
				 n_seeds;
		oob += model->oob_score / n_seeds;
	}
	unit_near(score, unit_csv_number(scores, row, "r2_or_accuracy"), 0.02, "%s: rows not seen",
			  label);
	unit_near(oob, unit_csv_number(scores, row, "oob"), 0.02, "%s: out of bag", label);
	unit_env_free(env);
}

static void
test_golden(void)
{
	UnitCsv *scores = unit_golden("trees_scores.csv");
	GoldenRows golden;

	if (!golden_rows(&golden))
		return;
	for (size_t row = 0; row < scores->rows; row++)
		check_scores(&golden, scores, row);
	golden_free(&golden);
	unit_csv_free(scores);
}

/* ---- without chance ---- */

/* no bootstrap and all features: each tree is the single tree */
static void
check_same_tree(int n_classes)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 400, 3, 1, 6, n_classes);
	RmlForestParams many = forest_params(3), one;
	const RmlTreeModel *forest, *tree;
	double worst = 0;

	default_params(&rml_tree_learner, &one);
	many.bootstrap = false;
	many.max_features = 4;
	one.max_depth = many.max_depth = 6;
	one.min_samples_leaf = many.min_samples_leaf = 4;
	forest = fit_model(env, &rml_forest_learner, &many, &rows);
	tree = fit_model(env, &rml_tree_learner, &one, &rows);
	for (int64_t i = 0; i < rows.n; i++)
		for (int k = 0; k < (n_classes > 2 ? n_classes : 1); k++)
			worst = fmax(worst, fabs(answer(forest, rows.numbers + 3 * i, rows.codes + i, k) -
									 answer(tree, rows.numbers + 3 * i, rows.codes + i, k)));
	unit_near(worst, 0, 1e-14, "%d classes: a forest without chance is its tree", n_classes);
	unit_equal_int(forest->trees.n_nodes, 3 * tree->trees.n_nodes, "three times");
	unit_near(forest->oob_score, NAN, 0, "no row is out of bag");
	unit_env_free(env);
}

/* ---- out of bag ---- */

/* a tree that knows its rows by heart is right on them; out of bag, labels by chance are not learnt */
static void
test_honest(void)
{
	RmlEnv *env = unit_env(2);
	enum
	{
		n = 1500
	};
	double *x = RML_NEW(env, double, 2 * n), *label = RML_NEW(env, double, n);
	RmlForestParams params = forest_params(60);
	RmlTrainingSet rows;
	const RmlTreeModel *model;

	for (int i = 0; i < n; i++)
	{
		x[2 * i] = rml_rng_normal(1, 1, (uint64_t) i);
		x[2 * i + 1] = rml_rng_normal(1, 2, (uint64_t) i);
		label[i] = (double) rml_rng_below(1, 3, (uint64_t) i, 2);
	}
	rows = training_set(env, n, 2, 0, x, NULL);
	name_categories(env, &rows);
	set_label(env, &rows, label, 2);
	params.min_samples_leaf = 1;
	model = fit_model(env, &rml_forest_learner, &params, &rows);
	unit_ok(score_of(model, x, label, n, 2) > 0.95, "labels by chance are known by heart");
	/* 4 standard deviations of the share of 1,500 coins */
	unit_near(model->oob_score, 0.5, 4 * 0.5 / sqrt(n), "but not out of bag");
	unit_env_free(env);
}

/* one tree: 1 - 1 / e of the rows are drawn, and the weights of its root add up to n */
static void
test_bootstrap(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 5000, 1, 0, 1, 0);
	RmlForestParams params = forest_params(2);
	const RmlTreeModel *model = fit_model(env, &rml_forest_learner, &params, &rows);

	unit_near(model->trees.cover[0], 5000, 0, "as many rows are drawn as there are");
	unit_ok(memcmp(model->trees.cover, model->trees.cover + model->trees.starts[1],
				   16 * sizeof(double)) != 0,
			"other ones for each tree");
	unit_ok(!isnan(model->oob_score), "some rows are out of bag");
	rows.n = 1;
	model = fit_model(env, &rml_forest_learner, &params, &rows);
	unit_near(answer(model, rows.numbers, NULL, 0), rows.y[0], 1e-15, "one row is its own mean");
	unit_near(model->oob_score, NAN, 0, "and never out of bag");
	unit_env_free(env);
}

/* ---- features ---- */

/* a forest whose parameters are left out of the bytes */
static RmlWriter
trees_with(RmlEnv *env, const RmlTrainingSet *rows, double max_features)
{
	static const RmlForestParams none;
	RmlForestParams params = forest_params(5);

	params.max_features = max_features;
	return model_bytes(env, &rml_forest_learner, &none, rows,
					   fit_model(env, &rml_forest_learner, &params, rows));
}

static void
test_max_features(void)
{
	RmlEnv *env = unit_env(1);

	/* the root of ten is 3.2, a third of it 3.3; of sixteen 4 and 5.3 */
	for (int d = 10; d <= 16; d += 6)
	{
		RmlTrainingSet classes = planted_rows(env, 300, d, 0, 1, 2);
		RmlTrainingSet numbers = planted_rows(env, 300, d, 0, 1, 0);
		RmlWriter wanted = trees_with(env, &classes, d == 10 ? 3 : 4);
		RmlWriter got = trees_with(env, &classes, RML_AUTO), other = trees_with(env, &classes, 5);

		unit_ok(same_bytes(&got, &wanted), "the root of %d features for classes", d);
		unit_ok(!same_bytes(&got, &other), "another number is another forest");
		wanted = trees_with(env, &numbers, d == 10 ? 3 : 5);
		got = trees_with(env, &numbers, RML_AUTO);
		unit_ok(same_bytes(&got, &wanted), "a third of %d for numbers", d);
	}
	unit_env_free(env);
}

/* constant features do not count as tried: one that varies among many is found every time */
static void
test_constant_features(void)
{
	RmlEnv *env = unit_env(1);
	enum
	{
		n = 200,
		d = 30
	};
	double *x = RML_NEW_ZERO(env, double, n *d), *label = RML_NEW(env, double, n);
	RmlForestParams params = forest_params(20);
	RmlTrainingSet rows;
	const RmlTreeModel *model;

	for (int i = 0; i < n; i++)
		label[i] = x[i * d + 17] = i % 2;
	rows = training_set(env, n, d, 0, x, NULL);
	name_categories(env, &rows);
	set_label(env, &rows, label, 2);
	params.max_features = 1;
	model = fit_model(env, &rml_forest_learner, &params, &rows);
	unit_near(model->oob_score, 1, 0, "the one feature that varies is always found");
	unit_equal_int(model->trees.splits[17], 20, "by every tree");
	unit_env_free(env);
}

/* ---- sizes ---- */

/* all but one row of 40 have weight 0: most bootstrap samples hold nothing that counts */
static void
test_weightless_samples(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 40, 2, 0, 1, 0);
	RmlForestParams params = forest_params(50);
	double *weights = RML_NEW_ZERO(env, double, 40);
	const RmlTreeModel *model;

	weights[7] = 3;
	rows.weights = weights;
	model = fit_model(env, &rml_forest_learner, &params, &rows);
	unit_near(answer(model, rows.numbers, NULL, 0), rows.y[7], 1e-14,
			  "the row with a weight is all");
	rows = planted_rows(env, 40, 2, 0, 1, 3);
	rows.weights = weights;
	model = fit_model(env, &rml_forest_learner, &params, &rows);
	unit_ok(are_probabilities(model, &rows), "probabilities add up");
	unit_near(answer(model, rows.numbers, NULL, rows.classes[7]), 1, 1e-14, "to its class");
	unit_env_free(env);
}

static void
test_label_sizes(void)
{
	static const double sizes[] = {1e-310, 1e-200, 1e200, 1e307};
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 300, 2, 1, 5, 0);
	RmlForestParams params = forest_params(5);
	const RmlTreeModel *usual = fit_model(env, &rml_forest_learner, &params, &rows);
	double *y = RML_NEW(env, double, 300);

	for (int s = 0; s < 4; s++)
	{
		RmlTrainingSet scaled = rows;
		const RmlTreeModel *model;
		double worst = 0;
		RmlWriter bytes;
		RmlModel back;

		for (int i = 0; i < 300; i++)
			y[i] = rows.y[i] * sizes[s];
		scaled.y = y;
		model = fit_model(env, &rml_forest_learner, &params, &scaled);
		for (int64_t i = 0; i < 300; i++)
			worst =
				fmax(worst, fabs(answer(model, rows.numbers + 2 * i, rows.codes + i, 0) / sizes[s] -
								 answer(usual, rows.numbers + 2 * i, rows.codes + i, 0)));
		unit_ok(worst < 1e-10, "labels of size %g (%.1e)", sizes[s], worst);
		unit_near(model->oob_score, usual->oob_score, 1e-9, "their R2");
		bytes = model_bytes(env, &rml_forest_learner, &params, &scaled, model);
		unit_equal_string(rml_model_decode(&back, env, bytes.bytes, bytes.length), NULL,
						  "the model can be read");
	}
	unit_env_free(env);
}

/* ---- the same bytes ---- */

static void
check_threads(int n_classes)
{
	static const int threads[] = {1, 2, 4};
	RmlWriter bytes[3], other;
	RmlEnv *env[3];

	for (int i = 0; i < 3; i++)
	{
		RmlForestParams params = forest_params(12);
		RmlTrainingSet rows;

		env[i] = unit_env(threads[i]);
		rows = planted_rows(env[i], 3000, 3, 2, 300, n_classes);
		bytes[i] = fit_bytes(env[i], &rml_forest_learner, &params, &rows);
		if (i > 0)
			unit_ok(same_bytes(&bytes[0], &bytes[i]), "%d classes: %d threads, the same bytes",
					n_classes, threads[i]);
		if (i < 2)
			continue;
		params.common.seed = 43;
		other = fit_bytes(env[i], &rml_forest_learner, &params, &rows);
		unit_ok(!same_bytes(&bytes[0], &other), "another seed, another forest");
	}
	for (int i = 0; i < 3; i++)
		unit_env_free(env[i]);
}

static void
check_probabilities(int n_classes)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 500, 2, 1, 8, n_classes);
	RmlForestParams params = forest_params(7);

	unit_ok(are_probabilities(fit_model(env, &rml_forest_learner, &params, &rows), &rows),
			"%d classes: probabilities", n_classes);
	unit_env_free(env);
}

/* gain and splits are put in the order of the columns and add up */
static void
test_importance(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 1000, 2, 1, 8, 0);
	RmlForestParams params = forest_params(10);
	const RmlTreeModel *model = fit_model(env, &rml_forest_learner, &params, &rows);
	double gain[3];
	int64_t splits[3];

	rml_tree_importance(model, rows.schema, gain, splits);
	unit_near(gain[0] + gain[1] + gain[2], 1, 1e-14, "gains are shares");
	unit_ok(gain[0] > 0.05 && gain[1] > 0.01 && gain[2] > 0.05, "of all that matters");
	unit_equal_int(splits[0] + splits[1] + splits[2],
				   (model->trees.n_nodes - model->trees.n_trees) / 2, "all splits are counted");
	unit_env_free(env);
}

static void
test_escapes(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 800, 3, 2, 30, 3);
	RmlForestParams params = forest_params(6);

	check_escapes(&rml_forest_learner, &params, env, &rows);
	unit_env_free(env);
}

/* the rows on the stack that is gone when the fit is cancelled */
static bool
cancelled_at(RmlEnv *env, const RmlForestParams *params, const RmlTrainingSet *rows, int64_t poll)
{
	RmlTrainingSet own = *rows;

	return escapes_at_poll(env, &rml_forest_learner, params, &own, poll);
}

/* a cancel while threads grow trees: they end before the arena goes, on nothing but the arena */
static void
test_cancelled_threads(void)
{
	RmlEnv *rows_env = unit_env(1), *env = unit_env(2);
	RmlTrainingSet rows = planted_rows(rows_env, 20000, 4, 1, 30, 2);
	RmlForestParams params = forest_params(500);
	int64_t polls = 0;
	int cancelled = 0;

	/* polls before the trees are those of a fit of one */
	default_params(&rml_tree_learner, &params);
	fit_model(env, &rml_tree_learner, &params, &rows);
	polls = unit_env_polls(env);
	unit_env_reset(env);
	params = forest_params(500);
	for (int i = 0; i < 3; i++)
		cancelled += cancelled_at(env, &params, &rows, polls / 2 + 1 + i);
	unit_equal_int(cancelled, 3, "cancelled while trees grow");
	unit_equal_int((int64_t) unit_env_in_use(env), 0, "and nothing is left");
	unit_env_free(env);
	unit_env_free(rows_env);
}

int
main(void)
{
	test_golden();
	check_same_tree(0);
	check_same_tree(2);
	check_same_tree(3);
	test_honest();
	test_bootstrap();
	test_max_features();
	test_constant_features();
	test_weightless_samples();
	test_label_sizes();
	check_threads(0);
	check_threads(2);
	check_threads(5);
	check_probabilities(2);
	check_probabilities(4);
	test_importance();
	test_escapes();
	test_cancelled_threads();
	return unit_done();
}
