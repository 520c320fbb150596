/*
 * kmeans_sweep_sql.c
 *	  kmeans_sweep: k-means for a range of k on rows that are read once, with what helps to choose.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "retailml/agg_sql.h"
#include "retailml/cluster_metrics.h"
#include "retailml/elbow.h"
#include "retailml/kmeans_sql.h"
#include "retailml/options_sql.h"

/* the silhouette compares all pairs of rows; above this many it looks at a sample */
#define SILHOUETTE_ROWS 10000

typedef struct SweepParams
{
	RmlKmeansParams kmeans; /* k changes from fit to fit */
	int k_min;
	int k_max;
} SweepParams;

/* what is known about each k; arrays are [k_max - k_min + 1], n of them filled */
typedef struct Sweep
{
	int n;
	double k[RML_MAX_SWEEP];
	double inertia[RML_MAX_SWEEP];
	double silhouette[RML_MAX_SWEEP];
	double davies_bouldin[RML_MAX_SWEEP];
	double calinski_harabasz[RML_MAX_SWEEP];
	int32_t *sample_labels[RML_MAX_SWEEP]; /* [sample rows] */
	int elbow;                             /* position, or -1 */
	int best;
	int64_t sample; /* rows behind the silhouette */
} Sweep;

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	SweepParams *params = RML_NEW_ZERO(env, SweepParams, 1);

	rml_kmeans_parse_options(env, &params->kmeans, options, row_options);
	rml_cluster_k_range("kmeans_sweep", parameters, &params->k_min, &params->k_max);
	return params;
}

static size_t
bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	const SweepParams *sweep = params;
	RmlKmeansParams largest = sweep->kmeans;
	int64_t sample = Min(n, SILHOUETTE_ROWS);
	int steps = sweep->k_max - sweep->k_min + 1;
	size_t labels = sizeof(int32_t) * ((size_t) n + (size_t) sample * steps);
	int k[RML_MAX_SWEEP];

	for (int i = 0; i < steps; i++)
		k[i] = sweep->k_min + i;
	largest.k = sweep->k_max;
	return labels + Max(rml_kmeans_bytes(&largest, n, d_num, threads),
						rml_silhouette_bytes(sample, d_num, k, steps, threads));
}

/* false when the rows do not allow this k: fewer of them, or of distinct ones */
static bool
run_step(RmlFit *fit, Sweep *sweep, RmlKmeansParams *params, int32_t *labels)
{
	const RmlMatrix *x = &fit->matrix;
	int i = sweep->n;
	RmlKmeans kmeans;

	if (rml_kmeans_check(fit->env, params, x->n, x->d_num) != NULL ||
		rml_kmeans_fit(fit->env, params, x->numbers, x->n, x->d_num, &kmeans, labels) != NULL)
		return false;
	sweep->k[i] = (double) params->k;
	sweep->inertia[i] = kmeans.inertia;
	sweep->davies_bouldin[i] =
		rml_davies_bouldin(fit->env, x->numbers, x->n, x->d_num, labels, (int) params->k);
	sweep->calinski_harabasz[i] =
		rml_calinski_harabasz(fit->env, x->numbers, x->n, x->d_num, labels, (int) params->k);
	sweep->sample_labels[i] = RML_NEW(fit->env, int32_t, (size_t) sweep->sample);
	memcpy(sweep->sample_labels[i], labels, sizeof(int32_t) * sweep->sample);
	sweep->n++;
	return true;
}

/* matrix rows are in canonical order, so the first ones are a random sample */
static void
add_silhouettes(RmlFit *fit, Sweep *sweep)
{
	int k[RML_MAX_SWEEP];

	for (int i = 0; i < sweep->n; i++)
		k[i] = (int) sweep->k[i];
	rml_silhouette_many(fit->env, fit->matrix.numbers, sweep->sample, fit->matrix.d_num,
						(const int32_t *const *) sweep->sample_labels, k, sweep->n,
						sweep->silhouette);
}

static int
find_best(const Sweep *sweep)
{
	int best = -1;

	for (int i = 0; i < sweep->n; i++)
		if (!isnan(sweep->silhouette[i]) &&
			(best < 0 || sweep->silhouette[i] > sweep->silhouette[best]))
			best = i;
	return best;
}

static void
run_sweep(RmlFit *fit, Sweep *sweep)
{
	const SweepParams *params = fit->params;
	RmlKmeansParams step = params->kmeans;
	int32_t *labels = RML_NEW(fit->env, int32_t, (size_t) fit->matrix.n);

	sweep->n = 0;
	sweep->sample = Min(fit->matrix.n, SILHOUETTE_ROWS);
	for (step.k = params->k_min; step.k <= params->k_max; step.k++)
		if (!run_step(fit, sweep, &step, labels))
		{
			ereport(NOTICE,
					(errmsg("kmeans_sweep stops before k = %d: there are not that many distinct "
							"rows",
							(int) step.k)));
			break;
		}
	add_silhouettes(fit, sweep);
	sweep->elbow = rml_elbow(sweep->k, sweep->inertia, sweep->n);
	sweep->best = find_best(sweep);
}

/* ---- the result: an array of retailml.kmeans_choice ---- */

#define CHOICE_COLUMNS 9

static Datum
choice(const Sweep *sweep, int i, bool exact, TupleDesc descriptor)
{
	Datum values[CHOICE_COLUMNS];
	bool nulls[CHOICE_COLUMNS] = {false};

	values[0] = Int32GetDatum((int32) sweep->k[i]);
	values[1] = Float8GetDatum(sweep->inertia[i]);
	values[2] = Float8GetDatum(sweep->silhouette[i]);
	nulls[2] = isnan(sweep->silhouette[i]);
	values[3] = Float8GetDatum(sweep->davies_bouldin[i]);
	nulls[3] = isnan(sweep->davies_bouldin[i]);
	values[4] = Float8GetDatum(sweep->calinski_harabasz[i]);
	nulls[4] = isnan(sweep->calinski_harabasz[i]);
	values[5] = Int64GetDatum(sweep->sample);
	values[6] = BoolGetDatum(exact);
	values[7] = BoolGetDatum(i == sweep->elbow);
	values[8] = BoolGetDatum(i == sweep->best);
	return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

static Datum
fit_sweep(RmlFit *fit)
{
	Sweep *sweep = RML_NEW_ZERO(fit->env, Sweep, 1);
	bool exact = fit->matrix.n <= SILHOUETTE_ROWS;
	Oid type = get_element_type(fit->result_type);
	TupleDesc descriptor = lookup_rowtype_tupdesc(type, -1);
	Datum *choices;
	ArrayType *result;

	run_sweep(fit, sweep);
	choices = palloc(sizeof(Datum) * Max(sweep->n, 1));
	for (int i = 0; i < sweep->n; i++)
		choices[i] = choice(sweep, i, exact, descriptor);
	ReleaseTupleDesc(descriptor);
	result = construct_array(choices, sweep->n, type, -1, false, TYPALIGN_DOUBLE);
	return PointerGetDatum(result);
}

static const RmlFitSpec sweep_spec = {
	.function = "kmeans_sweep",
	.n_parameters = 2,
	.parameter_names = {"k_min", "k_max"},
	.scales = true,
	.clusters = true,
	.begin = begin,
	.bytes = bytes,
	.fit = fit_sweep,
};

RML_FIT_FUNCTIONS(kmeans_sweep, sweep_spec);
