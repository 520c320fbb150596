/*
 * test_segment_profile.c
 *	  Names that people can read, and that no two segments share, whatever the profiles.
 */
#include "unit.h"

#include <math.h>

#include "retailml/rng.h"
#include "retailml/segment_profile.h"

#define MAX_D 64

/* a profile of numeric features, all segments of the same size */
static RmlSegmentProfile
profile_of(RmlEnv *env, int k, int d, const char *const *features, const double *z)
{
	RmlKind *kinds = RML_NEW(env, RmlKind, (size_t) d);
	int64_t *sizes = RML_NEW(env, int64_t, (size_t) k);
	RmlSegmentProfile profile;

	for (int f = 0; f < d; f++)
		kinds[f] = RML_NUMERIC;
	for (int i = 0; i < k; i++)
		sizes[i] = 100;
	rml_segment_profile(env, k, d, (char *const *) features, kinds, z, sizes, &profile);
	return profile;
}

static void
check_names(RmlEnv *env, int k, int d, const char *const *features, const double *z,
			const char *const *wanted)
{
	RmlSegmentProfile profile = profile_of(env, k, d, features, z);

	for (int i = 0; i < k; i++)
		unit_equal_string(profile.names[i], wanted[i], "%s", wanted[i]);
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
	unit_equal_string(profile.names[0], "older, new, high avg basket", "and so do names");
	unit_equal_string(profile.names[1], "average Age", "no telling feature at all");
}

static void
test_boolean(RmlEnv *env)
{
	char *const features[] = {"is_member", "age", "has_children"};
	const RmlKind kinds[] = {RML_BOOLEAN, RML_BOOLEAN, RML_BOOLEAN};
	const double z[] = {0.6, -1.7, 0, -0.6, 1.7, 0, 0, 0, 0.2};
	const int64_t sizes[] = {1, 1, 1};
	RmlSegmentProfile profile;

	rml_segment_profile(env, 3, 3, features, kinds, z, sizes, &profile);
	unit_equal_string(profile.names[0], "much less often age, more often member", "booleans");
	unit_equal_string(profile.names[1], "much more often age, less often member", "booleans");
	unit_equal_string(profile.names[2], "as often has children", "an average boolean");
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

	check_names(env, 10, 1, features, z, wanted);
	for (int i = 0; i < 60; i++)
		many[i] = 1 - i * 0.005;
	profile = profile_of(env, 60, 1, features, many);
	unit_equal_string(profile.names[11], "high x (twelfth highest)", "ordinals are words");
	unit_equal_string(profile.names[12], "high x (13th highest)", "then figures");
	unit_equal_string(profile.names[20], "high x (21st highest)", "with their endings");
	unit_equal_string(profile.names[37], "high x (23rd lowest)", "from both ends");
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

	for (int i = 0; i < 12; i++)
		z[i * 13] = 1;
	profile = profile_of(env, 12, 12, features, z);
	for (int i = 0; i < 12; i++)
		if (wanted[i] != NULL)
			unit_equal_string(profile.names[i], wanted[i], "%.60s", wanted[i]);
	unit_ok(strlen(profile.names[9]) < 80, "bytes that are no UTF-8 are cut, too");
}

static bool
all_different(const RmlSegmentProfile *profile, int k)
{
	for (int i = 0; i < k; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(profile->names[i], profile->names[j]) == 0)
			{
				unit_note("both: %s", profile->names[i]);
				return false;
			}
	return true;
}

/* z [k x d] of the same segments in another order: segment i becomes i * step mod k */
static bool
same_when_permuted(RmlEnv *env, int k, int d, const char *const *features, const double *z,
				   const RmlSegmentProfile *profile)
{
	int step = k / 2 + 1;
	double *permuted = RML_NEW(env, double, (size_t) (k * d));
	RmlSegmentProfile other;

	/* a step that shares no factor with k visits every segment */
	while (k % 2 == 0 ? step % 2 == 0 || (k % 5 == 0 && step % 5 == 0) : k % step == 0)
		step++;
	for (int i = 0; i < k; i++)
		memcpy(permuted + i * step % k * d, z + i * d, sizeof(double) * (size_t) d);
	other = profile_of(env, k, d, features, permuted);
	for (int i = 0; i < k; i++)
		if (strcmp(profile->names[i], other.names[i * step % k]) != 0)
		{
			unit_note("%s is %s", profile->names[i], other.names[i * step % k]);
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

		for (int i = 0; i < k * d; i++)
			z[i] = spread * rml_rng_normal(7, (uint64_t) run, (uint64_t) i);
		/* coarse, but not two segments alike: the first feature keeps its digits */
		for (int i = 0; run % 2 == 0 && i < k * d; i++)
			if (i % d > 0)
				z[i] = round(z[i]);
		profile = profile_of(env, k, d, features, z);
		unique += all_different(&profile, k);
		for (int i = 0; i < k; i++)
			numbered += is_numbered(profile.names[i]);
		stable += same_when_permuted(env, k, d, features, z, &profile);
	}
	unit_equal_int(unique, runs, "random profiles: all names differ");
	unit_equal_int(stable, runs, "and do not depend on the order of segments");
	unit_equal_int(numbered, 0, "no number where profiles differ");
}

static void
test_edges(RmlEnv *env)
{
	const char *const features[] = {"x", "y"};
	const double infinite[] = {INFINITY, 0, -INFINITY, 0, 1e308, 0, -1e308, 0};
	const int64_t sizes[] = {10, 30, 20};
	char *const none[] = {NULL};
	RmlSegmentProfile profile = profile_of(env, 1, 2, features, (const double[]){0, 0});

	unit_equal_string(profile.names[0], "average x", "one segment");
	unit_equal_int(profile.ranks[1], 2, "has ranks, too");
	profile = profile_of(env, 0, 2, features, NULL);
	unit_ok(profile.names != NULL, "no segment");
	profile = profile_of(env, 4, 2, features, infinite);
	unit_ok(all_different(&profile, 4), "numbers without end");
	rml_segment_profile(env, 3, 0, none, NULL, NULL, sizes, &profile);
	unit_equal_string(profile.names[0], "average (3)", "no feature: numbers, by size");
	unit_equal_string(profile.names[1], "average (1)", "no feature: numbers, by size");
	unit_equal_string(profile.names[2], "average (2)", "no feature: numbers, by size");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_rfm(env);
	test_words(env);
	test_boolean(env);
	test_clashes(env);
	test_one_feature(env);
	test_feature_names(env);
	test_random(env);
	test_edges(env);
	unit_env_free(env);
	return unit_done();
}
