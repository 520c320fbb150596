/*
 * score_curves_sql.c
 *	  roc_curve, pr_curve, lift_curve, calibration_curve: arrays of points and bins.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "retailml/contingency_sql.h"
#include "retailml/env_sql.h"
#include "retailml/evaluation_sql.h"

/* what a point takes in an array, and what it takes besides while that is made */
#define POINT_BYTES 64
#define WORK_BYTES 128

PG_FUNCTION_INFO_V1(rml_roc_curve_final);
PG_FUNCTION_INFO_V1(rml_pr_curve_final);
PG_FUNCTION_INFO_V1(rml_lift_curve_final);
PG_FUNCTION_INFO_V1(rml_calibration_curve_final);

/* NaN is NULL */
static void
fill_number(Datum *values, bool *nulls, int column, double number)
{
	values[column] = Float8GetDatum(number);
	nulls[column] = isnan(number);
}

/* threshold, tpr, fpr */
static void
fill_roc_point(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const RmlCurvePoint *point = (const RmlCurvePoint *) context + i;

	values[0] = Float8GetDatum(point->threshold);
	values[1] = Float8GetDatum(point->y);
	values[2] = Float8GetDatum(point->x);
}

/* threshold, precision, recall */
static void
fill_pr_point(const void *context, int64_t i, Datum *values, bool *nulls)
{
	fill_roc_point(context, i, values, nulls);
}

static void
fill_lift_bin(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const RmlLiftBin *bin = (const RmlLiftBin *) context + i;

	values[0] = Int32GetDatum((int32) i + 1);
	values[1] = Int64GetDatum(bin->n);
	fill_number(values, nulls, 2, bin->positives);
	fill_number(values, nulls, 3, bin->rate);
	fill_number(values, nulls, 4, bin->lift);
	fill_number(values, nulls, 5, bin->cumulative_share);
	fill_number(values, nulls, 6, bin->cumulative_gain);
	fill_number(values, nulls, 7, bin->cumulative_lift);
	fill_number(values, nulls, 8, bin->min_score);
	fill_number(values, nulls, 9, bin->max_score);
}

static void
fill_calibration_bin(const void *context, int64_t i, Datum *values, bool *nulls)
{
	const RmlCalibrationBin *bin = (const RmlCalibrationBin *) context + i;

	values[0] = Int32GetDatum(bin->bin);
	values[1] = Int64GetDatum(bin->n);
	values[2] = Float8GetDatum(bin->mean_score);
	values[3] = Float8GetDatum(bin->rate);
}

static void
check_points(RmlEnv *env, int64_t n)
{
	if (n > (int64_t) (MaxAllocSize / POINT_BYTES))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the curve has " INT64_FORMAT " points, an array holds " INT64_FORMAT, n,
						(int64) (MaxAllocSize / POINT_BYTES)),
				 errhint("Round the scores, or use lift_curve, which has bins.")));
	rml_pg_env_check_room(env, (POINT_BYTES + WORK_BYTES) * (size_t) n);
}

static Datum
finish_curve(FunctionCallInfo fcinfo, RmlEnv *env, const RmlCurve *curve, RmlElementFn fill)
{
	Datum result;

	check_points(env, curve->n);
	result = rml_composite_array(fcinfo, curve->n, 3, fill, curve->points);
	rml_release(env, curve->points);
	return result;
}

Datum
rml_roc_curve_final(PG_FUNCTION_ARGS)
{
	RmlScoreState *state = rml_sorted_scores(fcinfo);
	RmlCurve curve;

	if (state == NULL || state->scores.n[0] == 0 || state->scores.n[1] == 0)
		PG_RETURN_NULL();
	rml_roc_curve(&state->scores, state->env, &curve);
	return finish_curve(fcinfo, state->env, &curve, fill_roc_point);
}

Datum
rml_pr_curve_final(PG_FUNCTION_ARGS)
{
	RmlScoreState *state = rml_sorted_scores(fcinfo);
	RmlCurve curve;

	if (state == NULL || state->scores.n[1] == 0)
		PG_RETURN_NULL();
	rml_pr_curve(&state->scores, state->env, &curve);
	return finish_curve(fcinfo, state->env, &curve, fill_pr_point);
}

Datum
rml_lift_curve_final(PG_FUNCTION_ARGS)
{
	RmlScoreState *state = rml_sorted_scores(fcinfo);
	RmlLiftBin *bins;
	int n;
	Datum result;

	if (state == NULL)
		PG_RETURN_NULL();
	n = rml_lift_curve(&state->scores, state->env, state->parameters.n_bins, &bins);
	result = rml_composite_array(fcinfo, n, 10, fill_lift_bin, bins);
	rml_release(state->env, bins);
	PG_RETURN_DATUM(result);
}

Datum
rml_calibration_curve_final(PG_FUNCTION_ARGS)
{
	RmlScoreState *state = rml_sorted_scores(fcinfo);
	RmlCalibrationBin *bins;
	int n;
	Datum result;

	if (state == NULL)
		PG_RETURN_NULL();
	if (!rml_scores_are_probabilities(&state->scores))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("calibration_curve: a score is not between 0 and 1"),
				 errhint("Calibration is a property of probabilities; for other scores there are "
						 "roc_curve and lift_curve.")));
	n = rml_calibration_curve(&state->scores, state->env, state->parameters.n_bins,
							  state->parameters.quantiles, &bins);
	result = rml_composite_array(fcinfo, n, 4, fill_calibration_bin, bins);
	rml_release(state->env, bins);
	PG_RETURN_DATUM(result);
}
