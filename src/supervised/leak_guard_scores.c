/*
 * leak_guard_scores.c
 *	  What one feature says about the label: areas under ROC curves, and R2.
 */
#include <math.h>
#include <string.h>

#include "leak_guard_internal.h"
#include "retailml/parallel.h"
#include "retailml/sort.h"

#define BLOCK_ROWS 4096
#define POLL_EVERY (1 << 18)

static void
poll_sometimes(RmlEnv *env, int64_t i)
{
	if (i % POLL_EVERY == POLL_EVERY - 1)
		rml_poll(env);
}

/* ---- what a look consists of ---- */

/* R2 does not mind the unit, and squares of numbers within [-1, 1] do not overflow */
static void
rescale(RmlEnv *env, double *values, int64_t m)
{
	double largest = 0.0;

	for (int64_t i = 0; i < m; i++)
	{
		largest = fmax(largest, fabs(values[i]));
		poll_sometimes(env, i);
	}
	if (largest > 0.0)
		for (int64_t i = 0; i < m; i++)
		{
			values[i] /= largest;
			poll_sometimes(env, i);
		}
}

/* the feature's values of the picked rows into x */
static void
gather_number(RmlLook *look, const RmlFeature *feature)
{
	const RmlTrainingSet *rows = look->rows;
	const int d = rows->schema->d_num;

	for (int64_t i = 0; i < look->m; i++)
	{
		look->x[i] = rows->numbers[look->picked[i] * d + feature->slot];
		poll_sometimes(look->env, i);
	}
}

/* x becomes 1 where the value is that of a missing one, else 0 */
static void
gather_missing(RmlLook *look, const RmlFeature *feature)
{
	const RmlScaling *scaling = &look->rows->schema->scaling[feature->slot];
	const double imputed = (scaling->impute - scaling->centre) / scaling->scale;

	gather_number(look, feature);
	for (int64_t i = 0; i < look->m; i++)
	{
		look->x[i] = look->x[i] == imputed ? 1.0 : 0.0;
		poll_sometimes(look->env, i);
	}
}

/* ---- ranks ---- */

typedef struct Ranking
{
	const double *values; /* [m] */
	const double *sorted; /* [m] */
	int64_t m;
	double *ranks; /* [m] */
} Ranking;

/* how many of the values are below x; without branches, which would be guesses */
static int64_t
count_below(const double *sorted, int64_t m, double x)
{
	const double *first = sorted;

	while (m > 1)
	{
		int64_t half = m / 2;

		first += first[half - 1] < x ? half : 0;
		m -= half;
	}
	return first - sorted + (m == 1 && *first < x);
}

/* how many are up to x, of which `below` are below it: it is there, and ties are few or many */
static int64_t
count_up_to(const double *sorted, int64_t m, double x, int64_t below)
{
	int64_t low = below, high, step = 1;

	while (low + step < m && sorted[low + step] == x)
	{
		low += step;
		step *= 2;
	}
	high = low + step < m ? low + step : m;
	while (high - low > 1)
	{
		int64_t middle = low + (high - low) / 2;

		if (sorted[middle] == x)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void
rank_block(void *context, int64_t block, int thread)
{
	const Ranking *r = context;
	int64_t end = rml_block_end(block, BLOCK_ROWS, r->m);

	(void) thread;
	for (int64_t i = block * BLOCK_ROWS; i < end; i++)
	{
		int64_t below = count_below(r->sorted, r->m, r->values[i]);

		r->ranks[i] = (double) (below + count_up_to(r->sorted, r->m, r->values[i], below));
	}
}

/* midranks, but for a factor and a shift that correlations do not see, scaled into [0, 1] */
static void
rank_values(RmlEnv *env, const double *values, int64_t m, double *ranks)
{
	double *sorted = RML_NEW(env, double, (size_t) m);
	Ranking r = {.values = values, .sorted = sorted, .m = m, .ranks = ranks};

	memcpy(sorted, values, sizeof(double) * (size_t) m);
	rml_sort_doubles(env, sorted, m);
	rml_parallel(env, rml_blocks(m, BLOCK_ROWS), rank_block, &r);
	rml_release(env, sorted);
	rescale(env, ranks, m);
}

void
rml_look_prepare(RmlLook *look)
{
	const size_t m = (size_t) look->m;

	look->x = RML_NEW(look->env, double, m);
	look->z = RML_NEW(look->env, double, m);
	if (look->rows->target.task != RML_REGRESSION)
		return;
	look->label = RML_NEW(look->env, double, m);
	look->y_ranks = RML_NEW(look->env, double, m);
	for (int64_t i = 0; i < look->m; i++)
	{
		look->label[i] = look->rows->y[look->picked[i]];
		poll_sometimes(look->env, i);
	}
	rescale(look->env, look->label, look->m);
	rank_values(look->env, look->label, look->m, look->y_ranks);
}

void
rml_look_release(RmlLook *look)
{
	rml_release(look->env, look->x);
	rml_release(look->env, look->z);
	rml_release(look->env, look->label);
	rml_release(look->env, look->y_ranks);
}

/* ---- R2 ---- */

static double
mean_of(RmlEnv *env, const double *values, int64_t m)
{
	double sum = 0.0;

	for (int64_t i = 0; i < m; i++)
	{
		sum += values[i];
		poll_sometimes(env, i);
	}
	return sum / (double) m;
}

/* squared correlation; 0 when one is constant: that is 0, 1 or -1 here, whose mean is exact */
static double
squared_correlation(RmlEnv *env, const double *x, const double *y, int64_t m)
{
	double mean_x = mean_of(env, x, m), mean_y = mean_of(env, y, m);
	double xx = 0.0, xy = 0.0, yy = 0.0;

	for (int64_t i = 0; i < m; i++)
	{
		double dx = x[i] - mean_x, dy = y[i] - mean_y;

		xx += dx * dx;
		xy += dx * dy;
		yy += dy * dy;
		poll_sometimes(env, i);
	}
	return xx > 0.0 && yy > 0.0 ? xy / xx * (xy / yy) : 0.0;
}

/* share of the variance of y that predictions explain, at least 0 */
static double
explained(RmlEnv *env, const double *predicted, const double *y, int64_t m)
{
	double mean = mean_of(env, y, m), left = 0.0, total = 0.0;

	for (int64_t i = 0; i < m; i++)
	{
		left += (y[i] - predicted[i]) * (y[i] - predicted[i]);
		total += (y[i] - mean) * (y[i] - mean);
		poll_sometimes(env, i);
	}
	return left < total ? 1.0 - left / total : 0.0;
}

/* of x, by values and by ranks */
static double
regression_score(RmlLook *look)
{
	double by_value, by_rank;

	rescale(look->env, look->x, look->m);
	by_value = squared_correlation(look->env, look->x, look->label, look->m);
	rank_values(look->env, look->x, look->m, look->z);
	by_rank = squared_correlation(look->env, look->z, look->y_ranks, look->m);
	return fmin(fmax(by_value, by_rank), 1.0);
}

/* ---- areas under ROC curves ---- */

/* share of pairs (one of a, one of b) in which a's value is larger, ties counting half; sorted */
static double
area(RmlEnv *env, const double *a, int64_t n_a, const double *b, int64_t n_b)
{
	int64_t below = 0, up_to = 0, wins = 0; /* wins counts halves */

	for (int64_t i = 0; i < n_a; i++)
	{
		while (below < n_b && b[below] < a[i])
			below++;
		up_to = up_to < below ? below : up_to;
		while (up_to < n_b && b[up_to] == a[i])
			up_to++;
		wins += below + up_to;
		poll_sometimes(env, i);
	}
	return 0.5 * (double) wins / ((double) n_a * (double) n_b);
}

/* mean area over all pairs of classes, each in its better direction, of x */
static double
classification_score(RmlLook *look)
{
	const int64_t *start = look->start;
	double sum = 0.0;
	int pairs = 0;

	for (int p = 0; p < look->n_classes; p++)
		rml_sort_doubles(look->env, look->x + start[p], start[p + 1] - start[p]);
	for (int p = 0; p < look->n_classes; p++)
		for (int q = p + 1; q < look->n_classes; q++, pairs++)
		{
			double auc = area(look->env, look->x + start[q], start[q + 1] - start[q],
							  look->x + start[p], start[p + 1] - start[p]);

			sum += fmax(auc, 1.0 - auc);
			rml_poll(look->env);
		}
	return sum / pairs;
}

/* ---- categories ---- */

/* sums of what is predicted, in each half of the rows and each category, and in the whole half */
typedef struct Halves
{
	int32_t n_codes;
	double *sums[2];    /* [n_codes] */
	int64_t *counts[2]; /* [n_codes] */
	double overall[2];  /* mean of the half */
} Halves;

static int32_t
code_of(const RmlLook *look, const RmlFeature *feature, int64_t i)
{
	return look->rows->codes[look->picked[i] * look->rows->schema->d_cat + feature->slot];
}

static void
halves_learn(Halves *halves, const RmlLook *look, const RmlFeature *feature, const double *target)
{
	double sums[2] = {0.0, 0.0};
	int64_t counts[2] = {0, 0};

	for (int half = 0; half < 2; half++)
	{
		memset(halves->sums[half], 0, sizeof(double) * (size_t) halves->n_codes);
		memset(halves->counts[half], 0, sizeof(int64_t) * (size_t) halves->n_codes);
	}
	for (int64_t i = 0; i < look->m; i++)
	{
		int half = look->picked[i] & 1;
		int32_t code = code_of(look, feature, i);

		halves->sums[half][code] += target[i];
		halves->counts[half][code]++;
		sums[half] += target[i];
		counts[half]++;
		poll_sometimes(look->env, i);
	}
	for (int half = 0; half < 2; half++)
		halves->overall[half] = counts[half] > 0 ? sums[half] / (double) counts[half] : 0.0;
}

static void
halves_predict(const Halves *halves, const RmlLook *look, const RmlFeature *feature,
			   double *predicted)
{
	for (int64_t i = 0; i < look->m; i++)
	{
		int other = !(look->picked[i] & 1);
		int32_t code = code_of(look, feature, i);
		int64_t count = halves->counts[other][code];

		predicted[i] =
			count > 0 ? halves->sums[other][code] / (double) count : halves->overall[other];
		poll_sometimes(look->env, i);
	}
}

/* move the values of class p to the front; target is scratch */
static void
bring_to_front(const RmlLook *look, int p, double *values, double *scratch)
{
	size_t before = (size_t) look->start[p], size = (size_t) look->start[p + 1] - before;

	memcpy(scratch, values + before, sizeof(double) * size);
	memmove(values + size, values, sizeof(double) * before);
	memcpy(values, scratch, sizeof(double) * size);
}

/* area of class p's cross-fitted rates against the rest */
static double
rate_area(RmlLook *look, Halves *halves, const RmlFeature *feature, int p)
{
	const int64_t size = look->start[p + 1] - look->start[p];

	for (int64_t i = 0; i < look->m; i++)
	{
		look->z[i] = i >= look->start[p] && i < look->start[p + 1] ? 1.0 : 0.0;
		poll_sometimes(look->env, i);
	}
	halves_learn(halves, look, feature, look->z);
	halves_predict(halves, look, feature, look->x);
	bring_to_front(look, p, look->x, look->z);
	rml_sort_doubles(look->env, look->x, size);
	rml_sort_doubles(look->env, look->x + size, look->m - size);
	return area(look->env, look->x, size, look->x + size, look->m - size);
}

static double
category_score(RmlLook *look, Halves *halves, const RmlFeature *feature)
{
	double sum = 0.0;

	if (look->rows->target.task == RML_REGRESSION)
	{
		halves_learn(halves, look, feature, look->label);
		halves_predict(halves, look, feature, look->x);
		return explained(look->env, look->x, look->label, look->m);
	}
	/* of two classes one tells all: the other's rates are the complement */
	if (look->n_classes == 2)
		return rate_area(look, halves, feature, 1);
	for (int p = 0; p < look->n_classes; p++)
		sum += rate_area(look, halves, feature, p);
	return sum / look->n_classes;
}

/* ---- features ---- */

double
rml_look_number(RmlLook *look, const RmlFeature *feature)
{
	gather_number(look, feature);
	return look->rows->target.task == RML_REGRESSION ? regression_score(look)
													 : classification_score(look);
}

double
rml_look_missing(RmlLook *look, const RmlFeature *feature)
{
	gather_missing(look, feature);
	return look->rows->target.task == RML_REGRESSION ? regression_score(look)
													 : classification_score(look);
}

double
rml_look_category(RmlLook *look, const RmlFeature *feature)
{
	const size_t n_codes = (size_t) feature->n_categories + 2;
	Halves halves = {.n_codes = feature->n_categories + 2};
	double score;

	for (int half = 0; half < 2; half++)
	{
		halves.sums[half] = RML_NEW(look->env, double, n_codes);
		halves.counts[half] = RML_NEW(look->env, int64_t, n_codes);
	}
	score = category_score(look, &halves, feature);
	for (int half = 0; half < 2; half++)
	{
		rml_release(look->env, halves.sums[half]);
		rml_release(look->env, halves.counts[half]);
	}
	return score;
}
