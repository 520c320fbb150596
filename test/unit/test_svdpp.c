/*
 * test_svdpp.c
 *	  The descent of SVD++ against Surprise (test/golden/svdpp.py) and against equation 15 taken literally
 *	  (svdpp_naive.h); threads, edges and cancelling.
 *
 * The kernel computes in float: after 20 epochs its factors are within 1e-5 of those in double.
 */
#include "unit.h"

#include "retailml/options.h"
#include "svdpp_naive.h"

#define TOLERANCE 1e-5

static RmlSvdppParams
defaults(void)
{
	RmlSvdppParams params;
	RmlOptionSet set = {rml_svdpp_options, rml_svdpp_n_options, &params};

	memset(&params, 0, sizeof params);
	rml_options_default(&set);
	rml_svdpp_settle(&params);
	return params;
}

/* ---- ratings ---- */

/* rows are in order of users, then of items */
static RmlRatings
read_ratings(RmlEnv *env)
{
	UnitCsv *rows = unit_golden("svdpp_rows.csv");
	RmlRatings ratings = {.n_users = 30, .n_items = 20};

	if (rows == NULL)
		exit(unit_done());
	ratings.n = (int64_t) rows->rows;
	ratings.starts = RML_NEW_ZERO(env, int64_t, (size_t) ratings.n_users + 1);
	ratings.items = RML_NEW(env, int32_t, rows->rows);
	ratings.values = RML_NEW(env, float, rows->rows);
	for (size_t r = 0; r < rows->rows; r++)
	{
		ratings.starts[(int) unit_csv_number(rows, r, "user") + 1]++;
		ratings.items[r] = (int32_t) unit_csv_number(rows, r, "item");
		ratings.values[r] = (float) unit_csv_number(rows, r, "rating");
	}
	for (int u = 0; u < ratings.n_users; u++)
		ratings.starts[u + 1] += ratings.starts[u];
	unit_csv_free(rows);
	return ratings;
}

/* a share of all pairs, except that the last user and the last item have none; user 1 has all others */
static RmlRatings
make_ratings(RmlEnv *env, int32_t n_users, int32_t n_items, double share)
{
	RmlRatings ratings = {.n_users = n_users, .n_items = n_items};
	size_t most = (size_t) n_users * (size_t) n_items;

	ratings.starts = RML_NEW_ZERO(env, int64_t, (size_t) n_users + 1);
	ratings.items = RML_NEW(env, int32_t, most);
	ratings.values = RML_NEW(env, float, most);
	for (int32_t u = 0; u < n_users; u++)
	{
		for (int32_t i = 0; i < n_items - 1 && u < n_users - 1; i++)
		{
			uint64_t pair = (uint64_t) u * (uint64_t) n_items + (uint64_t) i;

			if (u != 1 && rml_rng_uniform(7, 1, pair) >= share)
				continue;
			ratings.items[ratings.n] = i;
			ratings.values[ratings.n++] = (float) (1 + rml_rng_below(7, 2, pair, 9) / 2.0);
		}
		ratings.starts[u + 1] = ratings.n;
	}
	return ratings;
}

/* ---- against Surprise ---- */

static const UnitCsv *golden_factors;
static const UnitCsv *golden_predictions;

static double
golden_number(size_t row, char kind, int k)
{
	char name[16];

	snprintf(name, sizeof name, "%c%d", kind, k);
	return unit_csv_number(golden_factors, row, name);
}

static double
further(double worst, double got, double wanted)
{
	return fmax(worst, fabs(got - wanted));
}

static void
check_factors(const char *name, const RmlFactors *factors)
{
	double bias = 0, own = 0, implicit = 0;

	for (size_t row = 0; row < golden_factors->rows; row++)
	{
		size_t x = (size_t) unit_csv_number(golden_factors, row, "x");
		size_t at = x * (size_t) factors->s;
		bool user = strcmp(unit_csv_text(golden_factors, row, "side"), "user") == 0;

		if (strcmp(unit_csv_text(golden_factors, row, "case"), name) != 0)
			continue;
		bias = further(bias, (user ? factors->bu : factors->bi)[x],
					   unit_csv_number(golden_factors, row, "bias"));
		for (int k = 0; k < factors->f; k++)
		{
			own = further(own, (user ? factors->p : factors->q)[at + (size_t) k],
						  golden_number(row, 'v', k));
			if (!user && factors->y != NULL)
				implicit =
					further(implicit, factors->y[at + (size_t) k], golden_number(row, 'y', k));
		}
	}
	unit_near(bias, 0, TOLERANCE, "%s: biases", name);
	unit_near(own, 0, TOLERANCE, "%s: p and q", name);
	unit_near(implicit, 0, TOLERANCE, "%s: y", name);
}

static void
check_predictions(const char *name, const RmlFactors *factors, const RmlRatings *ratings)
{
	double worst = 0, w[8];
	int n = 0;

	for (size_t row = 0; row < golden_predictions->rows; row++)
	{
		int32_t user = (int32_t) unit_csv_number(golden_predictions, row, "user");
		int32_t item = (int32_t) unit_csv_number(golden_predictions, row, "item");
		int64_t start = user < 0 ? 0 : ratings->starts[user];

		if (strcmp(unit_csv_text(golden_predictions, row, "case"), name) != 0)
			continue;
		rml_factors_user(factors, user, ratings->items + start,
						 user < 0 ? 0 : ratings->starts[user + 1] - start, w);
		worst = further(worst, rml_factors_score(factors, user, item, w),
						unit_csv_number(golden_predictions, row, "estimate"));
		n++;
	}
	unit_ok(n >= 86 && worst < TOLERANCE, "%s: %d predictions (off by %g)", name, n, worst);
}

static RmlSvdppParams
case_params(const UnitCsv *cases, size_t row)
{
	RmlSvdppParams params = defaults();

	params.n_factors = 5;
#define NUMBER(field) params.field = unit_csv_number(cases, row, #field)
#define INTEGER(field) params.field = (int64_t) unit_csv_number(cases, row, #field)
	INTEGER(implicit_feedback);
	INTEGER(biased);
	INTEGER(n_epochs);
	INTEGER(seed);
	NUMBER(init_mean);
	NUMBER(init_std);
	NUMBER(lr_bu);
	NUMBER(lr_bi);
	NUMBER(lr_pu);
	NUMBER(lr_qi);
	NUMBER(lr_yj);
	NUMBER(reg_bu);
	NUMBER(reg_bi);
	NUMBER(reg_pu);
	NUMBER(reg_qi);
	NUMBER(reg_yj);
#undef NUMBER
#undef INTEGER
	return params;
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *cases = unit_golden("svdpp_cases.csv"), *factors = unit_golden("svdpp.csv");
	UnitCsv *predictions = unit_golden("svdpp_predictions.csv");
	RmlRatings ratings = read_ratings(env);

	if (cases == NULL || factors == NULL || predictions == NULL)
		return;
	golden_factors = factors;
	golden_predictions = predictions;
	for (size_t row = 0; row < cases->rows; row++)
	{
		const char *name = unit_csv_text(cases, row, "case");
		RmlSvdppParams params = case_params(cases, row);
		RmlFactors got;

		unit_ok(rml_svdpp_descend_by(&got, env, &params, &ratings, 0, NULL, NULL) == NULL,
				"%s: learns", name);
		check_factors(name, &got);
		check_predictions(name, &got, &ratings);
		unit_ok((got.y != NULL) == (params.implicit_feedback != 0), "%s: y where it is used", name);
	}
	unit_csv_free(cases);
	unit_csv_free(factors);
	unit_csv_free(predictions);
}

/* ---- against equation 15 ---- */

typedef struct Follower
{
	Naive *naive;
	int64_t most;
	int epochs;
	double worst; /* difference of the training errors */
	int stop;     /* after this epoch; 0: never */
} Follower;

static bool
follow(void *context, int epoch, const RmlFactors *factors, double train_rmse)
{
	Follower *follower = context;

	(void) factors;
	follower->epochs++;
	if (follower->naive != NULL)
		follower->worst =
			further(follower->worst, train_rmse, naive_epoch(follower->naive, follower->most));
	return epoch == follower->epochs && epoch != follower->stop;
}

static double
distance(const float *got, const double *wanted, int32_t n, int s, int f)
{
	double worst = 0;

	for (int32_t x = 0; x < n; x++)
		for (int k = 0; k < f; k++)
			worst = further(worst, got[x * s + k], wanted[x * f + k]);
	return worst;
}

static double
padding(const float *values, int32_t n, int s, int f)
{
	double worst = 0;

	for (int32_t x = 0; x < n; x++)
		for (int k = f; k < s; k++)
			worst = further(worst, values[x * s + k], 0);
	return worst;
}

static void
check_naive(RmlEnv *env, const RmlRatings *ratings, const RmlSvdppParams *params, int64_t most,
			const char *what)
{
	Naive naive;
	Follower follower = {.naive = &naive, .most = most};
	RmlFactors got;
	int f = (int) params->n_factors;
	double worst = 0;

	naive_begin(&naive, env, params, ratings, most);
	rml_svdpp_descend_by(&got, env, params, ratings, most, follow, &follower);
	worst = fmax(worst, distance(got.bu, naive.bu, got.n_users, 1, 1));
	worst = fmax(worst, distance(got.bi, naive.items.bi, got.n_items, 1, 1));
	worst = fmax(worst, distance(got.p, naive.p, got.n_users, got.s, f));
	worst = fmax(worst, distance(got.q, naive.items.q, got.n_items, got.s, f));
	if (got.y != NULL)
		worst = fmax(worst, distance(got.y, naive.items.y, got.n_items, got.s, f));
	unit_ok(worst < TOLERANCE, "f = %d, %s: factors of equation 15 (off by %g)", f, what, worst);
	unit_ok(follower.epochs == params->n_epochs && follower.worst < TOLERANCE,
			"f = %d, %s: its training errors", f, what);
	unit_ok(got.f == f && got.s % 8 == 0 && got.s >= f && got.s < f + 8 &&
				padding(got.p, got.n_users, got.s, f) == 0 &&
				padding(got.q, got.n_items, got.s, f) == 0,
			"f = %d, %s: vectors are filled up with zeros", f, what);
}

/* users of a window add up what they learnt; of sizes that the kernel has code of its own for, and of others */
static void
test_naive(RmlEnv *env)
{
	static const int sizes[] = {1, 8, 13, 20, 31, 40, 100};
	RmlRatings ratings = make_ratings(env, 40, 30, 0.3);

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
	{
		RmlSvdppParams params = defaults();

		params.n_factors = sizes[i];
		params.n_epochs = 6;
		params.seed = (int64_t) i;
		check_naive(env, &ratings, &params, 0, "a user a window");
		params.lr_bu = 0.011;
		params.reg_qi = 0.05;
		params.reg_yj = 0.1;
		check_naive(env, &ratings, &params, 50, "some users a window");
		check_naive(env, &ratings, &params, 100000, "all in a window");
		params.biased = 0;
		check_naive(env, &ratings, &params, 50, "not biased");
		params.implicit_feedback = 0;
		check_naive(env, &ratings, &params, 50, "neither implicit");
	}
}

/* ---- windows ---- */

static int64_t
visit_ratings(const RmlTour *tour, int32_t visit)
{
	return tour->starts[visit + 1] - tour->starts[visit];
}

/* every user with ratings once, those of a window by their number of ratings, no window too full or too empty */
static void
test_tour(RmlEnv *env)
{
	enum
	{
		MOST = 60
	};
	RmlRatings ratings = make_ratings(env, 300, 30, 0.2);
	RmlSvdppParams params = defaults();
	bool *seen = RML_NEW_ZERO(env, bool, 300);
	RmlTour tour;
	int32_t with_ratings = 0;
	int wrong = 0, unordered = 0, too_full = 0, too_empty = 0;

	rml_svdpp_tour(&tour, env, &ratings, &params, MOST);
	for (int32_t visit = 0; visit < tour.n_users; visit++)
	{
		int32_t user = tour.users[visit];

		wrong += seen[user] ||
				 visit_ratings(&tour, visit) != ratings.starts[user + 1] - ratings.starts[user];
		seen[user] = true;
	}
	for (int32_t user = 0; user < ratings.n_users; user++)
		with_ratings += ratings.starts[user + 1] > ratings.starts[user];
	unit_ok(wrong == 0 && tour.n_users == with_ratings,
			"the tour visits each user with ratings once");
	for (int64_t w = 0; w < tour.n_windows; w++)
	{
		int32_t first = tour.windows[w], last = tour.windows[w + 1];
		int64_t n = tour.starts[last] - tour.starts[first];

		for (int32_t visit = first + 1; visit < last; visit++)
			unordered += visit_ratings(&tour, visit) > visit_ratings(&tour, visit - 1);
		too_full += last > first + 1 && n > MOST;
		too_empty += w + 1 < tour.n_windows && n + visit_ratings(&tour, last) <= MOST;
	}
	unit_equal_int(unordered, 0, "in a window those with most ratings come first");
	unit_ok(tour.windows[0] == 0 && tour.windows[tour.n_windows] == tour.n_users && too_full == 0 &&
				too_empty == 0,
			"%d windows take users as long as there is room", (int) tour.n_windows);
	rml_svdpp_tour_release(&tour, env);
}

/* 100 users of 4000 ratings each, who are too much for one block */
static RmlRatings
make_heavy(RmlEnv *env)
{
	RmlRatings ratings = {.n_users = 100, .n_items = 4000, .n = 400000};

	ratings.starts = RML_NEW(env, int64_t, 101);
	ratings.items = RML_NEW(env, int32_t, 400000);
	ratings.values = RML_NEW(env, float, 400000);
	for (int64_t user = 0; user <= 100; user++)
		ratings.starts[user] = user * 4000;
	for (int64_t r = 0; r < 400000; r++)
	{
		ratings.items[r] = (int32_t) (r % 4000);
		ratings.values[r] = (float) (r % 7);
	}
	return ratings;
}

/*
 * One thread polls after each block.  The tour: two blocks of 2^18 ratings, and once each for users, windows,
 * starts, items and buyers.  A hold-out with 100 factors: 400,100 * 100 / 2^19 blocks.
 */
static void
test_heavy_users(RmlEnv *env)
{
	RmlRatings ratings = make_heavy(env);
	RmlSvdppParams params = defaults();
	RmlSvdpp model = {.params = &params};
	RmlTour tour;
	uint8_t *held = RML_NEW_ZERO(env, uint8_t, 400000);
	int64_t before = unit_env_polls(env), tour_polls, rest;

	rml_svdpp_tour(&tour, env, &ratings, &params, RML_WINDOW_AUTO);
	tour_polls = unit_env_polls(env) - before;
	unit_ok(tour_polls >= 7, "the tour of users with many ratings is polled (%d times)",
			(int) tour_polls);
	rml_svdpp_tour_release(&tour, env);
	for (int64_t r = 0; r < 400000; r += 10)
		held[r] = 1;
	params.n_factors = 100;
	params.n_epochs = 0;
	model.history = RML_NEW(env, RmlSvdppEpoch, 1);
	before = unit_env_polls(env);
	rml_svdpp_try(&model, env, &ratings, held, 40000);
	rest = unit_env_polls(env) - before;
	params.n_epochs = 1;
	before = unit_env_polls(env);
	rml_svdpp_try(&model, env, &ratings, held, 40000);
	unit_ok(unit_env_polls(env) - before - rest >= 77, "and their hold-out (%d times)",
			(int) (unit_env_polls(env) - before - rest));
	rml_release(env, held);
}

/* the error of the last epoch */
static bool
keep_error(void *context, int epoch, const RmlFactors *factors, double train_rmse)
{
	(void) epoch, (void) factors;
	*(double *) context = train_rmse;
	return true;
}

/*
 * A window's steps add up.  Where few items meet many users, or steps are long, windows have to be so short that
 * the error is that of a user a window; with windows of 1,024 all of these grow without bound or end far off.
 */
static void
check_windows(RmlEnv *env, int32_t n_users, int32_t n_items, double share, double lr)
{
	RmlRatings ratings = make_ratings(env, n_users, n_items, share);
	RmlSvdppParams params = defaults();
	RmlFactors factors;
	double error = NAN, wanted = NAN;

	params.lr = params.lr_bu = params.lr_bi = params.lr_pu = params.lr_qi = params.lr_yj = lr;
	rml_svdpp_descend(&factors, env, &params, &ratings, keep_error, &error);
	rml_factors_release(&factors, env);
	rml_svdpp_descend_by(&factors, env, &params, &ratings, 0, keep_error, &wanted);
	rml_factors_release(&factors, env);
	unit_near(error / wanted, 1, 0.05, "%d users, %d items, lr %g: no worse for windows",
			  (int) n_users, (int) n_items, lr);
}

static void
test_windows(RmlEnv *env)
{
	check_windows(env, 400, 3, 1, 0.007);
	check_windows(env, 2000, 2, 1, 0.05);
	check_windows(env, 3000, 100, 0.1, 0.05);
	check_windows(env, 80, 40, 0.5, 0.05);
	check_windows(env, 500, 50, 0.9, 0.02);
}

/* ---- threads ---- */

static bool
same_factors(const RmlFactors *a, const RmlFactors *b)
{
	size_t users = (size_t) a->n_users * sizeof(float), items = (size_t) a->n_items * sizeof(float);
	size_t s = (size_t) a->s;

	return a->mean == b->mean && memcmp(a->bu, b->bu, users) == 0 &&
		   memcmp(a->bi, b->bi, items) == 0 && memcmp(a->p, b->p, users * s) == 0 &&
		   memcmp(a->q, b->q, items * s) == 0 && memcmp(a->y, b->y, items * s) == 0;
}

static void
test_threads(RmlEnv *env)
{
	RmlRatings ratings = make_ratings(env, 900, 200, 0.1);
	RmlSvdppParams params = defaults();
	RmlFactors one;

	params.n_epochs = 3;
	rml_svdpp_descend(&one, env, &params, &ratings, NULL, NULL);
	for (int threads = 2; threads <= 5; threads++)
	{
		RmlEnv *other = unit_env(threads);
		RmlFactors many;

		rml_svdpp_descend(&many, other, &params, &ratings, NULL, NULL);
		unit_ok(same_factors(&one, &many), "%d threads learn the same bytes as one", threads);
		unit_env_free(other);
	}
}

/* ---- edges ---- */

static void
test_edges(RmlEnv *env)
{
	int64_t starts[] = {0, 1};
	int32_t items[] = {0};
	float values[] = {4};
	RmlRatings one = {1, 1, 1, starts, items, values};
	RmlRatings ratings = make_ratings(env, 60, 30, 0.3);
	RmlSvdppParams params = defaults();
	Follower follower = {.stop = 7};
	RmlFactors factors;
	size_t before = unit_env_in_use(env);
	const char *reason;
	double w[20];

	unit_ok(rml_svdpp_descend(&factors, env, &params, &one, NULL, NULL) == NULL, "one rating");
	rml_factors_user(&factors, 0, items, 1, w);
	unit_near(rml_factors_score(&factors, 0, 0, w), 4, 0.02, "is learnt");
	unit_near(factors.mean, 4, 0, "its mean");
	rml_factors_release(&factors, env);
	rml_svdpp_descend(&factors, env, &params, &ratings, follow, &follower);
	unit_equal_int(follower.epochs, 7, "it stops when told");
	unit_near(factors.bu[59], 0, 0, "a user without ratings has no bias");
	unit_near(factors.p[59 * factors.s], 0.1 * rml_rng_normal(42, 1, 59 * 20), 1e-7,
			  "and factors as they began");
	rml_factors_release(&factors, env);
	unit_equal_int((int64_t) unit_env_in_use(env), (int64_t) before, "all memory is given back");
	params.lr_pu = params.lr_qi = 1;
	params.init_std = 10;
	reason = rml_svdpp_descend(&factors, env, &params, &ratings, NULL, NULL);
	unit_contains(reason, "grew without bound in epoch", "steps that are too large");
	unit_equal_string(reason, rml_svdpp_descend(&factors, env, &params, &ratings, NULL, NULL),
					  "are told in the same words again");
}

/* 2,000,000 ratings */
static void
test_cancel(RmlEnv *env)
{
	RmlRatings ratings = make_ratings(env, 20000, 1000, 0.1);
	RmlSvdppParams params = defaults();
	RmlFactors factors;
	int64_t polls = unit_env_polls(env);

	params.n_epochs = 1;
	rml_svdpp_descend(&factors, env, &params, &ratings, NULL, NULL);
	unit_ok(unit_env_polls(env) - polls >= 40, "polls of an epoch of 2,000,000 ratings: %d",
			(int) (unit_env_polls(env) - polls));
	unit_env_cancel_after(env, 20);
	unit_ok(UNIT_ESCAPES(env, rml_svdpp_descend(&factors, env, &params, &ratings, NULL, NULL)),
			"it is cancelled in the middle");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden(env);
	test_naive(env);
	test_tour(env);
	test_heavy_users(env);
	test_windows(env);
	test_threads(env);
	test_edges(env);
	unit_env_reset(env);
	test_cancel(env);
	unit_env_free(env);
	return unit_done();
}
