/*
 * match_model_distances.c
 *	  Distances between the clusters of two models, in the scale of the old one.
 *
 * Both models are brought into one space first: numbers as they are divided by their scale, then
 * the shares of categories, those only the new model knows appended.
 */
#include <math.h>
#include <string.h>

#include "retailml/match_model.h"

/* beyond this many standard deviations all is equally far, and squares stay finite */
#define FAR 1e100

/* a column both models have */
typedef struct Shared
{
	const RmlFeature *old_feature;
	const RmlFeature *new_feature;
	double scale; /* what counts as 1 */
	int place;    /* of the number, or of share 0, "(missing)" */
	int n_places; /* shares; 0: a number */
} Shared;

typedef struct Space
{
	Shared *shared; /* [n] */
	int n;
	int width; /* numbers and shares of one cluster */
} Space;

static bool
is_number(const RmlFeature *feature)
{
	return feature->kind != RML_CATEGORICAL;
}

/* a model may have columns that its clusters say nothing about */
static bool
is_told(const RmlMatchSide *side, const RmlFeature *feature)
{
	return is_number(feature) || side->clusters->counts != NULL;
}

/* the model's column of that name, if it is of the same sort */
static const RmlFeature *
find_feature(const RmlMatchSide *side, const RmlFeature *like)
{
	const RmlSchema *schema = side->schema;

	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		if (is_number(feature) == is_number(like) && strcmp(feature->name, like->name) == 0)
			return is_told(side, feature) ? feature : NULL;
	}
	return NULL;
}

/* ---- scales ---- */

/* sqrt(G / 2) of the rows of a categorical column */
static double
category_scale(const RmlFeature *feature, int64_t rows)
{
	double share = (double) feature->n_missing / (double) rows;
	double sum = share * share;

	for (int32_t i = 0; i < feature->n_categories; i++)
	{
		share = (double) feature->counts[i] / (double) rows;
		sum += share * share;
	}
	return sum < 1.0 ? sqrt(0.5 * (1.0 - sum)) : 0.0;
}

static double
feature_scale(const RmlSchema *schema, const RmlFeature *feature)
{
	return is_number(feature) ? feature->sd : category_scale(feature, schema->rows);
}

static int
count_places(const Shared *shared)
{
	const RmlFeature *old_feature = shared->old_feature, *new_feature = shared->new_feature;
	int n = old_feature->n_categories + 1;

	for (int32_t i = 0; i < new_feature->n_categories; i++)
	{
		const char *text = new_feature->categories[i];

		n += rml_schema_code(old_feature, text, strlen(text)) > old_feature->n_categories;
	}
	return n;
}

/* columns that are common and vary; 0 when there are none */
static int
find_space(Space *space, RmlEnv *env, const RmlMatchSide *new_side, const RmlMatchSide *old_side)
{
	const RmlSchema *old_schema = old_side->schema;

	space->shared = RML_NEW_ZERO(env, Shared, (size_t) old_schema->n_features);
	space->n = 0;
	space->width = 0;
	for (int i = 0; i < old_schema->n_features; i++)
	{
		Shared *shared = &space->shared[space->n];

		rml_poll(env);
		shared->old_feature = &old_schema->features[i];
		shared->new_feature = find_feature(new_side, shared->old_feature);
		if (shared->new_feature == NULL || !is_told(old_side, shared->old_feature))
			continue;
		shared->scale = feature_scale(old_schema, shared->old_feature);
		if (shared->scale == 0)
			shared->scale = feature_scale(new_side->schema, shared->new_feature);
		if (shared->scale == 0)
			continue;
		shared->place = space->width;
		shared->n_places = is_number(shared->old_feature) ? 0 : count_places(shared);
		space->width += shared->n_places == 0 ? 1 : shared->n_places;
		space->n++;
	}
	return space->n;
}

/* ---- clusters in this space ---- */

/* where a model's categories belong: places [n_categories + 1] of the codes */
static int *
map_categories(RmlEnv *env, const Shared *shared, const RmlFeature *feature)
{
	int *places = RML_NEW(env, int, (size_t) feature->n_categories + 1);
	int appended = shared->old_feature->n_categories + 1;

	places[0] = 0;
	for (int32_t i = 0; i < feature->n_categories; i++)
	{
		const char *text = feature->categories[i];
		int32_t code = rml_schema_code(shared->old_feature, text, strlen(text));

		places[i + 1] = code <= shared->old_feature->n_categories ? code : appended++;
	}
	return places;
}

static void
fill_numbers(const Space *space, const Shared *shared, const RmlMatchSide *side, int slot,
			 double *points)
{
	for (int c = 0; c < side->clusters->k; c++)
	{
		double prepared = side->clusters->centroids[(size_t) c * side->schema->d_num + slot];

		points[(size_t) c * space->width + shared->place] =
			rml_schema_restore(side->schema, slot, prepared) / shared->scale;
	}
}

static void
fill_shares(RmlEnv *env, const Space *space, const Shared *shared, const RmlMatchSide *side,
			const RmlFeature *feature, double *points)
{
	int *places = map_categories(env, shared, feature);
	int64_t width = rml_category_places(side->schema);
	int64_t first = rml_category_place(side->schema, feature->slot);

	for (int c = 0; c < side->clusters->k; c++)
	{
		const int64_t *counts = side->clusters->counts + c * width + first;
		double *shares = points + (size_t) c * space->width + shared->place;
		int64_t total = 0;

		rml_poll(env);
		for (int32_t i = 0; i <= feature->n_categories; i++)
			total += counts[i];
		for (int32_t i = 0; total > 0 && i <= feature->n_categories; i++)
			shares[places[i]] = (double) counts[i] / (double) total;
	}
	rml_release(env, places);
}

/* the clusters of one model as points [k x width] */
static double *
place_clusters(RmlEnv *env, const Space *space, const RmlMatchSide *side, bool is_old)
{
	double *points = RML_NEW_ZERO(env, double, (size_t) side->clusters->k *(size_t) space->width);

	for (int i = 0; i < space->n; i++)
	{
		const Shared *shared = &space->shared[i];
		const RmlFeature *feature = is_old ? shared->old_feature : shared->new_feature;

		if (shared->n_places == 0)
			fill_numbers(space, shared, side, feature->slot, points);
		else
			fill_shares(env, space, shared, side, feature, points);
	}
	return points;
}

/* ---- distances ---- */

static double
difference(const Shared *shared, const double *a, const double *b)
{
	double sum = 0.0;

	if (shared->n_places == 0)
		return fmin(fabs(a[shared->place] - b[shared->place]), FAR);
	for (int i = shared->place; i < shared->place + shared->n_places; i++)
		sum += fabs(a[i] - b[i]);
	return 0.5 * sum / shared->scale;
}

static double
distance(const Space *space, const double *a, const double *b)
{
	double sum = 0.0;

	for (int i = 0; i < space->n; i++)
	{
		double d = difference(&space->shared[i], a, b);

		sum += d * d;
	}
	return sqrt(sum / space->n);
}

static void
all_distances(RmlEnv *env, const Space *space, const double *a, int n_a, const double *b, int n_b,
			  double *distances)
{
	for (int i = 0; i < n_a; i++)
		for (int j = 0; j < n_b; j++)
		{
			rml_poll(env);
			distances[(size_t) i * n_b + j] =
				distance(space, a + (size_t) i * space->width, b + (size_t) j * space->width);
		}
}

const char *
rml_match_distances(RmlEnv *env, const RmlMatchSide *new_side, const RmlMatchSide *old_side,
					double *to_old, double *within_old)
{
	Space space;
	double *new_points, *old_points;
	int k = old_side->clusters->k;

	if (find_space(&space, env, new_side, old_side) == 0)
		return "the two models have no column in common that varies";
	new_points = place_clusters(env, &space, new_side, false);
	old_points = place_clusters(env, &space, old_side, true);
	all_distances(env, &space, new_points, new_side->clusters->k, old_points, k, to_old);
	all_distances(env, &space, old_points, k, old_points, k, within_old);
	rml_release(env, new_points);
	rml_release(env, old_points);
	rml_release(env, space.shared);
	return NULL;
}
