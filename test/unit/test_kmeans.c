/*
 * test_kmeans.c
 *	  k-means against scikit-learn (test/golden/kmeans.py), and its promises: the same bytes for any
 *	  number of threads, labels that are those of predict, centroids that are means, odd inputs,
 *	  cancelling, damaged bytes.
 */
#include "unit.h"

#include <math.h>

#include "retailml/kmeans.h"

/* what the quality goal allows over the best of scikit-learn's runs */
#define INERTIA_ALLOWANCE 1.0005

#define STANDARD(clusters) \
	(RmlKmeansParams) \
	{ \
		.k = (clusters), .n_init = 10, .max_iter = 300, .tol = 1e-4, .seed = 42 \
	}

typedef struct Fitted
{
	const char *reason;
	RmlKmeans model;
	int32_t *labels; /* [n] */
} Fitted;

static Fitted
fit(RmlEnv *env, RmlKmeansParams params, const double *x, int64_t n, int d)
{
	Fitted fitted = {.labels = RML_NEW(env, int32_t, (size_t) n)};

	fitted.reason = rml_kmeans_fit(env, &params, x, n, d, &fitted.model, fitted.labels);
	return fitted;
}

/* ---- data */

static double
uniform(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) / 16777216.0;
}

/* the generator of test/golden/kmeans.py */
static double *
blobs(int64_t n, int d, int k, double spread)
{
	uint32_t state = 1;
	double *x = malloc((size_t) n * d * sizeof(double));
	double *centers = malloc((size_t) k * d * sizeof(double));

	for (int i = 0; i < k * d; i++)
		centers[i] = 10.0 * uniform(&state);
	for (int64_t i = 0; i < n * d; i++)
	{
		double noise = uniform(&state);

		noise += uniform(&state);
		noise += uniform(&state);
		x[i] = centers[i / d % k * d + i % d] + spread * (noise - 1.5);
	}
	free(centers);
	return x;
}

static void
standardize(double *x, int64_t n, int d)
{
	for (int j = 0; j < d; j++)
	{
		double mean = 0.0, square = 0.0;

		for (int64_t i = 0; i < n; i++)
			mean += x[i * d + j] / (double) n;
		for (int64_t i = 0; i < n; i++)
			square += (x[i * d + j] - mean) * (x[i * d + j] - mean);
		for (int64_t i = 0; i < n; i++)
			x[i * d + j] = (x[i * d + j] - mean) / sqrt(square / (double) n);
	}
}

/* ---- what must hold for every fit */

static bool
labels_are_predictions(const Fitted *fitted, const double *x, int64_t n)
{
	bool equal = true;

	for (int64_t i = 0; i < n; i++)
		equal = equal && rml_kmeans_predict(&fitted->model, x + i * fitted->model.d, NULL) ==
							 fitted->labels[i];
	return equal;
}

/* predict by the definition */
static int
nearest(const RmlKmeans *model, const double *x, double *distance)
{
	int best = -1;

	for (int64_t c = 0; c < model->k; c++)
	{
		double sum = 0.0;

		for (int j = 0; j < model->d; j++)
			sum += (x[j] - model->centroids[c * model->d + j]) *
				   (x[j] - model->centroids[c * model->d + j]);
		if (best < 0 || sum < *distance)
		{
			*distance = sum;
			best = (int) c;
		}
	}
	*distance = sqrt(*distance);
	return best;
}

static bool
predictions_are_nearest(const Fitted *fitted, const double *x, int64_t n)
{
	bool equal = true;

	for (int64_t i = 0; i < n; i++)
	{
		const double *row = x + i * fitted->model.d;
		double distance, wanted = 0.0;
		int best = nearest(&fitted->model, row, &wanted);

		equal = equal && rml_kmeans_predict(&fitted->model, row, &distance) == best &&
				fabs(distance - wanted) <= 1e-15 * wanted;
	}
	return equal;
}

/* sizes counted, inertia and means made again in long double; the largest relative error */
static double
worst_error(const Fitted *fitted, const double *x, int64_t n, bool means)
{
	const RmlKmeans *m = &fitted->model;
	long double inertia = 0.0L;
	double worst = 0.0;

	for (int64_t c = 0; c < m->k; c++)
	{
		int64_t size = 0;

		for (int64_t i = 0; i < n; i++)
			size += fitted->labels[i] == c;
		worst = size == m->sizes[c] ? worst : INFINITY;
		for (int j = 0; j < m->d; j++)
		{
			long double sum = 0.0L, center = m->centroids[c * m->d + j];

			for (int64_t i = 0; i < n; i++)
				if (fitted->labels[i] == c)
				{
					sum += x[i * m->d + j];
					inertia += (x[i * m->d + j] - center) * (x[i * m->d + j] - center);
				}
			if (means)
				worst = fmax(worst, (double) fabsl(sum / size - center) /
										fmax(1.0, fabs((double) center)));
		}
	}
	return fmax(worst, fabs((double) (inertia - m->inertia)) / fmax(1e-300, m->inertia));
}

static void
check_promises(const Fitted *fitted, const double *x, int64_t n, const char *name)
{
	double error;

	if (!unit_equal_string(fitted->reason, NULL, "%s: fits", name))
		return;
	unit_ok(labels_are_predictions(fitted, x, n), "%s: labels are those of predict", name);
	unit_ok(predictions_are_nearest(fitted, x, n), "%s: predict finds the nearest", name);
	unit_ok(fitted->model.converged, "%s: converged", name);
	error = worst_error(fitted, x, n, true);
	unit_ok(error < 1e-12, "%s: sizes, means and inertia (error %g)", name, error);
}

/* ---- golden */

static void
check_golden(const double *x, int64_t n, const UnitCsv *csv, size_t row)
{
	const char *name = unit_csv_text(csv, row, "name");
	const int d = (int) unit_csv_number(csv, row, "d");
	const double wanted = unit_csv_number(csv, row, "inertia");
	RmlKmeansParams params = STANDARD((int64_t) unit_csv_number(csv, row, "k"));

	unit_equal_int(n, (int64_t) unit_csv_number(csv, row, "n"), "%s: rows", name);
	for (params.seed = 42; params.seed < 44; params.seed++)
	{
		RmlEnv *env = unit_env(2);
		Fitted fitted = fit(env, params, x, n, d);

		if (params.seed == 42)
			check_promises(&fitted, x, n, name);
		unit_ok(fitted.model.inertia <= wanted * INERTIA_ALLOWANCE,
				"%s, seed %d: inertia %.10g, scikit-learn %.10g", name, (int) params.seed,
				fitted.model.inertia, wanted);
		unit_env_free(env);
	}
}

static void
golden_case(const UnitCsv *csv, size_t row)
{
	const char *file = unit_csv_text(csv, row, "file");
	const int d = (int) unit_csv_number(csv, row, "d");
	int64_t n = (int64_t) unit_csv_number(csv, row, "n");
	double *x;

	if (file[0] == '\0')
		x = blobs(n, d, (int) unit_csv_number(csv, row, "k"), unit_csv_number(csv, row, "spread"));
	else
	{
		UnitCsv *data = unit_data(file, 8);

		if (data == NULL)
			return;
		n = (int64_t) data->rows;
		x = unit_csv_numbers(data, data->names[0], (size_t) d);
		if (unit_csv_number(csv, row, "standardized") != 0)
			standardize(x, n, d);
		unit_csv_free(data);
	}
	check_golden(x, n, csv, row);
	free(x);
}

static void
test_golden(void)
{
	UnitCsv *csv = unit_golden("kmeans.csv");

	for (size_t row = 0; csv != NULL && row < csv->rows; row++)
		golden_case(csv, row);
	unit_csv_free(csv);
}

static void
test_golden_centroids(void)
{
	UnitCsv *csv = unit_golden("kmeans_centroids.csv");
	RmlEnv *env = unit_env(2);
	double *x = blobs(600, 4, 5, 1.5);
	Fitted fitted = fit(env, STANDARD(5), x, 600, 4);
	double *centroids;

	if (csv == NULL)
		return;
	centroids = unit_csv_numbers(csv, "c1", 4);
	rml_kmeans_sort(env, &fitted.model, fitted.labels, 600, -1);
	unit_near_array(fitted.model.centroids, centroids, 20, 1e-12, "centroids, largest first");
	for (int c = 0; c < 5; c++)
		unit_equal_int(fitted.model.sizes[c], (int64_t) unit_csv_number(csv, (size_t) c, "size"),
					   "size of cluster %d", c + 1);
	unit_ok(labels_are_predictions(&fitted, x, 600), "labels are renumbered with the clusters");
	free(centroids);
	free(x);
	unit_csv_free(csv);
	unit_env_free(env);
}

static void
test_sort_by_feature(void)
{
	RmlEnv *env = unit_env(1);
	double *x = blobs(600, 4, 5, 1.5);
	Fitted fitted = fit(env, STANDARD(5), x, 600, 4);
	bool descending = true;

	rml_kmeans_sort(env, &fitted.model, fitted.labels, 600, 2);
	for (int c = 1; c < 5; c++)
		descending =
			descending && fitted.model.centroids[c * 4 + 2] < fitted.model.centroids[c * 4 - 4 + 2];
	unit_ok(descending, "order by a feature: largest mean first");
	unit_ok(labels_are_predictions(&fitted, x, 600), "labels follow the order");
	free(x);
	unit_env_free(env);
}

/* ---- determinism */

static void
check_threads(RmlKmeansParams params, const double *x, int64_t n, int d, const char *name)
{
	RmlEnv *env[2] = {unit_env(1), unit_env(2)};
	Fitted fitted[2];
	RmlWriter writer[2];

	for (int i = 0; i < 2; i++)
	{
		fitted[i] = fit(env[i], params, x, n, d);
		rml_writer_begin(writer + i, env[i], RML_ALGORITHM_KMEANS, 2);
		rml_kmeans_encode(&fitted[i].model, writer + i);
		rml_writer_end(writer + i);
	}
	unit_ok(writer[0].length == writer[1].length &&
				memcmp(writer[0].bytes, writer[1].bytes, writer[0].length) == 0,
			"%s: 1 and 2 threads give the same bytes", name);
	unit_equal_bytes(fitted[0].labels, fitted[1].labels, (size_t) n * sizeof(int32_t),
					 "%s: and the same labels", name);
	unit_env_free(env[0]);
	unit_env_free(env[1]);
}

static void
test_threads(void)
{
	RmlKmeansParams params = STANDARD(7);
	double *x = blobs(8000, 3, 9, 4.0);
	double *wide = blobs(4000, 48, 6, 9.0);
	double *large = blobs(150000, 2, 9, 5.0);

	params.n_init = 2;
	check_threads(params, x, 8000, 3, "narrow");
	params.init = RML_KMEANS_RANDOM;
	check_threads(params, x, 8000, 3, "random init");
	check_threads(params, wide, 4000, 48, "wide");
	params.init = RML_KMEANS_PLUSPLUS;
	params.n_init = 1;
	check_threads(params, large, 150000, 2, "centres from a sample");
	free(x);
	free(wide);
	free(large);
}

/* ---- odd inputs */

static void
check_odd(RmlKmeansParams params, const double *x, int64_t n, int d, double inertia,
		  const char *name)
{
	RmlEnv *env = unit_env(2);
	Fitted fitted = fit(env, params, x, n, d);

	check_promises(&fitted, x, n, name);
	if (fitted.reason == NULL)
		unit_near(fitted.model.inertia, inertia, 1e-12, "%s: inertia", name);
	unit_env_free(env);
}

/* expected inertias: k = n and k = distinct rows leave none; 1 2 3 4: each pair is off by 1/2 */
static void
test_small(void)
{
	static const double line[] = {1, 2, 3, 4, 11, 12, 13, 14};
	static const double twice[] = {5, 7, 5, 7, 5, 7};
	static const double constant[] = {1, 3, 1, 4, 1, 13, 1, 14};

	check_odd(STANDARD(1), line, 1, 1, 0.0, "one row");
	check_odd(STANDARD(1), line, 4, 1, 5.0, "k = 1");
	check_odd(STANDARD(4), line, 4, 1, 0.0, "k = n");
	check_odd(STANDARD(4), line, 8, 1, 2.0, "four pairs");
	check_odd(STANDARD(2), twice, 6, 1, 0.0, "duplicate rows");
	check_odd(STANDARD(2), constant, 4, 2, 1.0, "constant column");
	check_odd(STANDARD(1), twice, 6, 1, 6.0, "k = 1 of duplicates");
}

static void
test_random_init_of_duplicates(void)
{
	static const double x[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 9};
	RmlKmeansParams params = STANDARD(3);

	params.init = RML_KMEANS_RANDOM;
	params.n_init = 1;
	check_odd(params, x, 14, 1, 0.0, "random rows that are equal leave no cluster empty");
}

/* two groups of three: base + 0, 1, 2 and 13, 14, 15 units */
static void
check_magnitude(double base, double unit, const char *name)
{
	double x[6];
	RmlEnv *env = unit_env(1);
	Fitted fitted;

	for (int i = 0; i < 6; i++)
		x[i] = base + unit * (i < 3 ? i : i + 10);
	fitted = fit(env, STANDARD(2), x, 6, 1);
	unit_equal_string(fitted.reason, NULL, "%s: fits", name);
	unit_ok(fitted.reason == NULL && fitted.labels[0] == fitted.labels[2] &&
				fitted.labels[3] == fitted.labels[5] && fitted.labels[0] != fitted.labels[3],
			"%s: two groups", name);
	unit_ok(labels_are_predictions(&fitted, x, 6), "%s: labels are those of predict", name);
	unit_env_free(env);
}

static void
test_magnitudes(void)
{
	check_magnitude(1e9, 1e-3, "1e9 + thousandths");
	check_magnitude(0, 1e300, "1e300");
	check_magnitude(0, 1e-300, "1e-300");
	check_magnitude(-1e300, 1e290, "-1e300 + 1e290");
	check_magnitude(0, 5e-324, "smallest float8");
}

/* equal as float4 beside a far row: the iterations cannot tell them apart, the result must */
static void
test_beyond_float4(void)
{
	static const double x[] = {0, 1e-12, 1, 1 + 1e-12, 1e300};

	check_odd(STANDARD(5), x, 5, 1, 0.0, "rows that differ in float8 only");
	check_odd(STANDARD(3), x, 5, 1, 1e-24, "and fewer clusters than rows");
}

/* ---- refusals */

static void
test_refusals(void)
{
	static const double x[] = {1, 2, 2, 1, 2, 1, 1, 2};
	static const double range[] = {-1.7e308, 1.7e308, 1.6e308};
	RmlEnv *env = unit_env(1);
	RmlKmeansParams params = STANDARD(5);

	unit_equal_string(fit(env, params, x, 3, 1).reason, "k is 5 but there are only 3 rows",
					  "k > n");
	unit_equal_string(fit(env, params, x, 8, 1).reason, "k is 5 but only 2 rows are distinct",
					  "k > distinct rows");
	unit_equal_string(fit(env, STANDARD(3), x, 4, 2).reason, "k is 3 but only 2 rows are distinct",
					  "k > distinct rows of two columns");
	unit_equal_string(fit(env, STANDARD(0), x, 8, 1).reason, "k is 0 but must be at least 1",
					  "k = 0");
	unit_equal_string(fit(env, STANDARD(1), x, 8, 0).reason,
					  "k-means needs at least one numeric feature", "no features");
	unit_equal_string(fit(env, STANDARD(2), range, 3, 1).reason,
					  "the range of a feature is larger than a float8 can hold", "range");
	unit_env_free(env);
}

/* ---- memory, cancelling, iterations */

static void
test_memory(void)
{
	RmlEnv *env = unit_env(2);
	RmlKmeansParams params = STANDARD(8);
	double *x = blobs(100000, 6, 8, 4.0);
	size_t before, bytes = rml_kmeans_bytes(&params, 100000, 6, 2);
	Fitted fitted;

	params.n_init = 2;
	fitted = fit(env, params, x, 100000, 6);
	before = 100000 * sizeof(int32_t);
	unit_ok(unit_env_peak(env) - before <= bytes, "peak %zu is at most rml_kmeans_bytes %zu",
			unit_env_peak(env) - before, bytes);
	unit_ok(bytes <= unit_env_peak(env) * 3 / 2, "which does not exaggerate");
	unit_ok(bytes <= 100000 * 6 * sizeof(double) * 6 / 5, "and is at most 1.2 times the rows");
	unit_ok(unit_env_in_use(env) < before + 10000, "scratch is released: %zu bytes left",
			unit_env_in_use(env) - before);
	unit_ok(fitted.reason == NULL, "fits");
	free(x);
	unit_env_free(env);
}

static void
test_cancel(void)
{
	RmlEnv *env = unit_env(2);
	double *x = blobs(20000, 6, 8, 4.0);
	bool escaped = true;

	for (volatile int64_t polls = 1; polls < 200; polls = polls * 2)
	{
		unit_env_cancel_after(env, polls);
		escaped = UNIT_ESCAPES(env, fit(env, STANDARD(8), x, 20000, 6)) && escaped;
		unit_env_reset(env);
	}
	unit_ok(escaped, "leaves at any poll");
	free(x);
	unit_env_free(env);
}

static void
test_iterations(void)
{
	RmlEnv *env = unit_env(1);
	double *x = blobs(5000, 3, 12, 5.0);
	RmlKmeansParams params = STANDARD(9);
	Fitted fitted;

	params.n_init = 1;
	params.tol = 0;
	params.max_iter = 2;
	fitted = fit(env, params, x, 5000, 3);
	unit_equal_int(fitted.model.n_iter, 2, "max_iter bounds the iterations");
	unit_equal_int(unit_env_steps(env), 2, "each is reported");
	unit_ok(!fitted.model.converged, "not converged");
	unit_ok(labels_are_predictions(&fitted, x, 5000), "labels are those of predict all the same");
	unit_ok(worst_error(&fitted, x, 5000, false) < 1e-12, "so are sizes and inertia");
	free(x);
	unit_env_free(env);
}

/* ---- bytes */

static RmlWriter
encode(RmlEnv *env, const RmlKmeans *model)
{
	RmlWriter writer;

	rml_writer_begin(&writer, env, RML_ALGORITHM_KMEANS, 2);
	rml_kmeans_encode(model, &writer);
	rml_writer_end(&writer);
	return writer;
}

static RmlKmeans *
decode(RmlEnv *env, const void *bytes, size_t length, int d, const char **error)
{
	RmlReader reader;
	RmlSchema schema = {.d_num = d};
	RmlKmeans *model = NULL;

	if (rml_reader_begin(&reader, env, bytes, length))
		model = rml_kmeans_decode(&reader, &schema, NULL);
	*error = rml_reader_done(&reader);
	return model;
}

static void
test_round_trip(void)
{
	RmlEnv *env = unit_env(1);
	double *x = blobs(600, 4, 5, 1.5);
	Fitted fitted = fit(env, STANDARD(5), x, 600, 4);
	RmlWriter first = encode(env, &fitted.model), second;
	const char *error;
	RmlKmeans *model = decode(env, first.bytes, first.length, 4, &error);

	unit_equal_string(error, NULL, "decodes");
	second = encode(env, model);
	unit_ok(first.length == second.length && memcmp(first.bytes, second.bytes, first.length) == 0,
			"decode, encode: the same bytes");
	fitted.model = *model;
	unit_ok(labels_are_predictions(&fitted, x, 600), "the decoded model predicts the same");
	decode(env, first.bytes, first.length, 3, &error);
	unit_ok(error != NULL, "another number of features is refused: %s", error);
	free(x);
	unit_env_free(env);
}

/* with a right checksum, so that the decoder itself sees every damage */
static void
test_damaged(void)
{
	RmlEnv *env = unit_env(1);
	double *x = blobs(60, 2, 3, 1.5);
	Fitted fitted = fit(env, STANDARD(3), x, 60, 2);
	RmlWriter writer = encode(env, &fitted.model);
	uint8_t *damaged = RML_NEW(env, uint8_t, writer.length);
	int64_t refused = 0, unusable = 0;

	for (size_t i = 24; i < writer.length; i++)
		for (int bit = 0; bit < 8; bit++)
		{
			const char *error;
			RmlKmeans *model;
			uint32_t crc;

			memcpy(damaged, writer.bytes, writer.length);
			damaged[i] ^= (uint8_t) (1 << bit);
			crc = rml_model_crc(damaged, writer.length);
			memcpy(damaged + 12, &crc, 4);
			model = decode(env, damaged, writer.length, 2, &error);
			refused += error != NULL;
			unusable += error == NULL && (unsigned) rml_kmeans_predict(model, x, NULL) >= 3;
		}
	unit_ok(refused > 0, "%d of %d damaged models are refused", (int) refused,
			(int) (writer.length - 24) * 8);
	unit_equal_int(unusable, 0, "the others predict a cluster there is");
	free(x);
	unit_env_free(env);
}

int
main(void)
{
	test_golden();
	test_golden_centroids();
	test_sort_by_feature();
	test_threads();
	test_small();
	test_random_init_of_duplicates();
	test_magnitudes();
	test_beyond_float4();
	test_refusals();
	test_memory();
	test_cancel();
	test_iterations();
	test_round_trip();
	test_damaged();
	return unit_done();
}
