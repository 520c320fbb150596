/*
 * Linear regression against R (test/golden/linreg.R), exact rational numbers (linreg_exact.py), and its
 * own definition.
 */
#include "linear.h"

#include "retailml/linreg.h"
#include "retailml/rng.h"

static RmlLinregParams
defaults(void)
{
	RmlLinregParams params;
	RmlOptionSet set = {rml_linreg_algorithm.options, rml_linreg_algorithm.n_options, &params};

	rml_options_default(&set);
	return params;
}

/* ---- R ---- */

/* small sets: six columns of which the last d_cat are categories */
static void
read_rows(LinearData *data, RmlEnv *env, const UnitCsv *rows, const char *name, int d, int d_cat)
{
	const char *names[6] = {0};
	bool begun = false;

	for (size_t row = 0; row < rows->rows; row++)
	{
		double numbers[6];
		const char *texts[6];

		if (strcmp(unit_csv_text(rows, row, "data"), name) != 0)
			continue;
		for (int j = 0; j < 6; j++)
		{
			const char *cell = unit_csv_text(rows, row, rml_format(env, "x%d", j + 1));

			names[j] = unit_csv_text(rows, row, rml_format(env, "name%d", j + 1));
			if (j < d)
				numbers[j] = strtod(cell, NULL);
			else
				texts[j - d] = cell;
		}
		if (!begun)
			linear_begin(data, env, d, d_cat, names);
		begun = true;
		linear_push(data, env, numbers, texts, unit_csv_number(rows, row, "y"),
					unit_csv_number(rows, row, "w"));
	}
	linear_end(data, env, 0, NULL, true);
}

static void
read_file(LinearData *data, RmlEnv *env, const UnitCsv *csv, const char *const *columns, int d,
		  int d_cat, const char *label)
{
	linear_begin(data, env, d, d_cat, columns);
	for (size_t row = 0; row < csv->rows; row++)
	{
		double numbers[LINEAR_MAX_COLUMNS], y;
		const char *texts[LINEAR_MAX_COLUMNS], *cell = unit_csv_text(csv, row, label);
		char *end;

		y = strtod(cell, &end);
		if (end == cell)
			continue;
		for (int j = 0; j < d; j++)
			numbers[j] = unit_csv_number(csv, row, columns[j]);
		for (int f = 0; f < d_cat; f++)
			texts[f] = unit_csv_text(csv, row, columns[d + f]);
		linear_push(data, env, numbers, texts, y, 1.0);
	}
	linear_end(data, env, 0, NULL, false);
}

static void
raise(double *worst, const char **where, double got, double wanted, const char *name)
{
	double difference = linear_difference(got, wanted);

	if (difference > *worst)
	{
		*worst = difference;
		*where = name;
	}
}

static void
check_terms(const LinearData *data, RmlEnv *env, const RmlLinreg *model, const UnitCsv *golden,
			const char *name, double tolerance)
{
	double worst[4] = {0};
	const char *where[4] = {"", "", "", ""};
	int terms = 0;
	bool dropped = true;

	for (size_t row = 0; row < golden->rows; row++)
	{
		RmlCoefficient plain, hc1, hc3;
		const char *term_name = unit_csv_text(golden, row, "term");
		int term;

		if (strcmp(unit_csv_text(golden, row, "data"), name) != 0)
			continue;
		term = linear_term(&model->linear.design, &data->schema, env, term_name);
		terms++;
		rml_linreg_coefficient(model, term, RML_ROBUST_NONE, 0.95, &plain);
		rml_linreg_coefficient(model, term, RML_ROBUST_HC1, 0.95, &hc1);
		rml_linreg_coefficient(model, term, RML_ROBUST_HC3, 0.95, &hc3);
		dropped =
			dropped && isnan(unit_csv_number(golden, row, "estimate")) == !model->linear.kept[term];
		raise(&worst[0], &where[0], plain.estimate, unit_csv_number(golden, row, "estimate"),
			  term_name);
		raise(&worst[1], &where[1], plain.std_error, unit_csv_number(golden, row, "std_error"),
			  term_name);
		raise(&worst[1], &where[1], plain.low, unit_csv_number(golden, row, "low"), term_name);
		raise(&worst[1], &where[1], plain.high, unit_csv_number(golden, row, "high"), term_name);
		raise(&worst[2], &where[2], hc1.std_error, unit_csv_number(golden, row, "hc1"), term_name);
		raise(&worst[3], &where[3], hc3.std_error, unit_csv_number(golden, row, "hc3"), term_name);
		unit_ok(linear_difference(plain.p, unit_csv_number(golden, row, "p")) < 1e-5 ||
					fabs(plain.p - unit_csv_number(golden, row, "p")) < 1e-12,
				"%s: p of %s", name, term_name);
	}
	unit_equal_int(model->linear.design.p, terms, "%s: as many terms as R", name);
	unit_ok(dropped, "%s: the same terms are dropped", name);
	unit_ok(worst[0] < tolerance, "%s: estimates (%.1e, %s)", name, worst[0], where[0]);
	unit_ok(worst[1] < tolerance, "%s: errors, intervals (%.1e, %s)", name, worst[1], where[1]);
	unit_ok(worst[2] < tolerance, "%s: HC1 (%.1e, %s)", name, worst[2], where[2]);
	unit_ok(worst[3] < tolerance, "%s: HC3 (%.1e, %s)", name, worst[3], where[3]);
}

static const char *const stat_names[] = {
	"n",   "df",  "rss",      "sigma", "r2", "adjusted_r2", "f", "f_df", "f_p", "log_likelihood",
	"aic", "bic", "condition"};

static void
check_stats(const RmlLinreg *model, const char *name, double tolerance)
{
	UnitCsv *golden = unit_golden("linreg_stats.csv");
	const double *stats = (const double *) &model->stats;

	for (size_t row = 0, i = 0; golden != NULL && row < golden->rows; row++)
		if (strcmp(unit_csv_text(golden, row, "data"), name) == 0)
		{
			double wanted = unit_csv_number(golden, row, "value");

			unit_equal_string(unit_csv_text(golden, row, "stat"), stat_names[i], "%s: order", name);
			unit_ok(linear_difference(stats[i], wanted) <
						(strcmp(stat_names[i], "f_p") == 0 ? 1e-6 : tolerance),
					"%s: %s = %.15g (%.15g)", name, stat_names[i], stats[i], wanted);
			i++;
		}
	unit_csv_free(golden);
}

static void
check_against_r(LinearData *data, RmlEnv *env, const char *name, double tolerance)
{
	UnitCsv *golden = unit_golden("linreg.csv");
	RmlLinregParams params = defaults();
	RmlLinreg model;

	unit_equal_string(rml_linreg_fit(env, &params, &data->set, &model), NULL, "%s is fitted", name);
	check_terms(data, env, &model, golden, name, tolerance);
	check_stats(&model, name, tolerance);
	unit_csv_free(golden);
}

static void
test_r(void)
{
	UnitCsv *rows = unit_golden("linreg_rows.csv"), *csv;
	RmlEnv *env = unit_env(2);
	static const char *const diabetes[] = {"age", "sex", "bmi", "bp", "s1",
										   "s2",  "s3",  "s4",  "s5", "s6"};
	LinearData data;

	read_rows(&data, env, rows, "longley", 6, 0);
	/* R itself has 8 digits here: test_exact */
	check_against_r(&data, env, "longley", 1e-7);
	read_rows(&data, env, rows, "mixed", 4, 2);
	check_against_r(&data, env, "mixed", 1e-9);
	csv = unit_data("diabetes.csv", 30);
	if (csv != NULL)
	{
		read_file(&data, env, csv, diabetes, 10, 0, "target");
		check_against_r(&data, env, "diabetes", 1e-9);
		unit_csv_free(csv);
	}
	csv = unit_data("telco_churn.csv", 60);
	if (csv != NULL)
	{
		read_file(&data, env, csv, linear_telco, 3, 15, "TotalCharges");
		check_against_r(&data, env, "telco", 1e-8);
		unit_csv_free(csv);
	}
	unit_csv_free(rows);
	unit_env_free(env);
}

/* ---- exact numbers ---- */

static void
polynomial(LinearData *data, RmlEnv *env, int degree)
{
	linear_begin(data, env, degree, 0, NULL);
	for (int i = 0; i < 41; i++)
	{
		double powers[16], x = i / 8.0;

		powers[0] = x;
		for (int j = 1; j < degree; j++)
			powers[j] = powers[j - 1] * x;
		linear_push(data, env, powers, NULL, 1 + x - x * x / 2 + (i * 37 % 11 - 5) / 16.0, 1.0);
	}
	linear_end(data, env, 0, NULL, false);
}

static void
check_exact(RmlEnv *env, const LinearData *data, const char *name, double l2, double tolerance)
{
	static const char *const columns[] = {"estimate", "std_error", "hc1", "hc3"};
	UnitCsv *golden = unit_golden("linreg_exact.csv");
	RmlLinregParams params = defaults();
	RmlLinreg model;

	params.l2 = l2;
	rml_linreg_fit(env, &params, &data->set, &model);
	for (int c = 0; c < 4; c++)
	{
		double worst = 0;
		size_t p = (size_t) model.linear.design.p;
		const double *got =
			c == 0 ? model.linear.estimates : model.std_errors + (size_t) (c - 1) * p;

		for (size_t row = 0; row < golden->rows; row++)
			if (strcmp(unit_csv_text(golden, row, "data"), name) == 0)
				worst = fmax(worst,
							 linear_difference(got[(size_t) unit_csv_number(golden, row, "term")],
											   unit_csv_number(golden, row, columns[c])));
		unit_ok(worst < tolerance, "%s, exact %s (%.1e)", name, columns[c], worst);
	}
	unit_csv_free(golden);
}

static void
test_exact(void)
{
	static const double tolerances[] = {1e-12, 1e-10, 1e-9, 1e-8};
	static const int degrees[] = {3, 6, 8, 10};
	UnitCsv *rows = unit_golden("linreg_rows.csv");
	RmlEnv *env = unit_env(1);
	LinearData data;

	read_rows(&data, env, rows, "longley", 6, 0);
	check_exact(env, &data, "longley", 0, 1e-10);
	check_exact(env, &data, "ridge", 0.5, 1e-10);
	for (int i = 0; i < 4; i++)
	{
		polynomial(&data, env, degrees[i]);
		check_exact(env, &data, rml_format(env, "%d", degrees[i]), 0, tolerances[i]);
	}
	unit_csv_free(rows);
	unit_env_free(env);
}

/* ---- threads, bytes ---- */

static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

/* d numbers and d_cat categories of ten levels; a level has an effect of its own */
static void
planted(LinearData *data, RmlEnv *env, int n, int d, int d_cat)
{
	linear_begin(data, env, d, d_cat, NULL);
	for (int i = 0; i < n; i++)
	{
		double numbers[LINEAR_MAX_COLUMNS], y = 1.0;
		const char *texts[LINEAR_MAX_COLUMNS];

		for (int j = 0; j < d; j++)
		{
			numbers[j] = 100 * j + rml_rng_normal(1, (uint64_t) j, (uint64_t) i);
			y += numbers[j] * (j - 2);
		}
		for (int f = 0; f < d_cat; f++)
		{
			uint64_t level = rml_rng_below(2, (uint64_t) f, (uint64_t) i, 10);

			texts[f] = letters[level];
			y += (double) level * f;
		}
		linear_push(data, env, numbers, texts, y + rml_rng_normal(3, 0, (uint64_t) i),
					rml_rng_uniform(4, 0, (uint64_t) i));
	}
	linear_end(data, env, 0, NULL, true);
}

static RmlWriter
encoded(RmlEnv *env, const LinearData *data, const RmlLinregParams *params)
{
	RmlLinreg model;
	RmlWriter writer;

	rml_linreg_fit(env, params, &data->set, &model);
	rml_model_encode(&writer, env, &rml_linreg_algorithm, &data->schema, params, &model);
	return writer;
}

static bool
same_bytes(const RmlWriter *a, const RmlWriter *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void
test_threads(void)
{
	RmlLinregParams params = defaults();
	RmlEnv *env[2] = {unit_env(1), unit_env(2)};
	RmlWriter bytes[2];

	for (int i = 0; i < 2; i++)
	{
		LinearData data;

		planted(&data, env[i], 40000, 5, 3);
		bytes[i] = encoded(env[i], &data, &params);
	}
	unit_ok(same_bytes(&bytes[0], &bytes[1]), "1 and 2 threads give the same bytes");
	unit_env_free(env[0]);
	unit_env_free(env[1]);
}

/* base and contributions make the prediction, in the order of the schema */
static void
test_contributions(void)
{
	RmlEnv *env = unit_env(1);
	RmlLinregParams params = defaults();
	double worst = 0, mean = 0, total = 0;
	LinearData data;
	RmlLinreg model;

	planted(&data, env, 500, 3, 2);
	rml_linreg_fit(env, &params, &data.set, &model);
	for (int64_t i = 0; i < data.n; i++)
	{
		const double *numbers = data.set.numbers + 3 * i;
		const int32_t *codes = data.set.codes + 2 * i;
		double parts[5], base, sum;

		rml_linear_contributions(&model.linear, 0, numbers, codes, parts, &base);
		sum = base + parts[0] + parts[1] + parts[2] + parts[3] + parts[4];
		worst = fmax(worst, fabs(sum - rml_linreg_predict(&model, numbers, codes)));
		mean += data.set.weights[i] * parts[3];
		total += data.set.weights[i] * data.set.y[i] - data.set.weights[i] * base;
	}
	unit_ok(worst < 1e-12, "contributions add up (%.1e)", worst);
	unit_near(mean, 0, 1e-9, "those of a category have mean 0");
	unit_near(total, 0, 1e-7, "the base is the mean of y");
	unit_env_free(env);
}

static void
test_bytes(void)
{
	RmlEnv *env = unit_env(1);
	RmlLinregParams params = defaults();
	LinearData data;
	RmlWriter bytes;
	RmlModel model;
	int accepted = 0;

	planted(&data, env, 300, 2, 2);
	bytes = encoded(env, &data, &params);
	unit_equal_string(rml_model_decode(&model, env, bytes.bytes, bytes.length), NULL,
					  "a model is read");
	if (model.fitted != NULL)
	{
		RmlWriter again;

		rml_model_encode(&again, env, &rml_linreg_algorithm, &model.schema, model.params,
						 model.fitted);
		unit_ok(same_bytes(&bytes, &again), "and written as it was");
	}
	/* every byte of the fitted part changed, the checksum right: refused or another model, no crash */
	for (size_t i = bytes.length / 3; i < bytes.length; i++)
	{
		uint8_t before = bytes.bytes[i];
		uint32_t crc;

		bytes.bytes[i] ^= 0x81;
		crc = rml_model_crc(bytes.bytes, bytes.length);
		memcpy(bytes.bytes + 12, &crc, sizeof crc);
		if (rml_model_decode(&model, env, bytes.bytes, bytes.length) == NULL)
		{
			double numbers[] = {1, 2};
			int32_t codes[] = {1, 2};

			accepted += isfinite(model.algorithm->predict(model.fitted, numbers, codes));
		}
		bytes.bytes[i] = before;
	}
	unit_ok(accepted > 0, "%d changed models are still read", accepted);
	unit_env_free(env);
}

/* ---- ridge ---- */

/* at the minimum the gradient of the penalised sum of squares is 0 */
static void
check_ridge(double l2, bool standardize)
{
	RmlEnv *env = unit_env(1);
	RmlLinregParams params = defaults();
	double gradient[3] = {0};
	LinearData data;
	RmlLinreg model;

	params.l2 = l2;
	params.standardize = standardize;
	planted(&data, env, 400, 2, 1);
	rml_linreg_fit(env, &params, &data.set, &model);
	for (int64_t i = 0; i < data.n; i++)
	{
		const double *numbers = data.set.numbers + 2 * i;
		int32_t code = data.set.codes[i];
		double residual =
			data.set.weights[i] * (data.set.y[i] - rml_linreg_predict(&model, numbers, &code));

		gradient[0] += residual;
		gradient[1] += residual * numbers[1];
		gradient[2] += residual * (model.linear.design.code[4] == code);
	}
	for (int term = 2; term <= 4; term += 2)
	{
		double s = standardize ? model.linear.sd[term] : 1.0;

		unit_near(gradient[term / 2], l2 * s * s * model.linear.estimates[term], 1e-9,
				  "l2 %g: gradient of term %d", l2, term);
	}
	unit_near(gradient[0], 0, 1e-9, "l2 %g: the intercept is free", l2);
	unit_ok(model.stats.df > 389 && model.stats.df < 400, "effective degrees of freedom %g",
			model.stats.df);
	unit_env_free(env);
}

/* ---- edges ---- */

static void
test_edges(void)
{
	RmlEnv *env = unit_env(1);
	RmlLinregParams params = defaults();
	const double numbers[][2] = {{1, 5}, {2, 5}, {4, 5}};
	LinearData data;
	RmlLinreg model;
	RmlCoefficient line;

	linear_begin(&data, env, 2, 0, NULL);
	for (int i = 0; i < 3; i++)
		linear_push(&data, env, numbers[i], NULL, 7, 1);
	linear_end(&data, env, 0, NULL, false);
	unit_equal_string(rml_linreg_fit(env, &params, &data.set, &model), NULL, "a constant y");
	unit_near(model.linear.estimates[0], 7, 1e-15, "is its own prediction");
	unit_near(model.linear.estimates[1], 0, 1e-15, "whatever x is");
	unit_ok(!model.linear.kept[2] && model.linear.n_dropped == 1, "a constant column is dropped");
	unit_equal_string(model.linear.dropped[0], "x2", "and named");
	unit_equal_string(rml_linreg_learner.warning(env, &model),
					  "a term is constant or determined by others and was dropped: \"x2\"",
					  "which is said");
	unit_near(model.stats.r2, NAN, 0, "R2 has no value");
	data.set.n = 2;
	rml_linreg_fit(env, &params, &data.set, &model);
	rml_linreg_coefficient(&model, 1, RML_ROBUST_HC3, 0.95, &line);
	unit_near(line.std_error, NAN, 0, "no degrees of freedom, no errors");
	data.set.n = 1;
	unit_contains(rml_linreg_fit(env, &params, &data.set, &model), "at least 2 rows", "one row");
	unit_env_free(env);
}

/* reference by frequency, ties by text; missing and unseen values */
static void
test_levels(void)
{
	static const char *const texts[] = {"n", "s", "w", "s", "n", NULL};
	RmlEnv *env = unit_env(1);
	RmlLinregParams params = defaults();
	int32_t unseen = 4, north = 1, missing = 0;
	LinearData data;
	RmlLinreg model;

	linear_begin(&data, env, 0, 1, NULL);
	for (int i = 0; i < 6; i++)
		linear_push(&data, env, NULL, &texts[i], i, 1);
	linear_end(&data, env, 0, NULL, false);
	rml_linreg_fit(env, &params, &data.set, &model);
	unit_equal_int(model.linear.design.p, 4, "intercept and three levels");
	unit_equal_string(rml_linear_name(&model.linear.design, &data.schema, env, 1), "c1=(missing)",
					  "missing values are a level");
	unit_equal_string(rml_linear_name(&model.linear.design, &data.schema, env, 2), "c1=s",
					  "the first of equals is the reference");
	unit_near(rml_linreg_predict(&model, NULL, &missing), 5, 1e-14, "prediction of a level");
	unit_near(rml_linreg_predict(&model, NULL, &unseen), rml_linreg_predict(&model, NULL, &north),
			  0, "an unseen level is the reference");
	unit_env_free(env);
}

int
main(void)
{
	test_r();
	test_exact();
	test_threads();
	test_contributions();
	test_bytes();
	check_ridge(50, true);
	check_ridge(50, false);
	test_edges();
	test_levels();
	return unit_done();
}
