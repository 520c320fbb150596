/*
 * Logistic regression against R's glm (test/golden/logreg.R), statsmodels and scikit-learn (logreg.py), and
 * what separation does.
 */
#include "linear.h"

#include "retailml/logreg.h"
#include "retailml/rng.h"

static const char *const abc[] = {"a", "b", "c"};
static const char *const no_yes[] = {"No", "Yes"};

static RmlLogregParams
defaults(void)
{
	RmlLogregParams params;
	RmlOptionSet set = {rml_logreg_algorithm.options, rml_logreg_algorithm.n_options, &params};

	rml_options_default(&set);
	return params;
}

/* the rows of logreg.py; binary: class "a" against the others */
static void
read_three(LinearData *data, RmlEnv *env, bool binary, bool weighted)
{
	static const char *const names[] = {"x1", "x2", "c1"};
	UnitCsv *rows = unit_golden("logreg_rows.csv");

	linear_begin(data, env, 2, 1, names);
	for (size_t row = 0; rows != NULL && row < rows->rows; row++)
	{
		double numbers[2] = {unit_csv_number(rows, row, "x1"), unit_csv_number(rows, row, "x2")};
		const char *text = unit_csv_text(rows, row, "c1");
		int class = *unit_csv_text(rows, row, "y") - 'a';

		linear_push(data, env, numbers, &text, binary ? class > 0 : class,
					unit_csv_number(rows, row, "w"));
	}
	linear_end(data, env, binary ? 2 : 3, abc, weighted);
	unit_csv_free(rows);
}

static bool
read_telco(LinearData *data, RmlEnv *env, int tests)
{
	UnitCsv *csv = unit_data("telco_churn.csv", tests);

	if (csv == NULL)
		return false;
	linear_begin(data, env, 3, 15, linear_telco);
	for (size_t row = 0; row < csv->rows; row++)
	{
		double numbers[3];
		const char *texts[15];

		for (int j = 0; j < 18; j++)
			if (j < 3)
				numbers[j] = unit_csv_number(csv, row, linear_telco[j]);
			else
				texts[j - 3] = unit_csv_text(csv, row, linear_telco[j]);
		linear_push(data, env, numbers, texts, *unit_csv_text(csv, row, "Churn") == 'Y', 1);
	}
	linear_end(data, env, 2, no_yes, false);
	unit_csv_free(csv);
	return true;
}

static const char *
fit(RmlEnv *env, const LinearData *data, const RmlLogregParams *params, RmlLogreg *model)
{
	return rml_logreg_fit(env, params, &data->set, model);
}

/* ---- R's glm ---- */

static void
check_glm(RmlEnv *env, const LinearData *data, const char *name)
{
	UnitCsv *terms = unit_golden("logreg_glm.csv"), *stats = unit_golden("logreg_glm_stats.csv");
	RmlLogregParams params = defaults();
	double worst = 0, worst_error = 0, worst_p = 0;
	bool dropped = true;
	RmlLogreg model;
	double *got;

	unit_equal_string(fit(env, data, &params, &model), NULL, "%s is fitted", name);
	for (size_t row = 0; row < terms->rows; row++)
	{
		RmlCoefficient line;
		int term;

		if (strcmp(unit_csv_text(terms, row, "data"), name) != 0)
			continue;
		term = linear_term(&model.linear.design, &data->schema, env,
						   unit_csv_text(terms, row, "term"));
		rml_logreg_coefficient(&model, 1, term, 0.95, &line);
		dropped =
			dropped && isnan(unit_csv_number(terms, row, "estimate")) == !model.linear.kept[term];
		worst =
			fmax(worst, linear_difference(line.estimate, unit_csv_number(terms, row, "estimate")));
		worst_error =
			fmax(worst_error,
				 linear_difference(line.std_error, unit_csv_number(terms, row, "std_error")));
		worst_error =
			fmax(worst_error, linear_difference(line.low, unit_csv_number(terms, row, "low")));
		worst_error =
			fmax(worst_error, linear_difference(line.high, unit_csv_number(terms, row, "high")));
		worst_p = fmax(worst_p, line.p > 1e-300
									? linear_difference(line.p, unit_csv_number(terms, row, "p"))
									: 0.0);
	}
	unit_ok(dropped, "%s: glm drops the same terms", name);
	unit_ok(worst < 1e-7, "%s: estimates of glm (%.1e)", name, worst);
	unit_ok(worst_error < 1e-7, "%s: errors and intervals (%.1e)", name, worst_error);
	unit_ok(worst_p < 1e-5, "%s: p-values (%.1e)", name, worst_p);
	got = &model.stats.n;
	for (size_t row = 0; row < stats->rows; row++)
		if (strcmp(unit_csv_text(stats, row, "data"), name) == 0)
		{
			double wanted = unit_csv_number(stats, row, "value");

			unit_ok(linear_difference(*got, wanted) < 1e-9, "%s: %s = %.12g", name,
					unit_csv_text(stats, row, "stat"), *got);
			got++;
		}
	unit_ok(model.stats.converged == 1 && model.stats.separated == 0, "%s: converged in %g", name,
			model.stats.iterations);
	unit_csv_free(terms);
	unit_csv_free(stats);
}

static void
test_glm(void)
{
	RmlEnv *env = unit_env(2);
	LinearData data;

	read_three(&data, env, true, true);
	check_glm(env, &data, "three");
	if (read_telco(&data, env, 13))
		check_glm(env, &data, "telco");
	unit_env_free(env);
}

/* ---- statsmodels and scikit-learn ---- */

static void
check_case(const char *name, bool binary, bool weighted, double l1, double l2, double tolerance)
{
	RmlEnv *env = unit_env(1);
	UnitCsv *golden = unit_golden("logreg.csv");
	RmlLogregParams params = defaults();
	double worst = 0, worst_error = 0, shift = 0;
	int lines = 0;
	LinearData data;
	RmlLogreg model;

	read_three(&data, env, binary, weighted);
	params.l1 = l1;
	params.l2 = l2;
	unit_equal_string(fit(env, &data, &params, &model), NULL, "%s is fitted", name);
	for (size_t row = 0; row < golden->rows; row++)
	{
		const char *term_name = unit_csv_text(golden, row, "term");
		double wanted = unit_csv_number(golden, row, "estimate");
		double error = unit_csv_number(golden, row, "std_error");
		int class = *unit_csv_text(golden, row, "class") - 'a', term;
		RmlCoefficient line;

		if (strcmp(unit_csv_text(golden, row, "case"), name) != 0)
			continue;
		term = linear_term(&model.linear.design, &data.schema, env, term_name);
		rml_logreg_coefficient(&model, class, term, 0.95, &line);
		/* intercepts of all classes are known up to a constant */
		if (class == 0 && term == 0)
			shift = wanted - line.estimate;
		if (class >= 0 && term == 0)
			line.estimate += shift;
		worst = fmax(worst, fabs(line.estimate - wanted) / fmax(1e-3, fabs(wanted)));
		if (!isnan(error))
			worst_error = fmax(worst_error, linear_difference(line.std_error, error));
		if (l1 > 0.0 && wanted == 0.0)
			unit_ok(line.estimate == 0.0, "%s: %s of class %d is out", name, term_name, class);
		lines++;
	}
	unit_equal_int(lines, model.linear.n_outputs * model.linear.design.p, "%s: coefficients", name);
	unit_ok(worst < tolerance, "%s: estimates (%.1e)", name, worst);
	unit_ok(worst_error < tolerance, "%s: errors (%.1e)", name, worst_error);
	unit_ok(model.stats.converged == 1, "%s: converged in %g", name, model.stats.iterations);
	unit_csv_free(golden);
	unit_env_free(env);
}

static void
test_cases(void)
{
	check_case("plain", false, false, 0, 0, 1e-7);
	check_case("plain", false, false, 0, RML_AUTO, 1e-7);
	check_case("ridge binary", true, true, 0, 2.5, 1e-7);
	check_case("ridge", false, false, 0, 2.5, 1e-7);
	check_case("ridge weighted", false, true, 0, 0.3, 1e-7);
	check_case("lasso binary", true, false, 4, RML_AUTO, 1e-6);
	check_case("lasso binary weighted", true, true, 9, 0, 1e-6);
	check_case("lasso", false, false, 6, 0, 1e-6);
}

/* ---- separation ---- */

/* x1 separates completely, or but for ties on the border; x2 is noise */
static void
separated_rows(LinearData *data, RmlEnv *env, bool border)
{
	linear_begin(data, env, 2, 1, NULL);
	for (int i = 0; i < 100; i++)
	{
		int class = i >= 50;
		double numbers[2] = {i * 1000.0, (i * 37 % 101) / 10.0};
		const char *text = i % 3 == 0 ? "p" : "q";

		if (border && i >= 40 && i < 60)
		{
			numbers[0] = 50000;
			class = i % 2;
		}
		linear_push(data, env, numbers, &text, class, 1);
	}
	linear_end(data, env, 2, abc, false);
}

static void
check_separated(bool border)
{
	RmlEnv *env = unit_env(1);
	RmlLogregParams params = defaults();
	LinearData data;
	RmlLogreg model;

	separated_rows(&data, env, border);
	unit_equal_string(fit(env, &data, &params, &model), NULL, "separated rows are fitted");
	unit_ok(model.stats.separated == 1, "and it is noticed");
	unit_ok(model.n_separating >= 1 && strcmp(model.separating_names[0], "x1") == 0,
			"x1 is named first");
	unit_equal_int(model.n_separating, 1, "and alone");
	unit_near(model.stats.l2, 1, 0, "auto falls back to l2 = 1");
	unit_ok(model.stats.converged == 1 && model.stats.iterations < 20, "and converges (%g)",
			model.stats.iterations);
	unit_ok(model.stats.deviance > 1, "at a finite estimate");
	unit_contains(rml_logreg_learner.warning(env, &model), "no best fit, l2 = 1 was used",
				  "which the warning tells");
	params.l2 = 0;
	fit(env, &data, &params, &model);
	unit_ok(model.stats.separated == 1, "without penalty too");
	unit_ok(model.stats.iterations < 60, "it ends (%g)", model.stats.iterations);
	unit_contains(rml_logreg_learner.warning(env, &model), "\"x1\"", "and warns");
	unit_env_free(env);
}

/* a category that occurs in one class only */
static void
test_one_sided_category(void)
{
	RmlEnv *env = unit_env(1);
	RmlLogregParams params = defaults();
	LinearData data;
	RmlLogreg model;

	linear_begin(&data, env, 1, 1, NULL);
	for (int i = 0; i < 300; i++)
	{
		double x = (i * 37 % 101) / 10.0;
		const char *text = i % 20 == 0 ? "rare" : i % 2 ? "p" : "q";

		linear_push(&data, env, &x, &text, i % 20 == 0 || (i * 71 % 97) > 40 + x, 1);
	}
	linear_end(&data, env, 2, abc, false);
	fit(env, &data, &params, &model);
	unit_ok(model.stats.separated == 1, "a category of one class separates");
	unit_ok(model.n_separating == 1 && strcmp(model.separating_names[0], "c1=rare") == 0,
			"and is named");
	unit_env_free(env);
}

static void
test_breast_cancer(void)
{
	UnitCsv *csv = unit_data("breast_cancer.csv", 3);
	RmlEnv *env = unit_env(2);
	RmlLogregParams params = defaults();
	LinearData data;
	RmlLogreg model;

	if (csv != NULL)
	{
		linear_begin(&data, env, 30, 0, (const char *const *) csv->names);
		for (size_t row = 0; row < csv->rows; row++)
		{
			double numbers[30];

			for (int j = 0; j < 30; j++)
				numbers[j] = unit_csv_number(csv, row, csv->names[j]);
			linear_push(&data, env, numbers, NULL, *unit_csv_text(csv, row, "target") == 'm', 1);
		}
		linear_end(&data, env, 2, abc, false);
		fit(env, &data, &params, &model);
		unit_ok(model.stats.separated == 1, "breast cancer is separated");
		unit_near(model.stats.l2, 1, 0, "and fitted with l2 = 1");
		/* sklearn.linear_model.LogisticRegression(C=1) on z-scores: 1.9.1 */
		unit_near(model.stats.deviance, 60.75993383721359, 1e-8, "its deviance");
		unit_csv_free(csv);
	}
	unit_env_free(env);
}

/* more coefficients than rows */
static void
test_wide(void)
{
	RmlEnv *env = unit_env(1);
	RmlLogregParams params = defaults();
	LinearData data;
	RmlLogreg model;

	linear_begin(&data, env, 30, 0, NULL);
	for (int i = 0; i < 20; i++)
	{
		double numbers[30];

		for (int j = 0; j < 30; j++)
			numbers[j] = rml_rng_normal(1, (uint64_t) j, (uint64_t) i);
		linear_push(&data, env, numbers, NULL, i % 2, 1);
	}
	linear_end(&data, env, 2, abc, false);
	unit_equal_string(fit(env, &data, &params, &model), NULL, "more terms than rows");
	unit_near(model.stats.l2, 1, 0, "are fitted with l2 = 1");
	unit_ok(model.stats.separated == 1 && model.stats.converged == 1, "and separate");
	unit_env_free(env);
}

/* ---- use ---- */

static void
test_use(bool lasso)
{
	RmlEnv *env = unit_env(1);
	RmlLogregParams params = defaults();
	double worst = 0, worst_sum = 0, sums[3] = {0};
	LinearData data;
	RmlLogreg model;

	read_three(&data, env, false, false);
	params.l1 = lasso ? 6 : 0;
	fit(env, &data, &params, &model);
	for (int64_t i = 0; i < data.n; i++)
	{
		const double *numbers = data.set.numbers + 2 * i;
		const int32_t *codes = data.set.codes + i;
		double p[3], score[3], total = 0;

		rml_logreg_proba(&model, numbers, codes, p);
		worst_sum = fmax(worst_sum, fabs(p[0] + p[1] + p[2] - 1));
		for (int k = 0; k < 3; k++)
		{
			double parts[3], base;

			rml_logreg_contributions(&model, env, k, numbers, codes, parts, &base);
			score[k] = exp(base + parts[0] + parts[1] + parts[2]);
			total += score[k];
			sums[k] += p[k] - (data.set.classes[i] == k);
		}
		for (int k = 0; k < 3; k++)
			worst = fmax(worst, fabs(score[k] / total - p[k]));
	}
	unit_ok(worst_sum < 1e-15, "probabilities add up to 1");
	unit_ok(worst < 1e-12, "contributions lead to the probabilities (%.1e)", worst);
	unit_ok(fabs(sums[0]) + fabs(sums[1]) + fabs(sums[2]) < 1e-6,
			"mean probabilities are the classes' shares");
	unit_env_free(env);
}

static RmlWriter
encoded(RmlEnv *env, const RmlLogregParams *params, bool binary)
{
	LinearData data;
	RmlLogreg model;
	RmlWriter writer;

	if (binary)
		separated_rows(&data, env, false);
	else
		read_three(&data, env, false, true);
	fit(env, &data, params, &model);
	rml_model_encode(&writer, env, &rml_logreg_algorithm, &data.schema, params, &model);
	return writer;
}

static bool
same_bytes(const RmlWriter *a, const RmlWriter *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void
check_bytes(bool binary, double l1)
{
	RmlEnv *env = unit_env(1), *other = unit_env(2);
	RmlLogregParams params = defaults();
	RmlWriter bytes, again;
	RmlModel model;
	int accepted = 0;

	params.l1 = l1;
	bytes = encoded(env, &params, binary);
	again = encoded(other, &params, binary);
	unit_ok(same_bytes(&bytes, &again), "1 and 2 threads give the same bytes");
	unit_equal_string(rml_model_decode(&model, env, bytes.bytes, bytes.length), NULL,
					  "a model is read");
	if (model.fitted != NULL)
		rml_model_encode(&again, env, &rml_logreg_algorithm, &model.schema, model.params,
						 model.fitted);
	unit_ok(same_bytes(&bytes, &again), "and written as it was");
	/* every byte changed, the checksum right: refused or another model, no crash */
	for (size_t i = 24; i < bytes.length; i++)
	{
		uint8_t before = bytes.bytes[i];
		uint32_t crc;

		bytes.bytes[i] ^= 0x81;
		crc = rml_model_crc(bytes.bytes, bytes.length);
		memcpy(bytes.bytes + 12, &crc, sizeof crc);
		if (rml_model_decode(&model, env, bytes.bytes, bytes.length) == NULL)
		{
			double numbers[] = {1, 2};
			int32_t codes[] = {1};

			accepted += !isnan(model.algorithm->predict(model.fitted, numbers, codes));
		}
		bytes.bytes[i] = before;
	}
	unit_ok(accepted > 0, "%d changed models are still read", accepted);
	unit_env_free(env);
	unit_env_free(other);
}

/* ---- edges ---- */

static void
test_edges(void)
{
	RmlEnv *env = unit_env(1);
	RmlLogregParams params = defaults();
	LinearData data;
	RmlLogreg model;
	double *weights;

	separated_rows(&data, env, true);
	data.set.target.n_classes = 1;
	unit_contains(fit(env, &data, &params, &model), "at least two classes", "one class");
	data.set.target.n_classes = 2;
	weights = RML_NEW(env, double, (size_t) data.n);
	for (int64_t i = 0; i < data.n; i++)
		weights[i] = data.set.classes[i] == 0;
	data.set.weights = weights;
	unit_contains(fit(env, &data, &params, &model), "no row of class \"b\"",
				  "a class without weight");
	data.set.weights = NULL;
	params.max_iter = 1;
	params.l2 = 0.1;
	fit(env, &data, &params, &model);
	unit_ok(model.stats.converged == 0, "one iteration is not enough");
	unit_contains(rml_logreg_learner.warning(env, &model), "did not converge", "which is said");
	unit_ok(UNIT_ESCAPES(env, (unit_env_cancel_after(env, 3), fit(env, &data, &params, &model))),
			"a fit can be cancelled");
	unit_env_free(env);
}

int
main(void)
{
	test_glm();
	test_cases();
	check_separated(false);
	check_separated(true);
	test_one_sided_category();
	test_breast_cancer();
	test_wide();
	test_use(false);
	test_use(true);
	check_bytes(false, 0);
	check_bytes(false, 6);
	check_bytes(true, 0);
	test_edges();
	return unit_done();
}
