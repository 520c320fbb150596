/*
 * exact_sum.c
 *	  The long accumulator, and sums of decimals.  See exact_sum.h.
 */
#include "retailml/exact_sum.h"

#include <math.h>
#include <stdlib.h>

#define DIGIT_BITS 32
#define DIGIT_MASK 0xFFFFFFFF
#define LOWEST_EXPONENT (-1088)
/* digit whose weight is the unit of a binary RmlFixed, 2^-64 */
#define FIXED_DIGIT 32
/* one addition changes a digit by less than 2^32, so that many fit an int64 */
#define MAX_PENDING (1 << 30)

bool
rml_fixed_merge(RmlFixed *a, const RmlFixed *b)
{
	__int128 sum;

	if (__builtin_add_overflow(rml_fixed_get(a), rml_fixed_get(b), &sum))
		return false;
	rml_fixed_set(a, sum);
	return true;
}

/* every digit but the last in 0 .. 2^32 - 1; the last has the sign of the sum */
static void
propagate_carries(RmlWideSum *wide)
{
	int64_t carry = 0;

	for (int i = 0; i < RML_WIDE_DIGITS - 1; i++)
	{
		int64_t digit = wide->digits[i] + carry;

		carry = digit >> DIGIT_BITS;
		wide->digits[i] = digit & DIGIT_MASK;
	}
	wide->digits[RML_WIDE_DIGITS - 1] += carry;
	wide->pending = 0;
}

static void
note_addition(RmlWideSum *wide)
{
	if (++wide->pending >= MAX_PENDING)
		propagate_carries(wide);
}

void
rml_wide_add(RmlWideSum *wide, double x)
{
	int exponent;
	int64_t mantissa = (int64_t) ldexp(frexp(x, &exponent), 53);
	int position = exponent - 53 - LOWEST_EXPONENT;
	unsigned __int128 shifted;
	int64_t *digit;

	/* frexp normalises subnormal numbers too: their low bits are zero, shift them out */
	if (position < 0)
	{
		mantissa >>= -position;
		position = 0;
	}
	digit = wide->digits + position / DIGIT_BITS;
	shifted = (unsigned __int128) (uint64_t) llabs(mantissa) << position % DIGIT_BITS;
	for (int i = 0; i < 3; i++, shifted >>= DIGIT_BITS)
	{
		int64_t part = (int64_t) (shifted & DIGIT_MASK);

		digit[i] += mantissa < 0 ? -part : part;
	}
	note_addition(wide);
}

void
rml_wide_add_fixed(RmlWideSum *wide, const RmlFixed *fixed)
{
	int64_t *digit = wide->digits + FIXED_DIGIT;

	digit[0] += (int64_t) (fixed->low & DIGIT_MASK);
	digit[1] += (int64_t) (fixed->low >> DIGIT_BITS);
	digit[2] += fixed->high & DIGIT_MASK;
	digit[3] += fixed->high >> DIGIT_BITS;
	note_addition(wide);
}

void
rml_wide_merge(RmlWideSum *a, const RmlWideSum *b)
{
	RmlWideSum other = *b;

	propagate_carries(&other);
	propagate_carries(a);
	for (int i = 0; i < RML_WIDE_DIGITS; i++)
		a->digits[i] += other.digits[i];
	note_addition(a);
}

/*
 * The three leading digits hold at least 65 bits, more than the 53 of a double and the bit after
 * them; whether anything is left below only matters as one sticky bit.  A subnormal result needs
 * no rounding: every term, and so the sum, is a multiple of the smallest double.
 */
static double
round_digits(const RmlWideSum *wide)
{
	unsigned __int128 lead = 0;
	int top = RML_WIDE_DIGITS - 1;
	int low;

	while (top > 0 && wide->digits[top] == 0)
		top--;
	low = top >= 2 ? top - 2 : 0;
	for (int i = top; i >= low; i--)
		lead = lead << DIGIT_BITS | (uint64_t) wide->digits[i];
	for (int i = 0; i < low; i++)
		if (wide->digits[i] != 0)
		{
			lead |= 1;
			break;
		}
	return ldexp((double) lead, low * DIGIT_BITS + LOWEST_EXPONENT);
}

double
rml_exact_sum(const RmlFixed *fixed, const RmlWideSum *wide)
{
	RmlWideSum total;
	bool negative;

	if (wide == NULL)
		return (double) rml_fixed_get(fixed) * 0x1.0p-64;
	total = *wide;
	rml_wide_add_fixed(&total, fixed);
	propagate_carries(&total);
	negative = total.digits[RML_WIDE_DIGITS - 1] < 0;
	if (negative)
	{
		for (int i = 0; i < RML_WIDE_DIGITS; i++)
			total.digits[i] = -total.digits[i];
		propagate_carries(&total);
	}
	return negative ? -round_digits(&total) : round_digits(&total);
}

/* ---- decimals ---- */

#define BASE 10000
#define FRACTION_DIGITS 5 /* of base 10000: units of 10^-20 */
#define MAX_WEIGHT 3

bool
rml_decimal_add(RmlFixed *fixed, const void *digits, int n, int weight, bool negative)
{
	const uint8_t *place = digits;
	int fraction = n - 1 - weight;
	unsigned __int128 value = 0;
	uint64_t lead = 0;
	int i = 0;

	if (n == 0)
		return true;
	if (weight > MAX_WEIGHT || fraction > FRACTION_DIGITS)
		return false;
	/* four digits fit 64 bits; below the weight limit all together fit 120 */
	for (; i < n && i < 4; i++)
	{
		int16_t digit;

		memcpy(&digit, place + 2 * i, 2);
		lead = lead * BASE + (uint64_t) digit;
	}
	for (value = lead; i < n; i++)
	{
		int16_t digit;

		memcpy(&digit, place + 2 * i, 2);
		value = value * BASE + (uint64_t) digit;
	}
	for (; fraction < FRACTION_DIGITS; fraction++)
		value *= BASE;
	return rml_fixed_add(fixed, value, negative);
}

const char *
rml_decimal_text(const RmlFixed *fixed, char text[RML_DECIMAL_TEXT])
{
	__int128 value = rml_fixed_get(fixed);
	unsigned __int128 rest = value < 0 ? -(unsigned __int128) value : (unsigned __int128) value;
	char *place = text + RML_DECIMAL_TEXT - sizeof "e-20";

	memcpy(place, "e-20", sizeof "e-20");
	do
	{
		*--place = (char) ('0' + (int) (rest % 10));
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--place = '-';
	return place;
}

/* strtod rounds correctly, and without a decimal point no locale matters */
double
rml_decimal_sum(const RmlFixed *fixed)
{
	char text[RML_DECIMAL_TEXT];

	return strtod(rml_decimal_text(fixed, text), NULL);
}
