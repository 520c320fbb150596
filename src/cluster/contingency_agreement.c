/*
 * contingency_agreement.c
 *	  Adjusted Rand index and normalized mutual information of a label table.
 */
#include <math.h>

#include "retailml/contingency.h"

#define POLL_EVERY 65536

/* sums over at most 2^63 rows squared fit in 126 bits */
typedef unsigned __int128 Wide;

static void
poll_sometimes(RmlEnv *env, int64_t i)
{
	if (i % POLL_EVERY == POLL_EVERY - 1)
		rml_poll(env);
}

/* the same rows together in both: each label has exactly one partner */
static bool
is_renaming(const RmlLabelTable *table)
{
	return table->n_pairs == table->n_a && table->n_pairs == table->n_b;
}

static Wide
sum_of_squares(const int64_t *sizes, int64_t count, RmlEnv *env)
{
	Wide sum = 0;

	for (int64_t i = 0; i < count; i++)
	{
		sum += (Wide) sizes[i] * (Wide) sizes[i];
		poll_sometimes(env, i);
	}
	return sum;
}

static Wide
sum_of_squared_pairs(const RmlLabelTable *table, RmlEnv *env)
{
	Wide sum = 0;

	for (int64_t i = 0; i < table->n_pairs; i++)
	{
		sum += (Wide) table->pairs[i].n * (Wide) table->pairs[i].n;
		poll_sometimes(env, i);
	}
	return sum;
}

/*
 * With the (ordered) pairs of rows that are together in both (tp), in neither (tn), in one only
 * (fp, fn), the index is
 *
 *	  2 (tp tn - fn fp) / ((tp + fn)(fn + tn) + (tp + fp)(fp + tn))
 *
 * The four are exact, and each product of the numerator is at most the denominator, so rounding
 * here costs no more than a few units of the last place of 1.
 */
double
rml_adjusted_rand_index(const RmlLabelTable *table, RmlEnv *env)
{
	Wide both, tn_count;
	double tp, tn, fp, fn;

	if (table->n == 0)
		return NAN;
	if (is_renaming(table))
		return 1.0;
	both = sum_of_squared_pairs(table, env);
	tp = (double) (both - (Wide) table->n);
	fp = (double) (sum_of_squares(table->b_sizes, table->n_b, env) - both);
	fn = (double) (sum_of_squares(table->a_sizes, table->n_a, env) - both);
	tn_count = (Wide) table->n * (Wide) table->n + both;
	tn_count -= sum_of_squares(table->a_sizes, table->n_a, env);
	tn_count -= sum_of_squares(table->b_sizes, table->n_b, env);
	tn = (double) tn_count;
	return 2.0 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn));
}

/* -p ln p of p = size / n; near p = 1 from the rest, which keeps its digits there */
static double
entropy_term(int64_t size, int64_t n)
{
	double p = (double) size / (double) n;

	return -p * (size > n / 2 ? log1p(-(double) (n - size) / (double) n) : log(p));
}

static double
entropy(const int64_t *sizes, int64_t count, int64_t n, RmlEnv *env)
{
	double sum = 0.0;

	for (int64_t i = 0; i < count; i++)
	{
		sum += entropy_term(sizes[i], n);
		poll_sometimes(env, i);
	}
	return sum;
}

/* n_ij / n ln (n n_ij / (a_i b_j)); near 1 from the exact difference, which keeps its digits there */
static double
information_term(int64_t n_ij, int64_t a_i, int64_t b_j, int64_t n)
{
	__int128 expected = (__int128) a_i * b_j;
	__int128 observed = (__int128) n * n_ij;
	double share = (double) n_ij / (double) n;

	if (observed < expected / 2)
		return share * log((double) observed / (double) expected);
	return share * log1p((double) (observed - expected) / (double) expected);
}

double
rml_normalized_mutual_information(const RmlLabelTable *table, RmlEnv *env)
{
	double information = 0.0, normalizer;

	if (table->n == 0)
		return NAN;
	if (is_renaming(table))
		return 1.0;
	if (table->n_a == 1 || table->n_b == 1)
		return 0.0;
	for (int64_t i = 0; i < table->n_pairs; i++)
	{
		information += information_term(table->pairs[i].n, table->a_sizes[table->a_index[i]],
										table->b_sizes[table->b_index[i]], table->n);
		poll_sometimes(env, i);
	}
	normalizer = 0.5 * (entropy(table->a_sizes, table->n_a, table->n, env) +
						entropy(table->b_sizes, table->n_b, table->n, env));
	return fmin(fmax(information / normalizer, 0.0), 1.0);
}
