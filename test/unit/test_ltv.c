/*
 * test_ltv.c
 *	  The parts of lifetime-value models: their product, its reasons, the factor of logarithms.
 */
#include "products.h"

#include "retailml/linreg.h"
#include "retailml/ltv.h"

enum
{
	n_customers = 300
};

/* spend grows with x1; with non-buyers a third spend nothing, and some return more than they buy */
static Customers *
spending(RmlEnv *env, bool non_buyers)
{
	Customers *c = make_customers(env, n_customers);

	for (int64_t i = 0; i < n_customers; i++)
	{
		c->y[i] = exp(3 + 0.8 * customer_x1(c, i) + 0.3 * customer_noise(i)) + 5;
		if (non_buyers && customer_x2(c, i) + 0.5 * customer_noise(i) < -0.4)
			c->y[i] = i % 5 == 0 ? -20 : 0;
	}
	customers_have_numbers(c);
	return c;
}

/* the two parts, fitted to all rows as amount says */
static RmlLtv *
fit_as(RmlEnv *env, const Customers *c, RmlLtvAmount amount, RmlPrepared *prepared)
{
	RmlLtvParams *params = default_params(env, &rml_ltv_algorithm);
	const char *reason = NULL;
	RmlLtv *model;

	params->amount = amount;
	prepare_customers(env, c, prepared);
	unit_equal_string(rml_ltv_learner.check(env, params, &prepared->rows), NULL,
					  "it may be learnt");
	model = rml_ltv_learner.fit(env, params, &prepared->rows, &reason);
	unit_equal_string(reason, NULL, "and is");
	model->comparison.folds = 5;
	return model;
}

static double
itself(double prediction)
{
	return prediction;
}

static double
part_says(const RmlPart *part, const RmlTrainingSet *rows, int64_t i)
{
	return part->algorithm->predict(part->fitted, rows->numbers + 2 * i, rows->codes + i);
}

/* ---- the product ---- */

static double
amount_said(const RmlLtv *model, const RmlTrainingSet *rows, int64_t i)
{
	double amount = part_says(&model->amount, rows, i);

	if (model->how == RML_LTV_LOG)
		amount = model->factor * exp(amount);
	else if (model->how == RML_LTV_TREND)
		amount += part_says(&model->trend, rows, i);
	return fmax(amount, 0);
}

static void
check_product(const RmlLtv *model, const RmlTrainingSet *rows, const char *name)
{
	double worst = 0, least = INFINITY;

	for (int64_t i = 0; i < rows->n; i++)
	{
		double p = model->has_buys ? part_says(&model->buys, rows, i) : 1;
		double prediction =
			rml_ltv_algorithm.predict(model, rows->numbers + 2 * i, rows->codes + i);

		worst = fmax(worst, fabs(prediction - p * amount_said(model, rows, i)));
		least = fmin(least, prediction);
	}
	unit_near(worst, 0, 1e-12, "%s: a prediction is probability times amount", name);
	unit_ok(least >= 0, "%s: never negative", name);
}

/* rows beyond all that was seen */
static void
check_far(RmlEnv *env, const RmlLtv *model, const RmlPrepared *prepared, const char *name)
{
	double contributions[3], base;
	bool holds = true;

	for (int i = 0; i < 8; i++)
	{
		const double numbers[] = {(i & 1 ? -1 : 1) * (i & 4 ? 1e9 : 40), i & 2 ? -1e3 : 1e3};
		int32_t code = i % 5;
		double prediction = rml_ltv_algorithm.predict(model, numbers, &code), sum;

		rml_ltv_algorithm.explain(model, &prepared->schema, env, numbers, &code, 0, contributions,
								  &base);
		sum = base + contributions[0] + contributions[1] + contributions[2];
		holds = holds && prediction >= 0 && isfinite(prediction) &&
				fabs(sum - prediction) <= 1e-9 * fmax(1, prediction);
	}
	unit_ok(holds, "%s: nor far away, where reasons add up as well", name);
}

static void
test_parts(RmlEnv *env)
{
	static const char *const names[] = {"linear", "log", "trend"};
	RmlWriter bytes;

	for (int non_buyers = 0; non_buyers < 2; non_buyers++)
		for (int how = RML_LTV_LINEAR; how <= RML_LTV_TREND; how++)
		{
			const char *name = names[how - 1];
			Customers *c = spending(env, non_buyers != 0);
			RmlPrepared prepared;
			RmlLtv *model = fit_as(env, c, (RmlLtvAmount) how, &prepared);

			unit_ok(model->has_buys == (non_buyers != 0) && (int) model->how == how,
					"%s: the parts asked for", name);
			check_product(model, &prepared.rows, name);
			check_far(env, model, &prepared, name);
			unit_near(worst_explanation(env, &rml_ltv_algorithm, model, &prepared, 0, itself), 0,
					  1e-9, "%s: base and contributions are the prediction", name);
			check_round_trip(env, &rml_ltv_algorithm, default_params(env, &rml_ltv_algorithm),
							 model, &prepared, &bytes);
		}
	check_damage(env, &bytes);
}

/* ---- what is known of the parts ---- */

static void
test_facts(RmlEnv *env)
{
	Customers *c = spending(env, true);
	double truth = 0, predicted = 0;
	int64_t buyers = 0;
	RmlPrepared prepared;
	RmlLtv *model = fit_as(env, c, RML_LTV_LOG, &prepared);
	const RmlTarget *buys = model->buys.fitted;

	for (int64_t i = 0; i < n_customers; i++)
		if (c->y[i] > 0)
		{
			buyers++;
			truth += c->y[i];
			predicted += amount_said(model, &prepared.rows, i);
		}
	unit_near(predicted, truth, 1e-9, "smeared amounts of the buyers add up to the true ones");
	unit_ok(model->factor > 1 && model->factor < 1.5, "the factor makes up for a convex exp: %g",
			model->factor);
	unit_near(model->buyers, (double) buyers / n_customers, 1e-15, "share of buyers");
	unit_equal_int(buys->counts[1], buyers, "who returns more is no buyer");
	unit_equal_int(((const RmlTarget *) model->amount.fitted)->task, RML_REGRESSION,
				   "an amount is a number");
}

/* weights count: with the factor of weighted sums */
static void
test_weights(RmlEnv *env)
{
	Customers *c = spending(env, true);
	double *weights = RML_NEW(env, double, n_customers), truth = 0, predicted = 0;
	RmlPrepared prepared;
	RmlLtv *model;

	for (int64_t i = 0; i < n_customers; i++)
		weights[i] = (double) (i % 3);
	c->rows.raw.weights = weights;
	model = fit_as(env, c, RML_LTV_LOG, &prepared);
	for (int64_t i = 0; i < n_customers; i++)
		if (c->y[i] > 0)
		{
			truth += weights[i] * c->y[i];
			predicted += weights[i] * amount_said(model, &prepared.rows, i);
		}
	unit_near(predicted, truth, 1e-9, "weighted, amounts add up by weight");
}

/* a line goes on where trees stop */
static void
test_trend(RmlEnv *env)
{
	Customers *c = make_customers(env, n_customers);
	double numbers[] = {10, 0};
	int32_t code = 1;
	RmlPrepared prepared;
	double trend, linear;

	for (int64_t i = 0; i < n_customers; i++)
		c->y[i] = 100 + 20 * customer_x1(c, i);
	customers_have_numbers(c);
	trend = rml_ltv_algorithm.predict(fit_as(env, c, RML_LTV_TREND, &prepared), numbers, &code);
	linear = rml_ltv_algorithm.predict(fit_as(env, c, RML_LTV_LINEAR, &prepared), numbers, &code);
	unit_ok(fabs(trend - 300) < 30 && linear < 200, "trend says %g, trees %g, true is 300", trend,
			linear);
}

/* ---- the choice ---- */

static void
test_choice(RmlEnv *env)
{
	Customers *c = spending(env, true);
	RmlLtvParams *params = default_params(env, &rml_ltv_algorithm);
	RmlPrepared prepared;
	RmlLtv *model;

	unit_equal_string(rml_ltv_fit(env, params, &c->rows, &prepared, &model), NULL, "a fit");
	unit_ok(model->comparison.n == 3 && model->comparison.folds == 3 && model->comparison.grouped,
			"three ways are compared, customers kept together");
	for (int i = 1; i < 3; i++)
		unit_ok(model->comparison.candidates[i - 1].mean[RML_METRIC_RMSE] <=
					model->comparison.candidates[i].mean[RML_METRIC_RMSE],
				"%s is not worse than %s", model->comparison.candidates[i - 1].name,
				model->comparison.candidates[i].name);
	unit_equal_string(model->how == RML_LTV_LINEAR ? "linear"
					  : model->how == RML_LTV_LOG  ? "log"
												   : "trend",
					  model->comparison.candidates[0].name, "the best is kept");
	params->amount = RML_LTV_LOG;
	unit_equal_string(rml_ltv_fit(env, params, &c->rows, &prepared, &model), NULL, "one way");
	unit_ok(model->comparison.n == 1 && model->how == RML_LTV_LOG, "is compared with none");
	/* a true line */
	for (int64_t i = 0; i < n_customers; i++)
		c->y[i] = 1000 + 200 * customer_x1(c, i);
	params->amount = RML_LTV_AUTO;
	rml_ltv_fit(env, params, &c->rows, &prepared, &model);
	unit_equal_int(model->how, RML_LTV_TREND, "a trend where there is one");
}

static void
test_refusals(RmlEnv *env)
{
	Customers *c = spending(env, true);
	RmlLtvParams *params = default_params(env, &rml_ltv_algorithm);
	RmlPrepared prepared;
	RmlLtv *model;

	for (int64_t i = 0; i < n_customers; i++)
		c->y[i] = -(double) (i % 2);
	unit_contains(rml_ltv_fit(env, params, &c->rows, &prepared, &model), "not positive",
				  "nobody buys");
	/* one buyer is in the training rows of all folds but one */
	c->y[7] = 3;
	unit_contains(rml_ltv_fit(env, params, &c->rows, &prepared, &model), "cannot be fitted by",
				  "a single buyer");
	customers_have_classes(env, c);
	unit_contains(rml_ltv_fit(env, params, &c->rows, &prepared, &model), "must be a number",
				  "classes are no money");
}

/* ---- bytes ---- */

static void
test_threads(RmlEnv *env)
{
	RmlEnv *two = unit_env(2), *envs[] = {env, two};
	RmlWriter bytes[2];

	for (int e = 0; e < 2; e++)
	{
		Customers *c = spending(envs[e], true);
		RmlLtvParams *params = default_params(envs[e], &rml_ltv_algorithm);
		RmlPrepared prepared;
		RmlLtv *model;

		rml_ltv_fit(envs[e], params, &c->rows, &prepared, &model);
		rml_model_encode(&bytes[e], envs[e], &rml_ltv_algorithm, &prepared.schema, params, model);
	}
	unit_ok(bytes[0].length == bytes[1].length &&
				memcmp(bytes[0].bytes, bytes[1].bytes, bytes[0].length) == 0,
			"two threads give the same bytes");
	unit_env_free(two);
}

/* parts in each other's place */
static void
test_wrong_parts(RmlEnv *env)
{
	Customers *c = spending(env, true);
	RmlLtvParams *params = default_params(env, &rml_ltv_algorithm);
	RmlModel back = {0};
	RmlPrepared prepared;
	RmlWriter bytes;
	RmlLtv *model = fit_as(env, c, RML_LTV_TREND, &prepared), wrong = *model;

	wrong.buys = model->amount;
	rml_model_encode(&bytes, env, &rml_ltv_algorithm, &prepared.schema, params, &wrong);
	unit_contains(rml_model_decode(&back, env, bytes.bytes, bytes.length), "do not fit together",
				  "an amount that should be a probability");
	wrong = *model;
	wrong.trend = model->amount;
	rml_model_encode(&bytes, env, &rml_ltv_algorithm, &prepared.schema, params, &wrong);
	unit_contains(rml_model_decode(&back, env, bytes.bytes, bytes.length), "do not fit together",
				  "trees as a trend");
	wrong = *model;
	wrong.how = (RmlLtvAmount) 4;
	rml_model_encode(&bytes, env, &rml_ltv_algorithm, &prepared.schema, params, &wrong);
	unit_contains(rml_model_decode(&back, env, bytes.bytes, bytes.length), "damaged",
				  "an amount of the future");
}

/* ---- leaving early ---- */

static const char *
try_fit(RmlEnv *env, const Customers *c)
{
	RmlPrepared prepared;
	RmlLtv *model;

	return rml_ltv_fit(env, default_params(env, &rml_ltv_algorithm), &c->rows, &prepared, &model);
}

static void
cancel_at(RmlEnv *env, int64_t polls)
{
	Customers *c = spending(env, true);

	unit_env_cancel_after(env, polls);
	unit_ok(UNIT_ESCAPES(env, try_fit(env, c)), "%d threads: cancelled at poll %lld", env->threads,
			(long long) polls);
	unit_env_cancel_after(env, 0);
	unit_env_reset(env);
}

static void
limit_to(RmlEnv *env, size_t kilobytes)
{
	Customers *c = spending(env, true);

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

	test_parts(env);
	test_facts(env);
	test_weights(env);
	test_trend(env);
	test_choice(env);
	test_refusals(env);
	test_threads(env);
	test_wrong_parts(env);
	test_escapes(1);
	test_escapes(2);
	unit_env_free(env);
	return unit_done();
}
