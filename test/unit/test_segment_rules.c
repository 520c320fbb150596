/*
 * test_segment_rules.c
 *	  Rules against the best there are (by enumeration here, and by test/golden/segment_rules.py), and
 *	  that what they say of themselves is true.
 */
#include "unit.h"

#include <math.h>

#include "retailml/rng.h"
#include "retailml/segment_rules.h"

#define MAX_D 16

/* how far below the best conjunction of two conditions the search may stay */
#define MARGIN 0.001

#define STANDARD ((RmlSegmentRulesParams){.max_conditions = 4, .max_values = 5, .min_gain = 0.005})

/* rows with what goes with them; numbers only unless set */
static RmlRuleRows
rows_of(const double *numbers, int64_t n, int d, const int32_t *labels)
{
	static const bool no[MAX_D];

	return (RmlRuleRows){
		.n = n, .d_num = d, .numbers = numbers, .rounded = no, .ignored = no, .labels = labels};
}

static RmlSegmentRulesParams
with_conditions(int conditions, double min_gain)
{
	RmlSegmentRulesParams params = STANDARD;

	params.max_conditions = conditions;
	params.min_gain = min_gain;
	return params;
}

/* ---- what a rule selects, evaluated from its definition */

static bool
holds(const RmlRuleRows *rows, int64_t i, const RmlRuleCondition *c)
{
	double x = c->test <= RML_RULE_UP_TO ? rows->numbers[i * rows->d_num + c->slot] : 0.0;
	int32_t code = c->test <= RML_RULE_UP_TO ? 0 : rows->codes[i * rows->d_cat + c->slot];
	bool listed = false;

	if (c->test == RML_RULE_ABOVE)
		return x > c->bound;
	if (c->test == RML_RULE_UP_TO)
		return x <= c->bound;
	for (int j = 0; j < c->n_codes; j++)
		listed = listed || c->codes[j] == code;
	return c->test == RML_RULE_ONE_OF ? listed : code != 0 && !listed;
}

/* is everything the rule says of itself so? */
static bool
truthful(const RmlRuleRows *rows, const RmlSegmentRule *rule)
{
	int64_t n = 0, hits = 0, size = 0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		bool all = true;

		for (int c = 0; c < rule->n_conditions; c++)
			all = all && holds(rows, i, &rule->conditions[c]);
		n += all;
		hits += all && rows->labels[i] == rule->cluster;
		size += rows->labels[i] == rule->cluster;
	}
	for (int c = 0; c < rule->n_conditions; c++)
		if (rule->conditions[c].test <= RML_RULE_UP_TO &&
			strtod(rule->conditions[c].literal, NULL) != rule->conditions[c].bound)
			return false;
	return rule->n == n && rule->hits == hits && rule->size == size && hits > 0 &&
		   rule->precision == (double) hits / (double) n &&
		   rule->recall == (double) hits / (double) size &&
		   rule->f1 == 2.0 * (double) hits / (double) (n + size);
}

static RmlSegmentRule *
find_rules(RmlEnv *env, RmlSegmentRulesParams params, const RmlRuleRows *rows, int *k)
{
	RmlSegmentRule *rules = rml_segment_rules(env, &params, rows, k);
	bool all = true;

	for (int c = 0; c < *k; c++)
		all = all && truthful(rows, &rules[c]) && rules[c].n_conditions <= params.max_conditions;
	if (!all)
		unit_ok(false, "a rule is not what it says");
	return rules;
}

/* ---- golden */

static double
uniform(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) / 16777216.0;
}

/* the generator of test/golden/segment_rules.py */
static double *
blobs(int64_t n, int d, int k, double spread)
{
	uint32_t state = 1;
	double *x = malloc((size_t) n * d * sizeof(double));
	double *centers = malloc((size_t) k * d * sizeof(double));

	for (int i = 0; i < k * d; i++)
		centers[i] = 10.0 * uniform(&state);
	for (int64_t i = 0; i < n * d; i++)
	{
		double noise = uniform(&state);

		noise += uniform(&state);
		noise += uniform(&state);
		x[i] = centers[i / d % k * d + i % d] + spread * (noise - 1.5);
	}
	free(centers);
	return x;
}

static void
check_golden(RmlEnv *env, const UnitCsv *golden, const char *name, const RmlRuleRows *rows)
{
	RmlSegmentRule *rules[5];
	int k;

	for (int c = 1; c <= 4; c++)
		rules[c] = find_rules(env, with_conditions(c, 0.0), rows, &k);
	for (size_t row = 0; row < golden->rows; row++)
	{
		int cluster = (int) unit_csv_number(golden, row, "cluster");
		double two = unit_csv_number(golden, row, "optimum2");

		if (strcmp(unit_csv_text(golden, row, "name"), name) != 0)
			continue;
		unit_near(rules[1][cluster].f1, unit_csv_number(golden, row, "optimum1"), 1e-12,
				  "%s %d: the best of one condition", name, cluster);
		unit_ok(rules[2][cluster].f1 <= two + 1e-12 && rules[2][cluster].f1 >= two - 1e-3,
				"%s %d: two conditions, %.4f of %.4f", name, cluster, rules[2][cluster].f1, two);
		for (int c = 3; c <= 4; c++)
			unit_ok(rules[c][cluster].f1 >=
						unit_csv_number(golden, row, c == 3 ? "tree3" : "tree4"),
					"%s %d: %d conditions, no leaf of a tree is better", name, cluster, c);
	}
}

static void
test_generated(RmlEnv *env, const UnitCsv *golden, const char *name, int n, int d, int k,
			   double spread)
{
	double *x = blobs(n, d, k, spread);
	int32_t *labels = malloc(sizeof(int32_t) * (size_t) n);
	RmlRuleRows rows = rows_of(x, n, d, labels);

	for (int i = 0; i < n; i++)
		labels[i] = i % k;
	check_golden(env, golden, name, &rows);
	free(x);
	free(labels);
}

static void
test_recorded(RmlEnv *env, const UnitCsv *golden, const char *name, const char *file, size_t d)
{
	UnitCsv *csv = unit_data(file, 12);
	double *x;
	int32_t *labels;
	RmlRuleRows rows;

	if (csv == NULL)
		return;
	x = unit_csv_numbers(csv, csv->names[0], d);
	labels = malloc(sizeof(int32_t) * csv->rows);
	/* classes come in blocks, in the order of their names */
	for (size_t i = 0; i < csv->rows; i++)
		labels[i] = i == 0 ? 0
						   : labels[i - 1] + (strcmp(unit_csv_text(csv, i, "target"),
													 unit_csv_text(csv, i - 1, "target")) != 0);
	rows = rows_of(x, (int64_t) csv->rows, (int) d, labels);
	check_golden(env, golden, name, &rows);
	free(x);
	free(labels);
	unit_csv_free(csv);
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("segment_rules.csv");

	test_generated(env, golden, "near", 400, 4, 5, 4.0);
	test_generated(env, golden, "mixed", 600, 3, 4, 8.0);
	test_recorded(env, golden, "iris", "iris.csv", 4);
	test_recorded(env, golden, "wine", "wine.csv", 13);
	unit_csv_free(golden);
}

/* ---- all conjunctions of at most two conditions, with missing values and categories */

#define SMALL_N 80
#define SMALL_NUMBERS 3
#define SMALL_CATEGORIES 3
#define MOST_CONDITIONS 200

typedef struct Small
{
	double numbers[SMALL_N * SMALL_NUMBERS];
	int32_t codes[SMALL_N];
	int32_t labels[SMALL_N];
	int32_t n_categories;
	RmlRuleRows rows;
} Small;

/* few values each, some missing, a label that has to do with them */
static void
make_small(Small *s, uint64_t seed)
{
	uint64_t draw = 0;

	for (int i = 0; i < SMALL_N; i++)
	{
		double *x = s->numbers + i * SMALL_NUMBERS;
		double noise = rml_rng_uniform(seed, 0, draw++);

		for (int j = 0; j < SMALL_NUMBERS; j++)
		{
			x[j] = (double) rml_rng_below(seed, 0, draw++, 6 + (uint64_t) j * 4) - 3.0;
			if (rml_rng_below(seed, 0, draw++, 10) == 0)
				x[j] = NAN;
		}
		s->codes[i] = (int32_t) rml_rng_below(seed, 0, draw++, SMALL_CATEGORIES + 1);
		s->labels[i] = (x[0] > 0) + (x[1] <= 2 && s->codes[i] < 2);
		if (noise < 0.25)
			s->labels[i] = (int32_t) rml_rng_below(seed, 0, draw++, 4) - 1;
	}
	s->n_categories = SMALL_CATEGORIES;
	s->rows = rows_of(s->numbers, SMALL_N, SMALL_NUMBERS, s->labels);
	s->rows.codes = s->codes;
	s->rows.d_cat = 1;
	s->rows.n_categories = &s->n_categories;
}

/* every condition a rule may have; codes [MOST_CONDITIONS][4] is room for lists */
static int
all_conditions(RmlRuleCondition *all, int32_t (*codes)[SMALL_CATEGORIES + 1])
{
	int n = 0;

	for (int slot = 0; slot < SMALL_NUMBERS; slot++)
		for (int bound = -3; bound < 12; bound++)
			for (RmlRuleTest test = RML_RULE_ABOVE; test <= RML_RULE_UP_TO; test++)
				all[n++] = (RmlRuleCondition){.test = test, .slot = slot, .bound = bound};
	for (RmlRuleTest test = RML_RULE_ONE_OF; test <= RML_RULE_NONE_OF; test++)
		for (int set = 1; set < 1 << (SMALL_CATEGORIES + 1); set++)
		{
			RmlRuleCondition *c = &all[n];

			*c = (RmlRuleCondition){.test = test, .codes = codes[n]};
			for (int code = 0; code <= SMALL_CATEGORIES; code++)
				if (set & 1 << code)
					c->codes[c->n_codes++] = code;
			n++;
		}
	return n;
}

/* a bound beyond all values would only say that there is one, which no rule does */
static bool
excludes_value(const RmlRuleRows *rows, const RmlRuleCondition *c)
{
	if (c->test == RML_RULE_NONE_OF)
		return c->codes[0] != 0;
	for (int64_t i = 0; i < rows->n && c->test <= RML_RULE_UP_TO; i++)
		if (!isnan(rows->numbers[i * rows->d_num + c->slot]) && !holds(rows, i, c))
			return true;
	return c->test == RML_RULE_ONE_OF;
}

static double
best_of_two(const RmlRuleRows *rows, int32_t cluster)
{
	static RmlRuleCondition all[MOST_CONDITIONS];
	static int32_t codes[MOST_CONDITIONS][SMALL_CATEGORIES + 1];
	static bool selected[MOST_CONDITIONS][SMALL_N];
	int n = all_conditions(all, codes);
	double best = 0.0;

	for (int c = 0; c < n; c++)
		for (int i = 0; i < SMALL_N; i++)
			selected[c][i] = excludes_value(rows, &all[c]) && holds(rows, i, &all[c]);
	for (int a = 0; a < n; a++)
		for (int b = a; b < n; b++)
		{
			int selects = 0, hits = 0, size = 0;

			for (int i = 0; i < SMALL_N; i++)
			{
				bool inside = rows->labels[i] == cluster, both = selected[a][i] && selected[b][i];

				selects += both;
				hits += both && inside;
				size += inside;
			}
			best = fmax(best, 2.0 * hits / (selects + size));
		}
	return best;
}

static void
test_all_conjunctions(RmlEnv *env)
{
	static Small small;
	double worst = 0.0, total = 0.0;
	int n = 0, never_better = 0;

	for (uint64_t seed = 1; seed <= 60; seed++)
	{
		RmlSegmentRule *rules;
		int k;

		make_small(&small, seed);
		rules = find_rules(env, with_conditions(2, 0.0), &small.rows, &k);
		for (int c = 0; c < k; c++)
		{
			double missed = best_of_two(&small.rows, rules[c].cluster) - rules[c].f1;

			worst = fmax(worst, missed);
			total += missed;
			never_better += missed >= -1e-12 || rules[c].n_conditions == 0;
			n++;
		}
	}
	unit_equal_int(never_better, n, "no rule of two conditions is better than the best");
	unit_ok(worst <= MARGIN, "the best is missed by %.4f at most, %.5f on average", worst,
			total / n);
}

/* ---- planted rules */

static void
test_planted(RmlEnv *env)
{
	enum
	{
		N = 3000
	};
	static double x[N * 3];
	static int32_t labels[N];
	RmlRuleRows rows = rows_of(x, N, 3, labels);
	RmlSegmentRule *rules;
	int k;

	for (int i = 0; i < N; i++)
	{
		for (int j = 0; j < 3; j++)
			x[i * 3 + j] = floor(100.0 * rml_rng_uniform(7, (uint64_t) j, (uint64_t) i));
		labels[i] = x[i * 3] > 40 && x[i * 3] <= 70 && x[i * 3 + 2] <= 20 ? 5 : 2;
	}
	rules = find_rules(env, STANDARD, &rows, &k);
	unit_equal_int(k, 2, "a rule for each label");
	unit_equal_int(rules[0].cluster, 2, "by number");
	unit_ok(rules[1].f1 == 1.0 && rules[1].n_conditions == 3, "the planted rule is found");
	unit_equal_string(rules[1].conditions[0].literal, "40", "x > 40");
	unit_equal_string(rules[1].conditions[1].literal, "70", "x <= 70");
	unit_equal_string(rules[1].conditions[2].literal, "20", "z <= 20");
}

/* many more rows than the search looks at, and a cluster of fifty in a tail */
static void
test_rare(RmlEnv *env)
{
	enum
	{
		N = 300000,
		D = 3
	};
	double *x = malloc(sizeof(double) * N * D);
	int32_t *labels = malloc(sizeof(int32_t) * N);
	RmlRuleRows rows = rows_of(x, N, D, labels);
	RmlSegmentRule *rules;
	int k;

	for (int i = 0; i < N; i++)
	{
		for (int j = 0; j < D; j++)
			x[i * D + j] = rml_rng_normal(3, (uint64_t) j, (uint64_t) i);
		labels[i] = x[i * D + 1] > 1;
	}
	for (int i = 0; i < 50; i++)
	{
		x[i * 6001 * D + 1] = 2.5 + i * 0.001;
		labels[i * 6001 % N] = 9;
	}
	for (int i = 0; i < N; i++)
		if (labels[i] != 9 && x[i * D + 1] > 2.4 && x[i * D + 1] < 2.6)
			x[i * D + 1] = 2;
	rules = find_rules(env, with_conditions(2, 0.0), &rows, &k);
	unit_equal_int(k, 3, "three clusters");
	unit_ok(rules[0].f1 == 1.0, "x <= 1 of 300000 rows, exactly");
	unit_ok(rules[2].f1 == 1.0 && rules[2].n == 50, "fifty rows of 300000 are told apart");
	free(x);
	free(labels);
}

/* categories: more than there are bins, a list, missing ones */
static void
test_categories(RmlEnv *env)
{
	enum
	{
		N = 20000,
		CATEGORIES = 900
	};
	static int32_t codes[N], labels[N], n_categories = CATEGORIES;
	RmlRuleRows rows = rows_of(NULL, N, 0, labels);
	const int32_t wanted[] = {0, 100, 777}, unwanted[] = {5, 6};
	RmlSegmentRule *rules;
	int k;

	rows.codes = codes;
	rows.d_cat = 1;
	rows.n_categories = &n_categories;
	for (int i = 0; i < N; i++)
	{
		codes[i] = (int32_t) rml_rng_below(1, 0, (uint64_t) i, CATEGORIES + 1);
		labels[i] = codes[i] == 0 || codes[i] == 100 || codes[i] == 777;
	}
	rules = find_rules(env, STANDARD, &rows, &k);
	unit_ok(rules[1].f1 == 1.0 && rules[1].conditions[0].test == RML_RULE_ONE_OF &&
				rules[1].conditions[0].n_codes == 3,
			"a list of three");
	unit_equal_bytes(rules[1].conditions[0].codes, wanted, sizeof wanted, "with missing in it");
	for (int i = 0; i < N; i++)
		labels[i] = codes[i] != 0 && codes[i] != 5 && codes[i] != 6;
	rules = find_rules(env, with_conditions(1, 0.0), &rows, &k);
	unit_ok(rules[1].f1 == 1.0 && rules[1].conditions[0].test == RML_RULE_NONE_OF, "none of two");
	unit_equal_bytes(rules[1].conditions[0].codes, unwanted, sizeof unwanted, "these");
}

/* ---- odd input */

static void
test_edges(RmlEnv *env)
{
	const double x[] = {1, NAN, 2, NAN, 3, NAN, 7, 7, 8, 7, 9, NAN};
	const int32_t labels[] = {1, 1, 1, -1, -1, 2};
	const int32_t noise[] = {-1, -1, -1, -1, -1, -1};
	const int32_t same[] = {4, 4, 4, 4, 4, 4};
	RmlRuleRows rows = rows_of(x, 6, 2, labels);
	RmlSegmentRule *rules;
	const bool first[] = {true, false};
	int k;

	rules = find_rules(env, STANDARD, &rows, &k);
	unit_equal_int(k, 2, "noise is no cluster");
	unit_ok(rules[0].f1 == 1.0 && strcmp(rules[0].conditions[0].literal, "5") == 0, "x <= 5");
	unit_ok(rules[1].f1 == 1.0 && rules[1].size == 1, "a cluster of one row");
	rows.ignored = first;
	rules = find_rules(env, STANDARD, &rows, &k);
	unit_ok(rules[0].n_conditions == 0 && rules[0].n == 6 && rules[0].recall == 1.0,
			"where nothing tells a cluster apart, its rule selects everything");
	rows = rows_of(x, 6, 2, noise);
	find_rules(env, STANDARD, &rows, &k);
	unit_equal_int(k, 0, "noise alone has no rules");
	rows = rows_of(x, 6, 2, same);
	rules = find_rules(env, STANDARD, &rows, &k);
	unit_ok(k == 1 && rules[0].n_conditions == 0 && rules[0].f1 == 1.0, "one cluster is all rows");
	rows = rows_of(x, 1, 2, same);
	rules = find_rules(env, STANDARD, &rows, &k);
	unit_ok(k == 1 && rules[0].n_conditions == 0 && rules[0].n == 1, "one row");
	rows = rows_of(NULL, 6, 0, labels);
	rules = find_rules(env, STANDARD, &rows, &k);
	unit_ok(k == 2 && rules[1].n == 6, "no columns");
}

static void
test_label_column(RmlEnv *env)
{
	const double x[] = {1, 1, 2, 1, 3, 1, 1, 1};
	const int32_t labels[] = {1, 2, 3, 1}, ones[] = {1, 1, 1, 1};
	RmlRuleRows rows = rows_of(x, 4, 2, labels);

	unit_ok(rml_segment_rules_is_label(env, &rows, 0), "a column that is the label");
	unit_ok(!rml_segment_rules_is_label(env, &rows, 1), "one that is not");
	rows.labels = ones;
	unit_ok(!rml_segment_rules_is_label(env, &rows, 1), "with a single label none is");
}

static void
test_too_many(RmlEnv *env)
{
	enum
	{
		N = RML_RULE_CLUSTERS + 2
	};
	static double x[N];
	static int32_t labels[N];
	RmlRuleRows rows = rows_of(x, N, 1, labels);

	for (int i = 0; i < N; i++)
		labels[i] = i - 1;
	unit_equal_string(rml_segment_rules_check(env, &rows),
					  "the labels are 1001 different numbers, rules are made for 1000 at most",
					  "too many clusters");
	labels[5] = 3;
	unit_equal_string(rml_segment_rules_check(env, &rows), NULL, "not too many");
}

/* what stands behind float8 values that were rounded must be parted too */
static void
test_rounded(RmlEnv *env)
{
	const double big = 9007199254740992.0; /* 2^53: the next float8 is 2 more */
	const double x[] = {big, big, big + 2, big + 2, big + 8, big + 8, 1, 2, 2, 3, 1, 1};
	const int32_t labels[] = {1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1};
	const bool yes[] = {true};
	RmlRuleRows rows = rows_of(x, 6, 1, labels);
	RmlSegmentRule *rules;
	int k;

	rows.rounded = yes;
	rules = find_rules(env, STANDARD, &rows, &k);
	unit_ok(rules[1].f1 == 1.0 && rules[1].conditions[0].bound > big + 2 &&
				rules[1].conditions[0].bound < big + 8,
			"strictly between the neighbours");
	rows = rows_of(x, 4, 1, (const int32_t[]){1, 1, 2, 2});
	rows.rounded = yes;
	rules = find_rules(env, STANDARD, &rows, &k);
	unit_ok(rules[0].n_conditions == 0 && rules[1].n_conditions == 0,
			"neighbours among the float8 are not parted");
	rows.rounded = rows_of(x, 4, 1, labels).rounded;
	rules = find_rules(env, STANDARD, &rows, &k);
	unit_ok(rules[0].f1 == 1.0 && rules[1].f1 == 1.0, "exact ones are");
}

/* ---- decimals */

static void
check_decimal(RmlEnv *env, double low, double high, const char *wanted)
{
	double value;
	char *text = rml_short_decimal(env, low, high, &value);

	unit_equal_string(text, wanted, "[%.17g, %.17g]", low, high);
	if (value < low || value > high || strtod(text, NULL) != value)
		unit_ok(false, "%s is on the interval", text);
}

static void
test_decimals(RmlEnv *env)
{
	double value;
	int good = 0;

	check_decimal(env, 89.73, 91.2, "90");
	check_decimal(env, 2, 2.999, "2");
	check_decimal(env, 10, 999, "500");
	check_decimal(env, -3, 5, "0");
	check_decimal(env, 0, 7, "0");
	check_decimal(env, -7, -6.5, "-7");
	check_decimal(env, 0.1, 0.1, "0.1");
	check_decimal(env, 0.12, 0.124, "0.12");
	check_decimal(env, 1.0 / 3, nextafter(1.0 / 3, 1), "0.3333333333333333");
	check_decimal(env, 9007199254740993.0, 9007199254740994.0, "9007199254740992");
	check_decimal(env, 1e300, 1.5e300, "1e+300");
	check_decimal(env, 3e-7, 3.4e-7, "3e-07");
	check_decimal(env, 5e-324, 5e-324, "5e-324");
	check_decimal(env, 1.7976931348623157e308, 1.7976931348623157e308, "1.7976931348623157e+308");
	for (uint64_t i = 0; i < 20000; i++)
	{
		uint64_t bits = rml_rng_u64(1, 0, i);
		double low, high;

		memcpy(&low, &bits, sizeof low);
		if (!isfinite(low))
			continue;
		high = i % 3 == 0 ? low : low + fabs(low) * rml_rng_uniform(1, 1, i) * 1e-3;
		rml_short_decimal(env, low, high, &value);
		good += !(value >= low && value <= high);
	}
	unit_equal_int(good, 0, "always on the interval");
}

/* ---- promises */

static void
test_threads_and_memory(void)
{
	enum
	{
		N = 30000,
		D = 5,
		K = 4
	};
	double *x = blobs(N, D, K, 9.0);
	int32_t *labels = malloc(sizeof(int32_t) * N);
	RmlRuleRows rows = rows_of(x, N, D, labels);
	RmlEnv *one = unit_env(1), *two = unit_env(2);
	RmlSegmentRule *a, *b;
	size_t bytes = rml_segment_rules_bytes(N, D, 0, 2);
	bool same = true;
	int k;

	for (int i = 0; i < N; i++)
		labels[i] = i % K;
	a = find_rules(one, STANDARD, &rows, &k);
	b = find_rules(two, STANDARD, &rows, &k);
	for (int c = 0; c < k; c++)
	{
		same = same && a[c].n == b[c].n && a[c].n_conditions == b[c].n_conditions;
		for (int i = 0; same && i < a[c].n_conditions; i++)
			same = strcmp(a[c].conditions[i].literal, b[c].conditions[i].literal) == 0 &&
				   a[c].conditions[i].slot == b[c].conditions[i].slot;
	}
	unit_ok(same, "the same rules for one thread and two");
	unit_ok(unit_env_peak(two) <= bytes, "peak %zu is at most the announced %zu",
			unit_env_peak(two), bytes);
	unit_env_reset(two);
	unit_env_cancel_after(two, 40);
	unit_ok(UNIT_ESCAPES(two, find_rules(two, STANDARD, &rows, &k)), "cancelled");
	unit_env_free(one);
	unit_env_free(two);
	free(x);
	free(labels);
}

int
main(void)
{
	RmlEnv *env = unit_env(2);

	test_golden(env);
	test_all_conjunctions(env);
	test_planted(env);
	test_rare(env);
	test_categories(env);
	test_edges(env);
	test_label_column(env);
	test_too_many(env);
	test_rounded(env);
	test_decimals(env);
	unit_env_free(env);
	test_threads_and_memory();
	return unit_done();
}
