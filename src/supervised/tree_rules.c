/*
 * tree_rules.c
 *	  The leaves of one tree as conditions over the columns.
 */
#include <math.h>
#include <string.h>

#include "retailml/tree_expression.h"

#define POLL_EVERY 256 /* leaves */

/* ---- the way to a leaf ---- */

static void
forget_way(RmlTreeRules *rules)
{
	for (int i = 0; i < rules->n_places; i++)
		rules->asked[rules->places[i]] = false;
	rules->n_places = 0;
}

/* nothing is known yet of a place that a node asks about */
static void
ask(RmlTreeRules *rules, int place)
{
	const RmlFeature *feature = rules->features[place];
	int i = rules->n_places;

	if (rules->asked[place])
		return;
	rules->asked[place] = true;
	if (feature->kind == RML_CATEGORICAL)
		memset(rules->codes[place], true, (size_t) feature->n_categories + 2);
	rules->low[place] = -INFINITY;
	rules->high[place] = INFINITY;
	/* pointers into the schema's features are in its order */
	for (; i > 0 && rules->features[rules->places[i - 1]] > feature; i--)
		rules->places[i] = rules->places[i - 1];
	rules->places[i] = place;
	rules->n_places++;
}

/* what going left (or right) at a node says about its place */
static void
narrow(RmlTreeRules *rules, const RmlTreeNode *node, bool left)
{
	const RmlFeature *feature = rules->features[node->place];
	const RmlTrees *trees = &rules->model->trees;
	bool *codes = rules->codes[node->place];

	ask(rules, node->place);
	if (feature->kind != RML_CATEGORICAL)
	{
		if (left)
			rules->high[node->place] = fmin(rules->high[node->place], node->threshold);
		else
			rules->low[node->place] = fmax(rules->low[node->place], node->threshold);
		return;
	}
	for (int32_t code = 0; code <= feature->n_categories + 1; code++)
		codes[code] =
			codes[code] && rml_tree_set_has(trees, (int64_t) node->threshold, code) == left;
}

static void
find_way(RmlTreeRules *rules, int32_t at)
{
	forget_way(rules);
	for (; at != 0; at = rules->parents[at])
	{
		const RmlTreeNode *parent = &rules->nodes[rules->parents[at]];

		narrow(rules, parent, at == parent->left);
	}
}

/* ---- conditions ---- */

/* does a missing number go this way? */
static bool
takes_missing(const RmlTreeRules *rules, int place)
{
	const RmlScaling *scaling = &rules->schema->scaling[rules->features[place]->slot];
	double imputed = (scaling->impute - scaling->centre) / scaling->scale;

	return rules->schema->impute < RML_IMPUTE_ERROR && imputed > rules->low[place] &&
		   imputed <= rules->high[place];
}

static void
write_bounds(RmlTreeRules *rules, const RmlFeature *feature, int place)
{
	RmlExpression *expression = &rules->expression;
	const double low = rules->low[place], high = rules->high[place];

	if (low > -INFINITY)
	{
		rml_write_column(expression, feature);
		rml_write(expression, " > ");
		rml_write_bound(expression, rml_schema_restore(rules->schema, feature->slot, low));
	}
	if (low > -INFINITY && high < INFINITY)
		rml_write(expression, " AND ");
	if (high < INFINITY)
	{
		rml_write_column(expression, feature);
		rml_write(expression, " <= ");
		rml_write_bound(expression, rml_schema_restore(rules->schema, feature->slot, high));
	}
}

/* true is 1 and false is 0: which of them are between the bounds? */
static void
write_boolean(RmlTreeRules *rules, const RmlFeature *feature, int place)
{
	RmlExpression *expression = &rules->expression;
	const RmlScaling *scaling = &rules->schema->scaling[feature->slot];
	bool within[2];

	for (int i = 0; i < 2; i++)
	{
		double x = (i - scaling->centre) / scaling->scale;

		within[i] = x > rules->low[place] && x <= rules->high[place];
	}
	if (within[0] != within[1])
	{
		rml_write(expression, "%s", within[0] ? "NOT " : "");
		rml_write_column(expression, feature);
	}
	else if (within[0])
	{
		rml_write_column(expression, feature);
		rml_write(expression, " IS NOT NULL");
	}
	else
		rml_write(expression, "false");
}

static void
write_number_condition(RmlTreeRules *rules, const RmlFeature *feature, int place)
{
	RmlExpression *expression = &rules->expression;
	bool missing = takes_missing(rules, place);
	/* in SQL it is above all numbers, so only a condition without an upper bound has it */
	bool nan = feature->n_missing > 0 && rml_may_hold_nan(feature);
	bool bounded = rules->high[place] < INFINITY;

	rml_write(expression, "%s", missing ? "(" : "");
	if (feature->kind == RML_BOOLEAN)
		write_boolean(rules, feature, place);
	else
		write_bounds(rules, feature, place);
	if (nan && missing == bounded)
	{
		rml_write(expression, missing ? " OR " : " AND ");
		rml_write_column(expression, feature);
		rml_write(expression, missing ? " = 'NaN'" : " <> 'NaN'");
	}
	if (missing)
	{
		rml_write(expression, " OR ");
		rml_write_column(expression, feature);
		rml_write(expression, " IS NULL)");
	}
}

static void
write_rule(RmlTreeRules *rules)
{
	RmlExpression *expression = &rules->expression;

	expression->length = 0;
	for (int i = 0; i < rules->n_places; i++)
	{
		int place = rules->places[i];
		const RmlFeature *feature = rules->features[place];

		rml_write(expression, "%s", i > 0 ? " AND " : "");
		if (feature->kind == RML_CATEGORICAL)
			rml_write_code_test(expression, feature,
								expression->columns[feature - rules->schema->features],
								rules->codes[place]);
		else
			write_number_condition(rules, feature, place);
	}
	if (rules->n_places == 0)
		rml_write(expression, "true");
}

/* ---- what a leaf says ---- */

/* do the trees each predict, and the model says their mean?  or does each add to the others? */
static bool
predicts(const RmlTreeModel *model)
{
	return model->trees.n_trees == 1 || model->scale < 1.0;
}

static double
leaf_value(const RmlTreeModel *model, const RmlTreeNode *leaf, int k)
{
	double value = rml_tree_leaf_value(&model->trees, leaf, k);

	return predicts(model) ? model->base[k] + value : model->scale * value;
}

static void
describe_classes(const RmlTreeModel *model, const RmlTreeNode *leaf, RmlTreeRule *rule)
{
	rule->value = NAN;
	rule->class_number = 0;
	for (int k = 1; k < model->trees.outputs; k++)
		if (leaf_value(model, leaf, k) > leaf_value(model, leaf, rule->class_number))
			rule->class_number = k;
	rule->probability = leaf_value(model, leaf, rule->class_number);
}

static void
describe_leaf(const RmlTreeRules *rules, const RmlTreeNode *leaf, RmlTreeRule *rule)
{
	const RmlTreeModel *model = rules->model;

	rule->class_number = -1;
	rule->probability = NAN;
	if (model->trees.outputs > 1)
	{
		describe_classes(model, leaf, rule);
		return;
	}
	rule->value = leaf_value(model, leaf, 0);
	if (model->trees.n_groups > 1)
		rule->class_number = rules->tree % model->trees.n_groups;
	else if (rml_is_binary(&model->target) && model->link == RML_LINK_IDENTITY)
	{
		rule->class_number = rule->value >= 0.5;
		rule->probability = rule->class_number == 1 ? rule->value : 1.0 - rule->value;
	}
}

/* ---- all leaves ---- */

static void
find_parents(RmlTreeRules *rules, int64_t n)
{
	rules->parents[0] = 0;
	for (int64_t i = 0; i < n; i++)
		if (rules->nodes[i].place != RML_LEAF)
			rules->parents[rules->nodes[i].left] = rules->parents[rules->nodes[i].left + 1] =
				(int32_t) i;
}

static void
index_places(RmlTreeRules *rules)
{
	const RmlSchema *schema = rules->schema;

	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];
		bool category = feature->kind == RML_CATEGORICAL;
		int place = feature->slot + (category ? schema->d_num : 0);

		rules->features[place] = feature;
		rules->codes[place] =
			category ? RML_NEW(rules->env, bool, (size_t) feature->n_categories + 2) : NULL;
	}
}

void
rml_tree_rules_begin(RmlTreeRules *rules, RmlEnv *env, const RmlTreeModel *model,
					 const RmlSchema *schema, const RmlQuotes *quotes, int tree)
{
	const RmlTrees *trees = &model->trees;
	int64_t n = trees->starts[tree + 1] - trees->starts[tree];
	size_t d = (size_t) schema->n_features;

	*rules = (RmlTreeRules){.env = env, .model = model, .schema = schema, .tree = tree};
	rules->nodes = trees->nodes + trees->starts[tree];
	rules->cover = trees->cover + trees->starts[tree];
	rml_expression_begin(&rules->expression, env, schema, quotes, NULL);
	rules->features = RML_NEW(env, const RmlFeature *, d);
	rules->places = RML_NEW(env, int, d);
	rules->asked = RML_NEW_ZERO(env, bool, d);
	rules->low = RML_NEW(env, double, d);
	rules->high = RML_NEW(env, double, d);
	rules->codes = RML_NEW(env, bool *, d);
	rules->parents = RML_NEW(env, int32_t, (size_t) n);
	rules->stack = RML_NEW(env, int32_t, (size_t) n);
	rules->stack[rules->n_stack++] = 0;
	index_places(rules);
	find_parents(rules, n);
}

/* the next leaf from left to right, or -1 */
static int32_t
next_leaf(RmlTreeRules *rules)
{
	while (rules->n_stack > 0)
	{
		int32_t at = rules->stack[--rules->n_stack];

		if (rules->nodes[at].place == RML_LEAF)
			return at;
		rules->stack[rules->n_stack++] = rules->nodes[at].left + 1;
		rules->stack[rules->n_stack++] = rules->nodes[at].left;
	}
	return -1;
}

bool
rml_tree_rules_next(RmlTreeRules *rules, RmlTreeRule *rule)
{
	int32_t leaf = next_leaf(rules);

	if (leaf < 0)
		return false;
	if (rules->leaf % POLL_EVERY == POLL_EVERY - 1)
		rml_poll(rules->env);
	find_way(rules, leaf);
	write_rule(rules);
	rule->leaf = ++rules->leaf;
	rule->condition = rules->expression.text;
	rule->cover = rules->cover[leaf];
	rule->share = rules->cover[0] > 0 ? rules->cover[leaf] / rules->cover[0] : 0.0;
	describe_leaf(rules, &rules->nodes[leaf], rule);
	return true;
}
