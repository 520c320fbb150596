/* Balanced classes: counts, where synthetic rows lie, and that nothing but rows and seed matters. */
#include "retailml/resample.h"

#include "retailml/rng.h"
#include "training.h"

enum
{
	A,
	B,
	FLAG,
	D_NUM,
	D_CAT = 2,
	K = 3
};

/* the rows of resample_rows.csv */
typedef struct Golden
{
	double *numbers;
	int32_t *codes;
	int32_t *classes;
	double *weights;
	int64_t n;
} Golden;

static Golden
golden_rows(RmlEnv *env)
{
	UnitCsv *csv = unit_golden("resample_rows.csv");
	size_t n = csv->rows;
	Golden g = {RML_NEW(env, double, n *D_NUM), RML_NEW(env, int32_t, n * D_CAT),
				RML_NEW(env, int32_t, n), RML_NEW(env, double, n), (int64_t) n};

	for (size_t i = 0; i < n; i++)
	{
		g.numbers[i * D_NUM + A] = unit_csv_number(csv, i, "a");
		g.numbers[i * D_NUM + B] = unit_csv_number(csv, i, "b");
		g.numbers[i * D_NUM + FLAG] = unit_csv_number(csv, i, "flag");
		g.codes[i * D_CAT] = (int32_t) unit_csv_number(csv, i, "c");
		g.codes[i * D_CAT + 1] = (int32_t) unit_csv_number(csv, i, "d");
		g.classes[i] = (int32_t) unit_csv_number(csv, i, "class");
		g.weights[i] = (double) i / 64;
	}
	unit_csv_free(csv);
	return g;
}

static RmlTrainingSet
golden_set(RmlEnv *env, const Golden *g)
{
	RmlTrainingSet rows = training_set(env, g->n, D_NUM, D_CAT, g->numbers, g->codes);

	rows.schema->features[FLAG].kind = RML_BOOLEAN;
	rows.weights = g->weights;
	set_classes(&rows, env, g->classes, K);
	return rows;
}

static bool
same_row(const RmlTrainingSet *a, int64_t i, const RmlTrainingSet *b, int64_t j)
{
	const size_t d_num = (size_t) a->schema->d_num, d_cat = (size_t) a->schema->d_cat;

	return a->classes[i] == b->classes[j] &&
		   memcmp(a->numbers + (size_t) i * d_num, b->numbers + (size_t) j * d_num,
				  sizeof(double) * d_num) == 0 &&
		   (d_cat == 0 || memcmp(a->codes + (size_t) i * d_cat, b->codes + (size_t) j * d_cat,
								 sizeof(int32_t) * d_cat) == 0) &&
		   (a->weights == NULL || a->weights[i] == b->weights[j]);
}

/* how often row i of rows is among those of out */
static int64_t
copies_of(const RmlTrainingSet *rows, int64_t i, const RmlTrainingSet *out)
{
	int64_t n = 0;

	for (int64_t j = 0; j < out->n; j++)
		n += same_row(rows, i, out, j);
	return n;
}

static bool
same_set(const RmlTrainingSet *a, const RmlTrainingSet *b)
{
	bool same = a->n == b->n;

	for (int64_t i = 0; same && i < a->n; i++)
		same = same_row(a, i, b, i);
	return same;
}

static bool
balanced(const RmlTrainingSet *out, int64_t each)
{
	int64_t counts[K] = {0};

	for (int64_t i = 0; i < out->n; i++)
		counts[out->classes[i]]++;
	return out->n == K * each && counts[0] == each && counts[1] == each && counts[2] == each &&
		   memcmp(counts, out->target.counts, sizeof counts) == 0;
}

static void
test_copies(void)
{
	RmlEnv *env = unit_env(2);
	Golden g = golden_rows(env);
	RmlTrainingSet rows = golden_set(env, &g), out;
	int64_t least = INT64_MAX, most = 0, total = 0, previous = -1;
	bool in_order = true;

	rml_resample(env, RML_RESAMPLE_NONE, 42, &rows, &out);
	unit_ok(memcmp(&rows, &out, sizeof rows) == 0, "none leaves all as it is");
	rml_resample(env, RML_RESAMPLE_OVER, 42, &rows, &out);
	unit_ok(balanced(&out, 80), "over: as many as the largest");
	for (int64_t i = 0; i < rows.n; i++)
	{
		int64_t copies = copies_of(&rows, i, &out);

		least = copies < least ? copies : least;
		most = copies > most ? copies : most;
		total += copies;
	}
	unit_ok(least == 1 && total == out.n, "all rows are kept, and nothing else is there");
	unit_ok(most > 3 && most < 30, "those of the smallest class several times: %d", (int) most);
	rml_resample(env, RML_RESAMPLE_UNDER, 42, &rows, &out);
	unit_ok(balanced(&out, 10), "under: as many as the smallest");
	for (int64_t j = 0; j < out.n; j++)
	{
		int64_t i = 0;

		while (i < rows.n && !same_row(&rows, i, &out, j))
			i++;
		in_order = in_order && i > previous && i < rows.n;
		previous = i;
	}
	unit_ok(in_order, "different rows in the order they had");
	unit_env_free(env);
}

/* ---- synthetic rows ---- */

/* x = base + gap (mate - base) with one gap in [0, 1) for both numbers, and the mean weight */
static bool
lies_between(const RmlTrainingSet *rows, int64_t base, int64_t mate, const RmlTrainingSet *out,
			 int64_t j)
{
	const double *x = out->numbers + j * D_NUM, *p = rows->numbers + base * D_NUM,
				 *q = rows->numbers + mate * D_NUM;
	double gap = (x[B] - p[B]) / (q[B] - p[B]);

	return gap >= 0 && gap <= 1 && fabs(x[A] - p[A] - gap * (q[A] - p[A])) < 1e-9 &&
		   fabs(out->weights[j] - (rows->weights[base] + rows->weights[mate]) / 2) < 1e-12;
}

/*
 * Count in made [lines] the lines of resample.csv that row j of out can come from: two rows may each
 * be a neighbour of the other.  False when there is none.
 */
static bool
find_makers(const RmlTrainingSet *rows, const UnitCsv *csv, const RmlTrainingSet *out, int64_t j,
			int64_t *made)
{
	const char *const mates[] = {"n1", "n2", "n3", "n4", "n5"};
	bool found = false;

	for (size_t line = 0; line < csv->rows; line++)
	{
		int64_t base = (int64_t) unit_csv_number(csv, line, "row");
		bool fits = rows->classes[base] == out->classes[j] &&
					out->numbers[j * D_NUM + FLAG] == unit_csv_number(csv, line, "flag") &&
					out->codes[j * D_CAT] == (int32_t) unit_csv_number(csv, line, "c") &&
					out->codes[j * D_CAT + 1] == (int32_t) unit_csv_number(csv, line, "d");

		for (int m = 0; fits && m < 5; m++)
			if (lies_between(rows, base, (int64_t) unit_csv_number(csv, line, mates[m]), out, j))
			{
				made[line]++;
				found = true;
				break;
			}
	}
	return found;
}

/* the booleans of restored rows, exactly */
static void
round_flags(double *numbers, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		numbers[i * D_NUM + FLAG] = round(numbers[i * D_NUM + FLAG]);
}

/* resample the rows in standard deviations and bring them back: neighbours are the same */
static void
resample_standardized(RmlEnv *env, Golden *g, RmlTrainingSet *rows, RmlTrainingSet *out)
{
	RmlSchema *schema = (RmlSchema *) rows->schema;
	double *numbers;

	schema->standardize = true;
	rml_schema_index(schema, env);
	for (int64_t i = 0; i < rows->n; i++)
		rml_schema_prepare(schema, g->numbers + i * D_NUM);
	rml_resample(env, RML_RESAMPLE_SMOTE, 42, rows, out);
	numbers = (double *) out->numbers;
	for (int64_t i = 0; i < D_NUM * rows->n; i++)
		g->numbers[i] = rml_schema_restore(schema, (int) (i % D_NUM), g->numbers[i]);
	for (int64_t i = 0; i < D_NUM * out->n; i++)
		numbers[i] = rml_schema_restore(schema, (int) (i % D_NUM), numbers[i]);
	round_flags(g->numbers, rows->n);
	round_flags(numbers, out->n);
}

static bool
is_original(const RmlTrainingSet *rows, const RmlTrainingSet *out, int64_t j)
{
	for (int64_t i = 0; i < rows->n; i++)
		if (rows->weights[i] == out->weights[j] && rows->classes[i] == out->classes[j] &&
			fabs(rows->numbers[i * D_NUM + B] - out->numbers[j * D_NUM + B]) < 1e-9)
			return true;
	return false;
}

/* every added row is made as resample.csv says, and all rows take turns */
static void
test_neighbours(bool standardize)
{
	RmlEnv *env = unit_env(2);
	Golden g = golden_rows(env);
	RmlTrainingSet rows = golden_set(env, &g), out;
	UnitCsv *csv = unit_golden("resample.csv");
	int64_t made[40] = {0}, unexplained = 0, originals = 0;
	bool turns = true;

	if (standardize)
		resample_standardized(env, &g, &rows, &out);
	else
		rml_resample(env, RML_RESAMPLE_SMOTE, 42, &rows, &out);
	unit_ok(balanced(&out, 80), "smote: as many as the largest");
	for (int64_t j = 0; j < out.n; j++)
	{
		if (is_original(&rows, &out, j))
			originals++;
		else
			unexplained += !find_makers(&rows, csv, &out, j, made);
	}
	unit_equal_int(originals, rows.n, "all rows are kept");
	unit_equal_int(unexplained, 0, "new ones lie between neighbours, with their categories");
	/* 50 new rows of 30: at least one each; 70 of 10: seven */
	for (size_t line = 0; line < csv->rows; line++)
	{
		bool small = rows.classes[(int64_t) unit_csv_number(csv, line, "row")] == 2;

		turns = turns && made[line] >= (small ? 7 : 1);
	}
	unit_ok(turns, "rows take turns");
	unit_csv_free(csv);
	unit_env_free(env);
}

/* mean and deviation of what is added, against imbalanced-learn */
static void
test_moments(void)
{
	enum
	{
		SEEDS = 400
	};
	RmlEnv *env = unit_env(1);
	Golden g = golden_rows(env);
	UnitCsv *csv = unit_golden("resample_moments.csv");
	double *z = RML_NEW(env, double, (size_t) g.n * 2);
	RmlTrainingSet rows, raw = golden_set(env, &g);
	double n[K] = {0}, sum[K][2] = {{0}}, squares[K][2] = {{0}};

	for (int64_t i = 0; i < g.n; i++)
		for (int j = 0; j < 2; j++)
			z[i * 2 + j] = rml_schema_z(raw.schema, j, g.numbers[i * D_NUM + j]);
	rows = training_set(env, g.n, 2, 0, z, NULL);
	set_classes(&rows, env, g.classes, K);
	for (int64_t i = 0; i < g.n; i++)
		for (int j = 0; j < 2; j++)
		{
			/* less the rows themselves, once for each seed */
			n[g.classes[i]] -= j == 0 ? SEEDS : 0;
			sum[g.classes[i]][j] -= SEEDS * z[i * 2 + j];
			squares[g.classes[i]][j] -= SEEDS * z[i * 2 + j] * z[i * 2 + j];
		}
	for (int seed = 0; seed < SEEDS; seed++)
	{
		RmlTrainingSet out;

		rml_resample(env, RML_RESAMPLE_SMOTE, seed, &rows, &out);
		for (int64_t i = 0; i < out.n; i++)
			for (int j = 0; j < 2; j++)
			{
				n[out.classes[i]] += j == 0;
				sum[out.classes[i]][j] += out.numbers[i * 2 + j];
				squares[out.classes[i]][j] += out.numbers[i * 2 + j] * out.numbers[i * 2 + j];
			}
	}
	for (size_t line = 0; line < csv->rows; line++)
	{
		int k = (int) unit_csv_number(csv, line, "class");
		int j = strcmp(unit_csv_text(csv, line, "number"), "b") == 0;
		double mean = sum[k][j] / n[k], sd = sqrt(squares[k][j] / n[k] - mean * mean);

		/*
		 * 20000 rows (28000) have a standard error of 0.007 sd at most; of 50 and 70 rows those at the
		 * front take one turn more in ours, which moves class 1 by less than 0.2 sd / sqrt(50)
		 */
		unit_near(mean, unit_csv_number(csv, line, "mean"), k == 1 ? 0.05 : 0.03,
				  "mean of class %d, number %d", k, j);
		unit_near(sd, unit_csv_number(csv, line, "sd"), k == 1 ? 0.05 : 0.03,
				  "deviation of class %d, number %d", k, j);
	}
	unit_csv_free(csv);
	unit_env_free(env);
}

/* ---- determinism and edges ---- */

static void
test_seeds(RmlResample how)
{
	RmlEnv *one = unit_env(1), *two = unit_env(2);
	Golden g = golden_rows(one);
	RmlTrainingSet rows = golden_set(one, &g), a, b;

	rml_resample(one, how, 42, &rows, &a);
	rml_resample(two, how, 42, &rows, &b);
	unit_ok(same_set(&a, &b), "%s: the same for 1 and 2 threads", rml_resample_names[how]);
	rml_resample(two, how, -43, &rows, &b);
	unit_ok(!same_set(&a, &b), "%s: another seed, other rows", rml_resample_names[how]);
	unit_equal_int(rml_resample_rows(how, &rows), a.n, "%s: rows are as announced",
				   rml_resample_names[how]);
	unit_env_free(one);
	unit_env_free(two);
}

/* of any leading part about half is of the rare class */
static void
test_order(void)
{
	RmlEnv *env = unit_env(1);
	static double x[4000];
	static int32_t classes[4000];
	RmlTrainingSet rows, out;
	int positive = 0;

	for (int i = 0; i < 4000; i++)
	{
		x[i] = i;
		classes[i] = i % 20 == 0;
	}
	rows = training_set(env, 4000, 1, 0, x, NULL);
	set_classes(&rows, env, classes, 2);
	rml_resample(env, RML_RESAMPLE_SMOTE, 42, &rows, &out);
	for (int i = 0; i < 500; i++)
		positive += out.classes[i];
	/* standard deviation 11 */
	unit_ok(abs(positive - 250) < 50, "the leading rows are a sample: %d of 500", positive);
	unit_env_free(env);
}

/* categories only, constant numbers, a class of one row, of two, of none; equal rows */
static void
test_edges(void)
{
	RmlEnv *env = unit_env(2);
	double x[8] = {5, 5, 5, 5, 5, 5, 5, 5}, huge[8] = {-1.5e308, 1.5e308, 0, 0, 0, 0, 0, 0};
	int32_t codes[8] = {1, 1, 2, 2, 1, 3, 4, 1}, classes[8] = {0, 0, 0, 0, 0, 1, 3, 3};
	RmlTrainingSet rows = training_set(env, 8, 0, 1, NULL, codes), out;
	bool kept = true;

	set_classes(&rows, env, classes, 4);
	rml_resample(env, RML_RESAMPLE_SMOTE, 42, &rows, &out);
	unit_equal_int(out.n, 15, "a class without rows stays without");
	for (int64_t i = 0; i < out.n; i++)
		kept = kept && (out.classes[i] != 1 || out.codes[i] == 3);
	unit_ok(kept, "a class of one row is repeated");
	rows = training_set(env, 8, 1, 0, x, NULL);
	set_classes(&rows, env, classes, 4);
	rml_resample(env, RML_RESAMPLE_SMOTE, 42, &rows, &out);
	for (int64_t i = 0; i < out.n; i++)
		kept = kept && out.numbers[i] == 5;
	unit_ok(kept && out.weights == NULL, "constant numbers stay constant");
	/* no sum of squares of these is finite: sd is infinite */
	rows = training_set(env, 8, 1, 0, huge, NULL);
	for (int i = 0; i < 8; i++)
		classes[i] = i >= 2;
	set_classes(&rows, env, classes, 2);
	rml_resample(env, RML_RESAMPLE_SMOTE, 42, &rows, &out);
	for (int64_t i = 0; i < out.n; i++)
		kept = kept && isfinite(out.numbers[i]);
	unit_ok(kept, "huge numbers stay finite");
	set_numbers(&rows, x);
	unit_contains(rml_resample_check(RML_RESAMPLE_UNDER, &rows), "only classes",
				  "no label is number");
	unit_equal_string(rml_resample_check(RML_RESAMPLE_NONE, &rows), NULL, "but for none");
	unit_env_free(env);
}

/* of rows that are equally near the first are the neighbours; weights tell which they were */
static void
test_ties(void)
{
	enum
	{
		N = 60,
		RARE = 20
	};
	RmlEnv *env = unit_env(1);
	double weights[N];
	int32_t codes[N], classes[N];
	RmlTrainingSet rows, out;
	bool first = true;

	for (int i = 0; i < N; i++)
	{
		/* the sum of two powers of 4 tells both */
		weights[i] = i < RARE ? ldexp(1, 2 * i) : 0;
		classes[i] = i < RARE;
		codes[i] = 1;
	}
	rows = training_set(env, N, 0, 1, NULL, codes);
	rows.weights = weights;
	set_classes(&rows, env, classes, 2);
	rml_resample(env, RML_RESAMPLE_SMOTE, 42, &rows, &out);
	for (int64_t i = 0; i < out.n; i++)
	{
		int64_t sum = (int64_t) (2 * out.weights[i]);

		/* twice an original's weight is no sum of two different ones */
		if (__builtin_popcountll((uint64_t) sum) == 2)
			first = first && __builtin_ctzll((uint64_t) sum) <= 2 * 5;
	}
	unit_ok(first, "of equally near rows the first are taken");
	unit_env_free(env);
}

/* a rare class larger than the pool */
static void
test_large(void)
{
	enum
	{
		N = 50000,
		RARE = RML_SMOTE_POOL + 100
	};
	RmlEnv *env = unit_env(2);
	double *x = RML_NEW(env, double, N);
	int32_t *classes = RML_NEW(env, int32_t, N);
	RmlTrainingSet rows, out;
	size_t before;
	bool within = true;

	for (int64_t i = 0; i < N; i++)
	{
		classes[i] = i < RARE;
		x[i] = i < RML_SMOTE_POOL ? rml_rng_uniform(1, 2, (uint64_t) i) : 7;
	}
	rows = training_set(env, N, 1, 0, x, NULL);
	set_classes(&rows, env, classes, 2);
	before = unit_env_in_use(env);
	unit_env_cancel_after(env, 10);
	unit_ok(UNIT_ESCAPES(env, rml_resample(env, RML_RESAMPLE_SMOTE, 42, &rows, &out)),
			"it can be cancelled");
	unit_env_cancel_after(env, 0);
	before = unit_env_in_use(env);
	rml_resample(env, RML_RESAMPLE_SMOTE, 42, &rows, &out);
	unit_ok(unit_env_peak(env) <= before + rml_resample_bytes(RML_RESAMPLE_SMOTE, &rows),
			"memory is as announced");
	unit_equal_int((int64_t) (unit_env_in_use(env) - before),
				   (int64_t) (out.n * (sizeof(double) + sizeof(int32_t)) + 2 * sizeof(int64_t)),
				   "only the rows are kept");
	for (int64_t i = 0; i < out.n; i++)
		within = within && (out.numbers[i] < 1 || out.numbers[i] == 7);
	unit_ok(within && out.n == 2 * (N - RARE), "new rows are made of the leading ones");
	unit_env_free(env);
}

int
main(void)
{
	test_copies();
	test_neighbours(false);
	test_neighbours(true);
	test_moments();
	test_seeds(RML_RESAMPLE_OVER);
	test_seeds(RML_RESAMPLE_UNDER);
	test_seeds(RML_RESAMPLE_SMOTE);
	test_order();
	test_edges();
	test_ties();
	test_large();
	return unit_done();
}
