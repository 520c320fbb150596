/*
 * model_drift.c
 *	  Counting rows by the bins of a schema, and the population stability index of the counts.
 */
#include "retailml/model_drift.h"

#include <math.h>
#include <string.h>

#define INTERVALS (RML_DECILES - 1)

/* missing, then 1 + edges below + edges up to */
#define NUMBER_CELLS (2 * RML_DECILES + 2)

/* cells of a boolean; 0 is missing */
#define CELL_FALSE 1
#define CELL_TRUE 2
#define BOOLEAN_CELLS 3

/* ---- cells ---- */

static int64_t
feature_cells(const RmlFeature *feature)
{
	if (feature->kind == RML_BOOLEAN)
		return BOOLEAN_CELLS;
	/* missing, the categories, other */
	return feature->kind == RML_CATEGORICAL ? (int64_t) feature->n_categories + 2 : NUMBER_CELLS;
}

/*
 * Cells are in the order of the numbers, and an edge has a cell of its own: a number between edge k - 1
 * and edge k has k below and k up to it, one that equals edges i .. j has i below and j + 1 up to it.
 */
static int
number_cell(const RmlFeature *feature, double x)
{
	int cell = 1;

	if (isnan(x))
		return 0;
	if (feature->kind == RML_BOOLEAN)
		return x == 0 ? CELL_FALSE : CELL_TRUE;
	for (int i = 0; i < RML_DECILES; i++)
		cell += (feature->deciles[i] < x) + (feature->deciles[i] <= x);
	return cell;
}

static bool
is_missing(const RmlFeature *feature, const double *numbers, const int32_t *codes)
{
	return feature->kind == RML_CATEGORICAL ? codes[feature->slot] == 0
											: isnan(numbers[feature->slot]);
}

const char *
rml_drift_check(const RmlSchema *schema)
{
	if (schema->n_features == 0)
		return "the model knows no columns";
	if (schema->rows < 1)
		return "the model knows no training rows";
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		for (int j = 1; feature->kind != RML_CATEGORICAL && j < RML_DECILES; j++)
			if (feature->deciles[j] < feature->deciles[j - 1])
				return "the deciles in the model are not in order";
	}
	return NULL;
}

void
rml_drift_init(RmlDriftCounts *counts, RmlEnv *env, const RmlSchema *schema)
{
	size_t n = (size_t) schema->n_features;

	memset(counts, 0, sizeof *counts);
	counts->schema = schema;
	counts->missing = RML_NEW_ZERO(env, int64_t, n);
	counts->first = RML_NEW(env, int64_t, n);
	for (size_t i = 0; i < n; i++)
	{
		counts->first[i] = counts->n_cells;
		counts->n_cells += feature_cells(&schema->features[i]);
	}
	counts->cells = RML_NEW_ZERO(env, int64_t, (size_t) counts->n_cells);
}

/* rows with missing values are counted apart where training left them out */
void
rml_drift_add(RmlDriftCounts *counts, const double *numbers, const int32_t *codes)
{
	const RmlSchema *schema = counts->schema;
	bool complete = true;

	counts->rows++;
	for (int i = 0; i < schema->n_features; i++)
		if (is_missing(&schema->features[i], numbers, codes))
		{
			counts->missing[i]++;
			complete = false;
		}
	counts->complete += complete;
	if (!complete && schema->impute == RML_IMPUTE_SKIP)
		return;
	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];

		counts->cells[counts->first[i] + (feature->kind == RML_CATEGORICAL
											  ? codes[feature->slot]
											  : number_cell(feature, numbers[feature->slot]))]++;
	}
}

/* ---- merging ---- */

static bool
same_bins(const RmlFeature *a, const RmlFeature *b)
{
	if (strcmp(a->name, b->name) != 0 || a->kind != b->kind || a->n_missing != b->n_missing)
		return false;
	if (a->kind != RML_CATEGORICAL)
		return memcmp(a->deciles, b->deciles, sizeof a->deciles) == 0 && a->mean == b->mean;
	if (a->n_categories != b->n_categories)
		return false;
	for (int32_t i = 0; i < a->n_categories; i++)
		if (a->counts[i] != b->counts[i] || strcmp(a->categories[i], b->categories[i]) != 0)
			return false;
	return true;
}

static bool
same_schema(const RmlSchema *a, const RmlSchema *b)
{
	if (a->n_features != b->n_features || a->rows != b->rows || a->impute != b->impute)
		return false;
	for (int i = 0; i < a->n_features; i++)
		if (!same_bins(&a->features[i], &b->features[i]))
			return false;
	return true;
}

bool
rml_drift_merge(RmlDriftCounts *counts, const RmlDriftCounts *other)
{
	if (!same_schema(counts->schema, other->schema))
		return false;
	counts->rows += other->rows;
	counts->complete += other->complete;
	for (int i = 0; i < counts->schema->n_features; i++)
		counts->missing[i] += other->missing[i];
	for (int64_t i = 0; i < counts->n_cells; i++)
		counts->cells[i] += other->cells[i];
	return true;
}

#define TAG_ROWS RML_TAG('R', 'O', 'W', 'S')
#define TAG_COMPLETE RML_TAG('C', 'O', 'M', 'P')
#define TAG_CELLS RML_TAG('C', 'E', 'L', 'L')
#define TAG_NO_VALUE RML_TAG('N', 'U', 'L', 'L')

void
rml_drift_encode(const RmlDriftCounts *counts, RmlEnv *env, RmlWriter *writer)
{
	/* no algorithm: nobody takes this for a model */
	rml_writer_begin(writer, env, 0, 0);
	rml_schema_encode(counts->schema, writer);
	rml_put_int(writer, TAG_ROWS, counts->rows);
	rml_put_int(writer, TAG_COMPLETE, counts->complete);
	rml_put_int64(writer, TAG_NO_VALUE, counts->missing, (size_t) counts->schema->n_features);
	rml_put_int64(writer, TAG_CELLS, counts->cells, (size_t) counts->n_cells);
	rml_writer_end(writer);
}

const char *
rml_drift_decode(RmlDriftCounts *counts, RmlSchema *schema, RmlEnv *env, const void *bytes,
				 size_t length)
{
	RmlReader reader;

	if (!rml_reader_begin(&reader, env, bytes, length))
		return reader.error;
	rml_schema_decode(schema, &reader);
	if (reader.error != NULL)
		return reader.error;
	rml_drift_init(counts, env, schema);
	counts->rows = rml_get_int(&reader, TAG_ROWS, 0, INT64_MAX);
	counts->complete = rml_get_int(&reader, TAG_COMPLETE, 0, counts->rows);
	counts->missing = rml_get_int64(&reader, TAG_NO_VALUE, (size_t) schema->n_features);
	counts->cells = rml_get_int64(&reader, TAG_CELLS, (size_t) counts->n_cells);
	return rml_reader_done(&reader);
}

/* ---- the index ---- */

/* rows behind the shares on either side */
typedef struct Totals
{
	double then;
	double now;
} Totals;

/* what a bin with these shares adds; one without rows has half a row, at most the other's share */
static double
bin_psi(Totals totals, double then, double now)
{
	double expected = fmax(then, fmin(now, 0.5 / totals.then));
	double actual = fmax(now, fmin(then, 0.5 / totals.now));

	return expected > 0 ? (actual - expected) * log(actual / expected) : 0.0;
}

static double
category_psi(const RmlFeature *feature, const int64_t *cells, Totals totals)
{
	int32_t other = feature->n_categories + 1;
	double psi =
		bin_psi(totals, (double) feature->n_missing / totals.then, (double) cells[0] / totals.now);

	for (int32_t i = 1; i < other; i++)
		psi += bin_psi(totals, (double) feature->counts[i - 1] / totals.then,
					   (double) cells[i] / totals.now);
	return psi + bin_psi(totals, 0.0, (double) cells[other] / totals.now);
}

/*
 * Deciles would not see a rare value come and go, but the mean of a boolean is the number of its true
 * rows, once the imputed ones are taken out.
 */
static double
boolean_psi(const RmlFeature *feature, const int64_t *cells, Totals totals)
{
	double missing = (double) feature->n_missing;
	double yes = round(feature->mean * totals.then - feature->impute * missing);
	double no = fmax(totals.then - missing - yes, 0.0);

	return bin_psi(totals, missing / totals.then, (double) cells[0] / totals.now) +
		   bin_psi(totals, no / totals.then, (double) cells[CELL_FALSE] / totals.now) +
		   bin_psi(totals, yes / totals.then, (double) cells[CELL_TRUE] / totals.now);
}

/* rows below each edge, and rows up to it; returns all that have a value */
static double
count_edges(const RmlFeature *feature, const int64_t *cells, double *below, double *upto)
{
	int64_t sum = 0;
	int edge = 0;

	for (int cell = 1; cell < NUMBER_CELLS; cell++)
	{
		for (int i = edge; i < RML_DECILES && number_cell(feature, feature->deciles[i]) == cell;
			 i++)
			below[i] = (double) sum;
		sum += cells[cell];
		for (; edge < RML_DECILES && number_cell(feature, feature->deciles[edge]) == cell; edge++)
			upto[edge] = (double) sum;
	}
	return (double) sum;
}

/*
 * From point start at height y as far as one straight line goes inside low .. high: the next point
 * of the string, and its height in *y.  Where the line would leave the tube, the string bends around the
 * bound that was the narrowest on the other side.
 */
static int
next_bend(const double *low, const double *high, int start, double *y)
{
	double steepest = INFINITY, flattest = -INFINITY;
	int steepest_at = start, flattest_at = start;

	for (int i = start + 1; i <= INTERVALS; i++)
	{
		double least = (low[i] - *y) / (i - start), most = (high[i] - *y) / (i - start);

		if (least > steepest)
		{
			*y = high[steepest_at];
			return steepest_at;
		}
		if (most < flattest)
		{
			*y = low[flattest_at];
			return flattest_at;
		}
		if (most <= steepest)
		{
			steepest = most;
			steepest_at = i;
		}
		if (least >= flattest)
		{
			flattest = least;
			flattest_at = i;
		}
	}
	*y = low[INTERVALS];
	return INTERVALS;
}

/* the taut string from low[0] = high[0] to low[10] = high[10]: line [RML_DECILES] */
static void
taut_string(const double *low, const double *high, double *line)
{
	int start = 0;

	line[0] = low[0];
	while (start < INTERVALS)
	{
		double from = line[start], to = from;
		int end = next_bend(low, high, start, &to);

		for (int i = start + 1; i <= end; i++)
			line[i] = i == end ? to : from + (to - from) * (i - start) / (end - start);
		start = end;
	}
}

/* the bins between the edges; an interval between two equal edges goes with its neighbours of the same */
static double
interval_psi(const double *deciles, const double *line, double present, Totals totals)
{
	double psi = 0.0;

	for (int begin = 0, end; begin < INTERVALS; begin = end)
	{
		end = begin + 1;
		while (end < INTERVALS && deciles[begin] == deciles[begin + 1] &&
			   deciles[end + 1] == deciles[begin])
			end++;
		psi += bin_psi(totals, present * (end - begin) / INTERVALS,
					   (line[end] - line[begin]) / totals.now);
	}
	return psi;
}

static double
number_psi(const RmlFeature *feature, const int64_t *cells, Totals totals)
{
	const double *deciles = feature->deciles;
	double present = 1.0 - (double) feature->n_missing / totals.then;
	double below[RML_DECILES], upto[RML_DECILES], line[RML_DECILES];
	double all = count_edges(feature, cells, below, upto);
	double psi =
		bin_psi(totals, (double) feature->n_missing / totals.then, (double) cells[0] / totals.now);
	double begin = deciles[0] == deciles[1] ? below[0] : 0.0;
	double end = deciles[INTERVALS - 1] == deciles[INTERVALS] ? upto[INTERVALS] : all;

	psi += bin_psi(totals, 0.0, begin / totals.now);
	psi += bin_psi(totals, 0.0, (all - end) / totals.now);
	below[0] = upto[0] = begin;
	below[INTERVALS] = upto[INTERVALS] = end;
	taut_string(below, upto, line);
	return psi + interval_psi(deciles, line, present, totals);
}

static double
feature_psi(const RmlFeature *feature, const int64_t *cells, Totals totals)
{
	switch (feature->kind)
	{
		case RML_CATEGORICAL:
			return category_psi(feature, cells, totals);
		case RML_BOOLEAN:
			return boolean_psi(feature, cells, totals);
		default:
			return number_psi(feature, cells, totals);
	}
}

static const char *
verdict(double psi)
{
	if (isnan(psi))
		return NULL;
	if (psi < RML_DRIFT_SHIFTED)
		return "stable";
	return psi <= RML_DRIFT_DRIFTED ? "shifted" : "drifted";
}

void
rml_drift_measure(const RmlDriftCounts *counts, RmlDrift *drift)
{
	const RmlSchema *schema = counts->schema;
	bool skip = schema->impute == RML_IMPUTE_SKIP;
	Totals totals = {(double) schema->rows, (double) (skip ? counts->complete : counts->rows)};

	for (int i = 0; i < schema->n_features; i++)
	{
		const RmlFeature *feature = &schema->features[i];
		const int64_t *cells = counts->cells + counts->first[i];

		drift[i].psi = totals.now > 0 ? feature_psi(feature, cells, totals) : NAN;
		drift[i].unseen = totals.now > 0 && feature->kind == RML_CATEGORICAL
							  ? (double) cells[feature->n_categories + 1] / totals.now
							  : NAN;
		drift[i].null_then = skip ? NAN : (double) feature->n_missing / totals.then;
		drift[i].null_now = (double) counts->missing[i] / (double) counts->rows;
		drift[i].verdict = verdict(drift[i].psi);
	}
}
