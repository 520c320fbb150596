/*
 * model.c
 *	  Writer and reader of model bytes.  See model.h for the layout.
 */
#include "retailml/model.h"

#include <math.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model bytes are little-endian and are copied as they are"
#endif

#define MAGIC "RML1"
#define MAGIC_LENGTH 4
#define CRC_OFFSET 12
#define CRC_END 16
#define LENGTH_OFFSET 16
#define ITEM_HEADER_LENGTH 16

/* bytes of a checksum, numbers of a check, texts, without a poll: each a few ms */
#define POLL_BYTES ((size_t) 1 << 23)
#define POLL_NUMBERS ((size_t) 1 << 22)
#define POLL_TEXTS ((size_t) 1 << 16)

static size_t
padded(size_t length)
{
	return (length + 7) & ~(size_t) 7;
}

static size_t
element_size(RmlItemType type)
{
	return type == RML_INT32 || type == RML_FLOAT32 ? 4 : 8;
}

uint32_t
rml_model_crc(const uint8_t *bytes, size_t length)
{
	uint32_t crc = rml_crc32c(0, bytes, CRC_OFFSET);

	return rml_crc32c(crc, bytes + CRC_END, length - CRC_END);
}

/* the same with polls */
static uint32_t
model_crc(RmlEnv *env, const uint8_t *bytes, size_t length)
{
	uint32_t crc = rml_crc32c(0, bytes, CRC_OFFSET);

	for (size_t begin = CRC_END; begin < length; begin += POLL_BYTES)
	{
		crc = rml_crc32c(crc, bytes + begin,
						 length - begin < POLL_BYTES ? length - begin : POLL_BYTES);
		if (length - begin > POLL_BYTES)
			rml_poll(env);
	}
	return crc;
}

static void
poll_text(RmlEnv *env, size_t i)
{
	if (i % POLL_TEXTS == POLL_TEXTS - 1)
		rml_poll(env);
}

/* ---- writer ---- */

/* room for length more bytes; returns their place */
static uint8_t *
extend(RmlWriter *writer, size_t length)
{
	uint8_t *place;

	if (writer->capacity - writer->length < length)
	{
		size_t capacity = writer->capacity * 2 + length;

		writer->bytes = rml_grow_array(writer->env, writer->bytes, writer->length, capacity, 1);
		writer->capacity = capacity;
	}
	place = writer->bytes + writer->length;
	writer->length += length;
	return place;
}

void
rml_writer_begin(RmlWriter *writer, RmlEnv *env, uint16_t algorithm, uint16_t algorithm_version)
{
	const uint16_t header[] = {RML_FORMAT_VERSION, algorithm, algorithm_version, 0};
	uint8_t *place;

	writer->env = env;
	writer->bytes = NULL;
	writer->length = writer->capacity = 0;
	place = memset(extend(writer, RML_HEADER_LENGTH), 0, RML_HEADER_LENGTH);
	memcpy(place, MAGIC, MAGIC_LENGTH);
	memcpy(place + MAGIC_LENGTH, header, sizeof header);
}

static uint8_t *
begin_item(RmlWriter *writer, uint32_t tag, RmlItemType type, size_t count, size_t body)
{
	const uint32_t head[] = {tag, (uint32_t) type};
	const uint64_t count64 = count;
	uint8_t *place = extend(writer, ITEM_HEADER_LENGTH + padded(body));

	memcpy(place, head, sizeof head);
	memcpy(place + 8, &count64, 8);
	place += ITEM_HEADER_LENGTH;
	memset(place + body, 0, padded(body) - body);
	return place;
}

static void
put_array(RmlWriter *writer, uint32_t tag, RmlItemType type, const void *values, size_t count)
{
	size_t body = count * element_size(type);
	uint8_t *place = begin_item(writer, tag, type, count, body);

	rml_copy(writer->env, place, values, body);
}

void
rml_put_int64(RmlWriter *writer, uint32_t tag, const int64_t *values, size_t count)
{
	put_array(writer, tag, RML_INT64, values, count);
}

void
rml_put_int32(RmlWriter *writer, uint32_t tag, const int32_t *values, size_t count)
{
	put_array(writer, tag, RML_INT32, values, count);
}

void
rml_put_float64(RmlWriter *writer, uint32_t tag, const double *values, size_t count)
{
	put_array(writer, tag, RML_FLOAT64, values, count);
}

void
rml_put_float32(RmlWriter *writer, uint32_t tag, const float *values, size_t count)
{
	put_array(writer, tag, RML_FLOAT32, values, count);
}

void
rml_put_float32_rows(RmlWriter *writer, uint32_t tag, const float *values, size_t rows,
					 size_t columns, size_t stride)
{
	size_t width = columns * sizeof(float);
	uint8_t *place = begin_item(writer, tag, RML_FLOAT32, rows * columns, rows * width);

	for (size_t i = 0, next = POLL_NUMBERS; i < rows; i++)
	{
		memcpy(place + i * width, values + i * stride, width);
		if (i * columns < next)
			continue;
		rml_poll(writer->env);
		next += POLL_NUMBERS;
	}
}

void
rml_put_strings(RmlWriter *writer, uint32_t tag, char *const *values, size_t count)
{
	size_t body = count * 8;
	uint8_t *lengths, *text;

	for (size_t i = 0; i < count; i++)
	{
		body += strlen(values[i]);
		poll_text(writer->env, i);
	}
	lengths = begin_item(writer, tag, RML_STRINGS, count, body);
	text = lengths + count * 8;
	for (size_t i = 0; i < count; i++)
	{
		int64_t length = (int64_t) strlen(values[i]);

		memcpy(lengths + i * 8, &length, 8);
		memcpy(text, values[i], (size_t) length);
		text += length;
		poll_text(writer->env, i);
	}
}

void
rml_put_int(RmlWriter *writer, uint32_t tag, int64_t value)
{
	rml_put_int64(writer, tag, &value, 1);
}

void
rml_put_double(RmlWriter *writer, uint32_t tag, double value)
{
	rml_put_float64(writer, tag, &value, 1);
}

void
rml_writer_end(RmlWriter *writer)
{
	uint64_t length = writer->length;
	uint32_t crc;

	memcpy(writer->bytes + LENGTH_OFFSET, &length, 8);
	crc = model_crc(writer->env, writer->bytes, writer->length);
	memcpy(writer->bytes + CRC_OFFSET, &crc, 4);
}

/* ---- reader ---- */

void
rml_reader_fail(RmlReader *reader, const char *reason)
{
	if (reader->error == NULL)
		reader->error = reason;
}

static uint16_t
header_uint16(const RmlReader *reader, size_t offset)
{
	uint16_t value;

	memcpy(&value, reader->bytes + offset, 2);
	return value;
}

static void
check_header(RmlReader *reader)
{
	uint64_t length;
	uint32_t crc;

	if (reader->length < RML_HEADER_LENGTH || memcmp(reader->bytes, MAGIC, MAGIC_LENGTH) != 0)
	{
		rml_reader_fail(reader, "the bytes do not begin like a retailml model");
		return;
	}
	if (header_uint16(reader, 4) > RML_FORMAT_VERSION ||
		(header_uint16(reader, 10) & ~RML_KNOWN_FLAGS) != 0)
	{
		reader->newer = true;
		rml_reader_fail(reader, "the model was written by a newer version of retailml");
		return;
	}
	memcpy(&length, reader->bytes + LENGTH_OFFSET, 8);
	memcpy(&crc, reader->bytes + CRC_OFFSET, 4);
	if (header_uint16(reader, 4) == 0 || length != reader->length || (length & 7) != 0)
		rml_reader_fail(reader, "the length of the model does not match its header");
	else if (crc != model_crc(reader->env, reader->bytes, reader->length))
		rml_reader_fail(reader, "the checksum of the model does not match its content");
}

bool
rml_reader_begin(RmlReader *reader, RmlEnv *env, const void *bytes, size_t length)
{
	memset(reader, 0, sizeof *reader);
	reader->env = env;
	reader->bytes = bytes;
	reader->length = length;
	reader->offset = RML_HEADER_LENGTH;
	check_header(reader);
	if (reader->error != NULL)
		return false;
	reader->algorithm = header_uint16(reader, 6);
	reader->algorithm_version = header_uint16(reader, 8);
	return true;
}

/*
 * Step over the header of the next item, which must have this tag, type and count, and find its
 * body.  Returns NULL, with the reason noted, when it does not fit.
 */
static const uint8_t *
open_item(RmlReader *reader, uint32_t tag, RmlItemType type, size_t count)
{
	uint32_t head[2];
	uint64_t stored;

	if (reader->error != NULL)
		return NULL;
	if (reader->length - reader->offset < ITEM_HEADER_LENGTH)
	{
		rml_reader_fail(reader, "the model ends too early");
		return NULL;
	}
	memcpy(head, reader->bytes + reader->offset, 8);
	memcpy(&stored, reader->bytes + reader->offset + 8, 8);
	if (head[0] != tag || head[1] != (uint32_t) type || stored != count)
	{
		rml_reader_fail(reader, "an item of the model is not what is expected at its place");
		return NULL;
	}
	reader->offset += ITEM_HEADER_LENGTH;
	if (count > (reader->length - reader->offset) / element_size(type))
	{
		rml_reader_fail(reader, "an item of the model is longer than the model");
		return NULL;
	}
	return reader->bytes + reader->offset;
}

/* a copy of count elements; zeros when they cannot be had (never more of them than could be) */
static void *
get_array(RmlReader *reader, uint32_t tag, RmlItemType type, size_t count)
{
	size_t size = element_size(type);
	const uint8_t *body = open_item(reader, tag, type, count);
	void *copy;

	if (body == NULL)
		return NULL;
	copy = rml_alloc_array(reader->env, count, size);
	rml_copy(reader->env, copy, body, count * size);
	/* the total length is a multiple of 8, so padding never passes the end */
	reader->offset += padded(count * size);
	return copy;
}

int64_t *
rml_get_int64(RmlReader *reader, uint32_t tag, size_t count)
{
	return get_array(reader, tag, RML_INT64, count);
}

int32_t *
rml_get_int32(RmlReader *reader, uint32_t tag, size_t count)
{
	return get_array(reader, tag, RML_INT32, count);
}

double *
rml_get_float64(RmlReader *reader, uint32_t tag, size_t count)
{
	return get_array(reader, tag, RML_FLOAT64, count);
}

double *
rml_get_finite(RmlReader *reader, uint32_t tag, size_t count)
{
	double *values = rml_get_float64(reader, tag, count);

	for (size_t i = 0; values != NULL && i < count; i++)
		if (!isfinite(values[i]))
		{
			rml_reader_fail(reader, "the model holds a number that is not finite");
			return NULL;
		}
	return values;
}

/* bits without the sign, as a whole number, are in order of size, and infinity comes before every NaN */
static bool
few_finite32(const float *values, size_t count)
{
	int32_t most = 0;

	for (size_t i = 0; i < count; i++)
	{
		int32_t bits;

		memcpy(&bits, values + i, sizeof bits);
		bits &= INT32_MAX;
		most = bits > most ? bits : most;
	}
	return most < 0x7F800000;
}

static bool
all_finite32(RmlEnv *env, const float *values, size_t count)
{
	for (; count > POLL_NUMBERS; values += POLL_NUMBERS, count -= POLL_NUMBERS)
	{
		if (!few_finite32(values, POLL_NUMBERS))
			return false;
		rml_poll(env);
	}
	return few_finite32(values, count);
}

/* rows * columns numbers spread over rows of stride */
static float *
spread(RmlEnv *env, const uint8_t *body, size_t rows, size_t columns, size_t stride)
{
	float *values = rml_alloc_array(env, rows, stride * sizeof(float));
	size_t width = columns * sizeof(float);

	if (columns == stride)
		return rml_copy(env, values, body, rows * width);
	for (size_t i = 0, next = POLL_NUMBERS; i < rows; i++)
	{
		float *row = values + i * stride;

		memcpy(row, body + i * width, width);
		memset(row + columns, 0, (stride - columns) * sizeof(float));
		if (i * stride < next)
			continue;
		rml_poll(env);
		next += POLL_NUMBERS;
	}
	return values;
}

float *
rml_get_float32_rows(RmlReader *reader, uint32_t tag, size_t rows, size_t columns, size_t stride)
{
	size_t count = rows * columns;
	const uint8_t *body = open_item(reader, tag, RML_FLOAT32, count);
	float *values;

	if (body == NULL)
		return NULL;
	values = spread(reader->env, body, rows, columns, stride);
	if (!all_finite32(reader->env, values, rows * stride))
	{
		rml_reader_fail(reader, "the model holds a number that is not finite");
		return NULL;
	}
	reader->offset += padded(count * sizeof(float));
	return values;
}

float *
rml_get_float32(RmlReader *reader, uint32_t tag, size_t count)
{
	return rml_get_float32_rows(reader, tag, 1, count, count);
}

/* a text that can be read: inside the bytes, without a zero, and one the host can use */
static bool
text_fits(const RmlReader *reader, const uint8_t *text, uint64_t length, size_t left)
{
	RmlEnv *env = reader->env;

	return length <= left && memchr(text, '\0', length) == NULL &&
		   (env->valid_text == NULL || env->valid_text(env, (const char *) text, length));
}

char **
rml_get_strings(RmlReader *reader, uint32_t tag, size_t count)
{
	const uint8_t *lengths = open_item(reader, tag, RML_STRINGS, count);
	size_t left, position = count * 8;
	char **strings;

	if (lengths == NULL)
		return NULL;
	left = reader->length - reader->offset - position;
	strings = RML_NEW(reader->env, char *, count);
	for (size_t i = 0; i < count; i++)
	{
		uint64_t length;

		memcpy(&length, lengths + i * 8, 8);
		if (!text_fits(reader, lengths + position, length, left))
		{
			rml_reader_fail(reader, "a text in the model is damaged");
			return NULL;
		}
		strings[i] = rml_strndup(reader->env, (const char *) lengths + position, length);
		position += length;
		left -= length;
		poll_text(reader->env, i);
	}
	reader->offset += padded(position);
	return strings;
}

int64_t
rml_get_int(RmlReader *reader, uint32_t tag, int64_t low, int64_t high)
{
	const int64_t *value = rml_get_int64(reader, tag, 1);

	if (value == NULL)
		return low;
	if (*value < low || *value > high)
	{
		rml_reader_fail(reader, "a number in the model is out of range");
		return low;
	}
	return *value;
}

double
rml_get_double(RmlReader *reader, uint32_t tag)
{
	const double *value = rml_get_finite(reader, tag, 1);

	return value == NULL ? 0.0 : *value;
}

const char *
rml_reader_done(RmlReader *reader)
{
	if (reader->error == NULL && reader->offset != reader->length)
		rml_reader_fail(reader, "the model is longer than its content");
	return reader->error;
}
