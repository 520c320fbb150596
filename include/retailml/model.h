/*
 * model.h
 *	  The bytes of a model: writer, and a reader that trusts nothing.
 *
 * Layout, little-endian (docs/dev/model-format.md gives the reasons):
 *
 *	  offset  size
 *	       0     4  magic "RML1"
 *	       4     2  format version
 *	       6     2  algorithm id (registry.h)
 *	       8     2  algorithm version
 *	      10     2  flags; a bit this version does not know is refused
 *	      12     4  CRC-32C of everything but these four bytes
 *	      16     8  total length in bytes, this header included
 *	      24        items, one after the other
 *
 *	  item:  4 tag (four letters), 4 type (RmlItemType), 8 count, then count elements, then zero
 *	         bytes to the next multiple of 8
 *
 * An RML_STRINGS item with count c holds c lengths as int64 followed by the joined bytes.
 *
 * Items are read in the order they were written, each by its tag.  The reader is a cursor that
 * checks every access against the length.  The first thing that does not fit is kept as the
 * reason in reader->error; that read and all later ones yield NULL (arrays) or the lowest allowed
 * value (numbers), so a decoder of plain items reads on and asks once, at the end
 * (rml_reader_done), and one that looks into an array asks before it looks.  Counts are checked
 * against what is left before anything is allocated: damaged bytes cannot ask for more memory
 * than they have length.
 */
#ifndef RETAILML_MODEL_H
#define RETAILML_MODEL_H

#include "retailml/env.h"

#define RML_FORMAT_VERSION 1
#define RML_KNOWN_FLAGS 0
#define RML_HEADER_LENGTH 24

typedef enum RmlItemType
{
	RML_INT64 = 1,
	RML_FLOAT64 = 2,
	RML_INT32 = 3,
	RML_STRINGS = 4,
	RML_FLOAT32 = 5
} RmlItemType;

/* four letters as one number, for item tags */
#define RML_TAG(a, b, c, d) \
	((uint32_t) (a) | (uint32_t) (b) << 8 | (uint32_t) (c) << 16 | (uint32_t) (d) << 24)

typedef struct RmlWriter
{
	RmlEnv *env;
	uint8_t *bytes;
	size_t length;
	size_t capacity;
} RmlWriter;

extern void rml_writer_begin(RmlWriter *writer, RmlEnv *env, uint16_t algorithm,
							 uint16_t algorithm_version);
extern void rml_put_int64(RmlWriter *writer, uint32_t tag, const int64_t *values, size_t count);
extern void rml_put_int32(RmlWriter *writer, uint32_t tag, const int32_t *values, size_t count);
extern void rml_put_float64(RmlWriter *writer, uint32_t tag, const double *values, size_t count);
extern void rml_put_float32(RmlWriter *writer, uint32_t tag, const float *values, size_t count);
/* rows of columns numbers, each stride numbers after the one before, as one item without the gaps */
extern void rml_put_float32_rows(RmlWriter *writer, uint32_t tag, const float *values, size_t rows,
								 size_t columns, size_t stride);
extern void rml_put_strings(RmlWriter *writer, uint32_t tag, char *const *values, size_t count);
/* one value */
extern void rml_put_int(RmlWriter *writer, uint32_t tag, int64_t value);
extern void rml_put_double(RmlWriter *writer, uint32_t tag, double value);
/* fill in length and CRC; the finished bytes are writer->bytes[0 .. length) */
extern void rml_writer_end(RmlWriter *writer);

typedef struct RmlReader
{
	RmlEnv *env;
	const uint8_t *bytes;
	size_t length;
	size_t offset;
	uint16_t algorithm;
	uint16_t algorithm_version;
	const char *error; /* NULL, or why the bytes are refused */
	bool newer;        /* the error is that a newer retailml wrote them */
} RmlReader;

/* check header, length and CRC; false (and reader->error) when they are refused */
extern bool rml_reader_begin(RmlReader *reader, RmlEnv *env, const void *bytes, size_t length);
/* exactly count values; the arrays are copies in the arena */
extern int64_t *rml_get_int64(RmlReader *reader, uint32_t tag, size_t count);
extern int32_t *rml_get_int32(RmlReader *reader, uint32_t tag, size_t count);
extern double *rml_get_float64(RmlReader *reader, uint32_t tag, size_t count);
/* these must all be finite */
extern float *rml_get_float32(RmlReader *reader, uint32_t tag, size_t count);
/* zeros in the gaps; rows * columns is a number that fits, columns <= stride */
extern float *rml_get_float32_rows(RmlReader *reader, uint32_t tag, size_t rows, size_t columns,
								   size_t stride);
extern char **rml_get_strings(RmlReader *reader, uint32_t tag, size_t count);
/* one value, refused outside [low, high] */
extern int64_t rml_get_int(RmlReader *reader, uint32_t tag, int64_t low, int64_t high);
/* one finite value */
extern double rml_get_double(RmlReader *reader, uint32_t tag);
/* count values that must all be finite */
extern double *rml_get_finite(RmlReader *reader, uint32_t tag, size_t count);
/* note a reason of the decoder's own (the first one stays) */
extern void rml_reader_fail(RmlReader *reader, const char *reason);
/* everything read and nothing left over: NULL, or the reason */
extern const char *rml_reader_done(RmlReader *reader);

/* CRC-32C (Castagnoli) of bytes[0 .. length), continuing from crc (0 to begin) */
extern uint32_t rml_crc32c(uint32_t crc, const void *bytes, size_t length);
/* the same without the machine's own instruction for it */
extern uint32_t rml_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

/* the checksum that belongs in the header of these model bytes (length at least 24) */
extern uint32_t rml_model_crc(const uint8_t *bytes, size_t length);

#endif /* RETAILML_MODEL_H */
