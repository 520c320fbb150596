/*
 * numeric_sql.h
 *	  The digits of a numeric, without a copy.
 */
#ifndef RETAILML_NUMERIC_SQL_H
#define RETAILML_NUMERIC_SQL_H

#include "postgres.h"

typedef struct RmlDigits
{
	const char *digits; /* int16 each, most significant first, perhaps unaligned */
	int n;
	int weight; /* the first digit counts 10000 ^ weight */
	bool negative;
} RmlDigits;

/*
 * Digits of a numeric that was detoasted (a short header is fine); they point into it.  False for
 * NaN and infinity.
 */
extern bool rml_numeric_digits(const struct varlena *numeric, RmlDigits *digits);

/*
 * Is this numeric's float8 as good as itself?  With at most 15 significant digits it is: no two
 * such numerics share a float8, and its shortest text is that of the numeric.
 */
extern bool rml_numeric_fits_float8(Datum numeric, double converted);

#endif /* RETAILML_NUMERIC_SQL_H */
