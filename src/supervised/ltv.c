/*
 * ltv.c
 *	  The lifetime-value model: two parts of boosted trees.
 */
#include "retailml/ltv.h"

#include <math.h>
#include <string.h>

#include "retailml/boost.h"
#include "retailml/linreg.h"

#define LTV_VERSION 1

#define TAG_LTV RML_TAG('L', 'T', 'V', ' ')
#define TAG_FLAGS RML_TAG('L', 'T', 'f', 'l')

#define POLL_ROWS 100000

/* penalty of the trend's coefficients, of z-scores: as if so many rows spoke for none */
#define TREND_L2 10.0

static const char *const amount_names[] = {"auto", "linear", "log", "trend", NULL};

static const RmlOption ltv_options[] = {
	RML_SUPERVISED_OPTIONS(RmlLtvParams),
	RML_TEXT_OPTION(RmlLtvParams, group),
	RML_INT_OPTION(RmlLtvParams, folds, 5, 2, 100),
	RML_CHOICE_OPTION(RmlLtvParams, amount, RML_LTV_AUTO, amount_names),
};

/* ---- the two parts ---- */

/* an algorithm with its defaults and the options all have in common */
static RmlPart
new_part(RmlEnv *env, const RmlAlgorithm *algorithm, const RmlLtvParams *params)
{
	void *own = rml_alloc_zero(env, algorithm->params_size);
	const RmlOptionSet options = {algorithm->options, algorithm->n_options, own};

	rml_options_default(&options);
	*(RmlSupervisedParams *) own = params->common;
	return (RmlPart){algorithm, own, NULL};
}

static RmlPart
new_trend(RmlEnv *env, const RmlLtvParams *params)
{
	RmlPart part = new_part(env, &rml_linreg_algorithm, params);

	((RmlLinregParams *) part.params)->l2 = TREND_L2;
	return part;
}

/* label: is there a purchase? */
static void
buying_rows(RmlEnv *env, const RmlTrainingSet *rows, RmlTrainingSet *out)
{
	static char *const names[] = {"no", "yes"};
	int32_t *classes = RML_NEW(env, int32_t, (size_t) rows->n);
	RmlTarget *target = &out->target;

	*out = *rows;
	*target = (RmlTarget){.name = rows->target.name,
						  .task = RML_CLASSIFICATION,
						  .n_classes = 2,
						  .classes = (char **) names,
						  .counts = RML_NEW_ZERO(env, int64_t, 2)};
	for (int64_t i = 0; i < rows->n; i++)
		target->counts[classes[i] = rows->y[i] > 0]++;
	out->classes = classes;
	out->y = NULL;
}

/* the rows with a purchase, and its amount */
static void
amount_rows(RmlEnv *env, const RmlTrainingSet *rows, int64_t n, bool logarithm, RmlTrainingSet *out)
{
	size_t d_num = (size_t) rows->schema->d_num, d_cat = (size_t) rows->schema->d_cat;
	double *numbers = RML_NEW(env, double, (size_t) n *d_num);
	int32_t *codes = RML_NEW(env, int32_t, (size_t) n * d_cat);
	double *y = RML_NEW(env, double, (size_t) n);
	double *weights = rows->weights == NULL ? NULL : RML_NEW(env, double, (size_t) n);
	size_t j = 0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		if (i % POLL_ROWS == 0)
			rml_poll(env);
		if (!(rows->y[i] > 0))
			continue;
		memcpy(numbers + j * d_num, rows->numbers + (size_t) i * d_num, sizeof(double) * d_num);
		memcpy(codes + j * d_cat, rows->codes + (size_t) i * d_cat, sizeof(int32_t) * d_cat);
		if (weights != NULL)
			weights[j] = rows->weights[i];
		y[j++] = logarithm ? log(rows->y[i]) : rows->y[i];
	}
	*out = *rows;
	out->n = n;
	out->numbers = numbers;
	out->codes = codes;
	out->weights = weights;
	out->y = y;
}

static double
part_predict(const RmlPart *part, const double *numbers, const int32_t *codes)
{
	return part->algorithm->predict(part->fitted, numbers, codes);
}

/* what exp(prediction) must be multiplied by */
static double
smearing_factor(RmlEnv *env, const RmlPart *part, const RmlTrainingSet *rows)
{
	int d_num = rows->schema->d_num, d_cat = rows->schema->d_cat;
	double truth = 0.0, predicted = 0.0;

	for (int64_t i = 0; i < rows->n; i++)
	{
		double w = rows->weights == NULL ? 1.0 : rows->weights[i];

		truth += w * exp(rows->y[i]);
		predicted +=
			w * exp(part_predict(part, rows->numbers + i * d_num, rows->codes + i * d_cat));
		if (i % 1000 == 0)
			rml_poll(env);
	}
	return predicted > 0 ? truth / predicted : 1.0;
}

static int64_t
count_buyers(const double *y, int64_t n)
{
	int64_t buyers = 0;

	for (int64_t i = 0; i < n; i++)
		buyers += y[i] > 0;
	return buyers;
}

/* of the rows of a fold, and before that of all rows */
static const char *
check_label(RmlTask task, const double *y, int64_t n)
{
	if (task != RML_REGRESSION)
		return "the label must be a number, the money spent";
	if (count_buyers(y, n) == 0)
		return "the label is not positive in any row: there is nothing to learn";
	return NULL;
}

static const char *
check(RmlEnv *env, const void *params, const RmlTrainingSet *rows)
{
	(void) env, (void) params;
	if (rows->n > INT32_MAX)
		return "there are more rows than trees can be grown on";
	return check_label(rows->target.task, rows->y, rows->n);
}

static const char *
fit_buys(RmlEnv *env, const RmlLtvParams *params, const RmlTrainingSet *rows, RmlLtv *model)
{
	const char *reason = NULL;
	RmlTrainingSet part;

	model->buys = new_part(env, &rml_boost_algorithm, params);
	buying_rows(env, rows, &part);
	model->buys.fitted = rml_boost_learner.fit(env, model->buys.params, &part, &reason);
	rml_release(env, (void *) part.classes);
	return reason;
}

/* a line through the amounts, which become what it leaves */
static const char *
fit_trend(RmlEnv *env, const RmlLtvParams *params, RmlTrainingSet *rows, RmlLtv *model)
{
	int d_num = rows->schema->d_num, d_cat = rows->schema->d_cat;
	double *y = (double *) rows->y;
	const char *reason = NULL;

	model->trend = new_trend(env, params);
	model->trend.fitted = rml_linreg_learner.fit(env, model->trend.params, rows, &reason);
	for (int64_t i = 0; i < rows->n && reason == NULL; i++)
	{
		y[i] -= part_predict(&model->trend, rows->numbers + i * d_num, rows->codes + i * d_cat);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	return reason;
}

static const char *
fit_amount(RmlEnv *env, const RmlLtvParams *params, const RmlTrainingSet *rows, int64_t buyers,
		   RmlLtv *model)
{
	const char *reason = NULL;
	RmlTrainingSet part;

	model->amount = new_part(env, &rml_boost_algorithm, params);
	amount_rows(env, rows, buyers, model->how == RML_LTV_LOG, &part);
	if (model->how == RML_LTV_TREND)
		reason = fit_trend(env, params, &part, model);
	if (reason == NULL)
		model->amount.fitted = rml_boost_learner.fit(env, model->amount.params, &part, &reason);
	if (reason == NULL && model->how == RML_LTV_LOG)
		model->factor = smearing_factor(env, &model->amount, &part);
	rml_release(env, (void *) part.numbers);
	rml_release(env, (void *) part.codes);
	rml_release(env, (void *) part.y);
	rml_release(env, (void *) part.weights);
	return reason;
}

static void *
fit_parts(RmlEnv *env, const void *params_, const RmlTrainingSet *rows, const char **reason)
{
	const RmlLtvParams *params = params_;
	RmlLtv *model = RML_NEW_ZERO(env, RmlLtv, 1);
	int64_t buyers = count_buyers(rows->y, rows->n);

	model->target = rows->target;
	model->buyers = (double) buyers / (double) rows->n;
	model->has_buys = buyers < rows->n;
	model->how = (RmlLtvAmount) params->amount;
	model->factor = 1.0;
	if (model->has_buys)
		*reason = fit_buys(env, params, rows, model);
	if (*reason == NULL)
		*reason = fit_amount(env, params, rows, buyers, model);
	return *reason == NULL ? model : NULL;
}

static size_t
fit_bytes(const void *params, int64_t n, int d_num, int d_cat, int n_classes, int threads)
{
	RmlBoostParams own = {0};
	const RmlOptionSet options = {rml_boost_algorithm.options, rml_boost_algorithm.n_options, &own};

	(void) params, (void) n_classes;
	rml_options_default(&options);
	return 2 * rml_boost_learner.bytes(&own, n, d_num, d_cat, 2, threads) +
		   (size_t) n * ((size_t) d_num * sizeof(double) + (size_t) d_cat * sizeof(int32_t) +
						 2 * sizeof(double) + sizeof(int32_t));
}

const RmlLearner rml_ltv_learner = {
	.algorithm = &rml_ltv_algorithm, .check = check, .bytes = fit_bytes, .fit = fit_parts};

/* ---- the choice ---- */

static const char *const cell_names[] = {"linear", "log", "trend"};

/* one cell for each way to learn the amount; returns how many */
static int
make_cells(RmlEnv *env, const RmlLtvParams *params, RmlCell *cells, char **names)
{
	int n = 0;

	for (int64_t amount = RML_LTV_LINEAR; amount <= RML_LTV_TREND; amount++)
	{
		RmlLtvParams *own;

		if (params->amount != RML_LTV_AUTO && params->amount != amount)
			continue;
		own = RML_NEW(env, RmlLtvParams, 1);
		*own = *params;
		own->amount = amount;
		names[n] = (char *) cell_names[amount - RML_LTV_LINEAR];
		cells[n++] = (RmlCell){.learner = &rml_ltv_learner, .params = own};
	}
	return n;
}

const char *
rml_ltv_fit(RmlEnv *env, const RmlLtvParams *params, const RmlProductRows *rows,
			RmlPrepared *prepared, RmlLtv **out)
{
	RmlCell cells[RML_LTV_AMOUNTS];
	char *names[RML_LTV_AMOUNTS];
	int n = make_cells(env, params, cells, names), best;
	RmlContest comparison;
	void *fitted;
	const char *reason;

	reason = check_label(rows->raw.target.task, rows->raw.y, rows->raw.matrix->n);
	if (reason != NULL)
		return reason;
	reason = rml_product_fit(env, rows, cells, names, n, RML_METRIC_RMSE, prepared, &fitted, &best,
							 &comparison);
	if (reason != NULL)
		return reason;
	*out = fitted;
	(*out)->comparison = comparison;
	return NULL;
}

size_t
rml_ltv_bytes(RmlEnv *env, const RmlLtvParams *params, const RmlProductRows *rows)
{
	RmlCell cells[RML_LTV_AMOUNTS];
	char *names[RML_LTV_AMOUNTS];
	int n = make_cells(env, params, cells, names);

	return rml_product_bytes(env, rows, cells, n);
}

/* ---- scoring ---- */

static double
buying_probability(const RmlLtv *model, const double *numbers, const int32_t *codes)
{
	return model->has_buys ? part_predict(&model->buys, numbers, codes) : 1.0;
}

/* the amount that a score stands for */
static double
amount_of(const RmlLtv *model, double score)
{
	double amount = model->how == RML_LTV_LOG ? model->factor * exp(score) : score;

	return amount > 0 ? amount : 0.0;
}

static double
amount_score(const RmlLtv *model, const double *numbers, const int32_t *codes)
{
	double score = part_predict(&model->amount, numbers, codes);

	if (model->how == RML_LTV_TREND)
		score += part_predict(&model->trend, numbers, codes);
	return score;
}

static double
predict(const void *fitted, const double *numbers, const int32_t *codes)
{
	const RmlLtv *model = fitted;

	return buying_probability(model, numbers, codes) *
		   amount_of(model, amount_score(model, numbers, codes));
}

/* what a part says of each feature, added up */
static void
add_contributions(const RmlPart *part, const RmlSchema *schema, RmlEnv *env, const double *numbers,
				  const int32_t *codes, int output, double *contributions, double *base)
{
	double *own = RML_NEW(env, double, (size_t) schema->n_features);
	double own_base;

	part->algorithm->explain(part->fitted, schema, env, numbers, codes, output, own, &own_base);
	for (int i = 0; i < schema->n_features; i++)
		contributions[i] += own[i];
	*base += own_base;
	rml_release(env, own);
}

/* contributions to a score, from base, stretched to add up to the change of what it stands for */
static void
stretch(const RmlLtv *model, double (*scale)(const RmlLtv *, double), int n, double *contributions,
		double base, double *from, double *to)
{
	double sum = 0.0, factor;

	for (int i = 0; i < n; i++)
		sum += contributions[i];
	*from = scale(model, base);
	*to = scale(model, base + sum);
	factor = fabs(sum) > 1e-12 ? (*to - *from) / sum : 0.0;
	for (int i = 0; i < n; i++)
		contributions[i] *= factor;
}

static double
logistic_of(const RmlLtv *model, double score)
{
	(void) model;
	return 1.0 / (1.0 + exp(-score));
}

static void
explain(const void *fitted, const RmlSchema *schema, RmlEnv *env, const double *numbers,
		const int32_t *codes, int output, double *contributions, double *base)
{
	const RmlLtv *model = fitted;
	int n = schema->n_features;
	double *buying = RML_NEW_ZERO(env, double, (size_t) n);
	double p0 = 1.0, p = 1.0, a0, a, start = 0.0, buying_start = 0.0;

	(void) output;
	memset(contributions, 0, sizeof(double) * (size_t) n);
	if (model->has_buys)
	{
		add_contributions(&model->buys, schema, env, numbers, codes, 1, buying, &buying_start);
		stretch(model, logistic_of, n, buying, buying_start, &p0, &p);
	}
	add_contributions(&model->amount, schema, env, numbers, codes, 0, contributions, &start);
	if (model->how == RML_LTV_TREND)
		add_contributions(&model->trend, schema, env, numbers, codes, 0, contributions, &start);
	stretch(model, amount_of, n, contributions, start, &a0, &a);
	for (int i = 0; i < n; i++)
		contributions[i] = 0.5 * (p + p0) * contributions[i] + 0.5 * (a + a0) * buying[i];
	*base = p0 * a0;
	rml_release(env, buying);
}

/* the mean of the two parts of trees */
static void
importance(const void *fitted, const RmlSchema *schema, double *gain, int64_t *splits)
{
	const RmlLtv *model = fitted;
	const RmlTrees *buys;
	double total = 0.0;

	rml_tree_importance(model->amount.fitted, schema, gain, splits);
	if (!model->has_buys)
		return;
	buys = &((const RmlTreeModel *) model->buys.fitted)->trees;
	for (int place = 0; place < buys->d_num + buys->d_cat; place++)
		total += buys->gain[place];
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];
		int place = feature->slot + (feature->kind == RML_CATEGORICAL ? schema->d_num : 0);

		gain[i] = 0.5 * (gain[i] + (total > 0 ? buys->gain[place] / total : 0.0));
		splits[i] += buys->splits[place];
	}
}

/* ---- bytes ---- */

static void
encode(const void *fitted, RmlWriter *writer)
{
	const RmlLtv *model = fitted;
	const double facts[] = {model->factor, model->buyers};
	const int64_t flags[] = {model->has_buys, model->how};

	rml_target_encode(&model->target, writer);
	rml_put_float64(writer, TAG_LTV, facts, 2);
	rml_put_int64(writer, TAG_FLAGS, flags, 2);
	rml_contest_encode(&model->comparison, writer);
	if (model->has_buys)
		rml_part_encode(&model->buys, writer);
	if (model->how == RML_LTV_TREND)
		rml_part_encode(&model->trend, writer);
	rml_part_encode(&model->amount, writer);
}

static bool
parts_fit(const RmlLtv *model)
{
	const RmlTarget *buys = model->has_buys ? model->buys.fitted : NULL;
	const RmlTarget *amount = model->amount.fitted;

	return model->target.task == RML_REGRESSION && amount->task == RML_REGRESSION &&
		   model->amount.algorithm == &rml_boost_algorithm &&
		   (model->how != RML_LTV_TREND || model->trend.algorithm == &rml_linreg_algorithm) &&
		   (buys == NULL ||
			(buys->n_classes == 2 && model->buys.algorithm == &rml_boost_algorithm));
}

static void *
decode(RmlReader *reader, const RmlSchema *schema, const void *params)
{
	RmlLtv *model = rml_alloc_zero(reader->env, sizeof *model);
	const double *facts;
	const int64_t *flags;

	(void) params;
	rml_target_decode(&model->target, reader);
	facts = rml_get_finite(reader, TAG_LTV, 2);
	flags = rml_get_int64(reader, TAG_FLAGS, 2);
	rml_contest_decode(&model->comparison, reader);
	if (reader->error != NULL)
		return model;
	model->factor = facts[0];
	model->buyers = facts[1];
	model->has_buys = flags[0] != 0;
	if ((flags[0] & ~1) != 0 || flags[1] < RML_LTV_LINEAR || flags[1] > RML_LTV_TREND)
	{
		rml_reader_fail(reader, "the parts of the model are damaged");
		return model;
	}
	model->how = (RmlLtvAmount) flags[1];
	if (model->has_buys)
		rml_part_decode(&model->buys, schema, reader);
	if (model->how == RML_LTV_TREND)
		rml_part_decode(&model->trend, schema, reader);
	rml_part_decode(&model->amount, schema, reader);
	if (reader->error == NULL && !parts_fit(model))
		rml_reader_fail(reader, "the parts of the model do not fit together");
	return model;
}

static void
describe(const void *fitted, const RmlSchema *schema, RmlInfo *info)
{
	const RmlLtv *model = fitted;

	(void) schema;
	rml_target_describe(&model->target, info);
	info->number(info, "buyers", model->buyers);
	info->text(info, "amount", amount_names[model->how]);
	rml_contest_describe(&model->comparison, info);
}

const RmlAlgorithm rml_ltv_algorithm = {
	.id = RML_ALGORITHM_LTV,
	.version = LTV_VERSION,
	.name = "ltv",
	.options = ltv_options,
	.n_options = sizeof ltv_options / sizeof ltv_options[0],
	.params_size = sizeof(RmlLtvParams),
	.decode = decode,
	.encode = encode,
	.predict = predict,
	.describe = describe,
	.supervised = true,
	.explain = explain,
	.importance = importance,
};
