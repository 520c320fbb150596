/*
 * test_exact_sum.c
 *	  Against exact rationals (test/golden/exact_sum.py), in any order and any grouping.
 */
#include "unit.h"

#include <math.h>

#include "retailml/exact_sum.h"

#define MAX_TERMS 2000

static uint64_t
lcg(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state;
}

/* the terms of one row of exact_sum.csv; returns how many */
static int
make_terms(const UnitCsv *golden, size_t row, double *terms)
{
	uint64_t state = (uint64_t) unit_csv_number(golden, row, "seed");
	int n = (int) unit_csv_number(golden, row, "n");
	int low = (int) unit_csv_number(golden, row, "low");
	int high = (int) unit_csv_number(golden, row, "high");
	int decimals = (int) unit_csv_number(golden, row, "decimals");
	bool cancel = unit_csv_number(golden, row, "cancel") != 0;
	int count = 0;

	for (int i = 0; i < n; i++)
	{
		uint64_t bits = lcg(&state);
		uint64_t mantissa = bits >> 11;
		int exponent = low + (int) ((lcg(&state) >> 33) % (uint64_t) (high - low + 1));
		double x = decimals > 0 ? (double) (mantissa % 100000000) / pow(10, decimals)
								: ldexp((double) mantissa, exponent);

		terms[count++] = bits & 1024 ? -x : x;
		if (cancel && i % 2 == 1)
		{
			terms[count] = -terms[count - 1];
			count++;
		}
	}
	return count;
}

/* the sum of terms start, start + step, ... */
static void
accumulate(RmlFixed *fixed, RmlWideSum *wide, const double *terms, int n, int start, int step)
{
	for (int i = start; i < n; i += step)
		if (!rml_fixed_add_double(fixed, terms[i]))
			rml_wide_add(wide, terms[i]);
}

static double
sum_in_parts(const double *terms, int n, int parts)
{
	RmlFixed fixed = {0, 0};
	RmlWideSum wide = {0};

	for (int part = 0; part < parts; part++)
	{
		RmlFixed other = {0, 0};
		RmlWideSum other_wide = {0};

		accumulate(&other, &other_wide, terms, n, part, parts);
		if (!rml_fixed_merge(&fixed, &other))
			rml_wide_add_fixed(&wide, &other);
		rml_wide_merge(&wide, &other_wide);
	}
	return rml_exact_sum(&fixed, &wide);
}

static void
shuffle(double *terms, int n, uint64_t seed)
{
	for (int i = n - 1; i > 0; i--)
	{
		int j = (int) ((lcg(&seed) >> 33) % (uint64_t) (i + 1));
		double swap = terms[i];

		terms[i] = terms[j];
		terms[j] = swap;
	}
}

static void
test_golden(void)
{
	UnitCsv *golden = unit_golden("exact_sum.csv");
	static double terms[MAX_TERMS];

	if (golden == NULL)
		return;
	for (size_t row = 0; row < golden->rows; row++)
	{
		double wanted = strtod(unit_csv_text(golden, row, "sum"), NULL);
		int n = make_terms(golden, row, terms);
		bool same = true;

		unit_near(sum_in_parts(terms, n, 1), wanted, 0, "row %zu: the exact sum", row);
		for (int trial = 0; trial < 20; trial++)
		{
			shuffle(terms, n, (uint64_t) trial);
			same = same && sum_in_parts(terms, n, 1 + trial % 7) == wanted;
		}
		unit_ok(same, "row %zu: in any order and any number of parts", row);
	}
	unit_csv_free(golden);
}

static double
sum_of_two(double a, double b)
{
	return sum_in_parts((const double[]){a, b}, 2, 1);
}

static void
test_edges(void)
{
	RmlFixed fixed = {0, 0};

	unit_ok(sum_in_parts(NULL, 0, 1) == 0, "no terms: 0");
	unit_ok(!signbit(sum_of_two(-0.0, -0.0)), "zero has no sign");
	unit_near(sum_of_two(0x1p-1074, -0x1p-1073), -0x1p-1074, 0, "the smallest double");
	unit_near(sum_of_two(0x1p-1022, -0x1p-1074), 0x0.fffffffffffffp-1022, 0, "a subnormal result");
	unit_near(sum_of_two(0x1.fffffffffffffp1023, 0x1p969), 0x1.fffffffffffffp1023, 0,
			  "below half a unit at the top");
	unit_ok(isinf(sum_of_two(0x1.fffffffffffffp1023, 0x1p970)), "half a unit at the top overflows");
	unit_near(sum_of_two(1, 0x1p-53), 1, 0, "a tie goes to even, down");
	unit_near(sum_of_two(1 + 0x1p-52, 0x1p-53), 1 + 0x1p-51, 0, "and up");
	unit_near(sum_in_parts((const double[]){1, 0x1p-53, 0x1p-1074}, 3, 1), 1 + 0x1p-52, 0,
			  "a last bit far below breaks the tie");
	unit_near(sum_in_parts((const double[]){1e308, 1e308, -1e308}, 3, 1), 1e308, 0,
			  "what is out of range on the way does no harm");
	unit_ok(rml_fixed_add_double(&fixed, 0x1p62) && rml_fixed_add_double(&fixed, 0x1p61) &&
				!rml_fixed_add_double(&fixed, 0x1p62),
			"an integer that would overflow is left to the caller");
	unit_near(rml_exact_sum(&fixed, NULL), 0x1.8p62, 0, "and nothing is added");
	unit_ok(!rml_fixed_add_double(&fixed, 0x1p63) && !rml_fixed_add_double(&fixed, 0x1p-65) &&
				rml_fixed_add_double(&fixed, 0x1p-64),
			"what fits is below 2^63 and a multiple of 2^-64");
}

/* add a number given as base-10000 digits */
static bool
add_decimal(RmlFixed *fixed, const int16_t *digits, int n, int weight, bool negative)
{
	return rml_decimal_add(fixed, digits, n, weight, negative);
}

static void
test_decimals(void)
{
	RmlFixed sum = {0, 0};
	char text[RML_DECIMAL_TEXT];
	bool fits = true;

	unit_equal_string(rml_decimal_text(&sum, text), "0e-20", "nothing yet");
	for (int i = 0; i < 10; i++)
		fits = fits && add_decimal(&sum, (const int16_t[]){1000}, 1, -1, false);
	unit_ok(fits && rml_decimal_sum(&sum) == 1.0, "ten times 0.1 is 1");
	/* 12345678.9 = 1234 5678 . 9000 */
	unit_ok(add_decimal(&sum, (const int16_t[]){1234, 5678, 9000}, 3, 1, false) &&
				rml_decimal_sum(&sum) == 12345679.9,
			"digits before and after the point");
	/* -12345679.9 and 1e-20: weight -5 is the fifth group of decimals */
	unit_ok(add_decimal(&sum, (const int16_t[]){1234, 5679, 9000}, 3, 1, true) &&
				add_decimal(&sum, (const int16_t[]){1}, 1, -5, false) &&
				rml_decimal_sum(&sum) == 1e-20,
			"the last decimal");
	unit_ok(!add_decimal(&sum, (const int16_t[]){1}, 1, -6, false), "more decimals do not fit");
	unit_ok(!add_decimal(&sum, (const int16_t[]){1}, 1, 4, false), "nor do 10^16");
	unit_ok(add_decimal(&sum,
						(const int16_t[]){9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999}, 9,
						3, true),
			"the largest that fits");
	/* 1e-20 - 9999999999999999.99999999999999999999 */
	unit_equal_string(rml_decimal_text(&sum, text), "-999999999999999999999999999999999998e-20",
					  "a negative sum as text");
	fits = true;
	for (int i = 0; i < 169; i++)
		fits = fits && add_decimal(&sum, (const int16_t[]){9999}, 1, 3, true);
	unit_ok(fits && !add_decimal(&sum, (const int16_t[]){9999}, 1, 3, true),
			"until the integer would overflow");
}

int
main(void)
{
	test_golden();
	test_edges();
	test_decimals();
	return unit_done();
}
