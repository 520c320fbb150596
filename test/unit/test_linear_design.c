/*
 * Terms, passes and bases of linear models, by what they must come to: weights are copies, order and
 * names of terms, terms that others determine, systems of equations.
 */
#include "linear.h"

#include "../../src/supervised/linear_internal.h"
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

static double
draw(int stream, int64_t i)
{
	return rml_rng_normal(7, (uint64_t) stream, (uint64_t) i);
}

/* ---- the sums of a pass ---- */

static void
weigh(void *context, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	for (int i = 0; i < tile->count; i++)
	{
		int64_t row = tile->first + i;

		tile->omega[i] = 1.0 + (double) (row % 5);
		tile->gradient[i] = (double) (row % 3) - 1.0;
		tile->sums[0] += 1.0;
		tile->maxima[0] = fmax(tile->maxima[0], (double) row);
	}
}

/* the value of an axis in a row, from the training set itself */
static double
axis_value(const RmlLinearRows *rows, int axis, int64_t row)
{
	const RmlLinearDesign *design = rows->design;

	if (axis < design->d_num)
		return (rows->set->numbers[row * design->d_num + axis] - rows->centre[axis]) /
			   rows->scale[axis];
	if (axis < rows->width)
		return axis == design->d_num;
	for (int f = 0; f < design->d_cat; f++)
		if (axis - rows->width == design->place[f] + rows->set->codes[row * design->d_cat + f])
			return 1.0;
	return 0.0;
}

static void
check_pass(int d, int d_cat, int n)
{
	static const char *const letters[] = {"a", "b", "c", NULL};
	RmlEnv *env = unit_env(2);
	RmlLinearPass pass = {.fn = weigh, .n_omega = 1, .n_gradient = 1, .n_sums = 1, .n_maxima = 1};
	double worst = 0;
	LinearData data;
	RmlLinearDesign design;
	RmlLinearRows rows;

	linear_begin(&data, env, d, d_cat, NULL);
	for (int i = 0; i < n; i++)
	{
		double numbers[LINEAR_MAX_COLUMNS];
		const char *texts[LINEAR_MAX_COLUMNS];

		for (int j = 0; j < d; j++)
			numbers[j] = 10 * j + draw(j, i);
		for (int f = 0; f < d_cat; f++)
			texts[f] = letters[(i * (f + 3) + i / 7) % 4];
		linear_push(&data, env, numbers, texts, 0, 1);
	}
	linear_end(&data, env, 0, NULL, false);
	rml_linear_design(&design, env, &data.schema);
	rml_linear_rows(&rows, env, &data.set, &design);
	rml_linear_pass(&rows, &pass);
	for (int a = 0; a < rows.axes; a++)
	{
		double vector = 0;

		for (int b = 0; b <= a; b++)
		{
			double cross = 0;

			for (int64_t i = 0; i < n; i++)
				cross +=
					(1.0 + (double) (i % 5)) * axis_value(&rows, a, i) * axis_value(&rows, b, i);
			worst = fmax(worst, fabs(cross - rml_linear_cross(&rows, pass.matrices, a, b)));
		}
		for (int64_t i = 0; i < n; i++)
			vector += ((double) (i % 3) - 1.0) * axis_value(&rows, a, i);
		worst = fmax(worst, fabs(vector - pass.vectors[a]));
	}
	unit_ok(worst < 1e-10 * n, "%d numbers, %d categories, %d rows: sums of a pass (%.1e)", d,
			d_cat, n, worst);
	unit_ok(pass.sums[0] == n && pass.maxima[0] == n - 1, "every row once");
	unit_env_free(env);
}

/* a quadratic form over axes is what its matrix says */
static void
form_rows(void *context, const RmlLinearRows *rows, const RmlLinearTile *tile)
{
	const double *form = context;
	double values[RML_LINEAR_TILE];

	rml_linear_tile_form(rows, tile, form, values);
	for (int i = 0; i < tile->count; i++)
	{
		double wanted = 0;

		for (int a = 0; a < rows->axes; a++)
			for (int b = 0; b < rows->axes; b++)
				wanted += axis_value(rows, a, tile->first + i) * cos(a + b) *
						  axis_value(rows, b, tile->first + i);
		tile->maxima[0] = fmax(tile->maxima[0], fabs(wanted - values[i]));
	}
}

static void
test_form(void)
{
	static const char *const letters[] = {"a", "b", "c"};
	RmlEnv *env = unit_env(1);
	RmlLinearPass pass = {.fn = form_rows, .n_maxima = 1};
	LinearData data;
	RmlLinearDesign design;
	RmlLinearRows rows;
	double *form;

	linear_begin(&data, env, 2, 2, NULL);
	for (int i = 0; i < 70; i++)
	{
		double numbers[] = {draw(1, i), draw(2, i)};
		const char *texts[] = {letters[i % 3], letters[i / 3 % 3]};

		linear_push(&data, env, numbers, texts, 0, 1);
	}
	linear_end(&data, env, 0, NULL, false);
	rml_linear_design(&design, env, &data.schema);
	rml_linear_rows(&rows, env, &data.set, &design);
	form = RML_NEW_ZERO(env, double, rml_linear_matrix_size(&rows));
	for (int a = 0; a < rows.axes; a++)
		for (int b = 0; b <= a; b++)
		{
			/* codes of one category never meet */
			bool same = a != b && b >= rows.width &&
						(a - rows.width < design.place[1]) == (b - rows.width < design.place[1]);

			if (!same)
				rml_linear_form_set(&rows, form, a, b, cos(a + b));
		}
	pass.context = form;
	rml_linear_pass(&rows, &pass);
	unit_ok(pass.maxima[0] < 1e-12, "a quadratic form (%.1e)", pass.maxima[0]);
	unit_env_free(env);
}

/* ---- weights ---- */

/* a row of weight 2 is two rows, one of weight 0 none */
static void
test_weights(void)
{
	static const char *const letters[] = {"a", "b"};
	RmlEnv *env = unit_env(1);
	RmlLinregParams params = defaults();
	LinearData weighted, copied;
	RmlLinreg a, b;

	linear_begin(&weighted, env, 1, 1, NULL);
	linear_begin(&copied, env, 1, 1, NULL);
	for (int i = 0; i < 60; i++)
	{
		double x = i < 3 ? 1e6 : draw(1, i), y = 3 * x + draw(2, i);

		linear_push(&weighted, env, &x, &letters[i % 2], y, i < 3 ? 0 : 1 + i % 2);
		for (int copy = 0; copy < (i < 3 ? 0 : 1 + i % 2); copy++)
			linear_push(&copied, env, &x, &letters[i % 2], y, 1);
	}
	linear_end(&weighted, env, 0, NULL, true);
	linear_end(&copied, env, 0, NULL, false);
	rml_linreg_fit(env, &params, &weighted.set, &a);
	rml_linreg_fit(env, &params, &copied.set, &b);
	for (int term = 0; term < 3; term++)
		unit_near(rml_linear_eta(&a.linear, 0, &(double){0.3 * term}, &(int32_t){1 + term % 2}),
				  rml_linear_eta(&b.linear, 0, &(double){0.3 * term}, &(int32_t){1 + term % 2}),
				  1e-7, "weights are copies of rows (%d)", term);
	unit_near(a.linear.mean[1], b.linear.mean[1], 1e-7, "the mean is weighted");
	unit_near(a.linear.sd[1], b.linear.sd[1], 1e-4, "and the deviation");
	unit_near(a.stats.n, 57, 0, "rows of weight 0 do not count");
	unit_env_free(env);
}

/* ---- what others determine ---- */

/* two categories that are one, of many levels: more doubtful terms than one batch has */
static void
test_twins(void)
{
	RmlEnv *env = unit_env(2);
	RmlLinregParams params = defaults();
	LinearData data;
	RmlLinreg model;
	bool first = true;

	linear_begin(&data, env, 1, 2, NULL);
	for (int i = 0; i < 1200; i++)
	{
		char one[8], two[8];
		const char *texts[] = {one, two};
		double x = draw(1, i);

		snprintf(one, sizeof one, "a%d", i % 80);
		snprintf(two, sizeof two, "b%d", i % 80);
		linear_push(&data, env, &x, texts, x + i % 80 + draw(2, i), 1);
	}
	linear_end(&data, env, 0, NULL, false);
	rml_linreg_fit(env, &params, &data.set, &model);
	unit_equal_int(model.linear.n_dropped, 79, "the second of two equal categories is dropped");
	for (int i = 0; i < model.linear.n_dropped; i++)
		first = first && strncmp(model.linear.dropped[i], "c2=", 3) == 0;
	unit_ok(first, "and not the first");
	unit_ok(fabs(model.linear.estimates[1] - 1) < 0.1, "the number keeps its coefficient");
	unit_env_free(env);
}

/* a share of its own that X'WX cannot see, and a smaller one that lm drops */
static void
check_share(double share, bool kept)
{
	RmlEnv *env = unit_env(1);
	RmlLinregParams params = defaults();
	LinearData data;
	RmlLinreg model;

	linear_begin(&data, env, 3, 0, NULL);
	for (int i = 0; i < 500; i++)
	{
		double own = draw(3, i);
		double x[] = {draw(1, i), draw(2, i), 0};

		x[2] = x[0] - 2 * x[1] + share * own;
		linear_push(&data, env, x, NULL, x[0] + 3 * own, 1);
	}
	linear_end(&data, env, 0, NULL, false);
	rml_linreg_fit(env, &params, &data.set, &model);
	unit_ok(model.linear.kept[3] == kept, "a share of %g is %s", share, kept ? "kept" : "dropped");
	if (kept)
		unit_ok(fabs(model.linear.estimates[3] * share / 3 - 1) <
					1e-14 / share / share * 1e3 + 1e-6,
				"with its coefficient (%.1e)", fabs(model.linear.estimates[3] * share / 3 - 1));
	unit_env_free(env);
}

/* ---- equations ---- */

static void
test_solve(void)
{
	enum
	{
		N = 37
	};
	RmlEnv *env = unit_env(1);
	double a[N * N] = {0}, factor[N * N], inverse[N * N], x[N], worst = 0;
	double least[N];
	int32_t kept[N];

	for (int i = 0; i < N; i++)
	{
		for (int k = 0; k < N; k++)
			for (int r = 0; r < 50; r++)
				a[i * N + k] += draw(r, i) * draw(r, k);
		least[i] = 1e-9;
	}
	/* column 5 is twice column 3 */
	for (int k = 0; k < N; k++)
		a[5 * N + k] = 2 * a[3 * N + k];
	for (int k = 0; k < N; k++)
		a[k * N + 5] = 2 * a[k * N + 3];
	unit_equal_int(rml_cholesky(env, a, N, least, factor, kept), N - 1, "the rank");
	unit_ok(kept[5] == 0 && kept[3] == 1, "the later of two is left out");
	for (int i = 0; i < N; i++)
		x[i] = a[i * N + 7];
	rml_cholesky_solve(factor, N, x);
	for (int i = 0; i < N; i++)
		worst = fmax(worst, fabs(x[i] - (i == 7)));
	unit_ok(worst < 1e-9, "a solution without it (%.1e)", worst);
	rml_cholesky_inverse(env, factor, N, inverse);
	worst = fabs(inverse[5 * N + 5]);
	for (int i = 0; i < N; i++)
		if (i != 5)
			worst = fmax(worst, fabs(rml_dot(inverse + i * N, a + 7 * N, N) - (i == 7)));
	unit_ok(worst < 1e-9, "the inverse without it (%.1e)", worst);
	for (int i = 0; i < N * N; i++)
		a[i] = i % (N + 1) == 0 ? 1 + i / (N + 1) : 0;
	unit_near(rml_largest_eigenvalue(env, a, N), N, 1e-8, "the largest eigenvalue");
	unit_env_free(env);
}

static void
test_too_many(void)
{
	RmlFeature feature = {.kind = RML_CATEGORICAL, .n_categories = 5000};
	RmlSchema schema = {.n_features = 1, .d_cat = 1, .features = &feature};
	RmlEnv *env = unit_env(1);

	unit_contains(rml_linear_check(env, &schema, 1), "5000 terms, at most 4000", "too many terms");
	feature.n_categories = 1000;
	unit_equal_string(rml_linear_check(env, &schema, 1), NULL, "a thousand are fine");
	unit_contains(rml_linear_check(env, &schema, 9), "each of 9 classes", "but not for 9 classes");
	unit_env_free(env);
}

int
main(void)
{
	check_pass(3, 0, 100);
	check_pass(0, 2, 101);
	check_pass(4, 3, 40003);
	test_form();
	test_weights();
	test_twins();
	check_share(1e-2, true);
	check_share(1e-4, true);
	check_share(1e-6, true);
	check_share(1e-9, false);
	test_solve();
	test_too_many();
	return unit_done();
}
