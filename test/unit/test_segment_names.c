/*
 * test_segment_names.c
 *	  Names that people can read, and that no two segments share, whatever the profiles.
 */
#include "unit.h"

#include <math.h>

#include "retailml/rng.h"
#include "segments.h"

#define MAX_D 64

/* by no rule at all */
static char **
generic_names(RmlEnv *env, const RmlSegmentProfile *profile)
{
	const RmlSegmentRules none = {0};
	RmlSegmentNames names;

	rml_segment_name_by_rules(&names, env, profile, &none);
	return names.names;
}

static void
equal_names(char *const *names, const char *const *wanted, int k)
{
	for (int i = 0; i < k; i++)
		unit_equal_string(names[i], wanted[i], "%s", wanted[i]);
}

static void
check_names(RmlEnv *env, int k, int m, const char *const *features, const double *z,
			const char *const *wanted)
{
	RmlSegmentProfile profile = profile_of(env, k, m, features, z);

	equal_names(generic_names(env, &profile), wanted, k);
}

static void
test_rfm(RmlEnv *env)
{
	const char *const features[] = {"recency_days", "frequency", "monetary"};
	const double z[] = {
		-0.7, 0.8,  1.2,  /* */
		1.6,  -0.6, -0.5, /* */
		-0.9, 0.1,  0.2,  /* */
		0.1,  -0.2, 0.3,  /* */
		0.2,  1.7,  -1.6, /* */
	};
	const char *const wanted[] = {
		"high monetary, frequent, recent",
		"long lapsed, rare, low monetary",
		"recent",
		"average monetary",
		"very frequent, very low monetary",
	};
	const int32_t ranks[] = {3, 2, 1, 1, 2, 3, 1, 3, 2, 3, 2, 1, 3, 1, 2};
	RmlSegmentProfile profile = profile_of(env, 5, 3, features, z);

	check_names(env, 5, 3, features, z, wanted);
	unit_equal_bytes(profile.ranks, ranks, sizeof(ranks), "ranks by strength");
}

static void
test_words(RmlEnv *env)
{
	const char *const features[] = {"Age", "tenure_months", "avg_basket"};
	const double z[] = {2, 0, 0, 0.5, 0, 0, -0.5, 0, 0, -1.5, 0, 0, 0, 2, 0, 0, -1, 0, 0, 0, 1};
	const char *const wanted[] = {"much older",         "older", "younger",        "much younger",
								  "very long-standing", "new",   "high avg basket"};
	const double ties[] = {1, -1, 1, NAN, 0, -0.0};
	const int32_t ranks[] = {1, 2, 3, 1, 2, 3};
	RmlSegmentProfile profile = profile_of(env, 2, 3, features, ties);

	check_names(env, 7, 3, features, z, wanted);
	unit_equal_bytes(profile.ranks, ranks, sizeof(ranks), "ties rank by position, NaN as 0");
	unit_equal_string(generic_names(env, &profile)[0], "older, new, high avg basket",
					  "and so do names");
	unit_equal_string(generic_names(env, &profile)[1], "average Age", "no telling feature at all");
}

static void
test_boolean(RmlEnv *env)
{
	const char *const features[] = {"is_member", "age", "has_children"};
	const double z[] = {0.6, -1.7, 0, -0.6, 1.7, 0, 0, 0, 0.2};
	const char *const wanted[] = {"much less often age, more often member",
								  "much more often age, less often member",
								  "about as often has children"};
	RmlSegmentProfile profile = profile_of(env, 3, 3, features, z);

	for (int t = 0; t < 3; t++)
		profile.traits[t].kind = RML_BOOLEAN;
	equal_names(generic_names(env, &profile), wanted, 3);
}

/* categories: one word for each column, without its echo, by their own names where these will do */
static void
test_categories(RmlEnv *env)
{
	const char *const features[] = {"", "", "", "", "", "", "", "spend"};
	/* education: PhD, Basic, (missing); partner: no, yes; city: "A", Basic */
	const double z[] = {
		1.6,  -0.7, 0,   -0.6, 0.6,  0,   0,   0.2, /* */
		-0.6, 1.2,  0,   0.9,  -0.9, 0,   0.1, 0.8, /* */
		0,    0,    0.8, 0,    0,    0.7, 0,   0,   /* */
		0,    0.1,  0,   0,    0,    0,   0,   0,   /* */
	};
	const char *const wanted[] = {
		"much more often PhD, more often Partner yes",
		"more often Education Basic, more often Partner no, high spend",
		"more often Education missing, more often city A",
		"about as often Education Basic",
	};
	RmlSegmentProfile profile = profile_of(env, 4, 8, features, z);

	make_category(&profile, 0, "Education", 0, "PhD", -1);
	make_category(&profile, 1, "Education", 0, "Basic", -1);
	make_category(&profile, 2, "Education", 0, RML_MISSING_CATEGORY, -1);
	make_category(&profile, 3, "Partner", 1, "no", 4);
	make_category(&profile, 4, "Partner", 1, "yes", 3);
	make_category(&profile, 5, "city", 2, "A", -1);
	make_category(&profile, 6, "city", 2, "Basic", -1);
	rml_segment_profile_rank(&profile, env);
	equal_names(generic_names(env, &profile), wanted, 4);
	unit_equal_int(profile.ranks[4], 3, "of two categories the one that is more frequent ranks");
	unit_equal_int(profile.ranks[3], 8, "and its echo is last");
}

/* clashes of categories, and categories that read the same */
static void
test_category_clashes(RmlEnv *env)
{
	const char *const features[] = {"", "", "", "", ""};
	/* plan: Free, Gold (two); tag: three */
	const double z[] = {
		-0.6, 0.6,  0,   0,   0,    /* the same word for Gold, more of it in the second */
		-0.9, 0.9,  0,   0,   0,    /* */
		0.1,  -0.1, 0,   0,   -0.2, /* nothing tells them apart but a comparison */
		-0.1, 0.1,  0,   0,   -0.2, /* */
		0,    0,    0.7, 0,   0,    /* */
		0,    0,    0,   0.7, 0,    /* */
	};
	const char *const wanted[] = {
		"more often Gold (lower)",
		"more often Gold (higher)",
		"about as often x y z, higher share of Free",
		"about as often x y z, lower share of Free",
		"more often tag a b (category 1 of column 2)",
		"more often tag a b (category 2 of column 2)",
	};
	RmlSegmentProfile profile = profile_of(env, 6, 5, features, z);

	make_category(&profile, 0, "plan", 0, "Free", 1);
	make_category(&profile, 1, "plan", 0, "Gold", 0);
	make_category(&profile, 2, "tag", 1, "a_b", -1);
	make_category(&profile, 3, "tag", 1, "a b", -1);
	make_category(&profile, 4, "tag", 1, "x, y, z", -1);
	rml_segment_profile_rank(&profile, env);
	equal_names(generic_names(env, &profile), wanted, 6);
}

/* clashes: another word, a comparison by a feature of the name, by another, a number */
static void
test_clashes(RmlEnv *env)
{
	const char *const features[] = {"spend", "visits", "recency", "age"};
	const double z[] = {
		1.0,  1.0,  1.0,  -0.9, /* the same three words, but not the same fourth */
		1.0,  1.0,  1.0,  0.8,  /* */
		-1.2, 0.0,  0.0,  0.0,  /* only spend differs, within its word */
		-0.7, 0.0,  0.0,  0.0,  /* */
		0.0,  -1.0, 0.1,  0.0,  /* recency differs, and has no word in the name */
		0.0,  -1.0, -0.2, 0.0,  /* */
		0.0,  0.0,  -1.0, 0.0,  /* only recency differs, and says itself which way */
		0.0,  0.0,  -1.1, 0.0,  /* */
		0.0,  0.0,  1.0,  0.0,  /* nothing differs */
		0.0,  0.0,  1.0,  0.0,  /* */
	};
	const char *const wanted[] = {
		"high spend, high visits, lapsed, younger",
		"high spend, high visits, lapsed, older",
		"low spend (lower)",
		"low spend (higher)",
		"low visits, higher recency",
		"low visits, lower recency",
		"recent (higher recency)",
		"recent (lower recency)",
		"lapsed (1)",
		"lapsed (2)",
	};
	const double orders[] = {1, 0.75, 0, 0, 0.75, 1, 0, 0};
	const char *const same_words[] = {"high spend (higher), high visits",
									  "high visits, high spend (lower)"};

	check_names(env, 10, 4, features, z, wanted);
	/* the order of words is not a difference that people would see */
	check_names(env, 2, 4, features, orders, same_words);
}

static void
test_one_feature(RmlEnv *env)
{
	const char *const features[] = {"x"};
	const double z[] = {1.9, 1.4, 1.0, 0.6, 0.2, -0.2, -0.3, -0.4, -0.6, -1.0};
	const char *const wanted[] = {"very high x",
								  "high x (highest)",
								  "high x (middle)",
								  "high x (lowest)",
								  "average x (highest)",
								  "average x (second highest)",
								  "average x (second lowest)",
								  "average x (lowest)",
								  "low x (higher)",
								  "low x (lower)"};
	double many[60];
	RmlSegmentProfile profile;
	char **names;

	check_names(env, 10, 1, features, z, wanted);
	for (int i = 0; i < 60; i++)
		many[i] = 1 - i * 0.005;
	profile = profile_of(env, 60, 1, features, many);
	names = generic_names(env, &profile);
	unit_equal_string(names[11], "high x (twelfth highest)", "ordinals are words");
	unit_equal_string(names[12], "high x (13th highest)", "then figures");
	unit_equal_string(names[20], "high x (21st highest)", "with their endings");
	unit_equal_string(names[37], "high x (23rd lowest)", "from both ends");
}

static char *
repeated(RmlEnv *env, const char *text, int count, const char *end)
{
	char *name = rml_strdup(env, "");

	for (int i = 0; i < count; i++)
		name = rml_format(env, "%s%s", name, text);
	return rml_format(env, "%s%s", name, end);
}

static void
test_feature_names(RmlEnv *env)
{
	const char *const long_name = repeated(env, "\xC3\xA4", 40, "");
	const char *const features[] = {"",
									" _ ",
									"a,b",
									"a_b",
									"Annual Income (k$)",
									"\xE5\xA3\xB2\xE4\xB8\x8A_\xC3\xA9t\xC3\xA9",
									long_name,
									repeated(env, "very long ", 1000, "1"),
									repeated(env, "very long ", 1000, "2"),
									repeated(env, "\x80", 100, ""),
									"orders",
									"Frequency"};
	const char *const wanted[] = {
		"high column 1",
		"high column 2",
		"high a b (column 3)",
		"high a b (column 4)",
		"high Annual Income k$",
		"high \xE5\xA3\xB2\xE4\xB8\x8A \xC3\xA9t\xC3\xA9",
		rml_format(env, "high %.60s...", long_name),
		"high very long very long very long very long very long very long... (column 8)",
		"high very long very long very long very long very long very long... (column 9)",
		NULL,
		"high orders",
		"high Frequency"};
	double z[12 * 12] = {0};
	RmlSegmentProfile profile;
	char **names;

	for (int i = 0; i < 12; i++)
		z[i * 13] = 1;
	profile = profile_of(env, 12, 12, features, z);
	names = generic_names(env, &profile);
	for (int i = 0; i < 12; i++)
		if (wanted[i] != NULL)
			unit_equal_string(names[i], wanted[i], "%.60s", wanted[i]);
	unit_ok(strlen(names[9]) < 80, "bytes that are no UTF-8 are cut, too");
}

static bool
all_different(char *const *names, int k)
{
	for (int i = 0; i < k; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(names[i], names[j]) == 0)
			{
				unit_note("both: %s", names[i]);
				return false;
			}
	return true;
}

/* z [k x d] of the same segments in another order: segment i becomes i * step mod k */
static bool
same_when_permuted(RmlEnv *env, int k, int d, const char *const *features, const double *z,
				   char *const *names)
{
	int step = k / 2 + 1;
	double *permuted = RML_NEW(env, double, (size_t) (k * d));
	RmlSegmentProfile other;
	char **other_names;

	/* a step that shares no factor with k visits every segment */
	while (k % 2 == 0 ? step % 2 == 0 || (k % 5 == 0 && step % 5 == 0) : k % step == 0)
		step++;
	for (int i = 0; i < k; i++)
		memcpy(permuted + i * step % k * d, z + i * d, sizeof(double) * (size_t) d);
	other = profile_of(env, k, d, features, permuted);
	other_names = generic_names(env, &other);
	for (int i = 0; i < k; i++)
		if (strcmp(names[i], other_names[i * step % k]) != 0)
		{
			unit_note("%s is %s", names[i], other_names[i * step % k]);
			return false;
		}
	return true;
}

/* "high x (2)" */
static bool
is_numbered(const char *name)
{
	size_t length = strlen(name);

	return length >= 2 && name[length - 1] == ')' && name[length - 2] >= '0' &&
		   name[length - 2] <= '9';
}

/* random profiles of all kinds: coarse ones clash most */
static void
test_random(RmlEnv *env)
{
	const char *features[MAX_D];
	int unique = 0, stable = 0, numbered = 0, runs = 0;

	for (int f = 0; f < MAX_D; f++)
		features[f] = rml_format(env, "f%c%c", 'a' + f / 26, 'a' + f % 26);
	features[1] = "recency";
	features[2] = "frequency";
	for (int run = 0; run < 200; run++, runs++)
	{
		const int ks[] = {2, 10, 50, 50};
		const int ds[] = {1, 2, 3, 5, 20};
		int k = ks[run % 4], d = ds[run % 5];
		double spread = run % 3 == 0 ? 0.3 : 1;
		double *z = RML_NEW(env, double, (size_t) (k * d));
		RmlSegmentProfile profile;
		char **names;

		for (int i = 0; i < k * d; i++)
			z[i] = spread * rml_rng_normal(7, (uint64_t) run, (uint64_t) i);
		/* coarse, but not two segments alike: the first feature keeps its digits */
		for (int i = 0; run % 2 == 0 && i < k * d; i++)
			if (i % d > 0)
				z[i] = round(z[i]);
		profile = profile_of(env, k, d, features, z);
		names = generic_names(env, &profile);
		unique += all_different(names, k);
		for (int i = 0; i < k; i++)
			numbered += is_numbered(names[i]);
		stable += same_when_permuted(env, k, d, features, z, names);
	}
	unit_equal_int(unique, runs, "random profiles: all names differ");
	unit_equal_int(stable, runs, "and do not depend on the order of segments");
	unit_equal_int(numbered, 0, "no number where profiles differ");
}

static void
test_edges(RmlEnv *env)
{
	const char *const features[] = {"x", "y"};
	const double infinite[] = {INFINITY, 0, -INFINITY, 0, 1e308, 0, -1e307, 0};
	const int64_t sizes[] = {10, 30, 20};
	RmlSegmentProfile profile = profile_of(env, 1, 2, features, (const double[]){0, 0});
	char **names = generic_names(env, &profile);

	unit_equal_string(names[0], "average x", "one segment");
	unit_equal_int(profile.ranks[1], 2, "has ranks, too");
	profile = profile_of(env, 0, 2, features, NULL);
	unit_ok(generic_names(env, &profile) != NULL, "no segment");
	profile = profile_of(env, 4, 2, features, infinite);
	unit_ok(all_different(generic_names(env, &profile), 4), "numbers without end");
	profile = profile_of(env, 3, 0, NULL, NULL);
	profile.sizes = sizes;
	names = generic_names(env, &profile);
	unit_equal_string(names[0], "average (3)", "no feature: numbers, by size");
	unit_equal_string(names[1], "average (1)", "no feature: numbers, by size");
	unit_equal_string(names[2], "average (2)", "no feature: numbers, by size");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_rfm(env);
	test_words(env);
	test_boolean(env);
	test_categories(env);
	test_category_clashes(env);
	test_clashes(env);
	test_one_feature(env);
	test_feature_names(env);
	test_random(env);
	test_edges(env);
	unit_env_free(env);
	return unit_done();
}
