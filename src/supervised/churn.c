/*
 * churn.c
 *	  The churn model: candidates, calibration, bands.
 */
#include "retailml/churn.h"

#include <math.h>
#include <string.h>

#include "retailml/platt.h"

#define CHURN_VERSION 1

#define TAG_CALIBRATION RML_TAG('C', 'H', 'c', 'a')
#define TAG_BANDS RML_TAG('C', 'H', 'b', 'a')

#define POLL_ROWS 100000

static const RmlOption churn_options[] = {
	RML_SUPERVISED_OPTIONS(RmlChurnParams),
	RML_TEXT_OPTION(RmlChurnParams, group),
	RML_INT_OPTION(RmlChurnParams, folds, 5, 2, 100),
	RML_FLOAT_OPTION(RmlChurnParams, medium, 0.3, 0, 1),
	RML_FLOAT_OPTION(RmlChurnParams, high, 0.6, 0, 1),
};

const char *const rml_churn_bands[] = {"low", "medium", "high"};

static char *const candidates[] = {"logreg", "forest", "boost"};

#define N_CANDIDATES 3

/* ---- calibration ---- */

/* slope, intercept, and what the calibrated predictions of unseen rows say */
static void
learn_calibration(RmlEnv *env, const RmlRawRows *raw, const double *predictions, RmlChurn *out)
{
	int64_t n = raw->matrix->n;
	double *x = RML_NEW(env, double, (size_t) n);
	const RmlPlattRows rows = {.n = n, .x = x, .classes = raw->classes, .weights = raw->weights};

	for (int64_t i = 0; i < n; i++)
	{
		x[i] = rml_log_odds(predictions[i]);
		if (i % POLL_ROWS == 0)
			rml_poll(env);
	}
	rml_platt_fit(env, &rows, &out->slope, &out->intercept);
	out->log_loss = rml_platt_loss(env, &rows, out->slope, out->intercept);
	for (int64_t i = 0; i < n; i++)
	{
		int band = rml_churn_band(out, rml_logistic(out->slope * x[i] + out->intercept));

		out->rows[band]++;
		out->churned[band] += raw->classes[i];
	}
	rml_release(env, x);
}

/* ---- fit ---- */

const char *
rml_churn_check(const RmlChurnParams *params, const RmlTarget *target)
{
	if (params->medium > params->high)
		return "option \"medium\" must not be larger than \"high\"";
	if (target->n_classes != 2)
		return "the label has more than two classes: a customer leaves or stays";
	return NULL;
}

/* the learners with their defaults and the options all have in common */
static void
make_cells(RmlEnv *env, const RmlChurnParams *params, RmlCell *cells)
{
	for (int c = 0; c < N_CANDIDATES; c++)
	{
		const RmlLearner *learner = rml_learner_by_name(candidates[c]);
		const RmlAlgorithm *algorithm = learner->algorithm;
		void *own = rml_alloc_zero(env, algorithm->params_size);
		const RmlOptionSet options = {algorithm->options, algorithm->n_options, own};

		rml_options_default(&options);
		*(RmlSupervisedParams *) own = params->common;
		cells[c] = (RmlCell){.learner = learner, .params = own};
	}
}

const char *
rml_churn_fit(RmlEnv *env, const RmlChurnParams *params, const RmlProductRows *rows,
			  RmlPrepared *prepared, RmlChurn *out)
{
	RmlCell cells[N_CANDIDATES];
	const char *reason;
	void *fitted;
	int best;

	memset(out, 0, sizeof *out);
	out->target = rows->raw.target;
	out->medium = params->medium;
	out->high = params->high;
	make_cells(env, params, cells);
	reason = rml_product_fit(env, rows, cells, candidates, N_CANDIDATES, RML_METRIC_LOG_LOSS,
							 prepared, &fitted, &best, &out->comparison);
	if (reason != NULL)
		return reason;
	out->part = (RmlPart){cells[best].learner->algorithm, (void *) cells[best].params, fitted};
	learn_calibration(env, &rows->raw, cells[best].predictions, out);
	return NULL;
}

size_t
rml_churn_bytes(RmlEnv *env, const RmlChurnParams *params, const RmlProductRows *rows)
{
	RmlCell cells[N_CANDIDATES];

	make_cells(env, params, cells);
	return rml_product_bytes(env, rows, cells, N_CANDIDATES);
}

/* ---- scoring ---- */

double
rml_churn_predict(const void *fitted, const double *numbers, const int32_t *codes)
{
	const RmlChurn *model = fitted;
	double p = model->part.algorithm->predict(model->part.fitted, numbers, codes);

	return rml_logistic(model->slope * rml_log_odds(p) + model->intercept);
}

static void
proba(const void *fitted, const double *numbers, const int32_t *codes, double *probabilities)
{
	probabilities[1] = rml_churn_predict(fitted, numbers, codes);
	probabilities[0] = 1.0 - probabilities[1];
}

int
rml_churn_band(const RmlChurn *model, double probability)
{
	if (probability >= model->high)
		return 2;
	return probability >= model->medium ? 1 : 0;
}

/* does the part explain a log-odds, or a probability? */
static bool
explains_log_odds(const RmlPart *part)
{
	return part->algorithm->id != RML_ALGORITHM_FOREST && part->algorithm->id != RML_ALGORITHM_TREE;
}

/* the log-odds predict() works with where the part explains this score of class 1 */
static double
score_log_odds(const RmlPart *part, double score)
{
	if (explains_log_odds(part))
		return fmin(fmax(score, rml_log_odds(0.0)), rml_log_odds(1.0));
	return rml_log_odds(score);
}

/* what makes contributions to a score, from start by sum, add up to the change of the log-odds */
static double
stretch_factor(const RmlPart *part, double start, double sum)
{
	double end = start + sum;

	if (fabs(sum) > 1e-9)
		return (score_log_odds(part, end) - score_log_odds(part, start)) / sum;
	/* where nothing changes, the slope at that point */
	return explains_log_odds(part) ? 1.0 : 1.0 / fmax(end * (1.0 - end), RML_LEAST_PROBABILITY);
}

static void
explain(const void *fitted, const RmlSchema *schema, RmlEnv *env, const double *numbers,
		const int32_t *codes, int output, double *contributions, double *base)
{
	const RmlChurn *model = fitted;
	double sum = 0.0, sign = output == 0 ? -1.0 : 1.0, factor;

	model->part.algorithm->explain(model->part.fitted, schema, env, numbers, codes, 1,
								   contributions, base);
	for (int i = 0; i < schema->n_features; i++)
		sum += contributions[i];
	factor = sign * model->slope * stretch_factor(&model->part, *base, sum);
	for (int i = 0; i < schema->n_features; i++)
		contributions[i] *= factor;
	*base = sign * (model->slope * score_log_odds(&model->part, *base) + model->intercept);
}

static void
importance(const void *fitted, const RmlSchema *schema, double *gain, int64_t *splits)
{
	const RmlChurn *model = fitted;

	model->part.algorithm->importance(model->part.fitted, schema, gain, splits);
}

/* ---- bytes ---- */

static void
encode(const void *fitted, RmlWriter *writer)
{
	const RmlChurn *model = fitted;
	const double calibration[] = {model->slope, model->intercept, model->medium, model->high,
								  model->log_loss};
	int64_t bands[2 * RML_CHURN_BANDS];

	memcpy(bands, model->rows, sizeof model->rows);
	memcpy(bands + RML_CHURN_BANDS, model->churned, sizeof model->churned);
	rml_target_encode(&model->target, writer);
	rml_put_float64(writer, TAG_CALIBRATION, calibration, 5);
	rml_put_int64(writer, TAG_BANDS, bands, 2 * RML_CHURN_BANDS);
	rml_contest_encode(&model->comparison, writer);
	rml_part_encode(&model->part, writer);
}

static void *
decode(RmlReader *reader, const RmlSchema *schema, const void *params)
{
	RmlChurn *model = rml_alloc_zero(reader->env, sizeof *model);
	const double *calibration;
	const int64_t *bands;

	(void) params;
	rml_target_decode(&model->target, reader);
	calibration = rml_get_finite(reader, TAG_CALIBRATION, 5);
	bands = rml_get_int64(reader, TAG_BANDS, 2 * RML_CHURN_BANDS);
	rml_contest_decode(&model->comparison, reader);
	rml_part_decode(&model->part, schema, reader);
	if (reader->error != NULL)
		return model;
	model->slope = calibration[0];
	model->intercept = calibration[1];
	model->medium = calibration[2];
	model->high = calibration[3];
	model->log_loss = calibration[4];
	memcpy(model->rows, bands, sizeof model->rows);
	memcpy(model->churned, bands + RML_CHURN_BANDS, sizeof model->churned);
	if (model->target.n_classes != 2 || ((const RmlTarget *) model->part.fitted)->n_classes != 2)
		rml_reader_fail(reader, "the model inside the churn model is not one of two classes");
	return model;
}

static void
describe(const void *fitted, const RmlSchema *schema, RmlInfo *info)
{
	const RmlChurn *model = fitted;

	(void) schema;
	rml_target_describe(&model->target, info);
	info->text(info, "method", model->part.algorithm->name);
	info->number(info, "log_loss", model->log_loss);
	info->begin_object(info, "calibration");
	info->number(info, "slope", model->slope);
	info->number(info, "intercept", model->intercept);
	info->end_object(info);
	rml_contest_describe(&model->comparison, info);
	info->begin_array(info, "bands");
	for (int b = 0; b < RML_CHURN_BANDS; b++)
	{
		info->begin_object(info, NULL);
		info->text(info, "risk", rml_churn_bands[b]);
		info->integer(info, "rows", model->rows[b]);
		info->integer(info, "churned", model->churned[b]);
		info->end_object(info);
	}
	info->end_array(info);
}

const RmlAlgorithm rml_churn_algorithm = {
	.id = RML_ALGORITHM_CHURN,
	.version = CHURN_VERSION,
	.name = "churn",
	.options = churn_options,
	.n_options = sizeof churn_options / sizeof churn_options[0],
	.params_size = sizeof(RmlChurnParams),
	.decode = decode,
	.encode = encode,
	.predict = rml_churn_predict,
	.describe = describe,
	.supervised = true,
	.proba = proba,
	.explain = explain,
	.importance = importance,
};
