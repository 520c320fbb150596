/*
 * cluster_compare.c
 *	  Clusterings of the same rows side by side.
 */
#include "retailml/cluster_compare.h"

#include <math.h>
#include <string.h>

#include "retailml/elbow.h"

#define POLL_ROWS 100000

const RmlOption rml_compare_options[] = {
	RML_AUTO_OPTION(RmlCompareParams, gamma, 0, 1e12),
	RML_INT_OPTION(RmlCompareParams, n_init, 10, 1, 1000),
	RML_INT_OPTION(RmlCompareParams, max_iter, 300, 1, 100000),
	RML_FLOAT_OPTION(RmlCompareParams, tol, 1e-4, 0, 1e6),
	RML_SEED_OPTION(RmlCompareParams),
};

const int rml_compare_n_options = sizeof rml_compare_options / sizeof rml_compare_options[0];

/* the rows in one space, and what clusterings of them are measured on */
typedef struct Comparer
{
	RmlEnv *env;
	const RmlCompareParams *params;
	RmlSchema schema[2]; /* [1]: standardized */
	RmlMatrix matrix[2];
	RmlMetricRows yardstick;
	int32_t *labels; /* [n] */
} Comparer;

static RmlKprototypesParams
prototypes_params(const RmlCompareParams *params, int k)
{
	return (RmlKprototypesParams){.k = k,
								  .gamma = params->gamma,
								  .n_init = params->n_init,
								  .max_iter = params->max_iter,
								  .tol = params->tol,
								  .seed = params->seed};
}

static RmlKmeansParams
kmeans_params(const RmlCompareParams *params, int k)
{
	return (RmlKmeansParams){.k = k,
							 .n_init = params->n_init,
							 .max_iter = params->max_iter,
							 .tol = params->tol,
							 .seed = params->seed};
}

size_t
rml_cluster_compare_bytes(const RmlCompareParams *params, int64_t n, int d_num, int d_cat,
						  int64_t n_codes, int threads)
{
	const RmlKprototypesParams largest = prototypes_params(params, params->k_max);
	size_t fit = rml_kprototypes_bytes(&largest, n, d_num, d_cat, n_codes, threads);
	size_t report = rml_cluster_report_bytes(n, d_num, d_cat, params->k_max, threads);

	return (size_t) n * ((size_t) d_num * sizeof(double) + sizeof(int32_t)) +
		   (fit > report ? fit : report);
}

static void
standardize(Comparer *comparer)
{
	RmlSchema *schema = &comparer->schema[1];
	RmlMatrix *matrix = &comparer->matrix[1];
	const size_t count = (size_t) matrix->n * (size_t) matrix->d_num;

	schema->standardize = true;
	rml_schema_index(schema, comparer->env);
	matrix->numbers = RML_NEW(comparer->env, double, count);
	memcpy(matrix->numbers, comparer->matrix[0].numbers, count * sizeof(double));
	for (int64_t i = 0; i < matrix->n; i++)
	{
		rml_schema_prepare(schema, matrix->numbers + i * matrix->d_num);
		if (i % POLL_ROWS == 0)
			rml_poll(comparer->env);
	}
}

/* one clustering; false when there are not that many distinct rows */
static bool
run_one(const Comparer *comparer, RmlComparison *one)
{
	RmlEnv *env = comparer->env;
	const RmlMatrix *matrix = &comparer->matrix[one->standardized];
	RmlKprototypes model;
	const char *reason;

	if (one->prototypes)
	{
		RmlKprototypesParams params = prototypes_params(comparer->params, one->k);

		reason = rml_kprototypes_fit(env, &params, &comparer->schema[one->standardized], matrix, -1,
									 &model, comparer->labels);
	}
	else
	{
		RmlKmeansParams params = kmeans_params(comparer->params, one->k);

		reason = rml_kmeans_fit(env, &params, matrix->numbers, matrix->n, matrix->d_num,
								&model.prototypes, comparer->labels);
	}
	if (reason != NULL)
		return false;
	one->cost = model.prototypes.inertia;
	rml_cluster_report(env, &comparer->yardstick, comparer->labels, one->k, &one->report);
	env->progress(env, "cluster_compare", one->k, one->cost);
	return true;
}

/* one method in one space, for all k; returns how many there were */
static int
run_way(const Comparer *comparer, bool prototypes, bool standardized, RmlComparison *out)
{
	const RmlCompareParams *params = comparer->params;
	int steps = params->k_max - params->k_min + 1, n = 0, elbow;
	double *k = RML_NEW(comparer->env, double, (size_t) steps);
	double *cost = RML_NEW(comparer->env, double, (size_t) steps);

	for (; n < steps; n++)
	{
		out[n] = (RmlComparison){prototypes, standardized, .k = params->k_min + n};
		if (!run_one(comparer, out + n))
			break;
		k[n] = out[n].k;
		cost[n] = out[n].cost;
	}
	elbow = rml_elbow(k, cost, n);
	if (elbow >= 0)
		out[elbow].is_elbow = true;
	rml_release(comparer->env, k);
	rml_release(comparer->env, cost);
	return n;
}

static void
mark_best(RmlComparison *all, int n)
{
	RmlComparison *best = NULL;

	for (int i = 0; i < n; i++)
		if (!isnan(all[i].report.silhouette) &&
			(best == NULL || all[i].report.silhouette > best->report.silhouette))
			best = all + i;
	if (best != NULL)
		best->is_best = true;
}

int
rml_cluster_compare(RmlEnv *env, const RmlCompareParams *params, const RmlSchema *schema,
					const RmlMatrix *matrix, RmlComparison *out)
{
	Comparer comparer = {env, params, {*schema, *schema}, {*matrix, *matrix}, {0}, NULL};
	int n = 0;

	standardize(&comparer);
	comparer.yardstick = (RmlMetricRows){matrix->n, matrix->d_num, matrix->d_cat,
										 comparer.matrix[1].numbers, matrix->codes};
	comparer.labels = RML_NEW(env, int32_t, (size_t) matrix->n);
	for (int prototypes = 0; prototypes <= 1; prototypes++)
		for (int standardized = 1; standardized >= 0; standardized--)
			if (prototypes ? schema->d_cat > 0 : schema->d_num > 0)
				n += run_way(&comparer, prototypes, standardized, out + n);
	mark_best(out, n);
	rml_release(env, comparer.matrix[1].numbers);
	rml_release(env, comparer.labels);
	return n;
}
