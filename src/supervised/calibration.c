/*
 * calibration.c
 *	  Do scores mean what they say?  See scores.h.
 *
 * Edges are computed as numpy does (linspace; percentile with linear interpolation), to the bit:
 * scores often lie on an edge.
 */
#include <math.h>

#include "retailml/scores.h"

/* scores merged from both classes: the one at this place of the ascending order, by stepping on */
typedef struct Merger
{
	RmlTieCursor cursor;
	RmlTie tie;
	int64_t end; /* places before it are in this tie or earlier ones */
} Merger;

/* places must not fall from call to call */
static double
score_at(Merger *merger, int64_t place)
{
	while (merger->end <= place && rml_ties_next(&merger->cursor, &merger->tie))
		merger->end += merger->tie.n[0] + merger->tie.n[1];
	return merger->tie.score;
}

/* inner edges [n_bins - 1] */
static void
quantile_edges(const RmlScores *scores, RmlEnv *env, int n_bins, double *edges)
{
	int64_t n = scores->n[0] + scores->n[1];
	double step = 1.0 / n_bins;
	Merger merger = {.end = 0};

	rml_ties_begin(&merger.cursor, scores, env, false);
	for (int i = 1; i < n_bins; i++)
	{
		double place = (double) (n - 1) * (i * step * 100 / 100);
		double floor_place = floor(place), t = place - floor_place;
		double low = score_at(&merger, (int64_t) floor_place);
		/* the next score, without stepping: low may be asked for again */
		Merger ahead = merger;
		double high = score_at(&ahead, (int64_t) floor_place + 1);

		edges[i - 1] = t >= 0.5 ? high - (high - low) * (1 - t) : low + (high - low) * t;
	}
}

static void
uniform_edges(int n_bins, double *edges)
{
	double step = 1.0 / n_bins;

	for (int i = 1; i < n_bins; i++)
		edges[i - 1] = i * step;
}

/* a bin from its sums; the score's is compensated */
static void
finish_bin(RmlCalibrationBin *bin, double sum, int64_t positives)
{
	bin->mean_score = sum / (double) bin->n;
	bin->rate = (double) positives / (double) bin->n;
}

/* the sum of score over the rows of a bin, with what rounding took (Neumaier; terms >= 0) */
static void
add_term(double *sum, double *lost, double term)
{
	double total = *sum + term;

	*lost += *sum >= term ? (*sum - total) + term : (term - total) + *sum;
	*sum = total;
}

int
rml_calibration_curve(const RmlScores *scores, RmlEnv *env, int n_bins, bool quantiles,
					  RmlCalibrationBin **bins)
{
	double *edges = RML_NEW(env, double, (size_t) n_bins);
	int n = 0, b = 0;
	double sum = 0, lost = 0;
	int64_t positives = 0;
	RmlTieCursor cursor;
	RmlTie tie;

	*bins = RML_NEW(env, RmlCalibrationBin, (size_t) n_bins);
	if (quantiles)
		quantile_edges(scores, env, n_bins, edges);
	else
		uniform_edges(n_bins, edges);
	rml_ties_begin(&cursor, scores, env, false);
	while (rml_ties_next(&cursor, &tie))
	{
		while (b < n_bins - 1 && tie.score > edges[b])
			b++;
		if (n == 0 || (*bins)[n - 1].bin != b + 1)
		{
			if (n > 0)
				finish_bin(&(*bins)[n - 1], sum + lost, positives);
			(*bins)[n++] = (RmlCalibrationBin){.bin = b + 1};
			sum = lost = 0;
			positives = 0;
		}
		(*bins)[n - 1].n += tie.n[0] + tie.n[1];
		positives += tie.n[1];
		add_term(&sum, &lost, tie.score * (double) (tie.n[0] + tie.n[1]));
	}
	finish_bin(&(*bins)[n - 1], sum + lost, positives);
	rml_release(env, edges);
	return n;
}
