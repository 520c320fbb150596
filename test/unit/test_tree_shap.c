/*
 * test_tree_shap.c
 *	  Shapley values of trees against their definition over all sets of features, and against the
 *	  shap package (test/golden/tree_shap.py).
 */
#include "tree_samples.h"

#include <math.h>

#include "retailml/tree_shap.h"

#define MAX_D 12
#define MAX_SCORES 4

typedef struct Question
{
	const RmlTrees *trees;
	const double *numbers;
	const int32_t *codes;
	int tree;
	int output;
} Question;

/* what a tree says knowing the features of a set (bits by place): the definition */
static double
value_of_set(const Question *q, unsigned set, int64_t at)
{
	const RmlTrees *trees = q->trees;
	int64_t root = trees->starts[q->tree];
	const RmlTreeNode *node = &trees->nodes[root + at];
	double left, right;

	if (node->place == RML_LEAF)
		return rml_tree_leaf_value(trees, node, q->output);
	if (set >> node->place & 1)
		return value_of_set(q, set,
							node->left + !rml_tree_goes_left(trees, node, q->numbers, q->codes));
	left = trees->cover[root + node->left];
	right = trees->cover[root + node->left + 1];
	if (left + right == 0)
		left = right = 1;
	return (left * value_of_set(q, set, node->left) +
			right * value_of_set(q, set, node->left + 1)) /
		   (left + right);
}

/* s! (m - s)! / (m + 1)! */
static double
shapley_weight(int s, int m)
{
	return exp(lgamma(s + 1) + lgamma(m - s + 1) - lgamma(m + 2));
}

/* the values [d by place] of one score by definition */
static void
brute_force(const RmlTreeModel *model, const double *numbers, const int32_t *codes, int score,
			double *values, double *base)
{
	const RmlTrees *trees = &model->trees;
	const int d = trees->d_num + trees->d_cat;
	int group = trees->outputs > 1 ? 0 : score;
	double *by_set = calloc((size_t) 1 << d, sizeof(double));

	for (int t = group; t < trees->n_trees; t += trees->n_groups)
	{
		Question q = {trees, numbers, codes, t, trees->outputs > 1 ? score : 0};

		for (unsigned set = 0; set < 1u << d; set++)
			by_set[set] += model->scale * value_of_set(&q, set, 0);
	}
	*base = model->base[score] + by_set[0];
	for (int j = 0; j < d; j++)
	{
		values[j] = 0;
		for (unsigned set = 0; set < 1u << d; set++)
			if ((set >> j & 1) == 0)
				values[j] += shapley_weight(__builtin_popcount(set), d - 1) *
							 (by_set[set | 1u << j] - by_set[set]);
	}
	free(by_set);
}

/* contributions by place, where the sample's schema has the categories first */
static void
explain_by_place(RmlEnv *env, const RmlTreeModel *model, const RmlSchema *schema,
				 const double *numbers, const int32_t *codes, int output, double *values,
				 double *base)
{
	double contributions[MAX_D];

	rml_trees_explain(model, schema, env, numbers, codes, output, contributions, base);
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		values[feature->kind == RML_CATEGORICAL ? schema->d_num + feature->slot : feature->slot] =
			contributions[i];
	}
}

static void
test_definition(RmlEnv *env, const SampleShape *shape, const char *what)
{
	const int d = shape->d_num + shape->d_cat, scores = shape->outputs * shape->n_groups;
	double worst = 0, worst_base = 0;
	Dice dice = {99};

	for (uint64_t seed = 1; seed <= 8; seed++)
	{
		RmlTreeModel *model = sample_model(env, shape, seed);
		RmlSchema *schema = sample_schema(env, shape);

		for (int row = 0; row < 4; row++)
		{
			double numbers[MAX_D], got[MAX_D], wanted[MAX_D], base, wanted_base;
			int32_t codes[MAX_D];
			int score = row % scores;

			sample_row(&dice, shape, numbers, codes);
			explain_by_place(env, model, schema, numbers, codes, score, got, &base);
			brute_force(model, numbers, codes, score, wanted, &wanted_base);
			for (int j = 0; j < d; j++)
				worst = fmax(worst, fabs(got[j] - wanted[j]));
			worst_base = fmax(worst_base, fabs(base - wanted_base));
		}
	}
	unit_near(worst, 0, 1e-12, "%s: contributions are those of the definition", what);
	unit_near(worst_base, 0, 1e-12, "%s: so is the base", what);
}

static void
test_definitions(RmlEnv *env)
{
	const SampleShape shapes[] = {
		{1, 0, 1, 1, 1, 1, 0}, {3, 0, 1, 1, 1, 4, 0}, {2, 1, 1, 1, 1, 8, 6}, {0, 3, 1, 1, 1, 6, 5},
		{5, 5, 3, 1, 1, 7, 8}, {4, 3, 4, 3, 1, 5, 6}, {3, 3, 9, 1, 3, 5, 6},
	};
	const char *const names[] = {
		"a stump",
		"numbers",
		"deeper than features",
		"categories",
		"ten features",
		"a number for each class",
		"a sequence for each class",
	};

	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		test_definition(env, &shapes[i], names[i]);
}

/* a model without features that it asks about */
static void
test_single_leaf(RmlEnv *env)
{
	const SampleShape shape = {2, 1, 3, 1, 1, 0, 0};
	RmlTreeModel *model = sample_model(env, &shape, 5);
	double numbers[] = {1, 2}, contributions[3] = {7, 7, 7}, base, sum = model->base[0];
	const double none[3] = {0, 0, 0};
	int32_t codes[] = {0};

	for (int t = 0; t < 3; t++)
		sum += model->scale * model->trees.nodes[t].threshold;
	rml_trees_explain(model, sample_schema(env, &shape), env, numbers, codes, 0, contributions,
					  &base);
	unit_near_array(contributions, none, 3, 0, "trees of one leaf: no contributions");
	unit_near(base, sum, 1e-15, "the base is all");
}

/* the class that is not the model's own */
static void
test_other_class(RmlEnv *env)
{
	const SampleShape shape = {3, 1, 2, 1, 1, 3, 0};
	RmlTreeModel *model = sample_model(env, &shape, 3);
	RmlSchema *schema = sample_schema(env, &shape);
	double numbers[] = {1, -2, 3}, one[4], zero[4], base_one, base_zero;
	int32_t codes[] = {2};
	bool opposite = true;

	model->target.n_classes = 2;
	model->target.task = RML_CLASSIFICATION;
	rml_trees_explain(model, schema, env, numbers, codes, 1, one, &base_one);
	rml_trees_explain(model, schema, env, numbers, codes, 0, zero, &base_zero);
	for (int i = 0; i < 4; i++)
		opposite = opposite && zero[i] == -one[i];
	unit_ok(opposite && one[0] != 0, "class 0 of two has the opposite contributions");
	unit_near(base_zero, 1 - base_one, 1e-15, "and of probabilities the rest to 1 as its base");
	model->link = RML_LINK_LOGIT;
	rml_trees_explain(model, schema, env, numbers, codes, 0, zero, &base_zero);
	unit_near(base_zero, -base_one, 0, "but the negative of log-odds");
}

/* a chain: at depth i it asks about place i mod d, and goes on to the right */
static RmlTreeModel *
chain_model(RmlEnv *env, int d, int depth)
{
	RmlTreeModel *model = RML_NEW_ZERO(env, RmlTreeModel, 1);
	RmlTrees *trees = &model->trees;

	*trees = (RmlTrees){.n_trees = 1, .outputs = 1, .n_groups = 1, .d_num = d};
	trees->n_nodes = 2 * depth + 1;
	trees->starts = RML_NEW_ZERO(env, int64_t, 2);
	trees->starts[1] = trees->n_nodes;
	trees->nodes = RML_NEW_ZERO(env, RmlTreeNode, (size_t) trees->n_nodes);
	trees->cover = RML_NEW_ZERO(env, double, (size_t) trees->n_nodes);
	for (int i = 0; i <= 2 * depth; i++)
	{
		trees->nodes[i] = (RmlTreeNode){i % 7 - 3.0, RML_LEAF, 0};
		/* rows left at this depth; the leaf to the left of it took one in ten */
		trees->cover[i] = pow(0.9, (i + 1) / 2) * (i % 2 == 1 ? 1 / 9.0 : 1);
	}
	for (int i = 0; i < depth; i++)
		trees->nodes[2 * i] = (RmlTreeNode){0.0, i % d, 2 * i + 1};
	model->scale = 1.0;
	model->base = RML_NEW_ZERO(env, double, 1);
	return model;
}

/* many features on one path are where sums with alternating signs lose all digits */
static void
test_deep(RmlEnv *env, int d, int depth)
{
	const SampleShape shape = {d, 0, 1, 1, 1, 0, 0};
	RmlTreeModel *model = chain_model(env, d, depth);
	RmlSchema *schema = sample_schema(env, &shape);
	double *numbers = RML_NEW(env, double, (size_t) d);
	double *contributions = RML_NEW(env, double, (size_t) d);
	double base, sum;
	size_t before = unit_env_in_use(env);

	for (int j = 0; j < d; j++)
		numbers[j] = 1.0;
	rml_trees_explain(model, schema, env, numbers, NULL, 0, contributions, &base);
	sum = base;
	for (int j = 0; j < d; j++)
		sum += contributions[j];
	unit_near(sum, model->trees.nodes[2 * depth].threshold, 1e-10,
			  "depth %d, %d features: contributions add up to the score", depth, d);
	unit_equal_int((int64_t) (unit_env_in_use(env) - before), 0, "and leave no memory behind");
}

/* ---- golden: models of scikit-learn, explained by shap */

#define GOLDEN_D 5

/* the model that begins at a row of the file; *row moves behind it */
static RmlTreeModel *
golden_model(RmlEnv *env, const UnitCsv *golden, size_t *row)
{
	const char *name = unit_csv_text(golden, *row, "model");
	RmlTreeModel *model = RML_NEW_ZERO(env, RmlTreeModel, 1);
	RmlTrees *trees = &model->trees;
	size_t most = golden->rows, first = *row;

	*trees = (RmlTrees){.outputs = isnan(unit_csv_number(golden, first, "value2")) ? 1 : 3,
						.n_groups = 1,
						.d_num = GOLDEN_D};
	trees->nodes = RML_NEW_ZERO(env, RmlTreeNode, most);
	trees->cover = RML_NEW_ZERO(env, double, most);
	trees->values = RML_NEW_ZERO(env, double, most * 3);
	trees->starts = RML_NEW_ZERO(env, int64_t, most);
	for (; *row < most && strcmp(unit_csv_text(golden, *row, "model"), name) == 0; ++*row)
	{
		int64_t i = trees->n_nodes++;
		int place = (int) unit_csv_number(golden, *row, "place");
		bool several = place == RML_LEAF && trees->outputs > 1;

		trees->n_trees = (int) unit_csv_number(golden, *row, "tree") + 1;
		trees->starts[trees->n_trees] = i + 1;
		trees->cover[i] = unit_csv_number(golden, *row, "cover");
		trees->nodes[i].place = place;
		trees->nodes[i].threshold =
			unit_csv_number(golden, *row, place == RML_LEAF ? "value0" : "threshold");
		trees->nodes[i].left =
			(int32_t) (several ? trees->n_leaves : unit_csv_number(golden, *row, "left"));
		for (int k = 0; several && k < 3; k++)
			trees->values[trees->n_leaves * 3 + k] = unit_csv_number(golden, *row,
																	 k == 0   ? "value0"
																	 : k == 1 ? "value1"
																			  : "value2");
		trees->n_leaves += several;
	}
	model->scale = strcmp(name, "boost") == 0 ? 1.0 : 1.0 / trees->n_trees;
	model->base = RML_NEW_ZERO(env, double, 3);
	return model;
}

static void
check_golden(RmlEnv *env, const RmlTreeModel *model, const RmlSchema *schema, const char *name,
			 const UnitCsv *rows, const double *x, const double *wanted)
{
	double worst = 0;
	int n = 0;

	for (size_t i = 0; i < rows->rows; i++)
	{
		double got[GOLDEN_D], base;

		if (strcmp(unit_csv_text(rows, i, "model"), name) != 0)
			continue;
		rml_trees_explain(model, schema, env, x + i * GOLDEN_D, NULL,
						  (int) unit_csv_number(rows, i, "output"), got, &base);
		worst = fmax(worst, fabs(base - wanted[i * (GOLDEN_D + 1)]));
		for (int j = 0; j < GOLDEN_D; j++)
			worst = fmax(worst, fabs(got[j] - wanted[i * (GOLDEN_D + 1) + 1 + (size_t) j]));
		n++;
	}
	unit_ok(n >= 12, "%s: %d golden rows", name, n);
	unit_near(worst, 0, 1e-10, "%s: base and contributions are those of shap", name);
}

static void
test_golden(RmlEnv *env)
{
	const SampleShape shape = {GOLDEN_D, 0, 1, 1, 1, 0, 0};
	UnitCsv *trees = unit_golden("tree_shap_trees.csv"), *rows = unit_golden("tree_shap_rows.csv");
	RmlSchema *schema = sample_schema(env, &shape);
	double *x, *wanted;

	if (trees == NULL || rows == NULL)
		return;
	x = unit_csv_numbers(rows, "x0", GOLDEN_D);
	wanted = unit_csv_numbers(rows, "base", GOLDEN_D + 1);
	for (size_t row = 0; row < trees->rows;)
	{
		const char *name = unit_csv_text(trees, row, "model");

		check_golden(env, golden_model(env, trees, &row), schema, name, rows, x, wanted);
	}
	free(x);
	free(wanted);
	unit_csv_free(trees);
	unit_csv_free(rows);
}

static void
test_cancel(RmlEnv *env)
{
	const SampleShape shape = {3, 0, 20, 1, 1, 3, 0};
	RmlTreeModel *model = sample_model(env, &shape, 1);
	RmlSchema *schema = sample_schema(env, &shape);
	double numbers[] = {1, 2, 3}, contributions[3], base;

	unit_env_cancel_after(env, 10);
	unit_ok(UNIT_ESCAPES(env, rml_trees_explain(model, schema, env, numbers, NULL, 0, contributions,
												&base)),
			"it can be cancelled between trees");
	unit_env_cancel_after(env, 0);
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_definitions(env);
	test_single_leaf(env);
	test_other_class(env);
	test_deep(env, 5, 40);
	test_deep(env, 300, 300);
	test_deep(env, 30, 3000);
	test_golden(env);
	test_cancel(env);
	unit_env_free(env);
	return unit_done();
}
