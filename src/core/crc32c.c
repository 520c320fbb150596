/*
 * crc32c.c
 *	  CRC-32C (Castagnoli), reflected polynomial 0x1EDC6F41: by the machine's own instruction, or by tables.
 *
 * A model is checked each time it is decoded, and one of many ratings has a hundred million bytes.
 */
#include "retailml/model.h"

#include <string.h>

#define POLYNOMIAL 0x82F63B78u

/* fewer bytes are not worth tables */
#define WORTH_TABLES 256

/* eight bits further */
static uint32_t
crc_byte(uint32_t crc)
{
	for (int bit = 0; bit < 8; bit++)
		crc = (crc >> 1) ^ (POLYNOMIAL & (0u - (crc & 1u)));
	return crc;
}

/* ---- eight tables of 256 ("slicing by 8") ---- */

typedef struct CrcTables
{
	uint32_t t[8][256];
} CrcTables;

static void
crc_tables_build(CrcTables *tables)
{
	for (uint32_t i = 0; i < 256; i++)
		tables->t[0][i] = crc_byte(i);
	for (int slice = 1; slice < 8; slice++)
		for (int i = 0; i < 256; i++)
		{
			uint32_t crc = tables->t[slice - 1][i];

			tables->t[slice][i] = (crc >> 8) ^ tables->t[0][crc & 0xFF];
		}
}

/* whole words of 8 bytes; the tables are made anew each time: 10 microseconds, and no process-wide state */
static uint32_t
crc_words(uint32_t crc, const uint8_t *p, size_t words)
{
	CrcTables tables;

	crc_tables_build(&tables);
	for (; words > 0; words--, p += 8)
	{
		uint64_t word;

		memcpy(&word, p, 8);
		word ^= crc;
		crc = 0;
		for (int i = 0; i < 8; i++)
			crc ^= tables.t[7 - i][(word >> (8 * i)) & 0xFF];
	}
	return crc;
}

uint32_t
rml_crc32c_portable(uint32_t crc, const void *bytes, size_t length)
{
	const uint8_t *p = bytes, *end = p + length;

	crc = ~crc;
	if (length >= WORTH_TABLES)
	{
		crc = crc_words(crc, p, length / 8);
		p += length / 8 * 8;
	}
	for (; p < end; p++)
		crc = crc_byte(crc ^ *p);
	return ~crc;
}

/* ---- the instruction of x86-64, where there is one ---- */

#if defined(__x86_64__) && defined(__GNUC__)

static __attribute__((target("sse4.2"))) uint32_t
crc_by_instruction(uint32_t crc, const uint8_t *p, size_t length)
{
	uint64_t wide = (uint32_t) ~crc;

	for (; length >= 8; length -= 8, p += 8)
	{
		uint64_t word;

		memcpy(&word, p, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t) wide;
	for (; length > 0; length--, p++)
		crc = __builtin_ia32_crc32qi(crc, *p);
	return ~crc;
}

uint32_t
rml_crc32c(uint32_t crc, const void *bytes, size_t length)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc_by_instruction(crc, bytes, length);
	return rml_crc32c_portable(crc, bytes, length);
}

#else

uint32_t
rml_crc32c(uint32_t crc, const void *bytes, size_t length)
{
	return rml_crc32c_portable(crc, bytes, length);
}

#endif
