/*
 * segments.h
 *	  Profiles for the tests of names, sentences and levers.
 */
#ifndef RMLTEST_SEGMENTS_H
#define RMLTEST_SEGMENTS_H

#include "retailml/segment_names.h"

/* a profile of numeric features, all segments of 100 rows; the mean is z as well, the overall 0 */
static inline RmlSegmentProfile
profile_of(RmlEnv *env, int k, int m, const char *const *features, const double *z)
{
	int64_t *sizes = RML_NEW(env, int64_t, (size_t) k);
	RmlSegmentProfile profile = {.k = k, .m = m, .sizes = sizes, .rows = 100 * k};

	profile.traits = RML_NEW(env, RmlTrait, (size_t) m);
	profile.means = RML_NEW(env, double, (size_t) (k * m));
	profile.z = RML_NEW(env, double, (size_t) (k * m));
	for (int t = 0; t < m; t++)
		profile.traits[t] = (RmlTrait){
			.feature = features[t], .kind = RML_NUMERIC, .position = t, .mirror = -1, .sd = 1};
	for (int i = 0; i < k; i++)
		sizes[i] = 100;
	for (int i = 0; i < k * m; i++)
		profile.means[i] = profile.z[i] = z[i];
	rml_segment_profile_rank(&profile, env);
	return profile;
}

/* what the trait is of a category: mirror -1 for one of more than two */
static inline void
make_category(RmlSegmentProfile *profile, int trait, const char *feature, int position,
			  const char *category, int mirror)
{
	profile->traits[trait] = (RmlTrait){.feature = feature,
										.kind = RML_CATEGORICAL,
										.position = position,
										.category = category,
										.mirror = mirror,
										.overall = 0.25,
										.sd = 0.4330127018922193};
}

#endif /* RMLTEST_SEGMENTS_H */
