/*
 * test_schema.c
 *	  What is learnt about columns, against numpy 2.4.6; preparation; bytes.
 */
#include "unit.h"

#include <math.h>

#include "retailml/rng.h"
#include "retailml/schema.h"

static char *const names[] = {"x1", "x2", "x3", "x4"};
static char *const types[] = {"double precision", "text", "boolean", "numeric"};

typedef struct Learnt
{
	RmlFrame frame;
	RmlMatrix matrix;
	RmlSchema schema;
	const char *reason;
} Learnt;

/* learn the schema of one column of numbers */
static void
learn_column(Learnt *out, RmlEnv *env, const double *values, int64_t n, RmlImpute impute,
			 bool standardize)
{
	static const RmlKind kind = RML_NUMERIC;

	rml_frame_init(&out->frame, env, 1, names, types, &kind);
	for (int64_t i = 0; i < n; i++)
	{
		double *numbers;
		int32_t *codes;

		rml_frame_push(&out->frame, &numbers, &codes);
		numbers[0] = values[i];
	}
	rml_frame_order(&out->frame, true, &out->matrix);
	out->reason =
		rml_schema_learn(&out->schema, env, &out->frame, &out->matrix, impute, standardize);
}

/* ---- imputation */

static const double with_missing[] = {10.5, NAN, -3.25, 7, NAN, 0.125, 2, 8};

/* the prepared matrix in the order the rows were given */
static void
check_prepared(const Learnt *learnt, const double *wanted, const char *what)
{
	double prepared[8];

	for (int64_t i = 0; i < 8; i++)
		prepared[learnt->matrix.origin[i]] = learnt->matrix.numbers[i];
	unit_near_array(prepared, wanted, 8, 1e-14, "%s: rows", what);
}

/* x = with_missing; v = mean / median of the rest, or 0; z = where(isnan(x), v, x);
 * z.mean(), z.std(), (z - z.mean()) / z.std() */
static void
test_impute(RmlEnv *env)
{
	static const struct
	{
		const char *name;
		RmlImpute impute;
		double value, mean, sd, prepared[8];
	} known[] = {
		{"mean",
		 RML_IMPUTE_MEAN,
		 4.0625,
		 4.0625,
		 4.16540345434869,
		 {1.5454685411755822, 0.0, -1.7555322263839137, 0.7052138003422559, 0.0, -0.945286583437492,
		  -0.4951501151339244, 0.945286583437492}},
		{"median",
		 RML_IMPUTE_MEDIAN,
		 4.5,
		 4.171875,
		 4.169709175635035,
		 {1.5176418146803357, 0.07869253853898037, -1.7799502764769368, 0.6782547369312117,
		  0.07869253853898037, -0.9705413086474245, -0.520869659853251, 0.9180796162881042}},
		{"zero",
		 RML_IMPUTE_ZERO,
		 0.0,
		 3.046875,
		 4.521622314985518,
		 {1.6483298428749618, -0.6738455332507705, -1.3926141020515923, 0.8742713841663843,
		  -0.6738455332507705, -0.6462005882968928, -0.23152641398872628, 1.0954309437974064}},
	};
	/* np.quantile of the six values that are there */
	static const double deciles[] = {-3.25, -1.5625, 0.125, 1.0625, 2.0, 4.5,
									 7.0,   7.5,     8.0,   9.25,   10.5};
	Learnt learnt;

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
	{
		const RmlFeature *feature;

		learn_column(&learnt, env, with_missing, 8, known[i].impute, true);
		feature = learnt.schema.features;
		unit_near(feature->impute, known[i].value, 1e-15, "%s: value", known[i].name);
		unit_near(feature->mean, known[i].mean, 1e-15, "%s: mean after imputation", known[i].name);
		unit_near(feature->sd, known[i].sd, 1e-15, "%s: deviation after imputation", known[i].name);
		unit_equal_int(feature->n_missing, 2, "%s: missing values", known[i].name);
		unit_near_array(feature->deciles, deciles, 11, 1e-15, "%s: deciles", known[i].name);
		check_prepared(&learnt, known[i].prepared, known[i].name);
	}
}

static void
test_not_scaled(RmlEnv *env)
{
	static const double wanted[] = {10.5, 4.5, -3.25, 7, 4.5, 0.125, 2, 8};
	Learnt learnt;
	double x = NAN;

	learn_column(&learnt, env, with_missing, 8, RML_IMPUTE_MEDIAN, false);
	check_prepared(&learnt, wanted, "not standardized");
	rml_schema_prepare(&learnt.schema, &x);
	unit_near(x, 4.5, 0, "nor is a row that is scored");
	unit_near(rml_schema_restore(&learnt.schema, 0, 4.5), 4.5, 0, "restoring changes nothing");
	/* (10.5 - 4.171875) / 4.169709175635035 */
	unit_near(rml_schema_z(&learnt.schema, 0, 10.5), 1.5176418146803357, 1e-15, "z still divides");
}

/* ---- numbers far from zero, large, constant */

/* exact: fractions of Python 3.11 */
static void
test_offset(RmlEnv *env)
{
	double values[1000];
	Learnt learnt;

	for (int i = 0; i < 1000; i++)
		values[i] = 1e9 + i % 7 / 8.0;
	learn_column(&learnt, env, values, 1000, RML_IMPUTE_MEAN, true);
	unit_near(learnt.schema.features[0].mean, 1000000000.374625, 1e-16, "mean of 1e9 + small");
	unit_near(learnt.schema.features[0].sd, 0.24984341971522886, 1e-13, "and its deviation");
}

static void
test_extremes(RmlEnv *env)
{
	static const double constant[] = {0.1, 0.1, 0.1, 0.1, 0.1};
	static const double huge[] = {1e300, -1e300};
	static const double large[] = {1e150, -1e150, 2e150};
	static const double largest[] = {1.7976931348623157e308, 1.7976931348623157e308};
	static const double missing[] = {NAN, NAN};
	static const double one[] = {3};
	Learnt learnt;

	learn_column(&learnt, env, constant, 5, RML_IMPUTE_MEAN, true);
	unit_ok(learnt.schema.features[0].sd == 0 && learnt.schema.features[0].mean == 0.1 &&
				learnt.matrix.numbers[0] == 0,
			"a constant column has deviation 0 and is centred");
	unit_near(rml_schema_restore(&learnt.schema, 0, 0), 0.1, 0, "it can be restored");
	unit_near(rml_schema_z(&learnt.schema, 0, 5), 0, 0, "and tells nothing");
	learn_column(&learnt, env, one, 1, RML_IMPUTE_MEDIAN, true);
	unit_ok(learnt.reason == NULL && learnt.matrix.numbers[0] == 0, "one row");
	/* numpy: np.std([1e150, -1e150, 2e150]) */
	learn_column(&learnt, env, large, 3, RML_IMPUTE_MEAN, true);
	unit_near(learnt.schema.features[0].sd / 1e150, 1.2472191289246472, 1e-15, "large numbers");
	learn_column(&learnt, env, largest, 2, RML_IMPUTE_MEAN, true);
	unit_equal_string(learnt.reason, NULL, "the largest number, twice");
	learn_column(&learnt, env, huge, 2, RML_IMPUTE_MEAN, true);
	unit_contains(learnt.reason, "column \"x1\" are too large",
				  "squares beyond float8 are refused");
	learn_column(&learnt, env, missing, 2, RML_IMPUTE_MEAN, true);
	unit_contains(learnt.reason, "column \"x1\" has no values", "so is a column without values");
}

/* numpy.quantile(x, np.arange(11) / 10) */
static void
test_deciles(RmlEnv *env)
{
	static const double digits[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9,
									7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3};
	static const double wanted[] = {0.25,
									0.5,
									0.7000000000000002,
									0.75,
									0.9000000000000004,
									1.0,
									1.25,
									1.5,
									1.8000000000000007,
									2.1500000000000004,
									2.25};
	double quarters[25];
	Learnt learnt;

	for (int i = 0; i < 25; i++)
		quarters[i] = digits[i] / 4;
	learn_column(&learnt, env, quarters, 25, RML_IMPUTE_MEAN, false);
	unit_near_array(learnt.schema.features[0].deciles, wanted, 11, 1e-15, "deciles of 25 numbers");
	unit_near(learnt.schema.features[0].mean, 1.18, 1e-15, "their mean");
	unit_near(learnt.schema.features[0].sd, 0.6185466837676846, 1e-15, "and deviation");
}

/*
 * Above RML_DECILE_ROWS rows the deciles are those of a sample of that size: the standard error
 * of a sample quantile p of uniform numbers is sqrt(p (1 - p) / 16384) <= 0.0039; four of them.
 */
static void
test_many_rows(RmlEnv *env)
{
	enum
	{
		N = 200000
	};
	double *values = malloc(sizeof(double) * N);
	double worst = 0;
	Learnt learnt, other;

	for (int i = 0; i < N; i++)
		values[i] = rml_rng_uniform(3, 0, (uint64_t) i);
	learn_column(&learnt, env, values, N, RML_IMPUTE_MEAN, true);
	for (int i = 0; i < RML_DECILES; i++)
		worst = fmax(worst, fabs(learnt.schema.features[0].deciles[i] - i / 10.0));
	unit_ok(worst < 0.0156, "deciles of many rows are those of a sample (%.4f off)", worst);
	env->threads = 3;
	learn_column(&other, env, values, N, RML_IMPUTE_MEAN, true);
	env->threads = 1;
	unit_ok(learnt.schema.features[0].mean == other.schema.features[0].mean &&
				learnt.schema.features[0].sd == other.schema.features[0].sd &&
				memcmp(learnt.matrix.numbers, other.matrix.numbers, sizeof(double) * N) == 0,
			"three threads learn and prepare the same bits");
	free(values);
}

/* ---- keys */

typedef double (*Draw)(int64_t i);

static double
distinct(int64_t i)
{
	return (double) i - 50;
}

static double
twice_at_the_end(int64_t i)
{
	return (double) (i == 100 ? 99 : i);
}

static double
halves(int64_t i)
{
	return (double) i / 2;
}

/* the same number twice among 100,000: no sample of 65,536 is sure to hold both */
static double
twice_in_many(int64_t i)
{
	return (double) (i == 99999 ? 3 : i);
}

static double
missing_somewhere(int64_t i)
{
	return i == 5 ? NAN : (double) i;
}

static void
check_key(RmlEnv *env, Draw draw, int64_t n, bool key, const char *what)
{
	double *values = malloc(sizeof(double) * (size_t) n);
	Learnt learnt;

	for (int64_t i = 0; i < n; i++)
		values[i] = draw(i);
	learn_column(&learnt, env, values, n, RML_IMPUTE_MEAN, true);
	unit_ok(learnt.schema.features[0].looks_like_key == key, "%s: %s", what,
			key ? "looks like a key" : "no key");
	free(values);
}

static void
test_keys(RmlEnv *env)
{
	check_key(env, distinct, 101, true, "101 distinct integers");
	check_key(env, distinct, 100, false, "100 of them");
	check_key(env, twice_at_the_end, 101, false, "101 with one twice");
	check_key(env, halves, 101, false, "101 distinct numbers");
	check_key(env, distinct, 100000, true, "100000 distinct integers");
	check_key(env, twice_in_many, 100000, false, "100000 with one twice");
	check_key(env, missing_somewhere, 150, true, "150 with one missing");
}

/* ---- categories */

static const char *const cities[] = {"K\xC3\xB6ln", "Bonn", "", "Bon", "Bonnn", "\xFF"};

/* six cities; city i is in i + 1 rows, and two rows have none */
static void
learn_cities(Learnt *out, RmlEnv *env)
{
	static const RmlKind kinds[] = {RML_NUMERIC, RML_CATEGORICAL, RML_BOOLEAN, RML_NUMERIC};
	double *numbers;
	int32_t *codes;

	rml_frame_init(&out->frame, env, 4, names, types, kinds);
	for (int i = 0; i < 7; i++)
		for (int copies = 0; copies < (i == 6 ? 2 : i + 1); copies++)
		{
			int32_t code = i == 6 ? 0
								  : rml_frame_code(&out->frame, &out->frame.columns[1], cities[i],
												   strlen(cities[i]));

			rml_frame_push(&out->frame, &numbers, &codes);
			numbers[0] = copies;
			numbers[1] = i % 2;
			numbers[2] = i == 3 ? NAN : i * 0.1;
			codes[0] = code;
		}
	out->frame.skipped = 7;
	rml_frame_order(&out->frame, false, &out->matrix);
	out->reason =
		rml_schema_learn(&out->schema, env, &out->frame, &out->matrix, RML_IMPUTE_MEDIAN, true);
}

static void
test_categories(RmlEnv *env)
{
	/* by bytes: "", Bon, Bonn, Bonnn, Koeln, \xFF */
	static const char *const sorted[] = {"", "Bon", "Bonn", "Bonnn", "K\xC3\xB6ln", "\xFF"};
	static const int64_t counts[] = {3, 4, 2, 5, 1, 6};
	const RmlFeature *city;
	Learnt learnt;
	bool order = true, codes = true;

	learn_cities(&learnt, env);
	city = &learnt.schema.features[1];
	unit_equal_int(city->n_categories, 6, "categories are counted");
	for (int i = 0; i < 6; i++)
	{
		order = order && strcmp(city->categories[i], sorted[i]) == 0;
		codes = codes && rml_schema_code(city, sorted[i], strlen(sorted[i])) == i + 1;
	}
	unit_ok(order, "in order of their bytes");
	unit_ok(codes, "each is found again");
	unit_equal_bytes(city->counts, counts, sizeof counts, "rows of each");
	unit_equal_int(city->n_missing, 2, "and rows without");
	unit_equal_int(rml_schema_code(city, "Berlin", 6), 7, "an unseen one is (other)");
	unit_equal_int(rml_schema_code(city, "Bonnnn", 6), 7, "also one that begins like a seen one");
	unit_equal_int(rml_schema_code(city, "Bo", 2), 7, "or with which a seen one begins");
	unit_equal_int(rml_schema_code(city, "\xFF\xFF", 2), 7, "or behind the last");
	unit_equal_int(rml_schema_code(city, "Bonn and more", 4), 3, "texts are not terminated");
	unit_ok(rml_schema_number(&learnt.schema, 0) == &learnt.schema.features[0] &&
				rml_schema_number(&learnt.schema, 1) == &learnt.schema.features[2] &&
				rml_schema_number(&learnt.schema, 2) == &learnt.schema.features[3] &&
				rml_schema_number(&learnt.schema, 3) == NULL,
			"numbers and categories have slots of their own");
	unit_ok(!learnt.schema.features[2].looks_like_key && !city->looks_like_key, "and no key here");
}

static void
test_text_key(RmlEnv *env)
{
	static const RmlKind kind = RML_CATEGORICAL;

	for (int n = 100; n <= 101; n++)
	{
		Learnt learnt;
		char text[20];
		double *numbers;
		int32_t *codes;

		rml_frame_init(&learnt.frame, env, 1, names, types, &kind);
		for (int i = 0; i < n; i++)
		{
			size_t length = (size_t) snprintf(text, sizeof text, "id-%d", i);

			rml_frame_push(&learnt.frame, &numbers, &codes);
			codes[0] = rml_frame_code(&learnt.frame, &learnt.frame.columns[0], text, length);
		}
		rml_frame_order(&learnt.frame, false, &learnt.matrix);
		learnt.reason = rml_schema_learn(&learnt.schema, env, &learnt.frame, &learnt.matrix,
										 RML_IMPUTE_MEAN, true);
		unit_ok(learnt.schema.features[0].looks_like_key == (n > 100), "%d distinct texts: %s", n,
				n > 100 ? "look like a key" : "no key");
	}
}

/* ---- using it */

static void
test_prepare(RmlEnv *env)
{
	Learnt learnt;
	double row[] = {2, 1, NAN}, values[3];
	bool restored = true;

	learn_cities(&learnt, env);
	memcpy(values, row, sizeof row);
	rml_schema_prepare(&learnt.schema, values);
	for (int j = 0; j < 2; j++)
		restored =
			restored && fabs(rml_schema_restore(&learnt.schema, j, values[j]) - row[j]) < 1e-15;
	unit_ok(restored, "what was prepared can be restored");
	unit_near(rml_schema_restore(&learnt.schema, 2, values[2]), learnt.schema.features[3].impute,
			  1e-15, "a missing number is the imputed one");
	unit_near(rml_schema_z(&learnt.schema, 0, values[0]), values[0], 0, "a z-score is its own z");
}

/* numbers of variance 1 and a; a category that two rows in two differ in */
static const RmlFeature *
dominant_of(RmlEnv *env, double a, bool standardize, double category_weight, double *share)
{
	static const RmlKind kinds[] = {RML_NUMERIC, RML_CATEGORICAL, RML_NUMERIC};
	Learnt learnt;

	rml_frame_init(&learnt.frame, env, 3, names, types, kinds);
	for (int i = 0; i < 4; i++)
	{
		double *numbers;
		int32_t *codes;

		rml_frame_push(&learnt.frame, &numbers, &codes);
		numbers[0] = i % 2 == 0 ? 1 : -1;
		numbers[1] = i < 2 ? 5 + sqrt(a) : 5 - sqrt(a);
		codes[0] = i < 2 ? 0 : rml_frame_code(&learnt.frame, &learnt.frame.columns[1], "x", 1);
	}
	rml_frame_order(&learnt.frame, false, &learnt.matrix);
	rml_schema_learn(&learnt.schema, env, &learnt.frame, &learnt.matrix, RML_IMPUTE_MEAN,
					 standardize);
	return rml_schema_dominant(&learnt.schema, category_weight, share);
}

static void
test_dominant(RmlEnv *env)
{
	const RmlFeature *feature;
	double share;

	feature = dominant_of(env, 10, false, 0, &share);
	unit_equal_string(feature->name, "x3", "a number that carries the variance");
	unit_near(share, 10.0 / 11, 1e-15, "and its share");
	unit_ok(dominant_of(env, 8.9, false, 0, &share) == NULL, "nine tenths are not enough");
	unit_ok(dominant_of(env, 10, true, 0, &share) == NULL, "nor are z-scores");
	/* the category's variance is 48 / 2 * 1 / 2 = 12 */
	unit_ok(dominant_of(env, 10, false, 48, &share) == NULL, "a category counts too");
	unit_near(share, 12.0 / 23, 1e-15, "by its weight");
	feature = dominant_of(env, 0, true, 48, &share);
	unit_equal_string(feature->name, "x2", "and may be the one");
	unit_near(share, 12.0 / 13, 1e-15, "beside a constant column");
}

/* raw rows: the same names, categories and keys, but numbers stay, and may all be missing */
static void
test_describe(RmlEnv *env)
{
	static const RmlKind kinds[] = {RML_NUMERIC, RML_CATEGORICAL, RML_BOOLEAN, RML_NUMERIC};
	enum
	{
		N = 200
	};
	RmlFrame frame;
	RmlMatrix matrix;
	RmlSchema schema;
	double *numbers, sum = 0.0;
	int32_t *codes;
	int missing = 0;

	rml_frame_init(&frame, env, 4, names, types, kinds);
	for (int i = 0; i < N; i++)
	{
		int32_t code = rml_frame_code(&frame, &frame.columns[1], i % 2 ? "b" : "a", 1);

		rml_frame_push(&frame, &numbers, &codes);
		numbers[0] = i;
		numbers[1] = NAN;
		numbers[2] = i % 4 == 0 ? NAN : 1e308;
		codes[0] = code;
	}
	frame.columns[3].traits = RML_HOLDS_NAN;
	rml_frame_order(&frame, false, &matrix);
	rml_schema_describe(&schema, env, &frame, &matrix);
	for (int i = 0; i < N; i++)
	{
		sum += matrix.numbers[i * 3];
		missing += isnan(matrix.numbers[i * 3 + 1]) && isnan(matrix.numbers[i * 3 + 2]);
	}
	unit_ok(sum == N * (N - 1) / 2 && missing == N / 4, "described rows are not changed");
	unit_ok(schema.features[0].looks_like_key && !schema.features[3].looks_like_key, "keys");
	unit_equal_int(schema.features[1].counts[1], N / 2, "categories");
	unit_equal_int(schema.features[3].traits, RML_HOLDS_NAN, "traits");
}

/* ---- bytes */

#define SCHEMA_HEAD (24 + 16)

static void
encode(RmlWriter *writer, RmlEnv *env, const RmlSchema *schema)
{
	rml_writer_begin(writer, env, 1, 1);
	rml_schema_encode(schema, writer);
	rml_writer_end(writer);
}

static const char *
decode(RmlSchema *schema, RmlEnv *env, const uint8_t *bytes, size_t length)
{
	RmlReader reader;

	if (!rml_reader_begin(&reader, env, bytes, length))
		return reader.error;
	rml_schema_decode(schema, &reader);
	return rml_reader_done(&reader);
}

static void
seal(uint8_t *bytes, size_t length)
{
	uint64_t stored = length;
	uint32_t crc;

	memcpy(bytes + 16, &stored, 8);
	crc = rml_model_crc(bytes, length);
	memcpy(bytes + 12, &crc, 4);
}

static void
test_roundtrip(RmlEnv *env)
{
	RmlWriter first, second;
	RmlSchema back;
	Learnt learnt;
	double row[] = {2, 1, NAN}, again[] = {2, 1, NAN};

	learn_cities(&learnt, env);
	learnt.schema.positional = true;
	encode(&first, env, &learnt.schema);
	unit_equal_string(decode(&back, env, first.bytes, first.length), NULL, "a schema is read back");
	encode(&second, env, &back);
	unit_ok(first.length == second.length && memcmp(first.bytes, second.bytes, first.length) == 0,
			"and written again with the same bytes");
	unit_ok(back.rows == 23 && back.skipped == 7 && back.positional && back.standardize &&
				back.impute == RML_IMPUTE_MEDIAN && back.d_num == 3 && back.d_cat == 1,
			"rows, options and shape are kept");
	rml_schema_prepare(&learnt.schema, row);
	rml_schema_prepare(&back, again);
	unit_equal_bytes(again, row, sizeof row, "it prepares rows to the same bits");
}

/* offsets: items of 6 numbers; names; types; kinds; missing counts; then the features */
static void
test_damage(RmlEnv *env)
{
	static const uint64_t heads[][2] = {{0, UINT64_MAX}, {0, 1000001},    {0, 1 << 30},
										{1, 5},          {1, UINT64_MAX}, {2, 2},
										{3, 2},          {4, UINT64_MAX}, {5, UINT64_MAX}};
	RmlWriter writer;
	RmlSchema back;
	Learnt learnt;
	int refused = 0;
	char *swap;

	learn_cities(&learnt, env);
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
	{
		encode(&writer, env, &learnt.schema);
		memcpy(writer.bytes + SCHEMA_HEAD + 8 * heads[i][0], &heads[i][1], 8);
		seal(writer.bytes, writer.length);
		refused += decode(&back, env, writer.bytes, writer.length) != NULL;
	}
	unit_equal_int(refused, sizeof heads / sizeof heads[0], "numbers that cannot be are refused");
	learnt.schema.features[3].sd = -1;
	encode(&writer, env, &learnt.schema);
	unit_contains(decode(&back, env, writer.bytes, writer.length), "negative",
				  "a negative deviation");
	learnt.schema.features[3].sd = NAN;
	encode(&writer, env, &learnt.schema);
	unit_contains(decode(&back, env, writer.bytes, writer.length), "not finite", "NaN for one");
	learnt.schema.features[3].sd = 1;
	swap = learnt.schema.features[1].categories[2];
	learnt.schema.features[1].categories[2] = learnt.schema.features[1].categories[3];
	learnt.schema.features[1].categories[3] = swap;
	encode(&writer, env, &learnt.schema);
	unit_contains(decode(&back, env, writer.bytes, writer.length), "not sorted",
				  "categories out of order");
	learnt.schema.features[1].categories[2] = swap;
	encode(&writer, env, &learnt.schema);
	unit_contains(decode(&back, env, writer.bytes, writer.length), "not sorted", "or twice");
	learn_cities(&learnt, env);
	learnt.schema.features[0].kind = (RmlKind) 3;
	encode(&writer, env, &learnt.schema);
	unit_contains(decode(&back, env, writer.bytes, writer.length), "damaged",
				  "a kind there is not");
	learnt.schema.features[0].kind = RML_NUMERIC;
	learnt.schema.features[0].n_missing = -1;
	encode(&writer, env, &learnt.schema);
	unit_contains(decode(&back, env, writer.bytes, writer.length), "damaged", "a count below zero");
}

static void
test_truncated(RmlEnv *env)
{
	RmlWriter writer;
	Learnt learnt;
	int64_t accepted = 0;

	learn_cities(&learnt, env);
	encode(&writer, env, &learnt.schema);
	for (size_t length = 24; length < writer.length; length++)
	{
		uint8_t *copy = malloc(length);
		RmlSchema back;

		memcpy(copy, writer.bytes, length);
		seal(copy, length);
		accepted += decode(&back, env, copy, length) == NULL;
		free(copy);
	}
	unit_equal_int(accepted, 0, "truncated at any length it is refused");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_impute(env);
	test_not_scaled(env);
	test_offset(env);
	test_extremes(env);
	test_deciles(env);
	test_many_rows(env);
	test_keys(env);
	test_categories(env);
	test_text_key(env);
	test_prepare(env);
	test_dominant(env);
	test_describe(env);
	test_roundtrip(env);
	test_damage(env);
	test_truncated(env);
	unit_env_free(env);
	return unit_done();
}
