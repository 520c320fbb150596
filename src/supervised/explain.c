/*
 * explain.c
 *	  Which score of a supervised model is explained, and in what order features come.
 */
#include "retailml/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int
rml_target_class(const RmlTarget *target, const char *text)
{
	for (int k = 0; k < target->n_classes; k++)
		if (strcmp(target->classes[k], text) == 0)
			return k;
	return -1;
}

int
rml_explain_output(const RmlModel *model, const double *numbers, const int32_t *codes)
{
	const RmlTarget *target = rml_model_target(model);

	if (target->task == RML_REGRESSION)
		return 0;
	if (rml_is_binary(target))
		return 1;
	return (int) model->algorithm->predict(model->fitted, numbers, codes) - 1;
}

typedef struct Sized
{
	double size;
	int32_t position;
} Sized;

static int
compare_sizes(const void *left, const void *right)
{
	const Sized *a = left, *b = right;

	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return (a->position > b->position) - (a->position < b->position);
}

void
rml_order_by_size(RmlEnv *env, const double *values, int n, int32_t *order)
{
	Sized *sized = RML_NEW(env, Sized, (size_t) n);

	for (int i = 0; i < n; i++)
		sized[i] = (Sized){fabs(values[i]), i};
	qsort(sized, (size_t) n, sizeof(Sized), compare_sizes);
	for (int i = 0; i < n; i++)
		order[i] = sized[i].position;
	rml_release(env, sized);
}

void
rml_explain_row(const RmlModel *model, const double *numbers, const int32_t *codes, int output,
				RmlExplanation *explanation)
{
	model->algorithm->explain(model->fitted, &model->schema, model->env, numbers, codes, output,
							  explanation->contributions, &explanation->base);
	rml_order_by_size(model->env, explanation->contributions, model->schema.n_features,
					  explanation->order);
}
