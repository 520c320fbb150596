/*
 * churn.c
 *	  The churn model: candidates, calibration, bands.
 */
#include "retailml/churn.h"

#include <math.h>
#include <string.h>

#define CHURN_VERSION 1

#define TAG_CALIBRATION RML_TAG('C', 'H', 'c', 'a')
#define TAG_BANDS RML_TAG('C', 'H', 'b', 'a')

/* the calibration's fit: Newton's method on two numbers */
#define MAX_STEPS 50
#define LEAST_STEP 1e-12

/* log-odds further out than this are all the same */
#define LEAST_PROBABILITY 1e-12

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

static double
log_odds(double p)
{
	p = fmin(fmax(p, LEAST_PROBABILITY), 1.0 - LEAST_PROBABILITY);
	return log(p / (1.0 - p));
}

static double
logistic(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

typedef struct Calibration
{
	int64_t n;
	const double *x; /* [n] log-odds */
	const int32_t *classes;
	const double *weights; /* [n] or NULL */
	double targets[2];     /* in place of 0 and 1 */
} Calibration;

static double
weight_of(const Calibration *c, int64_t i)
{
	return c->weights == NULL ? 1.0 : c->weights[i];
}

/* Platt's targets: as if each class had one more row of the other */
static void
find_targets(Calibration *c)
{
	double counts[2] = {0.0, 0.0};

	for (int64_t i = 0; i < c->n; i++)
		counts[c->classes[i]] += weight_of(c, i);
	c->targets[0] = 1.0 / (counts[0] + 2.0);
	c->targets[1] = (counts[1] + 1.0) / (counts[1] + 2.0);
}

/* gradient and Hessian of the log loss at a slope and an intercept */
static void
derivatives(RmlEnv *env, const Calibration *c, double slope, double intercept, double gradient[2],
			double hessian[3])
{
	memset(gradient, 0, 2 * sizeof(double));
	memset(hessian, 0, 3 * sizeof(double));
	for (int64_t i = 0; i < c->n; i++)
	{
		double p = logistic(slope * c->x[i] + intercept);
		double error = weight_of(c, i) * (p - c->targets[c->classes[i]]);
		double h = weight_of(c, i) * p * (1.0 - p);

		gradient[0] += error * c->x[i];
		gradient[1] += error;
		hessian[0] += h * c->x[i] * c->x[i];
		hessian[1] += h * c->x[i];
		hessian[2] += h;
		if (i % 100000 == 0)
			rml_poll(env);
	}
}

static double
mean_loss(const Calibration *c, double slope, double intercept)
{
	double sum = 0.0, weight = 0.0;

	for (int64_t i = 0; i < c->n; i++)
	{
		double margin = slope * c->x[i] + intercept;

		margin = c->classes[i] != 0 ? margin : -margin;
		sum += weight_of(c, i) * (margin > 0 ? log1p(exp(-margin)) : -margin + log1p(exp(margin)));
		weight += weight_of(c, i);
	}
	return sum / weight;
}

/*
 * The loss is convex; where a Newton step is too long, half of it is tried.  Predictions that are all the same
 * leave the slope where it is.
 */
static void
calibrate(RmlEnv *env, const Calibration *c, double *slope, double *intercept)
{
	double loss;

	*slope = 1.0;
	*intercept = 0.0;
	loss = mean_loss(c, *slope, *intercept);
	for (int step = 0; step < MAX_STEPS; step++)
	{
		double gradient[2], hessian[3], determinant, ds, di, size = 1.0, next;

		derivatives(env, c, *slope, *intercept, gradient, hessian);
		hessian[0] += 1e-9 * (1.0 + hessian[0]);
		hessian[2] += 1e-9 * (1.0 + hessian[2]);
		determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
		ds = (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant;
		di = (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant;
		if (!isfinite(ds) || !isfinite(di))
			return;
		next = mean_loss(c, *slope - ds, *intercept - di);
		for (; next > loss + 1e-3 && size > 1e-6; size /= 2)
			next = mean_loss(c, *slope - size / 2 * ds, *intercept - size / 2 * di);
		*slope -= size * ds;
		*intercept -= size * di;
		loss = next;
		if (fabs(size * ds) + fabs(size * di) < LEAST_STEP)
			return;
	}
}

/* slope, intercept, and what the calibrated predictions of unseen rows say */
static void
learn_calibration(RmlEnv *env, const RmlRawRows *raw, const double *predictions, RmlChurn *out)
{
	int64_t n = raw->matrix->n;
	double *x = RML_NEW(env, double, (size_t) n);
	Calibration c = {.n = n, .x = x, .classes = raw->classes, .weights = raw->weights};

	for (int64_t i = 0; i < n; i++)
		x[i] = log_odds(predictions[i]);
	find_targets(&c);
	calibrate(env, &c, &out->slope, &out->intercept);
	/* a model whose ranking is worse than none is not to be turned round */
	if (out->slope < 0.0)
		out->slope = 0.0;
	out->log_loss = mean_loss(&c, out->slope, out->intercept);
	for (int64_t i = 0; i < n; i++)
	{
		int band = rml_churn_band(out, logistic(out->slope * x[i] + out->intercept));

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

	return logistic(model->slope * log_odds(p) + model->intercept);
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

/* the part's score of class 1 as a log-odds, before calibration */
static bool
explains_log_odds(const RmlPart *part)
{
	return part->algorithm->id != RML_ALGORITHM_FOREST && part->algorithm->id != RML_ALGORITHM_TREE;
}

static void
explain(const void *fitted, const RmlSchema *schema, RmlEnv *env, const double *numbers,
		const int32_t *codes, int output, double *contributions, double *base)
{
	const RmlChurn *model = fitted;
	double factor = model->slope, sign = output == 0 ? -1.0 : 1.0;

	model->part.algorithm->explain(model->part.fitted, schema, env, numbers, codes, 1,
								   contributions, base);
	if (!explains_log_odds(&model->part))
	{
		double p = *base, start = log_odds(*base);

		for (int i = 0; i < schema->n_features; i++)
			p += contributions[i];
		/* where nothing changes, the slope of the log-odds at that point */
		factor *= fabs(p - *base) > 1e-9 ? (log_odds(p) - start) / (p - *base)
										 : 1.0 / fmax(p * (1.0 - p), LEAST_PROBABILITY);
		*base = start;
	}
	for (int i = 0; i < schema->n_features; i++)
		contributions[i] *= sign * factor;
	*base = sign * (model->slope * *base + model->intercept);
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
	rml_comparison_encode(&model->comparison, writer);
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
	rml_comparison_decode(&model->comparison, reader);
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
	rml_comparison_describe(&model->comparison, info);
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
