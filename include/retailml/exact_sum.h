/*
 * exact_sum.h
 *	  Sums that are exact, and so do not depend on the order of the terms.
 *
 * Floating-point addition is not associative: the sum of a column would change in its last bits
 * with row order and parallel plan.  Here nothing is rounded until the end, and the result is the
 * exact sum rounded once, to the nearest double (Python's math.fsum gives the same).
 *
 * Terms that fit are added as 128-bit integers:
 *
 *	  binary:   units of 2^-64; doubles below 2^63 with all their bits at or above 2^-64, so
 *				every double from 2^-12 (0.00025) up has its full precision
 *	  decimal:  units of 10^-20; up to 20 decimals, below 10^16
 *
 * A term that does not fit (or would overflow the integer) is left to the caller, who keeps the
 * rest by other exact means: doubles in an RmlWideSum, decimals in a numeric.
 *
 * RmlWideSum is a long accumulator over the whole range of double (Kulisch, "Very fast and exact
 * accumulation of products", Computing 2011): 69 digits of base 2^32, digit i of weight
 * 2^(32 i - 1088), each in an int64 so that carries can wait.
 */
#ifndef RETAILML_EXACT_SUM_H
#define RETAILML_EXACT_SUM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* a 128-bit integer in two's complement, aligned to 8 like everything the host allocates */
typedef struct RmlFixed
{
	uint64_t low;
	int64_t high;
} RmlFixed;

#define RML_WIDE_DIGITS 69

typedef struct RmlWideSum
{
	int64_t digits[RML_WIDE_DIGITS];
	int64_t pending; /* additions since carries were propagated */
} RmlWideSum;

static inline __int128
rml_fixed_get(const RmlFixed *fixed)
{
	return (__int128) ((unsigned __int128) (uint64_t) fixed->high << 64 | fixed->low);
}

static inline void
rml_fixed_set(RmlFixed *fixed, __int128 value)
{
	fixed->low = (uint64_t) value;
	fixed->high = (int64_t) (value >> 64);
}

/* add a term given as integer and sign; false (and no change) when the sum would overflow */
static inline bool
rml_fixed_add(RmlFixed *fixed, unsigned __int128 magnitude, bool negative)
{
	__int128 term = negative ? -(__int128) magnitude : (__int128) magnitude;
	__int128 sum;

	if (__builtin_add_overflow(rml_fixed_get(fixed), term, &sum))
		return false;
	rml_fixed_set(fixed, sum);
	return true;
}

/* add a finite double to a binary sum; false (and no change) when it does not fit */
static inline bool
rml_fixed_add_double(RmlFixed *fixed, double x)
{
	uint64_t bits, mantissa;
	int exponent, shift;

	memcpy(&bits, &x, sizeof bits);
	exponent = (int) (bits >> 52 & 0x7FF);
	mantissa = bits & 0xFFFFFFFFFFFFFull;
	if (exponent > 0)
		mantissa |= 1ull << 52;
	else if (mantissa == 0)
		return true;
	/* x = mantissa * 2^(exponent - 1075) = (mantissa << shift) * 2^-64 */
	shift = exponent - 1075 + 64;
	if (shift > 74)
		return false;
	if (shift < 0)
	{
		/* small numbers fit when the bits below the unit are zero */
		if (shift <= -53 || (mantissa & ((1ull << -shift) - 1)) != 0)
			return false;
		return rml_fixed_add(fixed, mantissa >> -shift, bits >> 63);
	}
	return rml_fixed_add(fixed, (unsigned __int128) mantissa << shift, bits >> 63);
}

/* add b to a; false (and no change) when that would overflow */
extern bool rml_fixed_merge(RmlFixed *a, const RmlFixed *b);

/* binary sum as a double; wide may be NULL; infinite when the exact sum is out of range */
extern double rml_exact_sum(const RmlFixed *fixed, const RmlWideSum *wide);

/* wide starts zeroed */
extern void rml_wide_add(RmlWideSum *wide, double x);
extern void rml_wide_add_fixed(RmlWideSum *wide, const RmlFixed *fixed);
extern void rml_wide_merge(RmlWideSum *a, const RmlWideSum *b);

/*
 * Add a decimal number to a decimal sum: n digits of base 10000 as unaligned 16-bit integers, the
 * first of weight 10000^weight.  False (and no change) when it does not fit.
 */
extern bool rml_decimal_add(RmlFixed *fixed, const void *digits, int n, int weight, bool negative);

/* text of a decimal sum: an integer followed by "e-20" */
#define RML_DECIMAL_TEXT 48
extern const char *rml_decimal_text(const RmlFixed *fixed, char text[RML_DECIMAL_TEXT]);

/* decimal sum rounded to the nearest double */
extern double rml_decimal_sum(const RmlFixed *fixed);

#endif /* RETAILML_EXACT_SUM_H */
