/*
 * test_rfm.c
 *	  Scores against ranks (test/golden/rfm.py), names for all codes, patterns, bytes.
 */
#include "unit.h"

#include <math.h>

#include "retailml/rfm.h"
#include "retailml/rng.h"

#define CUSTOMERS 503
#define MAX_CELLS 1000

static void
fit(RmlRfm *rfm, RmlEnv *env, int bins, const double *numbers, int64_t n)
{
	RmlRfmMap map;

	rml_rfm_map_init(&map, env, bins);
	rml_rfm_map_finish(&map, env);
	rml_rfm_fit(rfm, env, &map, numbers, n);
}

/* ---- scores */

static void
check_scores(const UnitCsv *golden, const RmlRfm *rfm, const double *numbers, int bins)
{
	const char *const letters[] = {"r", "f", "m"};
	bool same = true;

	for (size_t row = 0; row < golden->rows; row++)
	{
		int scores[RML_RFM_DIMENSIONS];

		rml_rfm_scores(rfm, numbers + row * RML_RFM_DIMENSIONS, scores);
		for (int i = 0; i < RML_RFM_DIMENSIONS; i++)
		{
			char column[8];

			snprintf(column, sizeof column, "%s%d", letters[i], bins);
			same = same && scores[i] == (int) unit_csv_number(golden, row, column);
		}
	}
	unit_ok(same, "%d bins: the scores are those of the ranks", bins);
}

static void
test_golden(void)
{
	RmlEnv *env = unit_env(1);
	UnitCsv *golden = unit_golden("rfm_scores.csv");
	double *numbers;

	if (golden == NULL)
		return;
	unit_equal_int((int64_t) golden->rows, CUSTOMERS, "all customers are there");
	numbers = unit_csv_numbers(golden, "recency", 3);
	for (int bins = RML_RFM_MIN_BINS; bins <= RML_RFM_MAX_BINS; bins++)
	{
		RmlRfm rfm;

		if (bins != 3 && bins != 5 && bins != 10)
			continue;
		fit(&rfm, env, bins, numbers, CUSTOMERS);
		check_scores(golden, &rfm, numbers, bins);
	}
	free(numbers);
	unit_csv_free(golden);
	unit_env_free(env);
}

/* the definition itself: 1 + floor(bins * worse / n) */
static int
score_by_counting(const double *numbers, int n, int dimension, double value, int bins)
{
	int worse = 0;

	for (int i = 0; i < n; i++)
	{
		double other = numbers[i * RML_RFM_DIMENSIONS + dimension];

		worse += dimension == 0 ? other > value : other < value;
	}
	return 1 + bins * worse / n;
}

/* small and large n, few and many distinct values, every number of bins */
static void
test_definition(void)
{
	RmlEnv *env = unit_env(1);
	bool same = true, sizes = true;

	for (int trial = 0; trial < 300; trial++)
	{
		int n = trial < 60 ? 1 + trial : 600 + trial;
		int bins = 2 + trial % 9;
		uint64_t distinct = trial % 3 == 0 ? 3 : trial % 3 == 1 ? 20 : 100000;
		double *numbers = RML_NEW(env, double, (size_t) n *RML_RFM_DIMENSIONS);
		int64_t total = 0;
		RmlRfm rfm;

		for (int i = 0; i < n * RML_RFM_DIMENSIONS; i++)
			numbers[i] = (double) rml_rng_below(1, (uint64_t) trial, (uint64_t) i, distinct) - 1;
		fit(&rfm, env, bins, numbers, n);
		for (int i = 0; i < n; i += 7)
		{
			int scores[RML_RFM_DIMENSIONS];

			rml_rfm_scores(&rfm, numbers + i * RML_RFM_DIMENSIONS, scores);
			for (int j = 0; j < RML_RFM_DIMENSIONS; j++)
				same = same &&
					   scores[j] == score_by_counting(numbers, n, j,
													  numbers[i * RML_RFM_DIMENSIONS + j], bins);
		}
		for (int cell = 0; cell < rfm.map.n_cells; cell++)
			total += rfm.sizes[cell];
		sizes = sizes && total == n;
		unit_env_reset(env);
	}
	unit_ok(same, "a score is 1 + floor(bins * worse / n)");
	unit_ok(sizes, "the sizes of the codes add up to the rows");
	unit_env_free(env);
}

static void
test_edges(void)
{
	RmlEnv *env = unit_env(1);
	const double one[] = {10, 1, 5};
	const double zeros[] = {0.0, -0.0, 0.0, -0.0, 0.0, -0.0};
	int scores[RML_RFM_DIMENSIONS];
	RmlRfm rfm;

	fit(&rfm, env, 5, one, 1);
	unit_equal_int((int64_t) rml_rfm_predict(&rfm, one, NULL), 111, "one row is better than none");
	unit_equal_int((int64_t) rml_rfm_predict(&rfm, (const double[]){9, 2, 6}, NULL), 555,
				   "a new customer beyond all cut points");
	fit(&rfm, env, 5, zeros, 2);
	rml_rfm_scores(&rfm, zeros, scores);
	unit_ok(scores[0] == 1 && scores[1] == 1 && scores[2] == 1, "zero and minus zero are a tie");
	unit_ok(rml_rfm_check(&(RmlRfmParams){5}) == NULL, "five bins are fine");
	unit_contains(rml_rfm_check(&(RmlRfmParams){11}), "2 to 10", "eleven are not");
	unit_contains(rml_rfm_check(&(RmlRfmParams){1}), "2 to 10", "nor is one");
	unit_env_free(env);
}

static void
test_cancel(void)
{
	RmlEnv *env = unit_env(1);
	size_t n = 2500000;
	double *numbers = RML_NEW_ZERO(env, double, n *RML_RFM_DIMENSIONS);
	RmlRfm rfm;

	unit_env_cancel_after(env, 3);
	unit_ok(UNIT_ESCAPES(env, fit(&rfm, env, 5, numbers, (int64_t) n)), "a fit can be cancelled");
	unit_env_free(env);
}

/* ---- segments */

static const char *
name_of(const RmlRfmMap *map, int r, int f, int m)
{
	return map->segments[map->segment[((r - 1) * map->bins + f - 1) * map->bins + m - 1]];
}

static void
test_names(void)
{
	RmlEnv *env = unit_env(1);

	for (int bins = RML_RFM_MIN_BINS; bins <= RML_RFM_MAX_BINS; bins++)
	{
		RmlRfmMap map;
		bool named = true, increasing = true;

		rml_rfm_map_init(&map, env, bins);
		rml_rfm_map_finish(&map, env);
		for (int cell = 0; cell < map.n_cells; cell++)
		{
			const RmlRfmSegment *segment = rml_rfm_segment(map.segments[map.segment[cell]]);

			named = named && segment != NULL && segment->description[0] != '\0' &&
					segment->lever[0] != '\0';
			increasing = increasing && (cell == 0 || rml_rfm_cell_code(bins, cell) >
														 rml_rfm_cell_code(bins, cell - 1));
		}
		unit_ok(named && increasing, "%d bins: every code is different and named", bins);
		unit_equal_string(name_of(&map, bins, bins, bins), "Champions", "the best are Champions");
		unit_equal_string(name_of(&map, 1, 1, 1), "Lost", "the worst are Lost");
		if (bins >= 5)
			unit_equal_int(map.n_segments, 11, "all eleven segments occur");
	}
	unit_env_free(env);
}

static void
test_rules(void)
{
	static const struct
	{
		int r, f, m;
		const char *name;
	} cases[] = {
		{4, 4, 4, "Champions"},
		{5, 4, 3, "Loyal"},
		{3, 5, 5, "Loyal"},
		{4, 2, 1, "Potential Loyalists"},
		{5, 1, 5, "New"},
		{4, 1, 1, "Promising"},
		{3, 3, 1, "Need Attention"},
		{3, 1, 4, "Need Attention"},
		{3, 2, 3, "About to Sleep"},
		{2, 3, 1, "At Risk"},
		{1, 1, 4, "At Risk"},
		{2, 4, 4, "Cannot Lose"},
		{1, 5, 5, "Cannot Lose"},
		{2, 2, 3, "Hibernating"},
		{1, 2, 3, "Lost"},
	};
	RmlEnv *env = unit_env(1);
	RmlRfmMap map;

	rml_rfm_map_init(&map, env, 5);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		unit_equal_string(name_of(&map, cases[i].r, cases[i].f, cases[i].m), cases[i].name,
						  "%d%d%d", cases[i].r, cases[i].f, cases[i].m);
	unit_ok(rml_rfm_segment("VIP") == NULL, "a name that is not built in");
	unit_env_free(env);
}

static void
test_codes(void)
{
	unit_equal_int(rml_rfm_cell_code(5, 0), 111, "the first code");
	unit_equal_int(rml_rfm_cell_code(5, 124), 555, "the last code");
	unit_equal_int(rml_rfm_cell_code(5, 37), 233, "one between");
	unit_equal_int(rml_rfm_cell_code(9, 728), 999, "nine bins have one digit");
	unit_equal_int(rml_rfm_cell_code(10, 0), 10101, "ten have two");
	unit_equal_int(rml_rfm_cell_code(10, 999), 101010, "each");
}

static void
test_patterns(void)
{
	RmlEnv *env = unit_env(1);
	RmlRfmMap map;

	rml_rfm_map_init(&map, env, 5);
	unit_ok(rml_rfm_map_assign(&map, env, "VIP", "555") == NULL &&
				rml_rfm_map_assign(&map, env, "VIP", " 5  4-5 5 ") == NULL &&
				rml_rfm_map_assign(&map, env, "Asleep", "1**") == NULL &&
				rml_rfm_map_assign(&map, env, "Lost", "2 * 1") == NULL &&
				rml_rfm_map_assign(&map, env, "Fresh", "51*") == NULL,
			"codes, stars, ranges; the same code twice in one segment; a built-in name");
	unit_equal_string(name_of(&map, 5, 4, 5), "VIP", "a range");
	unit_equal_string(name_of(&map, 5, 4, 4), "Champions", "beside it nothing changes");
	unit_equal_string(name_of(&map, 1, 5, 3), "Asleep", "stars");
	unit_equal_string(name_of(&map, 2, 5, 1), "Lost", "a built-in name for other codes");
	unit_contains(rml_rfm_map_assign(&map, env, "Mine", "*55"), "is in both",
				  "two names for one code");
	rml_rfm_map_finish(&map, env);
	unit_equal_int(map.n_segments, 11 - 1 + 3, "New, which has no codes left, is dropped");
	unit_env_free(env);
}

static void
test_bad_patterns(void)
{
	static const char *const bad[] = {"",      "5",         "55",     "5555",   "5a5",
									  "5 5",   "5 5 5 5",   "4- 5 5", "-5 5 5", "555 5 5",
									  "5,5,5", "5-4-3 1 1", "* * *x"};
	static const char *const out[] = {"655", "055", "6 5 5", "5 0-3 1", "5 5-4 1", "5 4-99 1"};
	RmlEnv *env = unit_env(1);
	RmlRfmMap map;

	rml_rfm_map_init(&map, env, 5);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		unit_contains(rml_rfm_map_assign(&map, env, "X", bad[i]), "not a pattern", "\"%s\"",
					  bad[i]);
	for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
		unit_contains(rml_rfm_map_assign(&map, env, "X", out[i]), "not from 1 to 5", "\"%s\"",
					  out[i]);
	unit_contains(rml_rfm_map_assign(&map, env, "", "555"), "empty name", "no name");
	rml_rfm_map_init(&map, env, 10);
	unit_contains(rml_rfm_map_assign(&map, env, "X", "555"), "not a pattern",
				  "a code is ambiguous with ten bins");
	unit_ok(rml_rfm_map_assign(&map, env, "X", "10 9-10 *") == NULL, "entries are not");
	unit_env_free(env);
}

/* a name for each code is the most there can be */
static void
test_many_names(void)
{
	RmlEnv *env = unit_env(1);
	RmlRfmMap map;
	bool taken = true;

	rml_rfm_map_init(&map, env, 10);
	for (int cell = 0; cell < MAX_CELLS; cell++)
	{
		int scores[RML_RFM_DIMENSIONS];

		rml_rfm_cell_scores(10, cell, scores);
		taken = taken && rml_rfm_map_assign(&map, env, rml_format(env, "segment %d", cell),
											rml_format(env, "%d %d %d", scores[0], scores[1],
													   scores[2])) == NULL;
	}
	rml_rfm_map_finish(&map, env);
	unit_ok(taken && map.n_segments == MAX_CELLS, "a thousand names");
	unit_env_free(env);
}

/* ---- bytes */

static void
encode(RmlWriter *writer, RmlEnv *env, const RmlRfm *rfm)
{
	rml_writer_begin(writer, env, RML_ALGORITHM_RFM, 1);
	rml_rfm_encode(rfm, writer);
	rml_writer_end(writer);
}

/* NULL or the reason */
static const char *
decode(RmlEnv *env, const uint8_t *bytes, size_t length, int bins, RmlRfm **rfm)
{
	RmlRfmParams params = {bins};
	RmlSchema schema = {.d_num = 3};
	RmlReader reader;

	if (!rml_reader_begin(&reader, env, bytes, length))
		return reader.error;
	*rfm = rml_rfm_decode(&reader, &schema, &params);
	return rml_reader_done(&reader);
}

static const char *
reason_after(RmlEnv *env, RmlRfm *rfm)
{
	RmlWriter writer;
	RmlRfm *copy;

	encode(&writer, env, rfm);
	return decode(env, writer.bytes, writer.length, rfm->map.bins, &copy);
}

static void
sample_model(RmlRfm *rfm, RmlEnv *env)
{
	double numbers[CUSTOMERS * RML_RFM_DIMENSIONS];

	for (int i = 0; i < CUSTOMERS * RML_RFM_DIMENSIONS; i++)
		numbers[i] = (double) rml_rng_below(9, 0, (uint64_t) i, 50);
	fit(rfm, env, 5, numbers, CUSTOMERS);
}

static void
test_round_trip(void)
{
	RmlEnv *env = unit_env(1);
	RmlRfm rfm, *copy;
	RmlWriter writer, again;

	sample_model(&rfm, env);
	encode(&writer, env, &rfm);
	unit_ok(decode(env, writer.bytes, writer.length, 5, &copy) == NULL, "a model can be read");
	encode(&again, env, copy);
	unit_ok(writer.length == again.length, "and written again,");
	unit_equal_bytes(again.bytes, writer.bytes, writer.length, "the same");
	unit_ok(decode(env, writer.bytes, writer.length, 6, &copy) != NULL, "other bins do not fit");
	unit_env_free(env);
}

static void
test_damage(void)
{
	RmlEnv *env = unit_env(1);
	RmlRfm rfm;

	sample_model(&rfm, env);
	rfm.cuts[5] = rfm.cuts[4] - 1;
	unit_contains(reason_after(env, &rfm), "not sorted", "falling cut points of frequency");
	sample_model(&rfm, env);
	rfm.cuts[1] = rfm.cuts[0] + 1;
	unit_contains(reason_after(env, &rfm), "not sorted", "rising cut points of recency");
	sample_model(&rfm, env);
	rfm.cuts[0] = NAN;
	unit_ok(reason_after(env, &rfm) != NULL, "a cut point that is no number");
	sample_model(&rfm, env);
	rfm.sizes[3] = -1;
	unit_contains(reason_after(env, &rfm), "negative size", "a negative size");
	sample_model(&rfm, env);
	rfm.map.segment[124] = rfm.map.n_segments;
	unit_contains(reason_after(env, &rfm), "no segment", "a segment that is not there");
	unit_env_free(env);
}

/* flip bits and give the bytes a right checksum, so that the decoder itself has to notice */
static void
test_flipped_bits(void)
{
	RmlEnv *env = unit_env(1), *scratch = unit_env(1);
	RmlRfm rfm;
	RmlWriter writer;
	int refused = 0;

	sample_model(&rfm, env);
	encode(&writer, env, &rfm);
	for (uint64_t trial = 0; trial < 20000; trial++)
	{
		uint8_t *bytes = rml_alloc(scratch, writer.length);
		uint64_t bit = rml_rng_below(5, 0, trial, 8 * writer.length);
		uint32_t crc;
		RmlRfm *copy = NULL;

		memcpy(bytes, writer.bytes, writer.length);
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		crc = rml_model_crc(bytes, writer.length);
		memcpy(bytes + 12, &crc, sizeof crc);
		if (decode(scratch, bytes, writer.length, 5, &copy) != NULL)
			refused++;
		else
			(void) rml_rfm_predict(copy, (const double[]){1, 2, 3}, NULL);
		unit_env_reset(scratch);
	}
	unit_ok(refused > 0, "%d of 20000 models with a flipped bit are refused, none crashes",
			refused);
	unit_env_free(scratch);
	unit_env_free(env);
}

int
main(void)
{
	test_golden();
	test_definition();
	test_edges();
	test_cancel();
	test_names();
	test_rules();
	test_codes();
	test_patterns();
	test_bad_patterns();
	test_many_names();
	test_round_trip();
	test_damage();
	test_flipped_bits();
	return unit_done();
}
