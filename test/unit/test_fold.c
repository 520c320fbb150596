/*
 * test_fold.c
 *	  Splits against an implementation in Python (test/golden/fold.py), and their independence.
 */
#include "unit.h"

#include <math.h>

#include "retailml/fold.h"

static RmlSplitKey
golden_key(const UnitCsv *golden, size_t row)
{
	const char *key = unit_csv_text(golden, row, "key");

	if (strcmp(unit_csv_text(golden, row, "kind"), "integer") == 0)
		return rml_split_integer(strtoll(key, NULL, 10));
	return rml_split_bytes(key, strlen(key));
}

static void
test_golden(void)
{
	UnitCsv *golden = unit_golden("fold.csv");
	int wrong = 0;

	if (golden == NULL)
		return;
	for (size_t i = 0; i < golden->rows; i++)
	{
		RmlSplitKey key = golden_key(golden, i);
		int64_t seed = strtoll(unit_csv_text(golden, i, "seed"), NULL, 10);

		wrong += rml_fold(key, 5, seed) != (int) unit_csv_number(golden, i, "fold5");
		wrong += rml_fold(key, 1000, seed) != (int) unit_csv_number(golden, i, "fold1000");
		wrong += rml_is_train(key, 0.8, seed) != (unit_csv_number(golden, i, "train") == 1);
	}
	unit_ok(golden->rows > 70 && wrong == 0, "%d splits differ from Python's", wrong);
	unit_csv_free(golden);
}

/*
 * Chi-squared of fold (5) by is_train (0.5) against independence and equal shares: 9 degrees of
 * freedom, above 33.7 with probability 1e-4; the seeds are fixed, so it is the same every time.
 */
static void
test_independence(void)
{
	enum
	{
		n = 200000
	};

	for (int kind = 0; kind < 2; kind++)
	{
		int64_t cells[5][2] = {{0}};
		double chi2 = 0;

		for (int64_t i = 0; i < n; i++)
		{
			RmlSplitKey key = kind == 0 ? rml_split_integer(i)
										: rml_split_bytes((const char *) &(int64_t){i}, sizeof i);

			cells[rml_fold(key, 5, 42) - 1][rml_is_train(key, 0.5, 42)]++;
		}
		for (int f = 0; f < 5; f++)
			for (int t = 0; t < 2; t++)
				chi2 += pow((double) cells[f][t] - n / 10.0, 2) / (n / 10.0);
		unit_ok(chi2 < 33.7, "folds and training are even and independent (%s, chi2 %.1f)",
				kind == 0 ? "integers" : "bytes", chi2);
	}
}

static void
test_nested(void)
{
	int wrong = 0;

	for (int64_t i = 0; i < 1000; i++)
	{
		RmlSplitKey key = rml_split_integer(i);

		wrong += rml_is_train(key, 0.3, 1) && !rml_is_train(key, 0.4, 1);
	}
	unit_equal_int(wrong, 0, "in training with a larger fraction, too");
}

int
main(void)
{
	test_golden();
	test_independence();
	test_nested();
	return unit_done();
}
