/*
 * linear_expression.c
 *	  A linear model as SQL; importances of its features.
 */
#include "retailml/linear_expression.h"

#include <math.h>

#include "retailml/linreg.h"
#include "retailml/logreg.h"

typedef struct Predictor
{
	const RmlLinear *linear;
	int output;
} Predictor;

typedef struct Classes
{
	const RmlLinear *linear;
	int n;
} Classes;

/* ---- terms ---- */

/* of codes 0 .. n_categories + 1 of a category */
static const double *
levels(const RmlLinear *linear, int output, int slot)
{
	const RmlLinearDesign *design = &linear->design;

	return linear->codes + (size_t) output * (size_t) design->place[design->d_cat] +
		   design->place[slot];
}

static double
slope(const RmlLinear *linear, int output, int slot)
{
	return linear->numbers[(size_t) output * (size_t) linear->design.d_num + (size_t) slot];
}

static void
write_number_term(RmlExpression *expression, const Predictor *predictor, int slot)
{
	const RmlLinear *linear = predictor->linear;

	rml_write_number(expression, slope(linear, predictor->output, slot));
	rml_write(expression, " * (");
	rml_write_value(expression, expression->numbers[slot]);
	rml_write(expression, " - ");
	rml_write_number(expression, linear->mean[linear->design.number_term[slot]]);
	rml_write(expression, ")");
}

static void
write_category_term(RmlExpression *expression, const Predictor *predictor, int slot)
{
	const RmlFeature *feature = expression->categories[slot];
	const double *level = levels(predictor->linear, predictor->output, slot);

	rml_write(expression, "CASE WHEN ");
	rml_write_value(expression, feature);
	rml_write(expression, " IS NULL THEN ");
	rml_write_number(expression, level[0]);
	for (int32_t code = 1; code <= feature->n_categories; code++)
	{
		/* what has no term of its own is as a category that was never seen */
		if (level[code] == level[feature->n_categories + 1])
			continue;
		rml_write(expression, " WHEN ");
		rml_write_value(expression, feature);
		rml_write(expression, " = ");
		rml_write_category(expression, feature, code);
		rml_write(expression, " THEN ");
		rml_write_number(expression, level[code]);
	}
	rml_write(expression, " ELSE ");
	rml_write_number(expression, level[feature->n_categories + 1]);
	rml_write(expression, " END");
}

/* the base, then numbers, then categories */
static void
predictor_term(RmlExpression *expression, const void *context, int64_t i)
{
	const Predictor *predictor = context;
	const RmlLinear *linear = predictor->linear;

	if (i == 0)
		rml_write_number(expression, linear->base[predictor->output]);
	else if (i <= linear->design.d_num)
		write_number_term(expression, predictor, (int) i - 1);
	else
		write_category_term(expression, predictor, (int) i - 1 - linear->design.d_num);
}

static void
write_predictor(RmlExpression *expression, const RmlLinear *linear, int output)
{
	const Predictor predictor = {linear, output};

	rml_write_sum(expression, 1 + linear->design.d_num + linear->design.d_cat, predictor_term,
				  &predictor);
}

static void
class_term(RmlExpression *expression, const void *context, int64_t i)
{
	const Classes *classes = context;
	int output = (int) i - (classes->n - classes->linear->n_outputs);

	if (output < 0)
		rml_write_number(expression, 0.0);
	else
		write_predictor(expression, classes->linear, output);
}

void
rml_linear_expression(const RmlLinear *linear, int n_classes, RmlExpression *expression)
{
	const Classes classes = {linear, n_classes};

	rml_write_row_begin(expression);
	if (n_classes > 2)
		rml_write_argmax(expression, n_classes, class_term, &classes);
	else if (n_classes == 2)
	{
		rml_write_logistic_begin(expression);
		write_predictor(expression, linear, 0);
		rml_write_logistic_end(expression);
	}
	else
		write_predictor(expression, linear, 0);
	rml_write_row_end(expression, NULL);
}

/* ---- importance ---- */

/*
 * The mean square, over the classes, of a coefficient's deviation from its mean over the classes: the same
 * whichever class has the predictor 0.  With one predictor the square of its coefficient.  values
 * are those of output 0, and of the next one a stride further.
 */
static double
spread(const RmlLinear *linear, int n_classes, const double *values, int stride)
{
	double sum = 0.0, squares = 0.0;

	for (int output = 0; output < linear->n_outputs; output++)
	{
		double value = values[(size_t) output * (size_t) stride];

		sum += value;
		squares += value * value;
	}
	if (n_classes <= 2)
		return squares;
	return fmax(0.0, squares / n_classes - (sum / n_classes) * (sum / n_classes));
}

static double
category_variance(const RmlLinear *linear, int n_classes, const RmlSchema *schema,
				  const RmlFeature *feature)
{
	const double *level = levels(linear, 0, feature->slot);
	const int stride = linear->design.place[linear->design.d_cat];
	double sum = (double) feature->n_missing * spread(linear, n_classes, level, stride);

	for (int32_t code = 1; code <= feature->n_categories; code++)
		sum += (double) feature->counts[code - 1] * spread(linear, n_classes, level + code, stride);
	return sum / (double) schema->rows;
}

static double
number_variance(const RmlLinear *linear, int n_classes, const RmlFeature *feature)
{
	const RmlLinearDesign *design = &linear->design;
	double sd = linear->sd[design->number_term[feature->slot]];

	return sd * sd * spread(linear, n_classes, linear->numbers + feature->slot, design->d_num);
}

void
rml_linear_importance(const RmlLinear *linear, int n_classes, const RmlSchema *schema, double *gain,
					  int64_t *splits)
{
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		if (feature->kind == RML_CATEGORICAL)
			gain[i] = sqrt(category_variance(linear, n_classes, schema, feature));
		else
			gain[i] = sqrt(number_variance(linear, n_classes, feature));
		splits[i] = 0;
	}
}

/* ---- the table of algorithms ---- */

void
rml_linreg_expression(const void *fitted, const RmlSchema *schema, RmlExpression *expression)
{
	rml_linear_expression(&((const RmlLinreg *) fitted)->linear, 0, expression);
}

void
rml_linreg_importance(const void *fitted, const RmlSchema *schema, double *gain, int64_t *splits)
{
	rml_linear_importance(&((const RmlLinreg *) fitted)->linear, 0, schema, gain, splits);
}

void
rml_logreg_expression(const void *fitted, const RmlSchema *schema, RmlExpression *expression)
{
	const RmlLogreg *model = fitted;

	rml_linear_expression(&model->linear, model->target.n_classes, expression);
}

void
rml_logreg_importance(const void *fitted, const RmlSchema *schema, double *gain, int64_t *splits)
{
	const RmlLogreg *model = fitted;

	rml_linear_importance(&model->linear, model->target.n_classes, schema, gain, splits);
}
