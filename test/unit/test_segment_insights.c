/*
 * test_segment_insights.c
 *	  Numbers as people read them, sentences about segments, and levers.
 */
#include "unit.h"

#include <math.h>

#include "retailml/segment_insights.h"
#include "retailml/segment_levers.h"
#include "segments.h"

static void
test_numbers(RmlEnv *env)
{
	static const struct
	{
		double x;
		const char *text;
	} numbers[] = {{0, "0"},
				   {-0.0, "0"},
				   {1, "1"},
				   {-12.346, "-12.35"},
				   {376.04, "376"},
				   {999.96, "1000"},
				   {1203.6, "1204"},
				   {123456789.4, "123456789"},
				   {0.5, "0.5"},
				   {0.012345, "0.01235"},
				   {0.1, "0.1"},
				   {1e-9, "0.000000001"},
				   {1.5e-12, "1.500e-12"},
				   {-2e20, "-2.000e+20"}},
	  shares[] = {{0, "0 %"},       {1, "100 %"},       {0.216, "21.6 %"},
				  {0.5, "50 %"},    {0.0004, "0.04 %"}, {0.99996, "99.996 %"},
				  {0.005, "0.5 %"}, {1.0 / 3, "33.3 %"}};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		unit_equal_string(rml_readable_number(env, numbers[i].x), numbers[i].text, "%g",
						  numbers[i].x);
	for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
		unit_equal_string(rml_readable_percent(env, shares[i].x), shares[i].text, "share %g",
						  shares[i].x);
}

static void
check_insights(RmlEnv *env, const RmlSegmentProfile *profile, int segment,
			   const char *const *sentences, int wanted)
{
	RmlInsight insights[RML_MOST_INSIGHTS];
	int n = rml_segment_insights(env, profile, "Some", segment, insights);

	unit_equal_int(n, wanted, "%d sentences", wanted);
	for (int i = 0; i < n && i < wanted; i++)
		unit_equal_string(insights[i].sentence, sentences[i], "%s", sentences[i]);
}

static void
test_sentences(RmlEnv *env)
{
	const char *const features[] = {"spend", "age", "member", "", "", "", "same", "visits"};
	/* member is a boolean, plan has two categories, city three of which one is not here */
	const double z[] = {
		1.6,  0.05, 0.7,  -0.6, 0.6,  0.55, 0, -0.3, /* */
		-0.8, 0.02, -0.2, 0.6,  -0.6, 0,    0, -0.3, /* */
		-0.8, -0.1, -0.5, 0,    0,    -0.1, 0, 0.6,  /* */
	};
	const char *const first[] = {
		"Some (100 customers, 33.3 %): mean spend is 1.6, far above the 0 of all customers and the "
		"highest of all segments.",
		"Some: member is true for 70 %, well above the 0 % of all customers and the highest of all "
		"segments.",
		"Some: plan is \"gold\" for 60 %, well above the 25 % of all customers and the highest of "
		"all segments.",
		"Some: city is \"Roma\" for 55 %, well above the 25 % of all customers and the highest of "
		"all segments.",
	};
	const char *const second[] = {
		"Some (100 customers, 33.3 %): mean spend is -0.8, well below the 0 of all customers.",
		"Some: plan is \"basic\" for 60 %, well above the 25 % of all customers and the highest of "
		"all segments.",
		"Some: mean visits is -0.3, slightly below the 0 of all customers.",
	};
	RmlSegmentProfile profile = profile_of(env, 3, 8, features, z);

	profile.traits[2].kind = RML_BOOLEAN;
	make_category(&profile, 3, "plan", 3, "basic", 4);
	make_category(&profile, 4, "plan", 3, "gold", 3);
	make_category(&profile, 5, "city", 4, "Roma", -1);
	profile.traits[6].sd = 0;
	rml_segment_profile_rank(&profile, env);
	check_insights(env, &profile, 0, first, 4);
	check_insights(env, &profile, 1, second, 3);
}

static void
test_few(RmlEnv *env)
{
	const char *const features[] = {"x", "y", "z", "u", "v", "w"};
	const double all[] = {6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0};
	RmlSegmentProfile profile = profile_of(env, 2, 6, features, all);
	RmlInsight insights[RML_MOST_INSIGHTS];

	unit_equal_int(rml_segment_insights(env, &profile, "a", 0, insights), 5, "five at most");
	unit_ok(strstr(insights[0].sentence, "of all segments") == NULL, "no superlative of two");
	unit_equal_int(rml_segment_insights(env, &profile, "a", 1, insights), 3, "three at least");
	unit_contains(insights[2].sentence, "close to the 0", "even if there is no difference");
	profile = profile_of(env, 1, 1, features, all);
	unit_equal_int(rml_segment_insights(env, &profile, "a", 0, insights), 1,
				   "as many as there are");
	profile.traits[0].sd = 0;
	unit_equal_int(rml_segment_insights(env, &profile, "a", 0, insights), 0, "nothing to tell");
	profile = profile_of(env, 1, 0, features, all);
	unit_equal_int(rml_segment_insights(env, &profile, "a", 0, insights), 0, "no feature");
}

static void
test_name_levers(RmlEnv *env)
{
	static const char *const names[] = {
		"High Spenders",  "Frequent Shoppers", "Occasional Buyers",   "Value Seekers",
		"Insiders",       "Loyal Customers",   "Potential Loyalists", "Promising",
		"Need Attention", "Price Sensitive",   "Hibernating",         "Churn",
		"Champions",      "Cannot Lose",       "About to Sleep",      "Lost",
		"Promising 2",    "High Spenders 17"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unit_ok(rml_segment_name_lever(env, names[i]) != NULL, "a lever for %s", names[i]);
	unit_equal_string(rml_segment_name_lever(env, "Churn 3"), rml_segment_name_lever(env, "Churn"),
					  "twins have one");
	unit_equal_string(rml_segment_name_lever(env, "Churn3"), NULL, "no twin");
	unit_equal_string(rml_segment_name_lever(env, "recent"), NULL, "not a name of a set");
	unit_equal_string(rml_segment_base_name(env, "12"), "12", "a number is a name");
	unit_equal_string(rml_segment_base_name(env, " 12"), " 12", "with a blank before it too");
	unit_equal_string(rml_segment_base_name(env, "a b 12"), "a b", "the base of a twin");
	unit_equal_string(rml_segment_base_name(env, "a (12)"), "a", "and of a new one");
	unit_equal_string(rml_segment_base_name(env, "a 12)"), "a 12)", "half a number");
	unit_equal_string(rml_segment_base_name(env, ")"), ")", "no number");
}

static void
test_profile_levers(RmlEnv *env)
{
	const char *const roles[] = {"recency", "monetary", "frequency"};
	const double z[] = {0.9, 0.8, 0, 0.9, 0, 0.6, 0.9,  0, 0, -0.9, 0,
						0,   0,   1, 1,   0, 0,   -0.9, 0, 0, 0};
	const char *const fragments[] = {"they were worth it",  "they bought often", "win-back message",
									 "while they remember", "Reward them",       "the next order",
									 "control group"};
	const char *const others[] = {"age", "member", ""};
	const double odd[] = {0.9, 0, 0, 0, 0.8, 0, 0, 0, 0.7, -0.9, 0, 0, 0, 0.1, 0, 0, -0.8, 0};
	const char *const about[] = {
		"Build an offer around their high age, and test",
		"Build a campaign around member, which is true for them more often than",
		"Build a campaign around plan, which is \"gold\" for them more often than",
		"their low age",
		"Ask a few of them",
		"true for them less often"};
	RmlSegmentProfile profile = profile_of(env, 7, 3, roles, z);

	for (int i = 0; i < 7; i++)
		unit_contains(rml_segment_profile_lever(env, &profile, i), fragments[i], "%s",
					  fragments[i]);
	profile = profile_of(env, 6, 3, others, odd);
	profile.traits[1].kind = RML_BOOLEAN;
	make_category(&profile, 2, "plan", 2, "gold", -1);
	for (int i = 0; i < 6; i++)
		unit_contains(rml_segment_profile_lever(env, &profile, i), about[i], "%s", about[i]);
	profile = profile_of(env, 1, 0, others, odd);
	unit_equal_string(rml_segment_profile_lever(env, &profile, 0), rml_segment_any_lever,
					  "no feature");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_numbers(env);
	test_sentences(env);
	test_few(env);
	test_name_levers(env);
	test_profile_levers(env);
	unit_env_free(env);
	return unit_done();
}
