/*
 * test_svdpp_cv.c
 *	  Baselines, errors over folds and measures of rankings against Surprise, scikit-learn and numpy
 *	  (test/golden/svdpp_cv.py); folds; cells of factors; ranks.
 */
#include "unit.h"

#include <math.h>

#include "retailml/rng.h"
#include "retailml/svdpp_cv.h"

#include "../../src/recommend/ranking.h"
#include "../../src/recommend/svdpp_baselines.h"

#define MEASURES RML_N_RATING_MEASURES

/* the golden ratings, in the order of the file: by user, then item */
typedef struct Sample
{
	RmlRatings ratings;
	uint8_t *folds; /* [n] */
	RmlSvdppParams params;
	RmlRatingValidation validation;
} Sample;

static void
default_params(RmlSvdppParams *params)
{
	const RmlOptionSet set = {rml_svdpp_options, rml_svdpp_n_options, params};

	rml_options_default(&set);
	rml_svdpp_settle(params);
}

static void
add_rating(Sample *sample, int32_t user, int32_t item, double value, int fold)
{
	RmlRatings *ratings = &sample->ratings;
	int64_t r = ratings->n++;

	ratings->items[r] = item;
	ratings->values[r] = (float) value;
	sample->folds[r] = (uint8_t) fold;
	for (; ratings->n_users <= user; ratings->n_users++)
		ratings->starts[ratings->n_users] = r;
	ratings->starts[ratings->n_users] = ratings->n;
	ratings->n_items = item >= ratings->n_items ? item + 1 : ratings->n_items;
}

static void
begin_sample(RmlEnv *env, Sample *sample, size_t most, int n_folds)
{
	memset(sample, 0, sizeof *sample);
	sample->ratings.starts = RML_NEW_ZERO(env, int64_t, most + 1);
	sample->ratings.items = RML_NEW(env, int32_t, most);
	sample->ratings.values = RML_NEW(env, float, most);
	sample->folds = RML_NEW(env, uint8_t, most);
	default_params(&sample->params);
	sample->validation = (RmlRatingValidation){.ratings = &sample->ratings,
											   .n_folds = n_folds,
											   .folds = sample->folds,
											   .ranking = 5,
											   .relevant = 3.5,
											   .transform = RML_TRANSFORM_NONE};
}

static void
golden_sample(RmlEnv *env, const UnitCsv *golden, Sample *sample)
{
	begin_sample(env, sample, golden->rows, 3);
	for (size_t row = 0; row < golden->rows; row++)
		add_rating(sample, (int32_t) unit_csv_number(golden, row, "user"),
				   (int32_t) unit_csv_number(golden, row, "item"),
				   unit_csv_number(golden, row, "rating"),
				   (int) unit_csv_number(golden, row, "fold"));
}

/* ---- baselines ---- */

static void
test_baselines(RmlEnv *env, const UnitCsv *golden, const Sample *sample)
{
	double worst[3] = {0};

	for (int fold = 0; fold < 3; fold++)
	{
		RmlRatings train;
		RmlBaselines baselines;

		rml_ratings_without(&sample->ratings, env, sample->folds, (uint8_t) fold, &train);
		rml_baselines_fit(env, &train, &baselines);
		for (size_t row = 0; row < golden->rows; row++)
		{
			int32_t user = (int32_t) unit_csv_number(golden, row, "user");
			int32_t item = sample->ratings.items[row];
			const double off[] = {baselines.mean - unit_csv_number(golden, row, "global_mean"),
								  rml_baselines_item_mean(&baselines, item) -
									  unit_csv_number(golden, row, "item_mean"),
								  rml_baselines_biases(&baselines, user, item) -
									  unit_csv_number(golden, row, "user_item")};

			for (int i = 0; i < 3 && sample->folds[row] == fold; i++)
				worst[i] = fmax(worst[i], fabs(off[i]));
		}
		unit_ok(rml_baselines_biases(&baselines, -1, -1) == baselines.mean &&
					rml_baselines_item_mean(&baselines, -1) == baselines.mean,
				"fold %d: of nobody and nothing only the mean is known", fold);
		rml_baselines_release(&baselines, env);
	}
	unit_near(worst[0], 0, 1e-13, "global means of the folds");
	unit_near(worst[1], 0, 1e-13, "item means of the folds");
	unit_near(worst[2], 0, 1e-13, "user + item biases of the folds: Surprise's");
}

static void
baseline_cells(const Sample *sample, RmlRatingCell *cells)
{
	for (int c = 0; c < 4; c++)
		cells[c] = (RmlRatingCell){.method = (RmlRatingMethod) c, .params = &sample->params};
}

static void
test_measures(RmlEnv *env, const Sample *sample)
{
	static const char *const names[] = {"rmse", "mae", "precision", "recall", "ndcg", "coverage"};
	UnitCsv *golden = unit_golden("svdpp_cv_measures.csv");
	RmlRatingCell cells[4];

	if (golden == NULL)
		return;
	baseline_cells(sample, cells);
	rml_ratings_validate(env, &sample->validation, cells, 4);
	for (size_t c = 0; c < 4; c++)
	{
		double wanted[MEASURES];
		const double wanted_sd[] = {unit_csv_number(golden, c, "rmse_sd"),
									unit_csv_number(golden, c, "mae_sd")};

		for (int m = 0; m < MEASURES; m++)
			wanted[m] = unit_csv_number(golden, c, names[m]);
		unit_near_array(cells[c].mean, wanted, MEASURES, 1e-12, "%s: means over folds",
						unit_csv_text(golden, c, "method"));
		unit_near_array(cells[c].sd, wanted_sd, 2, 1e-12, "%s: deviations of errors",
						unit_csv_text(golden, c, "method"));
	}
	unit_csv_free(golden);
}

/* ---- rankings ---- */

static void
test_ranking(RmlEnv *env)
{
	const double scores[] = {1, 5, 3, 3, 9, 0};
	const int32_t without[] = {4}, nothing[] = {0, 1, 2, 3, 5};
	const int32_t relevant[] = {0, 3};
	RmlRanked best[6];
	RmlRanking ranking;
	RmlRankingMeasures measures;

	unit_equal_int(rml_ranking_top(scores, 6, without, 1, 3, best), 3, "as many as asked for");
	unit_ok(best[0].item == 1 && best[1].item == 2 && best[2].item == 3,
			"by score, then by number, without one");
	unit_equal_int(rml_ranking_top(scores, 6, nothing, 5, 3, best), 1, "as many as there are");
	unit_equal_int(best[0].item, 4, "what is left");
	rml_ranking_begin(&ranking, env, 3, 6);
	unit_ok(isnan(rml_ranking_end(&ranking).ndcg) && isnan(rml_ranking_end(&ranking).coverage),
			"nobody: not defined");
	rml_ranking_top(scores, 6, without, 1, 3, best);
	rml_ranking_add(&ranking, best, 3, relevant, 2);
	measures = rml_ranking_end(&ranking);
	/* of 0 and 3 only 3 is shown, at the third place: gain 1 / log2(4) of 1 + 1 / log2(3) */
	unit_near(measures.precision, 1.0 / 3, 1e-15, "precision by hand");
	unit_near(measures.recall, 1.0 / 2, 1e-15, "recall by hand");
	unit_near(measures.ndcg, 0.5 / (1 + 1 / log2(3)), 1e-15, "ndcg by hand");
	unit_near(measures.coverage, 3.0 / 6, 1e-15, "coverage by hand");
	rml_ranking_add(&ranking, best, 1, relevant, 2);
	unit_near(rml_ranking_end(&ranking).precision, 1.0 / 6, 1e-15,
			  "divided by n, not by the shown");
	unit_near(rml_ranking_end(&ranking).coverage, 3.0 / 6, 1e-15,
			  "what is shown twice counts once");
}

/* how many items that are not left out come before this one: by score, then by number */
static int
items_before(const double *scores, int32_t n_items, const uint8_t *left_out, int32_t item)
{
	int before = 0;

	for (int32_t other = 0; other < n_items; other++)
		before += !left_out[other] &&
				  (scores[other] > scores[item] || (scores[other] == scores[item] && other < item));
	return before;
}

/* the place of every item must be the number of those before it; scores 0 .. 9 make many ties */
static void
test_order(void)
{
	static const int asked_for[] = {1, 2, 7, 64, 199, 300};
	double scores[200];
	uint8_t left_out[200];
	int32_t without[200];
	int64_t n_without = 0;
	RmlRanked best[300];

	for (int32_t item = 0; item < 200; item++)
	{
		scores[item] = (double) rml_rng_below(5, 0, (uint64_t) item, 10);
		left_out[item] = rml_rng_below(5, 1, (uint64_t) item, 4) == 0;
		if (left_out[item])
			without[n_without++] = item;
	}
	for (size_t i = 0; i < sizeof asked_for / sizeof asked_for[0]; i++)
	{
		int n = asked_for[i], there_are = 200 - (int) n_without, wrong = 0;
		int n_best = rml_ranking_top(scores, 200, without, n_without, n, best);

		unit_equal_int(n_best, n < there_are ? n : there_are, "how many of %d", n);
		for (int place = 0; place < n_best; place++)
			wrong += left_out[best[place].item] ||
					 items_before(scores, 200, left_out, best[place].item) != place;
		unit_equal_int(wrong, 0, "places of the best %d", n);
	}
}

/* ---- factors ---- */

/* a fold, fitted and judged step by step */
typedef struct ByHand
{
	const Sample *sample;
	int fold;
	RmlRatings train;
	int64_t *buyers;
	RmlFactors factors;
	double w[16];
} ByHand;

static double
score_by_hand(ByHand *hand, int32_t user, int32_t item)
{
	int64_t first = hand->train.starts[user], count = hand->train.starts[user + 1] - first;

	rml_factors_user(&hand->factors, user, hand->train.items + first, count, hand->w);
	return rml_factors_score(&hand->factors, count > 0 ? user : -1,
							 hand->buyers[item] > 0 ? item : -1, hand->w);
}

static bool
has(const ByHand *hand, int32_t user, int32_t item)
{
	for (int64_t r = hand->train.starts[user]; r < hand->train.starts[user + 1]; r++)
		if (hand->train.items[r] == item)
			return true;
	return false;
}

/* what items are ranked by */
static double
rank_score_by_hand(ByHand *hand, int32_t user, int32_t item)
{
	bool known = hand->train.starts[user + 1] > hand->train.starts[user];

	return known ? score_by_hand(hand, user, item) : (double) hand->buyers[item];
}

/* candidates ahead of an item */
static int
place_by_hand(ByHand *hand, int32_t user, int32_t item)
{
	double own = rank_score_by_hand(hand, user, item);
	int ahead = 0;

	for (int32_t other = 0; other < hand->train.n_items; other++)
	{
		double score = rank_score_by_hand(hand, user, other);

		ahead += !has(hand, user, other) && (score > own || (score == own && other < item));
	}
	return ahead;
}

/* squares and deviations of user's ratings in the fold, hits among the first five, relevant ones */
static void
judge_by_hand(ByHand *hand, int32_t user, double sums[4])
{
	const RmlRatings *ratings = &hand->sample->ratings;
	double low = INFINITY, high = -INFINITY;

	for (int64_t r = 0; r < hand->train.n; r++)
	{
		low = fmin(low, hand->train.values[r]);
		high = fmax(high, hand->train.values[r]);
	}
	for (int64_t r = ratings->starts[user]; r < ratings->starts[user + 1]; r++)
	{
		double error = score_by_hand(hand, user, ratings->items[r]);

		if (hand->sample->folds[r] != hand->fold)
			continue;
		error = ratings->values[r] - fmin(fmax(error, low), high);
		sums[0] += error * error;
		sums[1] += fabs(error);
		if (ratings->values[r] < 3.5f)
			continue;
		sums[2] += place_by_hand(hand, user, ratings->items[r]) < 5;
		sums[3]++;
	}
}

/* rmse, mae, precision and recall of a fold */
static void
fold_by_hand(RmlEnv *env, const Sample *sample, int fold, double measures[4])
{
	ByHand hand = {.sample = sample, .fold = fold};
	double squares = 0, deviations = 0, precision = 0, recall = 0, users = 0, n = 0;

	rml_ratings_without(&sample->ratings, env, sample->folds, (uint8_t) fold, &hand.train);
	hand.buyers = rml_ratings_buyers(&hand.train, env);
	rml_svdpp_descend(&hand.factors, env, &sample->params, &hand.train, NULL, NULL);
	for (int32_t user = 0; user < sample->ratings.n_users; user++)
	{
		double sums[4] = {0};

		judge_by_hand(&hand, user, sums);
		squares += sums[0];
		deviations += sums[1];
		if (sums[3] == 0)
			continue;
		precision += sums[2] / 5;
		recall += sums[2] / sums[3];
		users++;
	}
	n = (double) (sample->ratings.n - hand.train.n);
	measures[0] = sqrt(squares / n);
	measures[1] = deviations / n;
	measures[2] = precision / users;
	measures[3] = recall / users;
}

static void
test_factors(RmlEnv *env, Sample *sample)
{
	RmlRatingCell cell = {.method = RML_BY_FACTORS, .params = &sample->params};
	double wanted[4] = {0}, one[4];

	sample->params.n_factors = 11;
	for (int fold = 0; fold < 3; fold++)
	{
		fold_by_hand(env, sample, fold, one);
		for (int m = 0; m < 4; m++)
			wanted[m] += one[m] / 3;
	}
	rml_ratings_validate(env, &sample->validation, &cell, 1);
	unit_near_array(cell.mean, wanted, 4, 1e-13, "factors: as models fitted by hand");
	default_params(&sample->params);
}

/*
 * Users 0 .. 7 have item 0 and dislike it, 8 has item 1 and likes it, 9 has item 0 and is alone in fold 1.
 * A model knows nothing of 9 and shows what most have, item 0: a hit.  Without fold 0 it knows 9 and item 0
 * only and shows item 0 to all others: eight hits of nine.
 */
static void
test_strangers(RmlEnv *env)
{
	Sample sample;
	RmlRatingCell cell = {.method = RML_BY_FACTORS};

	begin_sample(env, &sample, 10, 2);
	for (int32_t user = 0; user < 10; user++)
		add_rating(&sample, user, user == 8, user == 8 ? 5 : 1, user == 9);
	sample.validation.ranking = 1;
	sample.validation.relevant = RML_AUTO;
	sample.params.n_epochs = 100;
	cell.params = &sample.params;
	rml_ratings_validate(env, &sample.validation, &cell, 1);
	unit_near(cell.mean[RML_RATING_RECALL], (1 + 8.0 / 9) / 2, 1e-15,
			  "who is not known is shown what most have");
}

static void
test_threads(RmlEnv *one, const Sample *sample)
{
	RmlEnv *two = unit_env(2);
	RmlSvdppParams params[3];
	RmlRatingCell a[3], b[3];
	size_t before = unit_env_in_use(two), bytes;
	int64_t steps = unit_env_steps(two);

	for (int c = 0; c < 3; c++)
	{
		params[c] = sample->params;
		params[c].n_factors = 4 + c * 8;
		params[c].n_epochs = 10 - c;
		a[c] = b[c] = (RmlRatingCell){.method = RML_BY_FACTORS, .params = &params[c]};
	}
	rml_ratings_validate(one, &sample->validation, a, 3);
	rml_ratings_validate(two, &sample->validation, b, 3);
	for (int c = 0; c < 3; c++)
		unit_ok(memcmp(a[c].mean, b[c].mean, sizeof a[c].mean) == 0 &&
					memcmp(a[c].sd, b[c].sd, sizeof a[c].sd) == 0,
				"cell %d: the same with two threads", c);
	unit_ok(unit_env_steps(two) > steps, "progress is reported");
	/* the clean-up record of the tasks stays with the arena */
	unit_ok(unit_env_in_use(two) - before < 100, "memory is given back");
	unit_env_reset(two);
	two->threads = 1;
	before = unit_env_in_use(two);
	bytes = rml_ratings_validate_bytes(&sample->validation, b, 3, 1);
	rml_ratings_validate(two, &sample->validation, b, 3);
	unit_note("%zu bytes were announced, %zu taken", bytes, unit_env_peak(two) - before);
	unit_ok(unit_env_peak(two) - before < bytes + 65536, "not more memory than announced");
	unit_env_free(two);
}

static void
test_failure(RmlEnv *env, const Sample *sample)
{
	RmlSvdppParams wild = sample->params;
	RmlRatingCell cells[2];

	wild.lr_bu = wild.lr_bi = wild.lr_pu = wild.lr_qi = wild.lr_yj = 1;
	wild.n_epochs = 200;
	cells[0] = (RmlRatingCell){.method = RML_BY_FACTORS, .params = &wild};
	cells[1] = (RmlRatingCell){.method = RML_BY_FACTORS, .params = &sample->params};
	rml_ratings_validate(env, &sample->validation, cells, 2);
	rml_rating_cells_rank(cells, 2, RML_RATING_RMSE);
	unit_contains(cells[0].failure, "without bound", "a cell that fails says why");
	unit_ok(isnan(cells[0].mean[RML_RATING_RMSE]) && cells[0].rank == 0, "it has no measures");
	unit_ok(cells[1].failure == NULL && cells[1].rank == 1, "the others have");
	unit_equal_int(rml_rating_cells_best(cells, 2), 1, "and one of them is the best");
	unit_equal_int(rml_rating_cells_best(cells, 1), -1, "or none");
}

static void
test_ranks(void)
{
	RmlRatingCell cells[5] = {{.method = RML_BY_FACTORS},
							  {.method = RML_BY_FACTORS},
							  {.method = RML_BY_FACTORS},
							  {.method = RML_BY_ITEM_MEAN},
							  {.method = RML_BY_POPULARITY}};
	const double rmse[] = {0.9, 0.8, 0.8, 0.7, NAN}, recall[] = {0.1, 0.3, 0.2, 0.1, 0.4};

	for (int c = 0; c < 5; c++)
	{
		cells[c].mean[RML_RATING_RMSE] = rmse[c];
		cells[c].mean[RML_RATING_RECALL] = recall[c];
	}
	rml_rating_cells_rank(cells, 5, RML_RATING_RMSE);
	unit_ok(cells[0].rank == 4 && cells[1].rank == 2 && cells[2].rank == 2 && cells[3].rank == 1 &&
				cells[4].rank == 0,
			"the smallest error comes first, ties share, nothing has no rank");
	unit_equal_int(rml_rating_cells_best(cells, 5), 1, "the best is the first of factors");
	rml_rating_cells_rank(cells, 5, RML_RATING_RECALL);
	unit_ok(cells[4].rank == 1 && cells[1].rank == 2 && cells[2].rank == 3 && cells[0].rank == 4,
			"the largest recall comes first");
}

/* ---- folds ---- */

static void
test_folds(RmlEnv *env)
{
	enum
	{
		USERS = 60,
		ITEMS = 50,
		FOLDS = 7
	};
	Sample sample;
	RmlRatingIds users = {USERS, RML_NEW(env, int64_t, USERS), NULL};
	RmlRatingIds items = {ITEMS, RML_NEW(env, int64_t, ITEMS), NULL};
	RmlRatingIds fewer = {USERS - 1, users.numbers + 1, NULL};
	uint8_t *part = RML_NEW(env, uint8_t, USERS * ITEMS);
	uint8_t *other = RML_NEW(env, uint8_t, USERS * ITEMS);
	int64_t sizes[FOLDS] = {0}, same = 0;
	double chi = 0, expected = (double) USERS * ITEMS / FOLDS;
	const char *hint;

	for (int64_t u = 0; u < USERS; u++)
		users.numbers[u] = u * 10;
	for (int64_t i = 0; i < ITEMS; i++)
		items.numbers[i] = i * 3 - 20;
	begin_sample(env, &sample, USERS * ITEMS, FOLDS);
	for (int32_t u = 0; u < USERS; u++)
		for (int32_t i = 0; i < ITEMS; i++)
			add_rating(&sample, u, i, 1, 0);
	unit_equal_string(rml_rating_folds(env, &sample.ratings, &users, &items, FOLDS, 42,
									   sample.folds, &hint),
					  NULL, "folds are dealt");
	rml_rating_folds(env, &sample.ratings, &users, &items, FOLDS, 43, other, &hint);
	for (int64_t r = 0; r < sample.ratings.n; r++)
	{
		sizes[sample.folds[r]]++;
		same += sample.folds[r] == other[r];
	}
	for (int fold = 0; fold < FOLDS; fold++)
		chi += pow((double) sizes[fold] - expected, 2) / expected;
	/* 99.9 % quantile of chi-squared with 6 degrees of freedom */
	unit_ok(chi < 22.46, "folds are of like size");
	unit_near((double) same / (USERS * ITEMS), 1.0 / FOLDS, 0.03, "another seed, other folds");
	/* without the first user everybody has another number */
	sample.ratings.n_users--;
	sample.ratings.n -= ITEMS;
	rml_rating_folds(env, &sample.ratings, &fewer, &items, FOLDS, 42, part, &hint);
	unit_equal_bytes(part, sample.folds + ITEMS, (size_t) sample.ratings.n,
					 "a pair stays in its fold when others go");
	sample.ratings.n_users = 1;
	sample.ratings.n = sample.ratings.starts[1];
	unit_contains(rml_rating_folds(env, &sample.ratings, &users, &items, 100, 42, part, &hint),
				  "none is", "too few ratings are refused");
	unit_contains(hint, "fewer folds, or leave out groups of fewer than 2000 pairs",
				  "fewer folds or more ratings would do");
	sample.ratings.n = sample.ratings.starts[1] = 1;
	unit_contains(rml_rating_folds(env, &sample.ratings, &users, &items, 2, 42, part, &hint),
				  "of 1 ratings none is in fold", "one rating and two folds");
	unit_contains(hint, "Leave out groups of fewer than 40 pairs", "there are no fewer folds");
}

static void
test_cancel(RmlEnv *env, const Sample *sample)
{
	RmlEnv *two = unit_env(2);
	RmlSvdppParams params = sample->params;
	RmlRatingCell cell = {.method = RML_BY_FACTORS, .params = &params};

	params.n_epochs = 10000;
	for (two->threads = 1; two->threads <= 2; two->threads++)
	{
		unit_env_cancel_after(two, 3);
		unit_ok(UNIT_ESCAPES(two, rml_ratings_validate(two, &sample->validation, &cell, 1)),
				"%d threads: cancelled", two->threads);
		unit_env_reset(two);
	}
	unit_env_free(two);
}

/* on the log scale the line is drawn on the scale of the log */
static void
test_relevant(RmlEnv *env, Sample *sample)
{
	RmlRatingCell plain[4], logs[4], all[4];
	float *values = sample->ratings.values;
	float *own = RML_NEW(env, float, (size_t) sample->ratings.n);

	baseline_cells(sample, plain);
	baseline_cells(sample, logs);
	baseline_cells(sample, all);
	rml_ratings_validate(env, &sample->validation, plain, 4);
	for (int64_t r = 0; r < sample->ratings.n; r++)
		own[r] = (float) log1p(values[r]);
	sample->ratings.values = own;
	sample->validation.transform = RML_TRANSFORM_LOG1P;
	rml_ratings_validate(env, &sample->validation, logs, 4);
	unit_ok(logs[RML_BY_POPULARITY].mean[RML_RATING_RECALL] ==
				plain[RML_BY_POPULARITY].mean[RML_RATING_RECALL],
			"relevant is meant before the logarithm");
	sample->validation.relevant = RML_AUTO;
	rml_ratings_validate(env, &sample->validation, all, 4);
	unit_ok(all[RML_BY_POPULARITY].mean[RML_RATING_PRECISION] >
				plain[RML_BY_POPULARITY].mean[RML_RATING_PRECISION],
			"by default all that is held out is relevant");
	sample->validation.relevant = 3.5;
	sample->validation.transform = RML_TRANSFORM_NONE;
	sample->ratings.values = values;
}

int
main(void)
{
	RmlEnv *env = unit_env(1);
	UnitCsv *golden = unit_golden("svdpp_cv.csv");
	Sample sample;

	if (golden == NULL)
		return unit_done();
	golden_sample(env, golden, &sample);
	test_baselines(env, golden, &sample);
	test_measures(env, &sample);
	test_ranking(env);
	test_order();
	test_factors(env, &sample);
	test_strangers(env);
	test_threads(env, &sample);
	test_failure(env, &sample);
	test_ranks();
	test_folds(env);
	test_cancel(env, &sample);
	test_relevant(env, &sample);
	unit_csv_free(golden);
	unit_env_free(env);
	return unit_done();
}
