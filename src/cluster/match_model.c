/*
 * match_model.c
 *	  Numbers and names for the clusters of a model that continues another one.
 */
#include "retailml/match_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "retailml/assignment.h"

const RmlOption rml_match_options[] = {
	RML_FLOAT_OPTION(RmlMatchParams, max_distance, -1, 0, 1e9),
};

const int rml_match_n_options = sizeof rml_match_options / sizeof rml_match_options[0];

size_t
rml_match_bytes(const RmlMatchSide *new_side, const RmlMatchSide *old_side)
{
	size_t n = (size_t) new_side->clusters->k, o = (size_t) old_side->clusters->k;
	size_t width = (size_t) old_side->schema->n_features +
				   (size_t) rml_category_places(old_side->schema) +
				   (size_t) rml_category_places(new_side->schema);

	return sizeof(double) * ((n + o) * (width + 2) + n * o + o * o) +
		   rml_assignment_bytes((int) n, (int) o);
}

/* ---- who continues whom ---- */

/* the mean distance of the k old clusters to their nearest neighbours; a single one has none */
static double
mean_nearest(const double *within_old, int k)
{
	double sum = 0.0;

	for (int i = 0; i < k; i++)
	{
		double nearest = INFINITY;

		for (int j = 0; j < k; j++)
			if (j != i)
				nearest = fmin(nearest, within_old[(size_t) i * k + j]);
		sum += nearest;
	}
	return sum / k;
}

/*
 * The old cluster that each new one continues, partner [new k], or RML_UNASSIGNED.  What is beyond
 * the limit costs the next number above it, so that a pair at the limit is better than none.
 */
static const char *
find_partners(RmlEnv *env, const RmlMatchParams *params, const RmlMatchSide *new_side,
			  const RmlMatchSide *old_side, int32_t *partner)
{
	int n = new_side->clusters->k, o = old_side->clusters->k;
	size_t pairs = (size_t) n * (size_t) o;
	double *cost = RML_NEW(env, double, pairs);
	double *within_old = RML_NEW(env, double, (size_t) o *(size_t) o);
	const char *reason = rml_match_distances(env, new_side, old_side, cost, within_old);
	double limit = params->max_distance;

	if (reason != NULL)
		return reason;
	if (limit < 0)
		limit = mean_nearest(within_old, o);
	for (size_t i = 0; i < pairs; i++)
		cost[i] = fmin(cost[i], nextafter(limit, INFINITY));
	rml_assignment_solve(env, cost, n, o, partner, NULL, NULL);
	for (int i = 0; i < n; i++)
		if (partner[i] != RML_UNASSIGNED && cost[(size_t) i * o + partner[i]] > limit)
			partner[i] = RML_UNASSIGNED;
	rml_release(env, cost);
	rml_release(env, within_old);
	return NULL;
}

/* ---- numbers ---- */

/* new clusters without a partner are numbered in the order they had */
static const char *
give_numbers(RmlEnv *env, const RmlMatchSide *new_side, const RmlMatchSide *old_side,
			 const int32_t *partner, RmlSegmentIds *ids)
{
	const RmlSegmentIds *old_ids = old_side->clusters->ids;
	int k = new_side->clusters->k;
	int32_t *order = rml_segment_ids_order(new_side->clusters->ids, env, k);

	ids->numbers = RML_NEW(env, int32_t, (size_t) k);
	ids->highest = old_ids->highest;
	for (int i = 0; i < k; i++)
	{
		int c = order[i];

		if (partner[c] != RML_UNASSIGNED)
			ids->numbers[c] = old_ids->numbers[partner[c]];
		else if (ids->highest < INT32_MAX)
			ids->numbers[c] = ++ids->highest;
		else
			return "all numbers of clusters have been given";
	}
	rml_release(env, order);
	return NULL;
}

/* ---- names ---- */

/* names that are in use: those of the old clusters, and of the new ones so far */
typedef struct Taken
{
	char *const *old_names; /* [old_k] */
	int old_k;
	char **names; /* [k] NULL: none yet */
	int k;
} Taken;

static bool
is_taken(const Taken *taken, const char *name)
{
	for (int i = 0; i < taken->old_k; i++)
		if (strcmp(taken->old_names[i], name) == 0)
			return true;
	for (int i = 0; i < taken->k; i++)
		if (taken->names[i] != NULL && strcmp(taken->names[i], name) == 0)
			return true;
	return false;
}

/* bytes of a prefix of at most so many bytes that cuts no UTF-8 character */
static size_t
prefix_length(const char *text, size_t most)
{
	size_t length = strlen(text);

	if (length <= most)
		return length;
	while (most > 0 && ((unsigned char) text[most] & 0xC0) == 0x80)
		most--;
	return most;
}

/* "Promising" of "Promising 3" where there is a "Promising", else the name itself */
static const char *
twin_base(RmlEnv *env, const Taken *taken, const char *name)
{
	size_t length = strlen(name), base = length;
	char *result;

	while (base > 0 && name[base - 1] >= '0' && name[base - 1] <= '9')
		base--;
	if (base < 2 || base == length || name[base - 1] != ' ')
		return name;
	result = rml_strndup(env, name, base - 1);
	return is_taken(taken, result) ? result : name;
}

/* the name, or its next twin that is not taken: "Promising 2", "Promising 3" */
static char *
free_name(RmlEnv *env, const Taken *taken, const char *name)
{
	char *own = rml_strndup(env, name, prefix_length(name, RML_SEGMENT_NAME_MAX));
	const char *base;

	if (!is_taken(taken, own))
		return own;
	base = twin_base(env, taken, own);
	for (int i = 2;; i++)
	{
		char suffix[16], *candidate;
		size_t room;

		rml_poll(env);
		snprintf(suffix, sizeof suffix, " %d", i);
		room = RML_SEGMENT_NAME_MAX - strlen(suffix);
		candidate = rml_format(env, "%.*s%s", (int) prefix_length(base, room), base, suffix);
		if (!is_taken(taken, candidate))
			return candidate;
		rml_release(env, candidate);
	}
}

static void
give_names(RmlEnv *env, const RmlMatchSide *new_side, const RmlMatchSide *old_side,
		   const int32_t *partner, RmlSegmentIds *ids)
{
	int k = new_side->clusters->k;
	Taken taken = {old_side->names, old_side->clusters->k, NULL, k};

	ids->names = RML_NEW_ZERO(env, char *, (size_t) k);
	taken.names = ids->names;
	for (int c = 0; c < k; c++)
		if (partner[c] != RML_UNASSIGNED)
			ids->names[c] = rml_strdup(env, old_side->names[partner[c]]);
	for (int c = 0; c < k; c++)
		if (partner[c] == RML_UNASSIGNED)
			ids->names[c] = free_name(env, &taken, new_side->names[c]);
}

const char *
rml_match_model(RmlEnv *env, const RmlMatchParams *params, const RmlMatchSide *new_side,
				const RmlMatchSide *old_side, RmlSegmentIds *ids)
{
	int32_t *partner = RML_NEW(env, int32_t, (size_t) new_side->clusters->k);
	const char *reason = find_partners(env, params, new_side, old_side, partner);

	if (reason == NULL)
		reason = give_numbers(env, new_side, old_side, partner, ids);
	ids->names = NULL;
	if (reason == NULL && old_side->names != NULL)
		give_names(env, new_side, old_side, partner, ids);
	rml_release(env, partner);
	return reason;
}
