/*
 * test_churn.c
 *	  The choice, bands, reasons and bytes of churn models.  Calibration: test_platt.c.
 */
#include "products.h"

#include "retailml/churn.h"
#include "retailml/platt.h"

enum
{
	n_customers = 240
};

typedef struct Fit
{
	RmlChurnParams *params;
	RmlPrepared prepared;
	RmlChurn model;
	RmlWriter bytes;
} Fit;

/* who leaves: by a line through x1 and x2, or by the quadrant they are in */
static Customers *
leaving(RmlEnv *env, bool line)
{
	Customers *c = make_customers(env, n_customers);

	for (int64_t i = 0; i < n_customers; i++)
	{
		double x1 = customer_x1(c, i), x2 = customer_x2(c, i);

		c->classes[i] =
			line ? 1.5 * x1 - x2 + customer_noise(i) > 0 : (x1 > 0) != (c->matrix.codes[i] > 1);
	}
	customers_have_classes(env, c);
	return c;
}

static void
fit(RmlEnv *env, const Customers *c, Fit *out)
{
	out->params = default_params(env, &rml_churn_algorithm);
	unit_equal_string(rml_churn_fit(env, out->params, &c->rows, &out->prepared, &out->model), NULL,
					  "a fit");
	rml_model_encode(&out->bytes, env, &rml_churn_algorithm, &out->prepared.schema, out->params,
					 &out->model);
}

static double
same_log_odds(double p)
{
	return log(p / (1 - p));
}

static double
opposite_log_odds(double p)
{
	return -same_log_odds(p);
}

/* ---- the choice ---- */

static void
check_choice(const Fit *f)
{
	const RmlContest *comparison = &f->model.comparison;
	const RmlCandidate *candidates = comparison->candidates;

	unit_ok(comparison->n == 3 && comparison->folds == 3 && comparison->grouped == 1,
			"three are compared, customers kept together");
	unit_ok(candidates[0].mean[RML_METRIC_LOG_LOSS] <= candidates[1].mean[RML_METRIC_LOG_LOSS] &&
				candidates[1].mean[RML_METRIC_LOG_LOSS] <= candidates[2].mean[RML_METRIC_LOG_LOSS],
			"the smallest log loss comes first");
	unit_equal_string(f->model.part.algorithm->name, candidates[0].name, "and is kept");
}

static void
test_choice(RmlEnv *env)
{
	Fit line, quadrants;

	fit(env, leaving(env, true), &line);
	check_choice(&line);
	unit_equal_string(line.model.part.algorithm->name, "logreg", "a line where there is one");
	fit(env, leaving(env, false), &quadrants);
	check_choice(&quadrants);
	unit_ok(strcmp(quadrants.model.part.algorithm->name, "logreg") != 0,
			"trees where there is none");
}

/* the calibrated loss is not above that of the uncalibrated rows, and what bands say is true */
static void
test_bands(RmlEnv *env)
{
	Customers *c = leaving(env, true);
	int64_t rows = 0, churned = 0;
	RmlChurn model = {.medium = 0.3, .high = 0.6};
	Fit f;

	fit(env, c, &f);
	for (int b = 0; b < RML_CHURN_BANDS; b++)
	{
		rows += f.model.rows[b];
		churned += f.model.churned[b];
		unit_ok(f.model.churned[b] >= 0 && f.model.churned[b] <= f.model.rows[b],
				"%s: not more leave than are in it", rml_churn_bands[b]);
	}
	unit_ok(rows == n_customers && churned == c->rows.raw.target.counts[1],
			"bands count every row, and who left");
	unit_ok(f.model.churned[0] * f.model.rows[2] < f.model.churned[2] * f.model.rows[0],
			"fewer of the low leave than of the high");
	unit_ok(f.model.log_loss > 0.1 && f.model.log_loss < 0.6, "better than a coin: %g",
			f.model.log_loss);
	unit_ok(rml_churn_band(&model, 0.2999) == 0 && rml_churn_band(&model, 0.3) == 1 &&
				rml_churn_band(&model, 0.5999) == 1 && rml_churn_band(&model, 0.6) == 2,
			"a band begins at its limit");
	model.medium = model.high;
	unit_ok(rml_churn_band(&model, 0.59) == 0 && rml_churn_band(&model, 0.6) == 2,
			"the middle one may be empty");
}

static void
test_check(void)
{
	RmlChurnParams params = {.medium = 0.6, .high = 0.3};
	RmlTarget two = {.n_classes = 2}, three = {.n_classes = 3};

	unit_contains(rml_churn_check(&params, &two), "\"medium\"", "bands in order");
	params.high = 0.6;
	unit_equal_string(rml_churn_check(&params, &two), NULL, "or empty");
	unit_contains(rml_churn_check(&params, &three), "more than two", "two classes");
}

/* ---- reasons ---- */

/* a churn model around a learner */
static void
make_around(RmlEnv *env, const Customers *c, const char *name, RmlPrepared *prepared,
			RmlChurn *model)
{
	const RmlLearner *learner = rml_learner_by_name(name);
	const char *reason = NULL;

	prepare_customers(env, c, prepared);
	*model = (RmlChurn){.target = c->rows.raw.target,
						.part = {.algorithm = learner->algorithm,
								 .params = default_params(env, learner->algorithm)},
						.slope = 0.7,
						.intercept = -0.2};
	model->part.fitted =
		rml_learner_fit(env, learner, model->part.params, &prepared->rows, &reason);
	unit_equal_string(reason, NULL, "%s inside", name);
}

static void
test_reasons(RmlEnv *env)
{
	static const char *const inside[] = {"logreg", "forest", "boost", "tree"};
	Customers *customers[] = {leaving(env, true), leaving(env, false)};

	for (size_t i = 0; i < 4; i++)
		for (size_t c = 0; c < 2; c++)
		{
			RmlPrepared prepared;
			RmlChurn model;

			make_around(env, customers[c], inside[i], &prepared, &model);
			unit_near(worst_explanation(env, &rml_churn_algorithm, &model, &prepared, 1,
										same_log_odds),
					  0, 1e-9, "%s: base and contributions are the log-odds", inside[i]);
			unit_near(worst_explanation(env, &rml_churn_algorithm, &model, &prepared, 0,
										opposite_log_odds),
					  0, 1e-9, "%s: of the other class, too", inside[i]);
		}
}

/* log-odds beyond the furthest */
static void
test_extremes(RmlEnv *env)
{
	Customers *c = leaving(env, true);
	RmlPrepared prepared;
	RmlChurn model;
	double numbers[2], contributions[3], base, p;
	int32_t code = 0;

	make_around(env, c, "logreg", &prepared, &model);
	model.slope = 0.1;
	for (int sign = -1; sign <= 1; sign += 2)
	{
		numbers[0] = sign * 500.0;
		numbers[1] = 0.0;
		p = rml_churn_predict(&model, numbers, &code);
		rml_churn_algorithm.explain(&model, &prepared.schema, env, numbers, &code, 1, contributions,
									&base);
		unit_near(base + contributions[0] + contributions[1] + contributions[2], same_log_odds(p),
				  1e-9, "far away contributions still add up");
		unit_near(p, rml_logistic(0.1 * sign * rml_log_odds(1.0) - 0.2), 1e-4,
				  "to the furthest log-odds");
	}
}

/* ---- bytes ---- */

static void
test_bytes(RmlEnv *env)
{
	static const char *const inside[] = {"logreg", "forest", "boost"};
	Customers *c = leaving(env, true);
	RmlWriter bytes;
	Fit f;

	fit(env, c, &f);
	check_round_trip(env, &rml_churn_algorithm, f.params, &f.model, &f.prepared, &bytes);
	check_damage(env, &bytes);
	for (size_t i = 0; i < 3; i++)
	{
		RmlPrepared prepared;
		RmlChurn model;

		make_around(env, c, inside[i], &prepared, &model);
		model.comparison = f.model.comparison;
		check_round_trip(env, &rml_churn_algorithm, f.params, &model, &prepared, &bytes);
	}
}

/* a linear regression has no place in it */
static void
test_wrong_inside(RmlEnv *env)
{
	Customers *c = leaving(env, true);
	const RmlLearner *learner = rml_learner_by_name("linreg");
	RmlPrepared prepared;
	RmlModel back = {0};
	RmlWriter bytes;
	Fit f;

	const char *reason = NULL;

	fit(env, c, &f);
	customers_have_numbers(c);
	c->rows.raw.classes = NULL;
	prepare_customers(env, c, &prepared);
	f.model.part = (RmlPart){learner->algorithm, default_params(env, learner->algorithm), NULL};
	f.model.part.fitted = learner->fit(env, f.model.part.params, &prepared.rows, &reason);
	rml_model_encode(&bytes, env, &rml_churn_algorithm, &prepared.schema, f.params, &f.model);
	unit_contains(rml_model_decode(&back, env, bytes.bytes, bytes.length), "two classes",
				  "a regression inside is refused");
}

static void
test_threads(RmlEnv *env)
{
	RmlEnv *two = unit_env(2);
	Fit first, second;

	for (int line = 0; line < 2; line++)
	{
		fit(env, leaving(env, line != 0), &first);
		fit(two, leaving(two, line != 0), &second);
		unit_ok(first.bytes.length == second.bytes.length &&
					memcmp(first.bytes.bytes, second.bytes.bytes, first.bytes.length) == 0,
				"two threads give the same bytes");
	}
	unit_env_free(two);
}

/* ---- leaving early ---- */

static const char *
try_fit(RmlEnv *env, const Customers *c)
{
	RmlPrepared prepared;
	RmlChurn model;

	return rml_churn_fit(env, default_params(env, &rml_churn_algorithm), &c->rows, &prepared,
						 &model);
}

static void
cancel_at(RmlEnv *env, int64_t polls)
{
	Customers *c = leaving(env, true);

	unit_env_cancel_after(env, polls);
	unit_ok(UNIT_ESCAPES(env, try_fit(env, c)), "%d threads: cancelled at poll %lld", env->threads,
			(long long) polls);
	unit_env_cancel_after(env, 0);
	unit_env_reset(env);
}

static void
limit_to(RmlEnv *env, size_t kilobytes)
{
	Customers *c = leaving(env, true);

	unit_env_limit(env, unit_env_in_use(env) + kilobytes * 1024);
	unit_ok(UNIT_ESCAPES(env, try_fit(env, c)), "%d threads: no memory above %zu kB", env->threads,
			kilobytes);
	unit_env_limit(env, (size_t) 8 << 30);
	unit_env_reset(env);
}

static void
test_escapes(int threads)
{
	static const int64_t polls[] = {1, 2, 5, 12, 30, 80};
	RmlEnv *env = unit_env(threads);

	for (size_t i = 0; i < sizeof polls / sizeof polls[0]; i++)
		cancel_at(env, polls[i]);
	for (size_t kilobytes = 10; kilobytes <= 80; kilobytes *= 2)
		limit_to(env, kilobytes);
	unit_env_free(env);
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_check();
	test_choice(env);
	test_bands(env);
	test_reasons(env);
	test_extremes(env);
	test_bytes(env);
	test_wrong_inside(env);
	test_threads(env);
	test_escapes(1);
	test_escapes(2);
	unit_env_free(env);
	return unit_done();
}
