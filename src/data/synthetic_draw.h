/*
 * synthetic_draw.h
 *	  Where each column of the synthetic store reads its random numbers.
 *
 * A column has a stream of its own, and row i reads index i (or i * DRAWS_PER_ROW + j when it
 * needs several numbers).  Adding a column therefore changes no other column.  The numbers are
 * part of what "same seed, same rows" promises: never renumber them.
 */
#ifndef RETAILML_SYNTHETIC_DRAW_H
#define RETAILML_SYNTHETIC_DRAW_H

#include <stdint.h>

#include "retailml/rng.h"

#define DRAWS_PER_ROW 8

/* "SYN" above the number of the column keeps clear of the streams of the algorithms */
#define SYNTHETIC_STREAM(number) (UINT64_C(0x53594E0000000000) | (number))

enum SyntheticColumn
{
	PRODUCT_LINE = 1,
	PRODUCT_NOUN = 2,
	PRODUCT_PRICE = 3,
	PRODUCT_POPULARITY = 4,
	CUSTOMER_SIGNUP = 16,
	CUSTOMER_AGE_BAND = 17,
	CUSTOMER_AGE = 18,
	CUSTOMER_GENDER = 19,
	CUSTOMER_REGION = 20,
	CUSTOMER_EDUCATION = 21,
	CUSTOMER_EMPLOYMENT = 22,
	CUSTOMER_INCOME = 23,
	CUSTOMER_POWER = 24,
	CUSTOMER_FREQUENCY = 25,
	CUSTOMER_LOYALTY = 26,
	CUSTOMER_ENGAGEMENT = 27,
	CUSTOMER_PREFERENCES = 28,
	PURCHASE_ORDER = 48,
	PURCHASE_CUSTOMER = 49,
	PURCHASE_DAY = 50,
	PURCHASE_SECOND = 51,
	PURCHASE_CHANNEL = 52,
	PURCHASE_REPEAT = 53,
	PURCHASE_CATEGORY = 54,
	PURCHASE_PRODUCT = 55,
	PURCHASE_QUANTITY = 56,
	PURCHASE_AMOUNT = 57
};

static inline double
draw_uniform(uint64_t seed, enum SyntheticColumn column, int64_t index)
{
	return rml_rng_uniform(seed, SYNTHETIC_STREAM(column), (uint64_t) index);
}

/* 0 .. bound - 1 */
static inline int64_t
draw_below(uint64_t seed, enum SyntheticColumn column, int64_t index, int64_t bound)
{
	return (int64_t) rml_rng_below(seed, SYNTHETIC_STREAM(column), (uint64_t) index,
								   (uint64_t) bound);
}

/* low .. high, both included */
static inline int64_t
draw_between(uint64_t seed, enum SyntheticColumn column, int64_t index, int64_t low, int64_t high)
{
	return low + draw_below(seed, column, index, high - low + 1);
}

/* a code in proportion to percents that add up to 100 */
static inline int
draw_code(uint64_t seed, enum SyntheticColumn column, int64_t index, const uint8_t *percents)
{
	int64_t rest = draw_below(seed, column, index, 100);
	int code = 0;

	while (rest >= percents[code])
		rest -= percents[code++];
	return code;
}

/* the count numbers of row index, ascending, into sorted [count]; count <= DRAWS_PER_ROW */
static inline void
draw_sorted(uint64_t seed, enum SyntheticColumn column, int64_t index, int count, double *sorted)
{
	for (int i = 0; i < count; i++)
	{
		double value = draw_uniform(seed, column, index * DRAWS_PER_ROW + i);
		int place = i;

		for (; place > 0 && sorted[place - 1] > value; place--)
			sorted[place] = sorted[place - 1];
		sorted[place] = value;
	}
}

#endif /* RETAILML_SYNTHETIC_DRAW_H */
