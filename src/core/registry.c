/*
 * registry.c
 *	  The table of algorithms, and what all models have in common.
 */
#include "retailml/registry.h"

#include "retailml/boost.h"
#include "retailml/churn.h"
#include "retailml/forest.h"
#include "retailml/kmeans.h"
#include "retailml/kprototypes.h"
#include "retailml/linreg.h"
#include "retailml/logreg.h"
#include "retailml/ltv.h"
#include "retailml/rfm.h"
#include "retailml/segment_names.h"
#include "retailml/supervised.h"
#include "retailml/svdpp.h"

static const RmlAlgorithm *const algorithms[] = {
	&rml_kmeans_algorithm, &rml_rfm_algorithm,  &rml_kprototypes_algorithm, &rml_linreg_algorithm,
	&rml_logreg_algorithm, &rml_tree_algorithm, &rml_forest_algorithm,      &rml_boost_algorithm,
	&rml_churn_algorithm,  &rml_ltv_algorithm,  &rml_svdpp_algorithm,
};

const RmlAlgorithm *
rml_algorithm_by_id(uint16_t id)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
		if (algorithms[i]->id == id)
			return algorithms[i];
	return NULL;
}

static RmlOptionSet
option_set(const RmlAlgorithm *algorithm, void *params)
{
	return (RmlOptionSet){algorithm->options, algorithm->n_options, params};
}

void
rml_model_encode(RmlWriter *writer, RmlEnv *env, const RmlAlgorithm *algorithm,
				 const RmlSchema *schema, const void *params, const void *fitted)
{
	RmlOptionSet set = option_set(algorithm, (void *) params);

	rml_writer_begin(writer, env, algorithm->id, algorithm->version);
	rml_schema_encode(schema, writer);
	rml_options_encode(&set, writer);
	algorithm->encode(fitted, writer);
	rml_writer_end(writer);
}

/* an id or version from the future is refused with a hint to upgrade, not as damage */
static const char *
check_known(RmlModel *model, const RmlReader *reader)
{
	model->algorithm = rml_algorithm_by_id(reader->algorithm);
	if (model->algorithm != NULL && reader->algorithm_version >= 1 &&
		reader->algorithm_version <= model->algorithm->version)
		return NULL;
	model->newer = true;
	return "the model was written by a newer version of retailml";
}

const char *
rml_model_decode(RmlModel *model, RmlEnv *env, const void *bytes, size_t length)
{
	RmlReader reader;
	RmlOptionSet set;
	const char *reason;

	model->env = env;
	model->newer = false;
	if (!rml_reader_begin(&reader, env, bytes, length))
	{
		model->newer = reader.newer;
		return reader.error;
	}
	reason = check_known(model, &reader);
	if (reason != NULL)
		return reason;
	rml_schema_decode(&model->schema, &reader);
	model->params = rml_alloc_zero(env, model->algorithm->params_size);
	set = option_set(model->algorithm, model->params);
	rml_options_decode(&set, &reader);
	if (reader.error != NULL)
		return reader.error;
	model->fitted = model->algorithm->decode(&reader, &model->schema, model->params);
	return rml_reader_done(&reader);
}

static void
describe_names(const RmlNames *names, const char *key, RmlInfo *info)
{
	info->begin_array(info, key);
	for (int64_t i = 0; i < names->n; i++)
		info->text(info, NULL, names->names[i]);
	info->end_array(info);
}

/* the options that say which columns are used and how */
static void
describe_row_options(const RmlSchema *schema, RmlInfo *info)
{
	if (schema->max_categories == 0)
		return;
	describe_names(&schema->chosen, "features", info);
	describe_names(&schema->excluded, "exclude", info);
	info->integer(info, "max_categories", schema->max_categories);
	info->text(info, "impute", rml_impute_names[schema->impute]);
	info->boolean(info, "standardize", schema->standardize);
}

void
rml_model_describe(const RmlModel *model, RmlInfo *info)
{
	const RmlSchema *schema = &model->schema;
	RmlOptionSet set = option_set(model->algorithm, model->params);

	info->text(info, "algorithm", model->algorithm->name);
	info->integer(info, "rows", schema->rows);
	info->integer(info, "skipped", schema->skipped);
	info->begin_array(info, "features");
	for (int i = 0; i < schema->n_features; i++)
		info->text(info, NULL, schema->features[i].name);
	info->end_array(info);
	info->begin_object(info, "options");
	describe_row_options(schema, info);
	rml_options_describe(&set, info);
	info->end_object(info);
	model->algorithm->describe(model->fitted, schema, info);
}

const char *
rml_model_scored_by(const RmlModel *model)
{
	return model->algorithm->predict == NULL ? model->algorithm->scored_by : "predict(model, row)";
}

/* ---- labels ---- */

static void
cluster_labels(const RmlModel *model, RmlLabels *labels)
{
	RmlClusters clusters;
	char **names;
	const int32_t *order;

	model->algorithm->clusters(model->fitted, &clusters);
	names = rml_segment_names(model->env, &model->schema, &clusters);
	order = rml_segment_ids_order(clusters.ids, model->env, clusters.k);
	labels->n = clusters.k;
	labels->labels = RML_NEW(model->env, RmlLabel, (size_t) clusters.k);
	for (int i = 0; i < clusters.k; i++)
		labels->labels[i] = (RmlLabel){clusters.ids->numbers[order[i]], names[order[i]], NULL};
}

/*
 * The classes by what predict() gives: of two, the second from a probability of a half on; of more, the
 * number of the class, from 1.
 */
static bool
class_labels(const RmlModel *model, RmlLabels *labels)
{
	const RmlTarget *target = model->fitted;
	int n = target->n_classes;

	if (target->task == RML_REGRESSION)
		return false;
	labels->n = n;
	labels->labels = RML_NEW(model->env, RmlLabel, (size_t) n);
	for (int k = 0; k < n; k++)
		labels->labels[k] =
			(RmlLabel){n == 2 ? (k == 0 ? -1.0 : 0.5) : k + 1.0, target->classes[k], NULL};
	return true;
}

bool
rml_model_labels(const RmlModel *model, RmlLabels *labels)
{
	if (model->algorithm->supervised)
		return class_labels(model, labels);
	if (model->algorithm->clusters != NULL)
		cluster_labels(model, labels);
	else if (model->algorithm->labels != NULL)
		model->algorithm->labels(model->fitted, model->env, labels);
	else
		return false;
	return true;
}

/* which half is what a branch predictor cannot know */
RmlLabel *
rml_label_of(const RmlLabels *labels, double prediction)
{
	RmlLabel *label = labels->labels;

	for (int64_t n = labels->n; n > 1; n -= n / 2)
		label += (label[n / 2].number <= prediction) * (n / 2);
	return label;
}
