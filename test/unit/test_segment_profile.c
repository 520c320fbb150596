/*
 * test_segment_profile.c
 *	  Means, shares, z and ranks of mixed columns against pandas.
 */
#include "unit.h"

#include <math.h>

#include "retailml/segment_profile.h"

#define K 4
#define D 6

/* spend, age, member, plan, degree, one: as the columns of segment_profile_rows.csv after cluster */
static void
push_row(RmlFrame *frame, const UnitCsv *csv, size_t row)
{
	double *numbers;
	int32_t *codes;

	rml_frame_push(frame, &numbers, &codes);
	for (int j = 0; j < D; j++)
	{
		RmlColumn *column = &frame->columns[j];
		const char *text = unit_csv_text(csv, row, column->name);

		if (column->kind != RML_CATEGORICAL)
			numbers[column->slot] = unit_csv_number(csv, row, column->name);
		else
			codes[column->slot] =
				*text == '\0' ? 0 : rml_frame_code(frame, column, text, strlen(text));
	}
}

/* what an algorithm makes of its labels: sizes, centroids, counts of categories */
static void
make_clusters(RmlEnv *env, const RmlSchema *schema, const RmlMatrix *matrix, const UnitCsv *csv,
			  RmlClusters *clusters)
{
	int64_t places = rml_category_places(schema);
	int64_t *sizes = RML_NEW_ZERO(env, int64_t, K);
	int64_t *counts = RML_NEW_ZERO(env, int64_t, (size_t) (K * places));
	double *centroids = RML_NEW_ZERO(env, double, (size_t) (K * schema->d_num));

	for (int64_t i = 0; i < matrix->n; i++)
	{
		int c = (int) unit_csv_number(csv, (size_t) matrix->origin[i], "cluster");

		sizes[c]++;
		for (int j = 0; j < schema->d_num; j++)
			centroids[c * schema->d_num + j] += matrix->numbers[i * schema->d_num + j];
		for (int j = 0; j < schema->d_cat; j++)
			counts[c * places + rml_category_place(schema, j) +
				   matrix->codes[i * schema->d_cat + j]]++;
	}
	for (int i = 0; i < K * schema->d_num; i++)
		centroids[i] /= (double) sizes[i / schema->d_num];
	*clusters = (RmlClusters){.k = K, .sizes = sizes, .centroids = centroids, .counts = counts};
}

static void
profile_rows(RmlEnv *env, const UnitCsv *csv, bool standardize, RmlSegmentProfile *profile)
{
	static char *names[D] = {"spend", "age", "member", "plan", "degree", "one"};
	static const RmlKind kinds[D] = {RML_NUMERIC,     RML_NUMERIC,     RML_BOOLEAN,
									 RML_CATEGORICAL, RML_CATEGORICAL, RML_CATEGORICAL};
	RmlFrame frame;
	RmlMatrix matrix;
	RmlSchema schema;
	RmlClusters clusters;

	rml_frame_init(&frame, env, D, names, names, kinds);
	for (size_t i = 0; i < csv->rows; i++)
		push_row(&frame, csv, i);
	rml_frame_order(&frame, true, &matrix);
	unit_equal_string(rml_schema_learn(&schema, env, &frame, &matrix, RML_IMPUTE_MEAN, standardize),
					  NULL, "the schema");
	make_clusters(env, &schema, &matrix, csv, &clusters);
	unit_ok(rml_segment_profile_bytes(&schema, &clusters) >= K * 10 * (2 * sizeof(double)),
			"bytes add up");
	rml_segment_profile(profile, env, &schema, &clusters);
}

static void
test_golden(RmlEnv *env, bool standardize)
{
	const char *how = standardize ? "standardized" : "as they are";
	UnitCsv *rows = unit_golden("segment_profile_rows.csv");
	UnitCsv *golden = unit_golden("segment_profile.csv");
	RmlSegmentProfile profile;
	int same_names = 0, same_ranks = 0;

	if (rows == NULL || golden == NULL)
		return;
	profile_rows(env, rows, standardize, &profile);
	unit_equal_int((int64_t) profile.k * profile.m, (int64_t) golden->rows, "traits, %s", how);
	for (size_t i = 0; i < golden->rows; i++)
	{
		const RmlTrait *trait = &profile.traits[i % (size_t) profile.m];
		const char *category = trait->category == NULL ? "" : trait->category;
		double wanted[] = {unit_csv_number(golden, i, "mean"),
						   unit_csv_number(golden, i, "overall"), unit_csv_number(golden, i, "z")};
		double got[] = {profile.means[i], trait->overall, profile.z[i]};

		same_names += strcmp(trait->feature, unit_csv_text(golden, i, "feature")) == 0 &&
					  strcmp(category, unit_csv_text(golden, i, "category")) == 0;
		same_ranks += profile.ranks[i] == (int) unit_csv_number(golden, i, "rank");
		unit_near_array(got, wanted, 3, 1e-11, "%s %s, %s", trait->feature, category, how);
	}
	unit_equal_int(same_names, (int64_t) golden->rows, "in the order of columns and categories");
	unit_equal_int(same_ranks, (int64_t) golden->rows, "ranks, %s", how);
	unit_csv_free(rows);
	unit_csv_free(golden);
}

/* what only odd or damaged models have */
static void
test_edges(RmlEnv *env)
{
	static char *categories[] = {"a", "b"};
	static int64_t counts[] = {1, 2};
	RmlFeature features[] = {{.name = (char *) "x", .kind = RML_NUMERIC, .mean = 1, .sd = 0},
							 {.name = (char *) "c",
							  .kind = RML_CATEGORICAL,
							  .n_categories = 2,
							  .categories = categories,
							  .counts = counts}};
	RmlSchema schema = {.n_features = 2, .d_num = 1, .d_cat = 1, .features = features, .rows = 3};
	const int64_t sizes[] = {3, 0}, places[] = {0, 1, 2, 0, 0, 0}, none[] = {0, 0};
	const double centroids[] = {1e300, -1e300};
	RmlClusters clusters = {.k = 2, .sizes = sizes, .centroids = centroids, .counts = places};
	RmlSegmentProfile profile;

	rml_schema_index(&schema, env);
	rml_segment_profile(&profile, env, &schema, &clusters);
	unit_equal_int(profile.m, 3, "no missing category where none is missing");
	unit_near_array(profile.z, (const double[6]){0}, 6, 0, "z of constants and of the empty is 0");
	clusters.counts = NULL;
	rml_segment_profile(&profile, env, &schema, &clusters);
	unit_equal_int(profile.m, 1, "a model that does not look at categories");
	features[0].sd = 4.9e-324;
	rml_segment_profile(&profile, env, &schema, &clusters);
	unit_near(profile.z[0], 1e100, 0, "z is finite");
	clusters.counts = places;
	clusters.sizes = none;
	rml_segment_profile(&profile, env, &schema, &clusters);
	unit_ok(isfinite(profile.z[1]) && isfinite(profile.z[4]), "clusters without rows");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden(env, true);
	test_golden(env, false);
	test_edges(env);
	unit_env_free(env);
	return unit_done();
}
