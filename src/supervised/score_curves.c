/*
 * score_curves.c
 *	  The ROC curve, precision and recall, and lift.  See scores.h.
 */
#include <math.h>
#include <string.h>

#include "retailml/scores.h"

#define POLL_EVERY 65536

/* what has a score at or above a threshold */
typedef struct Cut
{
	double threshold;
	int64_t fp;
	int64_t tp;
} Cut;

static int64_t
count_ties(const RmlScores *scores, RmlEnv *env)
{
	RmlTieCursor cursor;
	RmlTie tie;
	int64_t n = 0;

	rml_ties_begin(&cursor, scores, env, true);
	while (rml_ties_next(&cursor, &tie))
		n++;
	return n;
}

/* the cuts at all scores, by falling score: their number */
static int64_t
list_cuts(const RmlScores *scores, RmlEnv *env, Cut **cuts)
{
	RmlTieCursor cursor;
	RmlTie tie;
	int64_t n = 0, fp = 0, tp = 0;

	*cuts = RML_NEW(env, Cut, (size_t) count_ties(scores, env));
	rml_ties_begin(&cursor, scores, env, true);
	while (rml_ties_next(&cursor, &tie))
	{
		fp += tie.n[0];
		tp += tie.n[1];
		(*cuts)[n++] = (Cut){tie.score, fp, tp};
	}
	return n;
}

/* is the ROC curve's step to this cut the same as the one from it? */
static bool
between_equal_steps(const Cut *cut)
{
	return cut[1].tp - cut[0].tp == cut[0].tp - cut[-1].tp &&
		   cut[1].fp - cut[0].fp == cut[0].fp - cut[-1].fp;
}

static bool
between_equal_recalls(const Cut *cut)
{
	return cut[-1].tp == cut[0].tp && cut[0].tp == cut[1].tp;
}

/* without the cuts inside a run; the first and the last stay.  Tested against all, not the kept */
static int64_t
drop_cuts(RmlEnv *env, const Cut *cuts, int64_t n, bool (*inside)(const Cut *), Cut *kept)
{
	int64_t n_kept = 0;

	for (int64_t i = 0; i < n; i++)
	{
		if (i == 0 || i == n - 1 || !inside(&cuts[i]))
			kept[n_kept++] = cuts[i];
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
	return n_kept;
}

static RmlCurvePoint
roc_point(const Cut *cut, const Cut *last)
{
	return (RmlCurvePoint){cut->threshold, (double) cut->fp / (double) last->fp,
						   (double) cut->tp / (double) last->tp};
}

static RmlCurvePoint
pr_point(const Cut *cut, const Cut *last)
{
	return (RmlCurvePoint){cut->threshold, (double) cut->tp / (double) last->tp,
						   (double) cut->tp / (double) (cut->tp + cut->fp)};
}

static void
draw(const RmlScores *scores, RmlEnv *env, bool (*inside)(const Cut *),
	 RmlCurvePoint (*point)(const Cut *, const Cut *), RmlCurve *curve)
{
	Cut *cuts, *kept;
	int64_t n = list_cuts(scores, env, &cuts);
	int64_t n_kept;

	kept = RML_NEW(env, Cut, (size_t) n);
	n_kept = drop_cuts(env, cuts, n, inside, kept);
	rml_release(env, cuts);
	curve->n = n_kept + 1;
	curve->points = RML_NEW(env, RmlCurvePoint, (size_t) curve->n);
	for (int64_t i = 0; i < n_kept; i++)
		curve->points[i + 1] = point(&kept[i], &kept[n_kept - 1]);
	rml_release(env, kept);
}

void
rml_roc_curve(const RmlScores *scores, RmlEnv *env, RmlCurve *curve)
{
	draw(scores, env, between_equal_steps, roc_point, curve);
	curve->points[0] = (RmlCurvePoint){INFINITY, 0, 0};
}

/* where nothing is predicted positive, nothing of it is wrong */
void
rml_pr_curve(const RmlScores *scores, RmlEnv *env, RmlCurve *curve)
{
	draw(scores, env, between_equal_recalls, pr_point, curve);
	curve->points[0] = (RmlCurvePoint){INFINITY, 0, 1};
}

/* ---- lift ---- */

/* rows of part b (0 ..) of n rows in n_bins parts */
static int64_t
part_size(int64_t n, int n_bins, int b)
{
	return n / n_bins + (b < n % n_bins ? 1 : 0);
}

/* walks ties by falling score, some rows at a time */
typedef struct Taker
{
	RmlTieCursor cursor;
	RmlTie tie;
	int64_t left;  /* rows of the tie not yet taken */
	int64_t whole; /* positives of the ties that are used up */
} Taker;

/* positives up to here: those of whole ties, and of the present one in proportion */
static double
positives_so_far(const Taker *taker)
{
	int64_t n = taker->tie.n[0] + taker->tie.n[1];

	if (taker->left == 0)
		return (double) taker->whole;
	return (double) taker->whole +
		   (double) taker->tie.n[1] * (double) (n - taker->left) / (double) n;
}

/* rows of the present tie; their positives are added to the two parts of a sum */
static void
take_rows(Taker *taker, int64_t n, int64_t *whole, double *part)
{
	int64_t rows = taker->tie.n[0] + taker->tie.n[1];

	if (n == rows)
		*whole += taker->tie.n[1];
	else
		*part += (double) taker->tie.n[1] * (double) n / (double) rows;
	taker->left -= n;
	if (taker->left == 0)
		taker->whole += taker->tie.n[1];
}

/* the next n rows, n > 0 */
static void
fill_bin(Taker *taker, RmlLiftBin *bin, int64_t n)
{
	int64_t missing = n, whole = 0;
	double part = 0;

	while (missing > 0)
	{
		int64_t some;

		if (taker->left == 0)
		{
			rml_ties_next(&taker->cursor, &taker->tie);
			taker->left = taker->tie.n[0] + taker->tie.n[1];
		}
		if (missing == n)
			bin->max_score = taker->tie.score;
		bin->min_score = taker->tie.score;
		some = missing < taker->left ? missing : taker->left;
		take_rows(taker, some, &whole, &part);
		missing -= some;
	}
	bin->n = n;
	bin->positives = (double) whole + part;
}

int
rml_lift_curve(const RmlScores *scores, RmlEnv *env, int n_bins, RmlLiftBin **bins)
{
	int64_t n = scores->n[0] + scores->n[1], taken = 0;
	double base = (double) scores->n[1] / (double) n;
	Taker taker = {.left = 0};

	if (n_bins > n)
		n_bins = (int) n;
	*bins = RML_NEW(env, RmlLiftBin, (size_t) n_bins);
	rml_ties_begin(&taker.cursor, scores, env, true);
	for (int b = 0; b < n_bins; b++)
	{
		RmlLiftBin *bin = &(*bins)[b];
		double positives;

		fill_bin(&taker, bin, part_size(n, n_bins, b));
		taken += bin->n;
		positives = positives_so_far(&taker);
		bin->rate = bin->positives / (double) bin->n;
		bin->cumulative_share = (double) taken / (double) n;
		/* without positives 0 / 0, not defined */
		bin->lift = bin->rate / base;
		bin->cumulative_gain = positives / (double) scores->n[1];
		bin->cumulative_lift = positives / (double) taken / base;
	}
	return n_bins;
}
