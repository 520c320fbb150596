/*
 * model.c
 *	  Fuzz target: bytes that claim to be a model, through everything that is done with one.
 *
 * They are decoded as they came; with length and checksum put right, so that damage gets past
 * these and meets the decoders; and taken as a list of patches to a good model, which keeps its
 * structure and changes its numbers.  What is accepted is scored, described, profiled, and written
 * again, which must give bytes that are accepted and written the same.
 *
 * runs: 100000
 */
#include "unit.h"

#include <math.h>

#include "recommender.h"

#include "retailml/boost.h"
#include "retailml/churn.h"
#include "retailml/explain.h"
#include "retailml/forest.h"
#include "retailml/kmeans.h"
#include "retailml/kprototypes.h"
#include "retailml/linreg.h"
#include "retailml/logreg.h"
#include "retailml/ltv.h"
#include "retailml/match_model.h"
#include "retailml/registry.h"
#include "retailml/rfm.h"
#include "retailml/rng.h"
#include "retailml/segment_insights.h"
#include "retailml/segment_levers.h"
#include "retailml/sql_expression.h"
#include "retailml/svdpp_explain.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern size_t rml_fuzz_seed(int i, uint8_t *buf, size_t cap);

/* good models that are made here */
#define SEEDS 18

/* a small model must not take much memory, whatever it says about itself */
#define MEMORY_PER_BYTE 512
#define MEMORY_AT_LEAST (1 << 20)

static void
fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* ---- a sink that looks at everything */

typedef struct Sink
{
	RmlInfo info;
	int depth;
	size_t seen;
} Sink;

static void
see_text(RmlInfo *info, const char *key, const char *value)
{
	Sink *sink = (Sink *) (void *) info;

	sink->seen += strlen(value) + (key == NULL ? 0 : strlen(key));
}

static void
see_integer(RmlInfo *info, const char *key, int64_t value)
{
	see_text(info, key, value < 0 ? "-" : "+");
}

static void
see_number(RmlInfo *info, const char *key, double value)
{
	see_text(info, key, isnan(value) ? "nan" : "number");
}

static void
see_boolean(RmlInfo *info, const char *key, bool value)
{
	see_text(info, key, value ? "true" : "false");
}

static void
see_null(RmlInfo *info, const char *key)
{
	see_text(info, key, "");
}

static void
see_begin(RmlInfo *info, const char *key)
{
	see_text(info, key, "");
	((Sink *) (void *) info)->depth++;
}

static void
see_end(RmlInfo *info)
{
	((Sink *) (void *) info)->depth--;
}

static void
describe(const RmlModel *model)
{
	Sink sink = {{see_integer, see_number, see_boolean, see_text, see_null, see_begin, see_end,
				  see_begin, see_end},
				 0,
				 0};

	rml_model_describe(model, &sink.info);
	if (sink.depth != 0)
		fail("describe opened what it did not close");
}

/* ---- scoring */

static bool
is_cluster(const RmlModel *model, double prediction)
{
	RmlClusters clusters;

	model->algorithm->clusters(model->fitted, &clusters);
	for (int c = 0; c < clusters.k; c++)
		if (clusters.ids->numbers[c] == prediction)
			return true;
	return false;
}

/* the reasons of a prediction: whatever they are, every feature has one place */
static void
explain(RmlEnv *env, const RmlModel *model, const double *numbers, const int32_t *codes,
		double prediction)
{
	int n = model->schema.n_features;
	RmlExplanation explanation = {.contributions = RML_NEW(env, double, (size_t) n + 1),
								  .order = RML_NEW(env, int32_t, (size_t) n + 1)};
	int64_t places = 0;

	rml_explain_row(model, numbers, codes, rml_explain_output(model, numbers, codes), &explanation);
	for (int i = 0; i < n; i++)
		places += explanation.order[i];
	if (places != (int64_t) n * (n - 1) / 2)
		fail("a feature without a place");
	if (model->algorithm->id == RML_ALGORITHM_CHURN && !(prediction >= 0 && prediction <= 1))
		fail("a probability out of range");
	if (model->algorithm->id == RML_ALGORITHM_LTV && !(prediction >= 0))
		fail("negative spend");
}

/* rows of ordinary, huge, missing and tiny numbers, and codes up to (other) */
static void
score(RmlEnv *env, const RmlModel *model)
{
	static const double values[] = {0, 1, -1, NAN, 1e308, -1e308, 4.9e-324, 100};
	const RmlSchema *schema = &model->schema;
	double *numbers = RML_NEW(env, double, schema->d_num + 1);
	int32_t *codes = RML_NEW(env, int32_t, schema->d_cat + 1);

	for (int row = 0; row < 8; row++)
	{
		double prediction;

		for (int j = 0; j < schema->d_num; j++)
			numbers[j] = values[(row + j) % 8];
		for (int i = 0; i < schema->n_features; i++)
		{
			const RmlFeature *feature = &schema->features[i];

			if (feature->kind == RML_CATEGORICAL)
				codes[feature->slot] =
					row == 0 ? 0 : rml_schema_code(feature, "text", (size_t) (row % 5));
		}
		rml_schema_prepare(schema, numbers);
		prediction = model->algorithm->predict(model->fitted, numbers, codes);
		if (model->algorithm->clusters != NULL && !is_cluster(model, prediction))
			fail("a number that no cluster has");
		if (model->algorithm->explain != NULL)
			explain(env, model, numbers, codes, prediction);
		if (model->algorithm->id == RML_ALGORITHM_RFM &&
			!(prediction >= 111 && prediction <= 101010))
			fail("a code out of range");
	}
}

static const char *
as_it_is(const char *text)
{
	return text;
}

/* the model as SQL: whatever it says, it ends, and within the limit */
static void
write_expression(RmlEnv *env, const RmlModel *model)
{
	const RmlQuotes quotes = {as_it_is, as_it_is};
	RmlExpression expression;

	rml_expression_begin(&expression, env, &model->schema, &quotes, "f");
	rml_expression_of_model(&expression, model);
	if (expression.error == NULL && (expression.length == 0 || expression.text[0] == '\0'))
		fail("a model without an expression");
	if (expression.length > RML_EXPRESSION_MOST)
		fail("an expression beyond the limit");
}

/* probabilities, and contributions of the features, of one row */
static void
score_classes(RmlEnv *env, const RmlModel *model)
{
	const RmlTarget *target = model->fitted;
	const RmlAlgorithm *algorithm = model->algorithm;
	const RmlSchema *schema = &model->schema;
	double *numbers = RML_NEW_ZERO(env, double, (size_t) schema->d_num);
	int32_t *codes = RML_NEW_ZERO(env, int32_t, (size_t) schema->d_cat);
	double *values = RML_NEW(env, double, (size_t) schema->n_features);
	int64_t *splits = RML_NEW(env, int64_t, (size_t) schema->n_features);
	double *p = RML_NEW_ZERO(env, double, (size_t) target->n_classes);
	double prediction = algorithm->predict(model->fitted, numbers, codes), base;

	if (target->n_classes > 2 && !(prediction >= 1 && prediction <= target->n_classes))
		fail("a class that there is not");
	if (target->n_classes > 0 && algorithm->proba != NULL)
		algorithm->proba(model->fitted, numbers, codes, p);
	if (algorithm->explain != NULL)
		algorithm->explain(model->fitted, schema, env, numbers, codes, 0, values, &base);
	if (algorithm->importance != NULL)
		algorithm->importance(model->fitted, schema, values, splits);
}

/* names, sentences and levers of a set that is played by whatever comes first */
static void
name_segments(RmlEnv *env, const RmlSegmentProfile *profile)
{
	int32_t roles[RML_ROLES];
	RmlSegmentRules rules;
	RmlSegmentNames names;

	for (int role = 0; role < RML_ROLES; role++)
		roles[role] = role < profile->m ? role : -1;
	rml_segment_set_rules(&rules, env, RML_SET_LOYALTY, roles);
	rml_segment_name_by_rules(&names, env, profile, &rules);
	for (int c = 0; c < profile->k; c++)
	{
		RmlInsight insights[RML_MOST_INSIGHTS];
		size_t length = strlen(names.names[c]);

		if (length == 0 || length > RML_SEGMENT_NAME_MAX)
			fail("a name that a model cannot hold");
		length = strlen(rml_segment_reason(env, profile, &names, c)) +
				 strlen(rml_segment_profile_lever(env, profile, c));
		if (rml_segment_insights(env, profile, names.names[c], c, insights) > 0)
			length += strlen(insights[0].sentence);
		if (length == 0)
			fail("nothing to say");
	}
}

/* as segment_profile() and all that builds on it do */
static void
profile(RmlEnv *env, const RmlModel *model)
{
	RmlClusters clusters;
	RmlSegmentProfile result;

	model->algorithm->clusters(model->fitted, &clusters);
	rml_segment_profile(&result, env, &model->schema, &clusters);
	for (int64_t i = 0; i < (int64_t) result.k * result.m; i++)
		if (result.ranks[i] < 1 || result.ranks[i] > result.m || !isfinite(result.z[i]))
			fail("a rank or z out of range");
	name_segments(env, &result);
}

static void
label(const RmlModel *model)
{
	RmlLabels labels;
	bool number =
		model->algorithm->supervised && ((const RmlTarget *) model->fitted)->task == RML_REGRESSION;

	if (number && !rml_model_labels(model, &labels))
		return;
	if (!rml_model_labels(model, &labels) || labels.n == 0)
		fail("a model without labels");
	for (int64_t i = 0; i < labels.n; i++)
		if (rml_label_of(&labels, labels.labels[i].number) != &labels.labels[i])
			fail("a label that is not found");
}

/* ---- recommendations: known users and items, and unknown ones */

static void
score_pair(RmlEnv *env, const RmlSvdpp *model, int32_t user, int32_t item, const double *w)
{
	double prediction = rml_svdpp_predict(model, user, item, w), sum = 0, size = 1;
	RmlSvdppPart *parts;
	int64_t n;

	if (!isfinite(prediction))
		fail("a prediction that is not finite");
	if (model->params->clip && !(prediction >= model->low && prediction <= model->high))
		fail("a prediction out of range");
	parts = rml_svdpp_explain(model, env, user, item, &n);
	for (int64_t i = 0; i < n; i++)
	{
		sum += parts[i].contribution;
		size += fabs(parts[i].contribution);
	}
	if (!(fabs(sum - prediction) <= 1e-12 * size))
		fail("parts that do not add up to the prediction");
}

static void
score_ratings(RmlEnv *env, const RmlSvdpp *model)
{
	double *w = RML_NEW(env, double, (size_t) model->factors.f);
	int64_t buyers = 0;

	for (int32_t user = -1; user < model->users.n && user < 8; user++)
	{
		rml_svdpp_user(model, user, w);
		for (int32_t item = -1; item < model->items.n && item < 8; item++)
			score_pair(env, model, user, item, w);
	}
	for (int32_t item = 0; item < model->items.n; item++)
		buyers += model->buyers[item];
	if (buyers != model->n)
		fail("ratings without a buyer");
}

/* ---- as the next of a chain: clusters continue those of the same model, or are new */

static void
continue_itself(RmlEnv *env, const RmlModel *model)
{
	static const RmlMatchParams params = {-1};
	RmlClusters clusters;
	RmlMatchSide side = {&model->schema, &clusters, NULL};
	RmlSegmentIds ids;

	model->algorithm->clusters(model->fitted, &clusters);
	if (rml_match_model(env, &params, &side, &side, &ids) != NULL)
		return;
	for (int c = 0; c < clusters.k; c++)
		if (ids.numbers[c] <= clusters.ids->highest && !is_cluster(model, ids.numbers[c]))
			fail("a number that is neither old nor new");
}

/* ---- bytes again */

static void
encode(RmlWriter *writer, RmlEnv *env, const RmlModel *model)
{
	rml_model_encode(writer, env, model->algorithm, &model->schema, model->params, model->fitted);
}

static void
write_again(RmlEnv *env, const RmlModel *model)
{
	RmlWriter first, second;
	RmlModel back = {0};

	encode(&first, env, model);
	if (rml_model_decode(&back, env, first.bytes, first.length) != NULL)
		fail("an accepted model, written again, is refused");
	encode(&second, env, &back);
	if (first.length != second.length || memcmp(first.bytes, second.bytes, first.length) != 0)
		fail("a model changes when it is written again");
}

/* ---- the target */

static void
use(RmlEnv *env, const uint8_t *data, size_t size)
{
	RmlModel model = {0};

	unit_env_limit(env, MEMORY_AT_LEAST + MEMORY_PER_BYTE * size);
	if (rml_model_decode(&model, env, data, size) != NULL)
		return;
	unit_env_limit(env, (size_t) 8 << 30);
	describe(&model);
	if (model.algorithm->predict != NULL)
	{
		score(env, &model);
		label(&model);
	}
	if (model.algorithm->id == RML_ALGORITHM_SVDPP)
		score_ratings(env, model.fitted);
	if (model.algorithm->supervised)
		score_classes(env, &model);
	if (model.algorithm->clusters != NULL)
	{
		profile(env, &model);
		continue_itself(env, &model);
	}
	if (model.algorithm->expression != NULL)
		write_expression(env, &model);
	write_again(env, &model);
}

/* length and checksum as they should be */
static void
use_sealed(RmlEnv *env, uint8_t *bytes, size_t size)
{
	uint64_t length = size;
	uint32_t crc;

	memcpy(bytes + 16, &length, 8);
	crc = rml_model_crc(bytes, size);
	memcpy(bytes + 12, &crc, 4);
	use(env, bytes, size);
}

/* a patch: place, width, value */
#define PATCH_BYTES 11
#define MOST_PATCHES 4

/* the first byte chooses a good model, the others say what changes in it */
static void
use_patched(RmlEnv *env, const uint8_t *data, size_t size)
{
	static uint8_t bytes[65536];
	size_t length = rml_fuzz_seed(data[0] % SEEDS, bytes, sizeof bytes);
	size_t patches = (size - 1) / PATCH_BYTES;
	uint8_t *copy;

	for (size_t i = 0; i < patches && i < MOST_PATCHES; i++)
	{
		const uint8_t *patch = data + 1 + i * PATCH_BYTES;
		size_t words = (length - 24) / 8;
		size_t place = 24 + (size_t) (patch[0] | patch[1] << 8) % words * 8;

		memcpy(bytes + place, patch + 3, (size_t) 1 << patch[2] % 4);
	}
	copy = malloc(length);
	memcpy(copy, bytes, length);
	use_sealed(env, copy, length);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static RmlEnv *env = NULL;

	if (env == NULL)
		env = unit_env(1);
	use(env, data, size);
	if (size > PATCH_BYTES)
		use_patched(env, data, size);
	if (size >= 24)
	{
		uint8_t *copy = malloc(size);

		memcpy(copy, data, size);
		use_sealed(env, copy, size);
		free(copy);
	}
	unit_env_reset(env);
	return 0;
}

/* ---- seeds: a model of each algorithm, fitted here */

static void
learn(RmlEnv *env, int d, int n, RmlSchema *schema, RmlMatrix *matrix, bool standardize)
{
	static char *names[] = {"recency", "frequency", "monetary", "is new"};
	static char *types[] = {"double precision", "bigint", "numeric", "boolean"};
	static const RmlKind kinds[] = {RML_NUMERIC, RML_NUMERIC, RML_NUMERIC, RML_BOOLEAN};
	RmlFrame frame;

	rml_frame_init(&frame, env, d, names, types, kinds);
	for (int i = 0; i < n; i++)
	{
		double *numbers;
		int32_t *codes;

		rml_frame_push(&frame, &numbers, &codes);
		for (int j = 0; j < d; j++)
			numbers[j] = j == 3 ? i % 2 : rml_rng_normal(1, (uint64_t) j, (uint64_t) i) + i % 3 * 5;
	}
	rml_frame_order(&frame, false, matrix);
	if (rml_schema_learn(schema, env, &frame, matrix, RML_IMPUTE_MEAN, standardize) != NULL)
		fail("the seed has no schema");
}

static void
kmeans_seed(RmlEnv *env, RmlWriter *writer, int d, int k, bool standardize)
{
	RmlKmeansParams params;
	RmlOptionSet set = {rml_kmeans_options, rml_kmeans_n_options, &params};
	RmlKmeans kmeans;
	RmlSchema schema;
	RmlMatrix matrix;

	learn(env, d, 60, &schema, &matrix, standardize);
	rml_options_default(&set);
	params.k = k;
	params.n_init = 1;
	params.order_by = k == 3 ? (char *) "monetary" : NULL;
	if (rml_kmeans_fit(env, &params, matrix.numbers, matrix.n, d, &kmeans, NULL) != NULL)
		fail("the seed has no clusters");
	rml_kmeans_sort(env, &kmeans, NULL, 0, -1);
	rml_model_encode(writer, env, &rml_kmeans_algorithm, &schema, &params, &kmeans);
}

static void
rfm_seed(RmlEnv *env, RmlWriter *writer, int bins)
{
	RmlRfmParams params = {bins};
	RmlRfmMap map;
	RmlRfm rfm;
	RmlSchema schema;
	RmlMatrix matrix;

	learn(env, 3, 60, &schema, &matrix, false);
	rml_rfm_map_init(&map, env, bins);
	rml_rfm_map_finish(&map, env);
	rml_rfm_fit(&rfm, env, &map, matrix.numbers, matrix.n);
	rml_model_encode(writer, env, &rml_rfm_algorithm, &schema, &params, &rfm);
}

/* numbers and categories, some of them missing */
static void
kprototypes_seed(RmlEnv *env, RmlWriter *writer)
{
	static char *names[] = {"size", "colour", "shape"};
	static char *types[] = {"integer", "text", "text"};
	static const RmlKind kinds[] = {RML_NUMERIC, RML_CATEGORICAL, RML_CATEGORICAL};
	static const char *const texts[] = {"", "te", "text", "texts"};
	RmlKprototypesParams params;
	RmlOptionSet set = {rml_kprototypes_options, rml_kprototypes_n_options, &params};
	RmlKprototypes model;
	RmlFrame frame;
	RmlSchema schema;
	RmlMatrix matrix;

	rml_frame_init(&frame, env, 3, names, types, kinds);
	for (int i = 0; i < 60; i++)
	{
		const char *text = texts[i % 4];
		double *numbers;
		int32_t *codes;

		rml_frame_push(&frame, &numbers, &codes);
		numbers[0] = i % 3 * 5 + i % 7;
		codes[0] = i % 11 == 0 ? 0 : rml_frame_code(&frame, &frame.columns[1], text, strlen(text));
		codes[1] = rml_frame_code(&frame, &frame.columns[2], texts[i % 3], strlen(texts[i % 3]));
	}
	rml_frame_order(&frame, false, &matrix);
	if (rml_schema_learn(&schema, env, &frame, &matrix, RML_IMPUTE_MEAN, true) != NULL)
		fail("the seed has no schema");
	rml_options_default(&set);
	params.k = 3;
	if (rml_kprototypes_fit(env, &params, &schema, &matrix, -1, &model, NULL) != NULL)
		fail("the seed has no clusters");
	rml_model_encode(writer, env, &rml_kprototypes_algorithm, &schema, &params, &model);
}

/* numbers and a category, of a label that is a number (n_classes 0) or a class */
static void
tree_seed(RmlEnv *env, RmlWriter *writer, const RmlLearner *learner, void *params, int n_classes)
{
	static char *names[] = {"size", "weight", "colour"};
	static char *types[] = {"integer", "double precision", "text"};
	static const RmlKind kinds[] = {RML_NUMERIC, RML_NUMERIC, RML_CATEGORICAL};
	static char *classes[] = {"few", "many", "more"};
	static const char *const texts[] = {"", "te", "text", "texts"};
	static double y[60];
	static int32_t of_class[60];
	static int64_t counts[] = {20, 20, 20};
	RmlTrainingSet rows;
	RmlFrame frame;
	RmlSchema schema;
	RmlMatrix matrix;
	const char *reason = NULL;

	rml_frame_init(&frame, env, 3, names, types, kinds);
	for (int i = 0; i < 60; i++)
	{
		const char *text = texts[i % 4];
		double *numbers;
		int32_t *codes;

		rml_frame_push(&frame, &numbers, &codes);
		numbers[0] = i % 3 * 5 + i % 7;
		numbers[1] = rml_rng_normal(1, 0, (uint64_t) i);
		codes[0] = i % 11 == 0 ? 0 : rml_frame_code(&frame, &frame.columns[2], text, strlen(text));
	}
	rml_frame_order(&frame, false, &matrix);
	if (rml_schema_learn(&schema, env, &frame, &matrix, RML_IMPUTE_MEAN, false) != NULL)
		fail("the seed has no schema");
	for (int i = 0; i < 60; i++)
	{
		y[i] = matrix.numbers[2 * i] * 2 + matrix.codes[i] % 2 * 9;
		of_class[i] = (int32_t) y[i] / 3 % (n_classes > 0 ? n_classes : 1);
	}
	rows = (RmlTrainingSet){.schema = &schema,
							.n = 60,
							.numbers = matrix.numbers,
							.codes = matrix.codes,
							.y = n_classes == 0 ? y : NULL,
							.classes = n_classes == 0 ? NULL : of_class,
							.target = {.name = (char *) "label",
									   .task = n_classes == 0 ? RML_REGRESSION : RML_CLASSIFICATION,
									   .n_classes = n_classes,
									   .classes = classes,
									   .counts = counts}};
	rml_model_encode(writer, env, learner->algorithm, &schema, params,
					 learner->fit(env, params, &rows, &reason));
}

static void
grown_seed(RmlEnv *env, RmlWriter *writer, const RmlLearner *learner, int n_classes)
{
	RmlForestParams params = {0};
	const RmlOptionSet set = {learner->algorithm->options, learner->algorithm->n_options, &params};

	rml_options_default(&set);
	params.n_trees = learner == &rml_forest_learner ? 3 : 0;
	params.max_depth = 3;
	tree_seed(env, writer, learner, &params, n_classes);
}

static void
boost_seed(RmlEnv *env, RmlWriter *writer, int n_classes)
{
	RmlBoostParams params = {0};
	const RmlOptionSet set = {rml_boost_algorithm.options, rml_boost_algorithm.n_options, &params};

	rml_options_default(&set);
	params.n_trees = 3;
	params.max_leaves = 4;
	params.min_samples_leaf = 5;
	tree_seed(env, writer, &rml_boost_learner, &params, n_classes);
}

/* rows of numbers and a category for the linear models, which learn in any order of rows */
static void
linear_rows(RmlEnv *env, RmlSchema *schema, RmlTrainingSet *rows)
{
	static char *names[] = {"size", "twice", "colour"};
	static char *types[] = {"integer", "numeric", "text"};
	static const RmlKind kinds[] = {RML_NUMERIC, RML_NUMERIC, RML_CATEGORICAL};
	static const char *const texts[] = {"te", "text", "texts"};
	RmlFrame frame;
	RmlMatrix matrix;

	rml_frame_init(&frame, env, 3, names, types, kinds);
	for (int i = 0; i < 60; i++)
	{
		const char *text = texts[i % 3];
		double *numbers;
		int32_t *codes;

		rml_frame_push(&frame, &numbers, &codes);
		numbers[0] = i % 7;
		numbers[1] = 2 * (i % 7);
		codes[0] = i % 11 == 0 ? 0 : rml_frame_code(&frame, &frame.columns[2], text, strlen(text));
	}
	rml_frame_order(&frame, false, &matrix);
	if (rml_schema_learn(schema, env, &frame, &matrix, RML_IMPUTE_MEAN, false) != NULL)
		fail("the seed has no schema");
	*rows = (RmlTrainingSet){
		.schema = schema, .n = matrix.n, .numbers = matrix.numbers, .codes = matrix.codes};
}

static void
linreg_seed(RmlEnv *env, RmlWriter *writer)
{
	RmlLinregParams params;
	RmlOptionSet set = {rml_linreg_algorithm.options, rml_linreg_algorithm.n_options, &params};
	RmlTrainingSet rows;
	RmlLinreg model;
	RmlSchema schema;
	double *y = RML_NEW(env, double, 60);

	linear_rows(env, &schema, &rows);
	for (int i = 0; i < 60; i++)
		y[i] = i * 37 % 11;
	rows.y = y;
	rows.target = (RmlTarget){.name = (char *) "spend", .task = RML_REGRESSION};
	rml_options_default(&set);
	if (rml_linreg_fit(env, &params, &rows, &model) != NULL)
		fail("the seed has no line");
	rml_model_encode(writer, env, &rml_linreg_algorithm, &schema, &params, &model);
}

static void
logreg_seed(RmlEnv *env, RmlWriter *writer, int n_classes)
{
	static char *classes[] = {"no", "perhaps", "yes"};
	static int64_t counts[3];
	RmlLogregParams params;
	RmlOptionSet set = {rml_logreg_algorithm.options, rml_logreg_algorithm.n_options, &params};
	RmlTrainingSet rows;
	RmlLogreg model;
	RmlSchema schema;
	int32_t *labels = RML_NEW(env, int32_t, 60);

	linear_rows(env, &schema, &rows);
	memset(counts, 0, sizeof counts);
	for (int i = 0; i < 60; i++)
	{
		labels[i] = i * 37 % 11 % n_classes;
		counts[labels[i]]++;
	}
	rows.classes = labels;
	rows.target = (RmlTarget){.name = (char *) "churned",
							  .task = RML_CLASSIFICATION,
							  .n_classes = n_classes,
							  .classes = classes,
							  .counts = counts};
	rml_options_default(&set);
	if (rml_logreg_fit(env, &params, &rows, &model) != NULL)
		fail("the seed has no odds");
	rml_model_encode(writer, env, &rml_logreg_algorithm, &schema, &params, &model);
}

/* a model whose schema has a category, which no algorithm here fits but the bytes allow */
static void
category_seed(RmlEnv *env, RmlWriter *writer)
{
	static char *categories[] = {"", "te", "text"};
	static int64_t counts[] = {1, 2, 3};
	static double centroids[] = {0.5, -1};
	static int64_t sizes[] = {4, 2};
	RmlFeature features[] = {
		{.name = (char *) "size", .type = (char *) "integer", .kind = RML_NUMERIC, .sd = 2},
		{.name = (char *) "colour",
		 .type = (char *) "text",
		 .kind = RML_CATEGORICAL,
		 .n_categories = 3,
		 .categories = categories,
		 .counts = counts}};
	const RmlSchema schema = {.n_features = 2,
							  .d_num = 1,
							  .d_cat = 1,
							  .features = features,
							  .standardize = true,
							  .rows = 6};
	RmlKmeans kmeans = {.k = 2, .d = 1, .centroids = centroids, .sizes = sizes, .inertia = 3};
	RmlKmeansParams params;
	RmlOptionSet set = {rml_kmeans_options, rml_kmeans_n_options, &params};

	rml_options_default(&set);
	rml_segment_ids_init(&kmeans.ids, env, 2);
	rml_model_encode(writer, env, &rml_kmeans_algorithm, &schema, &params, &kmeans);
}

/* customers with a number and a category, who leave, or spend */
static RmlProductRows
product_rows(RmlEnv *env, int64_t n, RmlTask task)
{
	static char *texts[] = {"te", "text"}, *classes[] = {"f", "t"};
	RmlColumn *columns = RML_NEW_ZERO(env, RmlColumn, 2);
	RmlMatrix *matrix = RML_NEW_ZERO(env, RmlMatrix, 1);
	double *y = RML_NEW(env, double, (size_t) n);
	int32_t *codes = RML_NEW(env, int32_t, (size_t) n), *is = RML_NEW(env, int32_t, (size_t) n);

	columns[0] = (RmlColumn){.name = "size", .type = "integer", .kind = RML_NUMERIC};
	columns[1] = (RmlColumn){.name = "colour",
							 .type = "text",
							 .kind = RML_CATEGORICAL,
							 .dictionary = {.n = 2, .texts = texts}};
	*matrix = (RmlMatrix){.n = n,
						  .d_num = 1,
						  .d_cat = 1,
						  .numbers = RML_NEW(env, double, (size_t) n),
						  .codes = codes};
	for (int64_t i = 0; i < n; i++)
	{
		matrix->numbers[i] = (double) (i % 13);
		codes[i] = (int32_t) (i % 3);
		is[i] = i % 13 + i % 5 > 7;
		y[i] = (double) (i % 13 + i % 5 + 1);
	}
	return (RmlProductRows){.raw = {.n_columns = 2,
									.columns = columns,
									.matrix = matrix,
									.target = {.name = "label",
											   .task = task,
											   .n_classes = task == RML_CLASSIFICATION ? 2 : 0,
											   .classes = classes,
											   .counts = RML_NEW_ZERO(env, int64_t, 2)},
									.y = task == RML_REGRESSION ? y : NULL,
									.classes = task == RML_CLASSIFICATION ? is : NULL},
							.folds = 2,
							.seed = 1};
}

static void
churn_seed(RmlEnv *env, RmlWriter *writer)
{
	RmlProductRows rows = product_rows(env, 60, RML_CLASSIFICATION);
	RmlChurnParams params = {0};
	RmlOptionSet set = {rml_churn_algorithm.options, rml_churn_algorithm.n_options, &params};
	RmlPrepared prepared;
	RmlChurn model;

	rml_options_default(&set);
	if (rml_churn_fit(env, &params, &rows, &prepared, &model) != NULL)
		fail("the seed has no churn");
	rml_model_encode(writer, env, &rml_churn_algorithm, &prepared.schema, &params, &model);
}

static void
ltv_seed(RmlEnv *env, RmlWriter *writer)
{
	RmlProductRows rows = product_rows(env, 30, RML_REGRESSION);
	RmlLtvParams params = {0};
	RmlOptionSet set = {rml_ltv_algorithm.options, rml_ltv_algorithm.n_options, &params};
	RmlPrepared prepared;
	RmlLtv *model;

	rml_options_default(&set);
	params.amount = RML_LTV_TREND;
	if (rml_ltv_fit(env, &params, &rows, &prepared, &model) != NULL)
		fail("the seed has no spend");
	rml_model_encode(writer, env, &rml_ltv_algorithm, &prepared.schema, &params, model);
}

static void
svdpp_seed(RmlEnv *env, RmlWriter *writer, bool text, bool biased)
{
	const SvdppKind kind = {text, biased, biased || !text, !text};

	svdpp_sample_encode(svdpp_sample(env, kind), env, writer);
}

static bool
make_seed(RmlEnv *env, RmlWriter *writer, int i)
{
	switch (i)
	{
		case 0:
			kmeans_seed(env, writer, 4, 3, true);
			return true;
		case 1:
			kmeans_seed(env, writer, 1, 9, false);
			return true;
		case 2:
			category_seed(env, writer);
			return true;
		case 3:
			rfm_seed(env, writer, 2);
			return true;
		case 4:
			rfm_seed(env, writer, 5);
			return true;
		case 5:
			kprototypes_seed(env, writer);
			return true;
		case 6:
			grown_seed(env, writer, &rml_tree_learner, 2);
			return true;
		case 7:
			grown_seed(env, writer, &rml_forest_learner, 3);
			return true;
		case 8:
			boost_seed(env, writer, 3);
			return true;
		case 9:
			boost_seed(env, writer, 0);
			return true;
		case 10:
			churn_seed(env, writer);
			return true;
		case 11:
			ltv_seed(env, writer);
			return true;
		case 12:
			linreg_seed(env, writer);
			return true;
		case 13:
			logreg_seed(env, writer, 2);
			return true;
		case 14:
			logreg_seed(env, writer, 3);
			return true;
		case 15:
			svdpp_seed(env, writer, false, true);
			return true;
		case 16:
			svdpp_seed(env, writer, true, true);
			return true;
		case 17:
			svdpp_seed(env, writer, true, false);
			return true;
	}
	return false;
}

/* fitted once, handed out 50,000 times */
size_t
rml_fuzz_seed(int i, uint8_t *buf, size_t cap)
{
	enum
	{
		LONGEST = 16384
	};
	static uint8_t made[SEEDS][LONGEST];
	static size_t lengths[SEEDS];

	if (i >= SEEDS)
		return 0;
	if (lengths[i] == 0)
	{
		RmlEnv *env = unit_env(1);
		RmlWriter writer;
		RmlModel model = {0};

		if (!make_seed(env, &writer, i))
			fail("a seed is missing");
		if (rml_model_decode(&model, env, writer.bytes, writer.length) != NULL)
			fail("a seed is refused");
		if (writer.length > LONGEST)
			fail("a seed is too long");
		memcpy(made[i], writer.bytes, writer.length);
		lengths[i] = writer.length;
		unit_env_free(env);
	}
	if (lengths[i] > cap)
		return 0;
	memcpy(buf, made[i], lengths[i]);
	return lengths[i];
}
