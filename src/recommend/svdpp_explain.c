/*
 * svdpp_explain.c
 *	  What a prediction of SVD++ is made of.  See svdpp_explain.h.
 */
#include "retailml/svdpp_explain.h"

#include <math.h>
#include <stdlib.h>

/* parts that are not items: mean, two biases, factors, limit */
#define MOST_OTHERS 5

#define POLL_NUMBERS 1000000

const char *const rml_svdpp_source_names[] = {"mean",    "user bias", "item bias",
											  "factors", "item",      "limit"};

typedef struct Parts
{
	RmlSvdppPart *parts;
	int64_t n;
} Parts;

static void
add(Parts *parts, RmlSvdppSource source, int32_t item, double contribution)
{
	parts->parts[parts->n++] = (RmlSvdppPart){source, item, contribution};
}

static double
product(const float *a, const float *b, int f)
{
	double sum = 0;

	for (int k = 0; k < f; k++)
		sum += (double) a[k] * b[k];
	return sum;
}

static int
compare_parts(const void *a, const void *b)
{
	const RmlSvdppPart *left = a, *right = b;

	if (left->contribution != right->contribution)
		return left->contribution > right->contribution ? -1 : 1;
	return left->item < right->item ? -1 : 1;
}

/* what every item of the user adds */
static void
add_items(Parts *parts, const RmlSvdpp *model, RmlEnv *env, int32_t user, const float *q)
{
	const RmlFactors *factors = &model->factors;
	int64_t first = model->starts[user], end = model->starts[user + 1];
	int64_t before = parts->n, poll_every = POLL_NUMBERS / factors->f + 1;
	double scale = 1 / sqrt((double) (end - first));

	for (int64_t j = first; j < end; j++)
	{
		int32_t item = model->seen[j];
		const float *y = factors->y + (size_t) item * (size_t) factors->s;

		add(parts, RML_SOURCE_ITEM, item, scale * product(q, y, factors->f));
		if (j % poll_every == 0)
			rml_poll(env);
	}
	qsort(parts->parts + before, (size_t) (parts->n - before), sizeof(RmlSvdppPart), compare_parts);
}

static void
add_factors(Parts *parts, const RmlSvdpp *model, RmlEnv *env, int32_t user, int32_t item)
{
	const RmlFactors *factors = &model->factors;
	const float *p = factors->p + (size_t) user * (size_t) factors->s;
	const float *q = factors->q + (size_t) item * (size_t) factors->s;

	add(parts, RML_SOURCE_FACTORS, -1, product(q, p, factors->f));
	if (factors->y != NULL)
		add_items(parts, model, env, user, q);
}

/* what the limits of the range change */
static void
add_limit(Parts *parts, const RmlSvdpp *model)
{
	double score = 0, limited;

	for (int64_t i = 0; i < parts->n; i++)
		score += parts->parts[i].contribution;
	limited = rml_svdpp_clip(model, score);
	if (limited != score)
		add(parts, RML_SOURCE_LIMIT, -1, limited - score);
}

RmlSvdppPart *
rml_svdpp_explain(const RmlSvdpp *model, RmlEnv *env, int32_t user, int32_t item, int64_t *n)
{
	const RmlFactors *factors = &model->factors;
	int64_t items = user < 0 ? 0 : model->starts[user + 1] - model->starts[user];
	Parts parts = {RML_NEW(env, RmlSvdppPart, (size_t) (items + MOST_OTHERS)), 0};

	add(&parts, RML_SOURCE_MEAN, -1, factors->mean);
	if (user >= 0 && model->params->biased)
		add(&parts, RML_SOURCE_USER_BIAS, -1, factors->bu[user]);
	if (item >= 0 && model->params->biased)
		add(&parts, RML_SOURCE_ITEM_BIAS, -1, factors->bi[item]);
	if (user >= 0 && item >= 0)
		add_factors(&parts, model, env, user, item);
	add_limit(&parts, model);
	*n = parts.n;
	return parts.parts;
}
