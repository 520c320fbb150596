/*
 * synthetic_purchases.c
 *	  The purchases of the synthetic store, one after the other.  See synthetic.h for the model.
 */
#include "retailml/synthetic.h"

#include <string.h>

#include "synthetic_draw.h"

#define CATEGORIES RML_SYNTHETIC_CATEGORIES
#define NO_CATEGORY RML_SYNTHETIC_CATEGORIES
#define POLL_INTERVAL 4096
#define NEW_ORDER_PERCENT 60
#define SECONDS_PER_DAY 86400
#define OPENS (8 * 3600) /* seconds after midnight */
#define CLOSES (22 * 3600)
#define POPULARITY_UNITS 10000

/* shares of 1, 2, 3 pieces in percent */
static const uint8_t quantity_shares[RML_POWERS][3] = {{90, 10, 0}, {70, 20, 10}, {50, 30, 20}};
static const uint8_t channel_shares[] = {50, 35, 15};

/* category c has the products c + 1, c + 6, c + 11, ...: how many */
static int64_t
category_count(int64_t products, int category)
{
	return (products - category + CATEGORIES - 1) / CATEGORIES;
}

/* place of the first product of a category when products are grouped by category */
static int64_t
category_start(int64_t products, int category)
{
	int64_t start = 0;

	for (int i = 0; i < category; i++)
		start += category_count(products, i);
	return start;
}

const char *
rml_synthetic_check(RmlEnv *env, const RmlSyntheticParams *params)
{
	if (params->customers < 1 || params->customers > INT32_MAX)
		return rml_format(env, "customers must be between 1 and %d, not %lld", INT32_MAX,
						  (long long) params->customers);
	if (params->products < 1 || params->products > INT32_MAX)
		return rml_format(env, "products must be between 1 and %d, not %lld", INT32_MAX,
						  (long long) params->products);
	if (params->days < 1)
		return rml_format(env, "days must be at least 1, not %lld", (long long) params->days);
	/* written so that NaN is refused */
	if (!(params->repeat_rate >= 0 && params->repeat_rate <= 1))
		return rml_format(env, "repeat_rate must be between 0 and 1, not %g", params->repeat_rate);
	return NULL;
}

size_t
rml_synthetic_bytes(const RmlSyntheticParams *params)
{
	RmlSyntheticStream *stream = NULL;
	size_t customer = sizeof *stream->members + CATEGORIES * sizeof *stream->preferences +
					  sizeof *stream->powers + sizeof *stream->last;
	size_t product = sizeof *stream->prices + sizeof *stream->popularity;

	return customer * (size_t) params->customers + product * (size_t) params->products;
}

/* what a purchase needs to know of its customer */
static void
keep_customer(RmlSyntheticStream *stream, int64_t place, const RmlSyntheticCustomer *customer)
{
	double *cumulative = stream->preferences + place * CATEGORIES;
	double sum = 0;

	stream->powers[place] = (uint8_t) customer->power;
	stream->last[place] = NO_CATEGORY;
	for (int i = 0; i < CATEGORIES; i++)
		cumulative[i] = sum += customer->preferences[i];
}

/*
 * Customers of a class have one weight, so it is enough to group them by class: a draw below the
 * sum of all weights finds the class, and its quotient by the weight the member, exactly.
 */
static void
begin_customers(RmlEnv *env, RmlSyntheticStream *stream)
{
	int64_t n = stream->params.customers;
	int64_t counts[RML_FREQUENCIES] = {0};
	int64_t next[RML_FREQUENCIES];
	uint8_t *classes = stream->last; /* not needed yet */
	int64_t start = 0;

	for (int64_t i = 0; i < n; i++)
	{
		RmlSyntheticCustomer customer;

		if (i % POLL_INTERVAL == 0)
			rml_poll(env);
		rml_synthetic_customer(stream->params.seed, (int32_t) (i + 1), &customer);
		keep_customer(stream, i, &customer);
		classes[i] = (uint8_t) customer.frequency;
		counts[customer.frequency]++;
	}
	for (int i = 0; i < RML_FREQUENCIES; i++)
	{
		next[i] = start;
		start += counts[i];
		stream->class_weight[i] =
			(uint64_t) counts[i] * (uint64_t) rml_synthetic_weight((RmlSyntheticFrequency) i);
		stream->weight += stream->class_weight[i];
	}
	for (int64_t i = 0; i < n; i++)
		stream->members[next[classes[i]]++] = (int32_t) (i + 1);
	memset(stream->last, NO_CATEGORY, (size_t) n);
}

static void
begin_products(RmlEnv *env, RmlSyntheticStream *stream)
{
	int64_t n = stream->params.products;
	uint64_t *cumulative = stream->popularity;

	for (int category = 0; category < stream->n_categories; category++)
	{
		uint64_t sum = 0;

		for (int64_t i = category; i < n; i += CATEGORIES)
		{
			RmlSyntheticProduct product;

			if (i / CATEGORIES % POLL_INTERVAL == 0)
				rml_poll(env);
			rml_synthetic_product(stream->params.seed, (int32_t) (i + 1), &product);
			stream->prices[i] = product.base_price;
			sum += (uint64_t) (product.popularity * POPULARITY_UNITS + 0.5);
			*cumulative++ = sum;
		}
	}
}

void
rml_synthetic_begin(RmlEnv *env, const RmlSyntheticParams *params, RmlSyntheticStream *stream)
{
	size_t customers = (size_t) params->customers;
	size_t products = (size_t) params->products;

	memset(stream, 0, sizeof *stream);
	stream->params = *params;
	stream->n_categories = products < CATEGORIES ? (int) products : CATEGORIES;
	stream->members = RML_NEW(env, int32_t, customers);
	stream->preferences = RML_NEW(env, double, customers *CATEGORIES);
	stream->powers = RML_NEW(env, uint8_t, customers);
	stream->last = RML_NEW(env, uint8_t, customers);
	stream->prices = RML_NEW(env, int64_t, products);
	stream->popularity = RML_NEW(env, uint64_t, products);
	begin_customers(env, stream);
	begin_products(env, stream);
}

static int32_t
draw_customer(const RmlSyntheticStream *stream, int64_t line)
{
	const RmlSyntheticParams *params = &stream->params;
	int64_t rest;
	int64_t start = 0;

	if (!params->signal)
		return (int32_t) draw_below(params->seed, PURCHASE_CUSTOMER, line, params->customers) + 1;
	rest = draw_below(params->seed, PURCHASE_CUSTOMER, line, (int64_t) stream->weight);
	for (int i = 0;; i++)
	{
		int64_t weight = rml_synthetic_weight((RmlSyntheticFrequency) i);

		if (rest < (int64_t) stream->class_weight[i])
			return stream->members[start + rest / weight];
		rest -= (int64_t) stream->class_weight[i];
		start += (int64_t) stream->class_weight[i] / weight;
	}
}

static void
begin_order(RmlSyntheticStream *stream, int64_t line)
{
	RmlSyntheticPurchase *row = &stream->row;
	uint64_t seed = stream->params.seed;
	int64_t day = draw_below(seed, PURCHASE_DAY, line, stream->params.days);

	row->order_id++;
	row->customer_id = draw_customer(stream, line);
	row->second =
		day * SECONDS_PER_DAY + draw_between(seed, PURCHASE_SECOND, line, OPENS, CLOSES - 1);
	row->channel = draw_code(seed, PURCHASE_CHANNEL, line, channel_shares);
}

/* stay in the last category or draw from the preferences among the categories that have products */
static int
draw_category(const RmlSyntheticStream *stream, int64_t line)
{
	const RmlSyntheticParams *params = &stream->params;
	int64_t customer = stream->row.customer_id - 1;
	const double *cumulative = stream->preferences + customer * CATEGORIES;
	int last = stream->n_categories - 1;
	int category = 0;
	double cut;

	if (stream->last[customer] != NO_CATEGORY &&
		draw_uniform(params->seed, PURCHASE_REPEAT, line) < params->repeat_rate)
		return stream->last[customer];
	cut = draw_uniform(params->seed, PURCHASE_CATEGORY, line) * cumulative[last];
	while (category < last && cumulative[category] <= cut)
		category++;
	return category;
}

/* a product id of the category, in proportion to popularity */
static int32_t
draw_product(const RmlSyntheticStream *stream, int64_t line, int category)
{
	int64_t products = stream->params.products;
	const uint64_t *cumulative = stream->popularity + category_start(products, category);
	int64_t low = 0;
	int64_t high = category_count(products, category) - 1;
	uint64_t cut = (uint64_t) draw_below(stream->params.seed, PURCHASE_PRODUCT, line,
										 (int64_t) cumulative[high]);

	while (low < high)
	{
		int64_t middle = (low + high) / 2;

		if (cumulative[middle] <= cut)
			low = middle + 1;
		else
			high = middle;
	}
	return (int32_t) (low * CATEGORIES + category + 1);
}

static int32_t
choose_product(RmlSyntheticStream *stream, int64_t line)
{
	const RmlSyntheticParams *params = &stream->params;
	int category;

	if (!params->signal)
		return (int32_t) draw_below(params->seed, PURCHASE_PRODUCT, line, params->products) + 1;
	category = draw_category(stream, line);
	stream->last[stream->row.customer_id - 1] = (uint8_t) category;
	return draw_product(stream, line, category);
}

const RmlSyntheticPurchase *
rml_synthetic_next(RmlSyntheticStream *stream)
{
	RmlSyntheticPurchase *row = &stream->row;
	uint64_t seed = stream->params.seed;
	int64_t line = ++row->purchase_id;
	int64_t price;

	if (line == 1 || draw_below(seed, PURCHASE_ORDER, line, 100) < NEW_ORDER_PERCENT)
		begin_order(stream, line);
	row->product_id = choose_product(stream, line);
	row->quantity = 1 + draw_code(seed, PURCHASE_QUANTITY, line,
								  quantity_shares[stream->powers[row->customer_id - 1]]);
	row->unit_price = stream->prices[row->product_id - 1];
	price = row->unit_price * row->quantity;
	/* every cent from 85 % to 115 % of the price, both included, is equally likely */
	row->amount =
		draw_between(seed, PURCHASE_AMOUNT, line, (price * 85 + 99) / 100, price * 115 / 100);
	return row;
}
