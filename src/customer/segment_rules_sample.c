/*
 * segment_rules_sample.c
 *	  The rows one cluster's search looks at, and their values in bins.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/parallel.h"

#include "segment_rules_internal.h"

#define POLL_ROWS (1 << 18)

/*
 * Values are put in bins of 1 / TARGET_BINS of the cluster and the rest together (each counts
 * half).  A heavy value gets a bin of its own, so there are up to twice as many, and two more around the
 * range of the cluster.
 */
#define TARGET_BINS 120

/* ---- rows ---- */

/* the first rows inside and outside; inside ones come first */
static void
choose_rows(RmlEnv *env, const RmlRuleRows *rows, int32_t cluster, int64_t members,
			RuleSample *sample)
{
	int64_t others = rows->n - members;
	int32_t n_inside = (int32_t) (members < RML_RULE_INSIDE ? members : RML_RULE_INSIDE);
	int32_t n_outside = (int32_t) (others < RML_RULE_OUTSIDE ? others : RML_RULE_OUTSIDE);
	int32_t inside = 0, outside = 0;

	for (int64_t i = 0; inside < n_inside || outside < n_outside; i++)
	{
		if (rows->labels[i] == cluster)
		{
			if (inside < n_inside)
				sample->rows[inside++] = i;
		}
		else if (outside < n_outside)
			sample->rows[n_inside + outside++] = i;
		if (i % POLL_ROWS == POLL_ROWS - 1)
			rml_poll(env);
	}
	sample->n = n_inside + n_outside;
	sample->n_inside = n_inside;
	sample->size = members;
	sample->inside_weight = (double) members / n_inside;
	sample->outside_weight = n_outside == 0 ? 0.0 : (double) others / n_outside;
}

/* ---- numbers ---- */

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

/* sorted values of a column that are there, from the first rows of one side; their number */
static int
gather(const RmlRuleRows *rows, const RuleSample *sample, int slot, int start, int end,
	   double *values)
{
	int n = 0;

	if (end - start > RULE_CUT_ROWS)
		end = start + RULE_CUT_ROWS;
	for (int i = start; i < end; i++)
	{
		double x = rows->numbers[sample->rows[i] * rows->d_num + slot];

		if (!isnan(x))
			values[n++] = x;
	}
	if (n > 1)
		qsort(values, (size_t) n, sizeof values[0], compare_doubles);
	return n;
}

/* two sorted lists, value by value of their union */
typedef struct Merge
{
	const double *inside;
	const double *outside;
	int n_inside;
	int n_outside;
	int i; /* read so far */
	int o;
	double value;
	double weight; /* share of the inside that has this value + share of the outside */
	bool is_inside;
	bool is_outside;
} Merge;

static bool
next_value(Merge *m)
{
	int i = m->i, o = m->o;

	if (i == m->n_inside && o == m->n_outside)
		return false;
	m->value = i == m->n_inside || (o < m->n_outside && m->outside[o] < m->inside[i])
				   ? m->outside[o]
				   : m->inside[i];
	while (m->i < m->n_inside && m->inside[m->i] == m->value)
		m->i++;
	while (m->o < m->n_outside && m->outside[m->o] == m->value)
		m->o++;
	m->is_inside = m->i > i;
	m->is_outside = m->o > o;
	m->weight = (m->is_inside ? (double) (m->i - i) / m->n_inside : 0.0) +
				(m->is_outside ? (double) (m->o - o) / m->n_outside : 0.0);
	return true;
}

/*
 * Cuts between neighbouring values, but for those between two that are only inside, or only outside:
 * no rule is best there (Fayyad and Irani, On the handling of continuous-valued attributes in decision
 * tree generation, Machine Learning 8, 1992).  False when there are too many.
 */
static bool
cut_everywhere(RuleColumn *column, Merge m)
{
	bool inside = false, outside = false;
	double previous = NAN;
	int n = 0;

	while (next_value(&m))
	{
		bool pure = (inside && m.is_inside && !outside && !m.is_outside) ||
					(outside && m.is_outside && !inside && !m.is_inside);

		if (!isnan(previous) && !pure)
		{
			if (n == RULE_REST - 1)
				return false;
			column->cuts[n++] = previous;
		}
		previous = m.value;
		inside = m.is_inside;
		outside = m.is_outside;
	}
	column->n_bins = isnan(previous) ? 0 : n + 1;
	return true;
}

/* cuts where a bin is full, around heavy values and around the range of the cluster */
static void
cut_evenly(RuleColumn *column, Merge m)
{
	const double full = 2.0 / TARGET_BINS;
	double lowest = m.n_inside > 0 ? m.inside[0] : NAN;
	double highest = m.n_inside > 0 ? m.inside[m.n_inside - 1] : NAN;
	double previous = NAN, filled = 0.0;
	int n = 0;

	while (next_value(&m))
	{
		if (!isnan(previous) &&
			(m.weight >= full || filled >= full || m.value == lowest || previous == highest))
		{
			column->cuts[n++] = previous;
			filled = 0.0;
		}
		filled += m.weight;
		previous = m.value;
	}
	column->n_bins = n + 1;
}

/* the first bin whose cut is not below x */
static int
find_bin(const RuleColumn *column, double x)
{
	int first = 0, n = column->n_bins - 1;

	while (n > 0)
	{
		int half = n / 2;
		bool above = column->cuts[first + half] < x;

		first = above ? first + half + 1 : first;
		n = above ? n - half - 1 : half;
	}
	return first;
}

static void
bin_number(const RmlRuleRows *rows, RuleSample *sample, int slot, RuleScratch *scratch)
{
	RuleColumn *column = &sample->columns[slot];
	uint8_t *cells = sample->cells + (size_t) slot * sample->capacity;
	Merge m = {.inside = scratch->values, .outside = scratch->values + RULE_CUT_ROWS};

	m.n_inside = gather(rows, sample, slot, 0, sample->n_inside, scratch->values);
	m.n_outside =
		gather(rows, sample, slot, sample->n_inside, sample->n, scratch->values + RULE_CUT_ROWS);
	if (!cut_everywhere(column, m))
		cut_evenly(column, m);
	column->categorical = false;
	column->usable = !rows->ignored[slot] && column->n_bins > 1;
	if (!column->usable)
		return;
	for (int i = 0; i < sample->n; i++)
	{
		double x = rows->numbers[sample->rows[i] * rows->d_num + slot];

		cells[i] = isnan(x) ? RULE_REST : (uint8_t) find_bin(column, x);
	}
}

/* ---- categories ---- */

static int
compare_telling(const void *a, const void *b)
{
	const RuleCategory *x = a, *y = b;

	if (x->telling != y->telling)
		return x->telling < y->telling ? 1 : -1;
	return (x->code > y->code) - (x->code < y->code);
}

/*
 * Where there are more categories than bins, those get one whose share of the cluster and of the rest
 * differ most.  Fills scratch->categories, most telling first, and returns their number.
 */
static int
telling_codes(const RmlRuleRows *rows, const RuleSample *sample, int slot, RuleScratch *scratch)
{
	double *telling = scratch->telling;
	double inside = 1.0 / sample->n_inside;
	double outside = sample->n == sample->n_inside ? 0.0 : 1.0 / (sample->n - sample->n_inside);
	int n = 0;

	for (int32_t code = 0; code <= rows->n_categories[slot]; code++)
		telling[code] = 0.0;
	for (int i = 0; i < sample->n; i++)
		telling[rows->codes[sample->rows[i] * rows->d_cat + slot]] +=
			i < sample->n_inside ? inside : -outside;
	for (int32_t code = 1; code <= rows->n_categories[slot]; code++)
		if (telling[code] != 0.0)
			scratch->categories[n++] = (RuleCategory){fabs(telling[code]), code};
	qsort(scratch->categories, (size_t) n, sizeof scratch->categories[0], compare_telling);
	return n;
}

/* bins: missing, then the categories */
static void
choose_codes(const RmlRuleRows *rows, const RuleSample *sample, int slot, RuleColumn *column,
			 RuleScratch *scratch)
{
	int32_t categories = rows->n_categories[slot];
	int n;

	column->codes[RULE_MISSING] = 0;
	if (categories < RULE_REST)
	{
		for (int32_t code = 0; code <= categories; code++)
			column->codes[code] = code;
		column->n_bins = categories + 1;
		return;
	}
	n = telling_codes(rows, sample, slot, scratch);
	column->n_bins = n + 1 < RULE_REST ? n + 1 : RULE_REST;
	for (int b = 1; b < column->n_bins; b++)
		column->codes[b] = scratch->categories[b - 1].code;
}

static void
bin_category(const RmlRuleRows *rows, RuleSample *sample, int slot, RuleScratch *scratch)
{
	int j = rows->d_num + slot;
	RuleColumn *column = &sample->columns[j];
	uint8_t *cells = sample->cells + (size_t) j * sample->capacity;

	column->categorical = true;
	column->usable = true;
	choose_codes(rows, sample, slot, column, scratch);
	memset(scratch->bins, RULE_REST, (size_t) rows->n_categories[slot] + 1);
	for (int b = 0; b < column->n_bins; b++)
		scratch->bins[column->codes[b]] = (uint8_t) b;
	for (int i = 0; i < sample->n; i++)
		cells[i] = scratch->bins[rows->codes[sample->rows[i] * rows->d_cat + slot]];
}

/* ---- all columns ---- */

typedef struct Binning
{
	const RmlRuleRows *rows;
	RuleSample *sample;
	RuleScratch *scratch;
} Binning;

static void
bin_column(void *context, int64_t block, int thread)
{
	const Binning *binning = context;
	const RmlRuleRows *rows = binning->rows;

	if (block < rows->d_num)
		bin_number(rows, binning->sample, (int) block, &binning->scratch[thread]);
	else
		bin_category(rows, binning->sample, (int) block - rows->d_num, &binning->scratch[thread]);
}

void
rml_rule_sample(RmlEnv *env, const RmlRuleRows *rows, int32_t cluster, int64_t members,
				RuleScratch *scratch, RuleSample *sample)
{
	Binning binning = {rows, sample, scratch};

	choose_rows(env, rows, cluster, members, sample);
	rml_parallel(env, sample->d, bin_column, &binning);
}
