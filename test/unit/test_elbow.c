/*
 * test_elbow.c
 *	  Against kneed (test/golden/elbow.py), and curves that have no elbow.
 */
#include "unit.h"

#include <math.h>

#include "retailml/elbow.h"

static void
test_golden(void)
{
	UnitCsv *golden = unit_golden("elbow.csv");
	double *x, *y;

	if (golden == NULL)
		return;
	x = unit_csv_numbers(golden, "x", 1);
	y = unit_csv_numbers(golden, "y", 1);
	for (size_t begin = 0, end; begin < golden->rows; begin = end)
	{
		const char *name = unit_csv_text(golden, begin, "curve");

		for (end = begin; end < golden->rows; end++)
			if (strcmp(unit_csv_text(golden, end, "curve"), name) != 0)
				break;
		unit_equal_int(rml_elbow(x + begin, y + begin, (int) (end - begin)),
					   (int64_t) unit_csv_number(golden, begin, "elbow"), "%s", name);
	}
	free(x);
	free(y);
	unit_csv_free(golden);
}

static void
test_none(void)
{
	const double x[] = {1, 2, 3, 4};
	const double y[] = {10, 3, 2, 1};

	unit_equal_int(rml_elbow(x, y, 4), 1, "a curve with an elbow, and without one:");
	unit_equal_int(rml_elbow(NULL, NULL, 0), -1, "no points");
	unit_equal_int(rml_elbow(x, y, 2), -1, "two points");
	unit_equal_int(rml_elbow(x, (const double[]){5, 5, 5, 5}, 4), -1, "a constant line");
	unit_equal_int(rml_elbow(x, (const double[]){4, 3, 2, 1}, 4), -1, "a straight line");
	unit_equal_int(rml_elbow(x, (const double[]){10, NAN, 2, 1}, 4), -1, "a NaN");
	unit_equal_int(rml_elbow(x, (const double[]){INFINITY, 3, 2, 1}, 4), -1, "an infinity");
	unit_equal_int(rml_elbow(x, (const double[]){1e308, -1e308, 2, 1}, 4), -1,
				   "a range beyond float8");
	unit_equal_int(rml_elbow((const double[]){1, 3, 2, 4}, y, 4), -1, "x out of order");
	unit_equal_int(rml_elbow((const double[]){1, 2, 2, 4}, y, 4), -1, "x twice");
}

/*
 * Neither axis has a unit.  Of 1 / (i + 1), i = 0 .. 10, the distance to the line through its ends
 * is largest where 1 / (i + 1) + i / 11 is least, next to i + 1 = sqrt(11).
 */
static void
test_scale(void)
{
	double x[11], y[11];

	for (int i = 0; i < 11; i++)
	{
		x[i] = 1e6 + 1e-3 * i;
		y[i] = -5e11 + 1e9 / (i + 1);
	}
	unit_equal_int(rml_elbow(x, y, 11), 2, "1 / k keeps its elbow when shifted and scaled");
	for (int i = 0; i < 11; i++)
	{
		x[i] = i;
		y[i] = 1.0 / (i + 1);
	}
	unit_equal_int(rml_elbow(x, y, 11), 2, "and has it next to the square root of its length");
}

int
main(void)
{
	test_golden();
	test_none();
	test_scale();
	return unit_done();
}
