/*
 * similar_items.c
 *	  Items whose vectors point the same way.
 */
#include <math.h>

#include "recommend_internal.h"
#include "top_items.h"

#define POLL_NUMBERS 1000000

static double
product(const float *a, const float *b, int f)
{
	double sum = 0;

	for (int k = 0; k < f; k++)
		sum += (double) a[k] * b[k];
	return sum;
}

int32_t
rml_similar_items(const RmlSvdpp *model, RmlEnv *env, int32_t item, int32_t n,
				  const RmlRecommendParams *params, RmlRanked *best)
{
	const RmlFactors *factors = &model->factors;
	const float *q = factors->q + (size_t) item * (size_t) factors->s;
	double length = sqrt(product(q, q, factors->f));
	uint8_t *allowed = rml_recommend_allowed(model, env, params);
	RmlTopItems top = {0, n, best};
	int64_t work = 0;

	for (int32_t other = 0; length > 0 && other < factors->n_items; other++)
	{
		const float *p = factors->q + (size_t) other * (size_t) factors->s;
		double other_length = sqrt(product(p, p, factors->f));
		double cosine = product(q, p, factors->f) / (length * other_length);

		if (allowed[other] && other != item && other_length > 0)
			rml_top_items_put(&top, (RmlRanked){fmax(-1, fmin(1, cosine)),
												(double) model->buyers[other], other});
		work += 2 * factors->f;
		if (work < POLL_NUMBERS)
			continue;
		work = 0;
		rml_poll(env);
	}
	rml_top_items_sort(&top);
	rml_release(env, allowed);
	return top.n;
}
