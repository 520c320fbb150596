/*
 * linear_design.c
 *	  Terms of a linear model, its predictor, contributions and bytes.
 */
#include "retailml/linear_design.h"

#include <math.h>
#include <string.h>

#define TAG_MEAN RML_TAG('L', 'D', 'm', 'e')
#define TAG_SD RML_TAG('L', 'D', 's', 'd')
#define TAG_ESTIMATES RML_TAG('L', 'D', 'e', 's')
#define TAG_KEPT RML_TAG('L', 'D', 'k', 'e')
#define TAG_BASE RML_TAG('L', 'D', 'b', 'a')

/* ---- terms ---- */

/* the code of the most frequent category; codes are in the order of text */
static int32_t
reference_code(const RmlFeature *feature)
{
	int32_t best = 1;

	for (int32_t code = 2; code <= feature->n_categories; code++)
		if (feature->counts[code - 1] > feature->counts[best - 1])
			best = code;
	return best;
}

/* a code has a term unless it is the reference, or counts as it */
static bool
has_term(const RmlFeature *feature, int32_t code, int32_t reference)
{
	if (code == 0)
		return feature->n_missing > 0 && feature->n_categories > 0;
	return code != reference && code <= feature->n_categories;
}

int64_t
rml_linear_terms(const RmlSchema *schema)
{
	int64_t terms = 1 + (int64_t) schema->d_num;

	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		if (feature->kind == RML_CATEGORICAL && feature->n_categories > 0)
			terms += feature->n_categories - 1 + (feature->n_missing > 0);
	}
	return terms;
}

const char *
rml_linear_check(RmlEnv *env, const RmlSchema *schema, int64_t outputs)
{
	int64_t terms = rml_linear_terms(schema);

	if (terms * outputs <= RML_LINEAR_MAX_TERMS)
		return NULL;
	if (outputs == 1)
		return rml_format(env, "the model would have %lld terms, at most %d are possible",
						  (long long) terms, RML_LINEAR_MAX_TERMS);
	return rml_format(
		env, "%lld terms for each of %lld classes are too many, at most %d in all are possible",
		(long long) terms, (long long) outputs, RML_LINEAR_MAX_TERMS);
}

static void
allocate(RmlLinearDesign *design, RmlEnv *env, const RmlSchema *schema)
{
	int32_t place = 0;

	design->p = (int) rml_linear_terms(schema);
	design->n_features = schema->n_features;
	design->d_num = schema->d_num;
	design->d_cat = schema->d_cat;
	design->feature = RML_NEW(env, int32_t, (size_t) design->p);
	design->code = RML_NEW(env, int32_t, (size_t) design->p);
	design->number_term = RML_NEW(env, int32_t, (size_t) design->d_num);
	design->number_owner = RML_NEW(env, int32_t, (size_t) design->d_num);
	design->code_owner = RML_NEW(env, int32_t, (size_t) design->d_cat);
	design->place = RML_NEW(env, int32_t, (size_t) design->d_cat + 1);
	for (int i = 0; i < schema->n_features; i++)
		if (schema->features[i].kind == RML_CATEGORICAL)
			design->code_owner[schema->features[i].slot] = i;
	for (int f = 0; f < design->d_cat; f++)
	{
		design->place[f] = place;
		place += schema->features[design->code_owner[f]].n_categories + 2;
	}
	design->place[design->d_cat] = place;
	design->place_term = RML_NEW(env, int32_t, (size_t) place);
}

static void
add_term(RmlLinearDesign *design, int *term, int feature, int32_t code)
{
	design->feature[*term] = feature;
	design->code[(*term)++] = code;
}

static void
add_levels(RmlLinearDesign *design, int *term, int i, const RmlFeature *feature)
{
	int32_t *place_term = design->place_term + design->place[feature->slot];
	const int32_t reference = reference_code(feature);

	for (int32_t code = 0; code <= feature->n_categories + 1; code++)
	{
		place_term[code] = -1;
		if (has_term(feature, code, reference))
		{
			place_term[code] = *term;
			add_term(design, term, i, code);
		}
	}
}

void
rml_linear_design(RmlLinearDesign *design, RmlEnv *env, const RmlSchema *schema)
{
	int term = 0;

	allocate(design, env, schema);
	add_term(design, &term, -1, -1);
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		if (feature->kind == RML_CATEGORICAL)
		{
			add_levels(design, &term, i, feature);
			continue;
		}
		design->number_owner[feature->slot] = i;
		design->number_term[feature->slot] = term;
		add_term(design, &term, i, -1);
	}
}

char *
rml_linear_name(const RmlLinearDesign *design, const RmlSchema *schema, RmlEnv *env, int term)
{
	const int32_t code = design->code[term];
	const RmlFeature *feature;

	if (design->feature[term] < 0)
		return rml_strdup(env, "(intercept)");
	feature = &schema->features[design->feature[term]];
	if (code < 0)
		return rml_strdup(env, feature->name);
	return rml_format(env, "%s=%s", feature->name,
					  code == 0 ? "(missing)" : feature->categories[code - 1]);
}

/* ---- the predictor ---- */

static void
index_category(RmlLinear *linear, int f, const double *estimates, double *codes)
{
	const RmlLinearDesign *design = &linear->design;
	double mean = 0.0;

	for (int32_t i = design->place[f]; i < design->place[f + 1]; i++)
	{
		int32_t term = design->place_term[i];

		codes[i] = term < 0 ? 0.0 : estimates[term];
		mean += term < 0 ? 0.0 : estimates[term] * linear->mean[term];
	}
	for (int32_t i = design->place[f]; i < design->place[f + 1]; i++)
		codes[i] -= mean;
}

static void
name_dropped(RmlLinear *linear, const RmlSchema *schema, RmlEnv *env)
{
	const int p = linear->design.p;

	linear->n_dropped = 0;
	for (int j = 0; j < p; j++)
		linear->n_dropped += !linear->kept[j];
	linear->dropped = RML_NEW(env, char *, (size_t) linear->n_dropped);
	for (int j = 0, i = 0; j < p; j++)
		if (!linear->kept[j])
			linear->dropped[i++] = rml_linear_name(&linear->design, schema, env, j);
}

void
rml_linear_index(RmlLinear *linear, const RmlSchema *schema, RmlEnv *env)
{
	const RmlLinearDesign *design = &linear->design;
	const size_t places = (size_t) design->place[design->d_cat];

	linear->numbers = RML_NEW(env, double, (size_t) linear->n_outputs *(size_t) design->d_num);
	linear->codes = RML_NEW(env, double, (size_t) linear->n_outputs *places);
	for (int output = 0; output < linear->n_outputs; output++)
	{
		const double *estimates = linear->estimates + (size_t) output * (size_t) design->p;

		for (int j = 0; j < design->d_num; j++)
			linear->numbers[(size_t) output * (size_t) design->d_num + (size_t) j] =
				estimates[design->number_term[j]];
		for (int f = 0; f < design->d_cat; f++)
			index_category(linear, f, estimates, linear->codes + (size_t) output * places);
	}
	name_dropped(linear, schema, env);
}

double
rml_linear_eta(const RmlLinear *linear, int output, const double *numbers, const int32_t *codes)
{
	const RmlLinearDesign *design = &linear->design;
	const double *slope = linear->numbers + (size_t) output * (size_t) design->d_num;
	const double *level = linear->codes + (size_t) output * (size_t) design->place[design->d_cat];
	double eta = linear->base[output];

	for (int j = 0; j < design->d_num; j++)
		eta += slope[j] * (numbers[j] - linear->mean[design->number_term[j]]);
	for (int f = 0; f < design->d_cat; f++)
		eta += level[design->place[f] + codes[f]];
	return eta;
}

void
rml_linear_contributions(const RmlLinear *linear, int output, const double *numbers,
						 const int32_t *codes, double *contributions, double *base)
{
	const RmlLinearDesign *design = &linear->design;
	const double *slope = linear->numbers + (size_t) output * (size_t) design->d_num;
	const double *level = linear->codes + (size_t) output * (size_t) design->place[design->d_cat];

	*base = linear->base[output];
	for (int j = 0; j < design->d_num; j++)
		contributions[design->number_owner[j]] =
			slope[j] * (numbers[j] - linear->mean[design->number_term[j]]);
	for (int f = 0; f < design->d_cat; f++)
		contributions[design->code_owner[f]] = level[design->place[f] + codes[f]];
}

/* ---- bytes and description ---- */

void
rml_linear_encode(const RmlLinear *linear, RmlWriter *writer)
{
	const size_t p = (size_t) linear->design.p, outputs = (size_t) linear->n_outputs;

	rml_put_float64(writer, TAG_MEAN, linear->mean, p);
	rml_put_float64(writer, TAG_SD, linear->sd, p);
	rml_put_float64(writer, TAG_ESTIMATES, linear->estimates, outputs * p);
	rml_put_int32(writer, TAG_KEPT, linear->kept, p);
	rml_put_float64(writer, TAG_BASE, linear->base, outputs);
}

static void
check_decoded(const RmlLinear *linear, RmlReader *reader)
{
	for (int j = 0; j < linear->design.p; j++)
	{
		if (linear->kept[j] != 0 && linear->kept[j] != 1)
			rml_reader_fail(reader, "a term of the model is neither kept nor dropped");
		if (linear->sd[j] < 0.0)
			rml_reader_fail(reader, "a standard deviation in the model is negative");
	}
}

void
rml_linear_decode(RmlLinear *linear, int n_outputs, const RmlSchema *schema, RmlReader *reader)
{
	size_t p;

	memset(linear, 0, sizeof *linear);
	if (reader->error != NULL)
		return;
	if (rml_linear_terms(schema) > RML_LINEAR_MAX_TERMS)
	{
		rml_reader_fail(reader, "the model has too many terms");
		return;
	}
	rml_linear_design(&linear->design, reader->env, schema);
	p = (size_t) linear->design.p;
	linear->n_outputs = n_outputs;
	linear->mean = rml_get_finite(reader, TAG_MEAN, p);
	linear->sd = rml_get_finite(reader, TAG_SD, p);
	linear->estimates = rml_get_finite(reader, TAG_ESTIMATES, (size_t) n_outputs * p);
	linear->kept = rml_get_int32(reader, TAG_KEPT, p);
	linear->base = rml_get_finite(reader, TAG_BASE, (size_t) n_outputs);
	if (reader->error != NULL)
		return;
	check_decoded(linear, reader);
	rml_linear_index(linear, schema, reader->env);
}

void
rml_linear_describe(const RmlLinear *linear, RmlInfo *info)
{
	info->integer(info, "terms", linear->design.p);
	info->begin_array(info, "dropped_terms");
	for (int i = 0; i < linear->n_dropped; i++)
		info->text(info, NULL, linear->dropped[i]);
	info->end_array(info);
}

/* more names than these make no message better */
#define MOST_NAMES 10

const char *
rml_linear_warning(const RmlLinear *linear, RmlEnv *env)
{
	const char *names = "";

	if (linear->n_dropped == 0)
		return NULL;
	for (int i = 0; i < linear->n_dropped && i < MOST_NAMES; i++)
		names = rml_format(env, "%s%s\"%s\"", names, i == 0 ? "" : ", ", linear->dropped[i]);
	if (linear->n_dropped == 1)
		return rml_format(env, "a term is constant or determined by others and was dropped: %s",
						  names);
	return rml_format(env, "%d terms are constant or determined by others and were dropped: %s%s",
					  linear->n_dropped, names, linear->n_dropped > MOST_NAMES ? ", ..." : "");
}
