/*
 * linear_coefficients.c
 *	  From coefficients of a basis to those of axes and of the terms' own units.
 */
#include <string.h>

#include "linear_internal.h"

void
rml_linear_spread(const RmlLinearBasis *basis, const RmlLinearRows *rows,
				  const double *coefficients, double *by_axis)
{
	memset(by_axis, 0, sizeof(double) * (size_t) rows->axes);
	for (int i = 0; i < basis->rank; i++)
		by_axis[basis->axis[i]] = coefficients[i];
}

void
rml_linear_gather(const RmlLinearBasis *basis, const double *by_axis, double *values)
{
	for (int i = 0; i < basis->rank; i++)
		values[i] = by_axis[basis->axis[i]];
}

void
rml_linear_restore(const RmlLinearBasis *basis, const RmlLinearRows *rows,
				   const double *coefficients, double *estimates)
{
	const RmlLinearDesign *design = rows->design;

	memset(estimates, 0, sizeof(double) * (size_t) design->p);
	for (int i = 0; i < basis->rank; i++)
		estimates[basis->term[i]] = coefficients[i];
	for (int e = basis->n_plain; e < basis->rank; e++)
	{
		const double *mix = basis->mix + (size_t) (e - basis->n_plain) * (size_t) basis->n_plain;

		for (int i = 0; i < basis->n_plain; i++)
			estimates[basis->term[i]] -= mix[i] * coefficients[e];
	}
	for (int j = 0; j < design->d_num; j++)
	{
		double *estimate = &estimates[design->number_term[j]];

		*estimate /= rows->scale[j];
		estimates[0] -= *estimate * rows->centre[j];
	}
}

/* the mean of a residual axis is 0, as the intercept is among the plain terms */
double
rml_linear_centre(const RmlLinearBasis *basis, const RmlLinearRows *rows,
				  const double *coefficients, const RmlLinear *linear)
{
	double value = 0.0;

	for (int i = 0; i < basis->n_plain; i++)
	{
		int axis = basis->axis[i];
		double mean = linear->mean[basis->term[i]];

		if (axis < rows->design->d_num)
			mean = (mean - rows->centre[axis]) / rows->scale[axis];
		value += coefficients[i] * mean;
	}
	return value;
}

void
rml_linear_begin(RmlLinear *linear, RmlEnv *env, const RmlSchema *schema, int n_outputs)
{
	size_t p;

	memset(linear, 0, sizeof *linear);
	rml_linear_design(&linear->design, env, schema);
	p = (size_t) linear->design.p;
	linear->n_outputs = n_outputs;
	linear->mean = RML_NEW_ZERO(env, double, p);
	linear->sd = RML_NEW_ZERO(env, double, p);
	linear->estimates = RML_NEW_ZERO(env, double, (size_t) n_outputs *p);
	linear->kept = RML_NEW_ZERO(env, int32_t, p);
	linear->base = RML_NEW_ZERO(env, double, (size_t) n_outputs);
}
