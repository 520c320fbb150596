/*
 * svdpp.c
 *	  The SVD++ model: parameters and predictions.
 */
#include "retailml/svdpp.h"

#include <math.h>
#include <string.h>

static const char *const implicit_names[] = {"none", "purchases", NULL};
static const char *const duplicates_names[] = {"auto", "mean", "sum", "last", "error", NULL};
static const char *const transform_names[] = {"auto", "none", "log1p", NULL};

#define RATE_OPTION(field) RML_AUTO_OPTION(RmlSvdppParams, field, 0, 1)
#define REG_OPTION(field) RML_AUTO_OPTION(RmlSvdppParams, field, 0, 100)

const RmlOption rml_svdpp_options[] = {
	RML_INT_OPTION(RmlSvdppParams, n_factors, 20, 1, 1000),
	RML_INT_OPTION(RmlSvdppParams, n_epochs, 20, 1, 10000),
	RML_FLOAT_OPTION(RmlSvdppParams, lr, 0.007, 0, 1),
	RML_FLOAT_OPTION(RmlSvdppParams, reg, 0.02, 0, 100),
	RATE_OPTION(lr_bu),
	RATE_OPTION(lr_bi),
	RATE_OPTION(lr_pu),
	RATE_OPTION(lr_qi),
	RATE_OPTION(lr_yj),
	REG_OPTION(reg_bu),
	REG_OPTION(reg_bi),
	REG_OPTION(reg_pu),
	REG_OPTION(reg_qi),
	REG_OPTION(reg_yj),
	RML_FLOAT_OPTION(RmlSvdppParams, init_mean, 0, -10, 10),
	RML_FLOAT_OPTION(RmlSvdppParams, init_std, 0.1, 0, 10),
	RML_BOOL_OPTION(RmlSvdppParams, biased, 1),
	RML_BOOL_OPTION(RmlSvdppParams, implicit_feedback, 1),
	RML_BOOL_OPTION(RmlSvdppParams, clip, 1),
	RML_CHOICE_OPTION(RmlSvdppParams, implicit, 0, implicit_names),
	RML_CHOICE_OPTION(RmlSvdppParams, duplicates, 0, duplicates_names),
	RML_CHOICE_OPTION(RmlSvdppParams, transform, 0, transform_names),
	RML_FLOAT_OPTION(RmlSvdppParams, holdout, 0.1, 0, 0.5),
	RML_INT_OPTION(RmlSvdppParams, early_stopping, 0, 0, 10000),
	RML_SEED_OPTION(RmlSvdppParams),
};

const int rml_svdpp_n_options = sizeof rml_svdpp_options / sizeof rml_svdpp_options[0];

/* ---- parameters ---- */

const char *
rml_svdpp_check(const RmlSvdppParams *params, RmlEnv *env)
{
	if (params->early_stopping > 0 && params->holdout == 0)
		return rml_strdup(env, "early_stopping needs a hold-out, and holdout is 0");
	return NULL;
}

static void
settle(double *value, double standard)
{
	if (*value == RML_AUTO)
		*value = standard;
}

void
rml_svdpp_settle(RmlSvdppParams *params)
{
	bool purchases = params->implicit == RML_IMPLICIT_PURCHASES;

	settle(&params->lr_bu, params->lr);
	settle(&params->lr_bi, params->lr);
	settle(&params->lr_pu, params->lr);
	settle(&params->lr_qi, params->lr);
	settle(&params->lr_yj, params->lr);
	settle(&params->reg_bu, params->reg);
	settle(&params->reg_bi, params->reg);
	settle(&params->reg_pu, params->reg);
	settle(&params->reg_qi, params->reg);
	settle(&params->reg_yj, params->reg);
	if (params->duplicates == RML_DUPLICATES_AUTO)
		params->duplicates = purchases ? RML_DUPLICATES_SUM : RML_DUPLICATES_MEAN;
	if (params->transform == RML_TRANSFORM_AUTO)
		params->transform = purchases ? RML_TRANSFORM_LOG1P : RML_TRANSFORM_NONE;
}

/* ---- predictions ---- */

void
rml_factors_user(const RmlFactors *factors, int32_t user, const int32_t *items, int64_t n,
				 double *w)
{
	int f = factors->f;

	memset(w, 0, sizeof(double) * (size_t) f);
	if (factors->y != NULL && n > 0)
	{
		double scale = 1 / sqrt((double) n);

		for (int64_t j = 0; j < n; j++)
		{
			const float *y = factors->y + (size_t) items[j] * (size_t) factors->s;

			for (int k = 0; k < f; k++)
				w[k] += y[k];
		}
		for (int k = 0; k < f; k++)
			w[k] *= scale;
	}
	if (user >= 0)
		for (int k = 0; k < f; k++)
			w[k] += factors->p[(size_t) user * (size_t) factors->s + (size_t) k];
}

double
rml_factors_score(const RmlFactors *factors, int32_t user, int32_t item, const double *w)
{
	double score = factors->mean;

	if (user >= 0)
		score += factors->bu[user];
	if (item >= 0)
	{
		const float *q = factors->q + (size_t) item * (size_t) factors->s;

		score += factors->bi[item];
		if (user >= 0)
			for (int k = 0; k < factors->f; k++)
				score += q[k] * w[k];
	}
	return score;
}

void
rml_svdpp_user(const RmlSvdpp *model, int32_t user, double *w)
{
	int64_t start = user < 0 ? 0 : model->starts[user];
	int64_t n = user < 0 ? 0 : model->starts[user + 1] - start;

	rml_factors_user(&model->factors, user, model->seen + start, n, w);
}

double
rml_svdpp_clip(const RmlSvdpp *model, double score)
{
	if (!model->params->clip)
		return score;
	return score < model->low ? model->low : score > model->high ? model->high : score;
}

double
rml_svdpp_predict(const RmlSvdpp *model, int32_t user, int32_t item, const double *w)
{
	return rml_svdpp_clip(model, rml_factors_score(&model->factors, user, item, w));
}

const RmlAlgorithm rml_svdpp_algorithm = {
	.id = RML_ALGORITHM_SVDPP,
	.version = 1,
	.name = "svdpp",
	.options = rml_svdpp_options,
	.n_options = sizeof rml_svdpp_options / sizeof rml_svdpp_options[0],
	.params_size = sizeof(RmlSvdppParams),
	.decode = rml_svdpp_decode,
	.encode = rml_svdpp_encode,
	.scored_by = "svdpp_predict(model, user_id, item_id)",
	.describe = rml_svdpp_describe,
};
