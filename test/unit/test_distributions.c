/*
 * Tails and quantiles against scipy and mpmath (test/golden/distributions.py), and against each other.
 */
#include "unit.h"

#include <math.h>

#include "retailml/distributions.h"
#include "retailml/rng.h"

static double
value_of(const char *function, double a, double b, double c)
{
	if (strcmp(function, "normal_upper") == 0)
		return rml_normal_upper(a);
	if (strcmp(function, "student_two_sided") == 0)
		return rml_student_two_sided(a, b);
	if (strcmp(function, "f_upper") == 0)
		return rml_f_upper(a, b, c);
	if (strcmp(function, "chi2_upper") == 0)
		return rml_chi2_upper(a, b);
	if (strcmp(function, "normal_quantile") == 0)
		return rml_normal_quantile(a);
	if (strcmp(function, "student_quantile") == 0)
		return rml_student_quantile(a, b);
	if (strcmp(function, "f_quantile") == 0)
		return rml_f_quantile(a, b, c);
	return rml_chi2_quantile(a, b);
}

/* relative, also far out where the tails are 1e-100; a value below 1e-290 has lost digits by itself */
static bool
agrees(double got, double wanted)
{
	return fabs(got - wanted) <= 1e-12 * fabs(wanted) + 1e-300;
}

static void
test_golden(void)
{
	UnitCsv *golden = unit_golden("distributions.csv");
	const char *last = "";
	int wrong = 0;

	if (golden == NULL)
		return;
	for (size_t row = 0; row < golden->rows; row++)
	{
		const char *function = unit_csv_text(golden, row, "function");
		double a = unit_csv_number(golden, row, "a"), b = unit_csv_number(golden, row, "b");
		double c = unit_csv_number(golden, row, "c");
		double got = value_of(function, a, b, c), wanted = unit_csv_number(golden, row, "value");

		if (!agrees(got, wanted))
		{
			wrong++;
			unit_note("%s(%g, %g, %g) = %.17g, not %.17g", function, a, b, c, got, wanted);
		}
		last = function;
	}
	unit_ok(wrong == 0 && *last != '\0', "%zu values agree to 1e-12", golden->rows);
	unit_csv_free(golden);
}

static void
test_turned_around(void)
{
	double worst = 0.0;

	for (int i = 1; i < 200; i++)
	{
		double p = i / 200.0;

		worst = fmax(worst, fabs(1.0 - rml_student_upper(rml_student_quantile(p, 3.7), 3.7) - p));
		worst = fmax(worst, fabs(1.0 - rml_f_upper(rml_f_quantile(p, 4, 11), 4, 11) - p));
		worst = fmax(worst, fabs(1.0 - rml_chi2_upper(rml_chi2_quantile(p, 6), 6) - p));
		worst = fmax(worst, fabs(rml_normal_upper(-rml_normal_quantile(p)) - p));
	}
	unit_ok(worst < 1e-14, "quantiles are the tails turned around (%.1e)", worst);
}

static void
test_edges(void)
{
	unit_near(rml_student_two_sided(INFINITY, 3), 0, 0, "an infinite t");
	unit_near(rml_student_two_sided(2, INFINITY), 2 * rml_normal_upper(2), 1e-15,
			  "infinite degrees of freedom are the normal distribution");
	unit_near(rml_student_two_sided(2, 0), NAN, 0, "no degrees of freedom");
	unit_near(rml_f_upper(-1, 2, 3), 1, 0, "a negative F");
	unit_near(rml_f_upper(NAN, 2, 3), NAN, 0, "a missing F");
	unit_near(rml_chi2_upper(INFINITY, 3), 0, 0, "an infinite chi-squared");
	unit_near(rml_chi2_quantile(0, 3), 0, 0, "the quantile of 0");
	unit_near(rml_student_quantile(1.5, 3), NAN, 0, "no probability");
}

int
main(void)
{
	test_golden();
	test_turned_around();
	test_edges();
	return unit_done();
}
