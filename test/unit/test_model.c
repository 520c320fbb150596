/*
 * test_model.c
 *	  Model bytes: the layout that is promised for ever, and a reader that believes nothing.
 */
#include "unit.h"

#include <math.h>

#include "retailml/model.h"

#define TAG_A RML_TAG('A', 'A', 'A', ' ')
#define TAG_B RML_TAG('B', 'B', 'B', ' ')
#define TAG_C RML_TAG('C', 'C', 'C', ' ')
#define TAG_D RML_TAG('D', 'D', 'D', ' ')
#define TAG_E RML_TAG('E', 'E', 'E', ' ')
#define TAG_F RML_TAG('F', 'F', 'F', ' ')
#define TAG_G RML_TAG('G', 'G', 'G', ' ')
#define TAG_H RML_TAG('H', 'H', 'H', ' ')

static const int64_t some_int64[] = {INT64_MIN, -1, 0, INT64_MAX};
static const int32_t some_int32[] = {INT32_MIN, 7, INT32_MAX};
static const double some_float64[] = {0.1, -0.0, 1e308};
static const float some_float32[] = {0.1f, -0.0f, 3e38f};
/* two rows of three in steps of eight; what lies between is not kept */
static const float some_rows[] = {1, 2, 3, 9, 9, 9, 9, 9, 4, 5, 6, 9, 9, 9, 9, 9};
static char *const some_strings[] = {"", "a",
									 "gr\xC3\xBC\xC3\x9F"
									 "e",
									 "12345678"};

/* one item of each kind */
static void
write_sample(RmlWriter *writer, RmlEnv *env)
{
	rml_writer_begin(writer, env, 9, 3);
	rml_put_int64(writer, TAG_A, some_int64, 4);
	rml_put_int32(writer, TAG_B, some_int32, 3);
	rml_put_float64(writer, TAG_C, some_float64, 3);
	rml_put_strings(writer, TAG_D, some_strings, 4);
	rml_put_int(writer, TAG_E, 42);
	rml_put_double(writer, TAG_F, 2.5);
	rml_put_float64(writer, TAG_C, NULL, 0);
	rml_put_strings(writer, TAG_D, NULL, 0);
	rml_put_float32(writer, TAG_G, some_float32, 3);
	rml_put_float32_rows(writer, TAG_H, some_rows, 2, 3, 8);
	rml_writer_end(writer);
}

/* read it all; NULL, or why it was refused */
static const char *
read_sample(RmlReader *reader, RmlEnv *env, const void *bytes, size_t length)
{
	if (!rml_reader_begin(reader, env, bytes, length))
		return reader->error;
	(void) rml_get_int64(reader, TAG_A, 4);
	(void) rml_get_int32(reader, TAG_B, 3);
	(void) rml_get_float64(reader, TAG_C, 3);
	(void) rml_get_strings(reader, TAG_D, 4);
	(void) rml_get_int(reader, TAG_E, 0, 100);
	(void) rml_get_double(reader, TAG_F);
	(void) rml_get_float64(reader, TAG_C, 0);
	(void) rml_get_strings(reader, TAG_D, 0);
	(void) rml_get_float32(reader, TAG_G, 3);
	(void) rml_get_float32_rows(reader, TAG_H, 2, 3, 4);
	return rml_reader_done(reader);
}

/* make length and checksum those of the bytes, as someone would who forges a model */
static void
seal(uint8_t *bytes, size_t length)
{
	uint64_t stored = length;
	uint32_t crc;

	memcpy(bytes + 16, &stored, 8);
	crc = rml_model_crc(bytes, length);
	memcpy(bytes + 12, &crc, 4);
}

/* ---- checksum */

typedef uint32_t (*Crc)(uint32_t crc, const void *bytes, size_t length);

/* check value of CRC-32C in the catalogue of parametrised CRC algorithms; RFC 3720, B.4 */
static void
test_crc(Crc crc)
{
	uint8_t bytes[1024];
	bool same = true;

	unit_equal_int(crc(0, "123456789", 9), 0xE3069283, "check value of CRC-32C");
	unit_equal_int(crc(0, "", 0), 0, "of nothing");
	memset(bytes, 0, 32);
	unit_equal_int(crc(0, bytes, 32), 0x8A9136AA, "of 32 zeros");
	memset(bytes, 0xFF, 32);
	unit_equal_int(crc(0, bytes, 32), 0x62A8AB43, "of 32 ones");
	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t) i;
	unit_equal_int(crc(0, bytes, 32), 0x46DD794E, "of 0 to 31");
	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t) (31 - i);
	unit_equal_int(crc(0, bytes, 32), 0x113FDB5C, "of 31 to 0");
	for (int i = 0; i < 1024; i++)
		bytes[i] = (uint8_t) (i * 7 + i / 256);
	for (size_t cut = 0; cut <= 1024; cut++)
		same = same && crc(crc(0, bytes, cut), bytes + cut, 1024 - cut) == crc(0, bytes, 1024);
	unit_ok(same, "it can be continued anywhere");
	for (size_t length = 0; length <= 1021; length++)
		same = same && crc(1, bytes + 3, length) == rml_crc32c_portable(1, bytes + 3, length);
	unit_ok(same, "with or without the machine's instruction");
}

/* ---- layout */

static uint64_t
number_at(const uint8_t *bytes, size_t offset, int width)
{
	uint64_t number = 0;

	for (int i = width - 1; i >= 0; i--)
		number = number << 8 | bytes[offset + (size_t) i];
	return number;
}

/* the table in model.h, read byte by byte */
static void
test_layout(RmlEnv *env)
{
	RmlWriter writer;
	const uint8_t *bytes;
	size_t item = 24 + 16 + 32; /* the second one */

	write_sample(&writer, env);
	bytes = writer.bytes;
	unit_equal_bytes(bytes, "RML1", 4, "magic");
	unit_equal_int((int64_t) number_at(bytes, 4, 2), 1, "format version");
	unit_equal_int((int64_t) number_at(bytes, 6, 2), 9, "algorithm id");
	unit_equal_int((int64_t) number_at(bytes, 8, 2), 3, "algorithm version");
	unit_equal_int((int64_t) number_at(bytes, 10, 2), 0, "flags");
	unit_equal_int((int64_t) number_at(bytes, 12, 4),
				   rml_crc32c(rml_crc32c(0, bytes, 12), bytes + 16, writer.length - 16),
				   "checksum of everything but itself");
	unit_equal_int((int64_t) number_at(bytes, 16, 8), (int64_t) writer.length, "total length");
	unit_equal_bytes(bytes + 24, "AAA ", 4, "tag of an item");
	unit_equal_int((int64_t) number_at(bytes, 28, 4), RML_INT64, "its type");
	unit_equal_int((int64_t) number_at(bytes, 32, 8), 4, "its count");
	unit_equal_int((int64_t) number_at(bytes, 40, 8), INT64_MIN, "its first element");
	unit_equal_bytes(bytes + item, "BBB ", 4, "the next item follows");
	unit_equal_int((int64_t) number_at(bytes, item + 24, 4), INT32_MAX, "its third element");
	unit_equal_int((int64_t) number_at(bytes, item + 28, 4), 0, "zeros up to a multiple of 8");
	item += 32 + 16 + 24;
	unit_equal_bytes(bytes + item, "DDD ", 4, "strings:");
	unit_equal_int((int64_t) number_at(bytes, item + 32, 8), 7, "lengths in bytes,");
	unit_equal_bytes(bytes + item + 16 + 32,
					 "agr\xC3\xBC\xC3\x9F"
					 "e12345678",
					 16, "then the texts");
	item = writer.length - 2 * 16 - 16 - 24;
	unit_equal_bytes(bytes + item, "GGG ", 4, "float4:");
	unit_equal_int((int64_t) number_at(bytes, item + 4, 4), 5, "its type");
	unit_equal_int((int64_t) number_at(bytes, item + 16, 4), 0x3DCCCCCD, "0.1 in four bytes");
	unit_equal_int((int64_t) number_at(bytes, item + 28, 4), 0, "and zeros");
	unit_equal_int((int64_t) number_at(bytes, item + 40, 8), 6, "rows are counted without gaps,");
	unit_equal_int((int64_t) number_at(bytes, item + 60, 4), 0x40800000, "and follow one another");
	/* header; items of 32, 12, 24, 32 + 16, 8, 8, 0, 0, 12 and 24 bytes, each with a head of 16 */
	unit_equal_int((int64_t) writer.length, 24 + 10 * 16 + 32 + 16 + 24 + 48 + 8 + 8 + 16 + 24,
				   "and nothing else");
}

/* the last two items of the sample */
static void
test_float32(RmlEnv *env, const uint8_t *bytes, size_t length)
{
	static const float spread[] = {1, 2, 3, 0, 4, 5, 6, 0};
	RmlReader reader;

	rml_reader_begin(&reader, env, bytes, length);
	reader.offset = length - 2 * 16 - 16 - 24;
	unit_equal_bytes(rml_get_float32(&reader, TAG_G, 3), some_float32, sizeof some_float32,
					 "float4, bit by bit");
	unit_equal_bytes(rml_get_float32_rows(&reader, TAG_H, 2, 3, 4), spread, sizeof spread,
					 "rows of float4, with zeros in the gaps");
	unit_equal_string(rml_reader_done(&reader), NULL, "and that is all");
}

static void
test_roundtrip(RmlEnv *env)
{
	RmlWriter writer, again;
	RmlReader reader;
	char **strings;
	bool same = true;

	write_sample(&writer, env);
	write_sample(&again, env);
	unit_ok(writer.length == again.length && memcmp(writer.bytes, again.bytes, writer.length) == 0,
			"equal content is equal bytes");
	unit_ok(rml_reader_begin(&reader, env, writer.bytes, writer.length), "the reader accepts them");
	unit_ok(reader.algorithm == 9 && reader.algorithm_version == 3, "knows the algorithm");
	unit_equal_bytes(rml_get_int64(&reader, TAG_A, 4), some_int64, sizeof some_int64, "int64");
	unit_equal_bytes(rml_get_int32(&reader, TAG_B, 3), some_int32, sizeof some_int32, "int32");
	unit_equal_bytes(rml_get_float64(&reader, TAG_C, 3), some_float64, sizeof some_float64,
					 "float64, bit by bit");
	strings = rml_get_strings(&reader, TAG_D, 4);
	for (int i = 0; i < 4; i++)
		same = same && strcmp(strings[i], some_strings[i]) == 0;
	unit_ok(same, "strings");
	unit_equal_int(rml_get_int(&reader, TAG_E, 42, 42), 42, "one integer, at both its bounds");
	unit_near(rml_get_double(&reader, TAG_F), 2.5, 0, "one number");
	unit_ok(rml_get_float64(&reader, TAG_C, 0) != NULL, "an empty array is not NULL");
	unit_contains(rml_reader_done(&reader), "longer than its content", "something left is refused");
	test_float32(env, writer.bytes, writer.length);
	unit_equal_string(read_sample(&reader, env, writer.bytes, writer.length), NULL,
					  "everything read is accepted");
}

/* ---- damage */

static void
test_truncated(RmlEnv *env)
{
	RmlWriter writer;
	int64_t accepted = 0, sealed = 0, newer = 0;

	write_sample(&writer, env);
	for (size_t length = 0; length < writer.length; length++)
	{
		/* a block of exactly that size, so that the sanitizer sees a read past its end */
		uint8_t *copy = malloc(length + (length == 0));
		RmlReader reader;

		memcpy(copy, writer.bytes, length);
		accepted += read_sample(&reader, env, copy, length) == NULL;
		newer += reader.newer;
		if (length >= 24)
		{
			seal(copy, length);
			sealed += read_sample(&reader, env, copy, length) == NULL;
		}
		free(copy);
	}
	unit_equal_int(accepted, 0, "truncated at any length it is refused");
	unit_equal_int(newer, 0, "as damage, not as new");
	unit_equal_int(sealed, 0, "also when length and checksum were put right");
}

/* a CRC detects every error in up to 32 consecutive bits, so each flip of one must show */
static void
test_flipped(RmlEnv *env)
{
	RmlWriter writer;
	RmlReader reader;
	int64_t accepted = 0;

	write_sample(&writer, env);
	for (size_t bit = 0; bit < writer.length * 8; bit++)
	{
		writer.bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		accepted += read_sample(&reader, env, writer.bytes, writer.length) == NULL;
		writer.bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	unit_equal_int(accepted, 0, "no flipped bit goes unnoticed");
}

/* offsets of the sample's second item (int32), its strings and its single integer */
#define ITEM_B (24 + 48)
#define ITEM_D (ITEM_B + 32 + 40)
#define ITEM_E (ITEM_D + 64)
/* after four items of 24, 24, 16 and 16 bytes: float4, and rows of them */
#define ITEM_G (ITEM_E + 80)
#define ITEM_H (ITEM_G + 32)

/* overwrite width bytes of a sealed sample; what the reader says */
static const char *
forged(RmlEnv *env, size_t offset, uint64_t value, int width)
{
	RmlWriter writer;
	RmlReader reader;

	write_sample(&writer, env);
	memcpy(writer.bytes + offset, &value, (size_t) width);
	seal(writer.bytes, writer.length);
	return read_sample(&reader, env, writer.bytes, writer.length);
}

static void
test_forged(RmlEnv *env)
{
	static const uint64_t counts[] = {0, 2, 4, (uint64_t) 1 << 31, (uint64_t) 1 << 62, UINT64_MAX};
	int64_t accepted = 0;

	unit_contains(forged(env, ITEM_B, TAG_A, 4), "not what is expected", "another tag");
	unit_contains(forged(env, ITEM_B + 4, RML_FLOAT64, 4), "not what is expected", "another type");
	unit_contains(forged(env, ITEM_B + 4, 99, 4), "not what is expected", "a type that is none");
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		accepted += forged(env, ITEM_B + 8, counts[i], 8) == NULL;
	unit_equal_int(accepted, 0, "another count");
	unit_contains(forged(env, ITEM_D + 16 + 8, UINT64_MAX, 8), "text", "a text of length -1");
	unit_contains(forged(env, ITEM_D + 16 + 8, 1000, 8), "text", "a text that leaves the model");
	unit_ok(forged(env, ITEM_D + 16 + 24, 9, 8) != NULL, "or ends in the next item's head");
	unit_contains(forged(env, ITEM_D + 16 + 32, 0, 1), "text", "a text with a zero in it");
	unit_contains(forged(env, ITEM_E + 16, 101, 8), "out of range", "a number above its range");
	unit_contains(forged(env, ITEM_E + 16, UINT64_MAX, 8), "out of range", "or below");
	unit_contains(forged(env, ITEM_E + 24 + 16, 0x7FF8000000000000, 8), "not finite", "NaN");
	unit_contains(forged(env, ITEM_E + 24 + 16, 0x7FF0000000000000, 8), "not finite", "infinity");
	unit_contains(forged(env, ITEM_G + 20, 0x7F800000, 4), "not finite", "a float4 infinity");
	unit_contains(forged(env, ITEM_G + 24, 0xFF800000, 4), "not finite", "below zero");
	unit_contains(forged(env, ITEM_H + 36, 0xFFC00000, 4), "not finite", "or NaN, the last of all");
	unit_equal_string(forged(env, ITEM_H + 36, 0xFF7FFFFF, 4), NULL, "the least number is one");
	unit_contains(forged(env, ITEM_H + 8, 5, 8), "not what is expected", "too few for the rows");
	unit_contains(forged(env, ITEM_H + 4, RML_INT32, 4), "not what is expected",
				  "as long, but not float4");
}

/* a count that fits the item's head but not the bytes must be seen before memory is asked for */
static bool
refuses_count(RmlEnv *env, RmlItemType type, uint64_t count)
{
	RmlWriter writer;
	RmlReader reader;
	bool escaped;

	rml_writer_begin(&writer, env, 1, 1);
	if (type == RML_INT64)
		rml_put_int64(&writer, TAG_A, some_int64, 4);
	else
		rml_put_float32(&writer, TAG_A, some_rows, 8);
	rml_put_strings(&writer, TAG_D, some_strings, 4);
	memcpy(writer.bytes + 32, &count, 8);
	rml_writer_end(&writer);
	rml_reader_begin(&reader, env, writer.bytes, writer.length);
	unit_env_limit(env, unit_env_in_use(env) + 1000);
	escaped = type == RML_INT64 ? UNIT_ESCAPES(env, (void) rml_get_int64(&reader, TAG_A, count))
								: UNIT_ESCAPES(env, (void) rml_get_float32(&reader, TAG_A, count));
	unit_env_limit(env, (size_t) 8 << 30);
	return !escaped && reader.error != NULL;
}

static void
test_greedy(RmlEnv *env)
{
	static const RmlItemType types[] = {RML_INT64, RML_FLOAT32};

	for (int i = 0; i < 2; i++)
		unit_ok(refuses_count(env, types[i], 1000) &&
					refuses_count(env, types[i], (uint64_t) 1 << 40) &&
					refuses_count(env, types[i], (uint64_t) 1 << 61) &&
					refuses_count(env, types[i], (uint64_t) 1 << 62) &&
					refuses_count(env, types[i], UINT64_MAX),
				"a huge count is refused, not allocated");
}

static void
test_after_error(RmlEnv *env)
{
	RmlWriter writer;
	RmlReader reader;

	write_sample(&writer, env);
	rml_reader_begin(&reader, env, writer.bytes, writer.length);
	unit_ok(rml_get_int32(&reader, TAG_A, 4) == NULL, "after the first thing that does not fit");
	unit_ok(rml_get_int64(&reader, TAG_A, 4) == NULL, "all reads give nothing,");
	unit_ok(rml_get_strings(&reader, TAG_D, 4) == NULL, "strings too,");
	unit_equal_int(rml_get_int(&reader, TAG_E, -5, 100), -5, "the least that is allowed,");
	unit_near(rml_get_double(&reader, TAG_F), 0, 0, "or zero");
	rml_reader_fail(&reader, "something else");
	unit_contains(rml_reader_done(&reader), "not what is expected", "and the first reason stays");
}

static bool
is_ascii(RmlEnv *env, const char *text, size_t length)
{
	(void) env;
	for (size_t i = 0; i < length; i++)
		if ((uint8_t) text[i] > 127)
			return false;
	return true;
}

/* a host that cannot use every text, as a database in another encoding */
static void
test_texts(RmlEnv *env)
{
	RmlWriter writer;
	RmlReader reader;

	write_sample(&writer, env);
	env->valid_text = is_ascii;
	unit_contains(read_sample(&reader, env, writer.bytes, writer.length), "text",
				  "a text the host cannot use is refused");
	unit_ok(rml_reader_begin(&reader, env, writer.bytes, writer.length) &&
				rml_get_int64(&reader, TAG_A, 4) != NULL,
			"before it is reached the rest can be read");
	env->valid_text = NULL;
	unit_equal_string(read_sample(&reader, env, writer.bytes, writer.length), NULL,
					  "a host that takes any gets it");
}

static void
test_versions(RmlEnv *env)
{
	RmlWriter writer;
	RmlReader reader;
	uint16_t version;

	write_sample(&writer, env);
	version = RML_FORMAT_VERSION + 1;
	memcpy(writer.bytes + 4, &version, 2);
	seal(writer.bytes, writer.length);
	unit_contains(read_sample(&reader, env, writer.bytes, writer.length), "newer version",
				  "a newer format is refused");
	unit_ok(reader.newer, "as new");
	version = 0;
	memcpy(writer.bytes + 4, &version, 2);
	seal(writer.bytes, writer.length);
	unit_ok(read_sample(&reader, env, writer.bytes, writer.length) != NULL && !reader.newer,
			"format 0 never was");
	write_sample(&writer, env);
	for (int bit = 0; bit < 16; bit++)
	{
		version = (uint16_t) (1 << bit);
		memcpy(writer.bytes + 10, &version, 2);
		seal(writer.bytes, writer.length);
		if (read_sample(&reader, env, writer.bytes, writer.length) == NULL || !reader.newer)
			break;
	}
	unit_equal_int(version, 1 << 15, "an unknown flag is refused as new");
	unit_ok(!rml_reader_begin(&reader, env, "PGDMP", 5), "something else is not a model");
	unit_ok(!rml_reader_begin(&reader, env, "", 0), "neither is nothing");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_crc(rml_crc32c);
	test_crc(rml_crc32c_portable);
	test_layout(env);
	test_roundtrip(env);
	test_truncated(env);
	test_flipped(env);
	test_forged(env);
	test_greedy(env);
	test_after_error(env);
	test_texts(env);
	test_versions(env);
	unit_env_free(env);
	return unit_done();
}
