/*
 * test_boost.c
 *	  Gradient boosting against scikit-learn's HistGradientBoosting (test/golden/trees.py), splits of
 *	  categories against their formula, early stopping, samples, the same bytes.
 */
#include "tree_rows.h"

static RmlBoostParams
boost_params(int n_trees)
{
	RmlBoostParams params;

	default_params(&rml_boost_learner, &params);
	params.n_trees = n_trees;
	return params;
}

/* ---- scikit-learn ---- */

/* the settings of trees.py */
static RmlBoostParams
golden_params(const char *name)
{
	RmlBoostParams params = boost_params(40);

	if (strcmp(name, "plain") == 0)
		return params;
	params.n_trees = 15;
	params.learning_rate = 0.25;
	params.max_depth = 0;
	params.max_leaves = 9;
	params.min_samples_leaf = 7;
	params.l2 = 2.5;
	return params;
}

static void
check_golden(const GoldenRows *golden, const char *setting, const char *label, bool weighted)
{
	RmlEnv *env = unit_env(2);
	RmlTrainingSet rows = golden_set(env, golden, label, weighted);
	RmlBoostParams params = golden_params(setting);
	const RmlTreeModel *model = fit_model(env, &rml_boost_learner, &params, &rows);
	int n_classes = golden_classes(label);
	const char *name = rml_format(env, "%s_%s%s", setting, label, weighted ? "_w" : "");

	for (int k = 0; k < (n_classes > 2 ? n_classes : 1); k++)
	{
		const char *column = n_classes > 2 ? rml_format(env, "%s_%d", name, k) : name;
		double *got = RML_NEW(env, double, (size_t) golden->n);

		for (int64_t i = 0; i < golden->n; i++)
			got[i] = answer(model, golden->numbers + i * GOLDEN_D, NULL, k);
		unit_near_array(got, golden_column(env, golden, column), (size_t) golden->n, 1e-5, "%s",
						column);
	}
	unit_env_free(env);
}

static void
test_golden(void)
{
	static const char *const labels[] = {"y", "two", "three"};
	GoldenRows golden;

	if (!golden_rows(&golden))
		return;
	for (int i = 0; i < 12; i++)
		check_golden(&golden, i < 6 ? "plain" : "other", labels[i / 2 % 3], i % 2 == 1);
	golden_free(&golden);
}

/* ---- categories ---- */

enum
{
	n_rows = 240,
	n_categories = 7
};

/*
 * One round of one split on a category, squared error: g = mean - y, h = 1.  Of all cuts in the order of
 * sum g / (rows + 10), both sides of 20 rows or more, the best by GL^2 / (HL + 10 + l2) + ...
 */
static double
best_cut(const RmlTrainingSet *rows, double l2, bool *left)
{
	double g[n_categories] = {0}, h[n_categories] = {0}, mean = 0, best = 0, all = 0;
	int order[n_categories];

	for (int i = 0; i < n_rows; i++)
		mean += rows->y[i] / n_rows;
	for (int i = 0; i < n_rows; i++)
	{
		g[rows->codes[i]] += mean - rows->y[i];
		h[rows->codes[i]]++;
		all += mean - rows->y[i];
	}
	for (int c = 0; c < n_categories; c++)
	{
		int at = c;

		for (; at > 0 && g[order[at - 1]] / (h[order[at - 1]] + 10) > g[c] / (h[c] + 10); at--)
			order[at] = order[at - 1];
		order[at] = c;
	}
	for (int cut = 1; cut < n_categories; cut++)
	{
		double gl = 0, hl = 0, gain;

		for (int i = 0; i < cut; i++)
		{
			gl += g[order[i]];
			hl += h[order[i]];
		}
		if (hl < 20 || n_rows - hl < 20)
			continue;
		gain = gl * gl / (hl + 10 + l2) + (all - gl) * (all - gl) / (n_rows - hl + 10 + l2);
		if (gain <= best)
			continue;
		best = gain;
		for (int i = 0; i < n_categories; i++)
			left[order[i]] = i < cut;
	}
	return best;
}

static void
test_categories(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, n_rows, 0, 1, n_categories, 0);
	RmlBoostParams params = boost_params(1);
	double sums[2] = {0}, counts[2] = {0}, mean = 0, worst = 0, gain;
	bool left[n_categories] = {0};
	const RmlTreeModel *model;

	params.max_leaves = 2;
	params.l2 = 3;
	params.learning_rate = 0.5;
	gain = best_cut(&rows, 3, left);
	for (int i = 0; i < n_rows; i++)
		mean += rows.y[i] / n_rows;
	for (int i = 0; i < n_rows; i++)
	{
		sums[left[rows.codes[i]]] += mean - rows.y[i];
		counts[left[rows.codes[i]]]++;
	}
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	unit_near(model->trees.gain[0], gain, 1e-5, "the gain of the best cut");
	for (int32_t code = 0; code < n_categories; code++)
	{
		int side = left[code];
		double wanted = mean - 0.5 * sums[side] / (counts[side] + 3);

		worst = fmax(worst, fabs(answer(model, NULL, &code, 0) - wanted));
	}
	unit_ok(worst < 1e-6, "leaves are -learning rate * sum g / (sum h + l2) (%.1e)", worst);
	unit_env_free(env);
}

/* ---- the loss ---- */

/* losses of the history are those of the predictions */
static void
check_history(int n_classes)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 500, 2, 1, 5, n_classes);
	RmlBoostParams params = boost_params(25);
	const RmlTreeModel *model = fit_model(env, &rml_boost_learner, &params, &rows);
	double loss = 0;
	bool falls = true;

	for (int64_t i = 0; i < rows.n; i++)
	{
		const double *numbers = rows.numbers + 2 * i;

		if (n_classes == 0)
			loss += pow(answer(model, numbers, rows.codes + i, 0) - rows.y[i], 2);
		else
		{
			double p[RML_MAX_CLASSES];

			rml_tree_model_proba(model, numbers, rows.codes + i, p);
			loss -= log(p[rows.classes[i]]);
		}
	}
	for (int64_t round = 1; round < model->n_history; round++)
		falls = falls && model->history[2 * round] < model->history[2 * round - 2];
	unit_equal_int(model->n_history, 25, "%d classes: a loss for each round", n_classes);
	unit_near(model->history[48], loss / 500, 1e-12, "%d classes: the mean over the rows",
			  n_classes);
	unit_ok(falls, "%d classes: it falls", n_classes);
	unit_near(model->history[49], NAN, 0, "nothing is held out");
	unit_near(model->holdout_loss, NAN, 0, "so there is no loss of it");
	unit_ok(n_classes == 0 || are_probabilities(model, &rows), "probabilities");
	unit_env_free(env);
}

/* ---- early stopping ---- */

static void
check_stopping(int n_classes)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 600, 2, 1, 5, n_classes);
	RmlBoostParams params = boost_params(1000), all;
	int groups = n_classes > 2 ? n_classes : 1;
	const RmlTreeModel *model, *longer;
	double best = INFINITY;
	int64_t rounds, first = 0;

	params.early_stopping = 6;
	params.holdout = 0.25;
	params.learning_rate = 0.3;
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	rounds = model->n_history;
	unit_ok(rounds > 1 && rounds < 990, "%d classes: stops after %d rounds", n_classes,
			(int) rounds);
	unit_equal_int(model->trees.n_trees, rounds * groups, "%d classes: trees up to the best",
				   n_classes);
	/* without patience to end it there is more history, which has its minimum in the same round */
	all = params;
	all.n_trees = rounds + 6;
	all.early_stopping = 1000;
	longer = fit_model(env, &rml_boost_learner, &all, &rows);
	for (int64_t round = 0; round < longer->n_history; round++)
		if (longer->history[2 * round + 1] < best)
		{
			best = longer->history[2 * round + 1];
			first = round;
		}
	unit_equal_int(longer->n_history, rounds, "%d classes: later rounds are dropped", n_classes);
	unit_equal_int(first + 1, rounds, "%d classes: the best round is the last that is kept",
				   n_classes);
	unit_near(model->holdout_loss, best, 0, "%d classes: whose loss is told", n_classes);
	unit_near(answer(model, rows.numbers, rows.codes, 0),
			  answer(longer, rows.numbers, rows.codes, 0), 0, "%d classes: the same model",
			  n_classes);
	unit_env_free(env);
}

static void
test_holdout(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 99, 1, 0, 1, 0);
	RmlBoostParams params = boost_params(5);
	const RmlTreeModel *model;

	params.early_stopping = 3;
	unit_contains(rml_boost_learner.check(env, &params, &rows), "more than 99 rows",
				  "too few rows to hold a tenth out");
	params.holdout = 0.2;
	unit_equal_string(rml_boost_learner.check(env, &params, &rows), NULL, "enough for a fifth");
	/* all rows but those that are held out make the root of each tree: sd of a binomial of .2 */
	rows = planted_rows(env, 10000, 1, 0, 1, 0);
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	unit_near(model->trees.cover[0], 8000, 4 * sqrt(10000 * 0.2 * 0.8) / 8000,
			  "a fifth is held out");
	unit_env_free(env);
}

/* ---- samples ---- */

static void
test_samples(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 4000, 8, 0, 1, 2);
	RmlBoostParams params = boost_params(30);
	const RmlTreeModel *model;
	const RmlTrees *trees;
	int most = 0, used = 0;

	params.subsample = 0.5;
	params.colsample = 0.25;
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	trees = &model->trees;
	for (int t = 0; t < 30; t++)
	{
		bool asked[8] = {0};
		int n = 0;

		for (int64_t i = trees->starts[t]; i < trees->starts[t + 1]; i++)
			if (trees->nodes[i].place != RML_LEAF)
				asked[trees->nodes[i].place] = true;
		for (int f = 0; f < 8; f++)
			n += asked[f];
		most = n > most ? n : most;
	}
	for (int f = 0; f < 8; f++)
		used += trees->splits[f] > 0;
	unit_equal_int(most, 2, "a tree sees a quarter of eight features");
	unit_ok(used == 8, "all together see all (%d)", used);
	unit_near(trees->cover[0], 2000, 4 * sqrt(1000) / 2000, "and half of the rows");
	unit_ok(trees->cover[0] != trees->cover[trees->starts[1]], "each another half");
	/* rows that a tree has not seen are scored by it all the same: the history is of all */
	{
		double loss = 0;

		for (int64_t i = 0; i < 4000; i++)
		{
			double p = answer(model, rows.numbers + 8 * i, NULL, 0);

			loss -= log(rows.classes[i] ? p : 1 - p) / 4000;
		}
		unit_near(model->history[58], loss, 1e-12, "scores of rows outside the sample are kept up");
	}
	unit_env_free(env);
}

/* ---- weights ---- */

/* integer weights against repeated rows: of leaves with 1 row or more, as these are counted */
static void
check_repeated(int n_classes)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet once = planted_rows(env, 200, 2, 1, 6, n_classes), often;
	double *weights = RML_NEW(env, double, 200), *numbers = RML_NEW(env, double, 2 * 600);
	double *label = RML_NEW(env, double, 600), worst = 0;
	int32_t *codes = RML_NEW(env, int32_t, 600);
	RmlBoostParams params = boost_params(20);
	const RmlTreeModel *a, *b;
	int64_t n = 0;

	for (int64_t i = 0; i < 200; i++)
	{
		weights[i] = 1 + i % 3;
		for (int64_t copy = 0; copy <= i % 3; copy++, n++)
		{
			memcpy(numbers + 2 * n, once.numbers + 2 * i, 2 * sizeof(double));
			codes[n] = once.codes[i];
			label[n] = n_classes == 0 ? once.y[i] : once.classes[i];
		}
	}
	often = training_set(env, n, 2, 1, numbers, codes);
	name_categories(env, &often);
	set_label(env, &often, label, n_classes);
	once.weights = weights;
	params.min_samples_leaf = 1;
	params.l2 = 1;
	a = fit_model(env, &rml_boost_learner, &params, &once);
	b = fit_model(env, &rml_boost_learner, &params, &often);
	for (int64_t i = 0; i < 200; i++)
		worst = fmax(worst, fabs(answer(a, once.numbers + 2 * i, once.codes + i, 0) -
								 answer(b, once.numbers + 2 * i, once.codes + i, 0)));
	unit_ok(worst < 1e-5, "%d classes: weights are repeated rows (%.1e)", n_classes, worst);
	unit_env_free(env);
}

/* a class of weight 0 is as good as absent, and no number becomes infinite */
static void
test_weightless_class(void)
{
	RmlEnv *env = unit_env(1);

	for (int n_classes = 2; n_classes <= 3; n_classes++)
	{
		RmlTrainingSet rows = planted_rows(env, 300, 2, 0, 1, n_classes);
		double *weights = RML_NEW(env, double, 300), largest = 0;
		RmlBoostParams params = boost_params(10);
		const RmlTreeModel *model;

		for (int i = 0; i < 300; i++)
			weights[i] = rows.classes[i] != 1;
		rows.weights = weights;
		model = fit_model(env, &rml_boost_learner, &params, &rows);
		for (int i = 0; i < 300; i++)
			largest = fmax(largest, answer(model, rows.numbers + 2 * i, NULL, 1));
		unit_ok(largest < 1e-6, "a class of weight 0 of %d has no probability (%g)", n_classes,
				largest);
		unit_ok(are_probabilities(model, &rows), "the others share it");
	}
	unit_env_free(env);
}

/* ---- sizes ---- */

static void
test_sizes(void)
{
	static const double sizes[] = {1e-310, 1e-40, 1e40, 1e200, 1e307};
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 300, 2, 1, 5, 0);
	RmlBoostParams params = boost_params(8);
	const RmlTreeModel *usual;
	double *y = RML_NEW(env, double, 300), *weights = RML_NEW(env, double, 300);

	params.early_stopping = 5;
	for (int s = 0; s < 5; s++)
	{
		RmlTrainingSet scaled = rows;
		const RmlTreeModel *model;
		double worst = 0;
		RmlWriter bytes;
		RmlModel back;

		for (int i = 0; i < 300; i++)
		{
			y[i] = rows.y[i] * sizes[s];
			weights[i] = sizes[s] > 1 ? 1e10 : 1;
		}
		rows.weights = weights;
		usual = fit_model(env, &rml_boost_learner, &params, &rows);
		/* l2 of categories is 10, next to nothing beside such weights */
		for (int i = 0; i < 300; i++)
			weights[i] = fmax(1, sizes[s]);
		scaled.y = y;
		scaled.weights = weights;
		model = fit_model(env, &rml_boost_learner, &params, &scaled);
		for (int64_t i = 0; i < 300; i++)
			worst =
				fmax(worst, fabs(answer(model, rows.numbers + 2 * i, rows.codes + i, 0) / sizes[s] -
								 answer(usual, rows.numbers + 2 * i, rows.codes + i, 0)));
		unit_ok(worst < 1e-5, "labels and weights of size %g (%.1e)", sizes[s], worst);
		bytes = model_bytes(env, &rml_boost_learner, &params, &scaled, model);
		unit_equal_string(rml_model_decode(&back, env, bytes.bytes, bytes.length), NULL,
						  "the model can be read");
	}
	unit_env_free(env);
}

/* ---- edges ---- */

static void
test_edges(void)
{
	RmlEnv *env = unit_env(1);
	double x[] = {3, 3, 3, 3, 3, 3}, y[] = {1, 2, 3, 4, 5, 9}, classes[] = {0, 1, 1, 0, 1, 1};
	RmlBoostParams params = boost_params(5);
	RmlTrainingSet rows = training_set(env, 6, 1, 0, x, NULL);
	const RmlTreeModel *model;

	params.min_samples_leaf = 1;
	name_categories(env, &rows);
	set_label(env, &rows, y, 0);
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	unit_equal_int(model->trees.n_nodes, 5, "a constant feature has no split");
	unit_near(answer(model, x, NULL, 0), 4, 1e-7, "the model is the mean");
	rows.n = 1;
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	unit_near(answer(model, x, NULL, 0), 1, 0, "one row is its own mean");
	rows.n = 6;
	set_label(env, &rows, classes, 2);
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	unit_near(answer(model, x, NULL, 0), 4 / 6.0, 1e-7, "or the share of class 1");
	set_label(env, &rows, classes, 3);
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	unit_ok(are_probabilities(model, &rows), "a class without rows");
	unit_near(answer(model, x, NULL, 2), 0, 1e-8, "has no probability");
	unit_env_free(env);
}

/* separable classes: log-odds grow without end, but stay finite */
static void
test_separable(void)
{
	RmlEnv *env = unit_env(1);
	double x[40], classes[40];
	RmlBoostParams params = boost_params(2000);
	RmlTrainingSet rows;
	const RmlTreeModel *model;
	double score;

	for (int i = 0; i < 40; i++)
	{
		x[i] = i;
		classes[i] = i >= 20;
	}
	rows = training_set(env, 40, 1, 0, x, NULL);
	name_categories(env, &rows);
	set_label(env, &rows, classes, 2);
	params.learning_rate = 1;
	params.min_samples_leaf = 1;
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	rml_tree_model_score(model, &x[39], NULL, &score);
	unit_ok(score > 5 && isfinite(score), "log-odds %g", score);
	unit_ok(answer(model, &x[0], NULL, 0) < 0.01 && answer(model, &x[39], NULL, 0) > 0.99,
			"the classes are told apart");
	unit_env_free(env);
}

/* limits of a tree */
static void
test_limits(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 2000, 4, 1, 300, 0);
	RmlBoostParams params = boost_params(3);
	const RmlTrees *trees;
	double fewest = 2000;

	params.max_depth = 0;
	params.max_leaves = 17;
	params.min_samples_leaf = 30;
	trees = &fit_model(env, &rml_boost_learner, &params, &rows)->trees;
	for (int64_t i = 0; i < trees->n_nodes; i++)
		fewest = fmin(fewest, trees->cover[i]);
	unit_equal_int(trees->n_nodes, 3 * 33, "17 leaves a tree");
	unit_ok(fewest >= 30, "of 30 rows or more (%g)", fewest);
	params.max_depth = 2;
	trees = &fit_model(env, &rml_boost_learner, &params, &rows)->trees;
	unit_equal_int(trees->n_nodes, 3 * 7, "four leaves of depth 2");
	unit_env_free(env);
}

/* ---- the same bytes ---- */

static void
check_threads(int n_classes, double subsample, int early_stopping)
{
	static const int threads[] = {1, 2, 4};
	RmlWriter bytes[3], other;
	RmlEnv *env[3];

	for (int i = 0; i < 3; i++)
	{
		RmlBoostParams params = boost_params(10);
		RmlTrainingSet rows;

		env[i] = unit_env(threads[i]);
		params.subsample = subsample;
		params.colsample = subsample;
		params.early_stopping = early_stopping;
		/* more rows than a block of any loop */
		rows = planted_rows(env[i], 40000, 3, 2, 300, n_classes);
		bytes[i] = fit_bytes(env[i], &rml_boost_learner, &params, &rows);
		if (i > 0)
			unit_ok(same_bytes(&bytes[0], &bytes[i]), "%d classes: %d threads, the same bytes",
					n_classes, threads[i]);
		if (i < 2 || subsample == 1)
			continue;
		params.common.seed = 43;
		other = fit_bytes(env[i], &rml_boost_learner, &params, &rows);
		unit_ok(!same_bytes(&bytes[0], &other), "another seed, other samples");
	}
	for (int i = 0; i < 3; i++)
		unit_env_free(env[i]);
}

/* a model with a history and categories survives its bytes */
static void
test_bytes(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 400, 2, 1, 40, 3);
	RmlBoostParams params = boost_params(6);
	RmlWriter first, second;
	const RmlTreeModel *model;
	RmlModel back;
	int different = 0;

	params.early_stopping = 4;
	model = fit_model(env, &rml_boost_learner, &params, &rows);
	first = model_bytes(env, &rml_boost_learner, &params, &rows, model);
	if (unit_equal_string(rml_model_decode(&back, env, first.bytes, first.length), NULL, "is read"))
	{
		for (int64_t i = 0; i < rows.n; i++)
			for (int k = 0; k < 3; k++)
				different += answer(model, rows.numbers + 2 * i, rows.codes + i, k) !=
							 answer(back.fitted, rows.numbers + 2 * i, rows.codes + i, k);
		unit_equal_int(different, 0, "says the same");
		rml_model_encode(&second, env, &rml_boost_algorithm, &back.schema, back.params,
						 back.fitted);
		unit_ok(same_bytes(&first, &second), "and is written the same");
	}
	unit_env_free(env);
}

static void
test_escapes(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 800, 3, 2, 30, 3);
	RmlBoostParams params = boost_params(6);

	params.early_stopping = 3;
	check_escapes(&rml_boost_learner, &params, env, &rows);
	unit_env_free(env);
}

int
main(void)
{
	test_golden();
	test_categories();
	check_history(0);
	check_history(2);
	check_history(3);
	check_stopping(0);
	check_stopping(2);
	check_stopping(3);
	test_holdout();
	test_samples();
	check_repeated(0);
	check_repeated(2);
	check_repeated(3);
	test_weightless_class();
	test_sizes();
	test_edges();
	test_separable();
	test_limits();
	check_threads(0, 1, 0);
	check_threads(2, 0.7, 0);
	check_threads(4, 0.7, 5);
	test_bytes();
	test_escapes();
	return unit_done();
}
