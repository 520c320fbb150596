/*
 * test_segment_sets.c
 *	  Names by rules: the built-in sets, rules of the user's own, twins, fixed names, reasons.
 */
#include "unit.h"

#include <math.h>

#include "retailml/rng.h"
#include "segments.h"

static void
equal_names(const RmlSegmentNames *names, const char *const *wanted, int k)
{
	for (int i = 0; i < k; i++)
		unit_equal_string(names->names[i], wanted[i], "%s", wanted[i]);
}

/* names by a set, roles by the names of features */
static RmlSegmentNames
by_set(RmlEnv *env, const RmlSegmentProfile *profile, RmlSegmentSet set)
{
	int32_t roles[RML_ROLES];
	RmlSegmentRules rules;
	RmlSegmentNames names;

	rml_segment_roles(profile, roles);
	rml_segment_set_rules(&rules, env, set, roles);
	rml_segment_name_by_rules(&names, env, profile, &rules);
	return names;
}

static void
test_purchase(RmlEnv *env)
{
	const char *const features[] = {"total_spend", "orders", "avg_item_price"};
	/* the four archetypes, a second high spender, and one like all others */
	const double z[] = {
		1.4,  -0.2, 1.5,  /* */
		0.3,  1.6,  -0.7, /* */
		-0.9, -1.0, 0.1,  /* */
		-0.8, -0.4, -1.0, /* */
		0.8,  0.2,  0.9,  /* */
		0.1,  0.0,  0.1,  /* */
	};
	const char *const wanted[] = {
		"High Spenders", "Frequent Shoppers", "Occasional Buyers",
		"Value Seekers", "High Spenders 2",   "average total spend",
	};
	RmlSegmentProfile profile = profile_of(env, 6, 3, features, z);
	RmlSegmentNames names = by_set(env, &profile, RML_SET_PURCHASE);

	equal_names(&names, wanted, 6);
	/* who both spends and comes often is a high spender, unless a higher one is there */
	profile =
		profile_of(env, 3, 3, features, (const double[]){2, 1.5, 0, 0.8, 0.9, 0, -0.9, -1, 0});
	names = by_set(env, &profile, RML_SET_PURCHASE);
	equal_names(&names,
				(const char *const[]){"High Spenders", "Frequent Shoppers", "Occasional Buyers"},
				3);
	/* without a price per item: low spend without rare orders */
	profile = profile_of(env, 2, 2, features, (const double[]){-0.6, 0.1, -0.6, -0.9});
	names = by_set(env, &profile, RML_SET_PURCHASE);
	equal_names(&names, (const char *const[]){"Value Seekers", "Occasional Buyers"}, 2);
}

static void
test_loyalty(RmlEnv *env)
{
	const char *const features[] = {"ln_recency", "frequency", "Monetary", "num_deals"};
	const double z[] = {
		-0.8, 1.4,  1.2,  0,   /* */
		-0.3, 0.7,  0.3,  0,   /* */
		-0.6, 0.0,  0.1,  0,   /* */
		-0.9, -0.8, -0.7, 0,   /* */
		0.6,  0.4,  0.5,  0,   /* */
		0.1,  -0.1, -0.3, 1.1, /* */
		0.7,  -0.6, -0.5, 0,   /* */
		1.9,  -1.0, -0.9, 0,   /* */
		-0.5, -0.5, -0.6, 0,   /* */
	};
	const char *const wanted[] = {"Insiders",    "Loyal Customers", "Potential Loyalists",
								  "Promising",   "Need Attention",  "Price Sensitive",
								  "Hibernating", "Churn",           "Promising 2"};
	const double two[] = {1.6, 1.2, 0.6, 0.1, 0.1, 0.2, -0.3, 0.4, -0.3, -0.6, -0.6, -0.5, -1, -1};
	const char *const without_recency[] = {"Insiders",  "Loyal Customers", "Potential Loyalists",
										   "Promising", "Need Attention",  "Hibernating",
										   "Churn"};
	RmlSegmentProfile profile = profile_of(env, 9, 4, features, z);
	RmlSegmentNames names = by_set(env, &profile, RML_SET_LOYALTY);

	equal_names(&names, wanted, 9);
	profile = profile_of(env, 7, 2, features + 1, two);
	names = by_set(env, &profile, RML_SET_LOYALTY);
	equal_names(&names, without_recency, 7);
}

static void
test_roles(RmlEnv *env)
{
	const char *const features[] = {"Number of Orders", "log_TotalSpent", "Days since last order",
									"revenue", "AOV"};
	const char *const others[] = {"orders", "age"};
	const double z[5] = {0};
	const int32_t wanted[] = {1, 0, 4, 2, -1};
	int32_t roles[RML_ROLES];
	RmlSegmentProfile profile = profile_of(env, 1, 5, features, z);

	rml_segment_roles(&profile, roles);
	unit_equal_bytes(roles, wanted, sizeof wanted,
					 "roles by synonyms, the first of the list first");
	unit_equal_int(rml_segment_set_lacks(RML_SET_PURCHASE, roles), RML_ROLES, "nothing is lacking");
	profile.traits[1].kind = RML_BOOLEAN;
	rml_segment_roles(&profile, roles);
	unit_equal_int(roles[RML_ROLE_SPEND], 3, "only numbers play a role");
	profile = profile_of(env, 1, 2, others, z);
	rml_segment_roles(&profile, roles);
	unit_equal_int(rml_segment_set_lacks(RML_SET_LOYALTY, roles), RML_ROLE_SPEND, "spend lacks");
	unit_equal_int(rml_segment_set_lacks(RML_SET_GENERIC, roles), RML_ROLES, "generic needs none");
}

/* ---- rules of the user's own */

static const RmlSegmentCondition anything = {
	.min_z = -INFINITY, .max_z = INFINITY, .min_mean = -INFINITY, .max_mean = INFINITY};

static RmlSegmentCondition
word(int trait, const char *text, double weight)
{
	RmlSegmentCondition condition = anything;

	condition.trait = trait;
	condition.weight = weight;
	if (!rml_segment_condition_word(&condition, text))
		condition.min_z = NAN;
	return condition;
}

static void
test_words(RmlEnv *env)
{
	const char *const features[] = {"x"};
	const double z[] = {-1.5, -0.5, -0.1, 0, 0.5, 1.5};
	/* segments that each word fits, as bits; derived by hand from the bounds */
	const int fitting[] = {1, 3, 15, 30, 56, 48, 32};
	RmlSegmentProfile profile = profile_of(env, 6, 1, features, z);
	int i;

	for (i = 0; rml_segment_condition_words(i) != NULL; i++)
	{
		RmlSegmentCondition condition = word(0, rml_segment_condition_words(i), 1);
		RmlSegmentRule rule = {.name = "fits", .n_conditions = 1, .conditions = &condition};
		const RmlSegmentRules rules = {.n = 1, .rules = &rule};
		RmlSegmentNames names;
		int bits = 0;

		rml_segment_name_by_rules(&names, env, &profile, &rules);
		for (int c = 0; c < 6; c++)
			bits |= (names.rules[c] != NULL) << c;
		unit_equal_int(bits, fitting[i], "%s", rml_segment_condition_words(i));
	}
	unit_equal_int(i, 7, "all words");
	unit_ok(!rml_segment_condition_word(&(RmlSegmentCondition){0}, "higher"), "no such word");
}

static void
test_own_rules(RmlEnv *env)
{
	const char *const features[] = {"x", "y"};
	const double z[] = {1, 1, 2, -1, 0.6, 0, -1, 0, 0, 0, -2, 0};
	RmlSegmentCondition high = word(0, "high", 1), low = word(1, "low", -1), mean = anything;
	RmlSegmentRule rules[] = {
		{.name = "VIP 2", .n_conditions = 2, .conditions = (RmlSegmentCondition[]){high, low}},
		{.name = "VIP", .n_conditions = 1, .conditions = &high},
		{.name = "below", .n_conditions = 1, .conditions = &mean},
	};
	RmlSegmentRules all = {.n = 3, .rules = rules};
	RmlSegmentNames names;
	RmlSegmentProfile profile = profile_of(env, 6, 2, features, z);

	mean.max_mean = -1;
	mean.weight = -1;
	rml_segment_name_by_rules(&names, env, &profile, &all);
	equal_names(&names,
				(const char *const[]){"VIP", "VIP 2", "VIP 3", "below 2", "average x", "below"}, 6);
	unit_ok(names.rules[4] == NULL, "no rule for the average");
	rules[2] = (RmlSegmentRule){.name = "rest"};
	rml_segment_name_by_rules(&names, env, &profile, &all);
	unit_equal_string(names.names[4], "rest", "a rule without conditions fits all");
	unit_equal_string(rml_segment_reason(env, &profile, &names, 4), "The rule fits every segment.",
					  "as its reason says");
	unit_equal_string(rml_segment_reason(env, &profile, &names, 1),
					  "The rule fits: mean x is 2 against 0 overall (z = 2.00); mean y is -1 "
					  "against 0 overall (z = -1.00).",
					  "a reason has the numbers");
	all.n = 0;
	rml_segment_name_by_rules(&names, env, &profile, &all);
	unit_equal_string(rml_segment_reason(env, &profile, &names, 1),
					  "Most telling: mean x is 2 against 0 overall (z = 2.00); mean y is -1 "
					  "against 0 overall (z = -1.00).",
					  "of a generic name too");
}

static void
test_effective(RmlEnv *env)
{
	const char *const features[] = {"monetary", "frequency", "recency"};
	const double z[] = {1, 0, 0, -1, -1, 1};
	char *fixed[] = {(char *) "VIP", (char *) "rest"};
	RmlSegmentIds ids = {.names = NULL};
	RmlSegmentNames names;
	RmlSegmentProfile profile = profile_of(env, 2, 3, features, z);

	rml_segment_name(&names, env, &profile, &ids);
	equal_names(&names, (const char *const[]){"High Spenders", "Occasional Buyers"}, 2);
	ids.names = fixed;
	rml_segment_name(&names, env, &profile, &ids);
	equal_names(&names, (const char *const[]){"VIP", "rest"}, 2);
	unit_contains(rml_segment_reason(env, &profile, &names, 0),
				  "The name is fixed in the model; most telling: mean monetary is 1",
				  "a fixed name and what is telling");
	ids.names = NULL;
	profile = profile_of(env, 2, 2, features + 1, (const double[]){1, 0, -1, 1});
	rml_segment_name(&names, env, &profile, &ids);
	equal_names(&names, (const char *const[]){"frequent", "rare, lapsed"}, 2);
}

/* ---- properties */

static bool
good_names(char *const *names, int k)
{
	for (int i = 0; i < k; i++)
	{
		if (strlen(names[i]) > RML_SEGMENT_NAME_MAX || names[i][0] == '\0')
			return false;
		for (int j = 0; j < i; j++)
			if (strcmp(names[i], names[j]) == 0)
			{
				unit_note("both: %s", names[i]);
				return false;
			}
	}
	return true;
}

/* names of the same segments in reverse order */
static bool
same_when_reversed(RmlEnv *env, int k, int m, const char *const *features, const double *z,
				   RmlSegmentSet set, char *const *names)
{
	double *reversed = RML_NEW(env, double, (size_t) (k * m));
	RmlSegmentProfile profile;
	RmlSegmentNames other;

	for (int i = 0; i < k; i++)
		memcpy(reversed + i * m, z + (k - 1 - i) * m, sizeof(double) * (size_t) m);
	profile = profile_of(env, k, m, features, reversed);
	other = by_set(env, &profile, set);
	for (int i = 0; i < k; i++)
		if (strcmp(names[i], other.names[k - 1 - i]) != 0)
			return false;
	return true;
}

static void
test_random(RmlEnv *env)
{
	const char *features[] = {"monetary", "frequency", "recency", "avg_price", "deals", ""};
	char *long_name = RML_NEW(env, char, 3000);
	int good = 0, stable = 0, runs = 0;

	memset(long_name, 'x', 2999);
	long_name[2999] = '\0';
	features[5] = long_name;
	for (int run = 0; run < 120; run++, runs++)
	{
		const int ks[] = {1, 4, 9, 40};
		int k = ks[run % 4], m = 2 + run % 5;
		RmlSegmentSet set = (RmlSegmentSet) (run % 3);
		double *z = RML_NEW(env, double, (size_t) (k * m));
		RmlSegmentProfile profile;
		RmlSegmentNames names;

		for (int i = 0; i < k * m; i++)
			z[i] = rml_rng_normal(11, (uint64_t) run, (uint64_t) i);
		profile = profile_of(env, k, m, features, z);
		names = by_set(env, &profile, set);
		good += good_names(names.names, k);
		stable += same_when_reversed(env, k, m, features, z, set, names.names);
	}
	unit_equal_int(good, runs, "random profiles: names differ, and a model can hold them");
	unit_equal_int(stable, runs, "and do not depend on the order of segments");
}

/* names longer than a model holds are cut between characters, and still differ */
static void
test_long_names(RmlEnv *env)
{
	const char *features[20];
	double z[3 * 20];
	RmlSegmentProfile profile;
	RmlSegmentNames names;
	const char *end;

	for (int t = 0; t < 20; t++)
		features[t] = rml_format(env,
								 "%c \xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
								 "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
								 "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4",
								 'a' + t);
	for (int i = 0; i < 60; i++)
		z[i] = i % 20 < 4 ? 1 + i % 20 * 0.01 : 0.001 * i;
	profile = profile_of(env, 3, 20, features, z);
	names = by_set(env, &profile, RML_SET_GENERIC);
	unit_ok(good_names(names.names, 3), "long names differ");
	end = strstr(names.names[0], "...");
	unit_ok(end != NULL && strlen(names.names[0]) > 170 && ((unsigned char) end[-1] & 0xC0) == 0x80,
			"and are cut after a character");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_purchase(env);
	test_loyalty(env);
	test_roles(env);
	test_words(env);
	test_own_rules(env);
	test_effective(env);
	test_random(env);
	test_long_names(env);
	unit_env_free(env);
	return unit_done();
}
