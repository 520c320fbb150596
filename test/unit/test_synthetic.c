/*
 * test_synthetic.c
 *	  The synthetic store against a second implementation (test/golden/synthetic.py), its promises
 *	  (prefix, independence of order) and the shares of its model.
 */
#include "unit.h"

#include "retailml/synthetic.h"

#define SEED 42
#define STANDARD \
	{ \
		.seed = SEED, .customers = 500, .products = 50, .days = 730, .repeat_rate = 0.3, \
		.signal = true \
	}

/* a share of n independent draws is within 4.5 standard deviations: fails once in 150,000 seeds */
static void
check_share(int64_t count, int64_t n, double share, const char *what)
{
	double got = (double) count / (double) n;
	double variance = share * (1 - share) / (double) n;

	unit_ok((got - share) * (got - share) <= 4.5 * 4.5 * variance, "share of %s: %.4f, wanted %.4f",
			what, got, share);
}

/* ---- golden */

static void
test_golden_products(void)
{
	UnitCsv *csv = unit_golden("synthetic_products.csv");
	bool equal = true;

	for (size_t i = 0; csv != NULL && i < csv->rows; i++)
	{
		RmlSyntheticProduct p;

		rml_synthetic_product(SEED, (int32_t) i + 1, &p);
		equal = equal && p.product_id == (int32_t) i + 1 &&
				p.category == unit_csv_number(csv, i, "category") &&
				p.subcategory == unit_csv_number(csv, i, "subcategory") &&
				p.base_price == (int64_t) unit_csv_number(csv, i, "base_price") &&
				p.popularity == unit_csv_number(csv, i, "popularity") &&
				atoi(strrchr(p.name, ' ')) == (int) unit_csv_number(csv, i, "number");
	}
	unit_ok(equal, "products equal the second implementation");
	unit_csv_free(csv);
}

static bool
equal_people(const RmlSyntheticCustomer *c, const UnitCsv *csv, size_t row)
{
	return c->age == unit_csv_number(csv, row, "age") &&
		   c->gender == unit_csv_number(csv, row, "gender") &&
		   c->region == unit_csv_number(csv, row, "region") &&
		   c->education == unit_csv_number(csv, row, "education") &&
		   c->employment == unit_csv_number(csv, row, "employment") &&
		   c->income == (int64_t) unit_csv_number(csv, row, "income");
}

static bool
equal_behaviour(const RmlSyntheticCustomer *c, const UnitCsv *csv, size_t row)
{
	static const char *const preferences[] = {"p0", "p1", "p2", "p3", "p4"};
	bool equal = c->signup_days == unit_csv_number(csv, row, "signup_days") &&
				 c->power == unit_csv_number(csv, row, "power") &&
				 c->frequency == unit_csv_number(csv, row, "frequency") &&
				 c->loyalty == unit_csv_number(csv, row, "loyalty") &&
				 c->engagement == unit_csv_number(csv, row, "engagement");

	for (int i = 0; i < RML_SYNTHETIC_CATEGORIES; i++)
		equal = equal && c->preferences[i] == unit_csv_number(csv, row, preferences[i]);
	return equal;
}

static void
test_golden_customers(void)
{
	UnitCsv *csv = unit_golden("synthetic_customers.csv");
	bool people = true;
	bool behaviour = true;

	for (size_t i = 0; csv != NULL && i < csv->rows; i++)
	{
		RmlSyntheticCustomer c;

		rml_synthetic_customer(SEED, (int32_t) i + 1, &c);
		people = people && equal_people(&c, csv, i);
		behaviour = behaviour && equal_behaviour(&c, csv, i);
	}
	unit_ok(people, "customers equal the second implementation: who they are");
	unit_ok(behaviour, "and what they do, to the last bit");
	unit_csv_free(csv);
}

static void
row_words(const RmlSyntheticPurchase *p, int64_t words[9])
{
	words[0] = p->purchase_id;
	words[1] = p->order_id;
	words[2] = p->customer_id;
	words[3] = p->product_id;
	words[4] = p->second;
	words[5] = p->quantity;
	words[6] = p->unit_price;
	words[7] = p->amount;
	words[8] = p->channel;
}

static void
test_golden_purchases(RmlEnv *env)
{
	const RmlSyntheticParams params = {.seed = SEED,
									   .customers = 20,
									   .products = 12,
									   .days = 30,
									   .repeat_rate = 0.3,
									   .signal = true};
	UnitCsv *csv = unit_golden("synthetic_purchases.csv");
	RmlSyntheticStream stream;
	bool equal = true;

	rml_synthetic_begin(env, &params, &stream);
	for (size_t i = 0; csv != NULL && i < csv->rows; i++)
	{
		int64_t words[9];

		row_words(rml_synthetic_next(&stream), words);
		for (size_t j = 0; j < 9; j++)
			equal = equal && words[j] == atoll(csv->cells[i * csv->columns + j]);
	}
	unit_ok(equal, "purchases equal the second implementation");
	unit_csv_free(csv);
}

/* FNV-1a over the columns of the first n purchases, as in synthetic.py */
static uint64_t
checksum(RmlEnv *env, const RmlSyntheticParams *params, int64_t n)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);
	RmlSyntheticStream stream;

	rml_synthetic_begin(env, params, &stream);
	for (int64_t i = 0; i < n; i++)
	{
		int64_t words[9];

		row_words(rml_synthetic_next(&stream), words);
		for (int j = 0; j < 9; j++)
			hash = (hash ^ (uint64_t) words[j]) * UINT64_C(0x100000001B3);
	}
	return hash;
}

/* the numbers are what test/golden/synthetic.py prints (Python 3.11) */
static void
test_checksums(RmlEnv *env)
{
	RmlSyntheticParams params = STANDARD;

	unit_ok(checksum(env, &params, 20000) == UINT64_C(0xe3d61a59e0c9243c),
			"20,000 purchases of the standard store");
	params.signal = false;
	unit_ok(checksum(env, &params, 20000) == UINT64_C(0x579fbb2424592327),
			"20,000 purchases without the signal");
	params = (RmlSyntheticParams){.seed = SEED,
								  .customers = 10,
								  .products = 3,
								  .days = 7,
								  .repeat_rate = 0.5,
								  .signal = true};
	unit_ok(checksum(env, &params, 2000) == UINT64_C(0xf6f8393ab9e5ec2),
			"2,000 purchases of three products");
	params.seed = SEED + 1;
	unit_ok(checksum(env, &params, 2000) != UINT64_C(0xf6f8393ab9e5ec2), "another seed differs");
}

/* ---- shares of 200,000 customers */

#define N_PEOPLE 200000

static void
test_customer_shares(void)
{
	static const double powers[] = {0.2, 0.6, 0.2};
	static const double frequencies[] = {0.3, 0.5, 0.2};
	int64_t power[RML_POWERS] = {0};
	int64_t frequency[RML_FREQUENCIES] = {0};
	int64_t above = 0;
	bool sums = true;
	bool ranges = true;

	for (int32_t i = 1; i <= N_PEOPLE; i++)
	{
		RmlSyntheticCustomer c;
		double sum = 0;

		rml_synthetic_customer(7, i, &c);
		for (int j = 0; j < RML_SYNTHETIC_CATEGORIES; j++)
			sum += c.preferences[j];
		power[c.power]++;
		frequency[c.frequency]++;
		above += c.preferences[3] > 0.5;
		sums = sums && sum == 1.0;
		ranges = ranges && c.age >= 18 && c.age <= 80 && c.signup_days >= 1 &&
				 c.signup_days <= 1096 && c.loyalty >= 0 && c.loyalty <= 1 && c.engagement >= 0 &&
				 c.engagement <= 1 && c.income >= 514000 && c.income <= 14872000;
	}
	for (int i = 0; i < 3; i++)
	{
		check_share(power[i], N_PEOPLE, powers[i], rml_synthetic_label(RML_SYNTHETIC_POWER, i));
		check_share(frequency[i], N_PEOPLE, frequencies[i],
					rml_synthetic_label(RML_SYNTHETIC_FREQUENCY, i));
	}
	/* a component of Dirichlet(1,1,1,1,1) is Beta(1, 4): P(> 1/2) = (1/2)^4 */
	check_share(above, N_PEOPLE, 0.0625, "one preference above a half");
	unit_ok(sums, "preferences add up to exactly 1");
	/* incomes: 30000 * .35 * .7 * .7 = 5145 cut to tens, 65000 * 1.1 * 1.6 * 1.3 = 148720 */
	unit_ok(ranges, "every number in its range");
}

static void
test_products_are_distinct(void)
{
	static const int64_t low[] = {10000, 1000, 3000, 500, 1000};
	static const int64_t high[] = {80000, 15000, 40000, 4000, 10000};
	enum
	{
		N = 500
	};
	static char names[N][RML_SYNTHETIC_NAME_SIZE];
	bool ranges = true;
	bool unique = true;

	for (int i = 0; i < N; i++)
	{
		RmlSyntheticProduct p;

		rml_synthetic_product(SEED, i + 1, &p);
		strcpy(names[i], p.name);
		ranges = ranges && p.base_price >= low[p.category] && p.base_price <= high[p.category] &&
				 p.popularity >= 0.1 && p.popularity <= 1;
		for (int j = 0; j < i; j++)
			unique = unique && strcmp(names[i], names[j]) != 0;
	}
	unit_ok(ranges, "prices and popularity in range");
	unit_ok(unique, "names of 500 products are unique");
}

/* ---- shares of 1,000,000 purchases */

#define N_LINES 1000000

typedef struct Tally
{
	int64_t orders;
	int64_t by_frequency[RML_FREQUENCIES]; /* orders */
	int64_t quantity[RML_POWERS][4];
	int64_t power[RML_POWERS]; /* lines */
	int64_t channel[3];        /* orders */
	int64_t repeats;           /* lines in the category of the customer's line before */
	double expected_repeats;
	double repeat_variance;
	bool valid;
	bool grouped;
} Tally;

/* the chance to repeat category c is r + (1 - r) p_c: summed over what was there before */
static void
tally_repeat(Tally *tally, const RmlSyntheticCustomer *customer, int last, int category,
			 double rate)
{
	double chance = rate + (1 - rate) * customer->preferences[last];

	tally->repeats += category == last;
	tally->expected_repeats += chance;
	tally->repeat_variance += chance * (1 - chance);
}

static bool
valid_row(const RmlSyntheticPurchase *row, const RmlSyntheticParams *params)
{
	int64_t price = row->unit_price * row->quantity;
	int64_t of_day = row->second % 86400;

	return row->customer_id >= 1 && row->customer_id <= params->customers && row->product_id >= 1 &&
		   row->product_id <= params->products && row->quantity >= 1 && row->quantity <= 3 &&
		   row->amount * 100 >= price * 85 && row->amount * 100 <= price * 115 &&
		   row->second >= 0 && row->second < params->days * 86400 && of_day >= 8 * 3600 &&
		   of_day < 22 * 3600;
}

static void
tally_order(Tally *tally, const RmlSyntheticPurchase *before, const RmlSyntheticPurchase *row,
			const RmlSyntheticCustomer *customer)
{
	if (row->order_id == before->order_id)
	{
		tally->grouped = tally->grouped && row->customer_id == before->customer_id &&
						 row->second == before->second && row->channel == before->channel;
		return;
	}
	tally->grouped = tally->grouped && row->order_id == before->order_id + 1;
	tally->orders++;
	tally->by_frequency[customer->frequency]++;
	tally->channel[row->channel]++;
}

static void
tally_lines(RmlEnv *env, const RmlSyntheticParams *params, Tally *tally)
{
	RmlSyntheticCustomer *customers =
		RML_NEW(env, RmlSyntheticCustomer, (size_t) params->customers + 1);
	int *last = RML_NEW_ZERO(env, int, (size_t) params->customers + 1);
	RmlSyntheticPurchase before = {0};
	RmlSyntheticStream stream;

	memset(tally, 0, sizeof *tally);
	tally->valid = tally->grouped = true;
	for (int32_t i = 1; i <= params->customers; i++)
		rml_synthetic_customer(params->seed, i, &customers[i]);
	rml_synthetic_begin(env, params, &stream);
	for (int64_t i = 0; i < N_LINES; i++)
	{
		const RmlSyntheticPurchase *row = rml_synthetic_next(&stream);
		const RmlSyntheticCustomer *customer = &customers[row->customer_id];
		int category = (row->product_id - 1) % RML_SYNTHETIC_CATEGORIES;

		tally->valid = tally->valid && valid_row(row, params);
		tally_order(tally, &before, row, customer);
		tally->power[customer->power]++;
		tally->quantity[customer->power][row->quantity]++;
		/* categories from 1 on here: 0 is no line yet */
		if (last[row->customer_id] > 0)
			tally_repeat(tally, customer, last[row->customer_id] - 1, category,
						 params->repeat_rate);
		last[row->customer_id] = category + 1;
		before = *row;
	}
}

/* orders of each class in proportion to its customers times their weight */
static void
check_frequencies(const RmlSyntheticParams *params, const Tally *tally)
{
	double weights[RML_FREQUENCIES] = {0};
	double sum = 0;

	for (int32_t i = 1; i <= params->customers; i++)
	{
		RmlSyntheticCustomer customer;
		double weight;

		rml_synthetic_customer(params->seed, i, &customer);
		weight = customer.frequency == RML_FREQUENCY_RARE      ? 1
				 : customer.frequency == RML_FREQUENCY_REGULAR ? 3
															   : 8;
		weights[customer.frequency] += weight;
		sum += weight;
	}
	for (int i = 0; i < RML_FREQUENCIES; i++)
		check_share(tally->by_frequency[i], tally->orders, weights[i] / sum,
					rml_synthetic_label(RML_SYNTHETIC_FREQUENCY, i));
}

static void
test_purchase_shares(RmlEnv *env)
{
	static const double quantities[RML_POWERS][3] = {{.9, .1, 0}, {.7, .2, .1}, {.5, .3, .2}};
	static const double channels[] = {0.5, 0.35, 0.15};
	RmlSyntheticParams params = STANDARD;
	Tally tally;
	double distance;

	tally_lines(env, &params, &tally);
	unit_ok(tally.valid, "keys, amounts and times in range");
	unit_ok(tally.grouped, "lines of an order are consecutive and agree");
	check_share(tally.orders, N_LINES, 0.6, "lines that open an order");
	check_frequencies(&params, &tally);
	for (int i = 0; i < 3; i++)
		check_share(tally.channel[i], tally.orders, channels[i],
					rml_synthetic_label(RML_SYNTHETIC_CHANNEL, i));
	for (int p = 0; p < RML_POWERS; p++)
		for (int q = 0; q < 3; q++)
		{
			char what[40];

			snprintf(what, sizeof what, "%d pieces, %s", q + 1,
					 rml_synthetic_label(RML_SYNTHETIC_POWER, p));
			check_share(tally.quantity[p][q + 1], tally.power[p], quantities[p][q], what);
		}
	distance = (double) tally.repeats - tally.expected_repeats;
	unit_ok(distance * distance < 4.5 * 4.5 * tally.repeat_variance,
			"repeats: %lld lines, expected %.0f", (long long) tally.repeats,
			tally.expected_repeats);
}

/* the category shares of the busiest customer, against the planted ones */
static void
test_preferences_are_recovered(RmlEnv *env)
{
	RmlSyntheticParams params = STANDARD;
	RmlSyntheticCustomer customer;
	RmlSyntheticStream stream;
	int64_t counts[RML_SYNTHETIC_CATEGORIES] = {0};

	params.customers = 1;
	params.repeat_rate = 0; /* independent lines, so the standard deviation is the binomial one */
	rml_synthetic_customer(SEED, 1, &customer);
	rml_synthetic_begin(env, &params, &stream);
	for (int i = 0; i < 100000; i++)
		counts[(rml_synthetic_next(&stream)->product_id - 1) % RML_SYNTHETIC_CATEGORIES]++;
	for (int i = 0; i < RML_SYNTHETIC_CATEGORIES; i++)
		check_share(counts[i], 100000, customer.preferences[i],
					rml_synthetic_label(RML_SYNTHETIC_CATEGORY, i));
}

static void
test_popularity_is_recovered(RmlEnv *env)
{
	RmlSyntheticParams params = STANDARD;
	RmlSyntheticStream stream;
	RmlSyntheticProduct products[10];
	int64_t counts[10] = {0};
	int64_t in_category[2] = {0};
	double sums[2] = {0};

	params.products = 10; /* two for each category: 1 and 6, 2 and 7, ... */
	for (int i = 0; i < 10; i++)
		rml_synthetic_product(SEED, i + 1, &products[i]);
	rml_synthetic_begin(env, &params, &stream);
	for (int i = 0; i < 100000; i++)
		counts[rml_synthetic_next(&stream)->product_id - 1]++;
	for (int i = 0; i < 2; i++)
	{
		in_category[i] = counts[i] + counts[i + 5];
		sums[i] = products[i].popularity + products[i + 5].popularity;
		check_share(counts[i], in_category[i], products[i].popularity / sums[i], products[i].name);
	}
}

/* ---- edges */

static void
test_few_products(RmlEnv *env)
{
	RmlSyntheticParams params = STANDARD;

	for (params.products = 1; params.products <= 6; params.products++)
	{
		int64_t counts[7] = {0};
		bool all = true;
		RmlSyntheticStream stream;

		rml_synthetic_begin(env, &params, &stream);
		for (int i = 0; i < 5000; i++)
			counts[rml_synthetic_next(&stream)->product_id]++;
		for (int i = 1; i <= params.products; i++)
			all = all && counts[i] > 0;
		unit_ok(all && counts[0] == 0, "%d products: each is sold", (int) params.products);
	}
}

static void
test_always_repeat(RmlEnv *env)
{
	RmlSyntheticParams params = STANDARD;
	RmlSyntheticStream stream;
	int first[4] = {-1, -1, -1, -1};
	bool same = true;

	params.customers = 3;
	params.repeat_rate = 1;
	rml_synthetic_begin(env, &params, &stream);
	for (int i = 0; i < 1000; i++)
	{
		const RmlSyntheticPurchase *row = rml_synthetic_next(&stream);
		int category = (row->product_id - 1) % RML_SYNTHETIC_CATEGORIES;

		if (first[row->customer_id] < 0)
			first[row->customer_id] = category;
		same = same && category == first[row->customer_id];
	}
	unit_ok(same, "repeat_rate 1 never leaves the first category");
}

static void
test_check(RmlEnv *env)
{
	RmlSyntheticParams params = STANDARD;

	unit_equal_string(rml_synthetic_check(env, &params), NULL, "the standard store is accepted");
	params.customers = 0;
	unit_contains(rml_synthetic_check(env, &params), "customers must be", "no customers");
	params.customers = 1;
	params.products = -3;
	unit_contains(rml_synthetic_check(env, &params), "not -3", "negative products");
	params.products = 1;
	params.days = 0;
	unit_contains(rml_synthetic_check(env, &params), "days must be", "no days");
	params.days = 1;
	params.repeat_rate = 1.5;
	unit_contains(rml_synthetic_check(env, &params), "repeat_rate must be", "repeat_rate above 1");
	params.repeat_rate = __builtin_nan("");
	unit_contains(rml_synthetic_check(env, &params), "repeat_rate must be", "repeat_rate NaN");
}

static void
test_memory_and_cancel(void)
{
	RmlEnv *env = unit_env(1);
	RmlSyntheticParams params = STANDARD;
	RmlSyntheticStream stream;

	params.customers = 20000;
	params.products = 1234;
	rml_synthetic_begin(env, &params, &stream);
	unit_equal_int((int64_t) unit_env_peak(env), (int64_t) rml_synthetic_bytes(&params),
				   "takes the bytes it says");
	unit_env_reset(env);
	unit_env_cancel_after(env, 3);
	unit_ok(UNIT_ESCAPES(env, rml_synthetic_begin(env, &params, &stream)),
			"drawing customers can be cancelled");
	unit_env_free(env);
}

static void
test_labels(void)
{
	static const int counts[RML_SYNTHETIC_FIELDS] = {5, 25, 3, 5, 5, 5, 3, 3, 3};

	for (int field = 0; field < RML_SYNTHETIC_FIELDS; field++)
	{
		int n = 0;

		while (rml_synthetic_label((RmlSyntheticField) field, n) != NULL)
			n++;
		unit_equal_int(n, counts[field], "texts of field %d", field);
	}
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden_products();
	test_golden_customers();
	test_golden_purchases(env);
	test_checksums(env);
	test_customer_shares();
	test_products_are_distinct();
	test_purchase_shares(env);
	test_preferences_are_recovered(env);
	test_popularity_is_recovered(env);
	test_few_products(env);
	test_always_repeat(env);
	test_check(env);
	test_memory_and_cancel();
	test_labels();
	unit_env_free(env);
	return unit_done();
}
