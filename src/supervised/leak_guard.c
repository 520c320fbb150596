/*
 * leak_guard.c
 *	  Which rows and classes are looked at, and which features are reported.
 */
#include "retailml/leak_guard.h"

#include <string.h>

#include "leak_guard_internal.h"

#define POLL_EVERY (1 << 18)

const char *
rml_leak_measure(const RmlTarget *target)
{
	return target->task == RML_REGRESSION ? "R2" : "AUC";
}

/* ---- classes ---- */

static int64_t *
count_classes(RmlEnv *env, const RmlTrainingSet *rows)
{
	int64_t *counts = RML_NEW_ZERO(env, int64_t, (size_t) rows->target.n_classes);

	for (int64_t i = 0; i < rows->n; i++)
	{
		counts[rows->classes[i]]++;
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
	return counts;
}

/* the largest class that is not listed yet and large enough, or -1; of equals, the first */
static int
next_class(const int64_t *counts, const int *place, int n_classes)
{
	int best = -1;

	for (int k = 0; k < n_classes; k++)
		if (place[k] < 0 && counts[k] >= RML_LEAK_MIN_CLASS &&
			(best < 0 || counts[k] > counts[best]))
			best = k;
	return best;
}

/* place[k]: number of class k among those looked at, or -1; returns how many these are */
static int
choose_classes(RmlEnv *env, const RmlTrainingSet *rows, int *place)
{
	int64_t *counts = count_classes(env, rows);
	int chosen = 0;

	for (int k = 0; k < rows->target.n_classes; k++)
		place[k] = -1;
	while (chosen < RML_LEAK_CLASSES)
	{
		int k = next_class(counts, place, rows->target.n_classes);

		if (k < 0)
			break;
		place[k] = chosen++;
	}
	rml_release(env, counts);
	return chosen;
}

/* ---- rows ---- */

/* is row i, of a class that was met `met` times before it, part of the sample? */
static bool
in_sample(int64_t i, int64_t met)
{
	return i < RML_LEAK_ROWS || met < RML_LEAK_CLASS_ROWS;
}

/* how many rows of each chosen class are looked at: sizes [n_classes of the look] */
static void
count_chosen(RmlLook *look, const int *place, bool sample, int64_t *sizes)
{
	int64_t met[RML_LEAK_CLASSES] = {0};

	memset(sizes, 0, sizeof(int64_t) * RML_LEAK_CLASSES);
	for (int64_t i = 0; i < look->rows->n; i++)
	{
		int p = place[look->rows->classes[i]];

		if (p >= 0 && (!sample || in_sample(i, met[p]++)))
			sizes[p]++;
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(look->env);
	}
}

/* the rows of each chosen class, one class after the other */
static void
group_rows(RmlLook *look, const int *place, bool sample)
{
	int64_t met[RML_LEAK_CLASSES] = {0}, next[RML_LEAK_CLASSES], sizes[RML_LEAK_CLASSES];

	count_chosen(look, place, sample, sizes);
	look->start[0] = 0;
	for (int p = 0; p < look->n_classes; p++)
	{
		next[p] = look->start[p];
		look->start[p + 1] = look->start[p] + sizes[p];
	}
	look->m = look->start[look->n_classes];
	look->picked = RML_NEW(look->env, int64_t, (size_t) look->m);
	for (int64_t i = 0; i < look->rows->n; i++)
	{
		int p = place[look->rows->classes[i]];

		if (p >= 0 && (!sample || in_sample(i, met[p]++)))
			look->picked[next[p]++] = i;
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(look->env);
	}
}

static void
pick_leading(RmlLook *look, bool sample)
{
	look->m = sample && look->rows->n > RML_LEAK_ROWS ? RML_LEAK_ROWS : look->rows->n;
	look->picked = RML_NEW(look->env, int64_t, (size_t) look->m);
	for (int64_t i = 0; i < look->m; i++)
		look->picked[i] = i;
}

/* false when there is too little to say anything */
static bool
look_begin(RmlLook *look, RmlEnv *env, const RmlTrainingSet *rows, bool sample)
{
	memset(look, 0, sizeof *look);
	look->env = env;
	look->rows = rows;
	if (rows->n < RML_LEAK_MIN_ROWS)
		return false;
	if (rows->target.task == RML_REGRESSION)
		pick_leading(look, sample);
	else
	{
		int *place = RML_NEW(env, int, (size_t) rows->target.n_classes);

		look->n_classes = choose_classes(env, rows, place);
		if (look->n_classes >= 2)
			group_rows(look, place, sample);
		rml_release(env, place);
		if (look->n_classes < 2)
			return false;
	}
	rml_look_prepare(look);
	return true;
}

static void
look_end(RmlLook *look)
{
	rml_release(look->env, look->picked);
	rml_look_release(look);
}

/* ---- features ---- */

static double
score_feature(RmlLook *look, int index, bool *by_missing)
{
	const RmlFeature *feature = &look->rows->schema->features[index];
	double score, missing;

	*by_missing = false;
	if (feature->kind == RML_CATEGORICAL)
		return rml_look_category(look, feature);
	score = rml_look_number(look, feature);
	if (feature->n_missing == 0)
		return score;
	missing = rml_look_missing(look, feature);
	*by_missing = missing > score;
	return missing > score ? missing : score;
}

double
rml_leak_score(RmlEnv *env, const RmlTrainingSet *rows, int feature, bool *by_missing)
{
	RmlLook look;
	double score = 0.0;

	*by_missing = false;
	if (look_begin(&look, env, rows, false))
		score = score_feature(&look, feature, by_missing);
	look_end(&look);
	return score;
}

/* keep of the n candidates those that score on all rows what they must */
static int
confirm(RmlEnv *env, const RmlTrainingSet *rows, RmlLeak *leaks, int n)
{
	int kept = 0;
	RmlLook look;

	if (look_begin(&look, env, rows, false))
		for (int i = 0; i < n; i++)
		{
			RmlLeak leak = {.feature = leaks[i].feature};

			leak.score = score_feature(&look, leak.feature, &leak.by_missing);
			if (leak.score >= RML_LEAK_SCORE)
				leaks[kept++] = leak;
		}
	look_end(&look);
	return kept;
}

int
rml_leak_guard(RmlEnv *env, const RmlTrainingSet *rows, RmlLeak *leaks)
{
	int suspects = 0;
	RmlLook look;

	if (look_begin(&look, env, rows, true))
		for (int i = 0; i < rows->schema->n_features; i++)
		{
			RmlLeak leak = {.feature = i};

			leak.score = score_feature(&look, i, &leak.by_missing);
			if (leak.score >= RML_LEAK_SUSPECT)
				leaks[suspects++] = leak;
		}
	look_end(&look);
	return suspects == 0 ? 0 : confirm(env, rows, leaks, suspects);
}

size_t
rml_leak_guard_bytes(const RmlTrainingSet *rows)
{
	size_t n = (size_t) rows->n, classes = (size_t) rows->target.n_classes;
	int32_t widest = 0;

	for (int i = 0; i < rows->schema->n_features; i++)
		if (rows->schema->features[i].n_categories > widest)
			widest = rows->schema->features[i].n_categories;
	return RML_LOOK_ROW_BYTES * n + RML_LOOK_CATEGORY_BYTES * ((size_t) widest + 2) +
		   classes * (sizeof(int) + sizeof(int64_t)) + RML_LOOK_FIXED_BYTES;
}
