/*
 * linreg.c
 *	  Linear regression: options, estimates, prediction, bytes.
 *
 * The statistics of the estimates are in linreg_inference.c.
 */
#include "retailml/linreg.h"

#include <math.h>
#include <string.h>

#include "linreg_internal.h"
#include "retailml/distributions.h"
#include "retailml/linear_expression.h"

#define LINREG_VERSION 1
#define SUM_POLL_ROWS 1000000

#define TAG_L2 RML_TAG('L', 'R', 'l', '2')
#define TAG_STATS RML_TAG('L', 'R', 's', 't')
#define TAG_ERRORS RML_TAG('L', 'R', 's', 'e')
#define TAG_N_COVARIANCE RML_TAG('L', 'R', 'n', 'c')
#define TAG_COVARIANCE RML_TAG('L', 'R', 'c', 'o')

#define N_STATS ((int) (sizeof(RmlLinregStats) / sizeof(double)))

/* levels of a category that memory is reckoned with before they are known */
#define LIKELY_LEVELS 16

static const RmlOption options[] = {
	RML_SUPERVISED_OPTIONS(RmlLinregParams),
	RML_FLOAT_OPTION(RmlLinregParams, l2, 0, 0, 1e12),
	RML_BOOL_OPTION(RmlLinregParams, standardize, 1),
};

const char *
rml_linreg_check(RmlEnv *env, const RmlLinregParams *params, int64_t n, const RmlSchema *schema)
{
	(void) params;
	if (n < 2)
		return "a regression needs at least 2 rows";
	return rml_linear_check(env, schema, 1);
}

size_t
rml_linreg_bytes(int d_num, int d_cat, int64_t categories, int threads)
{
	const RmlLinearDesign design = {.d_num = d_num, .d_cat = d_cat};
	const RmlLinearPass pass = {.n_omega = 2, .n_gradient = 1, .n_sums = 4};
	const size_t p = (size_t) d_num + (size_t) categories + 1;
	RmlLinearRows rows = {.design = &design, .n_places = (int) categories + 2 * d_cat};

	rml_linear_rows_extend(&rows, 0, NULL);
	return rml_linear_pass_bytes(&rows, &pass, threads) +
		   (7 * p * p + rml_linear_matrix_size(&rows)) * sizeof(double);
}

static const char too_large[] =
	"the numbers are too large for a regression: sums of squares overflow";

/* ---- estimates ---- */

/* X'WX, X'Wy, and what there is to know of weights and y */
static void
first_rows(void *context, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	const RmlLinregRun *run = context;

	for (int i = 0; i < tile->count; i++)
	{
		double w = rml_linear_weight(rows->set, tile->first + i);

		tile->omega[i] = w;
		tile->gradient[i] = w * (rows->set->y[tile->first + i] - run->offset);
		tile->sums[0] += w;
		tile->sums[1] += tile->gradient[i];
		tile->sums[2] += w > 0.0;
		tile->sums[3] += w > 0.0 ? log(w) : 0.0;
	}
}

static void
residual_rows(void *context, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	const RmlLinregRun *run = context;
	double eta[RML_LINEAR_TILE];

	rml_linear_tile_eta(rows, tile, run->by_axis, eta);
	for (int i = 0; i < tile->count; i++)
	{
		int64_t row = tile->first + i;

		tile->gradient[i] =
			rml_linear_weight(rows->set, row) * (rows->set->y[row] - run->offset - eta[i]);
	}
}

/* one step: coefficients += (X'WX + l2 S^2)^-1 (gradient - l2 S^2 coefficients) */
static void
step(RmlLinregRun *run, const double *vector)
{
	const RmlLinearBasis *basis = &run->basis;
	double *change = RML_NEW(run->env, double, (size_t) basis->rank);

	rml_linear_gather(basis, vector, change);
	for (int i = 0; i < basis->rank; i++)
		change[i] -= run->l2 * basis->penalty[i] * run->coefficients[i];
	rml_cholesky_solve(run->factor, basis->rank, change);
	for (int i = 0; i < basis->rank; i++)
		run->coefficients[i] += change[i];
	rml_linear_spread(basis, &run->rows, run->coefficients, run->by_axis);
	rml_release(run->env, change);
}

static void
refine(RmlLinregRun *run)
{
	RmlLinearPass pass = {.fn = residual_rows, .context = run, .n_gradient = 1};

	rml_linear_pass(&run->rows, &pass);
	step(run, pass.vectors);
	rml_linear_pass_release(&run->rows, &pass);
}

static void
factor(RmlLinregRun *run)
{
	const size_t rank = (size_t) run->basis.rank;
	double *a = RML_NEW(run->env, double, rank *rank);
	double *least = RML_NEW(run->env, double, rank);

	run->factor = RML_NEW(run->env, double, rank *rank);
	memcpy(a, run->basis.matrix, sizeof(double) * rank * rank);
	for (size_t i = 0; i < rank; i++)
	{
		a[i * rank + i] += run->l2 * run->basis.penalty[i];
		/* with a penalty too small to tell collinear terms apart, the later ones stay at 0 */
		least[i] = run->l2 > 0.0 ? 1e-14 * a[i * rank + i] : 0.0;
	}
	rml_cholesky(run->env, a, (int) rank, least, run->factor, NULL);
	rml_release(run->env, a);
	rml_release(run->env, least);
}

static void
solve(RmlLinregRun *run, const double *vector)
{
	const bool extended = run->rows.n_extra > 0;

	run->coefficients = RML_NEW_ZERO(run->env, double, (size_t) run->basis.rank);
	run->by_axis = RML_NEW_ZERO(run->env, double, (size_t) run->rows.axes);
	factor(run);
	/* the first vector does not know of residual axes */
	if (extended)
		refine(run);
	else
		step(run, vector);
	refine(run);
	if (extended)
		refine(run);
}

static double
mean_of(RmlEnv *env, const double *y, int64_t n)
{
	double sum = 0.0;

	for (int64_t i = 0; i < n; i++)
	{
		sum += y[i] / (double) n;
		if (i % SUM_POLL_ROWS == 0)
			rml_poll(env);
	}
	return sum;
}

static void
estimate(RmlLinregRun *run, const RmlLinregParams *params, RmlLinreg *out)
{
	RmlLinearPass pass = {
		.fn = first_rows, .context = run, .n_omega = 1, .n_gradient = 1, .n_sums = 4};

	rml_linear_pass(&run->rows, &pass);
	run->total = pass.sums[0];
	run->mean = pass.sums[1] / pass.sums[0];
	run->positive = pass.sums[2];
	run->log_weights = pass.sums[3];
	rml_linear_basis(&run->basis, &run->rows, pass.matrices, run->l2 > 0.0,
					 params->standardize != 0, &out->linear);
	solve(run, pass.vectors);
	rml_linear_pass_release(&run->rows, &pass);
	rml_linear_restore(&run->basis, &run->rows, run->coefficients, out->linear.estimates);
	out->linear.estimates[0] += run->offset;
	out->linear.base[0] =
		run->offset + rml_linear_centre(&run->basis, &run->rows, run->coefficients, &out->linear);
}

static bool
is_finite(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(values[i]))
			return false;
	return true;
}

const char *
rml_linreg_fit(RmlEnv *env, const RmlLinregParams *params, const RmlTrainingSet *rows,
			   RmlLinreg *out)
{
	const char *reason = rml_linreg_check(env, params, rows->n, rows->schema);
	RmlLinregRun run = {.env = env, .l2 = params->l2};

	if (reason != NULL)
		return reason;
	memset(out, 0, sizeof *out);
	out->target = rows->target;
	out->l2 = params->l2;
	rml_linear_begin(&out->linear, env, rows->schema, 1);
	rml_linear_rows(&run.rows, env, rows, &out->linear.design);
	run.offset = mean_of(env, rows->y, rows->n);
	estimate(&run, params, out);
	if (!is_finite(out->linear.estimates, (size_t) out->linear.design.p) ||
		!is_finite(out->linear.base, 1))
		return too_large;
	rml_linreg_infer(&run, out);
	/* estimates without a sum of squares would come with infinite errors, and p of 1 */
	if (!is_finite(&out->stats.rss, 1))
		return too_large;
	rml_linear_index(&out->linear, rows->schema, env);
	rml_linear_rows_release(&run.rows);
	return NULL;
}

/* ---- use ---- */

double
rml_linreg_predict(const RmlLinreg *model, const double *numbers, const int32_t *codes)
{
	return rml_linear_eta(&model->linear, 0, numbers, codes);
}

void
rml_linreg_coefficient(const RmlLinreg *model, int term, RmlRobust robust, double confidence,
					   RmlCoefficient *out)
{
	const size_t p = (size_t) model->linear.design.p;
	const double df = model->stats.df;
	double wide;

	if (!model->linear.kept[term])
	{
		*out = (RmlCoefficient){NAN, NAN, NAN, NAN, NAN, NAN};
		return;
	}
	out->estimate = model->linear.estimates[term];
	out->std_error = model->std_errors[(size_t) robust * p + (size_t) term];
	out->statistic = out->estimate / out->std_error;
	out->p = rml_student_two_sided(out->statistic, df);
	wide = rml_student_quantile(0.5 + 0.5 * confidence, df) * out->std_error;
	out->low = out->estimate - wide;
	out->high = out->estimate + wide;
}

/* ---- bytes ---- */

void
rml_linreg_encode(const void *fitted, RmlWriter *writer)
{
	const RmlLinreg *model = fitted;
	const size_t p = (size_t) model->linear.design.p, n = (size_t) model->n_covariance;

	rml_target_encode(&model->target, writer);
	rml_linear_encode(&model->linear, writer);
	rml_put_double(writer, TAG_L2, model->l2);
	rml_put_float64(writer, TAG_STATS, (const double *) &model->stats, N_STATS);
	rml_put_float64(writer, TAG_ERRORS, model->std_errors, RML_LINREG_ERRORS * p);
	rml_put_int(writer, TAG_N_COVARIANCE, model->n_covariance);
	rml_put_float64(writer, TAG_COVARIANCE, model->covariance, n * n);
}

static void
decode_stats(RmlLinreg *model, RmlReader *reader)
{
	const size_t p = (size_t) model->linear.design.p;
	const double *stats;
	int64_t rank = 0;

	for (size_t j = 0; j < p; j++)
		rank += model->linear.kept[j];
	model->l2 = rml_get_double(reader, TAG_L2);
	stats = rml_get_float64(reader, TAG_STATS, N_STATS);
	model->std_errors = rml_get_float64(reader, TAG_ERRORS, RML_LINREG_ERRORS * p);
	model->n_covariance = rml_get_int(reader, TAG_N_COVARIANCE, 0, RML_LINREG_MAX_COVARIANCES);
	if (model->n_covariance != 0 && model->n_covariance != rank)
		rml_reader_fail(reader, "the covariances in the model are not those of its terms");
	model->covariance = rml_get_float64(reader, TAG_COVARIANCE,
										(size_t) (model->n_covariance * model->n_covariance));
	if (reader->error != NULL)
		return;
	memcpy(&model->stats, stats, sizeof model->stats);
	for (size_t i = 0; i < RML_LINREG_ERRORS * p; i++)
		if (model->std_errors[i] < 0.0)
			rml_reader_fail(reader, "a standard error in the model is negative");
}

void *
rml_linreg_decode(RmlReader *reader, const RmlSchema *schema, const void *params)
{
	RmlLinreg *model = RML_NEW_ZERO(reader->env, RmlLinreg, 1);

	(void) params;
	rml_target_decode(&model->target, reader);
	if (reader->error == NULL && model->target.task != RML_REGRESSION)
		rml_reader_fail(reader, "the label of a linear regression is no number");
	rml_linear_decode(&model->linear, 1, schema, reader);
	if (reader->error == NULL)
		decode_stats(model, reader);
	return model;
}

/* ---- registry ---- */

static void
describe_stats(const RmlLinregStats *stats, RmlInfo *info)
{
	info->number(info, "df_residual", stats->df);
	info->number(info, "sigma", stats->sigma);
	info->number(info, "r2", stats->r2);
	info->number(info, "adjusted_r2", stats->adjusted_r2);
	info->number(info, "f_statistic", stats->f);
	info->number(info, "f_p", stats->f_p);
	info->number(info, "log_likelihood", stats->log_likelihood);
	info->number(info, "aic", stats->aic);
	info->number(info, "bic", stats->bic);
	info->number(info, "condition_number", stats->condition);
}

void
rml_linreg_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info)
{
	const RmlLinreg *model = fitted;

	(void) schema;
	rml_target_describe(&model->target, info);
	rml_linear_describe(&model->linear, info);
	describe_stats(&model->stats, info);
}

static double
predict_number(const void *fitted, const double *numbers, const int32_t *codes)
{
	return rml_linreg_predict(fitted, numbers, codes);
}

static void
explain(const void *fitted, const RmlSchema *schema, RmlEnv *env, const double *numbers,
		const int32_t *codes, int output, double *contributions, double *base)
{
	const RmlLinreg *model = fitted;

	(void) schema;
	(void) env;
	(void) output;
	rml_linear_contributions(&model->linear, 0, numbers, codes, contributions, base);
}

const RmlAlgorithm rml_linreg_algorithm = {
	.id = RML_ALGORITHM_LINREG,
	.version = LINREG_VERSION,
	.name = "linreg",
	.options = options,
	.n_options = sizeof options / sizeof options[0],
	.params_size = sizeof(RmlLinregParams),
	.decode = rml_linreg_decode,
	.encode = rml_linreg_encode,
	.predict = predict_number,
	.describe = rml_linreg_describe,
	.supervised = true,
	.explain = explain,
	.importance = rml_linreg_importance,
	.expression = rml_linreg_expression,
};

/* ---- learner ---- */

static const char *
check(RmlEnv *env, const void *params, const RmlTrainingSet *rows)
{
	if (rows->target.task != RML_REGRESSION)
		return "a linear regression needs a number as its label, and these are classes";
	return rml_linreg_check(env, params, rows->n, rows->schema);
}

static size_t
fit_bytes(const void *params, int64_t n, int d_num, int d_cat, int n_classes, int threads)
{
	(void) params;
	(void) n;
	(void) n_classes;
	return rml_linreg_bytes(d_num, d_cat, (int64_t) d_cat * LIKELY_LEVELS, threads);
}

static void *
fit(RmlEnv *env, const void *params, const RmlTrainingSet *rows, const char **reason)
{
	RmlLinreg *model = RML_NEW_ZERO(env, RmlLinreg, 1);

	*reason = rml_linreg_fit(env, params, rows, model);
	return *reason == NULL ? model : NULL;
}

static const char *
warning(RmlEnv *env, const void *fitted)
{
	return rml_linear_warning(&((const RmlLinreg *) fitted)->linear, env);
}

const RmlLearner rml_linreg_learner = {.algorithm = &rml_linreg_algorithm,
									   .check = check,
									   .bytes = fit_bytes,
									   .fit = fit,
									   .warning = warning};
