/*
 * numeric_sql.c
 *	  numeric to float8 without a detour over text.
 *
 * The SQL cast prints the number and parses it again.  Money has few digits: when all base-10000
 * digits together are an integer below 2^53 and the power of ten is at most 22, both are exact as
 * float8 and one multiplication or division rounds correctly (W. D. Clinger, "How to read floating
 * point numbers accurately", PLDI 1990, section 3).  Everything else takes the cast.
 *
 * The bit layout is that of a stored numeric (struct NumericData in PostgreSQL's numeric.c); it is
 * part of the on-disk format and has not changed since 9.1.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "utils/builtins.h"
#include "utils/numeric.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/numeric_sql.h"
#include "retailml/row_sql.h"

#define FORM_MASK 0xC000
#define FORM_SHORT 0x8000
#define FORM_SPECIAL 0xC000
#define FORM_NEGATIVE 0x4000 /* sign of the long form */
#define SHORT_NEGATIVE 0x2000
#define SHORT_WEIGHT_SIGN 0x0040
#define SHORT_WEIGHT_MASK 0x003F

#define DIGIT_BASE 10000
#define DIGIT_DECIMALS 4
/* decimal digits that every float8 in the normal range keeps */
#define KEPT_DECIMALS DBL_DIG
#define MAX_EXACT_POWER 22
#define MAX_EXACT_INTEGER (INT64CONST(1) << 53)

static uint16
word_at(const char *bytes)
{
	uint16 word;

	memcpy(&word, bytes, sizeof word);
	return word;
}

static inline bool
parse(const struct varlena *numeric, RmlDigits *digits)
{
	const char *data = VARDATA_ANY(numeric);
	Size length = VARSIZE_ANY_EXHDR(numeric);
	uint16 header = word_at(data);
	int header_size;

	if ((header & FORM_MASK) == FORM_SPECIAL)
		return false;
	if ((header & FORM_MASK) == FORM_SHORT)
	{
		header_size = sizeof(uint16);
		digits->negative = (header & SHORT_NEGATIVE) != 0;
		digits->weight =
			(header & SHORT_WEIGHT_MASK) | ((header & SHORT_WEIGHT_SIGN) ? ~SHORT_WEIGHT_MASK : 0);
	}
	else
	{
		header_size = 2 * sizeof(uint16);
		digits->negative = (header & FORM_MASK) == FORM_NEGATIVE;
		digits->weight = (int16) word_at(data + sizeof(uint16));
	}
	digits->digits = data + header_size;
	digits->n = (int) ((length - header_size) / sizeof(int16));
	return true;
}

bool
rml_numeric_digits(const struct varlena *numeric, RmlDigits *digits)
{
	return parse(numeric, digits);
}

/* all digits as one integer, or something above MAX_EXACT_INTEGER when they are more than that */
static inline int64
joined(const RmlDigits *digits)
{
	int64 integer = 0;

	for (int i = 0; i < digits->n; i++)
	{
		integer = integer * DIGIT_BASE + (int16) word_at(digits->digits + i * sizeof(int16));
		/* up to four digits stay below 10^16 */
		if (i >= 3 && integer > MAX_EXACT_INTEGER / DIGIT_BASE && i + 1 < digits->n)
			return MAX_EXACT_INTEGER + 1;
	}
	return integer;
}

/* false when the exact path does not reach that far */
static inline bool
exact(const RmlDigits *digits, double *result)
{
	static const double powers[MAX_EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
													   1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
													   1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
													   1e18, 1e19, 1e20, 1e21, 1e22};
	int power = DIGIT_DECIMALS * (digits->weight - digits->n + 1);
	int64 integer;
	double value;

	if (power > MAX_EXACT_POWER || power < -MAX_EXACT_POWER)
		return false;
	integer = joined(digits);
	if (integer > MAX_EXACT_INTEGER)
		return false;
	value = power < 0 ? (double) integer / powers[-power] : (double) integer * powers[power];
	*result = digits->negative ? -value : value;
	return true;
}

double
rml_numeric_to_float8(Datum numeric)
{
	struct varlena *given = (struct varlena *) DatumGetPointer(numeric);
	/* most are stored short, and need no call to say so */
	bool in_place = VARATT_IS_SHORT(given) && !VARATT_IS_EXTERNAL(given);
	struct varlena *packed = in_place ? given : PG_DETOAST_DATUM_PACKED(numeric);
	RmlDigits digits;
	double result;

	if (!parse(packed, &digits) || !exact(&digits, &result))
		result = DatumGetFloat8(DirectFunctionCall1(numeric_float8, numeric));
	if (packed != given)
		pfree(packed);
	return result;
}

/* digits in decimal, without zeros at either end */
static int
significant_decimals(const RmlDigits *digits)
{
	int decimals = DIGIT_DECIMALS * digits->n;
	int first, last;

	if (digits->n == 0)
		return 0;
	first = word_at(digits->digits);
	last = word_at(digits->digits + (digits->n - 1) * sizeof(int16));
	for (int power = DIGIT_BASE / 10; power > first; power /= 10)
		decimals--;
	for (int power = 10; last % power == 0 && power < DIGIT_BASE; power *= 10)
		decimals--;
	return decimals;
}

bool
rml_numeric_fits_float8(Datum numeric, double converted)
{
	struct varlena *given = (struct varlena *) DatumGetPointer(numeric);
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(numeric);
	RmlDigits digits;
	bool fits = true;

	if (parse(packed, &digits))
		fits = digits.n == 0 ||
			   (significant_decimals(&digits) <= KEPT_DECIMALS && fabs(converted) >= DBL_MIN);
	if (packed != given)
		pfree(packed);
	return fits;
}
