/*
 * schema.c
 *	  Preparing rows with a schema, and its bytes.  How it is learnt is in schema_learn.c.
 */
#include "retailml/schema.h"

#include <math.h>
#include <string.h>

/* what a damaged model may claim at most */
#define MAX_FEATURES 1000000

const char *const rml_impute_names[] = {"mean", "median", "zero", "error", "skip", NULL};

/* ---- using it ---- */

void
rml_schema_index(RmlSchema *schema, RmlEnv *env)
{
	schema->scaling = RML_NEW(env, RmlScaling, schema->d_num);
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];
		bool scaled = schema->standardize && feature->sd > 0;

		if (feature->kind != RML_CATEGORICAL)
			schema->scaling[feature->slot] =
				(RmlScaling){feature->impute, schema->standardize ? feature->mean : 0.0,
							 scaled ? feature->sd : 1.0};
	}
}

const RmlFeature *
rml_schema_number(const RmlSchema *schema, int slot)
{
	for (int i = 0; i < schema->n_features; i++)
		if (schema->features[i].kind != RML_CATEGORICAL && schema->features[i].slot == slot)
			return &schema->features[i];
	return NULL;
}

void
rml_schema_prepare(const RmlSchema *schema, double *numbers)
{
	const RmlScaling *scaling = schema->scaling;

	for (int j = 0; j < schema->d_num; j++)
	{
		double x = isnan(numbers[j]) ? scaling[j].impute : numbers[j];

		numbers[j] = (x - scaling[j].centre) / scaling[j].scale;
	}
}

double
rml_schema_restore(const RmlSchema *schema, int slot, double prepared)
{
	return schema->scaling[slot].centre + prepared * schema->scaling[slot].scale;
}

double
rml_schema_z(const RmlSchema *schema, int slot, double prepared)
{
	const RmlFeature *feature = rml_schema_number(schema, slot);

	if (feature->sd == 0)
		return 0.0;
	return schema->standardize ? prepared : (prepared - feature->mean) / feature->sd;
}

int32_t
rml_schema_code(const RmlFeature *feature, const char *text, size_t length)
{
	int32_t low = 0, high = feature->n_categories;

	while (low < high)
	{
		int32_t middle = low + (high - low) / 2;
		const char *category = feature->categories[middle];
		int order = strncmp(category, text, length);

		if (order == 0 && category[length] != '\0')
			order = 1;
		if (order == 0)
			return middle + 1;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return feature->n_categories + 1;
}

/* of the prepared values */
static double
feature_variance(const RmlSchema *schema, const RmlFeature *feature, double category_weight)
{
	double rows = (double) schema->rows;
	double same = pow((double) feature->n_missing / rows, 2);
	double sd;

	if (feature->kind == RML_CATEGORICAL)
	{
		for (int32_t i = 0; i < feature->n_categories; i++)
			same += pow((double) feature->counts[i] / rows, 2);
		return 0.5 * category_weight * (1.0 - same);
	}
	sd = feature->sd / schema->scaling[feature->slot].scale;
	return sd * sd;
}

const RmlFeature *
rml_schema_dominant(const RmlSchema *schema, double category_weight, double *share)
{
	const RmlFeature *largest = NULL;
	double most = 0.0, total = 0.0;

	for (int i = 0; i < schema->n_features; i++)
	{
		double variance = feature_variance(schema, &schema->features[i], category_weight);

		total += variance;
		if (variance > most)
		{
			most = variance;
			largest = &schema->features[i];
		}
	}
	*share = most / total;
	return schema->n_features > 1 && *share > RML_DOMINANT_SHARE ? largest : NULL;
}

/* ---- bytes ---- */

#define TAG_SCHEMA RML_TAG('S', 'C', 'H', 'M')
#define TAG_NAMES RML_TAG('N', 'A', 'M', 'E')
#define TAG_TYPES RML_TAG('T', 'Y', 'P', 'E')
#define TAG_KINDS RML_TAG('K', 'I', 'N', 'D')
#define TAG_MISSING RML_TAG('M', 'I', 'S', 'S')
#define TAG_NUMBER RML_TAG('N', 'U', 'M', ' ')
#define TAG_CATEGORIES RML_TAG('C', 'A', 'T', 'S')
#define TAG_COUNTS RML_TAG('C', 'N', 'T', 'S')
#define TAG_N_CATEGORIES RML_TAG('N', 'C', 'A', 'T')
#define TAG_CHOSEN RML_TAG('C', 'O', 'L', 'S')

/* PostgreSQL has no tables of more columns */
#define MAX_CHOSEN 1600

/* features, impute, standardize, positional, rows, skipped, max_categories */
#define HEAD_FIELDS 7

/* impute, mean, sd, then the deciles */
#define NUMBER_FIELDS (3 + RML_DECILES)

static void
encode_feature(const RmlFeature *feature, RmlWriter *writer)
{
	double fields[NUMBER_FIELDS] = {feature->impute, feature->mean, feature->sd};

	if (feature->kind == RML_CATEGORICAL)
	{
		rml_put_int(writer, TAG_N_CATEGORIES, feature->n_categories);
		rml_put_strings(writer, TAG_CATEGORIES, feature->categories, feature->n_categories);
		rml_put_int64(writer, TAG_COUNTS, feature->counts, feature->n_categories);
		return;
	}
	memcpy(fields + 3, feature->deciles, sizeof feature->deciles);
	rml_put_float64(writer, TAG_NUMBER, fields, NUMBER_FIELDS);
}

static void
encode_names(const RmlNames *names, RmlWriter *writer)
{
	rml_put_int(writer, TAG_CHOSEN, names->n);
	rml_put_strings(writer, TAG_CHOSEN, names->names, (size_t) names->n);
}

static void
decode_names(RmlNames *names, RmlReader *reader)
{
	names->n = rml_get_int(reader, TAG_CHOSEN, 0, MAX_CHOSEN);
	names->names = rml_get_strings(reader, TAG_CHOSEN, (size_t) names->n);
	if (names->names == NULL)
		names->n = 0;
}

void
rml_schema_encode(const RmlSchema *schema, RmlWriter *writer)
{
	const int64_t head[] = {schema->n_features,    schema->impute, schema->standardize,
							schema->positional,    schema->rows,   schema->skipped,
							schema->max_categories};
	RmlEnv *env = writer->env;
	int n = schema->n_features;
	char **names = RML_NEW(env, char *, n);
	char **types = RML_NEW(env, char *, n);
	int32_t *kinds = RML_NEW(env, int32_t, n);
	int64_t *missing = RML_NEW(env, int64_t, n);

	for (int i = 0; i < n; i++)
	{
		names[i] = schema->features[i].name;
		types[i] = schema->features[i].type;
		kinds[i] = schema->features[i].kind;
		missing[i] = schema->features[i].n_missing;
	}
	rml_put_int64(writer, TAG_SCHEMA, head, HEAD_FIELDS);
	encode_names(&schema->chosen, writer);
	encode_names(&schema->excluded, writer);
	rml_put_strings(writer, TAG_NAMES, names, n);
	rml_put_strings(writer, TAG_TYPES, types, n);
	rml_put_int32(writer, TAG_KINDS, kinds, n);
	rml_put_int64(writer, TAG_MISSING, missing, n);
	for (int i = 0; i < n; i++)
		encode_feature(&schema->features[i], writer);
	rml_release(env, names);
	rml_release(env, types);
	rml_release(env, kinds);
	rml_release(env, missing);
}

static void
decode_number(RmlFeature *feature, RmlReader *reader)
{
	const double *fields = rml_get_finite(reader, TAG_NUMBER, NUMBER_FIELDS);

	if (fields == NULL)
		return;
	feature->impute = fields[0];
	feature->mean = fields[1];
	feature->sd = fields[2];
	memcpy(feature->deciles, fields + 3, sizeof feature->deciles);
	if (feature->sd < 0)
		rml_reader_fail(reader, "a standard deviation in the model is negative");
}

/* the categories must be sorted and distinct, or looking one up would not find it */
static void
decode_categories(RmlFeature *feature, RmlReader *reader)
{
	feature->n_categories = (int32_t) rml_get_int(reader, TAG_N_CATEGORIES, 0, INT32_MAX - 1);
	feature->categories = rml_get_strings(reader, TAG_CATEGORIES, feature->n_categories);
	feature->counts = rml_get_int64(reader, TAG_COUNTS, feature->n_categories);
	if (reader->error != NULL)
		return;
	for (int32_t i = 1; i < feature->n_categories; i++)
		if (strcmp(feature->categories[i - 1], feature->categories[i]) >= 0)
			rml_reader_fail(reader, "the categories in the model are not sorted");
}

static void
decode_feature(RmlSchema *schema, RmlFeature *feature, RmlReader *reader)
{
	if (feature->n_missing < 0 || feature->kind < RML_NUMERIC || feature->kind > RML_CATEGORICAL)
	{
		rml_reader_fail(reader, "a feature in the model is damaged");
		return;
	}
	if (feature->kind == RML_CATEGORICAL)
	{
		feature->slot = schema->d_cat++;
		decode_categories(feature, reader);
	}
	else
	{
		feature->slot = schema->d_num++;
		decode_number(feature, reader);
	}
}

static void
decode_head(RmlSchema *schema, RmlReader *reader)
{
	const int64_t *head = rml_get_int64(reader, TAG_SCHEMA, HEAD_FIELDS);

	if (head == NULL)
		return;
	if (head[0] < 0 || head[0] > MAX_FEATURES || head[1] < 0 || head[1] > RML_IMPUTE_SKIP ||
		(head[2] & ~1) != 0 || (head[3] & ~1) != 0 || head[4] < 0 || head[5] < 0 || head[6] < 0)
	{
		rml_reader_fail(reader, "the schema of the model is damaged");
		return;
	}
	schema->n_features = (int) head[0];
	schema->impute = (RmlImpute) head[1];
	schema->standardize = head[2] != 0;
	schema->positional = head[3] != 0;
	schema->rows = head[4];
	schema->skipped = head[5];
	schema->max_categories = head[6];
}

void
rml_schema_decode(RmlSchema *schema, RmlReader *reader)
{
	char **names, **types;
	const int32_t *kinds;
	const int64_t *missing;
	size_t n;

	memset(schema, 0, sizeof *schema);
	decode_head(schema, reader);
	decode_names(&schema->chosen, reader);
	decode_names(&schema->excluded, reader);
	n = (size_t) schema->n_features;
	names = rml_get_strings(reader, TAG_NAMES, n);
	types = rml_get_strings(reader, TAG_TYPES, n);
	kinds = rml_get_int32(reader, TAG_KINDS, n);
	missing = rml_get_int64(reader, TAG_MISSING, n);
	if (reader->error != NULL)
	{
		schema->n_features = 0;
		return;
	}
	schema->features = RML_NEW_ZERO(reader->env, RmlFeature, n);
	for (size_t i = 0; i < n && reader->error == NULL; i++)
	{
		RmlFeature *feature = &schema->features[i];

		feature->name = names[i];
		feature->type = types[i];
		feature->kind = (RmlKind) kinds[i];
		feature->n_missing = missing[i];
		decode_feature(schema, feature, reader);
	}
	if (reader->error == NULL)
		rml_schema_index(schema, reader->env);
}
