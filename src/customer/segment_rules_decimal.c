/*
 * segment_rules_decimal.c
 *	  The roundest number in an interval.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/segment_rules.h"

#define MAX_DIGITS 17 /* that tell all float8 apart */
#define TEXT 400      /* the plain form of numbers of PLAIN_LOW and more is shorter */

/* between these, numbers are written without an exponent */
#define PLAIN_LOW 1e-5
#define PLAIN_HIGH 1e18

/* a number that is so many times 10^exponent, as people write it */
static void
write_decimal(double value, int exponent, char *text)
{
	double size = fabs(value);

	if (size >= PLAIN_LOW && size < PLAIN_HIGH)
		snprintf(text, TEXT, "%.*f", exponent < 0 ? -exponent : 0, value);
	else
	{
		int digits = (int) floor(log10(size)) - exponent;

		snprintf(text, TEXT, "%.*e", digits < 0 ? 0 : digits, value);
	}
}

/* the multiple of 10^exponent on [low, high] that is nearest to the middle */
static bool
find_multiple(double low, double high, int exponent, char *text, double *value)
{
	double middle = low / 2 + high / 2, best = INFINITY;
	char digits[TEXT], candidate[TEXT];
	double count;

	snprintf(digits, sizeof digits, "1e%d", exponent);
	/* the division may round to the wrong side */
	count = floor(middle / strtod(digits, NULL));
	if (!isfinite(count) || fabs(count) >= 1e17)
		return false;
	for (int step = -1; step <= 1; step++)
	{
		double number;

		snprintf(digits, sizeof digits, "%.0fe%d", count + step, exponent);
		number = strtod(digits, NULL);
		if (!(number >= low && number <= high) || fabs(number - middle) >= best)
			continue;
		write_decimal(number, exponent, candidate);
		/* with more than 15 digits the text may have come out as a neighbour */
		if (strtod(candidate, NULL) != number)
			continue;
		best = fabs(number - middle);
		strcpy(text, candidate);
		*value = number;
	}
	return best < INFINITY;
}

/* the shortest text that reads as this float8 */
static void
write_shortest(double value, char *text)
{
	for (int digits = 1; digits <= MAX_DIGITS; digits++)
	{
		snprintf(text, TEXT, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return;
	}
}

char *
rml_short_decimal(RmlEnv *env, double low, double high, double *value)
{
	double size = fmax(fabs(low), fabs(high));
	char text[TEXT];
	int exponent;

	*value = 0.0;
	if (low <= 0.0 && high >= 0.0)
		return rml_strdup(env, "0");
	exponent = (int) floor(log10(size)) + 1;
	for (int digits = 0; digits <= MAX_DIGITS; digits++)
		if (find_multiple(low, high, exponent - digits, text, value))
			return rml_strdup(env, text);
	*value = low;
	write_shortest(low, text);
	return rml_strdup(env, text);
}
