/*
 * test_popularity.c
 *	  Buyers, units and ranks of items against a plain count, in any order and in parts.
 */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "retailml/popularity.h"
#include "retailml/rng.h"

enum
{
	rows_n = 50000,
	users_n = 400,
	items_n = 150
};

static int64_t
draw(uint64_t stream, int64_t i, int64_t n)
{
	return (int64_t) (rml_rng_uniform(3, stream, (uint64_t) i) * (double) n);
}

/* powers of two from 2^-20 on: sums are exact in float8 too */
static double
units_of(int64_t i)
{
	return ldexp((double) (draw(2, i, 1000) - 200), -(int) draw(3, i, 20));
}

static void
add_row(RmlItemSums *sums, RmlEnv *env, int64_t i, bool huge)
{
	int64_t user = draw(0, i, users_n), item = draw(1, i, items_n) - 50;
	double units = units_of(i);
	char text[32];
	int length = snprintf(text, sizeof text, "sku %lld", (long long) item + 1000);
	int32_t user_code = -1;

	if (sums->by_user)
		user_code = sums->users.text
						? rml_rating_code_text(&sums->users, env, text, (size_t) (user % length))
						: rml_rating_code_number(&sums->users, env, user);
	/* of three rows one does not fit a fixed sum, and another one takes back as much */
	if (huge && i % 3 < 2)
		units = ldexp(i % 3 == 0 ? 1 : -1, 500);
	if (sums->items.text)
		item = rml_rating_code_text(&sums->items, env, text, (size_t) length);
	else
		item = rml_rating_code_number(&sums->items, env, item);
	rml_item_sums_add(sums, env, user_code, (int32_t) item, units);
}

/* ---- a plain count ---- */

static void
test_count(RmlEnv *env, bool by_user)
{
	static uint8_t has[users_n][items_n];
	static int64_t buyers[items_n];
	static double units[items_n];
	double total = 0;
	RmlItemSums sums;
	RmlRatingIds ids;
	RmlPopularItem *popular;
	bool counted = true, shared = true, ranked = true;

	memset(has, 0, sizeof has);
	memset(buyers, 0, sizeof buyers);
	memset(units, 0, sizeof units);
	rml_item_sums_init(&sums, false, by_user);
	for (int64_t i = 0; i < rows_n; i++)
	{
		int64_t user = draw(0, i, users_n), item = draw(1, i, items_n);

		add_row(&sums, env, i, false);
		buyers[item] += by_user ? !has[user][item] : 1;
		has[user][item] = 1;
		units[item] += units_of(i);
		total += units_of(i);
	}
	unit_equal_string(rml_popularity(&sums, env, &ids, &popular), NULL, "it has a result");
	unit_equal_int(ids.n, items_n, "all items");
	for (int32_t i = 0; i < items_n; i++)
	{
		const RmlPopularItem *p = &popular[i];

		counted = counted && ids.numbers[p->item] == p->item - 50 && p->buyers == buyers[p->item] &&
				  p->units == units[p->item];
		shared = shared && fabs(p->share - units[p->item] / total) < 1e-15;
		if (i > 0)
			ranked = ranked && (p[-1].buyers > p->buyers ||
								(p[-1].buyers == p->buyers && p[-1].units > p->units));
	}
	unit_ok(counted, "buyers and units of each");
	unit_ok(shared, "its share");
	unit_ok(ranked, "in order");
}

/* ---- order and parts ---- */

static bool
same(RmlEnv *env, const RmlItemSums *a, const RmlItemSums *b)
{
	RmlRatingIds ids, other_ids;
	RmlPopularItem *popular, *other;

	if (rml_popularity(a, env, &ids, &popular) != NULL ||
		rml_popularity(b, env, &other_ids, &other) != NULL || ids.n != other_ids.n)
		return false;
	for (int32_t i = 0; i < ids.n; i++)
		if (popular[i].item != other[i].item || popular[i].buyers != other[i].buyers ||
			popular[i].units != other[i].units || popular[i].share != other[i].share ||
			strcmp(rml_rating_id_text(&ids, env, i), rml_rating_id_text(&other_ids, env, i)) != 0)
			return false;
	return true;
}

static void
test_parts(RmlEnv *env, bool text, bool by_user, bool huge)
{
	RmlItemSums whole, backwards, parts[3], read;

	rml_item_sums_init(&whole, text, by_user);
	rml_item_sums_init(&backwards, text, by_user);
	rml_item_sums_init(&read, text, by_user);
	for (int p = 0; p < 3; p++)
		rml_item_sums_init(&parts[p], text, by_user);
	for (int64_t i = 0; i < rows_n; i++)
	{
		add_row(&whole, env, i, huge);
		add_row(&backwards, env, rows_n - 1 - i, huge);
		add_row(&parts[i * 5 % 7 % 3], env, i, huge);
	}
	unit_ok(same(env, &whole, &backwards), "the order of rows does not matter");
	for (int p = 0; p < 3; p++)
	{
		char *bytes = rml_alloc(env, rml_item_sums_serial_size(&parts[p]));

		rml_item_sums_write(&parts[p], env, bytes);
		rml_item_sums_read(&read, env, bytes);
	}
	unit_ok(same(env, &whole, &read), "nor the process they came to");
	unit_ok(!same(env, &whole, &parts[0]), "a part is not the whole");
}

static void
test_refusals(RmlEnv *env)
{
	RmlItemSums sums;
	RmlRatingIds ids;
	RmlPopularItem *popular;

	rml_item_sums_init(&sums, false, false);
	for (int i = 0; i < 3; i++)
		rml_item_sums_add(&sums, env, -1, rml_rating_code_number(&sums.items, env, 8 - i / 2),
						  DBL_MAX);
	unit_equal_string(rml_popularity(&sums, env, &ids, &popular),
					  "the units of item 8 are beyond the range of float8", "too many of one");
	rml_item_sums_init(&sums, false, false);
	for (int i = 0; i < 2; i++)
		rml_item_sums_add(&sums, env, -1, rml_rating_code_number(&sums.items, env, i), DBL_MAX);
	unit_equal_string(rml_popularity(&sums, env, &ids, &popular),
					  "the units of all items are beyond the range of float8", "or of all");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_count(env, false);
	test_count(env, true);
	test_parts(env, false, false, true);
	test_parts(env, false, true, false);
	test_parts(env, true, false, false);
	test_parts(env, true, true, true);
	test_refusals(env);
	unit_env_free(env);
	return unit_done();
}
