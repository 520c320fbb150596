/*
 * linear.h
 *	  Training sets for the tests of linear models, column by column.
 */
#ifndef RETAILML_TEST_LINEAR_H
#define RETAILML_TEST_LINEAR_H

#include "unit.h"

#include <math.h>

#include "retailml/linear_design.h"
#include "retailml/supervised.h"

#define LINEAR_MAX_COLUMNS 64

/* rows as a fit sees them, and what goes with each of them */
typedef struct LinearData
{
	RmlFrame frame;
	RmlSchema schema;
	RmlMatrix matrix;
	int d, d_cat;
	double *y;        /* as pushed */
	double *w;        /* as pushed */
	int64_t n;        /* pushed */
	int64_t capacity; /* of y and w */
	RmlTrainingSet set;
} LinearData;

static inline void
linear_begin(LinearData *data, RmlEnv *env, int d, int d_cat, const char *const *names)
{
	char *own[LINEAR_MAX_COLUMNS], *types[LINEAR_MAX_COLUMNS];
	RmlKind kinds[LINEAR_MAX_COLUMNS];

	memset(data, 0, sizeof *data);
	data->d = d;
	data->d_cat = d_cat;
	for (int i = 0; i < d + d_cat; i++)
	{
		own[i] = names != NULL
					 ? (char *) names[i]
					 : rml_format(env, "%s%d", i < d ? "x" : "c", i < d ? i + 1 : i - d + 1);
		types[i] = i < d ? "double precision" : "text";
		kinds[i] = i < d ? RML_NUMERIC : RML_CATEGORICAL;
	}
	rml_frame_init(&data->frame, env, d + d_cat, own, types, kinds);
	data->capacity = 16;
	data->y = RML_NEW(env, double, 16);
	data->w = RML_NEW(env, double, 16);
}

/* a row; a category may be NULL or "": missing */
static inline void
linear_push(LinearData *data, RmlEnv *env, const double *numbers, const char *const *categories,
			double y, double w)
{
	double *to;
	int32_t *codes;

	rml_frame_push(&data->frame, &to, &codes);
	for (int j = 0; j < data->d; j++)
		to[j] = numbers[j];
	for (int f = 0; f < data->d_cat; f++)
	{
		RmlColumn *column = &data->frame.columns[data->d + f];
		const char *text = categories[f];

		codes[f] = text == NULL || *text == '\0'
					   ? 0
					   : rml_frame_code(&data->frame, column, text, strlen(text));
	}
	if (data->n == data->capacity)
	{
		size_t old = (size_t) data->capacity;

		data->capacity *= 2;
		data->y = rml_grow_array(env, data->y, old, 2 * old, sizeof(double));
		data->w = rml_grow_array(env, data->w, old, 2 * old, sizeof(double));
	}
	data->y[data->n] = y;
	data->w[data->n++] = w;
}

/* order the rows; n_classes 0: regression, else y is the class */
static inline void
linear_end(LinearData *data, RmlEnv *env, int n_classes, const char *const *classes, bool weighted)
{
	double *y, *w;
	int32_t *class;

	rml_frame_order(&data->frame, true, &data->matrix);
	if (rml_schema_learn(&data->schema, env, &data->frame, &data->matrix, RML_IMPUTE_MEAN, false) !=
		NULL)
		unit_ok(false, "the rows have no schema");
	y = RML_NEW(env, double, (size_t) data->n);
	w = RML_NEW(env, double, (size_t) data->n);
	class = RML_NEW(env, int32_t, (size_t) data->n);
	data->set = (RmlTrainingSet){.schema = &data->schema,
								 .n = data->n,
								 .numbers = data->matrix.numbers,
								 .codes = data->matrix.codes,
								 .y = n_classes == 0 ? y : NULL,
								 .classes = n_classes == 0 ? NULL : class,
								 .weights = weighted ? w : NULL};
	data->set.target = (RmlTarget){.name = "y",
								   .task = n_classes == 0 ? RML_REGRESSION : RML_CLASSIFICATION,
								   .n_classes = n_classes,
								   .classes = (char **) classes,
								   .counts = RML_NEW_ZERO(env, int64_t, (size_t) n_classes)};
	for (int64_t i = 0; i < data->n; i++)
	{
		y[i] = data->y[data->matrix.origin[i]];
		w[i] = data->w[data->matrix.origin[i]];
		class[i] = n_classes == 0 ? 0 : (int32_t) y[i];
		if (n_classes > 0)
			data->set.target.counts[class[i]]++;
	}
}

/* the number of a term by its name; -1 and a failed test when there is none */
static inline int
linear_term(const RmlLinearDesign *design, const RmlSchema *schema, RmlEnv *env, const char *name)
{
	for (int j = 0; j < design->p; j++)
		if (strcmp(rml_linear_name(design, schema, env, j), name) == 0)
			return j;
	unit_ok(false, "there is a term %s", name);
	return -1;
}

/* |got - wanted| relative to wanted; an absolute floor for what is 0 but for rounding */
static inline double
linear_difference(double got, double wanted)
{
	if (isnan(got) || isnan(wanted))
		return isnan(got) && isnan(wanted) ? 0.0 : INFINITY;
	return fabs(got - wanted) / fmax(fabs(wanted), 1e-290);
}

static const char *const linear_telco[] = {"SeniorCitizen",  "tenure",           "MonthlyCharges",
										   "gender",         "Partner",          "Dependents",
										   "PhoneService",   "MultipleLines",    "InternetService",
										   "OnlineSecurity", "OnlineBackup",     "DeviceProtection",
										   "TechSupport",    "StreamingTV",      "StreamingMovies",
										   "Contract",       "PaperlessBilling", "PaymentMethod"};

#endif /* RETAILML_TEST_LINEAR_H */
