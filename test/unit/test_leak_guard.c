/* The leak guard: scores against scikit-learn and scipy, and what it reports. */
#include "retailml/leak_guard.h"

#include "retailml/rng.h"
#include "training.h"

#define GOLDEN_NUMBERS 5
#define GOLDEN_CATEGORIES 3

static int32_t *
integers_of(RmlEnv *env, const UnitCsv *csv, const char *first, size_t columns)
{
	double *values = unit_csv_numbers(csv, first, columns);
	int32_t *integers = RML_NEW(env, int32_t, csv->rows * columns);

	for (size_t i = 0; i < csv->rows * columns; i++)
		integers[i] = (int32_t) values[i];
	free(values);
	return integers;
}

static int
feature_named(const char *name)
{
	const char *const names[] = {"sepal_length", "sepal_width", "petal_length", "petal_width",
								 "noise",        "colour",      "shop",         "key"};

	for (int j = 0; j < GOLDEN_NUMBERS + GOLDEN_CATEGORIES; j++)
		if (strcmp(name, names[j]) == 0)
			return j;
	abort();
}

static void
test_golden(void)
{
	RmlEnv *env = unit_env(2);
	UnitCsv *table = unit_golden("leak_guard_rows.csv"), *golden = unit_golden("leak_guard.csv");
	double *numbers = unit_csv_numbers(table, "sepal_length", GOLDEN_NUMBERS);
	double *amount = unit_csv_numbers(table, "amount", 1);
	int32_t *codes = integers_of(env, table, "colour", GOLDEN_CATEGORIES);
	RmlTrainingSet rows =
		training_set(env, (int64_t) table->rows, GOLDEN_NUMBERS, GOLDEN_CATEGORIES, numbers, codes);
	RmlLeak leaks[GOLDEN_NUMBERS + GOLDEN_CATEGORIES];

	for (size_t row = 0; row < golden->rows; row++)
	{
		const char *label = unit_csv_text(golden, row, "label");
		const char *name = unit_csv_text(golden, row, "feature");
		double wanted = unit_csv_number(golden, row, "score"), got;
		bool by_missing;

		if (strcmp(label, "amount") == 0)
			set_numbers(&rows, amount);
		else
			set_classes(&rows, env, integers_of(env, table, label, 1),
						strcmp(label, "two") == 0 ? 2 : 3);
		got = rml_leak_score(env, &rows, feature_named(name), &by_missing);
		unit_near(got, wanted, 1e-12, "%s and %s", label, name);
		unit_equal_int(rml_leak_guard(env, &rows, leaks), 0, "no feature gives %s away", label);
	}
	free(numbers);
	free(amount);
	unit_csv_free(table);
	unit_csv_free(golden);
	unit_env_free(env);
}

/* ---- what is reported ---- */

/* columns of the made rows */
enum
{
	CODE,     /* number: the class */
	NEGATED,  /* number: minus the class, with noise that orders nothing anew */
	MONOTONE, /* number: a bent function of y */
	NOISE,    /* number */
	CONSTANT, /* number */
	GAPS,     /* number: missing (imputed by 0) for class 0 only, random else */
	CATEGORY, /* category: the class, in 7 spellings each */
	COLOUR,   /* category: noise */
	UNIQUE,   /* category: another one in each row */
	ONE,      /* category: always the same */
	N_COLUMNS,
	N_NUMBERS = CATEGORY
};

typedef struct Made
{
	double *numbers;  /* [n x N_NUMBERS] */
	int32_t *codes;   /* [n x N_COLUMNS - N_NUMBERS] */
	int32_t *classes; /* [n] */
	double *y;        /* [n] */
	double *weights;  /* [n] */
} Made;

/* n rows; a share of about `rare` is of class 0; errors: every so-many-th row has all leaks wrong */
static Made
make_rows(RmlEnv *env, int64_t n, int n_classes, double rare, int64_t errors)
{
	Made m = {RML_NEW(env, double, (size_t) n *N_NUMBERS),
			  RML_NEW(env, int32_t, (size_t) n * (N_COLUMNS - N_NUMBERS)),
			  RML_NEW(env, int32_t, (size_t) n), RML_NEW(env, double, (size_t) n),
			  RML_NEW(env, double, (size_t) n)};

	for (int64_t i = 0; i < n; i++)
	{
		double *x = m.numbers + i * N_NUMBERS;
		int32_t *c = m.codes + i * (N_COLUMNS - N_NUMBERS);
		double u[6];
		int shown;

		for (int j = 0; j < 6; j++)
			u[j] = rml_rng_uniform(5, (uint64_t) j, (uint64_t) i);
		m.classes[i] = u[0] < rare ? 0 : 1 + (int) (u[1] * (n_classes - 1));
		shown = errors > 0 && i % errors == 0 ? (m.classes[i] + 1) % n_classes : m.classes[i];
		m.y[i] = 2 * m.classes[i] + 1.9 * u[2];
		m.weights[i] = u[2];
		x[CODE] = shown;
		x[NEGATED] = -shown + 0.5 * u[2];
		x[MONOTONE] = exp(2 * shown + 1.9 * u[2]);
		x[NOISE] = u[3];
		x[CONSTANT] = 0.1;
		x[GAPS] = shown == 0 ? 0 : u[4] - 0.5;
		c[CATEGORY - N_NUMBERS] = 1 + 7 * shown + (int) (u[4] * 7);
		c[COLOUR - N_NUMBERS] = (int) (u[5] * 5);
		c[UNIQUE - N_NUMBERS] = (int32_t) i + 1;
		c[ONE - N_NUMBERS] = 1;
	}
	return m;
}

static RmlTrainingSet
made_set(RmlEnv *env, const Made *m, int64_t n, int n_classes)
{
	RmlTrainingSet rows =
		training_set(env, n, N_NUMBERS, N_COLUMNS - N_NUMBERS, m->numbers, m->codes);

	rows.schema->features[GAPS].n_missing = 1;
	rows.schema->features[GAPS].impute = 0;
	rows.schema->scaling[GAPS].impute = 0;
	if (n_classes > 0)
		set_classes(&rows, env, m->classes, n_classes);
	else
		set_numbers(&rows, m->y);
	return rows;
}

/* reported features as bits */
static unsigned
reported(RmlEnv *env, const RmlTrainingSet *rows)
{
	RmlLeak leaks[N_COLUMNS];
	int n = rml_leak_guard(env, rows, leaks);
	unsigned bits = 0;

	for (int i = 0; i < n; i++)
		bits |= 1u << leaks[i].feature;
	return bits;
}

#define BIT(column) (1u << (column))
#define NUMBER_LEAKS (BIT(CODE) | BIT(NEGATED) | BIT(MONOTONE))

/* leaks of two classes, of three, of a number; a large set goes through the sample first */
static void
test_reports(int64_t n, double rare)
{
	RmlEnv *env = unit_env(2);
	Made two = make_rows(env, n, 2, rare, 0), three = make_rows(env, n, 3, rare, 0);
	RmlTrainingSet rows = made_set(env, &two, n, 2);
	RmlLeak leaks[N_COLUMNS];

	unit_equal_int(reported(env, &rows), NUMBER_LEAKS | BIT(GAPS) | BIT(CATEGORY),
				   "two classes, %d rows, %g rare", (int) n, rare);
	rml_leak_guard(env, &rows, leaks);
	unit_ok(leaks[3].by_missing && !leaks[0].by_missing, "what tells is that a value is missing");
	unit_near(leaks[0].score, 1, 0, "the label itself scores 1");
	rows.weights = two.weights;
	unit_equal_int(reported(env, &rows), NUMBER_LEAKS | BIT(GAPS) | BIT(CATEGORY),
				   "weights do not matter");
	rows = made_set(env, &three, n, 3);
	unit_equal_int(reported(env, &rows), NUMBER_LEAKS | BIT(CATEGORY), "three classes");
	unit_env_free(env);
}

static void
test_regression(int64_t n)
{
	RmlEnv *env = unit_env(2);
	Made m = make_rows(env, n, 3, 0.3, 0);
	RmlTrainingSet rows = made_set(env, &m, n, 0);

	unit_equal_int(reported(env, &rows), BIT(MONOTONE), "only ranks determine a number");
	for (int64_t i = 0; i < n; i++)
		m.y[i] = -1e300 * m.classes[i] - 1e298 * m.numbers[i * N_NUMBERS + NOISE];
	unit_equal_int(reported(env, &rows), BIT(CODE) | BIT(CATEGORY), "levels, of huge numbers");
	for (int64_t i = 0; i < n; i++)
		m.y[i] = 0.1;
	unit_equal_int(reported(env, &rows), 0, "nothing determines a constant");
	unit_env_free(env);
}

/* one row in 500 wrong is 0.998 or less, one in 5000 more than 0.999 */
static void
test_threshold(void)
{
	RmlEnv *env = unit_env(2);
	const int64_t n = 30000;
	Made many = make_rows(env, n, 2, 0.5, 500), few = make_rows(env, n, 2, 0.5, 5000);
	RmlTrainingSet rows = made_set(env, &many, n, 2);
	bool by_missing;

	unit_equal_int(reported(env, &rows), 0, "two errors in a thousand are no leak");
	unit_ok(rml_leak_score(env, &rows, CODE, &by_missing) > RML_LEAK_SUSPECT, "but suspect");
	rows = made_set(env, &few, n, 2);
	unit_equal_int(reported(env, &rows), NUMBER_LEAKS | BIT(GAPS) | BIT(CATEGORY),
				   "two in ten thousand are");
	unit_env_free(env);
}

static void
test_too_few(void)
{
	RmlEnv *env = unit_env(1);
	double x[40];
	int32_t classes[40];
	RmlTrainingSet rows;

	for (int i = 0; i < 40; i++)
	{
		classes[i] = i < 5 ? 1 : 0;
		x[i] = i;
	}
	rows = training_set(env, 20, 1, 0, x, NULL);
	set_classes(&rows, env, classes, 2);
	unit_equal_int(reported(env, &rows), 1, "20 rows and 5 of a class are enough");
	rows.n = 19;
	unit_equal_int(reported(env, &rows), 0, "19 rows are not");
	set_numbers(&rows, x);
	unit_equal_int(reported(env, &rows), 0, "nor for a number");
	rows.n = 20;
	unit_equal_int(reported(env, &rows), 1, "for which 20 are");
	classes[0] = 0;
	rows = training_set(env, 40, 1, 0, x, NULL);
	set_classes(&rows, env, classes, 2);
	unit_equal_int(reported(env, &rows), 0, "4 rows of a class are not enough");
	unit_env_free(env);
}

/* more classes than are looked at, and classes too rare to be */
static void
test_many_classes(void)
{
	RmlEnv *env = unit_env(2);
	enum
	{
		N = 9000
	};
	static double x[2 * N];
	static int32_t classes[N];
	RmlTrainingSet rows;

	for (int i = 0; i < N; i++)
	{
		classes[i] = i < 2 ? i : (int32_t) rml_rng_below(3, 0, (uint64_t) i, 300) + 2;
		x[2 * i] = classes[i];
		x[2 * i + 1] = (double) (classes[i] % 30);
	}
	rows = training_set(env, N, 2, 0, x, NULL);
	set_classes(&rows, env, classes, 302);
	unit_equal_int(reported(env, &rows), BIT(0), "of 302 classes, two of them one row each");
	unit_env_free(env);
}

/* a class that the leading rows do not have */
static void
test_rare(void)
{
	RmlEnv *env = unit_env(1);
	const int n = 3 * RML_LEAK_ROWS;
	double *x = RML_NEW(env, double, (size_t) n * 2);
	int32_t *classes = RML_NEW(env, int32_t, (size_t) n);
	RmlTrainingSet rows;

	for (int i = 0; i < n; i++)
	{
		classes[i] = i >= n - 6;
		x[2 * i] = classes[i] + rml_rng_uniform(1, 0, (uint64_t) i);
		x[2 * i + 1] = rml_rng_uniform(1, 1, (uint64_t) i);
	}
	rows = training_set(env, n, 2, 0, x, NULL);
	set_classes(&rows, env, classes, 2);
	unit_equal_int(reported(env, &rows), BIT(0), "six positive rows, all beyond the sample");
	unit_env_free(env);
}

static void
test_manners(void)
{
	const int64_t n = 60000;
	RmlEnv *env = unit_env(2);
	Made m = make_rows(env, n, 2, 0.01, 0);
	RmlTrainingSet rows = made_set(env, &m, n, 2);
	size_t before = unit_env_in_use(env);
	int64_t polls = unit_env_polls(env);

	reported(env, &rows);
	unit_equal_int((int64_t) unit_env_in_use(env), (int64_t) before, "no memory is kept");
	unit_ok(unit_env_peak(env) <= before + rml_leak_guard_bytes(&rows), "nor more than announced");
	unit_ok(unit_env_polls(env) > polls + 50, "it polls");
	set_numbers(&rows, m.y);
	reported(env, &rows);
	unit_ok(unit_env_peak(env) <= before + rml_leak_guard_bytes(&rows), "nor for a number");
	unit_equal_string(rml_leak_measure(&rows.target), "R2", "its measure");
	unit_env_cancel_after(env, 20);
	unit_ok(UNIT_ESCAPES(env, reported(env, &rows)), "it can be cancelled");
	unit_env_free(env);
}

int
main(void)
{
	test_golden();
	test_reports(500, 0.3);
	test_reports(50000, 0.002);
	test_regression(400);
	test_regression(30000);
	test_threshold();
	test_too_few();
	test_many_classes();
	test_rare();
	test_manners();
	return unit_done();
}
