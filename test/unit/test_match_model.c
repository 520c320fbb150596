/*
 * test_match_model.c
 *	  Distances by hand, who continues whom, numbers and names along a chain of models.
 */
#include "unit.h"

#include <math.h>

#include "retailml/match_model.h"

#define MAX_FEATURES 4

/* a model made by hand: what match_model sees of it */
typedef struct Made
{
	RmlFeature features[MAX_FEATURES];
	RmlSchema schema;
	RmlSegmentIds ids;
	RmlClusters clusters;
	RmlMatchSide side;
} Made;

static void
begin_model(Made *made, int k, bool standardize)
{
	memset(made, 0, sizeof *made);
	made->schema.features = made->features;
	made->schema.standardize = standardize;
	made->schema.rows = 100;
	made->clusters.k = k;
}

static void
add_number(Made *made, const char *name, double mean, double sd)
{
	made->features[made->schema.n_features++] = (RmlFeature){.name = (char *) name,
															 .kind = RML_NUMERIC,
															 .slot = made->schema.d_num++,
															 .mean = mean,
															 .sd = sd};
}

static void
add_category(Made *made, const char *name, int n, char **categories, int64_t *counts,
			 int64_t n_missing)
{
	made->features[made->schema.n_features++] = (RmlFeature){.name = (char *) name,
															 .kind = RML_CATEGORICAL,
															 .slot = made->schema.d_cat++,
															 .n_missing = n_missing,
															 .n_categories = n,
															 .categories = categories,
															 .counts = counts};
}

static void
end_model(Made *made, RmlEnv *env, const double *centroids, const int64_t *counts)
{
	rml_schema_index(&made->schema, env);
	rml_segment_ids_init(&made->ids, env, made->clusters.k);
	made->clusters.ids = &made->ids;
	made->clusters.centroids = centroids;
	made->clusters.counts = counts;
	made->side = (RmlMatchSide){&made->schema, &made->clusters, NULL};
}

/* one column "x" with mean 0 and sd 1 */
static void
make_line(Made *made, RmlEnv *env, int k, const double *centroids)
{
	begin_model(made, k, false);
	add_number(made, "x", 0, 1);
	end_model(made, env, centroids, NULL);
}

/* ---- distances */

/*
 * Old: a has mean 10, sd 2; b has mean 0, sd 5, its clusters at (10, 0) and (14, 5).  The new model
 * clusters raw numbers at (12, 5): that is 1 and 1 sd from the first, 1 and 0 from the second.
 * The second differs from the first by 2 and 1.
 */
static void
test_numbers(RmlEnv *env)
{
	static const double old_centroids[] = {0, 0, 2, 1}, new_centroids[] = {5, 12, 77};
	Made old_model, new_model;
	double to_old[2], within[4];

	begin_model(&old_model, 2, true);
	add_number(&old_model, "a", 10, 2);
	add_number(&old_model, "b", 0, 5);
	end_model(&old_model, env, old_centroids, NULL);
	begin_model(&new_model, 1, false);
	add_number(&new_model, "b", 0, 50);
	add_number(&new_model, "a", 100, 20);
	add_number(&new_model, "only here", 0, 1);
	end_model(&new_model, env, new_centroids, NULL);
	unit_equal_string(rml_match_distances(env, &new_model.side, &old_model.side, to_old, within),
					  NULL, "columns are matched by name");
	unit_near(to_old[0], 1.0, 1e-15, "distance is the root mean square in the old model's sd");
	unit_near(to_old[1], sqrt(0.5), 1e-15, "of the columns in common");
	unit_near(within[1], sqrt(2.5), 1e-15, "also between old clusters");
	unit_ok(within[0] == 0 && within[1] == within[2], "which is symmetric");
}

/*
 * 30 of 100 old rows have the flag.  As boolean: sd = sqrt(.3 .7), shares .2 and .9 are .7 / sd apart.
 * As categories no and yes: G = 1 - .09 - .49 = .42, total variation .7, .7 / sqrt(.21) is the same.
 */
static void
test_categories(RmlEnv *env)
{
	static char *names[] = {"no", "yes"}, *more[] = {"maybe", "yes"};
	static int64_t totals[] = {70, 30}, more_totals[] = {50, 50};
	static const double flag_old[] = {0.2, 0.5}, flag_new[] = {0.9};
	/* (missing), no, yes */
	static const int64_t old_counts[] = {0, 40, 10, 0, 25, 25}, new_counts[] = {0, 5, 45};
	/* (missing), maybe, yes */
	static const int64_t more_counts[] = {10, 20, 70};
	Made old_model, new_model;
	double flag[2], text[2], within[4];

	begin_model(&old_model, 2, false);
	add_number(&old_model, "flag", 0.3, sqrt(0.21));
	end_model(&old_model, env, flag_old, NULL);
	begin_model(&new_model, 1, false);
	add_number(&new_model, "flag", 0.3, sqrt(0.21));
	end_model(&new_model, env, flag_new, NULL);
	rml_match_distances(env, &new_model.side, &old_model.side, flag, within);
	unit_near(flag[0], 0.7 / sqrt(0.21), 1e-15, "a boolean column");
	begin_model(&old_model, 2, false);
	add_category(&old_model, "flag", 2, names, totals, 0);
	end_model(&old_model, env, NULL, old_counts);
	begin_model(&new_model, 1, false);
	add_category(&new_model, "flag", 2, names, totals, 0);
	end_model(&new_model, env, NULL, new_counts);
	rml_match_distances(env, &new_model.side, &old_model.side, text, within);
	unit_near_array(text, flag, 2, 1e-14, "counts the same as two categories");
	begin_model(&new_model, 1, false);
	add_category(&new_model, "flag", 2, more, more_totals, 0);
	end_model(&new_model, env, NULL, more_counts);
	rml_match_distances(env, &new_model.side, &old_model.side, text, within);
	/* no .8 -> 0, yes .2 -> .7, (missing) 0 -> .1, maybe 0 -> .2: half the sum is .8 */
	unit_near(text[0], 0.8 / sqrt(0.21), 1e-14, "categories are matched by text");
}

static void
test_no_scale(RmlEnv *env)
{
	static const double at_zero[] = {0, 7}, away[] = {6, 7}, huge[] = {1e308, -1e308};
	static char *names[] = {"a"};
	static int64_t totals[] = {100};
	static const int64_t counts[] = {0, 50, 0, 50};
	Made old_model, new_model;
	double to_old[4], within[4];

	begin_model(&old_model, 1, false);
	add_number(&old_model, "x", 0, 0);
	add_number(&old_model, "y", 7, 0);
	end_model(&old_model, env, at_zero, NULL);
	begin_model(&new_model, 1, false);
	add_number(&new_model, "x", 6, 3);
	add_number(&new_model, "y", 7, 0);
	end_model(&new_model, env, away, NULL);
	rml_match_distances(env, &new_model.side, &old_model.side, to_old, within);
	unit_near(to_old[0], 2.0, 1e-15, "a column constant before is measured by the new sd");
	unit_contains(rml_match_distances(env, &old_model.side, &old_model.side, to_old, within),
				  "no column in common that varies", "columns constant in both do not tell");
	begin_model(&new_model, 2, false);
	add_category(&new_model, "x", 1, names, totals, 0);
	end_model(&new_model, env, NULL, counts);
	unit_contains(rml_match_distances(env, &new_model.side, &old_model.side, to_old, within),
				  "no column", "a number and a category of one name are not the same column");
	unit_contains(rml_match_distances(env, &new_model.side, &new_model.side, to_old, within),
				  "no column", "nor does a single category tell");
	make_line(&old_model, env, 2, huge);
	rml_match_distances(env, &old_model.side, &old_model.side, to_old, within);
	unit_ok(to_old[0] == 0 && isfinite(to_old[1]), "distances of huge numbers are finite");
}

/* ---- who continues whom */

/* old clusters at old_x get numbers [new k] from matching new ones at new_x */
static bool
gives(RmlEnv *env, double max_distance, int old_k, const double *old_x, int new_k,
	  const double *new_x, const int32_t *numbers, int32_t highest)
{
	const RmlMatchParams params = {max_distance};
	Made old_model, new_model;
	RmlSegmentIds ids;

	make_line(&old_model, env, old_k, old_x);
	make_line(&new_model, env, new_k, new_x);
	return rml_match_model(env, &params, &new_model.side, &old_model.side, &ids) == NULL &&
		   memcmp(ids.numbers, numbers, sizeof(int32_t) * (size_t) new_k) == 0 &&
		   ids.highest == highest && ids.names == NULL;
}

static void
test_partners(RmlEnv *env)
{
	static const double old_x[] = {0, 10, 20};

	unit_ok(gives(env, -1, 3, old_x, 3, (double[]){20, 0, 10}, (int32_t[]){3, 1, 2}, 3),
			"permuted clusters have their numbers back");
	unit_ok(gives(env, -1, 3, old_x, 3, (double[]){21, 2, 9}, (int32_t[]){3, 1, 2}, 3),
			"moved ones too");
	unit_ok(gives(env, -1, 3, old_x, 4, (double[]){9, 21, 14, 1}, (int32_t[]){2, 3, 4, 1}, 4),
			"one more is new");
	unit_ok(gives(env, -1, 3, old_x, 2, (double[]){19, 1}, (int32_t[]){3, 1}, 3),
			"one less is gone");
	unit_ok(gives(env, -1, 3, old_x, 3, (double[]){0, 10, 31}, (int32_t[]){1, 2, 4}, 4),
			"what went further than old clusters are apart is new");
	unit_ok(gives(env, -1, 3, old_x, 3, (double[]){0, 10, 30}, (int32_t[]){1, 2, 3}, 3),
			"just as far is the same");
	unit_ok(gives(env, 2, 3, old_x, 3, (double[]){2, 13, 20}, (int32_t[]){1, 4, 3}, 4),
			"max_distance is the largest that is the same");
	unit_ok(gives(env, 1e9, 3, old_x, 3, (double[]){0, 10, 5000}, (int32_t[]){1, 2, 3}, 3),
			"without a limit as many as can are");
	unit_ok(gives(env, 0, 3, old_x, 3, (double[]){20, 1e-9, 10}, (int32_t[]){3, 4, 2}, 4),
			"with 0 only equal ones are");
	unit_ok(gives(env, -1, 1, (double[]){5}, 2, (double[]){900, 800}, (int32_t[]){2, 1}, 2),
			"a single old cluster continues in the nearest, however far");
	/* the nearest pair, 2 and 3, would leave 10 to 0: 11 in all; 2 to 0 and 10 to 3 are 9 */
	unit_ok(gives(env, 1e9, 2, (double[]){0, 3}, 2, (double[]){2, 10}, (int32_t[]){1, 2}, 2),
			"pairs are chosen together");
	unit_ok(gives(env, 10, 2, (double[]){0, 10}, 2, (double[]){0.5, -9.9}, (int32_t[]){1, 3}, 3),
			"but a near pair is not given up for two far ones");
}

/* ---- numbers and names along a chain */

static void
continue_chain(RmlEnv *env, Made *model, const Made *before)
{
	const RmlMatchParams params = {-1};

	unit_equal_string(rml_match_model(env, &params, &model->side, &before->side, &model->ids), NULL,
					  "one more month");
	model->side.names = model->ids.names;
}

static void
test_chain(RmlEnv *env)
{
	static const double january_x[] = {0, 10, 20}, february_x[] = {11, 1}, march_x[] = {2, 24, 12},
						april_x[] = {23, 11, 40, 3, 60};
	static char *january_names[] = {"Low", "Middle", "High"}, *february_names[] = {"High", "Low"},
				*march_names[] = {"Low", "High", "Middle"},
				*april_names[] = {"Middle", "Low", "High", "Lowest", "High 2"};
	Made january, february, march, april;

	make_line(&january, env, 3, january_x);
	january.side.names = january_names;
	make_line(&february, env, 2, february_x);
	february.side.names = february_names;
	make_line(&march, env, 3, march_x);
	march.side.names = march_names;
	make_line(&april, env, 5, april_x);
	april.side.names = april_names;

	continue_chain(env, &february, &january);
	unit_ok(february.ids.numbers[0] == 2 && february.ids.numbers[1] == 1, "two go on");
	unit_equal_string(february.ids.names[0], "Middle", "under their names");
	continue_chain(env, &march, &february);
	unit_ok(march.ids.numbers[0] == 1 && march.ids.numbers[2] == 2, "and go on");
	unit_equal_int(march.ids.numbers[1], 4, "the number of one that is gone is not given again");
	unit_equal_string(march.ids.names[1], "High", "a name of its own is kept when it is free");
	continue_chain(env, &april, &march);
	unit_ok(april.ids.numbers[0] == 4 && april.ids.numbers[1] == 2 && april.ids.numbers[3] == 1 &&
				april.ids.numbers[2] == 5 && april.ids.numbers[4] == 6,
			"new ones are numbered in the order they had");
	unit_equal_string(april.ids.names[0], "High", "a name stays with its segment");
	unit_equal_string(april.ids.names[2], "High 2",
					  "and is not given to another, which is its twin");
	unit_equal_string(april.ids.names[4], "High 3", "twins are counted on");
	unit_equal_int(april.ids.highest, 6, "the highest number is remembered");
}

static void
test_long_names(RmlEnv *env)
{
	static const double one_x[] = {0}, two_x[] = {0, 9};
	const RmlMatchParams params = {-1};
	char *long_name = rml_alloc_zero(env, RML_SEGMENT_NAME_MAX + 1);
	char *old_names[1], *new_names[2];
	Made old_model, new_model;
	RmlSegmentIds ids;

	/* 99 times two bytes, and two: the cut for " 2" falls between the bytes of a character */
	long_name[0] = long_name[1] = 'x';
	for (int i = 2; i < RML_SEGMENT_NAME_MAX; i += 2)
		memcpy(long_name + i, "\xC3\xA9", 2);
	memmove(long_name, long_name + 1, RML_SEGMENT_NAME_MAX);
	old_names[0] = new_names[1] = long_name;
	new_names[0] = "x";
	make_line(&old_model, env, 1, one_x);
	old_model.side.names = old_names;
	make_line(&new_model, env, 2, two_x);
	new_model.side.names = new_names;
	rml_match_model(env, &params, &new_model.side, &old_model.side, &ids);
	unit_equal_int((int64_t) strlen(ids.names[1]), RML_SEGMENT_NAME_MAX - 1,
				   "a long name is cut to have room for the number");
	unit_ok(strcmp(ids.names[1] + RML_SEGMENT_NAME_MAX - 5, "\xC3\xA9 2") == 0,
			"between characters");
}

static void
test_limits(void)
{
	enum
	{
		n = 40
	};
	const RmlMatchParams params = {-1};
	RmlEnv *env = unit_env(1);
	Made old_model, new_model;
	RmlSegmentIds ids;
	double x[2 * n];
	size_t before;

	for (int i = 0; i < 2 * n; i++)
		x[i] = i * i;
	make_line(&old_model, env, n, x);
	make_line(&new_model, env, 2 * n, x);
	before = unit_env_in_use(env);
	unit_ok(before == unit_env_peak(env), "nothing is released yet");
	rml_match_model(env, &params, &new_model.side, &old_model.side, &ids);
	unit_ok(unit_env_peak(env) - before <= rml_match_bytes(&new_model.side, &old_model.side),
			"it takes the memory it said");
	unit_env_cancel_after(env, 30);
	unit_ok(UNIT_ESCAPES(env,
						 rml_match_model(env, &params, &new_model.side, &old_model.side, &ids)),
			"it can be cancelled");
	unit_env_cancel_after(env, 0);
	old_model.ids.highest = INT32_MAX;
	unit_contains(rml_match_model(env, &params, &new_model.side, &old_model.side, &ids),
				  "have been given", "numbers can run out");
	unit_env_free(env);
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_numbers(env);
	test_categories(env);
	test_no_scale(env);
	test_partners(env);
	test_chain(env);
	test_long_names(env);
	test_limits();
	unit_env_free(env);
	return unit_done();
}
