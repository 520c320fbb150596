/*
 * logreg.c
 *	  Logistic regression: options, probabilities, contributions, bytes.
 *
 * The fit is in logreg_fit.c and the files it names.
 */
#include "retailml/logreg.h"

#include <math.h>
#include <string.h>

#include "logreg_internal.h"
#include "retailml/distributions.h"
#include "retailml/linear_expression.h"
#include "retailml/rng.h"

#define LOGREG_VERSION 1

/* levels of a category that memory is reckoned with before they are known */
#define LIKELY_LEVELS 16

#define TAG_OUTPUTS RML_TAG('L', 'G', 'o', 'u')
#define TAG_STATS RML_TAG('L', 'G', 's', 't')
#define TAG_ERRORS RML_TAG('L', 'G', 's', 'e')
#define TAG_N_SEPARATING RML_TAG('L', 'G', 'n', 's')
#define TAG_SEPARATING RML_TAG('L', 'G', 's', 'p')

#define N_STATS (sizeof(RmlLogregStats) / sizeof(double))

static const RmlOption options[] = {
	RML_SUPERVISED_OPTIONS(RmlLogregParams),
	RML_AUTO_OPTION(RmlLogregParams, l2, 0, 1e12),
	RML_FLOAT_OPTION(RmlLogregParams, l1, 0, 0, 1e12),
	RML_BOOL_OPTION(RmlLogregParams, standardize, 1),
	RML_INT_OPTION(RmlLogregParams, max_iter, 100, 1, 100000),
	RML_FLOAT_OPTION(RmlLogregParams, tol, 1e-10, 1e-14, 1),
};

const char *
rml_logreg_check(RmlEnv *env, const RmlLogregParams *params, int64_t n, const RmlSchema *schema,
				 const RmlTarget *target)
{
	const bool symmetric = params->l1 > 0.0 && target->n_classes > 2;

	if (target->task != RML_CLASSIFICATION || target->n_classes < 2)
		return "a logistic regression needs at least two classes";
	if (n < 2)
		return "a regression needs at least 2 rows";
	return rml_linear_check(env, schema, symmetric ? target->n_classes : target->n_classes - 1);
}

size_t
rml_logreg_bytes(const RmlLogregParams *params, int d_num, int d_cat, int64_t categories,
				 int n_classes, int threads)
{
	const RmlLinearDesign design = {.d_num = d_num, .d_cat = d_cat};
	const int m = params->l1 > 0.0 && n_classes > 2 ? n_classes : n_classes - 1;
	const RmlLinearPass pass = {.n_omega = m * (m + 1) / 2,
								.n_gradient = m,
								.n_sums = n_classes + 2,
								.n_scratch = (2 * m + 1) * RML_LINEAR_TILE};
	const size_t p = (size_t) d_num + (size_t) categories + 1, n = p * (size_t) m;
	RmlLinearRows rows = {.design = &design, .n_places = (int) categories + 2 * d_cat};

	rml_linear_rows_extend(&rows, 0, NULL);
	return rml_linear_pass_bytes(&rows, &pass, threads) + (4 * n * n + 5 * p * p) * sizeof(double);
}

/* ---- use ---- */

/* predictors of all classes; those without one have 0 */
static void
all_etas(const RmlLogreg *model, const double *numbers, const int32_t *codes, double *eta)
{
	const int first = model->target.n_classes - model->linear.n_outputs;

	eta[0] = 0.0;
	for (int k = 0; k < model->linear.n_outputs; k++)
		eta[first + k] = rml_linear_eta(&model->linear, k, numbers, codes);
}

void
rml_logreg_proba(const RmlLogreg *model, const double *numbers, const int32_t *codes, double *p)
{
	const int n = model->target.n_classes;
	double largest, sum = 0.0;

	all_etas(model, numbers, codes, p);
	largest = p[0];
	for (int k = 1; k < n; k++)
		largest = fmax(largest, p[k]);
	for (int k = 0; k < n; k++)
	{
		p[k] = exp(p[k] - largest);
		sum += p[k];
	}
	for (int k = 0; k < n; k++)
		p[k] /= sum;
}

/* of two classes the probability of the second; of more the most probable, from 1 */
static double
predict_number(const void *fitted, const double *numbers, const int32_t *codes)
{
	const RmlLogreg *model = fitted;
	double p[RML_MAX_CLASSES];
	int best = 0;

	rml_logreg_proba(model, numbers, codes, p);
	if (model->target.n_classes == 2)
		return p[1];
	for (int k = 1; k < model->target.n_classes; k++)
		if (p[k] > p[best])
			best = k;
	return best + 1;
}

static void
add_contributions(const RmlLogreg *model, RmlEnv *env, int output, double factor,
				  const double *numbers, const int32_t *codes, double *contributions, double *base)
{
	const int n = model->linear.design.n_features;
	double *own = RML_NEW(env, double, (size_t) n), own_base;

	rml_linear_contributions(&model->linear, output, numbers, codes, own, &own_base);
	for (int i = 0; i < n; i++)
		contributions[i] += factor * own[i];
	*base += factor * own_base;
	rml_release(env, own);
}

void
rml_logreg_contributions(const RmlLogreg *model, RmlEnv *env, int class_, const double *numbers,
						 const int32_t *codes, double *contributions, double *base)
{
	const int n = model->target.n_classes, first = n - model->linear.n_outputs;

	*base = 0.0;
	for (int i = 0; i < model->linear.design.n_features; i++)
		contributions[i] = 0.0;
	if (n == 2)
	{
		add_contributions(model, env, 0, class_ == 1 ? 1.0 : -1.0, numbers, codes, contributions,
						  base);
		return;
	}
	for (int k = 0; k < model->linear.n_outputs; k++)
		add_contributions(model, env, k, (first + k == class_) - 1.0 / n, numbers, codes,
						  contributions, base);
}

void
rml_logreg_coefficient(const RmlLogreg *model, int class_, int term, double confidence,
					   RmlCoefficient *out)
{
	const int output = class_ - (model->target.n_classes - model->linear.n_outputs);
	const size_t at = (size_t) output * (size_t) model->linear.design.p + (size_t) term;
	double wide;

	if (output < 0 || !model->linear.kept[term])
	{
		*out = (RmlCoefficient){NAN, NAN, NAN, NAN, NAN, NAN};
		return;
	}
	out->estimate = model->linear.estimates[at];
	out->std_error = model->std_errors[at];
	out->statistic = out->estimate / out->std_error;
	out->p = 2.0 * rml_normal_upper(fabs(out->statistic));
	wide = rml_normal_quantile(0.5 + 0.5 * confidence) * out->std_error;
	out->low = out->estimate - wide;
	out->high = out->estimate + wide;
}

/* ---- bytes ---- */

void
rml_logreg_index(RmlLogreg *model, const RmlSchema *schema, RmlEnv *env)
{
	model->separating_names = RML_NEW(env, char *, (size_t) model->n_separating);
	for (int64_t i = 0; i < model->n_separating; i++)
		model->separating_names[i] =
			rml_linear_name(&model->linear.design, schema, env, model->separating[i]);
}

void
rml_logreg_encode(const void *fitted, RmlWriter *writer)
{
	const RmlLogreg *model = fitted;

	rml_target_encode(&model->target, writer);
	rml_put_int(writer, TAG_OUTPUTS, model->linear.n_outputs);
	rml_linear_encode(&model->linear, writer);
	rml_put_float64(writer, TAG_STATS, (const double *) &model->stats, N_STATS);
	rml_put_float64(writer, TAG_ERRORS, model->std_errors,
					(size_t) model->linear.n_outputs * (size_t) model->linear.design.p);
	rml_put_int(writer, TAG_N_SEPARATING, model->n_separating);
	rml_put_int32(writer, TAG_SEPARATING, model->separating, (size_t) model->n_separating);
}

static void
decode_rest(RmlLogreg *model, const RmlSchema *schema, RmlReader *reader)
{
	const size_t n = (size_t) model->linear.n_outputs * (size_t) model->linear.design.p;
	const double *stats = rml_get_float64(reader, TAG_STATS, N_STATS);

	model->std_errors = rml_get_float64(reader, TAG_ERRORS, n);
	model->n_separating = rml_get_int(reader, TAG_N_SEPARATING, 0, RML_LOGREG_MAX_SEPARATING);
	model->separating = rml_get_int32(reader, TAG_SEPARATING, (size_t) model->n_separating);
	if (reader->error != NULL)
		return;
	memcpy(&model->stats, stats, sizeof model->stats);
	for (size_t i = 0; i < n; i++)
		if (model->std_errors[i] < 0.0)
			rml_reader_fail(reader, "a standard error in the model is negative");
	for (int64_t i = 0; i < model->n_separating; i++)
		if (model->separating[i] < 0 || model->separating[i] >= model->linear.design.p)
			rml_reader_fail(reader, "a term in the model does not exist");
	if (reader->error == NULL)
		rml_logreg_index(model, schema, reader->env);
}

void *
rml_logreg_decode(RmlReader *reader, const RmlSchema *schema, const void *params)
{
	RmlLogreg *model = RML_NEW_ZERO(reader->env, RmlLogreg, 1);
	int64_t outputs;

	(void) params;
	rml_target_decode(&model->target, reader);
	if (reader->error == NULL && model->target.task != RML_CLASSIFICATION)
		rml_reader_fail(reader, "the label of a logistic regression has no classes");
	outputs =
		rml_get_int(reader, TAG_OUTPUTS, model->target.n_classes - 1, model->target.n_classes);
	if (reader->error == NULL && outputs * rml_linear_terms(schema) > RML_LINEAR_MAX_TERMS)
		rml_reader_fail(reader, "the model has too many coefficients");
	rml_linear_decode(&model->linear, (int) outputs, schema, reader);
	if (reader->error == NULL)
		decode_rest(model, schema, reader);
	return model;
}

/* ---- registry ---- */

static void
describe_stats(const RmlLogregStats *stats, RmlInfo *info)
{
	info->number(info, "l2_used", stats->l2);
	info->integer(info, "n_iter", (int64_t) stats->iterations);
	info->boolean(info, "converged", stats->converged != 0.0);
	info->number(info, "null_deviance", stats->null_deviance);
	info->number(info, "deviance", stats->deviance);
	info->number(info, "pseudo_r2", stats->pseudo_r2);
	info->number(info, "aic", stats->aic);
	info->number(info, "bic", stats->bic);
	info->boolean(info, "separated", stats->separated != 0.0);
}

void
rml_logreg_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info)
{
	const RmlLogreg *model = fitted;

	(void) schema;
	rml_target_describe(&model->target, info);
	rml_linear_describe(&model->linear, info);
	describe_stats(&model->stats, info);
	info->begin_array(info, "separating_terms");
	for (int64_t i = 0; i < model->n_separating; i++)
		info->text(info, NULL, model->separating_names[i]);
	info->end_array(info);
}

static void
proba(const void *fitted, const double *numbers, const int32_t *codes, double *probabilities)
{
	rml_logreg_proba(fitted, numbers, codes, probabilities);
}

static void
explain(const void *fitted, const RmlSchema *schema, RmlEnv *env, const double *numbers,
		const int32_t *codes, int output, double *contributions, double *base)
{
	(void) schema;
	rml_logreg_contributions(fitted, env, output, numbers, codes, contributions, base);
}

const RmlAlgorithm rml_logreg_algorithm = {
	.id = RML_ALGORITHM_LOGREG,
	.version = LOGREG_VERSION,
	.name = "logreg",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.params_size = sizeof(RmlLogregParams),
	.decode = rml_logreg_decode,
	.encode = rml_logreg_encode,
	.predict = predict_number,
	.describe = rml_logreg_describe,
	.supervised = true,
	.proba = proba,
	.explain = explain,
	.importance = rml_logreg_importance,
	.expression = rml_logreg_expression,
};

/* ---- learner ---- */

static const char *
check(RmlEnv *env, const void *params, const RmlTrainingSet *rows)
{
	return rml_logreg_check(env, params, rows->n, rows->schema, &rows->target);
}

static size_t
fit_bytes(const void *params, int64_t n, int d_num, int d_cat, int n_classes, int threads)
{
	(void) n;
	return rml_logreg_bytes(params, d_num, d_cat, (int64_t) d_cat * LIKELY_LEVELS,
							n_classes < 2 ? 2 : n_classes, threads);
}

static void *
fit(RmlEnv *env, const void *params, const RmlTrainingSet *rows, const char **reason)
{
	RmlLogreg *model = RML_NEW_ZERO(env, RmlLogreg, 1);

	*reason = rml_logreg_fit(env, params, rows, model);
	return *reason == NULL ? model : NULL;
}

static const char *
warning(RmlEnv *env, const void *fitted)
{
	const RmlLogreg *model = fitted;
	const char *what = "";

	if (model->stats.separated == 0.0 && model->stats.converged != 0.0)
		return rml_linear_warning(&model->linear, env);
	if (model->stats.separated == 0.0)
		return rml_format(env, "the fit did not converge in %lld iterations",
						  (long long) model->stats.iterations);
	for (int64_t i = 0; i < model->n_separating; i++)
		what = rml_format(env, "%s%s\"%s\"", what, i == 0 ? "" : ", ", model->separating_names[i]);
	if (model->stats.l2 > 0.0)
		return rml_format(
			env,
			"the classes are separated by %s: without a penalty there is no best fit, "
			"l2 = %g was used",
			what, model->stats.l2);
	return rml_format(env,
					  "the classes are separated by %s: without a penalty there is no best fit",
					  what);
}

const RmlLearner rml_logreg_learner = {.algorithm = &rml_logreg_algorithm,
									   .classifier = true,
									   .check = check,
									   .bytes = fit_bytes,
									   .fit = fit,
									   .warning = warning};
