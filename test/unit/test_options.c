/*
 * test_options.c
 *	  One table drives defaults, bytes and description of options.
 */
#include "unit.h"

#include <math.h>
#include <stdarg.h>

#include "retailml/kmeans.h"
#include "retailml/kprototypes.h"
#include "retailml/options.h"
#include "retailml/rfm.h"

typedef struct Sample
{
	int64_t count;
	double share;
	int64_t loud;
	int64_t colour;
	char *label;
	RmlNames columns;
	double weight;
	int64_t seed;
} Sample;

static const char *const colours[] = {"red", "green", "blue", NULL};

static const RmlOption sample_options[] = {
	RML_INT_OPTION(Sample, count, 10, 1, 1000),
	RML_FLOAT_OPTION(Sample, share, 0.25, 0, 1),
	RML_BOOL_OPTION(Sample, loud, true),
	RML_CHOICE_OPTION(Sample, colour, 1, colours),
	RML_TEXT_OPTION(Sample, label),
	RML_NAMES_OPTION(Sample, columns),
	RML_AUTO_OPTION(Sample, weight, 0, 10),
	{"extra", RML_OPTION_OBJECT, 0, 0, 0, 0, NULL},
	RML_SEED_OPTION(Sample),
};

#define N_OPTIONS ((int) (sizeof sample_options / sizeof sample_options[0]))

static RmlOptionSet
set_of(Sample *sample)
{
	return (RmlOptionSet){sample_options, N_OPTIONS, sample};
}

/* ---- a sink that writes what it is told as text */

typedef struct TextInfo
{
	RmlInfo info;
	char text[4000];
} TextInfo;

static void UNIT_PRINTF(2, 3) say(RmlInfo *info, const char *format, ...)
{
	char *text = ((TextInfo *) (void *) info)->text;
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, sizeof((TextInfo *) (void *) info)->text - length, format, args);
	va_end(args);
}

static const char *
key_of(const char *key)
{
	return key == NULL ? "-" : key;
}

static void
say_integer(RmlInfo *info, const char *key, int64_t value)
{
	say(info, "%s=%lld ", key_of(key), (long long) value);
}

static void
say_number(RmlInfo *info, const char *key, double value)
{
	say(info, "%s=%g ", key_of(key), value);
}

static void
say_boolean(RmlInfo *info, const char *key, bool value)
{
	say(info, "%s=%s ", key_of(key), value ? "true" : "false");
}

static void
say_text(RmlInfo *info, const char *key, const char *value)
{
	say(info, "%s='%s' ", key_of(key), value);
}

static void
say_null(RmlInfo *info, const char *key)
{
	say(info, "%s=null ", key_of(key));
}

static void
open_object(RmlInfo *info, const char *key)
{
	say(info, "%s={ ", key_of(key));
}

static void
close_object(RmlInfo *info)
{
	say(info, "} ");
}

static void
open_array(RmlInfo *info, const char *key)
{
	say(info, "%s=[ ", key_of(key));
}

static void
close_array(RmlInfo *info)
{
	say(info, "] ");
}

static const char *
describe(const RmlOptionSet *set)
{
	static TextInfo sink;

	sink = (TextInfo){{say_integer, say_number, say_boolean, say_text, say_null, open_object,
					   close_object, open_array, close_array},
					  ""};
	rml_options_describe(set, &sink.info);
	return sink.text;
}

/* ---- bytes */

static void
encode(RmlWriter *writer, RmlEnv *env, Sample *sample)
{
	RmlOptionSet set = set_of(sample);

	rml_writer_begin(writer, env, 1, 1);
	rml_options_encode(&set, writer);
	rml_writer_end(writer);
}

/* NULL, or why the decoder refuses them */
static const char *
decode(Sample *sample, RmlEnv *env, const RmlWriter *writer)
{
	RmlReader reader;
	RmlOptionSet set = set_of(sample);

	memset(sample, 0, sizeof *sample);
	rml_reader_begin(&reader, env, writer->bytes, writer->length);
	rml_options_decode(&set, &reader);
	return rml_reader_done(&reader);
}

static const char *
roundtrip(RmlEnv *env, Sample sample, Sample *out)
{
	RmlWriter writer;

	encode(&writer, env, &sample);
	return decode(out, env, &writer);
}

static Sample
other_values(void)
{
	static char *names[] = {"a", "b c", ""};

	return (Sample){.count = 1000,
					.share = 1,
					.loud = 0,
					.colour = 2,
					.label = "x",
					.columns = {3, names},
					.seed = -9007199254740992};
}

static void
test_defaults(void)
{
	Sample sample;
	RmlOptionSet set = set_of(&sample);

	memset(&sample, 0xFF, sizeof sample);
	rml_options_default(&set);
	unit_equal_string(
		describe(&set),
		"count=10 share=0.25 loud=true colour='green' label=null columns=[ ] weight='auto' seed=42 ",
		"defaults");
	sample = other_values();
	unit_equal_string(describe(&set),
					  "count=1000 share=1 loud=false colour='blue' label='x' "
					  "columns=[ -='a' -='b c' -='' ] weight=0 seed=-9007199254740992 ",
					  "other values");
}

static void
test_bytes(RmlEnv *env)
{
	Sample sample = other_values(), back;
	RmlOptionSet set = set_of(&back);
	RmlWriter first, second;

	unit_equal_string(roundtrip(env, sample, &back), NULL, "bytes can be read back");
	unit_equal_string(describe(&set),
					  "count=1000 share=1 loud=false colour='blue' label='x' "
					  "columns=[ -='a' -='b c' -='' ] weight=0 seed=-9007199254740992 ",
					  "with all values");
	encode(&first, env, &sample);
	encode(&second, env, &back);
	unit_ok(first.length == second.length && memcmp(first.bytes, second.bytes, first.length) == 0,
			"and are the same again");
	rml_options_default(&set);
	sample = back;
	unit_equal_string(roundtrip(env, sample, &back), NULL, "so can those of the defaults");
	unit_ok(back.label == NULL && back.columns.n == 0, "where nothing stays nothing");
}

/* the encoder writes what it is given, the decoder takes nothing the parser would not */
static void
test_out_of_range(RmlEnv *env)
{
	const Sample good = other_values();
	Sample bad, out;

	bad = good, bad.count = 0;
	unit_contains(roundtrip(env, bad, &out), "out of range", "an integer below its range");
	bad = good, bad.count = 1001;
	unit_contains(roundtrip(env, bad, &out), "out of range", "or above");
	bad = good, bad.share = 1.001;
	unit_contains(roundtrip(env, bad, &out), "out of range", "a number above its range");
	bad = good, bad.share = -0.001;
	unit_contains(roundtrip(env, bad, &out), "out of range", "or below");
	bad = good, bad.share = NAN;
	unit_ok(roundtrip(env, bad, &out) != NULL, "NaN");
	bad = good, bad.weight = RML_AUTO;
	unit_equal_string(roundtrip(env, bad, &out), NULL, "the word auto");
	unit_near(out.weight, RML_AUTO, 0, "stays what it is");
	bad = good, bad.weight = -0.5;
	unit_contains(roundtrip(env, bad, &out), "out of range", "another number below the range");
	bad = good, bad.loud = 2;
	unit_contains(roundtrip(env, bad, &out), "out of range", "a truth value of 2");
	bad = good, bad.colour = 3;
	unit_contains(roundtrip(env, bad, &out), "out of range", "a choice there is not");
	bad = good, bad.colour = -1;
	unit_contains(roundtrip(env, bad, &out), "out of range", "or -1");
	bad = good, bad.seed = INT64_MAX;
	unit_contains(roundtrip(env, bad, &out), "out of range", "a seed jsonb cannot say exactly");
}

/* the defaults that the reference pages promise */
static void
test_algorithms(void)
{
	RmlKmeansParams kmeans = {0};
	RmlKprototypesParams kprototypes = {0};
	RmlRfmParams rfm;
	RmlOptionSet kprototypes_set = {rml_kprototypes_options, rml_kprototypes_n_options,
									&kprototypes};
	RmlOptionSet kmeans_set = {rml_kmeans_options, rml_kmeans_n_options, &kmeans};
	RmlOptionSet rfm_set = {rml_rfm_options, rml_rfm_n_options, &rfm};

	rml_options_default(&kmeans_set);
	unit_equal_string(describe(&kmeans_set),
					  "init='k-means++' n_init=10 max_iter=300 tol=0.0001 seed=42 order_by=null ",
					  "options of kmeans_fit");
	rml_options_default(&kprototypes_set);
	unit_equal_string(
		describe(&kprototypes_set),
		"gamma='auto' init='cao' n_init=10 max_iter=300 tol=0.0001 seed=42 order_by=null ",
		"options of kprototypes_fit");
	rml_options_default(&rfm_set);
	unit_equal_string(describe(&rfm_set), "bins=5 ", "options of rfm_fit");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_defaults();
	test_bytes(env);
	test_out_of_range(env);
	test_algorithms();
	unit_env_free(env);
	return unit_done();
}
