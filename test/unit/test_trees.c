/*
 * test_trees.c
 *	  Single trees against scikit-learn (test/golden/trees.py), categories against all subsets, the
 *	  bytes of tree models.
 */
#include "tree_rows.h"
#include "tree_samples.h"

#include "retailml/registry.h"

static RmlForestParams
tree_params(int max_depth, double min_samples_leaf)
{
	RmlForestParams params;

	default_params(&rml_tree_learner, &params);
	params.max_depth = max_depth;
	params.min_samples_leaf = min_samples_leaf;
	return params;
}

/* ---- scikit-learn ---- */

typedef struct Walk
{
	const RmlTrees *trees;
	const UnitCsv *golden;
	const char *model;
	size_t row;
	int wrong;
} Walk;

/* the nodes of a golden tree are in the order of this walk */
static void
walk(Walk *w, int64_t at)
{
	const RmlTreeNode *node = &w->trees->nodes[at];
	double cover;

	while (w->row < w->golden->rows &&
		   strcmp(unit_csv_text(w->golden, w->row, "model"), w->model) != 0)
		w->row++;
	if (w->row == w->golden->rows)
	{
		w->wrong++;
		return;
	}
	cover = unit_csv_number(w->golden, w->row, "cover");
	w->wrong += node->place != unit_csv_number(w->golden, w->row, "place") ||
				fabs(w->trees->cover[at] - cover) > 1e-9 * cover;
	w->row++;
	if (node->place == RML_LEAF)
		return;
	walk(w, node->left);
	walk(w, node->left + 1);
}

static void
check_nodes(const RmlTrees *trees, const char *model)
{
	UnitCsv *golden = unit_golden("trees_nodes.csv");
	Walk w = {trees, golden, model, 0, 0};
	int nodes = 0;

	for (size_t row = 0; row < golden->rows; row++)
		nodes += strcmp(unit_csv_text(golden, row, "model"), model) == 0;
	walk(&w, 0);
	unit_equal_int(trees->n_nodes, nodes, "tree of %s: as many nodes", model);
	unit_equal_int(w.wrong, 0, "tree of %s: they ask the same of the same rows", model);
	unit_csv_free(golden);
}

static void
check_golden(const GoldenRows *golden, const char *label, bool weighted)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = golden_set(env, golden, label, weighted);
	RmlForestParams params = tree_params(4, 9);
	const RmlTreeModel *model = fit_model(env, &rml_tree_learner, &params, &rows);
	int n_classes = golden_classes(label);
	const char *name = rml_format(env, "%s%s", label, weighted ? "_w" : "");

	check_nodes(&model->trees, name);
	for (int k = 0; k < (n_classes > 2 ? n_classes : 1); k++)
	{
		const char *column = rml_format(env, n_classes > 2 ? "tree_%s_%d" : "tree_%s", name, k);
		double *got = RML_NEW(env, double, (size_t) rows.n);

		for (int64_t i = 0; i < rows.n; i++)
			got[i] = answer(model, rows.numbers + i * GOLDEN_D, NULL, k);
		unit_near_array(got, golden_column(env, golden, column), (size_t) rows.n, 1e-8, "%s",
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
	for (int i = 0; i < 6; i++)
		check_golden(&golden, labels[i / 2], i % 2 == 1);
	golden_free(&golden);
}

/* ---- categories ---- */

enum
{
	brute_categories = 9
};

typedef struct Totals
{
	double weight[brute_categories];
	double sum[brute_categories];
	double rows[brute_categories];
} Totals;

static double
worth(double sum, double weight)
{
	return weight > 0 ? sum * sum / weight : 0.0;
}

/* how much the best of all subsets of categories saves */
static double
best_subset(const Totals *totals, double min_rows)
{
	double best = 0;

	for (unsigned set = 1; set + 1 < 1u << brute_categories; set++)
	{
		double weight[2] = {0}, sum[2] = {0}, rows[2] = {0}, saved;

		for (int c = 0; c < brute_categories; c++)
		{
			int side = set >> c & 1;

			weight[side] += totals->weight[c];
			sum[side] += totals->sum[c];
			rows[side] += totals->rows[c];
		}
		if (rows[0] < min_rows || rows[1] < min_rows)
			continue;
		saved = worth(sum[0], weight[0]) + worth(sum[1], weight[1]) -
				worth(sum[0] + sum[1], weight[0] + weight[1]);
		best = fmax(best, saved);
	}
	return best;
}

static void
check_subsets(int n_classes, uint64_t seed, double min_rows)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 150, 0, 1, brute_categories, n_classes);
	double *weights = RML_NEW(env, double, 150), mean = 0, weight = 0;
	RmlForestParams params = tree_params(1, min_rows);
	const RmlTreeModel *model;
	Totals totals = {{0}, {0}, {0}};

	for (int i = 0; i < 150; i++)
	{
		weights[i] = 1 + (double) rml_rng_below(seed, 0, (uint64_t) i, 9);
		mean += n_classes == 0 ? weights[i] * rows.y[i] : 0;
		weight += weights[i];
	}
	rows.weights = weights;
	for (int i = 0; i < 150; i++)
	{
		double y = n_classes == 0 ? rows.y[i] - mean / weight : rows.classes[i];

		totals.weight[rows.codes[i]] += weights[i];
		totals.sum[rows.codes[i]] += weights[i] * y;
		totals.rows[rows.codes[i]]++;
	}
	model = fit_model(env, &rml_tree_learner, &params, &rows);
	unit_near(model->trees.gain[0], best_subset(&totals, min_rows), 1e-11,
			  "%s, seed %d: no subset saves more", n_classes == 0 ? "numbers" : "classes",
			  (int) seed);
	unit_env_free(env);
}

/* Ordered by the mean label the best cut is the best subset (Fisher 1958), if both sides may be small. */
static void
test_subsets(void)
{
	for (uint64_t seed = 1; seed <= 5; seed++)
	{
		check_subsets(0, seed, 1);
		check_subsets(2, seed, 1);
	}
}

/* the smaller side is in the set, so that what is unseen goes with most rows */
static void
test_unseen(void)
{
	RmlEnv *env = unit_env(1);
	enum
	{
		n = 90
	};
	int32_t codes[n];
	double y[n];
	RmlForestParams params = tree_params(1, 1);
	RmlTrainingSet rows;
	const RmlTreeModel *model;
	int32_t rare = 3, missing = 0, unseen = 4;

	for (int i = 0; i < n; i++)
	{
		codes[i] = i < 10 ? 3 : 1 + i % 2;
		y[i] = i < 10 ? -5 : 5;
	}
	rows = training_set(env, n, 0, 1, NULL, codes);
	name_categories(env, &rows);
	set_label(env, &rows, y, 0);
	model = fit_model(env, &rml_tree_learner, &params, &rows);
	unit_near(answer(model, NULL, &rare, 0), -5, 1e-12, "the rare category is by itself");
	unit_near(answer(model, NULL, &missing, 0), 5, 1e-12, "a missing one goes with most");
	unit_near(answer(model, NULL, &unseen, 0), 5, 1e-12, "an unseen one, too");
	unit_env_free(env);
}

/* 1,000 categories in 255 bins: frequent ones are told apart, the others are one */
static void
test_many_categories(void)
{
	RmlEnv *env = unit_env(1);
	enum
	{
		n = 8000
	};
	int32_t *codes = RML_NEW(env, int32_t, n);
	double *y = RML_NEW(env, double, n);
	RmlForestParams params = tree_params(0, 1);
	RmlTrainingSet rows;
	const RmlTreeModel *model;
	int wrong = 0, different = 0;
	double rare = 0;

	/* categories 1 .. 200 have 35 rows each, 201 .. 1000 one or two */
	for (int i = 0; i < n; i++)
	{
		codes[i] = i < 7000 ? 1 + i % 200 : 201 + i % 800;
		y[i] = codes[i] <= 200 ? codes[i] * 7919 % 1009 : 5000 + codes[i];
	}
	rows = training_set(env, n, 0, 1, NULL, codes);
	name_categories(env, &rows);
	set_label(env, &rows, y, 0);
	model = fit_model(env, &rml_tree_learner, &params, &rows);
	for (int i = 0; i < 7000; i++)
		wrong += fabs(answer(model, NULL, &codes[i], 0) - y[i]) > 1e-8;
	unit_equal_int(wrong, 0, "200 frequent categories are exact");
	/* 54 of the others have bins of their own */
	for (int32_t code = 201; code <= 1000; code++)
	{
		double said = answer(model, NULL, &code, 0);

		if (fabs(said - (5000 + code)) > 1e-8)
		{
			different += different == 0 || said != rare;
			rare = said;
		}
	}
	unit_equal_int(different, 1, "the rarest share a leaf");
	unit_env_free(env);
}

/* ---- numbers ---- */

/* with more than 255 values bins hold equal numbers of rows: each has n / 255 +- a few */
static void
test_many_values(void)
{
	RmlEnv *env = unit_env(1);
	enum
	{
		n = 20000
	};
	double *x = RML_NEW(env, double, n), *y = RML_NEW(env, double, n), worst = 0;
	RmlForestParams params = tree_params(0, 1);
	RmlTrainingSet rows;
	const RmlTreeModel *model;

	for (int i = 0; i < n; i++)
	{
		/* one value is in a third of the rows */
		x[i] = i % 3 == 0 ? 0.5 : exp(3 * rml_rng_normal(5, 0, (uint64_t) i));
		y[i] = x[i] == 0.5 ? -100 : 0.5 * erfc(-log(x[i]) / 3 / sqrt(2));
	}
	rows = training_set(env, n, 1, 0, x, NULL);
	name_categories(env, &rows);
	set_label(env, &rows, y, 0);
	model = fit_model(env, &rml_tree_learner, &params, &rows);
	for (int i = 0; i < n; i++)
		worst = fmax(worst, fabs(answer(model, &x[i], NULL, 0) - y[i]));
	/* y is the rank of x: a bin spans 2 / 3 n / 254 rows, or 1 / 254 of the ranks */
	unit_ok(worst < 1.3 / 254, "a bin is a 254th of the rows (%.5f)", worst);
	unit_near(answer(model, (double[]){0.5}, NULL, 0), -100, 1e-9,
			  "a frequent value has a bin of its own");
	unit_equal_int((model->trees.n_nodes + 1) / 2, 255, "bins are leaves");
	unit_env_free(env);
}

static void
test_extremes(void)
{
	RmlEnv *env = unit_env(1);
	double x[] = {-1e308, -1, 0, 4.9e-324, 1, 1e308}, y[] = {1, 2, 3, 4, 5, 6};
	RmlForestParams params = tree_params(0, 1);
	RmlTrainingSet rows = training_set(env, 6, 1, 0, x, NULL);
	const RmlTreeModel *model;
	double got[6];

	name_categories(env, &rows);
	set_label(env, &rows, y, 0);
	model = fit_model(env, &rml_tree_learner, &params, &rows);
	for (int i = 0; i < 6; i++)
		got[i] = answer(model, &x[i], NULL, 0);
	unit_near_array(got, y, 6, 1e-14, "thresholds between the smallest and largest numbers");
	unit_env_free(env);
}

/* ---- weights ---- */

/* integer weights against the rows repeated as often; few enough for a bin of each value */
static void
check_repeated(int n_classes)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet once = planted_rows(env, 240, 2, 1, 6, n_classes), often;
	double *weights = RML_NEW(env, double, 240), *numbers = RML_NEW(env, double, 2 * 720);
	double *label = RML_NEW(env, double, 720), worst = 0;
	int32_t *codes = RML_NEW(env, int32_t, 720);
	RmlForestParams params = tree_params(6, 1);
	const RmlTreeModel *a, *b;
	int64_t n = 0;

	for (int64_t i = 0; i < 240; i++)
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
	a = fit_model(env, &rml_tree_learner, &params, &once);
	b = fit_model(env, &rml_tree_learner, &params, &often);
	for (int64_t i = 0; i < 240; i++)
		worst = fmax(worst, fabs(answer(a, once.numbers + 2 * i, once.codes + i, 0) -
								 answer(b, once.numbers + 2 * i, once.codes + i, 0)));
	unit_near(worst, 0, 1e-12, "%d classes: weights are repeated rows", n_classes);
	unit_equal_int(a->trees.n_nodes, b->trees.n_nodes, "%d classes: the same tree", n_classes);
	unit_env_free(env);
}

/* the scale of weights means nothing, not even where float4 ends */
static void
test_weight_scale(void)
{
	static const double scales[] = {1e-300, 1e-42, 1, 1e42, 1e300};
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 200, 2, 0, 1, 0);
	double *weights = RML_NEW(env, double, 200), first = 0;
	RmlForestParams params = tree_params(3, 5);

	rows.weights = weights;
	for (int s = 0; s < 5; s++)
	{
		double said;

		for (int i = 0; i < 200; i++)
			weights[i] = (1 + i % 5) * scales[s];
		said = answer(fit_model(env, &rml_tree_learner, &params, &rows), rows.numbers, NULL, 0);
		if (s == 0)
			first = said;
		unit_near(said, first, 1e-6, "weights of %g", scales[s]);
	}
	unit_env_free(env);
}

/* ---- edges ---- */

static void
test_edges(void)
{
	RmlEnv *env = unit_env(1);
	double x[] = {3, 3, 3, 3, 3, 3}, y[] = {1, 2, 3, 4, 5, 9}, classes[] = {0, 1, 1, 0, 1, 1};
	double weights[] = {0, 2, 1, 0, 1, 5};
	RmlForestParams params = tree_params(0, 1);
	RmlTrainingSet rows = training_set(env, 6, 1, 0, x, NULL);
	const RmlTreeModel *model;

	name_categories(env, &rows);
	set_label(env, &rows, y, 0);
	model = fit_model(env, &rml_tree_learner, &params, &rows);
	unit_equal_int(model->trees.n_nodes, 1, "a constant feature has no split");
	unit_near(answer(model, x, NULL, 0), 4, 1e-15, "the tree is the mean");
	rows.n = 1;
	model = fit_model(env, &rml_tree_learner, &params, &rows);
	unit_near(answer(model, x, NULL, 0), 1, 0, "one row is its own mean");
	rows.n = 6;
	set_label(env, &rows, classes, 2);
	rows.weights = weights;
	model = fit_model(env, &rml_tree_learner, &params, &rows);
	unit_near(answer(model, x, NULL, 0), 1, 0, "a class of weight 0 has no probability");
	set_label(env, &rows, classes, 3);
	unit_ok(are_probabilities(fit_model(env, &rml_tree_learner, &params, &rows), &rows),
			"nor has a class without rows");
	unit_env_free(env);
}

/* min_samples_split and min_samples_leaf count rows */
static void
test_limits(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 500, 3, 0, 1, 0);
	RmlForestParams params = tree_params(0, 25);
	const RmlTrees *trees = &fit_model(env, &rml_tree_learner, &params, &rows)->trees;
	double fewest = 500, fewest_inner = 500;

	for (int64_t i = 0; i < trees->n_nodes; i++)
		if (trees->nodes[i].place == RML_LEAF)
			fewest = fmin(fewest, trees->cover[i]);
	unit_ok(fewest >= 25 && fewest < 50, "leaves have 25 rows or more (%g)", fewest);
	params.min_samples_leaf = 1;
	params.min_samples_split = 60;
	trees = &fit_model(env, &rml_tree_learner, &params, &rows)->trees;
	for (int64_t i = 0; i < trees->n_nodes; i++)
		if (trees->nodes[i].place != RML_LEAF)
			fewest_inner = fmin(fewest_inner, trees->cover[i]);
	unit_ok(fewest_inner >= 60, "nodes of 60 rows are split (%g)", fewest_inner);
	unit_env_free(env);
}

/* ---- bytes ---- */

static RmlTreeModel *
sample_with_target(RmlEnv *env, const SampleShape *shape, RmlTask task, int n_classes, RmlLink link)
{
	RmlTreeModel *model = sample_model(env, shape, 17);

	model->target = (RmlTarget){.name = "label", .task = task, .n_classes = n_classes};
	model->target.classes = RML_NEW(env, char *, (size_t) n_classes);
	model->target.counts = RML_NEW_ZERO(env, int64_t, (size_t) n_classes);
	for (int k = 0; k < n_classes; k++)
		model->target.classes[k] = rml_format(env, "c%d", k);
	model->link = link;
	model->holdout_loss = NAN;
	model->oob_score = NAN;
	return model;
}

static const char *
refusal(RmlEnv *env, const RmlSchema *schema, const RmlTreeModel *model)
{
	RmlForestParams params = tree_params(5, 10);
	RmlWriter writer;
	RmlModel back;

	rml_model_encode(&writer, env, &rml_tree_algorithm, schema, &params, model);
	return rml_model_decode(&back, env, writer.bytes, writer.length);
}

static void
check_round_trip(const SampleShape *shape, RmlTask task, int n_classes, RmlLink link)
{
	RmlEnv *env = unit_env(1);
	const RmlSchema *schema = sample_schema(env, shape);
	const RmlTreeModel *model = sample_with_target(env, shape, task, n_classes, link);
	RmlForestParams params = tree_params(5, 10);
	RmlWriter first, second;
	RmlModel back;
	Dice dice = {3};
	int different = 0;

	rml_model_encode(&first, env, &rml_tree_algorithm, schema, &params, model);
	if (!unit_equal_string(rml_model_decode(&back, env, first.bytes, first.length), NULL,
						   "%d classes, %d outputs: is read", n_classes, shape->outputs))
		return;
	rml_model_encode(&second, env, &rml_tree_algorithm, &back.schema, back.params, back.fitted);
	unit_ok(same_bytes(&first, &second), "and written the same");
	for (int i = 0; i < 200; i++)
	{
		double numbers[8];
		int32_t codes[8];

		sample_row(&dice, shape, numbers, codes);
		different += rml_tree_model_predict(model, numbers, codes) !=
					 rml_tree_model_predict(back.fitted, numbers, codes);
	}
	unit_equal_int(different, 0, "and says the same");
	unit_env_free(env);
}

static void
test_round_trips(void)
{
	check_round_trip(&(SampleShape){3, 2, 1, 1, 1, 5, 5}, RML_REGRESSION, 0, RML_LINK_IDENTITY);
	check_round_trip(&(SampleShape){3, 0, 7, 1, 1, 4, 5}, RML_CLASSIFICATION, 2, RML_LINK_IDENTITY);
	check_round_trip(&(SampleShape){0, 2, 7, 1, 1, 4, 5}, RML_CLASSIFICATION, 2, RML_LINK_LOGIT);
	check_round_trip(&(SampleShape){2, 2, 5, 4, 1, 4, 5}, RML_CLASSIFICATION, 4, RML_LINK_IDENTITY);
	check_round_trip(&(SampleShape){2, 2, 9, 1, 3, 4, 5}, RML_CLASSIFICATION, 3, RML_LINK_SOFTMAX);
}

/* score = base + scale * sum of leaves, by hand */
static void
test_score(void)
{
	RmlEnv *env = unit_env(1);
	const SampleShape shape = {2, 0, 6, 1, 3, 0, 0};
	RmlTreeModel *model = sample_with_target(env, &shape, RML_CLASSIFICATION, 3, RML_LINK_SOFTMAX);
	const double numbers[] = {0, 0};
	double scores[3], wanted[3], p[3], sum = 0;

	for (int k = 0; k < 3; k++)
	{
		wanted[k] = model->base[k] +
					0.5 * (model->trees.nodes[k].threshold + model->trees.nodes[k + 3].threshold);
		sum += exp(wanted[k]);
	}
	rml_tree_model_score(model, numbers, NULL, scores);
	unit_near_array(scores, wanted, 3, 1e-15, "tree t is of group t mod 3");
	rml_tree_model_proba(model, numbers, NULL, p);
	for (int k = 0; k < 3; k++)
		unit_near(p[k], exp(wanted[k]) / sum, 1e-14, "softmax of class %d", k);
	unit_env_free(env);
}

typedef enum Damage
{
	CHILD_BEFORE_PARENT,
	CHILD_IS_ITSELF,
	CHILD_OUTSIDE,
	TWO_PARENTS,
	NO_PARENT,
	PLACE_TOO_LARGE,
	PLACE_TOO_SMALL,
	SET_OUTSIDE,
	SET_NOT_WHOLE,
	SET_NEGATIVE,
	THRESHOLD_NAN,
	LEAF_INFINITE,
	COVER_NEGATIVE,
	ROW_OF_VALUES_OUTSIDE,
	VALUE_NAN,
	STARTS_FALL,
	STARTS_FAR,
	EMPTY_TREE,
	SETS_FALL,
	SET_WORDS_OVERLAP,
	WRONG_OUTPUTS,
	WRONG_LINK,
	ONE_CLASS,
	SCALE_NAN,
	BASE_NAN,
	DAMAGES
} Damage;

/* a node of this kind: a number's, a category's, a leaf */
static RmlTreeNode *
find_node(RmlTrees *trees, int kind)
{
	for (int64_t i = 0; i < trees->starts[1]; i++)
	{
		int place = trees->nodes[i].place;

		if (kind == (place == RML_LEAF ? 2 : place >= trees->d_num))
			return &trees->nodes[i];
	}
	unit_ok(false, "the sample has a node of kind %d", kind);
	return trees->nodes;
}

static void
damage_nodes(RmlTrees *trees, Damage damage)
{
	RmlTreeNode *number = find_node(trees, 0), *category = find_node(trees, 1);
	RmlTreeNode *leaf = find_node(trees, 2), *root = trees->nodes;
	/* the next inner node after the root */
	RmlTreeNode *inner = root + root->left;

	if (inner->place == RML_LEAF)
		inner++;
	switch (damage)
	{
		case CHILD_BEFORE_PARENT:
			inner->left = 0;
			break;
		case CHILD_IS_ITSELF:
			inner->left = (int32_t) (inner - root);
			break;
		case CHILD_OUTSIDE:
			inner->left = (int32_t) trees->starts[1] - 1;
			break;
		case TWO_PARENTS:
			root->left = inner->left;
			break;
		case NO_PARENT:
			inner->place = RML_LEAF;
			inner->left = 0;
			break;
		case PLACE_TOO_LARGE:
			number->place = trees->d_num + trees->d_cat;
			break;
		case PLACE_TOO_SMALL:
			number->place = -2;
			break;
		case SET_OUTSIDE:
			category->threshold = (double) trees->n_sets;
			break;
		case SET_NOT_WHOLE:
			category->threshold = 0.5;
			break;
		case SET_NEGATIVE:
			category->threshold = -1;
			break;
		case THRESHOLD_NAN:
			number->threshold = NAN;
			break;
		case LEAF_INFINITE:
			leaf->threshold = INFINITY;
			break;
		case COVER_NEGATIVE:
			trees->cover[1] = -1;
			break;
		case ROW_OF_VALUES_OUTSIDE:
			leaf->left = (int32_t) trees->n_leaves;
			break;
		default:
			break;
	}
}

static void
damage_model(RmlTreeModel *model, Damage damage)
{
	RmlTrees *trees = &model->trees;

	switch (damage)
	{
		case VALUE_NAN:
			trees->values[0] = NAN;
			break;
		case STARTS_FALL:
			trees->starts[1] = trees->starts[2] + 1;
			break;
		case STARTS_FAR:
			trees->starts[2] = INT64_MIN;
			break;
		case EMPTY_TREE:
			trees->starts[1] = 0;
			break;
		case SETS_FALL:
			trees->set_starts[1] = trees->set_starts[2] + 1;
			break;
		case SET_WORDS_OVERLAP:
			trees->set_starts[1] = -1;
			break;
		case WRONG_OUTPUTS:
			model->target.n_classes--;
			break;
		case WRONG_LINK:
			model->link = RML_LINK_SOFTMAX;
			break;
		case ONE_CLASS:
			model->target.n_classes = 1;
			break;
		case SCALE_NAN:
			model->scale = NAN;
			break;
		case BASE_NAN:
			model->base[0] = NAN;
			break;
		default:
			damage_nodes(trees, damage);
	}
}

static void
test_damage(void)
{
	/* numbers for each class, so that leaves have rows of values */
	const SampleShape shape = {3, 2, 4, 3, 1, 5, 6};
	RmlEnv *env = unit_env(1);

	for (int damage = 0; damage < DAMAGES; damage++)
	{
		RmlTreeModel *model =
			sample_with_target(env, &shape, RML_CLASSIFICATION, 3, RML_LINK_IDENTITY);
		const RmlSchema *schema = sample_schema(env, &shape);

		if (damage == 0)
			unit_equal_string(refusal(env, schema, model), NULL, "the sample is sound");
		damage_model(model, (Damage) damage);
		unit_ok(refusal(env, schema, model) != NULL, "damage %d is refused", damage);
		unit_env_reset(env);
	}
	unit_env_free(env);
}

/* every byte of the fitted part changed, the checksum right: refused, or another model */
static void
test_bytes(void)
{
	RmlEnv *env = unit_env(1), *scratch = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 60, 1, 1, 4, 3);
	RmlForestParams params = tree_params(3, 5);
	RmlWriter bytes = fit_bytes(env, &rml_tree_learner, &params, &rows);
	int accepted = 0, refused = 0;

	for (size_t i = 24; i < bytes.length; i++)
	{
		uint8_t before = bytes.bytes[i];
		uint32_t crc;
		RmlModel model;

		bytes.bytes[i] ^= 0x81;
		crc = rml_model_crc(bytes.bytes, bytes.length);
		memcpy(bytes.bytes + 12, &crc, sizeof crc);
		if (rml_model_decode(&model, scratch, bytes.bytes, bytes.length) == NULL)
		{
			double numbers[] = {1}, p[RML_MAX_CLASSES];
			int32_t codes[] = {2};

			model.algorithm->proba(model.fitted, numbers, codes, p);
			accepted++;
		}
		else
			refused++;
		unit_env_reset(scratch);
		bytes.bytes[i] = before;
	}
	unit_ok(accepted > 0 && refused > accepted, "%d changed models are read, %d are not", accepted,
			refused);
	unit_env_free(scratch);
	unit_env_free(env);
}

static void
test_escapes(void)
{
	RmlEnv *env = unit_env(1);
	RmlTrainingSet rows = planted_rows(env, 3000, 3, 2, 30, 3);
	RmlForestParams params = tree_params(8, 5);

	check_escapes(&rml_tree_learner, &params, env, &rows);
	unit_env_free(env);
}

int
main(void)
{
	test_golden();
	test_subsets();
	test_unseen();
	test_many_categories();
	test_many_values();
	test_extremes();
	check_repeated(0);
	check_repeated(2);
	check_repeated(3);
	test_weight_scale();
	test_edges();
	test_limits();
	test_round_trips();
	test_score();
	test_damage();
	test_bytes();
	test_escapes();
	return unit_done();
}
