/*
 * test_svdpp_model.c
 *	  SVD++ models as bytes, and decoders that believe nothing; what a prediction is made of.
 */
#include "unit.h"

#include "recommender.h"
#include "retailml/svdpp_explain.h"

static const SvdppKind kinds[] = {{false, true, true, true},
								  {true, true, false, false},
								  {true, false, true, true},
								  {false, false, false, true}};
#define KINDS ((int) (sizeof kinds / sizeof kinds[0]))

/* ---- bytes ---- */

static bool
same_ids(const RmlRatingIds *got, const RmlRatingIds *wanted)
{
	bool same = got->n == wanted->n && (got->texts == NULL) == (wanted->texts == NULL) &&
				(got->numbers == NULL) == (wanted->numbers == NULL);

	for (int32_t x = 0; same && x < got->n; x++)
		same = got->texts != NULL ? strcmp(got->texts[x], wanted->texts[x]) == 0
								  : got->numbers[x] == wanted->numbers[x];
	return same;
}

static bool
same_factors(const RmlFactors *got, const RmlFactors *wanted)
{
	size_t u = sizeof(float) * SVDPP_USERS, i = sizeof(float) * SVDPP_ITEMS;

	return got->n_users == wanted->n_users && got->n_items == wanted->n_items &&
		   got->f == wanted->f && got->s == wanted->s && got->mean == wanted->mean &&
		   memcmp(got->bu, wanted->bu, u) == 0 && memcmp(got->bi, wanted->bi, i) == 0 &&
		   memcmp(got->p, wanted->p, u * SVDPP_STRIDE) == 0 &&
		   memcmp(got->q, wanted->q, i * SVDPP_STRIDE) == 0 &&
		   (got->y == NULL ? wanted->y == NULL : memcmp(got->y, wanted->y, i * SVDPP_STRIDE) == 0);
}

static bool
same_ratings(const RmlSvdpp *got, const RmlSvdpp *wanted)
{
	return got->n == wanted->n && got->low == wanted->low && got->high == wanted->high &&
		   memcmp(got->starts, wanted->starts, sizeof(int64_t) * (SVDPP_USERS + 1)) == 0 &&
		   memcmp(got->seen, wanted->seen, sizeof(int32_t) * SVDPP_RATINGS) == 0 &&
		   memcmp(got->buyers, wanted->buyers, sizeof(int64_t) * SVDPP_ITEMS) == 0;
}

static bool
same_errors(const RmlSvdpp *got, const RmlSvdpp *wanted)
{
	return memcmp(&got->test, &wanted->test, sizeof got->test) == 0 &&
		   got->train_rmse == wanted->train_rmse && got->n_epochs == wanted->n_epochs &&
		   got->n_history == wanted->n_history &&
		   memcmp(got->history, wanted->history, sizeof(RmlSvdppEpoch) * 2) == 0;
}

static void
test_round(RmlEnv *env, SvdppKind kind)
{
	SvdppSample *s = svdpp_sample(env, kind);
	RmlModel model = {0};
	RmlWriter writer, again;
	const RmlSvdpp *back;

	svdpp_sample_encode(s, env, &writer);
	if (!unit_equal_string(rml_model_decode(&model, env, writer.bytes, writer.length), NULL,
						   "a model of %s ids is read", kind.text ? "text" : "bigint"))
		return;
	back = model.fitted;
	unit_ok(same_ids(&back->users, &s->model.users) && same_ids(&back->items, &s->model.items),
			"its ids,");
	unit_ok(same_factors(&back->factors, &s->model.factors), "factors, with zeros in the gaps,");
	unit_ok(same_ratings(back, &s->model), "ratings, and the buyers that follow from them,");
	unit_ok(same_errors(back, &s->model), "and errors are as they were");
	unit_ok(model.algorithm == &rml_svdpp_algorithm && back->params == model.params, "it is one");
	rml_model_encode(&again, env, model.algorithm, &model.schema, model.params, model.fitted);
	unit_ok(again.length == writer.length && memcmp(again.bytes, writer.bytes, writer.length) == 0,
			"written again it is the same");
}

/* 3 factors take 12 bytes of the 32 in memory; two vectors have no padding of their own */
static void
test_size(RmlEnv *env)
{
	RmlWriter with, without;

	svdpp_sample_encode(svdpp_sample(env, kinds[0]), env, &with);
	svdpp_sample_encode(svdpp_sample(env, (SvdppKind){false, true, false, true}), env, &without);
	unit_equal_int((int64_t) (with.length - without.length),
				   16 + (SVDPP_ITEMS * SVDPP_FACTORS * 4 + 7) / 8 * 8,
				   "vectors are kept without gaps");
	svdpp_sample_encode(svdpp_sample(env, (SvdppKind){false, false, true, true}), env, &without);
	unit_equal_int((int64_t) (with.length - without.length), 3 * 16 + 8 + 16 + 24,
				   "biases only where there are some");
}

/* what is left out: headers, options, the errors of two epochs */
static void
test_expected_size(RmlEnv *env, SvdppKind kind)
{
	SvdppSample *s = svdpp_sample(env, kind);
	RmlRatings ratings = {.n = s->model.n};
	RmlWriter writer;
	size_t expected =
		rml_svdpp_model_bytes(&s->params, env, &ratings, &s->model.users, &s->model.items);

	svdpp_sample_encode(s, env, &writer);
	unit_ok(expected <= writer.length && writer.length - expected < 2000,
			"a model of %d bytes is announced with %d", (int) writer.length, (int) expected);
}

static void
seal(uint8_t *bytes, size_t length)
{
	uint64_t stored = length;
	uint32_t crc;

	memcpy(bytes + 16, &stored, 8);
	crc = rml_model_crc(bytes, length);
	memcpy(bytes + 12, &crc, 4);
}

static void
test_truncated(RmlEnv *env, SvdppKind kind)
{
	RmlWriter writer;
	int64_t accepted = 0;

	svdpp_sample_encode(svdpp_sample(env, kind), env, &writer);
	for (size_t length = 24; length < writer.length; length += 8)
	{
		uint8_t *copy = malloc(length);
		RmlModel model = {0};

		memcpy(copy, writer.bytes, length);
		seal(copy, length);
		accepted += rml_model_decode(&model, env, copy, length) == NULL;
		free(copy);
	}
	unit_equal_int(accepted, 0, "cut anywhere, with its checksum put right, it is refused");
}

/* ---- a model that nobody trained: the sample is changed, and written as it is */

static const char *
refused(RmlEnv *env, const SvdppSample *s)
{
	RmlModel model = {0};
	RmlWriter writer;

	svdpp_sample_encode(s, env, &writer);
	return rml_model_decode(&model, env, writer.bytes, writer.length);
}

#define REFUSED(kind, change, reason, what) \
	do \
	{ \
		SvdppSample *s = svdpp_sample(env, kinds[kind]); \
\
		change; \
		unit_contains(refused(env, s), reason, what); \
	} while (0)

static void
test_forged_ids(RmlEnv *env)
{
	REFUSED(0, s->user_numbers[2] = -7, "not in order", "a user twice");
	REFUSED(0, s->item_numbers[0] = 5, "not in order", "items that do not ascend");
	REFUSED(0, s->user_numbers[0] = INT64_MAX, "not in order", "the last user first");
	REFUSED(1, s->user_texts[2] = s->user_texts[1], "not in order", "a text twice");
	REFUSED(1, s->item_texts[4] = s->item_texts[0], "not in order", "texts that do not ascend");
	REFUSED(1, s->item_texts[3] = (char *) "\xC3\xBC", "not in order", "bytes are not signed");
	REFUSED(0, s->model.users.n = 0, "", "no users");
}

static void
test_forged_ratings(RmlEnv *env)
{
	REFUSED(0, s->starts[0] = 1, "share out", "ratings of nobody");
	REFUSED(0, s->starts[4] = 7, "share out", "or too few");
	REFUSED(0, s->starts[2] = 3, "share out", "a user who ends before it begins");
	REFUSED(0, s->starts[2] = INT64_MAX, "share out", "or far behind");
	REFUSED(0, s->starts[1] = INT64_MIN, "share out", "or far before");
	REFUSED(0, s->seen[1] = 0, "items of a user", "an item twice");
	REFUSED(0, s->seen[3] = 1, "items of a user", "items that do not ascend");
	REFUSED(0, s->seen[7] = SVDPP_ITEMS, "items of a user", "an item that there is not");
	REFUSED(0, s->seen[0] = -1, "items of a user", "or below all");
	REFUSED(0, s->model.low = 6, "range", "a range upside down");
	REFUSED(0, s->model.high = NAN, "not finite", "or none");
}

static void
test_forged_numbers(RmlEnv *env)
{
	REFUSED(0, s->q[SVDPP_STRIDE + 2] = INFINITY, "not finite", "an infinite factor");
	REFUSED(0, s->bi[4] = NAN, "not finite", "a bias that is none");
	REFUSED(0, s->model.factors.mean = NAN, "not finite", "a mean that is none");
	REFUSED(0, s->model.test.verdict = (RmlVerdict) 3, "out of range", "an unknown verdict");
	REFUSED(0, s->model.test.n = -1, "out of range", "fewer than no ratings");
	REFUSED(0, s->model.test.mae = -0.5, "out of range", "a negative error");
	REFUSED(0, s->model.test.biases_rmse = INFINITY, "out of range", "an infinite one");
	REFUSED(0, s->model.train_rmse = -1, "out of range", "of training too");
	REFUSED(0, s->history[1].holdout_rmse = -1, "out of range", "or in the history");
	REFUSED(0, s->model.n_epochs = 21, "out of range", "more epochs than were asked for");
	REFUSED(0, s->params.n_epochs = 1, "out of range", "a history longer than the training");
	REFUSED(0, s->params.n_factors = 4, "not what is expected",
			"other factors than the options say");
	REFUSED(0, s->params.implicit_feedback = 0, "not what is expected", "more than they say");
	REFUSED(3, s->params.implicit_feedback = 1, "not what is expected", "or less");
}

static void
test_not_tested(RmlEnv *env)
{
	SvdppSample *s = svdpp_sample(env, kinds[0]);

	s->model.test = (RmlSvdppTest){RML_VERDICT_NOT_TESTED, 0, NAN, NAN, NAN, NAN, NAN, NAN};
	s->model.train_rmse = NAN;
	s->model.n_history = 0;
	unit_equal_string(refused(env, s), NULL, "a model that was not tested is one");
	s->model.test.z = -INFINITY;
	unit_equal_string(refused(env, s), NULL, "so is one whose errors do not vary");
}

/* ---- parts of a prediction ---- */

static double
sum_of(const RmlSvdppPart *parts, int64_t n)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += parts[i].contribution;
	return sum;
}

static double
predicted(const RmlSvdpp *model, int32_t user, int32_t item)
{
	double w[SVDPP_FACTORS];

	rml_svdpp_user(model, user, w);
	return rml_svdpp_predict(model, user, item, w);
}

/* in the order of sources, and items of one user by contribution */
static bool
in_order(const RmlSvdppPart *parts, int64_t n)
{
	bool order = true;

	for (int64_t i = 1; i < n; i++)
		order = order &&
				(parts[i - 1].source < parts[i].source ||
				 (parts[i].source == RML_SOURCE_ITEM && parts[i - 1].source == RML_SOURCE_ITEM &&
				  parts[i - 1].contribution >= parts[i].contribution));
	return order;
}

static void
test_parts(RmlEnv *env, SvdppKind kind)
{
	const SvdppSample *s = svdpp_sample(env, kind);
	bool sums = true, order = true, counts = true;

	for (int32_t user = -1; user < SVDPP_USERS; user++)
		for (int32_t item = -1; item < SVDPP_ITEMS; item++)
		{
			int64_t n, items = 0, own = user < 0 ? 0 : s->starts[user + 1] - s->starts[user];
			RmlSvdppPart *parts = rml_svdpp_explain(&s->model, env, user, item, &n);

			for (int64_t i = 0; i < n; i++)
				items += parts[i].source == RML_SOURCE_ITEM;
			sums = sums && fabs(sum_of(parts, n) - predicted(&s->model, user, item)) < 1e-12;
			order = order && in_order(parts, n);
			counts = counts && items == (item >= 0 && kind.implicit ? own : 0);
		}
	unit_ok(sums, "parts add up to the prediction, of unknown ids too");
	unit_ok(order, "in their order");
	unit_ok(counts, "and every item of the user is one");
}

/*
 * One factor; user 0 has the items 0, 1, 2, 4, so a y counts half.  q = 2, p = 0.5, y = 1, -1, 1, 0.25:
 * 3.5 + 0.5 + 0.25 + 1 + (1 - 1 + 1 + 0.25) = 6.5, over the limit of 5.
 */
static void
test_by_hand(RmlEnv *env)
{
	static const RmlSvdppPart wanted[] = {
		{RML_SOURCE_MEAN, -1, 3.5},       {RML_SOURCE_USER_BIAS, -1, 0.5},
		{RML_SOURCE_ITEM_BIAS, -1, 0.25}, {RML_SOURCE_FACTORS, -1, 1},
		{RML_SOURCE_ITEM, 0, 1},          {RML_SOURCE_ITEM, 2, 1},
		{RML_SOURCE_ITEM, 4, 0.25},       {RML_SOURCE_ITEM, 1, -1},
		{RML_SOURCE_LIMIT, -1, -1.5}};
	static const float y[] = {1, -1, 1, 9, 0.25f};
	SvdppSample *s = svdpp_sample(env, kinds[0]);
	RmlSvdppPart *parts;
	int64_t n;
	bool same;

	s->params.n_factors = s->model.factors.f = 1;
	s->q[0] = 2;
	s->p[0] = 0.5f;
	for (int item = 0; item < SVDPP_ITEMS; item++)
		s->y[item * SVDPP_STRIDE] = y[item];
	parts = rml_svdpp_explain(&s->model, env, 0, 0, &n);
	unit_equal_int(n, 9, "mean, biases, factors, four items, limit");
	same = n == 9;
	for (int64_t i = 0; same && i < n; i++)
		same = parts[i].source == wanted[i].source && parts[i].item == wanted[i].item &&
			   parts[i].contribution == wanted[i].contribution;
	unit_ok(same, "as worked out by hand, ties in order of items");
	s->params.clip = 0;
	(void) rml_svdpp_explain(&s->model, env, 0, 0, &n);
	unit_equal_int(n, 8, "no limit where there is none");
	(void) rml_svdpp_explain(&s->model, env, -1, 0, &n);
	unit_equal_int(n, 2, "of an unknown user: mean and item bias");
	(void) rml_svdpp_explain(&s->model, env, 0, -1, &n);
	unit_equal_int(n, 2, "of an unknown item: mean and user bias");
	s->params.biased = 0;
	(void) rml_svdpp_explain(&s->model, env, -1, -1, &n);
	unit_equal_int(n, 1, "of nothing that is known: the mean, also where it is 0");
}

/* a million users who have the one item, ids as texts or numbers: each of four checks takes four steps */
static void
check_polls(bool text)
{
	enum
	{
		USERS = 1 << 20
	};
	RmlEnv *env = unit_env(1);
	SvdppSample *s = svdpp_sample(env, kinds[text ? 1 : 0]);
	RmlSvdpp *model = &s->model;
	RmlFactors *factors = &model->factors;
	RmlWriter writer;
	RmlModel back = {0};
	RmlRatings ratings = {.n = USERS};
	int64_t before;
	size_t expected;

	s->params.n_factors = factors->f = 1;
	model->users.n = factors->n_users = USERS;
	model->n = USERS;
	model->users.numbers = text ? NULL : RML_NEW(env, int64_t, USERS);
	model->users.texts = text ? RML_NEW(env, char *, USERS) : NULL;
	model->starts = RML_NEW(env, int64_t, USERS + 1);
	model->seen = RML_NEW_ZERO(env, int32_t, USERS);
	factors->bu = RML_NEW_ZERO(env, float, USERS);
	factors->p = RML_NEW_ZERO(env, float, (size_t) USERS *SVDPP_STRIDE);
	for (int64_t u = 0; u <= USERS; u++)
		model->starts[u] = u;
	for (int64_t u = 0; u < USERS; u++)
		if (text)
			model->users.texts[u] = rml_format(env, "%07d", (int) u);
		else
			model->users.numbers[u] = u;
	expected = rml_svdpp_model_bytes(&s->params, env, &ratings, &model->users, &model->items);
	before = unit_env_polls(env);
	svdpp_sample_encode(s, env, &writer);
	unit_ok(unit_env_polls(env) - before >= (text ? 16 : 1), "a large model is written in steps");
	before = unit_env_polls(env);
	unit_ok(writer.length - expected < 2000, "as large as was announced, %d", (int) expected);
	unit_equal_string(rml_model_decode(&back, env, writer.bytes, writer.length), NULL, "and read");
	unit_ok(unit_env_polls(env) - before >= (text ? 32 : 16), "in steps (%d)",
			(int) (unit_env_polls(env) - before));
	unit_env_free(env);
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	for (int kind = 0; kind < KINDS; kind++)
	{
		test_round(env, kinds[kind]);
		test_expected_size(env, kinds[kind]);
		test_truncated(env, kinds[kind]);
		test_parts(env, kinds[kind]);
	}
	test_size(env);
	test_forged_ids(env);
	test_forged_ratings(env);
	test_forged_numbers(env);
	test_not_tested(env);
	test_by_hand(env);
	check_polls(false);
	check_polls(true);
	unit_env_free(env);
	return unit_done();
}
