/*
 * kprototypes.c
 *	  The k-prototypes model: options, fit, bytes, description.
 *
 * The clustering itself is that of k-means (kmeans_fit.c and the files it names), which knows of
 * categories; first prototypes are in kprototypes_init.c.
 */
#include "retailml/kprototypes.h"

#include <limits.h>
#include <string.h>

#include "kmeans_internal.h"

#define KPROTOTYPES_VERSION 1
#define COUNT_POLL_ROWS 100000

#define TAG_K RML_TAG('K', 'P', 'k', ' ')
#define TAG_COST RML_TAG('K', 'P', 'c', 'o')
#define TAG_GAMMA RML_TAG('K', 'P', 'g', 'a')
#define TAG_ITERATIONS RML_TAG('K', 'P', 'i', 't')
#define TAG_CONVERGED RML_TAG('K', 'P', 'c', 'v')
#define TAG_SIZES RML_TAG('K', 'P', 's', 'z')
#define TAG_CENTROIDS RML_TAG('K', 'P', 'c', 'e')
#define TAG_MODES RML_TAG('K', 'P', 'm', 'o')
#define TAG_COUNTS RML_TAG('K', 'P', 'c', 'n')

static const char *const init_names[] = {"cao", "huang", "random", NULL};
static const RmlKmeansInit inits[] = {RML_KMEANS_CAO, RML_KMEANS_HUANG, RML_KMEANS_RANDOM};

const RmlOption rml_kprototypes_options[] = {
	RML_AUTO_OPTION(RmlKprototypesParams, gamma, 0, 1e12),
	RML_CHOICE_OPTION(RmlKprototypesParams, init, 0, init_names),
	RML_INT_OPTION(RmlKprototypesParams, n_init, 10, 1, 1000),
	RML_INT_OPTION(RmlKprototypesParams, max_iter, 300, 1, 100000),
	RML_FLOAT_OPTION(RmlKprototypesParams, tol, 1e-4, 0, 1e6),
	RML_SEED_OPTION(RmlKprototypesParams),
	RML_TEXT_OPTION(RmlKprototypesParams, order_by),
};

const int rml_kprototypes_n_options =
	sizeof rml_kprototypes_options / sizeof rml_kprototypes_options[0];

/* ---- fit ---- */

const char *
rml_kprototypes_check(RmlEnv *env, const RmlKprototypesParams *params, int64_t n,
					  const RmlSchema *schema)
{
	const RmlKmeansParams kmeans = {.k = params->k};

	/* what a k means and what is wrong with it does not depend on the kind of columns */
	return rml_kmeans_check(env, &kmeans, n, schema->d_num + schema->d_cat);
}

/* codes 0 .. of each categorical feature: the missing one and the categories */
static int32_t *
feature_codes(RmlEnv *env, const RmlSchema *schema)
{
	int32_t *codes = RML_NEW(env, int32_t, (size_t) schema->d_cat);

	for (int i = 0; i < schema->n_features; i++)
		if (schema->features[i].kind == RML_CATEGORICAL)
			codes[schema->features[i].slot] = schema->features[i].n_categories + 1;
	return codes;
}

double
rml_kprototypes_gamma(double gamma, const RmlSchema *schema)
{
	double sum = 0.0;

	if (gamma != RML_AUTO)
		return gamma;
	if (schema->d_num == 0)
		return 1.0;
	for (int slot = 0; slot < schema->d_num; slot++)
		sum += rml_schema_number(schema, slot)->sd / schema->scaling[slot].scale;
	return 0.5 * sum / schema->d_num;
}

void
rml_kprototypes_rows(RmlEnv *env, const RmlSchema *schema, const RmlMatrix *matrix, double gamma,
					 RmlKmeansRows *rows)
{
	*rows = (RmlKmeansRows){.x = matrix->numbers,
							.codes = matrix->codes,
							.n = matrix->n,
							.shape = {schema->d_num, schema->d_cat, rml_category_places(schema)},
							.feature_codes = feature_codes(env, schema),
							.gamma = rml_kprototypes_gamma(gamma, schema)};
}

static RmlKmeansParams
kmeans_params(const RmlKprototypesParams *params)
{
	return (RmlKmeansParams){.k = params->k,
							 .init = inits[params->init],
							 .n_init = params->n_init,
							 .max_iter = params->max_iter,
							 .tol = params->tol,
							 .seed = params->seed};
}

size_t
rml_kprototypes_bytes(const RmlKprototypesParams *params, int64_t n, int d, int d_cat,
					  int64_t n_codes, int threads)
{
	const RmlKmeansShape shape = {d, d_cat, n_codes};
	const RmlKmeansParams kmeans = kmeans_params(params);

	return rml_kmeans_rows_bytes(&kmeans, &shape, n, threads) + rml_kprototypes_init_bytes(n) +
		   (size_t) params->k * (size_t) n_codes * sizeof(int64_t) + (size_t) n * sizeof(int32_t);
}

/* the training rows of each cluster with each code */
static void
count_codes(RmlEnv *env, const RmlSchema *schema, const RmlMatrix *matrix, const int32_t *labels,
			RmlKprototypes *out)
{
	const int d_cat = schema->d_cat;
	int64_t *place = RML_NEW(env, int64_t, (size_t) d_cat);

	out->n_codes = rml_category_places(schema);
	out->counts = RML_NEW_ZERO(env, int64_t, (size_t) (out->prototypes.k * out->n_codes));
	for (int f = 0; f < d_cat; f++)
		place[f] = rml_category_place(schema, f);
	for (int64_t i = 0; i < matrix->n; i++)
	{
		const int32_t *codes = matrix->codes + i * d_cat;
		int64_t *counts = out->counts + labels[i] * out->n_codes;

		for (int f = 0; f < d_cat; f++)
			counts[place[f] + codes[f]]++;
		if (i % COUNT_POLL_ROWS == 0)
			rml_poll(env);
	}
	rml_release(env, place);
}

const char *
rml_kprototypes_fit(RmlEnv *env, const RmlKprototypesParams *params, const RmlSchema *schema,
					const RmlMatrix *matrix, int order_slot, RmlKprototypes *out, int32_t *labels)
{
	const RmlKmeansParams kmeans = kmeans_params(params);
	RmlKmeansRows rows;
	int32_t *own = labels != NULL ? labels : RML_NEW(env, int32_t, (size_t) matrix->n);
	const char *reason = rml_kprototypes_check(env, params, matrix->n, schema);

	rml_kprototypes_rows(env, schema, matrix, params->gamma, &rows);
	if (reason == NULL)
		reason = rml_kmeans_fit_rows(env, &kmeans, &rows, &out->prototypes, own);
	if (reason == NULL)
	{
		rml_kmeans_sort(env, &out->prototypes, own, matrix->n, order_slot);
		count_codes(env, schema, matrix, own, out);
	}
	if (labels == NULL)
		rml_release(env, own);
	rml_release(env, (void *) rows.feature_codes);
	return reason;
}

/* ---- predict ---- */

int
rml_kprototypes_predict(const RmlKprototypes *model, const double *x, const int32_t *codes,
						double *distance)
{
	return rml_kmeans_predict_row(&model->prototypes, x, codes, distance);
}

static double
predict_number(const void *fitted, const double *numbers, const int32_t *codes)
{
	const RmlKprototypes *model = fitted;

	return model->prototypes.ids.numbers[rml_kprototypes_predict(model, numbers, codes, NULL)];
}

/* ---- bytes ---- */

void
rml_kprototypes_encode(const void *fitted, RmlWriter *writer)
{
	const RmlKprototypes *model = fitted;
	const RmlKmeans *prototypes = &model->prototypes;
	const size_t k = (size_t) prototypes->k;

	rml_put_int(writer, TAG_K, prototypes->k);
	rml_put_double(writer, TAG_COST, prototypes->inertia);
	rml_put_double(writer, TAG_GAMMA, prototypes->gamma);
	rml_put_int(writer, TAG_ITERATIONS, prototypes->n_iter);
	rml_put_int(writer, TAG_CONVERGED, prototypes->converged);
	rml_put_int64(writer, TAG_SIZES, prototypes->sizes, k);
	rml_put_float64(writer, TAG_CENTROIDS, prototypes->centroids, k * (size_t) prototypes->d);
	rml_put_int32(writer, TAG_MODES, prototypes->modes, k * (size_t) prototypes->d_cat);
	rml_put_int64(writer, TAG_COUNTS, model->counts, k * (size_t) model->n_codes);
	rml_segment_ids_encode(&prototypes->ids, prototypes->k, writer);
}

/* sizes and counts must be rows, a mode one of its feature's codes */
static void
check_decoded(RmlReader *reader, const RmlKprototypes *model, const RmlSchema *schema)
{
	const RmlKmeans *prototypes = &model->prototypes;
	const int32_t *codes = feature_codes(reader->env, schema);

	for (int64_t c = 0; c < prototypes->k; c++)
	{
		if (prototypes->sizes[c] < 0)
			rml_reader_fail(reader, "a cluster size in the model is negative");
		for (int f = 0; f < prototypes->d_cat; f++)
		{
			int32_t mode = prototypes->modes[c * prototypes->d_cat + f];

			if (mode < 0 || mode >= codes[f])
				rml_reader_fail(reader, "a mode in the model is no category");
		}
		for (int64_t i = c * model->n_codes; i < (c + 1) * model->n_codes; i++)
			if (model->counts[i] < 0 || model->counts[i] > prototypes->sizes[c])
				rml_reader_fail(reader, "a count in the model is out of range");
	}
}

void *
rml_kprototypes_decode(RmlReader *reader, const RmlSchema *schema, const void *params)
{
	RmlKprototypes *model = RML_NEW_ZERO(reader->env, RmlKprototypes, 1);
	RmlKmeans *prototypes = &model->prototypes;
	size_t k;

	(void) params;
	prototypes->d = schema->d_num;
	prototypes->d_cat = schema->d_cat;
	if (schema->n_features < 1)
		rml_reader_fail(reader, "a k-prototypes model needs at least one feature");
	prototypes->k = rml_get_int(reader, TAG_K, 1, INT32_MAX);
	prototypes->inertia = rml_get_double(reader, TAG_COST);
	prototypes->gamma = rml_get_double(reader, TAG_GAMMA);
	prototypes->n_iter = rml_get_int(reader, TAG_ITERATIONS, 0, INT64_MAX);
	prototypes->converged = rml_get_int(reader, TAG_CONVERGED, 0, 1) != 0;
	k = (size_t) prototypes->k;
	model->n_codes = rml_category_places(schema);
	prototypes->sizes = rml_get_int64(reader, TAG_SIZES, k);
	prototypes->centroids = rml_get_finite(reader, TAG_CENTROIDS, k * (size_t) prototypes->d);
	prototypes->modes = rml_get_int32(reader, TAG_MODES, k * (size_t) prototypes->d_cat);
	model->counts = rml_get_int64(reader, TAG_COUNTS, k * (size_t) model->n_codes);
	rml_segment_ids_decode(&prototypes->ids, prototypes->k, reader);
	if (!(prototypes->inertia >= 0.0) || !(prototypes->gamma >= 0.0))
		rml_reader_fail(reader, "cost or gamma in the model is negative");
	if (reader->error == NULL)
		check_decoded(reader, model, schema);
	if (reader->error == NULL)
		rml_kmeans_pack(reader->env, prototypes);
	return model;
}

/* ---- registry ---- */

void
rml_kprototypes_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info)
{
	const RmlKmeans *prototypes = &((const RmlKprototypes *) fitted)->prototypes;

	(void) schema;
	info->integer(info, "k", prototypes->k);
	info->number(info, "gamma", prototypes->gamma);
	info->number(info, "cost", prototypes->inertia);
	info->integer(info, "n_iter", prototypes->n_iter);
	info->boolean(info, "converged", prototypes->converged);
	info->begin_array(info, "sizes");
	for (int64_t c = 0; c < prototypes->k; c++)
		info->integer(info, NULL, prototypes->sizes[c]);
	info->end_array(info);
}

static void
view_clusters(void *fitted, RmlClusters *view)
{
	RmlKprototypes *model = fitted;
	RmlKmeans *prototypes = &model->prototypes;

	*view = (RmlClusters){.k = (int) prototypes->k,
						  .ids = &prototypes->ids,
						  .sizes = prototypes->sizes,
						  .centroids = prototypes->centroids,
						  .counts = prototypes->d_cat > 0 ? model->counts : NULL,
						  .modes = prototypes->d_cat > 0 ? prototypes->modes : NULL,
						  .gamma = prototypes->d_cat > 0 ? prototypes->gamma : 0.0};
}

static void
write_expression(const void *fitted, const RmlSchema *schema, RmlExpression *expression)
{
	rml_kmeans_expression(&((const RmlKprototypes *) fitted)->prototypes, schema, expression);
}

const RmlAlgorithm rml_kprototypes_algorithm = {
	.id = RML_ALGORITHM_KPROTOTYPES,
	.version = KPROTOTYPES_VERSION,
	.name = "kprototypes",
	.options = rml_kprototypes_options,
	.n_options = sizeof rml_kprototypes_options / sizeof rml_kprototypes_options[0],
	.params_size = sizeof(RmlKprototypesParams),
	.decode = rml_kprototypes_decode,
	.encode = rml_kprototypes_encode,
	.predict = predict_number,
	.describe = rml_kprototypes_describe,
	.clusters = view_clusters,
	.expression = write_expression,
};
