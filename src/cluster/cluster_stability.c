/*
 * cluster_stability.c
 *	  Resamples, restarts, noise, and the verdict.
 */
#include "retailml/cluster_stability.h"

#include <math.h>
#include <string.h>

#include "retailml/contingency.h"
#include "retailml/rng.h"

/* samples of noise */
#define REFERENCES 20

/* restarts of a fit on a resample or on noise */
#define FEW_RESTARTS 3

/* costs that differ by less than this share are the same */
#define SAME_COST 1e-3

/* W(k) / W(1) is taken to be at least this */
#define SMALLEST_RATIO 1e-12

/* what noise does not reach: measured in docs/algorithms/cluster-metrics.md */
#define GAIN_Z 4.0
#define GAIN_SHARE 0.02
#define SEPARATION_Z 3.0
#define SEPARATION_SHARE 0.25

/* of the variance within neighbours that an even spread has: clusters with a valley between them */
#define VALLEY_SHARE 0.8

/* k is raised by so much, at most, to find structure */
#define MORE_CLUSTERS 3

/* agreement of resamples with the whole that makes a clustering stable */
#define STABLE_MEAN 0.8
#define STABLE_MIN 0.5

/* streams of random numbers */
#define RESAMPLE_STREAM ((uint64_t) 3 << 32)
#define NOISE_STREAM ((uint64_t) 4 << 32)

const char *const rml_verdict_names[] = {"no structure", "weak", "unstable", "stable", NULL};

typedef struct Trial
{
	RmlEnv *env;
	RmlKmeansRows rows;     /* of the rows judged: at most RML_STABILITY_ROWS */
	RmlKmeansParams params; /* of a fit on other rows */
	double *x;              /* [n x d] a resample, or noise */
	int32_t *codes;         /* [n x d_cat] */
	int32_t *labels;        /* [n] of the clustering that is judged */
	double cost;            /* its cost */
	double share;           /* and rml_cluster_separation */
	int32_t *others;        /* [n] labels of a fit on other rows, or for another k */
} Trial;

size_t
rml_cluster_stability_bytes(const RmlKmeansParams *params, const RmlKmeansShape *shape, int64_t n,
							int threads)
{
	const size_t rows = (size_t) (n < RML_STABILITY_ROWS ? n : RML_STABILITY_ROWS);
	const size_t d = (size_t) shape->d, k = (size_t) params->k + MORE_CLUSTERS;
	const size_t pairs = (k * k < rows ? k * k : rows) * 8 * sizeof(int64_t);

	RmlKmeansParams largest = *params;

	largest.k = (int64_t) k;
	return rows * (sizeof(double) * d + sizeof(int32_t) * (size_t) shape->d_cat + 16) +
		   sizeof(double) * (2 * d * d + (rows + 200) * d) + 4 * pairs +
		   rml_kmeans_rows_bytes(&largest, shape, (int64_t) rows, threads);
}

/* ---- fits ---- */

static void
release_model(RmlEnv *env, RmlKmeans *model)
{
	rml_release(env, model->centroids);
	rml_release(env, model->modes);
	rml_release(env, model->sizes);
	rml_release(env, model->ids.numbers);
	rml_release(env, model->packed);
	rml_release(env, model->packed_modes);
	rml_release(env, model->places);
}

/* rows that were drawn, in place of those that are judged */
static RmlKmeansRows
drawn_rows(const Trial *trial)
{
	RmlKmeansRows rows = trial->rows;

	rows.x = trial->x;
	rows.codes = trial->codes;
	return rows;
}

/* the cost of k clusters; 0 where the rows have no k distinct ones */
static double
cost_of(const Trial *trial, const RmlKmeansParams *params, const RmlKmeansRows *rows)
{
	RmlKmeans model;

	if (rml_kmeans_fit_rows(trial->env, params, rows, &model, NULL) != NULL)
		return 0.0;
	release_model(trial->env, &model);
	return model.inertia;
}

/* ---- resamples ---- */

static void
release_table(RmlEnv *env, RmlLabelTable *table)
{
	rml_release(env, table->pairs);
	rml_release(env, table->a_index);
	rml_release(env, table->b_index);
	rml_release(env, table->a_labels);
	rml_release(env, table->b_labels);
	rml_release(env, table->a_sizes);
	rml_release(env, table->b_sizes);
}

static void
draw_resample(Trial *trial, uint64_t seed, int resample)
{
	const RmlKmeansRows *rows = &trial->rows;
	const size_t d = (size_t) rows->shape.d, d_cat = (size_t) rows->shape.d_cat;

	for (int64_t i = 0; i < rows->n; i++)
	{
		size_t row = rml_rng_below(seed, RESAMPLE_STREAM + (uint64_t) resample, (uint64_t) i,
								   (uint64_t) rows->n);

		memcpy(trial->x + (size_t) i * d, rows->x + row * d, d * sizeof(double));
		for (size_t f = 0; f < d_cat; f++)
			trial->codes[(size_t) i * d_cat + f] = rows->codes[row * d_cat + f];
	}
	rml_poll(trial->env);
}

/* agreement of the judged labels with those that a model gives the same rows */
static double
agreement(const Trial *trial, const RmlKmeans *model)
{
	RmlEnv *env = trial->env;
	const RmlKmeansRows *rows = &trial->rows;
	RmlContingency contingency;
	RmlLabelTable table;
	double index;

	rml_contingency_init(&contingency);
	for (int64_t i = 0; i < rows->n; i++)
	{
		int cluster = rml_kmeans_predict_row(model, rows->x + i * rows->shape.d,
											 rows->codes + i * rows->shape.d_cat, NULL);

		rml_contingency_add(&contingency, env, trial->labels[i], cluster, 1);
		if (i % 1000 == 0)
			rml_poll(env);
	}
	rml_label_table(&contingency, env, true, &table);
	index = rml_adjusted_rand_index(&table, env);
	release_table(env, &table);
	rml_release(env, contingency.slots);
	return index;
}

/* false when the resample has fewer than k distinct rows */
static bool
resample_agreement(Trial *trial, uint64_t seed, int resample, double *ari)
{
	RmlKmeansRows rows = drawn_rows(trial);
	RmlKmeans model;

	draw_resample(trial, seed, resample);
	if (rml_kmeans_fit_rows(trial->env, &trial->params, &rows, &model, NULL) != NULL)
		return false;
	*ari = agreement(trial, &model);
	release_model(trial->env, &model);
	return true;
}

static void
run_resamples(Trial *trial, uint64_t seed, int resamples, RmlStability *out)
{
	double sum = 0.0;
	int n = 0;

	out->min_ari = 1.0;
	for (int i = 0; i < resamples; i++)
	{
		double ari;

		if (!resample_agreement(trial, seed, i, &ari))
			continue;
		sum += ari;
		out->min_ari = fmin(out->min_ari, ari);
		n++;
		trial->env->progress(trial->env, "cluster_stability", i + 1, sum / n);
	}
	out->mean_ari = n > 0 ? sum / n : NAN;
	if (n == 0)
		out->min_ari = NAN;
}

/* ---- restarts ---- */

static double
best_share(const Trial *trial, int64_t seed)
{
	RmlKmeansParams params = trial->params;
	double costs[RML_STABILITY_RESTARTS];
	double best = trial->cost;
	int reached = 0;

	params.n_init = 1;
	for (int i = 0; i < RML_STABILITY_RESTARTS; i++)
	{
		params.seed = seed + i;
		costs[i] = cost_of(trial, &params, &trial->rows);
		best = fmin(best, costs[i]);
	}
	for (int i = 0; i < RML_STABILITY_RESTARTS; i++)
		reached += costs[i] <= best * (1.0 + SAME_COST);
	return (double) reached / RML_STABILITY_RESTARTS;
}

/* ---- noise ---- */

/* r = log(W(1) / W(k)) */
static double
log_ratio(const Trial *trial, const RmlKmeansRows *rows, double cost)
{
	RmlKmeansParams one = trial->params;
	double whole;

	one.k = one.n_init = 1;
	whole = cost_of(trial, &one, rows);
	return whole > 0.0 ? -log(fmax(cost / whole, SMALLEST_RATIO)) : 0.0;
}

/* what is compared with noise, as logarithms: the larger, the more structure */
typedef struct Measures
{
	double ratio; /* W(1) / W(k) */
	double apart; /* even spread's share of variance within neighbours / theirs */
} Measures;

/* of trial->params.k clusters; nothing stands out where the rows have no k distinct ones */
static Measures
measure(const Trial *trial, const RmlKmeansRows *rows)
{
	Measures measures = {0.0, 0.0};
	RmlKmeans model;

	if (rml_kmeans_fit_rows(trial->env, &trial->params, rows, &model, trial->others) != NULL)
		return measures;
	measures.ratio = log_ratio(trial, rows, model.inertia);
	measures.apart = -rml_cluster_separation(trial->env, rows, &model, trial->others);
	release_model(trial->env, &model);
	return measures;
}

/* what the rows have more than noise */
typedef struct Gain
{
	double share;
	double z;
} Gain;

typedef struct Gains
{
	Gain cost;
	Gain separation;
} Gains;

typedef struct Moments
{
	double sum;
	double squares;
} Moments;

static void
add_reference(Moments *moments, double value)
{
	moments->sum += value;
	moments->squares += value * value;
}

static Gain
gain_above(const Moments *noise, double value)
{
	double mean = noise->sum / REFERENCES;
	double variance = fmax(noise->squares / REFERENCES - mean * mean, 0.0);
	double sd = sqrt(variance * (1.0 + 1.0 / REFERENCES));
	double above = value - mean;

	return (Gain){1.0 - exp(-above), above == 0.0 ? 0.0 : above / sd};
}

/* over one kind of noise */
static Gains
gains_over(Trial *trial, uint64_t seed, bool principal, const Measures *own)
{
	RmlNoise *noise = rml_noise_learn(trial->env, &trial->rows, principal);
	const RmlKmeansRows drawn = drawn_rows(trial);
	Moments ratio = {0.0, 0.0}, apart = {0.0, 0.0};

	for (int i = 0; i < REFERENCES; i++)
	{
		Measures reference;

		rml_noise_draw(noise, trial->env, seed, NOISE_STREAM + (uint64_t) i, trial->x,
					   trial->codes);
		reference = measure(trial, &drawn);
		add_reference(&ratio, reference.ratio);
		add_reference(&apart, reference.apart);
	}
	rml_noise_release(noise, trial->env);
	return (Gains){gain_above(&ratio, own->ratio), gain_above(&apart, own->apart)};
}

static Gain
lesser(Gain a, Gain b)
{
	return b.z < a.z ? b : a;
}

/* over the kind of noise that is harder to beat */
static Gains
gains_of(Trial *trial, uint64_t seed, const Measures *own)
{
	const Gains columns = gains_over(trial, seed, false, own);
	const Gains principal = gains_over(trial, seed, true, own);

	return (Gains){lesser(columns.cost, principal.cost),
				   lesser(columns.separation, principal.separation)};
}

static bool
is_above(Gain gain, double z, double share)
{
	return gain.z >= z && gain.share >= share;
}

static bool
beats_noise(const Gains *gains)
{
	return is_above(gains->cost, GAIN_Z, GAIN_SHARE) ||
		   is_above(gains->separation, SEPARATION_Z, SEPARATION_SHARE);
}

/*
 * Noise along axes is not all the noise there is: an even spread over a disc, or over a slanted
 * square, has a lower cost, but no valley anywhere.  Too many clusters cut what is one, so with fewer
 * is looked at half as many, and so on.
 */
static bool
has_valley(Trial *trial, const Measures *own, bool fewer)
{
	const int64_t k = trial->params.k;
	bool valley = own->apart >= -log(VALLEY_SHARE);

	for (trial->params.k = k / 2; fewer && !valley && trial->params.k >= 2; trial->params.k /= 2)
		valley = measure(trial, &trial->rows).apart >= -log(VALLEY_SHARE);
	trial->params.k = k;
	return valley;
}

/*
 * Groups that are there may not show at a k that is too small for them: two clusters of four blobs
 * are no better than two of noise.  So a few larger k are tried before it is called noise, or weak.
 * Returns whether there is a valley.
 */
static bool
find_structure(Trial *trial, uint64_t seed, RmlStability *out)
{
	const int64_t k = trial->params.k;
	Measures own = {log_ratio(trial, &trial->rows, trial->cost), -trial->share};
	Gains gains = gains_of(trial, seed, &own);

	out->gain = gains.cost.share;
	out->gain_z = gains.cost.z;
	out->separation = gains.separation.share;
	out->separation_z = gains.separation.z;
	out->structure_k = 0;
	for (;;)
	{
		if (beats_noise(&gains))
		{
			const bool valley = has_valley(trial, &own, trial->params.k == k);

			if (valley || out->structure_k == 0)
				out->structure_k = trial->params.k;
			if (valley)
				return true;
		}
		trial->params.k++;
		if (trial->params.k > k + MORE_CLUSTERS || trial->params.k >= trial->rows.n)
			return false;
		own = measure(trial, &trial->rows);
		gains = gains_of(trial, seed, &own);
	}
}

/* ---- the whole ---- */

static RmlVerdict
judge(const RmlStability *s, bool valley)
{
	if (s->structure_k == 0)
		return RML_NO_STRUCTURE;
	if (!valley)
		return RML_WEAK;
	return s->mean_ari >= STABLE_MEAN && s->min_ari >= STABLE_MIN ? RML_STABLE : RML_UNSTABLE;
}

static void
begin_trial(Trial *trial, RmlEnv *env, const RmlKmeansParams *params, const RmlKmeansRows *rows)
{
	size_t n;

	*trial = (Trial){.env = env, .rows = *rows, .params = *params};
	if (trial->rows.n > RML_STABILITY_ROWS)
		trial->rows.n = RML_STABILITY_ROWS;
	n = (size_t) trial->rows.n;
	/* Cao's first prototypes are the same for all restarts */
	if (trial->params.init == RML_KMEANS_CAO)
		trial->params.init = RML_KMEANS_HUANG;
	if (trial->params.n_init > FEW_RESTARTS)
		trial->params.n_init = FEW_RESTARTS;
	trial->x = RML_NEW(env, double, n *(size_t) rows->shape.d);
	trial->codes = RML_NEW(env, int32_t, n * (size_t) rows->shape.d_cat);
	trial->labels = RML_NEW(env, int32_t, n);
	trial->others = RML_NEW(env, int32_t, n);
}

const char *
rml_cluster_stability(RmlEnv *env, const RmlKmeansParams *params, const RmlKmeansRows *rows,
					  int resamples, RmlStability *stability)
{
	Trial trial;
	RmlKmeans model;
	const char *reason;
	bool valley;

	begin_trial(&trial, env, params, rows);
	reason = rml_kmeans_fit_rows(env, params, &trial.rows, &model, trial.labels);
	if (reason != NULL)
		return reason;
	trial.cost = model.inertia;
	trial.share = rml_cluster_separation(env, &trial.rows, &model, trial.labels);
	release_model(env, &model);
	stability->rows = trial.rows.n;
	run_resamples(&trial, (uint64_t) params->seed, resamples, stability);
	stability->best_share = best_share(&trial, params->seed);
	valley = find_structure(&trial, (uint64_t) params->seed, stability);
	stability->verdict = judge(stability, valley);
	rml_release(env, trial.x);
	rml_release(env, trial.codes);
	rml_release(env, trial.labels);
	rml_release(env, trial.others);
	return NULL;
}
