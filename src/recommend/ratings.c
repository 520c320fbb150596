/*
 * ratings.c
 *	  Sparse ratings and the ids of their users and items.
 */
#include "retailml/ratings.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "retailml/fold.h"
#include "retailml/rng.h"

#define POLL_RATINGS 1000000
#define POLL_IDS (1 << 18)

/* stream of random numbers: pairs of a user and an item */
#define STREAM_PAIRS UINT64_C(0x7261746564206279)

/* ---- ids ---- */

int32_t
rml_rating_ids_number(const RmlRatingIds *ids, int64_t number)
{
	int32_t low = 0;
	int32_t high = ids->n;

	while (low < high)
	{
		int32_t middle = low + (high - low) / 2;

		if (ids->numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ids->n && ids->numbers[low] == number ? low : -1;
}

/* as strcmp would order text [length] and an id */
static int
compare_text(const char *text, size_t length, const char *id)
{
	int order = strncmp(text, id, length);

	return order != 0 || id[length] == '\0' ? order : -1;
}

int32_t
rml_rating_ids_text(const RmlRatingIds *ids, const char *text, size_t length)
{
	int32_t low = 0;
	int32_t high = ids->n;

	while (low < high)
	{
		int32_t middle = low + (high - low) / 2;
		int order = compare_text(text, length, ids->texts[middle]);

		if (order == 0)
			return middle;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

const char *
rml_rating_id_text(const RmlRatingIds *ids, RmlEnv *env, int32_t position)
{
	if (ids->texts != NULL)
		return ids->texts[position];
	return rml_format(env, "%" PRId64, ids->numbers[position]);
}

/* ---- keys ---- */

uint64_t *
rml_rating_keys(const RmlRatingIds *ids, RmlEnv *env)
{
	uint64_t *keys = RML_NEW(env, uint64_t, (size_t) ids->n);

	for (int32_t i = 0; i < ids->n; i++)
	{
		keys[i] = ids->texts == NULL ? rml_split_integer(ids->numbers[i]).bits
									 : rml_split_bytes(ids->texts[i], strlen(ids->texts[i])).bits;
		if (i % POLL_IDS == 0)
			rml_poll(env);
	}
	return keys;
}

uint64_t
rml_rating_pair_key(uint64_t user_key, uint64_t item_key, int64_t seed)
{
	uint64_t user = rml_rng_u64((uint64_t) seed, STREAM_PAIRS, user_key);

	return rml_rng_u64(user, STREAM_PAIRS, item_key);
}

/* ---- ratings ---- */

void
rml_ratings_without(const RmlRatings *ratings, RmlEnv *env, const uint8_t *sides, uint8_t side,
					RmlRatings *part)
{
	int64_t n = 0, polled = 0;

	for (int64_t r = 0; r < ratings->n; r++)
	{
		n += sides[r] != side;
		if (r % POLL_RATINGS == 0)
			rml_poll(env);
	}
	part->n_users = ratings->n_users;
	part->n_items = ratings->n_items;
	part->starts = RML_NEW(env, int64_t, (size_t) ratings->n_users + 1);
	part->items = RML_NEW(env, int32_t, (size_t) n);
	part->values = RML_NEW(env, float, (size_t) n);
	part->n = 0;
	for (int32_t user = 0; user < ratings->n_users; user++)
	{
		part->starts[user] = part->n;
		for (int64_t r = ratings->starts[user]; r < ratings->starts[user + 1]; r++)
			if (sides[r] != side)
			{
				part->items[part->n] = ratings->items[r];
				part->values[part->n++] = ratings->values[r];
			}
		if (ratings->starts[user + 1] + user < polled + POLL_RATINGS)
			continue;
		polled = ratings->starts[user + 1] + user;
		rml_poll(env);
	}
	part->starts[ratings->n_users] = part->n;
}

int32_t
rml_ratings_block_user(const RmlRatings *ratings, int64_t block, int64_t size, int64_t weight)
{
	int32_t low = 0, high = ratings->n_users;

	while (low < high)
	{
		int32_t middle = low + (high - low) / 2;

		if (ratings->starts[middle] + weight * middle < block * size)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
rml_ratings_release(RmlRatings *ratings, RmlEnv *env)
{
	rml_release(env, ratings->starts);
	rml_release(env, ratings->items);
	rml_release(env, ratings->values);
}

int64_t *
rml_ratings_buyers(const RmlRatings *ratings, RmlEnv *env)
{
	int64_t *buyers = RML_NEW_ZERO(env, int64_t, (size_t) ratings->n_items);

	for (int64_t r = 0; r < ratings->n; r++)
	{
		buyers[ratings->items[r]]++;
		if (r % POLL_RATINGS == 0)
			rml_poll(env);
	}
	return buyers;
}

double *
rml_log_buyers(RmlEnv *env, const int64_t *buyers, int32_t n_items)
{
	double *logs = RML_NEW(env, double, (size_t) n_items);

	for (int32_t item = 0; item < n_items; item++)
	{
		logs[item] = buyers[item] > 0 ? log((double) buyers[item]) : 0;
		if (item % POLL_RATINGS == 0)
			rml_poll(env);
	}
	return logs;
}
