/*
 * training.h
 *	  Training sets for the tests of supervised kernels, made of plain arrays.
 */
#ifndef RMLTEST_TRAINING_H
#define RMLTEST_TRAINING_H

#include <math.h>

#include "retailml/supervised.h"
#include "unit.h"

/* mean and sd of a column as the schema has them */
static inline void
describe_number(RmlFeature *feature, const double *numbers, int64_t n, int d)
{
	double sum = 0, squares = 0;

	for (int64_t i = 0; i < n; i++)
		sum += numbers[i * d + feature->slot];
	feature->mean = feature->impute = sum / (double) n;
	for (int64_t i = 0; i < n; i++)
		squares += pow(numbers[i * d + feature->slot] - feature->mean, 2);
	feature->sd = sqrt(squares / (double) n);
}

/*
 * Rows of numbers [n x d_num] and codes [n x d_cat], not standardized; numbers are the features
 * 0 .. d_num - 1.  The label is still to be set.
 */
static inline RmlTrainingSet
training_set(RmlEnv *env, int64_t n, int d_num, int d_cat, const double *numbers,
			 const int32_t *codes)
{
	RmlSchema *schema = RML_NEW_ZERO(env, RmlSchema, 1);

	schema->n_features = d_num + d_cat;
	schema->d_num = d_num;
	schema->d_cat = d_cat;
	schema->rows = n;
	schema->features = RML_NEW_ZERO(env, RmlFeature, (size_t) (d_num + d_cat));
	for (int j = 0; j < d_num + d_cat; j++)
	{
		RmlFeature *feature = &schema->features[j];

		feature->name = "x";
		feature->type = j < d_num ? "double precision" : "text";
		feature->kind = j < d_num ? RML_NUMERIC : RML_CATEGORICAL;
		feature->slot = j < d_num ? j : j - d_num;
		if (j < d_num)
			describe_number(feature, numbers, n, d_num);
		else
			for (int64_t i = 0; i < n; i++)
				if (codes[i * d_cat + feature->slot] > feature->n_categories)
					feature->n_categories = codes[i * d_cat + feature->slot];
	}
	rml_schema_index(schema, env);
	return (RmlTrainingSet){.schema = schema, .n = n, .numbers = numbers, .codes = codes};
}

static inline void
set_classes(RmlTrainingSet *rows, RmlEnv *env, const int32_t *classes, int n_classes)
{
	rows->target = (RmlTarget){.name = "label", .task = RML_CLASSIFICATION, .n_classes = n_classes};
	rows->target.counts = RML_NEW_ZERO(env, int64_t, (size_t) n_classes);
	for (int64_t i = 0; i < rows->n; i++)
		rows->target.counts[classes[i]]++;
	rows->classes = classes;
	rows->y = NULL;
}

static inline void
set_numbers(RmlTrainingSet *rows, const double *y)
{
	rows->target = (RmlTarget){.name = "label", .task = RML_REGRESSION};
	rows->classes = NULL;
	rows->y = y;
}

#endif /* RMLTEST_TRAINING_H */
