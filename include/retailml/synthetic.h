/*
 * synthetic.h
 *	  A made-up retail store whose truth is known: products, customers, purchases.
 *
 * Every number is read from rng.h at a place that its row alone decides, so the same seed gives
 * the same rows and a shorter table is a prefix of a longer one:
 *
 *	  product i	 = f(seed, i)
 *	  customer i = f(seed, i)
 *	  purchase i = f(seed, i, the other parameters, purchases 1 .. i - 1)
 *
 * The model.  Customers have a frequency class (weight 1, 3 or 8), a spending power and a point
 * p on the simplex of the categories (Dirichlet(1, ..., 1)).  Purchases are order lines.  A line
 * opens a new order with probability 0.6, so orders have 1.67 lines on average; an order draws its
 * customer in proportion to the weights, and a time and a channel.  A line stays in the
 * category of the customer's line before with probability repeat_rate, else it draws the category from p; so
 * the share of each category converges to p whatever repeat_rate is.  Inside the category the
 * product is drawn in proportion to popularity.  Spending power decides the quantity.
 * Without the signal, customers and products are equally likely and independent.
 *
 * Only integer arithmetic and exact or single-rounding operations on doubles: no libm, so the
 * rows are the same on every machine.
 *
 * Money is in cents, people's shares are in percent.  Ids count from 1, codes from 0.
 */
#ifndef RETAILML_SYNTHETIC_H
#define RETAILML_SYNTHETIC_H

#include "retailml/env.h"

#define RML_SYNTHETIC_CATEGORIES 5
#define RML_SYNTHETIC_SUBCATEGORIES 5 /* of each category */
#define RML_SYNTHETIC_NAME_SIZE 64

/* the columns that hold one of a few texts */
typedef enum RmlSyntheticField
{
	RML_SYNTHETIC_CATEGORY,
	RML_SYNTHETIC_SUBCATEGORY, /* code = category * RML_SYNTHETIC_SUBCATEGORIES + 0 .. 4 */
	RML_SYNTHETIC_GENDER,
	RML_SYNTHETIC_REGION,
	RML_SYNTHETIC_EDUCATION,
	RML_SYNTHETIC_EMPLOYMENT,
	RML_SYNTHETIC_POWER,
	RML_SYNTHETIC_FREQUENCY,
	RML_SYNTHETIC_CHANNEL,
	RML_SYNTHETIC_FIELDS
} RmlSyntheticField;

typedef enum RmlSyntheticPower
{
	RML_POWER_LOW,
	RML_POWER_MEDIUM,
	RML_POWER_HIGH,
	RML_POWERS
} RmlSyntheticPower;

typedef enum RmlSyntheticFrequency
{
	RML_FREQUENCY_RARE,
	RML_FREQUENCY_REGULAR,
	RML_FREQUENCY_FREQUENT,
	RML_FREQUENCIES
} RmlSyntheticFrequency;

typedef struct RmlSyntheticProduct
{
	int32_t product_id;
	int category;
	int subcategory;
	char name[RML_SYNTHETIC_NAME_SIZE]; /* unique */
	int64_t base_price;                 /* cents */
	double popularity;                  /* 0.1 .. 1, four decimals */
} RmlSyntheticProduct;

typedef struct RmlSyntheticCustomer
{
	int32_t customer_id;
	int32_t signup_days; /* before the standard start of the purchases, 1 .. 1096 */
	int age;
	int gender;
	int region;
	int education;
	int employment;
	int64_t income; /* cents a year */
	int power;
	int frequency;
	double loyalty;                               /* 0 .. 1, four decimals */
	double engagement;                            /* 0 .. 1, four decimals */
	double preferences[RML_SYNTHETIC_CATEGORIES]; /* the sum is exactly 1 */
} RmlSyntheticCustomer;

typedef struct RmlSyntheticParams
{
	uint64_t seed;
	int64_t customers;
	int64_t products;
	int64_t days; /* length of the window */
	double repeat_rate;
	bool signal;
} RmlSyntheticParams;

typedef struct RmlSyntheticPurchase
{
	int64_t purchase_id;
	int64_t order_id;
	int32_t customer_id;
	int32_t product_id;
	int64_t second; /* since the start of the window */
	int quantity;
	int64_t unit_price; /* cents */
	int64_t amount;     /* cents */
	int channel;
} RmlSyntheticPurchase;

/* a stream of purchases: what begin draws once, and where the stream stands */
typedef struct RmlSyntheticStream
{
	RmlSyntheticParams params;
	int n_categories; /* that have a product */
	uint64_t weight;  /* of all customers */
	uint64_t class_weight[RML_FREQUENCIES];
	int32_t *members;     /* [customers] ids, grouped by frequency class */
	double *preferences;  /* [customers x 5] cumulative */
	uint8_t *powers;      /* [customers] */
	uint8_t *last;        /* [customers] category of the line before, or RML_SYNTHETIC_CATEGORIES */
	int64_t *prices;      /* [products] cents, by product id */
	uint64_t *popularity; /* [products] cumulative inside a category, grouped by category */
	RmlSyntheticPurchase row; /* the line given last */
} RmlSyntheticStream;

/* the text of a code; NULL for a code past the last one, so codes can be enumerated */
extern const char *rml_synthetic_label(RmlSyntheticField field, int code);

/* how often a class is drawn, relative to the others */
extern int rml_synthetic_weight(RmlSyntheticFrequency frequency);

/* row number product_id (1, 2, ...) of the products; any id works, in any order */
extern void rml_synthetic_product(uint64_t seed, int32_t product_id, RmlSyntheticProduct *product);

/* row number customer_id (1, 2, ...) of the customers; any id works, in any order */
extern void rml_synthetic_customer(uint64_t seed, int32_t customer_id,
								   RmlSyntheticCustomer *customer);

/* why purchases cannot be made with these parameters, or NULL */
extern const char *rml_synthetic_check(RmlEnv *env, const RmlSyntheticParams *params);

/* bytes that rml_synthetic_begin takes */
extern size_t rml_synthetic_bytes(const RmlSyntheticParams *params);

/* draw customers and products; time and memory grow with their numbers */
extern void rml_synthetic_begin(RmlEnv *env, const RmlSyntheticParams *params,
								RmlSyntheticStream *stream);

/* the next purchase, valid until the next call */
extern const RmlSyntheticPurchase *rml_synthetic_next(RmlSyntheticStream *stream);

#endif /* RETAILML_SYNTHETIC_H */
