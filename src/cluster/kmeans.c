/*
 * kmeans.c
 *	  The k-means model: options, bytes, order of clusters, description.
 *
 * The fit is in kmeans_fit.c and the files it names, scoring in kmeans_predict.c.
 */
#include "retailml/kmeans.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans_internal.h"

/* 2: numbers and names of clusters */
#define KMEANS_VERSION 2

#define TAG_K RML_TAG('K', 'M', 'k', ' ')
#define TAG_INERTIA RML_TAG('K', 'M', 'i', 'n')
#define TAG_ITERATIONS RML_TAG('K', 'M', 'i', 't')
#define TAG_CONVERGED RML_TAG('K', 'M', 'c', 'v')
#define TAG_SIZES RML_TAG('K', 'M', 's', 'z')
#define TAG_CENTROIDS RML_TAG('K', 'M', 'c', 'e')

static const char *const init_names[] = {"k-means++", "random", NULL};

const RmlOption rml_kmeans_options[] = {
	RML_CHOICE_OPTION(RmlKmeansParams, init, RML_KMEANS_PLUSPLUS, init_names),
	RML_INT_OPTION(RmlKmeansParams, n_init, 10, 1, 1000),
	RML_INT_OPTION(RmlKmeansParams, max_iter, 300, 1, 100000),
	RML_FLOAT_OPTION(RmlKmeansParams, tol, 1e-4, 0, 1e6),
	RML_SEED_OPTION(RmlKmeansParams),
	RML_TEXT_OPTION(RmlKmeansParams, order_by),
};

const int rml_kmeans_n_options = sizeof rml_kmeans_options / sizeof rml_kmeans_options[0];

const char *
rml_kmeans_check(RmlEnv *env, const RmlKmeansParams *params, int64_t n, int d)
{
	if (d < 1)
		return "k-means needs at least one numeric feature";
	if (params->k < 1)
		return rml_format(env, "k is %lld but must be at least 1", (long long) params->k);
	if (params->k > n)
		return rml_format(env, "k is %lld but there %s only %lld row%s", (long long) params->k,
						  n == 1 ? "is" : "are", (long long) n, n == 1 ? "" : "s");
	if (params->k > INT32_MAX)
		return rml_format(env, "k is %lld but can be at most %d", (long long) params->k, INT32_MAX);
	return NULL;
}

void
rml_kmeans_encode(const void *fitted, RmlWriter *writer)
{
	const RmlKmeans *kmeans = fitted;

	rml_put_int(writer, TAG_K, kmeans->k);
	rml_put_double(writer, TAG_INERTIA, kmeans->inertia);
	rml_put_int(writer, TAG_ITERATIONS, kmeans->n_iter);
	rml_put_int(writer, TAG_CONVERGED, kmeans->converged);
	rml_put_int64(writer, TAG_SIZES, kmeans->sizes, (size_t) kmeans->k);
	rml_put_float64(writer, TAG_CENTROIDS, kmeans->centroids, (size_t) kmeans->k * kmeans->d);
	rml_segment_ids_encode(&kmeans->ids, kmeans->k, writer);
}

/* the sum of squares of huge values may be beyond float8: infinity is allowed, NaN is not */
static double
get_inertia(RmlReader *reader)
{
	const double *value = rml_get_float64(reader, TAG_INERTIA, 1);

	if (value == NULL)
		return 0.0;
	if (!(*value >= 0.0))
		rml_reader_fail(reader, "the inertia in the model is not a sum of squares");
	return *value;
}

static void
check_sizes(RmlReader *reader, const RmlKmeans *kmeans)
{
	for (int64_t c = 0; reader->error == NULL && c < kmeans->k; c++)
		if (kmeans->sizes[c] < 0)
			rml_reader_fail(reader, "a cluster size in the model is negative");
}

void *
rml_kmeans_decode(RmlReader *reader, const RmlSchema *schema, const void *params)
{
	RmlKmeans *kmeans = RML_NEW_ZERO(reader->env, RmlKmeans, 1);

	(void) params;
	kmeans->d = schema->d_num;
	if (kmeans->d < 1)
		rml_reader_fail(reader, "a k-means model needs at least one numeric feature");
	kmeans->k = rml_get_int(reader, TAG_K, 1, INT32_MAX);
	kmeans->inertia = get_inertia(reader);
	kmeans->n_iter = rml_get_int(reader, TAG_ITERATIONS, 0, INT64_MAX);
	kmeans->converged = rml_get_int(reader, TAG_CONVERGED, 0, 1) != 0;
	kmeans->sizes = rml_get_int64(reader, TAG_SIZES, (size_t) kmeans->k);
	kmeans->centroids =
		rml_get_finite(reader, TAG_CENTROIDS, (size_t) kmeans->k * (size_t) kmeans->d);
	check_sizes(reader, kmeans);
	if (reader->algorithm_version >= 2)
		rml_segment_ids_decode(&kmeans->ids, kmeans->k, reader);
	else if (reader->error == NULL)
		rml_segment_ids_init(&kmeans->ids, reader->env, kmeans->k);
	if (reader->error == NULL)
		rml_kmeans_pack(reader->env, kmeans);
	return kmeans;
}

void
rml_kmeans_describe(const void *fitted, const RmlSchema *schema, RmlInfo *info)
{
	const RmlKmeans *kmeans = fitted;

	(void) schema;
	info->integer(info, "k", kmeans->k);
	info->number(info, "inertia", kmeans->inertia);
	info->integer(info, "n_iter", kmeans->n_iter);
	info->boolean(info, "converged", kmeans->converged);
	info->begin_array(info, "sizes");
	for (int64_t c = 0; c < kmeans->k; c++)
		info->integer(info, NULL, kmeans->sizes[c]);
	info->end_array(info);
}

static double
predict_number(const void *fitted, const double *numbers, const int32_t *codes)
{
	const RmlKmeans *kmeans = fitted;

	(void) codes;
	return kmeans->ids.numbers[rml_kmeans_predict(kmeans, numbers, NULL)];
}

static void
view_clusters(void *fitted, RmlClusters *view)
{
	RmlKmeans *kmeans = fitted;

	*view = (RmlClusters){.k = (int) kmeans->k,
						  .ids = &kmeans->ids,
						  .sizes = kmeans->sizes,
						  .centroids = kmeans->centroids};
}

const RmlAlgorithm rml_kmeans_algorithm = {
	.id = RML_ALGORITHM_KMEANS,
	.version = KMEANS_VERSION,
	.name = "kmeans",
	.options = rml_kmeans_options,
	.n_options = sizeof rml_kmeans_options / sizeof rml_kmeans_options[0],
	.params_size = sizeof(RmlKmeansParams),
	.decode = rml_kmeans_decode,
	.encode = rml_kmeans_encode,
	.predict = predict_number,
	.describe = rml_kmeans_describe,
	.clusters = view_clusters,
	.expression = rml_kmeans_expression,
};

/* ---- order of clusters ---- */

typedef struct Rank
{
	const double *centroid; /* [d] */
	const int32_t *modes;   /* [d_cat] */
	int64_t size;
	int64_t number; /* before sorting */
	int d;
	int d_cat;
	int feature; /* -1: none */
} Rank;

/* larger first */
static int
descending(double a, double b)
{
	return (a < b) - (a > b);
}

static int
compare_ranks(const void *left, const void *right)
{
	const Rank *a = left, *b = right;
	int order = 0;

	if (a->feature >= 0)
		order = descending(a->centroid[a->feature], b->centroid[a->feature]);
	if (order == 0)
		order = (a->size < b->size) - (a->size > b->size);
	for (int j = 0; order == 0 && j < a->d; j++)
		order = descending(b->centroid[j], a->centroid[j]);
	for (int f = 0; order == 0 && f < a->d_cat; f++)
		order = (a->modes[f] > b->modes[f]) - (a->modes[f] < b->modes[f]);
	return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static Rank *
sorted_ranks(RmlEnv *env, const RmlKmeans *kmeans, int feature)
{
	Rank *ranks = RML_NEW(env, Rank, (size_t) kmeans->k);

	for (int64_t c = 0; c < kmeans->k; c++)
		ranks[c] = (Rank){.centroid = kmeans->centroids + c * kmeans->d,
						  .modes = kmeans->modes + c * kmeans->d_cat,
						  .size = kmeans->sizes[c],
						  .number = c,
						  .d = kmeans->d,
						  .d_cat = kmeans->d_cat,
						  .feature = feature};
	qsort(ranks, (size_t) kmeans->k, sizeof(Rank), compare_ranks);
	return ranks;
}

void
rml_kmeans_sort(RmlEnv *env, RmlKmeans *kmeans, int32_t *labels, int64_t n, int feature)
{
	size_t k = (size_t) kmeans->k;
	size_t d = (size_t) kmeans->d;
	Rank *ranks = sorted_ranks(env, kmeans, feature);
	size_t d_cat = (size_t) kmeans->d_cat;
	double *centroids = RML_NEW(env, double, k *d);
	int32_t *modes = RML_NEW(env, int32_t, k * d_cat);
	int64_t *sizes = RML_NEW(env, int64_t, k);
	int32_t *renamed = RML_NEW(env, int32_t, k);

	for (size_t c = 0; c < k; c++)
	{
		memcpy(centroids + c * d, ranks[c].centroid, d * sizeof(double));
		memcpy(modes + c * d_cat, ranks[c].modes, d_cat * sizeof(int32_t));
		sizes[c] = ranks[c].size;
		renamed[ranks[c].number] = (int32_t) c;
	}
	for (int64_t i = 0; labels != NULL && i < n; i++)
		labels[i] = renamed[labels[i]];
	rml_release(env, ranks);
	rml_release(env, renamed);
	rml_release(env, kmeans->centroids);
	rml_release(env, kmeans->modes);
	rml_release(env, kmeans->sizes);
	kmeans->centroids = centroids;
	kmeans->modes = modes;
	kmeans->sizes = sizes;
	rml_kmeans_pack(env, kmeans);
}
