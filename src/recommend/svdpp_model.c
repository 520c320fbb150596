/*
 * svdpp_model.c
 *	  The SVD++ model as bytes, and what model_info() tells of it.
 *
 * Vectors are kept as f numbers each and spread to the stride of the kernels on the way in.  What
 * follows from the rest (buyers of an item) is not kept.  Everything that is used as an index, and every
 * order that a search relies on, is checked; the checks are written as loops without branches, since a
 * model of many ratings is decoded once per query and the time is felt.
 */
#include "retailml/svdpp.h"

#include <math.h>
#include <string.h>

#define TAG_KIND RML_TAG('I', 'D', 'K', 'D')
#define TAG_COUNT RML_TAG('C', 'O', 'N', 'T')
#define TAG_USERS RML_TAG('U', 'S', 'E', 'R')
#define TAG_ITEMS RML_TAG('I', 'T', 'E', 'M')
#define TAG_MEAN RML_TAG('M', 'E', 'A', 'N')
#define TAG_USER_BIAS RML_TAG('B', 'U', ' ', ' ')
#define TAG_ITEM_BIAS RML_TAG('B', 'I', ' ', ' ')
#define TAG_P RML_TAG('P', 'U', ' ', ' ')
#define TAG_Q RML_TAG('Q', 'I', ' ', ' ')
#define TAG_Y RML_TAG('Y', 'J', ' ', ' ')
#define TAG_STARTS RML_TAG('S', 'T', 'R', 'T')
#define TAG_SEEN RML_TAG('S', 'E', 'E', 'N')
#define TAG_RANGE RML_TAG('R', 'A', 'N', 'G')
#define TAG_VERDICT RML_TAG('V', 'E', 'R', 'D')
#define TAG_HELD RML_TAG('H', 'E', 'L', 'D')
#define TAG_TEST RML_TAG('T', 'E', 'S', 'T')
#define TAG_TRAIN RML_TAG('T', 'R', 'R', 'M')
#define TAG_EPOCHS RML_TAG('E', 'P', 'O', 'C')
#define TAG_HISTORY RML_TAG('H', 'I', 'S', 'T')

#define TEST_NUMBERS 6
#define STRIDE_MULTIPLE 8
#define POLL_EVERY (1 << 18)

static const char *const verdict_names[] = {"not tested", "not better than the item mean",
											"better than the item mean"};

/* numbers of a test, in the order of test_numbers */
static const char *const test_names[TEST_NUMBERS] = {
	"rmse", "mae", "global_mean_rmse", "item_mean_rmse", "biases_rmse", "z"};

/* ---- to bytes ---- */

static void
encode_ids(const RmlRatingIds *ids, RmlWriter *writer, uint32_t tag)
{
	if (ids->texts != NULL)
		rml_put_strings(writer, tag, ids->texts, (size_t) ids->n);
	else
		rml_put_int64(writer, tag, ids->numbers, (size_t) ids->n);
}

static void
encode_factors(const RmlFactors *factors, RmlWriter *writer, bool biased)
{
	size_t u = (size_t) factors->n_users, i = (size_t) factors->n_items;
	size_t f = (size_t) factors->f, s = (size_t) factors->s;

	if (biased)
	{
		rml_put_double(writer, TAG_MEAN, factors->mean);
		rml_put_float32(writer, TAG_USER_BIAS, factors->bu, u);
		rml_put_float32(writer, TAG_ITEM_BIAS, factors->bi, i);
	}
	rml_put_float32_rows(writer, TAG_P, factors->p, u, f, s);
	rml_put_float32_rows(writer, TAG_Q, factors->q, i, f, s);
	if (factors->y != NULL)
		rml_put_float32_rows(writer, TAG_Y, factors->y, i, f, s);
}

static void
test_numbers(const RmlSvdppTest *test, double *numbers)
{
	numbers[0] = test->rmse;
	numbers[1] = test->mae;
	numbers[2] = test->global_mean_rmse;
	numbers[3] = test->item_mean_rmse;
	numbers[4] = test->biases_rmse;
	numbers[5] = test->z;
}

static void
encode_test(const RmlSvdppTest *test, RmlWriter *writer)
{
	double numbers[TEST_NUMBERS];

	test_numbers(test, numbers);
	rml_put_int(writer, TAG_VERDICT, test->verdict);
	rml_put_int(writer, TAG_HELD, test->n);
	rml_put_float64(writer, TAG_TEST, numbers, TEST_NUMBERS);
}

static void
encode_history(const RmlSvdpp *model, RmlWriter *writer)
{
	size_t n = (size_t) model->n_history;
	double *errors = RML_NEW(writer->env, double, 2 * n);

	for (size_t epoch = 0; epoch < n; epoch++)
	{
		errors[2 * epoch] = model->history[epoch].train_rmse;
		errors[2 * epoch + 1] = model->history[epoch].holdout_rmse;
	}
	rml_put_float64(writer, TAG_TRAIN, &model->train_rmse, 1);
	rml_put_int(writer, TAG_EPOCHS, model->n_epochs);
	rml_put_int(writer, TAG_COUNT, model->n_history);
	rml_put_float64(writer, TAG_HISTORY, errors, 2 * n);
	rml_release(writer->env, errors);
}

void
rml_svdpp_encode(const void *fitted, RmlWriter *writer)
{
	const RmlSvdpp *model = fitted;
	const double range[] = {model->low, model->high};

	rml_put_int(writer, TAG_KIND, model->users.texts != NULL);
	rml_put_int(writer, TAG_COUNT, model->users.n);
	rml_put_int(writer, TAG_COUNT, model->items.n);
	rml_put_int(writer, TAG_COUNT, model->n);
	encode_ids(&model->users, writer, TAG_USERS);
	encode_ids(&model->items, writer, TAG_ITEMS);
	encode_factors(&model->factors, writer, model->params->biased);
	rml_put_int64(writer, TAG_STARTS, model->starts, (size_t) model->users.n + 1);
	rml_put_int32(writer, TAG_SEEN, model->seen, (size_t) model->n);
	rml_put_float64(writer, TAG_RANGE, range, 2);
	encode_test(&model->test, writer);
	encode_history(model, writer);
}

static size_t
ids_bytes(const RmlRatingIds *ids, RmlEnv *env)
{
	size_t bytes = sizeof(int64_t) * (size_t) ids->n;

	for (int32_t x = 0; ids->texts != NULL && x < ids->n; x++)
	{
		bytes += strlen(ids->texts[x]);
		if (x % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
	return bytes;
}

size_t
rml_svdpp_model_bytes(const RmlSvdppParams *params, RmlEnv *env, const RmlRatings *ratings,
					  const RmlRatingIds *users, const RmlRatingIds *items)
{
	size_t u = (size_t) users->n, i = (size_t) items->n;
	size_t vectors = u + i + (params->implicit_feedback ? i : 0);
	size_t numbers = vectors * (size_t) params->n_factors + (params->biased ? u + i : 0);

	return ids_bytes(users, env) + ids_bytes(items, env) + sizeof(float) * numbers +
		   sizeof(int64_t) * (u + 1) + sizeof(int32_t) * (size_t) ratings->n;
}

/* ---- from bytes ---- */

/* of [first, end) of something */
typedef bool (*CheckFn)(const void *what, int64_t first, int64_t end);

static bool
holds(CheckFn check, const void *what, int64_t n, RmlEnv *env)
{
	for (int64_t first = 0; first < n; first += POLL_EVERY)
	{
		if (!check(what, first, first + POLL_EVERY < n ? first + POLL_EVERY : n))
			return false;
		rml_poll(env);
	}
	return true;
}

static bool
numbers_ascend(const void *what, int64_t first, int64_t end)
{
	const int64_t *numbers = what;
	bool ascend = true;

	for (int64_t x = first > 0 ? first : 1; x < end; x++)
		ascend &= numbers[x - 1] < numbers[x];
	return ascend;
}

static bool
texts_ascend(const void *what, int64_t first, int64_t end)
{
	char *const *texts = what;

	for (int64_t x = first > 0 ? first : 1; x < end; x++)
		if (strcmp(texts[x - 1], texts[x]) >= 0)
			return false;
	return true;
}

static void
decode_ids(RmlRatingIds *ids, RmlReader *reader, uint32_t tag, bool text)
{
	bool ascend = true;

	if (text)
	{
		ids->texts = rml_get_strings(reader, tag, (size_t) ids->n);
		if (ids->texts != NULL)
			ascend = holds(texts_ascend, ids->texts, ids->n, reader->env);
	}
	else
	{
		ids->numbers = rml_get_int64(reader, tag, (size_t) ids->n);
		if (ids->numbers != NULL)
			ascend = holds(numbers_ascend, ids->numbers, ids->n, reader->env);
	}
	if (!ascend)
		rml_reader_fail(reader, "the ids of the svdpp model are not in order");
}

/* zeros for a model that has none; the ids, which are as many, are in memory already */
static void
decode_biases(RmlSvdpp *model, RmlReader *reader)
{
	RmlFactors *factors = &model->factors;
	size_t u = (size_t) model->users.n, i = (size_t) model->items.n;

	if (model->params->biased)
	{
		factors->mean = rml_get_double(reader, TAG_MEAN);
		factors->bu = rml_get_float32(reader, TAG_USER_BIAS, u);
		factors->bi = rml_get_float32(reader, TAG_ITEM_BIAS, i);
	}
	else if (reader->error == NULL)
	{
		factors->bu = RML_NEW_ZERO(reader->env, float, u);
		factors->bi = RML_NEW_ZERO(reader->env, float, i);
	}
}

static void
decode_factors(RmlSvdpp *model, RmlReader *reader)
{
	RmlFactors *factors = &model->factors;
	size_t u = (size_t) model->users.n, i = (size_t) model->items.n;
	size_t f = (size_t) model->params->n_factors;
	size_t s = (f + STRIDE_MULTIPLE - 1) / STRIDE_MULTIPLE * STRIDE_MULTIPLE;

	factors->n_users = model->users.n;
	factors->n_items = model->items.n;
	factors->f = (int) f;
	factors->s = (int) s;
	decode_biases(model, reader);
	factors->p = rml_get_float32_rows(reader, TAG_P, u, f, s);
	factors->q = rml_get_float32_rows(reader, TAG_Q, i, f, s);
	if (model->params->implicit_feedback)
		factors->y = rml_get_float32_rows(reader, TAG_Y, i, f, s);
}

/* without a step down */
static bool
starts_fit(const void *what, int64_t first, int64_t end)
{
	const int64_t *starts = ((const RmlSvdpp *) what)->starts;
	bool fit = true;

	for (int64_t user = first; user < end; user++)
		fit &= starts[user] <= starts[user + 1];
	return fit;
}

/* items that there are */
static bool
items_fit(const void *what, int64_t first, int64_t end)
{
	const RmlSvdpp *model = what;
	bool fit = true;

	for (int64_t r = first; r < end; r++)
		fit &= (uint32_t) model->seen[r] < (uint32_t) model->items.n;
	return fit;
}

/* ascending within each user; starts are known to fit */
static bool
items_ascend(const RmlSvdpp *model, RmlEnv *env)
{
	const int32_t *seen = model->seen;
	int64_t polled = 0;
	bool ascend = true;

	for (int32_t user = 0; user < model->users.n; user++)
	{
		for (int64_t r = model->starts[user] + 1; r < model->starts[user + 1]; r++)
			ascend &= seen[r - 1] < seen[r];
		if (model->starts[user + 1] + user < polled + POLL_EVERY)
			continue;
		polled = model->starts[user + 1] + user;
		rml_poll(env);
	}
	return ascend;
}

static bool
shares_fit(const RmlSvdpp *model, RmlEnv *env)
{
	return model->starts[0] == 0 && model->starts[model->users.n] == model->n &&
		   holds(starts_fit, model, model->users.n, env);
}

static void
count_buyers(RmlSvdpp *model, RmlEnv *env)
{
	model->buyers = RML_NEW_ZERO(env, int64_t, (size_t) model->items.n);
	for (int64_t r = 0; r < model->n; r++)
	{
		model->buyers[model->seen[r]]++;
		if (r % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
}

static void
decode_seen(RmlSvdpp *model, RmlReader *reader)
{
	model->starts = rml_get_int64(reader, TAG_STARTS, (size_t) model->users.n + 1);
	model->seen = rml_get_int32(reader, TAG_SEEN, (size_t) model->n);
	if (reader->error != NULL)
		return;
	if (!shares_fit(model, reader->env))
		rml_reader_fail(reader, "the users of the svdpp model do not share out its ratings");
	else if (!holds(items_fit, model, model->n, reader->env) || !items_ascend(model, reader->env))
		rml_reader_fail(reader, "the items of a user in the svdpp model are damaged");
	else
		count_buyers(model, reader->env);
}

static void
decode_range(RmlSvdpp *model, RmlReader *reader)
{
	const double *range = rml_get_finite(reader, TAG_RANGE, 2);

	if (range == NULL)
		return;
	model->low = range[0];
	model->high = range[1];
	if (model->low > model->high)
		rml_reader_fail(reader, "the range of the svdpp model is empty");
}

/* an error, or NaN where there is none */
static double
check_error(RmlReader *reader, double error)
{
	if (!isnan(error) && !(error >= 0 && isfinite(error)))
		rml_reader_fail(reader, "an error of the svdpp model is out of range");
	return error;
}

static void
decode_test(RmlSvdppTest *test, RmlReader *reader)
{
	const double *numbers;

	test->verdict = (RmlVerdict) rml_get_int(reader, TAG_VERDICT, 0, RML_VERDICT_BETTER);
	test->n = rml_get_int(reader, TAG_HELD, 0, INT64_MAX);
	numbers = rml_get_float64(reader, TAG_TEST, TEST_NUMBERS);
	if (numbers == NULL)
		return;
	test->rmse = check_error(reader, numbers[0]);
	test->mae = check_error(reader, numbers[1]);
	test->global_mean_rmse = check_error(reader, numbers[2]);
	test->item_mean_rmse = check_error(reader, numbers[3]);
	test->biases_rmse = check_error(reader, numbers[4]);
	/* of any sign, and NaN or infinite when the errors do not vary */
	test->z = numbers[5];
}

static void
decode_history(RmlSvdpp *model, RmlReader *reader)
{
	const double *train = rml_get_float64(reader, TAG_TRAIN, 1);
	const double *errors;

	model->n_epochs = (int) rml_get_int(reader, TAG_EPOCHS, 0, model->params->n_epochs);
	model->n_history = (int) rml_get_int(reader, TAG_COUNT, 0, model->params->n_epochs);
	errors = rml_get_float64(reader, TAG_HISTORY, 2 * (size_t) model->n_history);
	if (reader->error != NULL)
		return;
	model->train_rmse = check_error(reader, train[0]);
	model->history = RML_NEW(reader->env, RmlSvdppEpoch, (size_t) model->n_history);
	for (int epoch = 0; epoch < model->n_history; epoch++)
	{
		model->history[epoch].train_rmse = check_error(reader, errors[2 * epoch]);
		model->history[epoch].holdout_rmse = check_error(reader, errors[2 * epoch + 1]);
	}
}

void *
rml_svdpp_decode(RmlReader *reader, const RmlSchema *schema, const void *params)
{
	RmlSvdpp *model = RML_NEW_ZERO(reader->env, RmlSvdpp, 1);
	bool text;

	model->params = params;
	if (schema->n_features != 0)
		rml_reader_fail(reader, "an svdpp model has no features");
	text = rml_get_int(reader, TAG_KIND, 0, 1) == 1;
	model->users.n = (int32_t) rml_get_int(reader, TAG_COUNT, 1, INT32_MAX);
	model->items.n = (int32_t) rml_get_int(reader, TAG_COUNT, 1, INT32_MAX);
	model->n = rml_get_int(reader, TAG_COUNT, 1, INT64_MAX);
	decode_ids(&model->users, reader, TAG_USERS, text);
	decode_ids(&model->items, reader, TAG_ITEMS, text);
	decode_factors(model, reader);
	decode_seen(model, reader);
	decode_range(model, reader);
	decode_test(&model->test, reader);
	decode_history(model, reader);
	return model;
}

/* ---- model_info() ---- */

static void
describe_test(const RmlSvdppTest *test, RmlInfo *info)
{
	double numbers[TEST_NUMBERS];

	test_numbers(test, numbers);
	info->begin_object(info, "verdict");
	info->text(info, "verdict", verdict_names[test->verdict]);
	info->integer(info, "ratings", test->n);
	for (int i = 0; i < TEST_NUMBERS; i++)
		info->number(info, test_names[i], test->n > 0 ? numbers[i] : NAN);
	info->end_object(info);
}

void
rml_svdpp_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info)
{
	const RmlSvdpp *model = fitted;

	(void) schema;
	info->text(info, "id_type", model->users.texts != NULL ? "text" : "bigint");
	info->integer(info, "n_users", model->users.n);
	info->integer(info, "n_items", model->items.n);
	info->integer(info, "n_ratings", model->n);
	info->number(info, "mean", model->factors.mean);
	info->number(info, "low", model->low);
	info->number(info, "high", model->high);
	info->integer(info, "epochs", model->n_epochs);
	info->number(info, "train_rmse", model->train_rmse);
	describe_test(&model->test, info);
}
