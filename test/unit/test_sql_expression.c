/*
 * test_sql_expression.c
 *	  The texts of expressions and rules.  That they mean what they should is checked by running them
 *	  (test/sql/model_sql.sql, test/sql/explain.sql).
 */
#include "tree_samples.h"

#include <math.h>

#include "retailml/linear_expression.h"
#include "retailml/tree_expression.h"

static const char *
same(const char *text)
{
	return text;
}

/* categories of samples are single letters */
static const char *
quoted(const char *text)
{
	static const char *const letters[] = {"'a'", "'b'", "'c'", "'d'", "'e'"};

	return letters[text[0] - 'a'];
}

static const RmlQuotes quotes = {same, quoted};
static const SampleShape mixed = {2, 1, 1, 1, 1, 1, 0};

static RmlExpression *
begin(RmlEnv *env, const RmlSchema *schema, const char *alias)
{
	RmlExpression *expression = RML_NEW(env, RmlExpression, 1);

	rml_expression_begin(expression, env, schema, &quotes, alias);
	return expression;
}

/* ---- numbers ---- */

static void
test_numbers(RmlEnv *env)
{
	const double numbers[] = {0.1, 1.0 / 3, -2.5, 1e300, 5e-324, 123456789012345678.0, 0, 1e15};
	RmlExpression *expression = begin(env, sample_schema(env, &mixed), NULL);
	bool exact = true;

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
	{
		expression->length = 0;
		rml_write_bound(expression, numbers[i]);
		exact = exact && strtod(expression->text, NULL) == numbers[i];
	}
	unit_ok(exact, "numbers read as what they were");
	expression->length = 0;
	rml_write_number(expression, 0.1);
	unit_equal_string(expression->text, "'0.1'::float8", "as float8, and no longer than needed");
}

/* ---- columns ---- */

static const char *
prepared(RmlEnv *env, const RmlSchema *schema, const char *alias, int feature)
{
	RmlExpression *expression = begin(env, schema, alias);

	rml_write_prepared(expression, &schema->features[feature]);
	return expression->text;
}

static void
test_columns(RmlEnv *env)
{
	RmlSchema *schema = sample_schema(env, &mixed);

	unit_equal_string(prepared(env, schema, NULL, 0), "(c1::text COLLATE \"C\")", "a category");
	unit_equal_string(prepared(env, schema, "f", 1),
					  "coalesce(nullif(f.n1::float8, 'NaN'::float8), '1.5'::float8)", "a number");
	schema->features[1].type = "bigint";
	unit_equal_string(prepared(env, schema, NULL, 1), "coalesce(n1::float8, '1.5'::float8)",
					  "integers are never NaN");
	schema->features[1].type = "boolean";
	schema->features[1].kind = RML_BOOLEAN;
	schema->standardize = true;
	rml_schema_index(schema, env);
	unit_equal_string(prepared(env, schema, NULL, 1),
					  "((coalesce(n1::int::float8, '1.5'::float8) - '0.25'::float8) / '2'::float8)",
					  "a standardized boolean");
	schema->impute = RML_IMPUTE_SKIP;
	unit_equal_string(prepared(env, schema, NULL, 1),
					  "((n1::int::float8 - '0.25'::float8) / '2'::float8)", "nothing is imputed");
	schema->positional = true;
	unit_equal_string(prepared(env, schema, NULL, 1),
					  "((x[1]::int::float8 - '0.25'::float8) / '2'::float8)", "an element of x");
	unit_equal_string(prepared(env, schema, "v", 1),
					  "((v[1]::int::float8 - '0.25'::float8) / '2'::float8)", "or of its alias");
}

/* ---- sets of categories ---- */

static const char *
code_test(RmlEnv *env, const char *codes)
{
	RmlSchema *schema = sample_schema(env, &mixed);
	RmlExpression *expression = begin(env, schema, NULL);
	bool in[SAMPLE_CATEGORIES + 2];

	for (int i = 0; i < SAMPLE_CATEGORIES + 2; i++)
		in[i] = codes[i] == '1';
	rml_write_code_test(expression, &schema->features[0], "c1", in);
	return expression->text;
}

static void
test_codes(RmlEnv *env)
{
	/* missing, a .. e, others */
	unit_equal_string(code_test(env, "0100000"), "c1 = 'a'", "one");
	unit_equal_string(code_test(env, "0101000"), "c1 IN ('a', 'c')", "two");
	unit_equal_string(code_test(env, "1101000"), "(c1 IN ('a', 'c') OR c1 IS NULL)", "or missing");
	unit_equal_string(code_test(env, "1000000"), "c1 IS NULL", "missing");
	unit_equal_string(code_test(env, "0000000"), "false", "none");
	unit_equal_string(code_test(env, "0011111"), "c1 <> 'a'", "all others");
	unit_equal_string(code_test(env, "1010111"), "(c1 NOT IN ('a', 'c') OR c1 IS NULL)",
					  "all others and missing");
	unit_equal_string(code_test(env, "0111111"), "c1 IS NOT NULL", "all but missing");
	unit_equal_string(code_test(env, "1111111"), "true", "all");
}

/* ---- sums and limits ---- */

static void
letter_term(RmlExpression *expression, const void *context, int64_t i)
{
	rml_write(expression, "%s", (const char *) context);
}

static int
deepest_parenthesis(const char *text)
{
	int depth = 0, deepest = 0;

	for (; *text != '\0'; text++)
	{
		depth += (*text == '(') - (*text == ')');
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

static void
test_sums(RmlEnv *env)
{
	RmlSchema *schema = sample_schema(env, &mixed);
	RmlExpression *expression = begin(env, schema, NULL);

	rml_write_sum(expression, 3, letter_term, "a");
	unit_equal_string(expression->text, "(a + a + a)", "a sum");
	expression->length = 0;
	rml_write_sum(expression, 1, letter_term, "a");
	unit_equal_string(expression->text, "a", "of one");
	expression->length = 0;
	rml_write_sum(expression, 0, letter_term, "a");
	unit_equal_string(expression->text, "'0'::float8", "of none");
	expression->length = 0;
	rml_write_sum(expression, 100000, letter_term, "a");
	unit_ok(deepest_parenthesis(expression->text) <= 12, "a long one is not deep");
	expression->length = 0;
	rml_write_sum(expression, 30000000, letter_term, "a");
	unit_contains(expression->error, "20 MB", "a text without end is refused");
	unit_ok(expression->length <= RML_EXPRESSION_MOST, "before it is there");
}

/* ---- trees ---- */

static void
test_tree(RmlEnv *env)
{
	RmlTreeModel *model = sample_model(env, &mixed, 1);
	RmlSchema *schema = sample_schema(env, &mixed);
	RmlTreeNode nodes[] = {{2.5, 0, 1}, {7, RML_LEAF, 0}, {-1, RML_LEAF, 0}};
	RmlExpression *expression = begin(env, schema, "f");
	RmlTreeRules rules;
	RmlTreeRule rule;

	memcpy(model->trees.nodes, nodes, sizeof nodes);
	model->base[0] = 1;
	model->scale = 1;
	rml_trees_expression(model, schema, expression);
	unit_equal_string(expression->text,
					  "(SELECT CASE WHEN r.n1 <= 2.5 THEN '8'::float8 ELSE '0'::float8 END FROM "
					  "(SELECT coalesce(nullif(f.n1::float8, 'NaN'::float8), '1.5'::float8) AS n1 "
					  "OFFSET 0) AS r)",
					  "a tree");
	rml_tree_rules_begin(&rules, env, model, schema, &quotes, 0);
	unit_ok(rml_tree_rules_next(&rules, &rule), "it has a leaf");
	unit_equal_string(rule.condition, "(n1 <= 2.5 OR n1 IS NULL)", "its rule");
	unit_near(rule.value, 8, 0, "its value");
	unit_ok(rml_tree_rules_next(&rules, &rule), "and another");
	unit_equal_string(rule.condition, "n1 > 2.5", "its rule");
	unit_ok(!rml_tree_rules_next(&rules, &rule), "and no third");
	for (int i = 0; i < schema->n_features; i++)
		schema->features[i].n_missing = 1;
	rml_tree_rules_begin(&rules, env, model, schema, &quotes, 0);
	rml_tree_rules_next(&rules, &rule);
	unit_equal_string(rule.condition, "(n1 <= 2.5 OR n1 = 'NaN' OR n1 IS NULL)", "NaN is missing");
	rml_tree_rules_next(&rules, &rule);
	unit_equal_string(rule.condition, "n1 > 2.5 AND n1 <> 'NaN'", "and not large");
}

static void
test_deep_tree(RmlEnv *env)
{
	const SampleShape shape = {1, 0, 1, 1, 1, 1, 0};
	RmlTreeModel *model = sample_model(env, &shape, 1);
	RmlSchema *schema = sample_schema(env, &shape);
	RmlExpression *expression = begin(env, schema, NULL);
	const int depth = RML_EXPRESSION_NESTED + 1;

	model->trees.n_nodes = model->trees.starts[1] = 2 * depth + 1;
	model->trees.nodes = RML_NEW_ZERO(env, RmlTreeNode, 2 * (size_t) depth + 1);
	for (int i = 0; i <= 2 * depth; i++)
		model->trees.nodes[i].place = RML_LEAF;
	for (int i = 0; i < depth; i++)
		model->trees.nodes[2 * i] = (RmlTreeNode){i, 0, 2 * i + 1};
	rml_trees_expression(model, schema, expression);
	unit_contains(expression->error, "deep", "a tree that no server would parse is refused");
}

/* ---- linear models ---- */

/* numbers n1, n2 with coefficients 2 and -1, category c1 with b = 3 beside the reference a */
static void
linear_model(RmlLinear *linear, RmlEnv *env, RmlSchema *schema, int outputs)
{
	int p;

	memset(linear, 0, sizeof *linear);
	schema->features[0].n_categories = 2;
	schema->features[0].counts[0] = 75;
	schema->features[0].counts[1] = 25;
	rml_linear_design(&linear->design, env, schema);
	p = linear->design.p;
	linear->n_outputs = outputs;
	linear->mean = RML_NEW_ZERO(env, double, (size_t) p);
	linear->sd = RML_NEW_ZERO(env, double, (size_t) p);
	linear->kept = RML_NEW_ZERO(env, int32_t, (size_t) p);
	linear->estimates = RML_NEW_ZERO(env, double, (size_t) (p * outputs));
	linear->base = RML_NEW_ZERO(env, double, (size_t) outputs);
	for (int j = 0; j < p; j++)
	{
		const double estimates[] = {0, 3, 2, -1}, means[] = {1, 0.25, 10, 0}, sds[] = {0, 0, 4, 3};

		linear->kept[j] = 1;
		linear->mean[j] = means[j];
		linear->sd[j] = sds[j];
		for (int output = 0; output < outputs; output++)
			linear->estimates[output * p + j] = estimates[j] * (output + 1);
	}
	for (int output = 0; output < outputs; output++)
		linear->base[output] = 100;
	rml_linear_index(linear, schema, env);
}

static void
test_linear(RmlEnv *env)
{
	RmlSchema *schema = sample_schema(env, &mixed);
	RmlExpression *expression = begin(env, schema, NULL);
	const double wanted[] = {sqrt(27.0 / 16), 8, 3};
	RmlLinear linear;
	double gain[3];
	int64_t splits[3];

	linear_model(&linear, env, schema, 1);
	rml_linear_expression(&linear, 0, expression);
	unit_contains(
		expression->text,
		"(SELECT ('100'::float8 + '2'::float8 * (r.n1 - '10'::float8) + "
		"'-1'::float8 * (r.n2 - '0'::float8) + CASE WHEN r.c1 IS NULL THEN "
		"'-0.75'::float8 WHEN r.c1 = 'b' THEN '2.25'::float8 ELSE '-0.75'::float8 END) FROM ",
		"a linear predictor");
	/* b in a quarter of the rows: 0.75 * 0.75^2 + 0.25 * 2.25^2 */
	rml_linear_importance(&linear, 0, schema, gain, splits);
	unit_near_array(gain, wanted, 3, 1e-15, "deviations of contributions");
	linear_model(&linear, env, schema, 2);
	expression = begin(env, schema, NULL);
	rml_linear_expression(&linear, 3, expression);
	unit_contains(expression->text, "FROM (VALUES (1, '0'::float8), (2, ('100'::float8 + ",
				  "of several classes the first may have the predictor 0");
	/* coefficients 0, 1, 2 times those above: 0, 1, 2 deviate from their mean by sqrt(2/3) */
	rml_linear_importance(&linear, 3, schema, gain, splits);
	unit_near(gain[1], 8 * sqrt(2.0 / 3), 1e-14, "importance relative to the mean of the classes");
	unit_contains(expression->text, " ORDER BY s.score DESC, s.class LIMIT 1)", "the largest");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_numbers(env);
	test_columns(env);
	test_codes(env);
	test_sums(env);
	test_tree(env);
	test_deep_tree(env);
	test_linear(env);
	unit_env_free(env);
	return unit_done();
}
