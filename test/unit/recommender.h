/*
 * recommender.h
 *	  A small SVD++ model made by hand: 4 users, 5 items, 3 factors.
 *
 * Numbers are multiples of 1/16, so that sums and products are exact.  The last user has no items, which the
 * bytes allow.
 */
#ifndef RETAILML_UNIT_RECOMMENDER_H
#define RETAILML_UNIT_RECOMMENDER_H

#include "unit.h"

#include <math.h>

#include "retailml/svdpp.h"

#define SVDPP_USERS 4
#define SVDPP_ITEMS 5
#define SVDPP_RATINGS 8
#define SVDPP_FACTORS 3
#define SVDPP_STRIDE 8

typedef struct SvdppKind
{
	bool text;
	bool biased;
	bool implicit;
	bool clip;
} SvdppKind;

/* everything a model has, in one piece */
typedef struct SvdppSample
{
	RmlSvdpp model;
	RmlSvdppParams params;
	RmlSchema schema;
	int64_t user_numbers[SVDPP_USERS];
	int64_t item_numbers[SVDPP_ITEMS];
	char *user_texts[SVDPP_USERS];
	char *item_texts[SVDPP_ITEMS];
	int64_t starts[SVDPP_USERS + 1];
	int32_t seen[SVDPP_RATINGS];
	int64_t buyers[SVDPP_ITEMS];
	float bu[SVDPP_USERS];
	float bi[SVDPP_ITEMS];
	float p[SVDPP_USERS * SVDPP_STRIDE];
	float q[SVDPP_ITEMS * SVDPP_STRIDE];
	float y[SVDPP_ITEMS * SVDPP_STRIDE];
	RmlSvdppEpoch history[2];
} SvdppSample;

/* [n x 3] in steps of eight, from -1 to 1 */
static inline void
svdpp_sample_vectors(float *vectors, int n, int salt)
{
	for (int x = 0; x < n; x++)
		for (int k = 0; k < SVDPP_FACTORS; k++)
			vectors[x * SVDPP_STRIDE + k] = (float) ((x * 7 + k * 5 + salt) % 33 - 16) / 16;
}

static inline void
svdpp_sample_ids(SvdppSample *s, bool text)
{
	static const int64_t users[] = {INT64_MIN, -7, 0, INT64_MAX}, items[] = {1, 2, 3, 500, 1000};
	static char *user_texts[] = {(char *) "", (char *) "a", (char *) "aa", (char *) "b"};
	static char *item_texts[] = {(char *) "A", (char *) "B", (char *) "a", (char *) "gr\xC3\xBCn",
								 (char *) "\xC3\xA4"};

	memcpy(s->user_numbers, users, sizeof users);
	memcpy(s->item_numbers, items, sizeof items);
	memcpy(s->user_texts, user_texts, sizeof user_texts);
	memcpy(s->item_texts, item_texts, sizeof item_texts);
	s->model.users =
		(RmlRatingIds){SVDPP_USERS, text ? NULL : s->user_numbers, text ? s->user_texts : NULL};
	s->model.items =
		(RmlRatingIds){SVDPP_ITEMS, text ? NULL : s->item_numbers, text ? s->item_texts : NULL};
}

static inline void
svdpp_sample_ratings(SvdppSample *s)
{
	static const int64_t starts[] = {0, 4, 5, 8, 8};
	static const int32_t seen[] = {0, 1, 2, 4, 3, 0, 2, 3};
	static const int64_t buyers[] = {2, 1, 2, 2, 1};

	memcpy(s->starts, starts, sizeof starts);
	memcpy(s->seen, seen, sizeof seen);
	memcpy(s->buyers, buyers, sizeof buyers);
	s->model.n = SVDPP_RATINGS;
	s->model.starts = s->starts;
	s->model.seen = s->seen;
	s->model.buyers = s->buyers;
	s->model.low = 1;
	s->model.high = 5;
}

static inline void
svdpp_sample_factors(SvdppSample *s, SvdppKind kind)
{
	static const float bu[] = {0.5f, -0.25f, 0, 1}, bi[] = {0.25f, -0.5f, 0, 0.125f, 1};

	memset(s->p, 0, sizeof s->p);
	memset(s->q, 0, sizeof s->q);
	memset(s->y, 0, sizeof s->y);
	svdpp_sample_vectors(s->p, SVDPP_USERS, 3);
	svdpp_sample_vectors(s->q, SVDPP_ITEMS, 11);
	svdpp_sample_vectors(s->y, SVDPP_ITEMS, 20);
	memset(s->bu, 0, sizeof s->bu);
	memset(s->bi, 0, sizeof s->bi);
	if (kind.biased)
	{
		memcpy(s->bu, bu, sizeof bu);
		memcpy(s->bi, bi, sizeof bi);
	}
	s->model.factors = (RmlFactors){.n_users = SVDPP_USERS,
									.n_items = SVDPP_ITEMS,
									.f = SVDPP_FACTORS,
									.s = SVDPP_STRIDE,
									.mean = kind.biased ? 3.5 : 0,
									.bu = s->bu,
									.bi = s->bi,
									.p = s->p,
									.q = s->q,
									.y = kind.implicit ? s->y : NULL};
}

static inline SvdppSample *
svdpp_sample(RmlEnv *env, SvdppKind kind)
{
	SvdppSample *s = RML_NEW_ZERO(env, SvdppSample, 1);
	const RmlOptionSet set = {rml_svdpp_options, rml_svdpp_n_options, &s->params};

	rml_options_default(&set);
	rml_svdpp_settle(&s->params);
	s->params.n_factors = SVDPP_FACTORS;
	s->params.biased = kind.biased;
	s->params.implicit_feedback = kind.implicit;
	s->params.clip = kind.clip;
	s->model.params = &s->params;
	s->schema.rows = SVDPP_RATINGS;
	svdpp_sample_ids(s, kind.text);
	svdpp_sample_ratings(s);
	svdpp_sample_factors(s, kind);
	s->model.test = (RmlSvdppTest){RML_VERDICT_BETTER, 2, 0.5, 0.25, 1.5, 1, 0.75, 2.5};
	s->model.train_rmse = 0.375;
	s->model.n_epochs = 20;
	s->model.n_history = 2;
	s->model.history = s->history;
	s->history[0] = (RmlSvdppEpoch){1, 1.25};
	s->history[1] = (RmlSvdppEpoch){0.5, NAN};
	return s;
}

static inline void
svdpp_sample_encode(const SvdppSample *s, RmlEnv *env, RmlWriter *writer)
{
	rml_model_encode(writer, env, &rml_svdpp_algorithm, &s->schema, &s->params, &s->model);
}

#endif /* RETAILML_UNIT_RECOMMENDER_H */
