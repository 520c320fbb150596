/*
 * segment_profile.c
 *	  Means, z and ranks of the traits of segments.  See segment_profile.h.
 *
 * Legend: k segments, m traits.
 */
#include "retailml/segment_profile.h"

#include <math.h>
#include <stdlib.h>

/* what sums and squares of z can be without overflow */
#define LARGEST_Z 1e100
/* what rounding leaves of a zero: it must not decide which trait is the most telling */
#define SMALLEST_Z 1e-12

/* ---------------------------------------------------------------- traits */

/* an upper bound: "(missing)" may turn out to have no rows */
static size_t
most_traits(const RmlSchema *schema, const RmlClusters *clusters)
{
	size_t categories = clusters->counts == NULL ? 0 : (size_t) rml_category_places(schema);

	return (size_t) schema->d_num + categories;
}

size_t
rml_segment_profile_bytes(const RmlSchema *schema, const RmlClusters *clusters)
{
	/* mean, z, rank; and for names a word, which is three numbers, and the order of words */
	const size_t cell = 2 * sizeof(double) + 5 * sizeof(int32_t);
	/* and what it is called, sorted twice */
	const size_t trait = sizeof(RmlTrait) + 256;
	/* names, cut twice */
	const size_t segment = 1024;
	size_t m = most_traits(schema, clusters);

	return m * trait + (size_t) clusters->k * (m * cell + segment);
}

static void
add_number(RmlSegmentProfile *profile, const RmlFeature *feature, int position)
{
	profile->traits[profile->m++] = (RmlTrait){.feature = feature->name,
											   .kind = feature->kind,
											   .position = position,
											   .mirror = -1,
											   .overall = feature->mean,
											   .sd = feature->sd};
}

/* the part of all training rows that has a category */
static double
overall_share(const RmlSegmentProfile *profile, const RmlClusters *clusters, int64_t places,
			  int64_t place)
{
	double rows = 0;

	for (int64_t c = 0; c < clusters->k; c++)
		rows += (double) clusters->counts[c * places + place];
	return profile->rows > 0 ? rows / (double) profile->rows : 0;
}

static void
add_categories(RmlSegmentProfile *profile, const RmlSchema *schema, const RmlClusters *clusters,
			   int position)
{
	const RmlFeature *feature = &schema->features[position];
	int64_t places = rml_category_places(schema);
	int64_t first = rml_category_place(schema, feature->slot);
	int begin = profile->m;

	for (int32_t code = 0; code <= feature->n_categories; code++)
	{
		double share = overall_share(profile, clusters, places, first + code);

		if (code == 0 && share == 0)
			continue;
		profile->traits[profile->m++] =
			(RmlTrait){.feature = feature->name,
					   .kind = RML_CATEGORICAL,
					   .position = position,
					   .category = code == 0 ? RML_MISSING_CATEGORY : feature->categories[code - 1],
					   .place = first + code,
					   .mirror = -1,
					   .overall = share,
					   .sd = sqrt(share * (1 - share))};
	}
	if (profile->m - begin == 2)
	{
		profile->traits[begin].mirror = begin + 1;
		profile->traits[begin + 1].mirror = begin;
	}
}

static void
list_traits(RmlSegmentProfile *profile, RmlEnv *env, const RmlSchema *schema,
			const RmlClusters *clusters)
{
	profile->m = 0;
	profile->traits = RML_NEW(env, RmlTrait, most_traits(schema, clusters));
	for (int i = 0; i < schema->n_features; i++)
	{
		if (schema->features[i].kind != RML_CATEGORICAL)
			add_number(profile, &schema->features[i], i);
		else if (clusters->counts != NULL)
			add_categories(profile, schema, clusters, i);
		rml_poll(env);
	}
}

/* ---------------------------------------------------------------- means and z */

static void
profile_number(RmlSegmentProfile *profile, const RmlSchema *schema, const RmlClusters *clusters,
			   int trait)
{
	const RmlFeature *feature = &schema->features[profile->traits[trait].position];

	for (int64_t c = 0; c < profile->k; c++)
	{
		int64_t cell = c * profile->m + trait;
		double centre = clusters->centroids[c * schema->d_num + feature->slot];
		double z = schema->standardize ? centre : (centre - feature->mean) / feature->sd;

		profile->means[cell] = rml_schema_restore(schema, feature->slot, centre);
		profile->z[cell] = feature->sd == 0 ? 0 : z;
	}
}

/* exactly the negative of its mirror, where the mirror came first */
static void
profile_category(RmlSegmentProfile *profile, const RmlClusters *clusters, int64_t places, int trait)
{
	const RmlTrait *t = &profile->traits[trait];
	bool mirrors = t->mirror >= 0 && t->mirror < trait;

	for (int64_t c = 0; c < profile->k; c++)
	{
		int64_t cell = c * profile->m + trait;
		double size = (double) clusters->sizes[c];
		double rows = (double) clusters->counts[c * places + t->place];
		double share = size > 0 ? rows / size : t->overall;

		profile->means[cell] = share;
		profile->z[cell] = mirrors      ? -profile->z[c * profile->m + t->mirror]
						   : t->sd == 0 ? 0
										: (share - t->overall) / t->sd;
	}
}

/* ---------------------------------------------------------------- ranks */

typedef struct Magnitude
{
	double magnitude;
	int32_t trait;
	bool echo;
} Magnitude;

static int
compare_magnitudes(const void *a, const void *b)
{
	const Magnitude *p = a, *q = b;

	if (p->echo != q->echo)
		return p->echo ? 1 : -1;
	if (p->magnitude != q->magnitude)
		return p->magnitude > q->magnitude ? -1 : 1;
	return p->trait - q->trait;
}

bool
rml_segment_is_echo(const RmlSegmentProfile *profile, int segment, int trait)
{
	int mirror = profile->traits[trait].mirror;
	double z = profile->z[(int64_t) segment * profile->m + trait];

	return mirror >= 0 && (z < 0 || (z == 0 && mirror < trait));
}

static void
rank_traits(RmlSegmentProfile *profile, int segment, Magnitude *sorted)
{
	int64_t row = (int64_t) segment * profile->m;

	for (int t = 0; t < profile->m; t++)
		sorted[t] =
			(Magnitude){fabs(profile->z[row + t]), t, rml_segment_is_echo(profile, segment, t)};
	qsort(sorted, (size_t) profile->m, sizeof(Magnitude), compare_magnitudes);
	for (int i = 0; i < profile->m; i++)
		profile->ranks[row + sorted[i].trait] = i + 1;
}

static double
usable_z(double z)
{
	if (isnan(z) || fabs(z) < SMALLEST_Z)
		return 0;
	return fmax(-LARGEST_Z, fmin(LARGEST_Z, z));
}

void
rml_segment_profile_rank(RmlSegmentProfile *profile, RmlEnv *env)
{
	int64_t cells = (int64_t) profile->k * profile->m;
	Magnitude *sorted = RML_NEW(env, Magnitude, (size_t) profile->m);

	for (int64_t i = 0; i < cells; i++)
		profile->z[i] = usable_z(profile->z[i]);
	profile->ranks = RML_NEW(env, int32_t, (size_t) cells);
	for (int c = 0; c < profile->k; c++)
	{
		rank_traits(profile, c, sorted);
		rml_poll(env);
	}
	rml_release(env, sorted);
}

void
rml_segment_by_rank(const RmlSegmentProfile *profile, int segment, int32_t *traits)
{
	int64_t row = (int64_t) segment * profile->m;

	for (int t = 0; t < profile->m; t++)
		traits[profile->ranks[row + t] - 1] = t;
}

/* ---------------------------------------------------------------- the whole */

static int64_t
all_rows(const RmlClusters *clusters)
{
	double rows = 0;

	for (int64_t c = 0; c < clusters->k; c++)
		rows += (double) clusters->sizes[c];
	return rows < 9e18 ? (int64_t) rows : INT64_MAX;
}

void
rml_segment_profile(RmlSegmentProfile *profile, RmlEnv *env, const RmlSchema *schema,
					const RmlClusters *clusters)
{
	int64_t places = rml_category_places(schema);
	size_t cells;

	*profile =
		(RmlSegmentProfile){.k = clusters->k, .sizes = clusters->sizes, .rows = all_rows(clusters)};
	list_traits(profile, env, schema, clusters);
	cells = (size_t) profile->k * (size_t) profile->m;
	profile->means = RML_NEW(env, double, cells);
	profile->z = RML_NEW(env, double, cells);
	for (int t = 0; t < profile->m; t++)
	{
		if (profile->traits[t].category == NULL)
			profile_number(profile, schema, clusters, t);
		else
			profile_category(profile, clusters, places, t);
		rml_poll(env);
	}
	rml_segment_profile_rank(profile, env);
}
