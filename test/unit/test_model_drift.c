/*
 * test_model_drift.c
 *	  The population stability index against numpy and scipy (test/golden/drift.py); parts, bytes.
 */
#include "unit.h"

#include <math.h>

#include "retailml/model_drift.h"
#include "retailml/rng.h"

static char *const names[] = {"x", "c"};
static char *const types[] = {"double precision", "text"};

/* a schema of one column or two, learnt from the rows pushed between begin and end */
typedef struct Learnt
{
	RmlFrame frame;
	RmlMatrix matrix;
	RmlSchema schema;
} Learnt;

static void
learn_end(Learnt *learnt, RmlEnv *env, RmlImpute impute)
{
	rml_frame_order(&learnt->frame, false, &learnt->matrix);
	if (rml_schema_learn(&learnt->schema, env, &learnt->frame, &learnt->matrix, impute, true) !=
		NULL)
		unit_ok(false, "a schema is learnt");
}

static void
push(RmlFrame *frame, double x, const char *text)
{
	int32_t code = 0;
	double *numbers;
	int32_t *codes;

	for (int i = 0; i < frame->n_columns; i++)
		if (frame->columns[i].kind == RML_CATEGORICAL && text[0] != '\0')
			code = rml_frame_code(frame, &frame->columns[i], text, strlen(text));
	rml_frame_push(frame, &numbers, &codes);
	if (frame->d_num > 0)
		numbers[0] = x;
	if (frame->d_cat > 0)
		codes[0] = code;
}

static void
add(RmlDriftCounts *counts, double x, const char *text)
{
	const RmlSchema *schema = counts->schema;
	int32_t code = 0;

	for (int i = 0; i < schema->n_features; i++)
		if (schema->features[i].kind == RML_CATEGORICAL && text[0] != '\0')
			code = rml_schema_code(&schema->features[i], text, strlen(text));
	rml_drift_add(counts, &x, &code);
}

/* ---- golden numbers ---- */

static RmlKind
kind_of(const UnitCsv *golden, size_t row)
{
	const char *kind = unit_csv_text(golden, row, "kind");

	if (strcmp(kind, "text") == 0)
		return RML_CATEGORICAL;
	return strcmp(kind, "boolean") == 0 ? RML_BOOLEAN : RML_NUMERIC;
}

static double
cell_number(const UnitCsv *golden, size_t row)
{
	return kind_of(golden, row) == RML_CATEGORICAL ? NAN : unit_csv_number(golden, row, "value");
}

static void
check_case(RmlEnv *env, const UnitCsv *golden, size_t begin, size_t end)
{
	const char *name = unit_csv_text(golden, begin, "name");
	RmlKind kind = kind_of(golden, begin);
	Learnt learnt;
	RmlDriftCounts counts;
	RmlDrift drift;

	rml_frame_init(&learnt.frame, env, 1, names, types, &kind);
	for (size_t i = begin; i < end; i++)
		for (int n = 0; n < unit_csv_number(golden, i, "then"); n++)
			push(&learnt.frame, cell_number(golden, i), unit_csv_text(golden, i, "value"));
	learn_end(&learnt, env, RML_IMPUTE_MEAN);
	rml_drift_init(&counts, env, &learnt.schema);
	for (size_t i = begin; i < end; i++)
		for (int n = 0; n < unit_csv_number(golden, i, "now"); n++)
			add(&counts, cell_number(golden, i), unit_csv_text(golden, i, "value"));
	rml_drift_measure(&counts, &drift);
	unit_near(drift.psi, unit_csv_number(golden, begin, "psi"), 1e-12, "%s: psi", name);
	unit_env_reset(env);
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("drift.csv");

	if (golden == NULL)
		return;
	for (size_t begin = 0, end; begin < golden->rows; begin = end)
	{
		const char *name = unit_csv_text(golden, begin, "name");

		for (end = begin; end < golden->rows; end++)
			if (strcmp(unit_csv_text(golden, end, "name"), name) != 0)
				break;
		check_case(env, golden, begin, end);
	}
	unit_csv_free(golden);
}

/* ---- shares, verdicts, missing values ---- */

static void
learn_two(Learnt *learnt, RmlEnv *env, RmlImpute impute)
{
	static const RmlKind kinds[] = {RML_NUMERIC, RML_CATEGORICAL};
	static const char *const texts[] = {"a", "b", "c", ""};

	rml_frame_init(&learnt->frame, env, 2, names, types, kinds);
	for (int i = 0; i < 1000; i++)
		push(&learnt->frame, i % 10 == 9 && impute != RML_IMPUTE_SKIP ? NAN : i * 0.1,
			 texts[impute == RML_IMPUTE_SKIP ? i % 3 : i % 4]);
	learn_end(learnt, env, impute);
}

static void
test_shares(RmlEnv *env)
{
	Learnt learnt;
	RmlDriftCounts counts;
	RmlDrift drift[2];

	learn_two(&learnt, env, RML_IMPUTE_MEAN);
	unit_ok(rml_drift_check(&learnt.schema) == NULL, "a schema can be compared with");
	rml_drift_init(&counts, env, &learnt.schema);
	for (int i = 0; i < 200; i++)
		add(&counts, i % 5 == 0 ? NAN : i * 0.5, i % 2 == 0 ? "a" : i % 4 == 1 ? "z" : "");
	rml_drift_measure(&counts, drift);
	unit_near(drift[0].null_then, 0.1, 1e-15, "missing numbers then");
	unit_near(drift[0].null_now, 0.2, 1e-15, "and now");
	unit_ok(isnan(drift[0].unseen), "a number has nothing unseen");
	unit_near(drift[1].null_then, 0.25, 1e-15, "missing texts then");
	unit_near(drift[1].null_now, 0.25, 1e-15, "and now");
	unit_near(drift[1].unseen, 0.25, 1e-15, "unseen texts");
	unit_equal_string(drift[1].verdict, "drifted", "are a drift");
	rml_drift_init(&counts, env, &learnt.schema);
	rml_drift_measure(&counts, drift);
	unit_ok(isnan(drift[0].psi) && drift[0].verdict == NULL, "no rows, no verdict");
}

/* shares of two texts, then a half each, now p: psi = (p - 1/2) ln(p / (1 - p)) */
static void
check_verdict(RmlEnv *env, const RmlSchema *schema, int percent, const char *wanted)
{
	RmlDriftCounts counts;
	RmlDrift drift;
	double p = percent / 100.0;

	rml_drift_init(&counts, env, schema);
	for (int i = 0; i < 100; i++)
		add(&counts, 0, i < percent ? "a" : "b");
	rml_drift_measure(&counts, &drift);
	unit_near(drift.psi, (p - 0.5) * log(p / (1 - p)), 1e-14, "%d percent: psi", percent);
	unit_equal_string(drift.verdict, wanted, "%d percent: %s", percent, wanted);
}

static void
test_verdicts(RmlEnv *env)
{
	static const RmlKind kind = RML_CATEGORICAL;
	Learnt learnt;

	rml_frame_init(&learnt.frame, env, 1, names, types, &kind);
	for (int i = 0; i < 100; i++)
		push(&learnt.frame, 0, i % 2 == 0 ? "a" : "b");
	learn_end(&learnt, env, RML_IMPUTE_MEAN);
	/* psi(0.65) = 0.093, psi(0.66) = 0.106, psi(0.73) = 0.229, psi(0.74) = 0.251 */
	check_verdict(env, &learnt.schema, 50, "stable");
	check_verdict(env, &learnt.schema, 65, "stable");
	check_verdict(env, &learnt.schema, 66, "shifted");
	check_verdict(env, &learnt.schema, 73, "shifted");
	check_verdict(env, &learnt.schema, 74, "drifted");
}

/* training left out rows with missing values, so they are left out now */
static void
test_skip(RmlEnv *env)
{
	Learnt learnt;
	RmlDriftCounts counts;
	RmlDrift drift[2];

	learn_two(&learnt, env, RML_IMPUTE_SKIP);
	rml_drift_init(&counts, env, &learnt.schema);
	for (int i = 0; i < 1000; i++)
	{
		add(&counts, i * 0.1, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c");
		add(&counts, i % 2 == 0 ? NAN : 1e6, i % 2 == 0 ? "a" : "");
	}
	rml_drift_measure(&counts, drift);
	unit_near(drift[0].psi, 0, 1e-15, "incomplete rows do not count");
	unit_near(drift[1].psi, 0, 1e-15, "for texts either");
	unit_ok(isnan(drift[0].null_then), "how many training left out is not known");
	unit_near(drift[0].null_now, 0.25, 1e-15, "how many there are now is");
	rml_drift_init(&counts, env, &learnt.schema);
	add(&counts, NAN, "a");
	rml_drift_measure(&counts, drift);
	unit_ok(isnan(drift[0].psi) && isnan(drift[1].unseen) && drift[0].verdict == NULL,
			"no complete row, no verdict");
	unit_near(drift[0].null_now, 1, 0, "but the share of missing values");
}

/* ---- in parts ---- */

static void
add_drawn(RmlDriftCounts *counts, int64_t i)
{
	static const char *const texts[] = {"a", "b", "c", "d", ""};
	double u = rml_rng_uniform(1, 0, (uint64_t) i);

	add(counts, u < 0.1 ? NAN : u * 120 - 15, texts[i % 5]);
}

static bool
same_counts(const RmlDriftCounts *a, const RmlDriftCounts *b)
{
	return a->rows == b->rows && a->complete == b->complete && a->n_cells == b->n_cells &&
		   memcmp(a->cells, b->cells, sizeof(int64_t) * (size_t) a->n_cells) == 0 &&
		   memcmp(a->missing, b->missing, sizeof(int64_t) * (size_t) a->schema->n_features) == 0;
}

static void
test_parts(RmlEnv *env)
{
	Learnt learnt, other;
	RmlDriftCounts whole, backwards, part[3], merged, read, none;
	RmlSchema schema;
	RmlWriter writer;
	bool agree = true;

	learn_two(&learnt, env, RML_IMPUTE_MEAN);
	rml_drift_init(&whole, env, &learnt.schema);
	rml_drift_init(&backwards, env, &learnt.schema);
	rml_drift_init(&merged, env, &learnt.schema);
	for (int p = 0; p < 3; p++)
		rml_drift_init(&part[p], env, &learnt.schema);
	for (int64_t i = 0; i < 3000; i++)
	{
		add_drawn(&whole, i);
		add_drawn(&backwards, 2999 - i);
		add_drawn(&part[i % 7 % 3], i);
	}
	unit_ok(same_counts(&whole, &backwards), "the order of rows does not matter");
	for (int p = 2; p >= 0; p--)
	{
		rml_drift_encode(&part[p], env, &writer);
		agree = agree && rml_drift_decode(&read, &schema, env, writer.bytes, writer.length) == NULL;
		agree = agree && rml_drift_merge(&merged, &read);
	}
	unit_ok(agree, "parts go through bytes");
	unit_ok(same_counts(&whole, &merged), "and add up");
	writer.bytes[writer.length / 2] ^= 1;
	unit_ok(rml_drift_decode(&read, &schema, env, writer.bytes, writer.length) != NULL,
			"bytes that were changed are refused");
	learn_two(&other, env, RML_IMPUTE_SKIP);
	rml_drift_init(&none, env, &other.schema);
	unit_ok(!rml_drift_merge(&merged, &none), "counts of another model do not add up");
	unit_ok(same_counts(&whole, &merged), "and change nothing");
}

static void
test_refused(RmlEnv *env)
{
	RmlSchema empty = {.rows = 5};
	Learnt learnt;

	unit_contains(rml_drift_check(&empty), "no columns", "a model without features");
	learn_two(&learnt, env, RML_IMPUTE_MEAN);
	learnt.schema.features[0].deciles[4] = -1;
	unit_contains(rml_drift_check(&learnt.schema), "not in order", "deciles that go down");
	learnt.schema.rows = 0;
	unit_contains(rml_drift_check(&learnt.schema), "no training rows", "a model of no rows");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden(env);
	test_shares(env);
	test_verdicts(env);
	test_skip(env);
	test_parts(env);
	test_refused(env);
	unit_env_free(env);
	return unit_done();
}
